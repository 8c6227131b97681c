//! What an executor waits with. Two of them: [`super::portable`] anywhere, [`super::uring`] where io_uring is allowed.
//!
//! Both promise the same: after a read or write that answered `WouldBlock`, the executor is told the socket's token as
//! soon as it is worth another try. That is all an executor needs, so that it does not know which of the two it runs on.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use super::executor::Executor;
use crate::error::Result;

/// Watches the sockets of one executor.
pub(super) trait Poller {
    /// A socket that never blocks.
    type Socket: Socket;

    /// Takes a connected socket; from now on it is told under `token` when it becomes ready.
    fn watch(&mut self, socket: TcpStream, token: usize) -> io::Result<Self::Socket>;

    /// Ends that.
    fn unwatch(&mut self, socket: &mut Self::Socket);
}

/// Answers `WouldBlock` instead of waiting; writes take many slices at once.
pub(super) trait Socket: io::Read + io::Write {
    /// A read that does not fill its buffer need not be tried again before the socket is told ready.
    const SHORT_READ_IS_LAST: bool;
}

/// What an executor wants next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Look again at what is ready, without waiting.
    Go,
    /// Wait for sockets or mail, no longer than this.
    Wait(Duration),
    /// It has ended.
    End,
}

/// Which poller serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Driver {
    /// io_uring where a probe finds it allowed, else the portable one.
    #[default]
    Auto,
    /// glommio over io_uring; an error where that is not allowed.
    IoUring,
    /// epoll or kqueue.
    Portable,
}

/// A driver that has been found to work, and why it is not the other one.
pub(super) struct Chosen {
    #[cfg_attr(
        not(all(target_os = "linux", feature = "glommio")),
        expect(dead_code, reason = "there is no choice")
    )]
    pub(super) is_uring: bool,
    /// For the start line.
    pub(super) name: String,
}

impl Driver {
    pub(super) fn choose(self) -> Result<Chosen> {
        let portable = |why: &str| Chosen { is_uring: false, name: format!("epoll{why}") };
        Ok(match (self, super::io_uring_is_allowed()) {
            (Self::Portable, _) => portable(""),
            (_, Ok(())) => Chosen { is_uring: true, name: "io_uring".into() },
            (Self::Auto, Err(e)) => portable(&format!(" because {}", e.message())),
            (Self::IoUring, Err(e)) => return Err(e),
        })
    }
}

/// Looks at everything that was told ready, and says what to do then.
pub(super) fn pass<P: Poller>(executor: &mut Executor<P>, ready: impl IntoIterator<Item = usize>) -> Next {
    for token in ready {
        executor.is_ready(token);
    }
    executor.pass()
}

//! The poller that works everywhere: epoll, kqueue or IOCP through `mio`, edge-triggered.

use std::io;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, JoinHandle};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};

use super::executor::Executor;
use super::poller::{Next, Poller, Socket, pass};
use super::server::Shared;
use crate::error::{Error, Result};

const WAKE: Token = Token(usize::MAX);

/// Wakes a thread that waits in its poll.
struct PollWaker(mio::Waker);

impl Wake for PollWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // It fails only where the poll is gone, and then nobody is to be woken.
        let _ = self.0.wake();
    }
}

/// A poll and what wakes it.
pub(super) fn poll() -> io::Result<(Poll, Waker)> {
    let poll = Poll::new()?;
    let waker = mio::Waker::new(poll.registry(), WAKE)?;
    Ok((poll, Arc::new(PollWaker(waker)).into()))
}

struct Portable(Registry);

impl Poller for Portable {
    type Socket = TcpStream;

    fn watch(&mut self, socket: std::net::TcpStream, token: usize) -> io::Result<TcpStream> {
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        self.0.register(&mut socket, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        Ok(socket)
    }

    fn unwatch(&mut self, socket: &mut TcpStream) {
        let _ = self.0.deregister(socket);
    }
}

impl Socket for TcpStream {
    /// What comes later is told again.
    const SHORT_READ_IS_LAST: bool = true;
}

/// Starts an executor on each poll.
pub(super) fn start(polls: Vec<Poll>, shared: &Arc<Shared>) -> Result<Vec<JoinHandle<()>>> {
    let fail = |e: io::Error| Error::io("an executor", &e);
    let mut threads = Vec::new();
    for (index, poll) in polls.into_iter().enumerate() {
        let registry = poll.registry().try_clone().map_err(fail)?;
        let executor = Executor::new(index, shared.clone(), Portable(registry));
        let shared = shared.clone();
        let thread = thread::Builder::new().name(format!("edge-{index}"));
        threads.push(thread.spawn(move || serve(executor, poll, &shared)).map_err(fail)?);
    }
    Ok(threads)
}

fn serve(mut executor: Executor<Portable>, mut poll: Poll, shared: &Shared) {
    let mut events = Events::with_capacity(1_024);
    loop {
        let ready = events.iter().map(|event| event.token()).filter(|&token| token != WAKE);
        let wait = match pass(&mut executor, ready.map(|Token(token)| token)) {
            Next::Go => std::time::Duration::ZERO,
            Next::Wait(wait) => wait,
            Next::End => return,
        };
        events.clear();
        match poll.poll(&mut events, Some(wait)) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => {
                return shared.fail(format!("polling: {e}"));
            }
            _ => {}
        }
    }
}

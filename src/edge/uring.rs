//! The poller over io_uring: glommio's executor and sockets, one to a thread.
//!
//! glommio's sockets are asked as futures are, and keep a waker when they have nothing. Each connection has a waker that
//! notes its token and wakes the thread's one task, so that the executor above is the same as on every other system. The
//! task waits between two passes even when it could go on at once (for a timer of no length): glommio looks at its ring
//! only between tasks.

use std::future::{Future, poll_fn};
use std::io;
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_lite::{AsyncRead, AsyncWrite};
use glommio::net::TcpStream;
use glommio::timer::Timer;
use glommio::{LocalExecutor, LocalExecutorBuilder, Placement};

use super::executor::Executor;
use super::poller::{Next, Poller, Socket, pass};
use super::server::Shared;
use crate::error::{Error, Result};

/// What glommio asks for (it locks its rings' buffers in memory).
const LOCKED_BYTES: u64 = 512 << 10;

/// Whether glommio can serve here: the limit of locked memory, io_uring itself, and an executor made for a try.
///
/// # Errors
/// The reason that it cannot, with a remedy.
pub fn io_uring_is_allowed() -> Result<()> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Memlock).current;
    if let Some(limit) = limit.filter(|&limit| limit < LOCKED_BYTES) {
        let what =
            format!("only {} KiB of memory may be locked, {} are needed", limit >> 10, LOCKED_BYTES >> 10);
        return Err(Error::config(what).hint("raise `ulimit -l`"));
    }
    if let Err(e) = io_uring::IoUring::new(2) {
        return Err(Error::config(format!("io_uring is refused ({e})"))
            .hint("allow it in the seccomp profile of the container and in kernel.io_uring_disabled"));
    }
    // On a thread of its own: glommio keeps things in thread-locals.
    match thread::spawn(|| executor().map(drop)).join() {
        Ok(made) => made,
        Err(_) => Err(Error::config("glommio does not start")),
    }
}

fn executor() -> Result<LocalExecutor> {
    // Not for files: the least memory.
    LocalExecutorBuilder::new(Placement::Unbound)
        .io_memory(64 << 10)
        .make()
        .map_err(|e| Error::config(format!("glommio does not start ({e})")))
}

/// Who is ready, and the task to wake.
#[derive(Default)]
pub(super) struct Ready {
    tokens: Mutex<Vec<usize>>,
    has_mail: AtomicBool,
    task: Mutex<Option<Waker>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ready {
    fn wake_task(&self) {
        if let Some(task) = &*lock(&self.task) {
            task.wake_by_ref();
        }
    }

    /// Ends when a socket is ready, mail has come or `wait` is over.
    async fn wait(&self, wait: Duration) {
        let mut timer = pin!(Timer::new(wait));
        poll_fn(|cx| {
            {
                let mut task = lock(&self.task);
                if !task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
                    *task = Some(cx.waker().clone());
                }
            }
            // After the waker is in its place: what comes from here on wakes.
            let is_ready = self.has_mail.swap(false, Ordering::AcqRel) || !lock(&self.tokens).is_empty();
            if is_ready && wait > Duration::ZERO {
                return Poll::Ready(());
            }
            timer.as_mut().poll(cx).map(drop)
        })
        .await;
    }
}

/// Mail has come, from any thread.
impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_mail.store(true, Ordering::Release);
        self.wake_task();
    }
}

/// A connection may be read or written.
struct SocketWaker {
    token: usize,
    ready: Arc<Ready>,
}

impl Wake for SocketWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let is_first = {
            let mut tokens = lock(&self.ready.tokens);
            tokens.push(self.token);
            tokens.len() == 1
        };
        if is_first {
            self.ready.wake_task();
        }
    }
}

struct Uring(Arc<Ready>);

impl Poller for Uring {
    type Socket = UringSocket;

    fn watch(&mut self, socket: std::net::TcpStream, token: usize) -> io::Result<UringSocket> {
        let stream = TcpStream::from(socket2::Socket::from(socket));
        let waker = Arc::new(SocketWaker { token, ready: self.0.clone() }).into();
        Ok(UringSocket { stream, waker })
    }

    fn unwatch(&mut self, socket: &mut UringSocket) {
        // The ring keeps the file open until it has let go of its last poll: the client is told now.
        let context = &mut Context::from_waker(&socket.waker);
        let _ = socket.stream.poll_shutdown(context, Shutdown::Both);
    }
}

struct UringSocket {
    stream: TcpStream,
    waker: Waker,
}

impl UringSocket {
    fn ask<T>(
        &mut self,
        question: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> io::Result<T> {
        match question(Pin::new(&mut self.stream), &mut Context::from_waker(&self.waker)) {
            Poll::Ready(answer) => answer,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Socket for UringSocket {
    /// Only asking for what is not there yet makes the ring watch for it.
    const SHORT_READ_IS_LAST: bool = false;
}

impl io::Read for UringSocket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.ask(|stream, context| stream.poll_read(context, into))
    }
}

impl io::Write for UringSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.ask(|stream, context| stream.poll_write(context, bytes))
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.ask(|stream, context| stream.poll_write_vectored(context, parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What each executor shares with those that wake it.
pub(super) fn ready(executors: usize) -> Vec<Arc<Ready>> {
    (0..executors).map(|_| Arc::default()).collect()
}

/// Starts an executor for each.
pub(super) fn start(all: Vec<Arc<Ready>>, shared: &Arc<Shared>) -> Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::new();
    let (said, says) = mpsc::channel();
    for (index, ready) in all.into_iter().enumerate() {
        let (shared, said) = (shared.clone(), said.clone());
        let thread = thread::Builder::new().name(format!("edge-{index}"));
        let serve = move || match executor() {
            Ok(executor) => {
                let _ = said.send(Ok(()));
                drop(said);
                executor.run(serve(Executor::new(index, shared, Uring(ready.clone())), ready));
            }
            Err(e) => drop(said.send(Err(e))),
        };
        threads.push(thread.spawn(serve).map_err(|e| Error::io("an executor's thread", &e))?);
    }
    drop(said);
    for is_made in says {
        is_made?;
    }
    Ok(threads)
}

async fn serve(mut executor: Executor<Uring>, ready: Arc<Ready>) {
    let mut tokens = Vec::new();
    loop {
        std::mem::swap(&mut tokens, &mut lock(&ready.tokens));
        match pass(&mut executor, tokens.drain(..)) {
            Next::Go => ready.wait(Duration::ZERO).await,
            Next::Wait(wait) => ready.wait(wait).await,
            Next::End => return,
        }
    }
}

//! The thread that takes connections and deals them out to the executors in turn.
//!
//! One for all listeners, whatever the executors wait with: it has something to do only when a client comes.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use super::portable;
use super::server::{Door, Mail, Shared};
use crate::error::{Error, Result};

/// When descriptors are used up, it is tried again after this.
const RETRY: Duration = Duration::from_millis(100);

pub(super) struct Acceptor {
    thread: JoinHandle<()>,
    waker: Waker,
    is_over: Arc<AtomicBool>,
}

impl Acceptor {
    pub(super) fn start(doors: Vec<(TcpListener, Arc<Door>)>, shared: Arc<Shared>) -> Result<Self> {
        let fail = |e: io::Error| Error::io("a listener", &e);
        let (poll, waker) = portable::poll().map_err(fail)?;
        let mut open = Vec::new();
        for (i, (listener, door)) in doors.into_iter().enumerate() {
            listener.set_nonblocking(true).map_err(fail)?;
            let mut watched = mio::net::TcpListener::from_std(listener.try_clone().map_err(fail)?);
            poll.registry().register(&mut watched, Token(i), Interest::READABLE).map_err(fail)?;
            open.push((listener, watched, door));
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let accept = move || accept(poll, &open, &shared, &ends);
        let thread = thread::Builder::new().name("edge-accept".into()).spawn(accept).map_err(fail)?;
        Ok(Self { thread, waker, is_over })
    }

    /// Takes nobody more; the listeners are closed when this returns.
    pub(super) fn stop(self) {
        self.is_over.store(true, Ordering::Release);
        // By reference, and kept until the thread has ended: a wake-up lies in the waker's descriptor, and closing that
        // before the thread has got up from its poll takes the wake-up back.
        self.waker.wake_by_ref();
        let _ = self.thread.join();
    }
}

type Open = (TcpListener, mio::net::TcpListener, Arc<Door>);

fn accept(mut poll: Poll, open: &[Open], shared: &Shared, is_over: &AtomicBool) {
    let mut events = Events::with_capacity(64);
    let (mut next, mut wait) = (0, None);
    while !is_over.load(Ordering::Acquire) {
        match poll.poll(&mut events, wait.take()) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => {
                return shared.fail(format!("waiting for connections: {e}"));
            }
            _ => {}
        }
        for (listener, _, door) in open {
            loop {
                match listener.accept() {
                    Ok((socket, _)) => {
                        if shared.connections.fetch_add(1, Ordering::Relaxed) >= shared.limits.connections {
                            shared.connections.fetch_sub(1, Ordering::Relaxed);
                            continue;
                        }
                        shared.send(next % shared.mailboxes.len(), Mail::Accepted(socket, door.clone()));
                        next += 1;
                    }
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                    // The client is gone already.
                    Err(e)
                        if matches!(
                            e.kind(),
                            io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                        ) => {}
                    // No descriptors left: the others are served on, and those that wait are tried again.
                    Err(_) => {
                        wait = Some(RETRY);
                        break;
                    }
                }
            }
        }
    }
}

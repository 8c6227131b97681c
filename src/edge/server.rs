//! A running server: executors, their mailboxes, and the broker that they share.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use mio::net::{TcpListener, TcpStream};
use mio::{Poll, Waker};

use super::config::{Certificate, Limits, ServerConfig};
use super::executor::{Executor, WAKE};
use crate::error::{Error, Result};
use crate::host::Clock;
use crate::wire::broker::{Broker, ConnectionId, Now, Reply};
use crate::wire::store::Store;

/// What goes to another executor.
pub(super) enum Mail {
    Accepted(TcpStream, Arc<Door>),
    Reply(ConnectionId, Reply),
    Close(ConnectionId),
    /// Answer what has been asked, then end.
    Drain,
    /// End now.
    Stop,
}

/// What is known of a listener.
pub(super) struct Door {
    pub(super) advertised: (String, u16),
    pub(super) must_authenticate: bool,
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
}

pub(super) struct Mailbox {
    letters: Mutex<Vec<Mail>>,
    waker: Waker,
}

pub(super) struct Shared {
    broker: Mutex<Broker>,
    clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) drain_ms: u64,
    pub(super) mailboxes: Vec<Mailbox>,
    pub(super) next_connection: AtomicUsize,
    pub(super) next_executor: AtomicUsize,
    pub(super) connections: AtomicUsize,
    pub(super) buffered: AtomicUsize,
    /// Connections closed because of what they sent.
    pub(super) refused: AtomicUsize,
    failure: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn now(&self) -> Now {
        Now { wall_ms: self.clock.wall_ms(), monotonic_ms: self.clock.monotonic_ns() / 1_000_000 }
    }

    /// The broker. A panic in it is a broken invariant; the others go on with what it left, which is whole between calls.
    pub(super) fn broker(&self) -> MutexGuard<'_, Broker> {
        self.broker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn send(&self, to: usize, mail: Mail) {
        let mailbox = &self.mailboxes[to];
        let is_first = {
            let mut letters = mailbox.letters.lock().unwrap_or_else(PoisonError::into_inner);
            letters.push(mail);
            letters.len() == 1
        };
        if is_first && let Err(e) = mailbox.waker.wake() {
            self.fail(format!("waking an executor: {e}"));
        }
    }

    pub(super) fn take_mail(&self, index: usize) -> Vec<Mail> {
        std::mem::take(&mut *self.mailboxes[index].letters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn fail(&self, why: String) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// Once a second.
    pub(super) fn idle(&self) {
        let now = self.now();
        if let Err(e) = self.broker().store().idle(now.wall_ms) {
            self.fail(e.to_string());
        }
    }
}

/// Serves Kafka's protocol until stopped.
pub struct Server {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    addresses: Vec<SocketAddr>,
}

impl Server {
    /// Listens and starts the executors.
    ///
    /// # Errors
    /// The configuration is wrong, an address is taken, or the store cannot be read.
    pub fn start(config: ServerConfig, store: Box<dyn Store + Send>, clock: Arc<dyn Clock>) -> Result<Self> {
        config.validate()?;
        let fail = |what: &str| {
            let what = what.to_owned();
            move |e: io::Error| Error::io(what, &e)
        };
        let mut doors = Vec::new();
        let mut addresses = Vec::new();
        for listener in &config.listeners {
            let socket = TcpListener::bind(listener.address).map_err(fail(&listener.address.to_string()))?;
            let address = socket.local_addr().map_err(fail("the listener's address"))?;
            addresses.push(address);
            let advertised =
                listener.advertised.clone().unwrap_or_else(|| (address.ip().to_string(), address.port()));
            let tls = listener.tls.as_ref().map(Certificate::load).transpose()?;
            let must_authenticate = listener.must_authenticate;
            doors.push((socket, Arc::new(Door { advertised, must_authenticate, tls })));
        }
        let now = Now { wall_ms: clock.wall_ms(), monotonic_ms: clock.monotonic_ns() / 1_000_000 };
        let broker = Broker::open(config.broker, store, now)?;
        let mut polls = Vec::new();
        let mut mailboxes = Vec::new();
        for _ in 0..config.executors {
            let poll = Poll::new().map_err(fail("a poll"))?;
            let waker = Waker::new(poll.registry(), WAKE).map_err(fail("a waker"))?;
            mailboxes.push(Mailbox { letters: Mutex::default(), waker });
            polls.push(poll);
        }
        let shared = Arc::new(Shared {
            broker: Mutex::new(broker),
            clock,
            limits: config.limits,
            drain_ms: config.drain_ms,
            mailboxes,
            next_connection: AtomicUsize::new(1),
            next_executor: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            buffered: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            failure: Mutex::default(),
        });
        let mut threads = Vec::new();
        for (index, poll) in polls.into_iter().enumerate() {
            let doors = if index == 0 { std::mem::take(&mut doors) } else { Vec::new() };
            let executor = Executor::new(index, shared.clone(), poll, doors).map_err(fail("an executor"))?;
            let thread = thread::Builder::new().name(format!("edge-{index}"));
            threads.push(thread.spawn(move || executor.run()).map_err(fail("an executor's thread"))?);
        }
        Ok(Self { shared, threads, addresses })
    }

    /// Where it listens, in the order of the configuration.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What serves: for the start line.
    pub fn describe(&self) -> String {
        format!("{} executors, epoll", self.threads.len())
    }

    /// Open connections, and connections closed because of what they sent.
    pub fn connections(&self) -> (usize, usize) {
        (self.shared.connections.load(Ordering::Relaxed), self.shared.refused.load(Ordering::Relaxed))
    }

    /// Bytes held for incomplete frames and unsent replies.
    pub fn buffered_bytes(&self) -> usize {
        self.shared.buffered.load(Ordering::Relaxed)
    }

    /// What has gone wrong in an executor, if anything.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers what has been asked, notes what is to survive, and closes the store.
    ///
    /// # Errors
    /// The store could not be closed well: the next start recovers.
    pub fn stop(self) -> Result<()> {
        for to in 0..self.threads.len() {
            self.shared.send(to, Mail::Drain);
        }
        for thread in self.threads {
            let _ = thread.join();
        }
        let now = self.shared.now();
        let mut broker = self.shared.broker();
        broker.close(now)?;
        broker.store().close()
    }

    /// Ends at once, as a crash would: nothing is noted or closed. For tests.
    pub fn abandon(self) {
        for to in 0..self.threads.len() {
            self.shared.send(to, Mail::Stop);
        }
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

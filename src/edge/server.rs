//! A running server: executors, their mailboxes, the acceptor, and the broker that they share.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::thread::JoinHandle;

use super::acceptor::Acceptor;
use super::config::{Certificate, Limits, ServerConfig};
use super::portable;
#[cfg(all(target_os = "linux", feature = "glommio"))]
use super::uring;
use crate::error::{Error, Result};
use crate::host::Clock;
use crate::wire::broker::{Broker, ConnectionId, Now, Reply};
use crate::wire::store::Store;

/// Clients that have connected and are not accepted yet.
#[cfg(unix)]
const BACKLOG: i32 = 4_096;

/// What goes to another executor.
pub(super) enum Mail {
    Accepted(TcpStream, Arc<Door>),
    Reply(ConnectionId, Reply),
    Close(ConnectionId),
    /// Offsets have moved without a request.
    Moved,
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

impl Mailbox {
    fn put(&self, mail: Mail) {
        let is_first = {
            let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
            letters.push(mail);
            letters.len() == 1
        };
        if is_first {
            self.waker.wake_by_ref();
        }
    }
}

pub(super) struct Shared {
    broker: Mutex<Broker>,
    clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) drain_ms: u64,
    pub(super) mailboxes: Arc<[Mailbox]>,
    pub(super) next_connection: AtomicUsize,
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
        self.mailboxes[to].put(mail);
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

/// Lets the first executor look at the broker when the store's offsets have moved. It has the mailboxes alone: the store's
/// threads must never be the last to hold the broker, and with it themselves.
struct StoreWaker(Arc<[Mailbox]>);

impl Wake for StoreWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0[0].put(Mail::Moved);
    }
}

/// Serves Kafka's protocol until stopped.
pub struct Server {
    shared: Arc<Shared>,
    acceptor: Acceptor,
    threads: Vec<JoinHandle<()>>,
    addresses: Vec<SocketAddr>,
    /// Its driver, for people.
    driver: String,
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
            // The standard library lets 128 clients queue; a burst of more would wait a second for its next try.
            #[cfg(unix)]
            rustix::net::listen(&socket, BACKLOG).map_err(|e| fail("a listener")(e.into()))?;
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
        let chosen = config.driver.choose()?;
        let shared = |wakers: Vec<Waker>| {
            let mailboxes = wakers.into_iter().map(|waker| Mailbox { letters: Mutex::default(), waker });
            Arc::new(Shared {
                broker: Mutex::new(broker),
                clock,
                limits: config.limits,
                drain_ms: config.drain_ms,
                mailboxes: mailboxes.collect(),
                next_connection: AtomicUsize::new(1),
                connections: AtomicUsize::new(0),
                buffered: AtomicUsize::new(0),
                refused: AtomicUsize::new(0),
                failure: Mutex::default(),
            })
        };
        #[cfg(all(target_os = "linux", feature = "glommio"))]
        let (shared, threads) = if chosen.is_uring {
            let all = uring::ready(config.executors);
            let shared = shared(all.iter().map(|ready| ready.clone().into()).collect());
            let threads = uring::start(all, &shared);
            (shared, threads)
        } else {
            start_portable(config.executors, shared)?
        };
        #[cfg(not(all(target_os = "linux", feature = "glommio")))]
        let (shared, threads) = start_portable(config.executors, shared)?;
        shared.broker().call_when_moved(Arc::new(StoreWaker(shared.mailboxes.clone())).into());
        let started = threads.and_then(|threads| Ok((threads, Acceptor::start(doors, shared.clone())?)));
        match started {
            Ok((threads, acceptor)) => Ok(Self { shared, acceptor, threads, addresses, driver: chosen.name }),
            Err(e) => {
                // Those that did start.
                (0..shared.mailboxes.len()).for_each(|to| shared.send(to, Mail::Stop));
                Err(e)
            }
        }
    }

    /// Where it listens, in the order of the configuration.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What serves: for the start line.
    pub fn describe(&self) -> String {
        let n = self.threads.len();
        format!("{n} executor{} by {}", if n == 1 { "" } else { "s" }, self.driver)
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
        self.acceptor.stop();
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
        self.acceptor.stop();
        for to in 0..self.threads.len() {
            self.shared.send(to, Mail::Stop);
        }
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

type Started = (Arc<Shared>, Result<Vec<JoinHandle<()>>>);

fn start_portable(executors: usize, shared: impl FnOnce(Vec<Waker>) -> Arc<Shared>) -> Result<Started> {
    let made: io::Result<Vec<_>> = (0..executors).map(|_| portable::poll()).collect();
    let (polls, wakers) = made.map_err(|e| Error::io("a poll", &e))?.into_iter().unzip();
    let shared = shared(wakers);
    let threads = portable::start(polls, &shared);
    Ok((shared, threads))
}

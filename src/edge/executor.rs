//! One executor: a thread that polls its own connections.
//!
//! A turn: wait for sockets, mail or the broker's next deadline → read and frame → check batches → the broker, under
//! its lock, with all requests of the turn → send. Portable: epoll, kqueue or IOCP through `mio`, edge-triggered, so a
//! connection that may have more is remembered instead of asked again.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::connection::{Connection, Flow};
use super::server::{Door, Mail, Shared};
use super::transport::Transport;
use crate::wire::broker::{ConnectionId, Outbox, Peer, Prepared, prepare};

pub(super) const WAKE: Token = Token(usize::MAX);
const FIRST_DOOR: usize = usize::MAX / 2;
/// A connection with so much to send is not read from.
const UNSENT_BYTES: usize = 1 << 20;
/// Most reads of one connection in a turn, so that a loud one does not silence the others.
const READS: usize = 8;
/// How often stalled and idle connections are looked for.
const SWEEP_MS: u64 = 1_000;

pub(super) struct Executor {
    index: usize,
    shared: Arc<Shared>,
    poll: Poll,
    doors: Vec<(TcpListener, Arc<Door>)>,
    connections: HashMap<ConnectionId, Connection>,
    /// Connections to look at this turn.
    touched: Vec<ConnectionId>,
    out: Outbox,
    scratch: Vec<u8>,
    next_tick_ms: u64,
    next_sweep_ms: u64,
    /// What this executor's connections hold, as last told to all.
    buffered: usize,
    /// No new connections or requests; gone at this time at the latest.
    drain_until_ms: Option<u64>,
}

impl Executor {
    pub(super) fn new(
        index: usize,
        shared: Arc<Shared>,
        poll: Poll,
        mut doors: Vec<(TcpListener, Arc<Door>)>,
    ) -> io::Result<Self> {
        for (i, (listener, _)) in doors.iter_mut().enumerate() {
            poll.registry().register(listener, Token(FIRST_DOOR + i), Interest::READABLE)?;
        }
        Ok(Self {
            index,
            shared,
            poll,
            doors,
            connections: HashMap::new(),
            touched: Vec::new(),
            out: Outbox::default(),
            scratch: Vec::new(),
            next_tick_ms: 0,
            next_sweep_ms: 0,
            buffered: 0,
            drain_until_ms: None,
        })
    }

    /// Serves until told to stop.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(1_024);
        loop {
            let now_ms = self.shared.now().monotonic_ms;
            let next = self.next_tick_ms.min(self.next_sweep_ms).min(self.drain_until_ms.unwrap_or(u64::MAX));
            let wait = if self.touched.is_empty() { next.saturating_sub(now_ms) } else { 0 };
            match self.poll.poll(&mut events, Some(Duration::from_millis(wait.min(60_000)))) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.shared.fail(format!("polling: {e}"));
                    return;
                }
            }
            for event in &events {
                match event.token() {
                    WAKE => {}
                    Token(n) if n >= FIRST_DOOR => self.accept(n - FIRST_DOOR),
                    Token(n) => {
                        let id = self.id(n);
                        if let Some(connection) = self.connections.get_mut(&id) {
                            connection.is_readable |= event.is_readable() || event.is_read_closed();
                            self.touched.push(id);
                        }
                    }
                }
            }
            if !self.take_mail() {
                return;
            }
            self.turn();
            if self.is_drained() {
                return;
            }
        }
    }

    /// Tokens count per executor, ids over all: the executor of a connection follows from its id.
    fn id(&self, token: usize) -> ConnectionId {
        (token * self.shared.mailboxes.len() + self.index) as ConnectionId
    }

    fn accept(&mut self, door: usize) {
        loop {
            match self.doors[door].0.accept() {
                Ok((socket, _)) => {
                    let open = self.shared.connections.fetch_add(1, Ordering::Relaxed);
                    if open >= self.shared.limits.connections || self.drain_until_ms.is_some() {
                        self.shared.connections.fetch_sub(1, Ordering::Relaxed);
                        continue;
                    }
                    let door = self.doors[door].1.clone();
                    let to = self.shared.next_executor.fetch_add(1, Ordering::Relaxed)
                        % self.shared.mailboxes.len();
                    if to == self.index {
                        self.adopt(socket, &door);
                    } else {
                        self.shared.send(to, Mail::Accepted(socket, door));
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                // No descriptors left, or the client is gone already: the others are served on.
                Err(_) => return,
            }
        }
    }

    fn adopt(&mut self, mut socket: TcpStream, door: &Door) {
        let token = self.shared.next_connection.fetch_add(1, Ordering::Relaxed);
        let id = self.id(token);
        let _ = socket.set_nodelay(true);
        let host = socket.peer_addr().map_or_else(|_| String::new(), |a| a.ip().to_string());
        if self
            .poll
            .registry()
            .register(&mut socket, Token(token), Interest::READABLE | Interest::WRITABLE)
            .is_err()
        {
            self.shared.connections.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let transport = match &door.tls {
            None => Transport::Plain(socket),
            Some(config) => match rustls::ServerConnection::new(config.clone()) {
                Ok(session) => Transport::tls(socket, session),
                Err(e) => return self.shared.fail(format!("a TLS session: {e}")),
            },
        };
        let peer =
            Peer { host, advertised: door.advertised.clone(), must_authenticate: door.must_authenticate };
        self.shared.broker().connect(id, peer);
        let now_ms = self.shared.now().monotonic_ms;
        self.connections.insert(id, Connection::new(transport, door.must_authenticate, now_ms));
        self.touched.push(id);
    }

    /// False: stop at once.
    fn take_mail(&mut self) -> bool {
        for mail in self.shared.take_mail(self.index) {
            match mail {
                Mail::Accepted(socket, door) => self.adopt(socket, &door),
                Mail::Reply(id, reply) => {
                    if let Some(connection) = self.connections.get_mut(&id) {
                        connection.push(reply);
                        connection.is_paused = false;
                        self.touched.push(id);
                    }
                }
                Mail::Close(id) => {
                    if let Some(connection) = self.connections.get_mut(&id) {
                        connection.is_closing = true;
                        self.touched.push(id);
                    }
                }
                Mail::Drain => {
                    self.doors.clear();
                    self.drain_until_ms = Some(self.shared.now().monotonic_ms + self.shared.drain_ms);
                }
                Mail::Stop => return false,
            }
        }
        true
    }

    fn turn(&mut self) {
        let mut requests = Vec::new();
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for id in &touched {
            self.read(*id, &mut requests);
        }
        let now = self.shared.now();
        if !requests.is_empty() || now.monotonic_ms >= self.next_tick_ms {
            let shared = self.shared.clone();
            let mut broker = shared.broker();
            for (id, request) in requests {
                broker.handle(now, id, request, &mut self.out);
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.is_paused = !broker.is_ready(id);
                    connection.is_stranger &= !broker.is_known(id);
                }
            }
            self.next_tick_ms = broker.tick(now, &mut self.out);
        }
        self.distribute();
        // Those that a socket has touched, and those that have got a reply.
        let answered = std::mem::take(&mut self.touched);
        for id in touched.into_iter().chain(answered) {
            self.write(id);
            // The poll tells only changes: what was readable before and could not be read is not told again.
            if self.connections.get(&id).is_some_and(|c| self.may_read(c) && (c.is_readable || c.has_frame()))
            {
                self.touched.push(id);
            }
        }
        self.account();
        if now.monotonic_ms >= self.next_sweep_ms {
            self.sweep(now.monotonic_ms);
        }
    }

    fn may_read(&self, c: &Connection) -> bool {
        !c.is_closing && !c.is_paused && c.unsent < UNSENT_BYTES && self.drain_until_ms.is_none()
    }

    /// Reads a connection and collects its whole frames, checked.
    fn read(&mut self, id: ConnectionId, requests: &mut Vec<(ConnectionId, Prepared)>) {
        let limits = &self.shared.limits;
        let mut problem = None;
        let is_readable = self.connections.get(&id).is_some_and(|c| self.may_read(c));
        let Some(connection) = self.connections.get_mut(&id).filter(|_| is_readable) else { return };
        let limit = if connection.is_stranger { limits.stranger_frame_bytes } else { limits.frame_bytes };
        let (mut reads, mut taken, mut may_go_on) = (0, 0, true);
        loop {
            match connection.next_frame(limit) {
                Ok(Some(frame)) => {
                    match prepare(frame, &mut self.scratch) {
                        Ok(request) => {
                            may_go_on = request.is_produce();
                            requests.push((id, request));
                        }
                        Err(e) => problem = Some(e.to_string()),
                    }
                    taken += 1;
                    // Produce requests in a row; others one by one, because an answer may be large, and so that a client
                    // which takes none is not answered more than once.
                    if problem.is_some() || taken >= 32 || !may_go_on {
                        break;
                    }
                    continue;
                }
                Ok(None) => {}
                Err(e) => {
                    problem = Some(e);
                    break;
                }
            }
            if !connection.is_readable || reads >= READS {
                break;
            }
            reads += 1;
            match connection.fill() {
                Ok(Flow::More) => connection.moved_ms = self.shared.now().monotonic_ms,
                Ok(Flow::Blocked) => {
                    connection.is_readable = false;
                    connection.moved_ms = self.shared.now().monotonic_ms;
                }
                Ok(Flow::Ended) => {
                    problem = Some(String::new());
                    break;
                }
                Err(e) => {
                    problem = Some(e.to_string());
                    break;
                }
            }
        }
        let is_left = connection.is_readable || taken >= 32 || !may_go_on;
        match problem {
            // What was asked before is still answered, as far as the client takes it.
            Some(reason) => {
                connection.is_closing = true;
                self.touched.push(id);
                if !reason.is_empty() {
                    self.shared.refused.fetch_add(1, Ordering::Relaxed);
                }
            }
            None if is_left => self.touched.push(id),
            None => {}
        }
    }

    /// Hands replies and closings to the connections' executors.
    fn distribute(&mut self) {
        let executors = self.shared.mailboxes.len();
        let mut out = std::mem::take(&mut self.out);
        for (id, reply) in out.replies.drain(..) {
            let to = id as usize % executors;
            if to != self.index {
                self.shared.send(to, Mail::Reply(id, reply));
            } else if let Some(connection) = self.connections.get_mut(&id) {
                connection.push(reply);
                connection.is_paused = false;
                self.touched.push(id);
            }
        }
        for (id, _) in out.closed.drain(..) {
            let to = id as usize % executors;
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
            if to != self.index {
                self.shared.send(to, Mail::Close(id));
            } else if let Some(connection) = self.connections.get_mut(&id) {
                connection.is_closing = true;
                self.touched.push(id);
            }
        }
        self.out = out;
    }

    fn write(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let before = connection.unsent;
        let is_over = match connection.flush() {
            Ok(_) => connection.is_closing && connection.is_flushed(),
            Err(_) => true,
        };
        if connection.unsent != before {
            connection.moved_ms = self.shared.now().monotonic_ms;
        }
        if is_over {
            self.close(id);
        }
    }

    fn close(&mut self, id: ConnectionId) {
        if let Some(mut connection) = self.connections.remove(&id) {
            let _ = self.poll.registry().deregister(connection.transport.socket());
            self.shared.connections.fetch_sub(1, Ordering::Relaxed);
            self.shared.broker().disconnect(id);
        }
    }

    /// Tells all what this executor's connections hold, and closes the largest when that is too much.
    fn account(&mut self) {
        let held: usize = self.connections.values().map(Connection::held).sum();
        if held > self.buffered {
            self.shared.buffered.fetch_add(held - self.buffered, Ordering::Relaxed);
        } else {
            self.shared.buffered.fetch_sub(self.buffered - held, Ordering::Relaxed);
        }
        self.buffered = held;
        if self.shared.buffered.load(Ordering::Relaxed) > self.shared.limits.buffered_bytes {
            let largest = self.connections.iter().max_by_key(|(_, c)| c.held()).map(|(id, _)| *id);
            if let Some(id) = largest {
                self.close(id);
            }
        }
    }

    /// Closes what stands still.
    fn sweep(&mut self, now_ms: u64) {
        self.next_sweep_ms = now_ms + SWEEP_MS;
        let limits = &self.shared.limits;
        let is_stuck = |c: &Connection| {
            let still = now_ms.saturating_sub(c.moved_ms);
            let is_half = c.unread() > 0 && !c.is_paused || c.unsent > 0 || c.is_stranger || c.is_closing;
            still > limits.idle_ms || is_half && still > limits.stall_ms
        };
        let stuck: Vec<ConnectionId> =
            self.connections.iter().filter(|(_, c)| is_stuck(c)).map(|(id, _)| *id).collect();
        for id in stuck {
            self.close(id);
        }
        if self.index == 0 {
            self.shared.idle();
        }
    }

    /// A stop has been asked for, and everything is sent or the time is over.
    fn is_drained(&self) -> bool {
        self.drain_until_ms.is_some_and(|until| {
            self.shared.now().monotonic_ms >= until || self.connections.values().all(Connection::is_flushed)
        })
    }
}

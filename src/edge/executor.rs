//! One executor: the connections of a thread, without the thread's way of waiting (a [`Poller`]).
//!
//! A pass: mail → read and frame what is ready → check batches → the broker, under its lock, with all requests of the
//! pass → send. A connection that may have more than a pass takes is remembered, and asked in the next one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::connection::{Connection, Flow};
use super::poller::{Next, Poller};
use super::server::{Door, Mail, Shared};
use super::transport::Transport;
use crate::wire::broker::{ConnectionId, Outbox, Peer, Prepared, prepare};

/// A connection with so much to send is not read from.
const UNSENT_BYTES: usize = 1 << 20;
/// Most reads of one connection in a turn, so that a loud one does not silence the others.
const READS: usize = 8;
/// How often stalled and idle connections are looked for.
const SWEEP_MS: u64 = 1_000;

pub(super) struct Executor<P: Poller> {
    index: usize,
    shared: Arc<Shared>,
    poller: P,
    connections: HashMap<ConnectionId, Connection<P::Socket>>,
    /// Connections to look at this pass.
    touched: Vec<ConnectionId>,
    out: Outbox,
    scratch: Vec<u8>,
    next_tick_ms: u64,
    next_sweep_ms: u64,
    /// The store has called.
    has_moved: bool,
    /// What this executor's connections hold, as last told to all.
    buffered: usize,
    /// No new connections or requests; gone at this time at the latest.
    drain_until_ms: Option<u64>,
}

impl<P: Poller> Executor<P> {
    pub(super) fn new(index: usize, shared: Arc<Shared>, poller: P) -> Self {
        Self {
            index,
            shared,
            poller,
            connections: HashMap::new(),
            touched: Vec::new(),
            out: Outbox::default(),
            scratch: Vec::new(),
            next_tick_ms: 0,
            next_sweep_ms: 0,
            has_moved: false,
            buffered: 0,
            drain_until_ms: None,
        }
    }

    /// The socket of `token` may be read or written again.
    pub(super) fn is_ready(&mut self, token: usize) {
        let id = self.id(token);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.is_readable = true;
            self.touched.push(id);
        }
    }

    /// Does everything that can be done now.
    pub(super) fn pass(&mut self) -> Next {
        if !self.take_mail() {
            return Next::End;
        }
        self.turn();
        if self.is_drained() {
            return Next::End;
        }
        if !self.touched.is_empty() {
            return Next::Go;
        }
        let next = self.next_tick_ms.min(self.next_sweep_ms).min(self.drain_until_ms.unwrap_or(u64::MAX));
        let wait_ms = next.saturating_sub(self.shared.now().monotonic_ms);
        if wait_ms == 0 { Next::Go } else { Next::Wait(Duration::from_millis(wait_ms.min(60_000))) }
    }

    /// Tokens count per executor, ids over all: the executor of a connection follows from its id.
    fn id(&self, token: usize) -> ConnectionId {
        (token * self.shared.mailboxes.len() + self.index) as ConnectionId
    }

    fn adopt(&mut self, socket: std::net::TcpStream, door: &Door) {
        let token = self.shared.next_connection.fetch_add(1, Ordering::Relaxed);
        let id = self.id(token);
        let _ = socket.set_nodelay(true);
        let host = socket.peer_addr().map_or_else(|_| String::new(), |a| a.ip().to_string());
        let watched =
            if self.drain_until_ms.is_some() { None } else { self.poller.watch(socket, token).ok() };
        let Some(socket) = watched else {
            self.shared.connections.fetch_sub(1, Ordering::Relaxed);
            return;
        };
        let transport = match &door.tls {
            None => Transport::Plain(socket),
            Some(config) => match rustls::ServerConnection::new(config.clone()) {
                Ok(session) => Transport::tls(socket, session),
                Err(e) => {
                    self.shared.connections.fetch_sub(1, Ordering::Relaxed);
                    return self.shared.fail(format!("a TLS session: {e}"));
                }
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
                Mail::Moved => self.has_moved = true,
                Mail::Drain => {
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
        let has_moved = std::mem::take(&mut self.has_moved);
        if !requests.is_empty() || has_moved || now.monotonic_ms >= self.next_tick_ms {
            let shared = self.shared.clone();
            let mut broker = shared.broker();
            if has_moved {
                broker.moved();
            }
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

    fn may_read(&self, c: &Connection<P::Socket>) -> bool {
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
            self.poller.unwatch(connection.transport.socket());
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
        let is_stuck = |c: &Connection<P::Socket>| {
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

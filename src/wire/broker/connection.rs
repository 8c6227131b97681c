//! What the broker knows of a connection, and the order of its replies.

use std::collections::VecDeque;

use bytes::Bytes;

use super::fetch::Session;
use super::sasl::Exchange;
use crate::wire::api::{Api, ApiKey};
use crate::wire::codec::Writer;

/// Names a connection for as long as the broker lives.
pub type ConnectionId = u64;

/// Who is at the other end, and through which door it came.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// The client's address, for people.
    pub host: String,
    /// Where clients that came through this listener are told to find the broker.
    pub advertised: (String, u16),
    /// Nothing is served before SASL has succeeded.
    pub must_authenticate: bool,
}

/// One reply, with the length of its frame in front.
#[derive(Debug, Default)]
pub struct Reply {
    /// To be sent one after another.
    pub parts: Vec<Bytes>,
    /// Bytes of them that are views of the store, which cost nothing to keep.
    pub viewed: usize,
}

/// Frames to send and connections to close, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    /// In the order in which they leave.
    pub replies: Vec<(ConnectionId, Reply)>,
    /// Connections to close once their replies are sent, with the reason.
    pub closed: Vec<(ConnectionId, String)>,
}

impl Outbox {
    pub(super) fn close(&mut self, id: ConnectionId, reason: String) {
        self.closed.push((id, reason));
    }

    pub(super) fn take_from(&mut self, other: &mut Self) {
        std::mem::swap(self, other);
    }

    pub(super) fn give_to(&mut self, other: &mut Self) {
        std::mem::swap(self, other);
    }
}

/// One request that is to be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) connection: ConnectionId,
    pub(super) sequence: u64,
    pub(super) api: &'static Api,
    pub(super) version: i16,
    pub(super) correlation: i32,
}

impl Ticket {
    /// A writer that holds length (to be filled in) and header of the reply.
    pub(super) fn writer(&self) -> Writer {
        let is_flexible = self.api.is_flexible(self.version);
        let mut w = Writer::new(self.version, is_flexible);
        w.out.extend_from_slice(&[0; 4]);
        w.out.extend_from_slice(&self.correlation.to_be_bytes());
        // ApiVersions replies always have the first header, because the client cannot know better yet (KIP-511).
        if self.api.key != ApiKey::ApiVersions {
            w.tags();
        }
        w
    }
}

enum Slot {
    Open,
    Done(Option<Reply>),
}

pub(super) struct Connection {
    pub(super) peer: Peer,
    pub(super) client_id: String,
    pub(super) session: Option<Session>,
    pub(super) sasl: Exchange,
    slots: VecDeque<Slot>,
    first: u64,
}

impl Connection {
    pub(super) fn new(peer: Peer) -> Self {
        Self {
            peer,
            client_id: String::new(),
            session: None,
            sasl: Exchange::default(),
            slots: VecDeque::new(),
            first: 0,
        }
    }

    pub(super) fn is_authenticated(&self) -> bool {
        !self.peer.must_authenticate || self.sasl.is_done
    }

    pub(super) fn in_flight(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn open_ticket(
        &mut self,
        connection: ConnectionId,
        api: &'static Api,
        version: i16,
        correlation: i32,
    ) -> Ticket {
        let sequence = self.first + self.slots.len() as u64;
        self.slots.push_back(Slot::Open);
        Ticket { connection, sequence, api, version, correlation }
    }

    /// Puts a reply in its place and sends what is complete up to the first that is not.
    pub(super) fn finish(&mut self, t: Ticket, reply: Option<Reply>, out: &mut Outbox) {
        let Some(slot) = t.sequence.checked_sub(self.first).and_then(|i| self.slots.get_mut(i as usize))
        else {
            return;
        };
        *slot = Slot::Done(reply.map(with_length));
        while let Some(Slot::Done(_)) = self.slots.front() {
            self.first += 1;
            if let Some(Slot::Done(Some(reply))) = self.slots.pop_front() {
                out.replies.push((t.connection, reply));
            }
        }
    }
}

/// Fills in the length of the frame.
fn with_length(mut reply: Reply) -> Reply {
    let total: usize = reply.parts.iter().map(Bytes::len).sum();
    if let Some(head) = reply.parts.first_mut() {
        let mut bytes = Vec::from(std::mem::take(head));
        bytes[..4].copy_from_slice(&(total as i32 - 4).to_be_bytes());
        *head = bytes.into();
    }
    reply
}

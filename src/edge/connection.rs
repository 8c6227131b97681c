//! One connection of an executor: bytes in until a frame is whole, parts out until they are sent.
//!
//! No memory is reserved from a length that a client states: the buffer grows with the bytes that arrive. The limit of
//! a frame follows from its API, whose number stands in its first two bytes.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes, BytesMut};

use super::poller::Socket;
use super::transport::Transport;
use crate::wire::api::frame_limit;
use crate::wire::broker::Reply;

/// Bytes asked for at a time; more once a frame is known to be larger.
const READ_BYTES: usize = 32 << 10;
const LARGE_READ_BYTES: usize = 256 << 10;
/// Parts sent at a time (IOV_MAX is 1,024).
const PARTS: usize = 64;

/// How reading ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// More may be there.
    More,
    /// Nothing now.
    Blocked,
    /// The client has closed its end.
    Ended,
}

pub(super) struct Connection<S> {
    pub(super) transport: Transport<S>,
    input: BytesMut,
    output: VecDeque<Bytes>,
    /// Bytes in `output`.
    pub(super) unsent: usize,
    /// Bytes of the replies in `output` that are views of the log.
    viewed: usize,
    /// The socket may have bytes.
    pub(super) is_readable: bool,
    /// Requests of it wait in the broker, as many as may.
    pub(super) is_paused: bool,
    /// Close when everything is sent.
    pub(super) is_closing: bool,
    /// Not authenticated yet.
    pub(super) is_stranger: bool,
    /// When bytes last moved (monotonic ms).
    pub(super) moved_ms: u64,
}

impl<S: Socket> Connection<S> {
    pub(super) fn new(transport: Transport<S>, is_stranger: bool, now_ms: u64) -> Self {
        Self {
            transport,
            input: BytesMut::new(),
            output: VecDeque::new(),
            unsent: 0,
            viewed: 0,
            is_readable: true,
            is_paused: false,
            is_closing: false,
            is_stranger,
            moved_ms: now_ms,
        }
    }

    /// Bytes of an incomplete frame.
    pub(super) fn unread(&self) -> usize {
        self.input.len()
    }

    /// Bytes of memory that it holds.
    pub(super) fn held(&self) -> usize {
        self.unread() + self.unsent.saturating_sub(self.viewed)
    }

    /// Reads once.
    pub(super) fn fill(&mut self) -> io::Result<Flow> {
        let held = self.input.len();
        let missing = match self.stated_length() {
            Some(length) => (length + 4).saturating_sub(held),
            None => 0,
        };
        let want = missing.clamp(READ_BYTES, LARGE_READ_BYTES);
        self.input.resize(held + want, 0);
        let result = self.transport.read(&mut self.input[held..]);
        self.input.truncate(held + *result.as_ref().unwrap_or(&0));
        match result {
            Ok(0) => Ok(Flow::Ended),
            Ok(n) if n < want && self.transport.is_over_after_short_read() => Ok(Flow::Blocked),
            Ok(_) => Ok(Flow::More),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Flow::Blocked),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(Flow::More),
            Err(e) => Err(e),
        }
    }

    /// The length of the frame that begins the buffer, when it is there and not negative.
    fn stated_length(&self) -> Option<usize> {
        let head = self.input.get(..4)?;
        usize::try_from(i32::from_be_bytes(head.try_into().ok()?)).ok()
    }

    /// A whole frame (or one that can never become whole) lies in the buffer.
    pub(super) fn has_frame(&self) -> bool {
        self.input.len() >= 4 && self.stated_length().is_none_or(|length| self.input.len() >= length + 4)
    }

    /// The next whole frame, without its length.
    ///
    /// # Errors
    /// The frame can never become whole: the reason, for people.
    pub(super) fn next_frame(&mut self, limit: usize) -> Result<Option<Bytes>, String> {
        if self.input.len() < 4 {
            return Ok(None);
        }
        let Some(length) = self.stated_length() else { return Err("a frame of negative length".into()) };
        if let Some(key) = self.input.get(4..6) {
            let key = i16::from_be_bytes([key[0], key[1]]);
            let limit = frame_limit(key, limit).min(limit);
            if length > limit {
                return Err(format!("a frame of {length} bytes, API {key} may have {limit}"));
            }
        } else if length > limit {
            return Err(format!("a frame of {length} bytes, {limit} are allowed"));
        }
        if length < 8 {
            return Err(format!("a frame of {length} bytes is shorter than a header"));
        }
        if self.input.len() < length + 4 {
            return Ok(None);
        }
        self.input.advance(4);
        let frame = self.input.split_to(length).freeze();
        if self.input.is_empty() {
            // The frame keeps the memory for as long as it is needed; an idle connection keeps none.
            self.input = BytesMut::new();
        }
        Ok(Some(frame))
    }

    /// Adds a reply.
    pub(super) fn push(&mut self, reply: Reply) {
        self.unsent += reply.parts.iter().map(Bytes::len).sum::<usize>();
        self.viewed += reply.viewed;
        self.output.extend(reply.parts);
    }

    /// Sends what the socket takes. True when something is left.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        while !self.output.is_empty() {
            let slices: Vec<IoSlice<'_>> =
                self.output.iter().take(PARTS).map(|part| IoSlice::new(part)).collect();
            match self.transport.write(&slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.sent(n),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.transport.settle()
    }

    fn sent(&mut self, mut n: usize) {
        self.unsent -= n;
        while n > 0
            && let Some(front) = self.output.front_mut()
        {
            let taken = n.min(front.len());
            front.advance(taken);
            n -= taken;
            if front.is_empty() {
                self.output.pop_front();
            }
        }
        if self.unsent == 0 {
            self.viewed = 0;
        }
        while self.output.front().is_some_and(Bytes::is_empty) {
            self.output.pop_front();
        }
    }

    /// Everything has been sent.
    pub(super) fn is_flushed(&self) -> bool {
        self.output.is_empty()
    }
}

//! Rings between shards: what one shard sends to another for one exchange, and the emptied buffers that come back.
//!
//! ```text
//!   Sender ──── messages: items, then End or Failed ───→ Receiver
//!          ←─── emptied items, to be filled again ───────
//! ```
//!
//! Each direction is a bounded queue with one writer and one reader (`rtrb`); every (exchange, from, to) has a link of its own, because
//! a link that several exchanges share can deadlock: the message at its head may wait for room that only the one behind it would
//! make. Nothing here blocks. A full ring gives the message back, which is all there is to backpressure.
//!
//! **Who sleeps is woken**: both ends hold the other's [`Bell`]. A sender rings after it has sent, a receiver when it takes from a full
//! ring, and either when it goes. While nobody sleeps that is a fence and a load. An end that is dropped without `End` (a panic) is noticed by
//! the other.

use crate::error::Error;
use crate::host::sync::{Bell, LastRing};
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use std::sync::Arc;

/// What goes through a link.
#[derive(Debug)]
pub enum Message<T> {
    /// Goods.
    Item(T),
    /// What the sender sent before belongs to a snapshot of the job, what it sends from now on does not.
    Barrier,
    /// Nothing more comes.
    End,
    /// The sender's shard has failed; what it sent before is whole.
    Failed(Error),
}

/// A message in lines of memory of its own: what is being written there is not in the way of what is being read.
#[derive(Debug)]
#[repr(align(64))]
struct Slot<T>(Message<T>);

/// The sending end of a link.
#[derive(Debug)]
pub struct Sender<T> {
    ring: Producer<Slot<T>>,
    back: Consumer<T>,
    peer: LastRing,
}

/// The receiving end of a link.
#[derive(Debug)]
pub struct Receiver<T> {
    ring: Consumer<Slot<T>>,
    back: Producer<T>,
    peer: LastRing,
}

/// A link with room for `capacity` messages. Each end gets the bell of the other's shard.
pub fn link<T>(capacity: usize, from: &Arc<Bell>, to: &Arc<Bell>) -> (Sender<T>, Receiver<T>) {
    let (messages, taken) = RingBuffer::new(capacity);
    let (emptied, back) = RingBuffer::new(capacity);
    let sender = Sender { ring: messages, back, peer: LastRing::of(to) };
    (sender, Receiver { ring: taken, back: emptied, peer: LastRing::of(from) })
}

impl<T> Sender<T> {
    /// Sends a message, or gives it back when the ring is full.
    ///
    /// # Errors
    /// The ring is full.
    #[inline]
    pub fn send(&mut self, message: Message<T>) -> Result<(), Message<T>> {
        match self.ring.push(Slot(message)) {
            Ok(()) => {
                self.peer.ring();
                Ok(())
            }
            Err(PushError::Full(Slot(message))) => Err(message),
        }
    }

    /// An emptied item, to be filled again.
    #[inline]
    pub fn spare(&mut self) -> Option<T> {
        self.back.pop().ok()
    }

    /// Nobody will receive.
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }
}

impl<T> Receiver<T> {
    /// The next message, if one has come.
    #[inline]
    pub fn receive(&mut self) -> Option<Message<T>> {
        let waiting = self.ring.slots();
        if waiting == 0 {
            return None;
        }
        let message = self.ring.pop().ok().map(|Slot(message)| message);
        if waiting == self.ring.buffer().capacity() {
            // The sender may sleep until there is room.
            self.peer.ring();
        }
        message
    }

    /// There is room for an emptied item.
    #[inline]
    pub fn wants_back(&self) -> bool {
        !self.back.is_full()
    }

    /// Gives an emptied item back. Where there is no room it is dropped.
    #[inline]
    pub fn give_back(&mut self, item: T) {
        drop(self.back.push(item));
    }

    /// Something has come.
    #[inline]
    pub fn is_ready(&self) -> bool {
        !self.ring.is_empty()
    }

    /// How many messages wait.
    pub fn depth(&self) -> usize {
        self.ring.slots()
    }

    /// The sender is gone. What it sent before is still there.
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn bells() -> (Arc<Bell>, Arc<Bell>) {
        (Arc::default(), Arc::default())
    }

    #[test]
    fn messages_come_in_order_and_a_full_ring_gives_them_back() {
        let (a, b) = bells();
        let (mut to, mut from) = link::<u32>(2, &a, &b);
        assert!(to.send(Message::Item(1)).is_ok() && to.send(Message::Item(2)).is_ok());
        assert!(matches!(to.send(Message::End), Err(Message::End)));
        assert!(matches!(from.receive(), Some(Message::Item(1))));
        assert!(to.send(Message::End).is_ok());
        assert!(matches!(from.receive(), Some(Message::Item(2))));
        assert!(matches!(from.receive(), Some(Message::End)));
        assert!(from.receive().is_none() && !from.is_ready());
    }

    #[test]
    fn emptied_items_return_and_both_ends_see_the_other_go() {
        let (a, b) = bells();
        let (mut to, mut from) = link::<u32>(1, &a, &b);
        assert!(from.wants_back());
        from.give_back(7);
        assert!(!from.wants_back());
        assert_eq!((to.spare(), to.spare()), (Some(7), None));
        assert!(to.send(Message::Item(1)).is_ok());
        drop(to);
        assert!(from.is_abandoned() && matches!(from.receive(), Some(Message::Item(1))));
        let (to, from) = link::<u32>(1, &a, &b);
        drop(from);
        assert!(to.is_abandoned());
    }
}

//! When keyed state is forgotten: `table.exec.state.ttl` by the driver's clock, counted from the last row of a key, as in Flink.
//!
//! Slots stand in the order of their last row, so that what has lived out its time is found without a look at the rest. A touch costs a
//! search; one of several in the same millisecond costs nothing.

use crate::batch::{Decoder, Encoder};
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// See the module's text. Times in ms.
pub(super) struct Expiry {
    ttl: i64,
    /// By slot; [`NEVER`]: it is not in the order.
    written: Vec<i64>,
    order: BTreeSet<(i64, u32)>,
}

const NEVER: i64 = i64::MIN;

impl Expiry {
    pub(super) fn new(ttl: i64) -> Self {
        Self { ttl, written: Vec::new(), order: BTreeSet::new() }
    }

    /// A row of the slot's key has come.
    pub(super) fn touch(&mut self, slot: u32, now: i64) {
        let at = slot as usize;
        if at >= self.written.len() {
            self.written.resize(at + 1, NEVER);
        }
        if self.written[at] != now {
            self.forget(slot);
            self.written[at] = now;
            self.order.insert((now, slot));
        }
    }

    /// The slot has no key any more.
    pub(super) fn forget(&mut self, slot: u32) {
        if let Some(written) = self.written.get_mut(slot as usize)
            && *written != NEVER
        {
            self.order.remove(&(*written, slot));
            *written = NEVER;
        }
    }

    /// The next slot whose time is over, which is forgotten.
    pub(super) fn next(&mut self, now: i64) -> Option<u32> {
        let &(written, slot) = self.order.first()?;
        if written.saturating_add(self.ttl) > now {
            return None;
        }
        self.forget(slot);
        Some(slot)
    }

    /// Writes the times of these slots.
    pub(super) fn encode(&self, slots: &[u32], to: &mut Encoder) {
        let time = |&s: &u32| self.written.get(s as usize).copied().unwrap_or(NEVER);
        to.slice(&slots.iter().map(time).collect::<Vec<i64>>());
    }

    /// Reads them, for slots from 0 on.
    pub(super) fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        let times: Vec<i64> = from.slice()?;
        if times.len() != slots {
            return Err(Error::corrupt("the times of keys do not fit their number"));
        }
        *self = Self::new(self.ttl);
        for (slot, &time) in times.iter().enumerate().filter(|t| *t.1 != NEVER) {
            self.touch(slot as u32, time);
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        self.written.capacity() * size_of::<i64>() + self.order.len() * 24
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_end_in_the_order_of_their_last_touch() {
        let mut e = Expiry::new(10);
        for (slot, now) in [(0, 1), (1, 2), (2, 3), (0, 4), (1, 2)] {
            e.touch(slot, now);
        }
        e.forget(2);
        assert_eq!((e.next(11), e.next(12), e.next(12)), (None, Some(1), None));
        let mut to = Encoder::default();
        e.encode(&[0, 1], &mut to);
        let bytes = to.finish();
        let mut back = Expiry::new(10);
        back.decode(2, &mut Decoder::new(&bytes)).expect("its own bytes");
        assert_eq!((back.next(13), back.next(14), back.next(99)), (None, Some(0), None));
    }
}

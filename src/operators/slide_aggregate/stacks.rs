//! What the keys of windows that overlap keep: their slices, in two stacks, and the groups that these and their folds are.

use crate::batch::{Decoder, Encoder, MAX_ROWS};
use crate::error::{Error, Result};
use crate::operators::aggregates::Aggregates;
use std::collections::VecDeque;

/// Not a slot.
pub(super) const NONE: u32 = u32::MAX;
/// Groups `0..MAX_ROWS`.
const NUMBERS: [u32; MAX_ROWS] = {
    let mut numbers = [0; MAX_ROWS];
    let mut n = 0;
    while n < MAX_ROWS {
        numbers[n] = n as u32;
        n += 1;
    }
    numbers
};

/// The slices of a key.
#[derive(Default)]
pub(super) struct Key {
    /// The slice of the last row. It is there as long as its windows are not given.
    pub(super) last: Slice,
    /// By time. The first `inside` are in the window at hand.
    pub(super) slices: VecDeque<Slice>,
    pub(super) inside: usize,
    /// So many of them have a fold up to the border.
    pub(super) front: usize,
    /// The fold of the others inside.
    pub(super) back: Option<u32>,
    /// The folds, if there are any, are not those of the slices.
    pub(super) dirty: bool,
    pub(super) live: bool,
}

impl Key {
    /// Gives the folds back.
    pub(super) fn unfold(&mut self, sums: &mut Pot) {
        self.back.take().into_iter().for_each(|b| sums.give(b));
        let folded = self.slices.iter_mut().take(std::mem::take(&mut self.front));
        folded.for_each(|s| sums.give(std::mem::replace(&mut s.fold, NONE)));
    }
}

#[derive(Clone, Copy)]
pub(super) struct Slice {
    pub(super) end: i64,
    /// Its rows.
    pub(super) raw: u32,
    /// Fold from here to the border.
    pub(super) fold: u32,
}

impl Default for Slice {
    /// None.
    fn default() -> Self {
        Self { end: i64::MIN, raw: NONE, fold: NONE }
    }
}

/// Aggregates with slots to take and give back.
pub(super) struct Pot {
    pub(super) aggregates: Aggregates,
    pub(super) counts: Vec<i64>,
    pub(super) free: Vec<u32>,
}

impl Pot {
    pub(super) fn new(aggregates: Aggregates) -> Self {
        Self { aggregates, counts: Vec::new(), free: Vec::new() }
    }

    pub(super) fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.counts.push(0);
            self.aggregates.grow(self.counts.len());
            self.counts.len() as u32 - 1
        })
    }

    pub(super) fn give(&mut self, slot: u32) {
        self.aggregates.reset(slot);
        self.counts[slot as usize] = 0;
        self.free.push(slot);
    }

    pub(super) fn merge(&mut self, merges: &Merges, from: &Pot) {
        if merges.into.is_empty() {
            return;
        }
        self.aggregates.merge(&merges.into, &from.aggregates, &merges.from);
        for (&into, &slot) in merges.into.iter().zip(&merges.from) {
            self.counts[into as usize] += from.counts[slot as usize];
        }
    }

    /// As [`Pot::merge`], of groups of this pot; none of them is both merged and merged into.
    pub(super) fn merge_within(&mut self, merges: &Merges, between: &mut Aggregates) {
        between.grow(MAX_ROWS);
        let parts = merges.into.chunks(MAX_ROWS).zip(merges.from.chunks(MAX_ROWS));
        for (into, from) in parts {
            let own = &NUMBERS[..into.len()];
            between.merge(own, &self.aggregates, from);
            self.aggregates.merge(into, between, own);
            own.iter().for_each(|&s| between.reset(s));
            for (&into, &from) in into.iter().zip(from) {
                self.counts[into as usize] += self.counts[from as usize];
            }
        }
    }

    pub(super) fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.slice(&slots.iter().map(|&s| self.counts[s as usize]).collect::<Vec<_>>());
        self.aggregates.encode(slots, self.counts.len(), to);
    }

    pub(super) fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        self.counts = from.slice()?;
        if self.counts.len() != slots {
            return Err(Error::corrupt("the slices of a window aggregation are damaged"));
        }
        self.aggregates.decode(slots, from)
    }

    pub(super) fn bytes(&self) -> usize {
        self.aggregates.bytes() + self.counts.capacity() * 8 + self.free.capacity() * 4
    }
}

/// What goes into what: as many at a time as may be, since to merge costs a call for each aggregate.
#[derive(Default)]
pub(super) struct Merges {
    pub(super) into: Vec<u32>,
    pub(super) from: Vec<u32>,
}

impl Merges {
    pub(super) fn push(&mut self, into: u32, from: u32) {
        self.into.push(into);
        self.from.push(from);
    }

    pub(super) fn clear(&mut self) {
        self.into.clear();
        self.from.clear();
    }
}

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

/// The slices of a key, by time. Mostly there is one, or a row is of the newest: that one stands here, the others behind a pointer.
#[derive(Default)]
pub(super) struct Key {
    /// [`Slice::default`]: there are none.
    pub(super) newest: Slice,
    older: VecDeque<Slice>,
    /// The first so many are in the window at hand.
    pub(super) inside: u32,
    /// So many of them have a fold up to the border.
    pub(super) front: u32,
    /// The fold of the others inside.
    pub(super) back: Option<u32>,
    /// The folds, if there are any, are not those of the slices.
    pub(super) dirty: bool,
    pub(super) live: bool,
}

impl Key {
    pub(super) fn len(&self) -> usize {
        self.older.len() + usize::from(!self.is_empty())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.newest.raw == NONE
    }

    /// The slices, by time.
    pub(super) fn slices(&self) -> impl DoubleEndedIterator<Item = &Slice> {
        self.older.iter().chain((!self.is_empty()).then_some(&self.newest))
    }

    pub(super) fn slices_mut(&mut self) -> impl Iterator<Item = &mut Slice> {
        let newest = (self.newest.raw != NONE).then_some(&mut self.newest);
        self.older.iter_mut().chain(newest)
    }

    /// Slice `at`, which is there.
    pub(super) fn slice(&self, at: usize) -> Slice {
        self.older.get(at).copied().unwrap_or(self.newest)
    }

    /// How many slices end at that time or before.
    pub(super) fn until(&self, end: i64) -> usize {
        match self.newest.end <= end {
            true => self.len(),
            false => self.older.iter().rposition(|s| s.end <= end).map_or(0, |at| at + 1),
        }
    }

    /// Makes a slice the one with that number.
    pub(super) fn insert(&mut self, at: usize, slice: Slice) {
        if at < self.len() {
            return self.older.insert(at, slice);
        }
        let newest = std::mem::replace(&mut self.newest, slice);
        if newest.raw != NONE {
            self.older.push_back(newest);
        }
    }

    /// Takes the oldest slice out.
    pub(super) fn pop(&mut self) -> Option<Slice> {
        let newest = || (self.newest.raw != NONE).then(|| std::mem::take(&mut self.newest));
        self.older.pop_front().or_else(newest)
    }

    /// Gives the folds back.
    pub(super) fn unfold(&mut self, sums: &mut Pot) {
        self.back.take().into_iter().for_each(|b| sums.give(b));
        let front = std::mem::take(&mut self.front) as usize;
        let folded = self.slices_mut().take(front);
        folded.for_each(|s| sums.give(std::mem::replace(&mut s.fold, NONE)));
    }

    /// Without slices: as if it had never had any. The list of slices is for the next key of the slot.
    pub(super) fn forget(&mut self) {
        debug_assert!(self.back.is_none() && self.front == 0, "without slices there is nothing to fold");
        *self = Key { older: std::mem::take(&mut self.older), ..Key::default() };
    }

    /// Bytes reserved besides its own.
    pub(super) fn bytes(&self) -> usize {
        self.older.capacity() * size_of::<Slice>()
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
    free: Vec<u32>,
    /// So many of them are empty groups; those behind them are to be.
    empty: usize,
}

impl Pot {
    pub(super) fn new(aggregates: Aggregates) -> Self {
        Self { aggregates, counts: Vec::new(), free: Vec::new(), empty: 0 }
    }

    /// A slot, which is an empty group.
    pub(super) fn take(&mut self) -> u32 {
        self.clear();
        if let Some(slot) = self.free.pop() {
            self.empty -= 1;
            return slot;
        }
        self.counts.push(0);
        self.aggregates.grow(self.counts.len());
        self.counts.len() as u32 - 1
    }

    pub(super) fn give(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// Makes empty groups of the slots that were given back: all at once, since that costs a call for each aggregate.
    pub(super) fn clear(&mut self) {
        let given = &self.free[self.empty..];
        if given.is_empty() {
            return;
        }
        self.aggregates.reset_all(given);
        given.iter().for_each(|&s| self.counts[s as usize] = 0);
        self.empty = self.free.len();
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
            between.reset_first(own.len());
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

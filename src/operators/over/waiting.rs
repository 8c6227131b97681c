//! Rows that wait for the watermark, and the timers that wake their keys.
//!
//! Rows stand in columns in order of arrival; those of one key and time are a chain through them. Rows that went leave a gap, and the columns
//! are written anew when the gaps outgrow the rows. Timers fire by time, then in the order in which they were set; one that finds no
//! rows only tells its key the time.

use crate::batch::{Batch, Column, DataType, Decoder, Encoder};
use crate::error::{Error, Result};
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Gaps that are always borne.
const SMALL: usize = 4096;
/// The end of a chain.
const NONE: u32 = u32::MAX;

/// See the module's text.
pub(super) struct Waiting {
    types: Vec<DataType>,
    columns: Vec<Column>,
    /// The next row of the same key and time.
    next: Vec<u32>,
    /// The first and last row of a key (its slot) at a time.
    chains: HashMap<(u32, i64), (u32, u32)>,
    timers: BinaryHeap<Reverse<(i64, u64, u32)>>,
    set: u64,
    rows: usize,
}

impl Waiting {
    pub(super) fn new(types: Vec<DataType>) -> Self {
        Self {
            columns: types.iter().map(Column::new).collect(),
            types,
            next: vec![],
            chains: HashMap::new(),
            timers: BinaryHeap::new(),
            set: 0,
            rows: 0,
        }
    }

    /// The rows, and gaps.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Appends rows of a batch, as gaps; gives the place of the first.
    pub(super) fn append(&mut self, batch: &Batch, rows: &[u32]) -> u32 {
        let first = self.next.len() as u32;
        for (held, c) in self.columns.iter_mut().zip(&batch.columns) {
            held.extend_rows(c, rows);
        }
        self.next.resize(self.next.len() + rows.len(), NONE);
        first
    }

    /// The row at that place waits with its key until `time`.
    pub(super) fn wait(&mut self, slot: u32, time: i64, place: u32) {
        self.rows += 1;
        match self.chains.entry((slot, time)) {
            hashbrown::hash_map::Entry::Occupied(mut e) => {
                let last = std::mem::replace(&mut e.get_mut().1, place);
                self.next[last as usize] = place;
            }
            hashbrown::hash_map::Entry::Vacant(e) => {
                e.insert((place, place));
                self.timer(slot, time);
            }
        }
    }

    /// The key is woken at `time`.
    pub(super) fn timer(&mut self, slot: u32, time: i64) {
        self.timers.push(Reverse((time, self.set, slot)));
        self.set += 1;
    }

    /// The time of the next timer.
    pub(super) fn next_timer(&self) -> Option<i64> {
        self.timers.peek().map(|t| t.0.0)
    }

    /// The next timer that is due at `watermark`: its time and key.
    pub(super) fn fire(&mut self, watermark: i64) -> Option<(i64, u32)> {
        self.timers.peek().filter(|t| t.0.0 <= watermark)?;
        self.timers.pop().map(|t| (t.0.0, t.0.2))
    }

    /// Appends the rows that the key has waiting at that time to `to`; they wait no more.
    pub(super) fn release(&mut self, slot: u32, time: i64, to: &mut Vec<u32>) {
        let Some((mut row, _)) = self.chains.remove(&(slot, time)) else { return };
        while row != NONE {
            to.push(row);
            self.rows -= 1;
            row = self.next[row as usize];
        }
    }

    /// Writes the columns anew without gaps when these outgrow the rows. Places change.
    pub(super) fn compact(&mut self) {
        if self.next.len() - self.rows <= self.rows.max(SMALL) {
            return;
        }
        let mut places = Vec::with_capacity(self.rows);
        for chain in self.chains.values_mut() {
            let mut row = chain.0;
            chain.0 = places.len() as u32;
            while row != NONE {
                places.push(row);
                row = self.next[row as usize];
            }
            chain.1 = places.len() as u32 - 1;
        }
        self.next.clear();
        self.next.extend(1..=places.len() as u32);
        self.chains.values().for_each(|c| self.next[c.1 as usize] = NONE);
        for (c, ty) in self.columns.iter_mut().zip(&self.types) {
            let mut dense = Column::new(ty);
            dense.extend_rows(c, &places);
            *c = dense;
        }
    }

    /// How many rows each key has waiting, in no order.
    pub(super) fn per_key(&self) -> HashMap<u32, u32> {
        let mut rows = HashMap::new();
        for (&(slot, _), &(first, _)) in &self.chains {
            let mut row = first;
            while row != NONE {
                *rows.entry(slot).or_default() += 1;
                row = self.next[row as usize];
            }
        }
        rows
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum::<usize>()
            + self.next.capacity() * 4
            + self.chains.allocation_size()
            + self.timers.capacity() * size_of::<(i64, u64, u32)>()
    }

    /// Writes all of it; the key of slot `s` is written as `position[s]`.
    pub(super) fn encode(&self, position: &[u32], to: &mut Encoder) {
        to.block(b"WAIT", 1);
        let mut timers: Vec<(i64, u64, u32)> = self.timers.iter().map(|t| t.0).collect();
        timers.sort_unstable();
        to.slice(&timers.iter().map(|t| t.0).collect::<Vec<i64>>());
        to.slice(&timers.iter().map(|t| position[t.2 as usize]).collect::<Vec<u32>>());
        let mut chains: Vec<((u32, i64), u32)> = self
            .chains
            .iter()
            .map(|(&(slot, time), &(first, _))| ((position[slot as usize], time), first))
            .collect();
        chains.sort_unstable();
        let (mut slots, mut times, mut places) = (vec![], vec![], vec![]);
        for ((slot, time), mut row) in chains {
            while row != NONE {
                slots.push(slot);
                times.push(time);
                places.push(row);
                row = self.next[row as usize];
            }
        }
        to.slice(&slots);
        to.slice(&times);
        for (c, ty) in self.columns.iter().zip(&self.types) {
            let mut dense = Column::new(ty);
            dense.extend_rows(c, &places);
            to.column(&dense);
        }
    }

    /// Reads what [`Waiting::encode`] wrote, of keys `0..keys`.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(super) fn decode(&mut self, keys: usize, from: &mut Decoder<'_>) -> Result<()> {
        let damaged = || Error::corrupt("the waiting rows of an OVER do not fit their keys");
        from.block(b"WAIT", 1)?;
        let (due, woken): (Vec<i64>, Vec<u32>) = (from.slice()?, from.slice()?);
        let (slots, times): (Vec<u32>, Vec<i64>) = (from.slice()?, from.slice()?);
        if due.len() != woken.len()
            || slots.len() != times.len()
            || woken.iter().chain(&slots).any(|&s| s as usize >= keys)
        {
            return Err(damaged());
        }
        for c in &mut self.columns {
            from.column(c)?;
            if c.len() != slots.len() {
                return Err(damaged());
            }
        }
        self.next.resize(slots.len(), NONE);
        for (row, (slot, time)) in slots.into_iter().zip(times).enumerate() {
            self.wait(slot, time, row as u32);
        }
        self.timers.clear();
        for (time, slot) in due.into_iter().zip(woken) {
            self.timer(slot, time);
        }
        Ok(())
    }
}

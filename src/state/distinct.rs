//! The distinct values of each group, for DISTINCT aggregates: an aggregate sees a value when it joins the group for the first time
//! and when it leaves for the last.
//!
//! One view serves all aggregates of an operator with the same arguments and filter. The key is (group, values). Over input that
//! only grows, membership is all there is; else each value has a count.

use super::KeyTable;
use crate::batch::{Column, DataType, Decoder, Encoder, RowKind};
use crate::error::{Error, Result};

/// See the module's text.
pub struct DistinctView {
    table: KeyTable,
    /// How often each value is there, by its slot; absent: input only grows.
    counts: Option<Vec<i64>>,
    /// Number of values of each group, by the group's slot.
    values: Vec<u32>,
    slots: Vec<u32>,
    /// Values whose count came to 0 in this batch.
    emptied: Vec<u32>,
}

impl DistinctView {
    /// A view of values of these types. `retracting`: rows may leave.
    pub fn new(types: Vec<DataType>, retracting: bool) -> Self {
        Self {
            table: KeyTable::new(types, true),
            counts: retracting.then(Vec::new),
            values: Vec::new(),
            slots: Vec::new(),
            emptied: Vec::new(),
        }
    }

    /// Takes rows into (or out of) the groups of `groups`, parallel to `rows`, and appends to `passing` the positions in `rows` at
    /// which a value joins its group or leaves it. A value that leaves without having joined is ignored, as in Flink.
    pub fn update(
        &mut self,
        columns: &[&Column],
        rows: &[u32],
        groups: &[u32],
        kinds: Option<&[RowKind]>,
        passing: &mut Vec<u32>,
    ) {
        let mut next = self.table.bound() as u32;
        self.slots.clear();
        self.table.find_or_insert(Some(groups), columns, rows, &mut self.slots);
        if let Some(&max) = groups.iter().max()
            && self.values.len() <= max as usize
        {
            self.values.resize(max as usize + 1, 0);
        }
        let Some(counts) = &mut self.counts else {
            for (k, &s) in self.slots.iter().enumerate() {
                // Without removals, new keys get ascending slots.
                if s == next {
                    next += 1;
                    self.values[groups[k] as usize] += 1;
                    passing.push(k as u32);
                }
            }
            return;
        };
        counts.resize(self.table.bound().max(counts.len()), 0);
        for (k, &s) in self.slots.iter().enumerate() {
            let count = &mut counts[s as usize];
            let values = &mut self.values[groups[k] as usize];
            if kinds.is_none_or(|kinds| kinds[rows[k] as usize].is_add()) {
                *count += 1;
                if *count == 1 {
                    *values += 1;
                    passing.push(k as u32);
                }
            } else {
                if *count > 0 {
                    *count -= 1;
                    if *count == 0 {
                        *values -= 1;
                        passing.push(k as u32);
                    }
                }
                if *count == 0 {
                    self.emptied.push(s);
                }
            }
        }
        self.emptied.sort_unstable();
        self.emptied.dedup();
        for s in self.emptied.drain(..) {
            if counts[s as usize] == 0 {
                self.table.remove(s);
            }
        }
    }

    /// Forgets what is left of a group that has ended. Nothing is, unless a row left that had never joined.
    pub fn forget(&mut self, group: u32) {
        let Some(values) = self.values.get_mut(group as usize).filter(|v| **v > 0) else { return };
        *values = 0;
        for s in self.table.order() {
            if self.table.prefix(s) == group {
                self.table.remove(s);
                if let Some(c) = &mut self.counts {
                    c[s as usize] = 0;
                }
            }
        }
    }

    /// No groups, the memory kept.
    pub fn clear(&mut self) {
        self.table.clear();
        self.values.clear();
        if let Some(c) = &mut self.counts {
            c.clear();
        }
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
            + self.counts.as_ref().map_or(0, |c| c.capacity() * 8)
            + (self.values.capacity() + self.slots.capacity()) * 4
    }

    /// Writes the view; the group of slot `s` is written as `position[s]`.
    pub fn encode(&self, position: &[u32], to: &mut Encoder) {
        to.block(b"DIST", 1);
        let order = self.table.order();
        to.slice(&order.iter().map(|&s| position[self.table.prefix(s) as usize]).collect::<Vec<_>>());
        self.table.encode(&order, to);
        if let Some(c) = &self.counts {
            to.slice(&order.iter().map(|&s| c[s as usize]).collect::<Vec<_>>());
        }
    }

    /// Reads what [`DistinctView::encode`] wrote into a new view over `groups` groups.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn decode(&mut self, groups: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"DIST", 1)?;
        let damaged = || Error::corrupt("distinct values do not fit their groups");
        let prefix: Vec<u32> = from.slice()?;
        self.values.resize(groups, 0);
        for &g in &prefix {
            *self.values.get_mut(g as usize).ok_or_else(damaged)? += 1;
        }
        let n = self.table.decode(Some(&prefix), from)?;
        if let Some(c) = &mut self.counts {
            *c = from.slice()?;
            if c.len() != n {
                return Err(damaged());
            }
        }
        Ok(())
    }
}

//! A frame of some time back that keeps no rows: a key has accumulators for each slice of time instead.
//!
//! The frame of a row at `t` begins with the slice of `t - reach`, so it may count rows of up to one slice more than the exact frame; it never
//! misses one. A key holds a slice for each slice of time in which it had rows, at most `reach / slice + 2` of them in a job, whatever the
//! number of rows. (A scorer also holds those that a row above the watermark may still see.)
//!
//! **Two stacks.** The slices before `middle` have beside their own accumulators (`own`) what they and those behind them up to `middle` come to
//! (`behind`); all from `middle` on come to `tail`. A row joins its slice and the tail, an answer merges one of the first with the tail, and a slice
//! that leaves is let go of. When the frame has passed `middle`, all slices but the newest get their `behind`: one merge a slice, once.
//!
//! ```text
//! start           middle            newest
//!   |  behind      |      tail        |
//! ```
//!
//! Merging is for aggregates that do not depend on the order of rows; which these are, the binder knows.

use crate::batch::{Batch, ColumnRef, Decoder, Encoder, Schema};
use crate::error::{Error, Result};
use crate::operators::aggregates::Aggregates;
use crate::plan;
use std::collections::VecDeque;
use std::ops::Range;

/// See the module's text.
pub(super) struct Sliced {
    reach: i64,
    slice: i64,
    own: Aggregates,
    behind: Aggregates,
    /// One group: what a merge comes to.
    merged: Aggregates,
    keys: Vec<Key>,
    /// Groups of `own` and `behind` that nobody has, and how many there are in all.
    free: Vec<u32>,
    groups: u32,
    /// Where the last answer stands.
    answer: Answer,
}

/// Where an answer stands: in that group of `own`, or merged.
#[derive(Clone, Copy)]
enum Answer {
    Own(u32),
    Merged,
}

/// A slice of time: `number * slice` ms and on. It has this group.
#[derive(Clone, Copy)]
struct Slice {
    number: i64,
    group: u32,
}

#[derive(Default)]
struct Key {
    slices: VecDeque<Slice>,
    /// Places: where the frame of the last row starts, and the first slice of the tail.
    start: usize,
    middle: usize,
    /// The number of the first slice that the frame of the last row may have.
    from: i64,
    /// The group of the tail, where there are slices.
    tail: u32,
}

impl Sliced {
    /// Frames of `reach` ms in slices of `slice` ms, over rows of that schema.
    pub(super) fn new(reach: i64, slice: i64, calls: &[plan::Aggregate], schema: &Schema) -> Self {
        let made = || Aggregates::new(calls, schema, false).mergeable();
        let mut merged = made();
        merged.grow(1);
        Self {
            reach,
            slice,
            own: made(),
            behind: made(),
            merged,
            keys: vec![],
            free: vec![],
            groups: 0,
            answer: Answer::Merged,
        }
    }

    /// Makes keys below `slots` exist.
    pub(super) fn grow(&mut self, slots: usize) {
        if slots > self.keys.len() {
            self.keys.resize_with(slots, Key::default);
        }
    }

    fn number(&self, time: i64) -> i64 {
        time.div_euclid(self.slice)
    }

    /// The first slice that counts for a row at `time`.
    fn first(&self, time: i64) -> i64 {
        self.number(time.saturating_sub(self.reach))
    }

    fn take_group(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.groups += 1;
            self.own.grow(self.groups as usize);
            self.behind.grow(self.groups as usize);
            self.groups - 1
        })
    }

    fn give_back(&mut self, group: u32) {
        self.own.reset(group);
        self.behind.reset(group);
        self.free.push(group);
    }

    /// Makes a key one that has no rows.
    pub(super) fn clear(&mut self, slot: u32) {
        let key = std::mem::take(&mut self.keys[slot as usize]);
        if !key.slices.is_empty() {
            self.give_back(key.tail);
        }
        key.slices.iter().for_each(|s| self.give_back(s.group));
    }

    /// Lets go of some slices of a key that is forgotten; true: it has none left.
    pub(super) fn drain(&mut self, slot: u32, slices: usize) -> bool {
        for _ in 0..slices {
            if self.keys[slot as usize].slices.len() < 2 {
                break;
            }
            if self.keys[slot as usize].start == 0 {
                self.leave(slot);
            }
            self.release(slot, i64::MAX);
        }
        let done = self.keys[slot as usize].slices.len() < 2;
        if done {
            self.clear(slot);
        }
        done
    }

    /// These rows of a batch, all at `time`, which is not before the key's other rows, join, and the answer is that of their frame. No frame
    /// of a row before `held` is asked for any more.
    ///
    /// # Errors
    /// An aggregate cannot take a row.
    pub(super) fn join(
        &mut self,
        slot: u32,
        time: i64,
        batch: &Batch,
        rows: Range<u32>,
        held: i64,
    ) -> Result<()> {
        let (number, from) = (self.number(time), self.first(time));
        let newest = self.keys[slot as usize].slices.back().copied();
        let group = match newest.filter(|s| s.number >= number) {
            Some(newest) => newest.group,
            None => {
                if newest.is_none() {
                    self.keys[slot as usize].tail = self.take_group();
                }
                let group = self.take_group();
                self.keys[slot as usize].slices.push_back(Slice { number, group });
                group
            }
        };
        self.keys[slot as usize].from = from;
        while self.keys[slot as usize].slices[self.keys[slot as usize].start].number < from {
            self.leave(slot);
        }
        self.release(slot, self.first(held.min(time)));
        let tail = self.keys[slot as usize].tail;
        for row in rows {
            self.own.update(batch, &[row, row], &[group, tail]).map_err(|e| e.error)?;
        }
        self.settle(slot);
        Ok(())
    }

    /// The first slice leaves the frame of the key; there are two at least.
    fn leave(&mut self, slot: u32) {
        let Self { own, behind, merged, keys, .. } = self;
        let key = &mut keys[slot as usize];
        if key.start == key.middle {
            let newest = key.slices.len() - 1;
            merged.reset(0);
            for s in key.slices.range(key.middle..newest).rev() {
                merged.merge(&[0], own, &[s.group]);
                behind.reset(s.group);
                behind.merge(&[s.group], merged, &[0]);
            }
            merged.reset(0);
            merged.merge(&[0], own, &[key.slices[newest].group]);
            own.reset(key.tail);
            own.merge(&[key.tail], merged, &[0]);
            key.middle = newest;
        }
        key.start += 1;
    }

    /// Lets go of the slices before `number` that the frame of the last row does not have.
    fn release(&mut self, slot: u32, number: i64) {
        let key = &mut self.keys[slot as usize];
        while key.start > 0 && key.slices[0].number < number {
            let group = key.slices.pop_front().map(|s| s.group);
            key.start -= 1;
            key.middle -= 1;
            self.own.reset(group.unwrap_or_default());
            self.behind.reset(group.unwrap_or_default());
            self.free.extend(group);
        }
    }

    /// The answer is that of the key's last row.
    fn settle(&mut self, slot: u32) {
        let Self { own, behind, merged, keys, .. } = self;
        let key = &keys[slot as usize];
        if key.start == key.middle {
            self.answer = Answer::Own(key.tail);
            return;
        }
        merged.reset(0);
        merged.merge(&[0], behind, &[key.slices[key.start].group]);
        merged.merge(&[0], own, &[key.tail]);
        self.answer = Answer::Merged;
    }

    /// Appends what aggregate `nth` comes to in the answer.
    pub(super) fn value(&self, nth: usize, out: &mut ColumnRef) {
        match self.answer {
            Answer::Own(group) => self.own.emit_one(nth, group, out),
            Answer::Merged => self.merged.emit_one(nth, 0, out),
        }
    }

    /// As [`Sliced::join`] for one row that need not be its key's last. `keep`: it stays.
    ///
    /// # Errors
    /// An aggregate cannot take the row.
    pub(super) fn insert(
        &mut self,
        slot: u32,
        time: i64,
        batch: &Batch,
        row: u32,
        held: i64,
        keep: bool,
    ) -> Result<()> {
        let number = self.number(time);
        // Whether a slice is there that no row above the watermark can see must not show.
        let from = self.first(time).max(self.first(held));
        let slices = &self.keys[slot as usize].slices;
        let at = slices.partition_point(|s| s.number < number);
        if keep {
            if slices.get(at).is_none_or(|s| s.number != number) {
                self.open(slot, at, number);
            }
            let Self { own, behind, keys, .. } = self;
            let key = &keys[slot as usize];
            let group = key.slices[at].group;
            if at >= key.middle {
                own.update(batch, &[row, row], &[group, key.tail]).map_err(|e| e.error)?;
            } else {
                own.update(batch, &[row], &[group]).map_err(|e| e.error)?;
                for s in key.slices.iter().take(at + 1).skip(key.start) {
                    behind.update(batch, &[row], &[s.group]).map_err(|e| e.error)?;
                }
            }
        }
        let Self { own, merged, keys, .. } = self;
        merged.reset(0);
        let counted = |s: &&Slice| (from..=number).contains(&s.number);
        for s in keys[slot as usize].slices.iter().filter(counted) {
            merged.merge(&[0], own, &[s.group]);
        }
        if !keep {
            merged.update(batch, &[row], &[0]).map_err(|e| e.error)?;
        }
        self.answer = Answer::Merged;
        Ok(())
    }

    /// A slice that is not the last comes between others, at place `at`.
    fn open(&mut self, slot: u32, at: usize, number: i64) {
        let group = self.take_group();
        let Self { behind, merged, keys, .. } = self;
        let key = &mut keys[slot as usize];
        let next = key.slices[at].group;
        key.slices.insert(at, Slice { number, group });
        if at < key.start || number < key.from {
            key.start += 1;
            key.middle += 1;
        } else if at < key.middle {
            merged.reset(0);
            merged.merge(&[0], behind, &[next]);
            behind.merge(&[group], merged, &[0]);
            key.middle += 1;
        }
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        let slices: usize = self.keys.iter().map(|k| k.slices.capacity()).sum();
        self.own.bytes()
            + self.behind.bytes()
            + self.merged.bytes()
            + self.keys.capacity() * size_of::<Key>()
            + slices * size_of::<Slice>()
            + self.free.capacity() * 4
    }

    /// The groups of keys, in their order: those of the slices, then that of the tail.
    fn groups_of(&self, slots: &[u32]) -> Vec<u32> {
        let mut groups = vec![];
        for key in slots.iter().map(|&s| &self.keys[s as usize]).filter(|k| !k.slices.is_empty()) {
            groups.extend(key.slices.iter().map(|s| s.group));
            groups.push(key.tail);
        }
        groups
    }

    /// Writes the keys of `slots`, which are all there are.
    pub(super) fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"SLFR", 1);
        for &slot in slots {
            let key = &self.keys[slot as usize];
            to.slice(&key.slices.iter().map(|s| s.number).collect::<Vec<i64>>());
            to.slice(&[key.start as u64, key.middle as u64]);
            to.i64(key.from);
        }
        let groups = self.groups_of(slots);
        self.own.encode(&groups, self.groups as usize, to);
        self.behind.encode(&groups, self.groups as usize, to);
    }

    /// Reads what [`Sliced::encode`] wrote, into keys `0..slots`.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(super) fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        let damaged = || Error::corrupt("the slices of a frame do not fit their number");
        from.block(b"SLFR", 1)?;
        self.grow(slots);
        self.groups = 0;
        for key in &mut self.keys[..slots] {
            let numbers: Vec<i64> = from.slice()?;
            let places: Vec<u64> = from.slice()?;
            key.from = from.i64()?;
            let last = numbers.len().saturating_sub(1);
            match places[..] {
                [start, middle] if start <= middle && middle <= last as u64 && numbers.is_sorted() => {
                    (key.start, key.middle) = (start as usize, middle as usize);
                }
                _ => return Err(damaged()),
            }
            let groups = self.groups..;
            self.groups += numbers.len() as u32 + u32::from(!numbers.is_empty());
            key.tail = self.groups.saturating_sub(1);
            key.slices =
                numbers.into_iter().zip(groups).map(|(number, group)| Slice { number, group }).collect();
        }
        self.own.decode(self.groups as usize, from)?;
        self.behind.decode(self.groups as usize, from)
    }
}

//! MIN, MAX, FIRST_VALUE and LAST_VALUE over frames: rows leave in the order in which they joined, so a value that leaves is the oldest one,
//! whatever it is.
//!
//! **MIN and MAX** are kept by DABA Lite (Tangwongsan, Hirzel, Schneider: In-Order Sliding-Window Aggregation in Worst-Case Constant Time,
//! VLDB Journal 2021): a row that joins or leaves costs at most three comparisons, however long the frame, with no step in which all of
//! it is gone through. The values stand in one queue, cut by four places that only move a step at a time:
//!
//! ```text
//! first     l           r          a           b            end
//!   | best up to b | best up to r |  values  | best up to b |  values  |
//!                                 \____ middle (best of r to b) ____/  \_ tail (best of b to end) _/
//! ```
//!
//! The answer is the better of the first entry and the tail. When the entries before `l` reach `b`, the roles change: all entries up
//! to `b` are those up to `r`, and the values behind are turned into bests one by one while rows come and go.
//!
//! **FIRST_VALUE and LAST_VALUE** are the two ends of the queue of values. Values with a length of their own are [`sliding_text`](super::sliding_text)'s affair.

use super::bag::Item;
use crate::batch::{Column, Decoder, Encoder};
use crate::error::{Error, Result};
use crate::expr::{Accumulator, RowError, Updates};
use std::collections::VecDeque;

/// MIN or MAX of a group whose rows leave in the order in which they joined.
pub(super) struct Daba<K> {
    entries: VecDeque<K>,
    /// Places, counted from the first entry.
    l: usize,
    r: usize,
    a: usize,
    b: usize,
    middle: Option<K>,
    tail: Option<K>,
}

impl<K> Default for Daba<K> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), l: 0, r: 0, a: 0, b: 0, middle: None, tail: None }
    }
}

impl<K: Ord + Clone> Daba<K> {
    fn better(max: bool, a: &K, b: &K) -> K {
        let second = if max { b > a } else { b < a };
        if second { b.clone() } else { a.clone() }
    }

    /// A value joins.
    fn push(&mut self, max: bool, value: K) {
        self.tail = Some(match &self.tail {
            Some(t) => Self::better(max, t, &value),
            None => value.clone(),
        });
        self.entries.push_back(value);
        self.step(max);
    }

    /// The oldest value leaves.
    fn pop(&mut self, max: bool) {
        if self.entries.pop_front().is_none() {
            return;
        }
        if self.b == 0 {
            (self.l, self.r, self.a) = (0, 0, 0);
        } else {
            // Places stay where they are, and are counted from one further.
            self.l -= 1;
            self.r -= 1;
            self.a -= 1;
            self.b -= 1;
        }
        self.step(max);
        give_back(&mut self.entries);
    }

    /// Restores the invariants after one row: see the module's text.
    fn step(&mut self, max: bool) {
        let end = self.entries.len();
        if self.b == 0 {
            (self.l, self.r, self.a, self.b) = (end, end, end, end);
            (self.middle, self.tail) = (None, None);
            return;
        }
        if self.l == self.b {
            (self.l, self.r, self.a, self.b) = (0, self.b, end, end);
            self.middle = self.tail.take();
        }
        if self.l == self.r {
            self.l += 1;
            self.r += 1;
            self.a += 1;
            return;
        }
        if let Some(middle) = &self.middle {
            self.entries[self.l] = Self::better(max, &self.entries[self.l], middle);
        }
        self.l += 1;
        self.a -= 1;
        if self.a + 1 < self.b {
            self.entries[self.a] = Self::better(max, &self.entries[self.a], &self.entries[self.a + 1]);
        }
    }

    fn best(&self, max: bool) -> Option<K> {
        match (self.entries.front().filter(|_| self.b > 0), &self.tail) {
            (Some(f), Some(t)) => Some(Self::better(max, f, t)),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }
}

/// MIN or MAX over frames.
pub(super) struct SlidingBest<T: Item> {
    max: bool,
    groups: Vec<Daba<T::Key>>,
}

impl<T: Item> SlidingBest<T> {
    pub(super) fn new(max: bool) -> Self {
        Self { max, groups: Vec::new() }
    }
}

impl<T: Item> Accumulator for SlidingBest<T> {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, Daba::default);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize] = Daba::default();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        let read = T::reader(arg.column);
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if arg.is_valid(row) {
                let group = &mut self.groups[slot as usize];
                if u.is_add(row) {
                    group.push(self.max, read(arg.at(row)));
                } else {
                    group.pop(self.max);
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, _: &[u32], _: &dyn Accumulator, _: &[u32]) {
        unreachable!("frames are not merged");
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        slots.iter().for_each(|&s| T::push(self.groups[s as usize].best(self.max).as_ref(), out));
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"daba", 1);
        let some = |k: &Option<T::Key>, to: &mut Encoder| {
            to.bool(k.is_some());
            k.iter().for_each(|k| T::encode(k, to));
        };
        for &s in slots {
            let g = &self.groups[s as usize];
            to.len(g.entries.len());
            g.entries.iter().for_each(|k| T::encode(k, to));
            [g.l, g.r, g.a, g.b].into_iter().for_each(|p| to.i64(p as i64));
            some(&g.middle, to);
            some(&g.tail, to);
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"daba", 1)?;
        let some = |from: &mut Decoder<'_>| -> Result<Option<T::Key>> {
            Ok(if from.bool()? { Some(T::decode(from)?) } else { None })
        };
        self.groups.clear();
        self.grow(slots);
        for g in &mut self.groups {
            let n = from.len(1)?;
            for _ in 0..n {
                g.entries.push_back(T::decode(from)?);
            }
            let mut place = || -> Result<usize> {
                let p = usize::try_from(from.i64()?).ok().filter(|&p| p <= n);
                p.ok_or_else(|| Error::corrupt("a place of a sliding MIN or MAX is outside its queue"))
            };
            (g.l, g.r, g.a, g.b) = (place()?, place()?, place()?, place()?);
            let sound = g.l <= g.r && g.r <= g.a && g.a <= g.b && g.r - g.l == g.a - g.r;
            if !sound || (g.b == 0) != (n == 0) || (g.l == 0) != (n == 0) {
                return Err(Error::corrupt("the places of a sliding MIN or MAX are out of order"));
            }
            (g.middle, g.tail) = (some(from)?, some(from)?);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let held = |g: &Daba<T::Key>| {
            g.entries.capacity() * size_of::<T::Key>() + g.entries.iter().map(T::heap).sum::<usize>()
        };
        self.groups.capacity() * size_of::<Daba<T::Key>>() + self.groups.iter().map(held).sum::<usize>()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// FIRST_VALUE or LAST_VALUE over frames.
pub(super) struct SlidingEnd<T: Item> {
    last: bool,
    /// The values that are not NULL.
    groups: Vec<VecDeque<T::Key>>,
}

impl<T: Item> SlidingEnd<T> {
    pub(super) fn new(last: bool) -> Self {
        Self { last, groups: Vec::new() }
    }
}

impl<T: Item> Accumulator for SlidingEnd<T> {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, VecDeque::new);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize] = VecDeque::new();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        let read = T::reader(arg.column);
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if !arg.is_valid(row) {
                continue;
            }
            let group = &mut self.groups[slot as usize];
            if u.is_add(row) {
                group.push_back(read(arg.at(row)));
            } else {
                group.pop_front();
                give_back(group);
            }
        }
        Ok(())
    }

    fn merge(&mut self, _: &[u32], _: &dyn Accumulator, _: &[u32]) {
        unreachable!("frames are not merged");
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            let group = &self.groups[s as usize];
            T::push(if self.last { group.back() } else { group.front() }, out);
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"ends", 1);
        for &s in slots {
            let group = &self.groups[s as usize];
            to.len(group.len());
            group.iter().for_each(|v| T::encode(v, to));
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"ends", 1)?;
        self.groups.clear();
        self.grow(slots);
        for group in &mut self.groups {
            for _ in 0..from.len(1)? {
                group.push_back(T::decode(from)?);
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let held =
            |g: &VecDeque<T::Key>| g.capacity() * size_of::<T::Key>() + g.iter().map(T::heap).sum::<usize>();
        self.groups.capacity() * size_of::<VecDeque<T::Key>>() + self.groups.iter().map(held).sum::<usize>()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// A queue that has become short returns most of its memory.
fn give_back<K>(queue: &mut VecDeque<K>) {
    if queue.capacity() > 64 && queue.len() < queue.capacity() / 4 {
        queue.shrink_to(queue.capacity() / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever joins and leaves, the answer is that of looking at all values.
        #[test]
        fn the_best_is_that_of_all_values(ops in prop::collection::vec((prop::bool::weighted(0.6), -20..20i32), 1..600)) {
            for max in [false, true] {
                let (mut daba, mut all): (Daba<i32>, VecDeque<i32>) = Default::default();
                for &(joins, value) in &ops {
                    if joins {
                        daba.push(max, value);
                        all.push_back(value);
                    } else {
                        daba.pop(max);
                        all.pop_front();
                    }
                    let want = if max { all.iter().max() } else { all.iter().min() }.copied();
                    prop_assert_eq!(daba.best(max), want);
                }
            }
        }
    }

    /// No row of a full frame costs more than a few comparisons: the places move a step at a time.
    #[test]
    fn each_row_costs_the_same() {
        use std::cell::Cell;
        use std::cmp::Ordering;
        thread_local!(static COMPARED: Cell<u32> = const { Cell::new(0) });
        #[derive(Clone, PartialEq, Eq)]
        struct Counted(i32);
        impl PartialOrd for Counted {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for Counted {
            fn cmp(&self, other: &Self) -> Ordering {
                COMPARED.with(|c| c.set(c.get() + 1));
                self.0.cmp(&other.0)
            }
        }
        let mut daba: Daba<Counted> = Daba::default();
        for n in 0..5_000 {
            COMPARED.with(|c| c.set(0));
            daba.push(true, Counted(10_000 - n));
            if n >= 1_000 {
                daba.pop(true);
            }
            daba.best(true);
            assert!(COMPARED.with(Cell::get) <= 6, "row {n}");
        }
    }
}

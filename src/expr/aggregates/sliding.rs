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

/// What a group keeps of the values of its frame, NULLs left out. `end`: the greater end of them, MAX or LAST_VALUE.
pub(super) trait FrameValues: Default + Send + 'static {
    /// A value of a column.
    type Value<'c>;
    /// Names the byte form.
    const TAG: &'static [u8; 4];

    fn reader<'c>(c: &'c Column) -> impl Fn(usize) -> Self::Value<'c> + 'c;
    /// A value joins behind the others. `scratch` holds nothing of use.
    fn join(&mut self, end: bool, value: Self::Value<'_>, scratch: &mut Vec<u8>);
    /// The oldest value leaves.
    fn leave(&mut self, end: bool);
    /// Appends what they come to.
    fn push(&self, end: bool, out: &mut Column);
    fn encode(&self, to: &mut Encoder);
    fn decode(from: &mut Decoder<'_>) -> Result<Self>;
    /// Bytes reserved besides its own.
    fn held(&self) -> usize;
}

/// An aggregate of frames.
pub(super) struct Sliding<G> {
    end: bool,
    groups: Vec<G>,
    scratch: Vec<u8>,
}

impl<G> Sliding<G> {
    pub(super) fn new(end: bool) -> Self {
        Self { end, groups: Vec::new(), scratch: Vec::new() }
    }
}

impl<G: FrameValues> Accumulator for Sliding<G> {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, G::default);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize] = G::default();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        let read = G::reader(arg.column);
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if arg.is_valid(row) {
                let group = &mut self.groups[slot as usize];
                if u.is_add(row) {
                    group.join(self.end, read(arg.at(row)), &mut self.scratch);
                } else {
                    group.leave(self.end);
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, _: &[u32], _: &dyn Accumulator, _: &[u32]) {
        unreachable!("frames are not merged");
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        slots.iter().for_each(|&s| self.groups[s as usize].push(self.end, out));
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(G::TAG, 1);
        slots.iter().for_each(|&s| self.groups[s as usize].encode(to));
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(G::TAG, 1)?;
        self.groups.clear();
        for _ in 0..slots {
            self.groups.push(G::decode(from)?);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.groups.capacity() * size_of::<G>() + self.groups.iter().map(G::held).sum::<usize>()
    }
}

/// For MIN and MAX.
pub(super) struct SlidingBest<T: Item>(Daba<T::Key>);

impl<T: Item> Default for SlidingBest<T> {
    fn default() -> Self {
        Self(Daba::default())
    }
}

impl<T: Item> FrameValues for SlidingBest<T> {
    type Value<'c> = T::Key;
    const TAG: &'static [u8; 4] = b"daba";

    fn reader<'c>(c: &'c Column) -> impl Fn(usize) -> T::Key + 'c {
        T::reader(c)
    }

    #[inline]
    fn join(&mut self, max: bool, value: T::Key, _: &mut Vec<u8>) {
        self.0.push(max, value);
    }

    #[inline]
    fn leave(&mut self, max: bool) {
        self.0.pop(max);
    }

    fn push(&self, max: bool, out: &mut Column) {
        T::push(self.0.best(max).as_ref(), out);
    }

    fn encode(&self, to: &mut Encoder) {
        let some = |k: &Option<T::Key>, to: &mut Encoder| {
            to.bool(k.is_some());
            k.iter().for_each(|k| T::encode(k, to));
        };
        let g = &self.0;
        to.len(g.entries.len());
        g.entries.iter().for_each(|k| T::encode(k, to));
        [g.l, g.r, g.a, g.b].into_iter().for_each(|p| to.i64(p as i64));
        some(&g.middle, to);
        some(&g.tail, to);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        let mut g = Daba::default();
        let some = |from: &mut Decoder<'_>| -> Result<Option<T::Key>> {
            Ok(if from.bool()? { Some(T::decode(from)?) } else { None })
        };
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
        Ok(Self(g))
    }

    fn held(&self) -> usize {
        self.0.entries.capacity() * size_of::<T::Key>() + self.0.entries.iter().map(T::heap).sum::<usize>()
    }
}

/// For FIRST_VALUE and LAST_VALUE.
pub(super) struct SlidingEnds<T: Item>(VecDeque<T::Key>);

impl<T: Item> Default for SlidingEnds<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Item> FrameValues for SlidingEnds<T> {
    type Value<'c> = T::Key;
    const TAG: &'static [u8; 4] = b"ends";

    fn reader<'c>(c: &'c Column) -> impl Fn(usize) -> T::Key + 'c {
        T::reader(c)
    }

    #[inline]
    fn join(&mut self, _: bool, value: T::Key, _: &mut Vec<u8>) {
        self.0.push_back(value);
    }

    #[inline]
    fn leave(&mut self, _: bool) {
        self.0.pop_front();
        give_back(&mut self.0);
    }

    fn push(&self, last: bool, out: &mut Column) {
        T::push(if last { self.0.back() } else { self.0.front() }, out);
    }

    fn encode(&self, to: &mut Encoder) {
        to.len(self.0.len());
        self.0.iter().for_each(|v| T::encode(v, to));
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        let n = from.len(1)?;
        Ok(Self((0..n).map(|_| T::decode(from)).collect::<Result<_>>()?))
    }

    fn held(&self) -> usize {
        self.0.capacity() * size_of::<T::Key>() + self.0.iter().map(T::heap).sum::<usize>()
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

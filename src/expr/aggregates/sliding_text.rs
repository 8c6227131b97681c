//! MIN, MAX, FIRST_VALUE and LAST_VALUE of values with a length of their own, over frames: rows leave in the order in which they joined.
//!
//! The values of a group stand in a [`ByteQueue`], one behind the other, so that a row which joins or leaves allocates nothing once the queue
//! is as long as it gets.
//!
//! **MIN and MAX** keep the values that will be the best once those before them have left, each with the number of its row: what joins cuts those at the
//! end that it beats, found by bisection, and what leaves takes the first one along if that is it. A row costs a logarithm of the frame's
//! bests at most.

use super::history::push_bytes;
use crate::batch::key::encode_value;
use crate::batch::{Column, Decoder, Encoder};
use crate::error::{Error, Result};
use crate::expr::{Accumulator, RowError, Updates};
use std::collections::VecDeque;

/// Values one behind the other: joined at the end, taken from either end.
#[derive(Default)]
struct ByteQueue {
    bytes: Vec<u8>,
    /// Where each value begins, counted from the first byte that ever was; `base` is that of `bytes[0]`.
    starts: VecDeque<u64>,
    base: u64,
}

impl ByteQueue {
    fn len(&self) -> usize {
        self.starts.len()
    }

    fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Bytes before the first value.
    fn gone(&self) -> usize {
        self.starts.front().map_or(self.bytes.len(), |s| (s - self.base) as usize)
    }

    fn get(&self, n: usize) -> &[u8] {
        let end = self.starts.get(n + 1).copied().unwrap_or_else(|| self.end());
        &self.bytes[(self.starts[n] - self.base) as usize..(end - self.base) as usize]
    }

    fn push(&mut self, value: &[u8]) {
        // What has left is taken back before the memory grows, when it is as much as what stays.
        let gone = self.gone();
        if self.bytes.len() + value.len() > self.bytes.capacity() && gone * 2 >= self.bytes.len() {
            self.bytes.drain(..gone);
            self.base += gone as u64;
        }
        self.starts.push_back(self.end());
        self.bytes.extend_from_slice(value);
    }

    fn pop(&mut self) {
        self.starts.pop_front();
        if self.starts.is_empty() {
            self.base = self.end();
            self.bytes.clear();
        }
        if self.starts.capacity() > 64 && self.len() < self.starts.capacity() / 4 {
            self.shrink();
        }
    }

    /// Gives most of the memory back.
    #[cold]
    fn shrink(&mut self) {
        let gone = self.gone();
        self.bytes.drain(..gone);
        self.base += gone as u64;
        self.bytes.shrink_to(self.bytes.len() * 2);
        self.starts.shrink_to(self.starts.capacity() / 2);
    }

    fn truncate(&mut self, keep: usize) {
        if let Some(&start) = self.starts.get(keep) {
            self.bytes.truncate((start - self.base) as usize);
            self.starts.truncate(keep);
        }
    }

    fn held(&self) -> usize {
        self.bytes.capacity() + self.starts.capacity() * 8
    }

    fn encode(&self, to: &mut Encoder) {
        to.len(self.len());
        (0..self.len()).for_each(|n| to.bytes(self.get(n)));
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        let mut queue = Self::default();
        for _ in 0..from.len(1)? {
            queue.push(from.bytes()?);
        }
        Ok(queue)
    }
}

/// The bests of a group.
#[derive(Default)]
struct Bests {
    values: ByteQueue,
    /// The number of each value, and how many values have joined and left.
    numbers: VecDeque<u64>,
    joined: u64,
    left: u64,
}

impl Bests {
    fn join(&mut self, max: bool, value: &[u8]) {
        let beaten = |n: usize| {
            let held = self.values.get(n);
            if max { held < value } else { held > value }
        };
        // From the best on: those at the end are beaten first.
        let (mut low, mut high) = (0, self.values.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if beaten(middle) { high = middle } else { low = middle + 1 }
        }
        self.values.truncate(low);
        self.numbers.truncate(low);
        self.values.push(value);
        self.numbers.push_back(self.joined);
        self.joined += 1;
    }

    fn leave(&mut self) {
        if self.numbers.front() == Some(&self.left) {
            self.numbers.pop_front();
            self.values.pop();
            if self.numbers.capacity() > 64 && self.numbers.len() < self.numbers.capacity() / 4 {
                self.numbers.shrink_to(self.numbers.capacity() / 2);
            }
        }
        self.left += 1;
    }
}

/// MIN or MAX of text over frames.
pub(super) struct SlidingText {
    max: bool,
    groups: Vec<Bests>,
}

impl SlidingText {
    pub(super) fn new(max: bool) -> Self {
        Self { max, groups: Vec::new() }
    }
}

impl Accumulator for SlidingText {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, Bests::default);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize] = Bests::default();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        let texts = arg.column.byte_column();
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if arg.is_valid(row) {
                let group = &mut self.groups[slot as usize];
                if u.is_add(row) { group.join(self.max, texts.get(arg.at(row))) } else { group.leave() }
            }
        }
        Ok(())
    }

    fn merge(&mut self, _: &[u32], _: &dyn Accumulator, _: &[u32]) {
        unreachable!("frames are not merged");
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            let values = &self.groups[s as usize].values;
            let best = (values.len() > 0).then(|| values.get(0));
            out.validity.push(best.is_some());
            out.byte_column_mut().push(best.unwrap_or_default());
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"best", 1);
        for &s in slots {
            let g = &self.groups[s as usize];
            g.values.encode(to);
            to.slice(&g.numbers.iter().map(|n| n - g.left).collect::<Vec<u64>>());
            to.i64((g.joined - g.left) as i64);
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"best", 1)?;
        self.groups.clear();
        self.grow(slots);
        for g in &mut self.groups {
            g.values = ByteQueue::decode(from)?;
            let numbers: Vec<u64> = from.slice()?;
            g.joined = from.i64()? as u64;
            let ascend = numbers.windows(2).all(|w| w[0] < w[1]);
            if numbers.len() != g.values.len() || !ascend || numbers.last().is_some_and(|n| *n >= g.joined) {
                return Err(Error::corrupt("the values of a sliding MIN or MAX do not fit their rows"));
            }
            g.numbers = numbers.into();
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let held = |g: &Bests| g.values.held() + g.numbers.capacity() * 8;
        self.groups.capacity() * size_of::<Bests>() + self.groups.iter().map(held).sum::<usize>()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// FIRST_VALUE or LAST_VALUE over frames, of values in their canonical bytes.
pub(super) struct SlidingEnds {
    last: bool,
    /// The values that are not NULL.
    groups: Vec<ByteQueue>,
    value: Vec<u8>,
}

impl SlidingEnds {
    pub(super) fn new(last: bool) -> Self {
        Self { last, groups: Vec::new(), value: Vec::new() }
    }
}

impl Accumulator for SlidingEnds {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, ByteQueue::default);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize] = ByteQueue::default();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if !arg.is_valid(row) {
                continue;
            }
            let group = &mut self.groups[slot as usize];
            if u.is_add(row) {
                self.value.clear();
                encode_value(arg.column, arg.at(row), &mut self.value);
                group.push(&self.value);
            } else {
                group.pop();
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
            let end = if self.last { group.len().checked_sub(1) } else { (group.len() > 0).then_some(0) };
            push_bytes(end.map(|n| group.get(n)), out);
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"ends", 1);
        slots.iter().for_each(|&s| self.groups[s as usize].encode(to));
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"ends", 1)?;
        self.groups.clear();
        for _ in 0..slots {
            self.groups.push(ByteQueue::decode(from)?);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.groups.capacity() * size_of::<ByteQueue>()
            + self.groups.iter().map(ByteQueue::held).sum::<usize>()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever joins and leaves, first, last and best are those of looking at all values, also after their bytes were read back.
        #[test]
        fn first_last_and_best_are_those_of_all_values(
            ops in prop::collection::vec((prop::bool::weighted(0.6), "[a-c]{0,3}"), 1..400),
        ) {
            for max in [false, true] {
                let (mut bests, mut queue, mut all) = (Bests::default(), ByteQueue::default(), VecDeque::new());
                for (n, (joins, value)) in ops.iter().enumerate() {
                    if *joins {
                        bests.join(max, value.as_bytes());
                        queue.push(value.as_bytes());
                        all.push_back(value.as_bytes());
                    } else if all.pop_front().is_some() {
                        bests.leave();
                        queue.pop();
                    }
                    let want = if max { all.iter().max() } else { all.iter().min() };
                    let best = (bests.values.len() > 0).then(|| bests.values.get(0));
                    prop_assert_eq!(best, want.copied());
                    prop_assert_eq!((0..queue.len()).map(|n| queue.get(n)).collect::<Vec<_>>(), all.iter().copied().collect::<Vec<_>>());
                    if n % 50 == 7 {
                        let mut bytes = Encoder::default();
                        queue.encode(&mut bytes);
                        queue = ByteQueue::decode(&mut Decoder::new(&bytes.finish())).expect("its own bytes");
                    }
                }
            }
        }
    }

    /// A frame that slides takes no more memory than its first rows did.
    #[test]
    fn a_frame_that_slides_does_not_grow() {
        let (mut bests, mut queue) = (Bests::default(), ByteQueue::default());
        let mut held = vec![];
        for n in 0..20_000_u32 {
            let text = format!("{:08}", n.wrapping_mul(2_654_435_761) % 1_000_000);
            bests.join(true, text.as_bytes());
            queue.push(text.as_bytes());
            if n >= 100 {
                bests.leave();
                queue.pop();
            }
            if n == 1000 || n == 19_999 {
                held.push((queue.held(), bests.values.held() < 10_000));
            }
        }
        assert_eq!(held[0], held[1]);
    }
}

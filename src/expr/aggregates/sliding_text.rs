//! MIN, MAX, FIRST_VALUE and LAST_VALUE of values with a length of their own, over frames: rows leave in the order in which they joined.
//!
//! The values of a group stand in a [`ByteQueue`], one behind the other, so that a row which joins or leaves allocates nothing once the queue
//! is as long as it gets.
//!
//! **MIN and MAX** keep the values that will be the best once those before them have left, each with the number of its row: what joins cuts those at the
//! end that it beats, found by bisection, and what leaves takes the first one along if that is it. A row costs a logarithm of the frame's
//! bests at most.

use super::cells::push_bytes;
use super::sliding::FrameValues;
use crate::batch::key::encode_value;
use crate::batch::{Column, Decoder, Encoder};
use crate::error::{Error, Result};
use std::collections::VecDeque;

/// Values one behind the other: joined at the end, taken from either end. For FIRST_VALUE and LAST_VALUE they are canonical bytes.
#[derive(Default)]
pub(super) struct ByteQueue {
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

    fn append(&mut self, value: &[u8]) {
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
}

impl FrameValues for ByteQueue {
    type Value<'c> = (&'c Column, usize);
    const TAG: &'static [u8; 4] = b"ends";

    fn reader<'c>(c: &'c Column) -> impl Fn(usize) -> (&'c Column, usize) + 'c {
        move |at| (c, at)
    }

    fn join(&mut self, _: bool, (column, at): (&Column, usize), scratch: &mut Vec<u8>) {
        scratch.clear();
        encode_value(column, at, scratch);
        self.append(scratch);
    }

    fn leave(&mut self, _: bool) {
        self.pop();
    }

    fn push(&self, last: bool, out: &mut Column) {
        let end = if last { self.len().checked_sub(1) } else { (self.len() > 0).then_some(0) };
        push_bytes(end.map(|n| self.get(n)), out);
    }

    fn encode(&self, to: &mut Encoder) {
        to.len(self.len());
        (0..self.len()).for_each(|n| to.bytes(self.get(n)));
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        let mut queue = Self::default();
        for _ in 0..from.len(1)? {
            queue.append(from.bytes()?);
        }
        Ok(queue)
    }

    fn held(&self) -> usize {
        self.bytes.capacity() + self.starts.capacity() * 8
    }
}

/// The bests of a group, for MIN and MAX.
#[derive(Default)]
pub(super) struct Bests {
    values: ByteQueue,
    /// The number of each value, and how many values have joined and left.
    numbers: VecDeque<u64>,
    joined: u64,
    left: u64,
}

impl FrameValues for Bests {
    type Value<'c> = &'c [u8];
    const TAG: &'static [u8; 4] = b"best";

    fn reader<'c>(c: &'c Column) -> impl Fn(usize) -> &'c [u8] + 'c {
        let texts = c.byte_column();
        move |at| texts.get(at)
    }

    fn join(&mut self, max: bool, value: &[u8], _: &mut Vec<u8>) {
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
        self.values.append(value);
        self.numbers.push_back(self.joined);
        self.joined += 1;
    }

    fn leave(&mut self, _: bool) {
        if self.numbers.front() == Some(&self.left) {
            self.numbers.pop_front();
            self.values.pop();
            if self.numbers.capacity() > 64 && self.numbers.len() < self.numbers.capacity() / 4 {
                self.numbers.shrink_to(self.numbers.capacity() / 2);
            }
        }
        self.left += 1;
    }

    fn push(&self, _: bool, out: &mut Column) {
        let best = (self.values.len() > 0).then(|| self.values.get(0));
        out.validity.push(best.is_some());
        out.byte_column_mut().push(best.unwrap_or_default());
    }

    fn encode(&self, to: &mut Encoder) {
        self.values.encode(to);
        to.slice(&self.numbers.iter().map(|n| n - self.left).collect::<Vec<u64>>());
        to.i64((self.joined - self.left) as i64);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        let values = ByteQueue::decode(from)?;
        let numbers: Vec<u64> = from.slice()?;
        let joined = from.i64()? as u64;
        let ascend = numbers.windows(2).all(|w| w[0] < w[1]);
        if numbers.len() != values.len() || !ascend || numbers.last().is_some_and(|n| *n >= joined) {
            return Err(Error::corrupt("the values of a sliding MIN or MAX do not fit their rows"));
        }
        Ok(Self { values, numbers: numbers.into(), joined, left: 0 })
    }

    fn held(&self) -> usize {
        self.values.held() + self.numbers.capacity() * 8
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
                        bests.join(max, value.as_bytes(), &mut vec![]);
                        queue.append(value.as_bytes());
                        all.push_back(value.as_bytes());
                    } else if all.pop_front().is_some() {
                        bests.leave(max);
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
            bests.join(true, text.as_bytes(), &mut vec![]);
            queue.append(text.as_bytes());
            if n >= 100 {
                bests.leave(true);
                queue.pop();
            }
            if n == 1000 || n == 19_999 {
                held.push((queue.held(), bests.values.held() < 10_000));
            }
        }
        assert_eq!(held[0], held[1]);
    }
}

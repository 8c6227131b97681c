//! MIN and MAX: the rows of a key that are the best or will be once those before them have left, in a ring of a power of two of entries.
//!
//! Entries are (number, value), numbers ascending and values from the best on: a row that joins cuts its tail by bisection. All frames end at the
//! newest row, so **one queue serves them all**: the best of a frame is the first entry from the frame's start on. Each frame has the
//! place of that entry, its head, which only moves on; what lies before all heads is not there any more.

use super::Layout;
use crate::state::blocks::{Blocks, NONE};

/// Where the class of a ring stands in the word of its tail.
const SIZE: u32 = 56;

/// MIN or MAX of a column, in all frames that ask for it.
pub(super) struct Bests {
    pub(super) by: usize,
    pub(super) max: bool,
    /// The first word of [`Queue`] in the record.
    pub(super) cell: usize,
    /// By frame: the cells of its head and of its start.
    pub(super) frames: Vec<(usize, usize)>,
}

/// The queue of one key, as its record has it. Places count up for ever.
#[derive(Clone, Copy)]
struct Queue {
    block: u64,
    /// The power of two of its entries.
    class: u32,
    /// The place behind the last entry.
    tail: u64,
}

impl Queue {
    #[inline]
    fn of(record: &[u64], cell: usize) -> Self {
        let sizes = record[cell + 1];
        Self { block: record[cell], class: (sizes >> SIZE) as u32, tail: sizes & ((1 << SIZE) - 1) }
    }

    #[inline]
    fn write(self, record: &mut [u64], cell: usize) {
        record[cell] = self.block;
        record[cell + 1] = u64::from(self.class) << SIZE | self.tail;
    }

    /// The first word of an entry in the block.
    #[inline]
    fn word(self, place: u64) -> usize {
        (place & ((1 << self.class) - 1)) as usize * 2
    }

    #[inline]
    fn words(self, blocks: &Blocks) -> &[u64] {
        blocks.get(self.block, 2 << self.class)
    }

    fn entry(self, blocks: &Blocks, place: u64) -> (u64, u64) {
        let (words, at) = (self.words(blocks), self.word(place));
        (words[at], words[at + 1])
    }

    /// The place behind the last entry that a value does not beat.
    #[inline]
    fn cut(self, words: &[u64], front: u64, max: bool, value: u64) -> u64 {
        let beaten = |place: u64| {
            let v = words[self.word(place) + 1] as i64;
            if max { v <= value as i64 } else { v >= value as i64 }
        };
        // Most rows beat none or all of the last few; then bisection.
        let mut tail = self.tail;
        for _ in 0..4 {
            if tail == front || !beaten(tail - 1) {
                return tail;
            }
            tail -= 1;
        }
        let (mut low, mut high) = (front, tail);
        while low < high {
            let middle = low + (high - low) / 2;
            if beaten(middle) { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// A ring of twice the entries.
    #[cold]
    fn widen(&mut self, blocks: &mut Blocks, front: u64) {
        let old = *self;
        self.class = if old.block == NONE { 2 } else { old.class + 1 };
        self.block = blocks.take(self.class + 1);
        if old.block == NONE {
            return;
        }
        let (from, to) = blocks.both((old.block, 2 << old.class), (self.block, 2 << self.class));
        for place in front..self.tail {
            let (from, to) = (&from[old.word(place)..], &mut to[self.word(place)..]);
            (to[0], to[1]) = (from[0], from[1]);
        }
        blocks.give_back(old.block, old.class + 1);
    }

    /// An entry behind all others.
    #[inline]
    fn append(&mut self, blocks: &mut Blocks, front: u64, (number, value): (u64, u64)) {
        if self.block == NONE || self.tail - front == 1 << self.class {
            self.widen(blocks, front);
        }
        let at = self.word(self.tail);
        let words = &mut blocks.get_mut(self.block, 2 << self.class)[at..at + 2];
        (words[0], words[1]) = (number, value);
        self.tail += 1;
    }
}

impl Bests {
    /// Words of a record, besides the heads.
    pub(super) const CELLS: usize = 2;

    /// The place of the first entry that is there.
    #[inline]
    fn front(&self, record: &[u64]) -> u64 {
        let mut front = u64::MAX;
        for &(head, _) in &self.frames {
            front = front.min(record[head]);
        }
        front
    }

    /// The best of the frame whose head is that; none: all its values are NULL.
    #[inline]
    pub(super) fn best(record: &[u64], blocks: &Blocks, cell: usize, head: usize) -> Option<u64> {
        let (queue, place) = (Queue::of(record, cell), record[head]);
        (place < queue.tail).then(|| queue.words(blocks)[queue.word(place) + 1])
    }

    /// [`Bests::best`] by head.
    #[inline]
    pub(super) fn bests<'b>(&self, record: &[u64], blocks: &'b Blocks) -> impl Fn(u64) -> Option<u64> + 'b {
        let queue = Queue::of(record, self.cell);
        let words = if queue.block == NONE { &[] } else { queue.words(blocks) };
        move |head| (head < queue.tail).then(|| words[queue.word(head) + 1])
    }

    /// Asks for the first entry and the last.
    #[inline]
    pub(super) fn expect(&self, record: &[u64], blocks: &Blocks) {
        let (queue, front) = (Queue::of(record, self.cell), self.front(record));
        if front < queue.tail {
            blocks.expect(queue.block, queue.word(front));
            blocks.expect(queue.block, queue.word(queue.tail - 1));
        }
    }

    /// A row joins behind all others, once the starts of the frames are where they are with it: those that are not better than it will never be the
    /// best.
    #[inline]
    pub(super) fn join(&self, record: &mut [u64], blocks: &mut Blocks, number: u64, value: Option<u64>) {
        let mut queue = Queue::of(record, self.cell);
        let front = self.front(record);
        if front < queue.tail {
            let words = queue.words(blocks);
            if let Some(value) = value {
                queue.tail = queue.cut(words, front, self.max, value);
            }
            self.pass(record, queue, words);
        }
        if let Some(value) = value {
            queue.append(blocks, self.front(record), (number, value));
        }
        queue.write(record, self.cell);
    }

    /// The heads pass the rows that have left, as the starts say.
    #[inline]
    fn pass(&self, record: &mut [u64], queue: Queue, words: &[u64]) {
        for &(head, start) in &self.frames {
            let start = record[start];
            let mut place = record[head].min(queue.tail);
            while place < queue.tail && words[queue.word(place)] < start {
                place += 1;
            }
            record[head] = place;
        }
    }

    /// The rows from `number` on have one number more.
    pub(super) fn renumber(&self, record: &[u64], blocks: &mut Blocks, number: u64) {
        let queue = Queue::of(record, self.cell);
        for place in self.front(record)..queue.tail {
            let at = queue.word(place);
            let word = &mut blocks.get_mut(queue.block, 2 << queue.class)[at];
            *word += u64::from(*word >= number);
        }
    }

    /// A row joins between others, once numbers and starts are where they are with it; none: it is NULL, or in no frame.
    pub(super) fn squeeze(&self, record: &mut [u64], blocks: &mut Blocks, number: u64, value: Option<u64>) {
        let mut queue = Queue::of(record, self.cell);
        let front = self.front(record);
        let all: Vec<(u64, u64)> = (front..queue.tail).map(|p| queue.entry(blocks, p)).collect();
        let beats = |a: u64, b: u64| if self.max { a as i64 >= b as i64 } else { a as i64 <= b as i64 };
        let value = value.filter(|&value| !all.iter().any(|&(n, v)| n > number && beats(v, value)));
        queue.tail = front;
        for &entry in all.iter().filter(|e| e.0 < number && !value.is_some_and(|v| beats(v, e.1))) {
            queue.append(blocks, front, entry);
        }
        if let Some(value) = value {
            queue.append(blocks, front, (number, value));
        }
        for &entry in all.iter().filter(|e| e.0 > number) {
            queue.append(blocks, front, entry);
        }
        self.frames.iter().for_each(|&(head, _)| record[head] = front);
        if front < queue.tail {
            self.pass(record, queue, queue.words(blocks));
        }
        queue.write(record, self.cell);
    }

    /// Gives its block back: no entries.
    pub(super) fn empty(&self, record: &mut [u64], blocks: &mut Blocks) {
        let queue = Queue::of(record, self.cell);
        blocks.give_back(queue.block, queue.class + 1);
        Queue { block: NONE, class: 0, tail: 0 }.write(record, self.cell);
        self.frames.iter().for_each(|&(head, _)| record[head] = 0);
    }

    /// Makes the entries of a key's rows in a ring, of which there are none.
    pub(super) fn fill(
        &self,
        record: &mut [u64],
        blocks: &mut Blocks,
        layout: Layout,
        rows: std::ops::Range<u64>,
    ) {
        let first = self.frames.iter().map(|&(_, start)| record[start]).min().unwrap_or(rows.end);
        for number in first.max(rows.start)..rows.end {
            let value = layout.value(layout.row(blocks, record, number), self.by);
            self.join(record, blocks, number, value);
        }
    }
}

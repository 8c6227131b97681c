//! Rows of many keys, each key's in a queue: rows join at the end, and several **readers** move along it, each at its own pace. What
//! all readers have passed is given back at once.
//!
//! A row is a time and bytes. Rows stand one behind the other in blocks of one store; a queue is a chain of blocks, which double in size
//! as it grows, and blocks that are given back serve other queues: in a steady stream nothing is allocated, no step touches more
//! than one row, and what is held is proportional to the rows between the slowest reader and the end.
//!
//! ```text
//! block = row*          row = u32 length of the bytes, i64 time, bytes
//! ```

/// No block.
const NONE: u32 = u32::MAX;
/// The smallest block.
const SMALLEST: usize = 64;
/// Queues grow by blocks of at most this size; a row that is longer gets a block of its own.
const LARGEST: usize = 4096;
const HEAD: usize = 12;

/// See the module's text.
pub struct RowQueues {
    blocks: Vec<Block>,
    /// Unused blocks by the power of two of their size.
    free: Vec<Vec<u32>>,
    queues: Vec<Queue>,
    /// Reader `r` of queue `q` is at `q * readers + r`.
    places: Vec<Place>,
    readers: usize,
    /// Of all blocks.
    bytes: usize,
}

struct Block {
    data: Box<[u8]>,
    len: u32,
    next: u32,
}

#[derive(Clone, Copy)]
struct Queue {
    first: u32,
    last: u32,
    /// Rows that have ever joined.
    rows: u64,
}

#[derive(Clone, Copy)]
struct Place {
    block: u32,
    at: u32,
    /// Rows passed.
    row: u64,
}

const EMPTY: Queue = Queue { first: NONE, last: NONE, rows: 0 };
const START: Place = Place { block: NONE, at: 0, row: 0 };

impl RowQueues {
    /// Queues with so many readers each.
    pub fn new(readers: usize) -> Self {
        Self { blocks: vec![], free: vec![], queues: vec![], places: vec![], readers, bytes: 0 }
    }

    /// Makes queues below `slots` exist.
    pub fn grow(&mut self, slots: usize) {
        if slots > self.queues.len() {
            self.queues.resize(slots, EMPTY);
            self.places.resize(slots * self.readers, START);
        }
    }

    fn places(&mut self, slot: u32) -> &mut [Place] {
        let first = slot as usize * self.readers;
        &mut self.places[first..first + self.readers]
    }

    /// A row joins the queue.
    pub fn push(&mut self, slot: u32, time: i64, bytes: &[u8]) {
        let need = HEAD + bytes.len();
        let last = self.queues[slot as usize].last;
        let block = match self.blocks.get(last as usize) {
            Some(b) if b.data.len() - b.len as usize >= need => last,
            _ => self.link(slot, need),
        };
        let b = &mut self.blocks[block as usize];
        let at = b.len as usize;
        b.data[at..at + 4].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
        b.data[at + 4..at + HEAD].copy_from_slice(&time.to_le_bytes());
        b.data[at + HEAD..at + need].copy_from_slice(bytes);
        b.len += need as u32;
        self.queues[slot as usize].rows += 1;
    }

    /// A block more for the queue, with room for `need` bytes.
    #[cold]
    fn link(&mut self, slot: u32, need: usize) -> u32 {
        let last = self.queues[slot as usize].last;
        let grown = self.blocks.get(last as usize).map_or(SMALLEST, |b| (b.data.len() * 2).min(LARGEST));
        let size = grown.max(need.next_power_of_two());
        let class = size.trailing_zeros() as usize;
        let block = match self.free.get_mut(class).and_then(Vec::pop) {
            Some(block) => block,
            None => {
                assert!(self.blocks.len() < NONE as usize, "a state holds below 2^32 blocks of rows");
                self.bytes += size;
                self.blocks.push(Block { data: vec![0; size].into(), len: 0, next: NONE });
                self.blocks.len() as u32 - 1
            }
        };
        self.queues[slot as usize].last = block;
        match self.blocks.get_mut(last as usize) {
            Some(b) => b.next = block,
            None => self.queues[slot as usize].first = block,
        }
        // Readers that have read all stand at the end, which now is the new block.
        let end = self.blocks.get(last as usize).map_or(0, |b| b.len);
        for p in self.places(slot) {
            if p.block == last && p.at == end {
                (p.block, p.at) = (block, 0);
            }
        }
        self.give_back(slot);
        block
    }

    /// The row that the reader comes to next: its time and bytes.
    #[inline]
    pub fn front(&self, slot: u32, reader: usize) -> Option<(i64, &[u8])> {
        let p = self.places[slot as usize * self.readers + reader];
        if p.row == self.queues[slot as usize].rows {
            return None;
        }
        Some(self.blocks[p.block as usize].row(p.at as usize))
    }

    /// The reader passes that row.
    pub fn pop(&mut self, slot: u32, reader: usize) {
        let place = slot as usize * self.readers + reader;
        let p = &mut self.places[place];
        let b = &self.blocks[p.block as usize];
        let (_, bytes) = b.row(p.at as usize);
        p.at += (HEAD + bytes.len()) as u32;
        p.row += 1;
        if p.at == b.len && b.next != NONE {
            (p.block, p.at) = (b.next, 0);
            self.give_back(slot);
        }
    }

    /// Rows between the reader and the end.
    #[inline]
    pub fn len(&self, slot: u32, reader: usize) -> u64 {
        self.queues[slot as usize].rows - self.places[slot as usize * self.readers + reader].row
    }

    /// Gives back the blocks at which no reader stands.
    fn give_back(&mut self, slot: u32) {
        loop {
            let first = self.queues[slot as usize].first;
            let next = self.blocks[first as usize].next;
            if next == NONE || self.places(slot).iter().any(|p| p.block == first) {
                return;
            }
            self.queues[slot as usize].first = next;
            self.retire(first);
        }
    }

    fn retire(&mut self, block: u32) {
        let b = &mut self.blocks[block as usize];
        (b.len, b.next) = (0, NONE);
        let class = b.data.len().trailing_zeros() as usize;
        if self.free.len() <= class {
            self.free.resize_with(class + 1, Vec::new);
        }
        self.free[class].push(block);
    }

    /// The queue has no rows any more.
    pub fn clear(&mut self, slot: u32) {
        let mut block = std::mem::replace(&mut self.queues[slot as usize], EMPTY).first;
        while block != NONE {
            let next = self.blocks[block as usize].next;
            self.retire(block);
            block = next;
        }
        self.places(slot).fill(START);
    }

    /// Calls `f` with each row that some reader has not passed, and gives the number of those rows.
    pub fn for_each(&self, slot: u32, mut f: impl FnMut(i64, &[u8])) -> u64 {
        let places = &self.places[slot as usize * self.readers..][..self.readers];
        let rows = self.queues[slot as usize].rows;
        let Some(slowest) = places.iter().min_by_key(|p| p.row).filter(|p| p.row < rows) else { return 0 };
        let (mut block, mut at) = (slowest.block, slowest.at as usize);
        while block != NONE {
            let b = &self.blocks[block as usize];
            while at < b.len as usize {
                let (time, bytes) = b.row(at);
                f(time, bytes);
                at += HEAD + bytes.len();
            }
            (block, at) = (b.next, 0);
        }
        rows - slowest.row
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.bytes
            + self.blocks.capacity() * size_of::<Block>()
            + self.queues.capacity() * size_of::<Queue>()
            + self.places.capacity() * size_of::<Place>()
            + self.free.iter().map(|f| f.capacity() * 4).sum::<usize>()
    }
}

impl Block {
    #[inline]
    fn row(&self, at: usize) -> (i64, &[u8]) {
        let head = &self.data[at..at + HEAD];
        let len = u32::from_le_bytes(head[..4].try_into().expect("four bytes")) as usize;
        let time = i64::from_le_bytes(head[4..].try_into().expect("eight bytes"));
        (time, &self.data[at + HEAD..at + HEAD + len])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    /// The rows before a reader.
    type Model = VecDeque<(i64, Vec<u8>)>;

    proptest! {
        /// Each reader sees the rows of its queue in order, whatever the others do, and what all have passed is given back.
        #[test]
        fn readers_see_the_rows_in_order(ops in prop::collection::vec((0..3u32, 0..5usize, 0..300usize), 1..400)) {
            const READERS: usize = 2;
            let mut queues = RowQueues::new(READERS);
            queues.grow(3);
            let mut model: Vec<[Model; READERS]> = vec![Default::default(); 3];
            for (n, (slot, op, len)) in ops.into_iter().enumerate() {
                let m = &mut model[slot as usize];
                match op {
                    0 | 1 => {
                        let row = (n as i64, vec![n as u8; len]);
                        queues.push(slot, row.0, &row.1);
                        m.iter_mut().for_each(|q| q.push_back(row.clone()));
                    }
                    2 | 3 if !m[op - 2].is_empty() => {
                        queues.pop(slot, op - 2);
                        m[op - 2].pop_front();
                    }
                    4 if len < 10 => {
                        queues.clear(slot);
                        m.iter_mut().for_each(VecDeque::clear);
                    }
                    _ => {}
                }
                for (r, q) in model[slot as usize].iter().enumerate() {
                    prop_assert_eq!(queues.len(slot, r), q.len() as u64);
                    prop_assert_eq!(queues.front(slot, r), q.front().map(|(t, b)| (*t, b.as_slice())));
                }
                let longest = model[slot as usize].iter().max_by_key(|q| q.len()).expect("two");
                let mut held = VecDeque::new();
                queues.for_each(slot, |t, b| held.push_back((t, b.to_vec())));
                prop_assert_eq!(&held, longest);
            }
        }
    }

    #[test]
    fn a_steady_queue_takes_no_more_memory() {
        let mut queues = RowQueues::new(1);
        queues.grow(1);
        let mut after_warming = 0;
        for n in 0..100_000 {
            queues.push(0, n, &n.to_le_bytes());
            if n >= 100 {
                queues.pop(0, 0);
            }
            if n == 1000 {
                after_warming = queues.bytes();
            }
        }
        assert_eq!(queues.bytes(), after_warming);
        assert!(after_warming < 16 * 1024, "{after_warming} bytes for 100 rows of 20");
    }
}

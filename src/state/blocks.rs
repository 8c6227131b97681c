//! Memory for many small queues and tables: blocks of words, cut from chunks, given back by size and used again.
//!
//! A block's address is its chunk and its first word there. **Chunks do not move**, so that growing never copies what others hold. They
//! double in size, and large ones ask the kernel for huge pages: state of gigabytes is read here and there, and with pages of
//! 4 KiB most of those reads first wait for the page's own address (docs/decisions/0014-state-beside-its-key.md). Blocks of up to a
//! cache line never cross one.
//!
//! A page comes at the first write to it, and a huge one is long in coming: zeroed at best, fetched from a hypervisor at worst (milliseconds).
//! Who cannot wait then has them come before ([`Blocks::reserve`]).

use crate::host::mmap::advise_huge;
pub use crate::host::mmap::{expect_value, touch};

/// Words of the first chunk, and the most that a chunk has for blocks that fit into it: 64 KiB and 32 MiB.
const FIRST: usize = 1 << 13;
const LARGEST: usize = 1 << 22;
/// Words of a cache line.
const LINE: usize = 8;
/// Words of a huge page.
const HUGE: usize = 1 << 18;

/// See the module's text.
#[derive(Default)]
pub struct Blocks {
    chunks: Vec<Box<[u64]>>,
    /// Chunks to come, whose pages are there.
    ready: Vec<Box<[u64]>>,
    /// The chunk that is being cut, and what of it is cut.
    open: usize,
    cut: usize,
    /// Words of the next chunk.
    next: usize,
    /// Unused blocks by the power of two of their size.
    free: Vec<Vec<u64>>,
    bytes: usize,
}

/// No block.
pub const NONE: u64 = u64::MAX;

impl Blocks {
    /// A block of `1 << class` words, with what an earlier owner left in it.
    #[inline]
    pub fn take(&mut self, class: u32) -> u64 {
        match self.free.get_mut(class as usize).and_then(Vec::pop) {
            Some(block) => block,
            None => self.carve(1 << class),
        }
    }

    /// A block of so many words, zeroed, which is never given back.
    #[cold]
    pub fn carve(&mut self, words: usize) -> u64 {
        let align = words.next_power_of_two().min(LINE);
        let end = self.chunks.get(self.open).map_or(0, |c| c.len());
        if self.cut + self.gap(align) + words > end {
            self.spare(end - self.cut);
            let chunk = match self.ready.iter().position(|c| c.len() >= words + LINE) {
                Some(n) => self.ready.swap_remove(n),
                None => {
                    self.next = (self.next * 2).clamp(FIRST, LARGEST);
                    self.chunk(self.next.max(words + LINE))
                }
            };
            self.chunks.push(chunk);
            (self.open, self.cut) = (self.chunks.len() - 1, 0);
        }
        self.spare(self.gap(align));
        let block = (self.open as u64) << 32 | self.cut as u64;
        self.cut += words;
        block
    }

    fn chunk(&mut self, words: usize) -> Box<[u64]> {
        let mut chunk: Box<[u64]> = vec![0; words].into();
        if chunk.len() >= HUGE {
            advise_huge(&mut chunk);
        }
        self.bytes += chunk.len() * 8;
        chunk
    }

    /// Has the pages of the next `bytes` come now, so that blocks of them wait for none.
    pub fn reserve(&mut self, bytes: usize) {
        let open = self.chunks.get_mut(self.open).map_or(&mut [][..], |c| &mut c[self.cut..]);
        // What is not cut has never been written: it is zeros.
        open.fill(0);
        let there: usize = open.len() + self.ready.iter().map(|c| c.len()).sum::<usize>();
        let mut missing = (bytes / 8).saturating_sub(there);
        while missing > 0 {
            let mut chunk = self.chunk(missing.clamp(FIRST, LARGEST));
            chunk.fill(0);
            missing = missing.saturating_sub(chunk.len());
            self.ready.push(chunk);
        }
    }

    /// Reads each page, those to come as well.
    pub fn touch(&self) {
        self.chunks.iter().chain(&self.ready).for_each(|chunk| touch(chunk));
        self.free.iter().for_each(|free| touch(free));
    }

    /// The number of the open chunk's first uncut word, counted from address 0: what lines are multiples of.
    fn place(&self) -> usize {
        self.chunks.get(self.open).map_or(0, |c| c.as_ptr() as usize / 8) + self.cut
    }

    /// Words up to the next place that is a multiple of `align`.
    fn gap(&self, align: usize) -> usize {
        self.place().next_multiple_of(align) - self.place()
    }

    /// Cuts the next `words` words into blocks that are free.
    fn spare(&mut self, words: usize) {
        let end = self.cut + words;
        while self.cut < end {
            let class = self.place().trailing_zeros().min((end - self.cut).ilog2());
            self.give_back((self.open as u64) << 32 | self.cut as u64, class);
            self.cut += 1 << class;
        }
    }

    /// Takes a block back.
    pub fn give_back(&mut self, block: u64, class: u32) {
        if block == NONE {
            return;
        }
        if self.free.len() <= class as usize {
            self.free.resize_with(class as usize + 1, Vec::new);
        }
        self.free[class as usize].push(block);
    }

    /// The first `words` words of a block.
    #[inline]
    pub fn get(&self, block: u64, words: usize) -> &[u64] {
        let first = block as u32 as usize;
        &self.chunks[(block >> 32) as usize][first..first + words]
    }

    /// The first `words` words of a block, to write to.
    #[inline]
    pub fn get_mut(&mut self, block: u64, words: usize) -> &mut [u64] {
        let first = block as u32 as usize;
        &mut self.chunks[(block >> 32) as usize][first..first + words]
    }

    /// The first words of two blocks, of the second to write to.
    pub fn both(&mut self, (from, few): (u64, usize), (to, many): (u64, usize)) -> (&[u64], &mut [u64]) {
        let (first, at) = (from as u32 as usize, to as u32 as usize);
        let (chunk, other) = ((from >> 32) as usize, (to >> 32) as usize);
        if chunk == other {
            let words = &mut self.chunks[chunk];
            return if first < at {
                let (before, behind) = words.split_at_mut(at);
                (&before[first..first + few], &mut behind[..many])
            } else {
                let (before, behind) = words.split_at_mut(first);
                (&behind[..few], &mut before[at..at + many])
            };
        }
        let [from, to] = self.chunks.get_disjoint_mut([chunk, other]).expect("two chunks that are there");
        (&from[first..first + few], &mut to[at..at + many])
    }

    /// Asks for the cache line of a block's word: it will be read soon. A hint.
    #[inline]
    pub fn expect(&self, block: u64, word: usize) {
        if let Some(chunk) = self.chunks.get((block >> 32) as usize) {
            expect_value(chunk, block as u32 as usize + word);
        }
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.bytes + self.free.iter().map(|f| f.capacity() * 8).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of all sizes, some given back: none overlaps another that is held, small ones stay within a line, and nothing is lost.
    #[test]
    fn blocks_do_not_overlap() {
        let mut blocks = Blocks::default();
        let mut held: Vec<(u64, u32, u64)> = vec![];
        let mut seed = 7_u64;
        for n in 0..20_000_u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if seed >> 61 == 0 && !held.is_empty() {
                let (block, class, mark) = held.swap_remove((seed >> 20) as usize % held.len());
                assert!(blocks.get(block, 1 << class).iter().all(|w| *w == mark));
                blocks.give_back(block, class);
                continue;
            }
            let class = ((seed >> 33) % 64).trailing_ones() * 2 + (seed >> 50) as u32 % 2;
            let block = blocks.take(class);
            let words = blocks.get_mut(block, 1 << class);
            assert!(words.len() > LINE || (words.as_ptr() as usize).is_multiple_of(words.len() * 8));
            words.fill(n);
            held.push((block, class, n));
        }
        for (block, class, mark) in held {
            assert!(blocks.get(block, 1 << class).iter().all(|w| *w == mark));
        }
        // Memory that was made ready is used, and is as any other: zeros.
        let before = blocks.bytes;
        blocks.reserve(LARGEST * 20);
        let ready = blocks.bytes;
        assert!(ready >= before + LARGEST * 12);
        blocks.reserve(LARGEST * 20);
        for _ in 0..2 {
            let carved = blocks.carve(LARGEST / 2);
            assert_eq!(blocks.get(carved, LARGEST / 2).iter().sum::<u64>(), 0);
        }
        assert_eq!(blocks.bytes, ready, "nothing came");
        let carved = blocks.carve(LARGEST + 3);
        assert_eq!(blocks.get(carved, LARGEST + 3).iter().sum::<u64>(), 0);
    }
}

//! Memory for many small queues: blocks of a power of two of words, cut from chunks, given back by size and used again.
//!
//! A block's address is its chunk and its first word there. Chunks do not move, so that growing never copies what others hold; blocks larger
//! than a chunk have one of their own.

/// Words of a chunk.
const CHUNK: usize = 1 << 17;

/// See the module's text.
#[derive(Default)]
pub(super) struct Blocks {
    chunks: Vec<Box<[u64]>>,
    /// Words of the last chunk that were cut.
    cut: usize,
    /// The chunk that is being cut.
    open: usize,
    /// Unused blocks by the power of two of their size.
    free: Vec<Vec<u64>>,
    bytes: usize,
}

/// No block.
pub(super) const NONE: u64 = u64::MAX;

impl Blocks {
    /// A block of `1 << class` words, with what an earlier owner left in it.
    pub(super) fn take(&mut self, class: u32) -> u64 {
        if let Some(block) = self.free.get_mut(class as usize).and_then(Vec::pop) {
            return block;
        }
        let words = 1_usize << class;
        if words > CHUNK {
            self.chunks.push(vec![0; words].into());
            self.bytes += words * 8;
            return ((self.chunks.len() - 1) as u64) << 32;
        }
        if self.chunks.is_empty() || self.cut + words > CHUNK {
            self.chunks.push(vec![0; CHUNK].into());
            self.bytes += CHUNK * 8;
            (self.open, self.cut) = (self.chunks.len() - 1, 0);
        }
        let block = (self.open as u64) << 32 | self.cut as u64;
        self.cut += words;
        block
    }

    /// Takes a block back.
    pub(super) fn give_back(&mut self, block: u64, class: u32) {
        if block == NONE {
            return;
        }
        if self.free.len() <= class as usize {
            self.free.resize_with(class as usize + 1, Vec::new);
        }
        self.free[class as usize].push(block);
    }

    /// The words of a block.
    #[inline]
    pub(super) fn get(&self, block: u64, class: u32) -> &[u64] {
        let first = block as u32 as usize;
        &self.chunks[(block >> 32) as usize][first..first + (1 << class)]
    }

    /// The words of a block, to write to.
    #[inline]
    pub(super) fn get_mut(&mut self, block: u64, class: u32) -> &mut [u64] {
        let first = block as u32 as usize;
        &mut self.chunks[(block >> 32) as usize][first..first + (1 << class)]
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.free.iter().map(|f| f.capacity() * 8).sum::<usize>()
    }
}

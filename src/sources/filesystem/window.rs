//! The bytes that have arrived and are not decoded yet, as one slice.
//!
//! ```text
//! block   [ headroom | data from the file ................ ]
//! next              [ headroom  rest of last | data ...... ]
//! ```
//!
//! A block arrives with room in front of its data. What is left of the block before it, an unfinished record, is copied into that
//! room, so that a record may cross blocks and no block is copied as a whole. A rest that is longer than the room grows in place.

/// Room in front of a block's data.
pub(super) const HEADROOM: usize = 64 << 10;
/// Data read at once.
pub(super) const BLOCK: usize = 256 << 10;
/// The longest record.
pub(super) const MAX_RECORD: usize = 64 << 20;

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Window {
    buffer: Vec<u8>,
    start: usize,
}

impl Window {
    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// The first `n` bytes are done with.
    pub(super) fn consume(&mut self, n: usize) {
        self.start += n;
        debug_assert!(self.start <= self.buffer.len());
    }

    /// Adds a block, whose data starts at [`HEADROOM`]. Gives back memory to read the next one into.
    pub(super) fn add(&mut self, mut block: Vec<u8>) -> Vec<u8> {
        let rest = self.buffer.len() - self.start;
        if rest <= HEADROOM {
            block[HEADROOM - rest..HEADROOM].copy_from_slice(&self.buffer[self.start..]);
            self.start = HEADROOM - rest;
            return std::mem::replace(&mut self.buffer, block);
        }
        // Make up for the bytes in front at most as often as bytes come in.
        if self.start >= rest {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(&block[HEADROOM..]);
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_in_order_whatever_is_left_of_a_block() {
        let mut w = Window::default();
        let (mut model, mut next) = (Vec::<u8>::new(), 0u64);
        for step in 0..200usize {
            let mut block = vec![0; HEADROOM];
            for _ in 0..(step * 7919) % 50_000 {
                next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                block.push((next >> 33) as u8);
            }
            model.extend_from_slice(&block[HEADROOM..]);
            w.add(block);
            assert_eq!(w.bytes(), &model[..]);
            // For a while nothing is used, so that the rest outgrows the room.
            let used = if step % 20 < 10 { 0 } else { model.len() - (step * 31) % (model.len() + 1) };
            w.consume(used);
            model.drain(..used);
            assert_eq!(w.bytes(), &model[..]);
        }
    }
}

//! Where a byte stands in a text. Sixteen bytes are compared at a time and sixty-four become the bits of a word, so that parts that are
//! too short for a search of each cost some instructions.

/// Bytes of a lane.
const LANE: usize = 16;
/// Bytes of a word of bits.
const BLOCK: usize = 64;

/// The places of a byte in a text, in order.
pub struct Places<'t> {
    text: &'t [u8],
    byte: u8,
    /// Where the next block begins.
    next: usize,
    /// Where it stands in the block before, as bits.
    bits: u64,
}

impl<'t> Places<'t> {
    /// Those of `byte` in `text`.
    #[inline(always)]
    pub fn new(text: &'t [u8], byte: u8) -> Self {
        let mut places = Self { text, byte, next: 0, bits: 0 };
        places.load();
        places
    }

    /// The bits of the next block.
    #[inline(always)]
    fn load(&mut self) {
        let rest = &self.text[self.next..];
        self.next += rest.len().min(BLOCK);
        let (lanes, tail) = rest[..rest.len().min(BLOCK)].as_chunks::<LANE>();
        self.bits = 0;
        for (n, lane) in lanes.iter().enumerate() {
            self.bits |= u64::from(lane_bits(lane, self.byte)) << (n * LANE);
        }
        if tail.is_empty() {
            return;
        }
        let at = lanes.len() * LANE;
        let bits = match self.text[..self.next].last_chunk() {
            // The end of the text, of which the beginning of the lane has been seen.
            Some(lane) => u64::from(lane_bits(lane, self.byte)) >> (LANE - tail.len()),
            None => tail.iter().rev().fold(0, |bits, b| bits << 1 | u64::from(*b == self.byte)),
        };
        self.bits |= bits << at;
    }
}

impl Iterator for Places<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            if self.next == self.text.len() {
                return None;
            }
            self.load();
        }
        let start = (self.next - 1) / BLOCK * BLOCK;
        let at = start + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(at)
    }
}

/// The bits of the bytes of a lane that are `byte`.
#[inline(always)]
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "three instructions that every such processor has; bench `expr`, SPLIT_INDEX")]
fn lane_bits(lane: &[u8; LANE], byte: u8) -> u16 {
    use std::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set1_epi8};
    let lane: __m128i = bytemuck::must_cast(*lane);
    // SAFETY: they want SSE2, which is part of x86-64, and nothing of their values.
    unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(lane, _mm_set1_epi8(byte as i8))) as u16 }
}

/// The bits of the bytes of a lane that are `byte`.
#[cfg(not(target_arch = "x86_64"))]
fn lane_bits(lane: &[u8; LANE], byte: u8) -> u16 {
    lane.iter().rev().fold(0, |bits, b| bits << 1 | u16::from(*b == byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_are_those_of_a_search(text in prop::collection::vec(0u8..3, 0..200)) {
            let wanted: Vec<usize> = (0..text.len()).filter(|&n| text[n] == 1).collect();
            prop_assert_eq!(Places::new(&text, 1).collect::<Vec<_>>(), wanted);
        }
    }
}

//! One byte string a slot, in an arena of its own.
//!
//! A string that is replaced by one that fits its place is overwritten there; else it moves to the end and leaves a hole. When holes are more than
//! half, the arena is packed, so memory is bounded by twice the live bytes and a replacement costs no allocation.

use crate::batch::key::decode_value;
use crate::batch::{Column, Decoder, Encoder};
use crate::error::Result;

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Cells {
    arena: Vec<u8>,
    cells: Vec<Cell>,
    /// Reserved bytes of live cells.
    live: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    offset: usize,
    len: u32,
    room: u32,
    some: bool,
}

/// Appends the value of canonical bytes, which is what cells hold of values of any type; none: NULL.
pub(super) fn push_bytes(bytes: Option<&[u8]>, out: &mut Column) {
    match bytes {
        None => out.push_null(),
        Some(mut b) => decode_value(&mut b, out),
    }
}

impl Cells {
    pub(super) fn grow(&mut self, slots: usize) {
        if slots > self.cells.len() {
            self.cells.resize(slots, Cell::default());
        }
    }

    /// The slot's bytes, if it has any value.
    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&[u8]> {
        let c = &self.cells[slot as usize];
        c.some.then(|| &self.arena[c.offset..c.offset + c.len as usize])
    }

    /// Replaces the slot's bytes.
    pub(super) fn set(&mut self, slot: u32, bytes: &[u8]) {
        let c = &mut self.cells[slot as usize];
        if bytes.len() > c.room as usize {
            self.live -= c.room as usize;
            c.offset = self.arena.len();
            c.room = bytes.len().next_multiple_of(16) as u32;
            self.live += c.room as usize;
            self.arena.resize(c.offset + c.room as usize, 0);
        }
        c.len = bytes.len() as u32;
        c.some = true;
        let at = c.offset;
        self.arena[at..at + bytes.len()].copy_from_slice(bytes);
        if self.arena.len() > 4096 && self.arena.len() > 2 * self.live {
            self.pack();
        }
    }

    /// The slot has no value; its room stays for the next.
    pub(super) fn clear(&mut self, slot: u32) {
        self.cells[slot as usize].some = false;
    }

    fn pack(&mut self) {
        let mut packed = Vec::with_capacity(self.live);
        for c in &mut self.cells {
            let from = c.offset..c.offset + c.room as usize;
            c.offset = packed.len();
            packed.extend_from_slice(&self.arena[from]);
        }
        self.arena = packed;
    }

    pub(super) fn encode(&self, slots: &[u32], to: &mut Encoder) {
        for &s in slots {
            let v = self.get(s);
            to.bool(v.is_some());
            if let Some(v) = v {
                to.bytes(v);
            }
        }
    }

    pub(super) fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        *self = Self::default();
        self.grow(slots);
        for s in 0..slots {
            if from.bool()? {
                self.set(s as u32, from.bytes()?);
            }
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        self.arena.capacity() + self.cells.capacity() * size_of::<Cell>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_behave_like_a_vector_of_strings(ops in prop::collection::vec((0u32..8, prop::option::of(prop::collection::vec(any::<u8>(), 0..300))), 0..200)) {
            let mut model: Vec<Option<Vec<u8>>> = vec![None; 8];
            let mut cells = Cells::default();
            cells.grow(8);
            for (slot, v) in ops {
                match &v {
                    Some(v) => cells.set(slot, v),
                    None => cells.clear(slot),
                }
                model[slot as usize] = v;
                for s in 0..8u32 {
                    prop_assert_eq!(cells.get(s), model[s as usize].as_deref());
                }
                prop_assert!(cells.arena.len() <= 4096 + 320 || cells.arena.len() <= 2 * cells.live + 320);
            }
        }
    }
}

//! Rows of a keyed state as bytes: the canonical ones of [`key`](crate::batch::key), one behind the other in an arena. A row has a slot
//! while it is held; the space of rows that went is taken back when it outgrows that of the others.

use crate::batch::key::{decode_value, encode_key};
use crate::batch::{Batch, Column, DataType, Decoder, Encoder};
use crate::error::{Error, Result};

/// Dead bytes that are always borne.
const SMALL: usize = 1 << 16;
/// Rows written together.
const CHUNK: usize = 1024;

/// See the module's text.
#[derive(Default)]
pub struct Rows {
    arena: Vec<u8>,
    /// By slot: where the row stands, and its length; `u32::MAX`: the slot is free.
    spans: Vec<(usize, u32)>,
    free: Vec<u32>,
    dead: usize,
}

const FREE: u32 = u32::MAX;

/// Appends the bytes of row `row` of a batch.
pub fn encode_row(batch: &Batch, row: usize, to: &mut Vec<u8>) {
    encode_key(&batch.columns, row, to);
}

/// Appends a row's values to columns of its types.
pub fn decode_row<'c>(mut bytes: &[u8], to: impl Iterator<Item = &'c mut Column>) {
    to.for_each(|c| decode_value(&mut bytes, c));
    debug_assert!(bytes.is_empty(), "as many values as columns");
}

impl Rows {
    /// Holds a row; gives its slot.
    pub fn insert(&mut self, bytes: &[u8]) -> u32 {
        let span = (self.arena.len(), bytes.len() as u32);
        self.arena.extend_from_slice(bytes);
        match self.free.pop() {
            Some(slot) => {
                self.spans[slot as usize] = span;
                slot
            }
            None => {
                self.spans.push(span);
                assert!(self.spans.len() < FREE as usize, "a state holds below 2^32 rows");
                self.spans.len() as u32 - 1
            }
        }
    }

    /// The bytes of the row in that slot.
    pub fn get(&self, slot: u32) -> &[u8] {
        let (start, len) = self.spans[slot as usize];
        &self.arena[start..start + len as usize]
    }

    /// Lets the row go.
    pub fn remove(&mut self, slot: u32) {
        let span = &mut self.spans[slot as usize];
        debug_assert_ne!(span.1, FREE, "the row is held");
        self.dead += span.1 as usize;
        span.1 = FREE;
        self.free.push(slot);
        if self.dead > SMALL && self.dead * 2 > self.arena.len() {
            self.compact();
        }
    }

    /// Copies what is held into a new arena.
    fn compact(&mut self) {
        let mut arena = Vec::with_capacity((self.arena.len() - self.dead) * 3 / 2);
        for span in self.spans.iter_mut().filter(|s| s.1 != FREE) {
            let start = arena.len();
            arena.extend_from_slice(&self.arena[span.0..span.0 + span.1 as usize]);
            span.0 = start;
        }
        self.arena = arena;
        self.dead = 0;
    }

    /// Number of rows held.
    pub fn len(&self) -> usize {
        self.spans.len() - self.free.len()
    }

    /// No row is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.arena.capacity() + self.spans.capacity() * size_of::<(usize, u32)>() + self.free.capacity() * 4
    }

    /// Writes the rows of `slots`, as columns of `types`; restored, they have the slots `0..n`.
    pub fn encode(&self, types: &[DataType], slots: &[u32], to: &mut Encoder) {
        to.block(b"ROWS", 1);
        to.len(slots.len());
        for chunk in slots.chunks(CHUNK) {
            let mut columns: Vec<Column> = types.iter().map(Column::new).collect();
            chunk.iter().for_each(|&s| decode_row(self.get(s), columns.iter_mut()));
            columns.iter().for_each(|c| to.column(c));
        }
    }

    /// Reads what [`Rows::encode`] wrote into an empty store; gives the number of rows.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn decode(&mut self, types: &[DataType], from: &mut Decoder<'_>) -> Result<usize> {
        from.block(b"ROWS", 1)?;
        let n = from.u64()? as usize;
        let mut bytes = vec![];
        for start in (0..n).step_by(CHUNK) {
            let rows = CHUNK.min(n - start);
            let mut columns: Vec<Column> = types.iter().map(Column::new).collect();
            for c in &mut columns {
                from.column(c)?;
                if c.len() != rows {
                    return Err(Error::corrupt("rows of a keyed state do not fit their number"));
                }
            }
            for row in 0..rows {
                bytes.clear();
                encode_key(&columns, row, &mut bytes);
                self.insert(&bytes);
            }
            if types.is_empty() {
                return Err(Error::corrupt("rows without columns"));
            }
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slots keep their rows while others come and go, and space is taken back.
    #[test]
    fn rows_stay_while_others_go() {
        let mut rows = Rows::default();
        let kept: Vec<u32> = (0..10u8).map(|n| rows.insert(&[n; 100])).collect();
        for round in 0..20_000u32 {
            let slot = rows.insert(&round.to_le_bytes().repeat(10));
            assert_eq!(rows.get(slot), round.to_le_bytes().repeat(10));
            rows.remove(slot);
        }
        for (n, &slot) in kept.iter().enumerate() {
            assert_eq!(rows.get(slot), [n as u8; 100]);
        }
        assert_eq!(rows.len(), 10);
        assert!(rows.bytes() < 4 * SMALL, "{} bytes for 10 rows", rows.bytes());
    }
}

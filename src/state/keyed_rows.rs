//! The rows of one side of a join, found by key: each distinct row once, with how often it is held and how many rows of the other side match
//! it. The rows of a key are a list in the order in which they came, so that nothing depends on a hash.
//!
//! Rows are found by their bytes ([`KeyTable`] over all columns), hence one that goes is found without looking through its key's rows.
//! Finding makes a slot; a slot that holds nothing is given back by [`KeyedRows::settle`], once a batch.

use super::KeyTable;
use crate::batch::{Column, ColumnRef, DataType, Decoder, Encoder};
use crate::error::{Error, Result};

/// No row.
pub const NO_ROW: u32 = u32::MAX;

/// See the module's text.
pub struct KeyedRows {
    rows: KeyTable,
    /// By slot of a row.
    held: Vec<Held>,
    /// By slot of a key: the first and the last row.
    ends: Vec<(u32, u32)>,
    next: u64,
}

/// What is known of a row.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    count: u32,
    matched: u32,
    key: u32,
    before: u32,
    after: u32,
    /// Its place among all rows.
    order: u64,
}

impl KeyedRows {
    /// No rows of columns of these types.
    pub fn new(types: Vec<DataType>) -> Self {
        Self { rows: KeyTable::new(types, false), held: vec![], ends: vec![], next: 0 }
    }

    /// Appends the slot of each of `rows` to `slots`.
    pub fn find(&mut self, columns: &[&Column], rows: &[u32], slots: &mut Vec<u32>) {
        self.rows.find_or_insert(None, columns, rows, slots);
        if self.held.len() < self.rows.bound() {
            self.held.resize(self.rows.bound(), Held::default());
        }
    }

    /// Holds the row once more, under that key.
    pub fn add(&mut self, slot: u32, key: u32, matched: u32) {
        if self.ends.len() <= key as usize {
            self.ends.resize(key as usize + 1, (NO_ROW, NO_ROW));
        }
        let row = &mut self.held[slot as usize];
        row.matched = matched;
        row.count += 1;
        if row.count > 1 {
            return;
        }
        let ends = &mut self.ends[key as usize];
        *row = Held { count: 1, matched, key, before: ends.1, after: NO_ROW, order: self.next };
        self.next += 1;
        match std::mem::replace(&mut ends.1, slot) {
            NO_ROW => ends.0 = slot,
            last => self.held[last as usize].after = slot,
        }
    }

    /// Holds the row once less; a row that is not held stays so.
    pub fn remove(&mut self, slot: u32) {
        let row = &mut self.held[slot as usize];
        match row.count {
            0 => {}
            1 => {
                let Held { key, before, after, .. } = std::mem::take(row);
                let ends = &mut self.ends[key as usize];
                match before {
                    NO_ROW => ends.0 = after,
                    before => self.held[before as usize].after = after,
                }
                match after {
                    NO_ROW => ends.1 = before,
                    after => self.held[after as usize].before = before,
                }
            }
            _ => row.count -= 1,
        }
    }

    /// The first row of a key, or [`NO_ROW`].
    pub fn first(&self, key: u32) -> u32 {
        self.ends.get(key as usize).map_or(NO_ROW, |e| e.0)
    }

    /// The row behind it among those of its key.
    pub fn after(&self, slot: u32) -> u32 {
        self.held[slot as usize].after
    }

    /// How often the row is held.
    pub fn count(&self, slot: u32) -> u32 {
        self.held[slot as usize].count
    }

    /// How many rows of the other side match it.
    pub fn matched(&self, slot: u32) -> u32 {
        self.held[slot as usize].matched
    }

    /// Another number of rows matches it.
    pub fn set_matched(&mut self, slot: u32, matched: u32) {
        self.held[slot as usize].matched = matched;
    }

    /// Gives back those of the slots that hold nothing. Each may stand there several times.
    pub fn settle(&mut self, slots: &mut Vec<u32>) {
        slots.sort_unstable();
        slots.dedup();
        for &slot in slots.iter() {
            if self.held[slot as usize].count == 0 {
                self.rows.remove(slot);
            }
        }
    }

    /// Appends rows to columns of their types, which nobody shares.
    pub fn emit(&self, slots: &[u32], out: &mut [ColumnRef]) {
        self.rows.emit(slots, out);
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.rows.bytes()
            + self.held.capacity() * size_of::<Held>()
            + self.ends.capacity() * size_of::<(u32, u32)>()
    }

    /// Writes the rows in the order in which they came; `number` gives the number that the slot of a key will have.
    pub fn encode(&self, number: impl Fn(u32) -> u32, to: &mut Encoder) {
        to.block(b"KROW", 1);
        let mut slots = self.rows.order();
        slots.sort_unstable_by_key(|&s| self.held[s as usize].order);
        self.rows.encode(&slots, to);
        let column = |of: &dyn Fn(&Held) -> u32| -> Vec<u32> {
            slots.iter().map(|&s| of(&self.held[s as usize])).collect()
        };
        to.slice(&column(&|h| h.count));
        to.slice(&column(&|h| h.matched));
        to.slice(&column(&|h| number(h.key)));
    }

    /// Reads what [`KeyedRows::encode`] wrote into an empty state; there are `keys` keys.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn decode(&mut self, keys: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"KROW", 1)?;
        let rows = self.rows.decode(None, from)?;
        let (counts, matched, of): (Vec<u32>, Vec<u32>, Vec<u32>) =
            (from.slice()?, from.slice()?, from.slice()?);
        let fits = [counts.len(), matched.len(), of.len()].iter().all(|&n| n == rows)
            && counts.iter().all(|&c| c > 0)
            && of.iter().all(|&k| (k as usize) < keys);
        if !fits {
            return Err(Error::corrupt("the rows of a join do not fit their keys"));
        }
        self.held.resize(rows, Held::default());
        for slot in 0..rows {
            self.add(slot as u32, of[slot], matched[slot]);
            self.held[slot].count = counts[slot];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::TypeKind;
    use proptest::prelude::*;

    fn column(values: &[i32]) -> Column {
        let mut c = Column::of_kind(&TypeKind::Int);
        for &v in values {
            c.buffer_mut::<i32>().push(v);
            c.validity.push(true);
        }
        c
    }

    fn list(rows: &KeyedRows, key: u32) -> Vec<(i32, u32)> {
        let mut found = vec![];
        let mut at = rows.first(key);
        while at != NO_ROW {
            let mut out = [ColumnRef::new(Column::of_kind(&TypeKind::Int))];
            rows.emit(&[at], &mut out);
            found.push((out[0].slice::<i32>()[0], rows.count(at)));
            at = rows.after(at);
        }
        found
    }

    proptest! {
        /// The rows of each key are those of a list that is searched, in the same order, also in state that was written and read.
        #[test]
        fn the_same_as_lists_that_are_searched(
            steps in prop::collection::vec((any::<bool>(), 0u32..3, 0i32..4), 0..60)
        ) {
            let types = vec![TypeKind::Int.nullable()];
            let mut rows = KeyedRows::new(types.clone());
            let mut naive: Vec<Vec<(i32, u32)>> = vec![vec![]; 3];
            for (adds, key, value) in steps {
                // A row tells its key.
                let value = value * 3 + key as i32;
                let mut slots = vec![];
                rows.find(&[&column(&[value])], &[0], &mut slots);
                let known = naive[key as usize].iter().position(|r| r.0 == value);
                match (adds, known) {
                    (true, Some(at)) => naive[key as usize][at].1 += 1,
                    (true, None) => naive[key as usize].push((value, 1)),
                    (false, Some(at)) => {
                        naive[key as usize][at].1 -= 1;
                        naive[key as usize].retain(|r| r.1 > 0);
                    }
                    (false, None) => {}
                }
                if adds { rows.add(slots[0], key, 0) } else { rows.remove(slots[0]) }
                rows.settle(&mut slots);
            }
            let mut bytes = Encoder::default();
            rows.encode(|k| k, &mut bytes);
            let bytes = bytes.finish();
            let mut again = KeyedRows::new(types);
            again.decode(3, &mut Decoder::new(&bytes)).unwrap();
            for key in 0..3u32 {
                prop_assert_eq!(&list(&rows, key), &naive[key as usize]);
                prop_assert_eq!(&list(&again, key), &naive[key as usize]);
            }
        }
    }
}

//! COUNT(DISTINCT) of a key: how often it has each value, in up to [`LANES`] frames.
//!
//! **Each key has a table of its own**, which stands in the blocks beside its rows: open addressing, a line for two entries. What a card has
//! seen in a day fits into a few lines that lie together, so that a row which joins and the rows which leave find theirs with one miss, and a
//! table that grows copies one key's values. One table for all keys would have a miss for each, and stand still for
//! seconds when it grows.
//!
//! ```text
//! entry = value, counts of lanes 0 and 1, counts of lanes 2 and 3, hash      all counts 0: no entry
//! ```

use crate::state::blocks::{Blocks, NONE};
use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher;
use std::ops::Range;

/// Frames that share a table of distinct values.
pub(super) const LANES: usize = 4;
/// Words of an entry, and the power of two of that.
const ENTRY: usize = 4;
const ENTRY_CLASS: u32 = 2;
/// The power of two of the least entries of a table: two lines.
const LEAST: u32 = 2;

/// A value and its hash.
#[derive(Clone, Copy)]
pub(super) struct Hashed {
    value: u64,
    hash: u64,
}

impl Hashed {
    #[inline]
    pub(super) fn new(value: u64, hasher: &DefaultHashBuilder) -> Self {
        Self { value, hash: hasher.hash_one(value) }
    }
}

/// A value of a row that leaves a lane of the table `nth`.
#[derive(Clone, Copy)]
pub(super) struct Left {
    pub(super) value: Hashed,
    pub(super) nth: u16,
    pub(super) lane: u16,
}

/// The table of one key, as its record has it.
#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) block: u64,
    /// The power of two of its entries.
    pub(super) class: u32,
    len: u32,
}

impl Values {
    /// Words of a record.
    pub(super) const CELLS: usize = 2;

    #[inline]
    pub(super) fn of(record: &[u64], cell: usize) -> Self {
        Self { block: record[cell], class: (record[cell + 1] >> 32) as u32, len: record[cell + 1] as u32 }
    }

    #[inline]
    fn write(self, record: &mut [u64], cell: usize) {
        record[cell] = self.block;
        record[cell + 1] = u64::from(self.class) << 32 | u64::from(self.len);
    }

    /// The power of two of the words of its block.
    pub(super) fn words(self) -> u32 {
        self.class + ENTRY_CLASS
    }

    /// Asks for the line where `value` is.
    #[inline]
    pub(super) fn expect(self, blocks: &Blocks, value: Hashed) {
        if self.block != NONE {
            blocks.expect(self.block, self.home(value.hash) * ENTRY);
        }
    }

    #[inline]
    fn home(self, hash: u64) -> usize {
        (hash >> 32) as usize & ((1 << self.class) - 1)
    }

    /// A row joins in all lanes that `counts` names by their cells, and the rows of `left` leave theirs: the counts follow.
    #[inline]
    pub(super) fn turn(
        record: &mut [u64],
        cell: usize,
        counts: &[usize],
        blocks: &mut Blocks,
        value: Option<Hashed>,
        left: &[Left],
    ) {
        let mut own = Self::of(record, cell);
        if value.is_some() && (own.block == NONE || (own.len + 1) * 4 > 3 << own.class) {
            own.widen(blocks);
        }
        if own.block == NONE {
            return;
        }
        let words = blocks.get_mut(own.block, ENTRY << own.class);
        if let Some(value) = value {
            let at = own.find(words, value) * ENTRY;
            let entry = &mut words[at..at + ENTRY];
            if entry[1] | entry[2] == 0 {
                (entry[0], entry[3]) = (value.value, value.hash);
                own.len += 1;
            }
            for (lane, &to) in counts.iter().enumerate() {
                let (word, shift) = (1 + lane / 2 % 2, lane % 2 * 32);
                record[to] += u64::from((entry[word] >> shift) as u32 == 0);
                entry[word] += 1 << shift;
            }
        }
        for row in left {
            let (at, lane) = (own.find(words, row.value), usize::from(row.lane));
            let entry = &mut words[at * ENTRY..at * ENTRY + ENTRY];
            debug_assert!(count(entry, lane) > 0, "what leaves had joined");
            let (word, shift) = (1 + lane / 2 % 2, lane % 2 * 32);
            entry[word] -= 1 << shift;
            record[counts[lane]] -= u64::from((entry[word] >> shift) as u32 == 0);
            if entry[1] | entry[2] == 0 {
                own.close(words, at);
                own.len -= 1;
            }
        }
        if own.class > LEAST + 2 && own.len * 8 < 1 << own.class {
            own.rebuild(blocks, own.class - 1);
        }
        own.write(record, cell);
    }

    #[cold]
    fn widen(&mut self, blocks: &mut Blocks) {
        let class = if self.block == NONE { LEAST } else { self.class + 1 };
        self.rebuild(blocks, class);
    }

    /// The value joins these lanes; a bit for each where it is the first there.
    #[inline]
    pub(super) fn join(
        record: &mut [u64],
        cell: usize,
        blocks: &mut Blocks,
        hasher: &DefaultHashBuilder,
        value: u64,
        lanes: Range<usize>,
    ) -> u32 {
        let entry = Self::entry(record, cell, blocks, hasher, value);
        let mut first = 0;
        for lane in lanes {
            first |= u32::from(count(entry, lane) == 0) << lane;
            entry[1 + lane / 2] += 1 << (lane % 2 * 32);
        }
        first
    }

    /// The value leaves a lane: true where that was the last of it.
    #[inline]
    pub(super) fn leave(
        record: &mut [u64],
        cell: usize,
        blocks: &mut Blocks,
        hasher: &DefaultHashBuilder,
        value: u64,
        lane: usize,
    ) -> bool {
        let mut own = Self::of(record, cell);
        let words = blocks.get_mut(own.block, ENTRY << own.class);
        let at = own.find(words, Hashed::new(value, hasher));
        let entry = &mut words[at * ENTRY..(at + 1) * ENTRY];
        debug_assert!(count(entry, lane) > 0, "what leaves had joined");
        entry[1 + lane / 2] -= 1 << (lane % 2 * 32);
        let last = count(entry, lane) == 0;
        if entry[1] | entry[2] == 0 {
            own.close(words, at);
            own.len -= 1;
            if own.class > LEAST + 2 && own.len * 8 < 1 << own.class {
                own.rebuild(blocks, own.class - 1);
            }
            own.write(record, cell);
        }
        last
    }

    /// How often a lane has the value.
    pub(super) fn count(
        record: &[u64],
        cell: usize,
        blocks: &Blocks,
        hasher: &DefaultHashBuilder,
        value: u64,
        lane: usize,
    ) -> u32 {
        let own = Self::of(record, cell);
        if own.block == NONE {
            return 0;
        }
        let words = blocks.get(own.block, ENTRY << own.class);
        let at = own.find(words, Hashed::new(value, hasher));
        count(&words[at * ENTRY..(at + 1) * ENTRY], lane)
    }

    /// The entry of a value, a new one where there is none.
    #[inline]
    fn entry<'b>(
        record: &mut [u64],
        cell: usize,
        blocks: &'b mut Blocks,
        hasher: &DefaultHashBuilder,
        value: u64,
    ) -> &'b mut [u64] {
        let mut own = Self::of(record, cell);
        if own.block == NONE || (own.len + 1) * 4 > 3 << own.class {
            own.widen(blocks);
            own.write(record, cell);
        }
        let words = blocks.get_mut(own.block, ENTRY << own.class);
        let value = Hashed::new(value, hasher);
        let at = own.find(words, value);
        let entry = &mut words[at * ENTRY..(at + 1) * ENTRY];
        if entry[1] | entry[2] == 0 {
            (entry[0], entry[3]) = (value.value, value.hash);
            own.len += 1;
            own.write(record, cell);
        }
        entry
    }

    /// Where a value is, or would be. A quarter of the table is empty, so that there is an end.
    #[inline]
    fn find(self, words: &[u64], value: Hashed) -> usize {
        let entries = words.as_chunks::<ENTRY>().0;
        let mut at = self.home(value.hash);
        loop {
            let entry = &entries[at];
            if entry[0] == value.value || entry[1] | entry[2] == 0 {
                return at;
            }
            at = (at + 1) & (entries.len() - 1);
        }
    }

    /// An entry became empty: those behind it that it kept from their place move up.
    fn close(self, words: &mut [u64], at: usize) {
        let entries = words.as_chunks_mut::<ENTRY>().0;
        let mask = entries.len() - 1;
        let (mut hole, mut next) = (at, (at + 1) & mask);
        loop {
            let entry = entries[next];
            if entry[1] | entry[2] == 0 {
                break;
            }
            let home = self.home(entry[3]);
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(hole) & mask {
                entries[hole] = entry;
                hole = next;
            }
            next = (next + 1) & mask;
        }
        entries[hole] = [0; ENTRY];
    }

    /// Moves to a table of `1 << class` entries.
    #[cold]
    fn rebuild(&mut self, blocks: &mut Blocks, class: u32) {
        let old = *self;
        (self.block, self.class) = (blocks.take(class + ENTRY_CLASS), class);
        if old.block == NONE {
            blocks.get_mut(self.block, ENTRY << class).fill(0);
            return;
        }
        let (from, to) = blocks.both((old.block, ENTRY << old.class), (self.block, ENTRY << class));
        to.fill(0);
        for entry in from.as_chunks::<ENTRY>().0.iter().filter(|e| e[1] | e[2] != 0) {
            let at = self.find(to, Hashed { value: entry[0], hash: entry[3] });
            to.as_chunks_mut::<ENTRY>().0[at] = *entry;
        }
        blocks.give_back(old.block, old.words());
    }
}

#[inline]
fn count(entry: &[u64], lane: usize) -> u32 {
    (entry[1 + lane / 2] >> (lane % 2 * 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Values that join and leave lanes of two keys at random are counted as a map counts them.
        #[test]
        fn values_are_counted_as_by_a_map(steps in prop::collection::vec((prop_oneof![0_u64..4, 0_u64..60], 0..LANES, 0..2_usize, any::<bool>()), 1..600)) {
            let (mut blocks, hasher) = (Blocks::default(), DefaultHashBuilder::default());
            let mut records = [[NONE, 0], [NONE, 0]];
            let mut model: HashMap<(usize, u64), [u32; LANES]> = HashMap::new();
            for (value, lane, key, joins) in steps {
                let record = &mut records[key];
                let counts = model.entry((key, value)).or_default();
                if joins {
                    counts[lane] += 1;
                    let first = Values::join(record, 0, &mut blocks, &hasher, value, lane..lane + 1);
                    prop_assert_eq!(first, u32::from(counts[lane] == 1) << lane);
                } else if counts[lane] > 0 {
                    counts[lane] -= 1;
                    let last = Values::leave(record, 0, &mut blocks, &hasher, value, lane);
                    prop_assert_eq!(last, counts[lane] == 0);
                }
                prop_assert_eq!(Values::count(record, 0, &blocks, &hasher, value, lane), counts[lane]);
                if counts.iter().all(|c| *c == 0) {
                    model.remove(&(key, value));
                }
                for (key, record) in records.iter().enumerate() {
                    let own = Values::of(record, 0);
                    prop_assert_eq!(own.len as usize, model.keys().filter(|k| k.0 == key).count());
                }
            }
        }

        /// Rows that join all lanes while others leave one: the counts are those of a map.
        #[test]
        fn turns_keep_the_counts(steps in prop::collection::vec((prop::option::weighted(0.6, 0_u64..60), prop::collection::vec((0_u64..60, 0..LANES), 0..8)), 1..300)) {
            let (mut blocks, hasher) = (Blocks::default(), DefaultHashBuilder::default());
            let mut record = [NONE, 0, 0, 0, 0, 0];
            let mut model: HashMap<u64, [u32; LANES]> = HashMap::new();
            for (joins, leave) in steps {
                if let Some(value) = joins {
                    model.entry(value).or_default().iter_mut().for_each(|n| *n += 1);
                }
                let mut left = vec![];
                for (value, lane) in leave {
                    if let Some(n) = model.get_mut(&value).map(|c| &mut c[lane]).filter(|n| **n > 0) {
                        *n -= 1;
                        left.push(Left { value: Hashed::new(value, &hasher), nth: 0, lane: lane as u16 });
                    }
                }
                model.retain(|_, counts| counts.iter().any(|n| *n > 0));
                let joins = joins.map(|v| Hashed::new(v, &hasher));
                Values::turn(&mut record, 0, &[2, 3, 4, 5], &mut blocks, joins, &left);
                for lane in 0..LANES {
                    let distinct = model.values().filter(|c| c[lane] > 0).count();
                    prop_assert_eq!(record[2 + lane] as usize, distinct, "lane {}", lane);
                }
                prop_assert_eq!(Values::of(&record, 0).len as usize, model.len());
            }
        }
    }
}

//! Distinct values in a word each: the number of a group, a whole number of 32 bits, and a bit for each variant that has it.
//!
//! What a view of distinct values over rows that only come has to know of a value is whether it is there, and for which variants. Most are
//! numbers (ids) that fit into 32 bits, of groups whose numbers fit into 24, so that all of it is one word of an open table: eight bytes an
//! entry, at most eleven sixteenths of them full, and one line of memory a row. What does not fit stands in the general table.

use super::probed::Probed;
use crate::batch::{Column, ColumnData};

/// Bits of the variants, below those of the key.
const FLAGS: u32 = 8;
/// Groups have lower numbers.
const GROUPS: u32 = 1 << 24;
/// The least entries of a table.
const LEAST: usize = 16;
/// Entries from which on lines are asked for ahead, and by how many keys.
const COLD: usize = (256 << 10) / 8;
const AHEAD: usize = 12;

/// See the module's text.
pub(super) struct Narrow {
    /// A key above its flags; 0: no entry, since a value that is there has a flag.
    entries: Probed<u64>,
    seeds: [u64; 2],
}

/// The key of what does not fit.
pub(super) const ELSEWHERE: u64 = u64::MAX;

/// The key of a value in a group, if both fit.
#[inline(always)]
pub(super) fn key(group: u32, value: i64) -> u64 {
    let fits = group < GROUPS && value >> 32 == 0;
    if fits { (value as u64) << 24 | u64::from(group) } else { ELSEWHERE }
}

/// [`key`] of the value in row `row` of a column; `None`: it does not fit.
#[inline(always)]
pub(super) fn key_of(column: &Column, row: usize, group: u32) -> Option<u64> {
    let value = match &column.data {
        ColumnData::I64(v) => v[row],
        ColumnData::I32(v) => (v[row] as u32).into(),
        _ => return None,
    };
    Some(key(group, value)).filter(|&key| key != ELSEWHERE && column.validity.get(row))
}

/// Appends the value of a key to a column.
pub(super) fn push(value: i64, to: &mut Column) {
    to.validity.push(true);
    match &mut to.data {
        ColumnData::I64(values) => values.push(value),
        ColumnData::I32(values) => values.push(value as u32 as i32),
        _ => unreachable!("whole numbers of 32 and 64 bits fit"),
    }
}

#[inline(always)]
fn hash(key: u64, seeds: &[u64; 2]) -> usize {
    let product = u128::from(key ^ seeds[0]) * u128::from(seeds[1]);
    (product as u64 ^ (product >> 64) as u64) as usize
}

/// The hash by which an entry has its place; none: it is none.
fn wants(entry: u64, seeds: &[u64; 2]) -> Option<usize> {
    (entry != 0).then(|| hash(entry >> FLAGS, seeds))
}

impl Narrow {
    /// `seeds`: of the hash.
    pub(super) fn new(seeds: [u64; 2]) -> Self {
        Self { entries: Probed::default(), seeds }
    }

    #[inline(always)]
    fn home(&self, key: u64) -> usize {
        hash(key, &self.seeds) & (self.entries.len() - 1)
    }

    /// Takes a key that fits with the variants that want it: those that are new to it, and whether it is new itself.
    #[inline]
    pub(super) fn take_one(&mut self, key: u64, wanted: u8) -> (u8, bool) {
        if (self.entries.taken() + 1) * 16 > self.entries.len() * 11 {
            self.grow(1);
        }
        self.put(key, wanted)
    }

    /// [`Narrow::take_one`] where there is room.
    #[inline(always)]
    fn put(&mut self, key: u64, wanted: u8) -> (u8, bool) {
        let mask = self.entries.len() - 1;
        let mut at = self.home(key);
        loop {
            let entry = &mut self.entries[at];
            if *entry >> FLAGS == key && *entry != 0 {
                let before = *entry as u8;
                *entry |= u64::from(wanted);
                return (wanted & !before, false);
            }
            if *entry == 0 {
                *entry = key << FLAGS | u64::from(wanted);
                self.entries.take();
                return (wanted, true);
            }
            at = (at + 1) & mask;
        }
    }

    /// Takes keys with the variants that want each, and calls `joined` for each that fits: its place among the keys, the variants that
    /// are new to it, and whether it is new itself.
    #[inline]
    pub(super) fn take(&mut self, keys: &[u64], wanted: &[u8], mut joined: impl FnMut(usize, u8, bool)) {
        if keys.is_empty() {
            return;
        }
        if (self.entries.taken() + keys.len()) * 16 > self.entries.len() * 11 {
            self.grow(keys.len());
        }
        let cold = self.entries.len() >= COLD;
        for (n, (&key, &wanted)) in keys.iter().zip(wanted).enumerate() {
            if cold && let Some(&next) = keys.get(n + AHEAD) {
                self.entries.expect(hash(next, &self.seeds));
            }
            if key == ELSEWHERE {
                continue;
            }
            let (joins, is_new) = self.put(key, wanted);
            joined(n, joins, is_new);
        }
    }

    /// Makes room for `more` keys.
    #[cold]
    fn grow(&mut self, more: usize) {
        let places = ((self.entries.taken() + more) * 16 / 11 + 1).next_power_of_two().max(LEAST);
        self.entries.spread_well(places, &mut self.seeds, wants);
    }

    /// The values by group, each with its variants, in ascending order of both.
    pub(super) fn sorted(&self) -> Vec<(u32, i64, u8)> {
        let mut all: Vec<_> = self
            .entries
            .iter()
            .filter(|e| **e != 0)
            .map(|e| ((e >> FLAGS) as u32 & (GROUPS - 1), (e >> (FLAGS + 24)) as i64, *e as u8))
            .collect();
        all.sort_unstable();
        all
    }

    /// Takes the values of a group out.
    pub(super) fn forget(&mut self, group: u32) {
        let is_other = |e: u64| (e >> FLAGS) as u32 & (GROUPS - 1) != group;
        self.entries.keep(is_other, |e| wants(e, &self.seeds));
    }

    /// No values, the memory kept.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.entries.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_follow_one_another_stand_well_whatever_the_seeds_were() {
        let mut seed = 1_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed ^ seed >> 29
        };
        for _ in 0..400 {
            let seeds = [random(), random() | 1];
            let mut all = Narrow::new(seeds);
            for value in 0..3000 {
                assert_eq!(all.take_one(key(7, 1000 + value), 1), (1, true));
            }
            assert_eq!(all.sorted().len(), 3000);
            let mask = all.entries.len() - 1;
            let places = all.entries.iter().enumerate().filter(|(_, e)| **e != 0);
            let behind: usize = places.map(|(at, e)| at.wrapping_sub(all.home(e >> FLAGS)) & mask).sum();
            // By chance 900; without a look at the seeds once in a hundred several times that.
            assert!(behind < 6000, "{behind} places, {seeds:x?}");
        }
    }

    #[test]
    fn what_does_not_fit_has_no_word() {
        assert_eq!(key(0, 0), 0);
        assert_eq!(key(GROUPS - 1, u32::MAX.into()), (1 << 56) - 1);
        for (group, value) in [(GROUPS, 0), (0, -1), (0, 1 << 32), (0, i64::MIN)] {
            assert_eq!(key(group, value), ELSEWHERE);
        }
    }
}

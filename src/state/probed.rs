//! The places of an index: open addressing with linear probing.
//!
//! An entry stands at the place that it wants, or at the first free one behind it, and the place behind the last is the first. One that leaves is
//! closed by moving others back: there are no graves, so a table that changes for ever stays as quick. It doubles in place, so that memory it has
//! is neither cleared again nor there twice.

use super::seeds::{self, TRIES, most_behind};
use crate::host::mmap::{expect_value, touch};
use crate::host::zeroed::Zeroed;
use bytemuck::Pod;
use std::ops::{Deref, DerefMut};

/// A power of two of places, or none. A place of zeros is free.
pub(super) struct Probed<E: Pod> {
    places: Zeroed<E>,
    taken: usize,
}

impl<E: Pod> Default for Probed<E> {
    fn default() -> Self {
        Self { places: Zeroed::default(), taken: 0 }
    }
}

impl<E: Pod> Deref for Probed<E> {
    type Target = [E];
    #[inline(always)]
    fn deref(&self) -> &[E] {
        &self.places
    }
}

impl<E: Pod> DerefMut for Probed<E> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [E] {
        &mut self.places
    }
}

impl<E: Pod> Probed<E> {
    /// Places that are not free.
    #[inline(always)]
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// One more is taken, by whoever found a free one.
    #[inline(always)]
    pub(super) fn take(&mut self) {
        self.taken += 1;
    }

    /// Bytes reserved.
    #[inline(always)]
    pub(super) fn bytes(&self) -> usize {
        self.places.len() * size_of::<E>()
    }

    /// Reads each page.
    pub(super) fn touch(&self) {
        touch(&self.places);
    }

    /// Asks for the line of the place that is wanted with that hash.
    #[inline(always)]
    pub(super) fn expect(&self, hash: usize) {
        expect_value(&self.places, hash & self.places.len().wrapping_sub(1));
    }

    /// Puts in an entry that is not there; gives by how many places it stands behind the one that it wants.
    pub(super) fn put(&mut self, entry: E, hash: usize, is_free: impl Fn(E) -> bool) -> usize {
        let mask = self.places.len() - 1;
        let mut behind = 0;
        while !is_free(self.places[(hash + behind) & mask]) {
            behind += 1;
        }
        self.places[hash.wrapping_add(behind) & mask] = entry;
        self.taken += 1;
        behind
    }

    /// Makes it that many places, more than before. `hash`: of an entry; none: the place is free. Gives by how many places all entries together
    /// stand behind those that they want.
    pub(super) fn spread(&mut self, places: usize, hash: impl Fn(E) -> Option<usize>) -> usize {
        let old = self.places.len();
        self.places.grow(places);
        self.taken = 0;
        let is_free = |e| hash(e).is_none();
        // From a free place on, each entry stands at or behind what it wanted. Now it wants the same place or one of the new: to the first kind
        // all between that and its own has been moved already, so it comes no further than it stood; the new ones have no other entries.
        let start = self.places[..old].iter().position(|e| is_free(*e)).unwrap_or(old);
        let before = self.places[..start].to_vec();
        self.places[..start].fill(E::zeroed());
        let mut behind = 0;
        for at in start..old {
            let entry = self.places[at];
            if let Some(hash) = hash(entry) {
                self.places[at] = E::zeroed();
                behind += self.put(entry, hash, is_free);
            }
        }
        for entry in before {
            behind += hash(entry).map_or(0, |hash| self.put(entry, hash, is_free));
        }
        behind
    }

    /// [`Probed::spread`], and other seeds where the entries stand badly.
    pub(super) fn spread_well(
        &mut self,
        places: usize,
        seeds: &mut [u64; 2],
        hash: impl Fn(E, &[u64; 2]) -> Option<usize>,
    ) {
        let mut behind = self.spread(places, |e| hash(e, seeds));
        for _ in 0..TRIES {
            if behind <= most_behind(self.taken, places) {
                break;
            }
            *seeds = seeds::next(*seeds);
            behind = self.keep(|_| true, |e| hash(e, seeds));
        }
    }

    /// Keeps some entries, and puts them in again. `hash` and what it gives: as [`Probed::spread`] says.
    pub(super) fn keep(&mut self, some: impl Fn(E) -> bool, hash: impl Fn(E) -> Option<usize>) -> usize {
        let is_there = |e: &E| hash(*e).is_some() && some(*e);
        let all: Vec<E> = self.places.iter().copied().filter(is_there).collect();
        self.clear();
        all.into_iter().map(|e| hash(e).map_or(0, |to| self.put(e, to, |e| hash(e).is_none()))).sum()
    }

    /// Takes out the entry of a place.
    pub(super) fn remove(&mut self, mut hole: usize, hash: impl Fn(E) -> Option<usize>) {
        let mask = self.places.len() - 1;
        self.taken -= 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let entry = self.places[at];
            let Some(home) = hash(entry) else {
                self.places[hole] = E::zeroed();
                return;
            };
            // What is looked for at or before the hole moves into it.
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.places[hole] = entry;
                hole = at;
            }
        }
    }

    /// No entries, the memory kept.
    pub(super) fn clear(&mut self) {
        if self.taken > 0 {
            self.places.fill(E::zeroed());
            self.taken = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// An entry is its hash and one; few bits of it change, so that entries stand behind one another, the last of them behind the end.
    fn hash(entry: u64) -> Option<usize> {
        (entry as usize).checked_sub(1)
    }

    /// Each entry is found from the place that it wants, and nothing else stands there.
    fn check(table: &Probed<u64>, all: &BTreeSet<u64>) {
        let mask = table.len() - 1;
        let there: BTreeSet<u64> = table.iter().copied().filter(|e| *e != 0).collect();
        assert_eq!(&there, all);
        assert_eq!(table.taken(), all.len());
        for &entry in all {
            let mut at = entry as usize - 1;
            while table[at & mask] != entry {
                assert_ne!(table[at & mask], 0, "{entry} cannot be reached");
                at += 1;
            }
        }
    }

    proptest! {
        #[test]
        fn every_entry_can_be_reached(
            entries in prop::collection::btree_set((0u64..6, 0u64..64), 0..180),
            bits in prop::collection::vec(any::<bool>(), 180),
            most in 4usize..15,
            times in 1u32..3,
        ) {
            let mut table = Probed::<u64>::default();
            table.spread(8, hash);
            let mut all = BTreeSet::new();
            for ((end, high), leaves) in entries.into_iter().zip(bits) {
                // The last places of a table of 8, and what a larger one tells apart.
                let entry = (high << 3 | (end + 5) & 7) + 1;
                if !all.insert(entry) {
                    continue;
                }
                if (table.taken() + 1) * 16 > table.len() * most {
                    table.spread(table.len() << times, hash);
                    all.remove(&entry);
                    check(&table, &all);
                    all.insert(entry);
                }
                table.put(entry, entry as usize - 1, |e| e == 0);
                check(&table, &all);
                if leaves && let Some(&gone) = all.iter().nth(all.len() / 2) {
                    let at = table.iter().position(|e| *e == gone).unwrap_or_default();
                    table.remove(at, hash);
                    all.remove(&gone);
                    check(&table, &all);
                }
            }
            table.keep(|e| e % 3 == 0, hash);
            all.retain(|e| e % 3 == 0);
            check(&table, &all);
            table.clear();
            check(&table, &BTreeSet::new());
        }
    }

    /// Entries that all want one place until the seeds are others, after so many tries.
    fn tries(keys: u64, until: usize) -> usize {
        let mut seen = vec![[1, 1]];
        (0..TRIES).for_each(|n| seen.push(seeds::next(seen[n])));
        let mut table = Probed::<u64>::default();
        let by = |e: u64, seeds: &[u64; 2]| {
            let bad = seen.iter().take(until).any(|s| s == seeds);
            (e != 0).then_some(if bad { 3 } else { e as usize })
        };
        table.spread(1024, |e| by(e, &seen[0]));
        (1..=keys).for_each(|e| {
            table.put(e, 3, |e| e == 0);
        });
        let mut seeds = seen[0];
        table.spread_well(2048, &mut seeds, by);
        let left = seen.iter().position(|s| *s == seeds);
        assert_eq!(table.taken() as u64, keys);
        (1..=keys).for_each(|e| {
            let wants = by(e, &seeds).unwrap_or_default();
            assert!((wants..wants + 600).any(|at| table[at] == e), "it stands by the seeds that are left");
        });
        left.unwrap_or(usize::MAX)
    }

    #[test]
    fn entries_that_stand_badly_take_other_seeds() {
        assert_eq!([0, 1, 3, TRIES, 9].map(|until| tries(512, until)), [0, 1, 3, TRIES, TRIES]);
        assert_eq!(tries(100, 9), 0, "so few say nothing");
    }
}

//! The index of keys that stand elsewhere, by slot: an entry is half of a key's hash and its slot, in one word.
//!
//! As [`Flat`](super::flat::Flat) is for keys of two words, this is for wider ones: open addressing with linear probing, at most eleven sixteenths
//! full (small ones less, as there), without graves, and the line of an entry can be asked for ahead. Where an entry wants to stand follows from its half of the hash, so
//! that growing looks at no key. Equal halves are told apart by the key, which whoever looks compares.

use super::key_table::COLD;
use crate::host::mmap::{advise_huge, expect_word, touch};

/// Words from which on huge pages are asked for.
const HUGE: usize = (2 << 20) / 8;
/// The least entries of a table.
const LEAST: usize = 16;

/// See the module's text.
#[derive(Clone, Default)]
pub(super) struct Tagged {
    /// Half a hash above one more than a slot (0: no entry); a power of two of them, or none.
    entries: Vec<u64>,
    len: usize,
    /// With so many keys it grows before the next.
    most: usize,
}

/// What an entry keeps of a hash.
#[inline(always)]
fn tag(hash: u64) -> u64 {
    hash >> 32
}

#[inline(always)]
fn entry(hash: u64, slot: u32) -> u64 {
    tag(hash) << 32 | u64::from(slot + 1)
}

#[inline(always)]
fn slot_of(entry: u64) -> u32 {
    entry as u32 - 1
}

impl Tagged {
    #[inline(always)]
    fn home(&self, tag: u64) -> usize {
        tag as usize & (self.entries.len() - 1)
    }

    #[inline(always)]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.entries.len() - 1)
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * 8
    }

    /// Reads each page.
    pub(super) fn touch(&self) {
        touch(&self.entries);
    }

    /// Asks for the line at which a key of that hash is looked for.
    #[inline]
    pub(super) fn expect(&self, hash: u64) {
        if !self.entries.is_empty() {
            expect_word(&self.entries, self.home(tag(hash)));
        }
    }

    /// The slot of the key with that hash; `is` says whether a slot is the key's. Where there is no such key, it gets the slot that `make`
    /// gives.
    #[inline(always)]
    pub(super) fn find_or_insert(
        &mut self,
        hash: u64,
        is: impl Fn(u32) -> bool,
        make: impl FnOnce() -> u32,
    ) -> u32 {
        if self.len >= self.most {
            self.grow();
        }
        let mut at = self.home(tag(hash));
        loop {
            let there = self.entries[at];
            if there == 0 {
                let slot = make();
                self.entries[at] = entry(hash, slot);
                self.len += 1;
                return slot;
            }
            if there >> 32 == tag(hash) && is(slot_of(there)) {
                return slot_of(there);
            }
            at = self.after(at);
        }
    }

    fn put(&mut self, entry: u64) {
        let mut at = self.home(entry >> 32);
        while self.entries[at] != 0 {
            at = self.after(at);
        }
        self.entries[at] = entry;
    }

    #[cold]
    fn grow(&mut self) {
        let many = (self.entries.len() * 2).max(LEAST);
        let old = std::mem::replace(&mut self.entries, vec![0; many]);
        let sixteenths = if self.bytes() < COLD { 6 } else { 11 };
        self.most = many * sixteenths / 16;
        if self.entries.len() >= HUGE {
            advise_huge(&mut self.entries);
        }
        old.into_iter().filter(|e| *e != 0).for_each(|e| self.put(e));
    }

    fn place(&self, hash: u64, slot: u32) -> Option<usize> {
        let wanted = entry(hash, slot);
        let mut at = self.home(tag(hash));
        while self.entries[at] != wanted {
            if self.entries[at] == 0 {
                return None;
            }
            at = self.after(at);
        }
        Some(at)
    }

    /// Gives a key that is there another slot.
    pub(super) fn replace(&mut self, hash: u64, slot: u32, new: u32) {
        if let Some(at) = self.place(hash, slot) {
            self.entries[at] = entry(hash, new);
        }
    }

    /// Takes a key that is there out.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let Some(mut hole) = self.place(hash, slot) else { return };
        let mask = self.entries.len() - 1;
        self.len -= 1;
        let mut at = hole;
        loop {
            at = self.after(at);
            let entry = self.entries[at];
            if entry == 0 {
                self.entries[hole] = 0;
                return;
            }
            // What is looked for at or before the hole moves into it.
            let home = self.home(entry >> 32);
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.entries[hole] = entry;
                hole = at;
            }
        }
    }

    /// No keys, the memory kept.
    pub(super) fn clear(&mut self) {
        if self.len > 0 {
            self.entries.fill(0);
            self.len = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// Few hashes, so that keys meet and share their halves.
    fn hash(key: u64) -> u64 {
        (key % 13) << 32
    }

    /// The slot of a key.
    fn find(table: &Tagged, key: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mut table = table.clone();
        let none = u32::MAX - 1;
        Some(table.find_or_insert(hash(key), is, || none)).filter(|slot| *slot != none)
    }

    proptest! {
        #[test]
        fn it_finds_what_a_map_finds(steps in prop::collection::vec((0u64..48, 0u8..4), 0..400)) {
            let (mut table, mut model) = (Tagged::default(), HashMap::new());
            // By slot: its key.
            let mut keys = vec![];
            for (n, &(key, what)) in steps.iter().enumerate() {
                let slot = n as u32;
                keys.push(key);
                match (what, model.get(&key).copied()) {
                    (0, Some(old)) => {
                        table.remove(hash(key), old);
                        model.remove(&key);
                    }
                    (1, Some(old)) => {
                        table.replace(hash(key), old, slot);
                        model.insert(key, slot);
                    }
                    (_, None) => {
                        table.find_or_insert(hash(key), |slot| keys[slot as usize] == key, || slot);
                        model.insert(key, slot);
                    }
                    _ => table.expect(hash(key)),
                }
                for key in 0..48 {
                    let got = find(&table, key, |slot| keys[slot as usize] == key);
                    prop_assert_eq!(got, model.get(&key).copied(), "key {}", key);
                }
            }
            table.clear();
            prop_assert_eq!(find(&table, 0, |_| true), None);
        }
    }
}

//! The index of keys that stand elsewhere, by slot: an entry is half of a key's hash and its slot, in one word.
//!
//! As [`Flat`](super::flat::Flat) is for keys of two words, this is for wider ones: at most eleven sixteenths full (small ones less, as there), and the
//! line of an entry can be asked for ahead. Where an entry wants to stand follows from its half of the hash, so that growing looks at no key. Equal halves are told apart by the key, which whoever looks compares.

use super::key_table::COLD;
use super::probed::Probed;

/// The least entries of a table.
const LEAST: usize = 16;

/// See the module's text.
#[derive(Default)]
pub(super) struct Tagged {
    /// Half a hash above one more than a slot (0: no entry).
    entries: Probed<u64>,
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

/// The hash by which an entry has its place; none: it is none.
fn wants(entry: u64) -> Option<usize> {
    (entry != 0).then_some((entry >> 32) as usize)
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
        self.entries.bytes()
    }

    /// Reads each page.
    pub(super) fn touch(&self) {
        self.entries.touch();
    }

    /// Asks for the line at which a key of that hash is looked for.
    #[inline]
    pub(super) fn expect(&self, hash: u64) {
        self.entries.expect(tag(hash) as usize);
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
        if self.entries.taken() >= self.most {
            self.grow();
        }
        let mut at = self.home(tag(hash));
        loop {
            let there = self.entries[at];
            if there == 0 {
                let slot = make();
                self.entries[at] = entry(hash, slot);
                self.entries.take();
                return slot;
            }
            if there >> 32 == tag(hash) && is(slot_of(there)) {
                return slot_of(there);
            }
            at = self.after(at);
        }
    }

    #[cold]
    fn grow(&mut self) {
        let places = (self.entries.len() * 2).max(LEAST);
        self.entries.spread(places, wants);
        let sixteenths = if self.bytes() < COLD { 6 } else { 11 };
        self.most = places * sixteenths / 16;
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
        if let Some(at) = self.place(hash, slot) {
            self.entries.remove(at, wants);
        }
    }

    /// No keys, the memory kept.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
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
    fn find(table: &mut Tagged, key: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let none = u32::MAX - 1;
        let slot = table.find_or_insert(hash(key), is, || none);
        if slot == none {
            table.remove(hash(key), none);
        }
        Some(slot).filter(|slot| *slot != none)
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
                    let got = find(&mut table, key, |slot| keys[slot as usize] == key);
                    prop_assert_eq!(got, model.get(&key).copied(), "key {}", key);
                }
            }
            table.clear();
            prop_assert_eq!(find(&mut table, 0, |_| true), None);
        }
    }
}

//! The index of packed keys: from key to slot, in words side by side.
//!
//! At most eleven sixteenths of its places ([`Probed`]) are taken. A table that a cache holds is at most six sixteenths full: what a lookup costs there
//! is that the processor guesses wrong how far it goes, and mostly it then goes no further than to the first entry. An entry is the key and one
//! more than its slot (0: no entry), in as few words as they fit into, so that a lookup mostly waits for memory once, and where it will look is known
//! from the hash alone: [`Flat::expect`] asks for that line some keys ahead.

use super::key_layout::Word;
use super::key_table::COLD;
use super::probed::Probed;

/// The least entries of a table.
const LEAST: usize = 16;

/// See the module's text.
pub(super) struct Flat<K: Word> {
    entries: Probed<K::Entry>,
}

impl<K: Word> Default for Flat<K> {
    fn default() -> Self {
        Self { entries: Probed::default() }
    }
}

impl<K: Word> Flat<K> {
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
        self.entries.expect(hash as usize);
    }

    /// Writes the slots of keys to `slots`, up to the first key that is not there; gives their number.
    #[inline(always)]
    pub(super) fn find_all(&self, keys: &[K], seeds: &[u64; 2], slots: &mut [u32]) -> usize {
        if self.entries.is_empty() {
            return 0;
        }
        let (entries, mask) = (&self.entries[..], self.entries.len() - 1);
        for (n, (&key, to)) in keys.iter().zip(slots).enumerate() {
            let mut at = key.hash(seeds) as usize;
            *to = loop {
                let entry = entries[at & mask];
                let number = K::number(entry);
                if number != 0 && K::read(entry) == key {
                    break (number - 1) as u32;
                }
                if number == 0 {
                    return n;
                }
                at = at.wrapping_add(1);
            };
        }
        keys.len()
    }

    /// The slot of a key.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, key: K) -> Option<u32> {
        if self.entries.is_empty() {
            return None;
        }
        let mask = self.entries.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let entry = self.entries[at];
            match K::number(entry) {
                0 => return None,
                slot if K::read(entry) == key => return Some((slot - 1) as u32),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Adds a key that is not there. `seeds`: those of every key's hash; a table that grows may take others.
    pub(super) fn insert(&mut self, mut hash: u64, key: K, slot: u32, seeds: &mut [u64; 2]) {
        let most = if self.bytes() < COLD { 6 } else { 11 };
        if (self.entries.taken() + 1) * 16 > self.entries.len() * most {
            let places = (self.entries.len() * 2).max(LEAST);
            self.entries.spread_well(places, seeds, Self::hash);
            hash = key.hash(seeds);
        }
        let number = u64::from(slot) + 1;
        assert!(
            number.checked_shr(K::NUMBER).unwrap_or(0) == 0,
            "a keyed state of these keys holds below 2^31 of them"
        );
        self.entries.put(key.entry(number), hash as usize, |e| K::number(e) == 0);
    }

    /// The hash of an entry's key; none: it is none.
    fn hash(entry: K::Entry, seeds: &[u64; 2]) -> Option<usize> {
        (K::number(entry) != 0).then(|| K::read(entry).hash(seeds) as usize)
    }

    /// Gives a key that is there another slot.
    pub(super) fn replace(&mut self, hash: u64, key: K, slot: u32) {
        if let Some(at) = self.place(hash, key) {
            self.entries[at] = key.entry(u64::from(slot) + 1);
        }
    }

    /// Takes a key out.
    pub(super) fn remove(&mut self, hash: u64, key: K, seeds: &[u64; 2]) {
        if let Some(at) = self.place(hash, key) {
            self.entries.remove(at, |e| Self::hash(e, seeds));
        }
    }

    fn place(&self, hash: u64, key: K) -> Option<usize> {
        let mask = self.entries.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let entry = self.entries[at];
            match K::number(entry) {
                0 => return None,
                _ if K::read(entry) == key => return Some(at),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// No keys, the memory kept.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::key_layout::{Packed, Word97};
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const SEEDS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];

    /// What is done to a table: few keys, so that they meet, and hashes of few bits, so that probes are long.
    fn steps() -> impl Strategy<Value = Vec<(u64, u8)>> {
        prop::collection::vec((0u64..48, 0u8..4), 0..400)
    }

    /// A key whose hash has four bits.
    #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
    struct Crowded([u64; 2]);

    impl Word for Crowded {
        type Entry = [u64; 3];
        const NUMBER: u32 = 64;
        fn read(entry: Self::Entry) -> Self {
            Crowded(<[u64; 2]>::read(entry))
        }
        fn number(entry: Self::Entry) -> u64 {
            <[u64; 2]>::number(entry)
        }
        fn entry(self, number: u64) -> Self::Entry {
            self.0.entry(number)
        }
    }

    impl Packed for Crowded {
        fn put(&mut self, v: u64, shift: u32) {
            self.0.put(v, shift);
        }
        fn get(&self, shift: u32) -> u64 {
            self.0.get(shift)
        }
        fn hash(&self, _seeds: &[u64; 2]) -> u64 {
            self.0[0] % 13
        }
        const ALL: Self = Crowded([!0; 2]);
        fn and(self, other: Self) -> Self {
            Crowded(self.0.and(other.0))
        }
    }

    fn check<K: Word + std::fmt::Debug>(key: fn(u64) -> K, steps: &[(u64, u8)]) {
        let (mut table, mut model) = (Flat::<K>::default(), HashMap::new());
        for (n, &(number, what)) in steps.iter().enumerate() {
            let (k, slot) = (key(number), n as u32);
            let hash = k.hash(&SEEDS);
            match (what, model.contains_key(&number)) {
                (0, true) => {
                    table.remove(hash, k, &SEEDS);
                    model.remove(&number);
                }
                (1, true) => {
                    table.replace(hash, k, slot);
                    model.insert(number, slot);
                }
                (_, false) => {
                    table.insert(hash, k, slot, &mut { SEEDS });
                    model.insert(number, slot);
                }
                _ => table.expect(hash),
            }
            for number in 0..48 {
                let k = key(number);
                assert_eq!(table.find(k.hash(&SEEDS), k), model.get(&number).copied(), "key {number}");
            }
            let all: Vec<K> = (0..48).map(key).collect();
            let there = (0..48).take_while(|n| model.contains_key(n)).count();
            let mut slots = [0; 48];
            assert_eq!(table.find_all(&all, &SEEDS, &mut slots), there);
            let wanted: Vec<u32> = (0..there as u64).map(|n| model[&n]).collect();
            assert_eq!(slots[..there], wanted);
        }
        table.clear();
        assert_eq!(table.find(key(0).hash(&SEEDS), key(0)), None);
    }

    /// How many places a table's keys stand behind those that they want, on average.
    fn behind(table: &Flat<u64>, seeds: &[u64; 2]) -> f64 {
        let mask = table.entries.len() - 1;
        let places = (0..).zip(&*table.entries).filter(|(_, e)| u64::number(**e) != 0);
        let behind = |(at, e): (usize, &[u64; 2])| at.wrapping_sub(u64::read(*e).hash(seeds) as usize) & mask;
        places.map(behind).sum::<usize>() as f64 / table.entries.taken() as f64
    }

    #[test]
    fn keys_that_follow_one_another_stand_well_whatever_the_seeds_were() {
        // With these a lookup of the first looks at 200 entries, of the second at 120.
        for bad in
            [[0x0b52_6c7a_08f9_7af2, 0xfc9b_0237_5172_2aa9], [0x3d8f_a07b_cdd0_d969, 0x2e31_053c_e693_cccd]]
        {
            let (mut table, mut seeds) = (Flat::<u64>::default(), bad);
            for key in 0..20_000 {
                table.insert((1000 + key).hash(&seeds), 1000 + key, key as u32, &mut seeds);
            }
            assert_ne!(seeds, bad);
            // By chance: 0.78.
            assert!(behind(&table, &seeds) < 4.0, "{} places", behind(&table, &seeds));
            assert!((0..20_000).all(|n| table.find((1000 + n).hash(&seeds), 1000 + n) == Some(n as u32)));
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_a_map_finds(steps in steps()) {
            check::<u64>(|n| n, &steps);
            check::<[u64; 2]>(|n| [n, n << 7], &steps);
            check(|n| Crowded([n, 1]), &steps);
            check::<Word97>(
                |n| {
                    let mut key = Word97::default();
                    key.put(n, 0);
                    key.put(n.wrapping_neg(), 32);
                    key.put(1, 96);
                    key
                },
                &steps,
            );
        }
    }
}

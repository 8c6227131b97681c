//! The seeds of a table's hash, and which of them do for its keys.
//!
//! Keys that follow one another, as those of streams do, stand in a lattice whose step is a matter of the seeds: mostly it spreads them better than
//! chance, but one table in a hundred would look at several times the entries, one in a thousand at a hundred times. So a table that grows asks its
//! keys how they stand, and takes other seeds where they stand badly.

use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher;

/// Keys from which on a table asks how they stand: fewer say nothing.
const JUDGED: usize = 256;
/// How often it then takes other seeds.
const TRIES: usize = 4;

/// Seeds that no other table has.
pub(super) fn random() -> [u64; 2] {
    let state = DefaultHashBuilder::default();
    [state.hash_one(1u64), state.hash_one(2u64) | 1]
}

/// Puts a number of keys into a table of so many places, by other seeds where they stand badly by those that are there. `put_all`: puts all keys
/// into the table, emptied before; gives by how many places they stand behind those that they want, all together.
pub(super) fn settle(
    keys: usize,
    places: usize,
    seeds: &mut [u64; 2],
    mut put_all: impl FnMut(&[u64; 2]) -> usize,
) {
    let most = most_behind(keys, places);
    for _ in 0..TRIES {
        if put_all(seeds) <= most {
            return;
        }
        *seeds = next(*seeds);
    }
    put_all(seeds);
}

/// By how many places keys may stand behind. By chance it is half of 1 / (1 - a) - 1 a key where the part `a` of the places is taken (Knuth, The Art
/// of Computer Programming, 6.4, on linear probing).
fn most_behind(keys: usize, places: usize) -> usize {
    if keys < JUDGED {
        return usize::MAX;
    }
    let by_chance = (1.0 / (1.0 - keys as f64 / places as f64) - 1.0) / 2.0;
    ((by_chance + 0.06) * keys as f64) as usize
}

/// The seeds to take after these: as random as they are, and the same every time, so that a test knows them.
fn next(seeds: [u64; 2]) -> [u64; 2] {
    // One step of splitmix64 each, which visits every value.
    let [a, b] = seeds.map(|seed| {
        let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    });
    [a, b | 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_stand_badly_are_put_in_again() {
        let tries = |keys, good_after: usize| {
            let (mut seeds, mut seen) = ([1, 1], vec![]);
            settle(keys, 1024, &mut seeds, |by| {
                seen.push(*by);
                if seen.len() > good_after { 0 } else { keys * 10 }
            });
            assert_eq!(seen.last(), Some(&seeds), "the keys stand by the seeds that are left");
            assert!(seen.iter().all(|s| s[1] % 2 == 1));
            let distinct: std::collections::HashSet<_> = seen.iter().collect();
            assert_eq!(distinct.len(), seen.len());
            seen.len()
        };
        assert_eq!([0, 1, 3, 9].map(|good_after| tries(512, good_after)), [1, 2, 4, TRIES + 1]);
        assert_eq!(tries(JUDGED - 1, 9), 1);
    }

    #[test]
    fn other_seeds_are_never_the_same() {
        assert_ne!(random(), random());
    }
}

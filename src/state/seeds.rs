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
pub(super) const TRIES: usize = 4;

/// Seeds that no other table has.
pub(super) fn random() -> [u64; 2] {
    let state = DefaultHashBuilder::default();
    [state.hash_one(1u64), state.hash_one(2u64) | 1]
}

/// By how many places keys may stand behind, all together: half as many again as by chance, which is half of 1 / (1 - a) - 1 a key where the part `a` of the places is taken (Knuth, The Art
/// of Computer Programming, 6.4, on linear probing).
pub(super) fn most_behind(keys: usize, places: usize) -> usize {
    if keys < JUDGED {
        return usize::MAX;
    }
    let by_chance = (1.0 / (1.0 - keys as f64 / places as f64) - 1.0) / 2.0;
    (1.5 * by_chance * keys as f64) as usize
}

/// The seeds to take after these: as random as they are, and the same every time, so that a test knows them.
pub(super) fn next(seeds: [u64; 2]) -> [u64; 2] {
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
    fn each_table_has_its_own_and_the_next_are_others() {
        assert_ne!(random(), random());
        let (first, second) = (random(), next([1, 1]));
        assert!(first[1] % 2 == 1 && second[1] % 2 == 1);
        assert!(second != [1, 1] && second == next([1, 1]));
    }
}

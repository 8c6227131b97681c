//! Walks bytes as a chain of record batches and says where and why the chain ends.
//!
//! Recovery, readers, `verify` and compaction all use this one walk. Pelton's chains are *contiguous*: each batch
//! begins at the offset after the last one (compaction leaves empty batches in the place of what it drops) and has
//! leader epoch 0. So every field of a batch is checked: those outside the CRC by contiguity, epoch, length and magic.
//! Segments that Kafka wrote may have gaps and epochs: [`Rules::Kafka`].

use crate::wire::batch::{HEADER_BYTES, LENGTH_PREFIX_BYTES, MAGIC};
use crate::wire::{Batch, BatchError};

/// What a chain must satisfy beyond whole batches with right checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Contiguous offsets, epoch 0.
    Pelton,
    /// Growing offsets, epochs that do not shrink.
    Kafka,
}

/// Why the walk stopped at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The bytes end here.
    End,
    /// Zeros to the end: reserved room.
    Zeros,
    /// A whole batch whose length was withheld: appended, never published.
    Unpublished,
    /// Anything else that is no batch of this chain.
    Bad(String),
}

/// The next thing at a position.
pub enum Step<'a> {
    /// A batch that belongs to the chain.
    Batch(Batch<'a>),
    /// None.
    Stop(Stop),
}

/// Looks at `bytes[at..]`, where a batch with base offset `expected` should begin (`None`: any).
#[inline]
pub fn step(bytes: &[u8], at: usize, expected: Option<i64>, rules: Rules, check_crc: bool) -> Step<'_> {
    let rest = &bytes[at..];
    let parsed = match Batch::parse(rest) {
        Ok(batch) => batch,
        Err(e) => return Step::Stop(explain(rest, e)),
    };
    let header = parsed.header();
    match (rules, expected) {
        (Rules::Pelton, _) if header.leader_epoch != 0 => {
            return bad(format!("leader epoch {} where 0 was written", header.leader_epoch));
        }
        (Rules::Pelton, Some(expected)) if header.base_offset != expected => {
            return bad(format!("base offset {} where {expected} follows", header.base_offset));
        }
        (Rules::Kafka, Some(expected)) if header.base_offset < expected => {
            return bad(format!("base offset {} after offset {}", header.base_offset, expected - 1));
        }
        _ => {}
    }
    if check_crc && let Err(e) = parsed.check() {
        return bad(e.to_string());
    }
    Step::Batch(parsed)
}

fn bad<'a>(why: String) -> Step<'a> {
    Step::Stop(Stop::Bad(why))
}

/// Tells the ends of a chain apart; off the fast path.
#[cold]
fn explain(rest: &[u8], e: BatchError) -> Stop {
    if rest.is_empty() {
        return Stop::End;
    }
    if rest.iter().all(|&b| b == 0) {
        return Stop::Zeros;
    }
    if rest.len() >= HEADER_BYTES && rest[8..LENGTH_PREFIX_BYTES] == [0; 4] && rest[16] as i8 == MAGIC {
        return Stop::Unpublished;
    }
    Stop::Bad(e.to_string())
}

/// Finds the next position after `from` where a whole batch of the chain begins, with a base offset of at least
/// `at_least`. Slow, for damage only: it looks at every byte.
///
/// The base offset is not under the checksum, so damage that ends within it leaves a batch that looks whole at another
/// offset. The batch behind it tells: it must follow. Where there is none, no more offsets may be missing than bytes allow.
pub fn resync(bytes: &[u8], from: usize, at_least: i64, rules: Rules) -> Option<(usize, i64)> {
    let mut at = from;
    loop {
        // The magic byte is the cheapest sign.
        let magic_at = at.checked_add(16)?;
        let found = bytes.get(magic_at..)?.iter().position(|&b| b as i8 == MAGIC)?;
        at += found;
        if let Step::Batch(batch) = step(bytes, at, None, rules, true) {
            let base = batch.header().base_offset;
            let is_followed = match step(bytes, at + batch.bytes().len(), None, rules, true) {
                Step::Batch(next) => follows(&batch, &next, rules),
                Step::Stop(_) => base - at_least <= MAX_OFFSETS_PER_BYTE * (at - from + 1) as i64,
            };
            // A batch cannot be farther ahead than a segment has offsets.
            let at_most = at_least.saturating_add(i64::from(u32::MAX));
            if (at_least..=at_most).contains(&base) && is_followed {
                return Some((at, base));
            }
        }
        at += 1;
    }
}

/// More records than this do not fit a byte, however well they are compressed.
const MAX_OFFSETS_PER_BYTE: i64 = 1024;

fn follows(batch: &Batch<'_>, next: &Batch<'_>, rules: Rules) -> bool {
    let (expected, base) = (batch.header().next_offset(), next.header().base_offset);
    match rules {
        Rules::Pelton => base == expected,
        Rules::Kafka => base >= expected,
    }
}

/// What a whole walk found.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// Position after the last good batch.
    pub end: usize,
    /// Offset after it.
    pub next_offset: i64,
    /// Largest timestamp seen.
    pub max_timestamp: i64,
    /// Good batches.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Stretches without a good batch that have one behind them.
    pub damage: Vec<Damage>,
    /// Why it ended.
    pub stop: Option<Stop>,
}

/// A stretch of bytes that cannot be read, with good batches behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// First bad byte.
    pub position: usize,
    /// How many.
    pub length: usize,
    /// Missing offsets: from (inclusive), to (exclusive).
    pub offsets: (i64, i64),
    /// What is wrong at its start.
    pub reason: String,
}

/// Walks from `at` to the end of the chain. `next` is the offset expected there (`None`: whatever comes). With `skip`,
/// goes on behind damage. `each` sees every good batch with its position.
pub fn walk<'a>(
    bytes: &'a [u8],
    at: usize,
    next: Option<i64>,
    rules: Rules,
    skip: bool,
    mut each: impl FnMut(usize, &Batch<'a>),
) -> Walk {
    let mut out = Walk { end: at, next_offset: next.unwrap_or(0), max_timestamp: -1, ..Walk::default() };
    let mut expected = next;
    loop {
        match step(bytes, out.end, expected, rules, true) {
            Step::Batch(batch) => {
                let header = batch.header();
                each(out.end, &batch);
                out.end += header.size();
                out.next_offset = header.next_offset();
                expected = Some(out.next_offset);
                out.max_timestamp = out.max_timestamp.max(header.max_timestamp);
                out.batches += 1;
                out.records += header.count as u64;
            }
            Step::Stop(stop) => {
                let found = match (&stop, skip) {
                    (Stop::Bad(reason), true) => resync(bytes, out.end + 1, out.next_offset, rules)
                        .map(|found| (found, reason.clone())),
                    _ => None,
                };
                let Some(((position, base), reason)) = found else {
                    out.stop = Some(stop);
                    return out;
                };
                out.damage.push(Damage {
                    position: out.end,
                    length: position - out.end,
                    offsets: (out.next_offset, base),
                    reason,
                });
                out.end = position;
                expected = Some(base);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::wire::BatchBuilder;

    /// Found by fuzzing: damage that reaches into the base offset of a batch does not give its records another offset, and
    /// does not hide those behind it.
    #[test]
    fn a_damaged_base_offset_is_not_believed() {
        let mut bytes = Vec::new();
        let mut starts = Vec::new();
        for offset in 0..6 {
            let mut builder = BatchBuilder::new();
            builder.push(1, None, Some(&[offset as u8; 50]), &[]);
            starts.push(bytes.len());
            bytes.extend_from_slice(builder.finish(offset));
        }
        for high in 0..7 {
            let mut damaged = bytes.clone();
            damaged[starts[2] - 5..starts[2] + high].fill(0xff);
            damaged[starts[2]] = 0;
            damaged[starts[2] + high] = 0x1f;
            let mut seen = Vec::new();
            let walk = walk(&damaged, 0, Some(0), Rules::Pelton, true, |_, batch| {
                seen.push(batch.header().base_offset);
            });
            assert_eq!(seen, [0, 3, 4, 5], "{:?}", walk.damage);
            assert_eq!(walk.damage.len(), 1);
            assert_eq!(walk.damage[0].offsets, (1, 3));
        }
        // The last batch has none behind it.
        let mut damaged = bytes.clone();
        damaged[starts[5] - 5..starts[5] + 5].fill(0x01);
        damaged[starts[5]] = 0;
        let mut seen = Vec::new();
        walk(&damaged, 0, Some(0), Rules::Pelton, true, |_, batch| seen.push(batch.header().base_offset));
        assert_eq!(seen, [0, 1, 2, 3]);
    }
}

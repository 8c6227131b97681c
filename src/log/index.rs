//! The sparse index of a segment: offset → position and time → position in one table, in memory while the segment is
//! written, in a file once it is sealed. Disposable: whatever is wrong with the file, it is built anew from the batches.
//!
//! ```text
//!   file `<base offset>.offsets`, big endian
//!    0  magic        8 bytes  "PELTNIDX"
//!    8  version      u16      1
//!   10  reserved     u16      0
//!   12  entries      u32      n
//!   16  base offset  i64      of the segment
//!   24  next offset  i64      after the last record of the segment
//!   32  size         u64      bytes of the segment
//!   40  max time     i64      largest timestamp in the segment, −1: none
//!   48  entries      n × 16   relative offset u32, position u32, largest timestamp before that position i64
//!   ..  CRC-32C      u32      of everything before
//! ```
//!
//! An entry says: the batch at `position` begins at `base + relative`; no record before it is later than the timestamp.
//! One writer adds entries, readers search those below their frontier without a lock.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

const MAGIC: &[u8; 8] = b"PELTNIDX";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 48;
const ENTRY_BYTES: usize = 16;

#[derive(Debug)]
struct Slot {
    /// Relative offset in the high half, position in the low one.
    place: AtomicU64,
    before: AtomicI64,
}

/// An index in memory.
#[derive(Debug)]
pub struct SegmentIndex {
    slots: Box<[Slot]>,
    len: AtomicUsize,
}

/// One line of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Offset − the segment's base offset.
    pub relative: u32,
    /// Where the batch with that offset begins.
    pub position: u32,
    /// Largest timestamp of all records before it, −1: none.
    pub before: i64,
}

/// What an index file says of its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The segment's first offset.
    pub base: i64,
    /// The offset after its last record.
    pub next: i64,
    /// Its bytes.
    pub size: u64,
    /// Its largest timestamp.
    pub max_timestamp: i64,
}

impl SegmentIndex {
    /// Room for `capacity` entries; every slot is touched now, so that adding does not fault later.
    pub fn with_capacity(capacity: usize) -> Self {
        let slots =
            (0..capacity).map(|_| Slot { place: AtomicU64::new(0), before: AtomicI64::new(-1) }).collect();
        Self { slots, len: AtomicUsize::new(0) }
    }

    /// Entries for `bytes` of batches when one is made every `interval`.
    pub fn capacity_for(bytes: usize, interval: usize) -> usize {
        bytes / interval.max(1) + 1
    }

    /// An index that holds `entries`, with room for as many as `capacity`.
    pub fn from_entries(entries: &[Entry], capacity: usize) -> Self {
        let index = Self::with_capacity(capacity.max(entries.len()));
        for &entry in entries {
            index.push(entry);
        }
        index
    }

    /// Adds an entry (only the segment's writer does); when full, the index just stays sparser.
    #[inline]
    pub fn push(&self, entry: Entry) {
        let at = self.len.load(Ordering::Relaxed);
        let Some(slot) = self.slots.get(at) else { return };
        slot.place.store(u64::from(entry.relative) << 32 | u64::from(entry.position), Ordering::Relaxed);
        slot.before.store(entry.before, Ordering::Relaxed);
        self.len.store(at + 1, Ordering::Release);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn get(&self, at: usize) -> Entry {
        let place = self.slots[at].place.load(Ordering::Relaxed);
        Entry {
            relative: (place >> 32) as u32,
            position: place as u32,
            before: self.slots[at].before.load(Ordering::Relaxed),
        }
    }

    /// All entries.
    pub fn entries(&self) -> Vec<Entry> {
        (0..self.len()).map(|i| self.get(i)).collect()
    }

    fn last_where(&self, holds: impl Fn(Entry) -> bool) -> Option<Entry> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            if holds(self.get(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1).map(|i| self.get(i))
    }

    /// A position below `frontier` from which a walk forward meets the batch that holds `relative`.
    pub fn position_of(&self, relative: u32, frontier: usize) -> usize {
        self.last_where(|e| e.relative <= relative && (e.position as usize) < frontier)
            .map_or(0, |e| e.position as usize)
    }

    /// A position below `frontier` from which a walk forward meets the first record not older than `timestamp`.
    pub fn position_of_time(&self, timestamp: i64, frontier: usize) -> usize {
        self.last_where(|e| e.before < timestamp && (e.position as usize) < frontier)
            .map_or(0, |e| e.position as usize)
    }

    /// The file's bytes.
    pub fn encode(&self, summary: Summary) -> Vec<u8> {
        let entries = self.entries();
        let mut out = Vec::with_capacity(HEADER_BYTES + entries.len() * ENTRY_BYTES + 4);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&0u16.to_be_bytes());
        out.extend_from_slice(&(entries.len() as u32).to_be_bytes());
        out.extend_from_slice(&summary.base.to_be_bytes());
        out.extend_from_slice(&summary.next.to_be_bytes());
        out.extend_from_slice(&summary.size.to_be_bytes());
        out.extend_from_slice(&summary.max_timestamp.to_be_bytes());
        for entry in entries {
            out.extend_from_slice(&entry.relative.to_be_bytes());
            out.extend_from_slice(&entry.position.to_be_bytes());
            out.extend_from_slice(&entry.before.to_be_bytes());
        }
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }

    /// Reads a file's bytes; the reason when they are not an index of this version. Total over any bytes.
    pub fn decode(bytes: &[u8]) -> Result<(Summary, Vec<Entry>), String> {
        let body = bytes.len().checked_sub(4).filter(|&n| n >= HEADER_BYTES).ok_or("too short")?;
        if &bytes[..8] != MAGIC {
            return Err("not an index of Pelton's log".into());
        }
        let number = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let version = u16::from_be_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(format!("version {version}, this program reads {VERSION}"));
        }
        let stored = u32::from_be_bytes(bytes[body..].try_into().expect("four bytes"));
        let computed = crc32c::crc32c(&bytes[..body]);
        if stored != computed {
            return Err(format!("CRC-32C is {computed:#010x}, the file says {stored:#010x}"));
        }
        let count = u32::from_be_bytes(bytes[12..16].try_into().expect("four bytes")) as usize;
        if count.checked_mul(ENTRY_BYTES) != Some(body - HEADER_BYTES) {
            return Err(format!("{count} entries do not fit {} bytes", body - HEADER_BYTES));
        }
        let summary = Summary {
            base: number(16),
            next: number(24),
            size: number(32) as u64,
            max_timestamp: number(40),
        };
        let mut entries = Vec::with_capacity(count);
        for at in (HEADER_BYTES..body).step_by(ENTRY_BYTES) {
            let entry = Entry {
                relative: u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")),
                position: u32::from_be_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes")),
                before: number(at + 8),
            };
            if entries.last().is_some_and(|last: &Entry| {
                last.relative >= entry.relative
                    || last.position >= entry.position
                    || last.before > entry.before
            }) || u64::from(entry.position) >= summary.size
            {
                return Err("entries out of order".into());
            }
            entries.push(entry);
        }
        Ok((summary, entries))
    }
}

/// Decides which batches get an entry: one each `interval` bytes, never the first (position 0 needs none).
#[derive(Debug)]
pub struct Sparse {
    interval: usize,
    last: usize,
    /// Largest timestamp so far.
    pub max_timestamp: i64,
}

impl Sparse {
    /// At the start of a segment.
    pub fn new(interval: usize) -> Self {
        Self { interval, last: 0, max_timestamp: -1 }
    }

    /// Notes the batch at `position`; returns its entry when it gets one.
    #[inline]
    pub fn note(&mut self, relative: i64, position: usize, max_timestamp: i64) -> Option<Entry> {
        let due = position - self.last >= self.interval;
        let entry = due.then(|| {
            self.last = position;
            Entry { relative: relative as u32, position: position as u32, before: self.max_timestamp }
        });
        self.max_timestamp = self.max_timestamp.max(max_timestamp);
        entry
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is encoded is decoded; one changed byte is noticed.
        #[test]
        fn round_trip(steps in proptest::collection::vec((1u32..1000, 1u32..5000, 0i64..100), 0..50), at: usize, bit in 0u8..8) {
            let mut entry = Entry { relative: 0, position: 0, before: -1 };
            let entries: Vec<Entry> = steps.iter().map(|&(r, p, t)| {
                entry = Entry { relative: entry.relative + r, position: entry.position + p, before: entry.before + t };
                entry
            }).collect();
            let summary = Summary { base: 5, next: 1_000_000, size: u64::from(entry.position) + 1, max_timestamp: 9 };
            let index = SegmentIndex::from_entries(&entries, 0);
            let mut bytes = index.encode(summary);
            prop_assert_eq!(SegmentIndex::decode(&bytes).unwrap(), (summary, entries));
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(SegmentIndex::decode(&bytes).is_err());
        }
    }

    #[test]
    fn searching_stays_below_the_frontier() {
        let entries: Vec<Entry> =
            (1..=10).map(|i| Entry { relative: i * 10, position: i * 100, before: i64::from(i) }).collect();
        let index = SegmentIndex::from_entries(&entries, 20);
        assert_eq!(index.position_of(9, 10_000), 0);
        assert_eq!(index.position_of(10, 10_000), 100);
        assert_eq!(index.position_of(99, 10_000), 900);
        assert_eq!(index.position_of(99, 500), 400);
        assert_eq!(index.position_of_time(1, 10_000), 0);
        assert_eq!(index.position_of_time(2, 10_000), 100);
    }
}

//! Prefaulting: pages are made present and writable ahead of each writer that stores through the mapping, so that it never
//! takes a page fault. In a thread of its own, which does nothing else: the keeper's syncs of folders and trims of files take
//! tens of milliseconds on a busy disk, and a writer of 200 MB/s would run out of pages meanwhile.
//!
//! The *lead* is what is kept writable before a writer: as much as it writes in [`AHEAD_NS`] at its present speed, between
//! [`MIN_LEAD_BYTES`] and the configured bound. So a thousand slow partitions dirty next to nothing. The writer wakes this
//! thread when a quarter of its lead is used; a large lead is filled piece by piece, so that nobody waits for another's.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::partition::Partition;
use super::segment::Segment;
use crate::host::Clock;
use crate::host::threads::Turn;

/// Smallest lead of prefaulted bytes.
pub(super) const MIN_LEAD_BYTES: usize = 256 * 1024;
/// How far ahead of a writer, in time.
const AHEAD_NS: u64 = 500_000_000;
/// A lead grows and shrinks by at most this factor at a time: one large batch says little of what comes.
const LEAD_STEP: usize = 4;
/// Most bytes of one partition in one turn.
const PIECE_BYTES: usize = 4 << 20;
/// Nobody needs this thread until it is woken.
const PAUSE: Duration = Duration::from_secs(60);

/// A partition whose owner stores through the mapping.
struct Followed {
    partition: Arc<Partition>,
    /// Base of the segment that was last looked at, and up to where its pages are wanted.
    wanted: (i64, usize),
    /// The partition's count of appended bytes when its lead was last computed, and when that was.
    bytes: u64,
    last_ns: u64,
}

/// See the module's documentation.
pub(super) struct Prefaulter {
    clock: Arc<dyn Clock>,
    control: rtrb::Consumer<Arc<Partition>>,
    followed: Vec<Followed>,
    most: usize,
}

impl Prefaulter {
    pub(super) fn new(clock: Arc<dyn Clock>, control: rtrb::Consumer<Arc<Partition>>, most: usize) -> Self {
        Self { clock, control, followed: Vec::new(), most }
    }

    /// One round: at most a piece for each partition.
    pub(super) fn turn(&mut self) -> Turn {
        while let Ok(partition) = self.control.pop() {
            self.followed.retain(|f| !Arc::ptr_eq(&f.partition, &partition));
            let bytes = partition.counters.bytes.load(Ordering::Relaxed);
            let last_ns = self.clock.monotonic_ns();
            self.followed.push(Followed { partition, wanted: (-1, 0), bytes, last_ns });
        }
        self.followed.retain(|f| f.partition.is_owned.load(Ordering::Acquire));
        let now = self.clock.monotonic_ns();
        let mut busy = false;
        for followed in &mut self.followed {
            busy |= followed.advance(now, self.most);
        }
        if busy { Turn::Busy } else { Turn::Idle(PAUSE) }
    }

    /// A writer has used a quarter of its lead: asked before sleeping, so that no wake-up is lost.
    pub(super) fn has_work(&self) -> bool {
        !self.control.is_empty() || self.followed.iter().any(|f| f.active().is_some_and(|s| is_due(&s)))
    }
}

impl Followed {
    /// The segment that is being written.
    fn active(&self) -> Option<Arc<Segment>> {
        let is_running = self.partition.stopped().is_none();
        self.partition.segments.load().last().filter(|s| is_running && !s.is_sealed()).cloned()
    }

    /// Makes the next piece writable. True when it did.
    fn advance(&mut self, now: u64, most: usize) -> bool {
        let Some(segment) = self.active() else { return false };
        let Some(loaded) = segment.loaded() else { return false };
        let length = loaded.region.len();
        let written = loaded.region.published();
        if is_due(&segment) {
            let lead = self.measure(now, most);
            self.wanted = (segment.base, (written + lead).min(length));
        }
        let ready = segment.prefaulted.load(Ordering::Relaxed).max(written);
        if self.wanted.0 != segment.base || self.wanted.1 <= ready {
            if is_due(&segment) {
                // Nothing is missing up to there: asks again when a quarter of it is used.
                segment.note_prefaulted(written, ready, length);
            }
            return false;
        }
        let end = self.wanted.1.min(ready + PIECE_BYTES);
        if let Err(e) = loaded.region.prepare_write(ready..end) {
            // One that was sealed meanwhile is perhaps trimmed already: there is nothing behind its data.
            if !segment.is_sealed() {
                self.partition.stop(format!("preparing pages: {e}"));
            }
            return false;
        }
        if end == self.wanted.1 {
            segment.note_prefaulted(written, end, length);
        } else {
            segment.prefaulted.store(end, Ordering::Relaxed);
        }
        true
    }

    /// The lead that fits the writer's speed since the last time.
    fn measure(&mut self, now: u64, most: usize) -> usize {
        let bytes = self.partition.counters.bytes.load(Ordering::Relaxed);
        let elapsed = now.saturating_sub(self.last_ns).max(1);
        let fits = u128::from(bytes.saturating_sub(self.bytes)) * u128::from(AHEAD_NS) / u128::from(elapsed);
        (self.bytes, self.last_ns) = (bytes, now);
        let before = self.partition.lead.load(Ordering::Relaxed);
        let fits = usize::try_from(fits).unwrap_or(usize::MAX);
        let lead = fits.clamp(before / LEAD_STEP, before * LEAD_STEP).max(MIN_LEAD_BYTES).min(most);
        self.partition.lead.store(lead, Ordering::Relaxed);
        lead
    }
}

/// A quarter of the pages ahead of its writer are used.
fn is_due(segment: &Segment) -> bool {
    let published = segment.loaded().map_or(0, |l| l.region.published());
    published >= segment.wake_at.load(Ordering::Relaxed)
}

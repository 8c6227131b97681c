//! Reads a partition from any offset, batch by batch, without copying: a batch borrows from the mapped segment until the
//! next call. Any number of readers, none of which the writer ever waits for.
//!
//! Nothing is skipped silently. Damage and deleted records come back as errors, again and again, until the caller says
//! [`Reader::skip`]. Bytes that this process wrote are not checked again; those of earlier runs are, CRC included, and
//! their pages are made present a window at a time, so that a failing disk is an error and not a signal.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use super::error::{LogError, LogResult};
use super::partition::Partition;
use super::scan::{self, Rules, Step, Stop};
use super::segment::Segment;
use crate::host::Region;
use crate::wire::Batch;

/// Bytes made present at a time.
const WINDOW_BYTES: usize = 1 << 20;

/// How far a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Follow {
    /// Up to *published*: for readers in this process.
    #[default]
    Published,
    /// Up to *durable*.
    Durable,
}

/// Which bytes get their CRC checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Check {
    /// Those of earlier runs.
    #[default]
    Foreign,
    /// All.
    All,
    /// None; structure is still checked.
    None,
}

/// A position in a partition that moves forward. On cache lines of its own: a reader in another thread than the writer polls, and what
/// the allocator puts beside it may be the writer's.
#[derive(Debug)]
#[repr(align(128))]
pub struct Reader {
    partition: Arc<Partition>,
    at: Option<At>,
    next: i64,
    follow: Follow,
    check: Check,
    /// Where the records begin again behind missing segments that the last poll reported.
    gap: Option<i64>,
}

#[derive(Debug)]
struct At {
    segment: Arc<Segment>,
    region: Arc<Region>,
    position: usize,
    /// Base offset of the batch that must begin at `position`.
    expected: i64,
    /// Pages are present up to here.
    present: usize,
    trusted_from: usize,
}

impl Reader {
    /// A reader that stands at `offset`. The offset may lie before the start (the first poll says so) but not beyond the end.
    pub fn new(partition: Arc<Partition>, offset: i64, follow: Follow) -> LogResult<Self> {
        let end = partition.published().get();
        if offset > end || offset < 0 {
            return Err(LogError::OutOfRange { partition: partition.name.clone(), offset, end });
        }
        Ok(Self { partition, at: None, next: offset, follow, check: Check::default(), gap: None })
    }

    /// Which CRCs are checked from now on.
    #[must_use]
    pub fn checking(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    /// The partition.
    pub fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }

    /// The offset of the record that comes next. The batch that holds it may begin before it.
    pub fn next_offset(&self) -> i64 {
        self.next
    }

    /// The next batch, or `None` when there is none yet. It may begin with records before [`Reader::next_offset`] after a
    /// start in the middle of a batch.
    #[inline]
    pub fn poll(&mut self) -> LogResult<Option<Batch<'_>>> {
        if !self.is_ready()? {
            return Ok(None);
        }
        let at = self.at.as_mut().expect("ready means positioned");
        let bytes = at.region.bytes();
        let crc = match self.check {
            Check::All => true,
            Check::None => false,
            Check::Foreign => at.position < at.trusted_from,
        };
        match scan::step(bytes, at.position, Some(at.expected), Rules::Pelton, crc) {
            Step::Batch(batch) => {
                let header = batch.header();
                if self.follow == Follow::Durable && header.next_offset() > self.partition.durable().get() {
                    return Ok(None);
                }
                at.position += header.size();
                at.expected = header.next_offset();
                self.next = at.expected;
                Ok(Some(batch))
            }
            Step::Stop(stop) => Err(damage(&self.partition, at, &stop)),
        }
    }

    /// Whole batches up to `max_bytes` (but at least one) as they are stored: for sending on. `None`: nothing yet.
    pub fn poll_bytes(&mut self, max_bytes: usize) -> LogResult<Option<&[u8]>> {
        let Some(range) = self.poll_range(max_bytes)? else { return Ok(None) };
        let at = self.at.as_ref().expect("positioned by poll");
        Ok(Some(&at.region.bytes()[range]))
    }

    /// [`Reader::poll_bytes`] as a range of a mapping that the caller may keep.
    pub fn poll_shared(&mut self, max_bytes: usize) -> LogResult<Option<(Arc<Region>, Range<usize>)>> {
        let Some(range) = self.poll_range(max_bytes)? else { return Ok(None) };
        let at = self.at.as_ref().expect("positioned by poll");
        Ok(Some((at.region.clone(), range)))
    }

    fn poll_range(&mut self, max_bytes: usize) -> LogResult<Option<Range<usize>>> {
        let Some(first) = self.poll()? else { return Ok(None) };
        let first_size = first.bytes().len();
        let range = {
            let at = self.at.as_mut().expect("positioned by poll");
            let start = at.position - first_size;
            let bytes = at.region.bytes();
            let limit = match self.follow {
                Follow::Published => i64::MAX,
                Follow::Durable => self.partition.durable().get(),
            };
            while at.position < bytes.len() {
                if at.position < at.trusted_from && at.position + max_bytes > at.present {
                    break;
                }
                let crc =
                    self.check == Check::All || at.position < at.trusted_from && self.check != Check::None;
                // Whatever stops here is reported by the next poll.
                let Step::Batch(batch) =
                    scan::step(bytes, at.position, Some(at.expected), Rules::Pelton, crc)
                else {
                    break;
                };
                let header = batch.header();
                if at.position + header.size() - start > max_bytes || header.next_offset() > limit {
                    break;
                }
                at.position += header.size();
                at.expected = header.next_offset();
                self.next = at.expected;
            }
            start..at.position
        };
        Ok(Some(range))
    }

    /// Goes on behind what the last error reported: damage or deleted records. Returns the new position.
    pub fn skip(&mut self) -> LogResult<i64> {
        if self.next < self.partition.start() {
            self.at = None;
            self.next = self.partition.start();
            return Ok(self.next);
        }
        if let Some(to) = self.gap.take() {
            self.at = None;
            self.next = to;
            return Ok(to);
        }
        if !self.is_ready()? {
            return Ok(self.next);
        }
        let at = self.at.as_mut().expect("ready means positioned");
        let bytes = at.region.bytes();
        if let Step::Batch(_) = scan::step(bytes, at.position, Some(at.expected), Rules::Pelton, true) {
            return Ok(self.next);
        }
        match scan::resync(bytes, at.position + 1, at.expected, Rules::Pelton) {
            Some((position, base)) => {
                at.position = position;
                at.expected = base;
                self.next = self.next.max(base);
            }
            None => {
                // Nothing more in this segment.
                self.next = self.next.max(at.segment.next_offset());
                at.position = bytes.len();
                at.expected = self.next;
            }
        }
        Ok(self.next)
    }

    /// Makes `at` point at published bytes; false when there are none.
    #[inline]
    fn is_ready(&mut self) -> LogResult<bool> {
        loop {
            if let Some(at) = &mut self.at {
                if at.position < at.region.published() {
                    at.region.expect_read(at.position);
                    if at.position < at.trusted_from {
                        if self.next < self.partition.start() {
                            return Err(self.deleted());
                        }
                        at.make_present()?;
                    }
                    return Ok(true);
                }
                // Sealed is set after the last publication: look at the frontier once more.
                if !at.segment.is_sealed() || at.position < at.region.published() {
                    if at.segment.is_sealed() {
                        continue;
                    }
                    return Ok(false);
                }
                let done = at.segment.clone();
                self.at = None;
                if !self.locate(Some(&done))? {
                    return Ok(false);
                }
            } else if !self.locate(None)? {
                return Ok(false);
            }
        }
    }

    #[cold]
    fn deleted(&self) -> LogError {
        LogError::Deleted {
            partition: self.partition.name.clone(),
            from: self.next,
            to: self.partition.start(),
        }
    }

    /// Finds the batch that holds `next`. False when no segment has it yet.
    #[cold]
    fn locate(&mut self, done: Option<&Arc<Segment>>) -> LogResult<bool> {
        if self.next < self.partition.start() {
            return Err(self.deleted());
        }
        let list = self.partition.segments();
        let Some(i) = list.partition_point(|s| s.base <= self.next).checked_sub(1) else {
            // Before the first segment: retention was quicker than the look at the start.
            return match list.first() {
                Some(first) if first.base > self.next => Err(LogError::Deleted {
                    partition: self.partition.name.clone(),
                    from: self.next,
                    to: first.base,
                }),
                _ => Ok(false),
            };
        };
        let segment = list[i].clone();
        if done.is_some_and(|d| Arc::ptr_eq(d, &segment)) {
            let Some(following) = list.get(i + 1) else {
                // The successor is not in the list yet.
                return Ok(false);
            };
            self.gap = Some(following.base);
            return Err(LogError::Corrupt {
                file: format!("{} ({})", segment.path().display(), self.partition.name),
                position: segment.size(),
                length: 0,
                offsets: (self.next, following.base),
                reason: "the records up to the next segment are missing".into(),
            });
        }
        let loaded = segment.load(&*self.partition.disk)?;
        let region = loaded.region.clone();
        let published = region.published();
        let start = loaded.index.position_of((self.next - segment.base) as u32, published);
        let mut at = At {
            trusted_from: segment.trusted_from(),
            segment,
            region,
            position: start,
            expected: self.next,
            present: start,
        };
        // From the index entry forward to the batch that holds the offset.
        let mut expected = (start == 0).then_some(at.segment.base);
        while at.position < published {
            at.make_present()?;
            let bytes = at.region.bytes();
            match scan::step(bytes, at.position, expected, Rules::Pelton, false) {
                Step::Batch(batch) => {
                    let header = batch.header();
                    if header.next_offset() > self.next {
                        at.expected = header.base_offset;
                        break;
                    }
                    at.position += header.size();
                    expected = Some(header.next_offset());
                    at.expected = header.next_offset();
                }
                Step::Stop(_) => {
                    let from = expected.unwrap_or(at.segment.base);
                    match scan::resync(bytes, at.position + 1, from, Rules::Pelton) {
                        Some((position, base)) if base <= self.next => {
                            at.position = position;
                            expected = Some(base);
                        }
                        _ => {
                            // The damage hides the offset itself: poll reports it.
                            at.expected = from;
                            break;
                        }
                    }
                }
            }
        }
        if at.position >= published {
            at.expected = self.next;
        }
        self.at = Some(at);
        Ok(true)
    }
}

impl At {
    /// Makes the pages of the next window present, with room for the largest part of a batch header chain.
    fn make_present(&mut self) -> LogResult<()> {
        if self.position + 64 * 1024 <= self.present || self.present >= self.region.published() {
            return Ok(());
        }
        let end = (self.position + WINDOW_BYTES).min(self.region.published());
        self.region
            .prepare_read(self.position..end)
            .map_err(|e| LogError::io("reading", &self.segment.path(), &e))?;
        self.present = end;
        Ok(())
    }
}

/// Describes the damage where a reader stands.
#[cold]
fn damage(partition: &Partition, at: &At, stop: &Stop) -> LogError {
    let bytes = at.region.bytes();
    let found = scan::resync(bytes, at.position + 1, at.expected, Rules::Pelton);
    let (end, to) = found.map_or((bytes.len(), at.segment.next_offset()), |(p, base)| (p, base));
    let reason = match stop {
        Stop::Bad(why) => why.clone(),
        Stop::Zeros => "zeros where a batch was".into(),
        Stop::Unpublished => "a batch without its length".into(),
        Stop::End => "the end of the file".into(),
    };
    LogError::Corrupt {
        file: format!("{} ({})", at.segment.path().display(), partition.name),
        position: at.position as u64,
        length: (end - at.position) as u64,
        offsets: (at.expected, to),
        reason,
    }
}

/// Most that one batch may expand to when its records are looked at.
const EXPAND_LIMIT: usize = 1 << 30;

/// The first record at or after `timestamp_ms`: (offset, timestamp). `None`: all are older.
pub fn offset_for_time(partition: &Arc<Partition>, timestamp_ms: i64) -> LogResult<Option<(i64, i64)>> {
    let visible = partition.start()..i64::MAX;
    for segment in partition.segments().iter() {
        if segment.next_offset() > visible.start
            && segment.max_timestamp(&*partition.disk)? >= timestamp_ms
            && let Some(found) = first_in(partition, segment, timestamp_ms, &visible)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The first record with the largest timestamp of those that a consumer can see: (offset, timestamp). A segment knows its
/// largest time and its index where that begins. Headers are walked only in a segment whose largest time belongs to a record
/// before the start or behind the high watermark.
pub fn max_timestamp(partition: &Arc<Partition>) -> LogResult<Option<(i64, i64)>> {
    let visible = partition.start()..partition.high_watermark();
    let list = partition.segments();
    let mut candidates = Vec::new();
    for segment in list.iter().filter(|s| s.next_offset() > visible.start && s.base < visible.end) {
        candidates.push((segment.max_timestamp(&*partition.disk)?, segment));
    }
    candidates.sort_by_key(|(bound, segment)| (Reverse(*bound), segment.base));
    let mut best: Option<(i64, i64)> = None;
    for (bound, segment) in candidates {
        let is_beaten = |(offset, time)| time > bound || time == bound && offset < segment.base;
        if bound < 0 || best.is_some_and(is_beaten) {
            break;
        }
        let mut found = first_in(partition, segment, bound, &visible)?;
        if found.is_none()
            && let Some(largest) = largest_in(partition, segment, &visible)?
        {
            found = first_in(partition, segment, largest, &visible)?;
        }
        best = best.into_iter().chain(found).max_by_key(|&(offset, time)| (time, Reverse(offset)));
    }
    Ok(best)
}

/// The first record of `segment` in `visible` at or after `timestamp_ms`.
fn first_in(
    partition: &Partition,
    segment: &Segment,
    timestamp_ms: i64,
    visible: &Range<i64>,
) -> LogResult<Option<(i64, i64)>> {
    let loaded = segment.load(&*partition.disk)?;
    let bytes = loaded.region.bytes();
    let mut position = loaded.index.position_of_time(timestamp_ms, bytes.len());
    let mut scratch = Vec::new();
    while let Step::Batch(batch) = scan::step(bytes, position, None, Rules::Pelton, false) {
        let header = batch.header();
        position += header.size();
        if header.base_offset >= visible.end {
            break;
        }
        if header.max_timestamp < timestamp_ms || header.next_offset() <= visible.start {
            continue;
        }
        for record in batch.records(&mut scratch, EXPAND_LIMIT)? {
            let record = record?;
            if record.timestamp >= timestamp_ms && visible.contains(&record.offset) {
                return Ok(Some((record.offset, record.timestamp)));
            }
        }
    }
    Ok(None)
}

/// The largest timestamp of the records of `segment` in `visible`.
fn largest_in(partition: &Partition, segment: &Segment, visible: &Range<i64>) -> LogResult<Option<i64>> {
    let loaded = segment.load(&*partition.disk)?;
    let bytes = loaded.region.bytes();
    let first = u32::try_from(visible.start - segment.base).unwrap_or(0);
    let mut position = loaded.index.position_of(first, bytes.len());
    let (mut largest, mut scratch) = (None, Vec::new());
    while let Step::Batch(batch) = scan::step(bytes, position, None, Rules::Pelton, false) {
        let header = batch.header();
        position += header.size();
        if header.base_offset >= visible.end {
            break;
        }
        if header.next_offset() <= visible.start {
            continue;
        }
        if header.base_offset >= visible.start {
            largest = largest.max(Some(header.max_timestamp));
            continue;
        }
        for record in batch.records(&mut scratch, EXPAND_LIMIT)? {
            let record = record?;
            if visible.contains(&record.offset) {
                largest = largest.max(Some(record.timestamp));
            }
        }
    }
    Ok(largest)
}

//! The owner's end of a partition: append, publish, roll. One per partition, on one thread, never waiting for another.
//!
//! *Append* puts whole batches behind the published ones, unseen; *publish* shows them. Where the bytes go in between
//! depends on the flush policy (decision 0020):
//!
//! - `none`, `interval`: straight into the mapped segment. The first unseen batch is written without its length, which
//!   publish fills in: a process killed between the two leaves no batch that was never published.
//! - `group-commit`: into a ring in plain memory, which the committer writes to the file, publishes and syncs. The owner
//!   never touches a page that the disk may be writing back.
//! - `each`: as `group-commit`, by the owner itself, which waits for the disk.
//!
//! A full segment is followed by one that the keeper has prepared: no system call here. When none is ready the owner makes
//! it; when there is no room on the disk, the append is refused and changes nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_utils::CachePadded;

use super::config::{FlushPolicy, TopicConfig};
use super::error::{LogError, LogResult};
use super::files;
use super::index::{SegmentIndex, Sparse};
use super::offset::{Appended, Published};
use super::partition::Partition;
use super::segment::{Loaded, Segment};
use crate::host::threads::Waker;
use crate::host::{Open, Tail};
use crate::wire::batch;
use crate::wire::{Batch, BatchBuilder, BatchHeader, Compression, TimestampType};

/// Most segments that may be rolled without a publish in between.
const MAX_ROLLED: usize = 8;
/// Before each piece in the commit ring: length u32, kind u32, next offset i64, largest timestamp i64; little endian.
pub(super) const FRAME_BYTES: usize = 24;
/// Kind of a frame: batches follow.
pub(super) const FRAME_DATA: u32 = 0;
/// Kind of a frame: go on in the next segment, which lies in the other ring.
pub(super) const FRAME_ROLL: u32 = 1;

/// A segment being written.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) segment: Arc<Segment>,
    pub(super) tail: Tail,
}

/// A segment that the keeper has made ahead of time, with all that has to be allocated: taking it costs the owner nothing.
#[derive(Debug)]
pub(super) struct Prepared {
    segment: Arc<Segment>,
    tail: Tail,
}

impl Prepared {
    /// Over a fresh file of this name, or of the one that its base will give it.
    pub(super) fn new(partition: &Partition, name: Option<String>, loaded: Loaded) -> Self {
        let tail = loaded.region.tail().expect("a fresh region has no writer");
        Self { segment: Arc::new(Segment::active(&partition.dir, 0, name, loaded, 0)), tail }
    }
}

/// What the writer keeps of a batch's header.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// The offset after the batch.
    next: i64,
    max_timestamp: i64,
}

impl Span {
    fn of(header: &BatchHeader) -> Self {
        Self { next: header.next_offset(), max_timestamp: header.max_timestamp }
    }
}

/// A mapped segment with what its writer has yet to show.
#[derive(Debug)]
struct Mapped {
    active: Active,
    /// Position and bytes of the length that was left out.
    withheld: Option<(usize, [u8; 4])>,
    next: i64,
    max_timestamp: i64,
}

#[derive(Debug)]
enum Path {
    Mapped { current: Mapped, rolled: Vec<Mapped> },
    Ring(Ring),
    Each { current: Active, pending: Vec<u8>, next: i64 },
}

/// The owner's ends of the way to the committer.
#[derive(Debug)]
struct Ring {
    segment: Arc<Segment>,
    /// Frames not yet handed over.
    pending: Vec<u8>,
    /// Where in `pending` the open data frame begins.
    open_frame: Option<usize>,
    bytes: rtrb::Producer<u8>,
    rolls: rtrb::Producer<Active>,
    capacity: usize,
    /// Last, so that it is dropped after the ring: the committer then sees that the owner has gone.
    waker: WakeAtEnd,
}

/// Wakes once more when it is dropped.
#[derive(Debug)]
struct WakeAtEnd(Waker);

impl Drop for WakeAtEnd {
    fn drop(&mut self) {
        self.0.wake();
    }
}

/// The committer's ends.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) partition: Arc<Partition>,
    pub(super) current: Active,
    pub(super) bytes: rtrb::Consumer<u8>,
    pub(super) rolls: rtrb::Consumer<Active>,
}

/// Appends to one partition. On cache lines of its own, as its readers are.
#[derive(Debug)]
#[repr(align(128))]
pub struct PartitionWriter {
    partition: Arc<Partition>,
    config: Arc<TopicConfig>,
    path: Path,
    next: i64,
    /// Where the next batch goes in the current segment.
    position: usize,
    segment_base: i64,
    segment_since_ms: i64,
    sparse: Sparse,
    /// Taken while a record is appended, in a box so that this moves a pointer.
    builder: Option<Box<CachePadded<BatchBuilder>>>,
    copy: Vec<u8>,
    scratch: Vec<u8>,
    prepared: rtrb::Consumer<Prepared>,
    keeper: Waker,
    committer: Waker,
    prefaulter: Waker,
    prefault: usize,
    /// At this position the keeper is asked for the next segment.
    ask_at: usize,
    /// See [`PartitionWriter::keep_quiet`].
    is_quiet: bool,
}

/// What a new writer needs beside its partition.
pub(super) struct WriterSetup {
    pub(super) prepared: rtrb::Consumer<Prepared>,
    pub(super) keeper: Waker,
    pub(super) committer: Waker,
    pub(super) prefaulter: Waker,
    pub(super) prefault: usize,
    pub(super) mapped_writes: Option<bool>,
}

fn new_builder(compression: Compression) -> Box<CachePadded<BatchBuilder>> {
    Box::new(CachePadded::new(BatchBuilder::with_compression(compression)))
}

impl PartitionWriter {
    /// Takes ownership of a partition; the second part goes to the committer.
    pub(super) fn new(partition: Arc<Partition>, setup: WriterSetup) -> LogResult<(Self, Option<Link>)> {
        partition.check_running()?;
        if partition.is_owned.swap(true, Ordering::AcqRel) {
            return Err(LogError::Taken(format!("{} has an owner already", partition.name)));
        }
        let result = Self::open(partition.clone(), setup);
        if result.is_err() {
            partition.is_owned.store(false, Ordering::Release);
        }
        result
    }

    fn open(partition: Arc<Partition>, setup: WriterSetup) -> LogResult<(Self, Option<Link>)> {
        let config = partition.options();
        let mapped =
            setup.mapped_writes.unwrap_or(matches!(config.flush, FlushPolicy::None | FlushPolicy::Interval));
        let next = partition.published().get();
        let (active, sparse) = reopen_or_create(&partition, next, mapped, setup.prefault)?;
        let position = active.tail.appended();
        let segment_base = active.segment.base;
        let mut link = None;
        let path = if mapped {
            let current = Mapped { active, withheld: None, next, max_timestamp: sparse.max_timestamp };
            Path::Mapped { current, rolled: Vec::with_capacity(MAX_ROLLED) }
        } else if config.flush == FlushPolicy::Each {
            settle(&partition, next)?;
            Path::Each { current: active, pending: Vec::new(), next }
        } else {
            let capacity = 2 * (config.max_batch_bytes() + FRAME_BYTES) + 64 * 1024;
            let (mut producer, mut consumer) = rtrb::RingBuffer::<u8>::new(capacity);
            // Touch every page now, so that the first lap does not fault.
            if let Ok(chunk) = producer.write_chunk_uninit(capacity) {
                chunk.fill_from_iter(std::iter::repeat_n(0u8, capacity));
            }
            if let Ok(chunk) = consumer.read_chunk(capacity) {
                chunk.commit_all();
            }
            let (rolls_in, rolls_out) = rtrb::RingBuffer::new(MAX_ROLLED);
            let mut pending = vec![0u8; capacity];
            pending.clear();
            let ring = Ring {
                segment: active.segment.clone(),
                pending,
                open_frame: None,
                bytes: producer,
                rolls: rolls_in,
                capacity,
                waker: WakeAtEnd(setup.committer.clone()),
            };
            link = Some(Link {
                partition: partition.clone(),
                current: active,
                bytes: consumer,
                rolls: rolls_out,
            });
            Path::Ring(ring)
        };
        let builder = Some(new_builder(config.compression));
        let ask_at = config.segment_bytes / 2;
        let writer = Self {
            partition,
            config,
            path,
            next,
            position,
            segment_base,
            segment_since_ms: i64::MIN,
            sparse,
            builder,
            copy: Vec::new(),
            scratch: Vec::new(),
            prepared: setup.prepared,
            keeper: setup.keeper,
            committer: setup.committer,
            prefaulter: setup.prefaulter,
            prefault: setup.prefault,
            ask_at,
            is_quiet: false,
        };
        Ok((writer, link))
    }

    /// The partition.
    pub fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }

    /// It stores through the mapping: pages must be there ahead of it.
    pub(super) fn is_mapped(&self) -> bool {
        matches!(self.path, Path::Mapped { .. })
    }

    /// The offset that the next record gets.
    pub fn appended(&self) -> Appended {
        Appended(self.next)
    }

    /// Appends one record as a batch of its own. Returns its offset.
    #[inline]
    pub fn append_record(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&[u8], Option<&[u8]>)],
    ) -> LogResult<i64> {
        if let Path::Mapped { current, .. } = &self.path {
            let size = batch::HEADER_BYTES + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
            current.active.tail.expect_now(size + batch::MIN_RECORD_BYTES);
        }
        let mut builder = self.builder.take().unwrap_or_else(|| new_builder(self.config.compression));
        builder.clear();
        builder.push(timestamp_ms, key, value, headers);
        let result = self.append_built(&mut builder, timestamp_ms);
        self.builder = Some(builder);
        result
    }

    /// Appends what a builder holds as one batch and empties it, also when it is refused: who wants to try again keeps the
    /// bytes of [`BatchBuilder::finish`] and uses [`PartitionWriter::append_batch`]. Returns the offset of the first record.
    #[inline]
    pub fn append_built(&mut self, builder: &mut BatchBuilder, now_ms: i64) -> LogResult<i64> {
        if builder.is_empty() {
            return Ok(self.next);
        }
        if self.config.timestamps == TimestampType::LogAppend || self.config.is_compact {
            return self.append_batch(builder.finish(self.next), now_ms);
        }
        // Our own bytes need no validation. The mapping gets them before they are signed: its cache lines are on their way while the
        // checksum is computed.
        let span = Span { next: self.next + builder.offsets(), max_timestamp: builder.max_timestamp() };
        let signed = !self.is_mapped();
        let bytes = builder.lay_out(self.next);
        if signed {
            batch::sign(bytes);
        }
        self.append_checked(span, bytes, signed, now_ms)
    }

    /// Appends a batch from outside as sent, compression included; gives it its offsets. It is checked record by
    /// record first. Returns the offset of the first record.
    pub fn append_batch(&mut self, bytes: &[u8], now_ms: i64) -> LogResult<i64> {
        let limit = self.config.max_batch_bytes();
        if bytes.len() > limit {
            return Err(LogError::TooLarge { size: bytes.len(), limit });
        }
        let parsed = Batch::parse(bytes)?;
        if parsed.bytes().len() != bytes.len() {
            return Err(LogError::Config("one batch at a time: bytes follow the first".into()));
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let checked = self.check_outside(&parsed, &mut scratch);
        self.scratch = scratch;
        checked?;
        self.append_valid(bytes, now_ms)
    }

    /// [`PartitionWriter::append_batch`] for one batch whose records the caller has already read to the last.
    pub fn append_valid(&mut self, bytes: &[u8], now_ms: i64) -> LogResult<i64> {
        let mut copy = std::mem::take(&mut self.copy);
        copy.clear();
        copy.extend_from_slice(bytes);
        batch::assign(&mut copy, self.next, 0);
        if self.config.timestamps == TimestampType::LogAppend {
            batch::assign_append_time(&mut copy, now_ms);
        }
        let result = BatchHeader::parse(&copy)
            .map_err(Into::into)
            .and_then(|h| self.append_checked(Span::of(&h), &mut copy, true, now_ms));
        self.copy = copy;
        result
    }

    fn check_outside(&self, parsed: &Batch<'_>, scratch: &mut Vec<u8>) -> LogResult<()> {
        // Ten times what a batch may be, expanded: Kafka sets no bound here, memory does.
        let limit = self.config.max_message_bytes.saturating_mul(10).max(16 << 20);
        parsed.validate(scratch, limit)?;
        let header = parsed.header();
        if header.count == 0 || header.last_offset_delta != header.count - 1 {
            return Err(LogError::Config(
                "a batch from outside holds one record for each of its offsets".into(),
            ));
        }
        if self.config.is_compact && !header.attributes.is_control() {
            for record in parsed.records(scratch, limit)? {
                if record?.key.is_none() {
                    return Err(LogError::Config(format!(
                        "{} is compacted: every record needs a key",
                        self.partition.topic
                    )));
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn append_checked(&mut self, span: Span, bytes: &mut [u8], signed: bool, now_ms: i64) -> LogResult<i64> {
        let limit = self.config.max_batch_bytes();
        if bytes.len() > limit {
            return Err(LogError::TooLarge { size: bytes.len(), limit });
        }
        self.partition.check_running()?;
        if self.segment_since_ms == i64::MIN {
            self.segment_since_ms = now_ms;
        }
        if self.must_roll(bytes.len(), span, now_ms) {
            self.roll(now_ms)?;
        }
        let base = self.next;
        match &mut self.path {
            Path::Mapped { current, .. } => current.append(span, bytes, signed),
            Path::Ring(ring) => ring.append(&self.partition, span, bytes)?,
            Path::Each { pending, next, .. } => {
                pending.extend_from_slice(bytes);
                *next = span.next;
            }
        }
        if let Some(entry) = self.sparse.note(base - self.segment_base, self.position, span.max_timestamp) {
            self.index().push(entry);
        }
        self.position += bytes.len();
        if self.position >= self.ask_at {
            self.ask();
        }
        self.next = span.next;
        let counters = &self.partition.counters;
        // One writer: a load and a store are enough and cost nothing.
        counters.batches.store(counters.batches.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        counters.bytes.store(counters.bytes.load(Ordering::Relaxed) + bytes.len() as u64, Ordering::Relaxed);
        Ok(base)
    }

    /// Has the next segment made ready.
    #[cold]
    fn ask(&mut self) {
        self.ask_at = usize::MAX;
        self.partition.wants_segment.store(true, Ordering::Release);
        self.keeper.wake();
    }

    fn index(&self) -> &SegmentIndex {
        let segment = match &self.path {
            Path::Mapped { current, .. } => &current.active.segment,
            Path::Ring(ring) => &ring.segment,
            Path::Each { current, .. } => &current.segment,
        };
        &segment.loaded().expect("an active segment is open").index
    }

    #[inline]
    fn must_roll(&self, size: usize, span: Span, now_ms: i64) -> bool {
        self.position + size > self.config.segment_bytes
            || span.next - self.segment_base > i64::from(i32::MAX)
            || (self.position > 0
                && (now_ms.saturating_sub(self.segment_since_ms) >= self.config.segment_ms
                    || self.partition.roll_requested.load(Ordering::Relaxed)))
    }

    /// Goes on in a fresh segment. Changes nothing when there is none to be had.
    #[cold]
    fn roll(&mut self, now_ms: i64) -> LogResult<()> {
        let refuse = |e| {
            self.partition.counters.refused.fetch_add(1, Ordering::Relaxed);
            Err(e)
        };
        match &mut self.path {
            Path::Mapped { rolled, .. } if rolled.len() == MAX_ROLLED => {
                return refuse(LogError::Backpressure { partition: self.partition.name.clone() });
            }
            Path::Ring(ring) if ring.rolls.is_full() || ring.room() < 2 * FRAME_BYTES => {
                return refuse(LogError::Backpressure { partition: self.partition.name.clone() });
            }
            // The pending bytes belong to the old segment.
            Path::Each { .. } => {
                self.publish()?;
            }
            _ => {}
        }
        let Prepared { mut segment, tail } = match self.prepared.pop() {
            Ok(prepared) => prepared,
            Err(_) => {
                self.partition.counters.inline_rolls.fetch_add(1, Ordering::Relaxed);
                let mapped = matches!(self.path, Path::Mapped { .. });
                let name = files::segment_name(self.next);
                match self.partition.create_file(&name, self.next, mapped, self.prefault) {
                    Ok(loaded) => Prepared::new(&self.partition, None, loaded),
                    Err(e) => {
                        self.partition.counters.refused.fetch_add(1, Ordering::Relaxed);
                        return Err(e);
                    }
                }
            }
        };
        Arc::get_mut(&mut segment).expect("nobody else has it yet").begin(self.next);
        let active = Active { segment: segment.clone(), tail };
        match &mut self.path {
            Path::Mapped { current, rolled } => {
                let fresh = Mapped { active, withheld: None, next: self.next, max_timestamp: -1 };
                rolled.push(std::mem::replace(current, fresh));
            }
            Path::Ring(ring) => {
                ring.close_frame();
                ring.frame(0, FRAME_ROLL, self.next, self.sparse.max_timestamp);
                ring.segment = segment;
                // Room was made sure of above.
                let _ = ring.rolls.push(active);
            }
            Path::Each { current, .. } => {
                current.segment.set_synced();
                current.segment.seal();
                *current = active;
                self.partition.add_segment(&segment);
            }
        }
        self.partition.roll_requested.store(false, Ordering::Relaxed);
        self.position = 0;
        self.ask_at = self.config.segment_bytes / 2;
        self.segment_base = self.next;
        self.segment_since_ms = now_ms;
        self.sparse = Sparse::new(self.config.index_interval_bytes);
        self.keeper.wake();
        Ok(())
    }

    /// Shows everything appended. Under `group-commit` this hands it to the committer, which shows it a moment later: see
    /// [`Partition::published`]. Under `each` it returns when the disk has it.
    #[inline]
    pub fn publish(&mut self) -> LogResult<Published> {
        match &mut self.path {
            Path::Mapped { current, rolled } => {
                if !rolled.is_empty() {
                    publish_rolled(&self.partition, current, rolled);
                    // There are sealed segments to be named, trimmed and synced.
                    self.keeper.wake();
                    self.committer.wake();
                }
                current.publish();
                self.partition.set_published(self.next);
                if !self.is_quiet {
                    self.partition.tell_published();
                }
                let segment = &current.active.segment;
                if current.active.tail.appended() >= segment.wake_at.load(Ordering::Relaxed) {
                    self.prefaulter.wake();
                }
            }
            Path::Ring(ring) => {
                self.partition.check_running()?;
                ring.hand_over(&self.partition)?;
            }
            Path::Each { current, pending, next } => {
                if !pending.is_empty() {
                    let written =
                        write_and_sync(current, pending, *next, self.sparse.max_timestamp, &self.partition);
                    pending.clear();
                    if let Err(reason) = written {
                        self.partition.stop(reason.clone());
                        return Err(LogError::Stopped { partition: self.partition.name.clone(), reason });
                    }
                }
            }
        }
        Ok(self.partition.published())
    }

    /// For an owner who serves those that wait: its own publications call nobody.
    pub(super) fn keep_quiet(&mut self) {
        self.is_quiet = true;
    }

    /// For idle turns: closes the active segment when its time is over or retention asks for it.
    pub fn idle(&mut self, now_ms: i64) -> LogResult<()> {
        let is_old = self.segment_since_ms != i64::MIN
            && now_ms.saturating_sub(self.segment_since_ms) >= self.config.segment_ms;
        if self.position > 0 && (is_old || self.partition.roll_requested.load(Ordering::Relaxed)) {
            self.roll(now_ms)?;
            self.publish()?;
        }
        Ok(())
    }
}

impl Drop for PartitionWriter {
    fn drop(&mut self) {
        // A partition whose link the committer holds is free only when the committer has drained it.
        if !matches!(self.path, Path::Ring(_)) {
            if let Path::Mapped { current, rolled } = &mut self.path {
                // Unpublished bytes vanish with their tails, segments that nobody saw with their files.
                let unseen = rolled.iter().skip(1).chain(rolled.first().map(|_| &*current));
                for mapped in unseen {
                    mapped.active.segment.discard(&*self.partition.disk);
                }
                rolled.clear();
                current.active.tail.discard();
            }
            self.partition.is_owned.store(false, Ordering::Release);
        }
    }
}

impl Mapped {
    #[inline]
    fn append(&mut self, span: Span, bytes: &mut [u8], signed: bool) {
        let tail = &mut self.active.tail;
        if self.withheld.is_none() {
            // All of it but the length, so that nobody takes it for published.
            let length: &mut [u8; 4] = (&mut bytes[8..12]).try_into().expect("four bytes");
            self.withheld = Some((tail.appended() + 8, std::mem::take(length)));
        }
        let own = tail.append(bytes);
        if !signed {
            // Behind a length that is withheld: a process killed before this leaves nothing that looks published.
            own[batch::CRC_AT..batch::CRC_FROM].copy_from_slice(&batch::checksum(bytes).to_be_bytes());
        }
        self.next = span.next;
        self.max_timestamp = self.max_timestamp.max(span.max_timestamp);
    }

    #[inline]
    fn publish(&mut self) {
        if let Some((at, length)) = self.withheld.take() {
            self.active.tail.patch(at, &length);
            self.active.segment.note_timestamp(self.max_timestamp);
            self.active.segment.set_mark(self.active.tail.appended(), self.next);
            self.active.tail.publish();
            self.active.tail.expect_more();
        }
    }
}

#[cold]
fn publish_rolled(partition: &Partition, current: &Mapped, rolled: &mut Vec<Mapped>) {
    for i in 0..rolled.len() {
        rolled[i].publish();
        let successor = rolled.get(i + 1).map_or(&current.active.segment, |m| &m.active.segment).clone();
        // Into the list first: a reader that sees "sealed" looks there for what follows.
        partition.add_segment(&successor);
        rolled[i].active.segment.seal();
    }
    rolled.clear();
}

impl Ring {
    fn room(&self) -> usize {
        self.capacity - self.pending.len()
    }

    #[inline]
    fn frame(&mut self, length: u32, kind: u32, next: i64, max_timestamp: i64) {
        self.pending.extend_from_slice(&length.to_le_bytes());
        self.pending.extend_from_slice(&kind.to_le_bytes());
        self.pending.extend_from_slice(&next.to_le_bytes());
        self.pending.extend_from_slice(&max_timestamp.to_le_bytes());
    }

    #[inline]
    fn append(&mut self, partition: &Partition, span: Span, bytes: &[u8]) -> LogResult<()> {
        if self.room() < bytes.len() + 2 * FRAME_BYTES {
            partition.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Err(LogError::Backpressure { partition: partition.name.clone() });
        }
        let at = match self.open_frame {
            Some(at) => {
                let highest =
                    i64::from_le_bytes(self.pending[at + 16..at + 24].try_into().expect("eight bytes"));
                self.pending[at + 16..at + 24]
                    .copy_from_slice(&highest.max(span.max_timestamp).to_le_bytes());
                at
            }
            None => {
                let at = self.pending.len();
                self.frame(0, FRAME_DATA, 0, span.max_timestamp);
                self.open_frame = Some(at);
                at
            }
        };
        self.pending[at + 8..at + 16].copy_from_slice(&span.next.to_le_bytes());
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn close_frame(&mut self) {
        if let Some(at) = self.open_frame.take() {
            let length = (self.pending.len() - at - FRAME_BYTES) as u32;
            self.pending[at..at + 4].copy_from_slice(&length.to_le_bytes());
        }
    }

    #[inline]
    fn hand_over(&mut self, partition: &Partition) -> LogResult<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.close_frame();
        if self.bytes.push_entire_slice(&self.pending).is_err() {
            partition.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Err(LogError::Backpressure { partition: partition.name.clone() });
        }
        self.pending.clear();
        self.waker.0.wake();
        Ok(())
    }
}

fn write_and_sync(
    active: &mut Active,
    bytes: &[u8],
    next: i64,
    max_timestamp: i64,
    partition: &Partition,
) -> Result<(), String> {
    let file = &active.segment.loaded().expect("an active segment is open").file;
    file.write_at(bytes, active.tail.appended() as u64).map_err(|e| format!("write: {e}"))?;
    active.segment.note_timestamp(max_timestamp);
    active.segment.set_mark(active.tail.appended() + bytes.len(), next);
    active.tail.advance(bytes.len());
    partition.set_published(next);
    file.sync().map_err(|e| format!("fdatasync: {e}"))?;
    partition.counters.syncs.fetch_add(1, Ordering::Relaxed);
    partition.raise_durable(next);
    Ok(())
}

/// Brings to the disk what an earlier owner published and died without syncing, for an owner who syncs only what it writes: what it
/// declares durable includes all that lies before.
fn settle(partition: &Partition, next: i64) -> LogResult<()> {
    if partition.durable().get() >= next {
        return Ok(());
    }
    for segment in partition.segments().iter().filter(|s| !s.is_synced()) {
        if let Err(e) = segment.load(&*partition.disk)?.file.sync() {
            let reason = format!("fdatasync of {}: {e}", segment.path().display());
            partition.stop(reason.clone());
            return Err(LogError::Stopped { partition: partition.name.clone(), reason });
        }
        if segment.is_sealed() {
            segment.set_synced();
        }
    }
    partition.raise_durable(next);
    Ok(())
}

/// Makes a segment at `next` and closes the one before.
fn create(
    partition: &Arc<Partition>,
    next: i64,
    mapped: bool,
    prefault: usize,
    before: Option<&Arc<Segment>>,
) -> LogResult<(Active, Sparse)> {
    // The owner before may have made the file and published nothing there.
    let loaded = partition.create_file(&files::segment_name(next), next, mapped, prefault)?;
    let tail = loaded.region.tail().expect("a fresh region has no writer");
    let segment = Arc::new(Segment::active(&partition.dir, next, None, loaded, next));
    partition.add_segment(&segment);
    if let Some(old) = before.filter(|old| old.base != next) {
        old.seal();
    }
    Ok((Active { segment, tail }, Sparse::new(partition.config.index_interval_bytes)))
}

/// Opens the last segment for appending, or makes a new one where it is sealed, full or missing.
fn reopen_or_create(
    partition: &Arc<Partition>,
    next: i64,
    mapped: bool,
    prefault: usize,
) -> LogResult<(Active, Sparse)> {
    let config = &partition.config;
    let list = partition.segments();
    let reusable = list.last().filter(|last| {
        !last.is_sealed() && last.next_offset() == next && last.size() < config.segment_bytes as u64
    });
    let Some(old) = reusable else { return create(partition, next, mapped, prefault, list.last()) };
    old.rename(&*partition.disk)?;
    let path = old.path();
    let fail = |e: std::io::Error| LogError::io("opening", &path, &e);
    let size = old.size() as usize;
    let file = partition.disk.open(&path, Open::Write).map_err(fail)?;
    file.allocate(config.segment_bytes as u64).map_err(fail)?;
    let length = file.len().map_err(fail)?.min(i32::MAX as u64) as usize;
    let region = file.map(length.min(config.segment_bytes), size, mapped).map_err(fail)?;
    let end = if mapped { size + prefault } else { size };
    region.prepare_write(size..end).map_err(fail)?;
    region.prepare_read(0..size).map_err(fail)?;
    let room = SegmentIndex::capacity_for(config.segment_bytes, config.index_interval_bytes);
    let (index, walk, _) =
        super::segment::build_index(region.bytes(), old.base, config.index_interval_bytes, room, next);
    if (walk.end, walk.next_offset) != (size, next) {
        // Its end is damaged. A batch behind it could be taken for the rest of the damaged one: go on in another file.
        drop(region);
        file.set_len(size as u64).map_err(fail)?;
        return create(partition, next, mapped, prefault, Some(old));
    }
    let mut sparse = Sparse::new(config.index_interval_bytes);
    // Go on where the last entry is; the walk's largest timestamp holds for all that follows.
    if let Some(last) = index.entries().last() {
        sparse.note(i64::from(last.relative), last.position as usize, last.before);
    }
    sparse.max_timestamp = walk.max_timestamp;
    let tail =
        region.tail().ok_or_else(|| LogError::Taken(format!("{} is being written", partition.name)))?;
    let loaded = Loaded { file, region, index, writable_to: if mapped { end } else { 0 } };
    let segment = Arc::new(Segment::active(&partition.dir, old.base, None, loaded, next));
    segment.note_timestamp(walk.max_timestamp);
    partition.add_segment(&segment);
    // Readers of the old object find the new one in the list.
    old.seal();
    Ok((Active { segment, tail }, sparse))
}

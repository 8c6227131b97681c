//! A partition as everybody shares it: its list of segments and its offsets. No locks: the list is swapped whole, the
//! offsets are atomics, and only the owner (or the committer on its behalf) moves them forward.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use crossbeam_utils::CachePadded;

use super::config::TopicConfig;
use super::error::{LogError, LogResult};
use super::files::{self, Sheet};
use super::index::SegmentIndex;
use super::moves::Moves;
use super::offset::{Durable, Published};
use super::prefault::MIN_LEAD_BYTES;
use super::segment::{Loaded, Place, Segment};
use crate::host::{Disk, Open};

/// Counters of one partition; all since the log was opened.
#[derive(Debug, Default)]
pub struct Counters {
    /// Batches appended.
    pub batches: AtomicU64,
    /// Bytes appended.
    pub bytes: AtomicU64,
    /// Segments that the owner had to make itself because none was prepared.
    pub inline_rolls: AtomicU64,
    /// Syncs done.
    pub syncs: AtomicU64,
    /// Appends refused for want of room.
    pub refused: AtomicU64,
    /// Segments deleted by retention.
    pub deleted_segments: AtomicU64,
    /// Compactions.
    pub compactions: AtomicU64,
}

/// Shared state of a partition.
#[derive(Debug)]
pub struct Partition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// Which partition of it.
    pub number: u32,
    /// `topic-number`.
    pub name: String,
    pub(super) dir: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
    /// The topic's options as they were when it was opened: those that shape files and threads stay as they are.
    pub config: Arc<TopicConfig>,
    /// The options as they are now.
    options: ArcSwap<TopicConfig>,
    pub(super) segments: ArcSwap<Vec<Arc<Segment>>>,
    pub(super) start: AtomicI64,
    /// Stored at every publication, as the counters at every append: on lines of their own, as all the rest is only read.
    published: CachePadded<AtomicI64>,
    durable: AtomicI64,
    stopped: OnceLock<String>,
    pub(super) moves: Arc<Moves>,
    pub(super) is_owned: AtomicBool,
    /// How many bytes are kept writable ahead of its writer; see [`super::prefault`].
    pub(super) lead: AtomicUsize,
    /// The owner asks the keeper for the next segment.
    pub(super) wants_segment: AtomicBool,
    /// The keeper asks the owner to close the active segment (it has outlived its time).
    pub(super) roll_requested: AtomicBool,
    /// Compaction has seen everything before this offset.
    pub(super) compacted_to: AtomicI64,
    /// Base of the segment that the checkpoint on disk names.
    pub(super) checkpointed: AtomicI64,
    /// A read-only view of somebody else's log.
    pub(super) is_read_only: bool,
    /// Counters.
    pub counters: CachePadded<Counters>,
    /// A durable place known from before, for the checkpoint.
    pub(super) recovered: Place,
    pub(super) is_unscanned: bool,
}

/// What the partitions of a log have in common.
pub(super) struct Home<'a> {
    pub(super) root: &'a Path,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) moves: Arc<Moves>,
    pub(super) is_read_only: bool,
}

/// What recovery knows of a partition.
pub(super) struct Recovered {
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) start: i64,
    pub(super) next: i64,
    pub(super) durable: Place,
    pub(super) stopped: Option<String>,
    /// It could not be read since the power went: the next run must not take the holes in it for damage.
    pub(super) is_unscanned: bool,
}

impl Partition {
    pub(super) fn new(
        home: &Home<'_>,
        topic: Arc<str>,
        number: u32,
        config: Arc<TopicConfig>,
        found: Recovered,
    ) -> Self {
        let stopped = OnceLock::new();
        if let Some(reason) = found.stopped {
            let _ = stopped.set(reason);
        }
        Self {
            name: format!("{topic}-{number}"),
            dir: files::partition_dir(home.root, &topic, number),
            topic,
            number,
            disk: home.disk.clone(),
            options: ArcSwap::new(config.clone()),
            config,
            segments: ArcSwap::from_pointee(found.segments),
            start: AtomicI64::new(found.start),
            published: CachePadded::new(AtomicI64::new(found.next)),
            durable: AtomicI64::new(found.durable.offset.min(found.next)),
            stopped,
            moves: home.moves.clone(),
            is_owned: AtomicBool::new(false),
            lead: AtomicUsize::new(MIN_LEAD_BYTES),
            wants_segment: AtomicBool::new(false),
            roll_requested: AtomicBool::new(false),
            compacted_to: AtomicI64::new(0),
            checkpointed: AtomicI64::new(found.durable.base),
            is_read_only: home.is_read_only,
            counters: CachePadded::default(),
            recovered: found.durable,
            is_unscanned: found.is_unscanned,
        }
    }

    /// The topic's options as they are now (see [`super::Log::set_options`]).
    pub fn options(&self) -> Arc<TopicConfig> {
        self.options.load_full()
    }

    pub(super) fn set_options(&self, options: Arc<TopicConfig>) {
        self.options.store(options);
    }

    /// The first offset that is still there.
    pub fn start(&self) -> i64 {
        self.start.load(Ordering::Acquire)
    }

    /// Records below are visible and survive the death of the process.
    #[inline]
    pub fn published(&self) -> Published {
        Published(self.published.load(Ordering::Acquire))
    }

    /// Records below survive a power loss.
    #[inline]
    pub fn durable(&self) -> Durable {
        Durable(self.durable.load(Ordering::Acquire))
    }

    /// What consumers of the protocol may see: *durable* under `group-commit` and `each`, else *published*.
    pub fn high_watermark(&self) -> i64 {
        let end =
            if self.config.flush.waits_for_durable() { self.durable().get() } else { self.published().get() };
        // Until the first sync after a crash, what is known to be durable may lie before the start.
        end.max(self.start())
    }

    /// [`Partition::tell_published`] follows, unless whoever publishes is the one who waits.
    #[inline]
    pub(super) fn set_published(&self, offset: i64) {
        self.published.store(offset, Ordering::Release);
    }

    /// Calls those who wait for what has been published.
    #[inline]
    pub(super) fn tell_published(&self) {
        if !self.config.flush.waits_for_durable() {
            self.moves.tell();
        }
    }

    pub(super) fn raise_durable(&self, offset: i64) {
        let before = self.durable.fetch_max(offset, Ordering::AcqRel);
        if before < offset && self.config.flush.waits_for_durable() {
            self.moves.tell();
        }
    }

    /// Takes no more writes, for this reason. Reads go on.
    pub(super) fn stop(&self, reason: String) {
        let _ = self.stopped.set(reason);
        self.moves.tell();
    }

    /// Why it takes no more writes, if so.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }

    /// Fails when the partition is stopped.
    #[inline]
    pub(super) fn check_running(&self) -> LogResult<()> {
        match self.stopped.get() {
            None => Ok(()),
            Some(reason) => Err(LogError::Stopped { partition: self.name.clone(), reason: reason.clone() }),
        }
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        self.segments.load_full()
    }

    /// Bytes of data in all segments.
    pub fn size(&self) -> u64 {
        self.segments.load().iter().map(|s| s.size()).sum()
    }

    /// Adds a segment at the end, or replaces the one with the same base.
    pub(super) fn add_segment(&self, segment: &Arc<Segment>) {
        self.segments.rcu(|list| {
            let mut list = Vec::clone(list);
            list.retain(|s| s.base != segment.base);
            list.push(segment.clone());
            list
        });
    }

    /// Makes the file for a segment at `base`: reserved, mapped, durable by name. `Full` when there is no room.
    pub(super) fn create_file(
        &self,
        name: &str,
        base: i64,
        mapped: bool,
        prefault: usize,
    ) -> LogResult<Loaded> {
        let path = self.dir.join(name);
        let fail = |e: std::io::Error| {
            let e = LogError::io("creating", &path, &e);
            match e {
                LogError::Full { reason, .. } => {
                    LogError::Full { partition: format!("another segment of {}", self.name), reason }
                }
                e => e,
            }
        };
        let size = self.config.segment_bytes;
        let file = self.disk.open(&path, Open::Create).map_err(fail)?;
        let made = (|| {
            file.allocate(size as u64)?;
            let region = file.map(size, 0, mapped)?;
            if mapped {
                region.prepare_write(0..prefault.min(size))?;
            }
            self.disk.sync_dir(&self.dir)?;
            Ok(region)
        })();
        match made {
            Ok(region) => {
                let capacity = SegmentIndex::capacity_for(size, self.config.index_interval_bytes);
                let index = SegmentIndex::with_capacity(capacity);
                Ok(Loaded { file, region, index, writable_to: if mapped { prefault.min(size) } else { 0 } })
            }
            Err(e) => {
                // Never leave a half-made file that a later run would take for data.
                let _ = self.disk.remove(&self.dir.join(name));
                let _ = base;
                Err(fail(e))
            }
        }
    }

    /// Forgets records before `offset`, durably; whole segments before it are deleted by the keeper.
    pub(super) fn delete_before(&self, offset: i64) -> LogResult<i64> {
        let end = self.high_watermark();
        if offset > end || offset < 0 {
            return Err(LogError::OutOfRange { partition: self.name.clone(), offset, end });
        }
        if offset <= self.start() {
            return Ok(self.start());
        }
        let sheet = Sheet { lines: vec![format!("start {offset}")] };
        sheet.write(&*self.disk, &self.dir.join("start"), "pelton-start")?;
        self.start.fetch_max(offset, Ordering::AcqRel);
        Ok(offset)
    }
}

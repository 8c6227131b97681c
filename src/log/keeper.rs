//! The keeper: everything that may take its time. Prepares and prefaults segments ahead of the owners, finishes sealed
//! ones (name, trim, index), deletes by retention, compacts by key. One per log; it alone names and unlinks segment files.
//!
//! Prefaulting keeps a *lead* of writable pages before each mapped writer. The lead grows to the configured bound while the
//! writer runs into it and is small for slow topics, so that a thousand idle partitions dirty next to nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::catalog::Catalog;
use super::compact;
use super::config::{FlushPolicy, LogConfig};
use super::error::LogResult;
use super::partition::Partition;
use super::segment::Segment;
use super::writer::Prepared;
use crate::host::Clock;
use crate::host::threads::Turn;

/// Smallest lead of prefaulted bytes.
pub(super) const MIN_LEAD_BYTES: usize = 256 * 1024;

/// The keeper's end of the way to an owner.
pub(super) struct KeeperLink {
    pub(super) partition: Arc<Partition>,
    pub(super) prepared: rtrb::Producer<Prepared>,
}

/// See the module's documentation.
pub(super) struct Keeper {
    clock: Arc<dyn Clock>,
    catalog: Arc<ArcSwap<Catalog>>,
    control: rtrb::Consumer<KeeperLink>,
    links: Vec<KeeperLink>,
    leads: HashMap<String, usize>,
    next_name: u64,
    config: LogConfig,
    last_maintenance_ns: u64,
    last_failure_ns: u64,
}

impl Keeper {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        catalog: Arc<ArcSwap<Catalog>>,
        control: rtrb::Consumer<KeeperLink>,
        config: LogConfig,
        first_name: u64,
    ) -> Self {
        let last_maintenance_ns = clock.monotonic_ns();
        Self {
            clock,
            catalog,
            control,
            links: Vec::new(),
            leads: HashMap::new(),
            next_name: first_name,
            config,
            last_maintenance_ns,
            last_failure_ns: 0,
        }
    }

    /// One round.
    pub(super) fn turn(&mut self) -> Turn {
        while let Ok(link) = self.control.pop() {
            self.links.push(link);
        }
        self.links.retain(|link| !link.prepared.is_abandoned());
        let mut busy = false;
        let now = self.clock.monotonic_ns();
        for i in 0..self.links.len() {
            busy |= self.prefault(i);
            busy |= self.prepare(i, now);
        }
        let catalog = self.catalog.load_full();
        for partition in catalog.partitions() {
            busy |= finish_segments(partition);
        }
        if now.saturating_sub(self.last_maintenance_ns) >= self.config.maintenance_interval_ms * 1_000_000 {
            self.last_maintenance_ns = now;
            let wall_ms = self.clock.wall_ms();
            for partition in catalog.partitions() {
                // What fails now is tried again next time; the reads and writes of the partition do not depend on it.
                let _ = maintain(partition, wall_ms, self.config.compaction_bytes, false);
            }
        }
        if busy { Turn::Busy } else { Turn::Idle(Duration::from_millis(1)) }
    }

    /// Keeps pages writable ahead of a mapped writer.
    fn prefault(&mut self, i: usize) -> bool {
        let partition = &self.links[i].partition;
        let mapped = self
            .config
            .mapped_writes
            .unwrap_or(matches!(partition.config.flush, FlushPolicy::None | FlushPolicy::Interval));
        if !mapped {
            return false;
        }
        let segments = partition.segments.load();
        let Some(segment) = segments.last() else { return false };
        let Some(loaded) = segment.loaded() else { return false };
        if segment.is_sealed() {
            return false;
        }
        let written = loaded.region.published();
        let ready = segment.prefaulted.load(Ordering::Relaxed).max(written);
        let lead = self.leads.entry(partition.name.clone()).or_insert(MIN_LEAD_BYTES);
        let left = ready - written;
        if left > *lead / 2 || ready == loaded.region.len() {
            return false;
        }
        // The writer used up half of the lead since the last look: it is fast.
        if ready > written && *lead < self.config.prefault_bytes {
            *lead = (*lead * 2).min(self.config.prefault_bytes);
        }
        let end = (written + *lead).min(loaded.region.len());
        if let Err(e) = loaded.region.prepare_write(ready..end) {
            partition.stop(format!("preparing pages: {e}"));
            return false;
        }
        segment.prefaulted.store(end, Ordering::Relaxed);
        true
    }

    /// Has the next segment ready once the active one is half full.
    fn prepare(&mut self, i: usize, now: u64) -> bool {
        let link = &mut self.links[i];
        if link.prepared.is_full() || link.partition.stopped().is_some() {
            return false;
        }
        let segments = link.partition.segments.load();
        let size = segments.last().map_or(0, |s| s.size());
        if (size as usize) < link.partition.config.segment_bytes / 2 {
            return false;
        }
        // On a full disk ask again ten times a second, not without pause.
        if self.last_failure_ns != 0 && now.saturating_sub(self.last_failure_ns) < 100_000_000 {
            return false;
        }
        let name = format!("prepared-{}", self.next_name);
        self.next_name += 1;
        let policy = link.partition.config.flush;
        let mapped =
            self.config.mapped_writes.unwrap_or(matches!(policy, FlushPolicy::None | FlushPolicy::Interval));
        let lead = self.leads.get(&link.partition.name).copied().unwrap_or(MIN_LEAD_BYTES);
        match link.partition.create_file(&name, -1, mapped, lead) {
            Ok(loaded) => {
                let _ = link.prepared.push(Prepared { name, loaded });
                self.last_failure_ns = 0;
                true
            }
            Err(_) => {
                self.last_failure_ns = now.max(1);
                false
            }
        }
    }

    /// Maintenance now, for callers without the thread.
    pub(super) fn maintain_now(&mut self) -> LogResult<()> {
        let catalog = self.catalog.load_full();
        for partition in catalog.partitions() {
            finish_segments(partition);
            maintain(partition, self.clock.wall_ms(), self.config.compaction_bytes, true)?;
        }
        Ok(())
    }
}

/// Names, trims and indexes what is sealed.
pub(super) fn finish_segments(partition: &Partition) -> bool {
    let mut any = false;
    for segment in partition.segments.load().iter() {
        if partition.stopped().is_some() {
            return any;
        }
        let result = if segment.is_sealed() && !segment.is_finished() {
            any = true;
            segment.finish(&*partition.disk)
        } else {
            segment.rename(&*partition.disk)
        };
        if let Err(e) = result {
            partition.stop(e.to_string());
        }
    }
    any
}

/// Retention and compaction of one partition.
pub(super) fn maintain(
    partition: &Arc<Partition>,
    now_ms: i64,
    compaction_bytes: usize,
    force: bool,
) -> LogResult<()> {
    if partition.is_read_only || partition.stopped().is_some() {
        return Ok(());
    }
    retain(partition, now_ms)?;
    if partition.options().is_compact {
        compact::compact(partition, now_ms, compaction_bytes, force)?;
    }
    Ok(())
}

/// Deletes from the front: what lies before the start, is too old, or exceeds the size. The last segment stays, but is
/// asked to close when it is itself too old.
pub(super) fn retain(partition: &Partition, now_ms: i64) -> LogResult<()> {
    let config = partition.options();
    let segments = partition.segments();
    let mut size: u64 = segments.iter().map(|s| s.size()).sum();
    let mut gone: Vec<Arc<Segment>> = Vec::new();
    for pair in segments.windows(2) {
        let (segment, next) = (&pair[0], &pair[1]);
        if !segment.is_sealed() || !segment.is_finished() {
            break;
        }
        let before_start = next.base <= partition.start();
        let too_old = config.is_delete && config.retention_ms >= 0 && {
            let newest = segment.max_timestamp(&*partition.disk)?;
            // Segments without any timestamp are as old as they can be, yet not to be deleted for that.
            newest >= 0 && newest < now_ms.saturating_sub(config.retention_ms)
        };
        let too_much = config.is_delete
            && config.retention_bytes >= 0
            && size.saturating_sub(segment.size()) >= config.retention_bytes as u64;
        if !(before_start || too_old || too_much) {
            break;
        }
        size -= segment.size();
        gone.push(segment.clone());
    }
    if let Some(last) = segments.last()
        && config.is_delete
        && config.retention_ms >= 0
        && last.loaded().is_some()
        && last.size() > 0
        && !last.is_sealed()
    {
        let newest = last.max_timestamp(&*partition.disk)?;
        if newest >= 0 && newest < now_ms.saturating_sub(config.retention_ms) {
            partition.roll_requested.store(true, Ordering::Relaxed);
        }
    }
    let Some(last) = gone.last() else { return Ok(()) };
    let start = last.next_offset();
    partition.start.fetch_max(start, Ordering::AcqRel);
    partition.segments.rcu(|list| {
        let mut list = Vec::clone(list);
        list.retain(|s| s.base >= start);
        list
    });
    for segment in &gone {
        remove_files(partition, segment)?;
        partition.counters.deleted_segments.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Unlinks a segment's files; readers that hold it go on.
pub(super) fn remove_files(partition: &Partition, segment: &Segment) -> LogResult<()> {
    let path = segment.path();
    partition.disk.remove(&path).map_err(|e| super::error::LogError::io("removing", &path, &e))?;
    let _ = partition.disk.remove(&segment.index_path());
    Ok(())
}

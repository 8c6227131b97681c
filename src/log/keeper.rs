//! The keeper: everything that may take its time. Prepares segments ahead of the owners, finishes sealed ones (name, trim,
//! index), deletes by retention, compacts by key. One per log; it alone names and unlinks segment files.
//!
//! It sleeps until somebody wakes it: an owner that has used half of its segment, or that has rolled; the committer when it
//! has closed a segment. Otherwise maintenance wakes it, every few seconds.

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

/// How soon a segment is tried again that could not be made.
const RETRY_NS: u64 = 100_000_000;

/// The keeper's end of the way to an owner.
pub(super) struct KeeperLink {
    pub(super) partition: Arc<Partition>,
    pub(super) prepared: rtrb::Producer<Prepared>,
}

impl KeeperLink {
    fn wants_segment(&self) -> bool {
        self.partition.wants_segment.load(Ordering::Acquire)
            && !self.prepared.is_full()
            && self.partition.stopped().is_none()
    }
}

/// See the module's documentation.
pub(super) struct Keeper {
    clock: Arc<dyn Clock>,
    catalog: Arc<ArcSwap<Catalog>>,
    control: rtrb::Consumer<KeeperLink>,
    links: Vec<KeeperLink>,
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
        if busy { Turn::Busy } else { Turn::Idle(Duration::from_nanos(self.pause_ns(now))) }
    }

    /// How long nothing is due, unless woken.
    fn pause_ns(&self, now: u64) -> u64 {
        let maintenance = self.last_maintenance_ns + self.config.maintenance_interval_ms * 1_000_000;
        let mut due = maintenance;
        if self.links.iter().any(KeeperLink::wants_segment) {
            due = due.min(self.last_failure_ns + RETRY_NS);
        }
        due.saturating_sub(now).max(1_000_000)
    }

    /// Something that somebody asked for is not done: asked before sleeping, so that no wake-up is lost.
    pub(super) fn has_work(&self) -> bool {
        !self.control.is_empty()
            || self
                .links
                .iter()
                .any(|l| l.prepared.is_abandoned() || (self.last_failure_ns == 0 && l.wants_segment()))
            || self.catalog.load().partitions().any(|p| {
                let list = p.segments.load();
                p.stopped().is_none()
                    && list.iter().any(|s| s.is_sealed() && !s.is_finished() || !s.is_named())
            })
    }

    /// Makes the next segment when the owner asks for it.
    fn prepare(&mut self, i: usize, now: u64) -> bool {
        let link = &mut self.links[i];
        if !link.wants_segment() {
            return false;
        }
        // On a full disk ask again ten times a second, not without pause.
        if self.last_failure_ns != 0 && now.saturating_sub(self.last_failure_ns) < RETRY_NS {
            return false;
        }
        let name = format!("prepared-{}", self.next_name);
        self.next_name += 1;
        let policy = link.partition.config.flush;
        let mapped =
            self.config.mapped_writes.unwrap_or(matches!(policy, FlushPolicy::None | FlushPolicy::Interval));
        let lead = link.partition.lead.load(Ordering::Relaxed);
        match link.partition.create_file(&name, -1, mapped, lead) {
            Ok(loaded) => {
                link.partition.wants_segment.store(false, Ordering::Release);
                let _ = link.prepared.push(Prepared::new(&link.partition, Some(name), loaded));
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

#[cfg(all(test, not(loom)))]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::host::{ManualClock, SimDisk};
    use crate::log::{FlushPolicy, Helpers, Log, LogConfig, TopicConfig};

    /// With owners of every policy and nothing to do, both helpers sleep for long; an owner that needs them has work for
    /// them at once.
    #[test]
    fn idle_helpers_sleep() {
        let (disk, clock) = (SimDisk::default(), ManualClock::at(1));
        let config = LogConfig { helpers: Helpers::Manual, prefault_bytes: 64 << 10, ..LogConfig::default() };
        let mut log =
            Log::open_on(Arc::new(disk), Arc::new(clock.clone()), Path::new("/log"), config).unwrap();
        let mut owners = Vec::new();
        for flush in [FlushPolicy::None, FlushPolicy::Interval, FlushPolicy::GroupCommit, FlushPolicy::Each] {
            let config = TopicConfig { flush, segment_bytes: 1 << 20, ..TopicConfig::default() };
            log.create_topic(&flush.to_string(), 1, config).unwrap();
            owners.push(log.writer(&flush.to_string(), 0).unwrap());
        }
        for owner in &mut owners {
            owner.append_record(1, None, Some(b"value"), &[]).unwrap();
            owner.publish().unwrap();
        }
        let settle = |log: &mut Log| {
            for _ in 0..20 {
                log.turn();
                clock.advance_ms(50);
            }
            log.idle_turns()
        };
        let (committer, keeper) = settle(&mut log);
        // `interval` says nothing when it publishes: it is looked at four times in its 100 ms.
        assert_eq!(committer, Turn::Idle(Duration::from_millis(25)));
        assert!(matches!(keeper, Turn::Idle(pause) if pause >= Duration::from_secs(1)), "{keeper:?}");
        let mapped = &mut owners[0];
        let segment = mapped.partition().segments().last().unwrap().clone();
        let before = segment.wake_at.load(Ordering::Relaxed);
        while segment.place().position < before as u64 {
            assert_eq!(log.helpers_have_work(), (false, false));
            mapped.append_record(1, None, Some(&[7; 1000]), &[]).unwrap();
            mapped.publish().unwrap();
        }
        assert_eq!(log.helpers_have_work(), (false, true), "a quarter of the lead is used");
        settle(&mut log);
        assert_eq!(log.helpers_have_work(), (false, false));
        assert!(segment.wake_at.load(Ordering::Relaxed) > before);
        let next = Log::catalog(&log).partition("group-commit", 0).unwrap().clone();
        while owners[2].appended().get() < 700 {
            let _ = owners[2].append_record(1, None, Some(&[7; 1000]), &[]);
            let _ = owners[2].publish();
            log.idle_turns();
        }
        assert!(!next.wants_segment.load(Ordering::Acquire), "the next segment was made when half was used");
        drop(owners);
        log.delete_topic("interval").unwrap();
        let (committer, _) = settle(&mut log);
        assert_eq!(committer, Turn::Idle(Duration::from_secs(1)), "only the checkpoint's interval is left");
    }
}

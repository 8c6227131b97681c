//! The committer: writes what `group-commit` owners hand over, publishes it, makes data durable by each topic's policy,
//! and notes durable places in the `checkpoint` file.
//!
//! One committer serves all partitions of a log. For each it keeps at most one sync under way; what is published
//! meanwhile goes into the next, which is what makes a group of a group commit. A failed write or sync stops that
//! partition for good: after it nobody knows which pages the kernel has dropped.
//!
//! It sleeps until an owner has handed something over, rolled or gone. While there are `interval` topics, whose
//! publications say nothing, it looks a few times in each interval; otherwise once in each checkpoint's.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::catalog::Catalog;
use super::config::{FlushPolicy, LogConfig};
use super::error::LogResult;
use super::files::Sheet;
use super::partition::Partition;
use super::segment::{Place, Segment};
use super::sync::Syncer;
use super::writer::{Active, FRAME_BYTES, FRAME_ROLL, Link};
use crate::host::threads::{Turn, Waker};
use crate::host::{Clock, Disk};

/// Bytes that are gathered before one write.
const GATHER_BYTES: usize = 1 << 20;
/// How often in its interval a topic's policy is looked at, and the bounds of that.
const LOOKS: u64 = 4;
const SURVEY_NS: std::ops::Range<u64> = 1_000_000..50_000_000;
/// How soon to look again while the disk works.
const POLL: Duration = Duration::from_micros(50);

/// See the module's documentation.
pub(super) struct Committer {
    root: PathBuf,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    catalog: Arc<ArcSwap<Catalog>>,
    control: rtrb::Consumer<Link>,
    links: Vec<Link>,
    syncer: Syncer,
    states: HashMap<String, SyncState>,
    jobs: HashMap<u64, (String, Arc<Segment>, bool)>,
    next_tag: u64,
    gathered: Vec<u8>,
    checkpoint_interval_ns: u64,
    last_checkpoint_ns: u64,
    written: Vec<String>,
    /// Time of the last look at policies that are not urgent, and when the next is due.
    last_survey_ns: u64,
    survey_ns: u64,
    /// Somebody may publish under `interval` without a word.
    must_look: bool,
    /// The topics that were there at the last look.
    surveyed: Arc<Catalog>,
    keeper: Waker,
}

#[derive(Default)]
struct SyncState {
    /// Syncs of the running group still out, and what they will make durable.
    waiting: usize,
    target: i64,
    place: Place,
    durable: Place,
    last_ns: u64,
    failed: bool,
}

impl Committer {
    pub(super) fn new(
        (root, disk, clock): (PathBuf, Arc<dyn Disk>, Arc<dyn Clock>),
        catalog: Arc<ArcSwap<Catalog>>,
        control: rtrb::Consumer<Link>,
        config: &LogConfig,
        syncer: Syncer,
        keeper: Waker,
    ) -> Self {
        Self {
            root,
            disk,
            clock,
            catalog,
            control,
            links: Vec::new(),
            syncer,
            states: HashMap::new(),
            jobs: HashMap::new(),
            next_tag: 0,
            gathered: Vec::new(),
            checkpoint_interval_ns: config.checkpoint_interval_ms * 1_000_000,
            last_checkpoint_ns: 0,
            written: Vec::new(),
            last_survey_ns: 0,
            survey_ns: SURVEY_NS.start,
            must_look: false,
            surveyed: Arc::default(),
            keeper,
        }
    }

    /// One round over everything that may be due.
    pub(super) fn turn(&mut self) -> Turn {
        let mut busy = false;
        while let Ok(link) = self.control.pop() {
            self.links.push(link);
            busy = true;
        }
        let mut i = 0;
        while i < self.links.len() {
            busy |= drain(&mut self.links[i], &mut self.gathered, &self.keeper);
            let link = &self.links[i];
            if link.bytes.is_abandoned() && link.bytes.is_empty() {
                let mut link = self.links.swap_remove(i);
                while let Ok(unseen) = link.rolls.pop() {
                    unseen.segment.discard(&*self.disk);
                }
                let partition = link.partition.clone();
                drop(link);
                partition.is_owned.store(false, Ordering::Release);
            } else {
                i += 1;
            }
        }
        busy |= self.finish_syncs();
        let now = self.clock.monotonic_ns();
        // Group commits are urgent, the other policies are looked at now and then.
        for i in 0..self.links.len() {
            let partition = self.links[i].partition.clone();
            busy |= self.start_sync(&partition, now, false);
        }
        if self.has_new_topics() || now.saturating_sub(self.last_survey_ns) >= self.survey_ns {
            self.last_survey_ns = now;
            self.survey_ns = SURVEY_NS.end;
            self.must_look = false;
            let catalog = self.catalog.load_full();
            self.surveyed = catalog.clone();
            for partition in catalog.partitions() {
                self.start_sync(partition, now, false);
                if partition.config.flush == FlushPolicy::Interval {
                    let look = partition.config.flush_interval_ms * 1_000_000 / LOOKS;
                    self.survey_ns = self.survey_ns.min(look.max(SURVEY_NS.start));
                    self.must_look = true;
                }
            }
            if now.saturating_sub(self.last_checkpoint_ns) >= self.checkpoint_interval_ns {
                self.last_checkpoint_ns = now;
                // Failing to note a place costs a longer scan, nothing else.
                let _ = self.write_checkpoint();
            }
        }
        match (busy, self.jobs.is_empty()) {
            (true, _) => Turn::Busy,
            (false, false) => Turn::Idle(POLL),
            (false, true) => {
                let pause = if self.must_look { self.survey_ns } else { self.checkpoint_interval_ns };
                Turn::Idle(Duration::from_nanos(pause.max(SURVEY_NS.start)))
            }
        }
    }

    /// There is something in a ring, an owner has gone, or topics have come.
    pub(super) fn has_work(&mut self) -> bool {
        !self.control.is_empty()
            || self.has_new_topics()
            || self.links.iter().any(|l| !l.bytes.is_empty() || l.bytes.is_abandoned())
    }

    fn has_new_topics(&self) -> bool {
        !Arc::ptr_eq(&self.catalog.load(), &self.surveyed)
    }

    /// Brings everything published to the disk and waits for it; for a clean close.
    pub(super) fn flush(&mut self) {
        loop {
            let busy = self.turn();
            let now = self.clock.monotonic_ns();
            let catalog = self.catalog.load_full();
            let mut started = false;
            for partition in catalog.partitions() {
                started |= self.start_sync(partition, now, true);
            }
            if self.jobs.is_empty() && !started && busy != Turn::Busy {
                let _ = self.write_checkpoint();
                return;
            }
            if !self.jobs.is_empty() {
                std::thread::yield_now();
            }
        }
    }

    fn start_sync(&mut self, partition: &Arc<Partition>, now: u64, force: bool) -> bool {
        if !self.states.contains_key(&partition.name) {
            let state = SyncState { durable: partition.recovered, ..SyncState::default() };
            self.states.insert(partition.name.clone(), state);
        }
        let state = self.states.get_mut(&partition.name).expect("inserted above");
        if state.waiting > 0 || state.failed || partition.is_read_only {
            return false;
        }
        let segments = partition.segments.load();
        let Some(active) = segments.last() else { return false };
        let policy = partition.config.flush;
        let place = active.place();
        let durable = partition.durable().get();
        if policy == FlushPolicy::Each && durable >= place.offset {
            // The owner syncs; here only the place is noted.
            state.durable = place;
            return false;
        }
        let wants_active = match policy {
            FlushPolicy::GroupCommit => durable < place.offset,
            FlushPolicy::Interval => {
                durable < place.offset
                    && now.saturating_sub(state.last_ns) >= partition.config.flush_interval_ms * 1_000_000
            }
            FlushPolicy::None | FlushPolicy::Each => false,
        } || (force && durable < place.offset);
        let due: Vec<Arc<Segment>> = segments
            .iter()
            .enumerate()
            .filter(|(i, s)| {
                let is_last = i + 1 == segments.len();
                !s.is_synced() && (wants_active || !is_last) && s.next_offset() > durable
            })
            .map(|(_, s)| s.clone())
            .collect();
        if due.is_empty() {
            // Segments that were durable all along (or deleted): only the place moves.
            if wants_active || active.base > durable {
                let place = if wants_active {
                    place
                } else {
                    Place { base: active.base, position: 0, offset: active.base }
                };
                partition.raise_durable(place.offset);
                state.durable = place;
            }
            return false;
        }
        let is_active_in = due.last().is_some_and(|s| Arc::ptr_eq(s, active));
        state.place =
            if is_active_in { place } else { Place { base: active.base, position: 0, offset: active.base } };
        state.target = state.place.offset;
        state.last_ns = now;
        for segment in due {
            let tag = self.next_tag;
            // Sealed before the sync begins: then all of it is in the sync.
            let whole = segment.is_sealed();
            let result = segment.load(&*self.disk).map_err(|e| std::io::Error::other(e.to_string()));
            match result.and_then(|_| self.syncer.submit(tag, &segment)) {
                Ok(true) => {
                    self.next_tag += 1;
                    state.waiting += 1;
                    self.jobs.insert(tag, (partition.name.clone(), segment, whole));
                }
                Ok(false) => {
                    // Too many at once: what is under way is finished, the target is not reached this time.
                    state.target = -1;
                    break;
                }
                Err(e) => {
                    state.failed = true;
                    partition.stop(format!("fdatasync: {e}"));
                    break;
                }
            }
        }
        true
    }

    fn finish_syncs(&mut self) -> bool {
        let mut any = false;
        while let Some((tag, result)) = self.syncer.poll() {
            any = true;
            let Some((name, segment, whole)) = self.jobs.remove(&tag) else { continue };
            let catalog = self.catalog.load();
            let Some(partition) = catalog.partition_by_name(&name) else { continue };
            let Some(state) = self.states.get_mut(&name) else { continue };
            state.waiting -= 1;
            match result {
                Ok(()) => {
                    partition.counters.syncs.fetch_add(1, Ordering::Relaxed);
                    if whole {
                        segment.set_synced();
                    }
                }
                Err(e) => {
                    state.failed = true;
                    partition.stop(format!("fdatasync of {}: {e}", segment.path().display()));
                }
            }
            if state.waiting == 0 && !state.failed && state.target >= 0 {
                partition.raise_durable(state.target);
                state.durable = state.place;
            }
        }
        any
    }

    /// Writes the `checkpoint` file when it would say something new.
    pub(super) fn write_checkpoint(&mut self) -> LogResult<()> {
        let catalog = self.catalog.load();
        let places: Vec<(&Arc<Partition>, Place)> = catalog
            .partitions()
            .map(|p| (p, self.states.get(&p.name).map_or(p.recovered, |s| s.durable)))
            .collect();
        let lines: Vec<String> = places.iter().map(|(p, place)| checkpoint_line(p, *place)).collect();
        if lines == self.written {
            return Ok(());
        }
        write_checkpoint(&self.root, &*self.disk, &lines)?;
        for (partition, place) in places {
            partition.checkpointed.store(place.base, Ordering::Release);
        }
        self.written = lines;
        Ok(())
    }

    /// How syncs are done, for people.
    pub(super) fn sync_name(&self) -> &str {
        &self.syncer.name
    }
}

pub(super) fn checkpoint_line(partition: &Partition, place: Place) -> String {
    let Partition { topic, number, is_unscanned, .. } = partition;
    let mark = if *is_unscanned { " unscanned" } else { "" };
    format!("{topic} {number} {} {} {}{mark}", place.base, place.position, place.offset)
}

pub(super) fn write_checkpoint(root: &std::path::Path, disk: &dyn Disk, lines: &[String]) -> LogResult<()> {
    let mut sheet = Sheet { lines: vec![format!("boot {}", disk.boot_id())] };
    sheet.lines.extend_from_slice(lines);
    sheet.write(disk, &root.join("checkpoint"), "pelton-checkpoint")
}

/// Writes what an owner handed over and shows it. True when there was something.
fn drain(link: &mut Link, gathered: &mut Vec<u8>, keeper: &Waker) -> bool {
    let mut any = false;
    loop {
        if link.partition.stopped().is_some() {
            // Nothing more is taken; make room so that the owner learns it from us and not from a full ring.
            let n = link.bytes.slots();
            if let Ok(chunk) = link.bytes.read_chunk(n) {
                chunk.commit_all();
            }
            return any;
        }
        gathered.clear();
        let mut next = None;
        let mut highest = -1;
        let mut successor = None;
        while gathered.len() < GATHER_BYTES {
            let mut frame = [0u8; FRAME_BYTES];
            if link.bytes.pop_entire_slice(&mut frame).is_err() {
                break;
            }
            any = true;
            let word = |at: usize| u32::from_le_bytes(frame[at..at + 4].try_into().expect("four bytes"));
            let long = |at: usize| i64::from_le_bytes(frame[at..at + 8].try_into().expect("eight bytes"));
            if word(4) == FRAME_ROLL {
                successor = link.rolls.pop().ok();
                assert!(successor.is_some(), "a roll comes with its segment");
                break;
            }
            let length = word(0) as usize;
            let at = gathered.len();
            gathered.resize(at + length, 0);
            // A publication enters the ring as a whole, so its bytes are there when its frame is.
            link.bytes.pop_entire_slice(&mut gathered[at..]).expect("a frame comes with its bytes");
            next = Some(long(8));
            highest = highest.max(long(16));
        }
        if let Some(next) = next
            && let Err(reason) = write_out(&link.partition, &mut link.current, gathered, next, highest)
        {
            link.partition.stop(reason);
            continue;
        }
        match successor {
            Some(active) => {
                link.partition.add_segment(&active.segment);
                link.current.segment.seal();
                link.current = active;
                keeper.wake();
            }
            None if gathered.is_empty() => return any,
            None => {}
        }
    }
}

fn write_out(
    partition: &Partition,
    current: &mut Active,
    bytes: &[u8],
    next: i64,
    highest: i64,
) -> Result<(), String> {
    let file = &current.segment.loaded().expect("an active segment is open").file;
    file.write_at(bytes, current.tail.appended() as u64).map_err(|e| format!("write: {e}"))?;
    let before = current.segment.max_timestamp(&*partition.disk).unwrap_or(-1);
    current.segment.note_timestamp(before.max(highest));
    current.segment.set_mark(current.tail.appended() + bytes.len(), next);
    current.tail.advance(bytes.len());
    partition.set_published(next);
    partition.tell_published();
    Ok(())
}

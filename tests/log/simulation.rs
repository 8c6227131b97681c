//! The log against a naive model, on a disk that loses what it may: random appends, reads, retention, compaction, new
//! owners, restarts, kills and power losses.
//!
//! What must hold after every step, by seed: a reader sees exactly the rows that were appended at their offsets, in
//! order, without a gap or an error; a row is missing only when retention took it or, in a compacted topic, a later
//! published row of its key (or its age, for a tombstone) justifies that. After a kill nothing published is missing and
//! nothing unpublished is there; after a power loss nothing durable is missing and what is there is a prefix.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use pelton::host::sim::Rng;
use pelton::host::{ManualClock, SimDisk};
use pelton::log::{FindingKind, Log, LogError, PartitionWriter, offset_for_time};
use pelton::wire::{BatchBuilder, Compression};

use super::support::*;

const START_MS: i64 = 1_000_000_000;

struct World {
    rng: Rng,
    disk: SimDisk,
    clock: ManualClock,
    log: Option<Log>,
    writer: Option<PartitionWriter>,
    /// Every appended row, by offset.
    rows: Vec<Row>,
    is_compact: bool,
    tombstone_ms: i64,
    asked_start: i64,
    stats: Stats,
    trace: Vec<String>,
}

#[derive(Default, Debug)]
struct Stats {
    steps: u64,
    kills: u64,
    power_losses: u64,
    lost_unpublished: u64,
    lost_undurable: u64,
    torn: u64,
    failed_syncs: u64,
    unreadable: u64,
    compactions: u64,
    refused: u64,
    segments: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let disk = SimDisk::default();
        let clock = ManualClock::at(START_MS);
        let mut log = open_sim(&disk, &clock).unwrap();
        let policy = ["none", "interval", "group-commit", "each"][rng.below(4)];
        let is_compact = rng.chance(40);
        let has_retention = rng.chance(30);
        let segment = ["4096", "6000", "16384"][rng.below(3)];
        let mut config = options(&[
            ("flush.policy", policy),
            ("segment.bytes", segment),
            ("index.interval.bytes", "300"),
            ("flush.interval.ms", "50"),
            ("cleanup.policy", if is_compact { "compact" } else { "delete" }),
            ("delete.retention.ms", "5000"),
            ("compression.type", ["none", "none", "lz4", "zstd"][rng.below(4)]),
            ("retention.ms", "-1"),
        ]);
        if has_retention {
            config.set("retention.bytes", "20000").unwrap();
            config.is_delete = true;
        }
        config.segment_ms = [10_000_000, 3_000][rng.below(2)];
        log.create_topic("t", 1, config).unwrap();
        Self {
            rng,
            disk,
            clock,
            log: Some(log),
            writer: None,
            rows: Vec::new(),
            is_compact,
            tombstone_ms: 5000,
            asked_start: 0,
            stats: Stats::default(),
            trace: vec![format!("{policy} segment {segment} compact {is_compact} retention {has_retention}")],
        }
    }

    fn log(&mut self) -> &mut Log {
        self.log.as_mut().unwrap()
    }

    fn now(&self) -> i64 {
        use pelton::host::Clock;
        self.clock.wall_ms()
    }

    fn published(&mut self) -> i64 {
        self.log().partition("t", 0).unwrap().published().get()
    }

    fn ensure_writer(&mut self) -> bool {
        if self.writer.is_some() {
            return true;
        }
        match self.log().writer("t", 0) {
            Ok(writer) => {
                assert_eq!(writer.appended().get(), self.published());
                self.rows.truncate(writer.appended().get() as usize);
                self.writer = Some(writer);
                true
            }
            // The committer has not yet let go, the disk is full, or syncs fail.
            Err(LogError::Taken(_) | LogError::Stopped { .. }) => false,
            Err(e) if e.is_retryable() => false,
            Err(e) => panic!("{e}"),
        }
    }

    fn append(&mut self) {
        if !self.ensure_writer() {
            return;
        }
        let now = self.now();
        let count = 1 + self.rng.below(4);
        let codec =
            [Compression::None, Compression::None, Compression::Lz4, Compression::Zstd][self.rng.below(4)];
        let mut builder = BatchBuilder::with_compression(codec);
        let mut rows = Vec::new();
        let writer = self.writer.as_mut().unwrap();
        let base = writer.appended().get();
        for i in 0..count {
            let offset = base + i as i64;
            let key = (self.is_compact || self.rng.chance(50)).then(|| vec![self.rng.below(12) as u8; 3]);
            let tombstone = self.is_compact && self.rng.chance(15);
            let size = [0, 10, 100, 700][self.rng.below(4)];
            let mut value = offset.to_be_bytes().to_vec();
            value.resize(8 + size, self.rng.below(256) as u8);
            let timestamp = now - self.rng.below(100) as i64;
            let row = Row { offset, timestamp, key, value: (!tombstone).then_some(value) };
            builder.push(row.timestamp, row.key.as_deref(), row.value.as_deref(), &[]);
            rows.push(row);
        }
        match writer.append_built(&mut builder, now) {
            Ok(offset) => {
                assert_eq!(offset, base);
                self.trace.push(format!("+{}@{base}", rows.len()));
                assert_eq!(self.rows.len() as i64, base);
                self.rows.extend(rows);
            }
            Err(e) => {
                assert!(e.is_retryable() || matches!(e, LogError::Stopped { .. }), "{e}");
                self.stats.refused += 1;
            }
        }
    }

    fn publish(&mut self) {
        if let Some(writer) = &mut self.writer {
            match writer.publish() {
                Ok(to) => self.trace.push(format!("p{to}")),
                Err(e) => assert!(e.is_retryable() || matches!(e, LogError::Stopped { .. }), "{e}"),
            }
        }
    }

    /// Reads everything and compares.
    fn check(&mut self, from_random: bool) {
        let end = self.published();
        let log = self.log.as_ref().unwrap();
        let partition = log.partition("t", 0).unwrap();
        let start = partition.start();
        assert!(start <= end && partition.durable().get() <= end, "{start} {:?} {end}", partition.durable());
        assert!(start >= self.asked_start, "deleted records are back: {start} < {}", self.asked_start);
        let from =
            if from_random { start + self.rng.below((end - start) as usize + 1) as i64 } else { start };
        let (read, errors) = read_all(log, "t", 0, from);
        assert!(errors.is_empty(), "{errors:?}");
        let mut expected = self.rows[from as usize..end as usize].iter();
        for row in &read {
            loop {
                let candidate = expected.next().unwrap_or_else(|| panic!("{row:?} was never appended"));
                if candidate.offset == row.offset {
                    assert_eq!(candidate, row);
                    break;
                }
                self.justify_missing(candidate, end);
            }
        }
        for candidate in expected {
            self.justify_missing(candidate, end);
        }
        if !self.is_compact && !self.rows.is_empty() && from_random {
            let probe = START_MS + self.rng.below((self.now() - START_MS) as usize + 10) as i64;
            let first = self.rows[start as usize..end as usize].iter().find(|r| r.timestamp >= probe);
            let found = offset_for_time(&partition, probe).unwrap();
            assert_eq!(found, first.map(|r| (r.offset, r.timestamp)));
        }
    }

    fn justify_missing(&self, row: &Row, end: i64) {
        let later = |r: &&Row| r.key == row.key && r.offset > row.offset && r.offset < end;
        let is_superseded = row.key.is_some() && self.rows.iter().any(|r| later(&r));
        let is_expired = row.value.is_none() && row.timestamp < self.now() - self.tombstone_ms;
        assert!(self.is_compact && (is_superseded || is_expired), "row {} is missing", row.offset);
    }

    /// A disk that answers EIO while the log is opened: the partition says so and takes no writes, and nothing is cut.
    fn open_unreadable(&mut self) {
        self.disk.fail_reads(Some(".log"));
        let mut log = open_sim(&self.disk, &self.clock).unwrap();
        self.disk.fail_reads(None);
        if log.findings().iter().any(|f| f.kind == FindingKind::Unreadable) {
            self.stats.unreadable += 1;
            assert!(log.partition("t", 0).unwrap().stopped().is_some());
            assert!(matches!(log.writer("t", 0), Err(LogError::Stopped { .. })));
            log.turn();
        }
        self.disk.kill();
        drop(log);
    }

    /// Syncs fail for a while. From the first failure on the partition takes no writes; what is published can be read.
    fn fail_syncs(&mut self) {
        self.trace.push("syncs fail".into());
        self.disk.fail_syncs(Some(".log"));
        for _ in 0..3 {
            self.append();
            self.publish();
            self.log().turn();
            self.clock.advance_ms(60);
        }
        self.disk.fail_syncs(None);
        self.log().turn();
        let partition = self.log().partition("t", 0).unwrap();
        if partition.stopped().is_none() {
            return;
        }
        self.stats.failed_syncs += 1;
        let (published, durable) = (partition.published(), partition.durable());
        for _ in 0..3 {
            let before = self.rows.len();
            self.append();
            self.publish();
            self.log().turn();
            self.rows.truncate(before);
        }
        assert_eq!(partition.published(), published, "a stopped partition takes nothing");
        assert_eq!(partition.durable(), durable, "and nothing becomes durable");
        self.check(false);
        let is_power = self.rng.chance(50);
        self.crash(is_power);
        self.check(false);
    }

    /// The process ends without a word; then everything is opened again.
    fn crash(&mut self, is_power: bool) {
        let log = self.log.take().unwrap();
        let partition = log.partition("t", 0).unwrap();
        let (published, durable) = (partition.published().get(), partition.durable().get());
        let tail: Option<(PathBuf, u64)> =
            partition.segments().last().map(|s| (s.path(), s.place().position));
        let appended = self.rows.len() as i64;
        drop(partition);
        let mut is_torn = false;
        if is_power {
            self.stats.power_losses += 1;
            self.disk.power_loss(&mut self.rng);
        } else {
            self.stats.kills += 1;
            self.disk.kill();
            if self.rng.chance(40)
                && let Some((path, position)) = tail
            {
                is_torn = self.tear(&path, position as usize, published);
            }
        }
        // No destructor tidies up after kill -9: these find a disk that is not theirs any more.
        drop((self.writer.take(), log));
        if self.rng.chance(10) {
            self.open_unreadable();
        }
        let log = open_sim(&self.disk, &self.clock).unwrap();
        let end = log.partition("t", 0).unwrap().published().get();
        let context = || format!("{:?}", log.findings());
        for finding in log.findings() {
            let is_expected = match finding.kind {
                FindingKind::TornTail | FindingKind::BehindHole => is_power || is_torn,
                FindingKind::Unpublished => true,
                _ => false,
            };
            assert!(is_expected, "{finding}");
        }
        if is_power {
            assert!(end >= durable && end <= appended, "durable {durable}, found {end}: {}", context());
            self.stats.lost_undurable += u64::from(end < published);
            self.asked_start = self.asked_start.min(end);
        } else {
            assert_eq!(end, published, "appended {appended}: {}", context());
            self.stats.lost_unpublished += u64::from(published < appended);
            self.stats.torn += u64::from(is_torn);
        }
        self.trace.push(format!("found {end}, {published} published, {durable} durable"));
        self.rows.truncate(end as usize);
        self.log = Some(log);
    }

    /// What a write that the kill cut short leaves: the beginning of a batch behind the published bytes.
    fn tear(&mut self, path: &std::path::Path, position: usize, next: i64) -> bool {
        let mut builder = BatchBuilder::new();
        builder.push(self.now(), Some(b"torn"), Some(&[9; 300]), &[]);
        let batch = builder.finish(next).to_vec();
        // Its last byte is a zero and would not be missed.
        let n = 12 + self.rng.below(batch.len() - 13);
        let mut done = false;
        self.disk.corrupt(path, |bytes| {
            if position + batch.len() <= bytes.len() {
                bytes[position..].fill(0);
                bytes[position..position + n].copy_from_slice(&batch[..n]);
                done = true;
            }
        });
        done
    }

    fn restart(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            while writer.publish().is_err_and(|e| e.is_retryable()) {
                self.log().turn();
            }
        }
        for _ in 0..3 {
            self.log().turn();
        }
        let end = self.published();
        let is_stopped = self.log().partition("t", 0).unwrap().stopped().is_some();
        self.log.take().unwrap().close().unwrap();
        self.log = Some(open_sim(&self.disk, &self.clock).unwrap());
        let log = self.log();
        if !is_stopped {
            assert!(log.findings().is_empty(), "{:?}", log.findings());
            assert_eq!(log.partition("t", 0).unwrap().durable().get(), end, "a clean close is durable");
        }
        assert_eq!(self.published(), end);
        self.rows.truncate(end as usize);
    }

    fn step(&mut self) {
        self.stats.steps += 1;
        let choice = self.rng.below(1000);
        if self.trace.len() > 400 {
            self.trace.remove(1);
        }
        match choice {
            0..450 => self.append(),
            450..620 => self.publish(),
            620..760 => drop(self.log().turn()),
            760..830 => self.clock.advance_ms(self.rng.below(300) as u64),
            830..900 => self.check(true),
            900..920 => {
                self.trace.push("maintain".into());
                self.log().turn();
                if let Err(e) = self.log().maintain() {
                    assert!(e.is_retryable(), "{e}");
                }
                let partition = self.log().partition("t", 0).unwrap();
                self.stats.compactions +=
                    partition.counters.compactions.swap(0, std::sync::atomic::Ordering::Relaxed);
                self.check(false);
            }
            920..930 => {
                self.trace.push("drop the writer".into());
                self.writer = None;
            }
            930..940 if self.rng.chance(50) => {
                let (start, end) = (
                    self.log().partition("t", 0).unwrap().start(),
                    self.log().partition("t", 0).unwrap().high_watermark(),
                );
                let to = start + self.rng.below((end - start).max(0) as usize + 1) as i64;
                self.trace.push(format!("delete before {to}"));
                match self.log().delete_before("t", 0, to) {
                    Ok(_) => self.asked_start = self.asked_start.max(to),
                    // The new start is a file too: without room for it nothing changes.
                    Err(e) => {
                        assert!(e.is_retryable(), "{e}");
                        assert_eq!(self.log().partition("t", 0).unwrap().start(), start);
                    }
                }
            }
            940..950 if self.rng.chance(30) => {
                let now = self.now();
                if let Some(writer) = &mut self.writer {
                    match writer.idle(now) {
                        Ok(()) => {}
                        Err(e) => assert!(e.is_retryable() || matches!(e, LogError::Stopped { .. }), "{e}"),
                    }
                }
            }
            950..955 => {
                let used = self.disk.used();
                self.trace.push("full".into());
                self.disk.set_capacity(Some(used + 3000));
            }
            955..962 => self.disk.set_capacity(None),
            962..965 => {
                self.disk.set_capacity(None);
                self.fail_syncs();
            }
            965..975 => {
                self.trace.push("restart".into());
                self.disk.set_capacity(None);
                self.restart();
                self.check(false);
            }
            975..990 => {
                self.trace.push(format!("kill at {}", self.rows.len()));
                self.disk.set_capacity(None);
                self.crash(false);
                self.check(false);
            }
            990..1000 => {
                self.trace.push(format!("power loss at {}", self.rows.len()));
                self.disk.set_capacity(None);
                // What the retention of the last run removed may be back.
                self.crash(true);
                self.check(false);
            }
            _ => {}
        }
    }
}

fn run(seed: u64, steps: usize) -> Stats {
    let mut world = World::new(seed);
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..steps {
            world.step();
        }
        world.check(false);
        world.stats.segments = world.log().partition("t", 0).unwrap().segments().len() as u64;
    }));
    if let Err(panic) = result {
        eprintln!("seed {seed}: {}", world.trace.join("; "));
        eprintln!("files: {:?}", world.disk.paths());
        eprintln!("replay: PELTON_LOG_SEED={seed} cargo test --test log simulation -- --nocapture");
        std::mem::forget(world);
        std::panic::resume_unwind(panic);
    }
    let stats = std::mem::take(&mut world.stats);
    drop(world.writer.take());
    stats
}

#[test]
fn random_lives_on_a_bad_disk() {
    let mut total = Stats::default();
    let seeds = seeds(30);
    for &seed in &seeds {
        let s = run(seed, 1500);
        total.steps += s.steps;
        total.kills += s.kills;
        total.power_losses += s.power_losses;
        total.lost_unpublished += s.lost_unpublished;
        total.lost_undurable += s.lost_undurable;
        total.torn += s.torn;
        total.failed_syncs += s.failed_syncs;
        total.unreadable += s.unreadable;
        total.compactions += s.compactions;
        total.refused += s.refused;
        total.segments += s.segments;
    }
    println!("{} seeds: {total:?}", seeds.len());
    if seeds.len() > 20 {
        // The faults that the test is about did happen.
        let counts = [
            total.lost_undurable,
            total.lost_unpublished,
            total.compactions,
            total.torn,
            total.refused,
            total.failed_syncs,
            total.unreadable,
        ];
        assert!(counts.iter().all(|&n| n > 10), "{total:?}");
    }
}

//! What an append costs its owner: a record of 128 bytes as a batch of its own, appended and published.

use std::time::Duration;

use pelton::log::{FlushPolicy, Log, LogConfig, PartitionWriter, TopicConfig};
use quanta::Clock;

use crate::measure::{self, clock_cost, faults, folder, paced as at_rate, paced_into, print};

const VALUE: [u8; 128] = [7; 128];

fn topic(flush: FlushPolicy) -> TopicConfig {
    TopicConfig { flush, segment_bytes: 256 << 20, retention_ms: -1, ..TopicConfig::default() }
}

fn append(writer: &mut PartitionWriter) {
    writer.append_record(1, None, Some(&VALUE), &[]).expect("room");
    writer.publish().expect("running");
}

/// At a million a second without sync: the bar is p50 ≤ 60 ns, p99 ≤ 300 ns, no page fault.
pub(crate) fn paced() {
    let clock = Clock::new();
    println!("reading the clock twice: {} ns, in every figure", clock_cost(&clock));
    let dir = folder();
    let mut log = Log::open(dir.path(), LogConfig::default()).unwrap();
    log.create_topic("t", 1, topic(FlushPolicy::None)).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    // The lead of prefaulted pages grows to the writer's speed.
    at_rate(&clock, 500_000, 1_000_000, |_| append(&mut writer));
    let mut all = measure::histogram();
    let before = faults();
    paced_into(&mut all, &clock, 5_000_000, 1_000_000, |_| append(&mut writer));
    let faulted = faults() - before;
    let rolls = writer.partition().counters.inline_rolls.load(std::sync::atomic::Ordering::Relaxed);
    print(
        "append 128 B, no sync, 1M/s",
        &all,
        &format!("{faulted} page faults of the writer, {rolls} segments made by it, {} records", all.len()),
    );
}

/// As fast as it goes: what the mapping takes when the keeper must run as fast as the writer.
pub(crate) fn unpaced() {
    let clock = Clock::new();
    let dir = folder();
    let mut log = Log::open(dir.path(), LogConfig::default()).unwrap();
    log.create_topic("t", 1, topic(FlushPolicy::None)).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    let mut h = measure::histogram();
    let before = faults();
    let begin = clock.raw();
    for _ in 0..4_000_000u64 {
        let start = clock.raw();
        append(&mut writer);
        h.saturating_record(clock.delta_as_nanos(start, clock.raw()).max(1));
    }
    let seconds = Duration::from_nanos(clock.delta_as_nanos(begin, clock.raw())).as_secs_f64();
    print(
        "append 128 B, no sync, as fast as it goes",
        &h,
        &format!("{} page faults, {:.1} M records/s", faults() - before, 4.0 / seconds),
    );
}

/// Under `group-commit`, at a rate that a disk keeps up with: through an anonymous buffer, and through the mapping.
pub(crate) fn group_commit() {
    let clock = Clock::new();
    for (name, mapped) in [("buffer and pwrite", false), ("mapping", true)] {
        let dir = folder();
        let config = LogConfig { mapped_writes: Some(mapped), ..LogConfig::default() };
        let mut log = Log::open(dir.path(), config).unwrap();
        log.create_topic("t", 1, topic(FlushPolicy::GroupCommit)).unwrap();
        let mut writer = log.writer("t", 0).unwrap();
        let mut refused = 0u64;
        let mut one = |_| {
            if writer.append_record(1, None, Some(&VALUE), &[]).is_err() {
                refused += 1;
            }
            let _ = writer.publish();
        };
        at_rate(&clock, 200_000, 200_000, &mut one);
        let mut h = measure::histogram();
        let before = faults();
        paced_into(&mut h, &clock, 2_000_000, 200_000, &mut one);
        let faulted = faults() - before;
        let syncs = writer.partition().counters.syncs.load(std::sync::atomic::Ordering::Relaxed);
        print(
            &format!("append 128 B, group-commit by {name}, 200k/s"),
            &h,
            &format!("{faulted} page faults, {syncs} syncs by {}, {refused} refused", log.sync_name()),
        );
    }
}

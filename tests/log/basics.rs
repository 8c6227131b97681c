//! What is appended is read back, under every policy, across segments, restarts, owners and readers.

use std::sync::Arc;

use pelton::log::{
    FlushPolicy, Follow, Helpers, Log, LogConfig, LogError, SyncBy, max_timestamp, offset_for_time,
};
use pelton::wire::{BatchBuilder, Compression, Store};

use super::support::*;

const POLICIES: [&str; 4] = ["none", "interval", "group-commit", "each"];

/// Appends `count` records, tells when all are published.
fn fill(log: &mut Log, topic: &str, from: i64, count: i64) {
    let mut writer = log.writer(topic, 0).unwrap();
    assert_eq!(writer.appended().get(), from);
    for i in from..from + count {
        loop {
            match writer.append_record(1_000 + i, Some(b"key"), Some(&i.to_be_bytes()), &[]) {
                Ok(offset) => break assert_eq!(offset, i),
                Err(e) if e.is_retryable() => drop((writer.publish(), std::thread::yield_now())),
                Err(e) => panic!("{e}"),
            }
        }
        if i % 3 == 0 {
            let _ = writer.publish();
        }
    }
    while writer.publish().is_err_and(|e| e.is_retryable()) {
        std::thread::yield_now();
    }
    wait_for(log, || writer.partition().published().get() == from + count);
}

fn wait_for(log: &mut Log, done: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        if !log.turn() {
            std::thread::yield_now();
        }
        assert!(start.elapsed().as_secs() < 60, "nothing happens");
    }
}

fn check(log: &Log, topic: &str, count: i64) {
    for from in [0, 1, count / 2, count - 1] {
        let (rows, errors) = read_all(log, topic, 0, from);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(rows.len() as i64, count - from);
        for (row, i) in rows.iter().zip(from..) {
            assert_eq!((row.offset, row.timestamp), (i, 1_000 + i));
            assert_eq!(row.value.as_deref(), Some(&i.to_be_bytes()[..]));
        }
    }
}

#[test]
fn every_policy_keeps_order_across_segments_and_restarts() {
    for policy in POLICIES {
        for (helpers, sync_by) in [
            (Helpers::Threads, SyncBy::Auto),
            (Helpers::Threads, SyncBy::Thread),
            (Helpers::Manual, SyncBy::Auto),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let config = LogConfig { helpers, sync_by, ..LogConfig::default() };
            let mut log = Log::open(dir.path(), config.clone()).unwrap();
            let topic = options(&[
                ("flush.policy", policy),
                ("segment.bytes", "16384"),
                ("index.interval.bytes", "512"),
                ("flush.interval.ms", "1"),
                // The records are of 1970.
                ("retention.ms", "-1"),
            ]);
            log.create_topic("t", 1, topic).unwrap();
            fill(&mut log, "t", 0, 500);
            check(&log, "t", 500);
            let partition = log.partition("t", 0).unwrap();
            assert!(partition.segments().len() > 2);
            if policy != "none" {
                wait_for(&mut log, || partition.durable().get() == 500);
                assert_eq!(partition.high_watermark(), 500);
            }
            drop(partition);
            // The committer gives a partition back in its own time.
            wait_for(&mut log, || true);
            while let Err(LogError::Taken(_)) = log.writer("t", 0).map(drop) {
                log.turn();
            }
            wait_for(&mut log, || true);
            let log = close_and_open(log, dir.path(), &config);
            check(&log, "t", 500);
            assert!(log.findings().is_empty(), "{:?}", log.findings());
            // Again without a clean close.
            drop(log);
            let mut log = Log::open(dir.path(), config).unwrap();
            check(&log, "t", 500);
            fill(&mut log, "t", 500, 100);
            check(&log, "t", 600);
        }
    }
}

fn close_and_open(mut log: Log, path: &std::path::Path, config: &LogConfig) -> Log {
    for _ in 0..100 {
        log.turn();
    }
    std::thread::sleep(std::time::Duration::from_millis(20));
    log.close().unwrap();
    assert!(path.join("clean").exists());
    let log = Log::open(path, config.clone()).unwrap();
    assert!(!path.join("clean").exists(), "the marker holds for one open only");
    log
}

#[test]
fn unpublished_records_are_neither_seen_nor_kept() {
    let dir = tempfile::tempdir().unwrap();
    for policy in POLICIES {
        let mut log = Log::open(dir.path(), manual()).unwrap();
        log.create_topic(policy, 1, options(&[("flush.policy", policy)])).unwrap();
        let mut writer = log.writer(policy, 0).unwrap();
        writer.append_record(1, None, Some(b"seen"), &[]).unwrap();
        writer.publish().unwrap();
        log.turn();
        for _ in 0..5 {
            writer.append_record(2, None, Some(b"unseen"), &[]).unwrap();
        }
        let (rows, _) = read_all(&log, policy, 0, 0);
        assert_eq!(rows.len(), 1, "{policy}");
        // The process dies here: no drop runs.
        std::mem::forget(writer);
        drop(log);
        let log = Log::open(dir.path(), manual()).unwrap();
        let (rows, errors) = read_all(&log, policy, 0, 0);
        assert_eq!((rows.len(), errors.len()), (1, 0), "{policy}: {:?}", log.findings());
        assert_eq!(rows[0].value.as_deref(), Some(&b"seen"[..]));
    }
}

#[test]
fn a_folder_and_a_partition_have_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), manual()).unwrap();
    let e = Log::open(dir.path(), manual()).unwrap_err();
    assert!(e.to_string().contains("open in another process"), "{e}");
    log.create_topic("t", 2, options(&[])).unwrap();
    let writer = log.writer("t", 0).unwrap();
    assert!(matches!(log.writer("t", 0), Err(LogError::Taken(_))));
    drop(log.writer("t", 1).unwrap());
    assert!(log.delete_topic("t").is_err());
    drop(writer);
    drop(log.writer("t", 0).unwrap());
    log.delete_topic("t").unwrap();
    assert!(log.partition("t", 0).is_err());
    // Looking is allowed meanwhile.
    Log::open_read_only(dir.path()).unwrap();
}

#[test]
fn a_topic_goes_although_a_file_appears_in_its_folder_meanwhile() {
    use pelton::host::{ManualClock, SimDisk};
    let (disk, clock) = (SimDisk::default(), ManualClock::at(1_000_000));
    let mut log = open_sim(&disk, &clock).unwrap();
    log.create_topic("t", 1, options(&[])).unwrap();
    fill(&mut log, "t", 0, 10);
    disk.disturb_removals(3);
    log.delete_topic("t").unwrap();
    assert!(!disk.paths().iter().any(|p| p.to_string_lossy().contains("t-0")), "{:?}", disk.paths());
    log.create_topic("t", 1, options(&[])).unwrap();
    fill(&mut log, "t", 0, 1);
}

#[test]
fn another_version_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    Log::open(dir.path(), manual()).unwrap().close().unwrap();
    for file in ["format", "topics", "clean", "checkpoint"] {
        let path = dir.path().join(file);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        std::fs::write(&path, text.replacen(" 1\n", " 7\n", 1)).unwrap();
        let e = Log::open(dir.path(), manual()).unwrap_err();
        assert!(e.to_string().contains("version 7, this program reads version 1"), "{file}: {e}");
        assert!(pelton::Error::from(e).is_config());
        std::fs::write(&path, text).unwrap();
    }
    Log::open(dir.path(), manual()).unwrap();
}

#[test]
fn a_failed_sync_stops_the_partition_and_not_the_reads() {
    use pelton::host::{ManualClock, SimDisk};
    for policy in ["interval", "group-commit", "each"] {
        let (disk, clock) = (SimDisk::default(), ManualClock::at(1_000_000));
        let mut log = open_sim(&disk, &clock).unwrap();
        log.create_topic("good", 1, options(&[("flush.policy", policy)])).unwrap();
        log.create_topic("bad", 1, options(&[("flush.policy", policy)])).unwrap();
        let mut good = log.writer("good", 0).unwrap();
        let mut bad = log.writer("bad", 0).unwrap();
        bad.append_record(1, None, Some(b"first"), &[]).unwrap();
        bad.publish().unwrap();
        for _ in 0..5 {
            clock.advance_ms(200);
            log.turn();
        }
        assert_eq!(bad.partition().durable().get(), 1);
        disk.fail_syncs(Some("bad-0"));
        bad.append_record(1, None, Some(b"second"), &[]).unwrap();
        let published = bad.publish();
        for _ in 0..5 {
            clock.advance_ms(200);
            log.turn();
        }
        assert_eq!(bad.partition().durable().get(), 1, "{policy}: what was not synced is not durable");
        let e = bad.append_record(1, None, Some(b"third"), &[]).unwrap_err();
        assert!(matches!(e, LogError::Stopped { .. }) && e.to_string().contains("bad-0"), "{policy}: {e}");
        assert_eq!(published.is_err(), policy == "each");
        // It does not start again when the disk does.
        disk.fail_syncs(None);
        assert!(bad.append_record(1, None, Some(b"fourth"), &[]).is_err());
        let (rows, errors) = read_all(&log, "bad", 0, 0);
        assert_eq!((rows.len(), errors.len()), (2, 0));
        good.append_record(1, None, Some(b"unharmed"), &[]).unwrap();
        good.publish().unwrap();
        for _ in 0..5 {
            clock.advance_ms(200);
            log.turn();
        }
        assert_eq!(good.partition().durable().get(), 1);
    }
}

/// A batch that fills its segment is written and not synced when the process dies. The next owner goes on in another segment, and
/// what it declares durable rests on that batch.
#[test]
fn an_owner_who_syncs_each_batch_syncs_those_of_the_one_before() {
    use pelton::host::{ManualClock, SimDisk, sim::Rng};
    for seed in 0..30 {
        for sizes in [[3000, 940], [3000, 500]] {
            let (disk, clock) = (SimDisk::default(), ManualClock::at(1_000_000));
            let mut log = open_sim(&disk, &clock).unwrap();
            let config =
                options(&[("flush.policy", "each"), ("segment.bytes", "4096"), ("retention.ms", "-1")]);
            log.create_topic("t", 1, config).unwrap();
            let mut writer = log.writer("t", 0).unwrap();
            writer.append_record(1, None, Some(&[1; 3000][..sizes[0]]), &[]).unwrap();
            writer.publish().unwrap();
            disk.fail_syncs(Some(".log"));
            writer.append_record(1, None, Some(&[2; 3000][..sizes[1]]), &[]).unwrap();
            assert!(writer.publish().is_err());
            std::mem::forget((writer, log));
            disk.kill();
            disk.fail_syncs(None);
            let mut log = open_sim(&disk, &clock).unwrap();
            let mut writer = log.writer("t", 0).unwrap();
            writer.append_record(1, None, Some(&[3; 1000]), &[]).unwrap();
            writer.publish().unwrap();
            assert_eq!(writer.partition().durable().get(), 3);
            log.turn();
            std::mem::forget((writer, log));
            disk.power_loss(&mut Rng::new(seed));
            let log = open_sim(&disk, &clock).unwrap();
            let (rows, errors) = read_all(&log, "t", 0, 0);
            assert!(errors.is_empty() && rows.len() == 3, "seed {seed}: {} rows, {errors:?}", rows.len());
        }
    }
}

/// The index of a closed segment reaches the disk, the segment's last batch does not. Its offset goes to another batch, the index of
/// that one does not reach the disk: what is there tells of bytes that are no more.
#[test]
fn an_index_goes_with_the_records_that_a_power_loss_took() {
    use pelton::host::{ManualClock, SimDisk, sim::Rng};
    let mut replaced = 0;
    for seed in 0..100 {
        let (disk, clock, mut rng) = (SimDisk::default(), ManualClock::at(1_000_000), Rng::new(seed));
        let mut log = open_sim(&disk, &clock).unwrap();
        let config =
            options(&[("flush.policy", "interval"), ("segment.bytes", "4096"), ("retention.ms", "-1")]);
        log.create_topic("t", 1, config).unwrap();
        let mut writer = log.writer("t", 0).unwrap();
        let mut put = |log: &mut Log, size: usize, is_synced: bool| {
            writer.append_record(1, None, Some(&[1; 4000][..size]), &[]).unwrap();
            writer.publish().unwrap();
            clock.advance_ms(if is_synced { 10_000 } else { 0 });
            log.turn();
            log.turn();
        };
        put(&mut log, 3500, true);
        put(&mut log, 10, false);
        put(&mut log, 1000, false);
        std::mem::forget((writer, log));
        disk.power_loss(&mut rng);
        let mut log = open_sim(&disk, &clock).unwrap();
        let mut writer = log.writer("t", 0).unwrap();
        replaced += usize::from(writer.appended().get() == 1);
        while writer.appended().get() < 4 {
            let sizes = [3500, 30, 1000, 1000];
            let size = sizes[writer.appended().get() as usize];
            writer.append_record(1, None, Some(&[2; 4000][..size]), &[]).unwrap();
        }
        writer.publish().unwrap();
        drop(writer);
        log.close().unwrap();
        disk.power_loss(&mut rng);
        let log = open_sim(&disk, &clock).unwrap();
        let (rows, errors) = read_all(&log, "t", 0, 0);
        assert!(errors.is_empty() && rows.len() == 4, "seed {seed}: {} rows, {errors:?}", rows.len());
    }
    assert!(replaced > 10, "{replaced} of 100");
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    use pelton::host::{ManualClock, SimDisk};
    for policy in POLICIES {
        let (disk, clock) = (SimDisk::default(), ManualClock::at(1_000_000));
        let mut log = open_sim(&disk, &clock).unwrap();
        log.create_topic("t", 1, options(&[("flush.policy", policy), ("segment.bytes", "8192")])).unwrap();
        let mut writer = log.writer("t", 0).unwrap();
        disk.set_capacity(Some(disk.used() + 3 * 8192 + 4096));
        let mut written = 0i64;
        let mut refused = 0;
        for i in 0..400i64 {
            match writer.append_record(i, Some(b"k"), Some(&[7; 100]), &[]) {
                Ok(offset) => {
                    assert_eq!(offset, written, "a refused append takes no offset");
                    written += 1;
                }
                Err(e) => {
                    assert!(e.is_retryable(), "{policy}: {e}");
                    assert!(pelton::Error::from(e).is_retryable());
                    refused += 1;
                    let (rows, errors) = read_all(&log, "t", 0, 0);
                    assert_eq!((rows.len() as i64, errors.len()), (writer.partition().published().get(), 0));
                }
            }
            writer.publish().unwrap();
            log.turn();
            if i == 300 {
                disk.set_capacity(None);
                clock.advance_ms(500);
            }
        }
        assert!(refused > 50, "{policy}: {refused}");
        assert_eq!(written + refused, 400);
        log.turn();
        let (rows, errors) = read_all(&log, "t", 0, 0);
        assert_eq!((rows.len() as i64, errors.len()), (written, 0), "{policy}");
    }
}

#[test]
fn batches_from_outside_keep_their_compression_and_get_offsets() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), manual()).unwrap();
    log.create_topic("t", 1, options(&[])).unwrap();
    let mut store = pelton::log::LogStore::new(log);
    let mut sent = Vec::new();
    for (i, codec) in Compression::ALL.into_iter().enumerate() {
        let mut builder = BatchBuilder::with_compression(codec);
        builder.producer(77, 1, i as i32 * 10);
        for j in 0..10u8 {
            builder.push(
                5_000 + i as i64,
                Some(&[j]),
                Some(&[i as u8; 100]),
                &[(b"h", Some(b"v")), (b"n", None)],
            );
        }
        let bytes = builder.finish(999).to_vec();
        assert_eq!(store.append("t", 0, &bytes, 0).unwrap(), i as i64 * 10);
        sent.push(bytes);
    }
    assert_eq!(store.offsets("t", 0).unwrap().end, 50);
    let mut out = Vec::new();
    let mut offset = 0;
    while store.read("t", 0, offset, 1, &mut out).unwrap() > 0 {
        offset += 10;
    }
    // As sent, but for the offset and what the CRC does not cover.
    let mut at = 0;
    for bytes in &sent {
        assert_eq!(out[at + 12..at + bytes.len()], bytes[12..]);
        at += bytes.len();
    }
    assert_eq!(at, out.len());
    assert_eq!(store.offset_for_time("t", 0, 5_003).unwrap(), Some((30, 5_003)));
    assert_eq!(store.offset_for_time("t", 0, 6_000).unwrap(), None);
    // Damaged, empty or lying batches are refused.
    for at in 0..sent[1].len() {
        let mut bad = sent[1].clone();
        bad[at] ^= 0x10;
        // Offset, leader epoch: the broker's to set.
        if (0..8).contains(&at) || (12..16).contains(&at) {
            continue;
        }
        assert!(store.append("t", 0, &bad, 0).is_err(), "byte {at}");
    }
    assert!(store.append("t", 0, &[], 0).is_err());
    assert_eq!(store.delete_before("t", 0, 25).unwrap(), 25);
    assert!(store.read("t", 0, 0, 100, &mut out).unwrap_err().message().contains("offsets 0 to 25"));
    assert_eq!(store.offsets("t", 0).unwrap().start, 25);
    drop(store);
    let log = Log::open(dir.path(), manual()).unwrap();
    assert_eq!(log.partition("t", 0).unwrap().start(), 25);
}

#[test]
fn time_finds_the_first_record_not_older() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), manual()).unwrap();
    let config = options(&[("segment.bytes", "8192"), ("index.interval.bytes", "256")]);
    log.create_topic("t", 1, config).unwrap();
    let mut times = Vec::new();
    let mut writer = log.writer("t", 0).unwrap();
    for i in 0..400i64 {
        let time = 10_000 + i * 10 - if i % 7 == 0 { 55 } else { 0 };
        writer.append_record(time, None, Some(&[1; 40]), &[]).unwrap();
        times.push(time);
    }
    writer.publish().unwrap();
    let partition = log.partition("t", 0).unwrap();
    for probe in (9_900..14_100).step_by(13) {
        let expected = times.iter().position(|&t| t >= probe).map(|i| (i as i64, times[i]));
        assert_eq!(offset_for_time(&partition, probe).unwrap(), expected, "{probe}");
    }
}

#[test]
fn retention_deletes_from_the_front_under_slow_readers() {
    let dir = tempfile::tempdir().unwrap();
    let clock = pelton::host::ManualClock::at(1_000_000);
    let disk = Arc::new(pelton::host::RealDisk);
    let mut log = Log::open_on(disk, Arc::new(clock.clone()), dir.path(), manual()).unwrap();
    let config = options(&[
        ("segment.bytes", "8192"),
        ("retention.ms", "10000"),
        ("segment.ms", "60000"),
        ("flush.policy", "interval"),
    ]);
    log.create_topic("t", 1, config).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    for i in 0..200i64 {
        writer.append_record(1_000_000 + i * 100, None, Some(&[1; 100]), &[]).unwrap();
    }
    writer.publish().unwrap();
    log.turn();
    let mut slow = log.reader("t", 0, 0, Follow::Published).unwrap();
    let first = slow.poll().unwrap().unwrap().bytes().to_vec();
    clock.advance_ms(20_000);
    log.maintain().unwrap();
    let partition = log.partition("t", 0).unwrap();
    assert!(partition.start() > 50, "{}", partition.start());
    assert_eq!(files(&dir.path().join("t-0"), ".log").len(), partition.segments().len());
    // The reader goes on in the segment that it holds; then it is told what it missed.
    let mut read = 1;
    let told = loop {
        match slow.poll() {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("the gap was not told"),
            Err(LogError::Deleted { from, to, .. }) => break (from, to),
            Err(e) => panic!("{e}"),
        }
    };
    assert_eq!(told, (read, partition.start()));
    assert_eq!(slow.skip().unwrap(), partition.start());
    assert_eq!(slow.poll().unwrap().unwrap().header().base_offset, partition.start());
    assert!(!first.is_empty());
    // The active segment closes when its records are too old, at the owner's next idle turn, and goes.
    clock.advance_ms(100_000);
    log.maintain().unwrap();
    writer.idle(2_000_000).unwrap();
    log.turn();
    log.maintain().unwrap();
    assert_eq!(partition.start(), 200);
    assert_eq!(writer.append_record(2_000_000, None, None, &[]).unwrap(), 200);
    drop(writer);
    // By size: the newest bytes stay.
    log.create_topic(
        "s",
        1,
        options(&[("segment.bytes", "8192"), ("retention.bytes", "20000"), ("retention.ms", "-1")]),
    )
    .unwrap();
    let mut writer = log.writer("s", 0).unwrap();
    for i in 0..1000i64 {
        writer.append_record(i, None, Some(&[1; 100]), &[]).unwrap();
        writer.publish().unwrap();
    }
    log.turn();
    log.maintain().unwrap();
    let size = log.partition("s", 0).unwrap().size();
    assert!((20_000..20_000 + 2 * 8192).contains(&size), "{size}");
}

#[test]
fn an_owner_closes_old_segments_by_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), manual()).unwrap();
    log.create_topic("t", 1, options(&[("segment.ms", "1000")])).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    for i in 0..10 {
        writer.append_record(i * 400, None, Some(b"x"), &[]).unwrap();
        writer.publish().unwrap();
    }
    assert_eq!(log.partition("t", 0).unwrap().segments().len(), 4);
    assert_eq!(read_all(&log, "t", 0, 0).0.len(), 10);
}

#[test]
fn truncate_cuts_whole_batches_and_nobody_reads_behind_the_end_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), manual()).unwrap();
    log.create_topic("t", 1, options(&[("segment.bytes", "8192"), ("retention.bytes", "-1")])).unwrap();
    fill(&mut log, "t", 0, 300);
    let owner = log.writer("t", 0).unwrap();
    assert!(matches!(log.truncate("t", 0, 123), Err(LogError::Taken(_))), "not under an owner");
    drop(owner);
    assert!(matches!(log.truncate("t", 0, 301), Err(LogError::OutOfRange { .. })));
    // Two that have the file mapped: one in this process, one that only looks.
    let mut before = log.reader("t", 0, 0, Follow::Published).unwrap();
    let looker = Log::open_read_only(dir.path()).unwrap();
    let mut looking = looker.reader("t", 0, 0, Follow::Published).unwrap();
    assert!(before.poll().unwrap().is_some() && looking.poll().unwrap().is_some());
    assert_eq!(log.truncate("t", 0, 3).unwrap(), 3);
    // They may read what they had, or be told; they are not killed by SIGBUS.
    let mut seen = 1;
    while let Ok(Some(_)) = before.poll() {
        seen += 1;
    }
    assert!(seen > 3, "the mapped segment is still whole");
    while let Ok(Some(_)) = looking.poll() {}
    check(&log, "t", 3);
    fill(&mut log, "t", 3, 220);
    check(&log, "t", 223);
    assert_eq!(log.truncate("t", 0, 0).unwrap(), 0);
    fill(&mut log, "t", 0, 40);
    drop(log);
    let log = Log::open(dir.path(), manual()).unwrap();
    check(&log, "t", 40);
    assert!(log.findings().is_empty(), "{:?}", log.findings());
}

#[test]
fn a_thousand_partitions_open_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), manual()).unwrap();
    log.create_topic("t", 1000, options(&[("segment.bytes", "65536")])).unwrap();
    for i in 0..1000 {
        let mut writer = log.writer("t", i).unwrap();
        for _ in 0..10 {
            writer.append_record(1, Some(b"k"), Some(&[1; 100]), &[]).unwrap();
        }
        writer.publish().unwrap();
    }
    log.turn();
    // As a killed process leaves it, then as a clean one does.
    std::mem::forget(log.writer("t", 0));
    drop(log);
    let open = || {
        let start = std::time::Instant::now();
        let log = Log::open(dir.path(), LogConfig::default()).unwrap();
        assert!(log.findings().is_empty());
        (log, start.elapsed())
    };
    // The best of three: an open syncs one file, and a disk that others keep busy can take seconds for that.
    let mut log;
    let (mut killed, mut clean) = (std::time::Duration::MAX, std::time::Duration::MAX);
    for _ in 0..3 {
        let (mut opened, took) = open();
        killed = killed.min(took);
        std::mem::forget(opened.writer("t", 0));
        drop(opened);
    }
    (log, _) = open();
    for _ in 0..3 {
        log.close().unwrap();
        let took;
        (log, took) = open();
        clean = clean.min(took);
    }
    println!("1000 partitions: {killed:?} after a kill, {clean:?} after a clean close");
    let bar = std::time::Duration::from_secs(2);
    assert!(killed < bar && clean < bar, "{killed:?}, {clean:?}");
    assert_eq!(read_all(&log, "t", 999, 0).0.len(), 10);
}

#[test]
fn policies_parse() {
    for policy in POLICIES {
        assert_eq!(policy.parse::<FlushPolicy>().unwrap().to_string(), policy);
    }
}

/// Descending, ascending, equal and missing times, with records gone from the front: what walking everything would find.
#[test]
fn the_largest_time_is_of_a_record_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), manual()).unwrap();
    let shapes: [fn(i64) -> i64; 5] =
        [|i| 10_000 - i, |i| 10_000 + i, |_| 7, |_| -1, |i| 10_000 + i * 7_919 % 400 * 10 - i % 3];
    for (n, time) in shapes.into_iter().enumerate() {
        let topic = format!("t{n}");
        let config = options(&[("segment.bytes", "8192"), ("index.interval.bytes", "256")]);
        log.create_topic(&topic, 1, config).unwrap();
        let mut writer = log.writer(&topic, 0).unwrap();
        let partition = log.partition(&topic, 0).unwrap();
        assert_eq!(max_timestamp(&partition).unwrap(), None);
        for i in 0..400 {
            writer.append_record(time(i), None, Some(&[1; 40]), &[]).unwrap();
            // Several records a batch.
            if i % 3 == 0 {
                writer.publish().unwrap();
            }
        }
        writer.publish().unwrap();
        for start in (0..400).step_by(23) {
            log.delete_before(&topic, 0, start).unwrap();
            let expected = (start..400)
                .map(|i| (i, time(i)))
                .filter(|&(_, time)| time >= 0)
                .max_by_key(|&(i, time)| (time, std::cmp::Reverse(i)));
            assert_eq!(max_timestamp(&partition).unwrap(), expected, "{topic} from {start}");
        }
    }
}

//! Every byte of the stored files, damaged or cut: nothing panics, nothing but the damaged batch is lost, and the loss
//! is told. Real files on the machine's disk.

use std::path::{Path, PathBuf};

use pelton::host::RealDisk;
use pelton::log::scan::Rules;
use pelton::log::{FindingKind, Log, LogError, verify};

use super::support::*;

/// A log of two segments, ten records of mixed sizes in each, closed cleanly or as a killed process leaves it.
fn make(root: &Path, is_clean: bool) {
    let mut log = Log::open(root, manual()).unwrap();
    log.create_topic("t", 1, options(&[("segment.bytes", "4096"), ("index.interval.bytes", "300")])).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    for i in 0..40i64 {
        writer.append_record(i, Some(b"key"), Some(&vec![i as u8; 20 + (i as usize % 5) * 30]), &[]).unwrap();
        writer.publish().unwrap();
    }
    assert_eq!(writer.partition().segments().len(), 2);
    log.turn();
    if is_clean {
        drop(writer);
        log.close().unwrap();
    } else {
        std::mem::forget(writer);
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn verified(root: &Path) -> verify::Report {
    let mut report = verify::Report::default();
    verify::folder(&RealDisk, root, &[], &mut report).unwrap();
    report
}

/// A problem with these words is told.
fn told(report: &verify::Report, words: &str) -> bool {
    report.problems.iter().any(|p| p.message.contains(words))
}

/// Where each batch of a segment begins, and where the data ends.
fn batches(path: &Path) -> Vec<usize> {
    let bytes = std::fs::read(path).unwrap();
    let mut at = Vec::new();
    let walk =
        pelton::log::scan::walk(&bytes, 0, None, Rules::Pelton, false, |position, _| at.push(position));
    at.push(walk.end);
    at
}

#[test]
fn one_flipped_byte_anywhere_costs_at_most_its_batch_and_is_told() {
    let home = memory_dir();
    let (master, work) = (home.path().join("master"), home.path().join("work"));
    for is_clean in [true, false] {
        let _ = std::fs::remove_dir_all(&master);
        make(&master, is_clean);
        assert!(verified(&master).is_whole());
        let segments = files(&master.join("t-0"), ".log");
        let mut offset = 0;
        for (n, segment) in segments.iter().enumerate() {
            let starts = batches(segment);
            let name = segment.file_name().unwrap();
            for at in 0..*starts.last().unwrap() {
                copy(&master, &work);
                let path = work.join("t-0").join(name);
                let mut bytes = std::fs::read(&path).unwrap();
                bytes[at] ^= 1 << (at % 8);
                std::fs::write(&path, &bytes).unwrap();
                let batch = starts.iter().rposition(|&s| s <= at).unwrap();
                let hit = offset + batch as i64;
                let is_last = n + 1 == segments.len() && batch + 2 == starts.len();
                let report = verified(&work);
                assert!(!report.is_whole(), "byte {at} of {name:?} is not noticed by verify");
                let problem = report.problems.iter().find(|p| p.is_data).unwrap();
                assert_eq!(problem.position as usize, starts[batch], "verify points at the batch");
                let log = Log::open(&work, manual()).unwrap();
                let (rows, errors) = read_all(&log, "t", 0, 0);
                let expected: Vec<i64> = (0..40).filter(|&o| o != hit).collect();
                let found: Vec<i64> = rows.iter().map(|r| r.offset).collect();
                assert_eq!(found, expected, "byte {at} of {name:?} (batch {batch}), {:?}", log.findings());
                let told = errors.iter().any(LogError::is_corrupt)
                    || log.findings().iter().any(|f| f.kind == FindingKind::Damage);
                if is_last && !is_clean {
                    // Not durable and nothing behind it: cannot be told from a torn write. Cut, told and kept aside.
                    assert!(
                        log.findings()
                            .iter()
                            .any(|f| f.kind == FindingKind::TornTail || f.kind == FindingKind::Unpublished)
                    );
                    if log.findings().iter().any(|f| f.kind == FindingKind::TornTail) {
                        assert_eq!(std::fs::read_dir(work.join("t-0/quarantine")).unwrap().count(), 1);
                    }
                } else {
                    assert!(told, "byte {at} of {name:?}: the damage is silent");
                    // The bytes are still where they were.
                    let kept = std::fs::read(&path).unwrap();
                    assert_eq!(kept[..bytes.len().min(kept.len())], bytes[..bytes.len().min(kept.len())]);
                }
                // Writing goes on behind it.
                let mut log = log;
                let mut writer = log.writer("t", 0).unwrap();
                let next = writer.append_record(99, None, Some(b"after"), &[]).unwrap();
                writer.publish().unwrap();
                let (rows, _) = read_all(&log, "t", 0, 0);
                assert_eq!(rows.last().unwrap().offset, next);
                assert_eq!(rows.last().unwrap().value.as_deref(), Some(&b"after"[..]));
            }
            offset += starts.len() as i64 - 1;
        }
    }
}

#[test]
fn a_tail_cut_at_every_byte_loses_the_last_batch_only() {
    let home = memory_dir();
    let (master, work) = (home.path().join("master"), home.path().join("work"));
    make(&master, false);
    let last = files(&master.join("t-0"), ".log").pop().unwrap();
    let starts = batches(&last);
    let (from, to) = (starts[starts.len() - 2], starts[starts.len() - 1]);
    let whole = std::fs::read(&last).unwrap();
    for at in from..to {
        for zeros in [false, true] {
            copy(&master, &work);
            let path = work.join("t-0").join(last.file_name().unwrap());
            // The file ends there, or its reserved room still follows.
            let mut bytes = whole[..at].to_vec();
            if zeros {
                bytes.resize(whole.len(), 0);
            }
            if bytes == whole {
                // What was cut off were zeros.
                continue;
            }
            std::fs::write(&path, &bytes).unwrap();
            let log = Log::open(&work, manual()).unwrap();
            let (rows, errors) = read_all(&log, "t", 0, 0);
            assert_eq!((rows.len(), errors.len()), (39, 0), "cut at {at}");
            let told =
                log.findings().iter().any(|f| f.kind == FindingKind::TornTail && f.position as usize == from);
            let is_empty = whole[from..at].iter().all(|&b| b == 0);
            assert!(told || is_empty, "cut at {at}: {:?}", log.findings());
            drop(log);
            // Once cut, it is whole.
            let log = Log::open(&work, manual()).unwrap();
            assert!(log.findings().is_empty());
            assert!(verified(&work).is_whole());
            assert_eq!(read_all(&log, "t", 0, 0).0.len(), 39);
        }
    }
}

#[test]
fn indexes_and_markers_may_be_lost_or_damaged() {
    let home = memory_dir();
    let (master, work) = (home.path().join("master"), home.path().join("work"));
    make(&master, true);
    let mut targets: Vec<PathBuf> = files(&master.join("t-0"), ".offsets");
    assert!(targets.len() == 2, "{targets:?}");
    targets.push(master.join("checkpoint"));
    targets.push(master.join("clean"));
    for target in targets {
        let relative = target.strip_prefix(&master).unwrap();
        let whole = std::fs::read(&target).unwrap();
        for at in 0..=whole.len() {
            copy(&master, &work);
            let path = work.join(relative);
            if at == whole.len() {
                std::fs::remove_file(&path).unwrap();
            } else {
                let mut bytes = whole.clone();
                bytes[at] ^= 0x10;
                std::fs::write(&path, bytes).unwrap();
            }
            let log = match Log::open(&work, manual()) {
                Ok(log) => log,
                // A version that could be a later one is refused, not overwritten.
                Err(LogError::BadFile { is_version: true, .. }) => continue,
                Err(e) => panic!("{}, byte {at}: {e}", relative.display()),
            };
            for from in [0, 17, 39] {
                let (rows, errors) = read_all(&log, "t", 0, from);
                assert!(errors.is_empty(), "{}, byte {at}: {errors:?}", relative.display());
                assert_eq!(rows.len() as i64, 40 - from, "{}, byte {at}", relative.display());
            }
        }
    }
}

#[test]
fn damaged_topics_and_format_files_are_refused_by_name() {
    let home = memory_dir();
    let (master, work) = (home.path().join("master"), home.path().join("work"));
    make(&master, true);
    for name in ["topics", "format"] {
        let whole = std::fs::read(master.join(name)).unwrap();
        for at in 0..whole.len() {
            copy(&master, &work);
            let mut bytes = whole.clone();
            bytes[at] ^= 0x08;
            std::fs::write(work.join(name), bytes).unwrap();
            match Log::open(&work, manual()) {
                Ok(log) => assert_eq!(read_all(&log, "t", 0, 0).0.len(), 40),
                Err(e) => assert!(e.to_string().contains(name), "{e}"),
            }
        }
    }
}

#[test]
fn verify_tells_of_the_small_files_and_of_folders_that_nobody_knows() {
    let home = memory_dir();
    let root = home.path().join("log");
    make(&root, true);
    std::fs::create_dir(root.join("gone-3")).unwrap();
    let report = verified(&root);
    assert!(report.is_whole() && told(&report, "belongs to no topic"), "{report:?}");
    for (name, is_data) in [("clean", false), ("checkpoint", false), ("topics", true), ("format", true)] {
        let path = root.join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let report = verified(&root);
        let problem = report.problems.iter().find(|p| p.file == path).unwrap();
        assert_eq!(problem.is_data, is_data, "{problem}");
        std::fs::write(&path, whole).unwrap();
    }
    assert!(verified(&root).is_whole());
}

/// Found by fuzzing: one byte more in the last segment leaves its last batch short of its last byte, a zero, which the first
/// byte of a new batch behind it would be.
#[test]
fn a_new_batch_does_not_complete_a_damaged_one() {
    let home = memory_dir();
    let root = home.path().join("log");
    make(&root, true);
    let last = files(&root.join("t-0"), ".log").pop().unwrap();
    let mut bytes = std::fs::read(&last).unwrap();
    bytes.insert(16, 0);
    std::fs::write(&last, bytes).unwrap();
    // As after a loss of power: recovery goes from the checkpoint on.
    std::fs::remove_file(root.join("clean")).unwrap();
    for expected in 40..43 {
        let mut log = Log::open(&root, manual()).unwrap();
        let mut writer = log.writer("t", 0).unwrap();
        assert_eq!(writer.append_record(1, None, Some(b"after"), &[]).unwrap(), expected);
        writer.publish().unwrap();
        drop(writer);
        let (rows, errors) = read_all(&log, "t", 0, 0);
        assert_eq!(rows.last().unwrap().offset, expected);
        assert_eq!(rows.len() as i64, 27 + 11 + expected - 39, "{errors:?}");
        log.close().unwrap();
    }
}

#[test]
fn lost_segments_and_cut_durable_bytes_are_told() {
    let home = memory_dir();
    let (master, work) = (home.path().join("master"), home.path().join("work"));
    make(&master, true);
    let segments = files(&master.join("t-0"), ".log");
    // The last segment is gone.
    copy(&master, &work);
    std::fs::remove_file(work.join("t-0").join(segments[1].file_name().unwrap())).unwrap();
    assert!(told(&verified(&work), "ends at offset 27, 40 was durable"), "{:?}", verified(&work));
    let mut log = Log::open(&work, manual()).unwrap();
    assert!(log.findings().iter().any(|f| f.kind == FindingKind::Missing), "{:?}", log.findings());
    // Its offsets are not given out again.
    let mut writer = log.writer("t", 0).unwrap();
    assert_eq!(writer.append_record(1, None, None, &[]).unwrap(), 40);
    writer.publish().unwrap();
    let (rows, errors) = read_all(&log, "t", 0, 0);
    assert_eq!(rows.last().unwrap().offset, 40);
    assert!(!errors.is_empty(), "the gap is told");
    drop((writer, log));
    // Durable bytes at the end are gone.
    copy(&master, &work);
    let path = work.join("t-0").join(segments[1].file_name().unwrap());
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
    let log = Log::open(&work, manual()).unwrap();
    assert!(log.findings().iter().any(|f| f.kind == FindingKind::Missing), "{:?}", log.findings());
    assert_eq!(read_all(&log, "t", 0, 0).0.len(), 39);
}

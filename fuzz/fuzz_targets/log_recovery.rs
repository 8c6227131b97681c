//! A log of three segments whose files are changed at will, then opened: no panic, no endless loop, and no record that was
//! never written. What is read is a subset of what was appended, in order, and appending goes on.
//!
//! The input is a list of changes of 8 bytes: file, kind, position (two), length (two), value, unused.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use pelton::host::{Disk, ManualClock, Open, SimDisk};
use pelton::log::{Check, Follow, Helpers, Log, LogConfig, LogResult, TopicConfig};

type Files = Vec<(PathBuf, Vec<u8>)>;

fn open(disk: &SimDisk) -> LogResult<Log> {
    let config = LogConfig { helpers: Helpers::Manual, ..LogConfig::default() };
    Log::open_on(Arc::new(disk.clone()), Arc::new(ManualClock::at(1_000)), Path::new("/log"), config)
}

fn value(offset: i64) -> Vec<u8> {
    vec![offset as u8; 40 + offset as usize % 90]
}

/// The files of a log of 90 records, as a killed process leaves them (or, `clean`, as a closed one does).
fn master(clean: bool) -> Files {
    let disk = SimDisk::default();
    let mut log = open(&disk).unwrap();
    let options = TopicConfig {
        segment_bytes: 4096,
        index_interval_bytes: 256,
        retention_ms: -1,
        ..TopicConfig::default()
    };
    log.create_topic("t", 1, options).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    for offset in 0..90 {
        writer.append_record(offset, Some(b"k"), Some(&value(offset)), &[]).unwrap();
        writer.publish().unwrap();
    }
    log.turn();
    let read = || -> Files {
        let paths = disk.paths().into_iter();
        paths.map(|p| (p.clone(), disk.read_all(&p, 1 << 20).unwrap())).collect()
    };
    if !clean {
        return read();
    }
    drop(writer);
    log.close().unwrap();
    read()
}

fn change(files: &mut Files, step: &[u8]) {
    let at = usize::from(step[0]) % files.len();
    let position = usize::from(u16::from_be_bytes([step[2], step[3]]));
    let length = usize::from(u16::from_be_bytes([step[4], step[5]]));
    let bytes = &mut files[at].1;
    let position = position % (bytes.len() + 1);
    let end = (position + length % 512).min(bytes.len());
    match step[1] % 8 {
        0 if position < bytes.len() => bytes[position] ^= step[6].max(1),
        1 => bytes.truncate(position),
        2 => bytes[position..end].fill(step[6]),
        3 => bytes.extend(std::iter::repeat_n(step[6], length % 5000)),
        4 => drop(bytes.drain(position..end)),
        5 => {
            let piece = bytes[position..end].to_vec();
            let to = usize::from(step[7]) * 16 % (bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        6 => drop(files.remove(at)),
        7 => {
            let copy = bytes.clone();
            let name = format!("/log/t-0/{:020}.log", i64::from(step[6]));
            files.retain(|(p, _)| p != Path::new(&name));
            files.push((name.into(), copy));
        }
        _ => {}
    }
}

fn read(log: &Log) -> Vec<(i64, Vec<u8>)> {
    let mut out = Vec::new();
    let start = log.partition("t", 0).unwrap().start();
    let mut reader = log.reader("t", 0, start, Follow::Published).unwrap().checking(Check::All);
    let (mut scratch, mut errors) = (Vec::new(), 0);
    loop {
        match reader.poll() {
            Ok(Some(batch)) => {
                for record in batch.records(&mut scratch, 1 << 20).unwrap() {
                    let record = record.unwrap();
                    out.push((record.offset, record.value.unwrap_or_default().to_vec()));
                }
            }
            Ok(None) => return out,
            Err(_) => {
                errors += 1;
                assert!(errors < 1000, "the reader does not get on");
                reader.skip().unwrap();
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    static MASTERS: OnceLock<[Files; 2]> = OnceLock::new();
    let Some((&first, steps)) = data.split_first() else { return };
    let masters = MASTERS.get_or_init(|| [master(false), master(true)]);
    let mut files = masters[usize::from(first & 1)].clone();
    for step in steps.chunks_exact(8).take(16) {
        if !files.is_empty() {
            change(&mut files, step);
        }
    }
    let disk = SimDisk::default();
    for (path, bytes) in &files {
        disk.create_dir(path.parent().unwrap()).unwrap();
        let file = disk.open(path, Open::Create).unwrap();
        file.write_at(bytes, 0).unwrap();
        file.sync().unwrap();
        disk.sync_dir(path.parent().unwrap()).unwrap();
    }
    // Some of them as after a loss of power.
    if first & 2 != 0 {
        disk.power_loss(&mut pelton::host::sim::Rng::new(u64::from(first)));
    }
    let Ok(mut log) = open(&disk) else { return };
    if !log.catalog().topics.contains_key("t") {
        return;
    }
    let rows = read(&log);
    for pair in rows.windows(2) {
        assert!(pair[0].0 < pair[1].0, "offsets grow");
    }
    // The offset of a batch is not under its checksum: the last one of a file, with damage before it, may be off by some.
    let known = |bytes: &[u8]| bytes.first().is_some_and(|&o| o < 90 && *bytes == value(i64::from(o)));
    assert!(rows.iter().all(|(_, bytes)| known(bytes)), "a record that was never written");
    let misplaced = rows.iter().filter(|(offset, bytes)| i64::from(bytes[0]) != *offset).count();
    let segments = files.iter().filter(|(p, _)| p.extension().is_some_and(|e| e == "log")).count();
    assert!(misplaced <= segments, "{misplaced} records at another offset in {segments} files");
    if let Ok(mut writer) = log.writer("t", 0) {
        let next = writer.append_record(1, None, Some(b"after"), &[]).unwrap();
        writer.publish().unwrap();
        drop(writer);
        let again = read(&log);
        assert_eq!(again.last().map(|r| (r.0, &r.1[..])), Some((next, &b"after"[..])));
        log.close().unwrap();
        let log = open(&disk).unwrap();
        assert_eq!(read(&log), again, "a clean close keeps what was read");
    }
});

//! Any bytes as the index of a segment and as each of the small files: refused, or read; an index that is believed leads a
//! reader to no wrong record, as it only says where to begin to look.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use pelton::host::{Disk, ManualClock, Open, SimDisk};
use pelton::log::index::SegmentIndex;
use pelton::log::{Check, Follow, Helpers, Log, LogConfig, LogResult, TopicConfig, verify};

fn open(disk: &SimDisk) -> LogResult<Log> {
    let config = LogConfig { helpers: Helpers::Manual, ..LogConfig::default() };
    Log::open_on(Arc::new(disk.clone()), Arc::new(ManualClock::at(1_000)), Path::new("/log"), config)
}

type Files = Vec<(PathBuf, Vec<u8>)>;

/// The files of a log of 60 records in three segments, closed. Made once: writing them took most of the time of an input.
fn master() -> Files {
    let disk = SimDisk::default();
    let mut log = open(&disk).unwrap();
    let options = TopicConfig { segment_bytes: 4096, retention_ms: -1, ..TopicConfig::default() };
    log.create_topic("t", 1, options).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    for offset in 0..60 {
        writer.append_record(offset, None, Some(&[offset as u8; 100]), &[]).unwrap();
        writer.publish().unwrap();
    }
    log.turn();
    drop(writer);
    log.close().unwrap();
    let paths = disk.paths().into_iter();
    paths.map(|p| (p.clone(), disk.read_all(&p, 1 << 20).unwrap())).collect()
}

fn put(disk: &SimDisk, name: &str, bytes: &[u8]) {
    let path = Path::new("/log").join(name);
    disk.open(&path, Open::Create).unwrap().write_at(bytes, 0).unwrap();
}

fuzz_target!(|data: &[u8]| {
    let Some((&which, bytes)) = data.split_first() else { return };
    // With a right checksum half of the time: damage is found by it, hostile files are not.
    let mut bytes = bytes.to_vec();
    if which & 1 == 1 {
        let crc = if which & 2 == 0 && bytes.len() >= 8 {
            bytes[..8].copy_from_slice(b"PELTNIDX");
            crc32c::crc32c(&bytes).to_be_bytes().to_vec()
        } else {
            format!("crc {:08x}\n", crc32c::crc32c(&bytes)).into_bytes()
        };
        bytes.extend_from_slice(&crc);
    }
    if let Ok((summary, entries)) = SegmentIndex::decode(&bytes) {
        assert_eq!(SegmentIndex::from_entries(&entries, 0).encode(summary)[16..], bytes[16..]);
    }
    static MASTER: OnceLock<Files> = OnceLock::new();
    let disk = SimDisk::default();
    for (path, bytes) in MASTER.get_or_init(master) {
        disk.create_dir(path.parent().unwrap()).unwrap();
        disk.open(path, Open::Create).unwrap().write_at(bytes, 0).unwrap();
    }
    let names =
        ["t-0/00000000000000000000.offsets", "topics", "checkpoint", "clean", "format", "t-0/start", "LOCK"];
    let name = names[usize::from(which >> 2) % names.len()];
    put(&disk, name, &bytes);
    let mut report = verify::Report::default();
    let _ = verify::folder(&disk, Path::new("/log"), &[], &mut report);
    let Ok(log) = open(&disk) else { return };
    if !log.catalog().topics.contains_key("t") {
        return;
    }
    for from in [0, 7, 33, 59] {
        let Ok(mut reader) = log.reader("t", 0, from, Follow::Published) else { continue };
        reader = reader.checking(Check::All);
        let (mut scratch, mut errors) = (Vec::new(), 0);
        loop {
            match reader.poll() {
                Ok(Some(batch)) => {
                    for record in batch.records(&mut scratch, 1 << 20).unwrap() {
                        let record = record.unwrap();
                        assert_eq!(record.value.unwrap(), [record.offset as u8; 100]);
                    }
                }
                Ok(None) => break,
                Err(_) => {
                    errors += 1;
                    assert!(errors < 1000, "the reader does not get on");
                    reader.skip().unwrap();
                }
            }
        }
    }
});

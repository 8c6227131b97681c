//! Any bytes as a record batch from a producer: refused with a reason, or stored and read back as sent. Never a panic, never
//! more memory than the limit, whatever counts and lengths say.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use pelton::host::{ManualClock, SimDisk};
use pelton::log::{Follow, Helpers, Log, LogConfig, TopicConfig};
use pelton::wire::Batch;

const LIMIT: usize = 1 << 20;

fn take(bytes: &[u8]) {
    let Ok(batch) = Batch::parse(bytes) else { return };
    let mut scratch = Vec::new();
    let is_valid = batch.validate(&mut scratch, LIMIT).is_ok();
    assert!(scratch.len() <= LIMIT, "expanded to {}", scratch.len());
    if let Ok(records) = batch.records(&mut scratch, LIMIT) {
        for record in records.map_while(Result::ok) {
            assert!(record.headers.count() <= bytes.len().max(LIMIT));
        }
    }
    let disk = Arc::new(SimDisk::default());
    let clock = Arc::new(ManualClock::at(1_000));
    let config = LogConfig { helpers: Helpers::Manual, ..LogConfig::default() };
    let mut log = Log::open_on(disk, clock, Path::new("/log"), config).unwrap();
    let options =
        TopicConfig { segment_bytes: 64 << 10, max_message_bytes: 32 << 10, ..TopicConfig::default() };
    log.create_topic("t", 1, options).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    writer.append_record(1, None, Some(b"before"), &[]).unwrap();
    let stored = writer.append_batch(bytes, 1_000);
    writer.publish().unwrap();
    let mut reader = log.reader("t", 0, 0, Follow::Published).unwrap();
    assert_eq!(reader.poll().unwrap().unwrap().header().count, 1);
    match stored {
        Ok(offset) => {
            assert!(is_valid && offset == 1);
            let read = reader.poll().unwrap().unwrap();
            assert_eq!(read.header().base_offset, 1);
            assert_eq!(read.bytes()[16..], bytes[16..], "stored as sent");
        }
        Err(_) => assert!(reader.poll().unwrap().is_none(), "what is refused leaves nothing"),
    }
}

fuzz_target!(|data: &[u8]| {
    take(data);
    // Behind a right length, magic and checksum: what a hostile producer sends.
    let mut bytes = data.to_vec();
    if bytes.len() >= 61 {
        let length = (bytes.len() - 12) as i32;
        bytes[..8].fill(0);
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[16] = 2;
        let crc = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        take(&bytes);
    }
});

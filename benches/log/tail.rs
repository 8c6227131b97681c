//! From an append to a reader in another thread that waits for it, beside a bare ring between the same two threads: once with
//! the record's 128 bytes, once with as many as its batch takes, which both sides copy and nobody builds, signs or parses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hdrhistogram::Histogram;
use pelton::log::{FlushPolicy, Follow, Log, LogConfig, TopicConfig};
use quanta::Clock;

use crate::measure::{folder, histogram, paced, print};

const COUNT: u64 = 500_000;
const PER_SECOND: u64 = 100_000;
/// The record, and its batch of 61 bytes of header and 137 of record, in words.
const RECORD: usize = 16;
const BATCH: usize = 25;

/// All in turn, three times after a round to get warm.
pub(crate) fn hops() {
    let clock = Clock::new();
    for round in 0..4 {
        let (record, batch, log) = (ring::<RECORD>(&clock), ring::<BATCH>(&clock), log(&clock));
        if round > 0 {
            print("ring hop of the record, 100k/s", &record, "");
            print("ring hop of the batch's bytes, 100k/s", &batch, "");
            let hops = |ring: &Histogram<u64>| {
                log.value_at_quantile(0.5) as f64 / ring.value_at_quantile(0.5) as f64
            };
            let rest =
                format!("{:.2} hops of the record, {:.2} of the batch (p50)", hops(&record), hops(&batch));
            print("append to tailing reader, 100k/s", &log, &rest);
        }
    }
}

fn ring<const N: usize>(clock: &Clock) -> Histogram<u64> {
    let (mut to, mut from) = rtrb::RingBuffer::<[u64; N]>::new(1024);
    let reader_clock = clock.clone();
    let reader = std::thread::spawn(move || {
        let mut h = histogram();
        while h.len() < COUNT {
            if let Ok(record) = from.pop() {
                h.saturating_record(reader_clock.delta_as_nanos(record[0], reader_clock.raw()).max(1));
            }
        }
        h
    });
    paced(clock, COUNT, PER_SECOND, |_| {
        let mut record = [0; N];
        record[0] = clock.raw();
        while to.push(record).is_err() {
            std::hint::spin_loop();
        }
    });
    reader.join().expect("the reader ends")
}

fn log(clock: &Clock) -> Histogram<u64> {
    let dir = folder();
    let mut log = Log::open(dir.path(), LogConfig::default()).unwrap();
    let config = TopicConfig { flush: FlushPolicy::None, segment_bytes: 256 << 20, ..TopicConfig::default() };
    log.create_topic("t", 1, config).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    let mut tail = log.reader("t", 0, 0, Follow::Published).unwrap();
    let reader_clock = clock.clone();
    let is_ready = Arc::new(AtomicBool::new(false));
    let ready = is_ready.clone();
    let reader = std::thread::spawn(move || {
        let mut h = histogram();
        let mut scratch = Vec::new();
        ready.store(true, Ordering::Release);
        while h.len() < COUNT {
            let Some(batch) = tail.poll().unwrap() else { continue };
            for record in batch.records(&mut scratch, 1 << 20).unwrap() {
                let value = record.unwrap().value.expect("a value");
                let sent = u64::from_le_bytes(value[..8].try_into().expect("eight bytes"));
                h.saturating_record(reader_clock.delta_as_nanos(sent, reader_clock.raw()).max(1));
            }
        }
        h
    });
    while !is_ready.load(Ordering::Acquire) {
        std::hint::spin_loop();
    }
    paced(clock, COUNT, PER_SECOND, |_| {
        let mut value = [0u8; 128];
        value[..8].copy_from_slice(&clock.raw().to_le_bytes());
        writer.append_record(1, None, Some(&value), &[]).unwrap();
        writer.publish().unwrap();
    });
    reader.join().expect("the reader ends")
}

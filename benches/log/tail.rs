//! From an append to a reader in another thread that waits for it, beside a bare ring between the same two threads: once with
//! the record's 128 bytes, once with as many as its batch takes, which both sides copy and nobody builds, signs or parses.
//!
//! In short rounds by turns, each cut into windows of 200 records, 2 ms: what is compared are the windows' medians, of which those that
//! somebody else's use of the two processors disturbed lie above the lower quartile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hdrhistogram::Histogram;
use pelton::log::{FlushPolicy, Follow, Log, LogConfig, TopicConfig};
use quanta::Clock;

use crate::measure::{folder, histogram, paced, print};

const ROUNDS: usize = 15;
const COUNT: usize = 40_000;
const WINDOW: usize = 200;
const PER_SECOND: u64 = 100_000;
/// The record, and its batch of 61 bytes of header and 137 of record, in words.
const RECORD: usize = 16;
const BATCH: usize = 25;

/// What the rounds of one way gave: all times, and each window's median.
struct Way {
    name: &'static str,
    all: Histogram<u64>,
    medians: Vec<u64>,
}

impl Way {
    fn new(name: &'static str) -> Self {
        Self { name, all: histogram(), medians: Vec::new() }
    }

    fn add(&mut self, times: &mut [u64]) {
        for window in times.chunks_exact_mut(WINDOW) {
            for &mut time in &mut *window {
                self.all.saturating_record(time.max(1));
            }
            window.sort_unstable();
            self.medians.push(window[WINDOW / 2]);
        }
    }

    /// The lower quartile and the middle of the windows' medians.
    fn medians(&mut self) -> (u64, u64) {
        self.medians.sort_unstable();
        (self.medians[self.medians.len() / 4], self.medians[self.medians.len() / 2])
    }
}

/// All in turn, after a round to get warm.
pub(crate) fn hops() {
    let clock = Clock::new();
    let mut record = Way::new("ring hop of the record, 100k/s");
    let mut batch = Way::new("ring hop of the batch's bytes, 100k/s");
    let mut appended = Way::new("append to tailing reader, 100k/s");
    for round in 0..=ROUNDS {
        let mut times = (ring::<RECORD>(&clock), ring::<BATCH>(&clock), log(&clock));
        if round > 0 {
            record.add(&mut times.0);
            batch.add(&mut times.1);
            appended.add(&mut times.2);
        }
    }
    for way in [&mut record, &mut batch, &mut appended] {
        let (quartile, middle) = way.medians();
        let rest = format!("windows' medians: lower quartile {quartile}, middle {middle} ns");
        print(way.name, &way.all, &rest);
    }
    let hops = |ring: &mut Way, appended: &mut Way| {
        let (ring, appended) = (ring.medians(), appended.medians());
        (appended.0 as f64 / ring.0 as f64, appended.1 as f64 / ring.1 as f64)
    };
    let (record, batch) = (hops(&mut record, &mut appended), hops(&mut batch, &mut appended));
    println!("append to tailing reader in hops of the record: {:.2} and {:.2}", record.0, record.1);
    println!("append to tailing reader in hops of the batch's bytes: {:.2} and {:.2}", batch.0, batch.1);
}

/// Room for the times, whose pages are there.
fn times() -> Vec<u64> {
    let mut times = vec![1; COUNT];
    times.clear();
    times
}

fn ring<const N: usize>(clock: &Clock) -> Vec<u64> {
    let (mut to, mut from) = rtrb::RingBuffer::<[u64; N]>::new(1024);
    let reader_clock = clock.clone();
    let reader = std::thread::spawn(move || {
        let mut h = times();
        while h.len() < COUNT {
            if let Ok(record) = from.pop() {
                h.push(reader_clock.delta_as_nanos(record[0], reader_clock.raw()));
            }
        }
        h
    });
    paced(clock, COUNT as u64, PER_SECOND, |_| {
        let mut record = [0; N];
        record[0] = clock.raw();
        while to.push(record).is_err() {
            std::hint::spin_loop();
        }
    });
    reader.join().expect("the reader ends")
}

fn log(clock: &Clock) -> Vec<u64> {
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
        let mut h = times();
        let mut scratch = Vec::new();
        ready.store(true, Ordering::Release);
        while h.len() < COUNT {
            let Some(batch) = tail.poll().unwrap() else { continue };
            for record in batch.records(&mut scratch, 1 << 20).unwrap() {
                let value = record.unwrap().value.expect("a value");
                let sent = u64::from_le_bytes(value[..8].try_into().expect("eight bytes"));
                h.push(reader_clock.delta_as_nanos(sent, reader_clock.raw()));
            }
        }
        h
    });
    while !is_ready.load(Ordering::Acquire) {
        std::hint::spin_loop();
    }
    paced(clock, COUNT as u64, PER_SECOND, |_| {
        let mut value = [0u8; 128];
        value[..8].copy_from_slice(&clock.raw().to_le_bytes());
        writer.append_record(1, None, Some(&value), &[]).unwrap();
        writer.publish().unwrap();
    });
    reader.join().expect("the reader ends")
}

//! From an append to a reader in another thread that waits for it, beside a bare ring between the same two threads: once with
//! the record's 128 bytes, once with as many as its batch takes, which both sides copy and nobody builds, signs or parses.
//!
//! Two processors of a virtual machine may be two threads of one core or far apart, and change places while this runs: a hop takes
//! 50 or 300 ns then. So the three ways take turns of 200 records, 2 ms, on one pair of threads, and what is compared are the
//! medians of turns that follow one another: the middle of their ratios.

use hdrhistogram::Histogram;
use pelton::log::{FlushPolicy, Follow, Log, LogConfig, TopicConfig};
use quanta::Clock;

use crate::measure::{folder, histogram, paced, print};

/// How often each way has its turn, after some to get warm.
const TURNS: usize = 1500;
const WARM: usize = 100;
/// Records of a turn.
const TURN: usize = 200;
const PER_SECOND: u64 = 100_000;
/// The record, and its batch of 61 bytes of header and 137 of record, in words.
const RECORD: usize = 16;
const BATCH: usize = 25;

/// What the turns of one way gave: all times, and each turn's median.
struct Way {
    name: &'static str,
    all: Histogram<u64>,
    medians: Vec<u64>,
    turn: Vec<u64>,
}

impl Way {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            all: histogram(),
            medians: Vec::with_capacity(WARM + TURNS),
            turn: Vec::with_capacity(TURN),
        }
    }

    fn is_full(&self) -> bool {
        self.turn.len() == TURN
    }

    /// The end of a turn.
    fn settle(&mut self) {
        self.turn.sort_unstable();
        if self.medians.len() >= WARM {
            self.turn.iter().for_each(|t| self.all.saturating_record((*t).max(1)));
        }
        self.medians.push(self.turn[TURN / 2].max(1));
        self.turn.clear();
    }
}

/// The lower quartile, the middle and the upper quartile.
fn quartiles<T: PartialOrd + Copy>(all: impl Iterator<Item = T>) -> (T, T, T) {
    let mut all: Vec<T> = all.skip(WARM).collect();
    all.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
    (all[all.len() / 4], all[all.len() / 2], all[all.len() * 3 / 4])
}

/// All in turn.
pub(crate) fn hops() {
    let clock = Clock::new();
    let dir = folder();
    let mut log = Log::open(dir.path(), LogConfig::default()).unwrap();
    let config = TopicConfig { flush: FlushPolicy::None, segment_bytes: 256 << 20, ..TopicConfig::default() };
    log.create_topic("t", 1, config).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    let mut tail = log.reader("t", 0, 0, Follow::Published).unwrap();
    let (mut record_to, mut record_from) = rtrb::RingBuffer::<[u64; RECORD]>::new(1024);
    let (mut batch_to, mut batch_from) = rtrb::RingBuffer::<[u64; BATCH]>::new(1024);
    let reader_clock = clock.clone();
    let since = move |sent| reader_clock.delta_as_nanos(sent, reader_clock.raw());
    let reader = std::thread::spawn(move || {
        let mut ways = [
            Way::new("ring hop of the record, 100k/s"),
            Way::new("ring hop of the batch's bytes, 100k/s"),
            Way::new("append to tailing reader, 100k/s"),
        ];
        let mut scratch = Vec::new();
        for _ in 0..WARM + TURNS {
            while !ways[0].is_full() {
                if let Ok(record) = record_from.pop() {
                    ways[0].turn.push(since(record[0]));
                }
            }
            while !ways[1].is_full() {
                if let Ok(batch) = batch_from.pop() {
                    ways[1].turn.push(since(batch[0]));
                }
            }
            while !ways[2].is_full() {
                let Some(batch) = tail.poll().unwrap() else { continue };
                for record in batch.records(&mut scratch, 1 << 20).unwrap() {
                    let value = record.unwrap().value.expect("a value");
                    let sent = u64::from_le_bytes(value[..8].try_into().expect("eight bytes"));
                    ways[2].turn.push(since(sent));
                }
            }
            ways.iter_mut().for_each(Way::settle);
        }
        ways
    });
    let turns = (WARM + TURNS) as u64 * 3;
    paced(&clock, turns * TURN as u64, PER_SECOND, |i| match i / TURN as u64 % 3 {
        0 => {
            let mut record = [0; RECORD];
            record[0] = clock.raw();
            while record_to.push(record).is_err() {
                std::hint::spin_loop();
            }
        }
        1 => {
            let mut batch = [0; BATCH];
            batch[0] = clock.raw();
            while batch_to.push(batch).is_err() {
                std::hint::spin_loop();
            }
        }
        _ => {
            let mut value = [0u8; 128];
            value[..8].copy_from_slice(&clock.raw().to_le_bytes());
            writer.append_record(1, None, Some(&value), &[]).unwrap();
            writer.publish().unwrap();
        }
    });
    let ways = reader.join().expect("the reader ends");
    for way in &ways {
        let (low, middle, high) = quartiles(way.medians.iter().copied());
        print(way.name, &way.all, &format!("turns' medians: {low}, {middle}, {high} ns (quartiles)"));
    }
    let [record, batch, appended] = &ways;
    for (name, ring) in [("of the record", record), ("of the batch's bytes", batch)] {
        let ratios = appended.medians.iter().zip(&ring.medians).map(|(a, r)| *a as f64 / *r as f64);
        let (low, middle, high) = quartiles(ratios);
        println!("append to tailing reader in hops {name}: {middle:.2} (quartiles {low:.2} and {high:.2})");
    }
}

//! How long opening takes after a kill, by the bytes that the last checkpoint does not cover; and what a log costs that nobody
//! uses.

use std::time::{Duration, Instant};

use pelton::log::{FlushPolicy, Helpers, Log, LogConfig, TopicConfig};
use pelton::wire::BatchBuilder;

use crate::measure::{folder, process_ticks};

/// A log without helpers notes no places: everything is scanned.
pub(crate) fn after_a_kill() {
    for mib in [1usize, 16, 64, 256, 1024] {
        let dir = folder();
        let config = LogConfig { helpers: Helpers::Manual, ..LogConfig::default() };
        let mut log = Log::open(dir.path(), config.clone()).unwrap();
        let segment_bytes = (mib << 20) + (1 << 20);
        log.create_topic("t", 1, TopicConfig { segment_bytes, ..TopicConfig::default() }).unwrap();
        let mut writer = log.writer("t", 0).unwrap();
        let mut builder = BatchBuilder::new();
        let mut size = 0;
        while size < mib << 20 {
            for _ in 0..100 {
                builder.push(1, None, Some(&[7; 128]), &[]);
            }
            size += builder.size();
            writer.append_built(&mut builder, 1).unwrap();
            writer.publish().unwrap();
        }
        let end = writer.appended().get();
        // No destructor runs in a process that is killed; the lock goes with its file.
        std::mem::forget(writer);
        drop(log);
        let start = Instant::now();
        let log = Log::open(dir.path(), config).unwrap();
        let took = start.elapsed();
        assert_eq!(log.partition("t", 0).unwrap().published().get(), end);
        println!(
            "recover {mib:>5} MiB of the last segment: {took:>10.2?}, {:.1} GB/s",
            size as f64 / took.as_secs_f64() / 1e9
        );
    }
}

/// A hundred topics with owners, none of which is written to.
pub(crate) fn idle() {
    let dir = folder();
    let mut log = Log::open(dir.path(), LogConfig::default()).unwrap();
    let mut owners = Vec::new();
    for (n, flush) in [FlushPolicy::None, FlushPolicy::Interval, FlushPolicy::GroupCommit, FlushPolicy::Each]
        .into_iter()
        .cycle()
        .take(100)
        .enumerate()
    {
        let name = format!("t{n}");
        let config = TopicConfig { flush, segment_bytes: 1 << 20, ..TopicConfig::default() };
        log.create_topic(&name, 1, config).unwrap();
        let mut owner = log.writer(&name, 0).unwrap();
        owner.append_record(1, None, Some(b"value"), &[]).unwrap();
        owner.publish().unwrap();
        owners.push(owner);
    }
    std::thread::sleep(Duration::from_secs(2));
    let (ticks, start) = (process_ticks(), Instant::now());
    std::thread::sleep(Duration::from_secs(10));
    let used = (process_ticks() - ticks) as f64 / 100.0;
    println!("idle, 100 owned topics: {:.2} % of a core", used / start.elapsed().as_secs_f64() * 100.0);
}

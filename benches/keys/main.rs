//! What a key costs: time an event and bytes a key of a running aggregate and of a tumbling count, over 10 thousand, 1 million and 10 million
//! keys, drawn evenly or by Zipf's law.
//!
//! `cargo bench --bench keys` prints a line for each; `-- 10000 1000000` takes other numbers of keys, `EVENTS=8000000` other numbers of
//! events (16 million). Keys are 64-bit numbers without order. `first` is the time of an event while keys come in and tables grow, `again` of the
//! same events once more, when every key is there. Bytes are those that the operators have reserved, a key: the least and the most that was
//! seen, because tables and columns double. `resident` is what the process grew by in all, its moments of growth included.

#[path = "../nexmark/checksum.rs"]
#[expect(dead_code, reason = "shared with the bench of Nexmark")]
mod checksum;
#[path = "../nexmark/engine.rs"]
#[expect(dead_code, reason = "shared with the bench of Nexmark")]
mod engine;
mod events;

use engine::Query;
use std::time::Instant;

const QUERIES: [(&str, bool, &str); 2] = [
    (
        "running",
        false,
        "CREATE TABLE sink (auction BIGINT, bids BIGINT, total BIGINT) WITH ('connector' = 'blackhole');
         INSERT INTO sink SELECT auction, COUNT(*) AS bids, SUM(price) AS total FROM bid GROUP BY auction;",
    ),
    (
        "tumbling",
        true,
        "CREATE TABLE sink (auction BIGINT, bids BIGINT, window_start TIMESTAMP(3)) WITH ('connector' = 'blackhole');
         INSERT INTO sink SELECT auction, COUNT(*) AS bids, window_start
         FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
         GROUP BY auction, window_start, window_end;",
    ),
];

/// What the process has resident, or had at most (`VmRSS`, `VmHWM`), bytes; 0 where the system does not say.
fn resident(what: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(what)).unwrap_or("");
    let kilobytes: usize = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap_or(0);
    kilobytes * 1024
}

fn cpu_ns() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

fn measure(name: &str, watermark: bool, sql: &str, keys: u64, zipf: bool, events: usize) {
    events::set(keys, zipf, events);
    let query = Query::new(sql, watermark, 2 * events);
    // The peak begins anew where the system allows it.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let (before, started) = (resident("VmRSS"), Instant::now());
    let (start, mut half) = (cpu_ns(), 0);
    let (mut most_keys, mut least, mut most) = (0, f64::MAX, 0f64);
    let mut job = query.job(1024);
    let mut next = 0;
    loop {
        let done = job.turn();
        let taken = job.shard.counts().next().map_or(0, |c| c.counters.rows_out);
        if half == 0 && taken >= events as u64 {
            half = cpu_ns() - start;
        }
        if done || taken >= next {
            next = taken + events as u64 / 64;
            let (bytes, keys) =
                job.shard.counts().fold((0, 0), |(b, k), c| (b + c.state_bytes, k + c.state_rows));
            most_keys = most_keys.max(keys);
            // A table that is nearly empty says little of a key.
            if keys > 0 && keys * 8 >= most_keys {
                let each = bytes as f64 / keys as f64;
                (least, most) = (least.min(each), most.max(each));
            }
        }
        if done {
            break;
        }
    }
    let rows = job.outputs[0].rows();
    let (all, wall) = (cpu_ns() - start, started.elapsed());
    let grown = resident("VmHWM").saturating_sub(before);
    let each = |ns: u64| ns as f64 / events as f64;
    println!(
        "{name:<9} {keys:>9} {:<8} {most_keys:>9} {:>9.1} {:>9.1} {least:>7.0} {most:>7.0} {:>10} {rows:>10} {:>7.1}",
        if zipf { "Zipf" } else { "uniform" },
        each(half),
        each(all - half),
        grown >> 20,
        wall.as_secs_f64(),
    );
}

fn main() {
    let events = std::env::var("EVENTS").ok().and_then(|e| e.parse().ok()).unwrap_or(16_000_000);
    let mut numbers: Vec<u64> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    if numbers.is_empty() {
        numbers = vec![10_000, 1_000_000, 10_000_000];
    }
    println!(
        "{:<9} {:>9} {:<8} {:>9} {:>9} {:>9} {:>7} {:>7} {:>10} {:>10} {:>7}",
        "query",
        "keys",
        "drawn",
        "at once",
        "first ns",
        "again ns",
        "B/key",
        "to",
        "resident",
        "rows out",
        "s"
    );
    for (name, watermark, sql) in QUERIES {
        for &keys in &numbers {
            for zipf in [false, true] {
                measure(name, watermark, sql, keys, zipf, events);
            }
        }
    }
}

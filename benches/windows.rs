//! What a row costs in windows that overlap, and what a retraction costs. Informs: windows are slices kept as two stacks
//! (`src/operators/slide_aggregate.rs`), and MIN, MAX and DISTINCT over changing input keep their values in order.
//!
//! Run with `cargo bench --bench windows`. Each line is nanoseconds a row of the shard's thread, with decoding, which is the same for all of
//! a block. The promise: a hop of 1:1,000 costs a row about what one of 1:10 costs, and four times the retractions four times
//! the time.

use pelton::{Engine, Progress};
use std::fmt::Write;
use std::path::Path;

/// CPU time of the calling thread.
fn cpu_ns() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// Runs the script's last statement; the thread's CPU time and the rows that came out.
fn run(sql: &str) -> (u64, usize) {
    let engine = Engine::builder().build().expect("an engine");
    let script = engine.prepare(sql).expect("the script");
    let mut run = script.jobs().last().expect("a query").start().expect("the job");
    let (start, mut rows) = (cpu_ns(), 0);
    loop {
        let progress = run.step(0).expect("a turn");
        rows += run.take_results().iter().map(|b| b.selected()).sum::<usize>();
        match progress {
            Progress::Done => return (cpu_ns() - start, rows),
            Progress::Working => {}
            _ => std::thread::yield_now(),
        }
    }
}

fn line(name: &str, rows: usize, sql: &str) {
    let best = (0..3).map(|_| run(sql)).min().expect("three runs");
    println!("{name:<34} {:>8.1} ns/row  {:>9} rows out", best.0 as f64 / rows as f64, best.1);
}

/// `rows` rows of 100 keys, 250 a second, up to 2 s out of order.
fn events(path: &Path, rows: usize) {
    let mut text = String::new();
    let mut seed = 7u64;
    for i in 0..rows {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let ms = (i as u64 * 4).saturating_sub(seed >> 33 & 1023) + 10_000;
        let (s, ms) = (ms / 1000, ms % 1000);
        writeln!(
            text,
            "{},{},2024-03-10 {:02}:{:02}:{:02}.{ms:03}",
            seed >> 40 & 63,
            seed >> 50 & 1023,
            s / 3600,
            s / 60 % 60,
            s % 60
        )
        .expect("a string takes all");
    }
    std::fs::write(path, text).expect("a file of events");
}

/// So many updates of 1,000 rows of a table.
fn changes(path: &Path, updates: usize) {
    let mut now: Vec<u64> = (0..1000).collect();
    let mut text = String::new();
    let mut seed = 7u64;
    let row = |id: usize, v: u64| format!("{{\"id\":{id},\"k\":{},\"v\":{v}}}", id % 10);
    for (id, v) in now.iter().enumerate() {
        writeln!(text, "{{\"before\":null,\"after\":{},\"op\":\"c\"}}", row(id, *v))
            .expect("a string takes all");
    }
    for _ in 0..updates {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (id, v) = ((seed >> 33) as usize % 1000, seed >> 45 & 0xffff);
        let before = row(id, std::mem::replace(&mut now[id], v));
        writeln!(text, "{{\"before\":{before},\"after\":{},\"op\":\"u\"}}", row(id, v))
            .expect("a string takes all");
    }
    std::fs::write(path, text).expect("a file of changes");
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let rows = 400_000;
    events(&file("events.csv"), rows);
    let table = format!(
        "CREATE TABLE t (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
         WITH ('connector'='filesystem','path'='{}','format'='csv');",
        file("events.csv").display()
    );
    let window = |w: &str| {
        format!(
            "{table} SELECT k, window_end, COUNT(*), SUM(v), MAX(v) FROM TABLE({w}) GROUP BY k, window_start, window_end"
        )
    };
    line("tumble 1 s", rows, &window("TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND)"));
    for n in [10, 100, 1000] {
        let hop = format!("HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '{n}' SECOND(4))");
        line(&format!("hop 1:{n}"), rows, &window(&hop));
    }
    for updates in [250_000, 1_000_000] {
        let path = file("changes.json");
        changes(&path, updates);
        let sql = format!(
            "CREATE TABLE c (id INT, k INT, v BIGINT)
             WITH ('connector'='filesystem','path'='{}','format'='debezium-json');
             SELECT k, MIN(v), MAX(v), COUNT(DISTINCT v) FROM c GROUP BY k",
            path.display()
        );
        line(&format!("{updates} retractions"), updates, &sql);
    }
}

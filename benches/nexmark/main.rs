//! The engine beside Rust written by hand, on the same columns: Nexmark's queries without their joins, and a keyed tumbling count.
//!
//! Informs decision 0004 (kernels, not machine code made at run time) and the limits set for the engine: at full batches at
//! most 2 times the hand-written version, at batch 1 at most 3 times, and 30 ns for q1 and q2. Events stand in columns of their own, so
//! that the engine is measured and not the separation of Nexmark's three kinds of event; `pelton bench nexmark` measures the whole of it,
//! source included.
//!
//! `cargo bench --bench nexmark` prints a line a query: nanoseconds an event, the best of some runs, by hand and in the engine, and
//! their ratio; an asterisk stands where a limit is passed. Before anything is measured both sides' rows must have the same sum
//! ([`checksum`]). `-- q1 q15` takes some queries only, `EVENTS=1000000` another number of events.

mod checksum;
mod engine;
mod events;
mod handwritten;

use checksum::Sum;
use engine::Query;
use handwritten::{Out, Rows};
use std::time::Instant;

/// Rows a batch: alone, and full.
const SIZES: [usize; 2] = [1, 1024];
/// Runs, of which the best counts.
const RUNS: usize = 5;

/// A query's name, its text, and whether it wants a watermark: by hand nobody would keep one for the others.
fn queries() -> Vec<(&'static str, String, bool)> {
    let whole = [
        ("q0", include_str!("q0.sql"), false),
        ("q1", include_str!("q1.sql"), false),
        ("q2", include_str!("q2.sql"), false),
        ("q5", include_str!("q5.sql"), true),
        ("q11", include_str!("q11.sql"), true),
        ("q12", include_str!("q12.sql"), false),
        ("q14", include_str!("q14.sql"), false),
        ("q15", include_str!("q15.sql"), false),
        ("q16", include_str!("q16.sql"), false),
        ("q17", include_str!("q17.sql"), false),
        ("q21", include_str!("q21.sql"), false),
        ("q22", include_str!("q22.sql"), false),
        ("tumble", include_str!("tumble.sql"), true),
    ];
    let mut all: Vec<_> = whole.map(|(name, sql, watermark)| (name, sql.to_owned(), watermark)).into();
    // q8's two halves, each for itself.
    let (tables, halves) = include_str!("q8.sql").split_once("EXECUTE STATEMENT SET BEGIN").expect("a set");
    for (name, half) in ["q8 newcomers", "q8 sellers"].into_iter().zip(halves.split(';')) {
        all.push((name, format!("{tables}{half};"), true));
    }
    all
}

/// The best time of some runs, ns an event.
fn best(events: usize, mut run: impl FnMut() -> std::time::Duration) -> f64 {
    let least = (0..RUNS).map(|_| run()).min().expect("some runs");
    least.as_nanos() as f64 / events as f64
}

/// One query: by hand and by the engine at each size, ns an event, and the rows.
fn measure(name: &str, sql: &str, watermark: bool, events: usize) -> ([[f64; 2]; 2], u64) {
    let q = Query::new(sql, watermark, events);
    let places = Rows::COLUMNS.map(|c| q.column(c));
    let mut rows = 0;
    let times = SIZES.map(|size| {
        let (mut wanted, mut out) = (Sum::default(), Out::default());
        handwritten::run(name, &q.blocks, places, size, &mut out, Some(&mut wanted));
        assert_eq!(q.sum(size), wanted, "{name}, batch {size}: the rows of the engine and those by hand");
        rows = wanted.rows;
        let by_hand = best(events, || {
            let start = Instant::now();
            let given = handwritten::run(name, &q.blocks, places, size, &mut out, None);
            let took = start.elapsed();
            assert_eq!(given, rows, "{name}: the same rows again");
            took
        });
        let engine = best(events, || {
            let job = q.job(size);
            let start = Instant::now();
            let given = job.run();
            let took = start.elapsed();
            assert_eq!(given, rows, "{name}: the same rows again");
            took
        });
        [by_hand, engine]
    });
    (times, rows)
}

/// The ratio, with an asterisk where it is above the limit.
fn ratio([by_hand, engine]: [f64; 2], limit: f64) -> String {
    let ratio = engine / by_hand;
    format!("{ratio:.2}{}", if ratio > limit { "*" } else { " " })
}

fn main() {
    let events = std::env::var("EVENTS").ok().and_then(|e| e.parse().ok()).unwrap_or(262_144);
    let all = queries();
    let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    println!(
        "{:<13} {:>9} {:>9} {:>9} {:>7} {:>9} {:>9} {:>7}",
        "ns an event", "rows out", "hand, 1", "engine, 1", "ratio", "hand,1024", "eng.,1024", "ratio"
    );
    for (name, sql, watermark) in all {
        let is_asked = |a: &String| name == a || name.split(' ').next() == Some(a);
        if !(asked.is_empty() || asked.iter().any(is_asked)) {
            continue;
        }
        let ([alone, full], rows) = measure(name, &sql, watermark, events);
        // What is only passed on costs nothing by hand in full batches.
        let limits = if name == "q0" { [f64::MAX; 2] } else { [3.0, 2.0] };
        println!(
            "{name:<13} {rows:>9} {:>9.1} {:>9.1} {:>7} {:>9.2} {:>9.2} {:>7}",
            alone[0],
            alone[1],
            ratio(alone, limits[0]),
            full[0],
            full[1],
            ratio(full, limits[1])
        );
    }
}

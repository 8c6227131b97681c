//! `pelton bench nexmark`: the Nexmark queries over replayed events, in this process, on this thread.
//!
//! The first tenth of a query's events (of files less) warms buffers and the replayed events, then the measured part begins. Rates count all
//! generated events, those that a query filters out at once included, as Nexmark's own do; from files, the rows that are read.

mod count_char;
mod files;
mod plot;

pub(crate) use files::Form;

use crate::args::Nexmark;
use crate::exit::{Exit, failed, written};
use crate::memory;
use crate::progress::short;
use crate::run::now_us;
use pelton::{Error, Progress, Result};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

/// The tables, then each query's name and text.
const TABLES: &str = include_str!("../../../benches/nexmark/tables.sql");
const QUERIES: &[(&str, &str)] = &[
    ("q0", include_str!("../../../benches/nexmark/q0.sql")),
    ("q1", include_str!("../../../benches/nexmark/q1.sql")),
    ("q2", include_str!("../../../benches/nexmark/q2.sql")),
    ("q5", include_str!("../../../benches/nexmark/q5.sql")),
    ("q8", include_str!("../../../benches/nexmark/q8.sql")),
    ("q11", include_str!("../../../benches/nexmark/q11.sql")),
    ("q12", include_str!("../../../benches/nexmark/q12.sql")),
    ("q14", include_str!("../../../benches/nexmark/q14.sql")),
    ("q15", include_str!("../../../benches/nexmark/q15.sql")),
    ("q16", include_str!("../../../benches/nexmark/q16.sql")),
    ("q17", include_str!("../../../benches/nexmark/q17.sql")),
    ("q21", include_str!("../../../benches/nexmark/q21.sql")),
    ("q22", include_str!("../../../benches/nexmark/q22.sql")),
    ("tumble", include_str!("../../../benches/nexmark/tumble.sql")),
];

/// What one query cost.
struct Measured {
    query: String,
    events: u64,
    /// Read from files.
    bytes: u64,
    seconds: f64,
    cpu_seconds: f64,
    allocations: u64,
    peak_rss_kb: u64,
    rows_out: u64,
    rows_per_call: f64,
}

/// The names that may be asked for.
pub(crate) fn names() -> clap::builder::PossibleValuesParser {
    QUERIES.iter().map(|q| q.0).collect::<Vec<_>>().into()
}

/// Runs the chosen queries and prints what they cost.
pub(crate) fn nexmark(args: &Nexmark) -> Exit {
    match run_all(args) {
        Ok(all) => {
            if let Some(file) = &args.plot
                && let Err(e) = std::fs::write(file, plot::svg(&all, args))
            {
                return failed(&Error::config(format!(
                    "the plot cannot be written to {}: {e}",
                    file.display()
                )));
            }
            let text = if args.json { json(&all) } else { table(&all) };
            written(text.as_bytes())
        }
        Err(e) => failed(&e),
    }
}

fn run_all(args: &Nexmark) -> Result<Vec<Measured>> {
    let chosen: Vec<_> = if args.queries.is_empty() {
        QUERIES.to_vec()
    } else {
        args.queries.iter().filter_map(|name| QUERIES.iter().find(|q| q.0 == name).copied()).collect()
    };
    let files = args.from.map(|form| files::Files::write(form, args.events)).transpose()?;
    let tables = files.as_ref().map_or(TABLES.to_owned(), files::Files::tables);
    chosen.into_iter().map(|(name, sql)| measure(name, &tables, sql, args)).collect()
}

fn measure(name: &str, tables: &str, sql: &str, args: &Nexmark) -> Result<Measured> {
    let events = args.events;
    let engine = args.cores.builder(1).batch_rows(args.batch as usize).start_us(now_us());
    let engine = engine.scalar_function(Arc::new(count_char::CountChar)).build()?;
    let text = format!("{tables}\n{sql}").replace("${EVENTS}", &events.to_string());
    let script = engine.prepare(&text)?;
    let job = script.jobs().next().ok_or_else(|| Error::config(format!("{name} has no query")))?;
    let mut run = job.start()?;
    memory::reset_peak();
    // The first tenth warms up: of flat files q8 reads persons and auctions alone, which are 4 of 50 events.
    let first = if args.from.is_some() { events / 125 } else { events / 10 };
    let mut done = false;
    while !done && run.stats().rows_in < first {
        for _ in 0..64 {
            done |= run.step(now_us())? == Progress::Done;
            drop(run.take_results());
        }
    }
    let (before, bytes_before) = (run.stats().rows_in, run.stats().bytes_in);
    let (started, cpu) = (Instant::now(), memory::cpu_seconds());
    memory::start_counting();
    while !done {
        // One look at the clock for many turns: it is not what is measured.
        let now = now_us();
        for _ in 0..256 {
            if run.step(now)? == Progress::Done {
                done = true;
                break;
            }
        }
    }
    let allocations = memory::stop_counting();
    let (seconds, cpu_seconds) = (started.elapsed().as_secs_f64(), memory::cpu_seconds() - cpu);
    let stats = run.stats();
    let (rows, calls) = stats
        .nodes
        .iter()
        .filter(|n| n.counters.batches_in > 0)
        .fold((0, 0), |(r, c), n| (r + n.counters.rows_in, c + n.counters.batches_in));
    Ok(Measured {
        query: name.to_owned(),
        events: stats.rows_in - before,
        bytes: stats.bytes_in - bytes_before,
        seconds,
        cpu_seconds,
        allocations,
        peak_rss_kb: memory::peak_rss_kb(),
        rows_out: stats.rows_out,
        rows_per_call: rows as f64 / (calls as f64).max(1.0),
    })
}

impl Measured {
    fn per_event(&self, x: f64) -> f64 {
        x / (self.events as f64).max(1.0)
    }

    fn megabytes_per_cpu_s(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.cpu_seconds.max(1e-9)
    }

    fn rate(&self, seconds: f64) -> f64 {
        self.events as f64 / seconds.max(1e-9)
    }
}

fn table(all: &[Measured]) -> String {
    let from_files = all.iter().any(|m| m.bytes > 0);
    let mut out = format!(
        "{:<8} {:>12} {:>10} {:>9} {:>10} {:>12} {:>10} {:>10} {:>12}{}\n",
        "query",
        "events",
        "events/s",
        "ns/event",
        "per CPU s",
        "allocs/event",
        "peak MB",
        "rows/call",
        "rows out",
        if from_files { "   MB/CPU s" } else { "" }
    );
    for m in all {
        let _ = writeln!(
            out,
            "{:<8} {:>12} {:>10} {:>9.2} {:>10} {:>12.6} {:>10.1} {:>10.1} {:>12}{}",
            m.query,
            m.events,
            short(m.rate(m.seconds)),
            m.per_event(m.seconds * 1e9),
            short(m.rate(m.cpu_seconds)),
            m.per_event(m.allocations as f64),
            m.peak_rss_kb as f64 / 1e3,
            m.rows_per_call,
            m.rows_out,
            if from_files { format!(" {:>10.1}", m.megabytes_per_cpu_s()) } else { String::new() }
        );
    }
    if from_files {
        out += "For orientation: Flink 2.3 takes 0.71 M rows a second and core from flat csv, 0.31 M from nested json.\n";
    }
    out
}

fn json(all: &[Measured]) -> String {
    let one = |m: &Measured| {
        format!(
            "  {{\"query\": \"{}\", \"events\": {}, \"seconds\": {:.3}, \"events_per_s\": {:.0}, \"ns_per_event\": {:.3}, \
             \"cpu_seconds\": {:.3}, \"events_per_cpu_s\": {:.0}, \"allocs_per_event\": {:.6}, \"peak_rss_kb\": {}, \
             \"rows_per_call\": {:.1}, \"rows_out\": {}, \"mb_per_cpu_s\": {:.1}}}",
            m.query,
            m.events,
            m.seconds,
            m.rate(m.seconds),
            m.per_event(m.seconds * 1e9),
            m.cpu_seconds,
            m.rate(m.cpu_seconds),
            m.per_event(m.allocations as f64),
            m.peak_rss_kb,
            m.rows_per_call,
            m.rows_out,
            m.megabytes_per_cpu_s()
        )
    };
    format!("[\n{}\n]\n", all.iter().map(one).collect::<Vec<_>>().join(",\n"))
}

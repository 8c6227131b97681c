//! No allocation per event: Nexmark's queries, once they are warm, allocate for a table that doubles or a window that opens, and otherwise use what they have
//! again. `pelton bench nexmark` prints the same over millions of events.

#[path = "../src/bin/pelton/bench/count_char.rs"]
mod count_char;
mod counting;

use pelton::{Engine, Progress};
use std::sync::Arc;

const TABLES: &str = include_str!("../benches/nexmark/tables.sql");
const EVENTS: u64 = 120_000;

/// Allocations an event in the second half of the events, in batches of `rows` rows.
fn per_event(sql: &str, rows: usize) -> f64 {
    // The recording is made before the first event comes; the first half goes over all of it.
    let tables = TABLES.replace("'${EVENTS}'", &format!("'{EVENTS}', 'replay.events' = '20000'"));
    let text = format!("{tables}\n{sql}");
    let engine = Engine::builder().scalar_function(Arc::new(count_char::CountChar)).batch_rows(rows);
    let script = engine.build().expect("an engine").prepare(&text);
    let script = script.unwrap_or_else(|e| panic!("{}", e.render("q", &text)));
    let mut run = script.jobs().next().expect("a job").start_here().expect("a run");
    let (mut from, mut before) = (0, 0);
    loop {
        let done = run.step(0).expect("the query runs") == Progress::Done;
        if done {
            break;
        }
        // To ask takes allocations: not often, and not while they count.
        if from == 0 {
            let taken = run.stats().rows_in;
            if taken >= EVENTS / 2 {
                (from, before) = (taken, counting::allocations());
            }
        }
    }
    let allocations = counting::allocations() - before;
    assert!(from > 0, "half of the events had been taken");
    allocations as f64 / (EVENTS - from) as f64
}

fn check(query: &str, most: f64) {
    let file = format!("{}/benches/nexmark/{query}.sql", env!("CARGO_MANIFEST_DIR"));
    let sql = std::fs::read_to_string(&file).expect("a query");
    let got = per_event(&sql, 1024);
    assert!(got < most, "{query}: {got} allocations an event, at most {most}");
}

#[test]
fn what_has_no_state_allocates_nothing() {
    ["q0", "q1", "q2", "q14", "q21", "q22"].iter().for_each(|q| check(q, 0.001));
}

#[test]
fn groups_and_windows_allocate_when_they_grow() {
    ["q11", "q15", "q16", "q17", "tumble"].iter().for_each(|q| check(q, 0.01));
    // For each window that closes, of which there are five times as many.
    ["q5", "q8", "q12"].iter().for_each(|q| check(q, 0.1));
}

#[test]
fn events_that_come_alone_allocate_nothing() {
    for (query, most) in [("q1", 0.001), ("q2", 0.001), ("tumble", 0.01)] {
        let file = format!("{}/benches/nexmark/{query}.sql", env!("CARGO_MANIFEST_DIR"));
        let got = per_event(&std::fs::read_to_string(&file).expect("a query"), 1);
        assert!(got < most, "{query}, one row a batch: {got} allocations an event, at most {most}");
    }
}

//! Windows over processing time close by the driver's clock, between rows as well, and what is open at the end of the input is dropped.

use pelton::{Engine, Progress};
use std::fmt::Write;

/// Rows 1, 2, 3, … one a second from 0 on, as they come; the results, each with the second of the step that gave it.
fn results(query: &str, seconds: i64) -> String {
    let engine = Engine::builder().build().expect("an engine");
    let sql = format!(
        "CREATE TABLE p (id INT, pt AS PROCTIME()) WITH ('connector' = 'datagen', 'rows-per-second' = '1',
           'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '100'); {query}"
    );
    let script = engine.prepare(&sql).expect("the script");
    let mut run = script.jobs().last().expect("a query").start().expect("the job");
    let mut out = String::new();
    for tenth in 0..seconds * 10 {
        let now = tenth * 100_000;
        loop {
            let progress = run.step(now).expect("a turn");
            for batch in run.take_results() {
                for row in batch.sel().iter() {
                    let value = |c: usize| batch.column(c).slice::<i64>()[row];
                    let _ = write!(out, "{}.{}: {} ", tenth / 10, tenth % 10, value(0));
                    let _ = writeln!(out, "{}", value(1) as f64 / 1e6);
                }
            }
            match progress {
                Progress::Working => {}
                Progress::Idle { .. } => break,
                Progress::Done => return out + "done\n",
            }
        }
    }
    out
}

#[test]
fn windows_close_when_the_clock_has_passed_them() {
    for (window, wanted) in [
        ("TUMBLE(TABLE e, DESCRIPTOR(pt), INTERVAL '2' SECOND)", "TUMBLE"),
        ("HOP(TABLE e, DESCRIPTOR(pt), INTERVAL '2' SECOND, INTERVAL '4' SECOND)", "HOP"),
        ("CUMULATE(TABLE e, DESCRIPTOR(pt), INTERVAL '2' SECOND, INTERVAL '4' SECOND)", "CUMULATE"),
        ("SESSION(TABLE e PARTITION BY k, DESCRIPTOR(pt), INTERVAL '0.3' SECOND)", "SESSION"),
    ] {
        // Rows that never end, so that the clock alone closes windows.
        let query = format!(
            "CREATE VIEW e AS SELECT id, 1 AS k, pt FROM p;
             SELECT COUNT(*) AS n, window_end FROM TABLE({window}) GROUP BY k, window_start, window_end"
        );
        let got = results(&query, 9);
        let count = if wanted == "SESSION" { 9 } else { 4 };
        assert_eq!(got.lines().count(), count, "{wanted}: {got}");
        for line in got.lines() {
            let (at, rest) = line.split_once(": ").expect("a time and a row");
            let end: f64 =
                rest.split(' ').next_back().and_then(|e| e.parse().ok()).expect("the window's end");
            let at: f64 = at.parse().expect("a time");
            assert!(at >= end && at < end + 0.25, "{wanted}: {line}\n{got}");
        }
    }
}

#[test]
fn groups_are_forgotten_when_the_clock_has_passed_their_time_to_live() {
    // Each of the three keys has a row every three seconds.
    let counts = |ttl: &str| {
        let query = format!(
            "SET 'table.exec.state.ttl' = '{ttl}';
             SELECT COUNT(*) AS n, CAST(MAX(id) AS BIGINT) AS last FROM p GROUP BY MOD(id, 3)"
        );
        let got = results(&query, 9);
        let rows = got.lines().map(|l| l.split(' ').nth(1).expect("a count").to_owned());
        rows.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(counts("2900 ms"), "1 1 1 1 1 1 1 1 1");
    // An update takes the row before it back.
    assert_eq!(counts("3100 ms"), "1 1 1 1 2 1 2 1 2 2 3 2 3 2 3");
    assert_eq!(counts("0 ms"), counts("1 h"));
}

/// The values of a group that is forgotten are new to the one that takes its place.
#[test]
fn distinct_values_are_forgotten_with_their_group() {
    let query = "SET 'table.exec.state.ttl' = '2900 ms';
        SELECT COUNT(DISTINCT id / 100) AS n, CAST(MAX(id) AS BIGINT) AS last FROM p GROUP BY MOD(id, 3)";
    let got = results(query, 9);
    let rows: Vec<&str> = got.lines().filter_map(|l| l.split(' ').nth(1)).collect();
    assert_eq!(rows, ["1"; 9], "{got}");
}

/// Every keyed operation begins anew with a key that had no row for the time to live: rows of a key come every three seconds.
#[test]
fn every_keyed_operation_forgets_its_keys() {
    let values = |ttl: &str, query: &str| {
        let got = results(&format!("SET 'table.exec.state.ttl' = '{ttl}'; {query}"), 9);
        let rows = got.lines().filter_map(|l| l.split(' ').nth(1)).map(str::to_owned);
        rows.collect::<Vec<_>>().join(" ")
    };
    let first = "SELECT CAST(id AS BIGINT) AS id, CAST(0 AS BIGINT) AS z FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY MOD(id, 3) ORDER BY pt) AS rn FROM p) WHERE rn = 1";
    let last = "SELECT CAST(id AS BIGINT) AS id, CAST(0 AS BIGINT) AS z FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY MOD(id, 3) ORDER BY pt DESC) AS rn FROM p) WHERE rn = 1";
    let top = "SELECT CAST(id AS BIGINT) AS id, CAST(0 AS BIGINT) AS z FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY MOD(id, 3) ORDER BY id) AS rn FROM p) WHERE rn <= 1";
    let over =
        "SELECT COUNT(*) OVER (PARTITION BY MOD(id, 3) ORDER BY pt) AS n, CAST(0 AS BIGINT) AS z FROM p";
    let rows = "SELECT COUNT(*) OVER (PARTITION BY MOD(id, 3) ORDER BY pt ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS n, COUNT(DISTINCT id / 100) OVER (PARTITION BY MOD(id, 3) ORDER BY pt ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS d FROM p";
    let distinct = "SELECT COUNT(DISTINCT id / 100) OVER (PARTITION BY MOD(id, 3) ORDER BY pt) AS n, CAST(0 AS BIGINT) AS z FROM p";
    let sorted =
        "SELECT COUNT(*) OVER (PARTITION BY MOD(id, 3) ORDER BY id) AS n, CAST(0 AS BIGINT) AS z FROM p";
    let common = "SELECT CAST(MOD(id, 3) AS BIGINT) AS k, CAST(0 AS BIGINT) AS z FROM p INTERSECT SELECT CAST(MOD(id, 3) AS BIGINT), CAST(0 AS BIGINT) FROM p";
    let view = "CREATE VIEW e AS SELECT MOD(id, 3) AS k, id FROM p; SELECT window_number AS n, CAST(0 AS BIGINT) AS z FROM COUNT_WINDOW(TABLE e PARTITION BY k, 1)";
    let counted = format!("{view} GROUP BY k, window_number");
    for (query, short, long) in [
        (first, "1 2 3 4 5 6 7 8 9", "1 2 3 7 8 9"),
        (last, "1 2 3 4 5 6 7 8 9", "1 2 3 1 4 2 5 3 6 4 7 5 8 6 9"),
        (top, "1 2 3 4 5 6 7 8 9", "1 2 3"),
        (over, "1 1 1 1 1 1 1 1 1", "1 1 1 2 2 2 3 3 3"),
        (rows, "1 1 1 1 1 1 1 1 1", "1 1 1 2 2 2 2 2 2"),
        (distinct, "1 1 1 1 1 1 1 1 1", "1 1 1 1 1 1 1 1 1"),
        (sorted, "1 1 1 1 1 1 1 1 1", "1 1 1 2 2 2 3 3 3"),
        (common, "1 2 0 1 2 0 1 2 0", "1 2 0"),
        (view, "1 1 1 1 1 1 1 1 1", "1 1 1 2 2 2 3 3 3"),
        (&counted, "1 1 1 1 1 1 1 1 1", "1 1 1 2 2 2 3 3 3"),
    ] {
        assert_eq!(values("2900 ms", query), short, "{query}");
        assert_eq!(values("3100 ms", query), long, "{query}");
    }
}

/// A hint says it for one query alone, and is stronger than the setting.
#[test]
fn a_hint_bounds_the_state_of_one_aggregation() {
    let counts = |hint: &str, ttl: &str| {
        let query = format!(
            "SET 'table.exec.state.ttl' = '{ttl}';
             SELECT {hint} COUNT(*) AS n, CAST(MAX(id) AS BIGINT) AS last FROM p AS t GROUP BY MOD(id, 3)"
        );
        let got = results(&query, 9);
        got.lines().filter_map(|l| l.split(' ').nth(1)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(counts("/*+ STATE_TTL('t' = '2900 ms') */", "1 h"), "1 1 1 1 1 1 1 1 1");
    assert_eq!(counts("/*+ STATE_TTL('t' = '0') */", "2900 ms"), "1 1 1 1 2 1 2 1 2 2 3 2 3 2 3");
}

//! Count windows are those of the definition: window `j` of a key is complete with row `j · slide` of that key and holds its last `size` rows, whatever
//! the batches, the number of shards, and whether the state went through its bytes. Flink's SQL has none, so the reference is a naive
//! model of `countWindow(size, slide)`.

use pelton::batch::text::{Style, write_value};
use pelton::{Engine, Progress};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What the last query of the script gives, a line a row.
fn run(sql: &str, batch_rows: usize, shards: usize, restore: bool) -> Vec<String> {
    let engine =
        Engine::builder().batch_rows(batch_rows).turn_rows(1).shards(shards).build().expect("an engine");
    let script = engine.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let job = script.jobs().last().expect("a query");
    let mut run = job.start_here().expect("the job");
    let (schema, zone) = (job.schema().expect("a query has columns"), job.time_zone());
    let mut lines = vec![];
    for turn in 1.. {
        let progress = run.step(turn * 1000).expect("a turn");
        for batch in run.take_results() {
            for row in batch.sel().iter() {
                let mut line = batch.kind(row).short().as_bytes().to_vec();
                for (n, field) in schema.fields.iter().enumerate() {
                    line.push(b' ');
                    write_value(batch.column(n), row, &field.ty, &zone, Style::Changelog, &mut line);
                }
                lines.push(String::from_utf8(line).expect("text is UTF-8"));
            }
        }
        if progress == Progress::Done {
            break;
        }
        if restore && turn % 2 == 0 {
            match run.cycle_state() {
                Err(e) if e.is_retryable() => {}
                done => done.expect("the state's own bytes"),
            }
        }
    }
    lines
}

/// A table of rows `(key, value)`.
fn table(rows: &[(u8, Option<i32>)]) -> String {
    let mut text = String::from("CREATE VIEW t (k, v) AS SELECT * FROM (VALUES ");
    for (n, (k, v)) in rows.iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        let value = v.map_or("CAST(NULL AS INT)".to_owned(), |v| v.to_string());
        let _ = write!(text, "{comma}('k{k}', {value})");
    }
    text + ");\n"
}

/// Every window in the order in which they are complete: key, number, values.
fn model(rows: &[(u8, Option<i32>)], size: usize, slide: usize) -> Vec<(u8, usize, Vec<Option<i32>>)> {
    let mut seen: BTreeMap<u8, Vec<Option<i32>>> = BTreeMap::new();
    let mut out = vec![];
    for &(k, v) in rows {
        let all = seen.entry(k).or_default();
        all.push(v);
        if all.len().is_multiple_of(slide) {
            out.push((k, all.len() / slide, all[all.len().saturating_sub(size)..].to_vec()));
        }
    }
    out
}

const AGGREGATES: &str =
    "COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s, MIN(v) AS lo, MAX(v) FILTER (WHERE v > 0) AS hi,
    COUNT(DISTINCT v) AS d, LISTAGG(CAST(v AS STRING)) AS l";

fn text<T: ToString>(v: Option<T>) -> String {
    v.map_or("\\N".into(), |v| v.to_string())
}

fn aggregated((k, number, values): &(u8, usize, Vec<Option<i32>>)) -> String {
    let known: Vec<i32> = values.iter().flatten().copied().collect();
    let mut distinct = known.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let list = known.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    format!(
        "+I k{k} {} {} {} {} {} {} {} {number}",
        values.len(),
        known.len(),
        text((!known.is_empty()).then(|| known.iter().sum::<i32>())),
        text(known.iter().min()),
        text(known.iter().filter(|v| **v > 0).max()),
        distinct.len(),
        text((!known.is_empty()).then_some(list)),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn windows_are_those_of_the_definition(
        rows in prop::collection::vec((0u8..4, prop::option::weighted(0.8, -3i32..4)), 1..60),
        size in 1usize..7,
        slide in 1usize..7,
        batch in prop::sample::select(vec![1usize, 3, 1024]),
        shards in 1usize..4,
        restore in any::<bool>(),
    ) {
        let window = format!("COUNT_WINDOW(TABLE t PARTITION BY k, SIZE => {size}, SLIDE => {slide})");
        let windows = model(&rows, size, slide);
        let sorted = |mut lines: Vec<String>| {
            if shards > 1 {
                lines.sort();
            }
            lines
        };
        let sql = format!("{}SELECT k, {AGGREGATES}, window_number FROM {window} GROUP BY window_number, k;", table(&rows));
        let wanted: Vec<String> = windows.iter().map(aggregated).collect();
        prop_assert_eq!(sorted(run(&sql, batch, shards, restore)), sorted(wanted), "{}", sql);

        let sql = format!("{}SELECT * FROM {window};", table(&rows));
        let rows_of = |(k, n, values): &(u8, usize, Vec<Option<i32>>)| -> Vec<String> {
            values.iter().map(|&v| format!("+I k{k} {} {n}", text(v))).collect()
        };
        let wanted: Vec<String> = windows.iter().flat_map(rows_of).collect();
        prop_assert_eq!(sorted(run(&sql, batch, shards, restore)), sorted(wanted), "{}", sql);
    }
}

fn one(query: &str) -> Vec<String> {
    run(
        &format!("{}{query}", table(&[(1, Some(1)), (2, Some(2)), (1, Some(3)), (1, Some(4)), (1, None)])),
        1024,
        1,
        false,
    )
}

#[test]
fn without_keys_all_rows_are_counted_together_and_arguments_may_be_positional() {
    assert_eq!(
        one("SELECT window_number, SUM(v) FROM TABLE(COUNT_WINDOW(TABLE t, 2)) GROUP BY window_number"),
        ["+I 1 3", "+I 2 7"]
    );
    assert_eq!(
        one(
            "SELECT SUM(v * 10 + 1) FROM COUNT_WINDOW(DATA => TABLE t, SLIDE => 2, SIZE => 3) GROUP BY window_number"
        ),
        ["+I 32", "+I 93"]
    );
}

/// What looks at the windows' rows between the function and the GROUP BY leaves the windows as they are.
#[test]
fn a_filter_above_the_function_does_not_change_which_rows_make_a_window() {
    let window = "COUNT_WINDOW(TABLE t PARTITION BY k, SIZE => 2)";
    assert_eq!(
        one(&format!("SELECT k, v, window_number FROM {window} WHERE v <> 3")),
        ["+I k1 1 1", "+I k1 4 2"]
    );
    assert_eq!(
        one(&format!("SELECT k, COUNT(*) FROM {window} WHERE v <> 3 GROUP BY k, window_number")),
        ["+I k1 1", "+I k1 1"]
    );
    assert_eq!(
        one(&format!(
            "SELECT k, COUNT(*) AS n FROM {window} GROUP BY k, window_number HAVING window_number > 1"
        )),
        ["+I k1 2"]
    );
}

#[test]
fn what_cannot_be_counted_is_refused_at_its_place() {
    let engine = Engine::builder().build().expect("an engine");
    let message = |query: &str| {
        let sql = format!("{}{query}", table(&[(1, Some(1))]));
        engine.prepare(&sql).map(|_| ()).expect_err(query).to_string()
    };
    for (query, wanted) in [
        ("SELECT * FROM COUNT_WINDOW(TABLE t, SIZE => 0)", "SIZE of COUNT_WINDOW is 1 to"),
        ("SELECT * FROM COUNT_WINDOW(TABLE t, SIZE => INTERVAL '1' SECOND)", "whole number"),
        ("SELECT * FROM COUNT_WINDOW(TABLE t)", "COUNT_WINDOW needs SIZE"),
        ("SELECT * FROM COUNT_WINDOW(TABLE t, SIZE => 2, STEP => 1)", "no argument 'STEP'"),
        ("SELECT * FROM COUNT_WINDOW(TABLE t, SIZE => 4000000000, SLIDE => 1)", "SIZE / SLIDE is at most"),
        (
            "SELECT * FROM COUNT_WINDOW((SELECT k, COUNT(*) AS n FROM t GROUP BY k), SIZE => 2)",
            "COUNT_WINDOW takes inserted rows only",
        ),
    ] {
        let got = message(query);
        assert!(got.contains(wanted), "{query}: {got}");
    }
}

#[test]
fn it_is_marked_as_pelton_s_own() {
    let engine = Engine::builder().build().expect("an engine");
    let sql = format!("{}SELECT * FROM COUNT_WINDOW(TABLE t, SIZE => 2);", table(&[(1, Some(1))]));
    let script = engine.prepare(&sql).expect("the script");
    let found: Vec<&str> = script.extensions.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(found, ["the table function COUNT_WINDOW is Pelton's own"]);
}

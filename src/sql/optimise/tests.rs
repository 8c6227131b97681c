//! The rules, plan text in and plan text out: above the arrow the plan as it was bound, below it the plan after all rules.

use crate::error::Result;
use crate::plan::Changelog;
use crate::plan::connector::{Connectors, SinkInfo, SourceInfo, TableSpec};
use crate::sql::{Outcome, Planner};

struct Anything;

impl Connectors for Anything {
    fn source(&self, _: &TableSpec) -> Result<SourceInfo> {
        Ok(SourceInfo { bounded: true, changelog: Changelog::INSERT, metadata: vec![], nested: true })
    }

    fn sink(&self, _: &TableSpec) -> Result<SinkInfo> {
        Ok(SinkInfo { accepts: Changelog::ALL })
    }
}

const TABLES: &str = "
    CREATE TABLE t (
        a INT, b INT, c STRING, r ROW<x INT, y ROW<z STRING, w INT>>, ts TIMESTAMP(3), twice AS a * 2,
        WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
    ) WITH ('connector' = 'any');
    CREATE TABLE v (
        kind INT, e ROW<n INT, m INT, due TIMESTAMP(3)>, due AS e.due, WATERMARK FOR due AS due
    ) WITH ('connector' = 'any');
    CREATE TABLE u (a INT, b INT, c STRING) WITH ('connector' = 'any');";

/// What EXPLAIN says of `query`.
fn explain(query: &str, rules: &str) -> String {
    let registry = crate::expr::functions::builtin();
    let script = format!("{TABLES} SET 'pelton.optimizer' = '{rules}'; {query};");
    let mut planner = Planner::new(&registry, &Anything, 0);
    let outcomes = planner.script(&script).unwrap_or_else(|e| panic!("{}", e.render("test", &script)));
    let Some(Outcome::Plan(plan)) = outcomes.into_iter().next_back() else { panic!("{query} is no query") };
    plan.explain().replace("default_catalog.default_database.", "")
}

/// The logical plan of `query`, without its sink.
fn plan(query: &str, rules: &str) -> String {
    let text = explain(query, rules);
    let (logical, _) = text.split_once("\n\n").unwrap();
    logical.lines().skip(2).map(|l| format!("{}\n", &l[2..])).collect()
}

/// Checks `bound`, an arrow, and `better` of a query.
fn check(query: &str, expected: &str) {
    let (bound, better) = (plan(query, "off"), plan(query, "on"));
    let got = format!("{bound}=>\n{better}");
    let lines: Vec<&str> = expected.lines().filter(|l| !l.trim().is_empty()).collect();
    let margin = expected.trim_start_matches('\n').find(|c| c != ' ').unwrap_or(0);
    let expected: String = lines.iter().map(|l| format!("{}\n", l.get(margin..).unwrap_or(l))).collect();
    assert!(got == expected, "{query}\n--- expected\n{expected}--- got\n{got}");
}

#[test]
fn scans_read_what_the_query_reads() {
    check(
        "SELECT a FROM t",
        "
        Project a
          Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project a
          Scan t [a] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT COUNT(*) FROM t",
        "
        Project COUNT(*) AS EXPR$0
          Aggregate by []: COUNT(*)
            Project 0 AS ZERO
              Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project COUNT(*) AS EXPR$0
          Aggregate by []: COUNT(*)
            Project 0 AS ZERO
              Scan t [ts] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT twice FROM t WHERE b > 1",
        "
        Project twice
          Filter (b > 1)
            Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project twice
          Filter (b > 1)
            Scan t [b, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT 1 FROM u",
        "
        Project 1 AS EXPR$0
          Scan u [a, b, c]
        =>
        Project 1 AS EXPR$0
          Scan u []
        ",
    );
}

#[test]
fn projections_merge_unless_something_would_be_computed_twice() {
    check(
        "SELECT x + 1 FROM (SELECT a + b AS x, c FROM u) WHERE x > 3",
        "
        Project (x + 1) AS EXPR$0
          Filter (x > 3)
            Project (a + b) AS x, c
              Scan u [a, b, c]
        =>
        Project ((a + b) + 1) AS EXPR$0
          Filter ((a + b) > 3)
            Scan u [a, b]
        ",
    );
    check(
        "SELECT x + x FROM (SELECT a * b AS x FROM u)",
        "
        Project (x + x) AS EXPR$0
          Project (a * b) AS x
            Scan u [a, b, c]
        =>
        Project (x + x) AS EXPR$0
          Project (a * b) AS x
            Scan u [a, b]
        ",
    );
}

#[test]
fn what_is_not_deterministic_stays_and_what_is_behind_it() {
    check(
        "SELECT x FROM (SELECT CURRENT_ROW_TIMESTAMP() AS x, a FROM u) WHERE x > TO_TIMESTAMP_LTZ(a, 3) AND a > 1",
        "
        Project x
          Filter ((x > TO_TIMESTAMP_LTZ(CAST(a AS BIGINT), 3)) AND (a > 1))
            Project CURRENT_ROW_TIMESTAMP() AS x, a
              Scan u [a, b, c]
        =>
        Project x
          Filter ((x > TO_TIMESTAMP_LTZ(CAST(a AS BIGINT), 3)) AND (a > 1))
            Project CURRENT_ROW_TIMESTAMP() AS x, a
              Scan u [a]
        ",
    );
    check(
        "SELECT x FROM (SELECT CURRENT_ROW_TIMESTAMP() AS x, a FROM u) WHERE a > 1 AND x > TO_TIMESTAMP_LTZ(a, 3)",
        "
        Project x
          Filter ((a > 1) AND (x > TO_TIMESTAMP_LTZ(CAST(a AS BIGINT), 3)))
            Project CURRENT_ROW_TIMESTAMP() AS x, a
              Scan u [a, b, c]
        =>
        Project x
          Filter (x > TO_TIMESTAMP_LTZ(CAST(a AS BIGINT), 3))
            Project CURRENT_ROW_TIMESTAMP() AS x, a
              Filter (a > 1)
                Scan u [a]
        ",
    );
    check(
        "SELECT n FROM (SELECT COUNT(*) AS n FROM u) WHERE CURRENT_ROW_TIMESTAMP() > TO_TIMESTAMP_LTZ(n, 3)",
        "
        Project n
          Filter (CURRENT_ROW_TIMESTAMP() > TO_TIMESTAMP_LTZ(n, 3))
            Project COUNT(*) AS n
              Aggregate by []: COUNT(*)
                Project 0 AS ZERO
                  Scan u [a, b, c]
        =>
        Project COUNT(*) AS n
          Filter (CURRENT_ROW_TIMESTAMP() > TO_TIMESTAMP_LTZ(COUNT(*), 3))
            Aggregate by []: COUNT(*)
              Project 0 AS ZERO
                Scan u []
        ",
    );
}

#[test]
fn filters_pass_unions_set_operations_and_sorts() {
    check(
        "SELECT a FROM (SELECT a, b FROM t UNION ALL SELECT a, b FROM u) WHERE b = 2",
        "
        Project a
          Filter (b = 2)
            UnionAll of 2
              Project a, b
                Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
              Project a, b
                Scan u [a, b, c]
        =>
        Project a
          UnionAll of 2
            Project a
              Filter (b = 2)
                Scan t [a, b] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
            Project a
              Filter (b = 2)
                Scan u [a, b]
        ",
    );
    check(
        "SELECT a FROM (SELECT a, b FROM t INTERSECT SELECT a, b FROM u) WHERE b = 2",
        "
        Project a
          Filter (b = 2)
            Intersect
              Project a, b
                Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
              Project a, b
                Scan u [a, b, c]
        =>
        Project a
          Intersect
            Project a, b
              Filter (b = 2)
                Scan t [a, b] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
            Project a, b
              Filter (b = 2)
                Scan u [a, b]
        ",
    );
    check(
        "SELECT a FROM (SELECT a, b, ts FROM t ORDER BY ts) WHERE b > 1",
        "
        Project a
          Filter (b > 1)
            Sort ts ASC NULLS FIRST
              Project a, b, ts
                Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project a
          Sort ts ASC NULLS FIRST
            Project a, ts
              Filter (b > 1)
                Scan t [a, b, ts] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT a FROM (SELECT a, b FROM u WHERE c = 'x') WHERE b > 1 AND a > 2",
        "
        Project a
          Filter ((b > 1) AND (a > 2))
            Project a, b
              Filter (c = 'x')
                Scan u [a, b, c]
        =>
        Project a
          Filter ((c = 'x') AND (b > 1) AND (a > 2))
            Scan u [a, b, c]
        ",
    );
}

#[test]
fn filters_on_keys_pass_aggregates_and_unread_calls_go() {
    check(
        "SELECT a, n FROM (SELECT a, COUNT(*) AS n, SUM(b) AS s FROM u GROUP BY a) WHERE a > 1 AND n > 2",
        "
        Project a, n
          Filter ((a > 1) AND (n > 2))
            Project a, COUNT(*) AS n, SUM(b) AS s
              Aggregate by [a]: COUNT(*), SUM(b)
                Project a, b
                  Scan u [a, b, c]
        =>
        Project a, COUNT(*) AS n
          Filter (COUNT(*) > 2)
            Aggregate by [a]: COUNT(*)
              Project a
                Filter (a > 1)
                  Scan u [a]
        ",
    );
    check(
        "SELECT a FROM (SELECT a, COUNT(*) AS n FROM u GROUP BY a)",
        "
        Project a
          Project a, COUNT(*) AS n
            Aggregate by [a]: COUNT(*)
              Project a
                Scan u [a, b, c]
        =>
        Project a
          Distinct [a]
            Project a
              Scan u [a]
        ",
    );
}

#[test]
fn filters_pass_windows_but_never_the_watermark() {
    check(
        "SELECT window_start, n FROM (SELECT window_start, window_end, b, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, b) WHERE b > 1",
        "
        Project window_start, n
          Filter (b > 1)
            Project window_start, window_end, b, COUNT(*) AS n
              Project window_start, window_end, b, COUNT(*)
                WindowAggregate TUMBLE(1 min) on ts by [b]: COUNT(*) with [Start, End]
                  Project b, ts
                    Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project window_start, COUNT(*) AS n
          WindowAggregate TUMBLE(1 min) on ts by [b]: COUNT(*) with [Start]
            Project b, ts
              Filter (b > 1)
                Scan t [b, ts] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT a, window_start FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE)) WHERE a > 1 AND window_start > TIMESTAMP '2020-01-01 00:00:00'",
        "
        Project a, window_start
          Filter ((a > 1) AND (window_start > TIMESTAMP '2020-01-01 00:00:00'))
            Window HOP(2 min every 1 min) on ts
              Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project a, window_start
          Filter (window_start > TIMESTAMP '2020-01-01 00:00:00')
            Window HOP(2 min every 1 min) on ts
              Filter (a > 1)
                Scan t [a, ts] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
}

#[test]
fn a_limit_decides_before_a_filter() {
    check(
        "SELECT a FROM (SELECT a, b FROM u LIMIT 3) WHERE b > 1",
        "
        Project a
          Filter (b > 1)
            Limit 3
              Project a, b
                Scan u [a, b, c]
        =>
        Project a
          Filter (b > 1)
            Limit 3
              Project a, b
                Scan u [a, b]
        ",
    );
}

#[test]
fn parts_of_rows_are_read_alone_where_nobody_reads_the_row() {
    check(
        "SELECT r.y.z FROM t",
        "
        Project r.y.z AS z
          Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project r.y.z AS z
          Scan t [r.y.z] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT r.x, r.y.z, r.y FROM t WHERE r.x > 1",
        "
        Project r.x AS x, r.y.z AS z, r.y AS y
          Filter (r.x > 1)
            Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project r.x AS x, r.y.z AS z, r.y AS y
          Filter (r.x > 1)
            Scan t [r.x, r.y] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT r.x, r.y FROM t WHERE r IS NOT NULL",
        "
        Project r.x AS x, r.y AS y
          Filter r IS NOT NULL
            Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project r.x AS x, r.y AS y
          Filter r IS NOT NULL
            Scan t [r] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT r FROM t",
        "
        Project r
          Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project r
          Scan t [r] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT SUM(r.x) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, r.y.w",
        "
        Project SUM(r.x) AS EXPR$0
          Project window_start, window_end, r.y.w, SUM(r.x)
            WindowAggregate TUMBLE(1 min) on ts by [r.y.w]: SUM(r.x) with [Start, End]
              Project r.y.w, r.x, ts
                Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project SUM(r.x) AS EXPR$0
          WindowAggregate TUMBLE(1 min) on ts by [r.y.w]: SUM(r.x) with []
            Project r.y.w, r.x, ts
              Scan t [ts, r.x, r.y.w] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT r.x, window_end FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE)) WHERE r.x > 1",
        "
        Project r.x AS x, window_end
          Filter (r.x > 1)
            Window HOP(2 min every 1 min) on ts
              Scan t [a, b, c, r, ts, twice] twice = (a * 2) watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        =>
        Project r.x AS x, window_end
          Window HOP(2 min every 1 min) on ts
            Filter (r.x > 1)
              Scan t [ts, r.x] watermark ts = (ts - INTERVAL '+0 00:00:01.000')
        ",
    );
    check(
        "SELECT kind, e.n, due FROM v WHERE e.m = 1",
        "
        Project kind, e.n AS n, due
          Filter (e.m = 1)
            Scan v [kind, e, due] due = e.due watermark due = due
        =>
        Project kind, e.n AS n, due
          Filter (e.m = 1)
            Scan v [kind, due, e.n, e.m] due = e.due watermark due = due
        ",
    );
}

/// Where two readers share a scan and one needs the whole row, the other takes its part from that.
#[test]
fn a_shared_scan_reads_a_row_once() {
    let graph = |query: &str| {
        let text = explain(query, "on");
        let (_, physical) = text.split_once("\n\n").unwrap();
        let lines = physical.lines().skip(1).filter(|l| l.starts_with('#') || l.contains("columns"));
        lines.take(4).map(|l| format!("{l}\n")).collect::<String>()
    };
    let alone = graph("SELECT e.n, e.m FROM v");
    assert_eq!(
        alone,
        "#0 Scan v by 'any', bounded
     columns    e.n INT, e.m INT, e.due TIMESTAMP(3)
#1 Project e.due AS due, e.n, e.m <- #0
     columns    due TIMESTAMP(3), e.n INT, e.m INT
"
    );
    let shared = graph("SELECT e.n FROM v UNION ALL SELECT kind FROM v WHERE e IS NULL");
    assert_eq!(
        shared,
        "#0 Scan v by 'any', bounded
     columns    kind INT, e ROW<`n` INT, `m` INT, `due` TIMESTAMP(3)>
#1 Project kind, e, e.due AS due, e.n <- #0
     columns    kind INT, e ROW<`n` INT, `m` INT, `due` TIMESTAMP(3)>, due TIMESTAMP(3), e.n INT
"
    );
}

#[test]
fn a_product_that_always_fits_is_not_cast() {
    // 908 · 2^31 has 13 digits.
    check(
        "SELECT CAST(0.908 * a AS DECIMAL(13, 3)), CAST(0.908 * a AS DECIMAL(12, 3)) FROM u",
        "
        Project CAST((0.908 * CAST(a AS BIGINT)) AS DECIMAL(13, 3)) AS EXPR$0, CAST((0.908 * CAST(a AS BIGINT)) AS DECIMAL(12, 3)) AS EXPR$1
          Scan u [a, b, c]
        =>
        Project (0.908 * CAST(a AS BIGINT)) AS EXPR$0, CAST((0.908 * CAST(a AS BIGINT)) AS DECIMAL(12, 3)) AS EXPR$1
          Scan u [a]
        ",
    );
}

#[test]
fn a_text_that_is_needed_several_times_is_computed_once() {
    check(
        "SELECT a, CASE WHEN LOWER(c) = 'x' THEN '0' ELSE UPPER(c) END FROM u WHERE LOWER(c) IN ('x', 'y') OR b > 1",
        "
        Project a, CASE WHEN (LOWER(c) = 'x') THEN '0' ELSE UPPER(c) END AS EXPR$1
          Filter (IN(LOWER(c), 'x', 'y') OR (b > 1))
            Scan u [a, b, c]
        =>
        Project a, CASE WHEN (shared$0 = 'x') THEN '0' ELSE UPPER(c) END AS EXPR$1
          Filter (IN(shared$0, 'x', 'y') OR (b > 1))
            Project a, b, c, LOWER(c) AS shared$0
              Scan u [a, b, c]
        ",
    );
    // Not numbers, and what the rest does not read is not passed on.
    check(
        "SELECT a + b, a + b + 1, LOWER(c), UPPER(LOWER(c)) FROM u",
        "
        Project (a + b) AS EXPR$0, ((a + b) + 1) AS EXPR$1, LOWER(c) AS EXPR$2, UPPER(LOWER(c)) AS EXPR$3
          Scan u [a, b, c]
        =>
        Project (a + b) AS EXPR$0, ((a + b) + 1) AS EXPR$1, shared$0 AS EXPR$2, UPPER(shared$0) AS EXPR$3
          Project a, b, LOWER(c) AS shared$0
            Scan u [a, b, c]
        ",
    );
    // The larger one first: its part is then needed once beside it.
    check(
        "SELECT LOWER(c), UPPER(LOWER(c)), UPPER(LOWER(c)) FROM u",
        "
        Project LOWER(c) AS EXPR$0, UPPER(LOWER(c)) AS EXPR$1, UPPER(LOWER(c)) AS EXPR$2
          Scan u [a, b, c]
        =>
        Project LOWER(c) AS EXPR$0, shared$0 AS EXPR$1, shared$0 AS EXPR$2
          Project c, UPPER(LOWER(c)) AS shared$0
            Scan u [c]
        ",
    );
    // Not what only some rows need, nor what may fail.
    for kept in [
        "SELECT CASE WHEN a > 1 THEN LOWER(c) ELSE UPPER(LOWER(c)) END FROM u",
        "SELECT LPAD(c, a, 'x'), REGEXP_EXTRACT(c, c), REGEXP_EXTRACT(c, c) FROM u",
    ] {
        assert!(!plan(kept, "on").contains("shared"), "{kept}");
    }
}

/// The operations of the graph, sources and sinks left out.
fn operations(query: &str) -> Vec<String> {
    let text = explain(query, "on");
    let (_, physical) = text.split_once("== Physical plan ==").unwrap();
    let lines = physical.lines().filter_map(|l| l.strip_prefix('#')?.split_once(' '));
    let kept = lines.map(|l| l.1.to_owned()).filter(|l| !l.starts_with("Scan") && !l.starts_with("Sink"));
    kept.collect()
}

/// What a projection passes on to an aggregation stays in its place: the batch goes on, and only the computed columns are exchanged.
#[test]
fn a_projection_below_an_aggregation_works_in_place() {
    assert_eq!(
        operations("SELECT c, SUM(a), MAX(b + 1) AS m FROM u GROUP BY c"),
        ["Project a, (b + 1) AS b + 1, c <- #0", "GroupAggregate by [c]: SUM(a), MAX(b + 1) <- #1"]
    );
    // Two columns give one: there is no place for each that is passed on.
    assert_eq!(
        operations("SELECT c, SUM(a + b) AS s FROM u GROUP BY c")[0],
        "Project c, (a + b) AS a + b <- #0"
    );
}

/// A condition that only FILTER reads is no column where it is plain over a row; another one is.
#[test]
fn an_aggregation_asks_the_conditions_of_its_filters() {
    let calls =
        "COUNT(*) FILTER (WHERE b > 1), SUM(a) FILTER (WHERE a < 7 AND b > 1), MIN(b) FILTER (WHERE b > 1)";
    assert_eq!(
        operations(&format!("SELECT c, {calls} FROM u GROUP BY c")),
        [format!("GroupAggregate by [c]: {calls} <- #0").replace("a < 7 AND b > 1", "(a < 7) AND (b > 1)")]
    );
    // It may be read besides, fail, or take more than a row.
    for (key, condition) in [("b > 1", "b > 1"), ("c", "CAST(c AS INT) > 1"), ("c", "LOWER(c) = 'x'")] {
        let operations =
            operations(&format!("SELECT SUM(a) FILTER (WHERE {condition}) FROM u GROUP BY {key}"));
        assert!(operations[0].starts_with("Project "), "{operations:?}");
    }
}

/// Rows that come by the clock need no column for it where each is in one window; else the clock writes it behind the others.
#[test]
fn proctime_is_not_computed_before_the_clock() {
    let counts = |window: &str| {
        operations(&format!(
            "CREATE VIEW p AS SELECT PROCTIME() AS now, a FROM u;
             SELECT a, COUNT(*) AS n FROM TABLE({window}) GROUP BY a, window_start, window_end"
        ))
    };
    let tumbling = counts("TUMBLE(TABLE p, DESCRIPTOR(now), INTERVAL '1' SECOND)");
    assert_eq!(tumbling[0], "WindowAggregate TUMBLE(1 s) in UTC by the clock by [a]: COUNT(*) with [] <- #0");
    let sliding = counts("HOP(TABLE p, DESCRIPTOR(now), INTERVAL '1' SECOND, INTERVAL '2' SECOND)");
    assert_eq!(sliding[0], "Clock in now <- #0");
    assert!(sliding[1].contains("on now by [a]"), "{}", sliding[1]);
}

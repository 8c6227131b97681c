//! Where the nodes of a query run on several shards: one line a node, with what it reads and its place.

use super::{Outcome, Planner};
use crate::error::Result;
use crate::plan::connector::{Connectors, SinkInfo, SourceInfo, TableSpec};
use crate::plan::{Changelog, Exchange, Graph, NodeId, Op, Place};

struct Anything;

impl Connectors for Anything {
    fn source(&self, _: &TableSpec) -> Result<SourceInfo> {
        Ok(SourceInfo { bounded: true, changelog: Changelog::INSERT, metadata: vec![], nested: true })
    }

    fn sink(&self, _: &TableSpec) -> Result<SinkInfo> {
        Ok(SinkInfo { accepts: Changelog::ALL })
    }

    fn splits(&self, table: &TableSpec) -> usize {
        if table.name.contains("parts") { 4 } else { 1 }
    }

    fn has_many_writers(&self, table: &TableSpec) -> bool {
        table.name.contains("nothing")
    }
}

fn graph(query: &str, shards: usize) -> Graph {
    let registry = crate::expr::functions::builtin();
    let script = format!(
        "CREATE TABLE t (
             a INT, b INT, d DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
         ) WITH ('connector' = 'any');
         CREATE TABLE parts LIKE t;
         CREATE TABLE nothing (a INT) WITH ('connector' = 'any');
         {query};"
    );
    let mut planner = Planner::new(&registry, &Anything, 0).shards(shards);
    let outcomes = planner.script(&script).unwrap_or_else(|e| panic!("{}", e.render("test", &script)));
    let Some(Outcome::Plan(plan)) = outcomes.into_iter().next_back() else { panic!("{query} is no query") };
    plan.graph
}

/// The nodes with state and the exchanges, from source to sink: `name/all`, `by 0,1`, `gather`.
fn places(query: &str) -> String {
    let graph = graph(query, 4);
    let mut out = vec![];
    for (n, node) in graph.nodes.iter().enumerate() {
        let place = match graph.place(NodeId(n)) {
            Place::One => "one",
            Place::All => "all",
        };
        out.push(match &node.op {
            Op::Filter(_) | Op::Project(_) | Op::Watermark { .. } | Op::WindowAssign(_) => continue,
            Op::Exchange(Exchange::Keyed(keys)) => {
                format!("by {}", keys.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
            }
            Op::Exchange(Exchange::Gather) => "gather".to_owned(),
            op => format!("{}/{place}", op.name()),
        });
    }
    out.join(" > ")
}

#[test]
fn one_shard_needs_no_exchange() {
    let graph = graph("SELECT a, COUNT(*) FROM t GROUP BY a", 1);
    assert!(graph.places.is_empty() && !graph.nodes.iter().any(|n| matches!(n.op, Op::Exchange(_))));
}

#[test]
fn a_source_in_parts_is_read_by_all_where_nothing_asks_for_order() {
    assert_eq!(places("SELECT a + 1 FROM parts WHERE b > 2"), "Scan/all > gather > Sink/one");
    assert_eq!(places("INSERT INTO nothing SELECT a + 1 FROM parts"), "Scan/all > Sink/all");
    assert_eq!(
        places("SELECT DISTINCT a FROM parts"),
        "Scan/all > by 0 > GroupAggregate/all > gather > Sink/one"
    );
    // The counts on the way are rows as well; what is late depends on all rows before.
    assert_eq!(
        places("SELECT a, COUNT(*) FROM parts GROUP BY a"),
        "Scan/one > by 0 > GroupAggregate/all > gather > Sink/one"
    );
    assert_eq!(
        places(
            "SELECT a, COUNT(*) FROM TABLE(TUMBLE(TABLE parts, DESCRIPTOR(ts), INTERVAL '1' HOUR))
             GROUP BY a, window_start, window_end"
        ),
        "Scan/one > by 0 > WindowAggregate/all > gather > Sink/one"
    );
    assert_eq!(places("SELECT a, CURRENT_WATERMARK(ts) FROM parts"), "Scan/one > Sink/one");
    assert_eq!(places("SELECT a FROM parts LIMIT 3"), "Scan/one > Limit/one > Sink/one");
    assert_eq!(
        places("SELECT a FROM parts UNION ALL SELECT a FROM t"),
        "Scan/all > Scan/one > gather > Union/one > Sink/one"
    );
}

#[test]
fn windows_of_windows_are_aggregated_on_each_shard_first() {
    let counts = "SELECT a, window_start, window_end, COUNT(*) AS n
                  FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY a, window_start, window_end";
    let largest = |set: &str, what: &str| {
        places(&format!(
            "{set} SELECT window_start, {what} FROM ({counts}) GROUP BY window_start, window_end"
        ))
    };
    let counted = "Scan/one > by 0 > WindowAggregate/all";
    let whole = format!("{counted} > gather > WindowAggregate/one > Sink/one");
    let parts =
        format!("{counted} > LocalWindowAggregate/all > gather > GlobalWindowAggregate/one > Sink/one");
    assert_eq!(largest("", "MAX(n), AVG(n), COUNT(*) FILTER (WHERE n > 3)"), parts);
    assert_eq!(largest("SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE';", "MAX(n)"), whole);
    // Distinct values have to meet.
    assert_eq!(largest("", "COUNT(DISTINCT n)"), whole);
    // By a key there may be as many groups as rows: only who knows better says so.
    let by_a_key = format!("SELECT n, COUNT(*) FROM ({counts}) GROUP BY n, window_start, window_end");
    let two = "SET 'table.optimizer.agg-phase-strategy' = 'TWO_PHASE';";
    assert!(!places(&by_a_key).contains("Local"));
    assert_eq!(places(&format!("{two} {by_a_key}")).matches("Local").count(), 2);
    assert_eq!(
        places(&format!("{two} {counts}")),
        "Scan/one > LocalWindowAggregate/one > by 0 > GlobalWindowAggregate/all > gather > Sink/one"
    );
    // What depends on the order of all rows is left alone, and what is not a plain window.
    let sums = counts.replace("COUNT(*)", "SUM(d)");
    assert!(!places(&format!("{two} {sums}")).contains("Local"));
    assert!(
        !places(&format!(
            "{two} {}",
            counts.replace("TUMBLE", "HOP").replace("'1' HOUR", "'1' HOUR, INTERVAL '2' HOUR")
        ))
        .contains("Local")
    );
}

#[test]
fn what_has_no_keys_does_not_pay_for_shards() {
    assert!(graph("SELECT a + 1 FROM t WHERE b > 2", 4).places.is_empty());
    assert!(graph("SELECT COUNT(*) FROM t", 4).places.is_empty());
    assert!(graph("SELECT a, COUNT(*) FROM (VALUES (1), (2)) AS v (a) GROUP BY a", 4).places.is_empty());
    assert!(!graph("SELECT a, COUNT(*) FROM t GROUP BY a", 4).places.is_empty());
}

#[test]
fn keys_are_spread_and_results_gathered() {
    assert_eq!(
        places("SELECT b, COUNT(*), SUM(d) FROM t GROUP BY b"),
        "Scan/one > by 0 > GroupAggregate/all > gather > Sink/one"
    );
    assert_eq!(places("SELECT a + 1 FROM t WHERE b > 2"), "Scan/one > Sink/one");
    assert_eq!(places("SELECT COUNT(*) FROM t"), "Scan/one > GroupAggregate/one > Sink/one");
    assert_eq!(
        places("SELECT a FROM t INTERSECT SELECT b FROM t"),
        "Scan/one > by 0 > by 0 > SetOperation/all > gather > Sink/one"
    );
}

#[test]
fn rows_that_have_met_are_not_moved_again() {
    assert_eq!(
        places("SELECT a, b, MAX(n) FROM (SELECT a, b, COUNT(*) n FROM t GROUP BY a, b) GROUP BY a, b"),
        "Scan/one > by 0,1 > GroupAggregate/all > GroupAggregate/all > gather > Sink/one"
    );
}

const WINDOWED: &str = "SELECT a, window_time wt, COUNT(*) n, SUM(d) s
    FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
    GROUP BY a, window_start, window_end, window_time";

#[test]
fn results_of_windows_are_never_late_behind_an_exchange() {
    assert_eq!(
        places(&format!(
            "CREATE VIEW w AS {WINDOWED};
             SELECT n, COUNT(*) FROM TABLE(TUMBLE(TABLE w, DESCRIPTOR(wt), INTERVAL '1' HOUR))
             GROUP BY n, window_start, window_end"
        )),
        "Scan/one > by 0 > WindowAggregate/all > by 1 > WindowAggregate/all > gather > Sink/one"
    );
}

#[test]
fn what_depends_on_order_gets_the_order_of_one_shard() {
    // Updates of updates: in another order they would be others.
    assert_eq!(
        places("SELECT n, COUNT(*) FROM (SELECT a, COUNT(*) n FROM t GROUP BY a) GROUP BY n"),
        "Scan/one > GroupAggregate/one > by 1 > GroupAggregate/all > gather > Sink/one"
    );
    // A number of DOUBLEs added up in another order is another number.
    assert_eq!(
        places(&format!(
            "CREATE VIEW w AS {WINDOWED};
             SELECT n, SUM(s) FROM TABLE(TUMBLE(TABLE w, DESCRIPTOR(wt), INTERVAL '1' HOUR))
             GROUP BY n, window_start, window_end"
        )),
        "Scan/one > WindowAggregate/one > by 1 > WindowAggregate/all > gather > Sink/one"
    );
    assert_eq!(
        places("SELECT * FROM (SELECT a, COUNT(*) n FROM t GROUP BY a) LIMIT 3"),
        "Scan/one > GroupAggregate/one > Rank/one > Sink/one"
    );
    assert_eq!(
        places(
            "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY ts DESC) rn FROM t)
             WHERE rn = 1"
        ),
        "Scan/one > by 0 > Deduplicate/all > gather > Sink/one"
    );
}

#[test]
fn over_runs_where_the_rows_of_its_partition_are() {
    assert_eq!(
        places(
            "SELECT SUM(b) OVER (PARTITION BY a ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM t"
        ),
        "Scan/one > by 0 > Over/all > gather > Sink/one"
    );
    assert_eq!(places("SELECT SUM(b) OVER (ORDER BY ts) FROM t"), "Scan/one > Over/one > Sink/one");
    // The second one has the rows of its partition in the order of time, and a group for each.
    assert_eq!(
        places(
            "SELECT a, COUNT(n), MAX(m) FROM (
               SELECT a, n, MAX(b) OVER (PARTITION BY b ORDER BY ts) AS m
               FROM (SELECT *, COUNT(*) OVER (PARTITION BY a ORDER BY ts) AS n FROM t)) GROUP BY a"
        ),
        "Scan/one > Over/one > Over/one > by 0 > GroupAggregate/all > gather > Sink/one"
    );
    assert_eq!(
        places(
            "SELECT SUM(n) OVER (PARTITION BY a ORDER BY ts)
             FROM (SELECT *, COUNT(*) OVER (PARTITION BY a ORDER BY ts) AS n FROM t)"
        ),
        "Scan/one > by 0 > Over/all > Over/all > gather > Sink/one"
    );
    assert_eq!(
        places(
            "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a, window_start, window_end ORDER BY b) AS rn
               FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR))) WHERE rn <= 2"
        ),
        "Scan/one > by 0 > WindowRank/all > gather > Sink/one"
    );
}

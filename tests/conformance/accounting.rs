//! Whether every row is accounted for when a job has ended: what an operator was given is what the operators before it gave, and all of it
//! was absorbed, filtered, late or passed on.

use pelton::Stats;
use pelton::plan::aside::Aside;
use pelton::plan::{Graph, Op};

/// Checks the counters of an ended run of `graph`; the error says where rows are missing.
pub(crate) fn check(graph: &Graph, stats: &Stats) -> Result<(), String> {
    for (node, own) in graph.nodes.iter().zip(&stats.nodes) {
        let c = own.counters;
        let before = node.inputs.iter().map(|i| stats.nodes[i.0].counters);
        let given: u64 = match node.op {
            // Bad rows are not counted by scan.
            Op::Aside(Aside::BadRows) => c.rows_in,
            Op::Aside(Aside::LateRows) => before.map(|b| b.late).sum(),
            _ => before.map(|b| b.rows_out).sum(),
        };
        if c.rows_in != given {
            return Err(format!("{} was given {given} rows and counts {}", node.id, c.rows_in));
        }
        let passes = match node.op {
            Op::Scan(_) | Op::Values(_) | Op::Sink(_) => continue,
            Op::Filter(_)
            | Op::Project(_)
            | Op::Watermark { .. }
            | Op::Clock { .. }
            | Op::Union
            | Op::Aside(_)
            | Op::Limit { .. }
            | Op::Exchange(_) => true,
            // Into one window: passed on. Into several: absorbed, and made anew.
            Op::WindowAssign(_) => c.absorbed == 0,
            _ => false,
        };
        let passed = if passes { c.rows_out } else { 0 };
        let all = c.absorbed + c.filtered + c.late + passed;
        if c.rows_in != all {
            return Err(format!("{}: {} rows in, {all} accounted for: {c:?}", node.id, c.rows_in));
        }
    }
    let sum = |wanted: fn(&Op) -> bool, count: fn(&pelton::operators::Counters) -> u64| -> u64 {
        let nodes = graph.nodes.iter().zip(&stats.nodes).filter(|(n, _)| wanted(&n.op));
        nodes.map(|(_, s)| count(&s.counters)).sum()
    };
    let read = sum(|op| matches!(op, Op::Scan(_) | Op::Values(_)), |c| c.rows_out);
    let written = sum(|op| matches!(op, Op::Sink(_)), |c| c.rows_in);
    if (read, written) != (stats.rows_in, stats.rows_out + stats.dropped) {
        return Err(format!(
            "read {}, written {} and dropped {}, but scans gave {read} and sinks got {written}",
            stats.rows_in, stats.rows_out, stats.dropped
        ));
    }
    Ok(())
}

pub(crate) mod checks {
    use super::*;
    use pelton::Engine;

    /// A row that vanishes in a filter, or between two operators, is found.
    pub(crate) fn a_missing_row_is_found() {
        let engine = Engine::builder().build().expect("the default settings");
        let sql = "SELECT a + 1 FROM (VALUES (1), (2), (3)) AS t(a) WHERE a > 1";
        let script = engine.prepare(sql).expect("a query");
        let job = script.jobs().next().expect("a job");
        let mut run = job.start_here().expect("a run");
        while run.step(0).expect("a turn") != pelton::Progress::Done {}
        let stats = run.stats();
        assert_eq!(check(job.graph(), &stats), Ok(()));
        for n in 0..stats.nodes.len() {
            let mut wrong = stats.clone();
            wrong.nodes[n].counters.rows_out += 1;
            assert!(check(job.graph(), &wrong).is_err() || n == stats.nodes.len() - 1, "node {n}");
            let mut wrong = stats.clone();
            wrong.nodes[n].counters.rows_in += 1;
            assert!(check(job.graph(), &wrong).is_err(), "node {n}");
        }
    }
}

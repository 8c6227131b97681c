//! The engine's side: a query of `benches/nexmark/*.sql`, planned from its SQL text and run by a shard whose input hands out
//! events from memory.

use crate::events;
use pelton::batch::{Batch, Decoder, Encoder};
use pelton::expr::functions;
use pelton::operators;
use pelton::plan::connector::{Connectors, SinkInfo, SourceInfo, SourceSpec, TableSpec};
use pelton::plan::{Changelog, Graph, Op};
use pelton::shard::{Input, InputCounters, IoContext, NodeSpec, Output, Polled, Role, Shard, Turn};
use pelton::sql::{Outcome, Planner};
use pelton::{Error, Result};
use std::sync::Arc;

const TABLES: &str = include_str!("tables.sql");

/// Takes every table: the bench brings its own input and output.
struct Memory;

impl Connectors for Memory {
    fn source(&self, _table: &TableSpec) -> Result<SourceInfo> {
        Ok(SourceInfo { bounded: true, changelog: Changelog::INSERT, metadata: vec![] })
    }
    fn sink(&self, _table: &TableSpec) -> Result<SinkInfo> {
        Ok(SinkInfo { accepts: Changelog::ALL })
    }
}

/// A planned query with the events that it reads.
pub(crate) struct Query {
    graph: Graph,
    /// What the scan produces, cut to the size of the measurement.
    pub(crate) batches: Arc<Vec<Batch>>,
    batch_rows: usize,
}

impl Query {
    /// Plans `sql` after the tables, and makes `events` events in batches of `batch_rows`.
    pub(crate) fn new(sql: &str, events: u64, batch_rows: usize) -> Query {
        let registry = functions::builtin();
        let mut planner = Planner::new(&registry, &Memory, 0);
        let script = format!("{TABLES}\n{sql}").replace("${EVENTS}", "1");
        let outcomes = planner.script(&script).unwrap_or_else(|e| panic!("{}", e.render("bench", &script)));
        let graph = outcomes
            .into_iter()
            .find_map(|o| match o {
                Outcome::Plan(p) => Some(p.graph),
                _ => None,
            })
            .expect("the script has an INSERT");
        let scan = graph.nodes.iter().find_map(|n| match &n.op {
            Op::Scan(s) => Some(s),
            _ => None,
        });
        let batches = Arc::new(cut(scan.expect("a scan"), events, batch_rows));
        Query { graph, batches, batch_rows }
    }

    /// Where a physical column of the table stands in the scan's batches.
    pub(crate) fn column(&self, number: usize) -> usize {
        let Op::Scan(s) = &self.graph.nodes[0].op else { panic!("the scan comes first") };
        s.columns.iter().position(|&c| c == number).expect("the query reads it")
    }

    /// A fresh job.
    pub(crate) fn job(&self) -> Job {
        let specs = self.graph.nodes.iter().map(|node| {
            let role = match &node.op {
                Op::Scan(_) => Role::Source(vec![0]),
                Op::Sink(_) => Role::Sink(0),
                _ => {
                    let inputs: Vec<_> = node.inputs.iter().map(|i| self.graph.node(*i)).collect();
                    operators::build(node, &inputs).expect("an operator").into()
                }
            };
            let inputs = node.inputs.iter().map(|i| i.0).collect();
            NodeSpec { id: node.id.clone(), name: node.id.clone(), role, inputs }
        });
        Job {
            shard: Shard::new(specs.collect(), self.batch_rows, usize::MAX),
            inputs: vec![Box::new(Replay { batches: Arc::clone(&self.batches), next: 0 })],
            outputs: vec![Box::new(Nothing(0))],
        }
    }
}

fn cut(scan: &SourceSpec, events: u64, batch_rows: usize) -> Vec<Batch> {
    let schema = &scan.table.schema;
    (0..events)
        .step_by(batch_rows)
        .map(|first| events::batch(schema, &scan.columns, first, batch_rows.min((events - first) as usize)))
        .collect()
}

/// A shard with its doors.
pub(crate) struct Job {
    shard: Shard,
    inputs: Vec<Box<dyn Input>>,
    outputs: Vec<Box<dyn Output>>,
}

impl Job {
    /// Runs to the end; returns the rows that reached the sink.
    pub(crate) fn run(mut self) -> u64 {
        loop {
            let turn = self.shard.turn(0, &mut self.inputs, &mut self.outputs).expect("the query runs");
            if turn == Turn::Done {
                return self.outputs[0].rows();
            }
        }
    }
}

struct Replay {
    batches: Arc<Vec<Batch>>,
    next: usize,
}

impl Input for Replay {
    fn poll(&mut self, _max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled> {
        let Some(from) = self.batches.get(self.next) else { return Ok(Polled::End) };
        self.next += 1;
        let mut batch = cx.pool.batch();
        let mut columns = cx.pool.column_list();
        columns.extend(from.columns.iter().cloned());
        batch.fill(&mut columns, from.rows());
        cx.pool.recycle_columns(columns);
        Ok(Polled::Batch(batch))
    }
    fn snapshot(&self, _to: &mut Encoder) {}
    fn restore(&mut self, _from: &mut Decoder<'_>) -> Result<()> {
        Err(Error::runtime("a bench is not restored"))
    }
    fn counters(&self) -> InputCounters {
        InputCounters::default()
    }
}

/// The blackhole.
struct Nothing(u64);

impl Output for Nothing {
    fn offer(&mut self, batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        self.0 += batch.selected() as u64;
        cx.pool.recycle(batch);
        Ok(None)
    }
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
    fn rows(&self) -> u64 {
        self.0
    }
}

//! The engine's side: a query of `benches/nexmark/*.sql`, planned from its SQL text and run by a shard whose input hands out
//! events of one kind from memory.

#[path = "clock.rs"]
pub(crate) mod clock;
#[path = "../../src/bin/pelton/bench/count_char.rs"]
#[expect(unused_imports, reason = "what its tests import: they run with the command")]
mod count_char;

use crate::checksum::Sum;
use crate::events;
use clock::{PER_WINDOW, TURN, now_us};
use pelton::batch::{Batch, ColumnRef, DataType, Decoder, Encoder, MAX_ROWS, Pieces};
use pelton::expr::functions;
use pelton::operators;
use pelton::plan::connector::{Connectors, SinkInfo, SourceInfo, SourceSpec, TableSpec};
use pelton::plan::{Changelog, Graph, Op};
use pelton::shard::{Input, InputCounters, IoContext, NodeSpec, Output, Polled, Role, Shard, Turn};
use pelton::sql::{Outcome, Planner};
use pelton::{Error, Result};
use std::cell::Cell;
use std::sync::Arc;

thread_local! {
    /// What [`Summed`] has added up: a job runs on its caller's thread.
    static SUM: Cell<Sum> = const { Cell::new(Sum { rows: 0, sum: 0 }) };
}

/// Persons, auctions and bids as tables of their own.
fn tables(watermark: bool) -> String {
    let watermark =
        if watermark { ", WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND" } else { "" };
    let table = |name: &str, columns: &str| {
        format!(
            "CREATE TABLE {name} ({columns}, `dateTime` TIMESTAMP(3), extra STRING{watermark}) WITH ('connector' = 'memory');\n"
        )
    };
    [
        table("person", "id BIGINT, name STRING"),
        table("auction", "id BIGINT, seller BIGINT"),
        table("bid", "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING"),
    ]
    .concat()
}

/// Takes every table: the bench brings its own input and output.
struct Memory;

impl Connectors for Memory {
    fn source(&self, _table: &TableSpec) -> Result<SourceInfo> {
        Ok(SourceInfo { bounded: true, changelog: Changelog::INSERT, metadata: vec![], nested: false })
    }
    fn sink(&self, _table: &TableSpec) -> Result<SinkInfo> {
        Ok(SinkInfo { accepts: Changelog::ALL })
    }
}

/// The events in blocks, by the columns that the query reads.
pub(crate) type Blocks = Arc<Vec<Vec<ColumnRef>>>;

/// A planned query with the events that it reads.
pub(crate) struct Query {
    graph: Graph,
    pub(crate) blocks: Blocks,
}

impl Query {
    /// Plans `sql` after the tables, and makes the `rows` events of the table that it reads.
    pub(crate) fn new(sql: &str, watermark: bool, rows: usize) -> Query {
        let mut registry = functions::builtin();
        registry.add_scalar(Arc::new(count_char::CountChar));
        let mut planner = Planner::new(&registry, &Memory, 0);
        let script = format!("{}{sql}", tables(watermark));
        let outcomes = planner.script(&script).unwrap_or_else(|e| panic!("{}", e.render("bench", &script)));
        let graph = outcomes
            .into_iter()
            .find_map(|o| match o {
                Outcome::Plan(p) => Some(p.graph),
                _ => None,
            })
            .expect("the script has an INSERT");
        let scan = scan(&graph);
        let table = scan.table.name.rsplit('.').next().expect("a name").trim_matches('`');
        let blocks = Arc::new(events::blocks(table, &scan.table.schema, &scan.columns, rows));
        Query { graph, blocks }
    }

    /// Where the table's column of that name stands in the blocks.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        let scan = scan(&self.graph);
        scan.columns.iter().position(|&c| scan.table.schema.fields[c].name == name)
    }

    /// What the query gives in batches of `batch_rows` rows, summed up.
    pub(crate) fn sum(&self, batch_rows: usize) -> Sum {
        SUM.set(Sum::default());
        let mut job = self.job(batch_rows);
        job.outputs = vec![Box::new(Summed)];
        job.run();
        SUM.get()
    }

    /// A fresh job with batches of `batch_rows` rows.
    pub(crate) fn job(&self, batch_rows: usize) -> Job {
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
            NodeSpec { id: node.id.clone(), name: node.id.clone(), role, inputs, aside: false }
        });
        let scan = scan(&self.graph);
        let replay = Replay {
            blocks: Arc::clone(&self.blocks),
            types: scan.columns.iter().map(|&c| scan.table.schema.ty(c).clone()).collect(),
            pieces: Pieces::default(),
            block: 0,
            has_paused: false,
        };
        Job {
            shard: Shard::new(specs.collect(), batch_rows, usize::MAX).turn_rows(TURN),
            inputs: vec![Box::new(replay)],
            outputs: vec![Box::new(Nothing(0))],
            has_clock: self.graph.nodes.iter().any(|n| n.op.has_clock()),
        }
    }
}

fn scan(graph: &Graph) -> &SourceSpec {
    let scan = graph.nodes.iter().find_map(|n| match &n.op {
        Op::Scan(s) => Some(s),
        _ => None,
    });
    scan.expect("a scan")
}

/// A shard with its doors.
pub(crate) struct Job {
    pub(crate) shard: Shard,
    inputs: Vec<Box<dyn Input>>,
    pub(crate) outputs: Vec<Box<dyn Output>>,
    has_clock: bool,
}

impl Job {
    /// Runs to the end; returns the rows that reached the sink.
    pub(crate) fn run(mut self) -> u64 {
        while !self.turn() {}
        self.outputs[0].rows()
    }

    /// One turn: whether it was the last.
    pub(crate) fn turn(&mut self) -> bool {
        // As its driver does, which asks once a turn.
        let now = if self.has_clock { now_us(self.inputs[0].counters().rows as usize) } else { 0 };
        let turn = self.shard.turn(now, &mut self.inputs, &mut self.outputs).expect("the query runs");
        turn == Turn::Done
    }
}

/// Hands out the blocks in pieces, as a source does that has decoded more rows than it is asked for: nothing is copied, neither
/// here nor by hand.
struct Replay {
    blocks: Blocks,
    types: Vec<DataType>,
    pieces: Pieces,
    block: usize,
    /// Where windows of the [clock] begin.
    has_paused: bool,
}

impl Input for Replay {
    fn poll(&mut self, max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled> {
        loop {
            if let Some((_, batch)) = self.pieces.next(max_rows, &self.types, cx.pool) {
                return Ok(Polled::Batch(batch));
            }
            let Some(block) = self.blocks.get(self.block) else { return Ok(Polled::End) };
            if (self.block * MAX_ROWS).is_multiple_of(PER_WINDOW) && !self.has_paused {
                self.has_paused = true;
                return Ok(Polled::Pending);
            }
            self.has_paused = false;
            self.pieces.load(block, block.first().map_or(0, |c| c.len()), 0);
            self.block += 1;
        }
    }
    fn snapshot(&self, _to: &mut Encoder) {}
    fn restore(&mut self, _from: &mut Decoder<'_>) -> Result<()> {
        Err(Error::runtime("a bench is not restored"))
    }
    fn counters(&self) -> InputCounters {
        let begun = self.blocks[..self.block].iter().map(|b| b.first().map_or(0, |c| c.len()));
        let rows = begun.sum::<usize>() - self.pieces.left();
        InputCounters { rows: rows as u64, ..InputCounters::default() }
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

/// Adds up what it gets.
struct Summed;

impl Output for Summed {
    fn offer(&mut self, batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        let mut sum = SUM.get();
        sum.batch(&batch, &mut vec![]);
        SUM.set(sum);
        cx.pool.recycle(batch);
        Ok(None)
    }
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
    fn rows(&self) -> u64 {
        SUM.get().rows
    }
}

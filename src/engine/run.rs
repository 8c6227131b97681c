//! A job that runs: one shard with its inputs and outputs, driven by whoever calls.

use super::connectors::{Connection, ConnectorRegistry};
use super::result::{self, Results};
use crate::batch::{Batch, Decoder, Encoder};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::operators::{self, Built};
use crate::plan::{Graph, Op};
use crate::shard::{Input, InputCounters, NodeSpec, NodeStats, Output, Role, Shard, Turn, ValuesInput};
use std::sync::Arc;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Rows moved: step again at once.
    Working,
    /// Nothing has arrived. Wait a little, at most until the given time (µs), and step again.
    Idle {
        /// When a timer is due.
        wake_at_us: Option<i64>,
    },
    /// All sources have ended, all sinks are committed.
    Done,
}

/// Counts of a run.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Rows that the sources gave.
    pub rows_in: u64,
    /// Bytes that the sources read.
    pub bytes_in: u64,
    /// Rows that the sinks took, results handed to the caller included.
    pub rows_out: u64,
    /// Rows that came too late for their window.
    pub late: u64,
    /// Rows that could not be decoded and were skipped.
    pub bad: u64,
    /// The smallest watermark of the sinks' inputs, ms.
    pub watermark: Option<i64>,
    /// Bytes of operator state.
    pub state_bytes: usize,
    /// All nodes, in plan order.
    pub nodes: Vec<NodeStats>,
}

/// A running job. See [`Run::step`].
pub struct Run {
    shard: Shard,
    inputs: Vec<Box<dyn Input>>,
    outputs: Vec<Box<dyn Output>>,
    results: Option<Results>,
    graph: Arc<Graph>,
    done: bool,
}

impl Run {
    pub(super) fn new(graph: &Graph, connectors: &ConnectorRegistry, config: &Config) -> Result<Self> {
        let graph = Arc::new(graph.clone());
        let mut inputs: Vec<Box<dyn Input>> = vec![];
        let mut outputs: Vec<Box<dyn Output>> = vec![];
        let mut results = None;
        let mut specs = Vec::with_capacity(graph.nodes.len());
        for (n, node) in graph.nodes.iter().enumerate() {
            let role = match &node.op {
                Op::Scan(source) => {
                    let first = inputs.len();
                    inputs.extend(connectors.open_input(source, n as u32, 1)?);
                    Role::Source((first..inputs.len()).collect())
                }
                Op::Values(columns) => {
                    inputs.push(Box::new(ValuesInput::new(
                        columns.clone(),
                        columns.first().map_or(1, |c| c.len()),
                    )));
                    Role::Source(vec![inputs.len() - 1])
                }
                Op::Sink(sink) => {
                    let receiver = sink.table.is_none().then(|| {
                        let (receiver, taken) = result::results();
                        results = Some(taken);
                        receiver
                    });
                    outputs.push(connectors.open_output(
                        sink,
                        Connection { shard: 0, shards: 1 },
                        receiver,
                    )?);
                    Role::Sink(outputs.len() - 1)
                }
                _ => build(&graph, n)?.into(),
            };
            specs.push(NodeSpec {
                id: node.id.clone(),
                name: node.op.name().to_owned(),
                role,
                inputs: node.inputs.iter().map(|i| i.0).collect(),
            });
        }
        let shard = Shard::new(specs, config.batch_rows, config.memory_limit).turn_rows(config.turn_rows);
        Ok(Self { shard, inputs, outputs, results, graph, done: false })
    }

    /// One turn on the calling thread: sources are polled once, and what has arrived is worked through to the sinks.
    /// `now_us` is the time, µs since the epoch; it must not go backwards.
    ///
    /// # Errors
    /// The job cannot go on. Rows before the failing one have reached the sinks; [`Run::take_results`] still has them.
    pub fn step(&mut self, now_us: i64) -> Result<Progress> {
        if self.done {
            return Ok(Progress::Done);
        }
        Ok(match self.shard.turn(now_us, &mut self.inputs, &mut self.outputs)? {
            Turn::Worked => Progress::Working,
            Turn::Idle { wake_at_us } => Progress::Idle { wake_at_us },
            Turn::Done => {
                self.done = true;
                Progress::Done
            }
        })
    }

    /// The result rows since the last call. Take them between steps: a job whose results are not taken stands still once some are
    /// waiting.
    pub fn take_results(&mut self) -> Vec<Batch> {
        self.results.as_mut().map(Results::take).unwrap_or_default()
    }

    /// Counts so far.
    pub fn stats(&self) -> Stats {
        let nodes = self.shard.stats();
        let inputs =
            self.inputs.iter().map(|i| i.counters()).fold(InputCounters::default(), |a, b| InputCounters {
                rows: a.rows + b.rows,
                bytes: a.bytes + b.bytes,
                bad: a.bad + b.bad,
                nulled: a.nulled + b.nulled,
            });
        let watermark = self
            .graph
            .nodes
            .iter()
            .filter(|n| matches!(n.op, Op::Sink(_)))
            .filter_map(|n| n.inputs.first().and_then(|i| nodes[i.0].watermark))
            .min();
        Stats {
            rows_in: inputs.rows,
            bytes_in: inputs.bytes,
            bad: inputs.bad,
            rows_out: self.outputs.iter().map(|o| o.rows()).sum(),
            late: nodes.iter().map(|n| n.counters.late).sum(),
            state_bytes: nodes.iter().map(|n| n.state_bytes).sum(),
            watermark,
            nodes,
        }
    }

    /// The positions of all sources and the state of all operators, as bytes. Call it between steps.
    ///
    /// # Errors
    /// Retryable while a sink holds rows back.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        let mut all = Encoder::default();
        all.block(b"PLTN", 1);
        all.bytes(&self.shard.snapshot()?);
        all.len(self.inputs.len());
        for input in &self.inputs {
            let mut own = Encoder::default();
            input.snapshot(&mut own);
            all.bytes(&own.finish());
        }
        Ok(all.finish())
    }

    /// Goes on from a snapshot of the same job, before the first step.
    ///
    /// # Errors
    /// The bytes are damaged or belong to another plan.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        let mut all = Decoder::new(bytes);
        all.block(b"PLTN", 1)?;
        self.shard.restore(all.bytes()?)?;
        if all.len(8)? != self.inputs.len() {
            return Err(Error::corrupt("the snapshot has another number of inputs"));
        }
        for input in &mut self.inputs {
            let mut own = Decoder::new(all.bytes()?);
            input.restore(&mut own)?;
            own.end()?;
        }
        all.end()
    }

    /// Replaces every operator by a new one that has read the old one's state from its bytes: what a restart does to state, without
    /// the restart. For tests.
    ///
    /// # Errors
    /// As [`Run::snapshot`].
    pub fn cycle_state(&mut self) -> Result<()> {
        let graph = self.graph.clone();
        self.shard.cycle(|n| build(&graph, n))
    }

    /// Steps until the job ends or `stop` says so, waiting while nothing arrives: first spinning, then yielding, then sleeping up to
    /// a millisecond. `clock` gives the time in µs; `each` is called after every step that moved rows and at least every millisecond.
    ///
    /// # Errors
    /// As [`Run::step`].
    pub fn drive(
        &mut self,
        mut clock: impl FnMut() -> i64,
        mut stop: impl FnMut() -> bool,
        mut each: impl FnMut(&mut Run) -> Result<()>,
    ) -> Result<Progress> {
        let mut idle = 0u32;
        loop {
            if stop() {
                return Ok(Progress::Idle { wake_at_us: None });
            }
            let now = clock();
            match self.step(now) {
                Ok(Progress::Done) => {
                    each(self)?;
                    return Ok(Progress::Done);
                }
                Ok(Progress::Working) => idle = 0,
                Ok(Progress::Idle { wake_at_us }) => {
                    idle = idle.saturating_add(1);
                    wait(idle, wake_at_us.map(|t| t.saturating_sub(now)));
                }
                Err(e) => {
                    each(self)?;
                    return Err(e);
                }
            }
            each(self)?;
        }
    }
}

/// A new operator for node `n`.
fn build(graph: &Graph, n: usize) -> Result<Built> {
    let inputs: Vec<_> = graph.nodes[n].inputs.iter().map(|i| graph.node(*i)).collect();
    operators::build(&graph.nodes[n], &inputs)
}

/// Waits longer the longer nothing has happened, and never past a timer.
fn wait(idle: u32, timer_us: Option<i64>) {
    match idle {
        0..100 => std::hint::spin_loop(),
        100..200 => std::thread::yield_now(),
        _ => {
            let us = timer_us.unwrap_or(1000).clamp(0, 1000) as u64;
            std::thread::sleep(std::time::Duration::from_micros(us.min(u64::from(idle))));
        }
    }
}

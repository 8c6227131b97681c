//! What a run has counted: of the shards on this thread from themselves, of the others from gauges that they set now and then.

use super::part::{Measures, Part};
use crate::batch::{BEFORE_TIME, END_OF_TIME};
use crate::metrics::{Gauges, Quantiles};
use crate::operators::Counters;
use crate::plan::{Graph, NodeId, Op};
use crate::shard::{InputCounters, NodeCounts, NodeStats};

/// Counts of a run.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let script = engine.prepare("SELECT n FROM (VALUES (1), (2)) AS t(n) WHERE n > 1")?;
/// let mut run = script.jobs().next().expect("one query").start()?;
/// while run.step(0)? != pelton::Progress::Done {}
/// let stats = run.stats();
/// assert_eq!((stats.rows_out, stats.late, stats.bad), (1, 0, 0));
/// println!("{:?} ms behind", stats.watermark_lag_ms(0));
/// # Ok(())
/// # }
/// ```
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
    /// Rows that the sinks dropped because of a NULL where their table says NOT NULL.
    pub dropped: u64,
    /// The smallest watermark of the sinks' inputs, ms.
    pub watermark: Option<i64>,
    /// Bytes of operator state.
    pub state_bytes: usize,
    /// Rows of operator state.
    pub state_rows: usize,
    /// All nodes, in plan order, of all shards together. An exchange counts the rows that it took and those that it gave.
    pub nodes: Vec<NodeStats>,
    /// Each shard.
    pub shards: Vec<ShardStats>,
}

/// Counts of one shard of a run.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let script = engine.prepare("SELECT 1 AS n")?;
/// let mut run = script.jobs().next().expect("one query").start()?;
/// while run.step(0)? != pelton::Progress::Done {}
/// assert_eq!(run.stats().shards.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardStats {
    /// Rows that came over exchanges and from sources.
    pub rows: u64,
    /// Rows of operator state.
    pub state_rows: usize,
    /// Bytes of operator state.
    pub state_bytes: usize,
    /// How long turns took that had work, ns. One of 32 turns is measured.
    pub turn_ns: Quantiles,
    /// Rows that came in a turn.
    pub batch_rows: Quantiles,
    /// Messages of other shards that waited before a turn.
    pub ring_depth: Quantiles,
}

/// Numbers of a node in the gauges.
const PER_NODE: usize = 9;
/// Numbers of a shard behind those of its nodes.
const PER_SHARD: usize = 6;

/// How many gauges a part needs.
pub(super) fn slots(part: &Part) -> usize {
    part.nodes.len() * PER_NODE + PER_SHARD
}

/// Sets the gauges to what the part has counted.
pub(super) fn show(part: &Part, gauges: &Gauges) {
    let mut at = 0;
    let mut put = |values: &[u64]| {
        for &v in values {
            gauges.set(at, v);
            at += 1;
        }
    };
    for n in part.shard().counts() {
        let c = n.counters;
        put(&[c.rows_in, c.rows_out, c.filtered, c.late, c.absorbed, c.batches_in]);
        put(&[n.state_bytes as u64, n.state_rows as u64, n.watermark.unwrap_or(i64::MIN) as u64]);
    }
    let (read, (written, dropped)) = (part.read(), part.written());
    put(&[read.rows, read.bytes, read.bad, read.nulled, written, dropped]);
}

/// What one shard has counted, node by node.
pub(super) struct Counted {
    nodes: Vec<(NodeId, NodeCounts)>,
    read: InputCounters,
    /// Rows written, and dropped instead.
    written: (u64, u64),
    shard: ShardStats,
}

fn measured(measures: &Measures) -> ShardStats {
    ShardStats {
        turn_ns: measures.turn_ns.quantiles(),
        batch_rows: measures.batch_rows.quantiles(),
        ring_depth: measures.ring_depth.quantiles(),
        ..ShardStats::default()
    }
}

impl Counted {
    pub(super) fn of_part(part: &Part) -> Self {
        let nodes = part.nodes.iter().copied().zip(part.shard().counts()).collect();
        Self { nodes, read: part.read(), written: part.written(), shard: measured(&part.measures) }
    }

    pub(super) fn of_gauges(nodes: &[NodeId], gauges: &Gauges, measures: &Measures) -> Self {
        let node = |(n, &id): (usize, &NodeId)| {
            let g = |k: usize| gauges.get(n * PER_NODE + k);
            let counters = Counters {
                rows_in: g(0),
                rows_out: g(1),
                filtered: g(2),
                late: g(3),
                absorbed: g(4),
                batches_in: g(5),
            };
            let watermark = g(8) as i64;
            let counts = NodeCounts {
                counters,
                state_bytes: g(6) as usize,
                state_rows: g(7) as usize,
                // 0 stands before the first turn that showed anything.
                watermark: (watermark != i64::MIN && watermark != 0).then_some(watermark),
            };
            (id, counts)
        };
        let s = |k: usize| gauges.get(nodes.len() * PER_NODE + k);
        Self {
            nodes: nodes.iter().enumerate().map(node).collect(),
            read: InputCounters { rows: s(0), bytes: s(1), bad: s(2), nulled: s(3) },
            written: (s(4), s(5)),
            shard: measured(measures),
        }
    }
}

impl Stats {
    /// The counts of all shards of a graph.
    pub(super) fn of(graph: &Graph, shards: &[Counted]) -> Self {
        let node = |node: &crate::plan::Node| NodeStats {
            id: node.id.clone(),
            name: node.op.name().to_owned(),
            counters: Counters::default(),
            state_bytes: 0,
            state_rows: 0,
            watermark: None,
        };
        let mut out = Self { nodes: graph.nodes.iter().map(node).collect(), ..Self::default() };
        // A node's watermark is that of the shard that is furthest behind.
        let mut seen = vec![false; graph.nodes.len()];
        for counted in shards {
            let mut shard = counted.shard;
            for &(NodeId(n), NodeCounts { counters: c, state_bytes, state_rows, watermark }) in &counted.nodes
            {
                let to = &mut out.nodes[n];
                to.counters.rows_in += c.rows_in;
                to.counters.rows_out += c.rows_out;
                to.counters.filtered += c.filtered;
                to.counters.late += c.late;
                to.counters.absorbed += c.absorbed;
                to.counters.batches_in += c.batches_in;
                to.state_bytes += state_bytes;
                to.state_rows += state_rows;
                shard.state_bytes += state_bytes;
                shard.state_rows += state_rows;
                out.late += c.late;
                let exchange = matches!(graph.nodes[n].op, Op::Exchange(_));
                if exchange || matches!(graph.nodes[n].op, Op::Scan(_) | Op::Values(_)) {
                    shard.rows += c.rows_out;
                }
                // The sending end of an exchange has none.
                if !(exchange && watermark.is_none()) {
                    to.watermark = if seen[n] { to.watermark.min(watermark) } else { watermark };
                    seen[n] = true;
                }
            }
            out.rows_in += counted.read.rows;
            out.bytes_in += counted.read.bytes;
            out.bad += counted.read.bad;
            out.rows_out += counted.written.0;
            out.dropped += counted.written.1;
            out.state_bytes += shard.state_bytes;
            out.state_rows += shard.state_rows;
            out.shards.push(shard);
        }
        let sinks = graph.nodes.iter().filter(|n| matches!(n.op, Op::Sink(_)));
        out.watermark = sinks.filter_map(|n| out.nodes[n.inputs.first()?.0].watermark).min();
        out
    }

    /// How far the watermark is behind a clock, ms; none before the first and at the end of all.
    pub fn watermark_lag_ms(&self, now_us: i64) -> Option<i64> {
        let watermark = self.watermark.filter(|w| *w != END_OF_TIME && *w != BEFORE_TIME)?;
        Some((now_us / 1000).saturating_sub(watermark))
    }
}

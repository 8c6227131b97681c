//! What a run has counted: of the shards on this thread from themselves, of the others from gauges that they set now and then.

use super::part::Part;
use crate::metrics::Gauges;
use crate::operators::Counters;
use crate::plan::{Graph, NodeId, Op};
use crate::shard::{InputCounters, NodeStats};

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
    /// All nodes, in plan order, of all shards together. An exchange counts the rows that it took and those that it gave.
    pub nodes: Vec<NodeStats>,
    /// Of each shard, the rows that came over exchanges and from sources.
    pub shard_rows: Vec<u64>,
}

/// Numbers of a node in the gauges.
const PER_NODE: usize = 8;
/// Numbers of a shard behind those of its nodes.
const PER_SHARD: usize = 5;

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
    for (c, state, watermark) in part.shard().counts() {
        let (state, watermark) = (state as u64, watermark.unwrap_or(i64::MIN) as u64);
        put(&[c.rows_in, c.rows_out, c.filtered, c.late, c.absorbed, c.batches_in, state, watermark]);
    }
    let read = part.read();
    put(&[read.rows, read.bytes, read.bad, read.nulled, part.written()]);
}

/// What one shard has counted.
pub(super) struct ShardStats {
    nodes: Vec<(NodeId, Counters, usize, Option<i64>)>,
    read: InputCounters,
    written: u64,
}

impl ShardStats {
    pub(super) fn of_part(part: &Part) -> Self {
        let counts = part.shard().counts().zip(&part.nodes);
        let nodes =
            counts.map(|((counters, state, watermark), &id)| (id, counters, state, watermark)).collect();
        Self { nodes, read: part.read(), written: part.written() }
    }

    pub(super) fn of_gauges(nodes: &[NodeId], gauges: &Gauges) -> Self {
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
            let watermark = g(7) as i64;
            (id, counters, g(6) as usize, (watermark != i64::MIN && watermark != 0).then_some(watermark))
        };
        let s = |k: usize| gauges.get(nodes.len() * PER_NODE + k);
        Self {
            nodes: nodes.iter().enumerate().map(node).collect(),
            read: InputCounters { rows: s(0), bytes: s(1), bad: s(2), nulled: s(3) },
            written: s(4),
        }
    }
}

impl Stats {
    /// The counts of all shards of a graph.
    pub(super) fn of(graph: &Graph, shards: &[ShardStats]) -> Self {
        let node = |node: &crate::plan::Node| NodeStats {
            id: node.id.clone(),
            name: node.op.name().to_owned(),
            counters: Counters::default(),
            state_bytes: 0,
            watermark: None,
        };
        let mut out = Self { nodes: graph.nodes.iter().map(node).collect(), ..Self::default() };
        // A node's watermark is that of the shard that is furthest behind.
        let mut seen = vec![false; graph.nodes.len()];
        for shard in shards {
            let mut rows = 0;
            for &(NodeId(n), c, state_bytes, watermark) in &shard.nodes {
                let to = &mut out.nodes[n];
                to.counters.rows_in += c.rows_in;
                to.counters.rows_out += c.rows_out;
                to.counters.filtered += c.filtered;
                to.counters.late += c.late;
                to.counters.absorbed += c.absorbed;
                to.counters.batches_in += c.batches_in;
                to.state_bytes += state_bytes;
                out.state_bytes += state_bytes;
                out.late += c.late;
                let exchange = matches!(graph.nodes[n].op, Op::Exchange(_));
                if exchange || matches!(graph.nodes[n].op, Op::Scan(_) | Op::Values(_)) {
                    rows += c.rows_out;
                }
                // The sending end of an exchange has none.
                if !(exchange && watermark.is_none()) {
                    to.watermark = if seen[n] { to.watermark.min(watermark) } else { watermark };
                    seen[n] = true;
                }
            }
            out.rows_in += shard.read.rows;
            out.bytes_in += shard.read.bytes;
            out.bad += shard.read.bad;
            out.rows_out += shard.written;
            out.shard_rows.push(rows);
        }
        let sinks = graph.nodes.iter().filter(|n| matches!(n.op, Op::Sink(_)));
        out.watermark = sinks.filter_map(|n| out.nodes[n.inputs.first()?.0].watermark).min();
        out
    }
}

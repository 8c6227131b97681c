//! Watermark alignment: sources of a group wait for the slowest, so that what comes behind them does not have to hold what a quick one brings
//! early.

use super::options::Options;
use super::{Graph, NodeId, Op};

/// A source that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// It.
    pub scan: NodeId,
    /// The node that makes its watermark.
    pub watermark: NodeId,
    /// The sources of one name wait for each other.
    pub group: String,
    /// How far its watermark may be before the slowest of the group, ms.
    pub drift_ms: i64,
}

/// The sources of a graph that wait for others. A source without a watermark has nothing to wait by.
pub fn alignments(graph: &Graph) -> Vec<Alignment> {
    let mut all = vec![];
    for (n, node) in graph.nodes.iter().enumerate() {
        if !matches!(node.op, Op::Watermark { .. }) {
            continue;
        }
        let mut at = node.inputs[0];
        while matches!(graph.node(at).op, Op::Project(_) | Op::Filter(_)) {
            at = graph.node(at).inputs[0];
        }
        if let Op::Scan(scan) = &graph.node(at).op
            && let Ok(Some((group, drift_ms))) = Options::of(&scan.table.connector).alignment()
        {
            all.push(Alignment { scan: at, watermark: NodeId(n), group: group.to_owned(), drift_ms });
        }
    }
    all
}

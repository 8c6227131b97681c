//! One shard with all that it reads and writes, and the wiring of a graph into such parts: the rings between them, the inputs and
//! outputs of each.

use super::barrier::{Asking, Crossing, crossing};
use super::connectors::{Connection, ConnectorRegistry};
use super::feed::{self, Pushed};
use super::result::{self, Results};
use crate::config::Config;
use crate::error::Result;
use crate::host::sync::Bell;
use crate::metrics::Histogram;
use crate::operators::{self, Built, BundledAggregate};
use crate::plan::{self, Graph, NodeId, Op, Place};
use crate::ring::link;
use crate::shard::{
    Comes, Inbox, Input, InputCounters, NodeSpec, Outbox, Output, Role, Shard, Turn, ValuesInput,
};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

/// Messages that fit into a ring between two shards. A message is a batch of up to 1,024 rows: enough for a reader that is away
/// for some microseconds, little enough that a slow one is felt soon.
const RING: usize = 16;

/// See the module's text.
pub(super) struct Part {
    shard: Shard,
    pub(super) inputs: Vec<Box<dyn Input>>,
    pub(super) outputs: Vec<Box<dyn Output>>,
    /// Which inputs and outputs are ends of exchanges.
    pub(super) inboxes: Vec<usize>,
    pub(super) outboxes: Vec<usize>,
    /// Which node of the graph each node of the shard is, or an end of.
    pub(super) nodes: Vec<NodeId>,
    /// Woken when something comes, or when there is room.
    pub(super) bell: Arc<Bell>,
    /// The shard has ended or failed; what it has sent may still wait.
    ended: bool,
    /// Something waits to be sent.
    blocked: bool,
    turns: u32,
    pub(super) measures: Arc<Measures>,
    pub(super) crossing: Crossing,
    /// It stands still after a snapshot until it is released.
    pub(super) stays: bool,
}

/// What is measured of a shard, one turn of [`MEASURE_EVERY`] that had work.
#[derive(Debug, Default)]
pub(super) struct Measures {
    pub(super) turn_ns: Histogram,
    /// Rows that came in the turn.
    pub(super) batch_rows: Histogram,
    /// Messages of other shards that waited before the turn.
    pub(super) ring_depth: Histogram,
}

/// Looking at the clock costs about as much as a row: one turn stands for so many.
const MEASURE_EVERY: u32 = 32;

/// The parts of a graph, the rows of the query where it has a result, and the tables whose rows the caller pushes.
pub(super) struct Wired {
    pub(super) parts: Vec<Part>,
    /// For each of them: who asks it for snapshots.
    pub(super) asking: Vec<Asking>,
    pub(super) results: Option<Results>,
    pub(super) feeds: Vec<Pushed>,
}

/// Makes the parts of `graph` for that many shards.
pub(super) fn wire(
    graph: &Graph,
    shards: usize,
    connectors: &ConnectorRegistry,
    config: &Config,
    ring: Option<usize>,
) -> Result<Wired> {
    let shards = if graph.places.is_empty() { 1 } else { shards };
    let bells: Vec<Arc<Bell>> = (0..shards).map(|_| Arc::default()).collect();
    let everywhere = |place: Place| if place == Place::All { 0..shards } else { 0..1 };
    // By node: the ends of its links on each shard.
    let mut senders: Vec<Vec<Vec<_>>> = graph.nodes.iter().map(|_| vec![]).collect();
    let mut receivers: Vec<Vec<Vec<_>>> = graph.nodes.iter().map(|_| vec![]).collect();
    for (n, node) in graph.nodes.iter().enumerate() {
        if let Op::Exchange(_) = node.op {
            receivers[n].resize_with(everywhere(graph.place(NodeId(n))).len(), Vec::new);
            for from in everywhere(graph.place(node.inputs[0])) {
                let mut own = vec![];
                for to in everywhere(graph.place(NodeId(n))) {
                    let (sender, receiver) = link(ring.unwrap_or(RING), &bells[from], &bells[to]);
                    own.push(sender);
                    receivers[n][to].push(receiver);
                }
                senders[n].push(own);
            }
            senders[n].reverse();
            receivers[n].reverse();
        }
    }
    // By node: the inputs of each shard. Those that a shard takes first stand last.
    let mut splits: Vec<Vec<Vec<Box<dyn Input>>>> = graph.nodes.iter().map(|_| vec![]).collect();
    for (n, node) in graph.nodes.iter().enumerate() {
        if let Op::Scan(source) = &node.op
            && source.table.connector.connector != feed::CONNECTOR
        {
            let of = everywhere(graph.place(NodeId(n))).len();
            splits[n].resize_with(of, Vec::new);
            for (k, mut input) in connectors.open_input(source, n as u32, of)?.into_iter().enumerate() {
                if graph.lays_aside(NodeId(n)) {
                    input.keep_bad();
                }
                splits[n][of - 1 - k % of].push(input);
            }
        }
    }
    let state = Arc::new(AtomicUsize::new(0));
    let (mut results, mut feeds) = (None, vec![]);
    let (mut parts, mut asking) = (vec![], vec![]);
    let first = bells[0].clone();
    for (s, bell) in bells.into_iter().enumerate() {
        let mut part = Unwired::default();
        for (n, node) in graph.nodes.iter().enumerate() {
            let id = NodeId(n);
            let here = s == 0 || graph.place(id) == Place::All;
            let role = match &node.op {
                Op::Exchange(exchange) => {
                    let types: Vec<_> = node.schema.fields.iter().map(|f| f.ty.clone()).collect();
                    if let Some(links) = senders[n].pop() {
                        part.outboxes.push(part.outputs.len());
                        part.outputs.push(Box::new(Outbox::new(exchange, types.clone(), links)));
                        part.node(graph, id, Role::Sink(part.outputs.len() - 1), true);
                    }
                    if let Some(links) = receivers[n].pop() {
                        part.inboxes.push(part.inputs.len());
                        part.inputs.push(Box::new(Inbox::new(types, links)));
                        part.node(graph, id, Role::Source(vec![part.inputs.len() - 1]), false);
                    }
                    continue;
                }
                _ if !here => continue,
                Op::Scan(source) if source.table.connector.connector == feed::CONNECTOR => {
                    let (pushed, input) = Pushed::open(source, &node.schema, n as u32, &bell)?;
                    feeds.push(pushed);
                    part.inputs.push(Box::new(input));
                    Role::Source(vec![part.inputs.len() - 1])
                }
                Op::Scan(_) => {
                    let first = part.inputs.len();
                    part.inputs.extend(splits[n].pop().unwrap_or_default());
                    Role::Source((first..part.inputs.len()).collect())
                }
                Op::Values(columns) => {
                    let rows = columns.first().map_or(1, |c| c.len());
                    part.inputs.push(Box::new(ValuesInput::new(columns.clone(), rows)));
                    Role::Source(vec![part.inputs.len() - 1])
                }
                Op::Sink(sink) => {
                    let receiver = sink.table.is_none().then(|| {
                        let (receiver, taken) = result::results();
                        results = Some(taken);
                        receiver
                    });
                    let at = Connection { shard: s, shards: everywhere(graph.place(id)).len() };
                    part.outputs.push(connectors.open_output(sink, at, receiver)?);
                    Role::Sink(part.outputs.len() - 1)
                }
                _ => build(graph, id)?.into(),
            };
            part.node(graph, id, role, true);
        }
        let mut shard =
            Shard::new(part.specs, config.batch_rows, config.memory_limit).turn_rows(config.turn_rows);
        for a in plan::alignments(graph) {
            if let (Some(Some(source)), Some(Some(watermark))) =
                (part.at.get(a.scan.0), part.at.get(a.watermark.0))
            {
                shard.align(*source, *watermark, &a.group, a.drift_ms);
            }
        }
        if shards > 1 {
            shard.share_memory(state.clone());
        }
        part.inputs.iter_mut().for_each(|i| i.bell(&bell));
        let (crossing, asks) = crossing(shard.feeds(part.outputs.len()), first.clone());
        asking.push(asks);
        parts.push(Part {
            crossing,
            stays: s == 0,
            shard,
            inputs: part.inputs,
            outputs: part.outputs,
            inboxes: part.inboxes,
            outboxes: part.outboxes,
            nodes: part.nodes,
            bell,
            ended: false,
            blocked: false,
            turns: 0,
            measures: Arc::default(),
        });
    }
    Ok(Wired { parts, asking, results, feeds })
}

/// A part that is being made.
#[derive(Default)]
struct Unwired {
    specs: Vec<NodeSpec>,
    nodes: Vec<NodeId>,
    /// Where the nodes of the graph stand on this shard, for those that read them.
    at: Vec<Option<usize>>,
    inputs: Vec<Box<dyn Input>>,
    outputs: Vec<Box<dyn Output>>,
    inboxes: Vec<usize>,
    outboxes: Vec<usize>,
}

impl Unwired {
    /// Adds a node, or one end of an exchange.
    fn node(&mut self, graph: &Graph, id: NodeId, role: Role, reads: bool) {
        let node = graph.node(id);
        let at = |i: &NodeId| self.at[i.0].expect("what a node reads is on its shard");
        let inputs = if reads { node.inputs.iter().map(at).collect() } else { vec![] };
        self.at.resize(self.at.len().max(id.0 + 1), None);
        self.at[id.0] = Some(self.specs.len());
        self.nodes.push(id);
        let (name, aside) = (node.op.name().to_owned(), matches!(node.op, Op::Aside(_)));
        self.specs.push(NodeSpec { id: node.id.clone(), name, role, inputs, aside });
    }
}

/// A new operator for a node.
pub(super) fn build(graph: &Graph, id: NodeId) -> Result<Built> {
    let node = graph.node(id);
    let inputs: Vec<_> = node.inputs.iter().map(|i| graph.node(*i)).collect();
    let mut built = match (&node.op, graph.mini_batch) {
        (Op::GroupAggregate { keys, aggregates, conditions }, Some(limits)) => Built::Operator(Box::new(
            BundledAggregate::new(keys, aggregates, conditions, inputs[0], node.changelog, limits),
        )),
        _ => operators::build(node, &inputs)?,
    };
    let ttl_ms = node.state_ttl_ms.or(graph.state_ttl_ms).filter(|&ms| ms > 0);
    if let (Built::Operator(op), Some(ttl_ms)) = (&mut built, ttl_ms) {
        op.set_state_ttl(ttl_ms);
    }
    if let Built::Operator(op) = &mut built
        && graph.lays_aside(id)
    {
        op.keep_late(&node.id, &inputs[0].schema);
    }
    Ok(built)
}

impl Part {
    /// One turn of the shard; then what it has for others is sent.
    ///
    /// # Errors
    /// The shard has failed. Call it again until it is done: the others have to be told.
    pub(super) fn turn(&mut self, now_us: i64) -> Result<Turn> {
        self.turns = self.turns.wrapping_add(1);
        if !self.turns.is_multiple_of(MEASURE_EVERY) {
            return self.turn_once(now_us);
        }
        let came = |part: &Self| -> u64 { part.inputs.iter().map(|i| i.counters().rows).sum() };
        let (before, depth) = (came(self), self.inputs.iter().map(|i| i.waiting() as u64).sum());
        let start = Instant::now();
        let turn = self.turn_once(now_us);
        if matches!(turn, Ok(Turn::Worked)) {
            self.measures.turn_ns.record(start.elapsed().as_nanos() as u64);
            self.measures.batch_rows.record(came(self) - before);
            self.measures.ring_depth.record(depth);
        }
        turn
    }

    fn turn_once(&mut self, now_us: i64) -> Result<Turn> {
        let turn = match self.ended {
            true => Turn::Done,
            false => match self.shard.turn(now_us, &mut self.inputs, &mut self.outputs) {
                Ok(turn) => turn,
                Err(e) => {
                    self.ended = true;
                    self.crossing.fail();
                    // Whoever sends to this shard is not to wait for room.
                    self.inboxes.iter().for_each(|&i| self.inputs[i].stop());
                    self.outboxes.iter().for_each(|&o| self.outputs[o].fail(&e));
                    self.publish();
                    return Err(e);
                }
            },
        };
        self.ended |= turn == Turn::Done;
        let released = self.cross();
        self.publish();
        Ok(match turn {
            Turn::Done if self.blocked => Turn::Idle { wake_at_us: None },
            Turn::Idle { .. } if released => Turn::Worked,
            turn => turn,
        })
    }

    fn publish(&mut self) {
        self.blocked = false;
        for &o in &self.outboxes {
            self.blocked |= !self.outputs[o].publish();
        }
    }

    /// Asked before a sleep: something has come, or what waited could be sent.
    pub(super) fn has_work(&mut self) -> bool {
        if self.blocked {
            self.publish();
            if !self.blocked {
                return true;
            }
        }
        let ready = |i: usize| self.inputs[i].is_ready();
        self.crossing.is_asked() || !self.ended && self.shard.open_inputs().any(ready)
    }

    /// Work may come without a sign: an input does not ring, or an output has refused.
    pub(super) fn has_to_look(&self) -> bool {
        let unannounced = |i: usize| self.inputs[i].comes() == Comes::Unannounced;
        let refused = || self.outboxes.len() < self.outputs.len() && !self.shard.is_quiet();
        !self.ended && (self.shard.open_inputs().any(unannounced) || refused())
    }

    /// When an input has something that knows its time.
    pub(super) fn next_input_us(&self) -> Option<i64> {
        let due = |i: usize| match self.inputs[i].comes() {
            Comes::At(t) => Some(t),
            Comes::Unannounced | Comes::Rung => None,
        };
        self.shard.open_inputs().filter_map(due).min()
    }

    /// It has ended or failed, and the others have been told.
    pub(super) fn is_done(&self) -> bool {
        self.ended && !self.blocked
    }

    pub(super) fn shard(&self) -> &Shard {
        &self.shard
    }

    pub(super) fn shard_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }

    /// Replaces every operator by a new one that has read the old one's state.
    pub(super) fn cycle(&mut self, graph: &Graph) -> Result<()> {
        let nodes = &self.nodes;
        self.shard.cycle(|n| build(graph, nodes[n]))
    }

    /// What the inputs that are not exchanges have read.
    pub(super) fn read(&self) -> InputCounters {
        let outer = (0..self.inputs.len()).filter(|i| !self.inboxes.contains(i));
        outer.map(|i| self.inputs[i].counters()).fold(InputCounters::default(), |a, b| InputCounters {
            rows: a.rows + b.rows,
            bytes: a.bytes + b.bytes,
            bad: a.bad + b.bad,
            nulled: a.nulled + b.nulled,
        })
    }

    /// Rows that the outputs which are not exchanges have taken, and those that they have dropped.
    pub(super) fn written(&self) -> (u64, u64) {
        let outer = (0..self.outputs.len()).filter(|o| !self.outboxes.contains(o)).map(|o| &self.outputs[o]);
        outer.fold((0, 0), |(rows, dropped), o| (rows + o.rows(), dropped + o.dropped()))
    }
}

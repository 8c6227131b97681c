//! Where the nodes of a graph run when there are several shards, and the exchanges between them.
//!
//! A node runs on shard 0 alone or on all shards. Sources and sinks are on shard 0; an operation with keys runs on all of them, and an
//! [`Op::Exchange`] in front of it sends each row to the shard that owns the row's key group (`batch::key`). What has no keys, or
//! depends on the order of all rows, runs on shard 0.
//!
//! **A source that can be split** is on all shards, and what needs no keys behind it as well, where nothing behind it asks for the order of
//! its rows: reading, decoding, filters and projections then scale. Where something does, the source is read on shard 0 again.
//!
//! **An aggregation of windows in two phases** sends the state of its groups through the exchange instead of rows: as many as there are groups,
//! windows and shards. It pays where groups are few. That is certain only where windows are aggregated once more without a key (the largest count of
//! each window): what each shard has of a window becomes one row. Else the user may know: `table.optimizer.agg-phase-strategy`.
//! Which rows are late is decided before the exchange, as it is behind it.
//!
//! **The number of shards never changes the rows.** Each operation states what it takes ([`Op::distribution`]) and whether its result
//! depends on the order of arrival. A stream is *ordered* while each key's rows, with the watermarks between them, arrive as with one
//! shard: over any number of exchanges from a single shard. Behind an exchange from many shards it is not, since their rows interleave
//! as the threads run. What depends on order is then not given such a stream: the operations before it run on shard 0 instead. The
//! same holds for what drops late rows, unless its input cannot be late: the result of a window, which stands before the watermark
//! that closed it ([`is_punctual`]), while the watermark behind an exchange is the smallest of all its shards'.

use super::connector::Connectors;
use super::{
    AggregatePhases, Changelog, CountWindow, Exchange, Graph, Node, NodeId, Op, Phase, Place, Window,
    WindowKind, WindowTime,
};
use crate::batch::{Field, Schema, TypeKind};
use crate::expr::{Expr, ExprKind};

/// What an operation asks of the rows at a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Nothing: it runs where its input is.
    Any,
    /// Rows with equal values in these columns of the input meet on one shard.
    Keyed(Vec<usize>),
    /// All rows meet.
    One,
}

impl Op {
    /// What it asks of its inputs, which have `width` columns.
    pub fn distribution(&self, width: usize) -> Distribution {
        let keyed = |keys: &[usize]| match keys {
            [] => Distribution::One,
            _ => Distribution::Keyed(keys.to_vec()),
        };
        match self {
            // Sessions are of the rows of a partition, groups of the rows of a key: what both have in common serves both.
            Op::WindowAssign(window) if is_session(window) => keyed(&window.partition),
            Op::WindowAggregate { window, keys, .. } if is_session(window) => {
                keyed(&window.partition.iter().copied().filter(|c| keys.contains(c)).collect::<Vec<_>>())
            }
            Op::Filter(_)
            | Op::Project(_)
            | Op::Watermark { .. }
            | Op::WindowAssign(_)
            | Op::Expand(_)
            | Op::Unnest(_)
            | Op::Correlate(_)
            | Op::Aside(_)
            | Op::Union => Distribution::Any,
            Op::GroupAggregate { keys, .. }
            | Op::WindowAggregate { keys, .. }
            | Op::Deduplicate { keys, .. } => keyed(keys),
            Op::CountAssign(window) | Op::CountAggregate { window, .. } => keyed(&window.keys),
            Op::Rank(rank) | Op::WindowRank { rank, .. } => keyed(&rank.partition),
            // Which rows share a millisecond of the clock depends on when a shard turns.
            Op::Over(over) if over.is_by_clock() => Distribution::One,
            Op::Over(over) => keyed(&over.partition),
            Op::Match(spec) => keyed(&spec.partition),
            Op::SetOperation { .. } => keyed(&(0..width).collect::<Vec<_>>()),
            // What does not say otherwise is right on one shard.
            _ => Distribution::One,
        }
    }
}

/// The operation makes sessions, not only uses them.
fn is_session(window: &Window) -> bool {
    matches!((window.kind, window.time), (WindowKind::Session { .. }, WindowTime::Attribute(_)))
}

/// The graph for `shards` shards: with exchanges, and the place of each node. The graph as it is for one shard, where nothing has keys to spread
/// it by, and where all rows stand in the query: those are too few.
#[must_use]
pub fn spread(graph: Graph, shards: usize, phases: AggregatePhases, connectors: &dyn Connectors) -> Graph {
    if shards <= 1 || !graph.nodes.iter().any(|n| matches!(n.op, Op::Scan(_))) {
        return graph;
    }
    // Behind a clock the end of the input is not the end of time, which an exchange would tell.
    let mut alone: Vec<bool> = vec![];
    for node in &graph.nodes {
        alone.push(node.op.has_clock() || node.inputs.iter().any(|i| alone[i.0]));
    }
    let can_spread: Vec<bool> = graph.nodes.iter().map(|n| can_spread(n, connectors)).collect();
    loop {
        match Spreader::new(&graph, &alone, &can_spread, phases).run() {
            Ok(spread) => return if spread.places.contains(&Place::All) { spread } else { graph },
            Err(offended) => {
                let before = ancestors(&graph, offended);
                // Where they are alone already, two of them meet in the offended node itself.
                alone[offended] |= before.iter().all(|&n| alone[n]);
                before.into_iter().for_each(|n| alone[n] = true);
            }
        }
    }
}

/// A source or sink of which each shard may have its own.
fn can_spread(node: &Node, connectors: &dyn Connectors) -> bool {
    match &node.op {
        // Several rows of a key may be in different parts, and a change stands behind what it changes.
        Op::Scan(source) => node.changelog.is_insert_only() && connectors.splits(&source.table) > 1,
        Op::Sink(sink) => sink.table.as_ref().is_some_and(|t| connectors.has_many_writers(t)),
        _ => false,
    }
}

/// The nodes that `n` depends on.
fn ancestors(graph: &Graph, n: usize) -> Vec<usize> {
    let mut found = vec![];
    let mut open: Vec<usize> = graph.nodes[n].inputs.iter().map(|i| i.0).collect();
    while let Some(at) = open.pop() {
        if !found.contains(&at) {
            found.push(at);
            open.extend(graph.nodes[at].inputs.iter().map(|i| i.0));
        }
    }
    found
}

/// What is known of a stream, at a node of the new graph.
#[derive(Clone, Debug)]
struct Stream {
    place: Place,
    /// On all shards: the columns whose values decide which.
    by: Option<Vec<usize>>,
    /// Rows of a key and the watermarks between them come as with one shard.
    ordered: bool,
    /// No row comes behind a watermark that has passed it.
    punctual: bool,
}

struct Spreader<'a> {
    from: &'a Graph,
    /// Nodes that must be on shard 0.
    alone: &'a [bool],
    /// Sources and sinks that may be on all shards.
    can_spread: &'a [bool],
    phases: AggregatePhases,
    graph: Graph,
    streams: Vec<Stream>,
    /// Where the nodes of the old graph stand in the new one.
    at: Vec<NodeId>,
}

impl<'a> Spreader<'a> {
    fn new(from: &'a Graph, alone: &'a [bool], can_spread: &'a [bool], phases: AggregatePhases) -> Self {
        Self { from, alone, can_spread, phases, graph: Graph::default(), streams: vec![], at: vec![] }
    }

    /// The new graph, or the number of a node whose input would come in another order.
    fn run(mut self) -> Result<Graph, usize> {
        for n in 0..self.from.nodes.len() {
            self.node(n)?;
        }
        Ok(self.graph)
    }

    fn add(&mut self, node: Node, stream: Stream) -> NodeId {
        self.graph.places.push(stream.place);
        self.streams.push(stream);
        self.graph.add(node)
    }

    fn node(&mut self, n: usize) -> Result<(), usize> {
        let node = &self.from.nodes[n];
        let inputs: Vec<NodeId> = node.inputs.iter().map(|i| self.at[i.0]).collect();
        let place = self.place(n, &inputs);
        if let [input] = inputs[..]
            && let Some(exchange) = self.exchange(n, input, place, 1)
            && self.pays(n, input)
        {
            self.two_phases(n, input, place, exchange);
            return Ok(());
        }
        let mut node = node.clone();
        for (port, input) in node.inputs.iter_mut().enumerate() {
            *input = self.input(n, inputs[port], place, inputs.len());
        }
        let inputs: Vec<&Stream> = node.inputs.iter().map(|i| &self.streams[i.0]).collect();
        let ordered = match inputs[..] {
            // Its parts are read as the threads run.
            [] => place == Place::One,
            [one] => one.ordered,
            // Two streams meet in an order of their own making, unless one loop turns both.
            _ => place == Place::One && node.inputs.iter().all(|i| self.is_local(*i)),
        } && inputs.iter().all(|s| s.ordered);
        let punctual = !inputs.is_empty() && inputs.iter().all(|s| s.punctual);
        let late = drops_late(&node.op) && !(ordered || punctual);
        if late || depends_on_order(&node.op, &node.inputs, &self.graph) && !ordered {
            return Err(n);
        }
        let by = match (place, inputs.first()) {
            (Place::All, Some(first)) => first.by.as_ref().and_then(|by| keep(&node.op, by)),
            _ => None,
        };
        let stream = Stream { place, by, ordered, punctual: is_punctual(&node.op, punctual) };
        let id = self.add(node, stream);
        self.at.push(id);
        Ok(())
    }

    /// It comes from the same shard, without an exchange.
    fn is_local(&self, input: NodeId) -> bool {
        !matches!(self.graph.node(input).op, Op::Exchange(_))
    }

    /// Where old node `n` runs.
    fn place(&self, n: usize, inputs: &[NodeId]) -> Place {
        let node = &self.from.nodes[n];
        if self.alone[n] {
            return Place::One;
        }
        let all = inputs.iter().all(|i| self.streams[i.0].place == Place::All);
        let Some(&first) = inputs.first().filter(|_| !self.can_spread[n]) else {
            return if all && self.can_spread[n] { Place::All } else { Place::One };
        };
        match node.op.distribution(self.graph.node(first).schema.len()) {
            Distribution::Any if all => Place::All,
            Distribution::Any | Distribution::One => Place::One,
            Distribution::Keyed(keys) if self.same_types(&keys, inputs) => Place::All,
            Distribution::Keyed(_) => Place::One,
        }
    }

    /// Equal keys of all inputs have equal bytes.
    fn same_types(&self, keys: &[usize], inputs: &[NodeId]) -> bool {
        let ty = |i: NodeId, k: usize| &self.graph.node(i).schema.ty(k).kind;
        keys.iter().all(|&k| inputs.iter().all(|&i| alike(ty(i, k), ty(inputs[0], k))))
    }

    /// The exchange between `input` and old node `n` at `place` with that many ports, if there has to be one.
    fn exchange(&self, n: usize, input: NodeId, place: Place, ports: usize) -> Option<Exchange> {
        let stream = &self.streams[input.0];
        let width = self.graph.node(input).schema.len();
        match (place, self.from.nodes[n].op.distribution(width)) {
            (Place::One, _) if stream.place == Place::All => Some(Exchange::Gather),
            (Place::All, Distribution::Keyed(keys)) => {
                // Spread by some of the keys, rows of equal keys have met already. Two inputs have to agree on all of them.
                let met = stream.by.as_ref().is_some_and(|by| by.iter().all(|c| keys.contains(c)));
                (ports != 1 || !met).then_some(Exchange::Keyed(keys))
            }
            _ => None,
        }
    }

    /// Old node `n`, an aggregation of `input`'s rows behind an exchange, can be done in two phases, and should.
    fn pays(&self, n: usize, input: NodeId) -> bool {
        let node = &self.from.nodes[n];
        let (stream, from) = (&self.streams[input.0], self.graph.node(input));
        let Op::WindowAggregate { window, keys, aggregates, .. } = &node.op else { return false };
        let wanted = match self.phases {
            AggregatePhases::One => false,
            AggregatePhases::Auto => stream.place == Place::All && keys.is_empty(),
            AggregatePhases::Two => true,
        };
        // Who is late is told by the first phase, who reads late rows knows one node of them.
        let late = match window.time {
            WindowTime::Attached { .. } => stream.punctual,
            WindowTime::Clock => false,
            WindowTime::Attribute(_) => {
                stream.ordered
                    && stream.place == Place::One
                    && matches!(window.kind, WindowKind::Tumble { .. })
            }
        };
        wanted
            && late
            && from.changelog.is_insert_only()
            && !self.from.lays_aside(NodeId(n))
            && aggregates.iter().all(|a| !a.distinct && a.ignores_order(&from.schema))
    }

    /// Adds old node `n` in two phases, with the exchange between them.
    fn two_phases(&mut self, n: usize, input: NodeId, place: Place, exchange: Exchange) {
        let node = &self.from.nodes[n];
        let Op::WindowAggregate { window, keys, aggregates, properties, .. } = &node.op else {
            unreachable!("only these pay")
        };
        let mut fields: Vec<Field> =
            keys.iter().map(|&k| self.graph.node(input).schema.fields[k].clone()).collect();
        let (start, end) = (keys.len() + 1, keys.len() + 2);
        fields.push(Field::new("state", TypeKind::BYTES.not_null()));
        let time = || TypeKind::Timestamp(3).not_null();
        fields.extend([Field::new("window_start", time()), Field::new("window_end", time())]);
        let op = |window, keys, phase| Op::WindowAggregate {
            window,
            keys,
            aggregates: aggregates.clone(),
            properties: properties.clone(),
            phase,
        };
        let local = Node {
            op: op(window.clone(), keys.clone(), Phase::Local),
            inputs: vec![input],
            schema: Schema::new(fields),
            changelog: Changelog::INSERT,
            upsert_key: None,
            id: format!("{}-local", node.id),
            state_ttl_ms: None,
            span: node.span,
        };
        let window =
            Window { time: WindowTime::Attached { start, end }, partition: vec![], ..window.clone() };
        let own: Vec<usize> = (0..keys.len()).collect();
        let mut global = Node { op: op(window, own.clone(), Phase::Global), ..node.clone() };
        let Stream { place: from, ordered, .. } = self.streams[input.0];
        let local = self.add(local, Stream { place: from, by: None, ordered, punctual: true });
        let exchange = match exchange {
            Exchange::Keyed(_) => Exchange::Keyed(own.clone()),
            Exchange::Gather => Exchange::Gather,
        };
        let between = self.exchanged(local, exchange, place);
        global.inputs = vec![between];
        let by = (place == Place::All).then_some(own);
        let ordered = self.streams[between.0].ordered;
        let id = self.add(global, Stream { place, by, ordered, punctual: true });
        self.at.push(id);
    }

    /// The node to read instead of `input`, for old node `n` at `place` with that many ports.
    fn input(&mut self, n: usize, input: NodeId, place: Place, ports: usize) -> NodeId {
        match self.exchange(n, input, place, ports) {
            Some(exchange) => self.exchanged(input, exchange, place),
            None => input,
        }
    }

    /// The exchange of `input`'s rows to `place`.
    fn exchanged(&mut self, input: NodeId, exchange: Exchange, place: Place) -> NodeId {
        let stream = &self.streams[input.0];
        let same = |n: &Node| n.inputs == [input] && matches!(&n.op, Op::Exchange(e) if *e == exchange);
        if let Some(known) = self.graph.nodes.iter().position(same) {
            return NodeId(known);
        }
        let by = match &exchange {
            Exchange::Keyed(keys) => Some(keys.clone()),
            Exchange::Gather => None,
        };
        let (ordered, punctual) = (stream.ordered && stream.place == Place::One, stream.punctual);
        let from = self.graph.node(input);
        let node = Node {
            op: Op::Exchange(exchange),
            inputs: vec![input],
            schema: from.schema.clone(),
            changelog: from.changelog,
            upsert_key: from.upsert_key.clone(),
            id: format!("exchange-{}", self.graph.nodes.len()),
            state_ttl_ms: None,
            span: from.span,
        };
        self.add(node, Stream { place, by, ordered, punctual })
    }
}

/// Values of both types have the same canonical bytes where they are equal.
fn alike(a: &TypeKind, b: &TypeKind) -> bool {
    match (a, b) {
        (TypeKind::VarChar(_), TypeKind::VarChar(_)) => true,
        (TypeKind::Decimal(_, a), TypeKind::Decimal(_, b)) => a == b,
        _ => a == b,
    }
}

/// Where the columns that decide the shard stand in the output of `op`, if they all do.
fn keep(op: &Op, by: &[usize]) -> Option<Vec<usize>> {
    match op {
        Op::Filter(_)
        | Op::Watermark { .. }
        | Op::WindowAssign(_)
        | Op::CountAssign(_)
        | Op::Correlate(_)
        | Op::Rank(_)
        | Op::WindowRank { .. }
        | Op::Over(_)
        | Op::Deduplicate { .. }
        | Op::SetOperation { .. }
        | Op::Exchange(_) => Some(by.to_vec()),
        Op::Expand(spec) => by.iter().all(|c| !spec.keys.contains(c)).then(|| by.to_vec()),
        Op::Unnest(spec) => by.iter().map(|c| spec.kept.iter().position(|k| k == c)).collect(),
        Op::Project(exprs) => {
            let at = |k: &usize| exprs.iter().position(|e| matches!(e.kind, ExprKind::Column(c) if c == *k));
            by.iter().map(at).collect()
        }
        Op::CountAggregate { window: CountWindow { keys, .. }, .. }
        | Op::GroupAggregate { keys, .. }
        | Op::Match(super::Match { partition: keys, .. })
        | Op::WindowAggregate { keys, .. } => by.iter().map(|c| keys.iter().position(|k| k == c)).collect(),
        _ => None,
    }
}

/// Its rows stand before every watermark that passes them, given whether its input's do.
fn is_punctual(op: &Op, input: bool) -> bool {
    match op {
        Op::WindowAggregate { .. } | Op::Match(_) => true,
        Op::WindowAssign(window) => input && !is_session(window),
        Op::Filter(_)
        | Op::Project(_)
        | Op::Union
        | Op::Expand(_)
        | Op::Unnest(_)
        | Op::Correlate(_)
        | Op::Exchange(_) => input,
        _ => false,
    }
}

/// Rows behind the watermark are dropped.
fn drops_late(op: &Op) -> bool {
    match op {
        Op::WindowAssign(Window { kind: WindowKind::Session { .. }, .. }) => true,
        Op::WindowAggregate { window, .. } => window.time != WindowTime::Clock,
        Op::Scan(_)
        | Op::Values(_)
        | Op::Filter(_)
        | Op::Project(_)
        | Op::Watermark { .. }
        | Op::Union
        | Op::Expand(_)
        | Op::Unnest(_)
        | Op::Correlate(_)
        | Op::Aside(_)
        | Op::CountAssign(_)
        | Op::CountAggregate { .. }
        | Op::GroupAggregate { .. }
        | Op::SetOperation { .. }
        | Op::Join(_)
        | Op::Exchange(_)
        | Op::Sink(_) => false,
        Op::WindowAssign(window) => is_session(window),
        _ => true,
    }
}

/// Its rows for a key depend on the order in which that key's rows arrive. What updates its result does: the changes on the way are rows
/// as well. Of two inputs, the order in which they meet is nowhere defined.
fn depends_on_order(op: &Op, inputs: &[NodeId], graph: &Graph) -> bool {
    match op {
        Op::Scan(_)
        | Op::Values(_)
        | Op::Watermark { .. }
        | Op::Union
        | Op::Expand(_)
        | Op::Unnest(_)
        | Op::Correlate(_)
        | Op::Aside(_)
        | Op::SetOperation { .. }
        | Op::Exchange(_)
        | Op::Sink(_) => false,
        Op::Filter(condition) => tells_watermark(condition),
        Op::Project(exprs) => exprs.iter().any(tells_watermark),
        Op::WindowAssign(window) => is_session(window),
        // DISTINCT tells each row once.
        Op::GroupAggregate { aggregates, .. } => {
            !(aggregates.is_empty() && graph.node(inputs[0]).changelog.is_insert_only())
        }
        Op::WindowAggregate { aggregates, .. } => {
            let input = &graph.node(inputs[0]).schema;
            !aggregates.iter().all(|a| a.ignores_order(input))
        }
        _ => true,
    }
}

/// It contains a function whose value is the watermark.
fn tells_watermark(e: &Expr) -> bool {
    let own = matches!(&e.kind, ExprKind::Call { function, .. } if &*function.name == "CURRENT_WATERMARK");
    own || e.children().into_iter().any(tells_watermark)
}

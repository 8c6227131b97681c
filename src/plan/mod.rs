//! The dataflow graph as plain data: what the planner makes and the engine runs.
//!
//! A [`Graph`] holds nodes in topological order. Each node has an operation ([`Op`]), the schema it produces, and what it promises
//! about its changelog. Nothing here runs; `explain` prints exactly this.

mod alignment;
pub mod aside;
pub mod catalog;
mod changelog;
pub mod connector;
mod count_window;
pub mod explain;
pub mod logical;
pub mod options;
mod pattern;
pub mod physical;
pub mod settings;
pub mod spread;

pub use alignment::{Alignment, alignments};
pub use changelog::Changelog;
pub use count_window::{CountWindow, MAX_OVERLAP};
pub use logical::JoinKind;
pub use pattern::{Cell, CellKind, Match, MatchTime, PatternExprs, PatternVariable, Skip};

use crate::batch::{ColumnRef, DataType, Field, Schema, TypeKind};
use crate::error::Span;
use crate::expr::{AccumulatorFactory, Expr, TableKernelFactory};
use connector::{SinkSpec, SourceSpec};
use std::fmt;

/// The number of a node in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// Nodes in topological order: a node's inputs have smaller numbers.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The nodes; node `i` is `nodes[i]`.
    pub nodes: Vec<Node>,
    /// Where each runs; empty: all on one shard.
    pub places: Vec<Place>,
    /// `table.exec.state.ttl`.
    pub state_ttl_ms: Option<i64>,
    /// `table.exec.mini-batch.*`, where it is enabled.
    pub mini_batch: Option<MiniBatch>,
}

/// How group aggregates fold their updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MiniBatch {
    /// Rows, or changes, after which they are told.
    pub size: u64,
    /// They are told when the clock passes a multiple of this, ms.
    pub latency_ms: i64,
    /// `table.optimizer.agg-phase-strategy` is ONE_PHASE.
    pub one_phase: bool,
}

/// On which shards a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On shard 0.
    One,
    /// On every shard, each with some of the rows.
    All,
}

/// How rows move between shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Each row to the shard that owns the key group of these columns.
    Keyed(Vec<usize>),
    /// All rows to shard 0.
    Gather,
}

/// One operation with what is known about its output.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// Where its rows come from, one a port.
    pub inputs: Vec<NodeId>,
    /// The columns it produces.
    pub schema: Schema,
    /// The row kinds it produces.
    pub changelog: Changelog,
    /// Output columns that identify a row of the resulting table, where known.
    pub upsert_key: Option<Vec<usize>>,
    /// A stable name for its state: restored state is matched by it.
    pub id: String,
    /// How long (ms) its state is kept, where a hint says so; 0: for ever. Else that of the graph.
    pub state_ttl_ms: Option<i64>,
    /// The SQL text it came from.
    pub span: Span,
}

/// The operations.
#[derive(Clone, Debug)]
pub enum Op {
    /// Reads a table.
    Scan(SourceSpec),
    /// Rows that stand in the query: columns of the same length. Without columns: one row.
    Values(Vec<ColumnRef>),
    /// Keeps the rows whose condition is true.
    Filter(Expr),
    /// Computes columns.
    Project(Vec<Expr>),
    /// Assigns watermarks: after each row, the largest value of `watermark` so far.
    Watermark {
        /// The time attribute's column, TIMESTAMP(p ≤ 3) or TIMESTAMP_LTZ(p ≤ 3).
        column: usize,
        /// The watermark of a row, of the same type.
        watermark: Expr,
    },
    /// Gives each row the time of the clock, and watermarks by it: processing time as a time attribute.
    Clock {
        /// The column of that time.
        column: usize,
        /// The windows that it is for.
        window: Window,
    },
    /// Every row once for each grouping set.
    Expand(Expand),
    /// Every row once for each element of a collection.
    Unnest(Unnest),
    /// Beside each row the rows that a table function gives for it.
    Correlate(Correlate),
    /// Unwindowed aggregation: one row per key, updated. Without aggregates: DISTINCT.
    GroupAggregate {
        /// The grouping columns of the input; they come first in the output. Empty: one global group.
        keys: Vec<usize>,
        /// The aggregates, in output order after the keys.
        aggregates: Vec<Aggregate>,
        /// Conditions over the input that only FILTER asks: its columns from the input's width on.
        conditions: Vec<Expr>,
    },
    /// A window table function: adds `window_start`, `window_end`, `window_time` to every row.
    WindowAssign(Window),
    /// Aggregation per key and window; emits when the watermark passes the window's end.
    WindowAggregate {
        /// The windows.
        window: Window,
        /// The grouping columns of the input; first in the output.
        keys: Vec<usize>,
        /// The aggregates, after the keys.
        aggregates: Vec<Aggregate>,
        /// What of the window is output, after the aggregates.
        properties: Vec<WindowProperty>,
        /// All of it, or what comes before or behind an exchange.
        phase: Phase,
    },
    /// Windows by number of rows: gives the rows of each with its number once it is complete.
    CountAssign(CountWindow),
    /// Aggregation per key and window by number of rows, given with the row that completes it: the keys, the aggregates, the number.
    CountAggregate {
        /// The windows, and their keys.
        window: CountWindow,
        /// The aggregates.
        aggregates: Vec<Aggregate>,
    },
    /// All rows of all inputs (UNION ALL).
    Union,
    /// Pairs of rows of two inputs.
    Join(Join),
    /// INTERSECT or EXCEPT of two inputs.
    SetOperation {
        /// Which.
        kind: SetOperation,
        /// ALL: multisets.
        all: bool,
    },
    /// Sorts on ascending event time, then on further keys; emits up to the watermark.
    SortByTime {
        /// The time attribute's column.
        time: usize,
        /// What decides among equal times.
        then: Vec<SortKey>,
    },
    /// Adds to each row the aggregates of its frame.
    Over(Over),
    /// Finds a pattern in the rows of each partition: one row a match.
    Match(Match<Aggregate>),
    /// The rows of each partition whose number is in a range (Top-N).
    Rank(Rank),
    /// The rows of each window and partition whose number is in a range, given when the watermark passes the window's end.
    WindowRank {
        /// Its partition is without the window's columns.
        rank: Rank,
        /// The windows, which the rows carry.
        window: Window,
        /// Among rows of equal order the last comes first.
        latest: bool,
    },
    /// One row a key.
    Deduplicate {
        /// The columns that make the key.
        keys: Vec<usize>,
        /// Which of its rows.
        keep: Keep,
    },
    /// The first rows, in arrival order.
    Limit {
        /// Rows to skip.
        offset: u64,
        /// Rows to emit; none: all.
        fetch: Option<u64>,
    },
    /// Writes to a table, or hands the rows to whoever asked for the query's result.
    Sink(SinkSpec),
    /// Rows that its input, an operator or a scan, lays aside: not those that it gives.
    Aside(aside::Aside),
    /// Moves rows between shards.
    Exchange(Exchange),
}

/// One aggregate of an aggregation. Arguments and filter are columns of the input: the planner projects them first.
#[derive(Clone)]
pub struct Aggregate {
    /// As printed: `SUM(qty)`.
    pub name: String,
    /// The arguments.
    pub args: Vec<usize>,
    /// DISTINCT, unless it changes nothing.
    pub distinct: bool,
    /// FILTER: a BOOLEAN column, or a condition of a [`GroupAggregate`](Op::GroupAggregate).
    pub filter: Option<usize>,
    /// The type of the result.
    pub ty: DataType,
    /// Flink can merge two groups.
    pub merges: bool,
    /// Makes the accumulators that the input's changelog needs.
    pub accumulator: AccumulatorFactory,
    /// Makes accumulators for rows that only join: those of parts of a group.
    pub parts: AccumulatorFactory,
}

impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Aggregate {
    /// The result does not depend on the order in which values come, nor on which of them are folded together first.
    pub fn ignores_order(&self, input: &Schema) -> bool {
        let exact = |c: &usize| !matches!(input.ty(*c).kind, TypeKind::Float | TypeKind::Double);
        match self.name.split('(').next().unwrap_or(&self.name) {
            "COUNT" | "MIN" | "MAX" | "PERCENTILE" => true,
            "SUM" | "AVG" => self.args.iter().all(exact),
            _ => false,
        }
    }
}

/// Which part of an aggregation a node does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// All of it.
    #[default]
    Whole,
    /// Rows to groups, as far as this shard has them: gives the keys, the state of the accumulators as bytes, start and end of the window.
    Local,
    /// What [`Phase::Local`] gave on all shards to groups, and these to results.
    Global,
}

/// `table.optimizer.agg-phase-strategy`: whether aggregations are split into [phases](Phase) around an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AggregatePhases {
    /// Where groups are certain to be fewer than rows.
    #[default]
    Auto,
    /// Nowhere.
    One,
    /// Wherever it can be done.
    Two,
}

/// How rows are repeated: GROUPING SETS, ROLLUP, CUBE. The numbers of the sets stand behind the input's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expand {
    /// The keys that some set leaves out: columns of the input.
    pub keys: Vec<usize>,
    /// The sets, in the order in which a row is repeated.
    pub sets: Vec<GroupingSet>,
}

/// One set of an [`Expand`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupingSet {
    /// Parallel to [`Expand::keys`]: it has the key. Where not, the key is NULL.
    pub keys: Vec<bool>,
    /// The set's own number, then the values of GROUPING calls.
    pub numbers: Vec<i64>,
}

/// UNNEST: rows beside the elements of a collection of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unnest {
    /// The ARRAY, MAP or MULTISET: a column of the input.
    pub collection: usize,
    /// The columns of the input that stand before the element's.
    pub kept: Vec<usize>,
    /// The number of the element, from 1, stands behind it.
    pub ordinality: bool,
    /// A row without elements is there once, with NULLs.
    pub outer: bool,
}

/// The windows of a window operation. Times in ms.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// The shape.
    pub kind: WindowKind,
    /// Where the rows' window comes from.
    pub time: WindowTime,
    /// Sessions: the columns that make the key whose rows they are of.
    pub partition: Vec<usize>,
    /// A window of GROUP BY, not of a table function.
    pub grouping: bool,
    /// For TIMESTAMP_LTZ: windows align in this zone. `None` for TIMESTAMP.
    pub zone: Option<jiff::tz::TimeZone>,
}

/// Where an operation takes its windows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowTime {
    /// A time attribute to assign windows by.
    Attribute(usize),
    /// The rows carry their window already: columns of `window_start` and `window_end` (cascades).
    Attached {
        /// Column of the start.
        start: usize,
        /// Column of the end.
        end: usize,
    },
    /// The clock's time when a row comes. Only in graphs of operators: a script has a column for it.
    Clock,
}

/// The shapes of windows. All in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum WindowKind {
    Tumble { size: i64, offset: i64 },
    Hop { size: i64, slide: i64, offset: i64 },
    Cumulate { size: i64, step: i64, offset: i64 },
    Session { gap: i64 },
}

/// What an aggregation can say about its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowProperty {
    /// First instant.
    Start,
    /// First instant after.
    End,
    /// Last millisecond: the window's event time.
    Time,
}

/// A join of two inputs.
#[derive(Clone, Debug)]
pub struct Join {
    /// Which rows it gives.
    pub kind: JoinKind,
    /// Columns that are equal in a pair; none: every row meets every other.
    pub keys: Vec<JoinKey>,
    /// What else is true of a pair, over the columns of both inputs.
    pub condition: Option<Expr>,
}

/// Columns of the two sides of a join, of one type, whose values are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinKey {
    /// Column of the left input.
    pub left: usize,
    /// Column of the right one.
    pub right: usize,
    /// NULL equals NULL.
    pub null_safe: bool,
}

/// INTERSECT or EXCEPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SetOperation {
    Intersect,
    Except,
}

/// A call of a table function for each row.
#[derive(Clone)]
pub struct Correlate {
    /// The function, as written.
    pub name: String,
    /// The arguments: columns of the input.
    pub args: Vec<usize>,
    /// The columns that it gives, behind the input's.
    pub columns: Vec<Field>,
    /// A row for which it gives none stays, beside NULLs.
    pub optional: bool,
    /// The same arguments give the same rows.
    pub deterministic: bool,
    /// Makes its kernels.
    pub kernel: TableKernelFactory,
}

impl fmt::Debug for Correlate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}{}", self.name, self.args, if self.optional { " or NULL" } else { "" })
    }
}

/// Aggregates of the rows up to each row: those of its partition, in their order.
#[derive(Clone, Debug)]
pub struct Over {
    /// The columns that make the partition; none: all rows are one.
    pub partition: Vec<usize>,
    /// What the rows are ordered by.
    pub order: OverOrder,
    /// The aggregates, in output order behind the input's columns.
    pub calls: Vec<(Frame, Aggregate)>,
}

impl Over {
    /// Frames of some time back by processing time: rows wait for the driver's clock.
    pub fn is_by_clock(&self) -> bool {
        let ranges = |c: &(Frame, Aggregate)| matches!(c.0, Frame::Range(Some(_)) | Frame::Sliced { .. });
        self.order == OverOrder::Proctime && self.calls.iter().any(ranges)
    }
}

/// What the rows of an [`Over`] are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverOrder {
    /// The event time in this column: rows wait for the watermark.
    Rowtime(usize),
    /// Arrival.
    Proctime,
    /// Any column: results are kept up to date.
    Column(SortKey),
}

/// The rows of a partition that count for a row: they end with it, or with those that stand beside it in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// It and so many rows before it; none: all before it.
    Rows(Option<u64>),
    /// It, those of equal order, and those at most so many ms before it; none: all before it.
    Range(Option<i64>),
    /// As [`Frame::Range`] of `reach` ms, from the beginning of a slice of `slice` ms: no rows are held.
    Sliced {
        /// How far it goes back, ms.
        reach: i64,
        /// The length of a slice, ms.
        slice: i64,
    },
}

impl Frame {
    /// It begins with the partition: no row ever leaves it.
    pub fn is_unbounded(self) -> bool {
        matches!(self, Frame::Rows(None) | Frame::Range(None))
    }

    /// Rows leave it one by one.
    pub fn rows_leave(self) -> bool {
        matches!(self, Frame::Rows(Some(_)) | Frame::Range(Some(_)))
    }
}

/// Top-N: of each partition, the rows numbered `start` to `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// The columns that make the partition; none: all rows are one.
    pub partition: Vec<usize>,
    /// What decides the numbers; equal rows are numbered as they come.
    pub order: Vec<SortKey>,
    /// The first number, from 1.
    pub start: u64,
    /// The last number.
    pub end: u64,
    /// The number is a column behind the input's.
    pub number: bool,
    /// What the input may do.
    pub input: RankInput,
}

/// What the input of a [`Rank`] may do, which decides what has to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RankInput {
    /// It only grows.
    Append,
    /// Rows of a key, whose columns are these, are updated, and never to a worse number.
    Update(Vec<usize>),
    /// Anything.
    Retract,
}

/// Which row of a key a de-duplication keeps. Numbers are of time attributes' columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Keep {
    FirstArrived,
    LastArrived,
    FirstByTime(usize),
    LastByTime(usize),
}

/// A column to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The column.
    pub column: usize,
    /// Descending.
    pub descending: bool,
    /// NULLs before all values.
    pub nulls_first: bool,
}

impl Op {
    /// It reads the clock for windows, and is what holds their watermark.
    pub fn has_clock(&self) -> bool {
        match self {
            Op::Clock { .. } => true,
            Op::WindowAggregate { window, .. } => window.time == WindowTime::Clock,
            _ => false,
        }
    }

    /// What people call it, in `explain`, counters and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Scan(_) => "Scan",
            Op::Values(_) => "Values",
            Op::Filter(_) => "Filter",
            Op::Project(_) => "Project",
            Op::Watermark { .. } => "Watermark",
            Op::GroupAggregate { .. } => "GroupAggregate",
            Op::WindowAssign(_) => "WindowAssign",
            Op::WindowAggregate { phase, .. } => match phase {
                Phase::Whole => "WindowAggregate",
                Phase::Local => "LocalWindowAggregate",
                Phase::Global => "GlobalWindowAggregate",
            },
            Op::CountAssign(_) => "CountAssign",
            Op::CountAggregate { .. } => "CountAggregate",
            Op::Clock { .. } => "Clock",
            Op::Expand(_) => "Expand",
            Op::Unnest(_) => "Unnest",
            Op::Correlate(_) => "Correlate",
            Op::Union => "Union",
            Op::Join(_) => "Join",
            Op::SetOperation { .. } => "SetOperation",
            Op::SortByTime { .. } => "SortByTime",
            Op::Over(_) => "Over",
            Op::Match(_) => "Match",
            Op::Rank(_) => "Rank",
            Op::WindowRank { .. } => "WindowRank",
            Op::Deduplicate { .. } => "Deduplicate",
            Op::Limit { .. } => "Limit",
            Op::Sink(_) => "Sink",
            Op::Aside(aside) => aside.name(),
            Op::Exchange(_) => "Exchange",
        }
    }
}

impl Graph {
    /// Adds a node and returns its number.
    pub fn add(&mut self, node: Node) -> NodeId {
        debug_assert!(node.inputs.iter().all(|i| i.0 < self.nodes.len()), "inputs come first");
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    /// Where a node runs.
    pub fn place(&self, id: NodeId) -> Place {
        self.places.get(id.0).copied().unwrap_or(Place::One)
    }

    /// The node of that number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Somebody reads what node `id` lays aside.
    pub fn lays_aside(&self, id: NodeId) -> bool {
        self.nodes.iter().any(|n| matches!(n.op, Op::Aside(_)) && n.inputs == [id])
    }

    /// Who reads node `id`: (reader, its port).
    pub fn consumers(&self, id: NodeId) -> Vec<(NodeId, usize)> {
        let mut out = vec![];
        for (n, node) in self.nodes.iter().enumerate() {
            for (port, input) in node.inputs.iter().enumerate() {
                if *input == id {
                    out.push((NodeId(n), port));
                }
            }
        }
        out
    }
}

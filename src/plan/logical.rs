//! The logical algebra: what a query computes, typed, with the SQL text each part came from. The binder makes it, rules rewrite it,
//! and [`physical`](super::physical) turns it into a [`Graph`](super::Graph).
//!
//! A [`Rel`] is a tree; what several parts of a statement share (a view read twice, one table under two sinks) stands in it
//! several times and becomes one node of the graph again. Types are those that Flink's validator derives, time attributes
//! included: they decide result headers. Whether a time attribute still *is* one at run time (an aggregate's `MAX(ts)` is
//! not) is found when the graph is built.

use super::catalog::ObjectPath;
use super::connector::{SinkInfo, SinkSpec, SourceInfo, TableSpec};
use super::{
    Correlate, CountWindow, Expand, Frame, Match, SetOperation, SortKey, Unnest, Window, WindowKind,
    WindowProperty,
};
use crate::batch::{Column, ColumnRef, DataType, Field, Schema, TimeAttribute, TypeKind};
use crate::error::Span;
use crate::expr::{BoundAggregate, BoundFunction, Expr, ExprKind};

/// A relation: rows of `schema`.
#[derive(Clone, Debug)]
pub struct Rel {
    /// What computes it.
    pub kind: RelKind,
    /// Its columns.
    pub schema: Schema,
    /// The SQL text it came from.
    pub span: Span,
}

/// The relational operations.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum RelKind {
    /// Reads a table: its physical, metadata and computed columns, with its watermark.
    Scan(Box<TableScan>),
    /// Constant rows, one column each.
    Values { columns: Vec<ColumnRef> },
    /// The rows for which the condition is true.
    Filter { input: Box<Rel>, condition: Expr },
    /// Computes columns.
    Project { input: Box<Rel>, exprs: Vec<Expr> },
    /// Every row once a grouping set: the columns, then the numbers of the set.
    Expand { input: Box<Rel>, spec: Expand },
    /// Every row once an element of a collection: the columns kept, then the element's.
    Unnest { input: Box<Rel>, spec: Unnest },
    /// Every row beside the rows that a table function gives for it. Arguments are columns of the input.
    Correlate { input: Box<Rel>, call: Correlate },
    /// One row a key: the key columns, then the aggregates. Without aggregates: DISTINCT.
    Aggregate {
        input: Box<Rel>,
        keys: Vec<usize>,
        aggregates: Vec<AggregateCall>,
        /// How long (ms) a group is kept without a row, where a hint says so; 0: for ever.
        ttl_ms: Option<i64>,
    },
    /// Adds `window_start`, `window_end`, `window_time`.
    WindowTvf {
        input: Box<Rel>,
        time: usize,
        kind: WindowKind,
        /// Of sessions.
        partition: Vec<usize>,
        /// Not a function in FROM, but a window of GROUP BY.
        grouping: bool,
        zone: Option<jiff::tz::TimeZone>,
    },
    /// One row a key and window: the keys, the aggregates, then the properties.
    WindowAggregate {
        input: Box<Rel>,
        window: Window,
        keys: Vec<usize>,
        aggregates: Vec<AggregateCall>,
        properties: Vec<WindowProperty>,
    },
    /// Windows by number of rows: adds `window_number`.
    CountTvf { input: Box<Rel>, window: CountWindow },
    /// One row a key and window: the keys, the aggregates, then the number.
    CountAggregate { input: Box<Rel>, window: CountWindow, aggregates: Vec<AggregateCall> },
    /// Rows of two relations side by side: the columns of the left, then of the right. The condition reads both, also where only the
    /// left goes out.
    Join { kind: JoinKind, inputs: Vec<Rel>, condition: Option<Expr> },
    /// UNION ALL.
    Union { inputs: Vec<Rel> },
    /// INTERSECT or EXCEPT of two.
    SetOperation { kind: SetOperation, all: bool, inputs: Vec<Rel> },
    /// Adds to each row what its partition's rows, up to it, come to.
    Over { input: Box<Rel>, partition: Vec<usize>, order: Vec<SortKey>, calls: Vec<OverCall> },
    /// The matches of a pattern: one row each.
    Match { input: Box<Rel>, spec: Box<Match<AggregateCall>> },
    /// Top-N: the rows with those numbers; `number` adds the column. `limit`: it was ORDER BY with LIMIT. `window`: it is of windows,
    /// which the rows carry, and the partition is without their columns.
    Rank {
        input: Box<Rel>,
        partition: Vec<usize>,
        order: Vec<SortKey>,
        range: (u64, u64),
        number: bool,
        limit: bool,
        window: Option<Window>,
    },
    /// ORDER BY.
    Sort { input: Box<Rel>, keys: Vec<SortKey> },
    /// OFFSET and LIMIT.
    Limit { input: Box<Rel>, offset: u64, fetch: Option<u64> },
    /// What the job's other sinks lay aside.
    Aside(super::aside::Aside),
    /// INSERT INTO, or the result of a query.
    Sink { input: Box<Rel>, spec: SinkSpec, info: Option<SinkInfo> },
}

/// Which rows a join gives: pairs, with those of a side that have no partner; or rows of the left side alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    /// The rows of the left side that have a partner.
    Semi,
    /// Those that have none.
    Anti,
}

impl JoinKind {
    /// A row of that side (0: left) without partner goes out beside NULLs.
    pub fn keeps(self, side: usize) -> bool {
        match self {
            JoinKind::Left => side == 0,
            JoinKind::Right => side == 1,
            JoinKind::Full => true,
            JoinKind::Inner | JoinKind::Semi | JoinKind::Anti => false,
        }
    }

    /// Only columns of the left side go out.
    pub fn is_half(self) -> bool {
        matches!(self, JoinKind::Semi | JoinKind::Anti)
    }
}

/// A table as a query reads it. Column numbers in expressions are those of `columns`.
#[derive(Clone, Debug)]
pub struct TableScan {
    /// Its name.
    pub path: ObjectPath,
    /// What the connector is told, options of hints included.
    pub table: TableSpec,
    /// What the connector answered.
    pub info: SourceInfo,
    /// All columns of the table in declared order; then, once a rule has added them, all parts of its ROW columns.
    pub columns: Vec<ScanColumn>,
    /// The time attribute and the watermark expression.
    pub watermark: Option<(usize, Expr)>,
    /// The columns that the query reads, ascending: the relation's schema.
    pub output: Vec<usize>,
}

/// A column of a [`TableScan`].
#[derive(Clone, Debug)]
pub struct ScanColumn {
    /// Name and type.
    pub field: Field,
    /// Where it comes from.
    pub from: ColumnSource,
}

/// Where a column of a table comes from.
#[derive(Clone)]
#[allow(missing_docs)]
pub enum ColumnSource {
    /// Physical column of that number.
    Physical(usize),
    /// A part of a ROW column: the column's number among [`TableScan::columns`], then a field's number at each level.
    Leaf(Vec<usize>),
    /// Metadata under that key, which the connector gives with that type, cast where it was declared with another.
    Metadata { key: String, ty: DataType, cast: Option<BoundFunction> },
    /// An expression.
    Computed(Expr),
}

impl std::fmt::Debug for ColumnSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ColumnSource::Physical(n) => write!(f, "Physical({n})"),
            ColumnSource::Leaf(path) => write!(f, "Leaf({path:?})"),
            ColumnSource::Metadata { key, ty, .. } => write!(f, "Metadata({key} {ty})"),
            ColumnSource::Computed(e) => write!(f, "Computed({e:?})"),
        }
    }
}

impl TableScan {
    /// The fields of the output columns.
    pub fn schema(&self) -> Schema {
        Schema::new(self.output.iter().map(|&c| self.columns[c].field.clone()).collect())
    }
}

/// An aggregate over the rows of a frame.
#[derive(Clone, Debug)]
pub struct OverCall {
    /// What is aggregated.
    pub aggregate: AggregateCall,
    /// Over which rows.
    pub frame: Frame,
    /// It is ROW_NUMBER, RANK or DENSE_RANK: what a filter may make a Top-N of.
    pub number: Option<&'static str>,
}

/// An aggregate call. Arguments and filter are columns of the input.
#[derive(Clone)]
pub struct AggregateCall {
    /// As printed: `SUM(qty)`.
    pub name: String,
    /// The function.
    pub function: BoundAggregate,
    /// The arguments.
    pub args: Vec<usize>,
    /// DISTINCT, unless it changes nothing.
    pub distinct: bool,
    /// FILTER.
    pub filter: Option<usize>,
    /// The type of the result: that of the function.
    pub ty: DataType,
    /// The call.
    pub span: Span,
}

impl AggregateCall {
    /// It reads that column of its input.
    pub fn reads(&self, column: usize) -> bool {
        self.args.iter().chain(&self.filter).any(|&c| c == column)
    }
}

impl std::fmt::Debug for AggregateCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} filter {:?}", self.name, self.args, self.filter)
    }
}

impl Rel {
    /// It reads what other sinks lay aside.
    pub fn reads_aside(&self) -> bool {
        matches!(self.kind, RelKind::Aside(_)) || self.inputs().into_iter().any(Rel::reads_aside)
    }

    /// The one row without columns that a SELECT without FROM reads. (A column that nothing reads stands for the row.)
    pub fn one_row(span: Span) -> Rel {
        let ty = TypeKind::Int.not_null();
        let column = crate::expr::constant_column(&ty, |c| {
            c.buffer_mut::<i32>().push(0);
            c.validity.push(true);
        });
        let schema = Schema::new(vec![Field::new("ZERO", ty)]);
        Rel { kind: RelKind::Values { columns: vec![column] }, schema, span }
    }

    /// The rows for which `condition` is true.
    pub fn filter(self, condition: Expr) -> Rel {
        let (schema, span) = (self.schema.clone(), condition.span);
        Rel { kind: RelKind::Filter { input: Box::new(self), condition }, schema, span }
    }

    /// Its rows beside those of `right`.
    pub fn join(self, kind: JoinKind, right: Rel, condition: Option<Expr>, span: Span) -> Rel {
        let schema = joined_schema(kind, &self.schema, &right.schema);
        Rel { kind: RelKind::Join { kind, inputs: vec![self, right], condition }, schema, span }
    }

    /// `exprs` under `names`.
    pub fn project(self, exprs: Vec<Expr>, names: Vec<String>, span: Span) -> Rel {
        debug_assert_eq!(exprs.len(), names.len());
        let fields = exprs.iter().zip(names).map(|(e, n)| Field::new(n, e.ty.clone())).collect();
        Rel { kind: RelKind::Project { input: Box::new(self), exprs }, schema: Schema::new(fields), span }
    }

    /// Some of the columns, by number.
    pub fn project_columns(self, columns: &[usize]) -> Rel {
        let span = self.span;
        let fields = &self.schema.fields;
        let exprs = columns.iter().map(|&c| Expr::column(c, fields[c].ty.clone(), span)).collect();
        let names = columns.iter().map(|&c| fields[c].name.clone()).collect();
        self.project(exprs, names, span)
    }

    /// Grouping by `keys`.
    pub fn aggregate(self, keys: Vec<usize>, aggregates: Vec<AggregateCall>, span: Span) -> Rel {
        let mut fields: Vec<Field> = keys.iter().map(|&k| self.schema.fields[k].clone()).collect();
        fields.extend(aggregates.iter().map(|a| Field::new(&a.name, a.ty.clone())));
        Rel {
            kind: RelKind::Aggregate { input: Box::new(self), keys, aggregates, ttl_ms: None },
            schema: Schema::new(fields),
            span,
        }
    }

    /// Sets how long (ms) the groups of an aggregation are kept, which this relation is or computes with.
    pub fn set_state_ttl(&mut self, ms: i64) {
        match &mut self.kind {
            RelKind::Aggregate { ttl_ms, .. } => *ttl_ms = Some(ms),
            RelKind::Project { input, .. } => input.set_state_ttl(ms),
            _ => {}
        }
    }

    /// All columns as keys: DISTINCT.
    pub fn distinct(self, span: Span) -> Rel {
        let keys = (0..self.schema.len()).collect();
        self.aggregate(keys, vec![], span)
    }

    /// A window table function over the time attribute `time`.
    pub fn window(
        self,
        time: usize,
        kind: WindowKind,
        partition: Vec<usize>,
        zone: Option<jiff::tz::TimeZone>,
        span: Span,
    ) -> Rel {
        let mut fields = self.schema.fields.clone();
        fields.extend(window_fields(self.schema.ty(time)));
        let schema = Schema::new(fields);
        Rel {
            kind: RelKind::WindowTvf { input: Box::new(self), time, kind, partition, grouping: false, zone },
            schema,
            span,
        }
    }

    /// Windows by number of rows. A window's rows are given with its last one, behind the watermark: their time is no attribute.
    pub fn count_window(self, window: CountWindow, span: Span) -> Rel {
        let mut fields = self.schema.fields.clone();
        fields.iter_mut().for_each(|f| f.ty.time = TimeAttribute::None);
        fields.push(Field::new("window_number", CountWindow::number_type()));
        Rel { kind: RelKind::CountTvf { input: Box::new(self), window }, schema: Schema::new(fields), span }
    }

    /// A window table function as a window of GROUP BY.
    #[must_use]
    pub fn grouped_by_window(mut self) -> Rel {
        if let RelKind::WindowTvf { grouping, .. } = &mut self.kind {
            *grouping = true;
        }
        self
    }

    /// The inputs, first to last.
    pub fn inputs(&self) -> Vec<&Rel> {
        match &self.kind {
            RelKind::Scan(_) | RelKind::Values { .. } | RelKind::Aside(_) => vec![],
            RelKind::Filter { input, .. }
            | RelKind::Project { input, .. }
            | RelKind::Aggregate { input, .. }
            | RelKind::Expand { input, .. }
            | RelKind::Unnest { input, .. }
            | RelKind::Correlate { input, .. }
            | RelKind::WindowTvf { input, .. }
            | RelKind::WindowAggregate { input, .. }
            | RelKind::CountTvf { input, .. }
            | RelKind::CountAggregate { input, .. }
            | RelKind::Over { input, .. }
            | RelKind::Match { input, .. }
            | RelKind::Rank { input, .. }
            | RelKind::Sort { input, .. }
            | RelKind::Limit { input, .. }
            | RelKind::Sink { input, .. } => vec![input],
            RelKind::Union { inputs }
            | RelKind::SetOperation { inputs, .. }
            | RelKind::Join { inputs, .. } => inputs.iter().collect(),
        }
    }

    /// The inputs, to change.
    pub fn inputs_mut(&mut self) -> Vec<&mut Rel> {
        match &mut self.kind {
            RelKind::Scan(_) | RelKind::Values { .. } | RelKind::Aside(_) => vec![],
            RelKind::Filter { input, .. }
            | RelKind::Project { input, .. }
            | RelKind::Aggregate { input, .. }
            | RelKind::Expand { input, .. }
            | RelKind::Unnest { input, .. }
            | RelKind::Correlate { input, .. }
            | RelKind::WindowTvf { input, .. }
            | RelKind::WindowAggregate { input, .. }
            | RelKind::CountTvf { input, .. }
            | RelKind::CountAggregate { input, .. }
            | RelKind::Over { input, .. }
            | RelKind::Match { input, .. }
            | RelKind::Rank { input, .. }
            | RelKind::Sort { input, .. }
            | RelKind::Limit { input, .. }
            | RelKind::Sink { input, .. } => vec![input],
            RelKind::Union { inputs }
            | RelKind::SetOperation { inputs, .. }
            | RelKind::Join { inputs, .. } => inputs.iter_mut().collect(),
        }
    }

    /// The expressions of this operation alone, to change.
    pub fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            RelKind::Filter { condition, .. } | RelKind::Join { condition: Some(condition), .. } => {
                vec![condition]
            }
            RelKind::Project { exprs, .. } => exprs.iter_mut().collect(),
            RelKind::Match { spec, .. } => spec.exprs_mut().collect(),
            RelKind::Scan(scan) => {
                let computed = scan.columns.iter_mut().filter_map(|c| match &mut c.from {
                    ColumnSource::Computed(e) => Some(e),
                    _ => None,
                });
                computed.chain(scan.watermark.as_mut().map(|w| &mut w.1)).collect()
            }
            _ => vec![],
        }
    }

    /// Sets every span below to `span`: for text that is not part of the script at hand.
    pub fn set_spans(&mut self, span: Span) {
        fn expr(e: &mut Expr, span: Span) {
            e.span = span;
            e.children_mut().into_iter().for_each(|c| expr(c, span));
        }
        self.span = span;
        self.exprs_mut().into_iter().for_each(|e| expr(e, span));
        self.inputs_mut().into_iter().for_each(|r| r.set_spans(span));
    }
}

/// The columns of a join: what may be missing is nullable.
pub fn joined_schema(kind: JoinKind, left: &Schema, right: &Schema) -> Schema {
    let side = |schema: &Schema, missing: bool| -> Vec<Field> {
        let field =
            |f: &Field| Field::new(&f.name, DataType { nullable: f.ty.nullable || missing, ..f.ty.clone() });
        schema.fields.iter().map(field).collect()
    };
    let mut fields = side(left, kind.keeps(1));
    if !kind.is_half() {
        fields.extend(side(right, kind.keeps(0)));
    }
    Schema::new(fields)
}

/// The three columns that a window table function adds over a time attribute of type `time`.
pub fn window_fields(time: &DataType) -> [Field; 3] {
    let at = TypeKind::Timestamp(3).not_null();
    let window_time = DataType { nullable: false, ..time.clone() };
    [
        Field::new("window_start", at.clone()),
        Field::new("window_end", at),
        Field::new("window_time", window_time),
    ]
}

/// The type that the output of a window aggregate has for `property`, over a time attribute of type `time`.
pub fn property_type(property: WindowProperty, time: &DataType) -> DataType {
    match property {
        WindowProperty::Start | WindowProperty::End => TypeKind::Timestamp(3).not_null(),
        WindowProperty::Time => time.clone().with_nullable(false),
    }
}

/// Both expressions compute the same, whatever their spans. Calls that may differ between evaluations are the same when they are
/// written the same, as in Flink.
pub fn same_expr(a: &Expr, b: &Expr) -> bool {
    if a.ty.kind != b.ty.kind {
        return false;
    }
    let parts = || {
        let (x, y) = (a.children(), b.children());
        x.len() == y.len() && x.into_iter().zip(y).all(|(x, y)| same_expr(x, y))
    };
    match (&a.kind, &b.kind) {
        (ExprKind::Column(x), ExprKind::Column(y)) => x == y,
        (ExprKind::Literal(x), ExprKind::Literal(y)) => {
            crate::batch::ColumnRef::ptr_eq(x, y) || same_value(x, y)
        }
        (ExprKind::Call { function: f, .. }, ExprKind::Call { function: g, .. }) => {
            f.name == g.name && parts()
        }
        (ExprKind::Field(_, x), ExprKind::Field(_, y)) => x == y && parts(),
        (ExprKind::And(_), ExprKind::And(_))
        | (ExprKind::Or(_), ExprKind::Or(_))
        | (ExprKind::Case { .. }, ExprKind::Case { .. })
        | (ExprKind::Coalesce(_), ExprKind::Coalesce(_)) => parts(),
        _ => false,
    }
}

/// Two one-row columns of one type hold the same value.
fn same_value(a: &Column, b: &Column) -> bool {
    let bytes = |c: &Column| {
        let mut to = crate::batch::Encoder::default();
        to.column(c);
        to.finish()
    };
    bytes(a) == bytes(b)
}

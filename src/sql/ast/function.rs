//! Calls: functions, aggregates, window functions, table functions and the JSON functions with clauses.

use super::{Expr, Ident, ObjectName, OrderItem, Query, TimeUnit, TypeName};

node! {
    /// `f(args)` with all that may follow it. The same node for scalar functions, aggregates, window functions, table
    /// functions (`TABLE(f(…))`, `FROM f(…)`) and procedures (`CALL f(…)`).
    pub struct FunctionCall {
        /// Perhaps with catalog and database.
        pub name: ObjectName,
        /// SPECIFIC before the name.
        pub specific: bool,
        /// DISTINCT or ALL before the arguments.
        pub quantifier: Option<SetQuantifier>,
        /// In order, positional or named.
        pub args: Vec<FunctionArg>,
        /// `ORDER BY` inside the parentheses: ARRAY_AGG, STRING_AGG, GROUP_CONCAT, ARRAY_CONCAT_AGG.
        pub order_by: Vec<OrderItem>,
        /// `SEPARATOR '…'` inside the parentheses: the same four.
        pub separator: Option<String>,
        /// IGNORE NULLS or RESPECT NULLS.
        pub nulls: Option<NullTreatment>,
        /// `WITHIN DISTINCT (a, b)`.
        pub within_distinct: Vec<Expr>,
        /// `WITHIN GROUP (ORDER BY …)`.
        pub within_group: Vec<OrderItem>,
        /// `FILTER (WHERE …)`.
        pub filter: Option<Box<Expr>>,
        /// `OVER …`.
        pub over: Option<Box<Over>>,
    }
}

/// DISTINCT or ALL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SetQuantifier {
    All,
    Distinct,
}

/// Whether NULLs count in a window function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum NullTreatment {
    Ignore,
    Respect,
}

node! {
    /// One argument.
    pub struct FunctionArg {
        /// Of `name => value`.
        pub name: Option<Ident>,
        /// The value.
        pub value: ArgValue,
    }
}

/// What may be passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgValue {
    /// A value; [`ExprKind::Default`](super::ExprKind) for `DEFAULT`, a
    /// [`Star`](super::ExprKind::Star) for `COUNT(*)`.
    Expr(Expr),
    /// A unit of time: `DATE_DIFF(a, b, DAY)` and relatives.
    Unit(TimeUnit),
    /// A table: `TABLE t`, or with PARTITION BY or ORDER BY also `(SELECT …)`.
    Table(Box<TableArg>),
}

node! {
    /// `TABLE t PARTITION BY a ORDER BY b`.
    pub struct TableArg {
        /// What.
        pub source: TableArgSource,
        /// Columns; rows with the same values go together.
        pub partition_by: Vec<Ident>,
        /// Order within a partition.
        pub order_by: Vec<OrderItem>,
    }
}

/// The table of a [`TableArg`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableArgSource {
    /// `TABLE t`.
    Table(ObjectName),
    /// `(SELECT …) PARTITION BY a`.
    Query(Box<Query>),
    /// `x PARTITION BY a`: Flink's grammar takes it, its validator does not.
    Expr(Box<Expr>),
}

/// `OVER name` or `OVER (…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// A window of the WINDOW clause.
    Name(Ident),
    /// An inline window.
    Window(WindowSpec),
}

node! {
    /// `([base] [PARTITION BY …] [ORDER BY …] [frame] [ALLOW PARTIAL])`.
    pub struct WindowSpec {
        /// The named window that this one refines.
        pub base: Option<Ident>,
        /// PARTITION BY.
        pub partition_by: Vec<Expr>,
        /// ORDER BY.
        pub order_by: Vec<OrderItem>,
        /// ROWS or RANGE.
        pub frame: Option<WindowFrame>,
        /// ALLOW PARTIAL (true), DISALLOW PARTIAL (false).
        pub allow_partial: Option<bool>,
    }
}

node! {
    /// `ROWS BETWEEN start AND end`.
    pub struct WindowFrame {
        /// ROWS instead of RANGE.
        pub rows: bool,
        /// Where it starts.
        pub start: FrameBound,
        /// Where it ends; without BETWEEN nothing, which means the current row.
        pub end: Option<FrameBound>,
    }
}

node! {
    /// One end of a frame.
    pub struct FrameBound {
        /// Which.
        pub kind: FrameBoundKind,
    }
}

/// The ends that a frame can have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FrameBoundKind {
    CurrentRow,
    UnboundedPreceding,
    UnboundedFollowing,
    Preceding(Box<Expr>),
    Following(Box<Expr>),
}

node! {
    /// `input, path [PASSING x AS a, …]`: the first arguments of the JSON query functions.
    pub struct JsonInput {
        /// The document.
        pub input: Expr,
        /// The path.
        pub path: Expr,
        /// Variables of the path.
        pub passing: Vec<JsonPassing>,
    }
}

node! {
    /// `x AS name` of PASSING.
    pub struct JsonPassing {
        /// The value.
        pub value: Expr,
        /// The variable.
        pub name: Ident,
    }
}

node! {
    /// `JSON_EXISTS(input, path [TRUE | FALSE | UNKNOWN | ERROR ON ERROR])`.
    pub struct JsonExists {
        /// Document and path.
        pub input: JsonInput,
        /// ON ERROR.
        pub on_error: Option<JsonExistsBehavior>,
    }
}

/// What JSON_EXISTS does on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JsonExistsBehavior {
    True,
    False,
    Unknown,
    Error,
}

node! {
    /// `JSON_VALUE(input, path [RETURNING t] [… ON EMPTY] [… ON ERROR])`.
    pub struct JsonValue {
        /// Document and path.
        pub input: JsonInput,
        /// RETURNING.
        pub returning: Option<TypeName>,
        /// The ON EMPTY and ON ERROR clauses in order of writing; the last of each kind counts.
        pub behaviors: Vec<JsonBehavior<JsonValueBehavior>>,
    }
}

/// What JSON_VALUE does when it finds nothing or fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JsonValueBehavior {
    Error,
    Null,
    Default(Expr),
}

node! {
    /// `JSON_QUERY(input, path [RETURNING t] [… WRAPPER] [… ON EMPTY] [… ON ERROR])`.
    pub struct JsonQuery {
        /// Document and path.
        pub input: JsonInput,
        /// RETURNING.
        pub returning: Option<TypeName>,
        /// WRAPPER.
        pub wrapper: Option<JsonWrapper>,
        /// The ON EMPTY and ON ERROR clauses in order of writing; the last of each kind counts.
        pub behaviors: Vec<JsonBehavior<JsonQueryBehavior>>,
    }
}

/// When JSON_QUERY wraps its result into an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JsonWrapper {
    Without,
    Conditional,
    Unconditional,
}

/// What JSON_QUERY does when it finds nothing or fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JsonQueryBehavior {
    Error,
    Null,
    EmptyArray,
    EmptyObject,
}

/// `behavior ON EMPTY` or `behavior ON ERROR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonBehavior<B> {
    /// ON ERROR instead of ON EMPTY.
    pub on_error: bool,
    /// What to do.
    pub behavior: B,
}

node! {
    /// `JSON_OBJECT(KEY k VALUE v, … [NULL | ABSENT ON NULL])`, `JSON_ARRAY(v, … [NULL | ABSENT ON NULL])`.
    pub struct JsonConstructor {
        /// What is made, of what.
        pub items: JsonItems,
        /// The ON NULL clause; when absent NULL ON NULL for objects, ABSENT ON NULL for arrays.
        pub nulls: Option<JsonNulls>,
    }
}

/// Members of an object or elements of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonItems {
    /// JSON_OBJECT.
    Object(Vec<JsonPair>),
    /// JSON_ARRAY.
    Array(Vec<Expr>),
}

node! {
    /// `KEY k VALUE v`, `k VALUE v`, `k : v`.
    pub struct JsonPair {
        /// The key.
        pub key: Expr,
        /// The value.
        pub value: Expr,
    }
}

/// What happens to NULL values in a JSON constructor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonNulls {
    /// NULL ON NULL.
    Null,
    /// ABSENT ON NULL.
    Absent,
}

node! {
    /// `JSON_OBJECTAGG(KEY k VALUE v [… ON NULL])`, `JSON_ARRAYAGG(v [ORDER BY …] [… ON NULL])`.
    pub struct JsonAggregate {
        /// What is collected.
        pub item: JsonAggregateItem,
        /// The ON NULL clause; when absent NULL ON NULL for objects, ABSENT ON NULL for arrays.
        pub nulls: Option<JsonNulls>,
        /// `ORDER BY` inside the parentheses or `WITHIN GROUP (ORDER BY …)` behind them.
        pub order_by: Vec<OrderItem>,
    }
}

/// What a JSON aggregate collects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonAggregateItem {
    /// JSON_OBJECTAGG.
    Object(JsonPair),
    /// JSON_ARRAYAGG.
    Array(Expr),
}

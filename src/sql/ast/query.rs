//! Queries.

use super::{Expr, From, Ident, ObjectName, SetQuantifier, WindowSpec};

node! {
    /// `[WITH …] body [ORDER BY …] [OFFSET …] [LIMIT …]`.
    pub struct Query {
        /// WITH RECURSIVE.
        pub recursive: bool,
        /// Common table expressions, in order.
        pub with: Vec<CommonTable>,
        /// What it computes.
        pub body: QueryBody,
        /// ORDER BY.
        pub order_by: Vec<OrderItem>,
        /// OFFSET n ROWS: an unsigned number or `?`.
        pub offset: Option<Expr>,
        /// LIMIT n, FETCH FIRST n ROWS ONLY: an unsigned number or `?`. (LIMIT ALL is nothing.)
        pub limit: Option<Expr>,
    }
}

node! {
    /// `name [(columns)] AS (query)`.
    pub struct CommonTable {
        /// Its name.
        pub name: Ident,
        /// New column names.
        pub columns: Vec<Ident>,
        /// What it stands for.
        pub query: Query,
    }
}

node! {
    /// A query without WITH, ORDER BY and LIMIT.
    pub struct QueryBody {
        /// Which.
        pub kind: QueryBodyKind,
    }
}

/// The forms of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryBodyKind {
    /// `SELECT …`.
    Select(Box<Select>),
    /// `VALUES (1, 2), (3, 4)`: rows of values ([`ExprKind::Default`](super::ExprKind) among them).
    Values(Vec<ValuesRow>),
    /// `TABLE t`.
    Table(ObjectName),
    /// A query in parentheses, as an operand of a set operation or under another ORDER BY.
    Nested(Box<Query>),
    /// `first UNION b EXCEPT ALL c …`, from left to right: operators of one level. INTERSECT binds tighter, so that
    /// it stands in a set operation of its own.
    SetOperation {
        /// First operand.
        first: Box<QueryBody>,
        /// Operators with the operands that follow them; at least one.
        rest: Vec<SetOperand>,
    },
}

node! {
    /// `UNION ALL body`.
    pub struct SetOperand {
        /// Which operation.
        pub op: SetOp,
        /// ALL; without it (and with DISTINCT) duplicates go.
        pub all: bool,
        /// The right side.
        pub body: QueryBody,
    }
}

/// The set operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SetOp {
    Union,
    Except,
    Intersect,
}

node! {
    /// One row of VALUES.
    pub struct ValuesRow {
        /// Its values; not empty.
        pub values: Vec<Expr>,
    }
}

node! {
    /// `SELECT … FROM … WHERE … GROUP BY … HAVING … WINDOW … QUALIFY …`.
    pub struct Select {
        /// `/*+ … */` after SELECT.
        pub hints: Vec<Hint>,
        /// Calcite's SELECT STREAM.
        pub stream: bool,
        /// DISTINCT or ALL.
        pub quantifier: Option<SetQuantifier>,
        /// The select list; not empty.
        pub items: Vec<SelectItem>,
        /// Without FROM one row.
        pub from: Option<From>,
        /// WHERE.
        pub filter: Option<Expr>,
        /// GROUP BY.
        pub group_by: Option<GroupBy>,
        /// HAVING.
        pub having: Option<Expr>,
        /// WINDOW.
        pub windows: Vec<NamedWindow>,
        /// QUALIFY.
        pub qualify: Option<Expr>,
    }
}

node! {
    /// An expression (perhaps a star) with its alias.
    pub struct SelectItem {
        /// What.
        pub expr: Expr,
        /// AS.
        pub alias: Option<Ident>,
    }
}

node! {
    /// `GROUP BY [DISTINCT] …`.
    pub struct GroupBy {
        /// Duplicate grouping sets go.
        pub distinct: bool,
        /// In order.
        pub elements: Vec<GroupingElement>,
    }
}

node! {
    /// One element of GROUP BY.
    pub struct GroupingElement {
        /// Which.
        pub kind: GroupingElementKind,
    }
}

/// The elements of GROUP BY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupingElementKind {
    /// `()`.
    Empty,
    /// An expression; inside GROUPING SETS, `(a, b)` is a [`Row`](super::ExprKind::Row).
    Expr(Expr),
    /// `GROUPING SETS (…)`.
    GroupingSets(Vec<GroupingElement>),
    /// `ROLLUP (a, (b, c))`.
    Rollup(Vec<Expr>),
    /// `CUBE (a, (b, c))`.
    Cube(Vec<Expr>),
}

node! {
    /// `name AS (…)` of the WINDOW clause.
    pub struct NamedWindow {
        /// Its name.
        pub name: Ident,
        /// What it is.
        pub spec: WindowSpec,
    }
}

node! {
    /// `x [ASC | DESC] [NULLS FIRST | NULLS LAST]`.
    pub struct OrderItem {
        /// The key.
        pub expr: Expr,
        /// DESC.
        pub descending: bool,
        /// NULLS FIRST (true), NULLS LAST (false). When absent NULLs are the smallest values.
        pub nulls_first: Option<bool>,
    }
}

node! {
    /// `NAME`, `NAME(a, b)`, `NAME('k' = 'v')`.
    pub struct Hint {
        /// Its name.
        pub name: Ident,
        /// Its arguments.
        pub args: HintArgs,
    }
}

/// The arguments of a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HintArgs {
    /// None.
    None,
    /// `(a, b)`.
    Names(Vec<Ident>),
    /// `(1, 'x')`: literals, numbers perhaps under a minus.
    Values(Vec<Expr>),
    /// `('k' = 'v', k = 'v')`.
    Options(Vec<HintOption>),
}

node! {
    /// `'key' = 'value'`.
    pub struct HintOption {
        /// The key, written as a string or a name.
        pub key: String,
        /// Written as a name.
        pub bare_key: bool,
        /// The value.
        pub value: String,
    }
}

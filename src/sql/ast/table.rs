//! The FROM clause.

use super::{Expr, FunctionCall, Hint, Ident, MatchRecognize, ObjectName, Query, TypeName};

node! {
    /// `first JOIN b ON … , c …`: joined from left to right.
    pub struct From {
        /// Leftmost table.
        pub first: TableFactor,
        /// What is joined to it, in order.
        pub joins: Vec<Join>,
    }
}

node! {
    /// `LEFT JOIN right ON …`, `, right`.
    pub struct Join {
        /// Which join.
        pub kind: JoinKind,
        /// NATURAL.
        pub natural: bool,
        /// The right side.
        pub right: TableFactor,
        /// `MATCH_CONDITION (…)` of ASOF joins.
        pub match_condition: Option<Expr>,
        /// ON or USING.
        pub condition: Option<JoinCondition>,
    }
}

/// The kinds of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `,`
    Comma,
    /// `JOIN`, `INNER JOIN`
    Inner,
    /// `LEFT [OUTER] JOIN`
    Left,
    /// `RIGHT [OUTER] JOIN`
    Right,
    /// `FULL [OUTER] JOIN`
    Full,
    /// `CROSS JOIN`
    Cross,
    /// `ASOF JOIN`: Pelton's, not in Flink 2.3's grammar.
    AsOf,
    /// `LEFT ASOF JOIN`: Pelton's, not in Flink 2.3's grammar.
    LeftAsOf,
}

/// ON or USING.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinCondition {
    /// ON.
    On(Expr),
    /// USING.
    Using(Vec<Ident>),
}

node! {
    /// One table of a FROM clause with all that may follow it, in this order.
    pub struct TableFactor {
        /// The table itself.
        pub source: TableSource,
        /// The alias before MATCH_RECOGNIZE, for its input: `t AS a MATCH_RECOGNIZE (…) AS b`.
        pub input_alias: Option<Ident>,
        /// MATCH_RECOGNIZE; after tables and subqueries.
        pub match_recognize: Option<Box<MatchRecognize>>,
        /// PIVOT.
        pub pivot: Option<Box<Pivot>>,
        /// UNPIVOT.
        pub unpivot: Option<Box<Unpivot>>,
        /// AS.
        pub alias: Option<TableAlias>,
        /// TABLESAMPLE.
        pub sample: Option<TableSample>,
    }
}

/// What a table factor reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableSource {
    /// A table or view by its name.
    Table(TableName),
    /// `TABLE(f(…))`, or without TABLE `f(…)`, perhaps LATERAL.
    Function {
        /// LATERAL.
        lateral: bool,
        /// With `TABLE( )` around.
        wrapped: bool,
        /// The call.
        call: Box<FunctionCall>,
    },
    /// `(SELECT …)`, perhaps LATERAL.
    Subquery {
        /// LATERAL.
        lateral: bool,
        /// The query.
        query: Box<Query>,
    },
    /// `UNNEST(a, b) [WITH ORDINALITY]`; always lateral.
    Unnest {
        /// The collections; a single [`Subquery`](super::ExprKind::Subquery) for `UNNEST(SELECT …)`.
        args: Vec<Expr>,
        /// WITH ORDINALITY.
        with_ordinality: bool,
    },
    /// `(a JOIN b ON …)`: at least one join, never with an alias.
    Join(Box<From>),
}

node! {
    /// `t /*+ OPTIONS(…) */ EXTEND (a INT) FOR SYSTEM_TIME AS OF x`.
    pub struct TableName {
        /// The name.
        pub name: ObjectName,
        /// `/*+ OPTIONS(…) */`.
        pub hints: Vec<Hint>,
        /// EXTEND: columns not declared.
        pub extend: Vec<ExtendColumn>,
        /// FOR SYSTEM_TIME AS OF.
        pub as_of: Option<Box<Expr>>,
    }
}

node! {
    /// A column of EXTEND.
    pub struct ExtendColumn {
        /// Its name.
        pub name: ObjectName,
        /// Its type.
        pub ty: TypeName,
    }
}

node! {
    /// `AS name [(columns)]`.
    pub struct TableAlias {
        /// Its name.
        pub name: Ident,
        /// New column names.
        pub columns: Vec<Ident>,
    }
}

node! {
    /// `TABLESAMPLE …`.
    pub struct TableSample {
        /// Which.
        pub kind: TableSampleKind,
    }
}

/// The forms of TABLESAMPLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableSampleKind {
    /// `BERNOULLI (percent) [REPEATABLE (seed)]`, `SYSTEM (percent) [REPEATABLE (seed)]`.
    Percent {
        /// BERNOULLI instead of SYSTEM.
        bernoulli: bool,
        /// A number without sign.
        percent: super::Number,
        /// The seed, perhaps negative.
        repeatable: Option<i32>,
    },
    /// `SUBSTITUTE ('name')`.
    Substitute(String),
}

node! {
    /// `PIVOT (agg AS a, … FOR axis IN (values AS name, …))`.
    pub struct Pivot {
        /// Aggregates with aliases.
        pub aggregates: Vec<PivotAggregate>,
        /// The columns compared.
        pub axes: Vec<Ident>,
        /// The values that become columns.
        pub values: Vec<PivotValue>,
    }
}

node! {
    /// `SUM(x) AS total`.
    pub struct PivotAggregate {
        /// The aggregate.
        pub call: FunctionCall,
        /// Its alias.
        pub alias: Option<Ident>,
    }
}

node! {
    /// `(1, 'a') AS one`.
    pub struct PivotValue {
        /// One value an axis.
        pub values: Vec<Expr>,
        /// Its alias.
        pub alias: Option<Ident>,
    }
}

node! {
    /// `UNPIVOT [INCLUDE NULLS] (measures FOR axes IN (columns AS values, …))`.
    pub struct Unpivot {
        /// INCLUDE NULLS (true), EXCLUDE NULLS (false).
        pub include_nulls: Option<bool>,
        /// The new value columns.
        pub measures: Vec<Ident>,
        /// The new name columns.
        pub axes: Vec<Ident>,
        /// The columns that become rows.
        pub columns: Vec<UnpivotColumns>,
    }
}

node! {
    /// `(a, b) AS ('x', 1)`.
    pub struct UnpivotColumns {
        /// One column a measure.
        pub columns: Vec<Ident>,
        /// One value an axis; the columns' names when absent.
        pub values: Option<Vec<Expr>>,
    }
}

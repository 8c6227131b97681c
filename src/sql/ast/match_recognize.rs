//! `MATCH_RECOGNIZE (…)`.

use super::{Expr, Ident, IntervalLiteral, OrderItem};

node! {
    /// The whole clause.
    pub struct MatchRecognize {
        /// PARTITION BY.
        pub partition_by: Vec<Expr>,
        /// ORDER BY.
        pub order_by: Vec<OrderItem>,
        /// MEASURES.
        pub measures: Vec<Measure>,
        /// ONE ROW PER MATCH, ALL ROWS PER MATCH.
        pub rows_per_match: Option<RowsPerMatch>,
        /// AFTER MATCH.
        pub after_match: Option<AfterMatch>,
        /// PATTERN, with its anchors.
        pub pattern: Pattern,
        /// A `^` before the pattern.
        pub starts_at_partition: bool,
        /// A `$` after the pattern.
        pub ends_at_partition: bool,
        /// WITHIN.
        pub within: Option<IntervalLiteral>,
        /// SUBSET.
        pub subsets: Vec<Subset>,
        /// DEFINE.
        pub definitions: Vec<PatternDefinition>,
    }
}

node! {
    /// `expression AS name`.
    pub struct Measure {
        /// What.
        pub expr: Expr,
        /// Its column name.
        pub alias: Ident,
    }
}

/// How many rows a match gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RowsPerMatch {
    One,
    All,
}

/// Where the search goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterMatch {
    /// SKIP TO NEXT ROW.
    ToNextRow,
    /// SKIP PAST LAST ROW.
    PastLastRow,
    /// SKIP TO FIRST x.
    ToFirst(Ident),
    /// SKIP TO LAST x, SKIP TO x.
    ToLast(Ident),
}

node! {
    /// A pattern.
    pub struct Pattern {
        /// Which.
        pub kind: PatternKind,
    }
}

/// The forms of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternKind {
    /// A row that fits the definition of this variable.
    Variable(Ident),
    /// `a b c`: two or more in sequence.
    Concat(Vec<Pattern>),
    /// `a | b | c`: two or more.
    Alternation(Vec<Pattern>),
    /// `a+`, `a{2,3}?`.
    Repeat {
        /// What.
        pattern: Box<Pattern>,
        /// How often.
        quantifier: PatternQuantifier,
    },
    /// `{- a -}`.
    Exclude(Box<Pattern>),
    /// `PERMUTE (a, b)`.
    Permute(Vec<Pattern>),
}

/// How often a pattern repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternQuantifier {
    /// At least; `None` in `{,n}`, which means 0.
    pub min: Option<u32>,
    /// At most; `None` means without limit.
    pub max: Option<u32>,
    /// A `?` behind: as few as possible.
    pub reluctant: bool,
}

node! {
    /// `S = (a, b)`.
    pub struct Subset {
        /// The union variable.
        pub name: Ident,
        /// Its members; Flink's grammar takes any expressions.
        pub members: Vec<Expr>,
    }
}

node! {
    /// `A AS condition`.
    pub struct PatternDefinition {
        /// The variable.
        pub name: Ident,
        /// When a row fits.
        pub condition: Expr,
    }
}

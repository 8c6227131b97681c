//! Expressions.

use super::{
    FunctionCall, Ident, IntervalQualifier, JsonAggregate, JsonConstructor, JsonExists, JsonQuery, JsonValue,
    Literal, ObjectName, Query, TimeUnit, TypeName,
};
use crate::error::Span;

node! {
    /// An expression.
    pub struct Expr {
        /// What it is.
        pub kind: ExprKind,
    }
}

impl Expr {
    /// An expression of `kind` at `span`.
    pub fn new(kind: ExprKind, span: Span) -> Self {
        Self { kind, span }
    }
}

/// What an expression is. Functions with a syntax of their own (`EXTRACT(… FROM …)`, `JSON_VALUE(… RETURNING …)`) have
/// their own variants; every other call, aggregates and window functions included, is a [`FunctionCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// `a`, `t.a`, `t.row.field`: column or field path, told apart by the binder.
    Name(ObjectName),
    /// `*` (in a select list) or `t.*`.
    Star(Option<ObjectName>),
    /// A constant.
    Literal(Literal),
    /// `?`, a parameter of a prepared statement.
    Parameter,
    /// `DEFAULT`, in VALUES rows and as an argument.
    Default,
    /// `-x`, `+x`, `NOT x`. `-1` is a minus over a literal.
    Unary {
        /// Which.
        op: UnaryOp,
        /// Over what.
        operand: Box<Expr>,
    },
    /// Arithmetic, comparison, `||`, period and multiset operators. Not `AND` and `OR`.
    Binary {
        /// Which.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `a AND b AND c`: two operands or more, in order.
    And(Vec<Expr>),
    /// `a OR b OR c`: two operands or more, in order.
    Or(Vec<Expr>),
    /// `x [NOT] BETWEEN [SYMMETRIC] low AND high`.
    Between(Box<Between>),
    /// `x [NOT] IN (a, b)`, `x [NOT] IN (SELECT …)`.
    In {
        /// The value looked for.
        operand: Box<Expr>,
        /// NOT IN.
        negated: bool,
        /// Where.
        set: InSet,
    },
    /// `x > ANY (…)`, `x = ALL (…)`.
    Quantified {
        /// The value compared.
        operand: Box<Expr>,
        /// One of the six comparisons.
        op: BinaryOp,
        /// ANY and SOME, or ALL.
        quantifier: Quantifier,
        /// With what.
        set: InSet,
    },
    /// `x [NOT] LIKE p [ESCAPE e]` and its relatives.
    Like(Box<Like>),
    /// `x IS [NOT] NULL` and the other tests.
    Is {
        /// The value tested.
        operand: Box<Expr>,
        /// IS NOT.
        negated: bool,
        /// For what.
        test: IsTest,
    },
    /// `x FORMAT JSON`.
    FormatJson {
        /// The value.
        operand: Box<Expr>,
        /// ENCODING.
        encoding: Option<JsonEncoding>,
    },
    /// `EXISTS (SELECT …)`; Flink's grammar takes any operand.
    Exists(Box<Expr>),
    /// `UNIQUE (SELECT …)`.
    Unique(Box<Expr>),
    /// `CASE`, both forms.
    Case(Box<Case>),
    /// `CAST(x AS t)`, `TRY_CAST(x AS t)`.
    Cast(Box<Cast>),
    /// `EXTRACT(unit FROM x)`.
    Extract {
        /// What.
        unit: TimeUnit,
        /// From what.
        operand: Box<Expr>,
    },
    /// `FLOOR(x TO unit)`, `CEIL(x TO unit)`. Without `TO` they are function calls.
    RoundTime {
        /// CEIL instead of FLOOR.
        up: bool,
        /// The value.
        operand: Box<Expr>,
        /// To which unit.
        unit: TimeUnit,
    },
    /// `TIMESTAMPADD(unit, a, b)`, `TIMESTAMPDIFF(unit, a, b)`.
    TimestampArithmetic(Box<TimestampArithmetic>),
    /// `POSITION(a IN b [FROM c])`.
    Position(Box<Position>),
    /// `SUBSTRING(a FROM b [FOR c])`, `SUBSTRING(a, b[, c])`.
    Substring(Box<Substring>),
    /// `TRIM([[LEADING | TRAILING | BOTH] [a] FROM] b)`.
    Trim(Box<Trim>),
    /// `OVERLAY(a PLACING b FROM c [FOR d])`.
    Overlay(Box<Overlay>),
    /// `CONVERT(x USING charset)`, `TRANSLATE(x USING charset)`.
    Transcode {
        /// TRANSLATE instead of CONVERT.
        translate: bool,
        /// The value.
        operand: Box<Expr>,
        /// The character set.
        charset: Ident,
    },
    /// `INTERVAL x DAY`, `INTERVAL (x + 1) DAY`, `INTERVAL 5 DAYS`: an interval whose amount is computed. (With a quoted
    /// amount it is a literal.)
    Interval {
        /// A minus sign before the amount.
        negative: bool,
        /// How many.
        amount: Box<Expr>,
        /// Of which unit.
        qualifier: IntervalQualifier,
    },
    /// `(a - b) DAY`: a difference of times as an interval.
    MinusInterval {
        /// Minuend.
        left: Box<Expr>,
        /// Subtrahend.
        right: Box<Expr>,
        /// Unit of the result.
        qualifier: IntervalQualifier,
    },
    /// `ARRAY[a, b]`.
    Array(Vec<Expr>),
    /// `ARRAY(SELECT …)`.
    ArrayQuery(Box<Query>),
    /// `MAP[k1, v1, k2, v2]`, in order.
    Map(Vec<Expr>),
    /// `MAP(SELECT …)`.
    MapQuery(Box<Query>),
    /// `MULTISET[a, b]`.
    Multiset(Vec<Expr>),
    /// `MULTISET(SELECT …)`.
    MultisetQuery(Box<Query>),
    /// `ROW(a, b)` or `(a, b)`.
    Row {
        /// With the keyword ROW.
        explicit: bool,
        /// The values.
        values: Vec<Expr>,
    },
    /// `PERIOD (a, b)`.
    Period(Box<(Expr, Expr)>),
    /// `x[i]`: element of an array or value of a map.
    Subscript {
        /// The collection.
        base: Box<Expr>,
        /// Index or key.
        index: Box<Expr>,
    },
    /// `x.field`, where `x` is more than a name: `a[1].b`, `f(x).b`.
    Field {
        /// The row.
        base: Box<Expr>,
        /// The field.
        name: Ident,
    },
    /// `x.f(args)` where `x` is more than a name.
    Method {
        /// Before the dot.
        base: Box<Expr>,
        /// After the dot.
        call: Box<FunctionCall>,
    },
    /// `(SELECT …)` as a value.
    Subquery(Box<Query>),
    /// `CURSOR (SELECT …)`.
    Cursor(Box<Expr>),
    /// `CURRENT_TIMESTAMP`, `USER`…: a function called without parentheses, by its keyword.
    Niladic(Ident),
    /// Any call with parentheses.
    Function(Box<FunctionCall>),
    /// `{fn f(x)}`: a function call or one of the functions with a syntax of their own.
    JdbcFunction(Box<Expr>),
    /// `RUNNING f(…)`, `FINAL f(…)` in MATCH_RECOGNIZE.
    MatchSemantics {
        /// FINAL instead of RUNNING.
        is_final: bool,
        /// A function call, if it is to be valid.
        operand: Box<Expr>,
    },
    /// `JSON_EXISTS(…)`.
    JsonExists(Box<JsonExists>),
    /// `JSON_VALUE(…)`.
    JsonValue(Box<JsonValue>),
    /// `JSON_QUERY(…)`.
    JsonQuery(Box<JsonQuery>),
    /// `JSON_OBJECT(…)`, `JSON_ARRAY(…)`.
    JsonConstructor(Box<JsonConstructor>),
    /// `JSON_OBJECTAGG(…)`, `JSON_ARRAYAGG(…)`.
    JsonAggregate(Box<JsonAggregate>),
    /// `NEXT VALUE FOR s`, `CURRENT VALUE FOR s`.
    Sequence {
        /// NEXT instead of CURRENT.
        next: bool,
        /// The sequence.
        name: ObjectName,
    },
    /// `NEW type(args)`.
    New(Box<FunctionCall>),
    /// `MODEL m`, as an argument of ML_PREDICT and its relatives.
    Model(ObjectName),
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum UnaryOp {
    Plus,
    Minus,
    Not,
}

/// Binary operators but AND and OR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Plus,
    Minus,
    Multiply,
    Divide,
    /// `%`
    Modulo,
    /// `||`
    Concat,
    Eq,
    /// `<>`, `!=`
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    IsDistinctFrom,
    IsNotDistinctFrom,
    MemberOf,
    SubmultisetOf,
    NotSubmultisetOf,
    Contains,
    Overlaps,
    /// The period predicate EQUALS.
    PeriodEquals,
    Precedes,
    Succeeds,
    ImmediatelyPrecedes,
    ImmediatelySucceeds,
    /// `MULTISET UNION [ALL]`
    MultisetUnion,
    MultisetUnionDistinct,
    MultisetIntersect,
    MultisetIntersectDistinct,
    MultisetExcept,
    MultisetExceptDistinct,
}

impl BinaryOp {
    /// One of the six comparisons `= <> < <= > >=`.
    pub fn is_comparison(self) -> bool {
        use BinaryOp::*;
        matches!(self, Eq | NotEq | Lt | LtEq | Gt | GtEq)
    }
}

node! {
    /// `x [NOT] BETWEEN [SYMMETRIC | ASYMMETRIC] low AND high`.
    pub struct Between {
        /// The value.
        pub operand: Expr,
        /// NOT BETWEEN.
        pub negated: bool,
        /// The bounds may stand in either order.
        pub symmetric: bool,
        /// Lower bound, included.
        pub low: Expr,
        /// Upper bound, included.
        pub high: Expr,
    }
}

/// What IN, ANY and ALL look in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InSet {
    /// `(a, b, c)`, not empty.
    List(Vec<Expr>),
    /// `(SELECT …)`.
    Query(Box<Query>),
}

/// ANY or ALL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// ANY, SOME.
    Any,
    /// ALL.
    All,
}

node! {
    /// `x [NOT] LIKE pattern [ESCAPE escape]`.
    pub struct Like {
        /// The value.
        pub operand: Expr,
        /// NOT LIKE.
        pub negated: bool,
        /// Which of the four.
        pub kind: LikeKind,
        /// The pattern.
        pub pattern: Expr,
        /// The escape character.
        pub escape: Option<Expr>,
    }
}

/// The pattern predicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum LikeKind {
    Like,
    ILike,
    RLike,
    SimilarTo,
}

/// What IS tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IsTest {
    Null,
    True,
    False,
    Unknown,
    /// `IS A SET`
    ASet,
    Empty,
    /// `IS JSON`, `IS JSON VALUE`
    JsonValue,
    JsonObject,
    JsonArray,
    JsonScalar,
}

/// ENCODING of FORMAT JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JsonEncoding {
    Utf8,
    Utf16,
    Utf32,
}

node! {
    /// `CASE [operand] WHEN … THEN … [ELSE …] END`.
    pub struct Case {
        /// Of the simple form.
        pub operand: Option<Expr>,
        /// At least one.
        pub branches: Vec<CaseBranch>,
        /// ELSE.
        pub otherwise: Option<Expr>,
    }
}

node! {
    /// `WHEN a, b THEN x`.
    pub struct CaseBranch {
        /// One condition, or in the simple form values, any of which may match.
        pub when: Vec<Expr>,
        /// The result.
        pub then: Expr,
    }
}

node! {
    /// `CAST(x AS t)`.
    pub struct Cast {
        /// The value.
        pub operand: Expr,
        /// The target.
        pub ty: TypeName,
        /// TRY_CAST and SAFE_CAST: NULL instead of a failure.
        pub kind: CastKind,
    }
}

/// Which cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CastKind {
    Cast,
    TryCast,
    /// Parsed by Flink, unknown to its validator.
    SafeCast,
}

node! {
    /// `TIMESTAMPADD(unit, count, time)`, `TIMESTAMPDIFF(unit, from, to)`.
    pub struct TimestampArithmetic {
        /// TIMESTAMPDIFF instead of TIMESTAMPADD.
        pub difference: bool,
        /// The unit.
        pub unit: TimeUnit,
        /// Second argument.
        pub first: Expr,
        /// Third argument.
        pub second: Expr,
    }
}

node! {
    /// `POSITION(needle IN haystack [FROM start])`.
    pub struct Position {
        /// What to find.
        pub needle: Expr,
        /// Where.
        pub haystack: Expr,
        /// From which character, 1 the first.
        pub start: Option<Expr>,
    }
}

node! {
    /// `SUBSTRING(x FROM start [FOR length])`.
    pub struct Substring {
        /// The string.
        pub operand: Expr,
        /// First character, 1 the first.
        pub start: Expr,
        /// How many.
        pub length: Option<Expr>,
    }
}

node! {
    /// `TRIM([side] [chars] FROM x)`.
    pub struct Trim {
        /// Where; BOTH when nothing was written.
        pub side: TrimSide,
        /// What to take away; the space when nothing was written.
        pub chars: Option<Expr>,
        /// From what.
        pub operand: Expr,
    }
}

/// Which end TRIM works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TrimSide {
    Both,
    Leading,
    Trailing,
}

node! {
    /// `OVERLAY(x PLACING replacement FROM start [FOR length])`.
    pub struct Overlay {
        /// The string.
        pub operand: Expr,
        /// What to put in.
        pub replacement: Expr,
        /// From which character, 1 the first.
        pub start: Expr,
        /// How many characters to replace.
        pub length: Option<Expr>,
    }
}

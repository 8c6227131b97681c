//! Literals. Values that need a type to be understood (numbers, dates, intervals) stay text; the binder reads them.

use super::Ident;

node! {
    /// A constant.
    pub struct Literal {
        /// Which.
        pub kind: LiteralKind,
    }
}

/// The kinds of constants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiteralKind {
    /// `NULL`.
    Null,
    /// `TRUE`, `FALSE`.
    Boolean(bool),
    /// `UNKNOWN`, the BOOLEAN null.
    Unknown,
    /// A number without sign; `-1` is [`UnaryOp::Minus`](super::UnaryOp) over `1`, and binds as one literal.
    Number(Number),
    /// `'…'`, `U&'…'`, `E'…'`, `_utf8'…'`, and their continuations, unescaped and joined.
    String(StringLiteral),
    /// `X'0AFF'`.
    Binary(Vec<u8>),
    /// `DATE '…'`, `TIMESTAMP '…'` and relatives: the text between the quotes, not yet checked.
    Temporal {
        /// Which keyword.
        kind: TemporalKind,
        /// Between the quotes.
        text: String,
    },
    /// `INTERVAL '…' DAY TO SECOND`: the text between the quotes, not yet checked.
    Interval(IntervalLiteral),
}

/// A number's text and form; the form decides its type in Flink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// As written: `007`, `1.`, `.5`, `1E-3`. For [`NumberKind::DecimalString`] what stands between the quotes.
    pub text: String,
    /// Which form.
    pub kind: NumberKind,
}

/// The forms of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKind {
    /// Digits only: INT, BIGINT or DECIMAL by size.
    Integer,
    /// With a point: DECIMAL.
    Decimal,
    /// With an exponent: DOUBLE.
    Approximate,
    /// `DECIMAL '1.5'`.
    DecimalString,
}

/// A character string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StringLiteral {
    /// Unescaped.
    pub value: String,
    /// Of `_utf8'…'` (here `utf8`) and `N'…'` (here `N`).
    pub charset: Option<String>,
}

/// The keyword of a date or time literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemporalKind {
    /// `DATE '…'`, `{d '…'}`.
    Date,
    /// `TIME '…'`, `{t '…'}`.
    Time,
    /// `TIMESTAMP '…'`, `{ts '…'}`.
    Timestamp,
    /// `TIMESTAMP WITH LOCAL TIME ZONE '…'`.
    TimestampLtz,
    /// `DATETIME '…'` (Flink parses and then refuses it).
    Datetime,
}

/// `INTERVAL [-] '1 10:00' DAY TO MINUTE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalLiteral {
    /// A minus sign before the quotes (one inside them is part of `text`).
    pub negative: bool,
    /// Between the quotes.
    pub text: String,
    /// The unit or units.
    pub qualifier: IntervalQualifier,
}

node! {
    /// `DAY(3) TO SECOND(6)`.
    pub struct IntervalQualifier {
        /// First and often only unit.
        pub from: IntervalUnit,
        /// Digits of the first unit.
        pub precision: Option<u32>,
        /// Last unit.
        pub to: Option<IntervalUnit>,
        /// Digits after the point, where the last unit is SECOND.
        pub fraction: Option<u32>,
    }
}

/// A unit of an interval. Plural forms are the same units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // They are their own names.
pub enum IntervalUnit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

node! {
    /// The unit of `EXTRACT(DOW FROM …)`, `FLOOR(… TO MONTH)`, `TIMESTAMPADD(HOUR, …)`.
    pub struct TimeUnit {
        /// Which.
        pub kind: TimeUnitKind,
    }
}

/// The units of time functions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Most are their own names.
pub enum TimeUnitKind {
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    DayOfWeek,
    DayOfYear,
    IsoDayOfWeek,
    IsoYear,
    Week,
    /// `WEEK(MONDAY)`, with the day's name.
    WeekFrom(Ident),
    Month,
    Quarter,
    Year,
    Epoch,
    Decade,
    Century,
    Millennium,
    /// Any other name, such as `SQL_TSI_DAY`; the binder knows the abbreviations.
    Name(Ident),
}

//! Built-in functions by family, and the names under which the binder finds them.
//!
//! # What SQL forms are called
//!
//! A function is registered under its SQL name in upper case. Operators and special forms have these names (arguments in this order):
//!
//! | SQL | name | arguments |
//! |---|---|---|
//! | `a = b`, `<>` (`!=`), `<`, `<=`, `>`, `>=` | the symbol | a, b |
//! | `a + b`, `-`, `*`, `/`, `%`, `MOD(a, b)` | the symbol, `MOD` | a, b |
//! | `-a`; `+a` | `-`; nothing (the binder drops it) | a |
//! | `a \|\| b` | `\|\|` | a, b |
//! | `NOT a` | `NOT` | a |
//! | `a IS [NOT] NULL`, `TRUE`, `FALSE`, `UNKNOWN` | `IS NULL`, `IS NOT NULL`, `IS TRUE`, … | a |
//! | `a IS [NOT] DISTINCT FROM b` | `IS DISTINCT FROM`, `IS NOT DISTINCT FROM` | a, b |
//! | `a [NOT] IN (x, y)` | `IN`, under `NOT` | a, x, y, … (expressions; literals make a hash set) |
//! | `a BETWEEN x AND y` | binder: `a >= x AND a <= y`; SYMMETRIC adds `OR (a >= y AND a <= x)`; `NOT` around it | |
//! | `a [NOT] LIKE p [ESCAPE e]`, `SIMILAR TO` | `LIKE`, `SIMILAR TO`, under `NOT` | a, p [, e] |
//! | `EXTRACT(YEAR FROM a)` | `EXTRACT` | literal `'YEAR'`, a |
//! | `FLOOR(a TO DAY)`, `CEIL(a TO DAY)` | `FLOOR`, `CEIL` | a, literal `'DAY'` |
//! | `TRIM([BOTH\|LEADING\|TRAILING] [c FROM] a)` | `TRIM` | literal `'BOTH'`, c (`' '`), a |
//! | `SUBSTRING(a FROM n FOR m)` | `SUBSTRING` | a, n [, m] |
//! | `POSITION(x IN a)` | `POSITION` | x, a |
//! | `OVERLAY(a PLACING b FROM n [FOR m])` | `OVERLAY` | a, b, n [, m] |
//! | `TIMESTAMPADD(DAY, n, a)`, `TIMESTAMPDIFF(DAY, a, b)` | the name | literal `'DAY'`, … |
//! | `a[i]`, `m['k']` | `ITEM` | a, i |
//! | `ARRAY[…]`, `MAP[…]`, `ROW(…)` and `(a, b)` | `ARRAY`, `MAP`, `ROW` | the elements |
//! | `CURRENT_TIMESTAMP`, `LOCALTIME`, … | the name | none |
//! | `CURRENT_WATERMARK(ts)` | the name | the rowtime column |
//!
//! `AND`, `OR`, `CASE`, `COALESCE` are forms of [`Expr`](super::Expr); `IF`, `IFNULL` and `NULLIF` are bound here as functions that see
//! all their arguments evaluated, so the binder should rather write `IF(c, a, b)` as CASE and `IFNULL(a, b)` as COALESCE, which guard
//! (their result types are [`common_type`](super::coercion::common_type)). `CAST` and `TRY_CAST` go through
//! [`bind_cast`](super::bind_cast). A unit, mode or pattern must be a literal where Flink wants one.
//!
//! # Result types
//!
//! A bound function says which argument types its kernel wants; they differ from the given ones only where a cast is needed. A result is nullable
//! when an argument is, unless the function says otherwise. No result carries a time attribute but PROCTIME's.

mod arithmetic;
mod array;
mod bitmap;
mod clock;
mod collection;
mod comparison;
mod conditional;
mod datetime_letters;
mod datetime_pattern;
mod encoding;
mod examples;
mod flink;
mod hash;
mod inspect;
mod json_construct;
mod json_query;
mod map;
mod math;
mod membership;
mod parameter;
mod pattern;
mod printf;
mod random;
mod string;
mod temporal;
mod temporal_text;
mod url;
mod variant;

pub(super) use examples::complete;
pub use flink::{FLINK_AGGREGATES, FLINK_FUNCTIONS};
pub use json_construct::JsonRow;

use super::function::{BoundFunction, Call, FunctionDoc, Registry, ScalarFunction};
use crate::batch::{Column, ColumnData, DataType, TypeKind};
use crate::error::Result;
use std::sync::Arc;

/// All built-in functions and aggregates.
pub fn builtin() -> Registry {
    let mut r = Registry::default();
    comparison::register(&mut r);
    membership::register(&mut r);
    arithmetic::register(&mut r);
    string::register(&mut r);
    pattern::register(&mut r);
    math::register(&mut r);
    temporal::register(&mut r);
    temporal_text::register(&mut r);
    clock::register(&mut r);
    conditional::register(&mut r);
    collection::register(&mut r);
    array::register(&mut r);
    map::register(&mut r);
    url::register(&mut r);
    variant::register(&mut r);
    bitmap::register(&mut r);
    inspect::register(&mut r);
    random::register(&mut r);
    printf::register(&mut r);
    encoding::register(&mut r);
    hash::register(&mut r);
    json_query::register(&mut r);
    json_construct::register(&mut r);
    super::aggregates::register(&mut r);
    r
}

/// A function that is its documentation and a bind step.
struct Builtin {
    doc: FunctionDoc,
    bind: fn(&Call<'_>) -> Result<BoundFunction>,
}

impl ScalarFunction for Builtin {
    fn doc(&self) -> &FunctionDoc {
        &self.doc
    }

    fn bind(&self, call: &Call<'_>) -> Result<BoundFunction> {
        (self.bind)(call)
    }
}

impl Registry {
    fn builtin(&mut self, doc: FunctionDoc, bind: fn(&Call<'_>) -> Result<BoundFunction>) {
        self.add_scalar(Arc::new(Builtin { doc: examples::complete(doc), bind }));
    }
}

impl Call<'_> {
    /// Some argument may be NULL.
    fn nullable(&self) -> bool {
        self.args.iter().any(|a| a.ty.nullable)
    }

    /// A result type that is nullable when an argument is.
    fn result(&self, kind: TypeKind) -> DataType {
        DataType { kind, nullable: self.nullable(), time: Default::default() }
    }

    /// The kind of argument `i`.
    fn kind(&self, i: usize) -> &TypeKind {
        &self.args[i].ty.kind
    }

    /// Argument `i` as another kind, of the same nullability.
    fn wanted(&self, i: usize, kind: TypeKind) -> DataType {
        DataType { kind, nullable: self.args[i].ty.nullable, time: Default::default() }
    }

    /// The arguments as they are.
    fn as_given(&self) -> Vec<DataType> {
        self.args.iter().map(|a| a.ty.clone()).collect()
    }

    /// The text of a literal argument.
    fn literal_text(&self, i: usize) -> Option<&str> {
        let c: &Column = self.args.get(i)?.literal.as_deref()?;
        match &c.data {
            ColumnData::Bytes(b) if c.is_valid(0) => std::str::from_utf8(b.get(0)).ok(),
            _ => None,
        }
    }

    /// The number of an integer literal argument.
    fn literal_integer(&self, i: usize) -> Option<i64> {
        let c: &Column = self.args.get(i)?.literal.as_deref()?;
        if !c.is_valid(0) {
            return None;
        }
        match &c.data {
            ColumnData::I8(b) => Some(b[0].into()),
            ColumnData::I16(b) => Some(b[0].into()),
            ColumnData::I32(b) => Some(b[0].into()),
            ColumnData::I64(b) => Some(b[0]),
            _ => None,
        }
    }

    /// Checks the number of arguments.
    fn count(&self, range: std::ops::RangeInclusive<usize>) -> Result<()> {
        if range.contains(&self.args.len()) {
            return Ok(());
        }
        let (a, b) = (range.start(), range.end());
        Err(self.wrong_count(&if a == b { a.to_string() } else { format!("{a} to {b}") }))
    }
}

/// Calls that the batch test tries besides the operators.
#[cfg(test)]
fn more_shapes() -> Vec<(&'static str, Vec<TypeKind>)> {
    use TypeKind::*;
    let s = || TypeKind::STRING;
    vec![
        ("||", vec![s(), Char(3)]),
        ("CONCAT", vec![s(), s(), s()]),
        ("CONCAT_WS", vec![s(), s(), s()]),
        ("UPPER", vec![s()]),
        ("INITCAP", vec![s()]),
        ("LTRIM", vec![s(), s()]),
        ("BTRIM", vec![s()]),
        ("SUBSTRING", vec![s(), Int]),
        ("SUBSTRING", vec![s(), TinyInt, TinyInt]),
        ("LEFT", vec![s(), TinyInt]),
        ("RIGHT", vec![s(), TinyInt]),
        ("CHAR_LENGTH", vec![s()]),
        ("POSITION", vec![s(), s()]),
        ("LOCATE", vec![s(), s(), TinyInt]),
        ("REPLACE", vec![s(), s(), s()]),
        ("TRANSLATE", vec![s(), s(), s()]),
        ("SPLIT_INDEX", vec![s(), s(), TinyInt]),
        ("LPAD", vec![s(), TinyInt, s()]),
        ("RPAD", vec![s(), TinyInt, s()]),
        ("REPEAT", vec![s(), TinyInt]),
        ("REVERSE", vec![s()]),
        ("ASCII", vec![s()]),
        ("CHR", vec![SmallInt]),
        ("OVERLAY", vec![s(), s(), TinyInt, TinyInt]),
        ("STARTSWITH", vec![s(), s()]),
        ("ELT", vec![TinyInt, s(), s()]),
        ("LIKE", vec![s(), s()]),
        ("SIMILAR TO", vec![s(), s()]),
        ("REGEXP", vec![s(), s()]),
        ("REGEXP_EXTRACT", vec![s(), s(), TinyInt]),
        ("REGEXP_REPLACE", vec![s(), s(), s()]),
        ("REGEXP_COUNT", vec![s(), s()]),
        ("REGEXP_EXTRACT_ALL", vec![s(), s(), TinyInt]),
        ("ABS", vec![Decimal(10, 2)]),
        ("SIGN", vec![Double]),
        ("ROUND", vec![Decimal(10, 2), TinyInt]),
        ("ROUND", vec![Double, TinyInt]),
        ("TRUNCATE", vec![Int, TinyInt]),
        ("FLOOR", vec![Decimal(10, 2)]),
        ("POWER", vec![Double, Int]),
        ("NULLIF", vec![Int, Decimal(10, 2)]),
        ("NULLIF", vec![s(), s()]),
        ("IFNULL", vec![s(), s()]),
        ("IF", vec![Boolean, Int, BigInt]),
        ("GREATEST", vec![Int, Double, Decimal(10, 2)]),
        ("LEAST", vec![s(), s(), s()]),
        ("ARRAY", vec![s(), s()]),
        ("MAP", vec![s(), Int, s(), Int]),
        ("ROW", vec![s(), Int]),
        ("HOUR", vec![Timestamp(3)]),
        ("WEEK", vec![Date]),
        ("TO_TIMESTAMP", vec![s()]),
        ("TO_TIMESTAMP_LTZ", vec![BigInt]),
        ("TO_DATE", vec![s()]),
        ("DATE_FORMAT", vec![Timestamp(3), s()]),
        ("FROM_UNIXTIME", vec![Int]),
        ("UNIX_TIMESTAMP", vec![s()]),
        ("MD5", vec![s()]),
        ("SHA224", vec![s()]),
        ("HEX", vec![s()]),
        ("HEX", vec![SmallInt]),
        ("UNHEX", vec![s()]),
        ("TO_BASE64", vec![s()]),
        ("FROM_BASE64", vec![s()]),
        ("URL_ENCODE", vec![s()]),
        ("URL_DECODE", vec![s()]),
        ("JSON_QUOTE", vec![s()]),
        ("JSON_UNQUOTE", vec![s()]),
        ("JSON_STRING", vec![Decimal(10, 2)]),
        ("IS JSON VALUE", vec![s()]),
        ("TRY_PARSE_JSON", vec![s()]),
        ("SPLIT", vec![s(), s()]),
        ("STR_TO_MAP", vec![s()]),
        ("REGEXP_INSTR", vec![s(), s()]),
    ]
}

#[cfg(test)]
mod models;
#[cfg(test)]
mod tests;

/// For tests of other parts: a column from texts.
#[cfg(test)]
pub(crate) use tests::column as test_column;

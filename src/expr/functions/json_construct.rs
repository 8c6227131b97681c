//! JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON, JSON_QUOTE and JSON_UNQUOTE: SQL values as JSON.
//!
//! How a type is written is settled when binding ([`Shape`]); a row then writes straight into the result's arena. Objects come out with
//! sorted keys, ROWs too, as Flink does it.

use super::encoding::write_base64;
use crate::batch::text::civil;
use crate::batch::text::{Style, moment, number, write_value};
use crate::batch::{Column, ColumnData, ColumnRef, DataType, Field, Schema, TypeKind, decimal};
use crate::error::{Error, Result};
use crate::expr::coercion::message_name;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::json::{Document, JsonWriter, Kind, Root, unescape, write_big_decimal, write_string};
use crate::expr::kernels::text::{build, try_build};
use crate::expr::kernels::{fallible, infallible};
use crate::expr::{Arg, RowError};
use jiff::tz::TimeZone;
use std::sync::Arc;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "JSON", signatures, text, examples }, bind);
    };
    add(
        &["JSON_OBJECT"],
        &["[[KEY] key VALUE value, ...] [{ NULL | ABSENT } ON NULL]"],
        "An object with sorted keys; of equal keys the last counts. NULL ON NULL when absent. JSON made by JSON_OBJECT, JSON_ARRAY and JSON is nested as it is.",
        &[("JSON_OBJECT('b' VALUE 1, KEY 'a' VALUE JSON_ARRAY(TRUE))", "{\"a\":[true],\"b\":1}")],
        object,
    );
    add(
        &["JSON_ARRAY"],
        &["[value, ...] [{ NULL | ABSENT } ON NULL]"],
        "An array. ABSENT ON NULL when absent.",
        &[("JSON_ARRAY(1, 'x', CAST(NULL AS INT))", "[1,\"x\"]")],
        array,
    );
    add(
        &["JSON_STRING"],
        &["value"],
        "Any value as JSON.",
        &[("JSON_STRING(ARRAY['a', 'b'])", "[\"a\",\"b\"]")],
        string,
    );
    add(
        &["JSON"],
        &["text"],
        "JSON text to be nested as it is, as a value of JSON_OBJECT or JSON_ARRAY; it stands nowhere else.",
        &[("JSON_ARRAY(JSON('{\"b\": 1}'))", "[{\"b\":1}]")],
        json,
    );
    add(
        &["JSON_QUOTE"],
        &["text"],
        "The text as a JSON string, in ASCII.",
        &[("JSON_QUOTE('a/é')", "\"a\\\\/\\\\u00e9\"")],
        |call| text_function(call, quote),
    );
    add(
        &["JSON_UNQUOTE"],
        &["json"],
        "The text of a JSON string; anything else as it is.",
        &[("JSON_UNQUOTE('\"a\\u0062\"')", "ab")],
        |call| text_function(call, unquote),
    );
}

/// How values of a type are written.
#[derive(Clone, Debug)]
enum Shape {
    Boolean,
    Integer,
    Float,
    Double,
    Decimal(u8),
    Text,
    /// JSON already.
    Raw,
    Binary,
    Timestamp,
    Zoned,
    Array(Box<Shape>),
    Map(Box<Shape>),
    /// Name, field number and shape, sorted by name.
    Row(Vec<(Vec<u8>, usize, Shape)>),
}

impl Shape {
    /// `Err` holds the type that has no JSON form.
    fn of(kind: &TypeKind) -> std::result::Result<Self, TypeKind> {
        use TypeKind::*;
        Ok(match kind {
            Boolean => Shape::Boolean,
            TinyInt | SmallInt | Int | BigInt => Shape::Integer,
            Float => Shape::Float,
            Double => Shape::Double,
            Decimal(_, s) => Shape::Decimal(*s),
            Char(_) | VarChar(_) => Shape::Text,
            Variant => Shape::Raw,
            Binary(_) | VarBinary(_) => Shape::Binary,
            Timestamp(_) => Shape::Timestamp,
            TimestampLtz(_) => Shape::Zoned,
            Array(of) => Shape::Array(Box::new(Shape::of(&of.kind)?)),
            Map(k, v) if k.kind.is_character() => Shape::Map(Box::new(Shape::of(&v.kind)?)),
            Multiset(k) if k.kind.is_character() => Shape::Map(Box::new(Shape::Integer)),
            Row(fields) => {
                let mut shapes = fields
                    .iter()
                    .enumerate()
                    .map(|(i, f)| Ok((f.name.clone().into_bytes(), i, Shape::of(&f.ty.kind)?)))
                    .collect::<std::result::Result<Vec<_>, TypeKind>>()?;
                shapes.sort_by(|a, b| a.0.cmp(&b.0));
                Shape::Row(shapes)
            }
            other => return Err(other.clone()),
        })
    }

    /// Writes row `i` of a column.
    fn write(&self, c: &Column, i: usize, out: &mut Vec<u8>) {
        if !c.is_valid(i) {
            out.extend_from_slice(b"null");
            return;
        }
        match self {
            Shape::Boolean => out.extend_from_slice(if c.bools().get(i) { b"true" } else { b"false" }),
            Shape::Integer => number::write_i64(integer(c, i), out),
            Shape::Float => write_double(c.slice::<f32>()[i].into(), out),
            Shape::Double => write_double(c.slice::<f64>()[i], out),
            Shape::Decimal(s) => {
                let start = out.len();
                decimal::write(c.slice::<i128>()[i], *s, out);
                // Plain digits are also what a BigDecimal prints, but for small values.
                let small = out[start..].strip_prefix(b"-").unwrap_or(&out[start..]).starts_with(b"0.000000");
                if small {
                    let text = out.split_off(start);
                    write_big_decimal(&text, out);
                }
            }
            Shape::Text => write_string(c.byte_column().get(i), out),
            Shape::Raw => out.extend_from_slice(c.byte_column().get(i)),
            Shape::Binary => {
                out.push(b'"');
                write_base64(c.byte_column().get(i), out);
                out.push(b'"');
            }
            Shape::Timestamp | Shape::Zoned => {
                let m = moment(c, i);
                out.push(b'"');
                civil::write_date(m.days(), out);
                out.push(b'T');
                let start = out.len();
                civil::write_timestamp(m, 9, out);
                // `2024-01-02 03:04:05.120000000`: the clock without the zeros at its end.
                let clock = start + out[start..].iter().position(|b| *b == b' ').map_or(0, |p| p + 1);
                out.drain(start..clock);
                let zeros = out[start..].iter().rev().take_while(|b| **b == b'0').count();
                if m.nanos == 0 {
                    out.truncate(start + 8);
                } else if matches!(self, Shape::Timestamp) {
                    out.truncate(out.len() - zeros);
                } else {
                    out.truncate(out.len() - zeros / 3 * 3);
                }
                if matches!(self, Shape::Zoned) {
                    out.push(b'Z');
                }
                out.push(b'"');
            }
            Shape::Array(of) => {
                let ColumnData::List { offsets, child } = &c.data else { unreachable!("ARRAY is a list") };
                out.push(b'[');
                for e in offsets[i]..offsets[i + 1] {
                    if e > offsets[i] {
                        out.push(b',');
                    }
                    of.write(child, e as usize, out);
                }
                out.push(b']');
            }
            Shape::Map(of) => {
                let ColumnData::Map { offsets, keys, values } = &c.data else { unreachable!("MAP is a map") };
                let mut entries: Vec<usize> = (offsets[i] as usize..offsets[i + 1] as usize).collect();
                entries.sort_by(|a, b| keys.byte_column().get(*a).cmp(keys.byte_column().get(*b)));
                out.push(b'{');
                for (n, e) in entries.into_iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    write_string(if keys.is_valid(e) { keys.byte_column().get(e) } else { b"null" }, out);
                    out.push(b':');
                    of.write(values, e, out);
                }
                out.push(b'}');
            }
            Shape::Row(fields) => {
                let ColumnData::Row(columns) = &c.data else { unreachable!("ROW has fields") };
                out.push(b'{');
                for (n, (name, field, shape)) in fields.iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    write_string(name, out);
                    out.push(b':');
                    shape.write(&columns[*field], i, out);
                }
                out.push(b'}');
            }
        }
    }
}

/// Rows as JSON objects. Values that JSON cannot hold are texts.
pub struct JsonRow(Vec<(Vec<u8>, DataType, Option<Shape>)>);

impl JsonRow {
    /// Rows of that schema.
    pub fn of(schema: &Schema) -> Self {
        let field = |f: &Field| (f.name.clone().into_bytes(), f.ty.clone(), Shape::of(&f.ty.kind).ok());
        Self(schema.fields.iter().map(field).collect())
    }

    /// Writes row `row` of these columns.
    pub fn write(&self, columns: &[ColumnRef], row: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        for (n, ((name, ty, shape), column)) in self.0.iter().zip(columns).enumerate() {
            out.extend_from_slice(if n > 0 { b"," } else { b"" });
            write_string(name, out);
            out.push(b':');
            match shape {
                Some(shape) => shape.write(column, row, out),
                None => {
                    let mut text = Vec::new();
                    write_value(column, row, ty, &TimeZone::UTC, Style::Cast, &mut text);
                    write_string(&text, out);
                }
            }
        }
        out.push(b'}');
    }
}

fn integer(c: &Column, i: usize) -> i64 {
    match &c.data {
        ColumnData::I8(b) => b[i].into(),
        ColumnData::I16(b) => b[i].into(),
        ColumnData::I32(b) => b[i].into(),
        ColumnData::I64(b) => b[i],
        _ => unreachable!("an integer"),
    }
}

/// As Java's `BigDecimal.valueOf(double)` prints.
fn write_double(v: f64, out: &mut Vec<u8>) {
    if !v.is_finite() {
        out.push(b'"');
        number::write_f64(v, out);
        out.push(b'"');
        return;
    }
    let start = out.len();
    number::write_f64(v, out);
    if out[start..].contains(&b'E') || v.abs() < 1e-6 {
        let text = out.split_off(start);
        write_big_decimal(&text, out);
    }
}

fn shape_of(call: &Call<'_>, i: usize, raw: bool) -> Result<Shape> {
    let kind = call.kind(i);
    if raw {
        return Ok(Shape::Raw);
    }
    Shape::of(kind).map_err(|part| {
        let text = format!("a value of type {} cannot be written as JSON", message_name(&part));
        let span = call.args[i].span;
        // Flink knows of the newest type before it plans.
        let error = match part {
            TypeKind::Bitmap => Error::validation(text, span),
            _ => Error::planning(text, span),
        };
        error.hint("cast it to STRING")
    })
}

/// The first two arguments of a constructor: NULL or ABSENT, and for each value `1` where it is JSON already.
fn clauses(call: &Call<'_>) -> (bool, Vec<bool>) {
    let absent = call.literal_text(0) == Some("ABSENT");
    (absent, call.literal_text(1).unwrap_or_default().bytes().map(|b| b == b'1').collect())
}

fn object(call: &Call<'_>) -> Result<BoundFunction> {
    let (absent, raw) = clauses(call);
    let mut members = vec![];
    for (n, at) in (2..call.args.len()).step_by(2).enumerate() {
        if !call.kind(at).is_character() {
            return Err(Error::validation(
                format!("a key of JSON_OBJECT is a string, not {}", message_name(call.kind(at))),
                call.args[at].span,
            ));
        }
        if call.args[at].literal.as_ref().is_some_and(|l| !l.is_valid(0)) {
            return Err(Error::validation("a key of JSON_OBJECT is not NULL", call.args[at].span));
        }
        members.push((at, at + 1, shape_of(call, at + 1, raw.get(n).copied().unwrap_or(false))?));
    }
    let fixed = members.iter().all(|m| call.args[m.0].literal.is_some());
    if fixed {
        // Sorted once; the last of equal keys counts.
        let text = |at: usize| call.literal_text(at).unwrap_or_default();
        members.reverse();
        members.sort_by(|a, b| text(a.0).encode_utf16().cmp(text(b.0).encode_utf16()));
        members.dedup_by(|b, a| text(a.0) == text(b.0));
    }
    let members = Arc::new(members);
    Ok(fallible(call.as_given(), TypeKind::STRING.not_null(), move |a, sel, _, out| {
        let mut order: Vec<usize> = (0..members.len()).collect();
        try_build(&[], sel, out, |i, to| {
            if !fixed {
                sort_keys(a, &members, i, &mut order)?;
            }
            to.push(b'{');
            let mut first = true;
            for &n in &order {
                let (key, value, shape) = &members[n];
                if absent && !a[*value].is_valid(i) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    to.push(b',');
                }
                write_string(a[*key].bytes(i), to);
                to.push(b':');
                shape.write(a[*value].column, a[*value].at(i), to);
            }
            to.push(b'}');
            Ok(true)
        })
    }))
}

/// The members of row `i` in the order of their keys, each key once, the last one's value.
fn sort_keys(
    a: &[Arg<'_>],
    members: &[(usize, usize, Shape)],
    i: usize,
    order: &mut Vec<usize>,
) -> std::result::Result<(), RowError> {
    if members.iter().any(|m| !a[m.0].is_valid(i)) {
        return Err(RowError::runtime(i, "a key of JSON_OBJECT is NULL"));
    }
    let key = |n: usize| a[members[n].0].bytes(i);
    order.clear();
    order.extend((0..members.len()).rev());
    order.sort_by(|x, y| key(*x).cmp(key(*y)));
    order.dedup_by(|y, x| key(*x) == key(*y));
    Ok(())
}

fn array(call: &Call<'_>) -> Result<BoundFunction> {
    let (absent, raw) = clauses(call);
    let shapes = (2..call.args.len())
        .map(|i| shape_of(call, i, raw.get(i - 2).copied().unwrap_or(false)))
        .collect::<Result<Vec<_>>>()?;
    let shapes = Arc::new(shapes);
    Ok(infallible(call.as_given(), TypeKind::STRING.not_null(), move |a, sel, _, out| {
        build(&[], sel, out, |i, to| {
            to.push(b'[');
            let mut first = true;
            for (x, shape) in a[2..].iter().zip(shapes.iter()) {
                if absent && !x.is_valid(i) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    to.push(b',');
                }
                shape.write(x.column, x.at(i), to);
            }
            to.push(b']');
            true
        });
    }))
}

fn string(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let shape = match call.kind(0) {
        TypeKind::Date | TypeKind::Time(_) | TypeKind::IntervalMonths(_) | TypeKind::IntervalMillis(_) => {
            return Err(call.wrong_types(&[
                "CHARACTER",
                "BOOLEAN",
                "NUMERIC",
                "BINARY",
                "TIMESTAMP",
                "ARRAY",
                "MAP",
                "ROW",
            ]));
        }
        TypeKind::Null => return Err(call.wrong_types(&["a value with a type"])),
        _ => shape_of(call, 0, false)?,
    };
    Ok(infallible(call.as_given(), call.result(TypeKind::STRING), move |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            shape.write(a[0].column, a[0].at(i), to);
            true
        });
    }))
}

fn json(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !call.kind(0).is_character() {
        return Err(call.wrong_types(&["CHARACTER"]));
    }
    Ok(fallible(call.as_given(), TypeKind::STRING.nullable(), |a, sel, _, out| {
        let (mut document, mut writer) = (Document::default(), JsonWriter::default());
        try_build(a, sel, out, |i, to| {
            let text = a[0].bytes(i).trim_ascii();
            if text.is_empty() {
                return Ok(false);
            }
            document.parse(text).map_err(|e| {
                RowError::runtime(
                    i,
                    format!("JSON() got no JSON, from byte {} on: {}", e.at, String::from_utf8_lossy(text)),
                )
            })?;
            writer.node(Root { document: &document, text }, 0, to);
            Ok(true)
        })
    }))
}

fn text_function(call: &Call<'_>, f: fn(&[u8], &mut Document, &mut Vec<u8>)) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !call.kind(0).is_character() {
        return Err(call.wrong_types(&["CHARACTER"]));
    }
    Ok(infallible(call.as_given(), call.result(TypeKind::STRING), move |a, sel, _, out| {
        let mut document = Document::default();
        build(a, sel, out, |i, to| {
            f(a[0].bytes(i), &mut document, to);
            true
        });
    }))
}

fn quote(text: &[u8], _: &mut Document, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in String::from_utf8_lossy(text).chars() {
        match c {
            '"' | '\\' | '/' => out.extend_from_slice(&[b'\\', c as u8]),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if c.is_ascii() => out.push(c as u8),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(b"\\u");
                    for b in unit.to_be_bytes() {
                        out.extend(crate::batch::text::hex(b).map(|h| h.to_ascii_lowercase()));
                    }
                }
            }
        }
    }
    out.push(b'"');
}

fn unquote(text: &[u8], document: &mut Document, out: &mut Vec<u8>) {
    let inside = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\""));
    match inside {
        Some(inside)
            if document.parse(text).is_ok() && matches!(document.kind(0), Kind::Str | Kind::Escaped) =>
        {
            unescape(inside, out);
        }
        _ => out.extend_from_slice(text),
    }
}

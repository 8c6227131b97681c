//! PRINTF: `java.util.Formatter` in English, over the values as Flink holds them.
//!
//! That shows: DATE and TIME are integers (days, milliseconds), DECIMAL and times are objects that `%s` and `%b` alone can print. What Java's formatter
//! refuses makes the row NULL. What prints the address of an object (arrays, binary, …) is refused when binding; `%h` and `%a`, and
//! `%t` of a BIGINT, where they are met.

use crate::batch::text::{civil, moment, number};
use crate::batch::{ColumnData, TypeKind, decimal};
use crate::error::{Error, Result};
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::fallible;
use crate::expr::kernels::text::try_build;
use crate::expr::{Arg, RowError};

pub(super) fn register(r: &mut Registry) {
    r.builtin(
        FunctionDoc {
            names: &["PRINTF"],
            family: "string",
            signatures: &["format, value, ..."],
            text: "The values in a format of Java's Formatter; NULL where that refuses it. DATE and TIME are integers there, DECIMAL and timestamps go with %s.",
            examples: &[
                ("PRINTF('%05d|%-4s|%,.2f', 42, 'ab', CAST(1234.5 AS DOUBLE))", "00042|ab  |1,234.50"),
                ("PRINTF('%d', 'x') IS NULL", "true"),
            ],
        },
        bind,
    );
}

fn bind(call: &Call<'_>) -> Result<BoundFunction> {
    if call.args.is_empty() || !(call.kind(0).is_character() || *call.kind(0) == TypeKind::Null) {
        return Err(call.wrong_types(&["CHARACTER, ..."]));
    }
    let printable = |k: &TypeKind| {
        use TypeKind::*;
        k.is_character()
            || k.is_numeric()
            || k.is_timestamp()
            || matches!(k, Boolean | Date | Time(_) | IntervalMonths(_) | IntervalMillis(_) | Null)
    };
    if let Some(a) = call.args.iter().find(|a| !printable(&a.ty.kind)) {
        let what = format!("PRINTF of {} (Flink prints an address)", a.ty.kind);
        return Err(Error::unsupported(what, a.span).hint("CAST it to STRING"));
    }
    let kinds: Vec<TypeKind> = call.args[1..].iter().map(|a| a.ty.kind.clone()).collect();
    let mut args = call.as_given();
    if *call.kind(0) == TypeKind::Null {
        args[0] = TypeKind::STRING.nullable();
    }
    let fixed = call.literal_text(0).map(|t| parse(t).ok());
    Ok(fallible(args, TypeKind::STRING.nullable(), move |a, sel, _, out| {
        let mut parsed: Option<(Vec<u8>, Option<Vec<Piece>>)> = None;
        try_build(&a[..1], sel, out, |i, to| {
            let pieces = match &fixed {
                Some(p) => p,
                None => {
                    let text = a[0].bytes(i);
                    if parsed.as_ref().is_none_or(|p| p.0 != text) {
                        parsed = Some((text.to_vec(), parse(&String::from_utf8_lossy(text)).ok()));
                    }
                    &parsed.as_ref().expect("just set").1
                }
            };
            let Some(pieces) = pieces else { return Ok(false) };
            match print(pieces, &a[1..], &kinds, i, to) {
                Ok(()) => Ok(true),
                Err(Refusal::Java) => Ok(false),
                Err(Refusal::Ours(what)) => {
                    Err(RowError::runtime(i, format!("PRINTF: {what} is not supported")))
                }
            }
        })
    }))
}

/// Why there is no text.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// Java's formatter throws: the value is NULL.
    Java,
    /// Pelton cannot do it.
    Ours(&'static str),
}

/// A part of a format.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Spec(Spec),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flags {
    left: bool,
    alternate: bool,
    plus: bool,
    space: bool,
    zero: bool,
    group: bool,
    parentheses: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Spec {
    /// From 1; 0 is the one before (`<`); absent: the next.
    index: Option<usize>,
    flags: Flags,
    width: Option<usize>,
    precision: Option<usize>,
    /// In lower case.
    conversion: char,
    upper: bool,
}

/// Bounds what a format can ask for in memory.
const MAX_WIDTH: usize = 100_000;

fn parse(format: &str) -> std::result::Result<Vec<Piece>, Refusal> {
    let mut pieces = vec![];
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].to_string()));
        }
        let (spec, after) = specifier(&rest[at + 1..])?;
        pieces.push(Piece::Spec(spec));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_string()));
    }
    Ok(pieces)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn size(text: &str) -> std::result::Result<usize, Refusal> {
    text.parse().ok().filter(|&n| n <= MAX_WIDTH).ok_or(Refusal::Java)
}

fn specifier(mut rest: &str) -> std::result::Result<(Spec, &str), Refusal> {
    let mut index = None;
    let (number, after) = digits(rest);
    if let Some(after) = after.strip_prefix('$').filter(|_| !number.is_empty()) {
        index = Some(number.parse().ok().filter(|&n| n > 0).ok_or(Refusal::Java)?);
        rest = after;
    }
    let mut flags = Flags::default();
    while let Some(c) = rest.chars().next() {
        let flag = match c {
            '-' => &mut flags.left,
            '#' => &mut flags.alternate,
            '+' => &mut flags.plus,
            ' ' => &mut flags.space,
            '0' => &mut flags.zero,
            ',' => &mut flags.group,
            '(' => &mut flags.parentheses,
            '<' => {
                index = Some(0);
                rest = &rest[1..];
                continue;
            }
            _ => break,
        };
        if std::mem::replace(flag, true) {
            return Err(Refusal::Java);
        }
        rest = &rest[1..];
    }
    let (width, after) = digits(rest);
    rest = after;
    let width = if width.is_empty() { None } else { Some(size(width)?) };
    let mut precision = None;
    if let Some(after) = rest.strip_prefix('.') {
        let (number, after) = digits(after);
        precision = Some(size(number)?);
        rest = after;
    }
    let mut c = rest.chars().next().ok_or(Refusal::Java)?;
    rest = &rest[c.len_utf8()..];
    let mut upper = c.is_ascii_uppercase();
    if c.eq_ignore_ascii_case(&'t') {
        // The unit of the time.
        let unit = rest.chars().next().ok_or(Refusal::Java)?;
        rest = &rest[unit.len_utf8()..];
        c = 't';
    }
    let conversion = c.to_ascii_lowercase();
    if upper && !matches!(conversion, 'b' | 'h' | 's' | 'c' | 'x' | 'e' | 'g' | 'a' | 't') {
        return Err(Refusal::Java);
    }
    upper &= conversion != 't';
    let spec = Spec { index, flags, width, precision, conversion, upper };
    check(&spec)?;
    Ok((spec, rest))
}

/// What Java refuses whatever the value.
fn check(s: &Spec) -> std::result::Result<(), Refusal> {
    let f = &s.flags;
    let signs = f.plus || f.space || f.zero || f.group || f.parentheses;
    let numeric_conflict = (f.plus && f.space) || (f.left && f.zero);
    let no_width = (f.left || f.zero) && s.width.is_none();
    let bad = match s.conversion {
        'b' | 'h' => f.alternate || signs || no_width,
        's' => f.alternate || signs || no_width,
        'c' => f.alternate || signs || s.precision.is_some() || no_width,
        'd' => f.alternate || s.precision.is_some() || numeric_conflict || no_width,
        // Signs and brackets are for BigInteger, which no value is.
        'x' | 'o' => f.group || s.precision.is_some() || numeric_conflict || no_width,
        'e' => f.group || numeric_conflict || no_width,
        'g' => f.alternate || numeric_conflict || no_width,
        'f' => numeric_conflict || no_width,
        'a' => f.group || f.parentheses || numeric_conflict || no_width,
        't' => f.alternate || signs || s.precision.is_some() || no_width,
        '%' => f.alternate || signs || s.precision.is_some() || no_width,
        'n' => s.width.is_some() || s.precision.is_some() || *f != Flags::default(),
        _ => true,
    };
    if bad { Err(Refusal::Java) } else { Ok(()) }
}

fn print(
    pieces: &[Piece],
    args: &[Arg<'_>],
    kinds: &[TypeKind],
    row: usize,
    to: &mut Vec<u8>,
) -> std::result::Result<(), Refusal> {
    let (mut ordinary, mut last) = (0, None);
    for piece in pieces {
        let spec = match piece {
            Piece::Text(t) => {
                to.extend_from_slice(t.as_bytes());
                continue;
            }
            Piece::Spec(s) => s,
        };
        match spec.conversion {
            '%' => {
                justify("%", spec, to);
                continue;
            }
            'n' => {
                to.push(b'\n');
                continue;
            }
            _ => {}
        }
        let at = match spec.index {
            Some(0) => last.ok_or(Refusal::Java)?,
            Some(n) => n - 1,
            None => {
                ordinary += 1;
                ordinary - 1
            }
        };
        last = Some(at);
        let arg = args.get(at).ok_or(Refusal::Java)?;
        value(spec, arg, &kinds[at], row, to)?;
    }
    Ok(())
}

fn value(
    spec: &Spec,
    arg: &Arg<'_>,
    kind: &TypeKind,
    row: usize,
    to: &mut Vec<u8>,
) -> std::result::Result<(), Refusal> {
    let valid = arg.is_valid(row) && *kind != TypeKind::Null;
    let at = arg.at(row);
    if spec.conversion == 'b' {
        let truth = match &arg.column.data {
            ColumnData::Bool(b) if valid => b.get(at),
            _ => valid,
        };
        words(if truth { "true" } else { "false" }, spec, to);
        return Ok(());
    }
    if !valid {
        words("null", spec, to);
        return Ok(());
    }
    let integer = integer_of(arg, at);
    let double = match &arg.column.data {
        ColumnData::F32(b) => Some(f64::from(b[at])),
        ColumnData::F64(b) => Some(b[at]),
        _ => None,
    };
    let is_moment = kind.is_timestamp();
    match (spec.conversion, integer, double) {
        ('s', ..) => {
            let mut text = vec![];
            plain_text(arg, at, kind, &mut text);
            words(&String::from_utf8_lossy(&text), spec, to);
        }
        ('c', Some((n, 1..=4)), _) if !is_moment => {
            let c = u32::try_from(n).ok().and_then(char::from_u32).ok_or(Refusal::Java)?;
            words(c.encode_utf8(&mut [0; 4]), spec, to);
        }
        ('d', Some((n, _)), _) if !is_moment => {
            signed(n < 0, n.unsigned_abs().to_string(), spec, true, to);
        }
        ('x' | 'o', Some((n, bytes)), _) if !is_moment => radix(n, bytes, spec, to)?,
        ('f' | 'e' | 'g', _, Some(d)) => real(d, spec, to),
        ('a', _, Some(_)) => return Err(Refusal::Ours("%a")),
        ('h', ..) => return Err(Refusal::Ours("%h")),
        ('t', Some((_, 8)), _) if !is_moment => return Err(Refusal::Ours("%t")),
        _ => return Err(Refusal::Java),
    }
    Ok(())
}

/// An integer and its width in bytes.
fn integer_of(arg: &Arg<'_>, at: usize) -> Option<(i64, usize)> {
    Some(match &arg.column.data {
        ColumnData::I8(b) => (b[at].into(), 1),
        ColumnData::I16(b) => (b[at].into(), 2),
        ColumnData::I32(b) => (b[at].into(), 4),
        ColumnData::I64(b) => (b[at], 8),
        _ => return None,
    })
}

/// `String.valueOf` of what Flink holds.
fn plain_text(arg: &Arg<'_>, at: usize, kind: &TypeKind, to: &mut Vec<u8>) {
    if kind.is_timestamp() {
        return civil::write_java_timestamp(moment(arg.column, at), false, to);
    }
    match (&arg.column.data, kind) {
        (ColumnData::Bool(b), _) => to.extend_from_slice(if b.get(at) { b"true" } else { b"false" }),
        (ColumnData::Bytes(b), _) => to.extend_from_slice(b.get(at)),
        (ColumnData::F32(b), _) => number::write_f32(b[at], to),
        (ColumnData::F64(b), _) => number::write_f64(b[at], to),
        (ColumnData::I128(b), TypeKind::Decimal(_, scale)) => decimal::write(b[at], *scale, to),
        _ => {
            let (n, _) = integer_of(arg, at).expect("every other printable type is an integer");
            number::write_i64(n, to);
        }
    }
}

/// A text, cut to the precision, in capitals if wanted.
fn words(text: &str, spec: &Spec, to: &mut Vec<u8>) {
    let units = |s: &str| s.encode_utf16().count();
    let mut text = text.to_string();
    if let Some(p) = spec.precision.filter(|&p| p < units(&text)) {
        text = String::from_utf16_lossy(&text.encode_utf16().take(p).collect::<Vec<_>>());
    }
    if spec.upper {
        text = text.to_uppercase();
    }
    justify(&text, spec, to);
}

fn justify(text: &str, spec: &Spec, to: &mut Vec<u8>) {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.encode_utf16().count());
    if !spec.flags.left {
        to.resize(to.len() + missing, b' ');
    }
    to.extend_from_slice(text.as_bytes());
    if spec.flags.left {
        to.resize(to.len() + missing, b' ');
    }
}

/// Digits (with a fraction or exponent) with their sign, groups and leading zeros.
fn signed(negative: bool, magnitude: String, spec: &Spec, zeros: bool, to: &mut Vec<u8>) {
    let f = &spec.flags;
    let (open, close) = match (negative, f.parentheses) {
        (true, true) => ("(", ")"),
        (true, false) => ("-", ""),
        _ if f.plus => ("+", ""),
        _ if f.space => (" ", ""),
        _ => ("", ""),
    };
    let mut body = String::new();
    let whole = magnitude.find(|c: char| !c.is_ascii_digit()).unwrap_or(magnitude.len());
    if f.group && zeros {
        for (i, c) in magnitude[..whole].chars().enumerate() {
            if i > 0 && (whole - i) % 3 == 0 {
                body.push(',');
            }
            body.push(c);
        }
        body.push_str(&magnitude[whole..]);
    } else {
        body = magnitude;
    }
    if f.zero && zeros {
        let missing = spec.width.unwrap_or(0).saturating_sub(open.len() + body.len() + close.len());
        body.insert_str(0, &"0".repeat(missing));
    }
    let text = format!("{open}{body}{close}");
    justify(&if spec.upper { text.to_uppercase() } else { text }, spec, to);
}

/// Two's complement of the type's width.
fn radix(n: i64, bytes: usize, spec: &Spec, to: &mut Vec<u8>) -> std::result::Result<(), Refusal> {
    let f = &spec.flags;
    if f.plus || f.space || f.parentheses {
        return Err(Refusal::Java);
    }
    let bits = n as u64 & (u64::MAX >> (64 - 8 * bytes));
    let (prefix, mut text) = match spec.conversion {
        'x' => ("0x", format!("{bits:x}")),
        _ => ("0", format!("{bits:o}")),
    };
    let prefix = if f.alternate { prefix } else { "" };
    if f.zero {
        let missing = spec.width.unwrap_or(0).saturating_sub(prefix.len() + text.len());
        text.insert_str(0, &"0".repeat(missing));
    }
    let text = format!("{prefix}{text}");
    justify(&if spec.upper { text.to_uppercase() } else { text }, spec, to);
    Ok(())
}

fn real(d: f64, spec: &Spec, to: &mut Vec<u8>) {
    let negative = d.is_sign_negative() && !d.is_nan();
    if !d.is_finite() {
        let text = if d.is_nan() { "NaN" } else { "Infinity" };
        return signed(negative, text.to_string(), spec, false, to);
    }
    let digits = Decimal::of(d.abs());
    let precision = spec.precision.unwrap_or(6);
    let point = if spec.flags.alternate && precision == 0 { "." } else { "" };
    let text = match spec.conversion {
        'f' => digits.fixed(precision) + point,
        'e' => digits.scientific(precision, point),
        _ => {
            let precision = precision.max(1);
            let rounded = digits.rounded(precision);
            // From 10^-4 to below 10^precision without an exponent.
            if d == 0.0 || (-4..precision as i32).contains(&rounded.exponent()) {
                let whole = if d == 0.0 { 0 } else { rounded.exponent() };
                digits.fixed((precision as i32 - 1 - whole).max(0) as usize)
            } else {
                digits.scientific(precision - 1, "")
            }
        }
    };
    signed(negative, text, spec, true, to);
}

/// The shortest digits that read back to a DOUBLE: 0.d₁d₂… · 10^point. Java rounds these, half up, and not the value.
#[derive(Clone, Debug)]
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

impl Decimal {
    fn of(d: f64) -> Self {
        let text = format!("{d:e}");
        let (mantissa, exponent) = text.split_once('e').expect("LowerExp writes an exponent");
        let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect();
        Self { digits, point: exponent.parse::<i32>().expect("a number") + 1 }
    }

    /// Of the first digit.
    fn exponent(&self) -> i32 {
        self.point - 1
    }

    /// With at most `n` digits.
    fn rounded(&self, n: usize) -> Self {
        let mut out = self.clone();
        if n >= out.digits.len() {
            return out;
        }
        let up = out.digits[n] >= 5;
        out.digits.truncate(n);
        if up {
            match out.digits.iter().rposition(|&d| d < 9) {
                Some(at) => {
                    out.digits[at] += 1;
                    out.digits[at + 1..].fill(0);
                }
                None => {
                    out.digits.insert(0, 1);
                    out.digits[1..].fill(0);
                    out.point += 1;
                }
            }
        }
        out
    }

    fn digit(&self, at: i32) -> char {
        let d = usize::try_from(at).ok().and_then(|at| self.digits.get(at)).copied().unwrap_or(0);
        char::from(b'0' + d)
    }

    fn fixed(&self, precision: usize) -> String {
        let keep = self.point + precision as i32;
        let r = if keep < 0 { Self { digits: vec![], point: 0 } } else { self.rounded(keep as usize) };
        let mut out: String =
            (0..r.point.max(1)).map(|i| r.digit(if r.point > 0 { i } else { -1 })).collect();
        if precision > 0 {
            out.push('.');
            out.extend((0..precision as i32).map(|i| r.digit(r.point + i)));
        }
        out
    }

    fn scientific(&self, precision: usize, point: &str) -> String {
        let r = self.rounded(precision + 1);
        let zero = r.digits.iter().all(|&d| d == 0);
        let exponent = if zero { 0 } else { r.exponent() };
        let mut out = String::from(r.digit(0));
        if precision > 0 {
            out.push('.');
            out.extend((1..=precision as i32).map(|i| r.digit(i)));
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("{point}e{sign}{:02}", exponent.abs()));
        out
    }
}

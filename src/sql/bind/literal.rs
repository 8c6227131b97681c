//! Literals: text and form give type and value, as Flink's validator has them. Character literals are CHAR(n) NOT NULL, numbers
//! INT, BIGINT, DECIMAL or DOUBLE by their form, all intervals `INTERVAL SECOND(3)` or `INTERVAL MONTH` in milliseconds or months.

use crate::batch::text::civil::{self, Moment};
use crate::batch::{Column, DataType, IntervalUnits, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, constant_column};
use crate::sql::ast::{
    self, IntervalLiteral, IntervalQualifier, IntervalUnit, LiteralKind, Number, NumberKind, TemporalKind,
};

/// The bound literal. `negative` folds a minus sign that stands before a number into it.
///
/// # Errors
/// The text is not a value of the literal's form.
pub(crate) fn literal(l: &ast::Literal, negative: bool, zone: &jiff::tz::TimeZone) -> Result<Expr> {
    let at = l.span;
    match &l.kind {
        LiteralKind::Null => Ok(null(TypeKind::Null.nullable(), at)),
        LiteralKind::Unknown => Ok(null(TypeKind::Boolean.nullable(), at)),
        LiteralKind::Boolean(b) => Ok(boolean(*b, at)),
        LiteralKind::Number(n) => number(n, negative, at),
        LiteralKind::String(s) => match &s.charset {
            Some(c) if !is_known_charset(c) => {
                Err(Error::validation(format!("unknown character set '{c}'"), at)
                    .hint("strings are UTF-8; write the literal without a prefix"))
            }
            _ => Ok(string(&s.value, at)),
        },
        LiteralKind::Binary(bytes) => {
            let ty = TypeKind::Binary(bytes.len() as u32).not_null();
            Ok(constant(ty, at, |c| c.byte_column_mut().push(bytes)))
        }
        LiteralKind::Temporal { kind, text } => temporal(*kind, text, zone, at),
        LiteralKind::Interval(i) => interval(i, at),
    }
}

fn is_known_charset(name: &str) -> bool {
    ["n", "utf8", "utf-8", "utf16", "utf-16", "utf-16le", "latin1", "iso-8859-1"]
        .contains(&name.to_ascii_lowercase().as_str())
}

fn constant(ty: DataType, at: Span, push: impl FnOnce(&mut Column)) -> Expr {
    let column = constant_column(&ty, |c| {
        push(c);
        c.validity.push(true);
    });
    Expr::literal(column, ty, at)
}

/// NULL of a type.
pub(crate) fn null(ty: DataType, at: Span) -> Expr {
    Expr::literal(constant_column(&ty, Column::push_null), ty, at)
}

/// TRUE or FALSE.
pub(crate) fn boolean(value: bool, at: Span) -> Expr {
    constant(TypeKind::Boolean.not_null(), at, |c| c.bools_mut().push(value))
}

/// A string: its length counts UTF-16 units, as Java's does.
pub(crate) fn string(value: &str, at: Span) -> Expr {
    let ty = TypeKind::Char(value.encode_utf16().count() as u32).not_null();
    constant(ty, at, |c| c.byte_column_mut().push(value.as_bytes()))
}

/// A BIGINT.
pub(crate) fn bigint(value: i64, at: Span) -> Expr {
    constant(TypeKind::BigInt.not_null(), at, |c| c.buffer_mut::<i64>().push(value))
}

/// An INT.
pub(crate) fn int(value: i32, at: Span) -> Expr {
    constant(TypeKind::Int.not_null(), at, |c| c.buffer_mut::<i32>().push(value))
}

fn number(n: &Number, negative: bool, at: Span) -> Result<Expr> {
    let sign = if negative { "-" } else { "" };
    let out_of_range =
        || Error::validation(format!("numeric literal '{sign}{}' is out of range", n.text), at);
    match n.kind {
        NumberKind::Integer | NumberKind::Decimal
            if n.kind == NumberKind::Integer || n.text.ends_with('.') =>
        {
            let value: i64 = format!("{sign}{}", n.text.trim_end_matches('.'))
                .parse()
                .map_err(|_| out_of_range().hint("integers reach from -2^63 to 2^63 - 1"))?;
            Ok(match i32::try_from(value) {
                Ok(v) => int(v, at),
                Err(_) => constant(TypeKind::BigInt.not_null(), at, |c| c.buffer_mut::<i64>().push(value)),
            })
        }
        NumberKind::Integer | NumberKind::Decimal | NumberKind::DecimalString => {
            let text = n.text.trim();
            let (unsigned, own_sign) = match text.strip_prefix('-') {
                Some(rest) => (rest, true),
                None => (text.strip_prefix('+').unwrap_or(text), false),
            };
            let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
            let digits = format!("{whole}{fraction}");
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Error::validation(format!("'{text}' is not a decimal number"), at));
            }
            // Calcite holds the digits in 64 bits.
            let value: i64 = digits.parse().map_err(|_| {
                out_of_range().hint("write CAST('…' AS DECIMAL(p, s)) for more than 18 digits")
            })?;
            // The precision counts the digits as written: 0.50 is DECIMAL(3, 2).
            if digits.len() > 38 {
                return Err(out_of_range());
            }
            let ty = TypeKind::Decimal(digits.len() as u8, fraction.len() as u8).not_null();
            let value = i128::from(if negative != own_sign { -value } else { value });
            Ok(constant(ty, at, |c| c.buffer_mut::<i128>().push(value)))
        }
        NumberKind::Approximate => {
            let value: f64 = n.text.parse().map_err(|_| out_of_range())?;
            if !value.is_finite() {
                return Err(out_of_range());
            }
            let value = if negative { -value } else { value };
            Ok(constant(TypeKind::Double.not_null(), at, |c| c.buffer_mut::<f64>().push(value)))
        }
    }
}

fn temporal(kind: TemporalKind, text: &str, zone: &jiff::tz::TimeZone, at: Span) -> Result<Expr> {
    let wrong = |name: &str, form: &str| {
        Error::validation(format!("'{text}' is not a {name}"), at).hint(format!("write it as '{form}'"))
    };
    match kind {
        TemporalKind::Date => {
            let days = date(text).ok_or_else(|| wrong("DATE", "yyyy-MM-dd"))?;
            Ok(constant(TypeKind::Date.not_null(), at, |c| c.buffer_mut::<i32>().push(days)))
        }
        TemporalKind::Time => {
            let (seconds, nanos, digits) = time(text).ok_or_else(|| wrong("TIME", "HH:mm:ss"))?;
            let ms = (seconds * 1000 + nanos / 1_000_000) as i32;
            Ok(constant(TypeKind::Time(digits).not_null(), at, |c| c.buffer_mut::<i32>().push(ms)))
        }
        TemporalKind::Timestamp | TemporalKind::TimestampLtz => {
            let (day, clock) = text.split_once(' ').unwrap_or((text, "0:0:0"));
            let parsed = date(day).zip(time(clock.trim()));
            let (days, (seconds, nanos, digits)) =
                parsed.ok_or_else(|| wrong("TIMESTAMP", "yyyy-MM-dd HH:mm:ss"))?;
            let local = Moment { seconds: i64::from(days) * 86_400 + i64::from(seconds), nanos };
            let (ty, moment) = match kind {
                TemporalKind::Timestamp => (TypeKind::Timestamp(digits), local),
                _ => (TypeKind::TimestampLtz(digits), civil::to_instant(local, zone)),
            };
            let ty = ty.not_null();
            Ok(constant(ty, at, |c| crate::batch::text::push_moment(c, moment)))
        }
        TemporalKind::Datetime => Err(Error::validation("DATETIME literals do not exist in Flink SQL", at)
            .hint("write TIMESTAMP 'yyyy-MM-dd HH:mm:ss'")),
    }
}

fn field(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    (digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn date(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-');
    let (y, m, d) =
        (field(parts.next()?, 1..=4)?, field(parts.next()?, 1..=2)?, field(parts.next()?, 1..=2)?);
    if y == 0 {
        return None;
    }
    civil::checked_date(y as i32, m as i32, d as i32)
}

/// Seconds of the day, nanoseconds, and the number of digits of the fraction.
fn time(text: &str) -> Option<(u32, u32, u8)> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.splitn(3, ':');
    let (h, m, s) =
        (field(parts.next()?, 1..=2)?, field(parts.next()?, 1..=2)?, field(parts.next()?, 1..=2)?);
    if h > 23 || m > 59 || s > 59 || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some((h * 3600 + m * 60 + s, nanos, fraction.len() as u8))
}

/// An interval literal.
pub(super) fn interval(i: &IntervalLiteral, at: Span) -> Result<Expr> {
    let wrong = || {
        Error::validation(format!("'{}' is not an INTERVAL {}", i.text, words(&i.qualifier)), at)
            .hint(format!("write it as INTERVAL '{}' {}", example(&i.qualifier), words(&i.qualifier)))
    };
    let text = i.text.trim();
    let (text, inner) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let value = amount(text, &i.qualifier, at)?.ok_or_else(wrong)?;
    Ok(interval_constant(&i.qualifier, if i.negative != inner { -value } else { value }, at))
}

/// An interval of `value` months or milliseconds.
pub(crate) fn interval_constant(qualifier: &IntervalQualifier, value: i64, at: Span) -> Expr {
    if is_months(qualifier.from) {
        let ty = TypeKind::IntervalMonths(IntervalUnits::Month).not_null();
        constant(ty, at, |c| c.buffer_mut::<i32>().push(value as i32))
    } else {
        let ty = TypeKind::IntervalMillis(IntervalUnits::Second).not_null();
        constant(ty, at, |c| c.buffer_mut::<i64>().push(value))
    }
}

/// YEAR, QUARTER or MONTH.
pub(crate) fn is_months(unit: IntervalUnit) -> bool {
    matches!(unit, IntervalUnit::Year | IntervalUnit::Quarter | IntervalUnit::Month)
}

/// Months or milliseconds of one unit.
pub(crate) fn unit_size(unit: IntervalUnit) -> i64 {
    match unit {
        IntervalUnit::Year => 12,
        IntervalUnit::Quarter => 3,
        IntervalUnit::Month => 1,
        IntervalUnit::Week => 7 * 86_400_000,
        IntervalUnit::Day => 86_400_000,
        IntervalUnit::Hour => 3_600_000,
        IntervalUnit::Minute => 60_000,
        IntervalUnit::Second => 1_000,
    }
}

/// The value between the quotes, without sign: units from `from` down to `to`, separated as SQL does (`1-2`, `1 2:3:4.5`).
fn amount(text: &str, q: &IntervalQualifier, at: Span) -> Result<Option<i64>> {
    use IntervalUnit::*;
    const CLOCK: [IntervalUnit; 4] = [Day, Hour, Minute, Second];
    let to = q.to.unwrap_or(q.from);
    let units: Vec<IntervalUnit> = if q.from == to {
        vec![to]
    } else if q.from == Year && to == Month {
        vec![Year, Month]
    } else {
        let position = |u| CLOCK.iter().position(|c| *c == u);
        match position(q.from).zip(position(to)) {
            Some((a, b)) if a < b => CLOCK[a..=b].to_vec(),
            _ => return Ok(None),
        }
    };
    let mut rest = text;
    let mut total: i64 = 0;
    for (n, &unit) in units.iter().enumerate() {
        let separator = match unit {
            Month if n > 0 => "-",
            Hour if n > 0 => " ",
            _ if n > 0 => ":",
            _ => "",
        };
        let Some(r) = rest.strip_prefix(separator) else { return Ok(None) };
        let r = if separator == " " { r.trim_start() } else { r };
        let digits = r.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(v) = r[..digits].parse::<i64>() else { return Ok(None) };
        if n == 0 {
            let allowed = q.precision.unwrap_or(2) as usize;
            let significant = r[..digits].trim_start_matches('0').len();
            if significant > allowed {
                let unit = unit_name(unit);
                return Err(Error::validation(
                    format!("the interval's {v} has more digits than {unit}({allowed}) takes"),
                    at,
                )
                .hint(format!("write {unit}({significant})")));
            }
        } else if v
            >= (match unit {
                Month => 12,
                Hour => 24,
                _ => 60,
            })
        {
            return Ok(None);
        }
        let Some(sum) = v.checked_mul(unit_size(unit)).and_then(|v| total.checked_add(v)) else {
            return Ok(None);
        };
        total = sum;
        rest = &r[digits..];
    }
    if to == Second
        && let Some(fraction) = rest.strip_prefix('.')
    {
        if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(None);
        }
        total += format!("{fraction:0<3}")[..3].parse::<i64>().unwrap_or(0);
        rest = "";
    }
    Ok(rest.is_empty().then_some(total))
}

fn unit_name(unit: IntervalUnit) -> &'static str {
    match unit {
        IntervalUnit::Year => "YEAR",
        IntervalUnit::Quarter => "QUARTER",
        IntervalUnit::Month => "MONTH",
        IntervalUnit::Week => "WEEK",
        IntervalUnit::Day => "DAY",
        IntervalUnit::Hour => "HOUR",
        IntervalUnit::Minute => "MINUTE",
        IntervalUnit::Second => "SECOND",
    }
}

fn words(q: &IntervalQualifier) -> String {
    match q.to {
        Some(to) => format!("{} TO {}", unit_name(q.from), unit_name(to)),
        None => unit_name(q.from).to_owned(),
    }
}

fn example(q: &IntervalQualifier) -> &'static str {
    use IntervalUnit::*;
    match (q.from, q.to) {
        (Year, Some(Month)) => "1-6",
        (Day, Some(Hour)) => "1 12",
        (Day, Some(Minute)) => "1 12:30",
        (Day, Some(Second)) => "1 12:30:15.500",
        (Hour, Some(Minute)) => "12:30",
        (Hour, Some(Second)) => "12:30:15.500",
        (Minute, Some(Second)) => "30:15.500",
        (Second, _) => "1.5",
        _ => "1",
    }
}

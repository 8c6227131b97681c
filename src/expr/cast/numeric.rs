//! Casts to and from numbers, BOOLEAN and text that holds one.

use super::{Cast, Mode};
use crate::batch::text::number;
use crate::batch::{Column, TypeKind, decimal};
use crate::batch::{IntervalUnits, Native, Sel};
use crate::error::Error;
use crate::expr::kernels::{map1, null_if_any, opt_map1};
use crate::expr::{Arg, RowError};
use TypeKind::*;

macro_rules! direct {
    ($a:ty => $b:ty, $f:expr) => {
        Cast::infallible(move |a, sel, rows, out| map1::<$a, $b>(a, sel, rows, out, $f))
    };
}

macro_rules! from_integer {
    ($a:ty, $to:expr, $whole:expr) => {
        match *$to {
            TinyInt => direct!($a => i8, |v| v as i8),
            SmallInt => direct!($a => i16, |v| v as i16),
            Int => direct!($a => i32, |v| v as i32),
            BigInt => direct!($a => i64, |v| v as i64),
            Float => direct!($a => f32, |v| v as f32),
            Double => direct!($a => f64, |v| v as f64),
            Decimal(p, s) if p - s >= $whole => {
                let unit = decimal::pow10(s.into());
                direct!($a => i128, move |v| i128::from(v) * unit)
            }
            Decimal(p, s) => Cast::infallible(move |a, sel, _, out| {
                opt_map1::<$a, i128>(a, sel, out, |v| decimal::rescale(v.into(), 0, p, s));
            }),
            _ => None,
        }
    };
}

macro_rules! from_float {
    ($a:ty, $to:expr) => {
        match *$to {
            TinyInt => direct!($a => i8, |v| v as i32 as i8),
            SmallInt => direct!($a => i16, |v| v as i32 as i16),
            Int => direct!($a => i32, |v| v as i32),
            BigInt => direct!($a => i64, |v| v as i64),
            Float => direct!($a => f32, |v| v as f32),
            Double => direct!($a => f64, |v| f64::from(v)),
            _ => None,
        }
    };
}

pub(super) fn number_to_number(from: &TypeKind, to: &TypeKind, mode: &Mode) -> Option<Cast> {
    match (from, to) {
        (TinyInt, _) => from_integer!(i8, to, 3),
        (SmallInt, _) => from_integer!(i16, to, 5),
        (Int, _) => from_integer!(i32, to, 10),
        (BigInt, _) => from_integer!(i64, to, 19),
        (Float, Decimal(p, s)) => float_to_decimal::<f32>(*p, *s, mode),
        (Double, Decimal(p, s)) => float_to_decimal::<f64>(*p, *s, mode),
        (Float, _) => from_float!(f32, to),
        (Double, _) => from_float!(f64, to),
        (Decimal(p, s), _) => from_decimal(*p, *s, to),
        _ => None,
    }
}

fn float_to_decimal<A: Native + Into<f64>>(p: u8, s: u8, mode: &Mode) -> Option<Cast> {
    let try_cast = mode.try_cast;
    Cast::fallible(move |a, sel, _, out| {
        if !null_if_any(std::slice::from_ref(a), out) {
            return Ok(());
        }
        let from = a.column.slice::<A>();
        sel.try_for_each(|i| {
            if out.validity.get(i) {
                let v: f64 = from[a.at(i)].into();
                if !v.is_finite() && !try_cast {
                    return Err(RowError::runtime(i, format!("{v} is not a number that DECIMAL can hold")));
                }
                match decimal::from_f64(v, p, s) {
                    Some(v) => out.buffer_mut::<i128>()[i] = v,
                    None => out.validity.set(i, false),
                }
            }
            Ok(())
        })
    })
}

fn from_decimal(p: u8, s: u8, to: &TypeKind) -> Option<Cast> {
    let unit = decimal::pow10(s.into());
    // A BIGINT's worth of digits divides faster in 64 bits.
    let short = p <= 18;
    let whole = move |v: i128| {
        if short { i64::try_from(v).map_or(0, |v| v / unit as i64) } else { (v / unit) as i64 }
    };
    match *to {
        TinyInt => direct!(i128 => i8, move |v| whole(v) as i8),
        SmallInt => direct!(i128 => i16, move |v| whole(v) as i16),
        Int => direct!(i128 => i32, move |v| whole(v) as i32),
        BigInt => direct!(i128 => i64, whole),
        Float => direct!(i128 => f32, move |v| decimal::to_f64(v, s) as f32),
        Double => direct!(i128 => f64, move |v| decimal::to_f64(v, s)),
        Decimal(q, t) if t == s && q >= p => super::same(),
        Decimal(q, t) if t >= s && q - t >= p - s => {
            let factor = decimal::pow10((t - s).into());
            direct!(i128 => i128, move |v| v * factor)
        }
        Decimal(q, t) if t == s => Cast::infallible(move |a, sel, rows, out| narrow(a, sel, rows, out, q)),
        Decimal(q, t) => Cast::infallible(move |a, sel, _, out| {
            opt_map1::<i128, i128>(a, sel, out, |v| decimal::rescale(v, s, q, t));
        }),
        _ => None,
    }
}

/// The same values, NULL where they have more digits than `precision`: rare, so that the values are copied before they are looked at.
fn narrow(a: &Arg<'_>, sel: Sel<'_>, rows: usize, out: &mut Column, precision: u8) {
    map1::<i128, i128>(a, sel, rows, out, |v| v);
    let limit = decimal::pow10(precision.into());
    let mut most = 0;
    let from = a.column.slice::<i128>();
    sel.for_each(|i| most = most.max(from[a.at(i)].unsigned_abs()));
    if most >= limit.unsigned_abs() {
        sel.for_each(|i| {
            if from[a.at(i)].unsigned_abs() >= limit.unsigned_abs() {
                out.validity.set(i, false);
            }
        });
    }
}

pub(super) fn boolean_to_number(to: &TypeKind) -> Option<Cast> {
    fn spread<B: Native>(a: &Arg<'_>, sel: Sel<'_>, out: &mut Column, one: B) {
        if null_if_any(std::slice::from_ref(a), out) {
            let bits = a.column.bools();
            let to = out.buffer_mut::<B>();
            sel.for_each(|i| to[i] = if bits.get(a.at(i)) { one } else { B::default() });
        }
    }
    macro_rules! to {
        ($t:ty, $one:expr) => {
            Cast::infallible(move |a, sel, _, out| spread::<$t>(a, sel, out, $one))
        };
    }
    match *to {
        TinyInt => to!(i8, 1),
        SmallInt => to!(i16, 1),
        Int => to!(i32, 1),
        BigInt => to!(i64, 1),
        Float => to!(f32, 1.0),
        Double => to!(f64, 1.0),
        Decimal(p, s) => Cast::infallible(move |a, sel, _, out| {
            let one = decimal::rescale(1, 0, p, s);
            spread::<i128>(a, sel, out, one.unwrap_or(0));
            if one.is_none() && null_if_any(std::slice::from_ref(a), out) {
                sel.for_each(|i| {
                    if a.column.bools().get(a.at(i)) {
                        out.validity.set(i, false);
                    }
                });
            }
        }),
        _ => None,
    }
}

pub(super) fn number_to_boolean(from: &TypeKind) -> Option<Cast> {
    fn flags<A: Native>(a: &Arg<'_>, sel: Sel<'_>, out: &mut Column) {
        if null_if_any(std::slice::from_ref(a), out) {
            let from = a.column.slice::<A>();
            let bits = out.bools_mut();
            sel.for_each(|i| bits.set(i, from[a.at(i)] != A::default()));
        }
    }
    match from {
        TinyInt => Cast::infallible(|a, sel, _, out| flags::<i8>(a, sel, out)),
        SmallInt => Cast::infallible(|a, sel, _, out| flags::<i16>(a, sel, out)),
        Int => Cast::infallible(|a, sel, _, out| flags::<i32>(a, sel, out)),
        BigInt => Cast::infallible(|a, sel, _, out| flags::<i64>(a, sel, out)),
        Float => Cast::infallible(|a, sel, _, out| flags::<f32>(a, sel, out)),
        Double => Cast::infallible(|a, sel, _, out| flags::<f64>(a, sel, out)),
        Decimal(..) => Cast::infallible(|a, sel, _, out| flags::<i128>(a, sel, out)),
        _ => None,
    }
}

pub(super) fn integer_to_interval(from: &TypeKind, to: &TypeKind) -> Option<Cast> {
    use IntervalUnits::*;
    let unit: i64 = match to {
        IntervalMonths(Year) => 12,
        IntervalMonths(_) => 1,
        IntervalMillis(Day | DayToHour | DayToMinute | DayToSecond) => 86_400_000,
        IntervalMillis(Hour | HourToMinute | HourToSecond) => 3_600_000,
        IntervalMillis(Minute | MinuteToSecond) => 60_000,
        _ => 1000,
    };
    macro_rules! from {
        ($a:ty) => {
            if matches!(to, IntervalMonths(_)) {
                direct!($a => i32, move |v| i64::from(v).wrapping_mul(unit) as i32)
            } else {
                direct!($a => i64, move |v| i64::from(v).wrapping_mul(unit))
            }
        };
    }
    match from {
        TinyInt => from!(i8),
        SmallInt => from!(i16),
        Int => from!(i32),
        BigInt => from!(i64),
        _ => None,
    }
}

/// "For input string: 'x'. `reason`"
fn bad_text(row: usize, text: &[u8], reason: &str) -> RowError {
    let message = format!("For input string: '{}'. {reason}", String::from_utf8_lossy(text));
    RowError::new(row, Error::runtime(message).hint("TRY_CAST gives NULL instead"))
}

/// Spaces alone: tabs and line ends are foreign to an integer.
fn trim_spaces(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&b| b != b' ').unwrap_or(text.len());
    let end = text.iter().rposition(|&b| b != b' ').map_or(start, |i| i + 1);
    &text[start..end]
}

/// Parses text row by row.
fn parse<B: Native>(
    mode: &Mode,
    f: impl Fn(&[u8]) -> Result<B, &'static str> + Send + Sync + 'static,
) -> Option<Cast> {
    let try_cast = mode.try_cast;
    Cast::fallible(move |a, sel, _, out| {
        if !null_if_any(std::slice::from_ref(a), out) {
            return Ok(());
        }
        sel.try_for_each(|i| {
            if out.validity.get(i) {
                let text = a.bytes(i);
                match f(text) {
                    Ok(v) => out.buffer_mut::<B>()[i] = v,
                    Err(_) if try_cast => out.validity.set(i, false),
                    Err(reason) => return Err(bad_text(i, text, reason)),
                }
            }
            Ok(())
        })
    })
    .map(|c| Cast { fails: !try_cast, ..c })
}

pub(super) fn text_to_number(to: &TypeKind, mode: &Mode) -> Option<Cast> {
    macro_rules! integer {
        ($t:ty) => {
            parse::<$t>(mode, |text| {
                number::parse_integer(trim_spaces(text), <$t>::MIN.into(), <$t>::MAX.into())
                    .map(|v| v as $t)
                    .map_err(|e| e.reason())
            })
        };
    }
    match *to {
        TinyInt => integer!(i8),
        SmallInt => integer!(i16),
        Int => integer!(i32),
        BigInt => integer!(i64),
        Float => parse::<f32>(mode, |t| number::parse_f32(t).ok_or("Not a number.")),
        Double => parse::<f64>(mode, |t| number::parse_f64(t).ok_or("Not a number.")),
        Decimal(p, s) => parse::<i128>(mode, move |t| number::parse_decimal(t, p, s).ok_or("Overflow.")),
        _ => None,
    }
}

pub(super) fn text_to_boolean(mode: &Mode) -> Option<Cast> {
    let try_cast = mode.try_cast;
    Cast::fallible(move |a, sel, _, out| {
        if !null_if_any(std::slice::from_ref(a), out) {
            return Ok(());
        }
        sel.try_for_each(|i| {
            if out.validity.get(i) {
                let text = a.bytes(i);
                match number::parse_bool(text) {
                    Some(v) => out.bools_mut().set(i, v),
                    None if try_cast => out.validity.set(i, false),
                    None => {
                        let text = String::from_utf8_lossy(text);
                        return Err(RowError::runtime(i, format!("Cannot parse '{text}' as BOOLEAN.")));
                    }
                }
            }
            Ok(())
        })
    })
    .map(|c| Cast { fails: !try_cast, ..c })
}

//! Numeric functions. Those of one DOUBLE are the platform's, which may differ from Java's in the last digit.

use crate::batch::{Column, Native, Sel, TypeKind, decimal};
use crate::error::Result;
use crate::expr::Arg;
use crate::expr::coercion::as_decimal;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::text::build;
use crate::expr::kernels::{infallible, map1, map2, opt_map1};
use TypeKind::*;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, bind| {
        r.builtin(FunctionDoc { names, family: "numeric", signatures, text, examples: &[] }, bind);
    };
    const ONE: &[&str] = &["numeric"];
    add(&["ABS"], ONE, "Magnitude.", abs);
    add(&["SIGN"], ONE, "-1, 0 or 1 in the type of the argument.", sign);
    add(&["ROUND"], &["numeric", "numeric, digits"], "Rounded half up.", |c| round(c, true));
    add(&["TRUNCATE"], &["numeric", "numeric, digits"], "Cut towards zero.", |c| round(c, false));
    add(&["SQRT"], ONE, "Square root.", |c| real(c, f64::sqrt));
    add(&["EXP"], ONE, "e to that power.", |c| real(c, f64::exp));
    add(&["LN"], ONE, "Natural logarithm.", |c| real(c, f64::ln));
    add(&["LOG10"], ONE, "Logarithm to base 10.", |c| real(c, f64::log10));
    add(&["LOG2"], ONE, "Logarithm to base 2.", |c| real(c, |v| v.ln() / std::f64::consts::LN_2));
    add(&["LOG"], &["numeric", "base, numeric"], "Natural logarithm, or that to a base.", |c| {
        match c.args.len() {
            1 => real(c, f64::ln),
            _ => real2(c, |b, v| v.ln() / b.ln()),
        }
    });
    add(&["POWER"], &["numeric, numeric"], "Raised to a power.", |c| real2(c, f64::powf));
    add(&["SIN"], ONE, "Sine.", |c| real(c, f64::sin));
    add(&["COS"], ONE, "Cosine.", |c| real(c, f64::cos));
    add(&["TAN"], ONE, "Tangent.", |c| real(c, f64::tan));
    add(&["COT"], ONE, "Cotangent.", |c| real(c, |v| 1.0 / v.tan()));
    add(&["ASIN"], ONE, "Inverse sine.", |c| real(c, f64::asin));
    add(&["ACOS"], ONE, "Inverse cosine.", |c| real(c, f64::acos));
    add(&["ATAN"], ONE, "Inverse tangent.", |c| real(c, f64::atan));
    add(&["ATAN2"], &["y, x"], "Angle of a point.", |c| real2(c, f64::atan2));
    add(&["SINH"], ONE, "Hyperbolic sine.", |c| real(c, f64::sinh));
    add(&["COSH"], ONE, "Hyperbolic cosine.", |c| real(c, f64::cosh));
    add(&["TANH"], ONE, "Hyperbolic tangent.", |c| real(c, f64::tanh));
    add(&["DEGREES"], ONE, "Radians as degrees.", |c| real(c, f64::to_degrees));
    add(&["RADIANS"], ONE, "Degrees as radians.", |c| real(c, f64::to_radians));
    add(&["PI"], &[""], "π.", |c| constant(c, std::f64::consts::PI));
    add(&["E"], &[""], "Euler's number.", |c| constant(c, std::f64::consts::E));
    add(&["BIN"], &["integer"], "Binary digits.", |c| {
        digits(c, |v, out| out.extend_from_slice(format!("{v:b}").as_bytes()))
    });
}

/// FLOOR and CEIL of numbers; `temporal` has those of times.
pub(super) fn floor_or_ceil(call: &Call<'_>, up: bool) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let kind = call.kind(0).clone();
    let args = call.as_given();
    Ok(match kind {
        k if k.is_integer() => same(call),
        Float => infallible(args, call.result(Float), move |a, sel, rows, out| {
            map1::<f32, f32>(&a[0], sel, rows, out, |v| if up { v.ceil() } else { v.floor() });
        }),
        Double => infallible(args, call.result(Double), move |a, sel, rows, out| {
            map1::<f64, f64>(&a[0], sel, rows, out, |v| if up { v.ceil() } else { v.floor() });
        }),
        Decimal(p, s) => {
            let unit = decimal::pow10(s.into());
            infallible(args, call.result(Decimal(p, 0)), move |a, sel, _, out| {
                opt_map1::<i128, i128>(&a[0], sel, out, |v| {
                    let down = v.div_euclid(unit);
                    let v = if up && v.rem_euclid(unit) != 0 { down + 1 } else { down };
                    decimal::fits(v, p).then_some(v)
                });
            })
        }
        _ => return Err(call.wrong_types(&["NUMERIC", "DATETIME TO unit"])),
    })
}

fn numeric(call: &Call<'_>, count: std::ops::RangeInclusive<usize>) -> Result<()> {
    call.count(count)?;
    if call.args.iter().all(|a| a.ty.kind.is_numeric() || a.ty.kind == Null) {
        Ok(())
    } else {
        Err(call.wrong_types(&["NUMERIC"]))
    }
}

/// The argument itself.
fn same(call: &Call<'_>) -> BoundFunction {
    infallible(call.as_given(), call.result(call.kind(0).clone()), |a, _, rows, out| copy(&a[0], rows, out))
}

/// `out` becomes the argument.
pub(super) fn copy(a: &Arg<'_>, rows: usize, out: &mut Column) {
    out.clear();
    if a.constant {
        out.extend_rows(a.column, &vec![0; rows]);
    } else {
        out.clone_from(a.column);
    }
}

fn real(call: &Call<'_>, f: fn(f64) -> f64) -> Result<BoundFunction> {
    numeric(call, 1..=1)?;
    Ok(infallible(vec![call.wanted(0, Double)], call.result(Double), move |a, sel, rows, out| {
        map1::<f64, f64>(&a[0], sel, rows, out, f);
    }))
}

fn real2(call: &Call<'_>, f: fn(f64, f64) -> f64) -> Result<BoundFunction> {
    numeric(call, 2..=2)?;
    let args = vec![call.wanted(0, Double), call.wanted(1, Double)];
    Ok(infallible(args, call.result(Double), move |a, sel, rows, out| {
        map2::<f64, f64, f64>(&a[0], &a[1], sel, rows, out, f);
    }))
}

fn constant(call: &Call<'_>, v: f64) -> Result<BoundFunction> {
    call.count(0..=0)?;
    Ok(infallible(vec![], Double.not_null(), move |_, _, _, out| out.buffer_mut::<f64>().fill(v)))
}

/// A function from a number to the same type, given for each.
macro_rules! by_type {
    ($call:expr, $int:expr, $float:expr, $decimal:expr) => {{
        let call: &Call<'_> = $call;
        numeric(call, 1..=1)?;
        let (args, ty) = (call.as_given(), call.result(call.kind(0).clone()));
        macro_rules! of {
            ($t:ty, $f:expr) => {
                infallible(args, ty, |a: &[Arg<'_>], sel: Sel<'_>, rows, out: &mut Column| {
                    map1::<$t, $t>(&a[0], sel, rows, out, $f);
                })
            };
        }
        Ok(match call.kind(0) {
            TinyInt => of!(i8, |v| $int(v.into()) as i8),
            SmallInt => of!(i16, |v| $int(v.into()) as i16),
            Int => of!(i32, |v| $int(v.into()) as i32),
            BigInt => of!(i64, $int),
            Float => of!(f32, |v| $float(f64::from(v)) as f32),
            Double => of!(f64, $float),
            &Decimal(_, s) => {
                let unit = decimal::pow10(s.into());
                infallible(args, ty, move |a: &[Arg<'_>], sel: Sel<'_>, rows, out: &mut Column| {
                    map1::<i128, i128>(&a[0], sel, rows, out, |v| $decimal(v, unit));
                })
            }
            _ => return Err(call.wrong_types(&["NUMERIC"])),
        })
    }};
}

fn abs(call: &Call<'_>) -> Result<BoundFunction> {
    by_type!(call, i64::wrapping_abs, f64::abs, |v: i128, _| v.abs())
}

fn sign(call: &Call<'_>) -> Result<BoundFunction> {
    fn of(v: f64) -> f64 {
        if v == 0.0 || v.is_nan() { v } else { v.signum() }
    }
    by_type!(call, i64::signum, of, |v: i128, unit: i128| v.signum() * unit)
}

fn round(call: &Call<'_>, half_up: bool) -> Result<BoundFunction> {
    numeric(call, 1..=2)?;
    if call.args.len() == 2 && !call.kind(1).is_integer() {
        return Err(call.wrong_types(&["NUMERIC, INTEGER"]));
    }
    let places = match call.args.len() {
        1 => Some(0),
        _ => call.literal_integer(1),
    };
    let mut args = call.as_given();
    if args.len() == 2 {
        args[1] = call.wanted(1, Int);
    }
    let n = |a: &[Arg<'_>], i: usize| a.get(1).map_or(0, |n| n.column.slice::<i32>()[n.at(i)]);
    if let Decimal(p, s) = *call.kind(0) {
        let (q, t) = match places {
            Some(r) if r < 0 => ((1 + p - s).min(38), 0),
            Some(r) if r < i64::from(s) => ((1 + p - s + r as u8).min(38), r as u8),
            _ => (p, s),
        };
        return Ok(infallible(args, call.result(Decimal(q, t)), move |a, sel, _, out| {
            each(a, sel, out, |i, x: i128| round_decimal(x, s, n(a, i), half_up, q, t));
        }));
    }
    let ty = call.result(call.kind(0).clone());
    macro_rules! of {
        ($t:ty, $f:expr) => {
            infallible(args, ty, move |a, sel, _, out| each(a, sel, out, |i, x: $t| Some($f(x, n(a, i)))))
        };
    }
    Ok(match call.kind(0) {
        TinyInt => of!(i8, |x, n| round_integer(i64::from(x), n, half_up) as i8),
        SmallInt => of!(i16, |x, n| round_integer(i64::from(x), n, half_up) as i16),
        Int => of!(i32, |x, n| round_integer(i64::from(x), n, half_up) as i32),
        BigInt => of!(i64, |x, n| round_integer(x, n, half_up)),
        Float => of!(f32, |x: f32, n| {
            let mut buffer = zmij::Buffer::new();
            if x.is_finite() {
                round_text(buffer.format_finite(x), n, half_up).map_or(x, |v| v as f32)
            } else {
                x
            }
        }),
        _ => of!(f64, |x: f64, n| {
            let mut buffer = zmij::Buffer::new();
            if x.is_finite() { round_text(buffer.format_finite(x), n, half_up).unwrap_or(x) } else { x }
        }),
    })
}

fn each<T: Native>(a: &[Arg<'_>], sel: Sel<'_>, out: &mut Column, f: impl Fn(usize, T) -> Option<T>) {
    if !crate::expr::kernels::null_if_any(a, out) {
        return;
    }
    let from = a[0].column.slice::<T>();
    sel.for_each(|i| {
        if out.validity.get(i) {
            match f(i, from[a[0].at(i)]) {
                Some(v) => out.buffer_mut::<T>()[i] = v,
                None => out.validity.set(i, false),
            }
        }
    });
}

fn round_integer(x: i64, n: i32, half_up: bool) -> i64 {
    if n >= 0 {
        return x;
    }
    if n < -18 {
        return 0;
    }
    let unit = decimal::pow10(n.unsigned_abs());
    let x = i128::from(x);
    let cut = x - x % unit;
    let v = if half_up && (x % unit).abs() * 2 >= unit { cut + x.signum() * unit } else { cut };
    v as i64
}

fn round_decimal(x: i128, s: u8, n: i32, half_up: bool, p: u8, t: u8) -> Option<i128> {
    let n = n.clamp(-38, i32::from(s));
    // Drop the digits below 10^-n, then bring to the result's scale.
    let drop = i32::from(s) - n;
    let whole = if drop > 38 {
        0
    } else {
        let unit = decimal::pow10(drop as u32);
        let cut = x / unit;
        if half_up && (x % unit).unsigned_abs() >= unit.unsigned_abs() - (x % unit).unsigned_abs() && drop > 0
        {
            cut + x.signum()
        } else {
            cut
        }
    };
    let shift = i32::from(t) - n;
    let v = if shift >= 0 {
        whole.checked_mul(decimal::pow10(shift.min(38) as u32))?
    } else {
        whole / decimal::pow10(shift.unsigned_abs())
    };
    decimal::fits(v, p).then_some(v)
}

/// A floating number by its shortest text, as `BigDecimal.valueOf(x).setScale(n)` does it. `None`: rounding changes nothing.
fn round_text(text: &str, n: i32, half_up: bool) -> Option<f64> {
    if n > 30 {
        return None;
    }
    let scale = n.max(0) as u8;
    // Two more places than asked for: enough to cut, and to round by the first dropped digit.
    let v = decimal::parse(text.as_bytes(), 38, scale)
        .filter(|_| half_up)
        .or_else(|| if half_up { None } else { cut_text(text, scale) })?;
    let v = if n < 0 {
        let unit = decimal::pow10(n.unsigned_abs().min(38));
        if half_up {
            // From the text again: rounding twice would not be the same.
            let full = decimal::parse(text.as_bytes(), 38, 6)?;
            let unit6 = unit.checked_mul(1_000_000)?;
            let cut = full / unit6;
            (if (full % unit6).abs() * 2 >= unit6 { cut + full.signum() } else { cut }) * unit
        } else {
            v - v % unit
        }
    } else {
        v
    };
    Some(decimal::to_f64(v, scale))
}

/// The digits of a number down to `scale` places.
fn cut_text(text: &str, scale: u8) -> Option<i128> {
    let fine = scale.saturating_add(18).min(37);
    let v = decimal::parse(text.as_bytes(), 38, fine)
        .map(|v| (v, fine))
        .or_else(|| decimal::parse(text.as_bytes(), 38, scale).map(|v| (v, scale)))?;
    Some(v.0 / decimal::pow10(u32::from(v.1 - scale)))
}

fn digits(call: &Call<'_>, f: fn(i64, &mut Vec<u8>)) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if as_decimal(call.kind(0)).is_none() || matches!(call.kind(0), Decimal(..)) {
        return Err(call.wrong_types(&["INTEGER"]));
    }
    Ok(infallible(vec![call.wanted(0, BigInt)], call.result(TypeKind::STRING), move |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            f(a[0].column.slice::<i64>()[a[0].at(i)], to);
            true
        });
    }))
}

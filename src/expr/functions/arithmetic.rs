//! `+ - * / %`, MOD and unary minus over numbers, intervals and datetimes.
//!
//! Integers wrap, as in Java. Division and remainder of integers fail at zero ("/ by zero"), of decimals too ("Division by zero"). A DECIMAL result that
//! does not fit is NULL; where its type says that every result fits (precision up to 38 without cutting the scale), nothing is
//! checked and a product is one multiplication.

use crate::batch::text::civil::{self, DAY_MS, DAY_S, Moment};
use crate::batch::text::{moment, set_moment};
use crate::batch::{Column, DataType, IntervalUnits, Native, Physical, Sel, TypeKind, decimal};
use crate::error::Result;
use crate::expr::coercion::{Arithmetic, as_decimal, numeric_result};
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::compare::whole;
use crate::expr::kernels::divisor::Divisor;
use crate::expr::kernels::{
    binary, each_valid, fallible, infallible, map2, null_if_any, opt_map2, try_map2, unary,
};
use crate::expr::{Arg, Cell, RowError};
use TypeKind::*;

pub(super) fn register(r: &mut Registry) {
    let doc = |names, signatures, text| FunctionDoc {
        names,
        family: "arithmetic",
        signatures,
        text,
        ..FunctionDoc::default()
    };
    const SUM: &[&str] =
        &["numeric + numeric", "interval + interval", "datetime + interval", "interval + datetime"];
    r.builtin(doc(&["+"], SUM, "Sum. Integers wrap."), |c| plus_or_minus(c, Arithmetic::Add));
    r.builtin(
        doc(
            &["-"],
            &["- numeric", "- interval", "numeric - numeric", "interval - interval", "datetime - interval"],
            "Difference, or negation.",
        ),
        minus,
    );
    r.builtin(doc(&["*"], &["numeric * numeric", "interval * integer"], "Product."), times);
    r.builtin(doc(&["/"], &["numeric / numeric"], "Quotient; of integers cut towards zero."), |c| {
        c.count(2..=2)?;
        numeric(c, Arithmetic::Divide)
    });
    r.builtin(
        doc(
            &["%", "MOD"],
            &["exact numeric % exact numeric", "MOD(exact numeric, exact numeric)"],
            "Remainder with the sign of the first.",
        ),
        |c| {
            c.count(2..=2)?;
            numeric(c, Arithmetic::Remainder)
        },
    );
}

const SUM_FORMS: &[&str] =
    &["NUMERIC + NUMERIC", "INTERVAL + INTERVAL", "DATETIME + INTERVAL", "INTERVAL + DATETIME"];

fn minus(call: &Call<'_>) -> Result<BoundFunction> {
    match call.args.len() {
        1 => negate(call),
        2 => plus_or_minus(call, Arithmetic::Subtract),
        _ => Err(call.wrong_count("1 or 2")),
    }
}

fn negate(call: &Call<'_>) -> Result<BoundFunction> {
    macro_rules! neg {
        ($t:ty, $f:expr) => {
            unary::<$t, $t>(call.as_given(), call.result(call.kind(0).clone()), 0, $f)
        };
    }
    Ok(match call.kind(0) {
        TinyInt => neg!(i8, i8::wrapping_neg),
        SmallInt => neg!(i16, i16::wrapping_neg),
        Int | IntervalMonths(_) => neg!(i32, i32::wrapping_neg),
        BigInt | IntervalMillis(_) => neg!(i64, i64::wrapping_neg),
        Float => neg!(f32, |v: f32| -v),
        Double => neg!(f64, |v: f64| -v),
        Decimal(..) => neg!(i128, |v: i128| -v),
        _ => return Err(call.wrong_types(&["-NUMERIC", "-INTERVAL"])),
    })
}

fn plus_or_minus(call: &Call<'_>, op: Arithmetic) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let minus = op == Arithmetic::Subtract;
    match (call.kind(0), call.kind(1)) {
        (a, b) if a.is_numeric() && b.is_numeric() => numeric(call, op),
        (IntervalMonths(_), IntervalMonths(_)) => {
            let ty = call.result(IntervalMonths(IntervalUnits::Month));
            Ok(binary::<i32, i32, i32>(call.as_given(), ty, move |x, y| {
                if minus { x.wrapping_sub(y) } else { x.wrapping_add(y) }
            }))
        }
        (IntervalMillis(_), IntervalMillis(_)) => {
            let ty = call.result(IntervalMillis(IntervalUnits::Second));
            Ok(binary::<i64, i64, i64>(call.as_given(), ty, move |x, y| {
                if minus { x.wrapping_sub(y) } else { x.wrapping_add(y) }
            }))
        }
        (t, i) if t.is_datetime() && i.is_interval() => Ok(shift(call, 0, 1, if minus { -1 } else { 1 })),
        (i, t) if !minus && i.is_interval() && t.is_datetime() => Ok(shift(call, 1, 0, 1)),
        (Null, other) | (other, Null) if other.is_numeric() => {
            // NULL + 1: NULL of the other's type.
            let ty = other.clone().nullable();
            Ok(infallible(vec![ty.clone(), ty.clone()], ty, |_, _, _, out| {
                crate::expr::kernels::all_null(out)
            }))
        }
        _ => Err(call.wrong_types(SUM_FORMS)),
    }
}

/// Datetime argument `t` moved by interval argument `i`.
fn shift(call: &Call<'_>, t: usize, i: usize, sign: i32) -> BoundFunction {
    let ty = call.result(call.kind(t).clone());
    let months = matches!(call.kind(i), IntervalMonths(_));
    let args = call.as_given();
    match (call.kind(t), months) {
        (Date, true) => infallible(args, ty, move |a, sel, rows, out| {
            map2::<i32, i32, i32>(&a[t], &a[i], sel, rows, out, |d, m| civil::add_months(d, sign * m));
        }),
        (Date, false) => infallible(args, ty, move |a, sel, rows, out| {
            map2::<i32, i64, i32>(&a[t], &a[i], sel, rows, out, |d, ms| {
                d.wrapping_add((i64::from(sign) * ms / DAY_MS) as i32)
            });
        }),
        (Time(_), true) => infallible(args, ty, move |a, sel, rows, out| {
            map2::<i32, i32, i32>(&a[t], &a[i], sel, rows, out, |v, _| v);
        }),
        (Time(_), false) => infallible(args, ty, move |a, sel, rows, out| {
            map2::<i32, i64, i32>(&a[t], &a[i], sel, rows, out, |v, ms| {
                (i64::from(v) + i64::from(sign) * (ms % DAY_MS)).rem_euclid(DAY_MS) as i32
            });
        }),
        (k, false) if k.physical() == Physical::I64 => {
            let factor = i64::from(sign) * 1000;
            let moved = move |v: i64, ms: i64| v.wrapping_add(ms.wrapping_mul(factor));
            match t {
                0 => binary(args, ty, moved),
                _ => binary(args, ty, move |ms, v| moved(v, ms)),
            }
        }
        (_, false) => infallible(args, ty, move |a, sel, _, out| {
            moments(a, t, sel, out, |m, row| {
                m.plus_millis(i64::from(sign) * a[i].column.slice::<i64>()[a[i].at(row)])
            });
        }),
        (_, true) => infallible(args, ty, move |a, sel, _, out| {
            moments(a, t, sel, out, |m, row| {
                let months = sign * a[i].column.slice::<i32>()[a[i].at(row)];
                let days = civil::add_months(m.days(), months);
                Moment { seconds: i64::from(days) * DAY_S + m.seconds.rem_euclid(DAY_S), ..m }
            });
        }),
    }
}

fn moments(args: &[Arg<'_>], t: usize, sel: Sel<'_>, out: &mut Column, f: impl Fn(Moment, usize) -> Moment) {
    if null_if_any(args, out) {
        each_valid(sel, out, |out, i| {
            let m = moment(args[t].column, args[t].at(i));
            set_moment(out, i, f(m, i));
        });
    }
}

fn times(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let scaled = |i: usize, n: usize| {
        let (interval, number) = (call.kind(i).clone(), call.kind(n));
        if !number.is_integer() {
            return Err(call.wrong_types(&["INTERVAL * INTEGER"]));
        }
        let wide = matches!(interval, IntervalMillis(_));
        let mut args = call.as_given();
        args[n].kind = if wide { BigInt } else { Int };
        let kind =
            if wide { IntervalMillis(IntervalUnits::Second) } else { IntervalMonths(IntervalUnits::Month) };
        Ok(infallible(args, call.result(kind), move |a, sel, rows, out| {
            if wide {
                map2::<i64, i64, i64>(&a[0], &a[1], sel, rows, out, i64::wrapping_mul);
            } else {
                map2::<i32, i32, i32>(&a[0], &a[1], sel, rows, out, i32::wrapping_mul);
            }
        }))
    };
    match (call.kind(0), call.kind(1)) {
        (a, b) if a.is_interval() && b.is_numeric() => scaled(0, 1),
        (a, b) if b.is_interval() && a.is_numeric() => scaled(1, 0),
        _ => numeric(call, Arithmetic::Multiply),
    }
}

fn numeric(call: &Call<'_>, op: Arithmetic) -> Result<BoundFunction> {
    let (a, b) = match (call.kind(0), call.kind(1)) {
        (Null, k) | (k, Null) if k.is_numeric() => (k, k),
        pair => pair,
    };
    let kind = numeric_result(op, a, b).ok_or_else(|| {
        call.wrong_types(match op {
            Arithmetic::Add => SUM_FORMS,
            Arithmetic::Remainder => &["EXACT NUMERIC % EXACT NUMERIC"],
            _ => &["NUMERIC, NUMERIC"],
        })
    })?;
    if let Decimal(p, s) = kind {
        return Ok(decimals(call, op, a.clone(), b.clone(), p, s));
    }
    let ty = call.result(kind.clone());
    if let Decimal(p, 0) = *a {
        return Ok(whole_remainder(call, p, ty));
    }
    // Remainders of mixed integers are taken in the wider type and then cut to the result's.
    let work = match op {
        Arithmetic::Remainder => crate::expr::coercion::common_kind(a, b).unwrap_or(BigInt),
        _ => kind.clone(),
    };
    if work != kind {
        let args = vec![call.wanted(0, BigInt), call.wanted(1, BigInt)];
        return Ok(match kind {
            TinyInt => fallible(args, ty, |a, sel, _, out| {
                try_map2::<i64, i64, i8>(&a[0], &a[1], sel, out, |x, y| remainder(x, y).map(|v| v as i8))
            }),
            SmallInt => fallible(args, ty, |a, sel, _, out| {
                try_map2::<i64, i64, i16>(&a[0], &a[1], sel, out, |x, y| remainder(x, y).map(|v| v as i16))
            }),
            _ => {
                let constant = call.literal_integer(1).filter(|&v| v != 0).map(Divisor::new);
                by_divisor(
                    args,
                    ty,
                    constant,
                    |d, x: i64| d.remainder(x) as i32,
                    |a, sel, _, out| {
                        try_map2::<i64, i64, i32>(&a[0], &a[1], sel, out, |x, y| {
                            remainder(x, y).map(|v| v as i32)
                        })
                    },
                )
            }
        });
    }
    let args = vec![call.wanted(0, kind.clone()), call.wanted(1, kind.clone())];
    let constant = call.literal_integer(1).filter(|&v| v != 0).map(Divisor::new);
    macro_rules! integer {
        ($t:ty) => {
            match op {
                Arithmetic::Add => binary::<$t, $t, $t>(args, ty, <$t>::wrapping_add),
                Arithmetic::Subtract => binary::<$t, $t, $t>(args, ty, <$t>::wrapping_sub),
                Arithmetic::Multiply => binary::<$t, $t, $t>(args, ty, <$t>::wrapping_mul),
                Arithmetic::Divide => by_divisor(
                    args,
                    ty,
                    constant,
                    |d, x: $t| d.quotient(x.into()) as $t,
                    |a, sel, _, out| {
                        try_map2::<$t, $t, $t>(&a[0], &a[1], sel, out, |x, y| {
                            if y == 0 { Err(BY_ZERO) } else { Ok(x.wrapping_div(y)) }
                        })
                    },
                ),
                Arithmetic::Remainder => by_divisor(
                    args,
                    ty,
                    constant,
                    |d, x: $t| d.remainder(x.into()) as $t,
                    |a, sel, _, out| {
                        try_map2::<$t, $t, $t>(&a[0], &a[1], sel, out, |x, y| {
                            if y == 0 { Err(BY_ZERO) } else { Ok(x.wrapping_rem(y)) }
                        })
                    },
                ),
            }
        };
    }
    macro_rules! float {
        ($t:ty) => {
            match op {
                Arithmetic::Add => binary::<$t, $t, $t>(args, ty, |x, y| x + y),
                Arithmetic::Subtract => binary::<$t, $t, $t>(args, ty, |x, y| x - y),
                Arithmetic::Multiply => binary::<$t, $t, $t>(args, ty, |x, y| x * y),
                _ => binary::<$t, $t, $t>(args, ty, |x, y| x / y),
            }
        };
    }
    Ok(match kind {
        TinyInt => integer!(i8),
        SmallInt => integer!(i16),
        Int => integer!(i32),
        BigInt => integer!(i64),
        Float => float!(f32),
        _ => float!(f64),
    })
}

const BY_ZERO: &str = "/ by zero";
const DIVISION_BY_ZERO: &str = "Division by zero";

#[inline]
fn remainder(x: i64, y: i64) -> Result<i64, &'static str> {
    if y == 0 { Err(BY_ZERO) } else { Ok(x.wrapping_rem(y)) }
}

/// The remainder of a DECIMAL without a scale by an integer, in the type of the integer.
fn whole_remainder(call: &Call<'_>, p: u8, ty: DataType) -> BoundFunction {
    let args = vec![call.wanted(0, Decimal(p, 0)), call.wanted(1, BigInt)];
    macro_rules! of {
        ($t:ty) => {
            fallible(args, ty, |a, sel, _, out| {
                try_map2::<i128, i64, $t>(&a[0], &a[1], sel, out, |x, y| match y {
                    0 => Err(BY_ZERO),
                    y => Ok((x % i128::from(y)) as $t),
                })
            })
        };
    }
    match ty.kind {
        TinyInt => of!(i8),
        SmallInt => of!(i16),
        Int => of!(i32),
        _ => of!(i64),
    }
}

/// Integer division or remainder: by a constant that is not zero it cannot fail and uses a precomputed divisor.
fn by_divisor<A, B, F, G>(
    args: Vec<crate::batch::DataType>,
    ty: crate::batch::DataType,
    constant: Option<Divisor>,
    fast: F,
    general: G,
) -> BoundFunction
where
    A: Native + Cell,
    B: Native + Cell,
    F: Fn(Divisor, A) -> B + Clone + Send + Sync + 'static,
    G: Fn(&[Arg<'_>], Sel<'_>, usize, &mut Column) -> Result<(), RowError> + Clone + Send + Sync + 'static,
{
    let Some(d) = constant else { return fallible(args, ty, general) };
    unary(args, ty, 0, move |x| fast(d, x))
}

/// A decimal operation over columns of `A` and `B` (an integer type, or `i128`).
fn decimals(call: &Call<'_>, op: Arithmetic, a: TypeKind, b: TypeKind, p: u8, s: u8) -> BoundFunction {
    let (Some((p1, s1)), Some((p2, s2))) = (as_decimal(&a), as_decimal(&b)) else {
        unreachable!("the result is DECIMAL only for exact numbers")
    };
    let ty = call.result(Decimal(p, s));
    // Integers other than BIGINT are widened; BIGINT is multiplied as it is, the hot case.
    let wide = |i: usize, k: &TypeKind| match k {
        BigInt => call.wanted(i, BigInt),
        Decimal(..) => call.wanted(i, k.clone()),
        _ => call.wanted(i, BigInt),
    };
    let args = vec![wide(0, &a), wide(1, &b)];
    // Unscaled, of the type that the argument has in the kernel too.
    let constants = [0, 1].map(|i| {
        let literal = call.args[i].literal.as_ref().filter(|c| c.is_valid(0))?;
        i64::try_from(whole(literal, 0)).ok()
    });
    macro_rules! forms {
        ($f:ident) => {
            match (matches!(a, Decimal(..)), matches!(b, Decimal(..))) {
                (true, true) => $f::<i128, i128>(args, ty, op, (p1, s1), (p2, s2), (p, s), constants),
                (true, false) => $f::<i128, i64>(args, ty, op, (p1, s1), (p2, s2), (p, s), constants),
                (false, true) => $f::<i64, i128>(args, ty, op, (p1, s1), (p2, s2), (p, s), constants),
                (false, false) => $f::<i64, i64>(args, ty, op, (p1, s1), (p2, s2), (p, s), constants),
            }
        };
    }
    forms!(decimal_kernel)
}

fn decimal_kernel<A, B>(
    args: Vec<crate::batch::DataType>,
    ty: crate::batch::DataType,
    op: Arithmetic,
    (p1, s1): (u8, u8),
    (p2, s2): (u8, u8),
    (p, s): (u8, u8),
    constants: [Option<i64>; 2],
) -> BoundFunction
where
    A: Native + Cell + Into<i128>,
    B: Native + Cell + Into<i128>,
{
    match op {
        Arithmetic::Add | Arithmetic::Subtract => {
            let sign = if op == Arithmetic::Add { 1 } else { -1 };
            let both = s1.max(s2);
            if s == both && (p1 - s1).max(p2 - s2) + both < decimal::MAX_PRECISION {
                let (f, g) = (decimal::pow10((both - s1).into()), sign * decimal::pow10((both - s2).into()));
                return binary::<A, B, i128>(args, ty, move |x, y| x.into() * f + y.into() * g);
            }
            infallible(args, ty, move |a, sel, _, out| {
                opt_map2::<A, B, i128>(&a[0], &a[1], sel, out, |x, y| {
                    decimal::add(x.into(), s1, sign * y.into(), s2, p, s)
                });
            })
        }
        Arithmetic::Multiply => {
            if s == s1 + s2 && p1 + p2 <= decimal::MAX_PRECISION {
                return multiply::<A, B>(args, ty, constants);
            }
            infallible(args, ty, move |a, sel, _, out| {
                opt_map2::<A, B, i128>(&a[0], &a[1], sel, out, |x, y| {
                    decimal::mul(x.into(), s1, y.into(), s2, p, s)
                });
            })
        }
        Arithmetic::Divide => fallible(args, ty, move |a, sel, _, out| {
            divide::<A, B>(a, sel, out, |x, y| decimal::div(x, s1, y, s2, p, s))
        }),
        Arithmetic::Remainder => fallible(args, ty, move |a, sel, _, out| {
            divide::<A, B>(a, sel, out, |x, y| decimal::rem(x, s1, y, s2, p, s))
        }),
    }
}

/// A product that always fits. A constant of 64 bits leaves one multiplication a row.
fn multiply<A, B>(
    args: Vec<crate::batch::DataType>,
    ty: crate::batch::DataType,
    constants: [Option<i64>; 2],
) -> BoundFunction
where
    A: Native + Cell + Into<i128>,
    B: Native + Cell + Into<i128>,
{
    match constants {
        [Some(c), _] => unary::<B, i128>(args, ty, 1, move |v| v.into() * i128::from(c)),
        [None, Some(c)] => unary::<A, i128>(args, ty, 0, move |v| v.into() * i128::from(c)),
        _ => binary::<A, B, i128>(args, ty, |x, y| x.into() * y.into()),
    }
}

fn divide<A, B>(
    a: &[Arg<'_>],
    sel: Sel<'_>,
    out: &mut Column,
    f: impl Fn(i128, i128) -> Option<i128>,
) -> Result<(), RowError>
where
    A: Native + Cell + Into<i128>,
    B: Native + Cell + Into<i128>,
{
    if !null_if_any(a, out) {
        return Ok(());
    }
    let (x, y) = (a[0].column.slice::<A>(), a[1].column.slice::<B>());
    sel.try_for_each(|i| {
        if out.validity.get(i) {
            let d: i128 = y[a[1].at(i)].into();
            if d == 0 {
                return Err(RowError::runtime(i, DIVISION_BY_ZERO));
            }
            match f(x[a[0].at(i)].into(), d) {
                Some(v) => out.buffer_mut::<i128>()[i] = v,
                None => out.validity.set(i, false),
            }
        }
        Ok(())
    })
}

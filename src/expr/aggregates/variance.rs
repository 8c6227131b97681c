//! VAR_POP, VAR_SAMP (VARIANCE), STDDEV_POP, STDDEV_SAMP (STDDEV), from count, sum and sum of squares, as Flink's planner rewrites them.
//!
//! The arithmetic is that of the argument's type: integers divide as integers, DECIMAL with Flink's scales (usually 6), the rest in DOUBLE.

use super::fold::{Fold, Folding};
use super::{add, inverting};
use crate::batch::{Column, DataType, Decoder, Encoder, TypeKind, decimal};
use crate::error::Result;
use crate::expr::coercion::{Arithmetic, numeric_result};
use crate::expr::function::{BoundAggregate, Call, Registry};
use TypeKind::*;

pub(super) fn register(r: &mut Registry) {
    add(r, &["VAR_POP"], &["numeric"], "Variance of the whole.", |c, _| bind(c, false, false));
    add(r, &["VAR_SAMP", "VARIANCE"], &["numeric"], "Variance of a sample; NULL for one row.", |c, _| {
        bind(c, true, false)
    });
    add(r, &["STDDEV_POP"], &["numeric"], "Standard deviation of the whole.", |c, _| bind(c, false, true));
    add(
        r,
        &["STDDEV_SAMP", "STDDEV"],
        &["numeric"],
        "Standard deviation of a sample; NULL for one row.",
        |c, _| bind(c, true, true),
    );
}

fn bind(call: &Call<'_>, sample: bool, root: bool) -> Result<BoundAggregate> {
    if call.args.len() != 1 {
        return Err(call.wrong_count("1"));
    }
    let arg = call.args[0].ty.clone();
    if !arg.kind.is_numeric() {
        return Err(call.wrong_types(&["NUMERIC"]));
    }
    let kind = match arg.kind {
        Decimal(_, s) => Decimal(38, s.max(6)),
        ref k => k.clone(),
    };
    let ty: DataType = kind.clone().nullable();
    let args = vec![arg.clone()];
    Ok(match arg.kind {
        Decimal(p, s) => {
            let shape = DecimalShape::new(p, s);
            inverting(args, ty, move || Folding::new(Exact { shape, sample, root }))
        }
        Float | Double => {
            let float = arg.kind == Float;
            if float {
                inverting(args, ty, move || Folding::new(Approximate::<f32>::new(sample, root)))
            } else {
                inverting(args, ty, move || Folding::new(Approximate::<f64>::new(sample, root)))
            }
        }
        TinyInt => inverting(args, ty, move || Folding::new(Whole::<i8>::new(sample, root))),
        SmallInt => inverting(args, ty, move || Folding::new(Whole::<i16>::new(sample, root))),
        Int => inverting(args, ty, move || Folding::new(Whole::<i32>::new(sample, root))),
        _ => inverting(args, ty, move || Folding::new(Whole::<i64>::new(sample, root))),
    })
}

#[derive(Clone, Copy, Default)]
struct Moments<T> {
    sum: T,
    squares: T,
    count: i64,
}

macro_rules! fold_moments {
    ($total:ty, $put:ident, $t:ty, $read:expr) => {
        type Value = $t;
        type State = Moments<$total>;

        fn reader(c: &Column) -> impl Fn(usize) -> $t + '_ {
            let values = c.slice::<$t>();
            move |i| values[i]
        }

        fn add(&self, s: &mut Self::State, v: $t) {
            let v = <$total>::from(v);
            *s = Moments { sum: plus(s.sum, v), squares: plus(s.squares, times(v, v)), count: s.count + 1 };
        }

        fn remove(&self, s: &mut Self::State, v: $t) {
            let v = <$total>::from(v);
            *s = Moments { sum: minus(s.sum, v), squares: minus(s.squares, times(v, v)), count: s.count - 1 };
        }

        fn merge(&self, into: &mut Self::State, from: &Self::State) {
            *into = Moments {
                sum: plus(into.sum, from.sum),
                squares: plus(into.squares, from.squares),
                count: into.count + from.count,
            };
        }

        fn encode(s: &Self::State, to: &mut Encoder) {
            to.$put(s.sum);
            to.$put(s.squares);
            to.i64(s.count);
        }

        fn decode(from: &mut Decoder<'_>) -> Result<Self::State> {
            Ok(Moments { sum: from.$put()?, squares: from.$put()?, count: from.i64()? })
        }
    };
}

/// Arithmetic that wraps for integers.
trait Number: Copy {
    fn add(self, o: Self) -> Self;
    fn sub(self, o: Self) -> Self;
    fn mul(self, o: Self) -> Self;
}
macro_rules! wrapping {
    ($($t:ty),*) => {$(impl Number for $t {
        fn add(self, o: Self) -> Self { self.wrapping_add(o) }
        fn sub(self, o: Self) -> Self { self.wrapping_sub(o) }
        fn mul(self, o: Self) -> Self { self.wrapping_mul(o) }
    })*};
}
wrapping!(i64, i128);
impl Number for f64 {
    fn add(self, o: Self) -> Self {
        self + o
    }
    fn sub(self, o: Self) -> Self {
        self - o
    }
    fn mul(self, o: Self) -> Self {
        self * o
    }
}
fn plus<T: Number>(a: T, b: T) -> T {
    a.add(b)
}
fn minus<T: Number>(a: T, b: T) -> T {
    a.sub(b)
}
fn times<T: Number>(a: T, b: T) -> T {
    a.mul(b)
}

/// The number that the squares are divided by; `None`: NULL.
fn divisor(count: i64, sample: bool) -> Option<i64> {
    let d = count - i64::from(sample);
    (count > 0 && d > 0).then_some(d)
}

#[derive(Clone)]
struct Whole<T> {
    sample: bool,
    root: bool,
    value: std::marker::PhantomData<T>,
}

impl<T> Whole<T> {
    fn new(sample: bool, root: bool) -> Self {
        Self { sample, root, value: std::marker::PhantomData }
    }
}

macro_rules! whole {
    ($($t:ty),*) => {$(
        impl Fold for Whole<$t> {
            fold_moments!(i64, i64, $t, i64::from);

            fn push(&self, s: &Self::State, out: &mut Column) {
                let value = divisor(s.count, self.sample).map(|d| {
                    let variance = s.squares.wrapping_sub(s.sum.wrapping_mul(s.sum) / s.count) / d;
                    if self.root { (variance as f64).sqrt() as $t } else { variance as $t }
                });
                out.validity.push(value.is_some());
                out.buffer_mut::<$t>().push(value.unwrap_or_default());
            }
        }
    )*};
}
whole!(i8, i16, i32, i64);

#[derive(Clone)]
struct Approximate<T> {
    sample: bool,
    root: bool,
    value: std::marker::PhantomData<T>,
}

impl<T> Approximate<T> {
    fn new(sample: bool, root: bool) -> Self {
        Self { sample, root, value: std::marker::PhantomData }
    }
}

macro_rules! approximate {
    ($($t:ty),*) => {$(
        impl Fold for Approximate<$t> {
            fold_moments!(f64, f64, $t, f64::from);

            fn push(&self, s: &Self::State, out: &mut Column) {
                let value = divisor(s.count, self.sample).map(|d| {
                    let variance = (s.squares - s.sum * s.sum / s.count as f64) / d as f64;
                    (if self.root { variance.sqrt() } else { variance }) as $t
                });
                out.validity.push(value.is_some());
                out.buffer_mut::<$t>().push(value.unwrap_or_default());
            }
        }
    )*};
}
approximate!(f32, f64);

/// The scales on the way, from Flink's rules for each operation.
#[derive(Clone, Copy)]
struct DecimalShape {
    /// Of the argument.
    scale: u8,
    squares: u8,
    sum_squared: u8,
    by_count: u8,
    difference: u8,
    quotient: u8,
    result: u8,
}

impl DecimalShape {
    fn new(p: u8, s: u8) -> Self {
        let op = |op, a: TypeKind, b: TypeKind| match numeric_result(op, &a, &b) {
            Some(Decimal(_, s)) => s,
            _ => unreachable!("decimals give decimals"),
        };
        let squares = op(Arithmetic::Multiply, Decimal(p, s), Decimal(p, s));
        let sum_squared = op(Arithmetic::Multiply, Decimal(38, s), Decimal(38, s));
        let by_count = op(Arithmetic::Divide, Decimal(38, sum_squared), BigInt);
        let difference = op(Arithmetic::Subtract, Decimal(38, squares), Decimal(38, by_count));
        let quotient = op(Arithmetic::Divide, Decimal(38, difference), BigInt);
        Self { scale: s, squares, sum_squared, by_count, difference, quotient, result: s.max(6) }
    }
}

#[derive(Clone)]
struct Exact {
    shape: DecimalShape,
    sample: bool,
    root: bool,
}

impl Exact {
    fn value(&self, s: &Moments<i128>) -> Option<i128> {
        let d = divisor(s.count, self.sample)?;
        let (k, p) = (&self.shape, decimal::MAX_PRECISION);
        let squared = decimal::mul(s.sum, k.scale, s.sum, k.scale, p, k.sum_squared)?;
        let share = decimal::div(squared, k.sum_squared, s.count.into(), 0, p, k.by_count)?;
        let difference = decimal::add(s.squares, k.squares, -share, k.by_count, p, k.difference)?;
        let variance = decimal::div(difference, k.difference, d.into(), 0, p, k.quotient)?;
        if self.root {
            return decimal::from_f64(decimal::to_f64(variance, k.quotient).sqrt(), p, k.result);
        }
        decimal::rescale(variance, k.quotient, p, k.result)
    }

    fn square(&self, v: i128) -> i128 {
        decimal::mul(v, self.shape.scale, v, self.shape.scale, 38, self.shape.squares).unwrap_or(0)
    }
}

impl Fold for Exact {
    type Value = i128;
    type State = Moments<i128>;

    fn reader(c: &Column) -> impl Fn(usize) -> i128 + '_ {
        let values = c.slice::<i128>();
        move |i| values[i]
    }

    fn add(&self, s: &mut Self::State, v: i128) {
        *s = Moments {
            sum: s.sum.wrapping_add(v),
            squares: s.squares.wrapping_add(self.square(v)),
            count: s.count + 1,
        };
    }

    fn remove(&self, s: &mut Self::State, v: i128) {
        *s = Moments {
            sum: s.sum.wrapping_sub(v),
            squares: s.squares.wrapping_sub(self.square(v)),
            count: s.count - 1,
        };
    }

    fn merge(&self, into: &mut Self::State, from: &Self::State) {
        *into = Moments {
            sum: into.sum.wrapping_add(from.sum),
            squares: into.squares.wrapping_add(from.squares),
            count: into.count + from.count,
        };
    }

    fn push(&self, s: &Self::State, out: &mut Column) {
        let value = self.value(s);
        out.validity.push(value.is_some());
        out.buffer_mut::<i128>().push(value.unwrap_or_default());
    }

    fn encode(s: &Self::State, to: &mut Encoder) {
        to.i128(s.sum);
        to.i128(s.squares);
        to.i64(s.count);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self::State> {
        Ok(Moments { sum: from.i128()?, squares: from.i128()?, count: from.i64()? })
    }
}

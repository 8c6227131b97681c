//! SUM, `$SUM0` and AVG.
//!
//! SUM keeps the type of integers and wraps; a DECIMAL sum has 38 digits and, when it overflows, starts again from the next value, as in
//! Flink. SUM and AVG are NULL when no row is left. AVG of integers is cut towards zero; of FLOAT and DOUBLE it is folded in DOUBLE; of
//! DECIMAL(p, s) it is DECIMAL(38, max(6, s)).

use super::fold::{Fold, Folding, Plain};
use super::{add, inverting, nullable_result};
use crate::batch::{Column, DataType, Decoder, Encoder, TypeKind, decimal};
use crate::error::Result;
use crate::expr::function::{BoundAggregate, Call, Registry};
use TypeKind::*;

pub(super) fn register(r: &mut Registry) {
    add(r, &["SUM"], &["numeric"], "Sum of the values that are not NULL; integers wrap.", |c, grouped| {
        sum(c, nullable_result(c, grouped), false)
    });
    add(r, &["$SUM0"], &["numeric"], "SUM, but 0 when there is no value.", |c, _| sum(c, false, true));
    add(r, &["AVG"], &["numeric"], "Mean of the values that are not NULL, in the type of the argument.", avg);
}

fn numeric_argument(call: &Call<'_>) -> Result<()> {
    if call.args.len() != 1 {
        return Err(call.wrong_count("1"));
    }
    if !call.args[0].ty.kind.is_numeric() {
        return Err(call.wrong_types(&["NUMERIC"]));
    }
    Ok(())
}

fn sum(call: &Call<'_>, nullable: bool, zero: bool) -> Result<BoundAggregate> {
    numeric_argument(call)?;
    let arg = call.args[0].ty.clone();
    let kind = match arg.kind {
        Decimal(_, s) => Decimal(38, s),
        ref k => k.clone(),
    };
    let ty = DataType { kind, nullable, time: Default::default() };
    let args = vec![arg.clone()];
    Ok(match arg.kind {
        TinyInt => inverting(args, ty, move || Folding::new(Sum::<i8>::new(zero))),
        SmallInt => inverting(args, ty, move || Folding::new(Sum::<i16>::new(zero))),
        Int => inverting(args, ty, move || Folding::new(Sum::<i32>::new(zero))),
        BigInt => inverting(args, ty, move || Folding::new(Sum::<i64>::new(zero))),
        Float => inverting(args, ty, move || Folding::new(Sum::<f32>::new(zero))),
        Double => inverting(args, ty, move || Folding::new(Sum::<f64>::new(zero))),
        _ => inverting(args, ty, move || Folding::new(Sum::<i128>::new(zero))),
    })
}

/// Addition as SUM does it. `None`: it does not fit.
pub(super) trait Addable: Plain {
    fn plus(self, other: Self) -> Option<Self>;
    fn minus(self, other: Self) -> Option<Self>;
}

macro_rules! wrapping {
    ($($t:ty),*) => {$(
        impl Addable for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Option<Self> {
                Some(self.wrapping_add(other))
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Option<Self> {
                Some(self.wrapping_sub(other))
            }
        }
    )*};
}
wrapping!(i8, i16, i32, i64);
macro_rules! float {
    ($($t:ty),*) => {$(
        impl Addable for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Option<Self> {
                Some(self + other)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Option<Self> {
                Some(self - other)
            }
        }
    )*};
}
float!(f32, f64);

impl Addable for i128 {
    #[inline]
    fn plus(self, other: Self) -> Option<Self> {
        // Both have at most 38 digits, so i128 holds the sum.
        Some(self + other).filter(|&v| decimal::fits(v, decimal::MAX_PRECISION))
    }
    #[inline]
    fn minus(self, other: Self) -> Option<Self> {
        Some(self - other).filter(|&v| decimal::fits(v, decimal::MAX_PRECISION))
    }
}

#[derive(Clone)]
pub(super) struct Sum<T> {
    zero: bool,
    value: std::marker::PhantomData<T>,
}

impl<T> Sum<T> {
    fn new(zero: bool) -> Self {
        Self { zero, value: std::marker::PhantomData }
    }
}

#[derive(Clone, Copy, Default)]
pub(super) struct SumState<T> {
    sum: T,
    count: i64,
}

impl<T: Addable> Fold for Sum<T> {
    type Value = T;
    type State = SumState<T>;
    type Out = T;

    #[inline]
    fn reader(c: &Column) -> impl Fn(usize) -> T + '_ {
        T::reader(c)
    }

    #[inline(always)]
    fn add(&self, s: &mut SumState<T>, v: T) {
        match s.sum.plus(v) {
            Some(sum) => *s = SumState { sum, count: s.count + 1 },
            None => *s = SumState::default(),
        }
    }

    #[inline(always)]
    fn remove(&self, s: &mut SumState<T>, v: T) {
        match s.sum.minus(v) {
            Some(sum) => *s = SumState { sum, count: s.count - 1 },
            None => *s = SumState::default(),
        }
    }

    fn merge(&self, into: &mut SumState<T>, from: &SumState<T>) {
        if from.count != 0 {
            match into.sum.plus(from.sum) {
                Some(sum) => *into = SumState { sum, count: into.count + from.count },
                None => *into = SumState::default(),
            }
        }
    }

    #[inline(always)]
    fn value(&self, s: &SumState<T>) -> Option<T> {
        (s.count != 0 || self.zero).then_some(s.sum)
    }

    fn encode(s: &SumState<T>, to: &mut Encoder) {
        s.sum.encode(to);
        to.i64(s.count);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<SumState<T>> {
        Ok(SumState { sum: T::decode(from)?, count: from.i64()? })
    }
}

fn avg(call: &Call<'_>, grouped: bool) -> Result<BoundAggregate> {
    numeric_argument(call)?;
    let arg = call.args[0].ty.clone();
    let kind = match arg.kind {
        Decimal(_, s) => Decimal(38, s.max(6)),
        ref k => k.clone(),
    };
    let ty = DataType { kind, nullable: nullable_result(call, grouped), time: Default::default() };
    let args = vec![arg.clone()];
    Ok(match arg.kind {
        TinyInt => inverting(args, ty, || Folding::new(Avg::<i8>::new(0, 0))),
        SmallInt => inverting(args, ty, || Folding::new(Avg::<i16>::new(0, 0))),
        Int => inverting(args, ty, || Folding::new(Avg::<i32>::new(0, 0))),
        BigInt => inverting(args, ty, || Folding::new(Avg::<i64>::new(0, 0))),
        Float => inverting(args, ty, || Folding::new(Avg::<f32>::new(0, 0))),
        Double => inverting(args, ty, || Folding::new(Avg::<f64>::new(0, 0))),
        Decimal(_, s) => inverting(args, ty, move || Folding::new(Avg::<i128>::new(s, s.max(6)))),
        _ => unreachable!("checked above"),
    })
}

/// How AVG sums and divides a type.
pub(super) trait Mean: Plain {
    type Total: Addable;
    fn total(self) -> Self::Total;
    fn divide(total: Self::Total, count: i64, from: u8, to: u8) -> Option<Self>;
}

macro_rules! mean {
    ($($t:ty, $total:ty);*) => {$(
        impl Mean for $t {
            type Total = $total;
            #[inline(always)]
            fn total(self) -> $total {
                self.into()
            }
            #[inline(always)]
            fn divide(total: $total, count: i64, _: u8, _: u8) -> Option<Self> {
                Some((total / count as $total) as $t)
            }
        }
    )*};
}
mean!(i8, i64; i16, i64; i32, i64; i64, i64; f32, f64; f64, f64);

impl Mean for i128 {
    type Total = i128;
    fn total(self) -> i128 {
        self
    }
    fn divide(total: i128, count: i64, from: u8, to: u8) -> Option<Self> {
        decimal::div(total, from, count.into(), 0, decimal::MAX_PRECISION, to)
    }
}

#[derive(Clone)]
pub(super) struct Avg<T> {
    from: u8,
    to: u8,
    value: std::marker::PhantomData<T>,
}

impl<T> Avg<T> {
    fn new(from: u8, to: u8) -> Self {
        Self { from, to, value: std::marker::PhantomData }
    }
}

impl<T: Mean> Fold for Avg<T> {
    type Value = T;
    type State = SumState<T::Total>;
    type Out = T;

    #[inline]
    fn reader(c: &Column) -> impl Fn(usize) -> T + '_ {
        T::reader(c)
    }

    #[inline(always)]
    fn add(&self, s: &mut Self::State, v: T) {
        if let Some(sum) = s.sum.plus(v.total()) {
            s.sum = sum;
        }
        s.count += 1;
    }

    #[inline(always)]
    fn remove(&self, s: &mut Self::State, v: T) {
        if let Some(sum) = s.sum.minus(v.total()) {
            s.sum = sum;
        }
        s.count -= 1;
    }

    fn merge(&self, into: &mut Self::State, from: &Self::State) {
        if let Some(sum) = into.sum.plus(from.sum) {
            into.sum = sum;
        }
        into.count += from.count;
    }

    #[inline(always)]
    fn value(&self, s: &Self::State) -> Option<T> {
        if s.count == 0 { None } else { T::divide(s.sum, s.count, self.from, self.to) }
    }

    fn encode(s: &Self::State, to: &mut Encoder) {
        s.sum.encode(to);
        to.i64(s.count);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self::State> {
        Ok(SumState { sum: <T::Total as Plain>::decode(from)?, count: from.i64()? })
    }
}

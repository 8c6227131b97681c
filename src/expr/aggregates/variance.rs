//! VAR_POP, VAR_SAMP (VARIANCE), STDDEV_POP, STDDEV_SAMP (STDDEV).
//!
//! As in Flink 2.3: count, mean and sum of squared distances from it are kept in DOUBLE by Welford's steps, forwards and backwards, and the quotient is
//! cast to the argument's type. Sums of squares would overflow and cancel.

use super::fold::{Fold, Folding, Plain};
use super::{add, inverting};
use crate::batch::{Column, DataType, Decoder, Encoder, Native, TypeKind, decimal};
use crate::error::Result;
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
    let (scale, kind) = match arg.kind {
        Decimal(_, s) => (s, Decimal(38, s.max(6))),
        ref k => (0, k.clone()),
    };
    let ty: DataType = kind.nullable();
    let args = vec![arg.clone()];
    macro_rules! of {
        ($t:ty) => {
            inverting(args, ty, move || {
                Folding::new(Spread::<$t> { sample, root, scale, value: std::marker::PhantomData })
            })
        };
    }
    Ok(match arg.kind {
        Decimal(..) => of!(i128),
        Float => of!(f32),
        Double => of!(f64),
        TinyInt => of!(i8),
        SmallInt => of!(i16),
        Int => of!(i32),
        _ => of!(i64),
    })
}

/// A numeric type as DOUBLE and back. `scale` is that of a DECIMAL.
trait Observed: Native + Plain {
    fn to_double(self, scale: u8) -> f64;
    fn from_double(d: f64, scale: u8) -> Option<Self>;
}

macro_rules! observed {
    ($($t:ty, $via:ty);*) => {$(
        impl Observed for $t {
            fn to_double(self, _scale: u8) -> f64 {
                self as f64
            }
            fn from_double(d: f64, _scale: u8) -> Option<Self> {
                Some(d as $via as $t)
            }
        }
    )*};
}
// Java casts to the small types by way of INT.
observed!(i8, i32; i16, i32; i32, i32; i64, i64; f32, f32; f64, f64);

impl Observed for i128 {
    fn to_double(self, scale: u8) -> f64 {
        decimal::to_f64(self, scale)
    }

    fn from_double(d: f64, scale: u8) -> Option<Self> {
        decimal::from_f64(d, decimal::MAX_PRECISION, scale.max(6))
    }
}

#[derive(Clone, Copy, Default)]
struct Moments {
    count: i64,
    mean: f64,
    /// The sum of squared distances from the mean.
    distance: f64,
}

#[derive(Clone)]
struct Spread<T> {
    sample: bool,
    root: bool,
    scale: u8,
    value: std::marker::PhantomData<T>,
}

impl<T: Observed> Spread<T> {
    fn spread(&self, s: &Moments) -> Option<T> {
        let divisor = s.count - i64::from(self.sample);
        if divisor <= 0 || s.distance < 0.0 {
            return None;
        }
        let variance = s.distance / divisor as f64;
        T::from_double(if self.root { variance.sqrt() } else { variance }, self.scale)
    }
}

impl<T: Observed> Fold for Spread<T> {
    type Value = T;
    type State = Moments;
    type Out = T;

    fn reader(c: &Column) -> impl Fn(usize) -> T + '_ {
        let values = c.slice::<T>();
        move |i| values[i]
    }

    fn add(&self, s: &mut Moments, v: T) {
        s.count += 1;
        if s.count <= 0 {
            return;
        }
        let v = v.to_double(self.scale);
        let before = v - s.mean;
        s.mean += before / s.count as f64;
        s.distance += before * (v - s.mean);
    }

    fn remove(&self, s: &mut Moments, v: T) {
        s.count -= 1;
        if s.count <= 0 {
            // Rows may leave before they come: the count goes on.
            *s = if s.count == 0 { Moments::default() } else { *s };
            return;
        }
        let v = v.to_double(self.scale);
        let before = v - s.mean;
        s.mean -= before / s.count as f64;
        s.distance -= (v - s.mean) * before;
    }

    fn merge(&self, into: &mut Moments, from: &Moments) {
        if from.count <= 0 {
            into.count += from.count;
        } else if into.count == 0 {
            *into = *from;
        } else {
            let count = into.count + from.count;
            let apart = from.mean - into.mean;
            into.mean += from.count as f64 / count as f64 * apart;
            into.distance +=
                from.distance + into.count as f64 * from.count as f64 / count as f64 * apart * apart;
            into.count = count;
        }
        if into.count <= 0 {
            *into = Moments { count: into.count, ..Moments::default() };
        }
    }

    fn value(&self, s: &Moments) -> Option<T> {
        self.spread(s)
    }

    fn encode(s: &Moments, to: &mut Encoder) {
        to.i64(s.count);
        to.f64(s.mean);
        to.f64(s.distance);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Moments> {
        Ok(Moments { count: from.i64()?, mean: from.f64()?, distance: from.f64()? })
    }
}

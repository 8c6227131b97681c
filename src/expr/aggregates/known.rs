//! The aggregates that most queries have, by their types. Over a row that comes alone a virtual call, with its argument looked up anew, costs
//! several times what there is to add.

use super::count::Count;
use super::fold::Folding;
use super::min_max::Best;
use super::sum::{Avg, Sum};
use crate::batch::Column;
use crate::expr::Accumulator;
use std::any::Any;
use std::ops::{Deref, DerefMut};

/// An accumulator, some by their types: COUNT, and SUM, AVG, MIN and MAX of values of 64 bits.
pub struct Known(Kind);

enum Kind {
    Count(Count),
    Sum(Folding<Sum<i64>>),
    Avg(Folding<Avg<i64>>),
    Best(Folding<Best<i64>>),
    Other(Box<dyn Accumulator>),
}

impl Known {
    /// It takes values of 64 bits one by one: [`Known::add`] and [`Known::add_tracked`] may be called.
    pub fn takes_longs(&self) -> bool {
        !matches!(self.0, Kind::Other(_))
    }

    /// A row joins a group with this value, which for COUNT is any; `None`: it is NULL, or the aggregate does not see the row.
    #[inline(always)]
    pub fn add(&mut self, slot: u32, value: Option<i64>) {
        match &mut self.0 {
            Kind::Count(c) => _ = c.add(slot, value.is_some()),
            Kind::Sum(f) => f.add(slot, value),
            Kind::Avg(f) => f.add(slot, value),
            Kind::Best(f) => f.add(slot, value),
            Kind::Other(_) => unreachable!("it was asked before"),
        }
    }

    /// [`Known::add`], which makes `sides` the group's value before and after it: two rows. Where the group `begins` with the row, only the
    /// value after it.
    #[inline(always)]
    pub fn add_tracked(&mut self, slot: u32, value: Option<i64>, begins: bool, sides: &mut Column) {
        match &mut self.0 {
            Kind::Count(c) => {
                let (before, after) = c.add(slot, value.is_some());
                sides.set_sides(before, after, begins);
            }
            Kind::Sum(f) => f.add_tracked(slot, value, begins, sides),
            Kind::Avg(f) => f.add_tracked(slot, value, begins, sides),
            Kind::Best(f) => f.add_tracked(slot, value, begins, sides),
            Kind::Other(_) => unreachable!("it was asked before"),
        }
    }
}

impl From<Box<dyn Accumulator>> for Known {
    fn from(accumulator: Box<dyn Accumulator>) -> Self {
        fn is<A: Accumulator>(accumulator: &dyn Accumulator) -> bool {
            (accumulator as &dyn Any).is::<A>()
        }
        fn take<A: Accumulator>(accumulator: Box<dyn Accumulator>) -> A {
            let any: Box<dyn Any> = accumulator;
            *any.downcast().expect("of the type that it is")
        }
        Self(match &*accumulator {
            a if is::<Count>(a) => Kind::Count(take(accumulator)),
            a if is::<Folding<Sum<i64>>>(a) => Kind::Sum(take(accumulator)),
            a if is::<Folding<Avg<i64>>>(a) => Kind::Avg(take(accumulator)),
            a if is::<Folding<Best<i64>>>(a) => Kind::Best(take(accumulator)),
            _ => Kind::Other(accumulator),
        })
    }
}

impl Deref for Known {
    type Target = dyn Accumulator;
    fn deref(&self) -> &Self::Target {
        match &self.0 {
            Kind::Count(c) => c,
            Kind::Sum(f) => f,
            Kind::Avg(f) => f,
            Kind::Best(f) => f,
            Kind::Other(other) => &**other,
        }
    }
}

impl DerefMut for Known {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.0 {
            Kind::Count(c) => c,
            Kind::Sum(f) => f,
            Kind::Avg(f) => f,
            Kind::Best(f) => f,
            Kind::Other(other) => &mut **other,
        }
    }
}

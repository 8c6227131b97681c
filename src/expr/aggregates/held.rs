//! The aggregates that most queries have, by their types. Over a row that comes alone a virtual call, with its argument looked up anew, costs
//! several times what there is to add.

use super::count::Count;
use super::counts::Counts;
use super::fold::Folding;
use super::min_max::Best;
use super::sum::{Avg, Sum};
use crate::batch::{Column, Decoder, Encoder};
use crate::error::Result;
use crate::expr::{Accumulator, RowError, Updates};
use std::any::Any;

/// The accumulator of a call of an operator: one of its [`Counts`]; or SUM, AVG, MIN or MAX of values of 64 bits by its type; or another.
pub struct Held(Kind);

enum Kind {
    /// Its number among the counts.
    Count(usize),
    Sum(Folding<Sum<i64>>),
    Avg(Folding<Avg<i64>>),
    Best(Folding<Best<i64>>),
    Other(Box<dyn Accumulator>),
}

impl Held {
    /// `call`: its number among those of the operator, where it is a COUNT one more of the `counts`.
    pub fn new(accumulator: Box<dyn Accumulator>, call: usize, counts: &mut Counts) -> Self {
        fn is<A: Accumulator>(accumulator: &dyn Accumulator) -> bool {
            (accumulator as &dyn Any).is::<A>()
        }
        fn take<A: Accumulator>(accumulator: Box<dyn Accumulator>) -> A {
            let any: Box<dyn Any> = accumulator;
            *any.downcast().expect("of the type that it is")
        }
        Self(match &*accumulator {
            a if is::<Count>(a) => Kind::Count(counts.add_call(call)),
            a if is::<Folding<Sum<i64>>>(a) => Kind::Sum(take(accumulator)),
            a if is::<Folding<Avg<i64>>>(a) => Kind::Avg(take(accumulator)),
            a if is::<Folding<Best<i64>>>(a) => Kind::Best(take(accumulator)),
            _ => Kind::Other(accumulator),
        })
    }

    /// It takes values of 64 bits one by one: [`Held::add`] and [`Held::add_tracked`] may be called.
    pub fn takes_longs(&self) -> bool {
        !matches!(self.0, Kind::Other(_))
    }

    /// A row joins a group with this value, which for COUNT is any; `None`: it is NULL, or the call does not see the row. `counts`: of the group.
    #[inline(always)]
    pub fn add(&mut self, counts: &mut [i64], slot: u32, value: Option<i64>) {
        match &mut self.0 {
            Kind::Count(n) => counts[*n] += i64::from(value.is_some()),
            Kind::Sum(f) => f.add(slot, value),
            Kind::Avg(f) => f.add(slot, value),
            Kind::Best(f) => f.add(slot, value),
            Kind::Other(_) => unreachable!("it was asked before"),
        }
    }

    /// [`Held::add`], which makes `sides` the group's value before and after it: two rows. Where the group `begins` with the row, only the value
    /// after it.
    #[inline(always)]
    pub fn add_tracked(
        &mut self,
        counts: &mut [i64],
        (slot, begins): (u32, bool),
        value: Option<i64>,
        sides: &mut Column,
    ) {
        match &mut self.0 {
            Kind::Count(n) => {
                let count = &mut counts[*n];
                let before = *count;
                *count += i64::from(value.is_some());
                sides.set_sides(before, *count, begins);
            }
            Kind::Sum(f) => f.add_tracked(slot, value, begins, sides),
            Kind::Avg(f) => f.add_tracked(slot, value, begins, sides),
            Kind::Best(f) => f.add_tracked(slot, value, begins, sides),
            Kind::Other(_) => unreachable!("it was asked before"),
        }
    }

    /// What is no COUNT.
    #[inline]
    pub fn one(&self) -> Option<&dyn Accumulator> {
        Some(match &self.0 {
            Kind::Count(_) => return None,
            Kind::Sum(f) => f,
            Kind::Avg(f) => f,
            Kind::Best(f) => f,
            Kind::Other(other) => &**other,
        })
    }

    /// As [`Held::one`].
    #[inline]
    pub fn one_mut(&mut self) -> Option<&mut dyn Accumulator> {
        Some(match &mut self.0 {
            Kind::Count(_) => return None,
            Kind::Sum(f) => f,
            Kind::Avg(f) => f,
            Kind::Best(f) => f,
            Kind::Other(other) => &mut **other,
        })
    }

    /// [`Accumulator::update`].
    ///
    /// # Errors
    /// The first row that cannot be taken.
    pub fn update(&mut self, counts: &mut Counts, updates: &Updates<'_>) -> Result<(), RowError> {
        match self.0 {
            Kind::Count(n) => counts.update_one(n, updates),
            _ => self.one_mut().map_or(Ok(()), |one| one.update(updates))?,
        }
        Ok(())
    }

    /// [`Accumulator::merge`]: of the same call of another operator, with its counts.
    pub fn merge(&mut self, counts: &mut Counts, into: &[u32], other: (&Self, &Counts), from: &[u32]) {
        match (&self.0, other.0.one()) {
            (Kind::Count(n), _) => counts.merge((*n, into), other.1, from),
            (_, Some(other)) => self.one_mut().into_iter().for_each(|one| one.merge(into, other, from)),
            (_, None) => unreachable!("both are of the same call"),
        }
    }

    /// [`Accumulator::emit`].
    #[inline]
    pub fn emit(&self, counts: &Counts, slots: &[u32], out: &mut Column) {
        match self.0 {
            Kind::Count(n) => counts.emit(n, slots, out),
            _ => self.one().into_iter().for_each(|one| one.emit(slots, out)),
        }
    }

    /// [`Accumulator::encode`].
    pub fn encode(&self, counts: &Counts, slots: &[u32], to: &mut Encoder) {
        match self.0 {
            Kind::Count(n) => counts.encode(n, slots, to),
            _ => self.one().into_iter().for_each(|one| one.encode(slots, to)),
        }
    }

    /// [`Accumulator::decode`]: into slots `0..slots`, which exist.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn decode(&mut self, counts: &mut Counts, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        match self.0 {
            Kind::Count(n) => counts.decode(n, slots, from),
            _ => self.one_mut().map_or(Ok(()), |one| one.decode(slots, from)),
        }
    }
}

//! COUNT(*) and COUNT(x).

use super::{add, inverting};
use crate::batch::{Column, Decoder, Encoder, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::Registry;
use crate::expr::{Accumulator, RowError, Updates};

pub(super) fn register(r: &mut Registry) {
    add(
        r,
        &["COUNT"],
        &["*", "any"],
        "Number of rows, or of those where the argument is not NULL.",
        |call, _| {
            if call.args.len() > 1 {
                return Err(Error::planning("COUNT takes one field", call.span)
                    .hint("count several columns as one: COUNT(DISTINCT ROW(a, b))"));
            }
            Ok(inverting(
                call.args.iter().map(|a| a.ty.clone()).collect(),
                TypeKind::BigInt.not_null(),
                Count::default,
            ))
        },
    );
}

#[derive(Default)]
pub(super) struct Count {
    counts: Vec<i64>,
}

/// Whether every row adds one, and else what a row adds to the count of its group.
#[inline(always)]
fn adds<'u>(u: &'u Updates<'_>) -> (bool, impl Fn(u32) -> i64 + Copy + 'u) {
    let arg = u.args.first().filter(|a| a.constant || a.column.validity.may_have_nulls());
    let of_row = move |row: u32| {
        let row = row as usize;
        i64::from(arg.is_none_or(|a| a.is_valid(row))) * if u.is_add(row) { 1 } else { -1 }
    };
    (arg.is_none() && u.kinds.is_none(), of_row)
}

impl Accumulator for Count {
    fn grow(&mut self, slots: usize) {
        if slots > self.counts.len() {
            self.counts.resize(slots, 0);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.counts[slot as usize] = 0;
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let (counts, (all, adds)) = (&mut self.counts[..], adds(u));
        if all {
            u.slots.iter().for_each(|&slot| counts[slot as usize] += 1);
        } else {
            u.rows.iter().zip(u.slots).for_each(|(&row, &slot)| counts[slot as usize] += adds(row));
        }
        Ok(())
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            self.counts[i as usize] += other.counts[f as usize];
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        let len = out.len() + slots.len();
        out.validity.resize(len, true);
        out.buffer_mut::<i64>().extend_exact(slots.iter().map(|&s| self.counts[s as usize]));
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"cnt ", 1);
        slots.iter().for_each(|&s| to.i64(self.counts[s as usize]));
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"cnt ", 1)?;
        self.counts.clear();
        for _ in 0..slots {
            self.counts.push(from.i64()?);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.counts.capacity() * 8
    }
}

//! COUNT(*) and COUNT(x).

use super::{add, inverting};
use crate::batch::{Column, Decoder, Encoder, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::Registry;
use crate::expr::{Accumulator, RowError, Seen, Updates};

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

impl Count {
    /// A row joins a group, and adds one if it `counts`: the group's count before and after it.
    #[inline(always)]
    pub(super) fn add(&mut self, slot: u32, counts: bool) -> (i64, i64) {
        let count = &mut self.counts[slot as usize];
        let before = *count;
        *count += i64::from(counts);
        (before, *count)
    }
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

/// Counts that are asked for at once.
const TOUCHED: usize = 32;

/// Adds the steps to the counts of their slots, and writes each count before and after. Where all slots are one, that count stays in a
/// register.
#[inline(always)]
fn step(counts: &mut [i64], slots: &[u32], steps: impl Iterator<Item = i64>, sides: &mut [i64]) {
    let sides = sides.chunks_exact_mut(2);
    match slots {
        [first, rest @ ..] if rest.iter().all(|s| s == first) => {
            let count = &mut counts[*first as usize];
            let mut now = *count;
            for (step, sides) in steps.zip(sides) {
                sides[0] = now;
                now += step;
                sides[1] = now;
            }
            *count = now;
        }
        _ => {
            let (mut steps, mut sides) = (steps, sides);
            for slots in slots.chunks(TOUCHED) {
                // Reads that wait for nothing wait for memory together.
                std::hint::black_box(slots.iter().fold(0, |all, &slot| all ^ counts[slot as usize]));
                for ((&slot, step), sides) in slots.iter().zip(&mut steps).zip(&mut sides) {
                    let count = &mut counts[slot as usize];
                    sides[0] = *count;
                    *count += step;
                    sides[1] = *count;
                }
            }
        }
    }
}

/// Appends room for two counts a row, and gives it.
fn room<'c>(u: &Updates<'_>, sides: &'c mut Column) -> &'c mut [i64] {
    let (before, more) = (sides.len(), 2 * u.rows.len());
    sides.validity.resize(before + more, true);
    let counts = sides.buffer_mut::<i64>();
    counts.reset(before + more);
    &mut counts[before..]
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

    fn update_tracked(&mut self, u: &Updates<'_>, sides: &mut Column) -> Result<(), RowError> {
        let (counts, (all, adds)) = (&mut self.counts[..], adds(u));
        let sides = room(u, sides);
        if all {
            step(counts, u.slots, std::iter::repeat_n(1, u.rows.len()), sides);
        } else {
            step(counts, u.slots, u.rows.iter().map(|&row| adds(row)), sides);
        }
        Ok(())
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn update_seen(&mut self, u: &Updates<'_>, seen: Seen<'_>, sides: &mut Column) -> bool {
        let (counts, (all, adds)) = (&mut self.counts[..], adds(u));
        let sides = room(u, sides);
        let seen = seen.iter().map(i64::from);
        if all {
            step(counts, u.slots, seen, sides);
        } else {
            step(counts, u.slots, seen.zip(u.rows).map(|(seen, &row)| seen * adds(row)), sides);
        }
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

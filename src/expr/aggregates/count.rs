//! COUNT(*) and COUNT(x).

use super::{add, inverting};
use crate::batch::{Buffer, Column, Decoder, Encoder, TypeKind};
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
struct Count {
    counts: Buffer<i64>,
}

impl Count {
    #[inline(always)]
    fn run(&mut self, u: &Updates<'_>, mut seen: impl FnMut(i64, i64)) {
        let counts = &mut self.counts[..];
        let arg = u.args.first().filter(|a| a.constant || a.column.validity.may_have_nulls());
        let pairs = u.rows.iter().zip(u.slots);
        if let (None, None) = (arg, u.kinds) {
            for (_, &slot) in pairs {
                let c = &mut counts[slot as usize];
                let old = *c;
                *c += 1;
                seen(old, *c);
            }
            return;
        }
        for (&row, &slot) in pairs {
            let (c, row) = (&mut counts[slot as usize], row as usize);
            let old = *c;
            if arg.is_none_or(|a| a.is_valid(row)) {
                *c += if u.is_add(row) { 1 } else { -1 };
            }
            seen(old, *c);
        }
    }
}

/// Adds the steps to the counts of their slots. Where all slots are one, that count stays in a register.
#[inline(always)]
fn step(
    counts: &mut [i64],
    slots: &[u32],
    steps: impl Iterator<Item = i64>,
    before: &mut [i64],
    after: &mut [i64],
) {
    let sides = before.iter_mut().zip(after);
    match slots {
        [first, rest @ ..] if rest.iter().all(|s| s == first) => {
            let count = &mut counts[*first as usize];
            let mut now = *count;
            for (step, (b, a)) in steps.zip(sides) {
                *b = now;
                now += step;
                *a = now;
            }
            *count = now;
        }
        _ => {
            for ((step, &slot), (b, a)) in steps.zip(slots).zip(sides) {
                let count = &mut counts[slot as usize];
                *b = *count;
                *count += step;
                *a = *count;
            }
        }
    }
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
        self.run(u, |_, _| {});
        Ok(())
    }

    fn update_tracked(
        &mut self,
        u: &Updates<'_>,
        before: &mut Column,
        after: &mut Column,
    ) -> Result<(), RowError> {
        for c in [&mut *before, &mut *after] {
            let len = c.len() + u.rows.len();
            c.validity.resize(len, true);
        }
        let (b, a) = (before.buffer_mut::<i64>(), after.buffer_mut::<i64>());
        b.reserve(u.rows.len());
        a.reserve(u.rows.len());
        self.run(u, |old, new| {
            b.push(old);
            a.push(new);
        });
        Ok(())
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn update_seen(
        &mut self,
        u: &Updates<'_>,
        seen: Seen<'_>,
        before: &mut Column,
        after: &mut Column,
    ) -> bool {
        let rows = u.rows.len();
        for c in [&mut *before, &mut *after] {
            c.reset(rows);
        }
        let (b, a) = (&mut before.buffer_mut::<i64>()[..], &mut after.buffer_mut::<i64>()[..]);
        let counts = &mut self.counts[..];
        let arg = u.args.first().filter(|a| a.constant || a.column.validity.may_have_nulls());
        let steps = seen.iter().zip(u.rows).map(|(seen, &row)| {
            let row = row as usize;
            let taken = seen != 0 && arg.is_none_or(|a| a.is_valid(row));
            i64::from(taken) * if u.is_add(row) { 1 } else { -1 }
        });
        if let (None, None) = (arg, u.kinds) {
            step(counts, u.slots, seen.iter().map(i64::from), b, a);
        } else {
            step(counts, u.slots, steps, b, a);
        }
        true
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.as_any().downcast_ref::<Self>().expect("the same aggregate");
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

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

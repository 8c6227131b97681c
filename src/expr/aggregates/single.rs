//! SINGLE_VALUE: the value of a scalar subquery; a second row fails.

use super::cells::{Cells, push_bytes};
use super::{add, inverting};
use crate::batch::key::encode_value;
use crate::batch::{Column, Decoder, Encoder};
use crate::error::Result;
use crate::expr::function::Registry;
use crate::expr::{Accumulator, RowError, Updates};

pub(super) fn register(r: &mut Registry) {
    add(
        r,
        &["SINGLE_VALUE"],
        &["any"],
        "The only value of the group; fails when there are two.",
        |call, _| {
            let [arg] = call.args else { return Err(call.wrong_count("1")) };
            Ok(inverting(vec![arg.ty.clone()], arg.ty.clone().with_nullable(true), Single::default))
        },
    );
}

#[derive(Default)]
struct Single {
    counts: Vec<i64>,
    cells: Cells,
    scratch: Vec<u8>,
}

impl Accumulator for Single {
    fn grow(&mut self, slots: usize) {
        if slots > self.counts.len() {
            self.counts.resize(slots, 0);
        }
        self.cells.grow(slots);
    }

    fn reset(&mut self, slot: u32) {
        self.counts[slot as usize] = 0;
        self.cells.clear(slot);
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let (row, count) = (row as usize, &mut self.counts[slot as usize]);
            if !u.is_add(row) {
                *count -= 1;
                if *count == 0 {
                    self.cells.clear(slot);
                }
                continue;
            }
            if *count > 0 {
                return Err(RowError::runtime(row, "SingleValueAggFunction received more than one element."));
            }
            *count += 1;
            self.scratch.clear();
            encode_value(arg.column, arg.at(row), &mut self.scratch);
            self.cells.set(slot, &self.scratch);
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            self.counts[i as usize] += other.counts[f as usize];
            if let Some(v) = other.cells.get(f) {
                self.cells.set(i, v);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        slots.iter().for_each(|&s| push_bytes(self.cells.get(s), out));
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"sngl", 1);
        slots.iter().for_each(|&s| to.i64(self.counts[s as usize]));
        self.cells.encode(slots, to);
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"sngl", 1)?;
        self.counts.clear();
        for _ in 0..slots {
            self.counts.push(from.i64()?);
        }
        self.cells.decode(slots, from)
    }

    fn bytes(&self) -> usize {
        self.counts.capacity() * 8 + self.cells.bytes()
    }
}

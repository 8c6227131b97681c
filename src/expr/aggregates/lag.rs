//! LAG: the value some rows back, by arrival; for OVER alone.
//!
//! A group keeps its last values in a ring. Where there are not enough rows yet, the value is the default of the last row. A result that cannot be NULL
//! shows the default for a NULL, too.

use super::add;
use super::cells::push_bytes;
use crate::batch::key::encode_value;
use crate::batch::{Column, Decoder, Encoder, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::{BoundAggregate, Call, Registry};
use crate::expr::{Accumulator, RowError, Updates};
use std::collections::VecDeque;

pub(super) fn register(r: &mut Registry) {
    add(
        r,
        &["LAG"],
        &["any", "any, offset", "any, offset, default"],
        "The value of the row before, or offset rows before; the default (NULL) where there is none.",
        bind,
    );
}

fn bind(call: &Call<'_>, _: bool) -> Result<BoundAggregate> {
    if call.args.is_empty() || call.args.len() > 3 {
        return Err(call.wrong_count("1 to 3"));
    }
    let arg = call.args[0].ty.clone();
    let mut args = vec![arg.clone()];
    let mut offset = 1;
    if let Some(o) = call.args.get(1) {
        if o.ty.kind != TypeKind::Int {
            return Err(Error::validation("the offset of LAG is a whole number", o.span));
        }
        let literal = o.literal.as_ref().filter(|l| l.is_valid(0)).map(|l| l.slice::<i32>()[0]);
        offset = match literal.map(usize::try_from) {
            Some(Ok(n)) => n,
            Some(Err(_)) => {
                return Err(Error::planning("the offset of LAG is not negative: it looks back", o.span));
            }
            None => {
                return Err(Error::planning("the offset of LAG is a constant", o.span)
                    .hint("write a number: LAG(x, 2)"));
            }
        };
        args.push(o.ty.clone());
    }
    let mut nullable = true;
    if let Some(d) = call.args.get(2) {
        if !fits(&d.ty.kind, &arg.kind) {
            return Err(Error::planning(
                format!("the default of LAG has type {}, its value {}", d.ty.kind, arg.kind),
                d.span,
            )
            .hint(format!("cast it: CAST(… AS {})", arg.kind)));
        }
        nullable = d.ty.nullable;
        args.push(arg.clone().with_nullable(nullable));
    }
    let ty = arg.with_nullable(nullable);
    let default = args.len() == 3;
    let accumulator = super::factory(move || Lag { offset, default, nullable, groups: vec![] });
    Ok(BoundAggregate {
        args,
        ty,
        ignores_distinct: false,
        merges: false,
        retracting: accumulator.clone(),
        sliding: accumulator.clone(),
        accumulator,
    })
}

/// A default of that type can be taken for a value of the other.
fn fits(default: &TypeKind, value: &TypeKind) -> bool {
    default == value
        || *default == TypeKind::Null
        || default.is_character() && value.is_character()
        || matches!((default, value), (TypeKind::Decimal(..), TypeKind::Decimal(..)))
}

struct Lag {
    offset: usize,
    default: bool,
    nullable: bool,
    groups: Vec<Group>,
}

/// Values in their canonical bytes.
#[derive(Default)]
struct Group {
    values: VecDeque<Vec<u8>>,
    default: Vec<u8>,
}

impl Lag {
    fn push(&mut self, slot: u32, fill: impl FnOnce(&mut Vec<u8>)) {
        let values = &mut self.groups[slot as usize].values;
        // The oldest value's memory serves the newest.
        let mut value =
            if values.len() > self.offset { values.pop_front() } else { None }.unwrap_or_default();
        value.clear();
        fill(&mut value);
        values.push_back(value);
    }

    /// The bytes of the group's value.
    fn value(&self, slot: u32) -> Option<&[u8]> {
        let group = &self.groups[slot as usize];
        let there = || group.values.front().filter(|v| self.nullable || v.as_slice() != [0]);
        let value = if group.values.len() > self.offset { there() } else { None };
        value.or(self.default.then_some(&group.default).filter(|d| !d.is_empty())).map(Vec::as_slice)
    }
}

impl Accumulator for Lag {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, Group::default);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize] = Group::default();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let value = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            debug_assert!(u.is_add(row), "the frame of LAG begins with the partition");
            self.push(slot, |to| encode_value(value.column, value.at(row), to));
            if self.default {
                let default = &mut self.groups[slot as usize].default;
                default.clear();
                encode_value(u.args[2].column, u.args[2].at(row), default);
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            let from = &other.groups[f as usize];
            from.values.iter().for_each(|v| self.push(i, |to| to.extend_from_slice(v)));
            if !from.values.is_empty() {
                self.groups[i as usize].default.clone_from(&from.default);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        slots.iter().for_each(|&s| push_bytes(self.value(s), out));
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"lag ", 1);
        for &s in slots {
            let group = &self.groups[s as usize];
            to.len(group.values.len());
            group.values.iter().for_each(|v| to.bytes(v));
            to.bytes(&group.default);
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"lag ", 1)?;
        self.groups.clear();
        self.grow(slots);
        for group in &mut self.groups {
            for _ in 0..from.len(8)? {
                group.values.push_back(from.bytes()?.to_vec());
            }
            group.default = from.bytes()?.to_vec();
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let held = |g: &Group| {
            g.values.capacity() * size_of::<Vec<u8>>()
                + g.values.iter().map(Vec::capacity).sum::<usize>()
                + g.default.capacity()
        };
        self.groups.capacity() * size_of::<Group>() + self.groups.iter().map(held).sum::<usize>()
    }
}

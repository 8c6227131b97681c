//! LISTAGG: texts joined by a separator, by arrival. Over rows that only join, a group keeps the joined text; else its history.

use super::history::History;
use super::{add, factory};
use crate::batch::{Column, Decoder, Encoder, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::{BoundAggregate, Call, Registry};
use crate::expr::{Accumulator, RowError, Updates};
use std::sync::Arc;

pub(super) fn register(r: &mut Registry) {
    add(
        r,
        &["LISTAGG"],
        &["character", "character, separator"],
        "The texts that are not NULL joined by the separator (a comma), by arrival.",
        bind,
    );
}

fn bind(call: &Call<'_>, _grouped: bool) -> Result<BoundAggregate> {
    if !(1..=2).contains(&call.args.len()) {
        return Err(call.wrong_count("1 or 2"));
    }
    let arg = call.args[0].ty.clone();
    if !arg.kind.is_character() {
        return Err(call.wrong_types(&["CHARACTER", "CHARACTER, CHARACTER literal"]));
    }
    let separator: Arc<[u8]> = match call.args.get(1) {
        None => Arc::from(&b","[..]),
        Some(a) => match &a.literal {
            Some(c) if a.ty.kind.is_character() && c.is_valid(0) => Arc::from(c.byte_column().get(0)),
            _ => return Err(Error::validation("LISTAGG's separator must be a text literal", a.span)),
        },
    };
    let args = call.args.iter().map(|a| a.ty.clone()).collect();
    let kind = if matches!(arg.kind, TypeKind::Char(_)) { arg.kind } else { TypeKind::STRING };
    let s = separator.clone();
    let retracting = factory(move || Listed { separator: s.clone(), groups: Vec::new() });
    Ok(BoundAggregate {
        args,
        ty: kind.nullable(),
        ignores_distinct: false,
        merges: true,
        accumulator: factory(move || Joined { separator: separator.clone(), groups: Vec::new() }),
        sliding: retracting.clone(),
        retracting,
    })
}

struct Joined {
    separator: Arc<[u8]>,
    groups: Vec<Option<Vec<u8>>>,
}

impl Joined {
    fn append(&mut self, slot: u32, text: &[u8]) {
        match &mut self.groups[slot as usize] {
            Some(all) => {
                all.extend_from_slice(&self.separator);
                all.extend_from_slice(text);
            }
            none => *none = Some(text.to_vec()),
        }
    }
}

impl Accumulator for Joined {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize(slots, None);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize] = None;
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            if arg.is_valid(row as usize) {
                self.append(slot, arg.bytes(row as usize));
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            if let Some(text) = &other.groups[f as usize] {
                self.append(i, text);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            let text = &self.groups[s as usize];
            out.validity.push(text.is_some());
            out.byte_column_mut().push(text.as_deref().unwrap_or_default());
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"join", 1);
        for &s in slots {
            let text = &self.groups[s as usize];
            to.bool(text.is_some());
            if let Some(t) = text {
                to.bytes(t);
            }
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"join", 1)?;
        self.groups.clear();
        for _ in 0..slots {
            let text = if from.bool()? { Some(from.bytes()?.to_vec()) } else { None };
            self.groups.push(text);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Option<Vec<u8>>>()
            + self.groups.iter().flatten().map(Vec::capacity).sum::<usize>()
    }
}

struct Listed {
    separator: Arc<[u8]>,
    groups: Vec<History>,
}

impl Accumulator for Listed {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, History::default);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize] = History::default();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if arg.is_valid(row) {
                let group = &mut self.groups[slot as usize];
                if u.is_add(row) {
                    group.add(arg.bytes(row));
                } else {
                    group.remove(arg.bytes(row));
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            for v in other.groups[f as usize].values() {
                self.groups[i as usize].add(v);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            let group = &self.groups[s as usize];
            out.validity.push(!group.is_empty());
            out.byte_column_mut().writer().push_with(|to| {
                for (n, v) in group.values().enumerate() {
                    if n > 0 {
                        to.extend_from_slice(&self.separator);
                    }
                    to.extend_from_slice(v);
                }
            });
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"list", 1);
        slots.iter().for_each(|&s| self.groups[s as usize].encode(to));
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"list", 1)?;
        self.groups.clear();
        for _ in 0..slots {
            self.groups.push(History::decode(from)?);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.groups.iter().map(|g| size_of::<History>() + g.bytes()).sum()
    }
}

//! JSON_ARRAYAGG and JSON_OBJECTAGG. The binder makes each row a JSON array or object of its own (`["x"]`, `{"k":1}`); what stands between the
//! brackets is collected. A value that is to be left out makes an empty one.

use super::history::History;
use super::{add, factory};
use crate::batch::{Column, DataType, Decoder, Encoder, TypeKind};
use crate::error::Result;
use crate::expr::function::{BoundAggregate, Call, Registry};
use crate::expr::{Accumulator, AccumulatorFactory, RowError, Updates};
use std::collections::BTreeMap;

pub(super) fn register(r: &mut Registry) {
    add(
        r,
        &["JSON_ARRAYAGG"],
        &["value [{ NULL | ABSENT } ON NULL]"],
        "The values by arrival as a JSON array. ABSENT ON NULL when absent.",
        |call, _| bind(call, factory(Arrays::default)),
    );
    add(
        r,
        &["JSON_OBJECTAGG"],
        &["[KEY] key VALUE value [{ NULL | ABSENT } ON NULL]"],
        "The values by key as a JSON object with sorted keys; a key that comes twice ends the job. NULL ON NULL when absent.",
        |call, _| bind(call, factory(Objects::default)),
    );
}

fn bind(call: &Call<'_>, accumulator: AccumulatorFactory) -> Result<BoundAggregate> {
    let [arg] = call.args else { return Err(call.wrong_count("1")) };
    let args: Vec<DataType> = vec![arg.ty.clone()];
    Ok(BoundAggregate {
        args,
        ty: TypeKind::VarChar(2000).not_null(),
        ignores_distinct: false,
        merges: false,
        retracting: accumulator.clone(),
        sliding: accumulator.clone(),
        accumulator,
    })
}

/// What stands between the brackets; `None`: nothing.
fn inner(text: &[u8]) -> Option<&[u8]> {
    let inside = text.get(1..text.len().checked_sub(1)?)?;
    (!inside.is_empty()).then_some(inside)
}

#[derive(Default)]
struct Arrays {
    groups: Vec<History>,
}

impl Accumulator for Arrays {
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
            let Some(value) = inner(arg.bytes(row)).filter(|_| arg.is_valid(row)) else { continue };
            let group = &mut self.groups[slot as usize];
            if u.is_add(row) {
                group.add(value);
            } else {
                group.remove(value);
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            other.groups[f as usize].values().for_each(|v| self.groups[i as usize].add(v));
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            out.validity.push(true);
            out.byte_column_mut().writer().push_with(|to| {
                to.push(b'[');
                for (n, v) in self.groups[s as usize].values().enumerate() {
                    to.extend_from_slice(if n > 0 { b"," } else { b"" });
                    to.extend_from_slice(v);
                }
                to.push(b']');
            });
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"jarr", 1);
        slots.iter().for_each(|&s| self.groups[s as usize].encode(to));
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"jarr", 1)?;
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

/// Values by key, both as JSON.
type Pairs = BTreeMap<Box<[u8]>, Box<[u8]>>;

#[derive(Default)]
struct Objects {
    groups: Vec<Pairs>,
}

/// Where the key of `"key":value` ends, behind its quote.
fn key_end(pair: &[u8]) -> usize {
    let mut at = 1;
    while at < pair.len() && pair[at] != b'"' {
        at += 1 + usize::from(pair[at] == b'\\');
    }
    (at + 1).min(pair.len())
}

impl Accumulator for Objects {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, BTreeMap::new);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize].clear();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            let Some(pair) = inner(arg.bytes(row)).filter(|_| arg.is_valid(row)) else { continue };
            let (key, value) = pair.split_at(key_end(pair));
            let group = &mut self.groups[slot as usize];
            if !u.is_add(row) {
                group.remove(key);
            } else if group.insert(key.into(), value.into()).is_some() {
                let key = String::from_utf8_lossy(&key[1..key.len() - 1]).into_owned();
                return Err(RowError::runtime(
                    row,
                    format!(
                        "Key '{key}' is already present. Duplicate keys are not allowed in JSON_OBJECTAGG. Please ensure that keys are unique."
                    ),
                ));
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            let pairs = other.groups[f as usize].iter().map(|(k, v)| (k.clone(), v.clone()));
            self.groups[i as usize].extend(pairs);
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            out.validity.push(true);
            out.byte_column_mut().writer().push_with(|to| {
                to.push(b'{');
                for (n, (key, value)) in self.groups[s as usize].iter().enumerate() {
                    to.extend_from_slice(if n > 0 { b"," } else { b"" });
                    to.extend_from_slice(key);
                    to.extend_from_slice(value);
                }
                to.push(b'}');
            });
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"jobj", 1);
        for &s in slots {
            let group = &self.groups[s as usize];
            to.len(group.len());
            for (k, v) in group {
                to.bytes(k);
                to.bytes(v);
            }
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"jobj", 1)?;
        self.groups.clear();
        self.grow(slots);
        for group in &mut self.groups {
            for _ in 0..from.len(16)? {
                let key = from.bytes()?.into();
                group.insert(key, from.bytes()?.into());
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let pairs = |g: &Pairs| g.iter().map(|(k, v)| 64 + k.len() + v.len()).sum::<usize>();
        self.groups.iter().map(|g| 24 + pairs(g)).sum()
    }
}

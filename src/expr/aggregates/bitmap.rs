//! BITMAP_*_AGG: sets of INTs, and AND, OR and XOR of sets.
//!
//! Where rows only join, a group is a set. Where rows leave, a group counts for each number the rows that have it: OR shows those with
//! a count, AND those that all rows have, XOR those with an odd count.

use super::{add, factory};
use crate::batch::number_set::NumberSet;
use crate::batch::{Column, Decoder, Encoder, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::{BoundAggregate, Call, Registry};
use crate::expr::{Accumulator, Arg, RowError, Updates};
use roaring::RoaringBitmap;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    /// The set of the INTs.
    Build,
    And,
    Or,
    Xor,
}

pub(super) fn register(r: &mut Registry) {
    add(r, &["BITMAP_BUILD_AGG"], &["integer"], "The set of the values that are not NULL.", |c, _| {
        bind(c, Op::Build, false)
    });
    add(r, &["BITMAP_AND_AGG"], &["bitmap"], "The numbers in all sets.", |c, _| bind(c, Op::And, false));
    add(r, &["BITMAP_OR_AGG"], &["bitmap"], "The numbers in any of the sets.", |c, _| bind(c, Op::Or, false));
    add(r, &["BITMAP_XOR_AGG"], &["bitmap"], "The numbers in an odd number of the sets.", |c, _| {
        bind(c, Op::Xor, false)
    });
    add(
        r,
        &["BITMAP_BUILD_CARDINALITY_AGG"],
        &["integer"],
        "How many numbers BITMAP_BUILD_AGG has.",
        |c, _| bind(c, Op::Build, true),
    );
    add(r, &["BITMAP_AND_CARDINALITY_AGG"], &["bitmap"], "How many numbers BITMAP_AND_AGG has.", |c, _| {
        bind(c, Op::And, true)
    });
    add(r, &["BITMAP_OR_CARDINALITY_AGG"], &["bitmap"], "How many numbers BITMAP_OR_AGG has.", |c, _| {
        bind(c, Op::Or, true)
    });
    add(r, &["BITMAP_XOR_CARDINALITY_AGG"], &["bitmap"], "How many numbers BITMAP_XOR_AGG has.", |c, _| {
        bind(c, Op::Xor, true)
    });
}

fn bind(call: &Call<'_>, op: Op, cardinality: bool) -> Result<BoundAggregate> {
    let [arg] = call.args else { return Err(call.wrong_count("1")) };
    let wanted = if op == Op::Build { TypeKind::Int } else { TypeKind::Bitmap };
    let fits = match &arg.ty.kind {
        TypeKind::TinyInt | TypeKind::SmallInt => op == Op::Build,
        k => *k == wanted,
    };
    if !fits {
        return Err(call.wrong_types(if op == Op::Build { &["INT"] } else { &["BITMAP"] }));
    }
    let counting = factory(move || Counting { op, cardinality, groups: Vec::new(), entries: 0 });
    Ok(BoundAggregate {
        args: vec![wanted.not_null().with_nullable(arg.ty.nullable)],
        ty: if cardinality { TypeKind::BigInt } else { TypeKind::Bitmap }.nullable(),
        ignores_distinct: false,
        merges: true,
        retracting: counting.clone(),
        sliding: counting,
        accumulator: factory(move || Growing { op, cardinality, groups: Vec::new() }),
    })
}

/// The numbers of a row.
fn numbers(op: Op, arg: &Arg<'_>, row: usize) -> RoaringBitmap {
    match op {
        Op::Build => RoaringBitmap::from_iter([arg.column.slice::<i32>()[arg.at(row)].cast_unsigned()]),
        _ => NumberSet::read(arg.bytes(row)).map(|b| b.0).unwrap_or_default(),
    }
}

fn push(set: Option<RoaringBitmap>, cardinality: bool, out: &mut Column) {
    let Some(set) = set else { return out.push_null() };
    out.validity.push(true);
    if cardinality {
        out.buffer_mut::<i64>().push(set.len() as i64);
    } else {
        out.byte_column_mut().writer().push_with(|to| NumberSet(set).write(to));
    }
}

/// Rows join.
struct Growing {
    op: Op,
    cardinality: bool,
    /// `None`: no value yet.
    groups: Vec<Option<RoaringBitmap>>,
}

impl Growing {
    fn take(&mut self, slot: u32, set: &RoaringBitmap) {
        match (&mut self.groups[slot as usize], self.op) {
            (none @ None, _) => *none = Some(set.clone()),
            (Some(group), Op::And) => *group &= set,
            (Some(group), Op::Xor) => *group ^= set,
            (Some(group), _) => *group |= set,
        }
    }
}

impl Accumulator for Growing {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize(slots, None);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize] = None;
    }

    fn update(&mut self, u: &Updates<'_>) -> std::result::Result<(), RowError> {
        let arg = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if !arg.is_valid(row) {
                continue;
            }
            match (self.op, &mut self.groups[slot as usize]) {
                (Op::Build, Some(group)) => {
                    group.insert(arg.column.slice::<i32>()[arg.at(row)].cast_unsigned());
                }
                _ => self.take(slot, &numbers(self.op, arg, row)),
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            if let Some(set) = &other.groups[f as usize] {
                self.take(i, set);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            match (&self.groups[s as usize], self.cardinality) {
                (Some(set), true) => {
                    out.validity.push(true);
                    out.buffer_mut::<i64>().push(set.len() as i64);
                }
                (set, _) => push(set.clone(), false, out),
            }
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"bmap", 1);
        let mut bytes = Vec::new();
        for &s in slots {
            let group = &self.groups[s as usize];
            to.bool(group.is_some());
            if let Some(set) = group {
                bytes.clear();
                NumberSet(set.clone()).write(&mut bytes);
                to.bytes(&bytes);
            }
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"bmap", 1)?;
        self.groups.clear();
        for _ in 0..slots {
            let set = match from.bool()? {
                true => Some(NumberSet::read(from.bytes()?).map_err(Error::corrupt)?.0),
                false => None,
            };
            self.groups.push(set);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let of = |g: &Option<RoaringBitmap>| {
            size_of::<RoaringBitmap>() + g.as_ref().map_or(0, RoaringBitmap::serialized_size)
        };
        self.groups.iter().map(of).sum()
    }
}

/// The rows of a group that have a number, and all rows.
#[derive(Clone, Default)]
struct Counts {
    rows: i64,
    of: BTreeMap<u32, i64>,
}

/// Rows join and leave.
struct Counting {
    op: Op,
    cardinality: bool,
    groups: Vec<Counts>,
    entries: usize,
}

impl Counting {
    fn change(&mut self, slot: u32, number: u32, by: i64) {
        let group = &mut self.groups[slot as usize].of;
        let count = group.entry(number).or_insert_with(|| {
            self.entries += 1;
            0
        });
        *count += by;
        if *count == 0 {
            group.remove(&number);
            self.entries -= 1;
        }
    }

    fn value(&self, slot: u32) -> Option<RoaringBitmap> {
        let group = &self.groups[slot as usize];
        if group.rows <= 0 {
            return None;
        }
        let shown = |n: i64| match self.op {
            Op::And => n == group.rows,
            Op::Xor => n % 2 != 0,
            _ => n > 0,
        };
        Some(group.of.iter().filter(|(_, n)| shown(**n)).map(|(v, _)| *v).collect())
    }
}

impl Accumulator for Counting {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize(slots, Counts::default());
        }
    }

    fn reset(&mut self, slot: u32) {
        self.entries -= std::mem::take(&mut self.groups[slot as usize]).of.len();
    }

    fn update(&mut self, u: &Updates<'_>) -> std::result::Result<(), RowError> {
        let arg = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if arg.is_valid(row) {
                let by = if u.is_add(row) { 1 } else { -1 };
                self.groups[slot as usize].rows += by;
                numbers(self.op, arg, row).iter().for_each(|v| self.change(slot, v, by));
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            let group = &other.groups[f as usize];
            self.groups[i as usize].rows += group.rows;
            group.of.iter().for_each(|(v, n)| self.change(i, *v, *n));
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        slots.iter().for_each(|&s| push(self.value(s), self.cardinality, out));
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"bmct", 1);
        for &s in slots {
            let group = &self.groups[s as usize];
            to.i64(group.rows);
            to.len(group.of.len());
            for (v, n) in &group.of {
                to.i64(i64::from(*v));
                to.i64(*n);
            }
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"bmct", 1)?;
        (self.groups, self.entries) = (Vec::new(), 0);
        self.grow(slots);
        for s in 0..slots {
            self.groups[s].rows = from.i64()?;
            for _ in 0..from.len(16)? {
                let v = from.i64()?;
                let n = from.i64()?;
                self.change(s as u32, v as u32, n);
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        // A B-tree's nodes are at least half full.
        self.groups.capacity() * size_of::<Counts>() + self.entries * 24
    }
}

//! PERCENTILE: exact percentiles, between two values by their distance. A group keeps its values with their counts in order.

use super::{add, inverting};
use crate::batch::{Column, ColumnData, DataType, Decoder, Encoder, TypeKind, decimal};
use crate::error::{Error, Result};
use crate::expr::function::{BoundAggregate, Call, Registry};
use crate::expr::{Accumulator, RowError, Updates};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn register(r: &mut Registry) {
    add(
        r,
        &["PERCENTILE"],
        &["numeric, percentage", "numeric, ARRAY[percentage, ...]", "numeric, percentage, frequency"],
        "The value below which that share (0 to 1) of the values lies, interpolated; each value counts `frequency` times.",
        bind,
    );
}

fn bind(call: &Call<'_>, _grouped: bool) -> Result<BoundAggregate> {
    let (value, percentage) = match call.args {
        [v, p] | [v, p, _] => (v, p),
        _ => return Err(call.wrong_count("2 or 3")),
    };
    let whole =
        |t: &TypeKind| matches!(t, TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int | TypeKind::BigInt);
    let element = match &percentage.ty.kind {
        TypeKind::Array(t) => &t.kind,
        other => other,
    };
    if !value.ty.kind.is_numeric()
        || !element.is_numeric()
        || call.args.get(2).is_some_and(|f| !whole(&f.ty.kind))
    {
        return Err(call.wrong_types(&[
            "NUMERIC, NUMERIC",
            "NUMERIC, ARRAY<NUMERIC>",
            "NUMERIC, NUMERIC, INTEGER",
        ]));
    }
    let Some(constant) = &percentage.literal else {
        return Err(Error::unsupported("PERCENTILE of a share that is not constant", percentage.span));
    };
    let (shares, several) = match &constant.data {
        ColumnData::List { offsets, child } if constant.is_valid(0) => {
            ((offsets[0]..offsets[1]).map(|i| number(child, i as usize, element)).collect(), true)
        }
        _ => (vec![number(constant, 0, element)], false),
    };
    let Some(shares) = shares.into_iter().collect::<Option<Vec<f64>>>().filter(|s| !s.is_empty()) else {
        return Err(Error::validation("the share of PERCENTILE is NULL", percentage.span));
    };
    if let Some(wrong) = shares.iter().find(|s| !(0.0..=1.0).contains(*s)) {
        let message = format!("Percentage of PERCENTILE should be between [0.0, 1.0], but was '{wrong}'");
        return Err(Error::validation(message, percentage.span));
    }
    let mut args: Vec<DataType> =
        vec![TypeKind::Double.nullable().with_nullable(value.ty.nullable), percentage.ty.clone()];
    args.extend(call.args.get(2).map(|f| TypeKind::BigInt.nullable().with_nullable(f.ty.nullable)));
    let double = TypeKind::Double.nullable();
    let ty = if several { TypeKind::Array(Box::new(double)).nullable() } else { double };
    let shares: Arc<[f64]> = shares.into();
    Ok(inverting(args, ty, move || Percentiles { shares: shares.clone(), several, groups: Vec::new() }))
}

fn number(c: &Column, row: usize, kind: &TypeKind) -> Option<f64> {
    if !c.is_valid(row) {
        return None;
    }
    Some(match (&c.data, kind) {
        (ColumnData::I128(v), TypeKind::Decimal(_, s)) => decimal::to_f64(v[row], *s),
        (ColumnData::F64(v), _) => v[row],
        (ColumnData::F32(v), _) => v[row].into(),
        (ColumnData::I8(v), _) => v[row].into(),
        (ColumnData::I16(v), _) => v[row].into(),
        (ColumnData::I32(v), _) => v[row].into(),
        (ColumnData::I64(v), _) => v[row] as f64,
        _ => return None,
    })
}

/// A DOUBLE in Java's order.
#[derive(Clone, Copy, Debug)]
struct Ordered(f64);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Ordered {}
impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

struct Percentiles {
    shares: Arc<[f64]>,
    several: bool,
    groups: Vec<BTreeMap<Ordered, i64>>,
}

impl Percentiles {
    fn change(&mut self, slot: u32, value: Ordered, by: i64) {
        let group = &mut self.groups[slot as usize];
        let count = group.entry(value).or_default();
        *count += by;
        if *count == 0 {
            group.remove(&value);
        }
    }

    /// The percentile of a group that has `total` values.
    fn value(group: &BTreeMap<Ordered, i64>, total: i64, share: f64) -> f64 {
        // From 1, which decides how the weights round.
        let position = (total - 1) as f64 * share + 1.0;
        let (lower, higher) = (position.floor(), position.ceil());
        let at = |place: f64| {
            let mut seen = 0;
            let found = group.iter().find(|(_, n)| {
                seen += **n;
                seen as f64 >= place
            });
            found.map_or(f64::NAN, |v| v.0.0)
        };
        let (low, high) = (at(lower), at(higher));
        if lower == higher || low == high {
            return low;
        }
        (higher - position) * low + (position - lower) * high
    }
}

impl Accumulator for Percentiles {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, BTreeMap::new);
        }
    }

    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize].clear();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let (arg, frequency) = (&u.args[0], u.args.get(2));
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if !arg.is_valid(row) || frequency.is_some_and(|f| !f.is_valid(row)) {
                continue;
            }
            let times = frequency.map_or(1, |f| f.column.slice::<i64>()[f.at(row)]);
            let value = Ordered(arg.column.slice::<f64>()[arg.at(row)]);
            if times > 0 {
                self.change(slot, value, if u.is_add(row) { times } else { -times });
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            for (&v, &n) in &other.groups[f as usize] {
                self.change(i, v, n);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            let group = &self.groups[s as usize];
            let total: i64 = group.values().sum();
            if total <= 0 {
                out.push_null();
                continue;
            }
            let values = self.shares.iter().map(|&p| Self::value(group, total, p));
            out.validity.push(true);
            match &mut out.data {
                ColumnData::List { offsets, child } if self.several => {
                    let child: &mut Column = child;
                    for v in values {
                        child.validity.push(true);
                        child.buffer_mut::<f64>().push(v);
                    }
                    offsets.push(child.len() as u32);
                }
                _ => values.for_each(|v| out.buffer_mut::<f64>().push(v)),
            }
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"perc", 1);
        for &s in slots {
            let group = &self.groups[s as usize];
            to.len(group.len());
            for (v, &n) in group {
                to.f64(v.0);
                to.i64(n);
            }
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"perc", 1)?;
        self.groups.clear();
        self.grow(slots);
        for s in 0..slots {
            for _ in 0..from.len(16)? {
                let v = Ordered(from.f64()?);
                let n = from.i64()?;
                self.change(s as u32, v, n);
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.groups.iter().map(|g| 24 + g.len() * 32).sum()
    }
}

//! Aggregates that depend on the order of arrival: FIRST_VALUE, LAST_VALUE, ARRAY_AGG; and COLLECT, which counts values of any type.
//!
//! Where rows only join, FIRST_VALUE and LAST_VALUE keep one value a group. Else a group keeps its values by arrival; a row that leaves takes the oldest
//! equal value with it, as in Flink. Values stand in their canonical bytes ([`crate::batch::key`]), which decode again.

use super::cells::{Cells, push_bytes};
use super::fold::{Flag, Fold, Folding, Plain, Wide};
use super::sliding::{Sliding, SlidingEnds};
use super::sliding_text::ByteQueue;
use super::{add, factory, nullable_result};
use crate::batch::key::encode_value;
use crate::batch::{Column, ColumnData, DataType, Decoder, Encoder, Physical, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::{BoundAggregate, Call, Registry};
use crate::expr::{Accumulator, AccumulatorFactory, RowError, Updates};
use hashbrown::HashMap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(super) fn register(r: &mut Registry) {
    add(r, &["FIRST_VALUE"], &["any"], "The first value that is not NULL, by arrival.", |c, g| {
        ends(c, g, false)
    });
    add(r, &["LAST_VALUE"], &["any"], "The last value that is not NULL, by arrival.", |c, g| {
        ends(c, g, true)
    });
    add(r, &["ARRAY_AGG"], &["any"], "The values by arrival, NULLs included, as an array.", |call, _| {
        let arg = only_argument(call)?;
        let ty = DataType {
            nullable: arg.nullable,
            kind: TypeKind::Array(Box::new(arg.clone())),
            time: Default::default(),
        };
        let show = Show::Array;
        Ok(same(vec![arg], ty, factory(move || Histories::new(show))))
    });
    add(r, &["COLLECT"], &["any"], "The values that are not NULL, as a multiset.", |call, _| {
        let arg = only_argument(call)?;
        let ty = TypeKind::Multiset(Box::new(arg.clone())).not_null();
        Ok(same(vec![arg], ty, factory(Counts::default)))
    });
}

fn only_argument(call: &Call<'_>) -> Result<DataType> {
    match call.args {
        [a] => Ok(a.ty.clone().with_time(Default::default())),
        _ => Err(call.wrong_count("1")),
    }
}

fn same(args: Vec<DataType>, ty: DataType, accumulator: AccumulatorFactory) -> BoundAggregate {
    BoundAggregate {
        args,
        ty,
        ignores_distinct: false,
        merges: true,
        retracting: accumulator.clone(),
        sliding: accumulator.clone(),
        accumulator,
    }
}

fn ends(call: &Call<'_>, grouped: bool, last: bool) -> Result<BoundAggregate> {
    let arg = only_argument(call)?;
    let ty = arg.clone().with_nullable(nullable_result(call, grouped));
    macro_rules! plain {
        ($t:ty) => {
            (
                factory(move || Folding::new(End::<$t> { last, value: std::marker::PhantomData })),
                factory(move || Sliding::<SlidingEnds<$t>>::new(last)),
            )
        };
    }
    let (accumulator, sliding) = match arg.physical() {
        Physical::Bool => plain!(Flag),
        Physical::I8 => plain!(i8),
        Physical::I16 => plain!(i16),
        Physical::I32 => plain!(i32),
        Physical::I64 => plain!(i64),
        Physical::I128 => plain!(i128),
        Physical::F32 => plain!(f32),
        Physical::F64 => plain!(f64),
        Physical::Nanos => plain!(Wide),
        Physical::Null => {
            return Err(Error::planning(format!("{} needs a typed argument", call.name), call.span));
        }
        _ => (
            factory(move || EndBytes { last, cells: Cells::default(), scratch: Vec::new() }),
            factory(move || Sliding::<ByteQueue>::new(last)),
        ),
    };
    let show = if last { Show::Last } else { Show::First };
    let retracting = factory(move || Histories::new(show));
    Ok(BoundAggregate {
        args: vec![arg],
        ty,
        ignores_distinct: false,
        merges: false,
        accumulator,
        retracting,
        sliding,
    })
}

#[derive(Clone)]
struct End<T> {
    last: bool,
    value: std::marker::PhantomData<T>,
}

impl<T: Plain> Fold for End<T> {
    type Value = T;
    type State = (T, bool);
    type Out = T;

    #[inline]
    fn reader(c: &Column) -> impl Fn(usize) -> T + '_ {
        T::reader(c)
    }

    #[inline(always)]
    fn add(&self, s: &mut Self::State, v: T) {
        if self.last || !s.1 {
            *s = (v, true);
        }
    }

    fn remove(&self, _: &mut Self::State, _: T) {
        panic!("rows leave: the planner takes the retracting accumulator then");
    }

    fn merge(&self, into: &mut Self::State, from: &Self::State) {
        if from.1 {
            self.add(into, from.0);
        }
    }

    #[inline(always)]
    fn value(&self, s: &Self::State) -> Option<T> {
        s.1.then_some(s.0)
    }

    fn encode(s: &Self::State, to: &mut Encoder) {
        to.bool(s.1);
        s.0.encode(to);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self::State> {
        let some = from.bool()?;
        Ok((T::decode(from)?, some))
    }
}

/// FIRST_VALUE and LAST_VALUE of types without fixed width.
struct EndBytes {
    last: bool,
    cells: Cells,
    scratch: Vec<u8>,
}

impl Accumulator for EndBytes {
    fn grow(&mut self, slots: usize) {
        self.cells.grow(slots);
    }

    fn reset(&mut self, slot: u32) {
        self.cells.clear(slot);
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if arg.is_valid(row) && (self.last || self.cells.get(slot).is_none()) {
                self.scratch.clear();
                encode_value(arg.column, arg.at(row), &mut self.scratch);
                self.cells.set(slot, &self.scratch);
            }
        }
        Ok(())
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            if let Some(v) = other.cells.get(f)
                && (self.last || self.cells.get(i).is_none())
            {
                self.cells.set(i, v);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        slots.iter().for_each(|&s| push_bytes(self.cells.get(s), out));
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"end ", 1);
        self.cells.encode(slots, to);
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"end ", 1)?;
        self.cells.decode(slots, from)
    }

    fn bytes(&self) -> usize {
        self.cells.bytes()
    }
}

/// What is shown of a group's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    First,
    Last,
    Array,
}

/// A group's values by arrival.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    next: u64,
    entries: BTreeMap<u64, Arc<[u8]>>,
    places: HashMap<Arc<[u8]>, VecDeque<u64>>,
}

impl History {
    pub(super) fn add(&mut self, value: &[u8]) {
        let value = match self.places.get_key_value(value) {
            Some((v, _)) => v.clone(),
            None => Arc::from(value),
        };
        self.entries.insert(self.next, value.clone());
        self.places.entry(value).or_default().push_back(self.next);
        self.next += 1;
    }

    /// Takes the oldest equal value away, if there is one.
    pub(super) fn remove(&mut self, value: &[u8]) {
        let Some(places) = self.places.get_mut(value) else { return };
        if let Some(at) = places.pop_front() {
            self.entries.remove(&at);
        }
        if places.is_empty() {
            self.places.remove(value);
        }
    }

    pub(super) fn values(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.entries.values().map(|v| &**v)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn encode(&self, to: &mut Encoder) {
        to.len(self.entries.len());
        self.values().for_each(|v| to.bytes(v));
    }

    pub(super) fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        let mut h = Self::default();
        for _ in 0..from.len(8)? {
            h.add(from.bytes()?);
        }
        Ok(h)
    }

    /// Roughly the bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.entries.len() * 96 + self.places.keys().map(|k| k.len()).sum::<usize>()
    }
}

struct Histories {
    show: Show,
    groups: Vec<History>,
    scratch: Vec<u8>,
}

impl Histories {
    fn new(show: Show) -> Self {
        Self { show, groups: Vec::new(), scratch: Vec::new() }
    }
}

impl Accumulator for Histories {
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
            if self.show != Show::Array && !arg.is_valid(row) {
                continue;
            }
            self.scratch.clear();
            encode_value(arg.column, arg.at(row), &mut self.scratch);
            let group = &mut self.groups[slot as usize];
            if u.is_add(row) {
                group.add(&self.scratch);
            } else {
                group.remove(&self.scratch);
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
            match self.show {
                Show::First => push_bytes(group.values().next(), out),
                Show::Last => push_bytes(group.values().next_back(), out),
                Show::Array if group.is_empty() => out.push_null(),
                Show::Array => {
                    let ColumnData::List { offsets, child } = &mut out.data else { panic!("an array") };
                    group.values().for_each(|v| push_bytes(Some(v), child));
                    offsets.push(child.len() as u32);
                    out.validity.push(true);
                }
            }
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"hist", 1);
        slots.iter().for_each(|&s| self.groups[s as usize].encode(to));
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"hist", 1)?;
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

/// COLLECT: counts by value, in the order of their bytes.
#[derive(Default)]
struct Counts {
    groups: Vec<BTreeMap<Box<[u8]>, i64>>,
    scratch: Vec<u8>,
}

impl Counts {
    fn change(&mut self, slot: u32, value: &[u8], by: i64) {
        let group = &mut self.groups[slot as usize];
        match group.get_mut(value) {
            Some(n) => *n += by,
            None => {
                group.insert(value.into(), by);
            }
        }
        if group.get(value) == Some(&0) {
            group.remove(value);
        }
    }
}

impl Accumulator for Counts {
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
            if arg.is_valid(row) {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.clear();
                encode_value(arg.column, arg.at(row), &mut scratch);
                self.change(slot, &scratch, if u.is_add(row) { 1 } else { -1 });
                self.scratch = scratch;
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            for (v, &n) in &other.groups[f as usize] {
                self.change(i, v, n);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            let ColumnData::Map { offsets, keys, values } = &mut out.data else { panic!("a multiset") };
            for (v, &n) in self.groups[s as usize].iter().filter(|(_, n)| **n > 0) {
                push_bytes(Some(v), keys);
                values.buffer_mut::<i32>().push(n as i32);
                values.validity.push(true);
            }
            offsets.push(keys.len() as u32);
            out.validity.push(true);
        }
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"coll", 1);
        for &s in slots {
            let group = &self.groups[s as usize];
            to.len(group.len());
            for (v, &n) in group {
                to.bytes(v);
                to.i64(n);
            }
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"coll", 1)?;
        self.groups.clear();
        self.grow(slots);
        for s in 0..slots {
            for _ in 0..from.len(16)? {
                let v = from.bytes()?;
                let n = from.i64()?;
                self.groups[s].insert(v.into(), n);
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.groups.iter().map(|g| 24 + g.keys().map(|k| 64 + k.len()).sum::<usize>()).sum()
    }
}

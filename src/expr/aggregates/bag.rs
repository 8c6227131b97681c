//! MIN and MAX over rows that may leave: each group keeps its values with their counts in order, so that a change costs a logarithm.
//!
//! A value that leaves before it joined (Flink allows it) has a negative count until it joins, and does not show.

use super::fold::{Flag, Plain, Wide};
use crate::batch::order::compare_f64;
use crate::batch::{Column, Decoder, Encoder};
use crate::error::Result;
use crate::expr::{Accumulator, RowError, Updates};
use std::collections::BTreeMap;

/// What the bag holds, and its order.
pub(super) trait Item: Send + Sync + 'static {
    type Key: Ord + Clone + Send;
    /// A key's bytes outside the map, roughly.
    fn heap(_: &Self::Key) -> usize {
        0
    }
    fn reader(c: &Column) -> impl Fn(usize) -> Self::Key + '_;
    fn push(v: Option<&Self::Key>, out: &mut Column);
    fn encode(v: &Self::Key, to: &mut Encoder);
    fn decode(from: &mut Decoder<'_>) -> Result<Self::Key>;
}

/// A plain value in the total order of `batch::order`.
#[derive(Clone, Copy)]
pub(super) struct Total<T>(T);

macro_rules! total {
    ($($t:ty, $cmp:expr);*) => {$(
        impl PartialEq for Total<$t> {
            fn eq(&self, o: &Self) -> bool {
                self.cmp(o).is_eq()
            }
        }
        impl Eq for Total<$t> {}
        impl PartialOrd for Total<$t> {
            fn partial_cmp(&self, o: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(o))
            }
        }
        impl Ord for Total<$t> {
            #[inline]
            fn cmp(&self, o: &Self) -> std::cmp::Ordering {
                let f: fn(&$t, &$t) -> std::cmp::Ordering = $cmp;
                f(&self.0, &o.0)
            }
        }
        impl Item for $t {
            type Key = Total<$t>;
            fn reader(c: &Column) -> impl Fn(usize) -> Self::Key + '_ {
                let read = <$t as Plain>::reader(c);
                move |i| Total(read(i))
            }
            fn push(v: Option<&Self::Key>, out: &mut Column) {
                <$t as Plain>::push(v.map(|v| v.0), out);
            }
            fn encode(v: &Self::Key, to: &mut Encoder) {
                Plain::encode(v.0, to);
            }
            fn decode(from: &mut Decoder<'_>) -> Result<Self::Key> {
                <$t as Plain>::decode(from).map(Total)
            }
        }
    )*};
}
total!(
    i8, Ord::cmp; i16, Ord::cmp; i32, Ord::cmp; i64, Ord::cmp; i128, Ord::cmp;
    f32, |a, b| compare_f64(f64::from(*a), f64::from(*b)); f64, |a, b| compare_f64(*a, *b);
    Flag, |a, b| a.0.cmp(&b.0); Wide, |a, b| (a.0, a.1).cmp(&(b.0, b.1))
);

/// Character values.
pub(super) struct Bytes;

impl Item for Bytes {
    type Key = Box<[u8]>;
    fn heap(v: &Self::Key) -> usize {
        v.len()
    }
    fn reader(c: &Column) -> impl Fn(usize) -> Self::Key + '_ {
        let bytes = c.byte_column();
        move |i| bytes.get(i).into()
    }
    fn push(v: Option<&Self::Key>, out: &mut Column) {
        out.validity.push(v.is_some());
        out.byte_column_mut().push(v.map_or(&[][..], |v| v));
    }
    fn encode(v: &Self::Key, to: &mut Encoder) {
        to.bytes(v);
    }
    fn decode(from: &mut Decoder<'_>) -> Result<Self::Key> {
        from.bytes().map(Into::into)
    }
}

/// MIN or MAX of groups that rows may leave.
pub(super) struct Bag<T: Item> {
    max: bool,
    groups: Vec<BTreeMap<T::Key, i64>>,
    entries: usize,
    heap: usize,
}

impl<T: Item> Bag<T> {
    pub(super) fn new(max: bool) -> Self {
        Self { max, groups: Vec::new(), entries: 0, heap: 0 }
    }

    fn change(&mut self, slot: u32, key: T::Key, by: i64) {
        use std::collections::btree_map::Entry;
        match self.groups[slot as usize].entry(key) {
            Entry::Vacant(e) => {
                self.entries += 1;
                self.heap += T::heap(e.key());
                e.insert(by);
            }
            Entry::Occupied(mut e) => {
                *e.get_mut() += by;
                if *e.get() == 0 {
                    self.entries -= 1;
                    self.heap -= T::heap(e.key());
                    e.remove();
                }
            }
        }
    }

    fn best(&self, slot: u32) -> Option<&T::Key> {
        let group = &self.groups[slot as usize];
        let shown = |(k, &n): (_, &i64)| (n > 0).then_some(k);
        if self.max { group.iter().rev().find_map(shown) } else { group.iter().find_map(shown) }
    }
}

impl<T: Item> Accumulator for Bag<T> {
    fn grow(&mut self, slots: usize) {
        if slots > self.groups.len() {
            self.groups.resize_with(slots, BTreeMap::new);
        }
    }

    fn reset(&mut self, slot: u32) {
        let group = std::mem::take(&mut self.groups[slot as usize]);
        self.entries -= group.len();
        self.heap -= group.keys().map(T::heap).sum::<usize>();
    }

    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        let arg = &u.args[0];
        let read = T::reader(arg.column);
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            if arg.is_valid(row) {
                self.change(slot, read(arg.at(row)), if u.is_add(row) { 1 } else { -1 });
            }
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other = other.same::<Self>();
        for (&i, &f) in into.iter().zip(from) {
            for (k, &n) in &other.groups[f as usize] {
                self.change(i, k.clone(), n);
            }
        }
    }

    fn emit(&self, slots: &[u32], out: &mut Column) {
        slots.iter().for_each(|&s| T::push(self.best(s), out));
    }

    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"bag ", 1);
        for &s in slots {
            let group = &self.groups[s as usize];
            to.len(group.len());
            for (k, &n) in group {
                T::encode(k, to);
                to.i64(n);
            }
        }
    }

    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"bag ", 1)?;
        *self = Self::new(self.max);
        self.grow(slots);
        for s in 0..slots {
            for _ in 0..from.len(8)? {
                let k = T::decode(from)?;
                let n = from.i64()?;
                self.change(s as u32, k, n);
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        // A B-tree's nodes are at least half full.
        self.groups.capacity() * size_of::<BTreeMap<T::Key, i64>>()
            + self.entries * 2 * (size_of::<T::Key>() + 8)
            + self.heap
    }
}

//! The COUNTs of one operator, side by side for each group: a row finds all of them in the same line or two of memory.
//!
//! Where each COUNT had a column of its own, a query with a dozen of them waited for a dozen lines a row. Rows are now taken some at a time by passes
//! of up to [`SIDE`] counts: which of them count a row is a bit each in its mark.

use crate::batch::{Column, ColumnRef, Decoder, Encoder, RowKind};
use crate::error::Result;
use crate::expr::{Seen, Updates};

/// Counts that one pass takes.
const SIDE: usize = 4;
/// Rows that all passes take before the next: the lines of their groups stay in the first cache.
const TOUCHED: usize = 64;

/// See the module's text.
#[derive(Default)]
pub struct Counts {
    /// By slot, and there by count.
    counts: Vec<i64>,
    /// The call of each count among those of the operator, ascending.
    calls: Vec<usize>,
    /// By pass, and there by row of the batch at hand: a bit for each count of the pass that counts it.
    marks: Vec<u8>,
}

/// What one of the counts is of.
pub struct Counted<'a> {
    /// Rows where this is not NULL; none: all.
    pub arg: Option<&'a Column>,
    /// Of those the ones that are seen; none: all.
    pub seen: Option<Seen<'a>>,
}

impl Counts {
    /// One more count, that of a call behind those that there are.
    pub(super) fn add_call(&mut self, call: usize) -> usize {
        self.calls.push(call);
        self.calls.len() - 1
    }

    fn width(&self) -> usize {
        self.calls.len()
    }

    #[inline(always)]
    fn at(&self, count: usize, slot: u32) -> usize {
        slot as usize * self.width() + count
    }

    /// All counts of a group.
    #[inline(always)]
    pub fn of_group(&mut self, slot: u32) -> &mut [i64] {
        let from = self.at(0, slot);
        let to = from + self.width();
        &mut self.counts[from..to]
    }

    /// Makes slots `0..slots` exist; new ones are empty groups.
    pub fn grow(&mut self, slots: usize) {
        if slots * self.width() > self.counts.len() {
            self.counts.resize(slots * self.width(), 0);
        }
    }

    /// Makes the slot an empty group again.
    pub fn reset(&mut self, slot: u32) {
        self.of_group(slot).fill(0);
    }

    /// Makes slots `0..slots` empty groups again.
    pub fn reset_first(&mut self, slots: usize) {
        let to = slots * self.width();
        self.counts[..to].fill(0);
    }

    /// Takes rows into all counts: rows of a batch, their groups, and the kinds by row, none where all join. `of` says what each call counts. With `sides`, a column for each call of the operator, that of a count becomes its
    /// values before and after each row, by turns.
    pub fn update<'a>(
        &mut self,
        (rows, slots, kinds): (&[u32], &[u32], Option<&[RowKind]>),
        of: impl Fn(usize) -> Counted<'a>,
        mut sides: Option<&mut [ColumnRef]>,
    ) {
        let Self { counts, calls, marks } = self;
        let width = calls.len();
        let is_all = |&call: &usize| {
            let Counted { arg, seen } = of(call);
            seen.is_none() && arg.is_none_or(|a| !a.validity.may_have_nulls())
        };
        let ones = kinds.is_none() && calls.iter().all(is_all);
        marks.clear();
        if !ones {
            calls.chunks(SIDE).for_each(|calls| mark(marks, rows, calls, &of));
        }
        if let Some(sides) = &mut sides {
            for &call in &*calls {
                let column = ColumnRef::get_mut(&mut sides[call]).expect("a column of its own");
                column.validity.reset(2 * slots.len());
                column.buffer_mut::<i64>().reset(2 * slots.len());
            }
        } else if ones && width == 1 {
            slots.iter().for_each(|&slot| counts[slot as usize] += 1);
            return;
        }
        for (slots, from) in slots.chunks(TOUCHED).zip((0..).step_by(TOUCHED)) {
            if width > 0 {
                // Reads that wait for nothing wait for memory together.
                let ends =
                    |slot: u32| counts[slot as usize * width] ^ counts[(slot as usize + 1) * width - 1];
                std::hint::black_box(slots.iter().fold(0, |all, &slot| all ^ ends(slot)));
            }
            for (calls, pass) in calls.chunks(SIDE).zip(0..) {
                let marks = if ones { None } else { Some(&marks[pass * rows.len() + from..][..slots.len()]) };
                let kinds = kinds.map(|kinds| (&rows[from..], kinds));
                let pass = Pass { counts, place: (width, pass * SIDE), slots, marks, kinds, from };
                let sides = sides.as_deref_mut();
                match *calls {
                    [a] => pass.take([a], sides),
                    [a, b] => pass.take([a, b], sides),
                    [a, b, c] => pass.take([a, b, c], sides),
                    [a, b, c, d] => pass.take([a, b, c, d], sides),
                    _ => unreachable!("chunks of {SIDE}"),
                }
            }
        }
    }

    /// Takes rows that one count sees.
    pub(super) fn update_one(&mut self, count: usize, u: &Updates<'_>) {
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            let counts = i64::from(u.args.first().is_none_or(|a| a.is_valid(row)));
            let at = self.at(count, slot);
            self.counts[at] += if u.is_add(row) { counts } else { -counts };
        }
    }

    /// Folds a count of groups of `other` into one of these.
    pub(super) fn merge(&mut self, (count, into): (usize, &[u32]), other: &Self, from: &[u32]) {
        for (&i, &f) in into.iter().zip(from) {
            let at = self.at(count, i);
            self.counts[at] += other.counts[other.at(count, f)];
        }
    }

    /// Appends a count of each slot.
    pub(super) fn emit(&self, count: usize, slots: &[u32], out: &mut Column) {
        out.validity.resize(out.len() + slots.len(), true);
        out.buffer_mut::<i64>().extend_exact(slots.iter().map(|&s| self.counts[self.at(count, s)]));
    }

    pub(super) fn encode(&self, count: usize, slots: &[u32], to: &mut Encoder) {
        to.block(b"cnt ", 1);
        slots.iter().for_each(|&s| to.i64(self.counts[self.at(count, s)]));
    }

    /// Reads a count of slots `0..slots`, which exist.
    pub(super) fn decode(&mut self, count: usize, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"cnt ", 1)?;
        for slot in 0..slots as u32 {
            let at = self.at(count, slot);
            self.counts[at] = from.i64()?;
        }
        Ok(())
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.counts.capacity() * 8
    }
}

/// Appends each row's mark: which of these calls count it.
fn mark<'a>(marks: &mut Vec<u8>, rows: &[u32], calls: &[usize], of: impl Fn(usize) -> Counted<'a>) {
    let those = |is: &dyn Fn(Counted<'a>) -> bool| {
        calls.iter().enumerate().fold(0, |all, (n, &call)| all | u8::from(is(of(call))) << n)
    };
    let before = marks.len();
    marks.resize(before + rows.len(), those(&|c| c.seen.is_none()));
    let marks = &mut marks[before..];
    for (n, &call) in calls.iter().enumerate() {
        if let Some(seen) = of(call).seen {
            marks.iter_mut().zip(seen.iter()).for_each(|(mark, seen)| *mark |= seen << n);
        }
    }
    // What is NULL is asked once for all calls of a column.
    for (n, &call) in calls.iter().enumerate() {
        let Some(column) = of(call).arg.filter(|a| a.validity.may_have_nulls()) else { continue };
        let of_it = those(&|c| c.arg.is_some_and(|a| std::ptr::eq(a, column)));
        if of_it.trailing_zeros() as usize == n {
            for (mark, &row) in marks.iter_mut().zip(rows) {
                *mark &= !of_it | u8::from(column.is_valid(row as usize)).wrapping_neg();
            }
        }
    }
}

/// Some rows, and some counts.
struct Pass<'a> {
    counts: &'a mut [i64],
    /// How many counts a group has, and the first of the pass among them.
    place: (usize, usize),
    slots: &'a [u32],
    /// None: each row counts everywhere.
    marks: Option<&'a [u8]>,
    /// Numbers of the rows, and the kinds by these. None: each row adds.
    kinds: Option<(&'a [u32], &'a [RowKind])>,
    /// The first row's place among those of the batch.
    from: usize,
}

impl Pass<'_> {
    /// Takes the rows into the counts of `N` calls.
    #[inline(never)]
    fn take<const N: usize>(self, calls: [usize; N], sides: Option<&mut [ColumnRef]>) {
        let Some(sides) = sides else { return self.step_all::<N>(|_, _| ()) };
        let (from, rows) = (self.from, self.slots.len());
        let columns = sides.get_disjoint_mut(calls).expect("each call has its column");
        let mut sides = columns.map(|c| {
            let column = ColumnRef::get_mut(c).expect("a column of its own");
            &mut column.buffer_mut::<i64>().as_chunks_mut::<2>().0[from..from + rows]
        });
        self.step_all::<N>(|row, all| {
            sides.iter_mut().zip(all).for_each(|(side, both)| side[row] = both);
        });
    }

    /// `put` gets the counts before and after each row.
    #[inline(always)]
    fn step_all<const N: usize>(self, put: impl FnMut(usize, [[i64; 2]; N])) {
        let bit = |marks: &[u8], row: usize, n: usize| i64::from(marks[row] >> n & 1);
        match (self.marks, self.kinds) {
            (None, _) => self.step(|_, _| 1, put),
            (Some(marks), None) => self.step(|row, n| bit(marks, row, n), put),
            (Some(marks), Some((rows, kinds))) => {
                let sign = |row: usize| if kinds[rows[row] as usize].is_add() { 1 } else { -1 };
                self.step(|row, n| bit(marks, row, n) * sign(row), put);
            }
        }
    }

    /// Adds the steps of each row to the counts of its group; where all are one group, these stay in registers.
    #[inline(always)]
    fn step<const N: usize>(
        self,
        by: impl Fn(usize, usize) -> i64,
        mut put: impl FnMut(usize, [[i64; 2]; N]),
    ) {
        let mut add = |row: usize, counts: &mut [i64; N]| {
            let mut both = [[0; 2]; N];
            for (n, (count, both)) in counts.iter_mut().zip(&mut both).enumerate() {
                let before = *count;
                *count += by(row, n);
                *both = [before, *count];
            }
            put(row, both);
        };
        let Self { counts, place: (width, first), slots, .. } = self;
        let of = |slot: u32| slot as usize * width + first..slot as usize * width + first + N;
        match slots {
            [only, rest @ ..] if rest.iter().all(|s| s == only) => {
                let mut now = [0; N];
                now.copy_from_slice(&counts[of(*only)]);
                (0..slots.len()).for_each(|row| add(row, &mut now));
                counts[of(*only)].copy_from_slice(&now);
            }
            _ => {
                for (row, &slot) in slots.iter().enumerate() {
                    add(row, counts[of(slot)].first_chunk_mut().expect("so many"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Native, TypeKind};
    use proptest::prelude::*;

    /// What a call counts: rows where one of two columns is not NULL, or all; of those the ones with a flag of two, or all.
    type Of = (Option<usize>, Option<usize>);
    /// A row: its group, whether either column is NULL, whether either flag is set, and whether it leaves.
    type Row = (u32, [bool; 2], [bool; 2], bool);

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        prop::collection::vec((0u32..5, any::<[bool; 2]>(), any::<[bool; 2]>(), any::<bool>()), 0..90)
    }

    fn call() -> impl Strategy<Value = Of> {
        (prop::option::of(0usize..2), prop::option::of(0usize..2))
    }

    fn longs(column: &Column) -> &[i64] {
        i64::buffer(&column.data).map_or(&[], |values| values)
    }

    proptest! {
        /// Batches of rows that some calls count, beside a call that is no COUNT, as one row after the other would be counted.
        #[test]
        fn counts_are_those_of_one_row_after_the_other(
            calls in prop::collection::vec(call(), 1..10),
            other in 0usize..10,
            batches in prop::collection::vec((rows(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()), 1..6),
        ) {
            let other = other % (calls.len() + 1);
            // By the number of the call, of which one is no COUNT.
            let of_call = |call: usize| calls[if call > other { call - 1 } else { call }];
            let mut all = Counts::default();
            (0..=calls.len()).filter(|call| *call != other).for_each(|call| {
                all.add_call(call);
            });
            let mut model = vec![[0i64; 5]; calls.len()];
            all.grow(5);
            let mut sides: Vec<ColumnRef> =
                (0..=calls.len()).map(|_| ColumnRef::new(Column::new(&TypeKind::BigInt.not_null()))).collect();
            for (rows, signed, one_group, no_nulls, tracked) in batches {
                let rows: Vec<Row> = rows.into_iter().map(|(slot, nulls, flags, leaves)| {
                    (if one_group { 3 } else { slot }, nulls.map(|n| n && !no_nulls), flags, leaves && signed)
                }).collect();
                // Rows stand in the batch backwards.
                let numbers: Vec<u32> = (0..rows.len() as u32).rev().collect();
                let slots: Vec<u32> = rows.iter().map(|r| r.0).collect();
                let kinds: Vec<RowKind> =
                    rows.iter().rev().map(|r| if r.3 { RowKind::Delete } else { RowKind::Insert }).collect();
                let columns = [0, 1].map(|c| {
                    let mut column = Column::new(&TypeKind::BigInt.nullable());
                    for row in rows.iter().rev() {
                        column.push_nulls(1);
                        column.validity.set(column.len() - 1, !row.1[c]);
                    }
                    column
                });
                let flags: Vec<u8> = rows.iter().map(|r| u8::from(r.2[0]) << 1 | u8::from(r.2[1]) << 7).collect();
                let counted = |call: usize| Counted {
                    arg: of_call(call).0.map(|c| &columns[c]),
                    seen: of_call(call).1.map(|f| Seen { flags: &flags, bit: [1, 7][f] }),
                };
                let kinds = signed.then_some(&kinds[..]);
                all.update((&numbers, &slots, kinds), counted, tracked.then_some(&mut sides[..]));
                for (n, (arg, flag)) in calls.iter().enumerate() {
                    let mut wanted = vec![];
                    for (slot, nulls, flags, leaves) in &rows {
                        let counts = arg.is_none_or(|a| !nulls[a]) && flag.is_none_or(|f| flags[f]);
                        let now = &mut model[n][*slot as usize];
                        wanted.push(*now);
                        *now += i64::from(counts) * if *leaves { -1 } else { 1 };
                        wanted.push(*now);
                    }
                    let call = n + usize::from(n >= other);
                    if tracked {
                        prop_assert_eq!(longs(&sides[call]), wanted, "call {}", n);
                        prop_assert_eq!(sides[call].len(), 2 * rows.len());
                    }
                    let mut out = Column::new(&TypeKind::BigInt.not_null());
                    all.emit(n, &[0, 1, 2, 3, 4], &mut out);
                    prop_assert_eq!(longs(&out), &model[n][..]);
                }
                prop_assert!(sides[other].is_empty());
            }
        }
    }
}

//! Keys with many rows, some of which come out of order: their rows in a tree by time, as in [`fused`](super::super::fused), for aggregates of any kind.
//!
//! How a late row reaches an aggregate depends on what that is ([`Class`]):
//!
//! | aggregates | frames at the newest row | the frame of a row out of order |
//! |---|---|---|
//! | sums and counts: rows are taken out as they were put in | accumulators, as without a tree | parts of the tree |
//! | MIN, MAX, FIRST_VALUE, LAST_VALUE: parts fold into one | parts of the tree | parts of the tree |
//! | DISTINCT ones of the first kind | accumulators | the accumulators, with the rows put in and taken out by which the frames differ, and back |
//! | all others: LISTAGG, ARRAY_AGG, LAG, a program's own | accumulators, made anew after a late row | made of its rows |
//!
//! Only the last kind costs the rows of a frame, as most of it cannot be said in less.

use super::*;
use crate::state::blocks::Blocks;
use crate::state::{Piece, RowTree};
use hashbrown::HashMap;

/// The keys that have trees, and the memory that all of them share.
#[derive(Default)]
pub(super) struct Trees {
    of: HashMap<u32, Box<Treed>>,
    /// What a part of the tree says: the aggregates of the first two classes, over rows that only join.
    calls: Vec<plan::Aggregate>,
    /// The rows: a word that says how many bytes, and the bytes.
    rows: Blocks,
    /// One group: what a range comes to.
    merged: Option<Aggregates>,
    /// Rows on their way.
    few: Batch,
    handles: Vec<u64>,
    slots: Vec<u32>,
    numbers: Vec<u32>,
}

struct Treed {
    tree: RowTree,
    /// By node.
    parts: Aggregates,
    /// How many rows of the tree each reader has passed.
    starts: Vec<u64>,
    /// How many are at or below the watermark.
    above: u64,
}

/// How a group takes rows out of order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Inverting,
    Folded,
    Distinct,
    Other,
}

impl Class {
    pub(super) fn of(a: &plan::Aggregate) -> Self {
        let fixed = (a.parts)().is_fixed();
        let inverts = fixed && (a.accumulator)().is_fixed();
        match (a.distinct, fixed, inverts) {
            (true, _, true) => Self::Distinct,
            (false, _, true) => Self::Inverting,
            (false, true, _) => Self::Folded,
            _ => Self::Other,
        }
    }

    /// The parts of a tree say what it comes to.
    fn has_parts(self) -> bool {
        matches!(self, Self::Inverting | Self::Folded)
    }
}

impl Trees {
    /// The place of an aggregate among the parts.
    pub(super) fn part(&mut self, a: &plan::Aggregate) -> usize {
        let same = |p: &plan::Aggregate| (&p.name, &p.args, p.filter) == (&a.name, &a.args, a.filter);
        self.calls.iter().position(same).unwrap_or_else(|| {
            self.calls.push(plan::Aggregate { accumulator: a.parts.clone(), ..a.clone() });
            self.calls.len() - 1
        })
    }

    pub(super) fn has(&self, slot: u32) -> bool {
        !self.of.is_empty() && self.of.contains_key(&slot)
    }

    fn keep(&mut self, bytes: &[u8]) -> u64 {
        let row = self.rows.take(class(bytes.len()));
        let words = self.rows.get_mut(row, 1 + bytes.len().div_ceil(8));
        words[0] = bytes.len() as u64;
        bytemuck::cast_slice_mut::<u64, u8>(&mut words[1..])[..bytes.len()].copy_from_slice(bytes);
        row
    }

    fn give_back(&mut self, row: u64) {
        let bytes = self.rows.get(row, 1)[0] as usize;
        self.rows.give_back(row, class(bytes));
    }

    pub(super) fn bytes(&self) -> usize {
        let held =
            |t: &Treed| size_of::<Treed>() + t.tree.bytes() + t.parts.bytes() + t.starts.capacity() * 8;
        self.rows.bytes() + self.of.capacity() * 17 + self.of.values().map(|t| held(t)).sum::<usize>()
    }
}

/// The power of two of the words of a row.
fn class(bytes: usize) -> u32 {
    (1 + bytes.div_ceil(8)).next_power_of_two().trailing_zeros()
}

/// The bytes of a row.
fn bytes_of(rows: &Blocks, row: u64) -> &[u8] {
    let bytes = rows.get(row, 1)[0] as usize;
    &bytemuck::cast_slice::<u64, u8>(&rows.get(row, 1 + bytes.div_ceil(8))[1..])[..bytes]
}

/// Appends rows to columns.
fn decode(rows: &Blocks, handles: &[u64], columns: &mut [ColumnRef]) {
    for &row in handles {
        let mut bytes = bytes_of(rows, row);
        columns.iter_mut().for_each(|c| decode_value(&mut bytes, unshared(c)));
    }
}

impl Frames {
    /// A key with so many rows that one out of order is better off in a tree gets one.
    ///
    /// # Errors
    /// An aggregate cannot take a row.
    pub(super) fn plant(&mut self, slot: u32, pool: &mut Pool) -> Result<()> {
        let Self { groups, rows: Some(queues), trees, kept: Some(kept), own, least, .. } = self else {
            return Ok(());
        };
        let readers = groups.iter().filter_map(|g| g.reader);
        let held = readers.clone().map(|r| queues.len(slot, r)).chain([queues.len(slot, kept.first)]).max();
        let held = held.unwrap_or(0);
        if held < *least || trees.has(slot) {
            return Ok(());
        }
        let mut rows = vec![];
        queues.for_each(slot, |time, bytes| rows.push((time, trees.keep(bytes))));
        let treed = Treed {
            tree: RowTree::default(),
            parts: Aggregates::new(&trees.calls, own, false),
            starts: readers.map(|r| held - queues.len(slot, r)).collect(),
            above: 0,
        };
        trees.of.insert(slot, Box::new(treed));
        queues.clear(slot);
        groups.iter_mut().filter(|g| g.is_folded()).for_each(|g| g.aggregates.reset(slot));
        for (time, row) in rows {
            self.place(slot, time, row, pool)?;
        }
        Ok(())
    }

    /// A row joins the tree of its key.
    fn place(&mut self, slot: u32, time: i64, row: u64, pool: &mut Pool) -> Result<()> {
        if let Some(treed) = self.trees.of.get_mut(&slot) {
            treed.tree.insert(time, row);
        }
        self.renew(slot, pool)
    }

    /// Makes the parts anew that a change has touched.
    fn renew(&mut self, slot: u32, pool: &mut Pool) -> Result<()> {
        let Self { types, own, trees, .. } = self;
        let Trees { of, rows, merged, few, slots, numbers, calls, .. } = trees;
        let Some(treed) = of.get_mut(&slot) else { return Ok(()) };
        let Treed { tree, parts, .. } = &mut **treed;
        let merged = merged.get_or_insert_with(|| single(calls, own));
        parts.grow(tree.bound());
        for &node in tree.changed() {
            parts.reset(node);
            if let Some(handles) = tree.rows_of(node) {
                decode(rows, handles, emptied(few, types, pool));
                few.refill(handles.len());
                refill(slots, numbers, node, handles.len());
                parts.update(few, numbers, slots).map_err(|e| e.error)?;
            } else {
                merged.reset(0);
                tree.children(node).for_each(|child| merged.merge(&[0], parts, &[child]));
                parts.merge(&[node], merged, &[0]);
            }
        }
        Ok(())
    }

    /// What rows `from..to` of a key's tree come to: in the one group of `merged`.
    fn range(&mut self, slot: u32, from: u64, to: u64, pool: &mut Pool) -> Result<()> {
        let Self { types, own, trees, .. } = self;
        let Trees { of, rows, merged, few, slots, numbers, calls, .. } = trees;
        let Some(treed) = of.get(&slot) else { return Ok(()) };
        let merged = merged.get_or_insert_with(|| single(calls, own));
        merged.reset(0);
        let mut failed = None;
        treed.tree.cover(from, to, |piece| match piece {
            Piece::Part(node) => merged.merge(&[0], &treed.parts, &[node]),
            Piece::Rows(handles) => {
                decode(rows, handles, emptied(few, types, pool));
                few.refill(handles.len());
                refill(slots, numbers, 0, handles.len());
                if let Err(e) = merged.update(few, numbers, slots) {
                    failed.get_or_insert(e.error);
                }
            }
        });
        failed.map_or(Ok(()), Err)
    }

    /// Sends rows of a key's tree through the accumulators of a group: each of `ranges` with its kind; `own`: and the row of `one`.
    fn send(
        &mut self,
        slot: u32,
        group: usize,
        ranges: &[(u64, u64, RowKind)],
        own: Option<RowKind>,
        pool: &mut Pool,
    ) -> Result<()> {
        let Self { types, groups, trees, one, .. } = self;
        let Trees { of, rows, few, slots, numbers, handles, .. } = trees;
        let Some(treed) = of.get(&slot) else { return Ok(()) };
        handles.clear();
        let mut kinds = pool.kind_list();
        kinds.clear();
        for &(from, to, kind) in ranges {
            treed.tree.each(from, to, |_, row| handles.push(row));
            kinds.resize(handles.len(), kind);
        }
        let columns = emptied(few, types, pool);
        decode(rows, handles, columns);
        if let Some(kind) = own {
            columns.iter_mut().zip(&one.columns).for_each(|(to, from)| unshared(to).extend_rows(from, &[0]));
            kinds.push(kind);
        }
        refill(slots, numbers, slot, kinds.len());
        few.refill(kinds.len());
        few.set_kinds(Some(kinds));
        let result = groups[group].aggregates.update(few, numbers, slots).map_err(|e| e.error);
        few.set_kinds(None).into_iter().for_each(|k| pool.recycle_kinds(k));
        result
    }

    /// A row of a key with a tree, not before its other rows: notes which rows leave, lays it in the tree, and lets go what no row above the
    /// watermark can see. What joins and leaves is in `one` and in the orders of the groups, as without a tree.
    pub(super) fn slide(&mut self, slot: u32, time: i64, watermark: i64, pool: &mut Pool) -> Result<()> {
        let Self { groups, trees, one, left, bytes, .. } = self;
        let row = trees.keep(bytes);
        let Trees { of, rows, .. } = trees;
        let Some(treed) = of.get_mut(&slot) else { return Ok(()) };
        for g in groups.iter_mut() {
            let Some(reader) = g.reader else { continue };
            let start = &mut treed.starts[reader];
            while *start < treed.tree.len() {
                let (oldest, handle) = treed.tree.get(*start);
                let leaves = match g.frame {
                    Frame::Rows(Some(before)) => treed.tree.len() - *start > before,
                    Frame::Range(Some(reach)) => oldest < time.saturating_sub(reach),
                    _ => false,
                };
                if !leaves {
                    break;
                }
                *start += 1;
                if g.class != Class::Folded {
                    decode(rows, &[handle], &mut one.columns);
                    g.order.push(*left as u32);
                    g.slots.push(slot);
                    *left += 1;
                }
            }
        }
        self.place(slot, time, row, pool)?;
        self.let_go(slot, watermark);
        Ok(())
    }

    /// Lets the rows of a tree go that no row above the watermark can see.
    fn let_go(&mut self, slot: u32, watermark: i64) {
        let Self { trees, kept: Some(kept), .. } = self else { return };
        loop {
            let Some(treed) = trees.of.get_mut(&slot) else { return };
            let used = treed.starts.iter().copied().min().unwrap_or(0);
            let mut counted = false;
            if let Some((_, before)) = kept.above {
                treed.above = treed.above.max(treed.tree.rank(|t| t <= watermark));
                counted = treed.above <= before;
            }
            let from = kept.reach.map_or(i64::MAX, |r| watermark.saturating_sub(r));
            if used == 0 || counted || treed.tree.first_time().is_none_or(|t| t >= from) {
                return;
            }
            let row = treed.pop();
            row.iter().for_each(|r| trees.give_back(*r));
        }
    }

    /// A key that has lost most of its rows has them in a queue again.
    ///
    /// # Errors
    /// An aggregate cannot take a row.
    pub(super) fn fell_if_few(&mut self, slot: u32, pool: &mut Pool) -> Result<()> {
        let Some(few) = self.trees.of.get(&slot).map(|t| t.tree.len()).filter(|n| *n < self.least / 4) else {
            return Ok(());
        };
        for group in 0..self.groups.len() {
            if let (Class::Folded, Some(reader)) = (self.groups[group].class, self.groups[group].reader) {
                let start = self.trees.of[&slot].starts[reader];
                self.send(slot, group, &[(start, few, RowKind::Insert)], None, pool)?;
            }
        }
        let Self { trees, rows: Some(queues), .. } = self else { return Ok(()) };
        let Some(treed) = trees.of.remove(&slot) else { return Ok(()) };
        let mut handles = vec![];
        treed.tree.each(0, few, |time, row| {
            queues.push(slot, time, bytes_of(&trees.rows, row));
            handles.push(row);
        });
        handles.into_iter().for_each(|r| trees.give_back(r));
        for (reader, start) in treed.starts.into_iter().enumerate() {
            (0..start).for_each(|_| queues.pop(slot, reader));
        }
        Ok(())
    }

    /// Takes about `rows` rows out of a key with a tree that is forgotten.
    ///
    /// # Errors
    /// An aggregate cannot let a row go.
    pub(super) fn drain_tree(&mut self, slot: u32, rows: usize, pool: &mut Pool) -> Result<()> {
        let Some(treed) = self.trees.of.get(&slot) else { return Ok(()) };
        let gone = treed.tree.len().min(rows as u64);
        for group in 0..self.groups.len() {
            let Some(reader) = self.groups[group].reader else { continue };
            let start = self.trees.of[&slot].starts[reader];
            if self.groups[group].class != Class::Folded {
                self.send(slot, group, &[(start, gone.max(start), RowKind::Delete)], None, pool)?;
            }
        }
        for _ in 0..gone {
            let Some(treed) = self.trees.of.get_mut(&slot) else { break };
            treed.starts.iter_mut().for_each(|s| *s = (*s).max(1));
            let row = treed.pop();
            row.iter().for_each(|r| self.trees.give_back(*r));
        }
        self.fell_if_few(slot, pool)
    }

    /// Appends what folded groups come to for the newest row of a key with a tree.
    ///
    /// # Errors
    /// An aggregate cannot take a row.
    pub(super) fn emit_folded(&mut self, slot: u32, out: &mut [ColumnRef], pool: &mut Pool) -> Result<()> {
        for group in 0..self.groups.len() {
            let Some(reader) = self.groups[group].reader else { continue };
            if self.groups[group].class != Class::Folded {
                continue;
            }
            let treed = &self.trees.of[&slot];
            let (start, end) = (treed.starts[reader], treed.tree.len());
            self.range(slot, start, end, pool)?;
            self.emit_merged(group, out);
        }
        Ok(())
    }

    fn emit_merged(&self, group: usize, out: &mut [ColumnRef]) {
        let Some(merged) = &self.trees.merged else { return };
        for (nth, to) in self.answers(group, out) {
            merged.emit_one(self.groups[group].parts[nth], 0, to);
        }
    }

    /// As [`Frames::insert`], for a key with a tree.
    ///
    /// # Errors
    /// An aggregate cannot take a row.
    #[expect(clippy::too_many_arguments, reason = "a row, its place and where its answer goes")]
    pub(super) fn insert_treed<C: Borrow<Column>>(
        &mut self,
        slot: u32,
        time: i64,
        row: u32,
        source: &[C],
        watermark: i64,
        keep: bool,
        out: &mut [ColumnRef],
        pool: &mut Pool,
    ) -> Result<()> {
        let columns = emptied(&mut self.one, &self.types, pool);
        columns
            .iter_mut()
            .zip(&self.held)
            .for_each(|(to, &n)| unshared(to).extend_rows(source[n].borrow(), &[row]));
        self.one.refill(1);
        let held = self.held_from(watermark);
        let place = self.trees.of[&slot].tree.rank(|t| t <= time);
        for group in 0..self.groups.len() {
            let (frame, class) = (self.groups[group].frame, self.groups[group].class);
            let Some(reader) = self.groups[group].reader else {
                let one = std::mem::take(&mut self.one);
                let mut answer: Vec<ColumnRef> =
                    self.groups[group].calls.iter().map(|a| pool.column(&a.ty)).collect();
                let result = self.groups[group].answer(&one, 0, slot, keep, &self.own, &mut answer);
                self.one = one;
                result?;
                for (nth, to) in self.answers(group, out) {
                    unshared(to).extend_rows(&answer[nth], &[0]);
                }
                answer.into_iter().for_each(|c| pool.recycle_column(c));
                continue;
            };
            let from = match frame {
                Frame::Rows(Some(n)) => place.saturating_sub(n),
                Frame::Range(Some(reach)) => {
                    let first = time.saturating_sub(reach).max(held);
                    self.trees.of[&slot].tree.rank(|t| t < first).min(place)
                }
                Frame::Rows(None) | Frame::Range(None) | Frame::Sliced { .. } => place,
            };
            if class.has_parts() {
                self.range(slot, from, place, pool)?;
                let Self { trees, one, .. } = self;
                if let Some(merged) = &mut trees.merged {
                    merged.update(one, &[0], &[0]).map_err(|e| e.error)?;
                }
                self.emit_merged(group, out);
                continue;
            }
            let treed = &self.trees.of[&slot];
            let (start, end) = (treed.starts[reader], treed.tree.len());
            let near = from.abs_diff(start) + (end - place) < place - from;
            let (add, remove) = (RowKind::Insert, RowKind::Delete);
            if class == Class::Distinct && near {
                let to =
                    [(from.min(start), start, add), (start.min(from), from, remove), (place, end, remove)];
                self.send(slot, group, &to, Some(add), pool)?;
                self.emit_group(group, slot, out);
                let back = to.map(|(a, b, kind)| (a, b, if kind == add { remove } else { add }));
                self.send(slot, group, &back, Some(remove), pool)?;
            } else {
                self.groups[group].aggregates.reset(slot);
                self.send(slot, group, &[(from, place, add)], Some(add), pool)?;
                self.emit_group(group, slot, out);
                self.groups[group].aggregates.reset(slot);
                // What is kept comes to its place below.
                if class == Class::Distinct || !keep {
                    self.send(slot, group, &[(start, end, add)], None, pool)?;
                }
            }
        }
        if keep { self.put(slot, time, place, pool) } else { Ok(()) }
    }

    fn emit_group(&self, group: usize, slot: u32, out: &mut [ColumnRef]) {
        for (nth, to) in self.answers(group, out) {
            self.groups[group].aggregates.emit_one(nth, slot, to);
        }
    }

    /// The columns of a group's calls, with the place of each in the group.
    fn answers<'o>(
        &self,
        group: usize,
        out: &'o mut [ColumnRef],
    ) -> impl Iterator<Item = (usize, &'o mut ColumnRef)> {
        let own =
            move |(&(place, nth), to)| matches!(place, Place::Rows(g) if g == group).then_some((nth, to));
        self.calls.iter().zip(out).filter_map(own)
    }

    /// The row of `one`, which is not its key's last, joins the tree at `place`, and the frames at the newest row that have it.
    fn put(&mut self, slot: u32, time: i64, place: u64, pool: &mut Pool) -> Result<()> {
        self.bytes.clear();
        self.one.columns.iter().for_each(|c| encode_value(c, 0, &mut self.bytes));
        let row = self.trees.keep(&self.bytes);
        let before = self.trees.of[&slot].tree.len();
        let last = self.trees.of[&slot].tree.get(before - 1).0;
        self.place(slot, time, row, pool)?;
        let end = before + 1;
        for group in 0..self.groups.len() {
            let (frame, class) = (self.groups[group].frame, self.groups[group].class);
            let Some(reader) = self.groups[group].reader else { continue };
            let start = self.trees.of[&slot].starts[reader];
            let joins = match frame {
                Frame::Range(reach) => time >= last.saturating_sub(reach.unwrap_or(i64::MAX)),
                _ => place >= start,
            };
            let full = matches!(frame, Frame::Rows(Some(before)) if end - start > before + 1);
            let then = if joins { start + u64::from(full) } else { start + 1 };
            // It may be the one that has to leave.
            let joins = joins && !(full && place == start);
            let (add, remove) = (RowKind::Insert, RowKind::Delete);
            match class {
                Class::Folded => {}
                Class::Inverting | Class::Distinct if joins => {
                    let gone = [(start, then, remove)];
                    self.send(slot, group, &gone, Some(add), pool)?;
                }
                Class::Inverting | Class::Distinct => {}
                Class::Other => self.send(slot, group, &[(then, end, add)], None, pool)?,
            }
            if let Some(treed) = self.trees.of.get_mut(&slot) {
                treed.starts[reader] = then;
            }
        }
        Ok(())
    }

    /// The rows of a key without those of its tree are gone; so is the tree.
    pub(super) fn clear_tree(&mut self, slot: u32) {
        let Some(treed) = self.trees.of.remove(&slot) else { return };
        treed.tree.each(0, treed.tree.len(), |_, row| self.trees.give_back(row));
    }

    /// Writes whether a key has a tree, and its rows and readers then.
    pub(super) fn encode_tree(&self, slot: u32, to: &mut Encoder) -> bool {
        let Some(treed) = self.trees.of.get(&slot) else {
            to.bool(false);
            return false;
        };
        to.bool(true);
        let (mut times, mut columns) = (vec![], self.types.iter().map(Column::new).collect::<Vec<_>>());
        treed.tree.each(0, treed.tree.len(), |time, row| {
            times.push(time);
            let mut bytes = bytes_of(&self.trees.rows, row);
            columns.iter_mut().for_each(|c| decode_value(&mut bytes, c));
        });
        to.slice(&times);
        to.slice(&treed.starts);
        columns.iter().for_each(|c| to.column(c));
        treed.tree.encode(to);
        true
    }

    /// Reads what [`Frames::encode_tree`] wrote for a key that has one.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(super) fn decode_tree(&mut self, slot: u32, from: &mut Decoder<'_>) -> Result<()> {
        let damaged = || Error::corrupt("the rows of a frame do not fit their number");
        let times: Vec<i64> = from.slice()?;
        let starts: Vec<u64> = from.slice()?;
        let mut columns: Vec<Column> = self.types.iter().map(Column::new).collect();
        for c in &mut columns {
            from.column(c)?;
            if c.len() != times.len() {
                return Err(damaged());
            }
        }
        let readers = self.groups.iter().filter(|g| g.reader.is_some()).count();
        if starts.len() != readers || starts.iter().any(|&n| n > times.len() as u64) {
            return Err(damaged());
        }
        let mut rows = vec![];
        for (n, &time) in times.iter().enumerate() {
            self.bytes.clear();
            columns.iter().for_each(|c| encode_value(c, n, &mut self.bytes));
            rows.push((time, self.trees.keep(&self.bytes)));
        }
        let tree = RowTree::decode(&rows, from)?;
        let parts = Aggregates::new(&self.trees.calls, &self.own, false);
        self.trees.of.insert(slot, Box::new(Treed { tree, parts, starts, above: 0 }));
        self.renew(slot, &mut Pool::default())
    }
}

impl Treed {
    /// The oldest row, which all readers have passed, leaves.
    fn pop(&mut self) -> Option<u64> {
        self.starts.iter_mut().for_each(|s| *s -= 1);
        self.above = self.above.saturating_sub(1);
        self.tree.pop_first()
    }
}

/// Accumulators with one group.
fn single(calls: &[plan::Aggregate], schema: &Schema) -> Aggregates {
    let mut one = Aggregates::new(calls, schema, false);
    one.grow(1);
    one
}

/// `rows` rows, all of one group.
fn refill(slots: &mut Vec<u32>, numbers: &mut Vec<u32>, slot: u32, rows: usize) {
    slots.clear();
    slots.resize(rows, slot);
    numbers.clear();
    numbers.extend(0..rows as u32);
}

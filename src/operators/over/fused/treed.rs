//! Keys with many rows, some of which come out of order: their rows in a tree by time.
//!
//! In a ring, a row out of order moves all rows behind it and looks at all of its frames'. That is less than anything else as long as the rows are a few
//! lines; from some number of rows on (`LEAST` in `score.rs`), a key's first row out of order **plants a tree** ([`RowTree`]): the row then finds its place by the logarithm of the rows
//! behind it, and its answer by that of all. Sums, counts and distinct values of the frames at the newest row stay cells, as in a ring; MIN and
//! MAX come out of the tree.
//!
//! A node's part is, for each thing that some call wants, what the rows below it come to and how many values that is. DISTINCT has no such part: the
//! values of a row's own frame are those of the newest frame and the rows by which the two differ.
//!
//! In the record of such a key, `class` is [`TREED`] and `block` the tree's number. A key that has lost most of its rows goes back to a ring.

use super::*;
use crate::batch::{Decoder, Encoder};
use crate::error::Result;
use crate::state::{Piece, RowTree};
use hashbrown::HashMap;

/// In place of the class of a ring.
pub(super) const TREED: u64 = u64::MAX;
/// The trees of all keys that have one.
#[derive(Default)]
pub(super) struct Trees {
    own: Vec<Treed>,
    free: Vec<u64>,
    /// Values of which a frame has more or fewer than another.
    deltas: HashMap<u64, i64>,
}

#[derive(Default)]
struct Treed {
    /// Handles are blocks of one row each.
    tree: RowTree,
    /// By node: two words a part.
    parts: Vec<u64>,
}

/// What a node says of a column of its rows, in two words: what its values come to, and how many there are that are not NULL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    by: usize,
    fold: Fold,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    Sum(Form),
    Best { max: bool },
}

impl Part {
    /// The part that a call reads.
    pub(super) fn of(work: Work) -> Option<Self> {
        match work {
            Work::Values { by } => Some(Self { by, fold: Fold::Sum(Form::I64) }),
            Work::Sum { by, form, .. } => Some(Self { by, fold: Fold::Sum(form) }),
            Work::Best { by, max, .. } => Some(Self { by, fold: Fold::Best { max } }),
            Work::Rows | Work::Distinct { .. } => None,
        }
    }

    /// `count` values that come to `value` join.
    #[inline]
    fn add(self, into: &mut [u64], value: u64, count: u64) {
        if count == 0 {
            return;
        }
        into[0] = match self.fold {
            Fold::Sum(Form::F64) => (f64::from_bits(into[0]) + f64::from_bits(value)).to_bits(),
            Fold::Sum(_) => into[0].wrapping_add(value),
            Fold::Best { max } => {
                let (a, b) = (into[0] as i64, value as i64);
                if into[1] == 0 || (if max { b > a } else { b < a }) { value } else { into[0] }
            }
        };
        into[1] += count;
    }
}

impl Treed {
    /// Makes the parts anew that a change has touched.
    fn renew(&mut self, parts: &[Part], layout: Layout, blocks: &Blocks) {
        let stride = parts.len() * 2;
        let Self { tree, parts: words } = self;
        words.resize(words.len().max(tree.bound() * stride), 0);
        for &node in tree.changed() {
            let at = node as usize * stride;
            words[at..at + stride].fill(0);
            let mut own = [0; 2];
            for (n, part) in parts.iter().enumerate() {
                own.fill(0);
                if let Some(rows) = tree.rows_of(node) {
                    for &row in rows {
                        if let Some(value) = layout.value(blocks.get(row, layout.width), part.by) {
                            part.add(&mut own, value, 1);
                        }
                    }
                } else {
                    for child in tree.children(node) {
                        let from = child as usize * stride + n * 2;
                        part.add(&mut own, words[from], words[from + 1]);
                    }
                }
                words[at + n * 2..at + n * 2 + 2].copy_from_slice(&own);
            }
        }
    }

    /// What rows `from..to` come to, in that part.
    fn range(
        &self,
        (nth, part): (usize, Part),
        parts: usize,
        rows: (u64, u64),
        layout: Layout,
        blocks: &Blocks,
    ) -> [u64; 2] {
        let mut own = [0; 2];
        self.tree.cover(rows.0, rows.1, |piece| match piece {
            Piece::Part(node) => {
                let at = (node as usize * parts + nth) * 2;
                part.add(&mut own, self.parts[at], self.parts[at + 1]);
            }
            Piece::Rows(rows) => {
                for &row in rows {
                    if let Some(value) = layout.value(blocks.get(row, layout.width), part.by) {
                        part.add(&mut own, value, 1);
                    }
                }
            }
        });
        own
    }
}

impl Trees {
    fn of(&self, record: &[u64]) -> &Treed {
        &self.own[record[BLOCK] as usize]
    }

    fn of_mut(&mut self, record: &[u64]) -> &mut Treed {
        &mut self.own[record[BLOCK] as usize]
    }

    /// A row of a key.
    pub(super) fn row<'b>(
        &self,
        layout: Layout,
        blocks: &'b Blocks,
        record: &[u64],
        number: u64,
    ) -> &'b [u64] {
        blocks.get(self.of(record).tree.get(number - record[FIRST]).1, layout.width)
    }

    pub(super) fn bytes(&self) -> usize {
        self.own.iter().map(|t| t.tree.bytes() + t.parts.capacity() * 8).sum::<usize>()
            + self.own.capacity() * size_of::<Treed>()
            + self.free.capacity() * 8
            + self.deltas.capacity() * 17
    }

    /// A tree without rows, for the key of a record.
    fn give(&mut self, record: &mut [u64]) {
        let number = self.free.pop().unwrap_or_else(|| {
            self.own.push(Treed::default());
            self.own.len() as u64 - 1
        });
        (record[BLOCK], record[CLASS]) = (number, TREED);
    }

    fn take_back(&mut self, record: &[u64]) {
        self.own[record[BLOCK] as usize] = Treed::default();
        self.free.push(record[BLOCK]);
    }

    /// Writes whether the key has a tree, and its shape.
    pub(super) fn encode(&self, record: &[u64], to: &mut Encoder) {
        let treed = record[CLASS] == TREED;
        to.bool(treed);
        if treed {
            self.of(record).tree.encode(to);
        }
    }
}

impl Fused {
    /// Rows of a key in their order.
    pub(super) fn each_row(&self, slot: u32, mut f: impl FnMut(&[u64])) {
        let (layout, record) = (self.layout(), self.records.get(slot));
        if record[CLASS] == TREED {
            let tree = &self.trees.of(record).tree;
            tree.each(0, tree.len(), |_, row| f(self.blocks.get(row, layout.width)));
        } else {
            (record[FIRST]..record[END]).for_each(|n| f(layout.row(&self.blocks, record, n)));
        }
    }

    /// A key with so many rows that one out of order is better off in a tree gets one.
    pub(super) fn plant(&mut self, slot: u32) {
        let layout = self.layout();
        let record = self.records.get_mut(slot);
        if record[CLASS] == TREED || record[END] - record[FIRST] < self.least {
            return;
        }
        let Self { trees, parts, blocks, bests, .. } = self;
        let (ring, class) = (record[BLOCK], record[CLASS]);
        let mut rows = vec![];
        for number in record[FIRST]..record[END] {
            rows.push(layout.keep(blocks, &copied(layout.row(blocks, record, number))));
        }
        blocks.give_back(ring, layout.words(class as u32));
        bests.iter().for_each(|b| b.empty(record, blocks));
        trees.give(record);
        let own = trees.of_mut(record);
        for row in rows {
            own.tree.insert(blocks.get(row, 1)[0] as i64, row);
            own.renew(parts, layout, blocks);
        }
    }

    /// A key that has lost most of its rows gets a ring again.
    fn fell(&mut self, slot: u32) {
        let layout = self.layout();
        let Self { trees, blocks, records, bests, .. } = self;
        let record = records.get_mut(slot);
        let own = std::mem::take(trees.of_mut(record));
        trees.take_back(record);
        let end = record[END];
        (record[BLOCK], record[CLASS], record[END]) = (NONE, 0, record[FIRST]);
        own.tree.each(0, own.tree.len(), |_, row| {
            if record[BLOCK] == NONE || record[END] - record[FIRST] == 1 << record[CLASS] {
                layout.widen(blocks, record);
            }
            let words: [u64; MOST] = copied(blocks.get(row, layout.width));
            blocks.give_back(row, layout.words(0));
            layout.row_mut(blocks, record, record[END]).copy_from_slice(&words[..layout.width]);
            record[END] += 1;
        });
        debug_assert_eq!(record[END], end, "the tree has the key's rows");
        for b in bests.iter() {
            b.fill(record, blocks, layout, record[FIRST]..end);
        }
    }

    /// A key gets the tree that was written with these rows.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(super) fn regrow(&mut self, slot: u32, words: &[u64], from: &mut Decoder<'_>) -> Result<()> {
        let layout = self.layout();
        let Self { trees, parts, blocks, records, .. } = self;
        let record = records.get_mut(slot);
        let rows: Vec<(i64, u64)> =
            words.chunks(layout.width).map(|w| (w[0] as i64, layout.keep(blocks, w))).collect();
        trees.give(record);
        let own = trees.of_mut(record);
        own.tree = RowTree::decode(&rows, from)?;
        own.renew(parts, layout, blocks);
        record[END] = rows.len() as u64;
        Ok(())
    }

    /// As [`Fused::score`], for a key with a tree.
    #[cold]
    pub(super) fn score_treed(
        &mut self,
        slot: u32,
        time: i64,
        row: usize,
        source: &Batch,
        watermark: i64,
        out: &mut [ColumnRef],
    ) {
        let own = self.words(time, row, source);
        let number = self.place_row(slot, &own);
        let layout = self.layout();
        let Self { frames, calls, ends, distincts, records, blocks, hasher, trees, .. } = self;
        let record = records.get_mut(slot);
        for d in distincts.iter() {
            if let Some(value) = layout.value(&own, d.by) {
                let first = Values::join(record, d.cell, blocks, hasher, value, 0..d.lanes.len());
                for (lane, &cell) in d.lanes.iter().enumerate() {
                    record[cell] += u64::from(first >> lane & 1);
                }
            }
        }
        for (f, frame) in frames.iter().enumerate() {
            let own_calls = of_frame(calls, ends, f);
            loop {
                let start = record[STARTS + f];
                let words = trees.row(layout, blocks, record, start);
                let leaves = match frame {
                    Frame::Rows(Some(before)) => number - start > *before,
                    Frame::Range(Some(reach)) => (words[0] as i64) < time.saturating_sub(*reach),
                    _ => false,
                };
                if !leaves {
                    break;
                }
                let values: [u64; MOST] = copied(words);
                leave(own_calls, distincts, record, blocks, hasher, layout, &values);
                record[STARTS + f] = start + 1;
            }
            join(own_calls, record, layout, &own);
        }
        let Self { calls, order, parts, bests, .. } = self;
        let (record, trees, blocks) = (self.records.get(slot), &self.trees, &self.blocks);
        for (&n, to) in order.iter().zip(out) {
            let call = &calls[n];
            let start = record[STARTS + call.frame];
            let value = if let Work::Best { .. } = call.work {
                let rows = (start - record[FIRST], record[END] - record[FIRST]);
                let part = (call.part, parts[call.part]);
                let [value, count] = trees.of(record).range(part, parts.len(), rows, layout, blocks);
                (count > 0).then_some(value)
            } else {
                value_of(call, record, blocks, bests, record[END] - start)
            };
            put(value, source.rows() == 1, to);
        }
        self.let_go_treed(slot, watermark);
    }

    /// A row joins the tree of its key, and gets a number; those behind it have one more each.
    pub(super) fn place_row(&mut self, slot: u32, own: &[u64]) -> u64 {
        let layout = self.layout();
        let Self { trees, parts, blocks, records, .. } = self;
        let record = records.get_mut(slot);
        let row = layout.keep(blocks, own);
        let treed = trees.of_mut(record);
        let rank = treed.tree.insert(own[0] as i64, row);
        treed.renew(parts, layout, blocks);
        record[END] += 1;
        record[FIRST] + rank
    }

    /// As [`Fused::let_go`].
    fn let_go_treed(&mut self, slot: u32, watermark: i64) {
        let layout = self.layout();
        let Self { records, blocks, frames, reach, rows, above, trees, .. } = self;
        let record = records.get_mut(slot);
        let tree = &mut trees.own[record[BLOCK] as usize].tree;
        if rows.is_some() {
            let passed = record[FIRST] + tree.rank(|t| t <= watermark);
            record[*above] = record[*above].max(passed);
        }
        let used = record[STARTS..STARTS + frames.len()].iter().copied().min().unwrap_or(record[END]);
        let from = reach.map_or(i64::MAX, |r| watermark.saturating_sub(r));
        while record[FIRST] < used {
            let counted = rows.is_some_and(|n| record[*above].saturating_sub(record[FIRST]) <= n);
            if counted || tree.first_time().is_none_or(|t| t >= from) {
                break;
            }
            tree.pop_first().iter().for_each(|row| blocks.give_back(*row, layout.words(0)));
            record[FIRST] += 1;
        }
        if tree.len() < self.least / 4 {
            self.fell(slot);
        }
    }

    /// Takes about `rows` rows out of a key with a tree that is forgotten.
    pub(super) fn drain_tree(&mut self, slot: u32, rows: usize) {
        let layout = self.layout();
        let Self { records, blocks, frames, calls, ends, distincts, hasher, trees, .. } = self;
        let record = records.get_mut(slot);
        for _ in 0..rows {
            let Some(row) = trees.of_mut(record).tree.pop_first() else { break };
            let words: [u64; MOST] = copied(blocks.get(row, layout.width));
            blocks.give_back(row, layout.words(0));
            for f in 0..frames.len() {
                if record[STARTS + f] == record[FIRST] {
                    leave(of_frame(calls, ends, f), distincts, record, blocks, hasher, layout, &words);
                    record[STARTS + f] += 1;
                }
            }
            record[FIRST] += 1;
        }
        if trees.of(record).tree.len() < self.least / 4 {
            self.fell(slot);
        }
    }

    /// How many rows of the key's tree are of a time that is `before`, as a number of a row.
    pub(super) fn rank(&self, slot: u32, before: impl Fn(i64) -> bool) -> u64 {
        let record = self.records.get(slot);
        record[FIRST] + self.trees.of(record).tree.rank(before)
    }

    /// What a call comes to in rows `from..place` of a tree, and the row `own` behind them.
    pub(super) fn answer_treed(
        &mut self,
        slot: u32,
        call: &Call,
        (from, place): (u64, u64),
        own: &[u64],
    ) -> Option<u64> {
        let layout = self.layout();
        if let Work::Distinct { .. } = call.work {
            return Some(self.distinct_treed(slot, call, (from, place), own));
        }
        let record = self.records.get(slot);
        let part = self.parts[call.part];
        let rows = (from - record[FIRST], place - record[FIRST]);
        let treed = self.trees.of(record);
        let mut sum = treed.range((call.part, part), self.parts.len(), rows, layout, &self.blocks);
        layout.value(own, part.by).iter().for_each(|v| part.add(&mut sum, *v, 1));
        match call.work {
            Work::Values { .. } => Some(sum[1]),
            _ => (sum[1] > 0).then_some(sum[0]),
        }
    }

    /// How many values rows `from..place` and `own` have: those of the newest frame, and of the rows that only one of the two has.
    fn distinct_treed(&mut self, slot: u32, call: &Call, (from, place): (u64, u64), own: &[u64]) -> u64 {
        let Work::Distinct { nth, lane } = call.work else { unreachable!("a call that counts values") };
        let layout = self.layout();
        let Self { records, blocks, hasher, trees, distincts, .. } = self;
        let (record, d) = (records.get(slot), &distincts[nth]);
        let mut deltas = std::mem::take(&mut trees.deltas);
        deltas.clear();
        let (start, end) = (record[STARTS + call.frame], record[END]);
        let near = from.abs_diff(start) + (end - place) < place - from;
        let tree = &trees.of(record).tree;
        let mut change = |from: u64, to: u64, by: i64| {
            tree.each(from - record[FIRST], to - record[FIRST], |_, row| {
                if let Some(value) = layout.value(blocks.get(row, layout.width), d.by) {
                    *deltas.entry(value).or_default() += by;
                }
            });
        };
        if near {
            change(from.min(start), start, 1);
            change(start.min(from), from, -1);
            change(place, end, -1);
        } else {
            change(from, place, 1);
        }
        layout.value(own, d.by).iter().for_each(|v| *deltas.entry(*v).or_default() += 1);
        let mut distinct = if near { record[call.cell] } else { 0 };
        for (&value, &by) in &deltas {
            let had = if near { Values::count(record, d.cell, blocks, hasher, value, lane) } else { 0 };
            let has = i64::from(had) + by;
            distinct = distinct + u64::from(has > 0 && had == 0) - u64::from(has <= 0 && had > 0);
        }
        trees.deltas = deltas;
        distinct
    }
}

impl Layout {
    /// A block with that row alone.
    fn keep(self, blocks: &mut Blocks, words: &[u64]) -> u64 {
        let row = blocks.take(self.words(0));
        blocks.get_mut(row, self.width).copy_from_slice(&words[..self.width]);
        row
    }
}

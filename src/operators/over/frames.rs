//! The frames of keys: rows go in, each key's in their order, and the aggregates of each row's frame come out.
//!
//! Rows are stored once for all frames of a key ([`RowQueues`]), as the bytes of the columns that aggregates read, and only while a frame
//! holds them; each frame with a first row is a reader that moves along. A row that enters a frame is added to the frame's accumulators, a row
//! that leaves it is taken out, so a row's cost does not depend on how many rows its frame has.
//!
//! A frame that is [sliced](Sliced) needs no rows. A caller that is answered row by row ([`Frames::keeping`]) may bring rows out of order; a key with
//! many rows then keeps them in a tree ([`treed`]).
//!
//! A **run** is what one call of the operator takes: [`Frames::take`] only notes which rows enter and leave, and [`Frames::finish`] sends
//! them through the accumulators, each aggregate in one pass over all keys. DOUBLE and FLOAT come out as in Flink: rows that leave are
//! subtracted first, then the row is added.

mod treed;

use super::sliced::Sliced;
use crate::batch::key::{decode_value, encode_value};
use crate::batch::{Batch, Column, ColumnRef, DataType, Decoder, Encoder, Pool, RowKind, Schema};
use crate::error::{Error, Result};
use crate::expr::RowError;
use crate::operators::aggregates::{Aggregates, unshared};
use crate::operators::gather::pick;
use crate::plan::{self, Frame};
use crate::state::RowQueues;
use std::borrow::Borrow;
use treed::{Class, Trees};

/// Marks a row that enters, among those that leave.
const ENTERS: u32 = 1 << 31;

/// See the module's text.
pub(super) struct Frames {
    /// The columns that aggregates read.
    held: Vec<usize>,
    types: Vec<DataType>,
    groups: Vec<Group>,
    /// Frames that hold no rows.
    sliced: Vec<Sliced>,
    /// For each call its frame, and its place among the frame's aggregates.
    calls: Vec<(Place, usize)>,
    /// What sliced frames have said in this run, by frame and aggregate; which of it is each row's; and the row that one could not take.
    said: Vec<Vec<ColumnRef>>,
    saying: Vec<u32>,
    refused: Option<(usize, Error)>,
    /// The columns that aggregates read, as a schema.
    own: Schema,
    /// Rows that some frame will let go; absent: none does.
    rows: Option<RowQueues>,
    /// For rows out of order, see [`Frames::keeping`].
    kept: Option<Kept>,
    /// With so many rows a key's first row out of order plants a tree; with a quarter of them left it falls.
    least: u64,
    trees: Trees,
    /// The rows of the run that enter, by their number in the source.
    entering: Vec<u32>,
    /// The values of the rows of the run that leave.
    leaving: Vec<ColumnRef>,
    left: usize,
    bytes: Vec<u8>,
    /// For rows that are answered at once: those that leave, and the row.
    one: Batch,
    slots: Vec<u32>,
}

/// A frame of `groups` or of `sliced`.
#[derive(Clone, Copy)]
enum Place {
    Rows(usize),
    Sliced(usize),
}

/// What is kept for rows that come out of order, above the watermark: readers that let go what no such row can see.
struct Kept {
    /// Stands at the first row that is kept.
    first: usize,
    /// Where a frame counts rows: stands at the first row above the watermark, and so many rows before it are kept.
    above: Option<(usize, u64)>,
    /// Where a frame is of some time back: the longest, ms.
    reach: Option<i64>,
}

impl Kept {
    fn advance(&self, queues: &mut RowQueues, slot: u32, watermark: i64) {
        if let Some((above, _)) = self.above {
            while queues.front(slot, above).is_some_and(|(t, _)| t <= watermark) {
                queues.pop(slot, above);
            }
        }
        let from = self.reach.map(|r| watermark.saturating_sub(r));
        while let Some((time, _)) = queues.front(slot, self.first) {
            let counted = self
                .above
                .is_some_and(|(above, n)| queues.len(slot, self.first) - queues.len(slot, above) <= n);
            if counted || from.is_some_and(|from| time >= from) {
                return;
            }
            queues.pop(slot, self.first);
        }
    }
}

/// The aggregates of one frame.
struct Group {
    frame: Frame,
    /// Its reader.
    reader: Option<usize>,
    aggregates: Aggregates,
    /// What they are.
    calls: Vec<plan::Aggregate>,
    /// How they take rows out of order, and their places among the parts of a tree where it has them.
    class: Class,
    parts: Vec<usize>,
    /// The run, in order: rows that leave by their place in `leaving`, rows that enter by their place in `entering`.
    order: Vec<u32>,
    slots: Vec<u32>,
    /// For each row of output, where in `order` its aggregates are.
    picks: Vec<u32>,
}

/// Empties the columns of a batch that has some of these types.
fn emptied<'b>(batch: &'b mut Batch, types: &[DataType], pool: &mut Pool) -> &'b mut Vec<ColumnRef> {
    if batch.columns.is_empty() {
        batch.columns.extend(types.iter().map(|t| pool.column(t)));
    }
    batch.columns.iter_mut().for_each(|c| unshared(c).clear());
    &mut batch.columns
}

impl Frames {
    /// Frames over rows of that schema.
    pub(super) fn new(calls: &[(Frame, plan::Aggregate)], input: &Schema) -> Self {
        Self::made(calls, input, |_| Class::Other)
    }

    /// With rows kept until none that comes above the watermark can see them: for [`Frames::score`] and [`Frames::insert`]. From `least` rows on
    /// keys may have trees.
    pub(super) fn keeping(calls: &[(Frame, plan::Aggregate)], input: &Schema, least: u64) -> Self {
        let mut own = Self::made(calls, input, Class::of);
        own.least = least;
        for g in &mut own.groups {
            // A key's values are found without looking at all keys', where its frames are made anew.
            if g.reader.is_some() {
                g.aggregates.end_groups();
            }
            if matches!(g.class, Class::Inverting | Class::Folded) {
                g.parts = g.calls.iter().map(|a| own.trees.part(a)).collect();
            }
        }
        let frames = || own.groups.iter().map(|g| g.frame);
        let rows = frames().filter_map(|f| if let Frame::Rows(n) = f { n } else { None }).max();
        let reach = frames().filter_map(|f| if let Frame::Range(r) = f { r } else { None }).max();
        let readers = own.groups.iter().filter(|g| g.reader.is_some()).count();
        if readers > 0 {
            own.kept = Some(Kept { first: readers, above: rows.map(|n| (readers + 1, n)), reach });
            own.rows = Some(RowQueues::new(readers + 1 + usize::from(rows.is_some())));
        }
        own
    }

    fn made(
        calls: &[(Frame, plan::Aggregate)],
        input: &Schema,
        class: fn(&plan::Aggregate) -> Class,
    ) -> Self {
        let mut held: Vec<usize> =
            calls.iter().flat_map(|(_, a)| a.args.iter().chain(&a.filter)).copied().collect();
        held.sort_unstable();
        held.dedup();
        let place = |c: &usize| held.binary_search(c).expect("collected above");
        let own = Schema::new(held.iter().map(|&c| input.fields[c].clone()).collect());
        let mut kinds: Vec<(Frame, Class)> = vec![];
        let mut places = vec![];
        let mut members: Vec<Vec<plan::Aggregate>> = vec![];
        for (frame, a) in calls {
            let kind = (*frame, class(a));
            let group = kinds.iter().position(|k| *k == kind).unwrap_or_else(|| {
                kinds.push(kind);
                members.push(vec![]);
                kinds.len() - 1
            });
            places.push((group, members[group].len()));
            let mut a = a.clone();
            a.args.iter_mut().for_each(|c| *c = place(c));
            a.filter = a.filter.map(|f| place(&f));
            members[group].push(a);
        }
        let (mut groups, mut sliced, mut said, mut readers) = (vec![], vec![], vec![], 0);
        let mut at = vec![];
        for ((frame, class), aggregates) in kinds.into_iter().zip(members) {
            if let Frame::Sliced { reach, slice } = frame {
                at.push(Place::Sliced(sliced.len()));
                sliced.push(Sliced::new(reach, slice, &aggregates, &own));
                said.push(aggregates.iter().map(|a| ColumnRef::new(Column::new(&a.ty))).collect());
                continue;
            }
            at.push(Place::Rows(groups.len()));
            let bounded = !frame.is_unbounded();
            readers += usize::from(bounded);
            groups.push(Group {
                frame,
                reader: bounded.then(|| readers - 1),
                aggregates: Aggregates::new(&aggregates, &own, bounded),
                calls: aggregates,
                class,
                parts: vec![],
                order: vec![],
                slots: vec![],
                picks: vec![],
            });
        }
        Self {
            types: own.fields.iter().map(|f| f.ty.clone()).collect(),
            own,
            held,
            groups,
            sliced,
            calls: places.into_iter().map(|(frame, nth)| (at[frame], nth)).collect(),
            said,
            saying: vec![],
            refused: None,
            rows: (readers > 0).then(|| RowQueues::new(readers)),
            kept: None,
            least: u64::MAX,
            trees: Trees::default(),
            entering: vec![],
            leaving: vec![],
            left: 0,
            bytes: vec![],
            one: Batch::default(),
            slots: vec![],
        }
    }

    /// Makes keys below `slots` exist.
    pub(super) fn grow(&mut self, slots: usize) {
        self.groups.iter_mut().for_each(|g| g.aggregates.grow(slots));
        self.sliced.iter_mut().for_each(|s| s.grow(slots));
        if let Some(q) = &mut self.rows {
            q.grow(slots);
        }
    }

    /// Keys may be [cleared](Frames::clear) whose frames reach back to the beginning. Before any row.
    pub(super) fn end_keys(&mut self) {
        self.groups.iter_mut().for_each(|g| g.aggregates.end_groups());
    }

    /// Makes a key one that has no rows. It is not part of the run.
    pub(super) fn clear(&mut self, slot: u32) {
        self.groups.iter_mut().for_each(|g| g.aggregates.reset(slot));
        self.sliced.iter_mut().for_each(|s| s.clear(slot));
        self.clear_tree(slot);
        if let Some(q) = &mut self.rows {
            q.clear(slot);
        }
    }

    /// Rows of a key, all at `time` (ms), which is not before that of its other rows. Each is a row of output.
    pub(super) fn take<C: Borrow<Column>>(
        &mut self,
        slot: u32,
        time: i64,
        rows: &[u32],
        source: &[C],
        pool: &mut Pool,
    ) {
        self.say(slot, time, rows, source, pool);
        let Self { held, types, groups, rows: queues, entering, leaving, left, bytes, .. } = self;
        let Some(queues) = queues else {
            for g in groups.iter_mut() {
                g.enter(entering.len(), rows.len(), slot);
            }
            entering.extend_from_slice(rows);
            return;
        };
        if leaving.is_empty() {
            leaving.extend(types.iter().map(|t| pool.column(t)));
        }
        for g in groups.iter_mut() {
            if let (Frame::Range(Some(reach)), Some(reader)) = (g.frame, g.reader) {
                let from = time.saturating_sub(reach);
                while queues.front(slot, reader).is_some_and(|(t, _)| t < from) {
                    g.leave(queues, slot, leaving, left);
                }
            }
        }
        for (k, &row) in rows.iter().enumerate() {
            for g in groups.iter_mut() {
                match (g.frame, g.reader) {
                    (Frame::Rows(Some(before)), Some(reader)) => {
                        if queues.len(slot, reader) > before {
                            g.leave(queues, slot, leaving, left);
                        }
                        g.enter(entering.len() + k, 1, slot);
                    }
                    _ if k == 0 => g.enter(entering.len(), rows.len(), slot),
                    _ => {}
                }
            }
            bytes.clear();
            held.iter().for_each(|&c| encode_value(source[c].borrow(), row as usize, bytes));
            queues.push(slot, time, bytes);
        }
        entering.extend_from_slice(rows);
    }

    /// Rows of a key, all at `time`, join the sliced frames.
    fn say<C: Borrow<Column>>(&mut self, slot: u32, time: i64, rows: &[u32], source: &[C], pool: &mut Pool) {
        let Self { held, types, sliced, said, saying, refused, one, entering, .. } = self;
        let Some(values) = said.first().and_then(|f| f.first()).map(|c| c.len()) else { return };
        if one.columns.is_empty() {
            one.columns.extend(types.iter().map(|t| pool.column(t)));
        }
        for (c, &n) in one.columns.iter_mut().zip(held.iter()) {
            let c = unshared(c);
            c.clear();
            c.extend_rows(source[n].borrow(), rows);
        }
        one.refill(rows.len());
        saying.resize(saying.len() + rows.len(), values as u32);
        for (frame, said) in sliced.iter_mut().zip(said) {
            if let Err(e) = frame.join(slot, time, one, 0..rows.len() as u32, time) {
                refused.get_or_insert((entering.len(), e));
            }
            said.iter_mut().enumerate().for_each(|(nth, to)| frame.value(nth, to));
        }
    }

    /// The run is done: appends for each of its rows the aggregates, in the order of the calls, to the columns. Gives how many rows
    /// there are; at an error those before the row that failed.
    pub(super) fn finish<C: Borrow<Column>>(
        &mut self,
        source: &[C],
        out: &mut [ColumnRef],
        pool: &mut Pool,
    ) -> (usize, Option<Error>) {
        if self.entering.is_empty() {
            return (0, None);
        }
        let mut columns = std::mem::take(&mut self.leaving);
        if columns.is_empty() {
            columns.extend(self.types.iter().map(|t| pool.column(t)));
        }
        for (c, &n) in columns.iter_mut().zip(&self.held) {
            unshared(c).extend_rows(source[n].borrow(), &self.entering);
        }
        let left = std::mem::take(&mut self.left);
        let physical = left + self.entering.len();
        let mut batch = pool.batch();
        batch.fill(&mut columns, physical);
        self.leaving = columns;
        if left > 0 {
            let mut kinds = pool.kind_list();
            kinds.resize(left, RowKind::Delete);
            kinds.resize(physical, RowKind::Insert);
            batch.set_kinds(Some(kinds));
        }
        let mut rows = self.entering.len();
        let mut failed: Option<RowError> = None;
        for g in &mut self.groups {
            g.order.iter_mut().for_each(|r| {
                *r = if *r & ENTERS == 0 { *r } else { (*r ^ ENTERS) + left as u32 };
            });
            if let Err(e) = g.aggregates.update_tracked(&batch, &g.order, &g.slots, pool) {
                let at = g.order.iter().position(|&r| r as usize == e.row).unwrap_or(0);
                let sound = g.picks.partition_point(|&p| crate::operators::gather::position(p) < at);
                if sound < rows || failed.is_none() {
                    rows = sound.min(rows);
                    failed = Some(e);
                }
            }
        }
        let mut failed = failed.map(|e| e.error);
        if let Some((row, e)) = self.refused.take()
            && (row < rows || failed.is_none())
        {
            (rows, failed) = (row.min(rows), Some(e));
        }
        let mut made = pool.column_list();
        for g in &mut self.groups {
            g.picks.truncate(rows);
            g.aggregates.extend(&g.picks, &mut made, pool);
            g.aggregates.release(pool);
        }
        let mut numbers = pool.row_list();
        numbers.extend(0..rows as u32);
        let first: Vec<usize> = self
            .groups
            .iter()
            .scan(0, |n, g| {
                *n += g.aggregates.len();
                Some(*n - g.aggregates.len())
            })
            .collect();
        for (&(place, nth), to) in self.calls.iter().zip(out) {
            match place {
                Place::Rows(group) => unshared(to).extend_rows(&made[first[group] + nth], &numbers),
                Place::Sliced(frame) => {
                    unshared(to).extend_rows(&self.said[frame][nth], &self.saying[..rows]);
                }
            }
        }
        self.said.iter_mut().flatten().for_each(|c| unshared(c).clear());
        self.saying.clear();
        pool.recycle_rows(numbers);
        pool.recycle_columns(made);
        pool.recycle(batch);
        self.entering.clear();
        for g in &mut self.groups {
            g.order.clear();
            g.slots.clear();
            g.picks.clear();
        }
        (rows, failed)
    }

    /// A row of a key, not before its other rows: appends its aggregates to `out`. No run may be open.
    ///
    /// # Errors
    /// An aggregate cannot take the row.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "a row, its place and where its answer goes")]
    pub(super) fn score<C: Borrow<Column>>(
        &mut self,
        slot: u32,
        time: i64,
        row: u32,
        source: &[C],
        watermark: i64,
        out: &mut [ColumnRef],
        pool: &mut Pool,
    ) -> Result<()> {
        let treed = self.trees.has(slot);
        let Self { held, types, one, bytes, .. } = self;
        emptied(one, types, pool);
        if treed {
            bytes.clear();
            held.iter().for_each(|&c| encode_value(source[c].borrow(), row as usize, bytes));
            self.slide(slot, time, watermark, pool)?;
        }
        let Self { held, groups, sliced, rows: queues, kept, one, slots, bytes, left, .. } = self;
        if let Some(queues) = queues.as_mut().filter(|_| !treed) {
            for g in groups.iter_mut() {
                match (g.frame, g.reader) {
                    (Frame::Range(Some(reach)), Some(reader)) => {
                        let from = time.saturating_sub(reach);
                        while queues.front(slot, reader).is_some_and(|(t, _)| t < from) {
                            g.leave(queues, slot, &mut one.columns, left);
                        }
                    }
                    (Frame::Rows(Some(before)), Some(reader)) if queues.len(slot, reader) > before => {
                        g.leave(queues, slot, &mut one.columns, left);
                    }
                    _ => {}
                }
            }
            bytes.clear();
            held.iter().for_each(|&c| encode_value(source[c].borrow(), row as usize, bytes));
            queues.push(slot, time, bytes);
            if let Some(kept) = kept {
                kept.advance(queues, slot, watermark);
            }
        }
        let gone = std::mem::take(left);
        for (c, &n) in one.columns.iter_mut().zip(held.iter()) {
            unshared(c).extend_rows(source[n].borrow(), &[row]);
        }
        let kinds = one.set_kinds(None);
        one.refill(gone + 1);
        if gone > 0 {
            let mut kinds = kinds.unwrap_or_else(|| pool.kind_list());
            kinds.clear();
            kinds.resize(gone, RowKind::Delete);
            kinds.push(RowKind::Insert);
            one.set_kinds(Some(kinds));
        } else if let Some(kinds) = kinds {
            pool.recycle_kinds(kinds);
        }
        slots.clear();
        slots.resize(gone + 1, slot);
        let mut failed = None;
        for g in groups.iter_mut().filter(|g| !(treed && g.is_folded())) {
            g.order.push(gone as u32);
            let result = g.aggregates.update(one, &g.order, &slots[..g.order.len()]);
            g.order.clear();
            g.slots.clear();
            if let Err(e) = result {
                failed.get_or_insert(e.error);
            }
        }
        for frame in sliced.iter_mut() {
            if let Err(e) = frame.join(slot, time, one, gone as u32..gone as u32 + 1, watermark) {
                failed.get_or_insert(e);
            }
        }
        if let Some(e) = failed {
            return Err(e);
        }
        for (&(place, nth), to) in self.calls.iter().zip(&mut *out) {
            match place {
                Place::Rows(group) if treed && self.groups[group].is_folded() => {}
                Place::Rows(group) => self.groups[group].aggregates.emit_one(nth, slot, to),
                Place::Sliced(frame) => self.sliced[frame].value(nth, to),
            }
        }
        if treed {
            self.emit_folded(slot, out, pool)?;
            self.fell_if_few(slot, pool)?;
        }
        Ok(())
    }

    /// Takes rows of a key out of its frames, about `rows` at most; true: it has none left. All frames have a first row.
    ///
    /// # Errors
    /// An aggregate cannot let a row go.
    pub(super) fn drain(&mut self, slot: u32, rows: usize, pool: &mut Pool) -> Result<bool> {
        if self.trees.has(slot) {
            self.drain_tree(slot, rows, pool)?;
            return Ok(false);
        }
        let Self { types, groups, sliced, rows: queues, one, slots, left, .. } = self;
        let mut empty = true;
        sliced.iter_mut().for_each(|s| empty &= s.drain(slot, rows));
        let Some(queues) = queues else { return Ok(empty) };
        emptied(one, types, pool);
        for g in groups.iter_mut() {
            while let Some(reader) = g.reader
                && *left < rows
                && queues.len(slot, reader) > 0
            {
                g.leave(queues, slot, &mut one.columns, left);
            }
        }
        let gone = std::mem::take(left);
        let mut kinds = one.set_kinds(None).unwrap_or_else(|| pool.kind_list());
        kinds.clear();
        kinds.resize(gone, RowKind::Delete);
        one.refill(gone);
        one.set_kinds(Some(kinds));
        slots.clear();
        slots.resize(gone, slot);
        let mut failed = None;
        for g in groups.iter_mut() {
            if let Err(e) = g.aggregates.update(one, &g.order, &slots[..g.order.len()]) {
                failed.get_or_insert(e.error);
            }
            g.order.clear();
            g.slots.clear();
        }
        match failed {
            Some(e) => Err(e),
            None if gone == rows || !empty => Ok(false),
            None => {
                self.clear(slot);
                Ok(true)
            }
        }
    }

    /// Rows before this time may be held or not, no row above the watermark sees them: they do not count.
    fn held_from(&self, watermark: i64) -> i64 {
        match &self.kept {
            Some(Kept { above: None, reach: Some(reach), .. }) => watermark.saturating_sub(*reach),
            _ => i64::MIN,
        }
    }

    /// A row of a key that need not be its last: appends its aggregates, over the rows up to its time, to `out`. `keep`: it stays.
    ///
    /// # Errors
    /// An aggregate cannot take a row.
    #[expect(clippy::too_many_arguments, reason = "a row, its place and where its answer goes")]
    pub(super) fn insert<C: Borrow<Column>>(
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
        self.plant(slot, pool)?;
        if self.trees.has(slot) {
            return self.insert_treed(slot, time, row, source, watermark, keep, out, pool);
        }
        // All rows of the key that are held, with this one in its place.
        let mut times = vec![];
        let mut batch = pool.batch();
        let mut columns: Vec<ColumnRef> = self.types.iter().map(|t| pool.column(t)).collect();
        if let Some(queues) = &self.rows {
            queues.for_each(slot, |t, mut bytes| {
                times.push(t);
                columns.iter_mut().for_each(|c| decode_value(&mut bytes, unshared(c)));
            });
        }
        let own = times.len() as u32;
        for (c, &n) in columns.iter_mut().zip(&self.held) {
            unshared(c).extend_rows(source[n].borrow(), &[row]);
        }
        batch.fill(&mut columns, times.len() + 1);
        let at = times.partition_point(|&t| t <= time);
        let mut order: Vec<u32> = (0..own).collect();
        order.insert(at, own);
        times.insert(at, time);
        let held = self.held_from(watermark);
        let mut answers: Vec<Vec<ColumnRef>> = vec![];
        let mut starts = vec![];
        for g in &mut self.groups {
            let mut answer: Vec<ColumnRef> = g.calls.iter().map(|a| pool.column(&a.ty)).collect();
            let frame = g.frame;
            let from = |end: usize, times: &[i64], held: i64| match frame {
                Frame::Rows(Some(n)) => end.saturating_sub(usize::try_from(n).unwrap_or(usize::MAX)),
                Frame::Range(Some(reach)) => {
                    let first = times[end].saturating_sub(reach).max(held);
                    times.partition_point(|&t| t < first).min(end)
                }
                Frame::Rows(None) | Frame::Range(None) | Frame::Sliced { .. } => end,
            };
            if g.reader.is_none() {
                g.answer(&batch, own, slot, keep, &self.own, &mut answer)?;
            } else {
                g.aggregates.reset(slot);
                g.add(&batch, &order[from(at, &times, held)..=at], slot)?;
                g.aggregates.emit(&[slot], &mut answer);
                g.aggregates.reset(slot);
                if !keep {
                    let mut without = order.clone();
                    without.remove(at);
                    let mut then = times.clone();
                    then.remove(at);
                    let start = then.len().checked_sub(1).map_or(0, |last| from(last, &then, i64::MIN));
                    g.add(&batch, &without[start..], slot)?;
                } else {
                    let start = from(order.len() - 1, &times, i64::MIN);
                    g.add(&batch, &order[start..], slot)?;
                    starts.push(start);
                }
            }
            answers.push(answer);
        }
        for frame in &mut self.sliced {
            frame.insert(slot, time, &batch, own, watermark, keep)?;
        }
        for (&(place, nth), to) in self.calls.iter().zip(out) {
            match place {
                Place::Rows(group) => unshared(to).extend_rows(&answers[group][nth], &[0]),
                Place::Sliced(frame) => self.sliced[frame].value(nth, to),
            }
        }
        answers.into_iter().flatten().for_each(|c| pool.recycle_column(c));
        if let (true, Some(queues)) = (keep, &mut self.rows) {
            queues.clear(slot);
            for (&r, &t) in order.iter().zip(&times) {
                self.bytes.clear();
                batch.columns.iter().for_each(|c| encode_value(c, r as usize, &mut self.bytes));
                queues.push(slot, t, &self.bytes);
            }
            for (reader, start) in starts.into_iter().enumerate() {
                (0..start).for_each(|_| queues.pop(slot, reader));
            }
        }
        pool.recycle(batch);
        Ok(())
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        let noted = |g: &Group| (g.order.capacity() + g.slots.capacity() + g.picks.capacity()) * 4;
        self.groups.iter().map(|g| g.aggregates.bytes() + noted(g)).sum::<usize>()
            + self.sliced.iter().map(Sliced::bytes).sum::<usize>()
            + self.rows.as_ref().map_or(0, RowQueues::bytes)
            + self.trees.bytes()
    }

    /// Writes the keys of `slots`, which are all there are; `bound` is above every slot.
    pub(super) fn encode(&self, slots: &[u32], bound: usize, to: &mut Encoder) {
        to.block(b"FRMS", 1);
        for g in &self.groups {
            g.aggregates.encode(slots, bound, to);
        }
        self.sliced.iter().for_each(|s| s.encode(slots, to));
        let Some(queues) = &self.rows else { return };
        let readers = || self.groups.iter().filter_map(|g| g.reader);
        for &slot in slots {
            if self.kept.is_some() && self.encode_tree(slot, to) {
                continue;
            }
            let mut times = vec![];
            let mut columns: Vec<Column> = self.types.iter().map(Column::new).collect();
            let held = queues.for_each(slot, |time, mut bytes| {
                times.push(time);
                columns.iter_mut().for_each(|c| decode_value(&mut bytes, c));
            });
            to.slice(&times);
            to.slice(&readers().map(|r| held - queues.len(slot, r)).collect::<Vec<u64>>());
            columns.iter().for_each(|c| to.column(c));
        }
    }

    /// Reads what [`Frames::encode`] wrote, into keys `0..slots`.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(super) fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        let damaged = || Error::corrupt("the rows of a frame do not fit their number");
        from.block(b"FRMS", 1)?;
        self.grow(slots);
        for g in &mut self.groups {
            g.aggregates.decode(slots, from)?;
        }
        self.sliced.iter_mut().try_for_each(|s| s.decode(slots, from))?;
        for slot in 0..slots as u32 {
            if self.kept.is_some() && from.bool()? {
                self.decode_tree(slot, from)?;
                continue;
            }
            let Some(queues) = &mut self.rows else { return Ok(()) };
            let times: Vec<i64> = from.slice()?;
            let passed: Vec<u64> = from.slice()?;
            let mut columns: Vec<Column> = self.types.iter().map(Column::new).collect();
            for c in &mut columns {
                from.column(c)?;
                if c.len() != times.len() {
                    return Err(damaged());
                }
            }
            for (row, &time) in times.iter().enumerate() {
                self.bytes.clear();
                columns.iter().for_each(|c| encode_value(c, row, &mut self.bytes));
                queues.push(slot, time, &self.bytes);
            }
            let readers = self.groups.iter().filter_map(|g| g.reader);
            if passed.len() != readers.clone().count() || passed.iter().any(|&n| n > times.len() as u64) {
                return Err(damaged());
            }
            for (r, n) in readers.zip(passed) {
                (0..n).for_each(|_| queues.pop(slot, r));
            }
        }
        Ok(())
    }
}

impl Group {
    /// In a tree it has no accumulators, but the parts of the tree.
    fn is_folded(&self) -> bool {
        self.class == Class::Folded && self.reader.is_some()
    }

    /// The oldest row of the frame leaves it.
    fn leave(&mut self, queues: &mut RowQueues, slot: u32, leaving: &mut [ColumnRef], left: &mut usize) {
        let Some(reader) = self.reader else { return };
        let Some((_, mut bytes)) = queues.front(slot, reader) else { return };
        leaving.iter_mut().for_each(|c| decode_value(&mut bytes, unshared(c)));
        queues.pop(slot, reader);
        self.order.push(*left as u32);
        self.slots.push(slot);
        *left += 1;
    }

    /// Rows from place `first` on enter the frame. Rows of equal order see each other where the frame is a range.
    fn enter(&mut self, first: usize, rows: usize, slot: u32) {
        let before = self.order.len();
        self.order.extend((first..first + rows).map(|r| r as u32 | ENTERS));
        self.slots.resize(before + rows, slot);
        let last = self.order.len() - 1;
        for k in 0..rows {
            let seen = if matches!(self.frame, Frame::Rows(_)) { before + k } else { last };
            self.picks.push(pick(seen, true));
        }
    }

    /// Rows of a batch join the key's accumulators.
    fn add(&mut self, batch: &Batch, rows: &[u32], slot: u32) -> Result<()> {
        self.aggregates.update(batch, rows, &vec![slot; rows.len()]).map_err(|e| e.error)
    }

    /// Appends what the key comes to with that row more.
    fn answer(
        &mut self,
        batch: &Batch,
        row: u32,
        slot: u32,
        keep: bool,
        schema: &Schema,
        out: &mut [ColumnRef],
    ) -> Result<()> {
        if keep {
            self.add(batch, &[row], slot)?;
            self.aggregates.emit(&[slot], out);
            return Ok(());
        }
        // A late value does not join those that are distinct.
        if self.calls.iter().any(|a| a.distinct) {
            self.aggregates.emit(&[slot], out);
            return Ok(());
        }
        // On a copy.
        let mut state = Encoder::default();
        self.aggregates.encode(&[slot], slot as usize + 1, &mut state);
        let mut copy = Aggregates::new(&self.calls, schema, false);
        copy.decode(1, &mut Decoder::new(&state.finish()))?;
        copy.update(batch, &[row], &[0]).map_err(|e| e.error)?;
        copy.emit(&[0], out);
        Ok(())
    }
}

//! Window aggregate: one row per key and window, given when the watermark passes the window's end.
//!
//! Rows go into the slice of their window: a keyed table with accumulators. A batch goes through in columns, and is cut only where the
//! watermark closes a slice that has rows; between cuts, the rows of one slice are taken together. Most batches lie in one open window whole:
//! that is found by one pass over their times, and no row is looked at for it again. A row whose window is closed
//! is late: dropped and counted. Windows come from a time attribute, from [the clock](ByClock), or the rows carry them (cascades).
//!
//! A closed slice leaves the state at once and waits to be pulled, so that its rows can be given in parts. Windows close by time, and
//! within a window keys come in the order of their first row. A group that all rows have left again is not given.
//!
//! In [two phases](Phase) the first gives, instead of results, the state of each group as bytes, with the keys and the window; the second folds these
//! into groups of its own. Neither knows of the exchange between them.

mod by_clock;

use super::aggregates::{Aggregates, unshared, with_columns};
use super::late::{Late, When};
use super::ready::watermark_alone;
use super::windows::{Span, Windows};
use super::{Context, Counters, Operator};
use crate::batch::{
    BEFORE_TIME, Batch, Column, ColumnRef, DataType, Decoder, Encoder, MAX_ROWS, Pool, RowKind, Schema, Sel,
};
use crate::error::{Error, Result};
use crate::expr::RowError;
use crate::plan::{self, Phase, Window, WindowKind, WindowProperty, WindowTime};
use crate::state::{KeyTable, SliceKey, Slices};
pub use by_clock::ByClock;
use std::collections::VecDeque;

/// See the module's text.
pub struct WindowAggregate {
    keys: Vec<usize>,
    time: WindowTime,
    windows: Windows,
    properties: Vec<WindowProperty>,
    /// The types of the output, in its order.
    types: Vec<DataType>,
    aggregates: Vec<plan::Aggregate>,
    input: Schema,
    retracting: bool,
    phase: Phase,
    watermark: i64,
    /// The watermark that was last given out.
    told: i64,
    slices: Slices<Box<Slice>>,
    output: VecDeque<Step>,
    error: Option<Error>,
    counters: Counters,
    late: Late,
    /// Slices that have rows to take.
    touched: Vec<u32>,
}

/// The state of one window.
struct Slice {
    table: KeyTable,
    aggregates: Aggregates,
    /// Rows in each group; absent: input only grows.
    counts: Option<Vec<i64>>,
    /// Rows of the batch at hand that belong here.
    rows: Vec<u32>,
    slots: Vec<u32>,
}

/// What is to be given, in order.
enum Step {
    /// The groups of a closed slice from `next` on.
    Rows {
        slice: Box<Slice>,
        window: Span,
        next: usize,
    },
    Watermark(i64),
}

impl WindowAggregate {
    /// An aggregation of `input`'s rows; `node` is the aggregation.
    ///
    /// # Errors
    /// The form of window is not supported.
    pub fn new(
        window: &Window,
        keys: &[usize],
        aggregates: &[plan::Aggregate],
        properties: &[WindowProperty],
        input: &plan::Node,
        node: &plan::Node,
    ) -> Result<Self> {
        if let WindowTime::Attribute(_) = window.time {
            let name = match window.kind {
                WindowKind::Tumble { .. } => None,
                WindowKind::Hop { .. } => Some("an aggregate over HOP"),
                WindowKind::Cumulate { .. } => Some("an aggregate over CUMULATE"),
                WindowKind::Session { .. } => Some("an aggregate over SESSION"),
            };
            if let Some(name) = name {
                return Err(Error::unsupported(name, node.span));
            }
        }
        Ok(Self {
            keys: keys.to_vec(),
            time: window.time,
            windows: Windows::new(window),
            properties: properties.to_vec(),
            types: node.schema.fields.iter().map(|f| f.ty.clone()).collect(),
            aggregates: aggregates.to_vec(),
            input: input.schema.clone(),
            retracting: !input.changelog.is_insert_only(),
            phase: Phase::Whole,
            watermark: BEFORE_TIME,
            told: BEFORE_TIME,
            slices: Slices::default(),
            output: VecDeque::new(),
            error: None,
            counters: Counters::default(),
            late: Late::default(),
            touched: Vec::new(),
        })
    }

    /// The same as that part of an aggregation.
    #[must_use]
    pub fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        if phase == Phase::Local {
            self.properties = vec![WindowProperty::Start, WindowProperty::End];
        }
        self
    }

    /// A batch of so many rows has come.
    #[inline]
    fn count(&mut self, rows: usize) {
        self.counters.batches_in += 1;
        self.counters.rows_in += rows as u64;
    }

    /// The number of a slice.
    #[inline]
    fn open(&mut self, key: SliceKey) -> u32 {
        self.slices.open(key, || Slice::new(&self.keys, &self.aggregates, &self.input, self.retracting))
    }

    /// Takes the rows of a batch, closing slices where the watermark passes them.
    fn take(&mut self, batch: &Batch) -> Result<(), RowError> {
        let (time, end) = match self.time {
            WindowTime::Attribute(c) => (batch.column(c), None),
            WindowTime::Attached { start, end } => {
                (batch.column(start), Some(batch.column(end).slice::<i64>()))
            }
            WindowTime::Clock => unreachable!("rows that come by the clock have no times"),
        };
        let times = time.slice::<i64>();
        let nulls = time.validity.may_have_nulls();
        if end.is_none()
            && !nulls
            && let Some(taken) = self.take_together(batch, times)
        {
            return taken;
        }
        let mut marks = batch.watermarks.runs();
        let mut next_due = self.slices.next_due().unwrap_or(i64::MAX);
        // Before this row the watermark reaches what is due next.
        let stop_row = |marks: &[(u32, i64)], due: i64| {
            marks.get(marks.partition_point(|m| m.1 < due)).map_or(usize::MAX, |m| m.0 as usize)
        };
        let mut stop = stop_row(marks, next_due);
        // The last window, its slice and what that is due at.
        let mut last: Option<(Span, i64, Option<u32>)> = None;
        let sel = batch.sel();
        let mut k = 0;
        while k < sel.len() {
            let row = sel.row(k);
            if row < stop
                && end.is_none()
                && !nulls
                && let Some((window, _, Some(number))) = last
                && self.windows.only(times[row]) == Some(window)
            {
                // A slice that is open is not late, whatever the watermark before what is due next.
                let rows = &mut self.slices.state(number).rows;
                let before = rows.len();
                let is_in = |r: &usize| *r < stop && window.has(times[*r]);
                match sel {
                    Sel::All(all) => rows.extend((k..all).take_while(is_in).map(|r| r as u32)),
                    Sel::Rows(list) => {
                        rows.extend(list[k..].iter().copied().take_while(|&r| is_in(&(r as usize))));
                    }
                }
                let taken = rows.len() - before;
                self.counters.absorbed += taken as u64;
                k += taken;
                continue;
            }
            k += 1;
            while let Some((&(_, w), rest)) = marks.split_first().filter(|(m, _)| m.0 as usize <= row) {
                marks = rest;
                if w >= next_due {
                    self.take_touched(batch)?;
                    self.close(w);
                    next_due = self.slices.next_due().unwrap_or(i64::MAX);
                    stop = stop_row(marks, next_due);
                    last = None;
                }
                self.watermark = w;
            }
            if nulls && !time.is_valid(row) {
                self.counters.filtered += 1;
                continue;
            }
            let window = match end {
                None => self.windows.first(times[row]),
                Some(end) => Span { start: times[row], end: end[row] },
            };
            let (due, number) = match last {
                Some((w, due, number)) if w == window => (due, number),
                _ => (self.windows.due(window.end), None),
            };
            if due <= self.watermark {
                self.counters.late += 1;
                // Rows of a cascade carry their window, not a time.
                let when = When {
                    time_us: end.is_none().then(|| times[row]),
                    watermark: self.watermark,
                    window: Some((window.start, window.end)),
                };
                self.late.row(batch, row, when);
                last = Some((window, due, None));
                continue;
            }
            let number = number.unwrap_or_else(|| {
                if due < next_due {
                    next_due = due;
                    stop = stop_row(marks, due);
                }
                self.open(SliceKey { due, end: window.end, start: window.start })
            });
            last = Some((window, due, Some(number)));
            let rows = &mut self.slices.state(number).rows;
            if rows.is_empty() {
                self.touched.push(number);
            }
            rows.push(row as u32);
            self.counters.absorbed += 1;
        }
        self.take_touched(batch)?;
        marks.iter().for_each(|m| self.advance(m.1));
        Ok(())
    }

    /// The usual batch: all rows are in one window, which its watermarks do not reach, and these close no other. `None`: it is
    /// not like that, and nothing was done.
    fn take_together(&mut self, batch: &Batch, times: &[i64]) -> Option<Result<(), RowError>> {
        let sel = batch.sel();
        let watermark = batch.watermarks.last().map_or(self.watermark, |w| w.max(self.watermark));
        if self.slices.next_due().is_some_and(|due| watermark >= due) {
            return None;
        }
        let window = self.windows.only(times[sel.row(0)])?;
        let due = self.windows.due(window.end);
        let is_in = |t: i64| window.has(t);
        let together = match sel {
            // Without a way out of the loop, which is then done by SIMD.
            Sel::All(rows) => times[..rows].iter().fold(true, |all, &t| all & is_in(t)),
            Sel::Rows(rows) => rows.iter().all(|&r| is_in(times[r as usize])),
        };
        if due <= watermark || !together {
            return None;
        }
        let key = SliceKey { due, end: window.end, start: window.start };
        let number = self.open(key);
        sel.list(&mut self.slices.state(number).rows);
        self.touched.push(number);
        self.counters.absorbed += sel.len() as u64;
        self.watermark = watermark;
        Some(self.take_touched(batch))
    }

    /// A row that comes alone, where it is as in [`WindowAggregate::take_together`]. `None`: it is not, and nothing was done.
    fn take_row(&mut self, batch: &Batch, row: usize) -> Option<Result<(), RowError>> {
        let WindowTime::Attribute(time) = self.time else { return None };
        let time = batch.column(time);
        if self.phase == Phase::Global || !time.is_valid(row) {
            return None;
        }
        let watermark = batch.watermarks.last().map_or(self.watermark, |w| w.max(self.watermark));
        let window = self.windows.only(time.slice::<i64>()[row])?;
        let due = self.windows.due(window.end);
        // Of what is open something may be due before.
        if due <= watermark || self.slices.next_due().is_some_and(|due| watermark >= due) {
            return None;
        }
        let key = SliceKey { due, end: window.end, start: window.start };
        let number = self.open(key);
        self.counters.absorbed += 1;
        self.watermark = watermark;
        Some(self.slices.state(number).take_row(&self.keys, batch, row as u32))
    }

    /// Hands every slice its rows.
    fn take_touched(&mut self, batch: &Batch) -> Result<(), RowError> {
        let mut first: Option<RowError> = None;
        for number in self.touched.drain(..) {
            let slice = self.slices.state(number);
            let taken = match self.phase {
                Phase::Whole | Phase::Local => slice.take(&self.keys, batch),
                Phase::Global => slice.take_states(&self.keys, batch, &self.aggregates, &self.input),
            };
            if let Err(e) = taken
                && first.as_ref().is_none_or(|f| e.row < f.row)
            {
                first = Some(e);
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Moves the watermark where there are no rows.
    fn advance(&mut self, watermark: i64) {
        if self.slices.next_due().is_some_and(|due| watermark >= due) {
            self.close(watermark);
        }
        self.watermark = watermark;
    }

    /// Closes what is due at `watermark`, to which the watermark is about to move.
    fn close(&mut self, watermark: i64) {
        self.tell_watermark();
        while let Some((key, slice)) = self.slices.close(watermark) {
            let window = Span { start: key.start, end: key.end };
            self.output.push_back(Step::Rows { slice, window, next: 0 });
        }
    }

    /// The watermark after the rows so far, unless it is said already.
    fn tell_watermark(&mut self) {
        if self.watermark > self.told {
            self.told = self.watermark;
            self.output.push_back(Step::Watermark(self.watermark));
        }
    }

    /// Appends groups of `slice` from `next` on to the columns, at most `room`; returns where it stopped and the rows appended.
    fn emit(
        &self,
        slice: &Slice,
        window: Span,
        next: usize,
        room: usize,
        columns: &mut [ColumnRef],
        pool: &mut Pool,
    ) -> (usize, usize) {
        let stop = slice.table.bound().min(next + room);
        let mut slots = pool.row_list();
        let is_there = |&s: &u32| slice.counts.as_ref().is_none_or(|c| c[s as usize] != 0);
        slots.extend((next as u32..stop as u32).filter(is_there));
        let (keys, rest) = columns.split_at_mut(self.keys.len());
        slice.table.emit(&slots, keys);
        let properties = if self.phase == Phase::Local {
            slice.emit_states(&slots, unshared(&mut rest[0]));
            &mut rest[1..]
        } else {
            let (aggregates, properties) = rest.split_at_mut(self.aggregates.len());
            slice.aggregates.emit(&slots, aggregates);
            properties
        };
        for (p, c) in self.properties.iter().zip(properties) {
            let v = match p {
                WindowProperty::Start => window.start,
                WindowProperty::End => window.end,
                WindowProperty::Time => self.windows.time(window.end),
            };
            let c = unshared(c);
            let rows = c.len() + slots.len();
            c.buffer_mut::<i64>().resize(rows, v);
            c.validity.resize(rows, true);
        }
        let rows = slots.len();
        pool.recycle_rows(slots);
        (stop, rows)
    }

    /// The next batch of what is to be given.
    fn gather(&mut self, pool: &mut Pool) -> Option<Batch> {
        // Of a row that comes alone, mostly.
        if self.output.len() == 1
            && let Some(&Step::Watermark(w)) = self.output.front()
        {
            self.output.pop_front();
            return Some(pool.watermark_batch(w));
        }
        let mut output = std::mem::take(&mut self.output);
        let mut batch = pool.batch();
        let mut rows = 0;
        while let Some(step) = output.pop_front() {
            match step {
                Step::Watermark(w) => batch.watermarks.advance(rows, w),
                Step::Rows { .. } if rows >= MAX_ROWS => {
                    output.push_front(step);
                    break;
                }
                Step::Rows { mut slice, window, next } => {
                    if batch.columns.is_empty() {
                        batch.columns.extend(self.types.iter().map(|t| pool.column(t)));
                    }
                    let (stop, more) =
                        self.emit(&slice, window, next, MAX_ROWS - rows, &mut batch.columns, pool);
                    rows += more;
                    if stop < slice.table.bound() {
                        output.push_front(Step::Rows { slice, window, next: stop });
                    } else {
                        slice.clear();
                        self.slices.give_back(slice);
                    }
                }
            }
        }
        self.output = output;
        batch.set_rows(rows);
        if batch.is_empty() {
            pool.recycle(batch);
            return None;
        }
        Some(batch)
    }
}

impl Slice {
    fn new(keys: &[usize], aggregates: &[plan::Aggregate], input: &Schema, retracting: bool) -> Box<Self> {
        Box::new(Self {
            table: KeyTable::new(keys.iter().map(|&k| input.ty(k).clone()).collect(), false),
            aggregates: Aggregates::new(aggregates, input, retracting),
            counts: retracting.then(Vec::new),
            rows: Vec::new(),
            slots: Vec::new(),
        })
    }

    /// Takes its rows of the batch.
    fn take(&mut self, keys: &[usize], batch: &Batch) -> Result<(), RowError> {
        let Self { table, aggregates, counts, rows, slots } = self;
        slots.clear();
        with_columns(keys, batch, |columns| table.find_or_insert(None, columns, rows, slots));
        aggregates.grow(table.bound());
        if let Some(counts) = counts {
            counts.resize(table.bound(), 0);
            for (&r, &s) in rows.iter().zip(&*slots) {
                let add = batch.kinds().is_none_or(|k: &[RowKind]| k[r as usize].is_add());
                counts[s as usize] += if add { 1 } else { -1 };
            }
        }
        let result = aggregates.update(batch, rows, slots);
        rows.clear();
        result
    }

    /// Takes a row of the batch, which is there alone.
    fn take_row(&mut self, keys: &[usize], batch: &Batch, row: u32) -> Result<(), RowError> {
        let Self { table, aggregates, counts, .. } = self;
        let slot = with_columns(keys, batch, |columns| table.find_or_insert_row(columns, row));
        aggregates.grow(table.bound());
        if let Some(counts) = counts {
            counts.resize(table.bound(), 0);
            counts[slot as usize] += if batch.kind(row as usize).is_add() { 1 } else { -1 };
        }
        aggregates.update_row(batch, row, slot)
    }

    /// Appends the state of groups to a column of bytes.
    fn emit_states(&self, slots: &[u32], out: &mut Column) {
        for &slot in slots {
            let mut state = Encoder::default();
            self.aggregates.encode(&[slot], self.table.bound(), &mut state);
            out.byte_column_mut().push(&state.finish());
            out.validity.push(true);
        }
    }

    /// Folds in the states, behind the keys, of its rows of the batch.
    fn take_states(
        &mut self,
        keys: &[usize],
        batch: &Batch,
        calls: &[plan::Aggregate],
        input: &Schema,
    ) -> Result<(), RowError> {
        let Self { table, aggregates, rows, slots, .. } = self;
        slots.clear();
        with_columns(keys, batch, |columns| table.find_or_insert(None, columns, rows, slots));
        aggregates.grow(table.bound());
        let states = batch.column(keys.len()).byte_column();
        for (&r, &slot) in rows.iter().zip(&*slots) {
            let mut one = Aggregates::new(calls, input, false);
            one.decode(1, &mut Decoder::new(states.get(r as usize)))
                .map_err(|error| RowError { row: r as usize, error })?;
            aggregates.merge(&[slot], &one, &[0]);
        }
        rows.clear();
        Ok(())
    }

    fn clear(&mut self) {
        self.aggregates.reset_first(self.table.bound());
        self.table.clear();
        if let Some(c) = &mut self.counts {
            c.clear();
        }
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
            + self.aggregates.bytes()
            + self.counts.as_ref().map_or(0, |c| c.capacity() * size_of::<i64>())
            + (self.rows.capacity() + self.slots.capacity()) * size_of::<u32>()
    }
}

impl Operator for WindowAggregate {
    fn pass(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some(taken) = batch.only().and_then(|row| self.take_row(&batch, row)) else {
            self.push(port, batch, cx)?;
            return Ok(None);
        };
        self.count(1);
        if let Err(e) = taken {
            self.error = Some(e.error);
            self.tell_watermark();
            cx.pool.recycle(batch);
            return Ok(None);
        }
        // Nothing closes.
        Ok(Some(watermark_alone(batch, self.watermark, &mut self.told, cx.pool)))
    }

    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.count(batch.selected());
        if batch.selected() > 0 {
            if let Err(e) = self.take(&batch) {
                self.error = Some(e.error);
            }
        } else if let Some(w) = batch.watermarks.last() {
            self.advance(w);
        }
        self.tell_watermark();
        cx.pool.recycle(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        while !self.output.is_empty() {
            if let Some(batch) = self.gather(cx.pool) {
                self.counters.rows_out += batch.rows() as u64;
                return Ok(Some(batch));
            }
        }
        self.error.take().map_or(Ok(None), Err)
    }

    fn keep_late(&mut self, name: &str, input: &Schema) {
        self.late.keep(name, input);
    }

    fn take_late(&mut self) -> Option<Batch> {
        self.late.take()
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.output.is_empty(), "nothing waits to be pulled");
        to.block(b"WAGG", 1);
        to.i64(self.watermark);
        to.len(self.slices.iter().len());
        for (key, slice) in self.slices.iter() {
            to.slice(&[key.due, key.end, key.start]);
            let order = slice.table.order();
            slice.table.encode(&order, to);
            if let Some(c) = &slice.counts {
                to.slice(&c[..order.len()]);
            }
            slice.aggregates.encode(&order, slice.table.bound(), to);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"WAGG", 1)?;
        let damaged = || Error::corrupt("the slices of a window aggregation are damaged");
        self.watermark = from.i64()?;
        self.told = self.watermark;
        for _ in 0..from.len(1)? {
            let [due, end, start] = from.slice::<i64>()?.try_into().map_err(|_| damaged())?;
            let number = self.open(SliceKey { due, end, start });
            let slice = self.slices.state(number);
            let groups = slice.table.decode(None, from)?;
            if let Some(c) = &mut slice.counts {
                *c = from.slice()?;
                if c.len() != groups {
                    return Err(damaged());
                }
            }
            slice.aggregates.decode(groups, from)?;
        }
        Ok(())
    }

    fn state_rows(&self) -> usize {
        self.slices.states().map(|s| s.table.len()).sum()
    }

    fn bytes(&self) -> usize {
        self.slices.states().map(|s| s.bytes()).sum()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use crate::batch::{BEFORE_TIME, END_OF_TIME, RowKind};
    use crate::operators::testing::{aggregate, check, input, node, run, run_all};
    use crate::plan::{Changelog, Node, Op, Phase, Window, WindowKind, WindowProperty, WindowTime};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::fmt::Write;

    const TUMBLE_10: WindowKind = WindowKind::Tumble { size: 10, offset: 0 };

    fn window_count_sum(time: WindowTime, key: usize, value: usize) -> Node {
        let op = Op::WindowAggregate {
            window: Window { kind: TUMBLE_10, time, partition: vec![], grouping: false, zone: None },
            keys: vec![key],
            aggregates: vec![aggregate("COUNT", &[]), aggregate("SUM", &[value])],
            properties: vec![WindowProperty::Start, WindowProperty::End, WindowProperty::Time],
            phase: Phase::Whole,
        };
        let out = "k STRING, n BIGINT, s BIGINT, start TIMESTAMP, end TIMESTAMP, time ROWTIME";
        node(op, out, Changelog::INSERT)
    }

    #[test]
    fn windows_close_with_the_watermark_and_late_rows_are_dropped() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
        let op = window_count_sum(WindowTime::Attribute(2), 0, 1);
        let text = "a 1 5
             b 2 12
             null 3 1
             ~ 8
             a 4 9
             ~ 9
             b 5 9
             a 6 11
             ~ 25
             b 7 10
             c 8 30
             ~ 38";
        check(
            &op,
            &[&from],
            text,
            "~ 8
             +I a 2 5 0 10 9
             +I null 1 3 0 10 9
             ~ 9
             +I b 1 2 10 20 19
             +I a 1 6 10 20 19
             ~ 38
             +I c 1 8 30 40 39
             ~ end",
        );
        assert_eq!(run(&op, &[&from], text, 7).counters.late, 2);
    }

    #[test]
    fn rows_may_carry_their_window() {
        let from = input("k STRING, v BIGINT, start TIMESTAMP, end TIMESTAMP", Changelog::INSERT);
        let op = window_count_sum(WindowTime::Attached { start: 2, end: 3 }, 0, 1);
        check(
            &op,
            &[&from],
            "a 1 0 10
             a 1 0 20
             a 2 0 10
             ~ 9
             a 5 0 10
             a 7 10 20",
            "+I a 2 3 0 10 9
             ~ 9
             +I a 1 1 0 20 19
             +I a 1 7 10 20 19
             ~ end",
        );
    }

    #[test]
    fn input_may_change_and_empty_groups_are_not_given() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::ALL);
        let op = window_count_sum(WindowTime::Attribute(2), 0, 1);
        check(
            &op,
            &[&from],
            "a 1 5
             b 2 6
             -U a 1 5
             +U a 3 15
             -D c 4 7
             ~ 9
             -D b 2 6",
            "+I b 1 2 0 10 9
             +I c -1 -4 0 10 9
             ~ 9
             +I a 1 3 10 20 19
             ~ end",
        );
    }

    #[test]
    fn distinct_and_filter_hold_within_a_window() {
        let from = input("v BIGINT, f BOOLEAN, t ROWTIME", Changelog::INSERT);
        let (mut distinct, mut filtered) = (aggregate("COUNT", &[0]), aggregate("SUM", &[0]));
        distinct.distinct = true;
        filtered.filter = Some(1);
        let op = Op::WindowAggregate {
            window: Window {
                kind: TUMBLE_10,
                time: WindowTime::Attribute(2),
                partition: vec![],
                grouping: false,
                zone: None,
            },
            keys: vec![],
            aggregates: vec![distinct, filtered],
            properties: vec![],
            phase: Phase::Whole,
        };
        check(
            &node(op, "d BIGINT, f BIGINT", Changelog::INSERT),
            &[&from],
            "1 true 1
             2 false 2
             1 true 3
             1 null 12
             ~ 15
             1 true 21
             1 true 22",
            "+I 2 2
             ~ 15
             +I 1 null
             +I 1 2
             ~ end",
        );
    }

    #[test]
    fn an_error_comes_after_the_windows_closed_before_it() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
        let op = window_count_sum(WindowTime::Attribute(2), 0, 1);
        check(
            &op,
            &[&from],
            "a 1 5
             ~ 20
             a 666 25
             ~ 40",
            "+I a 1 1 0 10 9
             ~ 20
             error: the beast",
        );
    }

    #[test]
    fn batches_stay_whole_under_a_watermark_that_moves_with_every_row() {
        // 40 windows in 40,960 rows: output has as many batches as pushes at most.
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
        let op = window_count_sum(WindowTime::Attribute(2), 0, 1);
        let mut text = String::new();
        for i in 0..40_960 {
            writeln!(text, "{} 1 {}\n~ {}", i % 700, i / 102, i / 102 - 1).unwrap();
        }
        let out = run(&op, &[&from], &text, 1024);
        assert_eq!(out.counters.batches_in, 41);
        assert!(out.counters.rows_in / out.counters.batches_in > 500);
        assert!(out.counters.rows_out / out.batches.len() as u64 > 500, "{:?}", out.batches);
    }

    /// (key, value, time) or a watermark.
    type Action = Result<(RowKind, Option<u8>, Option<i64>, i64), i64>;

    fn actions() -> impl Strategy<Value = Vec<Action>> {
        let row = (0..4u8, prop::option::weighted(0.9, 0..4u8), prop::option::of(-3..4i64), -5..60i64)
            .prop_map(|(kind, k, v, t)| {
                let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];
                Ok((kinds[kind as usize], k, v, t))
            });
        let watermark = (-10..70i64).prop_map(Err);
        prop::collection::vec(prop_oneof![4 => row, 1 => watermark], 0..60).prop_map(|all| {
            // Watermarks ascend, and of several without a row between only the last is one.
            let mut kept: Vec<Action> = vec![];
            let mut last = BEFORE_TIME;
            for a in all {
                if let Err(w) = a {
                    if w <= last {
                        continue;
                    }
                    last = w;
                    kept.pop_if(|a| a.is_err());
                }
                kept.push(a);
            }
            kept
        })
    }

    /// Rows by rows, maps of groups.
    #[expect(clippy::type_complexity, reason = "a model is plain maps")]
    fn model(actions: &[Action]) -> (Vec<String>, u64) {
        let mut groups: Vec<((i64, Option<u8>), (i64, BTreeMap<i64, i64>))> = vec![];
        let (mut out, mut late, mut watermark, mut told) = (vec![], 0, BEFORE_TIME, BEFORE_TIME);
        let all = actions.iter().copied().chain([Err(END_OF_TIME)]);
        for a in all {
            match a {
                Ok((kind, k, v, t)) => {
                    let end = t.div_euclid(10) * 10 + 10;
                    if end - 1 <= watermark {
                        late += 1;
                        continue;
                    }
                    let at = groups.iter().position(|g| g.0 == (end, k)).unwrap_or_else(|| {
                        groups.push(((end, k), Default::default()));
                        groups.len() - 1
                    });
                    let (n, values) = &mut groups[at].1;
                    let sign = if kind.is_add() { 1 } else { -1 };
                    *n += sign;
                    if let Some(v) = v {
                        *values.entry(v).or_default() += sign;
                        values.retain(|_, n| *n != 0);
                    }
                }
                Err(w) => {
                    let mut due: Vec<_> = groups.iter().filter(|g| g.0.0 - 1 <= w).cloned().collect();
                    due.sort_by_key(|g| g.0.0);
                    groups.retain(|g| g.0.0 - 1 > w);
                    for ((end, k), (n, values)) in due.into_iter().filter(|g| g.1.0 != 0) {
                        if told != watermark {
                            out.push(format!("~ {watermark}"));
                            told = watermark;
                        }
                        let k = k.map_or("null".into(), |k| k.to_string());
                        let sum: i64 = values.iter().map(|(v, n)| v * n).sum();
                        let sum = if values.is_empty() { "null".into() } else { sum.to_string() };
                        out.push(format!("+I {k} {n} {sum} {} {end} {}", end - 10, end - 1));
                    }
                    watermark = w;
                }
            }
        }
        out.push("~ end".into());
        (out, late)
    }

    proptest! {
        #[test]
        fn random_rows_give_what_a_map_of_rows_gives(actions in actions()) {
            let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::ALL);
            let op = window_count_sum(WindowTime::Attribute(2), 0, 1);
            let mut text = String::new();
            for a in &actions {
                let show = |v: Option<i64>| v.map_or("null".into(), |v| v.to_string());
                match a {
                    Ok((kind, k, v, t)) => {
                        writeln!(text, "{} {} {} {t}", kind.short(), show(k.map(i64::from)), show(*v)).unwrap();
                    }
                    Err(w) => writeln!(text, "~ {w}").unwrap(),
                }
            }
            let (want, late) = model(&actions);
            let got = run_all(&op, &[&from], &text);
            prop_assert_eq!(got.lines, want);
            prop_assert_eq!(got.counters.late, late);
        }
    }
}

//! Aggregation over session windows: one row per key and session, given when the watermark passes the session's end.
//!
//! Every open session has accumulators. A row between two sessions merges them: the later one's accumulators are folded into the
//! earlier one's. A row that would make a session that is over already is late; one that reaches into an open session is not,
//! however old it is. [`Sessions`] finds the session of a row; rows are then taken in columns, up to where sessions merge or close.
//!
//! Sessions that close leave the state when their rows are pulled. A session that all rows have left again is not given.

use super::aggregates::{Aggregates, unshared, with_columns};
use super::late::{Late, When};
use super::ready::watermark_alone;
use super::windows::Windows;
use super::{Context, Counters, Operator};
use crate::batch::{BEFORE_TIME, Batch, ColumnRef, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema};
use crate::error::{Error, Result};
use crate::expr::RowError;
use crate::plan::{self, Window, WindowProperty};
use crate::state::{KeyTable, Place, Sessions};
use std::collections::VecDeque;

/// See the module's text.
pub struct SessionAggregate {
    keys: Vec<usize>,
    time: usize,
    windows: Windows,
    properties: Vec<WindowProperty>,
    types: Vec<DataType>,
    table: KeyTable,
    sessions: Sessions,
    aggregates: Aggregates,
    /// One group, through which a session goes into another.
    between: Aggregates,
    /// Rows in each session; absent: input only grows.
    counts: Option<Vec<i64>>,
    watermark: i64,
    /// The watermark that was last given out.
    told: i64,
    output: VecDeque<Step>,
    error: Option<Error>,
    counters: Counters,
    late: Late,
    /// Of the rows of the batch at hand: their keys, and of those that have found it their session.
    slots: Vec<u32>,
    /// Keys that may have no session any more.
    idle: Vec<u32>,
}

/// What is to be given, in order.
enum Step {
    Session(u32),
    Watermark(i64),
}

impl SessionAggregate {
    /// An aggregation of `input`'s rows by sessions over the time attribute `time`; `node` is the aggregation.
    pub fn new(
        window: &Window,
        time: usize,
        keys: &[usize],
        aggregates: &[plan::Aggregate],
        properties: &[WindowProperty],
        input: &plan::Node,
        node: &plan::Node,
    ) -> Self {
        let retracting = !input.changelog.is_insert_only();
        let make = || Aggregates::new(aggregates, &input.schema, retracting).mergeable();
        let mut between = make();
        between.grow(1);
        Self {
            keys: keys.to_vec(),
            time,
            windows: Windows::new(window),
            properties: properties.to_vec(),
            types: node.schema.fields.iter().map(|f| f.ty.clone()).collect(),
            table: KeyTable::new(keys.iter().map(|&k| input.schema.ty(k).clone()).collect(), false),
            sessions: Sessions::default(),
            aggregates: make(),
            between,
            counts: retracting.then(Vec::new),
            watermark: BEFORE_TIME,
            told: BEFORE_TIME,
            output: VecDeque::new(),
            error: None,
            counters: Counters::default(),
            late: Late::default(),
            slots: Vec::new(),
            idle: Vec::new(),
        }
    }

    /// Takes the rows of a batch, closing sessions where the watermark passes them.
    fn take(&mut self, batch: &Batch, pool: &mut Pool) -> Result<(), RowError> {
        let time = batch.column(self.time);
        let times = time.slice::<i64>();
        let nulls = time.validity.may_have_nulls();
        let mut placed = pool.row_list();
        batch.sel().list(&mut placed);
        if nulls {
            placed.retain(|&r| time.is_valid(r as usize));
        }
        self.counters.filtered += (batch.selected() - placed.len()) as u64;
        let mut slots = std::mem::take(&mut self.slots);
        slots.clear();
        with_columns(&self.keys, batch, |columns| {
            self.table.find_or_insert(None, columns, &placed, &mut slots);
        });
        let result = self.place(batch, times, &mut placed, &mut slots);
        pool.recycle_rows(placed);
        self.slots = slots;
        result
    }

    /// Finds the session of each row, whose keys are in `slots`, and takes them. Both lists are used up.
    fn place(
        &mut self,
        batch: &Batch,
        times: &[i64],
        rows: &mut [u32],
        slots: &mut [u32],
    ) -> Result<(), RowError> {
        let marks = batch.watermarks.runs();
        // Of the rows: those before `next` have been looked at; what is not late of them stands before `kept`, and before `taken` what is
        // with its session already.
        let (mut next, mut kept, mut taken, mut mark) = (0, 0, 0, 0);
        while next < rows.len() {
            // The watermark at which something closes, and the rows before it.
            let due = self.sessions.next_due();
            let closing = mark + marks[mark..].partition_point(|m| m.1 < due);
            let before =
                marks.get(closing).map_or(rows.len(), |m| next + rows[next..].partition_point(|&r| r < m.0));
            while next < before && self.sessions.next_due() >= due {
                let (windows, own) = (&mut self.windows, &rows[next..before]);
                let usual = self.sessions.place_usual(&mut slots[next..before], |n| {
                    let own = windows.session(times[own[n] as usize]);
                    (own.start, own.end)
                });
                if kept < next {
                    rows.copy_within(next..next + usual, kept);
                    slots.copy_within(next..next + usual, kept);
                }
                (next, kept) = (next + usual, kept + usual);
                if next == before {
                    break;
                }
                let (row, key) = (rows[next], slots[next]);
                let time = times[row as usize];
                next += 1;
                while let Some(&(_, w)) = marks.get(mark).filter(|m| m.0 <= row) {
                    mark += 1;
                    self.watermark = w;
                }
                let own = self.windows.session(time);
                let windows = &self.windows;
                let place =
                    self.sessions.place(key, (own.start, own.end), self.watermark, |end| windows.due(end));
                let slot = match place {
                    Place::In(slot) => slot,
                    Place::Late => {
                        self.take_late_row(batch, row, key, time);
                        continue;
                    }
                    Place::Merged(slot, other) => {
                        self.take_rows(batch, &rows[taken..kept], &slots[taken..kept])?;
                        taken = kept;
                        self.merge(slot, other);
                        slot
                    }
                };
                (rows[kept], slots[kept]) = (row, slot);
                kept += 1;
            }
            // Where a row has opened a session that closes sooner, the watermark is another one.
            if next == before && next < rows.len() && self.sessions.next_due() >= due {
                self.take_rows(batch, &rows[taken..kept], &slots[taken..kept])?;
                taken = kept;
                if closing > mark {
                    self.watermark = marks[closing - 1].1;
                }
                self.advance(marks[closing].1);
                mark = closing + 1;
            }
        }
        self.take_rows(batch, &rows[taken..kept], &slots[taken..kept])?;
        marks[mark..].iter().for_each(|m| self.advance(m.1));
        Ok(())
    }

    /// Notes a row whose session would be over.
    #[cold]
    fn take_late_row(&mut self, batch: &Batch, row: u32, key: u32, time: i64) {
        let own = self.windows.first(time);
        self.counters.late += 1;
        let when =
            When { time_us: Some(time), watermark: self.watermark, window: Some((own.start, own.end)) };
        self.late.row(batch, row as usize, when);
        self.idle.push(key);
    }

    /// Takes a row that comes alone, with no watermark before it. `None`: it is not like that, and nothing was done.
    fn take_row(&mut self, batch: &Batch, row: usize) -> Option<Result<(), RowError>> {
        let time = batch.column(self.time);
        let marks = batch.watermarks.runs();
        if !time.is_valid(row) || marks.first().is_some_and(|m| m.0 as usize <= row) {
            return None;
        }
        let time = time.slice::<i64>()[row];
        let key =
            with_columns(&self.keys, batch, |columns| self.table.find_or_insert_row(columns, row as u32));
        let own = self.windows.first(time);
        let windows = &self.windows;
        let place = self.sessions.place(key, (own.start, own.end), self.watermark, |end| windows.due(end));
        let slot = match place {
            Place::In(slot) => Some(slot),
            Place::Late => {
                self.take_late_row(batch, row as u32, key, time);
                None
            }
            Place::Merged(slot, other) => {
                self.merge(slot, other);
                Some(slot)
            }
        };
        let mut taken = Ok(());
        if let Some(slot) = slot {
            self.counters.absorbed += 1;
            self.grow();
            if let Some(counts) = &mut self.counts {
                counts[slot as usize] += if batch.kind(row).is_add() { 1 } else { -1 };
            }
            taken = self.aggregates.update_row(batch, row as u32, slot);
        }
        if taken.is_ok() {
            marks.iter().for_each(|m| self.advance(m.1));
        }
        Some(taken)
    }

    /// Makes what is held by session as long as there are sessions.
    fn grow(&mut self) {
        let bound = self.sessions.bound();
        self.aggregates.grow(bound);
        if let Some(counts) = &mut self.counts {
            counts.resize(bound.max(counts.len()), 0);
        }
    }

    /// Takes rows that have found their session.
    fn take_rows(&mut self, batch: &Batch, rows: &[u32], slots: &[u32]) -> Result<(), RowError> {
        self.counters.absorbed += rows.len() as u64;
        self.grow();
        if let Some(counts) = &mut self.counts {
            for (&r, &s) in rows.iter().zip(slots) {
                counts[s as usize] += if batch.kind(r as usize).is_add() { 1 } else { -1 };
            }
        }
        self.aggregates.update(batch, rows, slots)
    }

    /// Folds a session into another.
    fn merge(&mut self, into: u32, from: u32) {
        self.between.merge(&[0], &self.aggregates, &[from]);
        self.aggregates.merge(&[into], &self.between, &[0]);
        self.between.reset(0);
        if let Some(counts) = &mut self.counts {
            counts[into as usize] += counts[from as usize];
        }
        self.release(from);
    }

    /// The session's slot is empty and may be used again.
    fn release(&mut self, slot: u32) {
        self.aggregates.reset(slot);
        if let Some(counts) = &mut self.counts {
            counts[slot as usize] = 0;
        }
        self.sessions.free(slot);
    }

    /// Moves the watermark where there are no rows.
    fn advance(&mut self, watermark: i64) {
        if watermark >= self.sessions.next_due() {
            self.close(watermark);
        }
        self.watermark = watermark;
    }

    /// Closes what is due at `watermark`, to which the watermark is about to move.
    fn close(&mut self, watermark: i64) {
        let mut told = false;
        while let Some(slot) = self.sessions.close(watermark, |end| self.windows.due(end)) {
            if !std::mem::replace(&mut told, true) {
                self.tell_watermark();
            }
            self.idle.push(self.sessions.get(slot).key);
            self.output.push_back(Step::Session(slot));
        }
    }

    /// The watermark after the rows so far, unless it is said already.
    fn tell_watermark(&mut self) {
        if self.watermark > self.told {
            self.told = self.watermark;
            self.output.push_back(Step::Watermark(self.watermark));
        }
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
        let mut batch = pool.batch();
        let mut closed = pool.row_list();
        while let Some(step) = self.output.pop_front() {
            match step {
                Step::Watermark(w) => batch.watermarks.advance(closed.len(), w),
                Step::Session(_) if closed.len() >= MAX_ROWS => {
                    self.output.push_front(step);
                    break;
                }
                Step::Session(slot) => {
                    if self.counts.as_ref().is_none_or(|c| c[slot as usize] != 0) {
                        closed.push(slot);
                    } else {
                        self.release(slot);
                    }
                }
            }
        }
        if !closed.is_empty() {
            let mut columns = pool.column_list();
            columns.extend(self.types.iter().map(|t| pool.column(t)));
            self.emit(&closed, &mut columns, pool);
            batch.columns.append(&mut columns);
            pool.recycle_columns(columns);
            closed.iter().for_each(|&s| self.release(s));
        }
        batch.set_rows(closed.len());
        pool.recycle_rows(closed);
        if batch.is_empty() {
            pool.recycle(batch);
            return None;
        }
        Some(batch)
    }

    fn emit(&self, closed: &[u32], columns: &mut [ColumnRef], pool: &mut Pool) {
        let (keys, rest) = columns.split_at_mut(self.keys.len());
        let (aggregates, properties) = rest.split_at_mut(self.aggregates.len());
        let mut key_slots = pool.row_list();
        key_slots.extend(closed.iter().map(|&s| self.sessions.get(s).key));
        self.table.emit(&key_slots, keys);
        pool.recycle_rows(key_slots);
        self.aggregates.emit(closed, aggregates);
        for (p, c) in self.properties.iter().zip(properties) {
            let c = unshared(c);
            let rows = c.len() + closed.len();
            let sessions = closed.iter().map(|&s| self.sessions.get(s));
            c.buffer_mut::<i64>().extend_exact(sessions.map(|s| match p {
                WindowProperty::Start => s.start,
                WindowProperty::End => s.end,
                WindowProperty::Time => self.windows.time(s.end),
            }));
            c.validity.resize(rows, true);
        }
    }

    /// Takes keys without a session out of the state. Nothing waits to be pulled.
    fn forget_idle(&mut self) {
        if self.idle.is_empty() {
            return;
        }
        self.idle.sort_unstable();
        self.idle.dedup();
        for key in self.idle.drain(..) {
            if !self.sessions.has(key) {
                self.table.remove(key);
            }
        }
    }
}

impl Operator for SessionAggregate {
    fn pass(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some(taken) = batch.only().and_then(|row| self.take_row(&batch, row)) else {
            self.push(port, batch, cx)?;
            return Ok(None);
        };
        self.counters.batches_in += 1;
        self.counters.rows_in += 1;
        if taken.is_err() || !self.output.is_empty() {
            self.error = taken.err().map(|e| e.error);
            self.tell_watermark();
            cx.pool.recycle(batch);
            return Ok(None);
        }
        // Nothing closes.
        self.forget_idle();
        Ok(Some(watermark_alone(batch, self.watermark, &mut self.told, cx.pool)))
    }

    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        if batch.selected() > 0 {
            if let Err(e) = self.take(&batch, cx.pool) {
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
        self.forget_idle();
        self.error.take().map_or(Ok(None), Err)
    }

    fn keep_late(&mut self, name: &str, input: &Schema) {
        self.late.keep(name, input);
    }

    fn take_late(&mut self) -> Option<Batch> {
        self.late.take()
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.output.is_empty() && self.idle.is_empty(), "nothing waits to be pulled");
        to.block(b"SAGG", 1);
        to.i64(self.watermark);
        let keys = self.table.order();
        self.table.encode(&keys, to);
        self.sessions.encode(&keys, |end| self.windows.due(end), to);
        let slots: Vec<u32> = self.sessions.of(&keys).collect();
        if let Some(c) = &self.counts {
            to.slice(&slots.iter().map(|&s| c[s as usize]).collect::<Vec<_>>());
        }
        self.aggregates.encode(&slots, self.sessions.bound(), to);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"SAGG", 1)?;
        self.watermark = from.i64()?;
        self.told = self.watermark;
        self.table.decode(None, from)?;
        let sessions = self.sessions.decode(from)?;
        if let Some(c) = &mut self.counts {
            *c = from.slice()?;
            if c.len() != sessions {
                return Err(Error::corrupt("the sessions of an aggregation are damaged"));
            }
        }
        self.aggregates.decode(sessions, from)
    }

    fn state_rows(&self) -> usize {
        self.table.len()
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
            + self.sessions.bytes()
            + self.aggregates.bytes()
            + self.counts.as_ref().map_or(0, |c| c.capacity() * size_of::<i64>())
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use crate::operators::testing::{aggregate, check, input, node, run, run_all};
    use crate::plan::{Changelog, Node, Op, Phase, Window, WindowKind, WindowProperty, WindowTime};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::fmt::Write;

    fn sessions(gap: i64, calls: &[(&str, bool)]) -> Node {
        let aggregates = calls.iter().map(|(name, distinct)| {
            let mut a = aggregate(name, if *name == "COUNT" && !distinct { &[] } else { &[1] });
            a.distinct = *distinct;
            a
        });
        let window = Window {
            kind: WindowKind::Session { gap },
            time: WindowTime::Attribute(2),
            partition: vec![0],
            grouping: false,
            zone: None,
        };
        let op = Op::WindowAggregate {
            window,
            keys: vec![0],
            aggregates: aggregates.collect(),
            properties: vec![WindowProperty::Start, WindowProperty::End, WindowProperty::Time],
            phase: Phase::Whole,
        };
        let columns: Vec<String> = (0..calls.len()).map(|i| format!("a{i} BIGINT")).collect();
        let out = format!("k STRING, {}, start TIMESTAMP, end TIMESTAMP, time ROWTIME", columns.join(", "));
        node(op, &out, Changelog::INSERT)
    }

    #[test]
    fn a_row_between_sessions_merges_them_and_distinct_values_stay_distinct() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
        let op = sessions(5, &[("COUNT", false), ("SUM", false), ("COUNT", true), ("SUM", true)]);
        check(
            &op,
            &[&from],
            "a 1 0
             b 5 2
             a 2 10
             a 1 12
             ~ 3
             a 7 5
             ~ 7
             b 8 3
             b 9 4
             ~ 17",
            "~ 3
             +I b 1 5 1 5 2 7 6
             ~ 7
             +I b 1 9 1 9 4 9 8
             +I a 4 11 3 10 0 17 16
             ~ end",
        );
        // The watermark of 7 ends what lasts until before 8.
        assert_eq!(run(&op, &[&from], "b 8 3\n ~ 7\n b 8 3\n b 9 4", 2).counters.late, 1);
    }

    #[test]
    fn an_old_row_is_late_unless_it_reaches_an_open_session() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
        let op = sessions(10, &[("COUNT", false)]);
        let text = "a 1 30
             ~ 35
             a 1 20
             a 1 10
             a 1 -1
             b 1 20
             ~ 50";
        check(&op, &[&from], text, "~ 35\n +I a 3 10 40 39\n ~ end");
        // b has no open session, and that of a has grown down to 10 only.
        assert_eq!(run(&op, &[&from], text, 7).counters.late, 2);
    }

    #[test]
    fn rows_may_leave_and_what_is_empty_is_not_given() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::ALL);
        let op = sessions(5, &[("SUM", false), ("MAX", false), ("COUNT", true)]);
        check(
            &op,
            &[&from],
            "a 9 0
             a 3 8
             b 1 1
             -D b 1 1
             -U a 9 0
             +U a 4 4
             ~ 20",
            "+I a 7 4 2 0 13 12\n ~ end",
        );
    }

    proptest! {
        #[test]
        fn random_rows_give_what_lists_of_rows_give(
            rows in prop::collection::vec((0..3u8, 0..5i64, 0..60i64, prop::option::weighted(0.2, 0..70i64)), 0..60),
            gap in 1..9i64,
        ) {
            let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
            let op = sessions(gap, &[("COUNT", false), ("SUM", false), ("MAX", false), ("COUNT", true)]);
            let (mut text, mut watermark) = (String::new(), i64::MIN);
            // (key, rows (time, value)), and what was given.
            let mut open: Vec<(u8, Vec<(i64, i64)>)> = vec![];
            let mut want: BTreeMap<String, usize> = BTreeMap::new();
            let mut late = 0;
            let mut close = |open: &mut Vec<(u8, Vec<(i64, i64)>)>, w: i64| {
                let end = |s: &(u8, Vec<(i64, i64)>)| s.1.iter().map(|r| r.0).max().unwrap() + gap;
                for s in open.iter().filter(|s| end(s) - 1 <= w) {
                    let start = s.1.iter().map(|r| r.0).min().unwrap();
                    let sum: i64 = s.1.iter().map(|r| r.1).sum();
                    let max = s.1.iter().map(|r| r.1).max().unwrap();
                    let mut values: Vec<i64> = s.1.iter().map(|r| r.1).collect();
                    values.sort_unstable();
                    values.dedup();
                    let line = format!("+I {} {} {sum} {max} {} {start} {} {}", s.0, s.1.len(), values.len(), end(s), end(s) - 1);
                    *want.entry(line).or_default() += 1;
                }
                open.retain(|s| end(s) - 1 > w);
            };
            for &(k, v, t, mark) in &rows {
                writeln!(text, "{k} {v} {t}").unwrap();
                let touches = |s: &(u8, Vec<(i64, i64)>)| {
                    s.0 == k && s.1.iter().any(|r| (r.0 - t).abs() <= gap)
                };
                let (own, rest): (Vec<_>, Vec<_>) = open.iter().cloned().partition(touches);
                if own.is_empty() && t + gap - 1 <= watermark {
                    late += 1;
                } else {
                    open = rest;
                    open.push((k, own.into_iter().flat_map(|s| s.1).chain([(t, v)]).collect()));
                }
                if let Some(w) = mark.filter(|w| *w > watermark) {
                    writeln!(text, "~ {w}").unwrap();
                    watermark = w;
                    close(&mut open, w);
                }
            }
            close(&mut open, i64::MAX);
            let got = run_all(&op, &[&from], &text);
            let mut lines: BTreeMap<String, usize> = BTreeMap::new();
            for l in got.lines.iter().filter(|l| !l.starts_with('~')) {
                *lines.entry(l.clone()).or_default() += 1;
            }
            prop_assert_eq!(lines, want);
            prop_assert_eq!(got.counters.late, late);
        }
    }
}

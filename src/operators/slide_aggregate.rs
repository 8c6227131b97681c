//! Aggregation over windows that overlap, HOP and CUMULATE: one row per key and window, given when the watermark passes its end.
//!
//! Such windows are made of the same slices, a slide (a step) long. A row goes into the one slice of its time; a window is the slices that
//! it covers. What a row costs does therefore not depend on how many windows it is in, and for aggregates that are exact in any
//! order neither does what a window costs: each key keeps its slices as **two stacks**. Those at the front hold, besides their own
//! rows, all slices from there up to the border; those behind it are folded into one. A window is the first of the front and that
//! one. When the last of the front leaves, what is behind becomes the front: each slice is folded at most a few times. Aggregates whose
//! result depends on the order (DOUBLE, texts) are folded anew for each window, from the newest slice to the oldest, as in Flink.
//!
//! A row is late when the last window of its slice has been given; until then it counts for those that were not. A row into
//! a slice that stands in the stacks already makes them be built anew at the next window ([`Key::dirty`]).
//!
//! Windows are made as they are pulled, so that a long jump of the watermark needs no more memory than a short one: the batch at hand
//! waits behind the windows that close in the middle of it ([`Work`]).

mod stacks;

use super::aggregates::{Aggregates, unshared, with_columns};
use super::late::{Late, When};
use super::ready::watermark_alone;
use super::windows::Windows;
use super::{Context, Counters, Operator};
use crate::batch::{BEFORE_TIME, Batch, ColumnRef, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema};
use crate::error::{Error, Result};
use crate::expr::RowError;
use crate::plan::{self, Window, WindowKind, WindowProperty};
use crate::state::KeyTable;
use stacks::{Key, Merges, NONE, Pot, Slice};
use std::collections::BTreeMap;

impl Work {
    fn new(batch: Batch, rows: Vec<u32>, slots: Vec<u32>) -> Self {
        Self { batch, rows, slots, next: 0, marks: 0, closing: None, window: None }
    }
}

/// The instants, µs, of a slice: where it begins and ends, and when its last window is due.
#[derive(Clone, Copy, Default)]
struct Stretch {
    from: i64,
    until: i64,
    slice: i64,
    due: i64,
}

/// See the module's text.
pub struct SlideAggregate {
    keys: Vec<usize>,
    time: usize,
    windows: Windows,
    shape: Shape,
    /// That of the last row.
    known: Stretch,
    properties: Vec<WindowProperty>,
    types: Vec<DataType>,
    table: KeyTable,
    states: Vec<Key>,
    /// The keys of each slice, by its end (µs).
    slices: BTreeMap<i64, Vec<u32>>,
    /// Keys with rows in the window at hand, as they came into it.
    live: Vec<u32>,
    /// The end of the last window.
    fired: i64,
    /// Rows of slices.
    raws: Pot,
    /// Folded slices.
    sums: Pot,
    /// Through which folds go into others of the same pot; and where windows are put together.
    between: Aggregates,
    result: Aggregates,
    /// Results do not depend on the order in which slices are folded.
    exact: bool,
    retracting: bool,
    watermark: i64,
    told: i64,
    /// When the next window is due, ms.
    next_due: i64,
    work: Option<Work>,
    error: Option<Error>,
    counters: Counters,
    late: Late,
    /// Keys that may have no slice any more.
    idle: Vec<u32>,
    merges: Merges,
    /// Keys that are to be folded.
    unfolded: Vec<u32>,
}

/// Sizes, µs.
#[derive(Clone, Copy)]
struct Shape {
    size: i64,
    unit: i64,
    offset: i64,
    cumulate: bool,
}

/// A batch, and how far it is taken.
struct Work {
    batch: Batch,
    /// The rows that have a time, and what is theirs: their key, then the slot of their slice.
    rows: Vec<u32>,
    slots: Vec<u32>,
    /// Rows taken, and watermarks.
    next: usize,
    marks: usize,
    /// The watermark whose windows are being given, the window's end, and the keys of it that were given.
    closing: Option<i64>,
    window: Option<(i64, usize)>,
}

impl SlideAggregate {
    /// An aggregation of `input`'s rows by windows over the time attribute `time`; `node` is the aggregation.
    ///
    /// # Panics
    /// When the windows neither hop nor cumulate.
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
        let micros = |ms: i64| ms.saturating_mul(1000);
        let shape = |size, unit, offset, cumulate| Shape {
            size: micros(size),
            unit: micros(unit),
            offset: micros(offset),
            cumulate,
        };
        let shape = match window.kind {
            WindowKind::Hop { size, slide, offset } => shape(size, slide, offset, false),
            WindowKind::Cumulate { size, step, offset } => shape(size, step, offset, true),
            WindowKind::Tumble { .. } | WindowKind::Session { .. } => panic!("windows without common slices"),
        };
        let mut result = make();
        result.grow(MAX_ROWS);
        Self {
            keys: keys.to_vec(),
            time,
            windows: Windows::new(window),
            shape,
            known: Stretch::default(),
            properties: properties.to_vec(),
            types: node.schema.fields.iter().map(|f| f.ty.clone()).collect(),
            table: KeyTable::new(keys.iter().map(|&k| input.schema.ty(k).clone()).collect(), false),
            states: Vec::new(),
            slices: BTreeMap::new(),
            live: Vec::new(),
            fired: i64::MIN,
            raws: Pot::new(make()),
            sums: Pot::new(make()),
            between: make(),
            result,
            exact: aggregates.iter().all(|a| a.ignores_order(&input.schema)),
            retracting,
            watermark: BEFORE_TIME,
            told: BEFORE_TIME,
            next_due: i64::MAX,
            work: None,
            error: None,
            counters: Counters::default(),
            late: Late::default(),
            idle: Vec::new(),
            merges: Merges::default(),
            unfolded: Vec::new(),
        }
    }

    /// The end of the slice of an instant.
    fn slice_end(&mut self, instant: i64) -> i64 {
        let first = self.windows.first(instant);
        if self.shape.cumulate { first.end } else { first.start + self.shape.unit }
    }

    /// The slice of an instant: mostly that of the row before.
    #[inline(always)]
    fn stretch(&mut self, instant: i64) -> Stretch {
        if instant < self.known.from || instant >= self.known.until {
            self.find_stretch(instant);
        }
        self.known
    }

    #[inline(never)]
    fn find_stretch(&mut self, instant: i64) {
        let slice = self.slice_end(instant);
        let due = self.windows.due(self.last_window(slice));
        let (from, until) = match self.windows.has_zone() {
            false => (slice - self.shape.unit, slice),
            // The clock may be set in the middle of it.
            true => (instant, instant),
        };
        self.known = Stretch { from, until, slice, due };
    }

    /// Where the window that ends then starts.
    fn start(&self, end: i64) -> i64 {
        let Shape { size, offset, cumulate, .. } = self.shape;
        if cumulate { end - 1 - (end - 1 - offset).rem_euclid(size) } else { end - size }
    }

    /// The end of the last window of a slice.
    fn last_window(&self, slice: i64) -> i64 {
        let Shape { size, unit, cumulate, .. } = self.shape;
        if cumulate { self.start(slice) + size } else { slice + size - unit }
    }

    /// The end of the next window, if there are rows for one.
    fn next_window(&self) -> Option<i64> {
        if !self.live.is_empty() {
            return Some(self.fired + self.shape.unit);
        }
        let after = (std::ops::Bound::Excluded(self.fired), std::ops::Bound::Unbounded);
        self.slices.range(after).next().map(|e| *e.0)
    }

    fn find_next_due(&mut self) {
        self.next_due = self.next_window().map_or(i64::MAX, |end| self.windows.due(end));
    }

    /// Takes rows of the batch until windows close or none is left.
    fn take(&mut self, work: &mut Work) -> Result<(), RowError> {
        let Work { batch, rows, slots, next, marks: mark, closing, .. } = &mut *work;
        let batch = &*batch;
        let times = batch.column(self.time).slice::<i64>();
        let marks = batch.watermarks.runs();
        // Rows with their slots stand from `from` to `kept`; others between `kept` and `next` were late.
        let from = *next;
        let mut kept = from;
        while *next < rows.len() && closing.is_none() {
            // The watermark at which windows close, and the rows before it.
            let due = self.next_due;
            let stop = *mark + marks[*mark..].partition_point(|m| m.1 < due);
            let before =
                marks.get(stop).map_or(rows.len(), |m| *next + rows[*next..].partition_point(|&r| r < m.0));
            while *next < before && self.next_due >= due {
                let usual = self.find_usual(times, &rows[*next..before], &mut slots[*next..before]);
                if kept < *next {
                    rows.copy_within(*next..*next + usual, kept);
                    slots.copy_within(*next..*next + usual, kept);
                }
                (*next, kept) = (*next + usual, kept + usual);
                if *next == before {
                    break;
                }
                let (row, key) = (rows[*next], slots[*next]);
                let time = times[row as usize];
                *next += 1;
                while let Some(&(_, w)) = marks.get(*mark).filter(|m| m.0 <= row) {
                    *mark += 1;
                    self.watermark = w;
                }
                let Stretch { slice, due, .. } = self.stretch(time);
                if due <= self.watermark {
                    self.take_late_row(batch, row, key, time);
                    continue;
                }
                (rows[kept], slots[kept]) = (row, self.slot(key, slice));
                kept += 1;
            }
            // Where a row has opened a slice whose windows close sooner, the watermark is another one.
            if *next == before && *next < rows.len() && self.next_due >= due {
                if stop > *mark {
                    self.watermark = marks[stop - 1].1;
                }
                *closing = Some(marks[stop].1);
                *mark = stop + 1;
            }
        }
        self.counters.absorbed += (kept - from) as u64;
        self.take_rows(&work.batch, &work.rows[from..kept], &work.slots[from..kept])?;
        if work.closing.is_none() {
            self.take_marks(work);
        }
        Ok(())
    }

    /// Finds the slots of rows that are in the slice of the row before and in the newest of their key, which no window has been given
    /// of, up to the first row that is not: `slots` has their keys, which become their slots. Gives their number.
    #[inline(always)]
    fn find_usual(&self, times: &[i64], rows: &[u32], slots: &mut [u32]) -> usize {
        let Stretch { from, until, slice, .. } = self.known;
        if slice <= self.fired {
            return 0;
        }
        let states = &self.states[..];
        for (n, (&row, slot)) in rows.iter().zip(slots).enumerate() {
            let time = times[row as usize];
            let Some(Key { newest, .. }) = states.get(*slot as usize) else { return n };
            if time < from || time >= until || newest.end != slice {
                return n;
            }
            *slot = newest.raw;
        }
        rows.len()
    }

    /// Notes a row whose windows have been given.
    #[cold]
    fn take_late_row(&mut self, batch: &Batch, row: u32, key: u32, time: i64) {
        self.counters.late += 1;
        let end = self.last_window(self.known.slice);
        let window = Some((self.start(end), end));
        let when = When { time_us: Some(time), watermark: self.watermark, window };
        self.late.row(batch, row as usize, when);
        self.idle.push(key);
    }

    /// Takes a row that comes alone, with no watermark before it and none that closes a window behind it. `None`: it is not like that, and nothing
    /// was done.
    fn take_row(&mut self, batch: &Batch, row: usize) -> Option<Result<(), RowError>> {
        let time = batch.column(self.time);
        let marks = batch.watermarks.runs();
        if !time.is_valid(row)
            || marks.first().is_some_and(|m| m.0 as usize <= row)
            || marks.last().is_some_and(|m| m.1 >= self.next_due)
        {
            return None;
        }
        let Stretch { slice, due, .. } = self.stretch(time.slice::<i64>()[row]);
        if due <= self.watermark {
            return None;
        }
        let key =
            with_columns(&self.keys, batch, |columns| self.table.find_or_insert_row(columns, row as u32));
        let slot = self.slot(key, slice);
        self.counters.absorbed += 1;
        if self.retracting {
            self.raws.counts[slot as usize] += if batch.kind(row).is_add() { 1 } else { -1 };
        }
        Some(self.raws.aggregates.update_row(batch, row as u32, slot))
    }

    /// Takes watermarks behind the last row until windows close or none is left.
    fn take_marks(&mut self, work: &mut Work) {
        while let Some(&(_, w)) = work.batch.watermarks.runs().get(work.marks) {
            work.marks += 1;
            if w >= self.next_due {
                work.closing = Some(w);
                return;
            }
            self.watermark = w;
        }
    }

    /// Takes rows that have found their slice.
    fn take_rows(&mut self, batch: &Batch, rows: &[u32], slots: &[u32]) -> Result<(), RowError> {
        if self.retracting {
            for (&r, &s) in rows.iter().zip(slots) {
                self.raws.counts[s as usize] += if batch.kind(r as usize).is_add() { 1 } else { -1 };
            }
        }
        self.raws.aggregates.update(batch, rows, slots)
    }

    /// The slot of a key's slice.
    #[inline(always)]
    fn slot(&mut self, key: u32, end: i64) -> u32 {
        if self.states.len() <= key as usize {
            self.states.resize_with(key as usize + 1, Key::default);
        }
        let newest = self.states[key as usize].newest;
        if newest.end == end && end > self.fired {
            return newest.raw;
        }
        self.find_slot(key, end)
    }

    #[inline(never)]
    fn find_slot(&mut self, key: u32, end: i64) -> u32 {
        let state = &mut self.states[key as usize];
        let at = state.until(end);
        if let Some(found) = at.checked_sub(1).map(|n| state.slice(n)).filter(|s| s.end == end) {
            state.dirty |= end <= self.fired;
            return found.raw;
        }
        // Without rows at hand no windows were made; those that the watermark has passed are not made now.
        let (mut passed, mut due) = (end, self.windows.due(end));
        let sooner = due < self.next_due;
        while due <= self.watermark {
            self.fired = self.fired.max(passed);
            passed += self.shape.unit;
            due = self.windows.due(passed);
        }
        let slice = Slice { end, raw: self.raws.take(), fold: NONE };
        if end <= self.fired {
            // It comes among the slices that have folds: those are not of one piece any more.
            state.unfold(&mut self.sums);
            self.sums.clear();
            state.inside += 1;
            state.dirty = true;
            if !std::mem::replace(&mut state.live, true) {
                self.live.push(key);
            }
        }
        state.insert(at, slice);
        self.slices.entry(end).or_default().push(key);
        if sooner || passed > end || end <= self.fired {
            self.find_next_due();
        }
        slice.raw
    }

    /// Moves the slices to the window that ends then.
    fn slide(&mut self, end: i64) {
        let start = self.start(end);
        let mut unfolded = std::mem::take(&mut self.unfolded);
        while let Some(entry) = self.slices.first_entry().filter(|e| *e.key() <= start) {
            let keys = entry.remove();
            unfolded.clear();
            unfolded.extend(keys.iter().copied().filter(|&key| self.leave(key)));
            self.fold(&unfolded);
        }
        self.unfolded = unfolded;
        let Self { live, states, idle, slices, sums, raws, merges, .. } = self;
        merges.clear();
        for &key in slices.get(&end).into_iter().flatten() {
            let state = &mut states[key as usize];
            let raw = state.slice(state.inside as usize).raw;
            state.inside += 1;
            if !std::mem::replace(&mut state.live, true) {
                live.push(key);
            }
            if self.exact && !state.dirty {
                let back = *state.back.get_or_insert_with(|| sums.take());
                merges.push(back, raw);
            }
        }
        sums.merge(merges, raws);
        live.retain(|&key| {
            let state = &mut states[key as usize];
            state.live = state.inside > 0;
            if state.is_empty() {
                idle.push(key);
            }
            state.live
        });
        self.fired = end;
    }

    /// The oldest slice of a key leaves. True: what is left is to be [folded](Self::fold).
    fn leave(&mut self, key: u32) -> bool {
        let state = &mut self.states[key as usize];
        let Some(slice) = state.pop() else { return false };
        self.raws.give(slice.raw);
        state.inside -= 1;
        if state.front > 0 {
            state.front -= 1;
            self.sums.give(slice.fold);
            return false;
        }
        self.exact && !state.dirty
    }

    /// Makes all slices inside the front, of each of these keys: first those slices that are the newest of their key, then those before them.
    fn fold(&mut self, keys: &[u32]) {
        let Self { states, sums, raws, between, merges, .. } = self;
        merges.clear();
        let mut most = 0;
        for &key in keys {
            let state = &mut states[key as usize];
            state.unfold(sums);
            let inside = state.inside as usize;
            for s in state.slices_mut().take(inside) {
                s.fold = sums.take();
                merges.push(s.fold, s.raw);
            }
            (state.front, state.dirty) = (state.inside, false);
            most = most.max(inside);
        }
        sums.merge(merges, raws);
        for newer in 1..most {
            merges.clear();
            for state in keys.iter().map(|&key| &states[key as usize]) {
                if let Some(at) = (state.inside as usize).checked_sub(newer).filter(|at| *at > 0) {
                    merges.push(state.slice(at - 1).fold, state.slice(at).fold);
                }
            }
            sums.merge_within(merges, between);
        }
    }

    /// Gives the rows of the window that is open, from key `next` on, at most `room`; returns where it stopped and the rows given.
    fn emit(
        &mut self,
        end: i64,
        next: usize,
        room: usize,
        columns: &mut [ColumnRef],
        pool: &mut Pool,
    ) -> (usize, usize) {
        let stop = self.live.len().min(next + room);
        let mut unfolded = std::mem::take(&mut self.unfolded);
        unfolded.clear();
        if self.exact {
            let dirty = |key: &u32| self.states[*key as usize].dirty;
            unfolded.extend(self.live[next..stop].iter().copied().filter(dirty));
            self.fold(&unfolded);
        }
        self.unfolded = unfolded;
        let (mut keys, mut into, mut from) = (pool.row_list(), pool.row_list(), pool.row_list());
        let pot = if self.exact { &self.sums } else { &self.raws };
        for n in next..stop {
            let key = self.live[n];
            let state = &self.states[key as usize];
            let slot = keys.len() as u32;
            let before = from.len();
            if self.exact {
                if state.front > 0 {
                    from.push(state.slice(0).fold);
                }
                from.extend(state.back);
            } else {
                let inside = state.inside as usize;
                from.extend(state.slices().take(inside).map(|s| s.raw));
                from[before..].reverse();
            }
            let count = |&s: &u32| pot.counts[s as usize];
            if self.retracting && from[before..].iter().map(count).sum::<i64>() == 0 {
                from.truncate(before);
                continue;
            }
            into.resize(from.len(), slot);
            keys.push(key);
        }
        self.result.merge(&into, &pot.aggregates, &from);
        into.clear();
        into.extend(0..keys.len() as u32);
        let (key_columns, rest) = columns.split_at_mut(self.keys.len());
        let (aggregates, properties) = rest.split_at_mut(self.result.len());
        self.table.emit(&keys, key_columns);
        self.result.emit(&into, aggregates);
        self.result.reset_first(keys.len());
        for (p, c) in self.properties.iter().zip(properties) {
            let v = match p {
                WindowProperty::Start => self.start(end),
                WindowProperty::End => end,
                WindowProperty::Time => self.windows.time(end),
            };
            let c = unshared(c);
            let rows = c.len() + keys.len();
            c.buffer_mut::<i64>().resize(rows, v);
            c.validity.resize(rows, true);
        }
        let rows = keys.len();
        [keys, into, from].into_iter().for_each(|l| pool.recycle_rows(l));
        (stop, rows)
    }

    /// The watermark after the rows so far, unless it is said already.
    fn tell_watermark(&mut self, batch: &mut Batch, rows: usize) {
        if self.watermark > self.told {
            self.told = self.watermark;
            batch.watermarks.advance(rows, self.watermark);
        }
    }

    /// Goes on with the batch: the next rows, or nothing any more.
    fn go_on(&mut self, work: &mut Work, pool: &mut Pool) -> Option<Batch> {
        let mut batch = pool.batch();
        let mut rows = 0;
        loop {
            if let Some((end, next)) = work.window {
                if rows == MAX_ROWS {
                    break;
                }
                if batch.columns.is_empty() {
                    batch.columns.extend(self.types.iter().map(|t| pool.column(t)));
                }
                let (stop, more) = self.emit(end, next, MAX_ROWS - rows, &mut batch.columns, pool);
                rows += more;
                work.window = (stop < self.live.len()).then_some((end, stop));
            } else if let Some(w) = work.closing {
                match self.next_window().filter(|&end| self.windows.due(end) <= w) {
                    Some(end) => {
                        self.tell_watermark(&mut batch, rows);
                        self.slide(end);
                        work.window = (!self.live.is_empty()).then_some((end, 0));
                    }
                    None => {
                        self.watermark = w;
                        work.closing = None;
                        self.find_next_due();
                    }
                }
            } else if work.next == work.rows.len() && work.marks < work.batch.watermarks.runs().len() {
                self.take_marks(work);
            } else if work.next < work.rows.len() {
                if let Err(e) = self.take(work) {
                    self.error = Some(e.error);
                    (work.next, work.marks) = (usize::MAX, usize::MAX);
                    work.closing = None;
                }
            } else {
                self.tell_watermark(&mut batch, rows);
                break;
            }
        }
        batch.set_rows(rows);
        if batch.is_empty() {
            pool.recycle(batch);
            return None;
        }
        Some(batch)
    }

    /// Takes keys without a slice out of the state, once the batch is done.
    fn forget_idle(&mut self) {
        self.idle.sort_unstable();
        self.idle.dedup();
        for key in self.idle.drain(..) {
            let state = self.states.get_mut(key as usize);
            if state.as_ref().is_none_or(|s| s.is_empty()) {
                self.table.remove(key);
                state.into_iter().for_each(Key::forget);
            }
        }
        self.raws.clear();
        self.sums.clear();
    }
}

impl Operator for SlideAggregate {
    fn pass(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some(taken) = batch.only().and_then(|row| self.take_row(&batch, row)) else {
            self.push(port, batch, cx)?;
            return Ok(None);
        };
        self.counters.batches_in += 1;
        self.counters.rows_in += 1;
        match (taken, batch.watermarks.last()) {
            (Err(e), _) => {
                self.error = Some(e.error);
                cx.pool.recycle(batch);
                return Ok(None);
            }
            // A window that the row has opened is due at once.
            (Ok(()), Some(w)) if w >= self.next_due => {
                self.work = Some(Work::new(batch, cx.pool.row_list(), cx.pool.row_list()));
                return Ok(None);
            }
            (Ok(()), w) => self.watermark = w.unwrap_or(self.watermark),
        }
        Ok(Some(watermark_alone(batch, self.watermark, &mut self.told, cx.pool)))
    }

    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        let (mut rows, mut slots) = (cx.pool.row_list(), cx.pool.row_list());
        if batch.selected() > 0 {
            batch.sel().list(&mut rows);
            let time = batch.column(self.time);
            if time.validity.may_have_nulls() {
                rows.retain(|&r| time.is_valid(r as usize));
            }
            self.counters.filtered += (batch.selected() - rows.len()) as u64;
            with_columns(&self.keys, &batch, |columns| {
                self.table.find_or_insert(None, columns, &rows, &mut slots);
            });
        }
        self.work = Some(Work::new(batch, rows, slots));
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if self.work.is_none() && self.error.is_none() && self.watermark <= self.told {
            return Ok(None);
        }
        while let Some(mut work) = self.work.take() {
            let out = self.go_on(&mut work, cx.pool);
            let done = work.window.is_none()
                && work.closing.is_none()
                && work.next >= work.rows.len()
                && work.marks >= work.batch.watermarks.runs().len();
            if done {
                [work.rows, work.slots].into_iter().for_each(|l| cx.pool.recycle_rows(l));
                cx.pool.recycle(work.batch);
                self.forget_idle();
            } else {
                self.work = Some(work);
            }
            if let Some(batch) = out {
                self.counters.rows_out += batch.rows() as u64;
                return Ok(Some(batch));
            }
        }
        if self.watermark > self.told {
            self.told = self.watermark;
            return Ok(Some(cx.pool.watermark_batch(self.watermark)));
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
        debug_assert!(self.work.is_none(), "nothing waits to be pulled");
        to.block(b"SLID", 1);
        to.i64(self.watermark);
        to.i64(self.fired);
        let keys = self.table.order();
        self.table.encode(&keys, to);
        let mut place = vec![0u32; self.table.bound()];
        keys.iter().enumerate().for_each(|(n, &k)| place[k as usize] = n as u32);
        let (mut raws, mut sums) = (vec![], vec![]);
        for &k in &keys {
            let s = &self.states[k as usize];
            to.len(s.len());
            s.slices().for_each(|s| to.i64(s.end));
            raws.extend(s.slices().map(|s| s.raw));
            to.len(s.inside as usize);
            to.len(s.front as usize);
            sums.extend(s.slices().take(s.front as usize).map(|s| s.fold));
            to.bool(s.back.is_some());
            sums.extend(s.back);
            to.bool(s.dirty);
        }
        to.slice(&self.live.iter().map(|&k| place[k as usize]).collect::<Vec<_>>());
        to.len(self.slices.len());
        for (end, keys) in &self.slices {
            to.i64(*end);
            to.slice(&keys.iter().map(|&k| place[k as usize]).collect::<Vec<_>>());
        }
        self.raws.encode(&raws, to);
        self.sums.encode(&sums, to);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"SLID", 1)?;
        let damaged = || Error::corrupt("the slices of a window aggregation are damaged");
        self.watermark = from.i64()?;
        self.told = self.watermark;
        self.fired = from.i64()?;
        let keys = self.table.decode(None, from)?;
        let (mut raws, mut sums) = (0u32, 0u32);
        let next = |n: &mut u32| {
            *n += 1;
            *n - 1
        };
        for _ in 0..keys {
            let mut key = Key::default();
            for _ in 0..from.len(8)? {
                key.insert(key.len(), Slice { end: from.i64()?, raw: next(&mut raws), fold: NONE });
            }
            let (inside, front) = (from.u64()?, from.u64()?);
            if front > inside || inside > key.len() as u64 {
                return Err(damaged());
            }
            (key.inside, key.front) = (inside as u32, front as u32);
            key.slices_mut().take(front as usize).for_each(|s| s.fold = next(&mut sums));
            key.back = from.bool()?.then(|| next(&mut sums));
            key.dirty = from.bool()?;
            self.states.push(key);
        }
        self.live = from.slice()?;
        for &k in &self.live {
            self.states.get_mut(k as usize).ok_or_else(damaged)?.live = true;
        }
        for _ in 0..from.len(16)? {
            let end = from.i64()?;
            self.slices.insert(end, from.slice()?);
        }
        if self.slices.values().flatten().any(|&k| k as usize >= keys) {
            return Err(damaged());
        }
        self.raws.decode(raws as usize, from)?;
        self.sums.decode(sums as usize, from)?;
        self.find_next_due();
        Ok(())
    }

    fn state_rows(&self) -> usize {
        self.table.len()
    }

    fn bytes(&self) -> usize {
        let slices: usize = self.states.iter().map(Key::bytes).sum();
        self.table.bytes()
            + self.states.capacity() * size_of::<Key>()
            + slices
            + self.slices.values().map(|k| k.capacity() * 4 + 48).sum::<usize>()
            + self.live.capacity() * 4
            + self.raws.bytes()
            + self.sums.bytes()
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

    const HOP: WindowKind = WindowKind::Hop { size: 30, slide: 10, offset: 0 };
    const CUMULATE: WindowKind = WindowKind::Cumulate { size: 30, step: 10, offset: 0 };

    fn windows(kind: WindowKind, calls: &[(&str, bool)]) -> Node {
        let aggregates = calls.iter().map(|(name, distinct)| {
            let mut a = aggregate(name, if *name == "COUNT" && !distinct { &[] } else { &[1] });
            a.distinct = *distinct;
            a
        });
        let time = WindowTime::Attribute(2);
        let op = Op::WindowAggregate {
            window: Window { kind, time, partition: vec![], grouping: false, zone: None },
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
    fn a_late_row_counts_for_the_windows_that_were_not_given() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
        let text = "a 1 5
             ~ 19
             a 2 8
             b 4 9
             ~ 29
             a 8 9
             ~ 60";
        let op = windows(HOP, &[("COUNT", false), ("SUM", false)]);
        check(
            &op,
            &[&from],
            text,
            "+I a 1 1 -20 10 9
             +I a 1 1 -10 20 19
             ~ 19
             +I a 2 3 0 30 29
             +I b 1 4 0 30 29
             ~ end",
        );
        assert_eq!(run(&op, &[&from], text, 7).counters.late, 1);
        check(
            &windows(CUMULATE, &[("COUNT", false), ("SUM", false)]),
            &[&from],
            text,
            "+I a 1 1 0 10 9
             +I a 1 1 0 20 19
             ~ 19
             +I a 2 3 0 30 29
             +I b 1 4 0 30 29
             ~ end",
        );
    }

    #[test]
    fn a_late_row_of_a_new_key_has_no_windows_that_the_watermark_has_passed() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
        let op = windows(HOP, &[("COUNT", false)]);
        check(
            &op,
            &[&from],
            "a 1 500\n ~ 1000\n b 1 985",
            "~ 1000\n +I b 1 980 1010 1009\n ~ end"
                .replace("~ 1000", "+I a 1 480 510 509\n +I a 1 490 520 519\n +I a 1 500 530 529\n ~ 1000")
                .as_str(),
        );
    }

    #[test]
    fn a_jump_of_the_watermark_gives_its_windows_in_parts() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
        let op = windows(WindowKind::Hop { size: 3000, slide: 1, offset: 0 }, &[("SUM", false)]);
        let out = run(&op, &[&from], "a 5 0\n b 6 0\n ~ 90000\n a 7 90000", 7);
        // The watermark has passed the first of the last row's windows.
        assert_eq!(out.counters.rows_out, 8999);
        assert!(out.batches.iter().all(|n| *n <= 1024) && out.batches.len() < 12, "{:?}", out.batches);
    }

    proptest! {
        #[test]
        fn random_rows_give_what_lists_of_rows_give(
            rows in prop::collection::vec(
                (0..3u8, 0..5i64, 0..90i64, prop::bool::weighted(0.2), prop::option::weighted(0.2, 0..110i64)), 0..50),
            slices in 1..5i64,
            cumulate in any::<bool>(),
            offset in -4..5i64,
        ) {
            let (unit, size) = (5, 5 * slices);
            let kind = if cumulate {
                WindowKind::Cumulate { size, step: unit, offset }
            } else {
                WindowKind::Hop { size, slide: unit, offset }
            };
            let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::ALL);
            let op = windows(kind, &[("COUNT", false), ("SUM", false), ("MAX", false), ("COUNT", true)]);
            let (mut text, mut watermark) = (String::new(), i64::MIN);
            let mut want: BTreeMap<String, usize> = BTreeMap::new();
            // The values of each window and key, with their counts.
            let mut open: BTreeMap<(i64, i64, u8), BTreeMap<i64, i64>> = BTreeMap::new();
            let mut late = 0;
            let mut close = |open: &mut BTreeMap<(i64, i64, u8), BTreeMap<i64, i64>>, w: i64| {
                for ((end, start, k), values) in open.iter().filter(|o| o.0.0 - 1 <= w) {
                    let n: i64 = values.values().sum();
                    if n != 0 {
                        let sum: i64 = values.iter().map(|(v, n)| v * n).sum();
                        let max = values.iter().filter(|v| *v.1 > 0).map(|v| *v.0).max().unwrap();
                        let distinct = values.values().filter(|n| **n > 0).count();
                        let line = format!("+I {k} {n} {sum} {max} {distinct} {start} {end} {}", end - 1);
                        *want.entry(line).or_default() += 1;
                    }
                }
                open.retain(|o, _| o.0 - 1 > w);
            };
            let mut there: Vec<(u8, i64, i64)> = vec![];
            for &(k, v, t, leaves, mark) in &rows {
                // Only rows that are there leave.
                let at = leaves.then(|| there.iter().position(|r| r.0 == k)).flatten();
                let (k, v, t, sign) = match at {
                    Some(at) => {
                        let (k, v, t) = there.remove(at);
                        (k, v, t, -1)
                    }
                    None => {
                        there.push((k, v, t));
                        (k, v, t, 1)
                    }
                };
                writeln!(text, "{} {k} {v} {t}", if sign > 0 { "+I" } else { "-D" }).unwrap();
                let slice = (t - offset).div_euclid(unit) * unit + offset + unit;
                let first = (t - offset).div_euclid(size) * size + offset;
                let mut placed = false;
                for n in 0..slices {
                    let end = slice + n * unit;
                    let start = if cumulate { first } else { end - size };
                    if cumulate && end > first + size || end - 1 <= watermark {
                        continue;
                    }
                    placed = true;
                    *open.entry((end, start, k)).or_default().entry(v).or_default() += sign;
                }
                late += u64::from(!placed);
                if let Some(w) = mark.filter(|w| *w > watermark) {
                    writeln!(text, "~ {w}").unwrap();
                    watermark = w;
                    close(&mut open, w);
                }
            }
            // A row that leaves late, of one that was not, would leave what is not there.
            prop_assume!(open.values().flat_map(|v| v.values()).all(|n| *n >= 0));
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

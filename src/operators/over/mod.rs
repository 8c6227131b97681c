//! Over: beside each row what the rows of its key, up to it, come to. Input that only grows, ordered by time.
//!
//! * **Event time.** Rows wait until the watermark has reached them and go out by time, those of one key and time together, in order of
//!   arrival. So a key's rows enter its [`Frames`] in order whatever the order of arrival.
//! * **Processing time** is arrival: each row goes out at once. Only a frame of some time back collects the rows of a millisecond, and
//!   gives them when it is over.
//!
//! **Late rows**, as in Flink: where a frame reaches back to the beginning, those that the watermark has reached. Where all frames have a first
//! row, it depends on the row's key: those at or before the last time at which the key was woken; a row that comes after the
//! watermark but not after the key's last one still gets its result, with the watermark's next step. Where all frames are of some
//! time back, a key is forgotten once no row to come can see its rows, and with it that time: Flink cleans up at one and a half times the
//! frame, and so which rows it takes depends on that. For the same reason rows at or before 1970 are late in such frames.
//!
//! With `table.exec.state.ttl` a key that had no row for that long by the driver's clock begins anew, unless rows of it wait or it forgets by itself.

mod frames;
mod fused;
mod score;
mod sliced;
#[cfg(test)]
mod tests;
mod waiting;

use super::aggregates::{unshared, with_columns};
use super::expiry::Expiry;
use super::late::{Late, When};
use super::ready::Ready;
use super::{Context, Counters, Operator};
use crate::batch::{
    BEFORE_TIME, Batch, ColumnRef, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema, Watermarks,
};
use crate::error::{Error, Result};
use crate::plan::{self, Frame, OverOrder};
use crate::state::KeyTable;
use frames::Frames;
pub use score::OverScorer;
use waiting::Waiting;

/// See the module's text.
pub struct Over {
    partition: Vec<usize>,
    clock: Clock,
    types: Vec<DataType>,
    /// The types of the aggregates.
    made: Vec<DataType>,
    /// No frame reaches back to the beginning.
    bounded: bool,
    /// All frames are of some time back: the longest, ms.
    reach: Option<i64>,
    table: KeyTable,
    keys: Vec<Key>,
    frames: Frames,
    waiting: Waiting,
    watermark: i64,
    ready: Ready,
    counters: Counters,
    late: Late,
    /// The run so far: it has this number, and these are the rows of its output, by place.
    run: u64,
    out: Vec<u32>,
    values: Vec<ColumnRef>,
    slots: Vec<u32>,
    /// Keys that may have nothing left.
    blank: Vec<u32>,
    expiry: Option<Expiry>,
}

/// Where a row's time comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// The event time in this column.
    Event(usize),
    /// The order of arrival is all that counts.
    Arrival,
    /// The driver's clock.
    Driver,
}

/// What is known of a key besides its frames.
#[derive(Clone, Copy)]
struct Key {
    /// The last time at which it was woken, ms.
    last: i64,
    /// When it is forgotten, ms; 0: it is not.
    forget: i64,
    /// Rows that wait.
    waiting: u32,
    /// Its frames have had rows.
    live: bool,
    /// The last run that it was part of.
    run: u64,
}

const NEW: Key = Key { last: 0, forget: 0, waiting: 0, live: false, run: 0 };

impl Over {
    /// Aggregates over rows like those of `input`, ordered by time.
    ///
    /// # Panics
    /// When they are ordered by something else.
    pub fn new(over: &plan::Over, input: &plan::Node) -> Self {
        let types: Vec<DataType> = input.schema.fields.iter().map(|f| f.ty.clone()).collect();
        let reaches: Option<Vec<i64>> = over
            .calls
            .iter()
            .map(|(frame, _)| match frame {
                Frame::Range(Some(ms)) | Frame::Sliced { reach: ms, .. } => Some(*ms),
                _ => None,
            })
            .collect();
        let clock = match over.order {
            OverOrder::Rowtime(c) => Clock::Event(c),
            OverOrder::Proctime if over.is_by_clock() => Clock::Driver,
            OverOrder::Proctime => Clock::Arrival,
            OverOrder::Column(_) => panic!("an order that is not of time has an operator of its own"),
        };
        Self {
            partition: over.partition.clone(),
            clock,
            made: over.calls.iter().map(|c| c.1.ty.clone()).collect(),
            bounded: over.calls.iter().all(|c| !c.0.is_unbounded()),
            reach: reaches.and_then(|r| r.into_iter().max()),
            table: KeyTable::new(over.partition.iter().map(|&c| types[c].clone()).collect(), false),
            keys: vec![],
            frames: Frames::new(&over.calls, &input.schema),
            waiting: Waiting::new(types.clone()),
            types,
            watermark: BEFORE_TIME,
            ready: Ready::default(),
            counters: Counters::default(),
            late: Late::default(),
            run: 1,
            out: vec![],
            values: vec![],
            slots: vec![],
            blank: vec![],
            expiry: None,
        }
    }

    /// Keys that have lived out their time begin anew.
    fn expire(&mut self, now: i64) {
        if self.expiry.is_none() {
            return;
        }
        while let Some(slot) = self.expiry.as_mut().and_then(|e| e.next(now)) {
            let key = self.keys[slot as usize];
            if key.forget != 0 {
                continue;
            }
            if key.waiting > 0 {
                self.touch(&[slot], now);
                continue;
            }
            self.frames.clear(slot);
            self.keys[slot as usize] = NEW;
            self.blank.push(slot);
        }
        self.forget_blank();
    }

    fn touch(&mut self, slots: &[u32], now: i64) {
        if let Some(expiry) = &mut self.expiry {
            slots.iter().for_each(|&s| expiry.touch(s, now));
        }
    }

    /// Finds the keys of a batch's rows.
    fn find_keys(&mut self, batch: &Batch, rows: &[u32]) {
        self.slots.clear();
        let Self { table, slots, .. } = self;
        with_columns(&self.partition, batch, |columns| table.find_or_insert(None, columns, rows, slots));
        let bound = self.table.bound();
        if bound > self.keys.len() {
            self.keys.resize(bound, NEW);
            self.frames.grow(bound);
        }
    }

    /// A row of a key has come; it stands at `place`. False: it is late.
    fn arrive(&mut self, slot: u32, time: i64, place: u32) -> bool {
        let key = &mut self.keys[slot as usize];
        let late = if self.bounded { time <= key.last } else { time <= self.watermark };
        if late && self.clock != Clock::Driver {
            self.counters.late += 1;
            self.blank.push(slot);
            return false;
        }
        self.counters.absorbed += 1;
        key.waiting += 1;
        self.waiting.wait(slot, time, place);
        if let Some(reach) = self.reach
            && key.forget < time.saturating_add(reach).saturating_add(1)
        {
            key.forget = time.saturating_add((reach as f64 * 1.5) as i64).saturating_add(1);
            let forget = key.forget;
            self.waiting.timer(slot, forget);
        }
        true
    }

    /// Wakes the keys whose time the watermark (ms) has reached.
    fn wake(&mut self, watermark: i64, pool: &mut Pool) -> Result<(), Error> {
        while let Some((time, slot)) = self.waiting.fire(watermark) {
            let key = &mut self.keys[slot as usize];
            if key.forget != 0 && key.forget <= time {
                debug_assert_eq!(key.waiting, 0, "a key is forgotten after its last row");
                if key.run == self.run {
                    self.finish(pool)?;
                }
                self.frames.clear(slot);
                self.keys[slot as usize] = NEW;
                self.blank.push(slot);
                continue;
            }
            key.last = time;
            let from = self.out.len();
            self.waiting.release(slot, time, &mut self.out);
            let rows = &self.out[from..];
            if !rows.is_empty() {
                (key.live, key.run) = (true, self.run);
                key.waiting -= rows.len() as u32;
                self.frames.take(slot, time, rows, self.waiting.columns(), pool);
            }
        }
        self.watermark = watermark;
        Ok(())
    }

    /// Computes the aggregates of the run so far. At an error the rows before the one that failed stay.
    fn finish(&mut self, pool: &mut Pool) -> Result<(), Error> {
        self.run += 1;
        if self.values.is_empty() {
            self.values.extend(self.made.iter().map(|t| pool.column(t)));
        }
        let (_, failed) = self.frames.finish(self.waiting.columns(), &mut self.values, pool);
        match failed {
            Some(e) => {
                self.out.truncate(self.values[0].len());
                Err(e)
            }
            None => Ok(()),
        }
    }

    /// Gives the rows of the run out, `marks` saying after how many of them the watermark moves.
    fn give(&mut self, marks: &Watermarks, pool: &mut Pool) {
        let mut marks = marks.runs().iter().copied().peekable();
        let whole = self.out.len() <= MAX_ROWS;
        let mut from = 0;
        for chunk in self.out.chunks(MAX_ROWS) {
            let mut columns = pool.column_list();
            for (held, ty) in self.waiting.columns().iter().zip(&self.types) {
                let mut c = pool.column(ty);
                unshared(&mut c).extend_rows(held, chunk);
                columns.push(c);
            }
            if whole {
                columns.append(&mut self.values);
            } else {
                let rows: Vec<u32> = (from..from + chunk.len()).map(|r| r as u32).collect();
                for (made, ty) in self.values.iter().zip(&self.made) {
                    let mut c = pool.column(ty);
                    unshared(&mut c).extend_rows(made, &rows);
                    columns.push(c);
                }
            }
            let mut batch = pool.batch();
            batch.fill(&mut columns, chunk.len());
            pool.recycle_columns(columns);
            while let Some((after, w)) = marks.next_if(|m| m.0 as usize <= from + chunk.len()) {
                batch.watermarks.advance(after as usize - from, w);
            }
            from += chunk.len();
            self.ready.push(batch, pool);
        }
        for (_, w) in marks {
            self.ready.push_watermark(w, pool);
        }
        self.values.drain(..).for_each(|c| pool.recycle_column(c));
        self.out.clear();
        self.waiting.compact();
        self.forget_blank();
    }

    /// Forgets the keys that have nothing.
    fn forget_blank(&mut self) {
        self.blank.sort_unstable();
        self.blank.dedup();
        for slot in self.blank.drain(..) {
            let key = &self.keys[slot as usize];
            if !key.live && key.waiting == 0 && key.forget == 0 && key.last == 0 {
                self.table.remove(slot);
                if let Some(expiry) = &mut self.expiry {
                    expiry.forget(slot);
                }
            }
        }
    }

    /// Rows by their time: they wait.
    fn push_timed(&mut self, batch: &Batch, cx: &mut Context<'_>) {
        let mut rows = cx.pool.row_list();
        rows.extend(batch.sel().iter().map(|r| r as u32));
        self.slots.clear();
        // All rows are appended, the late ones as gaps, so that a row's place is known before the watermark is.
        let mut first = 0;
        if !rows.is_empty() {
            self.find_keys(batch, &rows);
            first = self.waiting.append(batch, &rows);
        }
        let slots = std::mem::take(&mut self.slots);
        let now = cx.now_us.div_euclid(1000);
        self.touch(&slots, now);
        let mut runs = batch.watermarks.runs().iter().copied().peekable();
        let mut marks = cx.pool.watermarks();
        let mut failed = None;
        'rows: for (k, (&row, &slot)) in rows.iter().zip(&slots).enumerate() {
            while let Some((_, w)) = runs.next_if(|r| r.0 <= row) {
                if self.clock != Clock::Driver
                    && let Err(e) = self.wake(w, cx.pool)
                {
                    failed = Some(e);
                    break 'rows;
                }
                marks.advance(self.out.len(), w);
            }
            let time = match self.clock {
                Clock::Event(c) if batch.column(c).is_valid(row as usize) => {
                    batch.column(c).slice::<i64>()[row as usize].div_euclid(1000)
                }
                Clock::Event(_) => {
                    failed = Some(Error::runtime(
                        "RowTime field should not be null, please convert it to a non-null long value.",
                    ));
                    break;
                }
                // The clock may be set back; a key's time is not.
                _ => now.max(self.watermark.saturating_add(1)),
            };
            if !self.arrive(slot, time, first + k as u32) {
                let time_us = Some(time.saturating_mul(1000));
                let when = When { time_us, watermark: self.watermark, window: None };
                self.late.row(batch, row as usize, when);
            }
        }
        for (_, w) in runs {
            if failed.is_none() && self.clock != Clock::Driver {
                failed = self.wake(w, cx.pool).err();
            }
            marks.advance(self.out.len(), w);
        }
        self.end_run(marks, failed, cx);
        self.slots = slots;
        cx.pool.recycle_rows(rows);
    }

    fn end_run(&mut self, mut marks: Watermarks, mut failed: Option<Error>, cx: &mut Context<'_>) {
        if let Err(e) = self.finish(cx.pool) {
            failed.get_or_insert(e);
        }
        if failed.is_some() {
            marks.truncate(self.out.len());
        }
        self.give(&marks, cx.pool);
        if let Some(e) = failed {
            self.ready.fail(e);
        }
        cx.pool.recycle_watermarks(marks);
    }

    /// Rows as they come: each goes on with its aggregates.
    fn push_arriving(&mut self, batch: Batch, cx: &mut Context<'_>) {
        let mut rows = cx.pool.row_list();
        rows.extend(batch.sel().iter().map(|r| r as u32));
        self.find_keys(&batch, &rows);
        let slots = std::mem::take(&mut self.slots);
        self.touch(&slots, cx.now_us.div_euclid(1000));
        self.slots = slots;
        if self.values.is_empty() {
            self.values.extend(self.made.iter().map(|t| cx.pool.column(t)));
        }
        for (k, &slot) in self.slots.iter().enumerate() {
            self.keys[slot as usize].live = true;
            self.frames.take(slot, 0, &rows[k..=k], &batch.columns, cx.pool);
        }
        self.counters.absorbed += rows.len() as u64;
        let (done, failed) = self.frames.finish(&batch.columns, &mut self.values, cx.pool);
        // The rows that were selected, without those from a failed one on.
        rows.truncate(done);
        let mut columns = cx.pool.column_list();
        for (c, ty) in batch.columns.iter().zip(&self.types) {
            let mut picked = cx.pool.column(ty);
            unshared(&mut picked).extend_rows(c, &rows);
            columns.push(picked);
        }
        columns.append(&mut self.values);
        let mut out = cx.pool.batch();
        out.fill(&mut columns, done);
        cx.pool.recycle_columns(columns);
        for &(after, w) in batch.watermarks.runs() {
            out.watermarks.advance(rows.partition_point(|&r| r < after), w);
        }
        cx.pool.recycle(batch);
        self.ready.push(out, cx.pool);
        if let Some(e) = failed {
            self.ready.fail(e);
        }
        cx.pool.recycle_rows(rows);
    }

    /// For the driver's clock: rows of milliseconds that are over.
    fn tick(&mut self, before_ms: i64, cx: &mut Context<'_>) {
        if self.waiting.next_timer().is_none_or(|t| t >= before_ms) {
            return;
        }
        let failed = self.wake(before_ms - 1, cx.pool).err();
        let marks = cx.pool.watermarks();
        self.end_run(marks, failed, cx);
    }
}

impl Operator for Over {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.expire(cx.now_us.div_euclid(1000));
        if self.clock == Clock::Driver {
            self.tick(cx.now_us.div_euclid(1000), cx);
        }
        if self.clock == Clock::Arrival {
            if batch.selected() > 0 {
                self.push_arriving(batch, cx);
            } else {
                self.ready.push(batch, cx.pool);
            }
            return Ok(());
        }
        self.push_timed(&batch, cx);
        cx.pool.recycle(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if self.clock == Clock::Driver && self.ready.is_empty() {
            self.tick(cx.now_us.div_euclid(1000), cx);
        }
        self.ready.pull(&mut self.counters)
    }

    fn finish(&mut self, _port: usize, cx: &mut Context<'_>) -> Result<()> {
        if self.clock == Clock::Driver {
            self.tick(i64::MAX, cx);
        }
        Ok(())
    }

    fn has_timers(&self) -> bool {
        self.clock == Clock::Driver
    }

    fn wake_at_us(&self) -> Option<i64> {
        let next = self.waiting.next_timer().filter(|_| self.clock == Clock::Driver)?;
        Some(next.saturating_add(1).saturating_mul(1000))
    }

    fn keep_late(&mut self, name: &str, input: &Schema) {
        self.late.keep(name, input);
    }

    fn take_late(&mut self) -> Option<Batch> {
        self.late.take()
    }

    fn set_state_ttl(&mut self, ttl_ms: i64) {
        self.expiry = Some(Expiry::new(ttl_ms));
        self.frames.end_keys();
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.ready.is_empty(), "nothing waits to be pulled");
        to.block(b"OVER", 1);
        to.i64(self.watermark);
        let order = self.table.order();
        self.table.encode(&order, to);
        let keys = || order.iter().map(|&s| &self.keys[s as usize]);
        to.slice(&keys().map(|k| k.last).collect::<Vec<_>>());
        to.slice(&keys().map(|k| k.forget).collect::<Vec<_>>());
        to.slice(&keys().map(|k| u8::from(k.live)).collect::<Vec<_>>());
        self.frames.encode(&order, self.table.bound(), to);
        let mut position = vec![0; self.table.bound()];
        order.iter().enumerate().for_each(|(n, &s)| position[s as usize] = n as u32);
        self.waiting.encode(&position, to);
        if let Some(expiry) = &self.expiry {
            expiry.encode(&order, to);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"OVER", 1)?;
        self.watermark = from.i64()?;
        let keys = self.table.decode(None, from)?;
        let (last, forget, live): (Vec<i64>, Vec<i64>, Vec<u8>) =
            (from.slice()?, from.slice()?, from.slice()?);
        if [last.len(), forget.len(), live.len()] != [keys; 3] {
            return Err(Error::corrupt("the keys of an OVER do not fit their number"));
        }
        self.keys.resize(keys, NEW);
        for (n, key) in self.keys.iter_mut().enumerate() {
            (key.last, key.forget, key.live) = (last[n], forget[n], live[n] != 0);
        }
        self.frames.decode(keys, from)?;
        self.waiting.decode(keys, from)?;
        for (slot, rows) in self.waiting.per_key() {
            self.keys[slot as usize].waiting = rows;
        }
        match &mut self.expiry {
            Some(expiry) => expiry.decode(keys, from),
            None => Ok(()),
        }
    }

    fn state_rows(&self) -> usize {
        self.table.len()
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
            + self.keys.capacity() * size_of::<Key>()
            + self.frames.bytes()
            + self.expiry.as_ref().map_or(0, Expiry::bytes)
            + self.waiting.bytes()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

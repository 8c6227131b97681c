//! Deduplicate: of each key the first or the last row, by event time or by arrival. Flink's plan for `ROW_NUMBER() … = 1` ordered by a time
//! attribute alone, over input that only grows.
//!
//! * **The first to arrive** goes out at once, others are dropped.
//! * **The last to arrive** replaces the one before it, unless it is equal.
//! * **The last by event time**: a row as late as the one before it, or later, replaces it.
//! * **The first by event time** waits until the watermark has reached it, so that the result only grows. A row before the watermark is
//!   late. Rows whose time has come go out by time, then by when the key was first seen waiting.
//!
//! With `table.exec.state.ttl` a key is forgotten so long after its state was last written ([`super::expiry`]): of the first row that is once, and a row
//! that waits is not forgotten. An equal row is then told too, as a sign of life.

use super::emit::Emit;
use super::expiry::Expiry;
use super::late::{Late, When};
use super::{Context, Counters, Operator};
use crate::batch::{BEFORE_TIME, Batch, Column, DataType, Decoder, Encoder, Pool, RowKind, Schema};
use crate::error::{Error, Result};
use crate::plan::{self, Keep};
use crate::state::{KeyTable, Rows, decode_row, encode_row};
use std::collections::BTreeMap;

/// See the module's text.
pub struct Deduplicate {
    keys: Vec<usize>,
    keep: Keep,
    types: Vec<DataType>,
    table: KeyTable,
    /// By slot.
    held: Vec<Held>,
    rows: Rows,
    /// Rows that wait for the watermark: time (µs) and order, to the key's slot.
    timers: BTreeMap<(i64, u64), u32>,
    next: u64,
    watermark: i64,
    batch: Option<Batch>,
    slots: Vec<u32>,
    done: usize,
    marks_done: usize,
    emit: Emit,
    counters: Counters,
    late: Late,
    expiry: Option<Expiry>,
    /// The time of the batch at work, ms.
    now: i64,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Nothing,
    /// The row, and its order among those that wait.
    Row(u32, u64),
    /// Its row has gone out and is not needed any more.
    Done,
}

impl Deduplicate {
    /// Over rows like those of `input`.
    pub fn new(keys: &[usize], keep: Keep, input: &plan::Node) -> Self {
        let types: Vec<DataType> = input.schema.fields.iter().map(|f| f.ty.clone()).collect();
        Self {
            keys: keys.to_vec(),
            keep,
            table: KeyTable::new(keys.iter().map(|&c| types[c].clone()).collect(), false),
            held: vec![],
            rows: Rows::default(),
            timers: BTreeMap::new(),
            next: 0,
            watermark: BEFORE_TIME,
            batch: None,
            slots: vec![],
            done: 0,
            marks_done: 0,
            emit: Emit::new(types.clone()),
            types,
            counters: Counters::default(),
            late: Late::default(),
            expiry: None,
            now: 0,
        }
    }

    /// The key's state has been written.
    fn touch(&mut self, slot: u32) {
        if let Some(expiry) = &mut self.expiry {
            expiry.touch(slot, self.now);
        }
    }

    /// Forgets the keys that have lived out their time.
    fn expire(&mut self) {
        while let Some(slot) = self.expiry.as_mut().and_then(|e| e.next(self.now)) {
            if let Held::Row(row, _) = std::mem::replace(&mut self.held[slot as usize], Held::Nothing) {
                self.rows.remove(row);
            }
            self.table.remove(slot);
        }
    }

    /// The event time of a row, µs.
    fn time(&self, column: usize, row: u32) -> i64 {
        let mut columns: Vec<Column> = self.types.iter().map(Column::new).collect();
        decode_row(self.rows.get(row), columns.iter_mut());
        columns[column].slice::<i64>()[0]
    }

    /// Rows up to the watermark (ms) go out.
    fn release(&mut self, watermark: i64, pool: &mut Pool) {
        let until = watermark.saturating_mul(1000).saturating_add(999);
        while let Some(first) = self.timers.first_entry().filter(|e| e.key().0 <= until) {
            let slot = first.remove();
            if let Held::Row(row, _) = std::mem::replace(&mut self.held[slot as usize], Held::Done) {
                self.emit.row(RowKind::Insert, self.rows.get(row), |_| (), pool);
                self.rows.remove(row);
                self.touch(slot);
            }
        }
        self.watermark = watermark;
        self.emit.watermark(watermark);
    }

    fn row(&mut self, batch: &Batch, row: usize, slot: u32, bytes: &[u8], pool: &mut Pool) {
        let held = self.held[slot as usize];
        self.counters.absorbed += 1;
        match (self.keep, held) {
            (Keep::FirstArrived, Held::Nothing) => {
                self.held[slot as usize] = Held::Done;
                self.touch(slot);
                self.emit.row(RowKind::Insert, bytes, |_| (), pool);
            }
            (Keep::FirstArrived, _) => {
                self.counters.absorbed -= 1;
                self.counters.filtered += 1;
            }
            (Keep::LastArrived | Keep::LastByTime(_), Held::Row(before, _)) => {
                let stays = match self.keep {
                    Keep::LastByTime(c) => batch.column(c).slice::<i64>()[row] < self.time(c, before),
                    _ => self.expiry.is_none() && self.rows.get(before) == bytes,
                };
                if stays {
                    return;
                }
                self.emit.row(RowKind::UpdateBefore, self.rows.get(before), |_| (), pool);
                self.emit.row(RowKind::UpdateAfter, bytes, |_| (), pool);
                self.rows.remove(before);
                self.held[slot as usize] = Held::Row(self.rows.insert(bytes), 0);
                self.touch(slot);
            }
            (Keep::LastArrived | Keep::LastByTime(_), _) => {
                self.emit.row(RowKind::Insert, bytes, |_| (), pool);
                self.held[slot as usize] = Held::Row(self.rows.insert(bytes), 0);
                self.touch(slot);
            }
            (Keep::FirstByTime(c), held) => {
                let time = batch.column(c).slice::<i64>()[row];
                if time.div_euclid(1000) < self.watermark {
                    self.counters.absorbed -= 1;
                    self.counters.late += 1;
                    let when = When { time_us: Some(time), watermark: self.watermark, window: None };
                    self.late.row(batch, row, when);
                    return;
                }
                let order = match held {
                    Held::Done => return,
                    Held::Nothing => {
                        self.next += 1;
                        self.next - 1
                    }
                    Held::Row(before, order) => {
                        let earlier = self.time(c, before);
                        if time >= earlier {
                            return;
                        }
                        self.timers.remove(&(earlier, order));
                        self.rows.remove(before);
                        order
                    }
                };
                self.timers.insert((time, order), slot);
                self.held[slot as usize] = Held::Row(self.rows.insert(bytes), order);
            }
        }
    }

    fn work(&mut self, pool: &mut Pool) {
        let Some(batch) = self.batch.take() else { return };
        let mut bytes = vec![];
        let rows: Vec<usize> = batch.sel().iter().skip(self.done).collect();
        for row in rows {
            while let Some(m) = batch.watermarks.runs().get(self.marks_done).filter(|m| m.0 as usize <= row) {
                self.release(m.1, pool);
                self.marks_done += 1;
            }
            bytes.clear();
            encode_row(&batch, row, &mut bytes);
            self.row(&batch, row, self.slots[self.done], &bytes, pool);
            self.done += 1;
            if self.emit.is_full() {
                self.batch = Some(batch);
                return;
            }
        }
        while let Some(m) = batch.watermarks.runs().get(self.marks_done) {
            self.release(m.1, pool);
            self.marks_done += 1;
        }
        self.emit.close(pool);
        pool.recycle(batch);
    }
}

impl Operator for Deduplicate {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.now = cx.now_us.div_euclid(1000);
        self.expire();
        self.slots.clear();
        if batch.selected() > 0 {
            let rows: Vec<u32> = batch.sel().iter().map(|r| r as u32).collect();
            let columns: Vec<&Column> = self.keys.iter().map(|&c| &**batch.column(c)).collect();
            self.table.find_or_insert(None, &columns, &rows, &mut self.slots);
            self.held.resize(self.table.bound().max(self.held.len()), Held::Nothing);
        }
        (self.done, self.marks_done) = (0, 0);
        self.batch = Some(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if !self.emit.is_full() {
            self.work(cx.pool);
        }
        Ok(self.emit.pull(&mut self.counters))
    }

    fn keep_late(&mut self, name: &str, input: &Schema) {
        self.late.keep(name, input);
    }

    fn take_late(&mut self) -> Option<Batch> {
        self.late.take()
    }

    fn set_state_ttl(&mut self, ttl_ms: i64) {
        self.expiry = Some(Expiry::new(ttl_ms));
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"DEDU", 1);
        to.i64(self.watermark);
        let order = self.table.order();
        self.table.encode(&order, to);
        let held = || order.iter().map(|&s| self.held[s as usize]);
        let forms: Vec<u8> = held()
            .map(|h| match h {
                Held::Nothing => 0,
                Held::Row(..) => 1,
                Held::Done => 2,
            })
            .collect();
        to.slice(&forms);
        let rows =
            held().filter_map(|h| if let Held::Row(row, order) = h { Some((row, order)) } else { None });
        let (rows, orders): (Vec<u32>, Vec<u64>) = rows.unzip();
        to.slice(&orders);
        self.rows.encode(&self.types, &rows, to);
        if let Some(expiry) = &self.expiry {
            expiry.encode(&order, to);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"DEDU", 1)?;
        self.watermark = from.i64()?;
        let keys = self.table.decode(None, from)?;
        let forms: Vec<u8> = from.slice()?;
        let orders: Vec<u64> = from.slice()?;
        let rows = self.rows.decode(&self.types, from)?;
        let with_row = forms.iter().filter(|f| **f == 1).count();
        if forms.len() != keys || with_row != rows || orders.len() != rows || forms.iter().any(|f| *f > 2) {
            return Err(Error::corrupt("the rows of a deduplication do not fit its keys"));
        }
        let mut row = 0u32;
        for (slot, form) in forms.into_iter().enumerate() {
            self.held.push(match form {
                0 => Held::Nothing,
                1 => {
                    let order = orders[row as usize];
                    if let Keep::FirstByTime(c) = self.keep {
                        self.timers.insert((self.time(c, row), order), slot as u32);
                        self.next = self.next.max(order + 1);
                    }
                    row += 1;
                    Held::Row(row - 1, order)
                }
                _ => Held::Done,
            });
        }
        match &mut self.expiry {
            Some(expiry) => expiry.decode(keys, from),
            None => Ok(()),
        }
    }

    fn state_rows(&self) -> usize {
        self.rows.len()
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
            + self.rows.bytes()
            + self.expiry.as_ref().map_or(0, Expiry::bytes)
            + self.held.capacity() * size_of::<Held>()
            + self.timers.len() * size_of::<((i64, u64), u32)>()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::testing::{check, input, node};
    use crate::plan::{Changelog, Op};

    fn run(keep: Keep, text: &str, expected: &str) {
        let schema = "k STRING, id INT, t ROWTIME";
        let from = input(schema, Changelog::INSERT);
        check(
            &node(Op::Deduplicate { keys: vec![0], keep }, schema, Changelog::ALL),
            &[&from],
            text,
            expected,
        );
    }

    const TEXT: &str = "a 1 10
         b 2 20
         a 3 5
         ~ 4
         a 3 5
         null 4 7
         a 5 10
         ~ 12
         b 6 11
         b 7 12
         b 8 12";

    #[test]
    fn the_first_to_arrive() {
        run(Keep::FirstArrived, TEXT, "+I a 1 10\n+I b 2 20\n~ 4\n+I null 4 7\n~ end");
    }

    #[test]
    fn the_last_to_arrive_unless_it_is_equal() {
        run(
            Keep::LastArrived,
            TEXT,
            "+I a 1 10
             +I b 2 20
             -U a 1 10
             +U a 3 5
             ~ 4
             +I null 4 7
             -U a 3 5
             +U a 5 10
             ~ 12
             -U b 2 20
             +U b 6 11
             -U b 6 11
             +U b 7 12
             -U b 7 12
             +U b 8 12
             ~ end",
        );
    }

    #[test]
    fn the_last_by_time_and_then_by_arrival() {
        run(
            Keep::LastByTime(2),
            TEXT,
            "+I a 1 10
             +I b 2 20
             ~ 4
             +I null 4 7
             -U a 1 10
             +U a 5 10
             ~ end",
        );
    }

    #[test]
    fn the_first_by_time_when_the_watermark_has_come() {
        run(Keep::FirstByTime(2), TEXT, "~ 4\n+I a 3 5\n+I null 4 7\n~ 12\n+I b 7 12\n~ end");
    }
}

//! Sort by time: ascending event time, then further keys, then arrival. Rows wait until the watermark passes their time, and go
//! out in order.
//!
//! **Late rows** are those at or before the last time that went out, as in Flink's `RowTimeSortOperator`; a row between that
//! time and the watermark still finds its place, and goes out with the watermark's next step.
//!
//! Rows wait in columns; an ordered map leads from a time to the rows that have it. Rows that went out leave a gap, and
//! the columns are written anew when the gaps outgrow the rows.

use super::late::{Late, When};
use super::ready::Ready;
use super::{Context, Counters, Operator};
use crate::batch::{
    BEFORE_TIME, Batch, Column, ColumnRef, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema, Watermarks,
    order::compare_values,
};
use crate::error::{Error, Result};
use crate::plan::{self, SortKey};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Gaps that are always borne.
const SMALL: usize = 4096;

/// See the module's text.
pub struct SortByTime {
    time: usize,
    then: Vec<SortKey>,
    types: Vec<DataType>,
    /// The waiting rows, and gaps.
    columns: Vec<Column>,
    /// The waiting rows of each time, in order of arrival.
    times: BTreeMap<i64, Vec<u32>>,
    waiting: usize,
    /// The last time that went out, µs.
    emitted: i64,
    watermark: i64,
    ready: Ready,
    counters: Counters,
    late: Late,
}

impl SortByTime {
    /// A sort of `input`'s rows by the time attribute `time`, then by `then`.
    pub fn new(time: usize, then: &[SortKey], input: &plan::Node) -> Self {
        let types: Vec<DataType> = input.schema.fields.iter().map(|f| f.ty.clone()).collect();
        Self {
            time,
            then: then.to_vec(),
            columns: types.iter().map(Column::new).collect(),
            types,
            times: BTreeMap::new(),
            waiting: 0,
            emitted: i64::MIN,
            watermark: BEFORE_TIME,
            ready: Ready::default(),
            counters: Counters::default(),
            late: Late::default(),
        }
    }

    /// Takes row `row` of the batch, which becomes the last of the columns.
    fn take(&mut self, time: i64, place: u32) {
        self.counters.absorbed += 1;
        self.waiting += 1;
        self.times.entry(time).or_default().push(place);
    }

    /// Appends the rows whose time the watermark (ms) has passed, in order.
    fn release(&mut self, watermark: i64, out: &mut Vec<u32>) {
        let until = watermark.saturating_mul(1000).saturating_add(999);
        while let Some(first) = self.times.first_entry() {
            if *first.key() > until {
                return;
            }
            self.emitted = *first.key();
            let mut rows = first.remove();
            let (columns, keys) = (&self.columns, &self.then);
            rows.sort_by(|&a, &b| compare(columns, keys, a as usize, b as usize));
            self.waiting -= rows.len();
            out.append(&mut rows);
        }
    }

    /// Gives `rows` out, `marks` saying after how many of them the watermark moves.
    fn give(&mut self, rows: &[u32], marks: &Watermarks, pool: &mut Pool) {
        let mut marks = marks.runs().iter().copied().peekable();
        let mut from = 0;
        for chunk in rows.chunks(MAX_ROWS) {
            let mut columns = pool.column_list();
            for (held, ty) in self.columns.iter().zip(&self.types) {
                let mut c = pool.column(ty);
                ColumnRef::get_mut(&mut c)
                    .expect("the pool hands out unshared columns")
                    .extend_rows(held, chunk);
                columns.push(c);
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
    }

    /// Writes the columns anew without gaps when these outgrow the rows.
    fn compact(&mut self) {
        let held = self.columns.first().map_or(0, Column::len);
        if held - self.waiting <= self.waiting.max(SMALL) {
            return;
        }
        let places: Vec<u32> = self.times.values().flatten().copied().collect();
        for (c, ty) in self.columns.iter_mut().zip(&self.types) {
            let mut dense = Column::new(ty);
            dense.extend_rows(c, &places);
            *c = dense;
        }
        for (next, place) in self.times.values_mut().flatten().enumerate() {
            *place = next as u32;
        }
    }
}

/// Order among rows of one time; arrival decides the rest, since the sort is stable.
pub(super) fn compare(columns: &[Column], keys: &[SortKey], a: usize, b: usize) -> Ordering {
    for key in keys {
        let c = &columns[key.column];
        let order = match (c.is_valid(a), c.is_valid(b)) {
            (false, false) => Ordering::Equal,
            (false, true) if key.nulls_first => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, false) if key.nulls_first => Ordering::Greater,
            (true, false) => Ordering::Less,
            (true, true) if key.descending => compare_values(c, b, c, a),
            (true, true) => compare_values(c, a, c, b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

impl Operator for SortByTime {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        let mut out = cx.pool.row_list();
        let mut marks = cx.pool.watermarks();
        let mut runs = batch.watermarks.runs().iter().copied().peekable();
        let mut failed = None;
        let first = self.columns.first().map_or(0, Column::len) as u32;
        let mut taken = cx.pool.row_list();
        if batch.selected() > 0 {
            // All rows are appended, the late ones as gaps, so that a row's place is known before the watermark is.
            batch.sel().list(&mut taken);
            for (held, c) in self.columns.iter_mut().zip(&batch.columns) {
                held.extend_rows(c, &taken);
            }
        }
        for (k, &row) in taken.iter().enumerate() {
            while let Some((_, w)) = runs.next_if(|r| r.0 <= row) {
                self.watermark = w;
                self.release(w, &mut out);
                marks.advance(out.len(), w);
            }
            let times = batch.column(self.time);
            if !times.is_valid(row as usize) {
                failed = Some(Error::runtime(
                    "RowTime field should not be null, please convert it to a non-null long value.",
                ));
                break;
            }
            let time = times.slice::<i64>()[row as usize];
            if time <= self.emitted {
                self.counters.late += 1;
                let when = When { time_us: Some(time), watermark: self.watermark, window: None };
                self.late.row(&batch, row as usize, when);
            } else {
                self.take(time, first + k as u32);
            }
        }
        if failed.is_none() {
            for (_, w) in runs {
                self.watermark = w;
                self.release(w, &mut out);
                marks.advance(out.len(), w);
            }
        }
        self.give(&out, &marks, cx.pool);
        if let Some(e) = failed {
            self.ready.fail(e);
        }
        self.compact();
        cx.pool.recycle_rows(out);
        cx.pool.recycle_rows(taken);
        cx.pool.recycle_watermarks(marks);
        cx.pool.recycle(batch);
        Ok(())
    }

    fn pull(&mut self, _cx: &mut Context<'_>) -> Result<Option<Batch>> {
        self.ready.pull(&mut self.counters)
    }

    fn keep_late(&mut self, name: &str, input: &Schema) {
        self.late.keep(name, input);
    }

    fn take_late(&mut self) -> Option<Batch> {
        self.late.take()
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"SORT", 1);
        to.i64(self.emitted);
        to.i64(self.watermark);
        let places: Vec<u32> = self.times.values().flatten().copied().collect();
        for (c, ty) in self.columns.iter().zip(&self.types) {
            let mut dense = Column::new(ty);
            dense.extend_rows(c, &places);
            to.column(&dense);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"SORT", 1)?;
        self.emitted = from.i64()?;
        self.watermark = from.i64()?;
        for c in &mut self.columns {
            from.column(c)?;
        }
        let rows = self.columns.first().map_or(0, Column::len);
        let damaged =
            || Error::corrupt("the state of a sort has columns of different lengths or a row without time");
        if self.columns.iter().any(|c| c.len() != rows) {
            return Err(damaged());
        }
        for row in 0..rows {
            if !self.columns[self.time].is_valid(row) {
                return Err(damaged());
            }
            let time = self.columns[self.time].slice::<i64>()[row];
            self.times.entry(time).or_default().push(row as u32);
        }
        self.waiting = rows;
        Ok(())
    }

    fn state_rows(&self) -> usize {
        self.waiting
    }

    fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum::<usize>() + self.waiting * 4 + self.times.len() * 48
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

    #[test]
    fn rows_go_out_by_time_then_keys_then_arrival_and_late_ones_are_dropped() {
        let from = input("t ROWTIME, n INT, id INT", Changelog::INSERT);
        let then = vec![SortKey { column: 1, descending: true, nulls_first: false }];
        let op = node(Op::SortByTime { time: 0, then }, "t ROWTIME, n INT, id INT", Changelog::INSERT);
        check(
            &op,
            &[&from],
            "50 1 1
             30 5 2
             30 null 3
             30 7 4
             30 5 5
             ~ 40
             30 9 6
             35 1 7
             ~ 41
             50 3 8
             60 1 9
             ~ end",
            "+I 30 7 4
             +I 30 5 2
             +I 30 5 5
             +I 30 null 3
             ~ 40
             +I 35 1 7
             ~ 41
             +I 50 3 8
             +I 50 1 1
             +I 60 1 9
             ~ end",
        );
    }
}

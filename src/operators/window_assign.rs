//! Window assignment: the table functions TUMBLE, HOP and CUMULATE. Adds `window_start`, `window_end` and `window_time` to every row, and
//! repeats a row for each of its windows. No row is ever late here; a row without time belongs to no window and is dropped.
//!
//! TUMBLE adds columns and leaves the rest of the batch alone. The others give rows of new batches, in parts, so that a row with thousands
//! of windows needs no more memory than another.

use super::aggregates::unshared;
use super::ready::Ready;
use super::windows::{Span, Windows};
use super::{Context, Counters, Operator};
use crate::batch::{Batch, ColumnRef, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema};
use crate::error::{Error, Result};
use crate::plan::{Window, WindowKind, WindowTime};

/// See the module's text.
pub struct WindowAssign {
    time: usize,
    tumble: bool,
    windows: Windows,
    types: Vec<DataType>,
    ready: Ready,
    expansion: Option<Expansion>,
    counters: Counters,
}

/// A batch whose rows are being repeated.
struct Expansion {
    batch: Batch,
    /// The next selected row, and the next of its windows; none: its first.
    next: usize,
    window: Option<Span>,
    /// Watermarks that have been given.
    marks: usize,
}

impl WindowAssign {
    /// Assigns windows by a time attribute; `output` is the input's columns and the three of the window.
    ///
    /// # Errors
    /// The form of window is not supported.
    pub fn new(window: &Window, output: &Schema, place: crate::error::Span) -> Result<Self> {
        let WindowTime::Attribute(time) = window.time else {
            return Err(Error::planning("a window function over rows that have a window", place));
        };
        if let WindowKind::Session { .. } = window.kind {
            return Err(Error::unsupported("SESSION", place));
        }
        Ok(Self {
            time,
            tumble: matches!(window.kind, WindowKind::Tumble { .. }),
            windows: Windows::new(window),
            types: output.fields.iter().map(|f| f.ty.clone()).collect(),
            ready: Ready::default(),
            expansion: None,
            counters: Counters::default(),
        })
    }

    /// Takes rows without time, or outside of every window, out of the selection.
    fn drop_unplaced(&mut self, batch: &mut Batch, pool: &mut Pool) {
        let time = batch.column(self.time);
        if !time.validity.may_have_nulls() && self.tumble {
            return;
        }
        let values = time.slice::<i64>();
        let mut keep = pool.row_list();
        let windows = &mut self.windows;
        let placed = |&r: &usize| time.is_valid(r) && !windows.misses(values[r]);
        keep.extend(batch.sel().iter().filter(placed).map(|r| r as u32));
        self.counters.filtered += (batch.selected() - keep.len()) as u64;
        if let Some(old) = batch.select(Some(keep)) {
            pool.recycle_rows(old);
        }
    }

    fn tumble(&mut self, batch: Batch, pool: &mut Pool) {
        let n = self.types.len() - 3;
        let mut columns = pool.column_list();
        columns.extend(batch.columns.iter().cloned());
        let mut added = [0, 1, 2].map(|i| {
            let mut c = pool.column(&self.types[n + i]);
            unshared(&mut c).reset(batch.rows());
            c
        });
        let [start, end, time] = &mut added;
        let (start, end, at) = (values(start), values(end), values(time));
        let times = batch.column(self.time).slice::<i64>();
        let windows = &mut self.windows;
        let mut last = (Span::default(), 0);
        batch.sel().for_each(|r| {
            let w = windows.first(times[r]);
            if w != last.0 {
                last = (w, windows.time(w.end));
            }
            (start[r], end[r], at[r]) = (w.start, w.end, last.1);
        });
        columns.extend(added);
        let (batch, old) = batch.with_columns(columns);
        pool.recycle_columns(old);
        self.ready.push(batch, pool);
    }
}

fn values(column: &mut ColumnRef) -> &mut [i64] {
    unshared(column).buffer_mut::<i64>()
}

impl Expansion {
    /// Up to [`MAX_ROWS`] further rows.
    fn rows(&mut self, time: usize, windows: &mut Windows, types: &[DataType], pool: &mut Pool) -> Batch {
        let n = types.len() - 3;
        let mut rows = pool.row_list();
        let mut added = [0, 1, 2].map(|i| pool.column(&types[n + i]));
        let mut out = pool.batch();
        let times = self.batch.column(time).slice::<i64>();
        let (sel, runs) = (self.batch.sel(), self.batch.watermarks.runs());
        while self.next < sel.len() && rows.len() < MAX_ROWS {
            let row = sel.row(self.next);
            while let Some(&(_, w)) = runs.get(self.marks).filter(|m| m.0 as usize <= row) {
                out.watermarks.advance(rows.len(), w);
                self.marks += 1;
            }
            let t = times[row];
            let window = self.window.take().unwrap_or_else(|| windows.first(t));
            rows.push(row as u32);
            for (c, v) in added.iter_mut().zip([window.start, window.end, windows.time(window.end)]) {
                unshared(c).buffer_mut::<i64>().push(v);
            }
            self.window = windows.next(t, window);
            self.next += usize::from(self.window.is_none());
        }
        if self.next == sel.len() {
            runs[self.marks..].iter().for_each(|m| out.watermarks.advance(rows.len(), m.1));
        }
        for (from, ty) in self.batch.columns.iter().zip(types) {
            let mut to = pool.column(ty);
            unshared(&mut to).extend_rows(from, &rows);
            out.columns.push(to);
        }
        for mut c in added {
            unshared(&mut c).validity.reset(rows.len());
            out.columns.push(c);
        }
        out.set_rows(rows.len());
        if let Some(kinds) = self.batch.kinds() {
            let mut list = pool.kind_list();
            list.extend(rows.iter().map(|&r| kinds[r as usize]));
            out.set_kinds(Some(list));
        }
        pool.recycle_rows(rows);
        out
    }
}

impl Operator for WindowAssign {
    fn push(&mut self, _port: usize, mut batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        if batch.selected() > 0 {
            self.drop_unplaced(&mut batch, cx.pool);
        }
        if batch.selected() == 0 {
            self.ready.push(batch, cx.pool);
        } else if self.tumble {
            self.tumble(batch, cx.pool);
        } else {
            self.counters.absorbed += batch.selected() as u64;
            self.expansion = Some(Expansion { batch, next: 0, window: None, marks: 0 });
        }
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some(e) = &mut self.expansion else { return self.ready.pull(&mut self.counters) };
        let out = e.rows(self.time, &mut self.windows, &self.types, cx.pool);
        if e.next == e.batch.selected()
            && let Some(done) = self.expansion.take()
        {
            cx.pool.recycle(done.batch);
        }
        self.counters.rows_out += out.selected() as u64;
        Ok(Some(out))
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"WASG", 1);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"WASG", 1)
    }

    fn bytes(&self) -> usize {
        0
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use crate::operators::testing::{check, input, node, run};
    use crate::plan::{Changelog, Op, Window, WindowKind, WindowTime};
    use jiff::tz::TimeZone;

    fn assign(kind: WindowKind, zone: Option<TimeZone>) -> Op {
        Op::WindowAssign(Window {
            kind,
            time: WindowTime::Attribute(1),
            partition: vec![],
            grouping: false,
            zone,
        })
    }

    const OUT: &str = "id INT, t ROWTIME, start TIMESTAMP, end TIMESTAMP, time ROWTIME";

    #[test]
    fn tumble_adds_columns_and_drops_rows_without_time() {
        let from = input("id INT, t ROWTIME", Changelog::ALL);
        let op = node(assign(WindowKind::Tumble { size: 100, offset: 30 }, None), OUT, Changelog::ALL);
        check(
            &op,
            &[&from],
            "1 0
             ~ 50
             -D 2 30
             3 null
             4 -171",
            "+I 1 0 -70 30 29
             ~ 50
             -D 2 30 30 130 129
             +I 4 -171 -270 -170 -171
             ~ end",
        );
    }

    #[test]
    fn hop_gives_the_latest_window_first_and_cumulate_the_shortest() {
        let from = input("id INT, t ROWTIME", Changelog::ALL);
        let op = node(assign(WindowKind::Hop { size: 30, slide: 10, offset: 0 }, None), OUT, Changelog::ALL);
        check(
            &op,
            &[&from],
            "1 9
             ~ 9
             -U 2 10",
            "+I 1 9 0 30 29
             +I 1 9 -10 20 19
             +I 1 9 -20 10 9
             ~ 9
             -U 2 10 10 40 39
             -U 2 10 0 30 29
             -U 2 10 -10 20 19
             ~ end",
        );
        let gaps = WindowKind::Hop { size: 2, slide: 10, offset: 0 };
        let op = node(assign(gaps, None), OUT, Changelog::ALL);
        check(&op, &[&from], "1 9\n 2 11\n 3 12", "+I 2 11 10 12 11\n ~ end");
        let cumulate = WindowKind::Cumulate { size: 30, step: 10, offset: 0 };
        let op = node(assign(cumulate, None), OUT, Changelog::ALL);
        check(&op, &[&from], "1 12", "+I 1 12 0 20 19\n +I 1 12 0 30 29\n ~ end");
    }

    #[test]
    fn a_row_with_many_windows_comes_in_parts() {
        let from = input("id INT, t ROWTIME", Changelog::INSERT);
        let hop = WindowKind::Hop { size: 3000, slide: 1, offset: 0 };
        let op = node(assign(hop, None), OUT, Changelog::INSERT);
        let out = run(&op, &[&from], "1 5\n 2 6", 2);
        assert_eq!(out.batches, [1024, 1024, 1024, 1024, 1024, 880]);
    }

    #[test]
    fn the_zone_shifts_windows_but_not_their_time() {
        let from = input("id INT, t ROWTIME_LTZ", Changelog::INSERT);
        let hour = 3_600_000;
        let zone = TimeZone::get("Asia/Kolkata").ok();
        let op = node(
            assign(WindowKind::Tumble { size: hour, offset: 0 }, zone),
            "id INT, t ROWTIME_LTZ, start TIMESTAMP, end TIMESTAMP, time ROWTIME_LTZ",
            Changelog::INSERT,
        );
        check(&op, &[&from], "1 0", "+I 1 0 18000000 21600000 1799999\n ~ end");
    }
}

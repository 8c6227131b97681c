//! Window rank: of each window and partition the rows whose ROW_NUMBER is in a range, given when the watermark passes the window's end. The
//! result only grows. Keeping the first or the last row of a key is the range from 1 to 1 by time.
//!
//! Rows carry their window. Those of a window and partition stand in an ordered map by sort key, then arrival, and no more of them than the
//! range ends at. A row whose window is closed is late. Windows close by time; within a window partitions come in the order of
//! their first row.

use super::emit::Emit;
use super::late::{Late, When};
use super::windows::Windows;
use super::{Context, Counters, Operator};
use crate::batch::{
    BEFORE_TIME, Batch, Column, ColumnRef, DataType, Decoder, Encoder, Pool, RowKind, Schema, TypeKind,
    sort_bytes,
};
use crate::error::{Error, Result};
use crate::plan::{self, Window, WindowTime};
use crate::state::{KeyTable, Rows, SliceKey, Slices, decode_row, encode_row};
use std::collections::{BTreeMap, VecDeque};

/// See the module's text.
pub struct WindowRank {
    rank: plan::Rank,
    /// Columns of the window's start and end.
    window: (usize, usize),
    latest: bool,
    windows: Windows,
    types: Vec<DataType>,
    slices: Slices<Box<Slice>>,
    rows: Rows,
    watermark: i64,
    /// Rows so far: the arrival of the next one.
    next: u64,
    place_bytes: usize,
    batch: Option<Batch>,
    done: usize,
    marks_done: usize,
    /// Closed windows whose rows are still to be given, and the watermark behind each.
    closed: VecDeque<Step>,
    bytes: Vec<u8>,
    emit: Emit,
    counters: Counters,
    late: Late,
}

/// What is to be given, in order.
enum Step {
    /// The partitions of a closed window from this one on.
    Rows(Box<Slice>, usize),
    Watermark(i64),
}

/// A row's place: sort key, then arrival.
type Place = (Box<[u8]>, u64);

/// The state of one window.
struct Slice {
    table: KeyTable,
    /// The rows of each partition, by slot.
    lists: Vec<BTreeMap<Place, u32>>,
}

impl WindowRank {
    /// The ranks of rows like those of `input` in the windows that they carry. `latest`: of rows with equal keys the last is first.
    ///
    /// # Panics
    /// When the rows do not carry their windows.
    pub fn new(rank: &plan::Rank, window: &Window, latest: bool, input: &plan::Node) -> Self {
        let WindowTime::Attached { start, end } = window.time else { panic!("the rows carry their windows") };
        let types: Vec<DataType> = input.schema.fields.iter().map(|f| f.ty.clone()).collect();
        let mut output = types.clone();
        output.extend(rank.number.then(|| TypeKind::BigInt.not_null()));
        Self {
            rank: rank.clone(),
            window: (start, end),
            latest,
            windows: Windows::new(window),
            types,
            slices: Slices::default(),
            rows: Rows::default(),
            watermark: BEFORE_TIME,
            next: 0,
            place_bytes: 0,
            batch: None,
            done: 0,
            marks_done: 0,
            closed: VecDeque::new(),
            bytes: vec![],
            emit: Emit::new(output),
            counters: Counters::default(),
            late: Late::default(),
        }
    }

    /// The sort key of a row, and its place among equal ones.
    fn place(&mut self, columns: &[impl std::borrow::Borrow<Column>], row: usize) -> Place {
        let mut key = vec![];
        for k in &self.rank.order {
            sort_bytes::encode(columns[k.column].borrow(), row, k.descending, k.nulls_first, &mut key);
        }
        self.next += 1;
        (key.into(), if self.latest { u64::MAX - self.next } else { self.next })
    }

    fn take(&mut self, batch: &Batch, row: usize) {
        let (start, end) = self.window;
        let at = |c: usize| batch.column(c).slice::<i64>()[row];
        let (start, end) = (at(start), at(end));
        let due = self.windows.due(end);
        if due <= self.watermark {
            self.counters.late += 1;
            let window = Some((start, end));
            self.late.row(batch, row, When { time_us: None, watermark: self.watermark, window });
            return;
        }
        let place = self.place(&batch.columns, row);
        let (rank, types) = (&self.rank, &self.types);
        let number = self.slices.open(SliceKey { due, end, start }, || Slice::new(rank, types));
        let slice = self.slices.state(number);
        let mut slots = vec![];
        super::aggregates::with_columns(&self.rank.partition, batch, |columns| {
            slice.table.find_or_insert(None, columns, &[row as u32], &mut slots);
        });
        slice.lists.resize_with(slice.table.bound().max(slice.lists.len()), BTreeMap::new);
        let list = &mut slice.lists[slots[0] as usize];
        let full = list.len() as u64 >= self.rank.end;
        if full && list.last_key_value().is_none_or(|(worst, _)| place >= *worst) {
            self.counters.filtered += 1;
            return;
        }
        self.counters.absorbed += 1;
        self.bytes.clear();
        encode_row(batch, row, &mut self.bytes);
        self.place_bytes += place.0.len();
        list.insert(place, self.rows.insert(&self.bytes));
        if full && let Some((worst, row)) = list.pop_last() {
            self.place_bytes -= worst.0.len();
            self.rows.remove(row);
        }
    }

    /// The watermark moves to `watermark`.
    fn advance(&mut self, watermark: i64) {
        while let Some((_, slice)) = self.slices.close(watermark) {
            self.closed.push_back(Step::Rows(slice, 0));
        }
        self.watermark = watermark;
        self.closed.push_back(Step::Watermark(watermark));
    }

    /// Gives rows of closed windows until a batch is full or none is left.
    fn give(&mut self, pool: &mut Pool) {
        while let Some(step) = self.closed.pop_front() {
            let (mut slice, from) = match step {
                Step::Watermark(w) => {
                    self.emit.watermark(w);
                    continue;
                }
                Step::Rows(slice, from) => (slice, from),
            };
            for slot in from..slice.lists.len() {
                for (n, (place, row)) in std::mem::take(&mut slice.lists[slot]).into_iter().enumerate() {
                    let rank = n as u64 + 1;
                    self.place_bytes -= place.0.len();
                    if rank >= self.rank.start {
                        let number = |columns: &mut [ColumnRef]| {
                            if let [c] = columns {
                                let c = super::aggregates::unshared(c);
                                c.buffer_mut::<i64>().push(rank as i64);
                                c.validity.push(true);
                            }
                        };
                        self.emit.row(RowKind::Insert, self.rows.get(row), number, pool);
                    }
                    self.rows.remove(row);
                }
                if self.emit.is_full() {
                    self.closed.push_front(Step::Rows(slice, slot + 1));
                    return;
                }
            }
        }
    }

    /// Works off rows until a batch of output is full or none is left.
    fn work(&mut self, pool: &mut Pool) {
        self.give(pool);
        if self.emit.is_full() {
            return;
        }
        let Some(batch) = self.batch.take() else { return };
        let rows = batch.sel().len();
        while self.done <= rows {
            let row = if self.done < rows { batch.sel().row(self.done) } else { usize::MAX };
            let marks = &batch.watermarks.runs()[self.marks_done..];
            let due = marks.iter().take_while(|m| (m.0 as usize) <= row).count();
            let upto: Vec<i64> = marks[..due].iter().map(|m| m.1).collect();
            self.marks_done += due;
            upto.into_iter().for_each(|w| self.advance(w));
            self.give(pool);
            if self.done < rows {
                self.take(&batch, row);
            }
            self.done += 1;
            if self.emit.is_full() && self.done <= rows {
                self.batch = Some(batch);
                return;
            }
        }
        pool.recycle(batch);
    }
}

impl Slice {
    fn new(rank: &plan::Rank, types: &[DataType]) -> Box<Self> {
        let keys = rank.partition.iter().map(|&c| types[c].clone()).collect();
        Box::new(Self { table: KeyTable::new(keys, false), lists: vec![] })
    }
}

impl Operator for WindowRank {
    fn push(&mut self, _port: usize, batch: Batch, _cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        (self.done, self.marks_done) = (0, 0);
        self.batch = Some(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if !self.emit.is_full() {
            self.work(cx.pool);
            if self.batch.is_none() && self.closed.is_empty() {
                self.emit.close(cx.pool);
            }
        }
        Ok(self.emit.pull(&mut self.counters))
    }

    fn keep_late(&mut self, name: &str, input: &Schema) {
        self.late.keep(name, input);
    }

    fn take_late(&mut self) -> Option<Batch> {
        self.late.take()
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.closed.is_empty(), "nothing waits to be pulled");
        to.block(b"WRNK", 1);
        to.i64(self.watermark);
        to.len(self.slices.iter().len());
        for (key, slice) in self.slices.iter() {
            to.slice(&[key.due, key.end, key.start]);
            let order = slice.table.order();
            slice.table.encode(&order, to);
            let lists = || order.iter().map(|&s| &slice.lists[s as usize]);
            to.slice(&lists().map(|l| l.len() as u64).collect::<Vec<_>>());
            let rows: Vec<u32> = lists().flat_map(|l| l.values().copied()).collect();
            self.rows.encode(&self.types, &rows, to);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"WRNK", 1)?;
        self.watermark = from.i64()?;
        let damaged = || Error::corrupt("the rows of a window's rank do not fit its partitions");
        for _ in 0..from.len(1)? {
            let [due, end, start] = from.slice::<i64>()?.try_into().map_err(|_| damaged())?;
            let mut slice = Slice::new(&self.rank, &self.types);
            let n = slice.table.decode(None, from)?;
            let lengths: Vec<u64> = from.slice()?;
            let mut rows = Rows::default();
            let held = rows.decode(&self.types, from)? as u64;
            if lengths.len() != n || lengths.iter().try_fold(0u64, |a, &b| a.checked_add(b)) != Some(held) {
                return Err(damaged());
            }
            slice.lists.resize_with(n, BTreeMap::new);
            let mut row = 0;
            for (slot, &len) in lengths.iter().enumerate() {
                // Places begin anew: of equal rows the last one stands first where the latest counts.
                let mut entries = vec![];
                for _ in 0..len {
                    let mut columns: Vec<Column> = self.types.iter().map(Column::new).collect();
                    decode_row(rows.get(row), columns.iter_mut());
                    entries.push((columns, self.rows.insert(rows.get(row))));
                    row += 1;
                }
                if self.latest {
                    entries.reverse();
                }
                for (columns, held) in entries {
                    let place = self.place(&columns, 0);
                    self.place_bytes += place.0.len();
                    slice.lists[slot].insert(place, held);
                }
            }
            self.slices.open(SliceKey { due, end, start }, || slice);
        }
        Ok(())
    }

    fn state_rows(&self) -> usize {
        self.rows.len()
    }

    fn bytes(&self) -> usize {
        let slices: usize = self.slices.states().map(|s| s.table.bytes() + s.lists.capacity() * 24).sum();
        slices + self.rows.bytes() + self.rows.len() * (size_of::<Place>() + 12) + self.place_bytes
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use crate::operators::testing::{check, input, node, run_all};
    use crate::plan::{self, Changelog, Node, Op, RankInput, SortKey, Window, WindowKind, WindowTime};

    const SCHEMA: &str = "k STRING, v BIGINT, id INT, start TIMESTAMP, stop TIMESTAMP";

    fn rank(range: (u64, u64), descending: bool, latest: bool, number: bool) -> Node {
        let rank = plan::Rank {
            partition: vec![0],
            order: vec![SortKey { column: 1, descending, nulls_first: !descending }],
            start: range.0,
            end: range.1,
            number,
            input: RankInput::Append,
        };
        let window = Window {
            kind: WindowKind::Tumble { size: 10, offset: 0 },
            time: WindowTime::Attached { start: 3, end: 4 },
            partition: vec![],
            grouping: false,
            zone: None,
        };
        let schema = if number { format!("{SCHEMA}, n BIGINT") } else { SCHEMA.to_owned() };
        node(Op::WindowRank { rank, window, latest }, &schema, Changelog::INSERT)
    }

    const ROWS: &str = "b 5 1 0 10
         a 7 2 0 10
         a 8 3 10 20
         a 7 4 0 10
         a 9 5 0 10
         a 1 6 0 10
         ~ 9
         a 0 7 0 10
         a 3 8 10 20
         ~ 30";

    #[test]
    fn the_best_rows_of_a_window_go_out_when_it_closes() {
        let from = input(SCHEMA, Changelog::INSERT);
        check(
            &rank((1, 2), true, false, true),
            &[&from],
            ROWS,
            "+I b 5 1 0 10 1
             +I a 9 5 0 10 1
             +I a 7 2 0 10 2
             ~ 9
             +I a 8 3 10 20 1
             +I a 3 8 10 20 2
             ~ end",
        );
        check(
            &rank((2, 3), true, false, false),
            &[&from],
            ROWS,
            "+I a 7 2 0 10
             +I a 7 4 0 10
             ~ 9
             +I a 3 8 10 20
             ~ end",
        );
        assert_eq!(run_all(&rank((1, 1), true, false, false), &[&from], ROWS).counters.late, 1);
    }

    #[test]
    fn of_equal_rows_the_first_stays_or_the_last_comes() {
        let from = input(SCHEMA, Changelog::INSERT);
        let rows = "a 7 1 0 10\na 7 2 0 10\na 7 3 0 10";
        check(&rank((1, 1), true, false, false), &[&from], rows, "+I a 7 1 0 10\n~ end");
        check(&rank((1, 1), true, true, false), &[&from], rows, "+I a 7 3 0 10\n~ end");
    }
}

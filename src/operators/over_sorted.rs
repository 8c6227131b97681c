//! Over, ordered by an ordinary column: a row may come anywhere in its partition, and what was said of the rows behind it is put right.
//! The input may change.
//!
//! Rows of a partition stand in a list by key, then arrival. **The changelog is Flink's.** A row that comes among others of equal key: in a
//! RANGE frame those are updated first, then it is told; in a ROWS frame it is told alone. A row that goes is a `-D`, whatever the input calls
//! it. Then the rows behind are updated in order, up to the first key (ROWS: row) whose accumulators come out as they were;
//! equal results of other accumulators are told too.
//!
//! The aggregates of a partition are computed anew from its first row, by accumulators that only take rows in: telling the rows
//! behind costs as much.

use super::aggregates::{Aggregates, unshared};
use super::emit::Emit;
use super::expiry::Expiry;
use super::{Context, Counters, Operator};
use crate::batch::key::{decode_value, encode_value};
use crate::batch::{Batch, Column, ColumnRef, DataType, Decoder, Encoder, Pool, RowKind, Schema, sort_bytes};
use crate::error::{Error, Result};
use crate::plan::{self, Frame, SortKey};
use crate::state::{KeyTable, Rows, decode_row, encode_row};

/// See the module's text.
pub struct OverSorted {
    partition: Vec<usize>,
    key: SortKey,
    /// Rows of equal key see each other.
    range: bool,
    types: Vec<DataType>,
    /// The types of the aggregates.
    made: Vec<DataType>,
    aggregates: Aggregates,
    table: KeyTable,
    /// The rows of each partition, by slot.
    lists: Vec<Vec<Entry>>,
    rows: Rows,
    /// Bytes of the entries outside the lists.
    entry_bytes: usize,
    /// The batch at work, its rows' partitions, and how many rows are done.
    batch: Option<Batch>,
    slots: Vec<u32>,
    done: usize,
    marks_done: usize,
    bytes: Vec<u8>,
    emit: Emit,
    failed: Option<Error>,
    counters: Counters,
    expiry: Option<Expiry>,
}

/// A row and what was said of it.
struct Entry {
    key: Box<[u8]>,
    row: u32,
    said: Said,
}

/// Aggregates of a row: their values, and the accumulators' state, as bytes.
#[derive(Clone, PartialEq, Eq, Default)]
struct Said {
    values: Box<[u8]>,
    state: Box<[u8]>,
}

impl Entry {
    fn heap(&self) -> usize {
        self.key.len() + self.said.values.len() + self.said.state.len()
    }
}

impl OverSorted {
    /// Aggregates over rows like those of `input`, ordered by `key`.
    pub fn new(over: &plan::Over, key: SortKey, input: &plan::Node) -> Self {
        let types: Vec<DataType> = input.schema.fields.iter().map(|f| f.ty.clone()).collect();
        let calls: Vec<plan::Aggregate> = over.calls.iter().map(|c| c.1.clone()).collect();
        let made: Vec<DataType> = calls.iter().map(|c| c.ty.clone()).collect();
        let mut output = types.clone();
        output.extend(made.iter().cloned());
        Self {
            partition: over.partition.clone(),
            key,
            range: over.calls.iter().all(|c| matches!(c.0, Frame::Range(_))),
            aggregates: Aggregates::new(&calls, &Schema::new(input.schema.fields.clone()), false),
            table: KeyTable::new(over.partition.iter().map(|&c| types[c].clone()).collect(), false),
            types,
            made,
            lists: vec![],
            rows: Rows::default(),
            entry_bytes: 0,
            batch: None,
            slots: vec![],
            done: 0,
            marks_done: 0,
            bytes: vec![],
            emit: Emit::new(output),
            failed: None,
            counters: Counters::default(),
            expiry: None,
        }
    }

    /// Forgets the partitions that had no row for as long as `table.exec.state.ttl`.
    fn expire(&mut self, now: i64) {
        while let Some(slot) = self.expiry.as_mut().and_then(|e| e.next(now)) {
            for entry in std::mem::take(&mut self.lists[slot as usize]) {
                self.entry_bytes -= entry.heap();
                self.rows.remove(entry.row);
            }
            self.table.remove(slot);
        }
    }

    fn tell(&mut self, kind: RowKind, row: u32, said: &Said, pool: &mut Pool) {
        let more = |columns: &mut [ColumnRef]| {
            let mut values = &*said.values;
            columns.iter_mut().for_each(|c| decode_value(&mut values, unshared(c)));
        };
        self.emit.row(kind, self.rows.get(row), more, pool);
    }

    /// The rows of `list[of]` join the accumulators.
    fn add(&mut self, list: &[Entry], of: std::ops::Range<usize>, pool: &mut Pool) -> Result<(), Error> {
        if of.is_empty() {
            return Ok(());
        }
        let mut columns = pool.column_list();
        columns.extend(self.types.iter().map(|t| pool.column(t)));
        for e in &list[of.clone()] {
            decode_row(self.rows.get(e.row), columns.iter_mut().map(unshared));
        }
        let mut batch = pool.batch();
        batch.fill(&mut columns, of.len());
        pool.recycle_columns(columns);
        let rows: Vec<u32> = (0..of.len() as u32).collect();
        let result = self.aggregates.update(&batch, &rows, &vec![0; of.len()]);
        pool.recycle(batch);
        result.map_err(|e| e.error)
    }

    /// What the accumulators come to.
    fn say(&self, pool: &mut Pool) -> Said {
        let mut columns: Vec<ColumnRef> = self.made.iter().map(|t| pool.column(t)).collect();
        self.aggregates.emit(&[0], &mut columns);
        let mut values = vec![];
        columns.iter().for_each(|c| encode_value(c, 0, &mut values));
        columns.into_iter().for_each(|c| pool.recycle_column(c));
        let mut state = Encoder::default();
        self.aggregates.encode(&[0], 1, &mut state);
        Said { values: values.into(), state: state.finish().into() }
    }

    /// The row at work (`self.bytes`) joins or leaves its partition.
    fn change(&mut self, kind: RowKind, slot: u32, key: Box<[u8]>, pool: &mut Pool) -> Result<(), Error> {
        let mut list = std::mem::take(&mut self.lists[slot as usize]);
        let result = if kind.is_add() {
            self.counters.absorbed += 1;
            self.insert(kind, &mut list, key, pool)
        } else {
            self.remove(&mut list, &key, pool)
        };
        self.lists[slot as usize] = list;
        result
    }

    /// Where rows of that key stand.
    fn peers(list: &[Entry], key: &[u8]) -> std::ops::Range<usize> {
        let first = list.partition_point(|e| *e.key < *key);
        first..first + list[first..].partition_point(|e| *e.key == *key)
    }

    fn insert(
        &mut self,
        kind: RowKind,
        list: &mut Vec<Entry>,
        key: Box<[u8]>,
        pool: &mut Pool,
    ) -> Result<(), Error> {
        let peers = Self::peers(list, &key);
        let at = peers.end;
        let row = self.rows.insert(&self.bytes);
        let entry = Entry { key, row, said: Said::default() };
        self.entry_bytes += entry.heap();
        list.insert(at, entry);
        self.begin(pool)?;
        self.add(list, 0..at + 1, pool)?;
        let said = self.say(pool);
        if self.range {
            let changed = peers.clone().next().is_none_or(|p| list[p].said.state != said.state);
            if changed {
                for e in &mut list[peers] {
                    let before = std::mem::replace(&mut e.said, said.clone());
                    self.tell(RowKind::UpdateBefore, e.row, &before, pool);
                    self.tell(RowKind::UpdateAfter, e.row, &said, pool);
                }
            }
        }
        self.tell(kind, row, &said, pool);
        self.entry_bytes += said.values.len() + said.state.len();
        list[at].said = said;
        self.rest(list, at + 1, pool)
    }

    fn remove(&mut self, list: &mut Vec<Entry>, key: &[u8], pool: &mut Pool) -> Result<(), Error> {
        let peers = Self::peers(list, key);
        let Some(at) = peers.clone().find(|&p| self.rows.get(list[p].row) == self.bytes.as_slice()) else {
            self.counters.filtered += 1;
            return Ok(());
        };
        self.counters.absorbed += 1;
        let gone = list.remove(at);
        self.entry_bytes -= gone.heap();
        self.begin(pool)?;
        let end = peers.end - 1;
        if self.range {
            self.add(list, 0..end, pool)?;
            let said = self.say(pool);
            let changed = peers.start == end || said.state != gone.said.state;
            for (p, e) in list[..end].iter_mut().enumerate().skip(peers.start) {
                if p == at {
                    self.tell(RowKind::Delete, gone.row, &gone.said, pool);
                }
                if changed {
                    let before = std::mem::replace(&mut e.said, said.clone());
                    self.tell(RowKind::UpdateBefore, e.row, &before, pool);
                    self.tell(RowKind::UpdateAfter, e.row, &said, pool);
                }
            }
            if at == end {
                self.tell(RowKind::Delete, gone.row, &gone.said, pool);
            }
            self.rows.remove(gone.row);
            return self.rest(list, end, pool);
        }
        self.tell(RowKind::Delete, gone.row, &gone.said, pool);
        self.rows.remove(gone.row);
        self.add(list, 0..at, pool)?;
        self.rest(list, at, pool)
    }

    /// The accumulators become empty.
    fn begin(&mut self, _pool: &mut Pool) -> Result<(), Error> {
        self.aggregates.grow(1);
        self.aggregates.reset_first(1);
        Ok(())
    }

    /// Puts right what was said of the rows from `from` on, those before being in the accumulators.
    fn rest(&mut self, list: &mut [Entry], mut from: usize, pool: &mut Pool) -> Result<(), Error> {
        while from < list.len() {
            let end = if self.range { Self::peers(list, &list[from].key).end } else { from + 1 };
            self.add(list, from..end, pool)?;
            let said = self.say(pool);
            if list[from].said.state == said.state {
                return Ok(());
            }
            for e in &mut list[from..end] {
                let before = std::mem::replace(&mut e.said, said.clone());
                self.tell(RowKind::UpdateBefore, e.row, &before, pool);
                self.tell(RowKind::UpdateAfter, e.row, &said, pool);
                self.entry_bytes += said.values.len() + said.state.len();
                self.entry_bytes -= before.values.len() + before.state.len();
            }
            from = end;
        }
        Ok(())
    }

    /// Works off rows until a batch of output is full or none is left.
    fn work(&mut self, pool: &mut Pool) {
        let Some(batch) = self.batch.take() else { return };
        let rows: Vec<usize> = batch.sel().iter().skip(self.done).collect();
        for row in rows {
            let marks = &batch.watermarks.runs()[self.marks_done..];
            for &(_, w) in marks.iter().take_while(|m| m.0 as usize <= row) {
                self.emit.watermark(w);
                self.marks_done += 1;
            }
            self.bytes.clear();
            encode_row(&batch, row, &mut self.bytes);
            let mut key = vec![];
            let k = self.key;
            sort_bytes::encode(batch.column(k.column), row, k.descending, k.nulls_first, &mut key);
            let (kind, slot) = (batch.kind(row), self.slots[self.done]);
            self.done += 1;
            if let Err(e) = self.change(kind, slot, key.into(), pool) {
                self.failed = Some(e);
                self.emit.close(pool);
                pool.recycle(batch);
                return;
            }
            if self.emit.is_full() {
                self.batch = Some(batch);
                return;
            }
        }
        batch.watermarks.runs()[self.marks_done..].iter().for_each(|m| self.emit.watermark(m.1));
        self.emit.close(pool);
        pool.recycle(batch);
        self.slots.sort_unstable();
        self.slots.dedup();
        for slot in std::mem::take(&mut self.slots) {
            if self.lists[slot as usize].is_empty() {
                self.table.remove(slot);
                if let Some(expiry) = &mut self.expiry {
                    expiry.forget(slot);
                }
            }
        }
    }
}

impl Operator for OverSorted {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        let now = cx.now_us.div_euclid(1000);
        self.expire(now);
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.slots.clear();
        if batch.selected() > 0 {
            let rows: Vec<u32> = batch.sel().iter().map(|r| r as u32).collect();
            let columns: Vec<&Column> = self.partition.iter().map(|&c| &**batch.column(c)).collect();
            self.table.find_or_insert(None, &columns, &rows, &mut self.slots);
            self.lists.resize_with(self.table.bound().max(self.lists.len()), Vec::new);
            if let Some(expiry) = &mut self.expiry {
                self.slots.iter().for_each(|&s| expiry.touch(s, now));
            }
        }
        (self.done, self.marks_done) = (0, 0);
        self.batch = Some(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if !self.emit.is_full() {
            self.work(cx.pool);
        }
        match self.emit.pull(&mut self.counters) {
            Some(batch) => Ok(Some(batch)),
            None => self.failed.take().map_or(Ok(None), Err),
        }
    }

    fn set_state_ttl(&mut self, ttl_ms: i64) {
        self.expiry = Some(Expiry::new(ttl_ms));
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"OVSO", 1);
        let order = self.table.order();
        self.table.encode(&order, to);
        let lists = || order.iter().map(|&s| &self.lists[s as usize]);
        to.slice(&lists().map(|l| l.len() as u64).collect::<Vec<_>>());
        let rows: Vec<u32> = lists().flatten().map(|e| e.row).collect();
        self.rows.encode(&self.types, &rows, to);
        for e in lists().flatten() {
            to.bytes(&e.said.values);
            to.bytes(&e.said.state);
        }
        if let Some(expiry) = &self.expiry {
            expiry.encode(&order, to);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"OVSO", 1)?;
        let n = self.table.decode(None, from)?;
        let lengths: Vec<u64> = from.slice()?;
        let rows = self.rows.decode(&self.types, from)? as u64;
        if lengths.len() != n || lengths.iter().try_fold(0u64, |a, &b| a.checked_add(b)) != Some(rows) {
            return Err(Error::corrupt("the rows of an OVER do not fit its partitions"));
        }
        self.lists.resize_with(n, Vec::new);
        let mut row = 0;
        for (list, len) in self.lists.iter_mut().zip(lengths) {
            for _ in 0..len {
                let mut columns: Vec<Column> = self.types.iter().map(Column::new).collect();
                decode_row(self.rows.get(row), columns.iter_mut());
                let mut key = vec![];
                let k = self.key;
                sort_bytes::encode(&columns[k.column], 0, k.descending, k.nulls_first, &mut key);
                let said = Said { values: from.bytes()?.into(), state: from.bytes()?.into() };
                let entry = Entry { key: key.into(), row, said };
                self.entry_bytes += entry.heap();
                list.push(entry);
                row += 1;
            }
        }
        match &mut self.expiry {
            Some(expiry) => expiry.decode(n, from),
            None => Ok(()),
        }
    }

    fn state_rows(&self) -> usize {
        self.rows.len()
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
            + self.rows.bytes()
            + self.rows.len() * size_of::<Entry>()
            + self.entry_bytes
            + self.aggregates.bytes()
            + self.expiry.as_ref().map_or(0, Expiry::bytes)
            + self.lists.capacity() * size_of::<Vec<Entry>>()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use crate::operators::testing::{aggregate, check, input, node};
    use crate::plan::{self, Changelog, Frame, Node, Op, OverOrder, SortKey};

    fn over(frame: Frame) -> Node {
        let key = SortKey { column: 1, descending: false, nulls_first: true };
        let calls = vec![(frame, aggregate("SUM", &[1]))];
        let over = plan::Over { partition: vec![0], order: OverOrder::Column(key), calls };
        node(Op::Over(over), "k STRING, v BIGINT, id INT, s BIGINT", Changelog::ALL)
    }

    const ROWS: &str = "a 3 1
         a 1 2
         b 5 3
         +U a 1 4
         a 0 5
         -U a 1 2
         -D a 3 1
         -D a 3 9";

    #[test]
    fn in_a_range_rows_of_equal_key_are_put_right_too() {
        check(
            &over(Frame::Range(None)),
            &[&input("k STRING, v BIGINT, id INT", Changelog::ALL)],
            ROWS,
            "+I a 3 1 3
             +I a 1 2 1
             -U a 3 1 3
             +U a 3 1 4
             +I b 5 3 5
             -U a 1 2 1
             +U a 1 2 2
             +U a 1 4 2
             -U a 3 1 4
             +U a 3 1 5
             +I a 0 5 0
             -U a 1 2 2
             +U a 1 2 2
             -U a 1 4 2
             +U a 1 4 2
             -U a 3 1 5
             +U a 3 1 5
             -D a 1 2 2
             -U a 1 4 2
             +U a 1 4 1
             -U a 3 1 5
             +U a 3 1 4
             -D a 3 1 4
             ~ end",
        );
    }

    #[test]
    fn rows_of_equal_key_count_one_by_one_in_rows() {
        check(
            &over(Frame::Rows(None)),
            &[&input("k STRING, v BIGINT, id INT", Changelog::ALL)],
            ROWS,
            "+I a 3 1 3
             +I a 1 2 1
             -U a 3 1 3
             +U a 3 1 4
             +I b 5 3 5
             +U a 1 4 2
             -U a 3 1 4
             +U a 3 1 5
             +I a 0 5 0
             -U a 1 2 1
             +U a 1 2 1
             -U a 1 4 2
             +U a 1 4 2
             -U a 3 1 5
             +U a 3 1 5
             -D a 1 2 1
             -U a 1 4 2
             +U a 1 4 1
             -U a 3 1 5
             +U a 3 1 4
             -D a 3 1 4
             ~ end",
        );
    }
}

//! Rank: of each partition the rows whose ROW_NUMBER is in a range that ends (Top-N), kept up to date; also ORDER BY with LIMIT, where all
//! rows are one partition.
//!
//! Rows of a partition stand in an ordered map by sort key, then arrival. **The changelog is Flink's**, which depends on three things:
//!
//! * *Ranked* output (the number is a column, or the range does not begin at 1): every rank whose row changed is updated, from the
//!   best one down; a rank that had no row is inserted, one that has none any more is deleted. Else only the rows that enter and leave are
//!   told, the leaving one first.
//! * The first row alone ([`RankInput::Append`] and [`RankInput::Update`] with range 1 to 1) is updated in place.
//! * [`RankInput`]: input that only grows needs no more rows than the range ends at; updates of a key that can only climb move
//!   their row; anything else keeps all rows, since each may come into the range when others leave.
//!
//! With `table.exec.state.ttl` a partition that had no row for that long is forgotten ([`super::expiry`]), without a word.
//!
//! A batch is worked off row by row and stops when a batch of output is full.

use super::emit::Emit;
use super::expiry::Expiry;
use super::{Context, Counters, Operator};
use crate::batch::key::encode_key;
use crate::batch::{
    Batch, Column, ColumnRef, DataType, Decoder, Encoder, Pool, RowKind, TypeKind, sort_bytes,
};
use crate::error::{Error, Result};
use crate::plan::{self, RankInput};
use crate::state::{KeyTable, Rows, decode_row, encode_row};
use std::collections::{BTreeMap, HashMap};

/// A row's place in its partition: sort key, then arrival.
type Place = (Box<[u8]>, u64);

/// See the module's text.
pub struct Rank {
    spec: plan::Rank,
    types: Vec<DataType>,
    partitions: KeyTable,
    /// The rows of each partition, by slot.
    lists: Vec<BTreeMap<Place, u32>>,
    rows: Rows,
    /// For updates: where the row of each key stands.
    by_key: HashMap<Box<[u8]>, Place>,
    /// Rows so far: the arrival of the next one.
    next: u64,
    /// The batch at work, its rows' partitions, and how many rows are done.
    batch: Option<Batch>,
    slots: Vec<u32>,
    done: usize,
    row: usize,
    marks_done: usize,
    emit: Emit,
    counters: Counters,
    bytes: Vec<u8>,
    /// Bytes of the lists' keys, roughly.
    key_bytes: usize,
    expiry: Option<Expiry>,
}

impl Rank {
    /// The ranks of rows like those of `input`.
    pub fn new(spec: &plan::Rank, input: &plan::Node) -> Self {
        let types: Vec<DataType> = input.schema.fields.iter().map(|f| f.ty.clone()).collect();
        let keys = spec.partition.iter().map(|&c| types[c].clone()).collect();
        let mut output = types.clone();
        output.extend(spec.number.then(|| TypeKind::BigInt.not_null()));
        Self {
            spec: spec.clone(),
            types,
            partitions: KeyTable::new(keys, false),
            lists: vec![],
            rows: Rows::default(),
            by_key: HashMap::new(),
            next: 0,
            batch: None,
            slots: vec![],
            done: 0,
            row: 0,
            marks_done: 0,
            emit: Emit::new(output),
            counters: Counters::default(),
            bytes: vec![],
            key_bytes: 0,
            expiry: None,
        }
    }

    /// Forgets the partitions that have lived out their time.
    fn expire(&mut self, now: i64) {
        while let Some(slot) = self.expiry.as_mut().and_then(|e| e.next(now)) {
            while !self.lists[slot as usize].is_empty() {
                self.drop_last(slot);
            }
            self.partitions.remove(slot);
        }
    }

    fn is_ranked(&self) -> bool {
        self.spec.number || self.spec.start > 1
    }

    fn is_first_alone(&self) -> bool {
        (self.spec.start, self.spec.end) == (1, 1) && !matches!(self.spec.input, RankInput::Retract)
    }

    /// Tells a change at a rank, if it is in the range.
    fn tell(&mut self, kind: RowKind, row: u32, rank: u64, pool: &mut Pool) {
        if rank < self.spec.start || rank > self.spec.end {
            return;
        }
        let number = |columns: &mut [ColumnRef]| {
            if let [c] = columns {
                let c = ColumnRef::get_mut(c).expect("a column that is being filled is not shared");
                c.buffer_mut::<i64>().push(rank as i64);
                c.validity.push(true);
            }
        };
        self.emit.row(kind, self.rows.get(row), number, pool);
    }

    fn update(&mut self, before: u32, after: u32, rank: u64, pool: &mut Pool) {
        self.tell(RowKind::UpdateBefore, before, rank, pool);
        self.tell(RowKind::UpdateAfter, after, rank, pool);
    }

    /// The rank of a place, counted no further than one behind the range.
    fn rank_of(&self, slot: u32, place: &Place) -> u64 {
        let before = self.lists[slot as usize].range::<Place, _>(..place);
        before.take(self.spec.end as usize + 1).count() as u64 + 1
    }

    /// The rows from rank `from` to one behind the range.
    fn rows_from(&self, slot: u32, from: u64) -> Vec<u32> {
        let list = self.lists[slot as usize].values().copied();
        list.take(self.spec.end as usize + 1).skip(from as usize - 1).collect()
    }

    fn put(&mut self, slot: u32, place: Place) -> u32 {
        let row = self.rows.insert(&self.bytes);
        self.key_bytes += place.0.len();
        self.lists[slot as usize].insert(place, row);
        row
    }

    /// A row more.
    fn add(&mut self, slot: u32, key: Box<[u8]>, pool: &mut Pool) {
        let end = self.spec.end as usize;
        if !matches!(self.spec.input, RankInput::Retract) {
            let list = &self.lists[slot as usize];
            let full = list.len() >= end;
            if full && list.last_key_value().is_none_or(|(worst, _)| key >= worst.0) {
                return;
            }
        }
        let place = (key, self.next);
        self.next += 1;
        let row = self.put(slot, place.clone());
        let rank = self.rank_of(slot, &place);
        if self.is_first_alone() {
            match self.rows_from(slot, 1).get(1) {
                Some(&before) => self.update(before, row, 1, pool),
                None => self.tell(RowKind::Insert, row, 1, pool),
            }
        } else if self.is_ranked() {
            let rows = self.rows_from(slot, rank);
            for (n, &row) in rows.iter().enumerate() {
                match rows.get(n + 1) {
                    Some(&before) => self.update(before, row, rank + n as u64, pool),
                    // The last of all, or one behind the range, which is not told.
                    None => self.tell(RowKind::Insert, row, rank + n as u64, pool),
                }
            }
        } else if rank <= self.spec.end {
            if let Some(&left) = self.rows_from(slot, self.spec.end + 1).first() {
                // It was the last of the range.
                self.tell(RowKind::Delete, left, self.spec.end, pool);
            }
            self.tell(RowKind::Insert, row, rank, pool);
        }
        if let RankInput::Update(key) = &self.spec.input {
            let key = key.clone();
            let key = self.row_key(&key);
            self.by_key.insert(key, place);
        }
        if !matches!(self.spec.input, RankInput::Retract) && self.lists[slot as usize].len() > end {
            self.drop_last(slot);
        }
    }

    /// The last row of a partition is not needed any more.
    fn drop_last(&mut self, slot: u32) {
        let Some((place, row)) = self.lists[slot as usize].pop_last() else { return };
        if let RankInput::Update(key) = &self.spec.input {
            let mut bytes = vec![];
            let columns = self.columns_of(row);
            key.iter().for_each(|&c| crate::batch::key::encode_value(&columns[c], 0, &mut bytes));
            self.by_key.remove(bytes.as_slice());
        }
        self.key_bytes -= place.0.len();
        self.rows.remove(row);
    }

    /// A row less. `false`: there is none like it.
    fn take(&mut self, slot: u32, key: Box<[u8]>, pool: &mut Pool) -> bool {
        let list = &self.lists[slot as usize];
        let alike = list.range((key.clone(), 0)..=(key, u64::MAX));
        let mut alike = alike.filter(|(_, row)| self.rows.get(**row) == self.bytes);
        let Some((place, &row)) = alike.next() else { return false };
        let place = place.clone();
        let rank = self.rank_of(slot, &place);
        if rank <= self.spec.end {
            let rows = self.rows_from(slot, rank);
            let reaches_end = rank + rows.len() as u64 > self.spec.end + 1;
            if self.is_ranked() {
                for (n, pair) in rows.windows(2).enumerate() {
                    self.update(pair[0], pair[1], rank + n as u64, pool);
                }
                if let (false, Some(&last)) = (reaches_end, rows.last()) {
                    self.tell(RowKind::Delete, last, rank + rows.len() as u64 - 1, pool);
                }
            } else {
                self.tell(RowKind::Delete, row, rank, pool);
                if let (true, Some(&comes)) = (reaches_end, rows.last()) {
                    self.tell(RowKind::Insert, comes, self.spec.end, pool);
                }
            }
        }
        self.lists[slot as usize].remove(&place);
        self.key_bytes -= place.0.len();
        self.rows.remove(row);
        true
    }

    /// The new row of a key, which can only climb.
    fn climb(&mut self, slot: u32, row_key: &[u8], key: Box<[u8]>, pool: &mut Pool) {
        let Some(old) = self.by_key.get(row_key).cloned() else { return self.add(slot, key, pool) };
        let old_row = self.lists[slot as usize][&old];
        let old_rank = self.rank_of(slot, &old);
        let same = old.0 == key;
        let place = if same { old.clone() } else { (key, self.next) };
        self.next += u64::from(!same);
        self.lists[slot as usize].remove(&old);
        self.key_bytes -= old.0.len();
        let new_row = self.put(slot, place.clone());
        if self.is_ranked() {
            let rank = self.rank_of(slot, &place);
            let mut rows = self.rows_from(slot, rank);
            rows.truncate((old_rank + 1).saturating_sub(rank) as usize);
            // The row of the key is taken back before its successor is told.
            for (n, &row) in rows.iter().enumerate() {
                let at = rank + n as u64;
                match rows.get(n + 1) {
                    Some(&before) => {
                        self.tell(RowKind::UpdateBefore, before, at, pool);
                        if n == 0 {
                            self.tell(RowKind::UpdateBefore, old_row, old_rank, pool);
                        }
                    }
                    None if n == 0 => self.tell(RowKind::UpdateBefore, old_row, old_rank, pool),
                    None => {}
                }
                self.tell(RowKind::UpdateAfter, row, at, pool);
            }
        } else {
            self.update(old_row, new_row, 1, pool);
        }
        self.rows.remove(old_row);
        self.by_key.insert(row_key.into(), place);
    }

    /// The bytes of those columns of the row at work.
    fn row_key(&self, columns: &[usize]) -> Box<[u8]> {
        let batch = self.batch.as_ref().expect("a batch is at work");
        let mut out = vec![];
        columns.iter().for_each(|&c| crate::batch::key::encode_value(batch.column(c), self.row, &mut out));
        out.into()
    }

    fn columns_of(&self, row: u32) -> Vec<Column> {
        let mut columns: Vec<Column> = self.types.iter().map(Column::new).collect();
        decode_row(self.rows.get(row), columns.iter_mut());
        columns
    }

    fn row(&mut self, kind: RowKind, slot: u32, key: Box<[u8]>, pool: &mut Pool) {
        let taken = match &self.spec.input {
            RankInput::Append => {
                self.add(slot, key, pool);
                true
            }
            // The row after it says it all.
            RankInput::Update(_) if !kind.is_add() => false,
            RankInput::Update(_) if self.is_first_alone() => {
                self.add(slot, key, pool);
                true
            }
            RankInput::Update(columns) => {
                let columns = columns.clone();
                let row_key = self.row_key(&columns);
                self.climb(slot, &row_key, key, pool);
                true
            }
            RankInput::Retract if kind.is_add() => {
                self.add(slot, key, pool);
                true
            }
            RankInput::Retract => self.take(slot, key, pool),
        };
        self.counters.absorbed += u64::from(taken);
        self.counters.filtered += u64::from(!taken);
    }

    /// Works off rows until a batch of output is full or none is left.
    fn work(&mut self, pool: &mut Pool) {
        let Some(batch) = self.batch.take() else { return };
        let rows: Vec<usize> = batch.sel().iter().skip(self.done).collect();
        self.batch = Some(batch);
        for row in rows {
            let batch = self.batch.as_ref().expect("put back");
            let marks = &batch.watermarks.runs()[self.marks_done..];
            for &(_, w) in marks.iter().take_while(|m| m.0 as usize <= row) {
                self.emit.watermark(w);
                self.marks_done += 1;
            }
            self.row = row;
            self.bytes.clear();
            encode_row(batch, row, &mut self.bytes);
            let mut key = vec![];
            for k in &self.spec.order {
                sort_bytes::encode(batch.column(k.column), row, k.descending, k.nulls_first, &mut key);
            }
            let (kind, slot) = (batch.kind(row), self.slots[self.done]);
            self.row(kind, slot, key.into(), pool);
            self.done += 1;
            if self.emit.is_full() {
                return;
            }
        }
        let batch = self.batch.take().expect("put back");
        batch.watermarks.runs()[self.marks_done..].iter().for_each(|m| self.emit.watermark(m.1));
        self.emit.close(pool);
        pool.recycle(batch);
        self.slots.sort_unstable();
        self.slots.dedup();
        for slot in std::mem::take(&mut self.slots) {
            if self.lists[slot as usize].is_empty() {
                self.partitions.remove(slot);
                if let Some(expiry) = &mut self.expiry {
                    expiry.forget(slot);
                }
            }
        }
    }
}

impl Operator for Rank {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        let now = cx.now_us.div_euclid(1000);
        self.expire(now);
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.slots.clear();
        if batch.selected() > 0 {
            let rows: Vec<u32> = batch.sel().iter().map(|r| r as u32).collect();
            let columns: Vec<&Column> = self.spec.partition.iter().map(|&c| &**batch.column(c)).collect();
            self.partitions.find_or_insert(None, &columns, &rows, &mut self.slots);
            self.lists.resize_with(self.partitions.bound().max(self.lists.len()), BTreeMap::new);
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
        Ok(self.emit.pull(&mut self.counters))
    }

    fn set_state_ttl(&mut self, ttl_ms: i64) {
        self.expiry = Some(Expiry::new(ttl_ms));
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"RANK", 1);
        let order = self.partitions.order();
        self.partitions.encode(&order, to);
        let lists = || order.iter().map(|&s| &self.lists[s as usize]);
        to.slice(&lists().map(|l| l.len() as u64).collect::<Vec<_>>());
        let rows: Vec<u32> = lists().flat_map(|l| l.values().copied()).collect();
        self.rows.encode(&self.types, &rows, to);
        if let Some(expiry) = &self.expiry {
            expiry.encode(&order, to);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"RANK", 1)?;
        let n = self.partitions.decode(None, from)?;
        let lengths: Vec<u64> = from.slice()?;
        let rows = self.rows.decode(&self.types, from)? as u64;
        if lengths.len() != n || lengths.iter().try_fold(0u64, |a, &b| a.checked_add(b)) != Some(rows) {
            return Err(Error::corrupt("the rows of a rank do not fit its partitions"));
        }
        self.lists.resize_with(n, BTreeMap::new);
        for (slot, &len) in lengths.iter().enumerate() {
            for _ in 0..len {
                let row = self.next as u32;
                let columns = self.columns_of(row);
                let mut key = vec![];
                for k in &self.spec.order {
                    sort_bytes::encode(&columns[k.column], 0, k.descending, k.nulls_first, &mut key);
                }
                let place: Place = (key.into(), self.next);
                if let RankInput::Update(key) = &self.spec.input {
                    let mut bytes = vec![];
                    let parts: Vec<&Column> = key.iter().map(|&c| &columns[c]).collect();
                    encode_key(&parts, 0, &mut bytes);
                    self.by_key.insert(bytes.into(), place.clone());
                }
                self.key_bytes += place.0.len();
                self.lists[slot].insert(place, row);
                self.next += 1;
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
        let places = self.rows.len() * (size_of::<Place>() + size_of::<u32>() + 8) + self.key_bytes;
        let keys = self.by_key.capacity() * size_of::<(Box<[u8]>, Place)>();
        self.partitions.bytes()
            + self.rows.bytes()
            + places
            + keys
            + self.expiry.as_ref().map_or(0, Expiry::bytes)
            + self.lists.capacity() * size_of::<BTreeMap<Place, u32>>()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::testing::{check, input, node, run_all};
    use crate::plan::{Changelog, Op, SortKey};

    fn rank(range: (u64, u64), number: bool, from: RankInput) -> plan::Node {
        let key = SortKey { column: 1, descending: false, nulls_first: true };
        let spec = plan::Rank {
            partition: vec![0],
            order: vec![key],
            start: range.0,
            end: range.1,
            number,
            input: from,
        };
        let schema =
            if number { "k STRING, v BIGINT, id INT, n BIGINT" } else { "k STRING, v BIGINT, id INT" };
        node(Op::Rank(spec), schema, Changelog::ALL)
    }

    fn grows() -> plan::Node {
        input("k STRING, v BIGINT, id INT", Changelog::INSERT)
    }

    fn changes() -> plan::Node {
        input("k STRING, v BIGINT, id INT", Changelog::ALL)
    }

    #[test]
    fn the_first_two_come_and_go() {
        let op = rank((1, 2), false, RankInput::Append);
        check(
            &op,
            &[&grows()],
            "a 5 1
             ~ 3
             a 7 2
             b 1 3
             a 7 4
             a 6 5
             a null 6
             ~ 4",
            "+I a 5 1
             ~ 3
             +I a 7 2
             +I b 1 3
             -D a 7 2
             +I a 6 5
             -D a 6 5
             +I a null 6
             ~ end",
        );
    }

    #[test]
    fn numbers_move_down_when_a_better_row_comes() {
        let op = rank((1, 2), true, RankInput::Append);
        check(
            &op,
            &[&grows()],
            "a 5 1\na 7 2\na 4 3\na 9 4",
            "+I a 5 1 1
             +I a 7 2 2
             -U a 5 1 1
             +U a 4 3 1
             -U a 7 2 2
             +U a 5 1 2
             ~ end",
        );
    }

    #[test]
    fn one_row_is_updated_in_place_and_ties_keep_the_earlier() {
        let op = rank((1, 1), false, RankInput::Append);
        check(&op, &[&grows()], "a 5 1\na 5 2\na 4 3", "+I a 5 1\n-U a 5 1\n+U a 4 3\n~ end");
    }

    #[test]
    fn rows_behind_the_range_come_in_when_others_leave() {
        let op = rank((1, 2), false, RankInput::Retract);
        check(
            &op,
            &[&changes()],
            "a 1 1\na 2 2\na 3 3\na 3 3\n-D a 1 1\n-D a 3 3\n-D a 3 3\n-D a 2 2\n-D a 9 9",
            "+I a 1 1
             +I a 2 2
             -D a 1 1
             +I a 3 3
             -D a 3 3
             +I a 3 3
             -D a 3 3
             -D a 2 2
             ~ end",
        );
        let op = rank((2, 3), true, RankInput::Retract);
        check(
            &op,
            &[&changes()],
            "a 1 1\na 2 2\na 3 3\na 4 4\n-D a 1 1\n-D a 2 2",
            "+I a 2 2 2
             +I a 3 3 3
             -U a 2 2 2
             +U a 3 3 2
             -U a 3 3 3
             +U a 4 4 3
             -U a 3 3 2
             +U a 4 4 2
             -D a 4 4 3
             ~ end",
        );
    }

    #[test]
    fn an_updated_key_climbs() {
        let op = rank((1, 3), true, RankInput::Update(vec![0, 2]));
        check(
            &op,
            &[&changes()],
            "a 5 1\na 6 2\na 7 3\na 8 4\n-U a 7 3\n+U a 4 3\n-U a 6 2\n+U a 6 2",
            "+I a 5 1 1
             +I a 6 2 2
             +I a 7 3 3
             -U a 5 1 1
             -U a 7 3 3
             +U a 4 3 1
             -U a 6 2 2
             +U a 5 1 2
             +U a 6 2 3
             -U a 6 2 3
             +U a 6 2 3
             ~ end",
        );
        let op = rank((1, 2), false, RankInput::Update(vec![0, 2]));
        check(
            &op,
            &[&changes()],
            "a 5 1\na 6 2\na 4 3\n-U a 5 1\n+U a 3 1",
            "+I a 5 1\n+I a 6 2\n-D a 6 2\n+I a 4 3\n-U a 5 1\n+U a 3 1\n~ end",
        );
    }

    /// Whatever comes and goes, the rows told make up the rows that a sort gives.
    #[test]
    fn the_changes_make_up_the_sorted_rows() {
        for seed in 0..20u64 {
            let mut x = seed * 7919 + 1;
            let mut random = |n: u64| {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (x >> 33) % n
            };
            let (mut held, mut text): (Vec<(u64, usize)>, String) = (vec![], String::new());
            for id in 0..60 {
                if held.is_empty() || random(5) < 3 {
                    held.push((random(6), id));
                    text += &format!("a {} {id}\n", held[held.len() - 1].0);
                } else {
                    let (v, id) = held.remove(random(held.len() as u64) as usize);
                    text += &format!("-D a {v} {id}\n");
                }
            }
            for (range, number) in [((1, 3), true), ((1, 3), false), ((2, 4), false), ((3, 3), true)] {
                let got = run_all(&rank(range, number, RankInput::Retract), &[&changes()], text.trim()).lines;
                let mut rows: Vec<String> = vec![];
                for line in got.iter().filter(|l| !l.starts_with('~')) {
                    let (kind, row) = line.split_once(' ').unwrap();
                    if kind == "+I" || kind == "+U" {
                        rows.push(row.to_owned());
                    } else {
                        let at = rows.iter().position(|r| r == row).expect("what leaves was there");
                        rows.remove(at);
                    }
                }
                let mut sorted = held.clone();
                sorted.sort_by_key(|r| r.0);
                let want =
                    sorted.iter().enumerate().map(|(i, (v, id))| (i as u64 + 1, format!("a {v} {id}")));
                let mut want: Vec<String> = want
                    .filter(|(n, _)| (range.0..=range.1).contains(n))
                    .map(|(n, r)| if number { format!("{r} {n}") } else { r })
                    .collect();
                want.sort();
                rows.sort();
                assert_eq!(rows, want, "seed {seed}, {range:?}, numbered: {number}");
            }
        }
    }
}

//! Set operation: INTERSECT and EXCEPT, with and without ALL, over inputs that may change.
//!
//! For every distinct row (NULLs are equal) the state counts how often each side holds it. From the counts `l` and `r` follows how
//! often the result holds it: INTERSECT 1 if both are above 0, INTERSECT ALL the smaller, EXCEPT 1 if `l > 0` and `r = 0`, EXCEPT
//! ALL `l - r`, never below 0. An input row changes one count by one, hence the result by one row at most, which goes out as an
//! insert or a delete. A row that neither side holds any more leaves the state,
//! and with `table.exec.state.ttl` one that neither side has told of for that long ([`super::expiry`]), without a word.

use super::expiry::Expiry;
use super::ready::Ready;
use super::union::smallest;
use super::{Context, Counters, Operator};
use crate::batch::{BEFORE_TIME, Batch, Column, Decoder, Encoder, RowKind};
use crate::error::{Error, Result};
use crate::plan::{self, SetOperation as Kind};
use crate::state::KeyTable;

/// See the module's text.
pub struct SetOperation {
    kind: Kind,
    all: bool,
    rows: KeyTable,
    /// How often each side holds the row of a slot. Below 0 while a delete has overtaken its insert.
    counts: Vec<[i64; 2]>,
    watermarks: [i64; 2],
    ready: Ready,
    counters: Counters,
    slots: Vec<u32>,
    expiry: Option<Expiry>,
}

impl SetOperation {
    /// The operation over rows like those of `input`.
    pub fn new(kind: Kind, all: bool, input: &plan::Node) -> Self {
        let types = input.schema.fields.iter().map(|f| f.ty.clone()).collect();
        Self {
            kind,
            all,
            rows: KeyTable::new(types, false),
            counts: vec![],
            watermarks: [BEFORE_TIME; 2],
            ready: Ready::default(),
            counters: Counters::default(),
            slots: vec![],
            expiry: None,
        }
    }

    /// Forgets the rows that have lived out their time.
    fn expire(&mut self, now: i64) {
        while let Some(slot) = self.expiry.as_mut().and_then(|e| e.next(now)) {
            self.counts[slot as usize] = [0; 2];
            self.rows.remove(slot);
        }
    }

    /// How often the result holds a row.
    fn held(&self, [left, right]: [i64; 2]) -> i64 {
        match (self.kind, self.all) {
            (Kind::Intersect, false) => i64::from(left > 0 && right > 0),
            (Kind::Intersect, true) => left.min(right).max(0),
            (Kind::Except, false) => i64::from(left > 0 && right <= 0),
            (Kind::Except, true) => (left.max(0) - right.max(0)).max(0),
        }
    }
}

impl Operator for SetOperation {
    fn push(&mut self, port: usize, mut batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.counters.absorbed += batch.selected() as u64;
        let now = cx.now_us.div_euclid(1000);
        self.expire(now);
        let mut rows = cx.pool.row_list();
        batch.sel().list(&mut rows);
        self.slots.clear();
        if !rows.is_empty() {
            let columns: Vec<&Column> = batch.columns.iter().map(|c| &**c).collect();
            self.rows.find_or_insert(None, &columns, &rows, &mut self.slots);
        }
        if self.counts.len() < self.rows.bound() {
            self.counts.resize(self.rows.bound(), [0; 2]);
        }
        let mut kept = cx.pool.row_list();
        let mut kinds = cx.pool.kind_list();
        kinds.resize(batch.rows(), RowKind::Insert);
        for (&row, &slot) in rows.iter().zip(&self.slots) {
            let counts = self.counts[slot as usize];
            let mut after = counts;
            after[port] += if batch.kind(row as usize).is_add() { 1 } else { -1 };
            self.counts[slot as usize] = after;
            match self.held(after) - self.held(counts) {
                0 => {}
                change => {
                    kept.push(row);
                    kinds[row as usize] = if change > 0 { RowKind::Insert } else { RowKind::Delete };
                }
            }
        }
        // A row that nobody holds leaves. It may stand several times in the batch, but can be removed once.
        self.slots.sort_unstable();
        self.slots.dedup();
        for &slot in &self.slots {
            let gone = self.counts[slot as usize] == [0; 2];
            if gone {
                self.rows.remove(slot);
            }
            match &mut self.expiry {
                Some(expiry) if gone => expiry.forget(slot),
                Some(expiry) => expiry.touch(slot, now),
                None => {}
            }
        }
        cx.pool.recycle_rows(rows);
        if let Some(old) = batch.select(Some(kept)) {
            cx.pool.recycle_rows(old);
        }
        if let Some(old) = batch.set_kinds(Some(kinds)) {
            cx.pool.recycle_kinds(old);
        }
        if !batch.watermarks.is_empty() {
            let before = smallest(&self.watermarks);
            let mut marks = cx.pool.watermarks();
            for &(after, w) in batch.watermarks.runs() {
                self.watermarks[port] = w.max(self.watermarks[port]);
                let both = smallest(&self.watermarks);
                if both > before {
                    marks.advance(after as usize, both);
                }
            }
            cx.pool.recycle_watermarks(std::mem::replace(&mut batch.watermarks, marks));
        }
        self.ready.push(batch, cx.pool);
        Ok(())
    }

    fn pull(&mut self, _cx: &mut Context<'_>) -> Result<Option<Batch>> {
        self.ready.pull(&mut self.counters)
    }

    fn set_state_ttl(&mut self, ttl_ms: i64) {
        self.expiry = Some(Expiry::new(ttl_ms));
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"SETO", 1);
        to.slice(&self.watermarks);
        let order = self.rows.order();
        self.rows.encode(&order, to);
        for side in 0..2 {
            let counts: Vec<i64> = order.iter().map(|&s| self.counts[s as usize][side]).collect();
            to.slice(&counts);
        }
        if let Some(expiry) = &self.expiry {
            expiry.encode(&order, to);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"SETO", 1)?;
        let watermarks: Vec<i64> = from.slice()?;
        let damaged = || Error::corrupt("the state of a set operation does not fit its number of rows");
        self.watermarks = watermarks.try_into().map_err(|_| damaged())?;
        let rows = self.rows.decode(None, from)?;
        let (left, right): (Vec<i64>, Vec<i64>) = (from.slice()?, from.slice()?);
        if left.len() != rows || right.len() != rows {
            return Err(damaged());
        }
        self.counts = left.into_iter().zip(right).map(|(l, r)| [l, r]).collect();
        match &mut self.expiry {
            Some(expiry) => expiry.decode(rows, from),
            None => Ok(()),
        }
    }

    fn state_rows(&self) -> usize {
        self.rows.len()
    }

    fn bytes(&self) -> usize {
        self.rows.bytes()
            + self.counts.capacity() * size_of::<[i64; 2]>()
            + self.expiry.as_ref().map_or(0, Expiry::bytes)
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

    fn run(kind: Kind, all: bool, text: &str, expected: &str) {
        let from = input("id INT, s STRING", Changelog::ALL);
        let op = node(Op::SetOperation { kind, all }, "id INT, s STRING", Changelog::ALL);
        check(&op, &[&from, &from], text, expected);
    }

    const BOTH: &str = "1 a
         1 a
         null x
         2 b
         R 1 a
         R null x
         R 1 a
         R 1 a
         -D 1 a
         R -D 1 a
         R -D 1 a
         R -D 1 a";

    #[test]
    fn intersect_holds_a_row_while_both_sides_do() {
        run(Kind::Intersect, false, BOTH, "+I 1 a\n+I null x\n-D 1 a\n~ end");
    }

    #[test]
    fn intersect_all_holds_the_smaller_number() {
        run(Kind::Intersect, true, BOTH, "+I 1 a\n+I null x\n+I 1 a\n-D 1 a\n-D 1 a\n~ end");
    }

    #[test]
    fn except_holds_what_only_the_left_has() {
        run(Kind::Except, false, BOTH, "+I 1 a\n+I null x\n+I 2 b\n-D 1 a\n-D null x\n+I 1 a\n~ end");
    }

    #[test]
    fn except_all_takes_away_one_for_one() {
        run(
            Kind::Except,
            true,
            BOTH,
            "+I 1 a\n+I 1 a\n+I null x\n+I 2 b\n-D 1 a\n-D null x\n-D 1 a\n+I 1 a\n~ end",
        );
    }
}

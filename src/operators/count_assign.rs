//! Windows by number of rows without an aggregation over them: holds the rows of each key's next window, and gives them with the
//! window's number when it is complete.
//!
//! What a key holds is always part of its next window, so a window that is complete is all of it; what the window after it has no
//! use for is let go. A large window is given in parts: the batch at hand is taken row by row as there is room for what its rows
//! complete. Watermarks pass through, the rows are behind them: their time is no time attribute any more.

use super::aggregates::{unshared, with_columns};
use super::expiry::Expiry;
use super::{Context, Counters, Operator};
use crate::batch::{Batch, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema};
use crate::error::{Error, Result};
use crate::plan::CountWindow;
use crate::state::{KeyTable, Rows, decode_row, encode_row};
use std::collections::VecDeque;

/// See the module's text.
pub struct CountAssign {
    window: CountWindow,
    /// The types of the output: the input's and the number's.
    types: Vec<DataType>,
    table: KeyTable,
    rows: Rows,
    /// By slot of the table.
    keys: Vec<Key>,
    work: Work,
    counters: Counters,
    expiry: Option<Expiry>,
    scratch: Vec<u8>,
}

/// A key's rows so far, and those held: the last ones, in the store.
#[derive(Default)]
struct Key {
    rows: u64,
    held: VecDeque<u32>,
}

/// The batch at hand.
#[derive(Default)]
struct Work {
    batch: Option<Batch>,
    rows: Vec<u32>,
    keys: Vec<u32>,
    /// Rows that have been taken, and watermarks that have been told.
    taken: usize,
    told: usize,
    /// A window that is being given: its key and number, and how many of its rows are out.
    given: Option<(u32, i64, usize)>,
}

impl CountAssign {
    /// Windows over input of that form; `output` is its columns and the window's number.
    pub fn new(window: &CountWindow, input: &crate::plan::Node, output: &Schema) -> Self {
        let key_types = window.keys.iter().map(|&k| input.schema.ty(k).clone()).collect();
        Self {
            window: window.clone(),
            types: output.fields.iter().map(|f| f.ty.clone()).collect(),
            table: KeyTable::new(key_types, false),
            rows: Rows::default(),
            keys: Vec::new(),
            work: Work::default(),
            counters: Counters::default(),
            expiry: None,
            scratch: Vec::new(),
        }
    }

    /// Takes a row; the window that it completes is given next.
    fn take(&mut self, batch: &Batch, row: u32, slot: u32) {
        let key = &mut self.keys[slot as usize];
        key.rows += 1;
        if self.window.windows_of(key.rows) > 0 {
            self.scratch.clear();
            encode_row(batch, row as usize, &mut self.scratch);
            key.held.push_back(self.rows.insert(&self.scratch));
        }
        self.work.given = self.window.closed_by(key.rows).map(|number| (slot, number as i64, 0));
    }

    /// Gives on what is left of the window being given, as far as there is room.
    fn give(&mut self, out: &mut Batch, rows: &mut usize, pool: &mut Pool) {
        let Some((slot, number, given)) = self.work.given else { return };
        if out.columns.is_empty() {
            out.columns.extend(self.types.iter().map(|t| pool.column(t)));
        }
        let key = &mut self.keys[slot as usize];
        let own = self.types.len() - 1;
        let more = (MAX_ROWS - *rows).min(key.held.len() - given);
        for &held in key.held.range(given..given + more) {
            decode_row(self.rows.get(held), out.columns[..own].iter_mut().map(unshared));
            let to = unshared(&mut out.columns[own]);
            to.buffer_mut::<i64>().push(number);
            to.validity.push(true);
        }
        *rows += more;
        if given + more < key.held.len() {
            self.work.given = Some((slot, number, given + more));
            return;
        }
        self.work.given = None;
        let first = key.rows + 1 - key.held.len() as u64;
        let past = self.window.next_first(key.rows).saturating_sub(first).min(key.held.len() as u64);
        key.held.drain(..past as usize).for_each(|r| self.rows.remove(r));
    }

    fn expire(&mut self, now: i64) {
        while let Some(slot) = self.expiry.as_mut().and_then(|e| e.next(now)) {
            let key = std::mem::take(&mut self.keys[slot as usize]);
            key.held.into_iter().for_each(|r| self.rows.remove(r));
            self.table.remove(slot);
        }
    }
}

impl Operator for CountAssign {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.counters.absorbed += batch.selected() as u64;
        let now = cx.now_us.div_euclid(1000);
        self.expire(now);
        let Work { rows, keys, .. } = &mut self.work;
        rows.clear();
        keys.clear();
        rows.extend(batch.sel().iter().map(|r| r as u32));
        if !rows.is_empty() {
            with_columns(&self.window.keys, &batch, |columns| {
                self.table.find_or_insert(None, columns, rows, keys);
            });
            self.keys.resize_with(self.table.bound(), Key::default);
            if let Some(expiry) = &mut self.expiry {
                keys.iter().for_each(|&s| expiry.touch(s, now));
            }
        }
        (self.work.taken, self.work.told) = (0, 0);
        self.work.batch = Some(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some(batch) = self.work.batch.take() else { return Ok(None) };
        let mut out = cx.pool.batch();
        let mut rows = 0;
        let marks = batch.watermarks.runs();
        loop {
            self.give(&mut out, &mut rows, cx.pool);
            if self.work.given.is_some() {
                break;
            }
            let next = self.work.rows.get(self.work.taken).copied();
            while let Some(&(_, w)) = marks.get(self.work.told).filter(|m| next.is_none_or(|row| m.0 <= row))
            {
                out.watermarks.advance(rows, w);
                self.work.told += 1;
            }
            let Some(row) = next else { break };
            self.take(&batch, row, self.work.keys[self.work.taken]);
            self.work.taken += 1;
        }
        out.set_rows(rows);
        self.counters.rows_out += rows as u64;
        if self.work.given.is_some() {
            self.work.batch = Some(batch);
        } else {
            cx.pool.recycle(batch);
        }
        if out.is_empty() && out.watermarks.is_empty() {
            cx.pool.recycle(out);
            return Ok(None);
        }
        Ok(Some(out))
    }

    fn set_state_ttl(&mut self, ttl_ms: i64) {
        self.expiry = Some(Expiry::new(ttl_ms));
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.work.batch.is_none(), "nothing waits to be pulled");
        to.block(b"CASG", 1);
        let order = self.table.order();
        self.table.encode(&order, to);
        let keys = || order.iter().map(|&s| &self.keys[s as usize]);
        to.slice(&keys().map(|k| k.rows).collect::<Vec<_>>());
        to.slice(&keys().map(|k| k.held.len() as u64).collect::<Vec<_>>());
        let held: Vec<u32> = keys().flat_map(|k| k.held.iter().copied()).collect();
        self.rows.encode(&self.types[..self.types.len() - 1], &held, to);
        if let Some(expiry) = &self.expiry {
            expiry.encode(&order, to);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"CASG", 1)?;
        let damaged = || Error::corrupt("the rows of count windows do not fit their keys");
        let keys = self.table.decode(None, from)?;
        let (rows, held): (Vec<u64>, Vec<u64>) = (from.slice()?, from.slice()?);
        if rows.len() != keys || held.len() != keys {
            return Err(damaged());
        }
        let mut next = 0u32;
        for (rows, held) in rows.into_iter().zip(held) {
            let end = u32::try_from(held).ok().and_then(|n| next.checked_add(n)).ok_or_else(damaged)?;
            if rows > i64::MAX as u64 || held != (rows + 1).saturating_sub(self.window.next_first(rows)) {
                return Err(damaged());
            }
            self.keys.push(Key { rows, held: (next..end).collect() });
            next = end;
        }
        if self.rows.decode(&self.types[..self.types.len() - 1], from)? != next as usize {
            return Err(damaged());
        }
        match &mut self.expiry {
            Some(expiry) => expiry.decode(keys, from),
            None => Ok(()),
        }
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
            + self.rows.bytes()
            + self.expiry.as_ref().map_or(0, Expiry::bytes)
            + self.keys.iter().map(|k| size_of::<Key>() + k.held.capacity() * 4).sum::<usize>()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::testing::{check, input, node, run};
    use crate::plan::{Changelog, Node, Op};

    fn windows(size: u64, slide: u64, keys: Vec<usize>) -> Node {
        let op = Op::CountAssign(CountWindow { size, slide, keys });
        node(op, "k STRING, v BIGINT, w BIGINT", Changelog::INSERT)
    }

    #[test]
    fn rows_come_with_their_window_once_it_is_complete() {
        let from = input("k STRING, v BIGINT", Changelog::INSERT);
        let text = "a 1
             b 2
             a 3
             ~ 5
             a 4
             a null
             ~ 6
             a 6
             b 7";
        check(
            &windows(2, 2, vec![0]),
            &[&from],
            text,
            "+I a 1 1
             +I a 3 1
             ~ 5
             +I a 4 2
             +I a null 2
             ~ 6
             +I b 2 1
             +I b 7 1
             ~ end",
        );
        check(
            &windows(3, 2, vec![]),
            &[&from],
            text,
            "+I a 1 1
             +I b 2 1
             ~ 5
             +I b 2 2
             +I a 3 2
             +I a 4 2
             ~ 6
             +I a 4 3
             +I a null 3
             +I a 6 3
             ~ end",
        );
        check(
            &windows(1, 3, vec![0]),
            &[&from],
            text,
            "~ 5
             +I a 4 1
             ~ end",
        );
    }

    #[test]
    fn a_large_window_comes_in_parts() {
        let from = input("k STRING, v BIGINT", Changelog::INSERT);
        let text: String = (0..2500).map(|i| format!("a {i}\n")).collect();
        let out = run(&windows(2500, 2500, vec![]), &[&from], &text, 100);
        assert_eq!(out.batches, [1024, 1024, 452]);
        assert_eq!(out.lines[2499], "+I a 2499 1");
    }
}

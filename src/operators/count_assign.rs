//! Windows by number of rows without an aggregation over them: holds the rows of each key's next window, and gives them with the
//! window's number when it is complete.
//!
//! What a key holds is always part of its next window, so a window that is complete is all of it; what the window after it has no
//! use for is let go. A large window is given in parts: the batch at hand is taken row by row as there is room for what its rows
//! complete. Watermarks pass through, the rows are behind them: their time is no time attribute any more.

use super::aggregates::unshared;
use super::count_keys::CountKeys;
use super::{Context, Counters, Operator};
use crate::batch::{Batch, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema};
use crate::error::{Error, Result};
use crate::plan::CountWindow;
use crate::state::{Rows, decode_row, encode_row};

/// See the module's text.
pub struct CountAssign {
    window: CountWindow,
    /// The types of the output: the input's and the number's.
    types: Vec<DataType>,
    /// Their slots are rows held: the last ones, in the store.
    keys: CountKeys,
    rows: Rows,
    work: Work,
    counters: Counters,
    scratch: Vec<u8>,
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
        Self {
            window: window.clone(),
            types: output.fields.iter().map(|f| f.ty.clone()).collect(),
            keys: CountKeys::new(window, input),
            rows: Rows::default(),
            work: Work::default(),
            counters: Counters::default(),
            scratch: Vec::new(),
        }
    }

    /// Takes a row; the window that it completes is given next.
    fn take(&mut self, batch: &Batch, row: u32, slot: u32) {
        let key = self.keys.get_mut(slot);
        key.rows += 1;
        if self.window.windows_of(key.rows) > 0 {
            self.scratch.clear();
            encode_row(batch, row as usize, &mut self.scratch);
            key.slots.push_back(self.rows.insert(&self.scratch));
        }
        self.work.given = self.window.closed_by(key.rows).map(|number| (slot, number as i64, 0));
    }

    /// Gives on what is left of the window being given, as far as there is room.
    fn give(&mut self, out: &mut Batch, rows: &mut usize, pool: &mut Pool) {
        let Some((slot, number, given)) = self.work.given else { return };
        if out.columns.is_empty() {
            out.columns.extend(self.types.iter().map(|t| pool.column(t)));
        }
        let key = self.keys.get_mut(slot);
        let own = self.types.len() - 1;
        let more = (MAX_ROWS - *rows).min(key.slots.len() - given);
        for &held in key.slots.range(given..given + more) {
            decode_row(self.rows.get(held), out.columns[..own].iter_mut().map(unshared));
            let to = unshared(&mut out.columns[own]);
            to.buffer_mut::<i64>().push(number);
            to.validity.push(true);
        }
        *rows += more;
        if given + more < key.slots.len() {
            self.work.given = Some((slot, number, given + more));
            return;
        }
        self.work.given = None;
        let first = key.rows + 1 - key.slots.len() as u64;
        let past = self.window.next_first(key.rows).saturating_sub(first).min(key.slots.len() as u64);
        key.slots.drain(..past as usize).for_each(|r| self.rows.remove(r));
    }
}

impl Operator for CountAssign {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.counters.absorbed += batch.selected() as u64;
        let now = cx.now_us.div_euclid(1000);
        while let Some(held) = self.keys.expire(now) {
            held.into_iter().for_each(|r| self.rows.remove(r));
        }
        let Work { rows, keys, .. } = &mut self.work;
        self.keys.find(&batch, rows, keys, now);
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
        self.keys.set_ttl(ttl_ms);
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.work.batch.is_none(), "nothing waits to be pulled");
        to.block(b"CASG", 2);
        let held = self.keys.encode(to);
        self.rows.encode(&self.types[..self.types.len() - 1], &held, to);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"CASG", 2)?;
        let window = &self.window;
        let held = self.keys.decode(from, |rows| {
            (rows <= i64::MAX as u64).then(|| (rows + 1).saturating_sub(window.next_first(rows)))
        })?;
        if self.rows.decode(&self.types[..self.types.len() - 1], from)? != held as usize {
            return Err(Error::corrupt("the rows of count windows do not fit their keys"));
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.keys.bytes(self.rows.len()) + self.rows.bytes()
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

//! Aggregation over count windows: one row per key and window, given with the row that completes it.
//!
//! A row is in at most `size / slide + 1` windows of its key, which follow from its number alone ([`CountWindow::windows_of`]). Each open window has an
//! accumulator slot of its own, so no row is kept: a row is folded into the slots of its windows, in the order of the rows, and the
//! window that it completes is given and its slot used again. What is incomplete at the end of the input is not given, as for Flink's
//! `countWindow`. Watermarks pass through.

use super::aggregates::{Aggregates, unshared};
use super::count_keys::CountKeys;
use super::ready::Ready;
use super::{Context, Counters, Operator};
use crate::batch::{Batch, DataType, Decoder, Encoder, MAX_ROWS, Pool};
use crate::error::Result;
use crate::plan::{self, CountWindow};

/// Pairs of a row and a window that are folded at once: a row may be in many windows.
const MAX_PAIRS: usize = 8 * MAX_ROWS;

/// See the module's text.
pub struct CountAggregate {
    window: CountWindow,
    key_types: Vec<DataType>,
    /// Their slots are the accumulators of the open windows, the next to close first.
    keys: CountKeys,
    aggregates: Aggregates,
    /// Accumulator slots that no window has, and the first that none ever had.
    free: Vec<u32>,
    bound: u32,
    ready: Ready,
    counters: Counters,
    work: Work,
}

/// Lists of one push, kept for their memory.
#[derive(Default)]
struct Work {
    rows: Vec<u32>,
    keys: Vec<u32>,
    /// A row and the slot of one of its windows.
    pairs: Vec<u32>,
    slots: Vec<u32>,
    /// Windows that are complete: the row that completed them, their slot and number.
    closed: Vec<u32>,
    closed_slots: Vec<u32>,
    numbers: Vec<i64>,
}

impl CountAggregate {
    /// An aggregation of input with that schema; output is the keys, the aggregates, the window's number.
    pub fn new(window: &CountWindow, aggregates: &[plan::Aggregate], input: &plan::Node) -> Self {
        Self {
            window: window.clone(),
            key_types: window.keys.iter().map(|&k| input.schema.ty(k).clone()).collect(),
            keys: CountKeys::new(window, input),
            // Groups end, and their slots are used again, over input that only grows.
            aggregates: Aggregates::new(aggregates, &input.schema, false).mergeable(),
            free: Vec::new(),
            bound: 0,
            ready: Ready::default(),
            counters: Counters::default(),
            work: Work::default(),
        }
    }

    fn take(&mut self, batch: &Batch, pool: &mut Pool) -> Result<()> {
        let mut at = 0;
        // Watermarks that have been told.
        let mut told = 0;
        while at < self.work.rows.len() {
            at = self.place(at);
            told = self.fold(batch, told, pool)?;
        }
        if let Some(w) = batch.watermarks.last() {
            self.ready.push_watermark(w, pool);
        }
        Ok(())
    }

    /// Gives rows from `at` on their windows, up to what is folded at once. The first row that has none yet.
    fn place(&mut self, at: usize) -> usize {
        let Work { rows, keys, pairs, slots, closed, closed_slots, numbers } = &mut self.work;
        for (n, (&row, &key)) in rows.iter().zip(keys.iter()).enumerate().skip(at) {
            if pairs.len() >= MAX_PAIRS {
                return n;
            }
            let key = self.keys.get_mut(key);
            key.rows += 1;
            for nth in 0..self.window.windows_of(key.rows) {
                if nth == key.slots.len() {
                    let slot = self.free.pop().unwrap_or_else(|| {
                        self.bound += 1;
                        self.bound - 1
                    });
                    key.slots.push_back(slot);
                }
                pairs.push(row);
                slots.push(key.slots[nth]);
            }
            if let Some(number) = self.window.closed_by(key.rows)
                && let Some(slot) = key.slots.pop_front()
            {
                closed.push(row);
                closed_slots.push(slot);
                numbers.push(number as i64);
            }
        }
        rows.len()
    }

    /// Folds what has been placed, and gives the windows that are complete. `told`: the watermarks that are out already.
    fn fold(&mut self, batch: &Batch, told: usize, pool: &mut Pool) -> Result<usize> {
        let Work { pairs, slots, closed, closed_slots, numbers, .. } = &mut self.work;
        self.aggregates.grow(self.bound as usize);
        let failed = self.aggregates.update(batch, pairs, slots).err();
        let given =
            failed.as_ref().map_or(closed.len(), |e| closed.partition_point(|&r| (r as usize) < e.row));
        let marks = &batch.watermarks.runs()[told..];
        let mut passed = 0;
        if given > 0 {
            let mut out = pool.batch();
            for (&k, ty) in self.window.keys.iter().zip(&self.key_types) {
                let mut to = pool.column(ty);
                unshared(&mut to).extend_rows(batch.column(k), &closed[..given]);
                out.columns.push(to);
            }
            let first = out.columns.len();
            out.columns.extend((0..self.aggregates.len()).map(|n| pool.column(self.aggregates.ty(n))));
            self.aggregates.emit(&closed_slots[..given], &mut out.columns[first..]);
            let mut number = pool.column(&plan::CountWindow::number_type());
            let to = unshared(&mut number);
            numbers[..given].iter().for_each(|&n| {
                to.buffer_mut::<i64>().push(n);
                to.validity.push(true);
            });
            out.columns.push(number);
            out.set_rows(given);
            for (n, &row) in closed[..given].iter().enumerate() {
                while let Some(&(_, w)) = marks.get(passed).filter(|m| m.0 <= row) {
                    out.watermarks.advance(n, w);
                    passed += 1;
                }
            }
            self.ready.push(out, pool);
        }
        closed_slots.iter().for_each(|&s| self.aggregates.reset(s));
        self.free.append(closed_slots);
        pairs.clear();
        slots.clear();
        closed.clear();
        numbers.clear();
        match failed {
            Some(e) => Err(e.error),
            None => Ok(told + passed),
        }
    }
}

impl Operator for CountAggregate {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.counters.absorbed += batch.selected() as u64;
        let now = cx.now_us.div_euclid(1000);
        while let Some(open) = self.keys.expire(now) {
            open.iter().for_each(|&s| self.aggregates.reset(s));
            self.free.extend(open);
        }
        let Work { rows, keys, .. } = &mut self.work;
        self.keys.find(&batch, rows, keys, now);
        if let Err(e) = self.take(&batch, cx.pool) {
            self.ready.fail(e);
        }
        cx.pool.recycle(batch);
        Ok(())
    }

    fn pull(&mut self, _cx: &mut Context<'_>) -> Result<Option<Batch>> {
        self.ready.pull(&mut self.counters)
    }

    fn set_state_ttl(&mut self, ttl_ms: i64) {
        self.keys.set_ttl(ttl_ms);
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.ready.is_empty(), "nothing waits to be pulled");
        to.block(b"CAGG", 2);
        let open = self.keys.encode(to);
        self.aggregates.encode(&open, self.bound as usize, to);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"CAGG", 2)?;
        let window = &self.window;
        self.bound = self.keys.decode(from, |rows| window.open_after(rows))?;
        self.aggregates.decode(self.bound as usize, from)
    }

    fn bytes(&self) -> usize {
        self.keys.bytes(self.bound as usize)
            + self.aggregates.bytes()
            + self.free.capacity() * size_of::<u32>()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::testing::{aggregate, check, input, node};
    use crate::plan::{Changelog, Node, Op};

    fn windows(size: u64, slide: u64, aggregates: Vec<plan::Aggregate>, schema: &str) -> Node {
        let window = CountWindow { size, slide, keys: vec![0] };
        node(Op::CountAggregate { window, aggregates }, schema, Changelog::INSERT)
    }

    #[test]
    fn a_window_is_given_with_the_row_that_completes_it() {
        let from = input("k STRING, v BIGINT", Changelog::INSERT);
        let op = windows(
            3,
            3,
            vec![aggregate("COUNT", &[]), aggregate("SUM", &[1])],
            "k STRING, n BIGINT, s BIGINT, w BIGINT",
        );
        check(
            &op,
            &[&from],
            "a 1
             a 2
             null 7
             ~ 5
             a 3
             ~ 6
             a 4
             null 8
             a null
             null 9
             a 6
             a 7",
            "~ 5
             +I a 3 6 1
             ~ 6
             +I null 3 24 1
             +I a 3 10 2
             ~ end",
        );
    }

    #[test]
    fn sliding_windows_share_rows_and_the_first_ones_are_short() {
        let from = input("k STRING, v BIGINT", Changelog::INSERT);
        let op = windows(3, 1, vec![aggregate("SUM", &[1])], "k STRING, s BIGINT, w BIGINT");
        check(
            &op,
            &[&from],
            "a 1
             a 2
             b 100
             a 3
             a 4",
            "+I a 1 1
             +I a 3 2
             +I b 100 1
             +I a 6 3
             +I a 9 4
             ~ end",
        );
    }

    #[test]
    fn between_windows_there_may_be_rows_of_none() {
        let from = input("k STRING, v BIGINT", Changelog::INSERT);
        let op = windows(
            2,
            3,
            vec![aggregate("COUNT", &[]), aggregate("SUM", &[1])],
            "k STRING, n BIGINT, s BIGINT, w BIGINT",
        );
        check(
            &op,
            &[&from],
            "a 1
             a 2
             a 3
             a 4
             a 5
             a 6
             a 7",
            "+I a 2 5 1
             +I a 2 11 2
             ~ end",
        );
    }

    #[test]
    fn windows_before_a_failing_row_go_out() {
        let from = input("k STRING, v BIGINT", Changelog::INSERT);
        let op = windows(2, 2, vec![aggregate("SUM", &[1])], "k STRING, s BIGINT, w BIGINT");
        check(
            &op,
            &[&from],
            "a 1
             a 2
             a 3
             a 666
             a 5",
            "+I a 3 1
             error: the beast",
        );
    }
}

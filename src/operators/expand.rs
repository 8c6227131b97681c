//! Expand: every row once for each grouping set, with the keys that the set has not as NULL. What GROUPING SETS, ROLLUP and CUBE
//! aggregate over.
//!
//! Behind the input's columns stand numbers: that of the set first, so that a key that is NULL in a row and one that is left out do not
//! fall together, then the values of the GROUPING calls. The rows of a row stand together, in the order of the sets. A batch is
//! repeated in parts of at most [`MAX_ROWS`] rows, so that many sets need no more memory than one.

use super::aggregates::unshared;
use super::{Context, Counters, Operator};
use crate::batch::{Batch, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema};
use crate::error::Result;
use crate::plan;

/// See the module's text.
pub struct Expand {
    spec: plan::Expand,
    types: Vec<DataType>,
    /// The batch at hand, the next of its rows to give, counted over all sets, and its watermarks that were given.
    batch: Option<(Batch, usize, usize)>,
    counters: Counters,
}

impl Expand {
    /// Repeats rows as `spec` says; `output` is the input's columns and the numbers.
    pub fn new(spec: &plan::Expand, output: &Schema) -> Self {
        Self {
            spec: spec.clone(),
            types: output.fields.iter().map(|f| f.ty.clone()).collect(),
            batch: None,
            counters: Counters::default(),
        }
    }

    /// Up to [`MAX_ROWS`] rows from `next` on; returns where it stopped.
    fn rows(&self, batch: &Batch, next: usize, marks: &mut usize, pool: &mut Pool) -> (Batch, usize) {
        let sets = self.spec.sets.len();
        let (sel, runs) = (batch.sel(), batch.watermarks.runs());
        let all = sel.len() * sets;
        let stop = all.min(next + MAX_ROWS);
        let mut out = pool.batch();
        let mut rows = pool.row_list();
        for n in next..stop {
            let row = sel.row(n / sets);
            while let Some(&(_, w)) = runs.get(*marks).filter(|m| n % sets == 0 && m.0 as usize <= row) {
                out.watermarks.advance(rows.len(), w);
                *marks += 1;
            }
            rows.push(row as u32);
        }
        if stop == all {
            runs[*marks..].iter().for_each(|m| out.watermarks.advance(rows.len(), m.1));
        }
        let width = batch.columns.len();
        for (c, (from, ty)) in batch.columns.iter().zip(&self.types).enumerate() {
            let mut to = pool.column(ty);
            match self.spec.keys.iter().position(|&k| k == c) {
                None => unshared(&mut to).extend_rows(from, &rows),
                Some(key) => {
                    let to = unshared(&mut to);
                    for (n, row) in (next..stop).zip(&rows) {
                        match self.spec.sets[n % sets].keys[key] {
                            true => to.extend_rows(from, std::slice::from_ref(row)),
                            false => to.push_null(),
                        }
                    }
                }
            }
            out.columns.push(to);
        }
        for number in 0..self.types.len() - width {
            let mut c = pool.column(&self.types[width + number]);
            let to = unshared(&mut c);
            to.validity.resize(rows.len(), true);
            let values = (next..stop).map(|n| self.spec.sets[n % sets].numbers[number]);
            to.buffer_mut::<i64>().extend_exact(values);
            out.columns.push(c);
        }
        out.set_rows(rows.len());
        if let Some(kinds) = batch.kinds() {
            let mut list = pool.kind_list();
            list.extend(rows.iter().map(|&r| kinds[r as usize]));
            out.set_kinds(Some(list));
        }
        pool.recycle_rows(rows);
        (out, stop)
    }
}

impl Operator for Expand {
    fn push(&mut self, _port: usize, batch: Batch, _cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.counters.absorbed += batch.selected() as u64;
        self.batch = Some((batch, 0, 0));
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some((batch, next, mut marks)) = self.batch.take() else { return Ok(None) };
        if batch.selected() == 0 {
            let w = batch.watermarks.last();
            cx.pool.recycle(batch);
            return Ok(w.map(Batch::watermark));
        }
        let (out, stop) = self.rows(&batch, next, &mut marks, cx.pool);
        if stop < batch.selected() * self.spec.sets.len() {
            self.batch = Some((batch, stop, marks));
        } else {
            cx.pool.recycle(batch);
        }
        self.counters.rows_out += out.rows() as u64;
        Ok(Some(out))
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.batch.is_none(), "nothing waits to be pulled");
        to.block(b"EXPD", 1);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"EXPD", 1)
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
    use crate::plan::{Changelog, Expand, GroupingSet, Op};

    fn expand() -> Op {
        let set = |a, b, id| GroupingSet { keys: vec![a, b], numbers: vec![id, 7] };
        Op::Expand(Expand {
            keys: vec![0, 2],
            sets: vec![set(true, true, 0), set(true, false, 1), set(false, false, 3)],
        })
    }

    const OUT: &str = "a STRING, v BIGINT, b BIGINT, set BIGINT, g BIGINT";

    #[test]
    fn each_row_comes_once_a_set_without_the_keys_that_are_left_out() {
        let from = input("a STRING, v BIGINT, b BIGINT", Changelog::ALL);
        check(
            &node(expand(), OUT, Changelog::ALL),
            &[&from],
            "x 1 2
             ~ 5
             -D null 3 null
             ~ 9",
            "+I x 1 2 0 7
             +I x 1 null 1 7
             +I null 1 null 3 7
             ~ 5
             -D null 3 null 0 7
             -D null 3 null 1 7
             -D null 3 null 3 7
             ~ end",
        );
    }

    #[test]
    fn a_full_batch_comes_in_parts() {
        let from = input("a STRING, v BIGINT, b BIGINT", Changelog::INSERT);
        let text: String = (0..1024).map(|i| format!("k{i} {i} 0\n")).collect();
        let out = run(&node(expand(), OUT, Changelog::INSERT), &[&from], &text, 1024);
        assert_eq!(out.batches, [1024, 1024, 1024]);
        assert_eq!(out.lines[3070], "+I k1023 1023 null 1 7");
    }
}

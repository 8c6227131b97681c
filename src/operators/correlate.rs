//! Correlate: beside each row the rows that a table function gives for it; where it is optional and there are none, one of NULLs.
//!
//! The function is asked for few rows at a time and its rows are given in batches of at most [`MAX_ROWS`], so that one row may become
//! millions. Kinds of rows and watermarks are those of the row.

use super::beside::{Beside, NOTHING};
use super::{Context, Counters, Operator};
use crate::batch::{BEFORE_TIME, Batch, Column, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema, Sel};
use crate::error::{Error, Result};
use crate::expr::{Arg, EvalContext, TableKernel, TableRows};
use crate::plan;

/// Rows of the input that the function is asked for at once.
const ASKED: usize = 64;

/// See the module's text.
pub struct Correlate {
    args: Vec<usize>,
    optional: bool,
    kernel: Box<dyn TableKernel>,
    /// Of the output.
    types: Vec<DataType>,
    made: TableRows,
    /// Rows to give: of the input, and of `made`. Those before `given` were.
    picks: Vec<(u32, u32)>,
    given: usize,
    at: Option<At>,
    watermark: i64,
    counters: Counters,
}

/// A batch on the way.
struct At {
    batch: Batch,
    /// How many of its selected rows the function was asked for, and of its watermarks were given.
    asked: usize,
    marks: usize,
    failed: Option<Error>,
}

impl Correlate {
    /// The function of `spec` over rows; `output` is the input's columns and the function's.
    pub fn new(spec: &plan::Correlate, output: &Schema) -> Self {
        let columns = spec.columns.iter().map(|f| Column::new(&f.ty)).collect();
        Self {
            args: spec.args.clone(),
            optional: spec.optional,
            kernel: (spec.kernel)(),
            types: output.fields.iter().map(|f| f.ty.clone()).collect(),
            made: TableRows { columns, of: vec![] },
            picks: vec![],
            given: 0,
            at: None,
            watermark: BEFORE_TIME,
            counters: Counters::default(),
        }
    }

    /// Asks for the rows of the next few rows of the batch.
    fn ask(&mut self, at: &mut At, cx: &mut Context<'_>) {
        let mut asked = cx.pool.row_list();
        asked.extend(at.batch.sel().iter().skip(at.asked).take(ASKED).map(|r| r as u32));
        at.asked += asked.len();
        self.made.columns.iter_mut().for_each(Column::clear);
        self.made.of.clear();
        self.picks.clear();
        self.given = 0;
        let batch = &at.batch;
        let args: Vec<Arg<'_>> =
            self.args.iter().map(|&c| Arg { column: batch.column(c), constant: false }).collect();
        let mut eval = EvalContext {
            pool: &mut *cx.pool,
            now_us: cx.now_us,
            watermark: self.watermark,
            watermarks: &batch.watermarks,
        };
        if let Err(e) = self.kernel.eval(&args, Sel::Rows(&asked), &mut self.made, &mut eval) {
            asked.truncate(asked.partition_point(|&r| (r as usize) < e.row));
            at.asked = batch.selected();
            at.failed = Some(e.error);
        }
        let mut made = self.made.of.iter().copied().enumerate().peekable();
        for &row in &asked {
            let before = self.picks.len();
            while let Some((n, _)) = made.next_if(|m| m.1 == row) {
                self.picks.push((row, n as u32));
            }
            if self.picks.len() == before && self.optional {
                self.picks.push((row, NOTHING));
            }
        }
        if at.failed.is_none() && made.next().is_some() {
            at.asked = batch.selected();
            at.failed = Some(Error::runtime(
                "a table function gave rows in another order than it was asked for them",
            ));
        }
        cx.pool.recycle_rows(asked);
    }

    /// The next rows to give, [`MAX_ROWS`] at most.
    fn give(&mut self, at: &mut At, pool: &mut Pool) -> Batch {
        let picks = &self.picks[self.given..self.picks.len().min(self.given + MAX_ROWS)];
        let mut out = Beside::new(pool);
        for &(row, made) in picks {
            out.advance(&at.batch, row, &mut at.marks);
            out.push(row, made);
        }
        let (kept, made) = self.types.split_at(at.batch.columns.len());
        out.keep(&at.batch, at.batch.columns.iter(), kept, pool);
        for (from, ty) in self.made.columns.iter().zip(made) {
            out.pick(from, ty, pool);
        }
        self.given += picks.len();
        out.finish(pool)
    }
}

impl Operator for Correlate {
    fn push(&mut self, _port: usize, batch: Batch, _cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.counters.absorbed += batch.selected() as u64;
        self.at = Some(At { batch, asked: 0, marks: 0, failed: None });
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some(mut at) = self.at.take() else { return Ok(None) };
        while self.given == self.picks.len() && at.asked < at.batch.selected() {
            self.ask(&mut at, cx);
        }
        if self.given < self.picks.len() {
            let out = self.give(&mut at, cx.pool);
            self.counters.rows_out += out.rows() as u64;
            self.at = Some(at);
            return Ok(Some(out));
        }
        self.picks.clear();
        self.given = 0;
        if let Some(e) = at.failed {
            return Err(e);
        }
        let last = at.batch.watermarks.last();
        self.watermark = last.unwrap_or(self.watermark);
        let rest = at.marks < at.batch.watermarks.runs().len();
        cx.pool.recycle(at.batch);
        Ok(last.filter(|_| rest).map(Batch::watermark))
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.at.is_none(), "nothing waits to be pulled");
        to.block(b"CORR", 1);
        to.i64(self.watermark);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"CORR", 1)?;
        self.watermark = from.i64()?;
        Ok(())
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
    use super::*;
    use crate::batch::{Field, TypeKind};
    use crate::expr::RowError;
    use crate::operators::testing::{check, input, node, run};
    use crate::plan::{Changelog, Op};
    use std::sync::Arc;

    /// The numbers from 0 to below its argument; 666 fails.
    struct Below;

    impl TableKernel for Below {
        fn eval(
            &mut self,
            args: &[Arg<'_>],
            sel: Sel<'_>,
            out: &mut TableRows,
            _cx: &mut EvalContext<'_>,
        ) -> Result<(), RowError> {
            for row in sel.iter().filter(|&r| args[0].is_valid(r)) {
                let n = args[0].column.slice::<i64>()[row];
                if n == 666 {
                    return Err(RowError::runtime(row, "the beast"));
                }
                for k in 0..n {
                    out.columns[0].buffer_mut::<i64>().push(k);
                    out.columns[0].validity.push(true);
                    out.of.push(row as u32);
                }
            }
            Ok(())
        }
    }

    fn below(optional: bool) -> Op {
        Op::Correlate(plan::Correlate {
            name: "BELOW".into(),
            args: vec![1],
            columns: vec![Field::new("k", TypeKind::BigInt.nullable())],
            optional,
            deterministic: true,
            kernel: Arc::new(|| Box::new(Below)),
        })
    }

    const IN: &str = "a STRING, n BIGINT";
    const OUT: &str = "a STRING, n BIGINT, k BIGINT";

    #[test]
    fn rows_stand_beside_the_row_that_they_are_for() {
        let from = input(IN, Changelog::ALL);
        let rows = "x 2
             ~ 5
             -D y 0
             +I z null
             ~ 7
             -U w 1
             ~ 9
             +I v 0
             ~ 10";
        check(
            &node(below(false), OUT, Changelog::ALL),
            &[&from],
            rows,
            "+I x 2 0
             +I x 2 1
             ~ 7
             -U w 1 0
             ~ end",
        );
        check(
            &node(below(true), OUT, Changelog::ALL),
            &[&from],
            rows,
            "+I x 2 0
             +I x 2 1
             ~ 5
             -D y 0 null
             +I z null null
             ~ 7
             -U w 1 0
             ~ 9
             +I v 0 null
             ~ end",
        );
    }

    #[test]
    fn rows_before_one_that_fails_go_out() {
        let from = input(IN, Changelog::INSERT);
        check(
            &node(below(false), OUT, Changelog::INSERT),
            &[&from],
            "x 1\ny 2\nz 666\nw 1",
            "+I x 1 0\n+I y 2 0\n+I y 2 1\nerror: the beast",
        );
    }

    #[test]
    fn many_rows_of_one_come_in_batches() {
        let from = input(IN, Changelog::INSERT);
        let out = run(&node(below(false), OUT, Changelog::INSERT), &[&from], "x 2500\ny 1", 1024);
        assert_eq!(out.batches, [1024, 1024, 453]);
        assert_eq!(out.lines[2500], "+I y 1 0");
    }
}

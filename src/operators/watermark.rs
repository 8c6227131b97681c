//! Watermark: says after each row how far event time has come, by the expression of the table's WATERMARK clause.
//!
//! Per record, so that which rows are late never depends on how input was cut into batches. As in Flink: a row whose time is NULL
//! fails the job, a watermark that is NULL does not move it, none is given at or before 1970-01-01 00:00:00, and watermarks from above are
//! replaced, but for the end of time.

use super::ready::{Ready, cut_before};
use super::{Context, Counters, Operator};
use crate::batch::{Batch, Decoder, END_OF_TIME, Encoder, Sel};
use crate::error::Result;
use crate::expr::{EvalContext, Expr, Program, RowError};

/// See the module's text.
pub struct Watermark {
    column: usize,
    program: [Program; 1],
    /// The greatest so far, ms; Flink starts at 0 and gives only what is greater.
    current: i64,
    ready: Ready,
    counters: Counters,
}

impl Watermark {
    /// Watermarks of `watermark` over the time attribute in `column`.
    pub fn new(column: usize, watermark: &Expr) -> Self {
        Self {
            column,
            program: [Program::new(watermark)],
            current: 0,
            ready: Ready::default(),
            counters: Counters::default(),
        }
    }
}

impl Operator for Watermark {
    fn push(&mut self, _port: usize, mut batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        // Of what comes from above only the end of time counts; it stands behind all rows.
        let ended = batch.watermarks.last() == Some(END_OF_TIME);
        batch.watermarks.clear();
        if batch.selected() > 0 {
            let failed = self.assign(&mut batch, cx);
            if let Some(e) = failed {
                let before = batch.selected();
                cut_before(&mut batch, &e, cx.pool);
                self.counters.filtered += (before - batch.selected()) as u64;
                self.ready.fail(e.error);
                self.ready.push(batch, cx.pool);
                return Ok(());
            }
        }
        if ended {
            self.current = END_OF_TIME;
            let rows = batch.rows();
            batch.watermarks.advance(rows, END_OF_TIME);
        }
        self.ready.push(batch, cx.pool);
        Ok(())
    }

    fn pull(&mut self, _cx: &mut Context<'_>) -> Result<Option<Batch>> {
        self.ready.pull(&mut self.counters)
    }

    fn finish(&mut self, _port: usize, cx: &mut Context<'_>) -> Result<()> {
        if self.current != END_OF_TIME {
            self.current = END_OF_TIME;
            self.ready.push_watermark(END_OF_TIME, cx.pool);
        }
        Ok(())
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"WMRK", 1);
        to.i64(self.current);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"WMRK", 1)?;
        self.current = from.i64()?;
        Ok(())
    }

    fn bytes(&self) -> usize {
        0
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

impl Watermark {
    /// Writes the batch's watermarks; returns the first row that cannot be taken.
    fn assign(&mut self, batch: &mut Batch, cx: &mut Context<'_>) -> Option<RowError> {
        let none = cx.pool.watermarks();
        let mut values = cx.pool.column_list();
        let mut failed = Program::eval_all(
            &mut self.program,
            batch,
            &mut values,
            &mut EvalContext { pool: cx.pool, now_us: cx.now_us, watermark: self.current, watermarks: &none },
        )
        .err();
        let (time, value) = (batch.column(self.column), &values[0]);
        let end = failed.as_ref().map_or(batch.rows(), |e| e.row);
        if time.validity.may_have_nulls()
            && let Some(row) = batch.sel().below(end).iter().find(|&r| !time.is_valid(r))
        {
            failed = Some(RowError::runtime(
                row,
                "RowTime field should not be null, please convert it to a non-null long value.",
            ));
        }
        let mut marks = none;
        let end = failed.as_ref().map_or(batch.rows(), |e| e.row);
        let (mut current, micros) = (self.current, value.slice::<i64>());
        let mut take = |row: usize| {
            let ms = micros[row].div_euclid(1000);
            if ms > current {
                current = ms;
                marks.advance(row + 1, ms);
            }
        };
        let sel: Sel<'_> = batch.sel().below(end);
        if value.validity.may_have_nulls() {
            sel.for_each(|r| {
                if value.is_valid(r) {
                    take(r);
                }
            });
        } else {
            sel.for_each(take);
        }
        self.current = current;
        cx.pool.recycle_watermarks(std::mem::replace(&mut batch.watermarks, marks));
        cx.pool.recycle_columns(values);
        failed
    }
}

#[cfg(test)]
mod tests {
    use crate::operators::testing::{check, column, input, node};
    use crate::plan::{Changelog, Op};

    #[test]
    fn each_row_moves_the_watermark_which_starts_at_zero() {
        let from = input("id INT, t ROWTIME, w TIMESTAMP", Changelog::INSERT);
        let watermark = column(&from.schema, 2);
        let op =
            node(Op::Watermark { column: 1, watermark }, "id INT, t ROWTIME, w TIMESTAMP", Changelog::INSERT);
        check(
            &op,
            &[&from],
            "1 0 -5
             ~ 999
             2 0 0
             3 0 10
             4 0 null
             5 0 7
             6 0 10
             7 0 12",
            "+I 1 0 -5
             +I 2 0 0
             +I 3 0 10
             ~ 10
             +I 4 0 null
             +I 5 0 7
             +I 6 0 10
             +I 7 0 12
             ~ end",
        );
        check(
            &op,
            &[&from],
            "1 0 5
             2 0 6
             3 null 7
             4 0 8",
            "+I 1 0 5
             ~ 5
             +I 2 0 6
             ~ 6
             error: RowTime field should not be null, please convert it to a non-null long value.",
        );
    }
}

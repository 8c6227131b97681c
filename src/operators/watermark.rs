//! Watermark: says after each row how far event time has come, by the expression of the table's WATERMARK clause.
//!
//! Per record, so that which rows are late never depends on how input was cut into batches. As in Flink: a row whose time is NULL
//! fails the job, a watermark that is NULL does not move it, none is given at or before 1970-01-01 00:00:00, and watermarks from above are
//! replaced, but for the end of time.

use super::ready::cut_before;
use super::{Context, Counters, Stage};
use crate::batch::{Batch, Decoder, END_OF_TIME, Encoder, Sel, Watermarks};
use crate::error::Result;
use crate::expr::{EvalContext, Expr, Program, RowError};

/// See the module's text.
pub struct Watermark {
    column: usize,
    program: Program,
    /// The greatest so far, ms; Flink starts at 0 and gives only what is greater.
    current: i64,
    counters: Counters,
}

impl Watermark {
    /// Watermarks of `watermark` over the time attribute in `column`.
    pub fn new(column: usize, watermark: &Expr) -> Self {
        Self { column, program: Program::new(watermark), current: 0, counters: Counters::default() }
    }
}

impl Stage for Watermark {
    fn apply(&mut self, batch: &mut Batch, cx: &mut Context<'_>) -> Result<()> {
        let selected = batch.selected();
        self.counters.batches_in += 1;
        self.counters.rows_in += selected as u64;
        // Of what comes from above only the end of time counts; it stands behind all rows.
        let ended = batch.watermarks.last() == Some(END_OF_TIME);
        batch.watermarks_mut().clear();
        if let Some(row) = batch.only()
            && let Some(value) = self.of_row(batch, row)
        {
            if let Some(us) = value.filter(|&us| us >= next(self.current)) {
                self.current = us.div_euclid(1000);
                batch.watermarks_mut().advance(row + 1, self.current);
            }
            if ended {
                self.end(batch);
            }
            self.counters.rows_out += 1;
            return Ok(());
        }
        self.apply_many(batch, ended, cx)
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

    fn counters(&self) -> Counters {
        self.counters
    }
}

/// The least value, µs, that moves a watermark of `current` ms: most rows cost a comparison with it and no division.
#[inline(always)]
fn next(current: i64) -> i64 {
    current.saturating_add(1).saturating_mul(1000)
}

impl Watermark {
    /// [`Stage::apply`] of any batch.
    #[inline(never)]
    fn apply_many(&mut self, batch: &mut Batch, ended: bool, cx: &mut Context<'_>) -> Result<()> {
        let selected = batch.selected();
        let mut result = Ok(());
        if selected > 0
            && let Err(e) = self.assign(batch, cx)
        {
            cut_before(batch, &e, cx.pool);
            self.counters.filtered += (selected - batch.selected()) as u64;
            result = Err(e.error);
        } else if ended {
            self.end(batch);
        }
        self.counters.rows_out += batch.selected() as u64;
        result
    }

    /// The value of a row that comes alone, where it can be told without kernels and the row can be taken.
    #[inline(always)]
    fn of_row(&self, batch: &Batch, row: usize) -> Option<Option<i64>> {
        if !batch.column(self.column).is_valid(row) {
            return None;
        }
        self.program.long_at(&batch.columns, row)
    }

    /// Event time ends behind all rows.
    fn end(&mut self, batch: &mut Batch) {
        self.current = END_OF_TIME;
        let rows = batch.rows();
        batch.watermarks.advance(rows, END_OF_TIME);
    }

    /// Writes the batch's watermarks, as far as the first row that cannot be taken.
    fn assign(&mut self, batch: &mut Batch, cx: &mut Context<'_>) -> Result<(), RowError> {
        let mut failed: Option<RowError> = None;
        let mut marks = std::mem::take(&mut batch.watermarks);
        // A row that fails may stand behind one that fails otherwise: again for the rows before.
        loop {
            let sel = batch.sel().below(failed.as_ref().map_or(usize::MAX, |e| e.row));
            match self.marks(batch, sel, &mut marks, cx) {
                Ok(()) => break,
                Err(e) => failed = Some(e),
            }
        }
        self.current = marks.last().unwrap_or(self.current);
        batch.watermarks = marks;
        failed.map_or(Ok(()), Err)
    }

    fn marks(
        &mut self,
        batch: &Batch,
        sel: Sel<'_>,
        marks: &mut Watermarks,
        cx: &mut Context<'_>,
    ) -> Result<(), RowError> {
        marks.clear();
        let time = batch.column(self.column);
        if time.validity.may_have_nulls()
            && let Some(row) = sel.iter().find(|&r| !time.is_valid(r))
        {
            return Err(RowError::runtime(
                row,
                "RowTime field should not be null, please convert it to a non-null long value.",
            ));
        }
        let cx = &mut EvalContext {
            pool: cx.pool,
            now_us: cx.now_us,
            watermark: self.current,
            watermarks: &Watermarks::default(),
        };
        let value = self.program.eval(&batch.columns, batch.rows(), sel, cx)?.arg();
        let (mut current, micros) = (self.current, value.column.slice::<i64>());
        let mut least = next(current);
        let mut take = |row: usize| {
            let us = micros[value.at(row)];
            if us >= least {
                current = us.div_euclid(1000);
                least = next(current);
                marks.advance(row + 1, current);
            }
        };
        if value.column.validity.may_have_nulls() {
            sel.for_each(|r| {
                if value.is_valid(r) {
                    take(r);
                }
            });
        } else {
            sel.for_each(take);
        }
        Ok(())
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

//! Filter: keeps the rows whose condition is true. Columns, row kinds, watermarks and provenance stay as they are; only the
//! selection shrinks.

use super::{Context, Counters, Stage};
use crate::batch::{BEFORE_TIME, Batch, Decoder, Encoder, Pool};
use crate::error::Result;
use crate::expr::{EvalContext, Expr, Program};

/// See the module's text.
pub struct Filter {
    condition: Program,
    watermark: i64,
    counters: Counters,
}

impl Filter {
    /// A filter on a BOOLEAN expression.
    pub fn new(condition: &Expr) -> Self {
        Self { condition: Program::new(condition), watermark: BEFORE_TIME, counters: Counters::default() }
    }

    /// A row alone, where the condition knows how: most are kept as they are, without a list.
    #[inline(always)]
    fn select_row(&mut self, batch: &mut Batch, pool: &mut Pool) -> Option<()> {
        let row = batch.only()?;
        let keep = self.condition.is_true_at(&batch.columns, row)?;
        self.keep_row(keep, batch, pool);
        Some(())
    }

    /// A row alone stays or goes.
    #[inline(always)]
    fn keep_row(&mut self, keep: bool, batch: &mut Batch, pool: &mut Pool) {
        if !keep {
            self.counters.filtered += 1;
            pool.select_none(batch);
        }
    }

    #[inline(never)]
    fn select(&mut self, batch: &mut Batch, selected: usize, cx: &mut Context<'_>) -> Result<()> {
        let eval = &mut EvalContext {
            pool: cx.pool,
            now_us: cx.now_us,
            watermark: self.watermark,
            watermarks: &batch.watermarks,
        };
        // Of a single row the answer will do: most are kept as they are, without a list.
        let sel = batch.sel();
        if selected == 1
            && let Ok(value) = self.condition.eval(&batch.columns, batch.rows(), sel, eval)
        {
            let keep = value.arg().is_true(sel.row(0));
            self.keep_row(keep, batch, cx.pool);
            return Ok(());
        }
        let mut keep = eval.pool.row_list();
        let result = self.condition.filter(batch, &mut keep, eval);
        if let Err(e) = &result {
            batch.watermarks.truncate(e.row);
        }
        self.counters.filtered += (selected - keep.len()) as u64;
        if keep.len() == selected {
            cx.pool.recycle_rows(keep);
        } else if let Some(old) = batch.select(Some(keep)) {
            cx.pool.recycle_rows(old);
        }
        result.map_err(|e| e.error)
    }
}

impl Stage for Filter {
    fn apply(&mut self, batch: &mut Batch, cx: &mut Context<'_>) -> Result<()> {
        let selected = batch.selected();
        self.counters.batches_in += 1;
        self.counters.rows_in += selected as u64;
        let result = if selected == 0 || selected == 1 && self.select_row(batch, cx.pool).is_some() {
            Ok(())
        } else {
            self.select(batch, selected, cx)
        };
        self.counters.rows_out += batch.selected() as u64;
        self.watermark = batch.watermarks.last().unwrap_or(self.watermark);
        result
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"FILT", 1);
        to.i64(self.watermark);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"FILT", 1)?;
        self.watermark = from.i64()?;
        Ok(())
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use crate::operators::testing::{check, column, input, node};
    use crate::plan::{Changelog, Op};

    #[test]
    fn true_rows_stay_and_watermarks_with_them() {
        let from = input("id INT, keep BOOLEAN", Changelog::ALL);
        let filter = node(Op::Filter(column(&from.schema, 1)), "id INT, keep BOOLEAN", Changelog::ALL);
        check(
            &filter,
            &[&from],
            "+I 1 true
             ~ 10
             +I 2 null
             -U 3 true
             ~ 20
             +U 4 false
             ~ 30
             -D 5 true",
            "+I 1 true
             ~ 10
             -U 3 true
             ~ 30
             -D 5 true
             ~ end",
        );
    }
}

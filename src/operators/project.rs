//! Project: computes columns. A column that is only passed on moves from the input to the output. Selection, row kinds, watermarks and
//! provenance stay as they are.

use super::ready::cut_before;
use super::{Context, Counters, Stage};
use crate::batch::{BEFORE_TIME, Batch, Decoder, Encoder};
use crate::error::Result;
use crate::expr::{Expr, Projection};

/// See the module's text.
pub struct Project {
    projection: Projection,
    watermark: i64,
    counters: Counters,
}

impl Project {
    /// A projection to these expressions.
    pub fn new(exprs: &[Expr]) -> Self {
        Self { projection: Projection::new(exprs), watermark: BEFORE_TIME, counters: Counters::default() }
    }
}

impl Stage for Project {
    fn apply(&mut self, batch: &mut Batch, cx: &mut Context<'_>) -> Result<()> {
        let selected = batch.selected();
        self.counters.batches_in += 1;
        self.counters.rows_in += selected as u64;
        let mut result = Ok(());
        if selected > 0
            && !(selected == 1 && self.projection.apply_row(batch, cx.pool))
            && let Err(e) = self.projection.apply(batch, self.watermark, cx.now_us, cx.pool)
        {
            cut_before(batch, &e, cx.pool);
            self.counters.filtered += (selected - batch.selected()) as u64;
            result = Err(e.error);
        }
        self.counters.rows_out += batch.selected() as u64;
        self.watermark = batch.watermarks.last().unwrap_or(self.watermark);
        result
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"PROJ", 1);
        to.i64(self.watermark);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"PROJ", 1)?;
        self.watermark = from.i64()?;
        Ok(())
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::ColumnRef;
    use crate::batch::{Pool, TypeKind};
    use crate::error::Span;
    use crate::operators::testing::{check, column, input, node, plus_one};
    use crate::plan::{Changelog, Op};

    #[test]
    fn columns_are_computed_and_rows_before_an_error_still_go_out() {
        let from = input("a BIGINT, b STRING", Changelog::ALL);
        let exprs = vec![column(&from.schema, 1), plus_one(column(&from.schema, 0))];
        let project = node(Op::Project(exprs), "b STRING, a BIGINT", Changelog::ALL);
        check(
            &project,
            &[&from],
            "+I 1 x
             ~ 10
             -D null y
             -U 3 null
             ~ 20",
            "+I x 2
             ~ 10
             -D y null
             -U null 4
             ~ end",
        );
        check(
            &project,
            &[&from],
            "+I 1 x
             ~ 10
             +I 2 y
             ~ 11
             +I 666 z
             ~ 12
             +I 3 z",
            "+I x 2
             ~ 10
             +I y 3
             ~ 11
             error: the beast",
        );
    }

    #[test]
    fn a_column_that_is_passed_on_is_not_copied() {
        let ty = TypeKind::BigInt.nullable();
        let mut op = Project::new(&[Expr::column(0, ty.clone(), Span::default())]);
        let (mut pool, mut c) = (Pool::default(), crate::batch::Column::new(&ty));
        c.push_nulls(3);
        let c = ColumnRef::new(c);
        let mut cx = Context { pool: &mut pool, now_us: 0 };
        let mut batch = Batch::new(vec![c.clone()], 3);
        op.apply(&mut batch, &mut cx).unwrap();
        assert!(ColumnRef::ptr_eq(batch.column(0), &c));
    }
}

//! A list of expressions over a batch: what a projection computes.
//!
//! The results come in a batch of the projection's own, which returns to it with its columns. Columns that are only passed on are
//! **exchanged** for that batch's at their last use, computed ones for the registers of their programs. They stay unshared, so the next
//! operator may reuse them, no reference is counted, and nothing is done per column but the exchange: over one row the rest
//! would cost more than the expressions. Where every column that is passed on stays in its place, the batch itself goes on and only
//! the computed columns are exchanged, or added behind the others ([`Batch::replace`]).

use super::{EvalContext, Expr, Program, RowError};
use crate::batch::{Batch, DataType, Home, Old, Pool};

/// See the module's text.
pub struct Projection {
    types: Vec<DataType>,
    home: Home,
    computed: Vec<Computed>,
    passed: Vec<Passed>,
    /// Every column that is passed on stays in its place.
    in_place: bool,
    /// In place, and each computed column knows how to compute a row alone.
    rows_in_place: bool,
    /// From here on all columns are computed; and how many these are.
    tail: usize,
    behind: usize,
}

struct Computed {
    to: usize,
    program: Program,
}

/// A column of the input that is passed on. `last`: no later one passes it.
struct Passed {
    from: usize,
    to: usize,
    last: bool,
}

impl Projection {
    /// A projection to these expressions.
    pub fn new(exprs: &[Expr]) -> Self {
        let (mut computed, mut passed) = (vec![], Vec::<Passed>::new());
        for (to, e) in exprs.iter().enumerate() {
            let program = Program::new(e);
            match program.as_column() {
                Some(from) => {
                    passed.iter_mut().filter(|p| p.from == from).for_each(|p| p.last = false);
                    passed.push(Passed { from, to, last: true });
                }
                None => computed.push(Computed { to, program }),
            }
        }
        let types = exprs.iter().map(|e| e.ty.clone()).collect();
        let in_place = passed.iter().all(|p| p.from == p.to);
        let rows_in_place = in_place && computed.iter().all(|c| c.program.has_rows());
        let tail = passed.last().map_or(0, |p| p.to + 1);
        let behind = exprs.len() - tail;
        Self { types, home: Home::default(), computed, passed, in_place, rows_in_place, tail, behind }
    }

    /// A batch of so many columns has a place for each, or the places are behind them.
    #[inline(always)]
    fn fits(&self, columns: usize) -> bool {
        columns.wrapping_sub(self.tail) <= self.behind
    }

    /// [`Projection::apply`] for a batch with one selected row, where that is simple: false when it is not, and nothing was done. A
    /// function of its own, whose few values stay in registers.
    #[inline(always)]
    pub fn apply_row(&mut self, batch: &mut Batch, pool: &mut Pool) -> bool {
        if !self.rows_in_place || !self.fits(batch.columns.len()) {
            return false;
        }
        let Some(row) = batch.only() else { return false };
        if let [Computed { to, program }] = &self.computed[..] {
            batch.replace_one(*to, &self.types[*to], |target, old| {
                program.row_into(target, old.columns, old.rows, row, pool);
            });
            return true;
        }
        for (n, Computed { to, program }) in self.computed.iter().enumerate() {
            batch.replace(n, *to, &self.types[*to], |target, old| {
                program.row_into(target, old.columns, old.rows, row, pool);
            });
        }
        batch.settle(self.computed.len());
        true
    }

    /// Replaces the columns of `batch`. `watermark` is the one before its first row.
    ///
    /// # Errors
    /// The smallest failing row; the batch then has the results for the rows before it, and is still to be cut there.
    pub fn apply(
        &mut self,
        batch: &mut Batch,
        watermark: i64,
        now_us: i64,
        pool: &mut Pool,
    ) -> Result<(), RowError> {
        if self.in_place && self.fits(batch.columns.len()) {
            return self.apply_in_place(batch, watermark, now_us, pool);
        }
        let mut out = pool.batch_at(&mut self.home, &self.types);
        let cx = &mut EvalContext { pool, now_us, watermark, watermarks: &batch.watermarks };
        let (mut sel, mut failed) = (batch.sel(), None);
        // An expression may fail at a row that an earlier one has passed: again for the rows before.
        'again: loop {
            for Computed { to, program } in &mut self.computed {
                let target = &mut out.columns[*to];
                if let Err(e) = program.eval_into(target, &batch.columns, batch.rows(), sel, cx) {
                    sel = sel.below(e.row);
                    failed = Some(e);
                    continue 'again;
                }
            }
            break;
        }
        let (to, from) = (&mut out.columns[..], &mut batch.columns[..]);
        for p in &self.passed {
            if p.last {
                std::mem::swap(&mut to[p.to], &mut from[p.from]);
            } else {
                to[p.to] = from[p.from].clone();
            }
        }
        batch.swap_columns(&mut out);
        pool.recycle(out);
        failed.map_or(Ok(()), Err)
    }

    #[inline]
    fn apply_in_place(
        &mut self,
        batch: &mut Batch,
        watermark: i64,
        now_us: i64,
        pool: &mut Pool,
    ) -> Result<(), RowError> {
        let Self { computed, types, .. } = self;
        for (n, Computed { to, program }) in computed.iter_mut().enumerate() {
            let done = batch.replace(n, *to, &types[*to], |target, old| {
                let Old { columns, rows, sel, watermarks } = old;
                program.eval_into(
                    target,
                    columns,
                    rows,
                    sel,
                    &mut EvalContext { pool, now_us, watermark, watermarks },
                )
            });
            if let Err(e) = done {
                return self.rows_before(e, batch, watermark, now_us, pool);
            }
        }
        batch.settle(computed.len());
        Ok(())
    }

    /// Computes again in place, until nothing fails in the rows before the one that did.
    #[cold]
    fn rows_before(
        &mut self,
        mut failed: RowError,
        batch: &mut Batch,
        watermark: i64,
        now_us: i64,
        pool: &mut Pool,
    ) -> Result<(), RowError> {
        'again: loop {
            for (n, Computed { to, program }) in self.computed.iter_mut().enumerate() {
                let done = batch.replace(n, *to, &self.types[*to], |target, old| {
                    let Old { columns, rows, sel, watermarks } = old;
                    let cx = &mut EvalContext { pool, now_us, watermark, watermarks };
                    program.eval_into(target, columns, rows, sel.below(failed.row), cx)
                });
                if let Err(e) = done {
                    failed = e;
                    continue 'again;
                }
            }
            break;
        }
        batch.settle(self.computed.len());
        Err(failed)
    }
}

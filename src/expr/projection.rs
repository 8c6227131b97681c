//! A list of expressions over a batch: what a projection computes.
//!
//! The results come in a batch of the projection's own, which returns to it with its columns. Columns that are only passed on are
//! **exchanged** for that batch's at their last use, computed ones for the registers of their programs. They stay unshared, so the next
//! operator may reuse them, no reference is counted, and nothing is done per column but the exchange: over one row the rest
//! would cost more than the expressions.

use super::{EvalContext, Expr, Program, RowError};
use crate::batch::{Batch, DataType, Home, Pool};

/// See the module's text.
pub struct Projection {
    types: Vec<DataType>,
    home: Home,
    computed: Vec<Computed>,
    passed: Vec<Passed>,
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
        Self { types, home: Home::default(), computed, passed }
    }

    /// Replaces the columns of `batch`. `watermark` is the one before its first row.
    ///
    /// # Errors
    /// The smallest failing row; the batch then has the results for the rows before it, and is still to be cut there.
    #[inline]
    pub fn apply(
        &mut self,
        batch: &mut Batch,
        watermark: i64,
        now_us: i64,
        pool: &mut Pool,
    ) -> Result<(), RowError> {
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
}

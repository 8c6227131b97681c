//! A list of expressions over a batch: what a projection computes.
//!
//! Columns that are only passed on are **moved** from the input to the output at their last use. They stay unshared, so the next
//! operator may reuse them, and no reference is counted: over one row that would cost more than the expressions.

use super::{EvalContext, Expr, Program, RowError};
use crate::batch::{Batch, ColumnRef, Pool};

/// See the module's text.
pub struct Projection {
    outputs: Vec<Output>,
    programs: Vec<Program>,
    /// Kept for their memory; empty between calls.
    computed: Vec<Option<ColumnRef>>,
    input: Vec<Option<ColumnRef>>,
}

enum Output {
    /// A column of the input; the last output that takes it moves it.
    Passed { column: usize, last: bool },
    /// The result of a program.
    Computed(usize),
}

impl Projection {
    /// A projection to these expressions.
    pub fn new(exprs: &[Expr]) -> Self {
        let mut programs = vec![];
        let mut outputs: Vec<Output> = vec![];
        for p in exprs.iter().map(Program::new) {
            let output = match p.as_column() {
                Some(column) => {
                    for o in &mut outputs {
                        if let Output::Passed { column: c, last } = o
                            && *c == column
                        {
                            *last = false;
                        }
                    }
                    Output::Passed { column, last: true }
                }
                None => {
                    programs.push(p);
                    Output::Computed(programs.len() - 1)
                }
            };
            outputs.push(output);
        }
        Self { outputs, programs, computed: vec![], input: vec![] }
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
        let result = if self.programs.is_empty() {
            Ok(())
        } else {
            let mut results = pool.column_list();
            let cx = &mut EvalContext { pool, now_us, watermark, watermarks: &batch.watermarks };
            let result = Program::eval_all(&mut self.programs, batch, &mut results, cx);
            self.computed.extend(results.drain(..).map(Some));
            pool.recycle_columns(results);
            result
        };
        self.input.extend(batch.columns.drain(..).map(Some));
        for o in &self.outputs {
            let column = match *o {
                Output::Passed { column, last: true } => self.input[column].take(),
                Output::Passed { column, last: false } => self.input[column].clone(),
                Output::Computed(n) => self.computed[n].take(),
            };
            batch.columns.push(column.expect("a column moves at its last use only"));
        }
        self.computed.clear();
        for c in self.input.drain(..).flatten() {
            pool.recycle_column(c);
        }
        result
    }
}

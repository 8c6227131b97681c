//! Expressions over a match: their cells are filled, then the ordinary kernels compute.
//!
//! A condition is asked of one row at a time, and most ask of that row alone. Aggregates are computed anew over the rows of the match at each
//! question, as in Flink.

use super::paths::Paths;
use crate::batch::{Batch, Column, ColumnRef, DataType, Pool, Schema, Sel, Watermarks};
use crate::error::Result;
use crate::expr::{EvalContext, Program};
use crate::operators::aggregates::{Aggregates, unshared};
use crate::plan::{Aggregate, Cell, CellKind, PatternExprs};

/// The cells of some expressions.
pub(super) struct Cells {
    cells: Vec<Filled>,
    /// Rows of a variable, for FIRST and aggregates.
    rows: Vec<u32>,
}

enum Filled {
    Value { of: Option<usize>, column: usize, first: bool, offset: usize },
    Aggregate { of: Option<usize>, sum: Box<Sum> },
    Time,
}

/// An aggregate over rows that are gathered for it.
struct Sum {
    aggregates: Aggregates,
    /// The columns that it reads, which stand in `gathered` under their own numbers.
    reads: Vec<usize>,
    gathered: Batch,
}

/// What cells are filled from: a path, and the row at hand behind it, with the variable that would take it.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) node: u32,
    pub(super) row: Option<(usize, u32)>,
    pub(super) time_us: i64,
}

impl Cells {
    pub(super) fn new(cells: &[Cell<Aggregate>], input: &Schema) -> Self {
        let filled = |c: &Cell<Aggregate>| match &c.kind {
            CellKind::Value { of, column, first, offset } => {
                Filled::Value { of: *of, column: *column, first: *first, offset: *offset as usize }
            }
            CellKind::Aggregate { of, call } => {
                let mut aggregates = Aggregates::new(std::slice::from_ref(call), input, false);
                aggregates.grow(1);
                let gathered =
                    Batch::new(input.fields.iter().map(|f| ColumnRef::new(Column::new(&f.ty))).collect(), 0);
                let mut reads: Vec<usize> = call.args.iter().copied().chain(call.filter).collect();
                reads.sort_unstable();
                reads.dedup();
                Filled::Aggregate { of: *of, sum: Box::new(Sum { aggregates, reads, gathered }) }
            }
            CellKind::Time => Filled::Time,
        };
        Self { cells: cells.iter().map(filled).collect(), rows: vec![] }
    }

    /// They are of the row at hand alone, which variable `v` would take.
    fn are_of_row(&self, v: usize) -> bool {
        self.cells.iter().all(|c| match c {
            Filled::Value { of: None, first, offset, .. } => !first && *offset == 0,
            Filled::Value { of: Some(of), first, offset, .. } => *of == v && !first && *offset == 0,
            Filled::Aggregate { .. } | Filled::Time => false,
        })
    }

    /// Appends a row of cells to `out`, a column each.
    fn fill(&mut self, at: At, paths: &Paths, out: &mut [ColumnRef]) -> Result<()> {
        for (cell, out) in self.cells.iter_mut().zip(out) {
            match cell {
                Filled::Value { of, column, first, offset } => {
                    match find(paths, at, *of, *first, *offset, &mut self.rows) {
                        Some(row) => unshared(out).extend_rows(&paths.columns()[*column], &[row]),
                        None => unshared(out).push_null(),
                    }
                }
                Filled::Aggregate { of, sum } => {
                    gather(paths, at, *of, &mut self.rows);
                    self.rows.reverse();
                    sum.compute(&self.rows, paths, out)?;
                }
                Filled::Time => {
                    let out = unshared(out);
                    out.buffer_mut::<i64>().push(at.time_us);
                    out.validity.push(true);
                }
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let sums = self.cells.iter().map(|c| match c {
            Filled::Aggregate { sum, .. } => sum.aggregates.bytes(),
            _ => 0,
        });
        sums.sum()
    }
}

/// The row of a match that a value is of.
fn find(
    paths: &Paths,
    at: At,
    of: Option<usize>,
    first: bool,
    offset: usize,
    rows: &mut Vec<u32>,
) -> Option<u32> {
    if first {
        gather(paths, at, of, rows);
        return rows.len().checked_sub(offset + 1).map(|n| rows[n]);
    }
    back(paths, at, of).nth(offset)
}

/// The rows of a variable, or of all, the last one first.
fn back(paths: &Paths, at: At, of: Option<usize>) -> impl Iterator<Item = u32> {
    let own = at.row.filter(|(v, _)| of.is_none_or(|of| of == *v)).map(|r| r.1);
    let before = paths.back(at.node).filter(move |n| of.is_none_or(|of| of == n.variable as usize));
    own.into_iter().chain(before.map(|n| n.row))
}

fn gather(paths: &Paths, at: At, of: Option<usize>, rows: &mut Vec<u32>) {
    rows.clear();
    rows.extend(back(paths, at, of));
}

impl Sum {
    /// Appends the aggregate of these rows to `out`.
    fn compute(&mut self, rows: &[u32], paths: &Paths, out: &mut ColumnRef) -> Result<()> {
        let mut columns = std::mem::take(&mut self.gathered.columns);
        for (n, c) in columns.iter_mut().enumerate() {
            let c = unshared(c);
            c.clear();
            if self.reads.contains(&n) {
                c.extend_rows(&paths.columns()[n], rows);
            } else {
                c.push_nulls(rows.len());
            }
        }
        self.gathered.fill(&mut columns, rows.len());
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        self.aggregates.reset(0);
        self.aggregates.update(&self.gathered, &all, &vec![0; rows.len()]).map_err(|e| e.error)?;
        self.aggregates.emit_one(0, 0, out);
        Ok(())
    }
}

/// When a row is one of a variable.
pub(super) struct Condition {
    cells: Cells,
    columns: Vec<ColumnRef>,
    program: Program,
    /// It asks of the row at hand alone.
    pub(super) of_row: bool,
}

impl Condition {
    /// The condition of variable `v`.
    pub(super) fn new(v: usize, of: &PatternExprs<Aggregate>, input: &Schema) -> Self {
        let cells = Cells::new(&of.cells, input);
        Self {
            of_row: cells.are_of_row(v),
            columns: of.cells.iter().map(|c| ColumnRef::new(Column::new(&c.ty))).collect(),
            cells,
            program: Program::new(&of.exprs[0]),
        }
    }

    /// It is true, neither false nor unknown.
    pub(super) fn is_true(
        &mut self,
        at: At,
        paths: &Paths,
        now_us: i64,
        watermark: i64,
        pool: &mut Pool,
    ) -> Result<bool> {
        for c in &mut self.columns {
            unshared(c).clear();
        }
        self.cells.fill(at, paths, &mut self.columns)?;
        let watermarks = Watermarks::default();
        let mut cx = EvalContext { pool, now_us, watermark, watermarks: &watermarks };
        let value = self.program.eval(&self.columns, 1, Sel::All(1), &mut cx).map_err(|e| e.error)?;
        let c = value.column();
        Ok(c.is_valid(0) && c.bools().get(0))
    }

    pub(super) fn bytes(&self) -> usize {
        self.cells.bytes()
    }
}

/// What is told of matches: rows of cells, until the measures are computed from them.
pub(super) struct Told {
    cells: Cells,
    types: Vec<DataType>,
    columns: Vec<ColumnRef>,
    rows: usize,
}

impl Told {
    pub(super) fn new(of: &PatternExprs<Aggregate>, input: &Schema) -> Self {
        let types: Vec<_> = of.cells.iter().map(|c| c.ty.clone()).collect();
        Self {
            cells: Cells::new(&of.cells, input),
            columns: types.iter().map(|t| ColumnRef::new(Column::new(t))).collect(),
            types,
            rows: 0,
        }
    }

    /// Matches so far.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// A match has been found.
    pub(super) fn add(&mut self, at: At, paths: &Paths) -> Result<()> {
        let filled = self.cells.fill(at, paths, &mut self.columns);
        match filled {
            Ok(()) => self.rows += 1,
            // What this one has written so far goes: it is not told.
            Err(_) => {
                let rows: Vec<u32> = (0..self.rows as u32).collect();
                for (c, ty) in self.columns.iter_mut().zip(&self.types) {
                    let mut whole = Column::new(ty);
                    whole.extend_rows(c, &rows);
                    *c = ColumnRef::new(whole);
                }
            }
        }
        filled
    }

    /// Takes the matches `from..to` out as columns; all are forgotten after [`Told::clear`].
    pub(super) fn columns(&self, from: usize, to: usize, pool: &mut Pool) -> Vec<ColumnRef> {
        let rows: Vec<u32> = (from as u32..to as u32).collect();
        let mut columns = pool.column_list();
        for (c, ty) in self.columns.iter().zip(&self.types) {
            let mut picked = pool.column(ty);
            unshared(&mut picked).extend_rows(c, &rows);
            columns.push(picked);
        }
        columns
    }

    pub(super) fn clear(&mut self) {
        self.columns.iter_mut().for_each(|c| unshared(c).clear());
        self.rows = 0;
    }

    pub(super) fn bytes(&self) -> usize {
        self.cells.bytes() + self.columns.iter().map(|c| c.bytes()).sum::<usize>()
    }
}

//! Rows of a batch beside rows picked from other columns: what table functions and UNNEST give. Kinds and watermarks are those of the
//! batch's rows; a row that stands alone has NULLs beside it.

use super::aggregates::unshared;
use crate::batch::{Batch, Column, ColumnRef, DataType, Pool};

/// Instead of a picked row: NULLs.
pub(super) const NOTHING: u32 = u32::MAX;

/// The rows of one batch that goes out.
pub(super) struct Beside {
    rows: Vec<u32>,
    picks: Vec<u32>,
    out: Batch,
}

impl Beside {
    /// No row yet.
    pub(super) fn new(pool: &mut Pool) -> Self {
        Self { rows: pool.row_list(), picks: pool.row_list(), out: pool.batch() }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The watermarks of `from` that stand before its row `row` are next; `marks` of them were given.
    pub(super) fn advance(&mut self, from: &Batch, row: u32, marks: &mut usize) {
        let runs = from.watermarks.runs();
        while let Some(&(_, w)) = runs.get(*marks).filter(|m| m.0 <= row) {
            self.out.watermarks.advance(self.rows.len(), w);
            *marks += 1;
        }
    }

    /// Row `row` of the batch beside row `pick`, or [`NOTHING`].
    pub(super) fn push(&mut self, row: u32, pick: u32) {
        self.rows.push(row);
        self.picks.push(pick);
    }

    /// All rows are there: their kinds, and a column of them for each of these.
    pub(super) fn keep<'a>(
        &mut self,
        from: &'a Batch,
        columns: impl Iterator<Item = &'a ColumnRef>,
        types: &[DataType],
        pool: &mut Pool,
    ) {
        for (column, ty) in columns.zip(types) {
            let mut to = pool.column(ty);
            unshared(&mut to).extend_rows(column, &self.rows);
            self.out.columns.push(to);
        }
        self.out.set_rows(self.rows.len());
        if let Some(kinds) = from.kinds() {
            let mut list = pool.kind_list();
            list.extend(self.rows.iter().map(|&r| kinds[r as usize]));
            self.out.set_kinds(Some(list));
        }
    }

    /// A column of the picked rows of this one.
    pub(super) fn pick(&mut self, from: &Column, ty: &DataType, pool: &mut Pool) {
        let mut column = pool.column(ty);
        let to = unshared(&mut column);
        for part in self.picks.chunk_by(|a, b| (*a == NOTHING) == (*b == NOTHING)) {
            match part[0] {
                NOTHING => to.push_nulls(part.len()),
                _ => to.extend_rows(from, part),
            }
        }
        self.out.columns.push(column);
    }

    /// A column that is there.
    pub(super) fn add(&mut self, column: ColumnRef) {
        self.out.columns.push(column);
    }

    pub(super) fn finish(self, pool: &mut Pool) -> Batch {
        pool.recycle_rows(self.rows);
        pool.recycle_rows(self.picks);
        self.out
    }
}

//! A block of rows handed out in pieces.
//!
//! Who has many rows in columns and is asked for few at a time does not copy them: every piece shares the block's columns and
//! selects its rows. A kernel under a selection computes those alone, so a piece costs the same however large its block is,
//! but for results of variable length, which are cleared whole: see [`Pieces::ROWS`].

use super::{Batch, ColumnRef, DataType, Home, Pool};
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of the last block that was loaded.
static BLOCKS: AtomicU64 = AtomicU64::new(0);

/// See the module's text.
#[derive(Debug)]
pub struct Pieces {
    columns: Vec<ColumnRef>,
    rows: usize,
    next: usize,
    home: Home,
    /// The block's number, which no other has.
    block: u64,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { columns: Vec::new(), rows: 0, next: 0, home: Home::of_lent(), block: 0 }
    }
}

impl Pieces {
    /// The size of a block that is made to be handed out row by row.
    pub const ROWS: usize = 64;

    /// Goes on with another block: `rows` rows, from row `first` on.
    pub fn load(&mut self, columns: &[ColumnRef], rows: usize, first: usize) {
        debug_assert!(columns.iter().all(|c| c.len() == rows) && first <= rows);
        self.columns.clear();
        self.columns.extend_from_slice(columns);
        (self.rows, self.next) = (rows, first);
        self.block = BLOCKS.fetch_add(1, Ordering::Relaxed) + 1;
    }

    /// Rows that are still to be handed out.
    #[inline]
    pub fn left(&self) -> usize {
        self.rows - self.next
    }

    /// The next rows, `max_rows` at most, with the first one's number; `None` at the end of the block. `types` are those of the
    /// columns.
    #[inline]
    pub fn next(&mut self, max_rows: usize, types: &[DataType], pool: &mut Pool) -> Option<(usize, Batch)> {
        let (first, rows) = (self.next, max_rows.min(self.left()));
        if rows == 0 {
            return None;
        }
        let mut batch = pool.batch_at(&mut self.home, types);
        if !batch.holds(self.block) {
            self.lend(&mut batch, pool);
        }
        batch.set_rows(self.rows);
        self.next += rows;
        match rows {
            1 => batch.select_one(first),
            _ if rows == self.rows => {}
            _ => {
                let mut list = pool.row_list();
                list.extend((first..self.next).map(|r| r as u32));
                batch.select(Some(list));
            }
        }
        Some((first, batch))
    }

    /// Gives a batch the block's columns.
    #[inline(never)]
    fn lend(&self, batch: &mut Batch, pool: &mut Pool) {
        for (to, from) in batch.columns.iter_mut().zip(&self.columns) {
            // It may have them still: every reference counted costs as much as a column computed.
            if !ColumnRef::ptr_eq(to, from) {
                // What stages have exchanged for it may be a block's whose owner has had to take another one: it is the pool's now.
                pool.recycle_column(std::mem::replace(to, from.clone()));
            }
        }
        batch.set_block(self.block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Column, TypeKind};

    #[test]
    fn pieces_share_the_block_and_select_their_rows() {
        let (mut pool, ty) = (Pool::default(), TypeKind::BigInt.nullable());
        let mut column = Column::new(&ty);
        column.reset(5);
        let block = [ColumnRef::new(column)];
        for size in [1, 2, 5, 100] {
            let (mut pieces, mut seen) = (Pieces::default(), vec![]);
            pieces.load(&block, 5, 0);
            while let Some((first, batch)) = pieces.next(size, std::slice::from_ref(&ty), &mut pool) {
                assert!(ColumnRef::ptr_eq(batch.column(0), &block[0]));
                assert!(batch.selected() <= size && batch.sel().row(0) == first);
                batch.sel().for_each(|r| seen.push(r));
                pool.recycle(batch);
            }
            assert_eq!((seen, pieces.left()), ((0..5).collect(), 0), "pieces of {size}");
        }
    }

    #[test]
    fn a_column_that_a_stage_has_exchanged_returns_to_the_pool() {
        let (mut pool, ty) = (Pool::default(), TypeKind::BigInt.nullable());
        let block = |rows| {
            let mut column = Column::new(&ty);
            column.reset(rows);
            [ColumnRef::new(column)]
        };
        let (first, second, mut pieces) = (block(2), block(2), Pieces::default());
        pieces.load(&first, 2, 0);
        let (_, mut batch) = pieces.next(1, std::slice::from_ref(&ty), &mut pool).unwrap();
        // A column of 64 values, which nobody else holds, in the place of the block's.
        let [exchanged] = block(64);
        batch.columns[0] = exchanged;
        pool.recycle(batch);
        pieces.load(&second, 2, 0);
        let (_, batch) = pieces.next(1, std::slice::from_ref(&ty), &mut pool).unwrap();
        assert!(ColumnRef::ptr_eq(batch.column(0), &second[0]));
        assert!(pool.column(&ty).bytes() >= 64 * 8);
    }

    #[test]
    fn whatever_became_of_a_batch_the_next_has_the_columns_of_the_block() {
        let (mut pool, ty) = (Pool::default(), TypeKind::BigInt.nullable());
        let types = [ty.clone(), ty.clone()];
        let column = |rows| {
            let mut column = Column::new(&ty);
            column.reset(rows);
            ColumnRef::new(column)
        };
        let (blocks, mut pieces) = ([[column(6), column(6)], [column(6), column(6)]], Pieces::default());
        let mut others = Pieces::default();
        for block in &blocks {
            pieces.load(block, 6, 0);
            others.load(&[column(6), column(6)], 6, 0);
            for step in 0..6 {
                let (_, mut batch) = pieces.next(1, &types, &mut pool).unwrap();
                let holds = batch.columns.iter().zip(block).all(|(own, from)| ColumnRef::ptr_eq(own, from));
                assert!(holds, "behind step {step}");
                let (_, other) = others.next(1, &types, &mut pool).unwrap();
                match step {
                    // A stage computes a column in place, and one behind the last.
                    1 => {
                        batch.replace_one(1, &ty, |to, _| ColumnRef::get_mut(to).unwrap().reset(6));
                        batch.replace_one(2, &ty, |to, _| ColumnRef::get_mut(to).unwrap().reset(6));
                    }
                    // An operator takes them for something else.
                    2 => batch.columns.swap(0, 1),
                    3 => batch.columns[0] = column(6),
                    // They change hands with another batch that has some of its own.
                    4 => {
                        let mut out = other.clone();
                        batch.swap_columns(&mut out);
                        pool.recycle(out);
                    }
                    _ => batch.watermarks_mut().advance(0, 1),
                }
                pool.recycle(batch);
                pool.recycle(other);
            }
        }
    }

    #[test]
    fn a_block_may_start_in_the_middle() {
        let (mut pool, ty) = (Pool::default(), TypeKind::BigInt.nullable());
        let mut column = Column::new(&ty);
        column.reset(5);
        let mut pieces = Pieces::default();
        pieces.load(&[ColumnRef::new(column)], 5, 3);
        let (first, batch) = pieces.next(10, std::slice::from_ref(&ty), &mut pool).unwrap();
        assert_eq!((first, batch.sel().iter().collect::<Vec<_>>()), (3, vec![3, 4]));
    }
}

//! Output that is written row by row, by operators that keep rows as bytes: columns being filled, with kinds and watermarks, and full
//! batches that wait to be pulled.

use super::Counters;
use crate::batch::{Batch, Column, ColumnRef, DataType, MAX_ROWS, Pool, RowKind, Watermarks};
use std::collections::VecDeque;

/// See the module's text.
pub(super) struct Emit {
    types: Vec<DataType>,
    columns: Vec<ColumnRef>,
    kinds: Vec<RowKind>,
    watermarks: Watermarks,
    full: VecDeque<Batch>,
}

impl Emit {
    /// Output with columns of those types.
    pub(super) fn new(types: Vec<DataType>) -> Self {
        Self {
            types,
            columns: vec![],
            kinds: vec![],
            watermarks: Watermarks::default(),
            full: VecDeque::new(),
        }
    }

    /// Writes a row: the values of `bytes`, then those that `more` appends to the columns behind.
    pub(super) fn row(
        &mut self,
        kind: RowKind,
        bytes: &[u8],
        more: impl FnOnce(&mut [ColumnRef]),
        pool: &mut Pool,
    ) {
        let width = self.begin(pool);
        let mut rest = bytes;
        let mut filled = 0;
        while !rest.is_empty() && filled < width {
            crate::batch::key::decode_value(&mut rest, own(&mut self.columns[filled]));
            filled += 1;
        }
        more(&mut self.columns[filled..]);
        self.end(kind, pool);
    }

    fn begin(&mut self, pool: &mut Pool) -> usize {
        if self.columns.is_empty() {
            self.columns.extend(self.types.iter().map(|t| pool.column(t)));
        }
        self.columns.len()
    }

    fn end(&mut self, kind: RowKind, pool: &mut Pool) {
        self.kinds.push(kind);
        if self.kinds.len() == MAX_ROWS {
            self.close(pool);
        }
    }

    /// Event time moves on.
    pub(super) fn watermark(&mut self, watermark: i64) {
        self.watermarks.advance(self.kinds.len(), watermark);
    }

    /// What has been written becomes a batch.
    pub(super) fn close(&mut self, pool: &mut Pool) {
        if self.kinds.is_empty() && self.watermarks.is_empty() {
            return;
        }
        let mut batch = pool.batch();
        if !self.kinds.is_empty() {
            batch.fill(&mut self.columns, self.kinds.len());
            self.columns.clear();
        }
        if self.kinds.iter().any(|&k| k != RowKind::Insert) {
            let mut kinds = pool.kind_list();
            kinds.extend_from_slice(&self.kinds);
            batch.set_kinds(Some(kinds));
        }
        for &(after, w) in self.watermarks.runs() {
            batch.watermarks.advance(after as usize, w);
        }
        self.watermarks.clear();
        self.kinds.clear();
        self.full.push_back(batch);
    }

    /// Full batches wait: whoever writes may stop until they have been pulled.
    pub(super) fn is_full(&self) -> bool {
        !self.full.is_empty()
    }

    /// The next full batch.
    pub(super) fn pull(&mut self, counters: &mut Counters) -> Option<Batch> {
        let batch = self.full.pop_front()?;
        counters.rows_out += batch.selected() as u64;
        Some(batch)
    }
}

fn own(c: &mut ColumnRef) -> &mut Column {
    ColumnRef::get_mut(c).expect("a column that is being filled is not shared")
}

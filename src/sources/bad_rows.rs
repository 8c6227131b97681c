//! Records that could not be decoded, as a table: what an input keeps of them until the shard takes it.

use crate::batch::{Batch, Column, ColumnRef};
use crate::formats::RowError;
use crate::plan::aside;

/// Rows of [`aside::bad_rows`] that wait. A poll decodes no more than a block of the input before they are taken.
#[derive(Default)]
pub(super) struct BadRows {
    columns: Vec<Column>,
    rows: usize,
}

impl BadRows {
    /// A record of `table`, at a place in `source`, as its bytes stood there.
    #[cold]
    pub(super) fn row(&mut self, table: &str, source: &str, e: &RowError, raw: &[u8]) {
        if self.columns.is_empty() {
            self.columns = aside::bad_rows().fields.iter().map(|f| Column::new(&f.ty)).collect();
        }
        let place = format!("line {}, column {}", e.line, e.column);
        let raw = String::from_utf8_lossy(raw);
        for (c, text) in self.columns.iter_mut().zip([table, source, &place, &raw, &e.message]) {
            c.validity.push(true);
            c.byte_column_mut().push(text.as_bytes());
        }
        self.rows += 1;
    }

    /// There are rows to be taken.
    pub(super) fn is_waiting(&self) -> bool {
        self.rows > 0
    }

    /// The rows since the last call.
    pub(super) fn take(&mut self) -> Option<Batch> {
        if self.rows == 0 {
            return None;
        }
        let rows = std::mem::take(&mut self.rows);
        let columns = std::mem::take(&mut self.columns);
        Some(Batch::new(columns.into_iter().map(ColumnRef::new).collect(), rows))
    }
}

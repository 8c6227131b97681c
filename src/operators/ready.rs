//! What an operator has to give until the next push: batches, and behind them perhaps an error.

use super::Counters;
use crate::batch::{Batch, Pool};
use crate::error::{Error, Result};
use crate::expr::RowError;
use std::collections::VecDeque;

/// See the module's text.
#[derive(Default)]
pub(super) struct Ready {
    batches: VecDeque<Batch>,
    error: Option<Error>,
}

impl Ready {
    /// A batch to give, unless there is nothing in it. Of a batch without selected rows only the watermark goes on, so a
    /// reader may meet batches without columns, but only where there are no rows.
    pub(super) fn push(&mut self, batch: Batch, pool: &mut Pool) {
        if batch.selected() > 0 {
            self.batches.push_back(batch);
            return;
        }
        if let Some(w) = batch.watermarks.last() {
            self.push_watermark(w, pool);
        }
        pool.recycle(batch);
    }

    /// Nothing but a watermark.
    pub(super) fn push_watermark(&mut self, watermark: i64, pool: &mut Pool) {
        if let Some(last) = self.batches.back_mut() {
            let rows = last.rows();
            last.watermarks.advance(rows, watermark);
        } else {
            self.batches.push_back(pool.watermark_batch(watermark));
        }
    }

    /// An error to give after the batches.
    pub(super) fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// The next batch; the error when there is none.
    pub(super) fn pull(&mut self, counters: &mut Counters) -> Result<Option<Batch>> {
        if let Some(b) = self.batches.pop_front() {
            counters.rows_out += b.selected() as u64;
            return Ok(Some(b));
        }
        self.error.take().map_or(Ok(None), Err)
    }

    /// There is nothing to give.
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.error.is_none()
    }
}

/// What goes on of a batch whose rows stay: the watermark, where it is news to those that have been `told` one.
#[inline]
pub(super) fn watermark_alone(mut batch: Batch, watermark: i64, told: &mut i64, pool: &mut Pool) -> Batch {
    pool.select_none(&mut batch);
    if watermark > *told {
        *told = watermark;
    } else {
        batch.watermarks_mut().clear();
    }
    batch
}

/// Cuts a batch before the row that failed: selection and watermarks end there.
pub(super) fn cut_before(batch: &mut Batch, failed: &RowError, pool: &mut Pool) {
    let mut rows = pool.row_list();
    rows.extend(batch.sel().below(failed.row).iter().map(|r| r as u32));
    if let Some(old) = batch.select(Some(rows)) {
        pool.recycle_rows(old);
    }
    batch.watermarks.truncate(failed.row);
}

//! The sink without a table: hands the batches of a query's result to whoever asked for it.

use crate::batch::Batch;
use crate::error::Result;
use crate::shard::{IoContext, Output};

/// Takes a batch, or gives it back to be offered again later. Called on the shard's thread: it must not block.
pub type Receiver = Box<dyn FnMut(Batch, &mut IoContext<'_>) -> Result<Option<Batch>> + Send>;

/// See the module's text. The receiver gets selection, row kinds and watermarks as they are.
pub struct CollectOutput {
    receiver: Receiver,
    rows: u64,
}

impl CollectOutput {
    /// Hands every batch to `receiver`.
    pub fn new(receiver: Receiver) -> Self {
        Self { receiver, rows: 0 }
    }
}

impl Output for CollectOutput {
    fn offer(&mut self, batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        let rows = batch.selected() as u64;
        let back = (self.receiver)(batch, cx)?;
        if back.is_none() {
            self.rows += rows;
        }
        Ok(back)
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

//! The rows of a query, on their way to the caller: a ring of batches, filled by the shard, emptied by whoever holds the run.

use crate::batch::Batch;
use crate::sinks::collect::Receiver;
use rtrb::{Consumer, PushError, RingBuffer};

/// Batches that may wait to be taken. A full ring stops the query, so that results which nobody takes hold no memory.
const WAITING: usize = 64;

/// The caller's end.
pub(super) struct Results {
    ring: Consumer<Batch>,
}

/// Both ends of the result of a query.
pub(super) fn results() -> (Receiver, Results) {
    let (mut producer, consumer) = RingBuffer::new(WAITING);
    let receiver: Receiver = Box::new(move |batch: Batch, cx| {
        if batch.selected() == 0 {
            cx.pool.recycle(batch);
            return Ok(None);
        }
        match producer.push(batch) {
            Ok(()) => Ok(None),
            Err(PushError::Full(batch)) => Ok(Some(batch)),
        }
    });
    (receiver, Results { ring: consumer })
}

impl Results {
    /// Everything that waits.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        let mut out = Vec::with_capacity(self.ring.slots());
        while let Ok(batch) = self.ring.pop() {
            out.push(batch);
        }
        out
    }
}

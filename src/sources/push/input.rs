//! The job's end of a pushed table.

use crate::batch::{Batch, DataType, Decoder, Encoder, Origin, Pool};
use crate::error::Result;
use crate::shard::{Comes, Input, InputCounters, IoContext, Polled};
use rtrb::{Consumer, Producer};

/// See the module's text. Its position is the number of rows taken: whoever restores a job pushes the rows behind it.
pub struct PushInput {
    filled: Consumer<Batch>,
    back: Producer<Batch>,
    types: Vec<DataType>,
    source: u32,
    rows: u64,
    stopped: bool,
    /// Batches that have come and for which none has gone back yet.
    owed: usize,
}

/// Batches owed at most while others come: what goes back is made when there is nothing else to do.
const OWED: usize = 4;

impl PushInput {
    pub(super) fn new(
        filled: Consumer<Batch>,
        back: Producer<Batch>,
        types: Vec<DataType>,
        source: u32,
    ) -> Self {
        Self { filled, back, types, source, rows: 0, stopped: false, owed: 0 }
    }
}

impl PushInput {
    /// Gives columns that the job is done with back for the next batches.
    #[cold]
    fn give_back(&mut self, pool: &mut Pool) {
        for _ in 0..std::mem::take(&mut self.owed).min(self.back.slots()) {
            let mut empty = pool.batch();
            empty.columns.extend(self.types.iter().map(|t| pool.column(t)));
            drop(self.back.push(empty));
        }
    }
}

impl Input for PushInput {
    fn poll(&mut self, _max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled> {
        if self.stopped {
            return Ok(Polled::End);
        }
        // Asked before the ring: what is sent before the sender goes is taken.
        let ended = self.filled.is_abandoned();
        match self.filled.pop() {
            Ok(mut batch) => {
                if batch.provenance.runs().is_empty() {
                    batch.provenance.push(Origin {
                        source: self.source,
                        offset: self.rows,
                        ingest_us: cx.now_us,
                        ..Origin::default()
                    });
                }
                self.rows += batch.selected() as u64;
                self.owed += 1;
                if self.owed > OWED {
                    self.give_back(cx.pool);
                }
                Ok(Polled::Batch(batch))
            }
            Err(_) if ended => Ok(Polled::End),
            Err(_) => {
                if self.owed > 0 {
                    self.give_back(cx.pool);
                }
                Ok(Polled::Pending)
            }
        }
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"PUSH", 1);
        to.u64(self.rows);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"PUSH", 1)?;
        self.rows = from.u64()?;
        Ok(())
    }

    fn counters(&self) -> InputCounters {
        InputCounters { rows: self.rows, ..InputCounters::default() }
    }

    fn comes(&self) -> Comes {
        Comes::Rung
    }

    fn is_ready(&self) -> bool {
        !self.filled.is_empty() || self.filled.is_abandoned()
    }

    fn stop(&mut self) {
        self.stopped = true;
    }
}

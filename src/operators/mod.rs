//! Operators: one file each, all under one contract.
//!
//! An [`Operator`] takes batches at its ports and gives batches out. It never sees a clock, a socket, a file or a thread; time
//! comes in its context. **Push and pull:** after [`Operator::push`] the driver pulls until `None`, and only then pushes again.
//! An operator with much to say gives one batch a pull and goes on at the next one, so that a full ring downstream stops it in
//! the middle of its output and nothing has to be held.
//!
//! **State has a byte form**: [`Operator::snapshot`] may be called whenever nothing is waiting to be pulled; [`Operator::restore`]
//! on a new operator of the same plan node goes on from there to the same rows.

use crate::batch::{Batch, Decoder, Encoder, Pool};
use crate::error::Result;

/// What an operator may know besides its input.
#[derive(Debug)]
pub struct Context<'a> {
    /// Memory to use again.
    pub pool: &'a mut Pool,
    /// The driver's clock, µs since the epoch.
    pub now_us: i64,
}

/// What became of the rows. `rows_in = absorbed + filtered + late + passed`, where `rows_out` are the passed ones and those
/// newly made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Selected rows pushed.
    pub rows_in: u64,
    /// Selected rows pulled.
    pub rows_out: u64,
    /// Rows dropped by a condition or limit.
    pub filtered: u64,
    /// Rows dropped because the watermark had passed them.
    pub late: u64,
    /// Rows taken into state.
    pub absorbed: u64,
    /// Calls of `push`.
    pub batches_in: u64,
}

/// One operation of one shard. See the module's text.
pub trait Operator: Send {
    /// Takes a batch at a port. Called only when the last pull gave `None`.
    ///
    /// # Errors
    /// The job cannot go on, and no row of this batch before the failing one is to be emitted. An operator that has such rows keeps
    /// the error and returns it from [`Operator::pull`] after them.
    fn push(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()>;

    /// The next batch of output; `None`: nothing until the next push.
    ///
    /// # Errors
    /// The job cannot go on.
    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>>;

    /// No more batches will come at this port. Its last batch has ended event time with
    /// [`END_OF_TIME`](crate::batch::END_OF_TIME). Output may follow by [`Operator::pull`].
    ///
    /// # Errors
    /// The job cannot go on.
    fn finish(&mut self, _port: usize, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    /// It will give nothing more whatever comes: its inputs may stop.
    fn is_done(&self) -> bool {
        false
    }

    /// When it wants a pull although nothing is pushed (processing-time timers), µs since the epoch.
    fn wake_at_us(&self) -> Option<i64> {
        None
    }

    /// Writes its state.
    fn snapshot(&self, to: &mut Encoder);

    /// Reads the state that [`Operator::snapshot`] wrote into an operator that has seen nothing yet.
    ///
    /// # Errors
    /// The bytes are damaged or of another version.
    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()>;

    /// Bytes of state held.
    fn bytes(&self) -> usize;

    /// What became of the rows so far.
    fn counters(&self) -> Counters;
}

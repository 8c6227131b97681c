//! How a shard meets the world: [`Input`] and [`Output`]. Neither may block. What waits (files, sockets) lives on a thread of
//! the connector and hands bytes or batches over a ring.

use crate::batch::{Batch, Decoder, Encoder, Pool};
use crate::error::{Error, Result};
use crate::host::sync::Bell;
use std::sync::Arc;

/// What an input or output may know.
#[derive(Debug)]
pub struct IoContext<'a> {
    /// Memory to use again.
    pub pool: &'a mut Pool,
    /// The driver's clock, µs since the epoch.
    pub now_us: i64,
}

/// What an input has.
#[derive(Debug)]
pub enum Polled {
    /// Rows. May be fewer than asked for: whatever has arrived.
    Batch(Batch),
    /// Nothing yet.
    Pending,
    /// Nothing ever again.
    End,
}

/// Counts of an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputCounters {
    /// Rows given out.
    pub rows: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Rows that could not be decoded and were skipped.
    pub bad: u64,
    /// Rows given out in which a field that could not be decoded became NULL.
    pub nulled: u64,
}

/// When an input that had [nothing](Polled::Pending) is worth asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comes {
    /// It does not know: it is asked every millisecond.
    Unannounced,
    /// When the bell has rung that it was given, and [`Input::is_ready`] says so.
    Rung,
    /// At this time of the driver's clock, µs.
    At(i64),
}

/// A partition of a source, as one shard reads it.
pub trait Input: Send {
    /// The next rows, `max_rows` at most (the source's columns in the order of its `SourceSpec`). Never blocks.
    ///
    /// # Errors
    /// The input cannot be read or decoded any further. Rows before the failing one have been given out by earlier calls.
    fn poll(&mut self, max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled>;

    /// Writes the position after the last row given out.
    fn snapshot(&self, to: &mut Encoder);

    /// Goes to a position that [`Input::snapshot`] wrote, before the first poll.
    ///
    /// # Errors
    /// The bytes are damaged, or the position is gone.
    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()>;

    /// Counts so far.
    fn counters(&self) -> InputCounters;

    /// From now on rows that cannot be decoded are kept until they are [taken](Input::take_bad) instead of ending the job.
    fn keep_bad(&mut self) {}

    /// The rows that could not be decoded, of the form of [`aside::bad_rows`](crate::plan::aside::bad_rows): asked after each poll.
    fn take_bad(&mut self) -> Option<Batch> {
        None
    }

    /// How many messages are known to wait in rings of other shards.
    fn waiting(&self) -> usize {
        0
    }

    /// The bell of the thread that polls, before the first poll: rung when something comes or it ends, where [`Input::comes`] says so.
    fn bell(&mut self, _bell: &Arc<Bell>) {}

    /// When it is worth asking again after it had nothing: how long its thread may sleep.
    fn comes(&self) -> Comes {
        Comes::Unannounced
    }

    /// Something is known to have come. Only inputs that wake the shard's thread know; what they do not know, a poll tells.
    fn is_ready(&self) -> bool {
        false
    }

    /// Nobody wants more: called instead of further polls.
    fn stop(&mut self) {}

    /// Of exchanges: every sender's barrier or end has come. Nothing is given until the barrier is [passed](Input::pass_barrier).
    fn is_at_barrier(&self) -> bool {
        false
    }

    /// Goes on behind the barrier.
    fn pass_barrier(&mut self) {}
}

/// A sink, as one shard writes to it.
pub trait Output: Send {
    /// Takes a batch, or gives it back when it is full at the moment: the shard offers it again in a later turn. Selection and row
    /// kinds are the sink's to honour; columns are those of its `SinkSpec`.
    ///
    /// # Errors
    /// The sink cannot go on.
    fn offer(&mut self, batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>>;

    /// Makes what was taken so far visible where the sink is not transactional.
    ///
    /// # Errors
    /// The sink cannot go on.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// No more batches: commits. May be called once; after an error it is not called.
    ///
    /// # Errors
    /// The result could not be made visible.
    fn finish(&mut self) -> Result<()>;

    /// Rows taken so far.
    fn rows(&self) -> u64;

    /// Rows that were taken from the shard and, as the settings ask, not written: NULL where the table says NOT NULL.
    fn dropped(&self) -> u64 {
        0
    }

    /// Sends what was taken in a turn; false: something has to wait for room. Asked again until it is true, after `finish` as well. For
    /// exchanges: what writes out of the process goes its own pace.
    fn publish(&mut self) -> bool {
        true
    }

    /// Of exchanges: tells every reader that what was taken before belongs to a snapshot, and what is taken from now on does not.
    fn put_barrier(&mut self) {}

    /// The shard has failed: tells whoever reads, behind what was taken.
    fn fail(&mut self, _error: &Error) {}

    /// Nobody reads any more.
    fn is_done(&self) -> bool {
        false
    }
}

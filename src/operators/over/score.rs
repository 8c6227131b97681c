//! The frames of an OVER for a caller that wants each row's aggregates at once: no watermark, no waiting. A scorer stands on it.
//!
//! A row is answered from the rows of its key with times up to its own, itself included. Rows that come in order cost what they cost in
//! the operator. **A row before its key's last one** is put in its place: the frames that have a first row are computed anew for it from the
//! rows that are held, and for the key's last row. Frames without a first row hold no rows: their answer contains all rows so far.

use super::super::aggregates::with_columns;
use super::frames::Frames;
use crate::batch::{Batch, ColumnRef, DataType, Decoder, Encoder, Pool};
use crate::error::{Error, Result};
use crate::plan;
use crate::state::KeyTable;

/// See the module's text.
pub struct OverScorer {
    partition: Vec<usize>,
    table: KeyTable,
    /// The time of each key's last row, ms.
    last: Vec<i64>,
    frames: Frames,
    slots: Vec<u32>,
}

impl OverScorer {
    /// The frames of `over` on rows like those of `input`.
    pub fn new(over: &plan::Over, input: &plan::Node) -> Self {
        let key = |&c: &usize| -> DataType { input.schema.ty(c).clone() };
        Self {
            partition: over.partition.clone(),
            table: KeyTable::new(over.partition.iter().map(key).collect(), false),
            last: vec![],
            frames: Frames::new(&over.calls, &input.schema),
            slots: vec![],
        }
    }

    /// Appends the aggregates of one row of a batch to `out`, one column a call. `keep`: the row counts for rows to come; a row that is late
    /// is only answered.
    ///
    /// # Errors
    /// An aggregate cannot take the row.
    pub fn score(
        &mut self,
        batch: &Batch,
        row: u32,
        time_ms: i64,
        keep: bool,
        out: &mut [ColumnRef],
        pool: &mut Pool,
    ) -> Result<()> {
        self.slots.clear();
        let Self { table, slots, .. } = self;
        with_columns(&self.partition, batch, |columns| table.find_or_insert(None, columns, &[row], slots));
        let slot = self.slots[0];
        let bound = self.table.bound();
        if bound > self.last.len() {
            self.last.resize(bound, i64::MIN);
            self.frames.grow(bound);
        }
        let last = &mut self.last[slot as usize];
        if keep && time_ms >= *last {
            *last = time_ms;
            self.frames.take(slot, time_ms, &[row], &batch.columns, pool);
            return self.frames.finish(&batch.columns, out, pool).1.map_or(Ok(()), Err);
        }
        let result = self.frames.insert(slot, time_ms, row, &batch.columns, keep, out, pool);
        if *last == i64::MIN && !keep {
            self.table.remove(slot);
        }
        result
    }

    /// Writes its state.
    pub fn snapshot(&self, to: &mut Encoder) {
        to.block(b"OVSC", 1);
        let order = self.table.order();
        self.table.encode(&order, to);
        to.slice(&order.iter().map(|&s| self.last[s as usize]).collect::<Vec<_>>());
        self.frames.encode(&order, self.table.bound(), to);
    }

    /// Reads what [`OverScorer::snapshot`] wrote into a new one.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"OVSC", 1)?;
        let keys = self.table.decode(None, from)?;
        self.last = from.slice()?;
        if self.last.len() != keys {
            return Err(Error::corrupt("the keys of an OVER do not fit their number"));
        }
        self.frames.decode(keys, from)
    }

    /// Bytes of state held.
    pub fn bytes(&self) -> usize {
        self.table.bytes() + self.last.capacity() * 8 + self.frames.bytes()
    }
}

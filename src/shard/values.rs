//! Rows that stand in the query itself, as an input.

use super::io::{Input, InputCounters, IoContext, Polled};
use crate::batch::{Batch, ColumnRef, Decoder, Encoder};
use crate::error::{Error, Result};

/// The rows of a VALUES clause.
pub struct ValuesInput {
    columns: Vec<ColumnRef>,
    rows: usize,
    next: usize,
}

impl ValuesInput {
    /// An input of these columns, of `rows` rows each. (A query without columns still has rows.)
    pub fn new(columns: Vec<ColumnRef>, rows: usize) -> Self {
        Self { columns, rows, next: 0 }
    }
}

impl Input for ValuesInput {
    fn poll(&mut self, max_rows: usize, _cx: &mut IoContext<'_>) -> Result<Polled> {
        let rows = max_rows.min(self.rows - self.next);
        if rows == 0 {
            return Ok(Polled::End);
        }
        let wanted: Vec<u32> = (self.next as u32..(self.next + rows) as u32).collect();
        self.next += rows;
        let columns = self.columns.iter().map(|c| {
            let mut part = c.empty_like();
            part.extend_rows(c, &wanted);
            ColumnRef::new(part)
        });
        Ok(Polled::Batch(Batch::new(columns.collect(), rows)))
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"VALU", 1);
        to.len(self.next);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"VALU", 1)?;
        let next = from.u64()? as usize;
        if next > self.rows {
            return Err(Error::corrupt(format!("row {next} of a query with {} rows", self.rows)));
        }
        self.next = next;
        Ok(())
    }

    fn counters(&self) -> InputCounters {
        InputCounters { rows: self.next as u64, ..InputCounters::default() }
    }
}

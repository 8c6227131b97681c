//! Rows by number, no earlier than the rate allows.

use super::DatagenSource;
use super::fields::Random;
use crate::batch::{ColumnRef, DataType, Decoder, Encoder, Origin};
use crate::error::Result;
use crate::plan::connector::SourceSpec;
use crate::shard::{Comes, Input, InputCounters, IoContext, Polled};

/// Every `parts`-th row from row `part` on. Its position is the number of rows given out.
pub struct DatagenInput {
    source: DatagenSource,
    number: u32,
    part: u64,
    parts: u64,
    /// The columns that are read.
    columns: Vec<usize>,
    types: Vec<DataType>,
    given: u64,
    /// The clock at the first poll, and the rows given out before it.
    start: Option<(i64, u64)>,
    counters: InputCounters,
}

impl DatagenInput {
    /// The input of part `part` of `parts`.
    pub fn new(source: &DatagenSource, spec: &SourceSpec, number: u32, part: u64, parts: u64) -> Self {
        Self {
            source: source.clone(),
            number,
            part,
            parts,
            columns: spec.columns.clone(),
            types: spec.columns.iter().map(|&c| spec.table.schema.ty(c).clone()).collect(),
            given: 0,
            start: None,
            counters: InputCounters::default(),
        }
    }

    fn end(&self) -> u64 {
        match self.source.rows {
            None => u64::MAX,
            Some(n) => n.saturating_sub(self.part).div_ceil(self.parts),
        }
    }

    /// Rows of this part that may have been given out by now: one at once, then at the rate.
    fn allowed(&mut self, now_us: i64) -> u64 {
        let (start, before) = *self.start.get_or_insert((now_us, self.given));
        let passed = (now_us - start).max(0) as u128;
        let rows = passed * u128::from(self.source.rows_per_second) / (1_000_000 * u128::from(self.parts));
        before.saturating_add(u64::try_from(rows).unwrap_or(u64::MAX)).saturating_add(1)
    }

    /// When the next row is allowed, µs: the reverse.
    fn next_us(&self) -> Option<i64> {
        let (start, before) = self.start?;
        let rows = u128::from(self.given.saturating_sub(before)) * 1_000_000 * u128::from(self.parts);
        let after = rows.div_ceil(u128::from(self.source.rows_per_second.max(1)));
        Some(start.saturating_add(i64::try_from(after).unwrap_or(i64::MAX)))
    }
}

impl Input for DatagenInput {
    fn poll(&mut self, max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled> {
        let end = self.end();
        if self.given >= end {
            return Ok(Polled::End);
        }
        let to = self.allowed(cx.now_us).min(end).min(self.given.saturating_add(max_rows as u64));
        if to <= self.given {
            return Ok(Polled::Pending);
        }
        let rows = (to - self.given) as usize;
        let mut columns = cx.pool.column_list();
        for (&c, ty) in self.columns.iter().zip(&self.types) {
            let mut column = cx.pool.column(ty);
            let own = ColumnRef::get_mut(&mut column).expect("the pool's columns are not shared");
            for i in self.given..to {
                let row = self.part + i * self.parts;
                let mut random = Random::of(self.source.seed, c as u64, row);
                self.source.generators[c].push(&mut random, row, cx.now_us, own);
            }
            columns.push(column);
        }
        let mut batch = cx.pool.batch();
        batch.fill(&mut columns, rows);
        cx.pool.recycle_columns(columns);
        batch.provenance.push(Origin {
            row: 0,
            source: self.number,
            partition: self.part as u32,
            offset: self.given,
            ingest_us: cx.now_us,
        });
        self.given = to;
        self.counters.rows += rows as u64;
        Ok(Polled::Batch(batch))
    }

    fn comes(&self) -> Comes {
        self.next_us().map_or(Comes::Unannounced, Comes::At)
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"DGEN", 1);
        to.u64(self.given);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"DGEN", 1)?;
        self.given = from.u64()?;
        Ok(())
    }

    fn counters(&self) -> InputCounters {
        self.counters
    }
}

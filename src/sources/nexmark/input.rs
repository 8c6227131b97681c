//! Mode `generate`: every event is made when it is asked for.

use super::{EventColumns, NexmarkSource, Pace};
use crate::batch::{Decoder, Encoder, Origin};
use crate::error::Result;
use crate::plan::connector::SourceSpec;
use crate::shard::{Comes, Input, InputCounters, IoContext, Polled};
use ::nexmark::EventGenerator;

/// Every `parts`-th event from event `part` on. Its position is the number of events given out.
pub struct GenerateInput {
    source: NexmarkSource,
    number: u32,
    part: u64,
    parts: u64,
    columns: EventColumns,
    generator: EventGenerator,
    /// Events given out.
    given: u64,
    pace: Pace,
    counters: InputCounters,
}

impl GenerateInput {
    /// The input of part `part` of `parts`.
    pub fn new(source: &NexmarkSource, spec: &SourceSpec, number: u32, part: u64, parts: u64) -> Self {
        Self {
            source: source.clone(),
            number,
            part,
            parts,
            columns: EventColumns::of(spec),
            generator: EventGenerator::new(source.config.clone()).with_offset(part).with_step(parts),
            given: 0,
            pace: Pace::default(),
            counters: InputCounters::default(),
        }
    }

    /// Events of this part in all.
    fn end(&self) -> u64 {
        match self.source.events {
            None => u64::MAX,
            Some(n) => n.saturating_sub(self.part).div_ceil(self.parts),
        }
    }
}

impl Input for GenerateInput {
    fn poll(&mut self, max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled> {
        let left = self.end() - self.given;
        if left == 0 {
            return Ok(if self.source.keep_alive { Polled::Pending } else { Polled::End });
        }
        let latest = match self.source.rate_limited {
            true => self.source.config.base_time + self.pace.passed_ms(cx.now_us),
            false => u64::MAX,
        };
        let mut columns = cx.pool.column_list();
        columns.extend(self.columns.types().iter().map(|t| cx.pool.column(t)));
        let want = left.min(max_rows as u64) as usize;
        let mut rows = 0;
        while rows < want && self.generator.timestamp() <= latest {
            let event = self.generator.next().expect("the generator has no end");
            self.columns.push(&event, &mut columns);
            rows += 1;
        }
        if rows == 0 {
            cx.pool.recycle_columns(columns);
            return Ok(Polled::Pending);
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
        self.given += rows as u64;
        self.counters.rows += rows as u64;
        Ok(Polled::Batch(batch))
    }

    fn comes(&self) -> Comes {
        // At the end nothing comes any more.
        if self.given == self.end() {
            return Comes::Rung;
        }
        self.pace.at(self.generator.timestamp().saturating_sub(self.source.config.base_time))
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"NEXM", 1);
        to.u64(self.given);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"NEXM", 1)?;
        self.given = from.u64()?.min(self.end());
        let next = self.part + self.given * self.parts;
        self.generator =
            EventGenerator::new(self.source.config.clone()).with_offset(next).with_step(self.parts);
        Ok(())
    }

    fn counters(&self) -> InputCounters {
        self.counters
    }
}

//! `blackhole`: takes everything, keeps nothing. For benchmarks.

use crate::batch::Batch;
use crate::error::Result;
use crate::plan::Changelog;
use crate::plan::connector::{SinkInfo, TableSpec};
use crate::plan::options::Options;
use crate::shard::{IoContext, Output};

/// The options: none.
#[derive(Clone, Debug)]
pub struct BlackholeSink {}

impl BlackholeSink {
    /// Checks the options of a table.
    ///
    /// # Errors
    /// It has any.
    pub fn of(table: &TableSpec) -> Result<Self> {
        Options::of(&table.connector).check_names(&["connector", "property-version"], &[])?;
        Ok(Self {})
    }

    /// What the planner may know.
    pub fn info(&self) -> SinkInfo {
        SinkInfo { accepts: Changelog::ALL }
    }

    /// Opens it.
    pub fn open(&self) -> Box<dyn Output> {
        Box::new(Blackhole { rows: 0 })
    }
}

struct Blackhole {
    rows: u64,
}

impl Output for Blackhole {
    fn offer(&mut self, batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        self.rows += batch.selected() as u64;
        cx.pool.recycle(batch);
        Ok(None)
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

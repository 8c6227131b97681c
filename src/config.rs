//! Settings of an engine: plain values, validated once.

use crate::error::{Error, Result};

/// How an engine runs its jobs. The default is right for most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The most rows that an input is asked for at once, 1 to 65,536. Rows that have arrived are never held back to fill a batch;
    /// 1,024 rows of a few columns stay in the second-level cache.
    pub batch_rows: usize,
    /// The rows that an input may give in one turn where its batches are smaller: they are worked through one batch after the
    /// other, at one reading of the clock.
    pub turn_rows: usize,
    /// The most bytes of operator state a job may hold. The job then ends with an error that names its largest operators, before
    /// the kernel would kill the process. The default is half of what the machine or its control group allows.
    pub memory_limit: usize,
}

impl Config {
    /// Half of `memory` bytes for state; the rest is for batches, buffers and the program.
    pub fn for_memory(memory: usize) -> Self {
        Self { batch_rows: crate::batch::MAX_ROWS, turn_rows: 64, memory_limit: memory / 2 }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A value is outside its range; the message gives the range.
    pub fn validate(&self) -> Result<()> {
        if !(1..=65_536).contains(&self.batch_rows) {
            return Err(Error::config(format!("batch rows must be 1 to 65536, not {}", self.batch_rows)));
        }
        if self.memory_limit == 0 {
            return Err(Error::config("the memory limit must be more than 0"));
        }
        Ok(())
    }
}

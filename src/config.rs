//! Settings of an engine: plain values, validated once.

use crate::error::{Error, Result};

/// How an engine runs its jobs. The default is right for most.
///
/// ```
/// let mut config = pelton::Config::for_memory(8 << 30);
/// assert_eq!((config.memory_limit, config.shards), (4 << 30, 1));
/// config.batch_rows = 0;
/// assert_eq!(config.validate().unwrap_err().message(), "batch rows must be 1 to 65536, not 0");
/// ```
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
    /// How many shards run a job, 1 to 64: keyed operations are spread over them, each shard on a thread of its own. 1 is best while one
    /// core keeps up: no row then crosses from one core to another.
    pub shards: usize,
    /// What the thread of a shard does while there is nothing to do.
    pub idle: IdlePolicy,
    /// With several shards: the threads of all but the first stay on one core each, in the order of the cores that the process may use. Off
    /// where several jobs share the cores.
    pub pin: bool,
}

/// The most shards that a job may have.
///
/// ```
/// let engine = pelton::Engine::builder().shards(pelton::config::MAX_SHARDS + 1).build();
/// assert!(engine.is_err());
/// ```
pub const MAX_SHARDS: usize = 64;

/// How many shards a process takes that may use so many cores: all of them, but for one that is left to the threads of sources, sinks
/// and the kernel where there are more than two.
///
/// ```
/// assert_eq!(pelton::config::shards_for(8), 7);
/// ```
pub fn shards_for(cores: usize) -> usize {
    if cores > 2 { (cores - 1).min(MAX_SHARDS) } else { cores.max(1) }
}

/// What the thread of a shard does while there is nothing to do.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// use pelton::config::IdlePolicy;
/// let policy: IdlePolicy = "park".parse()?;
/// let engine = pelton::Engine::builder().idle(policy).build()?;
/// assert!("sleep".parse::<IdlePolicy>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdlePolicy {
    /// Looks again at once: the lowest latency, for a core of its own.
    Spin,
    /// Looks again for some microseconds, then sleeps until it is woken: near the latency of `Spin` under load, and a core that is
    /// free without.
    #[default]
    SpinThenPark,
    /// Sleeps at once: for cores that others need. Waking up costs some microseconds an event.
    Park,
}

impl std::str::FromStr for IdlePolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "spin" => Ok(Self::Spin),
            "spin-then-park" => Ok(Self::SpinThenPark),
            "park" => Ok(Self::Park),
            other => Err(Error::config(format!("'{other}' is no idle policy"))
                .hint("the policies are spin, spin-then-park and park")),
        }
    }
}

impl Config {
    /// Half of `memory` bytes for state; the rest is for batches, buffers and the program.
    pub fn for_memory(memory: usize) -> Self {
        Self {
            batch_rows: crate::batch::MAX_ROWS,
            turn_rows: 64,
            memory_limit: memory / 2,
            shards: 1,
            idle: IdlePolicy::default(),
            pin: false,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A value is outside its range; the message gives the range.
    pub fn validate(&self) -> Result<()> {
        if !(1..=65_536).contains(&self.batch_rows) {
            return Err(Error::config(format!("batch rows must be 1 to 65536, not {}", self.batch_rows)));
        }
        if !(1..=MAX_SHARDS).contains(&self.shards) {
            return Err(Error::config(format!("shards must be 1 to {MAX_SHARDS}, not {}", self.shards)));
        }
        if self.memory_limit == 0 {
            return Err(Error::config("the memory limit must be more than 0"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_than_two_cores_one_is_left_to_others() {
        let shards = [0, 1, 2, 3, 4, 16, 1000].map(shards_for);
        assert_eq!(shards, [1, 1, 2, 2, 3, 15, MAX_SHARDS]);
    }
}

//! Settings of a log and of each topic: plain structs, validated once, unknown keys refused.
//!
//! Topic options carry Kafka's names where Kafka has them. They are stored as text in the `topics` file.

use std::fmt;
use std::str::FromStr;

use super::error::{LogError, LogResult};
use crate::wire::{Compression, TimestampType};

/// When published data is made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FlushPolicy {
    /// The kernel's business (and at the end of each segment). Survives `kill -9`, not a power loss.
    #[default]
    None,
    /// Every [`TopicConfig::flush_interval_ms`].
    Interval,
    /// As soon as the disk has finished the last sync: one sync carries all that arrived meanwhile.
    GroupCommit,
    /// Before `publish` returns. The owner waits for the disk.
    Each,
}

impl FlushPolicy {
    const ALL: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("interval", Self::Interval),
        ("group-commit", Self::GroupCommit),
        ("each", Self::Each),
    ];

    /// Consumers and acks=all wait for *durable* (not only *published*).
    pub fn waits_for_durable(self) -> bool {
        matches!(self, Self::GroupCommit | Self::Each)
    }
}

impl fmt::Display for FlushPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(_, p)| p == self).map_or("", |(name, _)| name))
    }
}

impl FromStr for FlushPolicy {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, p)| *p)
            .ok_or_else(|| format!("unknown flush policy '{name}' (none, interval, group-commit, each)"))
    }
}

/// Options of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicConfig {
    /// `flush.policy`. Default `none`: what Kafka does on one machine.
    pub flush: FlushPolicy,
    /// `flush.interval.ms` for `interval`. Default 100: a tenth of a second of loss at worst, ten syncs a second.
    pub flush_interval_ms: u64,
    /// `segment.bytes`, preallocated. Default 64 MiB: recovery scans one in tens of milliseconds.
    pub segment_bytes: usize,
    /// `segment.ms`: a segment is closed after this time. Default a week, as in Kafka.
    pub segment_ms: i64,
    /// `retention.ms`, −1: for ever. Default a week, as in Kafka.
    pub retention_ms: i64,
    /// `retention.bytes`, −1: no limit (default).
    pub retention_bytes: i64,
    /// `cleanup.policy` contains `delete`. Default.
    pub is_delete: bool,
    /// `cleanup.policy` contains `compact`: the last record of each key is kept.
    pub is_compact: bool,
    /// `delete.retention.ms`: how long compaction keeps tombstones. Default a day, as in Kafka.
    pub delete_retention_ms: i64,
    /// `min.compaction.lag.ms`: younger records are not compacted. Default 0.
    pub min_compaction_lag_ms: i64,
    /// `max.message.bytes`: largest batch. Default 1 MiB + 12, as in Kafka.
    pub max_message_bytes: usize,
    /// `index.interval.bytes`: how sparse the index is. Default 4096, as in Kafka.
    pub index_interval_bytes: usize,
    /// `compression.type` for records that Pelton batches itself; batches from producers are stored as sent.
    pub compression: Compression,
    /// `message.timestamp.type`: `CreateTime` (default) or `LogAppendTime`.
    pub timestamps: TimestampType,
}

impl Default for TopicConfig {
    fn default() -> Self {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        Self {
            flush: FlushPolicy::None,
            flush_interval_ms: 100,
            segment_bytes: 64 << 20,
            segment_ms: 7 * DAY_MS,
            retention_ms: 7 * DAY_MS,
            retention_bytes: -1,
            is_delete: true,
            is_compact: false,
            delete_retention_ms: DAY_MS,
            min_compaction_lag_ms: 0,
            max_message_bytes: (1 << 20) + 12,
            index_interval_bytes: 4096,
            compression: Compression::None,
            timestamps: TimestampType::Create,
        }
    }
}

fn number<T: FromStr>(key: &str, value: &str) -> LogResult<T> {
    value.parse().map_err(|_| LogError::Config(format!("{key}: '{value}' is not a number that fits")))
}

impl TopicConfig {
    /// Sets one option by its name. Unknown names are refused.
    pub fn set(&mut self, key: &str, value: &str) -> LogResult<()> {
        let text = |e: String| LogError::Config(format!("{key}: {e}"));
        match key {
            "flush.policy" => self.flush = value.parse().map_err(text)?,
            "flush.interval.ms" => self.flush_interval_ms = number(key, value)?,
            "segment.bytes" => self.segment_bytes = number(key, value)?,
            "segment.ms" => self.segment_ms = number(key, value)?,
            "retention.ms" => self.retention_ms = number(key, value)?,
            "retention.bytes" => self.retention_bytes = number(key, value)?,
            "cleanup.policy" => {
                let (mut delete, mut compact) = (false, false);
                for part in value.split(',').map(str::trim) {
                    match part {
                        "delete" => delete = true,
                        "compact" => compact = true,
                        other => {
                            return Err(LogError::Config(format!(
                                "{key}: '{other}' is not delete or compact"
                            )));
                        }
                    }
                }
                (self.is_delete, self.is_compact) = (delete, compact);
            }
            "delete.retention.ms" => self.delete_retention_ms = number(key, value)?,
            "min.compaction.lag.ms" => self.min_compaction_lag_ms = number(key, value)?,
            "max.message.bytes" => self.max_message_bytes = number(key, value)?,
            "index.interval.bytes" => self.index_interval_bytes = number(key, value)?,
            "compression.type" => {
                self.compression =
                    if value == "producer" { Compression::None } else { value.parse().map_err(text)? };
            }
            "message.timestamp.type" => {
                self.timestamps = match value {
                    "CreateTime" => TimestampType::Create,
                    "LogAppendTime" => TimestampType::LogAppend,
                    _ => {
                        return Err(LogError::Config(format!(
                            "{key}: '{value}' is not CreateTime or LogAppendTime"
                        )));
                    }
                };
            }
            _ => return Err(LogError::Config(format!("unknown topic option '{key}'"))),
        }
        Ok(())
    }

    /// Every option as name and value, in a fixed order.
    pub fn entries(&self) -> Vec<(&'static str, String)> {
        let cleanup = match (self.is_delete, self.is_compact) {
            (true, true) => "compact,delete",
            (false, true) => "compact",
            _ => "delete",
        };
        let timestamps = match self.timestamps {
            TimestampType::Create => "CreateTime",
            TimestampType::LogAppend => "LogAppendTime",
        };
        vec![
            ("flush.policy", self.flush.to_string()),
            ("flush.interval.ms", self.flush_interval_ms.to_string()),
            ("segment.bytes", self.segment_bytes.to_string()),
            ("segment.ms", self.segment_ms.to_string()),
            ("retention.ms", self.retention_ms.to_string()),
            ("retention.bytes", self.retention_bytes.to_string()),
            ("cleanup.policy", cleanup.into()),
            ("delete.retention.ms", self.delete_retention_ms.to_string()),
            ("min.compaction.lag.ms", self.min_compaction_lag_ms.to_string()),
            ("max.message.bytes", self.max_message_bytes.to_string()),
            ("index.interval.bytes", self.index_interval_bytes.to_string()),
            ("compression.type", self.compression.to_string()),
            ("message.timestamp.type", timestamps.into()),
        ]
    }

    /// Checks what the values must be to one another.
    pub fn validate(&self) -> LogResult<()> {
        let wrong = |why: &str| Err(LogError::Config(why.into()));
        // Positions in a segment are 32 bits in indexes (and signed in Kafka).
        if !(4096..=i32::MAX as usize).contains(&self.segment_bytes) {
            return wrong("segment.bytes must lie between 4096 and 2147483647");
        }
        if self.max_message_bytes < 128 || self.max_message_bytes > (1 << 30) {
            return wrong("max.message.bytes must lie between 128 and 1 GiB");
        }
        if self.index_interval_bytes < 64 {
            return wrong("index.interval.bytes must be at least 64");
        }
        if self.flush_interval_ms == 0 {
            return wrong("flush.interval.ms must be at least 1; for every publish use flush.policy = each");
        }
        Ok(())
    }

    /// The largest batch that fits both the limit and a segment.
    pub fn max_batch_bytes(&self) -> usize {
        self.max_message_bytes.min(self.segment_bytes)
    }
}

/// How the helpers of a log run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Helpers {
    /// A committer, a keeper and a prefaulter thread.
    #[default]
    Threads,
    /// Nobody: the caller turns them by [`super::Log::turn`]. For simulations and short-lived commands.
    Manual,
}

/// How syncs are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SyncBy {
    /// io_uring where it works, else a thread.
    #[default]
    Auto,
    /// io_uring or an error.
    Uring,
    /// A thread.
    Thread,
    /// The helper that asks, at once.
    Inline,
}

/// Settings of a log, not of its topics.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Threads or none.
    pub helpers: Helpers,
    /// How the committer syncs.
    pub sync_by: SyncBy,
    /// How often durable positions are noted, which bounds the scan after a crash. Default 1 s.
    pub checkpoint_interval_ms: u64,
    /// How often retention and compaction look. Default 5 s.
    pub maintenance_interval_ms: u64,
    /// Most memory that the keys of one compaction may take. Default 64 MiB.
    pub compaction_bytes: usize,
    /// Most bytes prefaulted ahead of a writer. Default 128 MiB: half a second at 250 MB/s.
    pub prefault_bytes: usize,
    /// Which writers store through the mapping: for benches; `None` lets the flush policy decide.
    pub mapped_writes: Option<bool>,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            helpers: Helpers::Threads,
            sync_by: SyncBy::Auto,
            checkpoint_interval_ms: 1_000,
            maintenance_interval_ms: 5_000,
            compaction_bytes: 64 << 20,
            prefault_bytes: 128 << 20,
            mapped_writes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_round_trip_as_text() {
        let mut config = TopicConfig::default();
        for (key, value) in [
            ("flush.policy", "group-commit"),
            ("cleanup.policy", "compact,delete"),
            ("compression.type", "zstd"),
            ("segment.bytes", "1048576"),
        ] {
            config.set(key, value).unwrap();
        }
        let mut copy = TopicConfig::default();
        for (key, value) in config.entries() {
            copy.set(key, &value).unwrap();
        }
        assert_eq!(copy, config);
        assert!(config.set("segment.size", "1").unwrap_err().to_string().contains("unknown topic option"));
        assert!(config.set("retention.ms", "soon").is_err());
        config.segment_bytes = 10;
        assert!(config.validate().is_err());
    }
}

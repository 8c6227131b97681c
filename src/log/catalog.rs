//! The topics of a log, as one immutable value that is swapped when a topic comes or goes, and its `topics` file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::config::TopicConfig;
use super::error::{LogError, LogResult};
use super::files::{self, Sheet};
use super::partition::Partition;
use crate::host::Disk;

/// One topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// 32 hex digits, given at creation; a topic made again under the same name has another.
    pub id: String,
    /// Its options.
    pub config: Arc<TopicConfig>,
    /// Its partitions, by number.
    pub partitions: Vec<Arc<Partition>>,
}

/// All topics, by name.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By name.
    pub topics: BTreeMap<String, Topic>,
}

/// A line of the `topics` file.
pub(super) struct TopicLine {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) partitions: u32,
    pub(super) config: TopicConfig,
}

impl Catalog {
    /// Every partition of every topic.
    pub fn partitions(&self) -> impl Iterator<Item = &Arc<Partition>> {
        self.topics.values().flat_map(|t| &t.partitions)
    }

    /// A partition.
    pub fn partition(&self, topic: &str, number: u32) -> Option<&Arc<Partition>> {
        self.topics.get(topic)?.partitions.get(number as usize)
    }

    /// A partition by `topic-number`.
    pub fn partition_by_name(&self, name: &str) -> Option<&Arc<Partition>> {
        let (topic, number) = name.rsplit_once('-')?;
        self.partition(topic, number.parse().ok()?)
    }

    /// Writes the `topics` file.
    pub(super) fn write(&self, disk: &dyn Disk, root: &Path) -> LogResult<()> {
        let lines = self
            .topics
            .values()
            .map(|t| {
                let mut line = format!("{} {} {}", t.name, t.id, t.partitions.len());
                for (key, value) in t.config.entries() {
                    line.push_str(&format!(" {key}={value}"));
                }
                line
            })
            .collect();
        Sheet { lines }.write(disk, &root.join("topics"), "pelton-topics")
    }

    /// Reads the `topics` file.
    pub(super) fn read(disk: &dyn Disk, root: &Path) -> LogResult<Vec<TopicLine>> {
        let path = root.join("topics");
        let Some(sheet) = Sheet::read(disk, &path, "pelton-topics")? else { return Ok(Vec::new()) };
        files::parse_lines(&sheet, &path.display().to_string(), |words| {
            let [name, id, partitions, options @ ..] = words else { return None };
            files::check_topic_name(name).ok()?;
            let mut config = TopicConfig::default();
            for option in options {
                let (key, value) = option.split_once('=')?;
                config.set(key, value).ok()?;
            }
            config.validate().ok()?;
            let partitions = partitions.parse().ok().filter(|&n| n <= MAX_PARTITIONS)?;
            Some(TopicLine { name: (*name).into(), id: (*id).into(), partitions, config })
        })
    }
}

/// Most partitions of a topic.
pub(super) const MAX_PARTITIONS: u32 = 10_000;

pub(super) fn check_partitions(count: u32) -> LogResult<()> {
    if count == 0 || count > MAX_PARTITIONS {
        return Err(LogError::Config(format!("a topic has 1 to {MAX_PARTITIONS} partitions, not {count}")));
    }
    Ok(())
}

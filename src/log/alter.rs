//! Changes to topics that exist: more partitions, other options.
//!
//! Options that shape files or threads (`flush.policy`, `segment.bytes`, `index.interval.bytes`) are given when a topic is
//! made and stay. The others change at once for retention and compaction, and for a partition's owner when it next begins.

use std::sync::Arc;

use super::catalog::{self, Catalog, Topic};
use super::config::TopicConfig;
use super::error::{LogError, LogResult};
use super::open::Log;

const FIXED: [&str; 4] = ["flush.policy", "flush.interval.ms", "segment.bytes", "index.interval.bytes"];

fn missing(name: &str) -> LogError {
    LogError::Config(format!("there is no topic '{name}'"))
}

impl Log {
    /// Gives a topic other options, durably.
    pub fn set_options(&mut self, name: &str, config: TopicConfig) -> LogResult<()> {
        self.writable()?;
        config.validate()?;
        let mut next = Catalog::clone(&self.catalog());
        let topic = next.topics.get_mut(name).ok_or_else(|| missing(name))?;
        for ((key, was), (_, is)) in topic.config.entries().into_iter().zip(config.entries()) {
            if FIXED.contains(&key) && was != is {
                return Err(LogError::Config(format!(
                    "{key} is {was} since the topic was made and cannot become {is}"
                )));
            }
        }
        let config = Arc::new(config);
        topic.config = config.clone();
        let partitions = topic.partitions.clone();
        self.swap_catalog(next)?;
        for partition in partitions {
            partition.set_options(config.clone());
        }
        Ok(())
    }

    /// Grows a topic to `partitions` partitions, durably.
    pub fn grow_topic(&mut self, name: &str, partitions: u32) -> LogResult<()> {
        self.writable()?;
        catalog::check_partitions(partitions)?;
        let mut next = Catalog::clone(&self.catalog());
        let topic: &mut Topic = next.topics.get_mut(name).ok_or_else(|| missing(name))?;
        let have = topic.partitions.len() as u32;
        if partitions < have {
            return Err(LogError::Config(format!(
                "'{name}' has {have} partitions, which cannot become fewer"
            )));
        }
        for number in have..partitions {
            let made = self.make_partition(&topic.name, number, &topic.config)?;
            topic.partitions.push(made);
        }
        self.swap_catalog(next)
    }
}

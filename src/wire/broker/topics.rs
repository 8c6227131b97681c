//! The broker's picture of topics: what it needs at every request, kept so that the store is not asked each time.

use std::collections::{BTreeMap, HashMap};

use super::producers::Producer;
use super::{Broker, code};
use crate::error::{Error, ErrorKind};
use crate::wire::produce::Refused;

/// Where offsets of groups are kept, in Kafka's own form.
pub(super) const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// Segments of the broker's own topics: they hold little and are compacted, and their room is taken from the disk in advance.
const INTERNAL_SEGMENT_BYTES: &str = "2097152";
/// Where idempotent producers are noted.
pub(super) const PRODUCERS_TOPIC: &str = "__pelton_producers";

#[derive(Debug, Default)]
pub(super) struct Topic {
    pub(super) partitions: Vec<Partition>,
    pub(super) max_message_bytes: usize,
    pub(super) is_log_append_time: bool,
    pub(super) is_compact: bool,
}

#[derive(Debug, Default)]
pub(super) struct Partition {
    pub(super) producers: HashMap<i64, Producer>,
    /// Fetches that wait for more.
    pub(super) fetches: Vec<u64>,
    /// The high watermark when those were last looked at.
    pub(super) seen: i64,
    /// The offset up to which the last noted snapshot of the producers speaks.
    pub(super) snapshot: i64,
}

/// Topics that only the broker writes.
pub(super) fn is_internal(topic: &str) -> bool {
    topic == OFFSETS_TOPIC || topic == PRODUCERS_TOPIC
}

/// Kafka's rule for names.
pub(super) fn is_valid_name(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && name != "."
        && name != ".."
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// How an error of the store looks to a client.
pub(super) fn store_error(e: &Error) -> Refused {
    let number = match e.kind() {
        ErrorKind::Config | ErrorKind::Validation => code::INVALID_CONFIG,
        ErrorKind::Unsupported => code::UNSUPPORTED_VERSION,
        ErrorKind::Input => code::INVALID_RECORD,
        // A full disk, a stopped partition: clients try again, and find out when space has returned.
        _ => code::KAFKA_STORAGE_ERROR,
    };
    Refused::new(number, e.to_string())
}

/// The same for an append: what is no fault of the batch and will not pass (the partition has an owner) is final.
pub(super) fn append_error(e: &Error) -> Refused {
    match e.kind() {
        ErrorKind::Config => Refused::new(code::POLICY_VIOLATION, e.to_string()),
        _ => store_error(e),
    }
}

impl Broker {
    /// Takes over what the store has: at start, and when a topic is asked for that is not known.
    pub(super) fn refresh_topics(&mut self) {
        let found: BTreeMap<String, u32> = self.store.topics().into_iter().collect();
        self.topics.retain(|name, _| found.contains_key(name));
        for (name, partitions) in found {
            let is_new = !self.topics.contains_key(&name);
            let topic = self.topics.entry(name.clone()).or_default();
            topic.partitions.resize_with(partitions as usize, Partition::default);
            if is_new {
                self.refresh_options(&name);
            }
        }
    }

    /// Takes over the options that the broker itself acts on.
    pub(super) fn refresh_options(&mut self, name: &str) {
        let options = self.store.options(name);
        let value = |key: &str| options.iter().find(|o| o.name == key).map_or("", |o| o.value.as_str());
        if let Some(topic) = self.topics.get_mut(name) {
            topic.max_message_bytes = value("max.message.bytes").parse().unwrap_or((1 << 20) + 12);
            topic.is_log_append_time = value("message.timestamp.type") == "LogAppendTime";
            topic.is_compact = value("cleanup.policy").contains("compact");
        }
    }

    /// Knows the topic, perhaps after another look at the store.
    pub(super) fn has_topic(&mut self, name: &str) -> bool {
        // Others in this process may have made it.
        if !self.topics.contains_key(name) && self.store.offsets(name, 0).is_some() {
            self.refresh_topics();
        }
        self.topics.contains_key(name)
    }

    pub(super) fn partition(&mut self, topic: &str, index: i32) -> Option<&mut Partition> {
        self.topics.get_mut(topic)?.partitions.get_mut(usize::try_from(index).ok()?)
    }

    fn total_partitions(&self) -> usize {
        self.topics.values().map(|t| t.partitions.len()).sum()
    }

    /// Why so many partitions (in all, and more than now) are refused.
    pub(super) fn check_partitions(&self, wanted: u32, more: u32) -> Result<(), Refused> {
        let refuse = |text: String| Err(Refused::new(code::INVALID_PARTITIONS, text));
        if wanted == 0 {
            return refuse("a topic has at least one partition".into());
        }
        if wanted > self.config.max_partitions {
            return refuse(format!("{wanted} partitions, {} are allowed", self.config.max_partitions));
        }
        if self.total_partitions() + more as usize > self.config.max_total_partitions {
            return refuse(format!("all topics together may have {}", self.config.max_total_partitions));
        }
        Ok(())
    }

    /// Makes a topic after checking its name and size.
    pub(super) fn make_topic(
        &mut self,
        name: &str,
        partitions: u32,
        options: &[(String, String)],
    ) -> Result<(), Refused> {
        self.check_new_topic(name, partitions)?;
        self.store.create_topic(name, partitions, options).map_err(|e| store_error(&e))?;
        self.refresh_topics();
        Ok(())
    }

    /// What is wrong with a topic that somebody wants to make.
    pub(super) fn check_new_topic(&mut self, name: &str, partitions: u32) -> Result<(), Refused> {
        if !is_valid_name(name) {
            return Err(Refused::new(
                code::INVALID_TOPIC_EXCEPTION,
                format!("'{name}' is not a topic's name: 1 to 249 letters, digits, '.', '_', '-'"),
            ));
        }
        if self.has_topic(name) {
            return Err(Refused::new(code::TOPIC_ALREADY_EXISTS, format!("Topic '{name}' already exists.")));
        }
        self.check_partitions(partitions, partitions)
    }

    /// Makes one of the broker's own topics when it is not there yet.
    pub(super) fn ensure_internal(&mut self, name: &str) -> Result<(), Refused> {
        if self.has_topic(name) {
            return Ok(());
        }
        let options = [("cleanup.policy", "compact"), ("segment.bytes", INTERNAL_SEGMENT_BYTES)]
            .map(|(k, v)| (k.into(), v.into()));
        self.make_topic(name, 1, &options)
    }
}

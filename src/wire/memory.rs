//! A [`Store`] over vectors: the model for the log, and what the broker's tests and fuzz targets run on.
//!
//! It keeps batches as they come, in order; nothing is ever durable, so the high watermark can be held back by hand to
//! play a slow disk.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::batch::{self, Batch};
use super::store::{PartitionOffsets, Store, TopicOption, no_such};
use crate::error::{Error, Result};

const DECOMPRESSED_LIMIT: usize = 64 << 20;

const DEFAULTS: [(&str, &str); 6] = [
    ("cleanup.policy", "delete"),
    ("compression.type", "producer"),
    ("max.message.bytes", "1048588"),
    ("message.timestamp.type", "CreateTime"),
    ("retention.ms", "604800000"),
    ("segment.bytes", "67108864"),
];

#[derive(Debug, Default)]
struct Partition {
    start: i64,
    next: i64,
    held: Option<i64>,
    batches: Vec<(i64, Bytes)>,
}

#[derive(Debug, Default)]
struct Topic {
    partitions: Vec<Partition>,
    options: BTreeMap<String, String>,
}

/// Topics in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    topics: BTreeMap<String, Topic>,
}

impl MemoryStore {
    /// Without topics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds the high watermark of a partition at `offset`, or lets it go.
    pub fn hold(&mut self, topic: &str, partition: u32, offset: Option<i64>) {
        if let Ok(p) = self.partition(topic, partition) {
            p.held = offset;
        }
    }

    fn partition(&mut self, topic: &str, partition: u32) -> Result<&mut Partition> {
        self.topics
            .get_mut(topic)
            .and_then(|t| t.partitions.get_mut(partition as usize))
            .ok_or_else(|| no_such(topic, partition))
    }
}

fn check(options: &[(String, String)]) -> Result<()> {
    for (name, value) in options {
        let known = DEFAULTS.iter().find(|(n, _)| n == name);
        let (_, default) = known.ok_or_else(|| Error::config(format!("unknown topic option '{name}'")))?;
        if default.parse::<i64>().is_ok() && value.parse::<i64>().is_err() {
            return Err(Error::config(format!("{name}: '{value}' is not a number")));
        }
    }
    Ok(())
}

impl Store for MemoryStore {
    fn topics(&self) -> Vec<(String, u32)> {
        self.topics.iter().map(|(name, t)| (name.clone(), t.partitions.len() as u32)).collect()
    }

    fn offsets(&self, topic: &str, partition: u32) -> Option<PartitionOffsets> {
        let p = self.topics.get(topic)?.partitions.get(partition as usize)?;
        Some(PartitionOffsets { start: p.start, high_watermark: p.held.unwrap_or(p.next), end: p.next })
    }

    fn read(
        &mut self,
        topic: &str,
        partition: u32,
        offset: i64,
        max_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize> {
        let mut views = Vec::new();
        let n = self.read_views(topic, partition, offset, max_bytes, &mut views)?;
        views.iter().for_each(|v| out.extend_from_slice(v));
        Ok(n)
    }

    fn read_views(
        &mut self,
        topic: &str,
        partition: u32,
        offset: i64,
        max_bytes: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<usize> {
        let p = self.partition(topic, partition)?;
        let limit = p.held.unwrap_or(p.next);
        let from = p.batches.partition_point(|(last, _)| *last < offset);
        let mut n = 0;
        for (last, batch) in &p.batches[from..] {
            if *last >= limit || (n > 0 && n + batch.len() > max_bytes) {
                break;
            }
            n += batch.len();
            out.push(batch.clone());
        }
        Ok(n)
    }

    fn append(&mut self, topic: &str, partition: u32, bytes: &[u8], now_ms: i64) -> Result<i64> {
        let log_append = self
            .topics
            .get(topic)
            .is_some_and(|t| t.options.get("message.timestamp.type").is_some_and(|v| v == "LogAppendTime"));
        let p = self.partition(topic, partition)?;
        let parsed = Batch::parse(bytes).map_err(|e| Error::input(e.to_string()))?;
        let deltas = i64::from(parsed.header().last_offset_delta);
        let base = p.next;
        let mut own = parsed.bytes().to_vec();
        batch::assign(&mut own, base, 0);
        if log_append {
            batch::assign_append_time(&mut own, now_ms);
        }
        p.batches.push((base + deltas, own.into()));
        p.next = base + deltas + 1;
        Ok(base)
    }

    fn offset_for_time(
        &mut self,
        topic: &str,
        partition: u32,
        timestamp_ms: i64,
    ) -> Result<Option<(i64, i64)>> {
        let p = self.partition(topic, partition)?;
        let (start, mut scratch) = (p.start, Vec::new());
        for (_, bytes) in &p.batches {
            let damaged = |e: batch::BatchError| Error::corrupt(e.to_string());
            let parsed = Batch::parse(bytes).map_err(damaged)?;
            if parsed.header().max_timestamp < timestamp_ms {
                continue;
            }
            for record in parsed.records(&mut scratch, DECOMPRESSED_LIMIT).map_err(damaged)? {
                let record = record.map_err(damaged)?;
                if record.timestamp >= timestamp_ms && record.offset >= start {
                    return Ok(Some((record.offset, record.timestamp)));
                }
            }
        }
        Ok(None)
    }

    fn delete_before(&mut self, topic: &str, partition: u32, offset: i64) -> Result<i64> {
        let p = self.partition(topic, partition)?;
        p.start = p.start.max(offset.min(p.next));
        let start = p.start;
        p.batches.retain(|(last, _)| *last >= start);
        Ok(start)
    }

    fn create_topic(&mut self, topic: &str, partitions: u32, options: &[(String, String)]) -> Result<()> {
        check(options)?;
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        self.topics.insert(topic.into(), Topic { partitions, options: options.iter().cloned().collect() });
        Ok(())
    }

    fn check_options(&self, options: &[(String, String)]) -> Result<()> {
        check(options)
    }

    fn delete_topic(&mut self, topic: &str) -> Result<()> {
        self.topics.remove(topic).map(drop).ok_or_else(|| no_such(topic, 0))
    }

    fn grow_topic(&mut self, topic: &str, partitions: u32) -> Result<()> {
        let t = self.topics.get_mut(topic).ok_or_else(|| no_such(topic, 0))?;
        t.partitions.resize_with(partitions as usize, Partition::default);
        Ok(())
    }

    fn options(&self, topic: &str) -> Vec<TopicOption> {
        let Some(t) = self.topics.get(topic) else { return Vec::new() };
        let option = |(name, default): &(&str, &str)| TopicOption {
            name: (*name).into(),
            value: t.options.get(*name).map_or(*default, String::as_str).into(),
            is_default: !t.options.contains_key(*name),
        };
        DEFAULTS.iter().map(option).collect()
    }

    fn set_options(&mut self, topic: &str, changes: &[(String, Option<String>)]) -> Result<()> {
        let set: Vec<_> = changes.iter().map(|(n, v)| (n.clone(), v.clone().unwrap_or("0".into()))).collect();
        check(&set)?;
        let t = self.topics.get_mut(topic).ok_or_else(|| no_such(topic, 0))?;
        for (name, value) in changes {
            match value {
                Some(value) => t.options.insert(name.clone(), value.clone()),
                None => t.options.remove(name),
            };
        }
        Ok(())
    }

    fn bytes(&self, topic: &str, partition: u32) -> u64 {
        self.topics
            .get(topic)
            .and_then(|t| t.partitions.get(partition as usize))
            .map_or(0, |p| p.batches.iter().map(|(_, b)| b.len() as u64).sum())
    }
}

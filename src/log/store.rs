//! [`Store`] over a log: what the protocol's state machines read and write.
//!
//! It owns the log and becomes the owner of each partition at its first write. Reads hand out views of the mapping, which
//! keep it alive after retention has removed the file.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;

use super::config::TopicConfig;
use super::error::{LogError, LogResult};
use super::open::Log;
use super::reader::{Follow, Reader, max_timestamp, offset_for_time};
use super::writer::PartitionWriter;
use crate::error::Result;
use crate::host::Region;
use crate::wire::Store;
use crate::wire::store::{PartitionOffsets, TopicOption};

/// A log with the owners of the partitions that are written through the protocol on this thread.
#[derive(Debug)]
pub struct LogStore {
    /// `None` once closed.
    log: Option<Log>,
    topics: HashMap<String, Vec<Open>>,
}

/// What is open of one partition.
#[derive(Debug, Default)]
struct Open {
    writer: Option<PartitionWriter>,
    /// Where the last read left off: a consumer that reads on needs no lookup.
    reader: Option<Reader>,
}

/// A range of a mapping, as the owner of a [`Bytes`].
struct View(Arc<Region>, Range<usize>);

impl AsRef<[u8]> for View {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes()[self.1.clone()]
    }
}

fn closed() -> LogError {
    LogError::Config("the log is closed".into())
}

fn config_of(options: &[(String, String)]) -> LogResult<TopicConfig> {
    let mut config = TopicConfig::default();
    for (key, value) in options {
        config.set(key, value)?;
    }
    config.validate()?;
    Ok(config)
}

impl LogStore {
    /// Takes partitions as they are written to; they are given back when the store is closed or dropped.
    pub fn new(log: Log) -> Self {
        Self { log: Some(log), topics: HashMap::new() }
    }

    /// The log, unless closed.
    pub fn log(&mut self) -> Option<&mut Log> {
        self.log.as_mut()
    }

    fn get(&self) -> LogResult<&Log> {
        self.log.as_ref().ok_or_else(closed)
    }

    fn open(&mut self, topic: &str, partition: u32) -> LogResult<(&mut Log, &mut Open)> {
        let log = self.log.as_mut().ok_or_else(closed)?;
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), Vec::new());
        }
        let list = self.topics.get_mut(topic).ok_or_else(closed)?;
        let index = partition as usize;
        if list.len() <= index {
            // Fails for a partition that is not there, before memory is reserved for its number.
            log.partition(topic, partition)?;
            list.resize_with(index + 1, Open::default);
        }
        Ok((log, &mut list[index]))
    }

    /// Calls `take` with a reader that stands at `offset`.
    fn read_at<T>(
        &mut self,
        topic: &str,
        partition: u32,
        offset: i64,
        take: impl FnOnce(&mut Reader) -> LogResult<T>,
    ) -> LogResult<T> {
        let (log, open) = self.open(topic, partition)?;
        let mut reader = match open.reader.take().filter(|r| r.next_offset() == offset) {
            Some(reader) => reader,
            None => {
                let p = log.partition(topic, partition)?;
                let follow =
                    if p.config.flush.waits_for_durable() { Follow::Durable } else { Follow::Published };
                Reader::new(p, offset, follow)?
            }
        };
        let result = take(&mut reader)?;
        open.reader = Some(reader);
        Ok(result)
    }

    fn append_with(
        &mut self,
        topic: &str,
        partition: u32,
        append: impl FnOnce(&mut PartitionWriter) -> LogResult<i64>,
    ) -> LogResult<i64> {
        let (log, open) = self.open(topic, partition)?;
        if open.writer.is_none() {
            let writer = open.writer.insert(log.writer(topic, partition)?);
            // Who asks for an append knows what it has moved.
            writer.keep_quiet();
        }
        let writer = open.writer.as_mut().ok_or_else(closed)?;
        let offset = append(writer)?;
        writer.publish()?;
        Ok(offset)
    }
}

impl Store for LogStore {
    fn topics(&self) -> Vec<(String, u32)> {
        let Ok(log) = self.get() else { return Vec::new() };
        log.catalog().topics.values().map(|t| (t.name.to_string(), t.partitions.len() as u32)).collect()
    }

    fn offsets(&self, topic: &str, partition: u32) -> Option<PartitionOffsets> {
        let catalog = self.get().ok()?.catalog();
        let p = catalog.partition(topic, partition)?;
        Some(PartitionOffsets {
            start: p.start(),
            high_watermark: p.high_watermark(),
            end: p.published().get(),
        })
    }

    fn read(
        &mut self,
        topic: &str,
        partition: u32,
        offset: i64,
        max_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize> {
        Ok(self.read_at(topic, partition, offset, |reader| {
            let bytes = reader.poll_bytes(max_bytes)?.unwrap_or_default();
            out.extend_from_slice(bytes);
            Ok(bytes.len())
        })?)
    }

    fn read_views(
        &mut self,
        topic: &str,
        partition: u32,
        offset: i64,
        max_bytes: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<usize> {
        Ok(self.read_at(topic, partition, offset, |reader| {
            // A read ends with its segment: the next ones follow while there is room.
            let mut n = 0;
            while n < max_bytes.max(1)
                && let Some((region, range)) = reader.poll_shared(max_bytes - n)?
            {
                if n > 0 && n + range.len() > max_bytes {
                    break;
                }
                n += range.len();
                out.push(Bytes::from_owner(View(region, range)));
            }
            Ok(n)
        })?)
    }

    fn append(&mut self, topic: &str, partition: u32, batch: &[u8], now_ms: i64) -> Result<i64> {
        Ok(self.append_with(topic, partition, |writer| writer.append_batch(batch, now_ms))?)
    }

    fn append_valid(&mut self, topic: &str, partition: u32, batch: &[u8], now_ms: i64) -> Result<i64> {
        Ok(self.append_with(topic, partition, |writer| writer.append_valid(batch, now_ms))?)
    }

    fn offset_for_time(
        &mut self,
        topic: &str,
        partition: u32,
        timestamp_ms: i64,
    ) -> Result<Option<(i64, i64)>> {
        Ok(offset_for_time(&self.get()?.partition(topic, partition)?, timestamp_ms)?)
    }

    fn max_timestamp(&mut self, topic: &str, partition: u32) -> Result<Option<(i64, i64)>> {
        Ok(max_timestamp(&self.get()?.partition(topic, partition)?)?)
    }

    fn delete_before(&mut self, topic: &str, partition: u32, offset: i64) -> Result<i64> {
        let partition = self.get()?.partition(topic, partition)?;
        // −1 is Kafka's word for the high watermark.
        let offset = if offset == -1 { partition.high_watermark() } else { offset };
        partition.delete_before(offset).map_err(LogError::into)
    }

    fn create_topic(&mut self, topic: &str, partitions: u32, options: &[(String, String)]) -> Result<()> {
        let config = config_of(options)?;
        self.log.as_mut().ok_or_else(closed)?.create_topic(topic, partitions, config)?;
        Ok(())
    }

    fn check_options(&self, options: &[(String, String)]) -> Result<()> {
        config_of(options)?;
        Ok(())
    }

    fn delete_topic(&mut self, topic: &str) -> Result<()> {
        self.topics.remove(topic);
        Ok(self.log.as_mut().ok_or_else(closed)?.delete_topic(topic)?)
    }

    fn grow_topic(&mut self, topic: &str, partitions: u32) -> Result<()> {
        Ok(self.log.as_mut().ok_or_else(closed)?.grow_topic(topic, partitions)?)
    }

    fn set_options(&mut self, topic: &str, changes: &[(String, Option<String>)]) -> Result<()> {
        let log = self.log.as_mut().ok_or_else(closed)?;
        let catalog = log.catalog();
        let found = catalog
            .topics
            .get(topic)
            .ok_or_else(|| LogError::Config(format!("there is no topic '{topic}'")))?;
        let mut config = TopicConfig::clone(&found.config);
        let defaults = TopicConfig::default().entries();
        for (key, value) in changes {
            let default = || defaults.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
            config.set(key, value.as_deref().or_else(default).unwrap_or_default())?;
        }
        log.set_options(topic, config)?;
        // Owners take their options when they begin: the next append begins anew.
        self.topics.remove(topic);
        Ok(())
    }

    fn options(&self, topic: &str) -> Vec<TopicOption> {
        let Ok(log) = self.get() else { return Vec::new() };
        let catalog = log.catalog();
        let Some(found) = catalog.topics.get(topic) else { return Vec::new() };
        let defaults = TopicConfig::default().entries();
        let option = |((name, value), (_, default)): ((&str, String), (&str, String))| TopicOption {
            name: name.into(),
            is_default: value == default,
            value,
        };
        found.config.entries().into_iter().zip(defaults).map(option).collect()
    }

    fn bytes(&self, topic: &str, partition: u32) -> u64 {
        self.get().ok().and_then(|log| log.partition(topic, partition).ok()).map_or(0, |p| p.size())
    }

    fn place(&self) -> String {
        self.get().map_or_else(|_| String::new(), |log| log.root().display().to_string())
    }

    fn idle(&mut self, now_ms: i64) -> Result<()> {
        for open in self.topics.values_mut().flatten() {
            if let Some(writer) = &mut open.writer {
                writer.idle(now_ms)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.topics.clear();
        match self.log.take() {
            Some(log) => Ok(log.close()?),
            None => Ok(()),
        }
    }

    fn call_when_moved(&mut self, waker: Waker) {
        if let Some(log) = &self.log {
            log.moves().call(waker);
        }
    }

    fn announce(&mut self) {
        if let Some(log) = &self.log {
            log.moves().announce();
        }
    }
}

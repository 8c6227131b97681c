//! [`Store`] over a log: what the protocol's state machines read and write.

use std::collections::HashMap;

use super::error::LogError;
use super::open::Log;
use super::reader::{Follow, Reader, offset_for_time};
use super::writer::PartitionWriter;
use crate::error::Result;
use crate::wire::Store;
use crate::wire::store::PartitionOffsets;

/// A log with the owners of the partitions that are written through the protocol on this thread.
#[derive(Debug)]
pub struct LogStore<'a> {
    log: &'a mut Log,
    writers: HashMap<(String, u32), PartitionWriter>,
    readers: HashMap<(String, u32), Reader>,
}

impl<'a> LogStore<'a> {
    /// Takes partitions as they are written to; they are given back when the store is dropped.
    pub fn new(log: &'a mut Log) -> Self {
        Self { log, writers: HashMap::new(), readers: HashMap::new() }
    }

    /// The log.
    pub fn log(&mut self) -> &mut Log {
        self.log
    }
}

impl Store for LogStore<'_> {
    fn topics(&self) -> Vec<(String, u32)> {
        let catalog = self.log.catalog();
        catalog.topics.values().map(|t| (t.name.to_string(), t.partitions.len() as u32)).collect()
    }

    fn offsets(&self, topic: &str, partition: u32) -> Option<PartitionOffsets> {
        let catalog = self.log.catalog();
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
        let key = (topic.to_owned(), partition);
        // A consumer reads on where it left off; any other offset is looked up anew.
        let mut reader = match self.readers.remove(&key).filter(|r| r.next_offset() == offset) {
            Some(reader) => reader,
            None => {
                let p = self.log.partition(topic, partition)?;
                let follow =
                    if p.config.flush.waits_for_durable() { Follow::Durable } else { Follow::Published };
                Reader::new(p, offset, follow)?
            }
        };
        let n = match reader.poll_bytes(max_bytes)? {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                bytes.len()
            }
            None => 0,
        };
        self.readers.insert(key, reader);
        Ok(n)
    }

    fn append(&mut self, topic: &str, partition: u32, batch: &[u8], now_ms: i64) -> Result<i64> {
        let key = (topic.to_owned(), partition);
        if !self.writers.contains_key(&key) {
            let writer = self.log.writer(topic, partition)?;
            self.writers.insert(key.clone(), writer);
        }
        let writer = self.writers.get_mut(&key).expect("inserted above");
        let offset = writer.append_batch(batch, now_ms)?;
        writer.publish()?;
        Ok(offset)
    }

    fn offset_for_time(
        &mut self,
        topic: &str,
        partition: u32,
        timestamp_ms: i64,
    ) -> Result<Option<(i64, i64)>> {
        Ok(offset_for_time(&self.log.partition(topic, partition)?, timestamp_ms)?)
    }

    fn delete_before(&mut self, topic: &str, partition: u32, offset: i64) -> Result<i64> {
        let partition = self.log.partition(topic, partition)?;
        // −1 is Kafka's word for the high watermark.
        let offset = if offset == -1 { partition.high_watermark() } else { offset };
        partition.delete_before(offset).map_err(LogError::into)
    }
}

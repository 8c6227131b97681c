//! What a Kafka broker needs of storage, as one trait: the protocol state machines are written against it and never
//! see a file. `log` implements it; tests implement it over a vector ([`super::MemoryStore`]).
//!
//! All calls return at once. Where Kafka waits (a fetch for more bytes, a produce for durability), the state machine
//! keeps the request and asks again when the offsets have moved.

use std::task::Waker;

use bytes::Bytes;

use super::batch::Batch;
use crate::error::{Error, ErrorKind, Result, Span};

/// The offsets of one partition that a broker reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PartitionOffsets {
    /// First offset still there.
    pub start: i64,
    /// Offset after the last record that consumers may see: *durable* under `group-commit` and `each`, else *published*.
    pub high_watermark: i64,
    /// Offset after the last published record.
    pub end: i64,
}

/// One option of a topic, as DescribeConfigs shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicOption {
    /// Kafka's name where Kafka has it.
    pub name: String,
    /// As text.
    pub value: String,
    /// Nobody has set it.
    pub is_default: bool,
}

/// Topics whose partitions hold record batches.
pub trait Store {
    /// Names of the topics, sorted, each with how many partitions it has.
    fn topics(&self) -> Vec<(String, u32)>;

    /// Where a partition begins and ends. `None`: no such topic or partition.
    fn offsets(&self, topic: &str, partition: u32) -> Option<PartitionOffsets>;

    /// Whole batches from the one that holds `offset` on, at most `max_bytes` (but always one), appended to `out`.
    /// Returns the number of bytes: 0 at the end.
    fn read(
        &mut self,
        topic: &str,
        partition: u32,
        offset: i64,
        max_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize>;

    /// [`Store::read`] as views that keep the bytes alive, without a copy where the store can do so.
    fn read_views(
        &mut self,
        topic: &str,
        partition: u32,
        offset: i64,
        max_bytes: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<usize> {
        let mut bytes = Vec::new();
        let n = self.read(topic, partition, offset, max_bytes, &mut bytes)?;
        if n > 0 {
            out.push(bytes.into());
        }
        Ok(n)
    }

    /// Hands one batch to the partition's owner. It is checked here, gets its offsets there. Returns the offset of
    /// its first record.
    fn append(&mut self, topic: &str, partition: u32, batch: &[u8], now_ms: i64) -> Result<i64>;

    /// [`Store::append`] for a batch whose records the caller has read to the last: nothing is checked again.
    fn append_valid(&mut self, topic: &str, partition: u32, batch: &[u8], now_ms: i64) -> Result<i64> {
        self.append(topic, partition, batch, now_ms)
    }

    /// The first record whose timestamp is at least `timestamp_ms`: (offset, its timestamp). `None`: all are older.
    fn offset_for_time(
        &mut self,
        topic: &str,
        partition: u32,
        timestamp_ms: i64,
    ) -> Result<Option<(i64, i64)>>;

    /// The first record with the largest timestamp: (offset, timestamp). `None`: the partition is empty. The default
    /// walks all batches.
    fn max_timestamp(&mut self, topic: &str, partition: u32) -> Result<Option<(i64, i64)>> {
        let Some(offsets) = self.offsets(topic, partition) else { return Ok(None) };
        let (mut at, mut largest, mut buffer) = (offsets.start, None::<i64>, Vec::new());
        while at < offsets.high_watermark {
            buffer.clear();
            if self.read(topic, partition, at, 1 << 20, &mut buffer)? == 0 {
                break;
            }
            let (next, mut rest) = (at, &buffer[..]);
            while let Ok(batch) = Batch::parse(rest) {
                largest = largest.max(Some(batch.header().max_timestamp));
                at = batch.header().next_offset();
                rest = &rest[batch.bytes().len()..];
            }
            if at <= next {
                break;
            }
        }
        match largest {
            Some(timestamp) => self.offset_for_time(topic, partition, timestamp),
            None => Ok(None),
        }
    }

    /// Forgets the records before `offset`; returns the new start.
    fn delete_before(&mut self, topic: &str, partition: u32, offset: i64) -> Result<i64>;

    /// Makes a topic. `options` are names and values as in [`Store::options`]; unknown ones are refused.
    fn create_topic(&mut self, topic: &str, partitions: u32, options: &[(String, String)]) -> Result<()> {
        let _ = (topic, partitions, options);
        Err(Error::unsupported("making a topic in this store", Span::default()))
    }

    /// Checks what [`Store::create_topic`] would refuse about the options.
    fn check_options(&self, options: &[(String, String)]) -> Result<()> {
        let _ = options;
        Ok(())
    }

    /// Removes a topic and its records.
    fn delete_topic(&mut self, topic: &str) -> Result<()> {
        let _ = topic;
        Err(Error::unsupported("deleting a topic in this store", Span::default()))
    }

    /// Grows a topic to `partitions` partitions.
    fn grow_topic(&mut self, topic: &str, partitions: u32) -> Result<()> {
        let _ = (topic, partitions);
        Err(Error::unsupported("adding partitions in this store", Span::default()))
    }

    /// All options of a topic with their values.
    fn options(&self, topic: &str) -> Vec<TopicOption> {
        let _ = topic;
        Vec::new()
    }

    /// Changes options: a value, or `None` for the default. All or none.
    fn set_options(&mut self, topic: &str, changes: &[(String, Option<String>)]) -> Result<()> {
        let _ = (topic, changes);
        Err(Error::unsupported("changing options in this store", Span::default()))
    }

    /// Bytes that a partition takes.
    fn bytes(&self, topic: &str, partition: u32) -> u64 {
        let _ = (topic, partition);
        0
    }

    /// Where the topics are, for people.
    fn place(&self) -> String {
        "memory".into()
    }

    /// Called about once a second: segments that are due are closed.
    fn idle(&mut self, now_ms: i64) -> Result<()> {
        let _ = now_ms;
        Ok(())
    }

    /// Ends well: everything durable, marked as closed. The store is not used afterwards.
    fn close(&mut self) -> Result<()> {
        Ok(())
    }

    /// Where high watermarks move after [`Store::append`] has returned, or because others append: whom to call then, from
    /// any thread.
    fn call_when_moved(&mut self, waker: Waker) {
        let _ = waker;
    }

    /// The next such move calls the waker, once. Whoever announces itself looks at the offsets after this.
    fn announce(&mut self) {}
}

/// The store has no such topic or partition.
pub(crate) fn no_such(topic: &str, partition: u32) -> Error {
    Error::new(ErrorKind::Input, format!("there is no partition {topic}-{partition}"))
}

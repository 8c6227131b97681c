//! What a Kafka broker needs of storage, as one trait: the protocol state machines are written against it and never
//! see a file. `log` implements it; tests may implement it over a vector.
//!
//! All calls return at once. Where Kafka waits (a fetch for more bytes, a produce for durability), the state machine
//! keeps the request and asks again when the offsets have moved.

use crate::error::Result;

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

    /// Hands one batch to the partition's owner. It is checked here, gets its offsets there. Returns the offset of
    /// its first record.
    fn append(&mut self, topic: &str, partition: u32, batch: &[u8], now_ms: i64) -> Result<i64>;

    /// The first record whose timestamp is at least `timestamp_ms`: (offset, its timestamp). `None`: all are older.
    fn offset_for_time(
        &mut self,
        topic: &str,
        partition: u32,
        timestamp_ms: i64,
    ) -> Result<Option<(i64, i64)>>;

    /// Forgets the records before `offset`; returns the new start.
    fn delete_before(&mut self, topic: &str, partition: u32, offset: i64) -> Result<i64>;
}

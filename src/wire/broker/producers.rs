//! Idempotent producers (KIP-98, KIP-360): each partition knows the last five batches of each producer, so that a batch
//! that comes again, because its answer was lost, is answered with the offset it already has.
//!
//! What is known follows from the log: the headers of its batches carry producer id, epoch and sequence. A topic of the
//! broker's own ([`PRODUCERS_TOPIC`]) keeps a snapshot a partition, so that a start scans only what came after it, and
//! the end of the block of ids given out, so that no id is ever given twice.
//!
//! ```text
//!   key "ids"                  value: next free producer id, i64
//!   key "p" index i32 topic    value: version i8 = 1, offset i64 up to which it speaks, count i32, then for each producer
//!                              id i64, epoch i16, last use i64 (ms), batches i8, then for each: base sequence i32,
//!                              last sequence i32, base offset i64
//! ```

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use super::connection::Ticket;
use super::topics::{OFFSETS_TOPIC, PRODUCERS_TOPIC};
use super::{Broker, code};
use crate::error::{Error, Result};
use crate::wire::batch::{Batch, BatchHeader};
use crate::wire::builder::BatchBuilder;
use crate::wire::codec::{Reader, Wire, Writer};
use crate::wire::messages::security::{InitProducerIdRequest, InitProducerIdResponse};
use crate::wire::produce::{DECOMPRESSED_LIMIT, Refused};

/// Kafka's number: a client has at most five requests in flight.
const KEPT_BATCHES: usize = 5;
/// Ids reserved in the log at a time.
const ID_BLOCK: i64 = 1_000;
/// How often snapshots are written.
pub(super) const SNAPSHOT_INTERVAL_MS: u64 = 10_000;
/// A partition without producers gets a snapshot after so many records, to keep the next scan short.
const QUIET_RECORDS: i64 = 100_000;
/// Most producers of one snapshot: it must fit a batch.
const SNAPSHOT_PRODUCERS: usize = 5_000;

/// Ids for new producers.
#[derive(Debug, Default)]
pub(super) struct Ids {
    next: i64,
    reserved: i64,
    /// A producer has written since the last snapshots.
    pub(super) is_dirty: bool,
}

/// What a partition knows of one producer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Producer {
    epoch: i16,
    batches: VecDeque<Written>,
    used_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Written {
    base_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
    next_offset: i64,
}

/// Sequences count to 2³¹−1 and begin again at 0.
fn last_sequence(header: &BatchHeader) -> i32 {
    let last = i64::from(header.base_sequence) + i64::from(header.last_offset_delta);
    (last % (i64::from(i32::MAX) + 1)) as i32
}

impl Producer {
    /// Base offset and the offset after the batch, when exactly this one is already there.
    pub(super) fn duplicate_of(&self, header: &BatchHeader) -> Option<(i64, i64)> {
        let last = last_sequence(header);
        self.batches
            .iter()
            .find(|b| {
                self.epoch == header.producer_epoch
                    && b.base_sequence == header.base_sequence
                    && b.last_sequence == last
            })
            .map(|b| (b.base_offset, b.next_offset))
    }
}

/// May this batch follow what is known?
pub(super) fn check(known: Option<&Producer>, header: &BatchHeader) -> Result<(), Refused> {
    // Of an unknown producer any sequence is taken: its earlier batches may have been deleted by retention.
    let Some(known) = known else { return Ok(()) };
    if header.producer_epoch < known.epoch {
        return Err(Refused::new(
            code::INVALID_PRODUCER_EPOCH,
            format!("producer epoch {}, the current one is {}", header.producer_epoch, known.epoch),
        ));
    }
    let expected = match known.batches.back() {
        Some(last) if header.producer_epoch == known.epoch => {
            if last.last_sequence == i32::MAX {
                0
            } else {
                last.last_sequence + 1
            }
        }
        _ => 0,
    };
    if header.base_sequence != expected {
        return Err(Refused::new(
            code::OUT_OF_ORDER_SEQUENCE_NUMBER,
            format!(
                "sequence {} of producer {}, expected {expected}",
                header.base_sequence, header.producer_id
            ),
        ));
    }
    Ok(())
}

/// Notes a batch that has been appended at `base_offset`.
pub(super) fn note(
    producers: &mut HashMap<i64, Producer>,
    header: &BatchHeader,
    base_offset: i64,
    now_ms: i64,
    limit: usize,
) {
    if producers.len() >= limit
        && !producers.contains_key(&header.producer_id)
        && let Some(oldest) = producers.iter().min_by_key(|(_, p)| p.used_ms).map(|(id, _)| *id)
    {
        producers.remove(&oldest);
    }
    let producer = producers.entry(header.producer_id).or_default();
    if producer.epoch != header.producer_epoch {
        producer.batches.clear();
        producer.epoch = header.producer_epoch;
    }
    producer.used_ms = now_ms;
    producer.batches.push_back(Written {
        base_sequence: header.base_sequence,
        last_sequence: last_sequence(header),
        base_offset,
        next_offset: base_offset + i64::from(header.last_offset_delta) + 1,
    });
    if producer.batches.len() > KEPT_BATCHES {
        producer.batches.pop_front();
    }
}

fn snapshot_key(topic: &str, index: u32) -> Vec<u8> {
    let mut key = vec![b'p'];
    key.extend_from_slice(&index.to_be_bytes());
    key.extend_from_slice(topic.as_bytes());
    key
}

fn encode(producers: &HashMap<i64, Producer>, offset: i64) -> Vec<u8> {
    let mut newest: Vec<_> = producers.iter().collect();
    newest.sort_by_key(|(id, p)| (std::cmp::Reverse(p.used_ms), **id));
    newest.truncate(SNAPSHOT_PRODUCERS);
    let mut w = Writer::new(0, false);
    1i8.write(&mut w);
    offset.write(&mut w);
    (newest.len() as i32).write(&mut w);
    for (id, p) in newest {
        id.write(&mut w);
        p.epoch.write(&mut w);
        p.used_ms.write(&mut w);
        (p.batches.len() as i8).write(&mut w);
        for b in &p.batches {
            b.base_sequence.write(&mut w);
            b.last_sequence.write(&mut w);
            b.base_offset.write(&mut w);
            b.next_offset.write(&mut w);
        }
    }
    w.out
}

/// `None`: not one of ours, so the log is scanned instead.
fn decode(bytes: &[u8]) -> Option<(i64, HashMap<i64, Producer>)> {
    let r = &mut Reader::new(Bytes::copy_from_slice(bytes), 0, false);
    if i8::read(r).ok()? != 1 {
        return None;
    }
    let offset = i64::read(r).ok()?;
    let mut producers = HashMap::new();
    for _ in 0..r.count().ok()?? {
        let id = i64::read(r).ok()?;
        let mut p =
            Producer { epoch: i16::read(r).ok()?, used_ms: i64::read(r).ok()?, batches: VecDeque::new() };
        for _ in 0..i8::read(r).ok()? {
            p.batches.push_back(Written {
                base_sequence: i32::read(r).ok()?,
                last_sequence: i32::read(r).ok()?,
                base_offset: i64::read(r).ok()?,
                next_offset: i64::read(r).ok()?,
            });
        }
        producers.insert(id, p);
    }
    Some((offset, producers))
}

impl Broker {
    pub(super) fn init_producer_id(&mut self, t: Ticket, request: InitProducerIdRequest) {
        let result = if request.transactional_id.is_some() {
            Err(code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
        } else {
            // What Kafka answers while it has no ids to give: a disk without room passes, and clients ask again.
            self.new_producer_id().map_err(|e| match e.code {
                code::KAFKA_STORAGE_ERROR => code::COORDINATOR_LOAD_IN_PROGRESS,
                other => other,
            })
        };
        let response = match result {
            Ok(producer_id) => InitProducerIdResponse { producer_id, ..InitProducerIdResponse::default() },
            Err(error_code) => InitProducerIdResponse {
                error_code,
                producer_id: -1,
                producer_epoch: -1,
                ..Default::default()
            },
        };
        self.reply(t, &response);
    }

    fn new_producer_id(&mut self) -> Result<i64, Refused> {
        if self.producer_ids.next == self.producer_ids.reserved {
            let end = self.producer_ids.reserved + ID_BLOCK;
            self.append_internal(PRODUCERS_TOPIC, &[(b"ids".to_vec(), Some(end.to_be_bytes().to_vec()))])?;
            self.producer_ids.reserved = end;
        }
        self.producer_ids.next += 1;
        Ok(self.producer_ids.next - 1)
    }

    /// Writes records to a topic of the broker's own, several to a batch, within its size limit.
    pub(super) fn append_internal(
        &mut self,
        topic: &str,
        records: &[(Vec<u8>, Option<Vec<u8>>)],
    ) -> Result<(), Refused> {
        self.ensure_internal(topic)?;
        let mut builder = BatchBuilder::new();
        let mut rest = records.iter().peekable();
        while let Some((key, value)) = rest.next() {
            builder.push(self.now.wall_ms, Some(key), value.as_deref(), &[]);
            let next = rest.peek().map_or(0, |(k, v)| k.len() + v.as_ref().map_or(0, Vec::len));
            if rest.peek().is_none() || builder.size() + next > 512 << 10 {
                let batch = builder.finish(0).to_vec();
                self.store
                    .append(topic, 0, &batch, self.now.wall_ms)
                    .map_err(|e| super::topics::store_error(&e))?;
            }
        }
        let end = self.store.offsets(topic, 0).map_or(0, |o| o.high_watermark);
        if end > 0 {
            self.wake_fetches(topic, 0);
        }
        Ok(())
    }

    /// Calls `each` with every batch of a partition from `offset` on.
    pub(super) fn walk(
        &mut self,
        topic: &str,
        index: u32,
        offset: i64,
        mut each: impl FnMut(&Batch<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(offsets) = self.store.offsets(topic, index) else { return Ok(()) };
        let mut at = offset.max(offsets.start);
        let mut views = Vec::new();
        while at < offsets.high_watermark {
            views.clear();
            self.store.read_views(topic, index, at, 4 << 20, &mut views)?;
            let before = at;
            for view in &views {
                let mut rest = &view[..];
                while !rest.is_empty() {
                    let batch =
                        Batch::parse(rest).map_err(|e| Error::corrupt(format!("{topic}-{index}: {e}")))?;
                    if batch.header().next_offset() > at {
                        at = batch.header().next_offset();
                        each(&batch)?;
                    }
                    rest = &rest[batch.bytes().len()..];
                }
            }
            if at == before {
                break;
            }
        }
        Ok(())
    }

    /// The last value of each key of a topic of the broker's own.
    pub(super) fn read_internal(&mut self, topic: &str) -> Result<HashMap<Vec<u8>, Vec<u8>>> {
        let mut latest = HashMap::new();
        let mut scratch = Vec::new();
        self.walk(topic, 0, 0, |batch| {
            let damaged = |e: crate::wire::BatchError| Error::corrupt(format!("{topic}: {e}"));
            for record in batch.records(&mut scratch, DECOMPRESSED_LIMIT).map_err(damaged)? {
                let record = record.map_err(damaged)?;
                match (record.key, record.value) {
                    (Some(key), Some(value)) => {
                        latest.insert(key.to_vec(), value.to_vec());
                    }
                    (Some(key), None) => {
                        latest.remove(key);
                    }
                    _ => {}
                }
            }
            Ok(())
        })?;
        Ok(latest)
    }

    /// Reads ids and snapshots, then what was written after each snapshot.
    pub(super) fn load_producers(&mut self) -> Result<()> {
        let noted = self.read_internal(PRODUCERS_TOPIC)?;
        if let Some(end) = noted.get(&b"ids"[..]).and_then(|v| v.as_slice().try_into().ok()) {
            let end = i64::from_be_bytes(end);
            self.producer_ids = Ids { next: end, reserved: end, is_dirty: false };
        }
        let all: Vec<(String, u32)> = self
            .topics
            .iter()
            .filter(|(name, _)| *name != OFFSETS_TOPIC && *name != PRODUCERS_TOPIC)
            .flat_map(|(name, topic)| (0..topic.partitions.len() as u32).map(move |i| (name.clone(), i)))
            .collect();
        for (name, index) in all {
            let end = self.store.offsets(&name, index).map_or(0, |o| o.end);
            let snapshot = noted.get(&snapshot_key(&name, index)).and_then(|v| decode(v));
            // A snapshot beyond the end speaks of records that a power loss took.
            let (from, mut producers) = snapshot.filter(|(offset, _)| *offset <= end).unwrap_or_default();
            let limit = self.config.max_producers_per_partition;
            let mut highest = -1;
            self.walk(&name, index, from, |batch| {
                let header = batch.header();
                if header.producer_id >= 0 && header.base_offset >= from {
                    highest = highest.max(header.producer_id);
                    note(&mut producers, header, header.base_offset, header.max_timestamp, limit);
                }
                Ok(())
            })?;
            // Ids in the log that were never given out here came with records from elsewhere: never collide with them.
            if highest >= self.producer_ids.next {
                self.producer_ids.next = highest + 1;
                self.producer_ids.reserved = highest + 1;
            }
            if let Some(partition) = self.partition(&name, index as i32) {
                partition.producers = producers;
                partition.snapshot = from;
            }
        }
        Ok(())
    }

    /// Writes a snapshot of each partition that has gone on since its last one.
    pub(super) fn save_producers(&mut self) -> Result<()> {
        let mut records = Vec::new();
        let mut saved = Vec::new();
        for (name, topic) in &self.topics {
            if super::topics::is_internal(name) {
                continue;
            }
            for (index, partition) in topic.partitions.iter().enumerate() {
                let index = index as u32;
                let end = self.store.offsets(name, index).map_or(0, |o| o.end);
                let is_behind = end != partition.snapshot
                    && (!partition.producers.is_empty() || end - partition.snapshot > QUIET_RECORDS);
                if is_behind {
                    records.push((snapshot_key(name, index), Some(encode(&partition.producers, end))));
                    saved.push((name.clone(), index, end));
                }
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        self.append_internal(PRODUCERS_TOPIC, &records).map_err(|e| Error::runtime(e.message))?;
        for (name, index, end) in saved {
            if let Some(partition) = self.partition(&name, index as i32) {
                partition.snapshot = end;
            }
        }
        self.producer_ids.is_dirty = false;
        Ok(())
    }

    /// A topic is gone, and with it what its partitions knew.
    pub(super) fn forget_producers(&mut self, topic: &str, partitions: u32) {
        if self.topics.contains_key(PRODUCERS_TOPIC) {
            let records: Vec<_> = (0..partitions).map(|i| (snapshot_key(topic, i), None)).collect();
            // If this is refused, the snapshot lies beyond the new topic's end and is not believed.
            let _ = self.append_internal(PRODUCERS_TOPIC, &records);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(epoch: i16, base_sequence: i32, count: i32) -> BatchHeader {
        let mut builder = BatchBuilder::new();
        builder.producer(7, epoch, base_sequence);
        (0..count).for_each(|_| builder.push(0, None, None, &[]));
        *Batch::parse(builder.finish(0)).unwrap().header()
    }

    #[test]
    fn sequences_wrap_at_the_end_of_the_numbers() {
        let mut producers = HashMap::new();
        note(&mut producers, &header(0, i32::MAX - 1, 3), 10, 0, 10);
        assert!(check(producers.get(&7), &header(0, 1, 1)).is_ok());
        assert_eq!(
            check(producers.get(&7), &header(0, 2, 1)).unwrap_err().code,
            code::OUT_OF_ORDER_SEQUENCE_NUMBER
        );
        assert_eq!(producers[&7].duplicate_of(&header(0, i32::MAX - 1, 3)), Some((10, 13)));
    }

    #[test]
    fn a_new_epoch_begins_at_zero_and_ends_the_old_one() {
        let mut producers = HashMap::new();
        note(&mut producers, &header(3, 0, 2), 0, 0, 10);
        assert!(check(producers.get(&7), &header(4, 1, 1)).is_err());
        assert!(check(producers.get(&7), &header(4, 0, 1)).is_ok());
        note(&mut producers, &header(4, 0, 1), 2, 0, 10);
        assert_eq!(
            check(producers.get(&7), &header(3, 2, 1)).unwrap_err().code,
            code::INVALID_PRODUCER_EPOCH
        );
        assert_eq!(producers[&7].duplicate_of(&header(3, 0, 2)), None);
    }

    proptest! {
        /// A snapshot gives back what went in; damage gives nothing or something else, never a panic.
        #[test]
        fn snapshots_round_trip(epochs in proptest::collection::vec((0i16..3, 0i32..100), 0..20), cut: usize) {
            let mut producers = HashMap::new();
            for (i, (epoch, sequence)) in epochs.iter().enumerate() {
                note(&mut producers, &header(*epoch, *sequence, 2), i as i64 * 2, i as i64, 100);
            }
            let bytes = encode(&producers, 42);
            prop_assert_eq!(decode(&bytes), Some((42, producers)));
            decode(&bytes[..cut % bytes.len()]);
        }
    }
}

//! ListOffsets and OffsetForLeaderEpoch: where partitions begin and end, and where a time is.

use super::connection::Ticket;
use super::topics::store_error;
use super::{Broker, code};
use crate::wire::messages::offsets::*;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
/// KIP-734.
const MAX_TIMESTAMP: i64 = -3;
/// KIP-405: the earliest that is not in a remote tier, which is the earliest.
const EARLIEST_LOCAL: i64 = -4;

impl Broker {
    pub(super) fn list_offsets(&mut self, t: Ticket, request: ListOffsetsRequest) {
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            self.has_topic(&topic.name);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for p in topic.partitions {
                let index = p.partition_index;
                let result = if p.current_leader_epoch > 0 {
                    Err(code::UNKNOWN_LEADER_EPOCH)
                } else {
                    self.find_offset(&topic.name, index, p.timestamp, t.version)
                };
                let (error_code, offset, timestamp) = match result {
                    Ok((offset, timestamp)) => (code::NONE, offset, timestamp),
                    Err(error) => (error, -1, -1),
                };
                let leader_epoch = if offset >= 0 { 0 } else { -1 };
                partitions.push(ListOffsetsPartitionResponse {
                    partition_index: index,
                    error_code,
                    timestamp,
                    offset,
                    leader_epoch,
                });
            }
            topics.push(ListOffsetsTopicResponse { name: topic.name, partitions });
        }
        self.reply(t, &ListOffsetsResponse { throttle_time_ms: 0, topics });
    }

    /// Offset and timestamp; (−1, −1) when no record is as young as that.
    fn find_offset(
        &mut self,
        topic: &str,
        index: i32,
        timestamp: i64,
        version: i16,
    ) -> Result<(i64, i64), i16> {
        let number = u32::try_from(index).map_err(|_| code::UNKNOWN_TOPIC_OR_PARTITION)?;
        let offsets = self.store.offsets(topic, number).ok_or(code::UNKNOWN_TOPIC_OR_PARTITION)?;
        match timestamp {
            LATEST => Ok((offsets.high_watermark, -1)),
            EARLIEST | EARLIEST_LOCAL => Ok((offsets.start, -1)),
            MAX_TIMESTAMP if version < 7 => Err(code::UNSUPPORTED_VERSION),
            MAX_TIMESTAMP => self
                .store
                .max_timestamp(topic, number)
                .map(|found| found.unwrap_or((-1, -1)))
                .map_err(|e| store_error(&e).code),
            0.. => self
                .store
                .offset_for_time(topic, number, timestamp)
                .map(|found| found.filter(|(offset, _)| *offset < offsets.high_watermark).unwrap_or((-1, -1)))
                .map_err(|e| store_error(&e).code),
            // The last tiered offset: nothing is tiered.
            -5 => Ok((-1, -1)),
            _ => Err(code::UNSUPPORTED_VERSION),
        }
    }

    /// There is one epoch, 0, because there is one broker: it ends where the partition ends.
    pub(super) fn offset_for_leader_epoch(&mut self, t: Ticket, request: OffsetForLeaderEpochRequest) {
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for p in topic.partitions {
                let found = u32::try_from(p.partition).ok().and_then(|i| self.store.offsets(&topic.topic, i));
                let (error_code, leader_epoch, end_offset) = match found {
                    None => (code::UNKNOWN_TOPIC_OR_PARTITION, -1, -1),
                    Some(_) if p.current_leader_epoch > 0 => (code::UNKNOWN_LEADER_EPOCH, -1, -1),
                    Some(offsets) if p.leader_epoch == 0 => (code::NONE, 0, offsets.high_watermark),
                    Some(_) => (code::NONE, -1, -1),
                };
                partitions.push(EpochEndOffset {
                    error_code,
                    partition: p.partition,
                    leader_epoch,
                    end_offset,
                });
            }
            topics.push(OffsetForLeaderTopicResult { topic: topic.topic, partitions });
        }
        self.reply(t, &OffsetForLeaderEpochResponse { throttle_time_ms: 0, topics });
    }
}

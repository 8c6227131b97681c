//! Produce: from a checked request to appended batches, and the wait for durability of acks=all.

use std::collections::BTreeMap;

use super::connection::Ticket;
use super::topics::{append_error, is_internal};
use super::{Broker, Deadline, code};
use crate::wire::produce::{
    FIRST_SERVED, ProducePartition, ProduceRequest, Produced, Refused, write_response,
};

/// A produce request whose batches are published and not yet durable.
pub(super) struct Waiting {
    ticket: Ticket,
    topics: Vec<(String, Vec<Produced>)>,
    /// Offsets that the high watermark has to reach.
    targets: Vec<(String, u32, i64)>,
    deadline: u64,
}

impl Broker {
    pub(super) fn produce(&mut self, t: Ticket, request: ProduceRequest) {
        let refusal = if t.version < FIRST_SERVED {
            Some(Refused::old())
        } else if request.transactional_id.is_some() {
            Some(Refused::new(code::UNSUPPORTED_VERSION, "transactions are not offered"))
        } else if !(-1..=1).contains(&request.acks) {
            Some(Refused::new(code::INVALID_REQUIRED_ACKS, "acks must be 0, 1 or -1 (all)"))
        } else {
            None
        };
        let mut targets = Vec::new();
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let mut results = Vec::with_capacity(topic.partitions.len());
            for partition in topic.partitions {
                let index = partition.index;
                let result = match &refusal {
                    Some(refused) => Err(refused.clone()),
                    None => self.append(&topic.name, partition),
                };
                results.push(match result {
                    Ok((produced, next)) => {
                        targets.push((topic.name.clone(), index as u32, next));
                        produced
                    }
                    Err(refused) => Produced {
                        index,
                        refused: Some(refused),
                        base_offset: -1,
                        log_append_time_ms: -1,
                        log_start_offset: -1,
                    },
                });
            }
            topics.push((topic.name, results));
        }
        for (topic, index, _) in &targets {
            self.wake_fetches(topic, *index);
        }
        let has_error = topics.iter().any(|(_, ps)| ps.iter().any(|p| p.refused.is_some()));
        match request.acks {
            0 if has_error => self.out.close(t.connection, "a produce with acks=0 failed".into()),
            0 => self.finish_silently(t),
            -1 => {
                targets.retain(|(topic, index, next)| {
                    self.store.offsets(topic, *index).is_some_and(|o| o.high_watermark < *next)
                });
                if targets.is_empty() {
                    self.answer_produce(t, &topics);
                } else {
                    let timeout = u64::try_from(request.timeout_ms).unwrap_or(0);
                    let deadline = self.now.monotonic_ms + timeout;
                    let id = self.next_id();
                    self.deadlines.insert((deadline, Deadline::Produce(id)));
                    self.produces.insert(id, Waiting { ticket: t, topics, targets, deadline });
                }
            }
            _ => self.answer_produce(t, &topics),
        }
    }

    fn answer_produce(&mut self, t: Ticket, topics: &[(String, Vec<Produced>)]) {
        let mut w = t.writer();
        write_response(&mut w, topics);
        self.finish(t, vec![w.out.into()]);
    }

    /// Appends one batch. Returns the result and the offset after it.
    fn append(&mut self, topic: &str, partition: ProducePartition) -> Result<(Produced, i64), Refused> {
        let index = partition.index;
        if is_internal(topic) {
            return Err(Refused::new(code::INVALID_TOPIC_EXCEPTION, "only the broker writes this topic"));
        }
        self.has_topic(topic);
        let unknown = || Refused::new(code::UNKNOWN_TOPIC_OR_PARTITION, "no such topic or partition");
        let known = self.topics.get_mut(topic).ok_or_else(unknown)?;
        let number = u32::try_from(index).map_err(|_| unknown())?;
        let (is_compact, limit) = (known.is_compact, known.max_message_bytes);
        let is_log_append_time = known.is_log_append_time;
        let state = known.partitions.get_mut(number as usize).ok_or_else(unknown)?;
        let batch = partition.batch?;
        if batch.bytes.len() > limit {
            return Err(Refused::new(
                code::MESSAGE_TOO_LARGE,
                format!("a batch of {} bytes, max.message.bytes is {limit}", batch.bytes.len()),
            ));
        }
        if is_compact && batch.has_null_key {
            return Err(Refused::new(
                code::INVALID_RECORD,
                "a compacted topic takes no record without a key",
            ));
        }
        let log_append_time_ms = if is_log_append_time { self.now.wall_ms } else { -1 };
        let count = i64::from(batch.header.count);
        let mut produced =
            Produced { index, refused: None, base_offset: 0, log_append_time_ms, log_start_offset: 0 };
        let producer = batch.header.producer_id;
        if producer >= 0
            && let Some(known) = state.producers.get(&producer)
            && let Some((base, next)) = known.duplicate_of(&batch.header)
        {
            // The same batch again, because its answer was lost: the answer it had.
            produced.base_offset = base;
            produced.log_start_offset = self.store.offsets(topic, number).map_or(0, |o| o.start);
            return Ok((produced, next));
        }
        if producer >= 0 {
            super::producers::check(state.producers.get(&producer), &batch.header)?;
        }
        let base = self
            .store
            .append_valid(topic, number, &batch.bytes, self.now.wall_ms)
            .map_err(|e| append_error(&e))?;
        if producer >= 0 {
            let limit = self.config.max_producers_per_partition;
            let now_ms = self.now.wall_ms;
            if let Some(state) = self.partition(topic, index) {
                super::producers::note(&mut state.producers, &batch.header, base, now_ms, limit);
            }
            self.producer_ids.is_dirty = true;
        }
        produced.base_offset = base;
        produced.log_start_offset = self.store.offsets(topic, number).map_or(0, |o| o.start);
        Ok((produced, base + count))
    }

    /// Answers the produces whose batches have become durable.
    pub(super) fn wake_produces(&mut self) {
        let store = &*self.store;
        let mut ready = Vec::new();
        for (id, waiting) in &mut self.produces {
            waiting.targets.retain(|(topic, index, next)| {
                store.offsets(topic, *index).is_some_and(|o| o.high_watermark < *next)
            });
            if waiting.targets.is_empty() {
                ready.push(*id);
            }
        }
        for id in ready {
            if let Some(waiting) = self.produces.remove(&id) {
                self.deadlines.remove(&(waiting.deadline, Deadline::Produce(id)));
                self.answer_produce(waiting.ticket, &waiting.topics);
            }
        }
    }

    /// The time of a produce is over: what is not durable is reported as timed out.
    pub(super) fn produce_deadline(&mut self, id: u64) {
        let Some(mut waiting) = self.produces.remove(&id) else { return };
        let mut late: BTreeMap<(&str, i32), ()> = BTreeMap::new();
        for (topic, index, _) in &waiting.targets {
            late.insert((topic, *index as i32), ());
        }
        for (topic, results) in &mut waiting.topics {
            for result in results {
                if late.contains_key(&(topic.as_str(), result.index)) {
                    result.refused = Some(Refused::new(code::REQUEST_TIMED_OUT, "not durable in time"));
                    result.base_offset = -1;
                }
            }
        }
        self.answer_produce(waiting.ticket, &waiting.topics);
    }
}

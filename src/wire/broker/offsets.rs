//! OffsetCommit, OffsetFetch, OffsetDelete, and the topic that keeps offsets over a restart.
//!
//! Offsets are stored as Kafka stores them, in `__consumer_offsets` (compacted, one partition), with Kafka's own keys and
//! values, so that tools which read that topic read ours:
//!
//! ```text
//!   key    version i16 = 1, group string, topic string, partition i32
//!   value  version i16 = 3, offset i64, leader epoch i32, metadata string, commit timestamp i64; null: deleted
//! ```
//!
//! A commit is answered when its record is published. Source: `OffsetCommitKey.json`, `OffsetCommitValue.json`.

use bytes::Bytes;

use super::connection::Ticket;
use super::group::{Committed, Group, State};
use super::topics::OFFSETS_TOPIC;
use super::{Broker, code};
use crate::error::Result;
use crate::wire::codec::{Reader, Wire, Writer};
use crate::wire::messages::offsets::*;

type Record = (Vec<u8>, Option<Vec<u8>>);

fn key(group: &str, topic: &str, partition: i32) -> Vec<u8> {
    let mut w = Writer::new(0, false);
    1i16.write(&mut w);
    group.to_owned().write(&mut w);
    topic.to_owned().write(&mut w);
    partition.write(&mut w);
    w.out
}

fn value(c: &Committed) -> Vec<u8> {
    let mut w = Writer::new(0, false);
    3i16.write(&mut w);
    c.offset.write(&mut w);
    c.leader_epoch.write(&mut w);
    c.metadata.write(&mut w);
    c.commit_ms.write(&mut w);
    w.out
}

fn decode(key: &[u8], value: &[u8]) -> Option<(String, String, i32, Committed)> {
    let r = &mut Reader::new(Bytes::copy_from_slice(key), 0, false);
    if !(0..=1).contains(&i16::read(r).ok()?) {
        return None;
    }
    let (group, topic, partition) = (String::read(r).ok()?, String::read(r).ok()?, i32::read(r).ok()?);
    let r = &mut Reader::new(Bytes::copy_from_slice(value), 0, false);
    let version = i16::read(r).ok()?;
    let offset = i64::read(r).ok()?;
    let leader_epoch = if version >= 3 { i32::read(r).ok()? } else { -1 };
    let metadata = String::read(r).ok()?;
    let commit_ms = i64::read(r).ok()?;
    Some((group, topic, partition, Committed { offset, leader_epoch, metadata, commit_ms }))
}

impl Broker {
    pub(super) fn load_offsets(&mut self) -> Result<()> {
        let wall_ms = self.now.wall_ms;
        for (k, v) in self.read_internal(OFFSETS_TOPIC)? {
            if let Some((group, topic, partition, committed)) = decode(&k, &v) {
                let group = self.groups.entry(group).or_insert_with(|| Group::new(wall_ms));
                group.offsets.insert((topic, partition), committed);
            }
        }
        Ok(())
    }

    pub(super) fn offset_commit(&mut self, t: Ticket, request: OffsetCommitRequest) {
        let refused = self.check_commit(&request).err();
        let now_ms = self.now.wall_ms;
        let mut records: Vec<Record> = Vec::new();
        let mut commits = Vec::new();
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            self.has_topic(&topic.name);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for p in topic.partitions {
                let metadata = p.committed_metadata.unwrap_or_default();
                let error_code = match refused {
                    Some(error) => error,
                    None if metadata.len() > self.config.max_offset_metadata_bytes => {
                        code::OFFSET_METADATA_TOO_LARGE
                    }
                    None if self.partition(&topic.name, p.partition_index).is_none() => {
                        code::UNKNOWN_TOPIC_OR_PARTITION
                    }
                    None => {
                        let committed = Committed {
                            offset: p.committed_offset,
                            leader_epoch: p.committed_leader_epoch,
                            metadata,
                            commit_ms: now_ms,
                        };
                        let k = key(&request.group_id, &topic.name, p.partition_index);
                        records.push((k, Some(value(&committed))));
                        commits.push(((topic.name.clone(), p.partition_index), committed));
                        code::NONE
                    }
                };
                partitions
                    .push(OffsetCommitResponsePartition { partition_index: p.partition_index, error_code });
            }
            topics.push(OffsetCommitResponseTopic { name: topic.name, partitions });
        }
        if !records.is_empty() {
            match self.append_internal(OFFSETS_TOPIC, &records) {
                Ok(()) => {
                    let group = self.groups.entry(request.group_id).or_insert_with(|| Group::new(now_ms));
                    group.offsets.extend(commits);
                }
                Err(_) => {
                    // Not stored, not committed: retriable for every client.
                    for p in topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
                        if p.error_code == code::NONE {
                            p.error_code = code::COORDINATOR_NOT_AVAILABLE;
                        }
                    }
                }
            }
        }
        self.reply(t, &OffsetCommitResponse { throttle_time_ms: 0, topics });
    }

    fn check_commit(&mut self, request: &OffsetCommitRequest) -> Result<(), i16> {
        let (name, generation) = (&request.group_id, request.generation_id_or_member_epoch);
        if generation < 0 && request.member_id.is_empty() {
            // A consumer that assigns partitions to itself: as long as nobody else is in the group.
            return match self.groups.get(name) {
                Some(group) if !group.members.is_empty() => Err(code::UNKNOWN_MEMBER_ID),
                None if name.len() > 1_024 => Err(code::INVALID_GROUP_ID),
                None if self.groups.len() >= self.config.max_groups => Err(code::COORDINATOR_NOT_AVAILABLE),
                _ => Ok(()),
            };
        }
        let now = self.now.monotonic_ms;
        // Kafka's word for a member of a group that is not there.
        if !self.groups.contains_key(name) {
            return Err(code::ILLEGAL_GENERATION);
        }
        let instance = request.group_instance_id.as_deref();
        let group = self.check_member(name, &request.member_id, instance, Some(generation))?;
        if group.state == State::Completing {
            return Err(code::REBALANCE_IN_PROGRESS);
        }
        // A commit shows that the member lives.
        if let Some(member) = group.members.get_mut(&request.member_id) {
            member.expires = now + member.session_timeout_ms;
        }
        Ok(())
    }

    pub(super) fn offset_fetch(&mut self, t: Ticket, request: OffsetFetchRequest) {
        let mut response = OffsetFetchResponse::default();
        if t.version >= 8 {
            for group in request.groups {
                let wanted =
                    group.topics.map(|ts| ts.into_iter().map(|x| (x.name, x.partition_indexes)).collect());
                let topics = self.committed(&group.group_id, wanted);
                let topics = topics
                    .into_iter()
                    .map(|(name, partitions)| OffsetFetchResponseTopics { name, partitions });
                let topics = topics.collect();
                response.groups.push(OffsetFetchResponseGroup {
                    group_id: group.group_id,
                    topics,
                    error_code: 0,
                });
            }
        } else {
            let wanted =
                request.topics.map(|ts| ts.into_iter().map(|x| (x.name, x.partition_indexes)).collect());
            for (name, partitions) in self.committed(&request.group_id, wanted) {
                let partitions = partitions
                    .into_iter()
                    .map(|p| OffsetFetchResponsePartition {
                        partition_index: p.partition_index,
                        committed_offset: p.committed_offset,
                        committed_leader_epoch: p.committed_leader_epoch,
                        metadata: p.metadata,
                        error_code: p.error_code,
                    })
                    .collect();
                response.topics.push(OffsetFetchResponseTopic { name, partitions });
            }
        }
        self.reply(t, &response);
    }

    /// What is committed for the wanted partitions (`None`: for all that have something). Nothing committed, or no such
    /// group: offset −1 and no error.
    fn committed(
        &self,
        group: &str,
        wanted: Option<Vec<(String, Vec<i32>)>>,
    ) -> Vec<(String, Vec<OffsetFetchResponsePartitions>)> {
        let group = self.groups.get(group);
        let show = |topic: &str, partition_index: i32| {
            let found = group.and_then(|g| g.offsets.get(&(topic.to_owned(), partition_index)));
            OffsetFetchResponsePartitions {
                partition_index,
                committed_offset: found.map_or(-1, |c| c.offset),
                committed_leader_epoch: found.map_or(-1, |c| c.leader_epoch),
                metadata: Some(found.map_or_else(String::new, |c| c.metadata.clone())),
                error_code: code::NONE,
            }
        };
        let wanted = wanted.unwrap_or_else(|| {
            let mut all: Vec<(String, Vec<i32>)> = Vec::new();
            for (topic, index) in group.into_iter().flat_map(|g| g.offsets.keys()) {
                match all.last_mut() {
                    Some((name, indexes)) if name == topic => indexes.push(*index),
                    _ => all.push((topic.clone(), vec![*index])),
                }
            }
            all
        });
        let topic = |(name, indexes): (String, Vec<i32>)| {
            let partitions = indexes.into_iter().map(|i| show(&name, i)).collect();
            (name, partitions)
        };
        wanted.into_iter().map(topic).collect()
    }

    pub(super) fn offset_delete(&mut self, t: Ticket, request: OffsetDeleteRequest) {
        let name = request.group_id;
        let error_code = if self.groups.contains_key(&name) { code::NONE } else { code::GROUP_ID_NOT_FOUND };
        if error_code != code::NONE {
            self.reply(t, &OffsetDeleteResponse { error_code, ..OffsetDeleteResponse::default() });
            return;
        }
        let subscribed = self.subscribed(&name);
        let mut records: Vec<Record> = Vec::new();
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for p in topic.partitions {
                let index = p.partition_index;
                let error_code = match &subscribed {
                    Subscribed::Unknown => code::GROUP_SUBSCRIBED_TO_TOPIC,
                    Subscribed::Topics(names) if names.contains(&topic.name) => {
                        code::GROUP_SUBSCRIBED_TO_TOPIC
                    }
                    _ if self.partition(&topic.name, index).is_none() => code::UNKNOWN_TOPIC_OR_PARTITION,
                    _ => {
                        records.push((key(&name, &topic.name, index), None));
                        if let Some(group) = self.groups.get_mut(&name) {
                            group.offsets.remove(&(topic.name.clone(), index));
                        }
                        code::NONE
                    }
                };
                partitions.push(OffsetDeleteResponsePartition { partition_index: index, error_code });
            }
            topics.push(OffsetDeleteResponseTopic { name: topic.name, partitions });
        }
        let error_code = self.append_tombstones(&records);
        self.reply(t, &OffsetDeleteResponse { error_code, throttle_time_ms: 0, topics });
    }

    fn append_tombstones(&mut self, records: &[Record]) -> i16 {
        if records.is_empty() {
            return code::NONE;
        }
        self.append_internal(OFFSETS_TOPIC, records)
            .err()
            .map_or(code::NONE, |_| code::COORDINATOR_NOT_AVAILABLE)
    }

    /// The topics that a group's members have subscribed to, as far as their metadata tells.
    fn subscribed(&self, name: &str) -> Subscribed {
        let Some(group) = self.groups.get(name).filter(|g| !g.members.is_empty()) else {
            return Subscribed::Topics(vec![]);
        };
        if group.protocol_type.as_deref() != Some("consumer") {
            return Subscribed::Unknown;
        }
        let mut names = Vec::new();
        for member in group.members.values() {
            for (_, metadata) in &member.protocols {
                // ConsumerProtocolSubscription: version i16, topics, user data.
                let r = &mut Reader::new(metadata.clone(), 0, false);
                match i16::read(r).and_then(|_| Vec::<String>::read(r)) {
                    Ok(topics) => names.extend(topics),
                    Err(_) => return Subscribed::Unknown,
                }
            }
        }
        Subscribed::Topics(names)
    }

    /// Removes an empty group with its offsets.
    pub(super) fn delete_group(&mut self, name: &str) -> i16 {
        let Some(group) = self.groups.get(name) else { return code::GROUP_ID_NOT_FOUND };
        let records: Vec<Record> =
            group.offsets.keys().map(|(topic, i)| (key(name, topic, *i), None)).collect();
        let error = self.append_tombstones(&records);
        if error == code::NONE {
            self.groups.remove(name);
        }
        error
    }

    /// A topic is gone: nobody's offsets in it mean anything any more.
    pub(super) fn forget_committed(&mut self, topic: &str) {
        let mut records: Vec<Record> = Vec::new();
        for (name, group) in &mut self.groups {
            group.offsets.retain(|(of, index), _| {
                let keep = of != topic;
                if !keep {
                    records.push((key(name, of, *index), None));
                }
                keep
            });
        }
        self.append_tombstones(&records);
    }

    /// Forgets offsets of groups that nobody has been in for the retention time (KIP-211).
    pub(super) fn expire_offsets(&mut self) {
        let (now_ms, retention) = (self.now.wall_ms, self.config.offsets_retention_ms);
        let mut records: Vec<Record> = Vec::new();
        for (name, group) in &mut self.groups {
            if !group.members.is_empty() {
                continue;
            }
            let since = group.empty_since_ms;
            group.offsets.retain(|(topic, index), c| {
                let keep = now_ms - c.commit_ms.max(since) < retention;
                if !keep {
                    records.push((key(name, topic, *index), None));
                }
                keep
            });
        }
        self.append_tombstones(&records);
        self.groups.retain(|_, g| !g.is_forgotten());
    }
}

enum Subscribed {
    Topics(Vec<String>),
    /// Not a protocol whose subscriptions can be read.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_kafkas() {
        let committed = Committed { offset: 7, leader_epoch: 0, metadata: "m".into(), commit_ms: 9 };
        let (k, v) = (key("g", "t", 3), value(&committed));
        assert_eq!(k, [0, 1, 0, 1, b'g', 0, 1, b't', 0, 0, 0, 3]);
        assert_eq!(v, [0, 3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 1, b'm', 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(decode(&k, &v), Some(("g".into(), "t".into(), 3, committed)));
        assert_eq!(decode(&k[..5], &v), None);
    }
}

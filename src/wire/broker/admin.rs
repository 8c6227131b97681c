//! CreateTopics, DeleteTopics, CreatePartitions, DeleteRecords, DescribeLogDirs.

use std::collections::HashSet;

use super::connection::Ticket;
use super::topics::{is_internal, store_error};
use super::{Broker, code};
use crate::wire::messages::topics::*;
use crate::wire::produce::Refused;

fn unknown(topic: &str) -> Refused {
    Refused::new(code::UNKNOWN_TOPIC_OR_PARTITION, format!("there is no topic '{topic}'"))
}

fn internal(topic: &str) -> Refused {
    Refused::new(code::INVALID_TOPIC_EXCEPTION, format!("'{topic}' belongs to the broker"))
}

/// Names that stand more than once in one request: Kafka refuses all of their entries.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> HashSet<String> {
    let mut seen = HashSet::new();
    names.filter(|name| !seen.insert(*name)).map(str::to_owned).collect()
}

impl Broker {
    pub(super) fn create_topics(&mut self, t: Ticket, request: CreateTopicsRequest) {
        let twice = repeated(request.topics.iter().map(|topic| topic.name.as_str()));
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let name = topic.name.clone();
            let result = if twice.contains(&name) {
                Err(Refused::new(code::INVALID_REQUEST, "the topic stands in the request twice"))
            } else {
                self.create_topic(topic, request.validate_only)
            };
            topics.push(match result {
                Ok(num_partitions) => {
                    let configs = self.store.options(&name).into_iter().map(|o| CreatableTopicConfigs {
                        name: o.name,
                        value: Some(o.value),
                        read_only: false,
                        config_source: if o.is_default { 5 } else { 1 },
                        is_sensitive: false,
                    });
                    CreatableTopicResult {
                        name,
                        num_partitions: num_partitions as i32,
                        replication_factor: 1,
                        configs: Some(configs.collect()),
                        ..CreatableTopicResult::default()
                    }
                }
                Err(refused) => CreatableTopicResult {
                    name,
                    error_code: refused.code,
                    error_message: Some(refused.message),
                    ..CreatableTopicResult::default()
                },
            });
        }
        self.reply(t, &CreateTopicsResponse { throttle_time_ms: 0, topics });
    }

    fn create_topic(&mut self, topic: CreatableTopic, validate_only: bool) -> Result<u32, Refused> {
        let partitions = match (topic.num_partitions, topic.assignments.len()) {
            (-1, 0) => self.config.default_partitions,
            (n, 0) => u32::try_from(n).unwrap_or(0),
            (-1, n) => n as u32,
            _ => {
                return Err(Refused::new(
                    code::INVALID_REQUEST,
                    "either a number of partitions or assignments",
                ));
            }
        };
        if topic.assignments.is_empty() && topic.replication_factor != -1 && topic.replication_factor != 1 {
            return Err(Refused::new(
                code::INVALID_REPLICATION_FACTOR,
                format!("replication factor {}: there is one broker, so it is 1", topic.replication_factor),
            ));
        }
        let node = self.config.node_id;
        if topic.assignments.iter().any(|a| a.broker_ids != [node]) {
            return Err(Refused::new(code::INVALID_REPLICA_ASSIGNMENT, format!("the only broker is {node}")));
        }
        let mut seen: Vec<i32> = topic.assignments.iter().map(|a| a.partition_index).collect();
        seen.sort_unstable();
        if !seen.iter().copied().eq(0..seen.len() as i32) {
            return Err(Refused::new(
                code::INVALID_REPLICA_ASSIGNMENT,
                "partitions count from 0 without gaps",
            ));
        }
        let mut options = Vec::with_capacity(topic.configs.len());
        for config in topic.configs {
            let value = config
                .value
                .ok_or_else(|| Refused::new(code::INVALID_CONFIG, format!("{} has no value", config.name)))?;
            options.push((config.name, value));
        }
        self.store.check_options(&options).map_err(|e| store_error(&e))?;
        if is_internal(&topic.name) {
            return Err(internal(&topic.name));
        }
        if validate_only {
            self.check_new_topic(&topic.name, partitions)?;
        } else {
            self.make_topic(&topic.name, partitions, &options)?;
        }
        Ok(partitions)
    }

    pub(super) fn delete_topics(&mut self, t: Ticket, request: DeleteTopicsRequest) {
        let mut responses = Vec::with_capacity(request.topic_names.len());
        for name in request.topic_names {
            let refused = self.delete_topic(&name).err();
            responses.push(DeletableTopicResult {
                name: Some(name),
                error_code: refused.as_ref().map_or(code::NONE, |r| r.code),
                error_message: refused.map(|r| r.message),
            });
        }
        self.reply(t, &DeleteTopicsResponse { throttle_time_ms: 0, responses });
    }

    fn delete_topic(&mut self, name: &str) -> Result<(), Refused> {
        if !self.has_topic(name) {
            return Err(unknown(name));
        }
        if is_internal(name) {
            return Err(internal(name));
        }
        self.store.delete_topic(name).map_err(|e| store_error(&e))?;
        let Some(topic) = self.topics.remove(name) else { return Ok(()) };
        self.forget_producers(name, topic.partitions.len() as u32);
        self.forget_committed(name);
        let waiting = topic.partitions.into_iter().flat_map(|p| p.fetches).collect();
        self.end_fetches(waiting);
        Ok(())
    }

    pub(super) fn create_partitions(&mut self, t: Ticket, request: CreatePartitionsRequest) {
        let twice = repeated(request.topics.iter().map(|topic| topic.name.as_str()));
        let mut results = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let name = topic.name.clone();
            let refused = if twice.contains(&name) {
                Some(Refused::new(code::INVALID_REQUEST, "the topic stands in the request twice"))
            } else {
                self.grow_topic(topic, request.validate_only).err()
            };
            results.push(CreatePartitionsTopicResult {
                name,
                error_code: refused.as_ref().map_or(code::NONE, |r| r.code),
                error_message: refused.map(|r| r.message),
            });
        }
        self.reply(t, &CreatePartitionsResponse { throttle_time_ms: 0, results });
    }

    fn grow_topic(&mut self, topic: CreatePartitionsTopic, validate_only: bool) -> Result<(), Refused> {
        self.has_topic(&topic.name);
        let have = self.topics.get(&topic.name).map(|t| t.partitions.len() as u32);
        let have = have.ok_or_else(|| unknown(&topic.name))?;
        if is_internal(&topic.name) {
            return Err(internal(&topic.name));
        }
        let wanted = u32::try_from(topic.count).unwrap_or(0);
        if wanted <= have {
            return Err(Refused::new(
                code::INVALID_PARTITIONS,
                format!("the topic has {have} partitions, which can only become more, not {}", topic.count),
            ));
        }
        self.check_partitions(wanted, wanted - have)?;
        let node = self.config.node_id;
        if let Some(assignments) = topic.assignments
            && (assignments.len() as u32 != wanted - have
                || assignments.iter().any(|a| a.broker_ids != [node]))
        {
            return Err(Refused::new(code::INVALID_REPLICA_ASSIGNMENT, format!("the only broker is {node}")));
        }
        if !validate_only {
            self.store.grow_topic(&topic.name, wanted).map_err(|e| store_error(&e))?;
            self.refresh_topics();
        }
        Ok(())
    }

    pub(super) fn delete_records(&mut self, t: Ticket, request: DeleteRecordsRequest) {
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for p in topic.partitions {
                let result = self.delete_before(&topic.name, p.partition_index, p.offset);
                let (error_code, low_watermark) = match result {
                    Ok(start) => (code::NONE, start),
                    Err(error) => (error, -1),
                };
                partitions.push(DeleteRecordsPartitionResult {
                    partition_index: p.partition_index,
                    low_watermark,
                    error_code,
                });
            }
            topics.push(DeleteRecordsTopicResult { name: topic.name, partitions });
        }
        self.reply(t, &DeleteRecordsResponse { throttle_time_ms: 0, topics });
    }

    fn delete_before(&mut self, topic: &str, index: i32, offset: i64) -> Result<i64, i16> {
        let number = u32::try_from(index).map_err(|_| code::UNKNOWN_TOPIC_OR_PARTITION)?;
        let offsets = self.store.offsets(topic, number).ok_or(code::UNKNOWN_TOPIC_OR_PARTITION)?;
        if is_internal(topic) {
            return Err(code::INVALID_TOPIC_EXCEPTION);
        }
        let offset = if offset == -1 { offsets.high_watermark } else { offset };
        if offset < 0 || offset > offsets.high_watermark {
            return Err(code::OFFSET_OUT_OF_RANGE);
        }
        self.store.delete_before(topic, number, offset).map_err(|e| store_error(&e).code)
    }

    pub(super) fn describe_log_dirs(&mut self, t: Ticket, request: DescribeLogDirsRequest) {
        let wanted: Vec<(String, Vec<i32>)> = match request.topics {
            Some(topics) => topics.into_iter().map(|topic| (topic.topic, topic.partitions)).collect(),
            None => {
                let all = |(name, topic): (&String, &super::topics::Topic)| {
                    (name.clone(), (0..topic.partitions.len() as i32).collect())
                };
                self.topics.iter().map(all).collect()
            }
        };
        let mut topics = Vec::new();
        for (name, indexes) in wanted {
            let partitions: Vec<_> = indexes
                .into_iter()
                .filter(|&i| u32::try_from(i).is_ok_and(|i| self.store.offsets(&name, i).is_some()))
                .map(|partition_index| DescribeLogDirsPartition {
                    partition_index,
                    partition_size: self.store.bytes(&name, partition_index as u32) as i64,
                    ..DescribeLogDirsPartition::default()
                })
                .collect();
            if !partitions.is_empty() {
                topics.push(DescribeLogDirsTopic { name, partitions });
            }
        }
        let log_dir = self.store.place();
        let results = vec![DescribeLogDirsResult { log_dir, topics, ..DescribeLogDirsResult::default() }];
        self.reply(t, &DescribeLogDirsResponse { results, ..DescribeLogDirsResponse::default() });
    }
}

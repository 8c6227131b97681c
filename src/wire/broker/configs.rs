//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs: the options of topics can be seen and changed, those of the
//! broker only seen.

use super::connection::Ticket;
use super::topics::store_error;
use super::{Broker, code};
use crate::wire::messages::configs::*;
use crate::wire::produce::Refused;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// Where a value comes from: DYNAMIC_TOPIC_CONFIG, STATIC_BROKER_CONFIG, DEFAULT_CONFIG.
const FROM_TOPIC: i8 = 1;
const FROM_BROKER: i8 = 4;
const FROM_DEFAULT: i8 = 5;

impl Broker {
    pub(super) fn describe_configs(&mut self, t: Ticket, request: DescribeConfigsRequest) {
        let mut results = Vec::with_capacity(request.resources.len());
        for resource in request.resources {
            let found = self.describe(&resource);
            let (error_code, error_message, configs) = match found {
                Ok(configs) => (code::NONE, None, configs),
                Err(refused) => (refused.code, Some(refused.message), vec![]),
            };
            results.push(DescribeConfigsResult {
                error_code,
                error_message,
                resource_type: resource.resource_type,
                resource_name: resource.resource_name,
                configs,
            });
        }
        self.reply(t, &DescribeConfigsResponse { throttle_time_ms: 0, results });
    }

    fn describe(
        &mut self,
        resource: &DescribeConfigsResource,
    ) -> Result<Vec<DescribeConfigsResourceResult>, Refused> {
        let name = &resource.resource_name;
        let all: Vec<(String, String, i8)> = match resource.resource_type {
            TOPIC => {
                if !self.has_topic(name) {
                    return Err(Refused::new(
                        code::UNKNOWN_TOPIC_OR_PARTITION,
                        format!("there is no topic '{name}'"),
                    ));
                }
                let options = self.store.options(name).into_iter();
                options
                    .map(|o| (o.name, o.value, if o.is_default { FROM_DEFAULT } else { FROM_TOPIC }))
                    .collect()
            }
            BROKER if name.is_empty() || *name == self.config.node_id.to_string() => self.broker_options(),
            BROKER => {
                return Err(Refused::new(code::INVALID_REQUEST, format!("there is no broker '{name}'")));
            }
            _ => return Err(Refused::new(code::INVALID_REQUEST, "only topics and brokers have options")),
        };
        let is_wanted = |key: &str| {
            resource.configuration_keys.as_ref().is_none_or(|keys| keys.iter().any(|wanted| wanted == key))
        };
        let show = |(name, value, config_source): (String, String, i8)| DescribeConfigsResourceResult {
            config_type: kind(&value),
            name,
            value: Some(value),
            read_only: resource.resource_type == BROKER,
            config_source,
            ..DescribeConfigsResourceResult::default()
        };
        Ok(all.into_iter().filter(|(key, ..)| is_wanted(key)).map(show).collect())
    }

    fn broker_options(&self) -> Vec<(String, String, i8)> {
        let c = &self.config;
        [
            ("auto.create.topics.enable", c.auto_create_topics.to_string()),
            ("broker.id", c.node_id.to_string()),
            ("fetch.max.bytes", c.max_fetch_bytes.to_string()),
            ("group.initial.rebalance.delay.ms", c.initial_rebalance_delay_ms.to_string()),
            ("group.max.session.timeout.ms", c.max_session_timeout_ms.to_string()),
            ("group.max.size", c.max_group_members.to_string()),
            ("group.min.session.timeout.ms", c.min_session_timeout_ms.to_string()),
            ("log.dirs", self.store.place()),
            ("num.partitions", c.default_partitions.to_string()),
            ("offset.metadata.max.bytes", c.max_offset_metadata_bytes.to_string()),
            ("offsets.retention.minutes", (c.offsets_retention_ms / 60_000).to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value, FROM_BROKER))
        .collect()
    }

    fn alter(
        &mut self,
        kind: i8,
        name: &str,
        changes: &[(String, Option<String>)],
        dry: bool,
    ) -> Result<(), Refused> {
        if kind != TOPIC {
            return Err(Refused::new(code::INVALID_REQUEST, "only the options of topics can be changed"));
        }
        if !self.has_topic(name) {
            return Err(Refused::new(
                code::UNKNOWN_TOPIC_OR_PARTITION,
                format!("there is no topic '{name}'"),
            ));
        }
        let set: Vec<_> = changes.iter().filter_map(|(k, v)| Some((k.clone(), v.clone()?))).collect();
        self.store.check_options(&set).map_err(|e| store_error(&e))?;
        if !dry {
            self.store.set_options(name, changes).map_err(|e| store_error(&e))?;
            self.refresh_options(name);
        }
        Ok(())
    }

    /// Replaces all options of a topic: what is not named goes back to its default.
    pub(super) fn alter_configs(&mut self, t: Ticket, request: AlterConfigsRequest) {
        let mut responses = Vec::with_capacity(request.resources.len());
        for resource in request.resources {
            let mut changes: Vec<_> = resource.configs.into_iter().map(|c| (c.name, c.value)).collect();
            for option in self.store.options(&resource.resource_name) {
                if !option.is_default && changes.iter().all(|(name, _)| *name != option.name) {
                    changes.push((option.name, None));
                }
            }
            let result =
                self.alter(resource.resource_type, &resource.resource_name, &changes, request.validate_only);
            responses.push(response(result, resource.resource_type, resource.resource_name));
        }
        self.reply(t, &AlterConfigsResponse { throttle_time_ms: 0, responses });
    }

    pub(super) fn incremental_alter_configs(&mut self, t: Ticket, request: IncrementalAlterConfigsRequest) {
        let mut responses = Vec::with_capacity(request.resources.len());
        for resource in request.resources {
            let changes = self.changes(&resource);
            let result = changes.and_then(|changes| {
                self.alter(resource.resource_type, &resource.resource_name, &changes, request.validate_only)
            });
            responses.push(response(result, resource.resource_type, resource.resource_name));
        }
        self.reply(t, &IncrementalAlterConfigsResponse { throttle_time_ms: 0, responses });
    }

    /// Set, delete, append to and subtract from a list (KIP-339).
    fn changes(&mut self, resource: &IncrementalResource) -> Result<Vec<(String, Option<String>)>, Refused> {
        let options = self.store.options(&resource.resource_name);
        let mut changes = Vec::with_capacity(resource.configs.len());
        for config in &resource.configs {
            let current = options.iter().find(|o| o.name == config.name).map_or("", |o| o.value.as_str());
            let mut list: Vec<&str> = current.split(',').filter(|part| !part.is_empty()).collect();
            let given = config.value.as_deref().unwrap_or("");
            let value = match config.config_operation {
                0 => Some(given.to_owned()),
                1 => None,
                2 => {
                    list.extend(
                        given.split(',').filter(|part| !current.split(',').any(|have| have == *part)),
                    );
                    Some(list.join(","))
                }
                3 => {
                    list.retain(|have| !given.split(',').any(|part| part == *have));
                    Some(list.join(","))
                }
                other => {
                    return Err(Refused::new(code::INVALID_REQUEST, format!("unknown operation {other}")));
                }
            };
            changes.push((config.name.clone(), value));
        }
        Ok(changes)
    }
}

/// BOOLEAN, STRING, INT or LONG, LIST as far as the value shows it.
fn kind(value: &str) -> i8 {
    match value {
        "true" | "false" => 1,
        _ if value.parse::<i64>().is_ok() => 5,
        _ => 2,
    }
}

fn response(
    result: Result<(), Refused>,
    resource_type: i8,
    resource_name: String,
) -> AlterConfigsResourceResponse {
    let refused = result.err();
    AlterConfigsResourceResponse {
        error_code: refused.as_ref().map_or(code::NONE, |r| r.code),
        error_message: refused.map(|r| r.message),
        resource_type,
        resource_name,
    }
}

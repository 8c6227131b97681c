//! ApiVersions, Metadata, DescribeCluster, FindCoordinator: who serves what, and where.

use super::connection::Ticket;
use super::topics::is_internal;
use super::{Broker, code};
use crate::wire::api::APIS;
use crate::wire::messages::cluster::*;
use crate::wire::produce::Refused;

impl Broker {
    pub(super) fn api_versions(&mut self, t: Ticket) {
        self.api_versions_with(t, code::NONE);
    }

    pub(super) fn api_versions_with(&mut self, t: Ticket, error_code: i16) {
        let line = |api: &crate::wire::api::Api| ApiVersion {
            api_key: api.key as i16,
            min_version: api.advertised_from,
            max_version: api.max,
        };
        let api_keys = APIS.iter().map(line).collect();
        self.reply(t, &ApiVersionsResponse { error_code, api_keys, throttle_time_ms: 0 });
    }

    /// Host and port that this client is to use.
    fn advertised(&self, t: Ticket) -> (String, i32) {
        let (host, port) =
            self.connections.get(&t.connection).map_or_else(Default::default, |c| c.peer.advertised.clone());
        (host, i32::from(port))
    }

    pub(super) fn metadata(&mut self, t: Ticket, request: MetadataRequest) {
        let may_create = self.config.auto_create_topics && request.allow_auto_topic_creation;
        // Null is all topics; so was an empty list in version 0.
        let names: Option<Vec<String>> = match request.topics {
            Some(topics) if t.version > 0 || !topics.is_empty() => {
                Some(topics.into_iter().filter_map(|topic| topic.name).collect())
            }
            _ => None,
        };
        let topics = match names {
            None => {
                self.refresh_topics();
                let all: Vec<String> = self.topics.keys().cloned().collect();
                all.iter().map(|name| self.topic_metadata(name, code::NONE)).collect()
            }
            Some(names) => names
                .iter()
                .map(|name| {
                    let error = self.find_or_make(name, may_create).err().map_or(code::NONE, |e| e.code);
                    self.topic_metadata(name, error)
                })
                .collect(),
        };
        let (host, port) = self.advertised(t);
        let node_id = self.config.node_id;
        let response = MetadataResponse {
            throttle_time_ms: 0,
            brokers: vec![MetadataResponseBroker { node_id, host, port, rack: None }],
            cluster_id: Some(self.config.cluster_id.clone()),
            controller_id: node_id,
            topics,
            ..MetadataResponse::default()
        };
        self.reply(t, &response);
    }

    fn find_or_make(&mut self, name: &str, may_create: bool) -> Result<(), Refused> {
        if self.has_topic(name) {
            return Ok(());
        }
        if !may_create || is_internal(name) {
            let number = if super::topics::is_valid_name(name) {
                code::UNKNOWN_TOPIC_OR_PARTITION
            } else {
                code::INVALID_TOPIC_EXCEPTION
            };
            return Err(Refused::new(number, "no such topic"));
        }
        self.make_topic(name, self.config.default_partitions, &[])
    }

    fn topic_metadata(&self, name: &str, error_code: i16) -> MetadataResponseTopic {
        let node = self.config.node_id;
        let partitions = match self.topics.get(name) {
            Some(topic) if error_code == code::NONE => (0..topic.partitions.len() as i32)
                .map(|partition_index| MetadataResponsePartition {
                    error_code: code::NONE,
                    partition_index,
                    leader_id: node,
                    leader_epoch: 0,
                    replica_nodes: vec![node],
                    isr_nodes: vec![node],
                    offline_replicas: vec![],
                })
                .collect(),
            _ => vec![],
        };
        MetadataResponseTopic {
            error_code,
            name: Some(name.into()),
            is_internal: is_internal(name),
            partitions,
            ..MetadataResponseTopic::default()
        }
    }

    pub(super) fn describe_cluster(&mut self, t: Ticket, request: DescribeClusterRequest) {
        let (host, port) = self.advertised(t);
        let broker_id = self.config.node_id;
        let is_brokers = request.endpoint_type == 1;
        let brokers = vec![DescribeClusterBroker { broker_id, host, port, rack: None }];
        let response = DescribeClusterResponse {
            // 115: UNSUPPORTED_ENDPOINT_TYPE. There are no controllers to talk to.
            error_code: if is_brokers { code::NONE } else { 115 },
            error_message: (!is_brokers).then(|| "only brokers can be described".into()),
            endpoint_type: request.endpoint_type,
            cluster_id: self.config.cluster_id.clone(),
            controller_id: broker_id,
            brokers: if is_brokers { brokers } else { vec![] },
            ..DescribeClusterResponse::default()
        };
        self.reply(t, &response);
    }

    pub(super) fn find_coordinator(&mut self, t: Ticket, request: FindCoordinatorRequest) {
        let (host, port) = self.advertised(t);
        let node_id = self.config.node_id;
        // 0 is a group; 1 a transaction, 2 a share group: neither is offered.
        let (error_code, error_message) = match request.key_type {
            0 => (code::NONE, None),
            1 => {
                (code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, Some("transactions are not offered".to_owned()))
            }
            _ => (code::INVALID_REQUEST, Some("only groups have a coordinator".to_owned())),
        };
        let coordinator = |key: String| Coordinator {
            key,
            node_id,
            host: host.clone(),
            port,
            error_code,
            error_message: error_message.clone(),
        };
        let coordinators = request.coordinator_keys.into_iter().map(coordinator).collect();
        let response = FindCoordinatorResponse {
            throttle_time_ms: 0,
            error_code,
            error_message: error_message.clone(),
            node_id,
            host: host.clone(),
            port,
            coordinators,
        };
        self.reply(t, &response);
    }
}

//! Messages about the broker itself: which APIs and versions, which topics where, who coordinates a group.

use super::NO_OPERATIONS;
use crate::wire::message::messages;

messages! {
    /// Versions 0 to 4.
    struct ApiVersionsRequest {
        /// The name of the client.
        client_software_name: String = 3;
        /// The version of the client.
        client_software_version: String = 3;
    }

    /// Versions 0 to 4.
    struct ApiVersionsResponse {
        /// The top-level error code.
        error_code: i16 = 0;
        /// The APIs supported by the broker.
        api_keys: Vec<ApiVersion> = 0;
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 1;
    }

    struct ApiVersion {
        /// The API index.
        api_key: i16 = 0;
        /// The minimum supported version, inclusive.
        min_version: i16 = 0;
        /// The maximum supported version, inclusive.
        max_version: i16 = 0;
    }

    /// Versions 0 to 9.
    struct MetadataRequest {
        /// The topics to fetch metadata for.
        topics: Option<Vec<MetadataRequestTopic>> = 0;
        /// If this is true, the broker may auto-create topics that we requested which do not …
        allow_auto_topic_creation: bool = 4 else true;
        /// Whether to include cluster authorized operations.
        include_cluster_authorized_operations: bool = 8;
        /// Whether to include topic authorized operations.
        include_topic_authorized_operations: bool = 8;
    }

    struct MetadataRequestTopic {
        /// The topic name.
        name: Option<String> = 0;
    }

    /// Versions 0 to 9.
    struct MetadataResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 3;
        /// A list of brokers present in the cluster.
        brokers: Vec<MetadataResponseBroker> = 0;
        /// The cluster ID that responding broker belongs to.
        cluster_id: Option<String> = 2;
        /// The ID of the controller broker.
        controller_id: i32 = 1 else -1;
        /// Each topic in the response.
        topics: Vec<MetadataResponseTopic> = 0;
        /// 32-bit bitfield to represent authorized operations for this cluster.
        cluster_authorized_operations: i32 = 8 else NO_OPERATIONS;
    }

    struct MetadataResponseBroker {
        /// The broker ID.
        node_id: i32 = 0;
        /// The broker hostname.
        host: String = 0;
        /// The broker port.
        port: i32 = 0;
        /// The rack of the broker, or null if it has not been assigned to a rack.
        rack: Option<String> = 1;
    }

    struct MetadataResponseTopic {
        /// The topic error, or 0 if there was no error.
        error_code: i16 = 0;
        /// The topic name.
        name: Option<String> = 0;
        /// True if the topic is internal.
        is_internal: bool = 1;
        /// Each partition in the topic.
        partitions: Vec<MetadataResponsePartition> = 0;
        /// 32-bit bitfield to represent authorized operations for this topic.
        topic_authorized_operations: i32 = 8 else NO_OPERATIONS;
    }

    struct MetadataResponsePartition {
        /// The partition error, or 0 if there was no error.
        error_code: i16 = 0;
        /// The partition index.
        partition_index: i32 = 0;
        /// The ID of the leader broker.
        leader_id: i32 = 0;
        /// The leader epoch of this partition.
        leader_epoch: i32 = 7 else -1;
        /// The set of all nodes that host this partition.
        replica_nodes: Vec<i32> = 0;
        /// The set of nodes that are in sync with the leader for this partition.
        isr_nodes: Vec<i32> = 0;
        /// The set of offline replicas of this partition.
        offline_replicas: Vec<i32> = 5;
    }

    /// Versions 0 to 1.
    struct DescribeClusterRequest {
        /// Whether to include cluster authorized operations.
        include_cluster_authorized_operations: bool = 0;
        /// The endpoint type to describe. 1=brokers, 2=controllers.
        endpoint_type: i8 = 1 else 1;
    }

    /// Versions 0 to 1.
    struct DescribeClusterResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The top-level error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// The top-level error message, or null if there was no error.
        error_message: Option<String> = 0;
        /// The endpoint type that was described. 1=brokers, 2=controllers.
        endpoint_type: i8 = 1 else 1;
        /// The cluster ID that responding broker belongs to.
        cluster_id: String = 0;
        /// The ID of the controller broker.
        controller_id: i32 = 0 else -1;
        /// Each broker in the response.
        brokers: Vec<DescribeClusterBroker> = 0;
        /// 32-bit bitfield to represent authorized operations for this cluster.
        cluster_authorized_operations: i32 = 0 else NO_OPERATIONS;
    }

    struct DescribeClusterBroker {
        /// The broker ID.
        broker_id: i32 = 0;
        /// The broker hostname.
        host: String = 0;
        /// The broker port.
        port: i32 = 0;
        /// The rack of the broker, or null if it has not been assigned to a rack.
        rack: Option<String> = 0;
    }

    /// Versions 0 to 4.
    struct FindCoordinatorRequest {
        /// The coordinator key.
        key: String = 0 to 3;
        /// The coordinator key type. (group, transaction, share).
        key_type: i8 = 1;
        /// The coordinator keys.
        coordinator_keys: Vec<String> = 4;
    }

    /// Versions 0 to 4.
    struct FindCoordinatorResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 1;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0 to 3;
        /// The error message, or null if there was no error.
        error_message: Option<String> = 1 to 3;
        /// The node id.
        node_id: i32 = 0 to 3;
        /// The host name.
        host: String = 0 to 3;
        /// The port.
        port: i32 = 0 to 3;
        /// Each coordinator result in the response.
        coordinators: Vec<Coordinator> = 4;
    }

    struct Coordinator {
        /// The coordinator key.
        key: String = 4;
        /// The node id.
        node_id: i32 = 4;
        /// The host name.
        host: String = 4;
        /// The port.
        port: i32 = 4;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 4;
        /// The error message, or null if there was no error.
        error_message: Option<String> = 4;
    }
}

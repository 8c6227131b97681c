//! Messages that make, grow, shorten and remove topics.

use crate::wire::message::messages;

messages! {
    /// Versions 2 to 6.
    struct CreateTopicsRequest {
        /// The topics to create.
        topics: Vec<CreatableTopic> = 0;
        /// How long to wait in milliseconds before timing out the request.
        timeout_ms: i32 = 0 else 60000;
        /// If true, check that the topics can be created as specified, but don't create anything.
        validate_only: bool = 0;
    }

    struct CreatableTopic {
        /// The topic name.
        name: String = 0;
        /// The number of partitions to create in the topic, or -1 if we are either specifying a …
        num_partitions: i32 = 0;
        /// The number of replicas to create for each partition in the topic, or -1 if we are …
        replication_factor: i16 = 0;
        /// The manual partition assignment, or the empty array if we are using automatic …
        assignments: Vec<CreatableReplicaAssignment> = 0;
        /// The custom topic configurations to set.
        configs: Vec<CreatableTopicConfig> = 0;
    }

    struct CreatableReplicaAssignment {
        /// The partition index.
        partition_index: i32 = 0;
        /// The brokers to place the partition on.
        broker_ids: Vec<i32> = 0;
    }

    struct CreatableTopicConfig {
        /// The configuration name.
        name: String = 0;
        /// The configuration value.
        value: Option<String> = 0;
    }

    /// Versions 2 to 6.
    struct CreateTopicsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// Results for each topic we tried to create.
        topics: Vec<CreatableTopicResult> = 0;
    }

    struct CreatableTopicResult {
        /// The topic name.
        name: String = 0;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// The error message, or null if there was no error.
        error_message: Option<String> = 0;
        /// Number of partitions of the topic.
        num_partitions: i32 = 5 else -1;
        /// Replication factor of the topic.
        replication_factor: i16 = 5 else -1;
        /// Configuration of the topic.
        configs: Option<Vec<CreatableTopicConfigs>> = 5;
    }

    struct CreatableTopicConfigs {
        /// The configuration name.
        name: String = 5;
        /// The configuration value.
        value: Option<String> = 5;
        /// True if the configuration is read-only.
        read_only: bool = 5;
        /// The configuration source.
        config_source: i8 = 5 else -1;
        /// True if this configuration is sensitive.
        is_sensitive: bool = 5;
    }

    /// Versions 1 to 5.
    struct DeleteTopicsRequest {
        /// The names of the topics to delete.
        topic_names: Vec<String> = 0;
        /// The length of time in milliseconds to wait for the deletions to complete.
        timeout_ms: i32 = 0;
    }

    /// Versions 1 to 5.
    struct DeleteTopicsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The results for each topic we tried to delete.
        responses: Vec<DeletableTopicResult> = 0;
    }

    struct DeletableTopicResult {
        /// The topic name.
        name: Option<String> = 0;
        /// The deletion error, or 0 if the deletion succeeded.
        error_code: i16 = 0;
        /// The error message, or null if there was no error.
        error_message: Option<String> = 5;
    }

    /// Versions 0 to 3.
    struct CreatePartitionsRequest {
        /// Each topic that we want to create new partitions inside.
        topics: Vec<CreatePartitionsTopic> = 0;
        /// The time in ms to wait for the partitions to be created.
        timeout_ms: i32 = 0;
        /// If true, then validate the request, but don't actually increase the number of …
        validate_only: bool = 0;
    }

    struct CreatePartitionsTopic {
        /// The topic name.
        name: String = 0;
        /// The new partition count.
        count: i32 = 0;
        /// The new partition assignments.
        assignments: Option<Vec<CreatePartitionsAssignment>> = 0;
    }

    struct CreatePartitionsAssignment {
        /// The assigned broker IDs.
        broker_ids: Vec<i32> = 0;
    }

    /// Versions 0 to 3.
    struct CreatePartitionsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The partition creation results for each topic.
        results: Vec<CreatePartitionsTopicResult> = 0;
    }

    struct CreatePartitionsTopicResult {
        /// The topic name.
        name: String = 0;
        /// The result error, or zero if there was no error.
        error_code: i16 = 0;
        /// The result message, or null if there was no error.
        error_message: Option<String> = 0;
    }

    /// Versions 0 to 2.
    struct DeleteRecordsRequest {
        /// Each topic that we want to delete records from.
        topics: Vec<DeleteRecordsTopic> = 0;
        /// How long to wait for the deletion to complete, in milliseconds.
        timeout_ms: i32 = 0;
    }

    struct DeleteRecordsTopic {
        /// The topic name.
        name: String = 0;
        /// Each partition that we want to delete records from.
        partitions: Vec<DeleteRecordsPartition> = 0;
    }

    struct DeleteRecordsPartition {
        /// The partition index.
        partition_index: i32 = 0;
        /// The deletion offset.
        offset: i64 = 0;
    }

    /// Versions 0 to 2.
    struct DeleteRecordsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// Each topic that we wanted to delete records from.
        topics: Vec<DeleteRecordsTopicResult> = 0;
    }

    struct DeleteRecordsTopicResult {
        /// The topic name.
        name: String = 0;
        /// Each partition that we wanted to delete records from.
        partitions: Vec<DeleteRecordsPartitionResult> = 0;
    }

    struct DeleteRecordsPartitionResult {
        /// The partition index.
        partition_index: i32 = 0;
        /// The partition low water mark.
        low_watermark: i64 = 0;
        /// The deletion error code, or 0 if the deletion succeeded.
        error_code: i16 = 0;
    }

    /// Versions 1 to 4.
    struct DescribeLogDirsRequest {
        /// Each topic that we want to describe log directories for, or null for all topics.
        topics: Option<Vec<DescribableLogDirTopic>> = 0;
    }

    struct DescribableLogDirTopic {
        /// The topic name.
        topic: String = 0;
        /// The partition indexes.
        partitions: Vec<i32> = 0;
    }

    /// Versions 1 to 4.
    struct DescribeLogDirsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 3;
        /// The log directories.
        results: Vec<DescribeLogDirsResult> = 0;
    }

    struct DescribeLogDirsResult {
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// The absolute log directory path.
        log_dir: String = 0;
        /// The topics.
        topics: Vec<DescribeLogDirsTopic> = 0;
        /// The total size in bytes of the volume the log directory is in.
        total_bytes: i64 = 4 else -1;
        /// The usable size in bytes of the volume the log directory is in.
        usable_bytes: i64 = 4 else -1;
    }

    struct DescribeLogDirsTopic {
        /// The topic name.
        name: String = 0;
        /// The partitions.
        partitions: Vec<DescribeLogDirsPartition> = 0;
    }

    struct DescribeLogDirsPartition {
        /// The partition index.
        partition_index: i32 = 0;
        /// The size of the log segments in this partition in bytes.
        partition_size: i64 = 0;
        /// How far a follower is behind: always 0.
        offset_lag: i64 = 0;
        /// True if this log is created by AlterReplicaLogDirsRequest and will replace the …
        is_future_key: bool = 0;
    }
}

//! Messages about offsets: of partitions (by time, by epoch) and of consumer groups (commit, fetch, delete).

use crate::wire::message::messages;

messages! {
    /// Versions 1 to 8.
    struct ListOffsetsRequest {
        /// The broker ID of the requester, or -1 if this request is being made by a normal …
        replica_id: i32 = 0;
        /// This setting controls the visibility of transactional records.
        isolation_level: i8 = 2;
        /// Each topic in the request.
        topics: Vec<ListOffsetsTopic> = 0;
    }

    struct ListOffsetsTopic {
        /// The topic name.
        name: String = 0;
        /// Each partition in the request.
        partitions: Vec<ListOffsetsPartition> = 0;
    }

    struct ListOffsetsPartition {
        /// The partition index.
        partition_index: i32 = 0;
        /// The current leader epoch.
        current_leader_epoch: i32 = 4 else -1;
        /// The current timestamp.
        timestamp: i64 = 0;
    }

    /// Versions 1 to 8.
    struct ListOffsetsResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 2;
        /// Each topic in the response.
        topics: Vec<ListOffsetsTopicResponse> = 0;
    }

    struct ListOffsetsTopicResponse {
        /// The topic name.
        name: String = 0;
        /// Each partition in the response.
        partitions: Vec<ListOffsetsPartitionResponse> = 0;
    }

    struct ListOffsetsPartitionResponse {
        /// The partition index.
        partition_index: i32 = 0;
        /// The partition error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// The timestamp associated with the returned offset.
        timestamp: i64 = 0 else -1;
        /// The returned offset.
        offset: i64 = 0 else -1;
        /// The leader epoch associated with the returned offset.
        leader_epoch: i32 = 4 else -1;
    }

    /// Versions 2 to 4.
    struct OffsetForLeaderEpochRequest {
        /// The broker ID of the follower, of -1 if this request is from a consumer.
        replica_id: i32 = 3 else -2;
        /// Each topic to get offsets for.
        topics: Vec<OffsetForLeaderTopic> = 0;
    }

    struct OffsetForLeaderTopic {
        /// The topic name.
        topic: String = 0;
        /// Each partition to get offsets for.
        partitions: Vec<OffsetForLeaderPartition> = 0;
    }

    struct OffsetForLeaderPartition {
        /// The partition index.
        partition: i32 = 0;
        /// An epoch used to fence consumers/replicas with old metadata.
        current_leader_epoch: i32 = 0 else -1;
        /// The epoch to look up an offset for.
        leader_epoch: i32 = 0;
    }

    /// Versions 2 to 4.
    struct OffsetForLeaderEpochResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// Each topic we fetched offsets for.
        topics: Vec<OffsetForLeaderTopicResult> = 0;
    }

    struct OffsetForLeaderTopicResult {
        /// The topic name.
        topic: String = 0;
        /// Each partition in the topic we fetched offsets for.
        partitions: Vec<EpochEndOffset> = 0;
    }

    struct EpochEndOffset {
        /// The error code 0, or if there was no error.
        error_code: i16 = 0;
        /// The partition index.
        partition: i32 = 0;
        /// The leader epoch of the partition.
        leader_epoch: i32 = 0 else -1;
        /// The end offset of the epoch.
        end_offset: i64 = 0 else -1;
    }

    /// Versions 2 to 9.
    struct OffsetCommitRequest {
        /// The unique group identifier.
        group_id: String = 0;
        /// The generation of the group if using the classic group protocol or the member epoch …
        generation_id_or_member_epoch: i32 = 0 else -1;
        /// The member ID assigned by the group coordinator.
        member_id: String = 0;
        /// The unique identifier of the consumer instance provided by end user.
        group_instance_id: Option<String> = 7;
        /// The time period in ms to retain the offset.
        retention_time_ms: i64 = 0 to 4 else -1;
        /// The topics to commit offsets for.
        topics: Vec<OffsetCommitRequestTopic> = 0;
    }

    struct OffsetCommitRequestTopic {
        /// The topic name.
        name: String = 0;
        /// Each partition to commit offsets for.
        partitions: Vec<OffsetCommitRequestPartition> = 0;
    }

    struct OffsetCommitRequestPartition {
        /// The partition index.
        partition_index: i32 = 0;
        /// The message offset to be committed.
        committed_offset: i64 = 0;
        /// The leader epoch of this partition.
        committed_leader_epoch: i32 = 6 else -1;
        /// Any associated metadata the client wants to keep.
        committed_metadata: Option<String> = 0;
    }

    /// Versions 2 to 9.
    struct OffsetCommitResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 3;
        /// The responses for each topic.
        topics: Vec<OffsetCommitResponseTopic> = 0;
    }

    struct OffsetCommitResponseTopic {
        /// The topic name.
        name: String = 0;
        /// The responses for each partition in the topic.
        partitions: Vec<OffsetCommitResponsePartition> = 0;
    }

    struct OffsetCommitResponsePartition {
        /// The partition index.
        partition_index: i32 = 0;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
    }

    /// Versions 1 to 9.
    struct OffsetFetchRequest {
        /// The group to fetch offsets for.
        group_id: String = 0 to 7;
        /// Each topic we would like to fetch offsets for, or null to fetch offsets for all topics.
        topics: Option<Vec<OffsetFetchRequestTopic>> = 0 to 7;
        /// Each group we would like to fetch offsets for.
        groups: Vec<OffsetFetchRequestGroup> = 8;
        /// Whether broker should hold on returning unstable offsets but set a retriable error …
        require_stable: bool = 7;
    }

    struct OffsetFetchRequestTopic {
        /// The topic name.
        name: String = 0 to 7;
        /// The partition indexes we would like to fetch offsets for.
        partition_indexes: Vec<i32> = 0 to 7;
    }

    struct OffsetFetchRequestGroup {
        /// The group ID.
        group_id: String = 8;
        /// The member id.
        member_id: Option<String> = 9;
        /// The member epoch if using the new consumer protocol (KIP-848).
        member_epoch: i32 = 9 else -1;
        /// Each topic we would like to fetch offsets for, or null to fetch offsets for all topics.
        topics: Option<Vec<OffsetFetchRequestTopics>> = 8;
    }

    struct OffsetFetchRequestTopics {
        /// The topic name.
        name: String = 8;
        /// The partition indexes we would like to fetch offsets for.
        partition_indexes: Vec<i32> = 8;
    }

    /// Versions 1 to 9.
    struct OffsetFetchResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 3;
        /// The responses per topic.
        topics: Vec<OffsetFetchResponseTopic> = 0 to 7;
        /// The top-level error code, or 0 if there was no error.
        error_code: i16 = 2 to 7;
        /// The responses per group id.
        groups: Vec<OffsetFetchResponseGroup> = 8;
    }

    struct OffsetFetchResponseTopic {
        /// The topic name.
        name: String = 0 to 7;
        /// The responses per partition.
        partitions: Vec<OffsetFetchResponsePartition> = 0 to 7;
    }

    struct OffsetFetchResponseGroup {
        /// The group ID.
        group_id: String = 8;
        /// The responses per topic.
        topics: Vec<OffsetFetchResponseTopics> = 8;
        /// The group-level error code, or 0 if there was no error.
        error_code: i16 = 8;
    }

    struct OffsetFetchResponsePartition {
        /// The partition index.
        partition_index: i32 = 0 to 7;
        /// The committed message offset.
        committed_offset: i64 = 0 to 7;
        /// The leader epoch.
        committed_leader_epoch: i32 = 5 to 7 else -1;
        /// The partition metadata.
        metadata: Option<String> = 0 to 7;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0 to 7;
    }

    struct OffsetFetchResponseTopics {
        /// The topic name.
        name: String = 8;
        /// The responses per partition.
        partitions: Vec<OffsetFetchResponsePartitions> = 8;
    }

    struct OffsetFetchResponsePartitions {
        /// The partition index.
        partition_index: i32 = 8;
        /// The committed message offset.
        committed_offset: i64 = 8;
        /// The leader epoch.
        committed_leader_epoch: i32 = 8 else -1;
        /// The partition metadata.
        metadata: Option<String> = 8;
        /// The partition-level error code, or 0 if there was no error.
        error_code: i16 = 8;
    }

    /// Versions 0 to 0.
    struct OffsetDeleteRequest {
        /// The unique group identifier.
        group_id: String = 0;
        /// The topics to delete offsets for.
        topics: Vec<OffsetDeleteRequestTopic> = 0;
    }

    struct OffsetDeleteRequestTopic {
        /// The topic name.
        name: String = 0;
        /// Each partition to delete offsets for.
        partitions: Vec<OffsetDeleteRequestPartition> = 0;
    }

    struct OffsetDeleteRequestPartition {
        /// The partition index.
        partition_index: i32 = 0;
    }

    /// Versions 0 to 0.
    struct OffsetDeleteResponse {
        /// The top-level error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The responses for each topic.
        topics: Vec<OffsetDeleteResponseTopic> = 0;
    }

    struct OffsetDeleteResponseTopic {
        /// The topic name.
        name: String = 0;
        /// The responses for each partition in the topic.
        partitions: Vec<OffsetDeleteResponsePartition> = 0;
    }

    struct OffsetDeleteResponsePartition {
        /// The partition index.
        partition_index: i32 = 0;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
    }
}

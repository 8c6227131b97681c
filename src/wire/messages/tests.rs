//! Every control message, in every version that is served, is byte for byte what an independent implementation (the
//! `kafka-protocol` crate, generated from Kafka's definitions) reads and writes.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable};

use super::*;
use crate::wire::api::{Api, ApiKey};
use crate::wire::codec::{Reader, Sample, Wire, Writer};

const SAMPLES: u64 = 60;

/// Ours → bytes → theirs → bytes → ours: both bytes are the same, and so is what is read back from them.
fn compare<O, T>(key: ApiKey, what: &str)
where
    O: Wire + Sample + PartialEq + std::fmt::Debug,
    T: Decodable + Encodable + std::fmt::Debug,
{
    let api = Api::find(key as i16).unwrap();
    let mut state = key as u64 + 1;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for version in api.min..=api.max {
        // Null is not allowed everywhere that the type can hold it: what they refuse is not compared, but enough must be.
        let mut compared = 0;
        for _ in 0..SAMPLES {
            let message = O::sample(&mut random);
            let mut w = Writer::new(version, api.is_flexible(version));
            message.write(&mut w);
            let ours = w.out;
            let mut buffer = Bytes::from(ours.clone());
            let Ok(read) = T::decode(&mut buffer, version) else { continue };
            assert!(buffer.is_empty(), "{what} {version}: they leave {} bytes of {message:?}", buffer.len());
            let mut written = BytesMut::new();
            read.encode(&mut written, version).unwrap();
            assert_eq!(ours, written, "{what} {version}: {message:?} is for them {read:?}");
            let mut r = Reader::new(written.freeze(), version, api.is_flexible(version));
            let again = O::read(&mut r).unwrap();
            let mut w = Writer::new(version, api.is_flexible(version));
            again.write(&mut w);
            assert_eq!((r.remaining(), w.out), (0, ours), "{what} {version}: {message:?}");
            compared += 1;
        }
        assert!(compared >= 3, "{what} {version}: only {compared} samples could be compared");
    }
}

#[test]
fn messages_are_those_of_an_independent_implementation() {
    compare::<cluster::ApiVersionsRequest, theirs::ApiVersionsRequest>(
        ApiKey::ApiVersions,
        "ApiVersionsRequest",
    );
    compare::<cluster::ApiVersionsResponse, theirs::ApiVersionsResponse>(
        ApiKey::ApiVersions,
        "ApiVersionsResponse",
    );
    compare::<cluster::MetadataRequest, theirs::MetadataRequest>(ApiKey::Metadata, "MetadataRequest");
    compare::<cluster::MetadataResponse, theirs::MetadataResponse>(ApiKey::Metadata, "MetadataResponse");
    compare::<cluster::DescribeClusterRequest, theirs::DescribeClusterRequest>(
        ApiKey::DescribeCluster,
        "DescribeClusterRequest",
    );
    compare::<cluster::DescribeClusterResponse, theirs::DescribeClusterResponse>(
        ApiKey::DescribeCluster,
        "DescribeClusterResponse",
    );
    compare::<cluster::FindCoordinatorRequest, theirs::FindCoordinatorRequest>(
        ApiKey::FindCoordinator,
        "FindCoordinatorRequest",
    );
    compare::<cluster::FindCoordinatorResponse, theirs::FindCoordinatorResponse>(
        ApiKey::FindCoordinator,
        "FindCoordinatorResponse",
    );
    compare::<offsets::ListOffsetsRequest, theirs::ListOffsetsRequest>(
        ApiKey::ListOffsets,
        "ListOffsetsRequest",
    );
    compare::<offsets::ListOffsetsResponse, theirs::ListOffsetsResponse>(
        ApiKey::ListOffsets,
        "ListOffsetsResponse",
    );
    compare::<offsets::OffsetForLeaderEpochRequest, theirs::OffsetForLeaderEpochRequest>(
        ApiKey::OffsetForLeaderEpoch,
        "OffsetForLeaderEpochRequest",
    );
    compare::<offsets::OffsetForLeaderEpochResponse, theirs::OffsetForLeaderEpochResponse>(
        ApiKey::OffsetForLeaderEpoch,
        "OffsetForLeaderEpochResponse",
    );
    compare::<offsets::OffsetCommitRequest, theirs::OffsetCommitRequest>(
        ApiKey::OffsetCommit,
        "OffsetCommitRequest",
    );
    compare::<offsets::OffsetCommitResponse, theirs::OffsetCommitResponse>(
        ApiKey::OffsetCommit,
        "OffsetCommitResponse",
    );
    compare::<offsets::OffsetFetchRequest, theirs::OffsetFetchRequest>(
        ApiKey::OffsetFetch,
        "OffsetFetchRequest",
    );
    compare::<offsets::OffsetFetchResponse, theirs::OffsetFetchResponse>(
        ApiKey::OffsetFetch,
        "OffsetFetchResponse",
    );
    compare::<offsets::OffsetDeleteRequest, theirs::OffsetDeleteRequest>(
        ApiKey::OffsetDelete,
        "OffsetDeleteRequest",
    );
    compare::<offsets::OffsetDeleteResponse, theirs::OffsetDeleteResponse>(
        ApiKey::OffsetDelete,
        "OffsetDeleteResponse",
    );
    compare::<group::JoinGroupRequest, theirs::JoinGroupRequest>(ApiKey::JoinGroup, "JoinGroupRequest");
    compare::<group::JoinGroupResponse, theirs::JoinGroupResponse>(ApiKey::JoinGroup, "JoinGroupResponse");
    compare::<group::SyncGroupRequest, theirs::SyncGroupRequest>(ApiKey::SyncGroup, "SyncGroupRequest");
    compare::<group::SyncGroupResponse, theirs::SyncGroupResponse>(ApiKey::SyncGroup, "SyncGroupResponse");
    compare::<group::HeartbeatRequest, theirs::HeartbeatRequest>(ApiKey::Heartbeat, "HeartbeatRequest");
    compare::<group::HeartbeatResponse, theirs::HeartbeatResponse>(ApiKey::Heartbeat, "HeartbeatResponse");
    compare::<group::LeaveGroupRequest, theirs::LeaveGroupRequest>(ApiKey::LeaveGroup, "LeaveGroupRequest");
    compare::<group::LeaveGroupResponse, theirs::LeaveGroupResponse>(
        ApiKey::LeaveGroup,
        "LeaveGroupResponse",
    );
    compare::<group::ListGroupsRequest, theirs::ListGroupsRequest>(ApiKey::ListGroups, "ListGroupsRequest");
    compare::<group::ListGroupsResponse, theirs::ListGroupsResponse>(
        ApiKey::ListGroups,
        "ListGroupsResponse",
    );
    compare::<group::DescribeGroupsRequest, theirs::DescribeGroupsRequest>(
        ApiKey::DescribeGroups,
        "DescribeGroupsRequest",
    );
    compare::<group::DescribeGroupsResponse, theirs::DescribeGroupsResponse>(
        ApiKey::DescribeGroups,
        "DescribeGroupsResponse",
    );
    compare::<group::DeleteGroupsRequest, theirs::DeleteGroupsRequest>(
        ApiKey::DeleteGroups,
        "DeleteGroupsRequest",
    );
    compare::<group::DeleteGroupsResponse, theirs::DeleteGroupsResponse>(
        ApiKey::DeleteGroups,
        "DeleteGroupsResponse",
    );
    compare::<topics::CreateTopicsRequest, theirs::CreateTopicsRequest>(
        ApiKey::CreateTopics,
        "CreateTopicsRequest",
    );
    compare::<topics::CreateTopicsResponse, theirs::CreateTopicsResponse>(
        ApiKey::CreateTopics,
        "CreateTopicsResponse",
    );
    compare::<topics::DeleteTopicsRequest, theirs::DeleteTopicsRequest>(
        ApiKey::DeleteTopics,
        "DeleteTopicsRequest",
    );
    compare::<topics::DeleteTopicsResponse, theirs::DeleteTopicsResponse>(
        ApiKey::DeleteTopics,
        "DeleteTopicsResponse",
    );
    compare::<topics::CreatePartitionsRequest, theirs::CreatePartitionsRequest>(
        ApiKey::CreatePartitions,
        "CreatePartitionsRequest",
    );
    compare::<topics::CreatePartitionsResponse, theirs::CreatePartitionsResponse>(
        ApiKey::CreatePartitions,
        "CreatePartitionsResponse",
    );
    compare::<topics::DeleteRecordsRequest, theirs::DeleteRecordsRequest>(
        ApiKey::DeleteRecords,
        "DeleteRecordsRequest",
    );
    compare::<topics::DeleteRecordsResponse, theirs::DeleteRecordsResponse>(
        ApiKey::DeleteRecords,
        "DeleteRecordsResponse",
    );
    compare::<topics::DescribeLogDirsRequest, theirs::DescribeLogDirsRequest>(
        ApiKey::DescribeLogDirs,
        "DescribeLogDirsRequest",
    );
    compare::<topics::DescribeLogDirsResponse, theirs::DescribeLogDirsResponse>(
        ApiKey::DescribeLogDirs,
        "DescribeLogDirsResponse",
    );
    compare::<configs::DescribeConfigsRequest, theirs::DescribeConfigsRequest>(
        ApiKey::DescribeConfigs,
        "DescribeConfigsRequest",
    );
    compare::<configs::DescribeConfigsResponse, theirs::DescribeConfigsResponse>(
        ApiKey::DescribeConfigs,
        "DescribeConfigsResponse",
    );
    compare::<configs::AlterConfigsRequest, theirs::AlterConfigsRequest>(
        ApiKey::AlterConfigs,
        "AlterConfigsRequest",
    );
    compare::<configs::AlterConfigsResponse, theirs::AlterConfigsResponse>(
        ApiKey::AlterConfigs,
        "AlterConfigsResponse",
    );
    compare::<configs::IncrementalAlterConfigsRequest, theirs::IncrementalAlterConfigsRequest>(
        ApiKey::IncrementalAlterConfigs,
        "IncrementalAlterConfigsRequest",
    );
    compare::<configs::IncrementalAlterConfigsResponse, theirs::IncrementalAlterConfigsResponse>(
        ApiKey::IncrementalAlterConfigs,
        "IncrementalAlterConfigsResponse",
    );
    compare::<security::InitProducerIdRequest, theirs::InitProducerIdRequest>(
        ApiKey::InitProducerId,
        "InitProducerIdRequest",
    );
    compare::<security::InitProducerIdResponse, theirs::InitProducerIdResponse>(
        ApiKey::InitProducerId,
        "InitProducerIdResponse",
    );
    compare::<security::SaslHandshakeRequest, theirs::SaslHandshakeRequest>(
        ApiKey::SaslHandshake,
        "SaslHandshakeRequest",
    );
    compare::<security::SaslHandshakeResponse, theirs::SaslHandshakeResponse>(
        ApiKey::SaslHandshake,
        "SaslHandshakeResponse",
    );
    compare::<security::SaslAuthenticateRequest, theirs::SaslAuthenticateRequest>(
        ApiKey::SaslAuthenticate,
        "SaslAuthenticateRequest",
    );
    compare::<security::SaslAuthenticateResponse, theirs::SaslAuthenticateResponse>(
        ApiKey::SaslAuthenticate,
        "SaslAuthenticateResponse",
    );
}

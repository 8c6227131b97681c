//! Which APIs are served, in which versions, and how their headers look.
//!
//! The ranges are what clients choose from; some ends are choices (decision record 0031): Metadata and Fetch end below
//! the versions with topic ids; Produce is advertised from 0 although only 3 and above are served, as Kafka 4 does,
//! because older librdkafka otherwise switches compression off. Transactions and the KIP-848 group protocol are absent
//! from the table, which is how a broker says that it does not offer them.

/// An API that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[allow(missing_docs)]
pub enum ApiKey {
    Produce = 0,
    Fetch = 1,
    ListOffsets = 2,
    Metadata = 3,
    OffsetCommit = 8,
    OffsetFetch = 9,
    FindCoordinator = 10,
    JoinGroup = 11,
    Heartbeat = 12,
    LeaveGroup = 13,
    SyncGroup = 14,
    DescribeGroups = 15,
    ListGroups = 16,
    SaslHandshake = 17,
    ApiVersions = 18,
    CreateTopics = 19,
    DeleteTopics = 20,
    DeleteRecords = 21,
    InitProducerId = 22,
    OffsetForLeaderEpoch = 23,
    DescribeConfigs = 32,
    AlterConfigs = 33,
    DescribeLogDirs = 35,
    SaslAuthenticate = 36,
    CreatePartitions = 37,
    DeleteGroups = 42,
    IncrementalAlterConfigs = 44,
    OffsetDelete = 47,
    DescribeCluster = 60,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// Which.
    pub key: ApiKey,
    /// First version that is advertised.
    pub advertised_from: i16,
    /// First version that is served.
    pub min: i16,
    /// Last version, advertised and served.
    pub max: i16,
    /// First version with compact lengths and tagged fields.
    pub flexible_from: i16,
}

const NEVER: i16 = i16::MAX;

const fn api(key: ApiKey, min: i16, max: i16, flexible_from: i16) -> Api {
    Api { key, advertised_from: min, min, max, flexible_from }
}

/// Everything that is served.
pub const APIS: [Api; 29] = [
    Api { key: ApiKey::Produce, advertised_from: 0, min: 3, max: 9, flexible_from: 9 },
    api(ApiKey::Fetch, 4, 12, 12),
    api(ApiKey::ListOffsets, 1, 8, 6),
    api(ApiKey::Metadata, 0, 9, 9),
    api(ApiKey::OffsetCommit, 2, 9, 8),
    api(ApiKey::OffsetFetch, 1, 9, 6),
    api(ApiKey::FindCoordinator, 0, 4, 3),
    api(ApiKey::JoinGroup, 2, 9, 6),
    api(ApiKey::Heartbeat, 0, 4, 4),
    api(ApiKey::LeaveGroup, 0, 5, 4),
    api(ApiKey::SyncGroup, 0, 5, 4),
    api(ApiKey::DescribeGroups, 0, 6, 5),
    api(ApiKey::ListGroups, 0, 5, 3),
    api(ApiKey::SaslHandshake, 1, 1, NEVER),
    api(ApiKey::ApiVersions, 0, 4, 3),
    api(ApiKey::CreateTopics, 2, 6, 5),
    api(ApiKey::DeleteTopics, 1, 5, 4),
    api(ApiKey::DeleteRecords, 0, 2, 2),
    api(ApiKey::InitProducerId, 0, 5, 2),
    api(ApiKey::OffsetForLeaderEpoch, 2, 4, 4),
    api(ApiKey::DescribeConfigs, 1, 4, 4),
    api(ApiKey::AlterConfigs, 0, 2, 2),
    api(ApiKey::DescribeLogDirs, 1, 4, 2),
    api(ApiKey::SaslAuthenticate, 0, 2, 2),
    api(ApiKey::CreatePartitions, 0, 3, 2),
    api(ApiKey::DeleteGroups, 0, 2, 2),
    api(ApiKey::IncrementalAlterConfigs, 0, 1, 1),
    api(ApiKey::OffsetDelete, 0, 0, NEVER),
    api(ApiKey::DescribeCluster, 0, 1, 0),
];

impl Api {
    /// The line of a key from the wire.
    pub fn find(key: i16) -> Option<&'static Api> {
        APIS.iter().find(|api| api.key as i16 == key)
    }

    /// Compact lengths and tagged fields in this version.
    pub fn is_flexible(&self, version: i16) -> bool {
        version >= self.flexible_from
    }
}

/// Most bytes of a frame: Produce may carry batches, groups carry assignments, all else is small. The limit is known from
/// the first two bytes of the frame, before the rest has been read.
pub fn frame_limit(key: i16, produce_limit: usize) -> usize {
    match Api::find(key).map(|a| a.key) {
        Some(ApiKey::Produce) => produce_limit,
        Some(ApiKey::SyncGroup | ApiKey::JoinGroup | ApiKey::OffsetCommit) => produce_limit.min(8 << 20),
        _ => produce_limit.min(2 << 20),
    }
}

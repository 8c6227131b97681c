//! The broker as a state machine without I/O: frames in, frames out, time as an argument.
//!
//! ```text
//!   bytes of a frame ── prepare() ──→ Prepared ── Broker::handle(now, connection, prepared, &mut out) ──→ Outbox
//!                                                 Broker::tick(now, &mut out) ──────────────────────────→ Outbox
//! ```
//!
//! [`prepare`] needs nothing of the broker (it checks batches), so an edge runs it on any thread. `handle` answers at
//! once or keeps the request: a fetch that waits for bytes, a produce that waits for durability, a member that waits
//! for its group. Replies leave in the order of the requests of their connection, whatever order they become ready in:
//! each request takes a [`Ticket`], and a finished reply waits for those before it. `tick` must be called when the
//! time that it returned has come.
//!
//! Absences: no clock, no socket, no thread, no file; storage is a [`Store`]. Randomness comes with the configuration.
//! Transactions and KIP-848 groups have their place in `dispatch` and in [`super::api`], and are not offered yet.

mod admin;
mod cluster;
mod configs;
mod connection;
mod fetch;
mod group;
mod group_admin;
mod membership;
mod offsets;
mod partition_offsets;
mod produce;
mod producers;
mod sasl;
mod topics;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::task::Waker;

use bytes::Bytes;

use super::api::{Api, ApiKey};
use super::codec::{Malformed, Reader, Wire};
use super::error_code as code;
use super::messages as m;
use super::produce::ProduceRequest;
use super::store::Store;
use crate::error::{Error, Result};
use connection::{Connection, Ticket};
pub use connection::{ConnectionId, Outbox, Peer, Reply};
pub use sasl::Credentials;

/// The time of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970: for timestamps.
    pub wall_ms: i64,
    /// Milliseconds that never run backwards: for waiting.
    pub monotonic_ms: u64,
}

/// Limits and names of a broker. The defaults are Kafka's where Kafka has them.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// `broker.id`. Default 1.
    pub node_id: i32,
    /// `cluster.id`, 22 characters of base64.
    pub cluster_id: String,
    /// `auto.create.topics.enable`. Default true.
    pub auto_create_topics: bool,
    /// `num.partitions` of a topic made automatically. Default 4: one for each core of a small machine.
    pub default_partitions: u32,
    /// Most partitions of one topic. Default 10,000.
    pub max_partitions: u32,
    /// Most partitions of all topics. Default 100,000.
    pub max_total_partitions: usize,
    /// `fetch.max.bytes` of the broker: most bytes of one response. Default 55 MiB.
    pub max_fetch_bytes: usize,
    /// `group.min.session.timeout.ms`. Default 6 s (Kafka's).
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`. Default 30 min (Kafka's).
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`: how long the first rebalance of an empty group waits for more members. Default 0
    /// (Kafka: 3 s), because a program on one machine should not wait 3 seconds for its first record.
    pub initial_rebalance_delay_ms: u64,
    /// `group.max.size`. Default 1,000.
    pub max_group_members: usize,
    /// Most groups. Default 10,000.
    pub max_groups: usize,
    /// `offset.metadata.max.bytes`. Default 4,096 (Kafka's).
    pub max_offset_metadata_bytes: usize,
    /// `offsets.retention.minutes`, in ms: offsets of a group without members are forgotten after this. Default a week.
    pub offsets_retention_ms: i64,
    /// Most idempotent producers remembered in one partition. Default 10,000; the one idle for longest gives way.
    pub max_producers_per_partition: usize,
    /// Requests of one connection that are kept unanswered at a time. Default 64.
    pub max_in_flight: usize,
    /// Users, where a listener asks for authentication.
    pub credentials: Credentials,
    /// For member ids and nonces. Give real randomness; a fixed seed makes runs repeat.
    pub seed: u64,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            node_id: 1,
            cluster_id: "pelton-memory-cluster0".into(),
            auto_create_topics: true,
            default_partitions: 4,
            max_partitions: 10_000,
            max_total_partitions: 100_000,
            max_fetch_bytes: 55 << 20,
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 30 * 60 * 1_000,
            initial_rebalance_delay_ms: 0,
            max_group_members: 1_000,
            max_groups: 10_000,
            max_offset_metadata_bytes: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1_000,
            max_producers_per_partition: 10_000,
            max_in_flight: 64,
            credentials: Credentials::default(),
            seed: 0,
        }
    }
}

/// A request that has been read as far as that is possible without the broker.
pub struct Prepared {
    api: &'static Api,
    version: i16,
    correlation: i32,
    client_id: String,
    body: Body,
}

enum Body {
    /// A control message, read when its turn comes.
    Control(Reader),
    Produce(ProduceRequest),
    /// A version that is not served.
    Unsupported,
}

impl Prepared {
    /// Brings batches, and gets a small answer.
    pub fn is_produce(&self) -> bool {
        self.api.key == ApiKey::Produce
    }
}

/// Reads the header of a frame (without its length) and, for Produce, checks its batches. `scratch` is for decompression.
///
/// # Errors
/// The bytes are not a request of Kafka's protocol, or of an API that is not offered: close the connection.
pub fn prepare(frame: Bytes, scratch: &mut Vec<u8>) -> Result<Prepared> {
    let malformed = |e: Malformed| Error::input(e.to_string());
    // The header's own version depends on API and version: 1 has a client id, 2 has tagged fields as well.
    let mut head = Reader::new(frame.clone(), 0, false);
    let key = i16::read(&mut head).map_err(malformed)?;
    let version = i16::read(&mut head).map_err(malformed)?;
    let correlation = i32::read(&mut head).map_err(malformed)?;
    let api = Api::find(key).ok_or_else(|| Error::input(format!("API {key} is not offered")))?;
    // An old produce is read as far as it takes to refuse its partitions.
    let is_served = (api.advertised_from..=api.max).contains(&version);
    if !is_served {
        // The client id is still in the place where all versions have it, but nobody needs it.
        let client_id = String::new();
        return Ok(Prepared { api, version, correlation, client_id, body: Body::Unsupported });
    }
    let client_id = Option::<String>::read(&mut head).map_err(malformed)?.unwrap_or_default();
    let is_flexible = api.is_flexible(version);
    let mut reader = Reader::new(frame.slice(frame.len() - head.remaining()..), version, is_flexible);
    reader.tags().map_err(malformed)?;
    let body = match api.key {
        ApiKey::Produce => Body::Produce(ProduceRequest::read(&mut reader, scratch).map_err(malformed)?),
        _ => Body::Control(reader),
    };
    Ok(Prepared { api, version, correlation, client_id, body })
}

/// The broker. See the module's text.
pub struct Broker {
    config: BrokerConfig,
    store: Box<dyn Store + Send>,
    connections: HashMap<ConnectionId, Connection>,
    topics: BTreeMap<String, topics::Topic>,
    groups: BTreeMap<String, group::Group>,
    fetches: fetch::Waiting,
    produces: BTreeMap<u64, produce::Waiting>,
    producer_ids: producers::Ids,
    deadlines: BTreeSet<(u64, Deadline)>,
    next_id: u64,
    random: u64,
    now: Now,
    /// The store calls when offsets move.
    is_announced: bool,
    out: Outbox,
}

/// What happens at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    Fetch(u64),
    Produce(u64),
    /// Something of this group is due: a session, a rebalance.
    Group(String),
    /// Notes what is to survive a restart.
    Snapshot,
}

impl Broker {
    /// Over `store`; reads back what an earlier broker noted in it: offsets of groups, idempotent producers.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(config: BrokerConfig, store: Box<dyn Store + Send>, now: Now) -> Result<Self> {
        let random = config.seed;
        let mut broker = Self {
            config,
            store,
            connections: HashMap::new(),
            topics: BTreeMap::new(),
            groups: BTreeMap::new(),
            fetches: fetch::Waiting::default(),
            produces: BTreeMap::new(),
            producer_ids: producers::Ids::default(),
            deadlines: BTreeSet::new(),
            next_id: 1,
            random,
            now,
            is_announced: false,
            out: Outbox::default(),
        };
        broker.refresh_topics();
        broker.load_offsets()?;
        broker.load_producers()?;
        broker.deadlines.insert((now.monotonic_ms + producers::SNAPSHOT_INTERVAL_MS, Deadline::Snapshot));
        Ok(broker)
    }

    /// A client has connected.
    pub fn connect(&mut self, id: ConnectionId, peer: Peer) {
        self.connections.insert(id, Connection::new(peer));
    }

    /// A client is gone: what it waited for is forgotten.
    pub fn disconnect(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
        self.forget_fetches(id);
    }

    /// More requests of this connection may be handled now.
    pub fn is_ready(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_none_or(|c| c.in_flight() < self.config.max_in_flight)
    }

    /// The client may ask for everything: it has authenticated, or need not.
    pub fn is_known(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_some_and(Connection::is_authenticated)
    }

    /// Handles one request. Replies, to this connection and to others, are added to `out`.
    pub fn handle(&mut self, now: Now, id: ConnectionId, request: Prepared, out: &mut Outbox) {
        self.now = now;
        self.out.take_from(out);
        if let Some(connection) = self.connections.get_mut(&id) {
            let ticket = connection.open_ticket(id, request.api, request.version, request.correlation);
            if !request.client_id.is_empty() && connection.client_id != request.client_id {
                connection.client_id.clone_from(&request.client_id);
            }
            if let Err(e) = self.dispatch(ticket, request) {
                self.out.close(id, format!("{:?}: {e}", ticket.api.key));
            }
        }
        self.out.give_to(out);
    }

    fn dispatch(&mut self, t: Ticket, request: Prepared) -> Result<(), Malformed> {
        use m::{cluster, configs, group, offsets, security, topics};
        let is_open =
            matches!(t.api.key, ApiKey::ApiVersions | ApiKey::SaslHandshake | ApiKey::SaslAuthenticate);
        let mut r = match request.body {
            Body::Unsupported => {
                self.unsupported_version(t);
                return Ok(());
            }
            _ if !is_open && !self.is_known(t.connection) => {
                self.out.close(t.connection, "a request before authentication".into());
                return Ok(());
            }
            Body::Produce(produce) => {
                self.produce(t, produce);
                return Ok(());
            }
            Body::Control(r) => r,
        };
        let r = &mut r;
        match t.api.key {
            ApiKey::Produce => {}
            ApiKey::Fetch => {
                let request = super::fetch::FetchRequest::read(r)?;
                self.fetch(t, request);
            }
            ApiKey::ApiVersions => {
                cluster::ApiVersionsRequest::read(r)?;
                self.api_versions(t);
            }
            ApiKey::Metadata => self.metadata(t, cluster::MetadataRequest::read(r)?),
            ApiKey::DescribeCluster => self.describe_cluster(t, cluster::DescribeClusterRequest::read(r)?),
            ApiKey::FindCoordinator => self.find_coordinator(t, cluster::FindCoordinatorRequest::read(r)?),
            ApiKey::ListOffsets => self.list_offsets(t, offsets::ListOffsetsRequest::read(r)?),
            ApiKey::OffsetForLeaderEpoch => {
                self.offset_for_leader_epoch(t, offsets::OffsetForLeaderEpochRequest::read(r)?);
            }
            ApiKey::OffsetCommit => self.offset_commit(t, offsets::OffsetCommitRequest::read(r)?),
            ApiKey::OffsetFetch => self.offset_fetch(t, offsets::OffsetFetchRequest::read(r)?),
            ApiKey::OffsetDelete => self.offset_delete(t, offsets::OffsetDeleteRequest::read(r)?),
            ApiKey::JoinGroup => self.join_group(t, group::JoinGroupRequest::read(r)?),
            ApiKey::SyncGroup => self.sync_group(t, group::SyncGroupRequest::read(r)?),
            ApiKey::Heartbeat => self.heartbeat(t, group::HeartbeatRequest::read(r)?),
            ApiKey::LeaveGroup => self.leave_group(t, group::LeaveGroupRequest::read(r)?),
            ApiKey::ListGroups => self.list_groups(t, group::ListGroupsRequest::read(r)?),
            ApiKey::DescribeGroups => self.describe_groups(t, group::DescribeGroupsRequest::read(r)?),
            ApiKey::DeleteGroups => self.delete_groups(t, group::DeleteGroupsRequest::read(r)?),
            ApiKey::CreateTopics => self.create_topics(t, topics::CreateTopicsRequest::read(r)?),
            ApiKey::DeleteTopics => self.delete_topics(t, topics::DeleteTopicsRequest::read(r)?),
            ApiKey::CreatePartitions => self.create_partitions(t, topics::CreatePartitionsRequest::read(r)?),
            ApiKey::DeleteRecords => self.delete_records(t, topics::DeleteRecordsRequest::read(r)?),
            ApiKey::DescribeLogDirs => self.describe_log_dirs(t, topics::DescribeLogDirsRequest::read(r)?),
            ApiKey::DescribeConfigs => self.describe_configs(t, configs::DescribeConfigsRequest::read(r)?),
            ApiKey::AlterConfigs => self.alter_configs(t, configs::AlterConfigsRequest::read(r)?),
            ApiKey::IncrementalAlterConfigs => {
                self.incremental_alter_configs(t, configs::IncrementalAlterConfigsRequest::read(r)?);
            }
            ApiKey::InitProducerId => self.init_producer_id(t, security::InitProducerIdRequest::read(r)?),
            ApiKey::SaslHandshake => self.sasl_handshake(t, security::SaslHandshakeRequest::read(r)?),
            ApiKey::SaslAuthenticate => {
                self.sasl_authenticate(t, security::SaslAuthenticateRequest::read(r)?)
            }
        }
        Ok(())
    }

    /// Does what is due at `now`. Returns when to call again (monotonic ms), unless a request comes earlier.
    pub fn tick(&mut self, now: Now, out: &mut Outbox) -> u64 {
        self.now = now;
        self.out.take_from(out);
        while let Some((at, _)) = self.deadlines.first()
            && *at <= now.monotonic_ms
        {
            let (_, deadline) = self.deadlines.pop_first().expect("a first element");
            match deadline {
                Deadline::Fetch(id) => self.fetch_deadline(id),
                Deadline::Produce(id) => self.produce_deadline(id),
                Deadline::Group(name) => self.group_deadline(&name),
                Deadline::Snapshot => {
                    // A store that refuses now will be asked again; what is lost is only a shorter scan.
                    let _ = self.save_producers();
                    self.expire_offsets();
                    let next = now.monotonic_ms + producers::SNAPSHOT_INTERVAL_MS;
                    self.deadlines.insert((next, Deadline::Snapshot));
                }
            }
        }
        if !self.is_announced && (!self.fetches.is_empty() || !self.produces.is_empty()) {
            // In this order: what moves after the look calls.
            self.is_announced = true;
            self.store.announce();
            self.look_at_store();
        }
        self.out.give_to(out);
        self.deadlines.first().map_or(u64::MAX, |(at, _)| *at)
    }

    /// Whom the store calls when offsets move without a request. After that, [`Broker::moved`] and a tick.
    pub fn call_when_moved(&mut self, waker: Waker) {
        self.store.call_when_moved(waker);
    }

    /// The store has called.
    pub fn moved(&mut self) {
        self.is_announced = false;
    }

    /// Notes what is to survive, before the process ends.
    ///
    /// # Errors
    /// The store refuses to write.
    pub fn close(&mut self, now: Now) -> Result<()> {
        self.now = now;
        self.save_producers()
    }

    /// The store, for what the protocol does not show.
    pub fn store(&mut self) -> &mut dyn Store {
        &mut *self.store
    }

    /// Connections, topics and groups held.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.connections.len(), self.topics.len(), self.groups.len())
    }

    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// 64 bits from the seed: splitmix64, which visits every value.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Answers a request with a message.
    fn reply(&mut self, t: Ticket, message: &impl Wire) {
        let mut w = t.writer();
        message.write(&mut w);
        self.finish(t, vec![w.out.into()]);
    }

    /// Answers with parts that begin with what [`Ticket::writer`] has written.
    fn finish(&mut self, t: Ticket, parts: Vec<Bytes>) {
        self.finish_with(t, Reply { parts, viewed: 0 });
    }

    fn finish_with(&mut self, t: Ticket, reply: Reply) {
        if let Some(connection) = self.connections.get_mut(&t.connection) {
            connection.finish(t, Some(reply), &mut self.out);
        }
    }

    /// No answer is wanted (acks=0).
    fn finish_silently(&mut self, t: Ticket) {
        if let Some(connection) = self.connections.get_mut(&t.connection) {
            connection.finish(t, None, &mut self.out);
        }
    }

    /// A version outside the served range. ApiVersions is answered in the layout of version 0, with the table, so that
    /// the client can choose again (KIP-35).
    fn unsupported_version(&mut self, t: Ticket) {
        match t.api.key {
            ApiKey::ApiVersions => {
                let oldest = Ticket { version: 0, ..t };
                self.api_versions_with(oldest, code::UNSUPPORTED_VERSION);
            }
            key => self.out.close(t.connection, format!("{key:?} version {} is not served", t.version)),
        }
    }
}

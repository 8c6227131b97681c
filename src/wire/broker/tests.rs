//! The broker over a store in memory, time turned by hand: what clients rely on, one property a test.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::wire::api::APIS;
use crate::wire::batch::Batch;
use crate::wire::codec::Writer;
use crate::wire::messages::group::*;
use crate::wire::messages::offsets::*;
use crate::wire::messages::{cluster, configs, security, topics as tm};
use crate::wire::{BatchBuilder, MemoryStore};

/// Of a fetched partition: error, high watermark, records.
type Part = (i16, i64, Bytes);

struct Bench {
    broker: Broker,
    now: Now,
    out: Outbox,
    correlation: i32,
}

fn config() -> BrokerConfig {
    BrokerConfig { default_partitions: 1, ..BrokerConfig::default() }
}

impl Bench {
    fn new() -> Self {
        Self::over(MemoryStore::new(), config())
    }

    fn over(store: MemoryStore, config: BrokerConfig) -> Self {
        let now = Now { wall_ms: 1_000_000, monotonic_ms: 0 };
        let mut broker = Broker::open(config, Box::new(store), now).unwrap();
        for id in 1..=9 {
            broker.connect(id, Peer { advertised: ("h".into(), 9092), ..Peer::default() });
        }
        Self { broker, now, out: Outbox::default(), correlation: 0 }
    }

    /// A frame without its length.
    fn frame(&mut self, key: ApiKey, version: i16, write: impl FnOnce(&mut Writer)) -> Bytes {
        self.correlation += 1;
        let api = Api::find(key as i16).unwrap();
        let mut w = Writer::new(version, api.is_flexible(version));
        (key as i16).write(&mut w);
        version.write(&mut w);
        self.correlation.write(&mut w);
        w.out.extend_from_slice(&[0, 1, b'c']);
        w.tags();
        write(&mut w);
        w.out.into()
    }

    /// Sends without waiting for the answer.
    fn send(&mut self, id: u64, key: ApiKey, version: i16, write: impl FnOnce(&mut Writer)) {
        let frame = self.frame(key, version, write);
        let request = prepare(frame, &mut Vec::new()).unwrap();
        self.broker.handle(self.now, id, request, &mut self.out);
    }

    fn advance(&mut self, ms: u64) -> u64 {
        self.now.monotonic_ms += ms;
        self.now.wall_ms += ms as i64;
        self.broker.tick(self.now, &mut self.out)
    }

    /// The oldest answer that connection `id` has got: the frame behind length and correlation.
    fn answer(&mut self, id: u64) -> Option<(i32, Bytes)> {
        let at = self.out.replies.iter().position(|(to, _)| *to == id)?;
        let (_, Reply { parts, .. }) = self.out.replies.remove(at);
        let all: Vec<u8> = parts.iter().flat_map(|p| p.iter().copied()).collect();
        assert_eq!(i32::from_be_bytes(all[..4].try_into().unwrap()) as usize, all.len() - 4);
        Some((i32::from_be_bytes(all[4..8].try_into().unwrap()), Bytes::from(all).slice(8..)))
    }

    fn read<R: Wire>(&mut self, id: u64, key: ApiKey, version: i16) -> Option<R> {
        let (_, bytes) = self.answer(id)?;
        let api = Api::find(key as i16).unwrap();
        let mut r = Reader::new(bytes, version, api.is_flexible(version));
        if key != ApiKey::ApiVersions {
            r.tags().unwrap();
        }
        let message = R::read(&mut r).unwrap();
        assert_eq!(r.remaining(), 0);
        Some(message)
    }

    /// Asks and reads the answer, which must come at once.
    fn ask<R: Wire>(&mut self, id: u64, key: ApiKey, version: i16, request: &impl Wire) -> R {
        self.send(id, key, version, |w| request.write(w));
        self.read(id, key, version)
            .unwrap_or_else(|| panic!("{key:?} is not answered: {:?}", self.out.closed))
    }

    fn make_topic(&mut self, name: &str, partitions: i32) {
        let topic = tm::CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 1,
            ..Default::default()
        };
        let request = tm::CreateTopicsRequest { topics: vec![topic], ..Default::default() };
        let response: tm::CreateTopicsResponse = self.ask(1, ApiKey::CreateTopics, 5, &request);
        assert_eq!(response.topics[0].error_code, 0, "{response:?}");
    }

    fn send_produce(&mut self, id: u64, topic: &str, acks: i16, batch: &[u8]) {
        self.send(id, ApiKey::Produce, 7, |w| {
            None::<String>.write(w);
            acks.write(w);
            1_000i32.write(w);
            1i32.write(w);
            topic.to_owned().write(w);
            1i32.write(w);
            0i32.write(w);
            Bytes::copy_from_slice(batch).write(w);
        });
    }

    /// Error and base offset.
    fn produced(&mut self, id: u64) -> Option<(i16, i64)> {
        let (_, bytes) = self.answer(id)?;
        let mut r = Reader::new(bytes, 7, false);
        assert_eq!(r.count().unwrap(), Some(1));
        String::read(&mut r).unwrap();
        assert_eq!(r.count().unwrap(), Some(1));
        i32::read(&mut r).unwrap();
        Some((i16::read(&mut r).unwrap(), i64::read(&mut r).unwrap()))
    }

    fn produce(&mut self, topic: &str, batch: &[u8]) -> (i16, i64) {
        self.send_produce(1, topic, 1, batch);
        self.produced(1).unwrap()
    }

    fn send_fetch(&mut self, id: u64, topic: &str, offset: i64, max_wait_ms: i32, session: (i32, i32)) {
        self.send(id, ApiKey::Fetch, 7, |w| {
            (-1i32).write(w);
            max_wait_ms.write(w);
            1i32.write(w);
            (1i32 << 20).write(w);
            0i8.write(w);
            session.0.write(w);
            session.1.write(w);
            if topic.is_empty() {
                0i32.write(w);
            } else {
                1i32.write(w);
                topic.to_owned().write(w);
                1i32.write(w);
                0i32.write(w);
                offset.write(w);
                (-1i64).write(w);
                (1i32 << 20).write(w);
            }
            0i32.write(w);
        });
    }

    /// Error, session, and for each partition: error, high watermark, records.
    fn fetched(&mut self, id: u64) -> Option<(i16, i32, Vec<Part>)> {
        let (_, bytes) = self.answer(id)?;
        let mut r = Reader::new(bytes, 7, false);
        i32::read(&mut r).unwrap();
        let (error, session) = (i16::read(&mut r).unwrap(), i32::read(&mut r).unwrap());
        let mut all = vec![];
        for _ in 0..r.count().unwrap().unwrap() {
            String::read(&mut r).unwrap();
            for _ in 0..r.count().unwrap().unwrap() {
                i32::read(&mut r).unwrap();
                let (error, hw) = (i16::read(&mut r).unwrap(), i64::read(&mut r).unwrap());
                i64::read(&mut r).unwrap();
                i64::read(&mut r).unwrap();
                assert_eq!(r.count().unwrap(), Some(0));
                all.push((error, hw, Bytes::read(&mut r).unwrap()));
            }
        }
        Some((error, session, all))
    }
}

fn batch(n: i32) -> Vec<u8> {
    let mut b = BatchBuilder::new();
    (0..n).for_each(|i| b.push(i64::from(i), Some(b"k"), Some(b"v"), &[]));
    b.finish(0).to_vec()
}

fn numbered(id: i64, epoch: i16, sequence: i32, n: i32) -> Vec<u8> {
    let mut b = BatchBuilder::new();
    b.producer(id, epoch, sequence);
    (0..n).for_each(|i| b.push(i64::from(i), Some(b"k"), Some(b"v"), &[]));
    b.finish(0).to_vec()
}

#[test]
fn what_is_produced_is_fetched() {
    let mut b = Bench::new();
    b.make_topic("t", 1);
    assert_eq!(b.produce("t", &batch(3)), (0, 0));
    assert_eq!(b.produce("t", &batch(2)), (0, 3));
    b.send_fetch(2, "t", 0, 0, (0, -1));
    let (_, _, parts) = b.fetched(2).unwrap();
    assert_eq!((parts[0].0, parts[0].1), (0, 5));
    let first = Batch::parse(&parts[0].2).unwrap();
    assert_eq!((first.header().base_offset, first.header().count), (0, 3));
}

#[test]
fn a_fetch_waits_for_the_next_batch_and_no_longer_than_its_time() {
    let mut b = Bench::new();
    b.make_topic("t", 1);
    b.send_fetch(2, "t", 0, 500, (0, -1));
    b.send_fetch(3, "t", 0, 100, (0, -1));
    b.advance(99);
    assert!(b.fetched(2).is_none() && b.fetched(3).is_none());
    b.advance(1);
    assert!(b.fetched(3).unwrap().2[0].2.is_empty());
    assert_eq!(b.produce("t", &batch(1)), (0, 0));
    assert!(!b.fetched(2).unwrap().2[0].2.is_empty());
    assert!(b.broker.fetches.is_empty());
    assert!(b.broker.topics["t"].partitions[0].fetches.is_empty());
}

#[test]
fn replies_leave_in_the_order_of_their_requests() {
    let mut b = Bench::new();
    b.make_topic("t", 1);
    b.send_fetch(2, "t", 0, 500, (0, -1));
    let waiting = b.correlation;
    b.send(2, ApiKey::ApiVersions, 0, |_| {});
    assert!(b.answer(2).is_none());
    b.produce("t", &batch(1));
    assert_eq!(b.answer(2).unwrap().0, waiting);
    assert_eq!(b.answer(2).unwrap().0, waiting + 1);
}

#[test]
fn acks_all_waits_for_the_high_watermark() {
    let mut store = MemoryStore::new();
    store.create_topic("t", 1, &[]).unwrap();
    store.hold("t", 0, Some(0));
    let mut b = Bench::over(store, config());
    b.send_produce(1, "t", -1, &batch(2));
    b.send_produce(2, "t", 1, &batch(1));
    assert_eq!(b.produced(2), Some((0, 2)));
    assert_eq!(b.produced(1), None);
    // acks=0 is never answered, and does not block what follows.
    b.send_produce(3, "t", 0, &batch(1));
    b.send(3, ApiKey::ApiVersions, 0, |_| {});
    assert_eq!(b.answer(3).unwrap().0, b.correlation);
    b.advance(1_000);
    assert_eq!(b.produced(1), Some((code::REQUEST_TIMED_OUT, -1)));
}

#[test]
fn bad_batches_are_refused_by_name() {
    let mut b = Bench::new();
    b.make_topic("t", 1);
    let good = batch(2);
    let mut broken = good.clone();
    *broken.last_mut().unwrap() ^= 1;
    assert_eq!(b.produce("t", &broken).0, code::CORRUPT_MESSAGE);
    assert_eq!(b.produce("t", &good[..40]).0, code::CORRUPT_MESSAGE);
    assert_eq!(b.produce("t", &[good.clone(), good.clone()].concat()).0, code::INVALID_RECORD);
    let mut old = good.clone();
    old[16] = 1;
    assert_eq!(b.produce("t", &old).0, code::INVALID_RECORD);
    assert_eq!(b.produce("nowhere", &good).0, code::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(b.produce("t", &good), (0, 0));
    let options = |op, value: Option<&str>| configs::IncrementalAlterConfigsRequest {
        resources: vec![configs::IncrementalResource {
            resource_type: 2,
            resource_name: "t".into(),
            configs: vec![configs::IncrementalConfig {
                name: "max.message.bytes".into(),
                config_operation: op,
                value: value.map(Into::into),
            }],
        }],
        validate_only: false,
    };
    let r: configs::IncrementalAlterConfigsResponse =
        b.ask(1, ApiKey::IncrementalAlterConfigs, 1, &options(0, Some("70")));
    assert_eq!(r.responses[0].error_code, 0);
    assert_eq!(b.produce("t", &good).0, code::MESSAGE_TOO_LARGE);
}

#[test]
fn a_session_tells_only_news() {
    let mut b = Bench::new();
    b.make_topic("t", 1);
    b.send_fetch(2, "t", 0, 0, (0, 0));
    let (_, session, parts) = b.fetched(2).unwrap();
    assert!(session > 0 && parts.len() == 1);
    b.send_fetch(2, "", 0, 0, (session, 1));
    assert_eq!(b.fetched(2).unwrap().2, vec![]);
    b.produce("t", &batch(1));
    b.send_fetch(2, "", 0, 0, (session, 2));
    assert_eq!(b.fetched(2).unwrap().2[0].1, 1);
    b.send_fetch(2, "", 0, 0, (session, 2));
    assert_eq!(b.fetched(2).unwrap().0, code::INVALID_FETCH_SESSION_EPOCH);
    b.send_fetch(3, "", 0, 0, (session, 3));
    assert_eq!(b.fetched(3).unwrap().0, code::FETCH_SESSION_ID_NOT_FOUND);
}

#[test]
fn a_batch_sent_again_keeps_its_offset_even_after_a_restart() {
    let mut b = Bench::new();
    b.make_topic("t", 1);
    let r: security::InitProducerIdResponse =
        b.ask(1, ApiKey::InitProducerId, 1, &security::InitProducerIdRequest::default_plain());
    let id = r.producer_id;
    assert_eq!(b.produce("t", &numbered(id, 0, 0, 2)), (0, 0));
    assert_eq!(b.produce("t", &numbered(id, 0, 2, 1)), (0, 2));
    assert_eq!(b.produce("t", &numbered(id, 0, 0, 2)), (0, 0));
    assert_eq!(b.produce("t", &numbered(id, 0, 4, 1)).0, code::OUT_OF_ORDER_SEQUENCE_NUMBER);
    for snapshot in [false, true] {
        if snapshot {
            b.broker.close(b.now).unwrap();
        }
        let store = std::mem::replace(&mut b.broker.store, Box::new(MemoryStore::new()));
        b.broker = Broker::open(config(), store, b.now).unwrap();
        (1..=9).for_each(|id| b.broker.connect(id, Peer::default()));
        assert_eq!(b.produce("t", &numbered(id, 0, 2, 1)), (0, 2), "snapshot: {snapshot}");
        let r: security::InitProducerIdResponse =
            b.ask(1, ApiKey::InitProducerId, 1, &security::InitProducerIdRequest::default_plain());
        assert!(r.producer_id > id);
    }
}

impl security::InitProducerIdRequest {
    fn default_plain() -> Self {
        Self { transaction_timeout_ms: 1, ..Self::default() }
    }
}

fn join(group: &str, member: &str, instance: Option<&str>, version: i16) -> (i16, JoinGroupRequest) {
    let request = JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 20_000,
        member_id: member.into(),
        group_instance_id: instance.map(Into::into),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from_static(b"m"),
        }],
        reason: None,
    };
    (version, request)
}

impl Bench {
    fn join(&mut self, id: u64, member: &str, instance: Option<&str>) -> Option<JoinGroupResponse> {
        self.join_with(id, member, instance, b"m")
    }

    fn join_with(
        &mut self,
        id: u64,
        member: &str,
        instance: Option<&str>,
        metadata: &'static [u8],
    ) -> Option<JoinGroupResponse> {
        let (version, mut request) = join("g", member, instance, 7);
        request.protocols[0].metadata = Bytes::from_static(metadata);
        self.send(id, ApiKey::JoinGroup, version, |w| request.write(w));
        self.read(id, ApiKey::JoinGroup, version)
    }

    /// The member id that a new dynamic member is given.
    fn member_id(&mut self, id: u64) -> String {
        let r = self.join(id, "", None).unwrap();
        assert_eq!(r.error_code, code::MEMBER_ID_REQUIRED);
        r.member_id
    }

    fn sync(
        &mut self,
        id: u64,
        member: &str,
        generation: i32,
        parts: &[(&str, &'static str)],
    ) -> Option<SyncGroupResponse> {
        let request = SyncGroupRequest {
            group_id: "g".into(),
            generation_id: generation,
            member_id: member.into(),
            assignments: parts
                .iter()
                .map(|(m, a)| SyncGroupRequestAssignment {
                    member_id: (*m).into(),
                    assignment: Bytes::from_static(a.as_bytes()),
                })
                .collect(),
            ..Default::default()
        };
        self.send(id, ApiKey::SyncGroup, 3, |w| request.write(w));
        self.read(id, ApiKey::SyncGroup, 3)
    }

    fn heartbeat(&mut self, member: &str, generation: i32) -> i16 {
        let request = HeartbeatRequest {
            group_id: "g".into(),
            generation_id: generation,
            member_id: member.into(),
            ..Default::default()
        };
        self.ask::<HeartbeatResponse>(9, ApiKey::Heartbeat, 3, &request).error_code
    }
}

#[test]
fn members_share_and_a_silent_one_is_replaced() {
    let mut b = Bench::new();
    let one = b.member_id(1);
    let joined = b.join(1, &one, None).unwrap();
    assert_eq!((joined.generation_id, joined.leader.as_str(), joined.members.len()), (1, one.as_str(), 1));
    let synced = b.sync(1, &one, 1, &[(&one, "all")]).unwrap();
    assert_eq!(&synced.assignment[..], b"all");
    // A second one: the first is told to join again, and both get their part.
    let two = b.member_id(2);
    assert!(b.join(2, &two, None).is_none());
    assert_eq!(b.heartbeat(&one, 1), code::REBALANCE_IN_PROGRESS);
    let leader = b.join(1, &one, None).unwrap();
    let follower: JoinGroupResponse = b.read(2, ApiKey::JoinGroup, 7).unwrap();
    assert_eq!((leader.generation_id, leader.members.len(), follower.members.len()), (2, 2, 0));
    assert!(b.sync(2, &two, 2, &[]).is_none());
    assert_eq!(b.heartbeat(&two, 1), code::ILLEGAL_GENERATION);
    let first = b.sync(1, &one, 2, &[(&one, "a"), (&two, "b")]).unwrap();
    let second: SyncGroupResponse = b.read(2, ApiKey::SyncGroup, 3).unwrap();
    assert_eq!((&first.assignment[..], &second.assignment[..]), (&b"a"[..], &b"b"[..]));
    // The leader is not heard of any more.
    b.advance(9_000);
    assert_eq!(b.heartbeat(&two, 2), code::NONE);
    b.advance(1_500);
    assert_eq!(b.heartbeat(&two, 2), code::REBALANCE_IN_PROGRESS);
    let alone = b.join(2, &two, None).unwrap();
    assert_eq!((alone.generation_id, alone.leader, alone.members.len()), (3, two, 1));
    assert_eq!(b.heartbeat(&one, 3), code::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_rebalance_ends_without_those_who_do_not_come() {
    let mut b = Bench::new();
    let one = b.member_id(1);
    b.join(1, &one, None).unwrap();
    b.sync(1, &one, 1, &[(&one, "all")]).unwrap();
    let two = b.member_id(2);
    assert!(b.join(2, &two, None).is_none());
    for _ in 0..4 {
        b.advance(5_000);
        b.heartbeat(&one, 1);
    }
    let alone: JoinGroupResponse = b.read(2, ApiKey::JoinGroup, 7).unwrap();
    assert_eq!((alone.generation_id, alone.members.len()), (2, 1));
    // Who has joined and does not sync is out as well.
    b.advance(20_001);
    assert!(b.broker.groups.is_empty());
    assert!(b.broker.deadlines.iter().all(|(_, d)| *d == Deadline::Snapshot));
}

#[test]
fn a_static_member_comes_back_to_its_place() {
    let mut b = Bench::new();
    let first = b.join(1, "", Some("i")).unwrap();
    b.sync(1, &first.member_id, 1, &[(&first.member_id, "all")]).unwrap();
    let two = b.join(2, "", Some("j"));
    assert!(two.is_none());
    b.join(1, &first.member_id, Some("i")).unwrap();
    let two: JoinGroupResponse = b.read(2, ApiKey::JoinGroup, 7).unwrap();
    assert!(b.sync(2, &two.member_id, 2, &[]).is_none());
    b.sync(1, &first.member_id, 2, &[(&first.member_id, "a"), (&two.member_id, "b")]).unwrap();
    b.read::<SyncGroupResponse>(2, ApiKey::SyncGroup, 3).unwrap();
    // The follower restarts: same generation, same part, no rebalance; its old id is fenced. Under a cooperative protocol it
    // says that it owns nothing, so what it says differs, and still no rebalance (as in Kafka).
    let again = b.join_with(3, "", Some("j"), b"owns nothing").unwrap();
    assert_eq!((again.error_code, again.generation_id), (0, 2));
    assert_ne!(again.member_id, two.member_id);
    assert_eq!(&b.sync(3, &again.member_id, 2, &[]).unwrap().assignment[..], b"b");
    assert_eq!(b.heartbeat(&first.member_id, 2), code::NONE);
    let fenced = b.join(2, &two.member_id, Some("j")).unwrap();
    assert_eq!(fenced.error_code, code::FENCED_INSTANCE_ID);
}

#[test]
fn commits_survive_and_unknown_groups_have_none() {
    let mut b = Bench::new();
    b.make_topic("t", 2);
    let commit = |metadata: &str, generation| OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: generation,
        topics: vec![OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 1,
                committed_offset: 42,
                committed_leader_epoch: -1,
                committed_metadata: Some(metadata.into()),
            }],
        }],
        ..Default::default()
    };
    let error = |r: OffsetCommitResponse| r.topics[0].partitions[0].error_code;
    assert_eq!(error(b.ask(1, ApiKey::OffsetCommit, 6, &commit("note", -1))), 0);
    assert_eq!(
        error(b.ask(1, ApiKey::OffsetCommit, 6, &commit(&"x".repeat(5_000), -1))),
        code::OFFSET_METADATA_TOO_LARGE
    );
    let store = std::mem::replace(&mut b.broker.store, Box::new(MemoryStore::new()));
    b.broker = Broker::open(config(), store, b.now).unwrap();
    (1..=9).for_each(|id| b.broker.connect(id, Peer::default()));
    let fetch = |group: &str, topics| OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.into(),
            member_epoch: -1,
            member_id: None,
            topics,
        }],
        ..Default::default()
    };
    let all: OffsetFetchResponse = b.ask(1, ApiKey::OffsetFetch, 8, &fetch("g", None));
    let found = &all.groups[0].topics[0].partitions[0];
    assert_eq!(
        (found.partition_index, found.committed_offset, found.metadata.as_deref()),
        (1, 42, Some("note"))
    );
    let wanted = Some(vec![OffsetFetchRequestTopics { name: "t".into(), partition_indexes: vec![0] }]);
    let none: OffsetFetchResponse = b.ask(1, ApiKey::OffsetFetch, 8, &fetch("nobody", wanted));
    let found = &none.groups[0].topics[0].partitions[0];
    assert_eq!((found.committed_offset, found.error_code, none.groups[0].error_code), (-1, 0, 0));
    // The same before requests were about several groups.
    let topics = Some(vec![OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0] }]);
    let old = OffsetFetchRequest { group_id: "nobody".into(), topics, ..Default::default() };
    let none: OffsetFetchResponse = b.ask(1, ApiKey::OffsetFetch, 7, &old);
    let found = &none.topics[0].partitions[0];
    assert_eq!((found.committed_offset, found.error_code, none.error_code), (-1, 0, 0));
    // After the retention time without members they are forgotten.
    b.advance(8 * 24 * 60 * 60 * 1_000);
    assert!(b.broker.groups.is_empty());
}

#[test]
fn list_offsets_knows_times_and_ends() {
    let mut b = Bench::new();
    b.make_topic("t", 1);
    let mut builder = BatchBuilder::new();
    for time in [100, 300, 200] {
        builder.push(time, None, Some(b"v"), &[]);
    }
    b.produce("t", builder.finish(0));
    let mut list = |timestamp| {
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: "t".into(),
                partitions: vec![ListOffsetsPartition {
                    timestamp,
                    current_leader_epoch: -1,
                    ..Default::default()
                }],
            }],
            ..Default::default()
        };
        let r: ListOffsetsResponse = b.ask(1, ApiKey::ListOffsets, 7, &request);
        let p = &r.topics[0].partitions[0];
        (p.error_code, p.offset, p.timestamp)
    };
    assert_eq!(list(-1), (0, 3, -1));
    assert_eq!(list(-2), (0, 0, -1));
    assert_eq!(list(-3), (0, 1, 300));
    assert_eq!(list(101), (0, 1, 300));
    assert_eq!(list(301), (0, -1, -1));
}

#[test]
fn versions_outside_the_range_are_told() {
    let mut b = Bench::new();
    // ApiVersions from the future: the table in the layout of version 0.
    let frame = Bytes::from_static(&[0, 18, 0x7f, 0xff, 0, 0, 0, 9, 0xff, 0xff, 1, 2, 3]);
    let request = prepare(frame, &mut Vec::new()).unwrap();
    b.broker.handle(b.now, 1, request, &mut b.out);
    let r: cluster::ApiVersionsResponse = b.read(1, ApiKey::ApiVersions, 0).unwrap();
    assert_eq!((r.error_code, r.api_keys.len()), (code::UNSUPPORTED_VERSION, APIS.len()));
    let produce = r.api_keys.iter().find(|a| a.api_key == 0).unwrap();
    assert_eq!((produce.min_version, produce.max_version), (0, 9));
    // A version of tagged fields: its answer has them, the header has none.
    b.send(1, ApiKey::ApiVersions, 3, |w| cluster::ApiVersionsRequest::default().write(w));
    let (correlation, bytes) = b.answer(1).unwrap();
    assert_eq!((correlation, &bytes[..2]), (b.correlation, &[0, 0][..]), "no error, at once");
    assert_eq!(usize::from(bytes[2]), APIS.len() + 1, "the compact count of the table");
    // Anything else: closed.
    let frame = Bytes::from_static(&[0, 3, 0, 99, 0, 0, 0, 9, 0xff, 0xff]);
    b.broker.handle(b.now, 2, prepare(frame, &mut Vec::new()).unwrap(), &mut b.out);
    assert_eq!(b.out.closed[0].0, 2);
    assert!(prepare(Bytes::from_static(&[0, 24, 0, 0, 0, 0, 0, 9, 0xff, 0xff]), &mut Vec::new()).is_err());
}

/// What clients read out of the table, each learnt from one of them.
#[test]
fn the_table_has_what_clients_look_for() {
    let range = |key: ApiKey| {
        let api = Api::find(key as i16).unwrap();
        api.advertised_from..=api.max
    };
    // librdkafka: compression only where the oldest produce is offered; validation of offsets by version 2, options by 1,
    // topics by 4 at most.
    assert!(range(ApiKey::Produce).contains(&0));
    assert!(range(ApiKey::OffsetForLeaderEpoch).contains(&2));
    assert!(range(ApiKey::DescribeConfigs).contains(&1));
    assert!(range(ApiKey::CreateTopics).contains(&4));
    // zstd (KIP-110): offered from these versions on.
    assert!(range(ApiKey::Produce).contains(&7) && range(ApiKey::Fetch).contains(&10));
    // Ids of topics: Metadata from 10 and Fetch from 13, both or neither.
    assert_eq!(*range(ApiKey::Metadata).end() >= 10, *range(ApiKey::Fetch).end() >= 13);
    // Java's producer is idempotent unless told otherwise.
    assert!(range(ApiKey::InitProducerId).contains(&0));
    // Transactions and KIP-848 groups are not offered: AddPartitionsToTxn, EndTxn, ConsumerGroupHeartbeat.
    assert!([24, 26, 68].into_iter().all(|key| Api::find(key).is_none()));
}

#[test]
fn an_old_produce_is_refused_partition_by_partition() {
    for version in 0..3i16 {
        let mut b = Bench::new();
        b.make_topic("t", 1);
        let old = |acks: i16| {
            move |w: &mut Writer| {
                acks.write(w);
                1_000i32.write(w);
                1i32.write(w);
                "t".to_owned().write(w);
                2i32.write(w);
                for index in 0..2i32 {
                    index.write(w);
                    Bytes::from_static(b"messages of an older form").write(w);
                }
            }
        };
        b.send(2, ApiKey::Produce, version, old(1));
        let (_, bytes) = b.answer(2).unwrap();
        let mut r = Reader::new(bytes, version, false);
        assert_eq!((r.count().unwrap(), String::read(&mut r).unwrap()), (Some(1), "t".into()));
        assert_eq!(r.count().unwrap(), Some(2));
        for index in 0..2 {
            assert_eq!(i32::read(&mut r).unwrap(), index);
            let (error, offset) = (i16::read(&mut r).unwrap(), i64::read(&mut r).unwrap());
            assert_eq!((error, offset), (code::UNSUPPORTED_VERSION, -1));
            if version == 2 {
                assert_eq!(i64::read(&mut r).unwrap(), -1);
            }
        }
        assert_eq!(r.remaining(), if version == 0 { 0 } else { 4 });
        assert_eq!(b.broker.store.offsets("t", 0).unwrap().end, 0);
        // Who waits for no answer is told by the end of the connection.
        b.send(3, ApiKey::Produce, version, old(0));
        assert!(b.answer(3).is_none());
        assert_eq!(b.out.closed[0].0, 3);
    }
}

#[test]
fn limits_hold() {
    let mut b = Bench::over(
        MemoryStore::new(),
        BrokerConfig { max_groups: 1, max_group_members: 1, max_partitions: 3, ..config() },
    );
    let one = b.member_id(1);
    b.join(1, &one, None).unwrap();
    assert_eq!(b.join(2, "", None).unwrap().error_code, code::GROUP_MAX_SIZE_REACHED);
    let (version, other) = join("other", "", None, 7);
    let r: JoinGroupResponse = b.ask(3, ApiKey::JoinGroup, version, &other);
    assert_eq!(r.error_code, code::COORDINATOR_NOT_AVAILABLE);
    let topic = tm::CreatableTopic {
        name: "big".into(),
        num_partitions: 4,
        replication_factor: 1,
        ..Default::default()
    };
    let request = tm::CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let r: tm::CreateTopicsResponse = b.ask(1, ApiKey::CreateTopics, 5, &request);
    assert_eq!(r.topics[0].error_code, code::INVALID_PARTITIONS);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Whatever a frame holds, the broker goes on: random bodies, and valid requests with bytes changed or cut.
    #[test]
    fn no_frame_breaks_the_broker(
        api in 0..APIS.len(),
        version in 0i16..12,
        body in proptest::collection::vec(any::<u8>(), 0..200),
        small in any::<bool>(),
    ) {
        let mut b = Bench::new();
        b.make_topic("t", 1);
        let key = APIS[api].key as i16;
        let mut frame = vec![];
        frame.extend_from_slice(&key.to_be_bytes());
        frame.extend_from_slice(&version.to_be_bytes());
        frame.extend_from_slice(&[0, 0, 0, 1, 0, 1, b'c']);
        frame.extend(body.iter().map(|b| if small { b % 4 } else { *b }));
        if let Ok(request) = prepare(frame.into(), &mut Vec::new()) {
            b.broker.handle(b.now, 1, request, &mut b.out);
        }
        b.advance(100_000);
        // Another connection is served as before.
        b.send_produce(2, "t", 1, &batch(1));
        prop_assert_eq!(b.produced(2).map(|p| p.0), Some(0));
    }
}

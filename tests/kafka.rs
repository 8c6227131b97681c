//! The broker over real sockets and a real log: what strangers send hurts nobody, and what was promised survives.
//!
//! Clients of the outside world are tried by `scripts/test-kafka-clients`.

#[path = "kafka/client.rs"]
mod client;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::Client;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use pelton::edge::{Limits, Listener, Server, ServerConfig};
use pelton::host::SystemClock;
use pelton::log::{Log, LogConfig, LogStore};
use pelton::wire::{BatchBuilder, Compression};

fn start_with(dir: &Path, change: impl FnOnce(&mut ServerConfig)) -> Server {
    let mut config = ServerConfig::new(Listener::plain("127.0.0.1:0".parse().unwrap()));
    config.executors = 2;
    change(&mut config);
    let log = Log::open(dir, LogConfig::default()).unwrap();
    Server::start(config, Box::new(LogStore::new(log)), Arc::new(SystemClock::default())).unwrap()
}

fn start(dir: &Path) -> Server {
    start_with(dir, |_| {})
}

fn connect(server: &Server) -> Client {
    Client::connect(server.addresses()[0])
}

fn text(s: &str) -> StrBytes {
    StrBytes::from_string(s.to_owned())
}

fn name(s: &str) -> TopicName {
    text(s).into()
}

fn make_topic(client: &mut Client, topic: &str, options: &[(&str, &str)]) {
    use kafka_protocol::messages::create_topics_request::CreatableTopicConfig;
    let options = options
        .iter()
        .map(|(k, v)| CreatableTopicConfig::default().with_name(text(k)).with_value(Some(text(v))))
        .collect();
    let topic = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(1)
        .with_replication_factor(1)
        .with_configs(options);
    let answer = client.ask(4, &CreateTopicsRequest::default().with_topics(vec![topic]));
    assert_eq!(answer.topics[0].error_code, 0, "{answer:?}");
}

/// Error and base offset.
fn produce(client: &mut Client, topic: &str, batch: &[u8]) -> (i16, i64) {
    let partition = PartitionProduceData::default().with_records(Some(Bytes::copy_from_slice(batch)));
    let data = TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![partition]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(10_000).with_topic_data(vec![data]);
    let answer = client.ask(8, &request);
    let p = &answer.responses[0].partition_responses[0];
    (p.error_code, p.base_offset)
}

fn fetch_request(topic: &str, offset: i64, max_bytes: i32) -> FetchRequest {
    let partition = FetchPartition::default().with_fetch_offset(offset).with_partition_max_bytes(max_bytes);
    let topic = FetchTopic::default().with_topic(name(topic)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_wait_ms(5_000)
        .with_min_bytes(1)
        .with_max_bytes(max_bytes)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

fn fetch(client: &mut Client, topic: &str, offset: i64) -> Bytes {
    let answer = client.ask(11, &fetch_request(topic, offset, 1 << 20));
    answer.responses[0].partitions[0].records.clone().unwrap_or_default()
}

fn batch(value: &[u8], codec: Compression) -> Vec<u8> {
    let mut b = BatchBuilder::with_compression(codec);
    b.push(1_000, Some(b"k"), Some(value), &[]);
    b.finish(0).to_vec()
}

/// The client is closed on, and not answered.
fn is_closed(mut socket: TcpStream) -> bool {
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    matches!(socket.read(&mut [0; 16]), Ok(0)) || socket.read(&mut [0; 16]).is_err()
}

#[test]
fn what_is_acknowledged_survives_stop_and_crash() {
    let dir = tempfile::tempdir().unwrap();
    let mut next = 0;
    for policy in ["none", "group-commit"] {
        for is_clean in [true, false] {
            let server = start(dir.path());
            let mut client = connect(&server);
            if is_clean {
                make_topic(&mut client, policy, &[("flush.policy", policy)]);
                next = 0;
            }
            for _ in 0..50 {
                assert_eq!(produce(&mut client, policy, &batch(b"v", Compression::Zstd)), (0, next));
                next += 1;
            }
            if is_clean { server.stop().unwrap() } else { server.abandon() }
        }
        let server = start(dir.path());
        let mut client = connect(&server);
        let (mut at, mut seen) = (0, 0);
        while at < next {
            let bytes = fetch(&mut client, policy, at);
            let mut rest = &bytes[..];
            while let Ok(found) = pelton::wire::Batch::parse(rest) {
                found.check().unwrap();
                assert_eq!(found.header().base_offset, at);
                at += 1;
                seen += 1;
                rest = &rest[found.bytes().len()..];
            }
        }
        assert_eq!(seen, 100);
        server.stop().unwrap();
    }
}

#[test]
fn what_the_process_itself_appends_reaches_a_waiting_consumer() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), LogConfig::default()).unwrap();
    log.create_topic("t", 1, pelton::log::TopicConfig::default()).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    let config = ServerConfig::new(Listener::plain("127.0.0.1:0".parse().unwrap()));
    let server =
        Server::start(config, Box::new(LogStore::new(log)), Arc::new(SystemClock::default())).unwrap();
    let mut client = connect(&server);
    client.send(11, &fetch_request("t", 0, 1 << 20).with_max_wait_ms(60_000));
    writer.append_record(1, None, Some(b"from inside"), &[]).unwrap();
    writer.publish().unwrap();
    let answer = client.read::<FetchRequest>(11);
    assert!(!answer.responses[0].partitions[0].records.as_ref().unwrap().is_empty());
    // The partition has its owner: clients are told so, finally (POLICY_VIOLATION).
    assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)).0, 44);
    drop(writer);
    server.stop().unwrap();
}

#[test]
fn topics_grow_and_change_while_they_are_served() {
    let dir = tempfile::tempdir().unwrap();
    for restart in [false, true] {
        let server = start(dir.path());
        let mut client = connect(&server);
        if !restart {
            for policy in ["none", "group-commit", "each"] {
                make_topic(&mut client, policy, &[("flush.policy", policy)]);
                assert_eq!(produce(&mut client, policy, &batch(b"v", Compression::None)), (0, 0));
                let grow = CreatePartitionsTopic::default()
                    .with_name(name(policy))
                    .with_count(3)
                    .with_assignments(None);
                let answer = client.ask(2, &CreatePartitionsRequest::default().with_topics(vec![grow]));
                assert_eq!(answer.results[0].error_code, 0, "{answer:?}");
                let option = AlterableConfig::default()
                    .with_name(text("max.message.bytes"))
                    .with_value(Some(text("500")));
                let resource = AlterConfigsResource::default()
                    .with_resource_type(2)
                    .with_resource_name(text(policy))
                    .with_configs(vec![option]);
                let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
                let answer = client.ask(1, &request);
                assert_eq!(answer.responses[0].error_code, 0, "{answer:?}");
            }
        }
        for policy in ["none", "group-commit", "each"] {
            assert_eq!(
                produce(&mut client, policy, &batch(&[7; 1_000], Compression::None)).0,
                10,
                "{policy}"
            );
            let next = 1 + i64::from(restart);
            assert_eq!(produce(&mut client, policy, &batch(b"w", Compression::None)), (0, next), "{policy}");
            let answer = client.ask(
                8,
                &MetadataRequest::default().with_topics(Some(vec![
                    metadata_request::MetadataRequestTopic::default().with_name(Some(name(policy))),
                ])),
            );
            assert_eq!(answer.topics[0].partitions.len(), 3);
        }
        server.stop().unwrap();
    }
}

#[test]
fn bytes_from_strangers_close_their_connection_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let mut client = connect(&server);
    make_topic(&mut client, "t", &[]);
    let frame = |body: &[u8]| [&(body.len() as i32).to_be_bytes()[..], body].concat();
    let metadata_of_many = [&[0, 3, 0, 1, 0, 0, 0, 1, 0, 0][..], &i32::MAX.to_be_bytes()].concat();
    let fetch_of_many =
        [&[0, 1, 0, 4, 0, 0, 0, 1, 0, 0][..], &[0; 17], &i32::MAX.to_be_bytes(), &[0, 1, b't']].concat();
    let mut flexible = vec![0, 3, 0, 9, 0, 0, 0, 1, 0, 0, 0];
    flexible.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
    let hostile: Vec<Vec<u8>> = vec![
        i32::MAX.to_be_bytes().to_vec(),
        [&i32::MAX.to_be_bytes()[..], &[0, 0, 0, 9]].concat(),
        i32::MIN.to_be_bytes().to_vec(),
        vec![0, 0, 0, 0],
        vec![0, 0, 0, 3, 1, 2, 3],
        [&(3i32 << 20).to_be_bytes()[..], &[0, 3, 0, 1]].concat(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 500]].concat(),
        frame(&[0, 99, 0, 0, 0, 0, 0, 1, 0, 0]),
        frame(&[0, 3, 0, 77, 0, 0, 0, 1, 0, 0]),
        frame(&metadata_of_many),
        frame(&fetch_of_many),
        frame(&flexible),
    ];
    for bytes in &hostile {
        let mut socket = TcpStream::connect(server.addresses()[0]).unwrap();
        socket.write_all(bytes).unwrap();
        assert!(is_closed(socket), "{:02x?}", &bytes[..bytes.len().min(20)]);
        assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)).0, 0);
    }
    // A batch that grows to 300 MB is refused; what lies around it goes on.
    let bomb = batch(&vec![0; 300 << 20], Compression::Zstd);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(produce(&mut client, "t", &bomb).0, 10);
    assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)).0, 0);
    assert!(server.buffered_bytes() < 1 << 20);
    assert_eq!(server.failure(), None);
    server.stop().unwrap();
}

#[test]
fn many_half_open_connections_and_one_that_works() {
    let dir = tempfile::tempdir().unwrap();
    let server = start_with(dir.path(), |c| c.limits = Limits { connections: 700, ..Limits::default() });
    let mut client = connect(&server);
    make_topic(&mut client, "t", &[]);
    let mut half = Vec::new();
    for i in 0..400 {
        let mut socket = TcpStream::connect(server.addresses()[0]).unwrap();
        // Some say nothing, some begin a frame of 50 MB.
        if i % 2 == 0 {
            socket.write_all(&[&(50i32 << 20).to_be_bytes()[..], &[0, 0, 0, 8, 1, 2]].concat()).unwrap();
        }
        half.push(socket);
    }
    assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)), (0, 0));
    assert_eq!(produce(&mut connect(&server), "t", &batch(b"v", Compression::None)), (0, 1));
    assert!(server.buffered_bytes() < 1 << 20, "{}", server.buffered_bytes());
    // Beyond the limit: closed at once, those inside go on.
    let more: Vec<_> = (0..400).filter_map(|_| TcpStream::connect(server.addresses()[0]).ok()).collect();
    assert!(is_closed(more.into_iter().next_back().unwrap()));
    assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)), (0, 2));
    drop(half);
    server.stop().unwrap();
}

#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let mut client = connect(&server);
    make_topic(&mut client, "t", &[]);
    for _ in 0..20 {
        assert_eq!(produce(&mut client, "t", &batch(&[1; 900_000], Compression::None)).0, 0);
    }
    let mut lazy = connect(&server);
    lazy.socket.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    // Asks for 18 MB 200 times and takes nothing.
    for _ in 0..200 {
        let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            lazy.send(11, &fetch_request("t", 0, 50 << 20));
        }));
        if sent.is_err() {
            break;
        }
    }
    assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)).0, 0);
    // One answer stands before it, a view of the log and not a copy.
    assert!(server.buffered_bytes() < 1 << 20, "{}", server.buffered_bytes());
    server.stop().unwrap();
}

#[test]
fn large_answers_in_a_row_do_not_stall() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let mut client = connect(&server);
    make_topic(&mut client, "t", &[]);
    for _ in 0..20 {
        assert_eq!(produce(&mut client, "t", &batch(&[1; 900_000], Compression::None)).0, 0);
    }
    // All asked at once: the second is read from the socket only after the first has been taken.
    for _ in 0..5 {
        client.send(11, &fetch_request("t", 0, 50 << 20));
    }
    let start = std::time::Instant::now();
    for _ in 0..5 {
        assert!(client.frame().unwrap().len() > 17 << 20);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    server.stop().unwrap();
}

#[test]
fn requests_before_authentication_are_not_answered() {
    let dir = tempfile::tempdir().unwrap();
    let server = start_with(dir.path(), |c| {
        c.listeners[0].must_authenticate = true;
        c.broker.credentials = pelton::wire::broker::Credentials::new(&[7; 32]);
        c.broker.credentials.add("bob", "builder");
    });
    let mut stranger = connect(&server);
    let versions = stranger.ask(3, &ApiVersionsRequest::default());
    assert_eq!(versions.error_code, 0);
    stranger.send(1, &MetadataRequest::default());
    assert!(stranger.frame().is_none());
    let mut bob = connect(&server);
    let handshake = SaslHandshakeRequest::default().with_mechanism(text("PLAIN"));
    assert_eq!(bob.ask(1, &handshake).error_code, 0);
    let proof = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from_static(b"\0bob\0builder"));
    assert_eq!(bob.ask(1, &proof).error_code, 0);
    make_topic(&mut bob, "t", &[]);
    let mut eve = connect(&server);
    assert_eq!(eve.ask(1, &handshake).error_code, 0);
    let wrong = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from_static(b"\0bob\0x"));
    assert_eq!(eve.ask(1, &wrong).error_code, 58);
    assert!(eve.frame().is_none());
    // A frame larger than a stranger may send.
    let mut socket = TcpStream::connect(server.addresses()[0]).unwrap();
    socket.write_all(&[&(1i32 << 20).to_be_bytes()[..], &[0, 36, 0, 0]].concat()).unwrap();
    assert!(is_closed(socket));
    server.stop().unwrap();
}

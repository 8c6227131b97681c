//! The broker over real sockets and a real log: what strangers send hurts nobody, and what was promised survives.
//!
//! Every test runs over both kinds of executor; where io_uring is not allowed, that half says so and is left out. Clients of
//! the outside world are tried by `scripts/test-kafka-clients`.

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
use pelton::edge::{Driver, Limits, Listener, Server, ServerConfig, io_uring_is_allowed};
use pelton::host::{SimDisk, SystemClock};
use pelton::log::{Log, LogConfig, LogStore};
use pelton::wire::{BatchBuilder, Compression};

/// Long enough for a slow machine under load; a test that stands still must not keep the others from being reported.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Runs a test on a thread of its own and fails when it does not end.
fn in_time(test: fn(Driver), driver: Driver) {
    let (said, says) = std::sync::mpsc::channel();
    let body = std::thread::spawn(move || {
        // Dropped at the end, by a panic too.
        let _said: std::sync::mpsc::Sender<()> = said;
        test(driver);
    });
    let ended = says.recv_timeout(TIME_LIMIT);
    assert_ne!(ended, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "stands still for {TIME_LIMIT:?}");
    if let Err(panic) = body.join() {
        std::panic::resume_unwind(panic);
    }
}

macro_rules! over_both_drivers {
    ($($test:ident)*) => {
        mod portable {
            $(#[test] fn $test() { super::in_time(super::$test, super::Driver::Portable) })*
        }
        mod io_uring {
            $(#[test] fn $test() {
                match super::io_uring_is_allowed() {
                    Ok(()) => super::in_time(super::$test, super::Driver::IoUring),
                    Err(e) => eprintln!("left out: {e}"),
                }
            })*
        }
    };
}

over_both_drivers! {
    a_stop_is_heard_whatever_the_threads_are_doing
    what_is_acknowledged_survives_stop_and_crash
    what_the_process_itself_appends_reaches_a_waiting_consumer
    topics_grow_and_change_while_they_are_served
    bytes_from_strangers_close_their_connection_and_no_other
    many_half_open_connections_and_one_that_works
    a_client_that_does_not_read_is_not_read_from
    large_answers_in_a_row_do_not_stall
    requests_before_authentication_are_not_answered
    a_full_disk_refuses_records_and_goes_on_serving
    offsets_survive_a_restart_that_members_live_through
    damaged_and_cut_off_requests
}

fn start_on(log: Log, driver: Driver, change: impl FnOnce(&mut ServerConfig)) -> Server {
    let mut config = ServerConfig::new(Listener::plain("127.0.0.1:0".parse().unwrap()));
    config.executors = 2;
    config.driver = driver;
    change(&mut config);
    Server::start(config, Box::new(LogStore::new(log)), Arc::new(SystemClock::default())).unwrap()
}

fn start_with(dir: &Path, driver: Driver, change: impl FnOnce(&mut ServerConfig)) -> Server {
    start_on(Log::open(dir, LogConfig::default()).unwrap(), driver, change)
}

fn start(dir: &Path, driver: Driver) -> Server {
    start_with(dir, driver, |_| {})
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

fn produce_request(topic: &str, batch: &[u8]) -> ProduceRequest {
    let partition = PartitionProduceData::default().with_records(Some(Bytes::copy_from_slice(batch)));
    let data = TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![partition]);
    ProduceRequest::default().with_acks(-1).with_timeout_ms(10_000).with_topic_data(vec![data])
}

/// Error and base offset.
fn produce(client: &mut Client, topic: &str, batch: &[u8]) -> (i16, i64) {
    let answer = client.ask(8, &produce_request(topic, batch));
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

/// The client is closed on, and not answered: an end or a reset, not silence.
fn is_closed(mut socket: TcpStream) -> bool {
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    loop {
        match socket.read(&mut [0; 16]) {
            Ok(n) => return n == 0,
            // A read with a time limit is not taken up again after a signal, and io_uring sends them.
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return e.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

fn a_stop_is_heard_whatever_the_threads_are_doing(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..40 {
        let server = start(dir.path(), driver);
        if round % 4 > 1 {
            connect(&server).ask(3, &ApiVersionsRequest::default());
        }
        if round % 2 == 0 { server.stop().unwrap() } else { server.abandon() }
    }
}

fn what_is_acknowledged_survives_stop_and_crash(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    let mut next = 0;
    for policy in ["none", "group-commit"] {
        for is_clean in [true, false] {
            let server = start(dir.path(), driver);
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
        let server = start(dir.path(), driver);
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

fn what_the_process_itself_appends_reaches_a_waiting_consumer(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), LogConfig::default()).unwrap();
    log.create_topic("t", 1, pelton::log::TopicConfig::default()).unwrap();
    let mut writer = log.writer("t", 0).unwrap();
    let server = start_on(log, driver, |_| {});
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

fn topics_grow_and_change_while_they_are_served(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    for restart in [false, true] {
        let server = start(dir.path(), driver);
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

fn bytes_from_strangers_close_their_connection_and_no_other(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), driver);
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
    let zeros = vec![0; 300 << 20];
    for codec in [Compression::Zstd, Compression::Gzip, Compression::Lz4, Compression::Snappy] {
        let bomb = batch(&zeros, codec);
        assert!(bomb.len() < 16 << 20);
        assert_eq!(produce(&mut client, "t", &bomb).0, 10, "{codec:?}");
    }
    assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)).0, 0);
    assert!(server.buffered_bytes() < 1 << 20);
    assert_eq!(server.failure(), None);
    server.stop().unwrap();
}

fn many_half_open_connections_and_one_that_works(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    // Both ends are in this process. Where fewer files may be open, there are fewer clients.
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = files.maximum.unwrap_or(u64::MAX).min(20_000);
    let raised = rustix::process::Rlimit { current: Some(most), maximum: files.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let many = (most as usize / 8).min(2_000);
    let limit = many + many / 2;
    let server =
        start_with(dir.path(), driver, |c| c.limits = Limits { connections: limit, ..Limits::default() });
    let mut client = connect(&server);
    make_topic(&mut client, "t", &[]);
    let mut half = Vec::new();
    for i in 0..many {
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
    let more: Vec<_> = (0..many).filter_map(|_| TcpStream::connect(server.addresses()[0]).ok()).collect();
    assert!(is_closed(more.into_iter().next_back().unwrap()));
    assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)), (0, 2));
    drop(half);
    server.stop().unwrap();
}

fn a_client_that_does_not_read_is_not_read_from(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), driver);
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

fn large_answers_in_a_row_do_not_stall(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), driver);
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

fn requests_before_authentication_are_not_answered(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    let server = start_with(dir.path(), driver, |c| {
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

fn a_full_disk_refuses_records_and_goes_on_serving(driver: Driver) {
    let disk = SimDisk::default();
    let clock = Arc::new(SystemClock::default());
    let log = Log::open_on(Arc::new(disk.clone()), clock, Path::new("/log"), LogConfig::default()).unwrap();
    let server = start_on(log, driver, |_| {});
    let mut client = connect(&server);
    make_topic(&mut client, "t", &[("segment.bytes", "1048576")]);
    assert_eq!(produce(&mut client, "t", &batch(&[7; 100_000], Compression::None)), (0, 0));
    disk.set_capacity(Some(disk.used()));
    let mut written = 1;
    let refused = loop {
        match produce(&mut client, "t", &batch(&[7; 100_000], Compression::None)) {
            (0, offset) => assert_eq!(offset, written),
            (error, _) => break error,
        }
        written += 1;
        assert!(written < 1_000, "the disk is never full");
    };
    // KAFKA_STORAGE_ERROR: clients try again.
    assert_eq!(refused, 56);
    let no_transaction = InitProducerIdRequest::default().with_transactional_id(None);
    // COORDINATOR_LOAD_IN_PROGRESS: what the Java client asks again after, where it gives up after a storage error.
    let id = client.ask(3, &no_transaction);
    assert_eq!((id.error_code, *id.producer_id), (14, -1));
    let (mut at, mut other) = (0, connect(&server));
    while at < written {
        let bytes = fetch(&mut other, "t", at);
        let mut rest = &bytes[..];
        while let Ok(found) = pelton::wire::Batch::parse(rest) {
            at = found.header().next_offset();
            rest = &rest[found.bytes().len()..];
        }
    }
    disk.set_capacity(None);
    assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)), (0, written));
    let id = client.ask(3, &no_transaction);
    assert_eq!((id.error_code, *id.producer_id), (0, 0));
    assert_eq!(server.failure(), None);
    server.stop().unwrap();
}

/// A member that goes on as if nothing had happened is told that it is not known, joins again, and finds what it committed.
fn offsets_survive_a_restart_that_members_live_through(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    let join = |client: &mut Client, member: &StrBytes| {
        let protocol = join_group_request::JoinGroupRequestProtocol::default()
            .with_name(text("range"))
            .with_metadata(Bytes::from_static(b"\0\0"));
        let request = JoinGroupRequest::default()
            .with_group_id(text("g").into())
            .with_session_timeout_ms(30_000)
            .with_rebalance_timeout_ms(30_000)
            .with_member_id(member.clone())
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol]);
        let answer = client.ask(5, &request);
        if answer.error_code == 79 {
            // MEMBER_ID_REQUIRED: here it is.
            return client.ask(5, &request.with_member_id(answer.member_id));
        }
        answer
    };
    let sync = |client: &mut Client, member: &StrBytes, generation: i32| {
        let request = SyncGroupRequest::default()
            .with_group_id(text("g").into())
            .with_generation_id(generation)
            .with_member_id(member.clone())
            .with_assignments(vec![
                sync_group_request::SyncGroupRequestAssignment::default()
                    .with_member_id(member.clone())
                    .with_assignment(Bytes::from_static(b"all")),
            ]);
        client.ask(3, &request)
    };
    let commit = |client: &mut Client, member: &StrBytes, generation: i32, offset: i64| {
        use kafka_protocol::messages::offset_commit_request::*;
        let partition = OffsetCommitRequestPartition::default().with_committed_offset(offset);
        let topic = OffsetCommitRequestTopic::default().with_name(name("t")).with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(text("g").into())
            .with_generation_id_or_member_epoch(generation)
            .with_member_id(member.clone())
            .with_topics(vec![topic]);
        client.ask(7, &request).topics[0].partitions[0].error_code
    };
    let committed = |client: &mut Client| {
        use kafka_protocol::messages::offset_fetch_request::*;
        let topic = OffsetFetchRequestTopic::default().with_name(name("t")).with_partition_indexes(vec![0]);
        let request =
            OffsetFetchRequest::default().with_group_id(text("g").into()).with_topics(Some(vec![topic]));
        client.ask(5, &request).topics[0].partitions[0].committed_offset
    };
    let mut known = StrBytes::default();
    for round in 0..4 {
        let server = start(dir.path(), driver);
        let mut client = connect(&server);
        if round == 0 {
            make_topic(&mut client, "t", &[]);
        } else {
            assert_eq!(committed(&mut client), round - 1);
            let beat =
                HeartbeatRequest::default().with_group_id(text("g").into()).with_member_id(known.clone());
            // UNKNOWN_MEMBER_ID, to heartbeats and to commits: nothing of an earlier life is overwritten.
            assert_eq!(client.ask(3, &beat.with_generation_id(1)).error_code, 25);
            assert_eq!(commit(&mut client, &known, 1, 99), 25);
        }
        let joined = join(&mut client, &StrBytes::default());
        assert_eq!((joined.error_code, &joined.leader), (0, &joined.member_id));
        let given = sync(&mut client, &joined.member_id, joined.generation_id);
        assert_eq!((given.error_code, &given.assignment[..]), (0, &b"all"[..]));
        assert_eq!(commit(&mut client, &joined.member_id, joined.generation_id, round), 0);
        known = joined.member_id;
        if round % 2 == 0 { server.stop().unwrap() } else { server.abandon() }
    }
}

fn damaged_and_cut_off_requests(driver: Driver) {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), driver);
    let mut client = connect(&server);
    make_topic(&mut client, "t", &[]);
    // A wrong checksum, everywhere in the batch: CORRUPT_MESSAGE or INVALID_RECORD, and nothing is stored.
    let good = batch(&[7; 50], Compression::None);
    for at in 16..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let (error, _) = produce(&mut client, "t", &bad);
        assert!([2, 10, 43, 76, 87].contains(&error), "byte {at}: {error}");
    }
    // Requests that end in the middle, at every byte, and their connections with them.
    let whole = connect(&server).encode(8, &produce_request("t", &good));
    for end in (0..whole.len()).step_by(7) {
        let mut socket = TcpStream::connect(server.addresses()[0]).unwrap();
        socket.write_all(&whole[..end]).unwrap();
    }
    // The same, said to be whole.
    for end in (4..whole.len()).step_by(3) {
        let mut socket = TcpStream::connect(server.addresses()[0]).unwrap();
        let length = (end - 4) as i32;
        socket.write_all(&[&length.to_be_bytes()[..], &whole[4..end]].concat()).unwrap();
        assert!(is_closed(socket), "{end}");
    }
    assert_eq!(produce(&mut client, "t", &good), (0, 0));
    assert_eq!(server.failure(), None);
    server.stop().unwrap();
}

#[cfg(all(target_os = "linux", feature = "glommio"))]
#[test]
fn where_io_uring_is_not_allowed_the_portable_driver_serves_and_says_so() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let dir = tempfile::tempdir().unwrap();
    // As under a small limit of locked memory; a refusing seccomp profile takes the same way.
    let start = |io: &str| {
        Command::new("sh")
            .args([
                "-c",
                "ulimit -l 64 && exec \"$@\"",
                "sh",
                env!("CARGO_BIN_EXE_pelton"),
                "serve",
                "--data",
            ])
            .arg(dir.path())
            .args(["--listen", "127.0.0.1:0", "--io", io])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut child = start("auto");
    let mut line = String::new();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    said.read_line(&mut line).unwrap();
    assert!(line.contains("by epoll because only 64 KiB of memory may be locked, 512 are needed"), "{line}");
    let address = line.split(" on ").nth(1).and_then(|l| l.split(" (").next()).unwrap().parse().unwrap();
    let mut client = Client::connect(address);
    make_topic(&mut client, "t", &[]);
    assert_eq!(produce(&mut client, "t", &batch(b"v", Compression::None)), (0, 0));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("stopped cleanly"), "{rest}");
    let refused = start("io-uring").wait_with_output().unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("ulimit -l"), "{said}");
}

/// Fuzzing starts from a request of each API; a decoder without one would hardly be reached.
#[test]
fn every_api_has_a_whole_request_among_the_seeds_of_the_fuzzers() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), Driver::Portable);
    let offered = connect(&server).ask(3, &ApiVersionsRequest::default()).api_keys;
    server.stop().unwrap();
    let now = pelton::wire::broker::Now { wall_ms: 1, monotonic_ms: 1 };
    let mut found = std::collections::BTreeSet::new();
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/kafka_request");
    for seed in std::fs::read_dir(seeds).unwrap() {
        let path = seed.unwrap().path();
        let frame = std::fs::read(&path).unwrap();
        found.insert(i16::from_be_bytes([frame[0], frame[1]]));
        let mut broker = pelton::wire::broker::Broker::open(
            Default::default(),
            Box::new(pelton::wire::MemoryStore::new()),
            now,
        )
        .unwrap();
        let request = pelton::wire::broker::prepare(frame.into(), &mut Vec::new());
        let request = request.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut out = Default::default();
        broker.connect(1, Default::default());
        broker.handle(now, 1, request, &mut out);
        assert!(out.closed.is_empty(), "{}: {:?}", path.display(), out.closed);
    }
    let missing: Vec<i16> = offered.iter().map(|a| a.api_key).filter(|key| !found.contains(key)).collect();
    assert!(missing.is_empty(), "no seed for the APIs {missing:?}");
}

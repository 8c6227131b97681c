//! The rdkafka crate: codecs, keys, headers twice, timestamps, an idempotent producer, a group with a commit that lasts.
//! Usage: rdkafka-client HOST:PORT

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

const CODECS: [&str; 4] = ["none", "gzip", "snappy", "lz4"];
const EACH: usize = 100;
const PATIENCE: Duration = Duration::from_secs(30);

fn config(address: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address);
    config
}

fn consumer(address: &str) -> BaseConsumer {
    let consumer: BaseConsumer = config(address)
        .set("group.id", "rdkafka-group")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .expect("a consumer");
    consumer.subscribe(&["rdkafka"]).expect("a subscription");
    consumer
}

fn read(consumer: &BaseConsumer, count: usize) -> BTreeSet<String> {
    let (mut seen, end) = (BTreeSet::new(), Instant::now() + PATIENCE);
    while seen.len() < count && Instant::now() < end {
        let Some(message) = consumer.poll(Duration::from_millis(200)) else { continue };
        let message = message.expect("a message");
        let headers = message.headers().expect("headers");
        assert_eq!(headers.count(), 2);
        assert_eq!((headers.get(0).key, headers.get(0).value), ("h", Some(&b"1"[..])));
        assert_eq!((headers.get(1).key, headers.get(1).value), ("h", None));
        assert_eq!(message.timestamp().to_millis(), Some(1_234_567));
        let value = String::from_utf8(message.payload().expect("a value").to_vec()).expect("text");
        assert!(seen.insert(value), "a record came twice");
    }
    assert_eq!(seen.len(), count);
    seen
}

fn main() {
    let address = std::env::args().nth(1).expect("HOST:PORT");
    let block = |future| futures_executor::block_on(future);
    let admin: AdminClient<DefaultClientContext> = config(&address).create().expect("an admin client");
    let topic = NewTopic::new("rdkafka", 3, TopicReplication::Fixed(1));
    let made = block(admin.create_topics([&topic], &AdminOptions::new())).expect("an answer");
    assert_eq!(made, [Ok("rdkafka".to_owned())]);
    for codec in CODECS {
        let producer: BaseProducer = config(&address)
            .set("compression.type", codec)
            .set("enable.idempotence", "true")
            .create()
            .expect("a producer");
        for i in 0..EACH {
            let headers = OwnedHeaders::new()
                .insert(Header { key: "h", value: Some("1") })
                .insert(Header { key: "h", value: None::<&str> });
            let (key, value) = (format!("{i}"), format!("{codec}-{i}"));
            let record = BaseRecord::to("rdkafka").key(&key).payload(&value).headers(headers);
            producer.send(record.timestamp(1_234_567)).map_err(|(e, _)| e).expect("room in the queue");
        }
        producer.flush(PATIENCE).expect("all acknowledged");
    }
    let first = consumer(&address);
    read(&first, CODECS.len() * EACH);
    first.commit_consumer_state(CommitMode::Sync).expect("a commit");
    drop(first);
    // A second member of the group, after the first has left, gets only what came since.
    let producer: BaseProducer = config(&address).create().expect("a producer");
    let headers = OwnedHeaders::new()
        .insert(Header { key: "h", value: Some("1") })
        .insert(Header { key: "h", value: None::<&str> });
    let record = BaseRecord::<str, str>::to("rdkafka").payload("last").headers(headers).timestamp(1_234_567);
    producer.send(record).map_err(|(e, _)| e).expect("room in the queue");
    producer.flush(PATIENCE).expect("acknowledged");
    assert_eq!(read(&consumer(&address), 1), BTreeSet::from(["last".to_owned()]));
    println!("rdkafka: {} records, {} codecs, headers twice, idempotent, a group that goes on", CODECS.len() * EACH + 1, CODECS.len());
}

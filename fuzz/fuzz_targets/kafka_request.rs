//! One frame of any API and version: it is read, or refused; never a panic, never memory from a stated count. The broker
//! that handles it goes on to serve another connection.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pelton::wire::broker::{Broker, BrokerConfig, Now, Outbox, Peer, prepare};
use pelton::wire::{MemoryStore, Store};

fuzz_target!(|data: &[u8]| {
    let Ok(request) = prepare(Bytes::copy_from_slice(data), &mut Vec::new()) else { return };
    let mut store = MemoryStore::new();
    store.create_topic("t", 2, &[]).unwrap();
    let now = Now { wall_ms: 1_000, monotonic_ms: 0 };
    let config = BrokerConfig { max_total_partitions: 100, max_partitions: 20, ..BrokerConfig::default() };
    let mut broker = Broker::open(config, Box::new(store), now).unwrap();
    broker.connect(1, Peer::default());
    broker.connect(2, Peer::default());
    let mut out = Outbox::default();
    broker.handle(now, 1, request, &mut out);
    broker.tick(Now { monotonic_ms: 10_000_000, ..now }, &mut out);
    out.replies.clear();
    let versions =
        prepare(Bytes::from_static(&[0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]), &mut Vec::new()).unwrap();
    broker.handle(now, 2, versions, &mut out);
    assert_eq!(out.replies.len(), 1);
});

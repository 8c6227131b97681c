//! A run of frames on three connections, as they come over the wire (length, frame), with time passing between them. What
//! holds at the end: replies are whole frames, no more of them than requests, and a broker opened over the same store starts.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pelton::wire::MemoryStore;
use pelton::wire::broker::{Broker, BrokerConfig, Now, Outbox, Peer, prepare};

fuzz_target!(|data: &[u8]| {
    let mut now = Now { wall_ms: 1_000_000, monotonic_ms: 0 };
    let config = BrokerConfig {
        max_total_partitions: 200,
        max_partitions: 20,
        max_groups: 20,
        ..BrokerConfig::default()
    };
    let mut broker = Broker::open(config, Box::new(MemoryStore::new()), now).unwrap();
    let mut out = Outbox::default();
    let (mut rest, mut requests, mut scratch) = (data, 0, Vec::new());
    for id in 0..3 {
        broker.connect(id, Peer { advertised: ("h".into(), 1), ..Peer::default() });
    }
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = (u32::from_be_bytes(*length) as usize).min(tail.len());
        let (frame, tail) = tail.split_at(length);
        rest = tail;
        let id = u64::from(frame.get(7).copied().unwrap_or(0) % 3);
        let Ok(request) = prepare(Bytes::copy_from_slice(frame), &mut scratch) else { continue };
        requests += 1;
        if broker.is_ready(id) {
            broker.handle(now, id, request, &mut out);
        }
        let step = u64::from(frame.get(6).copied().unwrap_or(0)) * 50;
        now = Now { wall_ms: now.wall_ms + step as i64, monotonic_ms: now.monotonic_ms + step };
        broker.tick(now, &mut out);
        if step % 7 == 3 {
            broker.disconnect(id);
            broker.connect(id, Peer::default());
        }
    }
    now.monotonic_ms += 100_000_000;
    broker.tick(now, &mut out);
    assert!(out.replies.len() <= requests);
    for (_, reply) in &out.replies {
        let all: usize = reply.parts.iter().map(Bytes::len).sum();
        assert_eq!(u32::from_be_bytes(reply.parts[0][..4].try_into().unwrap()) as usize, all - 4);
    }
    broker.close(now).unwrap();
});

//! The engine beside Rust written by hand, on the same columns: Nexmark's q0, q1, q2 and a keyed tumbling count.
//!
//! Informs decision 0004 (kernels, not machine code made at run time) and the limits of the first issue: at full batches at
//! most 3 times the hand-written q1 and q2 and 2 times the tumbling count; at batch 1 at most 30 ns per event for q1 and q2.
//! Times are per event of all kinds: divide criterion's time by the number of events, or read its elements per second.
//!
//! `cargo bench --bench nexmark` measures; `cargo bench --bench nexmark -- q1` one query. `EVENTS=1000000` changes the length.

mod engine;
mod events;
mod handwritten;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::Query;
use handwritten::{Bids, Out, Tumble};
use std::hint::black_box;
use std::time::Duration;

const SIZES: [usize; 3] = [1, 64, 1024];

fn events() -> u64 {
    std::env::var("EVENTS").ok().and_then(|e| e.parse().ok()).unwrap_or(262_144)
}

/// The hand-written query over all batches; returns its rows.
fn by_hand(name: &str, q: &Query, out: &mut Out) -> u64 {
    let mut tumble = Tumble::default();
    let (event_type, bid) = (q.column(0), q.column(3));
    let mut rows = 0;
    for batch in q.batches.iter() {
        // auction, bidder, price, dateTime, extra
        let b = Bids::of(batch, event_type, bid, [0, 1, 2, 5, 6]);
        rows += match name {
            "q0" => handwritten::q0(&b, out),
            "q1" => handwritten::q1(&b, out),
            "q2" => handwritten::q2(&b, out),
            _ => tumble.push(&b, out),
        } as u64;
        black_box(&mut *out);
    }
    rows + tumble.finish(out) as u64
}

fn nexmark(c: &mut Criterion) {
    let queries = [
        ("q0", include_str!("q0.sql")),
        ("q1", include_str!("q1.sql")),
        ("q2", include_str!("q2.sql")),
        ("tumble", include_str!("tumble.sql")),
    ];
    for (name, sql) in queries {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(events())).sample_size(20);
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
        for size in SIZES {
            let q = Query::new(sql, events(), size);
            let mut out = Out::default();
            assert_eq!(
                q.job().run(),
                by_hand(name, &q, &mut out),
                "{name}: both give the same number of rows"
            );
            group.bench_function(format!("hand/{size}"), |b| b.iter(|| by_hand(name, &q, &mut out)));
            group.bench_function(format!("engine/{size}"), |b| {
                b.iter_batched(|| q.job(), |job| job.run(), BatchSize::PerIteration);
            });
        }
        group.finish();
    }
}

criterion_group!(benches, nexmark);
criterion_main!(benches);

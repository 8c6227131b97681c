//! The engine beside Rust written by hand, on the same columns: Nexmark's q0, q1, q2 and a keyed tumbling count.
//!
//! Informs decision 0004 (kernels, not machine code made at run time) and the limits set for the engine: at full batches at
//! most 3 times the hand-written q1 and q2 and 2 times the tumbling count; at batch 1 at most 30 ns per event for q1 and q2.
//! Times are per bid: criterion's elements per second. Bids stand in columns of their own, so that the engine is measured and
//! not the separation of Nexmark's three kinds of event; `pelton bench nexmark` measures the whole of it, source included.
//!
//! `cargo bench --bench nexmark` measures; `cargo bench --bench nexmark -- q1` one query. `BIDS=1000000` changes the length.

mod engine;
mod events;
mod handwritten;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::Query;
use handwritten::{Bids, Out, Tumble};
use std::hint::black_box;
use std::time::Duration;

const SIZES: [usize; 3] = [1, 64, 1024];

fn bids() -> usize {
    std::env::var("BIDS").ok().and_then(|e| e.parse().ok()).unwrap_or(262_144)
}

/// The hand-written query over all bids, `batch` at a time; returns its rows.
fn by_hand(name: &str, q: &Query, batch: usize, out: &mut Out) -> u64 {
    let mut tumble = Tumble::default();
    let columns = ["auction", "bidder", "price", "dateTime", "extra"].map(|c| q.column(c));
    let mut rows = 0;
    for block in q.blocks.iter() {
        let whole = block[0].len();
        for start in (0..whole).step_by(batch) {
            let b = Bids::of(block, columns, start..whole.min(start + batch));
            rows += match name {
                "q0" => handwritten::q0(&b, out),
                "q1" => handwritten::q1(&b, out),
                "q2" => handwritten::q2(&b, out),
                _ => tumble.push(&b, out),
            } as u64;
            black_box(&mut *out);
        }
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
        group.throughput(Throughput::Elements(bids() as u64)).sample_size(20);
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
        let q = Query::new(sql, name == "tumble", bids());
        let mut out = Out::default();
        for size in SIZES {
            group.bench_function(format!("hand/{size}"), |b| b.iter(|| by_hand(name, &q, size, &mut out)));
            group.bench_function(format!("engine/{size}"), |b| {
                let by_hand = by_hand(name, &q, size, &mut out);
                assert_eq!(q.job(size).run(), by_hand, "{name}: the same number of rows");
                b.iter_batched(|| q.job(size), |job| job.run(), BatchSize::PerIteration);
            });
        }
        group.finish();
    }
}

criterion_group!(benches, nexmark);
criterion_main!(benches);

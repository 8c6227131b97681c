//! What a row costs in an OVER window, by the length of its frame: it must not grow with it (at most twice from 10 rows to
//! 100,000).
//!
//! Informs how frames slide: rows that leave are taken out of sums, MIN and MAX are kept by DABA Lite. One key, frames that are full before
//! the clock starts, rows of one batch at a time or one by one. `bag` is MAX by an ordered map of all values of the frame, which a group
//! aggregate needs because its rows leave in any order.
//!
//! `cargo bench --bench over` measures; `-- max` one aggregate.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pelton::Span;
use pelton::batch::{Batch, Column, ColumnRef, Field, Pool, Schema, TimeAttribute, TypeKind};
use pelton::expr::functions::builtin;
use pelton::expr::{Argument, Call, Session};
use pelton::operators::{Context, Operator, Over};
use pelton::plan::{self, Changelog, Frame, Node, Op, OverOrder};
use std::hint::black_box;
use std::time::{Duration, Instant};

const FRAMES: [u64; 3] = [10, 1_000, 100_000];

struct Bench {
    over: Over,
    pool: Pool,
    next: i64,
    event_time: bool,
}

impl Bench {
    fn new(call: &str, frame: Frame, event_time: bool) -> Self {
        let (name, distinct) = (call.trim_start_matches("distinct "), call.starts_with("distinct "));
        let (name, bag) = (name.trim_start_matches("bag "), name.starts_with("bag "));
        let time = TypeKind::Timestamp(3).not_null().with_time(TimeAttribute::Rowtime);
        let value = TypeKind::BigInt.nullable();
        let schema = Schema::new(vec![Field::new("v", value.clone()), Field::new("t", time)]);
        let args = [Argument {
            ty: value,
            literal: None,
            packed: false,
            packed_inside: false,
            span: Span::default(),
        }];
        let session = Session::default();
        let to_bind = Call { name, args: &args, span: Span::default(), session: &session };
        let bound =
            builtin().aggregate(name).expect("a built-in").bind(&to_bind, false).expect("it takes BIGINT");
        let accumulator = match (bag || distinct, frame.is_unbounded()) {
            (true, _) => bound.retracting,
            (false, true) => bound.accumulator,
            (false, false) => bound.sliding,
        };
        let aggregate = plan::Aggregate {
            name: name.into(),
            args: vec![0],
            distinct,
            filter: None,
            ty: bound.ty,
            merges: bound.merges,
            accumulator,
        };
        let order = if event_time { OverOrder::Rowtime(1) } else { OverOrder::Proctime };
        let node = Node {
            op: Op::Union,
            inputs: vec![],
            schema,
            changelog: Changelog::INSERT,
            upsert_key: None,
            state_ttl_ms: None,
            id: String::new(),
            span: Span::default(),
        };
        let over = plan::Over { partition: vec![], order, calls: vec![(frame, aggregate)] };
        Self { over: Over::new(&over, &node), pool: Pool::default(), next: 1, event_time }
    }

    /// Rows through the operator, `batch` at a time.
    fn run(&mut self, rows: u64, batch: usize) {
        let mut left = rows as usize;
        while left > 0 {
            let n = left.min(batch);
            let mut columns: Vec<ColumnRef> = vec![
                self.pool.column(&TypeKind::BigInt.nullable()),
                self.pool.column(&TypeKind::Timestamp(3).nullable()),
            ];
            let own = |c: &mut ColumnRef, f: &dyn Fn(i64) -> i64, from: i64| {
                let c: &mut Column = ColumnRef::get_mut(c).expect("the pool hands out unshared columns");
                c.buffer_mut::<i64>().extend_exact((0..n as i32).map(|i| f(from + i64::from(i))));
                c.validity.resize(n, true);
            };
            own(&mut columns[0], &|i| i.wrapping_mul(7919) % 100_003, self.next);
            own(&mut columns[1], &|i| i * 1000, self.next);
            let mut b = Batch::default();
            b.fill(&mut columns, n);
            if self.event_time {
                b.watermarks.advance(n, self.next + n as i64 - 2);
            }
            self.next += n as i64;
            left -= n;
            let mut cx = Context { pool: &mut self.pool, now_us: 0 };
            self.over.push(0, b, &mut cx).expect("no row fails");
            while let Some(b) = self.over.pull(&mut cx).expect("no row fails") {
                cx.pool.recycle(black_box(b));
            }
        }
    }
}

fn over(c: &mut Criterion) {
    for call in ["COUNT", "SUM", "AVG", "MAX", "bag MAX", "FIRST_VALUE", "LAST_VALUE", "distinct COUNT"] {
        for (by, event_time) in [("rows", false), ("range", true)] {
            if event_time && !["SUM", "MAX"].contains(&call) {
                continue;
            }
            for batch in [1, 1024] {
                let mut group = c.benchmark_group(format!("{call} {by}, batch {batch}").to_lowercase());
                group.throughput(Throughput::Elements(1)).sample_size(10);
                group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
                for rows in FRAMES {
                    let frame = if event_time {
                        Frame::Range(Some(rows as i64 - 1))
                    } else {
                        Frame::Rows(Some(rows - 1))
                    };
                    let mut b = Bench::new(call, frame, event_time);
                    b.run(2 * rows, 1024);
                    group.bench_function(BenchmarkId::from_parameter(rows), |bencher| {
                        bencher.iter_custom(|n| {
                            let whole = n.next_multiple_of(batch as u64);
                            let start = Instant::now();
                            b.run(whole, batch);
                            start.elapsed().mul_f64(n as f64 / whole as f64)
                        });
                    });
                }
            }
        }
    }
}

criterion_group!(benches, over);
criterion_main!(benches);

//! What a row costs in an OVER window, by the length of its frame: it must not grow with it (at most twice from 10 rows to
//! 100,000).
//!
//! Informs how frames slide: rows that leave are taken out of sums, MIN and MAX are kept by DABA Lite. One key, frames that are full before
//! the clock starts, rows of one batch at a time or one by one. `bag` is MAX by an ordered map of all values of the frame, which a group
//! aggregate needs because its rows leave in any order.
//!
//! **Rows out of order**, as a scorer gets them: one key, in each tenth step a row anywhere in the frame; what such a row costs, where all rows are
//! looked at (`ring`) and where they stand in a tree. Informs from how many rows on a key gets one (decision 0017).
//!
//! `cargo bench --bench over` measures; `-- max` one aggregate, `-- late` rows out of order.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pelton::Span;
use pelton::batch::{Batch, Column, ColumnRef, DataType, Field, Pool, Schema, TimeAttribute, TypeKind};
use pelton::expr::functions::builtin;
use pelton::expr::{Argument, Call, Session};
use pelton::operators::{Context, Operator, Over, OverScorer};
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

/// An OVER with one call, and a node whose rows are a value and a time.
fn plan_of(call: &str, frame: Frame, event_time: bool) -> (plan::Over, Node) {
    let (name, distinct) = (call.trim_start_matches("distinct "), call.starts_with("distinct "));
    let (name, bag) = (name.trim_start_matches("bag "), name.starts_with("bag "));
    let time = TypeKind::Timestamp(3).not_null().with_time(TimeAttribute::Rowtime);
    let value = TypeKind::BigInt.nullable();
    let schema = Schema::new(vec![Field::new("v", value.clone()), Field::new("t", time)]);
    let args =
        [Argument { ty: value, literal: None, packed: false, packed_inside: false, span: Span::default() }];
    let session = Session::default();
    let to_bind = Call { name, args: &args, span: Span::default(), session: &session };
    let bound =
        builtin().aggregate(name).expect("a built-in").bind(&to_bind, false).expect("it takes BIGINT");
    let accumulator = match (bag || distinct, frame.is_unbounded()) {
        (true, _) => bound.retracting,
        (false, true) => bound.accumulator.clone(),
        (false, false) => bound.sliding,
    };
    let aggregate = plan::Aggregate {
        name: name.into(),
        args: vec![0],
        distinct,
        filter: None,
        ty: bound.ty,
        merges: bound.merges,
        parts: bound.accumulator,
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
    (over, node)
}

impl Bench {
    fn new(call: &str, frame: Frame, event_time: bool) -> Self {
        let (over, node) = plan_of(call, frame, event_time);
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

/// A key's frame of so many ms, a row each.
struct Late {
    scorer: OverScorer,
    pool: Pool,
    out: Vec<ColumnRef>,
    types: Vec<DataType>,
    now: i64,
    rows: i64,
    seed: u64,
}

impl Late {
    fn new(calls: &[&str], rows: i64, least: u64) -> Self {
        let (mut over, node) = plan_of(calls[0], Frame::Range(Some(rows - 1)), true);
        for call in &calls[1..] {
            over.calls.extend(plan_of(call, Frame::Range(Some(rows - 1)), true).0.calls);
        }
        let types: Vec<DataType> = over.calls.iter().map(|(_, a)| a.ty.clone()).collect();
        let scorer = OverScorer::with_trees(&over, &node, true, least);
        let out = types.iter().map(|t| ColumnRef::new(Column::new(t))).collect();
        let mut own = Self { scorer, pool: Pool::default(), out, types, now: 0, rows, seed: 7 };
        for _ in 0..rows {
            own.next(0);
        }
        own.next(1);
        own
    }

    fn random(&mut self) -> i64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as i64
    }

    /// A row so many ms behind the newest; 0: one more.
    fn next(&mut self, behind: i64) -> Duration {
        self.now += i64::from(behind == 0);
        let (value, time) = (self.random() % 1000, self.now - behind);
        let mut columns: Vec<ColumnRef> = vec![
            self.pool.column(&TypeKind::BigInt.nullable()),
            self.pool.column(&TypeKind::Timestamp(3).nullable()),
        ];
        for (c, v) in columns.iter_mut().zip([value, time * 1000]) {
            let c: &mut Column = ColumnRef::get_mut(c).expect("the pool hands out unshared columns");
            c.buffer_mut::<i64>().push(v);
            c.validity.push(true);
        }
        let mut batch = Batch::default();
        batch.fill(&mut columns, 1);
        for (c, ty) in self.out.iter_mut().zip(&self.types) {
            *c = ColumnRef::new(Column::new(ty));
        }
        let start = Instant::now();
        self.scorer.advance(self.now - self.rows, &mut self.pool).expect("no row fails");
        self.scorer.score(&batch, 0, time, true, &mut self.out, &mut self.pool).expect("no row fails");
        let took = start.elapsed();
        self.pool.recycle(black_box(batch));
        took
    }

    /// What `n` rows cost, of which so many in ten are late, the late or the others.
    fn run(&mut self, n: u64, late: bool) -> Duration {
        let mut all = Duration::ZERO;
        for step in 0..n * if late { 10 } else { 1 } {
            let behind = if step % 10 == 9 { 1 + self.random() % (self.rows - 1) } else { 0 };
            let took = self.next(behind);
            all += if late == (behind > 0) { took } else { Duration::ZERO };
        }
        if late { all } else { all.mul_f64(10.0 / 9.0) }
    }
}

fn late(c: &mut Criterion) {
    let kinds: [(&str, &[&str]); 3] = [
        ("count sum max", &["COUNT", "SUM", "MAX"]),
        ("distinct", &["distinct COUNT"]),
        ("sum first max", &["SUM", "FIRST_VALUE", "MAX"]),
    ];
    for (name, calls) in kinds {
        for (form, least) in [("ring", u64::MAX), ("tree", 2)] {
            for rows in [10, 100, 1_000, 10_000, 1_000_000] {
                if form == "ring" && rows == 1_000_000 && name == "sum first max" {
                    continue;
                }
                let mut group = c.benchmark_group(format!("late {name}, {form}"));
                group.throughput(Throughput::Elements(1)).sample_size(10);
                group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500));
                let mut own = Late::new(calls, rows, least);
                group.bench_function(BenchmarkId::new("row out of order", rows), |b| {
                    b.iter_custom(|n| own.run(n, true));
                });
                if rows < 1_000_000 || form == "tree" {
                    group.bench_function(BenchmarkId::new("row in order", rows), |b| {
                        b.iter_custom(|n| own.run(n, false));
                    });
                }
            }
        }
    }
}

criterion_group!(benches, over, late);
criterion_main!(benches);

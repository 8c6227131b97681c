//! What crossing from one shard to another costs: a row at full batches, a hop beside a bare ring's, and an event's way to its keyed
//! result. Informs decision 0040 and the limits set for it: under 25 ns a row at full batches, a hop within twice the bare ring's of the
//! same run, and at most 2 µs at the median from an event to its result across one hop.
//!
//! `cargo bench --bench exchange` measures all; `-- row`, `-- hop`, `-- event`, `-- phases` or `-- idle` one. Times are medians of rounds by the wall clock:
//! they need two cores that nobody else uses.

use pelton::batch::{Batch, Column, ColumnRef, DataType, Pool, Sel, TypeKind};
use pelton::config::IdlePolicy;
use pelton::expr::{
    Arg, BoundFunction, Call, Determinism, EvalContext, FunctionDoc, Kernel, KernelFactory, RowError,
    ScalarFunction,
};
use pelton::plan::Exchange;
use pelton::ring::{Message, link};
use pelton::shard::{Inbox, Input, IoContext, Outbox, Output, Polled};
use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn batch(columns: usize, rows: usize, from: i64) -> Batch {
    let column = |c: i64| {
        let mut column = Column::of_kind(&TypeKind::BigInt);
        column.buffer_mut::<i64>().extend((0..rows as i64).map(|r| (from + r) * (c + 1)));
        column.validity.reset(rows);
        ColumnRef::new(column)
    };
    let mut batch = Batch::new((0..columns as i64).map(column).collect(), rows);
    for r in 0..rows {
        batch.watermarks.advance(r + 1, from + r as i64);
    }
    batch
}

/// Split by key into two, gathered, sent and received, on one thread; the watermark advances with each row.
fn row() {
    for columns in [2, 5] {
        for rows in [1, 64, 1024] {
            let types: Vec<DataType> = vec![TypeKind::BigInt.nullable(); columns];
            let bell = Arc::default();
            let (mut senders, mut inboxes) = (vec![], vec![]);
            for _ in 0..2 {
                let (sender, receiver) = link(16, &bell, &bell);
                senders.push(sender);
                inboxes.push(Inbox::new(types.clone(), vec![receiver]));
            }
            let mut out = Outbox::new(&Exchange::Keyed(vec![0]), types, senders);
            let (mut pool, mut there) = (Pool::default(), Pool::default());
            let batches = 65_536 / rows;
            let round =
                |from: i64, out: &mut Outbox, pool: &mut Pool, there: &mut Pool, inboxes: &mut [Inbox]| {
                    let made: Vec<Batch> =
                        (0..batches).map(|b| batch(columns, rows, from + (b * rows) as i64)).collect();
                    let start = Instant::now();
                    for batch in made {
                        let back = out.offer(batch, &mut IoContext { pool, now_us: 0 }).expect("no error");
                        assert!(back.is_none() && out.publish());
                        for inbox in inboxes.iter_mut() {
                            let mut cx = IoContext { pool: there, now_us: 0 };
                            while let Ok(Polled::Batch(batch)) = inbox.poll(1024, &mut cx) {
                                cx.pool.recycle(black_box(batch));
                            }
                        }
                    }
                    start.elapsed().as_nanos() as f64 / (batches * rows) as f64
                };
            let rounds = (0..25).map(|n| round(n * 65_536, &mut out, &mut pool, &mut there, &mut inboxes));
            println!(
                "row   {columns} columns, batches of {rows:>4}: {:>7.1} ns a row",
                median(rounds.collect())
            );
        }
    }
}

const HOPS: usize = 100_000;

/// There and back, halved: over bare rings of numbers, and over links.
fn hop() {
    let bare = {
        let (mut to, mut at) = rtrb::RingBuffer::<u64>::new(16);
        let (mut answer, mut back) = rtrb::RingBuffer::<u64>::new(16);
        let echo = std::thread::spawn(move || {
            for _ in 0..HOPS {
                let v = loop {
                    match at.pop() {
                        Ok(v) => break v,
                        Err(_) => spin_loop(),
                    }
                };
                answer.push(v).expect("one at a time");
            }
        });
        let times = (0..HOPS).map(|n| {
            let start = Instant::now();
            to.push(n as u64).expect("one at a time");
            while back.pop().is_err() {
                spin_loop();
            }
            start.elapsed().as_nanos() as f64 / 2.0
        });
        let bare = median(times.collect());
        echo.join().expect("the echo ends");
        bare
    };
    let (here, there) = (Arc::default(), Arc::default());
    let (mut to, mut at) = link::<Box<u64>>(16, &here, &there);
    let (mut answer, mut back) = link::<Box<u64>>(16, &there, &here);
    let echo = std::thread::spawn(move || {
        for _ in 0..HOPS {
            let message = loop {
                match at.receive() {
                    Some(m) => break m,
                    None => spin_loop(),
                }
            };
            assert!(answer.send(message).is_ok());
        }
    });
    let mut item = Some(Box::new(7));
    let times = (0..HOPS).map(|_| {
        let start = Instant::now();
        assert!(to.send(Message::Item(item.take().expect("it comes back"))).is_ok());
        loop {
            match back.receive() {
                Some(Message::Item(i)) => break item = Some(i),
                _ => spin_loop(),
            }
        }
        start.elapsed().as_nanos() as f64 / 2.0
    });
    let linked = median(times.collect());
    echo.join().expect("the echo ends");
    println!("hop   bare ring {bare:.0} ns, link {linked:.0} ns: {:.2} times", linked / bare);
}

/// When events are due: µs and less since this.
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// How many events of shard 1 took so many times 10 ns.
static TOOK: [AtomicU64; 1_000_000] = [const { AtomicU64::new(0) }; 1_000_000];

fn since_begin() -> i64 {
    BEGIN.elapsed().as_nanos() as i64
}

/// Gives its argument, the time at which an event was due, and notes on shard 1 how long ago that is.
struct Measured(FunctionDoc);

impl ScalarFunction for Measured {
    fn doc(&self) -> &FunctionDoc {
        &self.0
    }

    fn bind(&self, call: &Call<'_>) -> pelton::Result<BoundFunction> {
        let ty = call.args[0].ty.clone();
        let kernel: KernelFactory = Arc::new(|| Box::new(MeasuredKernel));
        Ok(BoundFunction { args: vec![ty.clone()], ty, determinism: Determinism::PerRow, kernel })
    }
}

struct MeasuredKernel;

thread_local! {
    static COUNTS: bool = std::thread::current().name() == Some("shard-1");
}

impl Kernel for MeasuredKernel {
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        _rows: usize,
        out: &mut Column,
        _cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        let now = since_begin();
        let due = args[0].column.slice::<i64>();
        let counts = COUNTS.with(|c| *c);
        sel.for_each(|r| {
            let due = due[args[0].at(r)];
            if counts {
                let at = ((now - due).max(0) / 10) as usize;
                TOOK[at.min(TOOK.len() - 1)].fetch_add(1, Ordering::Relaxed);
            }
            out.buffer_mut::<i64>()[r] = due;
        });
        Ok(())
    }
}

pelton::row! {
    struct Event {
        k: i64,
        due: i64,
    }
}

/// What [`TOOK`] has counted, which begins anew.
fn taken() -> Vec<u64> {
    TOOK.iter().map(|n| n.swap(0, Ordering::Relaxed)).collect()
}

/// So many of the counted times, from 0 to 1, are at most this, µs.
fn quantile(took: &[u64], p: f64) -> f64 {
    let (mut seen, wanted) = (0, (took.iter().sum::<u64>() as f64 * p) as u64);
    let found = took.iter().position(|n| {
        seen += n;
        seen > wanted
    });
    found.unwrap_or(took.len()) as f64 / 100.0
}

/// Rounds at each rate, a fifth of a second each. What surrounds a virtual machine changes from second to second: the medians of the rounds
/// show it.
const ROUNDS: i64 = 20;

/// From the moment an event is due to its row of a keyed aggregation on the other shard, at rates that do not wait for it. Each has a key of
/// its own, so that none takes a result back. The source is a feed that shard 0's own thread fills between two turns.
fn event() {
    let doc = FunctionDoc { names: &["MEASURED"], signatures: &["MEASURED(n)"], ..FunctionDoc::default() };
    let engine = pelton::Engine::builder()
        .shards(2)
        .idle(IdlePolicy::Spin)
        .scalar_function(Arc::new(Measured(doc)))
        .build()
        .expect("the settings are right");
    let sql = "CREATE TABLE events (k BIGINT, due BIGINT) WITH ('connector' = 'push');
               SELECT k, n, MEASURED(due) FROM (SELECT k, COUNT(*) n, MAX(due) due FROM events GROUP BY k)";
    let script = engine.prepare(sql).expect("the query is right");
    for rate in [10_000, 100_000, 500_000] {
        let mut run = script.jobs().next().expect("a query").start().expect("it starts");
        let mut feed = run.feed::<Event>("events").expect("a feed");
        let (round, gap) = (rate / 5, 1_000_000_000 / rate);
        let start = since_begin() + 10_000_000;
        let (mut all, mut medians) = (vec![0; TOOK.len()], vec![]);
        // The first round warms up.
        for k in 0..round * (ROUNDS + 1) {
            let due = start + k * gap;
            while since_begin() < due {
                run.step(k).expect("no error");
                run.take_results();
                // As the other shard's thread waits: the two may be threads of one core.
                spin_loop();
            }
            while feed.push(&Event { k, due }).is_err() {
                run.step(k).expect("no error");
            }
            run.step(k).expect("no error");
            run.take_results();
            if (k + 1) % round == 0 {
                let took = taken();
                if k > round {
                    medians.push(quantile(&took, 0.5));
                    all.iter_mut().zip(&took).for_each(|(sum, n)| *sum += n);
                }
            }
        }
        drop(feed);
        while run.step(i64::MAX / 2).expect("no error") != pelton::Progress::Done {
            run.take_results();
        }
        drop(run);
        taken();
        medians.sort_by(f64::total_cmp);
        let quarter = |n: usize| medians[(medians.len() - 1) * n / 4];
        println!(
            "event {rate:>6} a second: p50 {:.2} µs (rounds: {:.2} to {:.2}, quartiles {:.2}, {:.2}, {:.2}), p90 {:.2}, p99 {:.2} ({} events on the other shard)",
            quantile(&all, 0.5),
            quarter(0),
            quarter(4),
            quarter(1),
            quarter(2),
            quarter(3),
            quantile(&all, 0.9),
            quantile(&all, 0.99),
            all.iter().sum::<u64>()
        );
    }
}

/// A row of a window's aggregation on two shards, in one phase and in two, with few keys and with many: 4 windows of a million rows.
fn phases() {
    const ROWS: i64 = 4_000_000;
    let table = "CREATE TABLE events (k BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'push');";
    let by_key = "SELECT k, window_start, window_end, COUNT(*) AS n, SUM(v) AS s, MAX(v) AS m
                  FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '1' SECOND))
                  GROUP BY k, window_start, window_end";
    let largest =
        format!("SELECT window_start, MAX(n), SUM(s) FROM ({by_key}) GROUP BY window_start, window_end");
    for (name, query) in [("by key", by_key.to_owned()), ("largest of keys", largest)] {
        for keys in [10, 100_000] {
            let mut took = vec![];
            for strategy in ["ONE_PHASE", "TWO_PHASE"] {
                let sql = format!("SET 'table.optimizer.agg-phase-strategy' = '{strategy}'; {table} {query}");
                let engine = pelton::Engine::builder().shards(2).idle(IdlePolicy::Spin).build();
                let script = engine.and_then(|e| e.prepare(&sql)).expect("the query is right");
                let rounds = (0..5).map(|_| {
                    let batches: Vec<Batch> = (0..ROWS / 1000).map(|b| keyed(b * 1000, 1000, keys)).collect();
                    let mut run = script.jobs().next().expect("a query").start().expect("it starts");
                    let mut feed = run.column_feed("events").expect("a feed");
                    let start = Instant::now();
                    let mut now = 0;
                    let mut step = |run: &mut pelton::Run| {
                        now += 1;
                        let progress = run.step(now).expect("no error");
                        black_box(run.take_results());
                        progress
                    };
                    for batch in batches {
                        let mut batch = Some(batch);
                        while let Some(next) = batch.take() {
                            batch = feed.push_columns(next).err().map(|(_, back)| back);
                            step(&mut run);
                        }
                    }
                    drop(feed);
                    while step(&mut run) != pelton::Progress::Done {}
                    start.elapsed().as_nanos() as f64 / ROWS as f64
                });
                took.push(median(rounds.collect()));
            }
            println!(
                "phases {name}, {keys:>6} keys: {:>6.1} ns a row in one, {:>6.1} in two",
                took[0], took[1]
            );
        }
    }
}

/// Rows from number `from` on, a µs apart, of so many keys.
fn keyed(from: i64, rows: usize, keys: i64) -> Batch {
    let column = |kind: TypeKind, value: &dyn Fn(i64) -> i64| {
        let mut column = Column::of_kind(&kind);
        column.buffer_mut::<i64>().extend((from..from + rows as i64).map(value));
        column.validity.reset(rows);
        ColumnRef::new(column)
    };
    let key = |n: i64| ((n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as i64 % keys;
    let columns = vec![
        column(TypeKind::BigInt, &key),
        column(TypeKind::BigInt, &|n| n),
        column(TypeKind::Timestamp(3), &|n| n / 1000 * 1000),
    ];
    Batch::new(columns, rows)
}

/// Processor time of this process so far.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// The processor time of two shards to which nothing comes, by policy.
fn idle() {
    for (name, policy) in [("park", IdlePolicy::Park), ("spin-then-park", IdlePolicy::SpinThenPark)] {
        let engine =
            pelton::Engine::builder().shards(2).idle(policy).build().expect("the settings are right");
        let sql = "CREATE TABLE events (k BIGINT) WITH ('connector' = 'push');
                   SELECT k, COUNT(*) FROM events GROUP BY k";
        let script = engine.prepare(sql).expect("the query is right");
        let mut run = script.jobs().next().expect("a query").start().expect("it starts");
        let (start, before) = (Instant::now(), cpu_time());
        let all = Duration::from_secs(5);
        run.drive(|| since_begin() / 1000, || start.elapsed() >= all, |_| Ok(())).expect("no error");
        let share = 100.0 * (cpu_time() - before).as_secs_f64() / all.as_secs_f64();
        println!("idle  {name}: {share:.1} % of a core for two shards");
    }
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let all: [(&str, fn()); 5] =
        [("row", row), ("hop", hop), ("event", event), ("phases", phases), ("idle", idle)];
    for (name, bench) in all {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            bench();
        }
    }
}

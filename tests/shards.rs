//! Several shards on threads: a failure in one ends the job with its error and never hangs, what is held back holds its source back, keys are
//! spread evenly, idle threads are woken.

use pelton::batch::Column;
use pelton::config::IdlePolicy;
use pelton::error::Result;
use pelton::expr::{
    Arg, BoundFunction, Call, Determinism, EvalContext, FunctionDoc, Kernel, RowError, ScalarFunction,
};
use pelton::{Engine, Progress, Run};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Gives its argument; panics on the thread of that name.
struct Boom(FunctionDoc, &'static str);

impl ScalarFunction for Boom {
    fn doc(&self) -> &FunctionDoc {
        &self.0
    }

    fn bind(&self, call: &Call<'_>) -> Result<BoundFunction> {
        let ty = call.args[0].ty.clone();
        let thread = self.1;
        let kernel: pelton::expr::KernelFactory = Arc::new(move || Box::new(BoomKernel(thread)));
        Ok(BoundFunction { args: vec![ty.clone()], ty, determinism: Determinism::PerRow, kernel })
    }
}

struct BoomKernel(&'static str);

impl Kernel for BoomKernel {
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: pelton::batch::Sel<'_>,
        _rows: usize,
        out: &mut Column,
        _cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        assert_ne!(std::thread::current().name(), Some(self.0), "boom");
        let values = args[0].column.slice::<i64>();
        sel.for_each(|r| out.buffer_mut::<i64>()[r] = values[args[0].at(r)]);
        Ok(())
    }
}

/// Sequential keys `k`, each `n` once.
fn table(rows: u64) -> String {
    format!(
        "CREATE TABLE t (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '{rows}',
             'rows-per-second' = '1000000000', 'fields.n.kind' = 'sequence', 'fields.n.start' = '0',
             'fields.n.end' = '{}');",
        rows - 1
    )
}

fn start(sql: &str, shards: usize, idle: IdlePolicy) -> Run {
    let boom =
        |names, thread| Boom(FunctionDoc { names, signatures: &["(n)"], ..FunctionDoc::default() }, thread);
    let engine = Engine::builder()
        .shards(shards)
        .idle(idle)
        .scalar_function(Arc::new(boom(&["BOOM"], "shard-1")))
        .scalar_function(Arc::new(boom(&["BOOM_HERE"], "shard-0")))
        .build();
    let script = engine.and_then(|e| e.prepare(sql)).unwrap_or_else(|e| panic!("{}", e.render("test", sql)));
    script.jobs().next().expect("one job").start().expect("a run")
}

/// Runs to the end on a thread of its own, so that a hang is a failure and not a hang.
fn end_of(mut run: Run) -> (Result<Progress>, u64, Run) {
    let (send, receive) = mpsc::channel();
    let thread = std::thread::Builder::new().name("shard-0".into());
    let started = thread.spawn(move || {
        let (mut rows, mut now) = (0, 0);
        let clock = || {
            now += 1;
            now
        };
        let end = run.drive(
            clock,
            || false,
            |run| {
                rows += run.take_results().iter().map(|b| b.selected() as u64).sum::<u64>();
                Ok(())
            },
        );
        let _ = send.send((end, rows, run));
    });
    started.expect("a thread");
    receive.recv_timeout(Duration::from_secs(60)).expect("the job comes to an end")
}

#[test]
fn a_panic_in_one_shard_ends_the_job_with_a_clear_error() {
    for (boom, shard, idle) in [
        ("BOOM", 1, IdlePolicy::SpinThenPark),
        ("BOOM", 1, IdlePolicy::Park),
        ("BOOM_HERE", 0, IdlePolicy::SpinThenPark),
    ] {
        let table = table(100_000);
        let sql = format!("{table} SELECT n, {boom}(c) FROM (SELECT n, COUNT(*) c FROM t GROUP BY n)");
        let (end, _, _) = end_of(start(&sql, 3, idle));
        let e = end.expect_err("a shard panics");
        assert!(
            e.message().contains(&format!("shard {shard} has panicked")) && e.message().contains("boom"),
            "{e}"
        );
        // The command line's exit code for it is that of a job that failed while it ran.
        assert_eq!(e.kind(), pelton::ErrorKind::Runtime);
    }
}

#[test]
fn an_error_in_one_shard_is_the_error_of_the_job() {
    let sql = format!(
        "{} SELECT n, 10 / (n - 77777) FROM (SELECT n, COUNT(*) c FROM t GROUP BY n)",
        table(100_000)
    );
    let (end, rows, _) = end_of(start(&sql, 4, IdlePolicy::SpinThenPark));
    let e = end.expect_err("a division by zero");
    assert!(e.message().to_lowercase().contains("zero"), "{e}");
    assert!(rows > 10_000, "rows before the failing one have come: {rows}");
}

#[test]
fn all_policies_give_all_rows_and_keys_are_spread_evenly() {
    for idle in [IdlePolicy::Spin, IdlePolicy::SpinThenPark, IdlePolicy::Park] {
        let sql = format!("{} SELECT n, COUNT(*) FROM t GROUP BY n", table(200_000));
        let (end, rows, run) = end_of(start(&sql, 2, idle));
        assert_eq!((end.expect("no error"), rows), (Progress::Done, 200_000), "{idle:?}");
        assert_eq!(run.shards(), 2);
        let stats = run.stats();
        assert_eq!((stats.rows_in, stats.rows_out), (200_000, 200_000));
        assert_eq!(stats.state_rows, 200_000);
        for shard in &stats.shards {
            assert!(shard.turn_ns.count > 0 && shard.turn_ns.p50 <= shard.turn_ns.p99, "{shard:?}");
            // A batch of the source and one of each shard.
            assert!((1..=3 * 1024 * 9 / 8).contains(&shard.batch_rows.max), "{shard:?}");
        }
        let exchange = stats.nodes.iter().find(|n| n.name == "Exchange").expect("an exchange");
        assert_eq!((exchange.counters.rows_in, exchange.counters.rows_out), (200_000, 200_000));
        // Shard 0 also counts what its source gives and what comes back to its sink.
        let (zero, one) = (stats.shards[0].rows - 400_000, stats.shards[1].rows);
        assert!(zero.max(one) as f64 / zero.min(one) as f64 <= 1.3, "{:?}", stats.shards);
    }
}

/// The numbers of a result of one BIGINT column, sorted, and the rows that each shard read.
fn numbers_of(sql: &str, shards: usize) -> (Vec<i64>, Vec<u64>) {
    let mut run = start(sql, shards, IdlePolicy::SpinThenPark);
    let (mut got, mut now) = (vec![], 0);
    let clock = || {
        now += 1;
        now
    };
    let end = run.drive(
        clock,
        || false,
        |run| {
            for batch in run.take_results() {
                got.extend(batch.sel().iter().map(|r| batch.column(0).slice::<i64>()[r]));
            }
            Ok(())
        },
    );
    assert_eq!(end.expect("no error"), Progress::Done);
    got.sort_unstable();
    (got, run.stats().shards.iter().map(|s| s.rows).collect())
}

#[test]
fn generated_rows_and_files_are_read_by_all_shards_and_each_row_once() {
    let sql = format!("{} SELECT n * 2 FROM t WHERE n % 3 = 0", table(10_000));
    let (got, read) = numbers_of(&sql, 4);
    assert_eq!(got, (0..10_000).filter(|n| n % 3 == 0).map(|n| n * 2).collect::<Vec<i64>>());
    assert!(read.len() == 4 && read.iter().all(|r| *r >= 2_500), "{read:?}");

    let folder = tempfile::tempdir().expect("a folder");
    for file in 0..3 {
        let lines: String = (file * 100..(file + 1) * 100).map(|n| format!("{n}\n")).collect();
        std::fs::write(folder.path().join(format!("{file}.csv")), lines).expect("a file");
    }
    let sql = format!(
        "CREATE TABLE t (n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv');
         SELECT n FROM t WHERE n >= 50",
        folder.path().display()
    );
    let (got, read) = numbers_of(&sql, 2);
    assert_eq!(got, (50..300).collect::<Vec<i64>>());
    assert!(read[0] >= 200 && read[1] == 100, "files 0 and 2 on shard 0, file 1 on shard 1: {read:?}");
    // One file is not worth a thread.
    let path = |p: &std::path::Path| p.display().to_string();
    let one = sql.replace(&path(folder.path()), &path(&folder.path().join("1.csv")));
    let (got, read) = numbers_of(&one, 2);
    assert_eq!((got.len(), read.len()), (100, 1));
}

#[test]
fn a_snapshot_on_threads_goes_on_behind_the_rows_that_were_given() {
    let sql = format!("{} SELECT n, COUNT(*) FROM t GROUP BY n", table(300_000));
    let engine = Engine::builder().shards(3).idle(IdlePolicy::Park).build().expect("an engine");
    let script = engine.prepare(&sql).expect("a query");
    let job = script.jobs().next().expect("a job");
    let (mut got, mut now, mut restarts) = (vec![], 0, 0);
    let mut run = job.start().expect("a run");
    loop {
        now += 1;
        let progress = run.step(now).expect("no error");
        for batch in run.take_results() {
            got.extend(batch.sel().iter().map(|r| batch.column(0).slice::<i64>()[r]));
        }
        if progress == Progress::Done {
            break;
        }
        if now % 40 == 0 && restarts < 5 {
            match run.begin_snapshot() {
                Err(e) => assert!(e.is_retryable(), "{e}"),
                Ok(()) => assert!(run.begin_snapshot().is_err_and(|e| e.is_retryable()), "one at a time"),
            }
        }
        if let Some(bytes) = run.take_snapshot() {
            restarts += 1;
            run = job.resume(&bytes).expect("its own bytes");
        }
        if progress != Progress::Working {
            std::thread::yield_now();
        }
    }
    assert!(restarts > 0);
    got.sort_unstable();
    assert_eq!(got, (0..300_000).collect::<Vec<i64>>());
    // One shard less: refused, not misread.
    let mut run = job.start_here().expect("a run");
    run.begin_snapshot().expect("nothing is under way");
    let bytes = loop {
        run.step(0).expect("no error");
        if let Some(bytes) = run.take_snapshot() {
            break bytes;
        }
    };
    let fewer = Engine::builder().shards(2).build().and_then(|e| e.prepare(&sql)).expect("a query");
    let refused = fewer.jobs().next().expect("a job").resume(&bytes).err().expect("other shards");
    assert!(refused.message().contains("3 shards, not of 2"), "{refused}");
}

/// Steps until the snapshot that was begun is there; the rows that came meanwhile.
fn snapshot_of(run: &mut Run, now: &mut i64, got: &mut Vec<i64>) -> Vec<u8> {
    run.begin_snapshot().expect("nothing is under way");
    for _ in 0..100_000 {
        *now += 1;
        run.step(*now).expect("no error");
        take_numbers(run, got);
        if let Some(bytes) = run.take_snapshot() {
            return bytes;
        }
    }
    panic!("the snapshot does not come");
}

/// The first column of the results that wait.
fn take_numbers(run: &mut Run, got: &mut Vec<i64>) {
    for batch in run.take_results() {
        got.extend(batch.sel().iter().map(|r| batch.column(0).slice::<i64>()[r]));
    }
}

pelton::row! {
    struct Event {
        k: i64,
    }
}

#[test]
fn a_shard_that_has_ended_has_its_part_in_a_snapshot() {
    let sql = "CREATE TABLE events (k BIGINT) WITH ('connector' = 'push');
               SELECT n, COUNT(*) FROM t GROUP BY n UNION ALL SELECT k, k FROM events";
    let sql = table(3_000) + sql;
    let engine = Engine::builder().shards(3).idle(IdlePolicy::Park).build().expect("an engine");
    let script = engine.prepare(&sql).expect("a query");
    let job = script.jobs().next().expect("a job");
    for here in [true, false] {
        let (mut got, mut now) = (vec![], 0);
        let mut run = if here { job.start_here() } else { job.start() }.expect("a run");
        let mut feed = run.feed::<Event>("events").expect("a feed");
        feed.push(&Event { k: 10_000 }).expect("room");
        while got.len() < 3001 {
            now += 1;
            run.step(now).expect("no error");
            take_numbers(&mut run, &mut got);
        }
        // All that is left is the feed. Two, so that one also follows on one.
        for k in [10_001, 10_002] {
            let bytes = snapshot_of(&mut run, &mut now, &mut got);
            run = if here { job.resume_here(&bytes) } else { job.resume(&bytes) }.expect("its own bytes");
            feed = run.feed::<Event>("events").expect("a feed");
            feed.push(&Event { k }).expect("room");
        }
        drop(feed);
        let (end, rows, _) = end_of(run);
        assert_eq!(
            (end.expect("no error"), got.len() as u64 + rows),
            (Progress::Done, 3002 + rows),
            "{here}"
        );
        assert!(rows <= 1);
    }
}

/// What reads only some of the rows has told those who send them; after a restart they have to hear it again, or they wait for room for ever.
#[test]
fn what_nobody_wants_any_more_is_known_after_a_restart() {
    let sql = "CREATE TABLE events (k BIGINT) WITH ('connector' = 'push');
               SELECT n FROM (SELECT DISTINCT n FROM t LIMIT 10) UNION ALL SELECT k FROM events";
    let sql = table(3_000_000) + sql;
    let engine = Engine::builder().shards(2).idle(IdlePolicy::Park).build().expect("an engine");
    let script = engine.prepare(&sql).expect("a query");
    let job = script.jobs().next().expect("a job");
    let (mut got, mut now) = (vec![], 0);
    let mut run = job.start_here().expect("a run");
    let _feed = run.feed::<Event>("events").expect("a feed");
    for _ in 0..100 {
        now += 1;
        run.step(now).expect("no error");
        take_numbers(&mut run, &mut got);
    }
    let bytes = snapshot_of(&mut run, &mut now, &mut got);
    assert_eq!(got.len(), 10);
    let mut run = job.resume(&bytes).expect("its own bytes");
    drop(run.feed::<Event>("events").expect("a feed"));
    let (end, rows, _) = end_of(run);
    assert_eq!((end.expect("no error"), rows), (Progress::Done, 0));
}

#[test]
fn a_failure_while_a_snapshot_is_under_way_is_the_error_of_the_job() {
    // Rows go on for long behind the failing one: nobody may wait for a shard that takes no more.
    let sql = table(40_000) + "SELECT n, 10 / (n - 1777) FROM (SELECT n, COUNT(*) c FROM t GROUP BY n)";
    let engine = Engine::builder().shards(3).build().expect("an engine");
    let script = engine.prepare(&sql).expect("a query");
    for seed in 0..200 {
        let mut run = script.jobs().next().expect("a job").simulate(seed).expect("a run");
        let end = (0..1_000_000).find_map(|now| {
            // Each as soon as the last is there: one is always under way when the row comes.
            drop(run.begin_snapshot());
            let end = run.step(now).err();
            run.take_results();
            run.take_snapshot();
            end
        });
        let e = end.unwrap_or_else(|| panic!("seed {seed}: the job does not fail"));
        assert!(e.message().to_lowercase().contains("zero"), "{e}");
    }
}

/// Whoever pushes wakes the job; until then it sleeps for as long as it may, which the number of its turns shows.
#[test]
fn an_idle_job_sleeps_and_is_woken_by_what_comes() {
    let sql = "CREATE TABLE events (k BIGINT) WITH ('connector' = 'push');
               SELECT k, COUNT(*) FROM events GROUP BY k";
    for idle in [IdlePolicy::Park, IdlePolicy::SpinThenPark] {
        let mut run = start(sql, 2, idle);
        let mut feed = run.feed::<Event>("events").expect("a feed");
        let (begin, mut turns) = (std::time::Instant::now(), 0u64);
        let stop = || {
            turns += 1;
            begin.elapsed() > Duration::from_secs(1)
        };
        run.drive(|| 0, stop, |_| Ok(())).expect("no error");
        // Ten and some before the first sleep; parking may end early now and then.
        assert!(turns < 400, "{idle:?}: {turns} turns in a second");

        // One event at a time: each is pushed when the one before has come out, so that the job sleeps in between.
        let (says, hears) = mpsc::channel();
        let pusher = std::thread::spawn(move || {
            for k in 0..50 {
                feed.push(&Event { k }).expect("room");
                hears.recv_timeout(Duration::from_secs(60)).expect("its row comes");
            }
        });
        let begin = std::time::Instant::now();
        let each = |run: &mut Run| {
            run.take_results().iter().for_each(|_| says.send(()).expect("the pusher hears"));
            Ok(())
        };
        run.drive(|| 0, || false, each).expect("no error");
        pusher.join().expect("all rows have come");
        // Each of them waited for the end of a sleep would be 50 times a tenth of a second, once for each shard.
        assert!(begin.elapsed() < Duration::from_secs(4), "{idle:?}: {:?}", begin.elapsed());
    }
}

#[test]
fn a_result_that_nobody_takes_holds_the_source_back() {
    let rows = 50_000_000;
    let mut run =
        start(&format!("{} SELECT n, COUNT(*) FROM t GROUP BY n", table(rows)), 2, IdlePolicy::SpinThenPark);
    // Until nothing has moved for long: the reader of the result, the rings and the waiting batches are full.
    let (mut read, mut still, mut now_us) = (0, 0, 0);
    while still < 2_000 {
        now_us += 1000;
        run.step(now_us).expect("a turn");
        let so_far = run.stats().rows_in;
        still = if so_far == read { still + 1 } else { 0 };
        read = so_far;
        std::thread::yield_now();
    }
    assert!(read < 1_000_000, "{read} rows were read while nothing was taken");
    let held = run.stats().rows_out;
    let mut taken = 0;
    while taken < held + 100_000 {
        now_us += 1000;
        run.step(now_us).expect("a turn");
        taken += run.take_results().iter().map(|b| b.selected() as u64).sum::<u64>();
    }
    // Dropping a run that has not ended stops its threads.
}

//! Rows that a program pushes come out as those of any other source; a job that is behind says so.

use crate::batch::{Batch, Column, ColumnRef, RowKind, TypeKind};
use crate::engine::{Engine, Feed, Progress, Run, Timestamp};

crate::row! {
    #[derive(Clone, Debug, PartialEq)]
    struct Tick { symbol: String, price: f64, ts: Timestamp }
}

crate::row! {
    #[derive(Clone, Debug, PartialEq)]
    struct Dear { symbol: String, price: f64 }
}

const SQL: &str =
    "CREATE TABLE ticks (symbol STRING NOT NULL, volume INT, price DOUBLE NOT NULL, ts TIMESTAMP(3) NOT NULL)
    WITH ('connector' = 'push');
    SELECT symbol, price FROM ticks WHERE price > 100 AND ts > TIMESTAMP '1970-01-01 00:00:00'";

fn start() -> Run {
    let engine = Engine::builder().build().expect("sound settings");
    let script = engine.prepare(SQL).expect("a sound query");
    script.jobs().next().expect("one query").start().expect("nothing to open")
}

fn tick(n: i64) -> Tick {
    Tick { symbol: format!("symbol {}", n % 3), price: (n % 200) as f64 + 0.5, ts: Timestamp(n + 1) }
}

fn dear(ticks: impl Iterator<Item = i64>) -> Vec<Dear> {
    ticks.map(tick).filter(|t| t.price > 100.0).map(|t| Dear { symbol: t.symbol, price: t.price }).collect()
}

#[test]
fn a_row_is_answered_in_the_turn_after_its_push() {
    let mut run = start();
    let mut feed: Feed<Tick> = run.feed("ticks").unwrap();
    for n in 0..500 {
        feed.push(&tick(n)).unwrap();
        run.step(0).unwrap();
        let rows: Vec<Dear> = run
            .poll()
            .unwrap()
            .into_iter()
            .map(|(kind, row)| {
                assert_eq!(kind, RowKind::Insert);
                row
            })
            .collect();
        assert_eq!(rows, dear(n..=n), "tick {n}");
    }
    assert_eq!(run.step(0).unwrap(), Progress::Idle { wake_at_us: None });
    assert!(feed.close().is_ok());
    while run.step(0).unwrap() != Progress::Done {}
}

#[test]
fn rows_may_come_from_another_thread_and_results_by_callback() {
    let mut run = start();
    let mut feed: Feed<Tick> = run.feed("default_catalog.default_database.ticks").unwrap();
    let (sender, got) = std::sync::mpsc::channel();
    run.subscribe(move |_, row: &Dear| sender.send(row.clone()).expect("it is received below")).unwrap();
    let pusher = std::thread::spawn(move || {
        let ticks: Vec<Tick> = (0..200_000).map(tick).collect();
        let mut rest = &ticks[..];
        while !rest.is_empty() {
            let taken = feed.push_all(&rest[..rest.len().min(5_000)]);
            rest = &rest[taken..];
            std::thread::yield_now();
        }
        while !feed.flush() {
            std::thread::yield_now();
        }
    });
    while run.step(0).unwrap() != Progress::Done {}
    pusher.join().unwrap();
    drop(run);
    assert!(got.into_iter().eq(dear(0..200_000)));
}

#[test]
fn a_job_that_is_behind_refuses_and_loses_nothing() {
    let mut run = start();
    let mut feed: Feed<Tick> = run.feed("ticks").unwrap();
    let mut taken = 0;
    let e = loop {
        match feed.push(&tick(taken)) {
            Ok(()) => taken += 1,
            Err(e) => break e,
        }
        assert!(taken < 10_000, "what waits is bounded");
    };
    assert!(e.is_retryable(), "{e}");
    let mut feed = *feed.close().expect_err("rows wait for room");
    let mut rows: Vec<Dear> = vec![];
    while !feed.flush() {
        run.step(0).unwrap();
        rows.extend(run.poll().unwrap().into_iter().map(|r| r.1));
    }
    assert!(feed.close().is_ok());
    while run.step(0).unwrap() != Progress::Done {
        rows.extend(run.poll().unwrap().into_iter().map(|r| r.1));
    }
    rows.extend(run.poll().unwrap().into_iter().map(|r| r.1));
    assert_eq!(rows, dear(0..taken));
}

#[test]
fn columns_go_in_without_a_copy() {
    let engine = Engine::builder().build().unwrap();
    let script = engine
        .prepare("CREATE TABLE t (n BIGINT, unused INT) WITH ('connector' = 'push'); SELECT n FROM t")
        .unwrap();
    let mut run = script.jobs().next().unwrap().start().unwrap();
    let mut feed = run.column_feed("t").unwrap();
    let column = |rows: usize| {
        let mut c = Column::of_kind(&TypeKind::BigInt);
        c.buffer_mut::<i64>().resize(rows, 7);
        c.validity.resize(rows, true);
        ColumnRef::new(c)
    };
    let sent = column(1000);
    feed.push_columns(Batch::new(vec![sent.clone()], 1000)).map_err(|e| e.0).unwrap();
    run.step(0).unwrap();
    let results = run.take_results();
    assert_eq!(results.iter().map(Batch::selected).sum::<usize>(), 1000);
    assert!(ColumnRef::ptr_eq(results[0].column(0), &sent), "the result is the column that was pushed");
    let (e, back) = feed.push_columns(Batch::new(vec![column(2000)], 2000)).unwrap_err();
    assert_eq!((e.message(), back.rows()), ("a batch of 2000 rows: at most 1024 are one", 2000));
    let (e, _) = feed.push_columns(Batch::default()).unwrap_err();
    assert_eq!(e.message(), "the query reads 1 columns, and 0 are given");
}

#[test]
fn feeds_are_of_pushed_tables_and_taken_once() {
    crate::row! { struct Other { price: i64 } }
    let mut run = start();
    let message = |e: Option<crate::Error>| e.expect("refused").message().to_owned();
    assert_eq!(message(run.feed::<Tick>("tocks").err()), "the job has no feed of a table 'tocks'");
    assert_eq!(
        message(run.feed::<Other>("ticks").err()),
        "field 'price' is i64, but the column of table 'ticks' is DOUBLE"
    );
    let feed = run.feed::<Tick>("ticks");
    assert!(feed.is_ok(), "a refused feed can be taken again");
    assert_eq!(message(run.feed::<Tick>("ticks").err()), "the job has no feed of a table 'ticks'");
    fn is_send<T: Send>() {}
    is_send::<Feed<Tick>>();
    is_send::<Run>();
}

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

mod table_functions {
    use crate::batch::{Field, Sel, TypeKind};
    use crate::expr::{
        Arg, BoundTableFunction, Call, Determinism, EvalContext, FunctionDoc, RowError, TableFunction,
        TableKernel, TableRows,
    };
    use crate::testing::Test;
    use crate::{Engine, Result};
    use std::sync::Arc;

    /// The numbers from a first one to below a second one, with their squares.
    struct Between;

    impl TableFunction for Between {
        fn doc(&self) -> &FunctionDoc {
            const DOC: FunctionDoc = FunctionDoc {
                names: &["BETWEEN_OF"],
                family: "table",
                signatures: &["between_of(from, to)"],
                text: "The whole numbers of a range, and their squares.",
                examples: &[],
            };
            &DOC
        }

        fn bind(&self, call: &Call<'_>) -> Result<BoundTableFunction> {
            if call.args.len() != 2 {
                return Err(call.wrong_count("2"));
            }
            let number = || TypeKind::BigInt.not_null();
            Ok(BoundTableFunction {
                args: vec![TypeKind::BigInt.nullable(); 2],
                columns: vec![Field::new("n", number()), Field::new("square", number())],
                determinism: Determinism::Deterministic,
                kernel: Arc::new(|| Box::new(Between)),
            })
        }
    }

    impl TableKernel for Between {
        fn eval(
            &mut self,
            args: &[Arg<'_>],
            sel: Sel<'_>,
            out: &mut TableRows,
            _cx: &mut EvalContext<'_>,
        ) -> Result<(), RowError> {
            for row in sel.iter().filter(|&r| args.iter().all(|a| a.is_valid(r))) {
                for n in args[0].column.slice::<i64>()[row]..args[1].column.slice::<i64>()[row] {
                    for (c, v) in out.columns.iter_mut().zip([n, n * n]) {
                        c.buffer_mut::<i64>().push(v);
                        c.validity.push(true);
                    }
                    out.of.push(row as u32);
                }
            }
            Ok(())
        }
    }

    fn rows(sql: &str) -> Vec<String> {
        let engine = Engine::builder().table_function(Arc::new(Between)).build().expect("sound settings");
        let mut test = Test::new(&engine, sql).unwrap_or_else(|e| panic!("{}", e.render("test", sql)));
        test.finish().expect("no row fails")
    }

    fn refused(sql: &str) -> String {
        let engine = Engine::builder().table_function(Arc::new(Between)).build().expect("sound settings");
        engine.prepare(sql).map(|_| ()).expect_err("refused").message().to_owned()
    }

    const T: &str = "FROM (VALUES ('a', 1, 3), ('b', 5, 5), ('c', 7, 8)) AS t (name, low, high)";

    #[test]
    fn they_stand_in_from_behind_what_they_read() {
        let want = ["+I[a, 1]", "+I[a, 4]", "+I[c, 49]"];
        assert_eq!(rows(&format!("SELECT name, square {T}, LATERAL TABLE(between_of(low, high))")), want);
        assert_eq!(
            rows(&format!(
                "SELECT t.name, x.b {T} CROSS JOIN LATERAL TABLE(between_of(low, high)) AS x (a, b)"
            )),
            want
        );
        // An expression as argument, and columns that nobody reads.
        assert_eq!(
            rows(&format!(
                "SELECT b {T}, LATERAL TABLE(between_of(low * 2, low + high)) AS x (a, b) WHERE name <> 'b'"
            )),
            ["+I[4]", "+I[9]", "+I[196]"]
        );
        assert_eq!(
            rows(&format!(
                "SELECT * {T} JOIN LATERAL TABLE(between_of(low, high)) AS x (a, b) ON x.b > 1 AND t.low < 7"
            )),
            ["+I[a, 1, 3, 2, 4]"]
        );
    }

    #[test]
    fn a_left_join_keeps_the_rows_for_which_there_are_none() {
        assert_eq!(
            rows(&format!(
                "SELECT name, a, b {T} LEFT JOIN LATERAL TABLE(between_of(low, high)) AS x (a, b) ON TRUE"
            )),
            ["+I[a, 1, 1]", "+I[a, 2, 4]", "+I[b, \\N, \\N]", "+I[c, 7, 49]"]
        );
        let on = format!("SELECT 1 {T} LEFT JOIN LATERAL TABLE(between_of(low, high)) AS x ON n > 1");
        assert_eq!(
            refused(&on),
            "LEFT JOIN of a table function on another condition than TRUE is not supported"
        );
    }

    #[test]
    fn they_stand_alone_and_over_rows_that_change() {
        assert_eq!(rows("SELECT n FROM TABLE(between_of(3, 5))"), ["+I[3]", "+I[4]"]);
        let counts = format!(
            "SELECT n, k FROM (SELECT COUNT(*) AS n {T}), LATERAL TABLE(between_of(0, n)) AS x (k, s)"
        );
        let got = rows(&counts);
        let kept = got.iter().filter(|l| l.starts_with('+')).count()
            - got.iter().filter(|l| l.starts_with('-')).count();
        assert_eq!((got.last().map(String::as_str), kept), (Some("+U[3, 2]"), 3));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(
            refused(&format!("SELECT 1 {T}, LATERAL TABLE(between_of(low))")).contains("2 expected, 1 given")
        );
        assert!(
            refused(&format!("SELECT 1 {T}, LATERAL TABLE(between_of(nobody, 1))"))
                .contains("'nobody' not found")
        );
        assert!(refused("SELECT 1 FROM LATERAL TABLE(nowhere(1))").contains("nowhere"));
    }
}

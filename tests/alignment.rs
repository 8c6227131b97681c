//! Watermark alignment: a quick source is held while it is further before the slowest of its group than it may be; nothing is lost by it.

use pelton::{Engine, Feed, Progress, Run, Timestamp};

pelton::row! {
    #[derive(Clone, Debug, PartialEq)]
    struct Event { id: i64, ts: Timestamp }
}

pelton::row! {
    #[derive(Clone, Debug, PartialEq)]
    struct Seen { id: i64 }
}

fn start(quick: &str, slow: &str) -> Run {
    let engine = Engine::builder().batch_rows(1).build().expect("an engine");
    let table = |name: &str, options: &str| {
        format!(
            "CREATE TABLE {name} (id BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL, WATERMARK FOR ts AS ts)
             WITH ('connector' = 'push'{options});"
        )
    };
    let sql = format!(
        "{}{}SELECT id FROM quick WHERE ts > TIMESTAMP '1970-01-01 00:00:00'
         UNION ALL SELECT id FROM slow WHERE ts > TIMESTAMP '1970-01-01 00:00:00'",
        table("quick", quick),
        table("slow", slow)
    );
    let script = engine.prepare(&sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    script.jobs().next().expect("one query").start().expect("the job")
}

/// Turns until nothing moves; the ids that came.
fn settle(run: &mut Run) -> Vec<i64> {
    let mut out = vec![];
    loop {
        let progress = run.step(0).expect("a turn");
        out.extend(run.poll::<Seen>().expect("rows").into_iter().map(|(_, s)| s.id));
        if progress != Progress::Working {
            return out;
        }
    }
}

/// Row `id` is of second `id`.
fn event(id: i64) -> Event {
    Event { id, ts: Timestamp(id * 1_000_000) }
}

fn group(drift: &str) -> String {
    format!(
        ", 'scan.watermark.alignment.group' = 'g', 'scan.watermark.alignment.max-drift' = '{drift}',
          'scan.watermark.alignment.update-interval' = '1 s'"
    )
}

#[test]
fn the_quick_one_is_held_until_the_slow_one_has_come_near() {
    let mut run = start(&group("10 s"), &group("10 s"));
    let mut quick: Feed<Event> = run.feed("quick").expect("a feed");
    let mut slow: Feed<Event> = run.feed("slow").expect("a feed");
    for id in 1..=40 {
        quick.push(&event(id)).expect("there is room");
    }
    // Of the slow one nothing is known: one row shows how far the quick one is.
    assert_eq!(settle(&mut run), [1]);
    slow.push(&event(5)).expect("there is room");
    // Up to the first that is more than ten seconds before it.
    let mut wanted: Vec<i64> = (2..=16).chain([5]).collect();
    let mut got = settle(&mut run);
    got.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(got, wanted);
    slow.push(&event(20)).expect("there is room");
    let mut got = settle(&mut run);
    got.sort_unstable();
    let mut wanted: Vec<i64> = (17..=31).chain([20]).collect();
    wanted.sort_unstable();
    assert_eq!(got, wanted);
    // A source that has ended holds nobody.
    assert!(slow.close().is_ok());
    assert_eq!(settle(&mut run), (32..=40).collect::<Vec<_>>());
    assert!(quick.close().is_ok());
    while run.step(0).expect("a turn") != Progress::Done {}
}

#[test]
fn sources_of_other_groups_or_of_none_do_not_wait() {
    let other = group("10 s").replace("'g'", "'h'");
    for (quick, slow) in
        [(group("10 s"), other), (group("10 s"), String::new()), (String::new(), group("1 s"))]
    {
        let mut run = start(&quick, &slow);
        let mut feed: Feed<Event> = run.feed("quick").expect("a feed");
        for id in 1..=40 {
            feed.push(&event(id)).expect("there is room");
        }
        assert_eq!(settle(&mut run), (1..=40).collect::<Vec<_>>(), "{quick} {slow}");
    }
}

#[test]
fn a_group_needs_a_drift() {
    let engine = Engine::builder().build().expect("an engine");
    for (options, wanted) in [
        ("'scan.watermark.alignment.group' = 'g'", "needs 'scan.watermark.alignment.max-drift'"),
        ("'scan.watermark.alignment.max-drift' = '1 s'", "needs 'scan.watermark.alignment.group'"),
        ("'scan.watermark.alignment.group' = 'g', 'scan.watermark.alignment.max-drift' = 'far'", "far"),
    ] {
        for connector in
            ["'connector' = 'datagen'", "'connector' = 'filesystem', 'path' = '-', 'format' = 'csv'"]
        {
            let sql = format!("CREATE TABLE t (id BIGINT) WITH ({connector}, {options}); SELECT id FROM t");
            let error = engine.prepare(&sql).map(|_| ()).expect_err(options).to_string();
            assert!(error.contains(wanted), "{options}: {error}");
        }
    }
}

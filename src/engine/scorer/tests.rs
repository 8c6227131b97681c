//! A scorer's answers are those of looking at all rows again; how it was fed, cut and restored changes none.

use super::*;
use crate::ErrorKind;
use crate::engine::{Date, Decimal, Timestamp};
use proptest::prelude::*;

crate::row! {
    #[derive(Clone, Debug, PartialEq)]
    struct Payment { card: i64, merchant: String, amount: Option<f64>, ts: Timestamp }
}

crate::row! {
    #[derive(Clone, Debug, PartialEq)]
    struct Features {
        card: i64, n: i64, total: Option<f64>, most: Option<f64>, merchants: i64, by_merchant: i64, last_three: i64, flag: Option<String>,
    }
}

fn payments(with: &str) -> String {
    format!(
        "CREATE TABLE payments (card BIGINT NOT NULL, unused INT, merchant STRING NOT NULL, amount DOUBLE, ts TIMESTAMP(3) NOT NULL,
           WATERMARK FOR ts AS ts - INTERVAL '10' SECOND) WITH ({with});"
    )
}

const FEATURES: &str = "SELECT card, n, total, most, merchants, by_merchant, last_three,
      CASE WHEN n > 3 THEN 'often' WHEN by_merchant > 5 THEN 'crowd' END AS flag
    FROM (SELECT *, COUNT(*) OVER (PARTITION BY merchant ORDER BY ts RANGE BETWEEN INTERVAL '30' SECOND PRECEDING AND CURRENT ROW) AS by_merchant
      FROM (SELECT card, merchant, ts,
          COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '20' SECOND PRECEDING AND CURRENT ROW) AS n,
          SUM(amount) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '20' SECOND PRECEDING AND CURRENT ROW) AS total,
          MAX(amount) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '5' SECOND PRECEDING AND CURRENT ROW) AS most,
          COUNT(DISTINCT merchant) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '20' SECOND PRECEDING AND CURRENT ROW) AS merchants,
          COUNT(*) OVER (PARTITION BY card ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS last_three
        FROM payments WHERE amount IS NULL OR amount >= 0)
      WHERE n < 9)";

fn sql() -> String {
    payments("'connector' = 'push'") + FEATURES
}

fn engine() -> Engine {
    Engine::builder().build().expect("sound settings")
}

fn new() -> Scorer<Payment, Features> {
    engine().scorer(&sql()).expect("it can be scored")
}

fn payment(card: i64, merchant: &str, amount: Option<f64>, seconds: i64) -> Payment {
    Payment { card, merchant: merchant.into(), amount, ts: Timestamp(seconds * 1_000_000) }
}

/// The answers of looking at all rows that were remembered.
#[derive(Default)]
struct Model {
    rows: Vec<Payment>,
    watermark: i64,
}

impl Model {
    fn score(&mut self, p: &Payment) -> (Option<Features>, bool) {
        let seconds = p.ts.0 / 1_000_000;
        let late = seconds <= self.watermark;
        self.watermark = self.watermark.max(seconds - 10);
        if p.amount.is_some_and(|a| a < 0.0) {
            return (None, false);
        }
        let at = self.rows.partition_point(|r| r.ts <= p.ts);
        let mut all = self.rows[..at].to_vec();
        all.push(p.clone());
        if !late {
            self.rows.insert(at, p.clone());
        }
        let within = |all: &[Payment], s: i64| -> Vec<Payment> {
            all.iter().filter(|r| r.ts.0 >= p.ts.0 - s * 1_000_000).cloned().collect()
        };
        let card: Vec<Payment> = all.iter().filter(|r| r.card == p.card).cloned().collect();
        let long = within(&card, 20);
        let amounts = |rows: &[Payment]| rows.iter().filter_map(|r| r.amount).collect::<Vec<f64>>();
        let mut merchants: Vec<&str> = long.iter().map(|r| r.merchant.as_str()).collect();
        merchants.sort_unstable();
        merchants.dedup();
        let total = amounts(&long);
        let n = long.len() as i64;
        let by_merchant = within(&all, 30).iter().filter(|r| r.merchant == p.merchant).count() as i64;
        let features = Features {
            card: p.card,
            n,
            total: (!total.is_empty()).then(|| total.iter().sum()),
            most: amounts(&within(&card, 5)).into_iter().reduce(f64::max),
            merchants: merchants.len() as i64,
            by_merchant,
            last_three: card.len().min(3) as i64,
            flag: if n > 3 { Some("often".into()) } else { (by_merchant > 5).then(|| "crowd".into()) },
        };
        (Some(features), late)
    }
}

/// Payments with times that go forth and back; amounts are whole, so that sums are exact in any order.
fn stream(max: usize) -> impl Strategy<Value = Vec<Payment>> {
    let one = (0..3i64, 0..3usize, prop::option::of(-1..20i32), -14..6i64);
    prop::collection::vec(one, 1..max).prop_map(|steps| {
        let mut now = 100;
        steps
            .into_iter()
            .map(|(card, merchant, amount, step)| {
                now += step.max(0);
                let merchant = ["a", "bookshop of letters", "c"][merchant];
                payment(card, merchant, amount.map(f64::from), now + step.min(0))
            })
            .collect()
    })
}

proptest! {
    /// Whatever the order of the rows. (The model keeps the second chain's rows of its own: no row is filtered between the chains here.)
    #[test]
    fn answers_are_those_of_all_rows_up_to_the_event(rows in stream(80)) {
        let (mut scorer, mut model) = (new(), Model::default());
        for (k, p) in rows.iter().enumerate() {
            let (want, late) = model.score(p);
            if want.as_ref().is_some_and(|w| w.n >= 9) {
                return Ok(());
            }
            let got = scorer.score(p).expect("no row fails");
            // A late row sees what is still held.
            let same = if late { got.row.is_some() == want.is_some() } else { got.row == want.as_ref() };
            prop_assert!(same, "row {}: {:?}, not {:?}", k, got, want);
            prop_assert_eq!(got.late, late && want.is_some());
        }
        prop_assert_eq!(scorer.stats().events, rows.len() as u64);
    }

    #[test]
    fn batches_columns_and_restored_state_change_no_answer(rows in stream(60), cuts in prop::collection::vec(1..9usize, 1..30)) {
        let mut one = new();
        let want: Vec<Answer<Features>> = rows.iter().map(|p| {
            let s = one.score(p).expect("no row fails");
            Answer { row: s.row.cloned(), late: s.late }
        }).collect();
        let (mut scorer, mut got, mut rest) = (new(), vec![], &rows[..]);
        for cut in cuts.iter().cycle() {
            let (now, then) = rest.split_at((*cut).min(rest.len()));
            let mut answers = vec![Answer { row: Some(Features::default()), late: true }; cut % 3];
            scorer.score_batch(now, &mut answers).expect("no row fails");
            got.append(&mut answers);
            let mut next = new();
            next.restore(&scorer.snapshot()).expect("its own bytes");
            (scorer, rest) = (next, then);
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(got, want);
        prop_assert_eq!(scorer.stats(), one.stats());
    }
}

#[test]
fn a_late_row_is_answered_and_forgotten() {
    let mut scorer = new();
    assert!(!scorer.score(&payment(1, "a", Some(1.0), 100)).unwrap().late);
    assert_eq!(scorer.watermark(), 90_000);
    let late = scorer.score(&payment(1, "a", Some(1.0), 90)).unwrap();
    assert_eq!((late.late, late.row.map(|r| r.n)), (true, Some(1)));
    let next = scorer.score(&payment(1, "a", Some(1.0), 101)).unwrap();
    assert_eq!((next.late, next.row.map(|r| r.n)), (false, Some(2)));
    assert_eq!(scorer.stats(), ScorerStats { events: 3, filtered: 0, late: 1 });
}

#[test]
fn columns_are_scored_as_rows_are() {
    let mut scorer = engine().column_scorer(&sql()).unwrap();
    let names: Vec<&str> = scorer.reads().fields.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["card", "merchant", "amount", "ts"]);
    let rows = [payment(1, "a", Some(-1.0), 5), payment(1, "a", Some(2.0), 6), payment(1, "b", None, 7)];
    let mut columns: Vec<_> = scorer
        .reads()
        .fields
        .iter()
        .map(|f| crate::batch::ColumnRef::new(crate::batch::Column::new(&f.ty)))
        .collect();
    for p in &rows {
        columns.iter_mut().enumerate().for_each(|(n, c)| p.write(n, crate::batch::ColumnRef::make_mut(c)));
    }
    let merchants = columns[1].clone();
    let scored = scorer.score_columns(Batch::new(columns, 3)).unwrap();
    let seen: Vec<(usize, i64)> = scored
        .rows
        .sel()
        .iter()
        .map(|r| (scored.origin(r), scored.rows.column(4).slice::<i64>()[r]))
        .collect();
    assert_eq!(seen, [(1, 1), (2, 2)], "rows and their distinct merchants");
    let e = scorer.score_columns(Batch::new(vec![merchants], 3)).err().expect("refused");
    assert_eq!(e.message(), "the query reads 4 columns, and 1 are given");
}

/// A history in a file, replayed, then live rows.
#[test]
fn a_replayed_history_is_one_lived_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.csv");
    let rows: Vec<Payment> = (0..500)
        .map(|n| payment(n % 7, ["a", "b", "c"][n as usize % 3], Some((n % 13) as f64), n / 3))
        .collect();
    let line = |p: &Payment| {
        let seconds = p.ts.0 / 1_000_000;
        let at = format!("1970-01-01 00:{:02}:{:02}.000", seconds / 60, seconds % 60);
        format!("{},,{},{},{at}\n", p.card, p.merchant, p.amount.unwrap())
    };
    std::fs::write(&path, rows[..400].iter().map(line).collect::<String>()).unwrap();
    let with = format!("'connector' = 'filesystem', 'path' = '{}', 'format' = 'csv'", path.display());
    let (mut lived, mut replayed) =
        (new(), engine().scorer::<Payment, Features>(&(payments(&with) + FEATURES)).unwrap());
    for p in &rows[..400] {
        lived.score(p).unwrap();
    }
    assert_eq!(replayed.replay().unwrap(), 400);
    for p in &rows[400..] {
        assert_eq!(replayed.score(p).unwrap(), lived.score(p).unwrap());
    }
    assert_eq!(replayed.stats(), lived.stats());
    assert!(replayed.snapshot() == lived.snapshot(), "their state is the same");
    let e = new().replay().unwrap_err();
    assert!(e.message().contains("do not end"), "{e}");
}

#[test]
fn state_lives_in_a_file_of_its_version_and_plan() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scorer.state");
    let mut scorer = new();
    for n in 0..50 {
        scorer.score(&payment(n % 3, "a", Some(n as f64), n)).unwrap();
    }
    scorer.save(&path).unwrap();
    let mut back = new();
    back.load(&path).unwrap();
    for n in 50..80 {
        let p = payment(n % 3, "a", Some(n as f64), n);
        assert_eq!(back.score(&p).unwrap(), scorer.score(&p).unwrap());
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["scorer.state"], "no file is left beside it");

    let other = sql().replace("'20' SECOND", "'21' SECOND");
    let e = engine().scorer::<Payment, Features>(&other).unwrap().load(&path).unwrap_err();
    assert_eq!((e.kind(), e.message()), (ErrorKind::Config, "the snapshot belongs to another query"));
    let spaced = sql().replace(" FROM", "\n   FROM");
    engine()
        .scorer::<Payment, Features>(&spaced)
        .unwrap()
        .load(&path)
        .expect("the same query, written otherwise");

    let bytes = std::fs::read(&path).unwrap();
    let mut newer = bytes.clone();
    newer[8] = 9;
    let e = new().restore(&newer).unwrap_err();
    assert_eq!(e.message(), "the snapshot has version 9, this build reads version 1");
    for at in (0..bytes.len()).filter(|at| !(8..12).contains(at)) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(new().restore(&damaged).is_err_and(|e| e.is_corrupt()), "byte {at}");
        assert!(new().restore(&bytes[..at]).is_err(), "cut at {at}");
    }
    let e = back.restore(&bytes).unwrap_err();
    assert_eq!(e.message(), "a scorer that has scored already cannot go on from a snapshot");
}

/// Keys that no frame can reach any more are forgotten, whatever their aggregates.
#[test]
fn memory_is_that_of_the_keys_in_reach() {
    let query = FEATURES.replace(
        "COUNT(*) OVER (PARTITION BY card ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
        "CAST(0 AS BIGINT)",
    );
    let mut scorer: Scorer<Payment, Features> =
        engine().scorer(&(payments("'connector' = 'push'") + &query)).unwrap();
    let mut peak = 0;
    for n in 0..20_000 {
        scorer.score(&payment(n, "a", Some(1.0), n / 4)).unwrap();
        if n == 2_000 {
            peak = scorer.state_bytes();
        }
    }
    assert!(scorer.state_bytes() <= peak * 2, "{} bytes, {peak} after a tenth", scorer.state_bytes());
}

#[test]
fn what_cannot_be_scored_is_named_at_its_place() {
    let refused = |query: &str, named: &str, place: &str| {
        let text = payments("'connector' = 'push'") + query;
        let e = engine().scorer::<Payment, Features>(&text).err().expect("refused");
        assert_eq!(e.message(), named);
        let span = e.span().expect("a place");
        assert!(span.text(&text).contains(place), "{}", span.text(&text));
        assert!(e.advice().is_some());
    };
    refused(
        "SELECT card, COUNT(*) FROM payments GROUP BY card",
        "GroupAggregate cannot be scored",
        "GROUP BY card",
    );
    refused(
        "SELECT a.card FROM payments a UNION ALL SELECT b.card FROM payments b",
        "a query that reads its rows in two ways cannot be scored",
        "payments",
    );
    refused(
        "SELECT COUNT(*) OVER (PARTITION BY card ORDER BY amount) FROM payments",
        "OVER ordered by an ordinary column cannot be scored",
        "ORDER BY amount",
    );
    refused(
        "SELECT card FROM payments; SELECT merchant FROM payments",
        "a scorer has one query, and this is a second one",
        "merchant",
    );
    refused(
        "CREATE TABLE t (card BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO t SELECT card FROM payments",
        "INSERT INTO cannot be scored",
        "INSERT INTO t",
    );
}

#[test]
fn fields_are_checked_against_columns() {
    crate::row! { struct Wrong { card: i32 } }
    crate::row! { struct Unknown { kard: i64 } }
    crate::row! { struct Nothing { unused: Option<i32> } }
    crate::row! { struct Null { card: Option<i64> } }
    crate::row! { struct Total { total: f64 } }
    fn message<E: Row, R: Row>() -> String {
        let e = engine().scorer::<E, R>(&sql()).err().expect("refused");
        format!("{}; {}", e.message(), e.advice().unwrap_or_default())
    }
    assert_eq!(
        message::<Wrong, Features>(),
        "field 'card' is i32, but the column of table 'payments' is BIGINT; the Rust type of BIGINT is i64"
    );
    assert_eq!(
        message::<Unknown, Features>(),
        "field 'kard': table 'payments' has no such column; its columns are card, unused, merchant, amount, ts"
    );
    assert_eq!(
        message::<Nothing, Features>(),
        "the query reads column 'card' BIGINT NOT NULL of table 'payments', and the row has no such field; add a field of that name"
    );
    assert_eq!(
        message::<Null, Features>(),
        "field 'card' is Option<i64>, but the column of table 'payments' is BIGINT NOT NULL; take the Option away, or the NOT NULL"
    );
    assert_eq!(
        message::<Payment, Total>(),
        "field 'total' is f64, but the column of the result is DOUBLE, which may be NULL; make the field Option<f64>, or write COALESCE in the query"
    );
}

/// Each type that a field may have goes in and comes out, and NULL as well.
#[test]
fn values_of_all_types_go_in_and_come_out() {
    crate::row! {
        #[derive(Clone, Debug, PartialEq)]
        struct All {
            a: Option<bool>, b: Option<i8>, c: Option<i16>, d: Option<i32>, e: Option<i64>, f: Option<f32>, g: Option<f64>,
            h: Option<Decimal<2>>, i: Option<String>, j: Option<Vec<u8>>, k: Option<Date>, l: Option<crate::engine::Time>, m: Option<Timestamp>,
        }
    }
    let sql = "CREATE TABLE t (a BOOLEAN, b TINYINT, c SMALLINT, d INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(9, 2), i STRING, j BYTES,
        k DATE, l TIME, m TIMESTAMP_LTZ(3)) WITH ('connector' = 'push'); SELECT * FROM t";
    let mut scorer: Scorer<All, All> = engine().scorer(sql).unwrap();
    let full = All {
        a: Some(true),
        b: Some(-1),
        c: Some(2),
        d: Some(-3),
        e: Some(4),
        f: Some(0.5),
        g: Some(-0.25),
        h: Some(Decimal(1234)),
        i: Some("a text of more than twelve bytes".into()),
        j: Some(vec![0, 255]),
        k: Some(Date(-1)),
        l: Some(crate::engine::Time(1)),
        m: Some(Timestamp(-1000)),
    };
    for row in [full.clone(), All::default(), full] {
        assert_eq!(scorer.score(&row).unwrap().row, Some(&row));
    }
}

/// Rows of processing time stand at the time that was said last.
#[test]
fn processing_time_is_what_the_caller_says() {
    crate::row! { struct Tick { id: i64 } }
    crate::row! { struct Count { n: i64 } }
    let sql = "CREATE TABLE ticks (id BIGINT, p AS PROCTIME()) WITH ('connector' = 'push');
        SELECT COUNT(id) OVER (ORDER BY p RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW) AS n FROM ticks";
    crate::row! { struct Maybe { id: Option<i64> } }
    let mut scorer: Scorer<Maybe, Count> = engine().scorer(sql).unwrap();
    let mut seen = vec![];
    for now in [0, 500_000, 1_000_000, 1_700_000, 900_000, 9_000_000] {
        scorer.advance(now);
        seen.push(scorer.score(&Maybe { id: Some(now) }).unwrap().row.map(|c| c.n));
    }
    assert_eq!(seen, [Some(1), Some(2), Some(3), Some(2), Some(3), Some(1)]);
    let mut other: Scorer<Tick, Count> = engine().scorer(sql).unwrap();
    assert_eq!(other.score(&Tick { id: 1 }).unwrap().row.map(|c| c.n), Some(1));
}

#[test]
fn a_scorer_can_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Scorer<Payment, Features>>();
    is_send::<Scorer>();
}

/// Frames in slices: all rows of the exact frame, and of the slice that it begins in.
#[test]
fn frames_in_slices_are_exact_up_to_the_resolution() {
    crate::row! {
        #[derive(Clone, Debug, PartialEq)]
        struct Slices { n: i64, total: Option<f64>, most: Option<f64>, merchants: i64, exact: i64 }
    }
    let sql = "SET 'pelton.over.range-resolution' = '30 s';".to_owned()
        + &payments("'connector' = 'push'")
        + "SELECT COUNT(*) OVER w AS n, SUM(amount) OVER w AS total, MAX(amount) OVER w AS most, COUNT(DISTINCT merchant) OVER w AS merchants,
             COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '30' SECOND PRECEDING AND CURRENT ROW) AS exact
           FROM payments
           WINDOW w AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '5' MINUTE PRECEDING AND CURRENT ROW)";
    let script = engine().prepare(&sql).expect("it is sound");
    assert!(script.extensions[0].message.contains("pelton.over.range-resolution"));
    let made = || engine().scorer::<Payment, Slices>(&sql).expect("it can be scored");
    let mut scorer = made();
    let mut rows: Vec<Payment> = vec![];
    let mut watermark = i64::MIN;
    for n in 0..600_i64 {
        let at = n * 7 - if n % 5 == 0 { (n % 11) * 2 } else { 0 };
        let p = payment(n * n % 3, ["a", "b", "c", "d"][(n * n % 7 % 4) as usize], Some((n % 13) as f64), at);
        let late = p.ts.0 <= watermark;
        // What no row above the watermark can see is not counted either.
        let held = (at * 1_000_000).max(watermark);
        let (first, last) = ((held / 1_000_000 - 300).div_euclid(30), at.div_euclid(30));
        let seen =
            |r: &&Payment| r.card == p.card && (first..=last).contains(&(r.ts.0.div_euclid(30_000_000)));
        let frame: Vec<&Payment> = rows.iter().filter(seen).chain([&p]).collect();
        let amounts = || frame.iter().filter_map(|r| r.amount);
        let mut merchants: Vec<&str> = frame.iter().map(|r| &*r.merchant).collect();
        merchants.sort_unstable();
        merchants.dedup();
        let exact = |r: &&Payment| r.card == p.card && (held - 30_000_000..=p.ts.0).contains(&r.ts.0);
        let want = Slices {
            n: frame.len() as i64,
            total: Some(amounts().sum()),
            most: amounts().reduce(f64::max),
            merchants: merchants.len() as i64,
            exact: rows.iter().filter(exact).count() as i64 + 1,
        };
        let scored = scorer.score(&p).expect("no row fails");
        assert_eq!((scored.row, scored.late), (Some(&want), late), "payment {n}");
        if !late {
            rows.push(p);
        }
        watermark = watermark.max(at * 1_000_000 - 10_000_000);
        if n % 50 == 0 {
            let mut state = crate::batch::Encoder::default();
            scorer.chain.snapshot(&mut state);
            scorer = made();
            scorer.chain.restore(&mut crate::batch::Decoder::new(&state.finish())).expect("its own bytes");
        }
    }
    let first = sql.replace("MAX(amount) OVER w AS most", "FIRST_VALUE(amount) OVER w AS most");
    let e = engine().scorer::<Payment, Slices>(&first).err().expect("refused");
    assert!(e.message().starts_with("FIRST_VALUE over a frame of time needs the rows"), "{e}");
}

/// A scorer over its limit says so, and takes no more.
#[test]
fn state_has_a_limit() {
    let sql = "SET 'pelton.memory-limit' = '3 mb';".to_owned() + &sql();
    let mut scorer: Scorer<Payment, Features> = engine().scorer(&sql).expect("it can be scored");
    let refused =
        (0..100_000).find_map(|n| scorer.score(&payment(n, "m", None, n / 1000)).err().map(|e| (n, e)));
    let (n, e) = refused.expect("a hundred thousand cards do not fit");
    assert!(e.message().starts_with("the state of this scorer has grown to "), "{e}");
    assert!(e.message().contains("over its limit of 3.1 MB; the largest operators: over"), "{e}");
    assert!(n > 1000 && scorer.stats().events == n as u64, "{n}");
    assert!(scorer.state_bytes() < 5 << 20, "{}", scorer.state_bytes());
    let e = scorer.score_batch(&[payment(0, "m", None, 200)], &mut vec![]).expect_err("none is taken");
    assert!(e.message().contains("over its limit"), "{e}");
}

/// Several scorers answer what one does, each for its keys; where they would share some, there are none.
#[test]
fn several_scorers_share_the_keys_between_them() {
    let sql = payments("'connector' = 'push'")
        + "SELECT card, COUNT(*) OVER (PARTITION BY k, merchant ORDER BY ts) AS n, CAST(0 AS BIGINT) AS by_merchant
           FROM (SELECT merchant, ts, card AS k, card FROM payments)";
    crate::row! { #[derive(Clone, Debug, PartialEq)] struct Counts { card: i64, n: i64 } }
    crate::row! { #[derive(Clone, Debug, PartialEq)] struct Event { card: i64, merchant: String, ts: Timestamp } }
    let mut one: Scorer<Event, Counts> = engine().scorer(&sql).expect("it can be scored");
    let (mut homes, mut three) =
        engine().scorers::<Event, Counts>(&sql, 3).expect("they have card and merchant in common");
    let mut had = [0; 3];
    for n in 0..3000_i64 {
        let event = Event { card: n % 40, merchant: format!("m{}", n % 7), ts: Timestamp(n * 1_000_000) };
        let home = homes.of(&event);
        had[home] += 1;
        let alone = one.score(&event).expect("no row fails").row.cloned();
        assert_eq!(three[home].score(&event).expect("no row fails").row.cloned(), alone, "event {n}");
    }
    assert!(had.iter().all(|n| *n > 600), "{had:?}");
    // By card, and by merchant.
    let two_keys = payments("'connector' = 'push'") + FEATURES;
    let e = engine().scorers::<Payment, Features>(&two_keys, 2).err().expect("refused");
    assert!(e.message().starts_with("several scorers would see parts of the same keys"), "{e}");
    assert_eq!(engine().scorers::<Payment, Features>(&two_keys, 1).map(|s| s.1.len()).ok(), Some(1));
}

/// An event that fails between two OVERs leaves nothing with the second, not even its key.
#[test]
fn a_key_of_an_event_that_failed_is_forgotten() {
    crate::row! { struct Event { card: i64, merchant: String, divisor: i32, ts: Timestamp } }
    crate::row! { struct Count { share: i32, n: i64 } }
    let over = "RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW";
    let sql = format!(
        "CREATE TABLE events (card BIGINT NOT NULL, merchant STRING NOT NULL, divisor INT NOT NULL, ts TIMESTAMP(3) NOT NULL,
           WATERMARK FOR ts AS ts) WITH ('connector' = 'push');
         SELECT share, COUNT(*) OVER (PARTITION BY merchant ORDER BY ts {over}) AS n
         FROM (SELECT merchant, ts, 100 / divisor + CAST(of_card AS INT) AS share
           FROM (SELECT *, COUNT(*) OVER (PARTITION BY card ORDER BY ts {over}) AS of_card FROM events))"
    );
    let mut scorer: Scorer<Event, Count> = engine().scorer(&sql).expect("it can be scored");
    let event = |merchant: &str, divisor, second: i64| Event {
        card: 1,
        merchant: merchant.into(),
        divisor,
        ts: Timestamp(second * 1_000_000),
    };
    assert_eq!(scorer.score(&event("a merchant", 5, 1)).unwrap().row.map(|c| (c.share, c.n)), Some((21, 1)));
    assert!(scorer.score(&event("another merchant", 0, 2)).is_err());
    let held = |s: &Scorer<Event, Count>, text: &[u8]| s.snapshot().windows(text.len()).any(|w| w == text);
    assert!(held(&scorer, b"a merchant") && !held(&scorer, b"another merchant"));
    assert_eq!(scorer.score(&event("another merchant", 1, 3)).unwrap().row.map(|c| c.n), Some(1));
}

/// Columns of the result in any order, twice, computed among them, more of those than places are left: fetched from where they stand or in order,
/// they are those that a scorer of columns gives.
#[test]
fn results_are_the_same_wherever_their_columns_stand() {
    crate::row! { struct Event { a: i64, b: i64, ts: Timestamp } }
    crate::row! { #[derive(Clone, Debug, PartialEq)] struct Result { x: i64, y: i64, z: i64 } }
    let table = "CREATE TABLE events (a BIGINT NOT NULL, b BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL, WATERMARK FOR ts AS ts)
         WITH ('connector' = 'push');";
    let over = "(SELECT *, COUNT(*) OVER (PARTITION BY a ORDER BY ts RANGE BETWEEN INTERVAL '9' SECOND PRECEDING AND CURRENT ROW) AS n
         FROM events)";
    let selects = [
        format!("SELECT n AS x, b AS y, a AS z FROM {over}"),
        format!("SELECT b AS x, n AS y, n AS z FROM {over}"),
        format!("SELECT b AS x, a + b AS y, n AS z FROM {over}"),
        format!("SELECT a * 2 AS x, n + 1 AS y, b AS z FROM {over}"),
        format!("SELECT a * 2 AS x, n + 1 AS y, b - a AS z FROM {over}"),
        format!("SELECT n AS y, a AS x, a + n AS z FROM {over} WHERE b > 2"),
        "SELECT a + 1 AS x, a + 2 AS y, a + 3 AS z FROM events".to_owned(),
        "SELECT a AS x, a + b AS y, b AS z FROM events".to_owned(),
        "SELECT 10 / b AS x, a AS y, b AS z FROM events".to_owned(),
    ];
    for select in selects {
        let sql = format!("{table}{select}");
        let mut rows: Scorer<Event, Result> = engine().scorer(&sql).expect("it can be scored");
        let mut batches: Scorer<Event, Result> = engine().scorer(&sql).expect("it can be scored");
        let mut columns = engine().column_scorer(&sql).expect("it can be scored");
        for n in 0..40_i64 {
            let event = Event { a: n % 3, b: 1 + n % 5, ts: Timestamp(n * 1_000_000) };
            let batch = |reads: &Schema| {
                let columns = reads.fields.iter().map(|f| {
                    let mut c = crate::batch::Column::new(&f.ty);
                    let value = match f.name.as_str() {
                        "a" => event.a,
                        "b" => event.b,
                        _ => event.ts.0,
                    };
                    c.buffer_mut::<i64>().push(value);
                    c.validity.push(true);
                    crate::batch::ColumnRef::new(c)
                });
                Batch::new(columns.collect(), 1)
            };
            let row = rows.score(&event).expect("no row fails").row.cloned();
            let fetched = |scored: &ScoredColumns<'_>, names: &Schema| {
                let of = |name: &str| {
                    let at =
                        names.fields.iter().position(|f| f.name == name).expect("a column of the result");
                    scored.rows.column(at).slice::<i64>()[0]
                };
                (scored.rows.selected() == 1).then(|| Result { x: of("x"), y: of("y"), z: of("z") })
            };
            let (of_batch, of_columns) = (batch(batches.reads()), batch(columns.reads()));
            let names = columns.schema().clone();
            assert_eq!(
                fetched(&batches.score_columns(of_batch).expect("no row fails"), &names),
                row,
                "{select}"
            );
            assert_eq!(
                fetched(&columns.score_columns(of_columns).expect("no row fails"), &names),
                row,
                "{select}"
            );
        }
    }
}

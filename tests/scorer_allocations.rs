//! No allocation per call: a scorer whose keys and frames are there answers out of what it has, and drops what leaves its frames.

mod counting;

use pelton::{Engine, Scorer, Timestamp};

pelton::row! { struct Event { card: i64, merchant: i32, amount: i64, ts: Timestamp } }
pelton::row! { struct Answer { n: i64, total: Option<i64>, most: Option<i64>, merchants: i64, of_merchant: i64 } }

const SQL: &str = "
    CREATE TABLE events (card BIGINT NOT NULL, merchant INT NOT NULL, amount BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
      WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'push');
    SELECT n, total, most, merchants, COUNT(*) OVER (PARTITION BY merchant ORDER BY ts
        RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW) AS of_merchant
    FROM (SELECT merchant, ts, COUNT(*) OVER w AS n, SUM(amount) OVER w AS total, MAX(amount) OVER w AS most,
            COUNT(DISTINCT merchant) OVER w AS merchants
          FROM events
          WINDOW w AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW))";

#[test]
fn a_scored_event_allocates_nothing() {
    let engine = Engine::builder().build().expect("sound settings");
    let mut scorer: Scorer<Event, Answer> = engine.scorer(SQL).expect("it can be scored");
    let (mut warm, mut answers) = (0, 0);
    for n in 0..60_000_i64 {
        if n == 30_000 {
            warm = counting::allocations();
        }
        // Ten events a second; 50 cards and 7 merchants by turns, so that frames hold as many rows for ever.
        let (card, merchant, amount) = (n % 50, (n % 7) as i32, n * 7919 % 977);
        let scored = scorer.score(&Event { card, merchant, amount, ts: Timestamp(n * 100_000) });
        answers += i64::from(scored.expect("no row fails").row.is_some_and(|a| a.n > 0 && a.total.is_some()));
    }
    assert_eq!(counting::allocations() - warm, 0, "allocations of 30,000 events");
    assert_eq!(answers, 60_000);
}

//! The queries of `pelton bench nexmark` against models that take one event after the other.
//!
//! The models read the bids that the engine's own q0 gives; that the generator is Nexmark's is shown elsewhere. `NEXMARK_EVENTS=1000000`
//! takes more events.

use jiff::tz::TimeZone;
use pelton::batch::RowKind;
use pelton::batch::text::civil::parse_timestamp;
use pelton::batch::text::{Style, write_value};
use pelton::{Engine, Progress};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

#[path = "../src/bin/pelton/bench/count_char.rs"]
mod count_char;

const TABLES: &str = include_str!("../benches/nexmark/tables.sql");

fn events() -> u64 {
    std::env::var("NEXMARK_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(50_000)
}

/// Turns, with the clock of each in ms and the rows that had been read after it.
type Turns = Vec<(i64, u64)>;

/// The rows of a query in the end, as text, sorted; every change taken.
fn result(query: &str) -> Vec<Vec<String>> {
    let mut rows: HashMap<Vec<String>, i64> = HashMap::new();
    run(query, |_| 0, |kind, row| *rows.entry(row).or_default() += if kind.is_add() { 1 } else { -1 });
    assert!(rows.values().all(|n| *n >= 0), "what is taken back was there");
    let mut all: Vec<_> = rows.into_iter().flat_map(|(row, n)| vec![row; n as usize]).collect();
    all.sort();
    all
}

fn run(query: &str, clock: impl Fn(u64) -> i64, mut take: impl FnMut(RowKind, Vec<String>)) -> Turns {
    let text = format!("{TABLES}\n{query}").replace("${EVENTS}", &events().to_string());
    let builder = Engine::builder().scalar_function(std::sync::Arc::new(count_char::CountChar));
    let script = builder
        .build()
        .expect("an engine")
        .prepare(&text)
        .unwrap_or_else(|e| panic!("{}", e.render("q", &text)));
    let job = script.jobs().next().expect("a job");
    let schema = job.schema().expect("a result");
    let mut run = job.start_here().expect("a run");
    let (mut turns, mut done) = (vec![], false);
    while !done {
        let now = clock(turns.len() as u64);
        done = run.step(now * 1000).expect("the query runs") == Progress::Done;
        turns.push((now, run.stats().rows_in));
        for batch in run.take_results() {
            for row in batch.sel().iter() {
                let text = |c: usize| {
                    let mut out = vec![];
                    write_value(
                        batch.column(c),
                        row,
                        schema.ty(c),
                        &TimeZone::UTC,
                        Style::Changelog,
                        &mut out,
                    );
                    String::from_utf8(out).expect("text")
                };
                take(batch.kind(row), (0..schema.len()).map(text).collect());
            }
        }
    }
    assert_eq!(run.stats().late, 0, "nothing comes late");
    turns
}

/// The query behind each INSERT of a file of `benches/nexmark`, with the views before it.
fn queries(file: &str) -> Vec<String> {
    let views: String = file.split_inclusive(';').filter(|s| s.contains("CREATE VIEW")).collect();
    let inserts = file.split("INSERT INTO ").skip(1);
    inserts
        .map(|s| s.split_once(';').expect("an end").0.split_once(char::is_whitespace).expect("a query").1)
        .map(|q| format!("{views}\n{q}"))
        .collect()
}

fn query(file: &str) -> String {
    queries(file).remove(0)
}

struct Bid {
    auction: i64,
    bidder: i64,
    price: i64,
    channel: String,
    url: String,
    ms: i64,
    time: String,
    extra: String,
}

/// All bids, read once for all tests.
fn bids() -> &'static [Bid] {
    static BIDS: LazyLock<Vec<Bid>> = LazyLock::new(read_bids);
    &BIDS
}

fn read_bids() -> Vec<Bid> {
    let mut all = vec![];
    run(
        "SELECT auction, bidder, price, channel, url, `dateTime`, extra FROM bid",
        |_| 0,
        |_, row| {
            let [auction, bidder, price, channel, url, time, extra] =
                <[String; 7]>::try_from(row).expect("seven columns");
            let number = |t: &str| t.parse().expect("a number");
            let ms = millis(&time);
            all.push(Bid {
                auction: number(&auction),
                bidder: number(&bidder),
                price: number(&price),
                channel,
                url,
                ms,
                time,
                extra,
            });
        },
    );
    assert!(all.len() as u64 > events() * 9 / 10);
    all
}

fn millis(time: &str) -> i64 {
    parse_timestamp(time.as_bytes(), 3).expect("a time").millis()
}

fn sorted(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut all: Vec<_> = rows.into_iter().collect();
    all.sort();
    all
}

fn row<const N: usize>(values: [&dyn ToString; N]) -> Vec<String> {
    values.map(|v| v.to_string()).to_vec()
}

/// A price in euros, as DECIMAL(23, 3).
fn euros(price: i64) -> String {
    format!("{}.{:03}", price * 908 / 1000, price * 908 % 1000)
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).expect("a time").strftime("%F %T%.3f").to_string()
}

#[test]
fn q1_and_q2() {
    let all = bids();
    let q1 = sorted(all.iter().map(|b| row([&b.auction, &b.bidder, &euros(b.price), &b.time, &b.extra])));
    assert_eq!(result(&query(include_str!("../benches/nexmark/q1.sql"))), q1);
    let q2 = sorted(all.iter().filter(|b| b.auction % 123 == 0).map(|b| row([&b.auction, &b.price])));
    assert_eq!(result(&query(include_str!("../benches/nexmark/q2.sql"))), q2);
}

#[test]
fn q5_counts_of_sliding_windows() {
    let mut counts: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for b in bids() {
        let last = b.ms.div_euclid(2_000) * 2_000;
        (0..5).for_each(|k| *counts.entry((b.auction, last - k * 2_000)).or_default() += 1);
    }
    let wanted = counts.into_iter().map(|((a, start), n)| row([&a, &n, &time(start), &time(start + 10_000)]));
    assert_eq!(result(&query(include_str!("../benches/nexmark/q5.sql"))), sorted(wanted));
}

#[test]
fn q8_newcomers_and_sellers() {
    let [newcomers, sellers] =
        <[String; 2]>::try_from(queries(include_str!("../benches/nexmark/q8.sql"))).expect("two");
    let of = |columns: &str, view: &str| {
        let mut seen = BTreeSet::new();
        run(
            &format!("SELECT {columns}, `dateTime` FROM {view}"),
            |_| 0,
            |_, mut r| {
                let start = millis(&r.pop().expect("a time")).div_euclid(10_000) * 10_000;
                r.push(time(start));
                seen.insert(r);
            },
        );
        sorted(seen)
    };
    assert_eq!(result(&newcomers), of("id, name", "person"));
    assert_eq!(result(&sellers), of("seller", "auction"));
}

#[test]
fn q11_sessions() {
    let mut times: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    bids().iter().for_each(|b| times.entry(b.bidder).or_default().push(b.ms));
    let mut wanted = vec![];
    for (bidder, mut times) in times {
        times.sort_unstable();
        for session in times.chunk_by(|a, b| b - a <= 10_000) {
            let (first, last) = (session[0], session[session.len() - 1]);
            wanted.push(row([&bidder, &session.len(), &time(first), &time(last + 10_000)]));
        }
    }
    assert_eq!(result(&query(include_str!("../benches/nexmark/q11.sql"))), sorted(wanted));
}

/// The clock goes on by a second a turn; what the last ten seconds have is not given, as in Flink.
#[test]
fn q12_windows_of_processing_time() {
    let mut kinds = vec![];
    run(
        "SELECT event_type, bid.bidder FROM datagen",
        |_| 0,
        |_, r| kinds.push((r[0] == "2").then(|| r[1].clone())),
    );
    let mut got = vec![];
    let turns =
        run(&query(include_str!("../benches/nexmark/q12.sql")), |n| n as i64 * 1_000, |_, r| got.push(r));
    let end = turns.last().expect("turns").0;
    let (mut counts, mut read): (BTreeMap<(String, i64), i64>, usize) = (BTreeMap::new(), 0);
    for (now, rows) in turns {
        for bidder in kinds[read..rows as usize].iter().flatten() {
            *counts.entry((bidder.clone(), now.div_euclid(10_000) * 10_000)).or_default() += 1;
        }
        read = rows as usize;
    }
    let closed = counts.into_iter().filter(|((_, start), _)| start + 10_000 <= end);
    let wanted = sorted(closed.map(|((b, start), n)| row([&b, &n, &time(start), &time(start + 10_000)])));
    let whole = got.into_iter().filter(|r| millis(&r[3]) <= end);
    assert!(!wanted.is_empty(), "windows have closed");
    assert_eq!(sorted(whole), wanted);
}

#[test]
fn q14_calculations() {
    let part = |b: &Bid| match b.ms.div_euclid(3_600_000).rem_euclid(24) {
        8..=18 => "dayTime",
        0..=6 | 20.. => "nightTime",
        _ => "otherTime",
    };
    let wanted =
        bids().iter().filter(|b| b.price * 908 > 1_000_000_000 && b.price * 908 < 50_000_000_000).map(|b| {
            let cs = b.extra.matches('c').count();
            row([&b.auction, &b.bidder, &euros(b.price), &part(b), &b.time, &b.extra, &cs])
        });
    assert_eq!(result(&query(include_str!("../benches/nexmark/q14.sql"))), sorted(wanted));
}

/// Bids, bidders and auctions, of all prices and of each of three ranks.
#[derive(Default)]
struct Ranks {
    bids: [u64; 4],
    bidders: [BTreeSet<i64>; 4],
    auctions: [BTreeSet<i64>; 4],
    minute: String,
}

impl Ranks {
    fn take(&mut self, b: &Bid) {
        for n in [0, rank(b.price)] {
            self.bids[n] += 1;
            self.bidders[n].insert(b.bidder);
            self.auctions[n].insert(b.auction);
        }
        self.minute = self.minute.as_str().max(&b.time[11..16]).to_owned();
    }

    fn counts(&self) -> Vec<String> {
        let sets = self.bidders.iter().chain(&self.auctions).map(|s| s.len() as u64);
        self.bids.iter().copied().chain(sets).map(|n| n.to_string()).collect()
    }
}

fn rank(price: i64) -> usize {
    match price {
        ..10_000 => 1,
        10_000..1_000_000 => 2,
        _ => 3,
    }
}

#[test]
fn q15_and_q16_statistics_by_rank() {
    let (mut days, mut channels): (BTreeMap<String, Ranks>, BTreeMap<(String, String), Ranks>) =
        Default::default();
    for b in bids() {
        let day = b.time[..10].to_owned();
        days.entry(day.clone()).or_default().take(b);
        channels.entry((b.channel.clone(), day)).or_default().take(b);
    }
    let q15 = days.iter().map(|(day, r)| [vec![day.clone()], r.counts()].concat());
    assert_eq!(result(&query(include_str!("../benches/nexmark/q15.sql"))), sorted(q15));
    let q16 = channels
        .iter()
        .map(|((c, d), r)| [vec![c.clone(), d.clone(), r.minute.clone()], r.counts()].concat());
    assert_eq!(result(&query(include_str!("../benches/nexmark/q16.sql"))), sorted(q16));
}

#[test]
fn q17_statistics_of_auctions() {
    let mut prices: BTreeMap<(i64, String), Vec<i64>> = BTreeMap::new();
    bids().iter().for_each(|b| prices.entry((b.auction, b.time[..10].to_owned())).or_default().push(b.price));
    let wanted = prices.into_iter().map(|((auction, day), p)| {
        let of = |r: usize| p.iter().filter(|p| rank(**p) == r).count();
        let (sum, n) = (p.iter().sum::<i64>(), p.len());
        let (min, max) = (p.iter().min().expect("one"), p.iter().max().expect("one"));
        row([&auction, &day, &n, &of(1), &of(2), &of(3), min, max, &(sum / n as i64), &sum])
    });
    assert_eq!(result(&query(include_str!("../benches/nexmark/q17.sql"))), sorted(wanted));
}

#[test]
fn q21_channels() {
    let wanted = bids().iter().filter_map(|b| {
        let known =
            ["apple", "google", "facebook", "baidu"].iter().position(|c| *c == b.channel.to_lowercase());
        let (_, rest) = b.url.split_once("&channel_id=").unwrap_or(("", ""));
        let id = match known {
            Some(n) => n.to_string(),
            None if b.url.contains("&channel_id=") => rest.split('&').next().unwrap_or("").to_owned(),
            None => return None,
        };
        Some(row([&b.auction, &b.bidder, &b.price, &b.channel, &id]))
    });
    assert_eq!(result(&query(include_str!("../benches/nexmark/q21.sql"))), sorted(wanted));
}

#[test]
fn q22_folders() {
    let wanted = bids().iter().map(|b| {
        let parts: Vec<&str> = b.url.split('/').collect();
        let part = |n: usize| parts.get(n).map_or("\\N".to_owned(), |p| (*p).to_owned());
        row([&b.auction, &b.bidder, &b.price, &b.channel, &part(3), &part(4), &part(5)])
    });
    assert_eq!(result(&query(include_str!("../benches/nexmark/q22.sql"))), sorted(wanted));
}

//! Ticks to bars, averages and a signal: `cargo run --release --example trading`.
//!
//! A job, not a scorer: a bar is known when its minute is over. The program pushes ticks and turns the job itself; the bars come in the turn in which they are known.

use pelton::{Engine, Feed, Progress, Result, Timestamp};

pelton::row! {
    /// A trade.
    #[derive(Clone, Debug)]
    pub(crate) struct Tick {
        pub(crate) symbol: String,
        pub(crate) price: f64,
        pub(crate) size: i64,
        pub(crate) ts: Timestamp,
    }
}

pelton::row! {
    /// A bar, and what it says.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Bar {
        pub(crate) symbol: String,
        pub(crate) bar: Timestamp,
        pub(crate) closed: Option<f64>,
        pub(crate) volume: Option<i64>,
        pub(crate) vwap: Option<f64>,
        pub(crate) fast: Option<f64>,
        pub(crate) slow: Option<f64>,
        pub(crate) signal: Option<String>,
    }
}

/// Trades of two symbols whose prices swing against each other, four a second each.
pub(crate) fn ticks(minutes: i64) -> impl Iterator<Item = Tick> {
    (0..minutes * 60 * 4).flat_map(|n| {
        let swing = (n as f64 / 2_000.0).sin();
        ["UP", "DOWN"].into_iter().zip([1.0, -1.0]).map(move |(symbol, sign)| Tick {
            symbol: symbol.into(),
            price: ((100.0 + sign * 10.0 * swing) * 100.0).round() / 100.0,
            size: 1 + n % 7,
            ts: Timestamp(n * 250_000),
        })
    })
}

/// The bars of these ticks.
pub(crate) fn run(ticks: impl Iterator<Item = Tick>) -> Result<Vec<Bar>> {
    let engine = Engine::builder().build()?;
    let script = engine.prepare(include_str!("trading.sql"))?;
    let mut run = script.jobs().next().expect("the script has a query").start()?;
    let mut feed: Feed<Tick> = run.feed("ticks")?;
    let mut bars: Vec<Bar> = vec![];
    for tick in ticks {
        feed.push(&tick)?;
        run.step(tick.ts.0)?;
        bars.extend(run.poll()?.into_iter().map(|(_, bar)| bar));
    }
    drop(feed);
    let mut progress = Progress::Working;
    while progress != Progress::Done {
        progress = run.step(0)?;
        bars.extend(run.poll()?.into_iter().map(|(_, bar)| bar));
    }
    Ok(bars)
}

#[allow(dead_code, reason = "tests include this file")]
fn main() -> Result<()> {
    for bar in run(ticks(120))? {
        if bar.signal.as_deref() != Some("HOLD") {
            let minute = bar.bar.0 / 60_000_000;
            println!(
                "minute {minute:>3}  {:<5} {:>8.2}  {}",
                bar.symbol,
                bar.closed.unwrap_or(0.0),
                bar.signal.unwrap_or_default()
            );
        }
    }
    Ok(())
}

//! `pelton bench latency`: how long an event waits for its answer, at rates that do not wait for it.
//!
//! `score` and `score_zipf` ask the scorer of `examples/fraud` on the caller's thread, after a day of payments; the same work written by hand runs
//! in the same process after it. Beside them memory alone is asked ([`Block`]): what the machine takes from whoever keeps a state of that size. `window` pushes events into a job whose window of one second each event closes, and counts
//! until the window's rows are there. `nothing` asks nothing: what it waits is taken by the machine, and no engine waits less.
//! Beside the figures of all events stand those of the slices of time in which the machine was quiet ([`open_loop`]).

mod handwritten;
mod open_loop;
mod payments;
mod plot;

use crate::args::Latency;
use crate::exit::{Exit, failed, written};
use crate::memory;
use handwritten::HandWritten;
use hdrhistogram::Histogram;
use open_loop::{GAP, Latencies, Load, SLICE, drive, histogram};
use payments::{Decision, Payment, Payments, mix};
use pelton::{Engine, Error, Feed, Result, Scorer, Timestamp};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The names that may be asked for.
pub(crate) const SCENARIOS: [&str; 4] = ["nothing", "score", "score_zipf", "window"];

/// What an event may add to the state, bytes, and for how many events at most memory is made ready.
const EVENT_BYTES: usize = 512;
const EVENTS: usize = 2_000_000;

/// One scenario at one rate.
struct Measured {
    scenario: &'static str,
    rate: u64,
    latencies: Latencies,
    hand_written: Option<Latencies>,
    /// Of [`Block::ask`].
    memory: Option<Latencies>,
    twice: Option<Twice>,
}

/// How long the answers of two engines to the same payments took, one right after the other, ns: the quicker of both, and how often over [`SLOW`] it was
/// one alone, or both. The engines do the same work on states of their own, so a pause of the machine mostly hits one.
struct Twice {
    quicker: Histogram<u64>,
    one_slow: u64,
    both_slow: u64,
}

/// The limit for an answer at p99 on a quiet machine, ns.
const SLOW: u64 = 5_000;

/// What the state of a payment takes, bytes, and the lines of memory that a score does not find in a cache; both about.
const STATE_BYTES: usize = 150;
const LINES: usize = 12;
const LINE: usize = 64 / size_of::<u64>();

/// As much memory as the state takes, written before the state is built up and left alone meanwhile, as most of the state is.
struct Block {
    words: Vec<u64>,
    next: u64,
}

impl Block {
    fn new(payments: u64) -> Self {
        let lines = (payments as usize * STATE_BYTES / 64).max(1);
        let mut words = vec![0; lines * LINE];
        pelton::host::mmap::advise_huge(&mut words);
        words.fill(1);
        Self { words, next: 0 }
    }

    /// Reads each page, as a scorer does of its state.
    fn touch(&self) {
        pelton::host::mmap::touch(&self.words);
    }

    /// Reads and writes lines at random places. These do not depend on what stands there: memory is waited for once, as short as can be.
    fn ask(&mut self) {
        let lines = self.words.len() / LINE;
        for _ in 0..LINES {
            let at = mix(self.next) as usize % lines * LINE;
            self.words[at] = self.words[at].wrapping_add(self.next);
            self.next += 1;
        }
    }
}

/// Measures, and prints what was seen.
pub(crate) fn latency(args: &Latency) -> Exit {
    match measure_all(args).and_then(|all| report(args, &all)) {
        Ok(text) => written(text.as_bytes()),
        Err(e) => failed(&e),
    }
}

fn measure_all(args: &Latency) -> Result<Vec<Measured>> {
    if let Some(core) = args.pin
        && !pelton::host::threads::pin(core)
    {
        return Err(Error::config(format!("this process may not run on core {core}")));
    }
    let mut all = vec![];
    for name in SCENARIOS {
        if args.scenarios.is_empty() || args.scenarios.iter().any(|s| s == name) {
            match name {
                "nothing" => nothing(args, &mut all)?,
                "window" => window(args, &mut all)?,
                _ => score(name, args, &mut all)?,
            }
        }
    }
    Ok(all)
}

fn loads(args: &Latency) -> impl Iterator<Item = Load> + '_ {
    let time = Duration::from_millis(args.millis);
    let stall = Duration::from_millis(args.stall);
    args.rates.iter().map(move |&rate| Load { rate, time, stall })
}

fn nothing(args: &Latency, all: &mut Vec<Measured>) -> Result<()> {
    for load in loads(args) {
        let latencies = drive(load, || Ok(true))?;
        all.push(Measured {
            scenario: "nothing",
            rate: load.rate,
            latencies,
            hand_written: None,
            memory: None,
            twice: None,
        });
    }
    Ok(())
}

/// An engine with its history, and the payments that come next.
struct Scoring {
    scorer: Scorer<Payment, Decision>,
    source: Payments,
    payment: Payment,
    scored: u64,
}

impl Scoring {
    fn new(args: &Latency, source: Payments) -> Result<Self> {
        let sql = include_str!("../../../../examples/fraud/fraud.sql");
        let scorer = Engine::builder().build()?.scorer(sql)?;
        let mut own = Self { scorer, source, payment: Payment::default(), scored: 0 };
        own.catch_up(args.preload)?;
        let events: f64 = loads(args).map(|l| l.rate as f64 * l.time.as_secs_f64()).sum();
        let runs = 1 + usize::from(args.twice);
        own.scorer.reserve((events as usize * runs).min(EVENTS) * EVENT_BYTES);
        Ok(own)
    }

    /// Goes on to the next payment.
    fn next(&mut self) {
        self.source.fill(&mut self.payment);
        self.scored += 1;
    }

    /// The answer to the next payment.
    fn score(&mut self) -> Result<bool> {
        self.next();
        self.scorer.score(&self.payment).map(|s| s.row.is_some())
    }

    /// [`Scoring::score`], and how long the answer took, ns.
    fn timed(&mut self) -> Result<u64> {
        self.next();
        let start = Instant::now();
        self.scorer.score(&self.payment)?;
        Ok(start.elapsed().as_nanos() as u64)
    }

    /// Answers payments until so many are answered.
    fn catch_up(&mut self, payments: u64) -> Result<()> {
        while self.scored < payments {
            self.score()?;
        }
        Ok(())
    }

    /// Before a run: no event is to be the first to look at a page.
    fn touch(&self) -> Duration {
        let started = Instant::now();
        self.scorer.touch();
        started.elapsed()
    }
}

/// The same load for two engines that have answered the same payments.
fn twice(load: Load, one: &mut Scoring, two: &mut Scoring) -> Result<Twice> {
    two.catch_up(one.scored)?;
    one.touch();
    two.touch();
    let mut seen = Twice { quicker: histogram(), one_slow: 0, both_slow: 0 };
    drive(load, || {
        let (first, second) = (one.timed()?, two.timed()?);
        seen.quicker.saturating_record(first.min(second));
        seen.both_slow += u64::from(first.min(second) > SLOW);
        seen.one_slow += u64::from(first.max(second) > SLOW && first.min(second) <= SLOW);
        Ok(true)
    })?;
    Ok(seen)
}

fn score(scenario: &'static str, args: &Latency, all: &mut Vec<Measured>) -> Result<()> {
    let skewed = scenario == "score_zipf";
    let payments = || Payments::new(args.cards, args.merchants, args.preload.max(1), skewed);
    let mut payment = Payment::default();
    let first = all.len();
    {
        let mut block = Block::new(args.preload);
        let started = Instant::now();
        let mut engine = Scoring::new(args, payments())?;
        say(args, scenario, "the engine", started.elapsed());
        let mut second = if args.twice { Some(Scoring::new(args, payments())?) } else { None };
        for load in loads(args) {
            let (took, mb) = (engine.touch(), engine.scorer.state_bytes() / 1_000_000);
            eprintln!("{scenario}: {mb} MB of state read once, a word a page, in {took:.1?}");
            let latencies = drive(load, || engine.score())?;
            block.touch();
            let memory = Some(drive(load, || {
                block.ask();
                Ok(true)
            })?);
            let twice = second.as_mut().map(|second| twice(load, &mut engine, second)).transpose()?;
            all.push(Measured { scenario, rate: load.rate, latencies, hand_written: None, memory, twice });
        }
    }
    let (mut by_hand, mut decision) = (HandWritten::default(), Decision::default());
    let mut source = payments();
    let started = Instant::now();
    for _ in 0..args.preload {
        source.fill(&mut payment);
        by_hand.score(&payment, &mut decision);
    }
    say(args, scenario, "by hand", started.elapsed());
    for (load, measured) in loads(args).zip(&mut all[first..]) {
        measured.hand_written = Some(drive(load, || {
            source.fill(&mut payment);
            by_hand.score(&payment, &mut decision);
            Ok(true)
        })?);
    }
    Ok(())
}

/// To standard error: it takes minutes.
fn say(args: &Latency, scenario: &str, who: &str, time: Duration) {
    let each = time.as_nanos() as f64 / args.preload.max(1) as f64;
    let (n, mb) = (args.preload, memory::peak_rss_kb() / 1000);
    let block = n as usize * STATE_BYTES / 1_000_000;
    eprintln!(
        "{scenario}, {who}: {n} payments before, {each:.0} ns each; {mb} MB at most so far, {block} of them memory to ask alone"
    );
}

pelton::row! {
    struct Event { key: i64, amount: i64, ts: Timestamp }
}

pelton::row! {
    struct Sum { key: i64, total: Option<i64> }
}

/// A second of event time between two events: each closes the window of the one before.
fn window(args: &Latency, all: &mut Vec<Measured>) -> Result<()> {
    let sql = "CREATE TABLE events (key BIGINT NOT NULL, amount BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL, WATERMARK FOR ts AS ts)
           WITH ('connector' = 'push');
         SELECT key, SUM(amount) AS total FROM TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '1' SECOND)
         GROUP BY key, window_start, window_end";
    let engine = Engine::builder().build()?;
    for load in loads(args) {
        let script = engine.prepare(sql)?;
        let job = script.jobs().next().ok_or_else(|| Error::config("the benchmark has no query"))?;
        let mut run = job.start()?;
        let mut feed: Feed<Event> = run.feed("events")?;
        let came = Arc::new(AtomicBool::new(false));
        let seen = came.clone();
        run.subscribe(move |_, _: &Sum| seen.store(true, Ordering::Relaxed))?;
        let mut n = 0_i64;
        let latencies = drive(load, || {
            n += 1;
            feed.push(&Event { key: n % 1000, amount: n, ts: Timestamp(n * 1_000_000) })?;
            run.step(0)?;
            Ok(came.swap(false, Ordering::Relaxed))
        })?;
        all.push(Measured {
            scenario: "window",
            rate: load.rate,
            latencies,
            hand_written: None,
            memory: None,
            twice: None,
        });
    }
    Ok(())
}

fn report(args: &Latency, all: &[Measured]) -> Result<String> {
    if let Some(folder) = &args.out {
        let failed = |e: std::io::Error| Error::io(folder.display(), &e);
        std::fs::create_dir_all(folder).map_err(failed)?;
        for m in all {
            let name = format!("{}-{}.hgrm", m.scenario, m.rate);
            std::fs::write(folder.join(name), plot::hgrm(&m.latencies.all)).map_err(failed)?;
        }
        let mut lines = vec![];
        for m in all {
            lines.push((format!("{} at {}/s", m.scenario, m.rate), &m.latencies.all));
            if let Some(h) = &m.hand_written {
                lines.push((format!("{} at {}/s, by hand", m.scenario, m.rate), &h.all));
            }
        }
        std::fs::write(folder.join("latency.svg"), plot::svg(&machine(), &lines)).map_err(failed)?;
    }
    Ok(if args.json { json(all) } else { table(args, all) })
}

fn table(args: &Latency, all: &[Measured]) -> String {
    let pinned = args.pin.map_or_else(|| "not pinned".to_owned(), |c| format!("pinned to core {c}"));
    let mut out = format!("{}; {pinned}\nlatency in ns from when an event was due\n", machine());
    if args.stall > 0 {
        let _ = writeln!(out, "with a stall of {} ms in the middle", args.stall);
    }
    let _ = writeln!(
        out,
        "{:<11} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>11} {:>9} {:>9} {:>9} {:>7} {:>10}",
        "scenario",
        "rate/s",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "p99.99",
        "max",
        "events",
        "hand p50",
        "hand p99",
        "ratio",
        "memory p99"
    );
    for m in all {
        let q = |q: f64| m.latencies.all.value_at_quantile(q);
        let hand = |q| m.hand_written.as_ref().map(|h| h.all.value_at_quantile(q));
        let memory = m.memory.as_ref().map(|of| of.all.value_at_quantile(0.99).to_string());
        let text = |q| hand(q).map_or(String::new(), |ns| ns.to_string());
        let ratio = hand(0.5).map(|ns| format!("{:.2}", q(0.5) as f64 / ns.max(1) as f64));
        let _ = writeln!(
            out,
            "{:<11} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>11} {:>9} {:>9} {:>9} {:>7} {:>10}",
            m.scenario,
            m.rate,
            q(0.5),
            q(0.9),
            q(0.99),
            q(0.999),
            q(0.9999),
            m.latencies.all.max(),
            m.latencies.all.len(),
            text(0.5),
            text(0.99),
            ratio.unwrap_or_default(),
            memory.unwrap_or_default()
        );
    }
    out + &quiet_table(all) + &twice_table(all)
}

/// What stands above [`figures`].
fn heads() -> String {
    format!(
        "{:<22} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>9}",
        "scenario", "rate/s", "p50", "p90", "p99", "p99.9", "max", "events"
    )
}

/// What a histogram says, in columns; `-`: there are no values.
fn figures(name: &str, rate: u64, of: &Histogram<u64>) -> String {
    let q = |q: f64| quantile(of, q).map_or_else(|| "-".to_owned(), |ns| ns.to_string());
    let [p50, p90, p99, p999, max] = [0.5, 0.9, 0.99, 0.999, 1.0].map(q);
    format!("{name:<22} {rate:>9} {p50:>9} {p90:>9} {p99:>9} {p999:>9} {max:>10} {:>9}", of.len())
}

/// What two engines took for the same payments.
fn twice_table(all: &[Measured]) -> String {
    let mut out = String::new();
    for m in all {
        let Some(Twice { quicker, one_slow, both_slow }) = &m.twice else { continue };
        if out.is_empty() {
            let over = format!("one > {} us", SLOW / 1_000);
            let _ = writeln!(
                out,
                "\nthe same payments scored by two engines, one right after the other: how long the quicker answer took"
            );
            let _ = writeln!(out, "{} {over:>11} {:>6}", heads(), "both");
        }
        let _ = writeln!(out, "{} {one_slow:>11} {both_slow:>6}", figures(m.scenario, m.rate, quicker));
    }
    out
}

/// What was seen in the slices in which the machine was quiet.
fn quiet_table(all: &[Measured]) -> String {
    let mut out = format!(
        "\nof these, due in slices of {} ms in which the loop, while it waited, saw no pause of the machine over {} us\n",
        SLICE / 1_000_000,
        GAP / 1_000
    );
    let _ = writeln!(out, "{} {:>8}", heads(), "share");
    let mut line = |name: &str, rate: u64, of: &Latencies| {
        let share = of.quiet.len() as f64 / of.all.len().max(1) as f64;
        let _ = writeln!(out, "{} {:>7.1}%", figures(name, rate, &of.quiet), share * 100.0);
    };
    for m in all {
        line(m.scenario, m.rate, &m.latencies);
        if let Some(hand) = &m.hand_written {
            line(&format!("{}, by hand", m.scenario), m.rate, hand);
        }
        if let Some(memory) = &m.memory {
            line(&format!("{}, memory", m.scenario), m.rate, memory);
        }
    }
    out
}

/// None: there are no values.
fn quantile(of: &Histogram<u64>, q: f64) -> Option<u64> {
    (!of.is_empty()).then(|| of.value_at_quantile(q))
}

/// The members of an object for the events of quiet slices; null: there were none.
fn quiet_json(prefix: &str, of: &Histogram<u64>) -> String {
    let value = |q: f64| quantile(of, q).map_or_else(|| "null".to_owned(), |ns| ns.to_string());
    format!(
        ", \"{prefix}quiet_p50_ns\": {}, \"{prefix}quiet_p99_ns\": {}, \"{prefix}quiet_p999_ns\": {}, \"{prefix}quiet_max_ns\": {}, \
         \"{prefix}quiet_events\": {}",
        value(0.5),
        value(0.99),
        value(0.999),
        value(1.0),
        of.len()
    )
}

fn json(all: &[Measured]) -> String {
    let one = |m: &Measured| {
        let q = |q: f64| m.latencies.all.value_at_quantile(q);
        let beside = |prefix: &str, of: &Option<Latencies>| {
            of.as_ref().map_or_else(String::new, |of| {
                format!(
                    ", \"{prefix}p50_ns\": {}, \"{prefix}p99_ns\": {}{}",
                    of.all.value_at_quantile(0.5),
                    of.all.value_at_quantile(0.99),
                    quiet_json(prefix, &of.quiet)
                )
            })
        };
        format!(
            "  {{\"scenario\": \"{}\", \"rate\": {}, \"p50_ns\": {}, \"p90_ns\": {}, \"p99_ns\": {}, \"p999_ns\": {}, \"p9999_ns\": {}, \
             \"max_ns\": {}, \"events\": {}{}{}{}{}}}",
            m.scenario,
            m.rate,
            q(0.5),
            q(0.9),
            q(0.99),
            q(0.999),
            q(0.9999),
            m.latencies.all.max(),
            m.latencies.all.len(),
            quiet_json("", &m.latencies.quiet),
            beside("hand_written_", &m.hand_written),
            beside("memory_", &m.memory),
            m.twice.as_ref().map_or_else(String::new, |of| {
                let q = |q: f64| of.quicker.value_at_quantile(q);
                format!(
                    ", \"twice_p50_ns\": {}, \"twice_p99_ns\": {}, \"twice_p999_ns\": {}, \"twice_one_slow\": {}, \"twice_both_slow\": {}",
                    q(0.5),
                    q(0.99),
                    q(0.999),
                    of.one_slow,
                    of.both_slow
                )
            })
        )
    };
    format!("[\n{}\n]\n", all.iter().map(one).collect::<Vec<_>>().join(",\n"))
}

/// The machine, what of it is set aside, and how busy it is.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or("an unknown processor");
    // Not those of this thread, which may be pinned.
    let cores = info.lines().filter(|l| l.starts_with("processor")).count();
    let load = read("/proc/loadavg");
    let isolated = read("/sys/devices/system/cpu/isolated");
    let isolated = if isolated.trim().is_empty() { "no core isolated" } else { "isolated cores" };
    format!(
        "{}, {cores} cores, {isolated}, load {}",
        model.trim_start_matches([' ', '\t', ':']),
        load.split(' ').next().unwrap_or("unknown")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(scenarios: &[&str]) -> Latency {
        Latency {
            scenarios: scenarios.iter().map(|s| (*s).to_owned()).collect(),
            rates: vec![5_000],
            millis: 100,
            preload: 20_000,
            cards: 500,
            merchants: 20,
            stall: 0,
            twice: true,
            pin: None,
            out: None,
            json: true,
        }
    }

    #[test]
    fn every_scenario_is_measured_and_its_object_has_all_keys() {
        let all = measure_all(&small(&[])).expect("nothing fails");
        let names: Vec<_> = all.iter().map(|m| m.scenario).collect();
        assert_eq!(names, SCENARIOS);
        assert!(all.iter().all(|m| m.latencies.all.len() >= 400), "an answer for each event");
        let text = json(&all);
        for key in [
            "scenario",
            "rate",
            "p50_ns",
            "p99_ns",
            "p999_ns",
            "max_ns",
            "events",
            "hand_written_p50_ns",
            "quiet_p50_ns",
            "quiet_p99_ns",
            "quiet_events",
            "hand_written_quiet_p99_ns",
            "memory_p99_ns",
            "memory_quiet_p99_ns",
            "twice_p99_ns",
            "twice_both_slow",
        ] {
            assert!(text.contains(&format!("\"{key}\": ")), "{text}");
        }
        assert!(table(&small(&[]), &all).lines().count() >= 6);
    }

    /// The yardstick does the same work: every decision is the engine's.
    #[test]
    fn the_hand_written_version_decides_as_the_engine_does() {
        let sql = include_str!("../../../../examples/fraud/fraud.sql");
        let engine = Engine::builder().build().expect("sound settings");
        for skewed in [false, true] {
            let mut scorer: Scorer<Payment, Decision> = engine.scorer(sql).expect("it can be scored");
            let (mut by_hand, mut decision) = (HandWritten::default(), Decision::default());
            // Two days, so that rows leave all frames.
            let mut source = Payments::new(300, 20, 10_000, skewed);
            let mut payment = Payment::default();
            for n in 0..20_000 {
                source.fill(&mut payment);
                by_hand.score(&payment, &mut decision);
                assert_eq!(scorer.score(&payment).expect("no row fails").row, Some(&decision), "payment {n}");
            }
        }
    }
}

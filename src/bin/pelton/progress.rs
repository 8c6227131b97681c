//! The line of progress, and the counts at the end.

use jiff::Timestamp;
use std::time::{Duration, Instant};

/// What a run has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) rows_in: u64,
    pub(crate) rows_out: u64,
    pub(crate) late: u64,
    pub(crate) bad: u64,
    /// NULL where a sink says NOT NULL.
    pub(crate) dropped: u64,
    /// The smallest watermark of the inputs, ms; `None` before the first.
    pub(crate) watermark: Option<i64>,
    /// Rows of each shard.
    pub(crate) shards: Vec<u64>,
    /// How long 99 of 100 turns took at most, ns, on the slowest shard.
    pub(crate) turn_ns: u64,
    pub(crate) state_rows: u64,
}

/// Says when to show progress again, and what.
pub(crate) struct Progress {
    started: Instant,
    shown: Instant,
    rows_shown: u64,
    rate: f64,
}

const EVERY: Duration = Duration::from_millis(100);

impl Progress {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { started: now, shown: now, rows_shown: 0, rate: 0.0 }
    }

    /// Time has come to show it again.
    pub(crate) fn is_due(&self) -> bool {
        self.shown.elapsed() >= EVERY
    }

    /// The line while the job runs.
    pub(crate) fn line(&mut self, c: &Counts) -> String {
        let elapsed = self.shown.elapsed().as_secs_f64();
        if elapsed > 0.0 {
            let now = (c.rows_in - self.rows_shown) as f64 / elapsed;
            self.rate = if self.rate == 0.0 { now } else { 0.7 * self.rate + 0.3 * now };
        }
        (self.shown, self.rows_shown) = (Instant::now(), c.rows_in);
        format!("{} in ({}/s)", grouped(c.rows_in), short(self.rate)) + &rest(c) + &inside(c)
    }

    /// The counts when it has ended.
    pub(crate) fn summary(&self, c: &Counts) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        // What starting costs would pass for a rate.
        let rate = match seconds {
            s if s < 0.1 => String::new(),
            s => format!(" ({}/s)", short(c.rows_in as f64 / s)),
        };
        format!("{} in, {seconds:.2} s{rate}", grouped(c.rows_in)) + &rest(c)
    }
}

fn rest(c: &Counts) -> String {
    let watermark = c.watermark.map_or("none".to_owned(), watermark_text);
    let dropped = match c.dropped {
        0 => String::new(),
        n => format!(", {} dropped for a NULL", grouped(n)),
    };
    format!(
        ", {} out, watermark {watermark}, {} late, {} malformed{dropped}",
        grouped(c.rows_out),
        grouped(c.late),
        grouped(c.bad)
    )
}

/// What goes on inside: of interest while it does.
fn inside(c: &Counts) -> String {
    let mut out = format!(", {} in state", short(c.state_rows as f64));
    let all: u64 = c.shards.iter().sum();
    if c.shards.len() > 1 && all > 0 {
        let shares = c.shards.iter().map(|n| (n * 100 / all).to_string());
        out += &format!(", shards {} %", shares.collect::<Vec<_>>().join("/"));
    }
    if c.turn_ns > 0 {
        out += &format!(", turns {:.0} µs", (c.turn_ns as f64 / 1000.0).ceil());
    }
    out
}

fn watermark_text(ms: i64) -> String {
    if ms == pelton::batch::END_OF_TIME {
        return "at the end".to_owned();
    }
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |t| t.strftime("%F %T%.3f").to_string())
}

/// 1234567 as `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// 1234567.0 as `1.23 M`.
pub(crate) fn short(n: f64) -> String {
    match n {
        n if n >= 1e9 => format!("{:.2} G", n / 1e9),
        n if n >= 1e6 => format!("{:.2} M", n / 1e6),
        n if n >= 1e4 => format!("{:.1} k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_easy_to_read() {
        assert_eq!(grouped(0) + &grouped(999) + &grouped(1_000) + &grouped(1_234_567), "09991,0001,234,567");
        assert_eq!(
            (short(12.4), short(12_345.0), short(2.5e6)),
            ("12".into(), "12.3 k".into(), "2.50 M".into())
        );
    }

    #[test]
    fn the_line_tells_everything() {
        let c = Counts {
            rows_in: 4_900,
            rows_out: 16,
            late: 12,
            watermark: Some(1_772_818_200_000),
            shards: vec![3_000, 1_000],
            turn_ns: 41_500,
            state_rows: 12,
            ..Counts::default()
        };
        let line = Progress::new().line(&c);
        assert!(line.ends_with("0 malformed, 12 in state, shards 75/25 %, turns 42 µs"), "{line}");
        let line = Progress::new().summary(&c);
        assert!(
            line.starts_with("4,900 in")
                && line.ends_with("16 out, watermark 2026-03-06 17:30:00.000, 12 late, 0 malformed"),
            "{line}"
        );
    }
}

//! The rates of a run of Nexmark as a picture: a bar a query, beside what Flink does.

use super::Measured;
use crate::args::Nexmark;
use crate::progress::short;
use std::fmt::Write as _;

/// Flink 2.3's events a second of processor time on a machine of this kind, in millions: Nexmark's own results, a core.
const FLINK: &[(&str, f64)] = &[
    ("q0", 1.1),
    ("q1", 1.1),
    ("q2", 1.1),
    ("q5", 0.46),
    ("q8", 0.75),
    ("q11", 0.33),
    ("q12", 0.30),
    ("q14", 1.1),
    ("q15", 0.31),
    ("q16", 0.31),
    ("q17", 0.32),
    ("q21", 0.27),
    ("q22", 0.37),
];

const LEFT: f64 = 70.0;
const WIDTH: f64 = 760.0;
const ROW: f64 = 24.0;
const TOP: f64 = 48.0;
/// From 100 thousand to 100 million events a second.
const DECADES: (f64, f64) = (5.0, 8.0);

fn x(rate: f64) -> f64 {
    let part = (rate.max(1.0).log10() - DECADES.0) / (DECADES.1 - DECADES.0);
    LEFT + part.clamp(0.0, 1.0) * (WIDTH - LEFT - 80.0)
}

/// The picture.
pub(super) fn svg(all: &[Measured], args: &Nexmark) -> String {
    let bottom = TOP + ROW * all.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"16\" font-size=\"13\">Nexmark, events a second of processor time, {} events, batches of {}</text>\n\
         <text x=\"{LEFT}\" y=\"32\" fill=\"#666\">grey: Flink 2.3, a core; line: ten times that</text>\n",
        bottom + 28.0,
        short(args.events as f64),
        args.batch
    );
    for (rate, name) in [(1e5, "0.1 M"), (1e6, "1 M"), (1e7, "10 M"), (1e8, "100 M")] {
        let at = x(rate);
        let _ = writeln!(
            out,
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
            bottom + 16.0
        );
    }
    for (n, m) in all.iter().enumerate() {
        let (y, rate) = (TOP + ROW * n as f64, m.rate(m.cpu_seconds));
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"10\" fill=\"#1f77b4\"/>\
             <text x=\"{:.1}\" y=\"{}\">{}</text>",
            LEFT - 8.0,
            y + 15.0,
            m.query,
            y + 3.0,
            x(rate) - LEFT,
            x(rate) + 6.0,
            y + 12.0,
            short(rate)
        );
        if let Some((_, millions)) = FLINK.iter().find(|f| f.0 == m.query) {
            let (flink, tenfold) = (x(millions * 1e6), x(millions * 1e7));
            let _ = writeln!(
                out,
                "<rect x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"5\" fill=\"#999\"/>\
                 <line x1=\"{tenfold:.1}\" y1=\"{}\" x2=\"{tenfold:.1}\" y2=\"{}\" stroke=\"#d62728\" stroke-width=\"2\"/>",
                y + 14.0,
                flink - LEFT,
                y + 1.0,
                y + 20.0
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_rate() {
        let measured = |query: &str, events| Measured {
            query: query.into(),
            events,
            bytes: 0,
            seconds: 1.0,
            cpu_seconds: 1.0,
            allocations: 0,
            peak_rss_kb: 0,
            rows_out: 0,
            rows_per_call: 0.0,
        };
        use clap::Parser;
        let line = ["pelton", "bench", "nexmark", "--plot", "x.svg"];
        let crate::args::Command::Bench(bench) = crate::args::Cli::parse_from(line).command else {
            panic!("bench")
        };
        let crate::args::Suite::Nexmark(args) = bench.suite else { panic!("nexmark") };
        let picture = svg(&[measured("q1", 1_000_000), measured("tumble", 100_000_000)], &args);
        let widths: Vec<&str> = picture.split("fill=\"#1f77b4\"").collect();
        assert_eq!(widths.len(), 3, "a bar a query");
        assert!(widths[0].contains(&format!("width=\"{:.1}\"", x(1e6) - LEFT)));
        assert!(widths[1].contains(&format!("width=\"{:.1}\"", x(1e8) - LEFT)));
        // Ten times Flink's q1 is above the bar.
        assert!(picture.contains(&format!("x1=\"{:.1}\"", x(1.1e7))));
        assert!(picture.contains("<text x=\"62\" y=\"63\" text-anchor=\"end\">q1</text>"));
    }
}

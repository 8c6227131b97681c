//! Percentiles as text for HdrHistogram's plotters, and as a picture.

use hdrhistogram::Histogram;
use std::fmt::Write as _;

/// The distribution in the form of `.hgrm` files, in ns.
pub(super) fn hgrm(h: &Histogram<u64>) -> String {
    let mut out =
        format!("{:>12} {:>16} {:>12} {:>16}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    for v in h.iter_quantiles(5) {
        let p = v.quantile_iterated_to();
        let count = h.count_between(0, v.value_iterated_to());
        let _ = if p < 1.0 {
            writeln!(out, "{:>12} {p:>16.12} {count:>12} {:>16.2}", v.value_iterated_to(), 1.0 / (1.0 - p))
        } else {
            writeln!(out, "{:>12} {p:>16.12} {count:>12}", v.value_iterated_to())
        };
    }
    let _ = writeln!(out, "#[Mean    = {:>12.3}, StdDeviation   = {:>12.3}]", h.mean(), h.stdev());
    let _ = writeln!(out, "#[Max     = {:>12}, Total count    = {:>12}]", h.max(), h.len());
    out
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 40.0;
const COLORS: [&str; 8] =
    ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"];

/// One line a distribution: percentiles to the right, latency upwards, both by powers of ten.
pub(super) fn svg(title: &str, lines: &[(String, &Histogram<u64>)]) -> String {
    let nines = |q: f64| -(1.0 - q).log10();
    let x = |q: f64| LEFT + nines(q) / 5.0 * (WIDTH - LEFT - 20.0);
    let (low, high) = (2.0, 9.0);
    let y = |ns: f64| {
        let part = (ns.max(1.0).log10() - low) / (high - low);
        HEIGHT - BOTTOM - part.clamp(0.0, 1.0) * (HEIGHT - BOTTOM - 40.0)
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"18\" font-size=\"13\">{title}</text>\n"
    );
    for (q, name) in
        [(0.0, "0"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99"), (0.99999, "99.999 %")]
    {
        let (x, y) = (x(q), HEIGHT - BOTTOM);
        let _ = writeln!(
            out,
            "<line x1=\"{x}\" y1=\"40\" x2=\"{x}\" y2=\"{y}\" stroke=\"#ddd\"/><text x=\"{x}\" y=\"{}\">{name}</text>",
            y + 16.0
        );
    }
    for (ns, name) in [
        (1e2, "100 ns"),
        (1e3, "1 µs"),
        (1e4, "10 µs"),
        (1e5, "100 µs"),
        (1e6, "1 ms"),
        (1e7, "10 ms"),
        (1e8, "100 ms"),
        (1e9, "1 s"),
    ] {
        let y = y(ns);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"#ddd\"/><text x=\"4\" y=\"{y}\">{name}</text>",
            WIDTH - 20.0
        );
    }
    for (n, (name, h)) in lines.iter().enumerate() {
        let color = COLORS[n % COLORS.len()];
        let points: Vec<String> = (0..=100)
            .map(|step| 1.0 - 10_f64.powf(-f64::from(step) / 20.0))
            .map(|q| format!("{:.1},{:.1}", x(q), y(h.value_at_quantile(q) as f64)))
            .collect();
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" points=\"{}\"/>",
            points.join(" ")
        );
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" fill=\"{color}\">{name}</text>",
            LEFT + 8.0,
            54.0 + 14.0 * n as f64
        );
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_written_and_drawn() {
        let mut h = Histogram::<u64>::new_with_bounds(1, 1_000_000_000, 3).expect("sound bounds");
        (1..=10_000).for_each(|n| h.record(n).expect("in bounds"));
        let text = hgrm(&h);
        assert!(
            text.lines().any(|l| l.trim_start().starts_with("5") && l.contains("0.500000000000")),
            "{text}"
        );
        assert!(text.contains("Total count    =        10000"));
        let picture = svg("latency", &[("score".into(), &h)]);
        assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
        assert_eq!(picture.matches("<polyline").count(), 1);
    }
}

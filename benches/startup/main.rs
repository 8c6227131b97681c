//! How long a user waits for the first row of a small input, and how much memory the process holds by then.
//!
//! `cargo bench --bench startup` starts the binary 200 times. The promise: at most 50 ms and 30 MB. Figures are in
//! `docs/benchmarks.md`.

#[cfg(target_os = "linux")]
mod first_row;

#[cfg(target_os = "linux")]
fn main() {
    const RUNS: usize = 200;
    let mut times = vec![];
    let mut peaks = vec![];
    for _ in 0..RUNS {
        let first = first_row::measure(env!("CARGO_BIN_EXE_pelton"));
        assert_eq!(first.row, "42,X");
        times.push(first.after.as_secs_f64() * 1e3);
        peaks.push(first.peak_kb as f64 / 1e3);
    }
    println!("{RUNS} starts{:>24}{:>10}{:>10}", "min", "median", "max");
    for (what, all) in [("first row after, ms", &mut times), ("largest resident memory, MB", &mut peaks)] {
        all.sort_by(f64::total_cmp);
        println!("{what:<28}{:>6.1}{:>10.1}{:>10.1}", all[0], all[RUNS / 2], all[RUNS - 1]);
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("resident memory is read from /proc: Linux only");
}

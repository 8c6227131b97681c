//! A small file must be answered at once: the first result within 50 ms of starting the binary, in under 30 MB.
//!
//! `PELTON_BIN=target/release/pelton cargo test --test startup` measures a release build and holds it to these numbers; the
//! debug build is only held to answering before its input ends.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SQL: &str = "CREATE TABLE t (a BIGINT, b STRING) WITH ('connector'='filesystem','path'='-','format'='csv'); \
                   SELECT a * 2 AS a2, UPPER(b) AS b FROM t WHERE a > 0";

/// Time from start to the first row, and the largest resident memory until then, kB.
fn first_row(binary: &str) -> (Duration, u64) {
    let start = Instant::now();
    let mut child = Command::new(binary)
        .args(["run", "--format", "csv", "-e", SQL])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"21,x\n").expect("it reads");
    input.flush().expect("it reads");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a header").expect("text"), "a2,b");
    assert_eq!(lines.next().expect("a row, while the input is still open").expect("text"), "42,X");
    let elapsed = start.elapsed();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it still runs");
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).expect("a peak");
    let peak = peak.trim().trim_end_matches("kB").trim().parse().expect("a number");
    drop(input);
    assert!(child.wait().expect("it ends").success());
    (elapsed, peak)
}

#[test]
fn the_first_row_comes_at_once() {
    let named = std::env::var("PELTON_BIN").ok();
    let binary = named.as_deref().unwrap_or(env!("CARGO_BIN_EXE_pelton"));
    let mut runs: Vec<(Duration, u64)> = (0..5).map(|_| first_row(binary)).collect();
    runs.sort();
    let (median, peak) = (runs[2].0, runs.iter().map(|r| r.1).max().expect("five runs"));
    println!("first row after {median:?} (median of five), at most {peak} kB resident");
    if named.is_some() {
        assert!(median < Duration::from_millis(50), "the first row took {median:?}");
        assert!(peak < 30 * 1024, "{peak} kB resident");
    }
}

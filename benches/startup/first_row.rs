//! One start of the binary, until its first row.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SQL: &str = "CREATE TABLE t (a BIGINT, b STRING) WITH ('connector'='filesystem','path'='-','format'='csv'); \
                   SELECT a * 2 AS a2, UPPER(b) AS b FROM t WHERE a > 0";

/// The first row of a run.
pub(crate) struct FirstRow {
    pub(crate) row: String,
    /// From before the process starts until its row is read.
    pub(crate) after: Duration,
    /// The largest resident memory until then, kB.
    pub(crate) peak_kb: u64,
}

/// Starts `binary` on one line of input, and lets the input end only when its row has come.
pub(crate) fn measure(binary: &str) -> FirstRow {
    let start = Instant::now();
    let mut child = Command::new(binary)
        .args(["run", "--format", "csv", "-e", SQL])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"21,x\n").expect("it reads");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a header").expect("text"), "a2,b");
    let row = lines.next().expect("a row, while the input is still open").expect("text");
    let after = start.elapsed();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it still runs");
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).expect("a peak");
    let peak_kb = peak.trim().trim_end_matches("kB").trim().parse().expect("a number");
    drop(input);
    assert!(child.wait().expect("it ends").success());
    FirstRow { row, after, peak_kb }
}

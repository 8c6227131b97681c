//! What all parts measure with: a folder, a paced loop, a histogram in nanoseconds, the thread's page faults and times.

use std::path::PathBuf;

use hdrhistogram::Histogram;
use quanta::Clock;
use tempfile::TempDir;

/// A fresh folder on the disk that is measured.
pub(crate) fn folder() -> TempDir {
    match std::env::var_os("PELTON_BENCH_DIR") {
        Some(dir) => tempfile::tempdir_in(PathBuf::from(dir)).expect("PELTON_BENCH_DIR is a folder"),
        None => tempfile::tempdir().expect("a temporary folder"),
    }
}

/// Processors.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How busy the machine is: the first number of `/proc/loadavg`.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").into()
}

/// Minor page faults of this thread so far.
pub(crate) fn faults() -> u64 {
    stat("/proc/thread-self/stat", 9)
}

/// User and system time of the process so far, in clock ticks of 10 ms.
pub(crate) fn process_ticks() -> u64 {
    stat("/proc/self/stat", 13) + stat("/proc/self/stat", 14)
}

/// A field of a stat file, from 0. The name in field 1 may hold spaces and is skipped by its parenthesis.
fn stat(path: &str, field: usize) -> u64 {
    let text = std::fs::read_to_string(path).expect("a Linux kernel");
    let rest = text.rsplit_once(") ").expect("a name in parentheses").1;
    rest.split(' ').nth(field - 2).and_then(|n| n.parse().ok()).expect("a number")
}

/// Times in nanoseconds. Its pages are there: noting a time takes no page fault.
pub(crate) fn histogram() -> Histogram<u64> {
    let mut h = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("bounds in order");
    h.reset();
    h
}

/// One line: name, percentiles, rate.
pub(crate) fn print(name: &str, h: &Histogram<u64>, rest: &str) {
    let at = |q: f64| h.value_at_quantile(q);
    println!(
        "{name:<44} p50 {:>7} p90 {:>7} p99 {:>8} p99.9 {:>9} p99.99 {:>10} max {:>11} ns  {rest}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(0.9999),
        h.max()
    );
}

/// What reading the clock twice costs, in ns: the floor of every figure here.
pub(crate) fn clock_cost(clock: &Clock) -> u64 {
    let mut h = histogram();
    for _ in 0..1_000_000 {
        let start = clock.raw();
        let end = clock.raw();
        h.saturating_record(clock.delta_as_nanos(start, end).max(1));
    }
    h.value_at_quantile(0.5)
}

/// Calls `f` at a fixed rate and notes how long each call took. Late calls are made at once: the queue is not forgotten, and
/// neither is it counted against `f`, whose own time is what is asked for.
pub(crate) fn paced(clock: &Clock, count: u64, per_second: u64, mut f: impl FnMut(u64)) -> Histogram<u64> {
    let mut h = histogram();
    paced_into(&mut h, clock, count, per_second, &mut f);
    h
}

/// [`paced`] into a histogram that is there.
pub(crate) fn paced_into(
    h: &mut Histogram<u64>,
    clock: &Clock,
    count: u64,
    per_second: u64,
    mut f: impl FnMut(u64),
) {
    let begin = clock.raw();
    for i in 0..count {
        let due = i * 1_000_000_000 / per_second;
        while clock.delta_as_nanos(begin, clock.raw()) < due {
            std::hint::spin_loop();
        }
        let start = clock.raw();
        f(i);
        let end = clock.raw();
        h.saturating_record(clock.delta_as_nanos(start, end).max(1));
    }
}

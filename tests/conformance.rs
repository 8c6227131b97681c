//! Every SQL case of `tests/sql` against what real Flink made of it, at several batch sizes and with every operator's state
//! sent through its bytes in the middle of the run, once with the plan as it was bound, and with 1, 2 and more shards: turned one
//! after the other, on threads, and in the orders of a few seeds. At the end of each run every row has to be accounted for.
//! `tests/sql/README.md` describes cases and comparison.
//!
//! Each case is a test of its own: `cargo test --test conformance -- windows::tumble` runs some. A case of `pending.txt` is
//! shown as ignored while it fails, and fails once it passes. Afterwards a table counts cases per group.
//!
//! `PELTON_BATCHES=1,3,1000` and `PELTON_RESTORE_EVERY=1` (turns) change how each case is run; `PELTON_SEEDS=0..1000` runs it
//! in the simulator instead, once a seed.

#[path = "conformance/accounting.rs"]
mod accounting;
#[path = "conformance/case.rs"]
mod case;
#[path = "conformance/compare.rs"]
mod compare;
#[path = "conformance/driver.rs"]
mod driver;

use case::Case;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// How a case is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) batch_rows: usize,
    /// Every so many turns the operators' state goes through its bytes.
    pub(crate) restore_every: Option<u64>,
    /// Every so many turns a snapshot of the running job is begun; when it is whole the job is thrown away and another goes on from it.
    pub(crate) restart_every: Option<u64>,
    /// With the rules that only make a plan better.
    pub(crate) optimise: bool,
    /// Aggregations of windows in two phases wherever they can be.
    pub(crate) two_phases: bool,
    pub(crate) shards: usize,
    pub(crate) turned: Turned,
}

/// Who turns the shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    /// The test, one after the other.
    Here,
    /// The test, in an order and with hindrances that follow from a seed.
    Simulated(u64),
    /// Threads of their own.
    Threads,
}

fn passes() -> Vec<Pass> {
    let number = |s: String| s.trim().parse().unwrap_or_else(|_| panic!("not a number: {s}"));
    let batches = std::env::var("PELTON_BATCHES").unwrap_or_else(|_| "1,2,7,1024".into());
    let every = std::env::var("PELTON_RESTORE_EVERY").map_or(3, number) as u64;
    let pass = |batch_rows| Pass {
        batch_rows,
        restore_every: None,
        restart_every: None,
        optimise: true,
        two_phases: false,
        shards: 1,
        turned: Turned::Here,
    };
    if let Ok(seeds) = std::env::var("PELTON_SEEDS") {
        return seeds_of(&seeds).map(simulated).collect();
    }
    let mut out: Vec<Pass> = batches.split(',').map(|b| pass(number(b.to_owned()))).collect();
    out.push(Pass { restore_every: Some(every), ..pass(7) });
    out.push(Pass { restart_every: Some(every), ..pass(2) });
    out.push(Pass { optimise: false, ..pass(1024) });
    out.push(Pass { shards: 2, two_phases: true, ..pass(1024) });
    out.push(Pass { shards: 4, restore_every: Some(every), ..pass(7) });
    out.push(Pass { shards: 4, restart_every: Some(every), two_phases: true, ..pass(7) });
    out.push(Pass { shards: 2, restart_every: Some(9), turned: Turned::Threads, ..pass(64) });
    out.extend((0..4).map(simulated));
    out
}

/// The seeds `a..b`, or one.
fn seeds_of(text: &str) -> std::ops::Range<u64> {
    let number =
        |s: &str| s.trim().parse().unwrap_or_else(|_| panic!("PELTON_SEEDS is 7 or 0..1000, not {text}"));
    match text.split_once("..") {
        Some((a, b)) => number(a)..number(b),
        None => number(text)..number(text) + 1,
    }
}

/// What follows from a seed.
fn simulated(seed: u64) -> Pass {
    Pass {
        batch_rows: [1, 3, 16, 1024][(seed / 3 % 4) as usize],
        restore_every: (seed % 5 == 4).then_some(7),
        restart_every: (seed % 5 >= 2).then_some(5 + seed % 7),
        optimise: true,
        two_phases: seed % 2 == 1,
        shards: 2 + (seed % 3) as usize,
        turned: Turned::Simulated(seed),
    }
}

/// A case that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// What threads said when they panicked, by the name of their case.
static PANICS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

fn keep_panic(info: &std::panic::PanicHookInfo<'_>) {
    if let Some(name) = std::thread::current().name() {
        PANICS.lock().expect("a plain map").insert(name.to_owned(), info.to_string());
    }
}

/// One pass on a thread of its own, so that a panic or an endless loop is the failure of this case only.
fn run(case: &Case, pass: Pass) -> Result<(), String> {
    if case.needs_optimiser && !pass.optimise {
        return Ok(());
    }
    let (send, receive) = mpsc::channel();
    let (own, pass_) = (case.clone(), pass);
    let thread = std::thread::Builder::new().name(case.name.clone()).spawn(move || {
        let got = driver::run(&own, pass_);
        let _ = send.send(compare::compare(&own.expected, &own.mode, pass_.shards, &got));
    });
    let thread = thread.map_err(|e| e.to_string())?;
    let result = match receive.recv_timeout(LIMIT) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => return Err(format!("no end after {} s", LIMIT.as_secs())),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let _ = thread.join();
            Err(PANICS
                .lock()
                .expect("a plain map")
                .remove(&case.name)
                .unwrap_or_else(|| "gave nothing".into()))
        }
    };
    let rules = if pass.optimise { "" } else { ", not optimised" };
    let every = |what, n: Option<u64>| n.map_or(String::new(), |n| format!(", {what} every {n} turns"));
    let restored = every("state restored", pass.restore_every) + &every("restarted", pass.restart_every);
    let shards = match (pass.shards, pass.turned) {
        (1, _) => String::new(),
        (n, Turned::Here) => format!(", {n} shards"),
        (n, Turned::Threads) => format!(", {n} shards on threads"),
        (n, Turned::Simulated(seed)) => format!(
            ", {n} shards as seed {seed} says (PELTON_SEEDS={seed} cargo test --test conformance -- --exact {})",
            case.name.replace('/', "::")
        ),
    };
    result.map_err(|e| format!("batches of {}{restored}{rules}{shards}: {e}", pass.batch_rows))
}

#[derive(Clone, Copy, Default)]
struct Counts {
    passed: usize,
    pending: usize,
    failed: usize,
}

type Tally = Arc<Mutex<BTreeMap<String, Counts>>>;

fn trial(case: Case, reason: Option<String>, tally: Tally) -> Trial {
    let name = case.name.replace('/', "::");
    Trial::ignorable_test(name, move || {
        let failures: Vec<String> = passes().into_iter().filter_map(|p| run(&case, p).err()).collect();
        let mut tally = tally.lock().expect("no test panics while it counts");
        let counts = tally.entry(case.group().to_owned()).or_default();
        match (failures.first(), reason) {
            (None, None) => {
                counts.passed += 1;
                Ok(Completion::Completed)
            }
            (None, Some(_)) => {
                counts.failed += 1;
                Err(Failed::from("passes: take it off tests/sql/pending.txt"))
            }
            (Some(_), Some(reason)) => {
                counts.pending += 1;
                Ok(Completion::ignored_with(reason))
            }
            (Some(first), None) => {
                counts.failed += 1;
                Err(Failed::from(format!("{first}\n({} of {} passes fail)", failures.len(), passes().len())))
            }
        }
    })
}

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let cases = case::all(&root);
    let pending = case::pending(&root, &cases);
    let tally = Tally::default();
    let mut trials = checks();
    for case in cases {
        let reason = pending.iter().find(|(n, _)| *n == case.name).map(|(_, r)| r.clone());
        trials.push(trial(case, reason, Arc::clone(&tally)));
    }
    if !args.nocapture {
        std::panic::set_hook(Box::new(keep_panic));
    }
    let conclusion = libtest_mimic::run(&args, trials);
    if !args.list {
        print(&tally.lock().expect("all tests have ended"));
    }
    conclusion.exit_code()
}

fn print(tally: &BTreeMap<String, Counts>) {
    let line = |name: &str, c: Counts| {
        println!(
            "{name:<12} {:>5} {:>7} {:>8} {:>7}",
            c.passed + c.pending + c.failed,
            c.passed,
            c.pending,
            c.failed
        );
    };
    println!("{:<12} {:>5} {:>7} {:>8} {:>7}", "group", "cases", "passed", "pending", "failed");
    let mut all = Counts::default();
    for (group, c) in tally {
        line(group, *c);
        all.passed += c.passed;
        all.pending += c.pending;
        all.failed += c.failed;
    }
    line("all", all);
}

/// The comparison is tested with the cases that rest on it.
fn checks() -> Vec<Trial> {
    let all: [(&str, fn()); 6] = [
        ("accounting::a_missing_row_is_found", accounting::checks::a_missing_row_is_found),
        ("compare::sequences_and_multisets", compare::checks::sequences_and_multisets),
        ("compare::upserts_by_key", compare::checks::upserts_by_key),
        ("compare::floats_are_numbers", compare::checks::floats_are_numbers),
        ("compare::sinks_compare_by_section", compare::checks::sinks_compare_by_section),
        ("compare::errors_by_phase", compare::checks::errors_by_phase),
    ];
    all.into_iter()
        .map(|(name, check)| {
            Trial::test(name, move || {
                check();
                Ok(())
            })
        })
        .collect()
}

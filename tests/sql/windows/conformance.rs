//! Every SQL case of `tests/sql` against what real Flink made of it, at several batch sizes and with every operator's state
//! sent through its bytes in the middle of the run. `tests/sql/README.md` describes cases and comparison.
//!
//! Each case is a test of its own: `cargo test --test conformance -- windows::tumble` runs some. A case of `pending.txt` is
//! shown as ignored while it fails, and fails once it passes. Afterwards a table counts cases per group.
//!
//! `PELTON_BATCHES=1,3,1000` and `PELTON_RESTORE_EVERY=1` (turns) change how each case is run.

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
}

fn passes() -> Vec<Pass> {
    let number = |s: String| s.trim().parse().unwrap_or_else(|_| panic!("not a number: {s}"));
    let batches = std::env::var("PELTON_BATCHES").unwrap_or_else(|_| "1,2,7,1024".into());
    let every = std::env::var("PELTON_RESTORE_EVERY").map_or(3, number) as u64;
    let mut out: Vec<Pass> =
        batches.split(',').map(|b| Pass { batch_rows: number(b.to_owned()), restore_every: None }).collect();
    out.push(Pass { batch_rows: 7, restore_every: Some(every) });
    out
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
    let (send, receive) = mpsc::channel();
    let (own, pass_) = (case.clone(), pass);
    let thread = std::thread::Builder::new().name(case.name.clone()).spawn(move || {
        let got = driver::run(&own, pass_);
        let _ = send.send(compare::compare(&own.expected, &own.mode, &got));
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
    result.map_err(|e| match pass.restore_every {
        None => format!("batches of {}: {e}", pass.batch_rows),
        Some(n) => format!("batches of {}, state restored every {n} turns: {e}", pass.batch_rows),
    })
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
    let all: [(&str, fn()); 5] = [
        ("sequences_and_multisets", compare::checks::sequences_and_multisets),
        ("upserts_by_key", compare::checks::upserts_by_key),
        ("floats_are_numbers", compare::checks::floats_are_numbers),
        ("sinks_compare_by_section", compare::checks::sinks_compare_by_section),
        ("errors_by_phase", compare::checks::errors_by_phase),
    ];
    all.into_iter()
        .map(|(name, check)| {
            Trial::test(format!("compare::{name}"), move || {
                check();
                Ok(())
            })
        })
        .collect()
}

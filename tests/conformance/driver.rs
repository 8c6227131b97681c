//! Runs one case through the engine and writes its result in the form of the `.out` files.

use crate::accounting;
use crate::case::Case;
use crate::compare::Got;
use crate::{Pass, Turned};
use jiff::tz::TimeZone;
use pelton::batch::text::{Style, write_value};
use pelton::batch::{Batch, Schema};
use pelton::plan::{Node, Op};
use pelton::sinks::{Streams, Target};
use pelton::{Engine, Job, Progress, Result};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// One run of a case.
pub(crate) fn run(case: &Case, pass: Pass) -> Got {
    let out = Scratch::new();
    let printed = Printed::default();
    let target = || Target::new(printed.clone());
    let engine = Engine::builder()
        .batch_rows(pass.batch_rows)
        // As many turns as there are batches: state is taken apart, and the clock moves, between any two.
        .turn_rows(1)
        .shards(pass.shards)
        .streams(Streams { out: target(), err: target() })
        .build()?;
    let rules = if pass.optimise { "" } else { "SET 'pelton.optimizer' = 'off';\n" };
    let phases =
        if pass.two_phases { "SET 'table.optimizer.agg-phase-strategy' = 'TWO_PHASE';\n" } else { "" };
    let script = engine.prepare(&format!("{rules}{phases}{}", case.script(&out.0)))?;
    let mut lines = vec![];
    for job in script.jobs() {
        run_job(job, pass, &mut lines)?;
    }
    lines.extend(printed.lines());
    lines.extend(files(&out.0));
    Ok(lines)
}

/// How often a run is restarted at most: opening its files again takes longer than anything else.
const RESTARTS: u64 = 12;

fn run_job(job: &Job, pass: Pass, lines: &mut Vec<String>) -> Result<()> {
    let zone = job.time_zone();
    if let Some(schema) = job.schema() {
        lines.push(header(schema));
    }
    let mut run = match pass.turned {
        Turned::Here => job.start_here()?,
        Turned::Simulated(seed) => job.simulate(seed)?,
        Turned::Threads => job.start()?,
    };
    // What sinks of tables hold is not part of a snapshot yet.
    let tables = |n: &Node| matches!(&n.op, Op::Sink(sink) if sink.table.is_some());
    let restart_every = pass.restart_every.filter(|_| !job.graph().nodes.iter().any(tables));
    let (mut turns, mut idle, mut worked, mut restarts) = (0, 0, 0, 0);
    loop {
        turns += 1;
        // The clock moves by a millisecond a turn.
        let progress = run.step(turns as i64 * 1000)?;
        for batch in run.take_results() {
            let schema = job.schema().expect("only queries give results");
            rows(&batch, schema, &zone, lines);
        }
        // Counted in turns that moved rows, so that every restart finds the job further on.
        let due =
            restart_every.is_some_and(|n| worked >= n) && restarts < RESTARTS && progress != Progress::Done;
        if due
            && let Err(e) = run.begin_snapshot()
            && !e.is_retryable()
        {
            return Err(e);
        }
        if let Some(bytes) = run.take_snapshot() {
            (worked, restarts) = (0, restarts + 1);
            run = match pass.turned {
                Turned::Here => job.resume_here(&bytes)?,
                Turned::Simulated(seed) => job.resume_simulated(seed + turns, &bytes)?,
                Turned::Threads => job.resume(&bytes)?,
            };
            continue;
        }
        if pass.restore_every.is_some_and(|n| turns % n == 0) {
            match run.cycle_state() {
                Err(e) if e.is_retryable() => {}
                done => done?,
            }
        }
        match progress {
            Progress::Done => {
                // An operator that was replaced on the way has forgotten what it counted.
                if pass.restore_every.is_none()
                    && restart_every.is_none()
                    && let Err(missing) = accounting::check(job.graph(), &run.stats())
                {
                    panic!("not every row is accounted for: {missing}");
                }
                return Ok(());
            }
            Progress::Working => (idle, worked) = (0, worked + 1),
            // Simulated refusals are no reason to wait; readers of files and other shards are.
            Progress::Idle { .. } => {
                idle += 1;
                if idle % 64 == 0 {
                    std::thread::yield_now();
                }
            }
        }
    }
}

fn header(schema: &Schema) -> String {
    let columns: Vec<String> = schema
        .fields
        .iter()
        .map(|f| {
            let plain = f.name.chars().all(|c| c.is_ascii_alphanumeric() || "_$".contains(c));
            let name = if plain { f.name.clone() } else { format!("`{}`", f.name) };
            format!("{name} {}", f.ty)
        })
        .collect();
    format!("# {}", columns.join(", "))
}

fn rows(batch: &Batch, schema: &Schema, zone: &TimeZone, lines: &mut Vec<String>) {
    for row in batch.sel().iter() {
        let mut line = batch.kind(row).short().as_bytes().to_vec();
        for (n, field) in schema.fields.iter().enumerate() {
            line.push(b'\t');
            write_value(batch.column(n), row, &field.ty, zone, Style::Changelog, &mut line);
        }
        lines.push(String::from_utf8(line).expect("text is UTF-8"));
    }
}

/// What print sinks wrote.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a plain buffer").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Printed {
    /// `# sink print` and the lines, grouped by identifier.
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().expect("a plain buffer").clone();
        let mut lines: Vec<String> = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
        if lines.is_empty() {
            return lines;
        }
        lines.sort_by_key(|l| l.split_once("> ").map(|p| p.0.to_owned()));
        lines.insert(0, "# sink print".to_owned());
        lines
    }
}

/// `# sink file <name>` and the lines of every part, by name; partition folders stand before their lines.
fn files(out: &Path) -> Vec<String> {
    let mut lines = vec![];
    for table in sorted(out) {
        lines.push(format!("# sink file {}", table.file_name().unwrap_or_default().to_string_lossy()));
        let mut own = vec![];
        walk(&table, &table, &mut own);
        lines.extend(own);
    }
    lines
}

fn walk(root: &Path, at: &Path, lines: &mut Vec<String>) {
    for path in sorted(at) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            walk(root, &path, lines);
        } else if !name.starts_with(['.', '_']) {
            let folder = path
                .parent()
                .and_then(|p| p.strip_prefix(root).ok())
                .map(|p| p.to_string_lossy().into_owned());
            let prefix = folder.filter(|f| !f.is_empty()).map_or(String::new(), |f| format!("{f}: "));
            let text = fs::read_to_string(&path).expect("a part is text");
            lines.extend(text.lines().map(|l| format!("{prefix}{l}")));
        }
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    paths
}

/// A folder for file sinks, removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pelton-case-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for file sinks");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

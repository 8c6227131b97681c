//! `pelton run`: drives the jobs of a script on this thread, prints results, shows progress, and stops when told.

use crate::args::{Cores, Format, Run, Sql};
use crate::exit::Exit;
use crate::progress::{Counts, Progress};
use crate::render::Shape;
use crate::render::lines::Lines;
use crate::render::live::LiveTable;
use crate::screen::Screen;
use crate::script::Script;
use pelton::batch::Batch;
use pelton::config::shards_for;
use pelton::plan::Op;
use pelton::{Error, ErrorKind, Job, Result, Stats, Step};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// How often a live table is painted at most.
const REPAINT: Duration = Duration::from_millis(100);

/// Where the rows of a result go.
enum View {
    /// The job writes to tables only.
    None,
    Lines(Lines),
    Live {
        table: LiveTable,
        painted: Instant,
        dirty: bool,
    },
}

/// The clock, µs since the epoch.
pub(crate) fn now_us() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
}

/// Reads and plans the script of `sql`, or says why not.
pub(crate) fn prepare(
    sql: &Sql,
    batch: usize,
    cores: Cores,
    screen: &mut Screen,
) -> Result<(Script, pelton::Script), Exit> {
    let script =
        Script::read(sql.from.file.as_deref(), sql.from.execute.as_deref(), &sql.define).map_err(|e| {
            screen.say(&e.text);
            e.exit
        })?;
    let planned = |shards: usize, screen: &Screen| {
        let builder = cores.builder(shards).batch_rows(batch).start_us(now_us());
        builder.streams(screen.streams()).build()?.prepare(&script.text)
    };
    // By affinity mask and control group.
    let shards = shards_for(std::thread::available_parallelism().map_or(1, usize::from));
    let mut steps = planned(1, screen);
    if cores.shards.is_none() && shards > 1 && steps.as_ref().is_ok_and(|s| !s.jobs().all(reads_little)) {
        steps = planned(shards, screen);
    }
    match steps {
        Ok(steps) => Ok((script, steps)),
        Err(e) => {
            screen.say(&script.render(&e));
            Err(Exit::of(&e))
        }
    }
}

/// Files of less than this are read before threads pay, and their results come in the order of the rows.
const LITTLE: u64 = 16 << 20;

/// All that the job reads is in files that are there and small.
fn reads_little(job: &Job) -> bool {
    let sizes = job.graph().nodes.iter().filter_map(|n| match &n.op {
        Op::Scan(scan) => Some(scan.table.connector.get("path").and_then(size_of_file)),
        _ => None,
    });
    sizes.sum::<Option<u64>>().is_some_and(|bytes| bytes < LITTLE)
}

/// Bytes of a plain file.
fn size_of_file(path: &str) -> Option<u64> {
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|m| m.len())
}

/// Runs a script; the exit code says how it ended.
pub(crate) fn run(args: &Run) -> Exit {
    let mut screen = Screen::new();
    let (script, steps) = match prepare(&args.sql, args.batch as usize, args.cores, &mut screen) {
        Ok(both) => both,
        Err(exit) => return exit,
    };
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The second one finds the flag set by the first, and ends the process: a job that does not come back is left so.
        let second =
            signal_hook::flag::register_conditional_shutdown(signal, Exit::Interrupted as i32, stop.clone());
        if let Err(e) = second.and_then(|_| signal_hook::flag::register(signal, stop.clone())) {
            screen.say(&format!("warning: cannot listen for signals: {e}"));
        }
    }
    for step in &steps.steps {
        let done = match step {
            Step::Text(text) => screen.write(text.as_bytes()).map_err(|e| output_failed(&e)),
            Step::Job(job) => run_job(job, args, &stop, &mut screen),
        };
        if let Err(e) = done {
            if screen.is_closed() && e.kind() == ErrorKind::Io {
                return Exit::Done;
            }
            screen.say(&script.render(&e));
            return Exit::of(&e);
        }
        if stop.load(Ordering::Relaxed) {
            return Exit::Interrupted;
        }
    }
    Exit::Done
}

fn run_job(job: &Job, args: &Run, stop: &AtomicBool, screen: &mut Screen) -> Result<()> {
    let pushed = job.graph().nodes.iter().find_map(|n| match &n.op {
        Op::Scan(scan) if scan.table.connector.connector == "push" => Some(&scan.table),
        _ => None,
    });
    if let Some(table) = pushed {
        return Err(Error::config(format!("nobody pushes rows into table '{}' here", table.name))
            .at(table.connector.span_of("connector"))
            .hint("connector 'push' is for programs that embed the engine: read the rows from files, or from a topic"));
    }
    let mut view = view(job, args.format, screen)?;
    let mut progress = Progress::new();
    let mut run = job.start()?;
    let ended = run.drive(
        now_us,
        || stop.load(Ordering::Relaxed),
        |run| {
            for batch in run.take_results() {
                view.show(&batch, screen)?;
            }
            view.paint(screen, false)?;
            if !args.quiet && screen.err_moves() && progress.is_due() {
                let line = progress.line(&counts(&run.stats()));
                screen.status(&line);
            }
            Ok(())
        },
    );
    let shown = run
        .take_results()
        .iter()
        .try_for_each(|batch| view.show(batch, screen))
        .and_then(|()| view.finish(screen));
    screen.clear_status();
    let (counts, interrupted) = (counts(&run.stats()), stop.load(Ordering::Relaxed));
    // What sinks still hold is written before the counts.
    drop(run);
    let is_news = interrupted || counts.late + counts.bad + counts.dropped > 0;
    if !args.quiet && !screen.is_closed() && (screen.err_moves() || is_news) {
        screen.say(&progress.summary(&counts));
    }
    ended.and(shown)
}

fn counts(s: &Stats) -> Counts {
    Counts {
        rows_in: s.rows_in,
        rows_out: s.rows_out,
        late: s.late,
        bad: s.bad,
        dropped: s.dropped,
        watermark: s.watermark,
        shards: s.shards.iter().map(|s| s.rows).collect(),
        turn_ns: s.shards.iter().map(|s| s.turn_ns.p99).max().unwrap_or(0),
        state_rows: s.state_rows as u64,
    }
}

fn output_failed(e: &io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot write the result: {e}"))
}

fn view(job: &Job, format: Format, screen: &mut Screen) -> Result<View> {
    let Some(schema) = job.schema() else { return Ok(View::None) };
    let sink = job.graph().nodes.iter().find(|n| matches!(&n.op, Op::Sink(s) if s.table.is_none()));
    let input = sink.map(|s| job.graph().node(s.inputs[0]));
    let shape = Shape {
        schema: schema.clone(),
        zone: job.time_zone(),
        updates: input.is_some_and(|n| !n.changelog.is_insert_only()),
        upsert_key: input.and_then(|n| n.upsert_key.clone()),
    };
    if format == Format::Table && shape.updates && screen.out_moves() {
        return Ok(View::Live { table: LiveTable::new(shape), painted: Instant::now(), dirty: true });
    }
    let mut lines = Lines::new(shape, format).bold(screen.bold());
    let mut out = vec![];
    lines.header(&mut out);
    screen.write(&out).map_err(|e| output_failed(&e))?;
    Ok(View::Lines(lines))
}

impl View {
    fn show(&mut self, batch: &Batch, screen: &mut Screen) -> Result<()> {
        match self {
            View::None => Ok(()),
            View::Lines(lines) => {
                let mut out = vec![];
                lines.batch(batch, &mut out);
                screen.write(&out).map_err(|e| output_failed(&e))
            }
            View::Live { table, dirty, .. } => {
                table.batch(batch);
                *dirty = true;
                Ok(())
            }
        }
    }

    fn paint(&mut self, screen: &mut Screen, now: bool) -> Result<()> {
        let View::Live { table, painted, dirty } = self else { return Ok(()) };
        if !*dirty || !(now || painted.elapsed() >= REPAINT) {
            return Ok(());
        }
        (*painted, *dirty) = (Instant::now(), false);
        let height = if now { usize::MAX } else { Screen::size().1.saturating_sub(2) };
        screen.paint(&table.paint(height), now).map_err(|e| output_failed(&e))
    }

    fn finish(&mut self, screen: &mut Screen) -> Result<()> {
        if let View::Lines(lines) = self {
            let mut out = vec![];
            lines.finish(&mut out);
            return screen.write(&out).map_err(|e| output_failed(&e));
        }
        self.paint(screen, true)
    }
}

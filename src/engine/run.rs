//! A job that runs: its shards, driven by whoever calls. Shard 0 is on the caller's thread, the others are on threads of their own, or,
//! where a test wants to turn them itself, on the caller's thread as well.

use super::barrier::{Asking, Told};
use super::connectors::ConnectorRegistry;
use super::feed::{Feed, Pushed};
use super::idle::Idle;
use super::part::{self, Part};
use super::result::Results;
use super::rows::{Mapping, Row};
use super::simulation::Simulation;
use super::stats::{Counted, Stats};
use super::threads::{Ended, Worker, panicked};
use crate::batch::{Batch, Decoder, Encoder, RowKind};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Graph, Op};
use crate::shard::Turn;
use std::sync::Arc;

/// What a step did.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// use pelton::Progress;
/// let engine = pelton::Engine::builder().build()?;
/// let script = engine.prepare("SELECT 1 AS n")?;
/// let mut run = script.jobs().next().expect("one query").start()?;
/// loop {
///     match run.step(0)? {
///         Progress::Working => {}
///         Progress::Idle { wake_at_us } => println!("nothing to do before {wake_at_us:?}"),
///         Progress::Done => break,
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Rows moved: step again at once.
    Working,
    /// Nothing has arrived. Wait a little, at most until the given time (µs), and step again.
    Idle {
        /// When a timer is due.
        wake_at_us: Option<i64>,
    },
    /// All sources have ended, all sinks are committed.
    Done,
}

/// Takes the batches of a query's result.
type Subscriber = Box<dyn FnMut(Batch) + Send>;

/// A running job. See [`Run::step`].
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// use pelton::Progress;
/// pelton::row! { struct Click { page: String, ms: i64 } }
/// pelton::row! { struct Slow { page: String, seconds: Option<f64> } }
/// let engine = pelton::Engine::builder().build()?;
/// let script = engine.prepare(
///     "CREATE TABLE clicks (page STRING NOT NULL, ms BIGINT NOT NULL) WITH ('connector' = 'push');
///      SELECT page, ms / 1000e0 AS seconds FROM clicks WHERE ms > 500",
/// )?;
/// let mut run = script.jobs().next().expect("one query").start()?;
/// let mut feed = run.feed::<Click>("clicks")?;
/// feed.push(&Click { page: "home".into(), ms: 20 })?;
/// feed.push(&Click { page: "search".into(), ms: 900 })?;
/// while run.step(0)? == Progress::Working {}
/// let slow = run.poll::<Slow>()?;
/// assert_eq!((slow.len(), slow[0].1.page.as_str()), (1, "search"));
/// assert_eq!((run.stats().rows_in, run.shards()), (2, 1));
/// assert!(feed.close().is_ok());
/// let mut now_us = 1;
/// let clock = || {
///     now_us += 1;
///     now_us
/// };
/// assert_eq!(run.drive(clock, || false, |_| Ok(()))?, Progress::Done);
/// # Ok(())
/// # }
/// ```
pub struct Run {
    /// Shard 0, and the others unless they have threads.
    parts: Vec<Part>,
    workers: Vec<Worker>,
    /// By shard.
    asking: Vec<Asking>,
    snapshot_begun: bool,
    results: Option<Results>,
    feeds: Vec<Pushed>,
    subscriber: Option<Subscriber>,
    graph: Arc<Graph>,
    idle: Idle,
    simulation: Option<Simulation>,
    done: bool,
}

/// Where the shards of a run are turned.
pub(super) enum Drive {
    /// Each but the first on its own thread.
    Threads,
    /// All by the caller, one after the other.
    Caller,
    /// All by the caller, in an order and with hindrances that follow from a seed.
    Simulated(u64),
}

impl Run {
    pub(super) fn new(
        graph: &Graph,
        shards: usize,
        connectors: &ConnectorRegistry,
        config: &Config,
        drive: Drive,
        from: Option<&[u8]>,
    ) -> Result<Self> {
        let graph = Arc::new(graph.clone());
        let mut simulation = match drive {
            Drive::Simulated(seed) => Some(Simulation::new(seed)),
            Drive::Threads | Drive::Caller => None,
        };
        let ring = simulation.as_mut().map(Simulation::ring);
        let wired = part::wire(&graph, shards, connectors, config, ring)?;
        let (mut parts, mut workers) = (wired.parts, vec![]);
        if let Some(bytes) = from {
            restore(&mut parts, bytes)?;
        }
        if let Some(s) = &mut simulation {
            s.hinder(&mut parts);
        }
        if matches!(drive, Drive::Threads) {
            let bell = parts[0].bell.clone();
            for (n, part) in parts.drain(1..).enumerate() {
                workers.push(Worker::start(n + 1, part, config, bell.clone())?);
            }
        }
        let idle = Idle::new(config.idle);
        Ok(Self {
            parts,
            workers,
            asking: wired.asking,
            snapshot_begun: false,
            results: wired.results,
            feeds: wired.feeds,
            subscriber: None,
            graph,
            idle,
            simulation,
            done: false,
        })
    }

    /// One turn on the calling thread: sources are polled once, and what has arrived is worked through to the sinks, or to the
    /// shards that own it. `now_us` is the time, µs since the epoch; it must not go backwards.
    ///
    /// # Errors
    /// The job cannot go on. Rows before the failing one have reached the sinks; [`Run::take_results`] still has them.
    pub fn step(&mut self, now_us: i64) -> Result<Progress> {
        let progress = self.turn(now_us);
        if self.snapshot_begun {
            self.asking.iter_mut().for_each(Asking::listen);
        }
        if let Some(each) = &mut self.subscriber {
            self.results.iter_mut().flat_map(Results::take).for_each(each);
        }
        progress
    }

    fn turn(&mut self, now_us: i64) -> Result<Progress> {
        if self.done {
            return Ok(Progress::Done);
        }
        if self.parts.len() > 1 {
            return self.step_all(now_us);
        }
        let turn = match self.parts[0].turn(now_us) {
            Ok(turn) => turn,
            Err(e) => return Err(self.cause(e)),
        };
        Ok(match turn {
            Turn::Worked => Progress::Working,
            Turn::Idle { wake_at_us } => Progress::Idle { wake_at_us },
            Turn::Done if !self.workers.iter().all(Worker::is_finished) => {
                Progress::Idle { wake_at_us: None }
            }
            Turn::Done => {
                self.workers.iter().for_each(Worker::stop);
                for worker in &mut self.workers {
                    if let Ended::Failed(e) | Ended::Panicked(e) = worker.join() {
                        return Err(e);
                    }
                }
                self.done = true;
                Progress::Done
            }
        })
    }

    /// A turn of each shard, or of the one whose turn it is in a simulation.
    fn step_all(&mut self, now_us: i64) -> Result<Progress> {
        let (mut worked, mut wake) = (false, None::<i64>);
        let chosen = self.simulation.as_mut().map(|s| s.choose(self.parts.len()));
        for (n, part) in self.parts.iter_mut().enumerate() {
            if chosen.is_some_and(|c| c != n) {
                continue;
            }
            match part.turn(now_us) {
                Ok(Turn::Worked) => worked = true,
                Ok(Turn::Idle { wake_at_us }) => wake = wake.into_iter().chain(wake_at_us).min(),
                Ok(Turn::Done) => {}
                Err(e) if n == 0 => return Err(e),
                // It comes to shard 0 behind the rows before it.
                Err(_) => worked = true,
            }
        }
        if self.parts.iter().all(Part::is_done) {
            self.done = true;
            return Ok(Progress::Done);
        }
        Ok(if worked { Progress::Working } else { Progress::Idle { wake_at_us: wake } })
    }

    /// The error of the job: that of a thread which has panicked, or what was handed on from the shard that failed.
    fn cause(&mut self, error: Error) -> Error {
        self.workers.iter().for_each(Worker::stop);
        let panicked = self.workers.iter_mut().find_map(|w| match w.join() {
            Ended::Panicked(e) => Some(e),
            Ended::Well | Ended::Failed(_) => None,
        });
        panicked.unwrap_or(error)
    }

    /// The result rows since the last call. Take them between steps: a job whose results are not taken stands still once some are
    /// waiting.
    pub fn take_results(&mut self) -> Vec<Batch> {
        self.results.as_mut().map(Results::take).unwrap_or_default()
    }

    /// The feed of a table that the job reads with `'connector' = 'push'`, for rows `E`. Take it before the first step, and once: the table ends
    /// with it. It may go to another thread.
    ///
    /// # Errors
    /// There is no such table, or its feed was taken; a field of `E` does not fit its column.
    pub fn feed<E: Row>(&mut self, table: &str) -> Result<Feed<E>> {
        let at = self.pushed(table)?;
        let fields = self.feeds[at].fields::<E>()?;
        Ok(self.feeds.remove(at).feed(fields))
    }

    /// As [`Run::feed`], for columns.
    ///
    /// # Errors
    /// There is no such table, or its feed was taken.
    pub fn column_feed(&mut self, table: &str) -> Result<Feed> {
        let at = self.pushed(table)?;
        Ok(self.feeds.remove(at).feed(Mapping::default()))
    }

    /// Ends the tables whose feeds were not taken.
    pub(super) fn close_feeds(&mut self) {
        self.feeds.clear();
    }

    fn pushed(&self, table: &str) -> Result<usize> {
        self.feeds.iter().position(|p| p.is_named(table)).ok_or_else(|| {
            Error::config(format!("the job has no feed of a table '{table}'")).hint(
                "feeds are of tables WITH ('connector' = 'push') that the query reads, and are taken once",
            )
        })
    }

    /// Calls `each` with every row of the result from now on, on the thread that steps, in the turn in which it comes.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// pelton::row! { struct N { n: i32 } }
    /// use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
    /// static SUM: AtomicI32 = AtomicI32::new(0);
    /// let engine = pelton::Engine::builder().build()?;
    /// let script = engine.prepare("SELECT n FROM (VALUES (1), (2)) AS t(n)")?;
    /// let mut run = script.jobs().next().expect("one query").start()?;
    /// run.subscribe(|_, row: &N| {
    ///     SUM.fetch_add(row.n, Relaxed);
    /// })?;
    /// while run.step(0)? != pelton::Progress::Done {}
    /// assert_eq!(SUM.load(Relaxed), 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The job is no query; a field of `R` does not fit its column.
    pub fn subscribe<R: Row + Send + 'static>(
        &mut self,
        mut each: impl FnMut(RowKind, &R) + Send + 'static,
    ) -> Result<()> {
        let fields = self.result_fields::<R>()?;
        let mut row = R::default();
        self.subscriber = Some(Box::new(move |batch| {
            batch.sel().for_each(|n| {
                fields.fetch(&batch, n, &mut row);
                each(batch.kind(n), &row);
            });
        }));
        Ok(())
    }

    /// The rows of the result since the last call, with what each does to it. The polling side of [`Run::subscribe`]; the same holds as for
    /// [`Run::take_results`].
    ///
    /// # Errors
    /// The job is no query; a field of `R` does not fit its column.
    pub fn poll<R: Row>(&mut self) -> Result<Vec<(RowKind, R)>> {
        let fields = self.result_fields::<R>()?;
        let mut rows = vec![];
        for batch in self.take_results() {
            for n in batch.sel().iter() {
                let mut row = R::default();
                fields.fetch(&batch, n, &mut row);
                rows.push((batch.kind(n), row));
            }
        }
        Ok(rows)
    }

    fn result_fields<R: Row>(&self) -> Result<Mapping> {
        let sink = self.graph.nodes.iter().find_map(|n| match &n.op {
            Op::Sink(sink) if sink.table.is_none() => Some(&sink.schema),
            _ => None,
        });
        let schema = sink.ok_or_else(|| {
            Error::config("the job has no result: it inserts into tables").hint("run a SELECT")
        })?;
        Mapping::read::<R>(schema)
    }

    /// How many shards run it. A job without keyed operations runs on one, whatever was asked for.
    pub fn shards(&self) -> usize {
        self.parts.len() + self.workers.len()
    }

    /// Counts so far. Those of other threads may be a few turns old, until the job is done.
    pub fn stats(&self) -> Stats {
        let own = self.parts.iter().map(Counted::of_part);
        let others = self.workers.iter().map(|w| Counted::of_gauges(&w.nodes, &w.gauges, &w.measures));
        Stats::of(&self.graph, &own.chain(others).collect::<Vec<_>>())
    }

    /// Begins a snapshot: the positions of all sources and the state of all operators at one point of every stream. Later steps bring it about,
    /// while rows go on; [`Run::take_snapshot`] says when it is there.
    ///
    /// # Errors
    /// Retryable: one is under way already. The job has ended.
    pub fn begin_snapshot(&mut self) -> Result<()> {
        if self.snapshot_begun {
            return Err(Error::new(ErrorKind::Retryable, "a snapshot of this job is under way"));
        }
        if self.done {
            return Err(Error::runtime("the job has ended: there is nothing to take a snapshot of"));
        }
        self.snapshot_begun = true;
        self.asking.iter_mut().for_each(Asking::ask);
        self.workers.iter().for_each(Worker::wake);
        Ok(())
    }

    /// The snapshot that was begun, once it is whole: asked after each step, since the first shard stands still until it is taken. None comes
    /// where the job ends or fails before. The rows of the result that were given so far, up to
    /// [`Run::take_results`] right after it, are those before the snapshot; [`Job::resume`](super::Job::resume) goes on behind them.
    pub fn take_snapshot(&mut self) -> Option<Vec<u8>> {
        if !self.snapshot_begun {
            return None;
        }
        self.asking.iter_mut().for_each(Asking::listen);
        if self.asking.iter().any(|a| matches!(a.told(), Told::Never)) {
            self.snapshot_begun = false;
            self.parts[0].stay_no_longer();
            return None;
        }
        if self.asking.iter().any(|a| matches!(a.told(), Told::Nothing)) {
            return None;
        }
        let mut all = Encoder::default();
        all.block(b"PLTN", 2);
        all.len(self.asking.len());
        for asked in &self.asking {
            let Told::State(state) = asked.told() else { return None };
            all.bytes(state);
        }
        self.snapshot_begun = false;
        self.parts[0].release();
        Some(all.finish())
    }

    /// Replaces every operator of the shards on this thread by a new one that has read the old one's state from its bytes: what a
    /// restart does to state, without the restart. For tests.
    ///
    /// # Errors
    /// An operator refuses its own bytes. Retryable while a sink holds rows back.
    #[doc(hidden)]
    pub fn cycle_state(&mut self) -> Result<()> {
        let graph = self.graph.clone();
        self.parts.iter_mut().try_for_each(|part| part.cycle(&graph))
    }

    /// Steps until the job ends or `stop` says so, waiting while nothing arrives as [`IdlePolicy`](crate::config::IdlePolicy) says.
    /// `clock` gives the time in µs; `each` is called after every step.
    ///
    /// # Errors
    /// As [`Run::step`]. A panic in a shard is an error as well.
    pub fn drive(
        &mut self,
        mut clock: impl FnMut() -> i64,
        mut stop: impl FnMut() -> bool,
        mut each: impl FnMut(&mut Run) -> Result<()>,
    ) -> Result<Progress> {
        self.parts[0].bell.hang();
        loop {
            if stop() {
                return Ok(Progress::Idle { wake_at_us: None });
            }
            let now = clock();
            let step = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.step(now)));
            match step.unwrap_or_else(|panic| Err(self.cause(panicked(0, &*panic)))) {
                Ok(Progress::Done) => {
                    each(self)?;
                    return Ok(Progress::Done);
                }
                Ok(Progress::Working) => self.idle.reset(),
                Ok(Progress::Idle { wake_at_us }) => {
                    let ended = self.parts[0].is_done();
                    let news = || {
                        self.asking.iter().any(Asking::has_news)
                            || ended && self.workers.iter().all(Worker::is_finished)
                    };
                    self.idle.wait(&mut self.parts[0], now, wake_at_us, news);
                }
                Err(e) => {
                    each(self)?;
                    return Err(e);
                }
            }
            each(self)?;
        }
    }
}

/// Lets all parts go on from a snapshot of the same job on as many shards.
fn restore(parts: &mut [Part], bytes: &[u8]) -> Result<()> {
    let mut all = Decoder::new(bytes);
    all.block(b"PLTN", 2)?;
    let shards = all.len(8)?;
    if shards != parts.len() {
        return Err(Error::corrupt(format!("the snapshot is of {shards} shards, not of {}", parts.len())));
    }
    for part in parts {
        part.restore(all.bytes()?)?;
    }
    all.end()
}

impl Drop for Run {
    /// Threads that still run are stopped after their turn.
    fn drop(&mut self) {
        self.workers.iter().for_each(Worker::stop);
        self.workers.iter_mut().for_each(|w| drop(w.join()));
    }
}

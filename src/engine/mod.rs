//! The embeddable face: build an engine, prepare a script, run its jobs.
//!
//! ```
//! # fn main() -> pelton::Result<()> {
//! let engine = pelton::Engine::builder().build()?;
//! let script = engine.prepare("SELECT n * 2 AS twice FROM (VALUES (1), (21)) AS t(n)")?;
//! let mut run = script.jobs().next().expect("one query").start()?;
//! while run.step(0)? != pelton::Progress::Done {}
//! let rows: usize = run.take_results().iter().map(|b| b.selected()).sum();
//! assert_eq!(rows, 2);
//! # Ok(())
//! # }
//! ```
//!
//! An [`Engine`] holds functions and settings. [`Engine::prepare`] parses, binds and plans a whole script before
//! anything runs; what it returns are [`Job`]s, one for each query, INSERT or statement set. [`Job::start`] opens sources and
//! sinks and gives a [`Run`], which its caller drives: [`Run::step`] does one turn on the caller's thread, [`Run::drive`] turns
//! until the job ends. `Engine`, `Job` and `Run` are `Send`; nothing is shared behind the caller's back, and no runtime is started.

mod barrier;
mod connectors;
mod feed;
mod idle;
mod part;
mod result;
mod rows;
mod run;
mod scorer;
mod simulation;
mod stats;
pub mod testing;
mod threads;

#[doc(hidden)]
pub use connectors::{Connection, ConnectorRegistry};
pub use feed::Feed;
pub use rows::{Date, Decimal, FieldInfo, Row, RowField, Time, Timestamp};
pub use run::{Progress, Run};
pub use scorer::{Answer, Columns, Homes, Scored, ScoredColumns, Scorer, ScorerStats};
pub use stats::{ShardStats, Stats};

use crate::batch::Schema;
use crate::config::{Config, IdlePolicy};
use crate::error::{Finding, Result, Span};
use crate::expr::{AggregateFunction, Registry, ScalarFunction, TableFunction};
use crate::plan::{Graph, Op};
use crate::sinks::Streams;
use crate::sql::{Outcome, Plan, Planner};
use jiff::tz::TimeZone;
use run::Drive;
use std::sync::Arc;

/// Functions and settings. See the module's text.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let other = engine.clone();
/// let script = std::thread::spawn(move || other.prepare("SELECT 1")).join().expect("no panic")?;
/// assert_eq!(script.jobs().count(), 1);
/// assert!(engine.functions().scalar("UPPER").is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine {
    registry: Arc<Registry>,
    config: Config,
    connectors: ConnectorRegistry,
    start_us: i64,
    /// An aggregate of the user's has the name of a built-in one.
    replaced: bool,
}

/// Settings of an engine that is not built yet.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// use pelton::config::IdlePolicy;
/// let engine = pelton::Engine::builder()
///     .batch_rows(256)
///     .turn_rows(64)
///     .memory_limit(1 << 30)
///     .shards(2)
///     .idle(IdlePolicy::Park)
///     .pin(false)
///     .start_us(1_767_225_600_000_000)
///     .build()?;
/// assert!(engine.prepare("SELECT CURRENT_TIMESTAMP").is_ok());
/// # Ok(())
/// # }
/// ```
pub struct EngineBuilder {
    registry: Registry,
    config: Config,
    connectors: ConnectorRegistry,
    start_us: i64,
    replaced: bool,
}

impl Engine {
    /// An engine with all built-in functions and connectors and the default settings, to be changed.
    pub fn builder() -> EngineBuilder {
        EngineBuilder {
            registry: crate::expr::functions::builtin(),
            config: Config::for_memory(crate::host::memory::limit()),
            connectors: ConnectorRegistry::default(),
            start_us: 0,
            replaced: false,
        }
    }

    /// Parses, binds and plans a script. Statements take effect in order: tables and settings made by one are seen by the next.
    ///
    /// # Errors
    /// The first statement that is wrong, with its place in `sql`. Nothing has run then.
    pub fn prepare(&self, sql: &str) -> Result<Script> {
        let mut planner =
            Planner::new(&self.registry, &self.connectors, self.start_us).shards(self.config.shards);
        let mut script = Script { steps: vec![], extensions: vec![] };
        for outcome in planner.script(sql)? {
            script.steps.push(match outcome {
                Outcome::Done => continue,
                Outcome::Text(text) => Step::Text(text),
                Outcome::Plan(plan) => Step::Job(Box::new(Job {
                    plan,
                    config: self.config.clone(),
                    connectors: self.connectors.clone(),
                })),
            });
        }
        script.extensions = planner.extensions();
        Ok(script)
    }

    /// The functions that SQL can name.
    pub fn functions(&self) -> &Registry {
        &self.registry
    }
}

impl EngineBuilder {
    /// The most rows that a source is asked for at once (see [`Config::batch_rows`]).
    #[must_use]
    pub fn batch_rows(mut self, rows: usize) -> Self {
        self.config.batch_rows = rows;
        self
    }

    /// The rows that an input may give in one turn in batches of less (see [`Config::turn_rows`]).
    #[must_use]
    pub fn turn_rows(mut self, rows: usize) -> Self {
        self.config.turn_rows = rows;
        self
    }

    /// The most bytes of operator state a job or a scorer may hold (see [`Config::memory_limit`]).
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.config.memory_limit = bytes;
        self
    }

    /// How many shards run a job (see [`Config::shards`]).
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.config.shards = shards;
        self
    }

    /// What a shard does while there is nothing to do (see [`Config::idle`]).
    #[must_use]
    pub fn idle(mut self, policy: IdlePolicy) -> Self {
        self.config.idle = policy;
        self
    }

    /// Whether threads of shards stay on one core each (see [`Config::pin`]).
    #[must_use]
    pub fn pin(mut self, pin: bool) -> Self {
        self.config.pin = pin;
        self
    }

    /// The clock's time when queries are planned, µs since the epoch. The engine reads no clock of its own.
    #[must_use]
    pub fn start_us(mut self, now_us: i64) -> Self {
        self.start_us = now_us;
        self
    }

    /// Where sinks that print write to, instead of the process's standard output and error.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// use pelton::{Streams, Target};
    /// let streams = Streams { out: Target::new(std::io::sink()), err: Target::new(std::io::sink()) };
    /// let engine = pelton::Engine::builder().streams(streams).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn streams(mut self, streams: Streams) -> Self {
        self.connectors = ConnectorRegistry::with_streams(streams);
        self
    }

    /// Adds a scalar function under all its names, replacing built-in ones of the same name.
    #[must_use]
    pub fn scalar_function(mut self, function: Arc<dyn ScalarFunction>) -> Self {
        self.registry.add_scalar(function);
        self
    }

    /// Adds an aggregate function under all its names, replacing built-in ones of the same name.
    #[must_use]
    pub fn aggregate_function(mut self, function: Arc<dyn AggregateFunction>) -> Self {
        self.replaced |= function.doc().names.iter().any(|n| self.registry.aggregate(n).is_some());
        self.registry.add_aggregate(function);
        self
    }

    /// Adds a table function under all its names: `FROM t, LATERAL TABLE(f(t.a)) AS x (b)`. The window functions keep theirs.
    #[must_use]
    pub fn table_function(mut self, function: Arc<dyn TableFunction>) -> Self {
        self.registry.add_table(function);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// A setting is outside its range.
    pub fn build(self) -> Result<Engine> {
        self.config.validate()?;
        Ok(Engine {
            registry: Arc::new(self.registry),
            connectors: self.connectors,
            config: self.config,
            start_us: self.start_us,
            replaced: self.replaced,
        })
    }
}

/// What a script does, in its order.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let script = engine.prepare("CREATE VIEW v AS SELECT 1 AS n; EXPLAIN SELECT n FROM v; SELECT n FROM v")?;
/// assert_eq!((script.steps.len(), script.jobs().count()), (2, 1));
/// assert!(script.extensions.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Script {
    /// The steps; statements that only define something leave none.
    pub steps: Vec<Step>,
    /// What of it Flink would not take, or would take for something else, in its order.
    pub extensions: Vec<Finding>,
}

/// One thing that a script does.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// for step in engine.prepare("EXPLAIN SELECT 1; SELECT 1")?.steps {
///     match step {
///         pelton::Step::Text(text) => println!("{text}"),
///         pelton::Step::Job(job) => drop(job.start()?),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub enum Step {
    /// An answer to be read: of EXPLAIN, of SET alone.
    Text(String),
    /// A query, an INSERT or a statement set.
    Job(Box<Job>),
}

impl Script {
    /// The jobs, in order.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.steps.iter().filter_map(|s| match s {
            Step::Job(job) => Some(&**job),
            Step::Text(_) => None,
        })
    }
}

/// A planned job: may be looked at, and started any number of times.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let sql = "SELECT n, n * n AS square FROM (VALUES (2), (3)) AS t(n)";
/// let script = engine.prepare(sql)?;
/// let job = script.jobs().next().expect("one query");
/// assert_eq!(job.span().text(sql), sql);
/// assert_eq!(job.schema().map(|s| s.fields[1].name.as_str()), Some("square"));
/// assert_eq!(job.time_zone().iana_name(), Some("UTC"));
/// assert!(job.explain().contains("square") && job.graph().nodes.len() > 1);
/// let mut run = job.start()?;
/// while run.step(0)? != pelton::Progress::Done {}
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Job {
    plan: Plan,
    config: Config,
    connectors: ConnectorRegistry,
}

impl Job {
    /// The graph that runs.
    pub fn graph(&self) -> &Graph {
        &self.plan.graph
    }

    /// The logical tree and the graph that runs, as text.
    pub fn explain(&self) -> String {
        self.plan.explain()
    }

    /// Where its statement stands in the script.
    pub fn span(&self) -> Span {
        self.plan.span
    }

    /// The session's time zone, in which TIMESTAMP_LTZ is shown.
    pub fn time_zone(&self) -> TimeZone {
        self.plan.settings.time_zone()
    }

    /// The columns of the result, when the job is a query whose rows go to the caller.
    pub fn schema(&self) -> Option<&Schema> {
        self.plan.graph.nodes.iter().find_map(|n| match &n.op {
            Op::Sink(sink) if sink.table.is_none() => Some(&sink.schema),
            _ => None,
        })
    }

    /// Opens sources and sinks, and starts a thread for each shard but the first.
    ///
    /// # Errors
    /// A source or sink cannot be opened, or a thread cannot be started.
    pub fn start(&self) -> Result<Run> {
        self.run(Drive::Threads, None)
    }

    /// As [`Job::start`], going on from a [snapshot](Run::take_snapshot) of the same job on as many shards.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// use pelton::Progress;
    /// pelton::row! { struct N { n: i64 } }
    /// let engine = pelton::Engine::builder().build()?;
    /// let script = engine.prepare(
    ///     "CREATE TABLE t (n BIGINT NOT NULL) WITH ('connector' = 'datagen', 'number-of-rows' = '3000',
    ///        'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '3000');
    ///      SELECT n FROM t",
    /// )?;
    /// let job = script.jobs().next().expect("one query");
    /// let mut run = job.start()?;
    /// let mut clock = (1..).map(|n| n * 100_000);
    /// let mut now_us = || clock.next().expect("time goes on");
    /// let mut rows = vec![];
    /// run.begin_snapshot()?;
    /// let snapshot = loop {
    ///     run.step(now_us())?;
    ///     rows.extend(run.poll::<N>()?.iter().map(|r| r.1.n));
    ///     if let Some(bytes) = run.take_snapshot() {
    ///         break bytes;
    ///     }
    /// };
    /// drop(run);
    /// let mut run = job.resume(&snapshot)?;
    /// while run.step(now_us())? != Progress::Done {
    ///     rows.extend(run.poll::<N>()?.iter().map(|r| r.1.n));
    /// }
    /// rows.extend(run.poll::<N>()?.iter().map(|r| r.1.n));
    /// assert!(rows.into_iter().eq(1..=3000));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Job::start`]; the bytes are damaged or belong to another plan, a source cannot go back to its position.
    pub fn resume(&self, snapshot: &[u8]) -> Result<Run> {
        self.run(Drive::Threads, Some(snapshot))
    }

    /// As [`Job::start`], without threads: [`Run::step`] turns each shard once, on the caller's thread. For tests.
    ///
    /// # Errors
    /// A source or sink cannot be opened.
    #[doc(hidden)]
    pub fn start_here(&self) -> Result<Run> {
        self.run(Drive::Caller, None)
    }

    /// As [`Job::resume`], without threads. For tests.
    ///
    /// # Errors
    /// As [`Job::resume`].
    #[doc(hidden)]
    pub fn resume_here(&self, snapshot: &[u8]) -> Result<Run> {
        self.run(Drive::Caller, Some(snapshot))
    }

    /// As [`Job::start_here`], in an order of turns, with sizes of rings and with inputs and outputs that refuse now and then, all as
    /// `seed` says. The same seed repeats a run as far as the sources give the same batches. For tests: the rows must not depend on it.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// use pelton::Progress;
    /// let engine = pelton::Engine::builder().shards(2).build()?;
    /// let script = engine.prepare("SELECT n, COUNT(*) FROM (VALUES (1), (2), (1)) AS t(n) GROUP BY n")?;
    /// let job = script.jobs().next().expect("one query");
    /// let mut results = vec![];
    /// for seed in 0..3 {
    ///     let mut run = job.simulate(seed)?;
    ///     let mut rows = 0;
    ///     while run.step(0)? != Progress::Done {
    ///         rows += run.take_results().iter().map(|b| b.selected()).sum::<usize>();
    ///     }
    ///     results.push(rows + run.take_results().iter().map(|b| b.selected()).sum::<usize>());
    /// }
    /// assert_eq!(results, [4, 4, 4]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A source or sink cannot be opened.
    pub fn simulate(&self, seed: u64) -> Result<Run> {
        self.run(Drive::Simulated(seed), None)
    }

    /// As [`Job::resume`], in the orders of a seed. For tests.
    ///
    /// # Errors
    /// As [`Job::resume`].
    #[doc(hidden)]
    pub fn resume_simulated(&self, seed: u64, snapshot: &[u8]) -> Result<Run> {
        self.run(Drive::Simulated(seed), Some(snapshot))
    }

    fn run(&self, drive: Drive, from: Option<&[u8]>) -> Result<Run> {
        let mut config = self.config.clone();
        config.memory_limit = self.plan.settings.memory_limit().unwrap_or(config.memory_limit);
        config.idle = self.plan.settings.get("pelton.idle").map_or(Ok(config.idle), str::parse)?;
        Run::new(&self.plan.graph, self.plan.shards, &self.connectors, &config, drive, from)
    }
}

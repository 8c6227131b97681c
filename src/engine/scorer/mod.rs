//! The scorer: a query that answers each row at once, on its caller's thread.
//!
//! ```
//! # fn main() -> pelton::Result<()> {
//! pelton::row! {
//!     pub struct Payment { pub card: i64, pub amount: f64, pub ts: pelton::Timestamp }
//! }
//! pelton::row! {
//!     pub struct Decision { pub payments: i64, pub refuse: bool }
//! }
//! let engine = pelton::Engine::builder().build()?;
//! let mut scorer: pelton::Scorer<Payment, Decision> = engine.scorer(
//!     "CREATE TABLE payments (
//!        card BIGINT NOT NULL, amount DOUBLE NOT NULL, ts TIMESTAMP(3) NOT NULL,
//!        WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
//!      ) WITH ('connector' = 'push');
//!      SELECT payments, payments > 2 AS refuse FROM (
//!        SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts
//!                              RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS payments
//!        FROM payments)",
//! )?;
//! for second in 0..3 {
//!     let payment = Payment { card: 7, amount: 9.5, ts: pelton::Timestamp(second * 1_000_000) };
//!     let scored = scorer.score(&payment)?;
//!     let decision = scored.row.expect("no filter");
//!     assert_eq!((decision.payments, decision.refuse), (second + 1, second == 2));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `score` answers from all rows with times up to the event's, this one included, whatever the watermark: a decision cannot wait for it.
//! **A late row**, one at or below the watermark before it, is answered, flagged, counted, and not remembered. A row that comes out of
//! order above the watermark is answered from the rows up to its own time, and remembered in its place.
//!
//! A scorer is one shard that its caller owns: `Send`, not `Sync`, with all keys of its query. Two scorers know nothing of each other's rows, so
//! events of one key belong to one scorer: [`Engine::scorers`] makes several and says whose an event is. It starts no thread, reads no clock (processing time is what [`Scorer::advance`] last said), and
//! allocates nothing per call once its keys and frames are there. What it can hold: one table, filters, projections, and OVER by time,
//! several of them nested where they have different keys. Anything else is refused by name.

mod chain;
mod file;
mod shared;
#[cfg(test)]
mod tests;

use super::Engine;
use super::connectors::ConnectorRegistry;
use super::feed::fits;
use super::rows::{Mapping, Row};
use crate::batch::{Batch, MAX_ROWS, Schema};
use crate::error::{Error, Result};
use crate::plan::connector::SourceSpec;
use crate::plan::explain;
use crate::shard::{IoContext, Polled};
use crate::sql::{Outcome, Planner};
use chain::Chain;
pub use shared::Homes;
use std::marker::PhantomData;

/// Events and results as columns, in place of rows: see [`Engine::column_scorer`].
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let scorer: pelton::Scorer<pelton::Columns, pelton::Columns> =
///     engine.column_scorer("CREATE TABLE t (n INT) WITH ('connector' = 'push'); SELECT n + 1 AS m FROM t")?;
/// assert_eq!((scorer.reads().len(), scorer.schema().len()), (1, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns;

/// Answers rows at once. See the module's text.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// # pelton::row! { struct Payment { card: i64, ts: pelton::Timestamp } }
/// # pelton::row! { struct Count { n: i64 } }
/// # const SQL: &str = "CREATE TABLE payments (card BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
/// #   WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'push');
/// #   SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n
/// #   FROM payments";
/// # let at = |second: i64| Payment { card: 7, ts: pelton::Timestamp(second * 1_000_000) };
/// # let engine = pelton::Engine::builder().build()?;
///
/// let mut scorer: pelton::Scorer<Payment, Count> = engine.scorer(SQL)?;
/// assert_eq!(scorer.score(&at(0))?.row.map(|c| c.n), Some(1));
/// assert_eq!(scorer.score(&at(59))?.row.map(|c| c.n), Some(2));
/// assert_eq!(scorer.score(&at(61))?.row.map(|c| c.n), Some(2));
/// assert_eq!((scorer.watermark(), scorer.stats().events), (56_000, 3));
/// assert!(scorer.state_bytes() > 0);
/// let bytes = scorer.snapshot();
/// let mut other: pelton::Scorer<Payment, Count> = engine.scorer(SQL)?;
/// other.restore(&bytes)?;
/// assert_eq!(other.score(&at(62))?.row.map(|c| c.n), Some(3));
/// # Ok(())
/// # }
/// ```
pub struct Scorer<E = Columns, R = Columns> {
    chain: Chain,
    fields: Mapping,
    results: Mapping,
    row: R,
    /// The columns of the last answer.
    last: Option<Batch>,
    source: SourceSpec,
    reads: Schema,
    result: Schema,
    connectors: ConnectorRegistry,
    fingerprint: u64,
    now_us: i64,
    counts: ScorerStats,
    /// The columns of `reads` that every OVER is partitioned by.
    shared: Vec<usize>,
    memory_limit: usize,
    /// After so many events the state is weighed.
    weigh_at: u64,
    events: PhantomData<fn(&E)>,
}

/// What an event may add to the state, bytes, as a guess from above.
const EVENT_BYTES: usize = 4096;

/// What a scorer says of an event.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// # pelton::row! { struct Payment { card: i64, ts: pelton::Timestamp } }
/// # pelton::row! { struct Count { n: i64 } }
/// # const SQL: &str = "CREATE TABLE payments (card BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
/// #   WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'push');
/// #   SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n
/// #   FROM payments";
/// # let at = |second: i64| Payment { card: 7, ts: pelton::Timestamp(second * 1_000_000) };
/// # let engine = pelton::Engine::builder().build()?;
///
/// let mut scorer: pelton::Scorer<Payment, Count> = engine.scorer(SQL)?;
/// assert!(!scorer.score(&at(60))?.late);
/// // The watermark stands at 55 s: answered from what is held, and not remembered.
/// let scored = scorer.score(&at(50))?;
/// assert_eq!((scored.row.map(|c| c.n), scored.late), (Some(1), true));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scored<'a, R> {
    /// The row of the result; none: a filter has dropped it.
    pub row: Option<&'a R>,
    /// The watermark had passed the event: it was answered, and not remembered.
    pub late: bool,
}

/// As [`Scored`], for keeps: see [`Scorer::score_batch`].
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// # pelton::row! { struct Payment { card: i64, ts: pelton::Timestamp } }
/// # pelton::row! { struct Count { n: i64 } }
/// # const SQL: &str = "CREATE TABLE payments (card BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
/// #   WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'push');
/// #   SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n
/// #   FROM payments";
/// # let at = |second: i64| Payment { card: 7, ts: pelton::Timestamp(second * 1_000_000) };
/// # let engine = pelton::Engine::builder().build()?;
///
/// let mut scorer: pelton::Scorer<Payment, Count> = engine.scorer(SQL)?;
/// let mut answers: Vec<pelton::Answer<Count>> = vec![];
/// scorer.score_batch(&[at(0), at(1), at(2)], &mut answers)?;
/// assert_eq!(answers.iter().filter_map(|a| a.row.as_ref()).map(|c| c.n).collect::<Vec<_>>(), [1, 2, 3]);
/// assert!(answers.iter().all(|a| !a.late));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer<R> {
    /// The row of the result; none: a filter has dropped it.
    pub row: Option<R>,
    /// The watermark had passed the event.
    pub late: bool,
}

/// What a scorer says of a batch of columns.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// use pelton::batch::{Batch, Column, ColumnRef, TypeKind};
/// let engine = pelton::Engine::builder().build()?;
/// let mut scorer =
///     engine.column_scorer("CREATE TABLE t (n BIGINT NOT NULL) WITH ('connector' = 'push'); SELECT n FROM t WHERE n > 1")?;
/// let mut numbers = Column::of_kind(&TypeKind::BigInt);
/// numbers.buffer_mut::<i64>().extend_exact((0..4_i32).map(i64::from));
/// numbers.validity.reset(4);
/// let scored = scorer.score_columns(Batch::new(vec![ColumnRef::new(numbers)], 4))?;
/// let of: Vec<usize> = scored.rows.sel().iter().map(|row| scored.origin(row)).collect();
/// assert_eq!(of, [2, 3]);
/// assert!(!scored.is_late(2));
/// # Ok(())
/// # }
/// ```
pub struct ScoredColumns<'a> {
    /// The rows of the result: the selected ones count.
    pub rows: &'a Batch,
    chain: &'a Chain,
}

impl ScoredColumns<'_> {
    /// Row `row` of the result was late.
    pub fn is_late(&self, row: usize) -> bool {
        self.chain.is_late(row)
    }

    /// Which row of the events row `row` of the result is of.
    pub fn origin(&self, row: usize) -> usize {
        self.chain.origin(row)
    }
}

/// Counts of a scorer.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// # pelton::row! { struct Payment { card: i64, ts: pelton::Timestamp } }
/// # pelton::row! { struct Count { n: i64 } }
/// # const SQL: &str = "CREATE TABLE payments (card BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
/// #   WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'push');
/// #   SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n
/// #   FROM payments";
/// # let at = |second: i64| Payment { card: 7, ts: pelton::Timestamp(second * 1_000_000) };
/// # let engine = pelton::Engine::builder().build()?;
///
/// let mut scorer: pelton::Scorer<Payment, Count> = engine.scorer(SQL)?;
/// scorer.score(&at(60))?;
/// scorer.score(&at(10))?;
/// let stats = scorer.stats();
/// assert_eq!((stats.events, stats.filtered, stats.late), (2, 0, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScorerStats {
    /// Events that came.
    pub events: u64,
    /// Those that a filter dropped.
    pub filtered: u64,
    /// Those that were answered, and came too late to be remembered.
    pub late: u64,
}

impl Engine {
    /// A scorer of the only query of a script, for events `E` and results `R`.
    ///
    /// # Errors
    /// The script is wrong; its query cannot be scored; a field of `E` or `R` does not fit its column.
    pub fn scorer<E: Row, R: Row>(&self, sql: &str) -> Result<Scorer<E, R>> {
        self.new_scorer(sql, true, |table, declared, reads, result| {
            Ok((Mapping::write::<E>(table, declared, reads)?, Mapping::read::<R>(result)?))
        })
    }

    /// A scorer of the only query of a script, for events and results as columns: [`Scorer::score_columns`].
    ///
    /// # Errors
    /// The script is wrong, or its query cannot be scored.
    pub fn column_scorer(&self, sql: &str) -> Result<Scorer> {
        self.new_scorer(sql, false, |_, _, _, _| Ok((Mapping::default(), Mapping::default())))
    }

    fn new_scorer<E, R: Default>(
        &self,
        sql: &str,
        fetched: bool,
        map: impl FnOnce(&str, &Schema, &Schema, &Schema) -> Result<(Mapping, Mapping)>,
    ) -> Result<Scorer<E, R>> {
        let mut planner = Planner::new(&self.registry, &self.connectors, self.start_us);
        let mut plans = planner.script(sql)?.into_iter().filter_map(|o| match o {
            Outcome::Plan(plan) => Some(plan),
            Outcome::Done | Outcome::Text(_) => None,
        });
        let plan = plans
            .next()
            .ok_or_else(|| Error::config("the script has no query to score").hint("end it with a SELECT"))?;
        if let Some(second) = plans.next() {
            return Err(Error::planning("a scorer has one query, and this is a second one", second.span)
                .hint("make a scorer for each"));
        }
        let (chain, parts) = Chain::new(&plan.graph, !self.replaced, fetched)?;
        let name = parts.source.table.name.rsplit('.').next().unwrap_or_default().to_owned();
        let (fields, mut results) = map(&name, &parts.source.table.schema, &parts.reads, &parts.result)?;
        results.through(|column| chain.place(column));
        Ok(Scorer {
            chain,
            fields,
            results,
            row: R::default(),
            last: None,
            source: parts.source,
            reads: parts.reads,
            result: parts.result,
            connectors: self.connectors.clone(),
            fingerprint: explain::fingerprint(&plan.graph),
            now_us: self.start_us,
            counts: ScorerStats::default(),
            shared: shared::partition(&plan.graph),
            memory_limit: plan.settings.memory_limit().unwrap_or(self.config.memory_limit),
            weigh_at: 0,
            events: PhantomData,
        })
    }
}

impl<E: Row, R: Row> Scorer<E, R> {
    /// Answers an event.
    ///
    /// # Errors
    /// The state has outgrown its limit ([`EngineBuilder::memory_limit`](crate::EngineBuilder::memory_limit)), the event is not
    /// taken; the query fails on it (a division by zero, a NULL time). It is not remembered by what comes behind the failure.
    #[inline]
    pub fn score(&mut self, event: &E) -> Result<Scored<'_, R>> {
        self.weigh()?;
        let mut batch = self.chain.batch();
        self.fields.append(event, &mut batch.columns);
        batch.set_rows(1);
        let out = self.chain.run(batch, self.now_us)?;
        self.counts.events += 1;
        let scored = if out.selected() == 1 {
            let row = out.sel().row(0);
            self.results.fetch(&out, row, &mut self.row);
            let late = self.chain.is_late(row);
            self.counts.late += u64::from(late);
            Scored { row: Some(&self.row), late }
        } else {
            self.counts.filtered += 1;
            Scored { row: None, late: false }
        };
        self.chain.recycle(out);
        Ok(scored)
    }

    /// Answers events in their order, as [`Scorer::score`] does one by one. The answers replace what is in `answers`, whose memory is used again.
    ///
    /// # Errors
    /// The query fails on an event. Those before it have been taken, and have no answers.
    pub fn score_batch(&mut self, events: &[E], answers: &mut Vec<Answer<R>>) -> Result<()> {
        answers.resize_with(events.len(), || Answer { row: None, late: false });
        for (events, answers) in events.chunks(MAX_ROWS).zip(answers.chunks_mut(MAX_ROWS)) {
            self.weigh()?;
            let mut batch = self.chain.batch();
            events.iter().for_each(|e| self.fields.append(e, &mut batch.columns));
            batch.set_rows(events.len());
            let out = self.chain.run(batch, self.now_us)?;
            let mut answered = answers.iter_mut().enumerate();
            for row in out.sel().iter() {
                let origin = self.chain.origin(row);
                for (n, answer) in answered.by_ref() {
                    answer.late = n == origin && self.chain.is_late(row);
                    if n == origin {
                        self.results.fetch(&out, row, answer.row.get_or_insert_default());
                        break;
                    }
                    answer.row = None;
                }
            }
            answered.for_each(|(_, a)| (a.row, a.late) = (None, false));
            self.count(&out, events.len());
            self.chain.recycle(out);
        }
        Ok(())
    }
}

impl<E, R> Scorer<E, R> {
    /// Answers events that stand in columns: those of [`Scorer::reads`], of equal length, which are read where they are.
    ///
    /// # Errors
    /// The columns are others; the query fails on a row, and those before it have been taken.
    pub fn score_columns(&mut self, events: Batch) -> Result<ScoredColumns<'_>> {
        fits(&self.reads, &events)?;
        self.weigh()?;
        if let Some(last) = self.last.take() {
            self.chain.recycle(last);
        }
        let rows = events.selected();
        let out = self.chain.run(events, self.now_us)?;
        let out = self.chain.in_order(out);
        self.count(&out, rows);
        Ok(ScoredColumns { rows: self.last.insert(out), chain: &self.chain })
    }

    fn count(&mut self, out: &Batch, events: usize) {
        self.counts.events += events as u64;
        self.counts.filtered += (events - out.selected()) as u64;
        self.counts.late += out.sel().iter().filter(|&r| self.chain.is_late(r)).count() as u64;
    }

    /// The columns of the table that the query reads, in the order in which [`Scorer::score_columns`] takes them.
    pub fn reads(&self) -> &Schema {
        &self.reads
    }

    /// The columns of the result.
    pub fn schema(&self) -> &Schema {
        &self.result
    }

    /// Processing time is now `now_us`, µs since the epoch. It does not go back.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// pelton::row! { struct Tick { id: i64 } }
    /// pelton::row! { struct Count { n: i64 } }
    /// let engine = pelton::Engine::builder().build()?;
    /// let mut scorer: pelton::Scorer<Tick, Count> = engine.scorer(
    ///     "CREATE TABLE ticks (id BIGINT NOT NULL, p AS PROCTIME()) WITH ('connector' = 'push');
    ///      SELECT COUNT(*) OVER (PARTITION BY id ORDER BY p RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW) AS n
    ///      FROM ticks",
    /// )?;
    /// assert_eq!(scorer.score(&Tick { id: 1 })?.row.map(|c| c.n), Some(1));
    /// scorer.advance(1_500_000);
    /// assert_eq!(scorer.score(&Tick { id: 1 })?.row.map(|c| c.n), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn advance(&mut self, now_us: i64) {
        self.now_us = self.now_us.max(now_us);
    }

    /// How far event time has come, ms since the epoch: rows up to it are late.
    pub fn watermark(&self) -> i64 {
        self.chain.watermark()
    }

    /// Counts so far.
    pub fn stats(&self) -> ScorerStats {
        self.counts
    }

    /// Bytes of state held. Looks at all keys: not for every event.
    pub fn state_bytes(&self) -> usize {
        self.chain.bytes()
    }

    /// Has memory for `bytes` more of state come from the system now, in the proportions of what is held: a scorer that has its history and goes
    /// live. Without it a page comes when an event first needs it, and that event waits: microseconds on a quiet machine, milliseconds where a
    /// hypervisor has to find the page. It counts as state. Frames over values of fixed width have such memory; others take no notice.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// # pelton::row! { struct Payment { card: i64, ts: pelton::Timestamp } }
    /// # pelton::row! { struct Count { n: i64 } }
    /// # const SQL: &str = "CREATE TABLE payments (card BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
    /// #   WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'push');
    /// #   SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n
    /// #   FROM payments";
    /// # let at = |second: i64| Payment { card: 7, ts: pelton::Timestamp(second * 1_000_000) };
    /// # let engine = pelton::Engine::builder().build()?;
    /// let mut scorer: pelton::Scorer<Payment, Count> = engine.scorer(SQL)?;
    /// scorer.score(&at(0))?;
    /// scorer.reserve(10_000_000);
    /// assert!(scorer.state_bytes() >= 10_000_000);
    /// assert_eq!(scorer.score(&at(1))?.row.map(|c| c.n), Some(2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn reserve(&mut self, bytes: usize) {
        self.chain.reserve(bytes);
        self.weigh_at = 0;
    }

    /// Reads each page of the state that is held, a few milliseconds a gigabyte, so that no event is the first to look at one: that would wait
    /// microseconds for it, or longer, where pages are a hypervisor's or have been swapped out. For a scorer that has its history and goes
    /// live, behind [`Scorer::reserve`], and for one that rests between events. Of frames those over values of fixed width are read, as there.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// # pelton::row! { struct Payment { card: i64, ts: pelton::Timestamp } }
    /// # pelton::row! { struct Count { n: i64 } }
    /// # const SQL: &str = "CREATE TABLE payments (card BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
    /// #   WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'push');
    /// #   SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n
    /// #   FROM payments";
    /// # let at = |second: i64| Payment { card: 7, ts: pelton::Timestamp(second * 1_000_000) };
    /// # let engine = pelton::Engine::builder().build()?;
    /// let mut scorer: pelton::Scorer<Payment, Count> = engine.scorer(SQL)?;
    /// for second in 0..100 {
    ///     scorer.score(&at(second))?;
    /// }
    /// scorer.reserve(1_000_000);
    /// scorer.touch();
    /// assert_eq!(scorer.score(&at(100))?.row.map(|c| c.n), Some(61));
    /// # Ok(())
    /// # }
    /// ```
    pub fn touch(&self) {
        self.chain.touch();
    }

    /// Refuses events where the state has outgrown its limit. It is weighed the seldomer the more room there is.
    #[inline]
    fn weigh(&mut self) -> Result<()> {
        if self.counts.events < self.weigh_at { Ok(()) } else { self.weigh_now() }
    }

    #[cold]
    fn weigh_now(&mut self) -> Result<()> {
        let held = self.chain.bytes();
        let Some(room) = self.memory_limit.checked_sub(held) else {
            return Err(self.chain.outgrown(held, self.memory_limit));
        };
        self.weigh_at = self.counts.events + (room / EVENT_BYTES).clamp(256, 1 << 20) as u64;
        Ok(())
    }

    /// Takes all rows that the table's connector has, as if they had been scored, and gives their number: a scorer that starts with a
    /// history. Afterwards it answers as one that has lived through it.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// # let folder = std::env::temp_dir().join(format!("pelton-replay-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).expect("a folder");
    /// # let file = folder.join("history.csv");
    /// pelton::row! { struct Payment { card: i64, ts: pelton::Timestamp } }
    /// pelton::row! { struct Count { n: i64 } }
    /// std::fs::write(&file, "7,2026-01-01 12:00:00\n7,2026-01-01 12:00:10\n").expect("a file");
    /// let sql = format!(
    ///     "CREATE TABLE payments (card BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL, WATERMARK FOR ts AS ts)
    ///        WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{}');
    ///      SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n
    ///      FROM payments",
    ///     file.display(),
    /// );
    /// let mut scorer: pelton::Scorer<Payment, Count> = pelton::Engine::builder().build()?.scorer(&sql)?;
    /// assert_eq!(scorer.replay()?, 2);
    /// let noon = 1_767_268_800_000_000;
    /// let scored = scorer.score(&Payment { card: 7, ts: pelton::Timestamp(noon + 20_000_000) })?;
    /// assert_eq!(scored.row.map(|c| c.n), Some(3));
    /// # std::fs::remove_dir_all(&folder).expect("ours");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The source cannot be read, or does not end; the query fails on a row.
    pub fn replay(&mut self) -> Result<u64> {
        if !self.source.info.bounded {
            let at = self.source.table.connector.span_of("connector");
            return Err(Error::config(format!(
                "the rows of table '{}' do not end: it cannot be replayed",
                self.source.table.name
            ))
            .at(at)
            .hint("declare it over files, or score the history row by row"));
        }
        let before = self.counts.events;
        let mut inputs = self.connectors.open_input(&self.source, 0, 1)?;
        for input in &mut inputs {
            loop {
                let now_us = self.now_us;
                match input.poll(MAX_ROWS, &mut IoContext { pool: self.chain.pool(), now_us })? {
                    Polled::Batch(batch) => {
                        let rows = batch.selected();
                        self.weigh()?;
                        let out = self.chain.run(batch, now_us)?;
                        self.count(&out, rows);
                        self.chain.recycle(out);
                    }
                    Polled::Pending => std::thread::yield_now(),
                    Polled::End => break,
                }
            }
        }
        Ok(self.counts.events - before)
    }
}

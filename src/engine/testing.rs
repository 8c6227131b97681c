//! Tests of a query without files, clocks or waiting: rows in, the clock moves, rows out.
//!
//! ```
//! # fn main() -> pelton::Result<()> {
//! use std::time::Duration;
//! let engine = pelton::Engine::builder().build()?;
//! let mut test = pelton::testing::Test::new(
//!     &engine,
//!     "CREATE TABLE clicks (page STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'push');
//!      SELECT window_start, page, COUNT(*) AS n
//!      FROM TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end, page",
//! )?;
//! test.push("clicks", "home, 2026-01-01 12:00:07\nhome, 2026-01-01 12:00:50")?;
//! assert!(test.rows()?.is_empty(), "the minute is not over");
//! test.push("clicks", "help, 2026-01-01 12:01:00")?;
//! assert_eq!(test.rows()?, ["+I[2026-01-01 12:00:00.000, home, 2]"]);
//! test.advance(Duration::from_secs(60));
//! assert_eq!(test.finish()?, ["+I[2026-01-01 12:01:00.000, help, 1]"]);
//! # Ok(())
//! # }
//! ```
//!
//! Rows are lines of csv, without quotes where they need none; blanks around fields are dropped, `NULL` is NULL. Results are lines in the form of
//! Flink's changelog. The clock starts at 1970 and moves when it is told to.

use super::{Engine, Feed, Job, Progress, Run};
use crate::batch::text::{Style, write_value};
use crate::batch::{Batch, Column, ColumnRef, DataType, Schema};
use crate::error::{Error, Result};
use crate::formats::{Format, Rows};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::time::Duration;

/// A query under test, on the test's thread. See the module's text.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let mut test = pelton::testing::Test::new(
///     &engine,
///     "CREATE TABLE t (n INT) WITH ('connector' = 'push'); SELECT SUM(n) FROM t",
/// )?;
/// test.push("t", "1\n2")?;
/// test.restart()?;
/// test.push("t", "4")?;
/// assert_eq!(test.rows()?.last().map(String::as_str), Some("+U[7]"));
/// test.advance(std::time::Duration::from_secs(1));
/// assert!(test.finish()?.is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Test {
    run: Run,
    feeds: BTreeMap<String, Feed>,
    now_us: i64,
    types: Vec<DataType>,
    zone: TimeZone,
    lines: Vec<String>,
}

impl Test {
    /// The only query of a script.
    ///
    /// # Errors
    /// The script is wrong, or has another number of queries.
    pub fn new(engine: &Engine, sql: &str) -> Result<Self> {
        let script = engine.prepare(sql)?;
        let jobs: Vec<&Job> = script.jobs().collect();
        let [job] = jobs[..] else {
            return Err(Error::config(format!("a test has one query, and the script has {}", jobs.len())));
        };
        let schema =
            job.schema().ok_or_else(|| Error::config("the job has no result").hint("test a SELECT"))?;
        Ok(Self {
            run: job.start_here()?,
            feeds: BTreeMap::new(),
            now_us: 0,
            types: schema.fields.iter().map(|f| f.ty.clone()).collect(),
            zone: job.time_zone(),
            lines: vec![],
        })
    }

    /// Pushes rows into a table, and lets the query work until nothing is left to do.
    ///
    /// # Errors
    /// There is no such table; a row cannot be read; the query fails.
    pub fn push(&mut self, table: &str, rows: &str) -> Result<()> {
        if !self.feeds.contains_key(table) {
            let feed = self.run.column_feed(table)?;
            self.feeds.insert(table.to_owned(), feed);
        }
        let feed = self.feeds.get_mut(table).expect("put there above");
        for batch in read(feed.declared(), feed.reads(), rows)? {
            feed.push_columns(batch).map_err(|(e, _)| e)?;
        }
        self.settle()
    }

    /// Moves the clock: timers that are due fire.
    ///
    /// # Panics
    /// When `by` is longer than the clock can say.
    pub fn advance(&mut self, by: Duration) {
        let by = i64::try_from(by.as_micros()).expect("a time that fits the clock");
        self.now_us = self.now_us.checked_add(by).expect("a time that fits the clock");
    }

    /// The rows that came since the last call.
    ///
    /// # Errors
    /// The query fails.
    pub fn rows(&mut self) -> Result<Vec<String>> {
        self.settle()?;
        Ok(std::mem::take(&mut self.lines))
    }

    /// Ends all tables, and gives the last rows.
    ///
    /// # Errors
    /// The query fails.
    pub fn finish(&mut self) -> Result<Vec<String>> {
        self.settle()?;
        self.feeds.clear();
        self.run.close_feeds();
        self.rows()
    }

    /// Replaces every operator by one that has read its state from bytes, as after a restart.
    ///
    /// # Errors
    /// The state cannot be written down.
    pub fn restart(&mut self) -> Result<()> {
        self.settle()?;
        self.run.cycle_state()
    }

    fn settle(&mut self) -> Result<()> {
        loop {
            let progress = self.run.step(self.now_us);
            for batch in self.run.take_results() {
                for row in batch.sel().iter() {
                    let mut line = format!("{}[", batch.kind(row).short()).into_bytes();
                    for (n, (c, ty)) in batch.columns.iter().zip(&self.types).enumerate() {
                        line.extend_from_slice(if n > 0 { b", " } else { b"" });
                        write_value(c, row, ty, &self.zone, Style::Changelog, &mut line);
                    }
                    line.push(b']');
                    self.lines.push(String::from_utf8_lossy(&line).into_owned());
                }
            }
            if progress? != Progress::Working {
                return Ok(());
            }
        }
    }
}

/// Batches of the columns `reads` of rows of a table, from text.
fn read(table: &Schema, reads: &Schema, text: &str) -> Result<Vec<Batch>> {
    let trimmed: Vec<String> = text
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(|l| l.split(',').map(str::trim).collect::<Vec<_>>().join(","))
        .collect();
    let text = trimmed.join("\n");
    let format = Format::from_options("csv", |key| (key == "null-literal").then_some("NULL"))
        .map_err(|e| Error::config(e.message))?;
    let wanted: Vec<usize> =
        (0..table.len()).filter(|&n| reads.fields.iter().any(|f| f.name == table.fields[n].name)).collect();
    let mut decoder = format.decoder(table, &wanted);
    let (mut rest, mut line, mut batches) = (text.as_bytes(), 1, vec![]);
    while !rest.is_empty() {
        let mut rows = Rows::default();
        rows.start(reads.fields.iter().map(|f| ColumnRef::new(Column::new(&f.ty))).collect());
        let used = decoder.decode(rest, true, crate::batch::MAX_ROWS, &mut line, &mut rows);
        let used = used.map_err(|e| Error::input(format!("line {}: {}", e.line, e.message)))?;
        rest = &rest[used..];
        batches.push(Batch::new(rows.columns, rows.rows));
    }
    Ok(batches)
}

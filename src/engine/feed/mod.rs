//! Rows from the program: the sending side of a table with `'connector' = 'push'`.

use super::Columns;
use super::rows::{Mapping, Row};
use crate::batch::{Batch, MAX_ROWS, Schema};
use crate::error::{Error, ErrorKind, Result};
use crate::host::sync::Bell;
use crate::plan::connector::SourceSpec;
use crate::sources::push::{PushInput, PushSender, PushSource};
use std::marker::PhantomData;
use std::sync::Arc;

/// The name of the connector whose rows come by a feed.
pub(super) const CONNECTOR: &str = "push";

/// A table that waits for its feed.
pub(super) struct Pushed {
    /// Its full name.
    name: String,
    declared: Schema,
    reads: Schema,
    sender: PushSender,
}

impl Pushed {
    /// Opens the scan of a pushed table, whose columns are `reads`, on the shard with that bell.
    pub(super) fn open(
        spec: &SourceSpec,
        reads: &Schema,
        source: u32,
        bell: &Arc<Bell>,
    ) -> Result<(Self, PushInput)> {
        let (sender, input) = PushSource::of(&spec.table)?.open(spec, source, bell);
        let declared = spec.table.schema.clone();
        Ok((Self { name: spec.table.name.clone(), declared, reads: reads.clone(), sender }, input))
    }

    /// It is meant by that name: the whole, or its end.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name == name || self.name.rsplit('.').next() == Some(name)
    }

    /// Which fields of `E` go to which of its columns.
    pub(super) fn fields<E: Row>(&self) -> Result<Mapping> {
        let table = self.name.rsplit('.').next().unwrap_or_default();
        Mapping::write::<E>(table, &self.declared, &self.reads)
    }

    /// Its feed.
    pub(super) fn feed<E>(mut self, fields: Mapping) -> Feed<E> {
        let (open, next) = (self.sender.batch(), Some(self.sender.batch()));
        let Self { sender, declared, reads, .. } = self;
        Feed { sender, fields, open, rows: 0, next, declared, reads, events: PhantomData }
    }
}

/// Sends rows to a running job, from any thread: `Send`, not `Sync`. See [`Run::feed`](super::Run::feed). The table ends with its feed.
///
/// Nothing waits here: where the job is behind, rows collect up to a batch, and then a push is refused with an
/// [error that says so](Error::is_retryable) until the job has taken a turn.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// pelton::row! { struct Click { page: String } }
/// let engine = pelton::Engine::builder().build()?;
/// let script = engine.prepare(
///     "CREATE TABLE clicks (page STRING NOT NULL, other INT) WITH ('connector' = 'push'); SELECT page FROM clicks",
/// )?;
/// let mut run = script.jobs().next().expect("one query").start()?;
/// let mut feed: pelton::Feed<Click> = run.feed("clicks")?;
/// assert_eq!(feed.reads().fields.len(), 1);
/// let sender = std::thread::spawn(move || {
///     let clicks = [Click { page: "home".into() }, Click { page: "search".into() }];
///     assert_eq!(feed.push_all(&clicks), 2);
///     assert!(feed.flush());
/// });
/// sender.join().expect("no panic");
/// while run.step(0)? != pelton::Progress::Done {}
/// assert_eq!(run.stats().rows_in, 2);
/// # Ok(())
/// # }
/// ```
pub struct Feed<E = Columns> {
    sender: PushSender,
    fields: Mapping,
    /// Rows that are not sent yet.
    open: Batch,
    rows: usize,
    /// What is filled next: fetched when a batch has gone, not when one is to go.
    next: Option<Batch>,
    declared: Schema,
    reads: Schema,
    events: PhantomData<fn(&E)>,
}

impl<E: Row> Feed<E> {
    /// Sends a row.
    ///
    /// # Errors
    /// Retryable: there is no room. The row was not taken.
    #[inline]
    pub fn push(&mut self, row: &E) -> Result<()> {
        self.append(row)?;
        self.flush();
        Ok(())
    }

    /// Sends rows, in batches as large as they can be; gives how many were taken, which is all of them unless there is no room.
    pub fn push_all(&mut self, rows: &[E]) -> usize {
        let taken = rows.iter().position(|row| self.append(row).is_err()).unwrap_or(rows.len());
        self.flush();
        taken
    }

    fn append(&mut self, row: &E) -> Result<()> {
        if self.rows == MAX_ROWS && !self.flush() {
            return Err(full());
        }
        self.fields.append(row, &mut self.open.columns);
        self.rows += 1;
        Ok(())
    }
}

impl Feed {
    /// Sends the selected rows of a batch of at most 1,024, without a copy. Its columns are those of [`Feed::reads`].
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// use pelton::batch::{Batch, Column, ColumnRef, TypeKind};
    /// let engine = pelton::Engine::builder().build()?;
    /// let script = engine.prepare("CREATE TABLE t (n BIGINT NOT NULL) WITH ('connector' = 'push'); SELECT n FROM t")?;
    /// let mut run = script.jobs().next().expect("one query").start()?;
    /// let mut feed = run.column_feed("t")?;
    /// let mut numbers = Column::of_kind(&TypeKind::BigInt);
    /// numbers.buffer_mut::<i64>().extend_exact((0..100_i32).map(i64::from));
    /// numbers.validity.reset(100);
    /// feed.push_columns(Batch::new(vec![ColumnRef::new(numbers)], 100)).map_err(|(e, _)| e)?;
    /// run.step(0)?;
    /// assert_eq!(run.take_results()[0].selected(), 100);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The columns are others. Retryable, with the batch: there is no room.
    pub fn push_columns(&mut self, batch: Batch) -> Result<(), (Error, Batch)> {
        if let Err(e) = fits(&self.reads, &batch) {
            return Err((e, batch));
        }
        if batch.rows() > MAX_ROWS {
            let e = Error::config(format!("a batch of {} rows: at most {MAX_ROWS} are one", batch.rows()));
            return Err((e.hint("send slices of it"), batch));
        }
        self.sender.send(batch).map_err(|b| (full(), *b))
    }
}

impl<E> Feed<E> {
    /// The columns of the table that the query reads.
    pub fn reads(&self) -> &Schema {
        &self.reads
    }

    /// The columns of the table, computed ones left out.
    pub(super) fn declared(&self) -> &Schema {
        &self.declared
    }

    /// Sends the rows that wait; false: there is no room for them yet.
    pub fn flush(&mut self) -> bool {
        if self.rows == 0 {
            return true;
        }
        if !self.sender.has_room() {
            return false;
        }
        let next = self.next.take().unwrap_or_else(|| self.sender.batch());
        let mut batch = std::mem::replace(&mut self.open, next);
        batch.set_rows(std::mem::take(&mut self.rows));
        self.sender.send(batch).expect("there is room, and nobody else sends");
        self.next = Some(self.sender.batch());
        true
    }

    /// Ends the table.
    ///
    /// # Errors
    /// Rows wait for room: the feed comes back, to be ended after the job's next turn.
    pub fn close(mut self) -> Result<(), Box<Self>> {
        if self.flush() { Ok(()) } else { Err(Box::new(self)) }
    }
}

/// Checks that a batch has the columns of a schema.
pub(super) fn fits(schema: &Schema, batch: &Batch) -> Result<()> {
    if batch.columns.len() != schema.len() {
        let n = batch.columns.len();
        return Err(Error::config(format!("the query reads {} columns, and {n} are given", schema.len())));
    }
    for (c, field) in batch.columns.iter().zip(&schema.fields) {
        if !c.is_of(&field.ty.kind) || c.len() != batch.rows() {
            let (name, rows) = (&field.name, batch.rows());
            return Err(Error::config(format!("column '{name}' is not {rows} rows of {}", field.ty)));
        }
    }
    Ok(())
}

fn full() -> Error {
    Error::new(ErrorKind::Retryable, "the job is behind with the rows that were pushed")
        .hint("let it take a turn, and push again")
}

#[cfg(test)]
mod tests;

//! `push`: rows come from the program that embeds the engine. Pelton's own connector: it has no options.
//!
//! The program's end is a [`PushSender`], the job's a [`PushInput`]; between them are two bounded rings, one of filled batches and one back of
//! emptied ones, so that a steady flow allocates nothing and a full ring tells the program to let the job take a turn. A sender that is
//! dropped ends the table.

mod input;

pub use input::PushInput;

use crate::batch::{Batch, Column, ColumnRef, DataType};
use crate::error::Result;
use crate::host::sync::{Bell, LastRing};
use crate::plan::Changelog;
use crate::plan::connector::{SourceInfo, SourceSpec, TableSpec};
use crate::plan::options::Options;
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use std::sync::Arc;

/// Batches that may wait for the job.
const WAITING: usize = 64;

/// The options, checked: those of every source.
#[derive(Clone, Copy, Debug)]
pub struct PushSource;

impl PushSource {
    /// Checks the options of a table.
    ///
    /// # Errors
    /// An option that is unknown or malformed.
    pub fn of(table: &TableSpec) -> Result<Self> {
        Options::of(&table.connector).check_source_names(&["connector"], &[])?;
        Ok(Self)
    }

    /// What the planner may know.
    pub fn info(self) -> SourceInfo {
        SourceInfo { bounded: false, changelog: Changelog::INSERT, metadata: vec![], nested: false }
    }

    /// Both ends of a table that is read by the thread with that bell.
    pub fn open(self, spec: &SourceSpec, source: u32, bell: &Arc<Bell>) -> (PushSender, PushInput) {
        let types: Vec<DataType> = spec.columns.iter().map(|&c| spec.table.schema.ty(c).clone()).collect();
        let (filled, taken) = RingBuffer::new(WAITING);
        let (emptied, back) = RingBuffer::new(WAITING);
        let input = PushInput::new(taken, emptied, types.clone(), source);
        (PushSender { filled, back, types, bell: LastRing::of(bell) }, input)
    }
}

/// The program's end: batches of the columns that the query reads.
#[derive(Debug)]
pub struct PushSender {
    filled: Producer<Batch>,
    back: Consumer<Batch>,
    types: Vec<DataType>,
    bell: LastRing,
}

impl PushSender {
    /// The types of the columns.
    pub fn types(&self) -> &[DataType] {
        &self.types
    }

    /// There is room for a batch.
    pub fn has_room(&self) -> bool {
        !self.filled.is_full()
    }

    /// A batch with an empty column for each type, which nobody else holds.
    pub fn batch(&mut self) -> Batch {
        let mut batch = self.back.pop().unwrap_or_default();
        let reusable = batch.columns.len() == self.types.len()
            && batch.columns.iter_mut().all(|c| ColumnRef::get_mut(c).map(Column::clear).is_some());
        if !reusable {
            batch = Batch::new(self.types.iter().map(|t| ColumnRef::new(Column::new(t))).collect(), 0);
        }
        // A first row is not to wait for memory.
        for c in batch.columns.iter_mut().filter_map(ColumnRef::get_mut).filter(|c| c.bytes() == 0) {
            c.reset(1);
            c.clear();
        }
        batch.refill(0);
        batch
    }

    /// Sends a batch, or gives it back when there is no room.
    ///
    /// # Errors
    /// There is no room.
    pub fn send(&mut self, batch: Batch) -> Result<(), Box<Batch>> {
        self.filled.push(batch).map_err(|PushError::Full(b)| Box::new(b))?;
        self.bell.ring();
        Ok(())
    }
}

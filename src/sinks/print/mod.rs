//! `print`: a line a row, as Flink's print sink writes it: `P> +I[B, 1]`.

use super::writer::{Job, Streams, Target, Work, Writer};
use crate::batch::text::{Style, write_value};
use crate::batch::{Batch, DataType};
use crate::error::{Error, Result};
use crate::plan::Changelog;
use crate::plan::connector::{SinkInfo, SinkSpec, TableSpec};
use crate::plan::options::Options;
use crate::shard::{IoContext, Output};
use jiff::tz::TimeZone;
use std::io::Write;

/// The options, checked.
#[derive(Clone, Debug, Default)]
pub struct PrintSink {
    /// What stands before every row.
    pub identifier: String,
    /// To standard error instead of standard output.
    pub standard_error: bool,
}

impl PrintSink {
    /// Checks the options of a table.
    ///
    /// # Errors
    /// An option that is unknown or malformed.
    pub fn of(table: &TableSpec) -> Result<Self> {
        let options = Options::of(&table.connector);
        let known =
            ["connector", "print-identifier", "property-version", "sink.parallelism", "standard-error"];
        options.check_names(&known, &[])?;
        options.integer("sink.parallelism", 1..=i64::MAX)?;
        Ok(Self {
            identifier: options.get("print-identifier").unwrap_or_default().into(),
            standard_error: options.flag("standard-error", false)?,
        })
    }

    /// What the planner may know.
    pub fn info(&self) -> SinkInfo {
        SinkInfo { accepts: Changelog::ALL }
    }

    /// Opens it for one of `shards` shards.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn open(
        &self,
        spec: &SinkSpec,
        shard: usize,
        shards: usize,
        streams: &Streams,
    ) -> Result<Box<dyn Output>> {
        let target = if self.standard_error { &streams.err } else { &streams.out };
        let zone = spec.table.as_ref().map_or(TimeZone::UTC, |t| t.time_zone.clone());
        Ok(Box::new(Print {
            prefix: prefix(&self.identifier, shard, shards),
            types: spec.schema.fields.iter().map(|f| f.ty.clone()).collect(),
            zone,
            writer: Writer::start("pelton-print", Lines { target: target.clone() })?,
            rows: 0,
        }))
    }
}

/// Flink's: the identifier, the number of the writer from 1 where there are several, and `> `.
fn prefix(identifier: &str, shard: usize, shards: usize) -> Vec<u8> {
    match (identifier.is_empty(), shards > 1) {
        (true, false) => String::new(),
        (false, false) => format!("{identifier}> "),
        (true, true) => format!("{}> ", shard + 1),
        (false, true) => format!("{identifier}:{}> ", shard + 1),
    }
    .into_bytes()
}

/// Appends a row in Flink's form: `+I[B, 1]`.
fn write_row(batch: &Batch, row: usize, types: &[DataType], zone: &TimeZone, out: &mut Vec<u8>) {
    out.extend_from_slice(batch.kind(row).short().as_bytes());
    out.push(b'[');
    for (i, (c, ty)) in batch.columns.iter().zip(types).enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        write_value(c, row, ty, zone, Style::Print, out);
    }
    out.push(b']');
}

struct Print {
    prefix: Vec<u8>,
    types: Vec<DataType>,
    zone: TimeZone,
    writer: Writer<()>,
    rows: u64,
}

impl Output for Print {
    fn offer(&mut self, batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        if batch.selected() > 0 {
            if !self.writer.has_room() {
                return Ok(Some(batch));
            }
            let mut bytes = self.writer.buffer();
            for row in batch.sel().iter() {
                bytes.extend_from_slice(&self.prefix);
                write_row(&batch, row, &self.types, &self.zone, &mut bytes);
                bytes.push(b'\n');
            }
            let back = self.writer.hand(Job { kind: (), bytes })?;
            debug_assert!(back.is_none(), "there was room");
            self.rows += batch.selected() as u64;
        }
        cx.pool.recycle(batch);
        Ok(None)
    }

    fn finish(&mut self) -> Result<()> {
        self.writer.finish()
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// Writes lines; shows them when there is nothing else to do.
struct Lines {
    target: Target,
}

fn failed(e: std::io::Error) -> Error {
    Error::io("print sink", &e)
}

impl Work<()> for Lines {
    fn job(&mut self, job: &Job<()>) -> Result<()> {
        self.target.write_all(&job.bytes).map_err(failed)
    }

    fn idle(&mut self) -> Result<()> {
        self.target.flush().map_err(failed)
    }

    fn finish(&mut self) -> Result<()> {
        self.target.flush().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_flinks() {
        assert_eq!(prefix("P", 0, 1), b"P> ");
        assert_eq!(prefix("P", 1, 4), b"P:2> ");
        assert_eq!(prefix("", 0, 1), b"");
        assert_eq!(prefix("", 0, 2), b"1> ");
    }
}

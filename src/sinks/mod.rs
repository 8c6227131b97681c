//! Sinks: one folder a connector, each with its options as a plain struct (checked by `of`) and its output.
//!
//! An output never blocks its shard: bytes go to a thread of the sink over a bounded ring, and a batch that does not fit is given
//! back. In front of every table stands the check that NOT NULL columns hold no NULL.

pub mod blackhole;
pub mod collect;
mod constraints;
pub mod filesystem;
pub mod print;
mod writer;

pub use writer::{Streams, Target};

use crate::error::{Error, Result};
use crate::plan::connector::{SinkInfo, SinkSpec, TableSpec};
use crate::shard::Output;
use blackhole::BlackholeSink;
use constraints::Enforced;
use filesystem::FilesystemSink;
use print::PrintSink;

/// The connectors that can be written to.
pub const NAMES: &[&str] = &["blackhole", "filesystem", "print"];

/// A table that is written to, its options checked.
enum Sink {
    Blackhole(BlackholeSink),
    Filesystem(FilesystemSink),
    Print(PrintSink),
}

impl Sink {
    fn of(table: &TableSpec) -> Result<Self> {
        match table.connector.connector.as_str() {
            "blackhole" => BlackholeSink::of(table).map(Sink::Blackhole),
            "filesystem" => FilesystemSink::of(table).map(Sink::Filesystem),
            "print" => PrintSink::of(table).map(Sink::Print),
            other => Err(Error::validation(
                format!("connector '{other}' cannot be written to"),
                table.connector.span_of("connector"),
            )),
        }
    }
}

/// Checks a table that is written to.
///
/// # Errors
/// Unknown connector or format, unknown, missing or malformed options.
pub fn check(table: &TableSpec) -> Result<SinkInfo> {
    Ok(match Sink::of(table)? {
        Sink::Blackhole(s) => s.info(),
        Sink::Filesystem(s) => s.info(),
        Sink::Print(s) => s.info(),
    })
}

/// Opens the output of a table for one of `shards` shards that write to it.
///
/// # Errors
/// As [`check`]; the target cannot be opened.
///
/// # Panics
/// When the sink has no table: its rows go to [`collect::CollectOutput`].
pub fn open(spec: &SinkSpec, shard: usize, shards: usize, streams: &Streams) -> Result<Box<dyn Output>> {
    let table = spec.table.as_ref().expect("a sink that is opened has a table");
    let output: Box<dyn Output> = match Sink::of(table)? {
        Sink::Blackhole(s) => s.open(),
        Sink::Filesystem(s) => s.open(spec, shard, streams)?,
        Sink::Print(s) => s.open(spec, shard, shards, streams)?,
    };
    Ok(Enforced::around(output, spec))
}

/// Opens the result of a query: `receiver` gets its batches.
pub fn open_result(spec: &SinkSpec, receiver: collect::Receiver) -> Box<dyn Output> {
    Enforced::around(Box::new(collect::CollectOutput::new(receiver)), spec)
}

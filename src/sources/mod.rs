//! Sources: one folder a connector, each with its options as a plain struct (checked by `of`), its input, and its files' tests.
//!
//! A source never blocks its shard: whatever waits lives on a thread of the source and hands bytes over a ring.

mod bad_rows;
pub mod datagen;
pub mod filesystem;
pub mod nexmark;
pub mod push;

use crate::error::{Error, Result};
use crate::plan::connector::{SourceInfo, SourceSpec, TableSpec};
use crate::shard::Input;
use datagen::DatagenSource;
use filesystem::FilesystemSource;
use nexmark::NexmarkSource;
use push::PushSource;
use std::sync::Arc;

/// The connectors that can be read.
pub const NAMES: &[&str] = &["datagen", "filesystem", "nexmark", "push"];

/// The options of a connector that Flink's has not.
pub fn extensions(connector: &str) -> &'static [&'static str] {
    match connector {
        "datagen" => datagen::EXTENSIONS,
        "nexmark" => nexmark::EXTENSIONS,
        _ => &[],
    }
}

/// A table that is read, its options checked.
#[derive(Clone, Debug)]
enum Source {
    Datagen(DatagenSource),
    Filesystem(FilesystemSource),
    Nexmark(Box<NexmarkSource>),
    Push(PushSource),
}

impl Source {
    fn of(table: &TableSpec) -> Result<Self> {
        match table.connector.connector.as_str() {
            "datagen" => DatagenSource::of(table).map(Source::Datagen),
            "filesystem" => FilesystemSource::of(table).map(Source::Filesystem),
            "nexmark" => NexmarkSource::of(table).map(|s| Source::Nexmark(Box::new(s))),
            "push" => PushSource::of(table).map(Source::Push),
            other => Err(Error::validation(
                format!("connector '{other}' cannot be read"),
                table.connector.span_of("connector"),
            )),
        }
    }
}

/// Checks a table that is read.
///
/// # Errors
/// Unknown connector or format, unknown, missing or malformed options.
pub fn check(table: &TableSpec) -> Result<SourceInfo> {
    Ok(match Source::of(table)? {
        Source::Datagen(s) => s.info(),
        Source::Filesystem(s) => s.info(),
        Source::Nexmark(s) => s.info(),
        Source::Push(s) => s.info(),
    })
}

/// How many inputs a table can be split into, at most; 1 where that cannot be said yet.
pub fn splits(table: &TableSpec) -> usize {
    match Source::of(table) {
        Ok(Source::Datagen(_) | Source::Nexmark(_)) => usize::MAX,
        Ok(Source::Filesystem(s)) => s.splits(),
        Ok(Source::Push(_)) | Err(_) => 1,
    }
}

/// Opens a scan: at most `parallelism` inputs. `source` is its number in the plan, for provenance.
///
/// # Errors
/// As [`check`]; the input does not exist or cannot be opened.
pub fn open(spec: &SourceSpec, source: u32, parallelism: usize) -> Result<Vec<Box<dyn Input>>> {
    match Source::of(&spec.table)? {
        Source::Datagen(s) => Ok(s.open(spec, source, parallelism)),
        Source::Filesystem(s) => s.open(spec, source, parallelism),
        Source::Nexmark(s) => Ok(s.open(spec, source, parallelism)),
        // Without a sender: nothing comes. A job's feeds are opened by the engine.
        Source::Push(s) => Ok(vec![Box::new(s.open(spec, source, &Arc::default()).1)]),
    }
}

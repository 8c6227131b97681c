//! `filesystem` as a source: a file, a folder, a glob or standard input (`-`).
//!
//! Files are read in the order of their names, one after the other, by a thread of the source that hands blocks of bytes over a
//! ring; the shard decodes. A folder is read with its subfolders; names that open with `_` or `.` are hidden. Columns named in
//! PARTITIONED BY come from folder names (`day=2024-03-10`), not from the files. `.gz` and `.zst` are decompressed. With
//! `source.monitor-interval` the input never ends: files that come later are read, each once.

mod files;
mod input;
mod metadata;
mod reader;
mod window;

pub use files::FileList;
pub(crate) use files::is_pattern;
pub use input::FileInput;

use crate::batch::{ColumnRef, DataType, Schema, TypeKind};
use crate::error::Result;
use crate::formats::Format;
use crate::plan::Changelog;
use crate::plan::connector::{SourceInfo, SourceSpec, TableSpec};
use crate::plan::options::{FILESYSTEM, Options};
use crate::shard::Input;

/// The options of a table that is read, checked.
#[derive(Clone, Debug)]
pub struct FilesystemSource {
    /// The file, folder, glob, or `-`.
    pub path: String,
    /// How bytes become rows.
    pub format: Format,
    /// Only files whose path matches are read.
    pub pattern: Option<regex::Regex>,
    /// The folder name that stands for NULL in a partition column.
    pub default_partition: String,
    /// How often the folder is looked into for files that came; none: once.
    pub monitor_interval: Option<std::time::Duration>,
    /// The columns that stand in the files, with their numbers in the table.
    pub in_file: Vec<usize>,
}

/// The metadata columns.
pub fn metadata() -> Vec<(String, DataType)> {
    vec![
        ("file.path".into(), TypeKind::STRING.not_null()),
        ("file.name".into(), TypeKind::STRING.not_null()),
        ("file.size".into(), TypeKind::BigInt.not_null()),
        ("file.modification-time".into(), TypeKind::TimestampLtz(3).not_null()),
    ]
}

impl FilesystemSource {
    /// Checks the options of a table.
    ///
    /// # Errors
    /// An option that is unknown, missing, malformed or not supported.
    pub fn of(table: &TableSpec) -> Result<Self> {
        let options = Options::of(&table.connector);
        let formats = Format::all_option_names();
        let known: Vec<&str> = FILESYSTEM.iter().copied().chain(formats.iter().map(String::as_str)).collect();
        options.check_source_names(&known, &[])?;
        let path = options.required("path")?.to_owned();
        options.refuse(&["scan.watermark.emit.strategy", "scan.watermark.idle-timeout"])?;
        let format = Format::of_table(|k| options.placed(k), options.span())?;
        let in_file: Vec<usize> =
            (0..table.schema.len()).filter(|c| !table.partition_keys.contains(c)).collect();
        let schema = file_schema(&table.schema, &in_file);
        format.check(&schema, true).map_err(|e| options.error("format", e.message))?;
        let pattern =
            options.parsed("source.path.regex-pattern", "a regular expression is expected", |t| {
                regex::Regex::new(&format!("^(?:{t})$")).ok()
            })?;
        let monitor = "source.monitor-interval";
        let monitor_interval = match options.duration_ms(monitor)?.map(u64::try_from) {
            None => None,
            Some(Ok(ms)) if ms > 0 => Some(std::time::Duration::from_millis(ms)),
            Some(_) => return Err(options.error(monitor, "an interval longer than nothing is expected")),
        };
        if path == "-" && monitor_interval.is_some() {
            return Err(options.error(monitor, "standard input is no folder that files come into"));
        }
        if path == "-" && !table.partition_keys.is_empty() {
            return Err(options.error("path", "standard input has no folders to take partition columns from"));
        }
        Ok(Self {
            path,
            format,
            pattern,
            default_partition: options
                .get("partition.default-name")
                .unwrap_or("__DEFAULT_PARTITION__")
                .into(),
            monitor_interval,
            in_file,
        })
    }

    /// What the planner may know.
    pub fn info(&self) -> SourceInfo {
        let changelog = if self.format.has_kinds() { Changelog::ALL } else { Changelog::INSERT };
        SourceInfo {
            bounded: self.monitor_interval.is_none(),
            changelog,
            metadata: metadata(),
            nested: false,
        }
    }

    /// How many inputs there can be: the files that are there. A folder that is watched is one input: two would both find what comes.
    pub fn splits(&self) -> usize {
        match self.monitor_interval {
            Some(_) => 1,
            None => FileList::find(self).map_or(1, |list| list.count()),
        }
    }

    /// Opens the files, dealt out to at most `parallelism` inputs. `source` is the number for provenance.
    ///
    /// # Errors
    /// The path does not exist or cannot be read.
    pub fn open(&self, spec: &SourceSpec, source: u32, parallelism: usize) -> Result<Vec<Box<dyn Input>>> {
        let list = FileList::find(self)?;
        let mut inputs: Vec<Box<dyn Input>> = Vec::new();
        let parallelism = if self.monitor_interval.is_some() { 1 } else { parallelism };
        for part in list.deal(parallelism) {
            inputs.push(Box::new(FileInput::new(self, spec, part, source)?));
        }
        Ok(inputs)
    }
}

/// The columns that stand in the files.
fn file_schema(schema: &Schema, in_file: &[usize]) -> Schema {
    Schema::new(in_file.iter().map(|&c| schema.fields[c].clone()).collect())
}

/// A column of one row, repeated.
fn repeated(value: &ColumnRef, rows: usize, to: &mut crate::batch::Column) {
    let zeros = [0u32; 256];
    let mut left = rows;
    while left > 0 {
        let n = left.min(zeros.len());
        to.extend_rows(value, &zeros[..n]);
        left -= n;
    }
}

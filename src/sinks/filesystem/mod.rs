//! `filesystem` as a sink: part files in a folder, seen as a whole or not at all.
//!
//! Rows are encoded by the shard; a thread of the sink writes them to hidden files (`.part-….inprogress`) beside their final place,
//! and gives all of them their names when the job has finished. PARTITIONED BY columns become folders (`day=2024-03-10`), not
//! columns of the files. A file that reaches its size is closed and another one opened. The success file of a partition is written when all its
//! files have their names.

mod output;
mod parts;

use super::Streams;
use crate::batch::Schema;
use crate::error::Result;
use crate::formats::Format;
use crate::plan::Changelog;
use crate::plan::connector::{SinkInfo, SinkSpec, TableSpec};
use crate::plan::options::{ALIGNMENT, FILESYSTEM, Options};
use crate::shard::Output;

/// The options of a table that is written to, checked.
#[derive(Clone, Debug)]
pub struct FilesystemSink {
    /// The folder, or `-` for standard output.
    pub path: String,
    /// How rows become bytes.
    pub format: Format,
    /// Bytes after which a file is closed. Flink's default: 128 MiB.
    pub file_size: u64,
    /// The folder name that stands for NULL in a partition column.
    pub default_partition: String,
    /// The name of an empty file that tells that a partition is committed.
    pub success_file: Option<String>,
    /// The columns that stand in the files, with their numbers in the table.
    pub in_file: Vec<usize>,
    /// The partition columns: number and name.
    pub partitions: Vec<(usize, String)>,
}

impl FilesystemSink {
    /// Checks the options of a table.
    ///
    /// # Errors
    /// An option that is unknown, missing, malformed or not supported.
    pub fn of(table: &TableSpec) -> Result<Self> {
        let options = Options::of(&table.connector);
        let formats = Format::all_option_names();
        let names = FILESYSTEM.iter().chain(&ALIGNMENT).copied();
        let known: Vec<&str> = names.chain(formats.iter().map(String::as_str)).collect();
        options.check_names(&known, &[])?;
        let path = options.required("path")?.to_owned();
        options.refuse(&[
            "compaction.file-size",
            "compaction.parallelism",
            "sink.partition-commit.policy.class",
            "sink.partition-commit.policy.class.parameters",
        ])?;
        if options.flag("auto-compaction", false)? {
            options.refuse(&["auto-compaction"])?;
        }
        options.flag("sink.shuffle-by-partition.enable", false)?;
        options.integer("sink.parallelism", 1..=i64::MAX)?;
        // Files are given their names at the job's end, so that time has no say in when one is closed or a partition committed.
        options.duration_ms("sink.partition-commit.delay")?;
        for key in ["check-interval", "inactivity-interval", "rollover-interval"] {
            options.duration_ms(&format!("sink.rolling-policy.{key}"))?;
        }
        let policy = "sink.partition-commit.policy.kind";
        let mut success_file = None;
        for kind in options.get(policy).into_iter().flat_map(|k| k.split(',')).map(str::trim) {
            match kind {
                "success-file" => {
                    let name = options.get("sink.partition-commit.success-file.name").unwrap_or("_SUCCESS");
                    success_file = Some(name.to_owned());
                }
                "metastore" | "custom" => options.refuse(&[policy])?,
                _ => {
                    let message = format!("'{kind}' is not a policy: write 'success-file'");
                    return Err(options.error(policy, message));
                }
            }
        }
        let format = Format::of_table(|k| options.placed(k), options.span())?;
        let in_file: Vec<usize> =
            (0..table.schema.len()).filter(|c| !table.partition_keys.contains(c)).collect();
        let schema = Schema::new(in_file.iter().map(|&c| table.schema.fields[c].clone()).collect());
        format.check(&schema, false).map_err(|e| options.error("format", e.message))?;
        if path == "-" && !table.partition_keys.is_empty() {
            return Err(options.error("path", "standard output has no folders for partition columns"));
        }
        Ok(Self {
            path,
            format,
            file_size: options.bytes("sink.rolling-policy.file-size")?.unwrap_or(128 << 20).max(1),
            default_partition: options
                .get("partition.default-name")
                .unwrap_or("__DEFAULT_PARTITION__")
                .into(),
            success_file,
            in_file,
            partitions: table
                .partition_keys
                .iter()
                .map(|&c| (c, table.schema.fields[c].name.clone()))
                .collect(),
        })
    }

    /// What the planner may know.
    pub fn info(&self) -> SinkInfo {
        SinkInfo { accepts: if self.format.has_kinds() { Changelog::ALL } else { Changelog::INSERT } }
    }

    /// Opens it for one shard.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(&self, spec: &SinkSpec, shard: usize, streams: &Streams) -> Result<Box<dyn Output>> {
        output::FileOutput::open(self, spec, shard, streams).map(|o| Box::new(o) as Box<dyn Output>)
    }
}

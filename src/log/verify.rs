//! Checks stored bytes without changing them: tells what is wrong and where. Works on a log's folder, on one partition's,
//! and on single segment files, Kafka's included.

use std::path::{Path, PathBuf};

use super::error::{LogError, LogResult};
use super::files;
use super::index::SegmentIndex;
use super::scan::{self, Rules, Stop};
use crate::host::{Disk, Open};

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Byte position.
    pub position: u64,
    /// Bytes concerned.
    pub length: u64,
    /// What, in words.
    pub message: String,
    /// Data cannot be read (an index or reserved room is no data).
    pub is_data: bool,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = if self.is_data { "damage" } else { "note" };
        write!(
            f,
            "{word}: {} at byte {} ({} bytes): {}",
            self.file.display(),
            self.position,
            self.length,
            self.message
        )
    }
}

/// What a check went over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files.
    pub segments: u64,
    /// Whole batches.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Everything wrong.
    pub problems: Vec<Problem>,
}

impl Report {
    /// No data is damaged.
    pub fn is_whole(&self) -> bool {
        !self.problems.iter().any(|p| p.is_data)
    }

    fn add(&mut self, file: &Path, position: u64, length: u64, is_data: bool, message: impl Into<String>) {
        self.problems.push(Problem { file: file.into(), position, length, message: message.into(), is_data });
    }
}

/// Checks one segment file. `following`: the base offset of the next one, `None` for the last, which may end in reserved
/// room and an unpublished tail. Returns the offsets it covers.
pub fn segment(
    disk: &dyn Disk,
    path: &Path,
    rules: Rules,
    following: Option<i64>,
    report: &mut Report,
) -> LogResult<Option<(i64, i64)>> {
    const EXPAND_LIMIT: usize = 1 << 30;
    let fail = |e: std::io::Error| LogError::io("reading", path, &e);
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let base = files::base_of(&name, ".log");
    let file = disk.open(path, Open::Read).map_err(fail)?;
    let length = file.len().map_err(fail)?;
    if length > i32::MAX as u64 {
        report.add(path, 0, length, true, "larger than 2 GiB, which no segment is");
        return Ok(None);
    }
    let mut bytes = vec![0; length as usize];
    let n = file.read_at(&mut bytes, 0).map_err(fail)?;
    bytes.truncate(n);
    let expected = match rules {
        Rules::Pelton => base,
        Rules::Kafka => None,
    };
    let mut scratch = Vec::new();
    let mut bad_records = Vec::new();
    let mut first = None;
    let walk = scan::walk(&bytes, 0, expected, rules, true, |position, batch| {
        first.get_or_insert(batch.header().base_offset);
        if let Err(e) = batch.validate(&mut scratch, EXPAND_LIMIT) {
            bad_records.push((position, batch.bytes().len(), e.to_string()));
        }
    });
    report.segments += 1;
    report.batches += walk.batches;
    report.records += walk.records;
    report.bytes += bytes.len() as u64;
    for (position, length, message) in bad_records {
        report.add(path, position as u64, length as u64, true, message);
    }
    for damage in &walk.damage {
        let message =
            format!("offsets {} to {} cannot be read: {}", damage.offsets.0, damage.offsets.1, damage.reason);
        report.add(path, damage.position as u64, damage.length as u64, true, message);
    }
    let rest = (bytes.len() - walk.end) as u64;
    let at = walk.end as u64;
    let is_last = following.is_none_or(|f| f == walk.next_offset);
    match &walk.stop {
        None | Some(Stop::End) => {}
        Some(Stop::Zeros) if is_last => {
            report.add(path, at, rest, false, "reserved room behind the last batch")
        }
        Some(Stop::Zeros) => report.add(path, at, rest, false, "reserved room that was never given back"),
        Some(Stop::Unpublished) if is_last => report.add(path, at, rest, false, "appended, never published"),
        Some(Stop::Unpublished) => report.add(path, at, rest, true, "a batch without its length"),
        Some(Stop::Bad(why)) => {
            report.add(path, at, rest, true, format!("from offset {} on: {why}", walk.next_offset));
        }
    }
    Ok(Some((base.or(first).unwrap_or(walk.next_offset), walk.next_offset)))
}

/// Checks a partition's folder: each segment, that they join, and the indexes.
pub fn partition(disk: &dyn Disk, dir: &Path, rules: Rules, report: &mut Report) -> LogResult<()> {
    let names = disk.list(dir).map_err(|e| LogError::io("listing", dir, &e))?;
    let mut bases: Vec<i64> = names.iter().filter_map(|n| files::base_of(n, ".log")).collect();
    bases.sort_unstable();
    let mut previous: Option<i64> = None;
    for (i, &base) in bases.iter().enumerate() {
        let path = dir.join(files::segment_name(base));
        let covered = segment(disk, &path, rules, bases.get(i + 1).copied(), report)?;
        if let Some(end) = previous
            && rules == Rules::Pelton
            && end != base
        {
            report.add(
                &path,
                0,
                0,
                true,
                format!("begins at offset {base}, the segment before it ends at {end}"),
            );
        }
        previous = covered.map(|(_, end)| end);
        let index_path = dir.join(files::index_name(base));
        if let Ok(bytes) = disk.read_all(&index_path, 1 << 30) {
            match SegmentIndex::decode(&bytes) {
                Ok((summary, _)) if summary.base != base => {
                    report.add(
                        &index_path,
                        0,
                        0,
                        false,
                        "is the index of another segment; it will be built anew",
                    );
                }
                Ok(_) => {}
                Err(e) => report.add(&index_path, 0, 0, false, format!("{e}; it will be built anew")),
            }
        }
    }
    let quarantine = dir.join("quarantine");
    for name in disk.list(&quarantine).unwrap_or_default() {
        report.add(&quarantine.join(name), 0, 0, false, "was cut off by an earlier recovery");
    }
    Ok(())
}

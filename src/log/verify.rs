//! Checks stored bytes without changing them: tells what is wrong and where. Works on a log's folder, on one partition's,
//! and on single segment files, Kafka's included.

use std::path::{Path, PathBuf};

use super::catalog::Catalog;
use super::error::{LogError, LogResult};
use super::files::{self, Sheet};
use super::index::SegmentIndex;
use super::scan::{self, Rules, Stop};
use crate::host::{Disk, DiskFile, Open};

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

/// Reads a file of which another process may be writing the end: again, until twice the same is there. Batches are not
/// written in one step, and half a batch is not damage.
fn read_settled(file: &dyn DiskFile, length: usize) -> std::io::Result<Vec<u8>> {
    const TRIES: usize = 4;
    let read = |from: usize| {
        let mut bytes = vec![0; length - from];
        let n = file.read_at(&mut bytes, from as u64)?;
        bytes.truncate(n);
        Ok::<_, std::io::Error>(bytes)
    };
    let mut bytes = read(0)?;
    for _ in 0..TRIES {
        // What lies before the last batch does not change any more.
        let walk = scan::walk(&bytes, 0, None, Rules::Kafka, false, |_, _| {});
        if !matches!(walk.stop, Some(Stop::Bad(_))) {
            break;
        }
        let again = read(walk.end)?;
        if again == bytes[walk.end..] {
            break;
        }
        bytes.truncate(walk.end);
        bytes.extend_from_slice(&again);
    }
    Ok(bytes)
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
    let bytes = read_settled(&*file, length as usize).map_err(fail)?;
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

/// Checks a partition's folder: each segment, that they join, and the indexes. Returns the offset after the last record.
pub fn partition(disk: &dyn Disk, dir: &Path, rules: Rules, report: &mut Report) -> LogResult<Option<i64>> {
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
    let start = dir.join("start");
    if let Err(LogError::BadFile { reason, .. }) = Sheet::read(disk, &start, "pelton-start") {
        report.add(&start, 0, 0, true, format!("{reason}; deleted records may show again"));
    }
    Ok(previous)
}

/// Checks a whole log without opening it, so that it also works where the log refuses to open and while another process
/// writes: the small files, the partitions of the named topics (all, when none is named), that the log does not end before
/// what was durable, and folders that belong to no topic.
pub fn folder(disk: &dyn Disk, root: &Path, topics: &[String], report: &mut Report) -> LogResult<()> {
    let mut names = disk.list(root).map_err(|e| LogError::io("listing", root, &e))?;
    names.sort();
    if !names.iter().any(|n| n == "format") {
        return Err(LogError::Config(format!("{} is not a log (no file 'format')", root.display())));
    }
    let mut places = Vec::new();
    for (name, kind, matters) in [
        ("format", "pelton-log", true),
        ("topics", "pelton-topics", true),
        ("checkpoint", "pelton-checkpoint", false),
        ("clean", "pelton-clean", false),
    ] {
        let path = root.join(name);
        match Sheet::read(disk, &path, kind) {
            Ok(Some(sheet)) if name == "checkpoint" => places = sheet.lines,
            Ok(_) => {}
            Err(LogError::BadFile { reason, is_version, .. }) => {
                let remedy = if matters || is_version { "" } else { "; the next open scans everything" };
                report.add(&path, 0, 0, matters || is_version, format!("{reason}{remedy}"));
            }
            Err(e) => return Err(e),
        }
    }
    let known: Vec<(String, u32)> = Catalog::read(disk, root)
        .unwrap_or_default()
        .into_iter()
        .flat_map(|t| (0..t.partitions).map(move |n| (t.name.clone(), n)))
        .collect();
    for wanted in topics {
        if !known.iter().any(|(topic, _)| topic == wanted) {
            return Err(LogError::Config(format!("there is no topic '{wanted}'")));
        }
    }
    for (topic, number) in known.iter().filter(|(t, _)| topics.is_empty() || topics.contains(t)) {
        let dir = files::partition_dir(root, topic, *number);
        let before = report.problems.len();
        let end = partition(disk, &dir, Rules::Pelton, report)?;
        // boot line, then: topic partition base position offset
        let durable = places.iter().find_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [t, n, _, _, offset, ..] = words[..] else { return None };
            (t == topic && n.parse() == Ok(*number)).then(|| offset.parse::<i64>().ok())?
        });
        if let (Some(end), Some(durable)) = (end, durable)
            && end < durable
            && report.problems.len() == before
        {
            report.add(&dir, 0, 0, true, format!("ends at offset {end}, {durable} was durable"));
        }
    }
    if topics.is_empty() {
        for name in &names {
            let is_known = known.iter().any(|(t, n)| *name == format!("{t}-{n}"));
            if !is_known && disk.list(&root.join(name)).is_ok() {
                let message =
                    "belongs to no topic: a deletion was interrupted, or the list of topics is damaged";
                report.add(&root.join(name), 0, 0, false, message);
            }
        }
    }
    Ok(())
}

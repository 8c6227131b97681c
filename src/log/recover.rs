//! Opens a partition as its last process left it, whatever ended that process.
//!
//! After a clean close nothing is read but the marker. Otherwise everything from the checkpoint's place on is walked:
//!
//! | found | same boot (the process died) | another boot (the power went) |
//! |---|---|---|
//! | zeros, end of file | the end | the end |
//! | a batch without its length | never published: cut | cut |
//! | bad bytes, nothing whole behind | torn tail: cut | torn tail: cut |
//! | bad bytes, whole batches behind | damage: kept, fenced, reported | a hole of lost writes: cut at it |
//!
//! The page cache outlives a process, so holes cannot come from its death and whatever is whole stays. After a power loss
//! records behind a hole are not a prefix of what was written; they were never durable, and go. What is cut is moved to
//! `quarantine/` first and reported: never is a byte dropped silently. Below the checkpoint nothing is cut at all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compact;
use super::error::{LogError, LogResult};
use super::files::{self, Sheet};
use super::partition::Recovered;
use super::scan::{self, Rules, Step, Stop, Walk};
use super::segment::{Place, Segment};
use crate::host::{Disk, DiskFile, Open};

/// What kind of thing recovery met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// An unfinished write at the end, cut off.
    TornTail,
    /// Batches that were appended and never published, cut off.
    Unpublished,
    /// Whole batches behind a hole that a power loss left, cut off.
    BehindHole,
    /// Bytes that do not match, with whole batches around them: kept and fenced.
    Damage,
    /// Durable bytes are missing.
    Missing,
    /// The partition could not be read and takes no writes.
    Unreadable,
}

impl std::fmt::Display for FindingKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TornTail => "an unfinished write",
            Self::Unpublished => "batches that were never published",
            Self::BehindHole => "batches behind a hole that a power loss left",
            Self::Damage => "damage",
            Self::Missing => "durable bytes are missing",
            Self::Unreadable => "cannot be read",
        })
    }
}

/// Something that recovery did or saw.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Kind.
    pub kind: FindingKind,
    /// The file.
    pub file: PathBuf,
    /// Byte position.
    pub position: u64,
    /// Bytes concerned.
    pub length: u64,
    /// In words.
    pub message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, file, position, length, message } = self;
        write!(f, "{}: {kind} at byte {position}, {length} bytes: {message}", file.display())
    }
}

/// How a partition ended, by the marker of a clean close.
#[derive(Clone, Copy, Debug)]
pub(super) struct CleanEnd {
    pub(super) base: i64,
    pub(super) size: u64,
    pub(super) next: i64,
}

pub(super) struct Recovery<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) dir: PathBuf,
    pub(super) checkpoint: Option<Place>,
    pub(super) clean: Option<CleanEnd>,
    pub(super) is_same_boot: bool,
    /// Look, change nothing.
    pub(super) is_read_only: bool,
    pub(super) findings: Vec<Finding>,
}

/// The bytes of a file, mapped or (for somebody else's live log, which may be trimmed meanwhile) copied.
enum Bytes {
    Mapped(Arc<crate::host::Region>),
    Copied(Vec<u8>),
}

impl Bytes {
    fn get(&self) -> &[u8] {
        match self {
            Self::Mapped(region) => region.bytes(),
            Self::Copied(bytes) => bytes,
        }
    }
}

impl Recovery<'_> {
    pub(super) fn run(&mut self) -> Recovered {
        match self.recover() {
            Ok(found) => found,
            Err(e) => {
                let place = self.checkpoint.unwrap_or_default();
                self.find(FindingKind::Unreadable, &self.dir.clone(), 0, 0, e.to_string());
                Recovered {
                    segments: Vec::new(),
                    start: place.offset,
                    next: place.offset,
                    durable: place,
                    stopped: Some(e.to_string()),
                    is_unscanned: !self.is_same_boot,
                }
            }
        }
    }

    fn find(&mut self, kind: FindingKind, file: &Path, position: u64, length: u64, message: String) {
        self.findings.push(Finding { kind, file: file.into(), position, length, message });
    }

    fn path(&self, base: i64) -> PathBuf {
        self.dir.join(files::segment_name(base))
    }

    fn fail(&self, e: &std::io::Error) -> LogError {
        LogError::io("recovering", &self.dir, e)
    }

    fn recover(&mut self) -> LogResult<Recovered> {
        let names = match self.disk.list(&self.dir) {
            Ok(names) => names,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && self.is_read_only => Vec::new(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                self.disk.create_dir(&self.dir).map_err(|e| self.fail(&e))?;
                Vec::new()
            }
            Err(e) => return Err(self.fail(&e)),
        };
        if !self.is_read_only {
            self.tidy(&names)?;
        }
        let names =
            if self.is_read_only { names } else { self.disk.list(&self.dir).map_err(|e| self.fail(&e))? };
        let mut bases: Vec<i64> = names.iter().filter_map(|n| files::base_of(n, ".log")).collect();
        bases.sort_unstable();
        let stored_start = self.read_start()?;
        let clean = self.clean;
        let mut found = match clean {
            Some(clean) if self.matches_clean(clean, &bases)? => self.adopt_clean(clean, &bases)?,
            _ => {
                let found = self.scan_all(bases)?;
                self.drop_indexes(&names, &found.segments)?;
                found
            }
        };
        let first = found.segments.first().map_or(found.next, |s| s.base);
        found.start = stored_start.max(first).min(found.next.max(first));
        if stored_start > found.start && !self.is_read_only {
            // A power loss took records that had been deleted. Their offsets will be given to new ones, which are not.
            let sheet = Sheet { lines: vec![format!("start {}", found.start)] };
            sheet.write(self.disk, &self.dir.join("start"), "pelton-start")?;
        }
        Ok(found)
    }

    /// Finishes or removes what a compaction left, and half-written small files.
    fn tidy(&mut self, names: &[String]) -> LogResult<()> {
        for name in names {
            let path = self.dir.join(name);
            if let Some(base) = files::base_of(name, ".log.swap") {
                let bytes = self.read(&path)?;
                let walk = scan::walk(bytes.get(), 0, Some(base), Rules::Pelton, false, |_, _| {});
                if walk.stop == Some(Stop::End) {
                    compact::finish_swap(self.disk, &self.dir, base, walk.next_offset)?;
                } else {
                    // It was synced before it got this name, so this is damage; it may be the only copy.
                    self.quarantine_file(&path)?;
                    let why = format!("compacted segment is damaged: {:?}", walk.stop);
                    self.find(FindingKind::Damage, &path, walk.end as u64, 0, why);
                }
            } else if name.starts_with("prepared-") {
                self.adopt_prepared(&path)?;
            } else if name.ends_with(".cleaned") || name.ends_with(".new") {
                self.disk.remove(&path).map_err(|e| self.fail(&e))?;
            }
        }
        Ok(())
    }

    /// An owner may have rolled into a prepared file and died before the keeper had named it: then it begins with a batch
    /// that says its name. Whether it continues the log is for the scan to see.
    fn adopt_prepared(&mut self, path: &Path) -> LogResult<()> {
        let bytes = self.read(path)?;
        let Step::Batch(first) = scan::step(bytes.get(), 0, None, Rules::Pelton, true) else {
            return self.disk.remove(path).map_err(|e| self.fail(&e));
        };
        let to = self.path(first.header().base_offset);
        if self.disk.open(&to, Open::Read).is_ok() {
            let message = "a prepared segment whose place is taken".into();
            self.find(FindingKind::BehindHole, path, 0, bytes.get().len() as u64, message);
            return self.quarantine_file(path);
        }
        self.disk.rename(path, &to).map_err(|e| self.fail(&e))?;
        self.disk.sync_dir(&self.dir).map_err(|e| self.fail(&e))
    }

    /// Removes the indexes of segments that go on or are not there. They are never synced: after a loss of power one may tell of
    /// records that the segment lost, and would be believed when others have their offsets.
    fn drop_indexes(&self, names: &[String], segments: &[Arc<Segment>]) -> LogResult<()> {
        // The death of a process takes nothing that an index tells of.
        if self.is_read_only || self.is_same_boot {
            return Ok(());
        }
        let mut any = false;
        for name in names {
            let Some(base) = files::base_of(name, ".offsets") else { continue };
            if segments.iter().any(|s| s.base == base && s.is_sealed()) {
                continue;
            }
            match self.disk.remove(&self.dir.join(name)) {
                // It went with a segment that was put aside.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                result => result.map_err(|e| self.fail(&e))?,
            }
            any = true;
        }
        // Before one of these offsets is given again.
        if any { self.disk.sync_dir(&self.dir).map_err(|e| self.fail(&e)) } else { Ok(()) }
    }

    fn read_start(&mut self) -> LogResult<i64> {
        let path = self.dir.join("start");
        let sheet = match Sheet::read(self.disk, &path, "pelton-start") {
            Ok(Some(sheet)) => sheet,
            Ok(None) => return Ok(0),
            Err(e @ LogError::BadFile { is_version: true, .. }) => return Err(e),
            Err(e) => {
                // Losing the start shows records that were deleted; it hides none.
                self.find(FindingKind::Damage, &path, 0, 0, e.to_string());
                return Ok(0);
            }
        };
        let starts =
            files::parse_lines(&sheet, "start", |words| words.get(1).and_then(|n| n.parse::<i64>().ok()))?;
        Ok(starts.first().copied().unwrap_or(0).max(0))
    }

    fn matches_clean(&self, clean: CleanEnd, bases: &[i64]) -> LogResult<bool> {
        let Some(&last) = bases.last() else { return Ok(clean.size == 0) };
        if last != clean.base {
            return Ok(false);
        }
        let file = self.disk.open(&self.path(last), Open::Read).map_err(|e| self.fail(&e))?;
        Ok(file.len().map_err(|e| self.fail(&e))? == clean.size)
    }

    fn adopt_clean(&self, clean: CleanEnd, bases: &[i64]) -> LogResult<Recovered> {
        let mut segments = Vec::with_capacity(bases.len());
        for (i, &base) in bases.iter().enumerate() {
            segments.push(Arc::new(match bases.get(i + 1) {
                Some(&next) => self.sealed(base, next)?,
                None => Segment::reopenable(&self.dir, base, clean.size, clean.next, true),
            }));
        }
        let durable = Place { base: clean.base, position: clean.size, offset: clean.next };
        Ok(Recovered { segments, start: 0, next: clean.next, durable, stopped: None, is_unscanned: false })
    }

    /// A segment before the last: its data ends where the file ends, unless it was sealed and not yet trimmed.
    fn sealed(&self, base: i64, next: i64) -> LogResult<Segment> {
        let path = self.path(base);
        let file = self.disk.open(&path, Open::Read).map_err(|e| self.fail(&e))?;
        let length = file.len().map_err(|e| self.fail(&e))?;
        Ok(Segment::sealed(&self.dir, base, length, next, true))
    }

    /// The bytes of a file up to where its data ends: reserved room is not brought into memory.
    fn read(&self, path: &Path) -> LogResult<Bytes> {
        let fail = |e: std::io::Error| LogError::io("reading", path, &e);
        let file = self.disk.open(path, Open::Read).map_err(fail)?;
        let length = file.data_end().map_err(fail)? as usize;
        if length > i32::MAX as usize {
            return Err(LogError::BadFile {
                file: path.display().to_string(),
                reason: "larger than 2 GiB, which no segment is".into(),
                is_version: false,
            });
        }
        if self.is_read_only {
            let mut bytes = vec![0; length];
            let n = file.read_at(&mut bytes, 0).map_err(fail)?;
            bytes.truncate(n);
            return Ok(Bytes::Copied(bytes));
        }
        let region = file.map(length, length, false).map_err(fail)?;
        region.prepare_read(0..length).map_err(fail)?;
        Ok(Bytes::Mapped(region))
    }

    fn scan_all(&mut self, mut bases: Vec<i64>) -> LogResult<Recovered> {
        let checkpoint = self.checkpoint.filter(|c| bases.contains(&c.base));
        self.drop_empty(&mut bases)?;
        let mut segments = Vec::new();
        let mut next = self.checkpoint.map_or_else(|| bases.first().copied().unwrap_or(0), |c| c.offset);
        let mut i = 0;
        while i < bases.len() {
            let base = bases[i];
            let following = bases.get(i + 1).copied();
            if let (Some(c), Some(following)) = (checkpoint, following)
                && base < c.base
            {
                segments.push(Arc::new(self.sealed(base, following)?));
                i += 1;
                continue;
            }
            let from =
                checkpoint.filter(|c| c.base == base).unwrap_or(Place { base, position: 0, offset: base });
            let (segment, end, is_cut) = self.scan_segment(from, following)?;
            next = end;
            segments.push(Arc::new(segment));
            if is_cut {
                // What lies behind the cut was never durable: keep it, out of the way.
                for &base in &bases[i + 1..] {
                    let path = self.path(base);
                    self.find(FindingKind::BehindHole, &path, 0, 0, "a segment behind lost writes".into());
                    self.quarantine_file(&path)?;
                }
                bases.truncate(i + 1);
            }
            i += 1;
        }
        let durable = self.checkpoint.unwrap_or(Place {
            base: segments.first().map_or(next, |s| s.base),
            position: 0,
            offset: segments.first().map_or(next, |s| s.base),
        });
        if next < durable.offset {
            let path = self.dir.clone();
            let message = format!("the log ends at offset {next}, {} was durable", durable.offset);
            self.find(FindingKind::Missing, &path, durable.position, 0, message);
            // Offsets are not given twice: go on where the lost records ended, in a segment of its own.
            if let Some(last) = segments.last() {
                last.seal();
            }
            next = durable.offset;
        }
        Ok(Recovered { segments, start: 0, next, durable, stopped: None, is_unscanned: false })
    }

    /// Removes segments in which nothing was ever published: their owner died between making one and the publication.
    /// What was appended before them is unpublished too.
    fn drop_empty(&mut self, bases: &mut Vec<i64>) -> LogResult<()> {
        let known = self.checkpoint.map_or(-1, |c| c.base);
        let first = bases.first().copied();
        let mut kept = Vec::with_capacity(bases.len());
        for &base in bases.iter() {
            if base > known && Some(base) != first {
                let path = self.path(base);
                let bytes = self.read(&path)?;
                let step = scan::step(bytes.get(), 0, Some(base), Rules::Pelton, false);
                if matches!(step, Step::Stop(Stop::End | Stop::Zeros | Stop::Unpublished)) {
                    if !self.is_read_only {
                        self.disk.remove(&path).map_err(|e| self.fail(&e))?;
                    }
                    continue;
                }
            }
            kept.push(base);
        }
        *bases = kept;
        Ok(())
    }

    /// Walks one segment from a known place. Returns it, its end, and whether something behind it must go.
    fn scan_segment(&mut self, from: Place, following: Option<i64>) -> LogResult<(Segment, i64, bool)> {
        let base = from.base;
        let path = self.path(base);
        let bytes = self.read(&path)?;
        let all = bytes.get();
        let mut start = from;
        // Damage may look like reserved room: what was durable is there in the file's length at least.
        if start.position > all.len() as u64 {
            let missing = start.position - all.len() as u64;
            self.find(
                FindingKind::Missing,
                &path,
                all.len() as u64,
                missing,
                "durable bytes are missing".into(),
            );
            start = Place { base, position: 0, offset: base };
        }
        let expected = Some(start.offset);
        let walk =
            scan::walk(all, start.position as usize, expected, Rules::Pelton, self.is_same_boot, |_, _| {});
        for damage in &walk.damage {
            let message = format!("offsets {} to {}: {}", damage.offsets.0, damage.offsets.1, damage.reason);
            self.find(FindingKind::Damage, &path, damage.position as u64, damage.length as u64, message);
        }
        let Walk { end, next_offset: mut next, .. } = walk;
        let stop = walk.stop.clone().unwrap_or(Stop::End);
        if let Some(following) = following {
            // Whatever follows its last batch is reserved room or was never published.
            if next == following {
                return Ok((Segment::sealed(&self.dir, base, end as u64, next, false), next, false));
            }
            if self.is_same_boot {
                // Its successor is there, so the rest of it is damage, not a torn tail.
                let message = format!("offsets {next} to {following}: {}", describe(&stop));
                self.find(FindingKind::Damage, &path, end as u64, (all.len() - end) as u64, message);
                let segment = Segment::sealed(&self.dir, base, all.len() as u64, following, false);
                return Ok((segment, following, false));
            }
        }
        if let Stop::Unpublished | Stop::Bad(_) = &stop {
            let rest = &all[end..];
            let used = rest.iter().rposition(|&b| b != 0).map_or(0, |i| i + 1);
            let behind = scan::resync(all, end + 1, next, Rules::Pelton).is_some();
            let kind = match (&stop, behind) {
                (Stop::Unpublished, _) => FindingKind::Unpublished,
                (_, true) => FindingKind::BehindHole,
                (_, false) => FindingKind::TornTail,
            };
            self.find(kind, &path, end as u64, used as u64, describe(&stop));
            if !self.is_read_only {
                if kind != FindingKind::Unpublished {
                    self.quarantine_bytes(base, end as u64, &rest[..used])?;
                }
                drop(bytes);
                self.cut(&path, end as u64)?;
            }
        }
        // Reserved room stays for the next owner, or until the log is closed: giving it back costs a busy disk
        // milliseconds, and there may be thousands of partitions to open.
        if following.is_some() {
            next = next.max(base);
        }
        let segment = Segment::reopenable(&self.dir, base, end as u64, next, false);
        Ok((segment, next, following.is_some()))
    }

    fn cut(&self, path: &Path, length: u64) -> LogResult<()> {
        let fail = |e: std::io::Error| LogError::io("cutting", path, &e);
        let file: Box<dyn DiskFile> = self.disk.open(path, Open::Write).map_err(fail)?;
        if file.len().map_err(fail)? > length {
            file.set_len(length).map_err(fail)?;
            // Else a power loss could bring old batches back behind new ones.
            file.sync().map_err(fail)?;
        }
        Ok(())
    }

    fn quarantine_dir(&self) -> LogResult<PathBuf> {
        let dir = self.dir.join("quarantine");
        self.disk.create_dir(&dir).map_err(|e| self.fail(&e))?;
        Ok(dir)
    }

    fn quarantine_bytes(&mut self, base: i64, position: u64, bytes: &[u8]) -> LogResult<()> {
        let dir = self.quarantine_dir()?;
        let taken = self.disk.list(&dir).map_err(|e| self.fail(&e))?;
        let name = free_name(&taken, &format!("{base:020}.{position}.torn"));
        self.disk.replace(&dir.join(name), bytes).map_err(|e| self.fail(&e))
    }

    fn quarantine_file(&mut self, path: &Path) -> LogResult<()> {
        if self.is_read_only {
            return Ok(());
        }
        let dir = self.quarantine_dir()?;
        let taken = self.disk.list(&dir).map_err(|e| self.fail(&e))?;
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let to = dir.join(free_name(&taken, &name));
        self.disk.rename(path, &to).map_err(|e| self.fail(&e))?;
        if let Some(base) = files::base_of(&name, ".log") {
            let _ = self.disk.remove(&self.dir.join(files::index_name(base)));
        }
        self.disk.sync_dir(&dir).map_err(|e| self.fail(&e))?;
        self.disk.sync_dir(&self.dir).map_err(|e| self.fail(&e))
    }
}

fn free_name(taken: &[String], wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut n = 1;
    while taken.contains(&name) {
        name = format!("{wanted}.{n}");
        n += 1;
    }
    name
}

fn describe(stop: &Stop) -> String {
    match stop {
        Stop::End => "the file ends".into(),
        Stop::Zeros => "zeros to the end".into(),
        Stop::Unpublished => "appended, never published".into(),
        Stop::Bad(why) => why.clone(),
    }
}

//! `pelton log cat`: the records of a topic, one a line.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use pelton::log::scan::{self, Rules, Stop};
use pelton::log::{Check, Follow, LogError, Partition, Reader, offset_for_time};
use pelton::wire::Batch;
use pelton::{Error, Result};

use super::list::{look, topic};
use super::{parse_time, print, record};
use crate::exit::Exit;

/// Bytes gathered before they are written.
const GATHER_BYTES: usize = 1 << 16;

/// Print records with offsets, times, keys and headers
#[derive(Args, Debug)]
pub(super) struct Cat {
    /// The topic
    #[arg(required_unless_present = "files")]
    topic: Option<String>,
    /// Print segment files instead, also those of Apache Kafka
    #[arg(long = "file", value_name = "FILE", conflicts_with_all = ["topic", "partition", "from", "since"])]
    files: Vec<PathBuf>,
    /// Only this partition [default: one after the other]
    #[arg(short, long, value_name = "N")]
    partition: Option<u32>,
    /// From this offset on; negative: so many before the end [default: the start]
    #[arg(short, long, value_name = "OFFSET", allow_negative_numbers = true, conflicts_with = "since")]
    from: Option<i64>,
    /// From the first record of this time on: milliseconds, or 2026-03-06T17:27:20Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<i64>,
    /// At most so many records (of each partition)
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<u64>,
    /// How a record is printed
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Offset, time, key, value, headers with tabs between them; null is \N
    Text,
    /// One JSON object a line, which `append --json` takes
    Json,
    /// The value's bytes and a line end
    Value,
}

impl Cat {
    /// It is about a log, not about files.
    pub(super) fn needs_folder(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn run(&self, folder: &Path) -> Result<Exit> {
        let mut is_whole = true;
        for path in &self.files {
            is_whole &= self.file(path)?;
        }
        let Some(name) = &self.topic else {
            return Ok(if is_whole { Exit::Done } else { Exit::Found });
        };
        let log = look(folder)?;
        let topic = topic(&log, name)?;
        let chosen = match self.partition {
            None => topic.partitions.clone(),
            Some(n) => vec![log.partition(name, n)?],
        };
        for p in &chosen {
            is_whole &= self.partition(p, chosen.len() > 1)?;
        }
        Ok(if is_whole { Exit::Done } else { Exit::Found })
    }

    /// Prints one partition; false when something in it could not be read.
    fn partition(&self, p: &Arc<Partition>, with_number: bool) -> Result<bool> {
        let (start, end) = (p.start(), p.published().get());
        let from = match (self.from, self.since) {
            (Some(n), _) if n < 0 => end.saturating_add(n).max(start),
            (Some(n), _) if n < start || n > end => {
                return Err(Error::config(format!("{} holds offsets {start} to {end}, not {n}", p.name)));
            }
            (Some(n), _) => n,
            (None, Some(ms)) => offset_for_time(p, ms)?.map_or(end, |(offset, _)| offset),
            (None, None) => start,
        };
        let mut reader = Reader::new(p.clone(), from, Follow::Published)?.checking(Check::All);
        let mut lines = Lines::new(self, with_number.then_some(p.number), p.number, from);
        let mut is_whole = true;
        while lines.left > 0 {
            let batch = match reader.poll() {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                Err(e) if e.is_corrupt() || matches!(e, LogError::Deleted { .. }) => {
                    // What came before belongs before it on the screen.
                    lines.print()?;
                    eprintln!("pelton: {e}");
                    is_whole = false;
                    reader.skip()?;
                    continue;
                }
                Err(e) => return Err(e.into()),
            };
            lines.add(&batch)?;
        }
        lines.print()?;
        Ok(is_whole)
    }

    /// Prints a segment file by itself; false when something in it could not be read.
    fn file(&self, path: &Path) -> Result<bool> {
        let bytes = std::fs::read(path).map_err(|e| Error::config(format!("{}: {e}", path.display())))?;
        let mut lines = Lines::new(self, None, 0, 0);
        let mut added = Ok(());
        let walk = scan::walk(&bytes, 0, None, Rules::Kafka, true, |_, batch| {
            // A commit marker is nobody's record.
            if added.is_ok() && !batch.header().attributes.is_control() {
                added = lines.add(batch);
            }
        });
        added?;
        lines.print()?;
        for d in &walk.damage {
            eprintln!("pelton: {}: damage at byte {}: {}", path.display(), d.position, d.reason);
        }
        if let Some(Stop::Bad(why)) = &walk.stop {
            eprintln!("pelton: {}: damage at byte {}: {why}", path.display(), walk.end);
            return Ok(false);
        }
        Ok(walk.damage.is_empty())
    }
}

/// Records on their way to standard output.
struct Lines {
    form: Form,
    shown: Option<u32>,
    partition: u32,
    from: i64,
    left: u64,
    out: Vec<u8>,
    scratch: Vec<u8>,
}

impl Lines {
    fn new(cat: &Cat, shown: Option<u32>, partition: u32, from: i64) -> Self {
        let left = cat.count.unwrap_or(u64::MAX);
        Self { form: cat.format, shown, partition, from, left, out: Vec::new(), scratch: Vec::new() }
    }

    /// The records of a batch from the asked offset on, as many as are still wanted.
    fn add(&mut self, batch: &Batch<'_>) -> Result<()> {
        const EXPAND_LIMIT: usize = 1 << 30;
        for r in batch.records(&mut self.scratch, EXPAND_LIMIT).map_err(LogError::from)? {
            let r = r.map_err(LogError::from)?;
            if r.offset < self.from || self.left == 0 {
                continue;
            }
            self.left -= 1;
            match self.form {
                Form::Text => record::write_text(self.shown, &r, &mut self.out),
                Form::Json => record::write_json(self.partition, &r, &mut self.out),
                Form::Value => {
                    self.out.extend_from_slice(r.value.unwrap_or_default());
                    self.out.push(b'\n');
                }
            }
        }
        if self.out.len() >= GATHER_BYTES { self.print() } else { Ok(()) }
    }

    fn print(&mut self) -> Result<()> {
        print(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

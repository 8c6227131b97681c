//! `pelton log cat`: the records of a topic, one a line.

use std::path::Path;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use pelton::log::{Check, Follow, LogError, Partition, Reader, offset_for_time};
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
    topic: String,
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
    pub(super) fn run(&self, folder: &Path) -> Result<Exit> {
        let log = look(folder)?;
        let topic = topic(&log, &self.topic)?;
        let chosen = match self.partition {
            None => topic.partitions.clone(),
            Some(n) => vec![log.partition(&self.topic, n)?],
        };
        let mut is_whole = true;
        for p in &chosen {
            is_whole &= self.partition(p, chosen.len() > 1)?;
        }
        Ok(if is_whole { Exit::Done } else { Exit::Found })
    }

    /// Prints one partition; false when something in it could not be read.
    fn partition(&self, p: &Arc<Partition>, with_number: bool) -> Result<bool> {
        const EXPAND_LIMIT: usize = 1 << 30;
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
        let mut left = self.count.unwrap_or(u64::MAX);
        let (mut out, mut scratch) = (Vec::new(), Vec::new());
        let mut is_whole = true;
        while left > 0 {
            let batch = match reader.poll() {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                Err(e) if e.is_corrupt() || matches!(e, LogError::Deleted { .. }) => {
                    // What came before belongs before it on the screen.
                    print(&out)?;
                    out.clear();
                    eprintln!("pelton: {e}");
                    is_whole = false;
                    reader.skip()?;
                    continue;
                }
                Err(e) => return Err(e.into()),
            };
            for r in batch.records(&mut scratch, EXPAND_LIMIT).map_err(LogError::from)? {
                let r = r.map_err(LogError::from)?;
                if r.offset < from || left == 0 {
                    continue;
                }
                left -= 1;
                match self.format {
                    Form::Text => record::write_text(with_number.then_some(p.number), &r, &mut out),
                    Form::Json => record::write_json(p.number, &r, &mut out),
                    Form::Value => {
                        out.extend_from_slice(r.value.unwrap_or_default());
                        out.push(b'\n');
                    }
                }
            }
            if out.len() >= GATHER_BYTES {
                print(&out)?;
                out.clear();
            }
        }
        print(&out)?;
        Ok(is_whole)
    }
}

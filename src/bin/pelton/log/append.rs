//! `pelton log append` and `pelton log truncate`: changes by hand. Both take the folder for themselves.

use std::io::BufRead as _;
use std::path::Path;

use clap::Args;
use pelton::host::{Clock as _, SystemClock};
use pelton::log::{Log, LogConfig, LogError, PartitionWriter, TopicConfig};
use pelton::wire::BatchBuilder;
use pelton::{Error, Result};

use super::print;
use super::record::{JsonLines, Line};
use crate::exit::Exit;

/// Bytes of records that are gathered into a batch.
const BATCH_BYTES: usize = 16 * 1024;

/// Append lines of standard input as records
#[derive(Args, Debug)]
pub(super) struct Append {
    /// The topic
    topic: String,
    /// To this partition
    #[arg(short, long, value_name = "N", default_value_t = 0)]
    partition: u32,
    /// Lines are JSON objects as `cat --format json` prints them
    #[arg(long)]
    json: bool,
    /// What stands before the first SEPARATOR of a line is the key
    #[arg(short, long, value_name = "SEPARATOR", conflicts_with = "json")]
    key_separator: Option<String>,
    /// Make the topic if it is not there
    #[arg(long)]
    create: bool,
    /// Partitions of a topic that is made
    #[arg(long, value_name = "N", default_value_t = 1, requires = "create")]
    partitions: u32,
    /// An option of a topic that is made, such as retention.ms=-1
    #[arg(short, long = "option", value_name = "NAME=VALUE", requires = "create")]
    options: Vec<String>,
}

/// Opens the folder for writing and says what recovery did.
fn open(folder: &Path) -> Result<Log> {
    let log = Log::open(folder, LogConfig::default()).map_err(|e| match e {
        LogError::Taken(_) => {
            Error::from(e).hint("stop the process that has it, or write through it: it serves Kafka clients")
        }
        e => e.into(),
    })?;
    for finding in log.findings() {
        eprintln!("pelton: {finding}");
    }
    Ok(log)
}

/// A log, an empty folder, or none yet: a log is not made among somebody's files.
fn may_become_a_log(folder: &Path) -> bool {
    folder.join("format").exists()
        || std::fs::read_dir(folder).map_or(true, |mut files| files.next().is_none())
}

impl Append {
    pub(super) fn run(&self, folder: &Path) -> Result<Exit> {
        let mut config = TopicConfig::default();
        for option in &self.options {
            let (name, value) = option
                .split_once('=')
                .ok_or_else(|| Error::config(format!("--option {option}: not NAME=VALUE")))?;
            config.set(name, value)?;
        }
        if !self.create && !folder.join("format").exists() {
            return Err(Error::config(format!("{} is not a log", folder.display()))
                .hint("add --create to make it, with the topic"));
        }
        if self.create && !may_become_a_log(folder) {
            return Err(Error::config(format!("{} holds something else and no log", folder.display()))
                .hint("name an empty folder, or one that is not there yet"));
        }
        let mut log = open(folder)?;
        if self.create && !log.catalog().topics.contains_key(&self.topic) {
            log.create_topic(&self.topic, self.partitions, config)?;
        }
        let mut writer = log.writer(&self.topic, self.partition)?;
        let first = writer.appended().get();
        let read = self.copy(&mut writer);
        let next = writer.appended().get();
        drop(writer);
        // What was read before a bad line is kept: its offsets are printed.
        log.close()?;
        print(
            format!(
                "{}-{}: {} records, offsets {first} to {next}\n",
                self.topic,
                self.partition,
                next - first
            )
            .as_bytes(),
        )?;
        read.map(|()| Exit::Done)
    }

    fn copy(&self, writer: &mut PartitionWriter) -> Result<()> {
        let clock = SystemClock::default();
        let mut builder = BatchBuilder::with_compression(writer.partition().config.compression);
        let mut lines = JsonLines::new();
        let mut input = std::io::stdin().lock();
        let (mut line, mut number) = (Vec::new(), 0u64);
        loop {
            line.clear();
            let n = input.read_until(b'\n', &mut line).map_err(|e| Error::io("standard input", &e))?;
            number += 1;
            if line.ends_with(b"\n") {
                line.pop();
                if line.ends_with(b"\r") {
                    line.pop();
                }
            }
            let is_end = n == 0;
            if is_end || builder.size() >= BATCH_BYTES {
                flush(writer, &mut builder, clock.wall_ms())?;
            }
            if is_end {
                return Ok(());
            }
            let record = self.record(&line, &mut lines);
            let record = match record {
                Ok(record) => record,
                Err(why) => {
                    flush(writer, &mut builder, clock.wall_ms())?;
                    return Err(Error::input(format!("line {number}: {why}")));
                }
            };
            let headers: Vec<(&[u8], Option<&[u8]>)> =
                record.headers.iter().map(|(name, value)| (name.as_slice(), value.as_deref())).collect();
            let time = record.timestamp.unwrap_or_else(|| clock.wall_ms());
            builder.push(time, record.key.as_deref(), record.value.as_deref(), &headers);
        }
    }

    fn record(&self, line: &[u8], lines: &mut JsonLines) -> std::result::Result<Line, String> {
        if self.json {
            return lines.read(line);
        }
        let Some(separator) = &self.key_separator else {
            return Ok(Line { value: Some(line.to_vec()), ..Line::default() });
        };
        let bytes = separator.as_bytes();
        let at = line.windows(bytes.len().max(1)).position(|w| w == bytes);
        let at = at.ok_or_else(|| format!("the separator '{separator}' is not there"))?;
        let (key, value) = (line[..at].to_vec(), line[at + bytes.len()..].to_vec());
        Ok(Line { key: Some(key), value: Some(value), ..Line::default() })
    }
}

/// Appends and publishes what was gathered; where the disk is behind, it is waited for.
fn flush(writer: &mut PartitionWriter, builder: &mut BatchBuilder, now_ms: i64) -> Result<()> {
    if builder.is_empty() {
        return Ok(());
    }
    let is_behind = |e: &LogError| matches!(e, LogError::Backpressure { .. });
    let batch = builder.finish(0);
    loop {
        match writer.append_batch(batch, now_ms) {
            Ok(_) => break,
            Err(e) if is_behind(&e) => drop(writer.publish()),
            Err(e) => return Err(e.into()),
        }
        std::thread::yield_now();
    }
    loop {
        match writer.publish() {
            Ok(_) => return Ok(()),
            Err(e) if is_behind(&e) => std::thread::yield_now(),
            Err(e) => return Err(e.into()),
        }
    }
}

/// Cut records off the end, or forget those at the front
#[derive(Args, Debug)]
pub(super) struct Truncate {
    /// The topic
    topic: String,
    /// Of this partition
    #[arg(short, long, value_name = "N", default_value_t = 0)]
    partition: u32,
    /// Cut off the records from OFFSET on; a batch that holds it goes as a whole
    #[arg(long, value_name = "OFFSET", conflicts_with = "before", required_unless_present = "before")]
    from: Option<i64>,
    /// Forget the records before OFFSET
    #[arg(long, value_name = "OFFSET")]
    before: Option<i64>,
}

impl Truncate {
    pub(super) fn run(&self, folder: &Path) -> Result<Exit> {
        let mut log = open(folder)?;
        let mut more = String::new();
        if let Some(offset) = self.from {
            let end = log.truncate(&self.topic, self.partition, offset)?;
            if end < offset {
                more = format!("; {end} to {offset} went with the batch that held {offset}");
            }
        }
        if let Some(offset) = self.before {
            log.delete_before(&self.topic, self.partition, offset)?;
        }
        let p = log.partition(&self.topic, self.partition)?;
        let text = format!("{}: offsets {} to {}{more}\n", p.name, p.start(), p.published());
        log.close()?;
        print(text.as_bytes())?;
        Ok(Exit::Done)
    }
}

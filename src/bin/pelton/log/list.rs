//! `pelton log ls` and `pelton log stats`: what is there, by the catalog; what is in it, by reading it.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use pelton::host::RealDisk;
use pelton::log::{Check, Follow, Log, LogError, Partition, Reader, Topic};
use pelton::wire::Compression;
use pelton::{Error, Result};

use super::{print, size_text, table, time_text};
use crate::exit::Exit;

/// List topics, or the partitions and segments of one
#[derive(Args, Debug)]
pub(super) struct Ls {
    /// Its partitions and segments
    topic: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// The topic of that name, or which there are.
pub(super) fn topic(log: &Log, name: &str) -> Result<Topic> {
    let catalog = log.catalog();
    catalog.topics.get(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = catalog.topics.keys().take(20).map(String::as_str).collect();
        Error::config(format!("there is no topic '{name}'")).hint(format!(
            "topics in {}: {}",
            log.root().display(),
            known.join(", ")
        ))
    })
}

/// Opens the folder to look at it, and says what recovery would do.
pub(super) fn look(folder: &Path) -> Result<Log> {
    let log = Log::open_read_only(folder)?;
    for finding in log.findings() {
        eprintln!("pelton: {finding}");
    }
    Ok(log)
}

impl Ls {
    pub(super) fn run(&self, folder: &Path) -> Result<Exit> {
        let log = look(folder)?;
        let text = match &self.topic {
            None => self.topics(&log),
            Some(name) => self.segments(&topic(&log, name)?)?,
        };
        print(text.as_bytes())?;
        Ok(Exit::Done)
    }

    fn topics(&self, log: &Log) -> String {
        let mut rows = Vec::new();
        let mut lines = String::new();
        for t in log.catalog().topics.values() {
            let records: i64 = t.partitions.iter().map(|p| p.published().get() - p.start()).sum();
            let bytes: u64 = t.partitions.iter().map(|p| p.size()).sum();
            let option = |key: &str| {
                let found = t.config.entries().into_iter().find(|(k, _)| *k == key);
                found.map(|(_, v)| v).unwrap_or_default()
            };
            if self.json {
                lines.push_str(&format!(
                    "{{\"topic\":\"{}\",\"id\":\"{}\",\"partitions\":{},\"offsets\":{records},\"bytes\":{bytes},\"options\":{{{}}}}}\n",
                    t.name,
                    t.id,
                    t.partitions.len(),
                    t.config.entries().iter().map(|(k, v)| format!("\"{k}\":\"{v}\"")).collect::<Vec<_>>().join(",")
                ));
                continue;
            }
            rows.push(vec![
                t.name.to_string(),
                t.partitions.len().to_string(),
                records.to_string(),
                size_text(bytes),
                option("flush.policy"),
                option("cleanup.policy"),
                option("retention.ms"),
                option("retention.bytes"),
            ]);
        }
        if self.json {
            return lines;
        }
        table(
            &[
                "TOPIC",
                "PARTITIONS",
                "OFFSETS",
                "SIZE",
                "FLUSH",
                "CLEANUP",
                "RETENTION MS",
                "RETENTION BYTES",
            ],
            &rows,
        )
    }

    fn segments(&self, topic: &Topic) -> Result<String> {
        let mut rows = Vec::new();
        let mut lines = String::new();
        for p in &topic.partitions {
            for s in p.segments().iter() {
                let newest = s.max_timestamp(&RealDisk)?;
                let state = if s.is_sealed() { "sealed" } else { "active" };
                if self.json {
                    lines.push_str(&format!(
                        "{{\"partition\":{},\"start\":{},\"segment\":{},\"next\":{},\"bytes\":{},\"newest\":{newest},\"state\":\"{state}\"}}\n",
                        p.number,
                        p.start(),
                        s.base,
                        s.next_offset(),
                        s.size()
                    ));
                    continue;
                }
                rows.push(vec![
                    p.number.to_string(),
                    s.base.max(p.start()).to_string(),
                    s.next_offset().to_string(),
                    s.size().to_string(),
                    time_text(newest),
                    state.into(),
                    s.path().file_name().unwrap_or_default().to_string_lossy().into_owned(),
                ]);
            }
            if p.segments().is_empty() && !self.json {
                let end = p.published().to_string();
                rows.push(vec![
                    p.number.to_string(),
                    end.clone(),
                    end,
                    "0".into(),
                    "-".into(),
                    "empty".into(),
                    String::new(),
                ]);
            }
        }
        if self.json {
            return Ok(lines);
        }
        Ok(table(&["PARTITION", "FROM", "TO", "BYTES", "NEWEST", "STATE", "FILE"], &rows))
    }
}

/// Count records, bytes, codecs and times of topics
#[derive(Args, Debug)]
pub(super) struct Stats {
    /// Only these
    topics: Vec<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// What was counted in a partition.
#[derive(Default)]
struct Counts {
    records: u64,
    batches: u64,
    bytes: u64,
    keyless: u64,
    tombstones: u64,
    largest_batch: usize,
    codecs: [u64; 5],
    oldest: Option<i64>,
    newest: Option<i64>,
    damage: u64,
}

impl Stats {
    pub(super) fn run(&self, folder: &Path) -> Result<Exit> {
        let log = look(folder)?;
        let chosen: Vec<Topic> = match self.topics.is_empty() {
            true => log.catalog().topics.values().cloned().collect(),
            false => self.topics.iter().map(|name| topic(&log, name)).collect::<Result<_>>()?,
        };
        let mut rows = Vec::new();
        let mut lines = String::new();
        for p in chosen.iter().flat_map(|t| &t.partitions) {
            let c = count(p)?;
            let codecs: Vec<String> = (0..5u8)
                .filter_map(|id| Some((Compression::from_id(id)?, c.codecs[usize::from(id)])))
                .filter(|(_, n)| *n > 0)
                .map(|(codec, n)| format!("{codec}:{n}"))
                .collect();
            if self.json {
                lines.push_str(&format!(
                    "{{\"topic\":\"{}\",\"partition\":{},\"start\":{},\"end\":{},\"records\":{},\"batches\":{},\"bytes\":{},\
                     \"largest_batch\":{},\"without_key\":{},\"tombstones\":{},\"codecs\":\"{}\",\"oldest\":{},\"newest\":{},\"damaged\":{}}}\n",
                    p.topic, p.number, p.start(), p.published(), c.records, c.batches, c.bytes, c.largest_batch,
                    c.keyless, c.tombstones, codecs.join(" "), c.oldest.unwrap_or(-1), c.newest.unwrap_or(-1), c.damage,
                ));
                continue;
            }
            rows.push(vec![
                p.name.clone(),
                p.start().to_string(),
                p.published().to_string(),
                c.records.to_string(),
                c.batches.to_string(),
                c.bytes.to_string(),
                c.largest_batch.to_string(),
                c.keyless.to_string(),
                c.tombstones.to_string(),
                codecs.join(" "),
                time_text(c.oldest.unwrap_or(-1)),
                time_text(c.newest.unwrap_or(-1)),
                c.damage.to_string(),
            ]);
        }
        let header = [
            "PARTITION",
            "START",
            "END",
            "RECORDS",
            "BATCHES",
            "BYTES",
            "LARGEST",
            "NO KEY",
            "TOMBSTONES",
            "BATCHES BY CODEC",
            "OLDEST",
            "NEWEST",
            "DAMAGED",
        ];
        print(if self.json { lines } else { table(&header, &rows) }.as_bytes())?;
        Ok(Exit::Done)
    }
}

fn count(partition: &Arc<Partition>) -> Result<Counts> {
    const EXPAND_LIMIT: usize = 1 << 30;
    let mut reader =
        Reader::new(partition.clone(), partition.start(), Follow::Published)?.checking(Check::All);
    let mut c = Counts::default();
    let mut scratch = Vec::new();
    loop {
        let batch = match reader.poll() {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(c),
            Err(e) if e.is_corrupt() || matches!(e, LogError::Deleted { .. }) => {
                c.damage += u64::from(e.is_corrupt());
                reader.skip()?;
                continue;
            }
            Err(e) => return Err(e.into()),
        };
        c.batches += 1;
        c.bytes += batch.bytes().len() as u64;
        c.largest_batch = c.largest_batch.max(batch.bytes().len());
        if let Some(n) = batch.header().attributes.compression() {
            c.codecs[usize::from(n.id())] += 1;
        }
        for record in batch.records(&mut scratch, EXPAND_LIMIT).map_err(LogError::from)? {
            let r = record.map_err(LogError::from)?;
            if r.offset < partition.start() {
                continue;
            }
            c.records += 1;
            c.keyless += u64::from(r.key.is_none());
            c.tombstones += u64::from(r.value.is_none());
            c.oldest = Some(c.oldest.map_or(r.timestamp, |o| o.min(r.timestamp)));
            c.newest = Some(c.newest.map_or(r.timestamp, |n| n.max(r.timestamp)));
        }
    }
}

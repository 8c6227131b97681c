//! The shard's side of the file sink: rows → bytes, by partition.

use super::super::Streams;
use super::super::writer::{Job, Writer};
use super::FilesystemSink;
use super::parts::{Folder, Parts, Stream};
use crate::batch::text::{Style, write_value};
use crate::batch::{Batch, DataType};
use crate::error::{Error, Result};
use crate::formats::Encoder;
use crate::plan::connector::SinkSpec;
use crate::shard::{IoContext, Output};
use jiff::tz::TimeZone;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;

/// Bytes of one partition that are handed over at once.
const CHUNK: usize = 64 << 10;
/// Pieces that may wait for room before batches are given back.
const WAITING: usize = 64;

/// See the module's text.
pub(super) struct FileOutput {
    encoder: Box<dyn Encoder>,
    writer: Writer<Folder>,
    partitions: Vec<(usize, String, DataType)>,
    default_partition: String,
    zone: TimeZone,
    /// Bytes of each partition that were not handed over.
    buffers: HashMap<Folder, Vec<u8>>,
    /// Pieces that found no room.
    waiting: VecDeque<Job<Folder>>,
    /// The name of a row's folder, as it is put together.
    name: Vec<u8>,
    text: Vec<u8>,
    rows: u64,
    /// Rows are seen at once: a stream, not files.
    prompt: bool,
}

impl FileOutput {
    pub(super) fn open(
        sink: &FilesystemSink,
        spec: &SinkSpec,
        shard: usize,
        streams: &Streams,
    ) -> Result<Self> {
        let prompt = sink.path == "-";
        let writer = if prompt {
            Writer::start("pelton-files", Stream(streams.out.clone()))?
        } else {
            Writer::start("pelton-files", Parts::new(local_path(&sink.path)?, shard, sink)?)?
        };
        let partition = |(c, name): &(usize, String)| (*c, name.clone(), spec.schema.ty(*c).clone());
        // The files have the table's names, whatever the query calls its columns.
        let mut schema = spec.schema.clone();
        if let Some(table) = &spec.table {
            for (f, t) in schema.fields.iter_mut().zip(&table.schema.fields) {
                f.name.clone_from(&t.name);
            }
        }
        Ok(Self {
            encoder: sink.format.encoder(&schema, &sink.in_file),
            writer,
            partitions: sink.partitions.iter().map(partition).collect(),
            default_partition: sink.default_partition.clone(),
            zone: spec.table.as_ref().map_or(TimeZone::UTC, |t| t.time_zone.clone()),
            buffers: HashMap::new(),
            waiting: VecDeque::new(),
            name: Vec::new(),
            text: Vec::new(),
            rows: 0,
            prompt,
        })
    }

    /// Hands over what waits, as far as there is room.
    fn hand(&mut self) -> Result<()> {
        while let Some(job) = self.waiting.pop_front() {
            if let Some(back) = self.writer.hand(job)? {
                self.waiting.push_front(back);
                break;
            }
        }
        Ok(())
    }

    /// The folder of a row, below the table's.
    fn folder(&mut self, batch: &Batch, row: usize) {
        self.name.clear();
        for (i, (column, key, ty)) in self.partitions.iter().enumerate() {
            if i > 0 {
                self.name.push(b'/');
            }
            escape(key.as_bytes(), &mut self.name);
            self.name.push(b'=');
            self.text.clear();
            let c = batch.column(*column);
            if c.is_valid(row) {
                write_value(c, row, ty, &self.zone, Style::Print, &mut self.text);
            }
            // Flink counts blank text as NULL here.
            if self.text.iter().all(|b| *b <= b' ') {
                escape(self.default_partition.as_bytes(), &mut self.name);
            } else {
                escape(&self.text, &mut self.name);
            }
        }
    }

    fn encode(&mut self, batch: &Batch, row: usize) -> Result<()> {
        self.folder(batch, row);
        let name = std::str::from_utf8(&self.name)
            .map_err(|_| Error::runtime("a partition's value is not UTF-8"))?;
        if !self.buffers.contains_key(name) {
            let buffer = self.writer.buffer();
            self.buffers.insert(name.into(), buffer);
        }
        let buffer = self.buffers.get_mut(name).expect("it was just put there");
        self.encoder.encode(batch, row, buffer).map_err(Error::runtime)?;
        self.rows += 1;
        if buffer.len() >= CHUNK {
            let bytes = std::mem::replace(buffer, self.writer.buffer());
            self.waiting.push_back(Job { kind: name.into(), bytes });
        }
        Ok(())
    }

    /// Everything encoded waits to be handed over.
    fn gather(&mut self) {
        for (folder, buffer) in &mut self.buffers {
            if !buffer.is_empty() {
                let bytes = std::mem::take(buffer);
                self.waiting.push_back(Job { kind: folder.clone(), bytes });
            }
        }
    }
}

impl Output for FileOutput {
    fn offer(&mut self, batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        self.hand()?;
        if self.waiting.len() >= WAITING {
            return Ok(Some(batch));
        }
        for row in batch.sel().iter() {
            self.encode(&batch, row)?;
        }
        if self.prompt {
            self.gather();
        }
        self.hand()?;
        cx.pool.recycle(batch);
        Ok(None)
    }

    fn finish(&mut self) -> Result<()> {
        self.gather();
        // The end waits for the disk: there is nothing else left to do.
        while !self.waiting.is_empty() {
            self.hand()?;
            if !self.waiting.is_empty() {
                std::thread::yield_now();
            }
        }
        self.writer.finish()
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

fn local_path(path: &str) -> Result<PathBuf> {
    let rest = match path.split_once(':') {
        Some(("file", rest)) => rest.strip_prefix("//").unwrap_or(rest),
        Some((scheme, rest)) if rest.starts_with("//") => {
            return Err(Error::config(format!(
                "file system '{scheme}://' is not supported: use a local path"
            )));
        }
        _ => path,
    };
    Ok(PathBuf::from(rest))
}

/// Flink's escapes of folder names: what a path or a URI would take for itself becomes `%3D`.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    for &b in text {
        if b < 0x20 || b == 0x7f || b"\"#%'*/:=?\\{[]^".contains(&b) {
            out.push(b'%');
            out.extend_from_slice(&crate::batch::text::hex(b));
        } else {
            out.push(b);
        }
    }
}

//! The input of a list of files: takes blocks from the reader, decodes, adds what is the same for a whole file.
//!
//! A batch never crosses files, so that its metadata are constants. The position is the file, the byte offset of a record in its
//! (decompressed) content, that record's line, and how many rows from there on were given out: none, unless a JSON array, one
//! record of many rows, was given out in parts.

use super::super::bad_rows::BadRows;
use super::files::{File, FileList};
use super::reader::{Message, Reader, Watch};
use super::window::{MAX_RECORD, Window};
use super::{FilesystemSource, file_schema, metadata, repeated};
use crate::batch::{Batch, Column, ColumnRef, DataType, Origin, Schema};
use crate::batch::{Decoder as StateDecoder, Encoder as StateEncoder};
use crate::error::{Error, Result};
use crate::formats::{Decoder, RowError, Rows, lines};
use crate::host::sync::Bell;
use crate::plan::aside::Aside;
use crate::plan::connector::SourceSpec;
use crate::shard::{Comes, Input, InputCounters, IoContext, Polled};
use std::sync::Arc;

/// Where a column of the output comes from.
enum Part {
    /// The decoder's column of that number.
    Decoded(usize),
    /// The value of that number of the file's values.
    Constant(usize),
}

/// The place after the last row given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    /// Index in the list of files.
    file: usize,
    /// Bytes of the file before the next record.
    offset: u64,
    /// The next record's line, from 1.
    line: u64,
    /// Rows from there on that were given out already.
    rows: u64,
}

/// See the module's text.
pub struct FileInput {
    source: FilesystemSource,
    number: u32,
    /// The table's name.
    table: String,
    files: Vec<File>,
    decoder: Box<dyn Decoder>,
    decoded_types: Vec<DataType>,
    parts: Vec<Part>,
    /// Output columns that do not come from the file's content, with their types: partition columns by name, metadata by key.
    constants: Vec<(Constant, DataType)>,
    /// Their values for the current file.
    values: Vec<ColumnRef>,
    reader: Option<Reader>,
    window: Window,
    /// The current file has no more bytes than those in the window.
    at_end: bool,
    /// The window holds no whole record.
    starved: bool,
    at: Position,
    rows: Rows,
    held: Option<Held>,
    failure: Option<Error>,
    /// Rows that cannot be decoded do not end the job.
    tolerant: bool,
    bad: Option<BadRows>,
    counters: InputCounters,
    started: bool,
    /// Rung by the reader.
    bell: Arc<Bell>,
}

/// A batch of more rows than were asked for: a JSON array is a record of many, an update one of two.
struct Held {
    batch: Batch,
    /// Rows given out.
    given: usize,
    /// Where its first record starts.
    from: Position,
}

enum Constant {
    Partition(String),
    Metadata(String),
}

impl FileInput {
    /// An input that reads `list` for a scan.
    ///
    /// # Errors
    /// A partition folder that holds no value of its column's type.
    pub fn new(source: &FilesystemSource, spec: &SourceSpec, list: FileList, number: u32) -> Result<Self> {
        let schema: &Schema = &spec.table.schema;
        let in_file = file_schema(schema, &source.in_file);
        let (mut read, mut parts, mut constants) = (vec![], vec![], vec![]);
        for &c in &spec.columns {
            match source.in_file.iter().position(|&f| f == c) {
                Some(f) => {
                    parts.push(Part::Decoded(read.len()));
                    read.push(f);
                }
                None => {
                    parts.push(Part::Constant(constants.len()));
                    constants
                        .push((Constant::Partition(schema.fields[c].name.clone()), schema.ty(c).clone()));
                }
            }
        }
        for (key, ty) in &spec.metadata {
            parts.push(Part::Constant(constants.len()));
            constants.push((Constant::Metadata(key.clone()), ty.clone()));
        }
        Ok(Self {
            source: source.clone(),
            number,
            files: list.files,
            decoder: source.format.decoder(&in_file, &read),
            decoded_types: read.iter().map(|&f| in_file.ty(f).clone()).collect(),
            parts,
            constants,
            values: vec![],
            reader: None,
            window: Window::default(),
            at_end: false,
            starved: true,
            at: Position { file: 0, offset: 0, line: 1, rows: 0 },
            rows: Rows::default(),
            held: None,
            failure: None,
            tolerant: spec.table.settings.contains_key(Aside::BadRows.setting()),
            bad: None,
            table: spec.table.name.clone(),
            counters: InputCounters::default(),
            started: false,
            bell: Arc::default(),
        })
    }

    fn start(&mut self) -> Result<()> {
        self.started = true;
        let some = self.at.file < self.files.len();
        if some {
            self.open_file()?;
        }
        let watch = self.source.monitor_interval.map(|interval| Watch {
            source: self.source.clone(),
            interval,
            seen: self.files.iter().map(|f| f.path.clone()).collect(),
        });
        if some || watch.is_some() {
            let files = self.files[self.at.file..].to_vec();
            let reader = Reader::start(files, self.at.offset, watch, &self.bell)
                .map_err(|e| Error::io("a thread for reading files", &e))?;
            self.reader = Some(reader);
        }
        Ok(())
    }

    /// The current file's own values.
    fn open_file(&mut self) -> Result<()> {
        let file = &self.files[self.at.file];
        self.values.clear();
        for (c, ty) in &self.constants {
            self.values.push(match c {
                Constant::Metadata(key) => metadata::metadata(file, key, ty),
                Constant::Partition(name) => metadata::partition(&self.source, file, name, ty)?,
            });
        }
        Ok(())
    }

    /// Decodes what is there: a batch, or nothing.
    fn decode(&mut self, max_rows: usize, cx: &mut IoContext<'_>) -> Option<Batch> {
        if self.at.offset == 0 && !self.skip_mark() {
            return None;
        }
        let mut columns = cx.pool.column_list();
        columns.extend(self.decoded_types.iter().map(|t| cx.pool.column(t)));
        self.rows.start(columns);
        let mut line = self.at.line;
        let bytes = self.window.bytes();
        let result = self.decoder.decode(bytes, self.at_end, max_rows, &mut line, &mut self.rows);
        self.counters.bad += self.rows.bad;
        self.counters.nulled += self.rows.nulled;
        let skipped = std::mem::take(&mut self.rows.skipped);
        skipped.iter().for_each(|e| self.note_bad(e));
        let used = match result {
            Ok(used) => used,
            Err(e) if self.tolerant => {
                self.counters.bad += 1;
                self.note_bad(&e);
                line += lines(&self.window.bytes()[e.record.clone()]);
                e.record.end
            }
            Err(e) => {
                self.failure = Some(self.error(&e));
                0
            }
        };
        self.rows.skipped = skipped;
        let batch = self.batch(cx);
        if used == 0 && batch.is_none() && self.failure.is_none() {
            self.starved = true;
            debug_assert!(!self.at_end, "at a file's end all bytes are used");
            if self.window.bytes().len() > MAX_RECORD {
                self.failure = Some(self.too_long());
            }
        }
        self.window.consume(used);
        self.at.offset += used as u64;
        self.at.line = line;
        batch
    }

    /// Keeps a record that cannot be decoded, if anybody reads such records.
    fn note_bad(&mut self, e: &RowError) {
        let Self { bad: Some(bad), table, files, at, window, .. } = self else { return };
        let raw = &window.bytes()[e.record.clone()];
        let end = raw.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |n| n + 1);
        bad.row(table, &files[at.file].shown().to_string(), e, &raw[..end]);
    }

    /// Skips a byte order mark. False: not enough bytes to tell.
    fn skip_mark(&mut self) -> bool {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let bytes = self.window.bytes();
        if bytes.starts_with(MARK) {
            self.window.consume(MARK.len());
            self.at.offset = MARK.len() as u64;
        } else if bytes.len() < MARK.len() && MARK.starts_with(bytes) && !self.at_end {
            self.starved = true;
            return false;
        }
        true
    }

    /// The rows just decoded, with the file's own values.
    fn batch(&mut self, cx: &mut IoContext<'_>) -> Option<Batch> {
        let n = self.rows.rows;
        if n == 0 {
            cx.pool.recycle_columns(std::mem::take(&mut self.rows.columns));
            return None;
        }
        let mut columns = cx.pool.column_list();
        for part in &self.parts {
            columns.push(match part {
                // Each decoded column stands in one place of the output.
                Part::Decoded(i) => self.rows.columns[*i].clone(),
                Part::Constant(i) => {
                    let mut c = cx.pool.column(&self.constants[*i].1);
                    let own: &mut Column =
                        ColumnRef::get_mut(&mut c).expect("the pool's columns are not shared");
                    repeated(&self.values[*i], n, own);
                    c
                }
            });
        }
        self.rows.columns.clear();
        cx.pool.recycle_columns(std::mem::take(&mut self.rows.columns));
        let mut batch = cx.pool.batch();
        batch.fill(&mut columns, n);
        cx.pool.recycle_columns(columns);
        if !self.rows.kinds.is_empty() {
            let mut kinds = cx.pool.kind_list();
            kinds.extend_from_slice(&self.rows.kinds);
            batch.set_kinds(Some(kinds));
        }
        let partition = self.files[self.at.file].number;
        for &(row, line) in &self.rows.lines {
            let ingest_us = cx.now_us;
            batch.provenance.push(Origin { row, source: self.number, partition, offset: line, ingest_us });
        }
        Some(batch)
    }

    #[cold]
    fn error(&self, e: &RowError) -> Error {
        let file = self.files[self.at.file].shown();
        Error::input(format!("{file}, line {}, column {}: {}", e.line, e.column, e.message))
    }

    #[cold]
    fn too_long(&self) -> Error {
        let file = self.files[self.at.file].shown();
        Error::input(format!(
            "{file}, line {}: the record is longer than {} MiB",
            self.at.line,
            MAX_RECORD >> 20
        ))
        .hint("is a quote not closed?")
    }

    /// What the reader says next. False: nothing yet.
    fn receive(&mut self) -> Result<bool> {
        let reader = self.reader.as_mut().expect("a started input with a file has a reader");
        match reader.next() {
            Some(Message::Block(block)) => {
                let data = block.len() - super::window::HEADROOM;
                self.counters.bytes += data as u64;
                let spare = self.window.add(block);
                reader.give_back(spare);
                self.starved = false;
            }
            Some(Message::Found(file)) => {
                self.files.push(file);
                if self.at.file + 1 == self.files.len() {
                    self.open_file()?;
                }
            }
            Some(Message::EndOfFile) => {
                self.at_end = true;
                self.starved = false;
            }
            Some(Message::Failed(e)) => {
                let file = self.files.get(self.at.file).map_or_else(|| self.source.path.clone(), File::shown);
                return Err(Error::input(format!("{file}: {e}")));
            }
            None if reader.is_over() => {
                return Err(Error::input(format!("{}: its reader has ended", self.source.path)));
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Up to `max_rows` rows of a batch behind the first `given`; the rest is held.
    fn part(&mut self, held: Held, max_rows: usize, cx: &mut IoContext<'_>) -> Batch {
        let Held { batch, given, from } = held;
        let total = batch.rows();
        let to = total.min(given.saturating_add(max_rows));
        self.counters.rows += (to - given) as u64;
        if given == 0 && to == total {
            return batch;
        }
        let mut part = batch.clone();
        let mut picked = cx.pool.row_list();
        picked.extend(given as u32..to as u32);
        part.select(Some(picked));
        if to < total {
            self.held = Some(Held { batch, given: to, from });
        }
        part
    }
}

impl Input for FileInput {
    fn poll(&mut self, max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled> {
        if !self.started {
            self.start()?;
        }
        if let Some(held) = self.held.take() {
            return Ok(Polled::Batch(self.part(held, max_rows, cx)));
        }
        loop {
            if let Some(e) = self.failure.take() {
                return Err(e);
            }
            if self.at.file == self.files.len() {
                if self.source.monitor_interval.is_none() {
                    return Ok(Polled::End);
                }
                if !self.receive()? {
                    return Ok(Polled::Pending);
                }
                continue;
            }
            let ended = self.at_end && self.window.bytes().is_empty();
            if ended {
                self.at = Position { file: self.at.file + 1, offset: 0, line: 1, rows: 0 };
                (self.at_end, self.starved) = (false, true);
                if self.at.file < self.files.len() {
                    self.open_file()?;
                }
                continue;
            }
            if self.starved {
                if !self.receive()? {
                    return Ok(Polled::Pending);
                }
                continue;
            }
            let from = Position { rows: 0, ..self.at };
            if let Some(batch) = self.decode(max_rows, cx) {
                // After a restore: rows of the records from there on that are known downstream.
                let given = batch.rows().min(self.at.rows as usize);
                self.at.rows -= given as u64;
                if given < batch.rows() {
                    return Ok(Polled::Batch(self.part(Held { batch, given, from }, max_rows, cx)));
                }
            }
            // What was laid aside is taken before there is more of it.
            if self.bad.as_ref().is_some_and(BadRows::is_waiting) {
                return Ok(Polled::Pending);
            }
        }
    }

    fn bell(&mut self, bell: &Arc<Bell>) {
        self.bell = bell.clone();
    }

    fn comes(&self) -> Comes {
        Comes::Rung
    }

    fn is_ready(&self) -> bool {
        let waits = self.held.is_some() || self.failure.is_some();
        !self.started || waits || self.reader.as_ref().is_none_or(Reader::is_ready)
    }

    fn keep_bad(&mut self) {
        self.bad = Some(BadRows::default());
    }

    fn take_bad(&mut self) -> Option<Batch> {
        self.bad.as_mut()?.take()
    }

    fn snapshot(&self, to: &mut StateEncoder) {
        to.block(b"FILE", 3);
        to.bytes(self.decoder.head());
        let at = match &self.held {
            Some(h) => Position { rows: h.given as u64, ..h.from },
            None => self.at,
        };
        let name = self.files.get(at.file).map(|f| f.path.to_string_lossy().into_owned());
        to.bool(name.is_some());
        to.bytes(name.unwrap_or_default().as_bytes());
        to.u64(at.offset);
        to.u64(at.line);
        to.u64(at.rows);
        // Where files come while it runs, their order is that of their coming.
        let done = if self.source.monitor_interval.is_some() { &self.files[..at.file] } else { &[] };
        to.len(done.len());
        done.iter().for_each(|f| to.bytes(f.path.to_string_lossy().as_bytes()));
    }

    fn restore(&mut self, from: &mut StateDecoder<'_>) -> Result<()> {
        from.block(b"FILE", 3)?;
        let head = from.bytes()?;
        self.decoder.set_head(head).map_err(Error::corrupt)?;
        let more = from.bool()?;
        let name = String::from_utf8_lossy(from.bytes()?).into_owned();
        let (offset, line, rows) = (from.u64()?, from.u64()?, from.u64()?);
        let mut done = vec![];
        for _ in 0..from.len(1)? {
            done.push(String::from_utf8_lossy(from.bytes()?).into_owned());
        }
        if self.source.monitor_interval.is_some() {
            let place = |f: &File| {
                let path = f.path.to_string_lossy();
                let known = done.iter().position(|d| *d == path);
                known.unwrap_or(done.len() + usize::from(path != name))
            };
            self.files.sort_by_key(place);
            if !more {
                let before = self.files.iter().filter(|f| place(f) < done.len()).count();
                self.at = Position { file: before, offset: 0, line: 1, rows: 0 };
                return Ok(());
            }
        }
        if !more {
            self.at = Position { file: self.files.len(), offset: 0, line: 1, rows: 0 };
            return Ok(());
        }
        let Some(file) = self.files.iter().position(|f| f.path.to_string_lossy() == name) else {
            return Err(Error::input(format!("file {name}, where reading was to go on, is gone")));
        };
        self.at = Position { file, offset, line, rows };
        Ok(())
    }

    fn counters(&self) -> InputCounters {
        self.counters
    }
}

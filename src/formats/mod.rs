//! Formats: bytes ↔ columns, with Flink's names and options.
//!
//! A [`Decoder`] cuts bytes into records and writes the columns that a query reads, straight into their buffers: no value object
//! and no allocation per row. It keeps no bytes of its own: it is given a window that starts at a record and says how much of it
//! was used, so that the caller alone knows positions, and a decoder restored at a position needs nothing but the line number, and of
//! files with a head, that.
//! An [`Encoder`] writes rows of a batch to bytes.
//!
//! A record that cannot be decoded is a [`RowError`] with its line, column and Flink's words; with `ignore-parse-errors` fields
//! become NULL or rows are skipped exactly where Flink does so, and [`Rows`] counts both.

pub mod avro;
pub mod csv;
pub mod json;
pub mod raw;
mod scalar;

pub use scalar::base64_encode;

use crate::batch::{Batch, Column, ColumnRef, RowKind, Schema};
use crate::error::{Error, Span};
use std::ops::Range;

/// Why an option cannot be used. The caller knows where it stands in the SQL text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    /// The option, without the format's prefix; empty: a combination of options or a column's type.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl OptionError {
    pub(crate) fn new(key: &str, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

/// A record that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Line of the record's first byte, from 1.
    pub line: u64,
    /// Byte within the record where it fails, from 1.
    pub column: u64,
    /// The reason, with Flink's words.
    pub message: String,
    /// Where the record stands in the input that was given, line end included.
    pub record: Range<usize>,
}

/// What a decoder fills. The columns are those that the query reads, in its order.
#[derive(Debug, Default)]
pub struct Rows {
    /// The columns, each of [`Rows::rows`] rows and not shared.
    pub columns: Vec<ColumnRef>,
    /// Rows decoded.
    pub rows: usize,
    /// The kinds of the rows; none: all of them are insertions.
    pub kinds: Vec<RowKind>,
    /// Where the line number jumps: (first row, its line). Rows between count up by one.
    pub lines: Vec<(u32, u64)>,
    /// The line that the next row has without a jump, where a decoder fills in several goes.
    pub(crate) line_of_next: Option<u64>,
    /// Records that were skipped because they could not be decoded.
    pub bad: u64,
    /// The same, each with its reason.
    pub skipped: Vec<RowError>,
    /// Rows in which a field that could not be decoded became NULL.
    pub nulled: u64,
}

impl Rows {
    /// Empties it around these columns.
    pub fn start(&mut self, columns: Vec<ColumnRef>) {
        self.columns = columns;
        self.rows = 0;
        self.kinds.clear();
        self.lines.clear();
        self.line_of_next = None;
        self.bad = 0;
        self.skipped.clear();
        self.nulled = 0;
    }

    /// Keeps the first `rows` rows.
    pub(crate) fn cut(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        for c in &mut self.columns {
            own(c).truncate(rows);
        }
        self.lines.retain(|l| (l.0 as usize) < rows);
    }
}

/// Line ends in a record: LF, or CR without LF.
pub(crate) fn lines(record: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', record).count() as u64;
    if memchr::memchr(b'\r', record).is_none() {
        return feeds;
    }
    let bare = record.iter().enumerate().filter(|&(i, &b)| b == b'\r' && record.get(i + 1) != Some(&b'\n'));
    feeds + bare.count() as u64
}

/// The line from `start` on, with its end.
pub(crate) fn line_at(input: &[u8], start: usize) -> Range<usize> {
    start..memchr::memchr(b'\n', &input[start..]).map_or(input.len(), |n| start + n + 1)
}

/// The column of a list that is filled: nobody else holds it.
pub(crate) fn own(column: &mut ColumnRef) -> &mut Column {
    ColumnRef::get_mut(column).expect("a column that is being filled is not shared")
}

/// Bytes → columns.
pub trait Decoder: Send {
    /// Decodes records from the start of `input` into `rows`, which was just started, until it has `max_rows` rows (a record that is
    /// several rows may pass it) or no whole record is left, and returns the bytes used, line ends included. With `last`, nothing follows `input`: what is left is a record. `line` is the line number
    /// of the first byte and is moved on. Nothing used and no row added, without `last`: the record needs more bytes.
    ///
    /// # Errors
    /// The record after the added rows cannot be decoded.
    fn decode(
        &mut self,
        input: &[u8],
        last: bool,
        max_rows: usize,
        line: &mut u64,
        rows: &mut Rows,
    ) -> Result<usize, RowError>;

    /// What of the beginning of the file at hand the rest cannot be decoded without: part of the state of whoever reads.
    fn head(&self) -> &[u8] {
        &[]
    }

    /// Goes on in the middle of a file with that head.
    ///
    /// # Errors
    /// It is not what [`Decoder::head`] gave.
    fn set_head(&mut self, _head: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// Rows → bytes.
pub trait Encoder: Send {
    /// Appends physical row `row` of a batch of the schema that the encoder was made for.
    ///
    /// # Errors
    /// The format cannot hold the value; nothing was appended.
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), String>;
}

/// Formats of Flink that are not there yet, refused by name.
const FLINKS_OWN: &[&str] = &["avro-confluent", "debezium-avro-confluent", "orc", "parquet", "protobuf"];

/// A format with its options, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// `csv`
    Csv(csv::CsvOptions),
    /// `json`
    Json(json::JsonOptions),
    /// `debezium-json` and its like
    Changelog(json::ChangelogOptions),
    /// `raw`
    Raw(raw::RawOptions),
    /// `avro`
    Avro(avro::AvroOptions),
}

impl Format {
    /// The formats' names.
    pub const NAMES: &'static [&'static str] =
        &["avro", "canal-json", "csv", "debezium-json", "json", "maxwell-json", "ogg-json", "raw"];

    /// The options that a format has, without its prefix.
    pub fn option_names(format: &str) -> Option<&'static [&'static str]> {
        match format {
            "csv" => Some(csv::CsvOptions::NAMES),
            "json" => Some(json::JsonOptions::NAMES),
            "raw" => Some(raw::RawOptions::NAMES),
            "avro" => Some(avro::AvroOptions::NAMES),
            _ => json::Envelope::of_format(format).map(json::Envelope::option_names),
        }
    }

    /// Reads the options of the format of that name; `get` gives the text of one.
    ///
    /// # Errors
    /// A value that cannot be used.
    ///
    /// # Panics
    /// When `format` is not one of [`Format::NAMES`].
    pub fn from_options<'a>(
        format: &str,
        get: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, OptionError> {
        match format {
            "csv" => csv::CsvOptions::from_options(get).map(Format::Csv),
            "json" => json::JsonOptions::from_options(get).map(Format::Json),
            "raw" => raw::RawOptions::from_options(get).map(Format::Raw),
            "avro" => avro::AvroOptions::from_options(get).map(Format::Avro),
            _ => match json::Envelope::of_format(format) {
                Some(e) => json::ChangelogOptions::from_options(e, get).map(Format::Changelog),
                None => panic!("not a format: {format}"),
            },
        }
    }

    /// The format of a table with these options, its own prefixed by its name (`csv.null-literal`). `clause` is the WITH clause's place.
    ///
    /// # Errors
    /// No format, an unknown one, a value that cannot be used: at the option's place.
    pub fn of_table<'a>(get: impl Fn(&str) -> Option<(&'a str, Span)>, clause: Span) -> Result<Self, Error> {
        let names = Self::NAMES.join(", ");
        let Some((name, span)) = get("format") else {
            let error = Error::validation("Missing required option 'format'", clause);
            return Err(error.hint(format!("add 'format' = '…' to the WITH clause: one of {names}")));
        };
        if !Self::NAMES.contains(&name) {
            let error = match FLINKS_OWN.contains(&name) {
                true => Error::unsupported(format!("format '{name}'"), span),
                false => Error::validation(format!("Could not find any format '{name}'"), span),
            };
            return Err(error.hint(format!("the formats are {names}")));
        }
        Self::from_options(name, |key| get(&format!("{name}.{key}")).map(|o| o.0)).map_err(|e| {
            let key = format!("{name}.{}", e.key);
            Error::validation(e.message, get(&key).map_or(span, |o| o.1))
        })
    }

    /// The names of the options of all formats, with their prefixes.
    pub fn all_option_names() -> Vec<String> {
        let names = |f: &str| {
            let own = Self::option_names(f).unwrap_or_default();
            own.iter().map(|n| format!("{f}.{n}")).collect::<Vec<_>>()
        };
        Self::NAMES.iter().flat_map(|f| names(f)).collect()
    }

    /// Its rows have kinds: they are changes of a table.
    pub fn has_kinds(&self) -> bool {
        matches!(self, Format::Changelog(_))
    }

    /// Checks that columns of these types can be read (`reading`) or written.
    ///
    /// # Errors
    /// A type that the format cannot hold.
    pub fn check(&self, schema: &Schema, reading: bool) -> Result<(), OptionError> {
        match self {
            Format::Csv(_) => csv::check(schema, reading),
            Format::Json(_) => json::check(schema),
            Format::Changelog(o) => json::check_changelog(o, schema, reading),
            Format::Raw(_) => raw::check(schema),
            Format::Avro(o) => avro::check(o, schema, reading),
        }
    }

    /// A decoder for records of `schema` that produces the columns `columns` of it (ascending).
    pub fn decoder(&self, schema: &Schema, columns: &[usize]) -> Box<dyn Decoder> {
        match self {
            Format::Csv(o) => Box::new(csv::CsvDecoder::new(o, schema, columns)),
            Format::Json(o) => Box::new(json::JsonDecoder::new(o, schema, columns)),
            Format::Changelog(o) => Box::new(json::ChangelogDecoder::new(o, schema, columns)),
            Format::Raw(o) => Box::new(raw::RawDecoder::new(o, schema, columns)),
            Format::Avro(o) => Box::new(avro::AvroDecoder::new(o, schema, columns)),
        }
    }

    /// An encoder for the columns `columns` of batches of `schema`.
    pub fn encoder(&self, schema: &Schema, columns: &[usize]) -> Box<dyn Encoder> {
        match self {
            Format::Csv(o) => Box::new(csv::CsvEncoder::new(o, schema, columns)),
            Format::Json(o) => Box::new(json::JsonEncoder::new(o, schema, columns)),
            Format::Changelog(o) => Box::new(json::ChangelogEncoder::new(o, schema, columns)),
            Format::Raw(o) => Box::new(raw::RawEncoder::new(o, schema, columns)),
            Format::Avro(_) => unreachable!("refused when the table was checked"),
        }
    }
}

/// Reads a BOOLEAN option as Flink does: `true` or `false`, without case.
pub(crate) fn flag(key: &str, text: Option<&str>, default: bool) -> Result<bool, OptionError> {
    match text {
        None => Ok(default),
        Some(t) if t.eq_ignore_ascii_case("true") => Ok(true),
        Some(t) if t.eq_ignore_ascii_case("false") => Ok(false),
        Some(t) => Err(OptionError::new(key, format!("'{t}' is not a BOOLEAN: write 'true' or 'false'"))),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

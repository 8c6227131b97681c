//! `raw`: a record is the value of the table's one column. In files a record is a line (Flink takes lines there too).

use super::{Decoder, Encoder, OptionError, RowError, Rows, own};
use crate::batch::{Batch, ColumnData, Schema, TypeKind};

/// The options of `raw`, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawOptions {}

impl RawOptions {
    /// All options. Of charsets only UTF-8 is supported; byte order matters for numbers, which are not supported.
    pub const NAMES: &'static [&'static str] = &["charset", "endianness"];

    /// Reads the options.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn from_options<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, OptionError> {
        match get("charset") {
            Some(c) if !c.eq_ignore_ascii_case("utf-8") => {
                Err(OptionError::new("charset", format!("'{c}' is not supported: write 'UTF-8'")))
            }
            _ => match get("endianness") {
                Some(e) if !["big-endian", "little-endian"].contains(&e.to_ascii_lowercase().as_str()) => {
                    Err(OptionError::new("endianness", format!("'{e}' is not big-endian or little-endian")))
                }
                _ => Ok(Self {}),
            },
        }
    }
}

pub(super) fn check(schema: &Schema) -> Result<(), OptionError> {
    let [field] = &schema.fields[..] else {
        let n = schema.len();
        return Err(OptionError::new(
            "",
            format!("The 'raw' format only supports single physical column; the table has {n}"),
        ));
    };
    if field.ty.kind.is_character() || field.ty.kind.is_binary() {
        return Ok(());
    }
    Err(OptionError::new(
        "",
        format!("The 'raw' format holds STRING and BYTES here; {} is not supported", field.ty.kind),
    ))
}

/// Lines → values.
pub struct RawDecoder {
    read: bool,
    text: bool,
}

impl RawDecoder {
    /// A decoder of the only column of `schema`, which is read unless `columns` is empty.
    pub fn new(_options: &RawOptions, schema: &Schema, columns: &[usize]) -> Self {
        Self { read: !columns.is_empty(), text: schema.ty(0).kind.is_character() }
    }
}

impl Decoder for RawDecoder {
    fn decode(
        &mut self,
        input: &[u8],
        last: bool,
        max_rows: usize,
        line: &mut u64,
        rows: &mut Rows,
    ) -> Result<usize, RowError> {
        let (mut at, mut added) = (0, 0);
        if !input.is_empty() {
            rows.lines.push((rows.rows as u32, *line));
        }
        while added < max_rows && at < input.len() {
            let (end, next) = match memchr::memchr(b'\n', &input[at..]) {
                Some(n) => (at + n, at + n + 1),
                None if last => (input.len(), input.len()),
                None => break,
            };
            let end = if end > at && input[end - 1] == b'\r' { end - 1 } else { end };
            let value = &input[at..end];
            if self.read {
                let c = own(&mut rows.columns[0]);
                let ColumnData::Bytes(bytes) = &mut c.data else { panic!("raw columns hold bytes") };
                // Java replaces what is not UTF-8.
                match self.text && simdutf8::basic::from_utf8(value).is_err() {
                    true => bytes.push(String::from_utf8_lossy(value).as_bytes()),
                    false => bytes.push(value),
                }
                c.validity.push(true);
            }
            rows.rows += 1;
            added += 1;
            *line += 1;
            at = next;
        }
        Ok(at)
    }
}

/// Values → lines.
pub struct RawEncoder {
    column: usize,
}

impl RawEncoder {
    /// An encoder of the first of `columns`.
    pub fn new(_options: &RawOptions, _schema: &Schema, columns: &[usize]) -> Self {
        Self { column: columns.first().copied().unwrap_or(0) }
    }
}

impl Encoder for RawEncoder {
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let c = batch.column(self.column);
        debug_assert!(!matches!(c.data, ColumnData::Null), "{:?}", TypeKind::Null);
        if c.is_valid(row) {
            out.extend_from_slice(c.byte_column().get(row));
        }
        out.push(b'\n');
        Ok(())
    }
}

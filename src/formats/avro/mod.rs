//! `avro`: Avro object container files, which is what Flink's `avro` is on a filesystem. Read with the file's own schema, whose fields are found
//! by the names of the table's columns; what a column takes is that of the schema that Flink derives from the table.
//!
//! A block of a file is one record of many rows to whoever reads the bytes: it is checked, decompressed and decoded as a whole. Rows are
//! counted as lines. The decoder keeps the file's head, without which nothing behind it can be read; see [`Decoder::head`].

mod container;
mod read;
mod schema;

use super::{Decoder, OptionError, RowError, Rows, flag, own};
use crate::batch::{DataType, Schema, TypeKind};
use container::{Bytes, Codec, Cut, Head};
use read::Plan;

/// The options of `avro`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvroOptions {
    /// TIMESTAMP is `timestamp-millis`, and there is no TIMESTAMP_LTZ.
    pub legacy_timestamps: bool,
}

impl AvroOptions {
    /// All options. `codec` is that of files that are written; files that are read say theirs.
    pub const NAMES: &'static [&'static str] = &["codec", "timestamp_mapping.legacy"];

    /// Reads the options.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn from_options<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, OptionError> {
        const CODECS: [&str; 5] = ["null", "deflate", "snappy", "bzip2", "xz"];
        if let Some(codec) = get("codec").filter(|c| !CODECS.contains(c)) {
            return Err(OptionError::new(
                "codec",
                format!("'{codec}' is not a codec: write one of {}", CODECS.join(", ")),
            ));
        }
        let legacy = "timestamp_mapping.legacy";
        Ok(Self { legacy_timestamps: flag(legacy, get(legacy), true)? })
    }
}

/// Checks that columns of these types can be read.
///
/// # Errors
/// A type that Flink derives no schema for.
pub(super) fn check(options: &AvroOptions, schema: &Schema, reading: bool) -> Result<(), OptionError> {
    if !reading {
        return Err(OptionError::new("", "writing 'avro' is not supported: files of it are read"));
    }
    schema.fields.iter().try_for_each(|f| check_type(options, &f.ty))
}

fn check_type(options: &AvroOptions, ty: &DataType) -> Result<(), OptionError> {
    use TypeKind as K;
    let fail = |message: String| Err(OptionError::new("", message));
    match &ty.kind {
        K::Timestamp(p) | K::TimestampLtz(p) => {
            if matches!(ty.kind, K::TimestampLtz(_)) && options.legacy_timestamps {
                return fail(format!(
                    "Avro has no {} unless 'avro.timestamp_mapping.legacy' = 'false' is set",
                    ty.kind
                ));
            }
            let most = if options.legacy_timestamps { 3 } else { 6 };
            if *p > most {
                return fail(format!("Avro does not support {}: its precision is at most {most}", ty.kind));
            }
        }
        K::Time(p) if *p > 3 => {
            return fail(format!("Avro does not support {}: its precision is at most 3", ty.kind));
        }
        K::Array(t) => check_type(options, t)?,
        K::Map(k, v) => {
            if !k.kind.is_character() {
                return fail(format!("Avro needs keys of text in maps, not {}", k.kind));
            }
            check_type(options, v)?;
        }
        K::Multiset(t) if !t.kind.is_character() => {
            return fail(format!("Avro needs text in multisets, not {}", t.kind));
        }
        K::Row(fields) => fields.iter().try_for_each(|f| check_type(options, &f.ty))?,
        K::IntervalMonths(_) | K::IntervalMillis(_) | K::Variant | K::Bitmap => {
            return fail(format!("Unsupported to derive Schema for type: {}", ty.kind));
        }
        _ => {}
    }
    Ok(())
}

/// Object container files → columns.
pub struct AvroDecoder {
    /// Name and type of each column that is read.
    wanted: Vec<(String, DataType)>,
    file: Option<File>,
    /// The bytes of the file's head.
    head: Vec<u8>,
    /// A block, decompressed.
    block: Vec<u8>,
}

/// What is known of the file at hand.
struct File {
    schema: schema::Schema,
    codec: Codec,
    sync: [u8; container::SYNC],
    /// The fields of a record with their columns, and the columns that no field has.
    fields: Vec<(Option<usize>, Plan)>,
    missing: Vec<usize>,
}

impl AvroDecoder {
    /// A decoder of the columns `columns` of `schema`.
    pub fn new(_options: &AvroOptions, schema: &Schema, columns: &[usize]) -> Self {
        let wanted = columns.iter().map(|&c| (schema.fields[c].name.clone(), schema.ty(c).clone())).collect();
        Self { wanted, file: None, head: vec![], block: vec![] }
    }

    /// Takes the head that stands at the start of `input`; its length.
    fn open(&mut self, input: &[u8]) -> Result<usize, Cut> {
        let head = Head::read(input)?;
        let bad = |e: String| format!("the schema of the file: {e}");
        let schema = schema::Schema::parse(&head.schema).map_err(bad)?;
        let schema::Type::Record(fields) = &schema.types[schema.root] else {
            return Err(Cut::Bad("the file holds no records".into()));
        };
        let wanted: Vec<_> = self.wanted.iter().enumerate().map(|(i, (n, t))| (n.as_str(), t, i)).collect();
        let Plan::Row { fields, missing } = Plan::row(&schema, fields, &wanted).map_err(bad)? else {
            unreachable!("the plan of a record")
        };
        self.file = Some(File { codec: head.codec, sync: head.sync, fields, missing, schema });
        self.head = input[..head.len].to_vec();
        Ok(head.len)
    }

    /// Decodes the block at the start of `input`; its length.
    fn block(&mut self, input: &[u8], line: &mut u64, rows: &mut Rows) -> Result<usize, Cut> {
        let Some(file) = &self.file else {
            return Err(Cut::Bad("it does not begin as an Avro object container file does".into()));
        };
        let (count, data, len) = container::block(input, &file.sync)?;
        let data = container::decompress(file.codec, data, &mut self.block)?;
        // Records without bytes are none that a table has.
        if count > data.len() {
            return Err(Cut::Bad(format!("a block of {count} records in {} bytes", data.len())));
        }
        let mut from = Bytes::new(data);
        for _ in 0..count {
            let read = file.row(&mut from, rows);
            if let Err(e) = read {
                let ends = "a record goes on behind the end of its block".to_owned();
                return Err(Cut::Bad(if let Cut::Bad(message) = e { message } else { ends }));
            }
            rows.rows += 1;
            *line += 1;
        }
        match from.left() {
            0 => Ok(len),
            more => Err(Cut::Bad(format!("{more} bytes behind the last record of a block"))),
        }
    }
}

impl File {
    fn row(&self, from: &mut Bytes<'_>, rows: &mut Rows) -> Result<(), Cut> {
        for (place, plan) in &self.fields {
            match place {
                Some(p) => plan.read(&self.schema, from, own(&mut rows.columns[*p]))?,
                None => plan.skip(&self.schema, from)?,
            }
        }
        self.missing.iter().for_each(|&p| own(&mut rows.columns[p]).push_null());
        Ok(())
    }
}

impl Decoder for AvroDecoder {
    fn decode(
        &mut self,
        input: &[u8],
        last: bool,
        max_rows: usize,
        line: &mut u64,
        rows: &mut Rows,
    ) -> Result<usize, RowError> {
        let mut at = 0;
        if !input.is_empty() {
            rows.lines.push((rows.rows as u32, *line));
        }
        while at < input.len() && rows.rows < max_rows {
            let rest = &input[at..];
            let magic = container::MAGIC;
            let begins = rest.len() >= magic.len() && rest.starts_with(magic);
            // Too few bytes to tell a head from a block.
            if rest.len() < magic.len() && magic.starts_with(rest) && !last {
                break;
            }
            let read = if begins { self.open(rest) } else { self.block(rest, line, rows) };
            match read {
                Ok(used) => at += used,
                Err(Cut::Short) if !last => break,
                Err(e) => {
                    let whole = rows.rows;
                    rows.columns.iter_mut().for_each(|c| own(c).truncate(whole));
                    let message = match e {
                        Cut::Bad(message) => message,
                        Cut::Short => "the file ends in the middle of a block".into(),
                    };
                    // Where the next block begins is known of blocks that are whole.
                    let len =
                        self.file.as_ref().and_then(|f| container::block(rest, &f.sync).ok()).map(|b| b.2);
                    let end = at + len.filter(|_| !begins).unwrap_or(rest.len());
                    return Err(RowError { line: *line, column: 1, message, record: at..end });
                }
            }
        }
        Ok(at)
    }

    fn head(&self) -> &[u8] {
        &self.head
    }

    fn set_head(&mut self, head: &[u8]) -> Result<(), String> {
        if head.is_empty() {
            return Ok(());
        }
        match self.open(head) {
            Ok(_) => Ok(()),
            Err(Cut::Bad(message)) => Err(message),
            Err(Cut::Short) => Err("the head of the file ends too early".into()),
        }
    }
}

#[cfg(test)]
mod tests;

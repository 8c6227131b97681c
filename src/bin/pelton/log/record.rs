//! A record as text and as a JSON line. What `cat --format json` prints, `append --json` takes.
//!
//! Keys, values and header values are bytes. Where they are UTF-8 they stand as text, elsewhere in base 64 under a name that
//! says so (`value_base64`). Null, which Kafka tells from empty, is null.

use pelton::batch::text::write_json_string;
use pelton::batch::{Column, ColumnData, ColumnRef, Field, Schema, TypeKind};
use pelton::formats::json::{JsonDecoder, JsonOptions};
use pelton::formats::{Decoder, Rows, base64_encode};
use pelton::wire::batch::Record;

use super::time_text;

/// Appends `offset TAB time TAB key TAB value TAB headers`. Tab, line ends and backslash are escaped, null is `\N`, bytes
/// that are no text are `\xHH`.
pub(super) fn write_text(partition: Option<u32>, r: &Record<'_>, out: &mut Vec<u8>) {
    if let Some(n) = partition {
        out.extend_from_slice(format!("{n}\t").as_bytes());
    }
    out.extend_from_slice(format!("{}\t{}\t", r.offset, time_text(r.timestamp)).as_bytes());
    text_cell(r.key, out);
    out.push(b'\t');
    text_cell(r.value, out);
    for (i, (name, value)) in r.headers.enumerate() {
        out.push(if i == 0 { b'\t' } else { b',' });
        text_cell(Some(name), out);
        out.push(b'=');
        text_cell(value, out);
    }
    out.push(b'\n');
}

fn text_cell(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(bytes) = bytes else { return out.extend_from_slice(b"\\N") };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => out.extend_from_slice(b"\\t"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\\' => out.extend_from_slice(b"\\\\"),
                c if c.is_control() && (c as u32) < 256 => {
                    out.extend_from_slice(format!("\\x{:02x}", c as u32).as_bytes());
                }
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        for b in chunk.invalid() {
            out.extend_from_slice(format!("\\x{b:02x}").as_bytes());
        }
    }
}

/// Appends one JSON object and a line end.
pub(super) fn write_json(partition: u32, r: &Record<'_>, out: &mut Vec<u8>) {
    let time = if r.timestamp < 0 { "null".into() } else { format!("\"{}\"", time_text(r.timestamp)) };
    out.extend_from_slice(
        format!(
            "{{\"partition\":{partition},\"offset\":{},\"timestamp\":{},\"time\":{time},",
            r.offset, r.timestamp
        )
        .as_bytes(),
    );
    json_cell("key", r.key, out);
    out.push(b',');
    json_cell("value", r.value, out);
    out.extend_from_slice(b",\"headers\":[");
    for (i, (name, value)) in r.headers.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.push(b'{');
        json_cell("name", Some(name), out);
        out.push(b',');
        json_cell("value", value, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}\n");
}

fn json_cell(name: &str, bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    let is_text = bytes.is_none_or(|b| std::str::from_utf8(b).is_ok());
    let suffix = if is_text { "" } else { "_base64" };
    out.extend_from_slice(format!("\"{name}{suffix}\":").as_bytes());
    match bytes {
        None => out.extend_from_slice(b"null"),
        Some(bytes) if is_text => write_json_string(bytes, out),
        Some(bytes) => {
            out.push(b'"');
            base64_encode(bytes, out);
            out.push(b'"');
        }
    }
}

/// A header as read.
pub(super) type OwnedHeader = (Vec<u8>, Option<Vec<u8>>);

/// A record as read from a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) timestamp: Option<i64>,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<OwnedHeader>,
}

/// Reads the lines that [`write_json`] writes. Fields that it does not use (partition, offset, time) may be there.
pub(super) struct JsonLines {
    decoder: JsonDecoder,
    schema: Schema,
}

impl JsonLines {
    pub(super) fn new() -> Self {
        let text = || TypeKind::STRING.nullable();
        let bytes = || TypeKind::VarBinary(i32::MAX as u32).nullable();
        let header = vec![
            Field::new("name", text()),
            Field::new("name_base64", bytes()),
            Field::new("value", text()),
            Field::new("value_base64", bytes()),
        ];
        let headers = TypeKind::Array(Box::new(TypeKind::Row(header).nullable()));
        let schema = Schema::new(vec![
            Field::new("timestamp", TypeKind::BigInt.nullable()),
            Field::new("key", text()),
            Field::new("key_base64", bytes()),
            Field::new("value", text()),
            Field::new("value_base64", bytes()),
            Field::new("headers", headers.nullable()),
        ]);
        let columns: Vec<usize> = (0..schema.len()).collect();
        Self { decoder: JsonDecoder::new(&JsonOptions::default(), &schema, &columns), schema }
    }

    /// One line, without its end.
    pub(super) fn read(&mut self, line: &[u8]) -> Result<Line, String> {
        let mut rows = Rows::default();
        rows.start(self.schema.fields.iter().map(|f| ColumnRef::new(Column::new(&f.ty))).collect());
        let mut number = 1;
        self.decoder
            .decode(line, true, 1, &mut number, &mut rows)
            .map_err(|e| format!("column {}: {}", e.column, e.message))?;
        if rows.rows != 1 {
            return Err("one JSON object a line".into());
        }
        if !line.windows(6).any(|w| w == b"\"value") {
            return Err(
                "neither \"value\" nor \"value_base64\" is there; a tombstone has \"value\":null".into()
            );
        }
        let c = &rows.columns;
        let mut headers = Vec::new();
        if let ColumnData::List { offsets, child } = &c[5].data
            && let ColumnData::Row(fields) = &child.data
            && c[5].is_valid(0)
        {
            let either = |a: usize, i| bytes(&fields[a], i).or_else(|| bytes(&fields[a + 1], i));
            for i in offsets[0] as usize..offsets[1] as usize {
                let name = either(0, i).ok_or("a header without a name")?;
                headers.push((name, either(2, i)));
            }
        }
        Ok(Line {
            timestamp: c[0].is_valid(0).then(|| c[0].slice::<i64>()[0]),
            key: bytes(&c[1], 0).or_else(|| bytes(&c[2], 0)),
            value: bytes(&c[3], 0).or_else(|| bytes(&c[4], 0)),
            headers,
        })
    }
}

fn bytes(column: &Column, row: usize) -> Option<Vec<u8>> {
    column.is_valid(row).then(|| column.byte_column().get(row).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pelton::wire::{Batch, BatchBuilder};

    #[test]
    fn what_is_printed_as_json_is_read_back() {
        type Bytes = Option<&'static [u8]>;
        let cases: [(Bytes, Bytes); 5] = [
            (Some(b"k"), Some("grüße \"\\\n".as_bytes())),
            (None, None),
            (Some(b""), Some(b"")),
            (Some(b"\xff\x00"), Some(b"\xfe")),
            (None, Some(b"{\"a\":1}")),
        ];
        for (key, value) in cases {
            let headers: [(&[u8], Option<&[u8]>); 3] =
                [(b"h", Some(b"v")), (b"n", None), (b"b", Some(b"\x80"))];
            let mut builder = BatchBuilder::new();
            builder.push(1_700_000_000_000, key, value, &headers);
            let batch = builder.finish(7).to_vec();
            let mut scratch = Vec::new();
            let batch = Batch::parse(&batch).unwrap();
            let record = batch.records(&mut scratch, 1 << 20).unwrap().next().unwrap().unwrap();
            let mut out = Vec::new();
            write_json(3, &record, &mut out);
            let line = JsonLines::new().read(&out[..out.len() - 1]).unwrap();
            assert_eq!(line.timestamp, Some(1_700_000_000_000));
            assert_eq!((line.key.as_deref(), line.value.as_deref()), (key, value));
            let read: Vec<(&[u8], Option<&[u8]>)> =
                line.headers.iter().map(|(n, v)| (n.as_slice(), v.as_deref())).collect();
            assert_eq!(read, headers);
            let mut text = Vec::new();
            write_text(Some(3), &record, &mut text);
            assert_eq!(text.iter().filter(|&&b| b == b'\t').count(), 5, "{}", String::from_utf8_lossy(&text));
            assert_eq!(text.iter().filter(|&&b| b == b'\n').count(), 1);
        }
    }

    #[test]
    fn a_line_says_what_it_lacks() {
        let mut lines = JsonLines::new();
        assert!(lines.read(br#"{"vlaue":"x"}"#).unwrap_err().contains("value"));
        assert!(lines.read(br#"{"value":"x"#).is_err());
        assert_eq!(lines.read(br#"{"value":null}"#).unwrap(), Line::default());
    }
}

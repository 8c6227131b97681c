//! Rows → JSON lines, as Flink's json format writes them.

use super::super::scalar::{self, TimestampFormat};
use super::super::{Encoder, base64_encode};
use super::{JsonOptions, MapNullKey};
use crate::batch::text::{civil, moment, number};
use crate::batch::{Batch, Column, ColumnData, DataType, Schema, TypeKind};

/// See the module's text.
pub struct JsonEncoder {
    options: JsonOptions,
    /// The batch's column, its name as a JSON string with a colon, its type.
    columns: Vec<(usize, Vec<u8>, DataType)>,
}

impl JsonEncoder {
    /// An encoder of the columns `columns` of batches of `schema`.
    pub fn new(options: &JsonOptions, schema: &Schema, columns: &[usize]) -> Self {
        let column = |&c: &usize| (c, quoted_name(&schema.fields[c].name), schema.ty(c).clone());
        Self { options: options.clone(), columns: columns.iter().map(column).collect() }
    }
}

fn quoted_name(name: &str) -> Vec<u8> {
    let mut out = vec![];
    write_string(name.as_bytes(), &mut out);
    out.push(b':');
    out
}

impl JsonEncoder {
    /// Appends the row as an object. After an error part of it stands there.
    pub(super) fn object(&self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        out.push(b'{');
        let mut first = true;
        for (column, name, ty) in &self.columns {
            let c = batch.column(*column);
            if self.options.ignore_null_fields && !c.is_valid(row) {
                continue;
            }
            if !first {
                out.push(b',');
            }
            first = false;
            out.extend_from_slice(name);
            write(c, row, ty, &self.options, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let start = out.len();
        if let Err(e) = self.object(batch, row, out) {
            out.truncate(start);
            return Err(e);
        }
        out.push(b'\n');
        Ok(())
    }
}

fn write(c: &Column, row: usize, ty: &DataType, o: &JsonOptions, out: &mut Vec<u8>) -> Result<(), String> {
    use TypeKind::*;
    if !c.is_valid(row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    let mut quoted = |write: &mut dyn FnMut(&mut Vec<u8>)| {
        out.push(b'"');
        write(out);
        out.push(b'"');
    };
    match &ty.kind {
        Null => out.extend_from_slice(b"null"),
        Boolean => out.extend_from_slice(if c.bools().get(row) { b"true" } else { b"false" }),
        TinyInt => number::write_i64(c.slice::<i8>()[row].into(), out),
        SmallInt => number::write_i64(c.slice::<i16>()[row].into(), out),
        Int | IntervalMonths(_) => number::write_i64(c.slice::<i32>()[row].into(), out),
        BigInt | IntervalMillis(_) => number::write_i64(c.slice::<i64>()[row], out),
        Float => {
            let v = c.slice::<f32>()[row];
            match v.is_finite() {
                true => number::write_f32(v, out),
                false => quoted(&mut |out| number::write_f32(v, out)),
            }
        }
        Double => {
            let v = c.slice::<f64>()[row];
            match v.is_finite() {
                true => number::write_f64(v, out),
                false => quoted(&mut |out| number::write_f64(v, out)),
            }
        }
        // As a plain number it keeps its trailing zeros: that is Flink's.
        Decimal(_, s) if o.decimal_as_plain_number => {
            crate::batch::decimal::write(c.slice::<i128>()[row], *s, out)
        }
        Decimal(_, s) => scalar::write_decimal(c.slice::<i128>()[row], *s, false, out),
        Char(_) | VarChar(_) | Variant => write_string(c.byte_column().get(row), out),
        Bitmap => {
            let mut text = Vec::new();
            crate::batch::number_set::write_bitmap_text(c.byte_column().get(row), &mut text);
            write_string(&text, out);
        }
        Binary(_) | VarBinary(_) => quoted(&mut |out| base64_encode(c.byte_column().get(row), out)),
        Date => quoted(&mut |out| civil::write_date(c.slice::<i32>()[row], out)),
        Time(_) => quoted(&mut |out| scalar::write_time(c.slice::<i32>()[row], out)),
        Timestamp(_) => quoted(&mut |out| timestamp(c, row, o.timestamp_format, false, out)),
        TimestampLtz(_) => quoted(&mut |out| timestamp(c, row, o.timestamp_format, true, out)),
        Array(t) => {
            let ColumnData::List { offsets, child } = &c.data else { panic!("ARRAY is a list") };
            out.push(b'[');
            for (n, e) in (offsets[row]..offsets[row + 1]).enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write(child, e as usize, t, o, out)?;
            }
            out.push(b']');
        }
        Map(_, v) => write_map(c, row, v, o, out)?,
        Multiset(_) => write_map(c, row, &TypeKind::Int.not_null(), o, out)?,
        Row(fields) => {
            let ColumnData::Row(columns) = &c.data else { panic!("ROW has fields") };
            out.push(b'{');
            let mut first = true;
            for (f, c) in fields.iter().zip(columns) {
                if o.ignore_null_fields && !c.is_valid(row) {
                    continue;
                }
                if !first {
                    out.push(b',');
                }
                first = false;
                write_string(f.name.as_bytes(), out);
                out.push(b':');
                write(c, row, &f.ty, o, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn timestamp(c: &Column, row: usize, format: TimestampFormat, instant: bool, out: &mut Vec<u8>) {
    scalar::write_timestamp(moment(c, row), format, instant, out);
}

fn write_map(
    c: &Column,
    row: usize,
    values: &DataType,
    o: &JsonOptions,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let ColumnData::Map { offsets, keys, values: column } = &c.data else { panic!("MAP is a map") };
    out.push(b'{');
    let mut first = true;
    for e in offsets[row] as usize..offsets[row + 1] as usize {
        let key = match (keys.is_valid(e), &o.map_null_key) {
            (true, _) => keys.byte_column().get(e),
            (false, MapNullKey::Literal(text)) => text,
            (false, MapNullKey::Drop) => continue,
            (false, MapNullKey::Fail) => {
                return Err("JSON format doesn't support to serialize map data with null keys. You can drop null key entries or \
                     encode null in literals by specifying map-null-key.mode option."
                    .into());
            }
        };
        if !first {
            out.push(b',');
        }
        first = false;
        write_string(key, out);
        out.push(b':');
        write(column, e, values, o, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Appends a JSON string as Jackson writes it: short escapes where JSON has them, `\u001F` for other control characters.
pub(in crate::formats) fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\') {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\\');
        match rest[at] {
            b @ (b'"' | b'\\') => out.push(b),
            8 => out.push(b'b'),
            9 => out.push(b't'),
            10 => out.push(b'n'),
            12 => out.push(b'f'),
            13 => out.push(b'r'),
            b => {
                out.extend_from_slice(b"u00");
                out.extend_from_slice(&crate::batch::text::hex(b));
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

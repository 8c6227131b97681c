//! Rows → csv, in the form that Flink's file sink gives (Jackson's CSV generator).
//!
//! A text is quoted when it has a byte up to the larger of delimiter and quote, a backslash, or more than 24 characters (Jackson
//! does not look further); a number, a BOOLEAN and the NULL literal never are. Decimals lose trailing zeros and may be `1E+2`.

use super::super::scalar::{self, TimestampFormat};
use super::super::{Encoder, base64_encode};
use super::CsvOptions;
use crate::batch::text::{civil, moment, number};
use crate::batch::{Batch, Column, ColumnData, DataType, Schema, TypeKind};

/// The longest text that is looked at before quoting.
const MAX_CHECKED: usize = 24;

/// See the module's text.
pub struct CsvEncoder {
    options: CsvOptions,
    columns: Vec<(usize, DataType)>,
    /// Texts with a byte below this are quoted.
    min_safe: u8,
    scratch: Vec<u8>,
}

impl CsvEncoder {
    /// An encoder of the columns `columns` of batches of `schema`.
    pub fn new(options: &CsvOptions, schema: &Schema, columns: &[usize]) -> Self {
        let min_safe = options.delimiter.max(options.quote.unwrap_or(0)).max(b'\n') + 1;
        Self {
            options: options.clone(),
            columns: columns.iter().map(|&c| (c, schema.ty(c).clone())).collect(),
            min_safe,
            scratch: Vec::new(),
        }
    }
}

impl Encoder for CsvEncoder {
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let Self { options, columns, min_safe, scratch } = self;
        for (i, (column, ty)) in columns.iter().enumerate() {
            if i > 0 {
                out.push(options.delimiter);
            }
            let c = batch.column(*column);
            if !c.is_valid(row) {
                out.extend_from_slice(options.null_literal.as_deref().unwrap_or_default());
            } else if is_text(&ty.kind) {
                scratch.clear();
                write_plain(c, row, ty, options, scratch);
                write_text(scratch, options, *min_safe, out);
            } else {
                write_plain(c, row, ty, options, out);
            }
        }
        out.push(b'\n');
        Ok(())
    }
}

/// The type's values may need quotes.
fn is_text(kind: &TypeKind) -> bool {
    !(kind.is_numeric() || kind.is_interval() || matches!(kind, TypeKind::Boolean | TypeKind::Null))
}

fn write_text(text: &[u8], options: &CsvOptions, min_safe: u8, out: &mut Vec<u8>) {
    let Some(quote) = options.quote else {
        out.extend_from_slice(text);
        return;
    };
    let special = |&b: &u8| b < min_safe || b == b'\\' || Some(b) == options.escape;
    if !text.iter().any(special) && (text.len() <= MAX_CHECKED || characters(text) <= MAX_CHECKED) {
        out.extend_from_slice(text);
        return;
    }
    out.push(quote);
    for &b in text {
        if b == quote {
            out.push(quote);
        } else if Some(b) == options.escape {
            out.push(b);
        }
        out.push(b);
    }
    out.push(quote);
}

/// Java's length: characters beyond the basic plane count twice.
fn characters(text: &[u8]) -> usize {
    text.iter().map(|b| usize::from(b & 0xc0 != 0x80) + usize::from(*b >= 0xf0)).sum()
}

/// A value that is not NULL, without quotes.
fn write_plain(c: &Column, row: usize, ty: &DataType, options: &CsvOptions, out: &mut Vec<u8>) {
    use TypeKind::*;
    match &ty.kind {
        Null => {}
        Boolean => out.extend_from_slice(if c.bools().get(row) { b"true" } else { b"false" }),
        TinyInt => number::write_i64(c.slice::<i8>()[row].into(), out),
        SmallInt => number::write_i64(c.slice::<i16>()[row].into(), out),
        Int | IntervalMonths(_) => number::write_i64(c.slice::<i32>()[row].into(), out),
        BigInt | IntervalMillis(_) => number::write_i64(c.slice::<i64>()[row], out),
        Float => number::write_f32(c.slice::<f32>()[row], out),
        Double => number::write_f64(c.slice::<f64>()[row], out),
        Decimal(_, s) => scalar::write_decimal(c.slice::<i128>()[row], *s, false, out),
        Char(_) | VarChar(_) | Variant => out.extend_from_slice(c.byte_column().get(row)),
        Bitmap => crate::batch::number_set::write_bitmap_text(c.byte_column().get(row), out),
        Binary(_) | VarBinary(_) => base64_encode(c.byte_column().get(row), out),
        Date => civil::write_date(c.slice::<i32>()[row], out),
        Time(_) => scalar::write_time(c.slice::<i32>()[row], out),
        Timestamp(_) => scalar::write_timestamp(moment(c, row), TimestampFormat::Sql, false, out),
        TimestampLtz(_) => scalar::write_timestamp(moment(c, row), TimestampFormat::Sql, true, out),
        Array(t) => {
            let ColumnData::List { offsets, child } = &c.data else { panic!("ARRAY is a list") };
            for (n, e) in (offsets[row]..offsets[row + 1]).enumerate() {
                write_element(n, child, e as usize, t, options, out);
            }
        }
        Row(fields) => {
            let ColumnData::Row(columns) = &c.data else { panic!("ROW has fields") };
            for (n, (f, c)) in fields.iter().zip(columns).enumerate() {
                write_element(n, c, row, &f.ty, options, out);
            }
        }
        Map(..) | Multiset(_) => unreachable!("csv tables have no MAP: the options' check refuses it"),
    }
}

fn write_element(n: usize, c: &Column, row: usize, ty: &DataType, options: &CsvOptions, out: &mut Vec<u8>) {
    if n > 0 {
        out.push(options.array_delimiter);
    }
    if c.is_valid(row) {
        write_plain(c, row, ty, options, out);
    } else {
        out.extend_from_slice(options.null_literal.as_deref().unwrap_or_default());
    }
}

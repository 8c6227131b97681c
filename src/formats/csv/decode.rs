//! csv → columns, in two passes over at most a batch of records.
//!
//! The first pass cuts records into cells and keeps those of the columns that are read; the second runs once per column with the
//! column's type known, so that its inner loop has one parser and one buffer. A cell that cannot be read ends the rows there
//! (the earliest of all columns counts), or becomes NULL.
//!
//! Two rules are Flink's and look odd: with fewer fields than *columns read* a record fails ("Row length mismatch"), with fewer
//! fields than the table has columns it does not; a text that is not UTF-8 fails even in a column that is not read.

use super::super::scalar::{self, Bad, Read, TimestampFormat};
use super::super::{Decoder, RowError, Rows, lines, own};
use super::CsvOptions;
use super::scan::{Cell, Record, Scanner};
use crate::batch::text::push_moment;
use crate::batch::{Column, ColumnData, DataType, Native, Schema, TypeKind};

/// See the module's text.
pub struct CsvDecoder {
    options: CsvOptions,
    scanner: Scanner,
    /// For each field of a record, which of the columns read it is.
    slots: Vec<Option<u32>>,
    columns: Vec<(String, DataType)>,
    /// Row after row, a cell for each column read.
    cells: Vec<Cell>,
    scratch: Vec<u8>,
    /// Where each record starts in the input and its line, and how many fields it has.
    records: Vec<Start>,
    /// Rows with a field that became NULL because it could not be read.
    nulled: Vec<bool>,
}

#[derive(Clone, Copy)]
struct Start {
    at: usize,
    line: u64,
}

/// A cell that cannot be read: its row and why.
struct Failure {
    row: usize,
    column: usize,
    bad: Bad,
}

impl CsvDecoder {
    /// A decoder that reads the columns `columns` of records of `schema`.
    pub fn new(options: &CsvOptions, schema: &Schema, columns: &[usize]) -> Self {
        let slots =
            (0..schema.len()).map(|i| columns.iter().position(|&c| c == i).map(|s| s as u32)).collect();
        Self {
            scanner: Scanner::new(options, schema.len()),
            options: options.clone(),
            slots,
            columns: columns.iter().map(|&c| (schema.fields[c].name.clone(), schema.ty(c).clone())).collect(),
            cells: Vec::new(),
            scratch: Vec::new(),
            records: Vec::new(),
            nulled: Vec::new(),
        }
    }

    /// The first pass: records until `max_rows` or the input's end. Returns the bytes used.
    fn cut(
        &mut self,
        input: &[u8],
        last: bool,
        max_rows: usize,
        line: &mut u64,
        skipped: &mut Vec<RowError>,
        utf8: bool,
    ) -> (usize, Option<RowError>) {
        self.cells.clear();
        self.scratch.clear();
        self.records.clear();
        let width = self.columns.len();
        let mut at = 0;
        while self.records.len() < max_rows && at < input.len() {
            let base = self.cells.len();
            self.cells.resize(base + width, Cell::MISSING);
            let row = &mut self.cells[base..];
            let slots = &self.slots;
            let found = self.scanner.record(input, at, last, &mut self.scratch, |field, cell| {
                if let Some(slot) = slots[field] {
                    row[slot as usize] = cell;
                }
            });
            let (start, start_line) = (at, *line);
            let wrong = match found {
                Record::Fields { count, end } => {
                    at = end;
                    *line += lines(&input[start..end]);
                    match self.count_is_wrong(count) {
                        Some(message) => Some((start, message)),
                        None if utf8 || simdutf8::basic::from_utf8(&input[start..end]).is_ok() => {
                            self.records.push(Start { at: start, line: start_line });
                            continue;
                        }
                        None => Some((start, "Invalid UTF-8 in the record".into())),
                    }
                }
                Record::Nothing { end } => {
                    at = end;
                    *line += lines(&input[start..end]);
                    self.cells.truncate(base);
                    continue;
                }
                Record::Bad { at: byte, message, end } => {
                    at = end;
                    *line += lines(&input[start..end]);
                    Some((byte, message))
                }
                Record::Incomplete => {
                    self.cells.truncate(base);
                    break;
                }
            };
            self.cells.truncate(base);
            let Some((byte, message)) = wrong else { continue };
            let column = (byte - start) as u64 + 1;
            let error = RowError { line: start_line, column, message, record: start..at };
            if self.options.ignore_parse_errors {
                skipped.push(error);
                continue;
            }
            *line = start_line;
            return (start, Some(error));
        }
        (at, None)
    }

    fn count_is_wrong(&self, count: usize) -> Option<String> {
        if self.options.fail_on_missing && count < self.slots.len() {
            return Some(format!("Not enough column values: expected {}, found {count}", self.slots.len()));
        }
        if count < self.columns.len() && !self.options.ignore_parse_errors {
            let wanted = self.columns.len();
            return Some(format!("Row length mismatch. {wanted} fields expected but was {count}."));
        }
        None
    }

    /// The second pass over column `column`, up to row `rows`.
    fn convert(&mut self, column: usize, input: &[u8], rows: usize, out: &mut Column) -> Result<(), Failure> {
        let ty = self.columns[column].1.clone();
        let mut reader = CellReader {
            input,
            scratch: &self.scratch,
            cells: &self.cells,
            width: self.columns.len(),
            column,
            rows,
            options: &self.options,
            nulled: &mut self.nulled,
        };
        reader.read(&ty, out)
    }
}

impl Decoder for CsvDecoder {
    fn decode(
        &mut self,
        input: &[u8],
        last: bool,
        max_rows: usize,
        line: &mut u64,
        rows: &mut Rows,
    ) -> Result<usize, RowError> {
        let first_line = *line;
        let mut skipped = Vec::new();
        let (mut used, mut error) = self.cut(input, last, max_rows, line, &mut skipped, true);
        if simdutf8::basic::from_utf8(&input[..used]).is_err() {
            // Once more with each record checked.
            *line = first_line;
            skipped.clear();
            (used, error) = self.cut(input, last, max_rows, line, &mut skipped, false);
        }
        let mut good = self.records.len();
        self.nulled.clear();
        self.nulled.resize(if self.options.ignore_parse_errors { good } else { 0 }, false);
        let mut failure: Option<Failure> = None;
        for column in 0..self.columns.len() {
            let out = &mut rows.columns[column];
            if let Err(f) = self.convert(column, input, good, own(out)) {
                good = f.row;
                failure = Some(f);
            }
        }
        rows.bad += skipped.len() as u64;
        rows.skipped.append(&mut skipped);
        rows.nulled += self.nulled.iter().filter(|n| **n).count() as u64;
        rows.rows = good;
        for (i, r) in self.records[..good].iter().enumerate() {
            if i == 0 || r.line != self.records[i - 1].line + 1 {
                rows.lines.push((i as u32, r.line));
            }
        }
        if let Some(f) = failure {
            rows.cut(good);
            let record = self.records[f.row];
            *line = record.line;
            let end = self.records.get(f.row + 1).map_or(used, |next| next.at);
            return Err(self.describe(input, &f, record, end));
        }
        match error {
            Some(e) => Err(e),
            None => Ok(used),
        }
    }
}

impl CsvDecoder {
    #[cold]
    fn describe(&self, input: &[u8], f: &Failure, record: Start, end: usize) -> RowError {
        let (name, ty) = &self.columns[f.column];
        let cell = self.cells[f.row * self.columns.len() + f.column];
        let text = cell.text(input, &self.scratch).unwrap_or_default();
        let column = cell.offset().map_or(0, |o| o - record.at) as u64 + 1;
        let message = format!("Fail to deserialize at field: {name}. {}", f.bad.reason(text, ty));
        RowError { line: record.line, column, message, record: record.at..end }
    }
}

/// One column's cells.
struct CellReader<'a> {
    input: &'a [u8],
    scratch: &'a [u8],
    cells: &'a [Cell],
    width: usize,
    column: usize,
    rows: usize,
    options: &'a CsvOptions,
    nulled: &'a mut [bool],
}

impl<'a> CellReader<'a> {
    #[inline]
    fn text(&self, row: usize) -> Option<&'a [u8]> {
        let text = self.cells[row * self.width + self.column].text(self.input, self.scratch)?;
        if self.is_null(text) { None } else { Some(text) }
    }

    #[inline]
    fn is_null(&self, text: &[u8]) -> bool {
        match &self.options.null_literal {
            Some(n) if text == &n[..] => true,
            _ => self.options.empty_as_null && text.is_empty(),
        }
    }

    #[cold]
    fn fail(&mut self, row: usize, bad: Bad) -> Result<(), Failure> {
        if self.options.ignore_parse_errors {
            self.nulled[row] = true;
            return Ok(());
        }
        Err(Failure { row, column: self.column, bad })
    }

    fn read(&mut self, ty: &DataType, out: &mut Column) -> Result<(), Failure> {
        use TypeKind::*;
        match ty.kind {
            Char(_) | VarChar(_) => self.strings(out),
            Int | IntervalMonths(_) => self.fixed(out, |t| {
                scalar::integer(t, i32::MIN.into(), i32::MAX.into()).map(|v| v.map(|v| v as i32))
            }),
            BigInt | IntervalMillis(_) => self.fixed(out, |t| scalar::integer(t, i64::MIN, i64::MAX)),
            Float => self.fixed(out, scalar::float),
            Double => self.fixed(out, scalar::double),
            Decimal(p, s) => self.fixed(out, |t| scalar::decimal_of(t, p, s)),
            Date => self.fixed(out, scalar::date_sql),
            Time(p) => self.fixed(out, |t| scalar::time_iso(t, p)),
            Timestamp(p) | TimestampLtz(p) if p <= 6 => {
                let instant = matches!(ty.kind, TimestampLtz(_));
                self.fixed(out, |t| Ok(timestamp(t, instant, p)?.map(|m| m.micros())))
            }
            _ => self.general(ty, out),
        }
    }

    fn fixed<T: Native>(
        &mut self,
        out: &mut Column,
        parse: impl Fn(&[u8]) -> Read<T>,
    ) -> Result<(), Failure> {
        for row in 0..self.rows {
            let value = match self.text(row) {
                None => None,
                Some(t) => match parse(t) {
                    Ok(v) => v,
                    Err(bad) => {
                        self.fail(row, bad)?;
                        None
                    }
                },
            };
            out.validity.push(value.is_some());
            out.buffer_mut::<T>().push(value.unwrap_or_default());
        }
        Ok(())
    }

    fn strings(&mut self, out: &mut Column) -> Result<(), Failure> {
        let Column { validity, data: ColumnData::Bytes(bytes) } = out else { panic!("text is bytes") };
        let mut bytes = bytes.writer();
        for row in 0..self.rows {
            let text = self.text(row);
            validity.push(text.is_some());
            bytes.push(text.unwrap_or_default());
        }
        Ok(())
    }

    /// Types that are rare in csv, a value at a time.
    fn general(&mut self, ty: &DataType, out: &mut Column) -> Result<(), Failure> {
        for row in 0..self.rows {
            let cell = self.cells[row * self.width + self.column].text(self.input, self.scratch);
            let failed = match cell {
                // An ARRAY or ROW looks for the NULL literal in its elements only.
                Some(t) if ty.kind.is_nested() || !self.is_null(t) => self.value(ty, t, out).err(),
                _ => {
                    out.push_null();
                    None
                }
            };
            if let Some(bad) = failed {
                self.fail(row, bad)?;
                out.push_null();
            }
        }
        Ok(())
    }

    /// Appends one value, or on failure nothing.
    fn value(&mut self, ty: &DataType, text: &[u8], out: &mut Column) -> Result<(), Bad> {
        use TypeKind::*;
        fn put<T: Native>(out: &mut Column, v: Option<T>) {
            out.validity.push(v.is_some());
            out.buffer_mut::<T>().push(v.unwrap_or_default());
        }
        match &ty.kind {
            Boolean => {
                out.bools_mut().push(scalar::boolean(text));
                out.validity.push(true);
            }
            TinyInt => {
                let v = narrow(text, i8::MIN.into(), i8::MAX.into())?;
                put(out, v.map(|v| v as i8));
            }
            SmallInt => {
                let v = narrow(text, i16::MIN.into(), i16::MAX.into())?;
                put(out, v.map(|v| v as i16));
            }
            Int | IntervalMonths(_) => {
                let v = scalar::integer(text, i32::MIN.into(), i32::MAX.into())?;
                put(out, v.map(|v| v as i32));
            }
            BigInt | IntervalMillis(_) => put(out, scalar::integer(text, i64::MIN, i64::MAX)?),
            Float => put(out, scalar::float(text)?),
            Double => put(out, scalar::double(text)?),
            Decimal(p, s) => put(out, scalar::decimal_of(text, *p, *s)?),
            Char(_) | VarChar(_) => {
                out.byte_column_mut().push(text);
                out.validity.push(true);
            }
            Binary(_) | VarBinary(_) => {
                let mut bytes = Vec::new();
                scalar::base64(text, &mut bytes)?;
                out.byte_column_mut().push(&bytes);
                out.validity.push(true);
            }
            Date => put(out, scalar::date_sql(text)?),
            Time(p) => put(out, scalar::time_iso(text, *p)?),
            Timestamp(p) | TimestampLtz(p) => {
                let m = timestamp(text, matches!(ty.kind, TimestampLtz(_)), *p)?;
                push_moment(out, m.unwrap_or_default());
                out.validity.push(m.is_some());
            }
            Array(element) => self.array(element, text, out)?,
            Row(fields) => {
                let types: Vec<&DataType> = fields.iter().map(|f| &f.ty).collect();
                self.row(&types, text, out)?;
            }
            Null | Map(..) | Multiset(_) | Variant | Bitmap => out.push_null(),
        }
        Ok(())
    }

    fn elements<'t>(&self, text: &'t [u8]) -> impl Iterator<Item = &'t [u8]> + use<'t> {
        let (delimiter, trim) = (self.options.array_delimiter, self.options.trim_spaces);
        // A text of blanks has no element at all.
        let none = scalar_trim(text).is_empty();
        let parts = text.split(move |&b| b == delimiter).map(move |t| if trim { scalar_trim(t) } else { t });
        parts.take(if none { 0 } else { usize::MAX })
    }

    fn array(&mut self, element: &DataType, text: &[u8], out: &mut Column) -> Result<(), Bad> {
        let Column { validity, data: ColumnData::List { offsets, child } } = out else {
            panic!("ARRAY is a list")
        };
        let before = child.len();
        for t in self.elements(text) {
            self.element(element, t, child).inspect_err(|_| child.truncate(before))?;
        }
        offsets.push(child.len() as u32);
        validity.push(true);
        Ok(())
    }

    /// A ROW is written like an array. None of its fields: NULL; fewer fields than it has: a mismatch.
    fn row(&mut self, types: &[&DataType], text: &[u8], out: &mut Column) -> Result<(), Bad> {
        let parts: Vec<&[u8]> = self.elements(text).collect();
        if parts.is_empty() {
            out.push_null();
            return Ok(());
        }
        if parts.len() < types.len() && !self.options.ignore_parse_errors {
            return Err(Bad::Form);
        }
        let Column { validity, data: ColumnData::Row(fields) } = out else { panic!("ROW has fields") };
        let before = validity.len();
        for (i, ty) in types.iter().enumerate() {
            let column = own(&mut fields[i]);
            let done = match parts.get(i) {
                Some(t) => self.element(ty, t, column),
                None => {
                    column.push_null();
                    Ok(())
                }
            };
            if let Err(bad) = done {
                fields.iter_mut().for_each(|f| own(f).truncate(before));
                return Err(bad);
            }
        }
        validity.push(true);
        Ok(())
    }

    fn element(&mut self, ty: &DataType, text: &[u8], out: &mut Column) -> Result<(), Bad> {
        if self.is_null(text) {
            out.push_null();
            return Ok(());
        }
        match self.value(ty, text, out) {
            Err(_) if self.options.ignore_parse_errors => {
                out.push_null();
                Ok(())
            }
            r => r,
        }
    }
}

fn scalar_trim(text: &[u8]) -> &[u8] {
    crate::batch::text::number::trim(text)
}

/// TINYINT and SMALLINT.
fn narrow(text: &[u8], min: i64, max: i64) -> Read<i64> {
    match scalar::integer(text, min, max) {
        Err(Bad::Form) if scalar::integer(text, i32::MIN.into(), i32::MAX.into()).is_ok() => Err(Bad::Range),
        r => r,
    }
}

#[inline]
fn timestamp(text: &[u8], instant: bool, precision: u8) -> Read<crate::batch::text::civil::Moment> {
    scalar::timestamp(scalar_trim(text), TimestampFormat::Sql, instant, precision)
}

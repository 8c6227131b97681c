//! Results as lines: the changelog form of the conformance cases, JSON, CSV, and columns aligned by spaces.
//!
//! A line is complete as soon as its row is known; nothing waits for the rows after it.

use super::{Shape, aligned};
use crate::args::Format;
use pelton::batch::text::{Style, write_json_string, write_value};
use pelton::batch::{Batch, RowKind, TypeKind};
use unicode_width::UnicodeWidthStr as _;

/// Turns batches into lines of one form.
pub(crate) struct Lines {
    shape: Shape,
    format: Format,
    /// Column widths of the aligned form; they grow with the values, never shrink.
    widths: Vec<usize>,
    /// The header of the aligned form waits for the first rows, to be as wide as they are.
    owes_header: bool,
    /// What stands before and after that header: a terminal's codes for bold.
    bold: (&'static str, &'static str),
}

impl Lines {
    pub(crate) fn new(shape: Shape, format: Format) -> Self {
        let widths =
            shape.schema.fields.iter().map(|f| f.name.width().max(usual_width(&f.ty.kind))).collect();
        Self { shape, format, widths, owes_header: false, bold: ("", "") }
    }

    /// Sets what stands before and after the header of the aligned form.
    pub(crate) fn bold(self, bold: (&'static str, &'static str)) -> Self {
        Self { bold, ..self }
    }

    /// What stands before the first row. Called once, before any batch.
    pub(crate) fn header(&mut self, out: &mut Vec<u8>) {
        let fields = &self.shape.schema.fields;
        match self.format {
            Format::Json => return,
            Format::Changelog => {
                let parts: Vec<String> =
                    fields.iter().map(|f| format!("{} {}", quoted_name(&f.name), f.ty)).collect();
                out.extend_from_slice(format!("# {}", parts.join(", ")).as_bytes());
            }
            Format::Csv => {
                let op = self.shape.updates.then_some("op");
                for (i, name) in op.into_iter().chain(fields.iter().map(|f| f.name.as_str())).enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    write_csv(name.as_bytes(), out);
                }
            }
            Format::Table => {
                self.owes_header = true;
                return;
            }
        }
        out.push(b'\n');
    }

    /// What stands after the last row.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.owes_header) {
            let names: Vec<String> = self.shape.schema.fields.iter().map(|f| f.name.clone()).collect();
            let (before, after) = self.bold;
            let line = self.aligned_line(None, &names);
            out.extend_from_slice(format!("{before}{line}{after}\n").as_bytes());
        }
    }

    /// One line for each selected row.
    pub(crate) fn batch(&mut self, batch: &Batch, out: &mut Vec<u8>) {
        if self.format == Format::Table {
            self.table(batch, out);
            return;
        }
        for row in batch.sel().iter() {
            match self.format {
                Format::Changelog => self.changelog(batch, row, out),
                Format::Json => self.json(batch, row, out),
                Format::Csv | Format::Table => self.csv(batch, row, out),
            }
            out.push(b'\n');
        }
    }

    fn table(&mut self, batch: &Batch, out: &mut Vec<u8>) {
        let columns = 0..self.shape.schema.len();
        let rows: Vec<(RowKind, Vec<String>)> = batch
            .sel()
            .iter()
            .map(|row| (batch.kind(row), columns.clone().map(|c| self.shape.cell(batch, c, row)).collect()))
            .collect();
        for (_, cells) in &rows {
            for (w, cell) in self.widths.iter_mut().zip(cells) {
                *w = (*w).max(cell.width());
            }
        }
        if !rows.is_empty() {
            self.finish(out);
        }
        for (kind, cells) in &rows {
            out.extend_from_slice(self.aligned_line(Some(*kind), cells).as_bytes());
            out.push(b'\n');
        }
    }

    fn changelog(&self, batch: &Batch, row: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(batch.kind(row).short().as_bytes());
        for c in 0..self.shape.schema.len() {
            out.push(b'\t');
            self.value(batch, c, row, out);
        }
    }

    fn value(&self, batch: &Batch, column: usize, row: usize, out: &mut Vec<u8>) {
        write_value(
            batch.column(column),
            row,
            self.shape.ty(column),
            &self.shape.zone,
            Style::Changelog,
            out,
        );
    }

    fn aligned_line(&self, kind: Option<RowKind>, cells: &[String]) -> String {
        let line = aligned(cells, &self.widths, |c| self.shape.is_right(c));
        match (self.shape.updates, kind) {
            (false, _) => line,
            (true, Some(kind)) => format!("{}  {line}", kind.short()),
            (true, None) => format!("op  {line}"),
        }
    }

    fn json(&self, batch: &Batch, row: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        if self.shape.updates {
            out.extend_from_slice(format!("\"op\":\"{}\",\"row\":{{", batch.kind(row).short()).as_bytes());
        }
        for (c, field) in self.shape.schema.fields.iter().enumerate() {
            if c > 0 {
                out.push(b',');
            }
            write_json_string(field.name.as_bytes(), out);
            out.push(b':');
            self.json_value(batch, c, row, out);
        }
        out.extend_from_slice(if self.shape.updates { b"}}" } else { b"}" });
    }

    fn json_value(&self, batch: &Batch, column: usize, row: usize, out: &mut Vec<u8>) {
        let (c, ty) = (batch.column(column), self.shape.ty(column));
        if !c.is_valid(row) {
            out.extend_from_slice(b"null");
            return;
        }
        if ty.kind.is_character() {
            write_json_string(c.byte_column().get(row), out);
            return;
        }
        let mut text = vec![];
        self.value(batch, column, row, &mut text);
        let finite = !text.iter().any(|&b| b == b'N' || b == b'y'); // NaN, Infinity
        if ty.kind.is_nested() {
            out.extend_from_slice(&unescaped(&text));
        } else if (ty.kind.is_numeric() && finite) || ty.kind == TypeKind::Boolean {
            out.extend_from_slice(&text);
        } else {
            write_json_string(&text, out);
        }
    }

    fn csv(&self, batch: &Batch, row: usize, out: &mut Vec<u8>) {
        if self.shape.updates {
            out.extend_from_slice(batch.kind(row).short().as_bytes());
            out.push(b',');
        }
        for column in 0..self.shape.schema.len() {
            if column > 0 {
                out.push(b',');
            }
            let (c, ty) = (batch.column(column), self.shape.ty(column));
            if !c.is_valid(row) {
                continue;
            }
            if ty.kind.is_character() {
                write_csv(c.byte_column().get(row), out);
                continue;
            }
            let mut text = vec![];
            self.value(batch, column, row, &mut text);
            write_csv(&if ty.kind.is_nested() { unescaped(&text) } else { text }, out);
        }
    }
}

/// Widths that spare most results a shift in the middle: those of times.
fn usual_width(kind: &TypeKind) -> usize {
    match kind {
        TypeKind::Date => 10,
        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) => 19 + if *p > 0 { 1 + *p as usize } else { 0 },
        _ => 0,
    }
}

/// A column's name as SQL writes it: in back quotes unless it is a plain identifier.
fn quoted_name(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$');
    if first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$') {
        name.to_owned()
    } else {
        format!("`{name}`")
    }
}

/// A CSV field; the empty string is quoted, so that it differs from NULL.
fn write_csv(text: &[u8], out: &mut Vec<u8>) {
    if !text.is_empty() && !text.iter().any(|b| b",\"\r\n".contains(b)) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for &b in text {
        if b == b'"' {
            out.push(b'"');
        }
        out.push(b);
    }
    out.push(b'"');
}

/// Takes back the escapes of the changelog form.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&b) = bytes.next() {
        out.push(match b {
            b'\\' => match bytes.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(&other) => other,
                None => b'\\',
            },
            b => b,
        });
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use pelton::batch::{Column, ColumnRef, Field, Schema};

    /// (`k STRING`, `n INT`), of the given kinds.
    pub(crate) fn batch(rows: &[(RowKind, Option<&str>, Option<i32>)]) -> Batch {
        let mut k = Column::of_kind(&TypeKind::STRING);
        let mut n = Column::of_kind(&TypeKind::Int);
        for (_, key, number) in rows {
            match key {
                Some(text) => {
                    k.byte_column_mut().push(text.as_bytes());
                    k.validity.push(true);
                }
                None => k.push_null(),
            }
            match number {
                Some(v) => {
                    n.buffer_mut::<i32>().push(*v);
                    n.validity.push(true);
                }
                None => n.push_null(),
            }
        }
        let mut b = Batch::new(vec![ColumnRef::new(k), ColumnRef::new(n)], rows.len());
        b.set_kinds(Some(rows.iter().map(|r| r.0).collect()));
        b
    }

    pub(crate) fn shape(updates: bool) -> Shape {
        let fields =
            vec![Field::new("k", TypeKind::STRING.nullable()), Field::new("the n", TypeKind::Int.nullable())];
        Shape { schema: Schema::new(fields), zone: jiff::tz::TimeZone::UTC, updates, upsert_key: None }
    }

    fn lines(format: Format, updates: bool, rows: &[(RowKind, Option<&str>, Option<i32>)]) -> String {
        let mut l = Lines::new(shape(updates), format);
        let mut out = vec![];
        l.header(&mut out);
        l.batch(&batch(rows), &mut out);
        l.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    use RowKind::{Insert, UpdateAfter, UpdateBefore};

    #[test]
    fn every_form_of_the_same_rows() {
        let rows = [
            (Insert, Some("a\t\"b\",é"), Some(1)),
            (UpdateBefore, None, Some(-20)),
            (UpdateAfter, Some(""), None),
        ];
        assert_eq!(
            lines(Format::Changelog, true, &rows),
            "# k STRING, `the n` INT\n+I\ta\\t\"b\",é\t1\n-U\t\\N\t-20\n+U\t\t\\N\n"
        );
        assert_eq!(
            lines(Format::Json, true, &rows),
            "{\"op\":\"+I\",\"row\":{\"k\":\"a\\t\\\"b\\\",é\",\"the n\":1}}\n{\"op\":\"-U\",\"row\":{\"k\":null,\"the n\":-20}}\n{\"op\":\"+U\",\"row\":{\"k\":\"\",\"the n\":null}}\n"
        );
        assert_eq!(
            lines(Format::Csv, true, &rows),
            "op,k,the n\n+I,\"a\t\"\"b\"\",é\",1\n-U,,-20\n+U,\"\",\n"
        );
        assert_eq!(
            lines(Format::Table, true, &rows),
            "op  k         the n\n+I  a\\t\"b\",é      1\n-U  NULL        -20\n+U             NULL\n"
        );
    }

    #[test]
    fn a_result_without_updates_has_no_kinds() {
        let rows = [(Insert, Some("x"), Some(1))];
        assert_eq!(lines(Format::Json, false, &rows), "{\"k\":\"x\",\"the n\":1}\n");
        assert_eq!(lines(Format::Csv, false, &rows), "k,the n\nx,1\n");
        assert_eq!(lines(Format::Table, false, &rows), "k  the n\nx      1\n");
    }
}

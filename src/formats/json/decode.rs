//! JSON lines → columns, in two passes over at most a batch of records.
//!
//! The first pass ([`tree`](super::tree)) takes tokens and keeps a range of the input for every value that is read; the second
//! ([`fill`](super::fill)) parses one leaf column after the other. Between them a record that is not JSON has been dropped as a
//! whole, so the second pass sees complete rows only.

use super::super::{Decoder, RowError, Rows, line_at, own};
use super::JsonOptions;
use super::fill::{Failure, Filler};
use super::parser::{Parser, Token};
use super::tree::{Fail, Node, Rules};
use crate::batch::Schema;

/// See the module's text.
pub struct JsonDecoder {
    options: JsonOptions,
    /// The record: a row of the columns that are read.
    record: Node,
    open: Vec<bool>,
    scratch: Vec<u8>,
    /// Where each row's line starts in the input, and its number.
    rows: Vec<(usize, u64)>,
    nulled: Vec<bool>,
}

impl JsonDecoder {
    /// A decoder that reads the columns `columns` of records of `schema`.
    pub fn new(options: &JsonOptions, schema: &Schema, columns: &[usize]) -> Self {
        let fields = columns.iter().map(|&c| (schema.fields[c].name.as_str(), schema.ty(c)));
        Self {
            options: options.clone(),
            record: Node::row(fields),
            open: Vec::new(),
            scratch: Vec::new(),
            rows: Vec::new(),
            nulled: Vec::new(),
        }
    }

    /// Of each row of the last call that decoded: where its line starts in the input, and the line's number.
    pub(super) fn places(&self) -> &[(usize, u64)] {
        &self.rows
    }

    /// The first pass: lines until `max_rows` or the input's end (a line with an array may pass it). Returns the bytes used.
    fn cut(
        &mut self,
        input: &[u8],
        last: bool,
        max_rows: usize,
        line: &mut u64,
        skipped: &mut Vec<RowError>,
        utf8: bool,
    ) -> (usize, Option<RowError>) {
        self.record.clear();
        self.rows.clear();
        self.nulled.clear();
        let mut at = 0;
        while self.rows.len() < max_rows && at < input.len() {
            let (end, next) = match memchr::memchr(b'\n', &input[at..]) {
                Some(n) => (at + n, at + n + 1),
                None if last => (input.len(), input.len()),
                None => break,
            };
            let end = if end > at && input[end - 1] == b'\r' { end - 1 } else { end };
            if end > at {
                let before = self.rows.len();
                let taken = if utf8 || simdutf8::basic::from_utf8(&input[at..end]).is_ok() {
                    self.line(&input[..end], at, *line, skipped)
                } else {
                    Err((at, "Invalid UTF-8 in the record".into()))
                };
                if let Err((byte, message)) = taken {
                    let column = byte.saturating_sub(at) as u64 + 1;
                    let wrong = RowError { line: *line, column, message, record: at..next };
                    if !self.options.ignore_parse_errors {
                        self.rows.truncate(before);
                        self.nulled.truncate(before);
                        self.record.truncate(before);
                        return (at, Some(wrong));
                    }
                    skipped.push(wrong);
                }
            }
            *line += 1;
            at = next;
        }
        (at, None)
    }

    /// Takes the rows of one line, which ends with the input.
    fn line(
        &mut self,
        input: &[u8],
        start: usize,
        line: u64,
        skipped: &mut Vec<RowError>,
    ) -> Result<(), (usize, String)> {
        let Self { record, open, rows, nulled, options, .. } = self;
        let rules =
            Rules { ignore: options.ignore_parse_errors, fail_on_missing: options.fail_on_missing_field };
        let mut p = Parser::new(input, start, open);
        let mut array = false;
        loop {
            let before = record.len();
            let mut nulls = false;
            let taken = p.next().map_err(Fail::from).and_then(|token| match token {
                Token::EndArray if array => Ok(false),
                Token::StartArray if !array => {
                    array = true;
                    Ok(true)
                }
                // A NULL in the array is no row.
                Token::Null if array => Ok(true),
                Token::End => Err(Fail::Value {
                    at: start,
                    path: vec![],
                    message: "No content to map due to end-of-input".into(),
                }),
                token => record.take_record(token, &mut p, rules, &mut nulls).map(|()| array),
            });
            match taken {
                Ok(more) => {
                    if record.len() > before {
                        rows.push((start, line));
                        nulled.push(nulls);
                    }
                    if !more {
                        return Ok(());
                    }
                }
                Err(Fail::Value { at, mut path, message }) => {
                    record.truncate(before);
                    path.reverse();
                    let message = match path.first() {
                        Some(field) => {
                            format!("Fail to deserialize at field: {field}. {}{message}", within(&path))
                        }
                        None => message,
                    };
                    if rules.ignore && array {
                        let column = at.saturating_sub(start) as u64 + 1;
                        skipped.push(RowError { line, column, message, record: start..input.len() });
                        continue;
                    }
                    return Err((at, message));
                }
                Err(Fail::Syntax(s)) => {
                    record.truncate(before);
                    return Err((s.at, s.message));
                }
            }
        }
    }

    #[cold]
    fn describe(&self, input: &[u8], f: Failure) -> RowError {
        let (start, line) = self.rows[f.index];
        let path: Vec<String> = f.path.into_iter().rev().collect();
        let field = path.first().map_or("", String::as_str);
        let message = format!("Fail to deserialize at field: {field}. {}{}", within(&path), f.message);
        RowError { line, column: (f.at - start) as u64 + 1, message, record: line_at(input, start) }
    }
}

/// Where in the field, when it has parts.
fn within(path: &[String]) -> String {
    if path.len() > 1 { format!("In {}: ", path.join(".")) } else { String::new() }
}

impl Decoder for JsonDecoder {
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
            *line = first_line;
            skipped.clear();
            (used, error) = self.cut(input, last, max_rows, line, &mut skipped, false);
        }
        let mut good = self.rows.len();
        let mut failure = None;
        let mut filler = Filler {
            input,
            ignore: self.options.ignore_parse_errors,
            timestamps: self.options.timestamp_format,
            failed: Vec::new(),
            scratch: std::mem::take(&mut self.scratch),
        };
        for i in 0..rows.columns.len() {
            let column = own(&mut rows.columns[i]);
            loop {
                let Node::Row { children, .. } = &mut self.record else { panic!("a record is an object") };
                if failure.is_some() {
                    children[i].truncate(good);
                }
                let Err(mut f) = filler.fill(&children[i], column) else { break };
                // Once more for the rows before: the parts of a nested column have different lengths now.
                *column = column.empty_like();
                good = f.index;
                f.path.push(self.record.field_name(i));
                failure = Some(f);
            }
        }
        for &row in &filler.failed {
            self.nulled[row] = true;
        }
        self.scratch = filler.scratch;
        rows.bad += skipped.len() as u64;
        rows.skipped.append(&mut skipped);
        rows.nulled += self.nulled[..good].iter().filter(|n| **n).count() as u64;
        rows.rows = good;
        for (i, r) in self.rows[..good].iter().enumerate() {
            if i == 0 || r.1 != self.rows[i - 1].1 + 1 {
                rows.lines.push((i as u32, r.1));
            }
        }
        if let Some(f) = failure {
            rows.cut(good);
            let error = self.describe(input, f);
            *line = error.line;
            return Err(error);
        }
        match error {
            Some(e) => Err(e),
            None => Ok(used),
        }
    }
}

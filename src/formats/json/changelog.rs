//! `debezium-json`, `canal-json`, `maxwell-json`, `ogg-json`: changes of a database table in JSON envelopes ↔ rows with kinds.
//!
//! | format | rows | kind | of an update |
//! |---|---|---|---|
//! | debezium | `before`, `after` (below `payload` with `schema-include`) | `op`: c r u d | both rows whole |
//! | ogg | `before`, `after` | `op_type`: I U D | both rows whole |
//! | canal | `data`, `old`: arrays | `type`: INSERT UPDATE DELETE | `old` has the changed fields only |
//! | maxwell | `data`, `old` | `type`: insert update delete | `old` has the changed fields only |
//!
//! An envelope is a record of the json format, so its options and its tolerance are those of `json`; a column that a query does not
//! read is looked for in neither row. An update gives `-U` and `+U`; written, it is a deletion and an insertion, as Flink writes it.
//! A field that `old` has not was not changed; one that it has as null was null.

use super::super::{Decoder, Encoder, OptionError, RowError, Rows, flag, line_at, own};
use super::decode::JsonDecoder;
use super::encode::JsonEncoder;
use super::parser::{Parser, Token};
use super::{JsonOptions, check as check_columns};
use crate::batch::{Batch, Column, ColumnData, ColumnRef, DataType, Field, RowKind, Schema, TypeKind};
use std::ops::Range;

/// Whose envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// `debezium-json`
    Debezium,
    /// `canal-json`
    Canal,
    /// `maxwell-json`
    Maxwell,
    /// `ogg-json`
    Ogg,
}

use Envelope::{Canal, Debezium, Maxwell, Ogg};

impl Envelope {
    /// Of the format of that name.
    pub fn of_format(name: &str) -> Option<Self> {
        [Debezium, Canal, Maxwell, Ogg].into_iter().find(|e| e.format() == name)
    }

    /// The format's name.
    pub fn format(self) -> &'static str {
        match self {
            Debezium => "debezium-json",
            Canal => "canal-json",
            Maxwell => "maxwell-json",
            Ogg => "ogg-json",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Debezium => "Debezium",
            Canal => "Canal",
            Maxwell => "Maxwell",
            Ogg => "Ogg",
        }
    }

    /// The fields of the old row, the new row and the kind.
    fn fields(self) -> [&'static str; 3] {
        match self {
            Debezium => ["before", "after", "op"],
            Ogg => ["before", "after", "op_type"],
            Canal | Maxwell => ["old", "data", "type"],
        }
    }

    /// Insertions and deletions, as they are written.
    fn written(self) -> [&'static str; 2] {
        match self {
            Debezium => ["c", "d"],
            Ogg => ["I", "D"],
            Canal => ["INSERT", "DELETE"],
            Maxwell => ["insert", "delete"],
        }
    }

    fn change(self, text: &[u8]) -> Option<Change> {
        let [insert, delete] = self.written();
        let update: &[u8] = match self {
            Debezium => b"u",
            Ogg => b"U",
            Canal => b"UPDATE",
            Maxwell => b"update",
        };
        match text {
            t if t == insert.as_bytes() || self == Debezium && t == b"r" => Some(Change::Insert),
            t if t == delete.as_bytes() => Some(Change::Delete),
            t if t == update => Some(Change::Update),
            b"CREATE" if self == Canal => Some(Change::None),
            _ => None,
        }
    }

    /// The deleted row is the old one.
    fn deletes_old(self) -> bool {
        matches!(self, Debezium | Ogg)
    }

    /// The options, without the prefix.
    pub const fn option_names(self) -> &'static [&'static str] {
        match self {
            Debezium => &[
                "encode.decimal-as-plain-number",
                "encode.ignore-null-fields",
                "ignore-parse-errors",
                "map-null-key.literal",
                "map-null-key.mode",
                "schema-include",
                "timestamp-format.standard",
            ],
            Canal => &[
                "database.include",
                "encode.decimal-as-plain-number",
                "encode.ignore-null-fields",
                "ignore-parse-errors",
                "map-null-key.literal",
                "map-null-key.mode",
                "table.include",
                "timestamp-format.standard",
            ],
            Maxwell | Ogg => &[
                "encode.decimal-as-plain-number",
                "encode.ignore-null-fields",
                "ignore-parse-errors",
                "map-null-key.literal",
                "map-null-key.mode",
                "timestamp-format.standard",
            ],
        }
    }
}

enum Change {
    Insert,
    Update,
    Delete,
    /// No row's change: a table was made.
    None,
}

/// The options of such a format, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangelogOptions {
    /// Whose envelopes.
    pub envelope: Envelope,
    /// How the rows and the envelope are read and written.
    pub json: JsonOptions,
    /// The envelope stands below `payload`.
    pub schema_include: bool,
    /// Only changes of databases whose name matches as a whole.
    pub database_include: Option<String>,
    /// Only changes of tables whose name matches as a whole.
    pub table_include: Option<String>,
}

/// An expression that a whole name has to match.
fn whole(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::Regex::new(&format!("^(?:{pattern})$"))
}

impl ChangelogOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn from_options<'a>(
        envelope: Envelope,
        get: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, OptionError> {
        let json = JsonOptions::from_options(|k| get(k).filter(|_| envelope.option_names().contains(&k)))?;
        let pattern = |key: &str| {
            let text = get(key).filter(|_| envelope == Canal);
            text.map(|t| match whole(t) {
                Ok(_) => Ok(t.to_owned()),
                Err(e) => Err(OptionError::new(key, format!("'{t}' is not a regular expression: {e}"))),
            })
            .transpose()
        };
        Ok(Self {
            envelope,
            json,
            schema_include: flag("schema-include", get("schema-include"), false)?,
            database_include: pattern("database.include")?,
            table_include: pattern("table.include")?,
        })
    }
}

/// Checks that rows of these columns can be read or written.
pub(in crate::formats) fn check(
    options: &ChangelogOptions,
    schema: &Schema,
    reading: bool,
) -> Result<(), OptionError> {
    if options.schema_include && !reading {
        return Err(OptionError::new(
            "schema-include",
            "Debezium JSON serialization doesn't support 'debezium-json.schema-include' option been set to true",
        ));
    }
    check_columns(schema)
}

/// A row to give out.
struct Pick {
    kind: RowKind,
    /// Taken from the old rows; where not, from the new ones.
    old: bool,
    at: u32,
    /// The new row that fills what the old one has not, and where its names begin in `present`.
    rest: Option<(u32, usize)>,
    line: u64,
}

/// Envelopes → rows. See the module's text.
pub struct ChangelogDecoder {
    options: ChangelogOptions,
    include: Vec<(&'static [u8], regex::Regex)>,
    names: Vec<Vec<u8>>,
    json: JsonDecoder,
    types: Vec<DataType>,
    envelopes: Rows,
    picks: Vec<Pick>,
    /// For each update with an incomplete old row: which of the columns' names it has.
    present: Vec<bool>,
    rows: Vec<u32>,
    open: Vec<bool>,
}

impl ChangelogDecoder {
    /// A decoder that reads the columns `columns` of tables of `schema`.
    pub fn new(options: &ChangelogOptions, schema: &Schema, columns: &[usize]) -> Self {
        let fields = columns.iter().map(|&c| {
            let f = &schema.fields[c];
            Field::new(f.name.clone(), f.ty.clone())
        });
        let names = columns.iter().map(|&c| schema.fields[c].name.clone().into_bytes()).collect();
        let row = TypeKind::Row(fields.collect()).nullable();
        let rows = match options.envelope {
            Canal => TypeKind::Array(Box::new(row)).nullable(),
            _ => row,
        };
        let [old, new, kind] = options.envelope.fields();
        let mut record = vec![
            Field::new(old, rows.clone()),
            Field::new(new, rows),
            Field::new(kind, TypeKind::STRING.nullable()),
        ];
        if options.schema_include {
            record = vec![Field::new("payload", TypeKind::Row(record).nullable())];
        }
        let record = Schema::new(record);
        let all: Vec<usize> = (0..record.len()).collect();
        let include = [("database", &options.database_include), ("table", &options.table_include)];
        let include = include.into_iter().filter_map(|(field, pattern)| {
            let pattern = whole(pattern.as_ref()?).expect("it was checked with the options");
            Some((field.as_bytes(), pattern))
        });
        Self {
            options: options.clone(),
            include: include.collect(),
            names,
            json: JsonDecoder::new(&options.json, &record, &all),
            types: all.iter().map(|&c| record.ty(c).clone()).collect(),
            envelopes: Rows::default(),
            picks: Vec::new(),
            present: Vec::new(),
            rows: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Decodes whole lines and appends their rows.
    fn run(
        &mut self,
        input: &[u8],
        last: bool,
        max_rows: usize,
        line: &mut u64,
        rows: &mut Rows,
    ) -> Result<usize, RowError> {
        self.envelopes.start(self.types.iter().map(|t| ColumnRef::new(Column::new(t))).collect());
        let decoded = self.json.decode(input, last, max_rows, line, &mut self.envelopes);
        let picked = self.pick(input, rows);
        self.append(rows);
        rows.bad += self.envelopes.bad;
        rows.skipped.append(&mut self.envelopes.skipped);
        rows.nulled += self.envelopes.nulled;
        if let Err(e) = picked {
            *line = e.line;
            return Err(e);
        }
        decoded
    }

    /// Decodes these whole lines of the input.
    fn lines(
        &mut self,
        input: &[u8],
        part: Range<usize>,
        line: &mut u64,
        rows: &mut Rows,
    ) -> Result<(), RowError> {
        let start = part.start;
        let place = |e: &mut RowError| e.record = e.record.start + start..e.record.end + start;
        let before = rows.skipped.len();
        let done = self.run(&input[part], true, usize::MAX, line, rows);
        rows.skipped[before..].iter_mut().for_each(place);
        done.map(drop).map_err(|mut e| {
            place(&mut e);
            e
        })
    }

    /// What the envelopes say, in order.
    fn pick(&mut self, input: &[u8], rows: &mut Rows) -> Result<(), RowError> {
        let Self { options, json, envelopes, picks, present, names, open, .. } = self;
        picks.clear();
        present.clear();
        let [old, new, kinds] = parts(&envelopes.columns);
        for (e, &(start, line)) in json.places().iter().enumerate().take(envelopes.rows) {
            let reason = match kinds.is_valid(e) {
                false => format!("\"{}\" is missing", options.envelope.fields()[2]),
                true => {
                    let text = kinds.byte_column().get(e);
                    let done = match options.envelope.change(text) {
                        None => Err(format!(
                            "Unknown \"{}\" value \"{}\"",
                            options.envelope.fields()[2],
                            String::from_utf8_lossy(text)
                        )),
                        Some(Change::None) => Ok(()),
                        Some(Change::Insert) => each(new, e, options, 1, |at| {
                            picks.push(Pick { kind: RowKind::Insert, old: false, at, rest: None, line });
                        }),
                        Some(Change::Delete) => {
                            let of_old = options.envelope.deletes_old();
                            let (side, number) = if of_old { (old, 0) } else { (new, 1) };
                            each(side, e, options, number, |at| {
                                picks.push(Pick { kind: RowKind::Delete, old: of_old, at, rest: None, line });
                            })
                        }
                        Some(Change::Update) => {
                            let from = present.len();
                            if !options.envelope.deletes_old() {
                                mentioned(input, start, options.envelope.fields()[0], names, open, present);
                            }
                            update(old, new, e, options, |old, new| {
                                let rest = (!options.envelope.deletes_old()).then_some((new, from));
                                picks.push(Pick {
                                    kind: RowKind::UpdateBefore,
                                    old: true,
                                    at: old,
                                    rest,
                                    line,
                                });
                                picks.push(Pick {
                                    kind: RowKind::UpdateAfter,
                                    old: false,
                                    at: new,
                                    rest: None,
                                    line,
                                });
                            })
                        }
                    };
                    match done {
                        Ok(()) => continue,
                        Err(reason) => reason,
                    }
                }
            };
            let message = format!("Corrupt {} JSON message: {reason}", options.envelope.title());
            let error = RowError { line, column: 1, message, record: line_at(input, start) };
            if options.json.ignore_parse_errors {
                rows.bad += 1;
                rows.skipped.push(error);
                continue;
            }
            return Err(error);
        }
        Ok(())
    }

    /// Appends the picked rows.
    fn append(&mut self, out: &mut Rows) {
        let [old, new, _] = parts(&self.envelopes.columns);
        let (old, new) = (fields(old), fields(new));
        for (c, column) in out.columns.iter_mut().enumerate() {
            let column = own(column);
            // Neighbours of the same side go together.
            let mut side = false;
            self.rows.clear();
            for p in &self.picks {
                let (of_old, at) = match p.rest {
                    Some((new, names)) if !old[c].is_valid(p.at as usize) && !self.present[names + c] => {
                        (false, new)
                    }
                    _ => (p.old, p.at),
                };
                if of_old != side {
                    column.extend_rows(if side { &old[c] } else { &new[c] }, &self.rows);
                    self.rows.clear();
                    side = of_old;
                }
                self.rows.push(at);
            }
            column.extend_rows(if side { &old[c] } else { &new[c] }, &self.rows);
        }
        let mut before = out.line_of_next.take();
        for p in &self.picks {
            if before != Some(p.line) {
                out.lines.push((out.rows as u32, p.line));
            }
            out.kinds.push(p.kind);
            out.rows += 1;
            before = Some(p.line + 1);
        }
        out.line_of_next = before;
    }

    /// The line is of a database and a table that are read, or no JSON at all.
    fn included(&mut self, line: &[u8]) -> bool {
        let Self { include, open, .. } = self;
        include.iter().all(|(field, pattern)| match top_level(line, field, open) {
            Some(text) => pattern.is_match(&text),
            None => true,
        })
    }
}

impl Decoder for ChangelogDecoder {
    fn decode(
        &mut self,
        input: &[u8],
        last: bool,
        max_rows: usize,
        line: &mut u64,
        rows: &mut Rows,
    ) -> Result<usize, RowError> {
        if self.include.is_empty() {
            return self.run(input, last, max_rows, line, rows);
        }
        // Runs of lines that are read; what is not read may have any form.
        let (mut at, mut start) = (0, 0);
        while at < input.len() && rows.rows < max_rows {
            let next = match memchr::memchr(b'\n', &input[at..]) {
                Some(n) => at + n + 1,
                None if last => input.len(),
                None => break,
            };
            if !self.included(&input[at..next]) {
                self.lines(input, start..at, line, rows)?;
                *line += 1;
                start = next;
            } else if next - start > 64 << 10 {
                self.lines(input, start..next, line, rows)?;
                start = next;
            }
            at = next;
        }
        self.lines(input, start..at, line, rows)?;
        Ok(at)
    }
}

/// Old rows, new rows, kinds.
fn parts(record: &[ColumnRef]) -> [&Column; 3] {
    match record {
        [payload] => match &payload.data {
            ColumnData::Row(f) => [&f[0], &f[1], &f[2]],
            _ => panic!("a payload is a row"),
        },
        _ => [&record[0], &record[1], &record[2]],
    }
}

/// The columns of rows, or of the elements of arrays of rows.
fn fields(rows: &Column) -> &[ColumnRef] {
    match &rows.data {
        ColumnData::Row(f) => f,
        ColumnData::List { child, .. } => fields(child),
        _ => panic!("rows are rows or arrays of them"),
    }
}

/// The rows of envelope `e`: a range of the rows' column.
fn range(rows: &Column, e: usize, name: &str) -> Result<std::ops::Range<u32>, String> {
    if !rows.is_valid(e) {
        return Err(format!("\"{name}\" is null or missing"));
    }
    let ColumnData::List { offsets, child } = &rows.data else { return Ok(e as u32..e as u32 + 1) };
    let range = offsets[e]..offsets[e + 1];
    match range.clone().all(|i| child.is_valid(i as usize)) {
        true => Ok(range),
        false => Err(format!("a row of \"{name}\" is null")),
    }
}

fn each(
    rows: &Column,
    e: usize,
    options: &ChangelogOptions,
    name: usize,
    mut give: impl FnMut(u32),
) -> Result<(), String> {
    range(rows, e, options.envelope.fields()[name])?.for_each(&mut give);
    Ok(())
}

fn update(
    old: &Column,
    new: &Column,
    e: usize,
    options: &ChangelogOptions,
    mut give: impl FnMut(u32, u32),
) -> Result<(), String> {
    let [old_name, new_name, _] = options.envelope.fields();
    let after = range(new, e, new_name)?;
    let before = range(old, e, old_name).map_err(|reason| match options.envelope.deletes_old() {
        true => format!(
            "{reason} in an update: let the database log whole rows (REPLICA IDENTITY FULL, supplemental logging)"
        ),
        false => reason,
    })?;
    if before.len() < after.len() {
        return Err(format!("\"{old_name}\" has fewer rows than \"{new_name}\""));
    }
    before.zip(after).for_each(|(o, n)| give(o, n));
    Ok(())
}

/// Appends for each name whether a field of that name stands anywhere below the record's field `field`.
fn mentioned(
    input: &[u8],
    start: usize,
    field: &str,
    names: &[Vec<u8>],
    open: &mut Vec<bool>,
    present: &mut Vec<bool>,
) {
    let from = present.len();
    present.resize(from + names.len(), false);
    let mut p = Parser::new(input, start, open);
    let (mut depth, mut inside) = (0, false);
    // The record was decoded: it is JSON up to its end.
    while let Ok(token) = p.next() {
        match token {
            Token::StartObject | Token::StartArray => depth += 1,
            Token::EndObject | Token::EndArray => depth -= 1,
            Token::Name(t, _) if depth == 1 => inside = t.of(input) == field.as_bytes(),
            Token::Name(t, _) if inside => {
                if let Some(n) = names.iter().position(|n| n == t.of(input)) {
                    present[from + n] = true;
                }
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
}

/// The text of a field of the line's object; `None`: it has none, or is no JSON.
fn top_level(line: &[u8], field: &[u8], open: &mut Vec<bool>) -> Option<String> {
    let mut p = Parser::new(line, 0, open);
    if p.next().ok()? != Token::StartObject {
        return None;
    }
    loop {
        let Token::Name(name, _) = p.next().ok()? else { return None };
        let value = p.next().ok()?;
        if name.of(line) == field {
            return match value {
                Token::Str(t, escaped) => {
                    let mut text = vec![];
                    match escaped {
                        true => super::parser::unescape(t.of(line), &mut text)?,
                        false => text.extend_from_slice(t.of(line)),
                    }
                    String::from_utf8(text).ok()
                }
                Token::Int(t) | Token::Float(t) => String::from_utf8(t.of(line).to_vec()).ok(),
                Token::True => Some("true".into()),
                Token::False => Some("false".into()),
                Token::Null => Some("null".into()),
                _ => Some(String::new()),
            };
        }
        if let Token::StartObject | Token::StartArray = value {
            p.skip_container().ok()?;
        }
    }
}

/// Rows with kinds → envelopes.
pub struct ChangelogEncoder {
    envelope: Envelope,
    ignore_nulls: bool,
    json: JsonEncoder,
}

impl ChangelogEncoder {
    /// An encoder of the columns `columns` of batches of `schema`.
    pub fn new(options: &ChangelogOptions, schema: &Schema, columns: &[usize]) -> Self {
        let json = JsonEncoder::new(&options.json, schema, columns);
        Self { envelope: options.envelope, ignore_nulls: options.json.ignore_null_fields, json }
    }
}

impl Encoder for ChangelogEncoder {
    fn encode(&mut self, batch: &Batch, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let start = out.len();
        let add = batch.kind(row).is_add();
        let nulls = !self.ignore_nulls;
        let (open, close): (&str, &str) = match (self.envelope, add) {
            (Debezium | Ogg, true) if nulls => ("{\"before\":null,\"after\":", ",\""),
            (Debezium | Ogg, true) => ("{\"after\":", ",\""),
            (Debezium | Ogg, false) if nulls => ("{\"before\":", ",\"after\":null,\""),
            (Debezium | Ogg, false) => ("{\"before\":", ",\""),
            (Canal, _) => ("{\"data\":[", "],\""),
            (Maxwell, _) => ("{\"data\":", ",\""),
        };
        out.extend_from_slice(open.as_bytes());
        if let Err(e) = self.json.object(batch, row, out) {
            out.truncate(start);
            return Err(e);
        }
        let kind = self.envelope.written()[usize::from(!add)];
        for part in [close, self.envelope.fields()[2], "\":\"", kind, "\"}\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        Ok(())
    }
}

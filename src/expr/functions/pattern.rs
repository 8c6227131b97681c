//! LIKE, SIMILAR TO and the regular expressions.
//!
//! A constant pattern is compiled when binding; another one when it changes from row to row. LIKE is matched by hand over bytes; the
//! others go to the `regex` crate after translation from Java's syntax ([`java_regex`]): its classes are ASCII, its dot stops at all line
//! ends. Look-around, back references and possessive quantifiers have no counterpart and are refused by name.

use super::parameter::Parameter;
use crate::batch::{Column, Sel};
use crate::batch::{ColumnData, ColumnRef, DataType, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::{BoundFunction, Call, Determinism, FunctionDoc, Registry};
use crate::expr::kernels::text::{build, flags, opt_from, slices};
use crate::expr::kernels::with_kernel;
use crate::expr::{Arg, EvalContext, Kernel, RowError};
use regex::{CaptureLocations, Regex};

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, bind| {
        r.builtin(FunctionDoc { names, family: "pattern", signatures, text, examples: &[] }, bind);
    };
    add(&["LIKE"], &["text [NOT] LIKE pattern [ESCAPE character]"], "Matches a pattern with % and _.", |c| {
        bind(c, 2..=3, |_| TypeKind::Boolean.nullable(), like_compiler(c)?, Use::Test)
    });
    add(
        &["SIMILAR TO"],
        &["text [NOT] SIMILAR TO pattern [ESCAPE character]"],
        "Matches an SQL regular expression.",
        |c| bind(c, 2..=3, |_| TypeKind::Boolean.nullable(), similar_compiler(c)?, Use::Test),
    );
    add(&["REGEXP"], &["text, regex"], "Some part matches.", |c| {
        bind(c, 2..=2, |_| TypeKind::Boolean.nullable(), compile_regex, Use::Test)
    });
    add(
        &["REGEXP_EXTRACT"],
        &["text, regex", "text, regex, group"],
        "The first match, or a group of it.",
        |c| bind(c, 2..=3, |_| TypeKind::STRING.nullable(), compile_regex, Use::Extract),
    );
    add(
        &["REGEXP_REPLACE"],
        &["text, regex, new"],
        "With every match replaced by a text, taken literally.",
        |c| bind(c, 3..=3, |_| TypeKind::STRING.nullable(), compile_regex, Use::Replace),
    );
    add(&["REGEXP_COUNT"], &["text, regex"], "Number of matches.", |c| {
        bind(c, 2..=2, |_| TypeKind::Int.nullable(), compile_regex, Use::Count)
    });
    add(&["REGEXP_INSTR"], &["text, regex"], "Position of the first match in UTF-16 units, 0: none.", |c| {
        bind(c, 2..=2, |_| TypeKind::Int.nullable(), compile_regex, Use::Position)
    });
    add(&["REGEXP_SUBSTR"], &["text, regex"], "The first match.", |c| {
        bind(c, 2..=2, |_| TypeKind::STRING.nullable(), compile_regex, Use::First)
    });
    add(&["REGEXP_EXTRACT_ALL"], &["text, regex", "text, regex, group"], "A group of every match.", |c| {
        bind(
            c,
            2..=3,
            |_| TypeKind::Array(Box::new(TypeKind::STRING.nullable())).nullable(),
            compile_regex,
            Use::All,
        )
    });
}

/// What is done with a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Test,
    Extract,
    Replace,
    Count,
    Position,
    First,
    All,
}

#[derive(Clone, Debug)]
enum Matcher {
    Like(Like),
    /// With the room for its groups.
    Regex(Regex, CaptureLocations),
    /// Java refuses the pattern: extraction gives NULL, tests are false.
    Invalid,
}

type Compile = fn(&str, Option<char>) -> std::result::Result<Matcher, String>;

fn escape_of(call: &Call<'_>) -> Result<Option<char>> {
    let Some(a) = call.args.get(2) else { return Ok(None) };
    let text =
        call.literal_text(2).ok_or_else(|| Error::unsupported("an ESCAPE that is not a literal", a.span))?;
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(Some(c)),
        _ => Err(Error::validation(format!("Invalid escape character '{text}'"), a.span)),
    }
}

fn like_compiler(call: &Call<'_>) -> Result<Compile> {
    escape_of(call)?;
    Ok(|p, e| Like::new(p, e).map(Matcher::Like))
}

fn similar_compiler(call: &Call<'_>) -> Result<Compile> {
    escape_of(call)?;
    Ok(|p, e| similar(p, e).map(Matcher::of))
}

impl Matcher {
    fn of(regex: Regex) -> Self {
        let places = regex.capture_locations();
        Matcher::Regex(regex, places)
    }
}

fn compile_regex(pattern: &str, _: Option<char>) -> std::result::Result<Matcher, String> {
    match java_regex(pattern) {
        Ok(r) => Ok(Matcher::of(r)),
        Err(Refused::Invalid) => Ok(Matcher::Invalid),
        Err(Refused::Unsupported(what)) => Err(format!("{what} in a regular expression is not supported")),
    }
}

fn bind(
    call: &Call<'_>,
    count: std::ops::RangeInclusive<usize>,
    ty: fn(&Call<'_>) -> DataType,
    compile: Compile,
    usage: Use,
) -> Result<BoundFunction> {
    call.count(count)?;
    let numbered = matches!(usage, Use::Extract | Use::All);
    let fits = call.args.iter().enumerate().all(|(i, a)| match &a.ty.kind {
        TypeKind::Null => true,
        k if i == 2 && numbered => k.is_integer(),
        k => k.is_character(),
    });
    if !fits {
        return Err(call.wrong_types(&["CHARACTER, CHARACTER"]));
    }
    let mut ty = ty(call);
    if matches!(usage, Use::Test | Use::Replace) {
        ty.nullable = call.nullable();
    }
    // Flink says NOT NULL and fails where it is NULL all the same.
    let strict = usage == Use::Replace && !ty.nullable;
    let escape = if usage == Use::Test { escape_of(call)? } else { None };
    let args = (0..call.args.len())
        .map(|i| match call.kind(i) {
            k if k.is_integer() => call.wanted(i, TypeKind::Int),
            TypeKind::Null if i == 2 && numbered => call.wanted(i, TypeKind::Int),
            TypeKind::Null => call.wanted(i, TypeKind::STRING),
            _ => call.args[i].ty.clone(),
        })
        .collect();
    let fixed = match call.literal_text(1) {
        None => None,
        Some(p) => Some(compile(p, escape).map_err(|e| Error::validation(e, call.args[1].span))?),
    };
    let parameter = call.literal_text(1).filter(|_| usage == Use::Extract).and_then(Parameter::of);
    Ok(with_kernel(args, ty, Determinism::Deterministic, move || Pattern {
        compile,
        escape,
        usage,
        strict,
        fixed: fixed.is_some(),
        parameter: parameter.clone(),
        matcher: fixed.clone().unwrap_or(Matcher::Invalid),
        pattern: None,
    }))
}

struct Pattern {
    compile: Compile,
    escape: Option<char>,
    usage: Use,
    /// A NULL is a failure.
    strict: bool,
    /// The matcher is that of a constant pattern.
    fixed: bool,
    /// The same, where it is of a form that is quicker to look for.
    parameter: Option<Parameter>,
    matcher: Matcher,
    /// The text of the matcher at hand.
    pattern: Option<String>,
}

impl Pattern {
    fn prepare(&mut self, row: usize, pattern: &Arg<'_>) -> Result<(), RowError> {
        let text = pattern.column.byte_column().str(pattern.at(row));
        if self.pattern.as_deref() != Some(text) {
            self.matcher = (self.compile)(text, self.escape).map_err(|e| RowError::runtime(row, e))?;
            self.pattern = Some(text.to_string());
        }
        Ok(())
    }
}

impl Kernel for Pattern {
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        rows: usize,
        out: &mut Column,
        _cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        if let Some(parameter) = &self.parameter {
            slices(args, sel, out, |i, text| {
                parameter.group(text, args.get(2).map_or(0, |a| a.column.slice::<i32>()[a.at(i)]))
            });
            return Ok(());
        }
        if self.fixed {
            apply(&mut self.matcher, self.usage, args, sel, rows, out);
            return if self.strict { not_null(sel, out) } else { Ok(()) };
        }
        if args.iter().any(|a| a.constant && !a.column.is_valid(0)) {
            super::super::kernels::null_if_any(args, out);
            return Ok(());
        }
        if args[1].constant {
            let row = if sel.is_empty() { return Ok(()) } else { sel.row(0) };
            self.prepare(row, &args[1])?;
            apply(&mut self.matcher, self.usage, args, sel, rows, out);
            return if self.strict { not_null(sel, out) } else { Ok(()) };
        }
        // The pattern is a column: row by row.
        if self.usage == Use::All {
            out.clear();
        }
        let mut one = ColumnRef::new(out.empty_like());
        let mut done = 0;
        sel.try_for_each(|i| {
            let here = [i as u32];
            if args.iter().all(|a| a.is_valid(i)) {
                self.prepare(i, &args[1])?;
            }
            let picked: Vec<Column> = args
                .iter()
                .map(|a| {
                    let mut c = a.column.empty_like();
                    c.extend_rows(a.column, &[a.at(i) as u32]);
                    c
                })
                .collect();
            let picked: Vec<Arg<'_>> = picked.iter().map(|c| Arg { column: c, constant: false }).collect();
            let target = ColumnRef::make_mut(&mut one);
            target.clear();
            target.reset(1);
            apply(&mut self.matcher, self.usage, &picked, Sel::All(1), 1, target);
            if self.usage == Use::All {
                out.push_nulls(i - done);
                done = i + 1;
                out.extend_rows(target, &[0]);
            } else {
                copy_row(target, out, i);
            }
            let _ = here;
            Ok(())
        })?;
        if self.usage == Use::All {
            out.push_nulls(rows - out.len());
        }
        if self.strict { not_null(sel, out) } else { Ok(()) }
    }

    fn can_fail(&self) -> bool {
        !self.fixed || self.strict
    }
}

fn not_null(sel: Sel<'_>, out: &Column) -> Result<(), RowError> {
    sel.try_for_each(|i| match out.is_valid(i) {
        true => Ok(()),
        false => {
            Err(RowError::runtime(i, "an invalid regular expression gives NULL for a value that is NOT NULL"))
        }
    })
}

/// Row 0 of `from` becomes row `i` of `to`.
fn copy_row(from: &Column, to: &mut Column, i: usize) {
    to.validity.set(i, from.is_valid(0));
    match (&from.data, &mut to.data) {
        (ColumnData::Bool(a), ColumnData::Bool(b)) => b.set(i, a.get(0)),
        (ColumnData::I32(a), ColumnData::I32(b)) => b[i] = a[0],
        (ColumnData::Bytes(a), ColumnData::Bytes(b)) => b.writer().set(i, a.get(0)),
        _ => unreachable!("the results of patterns"),
    }
}

fn apply(m: &mut Matcher, usage: Use, args: &[Arg<'_>], sel: Sel<'_>, rows: usize, out: &mut Column) {
    let text = |i: usize| args[0].column.byte_column().str(args[0].at(i));
    let group = |i: usize| {
        args.get(2).map_or(if usage == Use::All { 1 } else { 0 }, |a| a.column.slice::<i32>()[a.at(i)])
    };
    match (usage, m) {
        (Use::Test, Matcher::Like(l)) => flags(args, sel, out, |i| Some(l.matches(args[0].bytes(i)))),
        (Use::Test, Matcher::Regex(r, _)) => flags(args, sel, out, |i| Some(r.is_match(text(i)))),
        (Use::Test, Matcher::Invalid) => flags(args, sel, out, |_| Some(false)),
        (Use::Extract | Use::First, Matcher::Regex(r, places)) => {
            slices(args, sel, out, |i, bytes| {
                let text = std::str::from_utf8(bytes).ok()?;
                match if usage == Use::First { 0 } else { group(i) } {
                    0 => r.find(text).map(|m| m.range()),
                    n => {
                        r.captures_read(places, text)?;
                        places.get(usize::try_from(n).ok()?).map(|(from, to)| from..to)
                    }
                }
            });
        }
        (Use::Replace, Matcher::Regex(r, _)) => build(args, sel, out, |i, to| {
            let (text, new) = (text(i), args[2].bytes(i));
            let mut end = 0;
            for m in java_matches(r, text) {
                to.extend_from_slice(&text.as_bytes()[end..m.start()]);
                to.extend_from_slice(new);
                end = m.end();
            }
            to.extend_from_slice(&text.as_bytes()[end..]);
            true
        }),
        (Use::Count, Matcher::Regex(r, _)) => {
            opt_from::<i32>(args, sel, out, |i| Some(java_matches(r, text(i)).count() as i32));
        }
        (Use::Position, Matcher::Regex(r, _)) => opt_from::<i32>(args, sel, out, |i| {
            let t = text(i);
            Some(r.find(t).map_or(0, |m| t[..m.start()].encode_utf16().count() as i32 + 1))
        }),
        (Use::All, Matcher::Regex(r, places)) => {
            out.clear();
            let ColumnData::List { offsets, child } = &mut out.data else { panic!("an array") };
            let mut done = 0;
            let mut pad = |to: usize,
                           offsets: &mut crate::batch::Buffer<u32>,
                           validity: &mut crate::batch::Validity| {
                while done < to {
                    let end = offsets[offsets.len() - 1];
                    offsets.push(end);
                    validity.push(false);
                    done += 1;
                }
                done += 1;
            };
            sel.for_each(|i| {
                pad(i, offsets, &mut out.validity);
                let n =
                    if args.iter().all(|a| a.is_valid(i)) { usize::try_from(group(i)).ok() } else { None };
                let valid = n.is_some_and(|n| n < r.captures_len());
                if let (true, Some(n)) = (valid, n) {
                    let (text, mut at) = (text(i), 0);
                    while let Some(m) =
                        (at <= text.len()).then(|| r.captures_read_at(places, text, at)).flatten()
                    {
                        let found = places.get(n);
                        child.validity.push(found.is_some());
                        let part = found.map_or("", |(from, to)| &text[from..to]);
                        child.byte_column_mut().push(part.as_bytes());
                        at = behind(text, m.range());
                    }
                }
                offsets.push(child.len() as u32);
                out.validity.push(valid);
            });
            pad(rows, offsets, &mut out.validity);
        }
        _ => {
            out.clear();
            out.push_nulls(rows);
        }
    }
}

/// The matches as Java finds them one after the other: unlike those of the `regex` crate, an empty one may stand right behind another.
pub(super) fn java_matches<'t>(regex: &Regex, text: &'t str) -> impl Iterator<Item = regex::Match<'t>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let m = (at <= text.len()).then(|| regex.find_at(text, at)).flatten()?;
        at = behind(text, m.range());
        Some(m)
    })
}

/// Where the search goes on behind a match: an empty one is stepped over.
fn behind(text: &str, m: std::ops::Range<usize>) -> usize {
    let step = text[m.end..].chars().next().map_or(1, char::len_utf8);
    if m.is_empty() { m.end + step } else { m.end }
}

/// A compiled LIKE pattern: literal pieces with `_` between two `%`.
#[derive(Clone, Debug)]
struct Like {
    /// Pieces in order; each is what stands between `%`s.
    pieces: Vec<Vec<Piece>>,
    /// For patterns without `_`: each piece's bytes.
    plain: Option<Vec<memchr::memmem::Finder<'static>>>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Vec<u8>),
    One,
}

impl Like {
    /// Without ESCAPE a backslash escapes only where the pattern has a `_`: Flink's shortcut for other patterns does not look for it.
    fn new(pattern: &str, escape: Option<char>) -> std::result::Result<Self, String> {
        let escape = escape.or_else(|| pattern.contains('_').then_some('\\'));
        let mut pieces: Vec<Vec<Piece>> = vec![Vec::new()];
        let mut chars = pattern.chars();
        let push = |pieces: &mut Vec<Vec<Piece>>, c: char| {
            let mut buffer = [0; 4];
            let bytes = c.encode_utf8(&mut buffer).as_bytes();
            let last = pieces.last_mut().expect("there is always a piece");
            match last.last_mut() {
                Some(Piece::Text(t)) => t.extend_from_slice(bytes),
                _ => last.push(Piece::Text(bytes.to_vec())),
            }
        };
        while let Some(c) = chars.next() {
            if Some(c) == escape {
                match chars.next() {
                    Some(n) if n == '_' || n == '%' || Some(n) == escape => push(&mut pieces, n),
                    _ => return Err(format!("Invalid escape sequence in pattern '{pattern}'")),
                }
            } else if c == '%' {
                pieces.push(Vec::new());
            } else if c == '_' {
                pieces.last_mut().expect("there is always a piece").push(Piece::One);
            } else {
                push(&mut pieces, c);
            }
        }
        let plain = pieces
            .iter()
            .map(|p| match &p[..] {
                [] => Some(finder(b"")),
                [Piece::Text(t)] => Some(finder(t)),
                _ => None,
            })
            .collect();
        Ok(Self { pieces, plain })
    }

    #[inline]
    fn matches(&self, text: &[u8]) -> bool {
        if let Some(plain) = &self.plain {
            return match &plain[..] {
                [whole] => text == whole.needle(),
                [start, middle @ .., end] => {
                    let (start, end) = (start.needle(), end.needle());
                    // An empty needle is not compared: its dangling address makes some processors' masked loads slow.
                    let starts = start.is_empty() || text.starts_with(start);
                    let ends = end.is_empty() || text.ends_with(end);
                    if text.len() < start.len() + end.len() || !starts || !ends {
                        return false;
                    }
                    let mut rest = &text[start.len()..text.len() - end.len()];
                    for m in middle {
                        match m.find(rest) {
                            Some(at) => rest = &rest[at + m.needle().len()..],
                            None => return false,
                        }
                    }
                    true
                }
                [] => false,
            };
        }
        let [start, rest @ ..] = &self.pieces[..] else { return false };
        let Some(mut at) = match_here(start, text) else { return false };
        let [middle @ .., end] = rest else { return at == text.len() };
        for m in middle {
            // The first place is the best: what follows is a `%`.
            loop {
                if let Some(n) = match_here(m, &text[at..]) {
                    at += n;
                    break;
                }
                if at >= text.len() {
                    return false;
                }
                at += char_width(text[at]);
            }
        }
        // The last piece must reach the end.
        loop {
            if match_here(end, &text[at..]) == Some(text.len() - at) {
                return true;
            }
            if at >= text.len() {
                return false;
            }
            at += char_width(text[at]);
        }
    }
}

fn finder(part: &[u8]) -> memchr::memmem::Finder<'static> {
    memchr::memmem::Finder::new(part).into_owned()
}

fn char_width(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

/// The bytes that a piece takes at the start of the text.
fn match_here(piece: &[Piece], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for p in piece {
        match p {
            Piece::Text(t) if text[at..].starts_with(t) => at += t.len(),
            Piece::Text(_) => return None,
            Piece::One => at += char_width(*text.get(at)?),
        }
    }
    (at <= text.len()).then_some(at)
}

/// The classes that SIMILAR TO knows within brackets, behind their own bracket.
const CHARACTER_CLASSES: &[(&str, &str)] = &[
    (":ALPHA:]", "a-zA-Z"),
    (":alpha:]", "a-zA-Z"),
    (":UPPER:]", "A-Z"),
    (":upper:]", "A-Z"),
    (":LOWER:]", "a-z"),
    (":lower:]", "a-z"),
    (":DIGIT:]", "0-9"),
    (":digit:]", "0-9"),
    (":ALNUM:]", "a-zA-Z0-9"),
    (":alnum:]", "a-zA-Z0-9"),
    (":SPACE:]", " "),
    (":space:]", " "),
    (":WHITESPACE:]", "\\s"),
    (":whitespace:]", "\\s"),
];

/// SIMILAR TO as a regular expression over the whole text.
fn similar(pattern: &str, escape: Option<char>) -> std::result::Result<Regex, String> {
    let mut re = String::from("(?s)\\A(?:");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some(n) => re.push_str(&regex::escape(&n.to_string())),
                None => return Err(format!("Invalid escape sequence in pattern '{pattern}'")),
            }
            continue;
        }
        match c {
            '%' => re.push_str(".*"),
            '_' => re.push('.'),
            '|' | '*' | '+' | '?' | '(' | ')' | '{' | '}' => re.push(c),
            '[' => {
                re.push('[');
                while let Some(c) = chars.next() {
                    let class = |(name, _): &&(&str, &str)| c == '[' && chars.as_str().starts_with(name);
                    if let Some((name, class)) = CHARACTER_CLASSES.iter().find(class) {
                        re.push_str(class);
                        chars = chars.as_str()[name.len()..].chars();
                        continue;
                    }
                    match c {
                        ']' => break,
                        '\\' | '[' | '&' | '~' => {
                            re.push('\\');
                            re.push(c);
                        }
                        c => re.push(c),
                    }
                }
                re.push(']');
            }
            c => re.push_str(&regex::escape(&c.to_string())),
        }
    }
    re.push_str(")\\z");
    Regex::new(&re).map_err(|_| format!("Invalid regular expression '{pattern}'"))
}

/// Why a Java pattern has no counterpart.
#[derive(Debug)]
pub(super) enum Refused {
    /// Java refuses it too.
    Invalid,
    Unsupported(&'static str),
}

/// A Java regular expression in the syntax of the `regex` crate.
pub(super) fn java_regex(pattern: &str) -> std::result::Result<Regex, Refused> {
    let mut re = String::with_capacity(pattern.len() + 16);
    let chars: Vec<char> = pattern.chars().collect();
    let (mut i, mut class) = (0, 0);
    while let Some(&c) = chars.get(i) {
        i += 1;
        match c {
            '\\' => {
                let e = *chars.get(i).ok_or(Refused::Invalid)?;
                i += 1;
                let set = match e {
                    'd' => "[0-9]",
                    'D' => "[^0-9]",
                    'w' => "[a-zA-Z0-9_]",
                    'W' => "[^a-zA-Z0-9_]",
                    's' => "[ \\t\\n\\x0B\\f\\r]",
                    'S' => "[^ \\t\\n\\x0B\\f\\r]",
                    'h' => "[ \\t\\xA0\\u{1680}\\u{180e}\\u{2000}-\\u{200a}\\u{202f}\\u{205f}\\u{3000}]",
                    'Z' => "(?:\\n?\\z)",
                    'R' => "(?:\\r\\n|[\\n\\x0B\\f\\r\\u{85}\\u{2028}\\u{2029}])",
                    'e' => "\\x1B",
                    '1'..='9' | 'k' => return Err(Refused::Unsupported("a back reference")),
                    'G' | 'X' => return Err(Refused::Unsupported("\\G or \\X")),
                    'Q' => {
                        let rest: String = chars[i..].iter().collect();
                        let quoted = rest.split("\\E").next().unwrap_or("");
                        re.push_str(&regex::escape(quoted));
                        i += quoted.chars().count() + if rest.contains("\\E") { 2 } else { 0 };
                        continue;
                    }
                    'p' | 'P' => {
                        let end = match chars.get(i) {
                            None => return Err(Refused::Invalid),
                            Some('{') => {
                                let n = chars[i..].iter().position(|&c| c == '}').ok_or(Refused::Invalid)?;
                                Some(i + n)
                            }
                            Some(_) => None,
                        };
                        let name: String = match end {
                            Some(end) => chars[i + 1..end].iter().collect(),
                            None => chars[i].to_string(),
                        };
                        i = end.unwrap_or(i) + 1;
                        let ascii = match name.as_str() {
                            "Lower" => "a-z",
                            "Upper" => "A-Z",
                            "Alpha" => "a-zA-Z",
                            "Digit" => "0-9",
                            "Alnum" => "a-zA-Z0-9",
                            "Punct" => "!-/:-@\\[-`{-~",
                            "Space" => " \\t\\n\\x0B\\f\\r",
                            "Blank" => " \\t",
                            "XDigit" => "0-9a-fA-F",
                            "ASCII" => "\\x00-\\x7F",
                            other => {
                                let name = other.trim_start_matches("Is").trim_start_matches("java");
                                let p = if e == 'P' { "\\P" } else { "\\p" };
                                re.push_str(&format!("{p}{{{name}}}"));
                                continue;
                            }
                        };
                        re.push_str(&format!("[{}{ascii}]", if e == 'P' { "^" } else { "" }));
                        continue;
                    }
                    'u' => {
                        let hex: String = chars.iter().skip(i).take(4).collect();
                        i += 4;
                        re.push_str(&format!("\\u{{{hex}}}"));
                        continue;
                    }
                    c if c.is_ascii_alphanumeric() => {
                        re.push('\\');
                        re.push(c);
                        continue;
                    }
                    c => {
                        re.push_str(&regex::escape(&c.to_string()));
                        continue;
                    }
                };
                re.push_str(set);
            }
            '[' => {
                class += 1;
                re.push('[');
                if chars.get(i) == Some(&'^') {
                    re.push('^');
                    i += 1;
                }
                if chars.get(i) == Some(&']') {
                    re.push_str("\\]");
                    i += 1;
                }
            }
            ']' if class > 0 => {
                class -= 1;
                re.push(']');
            }
            '~' | '-' | '&' if class > 0 && c == '~' => re.push_str("\\~"),
            '.' if class == 0 => re.push_str("[^\\n\\r\\u{85}\\u{2028}\\u{2029}]"),
            '(' if class == 0 && chars.get(i) == Some(&'?') => match (chars.get(i + 1), chars.get(i + 2)) {
                (Some('='), _) | (Some('!'), _) => return Err(Refused::Unsupported("look-ahead")),
                (Some('<'), Some('=' | '!')) => return Err(Refused::Unsupported("look-behind")),
                (Some('>'), _) => return Err(Refused::Unsupported("an atomic group")),
                _ => re.push('('),
            },
            '*' | '+' | '?' | '}' if class == 0 => {
                re.push(c);
                if chars.get(i) == Some(&'+') {
                    return Err(Refused::Unsupported("a possessive quantifier"));
                }
            }
            c => re.push(c),
        }
    }
    Regex::new(&re).map_err(|_| Refused::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn model(p: &[char], t: &[char]) -> bool {
        match p {
            [] => t.is_empty(),
            ['%', rest @ ..] => (0..=t.len()).any(|n| model(rest, &t[n..])),
            ['_', rest @ ..] => !t.is_empty() && model(rest, &t[1..]),
            [c, rest @ ..] => t.first() == Some(c) && model(rest, &t[1..]),
        }
    }

    proptest! {
        #[test]
        fn like_matches_as_its_definition_does(pattern in "[ab%_é]{0,8}", text in "[abé]{0,10}") {
            let p: Vec<char> = pattern.chars().collect();
            let t: Vec<char> = text.chars().collect();
            prop_assert_eq!(Like::new(&pattern, None).unwrap().matches(text.as_bytes()), model(&p, &t));
        }

        #[test]
        fn any_pattern_is_compiled_or_refused(pattern in "[ab\\[\\](){}*+?.\\\\^$|dwpQE<=!0-9-]{0,14}") {
            let _ = java_regex(&pattern);
            let _ = similar(&pattern, None);
            let _ = Like::new(&pattern, Some('\\'));
        }
    }

    #[test]
    fn escapes_and_java_classes() {
        assert!(Like::new("a!%b", Some('!')).unwrap().matches(b"a%b"));
        assert!(!Like::new("a!%b", Some('!')).unwrap().matches(b"axb"));
        assert!(Like::new("a!b", Some('!')).is_err());
        assert!(Like::new("a\\b%", None).unwrap().matches(b"a\\bc"));
        let find = |p: &str, t: &str| java_regex(p).unwrap().find(t).map(|m| m.as_str().to_string());
        assert_eq!(find("\\d+", "x١٢34"), Some("34".into()));
        assert_eq!(find("[\\w-]+", "é a-b"), Some("a-b".into()));
        assert_eq!(find("\\Qa.b\\E+", "axb a.bb"), Some("a.bb".into()));
        assert_eq!(find("\\p{Alpha}+", "1éab"), Some("ab".into()));
        assert!(matches!(java_regex("(a)\\1"), Err(Refused::Unsupported(_))));
        assert!(matches!(java_regex("a(?=b)"), Err(Refused::Unsupported(_))));
        assert!(matches!(java_regex("("), Err(Refused::Invalid)));
        assert!(similar("(a|b)%", None).unwrap().is_match("bxyz"));
        assert!(!similar("(a|b)", None).unwrap().is_match("bx"));
    }
}

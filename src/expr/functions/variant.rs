//! VARIANT: PARSE_JSON, TRY_PARSE_JSON and access to what is inside.
//!
//! A VARIANT is kept as canonical JSON text: keys sorted, decimals without zeros at their end, numbers with an exponent or too many
//! digits as DOUBLE. So it is printed, compared and kept in state by its bytes.

use super::encoding::texts;
use crate::batch::text::number;
use crate::batch::{ColumnData, TypeKind};
use crate::error::Result;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::json::{Document, Kind, Root, unescape, write_string};
use crate::expr::kernels::fallible;
use crate::expr::kernels::text::try_build;
use crate::expr::{Arg, RowError};

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, text, examples, bind| {
        let signatures = &["json[, allow_duplicate_keys]"];
        r.builtin(FunctionDoc { names, family: "VARIANT", signatures, text, examples }, bind);
    };
    add(
        &["PARSE_JSON"],
        "The document as a VARIANT; fails for what is not JSON, and for equal keys unless they are allowed, when the last counts.",
        &[
            ("PARSE_JSON('{\"b\": 1, \"a\": 2.50}')", "{\"a\":2.5,\"b\":1}"),
            ("PARSE_JSON('[10, 20]')[2]", "20"),
        ],
        |call| parse(call, false),
    );
    add(
        &["TRY_PARSE_JSON"],
        "As PARSE_JSON, but NULL where that fails.",
        &[("TRY_PARSE_JSON('{') IS NULL", "true")],
        |call| parse(call, true),
    );
}

fn parse(call: &Call<'_>, lenient: bool) -> Result<BoundFunction> {
    call.count(1..=2)?;
    let fits = call.kind(0).is_character() || *call.kind(0) == TypeKind::Null;
    if !fits || call.args.len() == 2 && *call.kind(1) != TypeKind::Boolean {
        return Err(call.wrong_types(&["CHARACTER", "CHARACTER, BOOLEAN"]));
    }
    let ty = call.result(TypeKind::Variant);
    let ty = if lenient { ty.with_nullable(true) } else { ty };
    Ok(fallible(texts(call), ty, move |a, sel, _, out| {
        let (mut document, mut names) = (Document::default(), Names::default());
        try_build(a, sel, out, |i, to| {
            let text = a[0].bytes(i);
            let allowed = a.get(1).is_some_and(|x| x.column.bools().get(x.at(i)));
            let why = match document.parse(text) {
                Err(e) => format!("not JSON from byte {} on", e.at),
                Ok(()) if !allowed && document.has_repeated_keys() => "a key comes twice".to_string(),
                Ok(()) => {
                    write(Root { document: &document, text }, 0, &mut names, to);
                    return Ok(true);
                }
            };
            if lenient {
                return Ok(false);
            }
            Err(RowError::runtime(i, format!("PARSE_JSON: {why}: {}", String::from_utf8_lossy(text))))
        })
    }))
}

/// The members of the objects around the place that is written, of each its name and value: kept from row to row, so that none takes an
/// allocation of its own.
#[derive(Default)]
struct Names {
    text: Vec<u8>,
    members: Vec<(std::ops::Range<usize>, u32)>,
}

impl Names {
    /// Adds the text of a string or key.
    fn read(&mut self, root: Root<'_>, n: u32) -> std::ops::Range<usize> {
        let start = self.text.len();
        unescape(root.document.text(n, root.text), &mut self.text);
        start..self.text.len()
    }
}

/// Writes a value in the canonical form.
fn write(root: Root<'_>, n: u32, names: &mut Names, out: &mut Vec<u8>) {
    let d = root.document;
    let raw = d.text(n, root.text);
    match d.kind(n) {
        Kind::Null | Kind::True | Kind::False => out.extend_from_slice(raw),
        Kind::Int | Kind::Float => write_number(raw, out),
        Kind::Array => {
            out.push(b'[');
            for (i, e) in d.elements(n).enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(root, e, names, out);
            }
            out.push(b']');
        }
        Kind::Object => {
            let (first, start) = (names.members.len(), names.text.len());
            for (key, value) in d.members(n) {
                let name = names.read(root, key);
                names.members.push((name, value));
            }
            let text = &names.text;
            names.members[first..]
                .sort_unstable_by(|(a, v), (b, w)| text[a.clone()].cmp(&text[b.clone()]).then(v.cmp(w)));
            out.push(b'{');
            for i in first..names.members.len() {
                let (name, value) = names.members[i].clone();
                if i > first {
                    out.push(b',');
                }
                write_string(&names.text[name], out);
                out.push(b':');
                write(root, value, names, out);
            }
            out.push(b'}');
            names.members.truncate(first);
            names.text.truncate(start);
        }
        _ => {
            let text = names.read(root, n);
            write_string(&names.text[text.clone()], out);
            names.text.truncate(text.start);
        }
    }
}

fn write_number(raw: &[u8], out: &mut Vec<u8>) {
    let digits = raw.iter().filter(|b| b.is_ascii_digit()).count();
    if raw.iter().any(|b| matches!(b, b'e' | b'E')) || digits > 38 {
        number::write_f64(number::parse_f64(raw).unwrap_or(f64::NAN), out);
        return;
    }
    let end = match raw.contains(&b'.') {
        true => raw.len() - raw.iter().rev().take_while(|b| **b == b'0').count(),
        false => raw.len(),
    };
    let text = raw[..end].strip_suffix(b".").unwrap_or(&raw[..end]);
    out.extend_from_slice(if text == b"-0" { b"0" } else { text });
}

/// `variant[index]`, `variant['key']`.
pub(super) fn item(call: &Call<'_>) -> Result<BoundFunction> {
    let by_key = call.kind(1).is_character();
    if !by_key && !call.kind(1).is_integer() {
        return Err(call.wrong_types(&["VARIANT[STRING]", "VARIANT[INTEGER]"]));
    }
    let mut args = call.as_given();
    if !by_key {
        args[1] = call.wanted(1, TypeKind::Int);
    }
    Ok(fallible(args, TypeKind::Variant.nullable(), move |a, sel, _, out| {
        let mut document = Document::default();
        try_build(a, sel, out, |i, to| {
            let text = a[0].bytes(i);
            let read = document.parse(text).is_ok();
            debug_assert!(read, "a VARIANT is JSON");
            let found =
                if by_key { member(&document, text, &a[1], i)? } else { element(&document, &a[1], i)? };
            let Some(n) = found else { return Ok(false) };
            let quoted = matches!(document.kind(n), Kind::Str | Kind::Escaped);
            if quoted {
                to.push(b'"');
            }
            to.extend_from_slice(document.text(n, text));
            if quoted {
                to.push(b'"');
            }
            Ok(true)
        })
    }))
}

fn member(d: &Document, text: &[u8], key: &Arg<'_>, i: usize) -> std::result::Result<Option<u32>, RowError> {
    if d.kind(0) != Kind::Object {
        return Err(RowError::runtime(i, "a VARIANT that is no object has no keys"));
    }
    Ok(d.member(0, text, &String::from_utf8_lossy(key.bytes(i))))
}

fn element(d: &Document, index: &Arg<'_>, i: usize) -> std::result::Result<Option<u32>, RowError> {
    if d.kind(0) != Kind::Array {
        return Err(RowError::runtime(i, "a VARIANT that is no array has no elements"));
    }
    let ColumnData::I32(n) = &index.column.data else { unreachable!("the index is INT") };
    let n = i64::from(n[index.at(i)]);
    Ok(if n < 1 { None } else { d.element(0, n - 1) })
}

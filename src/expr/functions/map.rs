//! MAP_* functions, and the texts that become collections: SPLIT and STR_TO_MAP.

use super::array::{child, range};
use super::pattern::{java_matches, java_regex};
use crate::batch::{Column, ColumnData, DataType, Field, TypeKind, order};
use crate::error::Result;
use crate::expr::coercion::{common_type, plain};
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::{fallible, infallible};
use crate::expr::{Arg, RowError};
use regex::Regex;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "collection", signatures, text, examples }, bind);
    };
    add(&["MAP_KEYS"], &["map"], "The keys.", &[("MAP_KEYS(MAP['a', 1, 'b', 2])", "[\"a\",\"b\"]")], |c| {
        parts(c, true)
    });
    add(&["MAP_VALUES"], &["map"], "The values.", &[("MAP_VALUES(MAP['a', 1, 'b', 2])", "[1,2]")], |c| {
        parts(c, false)
    });
    add(
        &["MAP_ENTRIES"],
        &["map"],
        "The entries as rows of `key` and `value`.",
        &[("MAP_ENTRIES(MAP['a', 1])", "[{\"key\":\"a\",\"value\":1}]")],
        entries,
    );
    add(
        &["MAP_FROM_ARRAYS"],
        &["keys, values"],
        "A map of two arrays of one length; of equal keys the last counts.",
        &[("MAP_FROM_ARRAYS(ARRAY['a', 'b'], ARRAY[1, 2])", "{\"a\":1,\"b\":2}")],
        from_arrays,
    );
    add(
        &["MAP_UNION"],
        &["map, ..."],
        "All entries, those of the last map first; of equal keys the last counts.",
        &[
            ("MAP_UNION(MAP['a', 1], MAP['a', 2, 'b', 3])", "{\"a\":2,\"b\":3}"),
            ("CAST(MAP_UNION(MAP['a', 1], MAP['b', 2]) AS STRING)", "{b=2, a=1}"),
        ],
        union,
    );
    add(
        &["STR_TO_MAP"],
        &["text[, entry_separator, value_separator]"],
        "The entries that stand in a text. The separators are regular expressions, `,` and `=` when absent.",
        &[("STR_TO_MAP('a=1,b=2')", "{\"a\":\"1\",\"b\":\"2\"}")],
        str_to_map,
    );
    add(
        &["SPLIT"],
        &["text, separator"],
        "The parts between separators; every character for an empty separator.",
        &[("SPLIT('a,b', ',')", "[\"a\",\"b\"]")],
        split,
    );
}

fn map_of<'a>(call: &'a Call<'_>, i: usize) -> Result<(&'a DataType, &'a DataType)> {
    match call.kind(i) {
        TypeKind::Map(k, v) => Ok((k, v)),
        _ => Err(call.wrong_types(&["MAP, ..."])),
    }
}

/// Keys, values and the places of row `i`'s entries.
fn entries_of<'a>(a: &Arg<'a>, i: usize) -> (&'a Column, &'a Column, std::ops::Range<usize>) {
    let ColumnData::Map { offsets, keys, values } = &a.column.data else { unreachable!("a map") };
    let at = a.at(i);
    (keys, values, offsets[at] as usize..offsets[at + 1] as usize)
}

/// Appends a row for each selected row where no argument is NULL, NULLs elsewhere; `build` fills the row's entries.
fn collections<'a>(
    args: &[Arg<'a>],
    sel: crate::batch::Sel<'_>,
    rows: usize,
    out: &mut Column,
    mut build: impl FnMut(usize, &mut ColumnData) -> std::result::Result<(), RowError>,
) -> std::result::Result<(), RowError> {
    out.clear();
    sel.try_for_each(|i| {
        out.push_nulls(i - out.len());
        if !args.iter().all(|a| a.is_valid(i)) {
            out.push_null();
            return Ok(());
        }
        build(i, &mut out.data)?;
        out.validity.push(true);
        match &mut out.data {
            ColumnData::List { offsets, child } => offsets.push(child.len() as u32),
            ColumnData::Map { offsets, keys, .. } => offsets.push(keys.len() as u32),
            _ => unreachable!("an array or a map"),
        }
        Ok(())
    })?;
    out.push_nulls(rows - out.len());
    Ok(())
}

fn parts(call: &Call<'_>, of_keys: bool) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let (k, v) = map_of(call, 0)?;
    let of = plain(if of_keys { k } else { v }.clone());
    Ok(infallible(call.as_given(), call.result(TypeKind::Array(Box::new(of))), move |a, sel, rows, out| {
        let _ = collections(a, sel, rows, out, |i, data| {
            let ColumnData::List { child, .. } = data else { unreachable!("an array") };
            let (keys, values, places) = entries_of(&a[0], i);
            for e in places {
                child.extend_rows(if of_keys { keys } else { values }, &[e as u32]);
            }
            Ok(())
        });
    }))
}

fn entries(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let (k, v) = map_of(call, 0)?;
    let row = TypeKind::Row(vec![Field::new("key", plain(k.clone())), Field::new("value", plain(v.clone()))]);
    let ty = call.result(TypeKind::Array(Box::new(row.nullable())));
    Ok(infallible(call.as_given(), ty, |a, sel, rows, out| {
        let _ = collections(a, sel, rows, out, |i, data| {
            let ColumnData::List { child, .. } = data else { unreachable!("an array") };
            let Column { validity, data: ColumnData::Row(fields) } = &mut **child else {
                unreachable!("of rows")
            };
            let (keys, values, places) = entries_of(&a[0], i);
            for e in places {
                for (field, from) in fields.iter_mut().zip([keys, values]) {
                    crate::batch::ColumnRef::make_mut(field).extend_rows(from, &[e as u32]);
                }
                validity.push(true);
            }
            Ok(())
        });
    }))
}

/// Appends entries, of equal keys the last value in the first one's place.
fn push_entries<'a>(data: &mut ColumnData, entries: &[(&'a Column, usize, &'a Column, usize)]) {
    let ColumnData::Map { keys, values, .. } = data else { unreachable!("a map") };
    let same = |x: usize, y: usize| {
        let ((c, i, ..), (d, j, ..)) = (entries[x], entries[y]);
        order::same_key(c, i, d, j)
    };
    for x in 0..entries.len() {
        if (0..x).any(|before| same(before, x)) {
            continue;
        }
        let last = (x..entries.len()).rev().find(|y| same(x, *y)).unwrap_or(x);
        let ((key, k, ..), (.., value, v)) = (entries[x], entries[last]);
        keys.extend_rows(key, &[k as u32]);
        values.extend_rows(value, &[v as u32]);
    }
}

fn from_arrays(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let (TypeKind::Array(k), TypeKind::Array(v)) = (call.kind(0), call.kind(1)) else {
        return Err(call.wrong_types(&["ARRAY, ARRAY"]));
    };
    let ty = call.result(TypeKind::Map(Box::new(plain((**k).clone())), Box::new(plain((**v).clone()))));
    Ok(fallible(call.as_given(), ty, |a, sel, rows, out| {
        let mut found = vec![];
        collections(a, sel, rows, out, |i, data| {
            let (k, v) = (range(&a[0], i), range(&a[1], i));
            if k.len() != v.len() {
                return Err(RowError::runtime(
                    i,
                    format!("MAP_FROM_ARRAYS got {} keys and {} values", k.len(), v.len()),
                ));
            }
            found.clear();
            found.extend(k.zip(v).map(|(k, v)| (child(&a[0]), k, child(&a[1]), v)));
            push_entries(data, &found);
            Ok(())
        })
    }))
}

fn union(call: &Call<'_>) -> Result<BoundFunction> {
    if call.args.is_empty() {
        return Err(call.wrong_count("at least 1"));
    }
    for i in 0..call.args.len() {
        map_of(call, i)?;
    }
    let ty = common_type(call.args.iter().map(|a| &a.ty))
        .map(plain)
        .ok_or_else(|| call.wrong_types(&["MAP, MAP of one type"]))?;
    let args = (0..call.args.len()).map(|i| call.wanted(i, ty.kind.clone())).collect();
    Ok(infallible(args, ty, |a, sel, rows, out| {
        let mut found: Vec<(&Column, usize, &Column, usize)> = vec![];
        let _ = collections(a, sel, rows, out, |i, data| {
            found.clear();
            // Flink's order: each further map stands before what was gathered, without the keys that it has, too.
            for x in a.iter().rev() {
                let (keys, values, places) = entries_of(x, i);
                let known = found.len();
                for e in places {
                    if !found[..known].iter().any(|(c, k, ..)| order::same_key(c, *k, keys, e)) {
                        found.push((keys, e, values, e));
                    }
                }
            }
            push_entries(data, &found);
            Ok(())
        });
    }))
}

fn check_texts(call: &Call<'_>) -> Result<()> {
    if call.args.iter().all(|a| a.ty.kind.is_character() || a.ty.kind == TypeKind::Null) {
        return Ok(());
    }
    Err(call.wrong_types(&["CHARACTER, ..."]))
}

/// A regular expression and the text it was made of.
#[derive(Default)]
struct Separator {
    text: Vec<u8>,
    regex: Option<Regex>,
}

impl Separator {
    /// The expression `text`.
    fn of(&mut self, text: &[u8], row: usize) -> std::result::Result<&Regex, RowError> {
        if self.regex.is_none() || self.text != text {
            self.text = text.to_vec();
            let regex = java_regex(&String::from_utf8_lossy(text)).ok();
            self.regex = regex;
        }
        self.regex.as_ref().ok_or_else(|| {
            RowError::runtime(
                row,
                format!(
                    "the separator '{}' is no regular expression that is supported",
                    String::from_utf8_lossy(text)
                ),
            )
        })
    }
}

/// Java's `String.split`: an empty match at the start gives no part; where `limit` is 0, empty parts at the end are left out.
fn java_split<'t>(regex: &Regex, text: &'t str, limit: usize, parts: &mut Vec<&'t str>) {
    parts.clear();
    let mut from = 0;
    for m in java_matches(regex, text) {
        if parts.len() + 1 == limit {
            break;
        }
        if m.end() == 0 {
            continue;
        }
        parts.push(&text[from..m.start()]);
        from = m.end();
    }
    parts.push(&text[from..]);
    if limit == 0 && parts.len() > 1 {
        while parts.last().is_some_and(|p| p.is_empty()) {
            parts.pop();
        }
    }
}

fn str_to_map(call: &Call<'_>) -> Result<BoundFunction> {
    if call.args.len() != 1 {
        call.count(3..=3)?;
    }
    check_texts(call)?;
    let of = || Box::new(TypeKind::STRING.nullable());
    let ty = TypeKind::Map(of(), of()).nullable();
    Ok(fallible(super::encoding::texts(call), ty, |a, sel, rows, out| {
        let (mut between, mut within) = (Separator::default(), Separator::default());
        collections(a, sel, rows, out, |i, data| {
            let text = String::from_utf8_lossy(a[0].bytes(i));
            if text.is_empty() {
                return Ok(());
            }
            let separator = |n: usize| a.get(n).map(|x| x.bytes(i));
            let between = between.of(separator(1).unwrap_or(b","), i)?;
            let within = within.of(separator(2).unwrap_or(b"="), i)?;
            let (mut entries, mut pair) = (vec![], vec![]);
            let mut found: Vec<(&str, Option<&str>)> = vec![];
            java_split(between, &text, 0, &mut entries);
            for entry in &entries {
                java_split(within, entry, 2, &mut pair);
                let value = pair.get(1).copied();
                match found.iter_mut().find(|f| f.0 == pair[0]) {
                    Some(known) => known.1 = value,
                    None => found.push((pair[0], value)),
                }
            }
            let ColumnData::Map { keys, values, .. } = data else { unreachable!("a map") };
            for (k, v) in found {
                keys.validity.push(true);
                keys.byte_column_mut().push(k.as_bytes());
                values.validity.push(v.is_some());
                values.byte_column_mut().push(v.unwrap_or_default().as_bytes());
            }
            Ok(())
        })
    }))
}

fn split(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=2)?;
    check_texts(call)?;
    let ty = call.result(TypeKind::Array(Box::new(TypeKind::STRING.nullable())));
    Ok(infallible(super::encoding::texts(call), ty, |a, sel, rows, out| {
        let _ = collections(a, sel, rows, out, |i, data| {
            let ColumnData::List { child, .. } = data else { unreachable!("an array") };
            let (text, separator) = (a[0].bytes(i), a[1].bytes(i));
            let mut push = |part: &[u8]| {
                child.validity.push(true);
                child.byte_column_mut().push(part);
            };
            if text.is_empty() {
                return Ok(());
            }
            if separator.is_empty() {
                for c in String::from_utf8_lossy(text).chars() {
                    // Java takes half a surrogate pair for a character, and `?` is what it writes for it.
                    match c.len_utf16() {
                        1 => push(c.encode_utf8(&mut [0; 4]).as_bytes()),
                        _ => (0..2).for_each(|_| push(b"?")),
                    }
                }
                return Ok(());
            }
            let mut from = 0;
            for at in memchr::memmem::find_iter(text, separator) {
                push(&text[from..at]);
                from = at + separator.len();
            }
            push(&text[from..]);
            Ok(())
        });
    }))
}

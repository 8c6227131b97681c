//! Character functions. Positions count characters (code points) from 1.
//!
//! What is a part of its argument shares the argument's bytes; what is new goes into the result's arena.

use crate::batch::types::MAX_LENGTH;
use crate::batch::{Column, DataType, Sel, TypeKind};
use crate::error::Result;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::places::Places;
use crate::expr::kernels::text::{
    build, char_count, char_offset, flags, opt_from, rebuild, slices, try_build,
};
use crate::expr::kernels::{fallible, infallible};
use crate::expr::{Arg, RowError};
use std::ops::Range;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, bind| {
        r.builtin(FunctionDoc { names, family: "string", signatures, text, examples: &[] }, bind);
    };
    add(&["||"], &["text || text"], "Joins two texts.", concat_operator);
    add(&["CONCAT"], &["text, ..."], "Joins texts; NULL when one is NULL.", |c| {
        texts(c, 1..=usize::MAX)?;
        Ok(builder(c, TypeKind::STRING, |a, i, out| {
            a.iter().for_each(|a| out.extend_from_slice(a.bytes(i)));
            true
        }))
    });
    add(
        &["CONCAT_WS"],
        &["separator, text, ..."],
        "Joins the texts that are not NULL by a separator.",
        concat_ws,
    );
    add(&["UPPER"], &["text"], "In upper case.", |c| change_case(c, true));
    add(&["LOWER"], &["text"], "In lower case.", |c| change_case(c, false));
    add(&["INITCAP"], &["text"], "Words (of ASCII letters and digits) with a capital first.", initcap);
    add(
        &["TRIM"],
        &["TRIM([BOTH | LEADING | TRAILING] [characters FROM] text)"],
        "Without the characters at the ends.",
        trim,
    );
    add(&["LTRIM"], &["text", "text, characters"], "Without the characters at the start.", |c| {
        trim_side(c, true, false)
    });
    add(&["RTRIM"], &["text", "text, characters"], "Without the characters at the end.", |c| {
        trim_side(c, false, true)
    });
    add(&["BTRIM"], &["text", "text, characters"], "Without the characters at both ends.", |c| {
        trim_side(c, true, true)
    });
    add(
        &["SUBSTRING", "SUBSTR"],
        &["text, position", "text, position, length", "SUBSTRING(text FROM position [FOR length])"],
        "A part; a negative position counts from the end.",
        substring,
    );
    add(&["LEFT"], &["text, length"], "The first characters.", |c| side(c, true));
    add(&["RIGHT"], &["text, length"], "The last characters.", |c| side(c, false));
    add(&["CHAR_LENGTH", "CHARACTER_LENGTH"], &["text"], "Number of characters.", |c| {
        texts(c, 1..=1)?;
        Ok(number(c, TypeKind::Int, |a, i| Some(char_count(a[0].bytes(i)) as i32)))
    });
    add(&["POSITION"], &["POSITION(part IN text)"], "Where the part first stands, 0: nowhere.", |c| {
        texts(c, 2..=2)?;
        Ok(number(c, TypeKind::Int, |a, i| Some(locate(a[0].bytes(i), a[1].bytes(i), 1))))
    });
    add(&["INSTR"], &["text, part"], "Where the part first stands, 0: nowhere.", |c| {
        texts(c, 2..=2)?;
        Ok(number(c, TypeKind::Int, |a, i| Some(locate(a[1].bytes(i), a[0].bytes(i), 1))))
    });
    add(
        &["LOCATE"],
        &["part, text", "part, text, from"],
        "Where the part stands from a position on, 0: nowhere.",
        |c| {
            mixed(c, 2..=3, 2)?;
            Ok(number_with(c, text_then_int(c, 2), TypeKind::Int, |a, i| {
                Some(locate(a[0].bytes(i), a[1].bytes(i), a.get(2).map_or(1, |n| int(n, i))))
            }))
        },
    );
    add(&["REPLACE"], &["text, part, new"], "With every occurrence of the part replaced.", |c| {
        texts(c, 3..=3)?;
        Ok(builder(c, TypeKind::STRING, |a, i, out| {
            replace(a[0].bytes(i), a[1].bytes(i), a[2].bytes(i), out);
            true
        }))
    });
    add(
        &["TRANSLATE"],
        &["text, from, to"],
        "With characters replaced one by one; those without a partner go.",
        |c| {
            texts(c, 3..=3)?;
            Ok(builder(c, TypeKind::STRING, |a, i, out| {
                translate(str_of(&a[0], i), str_of(&a[1], i), str_of(&a[2], i), out);
                true
            }))
        },
    );
    add(&["SPLIT_INDEX"], &["text, separator, index"], "The part with that number, from 0.", split_index);
    add(&["LPAD"], &["text, length, pad"], "Padded or cut at the left to a length.", |c| pad(c, true));
    add(&["RPAD"], &["text, length, pad"], "Padded or cut at the right to a length.", |c| pad(c, false));
    add(&["REPEAT"], &["text, times"], "Several times.", |c| {
        mixed(c, 2..=2, 1)?;
        Ok(build_with(text_then_int(c, 1), c.result(TypeKind::STRING), |a, i, out| {
            (0..int(&a[1], i).max(0)).for_each(|_| out.extend_from_slice(a[0].bytes(i)));
            true
        }))
    });
    add(&["REVERSE"], &["text"], "Backwards.", |c| {
        texts(c, 1..=1)?;
        // Flink never says NOT NULL of it.
        Ok(build_with(text_then_int(c, usize::MAX), TypeKind::STRING.nullable(), |a, i, out| {
            let mut buffer = [0; 4];
            str_of(&a[0], i)
                .chars()
                .rev()
                .for_each(|c| out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()));
            true
        }))
    });
    add(&["ASCII"], &["text"], "The first byte as a number, 0 for none.", |c| {
        texts(c, 1..=1)?;
        Ok(number(c, TypeKind::Int, |a, i| Some(a[0].bytes(i).first().map_or(0, |&b| i32::from(b as i8)))))
    });
    add(&["CHR"], &["integer"], "The character with that number below 256.", chr);
    add(
        &["OVERLAY"],
        &["OVERLAY(text PLACING new FROM position [FOR length])"],
        "With a part replaced.",
        overlay,
    );
    add(&["STARTSWITH"], &["text, start"], "Begins with it.", |c| affix(c, true));
    add(&["ENDSWITH"], &["text, end"], "Ends with it.", |c| affix(c, false));
    add(&["ELT"], &["index, text, ..."], "The text with that number, from 1.", elt);
}

/// All arguments are text, their number in range.
fn texts(call: &Call<'_>, count: std::ops::RangeInclusive<usize>) -> Result<()> {
    mixed(call, count, usize::MAX)
}

/// The arguments from `integers` on are integers, those before text.
fn mixed(call: &Call<'_>, count: std::ops::RangeInclusive<usize>, integers: usize) -> Result<()> {
    call.count(count)?;
    let fits = call.args.iter().enumerate().all(|(i, a)| match &a.ty.kind {
        TypeKind::Null => true,
        k if i >= integers => k.is_integer(),
        k => k.is_character() || k.is_binary(),
    });
    if fits { Ok(()) } else { Err(call.wrong_types(&["see the reference"])) }
}

/// Text arguments as they are, integers from `integers` on as INT.
fn text_then_int(call: &Call<'_>, integers: usize) -> Vec<DataType> {
    (0..call.args.len())
        .map(|i| match call.kind(i) {
            _ if i >= integers => call.wanted(i, TypeKind::Int),
            TypeKind::Null => call.wanted(i, TypeKind::STRING),
            _ => call.args[i].ty.clone(),
        })
        .collect()
}

#[inline]
fn int(a: &Arg<'_>, i: usize) -> i32 {
    a.column.slice::<i32>()[a.at(i)]
}

#[inline]
fn str_of<'a>(a: &Arg<'a>, i: usize) -> &'a str {
    a.column.byte_column().str(a.at(i))
}

fn builder(
    call: &Call<'_>,
    kind: TypeKind,
    f: impl Fn(&[Arg<'_>], usize, &mut Vec<u8>) -> bool + Clone + Send + Sync + 'static,
) -> BoundFunction {
    build_with(text_then_int(call, usize::MAX), call.result(kind), f)
}

fn build_with(
    args: Vec<DataType>,
    ty: DataType,
    f: impl Fn(&[Arg<'_>], usize, &mut Vec<u8>) -> bool + Clone + Send + Sync + 'static,
) -> BoundFunction {
    infallible(args, ty, move |a, sel, _, out| build(a, sel, out, |i, to| f(a, i, to)))
}

fn number(
    call: &Call<'_>,
    kind: TypeKind,
    f: impl Fn(&[Arg<'_>], usize) -> Option<i32> + Clone + Send + Sync + 'static,
) -> BoundFunction {
    number_with(call, text_then_int(call, usize::MAX), kind, f)
}

fn number_with(
    call: &Call<'_>,
    args: Vec<DataType>,
    kind: TypeKind,
    f: impl Fn(&[Arg<'_>], usize) -> Option<i32> + Clone + Send + Sync + 'static,
) -> BoundFunction {
    infallible(args, call.result(kind), move |a, sel, _, out| opt_from::<i32>(a, sel, out, |i| f(a, i)))
}

/// The length of a character type.
fn length(kind: &TypeKind) -> u32 {
    match kind {
        TypeKind::Char(n) | TypeKind::VarChar(n) => *n,
        _ => MAX_LENGTH,
    }
}

/// A part of argument 0: VARCHAR of the argument's length.
fn part_of(call: &Call<'_>) -> TypeKind {
    TypeKind::VarChar(length(call.kind(0)))
}

fn concat_operator(call: &Call<'_>) -> Result<BoundFunction> {
    texts(call, 2..=2)?;
    let (a, b) = (call.kind(0), call.kind(1));
    let n = length(a).saturating_add(length(b)).min(MAX_LENGTH);
    let kind = match (a, b) {
        (TypeKind::Char(_), TypeKind::Char(_)) => TypeKind::Char(n),
        _ => TypeKind::VarChar(n),
    };
    Ok(builder(call, kind, |a, i, out| {
        out.extend_from_slice(a[0].bytes(i));
        out.extend_from_slice(a[1].bytes(i));
        true
    }))
}

fn concat_ws(call: &Call<'_>) -> Result<BoundFunction> {
    texts(call, 2..=usize::MAX)?;
    let ty = call.result(TypeKind::STRING);
    Ok(infallible(text_then_int(call, usize::MAX), ty, |a, sel, _, out| {
        // NULL texts are skipped; only the separator's NULL counts.
        build(&a[..1], sel, out, |i, to| {
            let mut first = true;
            for t in a[1..].iter().filter(|t| t.is_valid(i)) {
                if !first {
                    to.extend_from_slice(a[0].bytes(i));
                }
                first = false;
                to.extend_from_slice(t.bytes(i));
            }
            true
        });
    }))
}

fn change_case(call: &Call<'_>, upper: bool) -> Result<BoundFunction> {
    texts(call, 1..=1)?;
    let kind = if call.kind(0).is_character() { call.kind(0).clone() } else { TypeKind::STRING };
    let write = move |arg: &Arg<'_>, i: usize, out: &mut Vec<u8>| {
        let bytes = arg.bytes(i);
        if bytes.is_ascii() {
            let start = out.len();
            out.extend_from_slice(bytes);
            if upper {
                out[start..].make_ascii_uppercase();
            } else {
                out[start..].make_ascii_lowercase();
            }
        } else {
            write_case(str_of(arg, i), upper, out);
        }
    };
    Ok(infallible(text_then_int(call, usize::MAX), call.result(kind), move |a, sel, _, out| {
        rebuild(a, sel, out, |view| view.in_case(upper), |i, to| write(&a[0], i, to));
    }))
}

/// Upper or lower case, character by character; alone the Σ at the end of a word depends on what stands around it.
fn write_case(text: &str, upper: bool, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    let mut push = |c: char| out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    if upper {
        text.chars().flat_map(char::to_uppercase).for_each(push);
    } else if text.contains('Σ') {
        out.extend_from_slice(text.to_lowercase().as_bytes());
    } else {
        text.chars().flat_map(char::to_lowercase).for_each(&mut push);
    }
}

fn initcap(call: &Call<'_>) -> Result<BoundFunction> {
    texts(call, 1..=1)?;
    let kind = if call.kind(0).is_character() { call.kind(0).clone() } else { TypeKind::STRING };
    Ok(builder(call, kind, |a, i, out| {
        let mut inside = false;
        out.extend(a[0].bytes(i).iter().map(|&b| {
            let word = b.is_ascii_alphanumeric();
            let b = if inside { b.to_ascii_lowercase() } else { b.to_ascii_uppercase() };
            inside = word;
            b
        }));
        true
    }))
}

/// The range that is left of a text when characters of `set` are taken from its ends.
fn trimmed(text: &[u8], set: &[u8], start: bool, end: bool) -> Range<usize> {
    if let [b] = set {
        let from = if start { text.iter().position(|x| x != b).unwrap_or(text.len()) } else { 0 };
        let to = if end {
            text[from..].iter().rposition(|x| x != b).map_or(from, |n| from + n + 1)
        } else {
            text.len()
        };
        return from..to;
    }
    let (text, set) = (std::str::from_utf8(text).unwrap_or(""), std::str::from_utf8(set).unwrap_or(""));
    let mut rest = text;
    if start {
        rest = rest.trim_start_matches(|c| set.contains(c));
    }
    let from = text.len() - rest.len();
    if end {
        rest = rest.trim_end_matches(|c| set.contains(c));
    }
    from..from + rest.len()
}

fn trim(call: &Call<'_>) -> Result<BoundFunction> {
    texts(call, 3..=3)?;
    let (start, end) = match call.literal_text(0) {
        Some("BOTH") => (true, true),
        Some("LEADING") => (true, false),
        Some("TRAILING") => (false, true),
        _ => return Err(call.wrong_types(&["BOTH | LEADING | TRAILING"])),
    };
    let ty = DataType {
        kind: TypeKind::VarChar(length(call.kind(2))),
        nullable: call.args[1..].iter().any(|a| a.ty.nullable),
        time: Default::default(),
    };
    Ok(infallible(text_then_int(call, usize::MAX), ty, move |a, sel, _, out| {
        slices(&[a[2], a[1]], sel, out, |i, text| Some(trimmed(text, a[1].bytes(i), start, end)));
    }))
}

fn trim_side(call: &Call<'_>, start: bool, end: bool) -> Result<BoundFunction> {
    texts(call, 1..=2)?;
    let kind = if start && end { TypeKind::STRING } else { part_of(call) };
    Ok(infallible(text_then_int(call, usize::MAX), call.result(kind), move |a, sel, _, out| {
        slices(a, sel, out, |i, text| Some(trimmed(text, a.get(1).map_or(b" ", |s| s.bytes(i)), start, end)));
    }))
}

/// The byte range of SUBSTRING.
fn substring_range(text: &[u8], position: i32, len: i32) -> Option<Range<usize>> {
    if len < 0 {
        return None;
    }
    if text.is_empty() {
        return Some(0..0);
    }
    let chars = char_count(text) as i64;
    let start = match i64::from(position) {
        p if p > 0 => p - 1,
        p if p < 0 => chars + p,
        _ => 0,
    };
    if start < 0 || start >= chars {
        return Some(0..0);
    }
    let from = char_offset(text, start as usize);
    let to = from + char_offset(&text[from..], len as usize);
    Some(from..to)
}

fn substring(call: &Call<'_>) -> Result<BoundFunction> {
    mixed(call, 2..=3, 1).map_err(|e| match e.kind() {
        _ if (2..=3).contains(&call.args.len()) => {
            call.wrong_types(&["SUBSTRING(CHARACTER, INTEGER)", "SUBSTRING(CHARACTER, INTEGER, INTEGER)"])
        }
        _ => e,
    })?;
    Ok(infallible(text_then_int(call, 1), part_of(call).nullable(), |a, sel, _, out| {
        slices(a, sel, out, |i, text| {
            substring_range(text, int(&a[1], i), a.get(2).map_or(i32::MAX, |n| int(n, i)))
        });
    }))
}

fn side(call: &Call<'_>, left: bool) -> Result<BoundFunction> {
    mixed(call, 2..=2, 1)?;
    Ok(infallible(text_then_int(call, 1), part_of(call).nullable(), move |a, sel, _, out| {
        slices(a, sel, out, |i, text| {
            let n = int(&a[1], i).max(0) as usize;
            Some(if left {
                0..char_offset(text, n)
            } else {
                char_offset(text, char_count(text).saturating_sub(n))..text.len()
            })
        });
    }))
}

/// The character position of `part` in `text` from position `from` on.
fn locate(part: &[u8], text: &[u8], from: i32) -> i32 {
    if from < 1 {
        return 0;
    }
    let start = char_offset(text, from as usize - 1);
    if start == text.len() && from as usize > char_count(text) + 1 {
        return 0;
    }
    match find(&text[start..], part) {
        Some(at) => char_count(&text[..start + at]) as i32 + 1,
        None => 0,
    }
}

/// Where `part` first stands in `text`.
#[inline]
pub(super) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    match part {
        [] => Some(0),
        [b] => memchr::memchr(*b, text),
        _ => memchr::memmem::find(text, part),
    }
}

fn replace(text: &[u8], part: &[u8], new: &[u8], out: &mut Vec<u8>) {
    if part.is_empty() {
        out.extend_from_slice(text);
        return;
    }
    let mut rest = text;
    while let Some(at) = find(rest, part) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new);
        rest = &rest[at + part.len()..];
    }
    out.extend_from_slice(rest);
}

fn translate(text: &str, from: &str, to: &str, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    for c in text.chars() {
        let c = match from.chars().position(|f| f == c) {
            None => Some(c),
            Some(n) => to.chars().nth(n),
        };
        if let Some(c) = c {
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    }
}

/// The range of part `index` of a text split at each `separator`.
#[inline(always)]
fn part_by_byte(text: &[u8], separator: u8, index: u32) -> Option<Range<usize>> {
    let (mut places, mut from) = (Places::new(text, separator), 0);
    for _ in 0..index {
        from = places.next()? + 1;
    }
    Some(from..places.next().unwrap_or(text.len()))
}

/// The range of part `index` of a text split by a separator.
fn split_part(text: &[u8], separator: &[u8], index: i32) -> Option<Range<usize>> {
    if text.is_empty() || index < 0 || separator.is_empty() {
        return None;
    }
    if let [byte] = separator {
        return part_by_byte(text, *byte, index as u32);
    }
    let mut from = 0;
    for _ in 0..index {
        from += find(&text[from..], separator)? + separator.len();
    }
    Some(from..find(&text[from..], separator).map_or(text.len(), |at| from + at))
}

fn split_index(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(3..=3)?;
    let code = call.kind(1).is_integer();
    let fits = |k: &TypeKind| k.is_character() || *k == TypeKind::Null;
    if !fits(call.kind(0)) || !(code || fits(call.kind(1))) || !call.kind(2).is_integer() {
        return Err(call.wrong_types(&["CHARACTER, CHARACTER, INTEGER", "CHARACTER, INTEGER, INTEGER"]));
    }
    let mut args = text_then_int(call, 2);
    if code {
        args[1] = call.wanted(1, TypeKind::Int);
    }
    Ok(infallible(args, TypeKind::STRING.nullable(), move |a, sel, _, out| {
        // The usual case: nothing but the text changes.
        if let ([byte], index @ 0..) = (
            if code || !a[1].constant { &[] } else { a[1].bytes(0) },
            if a[2].constant { int(&a[2], 0) } else { -1 },
        ) {
            let (byte, index) = (*byte, index as u32);
            slices(
                a,
                sel,
                out,
                |_, text| {
                    if text.is_empty() { None } else { part_by_byte(text, byte, index) }
                },
            );
            return;
        }
        slices(a, sel, out, |i, text| {
            let index = int(&a[2], i);
            if code {
                let c = char::from_u32(int(&a[1], i) as u32).filter(|&c| c < '\u{100}')?;
                split_part(text, c.encode_utf8(&mut [0; 4]).as_bytes(), index)
            } else {
                split_part(text, a[1].bytes(i), index)
            }
        });
    }))
}

fn pad(call: &Call<'_>, left: bool) -> Result<BoundFunction> {
    call.count(3..=3)?;
    if !call.kind(0).is_character() || !call.kind(1).is_integer() || !call.kind(2).is_character() {
        return Err(call.wrong_types(&["CHARACTER, INTEGER, CHARACTER"]));
    }
    let args = vec![call.args[0].ty.clone(), call.wanted(1, TypeKind::Int), call.args[2].ty.clone()];
    let ty = call.result(TypeKind::STRING);
    let write = move |a: &[Arg<'_>], i: usize, out: &mut Vec<u8>| {
        let (text, n, pad) = (a[0].bytes(i), int(&a[1], i), a[2].bytes(i));
        if n < 0 || pad.is_empty() {
            return false;
        }
        let (n, have) = (n as usize, char_count(text));
        if n <= have {
            out.extend_from_slice(&text[..char_offset(text, n)]);
            return true;
        }
        let fill = |out: &mut Vec<u8>| {
            let (each, missing) = (char_count(pad), n - have);
            (0..missing / each).for_each(|_| out.extend_from_slice(pad));
            out.extend_from_slice(&pad[..char_offset(pad, missing % each)]);
        };
        if left {
            fill(out);
            out.extend_from_slice(text);
        } else {
            out.extend_from_slice(text);
            fill(out);
        }
        true
    };
    if ty.nullable {
        return Ok(build_with(args, ty, write));
    }
    // Flink says NOT NULL and fails where it is NULL all the same.
    Ok(fallible(args, ty, move |a, sel, _, out| {
        try_build(a, sel, out, |i, to| match write(a, i, to) {
            true => Ok(true),
            false => Err(RowError::runtime(
                i,
                "a negative length or an empty pad gives NULL for a value that is NOT NULL",
            )),
        })
    }))
}

fn chr(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !call.kind(0).is_integer() {
        return Err(call.wrong_types(&["INTEGER"]));
    }
    Ok(build_with(vec![call.wanted(0, TypeKind::BigInt)], TypeKind::STRING.nullable(), |a, i, out| {
        let n = a[0].column.slice::<i64>()[a[0].at(i)];
        if n >= 0 {
            out.extend_from_slice(char::from((n & 0xff) as u8).encode_utf8(&mut [0; 4]).as_bytes());
        }
        true
    }))
}

fn overlay(call: &Call<'_>) -> Result<BoundFunction> {
    mixed(call, 3..=4, 2)?;
    let ty = TypeKind::VarChar(length(call.kind(0)).saturating_add(length(call.kind(1))).min(MAX_LENGTH));
    Ok(build_with(text_then_int(call, 2), call.result(ty), |a, i, out| {
        let (text, new, position) = (a[0].bytes(i), a[1].bytes(i), int(&a[2], i));
        let chars = char_count(text) as i64;
        if position <= 0 || i64::from(position) > chars {
            out.extend_from_slice(text);
            return true;
        }
        let len = a.get(3).map_or(char_count(new) as i64, |n| int(n, i).into());
        let start = position as usize - 1;
        out.extend_from_slice(&text[..char_offset(text, start)]);
        out.extend_from_slice(new);
        if len >= 0 && i64::from(position) + len <= chars {
            out.extend_from_slice(&text[char_offset(text, start + len as usize)..]);
        }
        true
    }))
}

fn affix(call: &Call<'_>, start: bool) -> Result<BoundFunction> {
    texts(call, 2..=2)?;
    let ty = call.result(TypeKind::Boolean);
    Ok(infallible(
        text_then_int(call, usize::MAX),
        ty,
        move |a: &[Arg<'_>], sel: Sel<'_>, _, out: &mut Column| {
            flags(a, sel, out, |i| {
                let (text, part) = (a[0].bytes(i), a[1].bytes(i));
                Some(if start { text.starts_with(part) } else { text.ends_with(part) })
            });
        },
    ))
}

/// The type of one of several texts: theirs if they have one, else as long as the longest may be.
pub(super) fn common_text<'k>(mut kinds: impl Iterator<Item = &'k TypeKind> + Clone) -> TypeKind {
    let longest = TypeKind::VarChar(kinds.clone().map(length).max().unwrap_or(MAX_LENGTH));
    let first = kinds.next();
    first.filter(|f| kinds.all(|k| k == *f)).cloned().unwrap_or(longest)
}

fn elt(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=usize::MAX)?;
    if !call.kind(0).is_integer() || !call.args[1..].iter().all(|a| a.ty.kind.is_character()) {
        return Err(call.wrong_types(&["INTEGER, CHARACTER, ..."]));
    }
    let ty = common_text(call.args[1..].iter().map(|a| &a.ty.kind));
    let mut args = call.as_given();
    args[0] = call.wanted(0, TypeKind::BigInt);
    Ok(infallible(args, ty.nullable(), |a, sel, _, out| {
        build(&a[..1], sel, out, |i, to| {
            let n = a[0].column.slice::<i64>()[a[0].at(i)];
            match usize::try_from(n).ok().filter(|&n| n > 0).and_then(|n| a.get(n)) {
                Some(t) if t.is_valid(i) => {
                    to.extend_from_slice(t.bytes(i));
                    true
                }
                _ => false,
            }
        });
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_those_of_a_split(text in "[a/\u{e9}\u{af}\u{2f2f}]{0,40}", separator in 0usize..2, index in 0i32..12) {
            let separator = ["/", "a"][separator];
            let wanted = text.split(separator).nth(index as usize).filter(|_| !text.is_empty());
            let got = split_part(text.as_bytes(), separator.as_bytes(), index).map(|range| &text[range]);
            prop_assert_eq!(got, wanted);
        }
    }
}

//! Bytes and numbers as text and back: Base64, hexadecimal, binary, character sets, IPv4 addresses.

use crate::batch::{ColumnData, DataType, TypeKind};
use crate::error::Result;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::text::{build, opt_from, try_build};
use crate::expr::kernels::{fallible, infallible};
use crate::expr::{Arg, RowError};

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "encoding", signatures, text, examples }, bind);
    };
    add(&["TO_BASE64"], &["text"], "The bytes in Base64.", &[("TO_BASE64('abc')", "YWJj")], |call| {
        text_to(call, true, TypeKind::STRING, write_base64)
    });
    add(
        &["FROM_BASE64"],
        &["text"],
        "The text that stands in Base64; fails for anything else.",
        &[("FROM_BASE64('YWJj')", "abc")],
        from_base64,
    );
    add(
        &["HEX"],
        &["integer", "text"],
        "The number, or the bytes of the text, in hexadecimal.",
        &[("HEX(255)", "FF"), ("HEX('ab')", "6162")],
        hex,
    );
    add(
        &["UNHEX"],
        &["text"],
        "The bytes that stand in hexadecimal; NULL for anything else. Of an odd number of digits the first gives a zero byte.",
        &[("UNHEX('414243')", "x'414243'")],
        unhex,
    );
    add(&["BIN"], &["integer"], "The number in binary.", &[("BIN(5)", "101")], bin);
    add(
        &["ENCODE"],
        &["text, charset"],
        "The text in a character set: US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE or UTF-16LE.",
        &[("ENCODE('ab', 'UTF-16BE')", "x'00610062'")],
        |call| coded(call, false, TypeKind::BYTES, encode),
    );
    add(
        &["DECODE"],
        &["bytes, charset"],
        "The text that stands in a character set.",
        &[("DECODE(X'61FC', 'ISO-8859-1')", "aü")],
        |call| coded(call, true, TypeKind::STRING, decode),
    );
    add(
        &["INET_ATON"],
        &["text"],
        "An IPv4 address as a number; short forms (`127.1`) fill with zeros. NULL for anything else.",
        &[("INET_ATON('1.2.3.4')", "16909060")],
        inet_aton,
    );
    add(
        &["INET_NTOA"],
        &["integer"],
        "A number as an IPv4 address; NULL when it is none.",
        &[("INET_NTOA(16909060)", "1.2.3.4")],
        inet_ntoa,
    );
}

/// The arguments, a NULL literal being a STRING.
pub(super) fn texts(call: &Call<'_>) -> Vec<DataType> {
    (0..call.args.len())
        .map(|i| match call.kind(i) {
            TypeKind::Null => call.wanted(i, TypeKind::STRING),
            _ => call.args[i].ty.clone(),
        })
        .collect()
}

fn text_to(call: &Call<'_>, binary: bool, ty: TypeKind, f: fn(&[u8], &mut Vec<u8>)) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let kind = call.kind(0);
    if !(kind.is_character() || *kind == TypeKind::Null || binary && kind.is_binary()) {
        return Err(call.wrong_types(&["STRING"]));
    }
    Ok(infallible(texts(call), call.result(ty), move |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            f(a[0].bytes(i), to);
            true
        });
    }))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
pub(super) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for k in 0..4 {
            out.push(if k <= three.len() { BASE64[(word >> (18 - 6 * k) & 63) as usize] } else { b'=' });
        }
    }
}

/// Java's decoder: padding may be absent, other characters are refused.
fn read_base64(text: &[u8], out: &mut Vec<u8>) -> std::result::Result<(), String> {
    let end = text.iter().position(|b| *b == b'=').unwrap_or(text.len());
    let padding = &text[end..];
    let whole = end % 4;
    if whole == 1 || !(padding.is_empty() || padding.iter().all(|b| *b == b'=') && whole + padding.len() == 4)
    {
        return Err("Base64 text ends in the middle of a unit".into());
    }
    for four in text[..end].chunks(4) {
        let mut word = 0u32;
        for b in four {
            let six = match b {
                b'A'..=b'Z' => b - b'A',
                b'a'..=b'z' => b - b'a' + 26,
                b'0'..=b'9' => b - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return Err(format!("'{}' is no Base64 character", char::from(*b))),
            };
            word = word << 6 | u32::from(six);
        }
        let bytes = (word << (6 * (4 - four.len()))).to_be_bytes();
        out.extend_from_slice(&bytes[1..four.len()]);
    }
    Ok(())
}

fn from_base64(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !(call.kind(0).is_character() || *call.kind(0) == TypeKind::Null) {
        return Err(call.wrong_types(&["STRING"]));
    }
    Ok(fallible(texts(call), call.result(TypeKind::STRING), |a, sel, _, out| {
        try_build(a, sel, out, |i, to| {
            let start = to.len();
            read_base64(a[0].bytes(i), to).map_err(|e| RowError::runtime(i, e))?;
            make_utf8(to, start);
            Ok(true)
        })
    }))
}

/// What is no UTF-8 from `start` on becomes replacement characters.
pub(super) fn make_utf8(to: &mut Vec<u8>, start: usize) {
    if std::str::from_utf8(&to[start..]).is_err() {
        let text = String::from_utf8_lossy(&to[start..]).into_owned();
        to.truncate(start);
        to.extend_from_slice(text.as_bytes());
    }
}

fn integer(a: &Arg<'_>, i: usize) -> i64 {
    let at = a.at(i);
    match &a.column.data {
        ColumnData::I8(b) => b[at].into(),
        ColumnData::I16(b) => b[at].into(),
        ColumnData::I32(b) => b[at].into(),
        ColumnData::I64(b) => b[at],
        _ => unreachable!("an integer"),
    }
}

/// Digits of a number in base 2^bits, without leading zeros.
fn write_digits(v: u64, bits: u32, out: &mut Vec<u8>) {
    let count = (64 - v.leading_zeros()).div_ceil(bits).max(1);
    for k in (0..count).rev() {
        out.push(crate::batch::text::hex((v >> (k * bits)) as u8 & ((1 << bits) - 1))[1]);
    }
}

fn digits(call: &Call<'_>, bits: u32) -> Result<BoundFunction> {
    Ok(infallible(call.as_given(), call.result(TypeKind::STRING), move |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            write_digits(integer(&a[0], i) as u64, bits, to);
            true
        });
    }))
}

fn hex(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    match call.kind(0) {
        k if k.is_integer() => digits(call, 4),
        k if k.is_character() || *k == TypeKind::Null => {
            text_to(call, false, TypeKind::STRING, |bytes, out| {
                bytes.iter().for_each(|b| out.extend_from_slice(&crate::batch::text::hex(*b)));
            })
        }
        _ => Err(call.wrong_types(&["INTEGER", "CHARACTER"])),
    }
}

fn bin(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !call.kind(0).is_integer() {
        return Err(call.wrong_types(&["INTEGER"]));
    }
    digits(call, 1)
}

fn unhex(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !(call.kind(0).is_character() || *call.kind(0) == TypeKind::Null) {
        return Err(call.wrong_types(&["CHARACTER"]));
    }
    Ok(infallible(texts(call), TypeKind::BYTES.nullable(), |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            let text = a[0].bytes(i);
            let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
            let odd = text.len() % 2;
            if odd == 1 {
                if digit(text[0]).is_none() {
                    return false;
                }
                to.push(0);
            }
            text[odd..].chunks_exact(2).all(|two| match (digit(two[0]), digit(two[1])) {
                (Some(high), Some(low)) => {
                    to.push(high << 4 | low);
                    true
                }
                _ => false,
            })
        });
    }))
}

type Code = fn(&[u8], &str, &mut Vec<u8>) -> bool;

fn coded(call: &Call<'_>, binary: bool, ty: TypeKind, code: Code) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let first = call.kind(0);
    let fits = if binary { first.is_binary() } else { first.is_character() };
    if !(fits || *first == TypeKind::Null)
        || !(call.kind(1).is_character() || *call.kind(1) == TypeKind::Null)
    {
        return Err(call.wrong_types(&[if binary { "BINARY, CHARACTER" } else { "CHARACTER, CHARACTER" }]));
    }
    Ok(fallible(texts(call), call.result(ty), move |a, sel, _, out| {
        try_build(a, sel, out, |i, to| {
            let charset = String::from_utf8_lossy(a[1].bytes(i));
            if code(a[0].bytes(i), &charset.to_ascii_uppercase(), to) {
                return Ok(true);
            }
            Err(RowError::runtime(
                i,
                format!(
                    "'{charset}' is not one of US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE and UTF-16LE"
                ),
            ))
        })
    }))
}

fn encode(text: &[u8], charset: &str, out: &mut Vec<u8>) -> bool {
    let text = String::from_utf8_lossy(text);
    let narrow = |out: &mut Vec<u8>, last: u32| {
        out.extend(text.chars().map(|c| if u32::from(c) <= last { u32::from(c) as u8 } else { b'?' }));
    };
    match charset {
        "UTF-8" | "UTF8" => out.extend_from_slice(text.as_bytes()),
        "US-ASCII" | "ASCII" => narrow(out, 0x7f),
        "ISO-8859-1" | "LATIN1" => narrow(out, 0xff),
        "UTF-16LE" => text.encode_utf16().for_each(|u| out.extend_from_slice(&u.to_le_bytes())),
        "UTF-16" | "UTF-16BE" => {
            if charset == "UTF-16" && !text.is_empty() {
                out.extend_from_slice(&[0xfe, 0xff]);
            }
            text.encode_utf16().for_each(|u| out.extend_from_slice(&u.to_be_bytes()));
        }
        _ => return false,
    }
    true
}

fn decode(bytes: &[u8], charset: &str, out: &mut Vec<u8>) -> bool {
    let wide = |out: &mut Vec<u8>, bytes: &[u8], of: fn([u8; 2]) -> u16| {
        let units = bytes.chunks(2).map(|c| if let [a, b] = c { of([*a, *b]) } else { 0xfffd });
        for c in char::decode_utf16(units) {
            out.extend_from_slice(c.unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]).as_bytes());
        }
    };
    match charset {
        "UTF-8" | "UTF8" => out.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes()),
        "US-ASCII" | "ASCII" | "ISO-8859-1" | "LATIN1" => {
            let last = if charset.contains("ASCII") { 0x7f } else { 0xff };
            for b in bytes {
                let c = if *b <= last { char::from(*b) } else { '\u{fffd}' };
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        "UTF-16LE" => wide(out, bytes, u16::from_le_bytes),
        "UTF-16BE" => wide(out, bytes, u16::from_be_bytes),
        "UTF-16" => match bytes {
            [0xff, 0xfe, rest @ ..] => wide(out, rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => wide(out, rest, u16::from_be_bytes),
            _ => wide(out, bytes, u16::from_be_bytes),
        },
        _ => return false,
    }
    true
}

fn inet_aton(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !(call.kind(0).is_character() || *call.kind(0) == TypeKind::Null) {
        return Err(call.wrong_types(&["CHARACTER"]));
    }
    Ok(infallible(texts(call), TypeKind::BigInt.nullable(), |a, sel, _, out| {
        opt_from::<i64>(a, sel, out, |i| address(a[0].bytes(i)));
    }))
}

/// `a`, `a.d`, `a.b.d` or `a.b.c.d`, every part up to 255.
fn address(text: &[u8]) -> Option<i64> {
    let parts: Vec<&[u8]> = text.split(|b| *b == b'.').collect();
    let last = parts.len() - 1;
    let mut sum = 0;
    for (k, part) in parts.iter().enumerate() {
        let plain = !part.is_empty() && part.len() <= 10 && part.iter().all(u8::is_ascii_digit);
        let v: i64 = std::str::from_utf8(part).ok().filter(|_| plain)?.parse().ok()?;
        if v > 255 || last > 3 {
            return None;
        }
        sum += if k == last { v } else { v << (24 - 8 * k) };
    }
    Some(sum)
}

fn inet_ntoa(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !(call.kind(0).is_integer() || *call.kind(0) == TypeKind::Null) {
        return Err(call.wrong_types(&["INTEGER"]));
    }
    let args = vec![if *call.kind(0) == TypeKind::Null {
        call.wanted(0, TypeKind::BigInt)
    } else {
        call.args[0].ty.clone()
    }];
    Ok(infallible(args, TypeKind::STRING.nullable(), |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            let Ok(v) = u32::try_from(integer(&a[0], i)) else { return false };
            for (k, part) in v.to_be_bytes().into_iter().enumerate() {
                if k > 0 {
                    to.push(b'.');
                }
                crate::batch::text::number::write_i64(part.into(), to);
            }
            true
        });
    }))
}

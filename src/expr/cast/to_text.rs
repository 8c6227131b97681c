//! Casts to character and binary types, with their lengths.

use super::{Cast, Mode};
use crate::batch::text::{Style, write_value};
use crate::batch::types::MAX_LENGTH;
use crate::batch::{DataType, TypeKind};
use crate::expr::kernels::text::{build, char_count, char_offset, slices};
use TypeKind::*;

/// Cuts what was written from `start` on to the length of the type, and pads CHAR.
pub(crate) fn fit(to: &TypeKind, start: usize, out: &mut Vec<u8>) {
    let (n, pad) = match to {
        Char(n) => (*n as usize, true),
        VarChar(n) if *n < MAX_LENGTH => (*n as usize, false),
        _ => return,
    };
    let end = char_offset(&out[start..], n);
    out.truncate(start + end);
    if pad {
        let have = char_count(&out[start..]);
        out.resize(out.len() + n.saturating_sub(have), b' ');
    }
}

pub(super) fn to_text(from: &TypeKind, to: &TypeKind, mode: &Mode) -> Option<Cast> {
    let to = to.clone();
    if from.is_character() {
        return match to {
            VarChar(n) => Cast::infallible(move |a, sel, _, out| {
                slices(std::slice::from_ref(a), sel, out, |_, text| {
                    Some(0..if text.len() <= n as usize { text.len() } else { char_offset(text, n as usize) })
                });
            }),
            _ => Cast::infallible(move |a, sel, _, out| {
                build(std::slice::from_ref(a), sel, out, |i, out| {
                    let start = out.len();
                    out.extend_from_slice(a.bytes(i));
                    fit(&to, start, out);
                    true
                });
            }),
        };
    }
    if matches!(from, Null) {
        return None;
    }
    let (ty, zone): (DataType, _) = (from.clone().nullable(), mode.zone.clone());
    Cast::infallible(move |a, sel, _, out| {
        build(std::slice::from_ref(a), sel, out, |i, out| {
            let start = out.len();
            write_value(a.column, a.at(i), &ty, &zone, Style::Cast, out);
            fit(&to, start, out);
            true
        });
    })
}

/// From text (its UTF-8 bytes) or binary.
pub(super) fn to_binary(to: &TypeKind) -> Option<Cast> {
    match *to {
        VarBinary(n) => Cast::infallible(move |a, sel, _, out| {
            slices(std::slice::from_ref(a), sel, out, |_, b| Some(0..b.len().min(n as usize)));
        }),
        Binary(n) => Cast::infallible(move |a, sel, _, out| {
            build(std::slice::from_ref(a), sel, out, |i, out| {
                let (bytes, n) = (a.bytes(i), n as usize);
                out.extend_from_slice(&bytes[..bytes.len().min(n)]);
                out.resize(out.len() + n.saturating_sub(bytes.len()), 0);
                true
            });
        }),
        _ => None,
    }
}

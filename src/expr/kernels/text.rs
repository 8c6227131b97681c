//! Loops over character and binary values.
//!
//! New bytes go into the result's arena; parts of an argument are shared with it ([`slices`]), which costs 16 bytes a row.

use super::null_if_any;
use crate::batch::{Column, Native, Sel, Validity, View};
use crate::expr::{Arg, RowError};

/// A closure writes each selected row's bytes; `false` makes the row NULL. Rows where an argument is NULL are NULL.
pub fn build(
    args: &[Arg<'_>],
    sel: Sel<'_>,
    out: &mut Column,
    mut f: impl FnMut(usize, &mut Vec<u8>) -> bool,
) {
    if !null_if_any(args, out) {
        return;
    }
    let Column { validity, data } = out;
    let crate::batch::ColumnData::Bytes(bytes) = data else { panic!("the result holds bytes") };
    let mut w = bytes.writer();
    sel.for_each(|i| {
        if validity.get(i) {
            let mut ok = true;
            w.set_with(i, |to| ok = f(i, to));
            if !ok {
                validity.set(i, false);
            }
        }
    });
}

/// All rows are selected, none is NULL, and argument 0 is a column.
fn is_plain(args: &[Arg<'_>], sel: Sel<'_>, validity: &Validity) -> bool {
    matches!(sel, Sel::All(n) if n == validity.len()) && !validity.may_have_nulls() && !args[0].constant
}

/// As [`build`] of argument 0, where `short` may give the view of a row's value: one that holds it itself.
pub fn rebuild(
    args: &[Arg<'_>],
    sel: Sel<'_>,
    out: &mut Column,
    short: impl Fn(&View) -> Option<View>,
    mut f: impl FnMut(usize, &mut Vec<u8>),
) {
    if !null_if_any(args, out) {
        return;
    }
    let Column { validity, data } = out;
    let crate::batch::ColumnData::Bytes(bytes) = data else { panic!("the result holds bytes") };
    let (mut w, views) = (bytes.writer(), args[0].column.byte_column().views());
    if is_plain(args, sel, validity) {
        let mut rest = false;
        for (to, from) in w.views_mut().iter_mut().zip(views) {
            let view = short(from);
            rest |= view.is_none();
            *to = view.unwrap_or_default();
        }
        if rest {
            views
                .iter()
                .enumerate()
                .filter(|(_, v)| short(v).is_none())
                .for_each(|(i, _)| w.set_with(i, |to| f(i, to)));
        }
        return;
    }
    sel.for_each(|i| {
        if validity.get(i) {
            match short(&views[args[0].at(i)]) {
                Some(view) => w.set_inline(i, view),
                None => w.set_with(i, |to| f(i, to)),
            }
        }
    });
}

/// As [`build`], but a row may fail.
///
/// # Errors
/// The first row that fails.
pub fn try_build(
    args: &[Arg<'_>],
    sel: Sel<'_>,
    out: &mut Column,
    mut f: impl FnMut(usize, &mut Vec<u8>) -> Result<bool, RowError>,
) -> Result<(), RowError> {
    let mut failed = None;
    build(args, sel, out, |i, to| {
        if failed.is_some() {
            return false;
        }
        f(i, to).unwrap_or_else(|e| {
            failed = Some(e);
            false
        })
    });
    failed.map_or(Ok(()), Err)
}

/// Each selected row is a part of argument 0: `f(row, bytes)` gives its range, `None` makes the row NULL. Nothing is copied.
pub fn slices(
    args: &[Arg<'_>],
    sel: Sel<'_>,
    out: &mut Column,
    mut f: impl FnMut(usize, &[u8]) -> Option<std::ops::Range<usize>>,
) {
    if !null_if_any(args, out) {
        return;
    }
    let Column { validity, data } = out;
    let crate::batch::ColumnData::Bytes(to) = data else { panic!("the result holds bytes") };
    let from = args[0].column.byte_column();
    let map = to.share_buffers(from);
    if is_plain(args, sel, validity) {
        for (word, (to, views)) in to.views_mut().chunks_mut(64).zip(from.views().chunks(64)).enumerate() {
            let mut nulls = 0u64;
            for (k, (to, view)) in to.iter_mut().zip(views).enumerate() {
                let bytes = from.resolve(view);
                match f(word * 64 + k, bytes) {
                    Some(range) => *to = map.here(view.slice(bytes, range)),
                    None => nulls |= 1 << k,
                }
            }
            if nulls != 0 {
                validity.bits_mut().words_mut()[word] &= !nulls;
            }
        }
        return;
    }
    sel.for_each(|i| {
        if validity.get(i) {
            let view = &from.views()[args[0].at(i)];
            let bytes = from.resolve(view);
            match f(i, bytes) {
                Some(range) => to.set_shared(i, view.slice(bytes, range), &map),
                None => validity.set(i, false),
            }
        }
    });
}

/// `out = f(bytes)` of fixed width; `None` makes the row NULL.
pub fn opt_from<B: Native>(
    args: &[Arg<'_>],
    sel: Sel<'_>,
    out: &mut Column,
    mut f: impl FnMut(usize) -> Option<B>,
) {
    if !null_if_any(args, out) {
        return;
    }
    sel.for_each(|i| {
        if out.validity.get(i) {
            match f(i) {
                Some(v) => out.buffer_mut::<B>()[i] = v,
                None => out.validity.set(i, false),
            }
        }
    });
}

/// A BOOLEAN for each selected row where no argument is NULL; `None` makes the row NULL.
pub fn flags(args: &[Arg<'_>], sel: Sel<'_>, out: &mut Column, mut f: impl FnMut(usize) -> Option<bool>) {
    if !null_if_any(args, out) {
        return;
    }
    sel.for_each(|i| {
        if out.validity.get(i) {
            match f(i) {
                Some(v) => out.bools_mut().set(i, v),
                None => out.validity.set(i, false),
            }
        }
    });
}

/// The byte position of character `n` (from 0) of a text, or its length.
#[inline]
pub fn char_offset(text: &[u8], n: usize) -> usize {
    if text.is_ascii() {
        return n.min(text.len());
    }
    let mut seen = 0;
    for (i, b) in text.iter().enumerate() {
        if b & 0xc0 != 0x80 {
            if seen == n {
                return i;
            }
            seen += 1;
        }
    }
    text.len()
}

/// Number of characters.
#[inline]
pub fn char_count(text: &[u8]) -> usize {
    text.iter().filter(|&&b| b & 0xc0 != 0x80).count()
}

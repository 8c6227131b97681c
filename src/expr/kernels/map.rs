//! Loops from fixed-width values to fixed-width values.

use super::{is_dense, null_if_any};
use crate::batch::{Bitmap, Column, Native, Sel};
use crate::expr::{Arg, RowError};

/// `out = f(a)`, NULL where `a` is.
#[inline]
pub fn map1<A: Native, B: Native>(
    a: &Arg<'_>,
    sel: Sel<'_>,
    rows: usize,
    out: &mut Column,
    f: impl Fn(A) -> B,
) {
    if !null_if_any(std::slice::from_ref(a), out) {
        return;
    }
    let from = a.column.slice::<A>();
    let to = out.buffer_mut::<B>();
    if a.constant {
        to.fill(f(from[0]));
    } else if is_dense(sel, rows) {
        for (t, &v) in to.iter_mut().zip(from) {
            *t = f(v);
        }
    } else {
        sel.for_each(|i| to[i] = f(from[i]));
    }
}

/// `out = f(a, b)`, NULL where either is.
#[inline]
pub fn map2<A: Native, B: Native, C: Native>(
    a: &Arg<'_>,
    b: &Arg<'_>,
    sel: Sel<'_>,
    rows: usize,
    out: &mut Column,
    f: impl Fn(A, B) -> C,
) {
    if !null_if_any(&[*a, *b], out) {
        return;
    }
    let (x, y) = (a.column.slice::<A>(), b.column.slice::<B>());
    let to = out.buffer_mut::<C>();
    match (a.constant, b.constant) {
        (true, true) => to.fill(f(x[0], y[0])),
        (false, true) => {
            let c = y[0];
            if is_dense(sel, rows) {
                for (t, &v) in to.iter_mut().zip(x) {
                    *t = f(v, c);
                }
            } else {
                sel.for_each(|i| to[i] = f(x[i], c));
            }
        }
        (true, false) => {
            let c = x[0];
            if is_dense(sel, rows) {
                for (t, &v) in to.iter_mut().zip(y) {
                    *t = f(c, v);
                }
            } else {
                sel.for_each(|i| to[i] = f(c, y[i]));
            }
        }
        (false, false) => {
            if is_dense(sel, rows) {
                for ((t, &v), &w) in to.iter_mut().zip(x).zip(y) {
                    *t = f(v, w);
                }
            } else {
                sel.for_each(|i| to[i] = f(x[i], y[i]));
            }
        }
    }
}

/// `out = f(a)`, NULL where `a` is or `f` gives `None`.
#[inline]
pub fn opt_map1<A: Native, B: Native>(
    a: &Arg<'_>,
    sel: Sel<'_>,
    out: &mut Column,
    f: impl Fn(A) -> Option<B>,
) {
    if !null_if_any(std::slice::from_ref(a), out) {
        return;
    }
    let from = a.column.slice::<A>();
    sel.for_each(|i| {
        if out.validity.get(i) {
            match f(from[a.at(i)]) {
                Some(v) => out.buffer_mut::<B>()[i] = v,
                None => out.validity.set(i, false),
            }
        }
    });
}

/// `out = f(a, b)`, NULL where either is or `f` gives `None`.
#[inline]
pub fn opt_map2<A: Native, B: Native, C: Native>(
    a: &Arg<'_>,
    b: &Arg<'_>,
    sel: Sel<'_>,
    out: &mut Column,
    f: impl Fn(A, B) -> Option<C>,
) {
    if !null_if_any(&[*a, *b], out) {
        return;
    }
    let (x, y) = (a.column.slice::<A>(), b.column.slice::<B>());
    sel.for_each(|i| {
        if out.validity.get(i) {
            match f(x[a.at(i)], y[b.at(i)]) {
                Some(v) => out.buffer_mut::<C>()[i] = v,
                None => out.validity.set(i, false),
            }
        }
    });
}

/// `out = f(a)` where `a` is not NULL.
///
/// # Errors
/// The first selected row for which `f` fails.
#[inline]
pub fn try_map1<A: Native, B: Native>(
    a: &Arg<'_>,
    sel: Sel<'_>,
    out: &mut Column,
    f: impl Fn(A) -> Result<B, &'static str>,
) -> Result<(), RowError> {
    if !null_if_any(std::slice::from_ref(a), out) {
        return Ok(());
    }
    let from = a.column.slice::<A>();
    sel.try_for_each(|i| {
        if out.validity.get(i) {
            let v = f(from[a.at(i)]).map_err(|e| RowError::runtime(i, e))?;
            out.buffer_mut::<B>()[i] = v;
        }
        Ok(())
    })
}

/// `out = f(a, b)` where neither is NULL.
///
/// # Errors
/// The first selected row for which `f` fails.
#[inline]
pub fn try_map2<A: Native, B: Native, C: Native>(
    a: &Arg<'_>,
    b: &Arg<'_>,
    sel: Sel<'_>,
    out: &mut Column,
    f: impl Fn(A, B) -> Result<C, &'static str>,
) -> Result<(), RowError> {
    if !null_if_any(&[*a, *b], out) {
        return Ok(());
    }
    let (x, y) = (a.column.slice::<A>(), b.column.slice::<B>());
    sel.try_for_each(|i| {
        if out.validity.get(i) {
            let v = f(x[a.at(i)], y[b.at(i)]).map_err(|e| RowError::runtime(i, e))?;
            out.buffer_mut::<C>()[i] = v;
        }
        Ok(())
    })
}

/// 64 bytes of 0 or 1 as bits: eight multiplications gather eight bytes each (no two products meet in one bit).
#[inline(always)]
fn pack(flags: &[u8; 64]) -> u64 {
    let mut word = 0;
    for (k, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= gathered << (8 * k);
    }
    word
}

/// Sets bit `i` to `f(x[i])` for all of `x`. Full words go through an array of bytes, which the compiler fills with SIMD.
#[inline(always)]
pub fn flags1<T: Copy>(bits: &mut Bitmap, x: &[T], f: impl Fn(T) -> bool) {
    let (full, rest) = x.as_chunks::<64>();
    let (words, last) = bits.words_mut().split_at_mut(full.len());
    for (word, values) in words.iter_mut().zip(full) {
        let mut flags = [0u8; 64];
        for (b, &v) in flags.iter_mut().zip(values) {
            *b = u8::from(f(v));
        }
        *word = pack(&flags);
    }
    if let Some(word) = last.first_mut() {
        *word = rest.iter().enumerate().fold(0, |w, (i, &v)| w | u64::from(f(v)) << i);
    }
}

/// Sets bit `i` to `f(x[i], y[i])` for all of `x`, as [`flags1`].
#[inline(always)]
pub fn flags2<T: Copy>(bits: &mut Bitmap, x: &[T], y: &[T], f: impl Fn(T, T) -> bool) {
    let ((full, rest), (also, others)) = (x.as_chunks::<64>(), y.as_chunks::<64>());
    let (words, last) = bits.words_mut().split_at_mut(full.len());
    for ((word, v), w) in words.iter_mut().zip(full).zip(also) {
        let mut flags = [0u8; 64];
        for ((b, &v), &w) in flags.iter_mut().zip(v).zip(w) {
            *b = u8::from(f(v, w));
        }
        *word = pack(&flags);
    }
    if let Some(word) = last.first_mut() {
        *word =
            rest.iter().zip(others).enumerate().fold(0, |word, (i, (&v, &w))| word | u64::from(f(v, w)) << i);
    }
}

/// `out = f(a)` as BOOLEAN, NULL where `a` is.
#[inline(always)]
pub fn flag1<A: Native>(a: &Arg<'_>, sel: Sel<'_>, rows: usize, out: &mut Column, f: impl Fn(A) -> bool) {
    if !null_if_any(std::slice::from_ref(a), out) {
        return;
    }
    let from = a.column.slice::<A>();
    let bits = out.bools_mut();
    if a.constant {
        let v = f(from[0]);
        fill_flags(bits, rows, |_| v);
    } else if is_dense(sel, rows) {
        flags1(bits, &from[..rows], f);
    } else {
        sel.for_each(|i| bits.set(i, f(from[i])));
    }
}

/// Sets the bits of the first `rows` rows to `f(row)`, 64 rows a word.
#[inline(always)]
pub fn fill_flags(bits: &mut Bitmap, rows: usize, f: impl Fn(usize) -> bool) {
    for (n, word) in bits.words_mut().iter_mut().enumerate() {
        let start = n * 64;
        let end = (start + 64).min(rows);
        let mut w = 0u64;
        for i in start..end {
            w |= u64::from(f(i)) << (i - start);
        }
        *word = w;
    }
}

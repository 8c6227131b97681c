//! Columns of changelogs: values before and after a change, whether they differ, and the rows made of them.

use crate::batch::{Buffer, Column, ColumnData};
use bytemuck::Pod;

/// A row of output that takes its values from before or after the change at `position`.
#[inline]
pub(super) fn pick(position: usize, after: bool) -> u32 {
    (position as u32) << 1 | u32::from(after)
}

/// The position of a [`pick`].
#[inline]
pub(super) fn position(pick: u32) -> usize {
    (pick >> 1) as usize
}

/// Where runs of picks end in which each number is one more than that before it: rows before and after, by turns, of one position after the
/// other. A changelog is mostly that, and copied without a look at each pick.
pub(super) fn runs(picks: &[u32], ends: &mut Vec<u32>) {
    let breaks = picks.windows(2).enumerate().filter(|(_, w)| w[0].wrapping_add(1) != w[1]);
    ends.extend(breaks.map(|(n, _)| n as u32 + 1));
    ends.push(picks.len() as u32);
}

/// Appends the values of a run of picks that begins with `first`.
fn extend_run<T: Pod>(to: &mut Buffer<T>, before: &[T], after: &[T], first: u32, len: usize) {
    let at = to.len();
    to.reset(at + len);
    let mut to = &mut to[at..];
    let mut from = position(first);
    if first & 1 == 1 {
        to[0] = after[from];
        to = &mut to[1..];
        from += 1;
    }
    let pairs = to.len() / 2;
    let (whole, rest) = to.split_at_mut(pairs * 2);
    let sides = before[from..from + pairs].iter().zip(&after[from..from + pairs]);
    for (to, (b, a)) in whole.chunks_exact_mut(2).zip(sides) {
        to[0] = *b;
        to[1] = *a;
    }
    if let [last] = rest {
        *last = before[from + pairs];
    }
}

/// Appends for each pick the value of `before` or `after` at its position. `ends`: what [`runs`] says of the picks.
pub(super) fn extend_picks(out: &mut Column, before: &Column, after: &Column, picks: &[u32], ends: &[u32]) {
    let sides = [before, after];
    macro_rules! fixed {
        ($to:expr, $b:expr, $a:expr) => {{
            let sides = [&$b[..], &$a[..]];
            let mut start = 0;
            for &end in ends {
                let run = &picks[start..end as usize];
                if run.len() < 4 {
                    $to.extend_exact(run.iter().map(|&p| sides[(p & 1) as usize][position(p)]));
                } else {
                    extend_run($to, sides[0], sides[1], run[0], run.len());
                }
                start = end as usize;
            }
        }};
    }
    use ColumnData::*;
    match (&mut out.data, &before.data, &after.data) {
        (I8(to), I8(b), I8(a)) => fixed!(to, b, a),
        (I16(to), I16(b), I16(a)) => fixed!(to, b, a),
        (I32(to), I32(b), I32(a)) => fixed!(to, b, a),
        (I64(to), I64(b), I64(a)) => fixed!(to, b, a),
        (F32(to), F32(b), F32(a)) => fixed!(to, b, a),
        (F64(to), F64(b), F64(a)) => fixed!(to, b, a),
        (I128(to), I128(b), I128(a)) => fixed!(to, b, a),
        (Bytes(to), Bytes(b), Bytes(a)) => {
            let sides = [b, a];
            let mut to = to.writer();
            picks.iter().for_each(|&p| to.push_from(sides[(p & 1) as usize], position(p)));
        }
        _ => {
            for &p in picks {
                out.extend_rows(sides[(p & 1) as usize], &[p >> 1]);
            }
            return;
        }
    }
    if before.validity.may_have_nulls() || after.validity.may_have_nulls() {
        for &p in picks {
            out.validity.push(sides[(p & 1) as usize].validity.get(position(p)));
        }
    } else {
        let len = out.validity.len() + picks.len();
        out.validity.resize(len, true);
    }
}

/// Appends the values at `picks` of a column that has before and after by turns. `ends`: what [`runs`] says of the picks.
pub(super) fn extend_sides(out: &mut Column, sides: &Column, picks: &[u32], ends: &[u32]) {
    macro_rules! fixed {
        ($to:expr, $from:expr) => {{
            let mut start = 0;
            for &end in ends {
                let run = &picks[start..end as usize];
                if run.len() < 4 {
                    $to.extend_exact(run.iter().map(|&p| $from[p as usize]));
                } else {
                    $to.extend_from_slice(&$from[run[0] as usize..][..run.len()]);
                }
                start = end as usize;
            }
        }};
    }
    use ColumnData::*;
    match (&mut out.data, &sides.data) {
        (I32(to), I32(from)) => fixed!(to, from),
        (I64(to), I64(from)) => fixed!(to, from),
        (F64(to), F64(from)) => fixed!(to, from),
        (I128(to), I128(from)) => fixed!(to, from),
        (Bytes(to), Bytes(from)) => to.writer().extend_from(from, picks),
        _ => return out.extend_rows(sides, picks),
    }
    if sides.validity.may_have_nulls() {
        // Before its first row a group has mostly NULLs, which nobody picks.
        let mut start = 0;
        for &end in ends {
            let run = &picks[start..end as usize];
            out.validity.extend_run(&sides.validity, run[0] as usize, run.len());
            start = end as usize;
        }
        out.validity.settle();
    } else {
        let len = out.validity.len() + picks.len();
        out.validity.resize(len, true);
    }
}

/// Sets `changed[k]` to 1 where rows `2k` and `2k + 1` of a column that has before and after by turns differ, as a changelog sees it.
pub(super) fn mark_sides(sides: &Column, changed: &mut [u8]) {
    macro_rules! fixed {
        ($values:expr) => {
            for (c, pair) in changed.iter_mut().zip($values.chunks_exact(2)) {
                *c |= u8::from(pair[0] != pair[1]);
            }
        };
    }
    use ColumnData::*;
    if !sides.validity.may_have_nulls() {
        match &sides.data {
            I32(values) => return fixed!(values),
            I64(values) => return fixed!(values),
            F64(values) => return fixed!(values),
            I128(values) => return fixed!(values),
            _ => {}
        }
    }
    for (k, c) in changed.iter_mut().enumerate().take(sides.len() / 2) {
        *c |= u8::from(differs(sides, 2 * k, sides, 2 * k + 1));
    }
}

/// The two rows of a column differ, as a changelog sees it.
#[inline]
pub(super) fn pair_differs(pair: &Column) -> bool {
    match &pair.data {
        ColumnData::I64(v) if !pair.validity.may_have_nulls() => v.at(0) != v.at(1),
        _ => differs(pair, 0, pair, 1),
    }
}

/// Sets `changed[k]` to 1 where row `k` of the two columns differs, as a changelog sees it (see [`differs`]).
pub(super) fn mark_changed(before: &Column, after: &Column, changed: &mut [u8]) {
    macro_rules! fixed {
        ($b:expr, $a:expr) => {
            for ((c, b), a) in changed.iter_mut().zip($b.iter()).zip($a.iter()) {
                *c |= u8::from(b != a);
            }
        };
    }
    use ColumnData::*;
    if !before.validity.may_have_nulls() && !after.validity.may_have_nulls() {
        match (&before.data, &after.data) {
            (I8(b), I8(a)) => return fixed!(b, a),
            (I16(b), I16(a)) => return fixed!(b, a),
            (I32(b), I32(a)) => return fixed!(b, a),
            (I64(b), I64(a)) => return fixed!(b, a),
            (F32(b), F32(a)) => return fixed!(b, a),
            (F64(b), F64(a)) => return fixed!(b, a),
            (I128(b), I128(a)) => return fixed!(b, a),
            _ => {}
        }
    }
    for (k, c) in changed.iter_mut().enumerate() {
        *c |= u8::from(differs(before, k, after, k));
    }
}

/// Row `i` of `a` and row `j` of `b` differ in the eyes of a changelog. That is Java's `==` on floats (an update from NaN to NaN
/// is one, one from 0.0 to −0.0 is none) and, inside collections, a NULL element that never equals another: what Flink's row equaliser
/// does, which decides whether an update is emitted.
pub(super) fn differs(a: &Column, i: usize, b: &Column, j: usize) -> bool {
    match (a.is_valid(i), b.is_valid(j)) {
        (false, false) => return false,
        (true, true) => {}
        _ => return true,
    }
    use ColumnData::*;
    let element = |a: &Column, i: usize, b: &Column, j: usize| !a.is_valid(i) || differs(a, i, b, j);
    match (&a.data, &b.data) {
        (Bool(a), Bool(b)) => a.get(i) != b.get(j),
        (I8(a), I8(b)) => a[i] != b[j],
        (I16(a), I16(b)) => a[i] != b[j],
        (I32(a), I32(b)) => a[i] != b[j],
        (I64(a), I64(b)) => a[i] != b[j],
        (F32(a), F32(b)) => a[i] != b[j],
        (F64(a), F64(b)) => a[i] != b[j],
        (I128(a), I128(b)) => a[i] != b[j],
        (Nanos { seconds: s, nanos: n }, Nanos { seconds: t, nanos: m }) => (s[i], n[i]) != (t[j], m[j]),
        (Bytes(a), Bytes(b)) => a.get(i) != b.get(j),
        (List { offsets: o, child: c }, List { offsets: p, child: d }) => {
            let (x, y) = (o[i] as usize..o[i + 1] as usize, p[j] as usize..p[j + 1] as usize);
            x.len() != y.len() || x.zip(y).any(|(x, y)| element(c, x, d, y))
        }
        (Row(f), Row(g)) => f.iter().zip(g).any(|(f, g)| differs(f, i, g, j)),
        // Maps: the order of entries does not matter, and keys are compared as keys are.
        _ => !crate::batch::order::same_key(a, i, b, j),
    }
}

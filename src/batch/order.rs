//! Equality and order of values, defined once for all types.
//!
//! **Keys** (GROUP BY, DISTINCT, PARTITION BY, set operations, joins' hash side): two values are the same when their canonical bytes are
//! ([`key`](super::key)). NULL equals NULL, NaN equals NaN, and −0.0 differs from 0.0, as in Flink, whose keys are the bytes of a
//! binary row. Character values are compared byte for byte: CHAR padding is part of the value, and `'ab' = 'ab '` is false.
//!
//! **Order** (ORDER BY, MIN, MAX, Top-N): [`compare_values`] is total. NaN is the greatest, −0.0 is before 0.0, character and binary values go
//! by unsigned bytes, FALSE before TRUE. Where NULL stands is the caller's affair; [`compare_rows`] puts it first (Flink's ascending
//! default).
//!
//! The SQL operators `=`, `<` … on DOUBLE and FLOAT are IEEE 754's (NaN equals nothing) and live in `expr`.

use super::{Column, ColumnData};
use std::cmp::Ordering;

/// Compares row `i` of `a` with row `j` of `b`, columns of one type; NULL is the smallest and equals NULL.
pub fn compare_rows(a: &Column, i: usize, b: &Column, j: usize) -> Ordering {
    match (a.is_valid(i), b.is_valid(j)) {
        (true, true) => compare_values(a, i, b, j),
        (x, y) => x.cmp(&y),
    }
}

/// Compares two values that are not NULL.
///
/// # Panics
/// When the columns are of different types.
pub fn compare_values(a: &Column, i: usize, b: &Column, j: usize) -> Ordering {
    match (&a.data, &b.data) {
        (ColumnData::Null, ColumnData::Null) => Ordering::Equal,
        (ColumnData::Bool(x), ColumnData::Bool(y)) => x.get(i).cmp(&y.get(j)),
        (ColumnData::I8(x), ColumnData::I8(y)) => x[i].cmp(&y[j]),
        (ColumnData::I16(x), ColumnData::I16(y)) => x[i].cmp(&y[j]),
        (ColumnData::I32(x), ColumnData::I32(y)) => x[i].cmp(&y[j]),
        (ColumnData::I64(x), ColumnData::I64(y)) => x[i].cmp(&y[j]),
        (ColumnData::I128(x), ColumnData::I128(y)) => x[i].cmp(&y[j]),
        (ColumnData::F32(x), ColumnData::F32(y)) => compare_f64(x[i].into(), y[j].into()),
        (ColumnData::F64(x), ColumnData::F64(y)) => compare_f64(x[i], y[j]),
        (ColumnData::Nanos { seconds: s, nanos: n }, ColumnData::Nanos { seconds: t, nanos: m }) => {
            (s[i], n[i]).cmp(&(t[j], m[j]))
        }
        (ColumnData::Bytes(x), ColumnData::Bytes(y)) => x.get(i).cmp(y.get(j)),
        (ColumnData::List { offsets: o, child: c }, ColumnData::List { offsets: p, child: d }) => {
            compare_ranges(o, i, p, j, |x, y| compare_rows(c, x, d, y))
        }
        (
            ColumnData::Map { offsets: o, keys: k, values: v },
            ColumnData::Map { offsets: p, keys: l, values: w },
        ) => {
            // Entries in the order of their keys.
            let (x, y) = (sorted_entries(o, i, k), sorted_entries(p, j, l));
            for (&e, &f) in x.iter().zip(&y) {
                let c = compare_rows(k, e, l, f).then_with(|| compare_rows(v, e, w, f));
                if c.is_ne() {
                    return c;
                }
            }
            x.len().cmp(&y.len())
        }
        (ColumnData::Row(x), ColumnData::Row(y)) => x
            .iter()
            .zip(y)
            .map(|(c, d)| compare_rows(c, i, d, j))
            .find(|c| c.is_ne())
            .unwrap_or(Ordering::Equal),
        _ => panic!("compare_values between columns of different types"),
    }
}

/// SQL's equality of two values that are not NULL. Unlike in keys, a NULL in an array or a map equals none, as in Flink, unless it is
/// `packed`: in Flink's binary form arrays are compared by their bytes. In a row NULL equals NULL. (DOUBLE and FLOAT by themselves are
/// compared in `expr`.)
pub fn equal_values(packed: bool, a: &Column, i: usize, b: &Column, j: usize) -> bool {
    let equal =
        |a: &Column, i, b: &Column, j| a.is_valid(i) && b.is_valid(j) && equal_values(packed, a, i, b, j);
    match (&a.data, &b.data) {
        (
            ColumnData::Map { offsets: o, keys: k, values: v },
            ColumnData::Map { offsets: p, keys: l, values: w },
        ) => {
            let (mut x, y) = (o[i] as usize..o[i + 1] as usize, p[j] as usize..p[j + 1] as usize);
            let partner = |e: usize| y.clone().find(|f| same_key(k, e, l, *f));
            x.len() == y.len() && x.all(|e| partner(e).is_some_and(|f| equal(v, e, w, f)))
        }
        (ColumnData::Row(x), ColumnData::Row(y)) => {
            x.iter().zip(y).all(|(c, d)| !c.is_valid(i) && !d.is_valid(j) || equal(c, i, d, j))
        }
        (ColumnData::List { offsets: o, child: c }, ColumnData::List { offsets: p, child: d }) if !packed => {
            let (x, y) = (o[i] as usize..o[i + 1] as usize, p[j] as usize..p[j + 1] as usize);
            x.len() == y.len() && x.zip(y).all(|(e, f)| equal(c, e, d, f))
        }
        _ => compare_values(a, i, b, j).is_eq(),
    }
}

/// The same key: NULL equals NULL, NaN equals NaN, −0.0 differs from 0.0.
pub fn same_key(a: &Column, i: usize, b: &Column, j: usize) -> bool {
    compare_rows(a, i, b, j).is_eq()
}

/// Java's `Double.compare`.
#[inline]
pub fn compare_f64(a: f64, b: f64) -> Ordering {
    match a.partial_cmp(&b) {
        Some(Ordering::Equal) => b.is_sign_negative().cmp(&a.is_sign_negative()),
        Some(o) => o,
        None => a.is_nan().cmp(&b.is_nan()),
    }
}

fn compare_ranges(
    o: &[u32],
    i: usize,
    p: &[u32],
    j: usize,
    mut f: impl FnMut(usize, usize) -> Ordering,
) -> Ordering {
    let (a, b) = (o[i] as usize..o[i + 1] as usize, p[j] as usize..p[j + 1] as usize);
    let lengths = a.len().cmp(&b.len());
    a.zip(b).map(|(x, y)| f(x, y)).find(|c| c.is_ne()).unwrap_or(lengths)
}

/// The numbers of a map's entries in the order of their keys.
pub(super) fn sorted_entries(offsets: &[u32], i: usize, keys: &Column) -> Vec<usize> {
    let mut entries: Vec<usize> = (offsets[i] as usize..offsets[i + 1] as usize).collect();
    entries.sort_by(|&a, &b| compare_rows(keys, a, keys, b));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::TypeKind;

    #[test]
    fn doubles_have_a_total_order_with_nan_last() {
        let sorted = [f64::NEG_INFINITY, -1.0, -0.0, 0.0, 1.0, f64::INFINITY, f64::NAN];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(compare_f64(*a, *b), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn null_is_first_and_strings_go_by_bytes() {
        let mut c = Column::of_kind(&TypeKind::STRING);
        for s in ["", "a", "a ", "b", "é"] {
            c.byte_column_mut().push(s.as_bytes());
            c.validity.push(true);
        }
        c.push_null();
        for i in 0..5 {
            assert_eq!(compare_rows(&c, 5, &c, i), Ordering::Less);
            for j in 0..5 {
                assert_eq!(compare_rows(&c, i, &c, j), i.cmp(&j));
            }
        }
        assert!(same_key(&c, 5, &c, 5));
    }

    #[test]
    fn maps_are_equal_whatever_the_order_of_their_entries() {
        let kind = TypeKind::Map(Box::new(TypeKind::Int.not_null()), Box::new(TypeKind::Int.nullable()));
        let mut c = Column::of_kind(&kind);
        let ColumnData::Map { offsets, keys, values } = &mut c.data else { panic!() };
        for (k, v) in [(1, 10), (2, 20), (2, 20), (1, 10), (1, 10), (2, 21)] {
            keys.buffer_mut::<i32>().push(k);
            values.buffer_mut::<i32>().push(v);
        }
        keys.validity.reset(6);
        values.validity.reset(6);
        offsets.extend_from_slice(&[2, 4, 6]);
        c.validity.reset(3);
        assert!(same_key(&c, 0, &c, 1));
        assert!(!same_key(&c, 0, &c, 2));
    }
}

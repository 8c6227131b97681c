//! The canonical bytes of a key, and the key group they belong to. **Fixed for ever**: state on disk and the partition of keys over
//! shards depend on them; a test pins them.
//!
//! ```text
//! key     = value*                        one for each key column, in order
//! value   = 00                            NULL
//!         | 01 body
//! body    = 00 | 01                       BOOLEAN
//!         | little endian, 1 2 4 8 16     integers, DATE, TIME, intervals, timestamps (µs) of p ≤ 6, DECIMAL (unscaled)
//!         | little endian IEEE bits       FLOAT, DOUBLE; every NaN is the quiet one (7fc00000, 7ff80000_00000000)
//!         | i64 seconds, u32 nanos        timestamps of p > 6
//!         | u32 length, bytes             character and binary values, VARIANT
//!         | u32 count, value*             ARRAY
//!         | u32 count, (value value)*     MAP, MULTISET: entries by ascending key (see `order`)
//!         | value*                        ROW
//! ```
//!
//! The encoding is prefix-free for columns of given types, so concatenation is injective. The key group is the low ten bits of
//! xxh3-64 (seed 0) over the key's bytes.

use super::{Column, ColumnData, ColumnRef, Sel};
use std::borrow::Borrow;
use xxhash_rust::xxh3::xxh3_64;

/// Number of key groups.
pub const KEY_GROUPS: u16 = 1024;

/// The key group of a key with that hash (see [`hash_keys`]).
#[inline]
pub fn key_group(hash: u64) -> u16 {
    (hash & u64::from(KEY_GROUPS - 1)) as u16
}

/// Appends the canonical bytes of row `row` over `columns`.
pub fn encode_key<C: Borrow<Column>>(columns: &[C], row: usize, out: &mut Vec<u8>) {
    for c in columns {
        encode_value(c.borrow(), row, out);
    }
}

const NAN_32: u32 = 0x7fc0_0000;
const NAN_64: u64 = 0x7ff8_0000_0000_0000;

/// The bits of a FLOAT in a key.
#[inline]
pub fn f32_bits(v: f32) -> u32 {
    if v.is_nan() { NAN_32 } else { v.to_bits() }
}

/// The bits of a DOUBLE in a key.
#[inline]
pub fn f64_bits(v: f64) -> u64 {
    if v.is_nan() { NAN_64 } else { v.to_bits() }
}

/// Appends the canonical bytes of one value.
pub fn encode_value(c: &Column, i: usize, out: &mut Vec<u8>) {
    if !c.is_valid(i) {
        out.push(0);
        return;
    }
    out.push(1);
    let list = |o: &[u32]| (o[i] as usize..o[i + 1] as usize, (o[i + 1] - o[i]).to_le_bytes());
    match &c.data {
        ColumnData::Null => unreachable!("a NULL column has no valid row"),
        ColumnData::Bool(b) => out.push(b.get(i).into()),
        ColumnData::I8(b) => out.extend_from_slice(&b[i].to_le_bytes()),
        ColumnData::I16(b) => out.extend_from_slice(&b[i].to_le_bytes()),
        ColumnData::I32(b) => out.extend_from_slice(&b[i].to_le_bytes()),
        ColumnData::I64(b) => out.extend_from_slice(&b[i].to_le_bytes()),
        ColumnData::I128(b) => out.extend_from_slice(&b[i].to_le_bytes()),
        ColumnData::F32(b) => out.extend_from_slice(&f32_bits(b[i]).to_le_bytes()),
        ColumnData::F64(b) => out.extend_from_slice(&f64_bits(b[i]).to_le_bytes()),
        ColumnData::Nanos { seconds, nanos } => {
            out.extend_from_slice(&seconds[i].to_le_bytes());
            out.extend_from_slice(&nanos[i].to_le_bytes());
        }
        ColumnData::Bytes(b) => {
            let v = b.get(i);
            out.extend_from_slice(&(v.len() as u32).to_le_bytes());
            out.extend_from_slice(v);
        }
        ColumnData::List { offsets, child } => {
            let (range, count) = list(offsets);
            out.extend_from_slice(&count);
            range.for_each(|e| encode_value(child, e, out));
        }
        ColumnData::Map { offsets, keys, values } => {
            out.extend_from_slice(&list(offsets).1);
            for e in super::order::sorted_entries(offsets, i, keys) {
                encode_value(keys, e, out);
                encode_value(values, e, out);
            }
        }
        ColumnData::Row(fields) => fields.iter().for_each(|f| encode_value(f, i, out)),
    }
}

/// Appends the value at the start of `bytes` to `out` and moves `bytes` past it. What [`encode_value`] wrote from a column of the
/// same type reads back as the same key.
///
/// # Panics
/// When the bytes are something else: they are read from memory of our own, never from a file.
pub fn decode_value(bytes: &mut &[u8], out: &mut Column) {
    fn take<'a>(bytes: &mut &'a [u8], n: usize) -> &'a [u8] {
        let (a, b) = bytes.split_at(n);
        *bytes = b;
        a
    }
    fn array<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
        take(bytes, N).try_into().expect("take returns N bytes")
    }
    if array::<1>(bytes) == [0] {
        out.push_null();
        return;
    }
    match &mut out.data {
        ColumnData::Null => unreachable!("a NULL column has no valid row"),
        ColumnData::Bool(b) => b.push(array(bytes) == [1]),
        ColumnData::I8(b) => b.push(i8::from_le_bytes(array(bytes))),
        ColumnData::I16(b) => b.push(i16::from_le_bytes(array(bytes))),
        ColumnData::I32(b) => b.push(i32::from_le_bytes(array(bytes))),
        ColumnData::I64(b) => b.push(i64::from_le_bytes(array(bytes))),
        ColumnData::I128(b) => b.push(i128::from_le_bytes(array(bytes))),
        ColumnData::F32(b) => b.push(f32::from_le_bytes(array(bytes))),
        ColumnData::F64(b) => b.push(f64::from_le_bytes(array(bytes))),
        ColumnData::Nanos { seconds, nanos } => {
            seconds.push(i64::from_le_bytes(array(bytes)));
            nanos.push(u32::from_le_bytes(array(bytes)));
        }
        ColumnData::Bytes(b) => {
            let n = u32::from_le_bytes(array(bytes));
            b.push(take(bytes, n as usize));
        }
        ColumnData::List { offsets, child } => {
            let n = u32::from_le_bytes(array(bytes));
            (0..n).for_each(|_| decode_value(bytes, child));
            offsets.push(child.len() as u32);
        }
        ColumnData::Map { offsets, keys, values } => {
            let n = u32::from_le_bytes(array(bytes));
            for _ in 0..n {
                decode_value(bytes, keys);
                decode_value(bytes, values);
            }
            offsets.push(keys.len() as u32);
        }
        ColumnData::Row(fields) => {
            fields.iter_mut().for_each(|f| decode_value(bytes, ColumnRef::make_mut(f)))
        }
    }
    out.validity.push(true);
}

/// Appends xxh3-64 of the canonical key of each selected row to `hashes`. `scratch` is memory to reuse. One column of fixed width is
/// hashed without a detour over bytes in memory.
pub fn hash_keys<C: Borrow<Column>>(
    columns: &[C],
    sel: Sel<'_>,
    scratch: &mut Vec<u8>,
    hashes: &mut Vec<u64>,
) {
    hashes.reserve(sel.len());
    if let [c] = columns {
        let c = c.borrow();
        macro_rules! fixed {
            ($values:expr, $n:expr, $bytes:expr) => {{
                let values = $values;
                sel.for_each(|i| {
                    hashes.push(if c.validity.get(i) {
                        let mut key = [1u8; $n + 1];
                        key[1..].copy_from_slice(&$bytes(values[i]));
                        xxh3_64(&key)
                    } else {
                        xxh3_64(&[0])
                    });
                });
                return;
            }};
        }
        match &c.data {
            ColumnData::I32(b) => fixed!(&b[..], 4, i32::to_le_bytes),
            ColumnData::I64(b) => fixed!(&b[..], 8, i64::to_le_bytes),
            ColumnData::I128(b) => fixed!(&b[..], 16, i128::to_le_bytes),
            ColumnData::F64(b) => fixed!(&b[..], 8, |v| f64_bits(v).to_le_bytes()),
            _ => {}
        }
    }
    sel.for_each(|i| {
        scratch.clear();
        encode_key(columns, i, scratch);
        hashes.push(xxh3_64(scratch));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{DataType, TypeKind};

    fn column(ty: &DataType, fill: impl FnOnce(&mut Column)) -> Column {
        let mut c = Column::new(ty);
        fill(&mut c);
        c
    }

    fn bytes(c: &Column, i: usize) -> Vec<u8> {
        let mut out = Vec::new();
        encode_value(c, i, &mut out);
        out
    }

    #[test]
    fn the_bytes_are_pinned() {
        let ints = column(&TypeKind::BigInt.nullable(), |c| {
            c.buffer_mut::<i64>().extend_from_slice(&[258, 0]);
            c.validity.push(true);
            c.validity.push(false);
        });
        assert_eq!(bytes(&ints, 0), [1, 2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes(&ints, 1), [0]);
        let texts = column(&TypeKind::STRING.nullable(), |c| {
            c.byte_column_mut().push("né".as_bytes());
            c.validity.push(true);
        });
        assert_eq!(bytes(&texts, 0), [1, 3, 0, 0, 0, b'n', 0xc3, 0xa9]);
        let doubles = column(&TypeKind::Double.nullable(), |c| {
            c.buffer_mut::<f64>().extend_from_slice(&[-0.0, f64::from_bits(0xfff8_0000_0000_0001)]);
            c.validity.reset(2);
        });
        assert_eq!(bytes(&doubles, 0), [1, 0, 0, 0, 0, 0, 0, 0, 0x80]);
        assert_eq!(bytes(&doubles, 1), [1, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]);
        let list = column(&TypeKind::Array(Box::new(TypeKind::TinyInt.nullable())).nullable(), |c| {
            c.validity.push(true);
            let ColumnData::List { offsets, child } = &mut c.data else { panic!() };
            child.buffer_mut::<i8>().push(-1);
            child.validity.push(true);
            child.push_null();
            offsets.push(2);
        });
        assert_eq!(bytes(&list, 0), [1, 2, 0, 0, 0, 1, 255, 0]);
        let mut hashes = Vec::new();
        hash_keys(&[&ints, &texts], Sel::All(1), &mut Vec::new(), &mut hashes);
        hash_keys(&[&ints], Sel::All(2), &mut Vec::new(), &mut hashes);
        assert_eq!(hashes, [0xaa60e9aaf71b5d7d, 0xb58e4288a47fa5a7, 0xc44bdff4074eecdb]);
        assert_eq!(hashes.iter().map(|&h| key_group(h)).collect::<Vec<_>>(), [381, 423, 219]);
    }

    #[test]
    fn values_read_back() {
        let item = TypeKind::Row(vec![
            crate::batch::Field::new("a", TypeKind::STRING.nullable()),
            crate::batch::Field::new(
                "b",
                TypeKind::Map(Box::new(TypeKind::Int.nullable()), Box::new(TypeKind::Double.nullable()))
                    .nullable(),
            ),
        ]);
        let ty = TypeKind::Array(Box::new(item.nullable())).nullable();
        // [(NULL, NULL), NULL, ('…', {7: 1.5})], NULL, []
        let bytes_in: &[u8] = &[
            &[1, 3, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 0, 0, 0, b'x', b'y', 1, 1, 0, 0, 0, 1, 7, 0, 0, 0, 1][..],
            &1.5f64.to_le_bytes(),
            &[0, 1, 0, 0, 0, 0],
        ]
        .concat();
        let c = column(&ty, |c| {
            let mut rest = bytes_in;
            (0..3).for_each(|_| decode_value(&mut rest, c));
            assert!(rest.is_empty());
        });
        assert_eq!(c.len(), 3);
        assert_eq!((0..3).flat_map(|i| bytes(&c, i)).collect::<Vec<_>>(), bytes_in);
    }

    #[test]
    fn the_short_way_gives_the_same_hash() {
        for kind in [TypeKind::Int, TypeKind::BigInt, TypeKind::Decimal(20, 2), TypeKind::Double] {
            let c = column(&kind.nullable(), |c| {
                c.reset(5);
                c.validity.set(3, false);
                match &mut c.data {
                    ColumnData::I32(b) => b[1] = -7,
                    ColumnData::I64(b) => b[1] = 1 << 40,
                    ColumnData::I128(b) => b[1] = -(1 << 90),
                    ColumnData::F64(b) => b[1] = f64::NAN,
                    _ => unreachable!(),
                }
            });
            let mut hashes = Vec::new();
            hash_keys(&[&c], Sel::Rows(&[1, 3, 4]), &mut Vec::new(), &mut hashes);
            let want: Vec<u64> = [1, 3, 4].iter().map(|&i| xxh3_64(&bytes(&c, i))).collect();
            assert_eq!(hashes, want);
        }
    }
}

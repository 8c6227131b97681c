//! Bytes whose order is the order of values: rows are compared by `memcmp`, and a sort key can stand in an ordered map.
//!
//! ```text
//! value   = 00 | 02                      NULL, before or after
//!         | 01 body
//! body    = 00 | 01                      BOOLEAN
//!         | big endian, sign flipped     integers, dates, times, intervals, DECIMAL (unscaled), timestamps; then u32 nanos for p > 6
//!         | big endian IEEE bits         FLOAT, DOUBLE: negative ones inverted, others with the sign set; NaN is the greatest
//!         | bytes, 00 as 00 FF, 00 00    character and binary values
//!         | (01 value)*, 00              ARRAY; a ROW is its values; a MAP goes by its canonical key bytes, which have an order, if none of
//!                                        SQL's
//! ```
//!
//! A descending value has every byte of its body inverted. The order is that of [`order`](super::order).

use super::key::{encode_value, f32_bits, f64_bits};
use super::{Column, ColumnData};

/// Appends the bytes of a value.
pub fn encode(c: &Column, i: usize, descending: bool, nulls_first: bool, out: &mut Vec<u8>) {
    if !c.is_valid(i) {
        out.push(if nulls_first { 0 } else { 2 });
        return;
    }
    out.push(1);
    let start = out.len();
    body(c, i, out);
    if descending {
        out[start..].iter_mut().for_each(|b| *b = !*b);
    }
}

fn body(c: &Column, i: usize, out: &mut Vec<u8>) {
    match &c.data {
        ColumnData::Null => {}
        ColumnData::Bool(v) => out.push(u8::from(v.get(i))),
        ColumnData::I8(v) => out.push((v[i] as u8) ^ 0x80),
        ColumnData::I16(v) => out.extend(((v[i] as u16) ^ (1 << 15)).to_be_bytes()),
        ColumnData::I32(v) => out.extend(((v[i] as u32) ^ (1 << 31)).to_be_bytes()),
        ColumnData::I64(v) => out.extend(((v[i] as u64) ^ (1 << 63)).to_be_bytes()),
        ColumnData::I128(v) => out.extend(((v[i] as u128) ^ (1 << 127)).to_be_bytes()),
        ColumnData::F32(v) => {
            let bits = f32_bits(v[i]);
            let negative = bits >> 31 == 1;
            out.extend((if negative { !bits } else { bits | 1 << 31 }).to_be_bytes());
        }
        ColumnData::F64(v) => {
            let bits = f64_bits(v[i]);
            let negative = bits >> 63 == 1;
            out.extend((if negative { !bits } else { bits | 1 << 63 }).to_be_bytes());
        }
        ColumnData::Nanos { seconds, nanos } => {
            out.extend(((seconds[i] as u64) ^ (1 << 63)).to_be_bytes());
            out.extend(nanos[i].to_be_bytes());
        }
        ColumnData::Bytes(v) => {
            for &b in v.get(i) {
                out.push(b);
                if b == 0 {
                    out.push(0xff);
                }
            }
            out.extend([0, 0]);
        }
        ColumnData::List { offsets, child } => {
            for n in offsets[i] as usize..offsets[i + 1] as usize {
                out.push(1);
                encode(child, n, false, true, out);
            }
            out.push(0);
        }
        ColumnData::Row(fields) => fields.iter().for_each(|f| encode(f, i, false, true, out)),
        ColumnData::Map { .. } => encode_value(c, i, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::TypeKind;
    use crate::batch::order::compare_rows;

    fn check(c: &Column) {
        for i in 0..c.len() {
            for j in 0..c.len() {
                for (descending, nulls_first) in [(false, true), (true, false)] {
                    let bytes = |n| {
                        let mut out = vec![];
                        encode(c, n, descending, nulls_first, &mut out);
                        out
                    };
                    let want = compare_rows(c, i, c, j);
                    let want = if descending { want.reverse() } else { want };
                    assert_eq!(bytes(i).cmp(&bytes(j)), want, "rows {i} and {j}");
                }
            }
        }
    }

    #[test]
    fn bytes_compare_as_values_do() {
        let mut c = Column::new(&TypeKind::BigInt.nullable());
        for v in [0, -1, 1, i64::MIN, i64::MAX, 255, 256, -256] {
            c.buffer_mut::<i64>().push(v);
            c.validity.push(true);
        }
        c.push_null();
        check(&c);
        let mut c = Column::new(&TypeKind::Double.nullable());
        for v in [0.0, -0.0, 1.5, -1.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE] {
            c.buffer_mut::<f64>().push(v);
            c.validity.push(true);
        }
        c.push_null();
        check(&c);
        let mut c = Column::new(&TypeKind::STRING.nullable());
        for v in ["", "a", "a\0", "a\0b", "ab", "b", "\u{ff}"] {
            c.byte_column_mut().push(v.as_bytes());
            c.validity.push(true);
        }
        c.push_null();
        check(&c);
    }
}

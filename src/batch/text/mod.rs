//! Values as text, and text as values, for every type: defined once, used by CAST, formats, sinks and the command line.
//!
//! Writing goes through [`write_value`] in one of three [`Style`]s; reading is a function per type in [`number`] and [`civil`].

pub mod civil;
pub mod number;

use super::{Column, ColumnData, DataType, TypeKind, decimal};
use civil::Moment;
use jiff::tz::TimeZone;

/// Who reads the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The changelog form of the command line and of the conformance cases: NULL is `\N`; tab, CR, LF and backslash
    /// are escaped; BYTES are `x'0AFF'`; nested values are JSON.
    Changelog,
    /// What CAST AS STRING gives: `TRUE`, `[1, NULL]`, `{k=1}`, `(1, x)`; BYTES as the text they encode.
    Cast,
    /// What Flink's print sink writes, which is Java's `toString` of the external value: `true`, `2024-03-10T10:00`, `[97, 98]`, `+I[1, x]`.
    Print,
}

/// Writes row `row` of a column of type `ty`.
pub fn write_value(
    column: &Column,
    row: usize,
    ty: &DataType,
    zone: &TimeZone,
    style: Style,
    out: &mut Vec<u8>,
) {
    if !column.is_valid(row) {
        out.extend_from_slice(match style {
            Style::Changelog => b"\\N",
            Style::Cast => b"NULL",
            Style::Print => b"null",
        });
        return;
    }
    if style != Style::Changelog {
        Writer { zone, style }.value(column, row, &ty.kind, out);
        return;
    }
    let w = Writer { zone, style };
    let start = out.len();
    if ty.kind.is_nested() {
        w.json(column, row, &ty.kind, out);
    } else {
        w.value(column, row, &ty.kind, out);
    }
    escape_from(start, out);
}

/// The value of a TIMESTAMP or TIMESTAMP_LTZ row in either physical form.
///
/// # Panics
/// When the column is of another type.
#[inline]
pub fn moment(column: &Column, row: usize) -> Moment {
    match &column.data {
        ColumnData::I64(us) => Moment::from_micros(us[row]),
        ColumnData::Nanos { seconds, nanos } => Moment { seconds: seconds[row], nanos: nanos[row] },
        _ => panic!("column does not hold timestamps"),
    }
}

/// Sets a TIMESTAMP or TIMESTAMP_LTZ row in either physical form.
///
/// # Panics
/// When the column is of another type.
#[inline]
pub fn set_moment(column: &mut Column, row: usize, m: Moment) {
    match &mut column.data {
        ColumnData::I64(us) => us[row] = m.micros(),
        ColumnData::Nanos { seconds, nanos } => {
            seconds[row] = m.seconds;
            nanos[row] = m.nanos;
        }
        _ => panic!("column does not hold timestamps"),
    }
}

/// Appends a TIMESTAMP or TIMESTAMP_LTZ value in either physical form; the caller pushes the validity.
///
/// # Panics
/// When the column is of another type.
#[inline]
pub fn push_moment(column: &mut Column, m: Moment) {
    match &mut column.data {
        ColumnData::I64(us) => us.push(m.micros()),
        ColumnData::Nanos { seconds, nanos } => {
            seconds.push(m.seconds);
            nanos.push(m.nanos);
        }
        _ => panic!("column does not hold timestamps"),
    }
}

/// Escapes what was written from `start` on for the changelog form.
fn escape_from(start: usize, out: &mut Vec<u8>) {
    let special = |b: &u8| matches!(b, b'\t' | b'\r' | b'\n' | b'\\');
    let more = out[start..].iter().filter(|b| special(b)).count();
    if more == 0 {
        return;
    }
    let old = out.len();
    out.resize(old + more, 0);
    let mut to = out.len();
    for from in (start..old).rev() {
        let b = out[from];
        let letter = match b {
            b'\t' => b't',
            b'\r' => b'r',
            b'\n' => b'n',
            b'\\' => b'\\',
            _ => {
                to -= 1;
                out[to] = b;
                continue;
            }
        };
        to -= 2;
        out[to] = b'\\';
        out[to + 1] = letter;
    }
}

/// Writes a JSON string with its quotes, escaping what JSON demands and nothing else.
pub fn write_json_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let text = String::from_utf8_lossy(text);
    for &b in text.as_bytes() {
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
            b => out.push(b),
        }
    }
    out.push(b'"');
}

struct Writer<'a> {
    zone: &'a TimeZone,
    style: Style,
}

impl Writer<'_> {
    fn value(&self, c: &Column, i: usize, kind: &TypeKind, out: &mut Vec<u8>) {
        use TypeKind::*;
        let style = self.style;
        match kind {
            Null => out.extend_from_slice(b"NULL"),
            Boolean => out.extend_from_slice(match (c.bools().get(i), style == Style::Cast) {
                (true, true) => b"TRUE",
                (false, true) => b"FALSE",
                (true, false) => b"true",
                (false, false) => b"false",
            }),
            TinyInt => number::write_i64(c.slice::<i8>()[i].into(), out),
            SmallInt => number::write_i64(c.slice::<i16>()[i].into(), out),
            Int => number::write_i64(c.slice::<i32>()[i].into(), out),
            BigInt => number::write_i64(c.slice::<i64>()[i], out),
            Float => number::write_f32(c.slice::<f32>()[i], out),
            Double => number::write_f64(c.slice::<f64>()[i], out),
            Decimal(_, s) => decimal::write(c.slice::<i128>()[i], *s, out),
            Char(_) | VarChar(_) | Variant => out.extend_from_slice(c.byte_column().get(i)),
            Bitmap => crate::batch::number_set::write_bitmap_text(c.byte_column().get(i), out),
            Binary(_) | VarBinary(_) => self.binary(c.byte_column().get(i), out),
            Date if style == Style::Cast => civil::write_date_cast(c.slice::<i32>()[i], out),
            Date => civil::write_date(c.slice::<i32>()[i], out),
            Time(p) => {
                let ms = c.slice::<i32>()[i];
                match style {
                    Style::Changelog => civil::write_time(ms, *p, out),
                    Style::Cast => civil::write_time_cast(ms, *p, out),
                    Style::Print => {
                        let ms = i64::from(ms).rem_euclid(civil::DAY_MS) as u32;
                        civil::write_java_time(ms / 1000, ms % 1000 * 1_000_000, out);
                    }
                }
            }
            Timestamp(p) => match style {
                Style::Print => civil::write_java_timestamp(moment(c, i), false, out),
                _ => civil::write_timestamp(moment(c, i), *p, out),
            },
            TimestampLtz(p) => match style {
                Style::Print => civil::write_java_timestamp(moment(c, i), true, out),
                _ => civil::write_timestamp(civil::to_local(moment(c, i), self.zone), *p, out),
            },
            IntervalMonths(_) => civil::write_interval_months(c.slice::<i32>()[i], out),
            IntervalMillis(_) => civil::write_interval_millis(c.slice::<i64>()[i], out),
            Array(t) => {
                let ColumnData::List { offsets, child } = &c.data else { panic!("ARRAY is a list") };
                out.push(b'[');
                for (n, e) in (offsets[i]..offsets[i + 1]).enumerate() {
                    self.separate(n, out);
                    self.element(child, e as usize, &t.kind, out);
                }
                out.push(b']');
            }
            Map(..) | Multiset(_) => {
                let ColumnData::Map { offsets, keys, values } = &c.data else { panic!("MAP is a map") };
                let (k, v) = map_kinds(kind);
                out.push(b'{');
                for (n, e) in (offsets[i]..offsets[i + 1]).enumerate() {
                    self.separate(n, out);
                    self.element(keys, e as usize, k, out);
                    out.push(b'=');
                    self.element(values, e as usize, v, out);
                }
                out.push(b'}');
            }
            Row(fields) => {
                let ColumnData::Row(columns) = &c.data else { panic!("ROW has fields") };
                out.extend_from_slice(if style == Style::Print { b"+I[" } else { b"(" });
                for (n, (f, c)) in fields.iter().zip(columns).enumerate() {
                    self.separate(n, out);
                    self.element(c, i, &f.ty.kind, out);
                }
                out.push(if style == Style::Print { b']' } else { b')' });
            }
        }
    }

    fn separate(&self, n: usize, out: &mut Vec<u8>) {
        if n > 0 {
            out.extend_from_slice(b", ");
        }
    }

    fn element(&self, c: &Column, i: usize, kind: &TypeKind, out: &mut Vec<u8>) {
        if c.is_valid(i) {
            self.value(c, i, kind, out);
        } else {
            out.extend_from_slice(if self.style == Style::Print { b"null" } else { b"NULL" });
        }
    }

    fn binary(&self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.style {
            Style::Changelog => {
                out.extend_from_slice(b"x'");
                for b in bytes {
                    out.extend_from_slice(&hex(*b));
                }
                out.push(b'\'');
            }
            Style::Cast => out.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes()),
            Style::Print => {
                out.push(b'[');
                for (n, b) in bytes.iter().enumerate() {
                    self.separate(n, out);
                    number::write_i64((*b as i8).into(), out);
                }
                out.push(b']');
            }
        }
    }

    /// A value inside a nested one, in the changelog form.
    fn json(&self, c: &Column, i: usize, kind: &TypeKind, out: &mut Vec<u8>) {
        use TypeKind::*;
        if !c.is_valid(i) {
            out.extend_from_slice(b"null");
            return;
        }
        match kind {
            Boolean | TinyInt | SmallInt | Int | BigInt | Decimal(..) => self.value(c, i, kind, out),
            Float if c.slice::<f32>()[i].is_finite() => self.value(c, i, kind, out),
            Double if c.slice::<f64>()[i].is_finite() => self.value(c, i, kind, out),
            Variant => self.value(c, i, kind, out),
            Array(t) => {
                let ColumnData::List { offsets, child } = &c.data else { panic!("ARRAY is a list") };
                out.push(b'[');
                for (n, e) in (offsets[i]..offsets[i + 1]).enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    self.json(child, e as usize, &t.kind, out);
                }
                out.push(b']');
            }
            Map(..) | Multiset(_) => {
                let ColumnData::Map { offsets, keys, values } = &c.data else { panic!("MAP is a map") };
                let (k, v) = map_kinds(kind);
                let mut entries: Vec<(Vec<u8>, usize)> = (offsets[i] as usize..offsets[i + 1] as usize)
                    .map(|e| {
                        let mut key = Vec::new();
                        self.json_key(keys, e, k, &mut key);
                        (key, e)
                    })
                    .collect();
                entries.sort();
                out.push(b'{');
                for (n, (key, e)) in entries.iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    write_json_string(key, out);
                    out.push(b':');
                    self.json(values, *e, v, out);
                }
                out.push(b'}');
            }
            Row(fields) => {
                let ColumnData::Row(columns) = &c.data else { panic!("ROW has fields") };
                out.push(b'{');
                for (n, (f, c)) in fields.iter().zip(columns).enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    write_json_string(f.name.as_bytes(), out);
                    out.push(b':');
                    self.json(c, i, &f.ty.kind, out);
                }
                out.push(b'}');
            }
            _ => {
                let mut text = Vec::new();
                self.value(c, i, kind, &mut text);
                write_json_string(&text, out);
            }
        }
    }

    fn json_key(&self, c: &Column, i: usize, kind: &TypeKind, out: &mut Vec<u8>) {
        if !c.is_valid(i) {
            out.extend_from_slice(b"null");
        } else if kind.is_nested() {
            self.json(c, i, kind, out);
        } else {
            self.value(c, i, kind, out);
        }
    }
}

fn map_kinds(kind: &TypeKind) -> (&TypeKind, &TypeKind) {
    match kind {
        TypeKind::Map(k, v) => (&k.kind, &v.kind),
        TypeKind::Multiset(t) => (&t.kind, &TypeKind::Int),
        _ => panic!("neither MAP nor MULTISET"),
    }
}

/// Two upper-case hexadecimal digits.
pub fn hex(b: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::ColumnRef;
    use crate::batch::Field;

    fn show(c: &Column, ty: &DataType, style: Style) -> String {
        let mut out = Vec::new();
        write_value(c, 0, ty, &TimeZone::UTC, style, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_are_escaped_in_changelogs_only() {
        let ty = TypeKind::STRING.nullable();
        let mut c = Column::new(&ty);
        c.byte_column_mut().push(b"a\tb\\c\r\n");
        c.validity.push(true);
        assert_eq!(show(&c, &ty, Style::Changelog), "a\\tb\\\\c\\r\\n");
        assert_eq!(show(&c, &ty, Style::Cast), "a\tb\\c\r\n");
        c.validity.set(0, false);
        assert_eq!(show(&c, &ty, Style::Changelog), "\\N");
    }

    #[test]
    fn nested_values_are_json_java_or_cast_text() {
        let kind = TypeKind::Row(vec![
            Field::new("n", TypeKind::Int.nullable()),
            Field::new(
                "m",
                TypeKind::Map(Box::new(TypeKind::STRING.not_null()), Box::new(TypeKind::Double.nullable()))
                    .nullable(),
            ),
            Field::new("t", TypeKind::Array(Box::new(TypeKind::Timestamp(3).nullable())).nullable()),
            Field::new("s", TypeKind::STRING.nullable()),
        ]);
        let ty = kind.nullable();
        let mut c = Column::new(&ty);
        c.validity.push(true);
        let ColumnData::Row(fields) = &mut c.data else { panic!() };
        ColumnRef::make_mut(&mut fields[0]).push_null();
        let m = ColumnRef::make_mut(&mut fields[1]);
        m.validity.push(true);
        let ColumnData::Map { offsets, keys, values } = &mut m.data else { panic!() };
        for (k, v) in [("y", 90.0), ("x", f64::NAN)] {
            keys.byte_column_mut().push(k.as_bytes());
            keys.validity.push(true);
            values.buffer_mut::<f64>().push(v);
            values.validity.push(true);
        }
        offsets.push(2);
        let t = ColumnRef::make_mut(&mut fields[2]);
        t.validity.push(true);
        let ColumnData::List { offsets, child } = &mut t.data else { panic!() };
        child.buffer_mut::<i64>().push(1_710_064_800_000_000);
        child.validity.push(true);
        child.push_null();
        offsets.push(2);
        let s = ColumnRef::make_mut(&mut fields[3]);
        s.byte_column_mut().push(b"tab\tq\"\x01");
        s.validity.push(true);
        assert_eq!(
            show(&c, &ty, Style::Changelog),
            "{\"n\":null,\"m\":{\"x\":\"NaN\",\"y\":90.0},\"t\":[\"2024-03-10 10:00:00.000\",null],\"s\":\"tab\\\\tq\\\\\"\\\\u0001\"}"
        );
        assert_eq!(
            show(&c, &ty, Style::Cast),
            "(NULL, {y=90.0, x=NaN}, [2024-03-10 10:00:00.000, NULL], tab\tq\"\u{1})"
        );
        assert_eq!(
            show(&c, &ty, Style::Print),
            "+I[null, {y=90.0, x=NaN}, [2024-03-10T10:00, null], tab\tq\"\u{1}]"
        );
    }
}

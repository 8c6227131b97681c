//! The second pass: slots → columns. One loop per leaf, with its type known.

use super::super::own;
use super::super::scalar::{self, Bad, Read, TimestampFormat};
use super::encode::write_string;
use super::parser::{Parser, Token, unescape};
use super::tree::{Form, Node, Slot};
use crate::batch::text::civil::Moment;
use crate::batch::text::number;
use crate::batch::{Column, ColumnData, DataType, Native, TypeKind};
use std::collections::HashMap;

/// What the pass knows and finds.
pub(super) struct Filler<'a> {
    pub(super) input: &'a [u8],
    pub(super) ignore: bool,
    pub(super) timestamps: TimestampFormat,
    /// Values (of the node that is filled) that became NULL because they could not be read.
    pub(super) failed: Vec<usize>,
    pub(super) scratch: Vec<u8>,
}

/// The first value (of the node that is filled) that cannot be read.
pub(super) struct Failure {
    pub(super) index: usize,
    /// Where it stands in the input.
    pub(super) at: usize,
    pub(super) path: Vec<String>,
    pub(super) message: String,
}

type Done = Result<(), Failure>;

impl Filler<'_> {
    /// Appends all values of the node to the column.
    pub(super) fn fill(&mut self, node: &Node, out: &mut Column) -> Done {
        match node {
            Node::Leaf { ty, slots } => self.leaf(ty, slots, out),
            Node::Row { children, valid, .. } => {
                let Column { validity, data: ColumnData::Row(columns) } = out else {
                    panic!("ROW has fields")
                };
                for (i, (child, column)) in children.iter().zip(columns).enumerate() {
                    self.fill(child, own(column)).map_err(|mut f| {
                        f.path.push(node.field_name(i));
                        f
                    })?;
                }
                valid.iter().for_each(|v| validity.push(*v));
                Ok(())
            }
            Node::List { child, ends, valid } => {
                let Column { validity, data: ColumnData::List { offsets, child: column } } = out else {
                    panic!("ARRAY is a list")
                };
                let base = column.len() as u32;
                self.nested(ends, |s| s.fill(child, column))?;
                offsets.extend_exact(ends.iter().map(|e| base + e));
                valid.iter().for_each(|v| validity.push(*v));
                Ok(())
            }
            Node::Map { keys, values, ends, valid } => {
                let Column { validity, data: ColumnData::Map { offsets, keys: k, values: v } } = out else {
                    panic!("MAP is a map")
                };
                valid.iter().for_each(|x| validity.push(*x));
                self.map(keys, values, ends, offsets, k, v)
            }
        }
    }

    /// Runs `fill` over the elements of lists that end at `ends`, and turns element numbers into list numbers.
    fn nested(&mut self, ends: &[u32], fill: impl FnOnce(&mut Self) -> Done) -> Done {
        let outer = std::mem::take(&mut self.failed);
        let done = fill(self);
        let inner = std::mem::replace(&mut self.failed, outer);
        let list_of = |element: usize| ends.partition_point(|e| *e as usize <= element);
        self.failed.extend(inner.into_iter().map(list_of));
        done.map_err(|f| Failure { index: list_of(f.index), ..f })
    }

    fn map(
        &mut self,
        keys: &Node,
        values: &Node,
        ends: &[u32],
        offsets: &mut crate::batch::Buffer<u32>,
        key_column: &mut Column,
        value_column: &mut Column,
    ) -> Done {
        let mut all_keys = key_column.empty_like();
        let mut all_values = value_column.empty_like();
        self.nested(ends, |s| {
            s.fill(keys, &mut all_keys)?;
            s.fill(values, &mut all_values)
        })?;
        // Of a key that comes twice the last value counts.
        let text = all_keys.byte_column();
        let mut picked: Vec<u32> = Vec::with_capacity(all_keys.len());
        let mut picked_values: Vec<u32> = Vec::with_capacity(all_keys.len());
        let base = key_column.len() as u32;
        let mut start = 0;
        for &end in ends {
            let first = picked.len();
            let entries = start..end;
            let mut seen: HashMap<&[u8], usize> = HashMap::new();
            for e in entries {
                let key = text.get(e as usize);
                let before = if picked.len() - first < 16 {
                    (first..picked.len()).find(|&p| text.get(picked[p] as usize) == key)
                } else {
                    if seen.is_empty() {
                        seen.extend((first..picked.len()).map(|p| (text.get(picked[p] as usize), p)));
                    }
                    seen.get(key).copied()
                };
                match before {
                    Some(p) => picked_values[p] = e,
                    None => {
                        if !seen.is_empty() {
                            seen.insert(key, picked.len());
                        }
                        picked.push(e);
                        picked_values.push(e);
                    }
                }
            }
            start = end;
            offsets.push(base + picked.len() as u32);
        }
        key_column.extend_rows(&all_keys, &picked);
        value_column.extend_rows(&all_values, &picked_values);
        Ok(())
    }

    #[cold]
    fn fail(&mut self, index: usize, slot: Slot, ty: &DataType, bad: Bad) -> Done {
        if self.ignore {
            self.failed.push(index);
            return Ok(());
        }
        let mut text = slot.text(self.input).to_vec();
        if slot.form() == Form::Escaped {
            text.clear();
            let _ = unescape(slot.text(self.input), &mut text);
        }
        Err(Failure { index, at: slot.start(), path: vec![], message: bad.reason(&text, ty) })
    }

    fn leaf(&mut self, ty: &DataType, slots: &[Slot], out: &mut Column) -> Done {
        use TypeKind::*;
        let format = self.timestamps;
        match ty.kind {
            Null => {
                out.push_nulls(slots.len());
                Ok(())
            }
            Boolean => self.booleans(slots, out),
            TinyInt => self
                .fixed(ty, slots, out, |t, f| small(t, f, i8::MIN.into(), i8::MAX.into()).map(|v| v as i8)),
            SmallInt => self.fixed(ty, slots, out, |t, f| {
                small(t, f, i16::MIN.into(), i16::MAX.into()).map(|v| v as i16)
            }),
            Int | IntervalMonths(_) => self.fixed(ty, slots, out, |t, f| {
                whole(t, f, i32::MIN.into(), i32::MAX.into()).map(|v| v as i32)
            }),
            BigInt | IntervalMillis(_) => self.fixed(ty, slots, out, |t, f| whole(t, f, i64::MIN, i64::MAX)),
            Float => self.fixed_or_null(ty, slots, out, |t, _| scalar::float(t)),
            Double => self.fixed_or_null(ty, slots, out, |t, _| scalar::double(t)),
            Decimal(p, s) => self.fixed_or_null(ty, slots, out, |t, f| match f {
                Form::Str | Form::Escaped => scalar::decimal_of(number::trim(t), p, s),
                _ => scalar::decimal_of(t, p, s),
            }),
            Date => self.fixed_or_null(ty, slots, out, |t, _| scalar::date_iso(t)),
            Time(p) => self.fixed_or_null(ty, slots, out, |t, _| scalar::time_sql(t, p)),
            Timestamp(p) | TimestampLtz(p) if p <= 6 => {
                let instant = matches!(ty.kind, TimestampLtz(_));
                self.fixed_or_null(ty, slots, out, |t, _| {
                    Ok(scalar::timestamp(t, format, instant, p)?.map(Moment::micros))
                })
            }
            Timestamp(p) | TimestampLtz(p) => self.nanos(ty, p, slots, out),
            Binary(_) | VarBinary(_) => self.binaries(ty, slots, out),
            _ => self.strings(slots, out),
        }
    }

    /// The text of a value that is not NULL.
    #[inline]
    fn text(&mut self, slot: Slot) -> Result<&[u8], Bad> {
        let text = slot.text(self.input);
        if slot.form() != Form::Escaped {
            return Ok(text);
        }
        self.scratch.clear();
        unescape(text, &mut self.scratch).ok_or(Bad::Form)?;
        Ok(&self.scratch)
    }

    fn fixed<T: Native>(
        &mut self,
        ty: &DataType,
        slots: &[Slot],
        out: &mut Column,
        parse: impl Fn(&[u8], Form) -> Result<T, Bad>,
    ) -> Done {
        self.fixed_or_null(ty, slots, out, |t, f| parse(t, f).map(Some))
    }

    #[inline]
    fn fixed_or_null<T: Native>(
        &mut self,
        ty: &DataType,
        slots: &[Slot],
        out: &mut Column,
        parse: impl Fn(&[u8], Form) -> Read<T>,
    ) -> Done {
        for (i, &slot) in slots.iter().enumerate() {
            let form = slot.form();
            let value = match form {
                Form::Null => None,
                _ => match self.text(slot).and_then(|t| parse(t, form)) {
                    Ok(v) => v,
                    Err(bad) => {
                        self.fail(i, slot, ty, bad)?;
                        None
                    }
                },
            };
            out.validity.push(value.is_some());
            out.buffer_mut::<T>().push(value.unwrap_or_default());
        }
        Ok(())
    }

    fn nanos(&mut self, ty: &DataType, p: u8, slots: &[Slot], out: &mut Column) -> Done {
        let (format, instant) = (self.timestamps, matches!(ty.kind, TypeKind::TimestampLtz(_)));
        for (i, &slot) in slots.iter().enumerate() {
            let value = match slot.form() {
                Form::Null => None,
                _ => match self.text(slot).and_then(|t| scalar::timestamp(t, format, instant, p)) {
                    Ok(v) => v,
                    Err(bad) => {
                        self.fail(i, slot, ty, bad)?;
                        None
                    }
                },
            };
            out.validity.push(value.is_some());
            crate::batch::text::push_moment(out, value.unwrap_or_default());
        }
        Ok(())
    }

    fn booleans(&mut self, slots: &[Slot], out: &mut Column) -> Done {
        for &slot in slots {
            let value = match slot.form() {
                Form::True => true,
                // Anything that is not the text "true" is false, even a text that cannot be read.
                Form::Str | Form::Escaped => self.text(slot).is_ok_and(scalar::boolean),
                _ => false,
            };
            out.bools_mut().push(value);
            out.validity.push(slot.form() != Form::Null);
        }
        Ok(())
    }

    fn strings(&mut self, slots: &[Slot], out: &mut Column) -> Done {
        let input = self.input;
        let Column { validity, data: ColumnData::Bytes(bytes) } = out else { panic!("text is bytes") };
        let mut bytes = bytes.writer();
        for (i, &slot) in slots.iter().enumerate() {
            let text = slot.text(input);
            let mut good = true;
            match slot.form() {
                Form::Null => bytes.push(b""),
                Form::Escaped => bytes.push_with(|to| {
                    let start = to.len();
                    good = unescape(text, to).is_some();
                    if !good {
                        to.truncate(start);
                    }
                }),
                Form::Container => bytes.push_with(|to| good = compact(text, to).is_ok()),
                _ => bytes.push(text),
            }
            if !good {
                let ty = TypeKind::STRING.nullable();
                if self.ignore {
                    self.failed.push(i);
                } else {
                    return Err(Failure {
                        index: i,
                        at: slot.start(),
                        path: vec![],
                        message: format!(
                            "Unrecognized character escape in \"{}\" ({})",
                            String::from_utf8_lossy(text),
                            ty.kind
                        ),
                    });
                }
            }
            validity.push(good && slot.form() != Form::Null);
        }
        Ok(())
    }

    fn binaries(&mut self, ty: &DataType, slots: &[Slot], out: &mut Column) -> Done {
        for (i, &slot) in slots.iter().enumerate() {
            let mut result = Ok(());
            match slot.form() {
                Form::Null => {}
                Form::Str | Form::Escaped => {
                    let text = self.text(slot).map(<[u8]>::to_vec);
                    out.byte_column_mut().writer().push_with(|to| {
                        result = text.and_then(|t| scalar::base64(&t, to));
                    });
                }
                _ => result = Err(Bad::Base64),
            }
            if out.byte_column().len() == out.validity.len() {
                out.byte_column_mut().push(b"");
            }
            out.validity.push(result.is_ok() && slot.form() != Form::Null);
            if let Err(bad) = result {
                self.fail(i, slot, ty, bad)?;
            }
        }
        Ok(())
    }
}

/// INT and BIGINT: a number with a fraction or exponent is cut.
#[inline]
fn whole(text: &[u8], form: Form, min: i64, max: i64) -> Result<i64, Bad> {
    if form == Form::Float {
        return cut(text, min, max);
    }
    match scalar::integer(text, min, max) {
        Ok(v) => v.ok_or(Bad::Form),
        Err(_) if form == Form::Int => Err(Bad::Range),
        Err(bad) => Err(bad),
    }
}

#[cold]
fn cut(text: &[u8], min: i64, max: i64) -> Result<i64, Bad> {
    let v = number::parse_f64(text).ok_or(Bad::Form)?;
    // The bounds as doubles: the upper one of BIGINT rounds up to 2^63, which is outside.
    if v < min as f64 || v > max as f64 || v >= 9_223_372_036_854_775_808.0 {
        return Err(Bad::Range);
    }
    Ok(v as i64)
}

/// TINYINT and SMALLINT: whole numbers only.
#[inline]
fn small(text: &[u8], form: Form, min: i64, max: i64) -> Result<i64, Bad> {
    match scalar::integer(text, min, max) {
        Ok(v) => v.ok_or(Bad::Form),
        Err(_) if form == Form::Int || scalar::integer(text, i32::MIN.into(), i32::MAX.into()).is_ok() => {
            Err(Bad::Range)
        }
        Err(bad) => Err(bad),
    }
}

/// Appends an object or array without blanks, as Jackson's tree prints it: strings escaped anew, fractions as doubles.
fn compact(text: &[u8], out: &mut Vec<u8>) -> Result<(), ()> {
    let mut open = vec![];
    let mut p = Parser::new(text, 0, &mut open);
    let start = out.len();
    let mut scratch = vec![];
    let mut string = |t: &[u8], escaped: bool, out: &mut Vec<u8>| -> Result<(), ()> {
        if !escaped {
            write_string(t, out);
            return Ok(());
        }
        scratch.clear();
        unescape(t, &mut scratch).ok_or(())?;
        write_string(&scratch, out);
        Ok(())
    };
    // A comma stands before everything that follows a value.
    let mut comma = false;
    loop {
        let token = match p.next() {
            Ok(Token::End) => return Ok(()),
            Ok(t) => t,
            Err(_) => break,
        };
        if comma && !matches!(token, Token::EndObject | Token::EndArray) {
            out.push(b',');
        }
        comma = !matches!(token, Token::StartObject | Token::StartArray | Token::Name(..));
        match token {
            Token::StartObject => out.push(b'{'),
            Token::EndObject => out.push(b'}'),
            Token::StartArray => out.push(b'['),
            Token::EndArray => out.push(b']'),
            Token::Name(t, e) => {
                if string(t.of(text), e, out).is_err() {
                    break;
                }
                out.push(b':');
            }
            Token::Str(t, e) => {
                if string(t.of(text), e, out).is_err() {
                    break;
                }
            }
            Token::Int(t) => out.extend_from_slice(t.of(text)),
            Token::Float(t) => number::write_f64(number::parse_f64(t.of(text)).unwrap_or(f64::NAN), out),
            Token::True => out.extend_from_slice(b"true"),
            Token::False => out.extend_from_slice(b"false"),
            Token::Null => out.extend_from_slice(b"null"),
            Token::End => return Ok(()),
        }
    }
    out.truncate(start);
    Err(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_lose_their_blanks_and_nothing_else() {
        let mut out = vec![];
        let text = br#"{"a" : [1, 2.50, "x\u00e9\n/"], "b": {}, "c":[[],{"d":null}], "e": true}"#;
        compact(text, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a":[1,2.5,"xé\n/"],"b":{},"c":[[],{"d":null}],"e":true}"#
        );
    }
}

//! The generator of one column: options → values.

use crate::batch::text::civil::Moment;
use crate::batch::text::push_moment;
use crate::batch::{Column, ColumnData, ColumnRef, DataType, TypeKind, decimal};
use crate::error::{Error, Result};
use crate::plan::options::Options;
use std::collections::BTreeSet;

/// What the values of one row and column follow from: SplitMix64 from a mixed start.
pub(super) struct Random(u64);

impl Random {
    /// For a row of a column.
    pub(super) fn of(seed: u64, column: u64, row: u64) -> Self {
        let mut r = Self(seed ^ column.wrapping_mul(0xd1b5_4a32_d192_ed03));
        let mixed = r.next();
        Self(mixed ^ row.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 ≤ x < 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// `min..=max`.
    fn between(&mut self, min: i64, max: i64) -> i64 {
        let span = max.wrapping_sub(min) as u64;
        match span.checked_add(1) {
            None => self.next() as i64,
            Some(n) => min.wrapping_add(((u128::from(self.next()) * u128::from(n)) >> 64) as i64),
        }
    }
}

/// The generator of a column or of a part of one.
#[derive(Clone, Debug)]
pub(super) struct Generator {
    ty: DataType,
    value: Value,
    null_rate: f64,
}

#[derive(Clone, Debug)]
enum Value {
    Boolean,
    Integer {
        min: i64,
        max: i64,
    },
    Real {
        min: f64,
        max: f64,
    },
    Decimal {
        min: i128,
        max: i128,
    },
    /// From `start` to `end`, one a row.
    Sequence {
        start: i64,
        end: i64,
    },
    /// Hexadecimal digits, or bytes.
    Text {
        length: usize,
        variable: bool,
    },
    /// The driver's clock, earlier by at most so many ms.
    Clock {
        max_past_ms: i64,
    },
    Array {
        length: usize,
        element: Box<Generator>,
    },
    Map {
        length: usize,
        key: Box<Generator>,
        value: Box<Generator>,
    },
    Row(Vec<Generator>),
}

/// Flink's default length of texts, and the number of elements of collections.
const TEXT_LENGTH: usize = 100;
const COLLECTION_LENGTH: usize = 3;

/// The options of one field.
struct Field<'o, 'u> {
    options: Options<'o>,
    prefix: &'u str,
    ty: &'u DataType,
    used: &'u mut BTreeSet<String>,
}

impl<'o> Field<'o, '_> {
    fn key(&mut self, name: &str) -> String {
        let key = format!("{}.{name}", self.prefix);
        self.used.insert(key.clone());
        key
    }

    fn has(&mut self, name: &str) -> bool {
        let key = self.key(name);
        self.options.get(&key).is_some()
    }

    fn integers(&mut self, min: i64, max: i64) -> Result<Value> {
        let (min_key, max_key) = (self.key("min"), self.key("max"));
        let from = self.options.integer(&min_key, min..=max)?.unwrap_or(min);
        let to = self.options.integer(&max_key, min..=max)?.unwrap_or(max);
        if from > to {
            return Err(self.options.error(&max_key, format!("'{max_key}' is below '{min_key}'")));
        }
        Ok(Value::Integer { min: from, max: to })
    }

    fn reals(&mut self, min: f64, max: f64) -> Result<Value> {
        let (min_key, max_key) = (self.key("min"), self.key("max"));
        let from = self.options.number(&min_key)?.unwrap_or(min);
        let to = self.options.number(&max_key)?.unwrap_or(max);
        if from > to {
            return Err(self.options.error(&max_key, format!("'{max_key}' is below '{min_key}'")));
        }
        Ok(Value::Real { min: from, max: to })
    }

    fn decimals(&mut self, precision: u8, scale: u8) -> Result<Value> {
        let largest = decimal::pow10(u32::from(precision)) - 1;
        let form = format!("a {} is expected", self.ty.kind);
        let (min_key, max_key) = (self.key("min"), self.key("max"));
        let read = |t: &str| decimal::parse(t.as_bytes(), precision, scale);
        // Flink's default minimum is the smallest positive number.
        let min = self.options.parsed(&min_key, &form, read)?.unwrap_or(0);
        let max = self.options.parsed(&max_key, &form, read)?.unwrap_or(largest);
        if min > max {
            return Err(self.options.error(&max_key, format!("'{max_key}' is below '{min_key}'")));
        }
        Ok(Value::Decimal { min, max })
    }

    fn length(&mut self, default: usize) -> Result<usize> {
        let key = self.key("length");
        Ok(self.options.integer(&key, 0..=1_000_000)?.map_or(default, |n| n as usize))
    }

    fn text(&mut self, declared: u32, fixed: bool) -> Result<Value> {
        let declared = declared as usize;
        let name = self.prefix.strip_prefix("fields.").unwrap_or(self.prefix).to_owned();
        if fixed && self.has("length") {
            let key = self.key("length");
            let message =
                format!("Custom length for fixed-length type (CHAR/BINARY) field '{name}' is not supported.");
            return Err(self.options.error(&key, message));
        }
        let default = if fixed { declared } else { TEXT_LENGTH.min(declared) };
        let length = self.length(default)?;
        if length > declared {
            let key = self.key("length");
            let message = format!(
                "Custom length '{length}' for variable-length type (VARCHAR/STRING/VARBINARY/BYTES) field '{name}' should be shorter \
                 than '{declared}' defined in the schema."
            );
            return Err(self.options.error(&key, message));
        }
        let var_len = self.key("var-len");
        let variable = self.options.flag(&var_len, false)?;
        if variable && fixed {
            return Err(self.options.error(&var_len, format!("'{var_len}' needs a variable-length type")));
        }
        Ok(Value::Text { length, variable })
    }

    fn part(&mut self, name: &str, ty: &DataType) -> Result<Generator> {
        Generator::of(self.options, &format!("{}.{name}", self.prefix), ty, self.used)
    }

    fn random(&mut self) -> Result<Value> {
        use TypeKind::*;
        Ok(match &self.ty.kind {
            Boolean => Value::Boolean,
            TinyInt => self.integers(i8::MIN.into(), i8::MAX.into())?,
            SmallInt => self.integers(i16::MIN.into(), i16::MAX.into())?,
            Int => self.integers(i32::MIN.into(), i32::MAX.into())?,
            BigInt | IntervalMillis(_) => self.integers(i64::MIN, i64::MAX)?,
            IntervalMonths(_) => self.integers(0, 120_000)?,
            Float => self.reals(f64::from(f32::from_bits(1)), f32::MAX.into())?,
            Double => self.reals(f64::from_bits(1), f64::MAX)?,
            Decimal(p, s) => self.decimals(*p, *s)?,
            Char(n) | Binary(n) => self.text(*n, true)?,
            VarChar(n) | VarBinary(n) => self.text(*n, false)?,
            Date | Time(_) => Value::Clock { max_past_ms: 0 },
            Timestamp(_) | TimestampLtz(_) => {
                let key = self.key("max-past");
                Value::Clock { max_past_ms: self.options.duration_ms(&key)?.unwrap_or(0) }
            }
            Array(t) => {
                let length = self.length(COLLECTION_LENGTH)?;
                Value::Array { length, element: Box::new(self.part("element", t)?) }
            }
            Map(k, v) => {
                let length = self.length(COLLECTION_LENGTH)?;
                let (key, value) = (Box::new(self.part("key", k)?), Box::new(self.part("value", v)?));
                Value::Map { length, key, value }
            }
            Multiset(t) => {
                let length = self.length(COLLECTION_LENGTH)?;
                let key = Box::new(self.part("element", t)?);
                // Flink's counts of a multiset: 0 to 10.
                let ty = TypeKind::Int.not_null();
                let value = Generator { ty, value: Value::Integer { min: 0, max: 10 }, null_rate: 0.0 };
                Value::Map { length, key, value: Box::new(value) }
            }
            Row(fields) => {
                Value::Row(fields.iter().map(|f| self.part(&f.name, &f.ty)).collect::<Result<_>>()?)
            }
            Null | Variant | Bitmap => return Err(self.cannot("generated")),
        })
    }

    fn cannot(&self, what: &str) -> Error {
        Error::validation(
            format!("Unsupported type {} for '{}': it cannot be {what}", self.ty.kind, self.prefix),
            self.options.span(),
        )
    }

    fn sequence(&mut self) -> Result<Value> {
        use TypeKind::*;
        let (min, max) = match self.ty.kind {
            TinyInt => (i8::MIN.into(), i8::MAX.into()),
            SmallInt => (i16::MIN.into(), i16::MAX.into()),
            Int | Float => (i32::MIN.into(), i32::MAX.into()),
            BigInt | Double | Decimal(..) | Char(_) | VarChar(_) => (i64::MIN, i64::MAX),
            _ => return Err(self.cannot("counted: leave 'kind' out or write 'random'")),
        };
        let (start_key, end_key) = (self.key("start"), self.key("end"));
        let required = |options: Options<'_>, key: &str| {
            options.integer(key, min..=max)?.ok_or_else(|| {
                let message = format!("Could not find required property '{key}' for sequence generator.");
                Error::validation(message, options.span())
            })
        };
        let (start, end) = (required(self.options, &start_key)?, required(self.options, &end_key)?);
        if end < start {
            return Err(self.options.error(&end_key, format!("'{end_key}' is below '{start_key}'")));
        }
        Ok(Value::Sequence { start, end })
    }
}

impl Generator {
    /// The generator of the field whose options start with `prefix`; the keys that it looks at go to `used`.
    pub(super) fn of(
        options: Options<'_>,
        prefix: &str,
        ty: &DataType,
        used: &mut BTreeSet<String>,
    ) -> Result<Self> {
        let mut field = Field { options, prefix, ty, used };
        let kind = field.key("kind");
        let counted = options.parsed(&kind, "write 'random' or 'sequence'", |t| match t {
            "random" => Some(false),
            "sequence" => Some(true),
            _ => None,
        })?;
        let rate_key = field.key("null-rate");
        let null_rate = options.number(&rate_key)?.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&null_rate) {
            return Err(options.error(&rate_key, format!("'{rate_key}' must be from 0 to 1")));
        }
        let value = if counted == Some(true) { field.sequence()? } else { field.random()? };
        Ok(Self { ty: ty.clone(), value, null_rate: if counted == Some(true) { 0.0 } else { null_rate } })
    }

    /// Rows until a sequence ends.
    pub(super) fn rows(&self) -> Option<u64> {
        match self.value {
            Value::Sequence { start, end } => Some((end.wrapping_sub(start) as u64).saturating_add(1)),
            _ => None,
        }
    }

    /// Appends the value of row `row` at time `now_us`.
    pub(super) fn push(&self, random: &mut Random, row: u64, now_us: i64, to: &mut Column) {
        if self.null_rate > 0.0 && random.unit() < self.null_rate {
            to.push_null();
            return;
        }
        match &self.value {
            Value::Boolean => to.bools_mut().push(random.next() & 1 == 1),
            Value::Integer { min, max } => put_integer(random.between(*min, *max), to),
            Value::Sequence { start, .. } => self.put_counted(start.wrapping_add(row as i64), to),
            Value::Real { min, max } => {
                // In two halves: the span of DOUBLE is more than the largest DOUBLE.
                let u = random.unit();
                let v = min * (1.0 - u) + max * u;
                match &mut to.data {
                    ColumnData::F32(c) => c.push(v as f32),
                    ColumnData::F64(c) => c.push(v),
                    _ => unreachable!("reals are FLOAT or DOUBLE"),
                }
            }
            Value::Decimal { min, max } => {
                let span = (max - min) as u128 + 1;
                let draw = u128::from(random.next()) << 64 | u128::from(random.next());
                to.buffer_mut::<i128>().push(min + (draw % span) as i128);
            }
            Value::Text { length, variable } => self.put_text(*length, *variable, random, to),
            Value::Clock { max_past_ms } => self.put_time(now_us, *max_past_ms, random, to),
            Value::Array { length, element } => {
                let ColumnData::List { offsets, child } = &mut to.data else { panic!("ARRAY is a list") };
                (0..*length).for_each(|_| element.push(random, row, now_us, child));
                offsets.push(child.len() as u32);
            }
            Value::Map { length, key, value } => put_map(*length, key, value, random, row, now_us, to),
            Value::Row(fields) => {
                let ColumnData::Row(columns) = &mut to.data else { panic!("ROW has fields") };
                for (g, c) in fields.iter().zip(columns) {
                    let c = ColumnRef::get_mut(c).expect("a column that is being filled is not shared");
                    g.push(random, row, now_us, c);
                }
            }
        }
        to.validity.push(true);
    }

    fn put_counted(&self, v: i64, to: &mut Column) {
        match (&mut to.data, &self.ty.kind) {
            (ColumnData::F32(c), _) => c.push(v as f32),
            (ColumnData::F64(c), _) => c.push(v as f64),
            (ColumnData::I128(c), TypeKind::Decimal(p, s)) => {
                let scaled = i128::from(v).checked_mul(decimal::pow10(u32::from(*s)));
                c.push(scaled.filter(|v| decimal::fits(*v, *p)).unwrap_or(0));
            }
            (ColumnData::Bytes(c), _) => c.push(v.to_string().as_bytes()),
            _ => put_integer(v, to),
        }
    }

    fn put_text(&self, length: usize, variable: bool, random: &mut Random, to: &mut Column) {
        // Variable: at least one, where there may be one.
        let length = match variable && length > 0 {
            true => random.between(1, length as i64) as usize,
            false => length,
        };
        let hex = self.ty.kind.is_character();
        to.byte_column_mut().writer().push_with(|out| {
            let mut left = length;
            while left > 0 {
                let mut word = random.next();
                for _ in 0..left.min(if hex { 16 } else { 8 }) {
                    if hex {
                        out.push(b"0123456789abcdef"[(word & 15) as usize]);
                        word >>= 4;
                    } else {
                        out.push(word as u8);
                        word >>= 8;
                    }
                    left -= 1;
                }
            }
        });
    }

    fn put_time(&self, now_us: i64, max_past_ms: i64, random: &mut Random, to: &mut Column) {
        const DAY_US: i64 = 86_400_000_000;
        let past = if max_past_ms > 0 { random.between(0, max_past_ms) } else { 0 };
        let us = now_us.div_euclid(1000).saturating_sub(past).saturating_mul(1000);
        match self.ty.kind {
            TypeKind::Date => to.buffer_mut::<i32>().push(us.div_euclid(DAY_US) as i32),
            TypeKind::Time(_) => to.buffer_mut::<i32>().push((us.rem_euclid(DAY_US) / 1000) as i32),
            TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) => {
                push_moment(to, Moment::from_micros(us).truncated(p));
            }
            _ => unreachable!("times are DATE, TIME or TIMESTAMP"),
        }
    }
}

fn put_integer(v: i64, to: &mut Column) {
    match &mut to.data {
        ColumnData::I8(c) => c.push(v as i8),
        ColumnData::I16(c) => c.push(v as i16),
        ColumnData::I32(c) => c.push(v as i32),
        ColumnData::I64(c) => c.push(v),
        _ => unreachable!("integers are TINYINT to BIGINT and intervals"),
    }
}

/// A map has each key once: of keys that come twice the first stays.
fn put_map(
    length: usize,
    key: &Generator,
    value: &Generator,
    random: &mut Random,
    row: u64,
    now_us: i64,
    to: &mut Column,
) {
    let ColumnData::Map { offsets, keys, values } = &mut to.data else { panic!("MAP is a map") };
    let mut seen = BTreeSet::new();
    let mut one = keys.empty_like();
    for _ in 0..length {
        one.clear();
        key.push(random, row, now_us, &mut one);
        let mut text = vec![];
        let utc = jiff::tz::TimeZone::UTC;
        crate::batch::text::write_value(
            &one,
            0,
            &key.ty,
            &utc,
            crate::batch::text::Style::Changelog,
            &mut text,
        );
        if seen.insert(text) {
            keys.extend_rows(&one, &[0]);
            value.push(random, row, now_us, values);
        }
    }
    offsets.push(keys.len() as u32);
}

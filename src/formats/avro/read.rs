//! Values of a file's schema → a column of the table's type, by a plan made once a file.
//!
//! Fields are found by name. What Avro's schema resolution allows is taken: numbers widen, text and bytes become each other, any
//! branch of a union that fits. What does not fit fails when such a value comes, except for fields that a NOT NULL column misses: no
//! record has those. A value that fails leaves its column with a row more all the same, so that columns stay of one length.

use super::container::{Bytes, Cut};
use super::schema::{Id, Schema, Type, Unit};
use crate::batch::{Column, ColumnData, ColumnRef, DataType, TypeKind};

/// How deep values may nest.
const MAX_DEPTH: usize = 100;
/// Elements of lists that take no bytes.
const MAX_EMPTY: usize = 1024;
/// From the epoch: the years 1 to 9999.
const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// How a value is read into a column.
#[derive(Debug)]
pub(super) enum Plan {
    /// Nothing of it is wanted.
    Skip(Id),
    Null,
    Boolean,
    /// An int or a long, into a column of integers, DATE or TIME of that many bytes, within these bounds.
    Integer {
        low: i64,
        high: i64,
    },
    /// TINYINT and SMALLINT keep the low bits of an int, as in Flink.
    Narrow,
    /// An integer into FLOAT or DOUBLE.
    FromInteger,
    Float,
    Double,
    /// A moment.
    Timestamp(Unit),
    Bytes,
    Fixed(usize),
    Text,
    Enum(Vec<String>),
    /// Of bytes, or of so many.
    Decimal {
        size: Option<usize>,
        limit: u128,
    },
    Union(Vec<Plan>),
    List(Box<Plan>),
    Map(Box<Plan>),
    /// The file's fields in its order, each with its place among the column's; places that no field has.
    Row {
        fields: Vec<(Option<usize>, Plan)>,
        missing: Vec<usize>,
    },
    /// It does not fit.
    Fail(String),
}

impl Plan {
    /// The plan for values of type `id` in a column of type `ty`.
    pub(super) fn new(schema: &Schema, id: Id, ty: &DataType) -> Result<Plan, String> {
        use TypeKind as K;
        let file = &schema.types[id];
        let unfit = || Plan::Fail(format!("{} where {} is expected", name(file), ty.kind));
        Ok(match (file, &ty.kind) {
            (Type::Union(branches), _) => {
                Plan::Union(branches.iter().map(|&b| Plan::new(schema, b, ty)).collect::<Result<_, _>>()?)
            }
            (Type::Null, _) if ty.nullable => Plan::Null,
            (Type::Null, _) => Plan::Fail(format!("null where {ty} is expected")),
            (Type::Boolean, K::Boolean) => Plan::Boolean,
            (Type::Int, K::TinyInt | K::SmallInt) => Plan::Narrow,
            (Type::Int, K::Int | K::BigInt) | (Type::Long(_), K::BigInt) => {
                Plan::Integer { low: i64::MIN, high: i64::MAX }
            }
            (Type::Int, K::Date) => Plan::Integer { low: -719_162, high: 2_932_896 },
            (Type::Int, K::Time(_)) => Plan::Integer { low: 0, high: 86_399_999 },
            (Type::Int | Type::Long(_), K::Float | K::Double) => Plan::FromInteger,
            (Type::Float, K::Float | K::Double) => Plan::Float,
            (Type::Double, K::Double) => Plan::Double,
            (Type::Int, K::Timestamp(_) | K::TimestampLtz(_)) => Plan::Timestamp(Unit::Millis),
            (Type::Long(unit), K::Timestamp(_) | K::TimestampLtz(_)) => Plan::Timestamp(match unit {
                Unit::One => Unit::Millis,
                other => *other,
            }),
            (Type::String | Type::Bytes(_), k) if k.is_character() => Plan::Text,
            (Type::String | Type::Bytes(_), k) if k.is_binary() => Plan::Bytes,
            (Type::Fixed { size, .. }, k) if k.is_binary() => Plan::Fixed(*size),
            (Type::Enum(symbols), k) if k.is_character() => Plan::Enum(symbols.clone()),
            (Type::Bytes(scale) | Type::Fixed { scale, .. }, K::Decimal(precision, own)) => {
                if scale.is_some_and(|s| s != u32::from(*own)) {
                    let scale = scale.unwrap_or(0);
                    return Ok(Plan::Fail(format!(
                        "a decimal of scale {scale} where {} is expected",
                        ty.kind
                    )));
                }
                let size = match file {
                    Type::Fixed { size, .. } => Some(*size),
                    _ => None,
                };
                Plan::Decimal { size, limit: 10u128.pow(u32::from(*precision)) }
            }
            (Type::Array(item), K::Array(t)) => Plan::List(Box::new(Plan::new(schema, *item, t)?)),
            (Type::Map(value), K::Map(_, t)) => Plan::Map(Box::new(Plan::new(schema, *value, t)?)),
            (Type::Map(value), K::Multiset(_)) => {
                Plan::Map(Box::new(Plan::new(schema, *value, &K::Int.not_null())?))
            }
            (Type::Record(fields), K::Row(wanted)) => {
                let all: Vec<_> =
                    wanted.iter().enumerate().map(|(i, f)| (f.name.as_str(), &f.ty, i)).collect();
                Plan::row(schema, fields, &all)?
            }
            _ => unfit(),
        })
    }

    /// The plan of a record whose fields `wanted` are read: name, type and place.
    pub(super) fn row(
        schema: &Schema,
        fields: &[(String, Id)],
        wanted: &[(&str, &DataType, usize)],
    ) -> Result<Plan, String> {
        let mut missing = vec![];
        for (name, ty, place) in wanted {
            if fields.iter().any(|f| f.0 == *name) {
                continue;
            }
            if !ty.nullable {
                return Err(format!("there is no field '{name}', and its column is NOT NULL"));
            }
            missing.push(*place);
        }
        let plan = |(name, id): &(String, Id)| match wanted.iter().find(|w| w.0 == name) {
            Some((_, ty, place)) => Ok((Some(*place), Plan::new(schema, *id, ty)?)),
            None => Ok((None, Plan::Skip(*id))),
        };
        Ok(Plan::Row { fields: fields.iter().map(plan).collect::<Result<_, String>>()?, missing })
    }

    /// Reads over a value of which nothing is wanted.
    pub(super) fn skip(&self, schema: &Schema, from: &mut Bytes<'_>) -> Result<(), Cut> {
        match self {
            Plan::Skip(id) => skip(schema, *id, from, 0),
            _ => unreachable!("a field without a column is skipped"),
        }
    }

    /// Reads a value into a row of its own.
    pub(super) fn read(&self, schema: &Schema, from: &mut Bytes<'_>, to: &mut Column) -> Result<(), Cut> {
        let before = to.len();
        let read = self.value(schema, from, to);
        if read.is_err() && to.len() == before {
            to.push_null();
        }
        read
    }

    fn value(&self, schema: &Schema, from: &mut Bytes<'_>, to: &mut Column) -> Result<(), Cut> {
        match self {
            Plan::Skip(_) => return self.skip(schema, from),
            Plan::Null => {
                to.push_null();
                return Ok(());
            }
            Plan::Union(branches) => {
                let n = from.size()?;
                let branch =
                    branches.get(n).ok_or_else(|| format!("branch {n} of a union of {}", branches.len()))?;
                return branch.value(schema, from, to);
            }
            Plan::Fail(message) => return Err(Cut::Bad(message.clone())),
            Plan::Boolean => to.bools_mut().push(from.take(1)?[0] != 0),
            Plan::Narrow => {
                let v = from.long()?;
                match &mut to.data {
                    ColumnData::I8(b) => b.push(v as i8),
                    ColumnData::I16(b) => b.push(v as i16),
                    _ => unreachable!("columns of small integers"),
                }
            }
            Plan::Integer { low, high } => {
                let v = from.long()?;
                if v < *low || v > *high {
                    return Err(Cut::Bad(format!("{v} is out of range")));
                }
                match &mut to.data {
                    ColumnData::I64(b) => b.push(v),
                    ColumnData::I32(b) => {
                        b.push(i32::try_from(v).map_err(|_| format!("{v} is out of range"))?)
                    }
                    _ => unreachable!("columns of integers"),
                }
            }
            Plan::FromInteger => {
                let v = from.long()?;
                push_float(to, v as f64, v as f32);
            }
            Plan::Float => {
                let mut bytes = [0; 4];
                bytes.copy_from_slice(from.take(4)?);
                let v = f32::from_le_bytes(bytes);
                push_float(to, v.into(), v);
            }
            Plan::Double => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(from.take(8)?);
                to.buffer_mut::<f64>().push(f64::from_le_bytes(bytes));
            }
            Plan::Timestamp(unit) => push_moment(to, *unit, from.long()?)?,
            Plan::Bytes => to.byte_column_mut().push(from.run()?),
            Plan::Fixed(size) => to.byte_column_mut().push(from.take(*size)?),
            Plan::Text => {
                let text = from.run()?;
                // Java replaces what is not UTF-8.
                match simdutf8::basic::from_utf8(text) {
                    Ok(_) => to.byte_column_mut().push(text),
                    Err(_) => to.byte_column_mut().push(String::from_utf8_lossy(text).as_bytes()),
                }
            }
            Plan::Enum(symbols) => {
                let n = from.size()?;
                let symbol =
                    symbols.get(n).ok_or_else(|| format!("symbol {n} of an enum of {}", symbols.len()))?;
                to.byte_column_mut().push(symbol.as_bytes());
            }
            Plan::Decimal { size, limit } => {
                let bytes = match size {
                    Some(size) => from.take(*size)?,
                    None => from.run()?,
                };
                match unscaled(bytes).filter(|v| v.unsigned_abs() < *limit) {
                    Some(v) => to.buffer_mut::<i128>().push(v),
                    // As everywhere in Flink, what the precision cannot hold is NULL.
                    None => {
                        to.push_null();
                        return Ok(());
                    }
                }
            }
            Plan::List(item) => read_list(item, schema, from, to)?,
            Plan::Map(value) => read_map(value, schema, from, to)?,
            Plan::Row { fields, missing } => {
                let ColumnData::Row(children) = &mut to.data else { unreachable!("a column of rows") };
                for (place, plan) in fields {
                    match place {
                        Some(p) => plan.read(schema, from, ColumnRef::make_mut(&mut children[*p]))?,
                        None => plan.skip(schema, from)?,
                    }
                }
                missing.iter().for_each(|&p| ColumnRef::make_mut(&mut children[p]).push_null());
            }
        }
        to.validity.push(true);
        Ok(())
    }
}

/// Calls `each` for every element of an array or map.
fn elements<'a>(
    from: &mut Bytes<'a>,
    mut each: impl FnMut(&mut Bytes<'a>) -> Result<(), Cut>,
) -> Result<u32, Cut> {
    let mut total = 0usize;
    loop {
        let mut count = from.long()?;
        if count == 0 {
            return Ok(total as u32);
        }
        if count < 0 {
            count = count.checked_neg().ok_or_else(|| "a count that no file has".to_owned())?;
            from.long()?;
        }
        total = total.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
        if total > from.left() + MAX_EMPTY || total > u32::MAX as usize / 2 {
            return Err(Cut::Bad(format!("{total} elements in {} bytes", from.left())));
        }
        for _ in 0..count {
            each(from)?;
        }
    }
}

fn read_list(item: &Plan, schema: &Schema, from: &mut Bytes<'_>, to: &mut Column) -> Result<(), Cut> {
    let ColumnData::List { offsets, child } = &mut to.data else { unreachable!("a column of lists") };
    elements(from, |from| item.read(schema, from, child))?;
    offsets.push(child.len() as u32);
    Ok(())
}

fn read_map(value: &Plan, schema: &Schema, from: &mut Bytes<'_>, to: &mut Column) -> Result<(), Cut> {
    let ColumnData::Map { offsets, keys, values } = &mut to.data else { unreachable!("a column of maps") };
    let start = keys.len();
    elements(from, |from| {
        Plan::Text.read(schema, from, keys)?;
        value.read(schema, from, values)
    })?;
    keep_last(keys, values, start);
    offsets.push(keys.len() as u32);
    Ok(())
}

/// Of the entries from `start` on that have one key the last stays.
fn keep_last(keys: &mut Column, values: &mut Column, start: usize) {
    let texts = keys.byte_column();
    let mut seen = hashbrown::HashSet::new();
    let mut kept: Vec<u32> =
        (start..keys.len()).rev().filter(|&i| seen.insert(texts.get(i).to_vec())).map(|i| i as u32).collect();
    if kept.len() == keys.len() - start {
        return;
    }
    kept.reverse();
    for column in [keys, values] {
        let all = column.clone();
        column.truncate(start);
        column.extend_rows(&all, &kept);
    }
}

fn push_float(to: &mut Column, double: f64, float: f32) {
    match &mut to.data {
        ColumnData::F64(b) => b.push(double),
        ColumnData::F32(b) => b.push(float),
        _ => unreachable!("columns of FLOAT and DOUBLE"),
    }
}

fn push_moment(to: &mut Column, unit: Unit, value: i64) -> Result<(), Cut> {
    let per_second = match unit {
        Unit::One | Unit::Millis => 1_000,
        Unit::Micros => 1_000_000,
        Unit::Nanos => 1_000_000_000,
    };
    let (second, part) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    if !SECONDS.contains(&second) {
        return Err(Cut::Bad(format!("{value} is no time of the years 1 to 9999")));
    }
    let nanos = part * (1_000_000_000 / per_second);
    match &mut to.data {
        ColumnData::I64(b) => b.push(second * 1_000_000 + nanos / 1_000),
        ColumnData::Nanos { seconds, nanos: n } => {
            seconds.push(second);
            n.push(nanos as u32);
        }
        _ => unreachable!("columns of moments"),
    }
    Ok(())
}

/// A big-endian number in two's complement; `None` when it needs more than 128 bits.
fn unscaled(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    let fill = if first & 0x80 == 0 { 0 } else { 0xff };
    let (head, tail) = bytes.split_at(bytes.len().saturating_sub(16));
    let mut all = [fill; 16];
    all[16 - tail.len()..].copy_from_slice(tail);
    let value = i128::from_be_bytes(all);
    (head.iter().all(|&b| b == fill) && (value < 0) == (fill == 0xff)).then_some(value)
}

/// Reads over a value.
fn skip(schema: &Schema, id: Id, from: &mut Bytes<'_>, depth: usize) -> Result<(), Cut> {
    if depth > MAX_DEPTH {
        return Err(Cut::Bad(format!("values nest deeper than {MAX_DEPTH}")));
    }
    match &schema.types[id] {
        Type::Null => {}
        Type::Boolean => drop(from.take(1)?),
        Type::Int | Type::Long(_) | Type::Enum(_) => drop(from.long()?),
        Type::Float => drop(from.take(4)?),
        Type::Double => drop(from.take(8)?),
        Type::Bytes(_) | Type::String => drop(from.run()?),
        Type::Fixed { size, .. } => drop(from.take(*size)?),
        Type::Array(item) => {
            elements(from, |from| skip(schema, *item, from, depth + 1))?;
        }
        Type::Map(value) => {
            elements(from, |from| {
                from.run()?;
                skip(schema, *value, from, depth + 1)
            })?;
        }
        Type::Union(branches) => {
            let n = from.size()?;
            let branch =
                branches.get(n).ok_or_else(|| format!("branch {n} of a union of {}", branches.len()))?;
            skip(schema, *branch, from, depth + 1)?;
        }
        Type::Record(fields) => fields.iter().try_for_each(|f| skip(schema, f.1, from, depth + 1))?,
    }
    Ok(())
}

fn name(ty: &Type) -> &'static str {
    match ty {
        Type::Null => "null",
        Type::Boolean => "boolean",
        Type::Int => "int",
        Type::Long(_) => "long",
        Type::Float => "float",
        Type::Double => "double",
        Type::Bytes(_) => "bytes",
        Type::Fixed { .. } => "fixed",
        Type::String => "string",
        Type::Enum(_) => "enum",
        Type::Array(_) => "array",
        Type::Map(_) => "map",
        Type::Union(_) => "union",
        Type::Record(_) => "record",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_numbers_in_twos_complement_of_any_length() {
        for (bytes, wanted) in [
            (&[0x7f][..], Some(127)),
            (&[0x80], Some(-128)),
            (&[0x00, 0x80], Some(128)),
            (&[0xff, 0xff, 0xff, 0x80], Some(-128)),
            (&[], None),
        ] {
            assert_eq!(unscaled(bytes), wanted);
        }
        let mut wide = [0u8; 20];
        wide[19] = 7;
        assert_eq!(unscaled(&wide), Some(7));
        wide[4] = 0x80;
        assert_eq!(unscaled(&wide), None);
    }

    /// Of entries with one key the last stays, as in Java's map.
    #[test]
    fn keys_of_a_map_are_there_once() {
        let schema = Schema { types: vec![Type::Int], root: 0 };
        let map = TypeKind::Map(Box::new(TypeKind::STRING.not_null()), Box::new(TypeKind::Int.nullable()));
        let mut to = Column::of_kind(&map);
        let plan = Plan::Map(Box::new(Plan::Integer { low: i64::MIN, high: i64::MAX }));
        for bytes in [&[6, 2, b'a', 2, 2, b'b', 4, 2, b'a', 6, 0][..], &[2, 2, b'a', 8, 0]] {
            plan.read(&schema, &mut Bytes::new(bytes), &mut to).expect("a map");
        }
        let ColumnData::Map { offsets, keys, values } = &to.data else { panic!() };
        assert_eq!((&offsets[..], values.slice::<i32>()), (&[0, 2, 3][..], &[2, 3, 4][..]));
        assert_eq!((keys.byte_column().str(0), keys.byte_column().str(1)), ("b", "a"));
    }

    /// A value that fails in the middle leaves a row: nothing of it stays behind the columns' ends.
    #[test]
    fn a_value_that_fails_leaves_columns_of_one_length() {
        let schema = Schema { types: vec![Type::Int, Type::String], root: 0 };
        let field = |n: &str, kind: TypeKind| crate::batch::Field::new(n, kind.nullable());
        let row = TypeKind::Row(vec![
            field("a", TypeKind::Array(Box::new(TypeKind::Int.nullable()))),
            field("b", TypeKind::STRING),
        ]);
        let integer = || Plan::Integer { low: i64::MIN, high: i64::MAX };
        let plan = Plan::Row {
            fields: vec![(Some(0), Plan::List(Box::new(integer()))), (Some(1), Plan::Text)],
            missing: vec![],
        };
        for bytes in [&[4, 2, 4][..], &[4, 2, 4, 0], &[4, 2, 4, 0, 6, b'x']] {
            let mut to = Column::of_kind(&row);
            plan.read(&schema, &mut Bytes::new(&[2, 8, 0, 2, b'y']), &mut to).expect("a row");
            assert_eq!(plan.read(&schema, &mut Bytes::new(bytes), &mut to), Err(Cut::Short));
            to.truncate(1);
            let ColumnData::Row(children) = &to.data else { panic!() };
            assert!(children.iter().all(|c| c.len() == 1));
            let ColumnData::List { child, .. } = &children[0].data else { panic!() };
            assert_eq!(child.slice::<i32>(), &[4]);
        }
    }
}

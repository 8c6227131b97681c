//! Type names as the engine's types. Defaults and ranges are Flink's.

use crate::batch::types::{MAX_DECIMAL_PRECISION, MAX_LENGTH};
use crate::batch::{DataType, Field, IntervalUnits, TypeKind};
use crate::error::{Error, Result, Span};
use crate::sql::ast::{self, IntervalUnit, TypeName, TypeNameKind};

/// The names of types, for advice.
const TYPES: &[&str] = &[
    "ARRAY",
    "BIGINT",
    "BINARY",
    "BOOLEAN",
    "BYTES",
    "CHAR",
    "DATE",
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "INT",
    "INTERVAL",
    "MAP",
    "MULTISET",
    "NUMERIC",
    "ROW",
    "SMALLINT",
    "STRING",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "TINYINT",
    "VARBINARY",
    "VARCHAR",
];

/// The type that a name stands for.
///
/// # Errors
/// A length or precision out of range, or a type that Pelton does not have.
pub(crate) fn data_type(name: &TypeName) -> Result<DataType> {
    let at = name.span;
    let kind = match &name.kind {
        TypeNameKind::Boolean => TypeKind::Boolean,
        TypeNameKind::TinyInt => TypeKind::TinyInt,
        TypeNameKind::SmallInt => TypeKind::SmallInt,
        TypeNameKind::Int => TypeKind::Int,
        TypeNameKind::BigInt => TypeKind::BigInt,
        TypeNameKind::Float | TypeNameKind::Real => TypeKind::Float,
        TypeNameKind::Double => TypeKind::Double,
        TypeNameKind::Decimal { precision, scale } => decimal(*precision, *scale, at)?,
        TypeNameKind::Char { length, charset } => {
            no_charset(charset.as_ref())?;
            TypeKind::Char(length_of("CHAR", *length, at)?)
        }
        TypeNameKind::Varchar { length, charset } => {
            no_charset(charset.as_ref())?;
            TypeKind::VarChar(length_of("VARCHAR", *length, at)?)
        }
        TypeNameKind::String => TypeKind::STRING,
        TypeNameKind::Binary(length) => TypeKind::Binary(length_of("BINARY", *length, at)?),
        TypeNameKind::Varbinary(length) => TypeKind::VarBinary(length_of("VARBINARY", *length, at)?),
        TypeNameKind::Bytes => TypeKind::BYTES,
        TypeNameKind::Date => TypeKind::Date,
        TypeNameKind::Time { local_zone: true, .. } => {
            return Err(Error::unsupported("TIME WITH LOCAL TIME ZONE", at));
        }
        TypeNameKind::Time { precision, .. } => TypeKind::Time(precision_of("TIME", *precision, 0, at)?),
        TypeNameKind::Timestamp { precision, local_zone: false } => {
            TypeKind::Timestamp(precision_of("TIMESTAMP", *precision, 6, at)?)
        }
        TypeNameKind::Timestamp { precision, local_zone: true } => {
            TypeKind::TimestampLtz(precision_of("TIMESTAMP_LTZ", *precision, 6, at)?)
        }
        TypeNameKind::Interval(qualifier) => interval(qualifier),
        TypeNameKind::Array(t) => TypeKind::Array(Box::new(data_type(t)?)),
        TypeNameKind::Multiset(t) => TypeKind::Multiset(Box::new(data_type(t)?)),
        TypeNameKind::Map(k, v) => TypeKind::Map(Box::new(data_type(k)?), Box::new(data_type(v)?)),
        TypeNameKind::Row(fields) => {
            let mut out: Vec<Field> = Vec::with_capacity(fields.len());
            for f in fields {
                if out.iter().any(|o| o.name == f.name.name) {
                    return Err(Error::validation(
                        format!("the ROW type has two fields named '{}'", f.name),
                        f.name.span,
                    ));
                }
                out.push(Field::new(&f.name.name, data_type(&f.ty)?));
            }
            TypeKind::Row(out)
        }
        TypeNameKind::Variant => TypeKind::Variant,
        TypeNameKind::Bitmap => TypeKind::Bitmap,
        TypeNameKind::Raw { .. } => return Err(Error::unsupported("the type RAW", at)),
        TypeNameKind::Structured { .. } => return Err(Error::unsupported("the type STRUCTURED", at)),
        TypeNameKind::Any { .. } => return Err(Error::unsupported("the type ANY", at)),
        TypeNameKind::Named(name) => {
            let e = Error::unsupported(format!("the user-defined type '{name}'"), at);
            return Err(match super::names::did_you_mean(&name.to_string(), TYPES.iter().copied()) {
                Some(hint) => e.hint(hint),
                None => e,
            });
        }
    };
    Ok(DataType { kind, nullable: name.nullable.unwrap_or(true), time: Default::default() })
}

fn no_charset(charset: Option<&ast::Ident>) -> Result<()> {
    charset.map_or(Ok(()), |c| Err(Error::unsupported("CHARACTER SET", c.span)))
}

fn decimal(precision: Option<u32>, scale: Option<u32>, at: Span) -> Result<TypeKind> {
    let (p, s) = (precision.unwrap_or(10), scale.unwrap_or(0));
    if p == 0 || p > MAX_DECIMAL_PRECISION.into() {
        return Err(Error::validation(
            format!("DECIMAL precision must be between 1 and {MAX_DECIMAL_PRECISION}, not {p}"),
            at,
        ));
    }
    if s > p {
        return Err(Error::validation(
            format!("DECIMAL scale must be between 0 and the precision {p}, not {s}"),
            at,
        ));
    }
    Ok(TypeKind::Decimal(p as u8, s as u8))
}

fn length_of(name: &str, length: Option<u32>, at: Span) -> Result<u32> {
    match length.unwrap_or(1) {
        n @ 1..=MAX_LENGTH => Ok(n),
        n => Err(Error::validation(format!("{name} length must be between 1 and {MAX_LENGTH}, not {n}"), at)),
    }
}

fn precision_of(name: &str, precision: Option<u32>, default: u8, at: Span) -> Result<u8> {
    match precision {
        None => Ok(default),
        Some(p @ 0..=9) => Ok(p as u8),
        Some(p) => Err(Error::validation(format!("{name} precision must be between 0 and 9, not {p}"), at)),
    }
}

/// Flink's planner knows two interval types; the units only say how a literal is read.
pub(crate) fn interval(qualifier: &ast::IntervalQualifier) -> TypeKind {
    match qualifier.from {
        IntervalUnit::Year | IntervalUnit::Quarter | IntervalUnit::Month => {
            TypeKind::IntervalMonths(IntervalUnits::Month)
        }
        _ => TypeKind::IntervalMillis(IntervalUnits::Second),
    }
}

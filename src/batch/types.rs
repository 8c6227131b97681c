//! Flink's logical types and how each is held in a column.
//!
//! A [`DataType`] is a [`TypeKind`], a nullability and, for time attributes, what kind of time it carries.
//! Printing follows Flink (`DECIMAL(10, 2) NOT NULL`). The physical form of each kind is [`Physical`]; only
//! that decides which buffers a [`Column`](super::Column) has.

use std::fmt;

/// The largest length of CHAR, VARCHAR, BINARY and VARBINARY; `STRING` is `VARCHAR(2147483647)`.
pub const MAX_LENGTH: u32 = i32::MAX as u32;
/// The largest precision of DECIMAL.
pub const MAX_DECIMAL_PRECISION: u8 = 38;

/// A logical type with its nullability and time attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DataType {
    /// The type itself.
    pub kind: TypeKind,
    /// Whether NULL is a value of it.
    pub nullable: bool,
    /// Whether the column drives event or processing time (Flink's time attributes). It travels with the type,
    /// as in Flink, because expressions that keep the column keep the attribute.
    pub time: TimeAttribute,
}

/// Flink's `TimestampKind`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimeAttribute {
    /// An ordinary value.
    #[default]
    None,
    /// Event time: watermarks bound the values still to come.
    Rowtime,
    /// Processing time.
    Proctime,
}

/// The logical types of Flink SQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// The type of an untyped NULL.
    Null,
    /// BOOLEAN.
    Boolean,
    /// TINYINT, 8 bits.
    TinyInt,
    /// SMALLINT, 16 bits.
    SmallInt,
    /// INT, 32 bits.
    Int,
    /// BIGINT, 64 bits.
    BigInt,
    /// FLOAT, IEEE 754 single.
    Float,
    /// DOUBLE, IEEE 754 double.
    Double,
    /// DECIMAL(precision ≤ 38, scale ≤ precision).
    Decimal(u8, u8),
    /// CHAR(n), padded with spaces when compared with another length (see `text`).
    Char(u32),
    /// VARCHAR(n); STRING when n is [`MAX_LENGTH`].
    VarChar(u32),
    /// BINARY(n).
    Binary(u32),
    /// VARBINARY(n); BYTES when n is [`MAX_LENGTH`].
    VarBinary(u32),
    /// DATE, days since 1970-01-01.
    Date,
    /// TIME(p); Flink keeps milliseconds whatever p says.
    Time(u8),
    /// TIMESTAMP(p) without time zone, p ≤ 9.
    Timestamp(u8),
    /// TIMESTAMP_LTZ(p): an instant, shown in the session time zone.
    TimestampLtz(u8),
    /// INTERVAL YEAR/MONTH, in months. The text keeps Flink's resolution for printing the type.
    IntervalMonths(IntervalUnits),
    /// INTERVAL DAY … SECOND, in milliseconds.
    IntervalMillis(IntervalUnits),
    /// ARRAY&lt;T&gt;.
    Array(Box<DataType>),
    /// MAP&lt;K, V&gt;.
    Map(Box<DataType>, Box<DataType>),
    /// MULTISET&lt;T&gt;: a map from value to count.
    Multiset(Box<DataType>),
    /// ROW&lt;name type, …&gt;.
    Row(Vec<Field>),
    /// VARIANT: a self-describing value.
    Variant,
    /// BITMAP: a set of 32-bit unsigned integers.
    Bitmap,
}

/// The resolution with which an interval type was declared. It matters for printing alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum IntervalUnits {
    Year,
    Month,
    YearToMonth,
    Day,
    DayToHour,
    DayToMinute,
    DayToSecond,
    Hour,
    HourToMinute,
    HourToSecond,
    Minute,
    MinuteToSecond,
    Second,
}

/// A named column of a ROW type or of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name, case-sensitive.
    pub name: String,
    /// The type.
    pub ty: DataType,
}

impl Field {
    /// A field.
    pub fn new(name: impl Into<String>, ty: DataType) -> Self {
        Self { name: name.into(), ty }
    }
}

/// The buffers that hold a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Physical {
    /// No buffer at all: every row is NULL.
    Null,
    /// One bit a row.
    Bool,
    /// TINYINT.
    I8,
    /// SMALLINT.
    I16,
    /// INT, DATE (days), TIME (ms of day), INTERVAL months.
    I32,
    /// BIGINT, INTERVAL ms, TIMESTAMP and TIMESTAMP_LTZ with p ≤ 6 (µs since the epoch).
    I64,
    /// FLOAT.
    F32,
    /// DOUBLE.
    F64,
    /// DECIMAL: the unscaled value.
    I128,
    /// TIMESTAMP and TIMESTAMP_LTZ with p > 6: seconds (i64) and nanoseconds of the second (u32).
    Nanos,
    /// CHAR, VARCHAR (UTF-8), BINARY, VARBINARY, VARIANT: 16-byte views.
    Bytes,
    /// ARRAY: offsets and a child.
    List,
    /// MAP, MULTISET (whose values are INT counts): offsets, keys, values.
    Map,
    /// ROW: a child for each field.
    Row,
}

impl Physical {
    /// How many there are.
    pub const COUNT: usize = Physical::Row as usize + 1;
}

impl TypeKind {
    /// STRING.
    pub const STRING: TypeKind = TypeKind::VarChar(MAX_LENGTH);
    /// BYTES.
    pub const BYTES: TypeKind = TypeKind::VarBinary(MAX_LENGTH);

    /// The nullable type of this kind.
    pub fn nullable(self) -> DataType {
        DataType { kind: self, nullable: true, time: TimeAttribute::None }
    }

    /// The NOT NULL type of this kind.
    pub fn not_null(self) -> DataType {
        DataType { kind: self, nullable: false, time: TimeAttribute::None }
    }

    /// How columns hold it.
    pub fn physical(&self) -> Physical {
        use TypeKind::*;
        match self {
            Null => Physical::Null,
            Boolean => Physical::Bool,
            TinyInt => Physical::I8,
            SmallInt => Physical::I16,
            Int | Date | Time(_) | IntervalMonths(_) => Physical::I32,
            BigInt | IntervalMillis(_) => Physical::I64,
            Timestamp(p) | TimestampLtz(p) if *p <= 6 => Physical::I64,
            Timestamp(_) | TimestampLtz(_) => Physical::Nanos,
            Float => Physical::F32,
            Double => Physical::F64,
            Decimal(..) => Physical::I128,
            Char(_) | VarChar(_) | Binary(_) | VarBinary(_) | Variant | Bitmap => Physical::Bytes,
            Array(_) => Physical::List,
            Map(..) | Multiset(_) => Physical::Map,
            Row(_) => Physical::Row,
        }
    }

    /// CHAR or VARCHAR.
    pub fn is_character(&self) -> bool {
        matches!(self, TypeKind::Char(_) | TypeKind::VarChar(_))
    }

    /// BINARY or VARBINARY.
    pub fn is_binary(&self) -> bool {
        matches!(self, TypeKind::Binary(_) | TypeKind::VarBinary(_))
    }

    /// TINYINT to BIGINT.
    pub fn is_integer(&self) -> bool {
        matches!(self, TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int | TypeKind::BigInt)
    }

    /// Integers and DECIMAL.
    pub fn is_exact_numeric(&self) -> bool {
        self.is_integer() || matches!(self, TypeKind::Decimal(..))
    }

    /// FLOAT or DOUBLE.
    pub fn is_approximate_numeric(&self) -> bool {
        matches!(self, TypeKind::Float | TypeKind::Double)
    }

    /// Any number.
    pub fn is_numeric(&self) -> bool {
        self.is_exact_numeric() || self.is_approximate_numeric()
    }

    /// TIMESTAMP or TIMESTAMP_LTZ.
    pub fn is_timestamp(&self) -> bool {
        matches!(self, TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_))
    }

    /// DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ.
    pub fn is_datetime(&self) -> bool {
        self.is_timestamp() || matches!(self, TypeKind::Date | TypeKind::Time(_))
    }

    /// Either kind of interval.
    pub fn is_interval(&self) -> bool {
        matches!(self, TypeKind::IntervalMonths(_) | TypeKind::IntervalMillis(_))
    }

    /// ARRAY, MAP, MULTISET or ROW.
    pub fn is_nested(&self) -> bool {
        matches!(self, TypeKind::Array(_) | TypeKind::Map(..) | TypeKind::Multiset(_) | TypeKind::Row(_))
    }
}

impl DataType {
    /// The same type with the given nullability.
    #[must_use]
    pub fn with_nullable(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// The same type with the given time attribute.
    #[must_use]
    pub fn with_time(mut self, time: TimeAttribute) -> Self {
        self.time = time;
        self
    }

    /// See [`TypeKind::physical`].
    pub fn physical(&self) -> Physical {
        self.kind.physical()
    }

    /// The type carries event time.
    pub fn is_rowtime(&self) -> bool {
        self.time == TimeAttribute::Rowtime
    }
}

impl fmt::Display for TypeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use TypeKind::*;
        match self {
            Null => f.write_str("NULL"),
            Boolean => f.write_str("BOOLEAN"),
            TinyInt => f.write_str("TINYINT"),
            SmallInt => f.write_str("SMALLINT"),
            Int => f.write_str("INT"),
            BigInt => f.write_str("BIGINT"),
            Float => f.write_str("FLOAT"),
            Double => f.write_str("DOUBLE"),
            Decimal(p, s) => write!(f, "DECIMAL({p}, {s})"),
            Char(n) => write!(f, "CHAR({n})"),
            VarChar(MAX_LENGTH) => f.write_str("STRING"),
            VarChar(n) => write!(f, "VARCHAR({n})"),
            Binary(n) => write!(f, "BINARY({n})"),
            VarBinary(MAX_LENGTH) => f.write_str("BYTES"),
            VarBinary(n) => write!(f, "VARBINARY({n})"),
            Date => f.write_str("DATE"),
            Time(p) => write!(f, "TIME({p})"),
            Timestamp(p) => write!(f, "TIMESTAMP({p})"),
            TimestampLtz(p) => write!(f, "TIMESTAMP_LTZ({p})"),
            IntervalMonths(u) | IntervalMillis(u) => write!(f, "INTERVAL {u}"),
            Array(t) => write!(f, "ARRAY<{t}>"),
            Map(k, v) => write!(f, "MAP<{k}, {v}>"),
            Multiset(t) => write!(f, "MULTISET<{t}>"),
            Row(fields) => {
                f.write_str("ROW<")?;
                for (i, field) in fields.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "`{}` {}", field.name.replace('`', "``"), field.ty)?;
                }
                f.write_str(">")
            }
            Variant => f.write_str("VARIANT"),
            Bitmap => f.write_str("BITMAP"),
        }
    }
}

impl fmt::Display for IntervalUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use IntervalUnits::*;
        f.write_str(match self {
            Year => "YEAR",
            Month => "MONTH",
            YearToMonth => "YEAR TO MONTH",
            Day => "DAY",
            DayToHour => "DAY TO HOUR",
            DayToMinute => "DAY TO MINUTE",
            DayToSecond => "DAY TO SECOND(3)",
            Hour => "HOUR",
            HourToMinute => "HOUR TO MINUTE",
            HourToSecond => "HOUR TO SECOND(3)",
            Minute => "MINUTE",
            MinuteToSecond => "MINUTE TO SECOND(3)",
            Second => "SECOND(3)",
        })
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if !self.nullable {
            f.write_str(" NOT NULL")?;
        }
        match self.time {
            TimeAttribute::None => Ok(()),
            TimeAttribute::Rowtime => f.write_str(" *ROWTIME*"),
            TimeAttribute::Proctime => f.write_str(" *PROCTIME*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_print_as_flink_prints_them() {
        let t = TypeKind::Timestamp(3).not_null().with_time(TimeAttribute::Rowtime);
        assert_eq!(t.to_string(), "TIMESTAMP(3) NOT NULL *ROWTIME*");
        let row = TypeKind::Row(vec![Field::new("lat", TypeKind::Double.nullable())]);
        assert_eq!(TypeKind::Array(Box::new(row.nullable())).to_string(), "ARRAY<ROW<`lat` DOUBLE>>");
        assert_eq!(TypeKind::Decimal(10, 2).to_string(), "DECIMAL(10, 2)");
        assert_eq!(TypeKind::STRING.to_string(), "STRING");
    }
}

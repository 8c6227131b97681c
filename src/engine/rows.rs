//! Rows as plain structs: what a program pushes, scores and gets back.
//!
//! [`row!`](crate::row) declares a struct and makes it a [`Row`]: each field has the name of a column and a Rust type that says which SQL types it
//! holds ([`RowField`]). The names and types are checked once, against the columns of the query, when a scorer or a feed is built; after that
//! a field is one typed store into, or load from, a column. A macro by rules, not a derive: that would need a package of its own.

use crate::batch::{Batch, Column, ColumnRef, DataType, Schema, TypeKind};
use crate::error::{Error, Result};

/// A struct whose fields are columns. Made by [`row!`](crate::row).
///
/// ```
/// use pelton::Row;
/// pelton::row! { struct Point { x: f64, label: Option<String> } }
/// assert_eq!(Point::FIELDS.iter().map(|f| f.name).collect::<Vec<_>>(), ["x", "label"]);
/// ```
pub trait Row: Default {
    /// The fields, in order.
    const FIELDS: &'static [FieldInfo];

    /// Appends field `n` to a column of a type that it fits.
    fn write(&self, n: usize, to: &mut Column);

    /// Sets field `n` from a row of a column of a type that it fits.
    fn read(&mut self, n: usize, from: &Column, row: usize);

    /// Sets all fields, each from a row of the column that `from` gives for its number.
    #[inline]
    fn read_all<'c>(&mut self, mut from: impl FnMut(usize) -> &'c Column, row: usize) {
        for n in 0..Self::FIELDS.len() {
            self.read(n, from(n), row);
        }
    }
}

/// What is known of a field of a [`Row`].
///
/// ```
/// use pelton::Row;
/// pelton::row! { struct Point { x: f64, label: Option<String> } }
/// let label = Point::FIELDS[1];
/// assert_eq!((label.name, label.ty, label.nullable), ("label", "Option<String>", true));
/// assert!((label.fits)(&pelton::batch::TypeKind::STRING));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// The name, which is the column's.
    pub name: &'static str,
    /// The Rust type, for messages.
    pub ty: &'static str,
    /// It can be NULL.
    pub nullable: bool,
    /// It holds values of that type.
    pub fits: fn(&TypeKind) -> bool,
}

/// A Rust type that a field of a [`Row`] may have.
///
/// | Rust | SQL |
/// |---|---|
/// | `bool` | BOOLEAN |
/// | `i8`, `i16`, `i32`, `i64` | TINYINT, SMALLINT, INT, BIGINT |
/// | `f32`, `f64` | FLOAT, DOUBLE |
/// | `String` | STRING, VARCHAR, CHAR |
/// | `Vec<u8>` | BYTES, VARBINARY, BINARY |
/// | [`Timestamp`] | TIMESTAMP, TIMESTAMP_LTZ, up to 6 digits of the second |
/// | [`Date`], [`Time`] | DATE, TIME |
/// | [`Decimal<S>`](Decimal) | DECIMAL(p, S) |
/// | `Option<T>` | the same, or NULL |
///
/// ```
/// use pelton::RowField;
/// use pelton::batch::{Column, TypeKind};
/// let mut column = Column::of_kind(&TypeKind::BigInt);
/// 7_i64.write(&mut column);
/// let mut back = 0_i64;
/// back.read(&column, 0);
/// assert_eq!(back, 7);
/// assert!(i64::fits(&TypeKind::BigInt) && !i64::fits(&TypeKind::Int));
/// ```
pub trait RowField: Default {
    /// It can be NULL.
    const NULLABLE: bool = false;

    /// It holds values of that type.
    fn fits(kind: &TypeKind) -> bool;

    /// Appends the value.
    fn write(&self, to: &mut Column);

    /// Becomes the value in that row, which is not NULL unless the field can be.
    fn read(&mut self, from: &Column, row: usize);
}

/// A point in time: µs since 1970-01-01 00:00:00, of TIMESTAMP_LTZ in UTC.
///
/// ```
/// let noon = pelton::Timestamp(12 * 3600 * 1_000_000);
/// assert!(pelton::Timestamp::default() < noon);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Days since 1970-01-01.
///
/// ```
/// assert!(pelton::Date(-1) < pelton::Date(0), "the last day of 1969");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

/// Milliseconds since midnight.
///
/// ```
/// let half_past_eight = pelton::Time((8 * 60 + 30) * 60_000);
/// assert_eq!(half_past_eight.0, 30_600_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i32);

/// A decimal number with `S` digits behind the point: `Decimal::<2>(1234)` is 12.34.
///
/// ```
/// pelton::row! { struct Price { amount: pelton::Decimal<2> } }
/// assert_eq!(Price { amount: pelton::Decimal(1234) }.amount, pelton::Decimal::<2>(1234));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal<const S: u8>(pub i128);

macro_rules! fixed {
    ($($rust:ty, $inner:ty, $wrap:expr, $unwrap:expr, { $($kinds:tt)+ };)*) => {$(
        impl RowField for $rust {
            fn fits(kind: &TypeKind) -> bool {
                matches!(kind, $($kinds)+)
            }
            #[inline]
            fn write(&self, to: &mut Column) {
                to.buffer_mut::<$inner>().push($unwrap(self));
                to.validity.push(true);
            }
            #[inline]
            fn read(&mut self, from: &Column, row: usize) {
                *self = $wrap(from.value::<$inner>(row));
            }
        }
    )*};
}

fixed! {
    i8, i8, |v| v, |v: &i8| *v, { TypeKind::TinyInt };
    i16, i16, |v| v, |v: &i16| *v, { TypeKind::SmallInt };
    i32, i32, |v| v, |v: &i32| *v, { TypeKind::Int };
    i64, i64, |v| v, |v: &i64| *v, { TypeKind::BigInt };
    f32, f32, |v| v, |v: &f32| *v, { TypeKind::Float };
    f64, f64, |v| v, |v: &f64| *v, { TypeKind::Double };
    Date, i32, Date, |v: &Date| v.0, { TypeKind::Date };
    Time, i32, Time, |v: &Time| v.0, { TypeKind::Time(_) };
    Timestamp, i64, Timestamp, |v: &Timestamp| v.0, { TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) if *p <= 6 };
}

impl<const S: u8> RowField for Decimal<S> {
    fn fits(kind: &TypeKind) -> bool {
        matches!(kind, TypeKind::Decimal(_, s) if *s == S)
    }
    #[inline]
    fn write(&self, to: &mut Column) {
        to.buffer_mut::<i128>().push(self.0);
        to.validity.push(true);
    }
    #[inline]
    fn read(&mut self, from: &Column, row: usize) {
        self.0 = from.value::<i128>(row);
    }
}

impl RowField for bool {
    fn fits(kind: &TypeKind) -> bool {
        matches!(kind, TypeKind::Boolean)
    }
    #[inline]
    fn write(&self, to: &mut Column) {
        to.bools_mut().push(*self);
        to.validity.push(true);
    }
    #[inline]
    fn read(&mut self, from: &Column, row: usize) {
        *self = from.bools().get(row);
    }
}

impl RowField for String {
    fn fits(kind: &TypeKind) -> bool {
        kind.is_character()
    }
    #[inline]
    fn write(&self, to: &mut Column) {
        to.byte_column_mut().push(self.as_bytes());
        to.validity.push(true);
    }
    #[inline]
    fn read(&mut self, from: &Column, row: usize) {
        self.clear();
        self.push_str(from.byte_column().str(row));
    }
}

impl RowField for Vec<u8> {
    fn fits(kind: &TypeKind) -> bool {
        kind.is_binary()
    }
    #[inline]
    fn write(&self, to: &mut Column) {
        to.byte_column_mut().push(self);
        to.validity.push(true);
    }
    #[inline]
    fn read(&mut self, from: &Column, row: usize) {
        self.clear();
        self.extend_from_slice(from.byte_column().get(row));
    }
}

impl<T: RowField> RowField for Option<T> {
    const NULLABLE: bool = true;

    fn fits(kind: &TypeKind) -> bool {
        T::fits(kind)
    }
    #[inline]
    fn write(&self, to: &mut Column) {
        match self {
            Some(v) => v.write(to),
            None => to.push_null(),
        }
    }
    #[inline(always)]
    fn read(&mut self, from: &Column, row: usize) {
        // Of a type that has values: NULL's own is none of those that a field has.
        if from.validity.get(row) {
            self.get_or_insert_default().read(from, row);
        } else {
            *self = None;
        }
    }
}

/// Declares a struct whose fields are columns, and makes it a [`Row`](crate::Row). It derives [`Default`]; give it what else it should have.
///
/// ```
/// pelton::row! {
///     /// A payment that asks to be authorised.
///     #[derive(Clone, Debug, PartialEq)]
///     pub struct Payment {
///         pub card: i64,
///         pub merchant: String,
///         pub amount: Option<f64>,
///         pub ts: pelton::Timestamp,
///     }
/// }
/// let payment = Payment { card: 7, amount: Some(12.5), ..Payment::default() };
/// assert_eq!(payment.merchant, "");
/// ```
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident : $ty:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Default)]
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $ty),+ }

        impl $crate::Row for $name {
            const FIELDS: &'static [$crate::engine::FieldInfo] = &[$($crate::engine::FieldInfo {
                name: stringify!($field),
                ty: stringify!($ty),
                nullable: <$ty as $crate::engine::RowField>::NULLABLE,
                fits: <$ty as $crate::engine::RowField>::fits,
            }),+];

            #[inline]
            fn write(&self, n: usize, to: &mut $crate::batch::Column) {
                let mut k = n;
                $(
                    if k == 0 {
                        return $crate::engine::RowField::write(&self.$field, to);
                    }
                    k = k.wrapping_sub(1);
                )+
                let _ = k;
            }

            #[inline]
            fn read(&mut self, n: usize, from: &$crate::batch::Column, row: usize) {
                let mut k = n;
                $(
                    if k == 0 {
                        return $crate::engine::RowField::read(&mut self.$field, from, row);
                    }
                    k = k.wrapping_sub(1);
                )+
                let _ = k;
            }

            #[inline]
            fn read_all<'c>(
                &mut self,
                mut from: impl FnMut(usize) -> &'c $crate::batch::Column,
                row: usize,
            ) {
                let mut n = 0;
                $(
                    $crate::engine::RowField::read(&mut self.$field, from(n), row);
                    n += 1;
                )+
                let _ = n;
            }
        }
    };
}

/// Which field goes to which column.
#[derive(Clone, Debug, Default)]
pub(super) struct Mapping(Vec<(usize, usize)>);

impl Mapping {
    /// From the fields of `E` to the columns that are read of a table: each of them has a field, and each field is a column of the table.
    pub(super) fn write<E: Row>(table: &str, declared: &Schema, read: &Schema) -> Result<Self> {
        for field in E::FIELDS {
            let Some(column) = declared.fields.iter().find(|c| c.name == field.name) else {
                return Err(Error::config(format!(
                    "field '{}': table '{table}' has no such column",
                    field.name
                ))
                .hint(format!("its columns are {}", names(declared))));
            };
            check(field, &column.ty, || format!("table '{table}'"))?;
            if field.nullable && !column.ty.nullable {
                return Err(Error::config(format!(
                    "field '{}' is {}, but the column of table '{table}' is {}",
                    field.name, field.ty, column.ty
                ))
                .hint("take the Option away, or the NOT NULL"));
            }
        }
        let place = |(n, column): (usize, &crate::batch::Field)| match E::FIELDS
            .iter()
            .position(|f| f.name == column.name)
        {
            Some(field) => Ok((field, n)),
            None => Err(Error::config(format!(
                "the query reads column '{}' {} of table '{table}', and the row has no such field",
                column.name, column.ty
            ))
            .hint("add a field of that name")),
        };
        read.fields.iter().enumerate().map(place).collect::<Result<_>>().map(Self)
    }

    /// From the columns of a result to the fields of `R`, each of which is one of them.
    pub(super) fn read<R: Row>(result: &Schema) -> Result<Self> {
        let place = |(n, field): (usize, &FieldInfo)| {
            let Some(column) = result.fields.iter().position(|c| c.name == field.name) else {
                return Err(Error::config(format!(
                    "field '{}': the result of the query has no such column",
                    field.name
                ))
                .hint(format!("its columns are {}", names(result))));
            };
            let ty = result.ty(column);
            check(field, ty, || "the result of the query".to_owned())?;
            if ty.nullable && !field.nullable {
                return Err(Error::config(format!(
                    "field '{}' is {}, but the column of the result is {ty}, which may be NULL",
                    field.name, field.ty
                ))
                .hint(format!("make the field Option<{}>, or write COALESCE in the query", field.ty)));
            }
            Ok((n, column))
        };
        R::FIELDS.iter().enumerate().map(place).collect::<Result<_>>().map(Self)
    }

    /// The columns stand at other places.
    pub(super) fn through(&mut self, place: impl Fn(usize) -> usize) {
        self.0.iter_mut().for_each(|(_, column)| *column = place(*column));
    }

    /// Appends a row to columns that nobody else holds.
    #[inline]
    pub(super) fn append<E: Row>(&self, row: &E, columns: &mut [ColumnRef]) {
        for &(field, column) in &self.0 {
            row.write(
                field,
                ColumnRef::get_mut(&mut columns[column]).expect("the columns are their maker's"),
            );
        }
    }

    /// Sets a row from a row of a batch.
    #[inline]
    pub(super) fn fetch<R: Row>(&self, batch: &Batch, row: usize, to: &mut R) {
        let columns = &batch.columns[..];
        let own = &self.0[..R::FIELDS.len()];
        to.read_all(|n| &columns[own[n].1], row);
    }
}

fn check(field: &FieldInfo, ty: &DataType, of: impl Fn() -> String) -> Result<()> {
    if (field.fits)(&ty.kind) {
        return Ok(());
    }
    let (name, rust) = (field.name, field.ty);
    Err(Error::config(format!("field '{name}' is {rust}, but the column of {} is {}", of(), ty.kind))
        .hint(format!("the Rust type of {} is {}", ty.kind, rust_type(&ty.kind))))
}

fn names(schema: &Schema) -> String {
    schema.fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The type that a field has for a column.
fn rust_type(kind: &TypeKind) -> String {
    use TypeKind::*;
    match kind {
        Boolean => "bool".into(),
        TinyInt => "i8".into(),
        SmallInt => "i16".into(),
        Int => "i32".into(),
        BigInt => "i64".into(),
        Float => "f32".into(),
        Double => "f64".into(),
        Decimal(_, s) => format!("Decimal<{s}>"),
        Char(_) | VarChar(_) => "String".into(),
        Binary(_) | VarBinary(_) => "Vec<u8>".into(),
        Date => "Date".into(),
        Time(_) => "Time".into(),
        Timestamp(p) | TimestampLtz(p) if *p <= 6 => "Timestamp".into(),
        _ => "none: CAST the column, or hand over columns".into(),
    }
}

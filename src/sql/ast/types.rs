//! Type names as written. The engine's types are made of them by the binder.

use super::{Ident, IntervalQualifier, ObjectName};

node! {
    /// A type name with its nullability.
    pub struct TypeName {
        /// Which type.
        pub kind: TypeNameKind,
        /// `Some(false)` for `NOT NULL`, `Some(true)` for `NULL`, `None` where nothing was written.
        pub nullable: Option<bool>,
    }
}

/// The type names. Numbers in parentheses are optional and not checked here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Most are their own names.
pub enum TypeNameKind {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Real,
    /// `DOUBLE`, `DOUBLE PRECISION`.
    Double,
    /// `DECIMAL`, `DEC`, `NUMERIC`.
    Decimal {
        precision: Option<u32>,
        scale: Option<u32>,
    },
    /// `CHAR`, `CHARACTER`, with `CHARACTER SET name`.
    Char {
        length: Option<u32>,
        charset: Option<Ident>,
    },
    /// `VARCHAR`, `CHAR VARYING`, `CHARACTER VARYING`.
    Varchar {
        length: Option<u32>,
        charset: Option<Ident>,
    },
    String,
    Binary(Option<u32>),
    /// `VARBINARY`, `BINARY VARYING`.
    Varbinary(Option<u32>),
    Bytes,
    Date,
    /// `TIME`, `TIME WITHOUT TIME ZONE`, `TIME WITH LOCAL TIME ZONE`.
    Time {
        precision: Option<u32>,
        local_zone: bool,
    },
    /// `TIMESTAMP`, `TIMESTAMP WITHOUT TIME ZONE`, and with `local_zone` both `TIMESTAMP WITH LOCAL TIME ZONE` and
    /// `TIMESTAMP_LTZ`.
    Timestamp {
        precision: Option<u32>,
        local_zone: bool,
    },
    /// `INTERVAL DAY TO SECOND(3)`, only in casts.
    Interval(IntervalQualifier),
    /// `ARRAY<t>`, `t ARRAY`.
    Array(Box<TypeName>),
    /// `MULTISET<t>`, `t MULTISET`.
    Multiset(Box<TypeName>),
    Map(Box<TypeName>, Box<TypeName>),
    /// `ROW<a INT, …>`, `ROW(a INT, …)`.
    Row(Vec<RowField>),
    /// `RAW('class', 'serializer snapshot')`.
    Raw {
        class: String,
        serializer: String,
    },
    /// `STRUCTURED<'class', a INT, …>`.
    Structured {
        class: String,
        fields: Vec<RowField>,
    },
    Variant,
    Bitmap,
    /// Calcite's `ANY`.
    Any {
        precision: Option<u32>,
        scale: Option<u32>,
    },
    /// A user's type, `db.my_type`.
    Named(ObjectName),
}

node! {
    /// One field of a ROW or STRUCTURED type.
    pub struct RowField {
        /// Its name.
        pub name: Ident,
        /// Its type.
        pub ty: TypeName,
        /// The comment, a string after the type.
        pub comment: Option<String>,
    }
}

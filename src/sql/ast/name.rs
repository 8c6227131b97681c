//! Names. Flink's are case-sensitive and mean the same with and without back quotes.

use std::fmt;

use crate::error::Span;

/// One identifier, unescaped. Equal to another of the same name.
#[derive(Clone, Debug)]
pub struct Ident {
    /// The name, without quotes and with doubled back quotes made single.
    pub name: String,
    /// Written in back quotes. Only the printer cares; not part of equality.
    pub quoted: bool,
    /// The text it was parsed from. Not part of equality.
    pub span: Span,
}

impl PartialEq for Ident {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Ident {}

impl Ident {
    /// An identifier as the lexer found it.
    pub fn new(name: impl Into<String>, quoted: bool, span: Span) -> Self {
        Self { name: name.into(), quoted, span }
    }
}

impl fmt::Display for Ident {
    /// The bare name, for messages; [`print`](crate::sql::print) writes SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A dotted name, `catalog.database.table` or `row.field.field`. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName(pub Vec<Ident>);

impl ObjectName {
    /// From the first to the last part.
    pub fn span(&self) -> Span {
        match self.0.as_slice() {
            [] => Span::default(),
            [one] => one.span,
            [first, .., last] => first.span.to(last.span),
        }
    }

    /// The last part: the object itself, without its path.
    pub fn last(&self) -> &Ident {
        self.0.last().expect("a name has a part")
    }

    /// The single part of an unqualified name.
    pub fn as_simple(&self) -> Option<&Ident> {
        match self.0.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

impl From<Ident> for ObjectName {
    fn from(ident: Ident) -> Self {
        Self(vec![ident])
    }
}

impl fmt::Display for ObjectName {
    /// The bare parts with dots, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            f.write_str(&part.name)?;
        }
        Ok(())
    }
}

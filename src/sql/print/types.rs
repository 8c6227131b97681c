//! Type names.

use super::Printer;
use crate::sql::ast::{Ident, RowField, TypeName, TypeNameKind};

impl Printer {
    pub(super) fn type_name(&mut self, ty: &TypeName) {
        use TypeNameKind::*;
        match &ty.kind {
            Boolean => self.word("BOOLEAN"),
            TinyInt => self.word("TINYINT"),
            SmallInt => self.word("SMALLINT"),
            Int => self.word("INT"),
            BigInt => self.word("BIGINT"),
            Float => self.word("FLOAT"),
            Real => self.word("REAL"),
            Double => self.word("DOUBLE"),
            Decimal { precision, scale } => self.type_with("DECIMAL", *precision, *scale),
            Char { length, charset } => {
                self.type_with("CHAR", *length, None);
                self.character_set(charset.as_ref());
            }
            Varchar { length, charset } => {
                self.type_with("VARCHAR", *length, None);
                self.character_set(charset.as_ref());
            }
            String => self.word("STRING"),
            Binary(length) => self.type_with("BINARY", *length, None),
            Varbinary(length) => self.type_with("VARBINARY", *length, None),
            Bytes => self.word("BYTES"),
            Date => self.word("DATE"),
            Time { precision, local_zone } => {
                self.type_with("TIME", *precision, None);
                self.word_if(*local_zone, "WITH LOCAL TIME ZONE");
            }
            Timestamp { precision, local_zone } => {
                self.type_with(if *local_zone { "TIMESTAMP_LTZ" } else { "TIMESTAMP" }, *precision, None);
            }
            Interval(qualifier) => {
                self.word("INTERVAL");
                self.interval_qualifier(qualifier);
            }
            Array(element) => self.type_of("ARRAY", element),
            Multiset(element) => self.type_of("MULTISET", element),
            Map(key, value) => {
                self.word("MAP");
                self.glue("<");
                self.type_name(key);
                self.tight(",");
                self.type_name(value);
                self.tight(">");
            }
            Row(fields) => {
                self.word("ROW");
                self.glue("<");
                self.list(fields, Self::row_field);
                self.tight(">");
            }
            Raw { class, serializer } => {
                self.word("RAW");
                self.glue("(");
                self.string(class);
                self.tight(",");
                self.string(serializer);
                self.close();
            }
            Structured { class, fields } => {
                self.word("STRUCTURED");
                self.glue("<");
                self.string(class);
                for field in fields {
                    self.tight(",");
                    self.row_field(field);
                }
                self.tight(">");
            }
            Variant => self.word("VARIANT"),
            Bitmap => self.word("BITMAP"),
            Any { precision, scale } => self.type_with("ANY", *precision, *scale),
            Named(name) => self.name(name),
        }
        match ty.nullable {
            Some(true) => self.word("NULL"),
            Some(false) => self.word("NOT NULL"),
            None => {}
        }
    }

    fn type_with(&mut self, name: &str, first: Option<u32>, second: Option<u32>) {
        self.word(name);
        match (first, second) {
            (Some(first), Some(second)) => self.tight(&format!("({first}, {second})")),
            (Some(first), None) => self.tight(&format!("({first})")),
            _ => {}
        }
    }

    fn type_of(&mut self, name: &str, element: &TypeName) {
        self.word(name);
        self.glue("<");
        self.type_name(element);
        self.tight(">");
    }

    fn character_set(&mut self, charset: Option<&Ident>) {
        if let Some(charset) = charset {
            self.word("CHARACTER SET");
            self.ident(charset);
        }
    }

    fn row_field(&mut self, field: &RowField) {
        self.ident(&field.name);
        self.type_name(&field.ty);
        if let Some(comment) = &field.comment {
            self.string(comment);
        }
    }
}

//! Type names.

use super::Parser;
use crate::error::Result;
use crate::sql::ast::{RowField, TypeName, TypeNameKind};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    /// A type with its nullability, as columns have it.
    pub(super) fn column_type(&mut self) -> Result<TypeName> {
        self.nested(|p| p.type_suffixes(true))
    }

    /// A type without nullability of its own, as casts have it; its parts may have one.
    pub(super) fn cast_type(&mut self) -> Result<TypeName> {
        if self.kind() == TokenKind::Keyword(K::INTERVAL) {
            let start = self.next().span;
            let qualifier = self.interval_qualifier(true)?;
            return Ok(TypeName {
                kind: TypeNameKind::Interval(qualifier),
                nullable: None,
                span: self.span_from(start),
            });
        }
        self.nested(|p| p.type_suffixes(false))
    }

    /// A type and what may follow it: `[NOT NULL] ARRAY`, `[NOT NULL] MULTISET`, `[NOT NULL]`.
    fn type_suffixes(&mut self, nullability: bool) -> Result<TypeName> {
        let start = self.here();
        let mut ty = TypeName { kind: self.type_kind()?, nullable: None, span: self.span_from(start) };
        loop {
            if nullability && ty.nullable.is_none() {
                ty.nullable = self.nullability();
                ty.span = self.span_from(start);
            }
            let kind = if self.take(K::ARRAY) {
                self.deepen()?;
                TypeNameKind::Array(Box::new(ty))
            } else if self.take(K::MULTISET) {
                self.deepen()?;
                TypeNameKind::Multiset(Box::new(ty))
            } else {
                return Ok(ty);
            };
            ty = TypeName { kind, nullable: None, span: self.span_from(start) };
        }
    }

    /// `NULL`, `NOT NULL` or nothing.
    fn nullability(&mut self) -> Option<bool> {
        if self.eat(K::NULL) {
            Some(true)
        } else if self.eat_all(&[K::NOT, K::NULL]) {
            Some(false)
        } else {
            None
        }
    }

    fn type_kind(&mut self) -> Result<TypeNameKind> {
        use TypeNameKind::*;
        let TokenKind::Keyword(keyword) = self.kind() else {
            return Ok(Named(self.object_name_as("a type")?));
        };
        let map = keyword == K::MAP && self.kind_at(1) == TokenKind::Lt;
        if !keyword.is_reserved() && !map {
            return Ok(Named(self.object_name_as("a type")?));
        }
        let simple = match keyword {
            K::BOOLEAN => Boolean,
            K::TINYINT => TinyInt,
            K::SMALLINT => SmallInt,
            K::INT | K::INTEGER => Int,
            K::BIGINT => BigInt,
            K::FLOAT => Float,
            K::REAL => Real,
            K::STRING => String,
            K::BYTES => Bytes,
            K::DATE => Date,
            K::VARIANT => Variant,
            K::BITMAP => Bitmap,
            _ => return self.type_with_arguments(keyword),
        };
        self.next();
        Ok(simple)
    }

    fn type_with_arguments(&mut self, keyword: K) -> Result<TypeNameKind> {
        use TypeNameKind::*;
        let first = self.peek();
        self.next();
        Ok(match keyword {
            K::DOUBLE => {
                self.eat(K::PRECISION);
                Double
            }
            K::DECIMAL | K::DEC | K::NUMERIC => {
                let (precision, scale) = self.precision_and_scale()?;
                Decimal { precision, scale }
            }
            K::ANY => {
                let (precision, scale) = self.precision_and_scale()?;
                Any { precision, scale }
            }
            K::CHAR | K::CHARACTER => {
                let varying = self.eat(K::VARYING);
                let length = self.precision()?;
                let charset = self.character_set()?;
                if varying { Varchar { length, charset } } else { Char { length, charset } }
            }
            K::VARCHAR => Varchar { length: self.precision()?, charset: self.character_set()? },
            K::BINARY if self.eat(K::VARYING) => Varbinary(self.precision()?),
            K::BINARY => Binary(self.precision()?),
            K::VARBINARY => Varbinary(self.precision()?),
            K::TIME => Time { precision: self.precision()?, local_zone: self.local_time_zone()? },
            K::TIMESTAMP => Timestamp { precision: self.precision()?, local_zone: self.local_time_zone()? },
            K::TIMESTAMP_LTZ => Timestamp { precision: self.precision()?, local_zone: true },
            K::ARRAY => Array(Box::new(self.angles(Self::column_type)?)),
            K::MULTISET => Multiset(Box::new(self.angles(Self::column_type)?)),
            K::MAP => {
                let (key, value) = self.angles(|p| {
                    let key = p.column_type()?;
                    p.expect_kind(TokenKind::Comma)?;
                    Ok((key, p.column_type()?))
                })?;
                Map(Box::new(key), Box::new(value))
            }
            K::ROW => Row(self.row_fields()?),
            K::RAW => {
                let (class, serializer) = self.parens(|p| {
                    let class = p.string()?;
                    p.expect_kind(TokenKind::Comma)?;
                    Ok((class, p.string()?))
                })?;
                Raw { class, serializer }
            }
            K::STRUCTURED => {
                let (class, fields) = self.angles(|p| {
                    let class = p.string()?;
                    let more = p.eat_kind(TokenKind::Comma);
                    Ok((class, if more { p.comma_list(Self::row_field)? } else { Vec::new() }))
                })?;
                Structured { class, fields }
            }
            _ => {
                self.at -= 1;
                debug_assert_eq!(self.peek(), first);
                return Err(self.expected_here("a type"));
            }
        })
    }

    fn angles<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect_kind(TokenKind::Lt)?;
        let inside = inside(self)?;
        self.expect_kind(TokenKind::Gt)?;
        Ok(inside)
    }

    fn precision(&mut self) -> Result<Option<u32>> {
        if self.at_kind(TokenKind::LeftParen) {
            Ok(Some(self.parens(Self::small_integer)?))
        } else {
            Ok(None)
        }
    }

    fn precision_and_scale(&mut self) -> Result<(Option<u32>, Option<u32>)> {
        if !self.at_kind(TokenKind::LeftParen) {
            return Ok((None, None));
        }
        self.parens(|p| {
            let precision = p.small_integer()?;
            let scale = if p.eat_kind(TokenKind::Comma) { Some(p.small_integer()?) } else { None };
            Ok((Some(precision), scale))
        })
    }

    fn character_set(&mut self) -> Result<Option<crate::sql::ast::Ident>> {
        if self.eat_all(&[K::CHARACTER, K::SET]) { Ok(Some(self.ident()?)) } else { Ok(None) }
    }

    /// `WITH LOCAL TIME ZONE` (true), `WITHOUT TIME ZONE` or nothing (false).
    fn local_time_zone(&mut self) -> Result<bool> {
        if self.eat_all(&[K::WITHOUT, K::TIME, K::ZONE]) {
            return Ok(false);
        }
        // A WITH behind a column's type can only be this: columns are followed by a comma or a parenthesis.
        if self.at_all(&[K::WITH, K::TIME]) {
            self.next();
            let error = self.expected_here("LOCAL");
            return Err(error.hint("Flink has TIMESTAMP and TIMESTAMP_LTZ (WITH LOCAL TIME ZONE)"));
        }
        if self.at_all(&[K::WITH, K::LOCAL]) {
            self.expect_all(&[K::WITH, K::LOCAL, K::TIME, K::ZONE])?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Behind ROW: `<…>`, `(…)`, either perhaps empty.
    fn row_fields(&mut self) -> Result<Vec<RowField>> {
        if self.eat_kind(TokenKind::NotEq) {
            return Ok(Vec::new());
        }
        let close = if self.eat_kind(TokenKind::Lt) {
            TokenKind::Gt
        } else {
            self.expect_kind(TokenKind::LeftParen)?;
            TokenKind::RightParen
        };
        if self.eat_kind(close) {
            return Ok(Vec::new());
        }
        let fields = self.comma_list(Self::row_field)?;
        self.expect_kind(close)?;
        Ok(fields)
    }

    fn row_field(&mut self) -> Result<RowField> {
        let start = self.here();
        let name = self.ident_as("a field name")?;
        let ty = self.column_type()?;
        let comment =
            if self.kind() == TokenKind::String { Some(self.plain_string("a comment")?) } else { None };
        Ok(RowField { name, ty, comment, span: self.span_from(start) })
    }
}

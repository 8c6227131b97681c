//! The JSON functions and their clauses.

use super::Parser;
use crate::error::{Error, Result};
use crate::sql::ast::{
    ExprKind, JsonAggregate, JsonAggregateItem, JsonBehavior, JsonConstructor, JsonExists,
    JsonExistsBehavior, JsonInput, JsonItems, JsonNulls, JsonPair, JsonPassing, JsonQuery, JsonQueryBehavior,
    JsonValue, JsonValueBehavior, JsonWrapper, TypeName,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    pub(super) fn json_exists(&mut self) -> Result<ExprKind> {
        let start = self.next().span;
        let (input, on_error) = self.parens(|p| {
            let input = p.json_input()?;
            let behaviors = [
                (K::TRUE, JsonExistsBehavior::True),
                (K::FALSE, JsonExistsBehavior::False),
                (K::UNKNOWN, JsonExistsBehavior::Unknown),
                (K::ERROR, JsonExistsBehavior::Error),
            ];
            for (keyword, behavior) in behaviors {
                if p.eat(keyword) {
                    p.expect_all(&[K::ON, K::ERROR])?;
                    return Ok((input, Some(behavior)));
                }
            }
            Ok((input, None))
        })?;
        Ok(ExprKind::JsonExists(Box::new(JsonExists { input, on_error, span: self.span_from(start) })))
    }

    pub(super) fn json_value(&mut self) -> Result<ExprKind> {
        let start = self.next().span;
        let (input, returning, behaviors) = self.parens(|p| {
            let input = p.json_input()?;
            let returning = p.returning()?;
            let mut behaviors = Vec::new();
            loop {
                let behavior = if p.eat(K::ERROR) {
                    JsonValueBehavior::Error
                } else if p.eat(K::NULL) {
                    JsonValueBehavior::Null
                } else if p.eat(K::DEFAULT) {
                    JsonValueBehavior::Default(p.expr()?)
                } else {
                    return Ok((input, returning, behaviors));
                };
                behaviors.push(JsonBehavior { on_error: p.on_error_or_empty()?, behavior });
            }
        })?;
        let span = self.span_from(start);
        Ok(ExprKind::JsonValue(Box::new(JsonValue { input, returning, behaviors, span })))
    }

    pub(super) fn json_query(&mut self) -> Result<ExprKind> {
        let start = self.next().span;
        let (input, returning, wrapper, behaviors) = self.parens(|p| {
            let input = p.json_input()?;
            let returning = p.returning()?;
            let wrapper = p.wrapper()?;
            let mut behaviors = Vec::new();
            loop {
                let behavior = if p.eat(K::ERROR) {
                    JsonQueryBehavior::Error
                } else if p.eat(K::NULL) {
                    JsonQueryBehavior::Null
                } else if p.eat_all(&[K::EMPTY, K::ARRAY]) {
                    JsonQueryBehavior::EmptyArray
                } else if p.eat_all(&[K::EMPTY, K::OBJECT]) {
                    JsonQueryBehavior::EmptyObject
                } else {
                    return Ok((input, returning, wrapper, behaviors));
                };
                behaviors.push(JsonBehavior { on_error: p.on_error_or_empty()?, behavior });
            }
        })?;
        let span = self.span_from(start);
        Ok(ExprKind::JsonQuery(Box::new(JsonQuery { input, returning, wrapper, behaviors, span })))
    }

    /// `input, path [PASSING …]`.
    fn json_input(&mut self) -> Result<JsonInput> {
        let start = self.here();
        let input = self.expr()?;
        self.expect_kind(TokenKind::Comma)?;
        let path = self.expr()?;
        let passing = if self.eat(K::PASSING) {
            self.comma_list(|p| {
                let start = p.here();
                let value = p.expr()?;
                p.expect(K::AS)?;
                Ok(JsonPassing { value, name: p.ident()?, span: p.span_from(start) })
            })?
        } else {
            Vec::new()
        };
        Ok(JsonInput { input, path, passing, span: self.span_from(start) })
    }

    fn returning(&mut self) -> Result<Option<TypeName>> {
        if self.eat(K::RETURNING) { Ok(Some(self.cast_type()?)) } else { Ok(None) }
    }

    /// `ON ERROR` (true) or `ON EMPTY`.
    fn on_error_or_empty(&mut self) -> Result<bool> {
        self.expect(K::ON)?;
        if self.eat(K::ERROR) {
            return Ok(true);
        }
        self.expect(K::EMPTY)?;
        Ok(false)
    }

    fn wrapper(&mut self) -> Result<Option<JsonWrapper>> {
        let wrapper = if self.eat(K::WITHOUT) {
            JsonWrapper::Without
        } else if self.eat(K::WITH) {
            if self.eat(K::CONDITIONAL) {
                JsonWrapper::Conditional
            } else {
                self.eat(K::UNCONDITIONAL);
                JsonWrapper::Unconditional
            }
        } else {
            return Ok(None);
        };
        self.eat(K::ARRAY);
        self.expect(K::WRAPPER)?;
        Ok(Some(wrapper))
    }

    pub(super) fn json_object(&mut self) -> Result<ExprKind> {
        let start = self.next().span;
        let (pairs, nulls) = self.parens(|p| {
            let mut pairs = Vec::new();
            if p.kind() != TokenKind::RightParen && !p.at_json_nulls() {
                pairs = p.comma_list(Self::json_pair)?;
            }
            Ok((pairs, p.json_nulls()?))
        })?;
        let items = JsonItems::Object(pairs);
        Ok(ExprKind::JsonConstructor(Box::new(JsonConstructor { items, nulls, span: self.span_from(start) })))
    }

    pub(super) fn json_array(&mut self) -> Result<ExprKind> {
        let start = self.next().span;
        let (values, nulls) = self.parens(|p| {
            let mut values = Vec::new();
            if p.kind() != TokenKind::RightParen && !p.at_json_nulls() {
                values = p.comma_list(Self::expr)?;
            }
            Ok((values, p.json_nulls()?))
        })?;
        let items = JsonItems::Array(values);
        Ok(ExprKind::JsonConstructor(Box::new(JsonConstructor { items, nulls, span: self.span_from(start) })))
    }

    pub(super) fn json_object_agg(&mut self) -> Result<ExprKind> {
        let start = self.next().span;
        let (pair, nulls) = self.parens(|p| Ok((p.json_pair()?, p.json_nulls()?)))?;
        let item = JsonAggregateItem::Object(pair);
        let span = self.span_from(start);
        Ok(ExprKind::JsonAggregate(Box::new(JsonAggregate { item, nulls, order_by: Vec::new(), span })))
    }

    pub(super) fn json_array_agg(&mut self) -> Result<ExprKind> {
        let start = self.next().span;
        let (value, mut order_by, nulls) = self.parens(|p| {
            let value = p.expr()?;
            let order_by = if p.at(K::ORDER) { p.order_by()? } else { Vec::new() };
            Ok((value, order_by, p.json_nulls()?))
        })?;
        if self.take(K::WITHIN) {
            self.expect(K::GROUP)?;
            if !order_by.is_empty() {
                return Err(Error::syntax("JSON_ARRAYAGG is ordered twice", self.span_from(start)));
            }
            order_by = self.parens(Self::order_by)?;
        }
        let item = JsonAggregateItem::Array(value);
        let span = self.span_from(start);
        Ok(ExprKind::JsonAggregate(Box::new(JsonAggregate { item, nulls, order_by, span })))
    }

    /// `KEY k VALUE v`, `k VALUE v`, `k : v`.
    fn json_pair(&mut self) -> Result<JsonPair> {
        let start = self.here();
        let signed = matches!(
            self.kind_at(1),
            TokenKind::Plus | TokenKind::Minus | TokenKind::Keyword(K::NOT | K::EXISTS | K::UNIQUE)
        );
        // KEY alone may be a column's name.
        let with_key = self.is(K::KEY) && (self.expression_starts_at(1) || signed);
        if with_key {
            self.next();
        }
        let key = self.expr()?;
        if with_key || self.at(K::VALUE) {
            self.expect(K::VALUE)?;
        } else {
            self.expect_kind(TokenKind::Colon)?;
        }
        let value = self.expr()?;
        Ok(JsonPair { key, value, span: self.span_from(start) })
    }

    fn at_json_nulls(&mut self) -> bool {
        self.at_all(&[K::NULL, K::ON, K::NULL]) || self.at_all(&[K::ABSENT, K::ON, K::NULL])
    }

    /// `NULL ON NULL`, `ABSENT ON NULL`.
    fn json_nulls(&mut self) -> Result<Option<JsonNulls>> {
        let nulls = if self.eat(K::NULL) {
            JsonNulls::Null
        } else if self.eat(K::ABSENT) {
            JsonNulls::Absent
        } else {
            return Ok(None);
        };
        self.expect_all(&[K::ON, K::NULL])?;
        Ok(Some(nulls))
    }
}

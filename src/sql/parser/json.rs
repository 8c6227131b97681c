//! The JSON functions and their clauses.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{
    Expr, ExprKind, JsonAggregate, JsonAggregateItem, JsonBehavior, JsonConstructor, JsonExists,
    JsonExistsBehavior, JsonInput, JsonItems, JsonNulls, JsonPair, JsonPassing, JsonQuery, JsonQueryBehavior,
    JsonValue, JsonValueBehavior, JsonWrapper, OrderItem, TypeName,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    pub(super) fn json_exists(&mut self) -> Result<Expr> {
        let start = self.open_call()?.span;
        let input = self.json_input()?;
        let on_error = self.json_exists_behavior()?;
        let span = self.close_call(start)?;
        self.node(ExprKind::JsonExists(Box::new(JsonExists { input, on_error, span })), start)
    }

    fn json_exists_behavior(&mut self) -> Result<Option<JsonExistsBehavior>> {
        for (keyword, behavior) in [
            (K::TRUE, JsonExistsBehavior::True),
            (K::FALSE, JsonExistsBehavior::False),
            (K::UNKNOWN, JsonExistsBehavior::Unknown),
            (K::ERROR, JsonExistsBehavior::Error),
        ] {
            if self.eat(keyword) {
                self.expect_all(&[K::ON, K::ERROR])?;
                return Ok(Some(behavior));
            }
        }
        Ok(None)
    }

    pub(super) fn json_value(&mut self) -> Result<Expr> {
        let start = self.open_call()?.span;
        let input = self.json_input()?;
        let returning = self.returning()?;
        let mut behaviors = Vec::new();
        while self.json_value_behavior(&mut behaviors)? {}
        let span = self.close_call(start)?;
        self.node(ExprKind::JsonValue(Box::new(JsonValue { input, returning, behaviors, span })), start)
    }

    /// One clause, if there is one.
    fn json_value_behavior(&mut self, behaviors: &mut Vec<JsonBehavior<JsonValueBehavior>>) -> Result<bool> {
        let behavior = if self.eat(K::ERROR) {
            JsonValueBehavior::Error
        } else if self.eat(K::NULL) {
            JsonValueBehavior::Null
        } else if self.eat(K::DEFAULT) {
            JsonValueBehavior::Default(self.expr()?)
        } else {
            return Ok(false);
        };
        behaviors.push(JsonBehavior { on_error: self.on_error_or_empty()?, behavior });
        Ok(true)
    }

    pub(super) fn json_query(&mut self) -> Result<Expr> {
        let start = self.open_call()?.span;
        let input = self.json_input()?;
        let returning = self.returning()?;
        let wrapper = self.wrapper()?;
        let mut behaviors = Vec::new();
        while let Some(behavior) = self.json_query_behavior()? {
            behaviors.push(behavior);
        }
        let span = self.close_call(start)?;
        self.node(
            ExprKind::JsonQuery(Box::new(JsonQuery { input, returning, wrapper, behaviors, span })),
            start,
        )
    }

    /// One clause, if there is one.
    fn json_query_behavior(&mut self) -> Result<Option<JsonBehavior<JsonQueryBehavior>>> {
        let behavior = if self.eat(K::ERROR) {
            JsonQueryBehavior::Error
        } else if self.eat(K::NULL) {
            JsonQueryBehavior::Null
        } else if self.eat_all(&[K::EMPTY, K::ARRAY]) {
            JsonQueryBehavior::EmptyArray
        } else if self.eat_all(&[K::EMPTY, K::OBJECT]) {
            JsonQueryBehavior::EmptyObject
        } else {
            return Ok(None);
        };
        Ok(Some(JsonBehavior { on_error: self.on_error_or_empty()?, behavior }))
    }

    /// `input, path [PASSING …]`.
    fn json_input(&mut self) -> Result<JsonInput> {
        let start = self.here();
        let input = self.expr()?;
        self.expect_kind(TokenKind::Comma)?;
        let path = self.expr()?;
        let passing = if self.eat(K::PASSING) { self.comma_list(Self::json_passing)? } else { Vec::new() };
        Ok(JsonInput { input, path, passing, span: self.span_from(start) })
    }

    fn json_passing(&mut self) -> Result<JsonPassing> {
        let start = self.here();
        let value = self.expr()?;
        self.expect(K::AS)?;
        Ok(JsonPassing { value, name: self.ident()?, span: self.span_from(start) })
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

    pub(super) fn json_object(&mut self) -> Result<Expr> {
        let start = self.open_call()?.span;
        let mut pairs = Vec::new();
        if self.kind() != TokenKind::RightParen && !self.at_json_nulls() {
            pairs = self.comma_list(Self::json_pair)?;
        }
        self.json_constructor(JsonItems::Object(pairs), start)
    }

    pub(super) fn json_array(&mut self) -> Result<Expr> {
        let start = self.open_call()?.span;
        let mut values = Vec::new();
        if self.kind() != TokenKind::RightParen && !self.at_json_nulls() {
            values = self.comma_list(Self::expr)?;
        }
        self.json_constructor(JsonItems::Array(values), start)
    }

    fn json_constructor(&mut self, items: JsonItems, start: Span) -> Result<Expr> {
        let nulls = self.json_nulls()?;
        let span = self.close_call(start)?;
        self.node(ExprKind::JsonConstructor(Box::new(JsonConstructor { items, nulls, span })), start)
    }

    pub(super) fn json_object_agg(&mut self) -> Result<Expr> {
        let start = self.open_call()?.span;
        let item = JsonAggregateItem::Object(self.json_pair()?);
        let nulls = self.json_nulls()?;
        let span = self.close_call(start)?;
        let aggregate = Box::new(JsonAggregate { item, nulls, order_by: Vec::new(), span });
        self.node(ExprKind::JsonAggregate(aggregate), start)
    }

    pub(super) fn json_array_agg(&mut self) -> Result<Expr> {
        let start = self.open_call()?.span;
        let item = JsonAggregateItem::Array(self.expr()?);
        let order_by = if self.at(K::ORDER) { self.order_by()? } else { Vec::new() };
        let nulls = self.json_nulls()?;
        self.close_call(start)?;
        let order_by = if self.take(K::WITHIN) { self.json_within_group(order_by, start)? } else { order_by };
        let span = self.span_from(start);
        self.node(ExprKind::JsonAggregate(Box::new(JsonAggregate { item, nulls, order_by, span })), start)
    }

    /// Behind WITHIN.
    fn json_within_group(&mut self, inside: Vec<OrderItem>, start: Span) -> Result<Vec<OrderItem>> {
        self.expect(K::GROUP)?;
        if !inside.is_empty() {
            return Err(Error::syntax("JSON_ARRAYAGG is ordered twice", self.span_from(start)));
        }
        self.parens(Self::order_by)
    }

    /// `KEY k VALUE v`, `k VALUE v`, `k : v`.
    fn json_pair(&mut self) -> Result<JsonPair> {
        let start = self.here();
        let with_key = self.json_key_starts();
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

    /// Whether KEY is the keyword; alone it may be a column's name.
    fn json_key_starts(&self) -> bool {
        let prefix = matches!(
            self.kind_at(1),
            TokenKind::Plus | TokenKind::Minus | TokenKind::Keyword(K::NOT | K::EXISTS | K::UNIQUE)
        );
        self.is(K::KEY) && (prefix || self.expression_starts_at(1))
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

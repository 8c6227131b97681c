//! JSON functions: their clauses become arguments. A NULL of the RETURNING type, words for ON EMPTY and ON ERROR, a mask of the values
//! that are JSON already.

use super::Binder;
use super::expr::ExprContext;
use super::literal;
use crate::batch::TypeKind;
use crate::error::{Error, Result, Span};
use crate::expr::Expr;
use crate::sql::ast::{
    self, ArgValue, ExprKind as Ast, JsonBehavior, JsonExistsBehavior, JsonInput, JsonItems, JsonNulls,
    JsonQueryBehavior, JsonValueBehavior, JsonWrapper,
};

impl Binder<'_> {
    fn json_input(&mut self, input: &JsonInput, cx: &mut ExprContext<'_>) -> Result<Vec<Expr>> {
        if let Some(p) = input.passing.first() {
            return Err(Error::unsupported("PASSING", p.span));
        }
        Ok(vec![self.expr(&input.input, cx)?, self.expr(&input.path, cx)?])
    }

    /// JSON_EXISTS.
    pub(super) fn json_exists(
        &mut self,
        j: &ast::JsonExists,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let mut args = self.json_input(&j.input, cx)?;
        let word = match j.on_error {
            Some(JsonExistsBehavior::True) => "TRUE",
            Some(JsonExistsBehavior::Unknown) => "NULL",
            Some(JsonExistsBehavior::Error) => "ERROR",
            Some(JsonExistsBehavior::False) | None => "FALSE",
        };
        args.push(literal::string(word, at));
        self.call_bound("JSON_EXISTS", args, at)
    }

    /// JSON_VALUE.
    pub(super) fn json_value(
        &mut self,
        j: &ast::JsonValue,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let mut args = self.json_input(&j.input, cx)?;
        args.push(returning(j.returning.as_ref(), at)?);
        for on_error in [false, true] {
            let (word, default) = match last(&j.behaviors, on_error) {
                Some(JsonValueBehavior::Error) => ("ERROR", None),
                Some(JsonValueBehavior::Default(e)) => ("DEFAULT", Some(self.expr(e, cx)?)),
                Some(JsonValueBehavior::Null) | None => ("NULL", None),
            };
            args.push(literal::string(word, at));
            args.push(default.unwrap_or_else(|| literal::null(TypeKind::Null.nullable(), at)));
        }
        self.call_bound("JSON_VALUE", args, at)
    }

    /// JSON_QUERY.
    pub(super) fn json_query(
        &mut self,
        j: &ast::JsonQuery,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let mut args = self.json_input(&j.input, cx)?;
        args.push(returning(j.returning.as_ref(), at)?);
        let wrapper = match j.wrapper {
            Some(JsonWrapper::Conditional) => "CONDITIONAL",
            Some(JsonWrapper::Unconditional) => "UNCONDITIONAL",
            Some(JsonWrapper::Without) | None => "WITHOUT",
        };
        args.push(literal::string(wrapper, at));
        for on_error in [false, true] {
            let word = match last(&j.behaviors, on_error) {
                Some(JsonQueryBehavior::Error) => "ERROR",
                Some(JsonQueryBehavior::EmptyArray) => "EMPTY ARRAY",
                Some(JsonQueryBehavior::EmptyObject) => "EMPTY OBJECT",
                Some(JsonQueryBehavior::Null) | None => "NULL",
            };
            args.push(literal::string(word, at));
        }
        self.call_bound("JSON_QUERY", args, at)
    }

    /// JSON_OBJECT and JSON_ARRAY.
    pub(super) fn json_constructor(
        &mut self,
        j: &ast::JsonConstructor,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let (name, default) = match &j.items {
            JsonItems::Object(_) => ("JSON_OBJECT", JsonNulls::Null),
            JsonItems::Array(_) => ("JSON_ARRAY", JsonNulls::Absent),
        };
        let (mut mask, mut values) = (String::new(), vec![]);
        match &j.items {
            JsonItems::Object(pairs) => {
                for p in pairs {
                    values.push(self.expr(&p.key, cx)?);
                    values.push(self.json_item(&p.value, &mut mask, cx)?);
                }
            }
            JsonItems::Array(items) => {
                for e in items {
                    values.push(self.json_item(e, &mut mask, cx)?);
                }
            }
        }
        let nulls = match j.nulls.unwrap_or(default) {
            JsonNulls::Null => "NULL",
            JsonNulls::Absent => "ABSENT",
        };
        let mut args = vec![literal::string(nulls, at), literal::string(&mask, at)];
        args.append(&mut values);
        self.call_bound(name, args, at)
    }

    /// What a JSON aggregate collects, as an array or object of the one row, and the aggregate's name.
    pub(super) fn json_collected(
        &mut self,
        a: &ast::JsonAggregate,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<(&'static str, Expr)> {
        if let Some(o) = a.order_by.first() {
            return Err(Error::unsupported("ORDER BY inside an aggregate", o.span));
        }
        let mut mask = String::new();
        let (name, constructor, default, mut values) = match &a.item {
            ast::JsonAggregateItem::Object(pair) => {
                let key = self.expr(&pair.key, cx)?;
                let value = self.json_item(&pair.value, &mut mask, cx)?;
                ("JSON_OBJECTAGG", "JSON_OBJECT", JsonNulls::Null, vec![key, value])
            }
            ast::JsonAggregateItem::Array(e) => {
                let value = self.json_item(e, &mut mask, cx)?;
                ("JSON_ARRAYAGG", "JSON_ARRAY", JsonNulls::Absent, vec![value])
            }
        };
        let nulls = match a.nulls.unwrap_or(default) {
            JsonNulls::Null => "NULL",
            JsonNulls::Absent => "ABSENT",
        };
        let mut args = vec![literal::string(nulls, at), literal::string(&mask, at)];
        args.append(&mut values);
        Ok((name, self.call_bound(constructor, args, at)?))
    }

    /// A value of a constructor; JSON that is made in place is nested, not quoted.
    fn json_item(&mut self, e: &ast::Expr, mask: &mut String, cx: &mut ExprContext<'_>) -> Result<Expr> {
        if let Ast::Function(call) = &e.kind
            && call.name.as_simple().is_some_and(|n| n.name.eq_ignore_ascii_case("JSON"))
            && let [ast::FunctionArg { name: None, value: ArgValue::Expr(text), .. }] = &call.args[..]
        {
            mask.push('1');
            return self.call_of("JSON", &[text], e.span, cx);
        }
        mask.push(if matches!(e.kind, Ast::JsonConstructor(_)) { '1' } else { '0' });
        self.expr(e, cx)
    }
}

fn last<B>(behaviors: &[JsonBehavior<B>], on_error: bool) -> Option<&B> {
    behaviors.iter().rev().find(|b| b.on_error == on_error).map(|b| &b.behavior)
}

/// A NULL of the RETURNING type, STRING when absent.
fn returning(ty: Option<&ast::TypeName>, at: Span) -> Result<Expr> {
    let ty = match ty {
        Some(t) => super::types::data_type(t)?,
        None => TypeKind::STRING.nullable(),
    };
    Ok(literal::null(ty.with_nullable(true), at))
}

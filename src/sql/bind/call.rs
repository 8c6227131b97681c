//! Calls of functions: found in the registry, bound to their argument types, arguments cast to what the function wants.

use super::aggregate;
use super::coerce::{self, fold};
use super::expr::ExprContext;
use super::names::did_you_mean;
use super::{Binder, group_window, literal};
use crate::batch::{DataType, TypeKind};
use crate::error::{Error, Finding, Result, Span};
use crate::expr::functions::FLINK_FUNCTIONS;
use crate::expr::{Argument, Call, Expr, ExprKind};
use crate::sql::ast::{self, ArgValue, FunctionCall};

impl Binder<'_> {
    /// A call with parentheses: scalar function, aggregate, or something that is refused.
    pub(super) fn function(
        &mut self,
        call: &FunctionCall,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        if let Some(over) = &call.over {
            let span = match &**over {
                ast::Over::Name(name) => name.span,
                ast::Over::Window(w) => w.span,
            };
            return self.over_call(call, over, call.span.to(span), cx);
        }
        let Some(simple) = call.name.as_simple() else {
            return Err(Error::validation(format!("function '{}' not found", call.name), call.name.span()));
        };
        let name = simple.name.to_uppercase();
        if let Some(bound) = self.pattern_function(&name, call, at, cx) {
            return bound;
        }
        if group_window::is_auxiliary(&name) {
            return self.window_auxiliary(&name, call, cx);
        }
        if name == "GROUPING" || name == "GROUPING_ID" {
            return self.grouping_call(&name, call, at, cx);
        }
        if aggregate::is_aggregate(self.registry, &name) {
            if self.pattern.is_some() {
                return self.pattern_aggregate(&name, call, at, cx);
            }
            return self.aggregate_call(&name, call, at, cx);
        }
        if let Some(what) = aggregate_clause(call) {
            return Err(Error::validation(
                format!("{what} belongs to aggregates, and {} is none", simple.name),
                at,
            ));
        }
        let mut args = Vec::with_capacity(call.args.len());
        for a in &call.args {
            if let Some(arg_name) = &a.name {
                return Err(Error::unsupported(format!("the named argument '{arg_name}' of {name}"), a.span));
            }
            match &a.value {
                ArgValue::Expr(e) => args.push(self.expr(e, cx)?),
                ArgValue::Table(t) => {
                    return Err(Error::validation(format!("{name} takes values, not tables"), t.span));
                }
                ArgValue::Unit(_) => {
                    return Err(Error::unsupported(format!("a time unit as argument of {name}"), at));
                }
            }
        }
        match name.as_str() {
            "JSON" => {
                Err(Error::validation("JSON() stands only as a value of JSON_OBJECT or JSON_ARRAY", at)
                    .hint("write JSON_OBJECT('key' VALUE JSON(text))"))
            }
            "COALESCE" if !args.is_empty() => self.coalesce(args, at),
            "NULLIF" if args.len() == 2 => self.null_if(args, at),
            _ => self.call_bound(&name, args, at),
        }
    }

    /// Binds a call of `name` over bound arguments.
    pub(super) fn call_bound(&mut self, name: &str, args: Vec<Expr>, at: Span) -> Result<Expr> {
        let Some(function) = self.registry.scalar(name).cloned() else {
            return Err(self.unknown_function(name, &args, at));
        };
        let described = describe(&args);
        let call = Call { name, args: &described, span: at, session: &self.session };
        let bound = function.bind(&call).map_err(|e| e.at(at))?;
        self.note_function(name, at);
        let args = self.cast_arguments(args, &bound.args)?;
        Ok(fold(Expr::call(name, bound, args, at)))
    }

    /// Notes a function that Flink has not.
    pub(super) fn note_function(&self, name: &str, span: Span) {
        if !is_operator(name) && !is_flink_function(name) && !aggregate::is_flink_aggregate(name) {
            self.extensions.note(Finding {
                message: format!("the function {name} is not one of Flink's"),
                span,
                hint: "register it with Flink under that name: CREATE FUNCTION".to_owned(),
            });
        }
    }

    /// Casts arguments to the types that a function wants.
    pub(super) fn cast_arguments(&mut self, args: Vec<Expr>, wanted: &[DataType]) -> Result<Vec<Expr>> {
        debug_assert_eq!(args.len(), wanted.len(), "a function wants a type for each argument");
        args.into_iter().zip(wanted).map(|(a, ty)| self.argument_to(a, ty)).collect()
    }

    fn argument_to(&mut self, a: Expr, ty: &DataType) -> Result<Expr> {
        if a.ty.kind == ty.kind { Ok(a) } else { self.cast_to(a, ty) }
    }

    fn unknown_function(&self, name: &str, args: &[Expr], at: Span) -> Error {
        if is_flink_function(name) || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Error::unsupported(format!("the function {name}"), at);
        }
        let types: Vec<String> = args.iter().map(|a| format!("<{}>", a.ty.kind)).collect();
        let e = Error::validation(format!("no function matches {name}({})", types.join(", ")), at);
        if let Some((_, flinks)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
            return e.hint(format!("Flink's is {flinks}"));
        }
        match did_you_mean(name, self.registry.scalar_names().chain(self.registry.aggregate_names())) {
            Some(hint) => e.hint(hint),
            None => e,
        }
    }

    pub(super) fn coalesce(&mut self, args: Vec<Expr>, at: Span) -> Result<Expr> {
        let types: Vec<&DataType> = args.iter().map(|a| &a.ty).collect();
        let ty = coerce::common_type(&types).ok_or_else(|| {
            let shown: Vec<String> = types.iter().map(|t| t.kind.to_string()).collect();
            Error::validation(
                format!("the arguments of COALESCE have no common type: {}", shown.join(", ")),
                at,
            )
            .hint("cast them to one type")
        })?;
        if ty.kind == TypeKind::Null {
            return Err(Error::validation("every argument of COALESCE is NULL: it has no type", at));
        }
        let nullable = args.iter().all(|a| a.ty.nullable);
        let args = args
            .into_iter()
            .map(|a| {
                let to = ty.clone().with_nullable(a.ty.nullable);
                self.cast_to(a, &to)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(fold(Expr { kind: ExprKind::Coalesce(args), ty: ty.with_nullable(nullable), span: at }))
    }

    /// NULLIF(a, b) is CASE WHEN a = b THEN NULL ELSE a END.
    fn null_if(&mut self, args: Vec<Expr>, at: Span) -> Result<Expr> {
        let [a, b] = <[Expr; 2]>::try_from(args).expect("two arguments");
        let test = self.call_bound("=", vec![a.clone(), b], at)?;
        let null = literal::null(a.ty.clone().with_nullable(true), at);
        self.case_of(vec![(test, null)], a, at)
    }
}

/// Arguments as a function sees them.
pub(super) fn describe(args: &[Expr]) -> Vec<Argument> {
    args.iter().map(crate::expr::build::describe).collect()
}

/// The first clause that only aggregates may have.
fn aggregate_clause(call: &FunctionCall) -> Option<&'static str> {
    [
        (call.quantifier.is_some(), "DISTINCT"),
        (!call.order_by.is_empty(), "ORDER BY"),
        (call.separator.is_some(), "SEPARATOR"),
        (call.nulls.is_some(), "IGNORE NULLS"),
        (!call.within_distinct.is_empty(), "WITHIN DISTINCT"),
        (!call.within_group.is_empty(), "WITHIN GROUP"),
        (call.filter.is_some(), "FILTER"),
    ]
    .into_iter()
    .find_map(|(present, name)| present.then_some(name))
}

/// Flink 2.3 has a function of that name, whether or not the registry does: its absence is Pelton's, not the user's slip.
pub(super) fn is_flink_function(name: &str) -> bool {
    FLINK_FUNCTIONS.binary_search(&name).is_ok()
}

/// What other dialects call functions, and what Flink has for them.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("DATE_TRUNC", "FLOOR(time TO DAY)"),
    ("LCASE", "LOWER"),
    ("LEN", "CHAR_LENGTH"),
    ("LENGTH", "CHAR_LENGTH"),
    ("NVL", "COALESCE"),
    ("POW", "POWER"),
    ("RANDOM", "RAND"),
    ("REGEXP_LIKE", "REGEXP"),
    ("STRING_AGG", "LISTAGG"),
    ("TO_CHAR", "DATE_FORMAT"),
    ("UCASE", "UPPER"),
];

/// The name is that of a form that is no call in SQL.
fn is_operator(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || name.contains(' ')
        || ["IN", "LIKE", "NOT", "MINUS_INTERVAL"].contains(&name)
}

#[cfg(test)]
mod tests {
    /// A name that is missing would be reported as Pelton's own.
    #[test]
    fn every_built_in_function_is_flinks() {
        let registry = crate::expr::functions::builtin();
        let own: Vec<&str> = registry
            .scalar_names()
            .chain(registry.aggregate_names())
            .filter(|n| {
                !super::is_operator(n)
                    && !super::is_flink_function(n)
                    && !super::aggregate::is_flink_aggregate(n)
            })
            .collect();
        assert!(own.is_empty(), "not in Flink, or missing in the lists: {own:?}");
    }
}

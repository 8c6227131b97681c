//! Aggregates and GROUP BY.
//!
//! Select list, HAVING and ORDER BY are bound over the FROM clause's columns as if nothing were grouped, each aggregate call standing
//! as a column behind them ([`ExprContext::aggregates`]). Then [`Binder::group`] computes keys and arguments by a projection, puts the
//! aggregation over it, and rewrites the bound expressions: whatever equals a key becomes the key's column; a column that is
//! left over is "not being grouped". Comparing bound expressions, not text, makes `t.a` and `a` one.

use super::expr::ExprContext;
use super::{Binder, call, grouping, literal};
use crate::batch::DataType;
use crate::error::{Error, Result, Span};
use crate::expr::functions::FLINK_AGGREGATES;
use crate::expr::{BoundAggregate, Call, Expr, ExprKind, Registry};
use crate::plan::logical::{AggregateCall, Rel, same_expr};
use crate::sql::ast::{self, ArgValue, ExprKind as Ast, FunctionCall};

/// An aggregate call over the columns of a scope.
#[derive(Clone)]
pub(super) struct AggregateUse {
    /// As written.
    text: String,
    /// In upper case.
    function: String,
    bound: BoundAggregate,
    args: Vec<Expr>,
    distinct: bool,
    filter: Option<Expr>,
    span: Span,
}

impl AggregateUse {
    /// A call without arguments.
    pub(super) fn plain(text: String, bound: BoundAggregate, span: Span) -> Self {
        let function = text.clone();
        Self { text, function, bound, args: vec![], distinct: false, filter: None, span }
    }

    /// The type of its result.
    pub(super) fn ty(&self) -> &DataType {
        &self.bound.ty
    }

    /// Its expressions, to change.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.args.iter_mut().chain(&mut self.filter)
    }

    /// The call over columns; `column_of` gives the column of an expression.
    pub(super) fn over(self, mut column_of: impl FnMut(Expr) -> usize) -> AggregateCall {
        AggregateCall {
            name: self.text,
            ty: self.bound.ty.clone(),
            function: self.bound,
            args: self.args.into_iter().map(&mut column_of).collect(),
            distinct: self.distinct,
            filter: self.filter.map(&mut column_of),
            span: self.span,
        }
    }

    /// Both calls give the same value.
    pub(super) fn is_same(&self, other: &AggregateUse) -> bool {
        self.function == other.function
            && self.distinct == other.distinct
            && self.bound.ty == other.bound.ty
            && self.args.len() == other.args.len()
            && self.args.iter().zip(&other.args).all(|(a, b)| same_expr(a, b))
            && match (&self.filter, &other.filter) {
                (None, None) => true,
                (Some(a), Some(b)) => same_expr(a, b),
                _ => false,
            }
    }
}

/// The name is that of an aggregate, whether the registry has it or not.
pub(super) fn is_aggregate(registry: &Registry, name: &str) -> bool {
    registry.aggregate(name).is_some() || FLINK_AGGREGATES.binary_search(&name).is_ok()
}

/// The name is that of one of Flink's aggregates.
pub(super) fn is_flink_aggregate(name: &str) -> bool {
    FLINK_AGGREGATES.binary_search(&name).is_ok()
}

impl Binder<'_> {
    /// An aggregate call: noted in the context, and standing in the expression as a column behind the scope's.
    pub(super) fn aggregate_call(
        &mut self,
        name: &str,
        call: &FunctionCall,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        self.note_aggregate(at, cx, |binder, cx| binder.aggregate_use(name, call, at, cx.keys > 0, cx))
    }

    /// JSON_ARRAYAGG, JSON_OBJECTAGG.
    pub(super) fn json_aggregate(
        &mut self,
        a: &ast::JsonAggregate,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        self.note_aggregate(at, cx, |binder, cx| {
            let (name, collected) = binder.json_collected(a, at, cx)?;
            let Some(function) = binder.registry.aggregate(name).cloned() else {
                return Err(Error::unsupported(format!("the aggregate {name}"), at));
            };
            let args = vec![collected];
            let described = call::describe(&args);
            let to_bind = Call { name, args: &described, span: at, session: &binder.session };
            let bound = function.bind(&to_bind, cx.keys > 0).map_err(|e| e.at(at))?;
            binder.note_function(name, at);
            let (text, function) = (binder.text(at), name.to_owned());
            Ok(AggregateUse { text, function, bound, args, distinct: false, filter: None, span: at })
        })
    }

    /// Binds an aggregate by `bind` and notes it in the context, unless there is one already that gives the same.
    fn note_aggregate(
        &mut self,
        at: Span,
        cx: &mut ExprContext<'_>,
        bind: impl FnOnce(&mut Self, &mut ExprContext<'_>) -> Result<AggregateUse>,
    ) -> Result<Expr> {
        let Some(found) = cx.aggregates.take() else {
            return Err(if cx.inside_aggregate {
                Error::validation("aggregates cannot be nested", at)
                    .hint("aggregate in a subquery first: SELECT MAX(s) FROM (SELECT SUM(x) AS s …)")
            } else {
                let e = Error::validation(
                    format!("the aggregate {} is not allowed in the {}", self.text(at), cx.clause),
                    at,
                );
                if cx.clause == "WHERE clause" {
                    e.hint("conditions on aggregates belong to HAVING")
                } else {
                    e
                }
            });
        };
        cx.inside_aggregate = true;
        let bound = bind(self, cx);
        cx.inside_aggregate = false;
        let bound = match bound {
            Ok(bound) => bound,
            Err(e) => {
                cx.aggregates = Some(found);
                return Err(e);
            }
        };
        let ty = bound.bound.ty.clone();
        let number = found.iter().position(|f| f.is_same(&bound)).unwrap_or_else(|| {
            found.push(bound);
            found.len() - 1
        });
        cx.aggregates = Some(found);
        Ok(Expr::column(cx.scope.len() + number, ty, at))
    }

    /// The call; `grouped`: of no rows nothing is said.
    pub(super) fn aggregate_use(
        &mut self,
        name: &str,
        call: &FunctionCall,
        at: Span,
        grouped: bool,
        cx: &mut ExprContext<'_>,
    ) -> Result<AggregateUse> {
        if call.over.is_none() && super::over::needs_over(name) {
            return Err(Error::validation(format!("{name} needs OVER"), at)
                .hint(format!("write {name}(…) OVER (PARTITION BY … ORDER BY …)")));
        }
        let refused = [
            (!call.order_by.is_empty(), "ORDER BY inside an aggregate"),
            (call.separator.is_some(), "SEPARATOR"),
            (call.nulls == Some(ast::NullTreatment::Ignore), "IGNORE NULLS"),
            (!call.within_distinct.is_empty(), "WITHIN DISTINCT"),
            (!call.within_group.is_empty(), "WITHIN GROUP"),
        ];
        if let Some((_, what)) = refused.into_iter().find(|r| r.0) {
            return Err(Error::unsupported(what, at));
        }
        let mut args = vec![];
        for a in &call.args {
            match &a.value {
                ArgValue::Expr(e) if matches!(e.kind, Ast::Star(None)) && name == "COUNT" => {}
                ArgValue::Expr(e) => args.push(self.expr(e, cx)?),
                ArgValue::Table(t) => {
                    return Err(Error::validation(format!("{name} takes values, not tables"), t.span));
                }
                ArgValue::Unit(_) => {
                    return Err(Error::unsupported(format!("a time unit as argument of {name}"), at));
                }
            }
        }
        if name == "COUNT" && args.len() > 1 {
            return Err(Error::planning("COUNT takes one column", at)
                .hint("count rows with COUNT(*), or combine the columns: COUNT(DISTINCT (a, b)) is COUNT over ROW(a, b)"));
        }
        let filter = call
            .filter
            .as_ref()
            .map(|f| {
                let clause = std::mem::replace(&mut cx.clause, "FILTER clause");
                let bound = self.condition(f, cx);
                cx.clause = clause;
                bound
            })
            .transpose()?;
        let Some(function) = self.registry.aggregate(name).cloned() else {
            if name == "APPROX_COUNT_DISTINCT" {
                return Err(Error::planning(
                    "APPROX_COUNT_DISTINCT is of batch jobs, and this is a stream",
                    at,
                )
                .hint("write COUNT(DISTINCT …)"));
            }
            return Err(Error::unsupported(format!("the aggregate {name}"), at));
        };
        let described = call::describe(&args);
        let to_bind = Call { name, args: &described, span: at, session: &self.session };
        let bound = function.bind(&to_bind, grouped && filter.is_none()).map_err(|e| e.at(at))?;
        self.note_function(name, at);
        let args = self.cast_arguments(args, &bound.args)?;
        let distinct = call.quantifier == Some(ast::SetQuantifier::Distinct) && !bound.ignores_distinct;
        Ok(AggregateUse {
            text: self.text(at),
            function: name.to_owned(),
            bound,
            args,
            distinct,
            filter,
            span: at,
        })
    }

    /// Groups `input` by `keys` and rewrites `exprs`, bound over its columns, to the aggregation's.
    pub(super) fn group(
        &mut self,
        input: Rel,
        keys: &[Expr],
        uses: Vec<AggregateUse>,
        exprs: &mut [&mut Expr],
        span: Span,
    ) -> Result<Rel> {
        let columns = input.schema.len();
        let mut computed: Vec<Expr> = keys.to_vec();
        // An argument that is a key too has a column of its own where some grouping set leaves the key out.
        let first = if self.has_sets() { keys.len() } else { 0 };
        let mut column_of = |e: Expr| {
            let known = computed[first..].iter().position(|c| same_expr(c, &e) && c.is_deterministic());
            known.map(|k| first + k).unwrap_or_else(|| {
                computed.push(e);
                computed.len() - 1
            })
        };
        let aggregates: Vec<AggregateCall> = uses.into_iter().map(|u| u.over(&mut column_of)).collect();
        let names = computed
            .iter()
            .map(|e| match e.kind {
                ExprKind::Column(n) => input.schema.fields[n].name.clone(),
                _ => self.text(e.span),
            })
            .collect();
        // COUNT(*) alone needs no column at all, but a row has one.
        if computed.is_empty() {
            self.expand(Rel::one_row(span), keys, exprs, span)?;
            for e in exprs {
                self.regroup(e, keys, 0, columns)?;
            }
            computed.push(literal::int(0, span));
            return Ok(input.project(computed, vec!["ZERO".into()], span).aggregate(
                vec![],
                aggregates,
                span,
            ));
        }
        let rel = input.project(computed, names, span);
        let (rel, added) = self.expand(rel, keys, exprs, span)?;
        // A key that some grouping set leaves out is NULL there, whatever it was.
        let mut keys = keys.to_vec();
        keys.iter_mut().zip(&rel.schema.fields).for_each(|(k, f)| k.ty.nullable |= f.ty.nullable);
        let keys = &keys[..];
        for e in exprs {
            self.regroup(e, keys, added.len(), columns)?;
        }
        let keys = (0..keys.len()).chain(added).collect();
        Ok(rel.aggregate(keys, aggregates, span))
    }

    /// Rewrites an expression over input columns and aggregate calls to one over the aggregation's output.
    /// `added` columns stand between keys and aggregates.
    fn regroup(&mut self, e: &mut Expr, keys: &[Expr], added: usize, columns: usize) -> Result<()> {
        if let Some(k) = keys.iter().position(|k| same_expr(k, e)) {
            e.kind = ExprKind::Column(k);
            e.ty.nullable |= keys[k].ty.nullable;
            return Ok(());
        }
        match &mut e.kind {
            ExprKind::Column(n) if *n >= super::over::FIRST => Ok(()),
            ExprKind::Column(n) if *n >= grouping::FIRST => {
                // Behind the number of the set.
                *n = *n - grouping::FIRST + keys.len() + 1;
                Ok(())
            }
            ExprKind::Column(n) if *n >= columns => {
                *n = *n - columns + keys.len() + added;
                Ok(())
            }
            ExprKind::Column(_) => Err(Error::validation(
                format!("'{}' is neither grouped nor inside an aggregate", self.text(e.span)),
                e.span,
            )
            .hint("add it to GROUP BY, or aggregate it: MAX(…), LAST_VALUE(…)")),
            _ => e.children_mut().into_iter().try_for_each(|c| self.regroup(c, keys, added, columns)),
        }
    }
}

//! `x IN (SELECT …)`, and EXISTS of a correlated subquery, as values: in a SELECT list, a CASE, beside OR.
//!
//! A part of WHERE that only keeps or drops rows is a semi or anti join ([`Binder::where_clause`]). Elsewhere three things are asked of the
//! subquery, each a left join with distinct rows beside which stands TRUE: is there a row that equals `x`; if `x` may be NULL, is
//! there any row; if its column may be NULL, is there a NULL. `x IN ()` is FALSE even for NULL. What a correlated subquery's WHERE reads of
//! the query around must be equalities then: they are further columns of those rows.

use super::expr::{ExprContext, logic};
use super::subquery::{Correlated, OUTER, Purpose, Subquery, all_of, equality, stands_in};
use super::{Binder, coerce, literal};
use crate::batch::TypeKind;
use crate::error::{Error, Result, Span};
use crate::expr::Expr;
use crate::plan::logical::Rel;
use crate::sql::ast::{self, ExprKind as Ast, Query, QueryBodyKind};

/// The left side of IN and the rows of its subquery.
pub(super) struct Membership {
    /// The values on the left.
    pub(super) values: Vec<Expr>,
    /// The columns they are compared with, then what the conditions read.
    pub(super) rel: Rel,
    /// Over the columns of `rel` and, from [`OUTER`], those around.
    pub(super) conditions: Vec<Expr>,
}

impl Binder<'_> {
    /// Binds both sides of IN.
    pub(super) fn membership(
        &mut self,
        operand: &ast::Expr,
        q: &Query,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Membership> {
        let values = match &operand.kind {
            Ast::Row { values, .. } => values.iter().map(|v| self.expr(v, cx)).collect::<Result<Vec<_>>>()?,
            _ => vec![self.expr(operand, cx)?],
        };
        let mut beyond = false;
        values.iter().for_each(|v| v.for_each_column(&mut |c| beyond |= c >= OUTER));
        if beyond || values.iter().any(stands_in) {
            return Err(Error::unsupported(
                "a subquery, or a column from around, on the left of IN",
                operand.span,
            ));
        }
        let plain = q.with.is_empty() && q.order_by.is_empty() && q.limit.is_none() && q.offset.is_none();
        let (rel, correlated) = match &q.body.kind {
            QueryBodyKind::Select(select) if plain => {
                self.inside(cx.scope, Purpose::In, |binder| binder.select(select, &[]))?
            }
            _ => self.inside(cx.scope, Purpose::In, |binder| binder.query(q))?,
        };
        let (conditions, visible) = match correlated {
            None => (vec![], rel.schema.len()),
            Some(Correlated::Lateral { conditions, visible, .. }) if plain => (conditions, visible),
            Some(_) => {
                let text = "IN of a correlated subquery with ORDER BY, LIMIT or a set operation";
                return Err(Error::unsupported(text, q.span));
            }
        };
        if visible != values.len() {
            let text = format!("{} values cannot be IN a subquery of {visible} columns", values.len());
            return Err(Error::validation(text, at));
        }
        for (n, value) in values.iter().enumerate() {
            let column = rel.schema.ty(n);
            if !coerce::comparable(&value.ty, column) {
                let text = "values passed to IN must have compatible types";
                return Err(Error::validation(format!("{text}: {} and {}", value.ty.kind, column.kind), at));
            }
        }
        Ok(Membership { values, rel, conditions })
    }

    /// IN of a subquery as a value.
    pub(super) fn in_subquery(
        &mut self,
        operand: &ast::Expr,
        q: &Query,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        if self.subqueries.is_none() || cx.inside_aggregate {
            return Err(Error::unsupported(format!("IN of a subquery in the {}", cx.clause), at));
        }
        let Membership { values, rel, conditions } = self.membership(operand, q, at, cx)?;
        let (own, around) = equalities(&conditions)?;
        let columns: Vec<Expr> =
            (0..values.len()).map(|n| Expr::column(n, rel.schema.ty(n).clone(), at)).collect();
        let may_be_null = |side: &[Expr]| side.iter().any(|e| e.ty.nullable);
        if values.len() > 1 && (may_be_null(&values) || may_be_null(&columns)) {
            let text = "IN of a subquery of several columns that may be NULL, inside an expression";
            return Err(Error::unsupported(text, at).hint("as a part of WHERE, joined by AND, it is there"));
        }
        let read = columns.iter().chain(&own).cloned().collect();
        let keys = values.iter().chain(&around).cloned().collect();
        let matched = self.has_row(rel.clone(), read, keys, at)?;
        let mut branches = vec![(matched, literal::boolean(true, at))];
        let null = literal::null(TypeKind::Boolean.nullable(), at);
        if may_be_null(&values) {
            let missing = self.call_bound("IS NULL", vec![values[0].clone()], at)?;
            let any = self.has_row(rel.clone(), own.clone(), around.clone(), at)?;
            branches.push((logic(true, vec![missing, any], at), null.clone()));
        }
        if may_be_null(&columns) {
            let missing = self.call_bound("IS NULL", vec![columns[0].clone()], at)?;
            let any = self.has_row(rel.filter(missing), own, around, at)?;
            branches.push((any, null));
        }
        self.case_of(branches, literal::boolean(false, at), at)
    }

    /// EXISTS of a subquery that reads the query around, as a value: `conditions` are over the columns of `rel` and those around.
    pub(super) fn exists_correlated(&mut self, rel: Rel, conditions: &[Expr], at: Span) -> Result<Expr> {
        let (own, around) = equalities(conditions)?;
        self.has_row(rel, own, around, at)
    }

    /// A row of `rel` has these `columns` (over it) where the query around has `keys`.
    fn has_row(&mut self, rel: Rel, columns: Vec<Expr>, keys: Vec<Expr>, at: Span) -> Result<Expr> {
        if columns.is_empty() {
            return self.exists_value(rel, at);
        }
        let names: Vec<String> = (0..columns.len()).map(|n| format!("key{n}")).collect();
        let rows = rel.project(columns, names.clone(), at).distinct(at);
        let mut exprs: Vec<Expr> =
            (0..names.len()).map(|n| Expr::column(n, rows.schema.ty(n).clone(), at)).collect();
        exprs.push(literal::boolean(true, at));
        let names = names.into_iter().chain(["i".into()]).collect();
        let found = self.note_subquery(Subquery { rel: rows.project(exprs, names, at), keys }, at);
        self.call_bound("IS NOT NULL", vec![found], at)
    }

    /// The condition of a semi join, or of an anti join, with the rows of IN, over the columns of both sides, the left ones being `width`.
    pub(super) fn membership_condition(
        &mut self,
        of: &Membership,
        anti: bool,
        width: usize,
        at: Span,
    ) -> Result<Expr> {
        let place = |c: usize| if c >= OUTER { c - OUTER } else { c + width };
        let mut parts = vec![];
        for (n, value) in of.values.iter().enumerate() {
            let column = Expr::column(width + n, of.rel.schema.ty(n).clone(), at);
            let mut tests = vec![];
            for side in [value, &column] {
                // NULLs make NOT IN unknown.
                if anti && side.ty.nullable {
                    tests.push(self.call_bound("IS NULL", vec![side.clone()], at)?);
                }
            }
            tests.push(self.call_bound("=", vec![value.clone(), column], at)?);
            parts.push(if tests.len() == 1 { tests.remove(0) } else { logic(false, tests, at) });
        }
        for condition in &of.conditions {
            let mut condition = condition.clone();
            condition.map_columns(&place);
            parts.push(condition);
        }
        Ok(all_of(parts, at))
    }
}

/// The sides of equalities between a subquery and the query around it: those over the subquery, and those over the columns around.
fn equalities(conditions: &[Expr]) -> Result<(Vec<Expr>, Vec<Expr>)> {
    let sides = conditions.iter().map(|e| {
        equality(e).ok_or_else(|| {
            Error::unsupported("a subquery inside an expression that is not correlated by equality", e.span)
                .hint("as a part of WHERE, joined by AND, it is there")
        })
    });
    Ok(sides.collect::<Result<Vec<_>>>()?.into_iter().unzip())
}

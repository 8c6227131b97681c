//! `LATERAL (SELECT …)` in FROM: a join with the rows that a subquery has for each row of the left side.
//!
//! What the subquery's WHERE reads of the left side becomes the join's condition; the columns of its own that those conditions read ride
//! along behind its select list and end at the join. With ORDER BY and LIMIT the conditions must be equalities: it is the Top-N of each
//! of their keys then, and NULL a key like any other. As in Flink the left side must have one row a key for that.

use super::Binder;
use super::query::{Order, rename, row_count, unique};
use super::scope::Scope;
use super::subquery::{Correlated, OUTER, Purpose, equality, stands_in};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelKind};
use crate::sql::ast::{Query, QueryBodyKind, TableFactor};

/// The right side of a lateral join.
pub(super) struct Lateral {
    /// Its columns, then those that only the conditions read.
    pub(super) rel: Rel,
    /// The names of its columns.
    pub(super) scope: Scope,
    /// How many have names.
    pub(super) visible: usize,
    /// Over its columns and, from [`OUTER`], those of the left side.
    pub(super) conditions: Vec<Expr>,
}

impl Binder<'_> {
    /// Binds `LATERAL (q)` behind `left`.
    pub(super) fn lateral(
        &mut self,
        f: &TableFactor,
        q: &Query,
        left: &Rel,
        scope: &Scope,
    ) -> Result<Lateral> {
        let extra = [f.match_recognize.is_some(), f.pivot.is_some(), f.unpivot.is_some(), f.sample.is_some()];
        if extra.contains(&true) {
            return Err(Error::unsupported("what follows a LATERAL subquery", f.span));
        }
        let QueryBodyKind::Select(select) = &q.body.kind else {
            return Err(Error::unsupported("a LATERAL subquery that is not one SELECT", q.span));
        };
        if !q.with.is_empty() {
            return Err(Error::unsupported("WITH in a LATERAL subquery", q.span));
        }
        let (rel, correlated) =
            self.inside(scope, Purpose::Lateral, |binder| binder.select(select, &q.order_by))?;
        let (mut rel, visible, conditions) = match correlated {
            Some(Correlated::Lateral { conditions, visible, order }) => {
                let (rel, conditions) = self.of_each_row(rel, q, conditions, order, left)?;
                (rel, visible, conditions)
            }
            _ => {
                let rel = self.limit(rel, q)?;
                let visible = rel.schema.len();
                (rel, visible, vec![])
            }
        };
        let hidden = rel.schema.fields.split_off(visible);
        let mut name = vec![];
        if let Some(alias) = &f.alias {
            rename(&mut rel, &alias.columns, &format!("the alias '{}'", alias.name))?;
            name.push(alias.name.name.clone());
        }
        let scope = Scope::of(&rel.schema, name);
        rel.schema.fields.extend(hidden);
        Ok(Lateral { rel, scope, visible, conditions })
    }

    /// Top-N by key, where ORDER BY and LIMIT say so.
    fn of_each_row(
        &mut self,
        rel: Rel,
        q: &Query,
        conditions: Vec<Expr>,
        order: Order,
        left: &Rel,
    ) -> Result<(Rel, Vec<Expr>)> {
        if q.limit.is_none() && q.offset.is_none() {
            return Ok((rel, conditions));
        }
        let mut pairs = vec![];
        for e in &conditions {
            pairs.push(equal_columns(e).ok_or_else(|| {
                Error::unsupported(
                    "LIMIT in a LATERAL subquery that is not correlated by equal columns",
                    e.span,
                )
            })?);
        }
        let outside: Vec<usize> = pairs.iter().map(|p| p.1).collect();
        if !is_unique(left, &outside) {
            let message = "a LATERAL subquery with LIMIT needs a left side that has one row for each value it is correlated by";
            return Err(Error::planning(message, q.span)
                .hint("read SELECT DISTINCT of those columns on its left, and join the rest behind it"));
        }
        let offset = q.offset.as_ref().map(row_count).transpose()?.unwrap_or(0);
        let Some(fetch) = q.limit.as_ref().map(row_count).transpose()? else {
            return Err(Error::unsupported("OFFSET without LIMIT in a LATERAL subquery", q.span));
        };
        if order.keys.is_empty() {
            return Err(Error::unsupported("LIMIT without ORDER BY in a LATERAL subquery", q.span));
        }
        let mut same = vec![];
        for (own, outer) in &pairs {
            let column = Expr::column(*own, rel.schema.ty(*own).clone(), q.span);
            let around = Expr::column(OUTER + outer, left.schema.ty(*outer).clone(), q.span);
            same.push(self.call_bound("IS NOT DISTINCT FROM", vec![column, around], q.span)?);
        }
        let (schema, span) = (rel.schema.clone(), rel.span);
        let kind = RelKind::Rank {
            input: Box::new(rel),
            partition: pairs.iter().map(|p| p.0).collect(),
            order: order.keys,
            range: (offset + 1, offset.saturating_add(fetch)),
            number: false,
            limit: false,
            window: None,
        };
        Ok((Rel { kind, schema, span }, same))
    }

    /// What the SELECT of a subquery of LATERAL or IN comes to whose WHERE reads the left side: its items, what it is ordered by, and what the
    /// conditions read.
    pub(super) fn lateral_select(
        &mut self,
        rel: Rel,
        mut conditions: Vec<Expr>,
        items: Vec<(Expr, String)>,
        mut order: Order,
        span: Span,
    ) -> Result<Rel> {
        let visible = items.len();
        let (mut exprs, mut names): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        exprs.append(&mut order.hidden);
        if let Some(e) = exprs.iter().chain(&conditions).find(|e| stands_in(e)) {
            return Err(Error::unsupported(
                "a subquery inside a correlated subquery of LATERAL or IN",
                e.span,
            ));
        }
        let first = exprs.len();
        let mut own: Vec<usize> = vec![];
        let mut note = |c: usize| {
            if c < OUTER && !own.contains(&c) {
                own.push(c);
            }
        };
        conditions.iter().for_each(|e| e.for_each_column(&mut note));
        exprs.extend(own.iter().map(|&c| Expr::column(c, rel.schema.ty(c).clone(), span)));
        names.extend((visible..exprs.len()).map(|n| format!("$lateral{n}")));
        let place = |c: usize| match own.iter().position(|&o| o == c) {
            Some(at) => first + at,
            None => c,
        };
        conditions.iter_mut().for_each(|e| e.map_columns(&place));
        self.correlated = Some(Correlated::Lateral { conditions, visible, order });
        Ok(rel.project(exprs, unique(names), span))
    }
}

/// `own = outer` of two columns.
fn equal_columns(e: &Expr) -> Option<(usize, usize)> {
    let (own, outer) = equality(e)?;
    match (own.kind, outer.kind) {
        (ExprKind::Column(own), ExprKind::Column(outer)) => Some((own, outer)),
        _ => None,
    }
}

/// No two rows are the same in these columns, as far as the plan tells.
fn is_unique(rel: &Rel, columns: &[usize]) -> bool {
    match &rel.kind {
        RelKind::Aggregate { keys, .. } => (0..keys.len()).all(|k| columns.contains(&k)),
        RelKind::Filter { input, .. } | RelKind::Sort { input, .. } | RelKind::Limit { input, .. } => {
            is_unique(input, columns)
        }
        RelKind::Project { input, exprs } => {
            let below: Vec<usize> = columns
                .iter()
                .filter_map(|&c| match exprs.get(c)?.kind {
                    ExprKind::Column(from) => Some(from),
                    _ => None,
                })
                .collect();
            is_unique(input, &below)
        }
        _ => false,
    }
}

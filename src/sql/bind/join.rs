//! Joins in FROM: by ON, by USING and NATURAL, with what a LATERAL subquery has for each row.
//!
//! **USING** compares columns of one name, and adds a column that is the key of whichever side has the row; it stands before all others
//! in `*`, where those it was made of are left out. Each of them is still there by its table's name.

use super::Binder;
use super::expr::ExprContext;
use super::lateral::Lateral;
use super::scope::{Relation, Scope};
use super::subquery::{OUTER, all_of};
use super::unnest::Elements;
use crate::error::{Error, Result, Span};
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Rel, RelKind};
use crate::sql::ast::{self, Ident, Join, JoinCondition, TableSource};

/// A column that both sides of a join have.
struct Common {
    name: String,
    left: Expr,
    right: Expr,
}

/// Whether a join of `what`, which reads the left side, keeps the rows for which it has nothing.
pub(super) fn keeps_left(join: &Join, what: &str) -> Result<bool> {
    match join.kind {
        ast::JoinKind::Right | ast::JoinKind::Full => {
            let message = format!("{what} reads the left side: RIGHT and FULL joins cannot be made of it");
            Err(Error::validation(message, join.span))
        }
        kind => Ok(kind == ast::JoinKind::Left),
    }
}

/// The condition of a join of `what`, which is joined by no names.
pub(super) fn on_clause<'a>(join: &'a Join, what: &str) -> Result<Option<&'a ast::Expr>> {
    match &join.condition {
        Some(JoinCondition::On(e)) => Ok(Some(e)),
        None if !join.natural => Ok(None),
        _ => Err(Error::unsupported(format!("USING and NATURAL with {what}"), join.span)),
    }
}

impl Binder<'_> {
    /// One join of a FROM clause behind what stands before it.
    pub(super) fn join(&mut self, left: Rel, mut scope: Scope, join: &Join) -> Result<(Rel, Scope)> {
        if matches!(join.kind, ast::JoinKind::AsOf | ast::JoinKind::LeftAsOf) {
            return Err(Error::unsupported("ASOF JOIN", join.span));
        }
        if let TableSource::Table(t) = &join.right.source
            && let Some(time) = &t.as_of
        {
            return Err(self.refuse_version(t, time, &scope, join.right.span)?);
        }
        if let TableSource::Function { call, .. } = &join.right.source
            && let Some(function) = self.registry.table(&call.name.to_string()).cloned()
        {
            return self.correlate(left, scope, join, call, &*function);
        }
        if let Some(of) = Elements::of(&join.right) {
            return self.unnest_join(left, scope, join, of?);
        }
        let lateral = match &join.right.source {
            TableSource::Subquery { lateral: true, query } => {
                keeps_left(join, "a LATERAL subquery")?;
                self.lateral(&join.right, query, &left, &scope)?
            }
            _ => {
                let (rel, scope) = self.factor(&join.right)?;
                Lateral { visible: rel.schema.len(), rel, scope, conditions: vec![] }
            }
        };
        let Lateral { rel: right, scope: right_scope, visible, conditions } = lateral;
        let kind = match join.kind {
            ast::JoinKind::Left => JoinKind::Left,
            ast::JoinKind::Right => JoinKind::Right,
            ast::JoinKind::Full => JoinKind::Full,
            _ => JoinKind::Inner,
        };
        let offset = left.schema.len();
        let optional = |relations: &mut [Relation]| {
            relations.iter_mut().flat_map(|r| &mut r.columns).for_each(|c| c.1.nullable = true);
        };
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            optional(&mut scope.relations);
        }
        let mut relations = right_scope.relations;
        relations.iter_mut().for_each(|r| r.first += offset);
        if matches!(kind, JoinKind::Left | JoinKind::Full) {
            optional(&mut relations);
        }
        let common = match &join.condition {
            Some(JoinCondition::Using(names)) => common(names, &scope, &relations)?,
            None if join.natural => {
                let of_right = |name: &str| relations.iter().any(|r| r.columns.iter().any(|c| c.0 == name));
                let shared = scope.columns().filter(|c| of_right(c.1));
                let names: Vec<Ident> =
                    shared.map(|c| Ident { name: c.1.to_owned(), quoted: true, span: join.span }).collect();
                common(&names, &scope, &relations)?
            }
            _ => vec![],
        };
        scope.add(relations, join.right.span)?;
        let place = |c: usize| if c >= OUTER { c - OUTER } else { c + offset };
        let mut tests = vec![];
        for mut e in conditions {
            e.map_columns(&place);
            tests.push(e);
        }
        if let Some(JoinCondition::On(e)) = &join.condition {
            tests.push(self.condition(e, &mut ExprContext::plain(&scope, "ON clause"))?);
        }
        for c in &common {
            tests.push(self.call_bound("=", vec![c.left.clone(), c.right.clone()], join.span)?);
        }
        let condition = (!tests.is_empty()).then(|| all_of(tests, join.span));
        let mut rel = left.join(kind, right, condition, join.span);
        if rel.schema.len() > offset + visible {
            rel = rel.project_columns(&(0..offset + visible).collect::<Vec<_>>());
        }
        if common.is_empty() { Ok((rel, scope)) } else { self.merge(rel, scope, kind, common) }
    }

    /// Adds the columns of USING to a join.
    fn merge(
        &mut self,
        rel: Rel,
        mut scope: Scope,
        kind: JoinKind,
        common: Vec<Common>,
    ) -> Result<(Rel, Scope)> {
        let (at, width) = (rel.span, rel.schema.len());
        let column = |n: usize| Expr::column(n, rel.schema.ty(n).clone(), at);
        let (mut exprs, mut names): (Vec<Expr>, Vec<String>) =
            rel.schema.fields.iter().enumerate().map(|(n, f)| (column(n), f.name.clone())).unzip();
        let mut merged = Relation { name: vec![], columns: vec![], first: width, unnamed: vec![] };
        for c in common {
            let sides = [c.left, c.right].map(|e| match e.kind {
                crate::expr::ExprKind::Column(n) => n,
                _ => unreachable!("names of columns are resolved to columns"),
            });
            scope.hide(&sides);
            let [left, right] = sides.map(column);
            let key = match kind {
                JoinKind::Right => right,
                JoinKind::Full => self.coalesce(vec![left, right], at)?,
                _ => left,
            };
            merged.columns.push((c.name.clone(), key.ty.clone()));
            exprs.push(key);
            names.push(c.name);
        }
        scope.relations.insert(0, merged);
        Ok((rel.project(exprs, names, at), scope))
    }

    /// Why the version of a table at a time cannot be joined: what Flink has against it, or that it is not here.
    fn refuse_version(
        &mut self,
        table: &ast::TableName,
        time: &ast::Expr,
        scope: &Scope,
        at: Span,
    ) -> Result<Error> {
        let time = self.expr(time, &mut ExprContext::plain(scope, "FOR SYSTEM_TIME AS OF"))?;
        let (right, _) = self.table(&table.name, &table.hints, at)?;
        let needs = "the version of a table at an event time needs a primary key and a row time attribute in that table";
        let missing = if !time.ty.is_rowtime() {
            None
        } else if !right.schema.fields.iter().any(|f| f.ty.is_rowtime()) {
            Some(("no row time attribute", "declare WATERMARK FOR its time column"))
        } else if matches!(&right.kind, RelKind::Scan(scan) if scan.table.primary_key.is_empty()) {
            Some(("no primary key", "declare PRIMARY KEY (…) NOT ENFORCED"))
        } else {
            None
        };
        Ok(match missing {
            Some((what, hint)) => {
                Error::validation(format!("{needs}: '{}' has {what}", table.name), at).hint(hint)
            }
            None => Error::unsupported("FOR SYSTEM_TIME AS OF (a temporal join)", time.span),
        })
    }
}

/// The columns of these names on both sides.
fn common(names: &[Ident], left: &Scope, right: &[Relation]) -> Result<Vec<Common>> {
    let right = Scope { relations: right.to_vec() };
    let of = |scope: &Scope, side: &str, name: &Ident| {
        scope.column(name)?.ok_or_else(|| {
            Error::validation(
                format!("column '{name}' of USING is not on the {side} side of the join"),
                name.span,
            )
        })
    };
    names
        .iter()
        .map(|n| {
            Ok(Common { name: n.name.clone(), left: of(left, "left", n)?, right: of(&right, "right", n)? })
        })
        .collect()
}

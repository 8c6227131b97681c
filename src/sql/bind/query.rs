//! Queries: WITH, SELECT, VALUES, ORDER BY, LIMIT.

use super::aggregate::AggregateUse;
use super::coerce;
use super::expr::ExprContext;
use super::over::OverUse;
use super::scope::Scope;
use super::subquery::Outer;
use super::{Binder, literal, subquery};
use crate::batch::{Column, DataType, Field, Schema, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::SortKey;
use crate::plan::logical::{Rel, RelKind, same_expr};
use crate::sql::ast::{
    self, ExprKind as Ast, Ident, LiteralKind, NumberKind, OrderItem, Query, QueryBody, QueryBodyKind,
    Select, SelectItem, ValuesRow,
};
use std::collections::HashSet;

impl Binder<'_> {
    /// A whole query.
    pub(crate) fn query(&mut self, q: &Query) -> Result<Rel> {
        let outer = self.ctes.len();
        let result = self.with_and_body(q);
        self.ctes.truncate(outer);
        let rel = result?;
        self.check_size(&rel, q.span)?;
        Ok(rel)
    }

    fn with_and_body(&mut self, q: &Query) -> Result<Rel> {
        for cte in &q.with {
            let mut rel = self.query(&cte.query)?;
            rename(&mut rel, &cte.columns, &format!("common table expression '{}'", cte.name))?;
            self.ctes.push((cte.name.name.clone(), rel));
        }
        let rel = match &q.body.kind {
            QueryBodyKind::Select(select) => self.select(select, &q.order_by)?,
            _ => {
                let rel = self.body(&q.body)?;
                self.order_output(rel, &q.order_by)?
            }
        };
        self.limit(rel, q)
    }

    /// A query without what may stand around it.
    pub(super) fn body(&mut self, body: &QueryBody) -> Result<Rel> {
        match &body.kind {
            QueryBodyKind::Select(select) => self.select(select, &[]),
            QueryBodyKind::Values(rows) => self.values(rows, body.span),
            QueryBodyKind::Table(name) => Ok(self.table(name, &[], body.span)?.0),
            QueryBodyKind::Nested(query) => self.query(query),
            QueryBodyKind::SetOperation { first, rest } => self.set_operations(first, rest),
        }
    }

    pub(super) fn select(&mut self, s: &Select, order_by: &[OrderItem]) -> Result<Rel> {
        let outer = (self.group_window.take(), std::mem::take(&mut self.grouping));
        let (around, subqueries) = (self.outer.take(), self.subqueries.take());
        let rel = self.select_alone(s, order_by, around);
        (self.group_window, self.grouping) = outer;
        (self.outer, self.subqueries) = (None, subqueries);
        rel
    }

    /// Without the window of a query around.
    fn select_alone(&mut self, s: &Select, order_by: &[OrderItem], around: Option<Outer>) -> Result<Rel> {
        refuse_clauses(s)?;
        let (mut rel, scope) = match &s.from {
            Some(from) => self.from(from)?,
            None => (Rel::one_row(s.span), Scope::default()),
        };
        let ttls = state_ttls(s, &scope)?;
        let hidden_row = s.from.is_none();
        (self.outer, self.subqueries) = (around, Some(vec![]));
        let mut correlated = vec![];
        if let Some(filter) = &s.filter {
            (rel, correlated) = self.where_clause(rel, filter, &scope)?;
        }
        if let Some(outer) = &mut self.outer {
            outer.end_where();
        }
        let mut keys = match &s.group_by {
            Some(g) => self.group_keys(g, &mut ExprContext::plain(&scope, "GROUP BY clause"))?,
            None => vec![],
        };
        if let Some(key) = keys.iter().find(|k| subquery::stands_in(k)) {
            return Err(Error::unsupported("a subquery in GROUP BY", key.span));
        }
        let mut uses: Vec<AggregateUse> = vec![];
        let mut overs: Vec<OverUse> = vec![];
        let mut cx = ExprContext {
            scope: &scope,
            clause: "SELECT list",
            aggregates: Some(&mut uses),
            keys: keys.len(),
            inside_aggregate: false,
            over: Some(&mut overs),
            windows: &s.windows,
        };
        let mut items = self.select_items(&s.items, &mut cx)?;
        cx.clause = "HAVING clause";
        let over = cx.over.take();
        let mut having = s.having.as_ref().map(|h| self.condition(h, &mut cx)).transpose()?;
        cx.over = over;
        cx.clause = "QUALIFY clause";
        let mut qualify = s.qualify.as_ref().map(|q| self.condition(q, &mut cx)).transpose()?;
        cx.clause = "ORDER BY clause";
        let distinct = s.quantifier == Some(ast::SetQuantifier::Distinct);
        let mut order = self.order_keys(order_by, &items, &mut cx)?;
        if let Some(e) = uses.iter_mut().flat_map(AggregateUse::exprs_mut).find(|e| subquery::stands_in(e)) {
            return Err(Error::unsupported("a subquery inside an aggregate", e.span));
        }
        if !correlated.is_empty() {
            let is_plain = s.group_by.is_none()
                && (having.is_none() && qualify.is_none() && overs.is_empty())
                && !distinct
                && s.from.is_some();
            if self.outer.as_ref().is_some_and(Outer::wants_rows) {
                if !is_plain || !uses.is_empty() {
                    let what = "a correlated subquery of LATERAL or IN with GROUP BY, DISTINCT, aggregates or windows";
                    return Err(Error::unsupported(what, s.span));
                }
                return self.lateral_select(rel, correlated, items, order, s.span);
            }
            return self.correlated_select(rel, &scope, correlated, is_plain, items, uses, s.span);
        }

        if s.group_by.is_some() || having.is_some() || !uses.is_empty() {
            let mut exprs: Vec<&mut Expr> = items.iter_mut().map(|i| &mut i.0).collect();
            exprs.extend(having.as_mut());
            exprs.extend(order.hidden.iter_mut());
            exprs.extend(qualify.as_mut());
            exprs.extend(overs.iter_mut().flat_map(OverUse::exprs_mut));
            if hidden_row {
                debug_assert!(scope.len() == 0);
                shift_columns(&mut exprs, 1);
            }
            if let Some(window) = self.group_window.take() {
                self.refuse_sets(s.span)?;
                rel = self.apply_group_window(window, rel, &mut keys, &mut exprs);
            }
            rel = self.group(rel, &keys, uses, &mut exprs, s.span)?;
            if let ([only], [relation]) = (ttls.as_slice(), scope.relations.as_slice())
                && only.0 == relation.short_name()
            {
                rel.set_state_ttl(only.1);
            }
            rel = self.attach(rel, &mut exprs)?;
            if let Some(having) = having {
                rel = rel.filter(having);
            }
        }
        let mut exprs: Vec<&mut Expr> = items.iter_mut().map(|i| &mut i.0).collect();
        exprs.extend(order.hidden.iter_mut());
        exprs.extend(qualify.as_mut());
        exprs.extend(overs.iter_mut().flat_map(OverUse::exprs_mut));
        rel = self.attach(rel, &mut exprs)?;
        if let (Some(q), true) = (&s.qualify, overs.is_empty()) {
            return Err(Error::validation("QUALIFY filters by a window function, and there is none", q.span)
                .hint("a condition on the rows themselves belongs into WHERE"));
        }
        let mut exprs: Vec<&mut Expr> = items.iter_mut().map(|i| &mut i.0).collect();
        exprs.extend(order.hidden.iter_mut());
        exprs.extend(qualify.as_mut());
        rel = self.over(rel, overs, &mut exprs);
        if let Some(qualify) = qualify {
            rel = rel.filter(qualify);
        }
        let visible = items.len();
        if distinct && let Some(e) = order.hidden.first() {
            return Err(Error::validation(
                format!("'{}' is not in the select list", self.text(e.span)),
                e.span,
            )
            .hint("SELECT DISTINCT is ordered by what it selects"));
        }
        let (mut exprs, mut names): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        names.extend((0..order.hidden.len()).map(|i| format!("$order{i}")));
        exprs.append(&mut order.hidden);
        let mut rel = rel.project(exprs, unique(names), s.span);
        if distinct {
            rel = rel.distinct(s.span);
        }
        if !order.keys.is_empty() {
            rel = sort(rel, order.keys, order.span);
        }
        if rel.schema.len() > visible {
            rel = rel.project_columns(&(0..visible).collect::<Vec<_>>());
        }
        Ok(rel)
    }

    fn select_items(
        &mut self,
        items: &[SelectItem],
        cx: &mut ExprContext<'_>,
    ) -> Result<Vec<(Expr, String)>> {
        let mut out: Vec<(Expr, String)> = vec![];
        for item in items {
            if let Ast::Star(of) = &item.expr.kind {
                let at = item.expr.span;
                match of {
                    None if cx.scope.relations.is_empty() => {
                        return Err(Error::validation("SELECT * needs a FROM clause", at));
                    }
                    None => out.extend(
                        cx.scope
                            .columns()
                            .map(|(n, name, ty)| (Expr::column(n, ty.clone(), at), name.to_owned())),
                    ),
                    Some(name) => {
                        let r = cx.scope.relation(name)?;
                        out.extend(r.columns.iter().enumerate().map(|(i, (name, ty))| {
                            (Expr::column(r.first + i, ty.clone(), at), name.clone())
                        }));
                    }
                }
                continue;
            }
            let bound = self.expr(&item.expr, cx)?;
            if bound.ty.kind == TypeKind::Null {
                return Err(Error::validation("NULL has no type here", bound.span)
                    .hint("give it one: CAST(NULL AS INT)"));
            }
            let name = match (&item.alias, &item.expr.kind) {
                (Some(alias), _) => alias.name.clone(),
                (None, Ast::Name(name)) => name.last().name.clone(),
                _ => format!("EXPR${}", out.len()),
            };
            out.push((bound, name));
        }
        Ok(out)
    }

    // ---- ORDER BY and LIMIT

    /// Keys over the select list and hidden columns behind it.
    fn order_keys(
        &mut self,
        order_by: &[OrderItem],
        items: &[(Expr, String)],
        cx: &mut ExprContext<'_>,
    ) -> Result<Order> {
        let mut order = Order::default();
        for item in order_by {
            let at = item.expr.span;
            order.span = if order.keys.is_empty() { at } else { order.span.to(at) };
            let column =
                match output_column(&item.expr, items.len(), |name| items.iter().position(|i| i.1 == *name))?
                {
                    Some(column) => column,
                    None => {
                        let bound = self.expr(&item.expr, cx)?;
                        let known = items.iter().map(|i| &i.0).chain(&order.hidden);
                        match known.into_iter().position(|e| same_expr(e, &bound)) {
                            Some(column) => column,
                            None => {
                                order.hidden.push(bound);
                                items.len() + order.hidden.len() - 1
                            }
                        }
                    }
                };
            order.keys.push(sort_key(item, column));
        }
        Ok(order)
    }

    /// ORDER BY of what has no scope of its own: output columns alone, and expressions over them.
    fn order_output(&mut self, rel: Rel, order_by: &[OrderItem]) -> Result<Rel> {
        if order_by.is_empty() {
            return Ok(rel);
        }
        let visible = rel.schema.len();
        let scope = Scope::of(&rel.schema, vec![]);
        let items: Vec<(Expr, String)> = scope
            .columns()
            .map(|(n, name, ty)| (Expr::column(n, ty.clone(), rel.span), name.to_owned()))
            .collect();
        let mut cx = ExprContext::plain(&scope, "ORDER BY clause");
        let mut order = self.order_keys(order_by, &items, &mut cx)?;
        if order.hidden.is_empty() {
            return Ok(sort(rel, order.keys, order.span));
        }
        let (mut exprs, mut names): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        names.extend((0..order.hidden.len()).map(|i| format!("$order{i}")));
        exprs.append(&mut order.hidden);
        let at = rel.span;
        let sorted = sort(rel.project(exprs, names, at), order.keys, order.span);
        Ok(sorted.project_columns(&(0..visible).collect::<Vec<_>>()))
    }

    pub(super) fn limit(&mut self, rel: Rel, q: &Query) -> Result<Rel> {
        let offset = q.offset.as_ref().map(row_count).transpose()?.unwrap_or(0);
        let fetch = q.limit.as_ref().map(row_count).transpose()?;
        if offset == 0 && fetch.is_none() {
            return Ok(rel);
        }
        let span = [&q.offset, &q.limit].into_iter().flatten().map(|e| e.span).reduce(Span::to);
        let schema = rel.schema.clone();
        let span = span.unwrap_or(q.span);
        Ok(Rel { kind: RelKind::Limit { input: Box::new(rel), offset, fetch }, schema, span })
    }

    // ---- VALUES

    fn values(&mut self, rows: &[ValuesRow], at: Span) -> Result<Rel> {
        let scope = Scope::default();
        let mut cx = ExprContext::plain(&scope, "VALUES clause");
        let width = rows[0].values.len();
        let mut bound: Vec<Vec<Expr>> = Vec::with_capacity(rows.len());
        for row in rows {
            if row.values.len() != width {
                return Err(Error::validation(
                    format!("this row has {} values, the first has {width}", row.values.len()),
                    row.span,
                ));
            }
            let values = row
                .values
                .iter()
                .map(|v| {
                    let e = self.expr(v, &mut cx)?;
                    if e.ty.kind == TypeKind::Null {
                        return Err(Error::validation("NULL has no type in VALUES", e.span)
                            .hint("give it one: CAST(NULL AS INT)"));
                    }
                    Ok(e)
                })
                .collect::<Result<Vec<_>>>()?;
            bound.push(values);
        }
        let mut fields = vec![];
        for c in 0..width {
            let types: Vec<&DataType> = bound.iter().map(|r| &r[c].ty).collect();
            let ty = coerce::common_type(&types).ok_or_else(|| {
                let odd = bound.iter().find(|r| coerce::common_type(&[types[0], &r[c].ty]).is_none());
                let (ty, span) = odd.map_or((types[0].clone(), at), |r| (r[c].ty.clone(), r[c].span));
                Error::validation(
                    format!("column {} of VALUES mixes {} and {}", c + 1, types[0].kind, ty.kind),
                    span,
                )
                .hint("cast the values to one type")
            })?;
            fields.push(Field::new(format!("EXPR${c}"), ty));
        }
        let schema = Schema::new(fields);
        for row in &mut bound {
            for (e, f) in row.iter_mut().zip(&schema.fields) {
                let to = f.ty.clone().with_nullable(e.ty.nullable);
                let value = std::mem::replace(e, literal::int(0, at));
                *e = self.cast_to(value, &to)?;
            }
        }
        Ok(rows_of(bound, schema, at))
    }
}

/// Rows of bound values: constant columns where all are literals, else one projection a row.
fn rows_of(rows: Vec<Vec<Expr>>, schema: Schema, at: Span) -> Rel {
    let literal = |e: &Expr| match &e.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        _ => None,
    };
    let mut columns: Vec<Column> = schema.fields.iter().map(|f| Column::new(&f.ty)).collect();
    let mut constant = true;
    for row in &rows {
        for (e, column) in row.iter().zip(&mut columns) {
            match literal(e) {
                Some(value) => column.extend_rows(&value, &[0]),
                None => constant = false,
            }
        }
    }
    if constant {
        let columns = columns.into_iter().map(crate::batch::ColumnRef::new).collect();
        return Rel { kind: RelKind::Values { columns }, schema, span: at };
    }
    let names: Vec<String> = schema.fields.iter().map(|f| f.name.clone()).collect();
    let mut inputs: Vec<Rel> =
        rows.into_iter().map(|r| Rel::one_row(at).project(r, names.clone(), at)).collect();
    for rel in &mut inputs {
        rel.schema = schema.clone();
    }
    if inputs.len() == 1 {
        return inputs.remove(0);
    }
    Rel { kind: RelKind::Union { inputs }, schema, span: at }
}

/// What rows are ordered by: columns of a select list, and behind it the hidden ones.
#[derive(Default)]
pub(crate) struct Order {
    pub(super) keys: Vec<SortKey>,
    pub(super) hidden: Vec<Expr>,
    pub(super) span: Span,
}

/// STATE_TTL('t' = '1 d'): the names of the relations, and how long (ms) state made of their rows is kept.
fn state_ttls(s: &Select, scope: &Scope) -> Result<Vec<(String, i64)>> {
    let mut out = vec![];
    for hint in s.hints.iter().filter(|h| h.name.name.eq_ignore_ascii_case("STATE_TTL")) {
        let ast::HintArgs::Options(options) = &hint.args else {
            return Err(Error::validation("STATE_TTL takes 'table' = 'duration' pairs", hint.span));
        };
        for o in options {
            let known: Vec<&str> = scope.relations.iter().map(|r| r.short_name()).collect();
            if !known.contains(&o.key.as_str()) {
                let message = format!("STATE_TTL of '{}', which is no table of this FROM", o.key);
                return Err(Error::validation(message, o.span)
                    .hint(format!("it names a table or its alias: {}", known.join(", "))));
            }
            let Some(ms) = crate::plan::settings::duration_ms(&o.value) else {
                return Err(Error::planning(format!("'{}' is no duration", o.value), o.span)
                    .hint("write '1 d', '10 min', '30 s'"));
            };
            out.push((o.key.clone(), ms));
        }
    }
    if scope.relations.len() > 1
        && let Some(hint) = s.hints.iter().find(|h| h.name.name.eq_ignore_ascii_case("STATE_TTL"))
    {
        return Err(Error::unsupported("the hint STATE_TTL of a join", hint.span));
    }
    Ok(out)
}

fn refuse_clauses(s: &Select) -> Result<()> {
    for hint in &s.hints {
        match hint.name.name.to_uppercase().as_str() {
            // How Flink's batch jobs join; the rows are the same.
            "BROADCAST" | "SHUFFLE_HASH" | "SHUFFLE_MERGE" | "NEST_LOOP" => {}
            "STATE_TTL" => {}
            "LOOKUP" => {
                return Err(Error::unsupported(format!("the hint {}", hint.name), hint.span));
            }
            _ => {
                return Err(Error::planning(format!("there is no hint {}", hint.name), hint.span)
                    .hint("STATE_TTL, LOOKUP and the ways to join are hints behind SELECT, OPTIONS is one behind a table"));
            }
        }
    }
    super::over::check_names(&s.windows)
}

/// Columns behind an input's own move when the input has a column that no name reaches.
fn shift_columns(exprs: &mut [&mut Expr], by: usize) {
    exprs.iter_mut().for_each(|e| e.map_columns(&|n| if n >= super::grouping::FIRST { n } else { n + by }));
}

fn sort(rel: Rel, keys: Vec<SortKey>, span: Span) -> Rel {
    let schema = rel.schema.clone();
    Rel { kind: RelKind::Sort { input: Box::new(rel), keys }, schema, span }
}

pub(super) fn sort_key(item: &OrderItem, column: usize) -> SortKey {
    SortKey {
        column,
        descending: item.descending,
        // NULLs are the smallest values.
        nulls_first: item.nulls_first.unwrap_or(!item.descending),
    }
}

/// An ordinal (`ORDER BY 2`) or an alias.
fn output_column(
    e: &ast::Expr,
    columns: usize,
    by_name: impl Fn(&String) -> Option<usize>,
) -> Result<Option<usize>> {
    match &e.kind {
        Ast::Literal(l) => match &l.kind {
            LiteralKind::Number(n) if n.kind == NumberKind::Integer => match n.text.parse::<usize>() {
                Ok(n) if (1..=columns).contains(&n) => Ok(Some(n - 1)),
                _ => Err(Error::validation(
                    format!("ORDER BY {}: there are {columns} columns", n.text),
                    e.span,
                )),
            },
            _ => Ok(None),
        },
        Ast::Name(name) => Ok(name.as_simple().and_then(|i| by_name(&i.name))),
        _ => Ok(None),
    }
}

pub(super) fn row_count(e: &ast::Expr) -> Result<u64> {
    if let Ast::Literal(l) = &e.kind
        && let LiteralKind::Number(n) = &l.kind
        && let Ok(count) = n.text.parse()
    {
        return Ok(count);
    }
    match e.kind {
        Ast::Parameter => Err(Error::unsupported("a parameter '?'", e.span)),
        _ => Err(Error::validation("LIMIT and OFFSET take a whole number", e.span)),
    }
}

/// Makes names unique as Flink does: `id`, `id0`, `id1`.
pub(super) fn unique(names: Vec<String>) -> Vec<String> {
    let mut used: HashSet<String> = HashSet::with_capacity(names.len());
    let mut out = vec![];
    for name in names {
        let mut free = name.clone();
        let mut n = 0;
        while used.contains(&free) {
            free = format!("{name}{n}");
            n += 1;
        }
        used.insert(free.clone());
        out.push(free);
    }
    out
}

/// Gives the columns of a relation new names.
///
/// # Errors
/// As many names as columns are needed.
pub(super) fn rename(rel: &mut Rel, names: &[Ident], what: &str) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let span = names[0].span.to(names[names.len() - 1].span);
    if names.len() != rel.schema.len() {
        let columns: Vec<&str> = rel.schema.fields.iter().map(|f| f.name.as_str()).collect();
        return Err(Error::validation(
            format!("{what} names {} columns, but its query has {}", names.len(), columns.len()),
            span,
        )
        .hint(format!("the query's columns are {}", columns.join(", "))));
    }
    for (i, name) in names.iter().enumerate() {
        if names[..i].iter().any(|n| n.name == name.name) {
            return Err(Error::validation(format!("{what} names '{name}' twice"), name.span));
        }
    }
    for (field, name) in rel.schema.fields.iter_mut().zip(names) {
        field.name.clone_from(&name.name);
    }
    Ok(())
}

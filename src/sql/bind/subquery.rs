//! Subqueries in expressions: as a value, behind EXISTS, behind IN.
//!
//! A subquery that is a value stands in expressions as a column with a number that no relation reaches ([`FIRST`]), until
//! [`Binder::attach`] puts a left join under them: every row beside the one row of the subquery, or beside NULL while it has none.
//! A query that may have several rows goes through SINGLE_VALUE, which fails for the second. EXISTS of a query that reads nothing
//! from around it is such a value, too: there is a smallest TRUE.
//!
//! **Correlation.** A name that the subquery's own tables do not have is looked up in those around it, and numbered from [`OUTER`]. The parts
//! of WHERE that read such columns leave the subquery and become the join's condition. For a value they must be equalities, and
//! the subquery one aggregate: it is grouped by its side of them. EXISTS, and IN, as a part of WHERE are semi joins, anti joins
//! when negated; elsewhere they are values ([`super::in_subquery`]).

use super::aggregate::AggregateUse;
use super::expr::{ExprContext, logic};
use super::in_subquery::Membership;
use super::query::Order;
use super::scope::Scope;
use super::{Binder, call, literal};
use crate::error::{Error, Result, Span};
use crate::expr::{Call, Expr, ExprKind};
use crate::plan::logical::{AggregateCall, JoinKind, Rel, RelKind};
use crate::sql::ast::{self, ExprKind as Ast, InSet, Query, QueryBodyKind, UnaryOp};

/// The columns of subqueries, until it is known where they stand.
pub(super) const FIRST: usize = 1 << 40;
/// Columns of the query around.
pub(super) const OUTER: usize = 1 << 48;

/// A subquery that is a value.
pub(crate) struct Subquery {
    /// Its keys, then its value.
    pub(super) rel: Rel,
    /// What the keys equal, over the columns around it.
    pub(super) keys: Vec<Expr>,
}

/// The query around the one at hand.
#[derive(Clone)]
pub(crate) struct Outer {
    scope: Scope,
    purpose: Purpose,
    /// In WHERE.
    allowed: bool,
}

/// What a subquery is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Value,
    Exists,
    In,
    Lateral,
}

impl Outer {
    /// Rows of a select list are wanted of the subquery, and what its conditions read beside them.
    pub(super) fn wants_rows(&self) -> bool {
        matches!(self.purpose, Purpose::In | Purpose::Lateral)
    }

    /// Behind WHERE, nothing of it can be read.
    pub(super) fn end_where(&mut self) {
        self.allowed = false;
    }
}

/// How a subquery depends on the query around it.
pub(crate) enum Correlated {
    /// Its first columns equal these, over the columns around; of COUNT, no row is 0.
    Value { keys: Vec<Expr>, counts: bool },
    /// What is true of its rows and those around: columns of its own, and from [`OUTER`].
    Rows(Vec<Expr>),
    /// The same of a LATERAL subquery and of one behind IN: over its select list (of which `visible` columns are asked for), and what orders it.
    Lateral { conditions: Vec<Expr>, visible: usize, order: Order },
}

/// A part of WHERE that only keeps or drops rows.
struct Half {
    kind: JoinKind,
    rows: HalfRows,
    span: Span,
}

enum HalfRows {
    /// Those of a subquery for which conditions hold, over its columns and [`OUTER`].
    Exist(Rel, Vec<Expr>),
    /// The value is among its rows.
    In(Membership),
}

impl Binder<'_> {
    /// A name that only the query around has.
    pub(super) fn outer_name(&self, name: &ast::ObjectName) -> Option<Result<Expr>> {
        let outer = self.outer.as_ref()?;
        let mut found = outer.scope.resolve(name).ok()?;
        if !outer.allowed {
            let text = "a correlated subquery other than by a condition in its WHERE";
            return Some(Err(Error::unsupported(text, name.span())));
        }
        found.map_columns(&|c| OUTER + c);
        Some(Ok(found))
    }

    /// What `bind` makes of a subquery in the middle of a query with `scope`, and how it depends on that.
    pub(super) fn inside(
        &mut self,
        scope: &Scope,
        purpose: Purpose,
        bind: impl FnOnce(&mut Self) -> Result<Rel>,
    ) -> Result<(Rel, Option<Correlated>)> {
        let outer = self.outer.replace(Outer { scope: scope.clone(), purpose, allowed: true });
        let (subqueries, known) = (self.subqueries.take(), self.correlated.take());
        let rel = bind(self);
        (self.outer, self.subqueries) = (outer, subqueries);
        let correlated = std::mem::replace(&mut self.correlated, known);
        Ok((rel?, correlated))
    }

    /// Binds a subquery of an expression over `scope`.
    fn subquery(&mut self, q: &Query, scope: &Scope, purpose: Purpose) -> Result<(Rel, Option<Correlated>)> {
        let found = self.inside(scope, purpose, |binder| binder.query(q))?;
        let plain = matches!(q.body.kind, QueryBodyKind::Select(_))
            && q.order_by.is_empty()
            && q.limit.is_none()
            && q.offset.is_none();
        match found {
            (_, Some(_)) if !plain => Err(Error::unsupported(
                "a correlated subquery with ORDER BY, LIMIT or a set operation",
                q.span,
            )),
            found => Ok(found),
        }
    }

    /// `(SELECT …)` as a value.
    pub(super) fn scalar_subquery(&mut self, q: &Query, at: Span, cx: &mut ExprContext<'_>) -> Result<Expr> {
        if self.subqueries.is_none() || cx.inside_aggregate {
            return Err(Error::unsupported(format!("a subquery as a value in the {}", cx.clause), at));
        }
        let (rel, correlated) = self.subquery(q, cx.scope, Purpose::Value)?;
        match correlated {
            None if rel.schema.len() != 1 => Err(Error::validation(
                format!("a subquery that is a value has one column, not {}", rel.schema.len()),
                at,
            )),
            None => {
                let rel = if is_one_row(&rel) { rel } else { self.single_value(rel, at)? };
                Ok(self.note_subquery(Subquery { rel, keys: vec![] }, at))
            }
            Some(Correlated::Value { keys, counts }) => {
                let value = self.note_subquery(Subquery { rel, keys }, at);
                if !counts {
                    return Ok(value);
                }
                let missing = self.call_bound("IS NULL", vec![value.clone()], at)?;
                let zero = self.cast_to(literal::int(0, at), &value.ty.clone().with_nullable(false))?;
                self.case_of(vec![(missing, zero)], value, at)
            }
            Some(_) => unreachable!("that is of EXISTS and of rows"),
        }
    }

    pub(super) fn note_subquery(&mut self, subquery: Subquery, at: Span) -> Expr {
        let ty = subquery.rel.schema.fields[subquery.keys.len()].ty.clone().with_nullable(true);
        let all = self.subqueries.get_or_insert_default();
        all.push(subquery);
        Expr::column(FIRST + all.len() - 1, ty, at)
    }

    /// The only value of one column; a second one fails.
    fn single_value(&self, rel: Rel, at: Span) -> Result<Rel> {
        let column = Expr::column(0, rel.schema.ty(0).clone(), at);
        self.aggregate_of(rel, "SINGLE_VALUE", column, at)
    }

    /// One aggregate of the one column.
    fn aggregate_of(&self, rel: Rel, name: &str, column: Expr, at: Span) -> Result<Rel> {
        let Some(function) = self.registry.aggregate(name) else {
            return Err(Error::unsupported(format!("the aggregate {name}"), at));
        };
        let described = call::describe(&[column]);
        let function =
            function.bind(&Call { name, args: &described, span: at, session: &self.session }, false)?;
        let text = format!("{name}({})", rel.schema.fields[0].name);
        let ty = function.ty.clone();
        let call = AggregateCall {
            name: text,
            function,
            args: vec![0],
            distinct: false,
            filter: None,
            ty,
            span: at,
        };
        Ok(rel.aggregate(vec![], vec![call], at))
    }

    /// `EXISTS (…)` in an expression.
    pub(super) fn exists(&mut self, q: &Query, at: Span, cx: &mut ExprContext<'_>) -> Result<Expr> {
        if self.subqueries.is_none() || cx.inside_aggregate {
            return Err(Error::unsupported(format!("EXISTS in the {}", cx.clause), at));
        }
        match self.subquery(q, cx.scope, Purpose::Exists)? {
            (rel, None) => self.exists_value(rel, at),
            (rel, Some(Correlated::Rows(conditions))) => self.exists_correlated(rel, &conditions, at),
            (_, Some(_)) => unreachable!("that is of values and rows"),
        }
    }

    /// There is a smallest TRUE.
    pub(super) fn exists_value(&mut self, rel: Rel, at: Span) -> Result<Expr> {
        let yes = literal::boolean(true, at);
        let column = Expr::column(0, yes.ty.clone(), at);
        let rel = self.aggregate_of(rel.project(vec![yes], vec!["i".into()], at), "MIN", column, at)?;
        let found = self.note_subquery(Subquery { rel, keys: vec![] }, at);
        self.call_bound("IS NOT NULL", vec![found], at)
    }

    /// The joins under expressions in which subqueries stand as columns.
    pub(super) fn attach(&mut self, mut rel: Rel, exprs: &mut [&mut Expr]) -> Result<Rel> {
        let Some(all) = self.subqueries.as_mut().map(std::mem::take) else { return Ok(rel) };
        let mut places = vec![];
        for Subquery { rel: right, keys } in all {
            let (width, span) = (rel.schema.len(), right.span);
            places.push(width + keys.len());
            let tests = keys
                .into_iter()
                .enumerate()
                .map(|(n, key)| {
                    let column = Expr::column(width + n, right.schema.ty(n).clone(), span);
                    self.call_bound("=", vec![key, column], span)
                })
                .collect::<Result<Vec<_>>>()?;
            let condition = (!tests.is_empty()).then(|| all_of(tests, span));
            rel = rel.join(JoinKind::Left, right, condition, span);
        }
        for e in exprs {
            e.map_columns(&|c| if (FIRST..OUTER).contains(&c) { places[c - FIRST] } else { c });
        }
        Ok(rel)
    }

    /// WHERE: the rows that it keeps, and its parts that read the query around.
    pub(super) fn where_clause(
        &mut self,
        mut rel: Rel,
        filter: &ast::Expr,
        scope: &Scope,
    ) -> Result<(Rel, Vec<Expr>)> {
        let mut parts = vec![];
        split(filter, &mut parts);
        let mut cx = ExprContext::plain(scope, "WHERE clause");
        let (mut conditions, mut halves) = (vec![], vec![]);
        if parts.iter().all(|p| half_of(p).is_none()) {
            conditions.extend(conjuncts(self.condition(filter, &mut cx)?));
        } else {
            for part in parts {
                match half_of(part) {
                    None => conditions.push(self.condition(part, &mut cx)?),
                    Some((negated, of)) => match self.half(negated, of, part.span, &mut cx)? {
                        Ok(half) => halves.push(half),
                        Err(condition) => conditions.push(condition),
                    },
                }
            }
        }
        let reads_outer = |e: &Expr| {
            let mut any = false;
            e.for_each_column(&mut |c| any |= c >= OUTER);
            any
        };
        let (correlated, mut own): (Vec<Expr>, Vec<Expr>) = conditions.into_iter().partition(reads_outer);
        let width = rel.schema.len();
        rel = self.attach(rel, &mut own.iter_mut().collect::<Vec<_>>())?;
        if !own.is_empty() {
            rel = rel.filter(all_of(own, filter.span));
        }
        if rel.schema.len() > width {
            rel = rel.project_columns(&(0..width).collect::<Vec<_>>());
        }
        for half in halves {
            rel = self.half_join(rel, half)?;
        }
        Ok((rel, correlated))
    }

    /// EXISTS or IN as a part of WHERE: a join, or a condition.
    fn half(
        &mut self,
        negated: bool,
        of: HalfOf<'_>,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<std::result::Result<Half, Expr>> {
        let kind = if negated { JoinKind::Anti } else { JoinKind::Semi };
        match of {
            HalfOf::Exists(q) => match self.subquery(q, cx.scope, Purpose::Exists)? {
                (rel, None) => {
                    let exists = self.exists_value(rel, at)?;
                    Ok(Err(if negated { self.call_bound("NOT", vec![exists], at)? } else { exists }))
                }
                (rel, Some(Correlated::Rows(conditions))) => {
                    Ok(Ok(Half { kind, rows: HalfRows::Exist(rel, conditions), span: at }))
                }
                (_, Some(_)) => unreachable!("that is of values and rows"),
            },
            HalfOf::In(operand, q) => {
                let rows = HalfRows::In(self.membership(operand, q, at, cx)?);
                Ok(Ok(Half { kind, rows, span: at }))
            }
        }
    }

    fn half_join(&mut self, left: Rel, half: Half) -> Result<Rel> {
        let (width, at) = (left.schema.len(), half.span);
        let (rel, condition) = match half.rows {
            HalfRows::Exist(rel, mut parts) => {
                let place = |c: usize| if c >= OUTER { c - OUTER } else { c + width };
                parts.iter_mut().for_each(|p| p.map_columns(&place));
                (rel, all_of(parts, at))
            }
            HalfRows::In(of) => {
                let condition = self.membership_condition(&of, half.kind == JoinKind::Anti, width, at)?;
                (of.rel, condition)
            }
        };
        Ok(left.join(half.kind, rel, Some(condition), at))
    }

    /// What a SELECT comes to whose WHERE reads the query around: `rel` are its rows without those parts.
    #[expect(clippy::too_many_arguments, reason = "the parts of one SELECT")]
    pub(super) fn correlated_select(
        &mut self,
        rel: Rel,
        scope: &Scope,
        conditions: Vec<Expr>,
        is_plain: bool,
        items: Vec<(Expr, String)>,
        uses: Vec<AggregateUse>,
        span: Span,
    ) -> Result<Rel> {
        let refuse = |what: &str| Err(Error::unsupported(format!("a correlated subquery {what}"), span));
        if self.outer.as_ref().is_some_and(|o| o.purpose == Purpose::Exists) {
            if !is_plain || !uses.is_empty() {
                return refuse("of EXISTS with GROUP BY or aggregates");
            }
            self.correlated = Some(Correlated::Rows(conditions));
            return Ok(rel);
        }
        let is_aggregate = |e: &Expr| matches!(e.kind, ExprKind::Column(c) if c == scope.len());
        if !is_plain || items.len() != 1 || uses.len() != 1 || !is_aggregate(&items[0].0) {
            return refuse("as a value that is not one aggregate");
        }
        let counts = self.text(items[0].0.span).to_uppercase().starts_with("COUNT");
        let (mut own, mut keys) = (vec![], vec![]);
        for e in conditions {
            let Some((inner, around)) = equality(&e) else {
                return refuse("that is not correlated by equality");
            };
            own.push(inner);
            keys.push(around);
        }
        let mut value = items.into_iter().next().expect("one item").0;
        let rel = self.group(rel, &own, uses, &mut [&mut value], span)?;
        self.correlated = Some(Correlated::Value { keys, counts });
        Ok(rel)
    }
}

/// A subquery stands in it as a column.
pub(super) fn stands_in(e: &Expr) -> bool {
    let mut any = false;
    e.for_each_column(&mut |c| any |= (FIRST..OUTER).contains(&c));
    any
}

/// `own = around`, of a side that reads the subquery alone and one over the columns around it.
pub(super) fn equality(e: &Expr) -> Option<(Expr, Expr)> {
    let ExprKind::Call { function, args } = &e.kind else { return None };
    let [a, b] = &args[..] else { return None };
    let (own, around) = match (reads(a), reads(b)) {
        ((true, false), (false, true)) => (a, b),
        ((false, true), (true, false)) => (b, a),
        _ => return None,
    };
    let mut around = around.clone();
    around.map_columns(&|c| c - OUTER);
    (&*function.name == "=").then(|| (own.clone(), around))
}

/// It reads columns of its own, and of the query around.
fn reads(e: &Expr) -> (bool, bool) {
    let mut found = (false, false);
    e.for_each_column(&mut |c| if c >= OUTER { found.1 = true } else { found.0 = true });
    found
}

/// A query of one row at most.
fn is_one_row(rel: &Rel) -> bool {
    match &rel.kind {
        RelKind::Project { input, .. } | RelKind::Filter { input, .. } | RelKind::Sort { input, .. } => {
            is_one_row(input)
        }
        RelKind::Aggregate { keys, aggregates, .. } => keys.is_empty() && !aggregates.is_empty(),
        RelKind::Values { columns } => columns.first().is_none_or(|c| c.len() <= 1),
        RelKind::Limit { fetch, .. } => fetch.is_some_and(|n| n <= 1),
        _ => false,
    }
}

enum HalfOf<'a> {
    Exists(&'a Query),
    In(&'a ast::Expr, &'a Query),
}

/// EXISTS or IN of a subquery, and whether it is negated.
fn half_of(e: &ast::Expr) -> Option<(bool, HalfOf<'_>)> {
    match &e.kind {
        Ast::Unary { op: UnaryOp::Not, operand } => half_of(operand).map(|(negated, of)| (!negated, of)),
        Ast::Exists(of) => match &of.kind {
            Ast::Subquery(q) => Some((false, HalfOf::Exists(q))),
            _ => None,
        },
        Ast::In { operand, negated, set: InSet::Query(q) } => Some((*negated, HalfOf::In(operand, q))),
        _ => None,
    }
}

/// The parts that AND joins.
fn split<'a>(e: &'a ast::Expr, parts: &mut Vec<&'a ast::Expr>) {
    match &e.kind {
        Ast::And(all) => all.iter().for_each(|p| split(p, parts)),
        _ => parts.push(e),
    }
}

fn conjuncts(e: Expr) -> Vec<Expr> {
    match e.kind {
        ExprKind::And(parts) => parts.into_iter().flat_map(conjuncts).collect(),
        _ => vec![e],
    }
}

pub(super) fn all_of(mut parts: Vec<Expr>, at: Span) -> Expr {
    if parts.len() == 1 { parts.remove(0) } else { logic(true, parts, at) }
}

//! Filters move towards the scans: through projections (whose expressions replace the columns), unions, sorts, set operations, window
//! functions, [`join`]s, and, where they look at keys alone, aggregates.
//!
//! A condition's parts keep their order, and a part moves only when all parts before it move along: `x <> 0 AND 1 / x > 2` must not
//! be taken apart. Moving below a projection is more than an optimisation: Flink computes a projection only for rows that pass,
//! so a cast that fails on other rows does not fail the job.
//!
//! **Event time stays as it is.** A table's watermark is part of its scan, and no filter goes into a scan: every row that is read moves the
//! watermark, whether or not a query keeps it. Otherwise `WHERE` would decide when windows close and which rows are late. (A table
//! read twice, once with a filter, also shares one scan that way.) Above the watermark a filter may go first: a row that the query does not
//! want is then filtered instead of counted as late by a window or a sort behind it. It is in neither result, as in Flink, which
//! moves filters through these by the same rules.

mod join;

use super::substitute;
use crate::batch::TypeKind;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelKind};

/// Moves all filters of a tree.
pub(super) fn push_down(rel: Rel) -> Rel {
    push(rel, vec![])
}

/// The rows of `rel` for which all `conditions`, over its columns, are true.
fn push(mut rel: Rel, mut conditions: Vec<Expr>) -> Rel {
    match rel.kind {
        RelKind::Filter { input, condition } => {
            let mut all = conjuncts(condition);
            all.append(&mut conditions);
            push(*input, all)
        }
        RelKind::Project { input, exprs } => {
            let below = split(&mut conditions, |e| {
                let mut fits = true;
                e.for_each_column(&mut |c| fits &= exprs[c].is_deterministic());
                fits.then(|| substitute(e, &exprs)).flatten()
            });
            let input = Box::new(push(*input, below));
            keep(Rel { kind: RelKind::Project { input, exprs }, ..rel }, conditions)
        }
        RelKind::Union { inputs } => {
            let below = split(&mut conditions, deterministic);
            let inputs = inputs.into_iter().map(|i| push(i, below.clone())).collect();
            keep(Rel { kind: RelKind::Union { inputs }, ..rel }, conditions)
        }
        RelKind::SetOperation { kind, all, inputs } => {
            let below = split(&mut conditions, deterministic);
            let inputs = inputs.into_iter().map(|i| push(i, below.clone())).collect();
            keep(Rel { kind: RelKind::SetOperation { kind, all, inputs }, ..rel }, conditions)
        }
        RelKind::Sort { input, keys } => {
            let below = split(&mut conditions, deterministic);
            let input = Box::new(push(*input, below));
            keep(Rel { kind: RelKind::Sort { input, keys }, ..rel }, conditions)
        }
        RelKind::WindowTvf { input, time, kind, partition, grouping, zone } => {
            // Also below sessions, which rows that are not there do not lengthen: that is Flink's.
            let columns = input.schema.len();
            let below = split(&mut conditions, |e| reads_only(e, |c| c < columns).then(|| e.clone()));
            let input = Box::new(push(*input, below));
            keep(
                Rel { kind: RelKind::WindowTvf { input, time, kind, partition, grouping, zone }, ..rel },
                conditions,
            )
        }
        RelKind::Aggregate { input, keys, aggregates, ttl_ms } => {
            let below = split(&mut conditions, |e| on_keys(e, &keys));
            let input = Box::new(push(*input, below));
            keep(Rel { kind: RelKind::Aggregate { input, keys, aggregates, ttl_ms }, ..rel }, conditions)
        }
        RelKind::WindowAggregate { input, window, keys, aggregates, properties } => {
            let below = split(&mut conditions, |e| on_keys(e, &keys));
            let input = Box::new(push(*input, below));
            keep(
                Rel { kind: RelKind::WindowAggregate { input, window, keys, aggregates, properties }, ..rel },
                conditions,
            )
        }
        RelKind::Join { kind, inputs, condition } => {
            join::push(kind, inputs, condition, conditions, rel.schema, rel.span)
        }
        RelKind::Unnest { input, spec } => {
            let below = split(&mut conditions, |e| on_keys(e, &spec.kept));
            let input = Box::new(push(*input, below));
            keep(Rel { kind: RelKind::Unnest { input, spec }, ..rel }, conditions)
        }
        // LIMIT and Top-N decide by the rows that reach them. Count windows count them.
        RelKind::CountTvf { .. }
        | RelKind::CountAggregate { .. }
        | RelKind::Over { .. }
        | RelKind::Match { .. }
        | RelKind::Expand { .. }
        | RelKind::Correlate { .. }
        | RelKind::Rank { .. }
        | RelKind::Limit { .. }
        | RelKind::Sink { .. } => {
            for input in rel.inputs_mut() {
                let taken = std::mem::replace(input, Rel::one_row(input.span));
                *input = push(taken, vec![]);
            }
            keep(rel, conditions)
        }
        RelKind::Scan(_) | RelKind::Values { .. } | RelKind::Aside(_) => keep(rel, conditions),
    }
}

/// The longest run of first conditions that `moved` takes, as it gives them; the others stay.
fn split(conditions: &mut Vec<Expr>, moved: impl Fn(&Expr) -> Option<Expr>) -> Vec<Expr> {
    let below: Vec<Expr> = conditions.iter().map_while(moved).collect();
    conditions.drain(..below.len());
    below
}

/// A condition that is the same wherever it is asked. The watermark, say, is another one before a union or a sort.
fn deterministic(e: &Expr) -> Option<Expr> {
    e.is_deterministic().then(|| e.clone())
}

fn reads_only(e: &Expr, known: impl Fn(usize) -> bool) -> bool {
    let mut all = true;
    e.for_each_column(&mut |c| all &= known(c));
    all
}

/// A condition on an aggregate's keys over the aggregate's input. A condition on nothing stays above: below, a global aggregate would
/// lose its row.
fn on_keys(e: &Expr, keys: &[usize]) -> Option<Expr> {
    let mut reads = false;
    e.for_each_column(&mut |_| reads = true);
    if !reads || !e.is_deterministic() || !reads_only(e, |c| c < keys.len()) {
        return None;
    }
    let mut e = e.clone();
    e.map_columns(&|c| keys[c]);
    Some(e)
}

pub(super) fn conjuncts(e: Expr) -> Vec<Expr> {
    match e.kind {
        ExprKind::And(parts) => parts.into_iter().flat_map(conjuncts).collect(),
        _ if is_true(&e) => vec![],
        _ => vec![e],
    }
}

fn is_true(e: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Literal(v) if e.ty.kind == TypeKind::Boolean && v.is_valid(0) && v.bools().get(0))
}

/// `rel` under what is left of the conditions.
pub(super) fn keep(rel: Rel, conditions: Vec<Expr>) -> Rel {
    let span = conditions.iter().map(|c| c.span).reduce(crate::error::Span::to);
    let condition = match (conditions.len(), span) {
        (0, _) | (_, None) => return rel,
        (1, _) => conditions.into_iter().next().expect("one"),
        (_, Some(span)) => {
            let nullable = conditions.iter().any(|c| c.ty.nullable);
            let ty = TypeKind::Boolean.not_null().with_nullable(nullable);
            Expr { kind: ExprKind::And(conditions), ty, span }
        }
    };
    rel.filter(condition)
}

//! Rules over logical relations. Each keeps the result and the types and names of its columns, and does to the changelog what Flink's rule of
//! that name does (pruning an aggregate call that nobody reads also prunes its updates).
//!
//! In order: [`fold`] constants; recognise [`window`] and [`count_window`] aggregates and Top-N ([`rank`]); push [`filter`]s towards the scans; merge [`project`]ions; [`narrow`]
//! decimals without a cast where that is sure; read parts of [`nested`] columns; [`prune`] columns down to what each scan has to read; [`share`] texts
//! that are needed several times.
//! Expressions that merging makes are kept below [`MAX_EXPR_DEEP`] and [`MAX_EXPR_SIZE`], so
//! that subqueries in subqueries neither overflow a stack nor grow without bound.

mod count_window;
mod filter;
mod fold;
mod narrow;
mod nested;
mod project;
mod prune;
mod rank;
mod share;
mod window;

use crate::error::Result;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::Rel;

/// The deepest expression that a rule makes by putting one into another.
const MAX_EXPR_DEEP: usize = 400;
/// The largest one, in nodes.
const MAX_EXPR_SIZE: usize = 4_000;

/// Applies all rules to one sink's relation.
///
/// # Errors
/// A constant cannot be computed (`1 / 0`).
pub(crate) fn optimise(rel: Rel) -> Result<Rel> {
    let rel = needed(rel)?;
    let rel = filter::push_down(rel);
    let mut rel = project::merge(rel);
    narrow::narrow(&mut rel);
    let rel = nested::split(rel);
    Ok(share::share(prune::prune(rel)))
}

/// Applies only the rules that decide what a statement means: `SET 'pelton.optimizer' = 'off'`.
///
/// # Errors
/// As [`optimise`].
pub(crate) fn needed(mut rel: Rel) -> Result<Rel> {
    fold::fold(&mut rel)?;
    if window::has_sessions(&rel) {
        rel = filter::push_down(rel);
    }
    window::recognise(&mut rel);
    count_window::recognise(&mut rel);
    rank::recognise(rel)
}

/// Where an optimised relation asks for rows by a number without an upper bound.
pub(crate) fn unbounded_numbers(rel: &Rel) -> Vec<crate::error::Span> {
    let mut found = vec![];
    rank::unbounded(rel, &mut found);
    found
}

/// `e` with each column replaced by its expression in `exprs`; `None` when the result would be too large or deep.
fn substitute(e: &Expr, exprs: &[Expr]) -> Option<Expr> {
    let (deep, size) = measure(e, exprs);
    if deep > MAX_EXPR_DEEP || size > MAX_EXPR_SIZE {
        return None;
    }
    let mut e = e.clone();
    replace(&mut e, exprs);
    Some(e)
}

fn replace(e: &mut Expr, exprs: &[Expr]) {
    if let ExprKind::Column(n) = e.kind {
        // The outer type stays: a cast that only ends a time attribute is a column with another type.
        e.kind = exprs[n].kind.clone();
        return;
    }
    e.children_mut().into_iter().for_each(|c| replace(c, exprs));
}

/// Depth and size of `e` after substitution.
fn measure(e: &Expr, exprs: &[Expr]) -> (usize, usize) {
    if let ExprKind::Column(n) = e.kind {
        return exprs.get(n).map_or((1, 1), |e| measure(e, &[]));
    }
    e.children()
        .into_iter()
        .map(|c| measure(c, exprs))
        .fold((1, 1), |(d, s), (cd, cs)| (d.max(cd + 1), s + cs))
}

/// A column or a literal: nothing to compute.
fn is_trivial(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Column(_) | ExprKind::Literal(_))
}

#[cfg(test)]
mod tests;

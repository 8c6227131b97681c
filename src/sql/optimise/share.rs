//! A text that a condition and a projection both need, or a projection several times, is computed once: `LOWER(c)` of
//! `SELECT LOWER(c) … WHERE LOWER(c) = 'x'` becomes a column of a projection below the filter.
//!
//! Only what makes texts of columns is shared: a sum costs less than the column it would be kept in. And only where nothing can
//! tell: it is deterministic, cannot fail, and is evaluated for every row at least once anyway, not just in a branch of a CASE. It comes
//! after [`prune`](super::prune), so that a projection that is added passes on what is still read.

use crate::batch::Physical;
use crate::expr::{Expr, ExprKind, Program};
use crate::plan::logical::{Rel, RelKind, same_expr};

/// Expressions with more nodes than this are left as they are: each is compared with each.
const MAX_NODES: usize = 500;

/// Shares in a whole tree.
pub(super) fn share(mut rel: Rel) -> Rel {
    for input in rel.inputs_mut() {
        let taken = std::mem::replace(input, Rel::one_row(input.span));
        *input = share(taken);
    }
    let RelKind::Project { input, mut exprs } = rel.kind else { return rel };
    let mut input = *input;
    if let RelKind::Filter { input: below, mut condition } = input.kind {
        let mut all: Vec<&mut Expr> = std::iter::once(&mut condition).chain(&mut exprs).collect();
        let below = computed_once(*below, &mut all, 1);
        input = below.filter(condition);
    }
    let input = computed_once(input, &mut exprs.iter_mut().collect::<Vec<_>>(), usize::MAX);
    Rel { kind: RelKind::Project { input: Box::new(input), exprs }, ..rel }
}

/// `input` with what several of `exprs` need as columns of its own, which they then read. One of the first `every` must evaluate it
/// for every row.
fn computed_once(input: Rel, exprs: &mut [&mut Expr], every: usize) -> Rel {
    if exprs.iter().map(|e| nodes(e)).sum::<usize>() > MAX_NODES {
        return input;
    }
    let columns = input.schema.len();
    let mut shared: Vec<Expr> = vec![];
    loop {
        let mut found = vec![];
        for (n, e) in exprs.iter().enumerate() {
            candidates(e, n < every, &mut found);
        }
        let uses = |e: &Expr| found.iter().filter(|(o, _)| is_same(o, e)).count();
        let always = |e: &Expr| found.iter().any(|(o, always)| *always && is_same(o, e));
        // The largest before its parts; what has been shared stands beside it and cannot be read by it.
        let fits =
            |e: &&Expr| reads_only(e, columns) && always(e) && uses(e) > 1 && !Program::new(e).can_fail();
        let Some(best) = found.iter().map(|f| f.0).filter(fits).max_by_key(|e| nodes(e)) else { break };
        let best = best.clone();
        let number = columns + shared.len();
        exprs.iter_mut().for_each(|e| replace(e, &best, number));
        shared.push(best);
    }
    if shared.is_empty() {
        return input;
    }
    let mut read = vec![false; columns];
    exprs.iter().for_each(|e| {
        e.for_each_column(&mut |c| {
            if c < columns {
                read[c] = true;
            }
        })
    });
    let kept: Vec<usize> = (0..columns).filter(|&c| read[c]).collect();
    let place = |c: usize| {
        if c < columns {
            kept.iter().position(|&k| k == c).expect("a column that is read")
        } else {
            c - columns + kept.len()
        }
    };
    exprs.iter_mut().for_each(|e| e.map_columns(&place));
    let (fields, span) = (&input.schema.fields, input.span);
    let names =
        kept.iter().map(|&c| fields[c].name.clone()).chain((0..shared.len()).map(|n| format!("shared${n}")));
    let names = names.collect();
    let passed = kept.iter().map(|&c| Expr::column(c, fields[c].ty.clone(), span));
    let all = passed.chain(shared).collect();
    input.project(all, names, span)
}

/// Calls below `e` that may be shared, each with whether it is evaluated for every row, if `e` is.
fn candidates<'e>(e: &'e Expr, always: bool, to: &mut Vec<(&'e Expr, bool)>) {
    if matches!(e.kind, ExprKind::Call { .. })
        && e.ty.physical() == Physical::Bytes
        && e.is_deterministic()
        && reads(e)
    {
        to.push((e, always));
    }
    // AND and OR go on for all rows where nothing can fail.
    let whole = always && matches!(e.kind, ExprKind::And(_) | ExprKind::Or(_)) && !Program::new(e).can_fail();
    let first_only =
        matches!(e.kind, ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Case { .. } | ExprKind::Coalesce(_));
    for (n, part) in e.children().into_iter().enumerate() {
        candidates(part, always && (whole || !first_only || n == 0), to);
    }
}

fn nodes(e: &Expr) -> usize {
    1 + e.children().into_iter().map(nodes).sum::<usize>()
}

fn reads_only(e: &Expr, columns: usize) -> bool {
    let mut all = true;
    e.for_each_column(&mut |c| all &= c < columns);
    all
}

fn reads(e: &Expr) -> bool {
    let mut any = false;
    e.for_each_column(&mut |_| any = true);
    any
}

fn is_same(a: &Expr, b: &Expr) -> bool {
    a.ty == b.ty && same_expr(a, b)
}

fn replace(e: &mut Expr, shared: &Expr, number: usize) {
    if is_same(e, shared) {
        e.kind = ExprKind::Column(number);
        return;
    }
    e.children_mut().into_iter().for_each(|c| replace(c, shared, number));
}

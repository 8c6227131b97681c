//! Adjacent projections become one, unless that would compute something twice or repeat what is not deterministic.

use super::{is_trivial, substitute};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelKind};

/// Merges the projections of a tree, innermost first.
pub(super) fn merge(mut rel: Rel) -> Rel {
    for input in rel.inputs_mut() {
        let taken = std::mem::replace(input, Rel::one_row(input.span));
        *input = merge(taken);
    }
    let RelKind::Project { input, exprs } = rel.kind else { return rel };
    let merged = match &input.kind {
        RelKind::Project { exprs: inner, .. } => together(&exprs, inner),
        _ => None,
    };
    match (merged, *input) {
        (Some(exprs), Rel { kind: RelKind::Project { input, .. }, .. }) => {
            Rel { kind: RelKind::Project { input, exprs }, ..rel }
        }
        (_, input) => Rel { kind: RelKind::Project { input: Box::new(input), exprs }, ..rel },
    }
}

fn together(outer: &[Expr], inner: &[Expr]) -> Option<Vec<Expr>> {
    let mut uses = vec![0usize; inner.len()];
    outer.iter().for_each(|e| e.for_each_column(&mut |c| uses[c] += 1));
    // What is only passed on is computed for each row, as it was.
    let is_passed_on = |n: usize| outer.iter().any(|e| matches!(e.kind, ExprKind::Column(c) if c == n));
    let fits = |n: usize, e: &Expr| {
        is_trivial(e) || uses[n] == 0 || (uses[n] == 1 && (e.is_deterministic() || is_passed_on(n)))
    };
    if !inner.iter().enumerate().all(|(n, e)| fits(n, e)) {
        return None;
    }
    outer.iter().map(|e| substitute(e, inner)).collect()
}

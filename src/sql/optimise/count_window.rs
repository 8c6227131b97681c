//! Aggregation over count windows: a GROUP BY of exactly the keys and the `window_number` of one COUNT_WINDOW.
//!
//! Such an aggregate gives a row for each window, once it is complete, and needs no rows to be held: the function disappears. Where something
//! between them looks at the number or drops rows, or where the keys are others, the function's rows are grouped as any others.

use super::substitute;
use crate::batch::Schema;
use crate::expr::{Expr, ExprKind};
use crate::plan::CountWindow;
use crate::plan::logical::{AggregateCall, Rel, RelKind};

/// Rewrites all of a tree.
pub(super) fn recognise(rel: &mut Rel) {
    for input in rel.inputs_mut() {
        recognise(input);
    }
    if let Some(better) = count_aggregate(rel) {
        *rel = better;
    }
}

fn count_aggregate(rel: &Rel) -> Option<Rel> {
    let RelKind::Aggregate { input, keys, aggregates, .. } = &rel.kind else { return None };
    let (source, window, exprs) = below(input)?;
    let number = source.schema.len();
    let read = |c: usize| match exprs[c].kind {
        ExprKind::Column(n) => Some(n),
        _ => None,
    };
    let by: Vec<usize> = keys.iter().map(|&k| read(k)).collect::<Option<_>>()?;
    let exactly = by.contains(&number)
        && window.keys.iter().all(|k| by.contains(k))
        && by.iter().all(|c| *c == number || window.keys.contains(c));
    if !exactly {
        return None;
    }
    // What the aggregates read, computed over the function's input: behind the keys.
    let mut computed: Vec<Expr> =
        window.keys.iter().map(|&k| Expr::column(k, source.schema.ty(k).clone(), rel.span)).collect();
    let mut names: Vec<String> = window.keys.iter().map(|&k| source.schema.fields[k].name.clone()).collect();
    let mut calls: Vec<AggregateCall> = aggregates.clone();
    for column in calls.iter_mut().flat_map(|c| c.args.iter_mut().chain(&mut c.filter)) {
        let e = &exprs[*column];
        let mut of_window = false;
        e.for_each_column(&mut |c| of_window |= c == number);
        if of_window {
            return None;
        }
        names.push(input.schema.fields[*column].name.clone());
        *column = computed.len();
        computed.push(e.clone());
    }
    let width = window.keys.len();
    let keys_in = (0..width).collect();
    let mut fields: Vec<_> = names[..width]
        .iter()
        .zip(&computed)
        .map(|(n, e)| crate::batch::Field::new(n, e.ty.clone()))
        .collect();
    fields.extend(rel.schema.fields[keys.len()..].iter().cloned());
    let at = by.iter().position(|&c| c == number)?;
    fields.push(rel.schema.fields[at].clone());
    let over =
        if computed.is_empty() { source.clone() } else { source.clone().project(computed, names, rel.span) };
    let made = Rel {
        kind: RelKind::CountAggregate {
            input: Box::new(over),
            window: CountWindow { keys: keys_in, ..window.clone() },
            aggregates: calls,
        },
        schema: Schema::new(fields),
        span: rel.span,
    };
    // Back to the order of the GROUP BY.
    let place = |c: &usize| window.keys.iter().position(|k| k == c).unwrap_or(width + aggregates.len());
    let order = by.iter().map(place).chain(width..width + aggregates.len());
    let exprs = order.zip(&rel.schema.fields).map(|(c, f)| Expr::column(c, f.ty.clone(), rel.span));
    let names = rel.schema.fields.iter().map(|f| f.name.clone());
    Some(made.project(exprs.collect(), names.collect(), rel.span))
}

/// The input of the function under `rel`, its windows, and each of `rel`'s columns over that input's and the number behind them. `None` where
/// something besides projections stands between.
fn below(rel: &Rel) -> Option<(&Rel, &CountWindow, Vec<Expr>)> {
    match &rel.kind {
        RelKind::CountTvf { input, window } => {
            let columns = rel.schema.fields.iter().enumerate();
            Some((input, window, columns.map(|(n, f)| Expr::column(n, f.ty.clone(), rel.span)).collect()))
        }
        RelKind::Project { input, exprs } => {
            let (source, window, inner) = below(input)?;
            let all = exprs.iter().map(|e| e.is_deterministic().then(|| substitute(e, &inner)).flatten());
            Some((source, window, all.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

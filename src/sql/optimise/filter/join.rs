//! Filters and joins: what looks at one side goes to that side, what looks at both becomes part of an inner join's condition.
//!
//! An outer join puts NULLs beside rows without partner. A condition behind it that is never true for those NULLs drops them again,
//! so the join need not make them (`LEFT JOIN … WHERE right.x > 5` is an inner join), which also decides the row kinds of its
//! changelog.

use super::{conjuncts, keep, split};
use crate::batch::Schema;
use crate::error::Span;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{JoinKind, Rel, RelKind};

/// The join under `conditions` over its columns.
pub(super) fn push(
    kind: JoinKind,
    inputs: Vec<Rel>,
    condition: Option<Expr>,
    mut conditions: Vec<Expr>,
    schema: Schema,
    span: Span,
) -> Rel {
    let width = inputs[0].schema.len();
    let kind = simpler(kind, &conditions, width);
    let mut on: Vec<Expr> = condition.map(conjuncts).unwrap_or_default();
    let mut below = [vec![], vec![]];
    let moved = split(&mut conditions, |e| {
        let fits = match side_of(e, width) {
            Some(0) => !kind.keeps(1),
            Some(_) => !kind.keeps(0),
            None => kind == JoinKind::Inner && reads(e),
        };
        (fits && e.is_deterministic()).then(|| e.clone())
    });
    for e in moved {
        match side_of(&e, width) {
            Some(side) => below[side].push(e),
            None => on.push(e),
        }
    }
    // A pair's condition that looks at one side alone decides beforehand, unless the rows of that side stay in any case.
    on.retain(|e| {
        let stays = |side: usize| kind.keeps(side) || side == 0 && kind == JoinKind::Anti;
        match side_of(e, width).filter(|&s| !stays(s) && e.is_deterministic()) {
            Some(side) => below[side].push(e.clone()),
            None => return true,
        }
        false
    });
    let [left, mut right] = below;
    right.iter_mut().for_each(|e| e.map_columns(&|c| c - width));
    let inputs = inputs.into_iter().zip([left, right]).map(|(input, below)| super::push(input, below));
    let condition = and(on);
    let rel = Rel { kind: RelKind::Join { kind, inputs: inputs.collect(), condition }, schema, span };
    keep(rel, conditions)
}

/// The parts as one condition.
fn and(parts: Vec<Expr>) -> Option<Expr> {
    match keep(Rel::one_row(Span::default()), parts).kind {
        RelKind::Filter { condition, .. } => Some(condition),
        _ => None,
    }
}

/// The kind without rows that the conditions drop again.
fn simpler(kind: JoinKind, conditions: &[Expr], width: usize) -> JoinKind {
    let drops =
        |side: usize| conditions.iter().any(|e| rejects_null(e, &|c| usize::from(c >= width) == side));
    match kind {
        JoinKind::Left if drops(1) => JoinKind::Inner,
        JoinKind::Right if drops(0) => JoinKind::Inner,
        JoinKind::Full => match (drops(0), drops(1)) {
            (true, true) => JoinKind::Inner,
            (true, false) => JoinKind::Left,
            (false, true) => JoinKind::Right,
            (false, false) => JoinKind::Full,
        },
        _ => kind,
    }
}

/// The side whose columns alone are read; `None`: both, or neither.
fn side_of(e: &Expr, width: usize) -> Option<usize> {
    let mut sides = [false; 2];
    e.for_each_column(&mut |c| sides[usize::from(c >= width)] = true);
    match sides {
        [true, false] => Some(0),
        [false, true] => Some(1),
        _ => None,
    }
}

fn reads(e: &Expr) -> bool {
    let mut any = false;
    e.for_each_column(&mut |_| any = true);
    any
}

/// A condition that is not true where these columns are NULL.
fn rejects_null(e: &Expr, of: &dyn Fn(usize) -> bool) -> bool {
    match &e.kind {
        ExprKind::And(parts) => parts.iter().any(|p| rejects_null(p, of)),
        ExprKind::Or(parts) => parts.iter().all(|p| rejects_null(p, of)),
        ExprKind::Column(c) => of(*c),
        ExprKind::Call { function, args } => match &*function.name {
            "=" | "<>" | "<" | "<=" | ">" | ">=" | "LIKE" | "IS NOT NULL" | "IS TRUE" | "IS FALSE" => {
                args.iter().any(|a| passes_null(a, of))
            }
            "IN" => args.first().is_some_and(|a| passes_null(a, of)),
            _ => false,
        },
        _ => false,
    }
}

/// A value that is NULL where one of these columns is.
fn passes_null(e: &Expr, of: &dyn Fn(usize) -> bool) -> bool {
    match &e.kind {
        ExprKind::Column(c) => of(*c),
        ExprKind::Field(part, _) => passes_null(part, of),
        ExprKind::Call { function, args } => {
            matches!(
                &*function.name,
                "CAST" | "TRY_CAST" | "+" | "-" | "*" | "/" | "%" | "ABS" | "UPPER" | "LOWER"
            ) && args.iter().any(|a| passes_null(a, of))
        }
        _ => false,
    }
}

//! Building bound expressions: calls with their arguments cast, casts, and constants folded.
//!
//! The binder writes SQL down in terms of [`call`] and [`cast`]. Both fold: a deterministic call of constants is evaluated at once and
//! becomes a literal, so that later bind steps see its value (a pattern, a divisor, a list). A constant that fails to evaluate stays a
//! call and fails where a row reaches it; [`fold_strictly`] reports it, which is what Flink does when planning (`1 / 0`).

use super::function::{Argument, Call, Determinism, Registry, Session};
use super::{EvalContext, Expr, ExprKind, Program, bind_cast};
use crate::batch::{DataType, Pool, Sel, Watermarks};
use crate::error::{Error, Result, Span};

/// The call of a scalar function: binds it, casts the arguments to what it wants, folds.
///
/// # Errors
/// No such function, or the arguments do not fit.
pub fn call(registry: &Registry, name: &str, args: Vec<Expr>, session: &Session, span: Span) -> Result<Expr> {
    let function = registry.scalar(name).ok_or_else(|| unknown(registry, name, &args, span))?;
    let arguments: Vec<Argument> = args.iter().map(describe).collect();
    let bound = function.bind(&Call { name, args: &arguments, span, session })?;
    let args = args
        .into_iter()
        .zip(&bound.args)
        .map(|(e, wanted)| if e.ty.kind == wanted.kind { Ok(e) } else { cast(e, wanted, false, session) })
        .collect::<Result<_>>()?;
    Ok(fold(Expr::call(name, bound, args, span)))
}

/// An argument as a function sees it.
pub fn describe(e: &Expr) -> Argument {
    let literal = match &e.kind {
        ExprKind::Literal(c) => Some(c.clone()),
        _ => None,
    };
    Argument {
        ty: e.ty.clone(),
        literal,
        packed: is_packed(e),
        packed_inside: is_packed_inside(e),
        span: e.span,
    }
}

fn is_packed(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Call { function, args } => match &*function.name {
            "ARRAY" | "MAP" => true,
            "ITEM" => is_packed_inside(&args[0]),
            _ => false,
        },
        ExprKind::Case { branches, otherwise } => {
            branches.iter().map(|(_, v)| v).chain([&**otherwise]).all(is_packed)
        }
        ExprKind::Coalesce(of) => of.iter().all(is_packed),
        _ => false,
    }
}

/// The elements are packed: of what is packed itself, and of arrays that functions make of such elements.
fn is_packed_inside(e: &Expr) -> bool {
    let (function, args) = match &e.kind {
        ExprKind::Call { function, args } => (function, args),
        ExprKind::Case { branches, otherwise } => {
            return branches.iter().map(|(_, v)| v).chain([&**otherwise]).all(is_packed_inside);
        }
        ExprKind::Coalesce(of) => return of.iter().all(is_packed_inside),
        _ => return is_packed(e),
    };
    match &*function.name {
        "ARRAY_REVERSE" | "ARRAY_SLICE" | "ARRAY_SORT" | "ARRAY_DISTINCT" | "ARRAY_REMOVE" => {
            is_packed_inside(&args[0])
        }
        "ARRAY_CONCAT" | "ARRAY_UNION" | "ARRAY_EXCEPT" | "ARRAY_INTERSECT" => {
            args.iter().all(is_packed_inside)
        }
        "ARRAY_APPEND" | "ARRAY_PREPEND" => is_packed_inside(&args[0]) && is_packed(&args[1]),
        _ => is_packed(e),
    }
}

fn unknown(registry: &Registry, name: &str, args: &[Expr], span: Span) -> Error {
    let types: Vec<String> = args.iter().map(|a| format!("<{}>", a.ty.kind)).collect();
    let e = Error::validation(
        format!("No match found for function signature {}({})", name.to_uppercase(), types.join(", ")),
        span,
    );
    let close = registry
        .scalar_names()
        .chain(registry.aggregate_names())
        .filter(|n| n.starts_with(|c: char| c.is_alphabetic()))
        .map(|n| (distance(&name.to_uppercase(), n), n))
        .min();
    match close {
        Some((d, n)) if d <= 2 => e.hint(format!("did you mean {n}?")),
        _ => e,
    }
}

/// Edits between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let cost = (row[j] + usize::from(x != y)).min(row[j + 1] + 1).min(left + 1);
            row[j] = left;
            left = cost;
        }
        row[b.len()] = left;
    }
    row[b.len()]
}

/// `CAST(expr AS to)`, or TRY_CAST; the expression itself where it has that kind already.
///
/// # Errors
/// Flink has no such cast.
pub fn cast(expr: Expr, to: &DataType, try_cast: bool, session: &Session) -> Result<Expr> {
    if expr.ty.kind == to.kind && !try_cast {
        return Ok(expr);
    }
    let span = expr.span;
    let bound = bind_cast(&expr.ty, to, try_cast, session, span)?;
    let name = if try_cast { "TRY_CAST" } else { "CAST" };
    Ok(fold(Expr::call(name, bound, vec![expr], span)))
}

/// A literal in place of a deterministic call of literals, where it can be evaluated.
#[must_use]
pub fn fold(expr: Expr) -> Expr {
    fold_strictly(expr.clone()).unwrap_or(expr)
}

/// As [`fold`], a constant that cannot be evaluated being an error.
///
/// # Errors
/// What the evaluation says, at the expression's span.
pub fn fold_strictly(expr: Expr) -> Result<Expr> {
    let foldable = match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => false,
        ExprKind::Call { function, .. } => function.determinism == Determinism::Deterministic,
        _ => true,
    };
    if !foldable || !expr.children().iter().all(|c| matches!(c.kind, ExprKind::Literal(_))) {
        return Ok(expr);
    }
    let (mut pool, watermarks) = (Pool::default(), Watermarks::default());
    let mut cx = EvalContext {
        pool: &mut pool,
        now_us: 0,
        watermark: crate::batch::BEFORE_TIME,
        watermarks: &watermarks,
    };
    let value = Program::new(&expr)
        .eval_column(&[], 1, Sel::All(1), &mut cx)
        .map_err(|e| Error::planning(e.error.message(), expr.span))?;
    debug_assert_eq!(value.len(), 1);
    Ok(Expr::literal(value, expr.ty, expr.span))
}

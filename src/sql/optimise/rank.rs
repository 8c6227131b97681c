//! Top-N: a filter that bounds ROW_NUMBER from above, and ORDER BY with LIMIT, become a [`RelKind::Rank`].
//!
//! The number stays a column only where something reads it: without it fewer rows change. Where the range is one number, the column is that
//! constant. Both are Flink's rules, and results depend on them: they are the changelog.

use crate::batch::{Schema, TypeKind};
use crate::error::{Error, Result};
use crate::expr::{Expr, ExprKind, constant_column};
use crate::plan::logical::{Rel, RelKind};
use crate::plan::{SortKey, Window, WindowProperty, WindowTime};
use crate::sql::optimise::filter::conjuncts;

/// Rewrites all Top-N of a tree.
///
/// # Errors
/// It is one that no streaming plan exists for.
pub(super) fn recognise(mut rel: Rel) -> Result<Rel> {
    for input in rel.inputs_mut() {
        let taken = std::mem::replace(input, Rel::one_row(input.span));
        *input = recognise(taken)?;
    }
    match rel.kind {
        RelKind::Limit { input, offset, fetch } => limit(*input, offset, fetch, rel.schema, rel.span),
        RelKind::Project { input, exprs } => {
            let (input, exprs) = filtered(*input, exprs)?;
            Ok(Rel { kind: RelKind::Project { input: Box::new(input), exprs }, ..rel })
        }
        _ => Ok(rel),
    }
}

/// LIMIT over a sort, with nothing but projections between.
fn limit(
    input: Rel,
    offset: u64,
    fetch: Option<u64>,
    schema: Schema,
    span: crate::error::Span,
) -> Result<Rel> {
    let mut below = &input;
    while let RelKind::Project { input, .. } = &below.kind {
        below = input;
    }
    if !matches!(below.kind, RelKind::Sort { .. }) {
        return Ok(Rel { kind: RelKind::Limit { input: Box::new(input), offset, fetch }, schema, span });
    }
    let Some(fetch) = fetch else {
        return Err(Error::planning("a sorted stream without end needs a LIMIT", span)
            .hint("add LIMIT or FETCH FIRST: without it every row would have to be kept"));
    };
    Ok(in_place_of(input, &mut |rel| {
        let RelKind::Sort { input, keys } = rel.kind else { unreachable!("the way has been looked at") };
        let range = (offset + 1, offset.saturating_add(fetch));
        rank(*input, vec![], keys, range, false, true, rel.span)
    }))
}

/// Replaces what stands below projections.
fn in_place_of(rel: Rel, with: &mut impl FnMut(Rel) -> Rel) -> Rel {
    match rel.kind {
        RelKind::Project { input, exprs } => {
            let input = Box::new(in_place_of(*input, with));
            Rel { kind: RelKind::Project { input, exprs }, ..rel }
        }
        _ => with(rel),
    }
}

fn rank(
    input: Rel,
    partition: Vec<usize>,
    order: Vec<SortKey>,
    range: (u64, u64),
    number: bool,
    limit: bool,
    span: crate::error::Span,
) -> Rel {
    let mut schema = input.schema.clone();
    schema.fields.extend(number.then(number_field));
    Rel {
        kind: RelKind::Rank { input: Box::new(input), partition, order, range, number, limit, window: None },
        schema,
        span,
    }
}

fn number_field() -> crate::batch::Field {
    crate::batch::Field::new("$number", TypeKind::BigInt.not_null())
}

/// Which columns of `rel` are the number of a row; whether something on the way computes with it.
struct Numbers {
    is: Vec<bool>,
    computed: bool,
    /// The function that numbers.
    function: &'static str,
}

fn numbers(rel: &Rel) -> Option<Numbers> {
    match &rel.kind {
        RelKind::Over { input, calls, .. } => {
            // Beside other calls a number is one of them.
            let [only] = calls.as_slice() else { return None };
            let mut is = vec![false; input.schema.len()];
            is.push(true);
            Some(Numbers { is, computed: false, function: only.number? })
        }
        RelKind::Project { input, exprs } => {
            let below = numbers(input)?;
            let is: Vec<bool> =
                exprs.iter().map(|e| matches!(e.kind, ExprKind::Column(c) if below.is[c])).collect();
            let computed = exprs.iter().zip(&is).any(|(e, is)| !is && reads(e, &below.is));
            Some(Numbers { is, computed: computed || below.computed, ..below })
        }
        _ => None,
    }
}

/// Adds the conditions of `rel` on a row's number that no range came of: those without an upper bound, for which Flink has no plan.
pub(super) fn unbounded(rel: &Rel, found: &mut Vec<crate::error::Span>) {
    if let RelKind::Filter { input, condition } = &rel.kind
        && numbers(input).is_some_and(|n| reads(condition, &n.is))
    {
        found.push(condition.span);
    }
    rel.inputs().into_iter().for_each(|r| unbounded(r, found));
}

fn reads(e: &Expr, columns: &[bool]) -> bool {
    let mut found = false;
    e.for_each_column(&mut |c| found |= columns.get(c).copied().unwrap_or(false));
    found
}

/// What a condition says of the number: at least and at most.
fn bounds(e: &Expr, number: &[bool]) -> Option<(u64, u64)> {
    let ExprKind::Call { function, args } = &e.kind else { return None };
    let [left, right] = args.as_slice() else { return None };
    let (name, value) = match (is_number(left, number), is_number(right, number)) {
        (true, _) => (function.name.to_string(), whole(right)?),
        (_, true) => {
            let turned = match &*function.name {
                "<" => ">",
                "<=" => ">=",
                ">" => "<",
                ">=" => "<=",
                other => other,
            };
            (turned.to_owned(), whole(left)?)
        }
        _ => return None,
    };
    let at = |v: i128| u64::try_from(v.max(0)).unwrap_or(u64::MAX);
    match name.as_str() {
        "=" => Some((at(value), at(value))),
        "<" => Some((1, at(value - 1))),
        "<=" => Some((1, at(value))),
        ">" => Some((at(value + 1), u64::MAX)),
        ">=" => Some((at(value), u64::MAX)),
        _ => None,
    }
}

fn is_number(e: &Expr, number: &[bool]) -> bool {
    match &e.kind {
        ExprKind::Column(c) => number[*c],
        ExprKind::Call { function, args } if &*function.name == "CAST" => {
            e.ty.kind.is_numeric() && args.len() == 1 && is_number(&args[0], number)
        }
        _ => false,
    }
}

/// The value of a whole constant.
fn whole(e: &Expr) -> Option<i128> {
    let ExprKind::Literal(v) = &e.kind else { return None };
    if !v.is_valid(0) {
        return None;
    }
    match (&e.ty.kind, &v.data) {
        (TypeKind::Int, _) => Some(v.slice::<i32>()[0].into()),
        (TypeKind::BigInt, _) => Some(v.slice::<i64>()[0].into()),
        _ => None,
    }
}

/// A filter over a numbering, and what is computed from it.
fn filtered(input: Rel, exprs: Vec<Expr>) -> Result<(Rel, Vec<Expr>)> {
    let RelKind::Filter { input: below, condition } = &input.kind else { return Ok((input, exprs)) };
    let Some(known) = numbers(below) else { return Ok((input, exprs)) };
    let (mut low, mut high, mut rest) = (1, u64::MAX, vec![]);
    for part in conjuncts(condition.clone()) {
        match bounds(&part, &known.is) {
            Some((l, h)) => (low, high) = (low.max(l), high.min(h)),
            None => rest.push(part),
        }
    }
    if high == u64::MAX {
        return Ok((input, exprs));
    }
    let read = known.computed || exprs.iter().chain(&rest).any(|e| reads(e, &known.is));
    let number = read && low < high;
    let RelKind::Filter { input: below, .. } = input.kind else { unreachable!("looked at above") };
    if known.function != "ROW_NUMBER" {
        return Err(Error::planning(
            format!("Top-N by {} over a stream is not possible", known.function),
            below.span,
        )
        .hint("ROW_NUMBER is: ties are numbered as they come"));
    }
    let ranked = in_place_of(*below, &mut |rel| {
        let RelKind::Over { input, partition, order, .. } = rel.kind else { unreachable!("looked at above") };
        let span = rel.span;
        let ranked = match window_of(&input, &partition) {
            Some((window, partition)) => {
                let mut ranked = rank(*input, partition, order, (low, high), number, false, span);
                if let RelKind::Rank { window: of, .. } = &mut ranked.kind {
                    *of = Some(window);
                }
                ranked
            }
            None => rank(*input, partition, order, (low, high), number, false, span),
        };
        let mut made: Vec<Expr> =
            (0..rel.schema.len() - 1).map(|c| Expr::column(c, rel.schema.ty(c).clone(), span)).collect();
        let ty = TypeKind::BigInt.not_null();
        made.push(if number {
            Expr::column(made.len(), ty, span)
        } else {
            let value = constant_column(&ty, |c| {
                c.buffer_mut::<i64>().push(low as i64);
                c.validity.push(true);
            });
            Expr::literal(value, ty, span)
        });
        ranked.project(made, rel.schema.fields.iter().map(|f| f.name.clone()).collect(), span)
    });
    Ok((super::filter::keep(ranked, rest), exprs))
}

/// The windows whose rows the partition numbers, and the partition within a window.
fn window_of(input: &Rel, partition: &[usize]) -> Option<(Window, Vec<usize>)> {
    let is = |c: usize, p| super::window::property(input, c) == Some(p);
    let start = *partition.iter().find(|&&c| is(c, WindowProperty::Start))?;
    let end = *partition.iter().find(|&&c| is(c, WindowProperty::End))?;
    let (kind, grouping, zone) = super::window::shape(input)?;
    let within = partition.iter().copied().filter(|&c| super::window::property(input, c).is_none());
    let time = WindowTime::Attached { start, end };
    Some((Window { kind, time, partition: vec![], grouping, zone }, within.collect()))
}

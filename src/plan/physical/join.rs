//! Joins: which parts of the condition are keys, and what is known of the result.

use super::{Builder, Built, Output, without_time};
use crate::batch::{RowKind, TimeAttribute, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{JoinKind, Rel, joined_schema};
use crate::plan::{Join, JoinKey, NodeId, Op};

/// `left = right`, of expressions over the columns of a side each.
struct Equal {
    sides: [Expr; 2],
    null_safe: bool,
}

impl Builder {
    pub(super) fn join(
        &mut self,
        kind: JoinKind,
        inputs: &[Rel],
        condition: Option<&Expr>,
        rel: &Rel,
    ) -> Result<Built> {
        let [left, right] = inputs else { unreachable!("a join has two inputs") };
        let width = left.schema.len();
        let (mut equal, mut rest) = (vec![], vec![]);
        let parts = condition.map(conjuncts).unwrap_or_default();
        refuse_times(&parts, inputs, rel.span)?;
        for part in parts {
            match equality(&part, width) {
                Some(found) => equal.push(found),
                None => rest.push(part),
            }
        }
        refuse_windows(&equal, inputs, rel.span)?;
        let [a, b] = [0, 1].map(|side| equal.iter().map(|e| e.sides[side].clone()).collect::<Vec<_>>());
        let (from, keys) = self.with_keys(left, a)?;
        let (to, others) = self.with_keys(right, b)?;
        let keys: Vec<JoinKey> = keys
            .into_iter()
            .zip(others)
            .zip(&equal)
            .map(|((left, right), e)| JoinKey { left, right, null_safe: e.null_safe })
            .collect();
        let (l, r) = (self.node(from), self.node(to));
        let moved = l.schema.len();
        let mut condition = all_of(rest);
        if let Some(c) = &mut condition {
            c.map_columns(&|c| if c < width { c } else { c - width + moved });
        }
        let mut changelog = l.changelog.union(r.changelog);
        if kind == JoinKind::Anti || kind.keeps(0) || kind.keeps(1) {
            changelog = changelog.with(RowKind::Delete);
        }
        // At most one partner: a row of the other side stays one row.
        let single = |key: &Option<Vec<usize>>, of: fn(&JoinKey) -> usize| {
            key.as_ref().is_some_and(|k| k.iter().all(|c| keys.iter().any(|j| of(j) == *c)))
        };
        let (lk, rk) = (&l.upsert_key, &r.upsert_key);
        let shifted = || rk.as_ref().map(|k| k.iter().map(|c| c + moved).collect::<Vec<_>>());
        let upsert_key = match kind {
            _ if kind.is_half() => lk.clone(),
            _ if !kind.keeps(1) && single(rk, |k| k.right) => lk.clone(),
            _ if !kind.keeps(0) && single(lk, |k| k.left) => shifted(),
            _ => lk.clone().zip(shifted()).map(|(a, b)| [a, b].concat()),
        };
        let schema = without_time(&joined_schema(kind, &l.schema, &r.schema));
        let output = Output { schema, changelog, upsert_key };
        let node = self.add(Op::Join(Join { kind, keys, condition }), vec![from, to], output, rel.span);
        let columns = (0..rel.schema.len()).map(|c| if c < width { c } else { c - width + moved });
        Ok(Built { node, columns: columns.collect() })
    }

    /// A side with its columns first, and where the keys stand, computed behind them unless they are columns.
    fn with_keys(&mut self, side: &Rel, keys: Vec<Expr>) -> Result<(NodeId, Vec<usize>)> {
        let node = self.exact(side)?;
        let fields = &self.node(node).schema.fields;
        let mut exprs: Vec<Expr> =
            fields.iter().enumerate().map(|(c, f)| Expr::column(c, f.ty.clone(), side.span)).collect();
        let mut names: Vec<String> = fields.iter().map(|f| f.name.clone()).collect();
        let width = exprs.len();
        let mut places = vec![];
        for key in keys {
            match key.kind {
                ExprKind::Column(c) => places.push(c),
                _ => {
                    names.push(format!("$key{}", exprs.len() - width));
                    exprs.push(key);
                    places.push(exprs.len() - 1);
                }
            }
        }
        if exprs.len() == width {
            return Ok((node, places));
        }
        Ok((self.add_project(node, exprs, names, side.span), places))
    }
}

fn conjuncts(e: &Expr) -> Vec<Expr> {
    match &e.kind {
        ExprKind::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        _ => vec![e.clone()],
    }
}

fn all_of(parts: Vec<Expr>) -> Option<Expr> {
    let span = parts.iter().map(|p| p.span).reduce(Span::to)?;
    if let [_] = parts[..] {
        return parts.into_iter().next();
    }
    let ty = TypeKind::Boolean.not_null().with_nullable(parts.iter().any(|p| p.ty.nullable));
    Some(Expr { kind: ExprKind::And(parts), ty, span })
}

/// The side whose columns alone an expression reads; `None`: both, or neither.
fn side_of(e: &Expr, width: usize) -> Option<usize> {
    let mut reads = [false; 2];
    e.for_each_column(&mut |c| reads[usize::from(c >= width)] = true);
    match reads {
        [true, false] => Some(0),
        [false, true] => Some(1),
        _ => None,
    }
}

/// A part of the condition as a key. Floating-point numbers are not found by their bytes.
fn equality(e: &Expr, width: usize) -> Option<Equal> {
    let ExprKind::Call { function, args } = &e.kind else { return None };
    let null_safe = match &*function.name {
        "=" => false,
        "IS NOT DISTINCT FROM" => true,
        _ => return None,
    };
    let [a, b] = &args[..] else { return None };
    let found = (side_of(a, width), side_of(b, width));
    let fits = a.ty.kind == b.ty.kind
        || matches!((&a.ty.kind, &b.ty.kind), (TypeKind::VarChar(_), TypeKind::VarChar(_)));
    let exact = !matches!(a.ty.kind, TypeKind::Float | TypeKind::Double);
    let certain = a.is_deterministic() && b.is_deterministic();
    let (left, mut right) = match found {
        (Some(0), Some(1)) if fits && exact && certain => (a.clone(), b.clone()),
        (Some(1), Some(0)) if fits && exact && certain => (b.clone(), a.clone()),
        _ => return None,
    };
    right.map_columns(&|c| c - width);
    Some(Equal { sides: [left, right], null_safe })
}

/// Bounds on the distance of the event times of both sides make an interval join in Flink: it drops late rows and forgets old ones.
/// A bound at one end alone does not.
fn refuse_times(parts: &[Expr], inputs: &[Rel], span: Span) -> Result<()> {
    let width = inputs[0].schema.len();
    let is_time = |c: usize| {
        let (side, column) = if c < width { (0, c) } else { (1, c - width) };
        inputs[side].schema.ty(column).time != TimeAttribute::None
    };
    let mut bounds = [false; 2];
    for part in parts {
        let ExprKind::Call { function, args } = &part.kind else { continue };
        let mut times = true;
        part.for_each_column(&mut |c| times &= is_time(c));
        let [a, b] = &args[..] else { continue };
        let turned = match (side_of(a, width), side_of(b, width)) {
            (Some(0), Some(1)) => false,
            (Some(1), Some(0)) => true,
            _ => continue,
        };
        match &*function.name {
            _ if !times => {}
            "<" | "<=" => bounds[usize::from(turned)] = true,
            ">" | ">=" => bounds[usize::from(!turned)] = true,
            "=" => bounds = [true; 2],
            _ => {}
        }
    }
    match bounds {
        [true, true] => Err(Error::unsupported("a JOIN by time (an interval join)", span)),
        _ => Ok(()),
    }
}

/// Equal windows on both sides make a window join in Flink, whose rows come when the windows close.
fn refuse_windows(equal: &[Equal], inputs: &[Rel], span: Span) -> Result<()> {
    let name = |side: usize, e: &Expr| match e.kind {
        ExprKind::Column(c) => inputs[side].schema.fields[c].name.clone(),
        _ => String::new(),
    };
    let both = |wanted: &str| equal.iter().any(|e| [0, 1].iter().all(|&s| name(s, &e.sides[s]) == wanted));
    if both("window_start") && both("window_end") {
        return Err(Error::unsupported("a JOIN of windows", span));
    }
    Ok(())
}

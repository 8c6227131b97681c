//! Window aggregation: a GROUP BY whose keys hold both `window_start` and `window_end` of one window table function.
//!
//! Such an aggregate needs no changelog: it emits a key's row when the watermark passes the window. Where nothing between the
//! function and the aggregate looks at the window columns, the function disappears and the aggregate assigns the windows
//! itself, on slices. Otherwise (a filter on `window_start`, a former window aggregate) the rows keep their window, and the
//! aggregate takes it from them.

use crate::batch::Schema;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{AggregateCall, Rel, RelKind};
use crate::plan::{Expand, Window, WindowKind, WindowProperty, WindowTime};

/// Rewrites all window aggregates of a tree.
pub(super) fn recognise(rel: &mut Rel) {
    for input in rel.inputs_mut() {
        recognise(input);
    }
    if let Some(better) = window_aggregate(rel) {
        *rel = better;
    }
}

/// Some window is a session: which rows reach it decides how long it is, so filters go below it before anything else.
pub(super) fn has_sessions(rel: &Rel) -> bool {
    matches!(rel.kind, RelKind::WindowTvf { kind: WindowKind::Session { .. }, .. })
        || rel.inputs().into_iter().any(has_sessions)
}

/// What a column says of a window.
pub(super) fn property(rel: &Rel, column: usize) -> Option<WindowProperty> {
    match &rel.kind {
        RelKind::WindowTvf { input, .. } => match column.checked_sub(input.schema.len())? {
            0 => Some(WindowProperty::Start),
            1 => Some(WindowProperty::End),
            _ => Some(WindowProperty::Time),
        },
        RelKind::WindowAggregate { keys, aggregates, properties, .. } => {
            properties.get(column.checked_sub(keys.len() + aggregates.len())?).copied()
        }
        RelKind::Project { input, exprs } => match exprs[column].kind {
            ExprKind::Column(c) => property(input, c),
            _ => None,
        },
        RelKind::Filter { input, .. } => property(input, column),
        RelKind::Expand { input, spec } if column < input.schema.len() && !spec.keys.contains(&column) => {
            property(input, column)
        }
        RelKind::Over { input, .. } if column < input.schema.len() => property(input, column),
        _ => None,
    }
}

/// The windows that the rows carry, and whether they are of a GROUP BY.
pub(super) fn shape(rel: &Rel) -> Option<(WindowKind, bool, Option<jiff::tz::TimeZone>)> {
    match &rel.kind {
        RelKind::WindowTvf { kind, grouping, zone, .. } => Some((*kind, *grouping, zone.clone())),
        RelKind::WindowAggregate { window, .. } => Some((window.kind, window.grouping, window.zone.clone())),
        RelKind::Project { input, .. }
        | RelKind::Filter { input, .. }
        | RelKind::Expand { input, .. }
        | RelKind::Over { input, .. } => shape(input),
        _ => None,
    }
}

fn window_aggregate(rel: &Rel) -> Option<Rel> {
    let RelKind::Aggregate { input, keys, aggregates, .. } = &rel.kind else { return None };
    let roles: Vec<Option<WindowProperty>> = keys.iter().map(|&k| property(input, k)).collect();
    let key_of = |p| roles.iter().position(|r| *r == Some(p)).map(|i| keys[i]);
    let (start, end) = (key_of(WindowProperty::Start)?, key_of(WindowProperty::End)?);
    let (kind, grouping, zone) = shape(input)?;
    let plain: Vec<usize> = keys.iter().zip(&roles).filter(|(_, r)| r.is_none()).map(|(&k, _)| k).collect();
    let mut properties = vec![];
    for role in roles.iter().flatten() {
        if !properties.contains(role) {
            properties.push(*role);
        }
    }
    let own = assigned(input, &plain, aggregates, kind);
    let (source, keys_in, calls, time) = match own {
        Some(own) => own,
        None => {
            (input.as_ref().clone(), plain.clone(), aggregates.clone(), WindowTime::Attached { start, end })
        }
    };
    let of_rows = matches!((kind, time), (WindowKind::Session { .. }, WindowTime::Attribute(_)));
    let partition = if of_rows { keys_in.clone() } else { vec![] };
    let field_of_key = |k: usize| rel.schema.fields[keys.iter().position(|&x| x == k).unwrap_or(0)].clone();
    let mut fields: Vec<_> = plain.iter().map(|&k| field_of_key(k)).collect();
    fields.extend(rel.schema.fields[keys.len()..].iter().cloned());
    for p in &properties {
        let at = roles.iter().position(|r| r.as_ref() == Some(p))?;
        fields.push(rel.schema.fields[at].clone());
    }
    let made = Rel {
        kind: RelKind::WindowAggregate {
            input: Box::new(source),
            window: Window { kind, time, partition, grouping, zone },
            keys: keys_in,
            aggregates: calls,
            properties: properties.clone(),
        },
        schema: Schema::new(fields),
        span: rel.span,
    };
    // Back to the order of the GROUP BY.
    let first = plain.len() + aggregates.len();
    let mut order = vec![];
    for (&k, role) in keys.iter().zip(&roles) {
        order.push(match role {
            None => plain.iter().position(|&x| x == k)?,
            Some(p) => first + properties.iter().position(|x| x == p)?,
        });
    }
    order.extend(plain.len()..first);
    let exprs = order.iter().zip(&rel.schema.fields).map(|(&c, f)| Expr::column(c, f.ty.clone(), rel.span));
    let names = rel.schema.fields.iter().map(|f| f.name.clone());
    Some(made.project(exprs.collect(), names.collect(), rel.span))
}

type Assigned = (Rel, Vec<usize>, Vec<AggregateCall>, WindowTime);

/// The aggregate's input without the window function, with keys and calls in its columns. `None` where something looks at the
/// windows, where their size is no multiple of the slide, or where sessions are of other keys.
fn assigned(input: &Rel, keys: &[usize], calls: &[AggregateCall], kind: WindowKind) -> Option<Assigned> {
    let session = matches!(kind, WindowKind::Session { .. });
    // Windows whose size is no multiple of the slide have no common slices.
    if matches!(kind, WindowKind::Hop { size, slide, .. } if size % slide != 0) {
        return None;
    }
    let Stripped { rel, place, time, partition } = strip(input)?;
    let keys = keys.iter().map(|&k| place[k]).collect::<Option<Vec<_>>>()?;
    let same_keys =
        || keys.iter().all(|k| partition.contains(k)) && partition.iter().all(|p| keys.contains(p));
    if session && !same_keys() {
        return None;
    }
    let mut calls = calls.to_vec();
    for call in &mut calls {
        for a in call.args.iter_mut().chain(&mut call.filter) {
            *a = place[*a]?;
        }
    }
    Some((rel, keys, calls, WindowTime::Attribute(time)))
}

/// A relation over the input of the window function.
struct Stripped {
    rel: Rel,
    /// Where each former column stands; `None`: a window column.
    place: Vec<Option<usize>>,
    /// The time attribute.
    time: usize,
    /// The keys of sessions.
    partition: Vec<usize>,
}

fn strip(rel: &Rel) -> Option<Stripped> {
    match &rel.kind {
        RelKind::WindowTvf { input, time, partition, .. } => {
            let place = (0..input.schema.len()).map(Some).chain([None; 3]).collect();
            let (rel, partition) = (input.as_ref().clone(), partition.clone());
            Some(Stripped { rel, place, time: *time, partition })
        }
        RelKind::Filter { input, condition } => {
            let inner = strip(input)?;
            let condition = moved(condition, &inner.place)?;
            Some(Stripped { rel: inner.rel.filter(condition), ..inner })
        }
        RelKind::Expand { input, spec } => {
            let inner = strip(input)?;
            let width = inner.rel.schema.len();
            let keys = spec.keys.iter().map(|&k| inner.place[k]).collect::<Option<Vec<_>>>()?;
            // What is left out in some set is no key of sessions, nor a time.
            if keys.contains(&inner.time) || keys.iter().any(|k| inner.partition.contains(k)) {
                return None;
            }
            let mut fields = inner.rel.schema.fields.clone();
            keys.iter().for_each(|&k| fields[k].ty.nullable = true);
            let numbers = &rel.schema.fields[input.schema.len()..];
            fields.extend(numbers.iter().cloned());
            let mut place = inner.place;
            place.extend((0..numbers.len()).map(|i| Some(width + i)));
            let spec = Expand { keys, sets: spec.sets.clone() };
            let kind = RelKind::Expand { input: Box::new(inner.rel), spec };
            let rel = Rel { kind, schema: Schema::new(fields), span: rel.span };
            Some(Stripped { rel, place, time: inner.time, partition: inner.partition })
        }
        RelKind::Project { input, exprs } => {
            let inner = strip(input)?;
            let (mut kept, mut names, mut place) = (vec![], vec![], vec![]);
            for (e, field) in exprs.iter().zip(&rel.schema.fields) {
                if matches!(e.kind, ExprKind::Column(c) if inner.place[c].is_none()) {
                    place.push(None);
                    continue;
                }
                place.push(Some(kept.len()));
                kept.push(moved(e, &inner.place)?);
                names.push(field.name.clone());
            }
            let mut column = |column: usize| {
                let is_it = |e: &Expr| matches!(e.kind, ExprKind::Column(c) if c == column);
                kept.iter().position(is_it).unwrap_or_else(|| {
                    let field = &inner.rel.schema.fields[column];
                    kept.push(Expr::column(column, field.ty.clone(), rel.span));
                    names.push(field.name.clone());
                    kept.len() - 1
                })
            };
            let time = column(inner.time);
            let partition = inner.partition.iter().map(|&c| column(c)).collect();
            let rel = inner.rel.project(kept, names, rel.span);
            Some(Stripped { rel, place, time, partition })
        }
        _ => None,
    }
}

/// The expression over the columns' new places; `None` when it reads a window column.
fn moved(e: &Expr, place: &[Option<usize>]) -> Option<Expr> {
    let mut all = true;
    e.for_each_column(&mut |c| all &= place[c].is_some());
    if !all {
        return None;
    }
    let mut e = e.clone();
    e.map_columns(&|c| place[c].unwrap_or(usize::MAX));
    Some(e)
}

//! Columns that nobody reads go: from projections, from aggregates (as Flink's rule does, whose aggregate without calls is a DISTINCT), and in
//! the end from the scans, so that formats decode only what a query needs.

use crate::batch::Schema;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{OverCall, Rel, RelKind};
use crate::plan::{CellKind, SortKey};
use std::collections::BTreeSet;

/// Prunes a sink's relation, or any other whose columns all count.
pub(super) fn prune(rel: Rel) -> Rel {
    match rel.kind {
        RelKind::Sink { input, spec, info } => {
            let input = Box::new(all_of(*input));
            Rel { kind: RelKind::Sink { input, spec, info }, ..rel }
        }
        _ => all_of(rel),
    }
}

/// A relation with some of its former columns, and where each of those stands.
struct Pruned {
    rel: Rel,
    place: Vec<Option<usize>>,
}

impl Pruned {
    fn at(&self, column: usize) -> usize {
        self.place[column].expect("a column that was asked for")
    }

    fn map(&self, columns: &mut [usize]) {
        columns.iter_mut().for_each(|c| *c = self.at(*c));
    }
}

fn identity(rel: Rel) -> Pruned {
    let place = (0..rel.schema.len()).map(Some).collect();
    Pruned { rel, place }
}

/// The relation with the same columns, pruned below.
fn all_of(rel: Rel) -> Rel {
    let schema = rel.schema.clone();
    let columns: Vec<usize> = (0..schema.len()).collect();
    let mut rel = exactly(rel, &columns);
    rel.schema = schema;
    rel
}

/// Just these columns, in this order.
fn exactly(rel: Rel, columns: &[usize]) -> Rel {
    let wanted = rel.schema.fields.clone();
    let pruned = need(rel, &columns.iter().copied().collect());
    let places: Vec<usize> = columns.iter().map(|&c| pruned.at(c)).collect();
    if places.len() == pruned.rel.schema.len() && places.iter().enumerate().all(|(i, &p)| i == p) {
        return pruned.rel;
    }
    let span = pruned.rel.span;
    let exprs = columns.iter().zip(&places).map(|(&c, &p)| Expr::column(p, wanted[c].ty.clone(), span));
    let names = columns.iter().map(|&c| wanted[c].name.clone());
    pruned.rel.project(exprs.collect(), names.collect(), span)
}

/// At least the columns of `needed`.
fn need(rel: Rel, needed: &BTreeSet<usize>) -> Pruned {
    match rel.kind {
        RelKind::Scan(mut scan) => {
            let mut kept: Vec<usize> = needed.iter().copied().collect();
            // The time attribute is read anyway; else the rows are counted without a column.
            if let (true, Some((time, _))) = (kept.is_empty(), &scan.watermark) {
                kept.extend(scan.output.iter().position(|c| c == time));
            }
            let place = places(&kept, scan.output.len());
            scan.output = kept.iter().map(|&i| scan.output[i]).collect();
            let schema = scan.schema();
            Pruned { rel: Rel { kind: RelKind::Scan(scan), schema, ..rel }, place }
        }
        RelKind::Aside(_) => {
            let place = places(&(0..rel.schema.len()).collect::<Vec<_>>(), rel.schema.len());
            Pruned { rel, place }
        }
        RelKind::Values { columns } => {
            let mut kept: Vec<usize> = needed.iter().copied().collect();
            if kept.is_empty() {
                kept.push(0);
            }
            let place = places(&kept, columns.len());
            let columns = kept.iter().map(|&i| columns[i].clone()).collect();
            let mut schema = rel.schema;
            schema.fields = kept.iter().map(|&i| schema.fields[i].clone()).collect();
            Pruned { rel: Rel { kind: RelKind::Values { columns }, schema, span: rel.span }, place }
        }
        RelKind::Filter { input, mut condition } => {
            let mut below = needed.clone();
            reads(&condition, &mut below);
            let input = need(*input, &below);
            condition.map_columns(&|c| input.at(c));
            let schema = input.rel.schema.clone();
            let kind = RelKind::Filter { input: Box::new(input.rel), condition };
            Pruned { rel: Rel { kind, schema, span: rel.span }, place: input.place }
        }
        RelKind::Project { input, exprs } => {
            let mut kept: Vec<usize> = needed.iter().copied().collect();
            if kept.is_empty() {
                let cheapest =
                    exprs.iter().position(|e| matches!(e.kind, ExprKind::Literal(_) | ExprKind::Column(_)));
                kept.push(cheapest.unwrap_or(0));
            }
            let place = places(&kept, exprs.len());
            let mut fields = rel.schema.fields;
            fields = kept.iter().map(|&i| fields[i].clone()).collect();
            let mut exprs: Vec<Expr> = kept.iter().map(|&i| exprs[i].clone()).collect();
            let mut below = BTreeSet::new();
            exprs.iter().for_each(|e| reads(e, &mut below));
            let input = need(*input, &below);
            exprs.iter_mut().for_each(|e| e.map_columns(&|c| input.at(c)));
            let kind = RelKind::Project { input: Box::new(input.rel), exprs };
            let schema = crate::batch::Schema::new(fields);
            Pruned { rel: Rel { kind, schema, span: rel.span }, place }
        }
        RelKind::Aggregate { input, mut keys, aggregates, ttl_ms } => {
            let kept = kept_calls(needed, keys.len(), aggregates.len(), keys.is_empty());
            let place = call_places(keys.len(), aggregates.len(), &kept, 0, &[]);
            let mut aggregates: Vec<_> = kept.iter().map(|&i| aggregates[i].clone()).collect();
            let mut below: BTreeSet<usize> = keys.iter().copied().collect();
            aggregates.iter().for_each(|a| below.extend(a.args.iter().chain(&a.filter)));
            let input = need(*input, &below);
            input.map(&mut keys);
            for a in &mut aggregates {
                input.map(&mut a.args);
                a.filter = a.filter.map(|f| input.at(f));
            }
            let schema = kept_schema(&rel.schema, &place);
            let kind = RelKind::Aggregate { input: Box::new(input.rel), keys, aggregates, ttl_ms };
            Pruned { rel: Rel { kind, schema, span: rel.span }, place }
        }
        RelKind::WindowAggregate { input, mut window, mut keys, aggregates, properties } => {
            let first = keys.len() + aggregates.len();
            let kept = kept_calls(needed, keys.len(), aggregates.len(), false);
            let mut said: Vec<usize> =
                (0..properties.len()).filter(|i| needed.contains(&(first + i))).collect();
            if keys.is_empty() && kept.is_empty() && said.is_empty() && !properties.is_empty() {
                said.push(0);
            }
            let place = call_places(keys.len(), aggregates.len(), &kept, properties.len(), &said);
            let mut aggregates: Vec<_> = kept.iter().map(|&i| aggregates[i].clone()).collect();
            let properties = said.iter().map(|&i| properties[i]).collect();
            let mut below: BTreeSet<usize> = keys.iter().copied().collect();
            aggregates.iter().for_each(|a| below.extend(a.args.iter().chain(&a.filter)));
            match window.time {
                crate::plan::WindowTime::Attribute(c) => drop(below.insert(c)),
                crate::plan::WindowTime::Attached { start, end } => below.extend([start, end]),
                crate::plan::WindowTime::Clock => {}
            }
            let input = need(*input, &below);
            input.map(&mut keys);
            for a in &mut aggregates {
                input.map(&mut a.args);
                a.filter = a.filter.map(|f| input.at(f));
            }
            match &mut window.time {
                crate::plan::WindowTime::Attribute(c) => *c = input.at(*c),
                crate::plan::WindowTime::Attached { start, end } => {
                    (*start, *end) = (input.at(*start), input.at(*end));
                }
                crate::plan::WindowTime::Clock => {}
            }
            let schema = kept_schema(&rel.schema, &place);
            let kind =
                RelKind::WindowAggregate { input: Box::new(input.rel), window, keys, aggregates, properties };
            Pruned { rel: Rel { kind, schema, span: rel.span }, place }
        }
        RelKind::Expand { input, mut spec } => {
            let columns = input.schema.len();
            let mut below: BTreeSet<usize> = needed.iter().copied().filter(|&c| c < columns).collect();
            below.extend(&spec.keys);
            let input = need(*input, &below);
            input.map(&mut spec.keys);
            let width = input.rel.schema.len();
            let mut fields = input.rel.schema.fields.clone();
            spec.keys.iter().for_each(|&k| fields[k].ty.nullable = true);
            fields.extend(rel.schema.fields[columns..].iter().cloned());
            let mut place = input.place.clone();
            place.extend((0..rel.schema.len() - columns).map(|i| Some(width + i)));
            let kind = RelKind::Expand { input: Box::new(input.rel), spec };
            Pruned { rel: Rel { kind, schema: Schema::new(fields), span: rel.span }, place }
        }
        RelKind::Correlate { input, mut call } => {
            let columns = input.schema.len();
            let mut below: BTreeSet<usize> = needed.range(..columns).copied().collect();
            below.extend(&call.args);
            let input = need(*input, &below);
            input.map(&mut call.args);
            let width = input.rel.schema.len();
            let mut fields = input.rel.schema.fields.clone();
            fields.extend(rel.schema.fields[columns..].iter().cloned());
            let mut place = input.place.clone();
            place.extend((0..rel.schema.len() - columns).map(|i| Some(width + i)));
            let kind = RelKind::Correlate { input: Box::new(input.rel), call };
            Pruned { rel: Rel { kind, schema: Schema::new(fields), span: rel.span }, place }
        }
        RelKind::Unnest { input, mut spec } => {
            let old = spec.kept.clone();
            let is_needed = |n: &usize| needed.contains(n);
            spec.kept = (0..old.len()).filter(is_needed).map(|n| old[n]).collect();
            let below: BTreeSet<usize> = spec.kept.iter().copied().chain([spec.collection]).collect();
            let input = need(*input, &below);
            input.map(&mut spec.kept);
            spec.collection = input.at(spec.collection);
            let (mut place, mut fields) = (vec![], vec![]);
            for (n, field) in rel.schema.fields.iter().enumerate() {
                let stays = n >= old.len() || is_needed(&n);
                place.push(stays.then_some(fields.len()));
                if stays {
                    fields.push(field.clone());
                }
            }
            let kind = RelKind::Unnest { input: Box::new(input.rel), spec };
            Pruned { rel: Rel { kind, schema: Schema::new(fields), span: rel.span }, place }
        }
        RelKind::WindowTvf { input, time, kind, partition, grouping, zone } => {
            let columns = input.schema.len();
            let mut below: BTreeSet<usize> = needed.iter().copied().filter(|&c| c < columns).collect();
            below.insert(time);
            below.extend(&partition);
            let input = need(*input, &below);
            let partition = partition.into_iter().map(|c| input.at(c)).collect();
            let mut place = input.place.clone();
            place.extend((0..3).map(|i| Some(input.rel.schema.len() + i)));
            let time = input.at(time);
            let window = input.rel.window(time, kind, partition, zone, rel.span);
            Pruned { rel: if grouping { window.grouped_by_window() } else { window }, place }
        }
        RelKind::CountTvf { input, mut window } => {
            let columns = input.schema.len();
            let mut below: BTreeSet<usize> = needed.range(..columns).copied().collect();
            below.extend(&window.keys);
            let input = need(*input, &below);
            input.map(&mut window.keys);
            let mut place = input.place.clone();
            place.push(Some(input.rel.schema.len()));
            Pruned { rel: input.rel.count_window(window, rel.span), place }
        }
        RelKind::CountAggregate { input, mut window, aggregates } => {
            let keys = window.keys.len();
            let kept = kept_calls(needed, keys, aggregates.len(), false);
            let place = call_places(keys, aggregates.len(), &kept, 1, &[0]);
            let mut aggregates: Vec<_> = kept.iter().map(|&i| aggregates[i].clone()).collect();
            let mut below: BTreeSet<usize> = window.keys.iter().copied().collect();
            aggregates.iter().for_each(|a| below.extend(a.args.iter().chain(&a.filter)));
            let input = need(*input, &below);
            input.map(&mut window.keys);
            for a in &mut aggregates {
                input.map(&mut a.args);
                a.filter = a.filter.map(|f| input.at(f));
            }
            let schema = kept_schema(&rel.schema, &place);
            let kind = RelKind::CountAggregate { input: Box::new(input.rel), window, aggregates };
            Pruned { rel: Rel { kind, schema, span: rel.span }, place }
        }
        RelKind::Union { inputs } => {
            let mut kept: Vec<usize> = needed.iter().copied().collect();
            if kept.is_empty() {
                kept.push(0);
            }
            let place = places(&kept, rel.schema.len());
            let inputs = inputs.into_iter().map(|i| exactly(i, &kept)).collect();
            let schema = kept_schema(&rel.schema, &place);
            Pruned { rel: Rel { kind: RelKind::Union { inputs }, schema, span: rel.span }, place }
        }
        RelKind::Sort { input, mut keys } => {
            let mut below = needed.clone();
            below.extend(keys.iter().map(|k| k.column));
            let input = need(*input, &below);
            keys.iter_mut().for_each(|k| k.column = input.at(k.column));
            let schema = input.rel.schema.clone();
            let kind = RelKind::Sort { input: Box::new(input.rel), keys };
            Pruned { rel: Rel { kind, schema, span: rel.span }, place: input.place }
        }
        RelKind::Over { input, partition, order, calls } => {
            let width = input.schema.len();
            let kept: Vec<usize> = (0..calls.len()).filter(|i| needed.contains(&(width + i))).collect();
            if kept.is_empty() {
                let mut input = need(*input, needed);
                input.place.resize(width + calls.len(), None);
                return input;
            }
            let mut calls: Vec<OverCall> = kept.iter().map(|&i| calls[i].clone()).collect();
            let mut below: BTreeSet<usize> = needed.range(..width).copied().collect();
            calls.iter().for_each(|c| below.extend(c.aggregate.args.iter().chain(&c.aggregate.filter)));
            let (input, partition, order) = numbered(*input, &below, width, partition, order);
            let mut place = input.place.clone();
            place.resize(rel.schema.len(), None);
            let mut schema = input.rel.schema.clone();
            for (c, &old) in calls.iter_mut().zip(&kept) {
                input.map(&mut c.aggregate.args);
                c.aggregate.filter = c.aggregate.filter.map(|f| input.at(f));
                place[width + old] = Some(schema.len());
                schema.fields.push(rel.schema.fields[width + old].clone());
            }
            let kind = RelKind::Over { input: Box::new(input.rel), partition, order, calls };
            Pruned { rel: Rel { kind, schema, span: rel.span }, place }
        }
        RelKind::Match { input, spec } => {
            let mut below = BTreeSet::new();
            below.extend(spec.partition.iter().copied().chain(spec.then.iter().map(|k| k.column)));
            if let crate::plan::MatchTime::Rowtime(time) = spec.time {
                below.insert(time);
            }
            for cell in spec.cells() {
                match &cell.kind {
                    CellKind::Value { column, .. } => drop(below.insert(*column)),
                    CellKind::Aggregate { call, .. } => below.extend(call.args.iter().chain(&call.filter)),
                    CellKind::Time => {}
                }
            }
            let input = need(*input, &below);
            let spec = spec.map(&|c| input.at(c), &|mut call| {
                input.map(&mut call.args);
                call.filter = call.filter.map(|f| input.at(f));
                call
            });
            let kind = RelKind::Match { input: Box::new(input.rel), spec: Box::new(spec) };
            identity(Rel { kind, ..rel })
        }
        RelKind::Rank { input, partition, order, range, number, limit, mut window } => {
            let width = input.schema.len();
            let mut below: BTreeSet<usize> = needed.range(..width).copied().collect();
            if let Some(crate::plan::WindowTime::Attached { start, end }) = window.as_ref().map(|w| w.time) {
                below.extend([start, end]);
            }
            let (input, partition, order) = numbered(*input, &below, width, partition, order);
            if let Some(w) = &mut window
                && let crate::plan::WindowTime::Attached { start, end } = w.time
            {
                let (start, end) = (input.at(start), input.at(end));
                w.time = crate::plan::WindowTime::Attached { start, end };
            }
            let mut place = input.place.clone();
            let mut schema = input.rel.schema.clone();
            if number {
                place.push(Some(schema.len()));
                schema.fields.push(rel.schema.fields[width].clone());
            }
            let input = Box::new(input.rel);
            let kind = RelKind::Rank { input, partition, order, range, number, limit, window };
            Pruned { rel: Rel { kind, schema, span: rel.span }, place }
        }
        RelKind::Limit { input, offset, fetch } => {
            let input = need(*input, needed);
            let schema = input.rel.schema.clone();
            let kind = RelKind::Limit { input: Box::new(input.rel), offset, fetch };
            Pruned { rel: Rel { kind, schema, span: rel.span }, place: input.place }
        }
        // Every column decides which rows are the same.
        RelKind::SetOperation { kind, all, inputs } => {
            let inputs = inputs.into_iter().map(all_of).collect();
            identity(Rel { kind: RelKind::SetOperation { kind, all, inputs }, ..rel })
        }
        RelKind::Join { kind, inputs, mut condition } => {
            let width = inputs[0].schema.len();
            let mut below = needed.clone();
            condition.iter().for_each(|c| reads(c, &mut below));
            let right: BTreeSet<usize> = below.split_off(&width).into_iter().map(|c| c - width).collect();
            let mut inputs = inputs.into_iter();
            let (left, right) = match (inputs.next(), inputs.next()) {
                (Some(l), Some(r)) => (need(l, &below), need(r, &right)),
                _ => unreachable!("a join has two inputs"),
            };
            let moved = left.rel.schema.len();
            let mut place = left.place;
            place.extend(right.place.iter().map(|p| p.map(|c| c + moved)));
            if let Some(c) = &mut condition {
                c.map_columns(&|c| place[c].expect("the condition's columns are kept"));
            }
            place.truncate(rel.schema.len());
            Pruned { rel: left.rel.join(kind, right.rel, condition, rel.span), place }
        }
        RelKind::Sink { .. } => identity(prune(rel)),
    }
}

/// The input of a numbering, whose number is column `number`, and the numbering's columns in it.
fn numbered(
    input: Rel,
    needed: &BTreeSet<usize>,
    number: usize,
    mut partition: Vec<usize>,
    mut order: Vec<SortKey>,
) -> (Pruned, Vec<usize>, Vec<SortKey>) {
    let mut below: BTreeSet<usize> = needed.iter().copied().filter(|&c| c < number).collect();
    below.extend(&partition);
    below.extend(order.iter().map(|k| k.column));
    let input = need(input, &below);
    input.map(&mut partition);
    order.iter_mut().for_each(|k| k.column = input.at(k.column));
    (input, partition, order)
}

fn reads(e: &Expr, into: &mut BTreeSet<usize>) {
    e.for_each_column(&mut |c| {
        into.insert(c);
    });
}

/// The new numbers of `columns` columns of which `kept` stay.
fn places(kept: &[usize], columns: usize) -> Vec<Option<usize>> {
    let mut place = vec![None; columns];
    for (new, &old) in kept.iter().enumerate() {
        place[old] = Some(new);
    }
    place
}

/// The aggregate calls that are read. A global aggregate keeps one: its row counts.
fn kept_calls(needed: &BTreeSet<usize>, keys: usize, calls: usize, global: bool) -> Vec<usize> {
    let kept: Vec<usize> = (0..calls).filter(|i| needed.contains(&(keys + i))).collect();
    if kept.is_empty() && global && calls > 0 { vec![0] } else { kept }
}

fn call_places(
    keys: usize,
    calls: usize,
    kept: &[usize],
    properties: usize,
    said: &[usize],
) -> Vec<Option<usize>> {
    let all: Vec<usize> =
        (0..keys).chain(kept.iter().map(|i| keys + i)).chain(said.iter().map(|i| keys + calls + i)).collect();
    places(&all, keys + calls + properties)
}

fn kept_schema(schema: &crate::batch::Schema, place: &[Option<usize>]) -> crate::batch::Schema {
    let kept = schema.fields.iter().zip(place).filter(|(_, p)| p.is_some());
    crate::batch::Schema::new(kept.map(|(f, _)| f.clone()).collect())
}

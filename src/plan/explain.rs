//! Plans as text, printed from the data that runs.
//!
//! [`explain`] is for people: the logical tree, then each node of the graph with its columns, row kinds, keys, watermark and state.
//! [`digest`] is for the planner: equal digests mean equal operations. Both print expressions by the same code, with the names of the
//! input's columns for people, and with types and column numbers for digests.

mod expression;

pub use expression::expr_text;

use super::logical::{AggregateCall, ColumnSource, OverCall, Rel, RelKind};
use super::{
    Aggregate, Changelog, Correlate, CountWindow, Exchange, Expand, Frame, Graph, Node, NodeId, Op,
    OverOrder, Phase, Place, SetOperation, SortKey, Unnest, Window, WindowKind, WindowTime,
};
use crate::batch::{Encoder, Field, Schema};
use crate::expr::Expr;
use expression::{Names, write_expr};
use std::fmt::Write as _;

/// The logical trees, one a sink, and the graph.
pub fn explain(logical: &[Rel], graph: &Graph) -> String {
    let mut out = String::from("== Logical plan ==\n");
    for rel in logical {
        write_rel(rel, 0, &mut out);
    }
    out.push_str("\n== Physical plan ==\n");
    for (n, node) in graph.nodes.iter().enumerate() {
        write_node(graph, NodeId(n), node, &mut out);
    }
    out
}

fn names_of(columns: &[usize], schema: &Schema) -> String {
    let name = |&c: &usize| schema.fields.get(c).map_or_else(|| format!("${c}"), |f| f.name.clone());
    columns.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn columns_text(schema: &Schema) -> String {
    schema.fields.iter().map(|f| format!("{} {}", f.name, f.ty)).collect::<Vec<_>>().join(", ")
}

fn aggregate_text(
    name: &str,
    args: &[usize],
    distinct: bool,
    filter: Option<usize>,
    input: &Schema,
) -> String {
    let function = name.split('(').next().unwrap_or(name);
    let args = if args.is_empty() { "*".to_owned() } else { names_of(args, input) };
    let distinct = if distinct { "DISTINCT " } else { "" };
    let filter = filter.map_or(String::new(), |f| format!(" FILTER (WHERE {})", names_of(&[f], input)));
    format!("{function}({distinct}{args}){filter}")
}

/// An aggregate with its frame.
fn over_text(
    name: &str,
    args: &[usize],
    distinct: bool,
    filter: Option<usize>,
    frame: Frame,
    input: &Schema,
) -> String {
    let call = match name.strip_suffix("()") {
        Some(_) => name.to_owned(),
        None => aggregate_text(name, args, distinct, filter, input),
    };
    let frame = match frame {
        Frame::Rows(None) => "all rows".to_owned(),
        Frame::Rows(Some(n)) => format!("{n} rows before"),
        Frame::Range(None) => "all rows and equal ones".to_owned(),
        Frame::Range(Some(ms)) => format!("{} before", duration(ms)),
        Frame::Sliced { reach, slice } => {
            format!("{} before in slices of {}", duration(reach), duration(slice))
        }
    };
    format!("{call} over {frame}")
}

fn sort_text(keys: &[SortKey], input: &Schema) -> String {
    let key = |k: &SortKey| {
        format!(
            "{} {} NULLS {}",
            names_of(&[k.column], input),
            if k.descending { "DESC" } else { "ASC" },
            if k.nulls_first { "FIRST" } else { "LAST" }
        )
    };
    keys.iter().map(key).collect::<Vec<_>>().join(", ")
}

fn window_text(kind: WindowKind, zone: Option<&jiff::tz::TimeZone>) -> String {
    let offset = |ms: i64| if ms == 0 { String::new() } else { format!(", offset {}", duration(ms)) };
    let mut text = match kind {
        WindowKind::Tumble { size, offset: o } => format!("TUMBLE({}{})", duration(size), offset(o)),
        WindowKind::Hop { size, slide, offset: o } => {
            format!("HOP({} every {}{})", duration(size), duration(slide), offset(o))
        }
        WindowKind::Cumulate { size, step, offset: o } => {
            format!("CUMULATE({} by {}{})", duration(size), duration(step), offset(o))
        }
        WindowKind::Session { gap } => format!("SESSION(gap {})", duration(gap)),
    };
    if let Some(zone) = zone {
        let _ = write!(text, " in {}", zone.iana_name().unwrap_or("a fixed zone"));
    }
    text
}

fn duration(ms: i64) -> String {
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)] {
        if ms != 0 && ms % size == 0 {
            return format!("{} {unit}", ms / size);
        }
    }
    format!("{ms} ms")
}

// ---- the logical tree

fn write_rel(rel: &Rel, depth: usize, out: &mut String) {
    let _ = writeln!(out, "{:1$}{2}", "", depth * 2, rel_text(rel));
    rel.inputs().into_iter().for_each(|r| write_rel(r, depth + 1, out));
}

fn rel_text(rel: &Rel) -> String {
    let inputs = rel.inputs();
    let empty = Schema::default();
    let input = inputs.first().map_or(&empty, |r| &r.schema);
    let calls = |calls: &[AggregateCall]| {
        let text = |a: &AggregateCall| aggregate_text(&a.name, &a.args, a.distinct, a.filter, input);
        calls.iter().map(text).collect::<Vec<_>>().join(", ")
    };
    match &rel.kind {
        RelKind::Scan(scan) => {
            let mut text = format!("Scan {} [{}]", scan.path, names_of_schema(&rel.schema));
            let all = Schema::new(scan.columns.iter().map(|c| c.field.clone()).collect());
            for &c in &scan.output {
                if let ColumnSource::Computed(e) = &scan.columns[c].from {
                    let _ = write!(text, " {} = {}", scan.columns[c].field.name, expr_text(e, &all));
                }
            }
            if let Some((column, e)) = &scan.watermark {
                let _ =
                    write!(text, " watermark {} = {}", scan.columns[*column].field.name, expr_text(e, &all));
            }
            text
        }
        RelKind::Values { columns } => {
            format!(
                "Values {} rows [{}]",
                columns.first().map_or(1, |c| c.len()),
                names_of_schema(&rel.schema)
            )
        }
        RelKind::Aside(aside) => aside.name().to_owned(),
        RelKind::Filter { condition, .. } => format!("Filter {}", expr_text(condition, input)),
        RelKind::Project { exprs, .. } => format!("Project {}", project_text(exprs, &rel.schema, input)),
        RelKind::Aggregate { keys, aggregates, .. } if aggregates.is_empty() => {
            format!("Distinct [{}]", names_of(keys, input))
        }
        RelKind::Aggregate { keys, aggregates, .. } => {
            format!("Aggregate by [{}]: {}", names_of(keys, input), calls(aggregates))
        }
        RelKind::Expand { spec, .. } => expand_text(spec, input),
        RelKind::Unnest { spec, .. } => unnest_text(spec, input),
        RelKind::Correlate { call, .. } => correlate_text(call, input),
        RelKind::WindowTvf { time, kind, partition, zone, .. } => {
            let text = window_text(*kind, zone.as_ref());
            format!("Window {text} on {}{}", names_of(&[*time], input), session_keys(partition, input))
        }
        RelKind::CountTvf { window, .. } => count_text(window, input),
        RelKind::CountAggregate { window, aggregates, .. } => {
            format!("{}: {}", count_text(window, input), calls(aggregates))
        }
        RelKind::WindowAggregate { window, keys, aggregates, properties, .. } => format!(
            "WindowAggregate {} by [{}]: {} with {properties:?}",
            window_on(window, input),
            names_of(keys, input),
            calls(aggregates)
        ),
        RelKind::Join { kind, condition, .. } => {
            let both = &rel.schema;
            let on = condition.as_ref().map_or(String::new(), |c| format!(" ON {}", expr_text(c, both)));
            format!("{kind:?}Join{on}")
        }
        RelKind::Union { inputs } => format!("UnionAll of {}", inputs.len()),
        RelKind::SetOperation { kind, all, .. } => set_text(*kind, *all),
        RelKind::Over { partition, order, calls, .. } => {
            let text = |c: &OverCall| {
                let a = &c.aggregate;
                over_text(&a.name, &a.args, a.distinct, a.filter, c.frame, input)
            };
            let calls = calls.iter().map(text).collect::<Vec<_>>().join(", ");
            format!("Over by [{}] {}: {calls}", names_of(partition, input), sort_text(order, input))
        }
        RelKind::Match { spec, .. } => {
            format!("Match {}", spec.describe(input, &rel.schema, &|a| a.name.clone(), &expr_text))
        }
        RelKind::Rank { partition, order, range, number, window, .. } => {
            let number = if *number { ", numbered" } else { "" };
            let by = names_of(partition, input);
            let of = window.as_ref().map_or(String::new(), |w| format!(" of {}", window_on(w, input)));
            format!("Rank {} to {}{of} by [{by}] {}{number}", range.0, range.1, sort_text(order, input))
        }
        RelKind::Sort { keys, .. } => format!("Sort {}", sort_text(keys, input)),
        RelKind::Limit { offset, fetch, .. } => limit_text(*offset, *fetch),
        RelKind::Sink { spec, .. } => match &spec.table {
            Some(t) => format!("Sink {} [{}]", t.name, columns_text(&rel.schema)),
            None => format!("Result [{}]", columns_text(&rel.schema)),
        },
    }
}

/// `COUNT_WINDOW(5 rows by 2) by [k]`.
fn count_text(window: &CountWindow, input: &Schema) -> String {
    let CountWindow { size, slide, keys } = window;
    let by = if slide == size { String::new() } else { format!(" by {slide}") };
    format!("COUNT_WINDOW({size} rows{by}) by [{}]", names_of(keys, input))
}

fn names_of_schema(schema: &Schema) -> String {
    schema.fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn project_text(exprs: &[Expr], output: &Schema, input: &Schema) -> String {
    let one = |(e, name): (&Expr, &str)| {
        let text = expr_text(e, input);
        if text == name { text } else { format!("{text} AS {name}") }
    };
    exprs.iter().zip(output.fields.iter().map(|f| f.name.as_str())).map(one).collect::<Vec<_>>().join(", ")
}

fn expand_text(spec: &Expand, input: &Schema) -> String {
    let sets = spec.sets.iter().map(|set| {
        let has = spec.keys.iter().zip(&set.keys).filter(|(_, has)| **has);
        format!("({})", names_of(&has.map(|(&k, _)| k).collect::<Vec<_>>(), input))
    });
    format!("Expand {}", sets.collect::<Vec<_>>().join(" "))
}

fn correlate_text(call: &Correlate, input: &Schema) -> String {
    let optional = if call.optional { ", or NULLs" } else { "" };
    format!("Correlate {}({}){optional}", call.name, names_of(&call.args, input))
}

fn unnest_text(spec: &Unnest, input: &Schema) -> String {
    let (outer, of) = (if spec.outer { "Left" } else { "" }, names_of(&[spec.collection], input));
    format!("{outer}Unnest {of}{}", if spec.ordinality { " with ordinality" } else { "" })
}

fn session_keys(partition: &[usize], input: &Schema) -> String {
    if partition.is_empty() { String::new() } else { format!(" by [{}]", names_of(partition, input)) }
}

fn window_on(window: &Window, input: &Schema) -> String {
    let text = window_text(window.kind, window.zone.as_ref());
    match window.time {
        WindowTime::Attribute(c) => {
            format!("{text} on {}{}", names_of(&[c], input), session_keys(&window.partition, input))
        }
        WindowTime::Attached { start, end } => format!("{text} of {}", names_of(&[start, end], input)),
        WindowTime::Clock => format!("{text} by the clock"),
    }
}

fn set_text(kind: SetOperation, all: bool) -> String {
    format!("{kind:?}{}", if all { "All" } else { "" })
}

fn join_text(graph: &Graph, node: &Node, join: &super::Join) -> String {
    let schemas = [0, 1].map(|port| &graph.node(node.inputs[port]).schema);
    let key = |k: &super::JoinKey| {
        let name = |side: usize, c: usize| &schemas[side].fields[c].name;
        let equals = if k.null_safe { "IS NOT DISTINCT FROM" } else { "=" };
        format!("{} {equals} {}", name(0, k.left), name(1, k.right))
    };
    let mut on: Vec<String> = join.keys.iter().map(key).collect();
    let both = Schema::new(schemas.iter().flat_map(|s| s.fields.iter().cloned()).collect());
    on.extend(join.condition.iter().map(|c| expr_text(c, &both)));
    let on = if on.is_empty() { String::new() } else { format!(" on {}", on.join(" AND ")) };
    format!("{} {:?}{on}", node.op.name(), join.kind)
}

fn limit_text(offset: u64, fetch: Option<u64>) -> String {
    let mut text = String::from("Limit");
    if let Some(n) = fetch {
        let _ = write!(text, " {n}");
    }
    if offset > 0 {
        let _ = write!(text, " offset {offset}");
    }
    text
}

// ---- the graph

fn write_node(graph: &Graph, id: NodeId, node: &Node, out: &mut String) {
    let inputs = node.inputs.iter().map(|i| format!("#{}", i.0)).collect::<Vec<_>>().join(", ");
    let from = if inputs.is_empty() { String::new() } else { format!(" <- {inputs}") };
    let _ = writeln!(out, "#{} {}{from}", id.0, op_text(graph, node));
    let mut line = |name: &str, text: String| {
        if !text.is_empty() {
            let _ = writeln!(out, "     {name:<11}{text}");
        }
    };
    line("id", node.id.clone());
    line("columns", columns_text(&node.schema));
    line("rows", rows_text(graph, node));
    if let Some(key) = &node.upsert_key {
        line("key", if key.is_empty() { "one row".into() } else { names_of(key, &node.schema) });
    }
    line("partition", partition_text(graph, node));
    if !graph.places.is_empty() {
        let place = match graph.place(id) {
            Place::One => "one",
            Place::All => "all",
        };
        line("shards", place.into());
    }
    line("watermark", watermark_text(graph, id));
    line("state", state_text(node).into());
}

fn rows_text(graph: &Graph, node: &Node) -> String {
    let inputs: Vec<Changelog> = node.inputs.iter().map(|&i| graph.node(i).changelog).collect();
    let out = node.changelog.to_string();
    let out = if matches!(node.op, Op::Sink(_)) { String::new() } else { format!("-> {out}") };
    match inputs.into_iter().reduce(Changelog::union) {
        None => out,
        Some(input) => format!("{input} {out}").trim_end().to_owned(),
    }
}

fn op_text(graph: &Graph, node: &Node) -> String {
    let empty = Schema::default();
    let input = node.inputs.first().map_or(&empty, |&i| &graph.node(i).schema);
    let calls = |calls: &[Aggregate], input: &Schema| {
        let text = |a: &Aggregate| aggregate_text(&a.name, &a.args, a.distinct, a.filter, input);
        calls.iter().map(text).collect::<Vec<_>>().join(", ")
    };
    let name = node.op.name();
    match &node.op {
        Op::Scan(spec) => {
            let bounded = if spec.info.bounded { "bounded" } else { "unbounded" };
            format!("{name} {} by '{}', {bounded}", spec.table.name, spec.table.connector.connector)
        }
        Op::Values(columns) => format!("{name} {} rows", columns.first().map_or(1, |c| c.len())),
        Op::Filter(e) => format!("{name} {}", expr_text(e, input)),
        Op::Project(exprs) => format!("{name} {}", project_text(exprs, &node.schema, input)),
        Op::Watermark { column, watermark } => {
            format!("{name} {} = {}", names_of(&[*column], input), expr_text(watermark, input))
        }
        Op::GroupAggregate { keys, aggregates, .. } if aggregates.is_empty() => {
            format!("{name} distinct [{}]", names_of(keys, input))
        }
        Op::GroupAggregate { keys, aggregates, conditions } => {
            let asked = conditions.iter().map(|e| {
                let text = expr_text(e, input);
                let bare = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(&text);
                Field::new(bare, e.ty.clone())
            });
            let all = Schema::new(input.fields.iter().cloned().chain(asked).collect());
            format!("{name} by [{}]: {}", names_of(keys, input), calls(aggregates, &all))
        }
        Op::CountAssign(window) => format!("{name} {}", count_text(window, input)),
        Op::CountAggregate { window, aggregates } => {
            format!("{name} {}: {}", count_text(window, input), calls(aggregates, input))
        }
        Op::Clock { column, .. } => format!("{name} in {}", names_of(&[*column], &node.schema)),
        Op::Expand(spec) => expand_text(spec, input),
        Op::Unnest(spec) => unnest_text(spec, input),
        Op::Correlate(call) => correlate_text(call, input),
        Op::WindowAssign(window) => format!("{name} {}", window_on(window, input)),
        Op::WindowAggregate { window, keys, aggregates, phase: Phase::Local, .. } => format!(
            "{name} {} by [{}]: {}",
            window_on(window, input),
            names_of(keys, input),
            calls(aggregates, input)
        ),
        Op::WindowAggregate { window, keys, aggregates, properties, .. } => format!(
            "{name} {} by [{}]: {} with {properties:?}",
            window_on(window, input),
            names_of(keys, input),
            calls(aggregates, input)
        ),
        Op::Union | Op::Aside(_) => name.to_owned(),
        Op::Join(join) => join_text(graph, node, join),
        Op::SetOperation { kind, all } => format!("{name} {}", set_text(*kind, *all)),
        Op::SortByTime { time, then } => {
            let then =
                if then.is_empty() { String::new() } else { format!(", then {}", sort_text(then, input)) };
            format!("{name} {}{then}", names_of(&[*time], input))
        }
        Op::Rank(r) => {
            let number = if r.number { ", numbered" } else { "" };
            let (by, order) = (names_of(&r.partition, input), sort_text(&r.order, input));
            format!("{name} {} to {} by [{by}] {order}{number}, {:?}", r.start, r.end, r.input)
        }
        Op::WindowRank { rank: r, window, latest } => {
            let number = if r.number { ", numbered" } else { "" };
            let latest = if *latest { ", of equal ones the last" } else { "" };
            let (by, order) = (names_of(&r.partition, input), sort_text(&r.order, input));
            let of = window_on(window, input);
            format!("{name} {} to {} of {of} by [{by}] {order}{number}{latest}", r.start, r.end)
        }
        Op::Over(over) => {
            let order = match over.order {
                OverOrder::Rowtime(c) => names_of(&[c], input),
                OverOrder::Proctime => "arrival".to_owned(),
                OverOrder::Column(key) => sort_text(&[key], input),
            };
            let text = |(frame, a): &(Frame, Aggregate)| {
                over_text(&a.name, &a.args, a.distinct, a.filter, *frame, input)
            };
            let calls = over.calls.iter().map(text).collect::<Vec<_>>().join(", ");
            format!("{name} by [{}] {order}: {calls}", names_of(&over.partition, input))
        }
        Op::Match(spec) => {
            format!("{name} {}", spec.describe(input, &node.schema, &|a| a.name.clone(), &expr_text))
        }
        Op::Deduplicate { keys, keep } => format!("{name} by [{}] {keep:?}", names_of(keys, input)),
        Op::Limit { offset, fetch } => limit_text(*offset, *fetch),
        Op::Sink(spec) => match &spec.table {
            Some(t) => format!("{name} {} by '{}'", t.name, t.connector.connector),
            None => format!("{name} result"),
        },
        Op::Exchange(Exchange::Keyed(keys)) => format!("{name} by [{}]", names_of(keys, input)),
        Op::Exchange(Exchange::Gather) => format!("{name} to one shard"),
    }
}

/// By which columns rows are spread over shards.
fn partition_text(graph: &Graph, node: &Node) -> String {
    let input = node.inputs.first().map(|&i| &graph.node(i).schema);
    match (&node.op, input) {
        (Op::GroupAggregate { keys, .. } | Op::WindowAggregate { keys, .. }, Some(input)) => {
            if keys.is_empty() { "none: one shard".into() } else { names_of(keys, input) }
        }
        (
            Op::CountAssign(CountWindow { keys, .. })
            | Op::CountAggregate { window: CountWindow { keys, .. }, .. }
            | Op::Rank(super::Rank { partition: keys, .. })
            | Op::Deduplicate { keys, .. },
            Some(input),
        ) => {
            if keys.is_empty() {
                "none: one shard".into()
            } else {
                names_of(keys, input)
            }
        }
        (
            Op::Over(super::Over { partition: keys, .. })
            | Op::Match(super::Match { partition: keys, .. })
            | Op::WindowRank { rank: super::Rank { partition: keys, .. }, .. },
            Some(input),
        ) => {
            if keys.is_empty() {
                "none: one shard".into()
            } else {
                names_of(keys, input)
            }
        }
        (Op::Join(_), _) => "none: one shard".into(),
        (Op::SetOperation { .. }, Some(input)) => names_of(&(0..input.len()).collect::<Vec<_>>(), input),
        (Op::SortByTime { .. } | Op::Limit { .. }, _) => "none: one shard".into(),
        _ => String::new(),
    }
}

/// What bounds event time at this node, and who says so.
fn watermark_text(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    if let Op::Watermark { column, watermark } = &node.op {
        let input = &graph.node(node.inputs[0]).schema;
        return format!(
            "the largest {} so far, of {}",
            expr_text(watermark, input),
            names_of(&[*column], input)
        );
    }
    match (node.op.has_clock(), uses_time(&node.op)) {
        (true, _) => return "the clock".to_owned(),
        (false, false) => return String::new(),
        (false, true) => {}
    }
    let mut holders = vec![];
    let mut open = node.inputs.clone();
    while let Some(at) = open.pop() {
        let n = graph.node(at);
        if matches!(n.op, Op::Watermark { .. }) || n.op.has_clock() {
            if !holders.contains(&at) {
                holders.push(at);
            }
        } else {
            open.extend(&n.inputs);
        }
    }
    holders.sort();
    match holders.as_slice() {
        [] => String::new(),
        [one] => format!("held by #{}", one.0),
        many => {
            let names: Vec<String> = many.iter().map(|h| format!("#{}", h.0)).collect();
            format!("held by the slowest of {}", names.join(", "))
        }
    }
}

fn uses_time(op: &Op) -> bool {
    match op {
        Op::WindowAggregate { .. } | Op::SortByTime { .. } | Op::WindowRank { .. } => true,
        Op::Over(over) => matches!(over.order, OverOrder::Rowtime(_)),
        Op::Match(spec) => spec.time != super::MatchTime::Proctime,
        _ => false,
    }
}

/// What an operation keeps, and what bounds it.
fn state_text(node: &Node) -> &'static str {
    match &node.op {
        Op::Watermark { .. } => "the watermark",
        Op::GroupAggregate { aggregates, .. } if aggregates.is_empty() => {
            "each distinct row; grows with them unless table.exec.state.ttl is set"
        }
        Op::GroupAggregate { keys, .. } if keys.is_empty() => "the accumulators of one group",
        Op::GroupAggregate { aggregates, .. } if aggregates.iter().any(|a| a.distinct) => {
            "accumulators a key, and each distinct value; grows with them unless table.exec.state.ttl is set"
        }
        Op::GroupAggregate { .. } => {
            "accumulators a key; grows with the keys unless table.exec.state.ttl is set"
        }
        Op::WindowAggregate { .. } => {
            "accumulators a key and open window; freed when the watermark passes its end"
        }
        Op::CountAssign(_) => {
            "a key: the rows of its next window; grows with the keys unless table.exec.state.ttl is set"
        }
        Op::CountAggregate { .. } => {
            "a key: accumulators of its open windows; grows with the keys unless table.exec.state.ttl is set"
        }
        Op::Join(_) => "the rows of both inputs; grows with them",
        Op::SetOperation { .. } => {
            "counts of each distinct row; grows with them unless table.exec.state.ttl is set"
        }
        Op::Rank(super::Rank { input: super::RankInput::Retract, .. }) => {
            "all rows; grows with them unless table.exec.state.ttl is set"
        }
        Op::Over(over) => over_state_text(over),
        Op::Match(super::Match { within_ms: Some(_), .. }) => {
            "the rows that the watermark has not passed, and those of partial matches; freed when WITHIN is over"
        }
        Op::Match(_) => {
            "the rows that the watermark has not passed, and those of partial matches; grows with these"
        }
        Op::WindowRank { .. } => {
            "the rows of the range, a partition and open window; freed when the watermark passes its end"
        }
        Op::Rank(_) => {
            "the rows of the range, a partition; grows with the partitions unless table.exec.state.ttl is set"
        }
        Op::Deduplicate { .. } => {
            "a row, or that there was one, a key; grows with the keys unless table.exec.state.ttl is set"
        }
        Op::SortByTime { .. } => "the rows that the watermark has not passed",
        Op::Limit { .. } => "the number of rows seen",
        _ => "",
    }
}

fn over_state_text(over: &super::Over) -> &'static str {
    let sliced = |c: &(Frame, Aggregate)| matches!(c.0, Frame::Sliced { .. });
    let bounded = |c: &(Frame, Aggregate)| matches!(c.0, Frame::Range(Some(_))) || sliced(c);
    match over.order {
        OverOrder::Column(_) => "all rows with what was said of them; grows with them",
        _ if over.calls.iter().all(sliced) => {
            "a key: accumulators for each slice of the longest frame; freed when the frame is past"
        }
        _ if over.calls.iter().all(bounded) => {
            "a key: the rows of the longest frame; freed when the frame is past"
        }
        _ if over.calls.iter().all(|c| c.0.is_unbounded()) => {
            "accumulators a key, and the rows that the watermark has not passed; grows with the keys"
        }
        _ => "a key: accumulators, and the rows of the longest frame; grows with the keys",
    }
}

// ---- for the planner

/// A number that is equal for graphs which do the same to rows of the same columns, wherever these come from: their state fits each other.
pub fn fingerprint(graph: &Graph) -> u64 {
    let mut text = String::new();
    for node in &graph.nodes {
        match node.op {
            Op::Scan(_) | Op::Sink(_) => text.push_str(&columns_text(&node.schema)),
            _ => text.push_str(&digest(&node.op, &node.inputs, &node.schema)),
        }
        text.push('\n');
    }
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

/// A text that is equal for operations that do the same: columns by number, types spelled out.
pub(super) fn digest(op: &Op, inputs: &[NodeId], schema: &Schema) -> String {
    let mut out = format!("{} {inputs:?} [{}] ", op.name(), columns_text(schema));
    let exprs = |exprs: &[Expr], out: &mut String| {
        for e in exprs {
            write_expr(e, &Names::Numbers, out);
            out.push(';');
        }
    };
    match op {
        Op::Scan(spec) => {
            let _ = write!(
                out,
                "{} {} {:?} {:?}",
                spec.table.name, spec.table.connector.connector, spec.columns, spec.leaves
            );
            for (key, value) in &spec.table.connector.options {
                let _ = write!(out, " {key:?}={:?}", value.value);
            }
            for (key, ty) in &spec.metadata {
                let _ = write!(out, " {key:?} {ty}");
            }
        }
        Op::Values(columns) => {
            let mut bytes = Encoder::default();
            columns.iter().for_each(|c| bytes.column(c));
            let _ = write!(out, "{:x}", xxhash_rust::xxh3::xxh3_128(&bytes.finish()));
        }
        Op::Filter(e) => exprs(std::slice::from_ref(e), &mut out),
        Op::Project(all) => exprs(all, &mut out),
        Op::Watermark { column, watermark } => {
            let _ = write!(out, "{column} ");
            exprs(std::slice::from_ref(watermark), &mut out);
        }
        Op::GroupAggregate { keys, aggregates, conditions } => {
            let _ = write!(out, "{keys:?}");
            exprs(conditions, &mut out);
            aggregates.iter().for_each(|a| write_aggregate(a, &mut out));
        }
        Op::CountAssign(window) => drop(write!(out, "{window:?}")),
        Op::CountAggregate { window, aggregates } => {
            let _ = write!(out, "{window:?}");
            aggregates.iter().for_each(|a| write_aggregate(a, &mut out));
        }
        Op::Clock { column, window } => drop(write!(out, "{column} {window:?}")),
        Op::Expand(spec) => drop(write!(out, "{spec:?}")),
        Op::Unnest(spec) => drop(write!(out, "{spec:?}")),
        Op::Correlate(call) => drop(write!(out, "{call:?}")),
        Op::WindowAssign(window) => drop(write!(out, "{window:?}")),
        Op::WindowAggregate { window, keys, aggregates, properties, phase } => {
            let _ = write!(out, "{window:?} {keys:?} {properties:?}");
            if *phase != Phase::Whole {
                let _ = write!(out, " {phase:?}");
            }
            aggregates.iter().for_each(|a| write_aggregate(a, &mut out));
        }
        Op::Union | Op::Sink(_) | Op::Aside(_) => {}
        Op::Join(join) => {
            let _ = write!(out, "{:?} {:?}", join.kind, join.keys);
            exprs(join.condition.as_slice(), &mut out);
        }
        Op::SetOperation { kind, all } => drop(write!(out, "{kind:?} {all}")),
        Op::SortByTime { time, then } => drop(write!(out, "{time} {then:?}")),
        Op::Rank(rank) => drop(write!(out, "{rank:?}")),
        Op::WindowRank { rank, window, latest } => drop(write!(out, "{rank:?} {window:?} {latest}")),
        Op::Over(over) => {
            let _ = write!(out, "{:?} {:?}", over.partition, over.order);
            for (frame, a) in &over.calls {
                let _ = write!(out, " {frame:?}");
                write_aggregate(a, &mut out);
            }
        }
        Op::Match(spec) => {
            let super::Match { partition, time, then, skip, within_ms, .. } = spec;
            let _ = write!(out, "{partition:?} {time:?} {then:?} {skip:?} {within_ms:?}");
            for v in &spec.variables {
                let _ = write!(out, " {}{} {}", v.name, v.quantifier(), v.condition.is_some());
            }
            for cell in spec.cells() {
                match &cell.kind {
                    super::CellKind::Aggregate { of, call } => {
                        let _ = write!(out, " {of:?}");
                        write_aggregate(call, &mut out);
                    }
                    other => drop(write!(out, " {other:?}")),
                }
            }
            spec.expr_lists().for_each(|e| exprs(e, &mut out));
        }
        Op::Deduplicate { keys, keep } => drop(write!(out, "{keys:?} {keep:?}")),
        Op::Limit { offset, fetch } => drop(write!(out, "{offset} {fetch:?}")),
        Op::Exchange(exchange) => drop(write!(out, "{exchange:?}")),
    }
    out
}

fn write_aggregate(a: &Aggregate, out: &mut String) {
    let _ = write!(out, "; {} {:?} {} {:?} {}", a.name, a.args, a.distinct, a.filter, a.ty);
}

/// What a node does and over which columns: the name of its state.
pub(super) fn state_name(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    let input = node.inputs.first().map(|&i| &graph.node(i).schema);
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let detail = match (&node.op, input) {
        (Op::Scan(spec), _) => last(&spec.table.name),
        (Op::Watermark { column, .. }, Some(input)) => names_of(&[*column], input),
        (Op::GroupAggregate { keys, .. } | Op::WindowAggregate { keys, .. }, Some(input)) => {
            names_of(keys, input)
        }
        (Op::SortByTime { time, .. }, Some(input)) => names_of(&[*time], input),
        (
            Op::Over(super::Over { partition: keys, .. })
            | Op::Match(super::Match { partition: keys, .. })
            | Op::WindowRank { rank: super::Rank { partition: keys, .. }, .. },
            Some(input),
        ) => names_of(keys, input),
        (
            Op::CountAssign(CountWindow { keys, .. })
            | Op::CountAggregate { window: CountWindow { keys, .. }, .. }
            | Op::Rank(super::Rank { partition: keys, .. })
            | Op::Deduplicate { keys, .. },
            Some(input),
        ) => names_of(keys, input),
        (Op::Sink(spec), _) => spec.table.as_ref().map_or_else(|| "result".to_owned(), |t| last(&t.name)),
        _ => String::new(),
    };
    let name = kebab(node.op.name());
    if detail.is_empty() { name } else { format!("{name}[{}]", detail.replace(", ", ",")) }
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

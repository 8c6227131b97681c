//! From logical relations to the graph that runs.
//!
//! * **Sharing.** Equal operations over equal inputs become one node; scans of one table become one scan of all the columns that
//!   any reader needs. Two sinks of a statement set, or a view read twice, so share what they have in common, as in Flink.
//! * **Column maps.** A shared scan has more columns than one reader asked for. [`Built::columns`] says where a relation's columns stand in
//!   its node; parents renumber, and a projection is added only where exactly the relation's columns are needed.
//! * **Time attributes** are checked here: a node's schema marks only columns that watermarks really bound. A relation's own schema
//!   keeps Flink's marks, which result headers show.
//! * **Changelogs** are derived bottom up, and decide the accumulators and whether a sink can take the rows.

mod conditions;
mod count_window;
mod join;
mod match_recognize;
mod over;
mod sink;
mod windows;

use super::aside::Aside;
use super::connector::SourceSpec;
use super::explain;
use super::logical::{AggregateCall, ColumnSource, Rel, RelKind, TableScan};
use super::{
    Aggregate, Changelog, Correlate, Expand, Graph, Keep, Node, NodeId, Op, RankInput, SetOperation, SortKey,
    Unnest,
};
use crate::batch::{Column, ColumnRef, Field, RowKind, Schema, TimeAttribute, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use conditions::Asked;
use std::collections::{BTreeSet, HashMap};

/// Makes the graph of a job from its sinks.
///
/// # Errors
/// No streaming plan exists, or it needs an operation that Pelton does not have.
pub fn build(sinks: &[Rel]) -> Result<Graph> {
    let mut builder = Builder::default();
    sinks.iter().for_each(|s| builder.collect_scans(s));
    // What others lay aside is known when they are there.
    let (aside, main): (Vec<&Rel>, Vec<&Rel>) = sinks.iter().partition(|s| s.reads_aside());
    for sink in main {
        builder.rel(sink)?;
    }
    builder.main = builder.graph.nodes.len();
    for sink in aside {
        builder.rel(sink)?;
    }
    let mut graph = builder.graph;
    name_nodes(&mut graph);
    Ok(graph)
}

#[derive(Default)]
struct Builder {
    graph: Graph,
    /// Nodes by what they do, for sharing.
    known: HashMap<String, NodeId>,
    /// The columns that all readers of a table need together.
    scans: HashMap<String, BTreeSet<usize>>,
    /// The nodes that may lay rows aside for a table: those of the sinks that read no such table.
    main: usize,
}

/// A relation's node, and where the relation's columns stand in it.
struct Built {
    node: NodeId,
    columns: Vec<usize>,
}

/// What an operation promises about its output.
struct Output {
    schema: Schema,
    changelog: Changelog,
    upsert_key: Option<Vec<usize>>,
}

impl Builder {
    fn collect_scans(&mut self, rel: &Rel) {
        if let RelKind::Scan(scan) = &rel.kind {
            let columns = self.scans.entry(scan_key(scan)).or_default();
            columns.extend(&scan.output);
        }
        rel.inputs().into_iter().for_each(|r| self.collect_scans(r));
    }

    fn node(&self, id: NodeId) -> &Node {
        self.graph.node(id)
    }

    /// The node that does `op` on `inputs`: a known one where there is one.
    fn add(&mut self, op: Op, inputs: Vec<NodeId>, output: Output, span: Span) -> NodeId {
        self.add_for(op, inputs, output, None, span)
    }

    /// As [`Builder::add`], of a node that keeps its state for so long (ms).
    fn add_for(
        &mut self,
        op: Op,
        inputs: Vec<NodeId>,
        output: Output,
        state_ttl_ms: Option<i64>,
        span: Span,
    ) -> NodeId {
        let digest = || format!("{} {state_ttl_ms:?}", explain::digest(&op, &inputs, &output.schema));
        let shared = is_repeatable(&op).then(digest);
        if let Some(key) = &shared
            && let Some(&id) = self.known.get(key)
        {
            return id;
        }
        let Output { schema, changelog, upsert_key } = output;
        let id = String::new();
        let id = self.graph.add(Node { op, inputs, schema, changelog, upsert_key, id, state_ttl_ms, span });
        if let Some(key) = shared {
            self.known.insert(key, id);
        }
        id
    }

    fn rel(&mut self, rel: &Rel) -> Result<Built> {
        match &rel.kind {
            RelKind::Scan(scan) => self.scan(scan, rel),
            RelKind::Values { columns } => {
                let output =
                    Output { schema: rel.schema.clone(), changelog: Changelog::INSERT, upsert_key: None };
                let node = self.add(Op::Values(columns.clone()), vec![], output, rel.span);
                Ok(Built { node, columns: (0..rel.schema.len()).collect() })
            }
            RelKind::Aside(aside) => self.aside(*aside, rel),
            RelKind::Filter { input, condition } => self.filter(input, condition, rel),
            RelKind::Project { input, exprs } => {
                self.project(input, exprs, &rel.schema.fields, rel.span, false)
            }
            RelKind::Aggregate { input, keys, aggregates, ttl_ms } => {
                self.aggregate(input, keys, aggregates, *ttl_ms, rel)
            }
            RelKind::Expand { input, spec } => self.expand(input, spec, rel),
            RelKind::Unnest { input, spec } => self.unnest(input, spec, rel),
            RelKind::Correlate { input, call } => self.correlate(input, call, rel),
            RelKind::WindowTvf { input, .. } => self.window_assign(input, rel),
            RelKind::WindowAggregate { input, window, keys, aggregates, properties } => {
                self.window_aggregate(input, window, keys, aggregates, properties, rel)
            }
            RelKind::CountTvf { input, window } => self.count_assign(input, window, rel),
            RelKind::CountAggregate { input, window, aggregates } => {
                self.count_aggregate(input, window, aggregates, rel)
            }
            RelKind::Join { kind, inputs, condition } => self.join(*kind, inputs, condition.as_ref(), rel),
            RelKind::Union { inputs } => self.union(inputs, rel),
            RelKind::SetOperation { kind, all, inputs } => self.set_operation(*kind, *all, inputs, rel),
            RelKind::Over { input, partition, order, calls } => {
                self.over(input, partition, order, calls, rel)
            }
            RelKind::Match { input, spec } => self.match_rows(input, spec, rel),
            RelKind::Rank { .. } => self.rank(rel),
            RelKind::Sort { input, keys } => self.sort(input, keys, rel),
            RelKind::Limit { input, offset, fetch } => self.limit(input, *offset, *fetch, rel),
            RelKind::Sink { input, .. } => self.sink(input, rel),
        }
    }

    /// The relation with exactly its columns.
    fn exact(&mut self, rel: &Rel) -> Result<NodeId> {
        let built = self.rel(rel)?;
        Ok(self.exactly(&built, rel))
    }

    fn exactly(&mut self, built: &Built, rel: &Rel) -> NodeId {
        let from = &self.node(built.node).schema;
        if built.columns.len() == from.len() && built.columns.iter().enumerate().all(|(i, &c)| i == c) {
            return built.node;
        }
        let exprs: Vec<Expr> =
            built.columns.iter().map(|&c| Expr::column(c, from.ty(c).clone(), rel.span)).collect();
        let names = rel.schema.fields.iter().map(|f| f.name.clone());
        self.add_project(built.node, exprs, names.collect(), rel.span)
    }

    // ---- sources

    /// The rows that the nodes of the other sinks lay aside.
    fn aside(&mut self, aside: Aside, rel: &Rel) -> Result<Built> {
        let output = || Output { schema: rel.schema.clone(), changelog: Changelog::INSERT, upsert_key: None };
        let from = (0..self.main).filter(|&n| aside.comes_from(&self.graph.nodes[n].op));
        let nodes: Vec<NodeId> = from
            .collect::<Vec<_>>()
            .into_iter()
            .map(|n| self.add(Op::Aside(aside), vec![NodeId(n)], output(), rel.span))
            .collect();
        let node = match nodes[..] {
            [] => {
                let columns = rel.schema.fields.iter().map(|f| ColumnRef::new(Column::new(&f.ty)));
                self.add(Op::Values(columns.collect()), vec![], output(), rel.span)
            }
            [one] => one,
            _ => self.add(Op::Union, nodes, output(), rel.span),
        };
        Ok(Built { node, columns: (0..rel.schema.len()).collect() })
    }

    fn scan(&mut self, scan: &TableScan, rel: &Rel) -> Result<Built> {
        let mut wanted = self.scans.get(&scan_key(scan)).cloned().unwrap_or_default();
        if let Some((column, e)) = &scan.watermark {
            wanted.insert(*column);
            e.for_each_column(&mut |c| {
                wanted.insert(c);
            });
        }
        // What has to be read for it. A part of a row that is read whole comes from the row.
        let mut needed = BTreeSet::new();
        for &c in &wanted {
            match &scan.columns[c].from {
                ColumnSource::Computed(e) => e.for_each_column(&mut |c| needed.extend([c])),
                _ => needed.extend([c]),
            }
        }
        let mut physical = BTreeSet::new();
        let mut metadata = BTreeSet::new();
        let mut leaves = vec![];
        for &c in &needed {
            match &scan.columns[c].from {
                ColumnSource::Physical(n) => drop(physical.insert((*n, c))),
                ColumnSource::Metadata { .. } => drop(metadata.insert(c)),
                ColumnSource::Leaf(path) if row_around(scan, path, |c| needed.contains(&c)).is_none() => {
                    leaves.push((c, path));
                }
                ColumnSource::Leaf(_) | ColumnSource::Computed(_) => {}
            }
        }
        let mut fields = vec![];
        let mut place: HashMap<usize, usize> = HashMap::new();
        for &(n, c) in &physical {
            place.insert(c, fields.len());
            fields.push(scan.table.schema.fields[n].clone());
        }
        let mut paths = vec![];
        for (c, path) in leaves {
            let ColumnSource::Physical(n) = scan.columns[path[0]].from else {
                unreachable!("parts are of physical columns")
            };
            place.insert(c, fields.len());
            fields.push(scan.columns[c].field.clone());
            paths.push([n].into_iter().chain(path[1..].iter().copied()).collect());
        }
        let mut keys = vec![];
        for &c in &metadata {
            if let ColumnSource::Metadata { key, ty, .. } = &scan.columns[c].from {
                place.insert(c, fields.len());
                fields.push(Field::new(&scan.columns[c].field.name, ty.clone()));
                keys.push((key.clone(), ty.clone()));
            }
        }
        let primary: Option<Vec<usize>> = (!scan.table.primary_key.is_empty())
            .then(|| {
                let at = |k: &usize| physical.iter().position(|p| p.0 == *k);
                scan.table.primary_key.iter().map(at).collect::<Option<Vec<_>>>()
            })
            .flatten();
        if scan.info.changelog.contains(RowKind::UpdateAfter)
            && !scan.info.changelog.contains(RowKind::UpdateBefore)
        {
            return Err(Error::unsupported("a source of upserts", rel.span));
        }
        let spec = SourceSpec {
            table: scan.table.clone(),
            columns: physical.iter().map(|p| p.0).collect(),
            leaves: paths,
            metadata: keys,
            info: scan.info.clone(),
        };
        let output =
            Output { schema: Schema::new(fields), changelog: scan.info.changelog, upsert_key: primary };
        let mut node = self.add(Op::Scan(spec), vec![], output, rel.span);

        // Columns in declared order, computed ones among them.
        let columns: Vec<usize> = wanted.into_iter().collect();
        let plain = columns.iter().enumerate().all(|(i, c)| {
            place.get(c) == Some(&i)
                && self.node(node).schema.ty(i).kind == scan.columns[*c].field.ty.kind
                && self.node(node).schema.fields[i].name == scan.columns[*c].field.name
        });
        if !(plain && columns.len() == self.node(node).schema.len()) {
            let exprs = columns.iter().map(|&c| self.table_column(scan, c, &place, rel.span)).collect();
            let names = columns.iter().map(|&c| scan.columns[c].field.name.clone()).collect();
            node = self.add_project(node, exprs, names, rel.span);
        }
        let position = |c: usize| columns.binary_search(&c).expect("wanted");
        if let Some((column, e)) = &scan.watermark {
            let column = position(*column);
            let mut watermark = e.clone();
            watermark.map_columns(&position);
            let from = self.node(node);
            let mut schema = from.schema.clone();
            schema.fields[column].ty.time = TimeAttribute::Rowtime;
            let output = Output { schema, changelog: from.changelog, upsert_key: from.upsert_key.clone() };
            node = self.add(Op::Watermark { column, watermark }, vec![node], output, e.span);
        }
        Ok(Built { node, columns: scan.output.iter().map(|&c| position(c)).collect() })
    }

    /// Column `c` of a table over what the scan gives.
    fn table_column(&self, scan: &TableScan, c: usize, place: &HashMap<usize, usize>, span: Span) -> Expr {
        let ty = scan.columns[c].field.ty.clone().with_time(TimeAttribute::None);
        match &scan.columns[c].from {
            ColumnSource::Computed(e) => {
                let mut e = e.clone();
                // Computed columns read physical and metadata columns; the latter as declared.
                replace_columns(&mut e, &|n, at| self.table_column(scan, n, place, at));
                e
            }
            ColumnSource::Metadata { cast: Some(cast), ty: from, .. } => {
                let read = Expr::column(place[&c], from.clone(), span);
                Expr::call("CAST", cast.clone(), vec![read], span)
            }
            ColumnSource::Leaf(path) if !place.contains_key(&c) => {
                let around = row_around(scan, path, |c| place.contains_key(&c));
                let (row, rest) = around.expect("a part is read, or a row around it");
                let mut e = Expr::column(place[&row], scan.columns[row].field.ty.clone(), span);
                for &n in rest {
                    let TypeKind::Row(fields) = &e.ty.kind else { unreachable!("a path leads through rows") };
                    let ty = fields[n].ty.clone().with_nullable(e.ty.nullable || fields[n].ty.nullable);
                    e = Expr { kind: ExprKind::Field(Box::new(e), n), ty, span };
                }
                e
            }
            _ => Expr::column(place[&c], ty, span),
        }
    }

    // ---- row by row

    fn filter(&mut self, input: &Rel, condition: &Expr, rel: &Rel) -> Result<Built> {
        let built = self.rel(input)?;
        let mut condition = condition.clone();
        condition.map_columns(&|c| built.columns[c]);
        let from = self.node(built.node);
        let output = Output {
            schema: from.schema.clone(),
            changelog: from.changelog,
            upsert_key: from.upsert_key.clone(),
        };
        let node = self.add(Op::Filter(condition), vec![built.node], output, rel.span);
        Ok(Built { node, columns: built.columns })
    }

    /// The relation for who takes its columns wherever they stand: what a projection passes on stays in its place, if it can.
    fn anyhow(&mut self, rel: &Rel) -> Result<Built> {
        match &rel.kind {
            RelKind::Project { input, exprs } => {
                self.project(input, exprs, &rel.schema.fields, rel.span, true)
            }
            _ => self.rel(rel),
        }
    }

    /// A projection to these fields. `anyhow`: in the order that costs least.
    fn project(
        &mut self,
        input: &Rel,
        exprs: &[Expr],
        fields: &[Field],
        span: Span,
        anyhow: bool,
    ) -> Result<Built> {
        let built = self.rel(input)?;
        let from = &self.node(built.node).schema;
        // What only picks columns is a matter of numbers, unless it ends a time attribute.
        let picked: Option<Vec<usize>> = exprs
            .iter()
            .map(|e| match e.kind {
                ExprKind::Column(c) => {
                    let column = built.columns[c];
                    let time = from.ty(column).time;
                    (time == TimeAttribute::None || time == e.ty.time).then_some(column)
                }
                _ => None,
            })
            .collect();
        if let Some(columns) = picked {
            return Ok(Built { node: built.node, columns });
        }
        let mut exprs = exprs.to_vec();
        exprs.iter_mut().for_each(|e| e.map_columns(&|c| built.columns[c]));
        let order = match anyhow {
            true => order_in_place(from.len(), &exprs),
            false => None,
        };
        let order = order.unwrap_or_else(|| (0..exprs.len()).collect());
        let mut columns = vec![0; order.len()];
        order.iter().enumerate().for_each(|(to, &from)| columns[from] = to);
        let exprs = order.iter().map(|&n| exprs[n].clone()).collect();
        let names = order.iter().map(|&n| fields[n].name.clone()).collect();
        let node = self.add_project(built.node, exprs, names, span);
        Ok(Built { node, columns })
    }

    fn add_project(&mut self, input: NodeId, exprs: Vec<Expr>, names: Vec<String>, span: Span) -> NodeId {
        let from = self.node(input);
        let fields = exprs.iter().zip(names).map(|(e, name)| {
            let time = match (&e.kind, e.ty.time) {
                (ExprKind::Column(c), TimeAttribute::Rowtime | TimeAttribute::Proctime) => {
                    from.schema.ty(*c).time
                }
                (_, TimeAttribute::Proctime) => TimeAttribute::Proctime,
                _ => TimeAttribute::None,
            };
            Field::new(name, e.ty.clone().with_time(time))
        });
        let schema = Schema::new(fields.collect());
        let upsert_key = from
            .upsert_key
            .as_ref()
            .and_then(|key| key.iter().map(|&k| passed_at(&exprs, k)).collect::<Option<Vec<_>>>());
        let output = Output { schema, changelog: from.changelog, upsert_key };
        self.add(Op::Project(exprs), vec![input], output, span)
    }

    fn union(&mut self, inputs: &[Rel], rel: &Rel) -> Result<Built> {
        let nodes = inputs.iter().map(|i| self.exact(i)).collect::<Result<Vec<_>>>()?;
        let mut schema = rel.schema.clone();
        let mut changelog = Changelog::INSERT;
        for (c, field) in schema.fields.iter_mut().enumerate() {
            let times: Vec<TimeAttribute> = nodes.iter().map(|&n| self.node(n).schema.ty(c).time).collect();
            field.ty.time = if times.iter().all(|&t| t == times[0]) { times[0] } else { TimeAttribute::None };
        }
        for &n in &nodes {
            changelog = changelog.union(self.node(n).changelog);
        }
        let output = Output { schema, changelog, upsert_key: None };
        let node = self.add(Op::Union, nodes, output, rel.span);
        Ok(Built { node, columns: (0..rel.schema.len()).collect() })
    }

    // ---- with state

    fn aggregate(
        &mut self,
        input: &Rel,
        keys: &[usize],
        calls: &[AggregateCall],
        ttl_ms: Option<i64>,
        rel: &Rel,
    ) -> Result<Built> {
        let Asked { built, conditions } = self.asked(input, keys, calls)?;
        let keys: Vec<usize> = keys.iter().map(|&k| built.columns[k]).collect();
        let from = self.node(built.node);
        let changelog = match (calls.is_empty(), from.changelog.is_insert_only()) {
            // DISTINCT: a row appears once, and goes when its last copy goes.
            (true, true) => Changelog::INSERT,
            (true, false) => Changelog::INSERT.with(RowKind::Delete),
            (false, true) => Changelog::INSERT.with(RowKind::UpdateBefore).with(RowKind::UpdateAfter),
            (false, false) => Changelog::ALL,
        };
        let aggregates = aggregates(calls, &built, from.changelog);
        let output = Output {
            schema: without_time(&rel.schema),
            changelog,
            upsert_key: Some((0..keys.len()).collect()),
        };
        let op = Op::GroupAggregate { keys, aggregates, conditions };
        let node = self.add_for(op, vec![built.node], output, ttl_ms, rel.span);
        Ok(Built { node, columns: (0..rel.schema.len()).collect() })
    }

    fn expand(&mut self, input: &Rel, spec: &Expand, rel: &Rel) -> Result<Built> {
        let mut built = self.rel(input)?;
        // A key that is aggregated too keeps its value there when a set leaves it out: as a column of its own.
        let is_read_twice =
            |k: &usize| built.columns.iter().enumerate().any(|(c, &at)| c != *k && at == built.columns[*k]);
        if spec.keys.iter().any(is_read_twice) {
            let node = self.exactly(&built, input);
            built = Built { node, columns: (0..input.schema.len()).collect() };
        }
        let from = self.node(built.node);
        let keys: Vec<usize> = spec.keys.iter().map(|&k| built.columns[k]).collect();
        let mut schema = from.schema.clone();
        for &k in &keys {
            schema.fields[k].ty.nullable = true;
            schema.fields[k].ty.time = TimeAttribute::None;
        }
        let width = input.schema.len();
        let mut columns = built.columns;
        columns.extend((0..rel.schema.len() - width).map(|i| schema.len() + i));
        schema.fields.extend(rel.schema.fields[width..].iter().cloned());
        let output = Output { schema, changelog: from.changelog, upsert_key: None };
        let spec = Expand { keys, sets: spec.sets.clone() };
        let node = self.add(Op::Expand(spec), vec![built.node], output, rel.span);
        Ok(Built { node, columns })
    }

    fn correlate(&mut self, input: &Rel, call: &Correlate, rel: &Rel) -> Result<Built> {
        let built = self.rel(input)?;
        let from = self.node(built.node);
        if !call.deterministic && !from.changelog.is_insert_only() {
            return Err(self.refuse_updates(
                built.node,
                "a table function that gives other rows each time",
                rel.span,
            ));
        }
        let width = input.schema.len();
        let mut schema = from.schema.clone();
        let mut columns = built.columns.clone();
        columns.extend((0..rel.schema.len() - width).map(|i| schema.len() + i));
        schema.fields.extend(rel.schema.fields[width..].iter().cloned());
        let output = Output { schema, changelog: from.changelog, upsert_key: None };
        let args = call.args.iter().map(|&c| built.columns[c]).collect();
        let op = Op::Correlate(Correlate { args, ..call.clone() });
        let node = self.add(op, vec![built.node], output, rel.span);
        Ok(Built { node, columns })
    }

    fn unnest(&mut self, input: &Rel, spec: &Unnest, rel: &Rel) -> Result<Built> {
        let built = self.rel(input)?;
        let from = self.node(built.node);
        let kept: Vec<usize> = spec.kept.iter().map(|&k| built.columns[k]).collect();
        let mut fields: Vec<_> = kept.iter().map(|&k| from.schema.fields[k].clone()).collect();
        fields.extend(rel.schema.fields[kept.len()..].iter().cloned());
        let columns = (0..fields.len()).collect();
        let output = Output { schema: Schema::new(fields), changelog: from.changelog, upsert_key: None };
        let spec = Unnest { collection: built.columns[spec.collection], kept, ..spec.clone() };
        let node = self.add(Op::Unnest(spec), vec![built.node], output, rel.span);
        Ok(Built { node, columns })
    }

    fn set_operation(&mut self, kind: SetOperation, all: bool, inputs: &[Rel], rel: &Rel) -> Result<Built> {
        let nodes = inputs.iter().map(|i| self.exact(i)).collect::<Result<Vec<_>>>()?;
        let inserts = nodes.iter().all(|&n| self.node(n).changelog.is_insert_only());
        let changelog = if inserts && kind == SetOperation::Intersect {
            Changelog::INSERT
        } else {
            Changelog::INSERT.with(RowKind::Delete)
        };
        let upsert_key = (!all).then(|| (0..rel.schema.len()).collect());
        let output = Output { schema: without_time(&rel.schema), changelog, upsert_key };
        let node = self.add(Op::SetOperation { kind, all }, nodes, output, rel.span);
        Ok(Built { node, columns: (0..rel.schema.len()).collect() })
    }

    fn sort(&mut self, input: &Rel, keys: &[SortKey], rel: &Rel) -> Result<Built> {
        let built = self.rel(input)?;
        let from = self.node(built.node);
        let first = keys[0];
        let time = built.columns[first.column];
        match from.schema.ty(time).time {
            TimeAttribute::Rowtime if !first.descending => {}
            TimeAttribute::Proctime if !first.descending => {
                return Err(Error::unsupported("ORDER BY processing time", rel.span));
            }
            _ => {
                return Err(Error::planning(
                    "a stream without end can be sorted only by ascending time: the first key must be a time attribute",
                    rel.span,
                )
                .hint("add LIMIT for the first rows by another column"));
            }
        }
        if !from.changelog.is_insert_only() {
            return Err(self.refuse_updates(built.node, "ORDER BY time", rel.span));
        }
        let then = keys[1..].iter().map(|k| SortKey { column: built.columns[k.column], ..*k }).collect();
        let output = Output {
            schema: from.schema.clone(),
            changelog: from.changelog,
            upsert_key: from.upsert_key.clone(),
        };
        let node = self.add(Op::SortByTime { time, then }, vec![built.node], output, rel.span);
        Ok(Built { node, columns: built.columns })
    }

    fn rank(&mut self, rel: &Rel) -> Result<Built> {
        let RelKind::Rank { input, partition, order, range, number, limit, window } = &rel.kind else {
            unreachable!("called for a rank")
        };
        let built = self.rel(input)?;
        let partition: Vec<usize> = partition.iter().map(|&c| built.columns[c]).collect();
        let order: Vec<SortKey> =
            order.iter().map(|k| SortKey { column: built.columns[k.column], ..*k }).collect();
        if let Some(window) = window {
            return self.window_rank(built, partition, order, *range, *number, window, rel);
        }
        let from = self.node(built.node);
        if let ([key], (1, 1), false, false) = (order.as_slice(), *range, *number, *limit)
            && from.changelog.is_insert_only()
        {
            let keep = match (from.schema.ty(key.column).time, key.descending) {
                (TimeAttribute::Rowtime, false) => Some(Keep::FirstByTime(key.column)),
                (TimeAttribute::Rowtime, true) => Some(Keep::LastByTime(key.column)),
                (TimeAttribute::Proctime, false) => Some(Keep::FirstArrived),
                (TimeAttribute::Proctime, true) => Some(Keep::LastArrived),
                (TimeAttribute::None, _) => None,
            };
            if let Some(keep) = keep {
                let grows = matches!(keep, Keep::FirstByTime(_) | Keep::FirstArrived);
                let changelog = match grows {
                    true => Changelog::INSERT,
                    false => Changelog::INSERT.with(RowKind::UpdateBefore).with(RowKind::UpdateAfter),
                };
                let output =
                    Output { schema: from.schema.clone(), changelog, upsert_key: Some(partition.clone()) };
                let op = Op::Deduplicate { keys: partition, keep };
                let node = self.add(op, vec![built.node], output, rel.span);
                return Ok(Built { node, columns: built.columns });
            }
        }
        Ok(self.add_rank(built, partition, order, *range, *number, rel.span))
    }

    fn add_rank(
        &mut self,
        built: Built,
        partition: Vec<usize>,
        order: Vec<SortKey>,
        (start, end): (u64, u64),
        number: bool,
        span: Span,
    ) -> Built {
        let from = self.node(built.node);
        let climbs = |key: &Vec<usize>| {
            !order.is_empty()
                && !from.changelog.contains(RowKind::Delete)
                && partition.iter().all(|c| key.contains(c))
                && order.iter().all(|k| match self.trend(built.node, k.column) {
                    Trend::Constant => true,
                    Trend::Grows => k.descending,
                    Trend::Falls => !k.descending,
                    Trend::Unknown => false,
                })
        };
        let input = match &from.upsert_key {
            _ if from.changelog.is_insert_only() => RankInput::Append,
            Some(key) if climbs(key) => RankInput::Update(key.clone()),
            _ => RankInput::Retract,
        };
        let first_alone = (start, end) == (1, 1) && input != RankInput::Retract;
        let updates = Changelog::INSERT.with(RowKind::UpdateBefore).with(RowKind::UpdateAfter);
        let changelog = match (&input, number || start > 1) {
            _ if first_alone => updates,
            (RankInput::Append, false) => Changelog::INSERT.with(RowKind::Delete),
            (RankInput::Append | RankInput::Update(_), true) => updates,
            _ => Changelog::ALL,
        };
        let mut schema = without_time(&from.schema);
        let mut columns = built.columns;
        let mut upsert_key = from.upsert_key.clone();
        if start == end {
            upsert_key = Some(partition.clone());
        }
        if number {
            columns.push(schema.len());
            upsert_key = Some(partition.iter().copied().chain([schema.len()]).collect());
            schema.fields.push(Field::new("$number", TypeKind::BigInt.not_null()));
        }
        let output = Output { schema, changelog, upsert_key };
        let op = Op::Rank(super::Rank { partition, order, start, end, number, input });
        let node = self.add(op, vec![built.node], output, span);
        Built { node, columns }
    }

    /// How the values of a column change when the rows of a key are updated.
    fn trend(&self, node: NodeId, column: usize) -> Trend {
        let at = self.node(node);
        match &at.op {
            Op::Project(exprs) => match exprs[column].kind {
                ExprKind::Column(c) => self.trend(at.inputs[0], c),
                _ => Trend::Unknown,
            },
            Op::Filter(_) => self.trend(at.inputs[0], column),
            Op::GroupAggregate { keys, aggregates, .. }
                if self.node(at.inputs[0]).changelog.is_insert_only() =>
            {
                match column.checked_sub(keys.len()).map(|a| &*aggregates[a].name) {
                    None => Trend::Constant,
                    Some(name) if name.starts_with("COUNT(") || name.starts_with("MAX(") => Trend::Grows,
                    Some(name) if name.starts_with("MIN(") => Trend::Falls,
                    Some(_) => Trend::Unknown,
                }
            }
            _ => Trend::Unknown,
        }
    }

    fn limit(&mut self, input: &Rel, offset: u64, fetch: Option<u64>, rel: &Rel) -> Result<Built> {
        let built = self.rel(input)?;
        let from = self.node(built.node);
        if !from.changelog.is_insert_only() {
            // The rows that came first, of those that are there.
            let Some(fetch) = fetch else {
                return Err(Error::planning("OFFSET over input that changes needs a LIMIT", rel.span)
                    .hint("add LIMIT: without it every row would have to be kept"));
            };
            let range = (offset + 1, offset.saturating_add(fetch));
            return Ok(self.add_rank(built, vec![], vec![], range, false, rel.span));
        }
        let output = Output {
            schema: from.schema.clone(),
            changelog: from.changelog,
            upsert_key: from.upsert_key.clone(),
        };
        let node = self.add(Op::Limit { offset, fetch }, vec![built.node], output, rel.span);
        Ok(Built { node, columns: built.columns })
    }
}

/// See [`Builder::trend`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trend {
    Constant,
    Grows,
    Falls,
    Unknown,
}

/// The same rows come out each time it runs over the same input.
fn is_repeatable(op: &Op) -> bool {
    match op {
        Op::Sink(_) => false,
        Op::Filter(e) => e.is_deterministic(),
        Op::Project(exprs) => exprs.iter().all(Expr::is_deterministic),
        Op::Correlate(call) => call.deterministic,
        _ => true,
    }
}

/// Equal for scans of one table with the same options, computed columns and watermark.
fn scan_key(scan: &TableScan) -> String {
    let mut key = format!("{} {:?}", scan.path, scan.table.connector.connector);
    for (k, v) in &scan.table.connector.options {
        key.push_str(&format!(" {k:?}={:?}", v.value));
    }
    key
}

/// The narrowest column that is `read` and holds the part of that path, which it is not itself; and the way from there to the part.
fn row_around<'p>(
    scan: &TableScan,
    path: &'p [usize],
    read: impl Fn(usize) -> bool,
) -> Option<(usize, &'p [usize])> {
    let part = |prefix: &[usize]| match prefix {
        [column] => Some(*column),
        _ => scan.columns.iter().position(|c| matches!(&c.from, ColumnSource::Leaf(p) if p == prefix)),
    };
    (1..path.len()).rev().find_map(|n| part(&path[..n]).filter(|&c| read(c)).map(|c| (c, &path[n..])))
}

/// The first of these expressions that passes column `column` on.
fn passed_at(exprs: &[Expr], column: usize) -> Option<usize> {
    exprs.iter().position(|e| matches!(e.kind, ExprKind::Column(c) if c == column))
}

/// The order of expressions over `width` columns in which each column that is passed on stays in its place, the others in the places that
/// are left and behind; `None`: there is none.
fn order_in_place(width: usize, exprs: &[Expr]) -> Option<Vec<usize>> {
    let is_column = |n: &usize| matches!(exprs[*n].kind, ExprKind::Column(_));
    let mut computed = (0..exprs.len()).filter(|n| !is_column(n));
    let mut order =
        (0..width).map(|c| passed_at(exprs, c).or_else(|| computed.next())).collect::<Option<Vec<_>>>()?;
    order.extend(computed);
    // A column that is passed on twice has no place the second time.
    (order.len() == exprs.len()).then_some(order)
}

fn aggregates(calls: &[AggregateCall], input: &Built, changelog: Changelog) -> Vec<Aggregate> {
    calls.iter().map(|c| aggregate(c, input, !changelog.is_insert_only())).collect()
}

/// `retracting`: rows leave their group.
fn aggregate(c: &AggregateCall, input: &Built, retracting: bool) -> Aggregate {
    Aggregate {
        name: c.name.clone(),
        args: c.args.iter().map(|&a| input.columns[a]).collect(),
        distinct: c.distinct,
        filter: c.filter.map(|f| input.columns[f]),
        ty: c.ty.clone(),
        merges: c.function.merges,
        accumulator: if retracting { c.function.retracting.clone() } else { c.function.accumulator.clone() },
        parts: c.function.accumulator.clone(),
    }
}

fn without_time(schema: &Schema) -> Schema {
    let fields = schema.fields.iter();
    Schema::new(fields.map(|f| Field::new(&f.name, f.ty.clone().with_time(TimeAttribute::None))).collect())
}

fn replace_columns(e: &mut Expr, with: &impl Fn(usize, Span) -> Expr) {
    if let ExprKind::Column(n) = e.kind {
        let ty = e.ty.clone();
        *e = Expr { ty, ..with(n, e.span) };
        return;
    }
    e.children_mut().into_iter().for_each(|c| replace_columns(c, with));
}

/// Names that stay when other parts of the statement change: what the node does and over which columns, and a number where several
/// do the same.
fn name_nodes(graph: &mut Graph) {
    let mut used: HashMap<String, usize> = HashMap::new();
    for i in 0..graph.nodes.len() {
        let name = explain::state_name(graph, NodeId(i));
        let n = used.entry(name.clone()).or_insert(0);
        *n += 1;
        graph.nodes[i].id = if *n == 1 { name } else { format!("{name}-{n}") };
    }
}

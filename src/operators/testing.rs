//! Tests of operators: text table in, text table out.
//!
//! Input, a line each: `+I 1 abc null` is a row, `~ 5000` a watermark (ms), `R …` either of them at port 1; a row without kind is
//! `+I`. Timestamps are written in ms. Output has the same form; a watermark stands before the first row that it precedes, and
//! the last at the end (`~ end`: the end of time), so that the text does not depend on how the input was cut. An error is the
//! last line.
//!
//! [`check`] runs every case at several batch sizes, and at each once more with the state written and restored in the middle.

use super::{Built, Context, Counters, Operator, Stage, build};
use crate::batch::{
    Batch, Column, ColumnData, DataType, Decoder, END_OF_TIME, Encoder, Field, MAX_ROWS, Pool, RowKind,
    Schema, TimeAttribute, TypeKind,
};
use crate::error::Span;
use crate::error::{Error, Result};
use crate::expr::{Accumulator, AccumulatorFactory, Expr, RowError, Updates};
use crate::plan::{Aggregate, Changelog, Node, Op};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `k BIGINT, s STRING, t ROWTIME`; all nullable.
pub(super) fn schema(text: &str) -> Schema {
    let field = |f: &str| {
        let (name, ty) = f.trim().split_once(' ').expect("name and type");
        let ty = match ty {
            "BOOLEAN" => TypeKind::Boolean.nullable(),
            "TINYINT" => TypeKind::TinyInt.nullable(),
            "INT" => TypeKind::Int.nullable(),
            "BIGINT" => TypeKind::BigInt.nullable(),
            "DOUBLE" => TypeKind::Double.nullable(),
            "DECIMAL" => TypeKind::Decimal(38, 0).nullable(),
            "STRING" => TypeKind::STRING.nullable(),
            "TIMESTAMP" => TypeKind::Timestamp(3).nullable(),
            "ROWTIME" => TypeKind::Timestamp(3).nullable().with_time(TimeAttribute::Rowtime),
            "ROWTIME_LTZ" => TypeKind::TimestampLtz(3).nullable().with_time(TimeAttribute::Rowtime),
            other => panic!("no type {other} in tests"),
        };
        Field::new(name, ty)
    };
    Schema::new(text.split(',').map(field).collect())
}

/// A node of that schema with no operation of interest.
pub(super) fn input(schema_text: &str, changelog: Changelog) -> Node {
    node(Op::Union, schema_text, changelog)
}

/// A node with that operation and output.
pub(super) fn node(op: Op, schema_text: &str, changelog: Changelog) -> Node {
    let schema = if schema_text.is_empty() { Schema::default() } else { schema(schema_text) };
    let (id, span) = ("test".into(), Span::default());
    Node { op, inputs: vec![], schema, changelog, upsert_key: None, id, state_ttl_ms: None, span }
}

/// Column `n` of `schema`.
pub(super) fn column(schema: &Schema, n: usize) -> Expr {
    Expr::column(n, schema.ty(n).clone(), Span::default())
}

#[derive(Clone, Debug)]
enum Event {
    Row(RowKind, Vec<String>),
    Watermark(i64),
}

fn parse(text: &str) -> Vec<(usize, Event)> {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    lines
        .map(|line| {
            let (port, rest) = match line.strip_prefix("R ") {
                Some(rest) => (1, rest),
                None => (0, line),
            };
            let mut words: Vec<&str> = rest.split_whitespace().collect();
            if words[0] == "~" {
                let w = if words[1] == "end" { END_OF_TIME } else { words[1].parse().expect("a watermark") };
                return (port, Event::Watermark(w));
            }
            let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];
            let kind = kinds.into_iter().find(|k| k.short() == words[0]);
            if kind.is_some() {
                words.remove(0);
            }
            let values = words.into_iter().map(String::from).collect();
            (port, Event::Row(kind.unwrap_or(RowKind::Insert), values))
        })
        .collect()
}

fn push_value(c: &mut Column, ty: &DataType, text: &str) {
    if text == "null" {
        c.push_null();
        return;
    }
    let number = || text.parse::<i64>().unwrap_or_else(|_| panic!("{text} is not a number"));
    match &mut c.data {
        ColumnData::Bool(b) => b.push(text == "true"),
        ColumnData::I8(b) => b.push(number() as i8),
        ColumnData::I32(b) => b.push(number() as i32),
        ColumnData::I64(b) => b.push(number() * if ty.kind.is_timestamp() { 1000 } else { 1 }),
        ColumnData::F64(b) => b.push(text.parse().expect("a double")),
        ColumnData::I128(b) => b.push(number().into()),
        ColumnData::Bytes(b) => b.push(text.as_bytes()),
        _ => panic!("no values of {ty} in tests"),
    }
    c.validity.push(true);
}

fn value(c: &Column, ty: &DataType, row: usize) -> String {
    if !c.is_valid(row) {
        return "null".into();
    }
    match &c.data {
        ColumnData::Bool(b) => b.get(row).to_string(),
        ColumnData::I8(b) => b[row].to_string(),
        ColumnData::I32(b) => b[row].to_string(),
        ColumnData::I64(b) if ty.kind.is_timestamp() => b[row].div_euclid(1000).to_string(),
        ColumnData::I64(b) => b[row].to_string(),
        ColumnData::F64(b) => b[row].to_string(),
        ColumnData::I128(b) => b[row].to_string(),
        ColumnData::Bytes(b) => String::from_utf8_lossy(b.get(row)).into_owned(),
        _ => panic!("no values of {ty} in tests"),
    }
}

/// Cuts the events into batches of at most `size` rows; a row more that is not selected stands in each larger one.
fn batches(events: &[(usize, Event)], inputs: &[&Node], size: usize) -> Vec<(usize, Batch)> {
    let mut out = Vec::new();
    let mut rest = events;
    while let [(port, _), ..] = rest {
        let schema = &inputs[*port].schema;
        let mut columns: Vec<Column> = schema.fields.iter().map(|f| Column::new(&f.ty)).collect();
        let (mut kinds, mut selection, mut marks) = (vec![], vec![], vec![]);
        while let [(p, event), more @ ..] = rest {
            if p != port || selection.len() == size && matches!(event, Event::Row(..)) {
                break;
            }
            match event {
                Event::Watermark(w) => marks.push((kinds.len(), *w)),
                Event::Row(kind, values) => {
                    if size > 2 && selection.len() == 1 {
                        columns.iter_mut().for_each(Column::push_null);
                        kinds.push(RowKind::Insert);
                    }
                    assert_eq!(values.len(), columns.len(), "values of a row");
                    selection.push(kinds.len() as u32);
                    kinds.push(*kind);
                    for ((c, f), v) in columns.iter_mut().zip(&schema.fields).zip(values) {
                        push_value(c, &f.ty, v);
                    }
                }
            }
            rest = more;
        }
        let mut b = Batch::new(columns.into_iter().map(crate::batch::ColumnRef::new).collect(), kinds.len());
        if selection.len() < kinds.len() {
            b.select(Some(selection));
        }
        if kinds.iter().any(|&k| k != RowKind::Insert) {
            b.set_kinds(Some(kinds));
        }
        marks.into_iter().for_each(|(after, w)| b.watermarks.advance(after, w));
        out.push((*port, b));
    }
    out
}

/// All rows of the text as one batch.
pub(super) fn batch_of(schema_text: &str, text: &str) -> Batch {
    let from = input(schema_text, Changelog::ALL);
    let mut all = batches(&parse(text), &[&from], usize::MAX);
    assert_eq!(all.len(), 1, "one port");
    all.remove(0).1
}

/// What a run gave.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) lines: Vec<String>,
    pub(super) counters: Counters,
    /// Rows of each batch that came out, watermarks alone not counted.
    pub(super) batches: Vec<usize>,
    watermark: Option<i64>,
    told: Option<i64>,
}

impl Outcome {
    fn tell_watermark(&mut self) {
        if self.watermark != self.told {
            let w = self.watermark.expect("a watermark that was set");
            self.lines.push(if w == END_OF_TIME { "~ end".into() } else { format!("~ {w}") });
            self.told = self.watermark;
        }
    }

    fn take(&mut self, batch: &Batch, schema: &Schema) {
        assert!(batch.rows() <= MAX_ROWS * 2, "batches are bounded");
        let mut marks = batch.watermarks.runs().iter().peekable();
        batch.sel().for_each(|r| {
            while let Some(m) = marks.next_if(|m| m.0 as usize <= r) {
                self.watermark = Some(m.1);
            }
            self.tell_watermark();
            let mut line = batch.kind(r).short().to_string();
            assert_eq!(batch.columns.len(), schema.len(), "columns of the output");
            for (c, f) in batch.columns.iter().zip(&schema.fields) {
                line.push(' ');
                line.push_str(&value(c, &f.ty, r));
            }
            self.lines.push(line);
        });
        if let Some(m) = marks.last() {
            self.watermark = Some(m.1);
        }
        if batch.selected() > 0 {
            self.batches.push(batch.selected());
        }
    }
}

/// A stage as an operator, so that one harness serves both.
struct Staged {
    stage: Box<dyn Stage>,
    ready: Option<Batch>,
    error: Option<Error>,
}

impl Operator for Staged {
    fn push(&mut self, _port: usize, mut batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.error = self.stage.apply(&mut batch, cx).err();
        self.ready = Some(batch);
        Ok(())
    }
    fn pull(&mut self, _cx: &mut Context<'_>) -> Result<Option<Batch>> {
        match self.ready.take() {
            Some(batch) => Ok(Some(batch)),
            None => self.error.take().map_or(Ok(None), Err),
        }
    }
    fn snapshot(&self, to: &mut Encoder) {
        self.stage.snapshot(to);
    }
    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        self.stage.restore(from)
    }
    fn bytes(&self) -> usize {
        0
    }
    fn counters(&self) -> Counters {
        self.stage.counters()
    }
}

fn build_any(node: &Node, inputs: &[&Node]) -> Result<Box<dyn Operator>> {
    Ok(match build(node, inputs)? {
        Built::Operator(op) => op,
        Built::Stage(stage) => Box::new(Staged { stage, ready: None, error: None }),
    })
}

/// Runs batches through a new operator; before batch `restore_at` it is replaced by one restored from its state.
fn run_batches(
    node: &Node,
    inputs: &[&Node],
    batches: Vec<(usize, Batch)>,
    restore_at: Option<usize>,
) -> Outcome {
    let mut pool = Pool::default();
    let mut cx = Context { pool: &mut pool, now_us: 0 };
    let mut op = build_any(node, inputs).expect("the operator is supported");
    let mut out = Outcome::default();
    let mut earlier = Counters::default();
    fn pull_all(op: &mut dyn Operator, out: &mut Outcome, node: &Node, cx: &mut Context<'_>) -> Result<()> {
        while let Some(b) = op.pull(cx)? {
            out.take(&b, &node.schema);
            cx.pool.recycle(b);
        }
        Ok(())
    }
    let ports = inputs.len();
    let ends = (0..ports).map(|p| (p, Batch::watermark(END_OF_TIME)));
    let all: Vec<_> = batches.into_iter().chain(ends).collect();
    let go = || -> Result<()> {
        for (n, (port, b)) in all.into_iter().enumerate() {
            if restore_at == Some(n) {
                let mut e = Encoder::default();
                op.snapshot(&mut e);
                let bytes = e.finish();
                earlier = op.counters();
                op = build_any(node, inputs)?;
                let mut d = Decoder::new(&bytes);
                op.restore(&mut d)?;
                d.end()?;
            }
            // Both ways in are one to whoever reads.
            if restore_at.is_some() {
                op.push(port, b, &mut cx)?;
            } else if let Some(b) = op.pass(port, b, &mut cx)? {
                out.take(&b, &node.schema);
                cx.pool.recycle(b);
                assert!(op.pull(&mut cx)?.is_none(), "what is passed on is all there is");
            }
            pull_all(&mut *op, &mut out, node, &mut cx)?;
        }
        for p in 0..ports {
            op.finish(p, &mut cx)?;
            pull_all(&mut *op, &mut out, node, &mut cx)?;
        }
        Ok(())
    };
    let result = go();
    out.tell_watermark();
    let c = op.counters();
    out.counters = Counters {
        rows_in: c.rows_in + earlier.rows_in,
        rows_out: c.rows_out + earlier.rows_out,
        filtered: c.filtered + earlier.filtered,
        late: c.late + earlier.late,
        absorbed: c.absorbed + earlier.absorbed,
        batches_in: c.batches_in + earlier.batches_in,
    };
    let c = &out.counters;
    match result {
        Ok(()) => assert!(
            c.rows_in == c.absorbed + c.filtered + c.late || c.rows_in == c.filtered + c.late + c.rows_out,
            "rows are accounted for: {c:?}"
        ),
        Err(e) => out.lines.push(format!("error: {}", e.message())),
    }
    out
}

/// Runs the text through an operator in batches of `size` rows.
pub(super) fn run(node: &Node, inputs: &[&Node], text: &str, size: usize) -> Outcome {
    run_batches(node, inputs, batches(&parse(text), inputs, size), None)
}

/// The same at several batch sizes and with a restored state; all agree, and the result is returned.
pub(super) fn run_all(node: &Node, inputs: &[&Node], text: &str) -> Outcome {
    let events = parse(text);
    let want = run(node, inputs, text, 1);
    for size in [1, 2, 7, 1024] {
        let whole = batches(&events, inputs, size);
        let middles = [None, Some(whole.len() / 2), Some(whole.len() / 3 + 1)];
        for middle in middles {
            let got = run_batches(node, inputs, whole.clone(), middle);
            assert_eq!(got.lines, want.lines, "batch size {size}, restored before batch {middle:?}");
            if !got.lines.last().is_some_and(|l| l.starts_with("error")) {
                let ours = |c: Counters| Counters { batches_in: 0, ..c };
                assert_eq!(ours(got.counters), ours(want.counters), "batch size {size}, {middle:?}");
            }
        }
    }
    want
}

/// [`run_all`] gives exactly these lines.
pub(super) fn check(node: &Node, inputs: &[&Node], text: &str, expected: &str) {
    let want: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(run_all(node, inputs, text).lines, want);
}

/// `COUNT(*)` (no argument), `COUNT(x)`, `SUM(x)` or `MAX(x)` over BIGINT.
pub(super) fn aggregate(name: &str, args: &[usize]) -> Aggregate {
    let kind = match name {
        "COUNT" => Simple::Count,
        "SUM" => Simple::Sum,
        "MAX" => Simple::Max,
        other => panic!("no aggregate {other} in tests"),
    };
    let accumulator: AccumulatorFactory = Arc::new(move || Box::new(Naive { kind, groups: Vec::new() }));
    Aggregate {
        name: name.into(),
        args: args.to_vec(),
        distinct: false,
        filter: None,
        ty: TypeKind::BigInt.nullable(),
        merges: false,
        parts: accumulator.clone(),
        accumulator,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Simple {
    Count,
    Sum,
    Max,
}

/// An accumulator that keeps every value: slow, and right.
struct Naive {
    kind: Simple,
    groups: Vec<BTreeMap<i64, i64>>,
}

impl Naive {
    fn value(&self, slot: u32) -> Option<i64> {
        let values = &self.groups[slot as usize];
        match self.kind {
            Simple::Count => Some(values.values().sum()),
            Simple::Sum if values.is_empty() => None,
            Simple::Sum => Some(values.iter().map(|(v, n)| v * n).sum()),
            Simple::Max => values.last_key_value().map(|e| *e.0),
        }
    }
}

impl Accumulator for Naive {
    fn grow(&mut self, slots: usize) {
        self.groups.resize(slots.max(self.groups.len()), BTreeMap::new());
    }
    fn reset(&mut self, slot: u32) {
        self.groups[slot as usize].clear();
    }
    fn update(&mut self, u: &Updates<'_>) -> Result<(), RowError> {
        for (&row, &slot) in u.rows.iter().zip(u.slots) {
            let row = row as usize;
            let v = match u.args {
                [] => 0,
                [a] if !a.is_valid(row) => continue,
                [a] => a.column.slice::<i64>()[a.at(row)],
                _ => unreachable!(),
            };
            if v == 666 {
                return Err(RowError::runtime(row, "the beast"));
            }
            let values = &mut self.groups[slot as usize];
            let n = values.entry(v).or_default();
            *n += if u.is_add(row) { 1 } else { -1 };
            if *n == 0 {
                values.remove(&v);
            }
        }
        Ok(())
    }
    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]) {
        let other: &Naive = other.same();
        for (&to, &from) in into.iter().zip(from) {
            for (v, n) in &other.groups[from as usize] {
                *self.groups[to as usize].entry(*v).or_default() += n;
            }
        }
    }
    fn emit(&self, slots: &[u32], out: &mut Column) {
        for &s in slots {
            match self.value(s) {
                Some(v) => {
                    out.buffer_mut::<i64>().push(v);
                    out.validity.push(true);
                }
                None => out.push_null(),
            }
        }
    }
    fn encode(&self, slots: &[u32], to: &mut Encoder) {
        for &s in slots {
            let values = &self.groups[s as usize];
            to.len(values.len());
            for (v, n) in values {
                to.i64(*v);
                to.i64(*n);
            }
        }
    }
    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        self.grow(slots);
        for group in &mut self.groups[..slots] {
            for _ in 0..from.len(16)? {
                group.insert(from.i64()?, from.i64()?);
            }
        }
        Ok(())
    }
    fn bytes(&self) -> usize {
        self.groups.len()
    }
}

/// `x + 1` over BIGINT, which fails for 666.
pub(super) fn plus_one(arg: Expr) -> Expr {
    use crate::expr::{Arg, BoundFunction, Determinism, Fallible};
    let bound = BoundFunction {
        args: vec![arg.ty.clone()],
        ty: TypeKind::BigInt.nullable(),
        determinism: Determinism::Deterministic,
        kernel: Arc::new(|| {
            Box::new(Fallible(|args: &[Arg<'_>], sel: crate::batch::Sel<'_>, _: usize, out: &mut Column| {
                sel.try_for_each(|r| {
                    out.validity.set(r, args[0].is_valid(r));
                    let v = args[0].column.slice::<i64>()[args[0].at(r)];
                    if v == 666 {
                        return Err(RowError::runtime(r, "the beast"));
                    }
                    out.buffer_mut::<i64>()[r] = v + 1;
                    Ok(())
                })
            }))
        }),
    };
    Expr::call("PLUS_ONE", bound, vec![arg], Span::default())
}

//! The chain of a scorer: the steps from the table to the result, each given all rows at hand at once. No shard drives it: nothing waits
//! in it but state, so a row goes through in one call.
//!
//! Lateness is settled where the table's watermark is made: a row at or below the watermark before it is answered by all OVERs and joins
//! none. Where a filter has dropped rows, what is left is made dense before an OVER, so that its answers stand beside their rows.

use crate::batch::{BEFORE_TIME, Batch, ColumnRef, DataType, Decoder, Encoder, Home, Pool, Schema};
use crate::error::{Error, ErrorKind, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::operators::{self, Built, Context, OverScorer, Stage};
use crate::plan::connector::SourceSpec;
use crate::plan::{Graph, Node, NodeId, Op, OverOrder};

/// See the module's text.
pub(super) struct Chain {
    steps: Vec<Step>,
    /// Batches of events come home here, and these are their columns.
    home: Home,
    types: Vec<DataType>,
    pool: Pool,
    /// The watermark after the rows so far, ms.
    watermark: i64,
    /// By row of the batch at hand: it is late; and the watermark before it.
    late: Vec<bool>,
    before: Vec<i64>,
    /// By row of the result: which row of the batch it is of.
    origins: Vec<u32>,
    /// By column of the result: where it stands in what [`Chain::run`] gives; none: in its place.
    places: Option<Vec<usize>>,
}

enum Step {
    Stage { id: String, stage: Box<dyn Stage> },
    Watermark { stage: Box<dyn Stage>, column: usize },
    Over(Box<OverStep>),
}

struct OverStep {
    id: String,
    scorer: OverScorer,
    /// The columns of the event that are its key, where nothing before it drops rows.
    key: Option<Vec<usize>>,
    /// The column of the event time; none: processing time.
    time: Option<usize>,
    home: Home,
    /// Columns of the input.
    width: usize,
    /// The types of the output.
    types: Vec<DataType>,
}

/// What a graph that can be scored is made of, besides the chain.
pub(super) struct Parts {
    /// The scan.
    pub(super) source: SourceSpec,
    /// The columns that the chain reads.
    pub(super) reads: Schema,
    /// The columns of its result.
    pub(super) result: Schema,
}

impl Chain {
    /// The chain of a graph. `fused`: COUNT, SUM, MIN and MAX are the built-in ones. `fetched`: the result's columns are fetched from [where they
    /// are](Chain::place), and need not stand in order.
    ///
    /// # Errors
    /// Something in it cannot be scored, by name.
    pub(super) fn new(graph: &Graph, fused: bool, fetched: bool) -> Result<(Self, Parts)> {
        let mut steps = vec![];
        let (mut source, mut result, mut places) = (None, None, None);
        // By node: which column of the event each column is, as long as every event comes through.
        let mut origins: Vec<Option<Vec<Option<usize>>>> = vec![];
        for (n, node) in graph.nodes.iter().enumerate() {
            let input = node.inputs.first().map(|&i| graph.node(i));
            let of_input = node.inputs.first().and_then(|i| origins[i.0].clone());
            origins.push(origins_of(node, of_input.clone()));
            match (&node.op, input) {
                (Op::Scan(spec), _) if source.is_none() => {
                    if !spec.info.changelog.is_insert_only() {
                        return Err(refuse("a table whose rows change", node));
                    }
                    if let Some((key, _)) = spec.metadata.first() {
                        return Err(refuse(format!("the metadata column '{key}'"), node)
                            .hint("an event has the columns of the table alone"));
                    }
                    source = Some((spec.clone(), node.schema.clone()));
                }
                (Op::Scan(spec), _) => {
                    return Err(refuse(format!("a second table, '{}',", spec.table.name), node)
                        .hint("an event is a row of one table, read once"));
                }
                (Op::Sink(sink), Some(_)) if sink.table.is_none() => result = Some(sink.schema.clone()),
                (Op::Sink(_), _) => {
                    return Err(refuse("INSERT INTO", node)
                        .hint("write the SELECT alone: its row goes to the caller"));
                }
                (Op::Watermark { column, .. }, Some(input)) => {
                    steps.push(Step::Watermark { stage: stage(node, input)?, column: *column });
                }
                (Op::Project(exprs), Some(input))
                    if fetched
                        && graph
                            .consumers(NodeId(n))
                            .iter()
                            .all(|c| matches!(graph.node(c.0).op, Op::Sink(_)))
                        && let Some((exprs, at)) = in_place(exprs, &input.schema) =>
                {
                    let node = Node { op: Op::Project(exprs), ..node.clone() };
                    steps.push(Step::Stage { id: node.id.clone(), stage: stage(&node, input)? });
                    places = Some(at);
                }
                (Op::Filter(_) | Op::Project(_), Some(input)) => {
                    steps.push(Step::Stage { id: node.id.clone(), stage: stage(node, input)? });
                }
                (Op::Over(over), Some(input)) => {
                    let time = match over.order {
                        OverOrder::Rowtime(c) => Some(c),
                        OverOrder::Proctime => None,
                        OverOrder::Column(_) => {
                            return Err(refuse("OVER ordered by an ordinary column", node)
                                .hint("order it by the time attribute"));
                        }
                    };
                    steps.push(Step::Over(Box::new(OverStep {
                        id: node.id.clone(),
                        key: of_input.and_then(|o| over.partition.iter().map(|&c| o[c]).collect()),
                        scorer: OverScorer::new(over, input, fused),
                        time,
                        home: Home::default(),
                        width: input.schema.len(),
                        types: node.schema.fields.iter().map(|f| f.ty.clone()).collect(),
                    })));
                }
                // Another shard may own the key when a job runs; here all keys are at home.
                (Op::Exchange(_), Some(_)) => {}
                _ => return Err(refuse(node.op.name(), node)),
            }
            if graph.consumers(NodeId(n)).len() > 1 {
                return Err(refuse("a query that reads its rows in two ways", node));
            }
        }
        let (Some((source, reads)), Some(result)) = (source, result) else {
            return Err(Error::config("a scorer's query is a SELECT from a table")
                .hint("declare the table of the events with CREATE TABLE, and select from it"));
        };
        let types = reads.fields.iter().map(|f| f.ty.clone()).collect();
        let chain = Self {
            steps,
            home: Home::default(),
            types,
            pool: Pool::default(),
            watermark: BEFORE_TIME,
            late: vec![],
            before: vec![],
            origins: vec![],
            places,
        };
        Ok((chain, Parts { source, reads, result }))
    }

    /// A batch for events: empty columns that nobody else holds. Say by [`Batch::set_rows`] how many rows were appended.
    #[inline]
    pub(super) fn batch(&mut self) -> Batch {
        let mut batch = self.pool.batch_at(&mut self.home, &self.types);
        for (c, ty) in batch.columns.iter_mut().zip(&self.types) {
            self.pool.own(c, ty).clear();
        }
        batch
    }

    /// Takes a batch back.
    #[inline]
    pub(super) fn recycle(&mut self, batch: Batch) {
        self.pool.recycle(batch);
    }

    /// The memory of the chain, for inputs.
    pub(super) fn pool(&mut self) -> &mut Pool {
        &mut self.pool
    }

    /// Runs rows through. [`Chain::late`] and [`Chain::origin`] tell of the selected rows of what comes back.
    ///
    /// # Errors
    /// A row failed. The rows before it have been taken.
    #[inline]
    pub(super) fn run(&mut self, mut batch: Batch, now_us: i64) -> Result<Batch> {
        self.prepare(batch.rows(), now_us);
        let mut failed = None;
        let Self { steps, pool, watermark, late, before, origins, .. } = self;
        meet(steps, &batch);
        for step in steps {
            let result = match step {
                Step::Stage { stage, id } => {
                    stage.apply(&mut batch, &mut Context { pool, now_us }).map_err(|e| e.during(id))
                }
                Step::Watermark { stage, column } => {
                    let result = stage.apply(&mut batch, &mut Context { pool, now_us });
                    *watermark = mark_late(&batch, *column, *watermark, late, before);
                    result
                }
                Step::Over(over) => {
                    if batch.selected() == 0 {
                        continue;
                    }
                    if batch.selected() != batch.rows() {
                        batch = dense(batch, over.width, &over.types, (late, before, origins), pool);
                    }
                    over.apply(&mut batch, late, before, now_us, pool).map_err(|e| e.during(&over.id))
                }
            };
            if let Err(e) = result {
                // What comes after this step still takes the rows before.
                failed = Some(e);
            }
        }
        match failed {
            None => Ok(batch),
            Some(e) => {
                for step in &mut self.steps {
                    if let Step::Over(over) = step {
                        over.scorer.part();
                    }
                }
                self.pool.recycle(batch);
                Err(e)
            }
        }
    }

    #[inline]
    fn prepare(&mut self, rows: usize, now_us: i64) {
        let now = now_us.div_euclid(1000);
        if let (1, [late], [before], [origin]) =
            (rows, &mut self.late[..], &mut self.before[..], &mut self.origins[..])
        {
            (*late, *before, *origin) = (false, now, 0);
            return;
        }
        self.late.clear();
        self.late.resize(rows, false);
        self.before.clear();
        self.before.resize(rows, now);
        self.origins.clear();
        self.origins.extend(0..rows as u32);
    }

    /// Row `row` of the last result is late.
    #[inline]
    pub(super) fn is_late(&self, row: usize) -> bool {
        self.late[row]
    }

    /// Which row of the batch that was run row `row` of its result is.
    #[inline]
    pub(super) fn origin(&self, row: usize) -> usize {
        self.origins[row] as usize
    }

    /// Where column `n` of the result stands in what [`Chain::run`] gives.
    pub(super) fn place(&self, n: usize) -> usize {
        self.places.as_ref().map_or(n, |places| places[n])
    }

    /// What [`Chain::run`] has given, its columns in the order of the result's.
    pub(super) fn in_order(&mut self, batch: Batch) -> Batch {
        let Some(places) = &self.places else { return batch };
        let mut columns = self.pool.column_list();
        columns.extend(places.iter().map(|&at| batch.column(at).clone()));
        let (batch, old) = batch.with_columns(columns);
        self.pool.recycle_columns(old);
        batch
    }

    /// The watermark after the rows so far, ms.
    pub(super) fn watermark(&self) -> i64 {
        self.watermark
    }

    /// Has memory for so many bytes more come now, for each OVER as much as it has of what is held.
    pub(super) fn reserve(&mut self, bytes: usize) {
        let held = self.bytes().max(1) as f64;
        for step in &mut self.steps {
            if let Step::Over(over) = step {
                over.scorer.reserve((bytes as f64 * (over.scorer.bytes() as f64 / held)) as usize);
            }
        }
    }

    /// Reads each page of state.
    pub(super) fn touch(&self) {
        for step in &self.steps {
            if let Step::Over(over) = step {
                over.scorer.touch();
            }
        }
    }

    /// Bytes of state. Looks at all keys.
    pub(super) fn bytes(&self) -> usize {
        let of = |s: &Step| if let Step::Over(o) = s { o.scorer.bytes() } else { 0 };
        self.steps.iter().map(of).sum()
    }

    /// The error of a state of so many bytes that its limit does not allow.
    pub(super) fn outgrown(&self, held: usize, limit: usize) -> Error {
        let of = |s: &Step| match s {
            Step::Over(o) => Some((o.scorer.bytes(), o.id.clone())),
            _ => None,
        };
        let mut parts: Vec<(usize, String)> = self.steps.iter().filter_map(of).collect();
        parts.sort_by_key(|p| std::cmp::Reverse(p.0));
        let mb = |bytes: usize| bytes as f64 / 1e6;
        let largest: Vec<String> =
            parts.iter().take(3).map(|(b, id)| format!("{id}: {:.1} MB", mb(*b))).collect();
        Error::new(
            ErrorKind::Runtime,
            format!(
                "the state of this scorer has grown to {:.1} MB, over its limit of {:.1} MB; the largest operators: {}",
                mb(held),
                mb(limit),
                largest.join(", ")
            ),
        )
        .hint("shorten the frames, set 'pelton.over.range-resolution', or raise 'pelton.memory-limit'")
    }

    /// Writes its state.
    pub(super) fn snapshot(&self, to: &mut Encoder) {
        to.block(b"SCOR", 1);
        to.i64(self.watermark);
        for step in &self.steps {
            let mut own = Encoder::default();
            match step {
                Step::Stage { stage, .. } | Step::Watermark { stage, .. } => stage.snapshot(&mut own),
                Step::Over(over) => over.scorer.snapshot(&mut own),
            }
            to.bytes(&own.finish());
        }
    }

    /// Reads what [`Chain::snapshot`] wrote, into a new chain of the same graph.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(super) fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"SCOR", 1)?;
        self.watermark = from.i64()?;
        for step in &mut self.steps {
            let mut own = Decoder::new(from.bytes()?);
            match step {
                Step::Stage { stage, .. } | Step::Watermark { stage, .. } => stage.restore(&mut own)?,
                Step::Over(over) => over.scorer.restore(&mut own)?,
            }
            own.end()?;
        }
        Ok(())
    }
}

impl OverStep {
    /// Puts the aggregates beside the rows, which are all selected.
    #[inline]
    fn apply(
        &mut self,
        batch: &mut Batch,
        late: &[bool],
        before: &[i64],
        now_us: i64,
        pool: &mut Pool,
    ) -> Result<()> {
        let Self { scorer, time, home, width, types, .. } = self;
        let mut out = pool.batch_at(home, types);
        if batch.rows() != 1 || !scorer.sets() {
            for (c, ty) in out.columns[*width..].iter_mut().zip(&types[*width..]) {
                pool.own(c, ty).clear();
            }
        }
        let mut result = Ok(());
        for row in 0..batch.rows() {
            let at = match *time {
                Some(c) => batch.column(c).slice::<i64>()[row].div_euclid(1000),
                None => now_us.div_euclid(1000),
            };
            let passed = if time.is_some() { before[row] } else { at };
            result = scorer.advance(passed, pool).and_then(|()| {
                scorer.score(batch, row as u32, at, !late[row], &mut out.columns[*width..], pool)
            });
            if result.is_err() {
                let mut before = pool.row_list();
                before.extend(0..row as u32);
                batch.select(Some(before));
                out.columns[*width..].iter_mut().for_each(|c| {
                    let c = ColumnRef::get_mut(c).expect("owned above");
                    c.truncate(row);
                    c.push_nulls(batch.rows() - row);
                });
                break;
            }
        }
        let (to, from) = (&mut out.columns[..*width], &mut batch.columns[..]);
        to.iter_mut().zip(from).for_each(|(t, f)| std::mem::swap(t, f));
        batch.swap_columns(&mut out);
        pool.recycle(out);
        result
    }
}

/// Finds the keys of an event that comes alone for all OVERs at once: a wait for memory each, one beside the other.
#[inline]
fn meet(steps: &mut [Step], batch: &Batch) {
    let alone = batch.rows() == 1 && batch.selected() == 1;
    for step in steps.iter_mut() {
        if let Step::Over(over) = step {
            match &over.key {
                Some(key) if alone => over.scorer.meet(key, batch, 0),
                _ => over.scorer.part(),
            }
        }
    }
    if alone {
        for step in steps {
            if let Step::Over(over) = step {
                over.scorer.expect();
            }
        }
    }
}

/// The projection before the result, so that what it passes on stays where it stands, and what it computes takes the place of what the result does
/// not have; and the place of each of the result's columns. `None`: there is too little of that.
fn in_place(exprs: &[Expr], input: &Schema) -> Option<(Vec<Expr>, Vec<usize>)> {
    let passed = |c: usize| exprs.iter().any(|e| matches!(e.kind, ExprKind::Column(n) if n == c));
    let mut free = (0..input.len()).filter(|&c| !passed(c));
    let column = |c: usize| Expr::column(c, input.ty(c).clone(), Span::default());
    let mut all: Vec<Expr> = (0..input.len()).map(column).collect();
    let place = |e: &Expr| match e.kind {
        ExprKind::Column(c) => Some(c),
        _ => {
            let at = free.next()?;
            all[at] = e.clone();
            Some(at)
        }
    };
    let places = exprs.iter().map(place).collect::<Option<_>>()?;
    Some((all, places))
}

/// Which column of the event each column of a node's output is.
pub(super) fn origins_of(node: &Node, input: Option<Vec<Option<usize>>>) -> Option<Vec<Option<usize>>> {
    match &node.op {
        Op::Scan(_) => Some((0..node.schema.len()).map(Some).collect()),
        Op::Watermark { .. } | Op::Exchange(_) => input,
        Op::Project(exprs) => {
            let input = input?;
            let of = |e: &Expr| if let ExprKind::Column(c) = e.kind { input[c] } else { None };
            Some(exprs.iter().map(of).collect())
        }
        Op::Over(_) => {
            let mut columns = input?;
            columns.resize(node.schema.len(), None);
            Some(columns)
        }
        _ => None,
    }
}

/// Notes which rows are at or below the watermark before them, and gives the watermark after all.
#[inline]
fn mark_late(batch: &Batch, column: usize, mut watermark: i64, late: &mut [bool], before: &mut [i64]) -> i64 {
    let mut runs = batch.watermarks.runs().iter().copied().peekable();
    if batch.selected() > 0 {
        let times = batch.column(column).slice::<i64>();
        batch.sel().for_each(|row| {
            while let Some((_, w)) = runs.next_if(|r| r.0 as usize <= row) {
                watermark = w;
            }
            before[row] = watermark;
            late[row] = times[row].div_euclid(1000) <= watermark;
        });
    }
    runs.last().map_or(watermark, |r| r.1)
}

/// The selected rows alone.
#[cold]
fn dense(
    batch: Batch,
    width: usize,
    types: &[DataType],
    (late, before, origins): (&mut Vec<bool>, &mut Vec<i64>, &mut Vec<u32>),
    pool: &mut Pool,
) -> Batch {
    let mut rows = pool.row_list();
    rows.extend(batch.sel().iter().map(|r| r as u32));
    let mut columns = pool.column_list();
    for (c, ty) in batch.columns.iter().zip(&types[..width]) {
        let mut own = pool.column(ty);
        ColumnRef::get_mut(&mut own).expect("the pool's columns are unshared").extend_rows(c, &rows);
        columns.push(own);
    }
    for (n, &row) in rows.iter().enumerate() {
        late[n] = late[row as usize];
        before[n] = before[row as usize];
        origins[n] = origins[row as usize];
    }
    late.truncate(rows.len());
    before.truncate(rows.len());
    origins.truncate(rows.len());
    let mut out = pool.batch();
    out.fill(&mut columns, rows.len());
    for &(after, w) in batch.watermarks.runs() {
        out.watermarks.advance(rows.partition_point(|&r| r < after), w);
    }
    pool.recycle_columns(columns);
    pool.recycle_rows(rows);
    pool.recycle(batch);
    out
}

fn stage(node: &Node, input: &Node) -> Result<Box<dyn Stage>> {
    match operators::build(node, &[input])? {
        Built::Stage(stage) => Ok(stage),
        Built::Operator(_) => unreachable!("filters, projections and watermarks are stages"),
    }
}

fn refuse(what: impl std::fmt::Display, node: &Node) -> Error {
    Error::planning(format!("{what} cannot be scored"), node.span)
        .hint("a scorer's query reads one table and has filters, projections and OVER by time")
}

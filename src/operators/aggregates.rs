//! The aggregates of one operator over the groups of a keyed state: which rows each of them sees, and its accumulators.
//!
//! FILTER and DISTINCT are settled here, so that an accumulator just takes what it is given. A **feed** is the rows that an aggregate
//! sees: all of them, those of a filter, or those at which a distinct value joins or leaves. Aggregates with the same
//! filter and DISTINCT arguments share a feed, and with it the view of distinct values.

use super::gather::{differs, extend_picks, mark_changed, position};
use crate::batch::{Batch, Column, ColumnRef, DataType, Decoder, Encoder, Pool, Schema};
use crate::error::Result;
use crate::expr::{Accumulator, Arg, RowError, Updates};
use crate::plan;
use crate::state::{DistinctView, Joined};

/// See the module's text.
pub(super) struct Aggregates {
    calls: Vec<Call>,
    feeds: Vec<Feed>,
    /// For each slot: one more than the place of its last value among those of the feed at hand; 0: none.
    last: Vec<u32>,
    changed: Vec<u8>,
}

struct Call {
    args: Vec<usize>,
    ty: DataType,
    /// Its feed; none: all rows.
    feed: Option<usize>,
    accumulator: Box<dyn Accumulator>,
    tracked: Tracked,
}

struct Feed {
    filter: Option<usize>,
    args: Vec<usize>,
    view: Option<DistinctView>,
    /// Positions in the operator's list of rows, and the rows and slots there.
    positions: Vec<u32>,
    rows: Vec<u32>,
    slots: Vec<u32>,
    passing: Vec<u32>,
}

/// The values of an aggregate around each change of a batch.
#[derive(Default)]
enum Tracked {
    #[default]
    Nothing,
    /// Parallel to the rows.
    Sides { before: ColumnRef, after: ColumnRef },
    /// All values, and for each row the place of the value before and after it.
    Places { values: ColumnRef, before: Vec<u32>, after: Vec<u32> },
}

impl Aggregates {
    /// Accumulators for these aggregates over input of that schema. `retracting`: rows may leave their group.
    pub(super) fn new(aggregates: &[plan::Aggregate], input: &Schema, retracting: bool) -> Self {
        let mut feeds: Vec<Feed> = Vec::new();
        let calls = aggregates
            .iter()
            .map(|a| {
                let distinct_args = if a.distinct { &a.args[..] } else { &[] };
                let feed = (a.distinct || a.filter.is_some()).then(|| {
                    let same = |f: &Feed| {
                        f.filter == a.filter && f.args == distinct_args && f.view.is_some() == a.distinct
                    };
                    feeds.iter().position(same).unwrap_or_else(|| {
                        let types = || distinct_args.iter().map(|&c| input.ty(c).clone()).collect();
                        feeds.push(Feed {
                            filter: a.filter,
                            args: distinct_args.to_vec(),
                            view: a.distinct.then(|| DistinctView::new(types(), retracting)),
                            positions: Vec::new(),
                            rows: Vec::new(),
                            slots: Vec::new(),
                            passing: Vec::new(),
                        });
                        feeds.len() - 1
                    })
                });
                Call {
                    args: a.args.clone(),
                    ty: a.ty.clone(),
                    feed,
                    accumulator: (a.accumulator)(),
                    tracked: Tracked::Nothing,
                }
            })
            .collect();
        Self { calls, feeds, last: Vec::new(), changed: Vec::new() }
    }

    /// With what [`Aggregates::merge`] needs of the one that is merged from; also what groups need that end although rows only come.
    pub(super) fn mergeable(mut self) -> Self {
        self.end_groups();
        self
    }

    /// As [`Aggregates::mergeable`], before any row.
    pub(super) fn end_groups(&mut self) {
        for feed in &mut self.feeds {
            feed.view = feed.view.take().map(DistinctView::mergeable);
        }
    }

    /// Folds group `from[k]` of `other`, which has the same aggregates, into group `into[k]`. Both are [mergeable](Aggregates::mergeable).
    pub(super) fn merge(&mut self, into: &[u32], other: &Aggregates, from: &[u32]) {
        let joined: Vec<Option<Joined>> = self
            .feeds
            .iter_mut()
            .zip(&other.feeds)
            .map(|(f, o)| Some(f.view.as_mut()?.merge(into, o.view.as_ref()?, from)))
            .collect();
        for (call, other) in self.calls.iter_mut().zip(&other.calls) {
            match call.feed.and_then(|f| joined[f].as_ref()) {
                // Of distinct values it sees those that are new to the group.
                Some(j) => {
                    let args: Vec<_> =
                        j.columns.iter().map(|column| Arg { column, constant: false }).collect();
                    let updates = Updates { args: &args, rows: &j.rows, slots: &j.groups, kinds: None };
                    let taken = call.accumulator.update(&updates);
                    debug_assert!(taken.is_ok(), "values that one group has taken, another can take");
                }
                None => call.accumulator.merge(into, &*other.accumulator, from),
            }
        }
    }

    /// Number of aggregates.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// The type of aggregate `nth`.
    pub(super) fn ty(&self, nth: usize) -> &DataType {
        &self.calls[nth].ty
    }

    /// Makes slots below `slots` exist.
    pub(super) fn grow(&mut self, slots: usize) {
        self.calls.iter_mut().for_each(|c| c.accumulator.grow(slots));
    }

    /// Makes a slot an empty group.
    pub(super) fn reset(&mut self, slot: u32) {
        self.calls.iter_mut().for_each(|c| c.accumulator.reset(slot));
        self.feeds.iter_mut().filter_map(|f| f.view.as_mut()).for_each(|v| v.forget(slot));
    }

    /// Makes slots `0..slots`, which are all there are, empty groups.
    pub(super) fn reset_all(&mut self, slots: usize) {
        for c in &mut self.calls {
            (0..slots as u32).for_each(|s| c.accumulator.reset(s));
        }
        self.feeds.iter_mut().filter_map(|f| f.view.as_mut()).for_each(DistinctView::clear);
    }

    /// Takes rows into their groups; row `rows[k]` belongs to `slots[k]`.
    ///
    /// # Errors
    /// The first row that cannot be taken; groups are then in an undefined state.
    pub(super) fn update(&mut self, batch: &Batch, rows: &[u32], slots: &[u32]) -> Result<(), RowError> {
        self.feeds.iter_mut().for_each(|f| f.fill(batch, rows, slots));
        let mut first: Option<RowError> = None;
        for call in &mut self.calls {
            let (rows, slots) = feed_rows(&self.feeds, call.feed, rows, slots);
            let result = with_updates(&call.args, batch, rows, slots, |u| call.accumulator.update(u));
            keep_first(&mut first, result);
        }
        first.map_or(Ok(()), Err)
    }

    /// As [`Aggregates::update`], keeping the values around each row for [`Aggregates::changed`] and [`Aggregates::extend`].
    /// [`Aggregates::release`] lets them go.
    ///
    /// # Errors
    /// The first row that cannot be taken; the values around the rows before it are there.
    pub(super) fn update_tracked(
        &mut self,
        batch: &Batch,
        rows: &[u32],
        slots: &[u32],
        pool: &mut Pool,
    ) -> Result<(), RowError> {
        self.feeds.iter_mut().for_each(|f| f.fill(batch, rows, slots));
        let mut first: Option<RowError> = None;
        for call in &mut self.calls {
            let mut after = pool.column(&call.ty);
            let mut before = pool.column(&call.ty);
            let (a, b) = (unshared(&mut after), unshared(&mut before));
            let Some(feed) = call.feed else {
                let result = with_updates(&call.args, batch, rows, slots, |u| {
                    call.accumulator.update_tracked(u, b, a)
                });
                keep_first(&mut first, result);
                call.tracked = Tracked::Sides { before, after };
                continue;
            };
            // The values before the batch, and behind them the value after each row of the feed.
            let feed = &self.feeds[feed];
            call.accumulator.emit(slots, a);
            let result = with_updates(&call.args, batch, &feed.rows, &feed.slots, |u| {
                call.accumulator.update_tracked(u, b, a)
            });
            keep_first(&mut first, result);
            let (places_before, places_after) =
                feed.places(slots, after.len() - slots.len(), &mut self.last, pool);
            pool.recycle_column(before);
            call.tracked = Tracked::Places { values: after, before: places_before, after: places_after };
        }
        first.map_or(Ok(()), Err)
    }

    /// For each of the first `rows` rows of the last update: 1 when an aggregate has changed.
    pub(super) fn changed(&mut self, rows: usize) -> &[u8] {
        self.changed.clear();
        self.changed.resize(rows, 0);
        for call in &self.calls {
            match &call.tracked {
                Tracked::Nothing => {}
                Tracked::Sides { before, after } => mark_changed(before, after, &mut self.changed),
                Tracked::Places { values, before, after } => {
                    for ((c, &b), &a) in self.changed.iter_mut().zip(before).zip(after) {
                        if a != b && *c == 0 {
                            *c = u8::from(differs(values, b as usize, values, a as usize));
                        }
                    }
                }
            }
        }
        &self.changed
    }

    /// Appends a column for each aggregate: its values at `picks`.
    pub(super) fn extend(&self, picks: &[u32], columns: &mut Vec<ColumnRef>, pool: &mut Pool) {
        for call in &self.calls {
            let mut out = pool.column(&call.ty);
            match &call.tracked {
                Tracked::Nothing => {}
                Tracked::Sides { before, after } => {
                    extend_picks(unshared(&mut out), before, after, picks);
                }
                Tracked::Places { values, before, after } => {
                    let mut rows = pool.row_list();
                    let sides = [before, after];
                    rows.extend(picks.iter().map(|&p| sides[(p & 1) as usize][position(p)]));
                    unshared(&mut out).extend_rows(values, &rows);
                    pool.recycle_rows(rows);
                }
            }
            columns.push(out);
        }
    }

    /// Lets the tracked values go.
    pub(super) fn release(&mut self, pool: &mut Pool) {
        for call in &mut self.calls {
            match std::mem::take(&mut call.tracked) {
                Tracked::Nothing => {}
                Tracked::Sides { before, after } => {
                    pool.recycle_column(before);
                    pool.recycle_column(after);
                }
                Tracked::Places { values, before, after } => {
                    pool.recycle_column(values);
                    pool.recycle_rows(before);
                    pool.recycle_rows(after);
                }
            }
        }
    }

    /// Appends the values of `slots` to a column for each aggregate.
    pub(super) fn emit(&self, slots: &[u32], out: &mut [ColumnRef]) {
        for (call, out) in self.calls.iter().zip(out) {
            call.accumulator.emit(slots, unshared(out));
        }
    }

    /// Appends the value of a slot for aggregate `nth`.
    #[inline]
    pub(super) fn emit_one(&self, nth: usize, slot: u32, out: &mut ColumnRef) {
        self.calls[nth].accumulator.emit(&[slot], unshared(out));
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.calls.iter().map(|c| c.accumulator.bytes()).sum::<usize>()
            + self.feeds.iter().filter_map(|f| f.view.as_ref()).map(DistinctView::bytes).sum::<usize>()
    }

    /// Writes the groups of `slots`, which are all there are; `bound` is above every slot.
    pub(super) fn encode(&self, slots: &[u32], bound: usize, to: &mut Encoder) {
        self.calls.iter().for_each(|c| c.accumulator.encode(slots, to));
        if self.feeds.iter().all(|f| f.view.is_none()) {
            return;
        }
        let mut position = vec![0; bound];
        slots.iter().enumerate().for_each(|(n, &s)| position[s as usize] = n as u32);
        self.feeds.iter().filter_map(|f| f.view.as_ref()).for_each(|v| v.encode(&position, to));
    }

    /// Reads what [`Aggregates::encode`] wrote, into slots `0..slots`.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(super) fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        self.grow(slots);
        self.calls.iter_mut().try_for_each(|c| c.accumulator.decode(slots, from))?;
        self.feeds.iter_mut().filter_map(|f| f.view.as_mut()).try_for_each(|v| v.decode(slots, from))
    }
}

impl Feed {
    /// Finds the rows that this feed lets through.
    fn fill(&mut self, batch: &Batch, rows: &[u32], slots: &[u32]) {
        let Self { filter, args, view, positions, rows: own_rows, slots: own_slots, passing } = self;
        positions.clear();
        own_rows.clear();
        own_slots.clear();
        match *filter {
            None => positions.extend(0..rows.len() as u32),
            Some(f) => {
                let (bits, c) = (batch.column(f).bools(), batch.column(f));
                let passes = |&k: &u32| {
                    let r = rows[k as usize] as usize;
                    bits.get(r) && c.is_valid(r)
                };
                positions.extend((0..rows.len() as u32).filter(passes));
            }
        }
        own_rows.extend(positions.iter().map(|&k| rows[k as usize]));
        own_slots.extend(positions.iter().map(|&k| slots[k as usize]));
        let Some(view) = view else { return };
        passing.clear();
        with_columns(args, batch, |columns| {
            view.update(columns, own_rows, own_slots, batch.kinds(), passing);
        });
        keep_positions(positions, passing);
        keep_positions(own_rows, passing);
        keep_positions(own_slots, passing);
    }

    /// For each row of the operator (in `slots`): where the value of its group stands before and after it, among the values
    /// before the batch (one a row) followed by `taken` values, one for each row of the feed.
    fn places(
        &self,
        slots: &[u32],
        taken: usize,
        last: &mut Vec<u32>,
        pool: &mut Pool,
    ) -> (Vec<u32>, Vec<u32>) {
        let (mut before, mut after) = (pool.row_list(), pool.row_list());
        let bound = slots.iter().max().map_or(0, |&s| s as usize + 1);
        last.resize(bound.max(last.len()), 0);
        let mut feed = self.positions[..taken].iter().copied().enumerate().peekable();
        for (k, &slot) in slots.iter().enumerate() {
            let l = &mut last[slot as usize];
            before.push(if *l == 0 { k as u32 } else { *l - 1 });
            if let Some((j, _)) = feed.next_if(|&(_, p)| p as usize == k) {
                *l = (slots.len() + j) as u32 + 1;
            }
            after.push(if *l == 0 { k as u32 } else { *l - 1 });
        }
        slots.iter().for_each(|&s| last[s as usize] = 0);
        (before, after)
    }
}

/// Keeps the entries at `positions`, which ascend.
fn keep_positions(list: &mut Vec<u32>, positions: &[u32]) {
    for (n, &p) in positions.iter().enumerate() {
        list[n] = list[p as usize];
    }
    list.truncate(positions.len());
}

/// The rows of a feed, or all.
fn feed_rows<'a>(
    feeds: &'a [Feed],
    feed: Option<usize>,
    rows: &'a [u32],
    slots: &'a [u32],
) -> (&'a [u32], &'a [u32]) {
    feed.map_or((rows, slots), |f| (&feeds[f].rows, &feeds[f].slots))
}

fn keep_first(first: &mut Option<RowError>, result: Result<(), RowError>) {
    if let Err(e) = result
        && first.as_ref().is_none_or(|f| e.row < f.row)
    {
        *first = Some(e);
    }
}

/// The column of a pooled reference, to write to.
pub(super) fn unshared(column: &mut ColumnRef) -> &mut Column {
    ColumnRef::get_mut(column).expect("the pool hands out unshared columns")
}

/// Calls `f` with columns of a batch, without allocating for the usual numbers of them.
pub(super) fn with_columns<R>(numbers: &[usize], batch: &Batch, f: impl FnOnce(&[&Column]) -> R) -> R {
    match *numbers {
        [] => f(&[]),
        [a] => f(&[batch.column(a)]),
        [a, b] => f(&[batch.column(a), batch.column(b)]),
        [a, b, c] => f(&[batch.column(a), batch.column(b), batch.column(c)]),
        _ => f(&numbers.iter().map(|&n| &**batch.column(n)).collect::<Vec<_>>()),
    }
}

fn with_updates<R>(
    args: &[usize],
    batch: &Batch,
    rows: &[u32],
    slots: &[u32],
    f: impl FnOnce(&Updates<'_>) -> R,
) -> R {
    let arg = |n: usize| Arg { column: batch.column(n), constant: false };
    let kinds = batch.kinds();
    match *args {
        [] => f(&Updates { args: &[], rows, slots, kinds }),
        [a] => f(&Updates { args: &[arg(a)], rows, slots, kinds }),
        [a, b] => f(&Updates { args: &[arg(a), arg(b)], rows, slots, kinds }),
        _ => {
            let args: Vec<_> = args.iter().map(|&n| arg(n)).collect();
            f(&Updates { args: &args, rows, slots, kinds })
        }
    }
}

//! The aggregates of one operator over the groups of a keyed state: which rows each of them sees, and its accumulators.
//!
//! FILTER and DISTINCT are settled here, so that an accumulator just takes what it is given. A **feed** is the rows that an aggregate
//! sees: all of them, those of a filter, or those at which a distinct value joins or leaves. It is a bit in flags of the rows, which
//! a filter or a view of distinct values gives: DISTINCT calls with the same arguments share a view, whatever their filters are, so that
//! a row's value is looked up once. Only for accumulators that want it is a feed made a list of rows.

mod filter;
mod longs;

use super::gather::{differs, extend_sides, mark_sides, position, runs};
use crate::batch::{Batch, Column, ColumnRef, DataType, Decoder, Encoder, Pool, Schema};
use crate::error::Result;
use crate::expr::{Accumulator, Arg, Counted, Counts, Expr, Held, RowError, Seen, Updates};
use crate::plan;
use crate::state::{DistinctView, Joined, Taken, VARIANTS};
use filter::Filter;
use longs::Longs;

/// Slots come to be so many at a time.
const SLOTS: usize = 16;

/// See the module's text.
pub(super) struct Aggregates {
    calls: Vec<Call>,
    counts: Counts,
    /// By call: the values around each change of a batch, as its `tracked` says.
    values: Vec<ColumnRef>,
    filters: Vec<Filter>,
    views: Vec<View>,
    feeds: Vec<Feed>,
    longs: Longs,
    /// For each slot: one more than the place of its last value among those of the feed at hand; 0: none.
    last: Vec<u32>,
    changed: Vec<u8>,
    /// Slots below this exist.
    bound: usize,
}

struct Call {
    args: Vec<usize>,
    ty: DataType,
    /// Which rows it sees, and the feed of these; none: all rows.
    from: Option<Origin>,
    feed: Option<usize>,
    held: Held,
    /// Which of [`Longs`] it takes, or none of them: its accumulator is asked as any other.
    long: usize,
    tracked: Tracked,
}

/// Distinct values of some columns, with a variant for each filter.
struct View {
    args: Vec<usize>,
    /// Numbers of filters; none: all rows.
    variants: Vec<Option<usize>>,
    /// Made when all variants are known.
    values: DistinctView,
    /// By row: the variants that take it, then those that its value joins or leaves.
    flags: Vec<u8>,
    /// What some variant takes, where that is not every row: positions, rows, slots, variants.
    taken: [Vec<u32>; 3],
    wanted: Vec<u8>,
    moved: Vec<u8>,
}

struct Feed {
    from: Origin,
    /// The list of this batch has been made.
    listed: bool,
    /// Positions in the operator's list of rows, and the rows and slots there.
    positions: Vec<u32>,
    rows: Vec<u32>,
    slots: Vec<u32>,
}

/// Whose flags a feed reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Filter(usize),
    View { view: usize, variant: usize },
}

/// How the values of an aggregate around each change of a batch are noted.
#[derive(Default)]
enum Tracked {
    #[default]
    Nothing,
    /// Before and after the first row, before and after the second, and so on: where a pick says.
    Sides,
    /// For each row the place of the value before and after it.
    Places { before: Vec<u32>, after: Vec<u32> },
}

impl Aggregates {
    /// Accumulators for these aggregates over input of that schema. `retracting`: rows may leave their group.
    pub(super) fn new(aggregates: &[plan::Aggregate], input: &Schema, retracting: bool) -> Self {
        let mut filters: Vec<usize> = Vec::new();
        let mut views: Vec<(&[usize], Vec<Option<usize>>)> = Vec::new();
        let mut feeds: Vec<Origin> = Vec::new();
        let mut counts = Counts::default();
        let mut calls: Vec<Call> = aggregates
            .iter()
            .enumerate()
            .map(|(n, a)| {
                let filter = a.filter.map(|f| place(&mut filters, f));
                let from = match (a.distinct, filter) {
                    (false, None) => None,
                    (false, Some(f)) => Some(Origin::Filter(f)),
                    (true, filter) => {
                        let fits = |v: &(&[usize], Vec<Option<usize>>)| {
                            v.0 == a.args && (v.1.contains(&filter) || v.1.len() < VARIANTS)
                        };
                        let view = views.iter().position(fits).unwrap_or_else(|| {
                            views.push((&a.args, vec![]));
                            views.len() - 1
                        });
                        Some(Origin::View { view, variant: place(&mut views[view].1, filter) })
                    }
                };
                Call {
                    long: usize::MAX,
                    args: a.args.clone(),
                    ty: a.ty.clone(),
                    from,
                    feed: from.map(|from| place(&mut feeds, from)),
                    held: Held::new((a.accumulator)(), n, &mut counts),
                    tracked: Tracked::Nothing,
                }
            })
            .collect();
        let mut longs = Longs::default();
        let of_longs = |c: &&mut Call| c.held.takes_longs();
        for call in calls.iter_mut().filter(of_longs) {
            if let Some(from) = call.from {
                call.long = longs.part(call.args.first().copied(), from);
            }
        }
        for call in calls.iter_mut().filter(of_longs).filter(|c| c.from.is_none()) {
            call.long = longs.whole(call.args.first().copied());
        }
        let view = |(args, variants): (&[usize], Vec<Option<usize>>)| {
            let types = args.iter().map(|&c| input.ty(c).clone()).collect();
            View {
                args: args.to_vec(),
                values: DistinctView::new(types, variants.len(), retracting),
                variants,
                flags: Vec::new(),
                taken: Default::default(),
                wanted: Vec::new(),
                moved: Vec::new(),
            }
        };
        Self {
            values: calls.iter().map(|c| ColumnRef::new(Column::new(&c.ty))).collect(),
            calls,
            counts,
            filters: filters.into_iter().map(Filter::new).collect(),
            views: views.into_iter().map(view).collect(),
            feeds: feeds.into_iter().map(Feed::new).collect(),
            longs,
            last: Vec::new(),
            changed: Vec::new(),
            bound: 0,
        }
    }

    /// With filters by columns behind those of the input being these conditions. Before [`Aggregates::update`] they are to be
    /// [asked](Aggregates::ask).
    pub(super) fn asking(mut self, conditions: &[Expr], input: &Schema) -> Self {
        for (nth, filter) in self.filters.iter_mut().enumerate() {
            if let Some(n) = filter.column.checked_sub(input.len()) {
                let is_other = |c: &Call| c.long == usize::MAX && c.from == Some(Origin::Filter(nth));
                let by_view = self.views.iter().any(|v| v.variants.contains(&Some(nth)));
                let by_others = by_view || self.calls.iter().any(is_other);
                filter.ask_for(nth, &conditions[n], &mut self.longs, by_others);
            }
        }
        self
    }

    /// Computes the conditions of filters for a batch.
    pub(super) fn ask(&mut self, batch: &Batch, pool: &mut Pool) {
        self.filters.iter_mut().for_each(|f| f.ask(batch, pool));
    }

    /// With what [`Aggregates::merge`] needs of the one that is merged from; also what groups need that end although rows only come.
    pub(super) fn mergeable(mut self) -> Self {
        self.end_groups();
        self
    }

    /// As [`Aggregates::mergeable`], before any row.
    pub(super) fn end_groups(&mut self) {
        for view in &mut self.views {
            let values = std::mem::replace(&mut view.values, DistinctView::new(vec![], 1, false));
            view.values = values.mergeable();
        }
    }

    /// Folds group `from[k]` of `other`, which has the same aggregates, into group `into[k]`. Both are [mergeable](Aggregates::mergeable).
    pub(super) fn merge(&mut self, into: &[u32], other: &Aggregates, from: &[u32]) {
        let views = self.views.iter_mut().zip(&other.views);
        let joined: Vec<Joined> = views.map(|(v, o)| v.values.merge(into, &o.values, from)).collect();
        for (call, theirs) in self.calls.iter_mut().zip(&other.calls) {
            match call.from {
                // Of distinct values it sees those that are new to the group.
                Some(Origin::View { view, variant }) => {
                    let columns = &joined[view].columns;
                    let args: Vec<_> = columns.iter().map(|column| Arg { column, constant: false }).collect();
                    let (rows, slots) = joined[view].of(variant);
                    let updates = Updates { args: &args, rows: &rows, slots: &slots, kinds: None };
                    let taken = call.held.update(&mut self.counts, &updates);
                    debug_assert!(taken.is_ok(), "values that one group has taken, another can take");
                }
                _ => call.held.merge(&mut self.counts, into, (&theirs.held, &other.counts), from),
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

    /// The accumulators of calls that are no COUNT.
    fn others(&mut self) -> impl Iterator<Item = &mut dyn Accumulator> {
        self.calls.iter_mut().filter_map(|c| c.held.one_mut())
    }

    /// Makes slots below `slots` exist.
    #[inline]
    pub(super) fn grow(&mut self, slots: usize) {
        if slots > self.bound {
            // Some at a time: a call for each aggregate costs more than the slot.
            let slots = slots.next_multiple_of(SLOTS);
            self.bound = slots;
            self.counts.grow(slots);
            self.others().for_each(|a| a.grow(slots));
        }
    }

    /// Makes a slot an empty group.
    pub(super) fn reset(&mut self, slot: u32) {
        self.counts.reset(slot);
        self.others().for_each(|a| a.reset(slot));
        self.views.iter_mut().for_each(|v| v.values.forget(slot));
    }

    /// Makes these slots empty groups.
    pub(super) fn reset_all(&mut self, slots: &[u32]) {
        slots.iter().for_each(|&s| self.counts.reset(s));
        self.others().for_each(|a| a.reset_all(slots));
        for view in &mut self.views {
            slots.iter().for_each(|&s| view.values.forget(s));
        }
    }

    /// Makes slots `0..slots`, outside of which there are no groups, empty groups.
    pub(super) fn reset_first(&mut self, slots: usize) {
        self.counts.reset_first(slots);
        self.others().for_each(|a| a.reset_first(slots));
        self.views.iter_mut().for_each(|v| v.values.clear());
    }

    /// Takes rows into their groups; row `rows[k]` belongs to `slots[k]`.
    ///
    /// # Errors
    /// The first row that cannot be taken; groups are then in an undefined state.
    pub(super) fn update(&mut self, batch: &Batch, rows: &[u32], slots: &[u32]) -> Result<(), RowError> {
        let Self { calls, counts, filters, views, feeds, .. } = self;
        find_feeds(filters, views, feeds, batch, rows, slots);
        counts.update((rows, slots, batch.kinds()), |n| calls[n].counted(batch, filters, views), None);
        let mut first: Option<RowError> = None;
        for call in calls {
            let Some(accumulator) = call.held.one_mut() else { continue };
            let (rows, slots) = match call.feed {
                None => (rows, slots),
                Some(feed) => {
                    feeds[feed].list(filters, views, rows, slots);
                    (&feeds[feed].rows[..], &feeds[feed].slots[..])
                }
            };
            keep_first(&mut first, with_updates(&call.args, batch, rows, slots, |u| accumulator.update(u)));
        }
        first.map_or(Ok(()), Err)
    }

    /// [`Aggregates::update`] of a row that comes alone.
    ///
    /// # Errors
    /// The row cannot be taken; its group is then in an undefined state.
    #[inline(always)]
    pub(super) fn update_row(&mut self, batch: &Batch, row: u32, slot: u32) -> Result<(), RowError> {
        if !(self.feeds.is_empty() && batch.kind(row as usize).is_add()) {
            return self.update(batch, &[row], &[slot]);
        }
        self.longs.read(batch, row as usize);
        let counts = self.counts.of_group(slot);
        for call in &mut self.calls {
            if let Some(value) = self.longs.value(call.long) {
                call.held.add(counts, slot, value);
            } else if let Some(accumulator) = call.held.one_mut() {
                with_updates(&call.args, batch, &[row], &[slot], |u| accumulator.update(u))?;
            }
        }
        Ok(())
    }

    /// Takes in a row that comes alone, which joins its group, and makes `columns` the values before and after it: two rows. Where the group
    /// `begins` with it, only those after it.
    ///
    /// # Errors
    /// The row cannot be taken; its group is then in an undefined state.
    pub(super) fn update_row_tracked(
        &mut self,
        batch: &Batch,
        row: u32,
        (slot, begins): (u32, bool),
        columns: &mut [ColumnRef],
        pool: &mut Pool,
    ) -> Result<(), RowError> {
        self.longs.read(batch, row as usize);
        for filter in self.filters.iter_mut().filter(|f| f.is_asked) {
            filter.fill_row(batch, row, self.longs.read_values());
        }
        self.views.iter_mut().for_each(|v| v.fill_row(&self.filters, batch, row, slot));
        self.longs.part_by(&self.filters, &self.views);
        debug_assert_eq!(columns.len(), self.calls.len());
        let counts = self.counts.of_group(slot);
        let mut columns = columns.iter_mut();
        for call in &mut self.calls {
            let Some(to) = columns.next() else { break };
            // As `Pool::own`, with one look at who holds it.
            let to = loop {
                match ColumnRef::get_mut(to) {
                    Some(to) => break to,
                    None => pool.renew(to, &call.ty),
                }
            };
            if let Some(value) = self.longs.value(call.long) {
                call.held.add_tracked(counts, (slot, begins), value, to);
            } else if let Some(accumulator) = call.held.one_mut() {
                let seen = call.from.is_none_or(|from| from.takes(&self.filters, &self.views));
                with_updates(&call.args, batch, &[row], &[slot], |u| {
                    accumulator.update_row(u, seen, begins, to)
                })?;
            }
        }
        Ok(())
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
        self.ask(batch, pool);
        let Self { calls, counts, values, filters, views, feeds, .. } = self;
        find_feeds(filters, views, feeds, batch, rows, slots);
        for (call, to) in calls.iter_mut().zip(&mut *values) {
            pool.own(to, &call.ty).clear();
            call.tracked = Tracked::Sides;
        }
        let of = |n: usize| calls[n].counted(batch, filters, views);
        counts.update((rows, slots, batch.kinds()), of, Some(values));
        let mut first: Option<RowError> = None;
        for (call, to) in calls.iter_mut().zip(values) {
            let Some(accumulator) = call.held.one_mut() else { continue };
            let to = unshared(to);
            let Some(feed) = call.feed else {
                let result =
                    with_updates(&call.args, batch, rows, slots, |u| accumulator.update_tracked(u, to));
                keep_first(&mut first, result);
                continue;
            };
            let feed = &mut feeds[feed];
            let seen = feed.from.seen(filters, views);
            if with_updates(&call.args, batch, rows, slots, |u| accumulator.update_seen(u, seen, to)) {
                continue;
            }
            feed.list(filters, views, rows, slots);
            // The values before the batch, and behind them those around each row of the feed.
            accumulator.emit(slots, to);
            let result = with_updates(&call.args, batch, &feed.rows, &feed.slots, |u| {
                accumulator.update_tracked(u, to)
            });
            keep_first(&mut first, result);
            let taken = (to.len() - slots.len()) / 2;
            let (before, after) = feed.places(slots, taken, &mut self.last, pool);
            call.tracked = Tracked::Places { before, after };
        }
        first.map_or(Ok(()), Err)
    }

    /// For each of the first `rows` rows of the last update: 1 when an aggregate has changed.
    pub(super) fn changed(&mut self, rows: usize) -> &[u8] {
        self.changed.clear();
        self.changed.resize(rows, 0);
        for (call, values) in self.calls.iter().zip(&self.values) {
            // Mostly a COUNT(*) is among the first.
            if self.changed.iter().all(|&c| c != 0) {
                break;
            }
            match &call.tracked {
                Tracked::Nothing => {}
                Tracked::Sides => mark_sides(values, &mut self.changed),
                Tracked::Places { before, after } => {
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
        let mut ends = pool.row_list();
        runs(picks, &mut ends);
        for (call, values) in self.calls.iter().zip(&self.values) {
            let mut out = pool.column(&call.ty);
            call.extend(values, (picks, &ends), unshared(&mut out), pool);
            columns.push(out);
        }
        pool.recycle_rows(ends);
    }

    /// Makes each of the columns, which have values of earlier use, the values of an aggregate at `picks`. What has been asked for once may be
    /// gone.
    pub(super) fn take(&mut self, picks: &[u32], columns: &mut [ColumnRef], pool: &mut Pool) {
        // What is around each row is the changelog, where each changes its group: it is exchanged, not copied.
        let all = picks.iter().copied().eq(0..picks.len() as u32);
        let mut ends = pool.row_list();
        for ((call, values), out) in self.calls.iter().zip(&mut self.values).zip(columns) {
            if all && matches!(call.tracked, Tracked::Sides) && values.len() == picks.len() {
                std::mem::swap(values, out);
                continue;
            }
            if ends.is_empty() {
                runs(picks, &mut ends);
            }
            let out = pool.own(out, &call.ty);
            out.clear();
            call.extend(values, (picks, &ends), out, pool);
        }
        pool.recycle_rows(ends);
    }

    /// Lets the tracked values go.
    pub(super) fn release(&mut self, pool: &mut Pool) {
        for call in &mut self.calls {
            if let Tracked::Places { before, after } = std::mem::take(&mut call.tracked) {
                pool.recycle_rows(before);
                pool.recycle_rows(after);
            }
        }
    }

    /// Appends the values of `slots` to a column for each aggregate.
    pub(super) fn emit(&self, slots: &[u32], out: &mut [ColumnRef]) {
        for (call, out) in self.calls.iter().zip(out) {
            call.held.emit(&self.counts, slots, unshared(out));
        }
    }

    /// Appends the value of a slot for aggregate `nth`.
    #[inline]
    pub(super) fn emit_one(&self, nth: usize, slot: u32, out: &mut ColumnRef) {
        self.calls[nth].held.emit(&self.counts, &[slot], unshared(out));
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        let others = self.calls.iter().filter_map(|c| c.held.one()).map(|a| a.bytes()).sum::<usize>();
        self.counts.bytes() + others + self.views.iter().map(|v| v.values.bytes()).sum::<usize>()
    }

    /// Writes the groups of `slots`, which are all there are; `bound` is above every slot.
    pub(super) fn encode(&self, slots: &[u32], bound: usize, to: &mut Encoder) {
        self.calls.iter().for_each(|c| c.held.encode(&self.counts, slots, to));
        if self.views.is_empty() {
            return;
        }
        let mut position = vec![0; bound];
        slots.iter().enumerate().for_each(|(n, &s)| position[s as usize] = n as u32);
        self.views.iter().for_each(|v| v.values.encode(&position, to));
    }

    /// Reads what [`Aggregates::encode`] wrote, into slots `0..slots`.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(super) fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        self.grow(slots);
        self.bound = slots;
        let Self { calls, counts, .. } = self;
        calls.iter_mut().try_for_each(|c| c.held.decode(counts, slots, from))?;
        self.views.iter_mut().try_for_each(|v| v.values.decode(slots, from))
    }
}

/// Finds out which rows each feed has.
fn find_feeds(
    filters: &mut [Filter],
    views: &mut [View],
    feeds: &mut [Feed],
    batch: &Batch,
    rows: &[u32],
    slots: &[u32],
) {
    filters.iter_mut().for_each(|f| f.fill(batch, rows));
    views.iter_mut().for_each(|v| v.fill(filters, batch, rows, slots));
    feeds.iter_mut().for_each(|f| f.listed = false);
}

impl Origin {
    /// It takes the row that came alone, of which filters and views have been asked.
    #[inline(always)]
    fn takes(self, filters: &[Filter], views: &[View]) -> bool {
        match self {
            Self::Filter(f) => filters[f].takes,
            Self::View { view, variant } => views[view].flags[0] >> variant & 1 != 0,
        }
    }

    /// Which rows it takes of those of which filters and views have been asked.
    fn seen<'a>(self, filters: &'a [Filter], views: &'a [View]) -> Seen<'a> {
        match self {
            Self::Filter(f) => Seen { flags: &filters[f].passes, bit: 0 },
            Self::View { view, variant } => Seen { flags: &views[view].flags, bit: variant as u8 },
        }
    }
}

impl Call {
    /// What it counts, as a COUNT, of a batch of which filters and views have been asked.
    fn counted<'a>(&self, batch: &'a Batch, filters: &'a [Filter], views: &'a [View]) -> Counted<'a> {
        let arg = self.args.first().map(|&a| &**batch.column(a));
        Counted { arg, seen: self.from.map(|from| from.seen(filters, views)) }
    }

    /// Appends the tracked values at `picks`. `ends`: what [`runs`] says of the picks.
    fn extend(&self, values: &Column, (picks, ends): (&[u32], &[u32]), out: &mut Column, pool: &mut Pool) {
        match &self.tracked {
            Tracked::Nothing => {}
            Tracked::Sides => extend_sides(out, values, picks, ends),
            Tracked::Places { before, after } => {
                let mut rows = pool.row_list();
                let sides = [before, after];
                rows.extend(picks.iter().map(|&p| sides[(p & 1) as usize][position(p)]));
                out.extend_rows(values, &rows);
                pool.recycle_rows(rows);
            }
        }
    }
}

impl View {
    /// [`View::fill`] of a row that comes alone.
    #[inline]
    fn fill_row(&mut self, filters: &[Filter], batch: &Batch, row: u32, slot: u32) {
        let takes = |variant: &Option<usize>| variant.map_or(1, |f| u8::from(filters[f].takes));
        let wanted = self.variants.iter().enumerate().fold(0, |all, (n, variant)| all | takes(variant) << n);
        self.flags.clear();
        if wanted == 0 {
            return self.flags.push(0);
        }
        let only = Taken { rows: &[row], groups: &[slot], wanted: &[wanted] };
        with_columns(&self.args, batch, |columns| {
            self.values.update(columns, only, batch.kinds(), &mut self.flags);
        });
    }

    /// Takes the rows in; `flags` then say which variants a row's value joins or leaves.
    fn fill(&mut self, filters: &[Filter], batch: &Batch, rows: &[u32], slots: &[u32]) {
        let Self { args, variants, values, flags, taken, wanted, moved } = self;
        let whole = variants.iter().position(Option::is_none);
        flags.clear();
        flags.resize(rows.len(), whole.map_or(0, |v| 1 << v));
        for (variant, filter) in variants.iter().enumerate() {
            if let Some(f) = *filter {
                flags.iter_mut().zip(&filters[f].passes).for_each(|(w, p)| *w |= p << variant);
            }
        }
        if whole.is_some() {
            std::mem::swap(wanted, flags);
            flags.clear();
            let all = Taken { rows, groups: slots, wanted };
            with_columns(args, batch, |columns| values.update(columns, all, batch.kinds(), flags));
            return;
        }
        // What no variant takes must not come into the table.
        let [positions, own_rows, own_slots] = taken;
        for list in [&mut *positions, &mut *own_rows, &mut *own_slots] {
            list.clear();
        }
        wanted.clear();
        for (k, &w) in flags.iter().enumerate().filter(|(_, w)| **w != 0) {
            positions.push(k as u32);
            own_rows.push(rows[k]);
            own_slots.push(slots[k]);
            wanted.push(w);
        }
        moved.clear();
        let some = Taken { rows: own_rows, groups: own_slots, wanted };
        with_columns(args, batch, |columns| values.update(columns, some, batch.kinds(), moved));
        positions.iter().zip(&*moved).for_each(|(&k, &m)| flags[k as usize] = m);
    }
}

impl Feed {
    fn new(from: Origin) -> Self {
        Self { from, listed: false, positions: Vec::new(), rows: Vec::new(), slots: Vec::new() }
    }

    /// Makes the list of its rows, unless it is there.
    fn list(&mut self, filters: &[Filter], views: &[View], rows: &[u32], slots: &[u32]) {
        if std::mem::replace(&mut self.listed, true) {
            return;
        }
        let seen = self.from.seen(filters, views);
        self.positions.clear();
        self.positions.extend(seen.iter().enumerate().filter(|(_, s)| *s != 0).map(|(k, _)| k as u32));
        self.rows.clear();
        self.rows.extend(self.positions.iter().map(|&k| rows[k as usize]));
        self.slots.clear();
        self.slots.extend(self.positions.iter().map(|&k| slots[k as usize]));
    }

    /// For each row of the operator (in `slots`): where the value of its group stands before and after it, among the values
    /// before the batch (one a row) followed by those before and after each of `taken` rows of the feed.
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
                *l = (slots.len() + 2 * j + 1) as u32 + 1;
            }
            after.push(if *l == 0 { k as u32 } else { *l - 1 });
        }
        slots.iter().for_each(|&s| last[s as usize] = 0);
        (before, after)
    }
}

/// Where `item` stands in the list, at the end if it was not there.
fn place<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|i| *i == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
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

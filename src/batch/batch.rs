//! The batch: what flows between operators.
//!
//! A batch **owns its bytes**. It has columns of equal length, an optional selection, row kinds (absent: all `+I`), the
//! run-length [`Watermarks`] and the [`Provenance`] of its rows. Columns are shared by reference count, so that a projection
//! that keeps a column, or two readers of one stream, cost a count and not a copy; whoever wants to write takes a column
//! from the [`Pool`]. When a batch is no longer needed, give it back with [`Pool::recycle`].

use super::{Column, ColumnData, ColumnRef, DataType, Physical, Sel, TypeKind, Validity, Watermarks};
use std::ops::{Deref, DerefMut};

/// The largest number of rows in a batch, unless a test asks for less.
pub const MAX_ROWS: usize = 1024;

/// What a row says about the table it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum RowKind {
    /// `+I`
    Insert = 0,
    /// `-U`: the old version of an updated row.
    UpdateBefore = 1,
    /// `+U`: the new version of an updated row.
    UpdateAfter = 2,
    /// `-D`
    Delete = 3,
}

impl RowKind {
    /// `+I` or `+U`: the row joins the table.
    #[inline]
    pub fn is_add(self) -> bool {
        matches!(self, RowKind::Insert | RowKind::UpdateAfter)
    }

    /// Flink's two characters.
    pub fn short(self) -> &'static str {
        ["+I", "-U", "+U", "-D"][self as usize]
    }
}

/// Where the rows of a batch came from, run-length coded: dead letters, accounting and latency come from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    runs: Vec<Origin>,
}

/// One run of rows with consecutive offsets from one partition of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// First physical row of the run.
    pub row: u32,
    /// The source's number in the plan.
    pub source: u32,
    /// Partition, file or split within the source.
    pub partition: u32,
    /// Offset of the run's first row: record offset, or line number for text files. Further rows count up by one.
    pub offset: u64,
    /// When the source got it, in µs since the epoch.
    pub ingest_us: i64,
}

impl Provenance {
    /// The rows from `origin.row` on come from `origin`.
    pub fn push(&mut self, origin: Origin) {
        debug_assert!(self.runs.last().is_none_or(|r| r.row <= origin.row));
        self.runs.push(origin);
    }

    /// The runs, by ascending row.
    #[inline]
    pub fn runs(&self) -> &[Origin] {
        &self.runs
    }

    /// Where physical row `row` came from, with its own offset.
    pub fn of(&self, row: usize) -> Option<Origin> {
        let i = self.runs.partition_point(|r| r.row as usize <= row);
        let mut origin = *self.runs.get(i.checked_sub(1)?)?;
        origin.offset += row as u64 - u64::from(origin.row);
        origin.row = row as u32;
        Some(origin)
    }

    /// No runs, the memory kept.
    #[inline]
    pub fn clear(&mut self) {
        self.runs.clear();
    }

    /// Runs that fit without growing.
    pub fn capacity(&self) -> usize {
        self.runs.capacity()
    }
}

/// Rows of one schema, by columns. See the module's text.
///
/// A batch is one pointer: handing it from operator to operator costs nothing, which is what a batch of one row is made of.
#[derive(Clone, Debug, Default)]
pub struct Batch(Box<Parts>);

/// What a [`Batch`] points to.
#[derive(Debug, Default)]
pub struct Parts {
    rows: usize,
    /// The rows that are selected, counted once: everybody asks.
    selected: usize,
    /// The number of the [`Home`] that made it; 0: none.
    home: u32,
    /// The columns, each of [`Batch::rows`] physical rows.
    pub columns: Vec<ColumnRef>,
    selection: Selection,
    kinds: Option<Vec<RowKind>>,
    /// The kinds are those of [`UPDATE`], without a list.
    is_update: bool,
    /// What stages have put in the place of its maker's columns, the first `replaced` of them: see [`Batch::replace`].
    spares: Vec<Spare>,
    replaced: usize,
    /// The block whose columns these are, as [`Batch::holds`] has it; 0: somebody may have had them to change.
    block: u64,
    /// How the watermark moves in it.
    pub watermarks: Watermarks,
    /// Where the rows came from. Operators that make new rows leave it empty.
    pub provenance: Provenance,
}

/// A row before a change and after it.
const UPDATE: [RowKind; 2] = [RowKind::UpdateBefore, RowKind::UpdateAfter];

/// A column that stands at `at` when it is in use; the one that stands there otherwise when it is not. `None`: it is in use where its maker has no
/// column.
#[derive(Debug)]
struct Spare {
    at: usize,
    column: Option<ColumnRef>,
}

impl Spare {
    /// The column, which is not in use.
    #[inline(always)]
    fn write(&mut self) -> &mut ColumnRef {
        self.column.as_mut().expect("what is not in use is here")
    }

    /// It takes its place among the columns, or behind them.
    #[inline(always)]
    fn settle(&mut self, columns: &mut Vec<ColumnRef>) {
        match columns.get_mut(self.at) {
            Some(place) => std::mem::swap(place, self.write()),
            None => {
                debug_assert_eq!(columns.len(), self.at, "columns come one behind the other");
                if let Some(column) = self.column.take() {
                    columns.push(column);
                }
            }
        }
    }

    /// It leaves its place.
    #[inline(always)]
    fn leave(&mut self, columns: &mut Vec<ColumnRef>) {
        match &mut self.column {
            Some(other) => std::mem::swap(&mut columns[self.at], other),
            None => self.column = columns.pop(),
        }
    }
}

/// Which rows count. None and one have forms of their own: batches of one row are too many for a list each.
/// The tag stands by itself: to work it out of the list's capacity takes longer than most expressions.
#[derive(Clone, Debug, Default)]
#[repr(u8)]
enum Selection {
    #[default]
    All,
    None,
    One(u32),
    Rows(Vec<u32>),
}

impl Selection {
    #[inline]
    fn of(&self, rows: usize) -> Sel<'_> {
        match self {
            Selection::All => Sel::All(rows),
            Selection::None => Sel::Rows(&[]),
            Selection::One(row) => Sel::Rows(std::slice::from_ref(row)),
            Selection::Rows(rows) => Sel::Rows(rows),
        }
    }
}

impl Clone for Parts {
    /// Shares the columns. The clone has no home: it would bring columns back there that somebody else holds.
    fn clone(&self) -> Self {
        Self {
            rows: self.rows,
            selected: self.selected,
            home: 0,
            columns: self.columns.clone(),
            selection: self.selection.clone(),
            kinds: self.kinds.clone(),
            is_update: self.is_update,
            spares: Vec::new(),
            replaced: 0,
            block: 0,
            watermarks: self.watermarks.clone(),
            provenance: self.provenance.clone(),
        }
    }
}

impl Parts {
    #[cold]
    fn new_spare(&mut self, k: usize, at: usize, ty: &DataType) {
        self.spares.truncate(k);
        self.spares.push(Spare { at, column: Some(ColumnRef::new(Column::new(ty))) });
    }
}

impl Deref for Batch {
    type Target = Parts;
    #[inline]
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl DerefMut for Batch {
    /// What [`Batch`] itself changes it changes in its parts: whoever comes this way may exchange columns.
    #[inline]
    fn deref_mut(&mut self) -> &mut Parts {
        self.0.block = 0;
        &mut self.0
    }
}

impl Batch {
    /// A batch of `rows` insert rows. In a steady state use [`Pool::batch`], which allocates nothing.
    ///
    /// # Panics
    /// When a column has another length: a broken invariant of the caller.
    pub fn new(columns: Vec<ColumnRef>, rows: usize) -> Self {
        debug_assert!(columns.iter().all(|c| c.len() == rows), "columns of different lengths");
        Self(Box::new(Parts { rows, selected: rows, columns, ..Parts::default() }))
    }

    /// A batch without rows that moves the watermark.
    pub fn watermark(watermark: i64) -> Self {
        let mut b = Self::default();
        b.watermarks.advance(0, watermark);
        b
    }

    /// Physical rows, selected or not.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Selected rows.
    #[inline]
    pub fn selected(&self) -> usize {
        self.0.selected
    }

    /// Neither a selected row nor a watermark.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.selected() == 0 && self.watermarks.is_empty()
    }

    /// The selection.
    #[inline]
    pub fn sel(&self) -> Sel<'_> {
        self.selection.of(self.rows)
    }

    /// The selected row, if it is one alone.
    #[inline(always)]
    pub fn only(&self) -> Option<usize> {
        match &self.selection {
            Selection::One(row) => Some(*row as usize),
            _ => self.only_of_many(),
        }
    }

    /// [`Batch::only`] where it takes a look at more than the form: apart, so that the usual look is one comparison.
    #[inline(never)]
    fn only_of_many(&self) -> Option<usize> {
        self.sel().only()
    }

    /// Replaces the selection; row numbers ascend and are below [`Batch::rows`]. Returns the old list for reuse.
    #[inline]
    pub fn select(&mut self, rows: Option<Vec<u32>>) -> Option<Vec<u32>> {
        debug_assert!(rows.as_ref().is_none_or(|r| {
            r.is_sorted_by(|a, b| a < b) && r.last().is_none_or(|&l| (l as usize) < self.rows)
        }));
        let parts = &mut *self.0;
        parts.selected = rows.as_ref().map_or(parts.rows, Vec::len);
        match std::mem::replace(&mut parts.selection, rows.map_or(Selection::All, Selection::Rows)) {
            Selection::Rows(old) => Some(old),
            Selection::All | Selection::None | Selection::One(_) => None,
        }
    }

    /// Selects no row. Returns the old list for reuse.
    #[inline]
    pub fn select_none(&mut self) -> Option<Vec<u32>> {
        let parts = &mut *self.0;
        parts.selected = 0;
        match &mut parts.selection {
            Selection::Rows(_) => match std::mem::replace(&mut parts.selection, Selection::None) {
                Selection::Rows(old) => Some(old),
                Selection::All | Selection::None | Selection::One(_) => None,
            },
            other => {
                *other = Selection::None;
                None
            }
        }
    }

    /// Selects row `row` alone. Nothing must have been selected before.
    #[inline]
    pub fn select_one(&mut self, row: usize) {
        debug_assert!(row < self.rows && !matches!(self.selection, Selection::Rows(_)));
        let parts = &mut *self.0;
        parts.selection = Selection::One(row as u32);
        parts.selected = 1;
    }

    /// How the watermark moves in it, to change. The columns stay: a source that hands out a block row by row need not look at them again.
    #[inline]
    pub fn watermarks_mut(&mut self) -> &mut Watermarks {
        &mut self.0.watermarks
    }

    /// Its columns are those of that [block](Batch::set_block): stages may have put others in their places, but those have been put back.
    #[inline]
    pub(super) fn holds(&self, block: u64) -> bool {
        self.0.block == block
    }

    /// Its columns are those of a block, whose number no other has.
    #[inline]
    pub(super) fn set_block(&mut self, block: u64) {
        self.0.block = block;
    }

    /// The row kinds by physical row, or `None` when all are `+I`.
    #[inline]
    pub fn kinds(&self) -> Option<&[RowKind]> {
        if self.is_update { Some(&UPDATE) } else { self.kinds.as_deref() }
    }

    /// Replaces the row kinds (one per physical row). Returns the old list for reuse.
    pub fn set_kinds(&mut self, kinds: Option<Vec<RowKind>>) -> Option<Vec<RowKind>> {
        debug_assert!(kinds.as_ref().is_none_or(|k| k.len() == self.rows));
        self.is_update = false;
        std::mem::replace(&mut self.kinds, kinds)
    }

    /// Makes its two rows `-U` and `+U`. There must have been no kinds before.
    #[inline]
    pub fn set_update(&mut self) {
        debug_assert!(self.rows == UPDATE.len() && self.kinds.is_none());
        self.0.is_update = true;
    }

    /// The kind of physical row `row`.
    #[inline]
    pub fn kind(&self, row: usize) -> RowKind {
        self.kinds().map_or(RowKind::Insert, |k| k[row])
    }

    /// Column `i`.
    #[inline]
    pub fn column(&self, i: usize) -> &ColumnRef {
        &self.columns[i]
    }

    /// The same rows, kinds, watermarks and provenance with other columns (each of the same physical length).
    #[must_use]
    pub fn with_columns(mut self, columns: Vec<ColumnRef>) -> (Batch, Vec<ColumnRef>) {
        debug_assert!(columns.iter().all(|c| c.len() == self.rows));
        let old = std::mem::replace(&mut self.columns, columns);
        self.leave_home();
        (self, old)
    }

    /// It will not come home: its columns are not the maker's any more.
    fn leave_home(&mut self) {
        self.home = 0;
        self.replaced = 0;
        self.spares.clear();
    }

    /// Becomes a batch of these columns of `rows` rows each, emptying `columns`. Watermarks and provenance stay.
    pub fn fill(&mut self, columns: &mut Vec<ColumnRef>, rows: usize) {
        debug_assert!(columns.iter().all(|c| c.len() == rows), "columns of different lengths");
        self.leave_home();
        self.columns.clear();
        self.columns.append(columns);
        (self.rows, self.selected) = (rows, rows);
        self.selection = Selection::All;
        (self.kinds, self.is_update) = (None, false);
    }

    /// Gives the batch the columns of `with`, and `with` the batch's; each keeps its rows, kinds, watermarks and provenance.
    #[inline]
    pub fn swap_columns(&mut self, with: &mut Batch) {
        std::mem::swap(&mut self.0.columns, &mut with.0.columns);
        std::mem::swap(&mut self.0.home, &mut with.0.home);
        std::mem::swap(&mut self.0.spares, &mut with.0.spares);
        std::mem::swap(&mut self.0.replaced, &mut with.0.replaced);
        std::mem::swap(&mut self.0.block, &mut with.0.block);
    }

    /// Replaces the `n`-th of the columns that a stage computes in place: `write` gets the new column, not shared and with values of
    /// earlier use, and the rest of the batch. It takes column `at`'s place, or comes behind the last, in [`Batch::settle`]. The batch keeps the old
    /// one, and puts it back when it comes home; the new one then waits for the next time. Batches of one home go the same way through
    /// the stages, so what waits has the type.
    #[inline]
    pub fn replace<R>(
        &mut self,
        n: usize,
        at: usize,
        ty: &DataType,
        write: impl FnOnce(&mut ColumnRef, Old<'_>) -> R,
    ) -> R {
        let parts = &mut *self.0;
        let k = parts.replaced + n;
        if parts.spares.get(k).is_none_or(|s| s.at != at) {
            parts.new_spare(k, at, ty);
        }
        let spare = &mut parts.spares[k];
        let sel = parts.selection.of(parts.rows);
        write(
            spare.write(),
            Old { columns: &parts.columns, rows: parts.rows, sel, watermarks: &parts.watermarks },
        )
    }

    /// [`Batch::replace`] and [`Batch::settle`] of one column alone.
    #[inline(always)]
    pub fn replace_one(&mut self, at: usize, ty: &DataType, write: impl FnOnce(&mut ColumnRef, Old<'_>)) {
        let parts = &mut *self.0;
        let k = parts.replaced;
        let spare = match parts.spares.get_mut(k) {
            Some(spare) if spare.at == at => spare,
            _ => {
                parts.new_spare(k, at, ty);
                &mut parts.spares[k]
            }
        };
        let sel = parts.selection.of(parts.rows);
        write(
            spare.write(),
            Old { columns: &parts.columns, rows: parts.rows, sel, watermarks: &parts.watermarks },
        );
        spare.settle(&mut parts.columns);
        parts.replaced = k + 1;
    }

    /// The `n` columns that were computed by [`Batch::replace`] take their places.
    #[inline]
    pub fn settle(&mut self, n: usize) {
        let parts = &mut *self.0;
        for s in &mut parts.spares[parts.replaced..parts.replaced + n] {
            s.settle(&mut parts.columns);
        }
        parts.replaced += n;
    }

    /// Says how many rows the columns have that were put into a [pooled](Pool::batch) batch.
    #[inline]
    pub fn set_rows(&mut self, rows: usize) {
        debug_assert!(self.columns.iter().all(|c| c.len() == rows), "columns of different lengths");
        debug_assert!(matches!(self.selection, Selection::All), "rows are counted before they are selected");
        (self.0.rows, self.0.selected) = (rows, rows);
    }

    /// Says how many rows there are now that rows were appended to the columns. Kinds, where there are any, are the caller's to append.
    pub fn grow(&mut self, rows: usize) {
        debug_assert!(rows >= self.rows && self.columns.iter().all(|c| c.len() == rows));
        debug_assert!(matches!(self.selection, Selection::All));
        (self.rows, self.selected) = (rows, rows);
    }

    /// No rows, watermarks and provenance; columns and the list of kinds, if there is one, keep their memory.
    pub fn clear(&mut self) {
        for c in &mut self.columns {
            match ColumnRef::get_mut(c) {
                Some(own) => own.clear(),
                None => *c = ColumnRef::new(c.empty_like()),
            }
        }
        let kinds = self.set_kinds(None);
        self.refill(0);
        self.set_kinds(kinds.map(|mut kinds| {
            kinds.clear();
            kinds
        }));
    }

    /// The batch with a changed number of rows and no selection and kinds: for sources that fill it in place.
    pub fn refill(&mut self, rows: usize) {
        (self.rows, self.selected) = (rows, rows);
        self.selection = Selection::All;
        (self.kinds, self.is_update) = (None, false);
        self.watermarks.clear();
        self.provenance.clear();
    }
}

/// A batch of which a column is being computed.
#[derive(Clone, Copy, Debug)]
pub struct Old<'a> {
    /// Its columns before.
    pub columns: &'a [ColumnRef],
    /// Their physical rows.
    pub rows: usize,
    /// Those that count.
    pub sel: Sel<'a>,
    /// How the watermark moves.
    pub watermarks: &'a Watermarks,
}

/// Where the batches of one maker return to with all their columns, so that making the next one is one step and not one for each
/// column: see [`Pool::batch_at`].
#[derive(Debug, Default)]
pub struct Home {
    /// From 1 on; 0: no batch was made yet.
    number: u32,
    /// Its batches have columns of somebody who keeps them.
    lends: bool,
}

impl Home {
    /// The home of batches whose columns their maker holds as well: at home nobody looks what their texts keep alive.
    pub(super) fn of_lent() -> Self {
        Self { number: 0, lends: true }
    }
}

/// The batches in a home.
#[derive(Debug)]
struct Returned {
    batches: Vec<Batch>,
    /// The columns that hold texts, which are the batches' own.
    texts: Vec<usize>,
}

/// Columns and lists that wait to be used again, so that a steady state allocates nothing. Every shard has one. Bounded:
/// at most [`Pool::PER_KIND`] of each, the rest is freed.
#[derive(Debug, Default)]
pub struct Pool {
    columns: [Vec<ColumnRef>; super::Physical::COUNT],
    batches: Vec<Batch>,
    /// By number of home, from 1 on.
    homes: Vec<Returned>,
    lists: Vec<Vec<ColumnRef>>,
    rows: Vec<Vec<u32>>,
    kinds: Vec<Vec<RowKind>>,
    watermarks: Vec<Watermarks>,
    provenances: Vec<Provenance>,
}

impl Pool {
    /// How many of a kind are kept.
    pub const PER_KIND: usize = 64;
    /// How many batches are kept in a home: those that are in flight at the same time.
    const PER_HOME: usize = 8;

    /// A batch without rows, columns, watermarks and provenance, to be filled: see [`Batch::fill`].
    #[inline]
    pub fn batch(&mut self) -> Batch {
        self.batches.pop().unwrap_or_default()
    }

    /// A batch with a column for each of `types`. The columns have rows and values of earlier use, and somebody may still hold
    /// them: take each by [`Pool::own`]. A maker always asks with the same types.
    #[inline]
    pub fn batch_at(&mut self, home: &mut Home, types: &[DataType]) -> Batch {
        match self.homes.get_mut((home.number as usize).wrapping_sub(1)).and_then(|h| h.batches.pop()) {
            Some(batch) => {
                debug_assert_eq!(batch.columns.len(), types.len(), "a maker asks with the same types");
                batch
            }
            None => self.new_batch_at(home, types),
        }
    }

    #[cold]
    fn new_batch_at(&mut self, home: &mut Home, types: &[DataType]) -> Batch {
        if home.number == 0 || home.number as usize > self.homes.len() {
            let is_text = |n: &usize| !home.lends && types[*n].physical() == Physical::Bytes;
            let texts = (0..types.len()).filter(is_text).collect();
            self.homes.push(Returned { batches: Vec::with_capacity(Self::PER_HOME), texts });
            home.number = self.homes.len() as u32;
        }
        let mut batch = self.batch();
        batch.0.home = home.number;
        batch.columns.extend(types.iter().map(|t| self.column(t)));
        batch
    }

    /// The column to write to; another one of type `ty` takes its place where somebody else holds it.
    #[inline(always)]
    pub fn own<'c>(&mut self, column: &'c mut ColumnRef, ty: &DataType) -> &'c mut Column {
        if !ColumnRef::is_unique(column) {
            self.renew(column, ty);
        }
        ColumnRef::get_mut(column).expect("unshared, or taken from the pool just now")
    }

    /// Puts another column of type `ty` in the place of one that somebody else holds.
    #[cold]
    pub fn renew(&mut self, column: &mut ColumnRef, ty: &DataType) {
        *column = self.column(ty);
    }

    /// An empty column for `ty`, not shared: `ColumnRef::get_mut` succeeds.
    #[inline]
    pub fn column(&mut self, ty: &DataType) -> ColumnRef {
        match self.columns[ty.physical() as usize].pop() {
            Some(c) => c,
            None => self.new_column(ty),
        }
    }

    #[cold]
    fn new_column(&mut self, ty: &DataType) -> ColumnRef {
        let TypeKind::Row(fields) = &ty.kind else { return ColumnRef::new(Column::new(ty)) };
        let fields = fields.iter().map(|f| self.column(&f.ty)).collect();
        ColumnRef::new(Column { validity: Validity::default(), data: ColumnData::Row(fields) })
    }

    /// An empty list for columns.
    pub fn column_list(&mut self) -> Vec<ColumnRef> {
        self.lists.pop().unwrap_or_default()
    }

    /// An empty list for row numbers.
    #[inline]
    pub fn row_list(&mut self) -> Vec<u32> {
        self.rows.pop().unwrap_or_default()
    }

    /// An empty list for row kinds.
    pub fn kind_list(&mut self) -> Vec<RowKind> {
        self.kinds.pop().unwrap_or_default()
    }

    /// [`Batch::watermark`], of memory that is here.
    pub fn watermark_batch(&mut self, watermark: i64) -> Batch {
        let mut batch = self.batch();
        batch.watermarks.advance(0, watermark);
        batch
    }

    /// Empty watermarks.
    pub fn watermarks(&mut self) -> Watermarks {
        self.watermarks.pop().unwrap_or_default()
    }

    /// Empty provenance.
    pub fn provenance(&mut self) -> Provenance {
        self.provenances.pop().unwrap_or_default()
    }

    /// Takes a column back if nobody else holds it.
    pub fn recycle_column(&mut self, mut column: ColumnRef) {
        let Some(c) = ColumnRef::get_mut(&mut column) else { return };
        let physical = match &mut c.data {
            ColumnData::Null => Physical::Null,
            ColumnData::Bool(_) => Physical::Bool,
            ColumnData::I8(_) => Physical::I8,
            ColumnData::I16(_) => Physical::I16,
            ColumnData::I32(_) => Physical::I32,
            ColumnData::I64(_) => Physical::I64,
            ColumnData::F32(_) => Physical::F32,
            ColumnData::F64(_) => Physical::F64,
            ColumnData::I128(_) => Physical::I128,
            ColumnData::Nanos { .. } => Physical::Nanos,
            ColumnData::Bytes(_) => Physical::Bytes,
            // Nested columns of one physical form differ inside: only the fields of rows come back.
            ColumnData::Row(fields) => {
                while let Some(f) = fields.pop() {
                    self.recycle_column(f);
                }
                return;
            }
            ColumnData::List { .. } | ColumnData::Map { .. } => return,
        };
        let kept = &mut self.columns[physical as usize];
        if kept.len() < Self::PER_KIND {
            c.clear();
            kept.push(column);
        }
    }

    /// Takes a list of columns back.
    pub fn recycle_columns(&mut self, mut columns: Vec<ColumnRef>) {
        for c in columns.drain(..) {
            self.recycle_column(c);
        }
        if columns.capacity() > 0 && self.lists.len() < Self::PER_KIND {
            self.lists.push(columns);
        }
    }

    /// Takes a list of row numbers back.
    #[inline]
    pub fn recycle_rows(&mut self, mut rows: Vec<u32>) {
        if rows.capacity() > 0 && self.rows.len() < Self::PER_KIND {
            rows.clear();
            self.rows.push(rows);
        }
    }

    /// Takes a list of row kinds back.
    pub fn recycle_kinds(&mut self, mut kinds: Vec<RowKind>) {
        if kinds.capacity() > 0 && self.kinds.len() < Self::PER_KIND {
            kinds.clear();
            self.kinds.push(kinds);
        }
    }

    /// Leaves nothing of a batch but its watermarks.
    #[inline]
    pub fn select_none(&mut self, batch: &mut Batch) {
        if let Some(old) = batch.select_none() {
            self.recycle_rows(old);
        }
    }

    /// Takes watermarks back.
    pub fn recycle_watermarks(&mut self, mut watermarks: Watermarks) {
        if watermarks.capacity() > 0 && self.watermarks.len() < Self::PER_KIND {
            watermarks.clear();
            self.watermarks.push(watermarks);
        }
    }

    /// Takes all of a batch back.
    #[inline]
    pub fn recycle(&mut self, mut batch: Batch) {
        let parts = &mut *batch.0;
        if matches!(parts.selection, Selection::Rows(_)) || parts.kinds.is_some() {
            self.recycle_lists(parts);
        }
        parts.selection = Selection::All;
        parts.is_update = false;
        parts.watermarks.clear();
        parts.provenance.clear();
        match self.homes.get_mut((parts.home as usize).wrapping_sub(1)) {
            Some(home) if home.batches.len() < Self::PER_HOME => {
                if parts.replaced > 0 {
                    put_back(parts);
                }
                for &n in &home.texts {
                    let_go(&mut parts.columns[n]);
                }
                home.batches.push(batch);
            }
            // Enough of them are there.
            Some(_) => {}
            None => self.recycle_homeless(batch),
        }
    }

    fn recycle_lists(&mut self, parts: &mut Parts) {
        if let Selection::Rows(r) = std::mem::take(&mut parts.selection) {
            self.recycle_rows(r);
        }
        if let Some(k) = parts.kinds.take() {
            self.recycle_kinds(k);
        }
    }

    fn recycle_homeless(&mut self, mut batch: Batch) {
        (batch.0.rows, batch.0.selected) = (0, 0);
        while let Some(s) = batch.0.spares.pop() {
            s.column.into_iter().for_each(|c| self.recycle_column(c));
        }
        batch.leave_home();
        while let Some(c) = batch.columns.pop() {
            self.recycle_column(c);
        }
        if self.batches.len() < Self::PER_KIND {
            self.batches.push(batch);
        }
    }
}

/// Puts the maker's columns back in their places.
#[inline]
fn put_back(parts: &mut Parts) {
    for s in parts.spares[..std::mem::take(&mut parts.replaced)].iter_mut().rev() {
        s.leave(&mut parts.columns);
        let_go(s.write());
    }
}

/// Lets go of the buffers of others in which texts live: they must not be held until the next use.
#[inline]
fn let_go(column: &mut ColumnRef) {
    if let ColumnData::Bytes(b) = &column.data
        && b.shares()
        && let Some(c) = ColumnRef::get_mut(column)
    {
        c.release_buffers();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::TypeKind;

    #[test]
    fn provenance_counts_offsets_within_a_run() {
        let mut p = Provenance::default();
        p.push(Origin { row: 0, partition: 1, offset: 10, ..Origin::default() });
        p.push(Origin { row: 3, partition: 2, offset: 100, ..Origin::default() });
        assert_eq!(p.of(2).map(|o| (o.partition, o.offset)), Some((1, 12)));
        assert_eq!(p.of(5).map(|o| (o.partition, o.offset)), Some((2, 102)));
    }

    #[test]
    fn a_recycled_column_is_used_again_unless_somebody_holds_it() {
        let mut pool = Pool::default();
        let ty = TypeKind::BigInt.nullable();
        let mut c = pool.column(&ty);
        ColumnRef::get_mut(&mut c).unwrap().buffer_mut::<i64>().resize(1000, 7);
        let held = c.clone();
        pool.recycle_column(c);
        assert_eq!(pool.column(&ty).bytes(), 0, "a held column does not return");
        pool.recycle_column(held);
        let again = pool.column(&ty);
        assert!(again.bytes() >= 8000 && again.is_empty());
    }

    #[test]
    fn a_batch_comes_home_with_its_columns_and_held_ones_are_replaced_when_written() {
        let (mut pool, mut home, types) = (Pool::default(), Home::default(), [TypeKind::BigInt.nullable()]);
        let mut b = pool.batch_at(&mut home, &types);
        pool.own(&mut b.columns[0], &types[0]).reset(1000);
        b.set_rows(1000);
        let copy = b.clone();
        pool.recycle(b);
        let mut b = pool.batch_at(&mut home, &types);
        assert!(ColumnRef::ptr_eq(b.column(0), copy.column(0)));
        pool.own(&mut b.columns[0], &types[0]).reset(1);
        assert_eq!((b.column(0).len(), copy.column(0).len()), (1, 1000), "a held column stays as it is");
        pool.recycle(copy);
        pool.recycle(b);
        assert_eq!(pool.homes[0].batches.len(), 1, "a clone has no home");
    }

    /// What stages put in the place of columns, and behind them, goes when the batch comes home, and waits there for the next time.
    #[test]
    fn computed_columns_come_behind_the_makers_and_leave_with_the_way_home() {
        let ty = TypeKind::BigInt.nullable();
        let (mut pool, mut home, types) = (Pool::default(), Home::default(), [ty.clone()]);
        let write = |pool: &mut Pool, to: &mut ColumnRef, v: i64| pool.own(to, &ty).set_value(v);
        let mut met = vec![];
        for round in 0..3 {
            let mut b = pool.batch_at(&mut home, &types);
            assert_eq!(b.columns.len(), 1, "the maker's columns alone");
            write(&mut pool, &mut b.columns[0], round);
            b.set_rows(1);
            // One stage adds two columns, the next replaces the second of these and adds another.
            b.replace(0, 1, &ty, |to, old| write(&mut pool, to, old.columns[0].slice::<i64>()[0] + 10));
            b.replace(1, 2, &ty, |to, old| write(&mut pool, to, old.columns.len() as i64));
            b.settle(2);
            b.replace(0, 2, &ty, |to, old| write(&mut pool, to, old.columns[1].slice::<i64>()[0] + 10));
            b.replace(1, 3, &ty, |to, old| write(&mut pool, to, old.columns[2].slice::<i64>()[0]));
            b.settle(2);
            let values: Vec<i64> = b.columns.iter().map(|c| c.slice::<i64>()[0]).collect();
            assert_eq!(values, [round, round + 10, round + 20, 1]);
            let columns: Vec<*const Column> = b.columns.iter().map(|c| &raw const **c).collect();
            assert!(round == 0 || met == columns, "the same columns again");
            met = columns;
            pool.recycle(b);
        }
    }
}

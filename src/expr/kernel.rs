//! What computes: kernels over columns, and accumulators over columns of groups.
//!
//! A [`Kernel`] writes one output row for each selected input row, at the same position. It must leave rows outside the
//! selection alone in one respect only: it must not *fail* for them. Whether it computes them is its own affair; a kernel that
//! cannot fail ([`Kernel::can_fail`]) usually runs over all rows, which the compiler turns into SIMD.

use super::RowExpr;
use crate::batch::{Column, ColumnRef, DataType, Decoder, Encoder, Pool, RowKind, Sel, Watermarks};
use crate::error::{Error, Result, Span};
use std::any::Any;
use std::sync::Arc;

/// An argument of a kernel: a column of the batch's length, or one row that stands for all.
#[derive(Clone, Copy, Debug)]
pub struct Arg<'a> {
    /// The values. A result may refer to its strings (`ByteColumn::share_buffers`).
    pub column: &'a Column,
    /// The column has one row, which is the value at every row.
    pub constant: bool,
}

impl<'a> Arg<'a> {
    /// Where the value of row `row` stands in the column.
    #[inline(always)]
    pub fn at(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// The value at `row` is not NULL.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.column.is_valid(self.at(row))
    }

    /// The BOOLEAN at `row` is TRUE.
    #[inline(always)]
    pub fn is_true(&self, row: usize) -> bool {
        let at = self.at(row);
        self.column.is_valid(at) && self.column.bools().get(at)
    }

    /// The bytes at `row` of a character or binary argument.
    #[inline]
    pub fn bytes(&self, row: usize) -> &'a [u8] {
        self.column.byte_column().get(self.at(row))
    }
}

/// The error of one row. The caller emits the rows before it, then fails with `error`.
#[derive(Debug, Clone)]
pub struct RowError {
    /// The physical row.
    pub row: usize,
    /// What is wrong with it.
    pub error: Error,
}

impl RowError {
    /// `error` at `row`.
    pub fn new(row: usize, error: Error) -> Self {
        Self { row, error }
    }

    /// The same error pointing at the call that failed, unless it points somewhere already. What the planner made of nothing in the
    /// script has no place.
    #[must_use]
    pub(crate) fn at(self, span: Span) -> Self {
        if span == Span::default() { self } else { Self { row: self.row, error: self.error.at(span) } }
    }

    /// A runtime error at `row`.
    pub fn runtime(row: usize, message: impl Into<String>) -> Self {
        Self { row, error: Error::runtime(message) }
    }
}

/// What kernels may know besides their arguments.
#[derive(Debug)]
pub struct EvalContext<'a> {
    /// Where columns for intermediate results come from.
    pub pool: &'a mut Pool,
    /// The driver's clock when the turn began, µs since the epoch. The only time there is.
    pub now_us: i64,
    /// The watermark before the batch's first row.
    pub watermark: i64,
    /// How it moves within the batch.
    pub watermarks: &'a Watermarks,
}

/// Computes a function over columns.
pub trait Kernel: Send {
    /// Writes the results for the rows of `sel` into `out`, which has been [reset](Column::reset) to `rows` rows of the
    /// result type, none NULL (variable-length results: `rows` empty values; lists and maps: see below).
    ///
    /// A kernel with a nested result may [clear](Column::clear) `out` and append instead, `rows` rows in all.
    ///
    /// # Errors
    /// The first selected row, in ascending order, whose value cannot be computed. What `out` then holds does not matter.
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        rows: usize,
        out: &mut Column,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError>;

    /// The same over one row, made of the arguments: for plain functions of fixed-width values that cannot fail.
    fn row_expr(&self, _args: Vec<RowExpr>) -> Option<RowExpr> {
        None
    }

    /// Some row may fail. `false` lets guards (AND, CASE) evaluate without splitting the selection.
    fn can_fail(&self) -> bool {
        true
    }
}

/// A closure as a kernel that cannot fail.
pub struct Infallible<F>(pub F);

impl<F> Kernel for Infallible<F>
where
    F: FnMut(&[Arg<'_>], Sel<'_>, usize, &mut Column) + Send,
{
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        rows: usize,
        out: &mut Column,
        _cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        (self.0)(args, sel, rows, out);
        Ok(())
    }

    fn can_fail(&self) -> bool {
        false
    }
}

/// A closure as a kernel that may fail.
pub struct Fallible<F>(pub F);

impl<F> Kernel for Fallible<F>
where
    F: FnMut(&[Arg<'_>], Sel<'_>, usize, &mut Column) -> Result<(), RowError> + Send,
{
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        rows: usize,
        out: &mut Column,
        _cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        (self.0)(args, sel, rows, out)
    }
}

/// Rows that go into groups: row `rows[k]` belongs to group `slots[k]`, in this order.
#[derive(Clone, Copy, Debug)]
pub struct Updates<'a> {
    /// The aggregate's arguments.
    pub args: &'a [Arg<'a>],
    /// Physical rows, in arrival order.
    pub rows: &'a [u32],
    /// The group of each, parallel to `rows`.
    pub slots: &'a [u32],
    /// Row kinds by physical row; absent: all `+I`. `-U` and `-D` take the row out of its group again.
    pub kinds: Option<&'a [RowKind]>,
}

impl Updates<'_> {
    /// Row `row` joins its group (does not leave it).
    #[inline]
    pub fn is_add(&self, row: usize) -> bool {
        self.kinds.is_none_or(|k| k[row].is_add())
    }
}

/// Which rows an aggregate sees: those whose flags have the bit.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Parallel to the rows.
    pub flags: &'a [u8],
    /// A bit's number.
    pub bit: u8,
}

impl<'a> Seen<'a> {
    /// 1 for each row that is seen, 0 for the others.
    #[inline(always)]
    pub fn iter(self) -> impl ExactSizeIterator<Item = u8> + 'a {
        self.flags.iter().map(move |f| f >> self.bit & 1)
    }
}

/// One aggregate of many groups, stored by columns: group `slot` has its fixed-width part at index `slot`. Slots are dense and
/// reused. DOUBLE and FLOAT are folded in row order and never reassociated.
pub trait Accumulator: Send + Any {
    /// Makes slots `0..slots` exist; new ones are empty groups.
    fn grow(&mut self, slots: usize);

    /// Makes the slot an empty group again.
    fn reset(&mut self, slot: u32);

    /// Makes these slots empty groups again: a call for many.
    fn reset_all(&mut self, slots: &[u32]) {
        slots.iter().for_each(|&s| self.reset(s));
    }

    /// Makes slots `0..slots` empty groups again.
    fn reset_first(&mut self, slots: usize) {
        (0..slots as u32).for_each(|s| self.reset(s));
    }

    /// Takes the rows into (or out of) their groups, in order.
    ///
    /// # Errors
    /// The first row that cannot be taken.
    fn update(&mut self, updates: &Updates<'_>) -> Result<(), RowError>;

    /// As [`Accumulator::update`], appending the group's value before each row and that after it to `sides`, by turns: what a changelog
    /// is made of. The default goes row by row; common aggregates have a fused pass.
    ///
    /// # Errors
    /// The first row that cannot be taken. The value before it may be the last in `sides`.
    fn update_tracked(&mut self, updates: &Updates<'_>, sides: &mut Column) -> Result<(), RowError> {
        for k in 0..updates.rows.len() {
            self.emit(&updates.slots[k..=k], sides);
            self.update(&Updates { rows: &updates.rows[k..=k], slots: &updates.slots[k..=k], ..*updates })?;
            self.emit(&updates.slots[k..=k], sides);
        }
        Ok(())
    }

    /// A group's state has one size, however many its rows, and the parts of a group folded together in the order of their rows come to the
    /// group. Where rows come late, frames then keep parts of their rows (docs/decisions/0017-frames-in-slices-and-disorder.md); else they look
    /// at all of them for each such row.
    fn is_fixed(&self) -> bool {
        false
    }

    /// As [`Accumulator::update_tracked`] where only the rows that are `seen` are taken: at the others the value before is the value after. For an
    /// aggregate that cannot fail; false says that it has no such pass, and nothing was done.
    fn update_seen(&mut self, _updates: &Updates<'_>, _seen: Seen<'_>, _sides: &mut Column) -> bool {
        false
    }

    /// Takes a row that comes alone and joins its group, the one of `updates`, where it is `seen`, and makes `sides` the group's value before and after it: two
    /// rows. Where the group `begins` with the row, only the value after it. The default goes through the passes over many rows; common
    /// aggregates write what they have.
    ///
    /// # Errors
    /// The row cannot be taken.
    fn update_row(
        &mut self,
        updates: &Updates<'_>,
        seen: bool,
        begins: bool,
        sides: &mut Column,
    ) -> Result<(), RowError> {
        sides.clear();
        if seen && !begins {
            return self.update_tracked(updates, sides);
        }
        if seen {
            self.update(updates)?;
        }
        if !begins {
            self.emit(updates.slots, sides);
        }
        self.emit(updates.slots, sides);
        Ok(())
    }

    /// Folds slot `from[k]` of `other`, an accumulator of the same aggregate, into slot `into[k]`.
    fn merge(&mut self, into: &[u32], other: &dyn Accumulator, from: &[u32]);

    /// Appends the value of each slot to `out`.
    fn emit(&self, slots: &[u32], out: &mut Column);

    /// Writes the state of the slots, in order.
    fn encode(&self, slots: &[u32], to: &mut Encoder);

    /// Reads the state of `slots` slots into slots `0..slots` of a new accumulator.
    ///
    /// # Errors
    /// The bytes are damaged.
    fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()>;

    /// Bytes reserved.
    fn bytes(&self) -> usize;
}

impl dyn Accumulator {
    /// For [`Accumulator::merge`]: the one that is merged from, as the type that it has.
    ///
    /// # Panics
    /// It has another one.
    pub fn same<A: Accumulator>(&self) -> &A {
        (self as &dyn Any).downcast_ref().expect("an accumulator of the same aggregate")
    }
}

/// Makes kernels: one for each shard and place in a plan.
pub type KernelFactory = Arc<dyn Fn() -> Box<dyn Kernel> + Send + Sync>;
/// Makes accumulators.
pub type AccumulatorFactory = Arc<dyn Fn() -> Box<dyn Accumulator> + Send + Sync>;

/// A one-row column holding a constant of `ty`.
pub fn constant_column(ty: &DataType, fill: impl FnOnce(&mut Column)) -> ColumnRef {
    let mut c = Column::new(ty);
    fill(&mut c);
    debug_assert_eq!(c.len(), 1, "a constant is one row");
    ColumnRef::new(c)
}

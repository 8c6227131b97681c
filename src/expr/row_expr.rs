//! Expressions over a single row: typed closures, put together once when the expression is compiled.
//!
//! Over a column an expression costs a loop per operation; over one row, what prepares the loops (arguments, selections, registers,
//! the buffers of columns) costs many times the operation itself. Where every operation of an expression is a plain function of
//! fixed-width values that cannot fail, its kernels say so ([`Kernel::row_expr`](super::Kernel::row_expr)), and the row is computed value by
//! value without any of that. Everything else, and every batch of more rows, goes the way of the columns; both give the same values.

use crate::batch::{Column, ColumnData, ColumnRef, Native, Physical};
use std::marker::PhantomData;

/// A value that stands at one place of a column.
pub trait Cell: Copy + Send + 'static {
    /// The value at `row`, whether it is NULL or not.
    fn load(column: &Column, row: usize) -> Self;
    /// Writes the value at `row`.
    fn store(self, column: &mut Column, row: usize);
    /// The source of values of this type among those of all types.
    fn of(row: RowExpr) -> Option<Source<Self>>;
    /// The other way.
    fn row_expr(source: Source<Self>) -> RowExpr;
}

/// Writes a value for one row, whatever its type.
pub trait Write: Send {
    /// Writes the value to `out`, a column of its type in which the row is not NULL.
    fn write(&self, columns: &[ColumnRef], row: usize, out: &mut Column);
}

/// Gives a value for one row.
pub trait Compute<T>: Write {
    /// The value, `None` for NULL.
    fn at(&self, columns: &[ColumnRef], row: usize) -> Option<T>;
}

/// Where a value comes from.
pub enum Source<T> {
    /// A column of the input.
    Column(usize),
    /// The same for every row; `None` for NULL.
    Constant(Option<T>),
    /// An operation.
    Computed(Box<dyn Compute<T>>),
}

impl<T: Cell> Source<T> {
    /// The value of a row.
    #[inline(always)]
    pub fn at(&self, columns: &[ColumnRef], row: usize) -> Option<T> {
        match self {
            Source::Column(n) => {
                let column = &columns[*n];
                column.validity.get(row).then(|| T::load(column, row))
            }
            Source::Constant(v) => *v,
            Source::Computed(f) => f.at(columns, row),
        }
    }
}

#[inline(always)]
fn put<T: Cell>(value: Option<T>, row: usize, out: &mut Column) {
    match value {
        Some(v) => v.store(out, row),
        None => out.validity.set_null(row),
    }
}

/// A function of one value, NULL where that is.
struct Unary<A, B, F> {
    a: Source<A>,
    f: F,
    result: PhantomData<fn() -> B>,
}

impl<A: Cell, B: Cell, F: Fn(A) -> B + Send> Compute<B> for Unary<A, B, F> {
    #[inline]
    fn at(&self, columns: &[ColumnRef], row: usize) -> Option<B> {
        self.a.at(columns, row).map(&self.f)
    }
}

impl<A: Cell, B: Cell, F: Fn(A) -> B + Send> Write for Unary<A, B, F> {
    fn write(&self, columns: &[ColumnRef], row: usize, out: &mut Column) {
        put(self.at(columns, row), row, out);
    }
}

/// A function of two values, NULL where either is.
struct Binary<A, B, C, F> {
    a: Source<A>,
    b: Source<B>,
    f: F,
    result: PhantomData<fn() -> C>,
}

impl<A: Cell, B: Cell, C: Cell, F: Fn(A, B) -> C + Send> Compute<C> for Binary<A, B, C, F> {
    #[inline]
    fn at(&self, columns: &[ColumnRef], row: usize) -> Option<C> {
        Some((self.f)(self.a.at(columns, row)?, self.b.at(columns, row)?))
    }
}

impl<A: Cell, B: Cell, C: Cell, F: Fn(A, B) -> C + Send> Write for Binary<A, B, C, F> {
    fn write(&self, columns: &[ColumnRef], row: usize, out: &mut Column) {
        put(self.at(columns, row), row, out);
    }
}

/// AND and OR of any number, three-valued.
struct Logic {
    and: bool,
    args: Vec<Source<bool>>,
}

impl Compute<bool> for Logic {
    fn at(&self, columns: &[ColumnRef], row: usize) -> Option<bool> {
        let mut value = Some(self.and);
        for a in &self.args {
            match a.at(columns, row) {
                Some(v) if v == self.and => {}
                Some(v) => return Some(v),
                None => value = None,
            }
        }
        value
    }
}

impl Write for Logic {
    fn write(&self, columns: &[ColumnRef], row: usize, out: &mut Column) {
        put(self.at(columns, row), row, out);
    }
}

/// CASE whose values are constants of any type: the one of the first condition that is TRUE, or the last.
struct Choice {
    conditions: Vec<Source<bool>>,
    /// Columns of one row, one more than conditions.
    values: Vec<ColumnRef>,
}

impl Write for Choice {
    fn write(&self, columns: &[ColumnRef], row: usize, out: &mut Column) {
        let chosen = self.conditions.iter().position(|c| c.at(columns, row) == Some(true));
        let value = &self.values[chosen.unwrap_or(self.conditions.len())];
        match (&mut out.data, &value.data) {
            _ if !value.is_valid(0) => out.validity.set_null(row),
            (ColumnData::Bytes(to), ColumnData::Bytes(from)) => to.writer().set(row, from.get(0)),
            _ => unreachable!("constants of the type of the CASE, which is one of texts"),
        }
    }
}

/// CASE of texts that are constants; `None` when a condition is not BOOLEAN.
pub(super) fn choice(conditions: Vec<RowExpr>, values: Vec<ColumnRef>) -> Option<Box<dyn Write>> {
    let conditions = conditions.into_iter().map(bool::of).collect::<Option<Vec<_>>>()?;
    Some(Box::new(Choice { conditions, values }))
}

macro_rules! row_expr {
    ($($t:ty => $v:ident),*) => {
        /// An expression over one row, of any fixed-width type.
        #[allow(missing_docs)]
        pub enum RowExpr {
            Bool(Source<bool>),
            /// A text that does not change from row to row: an argument that says how, and not what, to compute.
            Fixed,
            /// A text.
            Text(Box<dyn Write>),
            $($v(Source<$t>),)*
        }

        impl RowExpr {
            /// A column of the input of that physical form, if its values have one width.
            pub(super) fn column(n: usize, physical: Physical) -> Option<RowExpr> {
                Some(match physical {
                    Physical::Bool => RowExpr::Bool(Source::Column(n)),
                    $(Physical::$v => RowExpr::$v(Source::Column(n)),)*
                    _ => return None,
                })
            }

            /// A constant in a column of one row.
            pub(super) fn constant(column: &Column, physical: Physical) -> Option<RowExpr> {
                fn of<T: Cell>(column: &Column) -> Source<T> {
                    Source::Constant(column.is_valid(0).then(|| T::load(column, 0)))
                }
                Some(match physical {
                    Physical::Bool => RowExpr::Bool(of(column)),
                    Physical::Bytes => RowExpr::Fixed,
                    $(Physical::$v => RowExpr::$v(of(column)),)*
                    _ => return None,
                })
            }

            /// What writes its values, if it is an operation and not a column or constant.
            pub(super) fn writer(self) -> Option<Box<dyn Write>> {
                Some(match self {
                    RowExpr::Bool(Source::Computed(f)) => f,
                    RowExpr::Text(f) => f,
                    $(RowExpr::$v(Source::Computed(f)) => f,)*
                    _ => return None,
                })
            }
        }

        $(impl Cell for $t {
            #[inline(always)]
            fn load(column: &Column, row: usize) -> Self {
                column.value::<$t>(row)
            }
            #[inline(always)]
            fn store(self, column: &mut Column, row: usize) {
                let values = <$t as Native>::buffer_mut(&mut column.data);
                values.expect("a column of the expression's type").put(row, self);
            }
            fn of(row: RowExpr) -> Option<Source<Self>> {
                match row { RowExpr::$v(s) => Some(s), _ => None }
            }
            fn row_expr(source: Source<Self>) -> RowExpr {
                RowExpr::$v(source)
            }
        })*
    };
}
row_expr!(i8 => I8, i16 => I16, i32 => I32, i64 => I64, i128 => I128, f32 => F32, f64 => F64);

impl Cell for bool {
    #[inline(always)]
    fn load(column: &Column, row: usize) -> Self {
        column.bools().get(row)
    }
    #[inline(always)]
    fn store(self, column: &mut Column, row: usize) {
        column.bools_mut().set(row, self);
    }
    fn of(row: RowExpr) -> Option<Source<Self>> {
        match row {
            RowExpr::Bool(s) => Some(s),
            _ => None,
        }
    }
    fn row_expr(source: Source<Self>) -> RowExpr {
        RowExpr::Bool(source)
    }
}

impl RowExpr {
    /// `f(a)`, NULL where `a` is; `None` when `a` is not of the type.
    pub fn unary<A: Cell, B: Cell>(a: RowExpr, f: impl Fn(A) -> B + Send + 'static) -> Option<RowExpr> {
        Some(B::row_expr(Source::Computed(Box::new(Unary { a: A::of(a)?, f, result: PhantomData }))))
    }

    /// `f(a, b)` of two expressions, NULL where either is; `None` when one is not of its type.
    pub fn binary<A: Cell, B: Cell, C: Cell>(
        args: Vec<RowExpr>,
        f: impl Fn(A, B) -> C + Send + 'static,
    ) -> Option<RowExpr> {
        let [a, b] = args.try_into().ok()?;
        let (a, b) = (A::of(a)?, B::of(b)?);
        Some(C::row_expr(Source::Computed(Box::new(Binary { a, b, f, result: PhantomData }))))
    }

    /// AND or OR; `None` when one is not BOOLEAN.
    pub(super) fn logic(and: bool, args: Vec<RowExpr>) -> Option<RowExpr> {
        let args = args.into_iter().map(bool::of).collect::<Option<Vec<_>>>()?;
        Some(RowExpr::Bool(Source::Computed(Box::new(Logic { and, args }))))
    }
}

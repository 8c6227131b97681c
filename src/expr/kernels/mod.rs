//! The loops that functions are made of.
//!
//! A function's bind step picks a type and an operation and gets a closure or kernel from here; everything that depends on rows is in these
//! loops. Three rules hold in all of them:
//!
//! - **NULL first.** [`null_if_any`] makes a row NULL where an argument is; the value loop then need not look (an infallible
//!   operation on the unspecified value of a NULL row is harmless). Fallible loops skip NULL rows.
//! - **Whole columns where it is cheap.** When most rows are selected and nothing can fail, the loop runs over slices without
//!   indirection, which the compiler turns into SIMD; otherwise it follows the selection.
//! - **Constants are peeled off** before the loop (`column ∘ literal`), never tested inside it.

pub mod compare;
pub mod divisor;
pub mod map;
pub mod places;
pub mod text;

pub use map::{fill_flags, flag1, flags1, flags2, map1, map2, opt_map1, opt_map2, try_map1, try_map2};

use super::{
    Arg, BoundFunction, Cell, Determinism, EvalContext, Fallible, Infallible, Kernel, RowError, RowExpr,
};
use crate::batch::{Column, DataType, Native, Sel};
use std::sync::Arc;

/// Makes rows NULL where an argument is. Returns false when every row is NULL, so that nothing is left to compute.
#[inline(always)]
pub fn null_if_any(args: &[Arg<'_>], out: &mut Column) -> bool {
    for a in args {
        if a.constant {
            if !a.column.is_valid(0) {
                all_null(out);
                return false;
            }
        } else {
            out.validity.and(&a.column.validity);
        }
    }
    true
}

/// Makes every row NULL.
pub fn all_null(out: &mut Column) {
    out.validity.bits_mut().words_mut().fill(0);
}

/// It is cheaper to compute all rows than to follow the selection.
#[inline(always)]
pub fn is_dense(sel: Sel<'_>, rows: usize) -> bool {
    match sel {
        Sel::All(n) => n == rows,
        Sel::Rows(r) => r.len() * 4 >= rows * 3,
    }
}

/// Calls `f` for the selected rows that are not NULL in `out`.
#[inline(always)]
pub fn each_valid(sel: Sel<'_>, out: &mut Column, mut f: impl FnMut(&mut Column, usize)) {
    if out.validity.may_have_nulls() {
        sel.for_each(|i| {
            if out.validity.get(i) {
                f(out, i);
            }
        });
    } else {
        sel.for_each(|i| f(out, i));
    }
}

/// As [`each_valid`], until one fails.
///
/// # Errors
/// The first error of `f`.
#[inline(always)]
pub fn try_each_valid(
    sel: Sel<'_>,
    out: &mut Column,
    mut f: impl FnMut(&mut Column, usize) -> Result<(), RowError>,
) -> Result<(), RowError> {
    sel.try_for_each(|i| if out.validity.get(i) { f(out, i) } else { Ok(()) })
}

/// A deterministic function whose kernel is a closure that cannot fail.
pub fn infallible<F>(args: Vec<DataType>, ty: DataType, f: F) -> BoundFunction
where
    F: Fn(&[Arg<'_>], Sel<'_>, usize, &mut Column) + Clone + Send + Sync + 'static,
{
    let kernel = Arc::new(move || Box::new(Infallible(f.clone())) as Box<dyn Kernel>);
    BoundFunction { args, ty, determinism: Determinism::Deterministic, kernel }
}

/// A deterministic function that cannot fail, of fixed-width values: over columns, and made of its arguments over one row.
pub fn by_value<C, R>(args: Vec<DataType>, ty: DataType, columns: C, row: R) -> BoundFunction
where
    C: Fn(&[Arg<'_>], Sel<'_>, usize, &mut Column) + Clone + Send + Sync + 'static,
    R: Fn(Vec<RowExpr>) -> Option<RowExpr> + Clone + Send + Sync + 'static,
{
    with_kernel(args, ty, Determinism::Deterministic, move || ByValue {
        columns: Infallible(columns.clone()),
        row: row.clone(),
    })
}

struct ByValue<C, R> {
    columns: Infallible<C>,
    row: R,
}

impl<C, R> Kernel for ByValue<C, R>
where
    C: Fn(&[Arg<'_>], Sel<'_>, usize, &mut Column) + Send,
    R: Fn(Vec<RowExpr>) -> Option<RowExpr> + Send,
{
    #[inline]
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        rows: usize,
        out: &mut Column,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        self.columns.eval(args, sel, rows, out, cx)
    }

    fn row_expr(&self, args: Vec<RowExpr>) -> Option<RowExpr> {
        (self.row)(args)
    }

    fn can_fail(&self) -> bool {
        false
    }
}

/// A deterministic function of argument `n` alone, value by value: NULL where that is.
pub fn unary<A: Native + Cell, B: Native + Cell>(
    args: Vec<DataType>,
    ty: DataType,
    n: usize,
    f: impl Fn(A) -> B + Clone + Send + Sync + 'static,
) -> BoundFunction {
    let g = f.clone();
    by_value(
        args,
        ty,
        move |a, sel, rows, out| map1(&a[n], sel, rows, out, &f),
        move |mut a| RowExpr::unary(a.swap_remove(n), g.clone()),
    )
}

/// A deterministic function of two arguments, value by value: NULL where either is.
pub fn binary<A: Native + Cell, B: Native + Cell, C: Native + Cell>(
    args: Vec<DataType>,
    ty: DataType,
    f: impl Fn(A, B) -> C + Clone + Send + Sync + 'static,
) -> BoundFunction {
    let g = f.clone();
    by_value(
        args,
        ty,
        move |a, sel, rows, out| map2(&a[0], &a[1], sel, rows, out, &f),
        move |a| RowExpr::binary(a, g.clone()),
    )
}

/// A deterministic condition on the first argument, value by value: NULL where that is.
pub fn condition<A: Native + Cell>(
    args: Vec<DataType>,
    ty: DataType,
    f: impl Fn(A) -> bool + Clone + Send + Sync + 'static,
) -> BoundFunction {
    let g = f.clone();
    by_value(
        args,
        ty,
        move |a, sel, rows, out| flag1(&a[0], sel, rows, out, &f),
        move |mut a| RowExpr::unary(a.swap_remove(0), g.clone()),
    )
}

/// A deterministic function whose kernel is a closure that may fail.
pub fn fallible<F>(args: Vec<DataType>, ty: DataType, f: F) -> BoundFunction
where
    F: Fn(&[Arg<'_>], Sel<'_>, usize, &mut Column) -> Result<(), RowError> + Clone + Send + Sync + 'static,
{
    let kernel = Arc::new(move || Box::new(Fallible(f.clone())) as Box<dyn Kernel>);
    BoundFunction { args, ty, determinism: Determinism::Deterministic, kernel }
}

/// A function with a kernel of its own type.
pub fn with_kernel<K: Kernel + 'static>(
    args: Vec<DataType>,
    ty: DataType,
    determinism: Determinism,
    make: impl Fn() -> K + Send + Sync + 'static,
) -> BoundFunction {
    BoundFunction { args, ty, determinism, kernel: Arc::new(move || Box::new(make())) }
}

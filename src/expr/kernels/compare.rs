//! Comparison of two columns, or of a column with a constant, into a bitmap.

use super::{each_valid, fill_flags, flags1, flags2, is_dense, null_if_any};
use crate::batch::text::moment;
use crate::batch::{Column, ColumnData, Native, Physical, Sel, decimal, order};
use crate::expr::Arg;
use std::cmp::Ordering;

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether it holds for operands that compare so.
    #[inline]
    pub fn holds(self, o: Ordering) -> bool {
        match self {
            Comparison::Equal => o.is_eq(),
            Comparison::NotEqual => o.is_ne(),
            Comparison::Less => o.is_lt(),
            Comparison::LessOrEqual => o.is_le(),
            Comparison::Greater => o.is_gt(),
            Comparison::GreaterOrEqual => o.is_ge(),
        }
    }

    /// Whether it holds for two values, of which a NaN only differs from all.
    #[inline]
    pub fn holds_of<T: PartialOrd>(self, x: &T, y: &T) -> bool {
        x.partial_cmp(y).map_or(self == Comparison::NotEqual, |o| self.holds(o))
    }
}

/// How two operands are compared, fixed when binding.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Both have this physical form, and values compare as such.
    Same(Physical),
    /// Unscaled decimals or integers at these scales.
    Scaled(u8, u8),
    /// Timestamps of which one is in the wide form.
    Moments,
    /// Arrays and maps in Flink's binary form: NULL equals NULL in their arrays.
    Packed,
}

/// Writes `a op b` for the selected rows, NULL where either is.
pub fn compare(
    op: Comparison,
    form: Form,
    a: &Arg<'_>,
    b: &Arg<'_>,
    sel: Sel<'_>,
    rows: usize,
    out: &mut Column,
) {
    if !null_if_any(&[*a, *b], out) {
        return;
    }
    match form {
        Form::Same(Physical::I8) => fixed::<i8>(op, a, b, sel, rows, out),
        Form::Same(Physical::I16) => fixed::<i16>(op, a, b, sel, rows, out),
        Form::Same(Physical::I32) => fixed::<i32>(op, a, b, sel, rows, out),
        Form::Same(Physical::I64) => fixed::<i64>(op, a, b, sel, rows, out),
        Form::Same(Physical::I128) => fixed::<i128>(op, a, b, sel, rows, out),
        Form::Same(Physical::F32) => fixed::<f32>(op, a, b, sel, rows, out),
        Form::Same(Physical::F64) => fixed::<f64>(op, a, b, sel, rows, out),
        Form::Same(Physical::Bytes) => bytes(op, a, b, sel, rows, out),
        Form::Same(Physical::Null) => super::all_null(out),
        Form::Same(_) | Form::Packed if matches!(op, Comparison::Equal | Comparison::NotEqual) => {
            let packed = matches!(form, Form::Packed);
            each_valid(sel, out, |out, i| {
                let same = order::equal_values(packed, a.column, a.at(i), b.column, b.at(i));
                out.bools_mut().set(i, same == (op == Comparison::Equal));
            });
        }
        Form::Same(_) | Form::Packed => each_valid(sel, out, |out, i| {
            let o = order::compare_values(a.column, a.at(i), b.column, b.at(i));
            out.bools_mut().set(i, op.holds(o));
        }),
        Form::Scaled(sa, sb) => each_valid(sel, out, |out, i| {
            let o = decimal::cmp(whole(a.column, a.at(i)), sa, whole(b.column, b.at(i)), sb);
            out.bools_mut().set(i, op.holds(o));
        }),
        Form::Moments => each_valid(sel, out, |out, i| {
            let o = moment(a.column, a.at(i)).cmp(&moment(b.column, b.at(i)));
            out.bools_mut().set(i, op.holds(o));
        }),
    }
}

/// An exact number as an unscaled decimal.
#[inline]
pub fn whole(c: &Column, i: usize) -> i128 {
    match &c.data {
        ColumnData::I128(b) => b[i],
        ColumnData::I64(b) => b[i].into(),
        ColumnData::I32(b) => b[i].into(),
        ColumnData::I16(b) => b[i].into(),
        ColumnData::I8(b) => b[i].into(),
        _ => panic!("not an exact number"),
    }
}

fn fixed<T: Native>(op: Comparison, a: &Arg<'_>, b: &Arg<'_>, sel: Sel<'_>, rows: usize, out: &mut Column) {
    // One loop for each operator: the operator must not be looked at inside it.
    match op {
        Comparison::Equal => pairs::<T>(a, b, sel, rows, out, |x, y| x == y),
        Comparison::NotEqual => pairs::<T>(a, b, sel, rows, out, |x, y| x != y),
        Comparison::Less => pairs::<T>(a, b, sel, rows, out, |x, y| x < y),
        Comparison::LessOrEqual => pairs::<T>(a, b, sel, rows, out, |x, y| x <= y),
        Comparison::Greater => pairs::<T>(a, b, sel, rows, out, |x, y| x > y),
        Comparison::GreaterOrEqual => pairs::<T>(a, b, sel, rows, out, |x, y| x >= y),
    }
}

#[inline(always)]
fn pairs<T: Native>(
    a: &Arg<'_>,
    b: &Arg<'_>,
    sel: Sel<'_>,
    rows: usize,
    out: &mut Column,
    f: impl Fn(T, T) -> bool,
) {
    let (x, y) = (a.column.slice::<T>(), b.column.slice::<T>());
    let bits = out.bools_mut();
    let dense = is_dense(sel, rows);
    match (a.constant, b.constant) {
        (true, true) => {
            let v = f(x[0], y[0]);
            fill_flags(bits, rows, |_| v);
        }
        (false, true) => {
            let (x, c) = (&x[..rows], y[0]);
            if dense { flags1(bits, x, |v| f(v, c)) } else { sel.for_each(|i| bits.set(i, f(x[i], c))) }
        }
        (true, false) => {
            let (y, c) = (&y[..rows], x[0]);
            if dense { flags1(bits, y, |v| f(c, v)) } else { sel.for_each(|i| bits.set(i, f(c, y[i]))) }
        }
        (false, false) => {
            let (x, y) = (&x[..rows], &y[..rows]);
            if dense {
                flags2(bits, x, y, f);
            } else {
                sel.for_each(|i| bits.set(i, f(x[i], y[i])));
            }
        }
    }
}

fn bytes(op: Comparison, a: &Arg<'_>, b: &Arg<'_>, sel: Sel<'_>, rows: usize, out: &mut Column) {
    let equality = matches!(op, Comparison::Equal | Comparison::NotEqual);
    let (x, y) = (a.column.byte_column(), b.column.byte_column());
    if equality && (a.constant != b.constant) {
        // Equality with a constant: a short one equals exactly the views that are bit for bit the same.
        let (column, constant) = if a.constant { (y, x) } else { (x, y) };
        let wanted = constant.views()[0];
        let bits = out.bools_mut();
        let want = op == Comparison::Equal;
        let views = &column.views()[..rows];
        if wanted.is_inline() {
            let wanted: u128 = bytemuck::cast(wanted);
            let same = |i: usize| (bytemuck::cast::<_, u128>(views[i]) == wanted) == want;
            if is_dense(sel, rows) {
                flags1(bits, views, |v| (bytemuck::cast::<_, u128>(v) == wanted) == want);
            } else {
                sel.for_each(|i| bits.set(i, same(i)));
            }
        } else {
            let text = constant.get(0);
            sel.for_each(|i| {
                let v = &views[i];
                let same = v.len == wanted.len && v.prefix == wanted.prefix && column.resolve(v) == text;
                bits.set(i, same == want);
            });
        }
        return;
    }
    each_valid(sel, out, |out, i| {
        let (v, w) = (&x.views()[a.at(i)], &y.views()[b.at(i)]);
        let holds = if equality && v.len != w.len {
            op == Comparison::NotEqual
        } else {
            op.holds(x.resolve(v).cmp(y.resolve(w)))
        };
        out.bools_mut().set(i, holds);
    });
}

//! `=` and its kin, IS [NOT] DISTINCT FROM, tests for NULL and truth, NOT.

use crate::batch::{Column, DataType, Physical, Sel, TypeKind};
use crate::error::{Error, Result};
use crate::expr::coercion::{self, Incomparable, comparison_types};
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::compare::{Comparison, Form, compare};
use crate::expr::kernels::{by_value, condition, infallible};
use crate::expr::{Arg, Cell, RowExpr};

pub(super) fn register(r: &mut Registry) {
    let operators: [(&'static [&'static str], _, &'static [&'static str]); 6] = [
        (&["="], bind_equal as fn(&Call<'_>) -> _, &["a = b"]),
        (&["<>", "!="], bind_not_equal, &["a <> b", "a != b"]),
        (&["<"], bind_less, &["a < b"]),
        (&["<="], bind_less_or_equal, &["a <= b"]),
        (&[">"], bind_greater, &["a > b"]),
        (&[">="], bind_greater_or_equal, &["a >= b"]),
    ];
    for (names, bind, signatures) in operators {
        r.builtin(
            FunctionDoc {
                names,
                family: "comparison",
                signatures,
                text: "Compares; NULL when either is NULL. Text goes by bytes, FALSE is before TRUE.",
                examples: &[],
            },
            bind,
        );
    }
    let doc = |names, signatures, text| FunctionDoc {
        names,
        family: "comparison",
        signatures,
        text,
        ..FunctionDoc::default()
    };
    r.builtin(
        doc(&["IS DISTINCT FROM"], &["a IS DISTINCT FROM b"], "Differs, NULL being a value like any other."),
        |c| distinct(c, true),
    );
    r.builtin(
        doc(
            &["IS NOT DISTINCT FROM"],
            &["a IS NOT DISTINCT FROM b"],
            "Is the same, NULL being a value like any other.",
        ),
        |c| distinct(c, false),
    );
    r.builtin(doc(&["IS NULL"], &["value IS NULL"], "Is NULL."), |c| null_test(c, true));
    r.builtin(doc(&["IS NOT NULL"], &["value IS NOT NULL"], "Is not NULL."), |c| null_test(c, false));
    r.builtin(doc(&["IS UNKNOWN"], &["boolean IS UNKNOWN"], "A BOOLEAN is NULL."), |c| {
        truth_test(c, None, true)
    });
    r.builtin(doc(&["IS NOT UNKNOWN"], &["boolean IS NOT UNKNOWN"], "A BOOLEAN is not NULL."), |c| {
        truth_test(c, None, false)
    });
    r.builtin(doc(&["IS TRUE"], &["boolean IS TRUE"], "Is TRUE."), |c| truth_test(c, Some(true), true));
    r.builtin(doc(&["IS NOT TRUE"], &["boolean IS NOT TRUE"], "Is FALSE or NULL."), |c| {
        truth_test(c, Some(true), false)
    });
    r.builtin(doc(&["IS FALSE"], &["boolean IS FALSE"], "Is FALSE."), |c| truth_test(c, Some(false), true));
    r.builtin(doc(&["IS NOT FALSE"], &["boolean IS NOT FALSE"], "Is TRUE or NULL."), |c| {
        truth_test(c, Some(false), false)
    });
    r.builtin(doc(&["NOT"], &["NOT boolean"], "Negation; NULL stays NULL."), not);
}

fn bind_equal(c: &Call<'_>) -> Result<BoundFunction> {
    bind(c, Comparison::Equal)
}
fn bind_not_equal(c: &Call<'_>) -> Result<BoundFunction> {
    bind(c, Comparison::NotEqual)
}
fn bind_less(c: &Call<'_>) -> Result<BoundFunction> {
    bind(c, Comparison::Less)
}
fn bind_less_or_equal(c: &Call<'_>) -> Result<BoundFunction> {
    bind(c, Comparison::LessOrEqual)
}
fn bind_greater(c: &Call<'_>) -> Result<BoundFunction> {
    bind(c, Comparison::Greater)
}
fn bind_greater_or_equal(c: &Call<'_>) -> Result<BoundFunction> {
    bind(c, Comparison::GreaterOrEqual)
}

/// The types to which two arguments are cast to be compared, and how they are then.
pub(super) fn comparable(call: &Call<'_>, i: usize, j: usize) -> Result<(DataType, DataType, Form)> {
    let (a, b) = (&call.args[i].ty, &call.args[j].ty);
    let (mut x, mut y) = comparison_types(a, b, true).map_err(|e| match e {
        Incomparable::NumberWithText => Error::validation(
            format!(
                "implicit type conversion between {} and {} is not supported now",
                coercion::message_root(&a.kind),
                coercion::message_root(&b.kind)
            ),
            call.span,
        )
        .hint("write a CAST around one of them"),
        Incomparable::Refused => call.wrong_types(&["comparable types"]),
    })?;
    if let (Some((p, s)), Some((q, t))) = (coercion::as_decimal(&x.kind), coercion::as_decimal(&y.kind))
        && (matches!(x.kind, TypeKind::Decimal(..)) || matches!(y.kind, TypeKind::Decimal(..)))
    {
        // One scale for both, where 38 digits can hold it; multiplying by a power of ten is cheap and exact.
        let (whole, scale) = ((p - s).max(q - t), s.max(t));
        if whole + scale > crate::batch::decimal::MAX_PRECISION {
            return Ok((x, y, Form::Scaled(s, t)));
        }
        let fit = |ty: &mut DataType| {
            if !matches!(ty.kind, TypeKind::Decimal(_, own) if own == scale) {
                ty.kind = TypeKind::Decimal(whole + scale, scale);
            }
        };
        fit(&mut x);
        fit(&mut y);
    }
    let form = match (x.physical(), y.physical()) {
        (Physical::List, Physical::List) | (Physical::Map, Physical::Map)
            if call.args[i].packed && call.args[j].packed =>
        {
            Form::Packed
        }
        (p, q) if p == q => Form::Same(p),
        (Physical::I64, Physical::Nanos) | (Physical::Nanos, Physical::I64) => Form::Moments,
        (Physical::Null, _) | (_, Physical::Null) => Form::Same(Physical::Null),
        (p, q) => unreachable!("{p:?} and {q:?} are made equal above"),
    };
    Ok((x, y, form))
}

fn bind(call: &Call<'_>, op: Comparison) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let (x, y, form) = comparable(call, 0, 1)?;
    let equality = matches!(op, Comparison::Equal | Comparison::NotEqual);
    if x.kind == TypeKind::Bitmap && !(equality && x.nullable == y.nullable) {
        return Err(call.wrong_types(&["COMPARABLE_TYPE, COMPARABLE_TYPE"]));
    }
    let mut ty = call.result(TypeKind::Boolean);
    // Values in rows are compared as such: NULL where one of them is.
    ty.nullable |= call.args.iter().any(|a| has_nullable_field(&a.ty.kind));
    if let Form::Same(p @ (Physical::I32 | Physical::I64)) = form
        && (call.args[1].ty.kind == y.kind || call.args[1].ty.kind.is_integer() && y.kind.is_integer())
        && let Some(c) = call.literal_integer(1)
    {
        return Ok(with_constant(vec![x, y], ty, op, p, c));
    }
    Ok(by_value(
        vec![x, y],
        ty,
        move |a, sel, rows, out| compare(op, form, &a[0], &a[1], sel, rows, out),
        move |a| compare_row(op, form, a),
    ))
}

/// A ROW in which a field may be NULL, at any depth of rows.
fn has_nullable_field(kind: &TypeKind) -> bool {
    let TypeKind::Row(fields) = kind else { return false };
    fields.iter().any(|f| f.ty.nullable || has_nullable_field(&f.ty.kind))
}

/// `a op b` over one row, where both are fixed-width values of one physical form.
fn compare_row(op: Comparison, form: Form, args: Vec<RowExpr>) -> Option<RowExpr> {
    fn of<T: Cell + PartialOrd>(op: Comparison, args: Vec<RowExpr>) -> Option<RowExpr> {
        RowExpr::binary(args, move |x: T, y: T| op.holds_of(&x, &y))
    }
    match form {
        Form::Same(Physical::I8) => of::<i8>(op, args),
        Form::Same(Physical::I16) => of::<i16>(op, args),
        Form::Same(Physical::I32) => of::<i32>(op, args),
        Form::Same(Physical::I64) => of::<i64>(op, args),
        Form::Same(Physical::I128) => of::<i128>(op, args),
        Form::Same(Physical::F32) => of::<f32>(op, args),
        Form::Same(Physical::F64) => of::<f64>(op, args),
        _ => None,
    }
}

/// The comparison of an integer with a literal, by far the most frequent: a loop of its own for each operator, chosen here.
fn with_constant(
    args: Vec<DataType>,
    ty: DataType,
    op: Comparison,
    physical: Physical,
    c: i64,
) -> BoundFunction {
    macro_rules! kernel {
        ($t:ty, $f:expr) => {
            condition::<$t>(args, ty, $f)
        };
    }
    macro_rules! operators {
        ($t:ty) => {{
            let c = c as $t;
            match op {
                Comparison::Equal => kernel!($t, move |v| v == c),
                Comparison::NotEqual => kernel!($t, move |v| v != c),
                Comparison::Less => kernel!($t, move |v| v < c),
                Comparison::LessOrEqual => kernel!($t, move |v| v <= c),
                Comparison::Greater => kernel!($t, move |v| v > c),
                Comparison::GreaterOrEqual => kernel!($t, move |v| v >= c),
            }
        }};
    }
    if physical == Physical::I32 { operators!(i32) } else { operators!(i64) }
}

fn distinct(call: &Call<'_>, wanted: bool) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let (x, y, form) = comparable(call, 0, 1)?;
    Ok(infallible(vec![x, y], TypeKind::Boolean.not_null(), move |args, sel, rows, out| {
        let (a, b) = (&args[0], &args[1]);
        compare(Comparison::Equal, form, a, b, sel, rows, out);
        out.validity.reset(rows);
        let bits = out.bools_mut();
        sel.for_each(|i| {
            let (v, w) = (a.is_valid(i), b.is_valid(i));
            let differs = if v && w { !bits.get(i) } else { v != w };
            bits.set(i, differs == wanted);
        });
    }))
}

fn null_test(call: &Call<'_>, wanted: bool) -> Result<BoundFunction> {
    call.count(1..=1)?;
    Ok(infallible(call.as_given(), TypeKind::Boolean.not_null(), move |args, _, rows, out| {
        write_nulls(&args[0], rows, wanted, out);
    }))
}

/// TRUE where the argument is NULL, or the opposite.
fn write_nulls(a: &Arg<'_>, rows: usize, wanted: bool, out: &mut Column) {
    let bits = out.bools_mut();
    if a.constant || matches!(a.column.data, crate::batch::ColumnData::Null) {
        let v = a.column.is_empty() || !a.column.is_valid(0);
        bits.words_mut().fill(if v == wanted { !0 } else { 0 });
    } else if let Some(valid) = a.column.validity.bits() {
        for (w, v) in bits.words_mut().iter_mut().zip(valid.words()) {
            *w = if wanted { !v } else { *v };
        }
    } else {
        bits.words_mut().fill(if wanted { 0 } else { !0 });
    }
    let _ = rows;
    bits.mask_tail();
}

fn is_boolean(call: &Call<'_>) -> Result<()> {
    call.count(1..=1)?;
    match call.kind(0) {
        TypeKind::Boolean | TypeKind::Null => Ok(()),
        _ => Err(call.wrong_types(&["BOOLEAN"])),
    }
}

/// `IS [NOT] TRUE | FALSE | UNKNOWN`: the value, or NULL, that is asked for.
fn truth_test(call: &Call<'_>, value: Option<bool>, wanted: bool) -> Result<BoundFunction> {
    is_boolean(call)?;
    let args = vec![call.wanted(0, TypeKind::Boolean)];
    Ok(infallible(args, TypeKind::Boolean.not_null(), move |args, sel, rows, out| {
        let a = &args[0];
        let Some(value) = value else { return write_nulls(a, rows, wanted, out) };
        let (from, bits) = (a.column.bools(), out.bools_mut());
        sel.for_each(|i| {
            let holds = a.is_valid(i) && from.get(a.at(i)) == value;
            bits.set(i, holds == wanted);
        });
    }))
}

fn not(call: &Call<'_>) -> Result<BoundFunction> {
    is_boolean(call)?;
    let (args, ty) = (vec![call.wanted(0, TypeKind::Boolean)], call.result(TypeKind::Boolean));
    Ok(infallible(args, ty, |args, _sel: Sel<'_>, _, out| {
        let a = &args[0];
        if !crate::expr::kernels::null_if_any(args, out) {
            return;
        }
        let bits = out.bools_mut();
        if a.constant {
            bits.words_mut().fill(if a.column.bools().get(0) { 0 } else { !0 });
        } else {
            for (w, v) in bits.words_mut().iter_mut().zip(a.column.bools().words()) {
                *w = !v;
            }
        }
        bits.mask_tail();
    }))
}

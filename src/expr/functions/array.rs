//! ARRAY_* functions: contents compared by value, results built by picking elements of the arguments.
//!
//! An element is picked as (argument, place) and copied once into the result's child column. Two NULLs are the same element, NaN is
//! none, as in Flink, where 0.0 and −0.0 are one.

use super::collection::extent;
use crate::batch::{Column, ColumnData, DataType, TypeKind, order};
use crate::error::{Error, Result};
use crate::expr::Arg;
use crate::expr::coercion::{common_type, plain};
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::infallible;
use crate::expr::kernels::text::{build, flags, opt_from};
use std::cmp::Ordering;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "collection", signatures, text, examples }, bind);
    };
    add(
        &["ARRAY_CONTAINS"],
        &["array, element"],
        "The element is in the array; a NULL is found by NULL.",
        &[("ARRAY_CONTAINS(ARRAY[1, 2], 2)", "true")],
        contains,
    );
    add(
        &["ARRAY_POSITION"],
        &["array, element"],
        "Place of the first such element from 1, 0: none.",
        &[("ARRAY_POSITION(ARRAY['a', 'b'], 'b')", "2")],
        position,
    );
    add(
        &["ARRAY_DISTINCT"],
        &["array"],
        "Each element once, in the order of their first places.",
        &[("ARRAY_DISTINCT(ARRAY[1, 2, 1])", "[1,2]")],
        distinct,
    );
    add(
        &["ARRAY_REMOVE"],
        &["array, element"],
        "Without that element.",
        &[("ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", "[2]")],
        remove,
    );
    add(
        &["ARRAY_REVERSE"],
        &["array"],
        "From the last to the first.",
        &[("ARRAY_REVERSE(ARRAY[1, 2])", "[2,1]")],
        reverse,
    );
    add(
        &["ARRAY_APPEND"],
        &["array, element"],
        "With one more at the end.",
        &[("ARRAY_APPEND(ARRAY[1], 2)", "[1,2]")],
        |c| add_element(c, false),
    );
    add(
        &["ARRAY_PREPEND"],
        &["array, element"],
        "With one more at the start.",
        &[("ARRAY_PREPEND(ARRAY[1], 2)", "[2,1]")],
        |c| add_element(c, true),
    );
    add(
        &["ARRAY_CONCAT"],
        &["array, ..."],
        "One behind the other.",
        &[("ARRAY_CONCAT(ARRAY[1], ARRAY[2, 3])", "[1,2,3]")],
        concat,
    );
    add(
        &["ARRAY_SLICE"],
        &["array, start[, end]"],
        "The elements from start to end, both counted from 1, or from the end when negative.",
        &[("ARRAY_SLICE(ARRAY[1, 2, 3, 4], 2, -2)", "[2,3]")],
        slice,
    );
    add(
        &["ARRAY_SORT"],
        &["array[, ascending[, nulls_first]]"],
        "Sorted. NULLs are first when ascending, last when not, if nothing else is said.",
        &[("ARRAY_SORT(ARRAY[3, 1, 2], FALSE)", "[3,2,1]")],
        sort,
    );
    add(
        &["ARRAY_MAX"],
        &["array"],
        "The greatest element that is not NULL.",
        &[("ARRAY_MAX(ARRAY[1, 3, 2])", "3")],
        |c| extreme(c, Ordering::Greater),
    );
    add(
        &["ARRAY_MIN"],
        &["array"],
        "The least element that is not NULL.",
        &[("ARRAY_MIN(ARRAY[3, 1, 2])", "1")],
        |c| extreme(c, Ordering::Less),
    );
    add(
        &["ARRAY_JOIN"],
        &["array, separator[, null]"],
        "The texts with separators between them; NULLs are left out or written as the third argument.",
        &[("ARRAY_JOIN(ARRAY['a', 'b'], '-')", "a-b")],
        join,
    );
    add(
        &["ARRAY_UNION"],
        &["array, array"],
        "The elements of both, each once.",
        &[("ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])", "[1,2,3]")],
        |c| set(c, Set::Union),
    );
    add(
        &["ARRAY_INTERSECT"],
        &["array, array"],
        "The elements that are in both, each once.",
        &[("ARRAY_INTERSECT(ARRAY[1, 2], ARRAY[2, 3])", "[2]")],
        |c| set(c, Set::Intersect),
    );
    add(
        &["ARRAY_EXCEPT"],
        &["array, array"],
        "The elements of the first that are not in the second, each once.",
        &[("ARRAY_EXCEPT(ARRAY[1, 2], ARRAY[2, 3])", "[1]")],
        |c| set(c, Set::Except),
    );
}

/// The element type of array argument `i`.
fn element_of<'a>(call: &'a Call<'_>, i: usize) -> Result<&'a DataType> {
    match call.kind(i) {
        TypeKind::Array(of) => Ok(of),
        _ => Err(call.wrong_types(&["ARRAY, ..."])),
    }
}

/// Argument 1 as an element of array 0: Flink casts it where that loses nothing.
fn element_argument(call: &Call<'_>) -> Result<Vec<DataType>> {
    call.count(2..=2)?;
    let of = element_of(call, 0)?;
    let fits = *call.kind(1) == TypeKind::Null
        || crate::expr::coercion::can_store(call.kind(1), &of.kind) && nulls_fit(call.kind(1), &of.kind);
    if !fits {
        return Err(call.wrong_types(&["ARRAY<T>, T"]));
    }
    Ok(vec![plain(call.args[0].ty.clone()), call.wanted(1, of.kind.clone())])
}

/// What stands inside a nested value may be NULL only where the other type allows it.
fn nulls_fit(given: &TypeKind, wanted: &TypeKind) -> bool {
    let inside = |g: &DataType, w: &DataType| (w.nullable || !g.nullable) && nulls_fit(&g.kind, &w.kind);
    match (given, wanted) {
        (TypeKind::Array(g), TypeKind::Array(w)) | (TypeKind::Multiset(g), TypeKind::Multiset(w)) => {
            inside(g, w)
        }
        (TypeKind::Map(k, v), TypeKind::Map(l, w)) => inside(k, l) && inside(v, w),
        (TypeKind::Row(g), TypeKind::Row(w)) => g.iter().zip(w).all(|(g, w)| inside(&g.ty, &w.ty)),
        _ => true,
    }
}

/// The places of a row's elements in the child column.
pub(super) fn range(a: &Arg<'_>, i: usize) -> std::ops::Range<usize> {
    let (from, to) = extent(a, i);
    from..to
}

pub(super) fn child<'a>(a: &Arg<'a>) -> &'a Column {
    match &a.column.data {
        ColumnData::List { child, .. } => child,
        _ => unreachable!("an array is a list"),
    }
}

/// The same element: NULL is NULL, NaN is nothing. Arrays inside are compared by their bytes where both are `packed`.
fn same(packed: bool, a: &Column, i: usize, b: &Column, j: usize) -> bool {
    if a.is_valid(i) && b.is_valid(j) {
        match (&a.data, &b.data) {
            (ColumnData::F32(x), ColumnData::F32(y)) => return x[i] == y[j],
            (ColumnData::F64(x), ColumnData::F64(y)) => return x[i] == y[j],
            (ColumnData::Map { .. } | ColumnData::Row(_), _) => {
                return order::equal_values(packed, a, i, b, j);
            }
            (ColumnData::List { .. }, _) if !packed => return order::equal_values(packed, a, i, b, j),
            _ => {}
        }
    }
    order::same_key(a, i, b, j)
}

/// The elements that are compared stand in Flink's binary form: those of the first `arrays` arguments, and the arguments behind them.
fn all_packed(call: &Call<'_>, arrays: usize) -> bool {
    let (of_arrays, elements) = call.args.split_at(arrays);
    of_arrays.iter().all(|a| a.packed_inside) && elements.iter().all(|a| a.packed)
}

/// Builds arrays: for each selected row where `args` are not NULL, `pick` lists (column, place).
fn arrays<'a>(
    args: &[Arg<'a>],
    sel: crate::batch::Sel<'_>,
    rows: usize,
    out: &mut Column,
    mut pick: impl FnMut(usize, &mut Vec<(&'a Column, usize)>),
) {
    out.clear();
    let mut picked: Vec<(&Column, usize)> = vec![];
    sel.for_each(|i| {
        out.push_nulls(i - out.len());
        if !args.iter().all(|a| a.is_valid(i)) {
            out.push_null();
            return;
        }
        picked.clear();
        pick(i, &mut picked);
        let Column { validity, data: ColumnData::List { offsets, child } } = &mut *out else {
            unreachable!("an array is a list")
        };
        for (from, place) in &picked {
            child.extend_rows(from, &[*place as u32]);
        }
        validity.push(true);
        offsets.push(child.len() as u32);
    });
    out.push_nulls(rows - out.len());
}

fn contains(call: &Call<'_>) -> Result<BoundFunction> {
    let args = element_argument(call)?;
    let ty = TypeKind::Boolean.not_null().with_nullable(call.args[0].ty.nullable);
    let packed = all_packed(call, 1);
    Ok(infallible(args, ty, move |a, sel, _, out| {
        flags(&a[..1], sel, out, |i| {
            let from = child(&a[0]);
            Some(range(&a[0], i).any(|e| same(packed, from, e, a[1].column, a[1].at(i))))
        });
    }))
}

fn position(call: &Call<'_>) -> Result<BoundFunction> {
    let args = element_argument(call)?;
    let packed = all_packed(call, 1);
    Ok(infallible(args, call.result(TypeKind::Int), move |a, sel, _, out| {
        opt_from::<i32>(a, sel, out, |i| {
            let from = child(&a[0]);
            let found = range(&a[0], i).position(|e| same(packed, from, e, a[1].column, a[1].at(i)));
            Some(found.map_or(0, |p| p as i32 + 1))
        });
    }))
}

fn array_of(of: DataType, nullable: bool) -> DataType {
    TypeKind::Array(Box::new(plain(of))).not_null().with_nullable(nullable)
}

fn distinct(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let ty = array_of(element_of(call, 0)?.clone(), call.args[0].ty.nullable);
    let packed = all_packed(call, 1);
    Ok(infallible(call.as_given(), ty, move |a, sel, rows, out| {
        arrays(a, sel, rows, out, |i, picked| pick_new(packed, picked, child(&a[0]), range(&a[0], i)));
    }))
}

/// Adds the elements that are not there yet.
fn pick_new<'a>(
    packed: bool,
    picked: &mut Vec<(&'a Column, usize)>,
    from: &'a Column,
    places: std::ops::Range<usize>,
) {
    for e in places {
        if !picked.iter().any(|(c, p)| same(packed, c, *p, from, e)) {
            picked.push((from, e));
        }
    }
}

fn remove(call: &Call<'_>) -> Result<BoundFunction> {
    let args = element_argument(call)?;
    let ty = array_of(element_of(call, 0)?.clone(), call.args[0].ty.nullable);
    let packed = all_packed(call, 1);
    Ok(infallible(args, ty, move |a, sel, rows, out| {
        arrays(&a[..1], sel, rows, out, |i, picked| {
            let from = child(&a[0]);
            let kept = range(&a[0], i).filter(|e| !same(packed, from, *e, a[1].column, a[1].at(i)));
            picked.extend(kept.map(|e| (from, e)));
        });
    }))
}

fn reverse(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let ty = array_of(element_of(call, 0)?.clone(), call.args[0].ty.nullable);
    Ok(infallible(call.as_given(), ty, |a, sel, rows, out| {
        arrays(a, sel, rows, out, |i, picked| {
            picked.extend(range(&a[0], i).rev().map(|e| (child(&a[0]), e)));
        });
    }))
}

fn add_element(call: &Call<'_>, first: bool) -> Result<BoundFunction> {
    let mut args = element_argument(call)?;
    let of = element_of(call, 0)?.clone();
    let null = call.args[1].ty.nullable;
    // Flink's rule: an element that may be NULL makes the array nullable with it.
    let ty = array_of(of.clone().with_nullable(of.nullable || null), call.args[0].ty.nullable || null);
    args[1] = of.with_nullable(null);
    Ok(infallible(args, ty, move |a, sel, rows, out| {
        arrays(&a[..1], sel, rows, out, |i, picked| {
            let new = (a[1].column, a[1].at(i));
            if first {
                picked.push(new);
            }
            picked.extend(range(&a[0], i).map(|e| (child(&a[0]), e)));
            if !first {
                picked.push(new);
            }
        });
    }))
}

/// Arguments cast to one array type.
fn common_arrays(call: &Call<'_>) -> Result<(Vec<DataType>, DataType)> {
    for i in 0..call.args.len() {
        element_of(call, i)?;
    }
    let common = common_type(call.args.iter().map(|a| &a.ty))
        .map(plain)
        .ok_or_else(|| call.wrong_types(&["ARRAY, ARRAY of one type"]))?;
    let args = (0..call.args.len()).map(|i| call.wanted(i, common.kind.clone())).collect();
    Ok((args, common))
}

fn concat(call: &Call<'_>) -> Result<BoundFunction> {
    if call.args.is_empty() {
        return Err(call.wrong_count("at least 1"));
    }
    let (args, ty) = common_arrays(call)?;
    Ok(infallible(args, ty, |a, sel, rows, out| {
        arrays(a, sel, rows, out, |i, picked| {
            for x in a {
                picked.extend(range(x, i).map(|e| (child(x), e)));
            }
        });
    }))
}

fn slice(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=3)?;
    let ty = array_of(element_of(call, 0)?.clone(), call.nullable());
    let mut args = call.as_given();
    for i in 1..call.args.len() {
        if !(call.kind(i).is_integer() || *call.kind(i) == TypeKind::Null) {
            return Err(call.wrong_types(&["ARRAY, INT", "ARRAY, INT, INT"]));
        }
        args[i] = call.wanted(i, TypeKind::Int);
    }
    Ok(infallible(args, ty, |a, sel, rows, out| {
        arrays(a, sel, rows, out, |i, picked| {
            let places = range(&a[0], i);
            let len = places.len() as i64;
            let place = |x: &Arg<'_>| match i64::from(x.column.slice::<i32>()[x.at(i)]) {
                n if n < 0 => len + n + 1,
                n => n,
            };
            // 0 counts as the first place.
            let from = place(&a[1]).max(1);
            let to = a.get(2).map_or(len, place).min(len);
            picked.extend((from..=to).map(|p| (child(&a[0]), places.start + p as usize - 1)));
        });
    }))
}

/// Flink sorts and compares these.
fn has_order(kind: &TypeKind) -> bool {
    !kind.is_nested()
        && !matches!(kind, TypeKind::Boolean | TypeKind::Null | TypeKind::Variant | TypeKind::Bitmap)
}

fn sort(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=3)?;
    let of = element_of(call, 0)?.clone();
    let flags_fit = (1..call.args.len()).all(|i| matches!(call.kind(i), TypeKind::Boolean | TypeKind::Null));
    if of.kind.is_nested() || matches!(of.kind, TypeKind::Variant | TypeKind::Bitmap) || !flags_fit {
        return Err(call.wrong_types(&["ARRAY", "ARRAY, BOOLEAN", "ARRAY, BOOLEAN, BOOLEAN"]));
    }
    let mut args = call.as_given();
    for i in 1..call.args.len() {
        args[i] = call.wanted(i, TypeKind::Boolean);
    }
    Ok(infallible(args, array_of(of, call.nullable()), |a, sel, rows, out| {
        arrays(a, sel, rows, out, |i, picked| {
            let flag = |n: usize| a.get(n).map(|x| x.column.bools().get(x.at(i)));
            let ascending = flag(1).unwrap_or(true);
            let nulls_first = flag(2).unwrap_or(ascending);
            let from = child(&a[0]);
            picked.extend(range(&a[0], i).map(|e| (from, e)));
            picked.sort_by(|(_, x), (_, y)| match (from.is_valid(*x), from.is_valid(*y)) {
                (true, true) if ascending => order::compare_values(from, *x, from, *y),
                (true, true) => order::compare_values(from, *y, from, *x),
                (x, y) if nulls_first => x.cmp(&y),
                (x, y) => y.cmp(&x),
            });
        });
    }))
}

fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let of = element_of(call, 0)?.clone();
    if !has_order(&of.kind) {
        return Err(Error::validation(
            format!("values of type {} have no order", of.kind),
            call.args[0].span,
        ));
    }
    Ok(infallible(call.as_given(), plain(of).with_nullable(true), move |a, sel, rows, out| {
        let from = child(&a[0]);
        super::collection::pick(sel, rows, out, from, |i| {
            if !a[0].is_valid(i) {
                return None;
            }
            range(&a[0], i)
                .filter(|e| from.is_valid(*e))
                .reduce(|best, e| if order::compare_values(from, e, from, best) == wanted { e } else { best })
        });
    }))
}

fn join(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=3)?;
    let texts = element_of(call, 0)?.kind.is_character()
        && (1..call.args.len()).all(|i| call.kind(i).is_character() || *call.kind(i) == TypeKind::Null);
    if !texts {
        return Err(call.wrong_types(&["ARRAY<STRING>, STRING", "ARRAY<STRING>, STRING, STRING"]));
    }
    Ok(infallible(super::encoding::texts(call), call.result(TypeKind::STRING), |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            let (from, mut first) = (child(&a[0]), true);
            for e in range(&a[0], i) {
                let part = match (from.is_valid(e), a.get(2)) {
                    (true, _) => from.byte_column().get(e),
                    (false, Some(null)) => null.bytes(i),
                    (false, None) => continue,
                };
                if !std::mem::take(&mut first) {
                    to.extend_from_slice(a[1].bytes(i));
                }
                to.extend_from_slice(part);
            }
            true
        });
    }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Union,
    Intersect,
    Except,
}

fn set(call: &Call<'_>, which: Set) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let (args, ty) = common_arrays(call)?;
    let packed = all_packed(call, 2);
    Ok(infallible(args, ty, move |a, sel, rows, out| {
        arrays(a, sel, rows, out, |i, picked| {
            let (left, right) = (child(&a[0]), child(&a[1]));
            if which == Set::Union {
                pick_new(packed, picked, left, range(&a[0], i));
                pick_new(packed, picked, right, range(&a[1], i));
                return;
            }
            for e in range(&a[0], i) {
                let is_in = range(&a[1], i).any(|f| same(packed, left, e, right, f));
                if is_in == (which == Set::Intersect) {
                    pick_new(packed, picked, left, e..e + 1);
                }
            }
        });
    }))
}

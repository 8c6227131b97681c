//! ARRAY, MAP and ROW: constructors and access.

use super::math::copy;
use crate::batch::{Column, ColumnData, ColumnRef, DataType, Field, TypeKind, order};
use crate::error::{Error, Result};
use crate::expr::Arg;
use crate::expr::RowError;
use crate::expr::coercion::{common_type, plain};
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::{fallible, infallible, null_if_any};

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, bind| {
        r.builtin(FunctionDoc { names, family: "collection", signatures, text, examples: &[] }, bind);
    };
    add(&["ARRAY"], &["ARRAY[value, ...]"], "An array of the values.", array);
    add(&["MAP"], &["MAP[key, value, ...]"], "A map of the entries; of equal keys the last counts.", map);
    add(
        &["ROW"],
        &["ROW(value, ...)", "(value, value, ...)"],
        "A row of the values, with fields EXPR$0, EXPR$1, …",
        row,
    );
    add(
        &["ITEM"],
        &["array[index]", "map[key]", "row[index]", "variant[key]"],
        "An element (from 1) or the value of a key; NULL when there is none.",
        item,
    );
    add(&["CARDINALITY"], &["array", "map"], "Number of elements or entries.", cardinality);
    add(&["ELEMENT"], &["array"], "The only element; NULL for none; fails when there are more.", element);
}

fn common(call: &Call<'_>, which: impl Fn(usize) -> bool) -> Result<DataType> {
    common_type(call.args.iter().enumerate().filter(|(i, _)| which(*i)).map(|(_, a)| &a.ty))
        .map(plain)
        .ok_or_else(|| call.wrong_types(&["values of one type"]))
}

fn array(call: &Call<'_>) -> Result<BoundFunction> {
    if call.args.is_empty() {
        return Err(call.wrong_count("at least 1"));
    }
    let of = common(call, |_| true)?;
    let ty = TypeKind::Array(Box::new(of.clone())).not_null();
    Ok(infallible(vec![of; call.args.len()], ty, |a, sel, rows, out| {
        out.clear();
        let mut next = 0;
        let Column { validity, data: ColumnData::List { offsets, child } } = out else { panic!("an array") };
        let pad = |to: usize, next: &mut usize, offsets: &mut crate::batch::Buffer<u32>, end: usize| {
            for _ in *next..to {
                offsets.push(end as u32);
            }
            *next = to + 1;
        };
        sel.for_each(|i| {
            pad(i, &mut next, offsets, child.len());
            a.iter().for_each(|x| child.extend_rows(x.column, &[x.at(i) as u32]));
            offsets.push(child.len() as u32);
        });
        pad(rows, &mut next, offsets, child.len());
        validity.reset(rows);
    }))
}

fn map(call: &Call<'_>) -> Result<BoundFunction> {
    if call.args.is_empty() || !call.args.len().is_multiple_of(2) {
        return Err(call.wrong_count("an even number"));
    }
    let (k, v) = (common(call, |i| i % 2 == 0)?, common(call, |i| i % 2 == 1)?);
    let args = (0..call.args.len()).map(|i| if i % 2 == 0 { k.clone() } else { v.clone() }).collect();
    Ok(infallible(args, TypeKind::Map(Box::new(k), Box::new(v)).not_null(), |a, sel, rows, out| {
        out.clear();
        let mut next = 0;
        let Column { validity, data: ColumnData::Map { offsets, keys, values } } = out else {
            panic!("a map")
        };
        sel.for_each(|i| {
            for _ in next..i {
                offsets.push(keys.len() as u32);
            }
            next = i + 1;
            for (n, pair) in a.chunks_exact(2).enumerate() {
                let (k, v) = (&pair[0], &pair[1]);
                let again = a
                    .chunks_exact(2)
                    .skip(n + 1)
                    .any(|p| order::same_key(k.column, k.at(i), p[0].column, p[0].at(i)));
                if !again {
                    keys.extend_rows(k.column, &[k.at(i) as u32]);
                    values.extend_rows(v.column, &[v.at(i) as u32]);
                }
            }
            offsets.push(keys.len() as u32);
        });
        for _ in next..rows {
            offsets.push(keys.len() as u32);
        }
        validity.reset(rows);
    }))
}

fn row(call: &Call<'_>) -> Result<BoundFunction> {
    let args: Vec<DataType> = call.args.iter().map(|a| plain(a.ty.clone())).collect();
    let fields = args.iter().enumerate().map(|(i, t)| Field::new(format!("EXPR${i}"), t.clone())).collect();
    Ok(infallible(args, TypeKind::Row(fields).not_null(), |a, _, rows, out| {
        let ColumnData::Row(fields) = &mut out.data else { panic!("a row") };
        for (x, f) in a.iter().zip(fields) {
            copy(x, rows, ColumnRef::make_mut(f));
        }
        out.validity.reset(rows);
    }))
}

fn item(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=2)?;
    match call.kind(0) {
        TypeKind::Variant => super::variant::item(call),
        TypeKind::Array(of) => {
            if !call.kind(1).is_integer() {
                return Err(call.wrong_types(&["ARRAY[INTEGER]"]));
            }
            if call.literal_integer(1).is_some_and(|n| n < 1) {
                return Err(Error::validation(
                    "Array element access needs an index starting at 1",
                    call.args[1].span,
                ));
            }
            let args = vec![plain(call.args[0].ty.clone()), call.wanted(1, TypeKind::Int)];
            Ok(infallible(args, plain((**of).clone()).with_nullable(true), |a, sel, rows, out| {
                let ColumnData::List { offsets, child } = &a[0].column.data else { panic!("an array") };
                let index = a[1].column.slice::<i32>();
                pick(sel, rows, out, child, |i| {
                    if !a[0].is_valid(i) || !a[1].is_valid(i) {
                        return None;
                    }
                    let (at, n) = (a[0].at(i), i64::from(index[a[1].at(i)]));
                    let place = i64::from(offsets[at]) + n - 1;
                    (n >= 1 && place < i64::from(offsets[at + 1])).then_some(place as usize)
                });
            }))
        }
        TypeKind::Map(k, v) => {
            let args = vec![plain(call.args[0].ty.clone()), call.wanted(1, k.kind.clone())];
            Ok(infallible(args, plain((**v).clone()).with_nullable(true), |a, sel, rows, out| {
                let ColumnData::Map { offsets, keys, values } = &a[0].column.data else { panic!("a map") };
                pick(sel, rows, out, values, |i| {
                    if !a[0].is_valid(i) {
                        return None;
                    }
                    let at = a[0].at(i);
                    (offsets[at] as usize..offsets[at + 1] as usize)
                        .find(|&e| order::same_key(keys, e, a[1].column, a[1].at(i)))
                });
            }))
        }
        _ => Err(call.wrong_types(&["ARRAY[INTEGER]", "MAP[key]"])),
    }
}

/// Row by row the element that `place` gives, or NULL.
pub(super) fn pick(
    sel: crate::batch::Sel<'_>,
    rows: usize,
    out: &mut Column,
    from: &Column,
    place: impl Fn(usize) -> Option<usize>,
) {
    out.clear();
    sel.for_each(|i| {
        out.push_nulls(i - out.len());
        match place(i) {
            Some(e) => out.extend_rows(from, &[e as u32]),
            None => out.push_null(),
        }
    });
    out.push_nulls(rows - out.len());
}

/// Start and end of the elements of a row.
pub(super) fn extent(a: &Arg<'_>, i: usize) -> (usize, usize) {
    let (ColumnData::List { offsets, .. } | ColumnData::Map { offsets, .. }) = &a.column.data else {
        panic!("an array or a map")
    };
    (offsets[a.at(i)] as usize, offsets[a.at(i) + 1] as usize)
}

fn cardinality(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    if !matches!(call.kind(0), TypeKind::Array(_) | TypeKind::Map(..)) {
        return Err(Error::planning("CARDINALITY: Expect an array or a map", call.args[0].span));
    }
    Ok(infallible(call.as_given(), call.result(TypeKind::Int), |a, sel, _, out| {
        if null_if_any(a, out) {
            sel.for_each(|i| {
                let (start, end) = extent(&a[0], i);
                out.buffer_mut::<i32>()[i] = (end - start) as i32;
            });
        }
    }))
}

fn element(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let TypeKind::Array(of) = call.kind(0) else { return Err(call.wrong_types(&["ARRAY"])) };
    let nullable = of.nullable || call.args[0].ty.nullable;
    Ok(fallible(call.as_given(), plain((**of).clone()).with_nullable(nullable), |a, sel, rows, out| {
        let ColumnData::List { child, .. } = &a[0].column.data else { panic!("an array") };
        sel.try_for_each(|i| match extent(&a[0], i) {
            (s, e) if a[0].is_valid(i) && e - s > 1 => {
                Err(RowError::runtime(i, "Array has more than one element."))
            }
            _ => Ok(()),
        })?;
        pick(sel, rows, out, child, |i| {
            let (s, e) = extent(&a[0], i);
            (a[0].is_valid(i) && e > s).then_some(s)
        });
        Ok(())
    }))
}

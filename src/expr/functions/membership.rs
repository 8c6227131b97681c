//! IN over a list.
//!
//! With literals the list becomes a set on the first batch: a hash set of 64-bit integers or byte strings, or a short list that is searched: of a few
//! short texts the views are compared. NULL
//! in the list makes "not found" unknown.

use super::comparison::comparable;
use crate::batch::{Column, ColumnData, DataType, Sel, TypeKind, View, order};
use crate::error::Result;
use crate::expr::coercion::{common_type, plain};
use crate::expr::function::{BoundFunction, Call, Determinism, FunctionDoc, Registry};
use crate::expr::kernels::{flags1, is_dense, null_if_any, with_kernel};
use crate::expr::{Arg, EvalContext, Kernel, RowError};
use hashbrown::HashSet;

pub(super) fn register(r: &mut Registry) {
    r.builtin(
        FunctionDoc {
            names: &["IN"],
            family: "comparison",
            signatures: &["value [NOT] IN (value, ...)"],
            text: "Equals one of the list; NULL when it equals none and one of them, or it, is NULL.",
            examples: &[],
        },
        bind,
    );
}

fn bind(call: &Call<'_>) -> Result<BoundFunction> {
    if call.args.len() < 2 {
        return Err(call.wrong_count("at least 2"));
    }
    let kind = list_kind(call)?;
    let args = (0..call.args.len())
        .map(|i| match (call.kind(i), &kind) {
            // Text of any length compares as it is.
            (k, t) if k.is_character() && t.is_character() => plain(call.args[i].ty.clone()),
            _ => call.wanted(i, kind.clone()),
        })
        .collect();
    Ok(with_kernel(args, call.result(TypeKind::Boolean), Determinism::Deterministic, || In { set: None }))
}

/// The kind in which value and list are compared.
fn list_kind(call: &Call<'_>) -> Result<TypeKind> {
    if let Some(t) = common_type(call.args.iter().map(|a| &a.ty)) {
        return Ok(t.kind);
    }
    // A list that only casts to the value's type ('2024-01-01' beside a DATE).
    let mut kind: Option<DataType> = None;
    for i in 1..call.args.len() {
        let (x, _, _) = comparable(call, 0, i)?;
        kind.get_or_insert(x);
    }
    Ok(kind.map_or(call.kind(0).clone(), |k| k.kind))
}

/// Texts that are compared one after the other.
const FEW: usize = 8;

struct In {
    set: Option<Set>,
}

enum Set {
    Integers {
        values: HashSet<i64>,
        has_null: bool,
    },
    Bytes {
        values: HashSet<Box<[u8]>>,
        has_null: bool,
    },
    /// A few texts that stand in their views, each as a number.
    Short {
        values: Vec<u128>,
        has_null: bool,
    },
    /// Compare with each argument of the list.
    Search,
}

impl Set {
    fn of(list: &[Arg<'_>]) -> Set {
        if !list.iter().all(|a| a.constant) {
            return Set::Search;
        }
        let has_null = list.iter().any(|a| !a.column.is_valid(0));
        let valid = || list.iter().filter(|a| a.column.is_valid(0)).map(|a| a.column);
        match &list[0].column.data {
            ColumnData::Bytes(_)
                if list.len() <= FEW && valid().all(|c| c.byte_column().views()[0].is_inline()) =>
            {
                let number = |c: &Column| bytemuck::cast(c.byte_column().views()[0]);
                Set::Short { values: valid().map(number).collect(), has_null }
            }
            ColumnData::Bytes(_) => {
                Set::Bytes { values: valid().map(|c| c.byte_column().get(0).into()).collect(), has_null }
            }
            ColumnData::I64(_) | ColumnData::I32(_) | ColumnData::I16(_) | ColumnData::I8(_) => {
                Set::Integers { values: valid().map(|c| integer(c, 0)).collect(), has_null }
            }
            _ => Set::Search,
        }
    }
}

#[inline]
fn integer(c: &Column, i: usize) -> i64 {
    match &c.data {
        ColumnData::I64(b) => b[i],
        ColumnData::I32(b) => b[i].into(),
        ColumnData::I16(b) => b[i].into(),
        ColumnData::I8(b) => b[i].into(),
        _ => panic!("not an integer"),
    }
}

impl Kernel for In {
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        rows: usize,
        out: &mut Column,
        _cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        let (value, list) = (&args[0], &args[1..]);
        if !null_if_any(std::slice::from_ref(value), out) {
            return Ok(());
        }
        let set = self.set.get_or_insert_with(|| Set::of(list));
        let mut put = |i: usize, found: bool, unknown: bool| {
            out.bools_mut().set(i, found);
            if !found && unknown {
                out.validity.set(i, false);
            }
        };
        match set {
            Set::Integers { values, has_null } => {
                sel.for_each(|i| put(i, values.contains(&integer(value.column, value.at(i))), *has_null));
            }
            Set::Bytes { values, has_null } => sel.for_each(|i| {
                if value.is_valid(i) {
                    put(i, values.contains(value.bytes(i)), *has_null);
                }
            }),
            Set::Short { values, has_null } => {
                let views = value.column.byte_column().views();
                let is_one = |view: View| {
                    let view: u128 = bytemuck::cast(view);
                    values.iter().fold(false, |found, v| found | (*v == view))
                };
                let has_nulls = *has_null || value.column.validity.may_have_nulls();
                if !has_nulls && !value.constant && is_dense(sel, rows) {
                    flags1(out.bools_mut(), &views[..rows], is_one);
                } else {
                    sel.for_each(|i| {
                        if value.is_valid(i) {
                            put(i, is_one(views[value.at(i)]), *has_null);
                        }
                    });
                }
            }
            Set::Search => sel.for_each(|i| {
                if value.is_valid(i) {
                    let (mut found, mut unknown) = (false, false);
                    for a in list {
                        if a.is_valid(i) {
                            found |= equal(value.column, value.at(i), a.column, a.at(i));
                        } else {
                            unknown = true;
                        }
                    }
                    put(i, found, unknown);
                }
            }),
        }
        Ok(())
    }

    fn can_fail(&self) -> bool {
        false
    }
}

/// SQL equality: as IEEE 754 has it for numbers.
fn equal(a: &Column, i: usize, b: &Column, j: usize) -> bool {
    match (&a.data, &b.data) {
        (ColumnData::F64(x), ColumnData::F64(y)) => x[i] == y[j],
        (ColumnData::F32(x), ColumnData::F32(y)) => x[i] == y[j],
        _ => order::equal_values(false, a, i, b, j),
    }
}

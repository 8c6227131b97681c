//! NULLIF, IFNULL, IF, GREATEST, LEAST. They see all arguments evaluated; the lazy forms are CASE and COALESCE.

use super::comparison::comparable;
use super::math::copy;
use super::string::common_text;
use crate::batch::{Column, DataType, Sel, TypeKind, order};
use crate::error::{Error, Result};
use crate::expr::Arg;
use crate::expr::coercion::{common_type, numeric_result, plain};
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::compare::{Comparison, compare};
use crate::expr::kernels::infallible;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, bind| {
        r.builtin(FunctionDoc { names, family: "conditional", signatures, text, examples: &[] }, bind);
    };
    add(&["NULLIF"], &["a, b"], "NULL where both are equal, else the first.", nullif);
    add(&["IFNULL"], &["a, b"], "The first, or the second where it is NULL.", |c| {
        c.count(2..=2)?;
        let mut ty = common(c, 0)?.with_nullable(c.args.iter().all(|a| a.ty.nullable));
        let first = &c.args[0].ty;
        // It is what comes out: Flink casts no text to another length for it.
        if !first.nullable && differ_in_length(&first.kind, &ty.kind) {
            ty.kind = first.kind.clone();
        }
        Ok(pick(vec![ty.clone().with_nullable(true), ty.clone()], ty, |a, i| usize::from(!a[0].is_valid(i))))
    });
    add(&["IF"], &["condition, a, b"], "The first where the condition is true, else the second.", |c| {
        c.count(3..=3)?;
        if !matches!(c.kind(0), TypeKind::Boolean | TypeKind::Null) {
            return Err(c.wrong_types(&["BOOLEAN, any, any"]));
        }
        let mut ty = common(c, 1)?.with_nullable(c.nullable());
        // Of two precisions of a time, Flink takes that of the first.
        if ty.kind.is_timestamp() && std::mem::discriminant(&ty.kind) == std::mem::discriminant(c.kind(1)) {
            ty.kind = c.kind(1).clone();
        }
        let args = vec![c.wanted(0, TypeKind::Boolean), ty.clone(), ty.clone()];
        Ok(pick(args, ty, |a, i| if a[0].is_valid(i) && a[0].column.bools().get(a[0].at(i)) { 1 } else { 2 }))
    });
    add(&["GREATEST"], &["comparable, ..."], "The greatest; NULL when one is NULL.", |c| extreme(c, true));
    add(&["LEAST"], &["comparable, ..."], "The least; NULL when one is NULL.", |c| extreme(c, false));
}

/// Texts or byte strings of different lengths, or rows of such.
fn differ_in_length(a: &TypeKind, b: &TypeKind) -> bool {
    match (a, b) {
        (TypeKind::Row(a), TypeKind::Row(b)) => a
            .iter()
            .zip(b.iter())
            .all(|(a, b)| a.ty.kind == b.ty.kind || differ_in_length(&a.ty.kind, &b.ty.kind)),
        _ => a.is_character() && b.is_character() || a.is_binary() && b.is_binary(),
    }
}

fn common(call: &Call<'_>, from: usize) -> Result<DataType> {
    common_type(call.args[from..].iter().map(|a| &a.ty))
        .map(plain)
        .ok_or_else(|| call.wrong_types(&["arguments of one type"]))
}

/// Row by row the value of argument `choose(args, row)`.
fn pick(
    args: Vec<DataType>,
    ty: DataType,
    choose: impl Fn(&[Arg<'_>], usize) -> usize + Clone + Send + Sync + 'static,
) -> BoundFunction {
    infallible(args, ty, move |a, sel, rows, out| gather(a, sel, rows, out, |i| Some(choose(a, i))))
}

fn gather(
    a: &[Arg<'_>],
    sel: Sel<'_>,
    rows: usize,
    out: &mut Column,
    choose: impl Fn(usize) -> Option<usize>,
) {
    out.clear();
    sel.for_each(|i| {
        out.push_nulls(i - out.len());
        match choose(i) {
            Some(n) => out.extend_rows(a[n].column, &[a[n].at(i) as u32]),
            None => out.push_null(),
        }
    });
    out.push_nulls(rows - out.len());
}

fn nullif(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let (x, y, form) = comparable(call, 0, 1)?;
    let own = plain(call.args[0].ty.clone());
    if x.kind != own.kind && !(x.kind.is_numeric() && own.kind.is_numeric()) {
        return Err(call.wrong_types(&["arguments of one type"]));
    }
    if x.kind != own.kind {
        // The comparison needs another type than the result: compare by value.
        let args = vec![own.clone(), call.wanted(1, own.kind.clone())];
        return Ok(infallible(args, own.nullable_of(), move |a, sel, rows, out| {
            copy(&a[0], rows, out);
            sel.for_each(|i| {
                if a[0].is_valid(i)
                    && a[1].is_valid(i)
                    && order::same_key(a[0].column, a[0].at(i), a[1].column, a[1].at(i))
                {
                    out.validity.set(i, false);
                }
            });
        }));
    }
    Ok(infallible(vec![x, y], own.nullable_of(), move |a, sel, rows, out| {
        let mut equal = Column::of_kind(&TypeKind::Boolean);
        equal.reset(rows);
        compare(Comparison::Equal, form, &a[0], &a[1], sel, rows, &mut equal);
        copy(&a[0], rows, out);
        sel.for_each(|i| {
            if equal.is_valid(i) && equal.bools().get(i) {
                out.validity.set(i, false);
            }
        });
    }))
}

trait NullableOf {
    fn nullable_of(&self) -> DataType;
}

impl NullableOf for DataType {
    fn nullable_of(&self) -> DataType {
        self.clone().with_nullable(true)
    }
}

fn extreme(call: &Call<'_>, greatest: bool) -> Result<BoundFunction> {
    if call.args.is_empty() {
        return Err(call.wrong_count("at least 1"));
    }
    let kinds: Vec<&TypeKind> = call.args.iter().map(|a| &a.ty.kind).collect();
    // FLOAT with DECIMAL is DOUBLE here, as in comparisons.
    let kind = if kinds.iter().any(|k| k.is_approximate_numeric())
        && kinds.iter().any(|k| matches!(k, TypeKind::Decimal(..)))
    {
        numeric_result(crate::expr::coercion::Arithmetic::Add, &TypeKind::Double, kinds[0])
    } else {
        common_type(call.args.iter().map(|a| &a.ty)).map(|t| t.kind)
    };
    if kind == Some(TypeKind::Bitmap) {
        return Err(Error::planning(
            format!("{}: values of type BITMAP have no order", call.name),
            call.span,
        ));
    }
    let kind = kind.filter(|k| !k.is_nested() && *k != TypeKind::Null).ok_or_else(|| {
        Error::validation(
            format!(
                "{}: all types must support comparison with each other, found {}",
                call.name,
                kinds.iter().map(|k| k.to_string()).collect::<Vec<_>>().join(", ")
            ),
            call.span,
        )
    })?;
    let kind = if kind.is_character() {
        common_text(kinds.iter().copied().filter(|k| k.is_character()))
    } else {
        kind
    };
    let args = (0..call.args.len()).map(|i| call.wanted(i, kind.clone())).collect();
    let ty = call.result(kind);
    Ok(infallible(args, ty, move |a, sel, rows, out| {
        gather(a, sel, rows, out, |i| {
            if !a.iter().all(|x| x.is_valid(i)) {
                return None;
            }
            (0..a.len()).reduce(|best, n| {
                let o = order::compare_values(a[n].column, a[n].at(i), a[best].column, a[best].at(i));
                if if greatest { o.is_gt() } else { o.is_lt() } { n } else { best }
            })
        });
    }))
}

//! Casts of ARRAY, MAP, MULTISET and ROW: the parts are cast, the structure stays.
//!
//! In TRY_CAST one part that fails makes the whole value NULL, as in Flink, whose TRY_CAST catches around the whole cast.

use super::{Cast, Mode, caster};
use crate::batch::{Column, ColumnData, ColumnRef, Sel, TypeKind};
use crate::expr::{Arg, RowError};
use TypeKind::*;
use std::sync::Arc;

pub(super) fn nested(from: &TypeKind, to: &TypeKind, mode: &Mode) -> Option<Cast> {
    // Parts never catch: the whole does.
    let strict = Mode { try_cast: false, ..mode.clone() };
    let parts: Vec<Cast> = match (from, to) {
        (Array(x), Array(y)) | (Multiset(x), Multiset(y)) => vec![caster(&x.kind, &y.kind, &strict)?],
        (Map(k, v), Map(l, w)) => {
            vec![caster(&k.kind, &l.kind, &strict)?, caster(&v.kind, &w.kind, &strict)?]
        }
        (Row(x), Row(y)) if x.len() == y.len() => {
            x.iter().zip(y).map(|(f, g)| caster(&f.ty.kind, &g.ty.kind, &strict)).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let (fails, try_cast) = (parts.iter().any(|p| p.fails), mode.try_cast);
    let run = move |a: &Arg<'_>, sel: Sel<'_>, rows: usize, out: &mut Column| {
        // A dense copy of the selected rows is cast; the others become NULL.
        let empty = out.empty_like();
        out.clear();
        let mut done = 0;
        let mut result = Ok(());
        sel.try_for_each(|i| {
            out.push_nulls(i - done);
            done = i + 1;
            let mut one = a.column.empty_like();
            one.extend_rows(a.column, &[a.at(i) as u32]);
            let mut cast = empty.clone();
            match cast_row(&parts, &one, &mut cast) {
                Ok(()) => out.extend_rows(&cast, &[0]),
                Err(_) if try_cast => out.push_null(),
                Err(e) => {
                    result = Err(RowError::new(i, e.error));
                    return Err(());
                }
            }
            Ok(())
        })
        .ok();
        out.push_nulls(rows.saturating_sub(out.len()));
        result
    };
    Some(Cast { run: Arc::new(run), fails: fails && !try_cast })
}

/// Casts a column of one row (its parts may be many) into `out`, an empty column of the target type.
fn cast_row(parts: &[Cast], one: &Column, out: &mut Column) -> Result<(), RowError> {
    if !one.is_valid(0) {
        out.push_null();
        return Ok(());
    }
    let part = |cast: &Cast, from: &Column, to: &mut Column| {
        let rows = from.len();
        to.reset(rows);
        (cast.run)(&Arg { column: from, constant: false }, Sel::All(rows), rows, to)
    };
    match (&one.data, &mut out.data) {
        (ColumnData::List { offsets, child }, ColumnData::List { offsets: o, child: c }) => {
            part(&parts[0], child, c)?;
            o.push(offsets[1]);
        }
        (ColumnData::Map { offsets, keys, values }, ColumnData::Map { offsets: o, keys: k, values: v }) => {
            part(&parts[0], keys, k)?;
            match parts.get(1) {
                Some(p) => part(p, values, v)?,
                // The counts of a MULTISET.
                None => (**v).clone_from(values),
            }
            o.push(offsets[1]);
        }
        (ColumnData::Row(fields), ColumnData::Row(to)) => {
            for ((p, f), t) in parts.iter().zip(fields).zip(to) {
                part(p, f, ColumnRef::make_mut(t))?;
            }
        }
        _ => panic!("a nested cast keeps the structure"),
    }
    out.validity.push(true);
    Ok(())
}

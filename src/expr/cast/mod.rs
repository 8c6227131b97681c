//! CAST and TRY_CAST: every pair that Flink has, the others refused when binding.
//!
//! A cast is a closure over one argument, built once for a pair of types ([`caster`]); nested types are built from the casts of their parts.
//! A DECIMAL that does not fit its precision is NULL, also in CAST (Flink's rule; a NOT NULL sink then complains). Integers wrap,
//! DOUBLE to integer saturates. Text that is not of the type fails the row in CAST and is NULL in TRY_CAST.

mod nested;
mod numeric;
mod temporal;
mod to_text;

use super::coercion::message_name;
use super::kernels::with_kernel;
use super::{Arg, BoundFunction, Determinism, EvalContext, Kernel, RowError, Session};
use crate::batch::{Column, DataType, Sel, TypeKind};
use crate::error::{Error, Result, Span};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Casts the selected rows of an argument into a result of as many rows.
type Run = Arc<dyn Fn(&Arg<'_>, Sel<'_>, usize, &mut Column) -> Result<(), RowError> + Send + Sync>;

/// A cast between two kinds.
#[derive(Clone)]
struct Cast {
    run: Run,
    fails: bool,
}

impl Cast {
    fn infallible(f: impl Fn(&Arg<'_>, Sel<'_>, usize, &mut Column) + Send + Sync + 'static) -> Option<Self> {
        Some(Self {
            run: Arc::new(move |a, sel, rows, out| {
                f(a, sel, rows, out);
                Ok(())
            }),
            fails: false,
        })
    }

    fn fallible(
        f: impl Fn(&Arg<'_>, Sel<'_>, usize, &mut Column) -> Result<(), RowError> + Send + Sync + 'static,
    ) -> Option<Self> {
        Some(Self { run: Arc::new(f), fails: true })
    }
}

/// What casts depend on besides the types.
#[derive(Clone)]
struct Mode {
    /// TRY_CAST: a failing row is NULL.
    try_cast: bool,
    zone: TimeZone,
}

struct CastKernel(Cast);

impl Kernel for CastKernel {
    fn eval(
        &mut self,
        args: &[Arg<'_>],
        sel: Sel<'_>,
        rows: usize,
        out: &mut Column,
        _cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        (self.0.run)(&args[0], sel, rows, out)
    }

    fn can_fail(&self) -> bool {
        self.0.fails
    }
}

/// Binds `CAST(… AS to)`, or TRY_CAST. The result is nullable when the argument is, or in TRY_CAST always.
///
/// # Errors
/// Flink has no cast between the two.
pub fn bind_cast(
    from: &DataType,
    to: &DataType,
    try_cast: bool,
    session: &Session,
    span: Span,
) -> Result<BoundFunction> {
    let mode = Mode { try_cast, zone: session.time_zone.clone() };
    let cast = caster(&from.kind, &to.kind, &mode).ok_or_else(|| refusal(&from.kind, &to.kind, span))?;
    let ty =
        DataType { kind: to.kind.clone(), nullable: from.nullable || try_cast, time: Default::default() };
    Ok(with_kernel(vec![from.clone()], ty, Determinism::Deterministic, move || CastKernel(cast.clone())))
}

/// There is a cast between the two kinds.
pub fn can_cast(from: &TypeKind, to: &TypeKind) -> bool {
    caster(from, to, &Mode { try_cast: true, zone: TimeZone::UTC }).is_some()
}

/// Flink's words for a cast that it does not have.
fn refusal(from: &TypeKind, to: &TypeKind, span: Span) -> Error {
    match (from, to) {
        (f, TypeKind::Timestamp(_)) if f.is_numeric() => {
            Error::validation("the cast from NUMERIC type to TIMESTAMP type is not allowed", span)
                .hint("use TO_TIMESTAMP(FROM_UNIXTIME(numeric_col)), where the number is in seconds")
        }
        (f, TypeKind::TimestampLtz(_)) if f.is_numeric() => {
            Error::validation("the cast from NUMERIC type to TIMESTAMP_LTZ type is not allowed", span)
                .hint("use TO_TIMESTAMP_LTZ(numeric_col, precision)")
        }
        (TypeKind::Timestamp(_), t) if t.is_numeric() => {
            Error::validation("the cast from TIMESTAMP type to NUMERIC type is not allowed", span)
                .hint("use UNIX_TIMESTAMP(CAST(timestamp_col AS STRING))")
        }
        (TypeKind::TimestampLtz(_), t) if t.is_numeric() => {
            Error::validation("the cast from TIMESTAMP_LTZ type to NUMERIC type is not allowed", span)
        }
        (f, t) if is_refused_late(f, t) => {
            Error::planning(format!("there is no cast of {} to {}", message_name(f), message_name(t)), span)
        }
        _ => Error::validation(
            format!(
                "Cast function cannot convert value of type {} to type {}",
                message_name(from),
                message_name(to)
            ),
            span,
        ),
    }
}

/// Casts that Flink's validator lets pass, but its planner has no rule for.
fn is_refused_late(from: &TypeKind, to: &TypeKind) -> bool {
    use TypeKind::*;
    match from {
        Char(_) | VarChar(_) => to.is_interval() || matches!(to, Array(_)),
        Binary(_) | VarBinary(_) => to.is_datetime(),
        Decimal(..) => to.is_interval(),
        _ => false,
    }
}

fn caster(from: &TypeKind, to: &TypeKind, mode: &Mode) -> Option<Cast> {
    use TypeKind::*;
    match (from, to) {
        (Null, _) => Cast::infallible(|_, _, rows, out| {
            out.clear();
            out.push_nulls(rows);
        }),
        (Variant, _) => None,
        (Bitmap, Binary(_) | VarBinary(_)) => to_text::to_binary(to),
        (_, Bitmap) => None,
        (_, Char(_) | VarChar(_)) => to_text::to_text(from, to, mode),
        (Char(_) | VarChar(_) | Binary(_) | VarBinary(_), Binary(_) | VarBinary(_)) => to_text::to_binary(to),
        (Char(_) | VarChar(_), Boolean) => numeric::text_to_boolean(mode),
        (Char(_) | VarChar(_), t) if t.is_numeric() => numeric::text_to_number(to, mode),
        (Char(_) | VarChar(_), t) if t.is_datetime() => temporal::text_to_datetime(to, mode),
        (Boolean, Boolean) => same(),
        (Boolean, t) if t.is_numeric() => numeric::boolean_to_number(to),
        (f, Boolean) if f.is_numeric() => numeric::number_to_boolean(from),
        (f, t) if f.is_numeric() && t.is_numeric() => numeric::number_to_number(from, to, mode),
        (f, IntervalMonths(_) | IntervalMillis(_)) if f.is_integer() => {
            numeric::integer_to_interval(from, to)
        }
        (IntervalMonths(_), IntervalMonths(_)) | (IntervalMillis(_), IntervalMillis(_)) => same(),
        (f, t) if f.is_datetime() && t.is_datetime() => temporal::datetime_to_datetime(from, to, mode),
        (Array(_), Array(_)) | (Map(..), Map(..)) | (Multiset(_), Multiset(_)) | (Row(_), Row(_)) => {
            nested::nested(from, to, mode)
        }
        _ => None,
    }
}

/// The values stay as they are.
fn same() -> Option<Cast> {
    Cast::infallible(|a, sel, rows, out| {
        out.clear();
        if a.constant {
            out.extend_rows(a.column, &vec![0; rows]);
        } else {
            let _ = sel;
            out.clone_from(a.column);
        }
    })
}

#[cfg(test)]
mod tests;

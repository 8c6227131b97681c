//! Implicit and explicit casts, and the evaluation of constants. Which casts there are is `expr::coercion`'s and `expr::cast`'s affair.

use super::{Binder, literal};
use crate::batch::{DataType, Pool, Sel, TimeAttribute, TypeKind, Watermarks};
use crate::error::{Error, Result, Span};
use crate::expr::{EvalContext, Expr, ExprKind, Program, RowError, cast, coercion};

/// The least type that holds the values of all; see [`coercion::common_type`].
pub(super) fn common_type(types: &[&DataType]) -> Option<DataType> {
    coercion::common_type(types.iter().copied())
}

/// Values of the two types can be compared.
pub(super) fn comparable(a: &DataType, b: &DataType) -> bool {
    coercion::comparison_types(a, b, true).is_ok()
}

/// The value as an operand of `operator`, which wants BOOLEAN. An untyped NULL becomes one.
pub(super) fn boolean(operator: &str, e: Expr) -> Result<Expr> {
    match e.ty.kind {
        TypeKind::Boolean => Ok(e),
        TypeKind::Null => Ok(literal::null(TypeKind::Boolean.nullable(), e.span)),
        _ => Err(Error::validation(
            format!("{operator} needs a condition, but this has type {}", e.ty.kind),
            e.span,
        )),
    }
}

impl Binder<'_> {
    /// The expression as a value of `to`: nothing when it has the type, an untyped NULL of that type, else an implicit cast.
    pub(super) fn cast_to(&mut self, e: Expr, to: &DataType) -> Result<Expr> {
        if e.ty.kind == to.kind {
            let ty = DataType { nullable: e.ty.nullable, ..to.clone() };
            return Ok(Expr { ty, ..e });
        }
        if matches!(e.ty.kind, TypeKind::Null) {
            return Ok(literal::null(to.clone().with_nullable(true), e.span));
        }
        let at = e.span;
        self.cast_call("CAST", e, to, false, at)
    }

    /// CAST or TRY_CAST as written. A time attribute ends there.
    pub(super) fn explicit_cast(&mut self, e: Expr, to: DataType, is_try: bool, at: Span) -> Result<Expr> {
        if matches!(e.ty.kind, TypeKind::Null) {
            return Ok(literal::null(to.with_nullable(true), at));
        }
        if e.ty.kind == to.kind {
            let nullable = e.ty.nullable || is_try;
            return Ok(Expr { ty: DataType { nullable, time: TimeAttribute::None, ..to }, span: at, ..e });
        }
        self.cast_call(if is_try { "TRY_CAST" } else { "CAST" }, e, &to, is_try, at)
    }

    fn cast_call(&mut self, name: &str, e: Expr, to: &DataType, is_try: bool, at: Span) -> Result<Expr> {
        let bound = cast::bind_cast(&e.ty, to, is_try, &self.session, at)?;
        Ok(fold(Expr::call(name, bound, vec![e], at)))
    }
}

/// A call of constants by its value. What fails stays.
pub(super) fn fold(e: Expr) -> Expr {
    try_fold(&e).unwrap_or(None).unwrap_or(e)
}

/// The value of a deterministic call whose arguments are literals; `None`: it is something else.
///
/// # Errors
/// The value cannot be computed.
pub(crate) fn try_fold(e: &Expr) -> Result<Option<Expr>, RowError> {
    let literal = |e: &Expr| matches!(e.kind, ExprKind::Literal(_));
    let foldable = match &e.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => false,
        ExprKind::Call { function, args } => {
            function.determinism == crate::expr::Determinism::Deterministic && args.iter().all(literal)
        }
        _ => e.children().into_iter().all(literal),
    };
    if !foldable || matches!(e.ty.kind, TypeKind::Null) {
        return Ok(None);
    }
    let mut pool = Pool::default();
    let watermarks = Watermarks::default();
    let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &watermarks };
    let column = Program::new(e).eval_column(&[], 1, Sel::All(1), &mut cx)?;
    Ok(Some(Expr::literal(column, e.ty.clone(), e.span)))
}

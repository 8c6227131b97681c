//! Constant folding. The binder has folded what could be; what is left in a projection failed. Flink leaves it to each row, but for a constant
//! that is a division by zero as a whole, which is a planning error. A condition that fails stays, too: another one may guard it.

use crate::batch::TypeKind;
use crate::error::{Error, Result};
use crate::expr::{Expr, ExprKind, RowError};
use crate::plan::logical::{Rel, RelKind};
use crate::sql::bind::try_fold;

/// Folds constants in all expressions.
pub(super) fn fold(rel: &mut Rel) -> Result<()> {
    for input in rel.inputs_mut() {
        fold(input)?;
    }
    if let RelKind::Project { exprs, .. } = &mut rel.kind {
        exprs.iter_mut().try_for_each(fold_expr)?;
    }
    Ok(())
}

fn fold_expr(e: &mut Expr) -> Result<()> {
    // A row is no constant of Flink's, only its values are.
    if !e.is_constant() || matches!(e.ty.kind, TypeKind::Row(_)) {
        return e.children_mut().into_iter().try_for_each(fold_expr);
    }
    match fold_constant(e) {
        Err(failed) if is_division(e) => Err(Error::planning(failed.error.message().to_owned(), e.span)),
        _ => Ok(()),
    }
}

/// Folds from the inside; what fails stays.
fn fold_constant(e: &mut Expr) -> std::result::Result<(), RowError> {
    for part in e.children_mut() {
        // It fails again in what it is a part of.
        let _ = fold_constant(part);
    }
    if let Some(folded) = try_fold(e)? {
        *e = folded;
    }
    Ok(())
}

fn is_division(e: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Call { function, .. } if &*function.name == "/")
}

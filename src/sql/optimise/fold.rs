//! Constant folding. The binder has folded what could be; what is left in a projection failed, which is a planning error in Flink. A
//! condition that fails stays: another one may guard it.

use crate::error::{Error, Result};
use crate::expr::Expr;
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
    for part in e.children_mut() {
        fold_expr(part)?;
    }
    match try_fold(e) {
        Ok(Some(folded)) => *e = folded,
        Ok(None) => {}
        Err(failed) => return Err(Error::planning(failed.error.message().to_owned(), e.span)),
    }
    Ok(())
}

//! TYPEOF: what a value's type is.

use crate::batch::TypeKind;
use crate::error::Result;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::infallible;
use crate::expr::kernels::text::build;

pub(super) fn register(r: &mut Registry) {
    r.builtin(
        FunctionDoc {
            names: &["TYPEOF"],
            family: "type",
            signatures: &["value[, serializable]"],
            text: "The type of the value as text.",
            examples: &[("TYPEOF(1 + 1.5)", "DECIMAL(12, 1) NOT NULL")],
        },
        type_of,
    );
}

fn type_of(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=2)?;
    if call.args.len() == 2 && *call.kind(1) != TypeKind::Boolean {
        return Err(call.wrong_types(&["ANY", "ANY, BOOLEAN"]));
    }
    let ty = &call.args[0].ty;
    let text = if ty.kind == TypeKind::Null {
        "NULL".to_string()
    } else {
        crate::expr::coercion::plain(ty.clone()).to_string()
    };
    Ok(infallible(call.as_given(), TypeKind::STRING.nullable(), move |_, sel, _, out| {
        build(&[], sel, out, |_, to| {
            to.extend_from_slice(text.as_bytes());
            true
        });
    }))
}

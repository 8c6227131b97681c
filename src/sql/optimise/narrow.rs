//! Casts that cannot change a value. A DECIMAL product has a type for the worst case; a sink's column is often narrower, and the cast to it
//! looks at every row for more digits. Where the operands say that a value never has more (`0.908 * price` with a BIGINT price stays
//! below 10^22, whatever the 24 digits of its type allow), the product takes the narrower type itself.

use crate::batch::{TypeKind, decimal};
use crate::expr::kernels::compare::whole;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelKind};

/// Removes such casts in projections and filters.
pub(super) fn narrow(rel: &mut Rel) {
    rel.inputs_mut().into_iter().for_each(narrow);
    match &mut rel.kind {
        RelKind::Project { exprs, .. } => exprs.iter_mut().for_each(narrow_expr),
        RelKind::Filter { condition, .. } => narrow_expr(condition),
        _ => {}
    }
}

fn narrow_expr(e: &mut Expr) {
    e.children_mut().into_iter().for_each(narrow_expr);
    let ExprKind::Call { function, args } = &mut e.kind else { return };
    let (TypeKind::Decimal(q, t), [product]) = (&e.ty.kind, &mut args[..]) else { return };
    if !matches!(&*function.name, "CAST" | "TRY_CAST")
        || !matches!(product.ty.kind, TypeKind::Decimal(p, s) if s == *t && p > *q)
        || !matches!(&product.kind, ExprKind::Call { function, .. } if &*function.name == "*")
    {
        return;
    }
    if magnitude(product).is_some_and(|most| most < decimal::pow10((*q).into()).unsigned_abs()) {
        let kind = std::mem::replace(&mut product.kind, ExprKind::Column(0));
        e.kind = kind;
    }
}

/// The largest magnitude of the unscaled value, where the form of the expression tells.
fn magnitude(e: &Expr) -> Option<u128> {
    let of_type = match e.ty.kind {
        TypeKind::TinyInt => 1 << 7,
        TypeKind::SmallInt => 1 << 15,
        TypeKind::Int => 1 << 31,
        TypeKind::BigInt => 1 << 63,
        TypeKind::Decimal(p, _) => decimal::pow10(p.into()).unsigned_abs() - 1,
        _ => return None,
    };
    let known = match &e.kind {
        ExprKind::Literal(c) if c.is_valid(0) => Some(whole(c, 0).unsigned_abs()),
        // The scales of a product add up, unless its type had to cut them.
        ExprKind::Call { function, args } if &*function.name == "*" && args.len() == 2 => {
            let scale = |e: &Expr| match e.ty.kind {
                TypeKind::Decimal(_, s) => s,
                _ => 0,
            };
            let whole_scale = scale(&args[0]) + scale(&args[1]) == scale(e);
            let product = || magnitude(&args[0])?.checked_mul(magnitude(&args[1])?);
            whole_scale.then(product).flatten()
        }
        ExprKind::Call { function, args } if &*function.name == "CAST" && args[0].ty.kind.is_integer() => {
            e.ty.kind.is_integer().then(|| magnitude(&args[0])).flatten()
        }
        _ => None,
    };
    Some(known.map_or(of_type, |k| k.min(of_type)))
}

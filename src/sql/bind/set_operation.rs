//! UNION, INTERSECT and EXCEPT: both sides get the common type of each column; names are those of the first.

use super::{Binder, coerce};
use crate::batch::{Field, Schema};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::plan::SetOperation;
use crate::plan::logical::{Rel, RelKind};
use crate::sql::ast::{QueryBody, SetOp, SetOperand};

impl Binder<'_> {
    pub(super) fn set_operations(&mut self, first: &QueryBody, rest: &[SetOperand]) -> Result<Rel> {
        let mut left = self.body(first)?;
        for operand in rest {
            let right = self.body(&operand.body)?;
            left = self.set_operation(left, right, operand)?;
        }
        Ok(left)
    }

    fn set_operation(&mut self, left: Rel, right: Rel, operand: &SetOperand) -> Result<Rel> {
        let at = operand.span;
        let name = match (operand.op, operand.all) {
            (SetOp::Union, true) => "UNION ALL",
            (SetOp::Union, false) => "UNION",
            (SetOp::Except, true) => "EXCEPT ALL",
            (SetOp::Except, false) => "EXCEPT",
            (SetOp::Intersect, true) => "INTERSECT ALL",
            (SetOp::Intersect, false) => "INTERSECT",
        };
        if left.schema.len() != right.schema.len() {
            return Err(Error::validation(
                format!(
                    "{name} needs the same number of columns on both sides: {} and {}",
                    left.schema.len(),
                    right.schema.len()
                ),
                operand.body.span,
            ));
        }
        let mut fields = vec![];
        for (i, (l, r)) in left.schema.fields.iter().zip(&right.schema.fields).enumerate() {
            let ty = coerce::common_type(&[&l.ty, &r.ty]).ok_or_else(|| {
                Error::validation(
                    format!(
                        "column {} of {name} is {} on one side and {} on the other",
                        i + 1,
                        l.ty.kind,
                        r.ty.kind
                    ),
                    operand.body.span,
                )
                .hint("cast one of them")
            })?;
            fields.push(Field::new(&l.name, ty));
        }
        let schema = Schema::new(fields);
        let span = left.span.to(at);
        let left = self.cast_columns(left, &schema)?;
        let right = self.cast_columns(right, &schema)?;
        let set = |kind| Rel {
            kind: RelKind::SetOperation { kind, all: operand.all, inputs: vec![left.clone(), right.clone()] },
            schema: schema.clone(),
            span,
        };
        Ok(match operand.op {
            SetOp::Intersect => set(SetOperation::Intersect),
            SetOp::Except => set(SetOperation::Except),
            SetOp::Union => {
                let mut inputs = match left.kind {
                    RelKind::Union { inputs } => inputs,
                    _ => vec![left],
                };
                inputs.push(right);
                let all = Rel { kind: RelKind::Union { inputs }, schema, span };
                if operand.all { all } else { all.distinct(span) }
            }
        })
    }

    /// Casts columns to the types of `schema`; a relation that has them already stays as it is.
    pub(super) fn cast_columns(&mut self, rel: Rel, schema: &Schema) -> Result<Rel> {
        if rel.schema.fields.iter().zip(&schema.fields).all(|(a, b)| a.ty.kind == b.ty.kind) {
            return Ok(rel);
        }
        let span = rel.span;
        let mut exprs = vec![];
        for (i, (from, to)) in rel.schema.fields.iter().zip(&schema.fields).enumerate() {
            let to = to.ty.clone().with_nullable(from.ty.nullable);
            exprs.push(self.cast_to(Expr::column(i, from.ty.clone(), span), &to)?);
        }
        let names = schema.fields.iter().map(|f| f.name.clone()).collect();
        Ok(rel.project(exprs, names, span))
    }
}

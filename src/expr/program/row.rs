//! Programs over one row: value by value, without kernels, where the expression is one of [those](crate::expr::row_expr).

use super::{Node, Program, prepare};
use crate::batch::{ColumnData, ColumnRef, Native, Physical, Pool};
use crate::expr::row_expr::{self, Compute, RowExpr, Source, Write};
use crate::expr::{Expr, ExprKind};

/// An expression over one row.
pub(super) enum Over {
    Condition(Box<dyn Compute<bool>>),
    Long(Box<dyn Compute<i64>>),
    Value(Box<dyn Write>),
}

impl Over {
    /// The node over one row, if it has such a form. `expr` is what it was compiled from.
    pub(super) fn of(node: &Node, expr: &Expr) -> Option<Self> {
        node.row_expr(expr).and_then(Over::new).or_else(|| node.choice(expr).map(Over::Value))
    }

    fn new(expr: RowExpr) -> Option<Self> {
        match expr {
            RowExpr::Bool(Source::Computed(f)) => Some(Over::Condition(f)),
            RowExpr::I64(Source::Computed(f)) => Some(Over::Long(f)),
            other => other.writer().map(Over::Value),
        }
    }
}

impl Program {
    /// It computes single rows without kernels: [`Program::row_into`] and [`Program::is_true_at`] may be asked.
    #[inline]
    pub fn has_rows(&self) -> bool {
        self.row.is_some()
    }

    /// Computes row `row` alone of columns of `rows` rows into `target`, a column of the program's type whose former content is lost.
    ///
    /// # Panics
    /// When not [`Program::has_rows`].
    #[inline(always)]
    pub fn row_into(
        &self,
        target: &mut ColumnRef,
        columns: &[ColumnRef],
        rows: usize,
        row: usize,
        pool: &mut Pool,
    ) {
        let out = pool.own(target, &self.ty);
        // Of texts that stand in their views the row alone is written, whatever the others are.
        let is_ready = matches!(&out.data, ColumnData::Bytes(b) if b.is_in_place(rows));
        if !is_ready || out.validity.may_have_nulls() {
            prepare(out, rows, self.fixed);
        }
        match self.row.as_ref().expect("asked before") {
            Over::Value(f) => f.write(columns, row, out),
            Over::Condition(f) => f.write(columns, row, out),
            Over::Long(f) => f.write(columns, row, out),
        }
    }

    /// The value at row `row` (the inner `None`: NULL) of a program whose values are of 64 bits; `None` when that takes kernels.
    #[inline(always)]
    pub fn long_at(&self, columns: &[ColumnRef], row: usize) -> Option<Option<i64>> {
        match (&self.row, &self.node) {
            (Some(Over::Long(f)), _) => Some(f.at(columns, row)),
            (None, Node::Column(n)) => {
                let values = i64::buffer(&columns[*n].data)?;
                Some(columns[*n].validity.get(row).then(|| values.at(row)))
            }
            _ => None,
        }
    }

    /// Whether a condition is TRUE at row `row`; `None` when not [`Program::has_rows`].
    #[inline(always)]
    pub fn is_true_at(&self, columns: &[ColumnRef], row: usize) -> Option<bool> {
        match &self.row {
            Some(Over::Condition(f)) => Some(f.at(columns, row) == Some(true)),
            _ => None,
        }
    }
}

impl Node {
    /// The node over one row, where all of it is made of plain functions of fixed-width values. `expr` is what it was compiled from.
    fn row_expr(&self, expr: &Expr) -> Option<RowExpr> {
        let physical = expr.ty.physical();
        let all = |nodes: &[Node], exprs: &[Expr]| -> Option<Vec<RowExpr>> {
            nodes.iter().zip(exprs).map(|(n, e)| n.row_expr(e)).collect()
        };
        match (self, &expr.kind) {
            (Node::Column(n), _) => RowExpr::column(*n, physical),
            (Node::Constant(c), _) => RowExpr::constant(c, physical),
            (Node::Call { kernel, args, .. }, ExprKind::Call { args: of, .. }) if !kernel.can_fail() => {
                kernel.row_expr(all(args, of)?)
            }
            (Node::Logic { and, args, .. }, ExprKind::And(of) | ExprKind::Or(of)) => {
                RowExpr::logic(*and, all(args, of)?)
            }
            _ => None,
        }
    }

    /// The node over one row, where it is a CASE between constant texts by such conditions. `expr` is what it was compiled from.
    fn choice(&self, expr: &Expr) -> Option<Box<dyn Write>> {
        let (Node::Case { branches, otherwise, .. }, ExprKind::Case { branches: of, .. }) =
            (self, &expr.kind)
        else {
            return None;
        };
        if expr.ty.physical() != Physical::Bytes {
            return None;
        }
        let conditions =
            branches.iter().zip(of).map(|((c, _), (e, _))| c.row_expr(e)).collect::<Option<_>>()?;
        let values = branches.iter().map(|(_, v)| v).chain([&**otherwise]).map(|v| match v {
            Node::Constant(c) => Some(c.clone()),
            _ => None,
        });
        row_expr::choice(conditions, values.collect::<Option<_>>()?)
    }
}

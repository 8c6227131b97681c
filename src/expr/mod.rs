//! Expressions: bound trees, the functions they call, and the vectorised evaluation of both.
//!
//! [`Expr`] is what the binder makes of SQL: every node has a type and a span. [`Program`] is its executable form. Functions are
//! found in a [`Registry`] and compute by [`Kernel`]s under a selection.

mod aggregates;
pub mod build;
pub mod cast;
pub mod coercion;
pub mod function;
pub mod functions;
mod interval;
pub mod json;
pub mod kernel;
pub mod kernels;
mod program;
mod projection;
mod row_expr;
mod table_function;

pub use aggregates::{Counted, Counts, Held};
pub use cast::{bind_cast, can_cast};
pub use function::{
    AggregateFunction, Argument, BoundAggregate, BoundFunction, Call, Determinism, FunctionDoc, Registry,
    ScalarFunction, Session,
};
pub use interval::Interval;
pub use kernel::{
    Accumulator, AccumulatorFactory, Arg, EvalContext, Fallible, Infallible, Kernel, KernelFactory, RowError,
    Seen, Updates, constant_column,
};
pub use program::{Program, Value};
pub use projection::Projection;
pub use row_expr::{Cell, Compute, RowExpr, Source, Write};
pub use table_function::{BoundTableFunction, TableFunction, TableKernel, TableKernelFactory, TableRows};

use crate::batch::{ColumnRef, DataType};
use crate::error::Span;
use std::fmt;
use std::sync::Arc;

/// A bound expression: types are known, arguments are cast, names are column numbers.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: DataType,
    /// The SQL text it came from.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// Column `n` of the input.
    Column(usize),
    /// A constant: one row.
    Literal(ColumnRef),
    /// A function or operator; arguments have exactly the types that its kernel wants.
    Call {
        /// The function.
        function: Function,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// AND of two or more, three-valued; the later ones are not evaluated where an earlier one is false.
    And(Vec<Expr>),
    /// OR of two or more, three-valued; the later ones are not evaluated where an earlier one is true.
    Or(Vec<Expr>),
    /// Searched CASE: the value of the first branch whose condition is true. Values have the type of the whole.
    Case {
        /// Condition and value.
        branches: Vec<(Expr, Expr)>,
        /// The value when no condition is true.
        otherwise: Box<Expr>,
    },
    /// The first argument that is not NULL; the later ones are not evaluated where an earlier one is not NULL.
    Coalesce(Vec<Expr>),
    /// Field `n` of a ROW value.
    Field(Box<Expr>, usize),
}

/// A bound function with its name for printing.
#[derive(Clone)]
pub struct Function {
    /// The registered name (an operator's symbol, `CAST`).
    pub name: Arc<str>,
    /// Makes its kernels.
    pub kernel: KernelFactory,
    /// See [`Determinism`].
    pub determinism: Determinism,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Expr {
    /// Column `n` of type `ty`.
    pub fn column(n: usize, ty: DataType, span: Span) -> Self {
        Self { kind: ExprKind::Column(n), ty, span }
    }

    /// A constant.
    pub fn literal(value: ColumnRef, ty: DataType, span: Span) -> Self {
        debug_assert_eq!(value.len(), 1);
        Self { kind: ExprKind::Literal(value), ty, span }
    }

    /// A call of a bound function; the arguments are already cast.
    pub fn call(name: &str, bound: BoundFunction, args: Vec<Expr>, span: Span) -> Self {
        let BoundFunction { ty, determinism, kernel, .. } = bound;
        Self {
            kind: ExprKind::Call { function: Function { name: name.into(), kernel, determinism }, args },
            ty,
            span,
        }
    }

    /// The direct parts.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) => vec![],
            ExprKind::Call { args, .. }
            | ExprKind::And(args)
            | ExprKind::Or(args)
            | ExprKind::Coalesce(args) => args.iter().collect(),
            ExprKind::Case { branches, otherwise } => {
                branches.iter().flat_map(|(c, v)| [c, v]).chain([&**otherwise]).collect()
            }
            ExprKind::Field(of, _) => vec![of],
        }
    }

    /// The direct parts, to change.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) => vec![],
            ExprKind::Call { args, .. }
            | ExprKind::And(args)
            | ExprKind::Or(args)
            | ExprKind::Coalesce(args) => args.iter_mut().collect(),
            ExprKind::Case { branches, otherwise } => {
                branches.iter_mut().flat_map(|(c, v)| [c, v]).chain([&mut **otherwise]).collect()
            }
            ExprKind::Field(of, _) => vec![of],
        }
    }

    /// Calls `f` with the number of every column that is read.
    pub fn for_each_column(&self, f: &mut impl FnMut(usize)) {
        if let ExprKind::Column(n) = self.kind {
            f(n);
        }
        self.children().into_iter().for_each(|c| c.for_each_column(f));
    }

    /// Renumbers the columns that are read.
    pub fn map_columns(&mut self, f: &impl Fn(usize) -> usize) {
        if let ExprKind::Column(n) = &mut self.kind {
            *n = f(*n);
        }
        self.children_mut().into_iter().for_each(|c| c.map_columns(f));
    }

    /// No part of it varies between evaluations with the same input.
    pub fn is_deterministic(&self) -> bool {
        let own = match &self.kind {
            ExprKind::Call { function, .. } => function.determinism == Determinism::Deterministic,
            _ => true,
        };
        own && self.children().into_iter().all(Expr::is_deterministic)
    }

    /// It is the literal TRUE.
    pub fn is_true(&self) -> bool {
        matches!(&self.kind, ExprKind::Literal(v) if self.ty.kind == crate::batch::TypeKind::Boolean && v.is_valid(0) && v.bools().get(0))
    }

    /// It reads no column and always gives the same value.
    pub fn is_constant(&self) -> bool {
        !matches!(self.kind, ExprKind::Column(_))
            && self.is_deterministic()
            && self.children().into_iter().all(Expr::is_constant)
    }
}

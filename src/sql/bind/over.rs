//! Numbering of rows: `ROW_NUMBER() OVER (PARTITION BY … ORDER BY …)`, and QUALIFY, which filters by it.
//!
//! As with aggregates, the expressions of a SELECT are bound over the FROM clause's columns, a numbering standing in them as a column of
//! a number that no relation reaches ([`FIRST`]). After grouping, [`Binder::number`] puts the numberings over the rows and gives
//! those columns their place.

use super::Binder;
use super::expr::ExprContext;
use crate::batch::{Field, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::SortKey;
use crate::plan::logical::{Rel, RelKind};
use crate::sql::ast::{self, FunctionCall, OrderItem};

/// The column that stands for the first numbering of a SELECT.
pub(super) const FIRST: usize = 1 << 32;

/// A numbering over the columns of a scope.
pub(super) struct OverUse {
    pub(super) partition: Vec<Expr>,
    pub(super) order: Vec<(Expr, OrderItem)>,
    span: Span,
}

impl OverUse {
    /// Its expressions, to change.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.partition.iter_mut().chain(self.order.iter_mut().map(|o| &mut o.0))
    }
}

impl Binder<'_> {
    /// A call with OVER.
    pub(super) fn over_call(
        &mut self,
        call: &FunctionCall,
        over: &ast::Over,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let name = call.name.to_string().to_uppercase();
        let window = match over {
            ast::Over::Name(name) => return Err(Error::unsupported("the WINDOW clause", name.span)),
            ast::Over::Window(window) => window,
        };
        let known = ["ROW_NUMBER", "RANK", "DENSE_RANK"].contains(&name.as_str());
        if !known {
            return Err(Error::unsupported(format!("{name} OVER (an OVER window)"), at));
        }
        if let Some(arg) = call.args.first() {
            return Err(Error::validation(format!("{name} takes no arguments"), arg.span));
        }
        if let Some(base) = &window.base {
            return Err(Error::unsupported("the WINDOW clause", base.span));
        }
        if let Some(frame) = &window.frame {
            return Err(Error::validation(format!("{name} has no frame"), frame.span)
                .hint("take ROWS or RANGE away: the number counts from the first row of the partition"));
        }
        if window.order_by.is_empty() {
            return Err(Error::validation(format!("{name} needs an ORDER BY in its OVER"), window.span));
        }
        if name != "ROW_NUMBER" {
            return Err(Error::planning(format!("{name} over a stream is not possible"), at)
                .hint("ROW_NUMBER is: ties are numbered as they come"));
        }
        if cx.over.is_none() || cx.inside_aggregate {
            return Err(Error::validation(format!("{name} OVER is not allowed in the {}", cx.clause), at)
                .hint("it stands in the SELECT list, in ORDER BY or in QUALIFY"));
        }
        let uses = cx.over.take();
        let bound = self.over_window(window, at, cx);
        cx.over = uses;
        let uses = cx.over.as_mut().expect("put back");
        uses.push(bound?);
        Ok(Expr::column(FIRST + uses.len() - 1, TypeKind::BigInt.not_null(), at))
    }

    fn over_window(
        &mut self,
        window: &ast::WindowSpec,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<OverUse> {
        let partition = window.partition_by.iter().map(|e| self.expr(e, cx)).collect::<Result<Vec<_>>>()?;
        let order = window.order_by.iter().map(|o| Ok((self.expr(&o.expr, cx)?, o.clone())));
        Ok(OverUse { partition, order: order.collect::<Result<Vec<_>>>()?, span: at })
    }

    /// Puts the numberings over `rel`, over whose columns they and `exprs` are bound, and gives their columns in `exprs` their place.
    pub(super) fn number(&mut self, mut rel: Rel, uses: Vec<OverUse>, exprs: &mut [&mut Expr]) -> Rel {
        if uses.is_empty() {
            return rel;
        }
        let span = rel.span;
        let mut computed: Vec<Expr> =
            rel.schema.fields.iter().enumerate().map(|(n, f)| Expr::column(n, f.ty.clone(), span)).collect();
        let mut names: Vec<String> = rel.schema.fields.iter().map(|f| f.name.clone()).collect();
        let width = computed.len();
        let mut column_of = |e: Expr| match e.kind {
            ExprKind::Column(c) => c,
            _ => {
                names.push(self.text(e.span));
                computed.push(e);
                computed.len() - 1
            }
        };
        let mut windows = vec![];
        for u in uses {
            let partition: Vec<usize> = u.partition.into_iter().map(&mut column_of).collect();
            let order: Vec<SortKey> =
                u.order.into_iter().map(|(e, item)| super::query::sort_key(&item, column_of(e))).collect();
            windows.push((partition, order, u.span));
        }
        if computed.len() > width {
            rel = rel.project(computed, names, span);
        }
        let first = rel.schema.len();
        for (n, (partition, order, span)) in windows.into_iter().enumerate() {
            let mut schema = rel.schema.clone();
            schema.fields.push(Field::new(format!("$number{n}"), TypeKind::BigInt.not_null()));
            rel = Rel { kind: RelKind::Over { input: Box::new(rel), partition, order }, schema, span };
        }
        for e in exprs {
            e.map_columns(&|c| if c >= FIRST { c - FIRST + first } else { c });
        }
        rel
    }
}

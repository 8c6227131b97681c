//! A program's table functions in FROM: `t, LATERAL TABLE(f(t.a)) AS x (b)`, by CROSS JOIN, and by LEFT JOIN … ON TRUE, which keeps the rows for
//! which the function gives none.
//!
//! The arguments become columns behind those of the left side, the function's columns stand behind them, and a projection takes the
//! arguments away again.

use super::Binder;
use super::expr::ExprContext;
use super::join::{keeps_left, on_clause};
use super::query::rename;
use super::scope::{Relation, Scope};
use crate::batch::Schema;
use crate::error::{Error, Result, Span};
use crate::expr::{Call, Determinism, Expr, ExprKind, TableFunction};
use crate::plan::Correlate;
use crate::plan::logical::{Rel, RelKind};
use crate::sql::ast::{ArgValue, FunctionCall, Join};

impl Binder<'_> {
    /// `left` with the rows of a function behind each of its rows.
    pub(super) fn correlate(
        &mut self,
        left: Rel,
        mut scope: Scope,
        join: &Join,
        call: &FunctionCall,
        function: &dyn TableFunction,
    ) -> Result<(Rel, Scope)> {
        let optional = keeps_left(join, "a table function")?;
        let condition = on_clause(join, "a table function")?;
        if let Some(m) = &join.right.match_recognize {
            return Err(Error::unsupported("MATCH_RECOGNIZE over a table function", m.span));
        }
        let width = left.schema.len();
        let (mut rel, columns) = self.call_rows(left, &scope, call, function, optional)?;
        let mut of_function = Rel::one_row(join.span);
        of_function.schema = columns;
        let mut name = vec![];
        if let Some(alias) = &join.right.alias {
            rename(&mut of_function, &alias.columns, &format!("the alias '{}'", alias.name))?;
            name = vec![alias.name.name.clone()];
        }
        rel.schema.fields.truncate(width);
        rel.schema.fields.extend(of_function.schema.fields.iter().cloned());
        scope.add(
            vec![Relation { first: width, ..Relation::of(&of_function.schema, name) }],
            join.right.span,
        )?;
        if let Some(e) = condition {
            let bound = self.condition(e, &mut ExprContext::plain(&scope, "ON clause"))?;
            let is_true = bound.is_true();
            if !is_true && optional {
                return Err(Error::unsupported(
                    "LEFT JOIN of a table function on another condition than TRUE",
                    e.span,
                )
                .hint("write ON TRUE, and the condition into a CASE over the function's columns"));
            }
            if !is_true {
                rel = rel.filter(bound);
            }
        }
        Ok((rel, scope))
    }

    /// The rows of a function alone: its arguments are constants.
    pub(super) fn rows_of(&mut self, call: &FunctionCall, function: &dyn TableFunction) -> Result<Rel> {
        let one = Rel::one_row(call.span);
        let width = one.schema.len();
        let (rel, _) = self.call_rows(one, &Scope::default(), call, function, false)?;
        let all: Vec<usize> = (width..rel.schema.len()).collect();
        Ok(rel.project_columns(&all))
    }

    /// `left`'s columns with those of the function behind them, and the latter.
    fn call_rows(
        &mut self,
        left: Rel,
        scope: &Scope,
        call: &FunctionCall,
        function: &dyn TableFunction,
        optional: bool,
    ) -> Result<(Rel, Schema)> {
        let (at, width) = (call.span, left.schema.len());
        let name = call.name.to_string().to_uppercase();
        let mut args = vec![];
        for a in &call.args {
            match &a.value {
                ArgValue::Expr(e) if a.name.is_none() => {
                    args.push(self.expr(e, &mut ExprContext::plain(scope, "FROM clause"))?);
                }
                _ => {
                    return Err(Error::unsupported(
                        format!("an argument of {name} that is no value or has a name"),
                        a.span,
                    ));
                }
            }
        }
        let described = super::call::describe(&args);
        let to_bind = Call { name: &name, args: &described, span: at, session: &self.session };
        let bound = function.bind(&to_bind).map_err(|e| e.at(at))?;
        self.note_function(&name, at);
        let args = self.cast_arguments(args, &bound.args)?;
        let columns = |rel: &Rel, n: usize| -> (Vec<Expr>, Vec<String>) {
            let fields = rel.schema.fields[..n].iter().enumerate();
            fields.map(|(n, f)| (Expr::column(n, f.ty.clone(), at), f.name.clone())).unzip()
        };
        let (mut exprs, mut names) = columns(&left, width);
        let mut places = vec![];
        for arg in args {
            let place = match arg.kind {
                ExprKind::Column(c) if arg.ty == left.schema.fields[c].ty => c,
                _ => {
                    names.push(format!("$arg{}", exprs.len() - width));
                    exprs.push(arg);
                    exprs.len() - 1
                }
            };
            places.push(place);
        }
        let hidden = exprs.len() - width;
        let input = if hidden > 0 { left.project(exprs, names, at) } else { left };
        let mut fields = bound.columns.clone();
        fields.iter_mut().filter(|_| optional).for_each(|f| f.ty.nullable = true);
        let deterministic = bound.determinism == Determinism::Deterministic;
        let spec = Correlate {
            name,
            args: places,
            columns: bound.columns,
            optional,
            deterministic,
            kernel: bound.kernel,
        };
        let rel = correlated(input, spec, fields.clone(), at);
        let rel = match hidden {
            0 => rel,
            _ => {
                let kept: Vec<usize> = (0..width).chain(width + hidden..rel.schema.len()).collect();
                rel.project_columns(&kept)
            }
        };
        Ok((rel, Schema::new(fields)))
    }
}

fn correlated(input: Rel, call: Correlate, fields: Vec<crate::batch::Field>, span: Span) -> Rel {
    let mut schema = input.schema.clone();
    schema.fields.extend(fields);
    Rel { kind: RelKind::Correlate { input: Box::new(input), call }, schema, span }
}

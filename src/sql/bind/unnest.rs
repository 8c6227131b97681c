//! UNNEST in FROM: the elements of a collection as rows, each beside the row whose collection it is.
//!
//! The elements of an array or a multiset are one column, named as the alias where that names no columns, or, being rows, their fields; those
//! of a map are `KEY` and `VALUE`. WITH ORDINALITY adds their number. LEFT JOIN keeps rows without elements. As in Flink there is no
//! condition but TRUE.

use super::Binder;
use super::expr::ExprContext;
use super::join::{keeps_left, on_clause};
use super::query::rename;
use super::scope::Scope;
use crate::batch::{Field, Schema, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::Unnest;
use crate::plan::logical::{Rel, RelKind};
use crate::sql::ast::{self, Join, TableFactor, TableSource};

/// UNNEST as it is written.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a> {
    collection: &'a ast::Expr,
    numbered: bool,
    factor: &'a TableFactor,
}

impl<'a> Elements<'a> {
    /// What a factor of FROM reads, where that is an UNNEST.
    pub(super) fn of(factor: &'a TableFactor) -> Option<Result<Self>> {
        let TableSource::Unnest { args, with_ordinality } = &factor.source else { return None };
        let refused = |what: &str, at| Some(Err(Error::unsupported(what, at)));
        if factor.match_recognize.is_some() {
            return refused("MATCH_RECOGNIZE of an UNNEST", factor.span);
        }
        match &args[..] {
            [collection] if matches!(collection.kind, ast::ExprKind::Subquery(_)) => {
                refused("UNNEST of a query", collection.span)
            }
            [collection] => Some(Ok(Self { collection, numbered: *with_ordinality, factor })),
            _ => refused("UNNEST of several collections", factor.span),
        }
    }
}

impl Binder<'_> {
    /// `left JOIN UNNEST(…)`.
    pub(super) fn unnest_join(
        &mut self,
        left: Rel,
        mut scope: Scope,
        join: &Join,
        of: Elements<'_>,
    ) -> Result<(Rel, Scope)> {
        let outer = keeps_left(join, "UNNEST")?;
        let on = on_clause(join, "UNNEST")?;
        let offset = left.schema.len();
        let (rel, mut elements) = self.unnest(left, &scope, of, outer)?;
        elements.relations.iter_mut().for_each(|r| r.first += offset);
        scope.add(elements.relations, join.right.span)?;
        if let Some(on) = on {
            let condition = self.condition(on, &mut ExprContext::plain(&scope, "ON clause"))?;
            if !condition.is_true() {
                let text = "UNNEST is joined on no condition but TRUE";
                return Err(Error::planning(text, on.span).hint("put the condition into WHERE"));
            }
        }
        Ok((rel, scope))
    }

    /// The rows of `left` beside the elements, and the names of the elements' columns.
    pub(super) fn unnest(
        &mut self,
        left: Rel,
        scope: &Scope,
        of: Elements<'_>,
        outer: bool,
    ) -> Result<(Rel, Scope)> {
        let (width, at) = (left.schema.len(), of.factor.span);
        let collection = self.expr(of.collection, &mut ExprContext::plain(scope, "UNNEST"))?;
        let mut fields = element_fields(&collection, of.collection.span)?;
        if of.numbered {
            fields.push(Field::new("ORDINALITY", TypeKind::Int.not_null()));
        }
        fields.iter_mut().for_each(|f| f.ty.nullable |= outer);
        let mut elements = Rel { schema: Schema::new(fields), ..Rel::one_row(at) };
        let mut name = vec![];
        if let Some(alias) = &of.factor.alias {
            if alias.columns.is_empty() && elements.schema.len() == 1 {
                elements.schema.fields[0].name.clone_from(&alias.name.name);
            }
            rename(&mut elements, &alias.columns, &format!("the alias '{}'", alias.name))?;
            name.push(alias.name.name.clone());
        }
        let (input, column) = match collection.kind {
            ExprKind::Column(c) if c < width => (left, c),
            _ => {
                let fields = &left.schema.fields;
                let mut exprs: Vec<Expr> =
                    fields.iter().enumerate().map(|(n, f)| Expr::column(n, f.ty.clone(), at)).collect();
                let mut names: Vec<String> = fields.iter().map(|f| f.name.clone()).collect();
                exprs.push(collection);
                names.push("$collection".into());
                (left.project(exprs, names, at), width)
            }
        };
        let names = Scope::of(&elements.schema, name);
        let mut fields = input.schema.fields[..width].to_vec();
        fields.append(&mut elements.schema.fields);
        let spec = Unnest { collection: column, kept: (0..width).collect(), ordinality: of.numbered, outer };
        let kind = RelKind::Unnest { input: Box::new(input), spec };
        Ok((Rel { kind, schema: Schema::new(fields), span: at }, names))
    }
}

/// The columns that the elements of a collection make.
fn element_fields(collection: &Expr, at: Span) -> Result<Vec<Field>> {
    let nullable = |f: &Field, row_nullable: bool| {
        Field::new(&f.name, f.ty.clone().with_nullable(f.ty.nullable || row_nullable))
    };
    Ok(match &collection.ty.kind {
        TypeKind::Array(of) | TypeKind::Multiset(of) => match &of.kind {
            TypeKind::Row(fields) => fields.iter().map(|f| nullable(f, of.nullable)).collect(),
            _ => vec![Field::new("EXPR$0", (**of).clone())],
        },
        TypeKind::Map(key, value) => {
            vec![Field::new("KEY", (**key).clone()), Field::new("VALUE", (**value).clone())]
        }
        other => {
            let text = format!("UNNEST reads an ARRAY, a MAP or a MULTISET, not {other}");
            return Err(Error::validation(text, at));
        }
    })
}

//! Sinks: INSERT INTO a table, and the result of a bare query.
//!
//! The query's columns meet the sink's by position, after the column list and PARTITION (…) have put them in the table's order; columns
//! not given are NULL. Types are cast where Flink casts implicitly. NOT NULL is checked row by row when the query's column may
//! be NULL: the sink's schema says so.

use super::coerce::fold;
use super::expr::ExprContext;
use super::scope::Scope;
use super::{Binder, literal};
use crate::batch::{DataType, Field, Schema};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, coercion};
use crate::plan::catalog::{ColumnKind, Object, Table};
use crate::plan::connector::SinkSpec;
use crate::plan::logical::{Rel, RelKind};
use crate::sql::ast::{Insert, Query};

impl Binder<'_> {
    /// A query whose rows go to the caller.
    pub(crate) fn result(&mut self, q: &Query) -> Result<Rel> {
        let rel = self.query(q)?;
        let spec = SinkSpec {
            table: None,
            schema: rel.schema.clone(),
            drop_nulls: self.drops_nulls(),
            any_key: true,
        };
        Ok(sink(rel, spec, None, q.span))
    }

    fn drops_nulls(&self) -> bool {
        self.settings.get("table.exec.sink.not-null-enforcer").is_some_and(|v| v.eq_ignore_ascii_case("drop"))
    }

    /// INSERT INTO.
    pub(crate) fn insert(&mut self, i: &Insert) -> Result<Rel> {
        if i.upsert {
            return Err(Error::unsupported("UPSERT INTO", i.span));
        }
        if i.overwrite {
            return Err(Error::planning("a continuous job cannot overwrite a table", i.span)
                .hint("INSERT INTO adds to it; remove its files first to replace them"));
        }
        if i.on_conflict.is_some() {
            return Err(Error::unsupported("ON CONFLICT", i.span));
        }
        if let Some(c) = i.table.extend.first() {
            return Err(Error::unsupported("EXTEND", c.span));
        }
        let name = &i.table.name;
        let (path, object) = self.lookup(name)?;
        let Object::Table(table) = object else {
            return Err(Error::validation(
                format!("'{name}' is a view: nothing can be written to it"),
                name.span(),
            ));
        };
        let hints = super::from::hint_options(&i.table.hints)?;
        let spec = self.table_spec(&path, &table, hints, name.span())?;
        let info = self.connectors.sink(&spec).map_err(|e| e.at(spec.connector.span))?;
        if let Some(c) =
            table.columns.iter().find(|c| matches!(c.kind, ColumnKind::Metadata { is_virtual: false, .. }))
        {
            return Err(Error::unsupported(format!("writing the metadata column '{}'", c.name), name.span()));
        }
        let rel = self.query(&i.source)?;
        let rel = self.sink_columns(rel, i, &table, path.to_string())?;
        let schema = spec.schema.clone();
        let any_key = self.settings.get("table.exec.sink.require-on-conflict") == Some("false");
        let spec = SinkSpec { table: Some(spec), schema, drop_nulls: self.drops_nulls(), any_key };
        Ok(sink(rel, spec, Some(info), i.span))
    }

    /// The query's columns as the table wants them.
    fn sink_columns(&mut self, rel: Rel, i: &Insert, table: &Table, path: String) -> Result<Rel> {
        let (schema, numbers) = table.physical();
        let at = i.source.span;
        // What fills each column: a value of PARTITION (…), a column of the query, or nothing.
        let mut fixed: Vec<Option<Expr>> = vec![None; schema.len()];
        if let Some(partition) = &i.partition {
            for value in &partition.values {
                let column = self.sink_column(table, &value.column.name, value.column.span)?;
                if !table.partition_keys.iter().any(|&k| numbers[k] == Some(column)) {
                    return Err(Error::validation(
                        format!("'{}' is not a partition column of the table", value.column),
                        value.column.span,
                    ));
                }
                if let Some(e) = &value.value {
                    let scope = Scope::default();
                    let bound = self.expr(e, &mut ExprContext::plain(&scope, "PARTITION clause"))?;
                    fixed[column] = Some(self.stored(bound, &schema.fields[column], &path, column)?);
                }
            }
        }
        let targets: Vec<usize> = if i.columns.is_empty() {
            (0..schema.len()).filter(|&c| fixed[c].is_none()).collect()
        } else {
            let mut targets = vec![];
            for name in &i.columns {
                let Some(simple) = name.as_simple() else {
                    return Err(Error::unsupported("a nested column in a column list", name.span()));
                };
                let column = self.sink_column(table, &simple.name, simple.span)?;
                if targets.contains(&column) || fixed[column].is_some() {
                    return Err(Error::validation(
                        format!("column '{simple}' is written twice"),
                        simple.span,
                    ));
                }
                targets.push(column);
            }
            targets
        };
        if targets.len() != rel.schema.len() {
            let target = Schema::new(targets.iter().map(|&c| schema.fields[c].clone()).collect());
            return Err(Error::validation(
                format!("the query has {} columns, but {path} takes {}", rel.schema.len(), targets.len()),
                at,
            )
            .hint(format!(
                "query: [{}], sink: [{}]",
                columns_of(&rel.schema),
                columns_of(&target)
            )));
        }
        let mut exprs = vec![];
        for (c, field) in schema.fields.iter().enumerate() {
            if let Some(value) = fixed[c].take() {
                exprs.push(value);
            } else if let Some(position) = targets.iter().position(|&t| t == c) {
                let span = rel.span;
                let from = Expr::column(position, rel.schema.ty(position).clone(), span);
                exprs.push(self.stored(from, field, &path, c)?);
            } else {
                if !field.ty.nullable {
                    return Err(Error::validation(
                        format!("column '{}' is NOT NULL and must be written", field.name),
                        i.columns.first().map_or(at, |c| c.span()),
                    ));
                }
                exprs.push(literal::null(field.ty.clone(), at));
            }
        }
        let names = schema.fields.iter().map(|f| f.name.clone()).collect();
        Ok(rel.project(exprs, names, at))
    }

    fn sink_column(&self, table: &Table, name: &str, at: Span) -> Result<usize> {
        let (_, numbers) = table.physical();
        match table.column(name) {
            Some(c) => numbers[c].ok_or_else(|| {
                Error::validation(format!("column '{name}' is computed: it cannot be written"), at)
            }),
            None => {
                let e = Error::validation(format!("the table has no column '{name}'"), at);
                let known = table.columns.iter().map(|c| c.name.as_str());
                Err(match super::names::did_you_mean(name, known) {
                    Some(hint) => e.hint(hint),
                    None => e,
                })
            }
        }
    }

    /// A value as the sink's column takes it.
    fn stored(&mut self, from: Expr, to: &Field, path: &str, position: usize) -> Result<Expr> {
        if !coercion::can_store(&from.ty.kind, &to.ty.kind) {
            return Err(Error::validation(
                format!(
                    "column '{}' (position {}) of {path} is {}, but the query gives {}",
                    to.name,
                    position + 1,
                    to.ty.kind,
                    from.ty.kind
                ),
                from.span,
            )
            .hint("cast it explicitly"));
        }
        let ty = DataType { nullable: from.ty.nullable, ..to.ty.clone() };
        Ok(fold(self.cast_to(from, &ty)?))
    }
}

fn columns_of(schema: &Schema) -> String {
    schema.fields.iter().map(|f| format!("{}: {}", f.name, f.ty)).collect::<Vec<_>>().join(", ")
}

fn sink(input: Rel, spec: SinkSpec, info: Option<crate::plan::connector::SinkInfo>, span: Span) -> Rel {
    let schema = spec.schema.clone();
    Rel { kind: RelKind::Sink { input: Box::new(input), spec, info }, schema, span }
}

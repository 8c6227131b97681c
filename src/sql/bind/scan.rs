//! How a declared table is read: its columns in declared order, computed ones bound, the time attribute marked.

use super::Binder;
use super::expr::ExprContext;
use super::scope::Scope;
use crate::batch::{DataType, Field, Schema, TimeAttribute, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::Expr;
use crate::expr::cast::bind_cast;
use crate::plan::catalog::{ColumnKind, ObjectPath, Table};
use crate::plan::connector::{OptionValue, TableSpec};
use crate::plan::logical::{ColumnSource, Rel, RelKind, ScanColumn, TableScan};
use crate::sql::parser;

impl Binder<'_> {
    /// Reads `table`, with the options of a hint on top of its own.
    pub(super) fn scan(
        &mut self,
        path: &ObjectPath,
        table: &Table,
        hints: Vec<(String, OptionValue)>,
        at: Span,
    ) -> Result<Rel> {
        let spec = self.table_spec(path, table, hints, at)?;
        let info = self.connectors.source(&spec).map_err(|e| e.at(spec.connector.span))?;
        let (fields, computed, watermark) = self.columns_of(path, table, at)?;
        let (_, physical) = table.physical();
        let mut columns = vec![];
        for (((declared, field), number), computed) in
            table.columns.iter().zip(fields).zip(physical).zip(computed)
        {
            let from = match (&declared.kind, number, computed) {
                (ColumnKind::Physical, Some(n), _) => ColumnSource::Physical(n),
                (ColumnKind::Metadata { key, .. }, ..) => {
                    let Some((_, ty)) = info.metadata.iter().find(|m| m.0 == *key) else {
                        let known: Vec<&str> = info.metadata.iter().map(|m| m.0.as_str()).collect();
                        let e = Error::validation(
                            format!(
                                "the connector '{}' has no metadata '{key}' for column '{}'",
                                spec.connector.connector, declared.name
                            ),
                            declared.span,
                        );
                        return Err(if known.is_empty() {
                            e
                        } else {
                            e.hint(format!("it has {}", known.join(", ")))
                        });
                    };
                    let ty = ty.clone();
                    let cast = (ty.kind != declared.ty.kind)
                        .then(|| bind_cast(&ty, &declared.ty, false, &self.session, declared.span))
                        .transpose()?;
                    ColumnSource::Metadata { key: key.clone(), ty, cast }
                }
                (_, _, Some(e)) => ColumnSource::Computed(e),
                _ => unreachable!("a column is physical, metadata or computed"),
            };
            columns.push(ScanColumn { field, from });
        }
        let output = (0..columns.len()).collect();
        let scan = TableScan { path: path.clone(), table: spec, info, columns, watermark, output };
        let schema = scan.schema();
        Ok(Rel { kind: RelKind::Scan(Box::new(scan)), schema, span: at })
    }

    /// What a connector is told about the table.
    pub(super) fn table_spec(
        &self,
        path: &ObjectPath,
        table: &Table,
        hints: Vec<(String, OptionValue)>,
        at: Span,
    ) -> Result<TableSpec> {
        let (schema, physical) = table.physical();
        let mut with_hints = table.clone();
        with_hints.set_options(hints);
        let connector = with_hints.connector;
        if connector.connector.is_empty() {
            return Err(Error::validation(format!("table '{}' has no option 'connector'", path.object), at)
                .hint("add WITH ('connector' = 'filesystem', …) to CREATE TABLE"));
        }
        self.connectors.extensions(&connector).into_iter().for_each(|f| self.extensions.note(f));
        let numbers = |columns: &[usize]| columns.iter().filter_map(|&c| physical[c]).collect();
        Ok(TableSpec {
            name: path.to_string(),
            connector,
            schema,
            partition_keys: numbers(&table.partition_keys),
            primary_key: numbers(&table.primary_key),
            settings: self.settings.to_map(),
            time_zone: self.session.time_zone.clone(),
        })
    }

    /// The columns of a table as a query sees them: fields with time attributes, the bound expression of each computed one, and the
    /// watermark.
    #[allow(clippy::type_complexity)] // Three parallel parts of one answer.
    pub(super) fn columns_of(
        &mut self,
        path: &ObjectPath,
        table: &Table,
        at: Span,
    ) -> Result<(Vec<Field>, Vec<Option<Expr>>, Option<(usize, Expr)>)> {
        let mut fields: Vec<Field> =
            table.columns.iter().map(|c| Field::new(&c.name, c.ty.clone())).collect();
        let name = vec![path.catalog.clone(), path.database.clone(), path.object.clone()];
        // A computed column sees the columns that are not computed.
        let mut scope = Scope::of(&Schema::new(fields.clone()), name.clone());
        for (column, declared) in scope.relations[0].columns.iter_mut().zip(&table.columns) {
            if matches!(declared.kind, ColumnKind::Computed(_)) {
                column.0 = format!("\u{0}{}", column.0);
            }
        }
        let mut computed = vec![];
        for (declared, field) in table.columns.iter().zip(&mut fields) {
            let ColumnKind::Computed(text) = &declared.kind else {
                computed.push(None);
                continue;
            };
            let what = format!("column '{}' of table '{}'", declared.name, path.object);
            let (mut e, foreign) = self.elsewhere(text, None, &what, at, |binder, text| {
                let mut cx = ExprContext::plain(&scope, "computed column");
                binder.expr(&parser::parse_expr(text)?, &mut cx)
            })?;
            if e.ty.kind == TypeKind::Null {
                return Err(Error::validation(format!("{what} is NULL: it has no type"), at));
            }
            if foreign {
                set_spans(&mut e, at);
            }
            field.ty = e.ty.clone();
            computed.push(Some(e));
        }
        let Some(spec) = &table.watermark else { return Ok((fields, computed, None)) };
        let time = &fields[spec.column];
        if !is_time_type(&time.ty) {
            return Err(Error::validation(
                format!(
                    "the watermark's column '{}' must be TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 to 3, not {}",
                    time.name, time.ty.kind
                ),
                if std::sync::Arc::ptr_eq(&spec.expr.text, &self.script) { spec.span } else { at },
            )
            .hint("compute one: rt AS TO_TIMESTAMP(text), WATERMARK FOR rt AS …"));
        }
        let scope = Scope::of(&Schema::new(fields.clone()), name);
        let what = format!("the watermark of table '{}'", path.object);
        let (mut e, foreign) = self.elsewhere(&spec.expr, None, &what, at, |binder, text| {
            let mut cx = ExprContext::plain(&scope, "watermark");
            let e = binder.expr(&parser::parse_expr(text)?, &mut cx)?;
            let time = &scope.relations[0].columns[spec.column].1;
            if !is_time_type(&e.ty)
                || std::mem::discriminant(&e.ty.kind) != std::mem::discriminant(&time.kind)
            {
                return Err(Error::validation(
                    format!("the watermark must be {}, but the expression has type {}", time.kind, e.ty.kind),
                    e.span,
                ));
            }
            let time = time.clone();
            binder.cast_to(e, &time)
        })?;
        if foreign {
            set_spans(&mut e, at);
        }
        e.ty.time = TimeAttribute::None;
        fields[spec.column].ty.time = TimeAttribute::Rowtime;
        Ok((fields, computed, Some((spec.column, e))))
    }
}

/// TIMESTAMP or TIMESTAMP_LTZ in milliseconds at most.
fn is_time_type(ty: &DataType) -> bool {
    matches!(ty.kind, TypeKind::Timestamp(0..=3) | TypeKind::TimestampLtz(0..=3))
}

fn set_spans(e: &mut Expr, at: Span) {
    e.span = at;
    e.children_mut().into_iter().for_each(|c| set_spans(c, at));
}

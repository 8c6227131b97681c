//! SHOW and DESCRIBE: what the session knows, as rows of a query, so that they print and compare like any other result.

use super::ast::{Describe, DescribeObject, ObjectName, Show, ShowKind};
use super::parser;
use super::planner::Planner;
use super::print::quoted_expr;
use crate::batch::{Column, ColumnRef, Field, Schema, TimeAttribute, TypeKind};
use crate::error::{Error, Result, Span};
use crate::plan::catalog::{ColumnKind, Object, ObjectPath, Table, View};
use crate::plan::connector::SinkSpec;
use crate::plan::logical::{Rel, RelKind};

/// A cell: a text, or BOOLEAN for `null`.
enum Cell {
    Text(Option<String>),
    Bool(bool),
}

impl Planner<'_> {
    /// The rows of SHOW.
    pub(super) fn show(&self, s: &Show, at: Span) -> Result<Rel> {
        let catalogs = self.catalogs();
        let (catalog, database) = catalogs.current();
        let scope = || -> Result<(String, String)> {
            let (c, d) = match &s.from {
                Some(from) => self.database_path(&from.name)?,
                None => (catalog.to_owned(), database.to_owned()),
            };
            if !catalogs.has_database(&c, &d) {
                return Err(Error::validation(format!("there is no database '{d}'"), at));
            }
            Ok((c, d))
        };
        let objects = |views: bool| -> Result<Vec<String>> {
            let (c, d) = scope()?;
            let path =
                |name: &str| ObjectPath { catalog: c.clone(), database: d.clone(), object: name.into() };
            let mut names: Vec<String> =
                catalogs.names_near(&path("")).into_iter().map(str::to_owned).collect();
            names.sort();
            names.dedup();
            names.retain(|n| !views || matches!(catalogs.get(&path(n)), Some(Object::View(_))));
            Ok(names)
        };
        let (header, mut names) = match &s.kind {
            ShowKind::Catalogs => ("catalog name", catalogs.catalog_names()),
            ShowKind::CurrentCatalog => ("current catalog name", vec![catalog.to_owned()]),
            ShowKind::CurrentDatabase => ("current database name", vec![database.to_owned()]),
            ShowKind::Databases => {
                let of = s.from.as_ref().map_or(catalog.to_owned(), |f| f.name.to_string());
                ("database name", catalogs.database_names(&of, at)?)
            }
            ShowKind::Tables => ("table name", objects(false)?),
            ShowKind::Views => ("view name", objects(true)?),
            ShowKind::Functions => {
                let mut names: Vec<String> = self.function_names().map(str::to_lowercase).collect();
                names.sort();
                names.dedup();
                ("function name", names)
            }
            ShowKind::UserFunctions => ("function name", vec![]),
            ShowKind::Modules => ("module name", vec!["core".to_owned()]),
            ShowKind::Partitions { table, .. } => {
                self.table_named(table)?;
                ("partition name", vec![])
            }
            ShowKind::CreateTable(name) => {
                let (path, table) = self.table_named(name)?;
                ("result", vec![create_table(&path, &table)?])
            }
            ShowKind::CreateView(name) => {
                let (path, object) = self.named(name)?;
                let Object::View(view) = object else {
                    return Err(Error::validation(format!("'{name}' is a table"), name.span())
                        .hint("write SHOW CREATE TABLE"));
                };
                ("result", vec![create_view(&path, &view)])
            }
            ShowKind::Columns => {
                let Some(from) = &s.from else {
                    return Err(Error::validation("SHOW COLUMNS needs FROM and a table", at));
                };
                let like = s.like.as_ref();
                return self.columns(&from.name, at, &|name| like.is_none_or(|l| matches(l, name)));
            }
            other => return Err(Error::unsupported(super::planner::show_name(other), at)),
        };
        if let Some(like) = &s.like {
            names.retain(|n| matches(like, n));
        }
        let rows = names.into_iter().map(|n| vec![Cell::Text(Some(n))]).collect();
        Ok(rows_of(vec![Field::new(header, TypeKind::STRING.nullable())], rows, at))
    }

    /// The rows of DESCRIBE.
    pub(super) fn describe(&self, d: &Describe, at: Span) -> Result<Rel> {
        match &d.object {
            DescribeObject::Table(name) => self.columns(name, at, &|_| true),
            _ => Err(Error::unsupported("DESCRIBE of anything but a table or view", at)),
        }
    }

    fn columns(&self, name: &ObjectName, at: Span, wanted: &dyn Fn(&str) -> bool) -> Result<Rel> {
        let (path, object) = self.named(name)?;
        let mut names = vec!["name", "type", "null", "key", "extras", "watermark"];
        let mut rows = vec![];
        let text = |t: &str| Cell::Text(Some(t.to_owned()));
        match object {
            Object::View(view) => {
                for f in self.view_schema(&path, &view, at)?.fields {
                    let kind = f.ty.kind.to_string();
                    let (none, nullable) = (|| Cell::Text(None), Cell::Bool(f.ty.nullable));
                    if wanted(&f.name) {
                        rows.push(vec![
                            text(&f.name),
                            Cell::Text(Some(kind)),
                            nullable,
                            none(),
                            none(),
                            none(),
                        ]);
                    }
                }
            }
            Object::Table(table) => {
                let comments = table.columns.iter().any(|c| c.comment.is_some());
                if comments {
                    names.push("comment");
                }
                let key: Vec<&str> = table.primary_key.iter().map(|&k| &*table.columns[k].name).collect();
                for (i, c) in table.columns.iter().enumerate().filter(|(_, c)| wanted(&c.name)) {
                    let watermark = table.watermark.as_ref().filter(|w| w.column == i);
                    let mut ty = c.ty.clone().with_nullable(true);
                    if watermark.is_some() {
                        ty = ty.with_time(TimeAttribute::Rowtime);
                    }
                    let extras = match &c.kind {
                        ColumnKind::Physical => None,
                        ColumnKind::Computed(e) => Some(format!("AS {}", expr_text(e.as_str())?)),
                        ColumnKind::Metadata { key, is_virtual } => Some(metadata(key, &c.name, *is_virtual)),
                    };
                    let mut row = vec![
                        text(&c.name),
                        Cell::Text(Some(ty.to_string())),
                        Cell::Bool(c.ty.nullable),
                        Cell::Text(
                            table.primary_key.contains(&i).then(|| format!("PRI({})", key.join(", "))),
                        ),
                        Cell::Text(extras),
                        Cell::Text(watermark.map(|w| expr_text(w.expr.as_str())).transpose()?),
                    ];
                    if comments {
                        row.push(Cell::Text(c.comment.clone()));
                    }
                    rows.push(row);
                }
            }
        }
        let fields = names.into_iter().map(|n| {
            let ty = if n == "null" { TypeKind::Boolean } else { TypeKind::STRING };
            Field::new(n, ty.nullable())
        });
        Ok(rows_of(fields.collect(), rows, at))
    }

    fn named(&self, name: &ObjectName) -> Result<(ObjectPath, Object)> {
        let path = self.path(name)?;
        match self.catalogs().get(&path) {
            Some(object) => Ok((path.clone(), object.clone())),
            None => Err(Error::validation(format!("there is no table or view '{name}'"), name.span())),
        }
    }

    fn table_named(&self, name: &ObjectName) -> Result<(ObjectPath, std::sync::Arc<Table>)> {
        match self.named(name)? {
            (path, Object::Table(table)) => Ok((path, table)),
            (_, Object::View(_)) => {
                Err(Error::validation(format!("'{name}' is a view"), name.span())
                    .hint("write SHOW CREATE VIEW"))
            }
        }
    }
}

/// LIKE as in SQL: `%` any text, `_` any character.
fn matches(like: &super::ast::ShowLike, name: &str) -> bool {
    fn at(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('%', rest)) => (0..=name.len()).any(|n| at(rest, &name[n..])),
            Some(('_', rest)) => !name.is_empty() && at(rest, &name[1..]),
            Some((c, rest)) => name.first() == Some(c) && at(rest, &name[1..]),
        }
    }
    let chars = |t: &str| -> Vec<char> {
        if like.ignore_case { t.to_lowercase().chars().collect() } else { t.chars().collect() }
    };
    at(&chars(&like.pattern), &chars(name)) != like.negated
}

/// The rows as the result of a query.
fn rows_of(fields: Vec<Field>, rows: Vec<Vec<Cell>>, at: Span) -> Rel {
    let mut columns: Vec<Column> = fields.iter().map(|f| Column::new(&f.ty)).collect();
    for cell in rows.into_iter().flat_map(|r| r.into_iter().enumerate()) {
        let c = &mut columns[cell.0];
        match cell.1 {
            Cell::Text(None) => c.push_null(),
            Cell::Text(Some(text)) => {
                c.validity.push(true);
                c.byte_column_mut().push(text.as_bytes());
            }
            Cell::Bool(b) => {
                c.validity.push(true);
                c.bools_mut().push(b);
            }
        }
    }
    let schema = Schema::new(fields);
    let kind = RelKind::Values { columns: columns.into_iter().map(ColumnRef::new).collect() };
    let input = Box::new(Rel { kind, schema: schema.clone(), span: at });
    let spec = SinkSpec { table: None, schema: schema.clone(), drop_nulls: false, any_key: true };
    Rel { kind: RelKind::Sink { input, spec, info: None }, schema, span: at }
}

/// An expression as Flink keeps it: with every name in back quotes.
fn expr_text(text: &str) -> Result<String> {
    Ok(quoted_expr(&parser::parse_expr(text)?))
}

fn metadata(key: &str, name: &str, is_virtual: bool) -> String {
    let from = if key == name { String::new() } else { format!(" FROM '{key}'") };
    format!("METADATA{from}{}", if is_virtual { " VIRTUAL" } else { "" })
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn full_name(path: &ObjectPath) -> String {
    [&path.catalog, &path.database, &path.object].map(|n| quoted(n)).join(".")
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The type with lengths written out, as Flink writes it into statements.
fn written(ty: &TypeKind) -> String {
    // What stands in back quotes is the name of a field.
    let text = ty.to_string();
    let part = |(n, part): (usize, &str)| match n % 2 {
        0 => part.replace("STRING", "VARCHAR(2147483647)").replace("BYTES", "VARBINARY(2147483647)"),
        _ => format!("`{part}`"),
    };
    text.split('`').enumerate().map(part).collect()
}

fn create_table(path: &ObjectPath, table: &Table) -> Result<String> {
    let mut lines = vec![];
    for c in &table.columns {
        let mut line = match &c.kind {
            ColumnKind::Physical => {
                let null = if c.ty.nullable { "" } else { " NOT NULL" };
                format!("{} {}{null}", quoted(&c.name), written(&c.ty.kind))
            }
            ColumnKind::Computed(e) => format!("{} AS {}", quoted(&c.name), expr_text(e.as_str())?),
            ColumnKind::Metadata { key, is_virtual } => {
                let text = metadata(key, &c.name, *is_virtual);
                format!("{} {} {text}", quoted(&c.name), written(&c.ty.kind))
            }
        };
        if let Some(comment) = &c.comment {
            line += &format!(" COMMENT {}", literal(comment));
        }
        lines.push(line);
    }
    if let Some(w) = &table.watermark {
        let (column, e) = (quoted(&table.columns[w.column].name), expr_text(w.expr.as_str())?);
        lines.push(format!("WATERMARK FOR {column} AS {e}"));
    }
    let names = |numbers: &[usize]| -> String {
        numbers.iter().map(|&k| quoted(&table.columns[k].name)).collect::<Vec<_>>().join(", ")
    };
    if !table.primary_key.is_empty() {
        let plain: Vec<&str> = table.primary_key.iter().map(|&k| &*table.columns[k].name).collect();
        let (name, key) = (quoted(&format!("PK_{}", plain.join("_"))), names(&table.primary_key));
        lines.push(format!("CONSTRAINT {name} PRIMARY KEY ({key}) NOT ENFORCED"));
    }
    let mut out = format!("CREATE TABLE {} (\n  {}\n)\n", full_name(path), lines.join(",\n  "));
    if let Some(comment) = &table.comment {
        out += &format!("COMMENT {}\n", literal(comment));
    }
    if !table.partition_keys.is_empty() {
        out += &format!("PARTITIONED BY ({})\n", names(&table.partition_keys));
    }
    let connector = Some(("connector", table.connector.connector.as_str())).filter(|c| !c.1.is_empty());
    let mut options: Vec<(&str, &str)> = table
        .connector
        .options
        .iter()
        .map(|(k, v)| (k.as_str(), v.value.as_str()))
        .chain(connector)
        .collect();
    options.sort_unstable();
    options.dedup();
    let options: Vec<String> =
        options.into_iter().map(|(k, v)| format!("  {} = {}", literal(k), literal(v))).collect();
    Ok(out + &format!("WITH (\n{}\n)\n", options.join(",\n")))
}

fn create_view(path: &ObjectPath, view: &View) -> String {
    let columns: Vec<String> = view.columns.iter().map(|c| quoted(c)).collect();
    let mut out = format!("CREATE VIEW {} (\n  {}\n)\n", full_name(path), columns.join(",\n  "));
    if let Some(comment) = &view.comment {
        out += &format!("COMMENT {}\n", literal(comment));
    }
    out + &format!("AS {}\n", view.query.as_str())
}

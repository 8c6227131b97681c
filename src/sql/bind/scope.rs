//! What names mean in a query: the relations of a FROM clause with their aliases and columns.
//!
//! Names are case-sensitive. A dotted name is read as Flink reads it: the longest prefix that names a relation, then a column, then
//! fields of ROW values; `a.b` is column `b` of relation `a`, or field `b` of column `a` when no relation is called `a`.

use super::names::did_you_mean;
use crate::batch::{DataType, Schema, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::sql::ast::{Ident, ObjectName};

/// The columns that expressions of one SELECT can name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// In order of FROM.
    pub(crate) relations: Vec<Relation>,
}

/// One relation of a FROM clause.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    /// The alias, or the full name of a table without alias (`catalog`, `database`, `table`); empty: anonymous.
    pub(crate) name: Vec<String>,
    /// Its columns: name, type; their numbers count from `first`.
    pub(crate) columns: Vec<(String, DataType)>,
    /// Number of its first column in the joined row.
    pub(crate) first: usize,
    /// Those that are reached by the relation's name alone: a column of USING stands for them.
    pub(crate) unnamed: Vec<usize>,
}

impl Relation {
    /// The columns of `schema`.
    pub(crate) fn of(schema: &Schema, name: Vec<String>) -> Self {
        let columns = schema.fields.iter().map(|f| (f.name.clone(), f.ty.clone())).collect();
        Self { name, columns, first: 0, unnamed: vec![] }
    }

    /// `written` names this relation: it is a suffix of its full name.
    fn is_named(&self, written: &[Ident]) -> bool {
        !written.is_empty()
            && written.len() <= self.name.len()
            && self.name[self.name.len() - written.len()..].iter().zip(written).all(|(n, w)| *n == w.name)
    }

    pub(crate) fn short_name(&self) -> &str {
        self.name.last().map_or("", String::as_str)
    }
}

impl Scope {
    /// One relation with the columns of `schema`.
    pub(crate) fn of(schema: &Schema, name: Vec<String>) -> Self {
        Self { relations: vec![Relation::of(schema, name)] }
    }

    /// Number of columns.
    pub(crate) fn len(&self) -> usize {
        self.relations.iter().map(|r| r.columns.len()).sum()
    }

    /// The columns that a name alone reaches, in order: number, name, type.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, &str, &DataType)> {
        self.relations.iter().flat_map(|r| {
            let named = r.columns.iter().enumerate().filter(|(i, _)| !r.unnamed.contains(i));
            named.map(|(i, (n, t))| (r.first + i, n.as_str(), t))
        })
    }

    /// The relations of a table of the FROM clause come to those before it.
    ///
    /// # Errors
    /// One has the name of another; `at` is where the table stands.
    pub(crate) fn add(&mut self, relations: Vec<Relation>, at: Span) -> Result<()> {
        for r in &relations {
            if let Some(name) = r.name.last()
                && self.relations.iter().any(|l| l.name == r.name)
            {
                let message = format!("two tables of the FROM clause are called '{name}'");
                return Err(Error::validation(message, at).hint("give one of them an alias"));
            }
        }
        self.relations.extend(relations);
        Ok(())
    }

    /// A column of USING stands for those of these numbers.
    pub(crate) fn hide(&mut self, columns: &[usize]) {
        for r in &mut self.relations {
            let own = columns.iter().filter_map(|c| c.checked_sub(r.first)).filter(|&c| c < r.columns.len());
            r.unnamed.extend(own);
        }
    }

    /// The relation of that name.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub(crate) fn relation(&self, name: &ObjectName) -> Result<&Relation> {
        let mut found = self.relations.iter().filter(|r| r.is_named(&name.0));
        match (found.next(), found.next()) {
            (Some(r), None) => Ok(r),
            (Some(_), Some(_)) => Err(Error::validation(format!("table '{name}' is ambiguous"), name.span())
                .hint("give the tables different aliases")),
            (None, _) => Err(self.unknown_relation(&name.to_string(), name.span())),
        }
    }

    fn unknown_relation(&self, name: &str, span: Span) -> Error {
        let e = Error::validation(format!("table '{name}' not found"), span);
        match did_you_mean(name, self.relations.iter().map(Relation::short_name)) {
            Some(hint) => e.hint(hint),
            None => e,
        }
    }

    /// The column, or field of a column, of that name.
    ///
    /// # Errors
    /// No such thing, or more than one.
    pub(crate) fn resolve(&self, name: &ObjectName) -> Result<Expr> {
        let parts = &name.0;
        // The longest prefix that names a relation.
        for prefix in (1..parts.len().min(4)).rev() {
            let mut found = self.relations.iter().filter(|r| r.is_named(&parts[..prefix]));
            let Some(relation) = found.next() else { continue };
            if found.next().is_some() {
                let shown = ObjectName(parts[..prefix].to_vec());
                return Err(Error::validation(format!("table '{shown}' is ambiguous"), shown.span()));
            }
            let column = column_of(relation, &parts[prefix])?;
            return fields(column, &parts[prefix + 1..], name.span());
        }
        let first = &parts[0];
        match self.column(first)? {
            Some(column) => {
                if parts.len() > 1 && !matches!(column.ty.kind, TypeKind::Row(_)) {
                    return Err(self.unknown_relation(&first.name, first.span));
                }
                fields(column, &parts[1..], name.span())
            }
            None if parts.len() > 1 => Err(self.unknown_relation(&first.name, first.span)),
            None => {
                let e = Error::validation(format!("column '{first}' not found in any table"), first.span);
                Err(match did_you_mean(&first.name, self.columns().map(|c| c.1)) {
                    Some(hint) => e.hint(hint),
                    None => e,
                })
            }
        }
    }

    /// The one column called `name`.
    ///
    /// # Errors
    /// It is ambiguous.
    pub(crate) fn column(&self, name: &Ident) -> Result<Option<Expr>> {
        let mut found = self.columns().filter(|c| c.1 == name.name);
        match (found.next(), found.next()) {
            (Some((n, _, ty)), None) => Ok(Some(Expr::column(n, ty.clone(), name.span))),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => {
                let tables: Vec<String> = self
                    .relations
                    .iter()
                    .filter(|r| r.columns.iter().any(|c| c.0 == name.name))
                    .map(|r| format!("{}.{name}", r.short_name()))
                    .collect();
                Err(Error::validation(format!("column '{name}' is ambiguous"), name.span)
                    .hint(format!("write {}", tables.join(" or "))))
            }
        }
    }
}

fn column_of(relation: &Relation, name: &Ident) -> Result<Expr> {
    match relation.columns.iter().position(|c| c.0 == name.name) {
        Some(i) => Ok(Expr::column(relation.first + i, relation.columns[i].1.clone(), name.span)),
        None => {
            let e = Error::validation(
                format!("column '{name}' not found in table '{}'", relation.short_name()),
                name.span,
            );
            Err(match did_you_mean(&name.name, relation.columns.iter().map(|c| c.0.as_str())) {
                Some(hint) => e.hint(hint),
                None => e,
            })
        }
    }
}

/// `base.a.b`: fields of ROW values.
///
/// # Errors
/// A field that does not exist, or a value that is not a ROW.
pub(crate) fn fields(base: Expr, path: &[Ident], span: Span) -> Result<Expr> {
    path.iter().try_fold(Expr { span, ..base }, |base, name| {
        let TypeKind::Row(row) = &base.ty.kind else {
            return Err(Error::validation(
                format!("'{name}' is not a field: the value has type {}", base.ty.kind),
                name.span,
            ));
        };
        let Some(n) = row.iter().position(|f| f.name == name.name) else {
            let e = Error::validation(format!("the row has no field '{name}'"), name.span);
            return Err(match did_you_mean(&name.name, row.iter().map(|f| f.name.as_str())) {
                Some(hint) => e.hint(hint),
                None => e,
            });
        };
        let field = row[n].ty.clone();
        let ty = DataType { nullable: field.nullable || base.ty.nullable, ..field };
        Ok(Expr { kind: ExprKind::Field(Box::new(base), n), ty, span })
    })
}

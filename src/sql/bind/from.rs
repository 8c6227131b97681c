//! The FROM clause: tables, views, common table expressions, subqueries, table functions.

use super::Binder;
use super::names::did_you_mean;
use super::query::rename;
use super::scope::Scope;
use super::unnest::Elements;
use crate::error::{Error, Result, Span};
use crate::plan::aside::Aside;
use crate::plan::catalog::{Object, ObjectPath, View};
use crate::plan::connector::OptionValue;
use crate::plan::logical::{Rel, RelKind};
use crate::sql::ast::{From, Hint, HintArgs, ObjectName, TableFactor, TableSource};
use crate::sql::parser;

impl Binder<'_> {
    /// A FROM clause: the joined relation and the names in it.
    pub(super) fn from(&mut self, from: &From) -> Result<(Rel, Scope)> {
        let (mut rel, mut scope) = self.factor(&from.first)?;
        for join in &from.joins {
            (rel, scope) = self.join(rel, scope, join)?;
        }
        Ok((rel, scope))
    }

    pub(super) fn factor(&mut self, f: &TableFactor) -> Result<(Rel, Scope)> {
        if let Some(p) = &f.pivot {
            return Err(Error::unsupported("PIVOT", p.span));
        }
        if let Some(u) = &f.unpivot {
            return Err(Error::unsupported("UNPIVOT", u.span));
        }
        if let Some(s) = &f.sample {
            return Err(Error::unsupported("TABLESAMPLE", s.span));
        }
        if let Some(of) = Elements::of(f) {
            let (rel, scope) = self.unnest(Rel::one_row(f.span), &Scope::default(), of?, false)?;
            let width = rel.schema.len();
            return Ok((rel.project_columns(&(1..width).collect::<Vec<_>>()), scope));
        }
        let (mut rel, name) = match &f.source {
            TableSource::Table(t) => {
                if let Some(e) = &t.as_of {
                    return Err(Error::unsupported("FOR SYSTEM_TIME AS OF (a temporal join)", e.span));
                }
                if let Some(c) = t.extend.first() {
                    return Err(Error::unsupported("EXTEND", c.span));
                }
                self.table(&t.name, &t.hints, f.span)?
            }
            TableSource::Subquery { lateral: true, query } => {
                return Err(Error::unsupported("a LATERAL subquery", query.span));
            }
            TableSource::Subquery { query, .. } => (self.query(query)?, vec![]),
            TableSource::Function { call, .. } => {
                match self.registry.table(&call.name.to_string()).cloned() {
                    Some(function) => (self.rows_of(call, &*function)?, vec![]),
                    None => (self.table_function(call)?, vec![]),
                }
            }
            TableSource::Unnest { .. } => unreachable!("asked for above"),
            TableSource::Join(from) => {
                let (rel, scope) = self.from(from)?;
                if f.alias.is_none() && f.match_recognize.is_none() {
                    return Ok((rel, scope));
                }
                (rel, vec![])
            }
        };
        let name = match &f.match_recognize {
            Some(m) => {
                rel = self.match_recognize(rel, m)?;
                vec![]
            }
            None => name,
        };
        let name = match &f.alias {
            Some(alias) => {
                rename(&mut rel, &alias.columns, &format!("the alias '{}'", alias.name))?;
                vec![alias.name.name.clone()]
            }
            None => name,
        };
        let scope = Scope::of(&rel.schema, name);
        Ok((rel, scope))
    }

    /// A table by name: a common table expression, a view or a table. Gives also the name by which its columns can be qualified.
    pub(super) fn table(
        &mut self,
        name: &ObjectName,
        hints: &[Hint],
        at: Span,
    ) -> Result<(Rel, Vec<String>)> {
        let options = hint_options(hints)?;
        if let Some(simple) = name.as_simple()
            && let Some((_, rel)) = self.ctes.iter().rev().find(|c| c.0 == simple.name)
        {
            let rel = rel.clone();
            refuse_options(&options, "a common table expression")?;
            self.count(&rel, at)?;
            return Ok((rel, vec![simple.name.clone()]));
        }
        if let Some((path, aside)) = self.aside(name) {
            refuse_options(&options, "a table of rows laid aside")?;
            let rel = Rel { kind: RelKind::Aside(aside), schema: aside.schema(), span: name.span() };
            return Ok((rel, vec![path.catalog, path.database, path.object]));
        }
        let (path, object) = self.lookup(name)?;
        let rel = match object {
            Object::Table(table) => self.scan(&path, &table, options, name.span())?,
            Object::View(view) => {
                refuse_options(&options, "a view")?;
                let rel = self.view(&path, &view, name.span())?;
                self.count(&rel, at)?;
                rel
            }
        };
        Ok((rel, vec![path.catalog, path.database, path.object]))
    }

    fn count(&mut self, rel: &Rel, at: Span) -> Result<()> {
        fn size(rel: &Rel) -> usize {
            1 + rel.inputs().into_iter().map(size).sum::<usize>()
        }
        self.check_size(rel, at)?;
        self.relations += size(rel);
        Ok(())
    }

    /// The name is that of a table of late or bad rows, as SET gave it, and of no other.
    fn aside(&self, name: &ObjectName) -> Option<(ObjectPath, Aside)> {
        let parts: Vec<&str> = name.0.iter().map(|i| i.name.as_str()).collect();
        let path = self.catalogs.path(&parts, (&self.context.0, &self.context.1), name.span()).ok()?;
        let of = |key| self.settings.get(key) == Some(path.object.as_str());
        let found = Aside::ALL.into_iter().find(|a| of(a.setting()))?;
        self.catalogs.get(&path).is_none().then_some((path, found))
    }

    /// What a name stands for.
    pub(super) fn lookup(&self, name: &ObjectName) -> Result<(ObjectPath, Object)> {
        let parts: Vec<&str> = name.0.iter().map(|i| i.name.as_str()).collect();
        let path = self.catalogs.path(&parts, (&self.context.0, &self.context.1), name.span())?;
        match self.catalogs.get(&path) {
            Some(object) => Ok((path.clone(), object.clone())),
            None => {
                let e = Error::validation(format!("table '{name}' not found"), name.span());
                let ctes = self.ctes.iter().map(|c| c.0.as_str());
                let known: Vec<&str> = self.catalogs.names_near(&path).into_iter().chain(ctes).collect();
                Err(e.hint(match did_you_mean(&path.object, known.iter().copied()) {
                    Some(hint) => hint,
                    None if known.is_empty() => {
                        "a table is made before it is used: CREATE TABLE …".to_owned()
                    }
                    None => format!("there are {}", listed(&known)),
                }))
            }
        }
    }

    /// A view's query, bound where the view was made.
    pub(crate) fn view(&mut self, path: &ObjectPath, view: &View, at: Span) -> Result<Rel> {
        if self.views.contains(path) {
            return Err(Error::validation(format!("view '{}' reads itself", path.object), at));
        }
        if self.views.len() >= crate::sql::MAX_DEPTH / 4 {
            return Err(Error::planning("views are nested more than 50 deep", at));
        }
        self.views.push(path.clone());
        let what = format!("view '{}'", path.object);
        let result = self.elsewhere(&view.query, Some(&view.context), &what, at, |binder, text| {
            binder.query(&parser::parse_query(text)?)
        });
        self.views.pop();
        let (mut rel, foreign) = result?;
        if foreign {
            rel.set_spans(at);
        }
        if rel.schema.len() != view.columns.len() {
            return Err(Error::validation(
                format!(
                    "view '{}' was made with {} columns, its query now has {}",
                    path.object,
                    view.columns.len(),
                    rel.schema.len()
                ),
                at,
            )
            .hint("a table that it reads has changed: create the view again"));
        }
        for (field, name) in rel.schema.fields.iter_mut().zip(&view.columns) {
            field.name.clone_from(name);
        }
        Ok(rel)
    }
}

/// The options of `/*+ OPTIONS(…) */`.
pub(super) fn hint_options(hints: &[Hint]) -> Result<Vec<(String, OptionValue)>> {
    let mut out = vec![];
    for hint in hints {
        if !hint.name.name.eq_ignore_ascii_case("OPTIONS") {
            return Err(Error::unsupported(format!("the hint {}", hint.name), hint.span));
        }
        let HintArgs::Options(options) = &hint.args else {
            return Err(Error::validation("OPTIONS takes 'key' = 'value' pairs", hint.span));
        };
        out.extend(
            options
                .iter()
                .map(|o| (o.key.clone(), OptionValue { value: o.value.clone(), span: o.span, pair: o.span })),
        );
    }
    Ok(out)
}

/// The first names of a list.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

fn refuse_options(options: &[(String, OptionValue)], what: &str) -> Result<()> {
    match options.first() {
        None => Ok(()),
        Some((_, value)) => Err(Error::validation(format!("{what} has no options"), value.span)
            .hint("OPTIONS belongs behind the name of a table")),
    }
}

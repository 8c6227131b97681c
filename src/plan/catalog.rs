//! Catalogs, databases, tables and views by name.
//!
//! Names are case-sensitive, as Flink's. A temporary table or view hides a permanent one of the same name until it is dropped; it
//! lives in the session, not in a database, and so outlives `DROP DATABASE`. Expressions and queries of a definition (computed
//! columns, watermarks, views) are kept as text with the place it came from ([`SqlText`]) and bound again at each use, because
//! what they mean depends on the session (its time zone) and on other tables, which may change in between.

use super::connector::{ConnectorSpec, OptionValue};
use crate::batch::{DataType, Field, Schema};
use crate::error::{Error, Result, Span};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The catalog that exists from the start.
pub const DEFAULT_CATALOG: &str = "default_catalog";
/// The database that exists from the start.
pub const DEFAULT_DATABASE: &str = "default_database";

/// A part of an SQL text: the whole text and where the part stands in it.
#[derive(Clone, Debug)]
pub struct SqlText {
    /// All of the text (a script).
    pub text: Arc<str>,
    /// The part.
    pub span: Span,
}

impl SqlText {
    /// The characters of the part.
    pub fn as_str(&self) -> &str {
        self.span.text(&self.text)
    }
}

/// The full name of a table or view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPath {
    /// The catalog.
    pub catalog: String,
    /// The database in it.
    pub database: String,
    /// The table or view in it.
    pub object: String,
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.catalog, self.database, self.object)
    }
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Object {
    /// A table.
    Table(Arc<Table>),
    /// A view.
    View(Arc<View>),
}

impl Object {
    /// `table` or `view`, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Object::Table(_) => "table",
            Object::View(_) => "view",
        }
    }
}

/// A table as CREATE TABLE declared it.
#[derive(Clone, Debug)]
pub struct Table {
    /// All columns in declared order.
    pub columns: Vec<TableColumn>,
    /// WATERMARK FOR.
    pub watermark: Option<WatermarkSpec>,
    /// PRIMARY KEY … NOT ENFORCED: column numbers; empty where there is none.
    pub primary_key: Vec<usize>,
    /// PARTITIONED BY: column numbers.
    pub partition_keys: Vec<usize>,
    /// WITH. `connector` is empty where the option is missing, which fails only when the table is used, as in Flink.
    pub connector: ConnectorSpec,
    /// COMMENT.
    pub comment: Option<String>,
    /// The statement that made it.
    pub definition: SqlText,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct TableColumn {
    /// The name.
    pub name: String,
    /// The type; that of the expression for computed columns.
    pub ty: DataType,
    /// Where its values come from.
    pub kind: ColumnKind,
    /// COMMENT.
    pub comment: Option<String>,
    /// Where it is declared.
    pub span: Span,
}

/// Where the values of a column come from.
#[derive(Clone, Debug)]
pub enum ColumnKind {
    /// The data itself.
    Physical,
    /// An expression over the other columns.
    Computed(SqlText),
    /// What the connector knows of a row besides its data.
    Metadata {
        /// The connector's name for it.
        key: String,
        /// Not written by sinks.
        is_virtual: bool,
    },
}

impl TableColumn {
    /// Read from, and written with, the data.
    pub fn is_physical(&self) -> bool {
        matches!(self.kind, ColumnKind::Physical)
    }

    /// Part of what INSERT INTO writes.
    pub fn is_persisted(&self) -> bool {
        matches!(self.kind, ColumnKind::Physical | ColumnKind::Metadata { is_virtual: false, .. })
    }
}

/// WATERMARK FOR column AS expression.
#[derive(Clone, Debug)]
pub struct WatermarkSpec {
    /// The time attribute's column number.
    pub column: usize,
    /// The expression.
    pub expr: SqlText,
    /// Where the clause stands.
    pub span: Span,
}

/// A view: its columns' names and its query.
#[derive(Clone, Debug)]
pub struct View {
    /// The names of its columns.
    pub columns: Vec<String>,
    /// The query.
    pub query: SqlText,
    /// The catalog and database in which the query's names are looked up.
    pub context: (String, String),
    /// COMMENT.
    pub comment: Option<String>,
    /// The statement that made it.
    pub definition: SqlText,
}

impl Table {
    /// The number of the column of that name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// The physical columns alone, and the number that each column has among them.
    pub fn physical(&self) -> (Schema, Vec<Option<usize>>) {
        let mut fields = vec![];
        let numbers = self
            .columns
            .iter()
            .map(|c| {
                c.is_physical().then(|| {
                    fields.push(Field::new(&c.name, c.ty.clone()));
                    fields.len() - 1
                })
            })
            .collect();
        (Schema::new(fields), numbers)
    }

    /// The options with others on top: `/*+ OPTIONS(…) */`, ALTER TABLE … SET. `connector` is one of them.
    pub fn set_options(&mut self, options: impl IntoIterator<Item = (String, OptionValue)>) {
        for (key, value) in options {
            if key == "connector" {
                self.connector.connector = value.value;
            } else {
                self.connector.options.insert(key, value);
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Database {
    objects: BTreeMap<String, Object>,
}

/// All catalogs of a session, and which database is the current one.
#[derive(Clone, Debug)]
pub struct Catalogs {
    catalogs: BTreeMap<String, BTreeMap<String, Database>>,
    temporary: BTreeMap<ObjectPath, Object>,
    catalog: String,
    database: String,
}

impl Default for Catalogs {
    fn default() -> Self {
        let databases = BTreeMap::from([(DEFAULT_DATABASE.to_owned(), Database::default())]);
        Self {
            catalogs: BTreeMap::from([(DEFAULT_CATALOG.to_owned(), databases)]),
            temporary: BTreeMap::new(),
            catalog: DEFAULT_CATALOG.to_owned(),
            database: DEFAULT_DATABASE.to_owned(),
        }
    }
}

impl Catalogs {
    /// The current catalog and database.
    pub fn current(&self) -> (&str, &str) {
        (&self.catalog, &self.database)
    }

    /// The full name of `object`, `database.object` or `catalog.database.object` seen from `context`.
    ///
    /// # Errors
    /// More than three parts.
    pub fn path(&self, parts: &[&str], context: (&str, &str), span: Span) -> Result<ObjectPath> {
        let (catalog, database, object) = match *parts {
            [object] => (context.0, context.1, object),
            [database, object] => (context.0, database, object),
            [catalog, database, object] => (catalog, database, object),
            _ => {
                return Err(Error::validation(
                    format!("'{}' is not the name of a table", parts.join(".")),
                    span,
                )
                .hint("a name has at most three parts: catalog.database.table"));
            }
        };
        Ok(ObjectPath { catalog: catalog.into(), database: database.into(), object: object.into() })
    }

    /// What a full name stands for. Temporary objects come first.
    pub fn get(&self, path: &ObjectPath) -> Option<&Object> {
        self.temporary.get(path).or_else(|| self.permanent(path))
    }

    /// The temporary object of that name.
    pub fn temporary(&self, path: &ObjectPath) -> Option<&Object> {
        self.temporary.get(path)
    }

    /// The permanent object of that name, hidden or not.
    pub fn permanent(&self, path: &ObjectPath) -> Option<&Object> {
        self.catalogs.get(&path.catalog)?.get(&path.database)?.objects.get(&path.object)
    }

    /// Names that could have been meant: all of that database, and the catalogs' and databases' names.
    pub fn names_near(&self, path: &ObjectPath) -> Vec<&str> {
        let mut names: Vec<&str> = vec![];
        if let Some(database) = self.catalogs.get(&path.catalog).and_then(|c| c.get(&path.database)) {
            names.extend(database.objects.keys().map(String::as_str));
        }
        names.extend(
            self.temporary
                .keys()
                .filter(|t| t.catalog == path.catalog && t.database == path.database)
                .map(|t| t.object.as_str()),
        );
        names
    }

    /// Adds or replaces an object.
    ///
    /// # Errors
    /// Its catalog or database does not exist.
    pub fn put(&mut self, path: ObjectPath, object: Object, temporary: bool, span: Span) -> Result<()> {
        if temporary {
            self.temporary.insert(path, object);
        } else {
            self.database_mut(&path.catalog, &path.database, span)?.objects.insert(path.object, object);
        }
        Ok(())
    }

    /// Removes an object: the temporary one, or the permanent one.
    pub fn remove(&mut self, path: &ObjectPath, temporary: bool) -> Option<Object> {
        if temporary {
            return self.temporary.remove(path);
        }
        self.catalogs.get_mut(&path.catalog)?.get_mut(&path.database)?.objects.remove(&path.object)
    }

    fn database_mut(&mut self, catalog: &str, database: &str, span: Span) -> Result<&mut Database> {
        let databases = self
            .catalogs
            .get_mut(catalog)
            .ok_or_else(|| Error::validation(format!("catalog '{catalog}' does not exist"), span))?;
        databases.get_mut(database).ok_or_else(|| {
            Error::validation(format!("database '{database}' does not exist in catalog '{catalog}'"), span)
        })
    }

    /// The catalogs, by name.
    pub fn catalog_names(&self) -> Vec<String> {
        self.catalogs.keys().cloned().collect()
    }

    /// The databases of a catalog, by name.
    ///
    /// # Errors
    /// It does not exist.
    pub fn database_names(&self, catalog: &str, span: Span) -> Result<Vec<String>> {
        let databases = self
            .catalogs
            .get(catalog)
            .ok_or_else(|| Error::validation(format!("catalog '{catalog}' does not exist"), span))?;
        Ok(databases.keys().cloned().collect())
    }

    /// DROP CATALOG. It exists.
    ///
    /// # Errors
    /// It is the current one.
    pub fn drop_catalog(&mut self, catalog: &str, span: Span) -> Result<()> {
        if catalog == self.catalog {
            return Err(Error::validation("the catalog in use cannot be dropped", span)
                .hint("switch with USE CATALOG first"));
        }
        self.catalogs.remove(catalog);
        Ok(())
    }

    /// The catalog exists.
    pub fn has_catalog(&self, catalog: &str) -> bool {
        self.catalogs.contains_key(catalog)
    }

    /// The database exists.
    pub fn has_database(&self, catalog: &str, database: &str) -> bool {
        self.catalogs.get(catalog).is_some_and(|c| c.contains_key(database))
    }

    /// CREATE CATALOG: in memory, with a `default` database.
    pub fn create_catalog(&mut self, catalog: &str) {
        self.catalogs
            .entry(catalog.to_owned())
            .or_insert_with(|| BTreeMap::from([("default".to_owned(), Database::default())]));
    }

    /// CREATE DATABASE.
    ///
    /// # Errors
    /// The catalog does not exist.
    pub fn create_database(&mut self, catalog: &str, database: &str, span: Span) -> Result<()> {
        let databases = self
            .catalogs
            .get_mut(catalog)
            .ok_or_else(|| Error::validation(format!("catalog '{catalog}' does not exist"), span))?;
        databases.entry(database.to_owned()).or_default();
        Ok(())
    }

    /// DROP DATABASE.
    ///
    /// # Errors
    /// It is the current one, or it has tables and `cascade` is not given.
    pub fn drop_database(&mut self, catalog: &str, database: &str, cascade: bool, span: Span) -> Result<()> {
        if (catalog, database) == self.current() {
            return Err(Error::validation("the current database cannot be dropped", span)
                .hint("switch with USE another_database first"));
        }
        if !cascade && !self.database_mut(catalog, database, span)?.objects.is_empty() {
            return Err(Error::validation(format!("database '{database}' is not empty"), span)
                .hint("drop its tables first, or write CASCADE"));
        }
        if let Some(databases) = self.catalogs.get_mut(catalog) {
            databases.remove(database);
        }
        Ok(())
    }

    /// USE database.
    ///
    /// # Errors
    /// It does not exist.
    pub fn use_database(&mut self, catalog: &str, database: &str, span: Span) -> Result<()> {
        if !self.has_database(catalog, database) {
            let what = format!("database '{database}' does not exist in catalog '{catalog}'");
            return Err(Error::planning(what, span).hint("SHOW DATABASES lists them"));
        }
        self.catalog = catalog.to_owned();
        self.database = database.to_owned();
        Ok(())
    }

    /// USE CATALOG: with its default database.
    ///
    /// # Errors
    /// It does not exist.
    pub fn use_catalog(&mut self, catalog: &str, span: Span) -> Result<()> {
        let database = if catalog == DEFAULT_CATALOG { DEFAULT_DATABASE } else { "default" };
        self.use_database(catalog, database, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> Object {
        let text = SqlText { text: text.into(), span: Span::new(0, text.len() as u32) };
        Object::View(Arc::new(View {
            columns: vec![],
            query: text.clone(),
            context: (DEFAULT_CATALOG.into(), DEFAULT_DATABASE.into()),
            comment: None,
            definition: text,
        }))
    }

    fn text(object: Option<&Object>) -> &str {
        match object {
            Some(Object::View(v)) => v.query.as_str(),
            _ => "",
        }
    }

    #[test]
    fn a_temporary_view_hides_a_permanent_one_until_dropped() {
        let mut c = Catalogs::default();
        let at = Span::default();
        let path = c.path(&["v"], c.current(), at).unwrap();
        c.put(path.clone(), view("permanent"), false, at).unwrap();
        c.put(path.clone(), view("temporary"), true, at).unwrap();
        assert_eq!(text(c.get(&path)), "temporary");
        c.remove(&path, true).unwrap();
        assert_eq!(text(c.get(&path)), "permanent");
        assert!(c.remove(&path, true).is_none());
    }

    #[test]
    fn names_are_looked_up_from_the_current_database() {
        let mut c = Catalogs::default();
        let at = Span::default();
        c.create_database(DEFAULT_CATALOG, "db1", at).unwrap();
        c.use_database(DEFAULT_CATALOG, "db1", at).unwrap();
        let path = c.path(&["v"], c.current(), at).unwrap();
        assert_eq!(path.to_string(), "default_catalog.db1.v");
        c.put(path, view("x"), false, at).unwrap();
        c.use_database(DEFAULT_CATALOG, DEFAULT_DATABASE, at).unwrap();
        assert!(c.get(&c.path(&["v"], c.current(), at).unwrap()).is_none());
        assert!(c.get(&c.path(&["db1", "v"], c.current(), at).unwrap()).is_some());
        assert!(c.drop_database(DEFAULT_CATALOG, "db1", false, at).is_err());
        c.drop_database(DEFAULT_CATALOG, "db1", true, at).unwrap();
        assert!(c.path(&["a", "b", "c", "d"], c.current(), at).is_err());
    }
}

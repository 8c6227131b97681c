//! The public face of SQL: statements in, plans out.
//!
//! A [`Planner`] is a session: catalogs, current database, settings. Statements that define things change it and give
//! [`Outcome::Done`]; those that run give a [`Plan`], whose graph is all that the engine needs. The planner runs nothing and asks
//! nothing but its [`Connectors`].

use super::ast::{
    AlterViewAction, CreateCatalog, CreateTable, CreateTableSource, CreateView, Drop, DropObject, Executable,
    ExplainBody, Ident, Insert, ObjectName, ObjectScope, Query, ShowKind, Statement, StatementKind,
    TargetTable, UseTarget,
};
use super::bind::{Binder, Extensions, ddl};
use super::{optimise, parser};
use crate::batch::{Field, Schema};
use crate::error::{Error, Finding, Result, Span};
use crate::expr::Registry;
use crate::plan::aside::Aside;
use crate::plan::catalog::{Catalogs, Object, ObjectPath, View};
use crate::plan::connector::{ConnectorSpec, Connectors, TableSpec};
use crate::plan::logical::{Rel, RelKind};
use crate::plan::settings::{self, Settings};
use crate::plan::{Graph, Op, explain, physical, spread};
use std::sync::Arc;

/// A session that plans statements.
pub struct Planner<'a> {
    registry: &'a Registry,
    connectors: &'a dyn Connectors,
    catalogs: Catalogs,
    settings: Settings,
    extensions: Extensions,
    start_us: i64,
    shards: usize,
    /// The sinks of BEGIN STATEMENT SET … END so far.
    open_set: Option<Vec<Rel>>,
    /// The sinks of the job before, whose late and bad rows a query alone asks for.
    before: Vec<Rel>,
}

/// What became of a statement.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The session has changed, or the statement set has one more sink; nothing to run.
    Done,
    /// A job to run.
    Plan(Plan),
    /// An answer for the reader: EXPLAIN, SHOW, SET alone.
    Text(String),
}

/// A job.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What runs.
    pub graph: Graph,
    /// The relations after all rules, one a sink.
    pub logical: Vec<Rel>,
    /// The settings with which it was planned.
    pub settings: Settings,
    /// How many shards there are to run it.
    pub shards: usize,
    /// Its one sink hands rows to the caller: it came from a query, not from INSERT.
    pub returns_rows: bool,
    /// The statement.
    pub span: Span,
}

impl Plan {
    /// The logical tree and the physical graph as text.
    pub fn explain(&self) -> String {
        explain::explain(&self.logical, &self.graph)
    }
}

impl<'a> Planner<'a> {
    /// A new session. `start_us` is the driver's time, µs since the epoch.
    pub fn new(registry: &'a Registry, connectors: &'a dyn Connectors, start_us: i64) -> Self {
        Self {
            registry,
            connectors,
            catalogs: Catalogs::default(),
            settings: Settings::default(),
            extensions: Extensions::default(),
            start_us,
            shards: 1,
            open_set: None,
            before: vec![],
        }
    }

    /// How many shards run a job whose settings do not say.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = shards;
        self
    }

    /// The session's tables and views.
    pub fn catalogs(&self) -> &Catalogs {
        &self.catalogs
    }

    /// The session's settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the session met that Flink would not take, or would take for something else; in the order of the text.
    pub fn extensions(&self) -> Vec<Finding> {
        self.extensions.sorted()
    }

    /// The session's settings, to change.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Parses a script and executes all its statements. Spans of errors are those of `text`.
    ///
    /// # Errors
    /// The first error of any statement; the statements before it have taken effect in the session.
    pub fn script(&mut self, text: &str) -> Result<Vec<Outcome>> {
        let text: Arc<str> = text.into();
        let statements = parser::parse_statements(&text)?;
        let outcomes = statements.iter().map(|s| self.execute(s, &text)).collect::<Result<Vec<_>>>()?;
        if self.open_set.is_some() {
            let end = Span::new(text.len() as u32, text.len() as u32);
            return Err(Error::validation("BEGIN STATEMENT SET has no END", end));
        }
        Ok(outcomes)
    }

    /// Executes one statement of `text`.
    ///
    /// # Errors
    /// It is wrong, has no streaming plan, or uses what Pelton does not have.
    pub fn execute(&mut self, statement: &Statement, text: &Arc<str>) -> Result<Outcome> {
        let at = statement.span;
        if self.open_set.is_some()
            && !matches!(statement.kind, StatementKind::Insert(_) | StatementKind::EndStatementSet)
        {
            return Err(Error::validation("only INSERT INTO stands between BEGIN STATEMENT SET and END", at));
        }
        match &statement.kind {
            StatementKind::Query(q) => self.run_query(q, text),
            StatementKind::Insert(i) => self.run_insert(i, text),
            StatementKind::Execute(e) => {
                let sinks = self.sinks_of(e, text)?;
                let returns_rows = matches!(e, Executable::Query(_));
                self.run(sinks, returns_rows, at)
            }
            StatementKind::BeginStatementSet => {
                self.open_set = Some(vec![]);
                Ok(Outcome::Done)
            }
            StatementKind::EndStatementSet => match self.open_set.take() {
                None => Err(Error::validation("END without BEGIN STATEMENT SET", at)),
                Some(sinks) if sinks.is_empty() => Err(Error::validation("the statement set is empty", at)),
                Some(sinks) => self.run(sinks, false, at),
            },
            StatementKind::Explain(e) => self.explain(&e.body, text, e.span),
            StatementKind::CreateTable(c) => self.create_table(c, text),
            StatementKind::CreateView(c) => self.create_view(c, text),
            StatementKind::CreateDatabase(c) => {
                let (catalog, database) = self.database_path(&c.name)?;
                if self.catalogs.has_database(&catalog, &database) {
                    return exists_already(c.if_not_exists, "database", &database, c.name.span());
                }
                self.catalogs.create_database(&catalog, &database, c.name.span())?;
                Ok(Outcome::Done)
            }
            StatementKind::CreateCatalog(c) => self.create_catalog(c),
            StatementKind::AlterTable(a) => self.alter_table(a, text),
            StatementKind::AlterView(a) => self.alter_view(a, text),
            StatementKind::Drop(d) => self.drop(d),
            StatementKind::Use(target) => self.use_target(target, at),
            StatementKind::Set(Some(s)) => {
                self.refuse_taken(&s.key, &s.value, s.span)?;
                self.settings.set(&s.key, &s.value, s.span)?;
                if let Some(finding) = settings::extension(&s.key, &s.value, s.span) {
                    self.extensions.note(finding);
                }
                Ok(Outcome::Done)
            }
            StatementKind::Set(None) => {
                let lines = self.settings.to_map().into_iter().map(|(k, v)| format!("'{k}' = '{v}'\n"));
                Ok(Outcome::Text(lines.collect()))
            }
            StatementKind::Reset(key) => {
                self.settings.reset(key.as_deref());
                Ok(Outcome::Done)
            }
            StatementKind::Show(s) => self.plan(vec![self.show(s, at)?], true, at).map(Outcome::Plan),
            StatementKind::Describe(d) => self.plan(vec![self.describe(d, at)?], true, at).map(Outcome::Plan),
            // Functions are compiled in: one that a statement names must be there under that name.
            StatementKind::CreateFunction(f) if self.is_function(&f.name.to_string()) => {
                exists_already(f.if_not_exists, "function", &f.name.to_string(), f.name.span())
            }
            StatementKind::CreateFunction(f) => {
                let what = format!("CREATE FUNCTION {} of the class {}", f.name, f.class);
                Err(Error::unsupported(what, at)
                    .hint("register it in Rust (Registry::add_scalar, add_aggregate) under its name"))
            }
            other => Err(Error::unsupported(statement_name(other), at)),
        }
    }

    fn binder(&self, text: &Arc<str>) -> Binder<'_> {
        Binder::new(
            self.registry,
            self.connectors,
            &self.catalogs,
            &self.settings,
            &self.extensions,
            self.start_us,
            text.clone(),
        )
    }

    // ---- what runs

    fn run_query(&mut self, q: &Query, text: &Arc<str>) -> Result<Outcome> {
        let rel = self.binder(text).result(q)?;
        self.run(vec![rel], true, q.span)
    }

    fn run_insert(&mut self, i: &Insert, text: &Arc<str>) -> Result<Outcome> {
        let rel = self.binder(text).insert(i)?;
        match &mut self.open_set {
            Some(sinks) => {
                sinks.push(rel);
                Ok(Outcome::Done)
            }
            None => self.run(vec![rel], false, i.span),
        }
    }

    fn sinks_of(&self, e: &Executable, text: &Arc<str>) -> Result<Vec<Rel>> {
        Ok(match e {
            Executable::Query(q) => vec![self.binder(text).result(q)?],
            Executable::Insert(i) => vec![self.binder(text).insert(i)?],
            Executable::StatementSet(inserts) => {
                inserts.iter().map(|i| self.binder(text).insert(i)).collect::<Result<Vec<_>>>()?
            }
        })
    }

    fn run(&mut self, sinks: Vec<Rel>, returns_rows: bool, span: Span) -> Result<Outcome> {
        let plan = self.plan(sinks.clone(), returns_rows, span)?;
        if !sinks.iter().all(Rel::reads_aside) {
            self.before = sinks.into_iter().filter(|s| !s.reads_aside()).collect();
        }
        Ok(Outcome::Plan(plan))
    }

    fn explain(&self, body: &ExplainBody, text: &Arc<str>, at: Span) -> Result<Outcome> {
        match body {
            ExplainBody::Executable(e) | ExplainBody::Execute(e) => {
                let returns_rows = matches!(e, Executable::Query(_));
                let sinks = self.sinks_of(e, text)?;
                Ok(Outcome::Text(self.plan(sinks, returns_rows, at)?.explain()))
            }
            ExplainBody::CreateTable(_) => Err(Error::unsupported("EXPLAIN CREATE TABLE", at)),
        }
    }

    fn plan(&self, mut sinks: Vec<Rel>, returns_rows: bool, span: Span) -> Result<Plan> {
        if sinks.iter().all(Rel::reads_aside) {
            if self.before.is_empty() {
                return Err(Error::validation(
                    "late and bad rows are those of a statement, and there is none before this one",
                    span,
                )
                .hint("run a query or an INSERT first, or put both into EXECUTE STATEMENT SET BEGIN … END"));
            }
            // The statement before runs once more, for what it lays aside.
            sinks.extend(self.before.iter().cloned().map(discarded));
        }
        let off = self.settings.get("pelton.optimizer").is_some_and(|v| v.eq_ignore_ascii_case("off"));
        let rules = if off { optimise::needed } else { optimise::optimise };
        let logical = sinks.into_iter().map(rules).collect::<Result<Vec<_>>>()?;
        for span in logical.iter().flat_map(optimise::unbounded_numbers) {
            self.extensions.note(Finding {
                message: "Flink has no plan for a row's number without an upper bound".into(),
                span,
                hint: "bound it: rn BETWEEN 3 AND 1000".into(),
            });
        }
        let shards = self.settings.shards().unwrap_or(self.shards);
        let phases = self.settings.aggregate_phases();
        let mut graph = spread::spread(physical::build(&logical)?, shards, phases, self.connectors);
        graph.state_ttl_ms = self.settings.state_ttl_ms();
        // What is not there to be folded needs no limits.
        if graph.nodes.iter().any(|n| matches!(n.op, Op::GroupAggregate { .. })) {
            graph.mini_batch = self.settings.mini_batch()?;
        }
        Ok(Plan { graph, logical, settings: self.settings.clone(), shards, returns_rows, span })
    }

    // ---- what SHOW asks

    /// The names of all functions.
    pub(super) fn function_names(&self) -> impl Iterator<Item = &str> {
        self.registry.scalar_names().chain(self.registry.aggregate_names())
    }

    fn is_function(&self, name: &str) -> bool {
        self.registry.scalar(name).is_some() || self.registry.aggregate(name).is_some()
    }

    /// The columns of a view.
    pub(super) fn view_schema(&self, path: &ObjectPath, view: &View, at: Span) -> Result<Schema> {
        Ok(self.binder(&view.query.text).view(path, view, at)?.schema)
    }

    // ---- definitions

    /// A table has the name that SET gives to late or bad rows.
    fn refuse_taken(&self, key: &str, name: &str, span: Span) -> Result<()> {
        if !Aside::ALL.iter().any(|a| a.setting() == key) || name.trim().is_empty() {
            return Ok(());
        }
        let path = self.catalogs.path(&[name], self.catalogs.current(), span)?;
        match self.catalogs.get(&path) {
            Some(object) => Err(Error::validation(format!("there is a {} '{name}'", object.kind()), span)
                .hint("choose another name: SET makes a table of it")),
            None => Ok(()),
        }
    }

    pub(super) fn path(&self, name: &ObjectName) -> Result<ObjectPath> {
        let parts: Vec<&str> = name.0.iter().map(|i| i.name.as_str()).collect();
        self.catalogs.path(&parts, self.catalogs.current(), name.span())
    }

    pub(super) fn database_path(&self, name: &ObjectName) -> Result<(String, String)> {
        match name.0.as_slice() {
            [database] => Ok((self.catalogs.current().0.to_owned(), database.name.clone())),
            [catalog, database] => Ok((catalog.name.clone(), database.name.clone())),
            _ => Err(Error::validation(format!("'{name}' is not the name of a database"), name.span())),
        }
    }

    /// The name is free among temporary, or among permanent objects.
    fn is_taken(&self, path: &ObjectPath, temporary: bool) -> bool {
        if Aside::ALL.iter().any(|a| self.settings.get(a.setting()) == Some(path.object.as_str())) {
            return true;
        }
        if temporary {
            self.catalogs.temporary(path).is_some()
        } else {
            self.catalogs.permanent(path).is_some()
        }
    }

    fn create_table(&mut self, c: &CreateTable, text: &Arc<str>) -> Result<Outcome> {
        let path = self.path(&c.name)?;
        if self.is_taken(&path, c.temporary) {
            return exists_already(c.if_not_exists, "table", &path.object, c.name.span());
        }
        let table = self.binder(text).create_table(c, &path)?;
        self.connectors.extensions(&table.connector).into_iter().for_each(|f| self.extensions.note(f));
        self.catalogs.put(path, Object::Table(Arc::new(table)), c.temporary, c.name.span())?;
        match &c.source {
            Some(CreateTableSource::Query(q)) => self.fill_table(c, q, text),
            _ => Ok(Outcome::Done),
        }
    }

    /// CREATE TABLE … AS: what the query gives is inserted, by name.
    fn fill_table(&mut self, c: &CreateTable, q: &Query, text: &Arc<str>) -> Result<Outcome> {
        let schema = self.binder(text).query(q)?.schema;
        let name = |f: &Field| ObjectName(vec![Ident::new(&f.name, true, q.span)]);
        let table = TargetTable { name: c.name.clone(), hints: vec![], extend: vec![], span: c.name.span() };
        let insert = Insert {
            upsert: false,
            overwrite: false,
            table,
            partition: None,
            columns: schema.fields.iter().map(name).collect(),
            source: Box::new(q.clone()),
            on_conflict: None,
            span: c.span,
        };
        self.run_insert(&insert, text)
    }

    fn create_view(&mut self, c: &CreateView, text: &Arc<str>) -> Result<Outcome> {
        let path = self.path(&c.name)?;
        if self.is_taken(&path, c.temporary) && !c.or_replace {
            return exists_already(c.if_not_exists, "view", &path.object, c.name.span());
        }
        let view = self.binder(text).create_view(c)?;
        self.catalogs.put(path, Object::View(Arc::new(view)), c.temporary, c.name.span())?;
        Ok(Outcome::Done)
    }

    fn create_catalog(&mut self, c: &CreateCatalog) -> Result<Outcome> {
        if self.catalogs.has_catalog(&c.name.name) {
            return exists_already(c.if_not_exists, "catalog", &c.name.name, c.name.span);
        }
        match c.options.iter().find(|o| o.key == "type") {
            Some(o) if o.value == "generic_in_memory" => {
                self.catalogs.create_catalog(&c.name.name);
                Ok(Outcome::Done)
            }
            Some(o) => Err(Error::unsupported(format!("the catalog type '{}'", o.value), o.span)
                .hint("'generic_in_memory' is")),
            None => Err(Error::validation("a catalog needs the option 'type'", c.span)
                .hint("write WITH ('type' = 'generic_in_memory')")),
        }
    }

    /// The object that ALTER or DROP names, and whether it is temporary.
    fn existing(&self, name: &ObjectName, kind: &str) -> Result<Option<(ObjectPath, Object, bool)>> {
        let path = self.path(name)?;
        let found = match self.catalogs.temporary(&path) {
            Some(object) => Some((object.clone(), true)),
            None => self.catalogs.permanent(&path).map(|o| (o.clone(), false)),
        };
        Ok(found.filter(|(o, _)| o.kind() == kind).map(|(object, temporary)| (path, object, temporary)))
    }

    fn unknown(&self, kind: &str, name: &ObjectName) -> Error {
        let e = Error::validation(format!("there is no {kind} '{name}'"), name.span());
        let path = match self.path(name) {
            Ok(path) => path,
            Err(e) => return e,
        };
        match self.catalogs.get(&path) {
            Some(other) => e.hint(format!("'{name}' is a {}", other.kind())),
            None => e,
        }
    }

    fn alter_table(&mut self, a: &super::ast::AlterTable, text: &Arc<str>) -> Result<Outcome> {
        if a.materialized {
            return Err(Error::unsupported("ALTER MATERIALIZED TABLE", a.span));
        }
        let Some((path, object, temporary)) = self.existing(&a.name, "table")? else {
            return if a.if_exists { Ok(Outcome::Done) } else { Err(self.unknown("table", &a.name)) };
        };
        if let super::ast::AlterTableAction::Rename(to) = &a.action {
            return self.rename(path, object, temporary, to);
        }
        let Object::Table(table) = object else { unreachable!("looked up as a table") };
        let altered = match self.binder(text).alter_columns(&path, &table, &a.action, a.span)? {
            Some(altered) => altered,
            None => ddl::alter_table(&table, &a.action, a.span)?,
        };
        self.catalogs.put(path, Object::Table(Arc::new(altered)), temporary, a.span)?;
        Ok(Outcome::Done)
    }

    fn alter_view(&mut self, a: &super::ast::AlterView, text: &Arc<str>) -> Result<Outcome> {
        let Some((path, object, temporary)) = self.existing(&a.name, "view")? else {
            return Err(self.unknown("view", &a.name));
        };
        match &a.action {
            AlterViewAction::Rename(to) => self.rename(path, object, temporary, to),
            AlterViewAction::AsQuery(query) => {
                let Object::View(view) = object else { unreachable!("looked up as a view") };
                let altered = self.binder(text).alter_view(&view, query)?;
                self.catalogs.put(path, Object::View(Arc::new(altered)), temporary, a.span)?;
                Ok(Outcome::Done)
            }
        }
    }

    fn rename(
        &mut self,
        path: ObjectPath,
        object: Object,
        temporary: bool,
        to: &ObjectName,
    ) -> Result<Outcome> {
        let mut target = self.path(to)?;
        if to.as_simple().is_some() {
            target = ObjectPath { object: target.object, ..path.clone() };
        }
        if (&target.catalog, &target.database) != (&path.catalog, &path.database) {
            return Err(Error::validation("RENAME cannot move to another database", to.span()));
        }
        if self.is_taken(&target, temporary) {
            return exists_already(false, object.kind(), &target.object, to.span());
        }
        self.catalogs.remove(&path, temporary);
        self.catalogs.put(target, object, temporary, to.span())?;
        Ok(Outcome::Done)
    }

    fn drop(&mut self, d: &Drop) -> Result<Outcome> {
        let kind = match d.object {
            DropObject::Table => "table",
            DropObject::View => "view",
            DropObject::Database => {
                let (catalog, database) = self.database_path(&d.name)?;
                if !self.catalogs.has_database(&catalog, &database) {
                    return if d.if_exists {
                        Ok(Outcome::Done)
                    } else {
                        Err(Error::validation(format!("there is no database '{database}'"), d.name.span()))
                    };
                }
                self.catalogs.drop_database(&catalog, &database, d.cascade == Some(true), d.name.span())?;
                return Ok(Outcome::Done);
            }
            DropObject::MaterializedTable => {
                return Err(Error::unsupported("DROP MATERIALIZED TABLE", d.span));
            }
            DropObject::Catalog => {
                let name = d.name.to_string();
                if self.catalogs.has_catalog(&name) {
                    self.catalogs.drop_catalog(&name, d.name.span())?;
                } else if !d.if_exists {
                    return Err(Error::validation(format!("there is no catalog '{name}'"), d.name.span()));
                }
                return Ok(Outcome::Done);
            }
            // Functions are those of the registry: none was made by a statement.
            DropObject::Function if d.if_exists => return Ok(Outcome::Done),
            DropObject::Function => {
                return Err(Error::validation(format!("there is no function '{}'", d.name), d.name.span()));
            }
            DropObject::Model => return Err(Error::unsupported("DROP MODEL", d.span)),
            DropObject::Connection => return Err(Error::unsupported("DROP CONNECTION", d.span)),
        };
        let path = self.path(&d.name)?;
        let temporary = d.scope == ObjectScope::Temporary;
        let of_kind = |o: Option<&Object>| o.is_some_and(|o| o.kind() == kind);
        if !temporary && self.catalogs.temporary(&path).is_some() {
            return Err(Error::validation(
                format!("a temporary {kind} '{}' hides the permanent one", d.name),
                d.name.span(),
            )
            .hint(format!("drop it first: DROP TEMPORARY {} {}", kind.to_uppercase(), d.name)));
        }
        let present = if temporary {
            of_kind(self.catalogs.temporary(&path))
        } else {
            of_kind(self.catalogs.permanent(&path))
        };
        if present {
            self.catalogs.remove(&path, temporary);
        } else if !d.if_exists {
            return Err(
                self.unknown(&format!("{}{kind}", if temporary { "temporary " } else { "" }), &d.name)
            );
        }
        Ok(Outcome::Done)
    }

    fn use_target(&mut self, target: &UseTarget, at: Span) -> Result<Outcome> {
        match target {
            UseTarget::Database(name) => {
                let (catalog, database) = self.database_path(name)?;
                self.catalogs.use_database(&catalog, &database, name.span())?;
            }
            UseTarget::Catalog(name) => self.catalogs.use_catalog(&name.name, name.span)?,
            UseTarget::Modules(_) => return Err(Error::unsupported("USE MODULES", at)),
        }
        Ok(Outcome::Done)
    }
}

/// The sink, with a table instead of its own that takes everything and writes nothing.
fn discarded(mut sink: Rel) -> Rel {
    if let RelKind::Sink { spec, info, .. } = &mut sink.kind {
        let connector = ConnectorSpec { connector: "blackhole".into(), ..ConnectorSpec::default() };
        let (name, schema) = ("discarded".to_owned(), spec.schema.clone());
        let own = spec.table.take();
        spec.table = Some(match own {
            Some(table) => TableSpec { connector, ..table },
            None => TableSpec {
                name,
                connector,
                schema,
                partition_keys: vec![],
                primary_key: vec![],
                settings: Default::default(),
                time_zone: jiff::tz::TimeZone::UTC,
            },
        });
        *info = None;
    }
    sink
}

fn exists_already(fine: bool, kind: &str, name: &str, at: Span) -> Result<Outcome> {
    if fine {
        return Ok(Outcome::Done);
    }
    let what = if matches!(kind, "table" | "view") { "table or view" } else { kind };
    Err(Error::validation(format!("a {what} called '{name}' exists already"), at).hint(match kind {
        "table" | "view" => "drop it first, or write IF NOT EXISTS".to_owned(),
        other => format!("write CREATE {} IF NOT EXISTS", other.to_uppercase()),
    }))
}

pub(super) fn show_name(kind: &ShowKind) -> &'static str {
    match kind {
        ShowKind::MaterializedTables => "SHOW MATERIALIZED TABLES",
        ShowKind::Procedures => "SHOW PROCEDURES",
        ShowKind::Models => "SHOW MODELS",
        ShowKind::Connections => "SHOW CONNECTIONS",
        ShowKind::FullModules => "SHOW FULL MODULES",
        ShowKind::Jars => "SHOW JARS",
        ShowKind::Jobs => "SHOW JOBS",
        _ => "this SHOW statement",
    }
}

fn statement_name(kind: &StatementKind) -> &'static str {
    match kind {
        StatementKind::CreateMaterializedTable(_) => "CREATE MATERIALIZED TABLE",
        StatementKind::CreateModel(_) => "CREATE MODEL",
        StatementKind::CreateConnection(_) => "CREATE CONNECTION",
        StatementKind::AlterCatalog(_) => "ALTER CATALOG",
        StatementKind::AlterDatabase(_) => "ALTER DATABASE",
        StatementKind::AlterFunction(_) => "ALTER FUNCTION",
        StatementKind::AlterModel(_) => "ALTER MODEL",
        StatementKind::AlterConnection(_) => "ALTER CONNECTION",
        StatementKind::AlterSystem(_) => "ALTER SYSTEM",
        StatementKind::Update(_) => "UPDATE",
        StatementKind::Delete(_) => "DELETE",
        StatementKind::Merge(_) => "MERGE",
        StatementKind::Truncate(_) => "TRUNCATE TABLE",
        StatementKind::CompilePlan { .. } | StatementKind::CompileAndExecutePlan { .. } => "COMPILE PLAN",
        StatementKind::ExecutePlan { .. } => "EXECUTE PLAN",
        StatementKind::LoadModule { .. } => "LOAD MODULE",
        StatementKind::UnloadModule(_) => "UNLOAD MODULE",
        StatementKind::AddJar(_) => "ADD JAR",
        StatementKind::RemoveJar(_) => "REMOVE JAR",
        StatementKind::Analyze(_) => "ANALYZE TABLE",
        StatementKind::Call(_) => "CALL",
        StatementKind::StopJob { .. } => "STOP JOB",
        StatementKind::Client(_) => "a command of the interactive client",
        _ => "this statement",
    }
}

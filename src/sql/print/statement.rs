//! Statements but for definitions.

use super::Printer;
use crate::sql::ast::{
    Analyze, AnalyzeColumns, Assignment, ClientCommand, ConflictAction, Describe, DescribeObject, Executable,
    Explain, ExplainBody, ExplainDetail, Ident, Insert, Merge, Show, ShowKind, Statement, StatementKind,
    TargetTable, UseTarget,
};

impl Printer {
    pub(super) fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Query(query) => self.query(query),
            StatementKind::CreateTable(table) => self.create_table(table),
            StatementKind::CreateMaterializedTable(table) => self.create_materialized_table(table),
            StatementKind::CreateView(view) => self.create_view(view),
            StatementKind::CreateCatalog(catalog) => {
                self.word("CREATE CATALOG");
                self.word_if(catalog.if_not_exists, "IF NOT EXISTS");
                self.ident(&catalog.name);
                self.word_and_string("COMMENT", catalog.comment.as_ref());
                self.with_options(&catalog.options);
            }
            StatementKind::CreateDatabase(database) => {
                self.word("CREATE DATABASE");
                self.word_if(database.if_not_exists, "IF NOT EXISTS");
                self.name(&database.name);
                self.word_and_string("COMMENT", database.comment.as_ref());
                self.with_options(&database.options);
            }
            StatementKind::CreateFunction(function) => self.create_function(function),
            StatementKind::CreateModel(model) => self.create_model(model),
            StatementKind::CreateConnection(connection) => self.create_connection(connection),
            StatementKind::AlterTable(alter) => self.alter_table(alter),
            StatementKind::AlterView(alter) => {
                self.word("ALTER VIEW");
                self.name(&alter.name);
                match &alter.action {
                    crate::sql::ast::AlterViewAction::Rename(name) => {
                        self.word("RENAME TO");
                        self.name(name);
                    }
                    crate::sql::ast::AlterViewAction::AsQuery(query) => {
                        self.word("AS");
                        self.query(query);
                    }
                }
            }
            StatementKind::AlterCatalog(alter) => {
                self.word("ALTER CATALOG");
                self.ident(&alter.name);
                self.alter_options(&alter.action);
            }
            StatementKind::AlterDatabase(alter) => {
                self.word("ALTER DATABASE");
                self.name(&alter.name);
                self.word("SET");
                self.options(&alter.options);
            }
            StatementKind::AlterFunction(alter) => self.alter_function(alter),
            StatementKind::AlterModel(alter) => {
                self.word("ALTER MODEL");
                self.word_if(alter.if_exists, "IF EXISTS");
                self.name(&alter.name);
                self.alter_options(&alter.action);
            }
            StatementKind::AlterConnection(alter) => {
                self.word("ALTER CONNECTION");
                self.word_if(alter.if_exists, "IF EXISTS");
                self.name(&alter.name);
                self.alter_options(&alter.action);
            }
            StatementKind::AlterSystem(alter) => {
                self.word(if alter.session { "ALTER SESSION" } else { "ALTER SYSTEM" });
                self.word(if alter.value.is_some() { "SET" } else { "RESET" });
                match &alter.name {
                    Some(name) => self.name(name),
                    None => self.word("ALL"),
                }
                if let Some(value) = &alter.value {
                    self.word("=");
                    match &value.kind {
                        // ON is a value here, though a reserved word.
                        crate::sql::ast::ExprKind::Name(name) if !name.last().quoted => {
                            self.word(&name.last().name)
                        }
                        _ => self.expr(value),
                    }
                }
            }
            StatementKind::Drop(drop) => self.drop(drop),
            StatementKind::Insert(insert) => self.insert(insert),
            StatementKind::Update(update) => {
                self.word("UPDATE");
                self.target_table(&update.table);
                self.alias(update.alias.as_ref());
                self.word("SET");
                self.list(&update.assignments, Self::assignment);
                self.clause("WHERE", update.filter.as_ref());
            }
            StatementKind::Delete(delete) => {
                self.word("DELETE FROM");
                self.target_table(&delete.table);
                self.alias(delete.alias.as_ref());
                self.clause("WHERE", delete.filter.as_ref());
            }
            StatementKind::Merge(merge) => self.merge(merge),
            StatementKind::Truncate(name) => {
                self.word("TRUNCATE TABLE");
                self.name(name);
            }
            StatementKind::Execute(body) => {
                self.word("EXECUTE");
                self.executable(body);
            }
            StatementKind::BeginStatementSet => self.word("BEGIN STATEMENT SET"),
            StatementKind::EndStatementSet => self.word("END"),
            StatementKind::Explain(explain) => self.explain(explain),
            StatementKind::CompilePlan { path, if_not_exists, body } => {
                self.word_and_string("COMPILE PLAN", Some(path));
                self.word_if(*if_not_exists, "IF NOT EXISTS");
                self.word("FOR");
                self.executable(body);
            }
            StatementKind::ExecutePlan { path } => self.word_and_string("EXECUTE PLAN", Some(path)),
            StatementKind::CompileAndExecutePlan { path, body } => {
                self.word_and_string("COMPILE AND EXECUTE PLAN", Some(path));
                self.word("FOR");
                self.executable(body);
            }
            _ => self.command(statement),
        }
    }

    /// Settings, modules, SHOW and the like.
    fn command(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Set(None) => self.word("SET"),
            StatementKind::Set(Some(setting)) => {
                self.word_and_string("SET", Some(&setting.key));
                self.word_and_string("=", Some(&setting.value));
            }
            StatementKind::Reset(None) => self.word("RESET"),
            StatementKind::Reset(key) => self.word_and_string("RESET", key.as_ref()),
            StatementKind::Use(UseTarget::Database(name)) => {
                self.word("USE");
                self.name(name);
            }
            StatementKind::Use(UseTarget::Catalog(name)) => {
                self.word("USE CATALOG");
                self.ident(name);
            }
            StatementKind::Use(UseTarget::Modules(names)) => {
                self.word("USE MODULES");
                self.list(names, |p, name| p.ident(name));
            }
            StatementKind::LoadModule { name, options } => {
                self.word("LOAD MODULE");
                self.ident(name);
                self.with_options(options);
            }
            StatementKind::UnloadModule(name) => {
                self.word("UNLOAD MODULE");
                self.ident(name);
            }
            StatementKind::Show(show) => self.show(show),
            StatementKind::Describe(describe) => self.describe(describe),
            StatementKind::AddJar(path) => self.word_and_string("ADD JAR", Some(path)),
            StatementKind::RemoveJar(path) => self.word_and_string("REMOVE JAR", Some(path)),
            StatementKind::Analyze(analyze) => self.analyze(analyze),
            StatementKind::Call(call) => {
                self.word("CALL");
                self.call(call);
            }
            StatementKind::StopJob { id, savepoint, drain } => {
                self.word_and_string("STOP JOB", Some(id));
                self.word_if(*savepoint, "WITH SAVEPOINT");
                self.word_if(*drain, "WITH DRAIN");
            }
            StatementKind::Client(command) => self.word(match command {
                ClientCommand::Help => "HELP",
                ClientCommand::Clear => "CLEAR",
                ClientCommand::Quit => "QUIT",
            }),
            _ => unreachable!("every other statement is printed by `statement`"),
        }
    }

    fn insert(&mut self, insert: &Insert) {
        self.word(if insert.upsert { "UPSERT" } else { "INSERT" });
        self.word(if insert.overwrite { "OVERWRITE" } else { "INTO" });
        self.target_table(&insert.table);
        if let Some(partition) = &insert.partition {
            self.partition(partition);
        }
        if !insert.columns.is_empty() {
            self.paren_list(&insert.columns, |p, column| p.name(column));
        }
        self.query(&insert.source);
        match insert.on_conflict {
            None => {}
            Some(ConflictAction::Nothing) => self.word("ON CONFLICT DO NOTHING"),
            Some(ConflictAction::Error) => self.word("ON CONFLICT DO ERROR"),
            Some(ConflictAction::Deduplicate) => self.word("ON CONFLICT DO DEDUPLICATE"),
        }
    }

    fn target_table(&mut self, table: &TargetTable) {
        self.name(&table.name);
        self.hints(&table.hints);
        self.extend(&table.extend);
    }

    fn alias(&mut self, alias: Option<&Ident>) {
        if let Some(alias) = alias {
            self.word("AS");
            self.ident(alias);
        }
    }

    fn assignment(&mut self, assignment: &Assignment) {
        self.name(&assignment.column);
        self.clause("=", Some(&assignment.value));
    }

    fn merge(&mut self, merge: &Merge) {
        self.word("MERGE INTO");
        self.target_table(&merge.table);
        self.alias(merge.alias.as_ref());
        self.word("USING");
        self.from(&merge.source);
        self.clause("ON", Some(&merge.condition));
        if !merge.matched.is_empty() {
            self.word("WHEN MATCHED THEN UPDATE SET");
            self.list(&merge.matched, Self::assignment);
        }
        if let Some(insert) = &merge.not_matched {
            self.word("WHEN NOT MATCHED THEN INSERT");
            if !insert.columns.is_empty() {
                self.idents(&insert.columns);
            }
            self.word("VALUES");
            self.values_row(&insert.row);
        }
    }

    fn executable(&mut self, body: &Executable) {
        match body {
            Executable::Insert(insert) => self.insert(insert),
            Executable::Query(query) => self.query(query),
            Executable::StatementSet(inserts) => {
                self.word("STATEMENT SET BEGIN");
                for insert in inserts {
                    self.insert(insert);
                    self.tight(";");
                }
                self.word("END");
            }
        }
    }

    fn explain(&mut self, explain: &Explain) {
        self.word("EXPLAIN");
        self.list(&explain.details, |p, detail| {
            p.word(match detail {
                ExplainDetail::EstimatedCost => "ESTIMATED_COST",
                ExplainDetail::ChangelogMode => "CHANGELOG_MODE",
                ExplainDetail::JsonExecutionPlan => "JSON_EXECUTION_PLAN",
                ExplainDetail::PlanAdvice => "PLAN_ADVICE",
            });
        });
        match &explain.body {
            ExplainBody::Executable(body) => self.executable(body),
            ExplainBody::Execute(body) => {
                self.word("EXECUTE");
                self.executable(body);
            }
            ExplainBody::CreateTable(table) => self.create_table(table),
        }
    }

    fn show(&mut self, show: &Show) {
        self.word("SHOW");
        match &show.kind {
            ShowKind::Catalogs => self.word("CATALOGS"),
            ShowKind::CurrentCatalog => self.word("CURRENT CATALOG"),
            ShowKind::Databases => self.word("DATABASES"),
            ShowKind::CurrentDatabase => self.word("CURRENT DATABASE"),
            ShowKind::Tables => self.word("TABLES"),
            ShowKind::MaterializedTables => self.word("MATERIALIZED TABLES"),
            ShowKind::Views => self.word("VIEWS"),
            ShowKind::Functions => self.word("FUNCTIONS"),
            ShowKind::UserFunctions => self.word("USER FUNCTIONS"),
            ShowKind::Procedures => self.word("PROCEDURES"),
            ShowKind::Models => self.word("MODELS"),
            ShowKind::Connections => self.word("CONNECTIONS"),
            ShowKind::Columns => self.word("COLUMNS"),
            ShowKind::Partitions { table, partition } => {
                self.word("PARTITIONS");
                self.name(table);
                if let Some(partition) = partition {
                    self.partition(partition);
                }
            }
            ShowKind::Modules => self.word("MODULES"),
            ShowKind::FullModules => self.word("FULL MODULES"),
            ShowKind::Jars => self.word("JARS"),
            ShowKind::Jobs => self.word("JOBS"),
            ShowKind::CreateTable(name) => {
                self.word("CREATE TABLE");
                self.name(name);
            }
            ShowKind::CreateMaterializedTable { name, or_alter } => {
                self.word(if *or_alter { "CREATE OR ALTER" } else { "CREATE" });
                self.word("MATERIALIZED TABLE");
                self.name(name);
            }
            ShowKind::CreateView(name) => {
                self.word("CREATE VIEW");
                self.name(name);
            }
            ShowKind::CreateCatalog(name) => {
                self.word("CREATE CATALOG");
                self.ident(name);
            }
            ShowKind::CreateModel(name) => {
                self.word("CREATE MODEL");
                self.name(name);
            }
            ShowKind::CreateConnection(name) => {
                self.word("CREATE CONNECTION");
                self.name(name);
            }
        }
        if let Some(from) = &show.from {
            self.word(if from.in_ { "IN" } else { "FROM" });
            self.name(&from.name);
        }
        if let Some(like) = &show.like {
            self.word_if(like.negated, "NOT");
            self.word(if like.ignore_case { "ILIKE" } else { "LIKE" });
            self.string(&like.pattern);
        }
    }

    fn describe(&mut self, describe: &Describe) {
        self.word("DESCRIBE");
        let kind = match describe.object {
            DescribeObject::Table(_) | DescribeObject::Statement(_) | DescribeObject::Job(_) => "",
            DescribeObject::Catalog(_) => "CATALOG",
            DescribeObject::Database(_) => "DATABASE",
            DescribeObject::Function(_) => "FUNCTION",
            DescribeObject::Model(_) => "MODEL",
            DescribeObject::Connection(_) => "CONNECTION",
        };
        self.word_if(!kind.is_empty(), kind);
        self.word_if(describe.extended, "EXTENDED");
        match &describe.object {
            DescribeObject::Table(name)
            | DescribeObject::Database(name)
            | DescribeObject::Function(name)
            | DescribeObject::Model(name)
            | DescribeObject::Connection(name) => self.name(name),
            DescribeObject::Catalog(name) => self.ident(name),
            DescribeObject::Job(id) => self.word_and_string("JOB", Some(id)),
            DescribeObject::Statement(statement) => {
                self.word("STATEMENT");
                self.statement(statement);
            }
        }
    }

    fn analyze(&mut self, analyze: &Analyze) {
        self.word("ANALYZE TABLE");
        self.name(&analyze.table);
        if let Some(partition) = &analyze.partition {
            self.partition(partition);
        }
        self.word("COMPUTE STATISTICS");
        match &analyze.columns {
            AnalyzeColumns::None => {}
            AnalyzeColumns::All => self.word("FOR ALL COLUMNS"),
            AnalyzeColumns::Some(columns) => {
                self.word("FOR COLUMNS");
                self.list(columns, |p, column| p.ident(column));
            }
        }
    }
}

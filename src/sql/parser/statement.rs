//! Statements but for definitions: queries, DML, settings, EXPLAIN, SHOW and the like.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{
    Analyze, AnalyzeColumns, Assignment, ClientCommand, ConflictAction, CreateTableMode, CreateTableSource,
    Delete, Describe, DescribeObject, Executable, Explain, ExplainBody, ExplainDetail, From, Insert, Merge,
    MergeInsert, Setting, Show, ShowFrom, ShowKind, ShowLike, Statement, StatementKind, TargetTable, Update,
    UseTarget,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    /// One statement.
    pub(super) fn statement(&mut self) -> Result<Statement> {
        let start = self.here();
        let kind = self.statement_kind()?;
        Ok(Statement { kind, span: self.span_from(start) })
    }

    fn statement_kind(&mut self) -> Result<StatementKind> {
        let start = self.here();
        let TokenKind::Keyword(keyword) = self.kind() else {
            return match self.client_command() {
                Some(command) => Ok(StatementKind::Client(command)),
                None if self.kind() == TokenKind::LeftParen => self.query_statement(),
                None => Err(self.expected_here("a statement")),
            };
        };
        match keyword {
            K::SELECT | K::WITH | K::VALUES | K::VALUE | K::TABLE => self.query_statement(),
            K::INSERT | K::UPSERT => Ok(StatementKind::Insert(Box::new(self.insert()?))),
            K::UPDATE => Ok(StatementKind::Update(Box::new(self.update()?))),
            K::DELETE => Ok(StatementKind::Delete(Box::new(self.delete()?))),
            K::MERGE => Ok(StatementKind::Merge(Box::new(self.merge()?))),
            K::TRUNCATE => {
                self.next();
                self.expect(K::TABLE)?;
                Ok(StatementKind::Truncate(self.object_name_as("a table name")?))
            }
            K::CREATE => self.create(),
            K::REPLACE => {
                self.next();
                let temporary = self.eat(K::TEMPORARY);
                let table = self.create_table(CreateTableMode::Replace, temporary, start)?;
                Ok(StatementKind::CreateTable(Box::new(table)))
            }
            K::ALTER => self.alter(),
            K::DROP => self.drop(),
            K::SET => self.set(),
            K::RESET => self.reset(),
            K::USE => self.use_statement(),
            K::SHOW => Ok(StatementKind::Show(Box::new(self.show()?))),
            K::DESCRIBE | K::DESC => Ok(StatementKind::Describe(Box::new(self.describe()?))),
            K::EXPLAIN => Ok(StatementKind::Explain(Box::new(self.explain()?))),
            K::EXECUTE => self.execute(),
            K::COMPILE => self.compile(),
            K::BEGIN => {
                self.next();
                self.expect_all(&[K::STATEMENT, K::SET])?;
                Ok(StatementKind::BeginStatementSet)
            }
            K::END => {
                self.next();
                Ok(StatementKind::EndStatementSet)
            }
            K::CALL => {
                self.next();
                Ok(StatementKind::Call(Box::new(self.nested(Self::routine_call)?)))
            }
            K::ANALYZE => Ok(StatementKind::Analyze(Box::new(self.analyze()?))),
            K::LOAD => {
                self.next();
                self.expect(K::MODULE)?;
                let name = self.ident_as("a module name")?;
                Ok(StatementKind::LoadModule { name, options: self.with_options()? })
            }
            K::UNLOAD => {
                self.next();
                self.expect(K::MODULE)?;
                Ok(StatementKind::UnloadModule(self.ident_as("a module name")?))
            }
            K::ADD | K::REMOVE => {
                self.next();
                self.expect(K::JAR)?;
                let path = self.plain_string("a path in quotes")?;
                Ok(if keyword == K::ADD {
                    StatementKind::AddJar(path)
                } else {
                    StatementKind::RemoveJar(path)
                })
            }
            K::STOP => self.stop_job(),
            K::STATEMENT if self.kind_at(1) == TokenKind::Keyword(K::SET) => {
                Err(self.expected_here("a statement").hint("write EXECUTE STATEMENT SET BEGIN … END"))
            }
            _ => Err(self.expected_here("a statement")),
        }
    }

    fn query_statement(&mut self) -> Result<StatementKind> {
        Ok(StatementKind::Query(Box::new(self.query()?)))
    }

    fn client_command(&mut self) -> Option<ClientCommand> {
        let token = self.peek();
        if !matches!(self.kind_at(1), TokenKind::Semicolon | TokenKind::End) || token.kind != TokenKind::Word
        {
            return None;
        }
        let command = match self.text_of(token).to_ascii_uppercase().as_str() {
            "HELP" => ClientCommand::Help,
            "CLEAR" => ClientCommand::Clear,
            "QUIT" | "EXIT" => ClientCommand::Quit,
            _ => return None,
        };
        self.next();
        Some(command)
    }

    // ---- DML

    pub(super) fn insert(&mut self) -> Result<Insert> {
        let start = self.here();
        let upsert = self.eat(K::UPSERT);
        if !upsert {
            self.expect(K::INSERT)?;
        }
        let overwrite_at = self.here();
        let overwrite = self.eat(K::OVERWRITE);
        if overwrite && upsert {
            return Err(Error::syntax("OVERWRITE goes only with INSERT", overwrite_at));
        }
        if !overwrite {
            self.expect(K::INTO)?;
        }
        let table = self.target_table()?;
        let partition = if self.at(K::PARTITION) { Some(self.partition()?) } else { None };
        let columns = if self.kind() == TokenKind::LeftParen && Self::is_name(self.kind_at(1)) {
            self.paren_list(|p| p.object_name_as("a column name"))?
        } else {
            Vec::new()
        };
        let source = Box::new(self.query()?);
        let on_conflict = if self.eat(K::ON) {
            self.expect(K::CONFLICT)?;
            self.expect(K::DO)?;
            Some(if self.eat(K::NOTHING) {
                ConflictAction::Nothing
            } else if self.eat(K::ERROR) {
                ConflictAction::Error
            } else {
                self.expect(K::DEDUPLICATE)?;
                ConflictAction::Deduplicate
            })
        } else {
            None
        };
        let span = self.span_from(start);
        Ok(Insert { upsert, overwrite, table, partition, columns, source, on_conflict, span })
    }

    fn target_table(&mut self) -> Result<TargetTable> {
        let start = self.here();
        let name = self.object_name_as("a table name")?;
        let hints = self.hints()?;
        let extend = self.extend()?;
        Ok(TargetTable { name, hints, extend, span: self.span_from(start) })
    }

    fn update(&mut self) -> Result<Update> {
        let start = self.expect(K::UPDATE)?.span;
        let table = self.target_table()?;
        let alias = self.alias_opt()?;
        self.expect(K::SET)?;
        let assignments = self.comma_list(|p| p.assignment(false))?;
        let filter = if self.eat(K::WHERE) { Some(self.expr()?) } else { None };
        Ok(Update { table, alias, assignments, filter, span: self.span_from(start) })
    }

    fn assignment(&mut self, dotted: bool) -> Result<Assignment> {
        let start = self.here();
        let column = if dotted {
            self.object_name_as("a column name")?
        } else {
            self.ident_as("a column name")?.into()
        };
        self.expect_kind(TokenKind::Eq)?;
        let value = self.expr()?;
        Ok(Assignment { column, value, span: self.span_from(start) })
    }

    fn delete(&mut self) -> Result<Delete> {
        let start = self.expect(K::DELETE)?.span;
        self.expect(K::FROM)?;
        let table = self.target_table()?;
        let alias = self.alias_opt()?;
        let filter = if self.eat(K::WHERE) { Some(self.expr()?) } else { None };
        Ok(Delete { table, alias, filter, span: self.span_from(start) })
    }

    fn merge(&mut self) -> Result<Merge> {
        let start = self.expect(K::MERGE)?.span;
        self.expect(K::INTO)?;
        let table = self.target_table()?;
        let alias = self.alias_opt()?;
        self.expect(K::USING)?;
        let at = self.here();
        let first = self.nested(|p| p.table_factor(true))?;
        let source = From { first, joins: Vec::new(), span: self.span_from(at) };
        self.expect(K::ON)?;
        let condition = self.expr()?;
        let mut matched = Vec::new();
        if self.at_all(&[K::WHEN, K::MATCHED]) {
            self.expect_all(&[K::WHEN, K::MATCHED, K::THEN, K::UPDATE, K::SET])?;
            matched = self.comma_list(|p| p.assignment(true))?;
        }
        let not_matched = if matched.is_empty() || self.at(K::WHEN) {
            self.expect_all(&[K::WHEN, K::NOT, K::MATCHED, K::THEN])?;
            Some(self.merge_insert()?)
        } else {
            None
        };
        Ok(Merge { table, alias, source, condition, matched, not_matched, span: self.span_from(start) })
    }

    /// `INSERT (a, b) VALUES (1, 2)`, the last part perhaps in parentheses.
    fn merge_insert(&mut self) -> Result<MergeInsert> {
        let start = self.expect(K::INSERT)?.span;
        let columns = if self.kind() == TokenKind::LeftParen && Self::is_name(self.kind_at(1)) {
            self.paren_idents()?
        } else {
            Vec::new()
        };
        let parens = self.eat_kind(TokenKind::LeftParen);
        self.expect(K::VALUES)?;
        let row = self.values_row()?;
        if parens {
            self.expect_kind(TokenKind::RightParen)?;
        }
        Ok(MergeInsert { columns, row, span: self.span_from(start) })
    }

    // ---- what runs statements

    /// `STATEMENT SET BEGIN insert; … END`, an INSERT, and where allowed a query.
    fn executable(&mut self, query: bool) -> Result<Executable> {
        if self.eat(K::STATEMENT) {
            self.expect_all(&[K::SET, K::BEGIN])?;
            let mut inserts = Vec::new();
            while inserts.is_empty() || !self.eat(K::END) {
                inserts.push(self.insert()?);
                self.expect_kind(TokenKind::Semicolon)?;
            }
            return Ok(Executable::StatementSet(inserts));
        }
        if self.at(K::INSERT) || self.is(K::UPSERT) {
            return Ok(Executable::Insert(Box::new(self.insert()?)));
        }
        if query { Ok(Executable::Query(Box::new(self.query()?))) } else { Err(self.unexpected()) }
    }

    fn execute(&mut self) -> Result<StatementKind> {
        self.expect(K::EXECUTE)?;
        if self.eat(K::PLAN) {
            return Ok(StatementKind::ExecutePlan { path: self.string()? });
        }
        Ok(StatementKind::Execute(self.executable(true)?))
    }

    fn compile(&mut self) -> Result<StatementKind> {
        self.expect(K::COMPILE)?;
        if self.eat(K::AND) {
            self.expect_all(&[K::EXECUTE, K::PLAN])?;
            let path = self.string()?;
            self.expect(K::FOR)?;
            return Ok(StatementKind::CompileAndExecutePlan { path, body: self.executable(false)? });
        }
        self.expect(K::PLAN)?;
        let path = self.string()?;
        let if_not_exists = self.if_not_exists();
        self.expect(K::FOR)?;
        Ok(StatementKind::CompilePlan { path, if_not_exists, body: self.executable(false)? })
    }

    fn explain(&mut self) -> Result<Explain> {
        let start = self.expect(K::EXPLAIN)?.span;
        let mut details = Vec::new();
        if self.at(K::PLAN) {
            self.expect_all(&[K::PLAN, K::FOR])?;
        } else if let Some(first) = self.explain_detail() {
            details.push(first);
            while self.eat_kind(TokenKind::Comma) {
                let at = self.here();
                let Some(detail) = self.explain_detail() else { return Err(self.unexpected()) };
                if details.contains(&detail) {
                    return Err(Error::syntax("this detail of EXPLAIN is named twice", at));
                }
                details.push(detail);
            }
        }
        let at = self.here();
        let body = if self.eat(K::EXECUTE) {
            ExplainBody::Execute(self.executable(true)?)
        } else if self.is(K::REPLACE) {
            self.next();
            let temporary = self.eat(K::TEMPORARY);
            ExplainBody::CreateTable(Box::new(self.create_table(CreateTableMode::Replace, temporary, at)?))
        } else if self.is(K::CREATE) {
            match self.create()? {
                StatementKind::CreateTable(table)
                    if matches!(table.source, Some(CreateTableSource::Query(_))) =>
                {
                    ExplainBody::CreateTable(table)
                }
                _ => {
                    let error =
                        Error::syntax("only a CREATE TABLE with AS can be explained", self.span_from(at));
                    return Err(error);
                }
            }
        } else {
            ExplainBody::Executable(self.executable(true)?)
        };
        Ok(Explain { details, body, span: self.span_from(start) })
    }

    fn explain_detail(&mut self) -> Option<ExplainDetail> {
        for (keyword, detail) in [
            (K::ESTIMATED_COST, ExplainDetail::EstimatedCost),
            (K::CHANGELOG_MODE, ExplainDetail::ChangelogMode),
            (K::JSON_EXECUTION_PLAN, ExplainDetail::JsonExecutionPlan),
            (K::PLAN_ADVICE, ExplainDetail::PlanAdvice),
        ] {
            if self.eat(keyword) {
                return Some(detail);
            }
        }
        None
    }

    // ---- settings

    /// `SET`, `SET 'key' = 'value'`, and the client's `SET key = value`.
    fn set(&mut self) -> Result<StatementKind> {
        self.expect(K::SET)?;
        let start = self.here();
        if matches!(self.kind(), TokenKind::Semicolon | TokenKind::End) {
            return Ok(StatementKind::Set(None));
        }
        if !matches!(self.kind(), TokenKind::Word | TokenKind::Keyword(_)) {
            let key = self.option_string("a key in quotes")?;
            self.expect_kind(TokenKind::Eq)?;
            let value = self.option_string("a value in quotes")?;
            return Ok(StatementKind::Set(Some(Setting { key, value, span: self.span_from(start) })));
        }
        let (text, span) = self.raw_rest();
        let setting = text.split_once('=').and_then(|(key, value)| {
            let (key, value) = (key.trim_end(), value.trim_start());
            let unquoted = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
            let value = match unquoted {
                Some(value) if !value.contains('\'') => value,
                None if !value.is_empty() && !value.contains(char::is_whitespace) => value,
                _ => return None,
            };
            (!key.contains(char::is_whitespace) && !key.contains('\''))
                .then(|| (key.to_owned(), value.to_owned()))
        });
        let Some((key, value)) = setting else {
            return Err(Error::syntax("this is no setting", span).hint("write SET 'key' = 'value'"));
        };
        Ok(StatementKind::Set(Some(Setting { key, value, span })))
    }

    /// `RESET`, `RESET 'key'`, and the client's `RESET key`.
    fn reset(&mut self) -> Result<StatementKind> {
        self.expect(K::RESET)?;
        if matches!(self.kind(), TokenKind::Semicolon | TokenKind::End) {
            return Ok(StatementKind::Reset(None));
        }
        if !matches!(self.kind(), TokenKind::Word | TokenKind::Keyword(_)) {
            return Ok(StatementKind::Reset(Some(self.option_string("a key in quotes")?)));
        }
        let (text, span) = self.raw_rest();
        if text.contains(char::is_whitespace) || text.contains('\'') {
            return Err(Error::syntax("this is no setting", span).hint("write RESET 'key'"));
        }
        Ok(StatementKind::Reset(Some(text.to_owned())))
    }

    /// The statement's text from here to its semicolon, which the client's SET reads without tokens.
    fn raw_rest(&mut self) -> (String, Span) {
        let start = self.here();
        while !matches!(self.kind(), TokenKind::Semicolon | TokenKind::End) {
            self.next();
        }
        let span = self.span_from(start);
        (span.text(self.text).to_owned(), span)
    }

    fn use_statement(&mut self) -> Result<StatementKind> {
        self.expect(K::USE)?;
        Ok(StatementKind::Use(if self.eat(K::CATALOG) {
            UseTarget::Catalog(self.ident_as("a catalog name")?)
        } else if self.eat(K::MODULES) {
            UseTarget::Modules(self.comma_list(|p| p.ident_as("a module name"))?)
        } else {
            UseTarget::Database(self.object_name_as("a database name")?)
        }))
    }

    fn stop_job(&mut self) -> Result<StatementKind> {
        self.expect(K::STOP)?;
        self.expect(K::JOB)?;
        let id = self.plain_string("a job id in quotes")?;
        let savepoint = self.eat_all(&[K::WITH, K::SAVEPOINT]);
        let at = self.here();
        let drain = self.eat_all(&[K::WITH, K::DRAIN]);
        if drain && !savepoint {
            return Err(Error::syntax("WITH DRAIN goes only with WITH SAVEPOINT", self.span_from(at)));
        }
        Ok(StatementKind::StopJob { id, savepoint, drain })
    }

    // ---- SHOW, DESCRIBE, ANALYZE

    fn show(&mut self) -> Result<Show> {
        let start = self.expect(K::SHOW)?.span;
        let (mut from, mut like) = (None, None);
        let kind = if self.eat(K::CATALOGS) {
            like = self.show_like(true)?;
            ShowKind::Catalogs
        } else if self.eat(K::CURRENT) {
            if self.eat(K::CATALOG) {
                ShowKind::CurrentCatalog
            } else {
                self.expect(K::DATABASE)?;
                ShowKind::CurrentDatabase
            }
        } else if self.eat(K::COLUMNS) {
            from = self.show_from()?;
            if from.is_none() {
                return Err(self.unexpected());
            }
            like = self.show_like(false)?;
            ShowKind::Columns
        } else if self.eat(K::PARTITIONS) {
            let table = self.object_name_as("a table name")?;
            let partition = if self.at(K::PARTITION) { Some(self.partition()?) } else { None };
            ShowKind::Partitions { table, partition }
        } else if self.eat(K::CREATE) {
            self.show_create()?
        } else if self.eat(K::MODULES) {
            ShowKind::Modules
        } else if self.eat(K::FULL) {
            self.expect(K::MODULES)?;
            ShowKind::FullModules
        } else if self.eat(K::JARS) {
            ShowKind::Jars
        } else if self.eat(K::JOBS) {
            ShowKind::Jobs
        } else {
            let (kind, ignore_case) = if self.eat(K::DATABASES) {
                (ShowKind::Databases, true)
            } else if self.eat(K::TABLES) {
                (ShowKind::Tables, false)
            } else if self.eat(K::VIEWS) {
                (ShowKind::Views, false)
            } else if self.eat(K::MATERIALIZED) {
                self.expect(K::TABLES)?;
                (ShowKind::MaterializedTables, false)
            } else if self.eat(K::FUNCTIONS) {
                (ShowKind::Functions, true)
            } else if self.take(K::USER) {
                self.expect(K::FUNCTIONS)?;
                (ShowKind::UserFunctions, true)
            } else if self.eat(K::PROCEDURES) {
                (ShowKind::Procedures, true)
            } else if self.eat(K::MODELS) {
                (ShowKind::Models, false)
            } else if self.eat(K::CONNECTIONS) {
                (ShowKind::Connections, false)
            } else {
                return Err(self.unexpected());
            };
            from = self.show_from()?;
            if let (ShowKind::Databases, Some(from)) = (&kind, &from)
                && from.name.as_simple().is_none()
            {
                return Err(Error::syntax("a catalog's name has one part", from.name.span()));
            }
            like = self.show_like(ignore_case)?;
            kind
        };
        Ok(Show { kind, from, like, span: self.span_from(start) })
    }

    fn show_from(&mut self) -> Result<Option<ShowFrom>> {
        let start = self.here();
        let in_ = self.is(K::IN);
        if !in_ && !self.at(K::FROM) {
            return Ok(None);
        }
        self.next();
        Ok(Some(ShowFrom { in_, name: self.object_name()?, span: self.span_from(start) }))
    }

    fn show_like(&mut self, ilike: bool) -> Result<Option<ShowLike>> {
        let start = self.here();
        let negated = self.eat(K::NOT);
        let ignore_case = ilike && self.eat(K::ILIKE);
        if !ignore_case {
            if !negated && !self.at(K::LIKE) {
                return Ok(None);
            }
            self.expect(K::LIKE)?;
        }
        let pattern = self.plain_string("a pattern in quotes")?;
        Ok(Some(ShowLike { negated, ignore_case, pattern, span: self.span_from(start) }))
    }

    fn show_create(&mut self) -> Result<ShowKind> {
        Ok(if self.eat(K::TABLE) {
            ShowKind::CreateTable(self.object_name_as("a table name")?)
        } else if self.eat(K::VIEW) {
            ShowKind::CreateView(self.object_name_as("a view name")?)
        } else if self.eat(K::CATALOG) {
            ShowKind::CreateCatalog(self.ident_as("a catalog name")?)
        } else if self.eat(K::MODEL) {
            ShowKind::CreateModel(self.object_name_as("a model name")?)
        } else if self.eat(K::CONNECTION) {
            ShowKind::CreateConnection(self.object_name_as("a connection name")?)
        } else {
            let or_alter = self.eat(K::OR);
            if or_alter {
                self.expect(K::ALTER)?;
            }
            self.expect_all(&[K::MATERIALIZED, K::TABLE])?;
            ShowKind::CreateMaterializedTable { name: self.object_name_as("a table name")?, or_alter }
        })
    }

    fn describe(&mut self) -> Result<Describe> {
        let start = self.next().span;
        let mut extended = self.eat(K::EXTENDED);
        // CATALOG, MODEL and the like may also be a table's name.
        let then_name = Self::is_name(self.kind_at(1)) || self.kind_at(1) == TokenKind::Keyword(K::EXTENDED);
        let object = match self.kind() {
            TokenKind::Keyword(K::FUNCTION) if !extended => {
                self.next();
                extended = self.eat(K::EXTENDED);
                DescribeObject::Function(self.object_name_as("a function name")?)
            }
            TokenKind::Keyword(keyword @ (K::CATALOG | K::DATABASE | K::MODEL | K::CONNECTION))
                if !extended && then_name =>
            {
                self.next();
                extended = self.eat(K::EXTENDED);
                match keyword {
                    K::CATALOG => DescribeObject::Catalog(self.ident_as("a catalog name")?),
                    K::DATABASE => DescribeObject::Database(self.object_name_as("a database name")?),
                    K::MODEL => DescribeObject::Model(self.object_name_as("a model name")?),
                    _ => DescribeObject::Connection(self.object_name_as("a connection name")?),
                }
            }
            TokenKind::Keyword(K::JOB) if !extended && self.kind_at(1) == TokenKind::String => {
                self.next();
                DescribeObject::Job(self.plain_string("a job id in quotes")?)
            }
            TokenKind::Keyword(
                K::STATEMENT
                | K::SELECT
                | K::WITH
                | K::VALUES
                | K::INSERT
                | K::UPSERT
                | K::DELETE
                | K::UPDATE
                | K::MERGE,
            ) if !extended => {
                self.take(K::STATEMENT);
                DescribeObject::Statement(Box::new(self.described_statement()?))
            }
            _ => {
                if !extended {
                    self.take(K::TABLE);
                }
                DescribeObject::Table(self.object_name_as("a table name")?)
            }
        };
        Ok(Describe { extended, object, span: self.span_from(start) })
    }

    /// A query or DML statement.
    fn described_statement(&mut self) -> Result<Statement> {
        let start = self.here();
        let kind = match self.kind() {
            TokenKind::Keyword(K::INSERT | K::UPSERT) => StatementKind::Insert(Box::new(self.insert()?)),
            TokenKind::Keyword(K::UPDATE) => StatementKind::Update(Box::new(self.update()?)),
            TokenKind::Keyword(K::DELETE) => StatementKind::Delete(Box::new(self.delete()?)),
            TokenKind::Keyword(K::MERGE) => StatementKind::Merge(Box::new(self.merge()?)),
            _ => self.query_statement()?,
        };
        Ok(Statement { kind, span: self.span_from(start) })
    }

    fn analyze(&mut self) -> Result<Analyze> {
        let start = self.expect(K::ANALYZE)?.span;
        self.expect(K::TABLE)?;
        let table = self.object_name_as("a table name")?;
        let partition = if self.at(K::PARTITION) { Some(self.partition_spec(false)?) } else { None };
        self.expect_all(&[K::COMPUTE, K::STATISTICS])?;
        let columns = if !self.eat(K::FOR) {
            AnalyzeColumns::None
        } else if self.eat(K::ALL) {
            self.expect(K::COLUMNS)?;
            AnalyzeColumns::All
        } else {
            self.expect(K::COLUMNS)?;
            AnalyzeColumns::Some(self.comma_list(|p| p.ident_as("a column name"))?)
        };
        Ok(Analyze { table, partition, columns, span: self.span_from(start) })
    }
}

//! CREATE and DROP.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{
    Column, ColumnConstraint, ColumnKind, ConstraintKind, CreateCatalog, CreateConnection, CreateDatabase,
    CreateFunction, CreateMaterializedTable, CreateModel, CreateTable, CreateTableMode, CreateTableSource,
    CreateView, Distribution, DistributionBy, DistributionKind, Drop, DropObject, FunctionLanguage,
    FunctionResource, Ident, IntervalLiteral, LikeFeature, LikeOption, MergeStrategy, ObjectScope, Query,
    RefreshMode, StartMode, StartModeKind, StatementKind, TableConstraint, TableElements, TableLike,
    TableOption, TableSchema, ValueSpan, Watermark,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

/// The clauses between a table's columns and its query.
struct TableClauses {
    comment: Option<String>,
    distribution: Option<Distribution>,
    partitioned_by: Vec<Ident>,
    options: Vec<TableOption>,
}

impl Parser<'_> {
    /// CREATE.
    pub(super) fn create(&mut self) -> Result<StatementKind> {
        let start = self.expect(K::CREATE)?.span;
        let or_at = self.here();
        let or_replace = self.eat_all(&[K::OR, K::REPLACE]);
        let or_alter = !or_replace && self.at_all(&[K::OR, K::ALTER, K::MATERIALIZED]);
        if or_alter {
            self.at += 2;
        }
        let scope = self.create_scope()?;
        let temporary = scope != ObjectScope::Catalog;
        let or_span = self.span_from(or_at);
        let refuse_replace = |what: &str| {
            if or_replace {
                Err(Error::syntax(format!("CREATE OR REPLACE {what} is not Flink SQL"), or_span))
            } else {
                Ok(())
            }
        };
        let refuse_temporary = |what: &str| {
            if temporary {
                Err(Error::syntax(format!("there is no temporary {what}"), or_span))
            } else {
                Ok(())
            }
        };
        if scope == ObjectScope::TemporarySystem && !self.at(K::FUNCTION) && !self.at(K::CONNECTION) {
            return Err(self.unexpected());
        }
        Ok(if self.at(K::TABLE) {
            let mode = if or_replace { CreateTableMode::CreateOrReplace } else { CreateTableMode::Create };
            StatementKind::CreateTable(Box::new(self.create_table(mode, temporary, start)?))
        } else if self.at(K::MATERIALIZED) {
            refuse_replace("MATERIALIZED TABLE")?;
            refuse_temporary("materialized table")?;
            StatementKind::CreateMaterializedTable(Box::new(self.create_materialized_table(or_alter, start)?))
        } else if self.eat(K::VIEW) {
            StatementKind::CreateView(Box::new(self.create_view(or_replace, temporary, start)?))
        } else if self.eat(K::CATALOG) {
            let (if_not_exists, name) = (self.if_not_exists(), self.ident_as("a catalog name")?);
            let (comment, options) = (self.comment_opt()?, self.with_options()?);
            let span = self.span_from(start);
            StatementKind::CreateCatalog(Box::new(CreateCatalog {
                if_not_exists,
                name,
                comment,
                options,
                span,
            }))
        } else if self.eat(K::DATABASE) {
            let (if_not_exists, name) = (self.if_not_exists(), self.object_name_as("a database name")?);
            let (comment, options) = (self.comment_opt()?, self.with_options()?);
            let span = self.span_from(start);
            StatementKind::CreateDatabase(Box::new(CreateDatabase {
                if_not_exists,
                name,
                comment,
                options,
                span,
            }))
        } else if self.eat(K::FUNCTION) {
            refuse_replace("FUNCTION")?;
            StatementKind::CreateFunction(Box::new(self.create_function(scope, start)?))
        } else if self.eat(K::MODEL) {
            StatementKind::CreateModel(Box::new(self.create_model(or_replace, temporary, start)?))
        } else if self.eat(K::CONNECTION) {
            refuse_replace("CONNECTION")?;
            let (if_not_exists, name) = (self.if_not_exists(), self.object_name_as("a connection name")?);
            let comment = self.comment_opt()?;
            self.expect(K::WITH)?;
            let options = self.options()?;
            let span = self.span_from(start);
            let connection = CreateConnection { scope, if_not_exists, name, comment, options, span };
            StatementKind::CreateConnection(Box::new(connection))
        } else {
            return Err(self.unexpected());
        })
    }

    /// `TEMPORARY`, `TEMPORARY SYSTEM` or nothing.
    fn create_scope(&mut self) -> Result<ObjectScope> {
        if self.eat(K::TEMPORARY) {
            return Ok(if self.take(K::SYSTEM) {
                ObjectScope::TemporarySystem
            } else {
                ObjectScope::Temporary
            });
        }
        if self.is(K::SYSTEM) {
            let error =
                Error::syntax("only temporary functions and connections can be of the system", self.here());
            return Err(error.hint("write CREATE TEMPORARY SYSTEM"));
        }
        Ok(ObjectScope::Catalog)
    }

    // ---- tables

    /// `TABLE …` behind CREATE or REPLACE.
    pub(super) fn create_table(
        &mut self,
        mode: CreateTableMode,
        temporary: bool,
        start: Span,
    ) -> Result<CreateTable> {
        self.expect(K::TABLE)?;
        let if_not_exists = self.if_not_exists();
        let name = self.object_name_as("a table name")?;
        let elements = self.table_elements()?;
        let clauses = self.table_clauses()?;
        let source = if self.eat(K::AS) {
            Some(CreateTableSource::Query(Box::new(self.query()?)))
        } else if mode != CreateTableMode::Replace && self.eat(K::LIKE) {
            Some(CreateTableSource::Like(self.table_like()?))
        } else if mode == CreateTableMode::Replace {
            return Err(self.unexpected());
        } else {
            None
        };
        let span = self.span_from(start);
        if matches!(elements, TableElements::Names(_)) && !matches!(source, Some(CreateTableSource::Query(_)))
        {
            return Err(Error::syntax("columns without types need AS and a query", span)
                .hint("write a type behind every column name"));
        }
        let TableClauses { comment, distribution, partitioned_by, options } = clauses;
        Ok(CreateTable {
            mode,
            temporary,
            if_not_exists,
            name,
            elements,
            comment,
            distribution,
            partitioned_by,
            options,
            source,
            span,
        })
    }

    fn table_clauses(&mut self) -> Result<TableClauses> {
        Ok(TableClauses {
            comment: self.comment_opt()?,
            distribution: if self.eat(K::DISTRIBUTED) { Some(self.distribution()?) } else { None },
            partitioned_by: if self.eat(K::PARTITIONED) {
                self.expect(K::BY)?;
                self.paren_idents()?
            } else {
                Vec::new()
            },
            options: self.with_options()?,
        })
    }

    /// `(columns, constraints, watermark)`, `(names)` or nothing.
    fn table_elements(&mut self) -> Result<TableElements> {
        if !self.at_kind(TokenKind::LeftParen) {
            return Ok(TableElements::None);
        }
        if self.names_alone_ahead() {
            return Ok(TableElements::Names(self.paren_list(|p| p.object_name_as("a column name"))?));
        }
        Ok(TableElements::Schema(self.table_schema()?))
    }

    /// Whether the parentheses that begin here hold a dotted name and then a comma or the end.
    fn names_alone_ahead(&self) -> bool {
        let mut ahead = 1;
        while Self::is_name(self.kind_at(ahead)) && self.kind_at(ahead + 1) == TokenKind::Dot {
            ahead += 2;
        }
        Self::is_name(self.kind_at(ahead))
            && matches!(self.kind_at(ahead + 1), TokenKind::Comma | TokenKind::RightParen)
    }

    /// `(columns, constraints, watermark)`.
    fn table_schema(&mut self) -> Result<TableSchema> {
        let start = self.here();
        let mut schema =
            TableSchema { columns: Vec::new(), constraints: Vec::new(), watermark: None, span: start };
        self.paren_list(|p| p.schema_element(&mut schema, false))?;
        schema.span = self.span_from(start);
        Ok(schema)
    }

    /// One column, constraint or watermark; with `position` columns may say FIRST or AFTER.
    pub(super) fn schema_element(&mut self, schema: &mut TableSchema, position: bool) -> Result<()> {
        if self.at(K::WATERMARK) {
            let watermark = self.watermark()?;
            if schema.watermark.is_some() {
                return Err(Error::syntax("a table has only one WATERMARK", watermark.span));
            }
            schema.watermark = Some(watermark);
        } else if self.at(K::CONSTRAINT) || self.at(K::PRIMARY) || self.at(K::UNIQUE) {
            schema.constraints.push(self.table_constraint()?);
        } else {
            let column = self.column(position)?;
            schema.columns.push(column);
        }
        Ok(())
    }

    fn column(&mut self, position: bool) -> Result<Column> {
        let start = self.here();
        let name = self.object_name_as("a column name")?;
        let kind = if name.as_simple().is_some() && self.eat(K::AS) {
            ColumnKind::Computed(self.expr()?)
        } else {
            let ty = self.column_type()?;
            if self.eat(K::METADATA) {
                let from = if self.eat(K::FROM) { Some(self.string()?) } else { None };
                ColumnKind::Metadata { ty, from, is_virtual: self.eat(K::VIRTUAL) }
            } else {
                ColumnKind::Physical { ty, constraint: self.column_constraint_opt()? }
            }
        };
        let comment =
            if self.eat(K::COMMENT) { Some(self.plain_string("a comment in quotes")?) } else { None };
        let position = if position { self.column_position()? } else { None };
        Ok(Column { name, kind, comment, position, span: self.span_from(start) })
    }

    fn column_constraint_opt(&mut self) -> Result<Option<ColumnConstraint>> {
        if !self.is(K::CONSTRAINT) && !self.at(K::PRIMARY) && !self.is(K::UNIQUE) {
            return Ok(None);
        }
        let start = self.here();
        let (name, kind) = self.constraint_head()?;
        let enforced = self.enforced();
        Ok(Some(ColumnConstraint { name, kind, enforced, span: self.span_from(start) }))
    }

    fn table_constraint(&mut self) -> Result<TableConstraint> {
        let start = self.here();
        let (name, kind) = self.constraint_head()?;
        let columns = self.paren_idents()?;
        let enforced = self.enforced();
        Ok(TableConstraint { name, kind, columns, enforced, span: self.span_from(start) })
    }

    fn constraint_head(&mut self) -> Result<(Option<Ident>, ConstraintKind)> {
        let name = if self.eat(K::CONSTRAINT) { Some(self.ident_as("a constraint name")?) } else { None };
        if self.eat(K::UNIQUE) {
            return Ok((name, ConstraintKind::Unique));
        }
        self.expect(K::PRIMARY)?;
        self.expect(K::KEY)?;
        Ok((name, ConstraintKind::PrimaryKey))
    }

    fn enforced(&mut self) -> Option<bool> {
        if self.eat(K::ENFORCED) {
            Some(true)
        } else if self.eat_all(&[K::NOT, K::ENFORCED]) {
            Some(false)
        } else {
            None
        }
    }

    fn watermark(&mut self) -> Result<Watermark> {
        let start = self.expect(K::WATERMARK)?.span;
        self.expect(K::FOR)?;
        let column = self.object_name_as("a column name")?;
        self.expect(K::AS)?;
        let expr = self.expr()?;
        Ok(Watermark { column, expr, span: self.span_from(start) })
    }

    /// `BY HASH (a) INTO 4 BUCKETS`, behind DISTRIBUTED or DISTRIBUTION.
    pub(super) fn distribution(&mut self) -> Result<Distribution> {
        let start = self.here();
        let by = if self.eat(K::BY) {
            let at = self.here();
            let kind = if self.eat(K::HASH) {
                Some(DistributionKind::Hash)
            } else if self.eat(K::RANGE) {
                Some(DistributionKind::Range)
            } else {
                None
            };
            let columns = self.paren_idents()?;
            Some(DistributionBy { kind, columns, span: self.span_from(at) })
        } else {
            None
        };
        let buckets = if by.is_none() || self.at(K::INTO) {
            self.expect(K::INTO)?;
            let at = self.here();
            if self.kind() != TokenKind::Integer {
                return Err(self.expected_here("a whole number of buckets"));
            }
            self.next();
            self.expect(K::BUCKETS)?;
            Some(at.text(self.text).to_owned())
        } else {
            None
        };
        Ok(Distribution { by, buckets, span: self.span_from(start) })
    }

    /// Behind LIKE.
    fn table_like(&mut self) -> Result<TableLike> {
        let start = self.here();
        let table = self.object_name_as("a table name")?;
        let mut options = Vec::new();
        if self.eat_kind(TokenKind::LeftParen) {
            while options.is_empty() || !self.at_kind(TokenKind::RightParen) {
                options.push(self.like_option()?);
            }
            self.next();
        }
        Ok(TableLike { table, options, span: self.span_from(start) })
    }

    fn like_option(&mut self) -> Result<LikeOption> {
        let start = self.here();
        let strategy = if self.eat(K::INCLUDING) {
            MergeStrategy::Including
        } else if self.eat(K::EXCLUDING) {
            MergeStrategy::Excluding
        } else if self.eat(K::OVERWRITING) {
            MergeStrategy::Overwriting
        } else {
            return Err(self.unexpected());
        };
        for (keyword, feature) in [
            (K::ALL, LikeFeature::All),
            (K::CONSTRAINTS, LikeFeature::Constraints),
            (K::DISTRIBUTION, LikeFeature::Distribution),
            (K::GENERATED, LikeFeature::Generated),
            (K::METADATA, LikeFeature::Metadata),
            (K::OPTIONS, LikeFeature::Options),
            (K::PARTITIONS, LikeFeature::Partitions),
            (K::WATERMARKS, LikeFeature::Watermarks),
        ] {
            if self.eat(keyword) {
                return Ok(LikeOption { strategy, feature, span: self.span_from(start) });
            }
        }
        Err(self.unexpected())
    }

    // ---- clauses of many statements

    /// `COMMENT '…'`, or nothing.
    fn comment_opt(&mut self) -> Result<Option<String>> {
        if self.eat(K::COMMENT) { Ok(Some(self.plain_string("a comment in quotes")?)) } else { Ok(None) }
    }

    /// `WITH ('k' = 'v')`, or nothing.
    pub(super) fn with_options(&mut self) -> Result<Vec<TableOption>> {
        if self.eat(K::WITH) { self.options() } else { Ok(Vec::new()) }
    }

    /// `('k' = 'v', …)`, perhaps empty.
    pub(super) fn options(&mut self) -> Result<Vec<TableOption>> {
        self.parens(|p| {
            if p.kind() == TokenKind::RightParen {
                return Ok(Vec::new());
            }
            p.comma_list(|p| {
                let start = p.here();
                if p.at_name() {
                    let error = p.expected_here("a key in quotes");
                    return Err(error.hint("keys and values of options are strings: 'key' = 'value'"));
                }
                let key = p.option_string("a key in quotes")?;
                p.expect_kind(TokenKind::Eq)?;
                let at = p.here();
                let value = p.option_string("a value in quotes")?;
                let value_span = ValueSpan(p.span_from(at));
                Ok(TableOption { key, value, value_span, span: p.span_from(start) })
            })
        })
    }

    /// A string; a binary one counts as its digits, as in Flink.
    pub(super) fn option_string(&mut self, what: &'static str) -> Result<String> {
        use TokenKind::*;
        match self.kind() {
            String | UnicodeString | EscapedString | PrefixedString => self.string(),
            _ => Err(self.expected_here(what)),
        }
    }

    // ---- materialized tables

    fn create_materialized_table(&mut self, or_alter: bool, start: Span) -> Result<CreateMaterializedTable> {
        self.expect(K::MATERIALIZED)?;
        self.expect(K::TABLE)?;
        let name = self.object_name_as("a table name")?;
        let elements = self.table_elements()?;
        let TableClauses { comment, distribution, partitioned_by, options } = self.table_clauses()?;
        let start_mode = if self.eat(K::START_MODE) {
            self.expect_kind(TokenKind::Eq)?;
            Some(self.start_mode()?)
        } else {
            None
        };
        let freshness = if self.eat(K::FRESHNESS) {
            self.expect_kind(TokenKind::Eq)?;
            Some(self.freshness()?)
        } else {
            None
        };
        let refresh_mode = if self.eat(K::REFRESH_MODE) {
            self.expect_kind(TokenKind::Eq)?;
            Some(self.refresh_mode()?)
        } else {
            None
        };
        self.expect(K::AS)?;
        let query = Box::new(self.query()?);
        Ok(CreateMaterializedTable {
            or_alter,
            name,
            elements,
            comment,
            distribution,
            partitioned_by,
            options,
            start_mode,
            freshness,
            refresh_mode,
            query,
            span: self.span_from(start),
        })
    }

    fn start_mode(&mut self) -> Result<StartMode> {
        use StartModeKind::*;
        let start = self.here();
        for (keyword, kind) in [
            (K::FROM_BEGINNING, FromBeginning),
            (K::FROM_NOW, FromNow),
            (K::FROM_TIMESTAMP, FromTimestamp),
            (K::RESUME_OR_FROM_BEGINNING, ResumeOrFromBeginning),
            (K::RESUME_OR_FROM_NOW, ResumeOrFromNow),
            (K::RESUME_OR_FROM_TIMESTAMP, ResumeOrFromTimestamp),
        ] {
            if !self.eat(keyword) {
                continue;
            }
            let argument = match kind {
                FromBeginning | ResumeOrFromBeginning => None,
                FromNow | ResumeOrFromNow if !self.at_kind(TokenKind::LeftParen) => None,
                FromNow | ResumeOrFromNow => Some(self.parens(|p| {
                    if !p.at(K::INTERVAL) {
                        return Err(p.expected_here("an interval"));
                    }
                    p.signed_literal()
                })?),
                FromTimestamp | ResumeOrFromTimestamp => Some(self.parens(|p| {
                    if !p.at(K::TIMESTAMP) {
                        return Err(p.expected_here("a TIMESTAMP literal"));
                    }
                    p.signed_literal()
                })?),
            };
            let argument = argument.map(|expr| match expr.kind {
                crate::sql::ast::ExprKind::Literal(literal) => literal,
                _ => unreachable!("only numbers have signs"),
            });
            return Ok(StartMode { kind, argument, span: self.span_from(start) });
        }
        Err(self.unexpected())
    }

    /// An interval literal; an expression around one is no freshness.
    pub(super) fn freshness(&mut self) -> Result<IntervalLiteral> {
        if self.at(K::INTERVAL) { self.interval_literal() } else { Err(self.expected_here("an interval")) }
    }

    pub(super) fn refresh_mode(&mut self) -> Result<RefreshMode> {
        if self.eat(K::FULL) {
            return Ok(RefreshMode::Full);
        }
        self.expect(K::CONTINUOUS)?;
        Ok(RefreshMode::Continuous)
    }

    // ---- views, functions, models

    fn create_view(&mut self, or_replace: bool, temporary: bool, start: Span) -> Result<CreateView> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name_as("a view name")?;
        let columns = if self.at_kind(TokenKind::LeftParen) { self.paren_idents()? } else { Vec::new() };
        let comment = self.comment_opt()?;
        self.expect(K::AS)?;
        let query: Box<Query> = Box::new(self.query()?);
        let span = self.span_from(start);
        Ok(CreateView { or_replace, temporary, if_not_exists, name, columns, comment, query, span })
    }

    fn create_function(&mut self, scope: ObjectScope, start: Span) -> Result<CreateFunction> {
        let if_not_exists = self.if_not_exists();
        let name = if scope == ObjectScope::TemporarySystem {
            self.ident_as("a function name")?.into()
        } else {
            self.object_name_as("a function name")?
        };
        self.expect(K::AS)?;
        let class = self.plain_string("a class name in quotes")?;
        let language_at = self.here();
        let language = self.language()?;
        let language_span = self.span_from(language_at);
        let resources = if self.eat(K::USING) {
            if matches!(language, Some(FunctionLanguage::Sql | FunctionLanguage::Python)) {
                return Err(Error::syntax(
                    "a function in this language uses no JAR and no ARTIFACT",
                    language_span,
                ));
            }
            self.comma_list(|p| {
                let start = p.here();
                let artifact = p.eat(K::ARTIFACT);
                if !artifact {
                    p.expect(K::JAR)?;
                }
                let path = p.plain_string("a path in quotes")?;
                Ok(FunctionResource { artifact, path, span: p.span_from(start) })
            })?
        } else {
            Vec::new()
        };
        let options = self.with_options()?;
        let span = self.span_from(start);
        Ok(CreateFunction { scope, if_not_exists, name, class, language, resources, options, span })
    }

    /// `LANGUAGE JAVA`, or nothing.
    pub(super) fn language(&mut self) -> Result<Option<FunctionLanguage>> {
        if !self.eat(K::LANGUAGE) {
            return Ok(None);
        }
        for (keyword, language) in [
            (K::JAVA, FunctionLanguage::Java),
            (K::SCALA, FunctionLanguage::Scala),
            (K::SQL, FunctionLanguage::Sql),
            (K::PYTHON, FunctionLanguage::Python),
        ] {
            if self.eat(keyword) {
                return Ok(Some(language));
            }
        }
        Err(self.unexpected())
    }

    fn create_model(&mut self, or_replace: bool, temporary: bool, start: Span) -> Result<CreateModel> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name_as("a model name")?;
        let input = if self.eat(K::INPUT) { Some(self.table_schema()?) } else { None };
        let output = if self.eat(K::OUTPUT) { Some(self.table_schema()?) } else { None };
        let comment = self.comment_opt()?;
        let options = self.with_options()?;
        let query = if self.eat(K::AS) { Some(Box::new(self.query()?)) } else { None };
        let span = self.span_from(start);
        Ok(CreateModel {
            or_replace,
            temporary,
            if_not_exists,
            name,
            input,
            output,
            comment,
            options,
            query,
            span,
        })
    }

    // ---- DROP

    pub(super) fn drop(&mut self) -> Result<StatementKind> {
        let start = self.expect(K::DROP)?.span;
        let temporary = self.eat(K::TEMPORARY);
        let system = self.take(K::SYSTEM);
        let scope = match (temporary, system) {
            (false, false) => ObjectScope::Catalog,
            (true, false) => ObjectScope::Temporary,
            (true, true) => ObjectScope::TemporarySystem,
            (false, true) => ObjectScope::System,
        };
        let object = if self.eat(K::FUNCTION) {
            DropObject::Function
        } else if self.eat(K::CONNECTION) {
            DropObject::Connection
        } else if system {
            return Err(self.unexpected());
        } else if self.eat(K::TABLE) {
            DropObject::Table
        } else if self.at(K::MATERIALIZED) {
            if temporary {
                return Err(Error::syntax("there is no temporary materialized table", self.span_from(start)));
            }
            self.next();
            self.expect(K::TABLE)?;
            DropObject::MaterializedTable
        } else if self.eat(K::VIEW) {
            DropObject::View
        } else if self.eat(K::CATALOG) {
            DropObject::Catalog
        } else if self.eat(K::DATABASE) {
            DropObject::Database
        } else if self.eat(K::MODEL) {
            DropObject::Model
        } else {
            return Err(self.unexpected());
        };
        let if_exists = self.if_exists();
        let name = self.object_name()?;
        let cascade = if object != DropObject::Database {
            None
        } else if self.eat(K::CASCADE) {
            Some(true)
        } else if self.eat(K::RESTRICT) {
            Some(false)
        } else {
            None
        };
        let span = self.span_from(start);
        Ok(StatementKind::Drop(Box::new(Drop { object, scope, if_exists, name, cascade, span })))
    }
}

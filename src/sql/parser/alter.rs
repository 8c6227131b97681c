//! ALTER.

use super::Parser;
use crate::error::{Result, Span};
use crate::sql::ast::{
    AlterCatalog, AlterConnection, AlterDatabase, AlterFunction, AlterModel, AlterOptions, AlterSystem,
    AlterTable, AlterTableAction, AlterView, AlterViewAction, ColumnPosition, Expr, ExprKind, NewPartition,
    ObjectScope, OptionKey, PartitionSpec, PartitionValue, StatementKind, TableSchema,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    /// ALTER.
    pub(super) fn alter(&mut self) -> Result<StatementKind> {
        let start = self.expect(K::ALTER)?.span;
        Ok(if self.eat(K::TABLE) {
            let if_exists = self.if_exists();
            let name = self.object_name_as("a table name")?;
            let action = self.alter_table_action()?;
            let span = self.span_from(start);
            StatementKind::AlterTable(Box::new(AlterTable {
                materialized: false,
                if_exists,
                name,
                action,
                span,
            }))
        } else if self.eat(K::MATERIALIZED) {
            self.expect(K::TABLE)?;
            let name = self.object_name_as("a table name")?;
            let action = self.alter_materialized_action()?;
            let span = self.span_from(start);
            let alter = AlterTable { materialized: true, if_exists: false, name, action, span };
            StatementKind::AlterTable(Box::new(alter))
        } else if self.eat(K::VIEW) {
            let name = self.object_name_as("a view name")?;
            let action = if self.eat(K::RENAME) {
                self.expect(K::TO)?;
                AlterViewAction::Rename(self.object_name_as("a view name")?)
            } else {
                self.expect(K::AS)?;
                AlterViewAction::AsQuery(Box::new(self.query()?))
            };
            StatementKind::AlterView(Box::new(AlterView { name, action, span: self.span_from(start) }))
        } else if self.eat(K::CATALOG) {
            let name = self.ident_as("a catalog name")?;
            let action = if self.eat(K::COMMENT) {
                AlterOptions::Comment(self.string()?)
            } else {
                self.alter_options(false)?
            };
            StatementKind::AlterCatalog(Box::new(AlterCatalog { name, action, span: self.span_from(start) }))
        } else if self.eat(K::DATABASE) {
            let name = self.object_name_as("a database name")?;
            self.expect(K::SET)?;
            let options = self.options()?;
            StatementKind::AlterDatabase(Box::new(AlterDatabase {
                name,
                options,
                span: self.span_from(start),
            }))
        } else if self.eat(K::MODEL) {
            let (if_exists, name) = (self.if_exists(), self.object_name_as("a model name")?);
            let action = self.alter_options(true)?;
            let span = self.span_from(start);
            StatementKind::AlterModel(Box::new(AlterModel { if_exists, name, action, span }))
        } else if self.eat(K::CONNECTION) {
            let (if_exists, name) = (self.if_exists(), self.object_name_as("a connection name")?);
            let action = self.alter_options(true)?;
            let span = self.span_from(start);
            StatementKind::AlterConnection(Box::new(AlterConnection { if_exists, name, action, span }))
        } else if self.at(K::FUNCTION) || self.at(K::TEMPORARY) {
            StatementKind::AlterFunction(Box::new(self.alter_function(start)?))
        } else if self.is(K::SYSTEM) || self.is(K::SESSION) {
            StatementKind::AlterSystem(Box::new(self.alter_system(start)?))
        } else {
            return Err(self.unexpected());
        })
    }

    // ---- tables

    fn alter_table_action(&mut self) -> Result<AlterTableAction> {
        if self.eat(K::RENAME) {
            if self.eat(K::TO) {
                return Ok(AlterTableAction::Rename(self.object_name_as("a table name")?));
            }
            let from = self.object_name_as("a column name")?;
            self.expect(K::TO)?;
            return Ok(AlterTableAction::RenameColumn { from, to: self.object_name_as("a column name")? });
        }
        if self.eat(K::SET) {
            return Ok(AlterTableAction::Set(self.options()?));
        }
        if self.eat(K::RESET) {
            return Ok(AlterTableAction::Reset(self.option_keys()?));
        }
        if self.eat(K::ADD) {
            if self.at(K::PARTITION) || self.at_all(&[K::IF, K::NOT, K::EXISTS, K::PARTITION]) {
                return self.add_partitions();
            }
            return self.alter_add();
        }
        if self.eat(K::MODIFY) {
            return self.alter_modify();
        }
        self.expect(K::DROP)?;
        if self.at(K::PARTITION) || self.at_all(&[K::IF, K::EXISTS, K::PARTITION]) {
            let if_exists = self.if_exists();
            let partitions = self.comma_list(Self::partition)?;
            return Ok(AlterTableAction::DropPartitions { if_exists, partitions });
        }
        self.alter_drop()
    }

    fn alter_materialized_action(&mut self) -> Result<AlterTableAction> {
        if self.eat(K::SUSPEND) {
            return Ok(AlterTableAction::Suspend);
        }
        if self.eat(K::RESUME) {
            return Ok(AlterTableAction::Resume(self.with_options()?));
        }
        if self.eat(K::REFRESH) {
            let partition = if self.at(K::PARTITION) { Some(self.partition()?) } else { None };
            return Ok(AlterTableAction::Refresh(partition));
        }
        if self.eat(K::SET) {
            if self.eat(K::FRESHNESS) {
                self.expect_kind(TokenKind::Eq)?;
                return Ok(AlterTableAction::SetFreshness(self.freshness()?));
            }
            if self.eat(K::REFRESH_MODE) {
                self.expect_kind(TokenKind::Eq)?;
                return Ok(AlterTableAction::SetRefreshMode(self.refresh_mode()?));
            }
            return Ok(AlterTableAction::Set(self.options()?));
        }
        if self.eat(K::RESET) {
            return Ok(AlterTableAction::Reset(self.option_keys()?));
        }
        if self.eat(K::AS) {
            return Ok(AlterTableAction::AsQuery(Box::new(self.query()?)));
        }
        if self.eat(K::ADD) {
            return self.alter_add();
        }
        if self.eat(K::MODIFY) {
            return self.alter_modify();
        }
        self.expect(K::DROP)?;
        self.alter_drop()
    }

    /// Behind ADD.
    fn alter_add(&mut self) -> Result<AlterTableAction> {
        if self.eat(K::DISTRIBUTION) {
            return Ok(AlterTableAction::AddDistribution(self.distribution()?));
        }
        Ok(AlterTableAction::Add(self.schema_change()?))
    }

    /// Behind MODIFY.
    fn alter_modify(&mut self) -> Result<AlterTableAction> {
        if self.eat(K::DISTRIBUTION) {
            return Ok(AlterTableAction::ModifyDistribution(self.distribution()?));
        }
        Ok(AlterTableAction::Modify(self.schema_change()?))
    }

    /// One column, constraint or watermark, or several in parentheses.
    fn schema_change(&mut self) -> Result<TableSchema> {
        let start = self.here();
        let mut schema =
            TableSchema { columns: Vec::new(), constraints: Vec::new(), watermark: None, span: start };
        if self.at_kind(TokenKind::LeftParen) {
            self.paren_list(|p| p.schema_element(&mut schema, true))?;
        } else {
            self.schema_element(&mut schema, true)?;
        }
        schema.span = self.span_from(start);
        Ok(schema)
    }

    /// `FIRST`, `AFTER column` or nothing.
    pub(super) fn column_position(&mut self) -> Result<Option<ColumnPosition>> {
        if self.eat(K::FIRST) {
            Ok(Some(ColumnPosition::First))
        } else if self.eat(K::AFTER) {
            Ok(Some(ColumnPosition::After(self.object_name_as("a column name")?)))
        } else {
            Ok(None)
        }
    }

    /// Behind DROP, but for partitions.
    fn alter_drop(&mut self) -> Result<AlterTableAction> {
        if self.eat(K::PRIMARY) {
            self.expect(K::KEY)?;
            return Ok(AlterTableAction::DropPrimaryKey);
        }
        if self.eat(K::CONSTRAINT) {
            return Ok(AlterTableAction::DropConstraint(self.ident_as("a constraint name")?));
        }
        if self.eat(K::WATERMARK) {
            return Ok(AlterTableAction::DropWatermark);
        }
        if self.eat(K::DISTRIBUTION) {
            return Ok(AlterTableAction::DropDistribution);
        }
        let columns = if self.at_kind(TokenKind::LeftParen) {
            self.paren_list(|p| p.object_name_as("a column name"))?
        } else {
            vec![self.object_name_as("a column name")?]
        };
        Ok(AlterTableAction::DropColumns(columns))
    }

    /// `[IF NOT EXISTS] PARTITION (…) [WITH (…)] PARTITION (…) …`.
    fn add_partitions(&mut self) -> Result<AlterTableAction> {
        let if_not_exists = self.if_not_exists();
        let mut partitions = Vec::new();
        while partitions.is_empty() || self.at(K::PARTITION) {
            let start = self.here();
            let partition = self.partition()?;
            let options = if self.eat(K::WITH) { Some(self.options()?) } else { None };
            partitions.push(NewPartition { partition, options, span: self.span_from(start) });
        }
        Ok(AlterTableAction::AddPartitions { if_not_exists, partitions })
    }

    /// `PARTITION (a = 1, b = 'x')`.
    pub(super) fn partition(&mut self) -> Result<PartitionSpec> {
        self.partition_spec(true)
    }

    /// As [`partition`](Self::partition); without `with_values` a column may stand alone.
    pub(super) fn partition_spec(&mut self, with_values: bool) -> Result<PartitionSpec> {
        let start = self.expect(K::PARTITION)?.span;
        let values = self.paren_list(|p| {
            let start = p.here();
            let column = p.ident_as("a column name")?;
            let value = if with_values || p.at_kind(TokenKind::Eq) {
                p.expect_kind(TokenKind::Eq)?;
                Some(p.signed_literal()?)
            } else {
                None
            };
            Ok(PartitionValue { column, value, span: p.span_from(start) })
        })?;
        Ok(PartitionSpec { values, span: self.span_from(start) })
    }

    /// `('a', 'b')`, perhaps empty.
    fn option_keys(&mut self) -> Result<Vec<OptionKey>> {
        self.parens(|p| {
            if p.kind() == TokenKind::RightParen {
                return Ok(Vec::new());
            }
            p.comma_list(|p| {
                let start = p.here();
                let key = p.option_string("a key in quotes")?;
                Ok(OptionKey { key, span: p.span_from(start) })
            })
        })
    }

    // ---- the rest

    fn alter_options(&mut self, rename: bool) -> Result<AlterOptions> {
        if self.eat(K::SET) {
            return Ok(AlterOptions::Set(self.options()?));
        }
        if rename && self.eat(K::RENAME) {
            self.expect(K::TO)?;
            return Ok(AlterOptions::Rename(self.object_name()?));
        }
        self.expect(K::RESET)?;
        Ok(AlterOptions::Reset(self.option_keys()?))
    }

    fn alter_function(&mut self, start: Span) -> Result<AlterFunction> {
        let scope = if !self.eat(K::TEMPORARY) {
            ObjectScope::Catalog
        } else if self.take(K::SYSTEM) {
            ObjectScope::TemporarySystem
        } else {
            ObjectScope::Temporary
        };
        self.expect(K::FUNCTION)?;
        let if_exists = self.if_exists();
        let name = self.object_name_as("a function name")?;
        self.expect(K::AS)?;
        let class = self.plain_string("a class name in quotes")?;
        let language = self.language()?;
        Ok(AlterFunction { scope, if_exists, name, class, language, span: self.span_from(start) })
    }

    /// `SYSTEM SET a = 1`, `SESSION RESET ALL`.
    fn alter_system(&mut self, start: Span) -> Result<AlterSystem> {
        let session = self.is(K::SESSION);
        self.next();
        if self.eat(K::RESET) {
            let name = if self.take(K::ALL) { None } else { Some(self.object_name()?) };
            return Ok(AlterSystem { session, name, value: None, span: self.span_from(start) });
        }
        self.expect(K::SET)?;
        let name = self.object_name()?;
        self.expect_kind(TokenKind::Eq)?;
        let at = self.here();
        let value = if self.is(K::ON) || self.at_name() {
            let token = self.next();
            let name = self.ident_of(token)?;
            Expr::new(ExprKind::Name(name.into()), at)
        } else {
            self.signed_literal()?
        };
        Ok(AlterSystem { session, name: Some(name), value: Some(value), span: self.span_from(start) })
    }
}

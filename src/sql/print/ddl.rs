//! CREATE, ALTER and DROP.

use super::Printer;
use crate::sql::ast::{
    AlterFunction, AlterOptions, AlterTable, AlterTableAction, Column, ColumnConstraint, ColumnKind,
    ColumnPosition, ConstraintKind, CreateConnection, CreateFunction, CreateMaterializedTable, CreateModel,
    CreateTable, CreateTableMode, CreateTableSource, CreateView, Distribution, DistributionKind, Drop,
    DropObject, FunctionLanguage, Ident, LikeFeature, MergeStrategy, ObjectScope, OptionKey, PartitionSpec,
    RefreshMode, StartMode, StartModeKind, TableConstraint, TableElements, TableLike, TableOption,
    TableSchema,
};

impl Printer {
    pub(super) fn create_table(&mut self, table: &CreateTable) {
        self.word(match table.mode {
            CreateTableMode::Create => "CREATE",
            CreateTableMode::CreateOrReplace => "CREATE OR REPLACE",
            CreateTableMode::Replace => "REPLACE",
        });
        self.word_if(table.temporary, "TEMPORARY");
        self.word("TABLE");
        self.word_if(table.if_not_exists, "IF NOT EXISTS");
        self.name(&table.name);
        self.table_elements(&table.elements);
        self.table_clauses(
            table.comment.as_ref(),
            table.distribution.as_ref(),
            &table.partitioned_by,
            &table.options,
        );
        match &table.source {
            None => {}
            Some(CreateTableSource::Query(query)) => {
                self.word("AS");
                self.query(query);
            }
            Some(CreateTableSource::Like(like)) => self.table_like(like),
        }
    }

    fn table_clauses(
        &mut self,
        comment: Option<&String>,
        distribution: Option<&Distribution>,
        partitioned_by: &[Ident],
        options: &[TableOption],
    ) {
        self.word_and_string("COMMENT", comment);
        if let Some(distribution) = distribution {
            self.word("DISTRIBUTED");
            self.distribution(distribution);
        }
        if !partitioned_by.is_empty() {
            self.word("PARTITIONED BY");
            self.idents(partitioned_by);
        }
        self.with_options(options);
    }

    fn table_elements(&mut self, elements: &TableElements) {
        match elements {
            TableElements::None => {}
            TableElements::Schema(schema) => self.table_schema(schema),
            TableElements::Names(names) => self.paren_list(names, |p, name| p.name(name)),
        }
    }

    /// `(columns, constraints, watermark)`.
    fn table_schema(&mut self, schema: &TableSchema) {
        self.open();
        self.list(&schema.columns, Self::column);
        for (i, constraint) in schema.constraints.iter().enumerate() {
            if i > 0 || !schema.columns.is_empty() {
                self.tight(",");
            }
            self.table_constraint(constraint);
        }
        if let Some(watermark) = &schema.watermark {
            if !schema.columns.is_empty() || !schema.constraints.is_empty() {
                self.tight(",");
            }
            self.word("WATERMARK FOR");
            self.name(&watermark.column);
            self.clause("AS", Some(&watermark.expr));
        }
        self.close();
    }

    fn column(&mut self, column: &Column) {
        self.name(&column.name);
        match &column.kind {
            ColumnKind::Physical { ty, constraint } => {
                self.type_name(ty);
                if let Some(constraint) = constraint {
                    self.column_constraint(constraint);
                }
            }
            ColumnKind::Computed(expr) => self.clause("AS", Some(expr)),
            ColumnKind::Metadata { ty, from, is_virtual } => {
                self.type_name(ty);
                self.word("METADATA");
                self.word_and_string("FROM", from.as_ref());
                self.word_if(*is_virtual, "VIRTUAL");
            }
        }
        self.word_and_string("COMMENT", column.comment.as_ref());
        match &column.position {
            None => {}
            Some(ColumnPosition::First) => self.word("FIRST"),
            Some(ColumnPosition::After(other)) => {
                self.word("AFTER");
                self.name(other);
            }
        }
    }

    fn constraint_head(&mut self, name: Option<&Ident>, kind: ConstraintKind) {
        if let Some(name) = name {
            self.word("CONSTRAINT");
            self.ident(name);
        }
        self.word(match kind {
            ConstraintKind::PrimaryKey => "PRIMARY KEY",
            ConstraintKind::Unique => "UNIQUE",
        });
    }

    fn enforced(&mut self, enforced: Option<bool>) {
        match enforced {
            Some(true) => self.word("ENFORCED"),
            Some(false) => self.word("NOT ENFORCED"),
            None => {}
        }
    }

    fn column_constraint(&mut self, constraint: &ColumnConstraint) {
        self.constraint_head(constraint.name.as_ref(), constraint.kind);
        self.enforced(constraint.enforced);
    }

    fn table_constraint(&mut self, constraint: &TableConstraint) {
        self.constraint_head(constraint.name.as_ref(), constraint.kind);
        self.idents(&constraint.columns);
        self.enforced(constraint.enforced);
    }

    fn distribution(&mut self, distribution: &Distribution) {
        if let Some(by) = &distribution.by {
            self.word("BY");
            match by.kind {
                Some(DistributionKind::Hash) => self.word("HASH"),
                Some(DistributionKind::Range) => self.word("RANGE"),
                None => {}
            }
            self.idents(&by.columns);
        }
        if let Some(buckets) = &distribution.buckets {
            self.word("INTO");
            self.word(buckets);
            self.word("BUCKETS");
        }
    }

    fn table_like(&mut self, like: &TableLike) {
        self.word("LIKE");
        self.name(&like.table);
        if like.options.is_empty() {
            return;
        }
        self.open();
        for option in &like.options {
            self.word(match option.strategy {
                MergeStrategy::Including => "INCLUDING",
                MergeStrategy::Excluding => "EXCLUDING",
                MergeStrategy::Overwriting => "OVERWRITING",
            });
            self.word(match option.feature {
                LikeFeature::All => "ALL",
                LikeFeature::Constraints => "CONSTRAINTS",
                LikeFeature::Distribution => "DISTRIBUTION",
                LikeFeature::Generated => "GENERATED",
                LikeFeature::Metadata => "METADATA",
                LikeFeature::Options => "OPTIONS",
                LikeFeature::Partitions => "PARTITIONS",
                LikeFeature::Watermarks => "WATERMARKS",
            });
        }
        self.close();
    }

    /// ` ('k' = 'v', …)`.
    pub(super) fn options(&mut self, options: &[TableOption]) {
        self.paren_list(options, |p, option| {
            p.string(&option.key);
            p.word("=");
            p.string(&option.value);
        });
    }

    /// ` WITH (…)`, or nothing.
    pub(super) fn with_options(&mut self, options: &[TableOption]) {
        if !options.is_empty() {
            self.word("WITH");
            self.options(options);
        }
    }

    fn option_keys(&mut self, keys: &[OptionKey]) {
        self.paren_list(keys, |p, key| p.string(&key.key));
    }

    pub(super) fn create_materialized_table(&mut self, table: &CreateMaterializedTable) {
        self.word(if table.or_alter { "CREATE OR ALTER" } else { "CREATE" });
        self.word("MATERIALIZED TABLE");
        self.name(&table.name);
        self.table_elements(&table.elements);
        self.table_clauses(
            table.comment.as_ref(),
            table.distribution.as_ref(),
            &table.partitioned_by,
            &table.options,
        );
        if let Some(mode) = &table.start_mode {
            self.word("START_MODE =");
            self.start_mode(mode);
        }
        if let Some(freshness) = &table.freshness {
            self.word("FRESHNESS =");
            self.interval_literal(freshness);
        }
        if let Some(mode) = table.refresh_mode {
            self.word("REFRESH_MODE =");
            self.refresh_mode(mode);
        }
        self.word("AS");
        self.query(&table.query);
    }

    fn start_mode(&mut self, mode: &StartMode) {
        self.word(match mode.kind {
            StartModeKind::FromBeginning => "FROM_BEGINNING",
            StartModeKind::FromNow => "FROM_NOW",
            StartModeKind::FromTimestamp => "FROM_TIMESTAMP",
            StartModeKind::ResumeOrFromBeginning => "RESUME_OR_FROM_BEGINNING",
            StartModeKind::ResumeOrFromNow => "RESUME_OR_FROM_NOW",
            StartModeKind::ResumeOrFromTimestamp => "RESUME_OR_FROM_TIMESTAMP",
        });
        if let Some(argument) = &mode.argument {
            self.glue("(");
            self.literal(argument);
            self.close();
        }
    }

    fn refresh_mode(&mut self, mode: RefreshMode) {
        self.word(match mode {
            RefreshMode::Full => "FULL",
            RefreshMode::Continuous => "CONTINUOUS",
        });
    }

    pub(super) fn create_view(&mut self, view: &CreateView) {
        self.word(if view.or_replace { "CREATE OR REPLACE" } else { "CREATE" });
        self.word_if(view.temporary, "TEMPORARY");
        self.word("VIEW");
        self.word_if(view.if_not_exists, "IF NOT EXISTS");
        self.name(&view.name);
        if !view.columns.is_empty() {
            self.idents(&view.columns);
        }
        self.word_and_string("COMMENT", view.comment.as_ref());
        self.word("AS");
        self.query(&view.query);
    }

    fn scope(&mut self, scope: ObjectScope) {
        match scope {
            ObjectScope::Catalog => {}
            ObjectScope::Temporary => self.word("TEMPORARY"),
            ObjectScope::TemporarySystem => self.word("TEMPORARY SYSTEM"),
            ObjectScope::System => self.word("SYSTEM"),
        }
    }

    fn language(&mut self, language: Option<FunctionLanguage>) {
        if let Some(language) = language {
            self.word(match language {
                FunctionLanguage::Java => "LANGUAGE JAVA",
                FunctionLanguage::Scala => "LANGUAGE SCALA",
                FunctionLanguage::Sql => "LANGUAGE SQL",
                FunctionLanguage::Python => "LANGUAGE PYTHON",
            });
        }
    }

    pub(super) fn create_function(&mut self, function: &CreateFunction) {
        self.word("CREATE");
        self.scope(function.scope);
        self.word("FUNCTION");
        self.word_if(function.if_not_exists, "IF NOT EXISTS");
        self.name(&function.name);
        self.word("AS");
        self.string(&function.class);
        self.language(function.language);
        if !function.resources.is_empty() {
            self.word("USING");
            self.list(&function.resources, |p, resource| {
                p.word(if resource.artifact { "ARTIFACT" } else { "JAR" });
                p.string(&resource.path);
            });
        }
        self.with_options(&function.options);
    }

    pub(super) fn create_model(&mut self, model: &CreateModel) {
        self.word(if model.or_replace { "CREATE OR REPLACE" } else { "CREATE" });
        self.word_if(model.temporary, "TEMPORARY");
        self.word("MODEL");
        self.word_if(model.if_not_exists, "IF NOT EXISTS");
        self.name(&model.name);
        if let Some(input) = &model.input {
            self.word("INPUT");
            self.table_schema(input);
        }
        if let Some(output) = &model.output {
            self.word("OUTPUT");
            self.table_schema(output);
        }
        self.word_and_string("COMMENT", model.comment.as_ref());
        self.with_options(&model.options);
        if let Some(query) = &model.query {
            self.word("AS");
            self.query(query);
        }
    }

    pub(super) fn create_connection(&mut self, connection: &CreateConnection) {
        self.word("CREATE");
        self.scope(connection.scope);
        self.word("CONNECTION");
        self.word_if(connection.if_not_exists, "IF NOT EXISTS");
        self.name(&connection.name);
        self.word_and_string("COMMENT", connection.comment.as_ref());
        self.word("WITH");
        self.options(&connection.options);
    }

    // ---- ALTER

    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        self.word(if alter.materialized { "ALTER MATERIALIZED TABLE" } else { "ALTER TABLE" });
        self.word_if(alter.if_exists, "IF EXISTS");
        self.name(&alter.name);
        match &alter.action {
            AlterTableAction::Rename(name) => {
                self.word("RENAME TO");
                self.name(name);
            }
            AlterTableAction::RenameColumn { from, to } => {
                self.word("RENAME");
                self.name(from);
                self.word("TO");
                self.name(to);
            }
            AlterTableAction::Set(options) => {
                self.word("SET");
                self.options(options);
            }
            AlterTableAction::Reset(keys) => {
                self.word("RESET");
                self.option_keys(keys);
            }
            AlterTableAction::Add(schema) => {
                self.word("ADD");
                self.table_schema(schema);
            }
            AlterTableAction::Modify(schema) => {
                self.word("MODIFY");
                self.table_schema(schema);
            }
            AlterTableAction::AddDistribution(distribution) => {
                self.word("ADD DISTRIBUTION");
                self.distribution(distribution);
            }
            AlterTableAction::ModifyDistribution(distribution) => {
                self.word("MODIFY DISTRIBUTION");
                self.distribution(distribution);
            }
            AlterTableAction::AddPartitions { if_not_exists, partitions } => {
                self.word("ADD");
                self.word_if(*if_not_exists, "IF NOT EXISTS");
                for partition in partitions {
                    self.partition(&partition.partition);
                    if let Some(options) = &partition.options {
                        self.word("WITH");
                        self.options(options);
                    }
                }
            }
            AlterTableAction::DropPartitions { if_exists, partitions } => {
                self.word("DROP");
                self.word_if(*if_exists, "IF EXISTS");
                self.list(partitions, Self::partition);
            }
            AlterTableAction::DropColumns(columns) => {
                self.word("DROP");
                self.paren_list(columns, |p, column| p.name(column));
            }
            AlterTableAction::DropPrimaryKey => self.word("DROP PRIMARY KEY"),
            AlterTableAction::DropConstraint(name) => {
                self.word("DROP CONSTRAINT");
                self.ident(name);
            }
            AlterTableAction::DropWatermark => self.word("DROP WATERMARK"),
            AlterTableAction::DropDistribution => self.word("DROP DISTRIBUTION"),
            AlterTableAction::Suspend => self.word("SUSPEND"),
            AlterTableAction::Resume(options) => {
                self.word("RESUME");
                self.with_options(options);
            }
            AlterTableAction::Refresh(partition) => {
                self.word("REFRESH");
                if let Some(partition) = partition {
                    self.partition(partition);
                }
            }
            AlterTableAction::SetFreshness(freshness) => {
                self.word("SET FRESHNESS =");
                self.interval_literal(freshness);
            }
            AlterTableAction::SetRefreshMode(mode) => {
                self.word("SET REFRESH_MODE =");
                self.refresh_mode(*mode);
            }
            AlterTableAction::AsQuery(query) => {
                self.word("AS");
                self.query(query);
            }
        }
    }

    pub(super) fn partition(&mut self, partition: &PartitionSpec) {
        self.word("PARTITION");
        self.paren_list(&partition.values, |p, value| {
            p.ident(&value.column);
            p.clause("=", value.value.as_ref());
        });
    }

    pub(super) fn alter_options(&mut self, action: &AlterOptions) {
        match action {
            AlterOptions::Set(options) => {
                self.word("SET");
                self.options(options);
            }
            AlterOptions::Reset(keys) => {
                self.word("RESET");
                self.option_keys(keys);
            }
            AlterOptions::Rename(name) => {
                self.word("RENAME TO");
                self.name(name);
            }
            AlterOptions::Comment(comment) => self.word_and_string("COMMENT", Some(comment)),
        }
    }

    pub(super) fn alter_function(&mut self, alter: &AlterFunction) {
        self.word("ALTER");
        self.scope(alter.scope);
        self.word("FUNCTION");
        self.word_if(alter.if_exists, "IF EXISTS");
        self.name(&alter.name);
        self.word("AS");
        self.string(&alter.class);
        self.language(alter.language);
    }

    // ---- DROP

    pub(super) fn drop(&mut self, drop: &Drop) {
        self.word("DROP");
        self.scope(drop.scope);
        self.word(match drop.object {
            DropObject::Table => "TABLE",
            DropObject::MaterializedTable => "MATERIALIZED TABLE",
            DropObject::View => "VIEW",
            DropObject::Catalog => "CATALOG",
            DropObject::Database => "DATABASE",
            DropObject::Function => "FUNCTION",
            DropObject::Model => "MODEL",
            DropObject::Connection => "CONNECTION",
        });
        self.word_if(drop.if_exists, "IF EXISTS");
        self.name(&drop.name);
        match drop.cascade {
            Some(true) => self.word("CASCADE"),
            Some(false) => self.word("RESTRICT"),
            None => {}
        }
    }
}

//! Definitions: CREATE, ALTER and DROP of everything that a catalog holds.

use super::{Expr, Ident, IntervalLiteral, Literal, ObjectName, Query, TypeName};

node! {
    /// `'key' = 'value'` of a WITH clause.
    pub struct TableOption {
        /// The key.
        pub key: String,
        /// The value.
        pub value: String,
        /// Where the value alone stands; the key begins the node.
        pub value_span: ValueSpan,
    }
}

/// The place of an option's value, for errors about it. All are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValueSpan(pub crate::error::Span);

impl PartialEq for ValueSpan {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ValueSpan {}

node! {
    /// `CREATE [OR REPLACE] [TEMPORARY] TABLE …`, `REPLACE TABLE … AS …`.
    pub struct CreateTable {
        /// How it begins.
        pub mode: CreateTableMode,
        /// TEMPORARY.
        pub temporary: bool,
        /// IF NOT EXISTS.
        pub if_not_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// What stands in the parentheses.
        pub elements: TableElements,
        /// COMMENT.
        pub comment: Option<String>,
        /// DISTRIBUTED.
        pub distribution: Option<Distribution>,
        /// PARTITIONED BY.
        pub partitioned_by: Vec<Ident>,
        /// WITH.
        pub options: Vec<TableOption>,
        /// LIKE or AS.
        pub source: Option<CreateTableSource>,
    }
}

/// The beginnings of CREATE TABLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateTableMode {
    /// CREATE TABLE.
    Create,
    /// CREATE OR REPLACE TABLE.
    CreateOrReplace,
    /// REPLACE TABLE; always with AS.
    Replace,
}

/// LIKE or AS of CREATE TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateTableSource {
    /// LIKE.
    Like(TableLike),
    /// AS.
    Query(Box<Query>),
}

/// What stands in the parentheses of CREATE TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableElements {
    /// No parentheses.
    None,
    /// Columns, constraints and watermark.
    Schema(TableSchema),
    /// Names alone, to reorder the columns of an AS query.
    Names(Vec<ObjectName>),
}

node! {
    /// Columns, constraints and watermark, each kind in order of writing.
    pub struct TableSchema {
        /// Columns.
        pub columns: Vec<Column>,
        /// Table constraints.
        pub constraints: Vec<TableConstraint>,
        /// WATERMARK FOR.
        pub watermark: Option<Watermark>,
    }
}

node! {
    /// One column.
    pub struct Column {
        /// Its name; dotted names are for nested fields in ALTER TABLE.
        pub name: ObjectName,
        /// Which kind.
        pub kind: ColumnKind,
        /// COMMENT.
        pub comment: Option<String>,
        /// FIRST or AFTER, only in ALTER TABLE.
        pub position: Option<ColumnPosition>,
    }
}

/// The kinds of columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// `name type [constraint]`.
    Physical {
        /// Its type.
        ty: TypeName,
        /// PRIMARY KEY or UNIQUE behind the type.
        constraint: Option<ColumnConstraint>,
    },
    /// `name AS expression`.
    Computed(Expr),
    /// `name type METADATA [FROM 'key'] [VIRTUAL]`.
    Metadata {
        /// Its type.
        ty: TypeName,
        /// The key, when it differs from the name.
        from: Option<String>,
        /// Not written by sinks.
        is_virtual: bool,
    },
}

/// Where ALTER TABLE puts a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnPosition {
    /// FIRST.
    First,
    /// AFTER column.
    After(ObjectName),
}

node! {
    /// `[CONSTRAINT name] PRIMARY KEY [NOT ENFORCED]` behind a column.
    pub struct ColumnConstraint {
        /// Its name.
        pub name: Option<Ident>,
        /// PRIMARY KEY or UNIQUE.
        pub kind: ConstraintKind,
        /// ENFORCED (true), NOT ENFORCED (false).
        pub enforced: Option<bool>,
    }
}

node! {
    /// `[CONSTRAINT name] PRIMARY KEY (a, b) [NOT ENFORCED]`.
    pub struct TableConstraint {
        /// Its name.
        pub name: Option<Ident>,
        /// PRIMARY KEY or UNIQUE.
        pub kind: ConstraintKind,
        /// Its columns.
        pub columns: Vec<Ident>,
        /// ENFORCED (true), NOT ENFORCED (false).
        pub enforced: Option<bool>,
    }
}

/// The kinds of constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConstraintKind {
    PrimaryKey,
    Unique,
}

node! {
    /// `WATERMARK FOR column AS expression`.
    pub struct Watermark {
        /// The row time.
        pub column: ObjectName,
        /// The watermark after a row.
        pub expr: Expr,
    }
}

node! {
    /// `BY HASH (a, b) INTO 4 BUCKETS`, behind DISTRIBUTED or DISTRIBUTION.
    pub struct Distribution {
        /// BY; without it only a number of buckets.
        pub by: Option<DistributionBy>,
        /// INTO n BUCKETS; digits.
        pub buckets: Option<String>,
    }
}

node! {
    /// `BY [HASH | RANGE] (a, b)`.
    pub struct DistributionBy {
        /// HASH or RANGE.
        pub kind: Option<DistributionKind>,
        /// The columns.
        pub columns: Vec<Ident>,
    }
}

/// The kinds of distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DistributionKind {
    Hash,
    Range,
}

node! {
    /// `LIKE table (INCLUDING …)`.
    pub struct TableLike {
        /// The other table.
        pub table: ObjectName,
        /// In order.
        pub options: Vec<LikeOption>,
    }
}

node! {
    /// `EXCLUDING CONSTRAINTS`.
    pub struct LikeOption {
        /// INCLUDING, EXCLUDING or OVERWRITING.
        pub strategy: MergeStrategy,
        /// What.
        pub feature: LikeFeature,
    }
}

/// How LIKE merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MergeStrategy {
    Including,
    Excluding,
    Overwriting,
}

/// What LIKE merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum LikeFeature {
    All,
    Constraints,
    Distribution,
    Generated,
    Metadata,
    Options,
    Partitions,
    Watermarks,
}

node! {
    /// `CREATE [OR ALTER] MATERIALIZED TABLE … AS …`.
    pub struct CreateMaterializedTable {
        /// OR ALTER.
        pub or_alter: bool,
        /// Its name.
        pub name: ObjectName,
        /// What stands in the parentheses.
        pub elements: TableElements,
        /// COMMENT.
        pub comment: Option<String>,
        /// DISTRIBUTED.
        pub distribution: Option<Distribution>,
        /// PARTITIONED BY.
        pub partitioned_by: Vec<Ident>,
        /// WITH.
        pub options: Vec<TableOption>,
        /// START_MODE.
        pub start_mode: Option<StartMode>,
        /// FRESHNESS.
        pub freshness: Option<IntervalLiteral>,
        /// REFRESH_MODE.
        pub refresh_mode: Option<RefreshMode>,
        /// AS.
        pub query: Box<Query>,
    }
}

node! {
    /// `FROM_TIMESTAMP(TIMESTAMP '…')` of START_MODE.
    pub struct StartMode {
        /// Which.
        pub kind: StartModeKind,
        /// Its argument: an interval for the FROM_NOW kinds, a timestamp for the FROM_TIMESTAMP kinds.
        pub argument: Option<Literal>,
    }
}

/// Where a materialized table starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum StartModeKind {
    FromBeginning,
    FromNow,
    FromTimestamp,
    ResumeOrFromBeginning,
    ResumeOrFromNow,
    ResumeOrFromTimestamp,
}

/// How a materialized table refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RefreshMode {
    Full,
    Continuous,
}

node! {
    /// `CREATE [OR REPLACE] [TEMPORARY] VIEW …`.
    pub struct CreateView {
        /// OR REPLACE.
        pub or_replace: bool,
        /// TEMPORARY.
        pub temporary: bool,
        /// IF NOT EXISTS.
        pub if_not_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// New column names.
        pub columns: Vec<Ident>,
        /// COMMENT.
        pub comment: Option<String>,
        /// AS.
        pub query: Box<Query>,
    }
}

node! {
    /// `CREATE CATALOG …`.
    pub struct CreateCatalog {
        /// IF NOT EXISTS.
        pub if_not_exists: bool,
        /// Its name.
        pub name: Ident,
        /// COMMENT.
        pub comment: Option<String>,
        /// WITH.
        pub options: Vec<TableOption>,
    }
}

node! {
    /// `CREATE DATABASE …`.
    pub struct CreateDatabase {
        /// IF NOT EXISTS.
        pub if_not_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// COMMENT.
        pub comment: Option<String>,
        /// WITH.
        pub options: Vec<TableOption>,
    }
}

node! {
    /// `CREATE [TEMPORARY [SYSTEM]] FUNCTION …`.
    pub struct CreateFunction {
        /// Where it lives.
        pub scope: ObjectScope,
        /// IF NOT EXISTS.
        pub if_not_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// AS: the class.
        pub class: String,
        /// LANGUAGE.
        pub language: Option<FunctionLanguage>,
        /// USING.
        pub resources: Vec<FunctionResource>,
        /// WITH.
        pub options: Vec<TableOption>,
    }
}

/// How long and for whom a function or connection exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectScope {
    /// In a catalog.
    Catalog,
    /// TEMPORARY, in a catalog.
    Temporary,
    /// TEMPORARY SYSTEM, everywhere.
    TemporarySystem,
    /// SYSTEM, as DROP SYSTEM FUNCTION may say.
    System,
}

/// The language of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FunctionLanguage {
    Java,
    Scala,
    Sql,
    Python,
}

node! {
    /// `JAR 'path'`, `ARTIFACT 'path'`.
    pub struct FunctionResource {
        /// ARTIFACT instead of JAR.
        pub artifact: bool,
        /// Where.
        pub path: String,
    }
}

node! {
    /// `CREATE [TEMPORARY] MODEL …`.
    pub struct CreateModel {
        /// OR REPLACE, which Flink parses and ignores.
        pub or_replace: bool,
        /// TEMPORARY.
        pub temporary: bool,
        /// IF NOT EXISTS.
        pub if_not_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// INPUT.
        pub input: Option<TableSchema>,
        /// OUTPUT.
        pub output: Option<TableSchema>,
        /// COMMENT.
        pub comment: Option<String>,
        /// WITH.
        pub options: Vec<TableOption>,
        /// AS.
        pub query: Option<Box<Query>>,
    }
}

node! {
    /// `CREATE [TEMPORARY [SYSTEM]] CONNECTION … WITH (…)`.
    pub struct CreateConnection {
        /// Where it lives.
        pub scope: ObjectScope,
        /// IF NOT EXISTS.
        pub if_not_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// COMMENT.
        pub comment: Option<String>,
        /// WITH.
        pub options: Vec<TableOption>,
    }
}

node! {
    /// `ALTER TABLE …`, `ALTER MATERIALIZED TABLE …`.
    pub struct AlterTable {
        /// MATERIALIZED.
        pub materialized: bool,
        /// IF EXISTS.
        pub if_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// What changes.
        pub action: AlterTableAction,
    }
}

/// What ALTER TABLE changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlterTableAction {
    /// RENAME TO.
    Rename(ObjectName),
    /// RENAME a TO b.
    RenameColumn {
        /// Old.
        from: ObjectName,
        /// New.
        to: ObjectName,
    },
    /// SET (…).
    Set(Vec<TableOption>),
    /// RESET (…).
    Reset(Vec<OptionKey>),
    /// ADD of columns, constraints, watermark.
    Add(TableSchema),
    /// MODIFY of columns, constraints, watermark.
    Modify(TableSchema),
    /// ADD DISTRIBUTION.
    AddDistribution(Distribution),
    /// MODIFY DISTRIBUTION.
    ModifyDistribution(Distribution),
    /// ADD PARTITION.
    AddPartitions {
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// In order.
        partitions: Vec<NewPartition>,
    },
    /// DROP PARTITION.
    DropPartitions {
        /// IF EXISTS.
        if_exists: bool,
        /// In order.
        partitions: Vec<PartitionSpec>,
    },
    /// DROP a, DROP (a, b).
    DropColumns(Vec<ObjectName>),
    /// DROP PRIMARY KEY.
    DropPrimaryKey,
    /// DROP CONSTRAINT name.
    DropConstraint(Ident),
    /// DROP WATERMARK.
    DropWatermark,
    /// DROP DISTRIBUTION.
    DropDistribution,
    /// SUSPEND, of materialized tables like the following.
    Suspend,
    /// RESUME [WITH (…)].
    Resume(Vec<TableOption>),
    /// REFRESH [PARTITION (…)].
    Refresh(Option<PartitionSpec>),
    /// SET FRESHNESS = interval.
    SetFreshness(IntervalLiteral),
    /// SET REFRESH_MODE = mode.
    SetRefreshMode(RefreshMode),
    /// AS query.
    AsQuery(Box<Query>),
}

node! {
    /// A key in RESET ('a', 'b').
    pub struct OptionKey {
        /// The key.
        pub key: String,
    }
}

node! {
    /// `PARTITION (a = 1) [WITH (…)]`.
    pub struct NewPartition {
        /// Which.
        pub partition: PartitionSpec,
        /// WITH.
        pub options: Option<Vec<TableOption>>,
    }
}

node! {
    /// `PARTITION (a = 1, b = 'x')`.
    pub struct PartitionSpec {
        /// In order; not empty.
        pub values: Vec<PartitionValue>,
    }
}

node! {
    /// `a = 1`; in ANALYZE TABLE also `a`.
    pub struct PartitionValue {
        /// The column.
        pub column: Ident,
        /// A literal, perhaps a number under a sign.
        pub value: Option<Expr>,
    }
}

node! {
    /// `ALTER VIEW …`.
    pub struct AlterView {
        /// Its name.
        pub name: ObjectName,
        /// What changes.
        pub action: AlterViewAction,
    }
}

/// What ALTER VIEW changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlterViewAction {
    /// RENAME TO.
    Rename(ObjectName),
    /// AS.
    AsQuery(Box<Query>),
}

node! {
    /// `ALTER CATALOG …`.
    pub struct AlterCatalog {
        /// Its name.
        pub name: Ident,
        /// What changes.
        pub action: AlterOptions,
    }
}

node! {
    /// `ALTER DATABASE … SET (…)`.
    pub struct AlterDatabase {
        /// Its name.
        pub name: ObjectName,
        /// SET.
        pub options: Vec<TableOption>,
    }
}

node! {
    /// `ALTER MODEL …`.
    pub struct AlterModel {
        /// IF EXISTS.
        pub if_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// What changes.
        pub action: AlterOptions,
    }
}

node! {
    /// `ALTER CONNECTION …`.
    pub struct AlterConnection {
        /// IF EXISTS.
        pub if_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// What changes.
        pub action: AlterOptions,
    }
}

/// What ALTER CATALOG, MODEL and CONNECTION change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlterOptions {
    /// SET (…).
    Set(Vec<TableOption>),
    /// RESET (…).
    Reset(Vec<OptionKey>),
    /// RENAME TO, not for catalogs.
    Rename(ObjectName),
    /// COMMENT, only for catalogs.
    Comment(String),
}

node! {
    /// `ALTER [TEMPORARY [SYSTEM]] FUNCTION …`.
    pub struct AlterFunction {
        /// Where it lives.
        pub scope: ObjectScope,
        /// IF EXISTS.
        pub if_exists: bool,
        /// Its name.
        pub name: ObjectName,
        /// AS: the class.
        pub class: String,
        /// LANGUAGE.
        pub language: Option<FunctionLanguage>,
    }
}

node! {
    /// `ALTER SYSTEM SET a = 1`, `ALTER SESSION RESET ALL`.
    pub struct AlterSystem {
        /// SESSION instead of SYSTEM.
        pub session: bool,
        /// The setting; `None` for RESET ALL.
        pub name: Option<ObjectName>,
        /// The value; `None` for RESET. `ON` and other words are names.
        pub value: Option<Expr>,
    }
}

node! {
    /// `DROP … name`.
    pub struct Drop {
        /// What kind of thing.
        pub object: DropObject,
        /// TEMPORARY, SYSTEM.
        pub scope: ObjectScope,
        /// IF EXISTS.
        pub if_exists: bool,
        /// Which.
        pub name: ObjectName,
        /// CASCADE (true), RESTRICT (false), only of databases.
        pub cascade: Option<bool>,
    }
}

/// What can be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DropObject {
    Table,
    MaterializedTable,
    View,
    Catalog,
    Database,
    Function,
    Model,
    Connection,
}

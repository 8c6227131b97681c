//! Statements.

use super::{
    AlterCatalog, AlterConnection, AlterDatabase, AlterFunction, AlterModel, AlterSystem, AlterTable,
    AlterView, CreateCatalog, CreateConnection, CreateDatabase, CreateFunction, CreateMaterializedTable,
    CreateModel, CreateTable, CreateView, Drop, Expr, ExtendColumn, From, FunctionCall, Hint, Ident,
    ObjectName, PartitionSpec, Query, TableOption, ValuesRow,
};

node! {
    /// One statement, without its semicolon.
    pub struct Statement {
        /// Which.
        pub kind: StatementKind,
    }
}

/// The statements of Flink SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// SELECT, VALUES, WITH, TABLE t.
    Query(Box<Query>),
    /// CREATE TABLE, REPLACE TABLE.
    CreateTable(Box<CreateTable>),
    /// CREATE MATERIALIZED TABLE.
    CreateMaterializedTable(Box<CreateMaterializedTable>),
    /// CREATE VIEW.
    CreateView(Box<CreateView>),
    /// CREATE CATALOG.
    CreateCatalog(Box<CreateCatalog>),
    /// CREATE DATABASE.
    CreateDatabase(Box<CreateDatabase>),
    /// CREATE FUNCTION.
    CreateFunction(Box<CreateFunction>),
    /// CREATE MODEL.
    CreateModel(Box<CreateModel>),
    /// CREATE CONNECTION.
    CreateConnection(Box<CreateConnection>),
    /// ALTER TABLE, ALTER MATERIALIZED TABLE.
    AlterTable(Box<AlterTable>),
    /// ALTER VIEW.
    AlterView(Box<AlterView>),
    /// ALTER CATALOG.
    AlterCatalog(Box<AlterCatalog>),
    /// ALTER DATABASE.
    AlterDatabase(Box<AlterDatabase>),
    /// ALTER FUNCTION.
    AlterFunction(Box<AlterFunction>),
    /// ALTER MODEL.
    AlterModel(Box<AlterModel>),
    /// ALTER CONNECTION.
    AlterConnection(Box<AlterConnection>),
    /// ALTER SYSTEM, ALTER SESSION.
    AlterSystem(Box<AlterSystem>),
    /// DROP.
    Drop(Box<Drop>),
    /// INSERT, UPSERT.
    Insert(Box<Insert>),
    /// UPDATE.
    Update(Box<Update>),
    /// DELETE.
    Delete(Box<Delete>),
    /// MERGE.
    Merge(Box<Merge>),
    /// TRUNCATE TABLE.
    Truncate(ObjectName),
    /// `EXECUTE STATEMENT SET BEGIN … END`, `EXECUTE INSERT …`, `EXECUTE SELECT …`.
    Execute(Executable),
    /// `BEGIN STATEMENT SET`: the INSERTs up to [`EndStatementSet`](Self::EndStatementSet) are one job.
    BeginStatementSet,
    /// `END`.
    EndStatementSet,
    /// EXPLAIN.
    Explain(Box<Explain>),
    /// `COMPILE PLAN 'path' [IF NOT EXISTS] FOR …`.
    CompilePlan {
        /// The file.
        path: String,
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// Of what; never a query.
        body: Executable,
    },
    /// `EXECUTE PLAN 'path'`.
    ExecutePlan {
        /// The file.
        path: String,
    },
    /// `COMPILE AND EXECUTE PLAN 'path' FOR …`.
    CompileAndExecutePlan {
        /// The file.
        path: String,
        /// Of what; never a query.
        body: Executable,
    },
    /// SET: nothing shows all settings.
    Set(Option<Setting>),
    /// RESET: nothing resets all settings.
    Reset(Option<String>),
    /// USE.
    Use(UseTarget),
    /// LOAD MODULE.
    LoadModule {
        /// Which.
        name: Ident,
        /// WITH.
        options: Vec<TableOption>,
    },
    /// UNLOAD MODULE.
    UnloadModule(Ident),
    /// SHOW.
    Show(Box<Show>),
    /// DESCRIBE, DESC.
    Describe(Box<Describe>),
    /// ADD JAR.
    AddJar(String),
    /// REMOVE JAR.
    RemoveJar(String),
    /// ANALYZE TABLE.
    Analyze(Box<Analyze>),
    /// CALL.
    Call(Box<FunctionCall>),
    /// `STOP JOB 'id' [WITH SAVEPOINT [WITH DRAIN]]`.
    StopJob {
        /// The job.
        id: String,
        /// WITH SAVEPOINT.
        savepoint: bool,
        /// WITH DRAIN.
        drain: bool,
    },
    /// HELP, CLEAR, QUIT, EXIT of Flink's interactive client.
    Client(ClientCommand),
}

/// What EXECUTE, EXPLAIN and COMPILE PLAN take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Executable {
    /// `STATEMENT SET BEGIN insert; … END`: one job. Not empty.
    StatementSet(Vec<Insert>),
    /// One INSERT.
    Insert(Box<Insert>),
    /// A query.
    Query(Box<Query>),
}

node! {
    /// `INSERT INTO t PARTITION (…) (columns) query`.
    pub struct Insert {
        /// UPSERT instead of INSERT.
        pub upsert: bool,
        /// OVERWRITE instead of INTO.
        pub overwrite: bool,
        /// Where to.
        pub table: TargetTable,
        /// PARTITION.
        pub partition: Option<PartitionSpec>,
        /// The columns given; empty means all.
        pub columns: Vec<ObjectName>,
        /// What.
        pub source: Box<Query>,
        /// ON CONFLICT DO.
        pub on_conflict: Option<ConflictAction>,
    }
}

/// What a sink does when two upsert keys meet on one primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConflictAction {
    Nothing,
    Error,
    Deduplicate,
}

node! {
    /// The table of a DML statement.
    pub struct TargetTable {
        /// Its name.
        pub name: ObjectName,
        /// `/*+ OPTIONS(…) */`.
        pub hints: Vec<Hint>,
        /// EXTEND.
        pub extend: Vec<ExtendColumn>,
    }
}

node! {
    /// `UPDATE t [AS a] SET x = 1 [WHERE …]`.
    pub struct Update {
        /// Which table.
        pub table: TargetTable,
        /// AS.
        pub alias: Option<Ident>,
        /// SET; not empty.
        pub assignments: Vec<Assignment>,
        /// WHERE.
        pub filter: Option<Expr>,
    }
}

node! {
    /// `x = value`.
    pub struct Assignment {
        /// The column; dotted only in MERGE.
        pub column: ObjectName,
        /// Its new value.
        pub value: Expr,
    }
}

node! {
    /// `DELETE FROM t [AS a] [WHERE …]`.
    pub struct Delete {
        /// Which table.
        pub table: TargetTable,
        /// AS.
        pub alias: Option<Ident>,
        /// WHERE.
        pub filter: Option<Expr>,
    }
}

node! {
    /// `MERGE INTO t USING s ON … WHEN …`, which Flink parses and refuses.
    pub struct Merge {
        /// Which table.
        pub table: TargetTable,
        /// AS.
        pub alias: Option<Ident>,
        /// USING: one table.
        pub source: From,
        /// ON.
        pub condition: Expr,
        /// WHEN MATCHED THEN UPDATE SET.
        pub matched: Vec<Assignment>,
        /// WHEN NOT MATCHED THEN INSERT.
        pub not_matched: Option<MergeInsert>,
    }
}

node! {
    /// `INSERT (a, b) VALUES (1, 2)` of MERGE.
    pub struct MergeInsert {
        /// The columns given; empty means all.
        pub columns: Vec<Ident>,
        /// Their values.
        pub row: ValuesRow,
    }
}

node! {
    /// `EXPLAIN [details] …`.
    pub struct Explain {
        /// Each at most once.
        pub details: Vec<ExplainDetail>,
        /// Of what.
        pub body: ExplainBody,
    }
}

/// The details of EXPLAIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ExplainDetail {
    EstimatedCost,
    ChangelogMode,
    JsonExecutionPlan,
    PlanAdvice,
}

/// What can be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExplainBody {
    /// A query, an INSERT, `STATEMENT SET BEGIN … END`.
    Executable(Executable),
    /// The same behind EXECUTE.
    Execute(Executable),
    /// CREATE TABLE … AS, REPLACE TABLE … AS.
    CreateTable(Box<CreateTable>),
}

node! {
    /// `'key' = 'value'` of SET.
    pub struct Setting {
        /// The key, written with or without quotes.
        pub key: String,
        /// The value, written with or without quotes.
        pub value: String,
    }
}

/// What USE switches to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UseTarget {
    /// USE database.
    Database(ObjectName),
    /// USE CATALOG.
    Catalog(Ident),
    /// USE MODULES.
    Modules(Vec<Ident>),
}

node! {
    /// `SHOW … [FROM …] [[NOT] LIKE …]`.
    pub struct Show {
        /// What.
        pub kind: ShowKind,
        /// FROM or IN.
        pub from: Option<ShowFrom>,
        /// LIKE or ILIKE.
        pub like: Option<ShowLike>,
    }
}

/// What can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ShowKind {
    Catalogs,
    CurrentCatalog,
    Databases,
    CurrentDatabase,
    Tables,
    MaterializedTables,
    Views,
    Functions,
    UserFunctions,
    Procedures,
    Models,
    Connections,
    /// The table stands in `from`.
    Columns,
    Partitions {
        table: ObjectName,
        partition: Option<PartitionSpec>,
    },
    Modules,
    FullModules,
    Jars,
    Jobs,
    CreateTable(ObjectName),
    CreateMaterializedTable {
        name: ObjectName,
        /// SHOW CREATE OR ALTER MATERIALIZED TABLE.
        or_alter: bool,
    },
    CreateView(ObjectName),
    CreateCatalog(Ident),
    CreateModel(ObjectName),
    CreateConnection(ObjectName),
}

node! {
    /// `FROM name`, `IN name`.
    pub struct ShowFrom {
        /// IN instead of FROM.
        pub in_: bool,
        /// What.
        pub name: ObjectName,
    }
}

node! {
    /// `[NOT] LIKE 'pattern'`.
    pub struct ShowLike {
        /// NOT.
        pub negated: bool,
        /// ILIKE instead of LIKE.
        pub ignore_case: bool,
        /// The pattern.
        pub pattern: String,
    }
}

node! {
    /// `DESCRIBE [kind] [EXTENDED] name`.
    pub struct Describe {
        /// EXTENDED.
        pub extended: bool,
        /// What.
        pub object: DescribeObject,
    }
}

/// What can be described.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DescribeObject {
    Table(ObjectName),
    Catalog(Ident),
    Database(ObjectName),
    Function(ObjectName),
    Model(ObjectName),
    Connection(ObjectName),
    Job(String),
    /// `DESCRIBE SELECT …`, `DESCRIBE STATEMENT INSERT …`, which Flink parses and refuses.
    Statement(Box<Statement>),
}

node! {
    /// `ANALYZE TABLE t [PARTITION (…)] COMPUTE STATISTICS [FOR …]`.
    pub struct Analyze {
        /// Which.
        pub table: ObjectName,
        /// PARTITION; values may be absent.
        pub partition: Option<PartitionSpec>,
        /// FOR.
        pub columns: AnalyzeColumns,
    }
}

/// The columns of ANALYZE TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnalyzeColumns {
    /// Only the table.
    None,
    /// FOR ALL COLUMNS.
    All,
    /// FOR COLUMNS a, b.
    Some(Vec<Ident>),
}

/// Commands of Flink's interactive client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ClientCommand {
    Help,
    Clear,
    Quit,
}

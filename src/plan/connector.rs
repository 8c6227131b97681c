//! What a plan knows of a connector: its name, its options, and what it was found able to do. The planner asks a [`Connectors`],
//! which the engine implements over the real folders; a plan never touches a file or a socket.

use super::Changelog;
use crate::batch::{DataType, Schema};
use crate::error::{Finding, Result, Span};
use std::collections::BTreeMap;

/// The WITH clause of a table. Option values are text, as in SQL.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectorSpec {
    /// The value of `connector`.
    pub connector: String,
    /// All other options.
    pub options: BTreeMap<String, OptionValue>,
    /// Where the WITH clause stands.
    pub span: Span,
}

/// The text of an option and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionValue {
    /// The text.
    pub value: String,
    /// Its place.
    pub span: Span,
    /// The place of key and value together.
    pub pair: Span,
}

impl ConnectorSpec {
    /// The option's text.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.options.get(key).map(|o| o.value.as_str())
    }

    /// Where the option stands, or the clause where there is none.
    pub fn span_of(&self, key: &str) -> Span {
        self.options.get(key).map_or(self.span, |o| o.span)
    }
}

/// A table to read, or to write to, as a connector sees it.
#[derive(Clone, Debug)]
pub struct TableSpec {
    /// Full name: `catalog.database.table`.
    pub name: String,
    /// The connector.
    pub connector: ConnectorSpec,
    /// The physical columns, in declared order.
    pub schema: Schema,
    /// PARTITIONED BY: physical column numbers.
    pub partition_keys: Vec<usize>,
    /// PRIMARY KEY … NOT ENFORCED: physical column numbers.
    pub primary_key: Vec<usize>,
    /// Session settings that connectors look at (`table.exec.source.idle-timeout`, …).
    pub settings: BTreeMap<String, String>,
    /// `table.local-time-zone`.
    pub time_zone: jiff::tz::TimeZone,
}

/// A scan in a plan. Produces the columns of `columns`, then of `leaves`, then of `metadata`.
#[derive(Clone, Debug)]
pub struct SourceSpec {
    /// The table.
    pub table: TableSpec,
    /// Which physical columns the query reads, ascending.
    pub columns: Vec<usize>,
    /// Which parts of ROW columns the query reads of columns that it does not read whole: the column's number, then a field's number at each
    /// level. A leaf is NULL where any row around it is. Empty unless the source said [`SourceInfo::nested`].
    pub leaves: Vec<Vec<usize>>,
    /// Metadata keys that the query reads, with the type that the connector gives them.
    pub metadata: Vec<(String, DataType)>,
    /// What the connector said about it.
    pub info: SourceInfo,
}

/// A sink in a plan.
#[derive(Clone, Debug)]
pub struct SinkSpec {
    /// The table; `None`: the result of a query, handed to the caller.
    pub table: Option<TableSpec>,
    /// The columns as the sink gets them.
    pub schema: Schema,
    /// `table.exec.sink.not-null-enforcer`: `DROP` instead of failing.
    pub drop_nulls: bool,
    /// `table.exec.sink.require-on-conflict` is off: updates may have another key than the table.
    pub any_key: bool,
}

/// What a connector can do for a table as a source.
#[derive(Clone, Debug)]
pub struct SourceInfo {
    /// The input ends.
    pub bounded: bool,
    /// The row kinds it produces.
    pub changelog: Changelog,
    /// Readable metadata: key and type.
    pub metadata: Vec<(String, DataType)>,
    /// It can give parts of ROW columns as columns of their own ([`SourceSpec::leaves`]).
    pub nested: bool,
}

/// What a connector can do for a table as a sink.
#[derive(Clone, Debug)]
pub struct SinkInfo {
    /// The row kinds it takes.
    pub accepts: Changelog,
}

/// The connectors that a planner may ask. Both calls check names and values of all options.
pub trait Connectors {
    /// Checks a table that is read.
    ///
    /// # Errors
    /// Unknown connector or format, unknown, missing or malformed options.
    fn source(&self, table: &TableSpec) -> Result<SourceInfo>;

    /// Checks a table that is written to.
    ///
    /// # Errors
    /// As [`Connectors::source`].
    fn sink(&self, table: &TableSpec) -> Result<SinkInfo>;

    /// Into how many inputs a table that is read can be split, at most. Rows of different inputs have no order among each other.
    fn splits(&self, _table: &TableSpec) -> usize {
        1
    }

    /// Several outputs can write to the table at once, and nothing of what they write is seen earlier for it.
    fn has_many_writers(&self, _table: &TableSpec) -> bool {
        false
    }

    /// What in a WITH clause is Pelton's own: Flink would refuse it or take it for something else.
    fn extensions(&self, connector: &ConnectorSpec) -> Vec<Finding> {
        let _ = connector;
        vec![]
    }
}

//! All connectors by name: what the planner asks, and what opens the inputs and outputs of a plan.

use crate::error::{Error, Finding, Result};
use crate::plan::connector::{
    ConnectorSpec, Connectors, SinkInfo, SinkSpec, SourceInfo, SourceSpec, TableSpec,
};
use crate::plan::options::{Options, nearest};
use crate::shard::{Input, Output};
use crate::sinks::collect::Receiver;
use crate::sinks::{self, Streams};
use crate::sources;

/// The connectors of this build.
#[derive(Clone, Debug, Default)]
pub struct ConnectorRegistry {
    streams: Streams,
}

/// Connectors of Flink's ecosystem that are not there yet, refused by name.
const FLINKS_OWN: &[&str] = &[
    "dynamodb",
    "elasticsearch-7",
    "elasticsearch-8",
    "firehose",
    "hbase-2.2",
    "hive",
    "iceberg",
    "jdbc",
    "kafka",
    "kinesis",
    "mongodb",
    "mysql-cdc",
    "opensearch",
    "paimon",
    "postgres-cdc",
    "pulsar",
    "rabbitmq",
    "upsert-kafka",
];

/// Which of several writers an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// This shard.
    pub shard: usize,
    /// All shards that write.
    pub shards: usize,
}

impl ConnectorRegistry {
    /// Text sinks write to these instead of standard output and standard error.
    pub fn with_streams(streams: Streams) -> Self {
        Self { streams }
    }

    /// The names of all connectors.
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<_> = sources::NAMES.iter().chain(sinks::NAMES).copied().collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Opens a scan: at most `parallelism` inputs. `source` is its number in the plan, for provenance.
    ///
    /// # Errors
    /// The input does not exist or cannot be opened.
    pub fn open_input(
        &self,
        spec: &SourceSpec,
        source: u32,
        parallelism: usize,
    ) -> Result<Vec<Box<dyn Input>>> {
        sources::open(spec, source, parallelism).map_err(|e| e.at(spec.table.connector.span_of("path")))
    }

    /// Opens a sink for one shard. `receiver` gets the batches of a sink without a table.
    ///
    /// # Errors
    /// The target cannot be opened.
    pub fn open_output(
        &self,
        spec: &SinkSpec,
        at: Connection,
        receiver: Option<Receiver>,
    ) -> Result<Box<dyn Output>> {
        match (&spec.table, receiver) {
            (Some(table), _) => sinks::open(spec, at.shard, at.shards, &self.streams)
                .map_err(|e| e.at(table.connector.span_of("path"))),
            (None, Some(receiver)) => Ok(sinks::open_result(spec, receiver)),
            (None, None) => {
                Err(Error::config("nobody takes the result of the query: insert it into a table"))
            }
        }
    }
}

/// Checks that the connector is there and can be used that way.
fn known(table: &TableSpec, usable: &[&str], use_: &str) -> Result<()> {
    let span = table.connector.span_of("connector");
    let name = table.connector.connector.as_str();
    let list = usable.join(", ");
    if name.is_empty() {
        let e = Options::of(&table.connector).required("connector").err();
        let e = e.unwrap_or_else(|| Error::validation("Missing required option 'connector'", span));
        return Err(e.hint(format!("the connectors that can be {use_} are {list}")));
    }
    if usable.contains(&name) {
        return Ok(());
    }
    let all = ConnectorRegistry::names();
    if all.contains(&name) {
        let e =
            Error::validation(format!("Connector '{name}' of table '{}' cannot be {use_}", table.name), span);
        return Err(e.hint(format!("the connectors that can be {use_} are {list}")));
    }
    if FLINKS_OWN.contains(&name) {
        return Err(Error::unsupported(format!("connector '{name}'"), span)
            .hint(format!("the connectors are {}", all.join(", "))));
    }
    let e = Error::validation(format!("Could not find any connector '{name}'"), span);
    Err(match nearest(name, all.iter().copied()) {
        Some(n) => e.hint(format!("did you mean '{n}'?")),
        None => e.hint(format!("the connectors are {}", all.join(", "))),
    })
}

impl Connectors for ConnectorRegistry {
    fn source(&self, table: &TableSpec) -> Result<SourceInfo> {
        known(table, sources::NAMES, "read")?;
        sources::check(table)
    }

    fn sink(&self, table: &TableSpec) -> Result<SinkInfo> {
        known(table, sinks::NAMES, "written to")?;
        sinks::check(table)
    }

    fn splits(&self, table: &TableSpec) -> usize {
        sources::splits(table)
    }

    fn has_many_writers(&self, table: &TableSpec) -> bool {
        // What files and standard output hold after a failure, and in which order, is simple with one writer.
        table.connector.connector == "blackhole"
    }

    fn extensions(&self, connector: &ConnectorSpec) -> Vec<Finding> {
        let name = connector.connector.as_str();
        let finding = |message: String, span, hint: &str| Finding { message, span, hint: hint.to_owned() };
        let mut found = vec![];
        if name == "nexmark" {
            let message = "connector 'nexmark' is not part of Flink".to_owned();
            found.push(finding(
                message,
                connector.span_of("connector"),
                "Flink takes it with the jar of the Nexmark project on its class path",
            ));
        }
        if name == "push" {
            let message = "connector 'push' is Pelton's own".to_owned();
            let hint = "declare the table over the topic or the files that hold its rows";
            found.push(finding(message, connector.span_of("connector"), hint));
        }
        for option in sources::extensions(name).iter().filter(|o| connector.get(o).is_some()) {
            let message = format!("the option '{option}' of connector '{name}' is Pelton's own");
            found.push(finding(message, connector.span_of(option), "leave it out"));
        }
        let path = connector.get("path").filter(|_| name == "filesystem");
        if path == Some("-") {
            let message = "the path '-', standard input or output, is Pelton's own".to_owned();
            found.push(finding(message, connector.span_of("path"), "name a file or a folder"));
        } else if path.is_some_and(sources::filesystem::is_pattern) {
            let message = "a path with wildcards is Pelton's own".to_owned();
            let hint = "name the folder, and choose files with 'source.path.regex-pattern'";
            found.push(finding(message, connector.span_of("path"), hint));
        }
        found
    }
}

#[cfg(test)]
mod tests;

//! The embeddable face: the only place that wires the parts together.

mod connectors;

pub use connectors::{Connection, ConnectorRegistry};

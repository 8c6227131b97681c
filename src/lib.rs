//! Pelton: Flink SQL at microsecond latency, in one process.
//!
//! The modules below stand in the order in which a row meets them: SQL text becomes a plan, the plan
//! becomes operators, a shard drives the operators over columnar batches that sources fill and sinks
//! drain. `docs/ARCHITECTURE.md` walks one record through all of them.

#![allow(rustdoc::private_intra_doc_links, reason = "module texts also speak to whoever opens the file")]

pub mod config;
pub mod error;
pub mod time;

pub mod batch;
pub mod expr;
pub mod formats;
pub mod plan;
pub mod sql;

pub mod state;

pub mod operators;
pub mod ring;
pub mod shard;

pub mod sinks;
pub mod sources;

pub mod engine;

pub mod host;
pub mod log;
pub mod metrics;
pub mod wire;

pub mod edge;

pub use config::Config;
pub use engine::testing;
pub use engine::{Answer, Columns, Scored, ScoredColumns, Scorer, ScorerStats};
pub use engine::{Date, Decimal, Row, RowField, Time, Timestamp};
pub use engine::{Engine, EngineBuilder, Feed, Job, Progress, Run, Script, ShardStats, Stats, Step};
pub use error::{Error, ErrorKind, Finding, Result, Span};

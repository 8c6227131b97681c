//! Pelton: Flink SQL at microsecond latency, in one process.
//!
//! ```
//! # fn main() -> pelton::Result<()> {
//! pelton::row! {
//!     pub struct Tick { pub symbol: String, pub price: f64, pub ts: pelton::Timestamp }
//! }
//! pelton::row! {
//!     pub struct Signal { pub mean: Option<f64>, pub rises: bool }
//! }
//! let engine = pelton::Engine::builder().build()?;
//! let mut scorer: pelton::Scorer<Tick, Signal> = engine.scorer(
//!     "CREATE TABLE ticks (symbol STRING NOT NULL, price DOUBLE NOT NULL, ts TIMESTAMP(3) NOT NULL,
//!        WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'push');
//!      SELECT mean, COALESCE(price > mean, FALSE) AS rises FROM (
//!        SELECT price, AVG(price) OVER (PARTITION BY symbol ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS mean
//!        FROM ticks)",
//! )?;
//! for (second, price) in [(0, 10.0), (1, 11.0), (2, 15.0)] {
//!     let tick = Tick { symbol: "PLT".into(), price, ts: pelton::Timestamp(second * 1_000_000) };
//!     let signal = scorer.score(&tick)?.row.expect("no filter");
//!     assert_eq!(signal.rises, second > 0);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | to | there is |
//! |---|---|
//! | make anything | [`Engine`], by [`Engine::builder`] |
//! | answer each event on your own thread | [`Engine::scorer`]: [`Scorer`], with [`Scored`] and [`Answer`]; [`Engine::scorers`] on several threads |
//! | run SQL | [`Engine::prepare`]: [`Script`], its [`Job`]s, and each [`Run`] of one |
//! | send rows | [`Run::feed`]: [`Feed`] |
//! | say what a row is | [`row!`]: [`Row`], [`Timestamp`], [`Date`], [`Time`], [`Decimal`] |
//! | add functions | [`ScalarFunction`](expr::ScalarFunction), [`AggregateFunction`](expr::AggregateFunction), over columns of [`batch`] |
//! | test a query | [`testing::Test`] |
//! | read what went wrong | [`Error`], [`ErrorKind`], [`Finding`] |
//! | see what is going on | [`Stats`], [`ShardStats`], [`ScorerStats`] |
//!
//! The other modules are what these are made of; `docs/ARCHITECTURE.md` walks one record through all of them. They stand below in the order in which a row
//! meets them: SQL text becomes a plan, the plan becomes operators, a shard drives the operators over columnar batches that sources fill
//! and sinks drain.

#![allow(rustdoc::private_intra_doc_links, reason = "module texts also speak to whoever opens the file")]

pub mod config;
pub mod error;
#[doc(hidden)]
pub mod time;

pub mod batch;
pub mod expr;
#[doc(hidden)]
pub mod formats;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod sql;

#[doc(hidden)]
pub mod state;

#[doc(hidden)]
pub mod operators;
#[doc(hidden)]
pub mod ring;
#[doc(hidden)]
pub mod shard;

#[doc(hidden)]
pub mod sinks;
#[doc(hidden)]
pub mod sources;

pub mod engine;

#[doc(hidden)]
pub mod host;
#[doc(hidden)]
pub mod log;
#[doc(hidden)]
pub mod metrics;
#[doc(hidden)]
pub mod wire;

#[doc(hidden)]
pub mod edge;

pub use config::Config;
pub use engine::testing;
pub use engine::{Answer, Columns, Homes, Scored, ScoredColumns, Scorer, ScorerStats};
pub use engine::{Date, Decimal, Row, RowField, Time, Timestamp};
pub use engine::{Engine, EngineBuilder, Feed, Job, Progress, Run, Script, ShardStats, Stats, Step};
pub use error::{Error, ErrorKind, Finding, Result, Span};
pub use sinks::{Streams, Target};

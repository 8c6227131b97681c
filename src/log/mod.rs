//! Topics on disk, in Kafka's record batch v2 bytes, written and read at memory speed, surviving `kill -9`.
//!
//! ```text
//!   owner thread ── append ─→ mapped segment ── publish ─→ readers (any thread, no copy)
//!        │ group-commit: ring                      ↑
//!        └────────────→ committer: write, publish, sync, checkpoint
//!                       keeper: prepare, trim, index, retention, compaction
//!                       prefaulter: pages ahead of the owner
//! ```
//!
//! A [`Log`] is a folder that one process writes. A partition has one [`PartitionWriter`] and any number of [`Reader`]s;
//! other threads hand batches to the writer's thread by a ring. Three offsets, as three types: [`Appended`] ≥
//! [`Published`] ≥ [`Durable`]. What is published survives the death of the process under every [`FlushPolicy`]; what
//! is durable survives the loss of power.
//!
//! No locks and no channels here: lists are swapped whole, offsets are atomics, helpers are fed by rings.
//! `docs/formats/log.md` draws every byte; decisions 0020 and 0021 say why it is so.

mod alter;
mod catalog;
mod commit;
mod compact;
mod config;
mod error;
mod files;
pub mod index;
mod keeper;
mod moves;
mod offset;
mod open;
mod partition;
mod prefault;
mod reader;
mod recover;
pub mod scan;
mod segment;
mod store;
mod sync;
mod truncate;
pub mod verify;
mod writer;

pub use catalog::{Catalog, Topic};
pub use config::{FlushPolicy, Helpers, LogConfig, SyncBy, TopicConfig};
pub use error::{LogError, LogResult};
pub use moves::Moves;
pub use offset::{Appended, Durable, Published};
pub use open::Log;
pub use partition::{Counters, Partition};
pub use reader::{Check, Follow, Reader, max_timestamp, offset_for_time};
pub use recover::{Finding, FindingKind};
pub use segment::{Place, Segment};
pub use store::LogStore;
pub use writer::PartitionWriter;

//! Kafka's bytes: record batches, requests and replies, and the broker that answers them. No I/O, no clock, no threads.
//!
//! What is here is plain functions from bytes to views and back, so that the log, the protocol state machines,
//! the command line and the fuzz targets share one reading of the format.

pub mod api;
pub mod batch;
pub mod broker;
pub mod builder;
mod checksum;
mod codec;
pub mod compression;
pub mod error_code;
mod fetch;
pub mod memory;
mod message;
mod messages;
mod produce;
pub mod store;
pub mod varint;

pub use batch::{Attributes, Batch, BatchError, BatchHeader, Headers, Record, Records, TimestampType};
pub use broker::{Broker, BrokerConfig};
pub use builder::BatchBuilder;
pub use compression::Compression;
pub use memory::MemoryStore;
pub use store::Store;

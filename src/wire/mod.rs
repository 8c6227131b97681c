//! Kafka's bytes: record batches, and (with the listener) requests and replies. No I/O, no clock, no threads.
//!
//! What is here is plain functions from bytes to views and back, so that the log, the protocol state machines,
//! the command line and the fuzz targets share one reading of the format.

pub mod batch;
pub mod builder;
pub mod compression;
pub mod store;
pub mod varint;

pub use batch::{Attributes, Batch, BatchError, BatchHeader, Headers, Record, Records, TimestampType};
pub use builder::BatchBuilder;
pub use compression::Compression;
pub use store::Store;

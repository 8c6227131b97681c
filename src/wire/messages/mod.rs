//! The control messages that the broker reads and writes, transcribed from Kafka's message definitions
//! (`clients/src/main/resources/common/message` of Apache Kafka 4.1).
//!
//! A field is followed by the first (`to` the last) version that has it and, after `else`, what it is in the others.
//! Fields that only versions beyond those served have are left out. The tests compare every message
//! and version with an independent implementation. Produce and Fetch are in files of their own: they move the data.

pub(crate) mod cluster;
pub(crate) mod configs;
pub(crate) mod group;
pub(crate) mod offsets;
pub(crate) mod security;
pub(crate) mod topics;

#[cfg(test)]
mod tests;

/// "Not asked for" in the bit fields of authorised operations.
pub(crate) const NO_OPERATIONS: i32 = i32::MIN;

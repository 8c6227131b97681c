//! One core's share of a job: inputs, operators and outputs, driven turn by turn.
//!
//! [`Shard`] holds the operators, [`Input`] and [`Output`] are its only doors. It starts no thread and reads no clock: a driver
//! (the caller's thread, a pinned thread, a simulator) calls [`Shard::turn`].

mod exchange;
mod io;
#[allow(clippy::module_inception)]
mod shard;
mod values;

#[cfg(test)]
mod tests;

pub use exchange::{Goods, Inbox, Outbox, owner};
pub use io::{Comes, Input, InputCounters, IoContext, Output, Polled};
pub use shard::{NodeCounts, NodeSpec, NodeStats, Role, Shard, Turn};
pub use values::ValuesInput;

//! Listeners and the executors that serve them: sockets on one side, the broker of [`crate::wire`] on the other.
//!
//! ```text
//!   socket ─→ executor 0 ─ frames, checked ─┐               ┌─ replies ─→ the executor that holds the connection
//!   socket ─→ executor 1 ─ frames, checked ─┴─→ Broker ─────┘
//! ```
//!
//! One executor a core, each a thread with its own poll and its own connections. What costs time (reading, framing,
//! decompressing and checking batches, TLS, writing) happens in the executors at the same time; the broker itself is
//! one value behind a lock that is held for the microseconds of an append or a look-up. A reply that belongs to
//! another executor's connection goes through that one's mailbox and wakes it.
//!
//! Memory is bounded everywhere: frames by API ([`crate::wire::api::frame_limit`]), connections and buffered bytes by
//! [`Limits`]; a client that does not read its replies is not read from, and after a while closed. Decision records
//! 0030 to 0032.

mod config;
mod connection;
mod executor;
mod server;
mod transport;

pub use config::{Certificate, Limits, Listener, ServerConfig};
pub use server::Server;

//! Listeners and the executors that serve them: sockets on one side, the broker of [`crate::wire`] on the other.
//!
//! ```text
//!   acceptor ─ sockets in turn ─┬─→ executor 0 ─ frames, checked ─┐               ┌─ replies ─→ the executor that
//!                               └─→ executor 1 ─ frames, checked ─┴─→ Broker ─────┘            holds the connection
//! ```
//!
//! One executor a core, each a thread with its own connections. It waits by a poller: glommio over io_uring where a probe
//! finds that allowed, epoll or kqueue elsewhere; it does not know by which. What costs time (reading, framing,
//! decompressing and checking batches, TLS, writing) happens in the executors at the same time; the broker itself is
//! one value behind a lock that is held for the microseconds of an append or a look-up. A reply that belongs to
//! another executor's connection goes through that one's mailbox and wakes it.
//!
//! Memory is bounded everywhere: frames by API ([`crate::wire::api::frame_limit`]), connections and buffered bytes by
//! [`Limits`]; a client that does not read its replies is not read from, and after a while closed. Decision records
//! 0030 to 0032.

mod acceptor;
mod config;
mod connection;
mod executor;
mod poller;
mod portable;
mod server;
mod transport;
#[cfg(all(target_os = "linux", feature = "glommio"))]
mod uring;

pub use config::{Certificate, Limits, Listener, ServerConfig};
pub use poller::Driver;
pub use server::Server;
#[cfg(all(target_os = "linux", feature = "glommio"))]
pub use uring::io_uring_is_allowed;

/// Not in this build.
///
/// # Errors
/// Always.
#[cfg(not(all(target_os = "linux", feature = "glommio")))]
pub fn io_uring_is_allowed() -> crate::error::Result<()> {
    Err(crate::error::Error::config("this program was built without io_uring")
        .hint("build it on Linux with the feature `glommio`, which is on by default"))
}

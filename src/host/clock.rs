//! Wall time in milliseconds and a monotonic clock in nanoseconds, real or turned by hand.
//!
//! Retention, flush intervals and log-append times take a `Clock`; nothing on the data path reads one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A source of time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Milliseconds since 1970, UTC.
    fn wall_ms(&self) -> i64;
    /// Nanoseconds since an arbitrary moment; never runs backwards.
    fn monotonic_ns(&self) -> u64;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
    }

    fn monotonic_ns(&self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// A clock that stands until it is moved.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Stands at `wall_ms`.
    pub fn at(wall_ms: i64) -> Self {
        Self(Arc::new(AtomicU64::new(wall_ms as u64 * 1_000_000)))
    }

    /// Moves both clocks forward.
    pub fn advance_ms(&self, ms: u64) {
        self.0.fetch_add(ms * 1_000_000, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> i64 {
        (self.0.load(Ordering::Relaxed) / 1_000_000) as i64
    }

    fn monotonic_ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

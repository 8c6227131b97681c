//! Counts that one thread makes and others read, without locks.

use std::sync::atomic::{AtomicU64, Ordering};

/// A row of numbers: set by the one thread that counts, read by anybody. Each number is whole; two of them read together may be of
/// different moments.
#[derive(Debug)]
pub struct Gauges(Box<[AtomicU64]>);

impl Gauges {
    /// That many, all 0.
    pub fn new(len: usize) -> Self {
        Self((0..len).map(|_| AtomicU64::new(0)).collect())
    }

    /// Sets number `i`.
    pub fn set(&self, i: usize, value: u64) {
        self.0[i].store(value, Ordering::Relaxed);
    }

    /// Number `i`.
    pub fn get(&self, i: usize) -> u64 {
        self.0[i].load(Ordering::Relaxed)
    }
}

//! The watermark column of a batch, run-length coded.
//!
//! An entry `(after, w)` says: once the first `after` physical rows have been taken, the watermark is `w`. Entries ascend in
//! both parts. Whether those rows are still selected does not matter: a filter drops rows, not time. A watermark before the
//! first row has `after` 0. Units are milliseconds since the epoch, as in Flink; [`END_OF_TIME`] ends event time.

/// The watermark before any: nothing is known.
pub const BEFORE_TIME: i64 = i64::MIN;
/// Flink's `MAX_WATERMARK`: no row will follow.
pub const END_OF_TIME: i64 = i64::MAX;

/// Run-length watermarks of one batch. Empty: the watermark does not move in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watermarks {
    runs: Vec<(u32, i64)>,
}

impl Watermarks {
    /// After `after` rows the watermark is `watermark`; ignored unless it advances.
    #[inline]
    pub fn advance(&mut self, after: usize, watermark: i64) {
        match self.runs.last_mut() {
            Some((_, w)) if *w >= watermark => {}
            Some((a, w)) if *a as usize == after => *w = watermark,
            _ => self.runs.push((after as u32, watermark)),
        }
    }

    /// The entries, ascending.
    #[inline]
    pub fn runs(&self) -> &[(u32, i64)] {
        &self.runs
    }

    /// The watermark after the whole batch, if it moves in it.
    #[inline]
    pub fn last(&self) -> Option<i64> {
        self.runs.last().map(|r| r.1)
    }

    /// The watermark does not move.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Forgets the entries after more than `rows` rows: the batch ends there.
    pub fn truncate(&mut self, rows: usize) {
        let keep = self.runs.partition_point(|r| r.0 as usize <= rows);
        self.runs.truncate(keep);
    }

    /// Entries that fit without growing.
    pub fn capacity(&self) -> usize {
        self.runs.capacity()
    }

    /// No entries, the memory kept.
    #[inline]
    pub fn clear(&mut self) {
        self.runs.clear();
    }
}

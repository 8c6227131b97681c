//! The state of a scorer in a file, and back.
//!
//! ```text
//! "PELTSCOR"  u32 version  u64 fingerprint of the plan  u64 length  state  u64 XXH3 of all before
//! ```
//!
//! Little endian. The file takes its name only when all of it is on the disk, so that a crash leaves the old one or the new one. A scorer reads
//! only what its own version wrote for a plan that does the same; else it says which of the two is different, and what to do.

use super::Scorer;
use crate::batch::{Decoder, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::host::disk::{Disk, RealDisk};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 8] = b"PELTSCOR";
const VERSION: u32 = 1;
const HEAD: usize = 28;

impl<E, R> Scorer<E, R> {
    /// Writes its state to a file, which is replaced in one step.
    ///
    /// ```
    /// # fn main() -> pelton::Result<()> {
    /// # pelton::row! { struct Payment { card: i64, ts: pelton::Timestamp } }
    /// # pelton::row! { struct Count { n: i64 } }
    /// # const SQL: &str = "CREATE TABLE payments (card BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
    /// #   WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'push');
    /// #   SELECT COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n
    /// #   FROM payments";
    /// # let at = |second: i64| Payment { card: 7, ts: pelton::Timestamp(second * 1_000_000) };
    /// # let engine = pelton::Engine::builder().build()?;
    ///
    /// # let folder = std::env::temp_dir().join(format!("pelton-save-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).expect("a folder");
    /// # let file = folder.join("scorer.state");
    /// let mut scorer: pelton::Scorer<Payment, Count> = engine.scorer(SQL)?;
    /// scorer.score(&at(0))?;
    /// scorer.save(&file)?;
    /// let mut after: pelton::Scorer<Payment, Count> = engine.scorer(SQL)?;
    /// after.load(&file)?;
    /// assert_eq!(after.score(&at(1))?.row.map(|c| c.n), Some(2));
    /// # std::fs::remove_dir_all(&folder).expect("ours");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        RealDisk.replace(path, &self.snapshot()).map_err(|e| Error::io(path.display(), &e))
    }

    /// Goes on from a file that [`Scorer::save`] wrote. It must not have scored anything yet.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, is of another version, or belongs to another query.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = RealDisk.read_all(path, usize::MAX).map_err(|e| Error::io(path.display(), &e))?;
        self.restore(&bytes)
    }

    /// Its state as bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut state = Encoder::default();
        state.i64(self.now_us);
        [self.counts.events, self.counts.filtered, self.counts.late].into_iter().for_each(|n| state.u64(n));
        self.chain.snapshot(&mut state);
        let state = state.finish();
        let mut out = Vec::with_capacity(HEAD + state.len() + 8);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.fingerprint.to_le_bytes());
        out.extend_from_slice(&(state.len() as u64).to_le_bytes());
        out.extend_from_slice(&state);
        let sum = xxh3_64(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// Goes on from bytes that [`Scorer::snapshot`] gave. It must not have scored anything yet.
    ///
    /// # Errors
    /// As [`Scorer::load`].
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        if self.counts.events > 0 {
            return Err(Error::config("a scorer that has scored already cannot go on from a snapshot")
                .hint("make a new one"));
        }
        let number =
            |at: usize| bytes.get(at..at + 8).map(|b| u64::from_le_bytes(b.try_into().expect("8 bytes")));
        if bytes.get(..8) != Some(MAGIC) {
            return Err(Error::corrupt("these bytes are not the snapshot of a scorer"));
        }
        let version = bytes.get(8..12).map(|b| u32::from_le_bytes(b.try_into().expect("4 bytes")));
        if version.is_some_and(|v| v != VERSION) {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "the snapshot has version {}, this build reads version {VERSION}",
                    version.unwrap_or(0)
                ),
            )
            .hint("replay the history into a new scorer"));
        }
        let (Some(plan), Some(len)) = (number(12), number(20)) else {
            return Err(Error::corrupt("the snapshot ends in its head"));
        };
        let end =
            usize::try_from(len).ok().and_then(|n| n.checked_add(HEAD)).filter(|&n| n + 8 == bytes.len());
        let Some(end) = end else {
            return Err(Error::corrupt("the snapshot has another length than its head says"));
        };
        if number(end) != Some(xxh3_64(&bytes[..end])) {
            return Err(Error::corrupt("the snapshot does not match its checksum"));
        }
        if plan != self.fingerprint {
            return Err(Error::new(ErrorKind::Config, "the snapshot belongs to another query")
                .hint("score with the query that wrote it, or replay the history into a new scorer"));
        }
        let mut state = Decoder::new(&bytes[HEAD..end]);
        self.now_us = state.i64()?;
        self.counts.events = state.u64()?;
        self.counts.filtered = state.u64()?;
        self.counts.late = state.u64()?;
        self.chain.restore(&mut state)?;
        state.end()
    }
}

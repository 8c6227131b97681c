//! How files are made durable while the committer goes on: by io_uring, by a thread, or in place.
//!
//! Jobs carry a tag; results come back in any order. The segment is held until its sync has ended.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::config::SyncBy;
use super::error::{LogError, LogResult};
use super::segment::Segment;
use crate::host::threads::{SideThread, Turn, Waker};
#[cfg(target_os = "linux")]
use crate::host::uring::{DEPTH, SyncRing};

#[cfg(not(target_os = "linux"))]
const DEPTH: usize = 64;

/// A result: the tag and how it went.
pub(super) type Done = (u64, io::Result<()>);

/// Runs syncs.
pub(super) struct Syncer {
    by: By,
    /// What will be used, for people.
    pub(super) name: String,
}

enum By {
    #[cfg(target_os = "linux")]
    Ring {
        ring: SyncRing,
        /// The segments under way, by slot; the slot is the ring's tag.
        slots: Vec<Option<(u64, Arc<Segment>)>>,
    },
    Thread {
        jobs: rtrb::Producer<(u64, Arc<Segment>)>,
        done: rtrb::Consumer<Done>,
        waker: Waker,
        _helper: SideThread,
    },
    Inline(Vec<Done>),
}

fn sync_now(segment: &Segment) -> io::Result<()> {
    match segment.loaded() {
        Some(loaded) => loaded.file.sync(),
        // Never opened in this run: nothing written either, but the last run's pages may still be dirty.
        None => Err(io::Error::other("the segment is not open")),
    }
}

impl Syncer {
    pub(super) fn new(by: SyncBy) -> LogResult<Self> {
        match by {
            SyncBy::Inline => Ok(Self { by: By::Inline(Vec::new()), name: "in place".into() }),
            SyncBy::Thread => Self::thread("a thread".into()),
            SyncBy::Auto => Self::ring().or_else(|why| Self::thread(format!("a thread, as {why}"))),
            SyncBy::Uring => Self::ring().map_err(|why| LogError::Config(format!("sync by io_uring: {why}"))),
        }
    }

    #[cfg(target_os = "linux")]
    fn ring() -> Result<Self, String> {
        let ring = SyncRing::probe().map_err(|e| format!("io_uring cannot be used here: {e}"))?;
        let slots = (0..DEPTH).map(|_| None).collect();
        Ok(Self { by: By::Ring { ring, slots }, name: "io_uring".into() })
    }

    #[cfg(not(target_os = "linux"))]
    fn ring() -> Result<Self, String> {
        Err("io_uring is Linux's".into())
    }

    fn thread(name: String) -> LogResult<Self> {
        let (jobs, jobs_out) = rtrb::RingBuffer::<(u64, Arc<Segment>)>::new(DEPTH);
        let (done_in, done) = rtrb::RingBuffer::<Done>::new(2 * DEPTH);
        let helper = SideThread::spawn(
            "pelton-sync",
            (jobs_out, done_in),
            |(jobs, done)| match jobs.pop() {
                Ok((tag, segment)) => {
                    // There are never more jobs under way than the ring has room for results.
                    let _ = done.push((tag, sync_now(&segment)));
                    Turn::Busy
                }
                Err(_) => Turn::Idle(Duration::from_secs(60)),
            },
            |(jobs, _)| !jobs.is_empty(),
            drop,
        )
        .map_err(|e| LogError::Config(format!("starting the sync thread: {e}")))?;
        Ok(Self { by: By::Thread { jobs, done, waker: helper.waker(), _helper: helper }, name })
    }

    /// Starts a sync; false when too many are under way.
    pub(super) fn submit(&mut self, tag: u64, segment: &Arc<Segment>) -> io::Result<bool> {
        match &mut self.by {
            #[cfg(target_os = "linux")]
            By::Ring { ring, slots } => {
                let Some(slot) = slots.iter().position(Option::is_none) else { return Ok(false) };
                let Some(fd) = segment.loaded().and_then(|l| l.file.fd()) else {
                    return Err(io::Error::other("the segment has no file descriptor"));
                };
                let started = ring.submit(fd, slot as u64)?;
                if started {
                    slots[slot] = Some((tag, segment.clone()));
                }
                Ok(started)
            }
            By::Thread { jobs, waker, .. } => {
                let started = jobs.push((tag, segment.clone())).is_ok();
                waker.wake();
                Ok(started)
            }
            By::Inline(done) => {
                done.push((tag, sync_now(segment)));
                Ok(true)
            }
        }
    }

    /// A sync that has ended.
    pub(super) fn poll(&mut self) -> Option<Done> {
        match &mut self.by {
            #[cfg(target_os = "linux")]
            By::Ring { ring, slots } => {
                let (slot, result) = ring.poll()?;
                let (tag, _) = slots.get_mut(slot as usize)?.take()?;
                Some((tag, result))
            }
            By::Thread { done, .. } => done.pop().ok(),
            By::Inline(done) => done.pop(),
        }
    }
}

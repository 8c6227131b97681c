//! The threads of shards 1 and up. Shard 0 is driven by whoever drives the run.
//!
//! A thread turns its shard until it is told to stop. A shard that has ended or failed sleeps until then: it may still be asked for its part of
//! a snapshot. What a failing shard sent before is whole, and its error
//! travels behind it to shard 0, where the job ends with it. A panic unwinds through the shard: its rings are dropped, its readers
//! find them abandoned, and the run takes the panic's message from the thread.

use super::idle::Idle;
use super::part::{Measures, Part};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::host::sync::{Bell, LastRing};
use crate::host::threads::pin;
use crate::metrics::Gauges;
use crate::shard::Turn;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

/// Counters are made visible every so many turns, and before each sleep.
const SHOW_EVERY: u32 = 256;

/// A shard on a thread of its own.
pub(super) struct Worker {
    shard: usize,
    thread: Option<JoinHandle<Option<Error>>>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicBool>,
    bell: Arc<Bell>,
    /// What the shard has counted so far: see `stats`.
    pub(super) gauges: Arc<Gauges>,
    pub(super) measures: Arc<Measures>,
    pub(super) nodes: Vec<crate::plan::NodeId>,
}

impl Worker {
    /// Starts the thread of a part. `ended` is rung when its shard has ended.
    pub(super) fn start(shard: usize, part: Part, config: &Config, ended: Arc<Bell>) -> Result<Self> {
        let [stop, done] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let gauges = Arc::new(Gauges::new(super::stats::slots(&part)));
        let (bell, nodes, measures) = (part.bell.clone(), part.nodes.clone(), part.measures.clone());
        let (own_stop, own_done, own_gauges) = (stop.clone(), done.clone(), gauges.clone());
        let (idle, cpu) = (Idle::new(config.idle), config.pin.then_some(shard));
        let thread = thread::Builder::new().name(format!("shard-{shard}")).spawn(move || {
            if let Some(cpu) = cpu {
                pin(cpu);
            }
            // After a panic: rung when the shard is gone.
            let ended = LastRing::of(&ended);
            let says_done = || {
                own_done.store(true, Ordering::Release);
                ended.ring();
            };
            work(part, idle, &own_stop, says_done, &own_gauges)
        });
        let thread =
            thread.map_err(|e| Error::io(format!("cannot start the thread of shard {shard}"), &e))?;
        Ok(Self { shard, thread: Some(thread), stop, done, bell, gauges, measures, nodes })
    }

    /// Its shard has ended, well or not, and has told the others; or the thread is gone.
    pub(super) fn is_finished(&self) -> bool {
        self.done.load(Ordering::Acquire) || self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Lets the thread look whether it was asked for something.
    pub(super) fn wake(&self) {
        self.bell.ring();
    }

    /// Tells the thread to stop after its turn.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.bell.ring();
    }

    /// Waits for the thread's end, once.
    pub(super) fn join(&mut self) -> Ended {
        match self.thread.take().map(JoinHandle::join) {
            None | Some(Ok(None)) => Ended::Well,
            Some(Ok(Some(e))) => Ended::Failed(e),
            Some(Err(panic)) => Ended::Panicked(panicked(self.shard, &*panic)),
        }
    }
}

/// How a thread ended.
pub(super) enum Ended {
    Well,
    Failed(Error),
    /// The error says so.
    Panicked(Error),
}

/// The error of a job one of whose shards has panicked.
pub(super) fn panicked(shard: usize, panic: &(dyn Any + Send)) -> Error {
    let said = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::runtime(format!("shard {shard} has panicked: {said}"))
        .hint("this is a defect of Pelton: please report it with the script and the text above")
}

fn work(
    mut part: Part,
    mut idle: Idle,
    stop: &AtomicBool,
    says_done: impl Fn(),
    gauges: &Gauges,
) -> Option<Error> {
    part.bell.hang();
    let (mut error, mut turns, mut done) = (None, 0u32, false);
    let stopped = || stop.load(Ordering::Relaxed);
    while !stop.load(Ordering::Relaxed) {
        turns = turns.wrapping_add(1);
        if turns.is_multiple_of(SHOW_EVERY) {
            super::stats::show(&part, gauges);
        }
        let now = now_us();
        match part.turn(now) {
            Ok(Turn::Worked) => idle.reset(),
            Ok(Turn::Done) => {
                if !done {
                    done = true;
                    super::stats::show(&part, gauges);
                    says_done();
                }
                idle.rest(&mut part, stopped);
            }
            Ok(Turn::Idle { wake_at_us }) => {
                if idle.is_first() {
                    super::stats::show(&part, gauges);
                }
                idle.wait(&mut part, now, wake_at_us, stopped);
            }
            Err(e) => error = error.or(Some(e)),
        }
    }
    super::stats::show(&part, gauges);
    error
}

/// The clock of the threads, µs since the epoch.
fn now_us() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
}

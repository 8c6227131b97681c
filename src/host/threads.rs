//! SideThread threads: a loop that does one turn of work, sleeps when there is none, and stops when told.
//!
//! The work itself is a plain `turn` function, so that a simulator calls the same code without any thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use super::sync::Wake;

/// Keeps the calling thread on core `n`, counted among those that the process may use; false where that cannot be. Threads that it
/// starts later stay there as well.
#[cfg(target_os = "linux")]
pub fn pin(n: usize) -> bool {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let Ok(allowed) = sched_getaffinity(None) else { return false };
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&c| allowed.is_set(c));
    let Some(core) = cores.nth(n) else { return false };
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).is_ok()
}

/// Cores are chosen by the system here.
#[cfg(not(target_os = "linux"))]
pub fn pin(_n: usize) -> bool {
    false
}

/// What a turn found, and how long the thread may sleep after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There was work: go on at once.
    Busy,
    /// Nothing to do for this long, unless woken.
    Idle(Duration),
}

/// A running helper; stops and joins when dropped.
#[derive(Debug)]
pub struct SideThread {
    stop: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// Wakes a helper that sleeps; cheap while it is awake. One that wakes nobody serves where helpers are turned by hand.
#[derive(Clone, Debug, Default)]
pub struct Waker(Option<(Arc<Wake>, Thread)>);

impl Waker {
    /// Called after work was made visible.
    #[inline]
    pub fn wake(&self) {
        if let Some((wake, thread)) = &self.0
            && wake.is_needed()
        {
            thread.unpark();
        }
    }
}

impl SideThread {
    /// Starts a thread that calls `turn` until stopped, then `turn` no more. Before sleeping it asks `has_work`.
    pub fn spawn<T: Send + 'static>(
        name: &str,
        mut state: T,
        turn: impl Fn(&mut T) -> Turn + Send + 'static,
        has_work: impl Fn(&mut T) -> bool + Send + 'static,
        finish: impl FnOnce(T) + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let wake = Arc::new(Wake::default());
        let (thread_stop, thread_wake) = (stop.clone(), wake.clone());
        let thread = thread::Builder::new().name(name.into()).spawn(move || {
            while !thread_stop.load(Ordering::Acquire) {
                if let Turn::Idle(pause) = turn(&mut state) {
                    thread_wake.sleep_unless(
                        || thread_stop.load(Ordering::Acquire) || has_work(&mut state),
                        || thread::park_timeout(pause),
                    );
                }
            }
            finish(state);
        })?;
        let waker = Waker(Some((wake, thread.thread().clone())));
        Ok(Self { stop, waker, thread: Some(thread) })
    }

    /// For those who give it work.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Stops it and waits until it has ended.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A helper that panicked has said so on stderr; its partition no longer advances.
            let _ = thread.join();
        }
    }
}

impl Drop for SideThread {
    fn drop(&mut self) {
        self.stop();
    }
}

//! The atomics that the data path rests on, small enough to be model checked: a frontier that one thread moves and
//! many read, and a wake-up that costs the waker one fence while nobody sleeps.
//!
//! Under `--cfg loom` the atomics are loom's; `RUSTFLAGS="--cfg loom" cargo test --lib --release loom_` explores
//! every interleaving of the models at the end of this file.

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, AtomicUsize, fence};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, AtomicUsize, fence};

use std::sync::atomic::Ordering;

/// How far something has been published: what lies below is immutable and may be read by anybody, what lies above
/// belongs to the one writer.
#[derive(Debug)]
pub struct Frontier(AtomicUsize);

impl Frontier {
    /// A frontier at `at`.
    pub fn new(at: usize) -> Self {
        Self(AtomicUsize::new(at))
    }

    /// Everything written before the matching [`Frontier::publish`] is visible after this.
    #[inline]
    pub fn load(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// Makes everything written so far visible up to `to`. Only the writer calls this, with growing values.
    #[inline]
    pub fn publish(&self, to: usize) {
        self.0.store(to, Ordering::Release);
    }
}

/// "There may be work": set by many, awaited by one thread, which sleeps by the means it is given.
///
/// The sleeper announces itself, looks for work once more, and sleeps; the waker makes work visible, then looks for a
/// sleeper. Both put a sequentially consistent fence between their store and their load, so one of them sees the other.
#[derive(Debug)]
pub struct Wake {
    asleep: AtomicBool,
}

impl Default for Wake {
    fn default() -> Self {
        Self { asleep: AtomicBool::new(false) }
    }
}

impl Wake {
    /// Called after work was made visible: true when the sleeper has to be unparked.
    #[inline]
    pub fn is_needed(&self) -> bool {
        fence(Ordering::SeqCst);
        self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel)
    }

    /// Called by a sleeper that sleeps elsewhere: what becomes visible after this makes `is_needed` true, once. It looks for
    /// work after this.
    pub fn announce(&self) {
        // Not a plain store: a waker that is just taking the announcement before this one has its place before this one, and is seen to
        // have it. In memory's order of one location that follows anyway; the model checker works with what threads know of each other.
        self.asleep.swap(true, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }

    /// Called by the sleeper: sleeps by `park` unless `has_work`, looked at after the announcement, says otherwise.
    pub fn sleep_unless(&self, has_work: impl FnOnce() -> bool, park: impl FnOnce()) {
        self.announce();
        if !has_work() {
            park();
        }
        self.asleep.store(false, Ordering::Relaxed);
    }
}

/// Wakes the thread that drives a shard. Whoever made work for it visible rings; while the thread is awake that is a fence and a
/// load. Which thread it is may change from one call to the next: the caller of an embedded job drives a shard himself.
#[cfg(not(loom))]
#[derive(Debug, Default)]
pub struct Bell {
    wake: Wake,
    thread: arc_swap::ArcSwapOption<std::thread::Thread>,
}

#[cfg(not(loom))]
impl Bell {
    /// The calling thread is the one to wake.
    pub fn hang(&self) {
        self.thread.store(Some(std::sync::Arc::new(std::thread::current())));
    }

    /// Called after work was made visible.
    #[inline]
    pub fn ring(&self) {
        if self.wake.is_needed()
            && let Some(thread) = &*self.thread.load()
        {
            thread.unpark();
        }
    }

    /// Sleeps until the bell rings or the time is over, unless `has_work`, which is asked after the sleep was announced. Returns early
    /// now and then, as parking does.
    pub fn sleep_unless(&self, has_work: impl FnOnce() -> bool, most: std::time::Duration) {
        self.wake.sleep_unless(has_work, || std::thread::park_timeout(most));
    }
}

/// Rings when it is dropped: the last word of an end that goes. Declared behind what goes with that end, it rings when that is gone.
#[derive(Debug)]
pub struct LastRing(std::sync::Arc<Bell>);

impl LastRing {
    /// Rings that bell.
    pub fn of(bell: &std::sync::Arc<Bell>) -> Self {
        Self(bell.clone())
    }

    /// Called after work was made visible.
    #[inline]
    pub fn ring(&self) {
        self.0.ring();
    }
}

impl Drop for LastRing {
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// Under loom nobody sleeps by it: the models are of [`Wake`].
#[cfg(loom)]
#[derive(Debug, Default)]
pub struct Bell;

#[cfg(loom)]
#[allow(missing_docs, clippy::unused_self)]
impl Bell {
    pub fn hang(&self) {}
    pub fn ring(&self) {}
    pub fn sleep_unless(&self, _has_work: impl FnOnce() -> bool, _most: std::time::Duration) {}
}

#[cfg(all(test, loom))]
mod loom_models {
    use super::*;
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::thread;

    /// A reader that sees the frontier at n sees the n bytes as they were written, while the writer goes on above.
    #[test]
    #[expect(unsafe_code, reason = "loom's tracked cells stand for the mapped bytes")]
    fn loom_published_bytes_are_whole() {
        loom::model(|| {
            let bytes = Arc::new([UnsafeCell::new(0u8), UnsafeCell::new(0), UnsafeCell::new(0)]);
            let frontier = Arc::new(Frontier::new(0));
            let writer = {
                let (bytes, frontier) = (bytes.clone(), frontier.clone());
                thread::spawn(move || {
                    for i in 0..3 {
                        bytes[i].with_mut(|p| unsafe { *p = i as u8 + 1 });
                        frontier.publish(i + 1);
                    }
                })
            };
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let (bytes, frontier) = (bytes.clone(), frontier.clone());
                    thread::spawn(move || {
                        for i in 0..frontier.load() {
                            assert_eq!(bytes[i].with(|p| unsafe { *p }), i as u8 + 1);
                        }
                    })
                })
                .collect();
            writer.join().unwrap();
            for reader in readers {
                reader.join().unwrap();
            }
        });
    }

    /// Work made visible before `is_needed` is either seen by the sleeper or wakes it: it never sleeps on it.
    #[test]
    fn loom_no_wake_up_is_lost() {
        loom::model(|| {
            let wake = Arc::new(Wake::default());
            let work = Arc::new(AtomicUsize::new(0));
            let sleeper = {
                let (wake, work) = (wake.clone(), work.clone());
                thread::spawn(move || {
                    while work.load(Ordering::Acquire) == 0 {
                        wake.sleep_unless(|| work.load(Ordering::Acquire) != 0, thread::park);
                    }
                })
            };
            work.store(1, Ordering::Release);
            if wake.is_needed() {
                sleeper.thread().unpark();
            }
            sleeper.join().unwrap();
        });
    }

    /// A shard is asked for its part of a snapshot while it may be asleep, tells it, and wakes who asked, who may be asleep as well; then it is
    /// told to stop. The flag is relaxed: what the bell's fences order is enough.
    #[test]
    fn loom_who_is_asked_wakes_and_tells() {
        loom::model(|| {
            let (asked, told) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let stop = Arc::new(AtomicBool::new(false));
            let (shard_wake, asker_wake) = (Arc::new(Wake::default()), Arc::new(Wake::default()));
            let shard = {
                let (asked, told, stop) = (asked.clone(), told.clone(), stop.clone());
                let (mine, theirs) = (shard_wake.clone(), asker_wake.clone());
                let asker = thread::current();
                thread::spawn(move || {
                    let mut begun = 0;
                    while !stop.load(Ordering::Relaxed) {
                        if asked.load(Ordering::Acquire) != begun {
                            begun += 1;
                            told.store(begun, Ordering::Release);
                            if theirs.is_needed() {
                                asker.unpark();
                            }
                        }
                        let work = || stop.load(Ordering::Relaxed) || asked.load(Ordering::Acquire) != begun;
                        mine.sleep_unless(work, thread::park);
                    }
                })
            };
            asked.fetch_add(1, Ordering::Release);
            if shard_wake.is_needed() {
                shard.thread().unpark();
            }
            while told.load(Ordering::Acquire) != 1 {
                asker_wake.sleep_unless(|| told.load(Ordering::Acquire) == 1, thread::park);
            }
            stop.store(true, Ordering::Relaxed);
            if shard_wake.is_needed() {
                shard.thread().unpark();
            }
            shard.join().unwrap();
        });
    }

    /// An end that goes is seen by who sleeps for it: it is marked as gone before the last ring.
    #[test]
    fn loom_who_goes_is_noticed() {
        loom::model(|| {
            let (gone, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
            let wake = Arc::new(Wake::default());
            let reader = {
                let (gone, ended, wake) = (gone.clone(), ended.clone(), wake.clone());
                thread::spawn(move || {
                    // What was sent before the sender went is there when it has gone.
                    loop {
                        let was_gone = gone.load(Ordering::Acquire);
                        if ended.load(Ordering::Relaxed) {
                            break;
                        }
                        assert!(!was_gone, "gone without a word");
                        let ready = || ended.load(Ordering::Relaxed) || gone.load(Ordering::Acquire);
                        wake.sleep_unless(ready, thread::park);
                    }
                })
            };
            ended.store(true, Ordering::Relaxed);
            gone.store(true, Ordering::Release);
            if wake.is_needed() {
                reader.thread().unpark();
            }
            reader.join().unwrap();
        });
    }

    /// A shard that sleeps before it has room, woken by the one that makes room; which sleeps in turn until something comes: two
    /// sleepers and two wakes, as at both ends of a full ring of one. Neither sleeps for ever.
    #[test]
    fn loom_a_full_ring_wakes_both_ends() {
        loom::model(|| {
            let full = Arc::new(AtomicBool::new(true));
            let (writer_wake, reader_wake) = (Arc::new(Wake::default()), Arc::new(Wake::default()));
            let writer = {
                let (full, mine, theirs) = (full.clone(), writer_wake.clone(), reader_wake.clone());
                let reader = thread::current();
                thread::spawn(move || {
                    while full.load(Ordering::Acquire) {
                        mine.sleep_unless(|| !full.load(Ordering::Acquire), thread::park);
                    }
                    full.store(true, Ordering::Release);
                    if theirs.is_needed() {
                        reader.unpark();
                    }
                })
            };
            full.store(false, Ordering::Release);
            if writer_wake.is_needed() {
                writer.thread().unpark();
            }
            while !full.load(Ordering::Acquire) {
                reader_wake.sleep_unless(|| full.load(Ordering::Acquire), thread::park);
            }
            writer.join().unwrap();
        });
    }
}

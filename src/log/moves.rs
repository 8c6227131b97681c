//! "An offset of some partition has moved": what lets those who serve waiting consumers sleep without a timer.
//!
//! A waiter announces itself, looks at the offsets that it waits for, and sleeps by whatever means it has; the first move
//! after the announcement calls its waker, once. While nobody has announced anything a move costs one fence, and while no
//! waker was ever set, one load.

use std::sync::OnceLock;
use std::task::Waker;

use crate::host::sync::Wake;

/// Tells one waiter that offsets have moved. One for all partitions of a log.
#[derive(Debug, Default)]
pub struct Moves {
    wake: Wake,
    waker: OnceLock<Waker>,
}

impl Moves {
    /// Who is to be called. The first one stays.
    pub fn call(&self, waker: Waker) {
        let _ = self.waker.set(waker);
    }

    /// The next move calls the waker. What has moved before has to be looked at after this.
    pub fn announce(&self) {
        self.wake.announce();
    }

    /// An offset that consumers follow has moved, and the new one is visible.
    #[inline]
    pub(super) fn tell(&self) {
        if let Some(waker) = self.waker.get()
            && self.wake.is_needed()
        {
            waker.wake_by_ref();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake as TaskWake;

    use crate::host::{ManualClock, SimDisk};
    use crate::log::{FlushPolicy, Helpers, Log, LogConfig, LogStore, TopicConfig};
    use crate::wire::{BatchBuilder, Compression, Store};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl TaskWake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Once for each announcement, however much moves.
    #[test]
    fn a_waiter_is_called_once() {
        let (moves, count) = (Moves::default(), Arc::new(Count::default()));
        moves.announce();
        moves.tell();
        moves.call(count.clone().into());
        moves.tell();
        moves.tell();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        moves.announce();
        moves.tell();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }

    /// Under `group-commit` when the disk has it, under `none` at once when others append, never for the store's own.
    #[test]
    fn a_move_calls_when_consumers_may_see_it() {
        let config = LogConfig { helpers: Helpers::Manual, ..LogConfig::default() };
        let (disk, clock) = (Arc::new(SimDisk::default()), Arc::new(ManualClock::at(1)));
        let mut log = Log::open_on(disk, clock.clone(), Path::new("/log"), config).unwrap();
        for flush in [FlushPolicy::None, FlushPolicy::GroupCommit] {
            log.create_topic(&flush.to_string(), 2, TopicConfig { flush, ..TopicConfig::default() }).unwrap();
        }
        let mut other = log.writer("none", 1).unwrap();
        let count = Arc::new(Count::default());
        let mut store = LogStore::new(log);
        store.call_when_moved(count.clone().into());
        let calls = || count.0.swap(0, Ordering::Relaxed);
        let mut builder = BatchBuilder::with_compression(Compression::None);
        builder.push(1, None, Some(b"v"), &[]);
        let batch = builder.finish(0).to_vec();
        store.announce();
        store.append("none", 0, &batch, 1).unwrap();
        assert_eq!(calls(), 0);
        other.append_record(1, None, Some(b"v"), &[]).unwrap();
        assert_eq!(calls(), 0);
        other.publish().unwrap();
        assert_eq!(calls(), 1);
        store.announce();
        store.append("group-commit", 0, &batch, 1).unwrap();
        assert_eq!((calls(), store.offsets("group-commit", 0).unwrap().high_watermark), (0, 0));
        for _ in 0..10 {
            store.log().unwrap().turn();
            clock.advance_ms(50);
        }
        assert_eq!((calls(), store.offsets("group-commit", 0).unwrap().high_watermark), (1, 1));
        drop(other);
        store.close().unwrap();
    }
}

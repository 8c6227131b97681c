//! The thread that writes bytes, and what may be written to.
//!
//! The shard hands over whole pieces of work ([`Job`]) by a bounded ring and never waits; used buffers come back by another. A
//! failure of the thread is reported by the next call of the shard, and ends the thread.

use crate::error::{Error, Result};
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Pieces of work on the way.
const DEPTH: usize = 8;

/// What text sinks write to. Injectable, so that an embedding program and tests get what would go to the terminal.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// use std::io::Write;
/// use std::sync::{Arc, Mutex};
/// #[derive(Clone, Default)]
/// struct Page(Arc<Mutex<Vec<u8>>>);
/// impl Write for Page {
///     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
///         self.0.lock().expect("no panic").write(bytes)
///     }
///     fn flush(&mut self) -> std::io::Result<()> {
///         Ok(())
///     }
/// }
/// let page = Page::default();
/// let streams = pelton::Streams { out: pelton::Target::new(page.clone()), ..Default::default() };
/// let engine = pelton::Engine::builder().streams(streams).build()?;
/// let script = engine.prepare("CREATE TABLE p (n INT) WITH ('connector' = 'print'); INSERT INTO p VALUES (7)")?;
/// let mut run = script.jobs().next().expect("one job").start()?;
/// while run.step(0)? != pelton::Progress::Done {}
/// drop(run);
/// assert_eq!(page.0.lock().expect("no panic").as_slice(), b"+I[7]\n");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Streams {
    /// Standard output.
    pub out: Target,
    /// Standard error.
    pub err: Target,
}

impl Default for Streams {
    fn default() -> Self {
        Self { out: Target::new(io::stdout()), err: Target::new(io::stderr()) }
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streams")
    }
}

/// A writer that several sinks share. A write of whole lines is not torn by another's.
///
/// ```
/// use std::io::Write;
/// let mut errors = pelton::Target::new(std::io::stderr());
/// errors.write_all(b"a whole line\n").expect("standard error is there");
/// ```
#[derive(Clone)]
pub struct Target(Arc<Mutex<dyn Write + Send>>);

impl Target {
    /// Shares a writer.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(writer)))
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

/// A piece of work: a place to write to and the bytes.
pub(super) struct Job<K> {
    pub(super) kind: K,
    pub(super) bytes: Vec<u8>,
}

/// What the thread does with its work.
pub(super) trait Work<K>: Send + 'static {
    /// Does a piece.
    fn job(&mut self, job: &Job<K>) -> Result<()>;
    /// There is nothing to do at the moment: what was written should be seen.
    fn idle(&mut self) -> Result<()>;
    /// There will be no more, and all went well: what was written is to stay.
    fn finish(&mut self) -> Result<()>;
}

/// The shard's end.
pub(super) struct Writer<K> {
    jobs: Option<Producer<Job<K>>>,
    spare: Consumer<Vec<u8>>,
    thread: Option<JoinHandle<Result<()>>>,
    /// The job's end was a good one. Set before the ring's end is dropped.
    well: Arc<AtomicBool>,
}

impl<K: Send + 'static> Writer<K> {
    /// Starts the thread.
    pub(super) fn start(name: &str, work: impl Work<K>) -> Result<Self> {
        let (jobs, from_shard) = RingBuffer::new(DEPTH);
        let (to_shard, spare) = RingBuffer::new(DEPTH);
        let well = Arc::new(AtomicBool::new(false));
        let ending = well.clone();
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || run(work, from_shard, to_shard, &ending))
            .map_err(|e| Error::io("a thread for writing", &e))?;
        Ok(Self { jobs: Some(jobs), spare, thread: Some(thread), well })
    }

    /// A piece of work can be handed over now (or the thread has ended, which handing over will tell).
    pub(super) fn has_room(&self) -> bool {
        self.jobs.as_ref().is_some_and(|j| j.slots() > 0 || j.is_abandoned())
    }

    /// An empty buffer.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Hands a piece over; gives it back when there is no room.
    pub(super) fn hand(&mut self, job: Job<K>) -> Result<Option<Job<K>>> {
        let jobs = self.jobs.as_mut().expect("nothing is handed over after the end");
        if jobs.is_abandoned() {
            return Err(self.failure());
        }
        let back = match jobs.push(job) {
            Ok(()) => None,
            Err(PushError::Full(job)) => Some(job),
        };
        if let Some(t) = &self.thread {
            t.thread().unpark();
        }
        Ok(back)
    }

    /// The thread has ended: why.
    fn failure(&mut self) -> Error {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Err(e))) => e,
            _ => Error::new(crate::error::ErrorKind::Io, "the thread that writes has ended"),
        }
    }

    /// Waits until all is written. The one call here that waits: a job's end has nothing else to do.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.well.store(true, Ordering::Release);
        drop(self.jobs.take());
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.thread().unpark();
        thread.join().unwrap_or_else(|_| {
            Err(Error::new(crate::error::ErrorKind::Io, "the thread that writes panicked"))
        })
    }
}

impl<K> Drop for Writer<K> {
    /// After a failure elsewhere: rows that were given out before it are still printed, files are taken away.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(t) = self.thread.take() {
            t.thread().unpark();
            let _ = t.join();
        }
    }
}

fn run<K>(
    mut work: impl Work<K>,
    mut jobs: Consumer<Job<K>>,
    mut spare: Producer<Vec<u8>>,
    well: &AtomicBool,
) -> Result<()> {
    loop {
        // Asked before the ring is looked at: what was pushed before the shard left is still done.
        let last = jobs.is_abandoned();
        if let Ok(mut job) = jobs.pop() {
            work.job(&job)?;
            job.bytes.clear();
            let _ = spare.push(job.bytes);
            continue;
        }
        if last {
            return if well.load(Ordering::Acquire) { work.finish() } else { work.idle() };
        }
        work.idle()?;
        if jobs.is_empty() && !jobs.is_abandoned() {
            thread::park();
        }
    }
}

//! The thread that reads files and hands blocks to the shard.
//!
//! Two rings join them: full blocks go one way, empty ones come back. At most [`DEPTH`] blocks are on the way; a reader that has
//! no room parks, and the shard wakes it when it takes a block. The thread ends with the last file, on an error, or when the
//! shard's side is gone; it rings the shard's bell with whatever it says. Where the folder is watched, it does not end with the last file but looks for more.

use super::FilesystemSource;
use super::files::{File, FileList};
use super::window::{BLOCK, HEADROOM};
use crate::host::sync::{Bell, LastRing};
use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Blocks on the way.
const DEPTH: usize = 4;

/// What the reader says.
pub(super) enum Message {
    /// Bytes of the current file behind [`HEADROOM`] unused ones.
    Block(Vec<u8>),
    /// The current file has no more bytes.
    EndOfFile,
    /// A file that was not there before: what follows is its content.
    Found(File),
    /// The current file cannot be read.
    Failed(io::Error),
}

/// The shard's end.
pub(super) struct Reader {
    messages: Consumer<Message>,
    spare: Producer<Vec<u8>>,
    thread: Thread,
}

impl Reader {
    /// Starts reading these files, the first from byte `offset` on.
    pub(super) fn start(
        files: Vec<File>,
        offset: u64,
        watch: Option<Watch>,
        bell: &Arc<Bell>,
    ) -> io::Result<Self> {
        let (to_shard, messages) = RingBuffer::new(DEPTH);
        let (spare, from_shard) = RingBuffer::new(DEPTH);
        let worker = Worker { to_shard, from_shard, watch, bell: LastRing::of(bell) };
        let handle =
            thread::Builder::new().name("pelton-files".into()).spawn(move || worker.run(&files, offset))?;
        Ok(Self { messages, spare, thread: handle.thread().clone() })
    }

    /// What has arrived.
    pub(super) fn next(&mut self) -> Option<Message> {
        let message = self.messages.pop().ok()?;
        self.thread.unpark();
        Some(message)
    }

    /// Gives a block back.
    pub(super) fn give_back(&mut self, block: Vec<u8>) {
        let _ = self.spare.push(block);
    }

    /// Something was said, or the thread has ended.
    pub(super) fn is_ready(&self) -> bool {
        !self.messages.is_empty() || self.messages.is_abandoned()
    }

    /// The thread has ended and everything it said was taken.
    pub(super) fn is_over(&self) -> bool {
        self.messages.is_abandoned() && self.messages.is_empty()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // The ring's end goes with `self` behind this; the thread looks again whenever it wakes. It may wake before: it parks with
        // a limit then (see `Worker::send`).
        self.thread.unpark();
    }
}

/// A folder that is looked into again and again.
pub(super) struct Watch {
    pub(super) source: FilesystemSource,
    pub(super) interval: Duration,
    /// The files that were found.
    pub(super) seen: HashSet<PathBuf>,
}

struct Worker {
    to_shard: Producer<Message>,
    from_shard: Consumer<Vec<u8>>,
    watch: Option<Watch>,
    bell: LastRing,
}

/// The shard is gone.
struct Gone;

impl Worker {
    fn run(mut self, files: &[File], offset: u64) {
        // The shard is gone, or has been told why this thread ends.
        let _ = self.read_all(files, offset).and_then(|()| self.watch());
    }

    fn read_all(&mut self, files: &[File], mut offset: u64) -> Result<(), Gone> {
        for file in files {
            match self.read(file, offset) {
                Ok(()) => self.send(Message::EndOfFile)?,
                Err(Stop::Gone) => return Err(Gone),
                Err(Stop::Io(e)) => return self.fail(e),
            }
            offset = 0;
        }
        Ok(())
    }

    fn fail(&mut self, e: io::Error) -> Result<(), Gone> {
        self.send(Message::Failed(e))?;
        Err(Gone)
    }

    /// Reads the files that come, until the shard is gone.
    fn watch(&mut self) -> Result<(), Gone> {
        while let Some(watch) = &mut self.watch {
            let next = Instant::now() + watch.interval;
            while let Some(left) = next.checked_duration_since(Instant::now()).filter(|l| !l.is_zero()) {
                if self.to_shard.is_abandoned() {
                    return Err(Gone);
                }
                thread::park_timeout(left.min(Duration::from_millis(100)));
            }
            let found = match FileList::find(&watch.source) {
                Ok(list) => list.files,
                Err(e) => return self.fail(io::Error::other(e.message().to_owned())),
            };
            let before = watch.seen.len();
            let fresh: Vec<File> = found.into_iter().filter(|f| watch.seen.insert(f.path.clone())).collect();
            for (n, mut file) in fresh.into_iter().enumerate() {
                file.number = (before + n) as u32;
                self.send(Message::Found(file.clone()))?;
                self.read_all(std::slice::from_ref(&file), 0)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, message: Message) -> Result<(), Gone> {
        let mut message = message;
        loop {
            if self.to_shard.is_abandoned() {
                return Err(Gone);
            }
            match self.to_shard.push(message) {
                Ok(()) => {
                    self.bell.ring();
                    return Ok(());
                }
                Err(rtrb::PushError::Full(m)) => {
                    message = m;
                    // The limit is for a shard that went away just before: nobody would wake this thread again.
                    thread::park_timeout(Duration::from_millis(100));
                }
            }
        }
    }

    fn read(&mut self, file: &File, offset: u64) -> Result<(), Stop> {
        let mut from = open(file, offset).map_err(Stop::Io)?;
        loop {
            let mut block = self.from_shard.pop().unwrap_or_default();
            block.resize(HEADROOM + BLOCK, 0);
            let n = loop {
                match from.read(&mut block[HEADROOM..]) {
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    r => break r.map_err(Stop::Io)?,
                }
            };
            if n == 0 {
                return Ok(());
            }
            block.truncate(HEADROOM + n);
            self.send(Message::Block(block)).map_err(|Gone| Stop::Gone)?;
        }
    }
}

enum Stop {
    Gone,
    Io(io::Error),
}

/// Opens a file at byte `offset` of its (decompressed) content.
fn open(file: &File, offset: u64) -> io::Result<Box<dyn Read>> {
    if file.is_stdin() {
        return skipped(Box::new(io::stdin()), offset);
    }
    let mut f = fs::File::open(&file.path)?;
    let name = file.name();
    match name.rsplit_once('.').map_or("", |n| n.1) {
        "gz" | "gzip" => skipped(Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(f))), offset),
        "deflate" => skipped(Box::new(flate2::read::ZlibDecoder::new(io::BufReader::new(f))), offset),
        "zst" => skipped(Box::new(zstd::Decoder::new(f)?), offset),
        "bz2" | "xz" => {
            Err(io::Error::new(ErrorKind::Unsupported, "compression by bzip2 and xz is not supported"))
        }
        _ => {
            if offset > f.metadata()?.len() {
                return Err(gone(offset));
            }
            f.seek(SeekFrom::Start(offset))?;
            Ok(Box::new(f))
        }
    }
}

fn skipped(mut from: Box<dyn Read>, offset: u64) -> io::Result<Box<dyn Read>> {
    let skipped = io::copy(&mut (&mut from).take(offset), &mut io::sink())?;
    if skipped < offset { Err(gone(offset)) } else { Ok(from) }
}

fn gone(offset: u64) -> io::Error {
    io::Error::new(
        ErrorKind::UnexpectedEof,
        format!("the file ends before byte {offset}, where reading was to go on"),
    )
}

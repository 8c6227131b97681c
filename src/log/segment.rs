//! One file of record batches with its mapping and its index.
//!
//! A segment is *active* (its partition's owner appends), then *sealed* (it never grows again), then *finished* (trimmed,
//! index on disk). Sealed segments of earlier runs are opened at first use. Segments are shared by `Arc`: a reader that
//! holds one keeps its mapping alive after retention or compaction has removed the file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crossbeam_utils::CachePadded;

use super::error::{LogError, LogResult};
use super::files;
use super::index::{SegmentIndex, Sparse, Summary};
use super::scan::{self, Rules};
use crate::host::{Disk, DiskFile, Open, Region};

/// A place in a partition: a segment, a byte position in it, and the offset of the batch that begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// Base offset of the segment.
    pub base: i64,
    /// Byte position.
    pub position: u64,
    /// The offset there.
    pub offset: i64,
}

/// The open parts of a segment.
#[derive(Debug)]
pub struct Loaded {
    /// Open for syncs and trims.
    pub file: Box<dyn DiskFile>,
    /// Its bytes up to what is published.
    pub region: Arc<Region>,
    /// Its index.
    pub index: SegmentIndex,
    /// Pages up to here were made writable when it was made; 0 where nobody stores to the mapping.
    pub writable_to: usize,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Segment {
    /// First offset.
    pub base: i64,
    dir: PathBuf,
    loaded: OnceLock<Loaded>,
    /// The length of the data is known, not only that of the file.
    is_exact: bool,
    /// Relative next offset (high half) and position (low half) of the last publication, as one. Stored at every publication:
    /// away from the flags that a tailing reader polls, whose line would otherwise travel between the two.
    mark: CachePadded<AtomicU64>,
    max_timestamp: CachePadded<AtomicI64>,
    sealed: AtomicBool,
    synced: AtomicBool,
    finished: AtomicBool,
    /// The file still has its prepared name.
    prepared_name: Option<String>,
    renamed: AtomicBool,
    /// Bytes from here on were written by this process: their CRC need not be checked again.
    trusted_from: AtomicUsize,
    /// Prefaulted up to here, by the keeper.
    pub(super) prefaulted: AtomicUsize,
    /// The writer wakes the prefaulter when it has published up to here: a quarter of the prefaulted pages are used.
    pub(super) wake_at: AtomicUsize,
}

impl Segment {
    /// A sealed segment of an earlier run, opened when first used. `size` is its file's length, `next` the base of the
    /// one after it.
    pub fn sealed(dir: &Path, base: i64, size: u64, next: i64, synced: bool) -> Self {
        let segment = Self::new(dir, base, None, false);
        segment.set_mark(size as usize, next);
        segment.sealed.store(true, Ordering::Relaxed);
        segment.synced.store(synced, Ordering::Relaxed);
        segment.finished.store(true, Ordering::Relaxed);
        segment
    }

    /// The last segment of an earlier run, with `size` bytes of data: may be opened for appending again.
    pub fn reopenable(dir: &Path, base: i64, size: u64, next: i64, synced: bool) -> Self {
        let segment = Self::new(dir, base, None, true);
        segment.set_mark(size as usize, next);
        segment.synced.store(synced, Ordering::Relaxed);
        segment
    }

    /// A segment with everything open, to be appended to.
    pub fn active(dir: &Path, base: i64, prepared_name: Option<String>, loaded: Loaded, next: i64) -> Self {
        let segment = Self::new(dir, base, prepared_name, true);
        let published = loaded.region.published();
        segment.set_mark(published, next);
        segment.trusted_from.store(published, Ordering::Relaxed);
        segment.note_prefaulted(published, loaded.writable_to.min(loaded.region.len()), loaded.region.len());
        let _ = segment.loaded.set(loaded);
        segment
    }

    /// Gives an empty segment its first offset.
    pub(super) fn begin(&mut self, base: i64) {
        self.base = base;
        self.set_mark(0, base);
    }

    /// Pages up to `ready` can be written without a fault; the writer asks for more when it has used a quarter of them:
    /// where others want the processors, the prefaulter may wait for one for a tenth of a second.
    pub(super) fn note_prefaulted(&self, published: usize, ready: usize, len: usize) {
        self.prefaulted.store(ready.max(published), Ordering::Relaxed);
        let is_enough = ready <= published || ready == len;
        let wake_at = if is_enough { usize::MAX } else { published + (ready - published) / 4 };
        self.wake_at.store(wake_at, Ordering::Relaxed);
    }

    fn new(dir: &Path, base: i64, prepared_name: Option<String>, is_exact: bool) -> Self {
        Self {
            base,
            dir: dir.into(),
            loaded: OnceLock::new(),
            is_exact,
            mark: CachePadded::new(AtomicU64::new(0)),
            max_timestamp: CachePadded::new(AtomicI64::new(-1)),
            sealed: AtomicBool::new(false),
            synced: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            renamed: AtomicBool::new(prepared_name.is_none()),
            prepared_name,
            trusted_from: AtomicUsize::new(usize::MAX),
            prefaulted: AtomicUsize::new(0),
            wake_at: AtomicUsize::new(usize::MAX),
        }
    }

    /// Path of its file under its final name.
    pub fn path(&self) -> PathBuf {
        self.dir.join(files::segment_name(self.base))
    }

    /// Path of its index.
    pub fn index_path(&self) -> PathBuf {
        self.dir.join(files::index_name(self.base))
    }

    /// Gives the file its final name, once.
    pub(super) fn rename(&self, disk: &dyn Disk) -> LogResult<()> {
        if self.renamed.load(Ordering::Acquire) {
            return Ok(());
        }
        if let Some(name) = &self.prepared_name {
            let from = self.dir.join(name);
            disk.rename(&from, &self.path()).map_err(|e| LogError::io("renaming", &from, &e))?;
            disk.sync_dir(&self.dir).map_err(|e| LogError::io("syncing", &self.dir, &e))?;
        }
        self.renamed.store(true, Ordering::Release);
        Ok(())
    }

    /// Its file has its final name.
    pub(super) fn is_named(&self) -> bool {
        self.renamed.load(Ordering::Acquire)
    }

    /// Removes the file of a segment that never entered its partition's list.
    pub(super) fn discard(&self, disk: &dyn Disk) {
        let path = match &self.prepared_name {
            Some(name) if !self.renamed.load(Ordering::Acquire) => self.dir.join(name),
            _ => self.path(),
        };
        // Left behind, it is dropped by the next recovery.
        let _ = disk.remove(&path);
    }

    /// The open parts; opens them at first use.
    pub fn load(&self, disk: &dyn Disk) -> LogResult<&Loaded> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let loaded = self.open(disk)?;
        // Two readers may open at once; both results are equal and the second is dropped.
        let _ = self.loaded.set(loaded);
        Ok(self.loaded.get().expect("set just now"))
    }

    /// The open parts, if they are open.
    pub fn loaded(&self) -> Option<&Loaded> {
        self.loaded.get()
    }

    fn open(&self, disk: &dyn Disk) -> LogResult<Loaded> {
        let path = self.path();
        let fail = |e: &std::io::Error| LogError::io("opening", &path, e);
        let file = disk.open(&path, Open::Read).map_err(|e| fail(&e))?;
        let length = file.len().map_err(|e| fail(&e))? as usize;
        let place = self.place();
        let mut size = length.min(place.position as usize);
        if let Some((index, data)) = self.read_index(disk, size) {
            self.set_mark(data, place.offset);
            let region = file.map(data, data, false).map_err(|e| fail(&e))?;
            return Ok(Loaded { file, region, index, writable_to: 0 });
        }
        let mut region = file.map(size, size, false).map_err(|e| fail(&e))?;
        region.prepare_read(0..size).map_err(|e| fail(&e))?;
        let (index, walk, end) = build_index(region.bytes(), self.base, 4096, 0, place.offset);
        self.max_timestamp.store(walk.max_timestamp, Ordering::Relaxed);
        // Sealed but never trimmed: reserved room, or what was never published, follows the data.
        if let Some(end) = end.filter(|&end| end < size && !self.is_exact) {
            size = end;
            self.set_mark(size, place.offset);
            region = file.map(size, size, false).map_err(|e| fail(&e))?;
        }
        let summary = Summary {
            base: self.base,
            next: place.offset,
            size: size as u64,
            max_timestamp: walk.max_timestamp,
        };
        if self.is_sealed() && walk.damage.is_empty() {
            // Disposable: if it cannot be kept, the next run builds it again.
            let _ = disk
                .open(&self.index_path(), Open::Create)
                .and_then(|f| f.write_at(&index.encode(summary), 0));
        }
        Ok(Loaded { file, region, index, writable_to: 0 })
    }

    /// The index file and the size of the data, when it belongs to this segment.
    fn read_index(&self, disk: &dyn Disk, size: usize) -> Option<(SegmentIndex, usize)> {
        // An index has at most one entry for each smallest batch.
        let bytes = disk.read_all(&self.index_path(), 64 + size / 61 * 16 + 16).ok()?;
        let (summary, entries) = SegmentIndex::decode(&bytes).ok()?;
        let size_fits = if self.is_exact { summary.size == size as u64 } else { summary.size <= size as u64 };
        let fits = summary.base == self.base && size_fits && summary.next == self.next_offset();
        fits.then(|| {
            self.max_timestamp.store(summary.max_timestamp, Ordering::Relaxed);
            (SegmentIndex::from_entries(&entries, 0), summary.size as usize)
        })
    }

    /// Notes a publication: the bytes up to `position` hold the records before `next`.
    #[inline]
    pub fn set_mark(&self, position: usize, next: i64) {
        self.mark.store(((next - self.base) as u64) << 32 | position as u64, Ordering::Release);
    }

    /// The last publication.
    pub fn place(&self) -> Place {
        let mark = self.mark.load(Ordering::Acquire);
        Place { base: self.base, position: mark & 0xffff_ffff, offset: self.base + (mark >> 32) as i64 }
    }

    /// The offset after its last published record.
    pub fn next_offset(&self) -> i64 {
        self.place().offset
    }

    /// Bytes of published data.
    pub fn size(&self) -> u64 {
        self.place().position
    }

    /// Largest timestamp of its records; opens the segment when it is not known.
    pub fn max_timestamp(&self, disk: &dyn Disk) -> LogResult<i64> {
        self.load(disk)?;
        Ok(self.max_timestamp.load(Ordering::Relaxed))
    }

    /// Raises the largest timestamp.
    #[inline]
    pub(super) fn note_timestamp(&self, timestamp: i64) {
        self.max_timestamp.store(timestamp, Ordering::Relaxed);
    }

    /// It never grows again.
    #[inline]
    pub fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    /// Declares that it never grows again; its last bytes have been published.
    pub fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    /// All of it is durable.
    pub fn is_synced(&self) -> bool {
        self.synced.load(Ordering::Acquire)
    }

    pub(super) fn set_synced(&self) {
        self.synced.store(true, Ordering::Release);
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Gives back the room beyond the data of a sealed segment and writes its index. Keeper only.
    pub(super) fn finish(&self, disk: &dyn Disk) -> LogResult<()> {
        self.rename(disk)?;
        self.trim_and_index(disk)?;
        self.finished.store(true, Ordering::Release);
        Ok(())
    }

    /// Gives the reserved room behind the data back; nobody may append meanwhile. True when there was some.
    pub(super) fn trim(&self, disk: &dyn Disk) -> LogResult<bool> {
        let path = self.path();
        let fail = |e: std::io::Error| LogError::io("trimming", &path, &e);
        let size = self.size();
        if disk.open(&path, Open::Read).and_then(|f| f.len()).map_err(fail)? <= size {
            return Ok(false);
        }
        // Not by the file that is open: one that was only read is open for reading.
        disk.open(&path, Open::Write).and_then(|f| f.set_len(size)).map_err(fail)?;
        Ok(true)
    }

    /// Trims the file to its data and writes the index; nobody may append meanwhile.
    pub(super) fn trim_and_index(&self, disk: &dyn Disk) -> LogResult<()> {
        let loaded = self.load(disk)?;
        let place = self.place();
        self.trim(disk)?;
        let bytes = loaded.index.encode(Summary {
            base: self.base,
            next: place.offset,
            size: place.position,
            max_timestamp: self.max_timestamp.load(Ordering::Relaxed),
        });
        let index_path = self.index_path();
        // A full disk costs only the index.
        let _ = disk.open(&index_path, Open::Create).and_then(|f| f.write_at(&bytes, 0));
        Ok(())
    }

    /// Positions from here on were written by this process.
    #[inline]
    pub fn trusted_from(&self) -> usize {
        self.trusted_from.load(Ordering::Relaxed)
    }
}

/// Builds an index by walking a segment; also tells what the walk found and where the batch before offset `next` ends.
pub(super) fn build_index(
    bytes: &[u8],
    base: i64,
    interval: usize,
    room: usize,
    next: i64,
) -> (SegmentIndex, scan::Walk, Option<usize>) {
    let mut sparse = Sparse::new(interval);
    let mut entries = Vec::new();
    let mut end = (next == base).then_some(0);
    let walk = scan::walk(bytes, 0, Some(base), Rules::Pelton, true, |position, batch| {
        let header = batch.header();
        entries.extend(sparse.note(header.base_offset - base, position, header.max_timestamp));
        if header.next_offset() == next {
            end = Some(position + header.size());
        }
    });
    (SegmentIndex::from_entries(&entries, room), walk, end)
}

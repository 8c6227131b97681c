//! Mapped memory with a published frontier: the one place where bytes are shared between a writer and its readers.
//!
//! ```text
//!   0            frontier              appended           len
//!   |  published  |  appended, unseen   |  reserved, zero  |
//!   |  anybody reads, nobody writes     |
//!                 |  only the Tail reads and writes here   |
//! ```
//!
//! A [`Region`] hands out `&[u8]` only below the frontier, where bytes never change again; its one [`Tail`] hands
//! out `&mut [u8]` only above it. So both are sound without a lock. What no type can promise is the file: the log's
//! lock file keeps other processes of ours away, and nothing here truncates a range that has been handed out.
//!
//! A mapped page that the disk cannot supply raises SIGBUS. Writers map only preallocated files and touch pages by
//! `MADV_POPULATE_WRITE` first; readers call [`Region::prepare_read`], which turns the same failure into an error.

use std::cell::UnsafeCell;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_utils::CachePadded;
use memmap2::{Advice, MmapOptions, MmapRaw};

use super::sync::Frontier;

/// A page on every machine that we run on, or a divisor of it being enough for alignment of advice.
const PAGE_BYTES: usize = 4096;

const LINE_BYTES: usize = 64;
/// How far ahead: some small records.
const EXPECT_BYTES: usize = 448;

/// How much a reader asks for: a small batch.
const READ_BYTES: usize = 256;

/// Asks for a cache line for writing; a hint, without any effect on what the program means, whatever the address.
#[inline]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "an instruction that only hints"))]
fn own_line(at: *mut u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: PREFETCHW reads and writes nothing that the program sees and does not fault; processors without it take it for a
    // NOP. The compiler's own intrinsic asks for a shared line on this target, which is of no use to a writer.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) at, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// Asks for a cache line for reading; a hint as well.
#[inline]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "an instruction that only hints"))]
fn share_line(at: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: PREFETCHT0 reads nothing that the program sees and does not fault, whatever the address.
    unsafe {
        std::arch::asm!("prefetcht0 [{}]", in(reg) at, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// Asks for the cache line of a value in memory, which will be read soon; a hint, whatever the place.
#[inline]
pub fn expect_value<T>(values: &[T], at: usize) {
    share_line(values.as_ptr().wrapping_add(at).cast());
}

/// Reads a value of each page of memory. Where pages are a hypervisor's, or have been taken away, the first look at one takes
/// microseconds, and whoever comes next does not wait for it.
pub fn touch<T: Copy>(values: &[T]) {
    let step = (PAGE_BYTES / size_of::<T>().max(1)).max(1);
    for value in values.iter().step_by(step).chain(values.last()) {
        std::hint::black_box(*value);
    }
}

/// Asks the kernel to back memory by huge pages (2 MiB on x86-64, `madvise(2)`, MADV_HUGEPAGE), of which the processor's TLB holds
/// the addresses of gigabytes. A hint: without it, and where the kernel has none, the memory is the same.
#[expect(unsafe_code, reason = "advice about pages that only changes what backs them")]
pub fn advise_huge(words: &mut [u64]) {
    #[cfg(all(target_os = "linux", not(miri)))]
    {
        let range = words.as_mut_ptr_range();
        let start = (range.start as usize).next_multiple_of(PAGE_BYTES);
        let end = range.end as usize / PAGE_BYTES * PAGE_BYTES;
        if start < end {
            let at = range.start.cast::<u8>().wrapping_add(start - range.start as usize);
            // SAFETY: whole pages inside of memory that the caller holds alone; the advice changes no byte of them. That it was not taken
            // means pages of the usual size.
            let _ = unsafe { rustix::mm::madvise(at.cast(), end - start, rustix::mm::Advice::LinuxHugepage) };
        }
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = words;
}

enum Backing {
    File(MmapRaw),
    /// `base` came from `Box::into_raw` and goes back on drop.
    Heap,
    Empty,
}

/// Shared bytes of a file (or of a simulated one), readable up to a frontier.
pub struct Region {
    base: NonNull<u8>,
    len: usize,
    /// On lines of its own: readers poll it while the writer reads the rest.
    frontier: CachePadded<Frontier>,
    has_tail: AtomicBool,
    writable: bool,
    backing: Backing,
}

// SAFETY: all access goes through the frontier protocol of the module's documentation: shared references only to bytes
// below the frontier, which nobody writes any more; exclusive ones only above it, by the one Tail.
#[expect(unsafe_code, reason = "the frontier protocol makes the raw memory shareable")]
unsafe impl Send for Region {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "the frontier protocol makes the raw memory shareable")]
unsafe impl Sync for Region {}

impl std::fmt::Debug for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Region({} of {})", self.published(), self.len)
    }
}

impl Region {
    /// Maps the first `len` bytes of `file`, of which `published` hold data. The file must be at least that long.
    pub fn map(file: &File, len: usize, published: usize, writable: bool) -> io::Result<Arc<Self>> {
        assert!(published <= len, "published beyond the mapping");
        if len == 0 {
            return Ok(Arc::new(Self {
                base: NonNull::dangling(),
                len,
                frontier: CachePadded::new(Frontier::new(0)),
                has_tail: AtomicBool::new(false),
                writable,
                backing: Backing::Empty,
            }));
        }
        if file.metadata()?.len() < len as u64 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file is shorter than what is to be mapped",
            ));
        }
        let mut options = MmapOptions::new();
        options.len(len);
        let map = if writable { options.map_raw(file)? } else { options.map_raw_read_only(file)? };
        let base = NonNull::new(map.as_mut_ptr()).expect("a mapping is not at address 0");
        Ok(Arc::new(Self {
            base,
            len,
            frontier: CachePadded::new(Frontier::new(published)),
            has_tail: AtomicBool::new(false),
            writable,
            backing: Backing::File(map),
        }))
    }

    /// Anonymous zeroed memory: the page cache of a simulated file.
    pub fn heap(len: usize) -> Arc<Self> {
        let bytes: Box<[UnsafeCell<u8>]> = (0..len).map(|_| UnsafeCell::new(0)).collect();
        let base = NonNull::new(Box::into_raw(bytes).cast::<u8>()).expect("a box is not at address 0");
        Arc::new(Self {
            base,
            len,
            frontier: CachePadded::new(Frontier::new(0)),
            has_tail: AtomicBool::new(false),
            writable: true,
            backing: Backing::Heap,
        })
    }

    /// Bytes mapped.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that readers may see.
    #[inline]
    pub fn published(&self) -> usize {
        self.frontier.load()
    }

    /// The published bytes.
    #[inline]
    #[expect(unsafe_code, reason = "reads the mapping below its frontier")]
    pub fn bytes(&self) -> &[u8] {
        let published = self.frontier.load();
        // SAFETY: `published <= len` (checked by whoever moves the frontier), the memory lives as long as self, and
        // nobody writes below the frontier: the Tail starts at it, and it never moves back.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), published) }
    }

    /// Asks for the cache lines of what is published from `at` on, all at once: a reader would come to them one after the other, and
    /// each comes from another core. Not for what lies behind, which the writer is about to write.
    #[inline]
    pub fn expect_read(&self, at: usize) {
        let end = self.published().min(at + READ_BYTES);
        let mut line = at / LINE_BYTES * LINE_BYTES;
        while line < end {
            share_line(self.base.as_ptr().wrapping_add(line));
            line += LINE_BYTES;
        }
    }

    /// Makes the pages of `range` present and writable, so that storing to them does not fault. Meant for a helper
    /// thread ahead of the writer. An error means that the disk has no room or failed: do not write there.
    pub fn prepare_write(&self, range: Range<usize>) -> io::Result<()> {
        self.populate(range, Advice::PopulateWrite)
    }

    /// Makes the pages of `range` present for reading; an unreadable disk becomes an error here instead of a signal.
    pub fn prepare_read(&self, range: Range<usize>) -> io::Result<()> {
        self.populate(range, Advice::PopulateRead)
    }

    fn populate(&self, range: Range<usize>, advice: Advice) -> io::Result<()> {
        let start = range.start.min(self.len) / PAGE_BYTES * PAGE_BYTES;
        let end = range.end.min(self.len);
        match &self.backing {
            Backing::File(map) if end > start => match map.advise_range(advice, start, end - start) {
                // Kernels before 5.14 do not know the advice: pages then come by ordinary faults.
                Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(()),
                other => other,
            },
            _ => Ok(()),
        }
    }

    /// The writer's end. `None` while another one exists.
    pub fn tail(self: &Arc<Self>) -> Option<Tail> {
        if self.has_tail.swap(true, Ordering::AcqRel) {
            return None;
        }
        let published = self.published();
        Some(Tail { published, appended: published, region: self.clone() })
    }

    /// What `write(2)` does to the page cache: copies into memory above the frontier. For simulated files only; false
    /// where it would touch published bytes, lie outside, or race with a tail.
    #[expect(unsafe_code, reason = "writes the simulated page cache above the frontier")]
    pub(super) fn write_through(&self, at: usize, bytes: &[u8]) -> bool {
        let Some(end) = at.checked_add(bytes.len()) else { return false };
        if end > self.len || at < self.published() || !matches!(self.backing, Backing::Heap) {
            return false;
        }
        // SAFETY: in bounds, heap memory (UnsafeCell), above the frontier. The simulated file serialises its writes, and a
        // partition that writes through its file has a tail that it never stores through.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.as_ptr().add(at), bytes.len()) };
        true
    }

    /// Copies any bytes out, published or not: what a crash finds in the page cache. For simulated files, whose
    /// writers have stopped.
    pub(super) fn snapshot(&self, len: usize) -> Vec<u8> {
        let mut out = vec![0u8; len.min(self.len)];
        self.copy_out(0, &mut out);
        out
    }

    /// The same for the bytes from `at` on, into memory that is there.
    #[expect(unsafe_code, reason = "reads the simulated page cache of a stopped process")]
    pub(super) fn copy_out(&self, at: usize, out: &mut [u8]) {
        assert!(at <= self.len && out.len() <= self.len - at, "within the region");
        // SAFETY: in bounds; a plain copy of initialised bytes, no reference to them is formed.
        unsafe { std::ptr::copy_nonoverlapping(self.base.as_ptr().add(at), out.as_mut_ptr(), out.len()) };
    }
}

impl Drop for Region {
    #[expect(unsafe_code, reason = "frees the heap memory of a simulated file")]
    fn drop(&mut self) {
        if matches!(self.backing, Backing::Heap) {
            let bytes =
                std::ptr::slice_from_raw_parts_mut(self.base.as_ptr().cast::<UnsafeCell<u8>>(), self.len);
            // SAFETY: `base` and `len` are those of the box that `heap` leaked; nobody else frees it.
            drop(unsafe { Box::from_raw(bytes) });
        }
    }
}

/// The right to write a region above its frontier. There is one at a time.
pub struct Tail {
    region: Arc<Region>,
    /// The frontier, which only this moves: its line is with the readers.
    published: usize,
    appended: usize,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tail(at {} of {:?})", self.appended, self.region)
    }
}

impl Tail {
    /// The region.
    pub fn region(&self) -> &Arc<Region> {
        &self.region
    }

    /// Where the next byte goes.
    #[inline]
    pub fn appended(&self) -> usize {
        self.appended
    }

    /// Bytes left.
    #[inline]
    pub fn room(&self) -> usize {
        self.region.len - self.appended
    }

    /// Everything above the frontier: appended bytes first, then the rest.
    #[inline]
    #[expect(unsafe_code, reason = "the tail's exclusive view above the frontier")]
    fn unpublished(&mut self) -> &mut [u8] {
        assert!(self.region.writable, "stores need a writable mapping");
        let from = self.published;
        // SAFETY: in bounds; readers are handed nothing at or above the frontier, only this tail moves it, there is one tail
        // (`has_tail`) and we hold it exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.region.base.as_ptr().add(from), self.region.len - from) }
    }

    /// Asks for the cache lines of the next `bytes`, to be written at once: the reader has just read the bytes before them, its
    /// processor may have fetched what follows on its own account, and a publication waits until every line that was stored to is
    /// back.
    #[inline]
    pub fn expect_now(&self, bytes: usize) {
        let end = (self.appended + bytes.min(EXPECT_BYTES)).min(self.region.len);
        let mut at = self.appended / LINE_BYTES * LINE_BYTES;
        while at < end {
            own_line(self.region.base.as_ptr().wrapping_add(at));
            at += LINE_BYTES;
        }
    }

    /// Asks for the lines after that one, to be written some time: they come from memory. Not for the first one, which readers of what
    /// was just published want.
    #[inline]
    pub fn expect_more(&self) {
        let mut at = self.appended / LINE_BYTES * LINE_BYTES;
        let end = (at + EXPECT_BYTES).min(self.region.len);
        while at + LINE_BYTES < end {
            at += LINE_BYTES;
            own_line(self.region.base.as_ptr().wrapping_add(at));
        }
    }

    /// Copies `bytes` behind what was appended and gives the copy, which nobody else sees yet. Panics without room: ask [`Tail::room`].
    #[inline]
    pub fn append(&mut self, bytes: &[u8]) -> &mut [u8] {
        assert!(bytes.len() <= self.room(), "an append beyond the region");
        let at = self.appended - self.published;
        self.appended += bytes.len();
        let own = &mut self.unpublished()[at..at + bytes.len()];
        own.copy_from_slice(bytes);
        own
    }

    /// Overwrites appended, unpublished bytes at position `at` of the region.
    #[inline]
    pub fn patch(&mut self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.appended, "a patch lies within what was appended");
        let at = at.checked_sub(self.published).expect("published bytes do not change");
        self.unpublished()[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Shows everything appended to the readers.
    #[inline]
    pub fn publish(&mut self) {
        self.published = self.appended;
        self.region.frontier.publish(self.appended);
    }

    /// Shows `bytes` more, which were written through the file instead of the mapping.
    #[inline]
    pub fn advance(&mut self, bytes: usize) {
        assert!(bytes <= self.room(), "advance beyond the region");
        self.appended += bytes;
        self.publish();
    }

    /// Forgets what was appended and not published, and leaves zeros there.
    pub fn discard(&mut self) {
        let published = self.published;
        let n = self.appended - published;
        if n > 0 {
            self.unpublished()[..n].fill(0);
            self.appended = published;
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        if self.region.writable {
            self.discard();
        }
        self.region.has_tail.store(false, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_only_what_was_published() {
        let region = Region::heap(100);
        let mut tail = region.tail().unwrap();
        assert!(region.tail().is_none(), "one writer at a time");
        tail.append(b"abc");
        assert_eq!(region.bytes(), b"");
        tail.patch(1, b"X");
        tail.publish();
        assert_eq!(region.bytes(), b"aXc");
        tail.append(b"lost");
        drop(tail);
        assert_eq!(region.bytes(), b"aXc");
        assert_eq!(region.snapshot(10), b"aXc\0\0\0\0\0\0\0");
        assert!(region.tail().is_some());
    }

    #[test]
    fn a_mapped_file_and_its_writes_are_one() {
        use std::os::unix::fs::FileExt;
        let file = tempfile::tempfile().unwrap();
        assert!(Region::map(&file, 8192, 0, true).is_err(), "mapping beyond the end would be SIGBUS");
        file.set_len(8192).unwrap();
        let region = Region::map(&file, 8192, 0, true).unwrap();
        region.prepare_write(0..8192).unwrap();
        let mut tail = region.tail().unwrap();
        tail.append(b"by store");
        tail.publish();
        file.write_all_at(b" by write", 8).unwrap();
        tail.advance(9);
        assert_eq!(region.bytes(), b"by store by write");
    }
}

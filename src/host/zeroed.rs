//! Memory that begins as zeros and grows without being copied: what large hash tables stand in.
//!
//! A table that grows into new memory pays for all of it again: the kernel clears each page at its first use, which takes longer than to move the
//! entries. From [`HUGE`] on memory is therefore mapped, in huge pages (2 MiB on x86-64, of which the processor's TLB holds the addresses of
//! gigabytes), and grows by `mremap(2)`: pages that are there keep what they hold, wherever their addresses go. Kernels from 6.7 on give
//! such mappings addresses at which huge pages stay whole; older ones may split those that have moved.

use bytemuck::Pod;
#[cfg(target_os = "linux")]
use memmap2::{Advice, RemapOptions};
use memmap2::{MmapOptions, MmapRaw};
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// Bytes from which on memory is mapped, and a whole number of which it then has.
const HUGE: usize = 2 << 20;

thread_local! {
    static MAPPED: Cell<isize> = const { Cell::new(0) };
}

/// Bytes that this thread has mapped, less those that it has given back: what an allocator that counts does not see.
pub fn mapped() -> isize {
    MAPPED.get()
}

fn count(more: usize, less: usize) {
    // A thread that ends has no counter any more.
    let _ = MAPPED.try_with(|m| m.set(m.get() + more as isize - less as isize));
}

/// A slice whose values are all zeros at first. It only grows.
pub struct Zeroed<T: Pod> {
    /// Of the heap's memory or the mapping's.
    at: NonNull<T>,
    len: usize,
    /// None: `at` is of a boxed slice, which goes back on drop.
    mapped: Option<MmapRaw>,
}

impl<T: Pod> Default for Zeroed<T> {
    /// No values, and no memory.
    fn default() -> Self {
        Self::of(Box::default())
    }
}

impl<T: Pod> Zeroed<T> {
    fn of(values: Box<[T]>) -> Self {
        let len = values.len();
        let at = NonNull::new(Box::into_raw(values).cast::<T>()).expect("a box has an address");
        Self { at, len, mapped: None }
    }

    /// Makes the slice that long; what is new is zeros.
    ///
    /// # Panics
    /// It is longer.
    pub fn grow(&mut self, len: usize) {
        assert!(len >= self.len, "it only grows");
        let bytes = len.checked_mul(size_of::<T>()).expect("a slice is below half of the addresses");
        if self.remap(bytes) {
            self.len = len;
            return;
        }
        let mut new = map(bytes).map_or_else(
            || Self::of(vec![T::zeroed(); len].into_boxed_slice()),
            |mapped| {
                let at = NonNull::new(mapped.as_mut_ptr().cast::<T>()).expect("a mapping has an address");
                Self { at, len, mapped: Some(mapped) }
            },
        );
        new[..self.len].copy_from_slice(self);
        *self = new;
    }

    /// Lets a mapping grow; whether it is one, and the kernel could.
    #[cfg(target_os = "linux")]
    #[expect(unsafe_code, reason = "a mapping moves; only this slice knows its address")]
    fn remap(&mut self, bytes: usize) -> bool {
        let Some(mapped) = &mut self.mapped else { return false };
        let (len, before) = (bytes.next_multiple_of(HUGE), mapped.len());
        // SAFETY: the mapping is of no file, beyond whose end it could come. `self` is borrowed alone: nobody holds an address of the memory.
        if unsafe { mapped.remap(len, RemapOptions::new().may_move(true)) }.is_err() {
            return false;
        }
        count(len, before);
        self.at = NonNull::new(mapped.as_mut_ptr().cast()).expect("a mapping has an address");
        true
    }

    #[cfg(not(target_os = "linux"))]
    fn remap(&mut self, _bytes: usize) -> bool {
        false
    }
}

/// Maps so much memory, unless it is little or the kernel cannot.
fn map(bytes: usize) -> Option<MmapRaw> {
    if bytes < HUGE || cfg!(miri) {
        return None;
    }
    let mapped = MmapOptions::new().len(bytes.next_multiple_of(HUGE)).map_anon().ok()?;
    count(mapped.len(), 0);
    // A hint: where the kernel has no huge pages, the memory is the same.
    #[cfg(target_os = "linux")]
    let _ = mapped.advise(Advice::HugePage);
    Some(mapped.into())
}

#[expect(
    unsafe_code,
    reason = "one pointer to either kind of memory, so that to read a value asks for no kind"
)]
impl<T: Pod> Deref for Zeroed<T> {
    type Target = [T];
    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` values of any bytes, aligned (a box of `T`, or pages), initialised (zeros, or written as `T`), owned by `self`.
        unsafe { std::slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }
}

#[expect(unsafe_code, reason = "as above")]
impl<T: Pod> DerefMut for Zeroed<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }
}

#[expect(unsafe_code, reason = "a boxed slice goes back to where it came from")]
impl<T: Pod> Drop for Zeroed<T> {
    fn drop(&mut self) {
        if let Some(mapped) = &self.mapped {
            count(0, mapped.len());
        } else {
            // SAFETY: `at` and `len` are what `Box::into_raw` gave in `of`: without a mapping neither changes after it.
            drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(self.at.as_ptr(), self.len)) });
        }
    }
}

// SAFETY: it owns its values alone, as a boxed slice does.
#[expect(unsafe_code, reason = "a pointer to memory that nobody else has")]
unsafe impl<T: Pod + Send> Send for Zeroed<T> {}
// SAFETY: shared references only read.
#[expect(unsafe_code, reason = "a pointer to memory that nobody else has")]
unsafe impl<T: Pod + Sync> Sync for Zeroed<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_its_values_and_grows_by_zeros() {
        let mut all = Zeroed::<[u64; 3]>::default();
        assert!(all.is_empty());
        let most = if cfg!(miri) { 1 << 10 } else { 1 << 20 };
        let mut len = 0;
        // Through the heap into a mapping, and there by steps that are no whole pages.
        for next in
            [1, 16, 16, 1000, 1 << 16, 100_000, 100_001, 300_000, most].into_iter().filter(|n| *n <= most)
        {
            all.grow(next);
            assert_eq!(all.len(), next);
            assert_eq!(all.mapped.is_some(), next * 24 >= HUGE && !cfg!(miri));
            assert!((0..len).all(|n| all[n] == [n as u64, 1, !0]));
            assert!(all[len..].iter().all(|v| *v == [0; 3]));
            (0..next).for_each(|n| all[n] = [n as u64, 1, !0]);
            len = next;
            let bytes = if all.mapped.is_some() { (next * 24).next_multiple_of(HUGE) } else { 0 };
            assert_eq!(mapped(), bytes as isize);
        }
        drop(all);
        assert_eq!(mapped(), 0);
    }

    #[test]
    fn a_mapping_goes_with_its_owner_to_another_thread() {
        let mut all = Zeroed::<u64>::default();
        all.grow(1 << 19);
        all[1 << 18] = 7;
        let seven = std::thread::spawn(move || all[1 << 18]).join();
        assert_eq!(seven.ok(), Some(7));
    }

    #[test]
    #[should_panic(expected = "it only grows")]
    fn it_does_not_shrink() {
        let mut all = Zeroed::<u64>::default();
        all.grow(2);
        all.grow(1);
    }
}

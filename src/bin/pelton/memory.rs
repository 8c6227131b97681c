//! What the process costs: heap allocations, resident memory, processor time.
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait; it only counts and hands on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// The system's allocator with a counter that is off unless a benchmark asks.
pub(crate) struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static IS_ON: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

fn count() {
    if IS_ON.load(Relaxed) {
        ALLOCATIONS.fetch_add(1, Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator with the caller's arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's obligations are the callee's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's obligations are the callee's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's obligations are the callee's.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's obligations are the callee's.
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// Starts counting from zero.
pub(crate) fn start_counting() {
    ALLOCATIONS.store(0, Relaxed);
    IS_ON.store(true, Relaxed);
}

/// Stops, and says how many allocations there were.
pub(crate) fn stop_counting() -> u64 {
    IS_ON.store(false, Relaxed);
    ALLOCATIONS.load(Relaxed)
}

/// The largest resident memory since [`reset_peak`], kB; 0 where the system does not say.
pub(crate) fn peak_rss_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("");
    line.trim().trim_end_matches("kB").trim().parse().unwrap_or(0)
}

/// Lets the peak start again from what is resident now, where the system allows it.
pub(crate) fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Processor time of all threads of this process so far, in seconds.
pub(crate) fn cpu_seconds() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_and_time_are_counted() {
        start_counting();
        let before = cpu_seconds();
        let kept: Vec<Box<u64>> = (0..1000).map(Box::new).collect();
        assert!(stop_counting() >= 1000);
        assert!(cpu_seconds() >= before && kept.len() == 1000);
        assert!(peak_rss_kb() > 0);
    }
}

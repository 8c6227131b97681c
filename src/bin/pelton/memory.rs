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
    use std::sync::Mutex;

    /// There is one counter.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    #[test]
    fn allocations_and_time_are_counted() {
        let _counter = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
        start_counting();
        let before = cpu_seconds();
        let kept: Vec<Box<u64>> = (0..1000).map(Box::new).collect();
        assert!(stop_counting() >= 1000);
        assert!(cpu_seconds() >= before && kept.len() == 1000);
        assert!(peak_rss_kb() > 0);
    }

    pelton::row! {
        struct Payment { card: i64, merchant: String, amount: f64, ts: pelton::Timestamp }
    }

    pelton::row! {
        struct Decision {
            n: i64, most: Option<f64>, merchants: i64, by_merchant: i64, greatest: Option<String>, first: Option<String>, reason: Option<String>,
        }
    }

    /// A scorer whose keys and frames are there asks for no memory: filters, two chains of windows, texts, DISTINCT, results.
    #[test]
    fn a_scored_event_allocates_nothing() {
        let sql = "CREATE TABLE p (card BIGINT NOT NULL, merchant STRING NOT NULL, amount DOUBLE NOT NULL, ts TIMESTAMP(3) NOT NULL,
              WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'push');
            SELECT n, most, merchants, by_merchant, greatest, first, CASE WHEN n > 2 THEN 'more than the card has ever seen' END AS reason
            FROM (SELECT *, COUNT(*) OVER (PARTITION BY merchant ORDER BY ts RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW) AS by_merchant
              FROM (SELECT merchant, ts,
                COUNT(*) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND CURRENT ROW) AS n,
                MAX(amount) OVER (PARTITION BY card ORDER BY ts ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) AS most,
                MAX(merchant) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND CURRENT ROW) AS greatest,
                FIRST_VALUE(merchant) OVER (PARTITION BY card ORDER BY ts ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) AS first,
                COUNT(DISTINCT merchant) OVER (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW) AS merchants
                FROM p WHERE amount > 1))";
        let engine = pelton::Engine::builder().build().expect("sound settings");
        let _counter = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
        // Frames in slices merge sets of distinct values, which does allocate.
        let sliced =
            "SET 'pelton.over.range-resolution' = '500 ms';".to_owned() + &sql.replace("DISTINCT ", "");
        for sql in [sql, &sliced] {
            let mut scorer: pelton::Scorer<Payment, Decision> = engine.scorer(sql).expect("it can be scored");
            let mut n = 0_i64;
            let mut payment = Payment::default();
            let mut score = |events: i64| {
                let mut answered = 0;
                for _ in 0..events {
                    n += 1;
                    payment.card = n % 50;
                    payment.merchant.clear();
                    payment.merchant.push_str(["a", "a shop with a long name", "c"][n as usize % 3]);
                    payment.amount = (n % 17) as f64;
                    payment.ts = pelton::Timestamp(n * 10_000);
                    answered += u64::from(scorer.score(&payment).expect("no row fails").row.is_some());
                }
                answered
            };
            assert!(score(20_000) > 10_000);
            // Other tests run beside this one and are counted too: the quietest of many looks is the scorer's own.
            let allocations = (0..200).map(|_| {
                start_counting();
                score(100);
                stop_counting()
            });
            assert_eq!(allocations.min(), Some(0), "{sql}");
        }
    }
}

//! What a scorer says of its state is what the allocator gave for it and what is mapped, within a fifth: rows, texts, slices, distinct values, trees, and after keys were
//! forgotten.
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait; it only counts and hands on")]

use pelton::{Engine, Scorer, Timestamp};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    // Tests run beside each other: each counts its own.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(more: usize, less: usize) {
    // A thread that ends has no counter any more.
    let _ = HELD.try_with(|c| c.set(c.get().wrapping_add(more).wrapping_sub(less)));
}

// SAFETY: every call goes to the system's allocator with the caller's arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's obligations are the callee's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size, layout.size());
        // SAFETY: the caller's obligations are the callee's.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's obligations are the callee's.
        unsafe { System.dealloc(ptr, layout) }
    }
}

pelton::row! { struct Event { card: i64, merchant: String, amount: i64, ts: Timestamp } }
pelton::row! { #[derive(Debug)] struct Out { n: i64 } }

/// Bytes that the allocator gave this thread, and that it has mapped.
fn held() -> usize {
    HELD.get().wrapping_add_signed(pelton::host::zeroed::mapped())
}

/// Scores events of a query with that aggregate over that frame, and holds the scorer's word against the allocator's.
fn check(settings: &str, aggregates: &str, frame: &str, cards: i64, late: bool) {
    let sql = format!(
        "{settings} CREATE TABLE events (card BIGINT NOT NULL, merchant STRING NOT NULL, amount BIGINT NOT NULL, ts TIMESTAMP(3) NOT NULL,
           WATERMARK FOR ts AS ts - INTERVAL '10' MINUTE) WITH ('connector' = 'push');
         SELECT n FROM (SELECT {aggregates} FROM events
           WINDOW w AS (PARTITION BY card ORDER BY ts {frame}))"
    );
    let engine = Engine::builder().build().expect("sound settings");
    let mut scorer: Scorer<Event, Out> = engine.scorer(&sql).expect("it can be scored");
    let before = held() - scorer.state_bytes();
    let mut event = Event { card: 0, merchant: String::new(), amount: 0, ts: Timestamp(0) };
    for n in 0..60_000_i64 {
        let at = n * 100 - if late && n % 50 == 0 { n * 7919 % 500_000 } else { 0 };
        event.card = n * 7919 % cards;
        event.amount = n * 31 % 977;
        event.merchant.clear();
        event
            .merchant
            .push_str(["cafe", "a bookshop of letters", "the theatre by the river"][n as usize % 3]);
        event.merchant.push_str(&format!("{:03}", n % 701));
        event.ts = Timestamp(at * 1000);
        scorer.score(&event).expect("no row fails");
        if n == 30_000 || n == 59_999 {
            let (said, held) = (scorer.state_bytes(), held() - before);
            assert!(
                said.abs_diff(held) <= held / 5 + ON_THE_WAY,
                "{aggregates} {frame}, {cards} cards, event {n}: {said} bytes said, {held} held"
            );
        }
    }
}

/// Columns of the event at hand, which are no state.
const ON_THE_WAY: usize = 8 << 10;

const HOUR: &str = "RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW";

#[test]
fn rows_of_fixed_width() {
    for cards in [3, 5_000] {
        check("", "COUNT(*) OVER w AS n, SUM(amount) OVER w, MAX(amount) OVER w", HOUR, cards, false);
        check(
            "",
            "COUNT(*) OVER w AS n, MIN(amount) OVER w",
            "ROWS BETWEEN 9 PRECEDING AND CURRENT ROW",
            cards,
            false,
        );
        check("", "COUNT(DISTINCT amount) OVER w AS n", HOUR, cards, false);
    }
}

#[test]
fn rows_with_texts() {
    for cards in [3, 5_000] {
        check(
            "",
            "COUNT(*) OVER w AS n, MAX(merchant) OVER w, LAST_VALUE(merchant) OVER w",
            HOUR,
            cards,
            false,
        );
        check("", "COUNT(DISTINCT merchant) OVER w AS n, AVG(amount) OVER w", HOUR, cards, false);
        check(
            "",
            "COUNT(*) OVER w AS n, FIRST_VALUE(amount) OVER w, MAX(CAST(amount AS DOUBLE)) OVER w",
            HOUR,
            cards,
            false,
        );
        check(
            "",
            "COUNT(*) OVER w AS n, LISTAGG(merchant) OVER w",
            "ROWS BETWEEN 9 PRECEDING AND CURRENT ROW",
            cards,
            false,
        );
    }
}

#[test]
fn slices() {
    let resolution = "SET 'pelton.over.range-resolution' = '1 min';";
    for cards in [3, 5_000] {
        check(resolution, "COUNT(*) OVER w AS n, SUM(amount) OVER w, MAX(amount) OVER w", HOUR, cards, false);
        check(resolution, "COUNT(DISTINCT merchant) OVER w AS n", HOUR, cards, true);
        check(resolution, "COUNT(*) OVER w AS n, MAX(merchant) OVER w", HOUR, cards, true);
    }
}

#[test]
fn trees() {
    check("", "COUNT(*) OVER w AS n, SUM(amount) OVER w, MAX(amount) OVER w", HOUR, 3, true);
    check("", "COUNT(DISTINCT amount) OVER w AS n", HOUR, 3, true);
    check("", "COUNT(*) OVER w AS n, MAX(merchant) OVER w, AVG(amount) OVER w", HOUR, 3, true);
    check("", "COUNT(DISTINCT merchant) OVER w AS n", HOUR, 3, true);
}

#[test]
fn frames_from_the_beginning() {
    for cards in [3, 5_000] {
        check("", "COUNT(*) OVER w AS n, SUM(amount) OVER w, LAST_VALUE(merchant) OVER w", "", cards, false);
        check("", "COUNT(DISTINCT merchant) OVER w AS n", "", cards, false);
    }
}

/// Keys out of reach: what they had is there for others, and counted.
#[test]
fn keys_that_are_forgotten() {
    let short = "RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW";
    check("", "COUNT(*) OVER w AS n, MAX(amount) OVER w", short, 1_000_000, false);
    check("", "COUNT(DISTINCT merchant) OVER w AS n, LAST_VALUE(merchant) OVER w", short, 1_000_000, false);
}

//! The clock of q12. It is asked as a clock is, which costs what it costs, and says the time at which events come by their number, so that windows
//! close and both sides give the same rows.

/// Rows of a turn of the engine, which asks once for all of them.
pub(crate) const TURN: usize = 64;
/// Events of each ten seconds. Before the first of the next ones the input has a pause, so that no turn has events of two windows.
pub(crate) const PER_WINDOW: usize = 100 * pelton::batch::MAX_ROWS;
const WINDOW_US: i64 = 10_000_000;
/// µs between two events, a little less than what would fill the ten seconds.
const PACE_US: i64 = 90;

/// The time at which event `number` comes, µs.
pub(crate) fn now_us(number: usize) -> i64 {
    std::hint::black_box(std::time::SystemTime::now());
    (number / PER_WINDOW) as i64 * WINDOW_US + (number % PER_WINDOW) as i64 * PACE_US
}

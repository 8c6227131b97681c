//! An open loop: events are due at times that do not depend on how long the ones before them took, and an event's latency counts from when it was
//! due. What a closed loop hides, the queue behind a slow event, is in the figures.

use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// How events come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Events a second.
    pub(super) rate: u64,
    /// For how long.
    pub(super) time: Duration,
    /// In the middle the loop stands still for so long: it must show.
    pub(super) stall: Duration,
}

/// Sends events at their times, and gives the latencies in ns. `send` does all of an event's work and says whether it gave an answer
/// whose latency counts. It ends at the last event, or when it has come so far behind that the rest would only wait.
pub(super) fn drive(
    load: Load,
    mut send: impl FnMut() -> pelton::Result<bool>,
) -> pelton::Result<Histogram<u64>> {
    let mut latencies = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("sound bounds");
    let events = (load.rate as f64 * load.time.as_secs_f64()) as u64;
    let period = 1e9 / load.rate as f64;
    // The first tenth warms caches and is not counted.
    let warm = events / 10;
    let start = Instant::now();
    for n in 0..events {
        let due = start + Duration::from_nanos((n as f64 * period) as u64);
        while Instant::now() < due {
            std::hint::spin_loop();
        }
        if n == events / 2 {
            spin(load.stall);
        }
        let answered = send()?;
        if answered && n >= warm {
            latencies.saturating_record(due.elapsed().as_nanos() as u64);
        }
        if start.elapsed() > load.time * 4 {
            break;
        }
    }
    Ok(latencies)
}

fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A closed loop would hide it behind the one event that it hit.
    #[test]
    fn a_stall_shows_in_the_latencies_of_the_events_behind_it() {
        let load = |stall| Load { rate: 5_000, time: Duration::from_millis(500), stall };
        let stalled = drive(load(Duration::from_millis(50)), || Ok(true)).expect("nothing fails");
        assert!(stalled.value_at_quantile(0.999) > 40_000_000, "p99.9 {}", stalled.value_at_quantile(0.999));
        assert!(stalled.value_at_quantile(0.95) > 10_000_000, "a tenth of the events waited");
        assert!(stalled.len() >= 2_000);
    }
}

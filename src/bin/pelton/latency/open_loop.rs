//! An open loop: events are due at times that do not depend on how long the ones before them took, and an event's latency counts from when it was
//! due. What a closed loop hides, the queue behind a slow event, is in the figures.
//!
//! **Beside them stands what was seen while the machine was quiet.** Until an event is due the loop does nothing but read the clock, so two readings
//! that lie apart say that the machine was taken from it: by its host, by an interrupt, by another process. Time is cut into slices; a slice
//! that such a gap touches, or that follows it within its length (what waited then is served), is not quiet, and the events that were due
//! in it do not count there. The loop looks at nothing else: **not at how long an event took**. A pause within an event's own work counts,
//! whosever it was, and so does all that waits behind it. What it cannot tell
//! apart is thus held against what is asked, never for it: the higher the rate, the less the loop waits and sees.

use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// Readings of the clock that are so far apart, ns, have a pause of the machine between them: to read it, and to note an answer, takes less than a
/// tenth of that.
pub(super) const GAP: u64 = 2_000;
/// The length of a slice, ns.
pub(super) const SLICE: u64 = 1_000_000;
/// Answers that are kept for the figures of quiet slices: those of 16 s at a million a second.
const KEPT: usize = 1 << 24;

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

/// The latencies of a run, ns.
pub(super) struct Latencies {
    /// Of all events.
    pub(super) all: Histogram<u64>,
    /// Of those that were due in quiet slices.
    pub(super) quiet: Histogram<u64>,
}

/// An answer: when the event was due, and how long it waited, ns.
#[derive(Clone, Copy)]
struct Answer {
    due: u64,
    took: u64,
}

pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("sound bounds")
}

/// Sends events at their times, and gives the latencies. `send` does all of an event's work and says whether it gave an answer
/// whose latency counts. It ends at the last event, or when it has come so far behind that the rest would only wait.
pub(super) fn drive(load: Load, mut send: impl FnMut() -> pelton::Result<bool>) -> pelton::Result<Latencies> {
    let mut all = histogram();
    let events = (load.rate as f64 * load.time.as_secs_f64()) as u64;
    let period = 1e9 / load.rate as f64;
    // The first tenth warms caches and is not counted.
    let warm = events / 10;
    // Written to, so that its pages are there: none is to be fetched while events come.
    let mut answers = vec![Answer { due: 1, took: 1 }; (events as usize).min(KEPT)];
    answers.clear();
    let mut gaps: Vec<(u64, u64)> = Vec::with_capacity(1 << 16);
    let end = load.time.as_nanos() as u64 * 4;
    let start = Instant::now();
    let clock = || start.elapsed().as_nanos() as u64;
    let mut seen = clock();
    for n in 0..events {
        let due = (n as f64 * period) as u64;
        loop {
            let now = clock();
            if now - seen > GAP {
                gaps.push((seen, now));
            }
            seen = now;
            if now >= due {
                break;
            }
            std::hint::spin_loop();
        }
        if n == events / 2 {
            spin(load.stall);
        }
        let answered = send()?;
        seen = clock();
        if answered && n >= warm {
            let took = seen - due;
            all.saturating_record(took);
            if answers.len() < answers.capacity() {
                answers.push(Answer { due, took });
            }
        }
        if seen > end {
            break;
        }
    }
    let quiet = quiet(&gaps, &answers);
    Ok(Latencies { all, quiet })
}

/// The latencies of the events that were due in slices without a pause of the machine.
fn quiet(gaps: &[(u64, u64)], answers: &[Answer]) -> Histogram<u64> {
    let slices = answers.last().map_or(0, |a| a.due / SLICE + 1) as usize;
    let mut taken = vec![false; slices];
    for &(from, to) in gaps {
        let last = ((to + (to - from)) / SLICE) as usize;
        if let Some(touched) = taken.get_mut((from / SLICE) as usize..=last.min(slices.wrapping_sub(1))) {
            touched.fill(true);
        }
    }
    let mut quiet = histogram();
    for a in answers.iter().filter(|a| !taken[(a.due / SLICE) as usize]) {
        quiet.saturating_record(a.took);
    }
    quiet
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
        let stalled = drive(load(Duration::from_millis(50)), || Ok(true)).expect("nothing fails").all;
        assert!(stalled.value_at_quantile(0.999) > 40_000_000, "p99.9 {}", stalled.value_at_quantile(0.999));
        assert!(stalled.value_at_quantile(0.95) > 10_000_000, "a tenth of the events waited");
        assert!(stalled.len() >= 2_000);
    }

    /// Slices go by what was seen of the machine: a slow event in a quiet one counts, and what waits behind it.
    #[test]
    fn quiet_slices_are_those_without_a_gap() {
        let ms = 1_000_000;
        // One event each half of a slice; that of 3.5 ms is slow by itself, and so is the one behind it.
        let took = |due: u64| {
            if due == 7 * ms / 2 {
                400_000
            } else if due == 4 * ms {
                100_000
            } else {
                1_000
            }
        };
        let answers: Vec<Answer> =
            (0..40).map(|n| n * ms / 2).map(|due| Answer { due, took: took(due) }).collect();
        let all = quiet(&[], &answers);
        assert_eq!((all.len(), all.max() / 1000), (40, 400));
        // From 5.2 to 7.05 ms the machine was away: slices 5 to 7, and 8 for what waited.
        let some = quiet(&[(5_200_000, 7_050_000)], &answers);
        assert_eq!((some.len(), some.max() / 1000), (32, 400));
        // Behind the last event, and before it but within slice 19.
        assert_eq!(quiet(&[(25 * ms, 26 * ms)], &answers).len(), 40);
        assert_eq!(quiet(&[(19_990_000, 30 * ms)], &answers).len(), 38);
        assert_eq!(quiet(&[(1, 2)], &[]).len(), 0);
    }

    /// What a run keeps for quiet slices is part of what it saw.
    #[test]
    fn quiet_events_are_some_of_all() {
        let load = Load { rate: 20_000, time: Duration::from_millis(200), stall: Duration::ZERO };
        let run = drive(load, || Ok(true)).expect("nothing fails");
        assert!(run.quiet.len() <= run.all.len() && run.quiet.max() <= run.all.max());
    }
}

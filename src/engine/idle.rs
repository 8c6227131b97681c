//! What a thread that drives a shard does while there is nothing to do.

use super::part::Part;
use crate::config::IdlePolicy;
use std::time::Duration;

/// How long a shard sleeps at most that has to look for itself: an input that does not say when it has something, an output that has refused.
const LOOK_US: u64 = 1_000;
/// How long one sleeps at most whose inputs all ring or know their time. A bound on what a wake-up lost by a mistake would cost.
const RUNG_US: u64 = 100_000;
/// Idle turns that are followed by a pause of the core, and those that are followed by giving the core away.
const SPINS: u32 = 100;
const YIELDS: u32 = 200;

/// Counts the idle turns in a row.
#[derive(Debug, Default)]
pub(super) struct Idle {
    policy: IdlePolicy,
    turns: u32,
}

impl Idle {
    pub(super) fn new(policy: IdlePolicy) -> Self {
        Self { policy, turns: 0 }
    }

    /// There was work.
    pub(super) fn reset(&mut self) {
        self.turns = 0;
    }

    /// The next idle turn is the first of a row.
    pub(super) fn is_first(&self) -> bool {
        self.turns == 0
    }

    /// Sleeps after the end: nothing is left to do but what others ask for.
    pub(super) fn rest(&self, part: &mut Part, woken: impl Fn() -> bool) {
        let bell = part.bell.clone();
        bell.sleep_unless(|| woken() || part.has_work(), Duration::from_micros(RUNG_US));
    }

    /// Waits after an idle turn that began at `now_us`, and never past a timer or what an input has announced. `woken` says, once a sleep was
    /// announced, whether there is something else to do than what the part knows of.
    pub(super) fn wait(
        &mut self,
        part: &mut Part,
        now_us: i64,
        timer_us: Option<i64>,
        woken: impl Fn() -> bool,
    ) {
        self.turns = self.turns.saturating_add(1);
        match (self.policy, self.turns) {
            (IdlePolicy::Spin, _) | (IdlePolicy::SpinThenPark, 0..SPINS) => std::hint::spin_loop(),
            (IdlePolicy::SpinThenPark, SPINS..YIELDS) => std::thread::yield_now(),
            (_, turns) => {
                // Longer the longer nothing has happened.
                let most = if part.has_to_look() { LOOK_US.min(u64::from(turns)) } else { RUNG_US };
                let due = part.next_input_us().into_iter().chain(timer_us).min();
                let most = due.map_or(most, |t| most.min(t.saturating_sub(now_us).max(0) as u64));
                let bell = part.bell.clone();
                bell.sleep_unless(|| woken() || part.has_work(), Duration::from_micros(most));
            }
        }
    }
}

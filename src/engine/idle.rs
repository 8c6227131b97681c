//! What a thread that drives a shard does while there is nothing to do.

use super::part::Part;
use crate::config::IdlePolicy;
use std::time::Duration;

/// How long a shard with inputs from outside sleeps at most: these do not ring.
const OUTER_US: u64 = 1_000;
/// How long one that is only woken by others sleeps at most. A bound on what a wake-up lost by a mistake would cost.
const INNER_US: u64 = 100_000;
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

    /// Waits after an idle turn, longer the longer nothing has happened, and never past a timer that is due in `timer_us`. `woken` says, once a
    /// sleep was announced, whether there is something else to do than what the part knows of.
    pub(super) fn wait(&mut self, part: &mut Part, timer_us: Option<i64>, woken: impl Fn() -> bool) {
        self.turns = self.turns.saturating_add(1);
        match (self.policy, self.turns) {
            (IdlePolicy::Spin, _) | (IdlePolicy::SpinThenPark, 0..SPINS) => std::hint::spin_loop(),
            (IdlePolicy::SpinThenPark, SPINS..YIELDS) => std::thread::yield_now(),
            (_, turns) => {
                let most = if part.is_inner() { INNER_US } else { OUTER_US.min(u64::from(turns)) };
                let timer = timer_us.map_or(most, |t| t.clamp(0, most as i64) as u64);
                let bell = part.bell.clone();
                bell.sleep_unless(|| woken() || part.has_work(), Duration::from_micros(timer.min(most)));
            }
        }
    }
}

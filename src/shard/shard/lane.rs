//! Lanes: a source whose batches go through one node after the other into one sink.
//!
//! The whole way is one loop in which no node is looked up: of an event that comes alone, the looking up would be a fifth of its cost
//! (decision 0010). It does what [`Shard::take_turn`] does for any graph, and leaves to it what an operator does not [answer at
//! once](crate::operators::Operator::pass).

use super::{Doors, Node, Role, Shard};
use crate::batch::{Batch, Pool};
use crate::error::Error;
use crate::shard::io::{Input, IoContext, Polled};

/// The way of a source's batches: so many stages, whose nodes follow the source's, so many operators and stages behind them, and then the sink,
/// which writes to this output.
#[derive(Clone, Copy)]
pub(super) struct Lane {
    stages: usize,
    more: usize,
    output: usize,
}

/// What became of a batch on its way.
enum Way {
    /// Nothing is left of it.
    Over,
    /// It has come to the sink.
    Whole(Batch),
    /// The operator at this place among the nodes has taken it: pull.
    Pull(usize),
    /// The operator there cannot go on.
    Fail(usize, Error),
}

impl Lane {
    /// The lane of source `n`, where it has one.
    pub(super) fn of(nodes: &[Node], n: usize) -> Option<Self> {
        let leads_on = |n: usize| nodes[n].asides.is_empty() && nodes[n].readers[..] == [(n + 1, 0)];
        let is_between =
            |s: &&Node| matches!(s.role, Role::Stage(_) | Role::Operator(_)) && s.ports.len() == 1;
        let between = nodes[n + 1..].iter().take_while(is_between).count();
        let stages = nodes[n + 1..].iter().take_while(|s| matches!(s.role, Role::Stage(_))).count();
        match nodes.get(n + between + 1)?.role {
            Role::Sink(output) if (n..=n + between).all(leads_on) => {
                Some(Self { stages, more: between - stages, output })
            }
            _ => None,
        }
    }
}

impl Shard {
    /// Polls input `i` of source `n`, whose lane has room everywhere, as often as a turn allows.
    pub(super) fn run_lane(
        &mut self,
        lane: Lane,
        n: usize,
        i: usize,
        inputs: &mut [Box<dyn Input>],
        doors: &mut Doors<'_>,
    ) -> bool {
        let now_us = doors.now_us;
        let mut polled = 0;
        loop {
            let Self { nodes, pool, batch_rows, polls, ended, stalled, failed, wake_at_us, .. } = self;
            let [source, between @ .., sink] = &mut nodes[n..n + lane.stages + lane.more + 2] else {
                unreachable!("a lane has a source and a sink")
            };
            let (stages, more) = between.split_at_mut(lane.stages);
            let (input, output) = (&mut *inputs[i], &mut *doors.outputs[lane.output]);
            let (way, behind) = loop {
                if polled == *polls {
                    return true;
                }
                let mut batch = match input.poll(*batch_rows, &mut IoContext { pool, now_us }) {
                    Ok(Polled::Batch(batch)) => batch,
                    Ok(Polled::Pending) => return polled > 0,
                    Ok(Polled::End) => {
                        ended[i] = true;
                        return true;
                    }
                    Err(e) => {
                        *failed = Some(e);
                        return true;
                    }
                };
                polled += 1;
                source.counters.rows_out += batch.selected() as u64;
                if let Some(w) = batch.watermarks.last() {
                    source.watermark = Some(w);
                }
                let mut behind = None;
                if !stages.iter_mut().all(|stage| stage.pass(&mut batch, pool, now_us, &mut behind)) {
                    pool.recycle(batch);
                } else {
                    let batch = match more {
                        [] => Some(batch),
                        _ => match go_on(batch, more, (pool, now_us, wake_at_us), &mut behind) {
                            Way::Over => None,
                            Way::Whole(batch) => Some(batch),
                            other => break (other, behind),
                        },
                    };
                    if let Some(batch) = batch {
                        match sink.offer(batch, output, &mut IoContext { pool, now_us }) {
                            Ok(taken) => *stalled |= !taken,
                            Err(e) => *failed = Some(e),
                        }
                    }
                }
                if let Some(e) = behind {
                    failed.get_or_insert(e);
                }
                if *stalled || failed.is_some() {
                    return true;
                }
            };
            match way {
                Way::Pull(k) => self.pull(n + 1 + lane.stages + k, doors),
                Way::Fail(k, e) => self.fail(n + 1 + lane.stages + k, e),
                Way::Over | Way::Whole(_) => {}
            }
            if let Some(e) = behind {
                self.failed.get_or_insert(e);
            }
            if self.stalled || self.failed.is_some() {
                return true;
            }
        }
    }
}

/// Takes a batch through the nodes from the first operator on.
#[inline(always)]
fn go_on(
    mut batch: Batch,
    nodes: &mut [Node],
    (pool, now_us, wake_at_us): (&mut Pool, i64, &mut i64),
    behind: &mut Option<Error>,
) -> Way {
    for (k, node) in nodes.iter_mut().enumerate() {
        match node.role {
            Role::Stage(_) => {
                if !node.pass(&mut batch, pool, now_us, behind) {
                    pool.recycle(batch);
                    return Way::Over;
                }
            }
            _ => match node.answer(0, batch, true, pool, now_us, wake_at_us) {
                Ok(Some(answer)) if answer.is_empty() => {
                    pool.recycle(answer);
                    return Way::Over;
                }
                Ok(Some(answer)) => batch = answer,
                Ok(None) => return Way::Pull(k),
                Err(e) => return Way::Fail(k, e),
            },
        }
    }
    Way::Whole(batch)
}

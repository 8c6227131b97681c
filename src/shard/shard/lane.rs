//! Lanes: a source whose batches go through stages alone into one sink.
//!
//! The whole way is one loop in which no node is looked up: of an event that comes alone, the looking up would be a fifth of its cost
//! (decision 0010). It does what [`Shard::take_turn`] does for any graph.

use super::{Doors, Node, Role, Shard};
use crate::shard::io::{Input, IoContext, Polled};

/// The way of a source's batches: so many stages, whose nodes follow the source's, and then the sink, which writes to this output.
#[derive(Clone, Copy)]
pub(super) struct Lane {
    stages: usize,
    output: usize,
}

impl Lane {
    /// The lane of source `n`, where it has one.
    pub(super) fn of(nodes: &[Node], n: usize) -> Option<Self> {
        let leads_on = |n: usize| nodes[n].asides.is_empty() && nodes[n].readers[..] == [(n + 1, 0)];
        let stages = nodes[n + 1..].iter().take_while(|s| matches!(s.role, Role::Stage(_))).count();
        match nodes.get(n + stages + 1)?.role {
            Role::Sink(output) if (n..=n + stages).all(leads_on) => Some(Self { stages, output }),
            _ => None,
        }
    }
}

impl Shard {
    /// Polls input `i` of source `n`, whose sink has room, as often as a turn allows.
    pub(super) fn run_lane(
        &mut self,
        lane: Lane,
        n: usize,
        i: usize,
        inputs: &mut [Box<dyn Input>],
        doors: &mut Doors<'_>,
    ) -> bool {
        let Self { nodes, pool, batch_rows, polls, ended, stalled, failed, .. } = self;
        let [source, stages @ .., sink] = &mut nodes[n..n + lane.stages + 2] else {
            unreachable!("a lane has a source and a sink")
        };
        let (input, output, now_us) = (&mut *inputs[i], &mut *doors.outputs[lane.output], doors.now_us);
        for polled in 0..*polls {
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
            source.counters.rows_out += batch.selected() as u64;
            if let Some(w) = batch.watermarks.last() {
                source.watermark = Some(w);
            }
            let mut behind = None;
            if !stages.iter_mut().all(|stage| stage.pass(&mut batch, pool, now_us, &mut behind)) {
                pool.recycle(batch);
            } else {
                match sink.offer(batch, output, &mut IoContext { pool, now_us }) {
                    Ok(taken) => *stalled |= !taken,
                    Err(e) => *failed = Some(e),
                }
            }
            *failed = failed.take().or(behind);
            if *stalled || failed.is_some() {
                return true;
            }
        }
        true
    }
}

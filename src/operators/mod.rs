//! Operators: one file each, all under one contract.
//!
//! An [`Operator`] takes batches at its ports and gives batches out. It never sees a clock, a socket, a file or a thread; time
//! comes in its context. **Push and pull:** after [`Operator::push`] the driver pulls until `None`, and only then pushes again.
//! An operator with much to say gives one batch a pull and goes on at the next one, so that a full ring downstream stops it in
//! the middle of its output and nothing has to be held.
//!
//! What only changes the batch at hand (filter, project, watermark) is a [`Stage`]: it works in place, nothing waits in it, and the
//! shard runs through a row of them in one loop. Over one row, pushing and pulling would cost more than the work.
//!
//! **State has a byte form**: [`Operator::snapshot`] may be called whenever nothing is waiting to be pulled; [`Operator::restore`]
//! on a new operator of the same plan node goes on from there to the same rows.

mod aggregates;
mod beside;
mod bundle;
mod clock;
mod correlate;
mod count_aggregate;
mod count_assign;
mod count_keys;
mod deduplicate;
mod emit;
mod expand;
mod expiry;
mod filter;
mod gather;
mod group_aggregate;
mod join;
mod late;
mod limit;
mod match_rows;
mod over;
mod over_sorted;
mod project;
mod rank;
mod ready;
mod session_aggregate;
mod session_assign;
mod set_operation;
mod slide_aggregate;
pub mod sort_by_time;
#[cfg(test)]
mod testing;
pub mod union;
mod unnest;
mod watermark;
mod window_aggregate;
mod window_assign;
mod window_rank;
mod windows;

pub use bundle::BundledAggregate;
pub use clock::Clock;
pub use correlate::Correlate;
pub use count_aggregate::CountAggregate;
pub use count_assign::CountAssign;
pub use deduplicate::Deduplicate;
pub use expand::Expand;
pub use filter::Filter;
pub use group_aggregate::GroupAggregate;
pub use join::Join;
pub use late::Aside;
pub use limit::Limit;
pub use match_rows::Match;
pub use over::{Over, OverScorer};
pub use over_sorted::OverSorted;
pub use project::Project;
pub use rank::Rank;
pub use session_aggregate::SessionAggregate;
pub use session_assign::SessionAssign;
pub use set_operation::SetOperation;
pub use slide_aggregate::SlideAggregate;
use sort_by_time::SortByTime;
pub use union::Union;
pub(crate) use union::smallest;
pub use unnest::Unnest;
pub use watermark::Watermark;
pub use window_aggregate::{ByClock, WindowAggregate};
pub use window_assign::WindowAssign;
pub use window_rank::WindowRank;

use crate::batch::{Batch, Decoder, Encoder, Pool, Schema};
use crate::error::{Error, Result};
use crate::plan::{Node, Op, OverOrder, Window, WindowKind, WindowTime};

/// What an operator may know besides its input.
#[derive(Debug)]
pub struct Context<'a> {
    /// Memory to use again.
    pub pool: &'a mut Pool,
    /// The driver's clock, µs since the epoch.
    pub now_us: i64,
}

/// What became of the rows. `rows_in = absorbed + filtered + late + passed`, where `rows_out` are the passed ones and those
/// newly made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Selected rows pushed.
    pub rows_in: u64,
    /// Selected rows pulled.
    pub rows_out: u64,
    /// Rows dropped by a condition or limit.
    pub filtered: u64,
    /// Rows dropped because the watermark had passed them.
    pub late: u64,
    /// Rows taken into state.
    pub absorbed: u64,
    /// Calls of `push`.
    pub batches_in: u64,
}

/// One operation of one shard. See the module's text.
pub trait Operator: Send {
    /// Takes a batch at a port. Called only when the last pull gave `None`.
    ///
    /// # Errors
    /// The job cannot go on, and no row of this batch before the failing one is to be emitted. An operator that has such rows keeps
    /// the error and returns it from [`Operator::pull`] after them.
    fn push(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()>;

    /// [`Operator::push`] where the readers have room. What an operator has to say to a row that comes alone is often one batch, which needs not wait
    /// to be pulled: `Some` is all that comes, perhaps nothing (an empty batch), and there is nothing to pull. `None`: the batch was pushed.
    ///
    /// # Errors
    /// As [`Operator::push`].
    fn pass(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        self.push(port, batch, cx)?;
        Ok(None)
    }

    /// The next batch of output; `None`: nothing until the next push.
    ///
    /// # Errors
    /// The job cannot go on.
    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>>;

    /// No more batches will come at this port. Its last batch has ended event time with
    /// [`END_OF_TIME`](crate::batch::END_OF_TIME). Output may follow by [`Operator::pull`].
    ///
    /// # Errors
    /// The job cannot go on.
    fn finish(&mut self, _port: usize, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    /// It will give nothing more whatever comes: its inputs may stop.
    fn is_done(&self) -> bool {
        false
    }

    /// It may answer [`Operator::wake_at_us`] with a time.
    fn has_timers(&self) -> bool {
        false
    }

    /// When it wants a pull although nothing is pushed (processing-time timers), µs since the epoch.
    fn wake_at_us(&self) -> Option<i64> {
        None
    }

    /// State of a key that has had no row for so long is forgotten; for operators that bound their state so.
    fn set_state_ttl(&mut self, _ttl_ms: i64) {}

    /// From now on it keeps the rows that are late until they are [taken](Operator::take_late), under that name.
    fn keep_late(&mut self, _name: &str, _input: &Schema) {}

    /// The rows that were late, of the form of [`aside::late_rows`](crate::plan::aside::late_rows): asked when nothing is left to be pulled.
    fn take_late(&mut self) -> Option<Batch> {
        None
    }

    /// Writes its state.
    fn snapshot(&self, to: &mut Encoder);

    /// Reads the state that [`Operator::snapshot`] wrote into an operator that has seen nothing yet.
    ///
    /// # Errors
    /// The bytes are damaged or of another version.
    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()>;

    /// Bytes of state held.
    fn bytes(&self) -> usize;

    /// Rows of state held, or keys where it is one row a key.
    fn state_rows(&self) -> usize {
        0
    }

    /// What became of the rows so far.
    fn counters(&self) -> Counters;
}

/// An operation that changes batches in place, one batch out for each batch in. See the module's text.
pub trait Stage: Send {
    /// Changes the batch, which may have no rows (it then moves the watermark, and may have no columns).
    ///
    /// # Errors
    /// A row failed and the job cannot go on. The batch has been cut before that row, and what is left of it is to go on.
    fn apply(&mut self, batch: &mut Batch, cx: &mut Context<'_>) -> Result<()>;

    /// Writes its state.
    fn snapshot(&self, to: &mut Encoder);

    /// Reads the state that [`Stage::snapshot`] wrote into a stage that has seen nothing yet.
    ///
    /// # Errors
    /// The bytes are damaged or of another version.
    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()>;

    /// What became of the rows so far.
    fn counters(&self) -> Counters;
}

/// What [`build`] makes.
pub enum Built {
    /// Works in place.
    Stage(Box<dyn Stage>),
    /// Is pushed to and pulled from.
    Operator(Box<dyn Operator>),
}

/// Makes the operator of a plan node; `inputs` are the nodes at its ports.
///
/// # Errors
/// The operation, or a form of it, is not supported.
///
/// # Panics
/// For scans, sinks, values and exchanges, which the shard drives through its inputs and outputs.
pub fn build(node: &Node, inputs: &[&Node]) -> Result<Built> {
    Ok(match &node.op {
        Op::Filter(condition) => Built::Stage(Box::new(Filter::new(condition))),
        Op::Project(exprs) => Built::Stage(Box::new(Project::new(exprs))),
        Op::Aside(_) => Built::Stage(Box::new(Aside::default())),
        Op::Watermark { column, watermark } => Built::Stage(Box::new(Watermark::new(*column, watermark))),
        _ => Built::Operator(build_operator(node, inputs)?),
    })
}

fn build_operator(node: &Node, inputs: &[&Node]) -> Result<Box<dyn Operator>> {
    Ok(match &node.op {
        Op::GroupAggregate { keys, aggregates, conditions } => {
            Box::new(GroupAggregate::new(keys, aggregates, conditions, inputs[0], node.changelog))
        }
        Op::Over(over) => match over.order {
            OverOrder::Column(key) => Box::new(OverSorted::new(over, key, inputs[0])),
            OverOrder::Rowtime(_) | OverOrder::Proctime => Box::new(Over::new(over, inputs[0])),
        },
        Op::Match(spec) => Box::new(Match::new(spec, inputs[0])),
        Op::Rank(spec) => Box::new(Rank::new(spec, inputs[0])),
        Op::WindowRank { rank, window, latest } => {
            Box::new(WindowRank::new(rank, window, *latest, inputs[0]))
        }
        Op::Deduplicate { keys, keep } => Box::new(Deduplicate::new(keys, *keep, inputs[0])),
        Op::Clock { column, window } => Box::new(Clock::new(*column, node.schema.ty(*column), window)),
        Op::CountAssign(window) => Box::new(CountAssign::new(window, inputs[0], &node.schema)),
        Op::CountAggregate { window, aggregates } => {
            Box::new(CountAggregate::new(window, aggregates, inputs[0]))
        }
        Op::Expand(spec) => Box::new(Expand::new(spec, &node.schema)),
        Op::Correlate(call) => Box::new(Correlate::new(call, &node.schema)),
        Op::Unnest(spec) => Box::new(Unnest::new(spec, &inputs[0].schema, &node.schema)),
        Op::Union => Box::new(Union::new(inputs.len())),
        Op::Limit { offset, fetch } if inputs[0].changelog.is_insert_only() => {
            Box::new(Limit::new(*offset, *fetch))
        }
        Op::Limit { .. } => {
            return Err(Error::unsupported("LIMIT without ORDER BY over input that changes", node.span));
        }
        Op::WindowAssign(window @ Window { kind: WindowKind::Session { .. }, time, .. }) => match *time {
            WindowTime::Attribute(time) => {
                Box::new(SessionAssign::new(window, time, inputs[0], &node.schema))
            }
            WindowTime::Attached { .. } | WindowTime::Clock => {
                unreachable!("a window function reads a time attribute")
            }
        },
        Op::WindowAssign(window) => Box::new(WindowAssign::new(window, &node.schema, node.span)?),
        Op::WindowAggregate {
            window:
                window @ Window { kind: WindowKind::Session { .. }, time: WindowTime::Attribute(time), .. },
            keys,
            aggregates,
            properties,
            ..
        } => Box::new(SessionAggregate::new(window, *time, keys, aggregates, properties, inputs[0], node)),
        Op::WindowAggregate {
            window:
                window @ Window {
                    kind: WindowKind::Hop { .. } | WindowKind::Cumulate { .. },
                    time: WindowTime::Attribute(time),
                    ..
                },
            keys,
            aggregates,
            properties,
            ..
        } => Box::new(SlideAggregate::new(window, *time, keys, aggregates, properties, inputs[0], node)),
        Op::WindowAggregate { window, keys, aggregates, properties, phase } => {
            let whole = WindowAggregate::new(window, keys, aggregates, properties, inputs[0], node)?;
            match window.time {
                WindowTime::Clock => Box::new(ByClock::new(whole, window)),
                WindowTime::Attribute(_) | WindowTime::Attached { .. } => Box::new(whole.phase(*phase)),
            }
        }
        Op::Join(spec) => Box::new(Join::new(spec, [inputs[0], inputs[1]])),
        Op::SetOperation { kind, all } => Box::new(SetOperation::new(*kind, *all, inputs[0])),
        Op::SortByTime { time, then } => Box::new(SortByTime::new(*time, then, inputs[0])),
        Op::Filter(_) | Op::Project(_) | Op::Watermark { .. } | Op::Aside(_) => {
            unreachable!("{} is a stage", node.id)
        }
        Op::Scan(_) | Op::Values(_) | Op::Sink(_) | Op::Exchange(_) => {
            panic!("{} is driven by the shard, it has no operator", node.id)
        }
    })
}

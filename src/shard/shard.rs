//! The shard: operators of one core, driven by [`Shard::turn`].
//!
//! A turn is a plain function over memory: it is given the time, the inputs and the outputs, and does not wait for any of them.
//! **One pending batch per edge**: every port of every operator has room for one batch. A batch that an operator gives out goes to
//! its readers' ports at once and is worked on before the operator is pulled again, so results leave in the turn in which
//! their cause arrived. An operator whose reader is still busy is not pulled; a source whose reader is busy is not polled. That
//! is all there is to backpressure. [Stages](Stage) have no ports: a batch runs through them to the next operator or sink, whose port
//! is what counts for whoever writes to the first of them.
//!
//! **Errors travel behind the rows before them.** A failing operator has given out what it could; the shard lets those rows
//! reach the outputs, and only then returns the error.

use super::io::{Input, IoContext, Output, Polled};
use crate::batch::{BEFORE_TIME, Batch, END_OF_TIME, Pool};
use crate::error::{Error, ErrorKind, Result};
use crate::operators::{Built, Context, Counters, Operator, Stage};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

mod lane;
mod standstill;

use lane::Lane;

/// What a node of a shard is.
#[repr(u8)]
pub enum Role {
    /// Reads input `n` of those given to [`Shard::turn`]. Several inputs may feed one node.
    Source(Vec<usize>),
    /// Changes batches in place.
    Stage(Box<dyn Stage>),
    /// Computes.
    Operator(Box<dyn Operator>),
    /// Writes to output `n` of those given to [`Shard::turn`].
    Sink(usize),
}

impl From<Built> for Role {
    fn from(built: Built) -> Self {
        match built {
            Built::Stage(stage) => Role::Stage(stage),
            Built::Operator(op) => Role::Operator(op),
        }
    }
}

/// A node as the shard is built from it. Readers have larger numbers than what they read.
pub struct NodeSpec {
    /// The stable name of its state.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// The nodes it reads, one a port.
    pub inputs: Vec<usize>,
    /// It reads what these lay aside instead of what they give.
    pub aside: bool,
}

/// What a turn did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Rows moved: call again at once.
    Worked,
    /// Nothing to do until an input has something, an output has room, or the time (µs) comes.
    Idle {
        /// When an operator wants to be woken.
        wake_at_us: Option<i64>,
    },
    /// All inputs have ended and all outputs are finished.
    Done,
}

/// Counters of one node, for people and metrics.
#[derive(Clone, Debug)]
pub struct NodeStats {
    /// The stable name.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What became of the rows.
    pub counters: Counters,
    /// Bytes of state.
    pub state_bytes: usize,
    /// Rows of state.
    pub state_rows: usize,
    /// The watermark of its output, ms.
    pub watermark: Option<i64>,
}

/// [`NodeStats`] without names: what is read while the shard runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeCounts {
    /// What became of the rows.
    pub counters: Counters,
    /// Bytes of state.
    pub state_bytes: usize,
    /// Rows of state.
    pub state_rows: usize,
    /// The watermark of its output, ms.
    pub watermark: Option<i64>,
}

struct Node {
    id: String,
    name: String,
    role: Role,
    ports: Vec<Port>,
    /// Nodes that read it, and at which port.
    readers: Vec<(usize, usize)>,
    /// Nodes that read what it lays aside.
    asides: Vec<(usize, usize)>,
    /// The first operators and sinks behind it: its readers, or what comes behind those that are stages.
    targets: Vec<(usize, usize)>,
    /// Pull before the next push.
    producing: bool,
    /// What it has given in turn `given_in`: see [`GIVEN`].
    given: usize,
    given_in: u64,
    /// It may have timers.
    timed: bool,
    /// Its readers have been told that nothing more comes.
    finished: bool,
    watermark: Option<i64>,
    /// Of sources and sinks, which count nothing themselves.
    counters: Counters,
}

impl Node {
    fn operator(&self) -> Option<&dyn Operator> {
        match &self.role {
            Role::Operator(op) => Some(&**op),
            _ => None,
        }
    }

    fn has_state(&self) -> bool {
        matches!(self.role, Role::Stage(_) | Role::Operator(_))
    }

    /// Takes a batch through this stage. False: nothing is left of it. An error goes to `failed`: it comes behind the rows that are left.
    #[inline(always)]
    fn pass(&mut self, batch: &mut Batch, pool: &mut Pool, now_us: i64, failed: &mut Option<Error>) -> bool {
        let Node { role: Role::Stage(stage), name, watermark, .. } = self else {
            unreachable!("batches go through stages")
        };
        if let Err(e) = stage.apply(batch, &mut Context { pool, now_us }) {
            // A later stage's error is that of an earlier row: this one has cut the batch.
            *failed = Some(e.during(name));
        }
        match batch.watermarks.last() {
            None => batch.selected() > 0,
            moved => {
                *watermark = moved;
                true
            }
        }
    }

    /// Gives a batch to this operator, which has nothing to do, and asks for what it answers at once. `None`: it is to be pulled.
    ///
    /// # Errors
    /// It cannot go on.
    #[inline(always)]
    fn answer(
        &mut self,
        port: usize,
        batch: Batch,
        has_room: bool,
        pool: &mut Pool,
        now_us: i64,
        wake_at_us: &mut i64,
    ) -> Result<Option<Batch>> {
        let Node { role: Role::Operator(op), producing, timed, watermark, asides, .. } = self else {
            unreachable!("batches arrive at operators")
        };
        let cx = &mut Context { pool, now_us };
        // What it lays aside is given before anything else comes.
        if !(has_room && asides.is_empty()) {
            op.push(port, batch, cx)?;
            *producing = true;
            return Ok(None);
        }
        let answer = op.pass(port, batch, cx)?;
        match &answer {
            None => *producing = true,
            Some(batch) => {
                if *timed && let Some(t) = op.wake_at_us() {
                    *wake_at_us = t.min(*wake_at_us);
                }
                if let Some(w) = batch.watermarks.last() {
                    *watermark = Some(w);
                }
            }
        }
        Ok(answer)
    }

    /// Offers a batch to this sink's output. False: it was not taken and waits at the port.
    ///
    /// # Errors
    /// The output cannot go on.
    #[inline(always)]
    fn offer(&mut self, batch: Batch, output: &mut dyn Output, cx: &mut IoContext<'_>) -> Result<bool> {
        let rows = batch.selected() as u64;
        let back = output.offer(batch, cx)?;
        let taken = back.is_none();
        if taken {
            self.counters.rows_in += rows;
            self.counters.batches_in += 1;
        } else {
            self.ports[0].waiting = back;
        }
        Ok(taken)
    }
}

/// What the driver hands to a turn, but for the inputs.
struct Doors<'a> {
    now_us: i64,
    outputs: &'a mut [Box<dyn Output>],
}

#[derive(Default)]
struct Port {
    waiting: Option<Batch>,
    /// The writer has finished; `finish` follows when `waiting` is taken.
    closing: bool,
    closed: bool,
}

impl Port {
    /// Which of the two ends it has seen, for snapshots.
    fn state(&self) -> u8 {
        u8::from(self.closing) | u8::from(self.closed) << 1
    }

    fn set_state(&mut self, state: u8) {
        (self.closing, self.closed) = (state & 1 != 0, state & 2 != 0);
    }
}

/// See the module's text.
pub struct Shard {
    nodes: Vec<Node>,
    /// Which inputs have ended.
    ended: Vec<bool>,
    pool: Pool,
    batch_rows: usize,
    /// How often an input is polled in one turn.
    polls: usize,
    memory_limit: usize,
    /// Bytes of state of all shards of the job, and how many of them are this one's.
    state_of_all: Arc<AtomicUsize>,
    state_counted: usize,
    turns: u64,
    /// The nodes that are sources, with the lanes of those that have one.
    sources: Vec<(usize, Option<Lane>)>,
    aligned: Vec<Aligned>,
    /// Some port waits, or some operator is in the middle of its output.
    stalled: bool,
    /// Inputs that are not polled for the time being.
    held: Vec<bool>,
    holds: bool,
    /// The earliest timer of an operator, µs.
    wake_at_us: i64,
    failed: Option<Error>,
}

/// A source that waits for the slowest of its group.
struct Aligned {
    source: usize,
    /// The node that makes its watermark.
    watermark: usize,
    group: String,
    drift_ms: i64,
}

/// How often sources ask whether anybody still wants their rows, in turns.
const ASK_EVERY: u64 = 16;
/// What an operator gives in a turn at most, in rows, where a batch counts as some more: about a millisecond. What it has beyond is for
/// later turns, so that a row which becomes a million does not keep the shard from its other work.
const GIVEN: usize = 32 * 1024;
/// What handling a batch costs besides its rows, in rows.
const BATCH_COST: usize = 16;
/// State is measured every so many turns: a walk over the operators, not worth doing each time.
const MEASURE_EVERY: u64 = 64;

impl Shard {
    /// A shard of these nodes. `batch_rows` is the most rows asked of an input at once; `memory_limit` (bytes) bounds the state
    /// of all operators together.
    pub fn new(specs: Vec<NodeSpec>, batch_rows: usize, memory_limit: usize) -> Self {
        let mut nodes: Vec<Node> = Vec::with_capacity(specs.len());
        let mut inputs = 0;
        for (n, spec) in specs.into_iter().enumerate() {
            for (port, &from) in spec.inputs.iter().enumerate() {
                assert!(from < n, "a node reads nodes before it");
                let node = &mut nodes[from];
                let readers = if spec.aside { &mut node.asides } else { &mut node.readers };
                readers.push((n, port));
            }
            if let Role::Source(own) = &spec.role {
                inputs = own.iter().fold(inputs, |most, i| most.max(i + 1));
            }
            nodes.push(Node {
                id: spec.id,
                name: spec.name,
                ports: spec.inputs.iter().map(|_| Port::default()).collect(),
                role: spec.role,
                readers: vec![],
                asides: vec![],
                targets: vec![],
                producing: false,
                given: 0,
                given_in: 0,
                timed: false,
                finished: false,
                watermark: None,
                counters: Counters::default(),
            });
        }
        for n in (0..nodes.len()).rev() {
            let readers = nodes[n].readers.iter().chain(&nodes[n].asides);
            let targets = readers.flat_map(|&(r, p)| match nodes[r].role {
                Role::Stage(_) => nodes[r].targets.clone(),
                _ => vec![(r, p)],
            });
            nodes[n].targets = targets.collect();
        }
        let sources = (0..nodes.len()).filter(|&n| matches!(nodes[n].role, Role::Source(_)));
        let sources = sources.map(|n| (n, Lane::of(&nodes, n))).collect();
        let mut shard = Self {
            nodes,
            ended: vec![false; inputs],
            pool: Pool::default(),
            batch_rows,
            polls: 1,
            memory_limit,
            state_of_all: Arc::default(),
            state_counted: 0,
            turns: 0,
            sources,
            aligned: vec![],
            stalled: false,
            held: vec![false; inputs],
            holds: false,
            wake_at_us: i64::MAX,
            failed: None,
        };
        shard.note_timers();
        shard
    }

    /// Lets an input give up to `rows` rows in one turn, in batches of the shard's size. Each is worked through before the next is
    /// asked for; they share the turn's time, and what a turn costs besides.
    #[must_use]
    pub fn turn_rows(mut self, rows: usize) -> Self {
        self.polls = (rows / self.batch_rows).max(1);
        self
    }

    /// Source `source` is not polled while its watermark, that of node `watermark`, is further than `drift_ms` before that of the slowest
    /// of its group. One that has given no watermark yet is the slowest.
    pub fn align(&mut self, source: usize, watermark: usize, group: &str, drift_ms: i64) {
        self.aligned.push(Aligned { source, watermark, group: group.to_owned(), drift_ms });
    }

    fn is_held(&self, source: usize) -> bool {
        let Some(own) = self.aligned.iter().find(|a| a.source == source) else { return false };
        let at = |a: &Aligned| self.nodes[a.watermark].watermark.unwrap_or(BEFORE_TIME);
        let slowest = self.aligned.iter().filter(|a| a.group == own.group).map(at).min();
        slowest.is_some_and(|w| at(own) > w.saturating_add(own.drift_ms))
    }

    /// One turn: every input is polled where there is room (once, but see [`Shard::turn_rows`]), and what comes is worked through to
    /// the outputs.
    ///
    /// # Errors
    /// An input, operator or output cannot go on, or the state has outgrown its limit. The rows before the error have
    /// reached the outputs. After an error the shard is not to be used any more.
    pub fn turn(
        &mut self,
        now_us: i64,
        inputs: &mut [Box<dyn Input>],
        outputs: &mut [Box<dyn Output>],
    ) -> Result<Turn> {
        self.turns += 1;
        let doors = &mut Doors { now_us, outputs };
        let mut worked = false;
        if self.stalled || self.failed.is_some() || now_us >= self.wake_at_us {
            worked = self.drive_all(doors);
        }
        // Whether anybody still wants rows is asked now and then: a walk over the graph. Not while inputs are held: an end would be behind
        // the barrier.
        let ask = !self.holds && self.turns.is_multiple_of(ASK_EVERY);
        for k in 0..self.sources.len() {
            if self.failed.is_some() {
                break;
            }
            let (n, lane) = self.sources[k];
            if !self.aligned.is_empty() && self.is_held(n) {
                continue;
            }
            worked |= match &self.nodes[n] {
                // The usual case: one input, which has not ended.
                Node { role: Role::Source(own), finished: false, .. } if !ask && !self.stalled => {
                    match own[..] {
                        [i] if !self.ended[i] => match lane {
                            Some(lane) if self.aligned.is_empty() => self.run_lane(lane, n, i, inputs, doors),
                            _ => self.take_turn(n, i, inputs, doors),
                        },
                        _ => self.poll(n, ask, inputs, doors),
                    }
                }
                _ => self.poll(n, ask, inputs, doors),
            };
        }
        if self.failed.is_some() {
            worked |= self.drive_all(doors);
            if self.is_quiet()
                && let Some(e) = self.failed.take()
            {
                for o in doors.outputs.iter_mut() {
                    o.flush()?;
                }
                return Err(e);
            }
            // What is before the error waits for room at another shard, which may wait for room here: nothing is read here any more.
            inputs.iter_mut().for_each(|i| i.stop());
        }
        if self.turns.is_multiple_of(MEASURE_EVERY) {
            self.check_memory()?;
        }
        if worked {
            return Ok(Turn::Worked);
        }
        if self.nodes.iter().all(|n| n.finished) {
            return Ok(Turn::Done);
        }
        Ok(Turn::Idle { wake_at_us: (self.wake_at_us < i64::MAX).then_some(self.wake_at_us) })
    }

    /// What an earlier turn could not finish, and what timers are due: nearest to the outputs first.
    fn drive_all(&mut self, doors: &mut Doors<'_>) -> bool {
        self.stalled = false;
        let mut worked = false;
        for n in (0..self.nodes.len()).rev() {
            worked |= self.drive(n, doors);
        }
        self.stalled |= self.holds || !self.is_quiet();
        let wakes = self.nodes.iter().filter_map(|n| n.operator()?.wake_at_us());
        self.wake_at_us = wakes.min().unwrap_or(i64::MAX);
        worked
    }

    /// Nothing waits at any port and no operator is in the middle of its output: state may be written.
    pub fn is_quiet(&self) -> bool {
        self.nodes.iter().all(|n| !n.producing && n.ports.iter().all(|p| p.waiting.is_none()))
    }

    /// Polls the inputs of source `n`.
    fn poll(&mut self, n: usize, ask: bool, inputs: &mut [Box<dyn Input>], doors: &mut Doors<'_>) -> bool {
        if self.nodes[n].finished {
            return false;
        }
        let mut worked = false;
        let stop = ask && self.nobody_wants(n, doors.outputs);
        let mut open = false;
        for k in 0.. {
            let Role::Source(own) = &self.nodes[n].role else { return false };
            let Some(&i) = own.get(k) else { break };
            if stop && !self.ended[i] {
                self.ended[i] = true;
                inputs[i].stop();
            }
            if self.ended[i] {
                continue;
            }
            open = true;
            if !self.held[i] && self.has_room(n) {
                worked |= self.take(n, i, inputs, doors);
            }
            if self.failed.is_some() {
                return true;
            }
        }
        // Not at a barrier, which may have been passed on already: what operators give at the end would be behind it and in the state.
        if !open && !self.holds && self.has_room(n) {
            worked = true;
            self.give(n, Batch::watermark(END_OF_TIME), doors);
            self.give_asides(n, Batch::watermark(END_OF_TIME), doors);
            self.finish_readers(n);
            self.drive_readers(n, doors);
            self.stalled = true;
        }
        worked
    }

    /// Polls input `i` of source `n`, whose readers have room, as often as a turn allows.
    #[inline]
    fn take_turn(
        &mut self,
        n: usize,
        i: usize,
        inputs: &mut [Box<dyn Input>],
        doors: &mut Doors<'_>,
    ) -> bool {
        for polled in 0..self.polls {
            if !self.take(n, i, inputs, doors) {
                return polled > 0;
            }
            let held = !self.aligned.is_empty() && self.is_held(n);
            if held || self.stalled || self.ended[i] || self.failed.is_some() {
                break;
            }
        }
        true
    }

    /// Polls input `i` of source `n`, whose readers have room.
    #[inline(always)]
    fn take(&mut self, n: usize, i: usize, inputs: &mut [Box<dyn Input>], doors: &mut Doors<'_>) -> bool {
        let mut cx = IoContext { pool: &mut self.pool, now_us: doors.now_us };
        match inputs[i].poll(self.batch_rows, &mut cx) {
            Ok(Polled::Batch(batch)) => {
                self.lay_aside(n, |_| inputs[i].take_bad(), doors);
                self.nodes[n].counters.rows_out += batch.selected() as u64;
                self.give(n, batch, doors);
            }
            Ok(Polled::Pending) => {
                return self.lay_aside(n, |_| inputs[i].take_bad(), doors);
            }
            Ok(Polled::End) => {
                self.lay_aside(n, |_| inputs[i].take_bad(), doors);
                self.ended[i] = true;
            }
            Err(e) => {
                self.lay_aside(n, |_| inputs[i].take_bad(), doors);
                self.failed.get_or_insert(e);
            }
        }
        true
    }

    /// Gives what node `n` has laid aside, if anything; its readers have room.
    #[inline]
    fn lay_aside(
        &mut self,
        n: usize,
        take: impl FnOnce(&mut Node) -> Option<Batch>,
        doors: &mut Doors<'_>,
    ) -> bool {
        if self.nodes[n].asides.is_empty() {
            return false;
        }
        let Some(batch) = take(&mut self.nodes[n]) else { return false };
        self.give_asides(n, batch, doors);
        true
    }

    /// Gives a batch to whoever reads what node `n` lays aside.
    fn give_asides(&mut self, n: usize, batch: Batch, doors: &mut Doors<'_>) {
        for k in 0..self.nodes[n].asides.len() {
            let (r, p) = self.nodes[n].asides[k];
            self.feed(r, p, batch.clone(), doors);
        }
    }

    /// Every reader has said that it will give nothing more.
    fn nobody_wants(&self, n: usize, outputs: &[Box<dyn Output>]) -> bool {
        let node = &self.nodes[n];
        !node.readers.is_empty()
            && node.readers.iter().all(|&(r, _)| match &self.nodes[r].role {
                Role::Operator(op) => op.is_done() || self.nobody_wants(r, outputs),
                Role::Stage(_) => self.nobody_wants(r, outputs),
                Role::Sink(output) => outputs[*output].is_done(),
                Role::Source(_) => false,
            })
    }

    fn has_room(&self, n: usize) -> bool {
        self.nodes[n].targets.iter().all(|&(r, p)| self.nodes[r].ports[p].waiting.is_none())
    }

    /// Gives a batch to all readers, whose ports have room, and lets them work on it.
    #[inline(always)]
    fn give(&mut self, n: usize, batch: Batch, doors: &mut Doors<'_>) {
        let node = &mut self.nodes[n];
        if let Some(w) = batch.watermarks.last() {
            node.watermark = Some(w);
        }
        match node.readers[..] {
            [(r, p)] => self.feed(r, p, batch, doors),
            _ => self.give_all(n, batch, doors),
        }
    }

    /// Gives a batch to any number of readers.
    #[inline(never)]
    fn give_all(&mut self, n: usize, batch: Batch, doors: &mut Doors<'_>) {
        let Some(last) = self.nodes[n].readers.len().checked_sub(1) else { return };
        for k in 0..last {
            let (r, p) = self.nodes[n].readers[k];
            self.feed(r, p, batch.clone(), doors);
        }
        let (r, p) = self.nodes[n].readers[last];
        self.feed(r, p, batch, doors);
    }

    /// Hands a batch to port `p` of node `n`, through the stages from there on: an idle operator gets it at once, a busy one finds
    /// it at its port. Inlined down to the output: what calls cost is what batches of one row would mostly pay for.
    #[inline(always)]
    fn feed(&mut self, mut n: usize, mut p: usize, mut batch: Batch, doors: &mut Doors<'_>) {
        let mut failed = None;
        loop {
            let node = &mut self.nodes[n];
            match node.role {
                Role::Stage(_) => {
                    if !node.pass(&mut batch, &mut self.pool, doors.now_us, &mut failed) {
                        self.pool.recycle(batch);
                        break;
                    }
                }
                Role::Sink(output) => {
                    self.offer(n, output, batch, doors);
                    break;
                }
                _ => match self.arrive(n, p, batch, doors) {
                    Some(answer) => batch = answer,
                    None => break,
                },
            }
            match self.nodes[n].readers[..] {
                [only] => (n, p) = only,
                _ => {
                    self.give_all(n, batch, doors);
                    break;
                }
            }
        }
        if failed.is_some() {
            self.failed = self.failed.take().or(failed);
        }
    }

    /// A batch comes to port `p` of an operator. What it answers at once is to go on; else it has been pulled.
    fn arrive(&mut self, n: usize, p: usize, batch: Batch, doors: &mut Doors<'_>) -> Option<Batch> {
        let has_room = self.has_room(n);
        let Self { nodes, pool, failed, wake_at_us, .. } = self;
        let node = &mut nodes[n];
        if node.producing || failed.is_some() {
            node.ports[p].waiting = Some(batch);
            self.stalled = true;
            self.drive(n, doors);
            return None;
        }
        match node.answer(p, batch, has_room, pool, doors.now_us, wake_at_us) {
            Ok(Some(answer)) if answer.is_empty() => pool.recycle(answer),
            Ok(Some(answer)) => return Some(answer),
            Ok(None) => self.pull(n, doors),
            Err(e) => self.fail(n, e),
        }
        None
    }

    /// Pulls operator `n` until it has nothing more, a reader has no room, or it has given its share of the turn.
    fn pull(&mut self, n: usize, doors: &mut Doors<'_>) {
        loop {
            if !self.has_room(n) {
                self.drive_readers(n, doors);
                if !self.has_room(n) {
                    self.stalled = true;
                    return;
                }
            }
            let node = &mut self.nodes[n];
            let Role::Operator(op) = &mut node.role else { unreachable!("only operators are pulled") };
            match op.pull(&mut Context { pool: &mut self.pool, now_us: doors.now_us }) {
                Ok(Some(batch)) => {
                    let cost = batch.selected() + BATCH_COST;
                    node.given = if node.given_in == self.turns { node.given + cost } else { cost };
                    node.given_in = self.turns;
                    self.give(n, batch, doors);
                    if self.nodes[n].given > GIVEN {
                        self.stalled = true;
                        return;
                    }
                }
                Ok(None) => {
                    if !node.asides.is_empty() {
                        let take = |node: &mut Node| match &mut node.role {
                            Role::Operator(op) => op.take_late(),
                            _ => None,
                        };
                        self.lay_aside(n, take, doors);
                    }
                    let node = &mut self.nodes[n];
                    let Role::Operator(op) = &mut node.role else {
                        unreachable!("only operators are pulled")
                    };
                    node.producing = false;
                    if node.timed
                        && let Some(t) = op.wake_at_us()
                    {
                        self.wake_at_us = self.wake_at_us.min(t);
                    }
                    return;
                }
                Err(e) => {
                    self.fail(n, e);
                    return;
                }
            }
        }
    }

    fn note_timers(&mut self) {
        for n in &mut self.nodes {
            n.timed = matches!(&n.role, Role::Operator(op) if op.has_timers());
        }
    }

    fn finish_readers(&mut self, n: usize) {
        self.nodes[n].finished = true;
        let own = self.nodes[n].readers.len();
        for k in 0..own + self.nodes[n].asides.len() {
            let node = &self.nodes[n];
            let (r, p) = if k < own { node.readers[k] } else { node.asides[k - own] };
            match self.nodes[r].role {
                Role::Stage(_) => self.finish_readers(r),
                _ => self.nodes[r].ports[p].closing = true,
            }
        }
    }

    fn drive_readers(&mut self, n: usize, doors: &mut Doors<'_>) {
        for k in 0..self.nodes[n].targets.len() {
            let r = self.nodes[n].targets[k].0;
            self.drive(r, doors);
        }
    }

    /// Works on node `n` until it has nothing waiting or a reader has no room. Recursion is as deep as the plan.
    fn drive(&mut self, n: usize, doors: &mut Doors<'_>) -> bool {
        match self.nodes[n].role {
            Role::Source(_) | Role::Stage(_) => false,
            Role::Sink(output) => self.drive_sink(n, output, doors),
            Role::Operator(_) => self.drive_operator(n, doors),
        }
    }

    /// Offers a batch to an output; what it does not take waits at the sink's port.
    #[inline(always)]
    fn offer(&mut self, n: usize, output: usize, batch: Batch, doors: &mut Doors<'_>) -> bool {
        let cx = &mut IoContext { pool: &mut self.pool, now_us: doors.now_us };
        match self.nodes[n].offer(batch, &mut *doors.outputs[output], cx) {
            Ok(taken) => {
                self.stalled |= !taken;
                taken
            }
            Err(e) => {
                self.failed.get_or_insert(e);
                true
            }
        }
    }

    fn drive_sink(&mut self, n: usize, output: usize, doors: &mut Doors<'_>) -> bool {
        let mut worked = match self.nodes[n].ports[0].waiting.take() {
            Some(batch) => self.offer(n, output, batch, doors),
            None => false,
        };
        let port = &mut self.nodes[n].ports[0];
        if port.closing && port.waiting.is_none() && !port.closed && self.failed.is_none() {
            port.closed = true;
            self.nodes[n].finished = true;
            if let Err(e) = doors.outputs[output].finish() {
                self.failed.get_or_insert(e);
            }
            worked = true;
        }
        worked
    }

    fn drive_operator(&mut self, n: usize, doors: &mut Doors<'_>) -> bool {
        let mut worked = false;
        loop {
            let Node { role: Role::Operator(op), ports, producing, timed, .. } = &mut self.nodes[n] else {
                unreachable!("drive_operator is called for operators")
            };
            if !*producing && *timed && !self.holds && op.wake_at_us().is_some_and(|t| t <= doors.now_us) {
                *producing = true;
            }
            if *producing {
                worked = true;
                self.pull(n, doors);
                if self.nodes[n].producing {
                    return worked;
                }
                continue;
            }
            let mut cx = Context { pool: &mut self.pool, now_us: doors.now_us };
            let result = if let Some(p) = ports.iter().position(|p| p.waiting.is_some()) {
                let batch = ports[p].waiting.take().expect("position found it");
                op.push(p, batch, &mut cx)
            } else if self.failed.is_some() {
                return worked;
            } else if let Some(p) = ports.iter().position(|p| p.closing && !p.closed) {
                ports[p].closed = true;
                op.finish(p, &mut cx)
            } else if !self.nodes[n].finished && self.nodes[n].ports.iter().all(|p| p.closed) {
                if !self.nodes[n].asides.is_empty() {
                    if !self.has_room(n) {
                        self.drive_readers(n, doors);
                    }
                    if !self.has_room(n) {
                        self.stalled = true;
                        return worked;
                    }
                    self.give_asides(n, Batch::watermark(END_OF_TIME), doors);
                }
                self.finish_readers(n);
                self.drive_readers(n, doors);
                return true;
            } else {
                return worked;
            };
            worked = true;
            match result {
                Ok(()) => self.nodes[n].producing = true,
                Err(e) => {
                    self.fail(n, e);
                    return true;
                }
            }
        }
    }

    /// Notes the first error and drops what waits at the failed node: it is behind the failing row.
    fn fail(&mut self, n: usize, e: Error) {
        let node = &mut self.nodes[n];
        node.ports.iter_mut().for_each(|p| p.waiting = None);
        node.producing = false;
        self.failed.get_or_insert_with(|| e.during(&node.name));
    }

    /// The memory limit is that of several shards together, whose state is added up in `total`.
    pub fn share_memory(&mut self, total: Arc<AtomicUsize>) {
        self.state_of_all = total;
    }

    fn check_memory(&mut self) -> Result<()> {
        let mut held: Vec<(usize, &str)> =
            self.nodes.iter().filter_map(|n| Some((n.operator()?.bytes(), n.name.as_str()))).collect();
        let own: usize = held.iter().map(|h| h.0).sum();
        // Wraps around where it shrinks, and back.
        let change = own.wrapping_sub(self.state_counted);
        let sum = self.state_of_all.fetch_add(change, Ordering::Relaxed).wrapping_add(change);
        self.state_counted = own;
        if sum <= self.memory_limit {
            return Ok(());
        }
        held.sort_by_key(|h| std::cmp::Reverse(h.0));
        let largest: Vec<String> =
            held.iter().take(3).map(|(b, name)| format!("{name}: {:.1} MB", *b as f64 / 1e6)).collect();
        Err(Error::new(
            ErrorKind::Runtime,
            format!(
                "the state of this job has grown to {:.1} MB, over its limit of {:.1} MB; the largest operators: {}",
                sum as f64 / 1e6,
                self.memory_limit as f64 / 1e6,
                largest.join(", ")
            ),
        )
        .hint("bound the state (a window, 'table.exec.state.ttl'), or raise 'pelton.memory-limit'"))
    }

    /// Counters of all nodes, in plan order.
    pub fn stats(&self) -> Vec<NodeStats> {
        let named = self.counts().zip(&self.nodes);
        named
            .map(|(counts, n)| NodeStats {
                id: n.id.clone(),
                name: n.name.clone(),
                counters: counts.counters,
                state_bytes: counts.state_bytes,
                state_rows: counts.state_rows,
                watermark: counts.watermark,
            })
            .collect()
    }

    /// The same without names.
    pub fn counts(&self) -> impl Iterator<Item = NodeCounts> {
        self.nodes.iter().map(|n| {
            let (counters, state_bytes, state_rows) = match &n.role {
                Role::Operator(op) => (op.counters(), op.bytes(), op.state_rows()),
                Role::Stage(stage) => (stage.counters(), 0, 0),
                _ => (n.counters, 0, 0),
            };
            NodeCounts { counters, state_bytes, state_rows, watermark: n.watermark }
        })
    }
}

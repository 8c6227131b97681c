//! A snapshot of a job on several shards while it runs.
//!
//! Every shard is asked ([`Part::ask`]); its own sources then stand still. What they gave before travels on, and behind it, in the same rings, a
//! barrier. An exchange passes the barrier on when all that feeds it has come to it and nothing waits in between; a shard writes its state
//! down when all its inputs have. State, positions and rings then agree: what was sent before the barrier is in the state of whoever
//! received it, what was not will be read again.
//!
//! A shard other than the first goes on at once. The first stands still until all have told, so that the rows it has given out are
//! exactly those of before.
//!
//! What a barrier meets in a shard that has ended, failed or panicked, in a full ring and after a restart is drawn up in
//! `docs/decisions/0041-barriers.md`.

use super::part::Part;
use crate::batch::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::host::sync::Bell;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a shard needs for it.
pub(super) struct Crossing {
    /// Snapshots that were asked for, and those that were begun here.
    asked: Arc<AtomicU64>,
    begun: u64,
    /// Being crossed: which outboxes have passed the barrier on.
    passed: Option<Vec<bool>>,
    /// Its state is written down; it stands still until it is released.
    waits: bool,
    /// Inputs that feed each output.
    feeds: Vec<Vec<usize>>,
    /// Its state, or that there will be none.
    told: Producer<Option<Vec<u8>>>,
    /// The shard has failed: its state is of no use.
    failed: bool,
    /// Who asks.
    asker: Arc<Bell>,
}

/// The other end: who asks, and gets the bytes.
pub(super) struct Asking {
    asked: Arc<AtomicU64>,
    heard: Consumer<Option<Vec<u8>>>,
    told: Told,
}

/// What a shard that was asked has said.
#[derive(Default)]
pub(super) enum Told {
    #[default]
    Nothing,
    State(Vec<u8>),
    Never,
}

/// Both ends for one shard.
pub(super) fn crossing(feeds: Vec<Vec<usize>>, asker: Arc<Bell>) -> (Crossing, Asking) {
    let asked = Arc::new(AtomicU64::new(0));
    let (told, heard) = RingBuffer::new(1);
    let crossing = Crossing {
        asked: asked.clone(),
        begun: 0,
        passed: None,
        waits: false,
        feeds,
        told,
        failed: false,
        asker,
    };
    (crossing, Asking { asked, heard, told: Told::Nothing })
}

impl Asking {
    /// Asks for the next snapshot; the shard's thread may have to be woken.
    pub(super) fn ask(&mut self) {
        self.told = Told::Nothing;
        self.asked.fetch_add(1, Ordering::Release);
    }

    /// Listens. What was said before the shard went is heard.
    pub(super) fn listen(&mut self) {
        if matches!(self.told, Told::Nothing) {
            let gone = self.heard.is_abandoned();
            self.told = match self.heard.pop() {
                Ok(Some(state)) => Told::State(state),
                Ok(None) => Told::Never,
                Err(_) if gone => Told::Never,
                Err(_) => Told::Nothing,
            };
        }
    }

    /// What it has said since it was asked.
    pub(super) fn told(&self) -> &Told {
        &self.told
    }

    /// It has said something that nobody has listened to.
    pub(super) fn has_news(&self) -> bool {
        !self.heard.is_empty()
    }
}

impl Crossing {
    /// A snapshot was asked for that has not begun.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire) != self.begun
    }

    fn tell(&mut self, state: Option<Vec<u8>>) {
        // Nobody asks again before the last answer was heard.
        drop(self.told.push(state));
        self.asker.ring();
    }

    /// The shard has failed.
    pub(super) fn fail(&mut self) {
        self.failed = true;
        if self.passed.take().is_some() {
            self.tell(None);
        }
    }
}

impl Part {
    /// Called after every turn: begins a snapshot that was asked for, or goes on with it. True: the shard was released, and may have work.
    #[inline]
    pub(super) fn cross(&mut self) -> bool {
        if self.crossing.passed.is_none() {
            if self.crossing.waits || !self.crossing.is_asked() {
                return false;
            }
            self.crossing.begun = self.crossing.asked.load(Ordering::Acquire);
            if self.crossing.failed {
                self.crossing.tell(None);
                return false;
            }
            self.crossing.passed = Some(vec![false; self.outboxes.len()]);
            let outer: Vec<usize> = (0..self.inputs.len()).filter(|i| !self.inboxes.contains(i)).collect();
            self.shard_mut().hold(outer);
        }
        self.go_on()
    }

    #[cold]
    fn go_on(&mut self) -> bool {
        if !self.shard().is_quiet() {
            return false;
        }
        let stands: Vec<bool> = (0..self.inputs.len())
            .map(|i| !self.inboxes.contains(&i) || self.inputs[i].is_at_barrier())
            .collect();
        let Some(passed) = &mut self.crossing.passed else { return false };
        for (k, &o) in self.outboxes.iter().enumerate() {
            if !passed[k] && self.crossing.feeds[o].iter().all(|&i| stands[i]) {
                self.outputs[o].put_barrier();
                passed[k] = true;
            }
        }
        if !stands.iter().all(|s| *s) {
            return false;
        }
        let Ok(state) = self.snapshot() else { return false };
        self.crossing.tell(Some(state));
        self.crossing.passed = None;
        self.crossing.waits = true;
        if !self.stays {
            self.release();
        }
        !self.stays
    }

    /// Goes on behind the barrier as soon as its own state is written down: the snapshot comes to nothing, because a shard has failed.
    pub(super) fn stay_no_longer(&mut self) {
        self.stays = false;
        if self.crossing.waits {
            self.release();
        }
    }

    /// Goes on behind the barrier.
    pub(super) fn release(&mut self) {
        self.crossing.waits = false;
        self.shard_mut().release();
        let inboxes = self.inboxes.clone();
        inboxes.into_iter().for_each(|i| self.inputs[i].pass_barrier());
    }

    /// Positions of the inputs and state of the operators. Nothing may be in the middle of its output.
    ///
    /// # Errors
    /// Retryable: something is.
    pub(super) fn snapshot(&self) -> Result<Vec<u8>> {
        let mut all = Encoder::default();
        all.block(b"PART", 1);
        all.bytes(&self.shard().snapshot()?);
        all.len(self.inputs.len());
        for input in &self.inputs {
            let mut own = Encoder::default();
            input.snapshot(&mut own);
            all.bytes(&own.finish());
        }
        Ok(all.finish())
    }

    /// Goes on from what [`Part::snapshot`] wrote, before the first turn.
    ///
    /// # Errors
    /// The bytes are damaged or belong to another plan.
    pub(super) fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        let mut all = Decoder::new(bytes);
        all.block(b"PART", 1)?;
        let state = all.bytes()?;
        self.shard_mut().restore(state)?;
        if all.len(8)? != self.inputs.len() {
            return Err(Error::corrupt("the snapshot has another number of inputs"));
        }
        for input in &mut self.inputs {
            let mut own = Decoder::new(all.bytes()?);
            input.restore(&mut own)?;
            own.end()?;
        }
        all.end()?;
        // What had ended is not read again, and its senders have to hear of it: they would wait for room.
        let ended: Vec<usize> = self.shard().ended_inputs().filter(|i| self.inboxes.contains(i)).collect();
        ended.into_iter().for_each(|i| self.inputs[i].stop());
        // Readers on other shards have to hear of the end again: their ends of the rings are new.
        let finished: Vec<usize> = self.shard().finished_outputs().collect();
        for o in finished.into_iter().filter(|o| self.outboxes.contains(o)) {
            self.outputs[o].finish()?;
        }
        Ok(())
    }
}

//! A shard at a standstill: what is held for a barrier, what feeds what, and the bytes of its state.

use super::{Port, Role, Shard};
use crate::batch::{Decoder, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::operators::Built;

impl Shard {
    /// Leaves these inputs alone until [`Shard::release`], and lets no timer fire.
    pub fn hold(&mut self, inputs: impl IntoIterator<Item = usize>) {
        for i in inputs {
            // An input that no node reads is not polled anyway.
            if let Some(held) = self.held.get_mut(i) {
                *held = true;
            }
        }
        (self.holds, self.stalled) = (true, true);
    }

    /// Polls all inputs again.
    pub fn release(&mut self) {
        self.held.fill(false);
        self.holds = false;
    }

    /// The inputs whose rows reach each output of `outputs`.
    pub fn feeds(&self, outputs: usize) -> Vec<Vec<usize>> {
        let mut of_nodes: Vec<Vec<usize>> = vec![vec![]; self.nodes.len()];
        let mut of_outputs = vec![vec![]; outputs];
        for (n, node) in self.nodes.iter().enumerate() {
            match &node.role {
                Role::Source(own) => of_nodes[n].extend(own),
                Role::Sink(output) => of_outputs[*output] = of_nodes[n].clone(),
                Role::Stage(_) | Role::Operator(_) => {}
            }
            let own = of_nodes[n].clone();
            for &(r, _) in node.readers.iter().chain(&node.asides) {
                of_nodes[r].extend(&own);
            }
        }
        of_outputs
    }

    /// The inputs that the next turn will poll, as things stand.
    pub fn open_inputs(&self) -> impl Iterator<Item = usize> {
        let free = |n: &usize| !self.nodes[*n].finished && !self.is_held(*n) && self.has_room(*n);
        let sources = self.sources.iter().map(|s| s.0).filter(free);
        let inputs = sources.flat_map(|n| match &self.nodes[n].role {
            Role::Source(own) => own.as_slice(),
            _ => &[],
        });
        inputs.copied().filter(|&i| !self.ended[i] && !self.held[i])
    }

    /// The inputs that give nothing more.
    pub fn ended_inputs(&self) -> impl Iterator<Item = usize> {
        (0..self.ended.len()).filter(|&i| self.ended[i])
    }

    /// The outputs that have been told that nothing more comes.
    pub fn finished_outputs(&self) -> impl Iterator<Item = usize> {
        self.nodes.iter().filter(|n| n.finished).filter_map(|n| match n.role {
            Role::Sink(output) => Some(output),
            _ => None,
        })
    }

    /// Writes what has ended and the state of every operator, by its stable name. The shard must be [quiet](Shard::is_quiet).
    ///
    /// # Errors
    /// It is not quiet.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        if !self.is_quiet() {
            return Err(Error::new(ErrorKind::Retryable, "the shard is in the middle of its output"));
        }
        let mut all = Encoder::default();
        all.block(b"SHRD", 2);
        all.len(self.nodes.iter().filter(|n| n.has_state()).count());
        for node in self.nodes.iter().filter(|n| n.has_state()) {
            let mut own = Encoder::default();
            match &node.role {
                Role::Operator(op) => op.snapshot(&mut own),
                Role::Stage(stage) => stage.snapshot(&mut own),
                Role::Source(_) | Role::Sink(_) => {}
            }
            all.bytes(node.id.as_bytes());
            all.bytes(&own.finish());
        }
        all.slice(&self.ends());
        Ok(all.finish())
    }

    /// Reads what [`Shard::snapshot`] wrote into the operators of a new shard of the same plan.
    ///
    /// # Errors
    /// The bytes are damaged, or belong to another plan: an operator's state is missing or left over.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        let mut all = Decoder::new(bytes);
        all.block(b"SHRD", 2)?;
        let count = all.len(16)?;
        let mut found = hashbrown::HashMap::new();
        for _ in 0..count {
            let id = String::from_utf8_lossy(all.bytes()?).into_owned();
            found.insert(id, all.bytes()?);
        }
        let ends: Vec<u8> = all.slice()?;
        all.end()?;
        for node in self.nodes.iter_mut().filter(|n| n.has_state()) {
            let state = found.remove(&node.id).ok_or_else(|| {
                Error::corrupt(format!("no state for operator '{}' in the snapshot", node.id))
            })?;
            let mut d = Decoder::new(state);
            match &mut node.role {
                Role::Operator(op) => op.restore(&mut d)?,
                Role::Stage(stage) => stage.restore(&mut d)?,
                Role::Source(_) | Role::Sink(_) => {}
            }
            d.end()?;
        }
        if let Some(id) = found.keys().next() {
            return Err(Error::corrupt(format!("state for operator '{id}', which this plan does not have")));
        }
        if ends.len() != self.ends().len() {
            return Err(Error::corrupt("the snapshot is of a plan with other sources and sinks"));
        }
        self.set_ends(&ends);
        Ok(())
    }

    /// What has ended, a byte each: the inputs, then each node and its ports.
    fn ends(&self) -> Vec<u8> {
        let nodes = self.nodes.iter().flat_map(|n| {
            [u8::from(n.finished)].into_iter().chain(n.ports.iter().map(Port::state)).collect::<Vec<_>>()
        });
        self.ended.iter().map(|e| u8::from(*e)).chain(nodes).collect()
    }

    /// The reverse of [`Shard::ends`].
    fn set_ends(&mut self, ends: &[u8]) {
        let mut ends = ends.iter().copied();
        let mut next = || ends.next().unwrap_or_default();
        self.ended.iter_mut().for_each(|e| *e = next() != 0);
        for node in &mut self.nodes {
            node.finished = next() != 0;
            node.ports.iter_mut().for_each(|p| p.set_state(next()));
        }
        // What ends have not been passed on, and timers, are looked for in the next turn.
        self.stalled = true;
    }

    /// Replaces every operator by a new one from `build` (by stable name) that has read the state of the old one from its bytes.
    /// The shard must be [quiet](Shard::is_quiet). What has ended stays ended.
    ///
    /// # Errors
    /// It is not quiet, or an operator refuses its own bytes.
    pub fn cycle(&mut self, mut build: impl FnMut(usize) -> Result<Built>) -> Result<()> {
        let bytes = self.snapshot()?;
        for (n, node) in self.nodes.iter_mut().enumerate().filter(|(_, node)| node.has_state()) {
            node.role = build(n)?.into();
        }
        self.note_timers();
        self.restore(&bytes)
    }
}

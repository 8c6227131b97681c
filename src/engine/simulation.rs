//! Shards in one thread, turned in an order that follows from a seed, with rings of few places, inputs that have nothing for a while, and
//! outputs that refuse for a while. What comes out must be what one shard gives, whatever the seed.

use super::part::Part;
use crate::batch::{Batch, Decoder, Encoder};
use crate::error::{Error, Result};
use crate::shard::{Input, InputCounters, IoContext, Output, Polled};

/// See the module's text.
pub(super) struct Simulation {
    dice: Dice,
}

/// Numbers that follow from a seed (xorshift).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        // Neighbouring seeds are to give unlike numbers, and none may be 0.
        Self((seed.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

/// Says no for some calls in a row.
struct Mood {
    dice: Dice,
    /// One time in so many, a stretch of refusals begins.
    seldom: u64,
    left: u64,
}

impl Mood {
    fn refuses(&mut self) -> bool {
        if self.left == 0 && self.dice.below(self.seldom) == 0 {
            self.left = 1 + self.dice.below(20);
        }
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}

impl Simulation {
    pub(super) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed) }
    }

    /// How many messages fit into each ring.
    pub(super) fn ring(&mut self) -> usize {
        1 + self.dice.below(4) as usize
    }

    /// The shard that is turned next.
    pub(super) fn choose(&mut self, shards: usize) -> usize {
        self.dice.below(shards as u64) as usize
    }

    fn mood(&mut self) -> Mood {
        let (seed, seldom) = (self.dice.below(u64::MAX), 2 + self.dice.below(30));
        Mood { dice: Dice::new(seed), seldom, left: 0 }
    }

    /// Puts hindrances in front of everything that the parts read and write.
    pub(super) fn hinder(&mut self, parts: &mut [Part]) {
        for part in parts {
            for input in std::mem::take(&mut part.inputs) {
                part.inputs.push(Box::new(Late { input, mood: self.mood() }));
            }
            for output in std::mem::take(&mut part.outputs) {
                part.outputs.push(Box::new(Stalling { output, mood: self.mood() }));
            }
        }
    }
}

/// An input that has nothing for a while.
struct Late {
    input: Box<dyn Input>,
    mood: Mood,
}

impl Input for Late {
    fn poll(&mut self, max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled> {
        if self.mood.refuses() {
            return Ok(Polled::Pending);
        }
        self.input.poll(max_rows, cx)
    }

    fn snapshot(&self, to: &mut Encoder) {
        self.input.snapshot(to);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        self.input.restore(from)
    }

    fn counters(&self) -> InputCounters {
        self.input.counters()
    }

    fn keep_bad(&mut self) {
        self.input.keep_bad();
    }

    fn take_bad(&mut self) -> Option<Batch> {
        self.input.take_bad()
    }

    fn waiting(&self) -> usize {
        self.input.waiting()
    }

    fn is_ready(&self) -> bool {
        self.input.is_ready()
    }

    fn stop(&mut self) {
        self.input.stop();
    }

    fn is_at_barrier(&self) -> bool {
        self.input.is_at_barrier()
    }

    fn pass_barrier(&mut self) {
        self.input.pass_barrier();
    }
}

/// An output that takes nothing, or sends nothing on, for a while.
struct Stalling {
    output: Box<dyn Output>,
    mood: Mood,
}

impl Output for Stalling {
    fn offer(&mut self, batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        if self.mood.refuses() {
            return Ok(Some(batch));
        }
        self.output.offer(batch, cx)
    }

    fn flush(&mut self) -> Result<()> {
        self.output.flush()
    }

    fn finish(&mut self) -> Result<()> {
        self.output.finish()
    }

    fn rows(&self) -> u64 {
        self.output.rows()
    }

    fn dropped(&self) -> u64 {
        self.output.dropped()
    }

    fn publish(&mut self) -> bool {
        !self.mood.refuses() && self.output.publish()
    }

    fn put_barrier(&mut self) {
        self.output.put_barrier();
    }

    fn fail(&mut self, error: &Error) {
        self.output.fail(error);
    }

    fn is_done(&self) -> bool {
        self.output.is_done()
    }
}

//! Union: all rows of all inputs (UNION ALL), in the order in which they come. The watermark is the smallest of the inputs'.

use super::ready::Ready;
use super::{Context, Counters, Operator};
use crate::batch::{BEFORE_TIME, Batch, Decoder, END_OF_TIME, Encoder};
use crate::error::{Error, Result};

/// See the module's text.
pub struct Union {
    /// Of each input.
    watermarks: Vec<i64>,
    ready: Ready,
    counters: Counters,
}

impl Union {
    /// A union of that many inputs.
    pub fn new(inputs: usize) -> Self {
        Self { watermarks: vec![BEFORE_TIME; inputs], ready: Ready::default(), counters: Counters::default() }
    }
}

/// The smallest watermark of several inputs, of which one has moved.
pub(crate) fn smallest(watermarks: &[i64]) -> i64 {
    watermarks.iter().copied().min().unwrap_or(END_OF_TIME)
}

impl Operator for Union {
    fn push(&mut self, port: usize, mut batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        if !batch.watermarks.is_empty() {
            let before = smallest(&self.watermarks);
            let mut marks = cx.pool.watermarks();
            for &(after, w) in batch.watermarks.runs() {
                self.watermarks[port] = w.max(self.watermarks[port]);
                let all = smallest(&self.watermarks);
                if all > before {
                    marks.advance(after as usize, all);
                }
            }
            cx.pool.recycle_watermarks(std::mem::replace(&mut batch.watermarks, marks));
        }
        self.ready.push(batch, cx.pool);
        Ok(())
    }

    fn pull(&mut self, _cx: &mut Context<'_>) -> Result<Option<Batch>> {
        self.ready.pull(&mut self.counters)
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"UNIO", 1);
        to.slice(&self.watermarks);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"UNIO", 1)?;
        let read: Vec<i64> = from.slice()?;
        if read.len() != self.watermarks.len() {
            return Err(Error::corrupt("the state of a union has another number of inputs"));
        }
        self.watermarks = read;
        Ok(())
    }

    fn bytes(&self) -> usize {
        0
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use crate::operators::testing::{check, input, node};
    use crate::plan::{Changelog, Op};

    #[test]
    fn rows_pass_in_order_under_the_smaller_watermark() {
        let from = input("id INT", Changelog::ALL);
        let op = node(Op::Union, "id INT", Changelog::ALL);
        check(
            &op,
            &[&from, &from],
            "1
             ~ 10
             -D 2
             R 3
             R ~ 5
             R 4
             R ~ 20
             5
             ~ 15
             6",
            "+I 1
             -D 2
             +I 3
             ~ 5
             +I 4
             ~ 10
             +I 5
             ~ 15
             +I 6
             ~ end",
        );
    }
}

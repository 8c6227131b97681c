//! The byte form: the rows of each key, the starts of its frames, and the shape of its tree where it has one. Everything else follows from them, but for sums of DOUBLE, whose last digits depend on
//! what has left.

use super::*;
use crate::batch::{Decoder, Encoder};
use crate::error::{Error, Result};

impl Fused {
    /// Writes the keys of `slots`, which are all there are.
    pub(in super::super) fn encode(&self, slots: &[u32], to: &mut Encoder) {
        to.block(b"FUSE", 1);
        for &slot in slots {
            let record = self.records.get(slot);
            let mut words = vec![];
            self.each_row(slot, |row| words.extend_from_slice(row));
            to.slice(&words);
            let starts = &record[STARTS..STARTS + self.frames.len()];
            to.slice(&starts.iter().map(|s| s - record[FIRST]).collect::<Vec<u64>>());
            to.slice(&self.sums().map(|cell| record[cell]).collect::<Vec<u64>>());
            self.trees.encode(record, to);
        }
    }

    fn sums(&self) -> impl Iterator<Item = usize> + '_ {
        self.calls.iter().filter(|c| matches!(c.work, Work::Sum { .. })).map(|c| c.cell)
    }

    /// Reads what [`Fused::encode`] wrote, into keys `0..slots`.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub(in super::super) fn decode(&mut self, slots: usize, from: &mut Decoder<'_>) -> Result<()> {
        let damaged = || Error::corrupt("the rows of a frame do not fit their number");
        from.block(b"FUSE", 1)?;
        self.grow(slots);
        let layout = self.layout();
        for slot in 0..slots as u32 {
            let (words, starts, sums): (Vec<u64>, Vec<u64>, Vec<u64>) =
                (from.slice()?, from.slice()?, from.slice()?);
            let cells: Vec<usize> = self.sums().collect();
            let rows = (words.len() / self.width) as u64;
            let sorted = words.chunks(self.width).map(|w| w[0] as i64).is_sorted();
            if words.len() % self.width != 0
                || !sorted
                || starts.len() != self.frames.len()
                || starts.iter().any(|&s| s > rows)
                || sums.len() != cells.len()
            {
                return Err(damaged());
            }
            let treed = from.bool()?;
            if treed {
                self.regrow(slot, &words, from)?;
            }
            let Self { records, blocks, frames, calls, ends, bests, distincts, hasher, .. } = &mut *self;
            let record = records.get_mut(slot);
            for words in words.chunks(layout.width).filter(|_| !treed) {
                if record[BLOCK] == NONE || record[END] == 1 << record[CLASS] {
                    layout.widen(blocks, record);
                }
                layout.row_mut(blocks, record, record[END]).copy_from_slice(words);
                record[END] += 1;
            }
            for (f, &start) in starts.iter().enumerate().take(frames.len()) {
                record[STARTS + f] = start;
                let own = of_frame(calls, ends, f);
                for words in words.chunks(layout.width).skip(start as usize) {
                    join(own, record, layout, words);
                    for call in own {
                        if let Work::Distinct { nth, lane } = call.work {
                            distincts[nth].join(lane, call.cell, layout, words, record, blocks, hasher);
                        }
                    }
                }
            }
            for b in bests.iter().filter(|_| !treed) {
                b.fill(record, blocks, layout, 0..rows);
            }
            for (cell, sum) in cells.into_iter().zip(sums) {
                record[cell] = sum;
            }
        }
        Ok(())
    }
}

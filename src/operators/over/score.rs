//! The frames of an OVER for a caller that wants each row's aggregates at once: no watermark, no waiting. A scorer stands on it.
//!
//! A row is answered from the rows of its key with times up to its own, itself included. Rows that come in order cost what they cost in
//! the operator. **A row before its key's last one** is put in its place: where the key has few rows, by looking at all of them; where it has many, they
//! stand in a tree from the first such row on, which finds the place by the logarithm of the rows behind it and the answer by that of all. A key is
//! forgotten once no frame can reach its rows. Frames without a first row hold no rows: their answer contains all rows so far.

use super::super::aggregates::with_columns;
use super::frames::Frames;
use super::fused::Fused;
use crate::batch::{Batch, ColumnRef, DataType, Decoder, Encoder, Pool};
use crate::error::{Error, Result};
use crate::plan::{self, Frame};
use crate::state::KeyTable;
use crate::state::blocks::{expect_value, touch};
use std::collections::VecDeque;

/// Keys that are looked at in one call.
const LOOKS: usize = 2;
/// Rows that one call takes out of the frames of a key that is forgotten.
const DRAINED: usize = 16;
/// With so many rows a key gets a tree for them at its first one out of order, and gives it back with a quarter of them left: where looking at all
/// of them begins to cost more (docs/decisions/0017-frames-in-slices-and-disorder.md).
const LEAST: u64 = 512;

/// The frames, in the form that holds them best.
enum Held {
    Fused(Box<Fused>),
    Any(Box<Frames>),
}

/// See the module's text.
pub struct OverScorer {
    partition: Vec<usize>,
    table: KeyTable,
    /// The time of each key's last row, ms.
    last: Vec<i64>,
    frames: Held,
    /// The key of the row that comes next, where it has been found.
    met: Option<u32>,
    /// The longest frame, ms, where all are of some time back: then keys are forgotten.
    reach: Option<i64>,
    /// When to look whether a key can be forgotten: ascending, each key once.
    looks: VecDeque<(i64, u32)>,
    /// The greatest watermark that was said.
    watermark: i64,
}

impl OverScorer {
    /// The frames of `over` on rows like those of `input`. `fused`: COUNT, SUM, MIN and MAX are the built-in ones.
    pub fn new(over: &plan::Over, input: &plan::Node, fused: bool) -> Self {
        Self::with_trees(over, input, fused, LEAST)
    }

    /// As [`OverScorer::new`]: keys have trees from `least` rows on.
    pub fn with_trees(over: &plan::Over, input: &plan::Node, fused: bool, least: u64) -> Self {
        let key = |&c: &usize| -> DataType { input.schema.ty(c).clone() };
        Self {
            partition: over.partition.clone(),
            table: KeyTable::new(over.partition.iter().map(key).collect(), false),
            last: vec![],
            frames: match Fused::new(&over.calls, &input.schema, least).filter(|_| fused) {
                Some(frames) => Held::Fused(Box::new(frames)),
                None => Held::Any(Box::new(Frames::keeping(&over.calls, &input.schema, least))),
            },
            met: None,
            reach: over
                .calls
                .iter()
                .map(|(frame, _)| match frame {
                    Frame::Range(reach) => *reach,
                    Frame::Sliced { reach, slice } => Some(reach.saturating_add(*slice)),
                    Frame::Rows(_) => None,
                })
                .collect::<Option<Vec<i64>>>()
                .and_then(|r| r.into_iter().max()),
            looks: VecDeque::new(),
            watermark: i64::MIN,
        }
    }

    /// No row at or before `watermark` (ms) will be kept any more. Keys whose rows no frame can reach are forgotten: so few rows a call that
    /// none takes long.
    ///
    /// # Errors
    /// An aggregate cannot let a row go.
    #[inline]
    pub fn advance(&mut self, watermark: i64, pool: &mut Pool) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        match self.looks.front() {
            Some(look) if look.0 <= self.watermark => self.look(pool),
            _ => Ok(()),
        }
    }

    fn look(&mut self, pool: &mut Pool) -> Result<()> {
        let Some(reach) = self.reach else { return Ok(()) };
        for _ in 0..LOOKS {
            let Some(&(_, slot)) = self.looks.front().filter(|l| l.0 <= self.watermark) else { break };
            if self.last[slot as usize].saturating_add(reach) >= self.watermark {
                self.looks.pop_front();
                self.looks.push_back((self.watermark.saturating_add(reach.max(1)), slot));
            } else if match &mut self.frames {
                Held::Fused(frames) => frames.drain(slot, DRAINED),
                Held::Any(frames) => frames.drain(slot, DRAINED, pool)?,
            } {
                self.looks.pop_front();
                self.last[slot as usize] = i64::MIN;
                self.table.remove(slot);
                self.met = self.met.filter(|m| *m != slot);
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Finds the key of the row that is scored next, which stands in these columns of a batch, and asks for what is known of it: the wait for
    /// memory is then shared with what is done before [`OverScorer::score`].
    #[inline]
    pub fn meet(&mut self, key: &[usize], batch: &Batch, row: u32) {
        self.met = Some(self.find(key, batch, row));
    }

    /// Asks for the rows of the key that was met.
    #[inline]
    pub fn expect(&self) {
        if let (Held::Fused(frames), Some(slot)) = (&self.frames, self.met) {
            frames.expect_rows(slot);
        }
    }

    /// The row that was met does not come: a key that was new with it goes.
    pub fn part(&mut self) {
        if let Some(slot) = self.met.take()
            && self.last[slot as usize] == i64::MIN
        {
            self.table.remove(slot);
        }
    }

    /// The slot of the key in these columns.
    #[inline]
    fn find(&mut self, key: &[usize], batch: &Batch, row: u32) -> u32 {
        let table = &mut self.table;
        let slot = with_columns(key, batch, |columns| table.find_or_insert_row(columns, row));
        let bound = self.table.bound();
        if bound > self.last.len() {
            self.last.resize(bound, i64::MIN);
            match &mut self.frames {
                Held::Fused(frames) => frames.grow(bound),
                Held::Any(frames) => frames.grow(bound),
            }
        }
        expect_value(&self.last, slot as usize);
        if let Held::Fused(frames) = &self.frames {
            frames.expect_key(slot);
        }
        slot
    }

    /// [`OverScorer::score`] of a batch of one row sets the columns, whatever is in them: they need not be empty.
    #[inline]
    pub fn sets(&self) -> bool {
        matches!(self.frames, Held::Fused(_))
    }

    /// Appends the aggregates of one row of a batch to `out`, one column a call; of a batch of one row they may become the column:
    /// [`OverScorer::sets`]. `keep`: the row counts for rows to come; a row that is late is only answered.
    ///
    /// # Errors
    /// An aggregate cannot take the row.
    pub fn score(
        &mut self,
        batch: &Batch,
        row: u32,
        time_ms: i64,
        keep: bool,
        out: &mut [ColumnRef],
        pool: &mut Pool,
    ) -> Result<()> {
        let slot = match self.met.take() {
            Some(slot) => slot,
            None => {
                let key = std::mem::take(&mut self.partition);
                let slot = self.find(&key, batch, row);
                self.partition = key;
                slot
            }
        };
        let last = &mut self.last[slot as usize];
        if let (true, true, Some(reach)) = (keep, *last == i64::MIN, self.reach) {
            let due = self.watermark.max(time_ms).saturating_add(reach.max(1));
            self.looks.push_back((due.max(self.looks.back().map_or(due, |l| l.0)), slot));
        }
        if keep && time_ms >= *last {
            *last = time_ms;
            return match &mut self.frames {
                Held::Fused(frames) => {
                    frames.score(slot, time_ms, row, batch, self.watermark, out);
                    Ok(())
                }
                Held::Any(frames) => {
                    frames.score(slot, time_ms, row, &batch.columns, self.watermark, out, pool)
                }
            };
        }
        let result = match &mut self.frames {
            Held::Fused(frames) => {
                frames.insert(slot, time_ms, row, batch, self.watermark, keep, out);
                Ok(())
            }
            Held::Any(frames) => {
                frames.insert(slot, time_ms, row, &batch.columns, self.watermark, keep, out, pool)
            }
        };
        if *last == i64::MIN && !keep {
            self.table.remove(slot);
        }
        result
    }

    /// Writes its state.
    pub fn snapshot(&self, to: &mut Encoder) {
        to.block(b"OVSC", 2);
        let order = self.table.order();
        self.table.encode(&order, to);
        to.slice(&order.iter().map(|&s| self.last[s as usize]).collect::<Vec<_>>());
        match &self.frames {
            Held::Fused(frames) => frames.encode(&order, to),
            Held::Any(frames) => frames.encode(&order, self.table.bound(), to),
        }
    }

    /// Reads what [`OverScorer::snapshot`] wrote into a new one.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"OVSC", 2)?;
        let keys = self.table.decode(None, from)?;
        self.last = from.slice()?;
        if self.last.len() != keys {
            return Err(Error::corrupt("the keys of an OVER do not fit their number"));
        }
        match &mut self.frames {
            Held::Fused(frames) => frames.decode(keys, from)?,
            Held::Any(frames) => frames.decode(keys, from)?,
        }
        if let Some(reach) = self.reach {
            let mut looks: Vec<(i64, u32)> =
                (0..).zip(&self.last).map(|(s, l)| (l.saturating_add(reach), s)).collect();
            looks.sort_unstable();
            self.looks = looks.into();
        }
        Ok(())
    }

    /// Has memory for so many bytes of frames more come now, where they are of a form that says which.
    pub fn reserve(&mut self, bytes: usize) {
        if let Held::Fused(frames) = &mut self.frames {
            frames.reserve(bytes);
        }
    }

    /// Reads each page of keys, and of frames that are of a form that says which.
    pub fn touch(&self) {
        self.table.touch();
        touch(&self.last);
        let (first, second) = self.looks.as_slices();
        touch(first);
        touch(second);
        if let Held::Fused(frames) = &self.frames {
            frames.touch();
        }
    }

    /// Bytes of state held.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
            + self.last.capacity() * 8
            + self.looks.capacity() * 16
            + match &self.frames {
                Held::Fused(frames) => frames.bytes(),
                Held::Any(frames) => frames.bytes(),
            }
    }
}

//! Rows out of order, and keys that are forgotten.
//!
//! A row before its key's last one is answered by looking at the rows of its own frames, and, where it is remembered, put in its place: the rows behind
//! it move up by one, and so do their numbers in the queues of the best. What it costs is the rows of its frames, words one behind the other;
//! where those are many, the key gets a [tree](super::treed).

use super::*;
use hashbrown::HashSet;

impl Fused {
    /// A row of a key that need not be its last: appends its aggregates, over the rows up to its time, to `out`. `keep`: it stays.
    #[expect(clippy::too_many_arguments, reason = "a row, its place and where its answer goes")]
    pub(in super::super) fn insert(
        &mut self,
        slot: u32,
        time: i64,
        row: u32,
        source: &Batch,
        watermark: i64,
        keep: bool,
        out: &mut [ColumnRef],
    ) {
        let own = self.words(time, row as usize, source);
        self.plant(slot);
        let place = self.place(slot, time);
        self.answer(slot, place, &own, watermark, source.rows() == 1, out);
        if keep {
            self.put(slot, place, &own);
        }
    }

    /// The number that a row at `time` would get.
    fn place(&self, slot: u32, time: i64) -> u64 {
        let (layout, record) = (self.layout(), self.records.get(slot));
        if record[CLASS] == TREED {
            return self.rank(slot, |t| t <= time);
        }
        let (mut low, mut high) = (record[FIRST], record[END]);
        while low < high {
            let middle = low + (high - low) / 2;
            if layout.time(&self.blocks, record, middle) <= time { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Appends what the frames of a row that would stand at `place` come to.
    fn answer(
        &mut self,
        slot: u32,
        place: u64,
        own: &[u64],
        watermark: i64,
        only: bool,
        out: &mut [ColumnRef],
    ) {
        let layout = self.layout();
        let time = own[0] as i64;
        // What no row above the watermark can see may be there or not: it does not count.
        let held = match (self.rows, self.reach) {
            (None, Some(reach)) => watermark.saturating_sub(reach),
            _ => i64::MIN,
        };
        let treed = self.records.get(slot)[CLASS] == TREED;
        for (n, to) in out.iter_mut().enumerate() {
            let call = self.calls[self.order[n]].clone();
            let first = self.records.get(slot)[FIRST];
            let from = match self.frames[call.frame] {
                Frame::Rows(before) => place.saturating_sub(before.unwrap_or(u64::MAX)).max(first),
                Frame::Range(reach) => {
                    let from = time.saturating_sub(reach.unwrap_or(i64::MAX)).max(held);
                    if treed {
                        self.rank(slot, |t| t < from).min(place)
                    } else {
                        let (mut start, record) = (place, self.records.get(slot));
                        while start > first && layout.time(&self.blocks, record, start - 1) >= from {
                            start -= 1;
                        }
                        start
                    }
                }
                Frame::Sliced { .. } => unreachable!("has no rows"),
            };
            let value = match call.work {
                Work::Rows => Some(place - from + 1),
                _ if treed => self.answer_treed(slot, &call, (from, place), own),
                _ => self.answer_ring(slot, &call, (from, place), own),
            };
            put(value, only, to);
        }
    }

    /// What a call comes to in rows `from..place` of a ring, and the row `own` behind them.
    fn answer_ring(&self, slot: u32, call: &Call, (from, place): (u64, u64), own: &[u64]) -> Option<u64> {
        let layout = self.layout();
        let record = self.records.get(slot);
        let by = match call.work {
            Work::Values { by } | Work::Sum { by, .. } | Work::Best { by, .. } => by,
            Work::Distinct { nth, .. } => self.distincts[nth].by,
            Work::Rows => unreachable!("is a difference"),
        };
        let before = (from..place).filter_map(|n| layout.value(layout.row(&self.blocks, record, n), by));
        let values = before.chain(layout.value(own, by));
        match call.work {
            Work::Rows => unreachable!("is a difference"),
            Work::Values { .. } => Some(values.count() as u64),
            Work::Sum { form: Form::F64, .. } => {
                let sum = |a: Option<f64>, v: u64| Some(a.unwrap_or(0.0) + f64::from_bits(v));
                values.fold(None, sum).map(f64::to_bits)
            }
            Work::Sum { .. } => values.reduce(u64::wrapping_add),
            Work::Best { max, .. } => values.reduce(|a, b| {
                let second = if max { b as i64 > a as i64 } else { (b as i64) < a as i64 };
                if second { b } else { a }
            }),
            Work::Distinct { .. } => Some(values.collect::<HashSet<u64>>().len() as u64),
        }
    }

    /// Puts a row, which is not the last, in its place.
    fn put(&mut self, slot: u32, place: u64, own: &[u64]) {
        let layout = self.layout();
        let record = self.records.get(slot);
        let treed = record[CLASS] == TREED;
        let last = if treed {
            let last = self.trees.row(layout, &self.blocks, record, record[END] - 1)[0] as i64;
            self.place_row(slot, own);
            last
        } else {
            self.make_place(slot, place, own)
        };
        let Self { records, blocks, frames, calls, ends, bests, distincts, hasher, trees, .. } = self;
        let record = records.get_mut(slot);
        for (f, frame) in frames.iter().enumerate() {
            let start = record[STARTS + f];
            let own_calls = of_frame(calls, ends, f);
            let joins = match frame {
                Frame::Range(reach) => own[0] as i64 >= last.saturating_sub(reach.unwrap_or(i64::MAX)),
                Frame::Rows(_) => place >= start,
                Frame::Sliced { .. } => unreachable!("has no rows"),
            };
            if !joins {
                record[STARTS + f] = start + 1;
                continue;
            }
            join(own_calls, record, layout, own);
            for call in own_calls {
                if let Work::Distinct { nth, lane } = call.work {
                    distincts[nth].join(lane, call.cell, layout, own, record, blocks, hasher);
                }
            }
            if let Frame::Rows(Some(before)) = frame
                && record[END] - start > before + 1
            {
                let words: [u64; MOST] = copied(if treed {
                    trees.row(layout, blocks, record, start)
                } else {
                    layout.row(blocks, record, start)
                });
                leave(own_calls, distincts, record, blocks, hasher, layout, &words);
                record[STARTS + f] = start + 1;
            }
        }
        for b in bests.iter().filter(|_| !treed) {
            b.renumber(record, blocks, place);
            b.squeeze(record, blocks, place, layout.value(own, b.by));
        }
    }

    /// Makes place in a ring: the rows behind it move up by one. Gives the time of the last of them.
    fn make_place(&mut self, slot: u32, place: u64, own: &[u64]) -> i64 {
        let layout = self.layout();
        let Self { records, blocks, width, .. } = self;
        let record = records.get_mut(slot);
        if record[END] - record[FIRST] == 1 << record[CLASS] {
            layout.widen(blocks, record);
        }
        let last = layout.time(blocks, record, record[END] - 1);
        for number in (place..record[END]).rev() {
            let words: [u64; MOST] = copied(layout.row(blocks, record, number));
            layout.row_mut(blocks, record, number + 1).copy_from_slice(&words[..*width]);
        }
        layout.row_mut(blocks, record, place).copy_from_slice(&own[..*width]);
        record[END] += 1;
        last
    }

    /// Takes rows of a key out of its frames, about `rows` at most; true: it has none left, and is as new.
    pub(in super::super) fn drain(&mut self, slot: u32, rows: usize) -> bool {
        if self.records.get(slot)[CLASS] == TREED {
            self.drain_tree(slot, rows);
            return false;
        }
        let layout = self.layout();
        let Self { records, blocks, frames, calls, ends, bests, distincts, hasher, .. } = self;
        let record = records.get_mut(slot);
        let mut gone = 0;
        for f in 0..frames.len() {
            let own_calls = of_frame(calls, ends, f);
            while record[STARTS + f] < record[END] {
                if gone == rows {
                    return false;
                }
                let words: [u64; MOST] = copied(layout.row(blocks, record, record[STARTS + f]));
                leave(own_calls, distincts, record, blocks, hasher, layout, &words);
                record[STARTS + f] += 1;
                gone += 1;
            }
        }
        if record[BLOCK] != NONE {
            blocks.give_back(record[BLOCK], layout.words(record[CLASS] as u32));
        }
        bests.iter().for_each(|b| b.empty(record, blocks));
        for d in distincts.iter() {
            let values = Values::of(record, d.cell);
            if values.block != NONE {
                blocks.give_back(values.block, values.words());
            }
        }
        self.reset(slot);
        true
    }
}

//! A row that comes in order: what it changes, and where its answer is.
//!
//! Both are written down when the frames are made, by kind of call: a row then goes through loops without a question in them, over words that
//! are looked up once.

use super::*;
use crate::batch::ColumnData;

/// What a row in order changes in a frame, by kind.
pub(super) struct Step {
    /// A row leaves that is more than `reach` ms before the newest, or more than `before` rows.
    reach: i64,
    before: u64,
    sums: Vec<Sum>,
    /// COUNT of what may be NULL: place among the held words, and cell.
    counts: Vec<(usize, usize)>,
    /// Place among the held words, and table and lane.
    distincts: Vec<(usize, u16, u16)>,
}

#[derive(Clone, Copy)]
pub(super) struct Sum {
    pub(super) by: usize,
    pub(super) cell: usize,
    pub(super) counted: bool,
    pub(super) double: bool,
}

/// Where the results are, by kind; the last number of each is the result's place.
#[derive(Default)]
pub(super) struct Emits {
    /// The rows since this start.
    rows: Vec<(usize, usize)>,
    cells: Vec<(usize, usize)>,
    /// A cell, NULL while the cell behind it is 0.
    counted: Vec<(usize, usize)>,
    /// By queue: heads.
    bests: Vec<Vec<(usize, usize)>>,
}

impl Fused {
    /// A row of a key, not before its other rows: puts its aggregates into `out`, as [`put`] does.
    #[inline]
    pub(in super::super) fn score(
        &mut self,
        slot: u32,
        time: i64,
        row: u32,
        source: &Batch,
        watermark: i64,
        out: &mut [ColumnRef],
    ) {
        if self.records.get(slot)[CLASS] == TREED {
            return self.score_treed(slot, time, row as usize, source, watermark, out);
        }
        let own = self.words(time, row as usize, source);
        let only = source.rows() == 1;
        if self.masked {
            self.take::<true>(slot, &own, watermark, only, out);
        } else {
            self.take::<false>(slot, &own, watermark, only, out);
        }
    }

    /// A row joins behind the others of its key, those leave that its frames do not reach, and those go that no row above the watermark can
    /// see.
    #[inline]
    fn take<const MASKED: bool>(
        &mut self,
        slot: u32,
        own: &[u64; MOST],
        watermark: i64,
        only: bool,
        out: &mut [ColumnRef],
    ) {
        let layout = Layout { masked: MASKED, ..self.layout() };
        let Self {
            steps, bests, distincts, emits, left, records, blocks, hasher, above, reach, rows, ..
        } = self;
        let record = records.get_mut(slot);
        if record[BLOCK] == NONE || record[END] - record[FIRST] == 1 << record[CLASS] {
            layout.widen(blocks, record);
        }
        let (number, time) = (record[END], own[0] as i64);
        record[END] = number + 1;
        // Two or three words mostly: fewer than a call of memcpy is worth.
        for (to, from) in layout.row_mut(blocks, record, number).iter_mut().zip(own) {
            *to = *from;
        }
        let hashed = |by: usize| layout.value(own, by).map(|value| Hashed::new(value, hasher));
        for d in distincts.iter() {
            if let Some(value) = hashed(d.by) {
                Values::of(record, d.cell).expect(blocks, value);
            }
        }
        left.clear();
        let mut used = number;
        let (ring, mask) = layout.ring(blocks, record);
        for (f, step) in steps.iter().enumerate() {
            let from = time.saturating_sub(step.reach);
            let mut start = record[STARTS + f];
            loop {
                let at = (start & mask) as usize * layout.step;
                if ring[at] as i64 >= from && number - start <= step.before {
                    break;
                }
                let words = &ring[at..at + layout.width];
                start += 1;
                for sum in &step.sums {
                    if let Some(value) = layout.value(words, sum.by) {
                        sum.leave(record, value);
                    }
                }
                for &(by, cell) in &step.counts {
                    record[cell] -= u64::from(layout.value(words, by).is_some());
                }
                for &(by, nth, lane) in &step.distincts {
                    if let Some(value) = layout.value(words, by) {
                        let value = Hashed::new(value, hasher);
                        Values::of(record, distincts[usize::from(nth)].cell).expect(blocks, value);
                        left.push(Left { value, nth, lane });
                    }
                }
            }
            record[STARTS + f] = start;
            used = used.min(start);
            for sum in &step.sums {
                if let Some(value) = layout.value(own, sum.by) {
                    sum.join(record, value);
                }
            }
            for &(by, cell) in &step.counts {
                record[cell] += u64::from(layout.value(own, by).is_some());
            }
        }
        for b in bests.iter() {
            b.join(record, blocks, number, layout.value(own, b.by));
        }
        // In all frames that share a table at once: one look for the row that joins.
        if let [d] = &distincts[..] {
            Values::turn(record, d.cell, &d.lanes, &mut *blocks, hashed(d.by), left);
        } else {
            for (n, d) in distincts.iter().enumerate() {
                Values::turn(record, d.cell, &d.lanes, &mut *blocks, hashed(d.by), &[]);
                for row in left.iter().filter(|row| usize::from(row.nth) == n) {
                    Values::turn(record, d.cell, &d.lanes, &mut *blocks, None, std::slice::from_ref(row));
                }
            }
        }
        if rows.is_some() {
            while record[*above] <= number && layout.time(blocks, record, record[*above]) <= watermark {
                record[*above] += 1;
            }
        }
        let from = reach.map_or(i64::MAX, |r| watermark.saturating_sub(r));
        while record[FIRST] < used {
            let counted = rows.is_some_and(|n| record[*above].saturating_sub(record[FIRST]) <= n);
            if counted || layout.time(blocks, record, record[FIRST]) >= from {
                break;
            }
            record[FIRST] += 1;
        }
        for &(start, to) in &emits.rows {
            put(Some(number + 1 - record[start]), only, &mut out[to]);
        }
        for &(cell, to) in &emits.cells {
            put(Some(record[cell]), only, &mut out[to]);
        }
        for &(cell, to) in &emits.counted {
            put((record[cell + 1] > 0).then_some(record[cell]), only, &mut out[to]);
        }
        for (b, heads) in bests.iter().zip(&emits.bests) {
            let best = b.bests(record, blocks);
            for &(head, to) in heads {
                put(best(record[head]), only, &mut out[to]);
            }
        }
    }
}

/// Appends a value to a column of its form; `only`: it becomes the column's one row, whatever was in it. Where somebody else holds the
/// column, another one takes its place.
#[inline(always)]
pub(super) fn put(value: Option<u64>, only: bool, to: &mut ColumnRef) {
    let word = value.unwrap_or(0);
    if !only {
        return append(value, unshared(to));
    }
    // A loop, so that who holds it is looked at once.
    let to = loop {
        match ColumnRef::get_mut(to) {
            Some(to) => break to,
            None => replace(to),
        }
    };
    match &mut to.data {
        ColumnData::I64(b) => b.set_one(word as i64),
        ColumnData::I32(b) => b.set_one(word as i64 as i32),
        ColumnData::F64(b) => b.set_one(f64::from_bits(word)),
        _ => unreachable!("a result of one of the forms"),
    }
    to.validity.set_only(value.is_some());
}

/// Puts an empty column in the place of one that somebody else holds.
#[cold]
fn replace(column: &mut ColumnRef) {
    *column = ColumnRef::new(column.empty_like());
}

#[cold]
fn append(value: Option<u64>, to: &mut Column) {
    let word = value.unwrap_or(0);
    match &mut to.data {
        ColumnData::I64(b) => b.push(word as i64),
        ColumnData::I32(b) => b.push(word as i64 as i32),
        ColumnData::F64(b) => b.push(f64::from_bits(word)),
        _ => unreachable!("a result of one of the forms"),
    }
    to.validity.push(value.is_some());
}

impl Step {
    pub(super) fn new(frame: Frame, calls: &[Call], distincts: &[Distinct]) -> Self {
        let (reach, before) = match frame {
            Frame::Range(Some(reach)) => (reach, u64::MAX),
            Frame::Rows(Some(before)) => (i64::MAX, before),
            _ => unreachable!("only frames that rows leave are held here"),
        };
        let mut step = Self { reach, before, sums: vec![], counts: vec![], distincts: vec![] };
        for call in calls {
            match call.work {
                Work::Rows | Work::Best { .. } => {}
                Work::Values { by } => step.counts.push((by, call.cell)),
                Work::Sum { by, counted, form } => {
                    step.sums.push(Sum { by, cell: call.cell, counted, double: form == Form::F64 });
                }
                Work::Distinct { nth, lane } => {
                    step.distincts.push((distincts[nth].by, nth as u16, lane as u16));
                }
            }
        }
        step
    }
}

impl Emits {
    /// The results of calls, which are in the order of the frames; `order`: for each result its call.
    pub(super) fn new(calls: &[Call], order: &[usize], bests: &[Bests]) -> Self {
        let mut emits = Self { bests: bests.iter().map(|_| vec![]).collect(), ..Self::default() };
        for (to, &n) in order.iter().enumerate() {
            let Call { frame, work, cell, .. } = calls[n];
            match work {
                Work::Rows => emits.rows.push((STARTS + frame, to)),
                Work::Sum { counted: true, .. } => emits.counted.push((cell, to)),
                // Without NULLs a frame has a value: it has the row itself.
                Work::Sum { .. } | Work::Values { .. } | Work::Distinct { .. } => {
                    emits.cells.push((cell, to))
                }
                Work::Best { nth, .. } => emits.bests[nth].push((cell, to)),
            }
        }
        emits
    }
}

impl Sum {
    #[inline]
    pub(super) fn leave(self, record: &mut [u64], value: u64) {
        let sum = &mut record[self.cell];
        *sum = if self.double {
            (f64::from_bits(*sum) - f64::from_bits(value)).to_bits()
        } else {
            sum.wrapping_sub(value)
        };
        if self.counted {
            record[self.cell + 1] -= 1;
        }
    }

    #[inline]
    pub(super) fn join(self, record: &mut [u64], value: u64) {
        let sum = &mut record[self.cell];
        *sum = if self.double {
            (f64::from_bits(*sum) + f64::from_bits(value)).to_bits()
        } else {
            sum.wrapping_add(value)
        };
        if self.counted {
            record[self.cell + 1] += 1;
        }
    }
}

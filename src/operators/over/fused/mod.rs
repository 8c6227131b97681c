//! The frames of keys for a caller that asks row by row, where everything has a fixed width: one record a key, and no virtual call.
//!
//! Answering one row is a matter of cache misses: with a column for each accumulator of each frame there are as many as there are
//! accumulators, and a million keys do not fit into a cache. Here all of a key stands together:
//!
//! ```text
//! record = block, class, first, end, above, a start for each frame, cells        one run of words a key
//! block  = rows in a ring: time, a word for each column that aggregates read, and, where one may be NULL, which are
//! ```
//!
//! What a row will touch is known as soon as the record is there: all of it is asked for at once ([`Fused::expect`]), so that an answer
//! waits for memory three times (key, record, the rest) and not once for each frame and aggregate.
//!
//! Rows of a key have numbers that ascend. A frame is the rows from its start to the end, so COUNT(*) is a difference; sums are cells. MIN and MAX
//! are a queue of the rows that will be the best once those before them have left: a row that joins cuts its tail by bisection, so
//! the worst case is a logarithm. COUNT(DISTINCT) of all frames of a column share one table a key ([`Values`]).
//!
//! A key with many rows keeps them in a tree from its first one out of order on ([`treed`]).
//!
//! What it can hold, [`Fused::new`] decides; the rest is [`Frames`](super::frames::Frames)' affair, with the same results.

mod bytes;
mod disorder;
mod treed;
mod values;

use crate::batch::{Batch, Column, ColumnRef, Schema, TypeKind};
use crate::operators::aggregates::unshared;
use crate::plan::{self, Frame};
use crate::state::blocks::{Blocks, NONE};
use hashbrown::DefaultHashBuilder;
use treed::{Part, TREED, Trees};
use values::{LANES, Values};

/// Keys whose records stand in one chunk: a power of two.
const KEYS: usize = 1 << 10;

const BLOCK: usize = 0;
const CLASS: usize = 1;
const FIRST: usize = 2;
const END: usize = 3;
const ABOVE: usize = 4;
const STARTS: usize = 5;

/// See the module's text.
pub(super) struct Fused {
    held: Vec<Held>,
    /// A row says which of its columns are NULL.
    masked: bool,
    /// Words of a row, and words from one row to the next: a power of two, so that a row stays within a line.
    width: usize,
    step: usize,
    frames: Vec<Frame>,
    /// The calls in the order of the frames, where those of each frame end, and for each in output order its place among them.
    calls: Vec<Call>,
    ends: Vec<usize>,
    order: Vec<usize>,
    distincts: Vec<Distinct>,
    records: Records,
    blocks: Blocks,
    /// The rows of keys that have them in a tree, and what its nodes say of their rows.
    trees: Trees,
    parts: Vec<Part>,
    /// Of distinct values.
    hasher: DefaultHashBuilder,
    /// With so many rows a key's first row out of order plants a tree; with a quarter of them left it falls.
    least: u64,
    /// The longest frames, ms and rows.
    reach: Option<i64>,
    rows: Option<u64>,
}

/// A column that aggregates read.
#[derive(Clone, Copy)]
struct Held {
    column: usize,
    form: Form,
    nullable: bool,
}

/// How a value is a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    I32,
    I64,
    F64,
}

#[derive(Clone)]
struct Call {
    frame: usize,
    work: Work,
    /// Its first word in the record.
    cell: usize,
    /// Its place among the parts, where it has one.
    part: usize,
}

/// What a call does. `by` is a place in the held words of a row; `counted`: the cell behind counts values that are not NULL.
#[derive(Clone, Copy)]
enum Work {
    Rows,
    Values { by: usize },
    Sum { by: usize, counted: bool, form: Form },
    Best { by: usize, max: bool, form: Form },
    Distinct { nth: usize, lane: usize },
}

/// The distinct values of one column, in up to four frames.
struct Distinct {
    by: usize,
    /// The first word of [`Values`] in the record.
    cell: usize,
    /// The cell of each of the frames that it serves: how many values it has.
    lanes: Vec<usize>,
}

/// One run of words for each key.
struct Records {
    /// Where the records of each [`KEYS`] keys begin.
    runs: Vec<u64>,
    words: Blocks,
    stride: usize,
}

impl Records {
    /// Where the record of a key begins.
    #[inline]
    fn at(&self, slot: u32) -> u64 {
        self.runs[slot as usize / KEYS] + (slot as usize % KEYS * self.stride) as u64
    }

    #[inline]
    fn get(&self, slot: u32) -> &[u64] {
        self.words.get(self.at(slot), self.stride)
    }

    #[inline]
    fn get_mut(&mut self, slot: u32) -> &mut [u64] {
        let at = self.at(slot);
        self.words.get_mut(at, self.stride)
    }

    /// Asks for the record of a key.
    #[inline]
    fn expect(&self, slot: u32) {
        let at = self.at(slot);
        for word in (0..self.stride).step_by(8) {
            self.words.expect(at, word);
        }
    }
}

impl Fused {
    /// Frames over rows of that schema, where all of it has a fixed width. `least`: from so many rows on keys may have trees.
    pub(super) fn new(calls: &[(Frame, plan::Aggregate)], input: &Schema, least: u64) -> Option<Self> {
        let mut held: Vec<Held> = vec![];
        let mut frames: Vec<Frame> = vec![];
        let mut distincts: Vec<Distinct> = vec![];
        let mut own: Vec<(usize, Work)> = vec![];
        for (frame, a) in calls {
            if !frame.rows_leave() || a.filter.is_some() {
                return None;
            }
            let nth = frames.iter().position(|f| f == frame).unwrap_or_else(|| {
                frames.push(*frame);
                frames.len() - 1
            });
            let name = a.name.split('(').next()?;
            let work = match (name, &a.args[..]) {
                ("COUNT", []) => Work::Rows,
                (_, &[column]) => {
                    let ty = input.ty(column);
                    let form = match ty.kind {
                        TypeKind::Int | TypeKind::Date => Form::I32,
                        TypeKind::BigInt => Form::I64,
                        TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) if p <= 6 => Form::I64,
                        TypeKind::Double => Form::F64,
                        _ => return None,
                    };
                    let by = held.iter().position(|h| h.column == column).unwrap_or_else(|| {
                        held.push(Held { column, form, nullable: ty.nullable });
                        held.len() - 1
                    });
                    let numeric = ty.kind.is_numeric();
                    match (name, a.distinct) {
                        ("COUNT", false) if !ty.nullable => Work::Rows,
                        ("COUNT", false) => Work::Values { by },
                        ("SUM", false) if numeric && form != Form::I32 => {
                            Work::Sum { by, counted: ty.nullable, form }
                        }
                        // DOUBLE has values that are equal and not the same: those are the other frames' affair.
                        ("MIN" | "MAX", _) if form != Form::F64 => {
                            Work::Best { by, max: name == "MAX", form }
                        }
                        ("COUNT", true) if form != Form::F64 => {
                            let free = |d: &Distinct| d.by == by && d.lanes.len() < LANES;
                            let nth = distincts.iter().position(free).unwrap_or_else(|| {
                                distincts.push(Distinct { by, cell: 0, lanes: vec![] });
                                distincts.len() - 1
                            });
                            let lane = distincts[nth].lanes.len();
                            distincts[nth].lanes.push(0);
                            Work::Distinct { nth, lane }
                        }
                        _ => return None,
                    }
                }
                _ => return None,
            };
            own.push((nth, work));
        }
        (held.len() + 2 <= MOST).then(|| Self { least, ..Self::laid_out(held, frames, distincts, &own) })
    }

    fn laid_out(
        held: Vec<Held>,
        frames: Vec<Frame>,
        mut distincts: Vec<Distinct>,
        own: &[(usize, Work)],
    ) -> Self {
        let mut sorted: Vec<usize> = (0..own.len()).collect();
        sorted.sort_by_key(|&n| own[n].0);
        let (mut calls, mut order, mut cell) = (vec![], vec![0; own.len()], STARTS + frames.len());
        let mut parts: Vec<Part> = vec![];
        for n in sorted {
            let (frame, work) = own[n];
            order[n] = calls.len();
            if let Work::Distinct { nth, lane } = work {
                distincts[nth].lanes[lane] = cell;
            }
            let part = Part::of(work).map_or(0, |own| {
                parts.iter().position(|p| *p == own).unwrap_or_else(|| {
                    parts.push(own);
                    parts.len() - 1
                })
            });
            calls.push(Call { frame, work, cell, part });
            cell += match work {
                Work::Rows => 0,
                Work::Values { .. } | Work::Distinct { .. } => 1,
                Work::Sum { .. } => 2,
                Work::Best { .. } => 3,
            };
        }
        for d in &mut distincts {
            d.cell = cell;
            cell += Values::CELLS;
        }
        let ends = (0..frames.len()).map(|f| calls.partition_point(|c: &Call| c.frame <= f)).collect();
        let masked = held.iter().any(|h| h.nullable);
        let width = 1 + held.len() + usize::from(masked);
        let rows = frames.iter().filter_map(|f| if let Frame::Rows(n) = f { *n } else { None }).max();
        let reach = frames.iter().filter_map(|f| if let Frame::Range(r) = f { *r } else { None }).max();
        Self {
            width,
            step: width.next_power_of_two(),
            masked,
            held,
            frames,
            calls,
            ends,
            order,
            distincts,
            records: Records { runs: vec![], words: Blocks::default(), stride: cell.next_multiple_of(8) },
            blocks: Blocks::default(),
            trees: Trees::default(),
            parts,
            hasher: DefaultHashBuilder::default(),
            least: u64::MAX,
            reach,
            rows,
        }
    }

    /// Makes keys below `slots` exist.
    pub(super) fn grow(&mut self, slots: usize) {
        while self.records.runs.len() * KEYS < slots {
            self.records.runs.push(self.records.words.carve(self.records.stride * KEYS));
            let first = (self.records.runs.len() - 1) * KEYS;
            (first..first + KEYS).for_each(|slot| self.reset(slot as u32));
        }
    }

    /// A record without rows. Its blocks must have been given back.
    fn reset(&mut self, slot: u32) {
        let record = self.records.get_mut(slot);
        record.fill(0);
        record[BLOCK] = NONE;
        let best = self.calls.iter().filter(|c| matches!(c.work, Work::Best { .. })).map(|c| c.cell);
        best.chain(self.distincts.iter().map(|d| d.cell)).for_each(|cell| record[cell] = NONE);
    }

    /// Asks for all that the next row of a key touches, now that the record is there and the row is in its ring.
    #[inline]
    fn expect(&self, slot: u32, time: i64) {
        let Self { frames, calls, distincts, records, blocks, hasher, .. } = self;
        let (layout, record) = (self.layout(), records.get(slot));
        for f in 0..frames.len() {
            layout.expect(blocks, record, record[STARTS + f]);
        }
        for call in calls {
            if let Work::Best { .. } = call.work {
                Queue::of(record, call.cell).expect(blocks);
            }
        }
        if distincts.is_empty() {
            return;
        }
        let own = layout.row(blocks, record, record[END] - 1);
        for d in distincts {
            if let Some(value) = layout.value(own, d.by) {
                Values::of(record, d.cell).expect(blocks, hasher, value);
            }
        }
        // The first row that leaves each frame: the times come first, all on their way by now.
        for (f, frame) in frames.iter().enumerate() {
            let words = layout.row(blocks, record, record[STARTS + f]);
            if matches!(frame, Frame::Range(Some(reach)) if (words[0] as i64) < time.saturating_sub(*reach)) {
                for d in distincts {
                    if let Some(value) = layout.value(words, d.by) {
                        Values::of(record, d.cell).expect(blocks, hasher, value);
                    }
                }
            }
        }
    }

    /// Asks for the rows of a key that the next one touches, and its queues' ends, once its record is there.
    #[inline]
    pub(super) fn expect_rows(&self, slot: u32) {
        let (layout, record) = (self.layout(), self.records.get(slot));
        if record[BLOCK] == NONE || record[CLASS] == TREED {
            return;
        }
        layout.expect(&self.blocks, record, record[END]);
        for f in 0..self.frames.len() {
            layout.expect(&self.blocks, record, record[STARTS + f]);
        }
        for call in &self.calls {
            if let Work::Best { .. } = call.work {
                Queue::of(record, call.cell).expect(&self.blocks);
            }
        }
    }

    /// Asks for the record of a key.
    #[inline]
    pub(super) fn expect_key(&self, slot: u32) {
        self.records.expect(slot);
    }

    fn layout(&self) -> Layout {
        Layout { width: self.width, step: self.step, masked: self.masked }
    }

    /// A row of a key, not before its other rows: appends its aggregates to `out`.
    #[inline]
    pub(super) fn score(
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
        self.push(slot, time, row as usize, source);
        self.expect(slot, time);
        let layout = self.layout();
        let Self { frames, calls, ends, distincts, records, blocks, hasher, .. } = self;
        let record = records.get_mut(slot);
        let number = record[END] - 1;
        // In all frames that share a table at once: one look.
        for d in distincts.iter() {
            if let Some(value) = layout.value(layout.row(blocks, record, number), d.by) {
                let first = Values::join(record, d.cell, blocks, hasher, value, 0..d.lanes.len());
                for (lane, &cell) in d.lanes.iter().enumerate() {
                    record[cell] += u64::from(first >> lane & 1);
                }
            }
        }
        let own: [u64; MOST] = copied(layout.row(blocks, record, number));
        for (f, frame) in frames.iter().enumerate() {
            let calls = of_frame(calls, ends, f);
            let from = match frame {
                Frame::Range(Some(reach)) => time.saturating_sub(*reach),
                _ => i64::MIN,
            };
            loop {
                let start = record[STARTS + f];
                let words = layout.row(blocks, record, start);
                let leaves = match frame {
                    Frame::Rows(Some(before)) => number - start > *before,
                    _ => (words[0] as i64) < from,
                };
                if !leaves {
                    break;
                }
                let values: [u64; MOST] = copied(words);
                leave(calls, distincts, record, blocks, hasher, layout, &values);
                record[STARTS + f] = start + 1;
            }
            join(calls, record, blocks, layout, number, STARTS + f, &own);
        }
        self.let_go(slot, watermark);
        self.emit(slot, out);
    }

    /// Appends a row to the ring of its key.
    #[inline]
    fn push(&mut self, slot: u32, time: i64, row: usize, source: &Batch) {
        let layout = self.layout();
        let Self { held, records, blocks, masked, .. } = self;
        let record = records.get_mut(slot);
        if record[BLOCK] == NONE || record[END] - record[FIRST] == 1 << record[CLASS] {
            layout.widen(blocks, record);
        }
        write(held, *masked, time, row, source, layout.row_mut(blocks, record, record[END]));
        record[END] += 1;
    }

    /// Lets the rows go that no row above the watermark can see.
    #[inline]
    fn let_go(&mut self, slot: u32, watermark: i64) {
        let layout = self.layout();
        let Self { records, blocks, frames, reach, rows, .. } = self;
        let record = records.get_mut(slot);
        let end = record[END];
        if rows.is_some() {
            while record[ABOVE] < end && layout.time(blocks, record, record[ABOVE]) <= watermark {
                record[ABOVE] += 1;
            }
        }
        let used = record[STARTS..STARTS + frames.len()].iter().copied().min().unwrap_or(end);
        let from = reach.map_or(i64::MAX, |r| watermark.saturating_sub(r));
        while record[FIRST] < used {
            let counted = rows.is_some_and(|n| record[ABOVE].saturating_sub(record[FIRST]) <= n);
            if counted || layout.time(blocks, record, record[FIRST]) >= from {
                break;
            }
            record[FIRST] += 1;
        }
    }

    /// Appends what the key comes to.
    #[inline]
    fn emit(&mut self, slot: u32, out: &mut [ColumnRef]) {
        let Self { calls, order, records, blocks, .. } = self;
        let record = records.get(slot);
        for (&n, to) in order.iter().zip(out) {
            let call = &calls[n];
            let rows = record[END] - record[STARTS + call.frame];
            push(call.work, value_of(call, record, blocks, rows), unshared(to));
        }
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.records.words.bytes() + self.blocks.bytes() + self.trees.bytes()
    }
}

/// The calls of a frame, which end as `ends` says.
#[inline]
fn of_frame<'c>(calls: &'c [Call], ends: &[usize], frame: usize) -> &'c [Call] {
    &calls[frame.checked_sub(1).map_or(0, |before| ends[before])..ends[frame]]
}

/// Writes a row of a batch as words.
#[inline]
fn write(held: &[Held], masked: bool, time: i64, row: usize, source: &Batch, words: &mut [u64]) {
    words[0] = time as u64;
    let mut nulls = 0;
    for (n, h) in held.iter().enumerate() {
        let column = source.column(h.column);
        words[1 + n] = match h.form {
            Form::I32 => i64::from(column.slice::<i32>()[row]) as u64,
            Form::I64 => column.slice::<i64>()[row] as u64,
            Form::F64 => column.slice::<f64>()[row].to_bits(),
        };
        nulls |= u64::from(h.nullable && !column.is_valid(row)) << n;
    }
    if masked {
        words[1 + held.len()] = nulls;
    }
}

/// The most columns that aggregates read, and the time and the NULLs.
const MOST: usize = 10;

#[inline]
fn copied(words: &[u64]) -> [u64; MOST] {
    let mut values = [0; MOST];
    // Two or three words mostly: fewer than a call of memcpy is worth.
    for (to, from) in values.iter_mut().zip(words) {
        *to = *from;
    }
    values
}

/// A value as the result has it; none: NULL.
#[inline]
fn value_of(call: &Call, record: &[u64], blocks: &Blocks, rows: u64) -> Option<u64> {
    match call.work {
        Work::Rows => Some(rows),
        Work::Values { .. } | Work::Distinct { .. } => Some(record[call.cell]),
        Work::Sum { counted, .. } => {
            (if counted { record[call.cell + 1] } else { rows } > 0).then_some(record[call.cell])
        }
        Work::Best { .. } => Queue::of(record, call.cell).front(blocks).map(|f| f.1),
    }
}

#[inline]
fn push(work: Work, value: Option<u64>, to: &mut Column) {
    let form = match work {
        Work::Sum { form, .. } | Work::Best { form, .. } => form,
        _ => Form::I64,
    };
    let word = value.unwrap_or(0);
    match form {
        Form::I32 => to.buffer_mut::<i32>().push(word as i64 as i32),
        Form::I64 => to.buffer_mut::<i64>().push(word as i64),
        Form::F64 => to.buffer_mut::<f64>().push(f64::from_bits(word)),
    }
    to.validity.push(value.is_some());
}

/// A row leaves a frame.
#[inline]
fn leave(
    calls: &[Call],
    distincts: &[Distinct],
    record: &mut [u64],
    blocks: &mut Blocks,
    hasher: &DefaultHashBuilder,
    layout: Layout,
    words: &[u64],
) {
    for call in calls {
        match call.work {
            Work::Rows | Work::Best { .. } => {}
            Work::Values { by } => record[call.cell] -= u64::from(layout.value(words, by).is_some()),
            Work::Sum { by, form, .. } => {
                if let Some(value) = layout.value(words, by) {
                    let sum = &mut record[call.cell];
                    *sum = match form {
                        Form::F64 => (f64::from_bits(*sum) - f64::from_bits(value)).to_bits(),
                        _ => sum.wrapping_sub(value),
                    };
                    record[call.cell + 1] = record[call.cell + 1].wrapping_sub(1);
                }
            }
            Work::Distinct { nth, lane } => {
                let d = &distincts[nth];
                if let Some(value) = layout.value(words, d.by) {
                    let last = Values::leave(record, d.cell, blocks, hasher, value, lane);
                    record[call.cell] -= u64::from(last);
                }
            }
        }
    }
}

/// The row `number` joins a frame, whose start is that word of the record. Distinct values are settled for all frames at once.
#[inline]
fn join(
    calls: &[Call],
    record: &mut [u64],
    blocks: &mut Blocks,
    layout: Layout,
    number: u64,
    start: usize,
    words: &[u64],
) {
    for call in calls {
        match call.work {
            Work::Rows | Work::Distinct { .. } => {}
            // The tree knows the best of its rows.
            Work::Best { .. } if record[CLASS] == TREED => {}
            Work::Values { by } => record[call.cell] += u64::from(layout.value(words, by).is_some()),
            Work::Sum { by, form, .. } => {
                if let Some(value) = layout.value(words, by) {
                    let sum = &mut record[call.cell];
                    *sum = match form {
                        Form::F64 => (f64::from_bits(*sum) + f64::from_bits(value)).to_bits(),
                        _ => sum.wrapping_add(value),
                    };
                    record[call.cell + 1] = record[call.cell + 1].wrapping_add(1);
                }
            }
            Work::Best { by, max, .. } => {
                let mut queue = Queue::of(record, call.cell);
                queue.pass(blocks, record[start]);
                if let Some(value) = layout.value(words, by) {
                    queue.push(blocks, max, number, value);
                }
                queue.write(record, call.cell);
            }
        }
    }
}

impl Distinct {
    /// A row joins one frame.
    #[expect(clippy::too_many_arguments, reason = "a row, and where its key stands")]
    fn join(
        &self,
        lane: usize,
        cell: usize,
        layout: Layout,
        words: &[u64],
        record: &mut [u64],
        blocks: &mut Blocks,
        hasher: &DefaultHashBuilder,
    ) {
        if let Some(value) = layout.value(words, self.by) {
            let first = Values::join(record, self.cell, blocks, hasher, value, lane..lane + 1);
            record[cell] += u64::from(first != 0);
        }
    }
}

/// How rows stand in their ring.
#[derive(Clone, Copy)]
struct Layout {
    width: usize,
    step: usize,
    masked: bool,
}

impl Layout {
    /// The power of two of the words of a ring of `1 << rows` rows.
    fn words(self, rows: u32) -> u32 {
        (self.step << rows).trailing_zeros()
    }

    /// Asks for a row.
    #[inline]
    fn expect(self, blocks: &Blocks, record: &[u64], number: u64) {
        let at = (number & ((1 << record[CLASS]) - 1)) as usize * self.step;
        blocks.expect(record[BLOCK], at);
    }

    #[inline]
    fn row<'b>(self, blocks: &'b Blocks, record: &[u64], number: u64) -> &'b [u64] {
        let rows = record[CLASS] as u32;
        let at = (number & ((1 << rows) - 1)) as usize * self.step;
        &blocks.get(record[BLOCK], self.step << rows)[at..at + self.width]
    }

    #[inline]
    fn row_mut<'b>(self, blocks: &'b mut Blocks, record: &[u64], number: u64) -> &'b mut [u64] {
        let rows = record[CLASS] as u32;
        let at = (number & ((1 << rows) - 1)) as usize * self.step;
        &mut blocks.get_mut(record[BLOCK], self.step << rows)[at..at + self.width]
    }

    #[inline]
    fn time(self, blocks: &Blocks, record: &[u64], number: u64) -> i64 {
        self.row(blocks, record, number)[0] as i64
    }

    /// A value of a row; none: NULL.
    #[inline]
    fn value(self, words: &[u64], by: usize) -> Option<u64> {
        let null = self.masked && words[self.width - 1] >> by & 1 == 1;
        (!null).then(|| words[1 + by])
    }

    /// A ring of twice the rows.
    #[cold]
    fn widen(self, blocks: &mut Blocks, record: &mut [u64]) {
        let (old, rows) = (record[BLOCK], record[CLASS] as u32);
        if old == NONE {
            record[CLASS] = 1;
            record[BLOCK] = blocks.take(self.words(1));
            return;
        }
        let wider = blocks.take(self.words(rows + 1));
        let mut held = vec![];
        for number in record[FIRST]..record[END] {
            held.extend_from_slice(self.row(blocks, record, number));
        }
        let first = record[FIRST];
        (record[BLOCK], record[CLASS]) = (wider, u64::from(rows) + 1);
        for (n, words) in held.chunks(self.width).enumerate() {
            self.row_mut(blocks, record, first + n as u64).copy_from_slice(words);
        }
        blocks.give_back(old, self.words(rows));
    }
}

/// The rows of a frame that are or will be its best: (number, value), values from the best on. A ring of a power of two of entries.
#[derive(Clone, Copy)]
struct Queue {
    block: u64,
    class: u32,
    head: u32,
    len: u32,
}

impl Queue {
    #[inline]
    fn of(record: &[u64], cell: usize) -> Self {
        let (sizes, head) = (record[cell + 1], record[cell + 2]);
        Self { block: record[cell], class: (sizes >> 32) as u32, head: head as u32, len: sizes as u32 }
    }

    #[inline]
    fn write(self, record: &mut [u64], cell: usize) {
        record[cell] = self.block;
        record[cell + 1] = u64::from(self.class) << 32 | u64::from(self.len);
        record[cell + 2] = u64::from(self.head);
    }

    #[inline]
    fn at(self, blocks: &Blocks, n: u32) -> (u64, u64) {
        let at = (self.head.wrapping_add(n) & ((1 << self.class) - 1)) as usize * 2;
        let words = blocks.get(self.block, 2 << self.class);
        (words[at], words[at + 1])
    }

    #[inline]
    fn set(self, blocks: &mut Blocks, n: u32, entry: (u64, u64)) {
        let at = (self.head.wrapping_add(n) & ((1 << self.class) - 1)) as usize * 2;
        let words = blocks.get_mut(self.block, 2 << self.class);
        (words[at], words[at + 1]) = entry;
    }

    /// Asks for its first and its last entry.
    #[inline]
    fn expect(self, blocks: &Blocks) {
        if self.len > 0 {
            let mask = (1 << self.class) - 1;
            blocks.expect(self.block, (self.head & mask) as usize * 2);
            blocks.expect(self.block, (self.head.wrapping_add(self.len - 1) & mask) as usize * 2);
        }
    }

    #[inline]
    fn front(self, blocks: &Blocks) -> Option<(u64, u64)> {
        (self.len > 0).then(|| self.at(blocks, 0))
    }

    /// Rows below `start` have left.
    #[inline]
    fn pass(&mut self, blocks: &Blocks, start: u64) {
        while self.front(blocks).is_some_and(|f| f.0 < start) {
            self.head = self.head.wrapping_add(1);
            self.len -= 1;
        }
    }

    /// A row joins behind all others: those that are not better than it will never be the best.
    #[inline]
    fn push(&mut self, blocks: &mut Blocks, max: bool, number: u64, value: u64) {
        let beaten = |v: u64| if max { v as i64 <= value as i64 } else { v as i64 >= value as i64 };
        // Most rows beat none or all of the last few; then bisection.
        let mut keep = self.len;
        for _ in 0..4 {
            if keep == 0 || !beaten(self.at(blocks, keep - 1).1) {
                break;
            }
            keep -= 1;
        }
        if keep > 0 && beaten(self.at(blocks, keep - 1).1) {
            let (mut low, mut high) = (0, keep);
            while low < high {
                let middle = (low + high) / 2;
                if beaten(self.at(blocks, middle).1) { high = middle } else { low = middle + 1 }
            }
            keep = low;
        }
        self.len = keep;
        self.append(blocks, number, value);
    }

    #[inline]
    fn append(&mut self, blocks: &mut Blocks, number: u64, value: u64) {
        if self.block == NONE || self.len == 1 << self.class {
            self.widen(blocks);
        }
        self.len += 1;
        self.set(blocks, self.len - 1, (number, value));
    }

    #[cold]
    fn widen(&mut self, blocks: &mut Blocks) {
        if self.block == NONE {
            *self = Self { block: blocks.take(3), class: 2, head: 0, len: 0 };
            return;
        }
        let wider =
            Self { block: blocks.take(self.class + 2), class: self.class + 1, head: 0, len: self.len };
        for n in 0..self.len {
            wider.set(blocks, n, self.at(blocks, n));
        }
        blocks.give_back(self.block, self.class + 1);
        *self = wider;
    }
}

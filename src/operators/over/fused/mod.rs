//! The frames of keys for a caller that asks row by row, where everything has a fixed width: one record a key, and no virtual call.
//!
//! Answering one row is a matter of cache misses: with a column for each accumulator of each frame there are as many as there are
//! accumulators, and a million keys do not fit into a cache. Here all of a key stands together:
//!
//! ```text
//! record = block, class, first, end, a start for each frame, cells               one run of words a key
//! block  = rows in a ring: time, a word for each column that aggregates read, and, where one may be NULL, which are
//! ```
//!
//! What a row will touch is known as soon as the record is there: all of it is asked for at once ([`Fused::expect_rows`]), so that an answer
//! waits for memory three times (key, record, the rest) and not once for each frame and aggregate.
//!
//! Rows of a key have numbers that ascend. A frame is the rows from its start to the end, so COUNT(*) is a difference; sums are cells. MIN and MAX
//! of all frames of a column share one queue a key ([`Bests`]), COUNT(DISTINCT) one table ([`Values`]).
//!
//! A row that comes in order is taken by loops over what each frame has of a kind ([`Step`]), and answered from a list in the order of the
//! results: what a call does is asked when frames are made, not for each row.
//!
//! A key with many rows keeps them in a tree from its first one out of order on ([`treed`]).
//!
//! What it can hold, [`Fused::new`] decides; the rest is [`Frames`](super::frames::Frames)' affair, with the same results.

mod bytes;
mod disorder;
mod queue;
mod step;
mod treed;
mod values;

use crate::batch::{Batch, Column, ColumnRef, Schema, TypeKind};
use crate::operators::aggregates::unshared;
use crate::plan::{self, Frame};
use crate::state::blocks::{Blocks, NONE};
use hashbrown::DefaultHashBuilder;
use queue::Bests;
use step::{Emits, Step, Sum, put};
use treed::{Part, TREED, Trees};
use values::{Hashed, LANES, Left, Values};

/// Keys whose records stand in one chunk: a power of two.
const KEYS: usize = 1 << 10;

const BLOCK: usize = 0;
const CLASS: usize = 1;
const FIRST: usize = 2;
const END: usize = 3;
const STARTS: usize = 4;

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
    /// By frame: what a row that comes or goes in order changes.
    steps: Vec<Step>,
    emits: Emits,
    bests: Vec<Bests>,
    distincts: Vec<Distinct>,
    /// The values that leave with the row at hand.
    left: Vec<Left>,
    /// The cell of the number of the first row above the watermark, where frames are of a number of rows.
    above: usize,
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

/// What a call does. `by` is a place in the held words of a row; `counted`: the cell behind counts values that are not NULL; `nth` is a place
/// among the queues or tables.
#[derive(Clone, Copy)]
enum Work {
    Rows,
    Values { by: usize },
    Sum { by: usize, counted: bool, form: Form },
    Best { by: usize, max: bool, nth: usize },
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
        let mut bests: Vec<Bests> = vec![];
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
                            let max = name == "MAX";
                            let nth = bests.iter().position(|b| b.by == by && b.max == max);
                            let nth = nth.unwrap_or_else(|| {
                                bests.push(Bests { by, max, cell: 0, frames: vec![] });
                                bests.len() - 1
                            });
                            Work::Best { by, max, nth }
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
        (held.len() + 2 <= MOST)
            .then(|| Self { least, ..Self::laid_out(held, frames, bests, distincts, &own) })
    }

    fn laid_out(
        held: Vec<Held>,
        frames: Vec<Frame>,
        mut bests: Vec<Bests>,
        mut distincts: Vec<Distinct>,
        own: &[(usize, Work)],
    ) -> Self {
        let mut sorted: Vec<usize> = (0..own.len()).collect();
        sorted.sort_by_key(|&n| own[n].0);
        let rows = frames.iter().filter_map(|f| if let Frame::Rows(n) = f { *n } else { None }).max();
        let reach = frames.iter().filter_map(|f| if let Frame::Range(r) = f { *r } else { None }).max();
        let above = STARTS + frames.len();
        let mut cell = above + usize::from(rows.is_some());
        for b in &mut bests {
            b.cell = cell;
            cell += Bests::CELLS;
        }
        for d in &mut distincts {
            d.cell = cell;
            cell += Values::CELLS;
        }
        let (mut calls, mut order) = (vec![], vec![0; own.len()]);
        let mut parts: Vec<Part> = vec![];
        for n in sorted {
            let (frame, work) = own[n];
            order[n] = calls.len();
            match work {
                Work::Distinct { nth, lane } => distincts[nth].lanes[lane] = cell,
                Work::Best { nth, .. } => bests[nth].frames.push((cell, STARTS + frame)),
                Work::Rows | Work::Values { .. } | Work::Sum { .. } => {}
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
                Work::Values { .. } | Work::Distinct { .. } | Work::Best { .. } => 1,
                Work::Sum { counted, .. } => 1 + usize::from(counted),
            };
        }
        let ends: Vec<usize> =
            (0..frames.len()).map(|f| calls.partition_point(|c: &Call| c.frame <= f)).collect();
        let steps =
            (0..frames.len()).map(|f| Step::new(frames[f], of_frame(&calls, &ends, f), &distincts)).collect();
        let emits = Emits::new(&calls, &order, &bests);
        let masked = held.iter().any(|h| h.nullable);
        let width = 1 + held.len() + usize::from(masked);
        Self {
            width,
            step: width.next_power_of_two(),
            masked,
            held,
            frames,
            calls,
            ends,
            order,
            steps,
            emits,
            bests,
            distincts,
            left: vec![],
            above,
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
        let best = self.bests.iter().map(|b| b.cell);
        best.chain(self.distincts.iter().map(|d| d.cell)).for_each(|cell| record[cell] = NONE);
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
        self.bests.iter().for_each(|b| b.expect(record, &self.blocks));
    }

    /// Asks for the record of a key.
    #[inline]
    pub(super) fn expect_key(&self, slot: u32) {
        self.records.expect(slot);
    }

    fn layout(&self) -> Layout {
        Layout { width: self.width, step: self.step, masked: self.masked }
    }

    /// A row of a batch as words.
    #[inline]
    fn words(&self, time: i64, row: usize, source: &Batch) -> [u64; MOST] {
        let mut own = [0; MOST];
        write(&self.held, self.masked, time, row, source, &mut own);
        own
    }

    /// Has memory for so many bytes more come now.
    pub(super) fn reserve(&mut self, bytes: usize) {
        let (records, blocks) = (self.records.words.bytes(), self.blocks.bytes());
        let part = bytes as f64 / (records + blocks).max(1) as f64;
        self.records.words.reserve((records as f64 * part) as usize);
        self.blocks.reserve((blocks as f64 * part) as usize);
    }

    /// Reads each page of it.
    pub(super) fn touch(&self) {
        self.records.words.touch();
        self.blocks.touch();
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
fn value_of(call: &Call, record: &[u64], blocks: &Blocks, bests: &[Bests], rows: u64) -> Option<u64> {
    match call.work {
        Work::Rows => Some(rows),
        Work::Values { .. } | Work::Distinct { .. } => Some(record[call.cell]),
        Work::Sum { counted, .. } => {
            (if counted { record[call.cell + 1] } else { rows } > 0).then_some(record[call.cell])
        }
        Work::Best { nth, .. } => Bests::best(record, blocks, bests[nth].cell, call.cell),
    }
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
            Work::Sum { by, counted, form } => {
                if let Some(value) = layout.value(words, by) {
                    Sum { by, cell: call.cell, counted, double: form == Form::F64 }.leave(record, value);
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

/// A row joins a frame, but for its queues and tables, which are settled for all frames at once.
fn join(calls: &[Call], record: &mut [u64], layout: Layout, words: &[u64]) {
    for call in calls {
        match call.work {
            Work::Rows | Work::Best { .. } | Work::Distinct { .. } => {}
            Work::Values { by } => record[call.cell] += u64::from(layout.value(words, by).is_some()),
            Work::Sum { by, counted, form } => {
                if let Some(value) = layout.value(words, by) {
                    Sum { by, cell: call.cell, counted, double: form == Form::F64 }.join(record, value);
                }
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

    /// The ring of a key, and what of a row's number is its place in it.
    #[inline]
    fn ring<'b>(self, blocks: &'b Blocks, record: &[u64]) -> (&'b [u64], u64) {
        let rows = record[CLASS] as u32;
        (blocks.get(record[BLOCK], self.step << rows), (1 << rows) - 1)
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
        let (few, many, mut number) = (1 << rows, 2 << rows, record[FIRST]);
        let (narrow, wide) = blocks.both((old, self.step << rows), (wider, self.step << (rows + 1)));
        // What stands side by side in both rings, in one piece.
        while number < record[END] {
            let (from, to) = (number & (few - 1), number & (many - 1));
            let run = (record[END] - number).min(few - from).min(many - to);
            let words = |first: u64| first as usize * self.step..(first + run) as usize * self.step;
            wide[words(to)].copy_from_slice(&narrow[words(from)]);
            number += run;
        }
        (record[BLOCK], record[CLASS]) = (wider, u64::from(rows) + 1);
        blocks.give_back(old, self.words(rows));
    }
}

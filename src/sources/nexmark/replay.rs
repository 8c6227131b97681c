//! Mode `replay`: events made once into columns, given out again and again.
//!
//! A recording of `n` events (whole cycles of the generator) is kept in blocks of [`MAX_ROWS`] rows. **Pass `k` gives out the same
//! events with**
//!
//! - ids of persons (`person.id`, `auction.seller`, `bid.bidder`) larger by `k` times the persons in the recording,
//! - ids of auctions (`auction.id`, `bid.auction`) larger by `k` times its auctions,
//! - times (`dateTime`, `expires`) later by `k` times its duration, the time of event `n` minus that of event 0,
//! - everything else the same.
//!
//! So pass 0 is the generator's own first `n` events, every pass refers to its own persons and auctions, event time goes on without a
//! gap, and no two passes are equal. A whole block shares all columns that are not shifted; a part of one copies values, of
//! texts only the views unless it is small. Who asks for a few rows at a time gets [`Pieces`] of such a part.

use super::events::Part;
use super::{EventColumns, NexmarkSource, Pace};
use crate::batch::{
    Batch, Column, ColumnData, ColumnRef, Decoder, Encoder, Home, MAX_ROWS, Origin, Pieces, Pool, Validity,
};
use crate::error::Result;
use crate::shard::{Comes, Input, InputCounters, IoContext, Polled};
use ::nexmark::EventGenerator;
use ::nexmark::config::NexmarkConfig;
use std::ops::Range;
use std::sync::Arc;

/// What a pass adds to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shift {
    None,
    Persons,
    Auctions,
    Time,
}

/// The shift of each field of persons, auctions and bids.
const SHIFTS: [&[Shift]; 3] = {
    use Shift::{Auctions as A, None as N, Persons as P, Time as T};
    [&[P, N, N, N, N, N, T, N], &[A, N, N, N, N, T, T, P, N, N], &[A, P, N, N, N, T, N]]
};

/// Events made once. See the module's text.
#[derive(Debug)]
pub struct Recording {
    /// What its columns hold.
    columns: EventColumns,
    blocks: Vec<Vec<ColumnRef>>,
    events: u64,
    persons: i64,
    auctions: i64,
    /// µs from event 0 to event `events`.
    duration_us: i64,
    /// ms from event 0 to the last event of each block: for sources with a rate.
    ends_ms: Vec<u64>,
}

impl Recording {
    /// Makes `events` events, whole cycles of the generator, as columns.
    pub fn make(config: &NexmarkConfig, columns: EventColumns, events: u64) -> Arc<Self> {
        let mut generator = EventGenerator::new(config.clone());
        let (mut blocks, mut ends_ms) = (vec![], vec![]);
        let mut left = events;
        while left > 0 {
            let n = left.min(MAX_ROWS as u64);
            let mut block = columns.empty();
            let mut end = 0;
            for event in generator.by_ref().take(n as usize) {
                columns.push(&event, &mut block);
                end = event.timestamp() - config.base_time;
            }
            blocks.push(block);
            ends_ms.push(end);
            left -= n;
        }
        let cycle = (config.person_proportion + config.auction_proportion + config.bid_proportion) as u64;
        debug_assert!(events.is_multiple_of(cycle), "ids shift by whole cycles");
        let cycles = (events / cycle) as i64;
        Arc::new(Self {
            columns,
            blocks,
            events,
            persons: cycles * config.person_proportion as i64,
            auctions: cycles * config.auction_proportion as i64,
            duration_us: (generator.timestamp() - config.base_time) as i64 * 1000,
            ends_ms,
        })
    }

    /// Events in a pass.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// What pass `pass` adds to person ids, auction ids and times (µs).
    pub fn shift(&self, pass: u64) -> (i64, i64, i64) {
        let k = pass as i64;
        (k.wrapping_mul(self.persons), k.wrapping_mul(self.auctions), k.wrapping_mul(self.duration_us))
    }

    fn amount(&self, shift: Shift, pass: u64) -> i64 {
        let (persons, auctions, time) = self.shift(pass);
        match shift {
            Shift::None => 0,
            Shift::Persons => persons,
            Shift::Auctions => auctions,
            Shift::Time => time,
        }
    }

    fn block_rows(&self, block: usize) -> usize {
        let before = (block * MAX_ROWS) as u64;
        (self.events - before).min(MAX_ROWS as u64) as usize
    }
}

/// Every `parts`-th block of every pass, from block `part` on. Its position is the pass, the block and the row in it.
pub struct ReplayInput {
    source: NexmarkSource,
    recording: Arc<Recording>,
    number: u32,
    part: u64,
    parts: u64,
    at: Place,
    /// Rows given out.
    given: u64,
    home: Home,
    /// Rows that were copied and not given out yet, with the columns that they stand in; of two sets, the one that is not read.
    pieces: Pieces,
    sets: [Vec<ColumnRef>; 2],
    pace: Pace,
    counters: InputCounters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    pass: u64,
    block: u64,
    row: u64,
}

impl ReplayInput {
    /// The input of part `part` of `parts`.
    pub fn new(
        source: &NexmarkSource,
        recording: Arc<Recording>,
        number: u32,
        part: u64,
        parts: u64,
    ) -> Self {
        let mut input = Self {
            source: source.clone(),
            home: Home::default(),
            recording,
            number,
            part,
            parts,
            at: Place { pass: 0, block: part, row: 0 },
            given: 0,
            pieces: Pieces::default(),
            sets: [vec![], vec![]],
            pace: Pace::default(),
            counters: InputCounters::default(),
        };
        input.settle();
        input
    }

    /// Goes to the next pass where this one has no block left for this part.
    fn settle(&mut self) {
        let blocks = self.recording.blocks.len() as u64;
        if self.at.block >= blocks {
            // Counted over all passes, so that parts stay balanced.
            let over = self.at.block - blocks;
            self.at = Place { pass: self.at.pass + 1 + over / blocks, block: over % blocks, row: 0 };
        }
    }

    /// Events of the place's block that are to be given out, after the end of events is taken into account.
    fn available(&self) -> u64 {
        let rows = self.recording.block_rows(self.at.block as usize) as u64;
        let first = self.at.pass.saturating_mul(self.recording.events) + self.at.block * MAX_ROWS as u64;
        let end = self.source.events.map_or(rows, |n| n.saturating_sub(first).min(rows));
        end.saturating_sub(self.at.row)
    }
}

/// Makes `to` the rows `rows` of output column `slot` of a block, in pass `pass`; `rows` are all of the block or a part.
fn fill(
    recording: &Recording,
    slot: usize,
    place: Place,
    rows: &Range<usize>,
    whole: bool,
    to: &mut ColumnRef,
    pool: &mut Pool,
) {
    let from = &recording.blocks[place.block as usize][slot];
    let part = recording.columns.parts()[slot];
    let own = match part {
        Part::Field(kind, n) => recording.amount(SHIFTS[kind][n], place.pass),
        Part::Kind | Part::Whole(_) => 0,
    };
    if whole && (place.pass == 0 || (own == 0 && !matches!(part, Part::Whole(_)))) {
        *to = from.clone();
        return;
    }
    let to = pool.own(to, &recording.columns.types()[slot]);
    match (part, &mut to.data, &from.data) {
        (Part::Whole(kind), ColumnData::Row(fields), ColumnData::Row(from_fields)) => {
            copy_validity(&mut to.validity, &from.validity, rows);
            for ((f, from), shift) in fields.iter_mut().zip(from_fields).zip(SHIFTS[kind]) {
                let amount = recording.amount(*shift, place.pass);
                if whole && amount == 0 {
                    *f = from.clone();
                    continue;
                }
                if ColumnRef::get_mut(f).is_none() {
                    *f = ColumnRef::new(from.empty_like());
                }
                let own = ColumnRef::get_mut(f).expect("just made where it was shared");
                copy_rows(own, from, rows, amount);
            }
        }
        _ => copy_rows(to, from, rows, own),
    }
}

fn copy_validity(to: &mut Validity, from: &Validity, rows: &Range<usize>) {
    if rows.len() == from.len() {
        to.copy_from(from);
        return;
    }
    to.clear();
    if from.may_have_nulls() {
        rows.clone().for_each(|r| to.push(from.get(r)));
    } else {
        to.reset(rows.len());
    }
}

/// Makes `to` the rows `rows` of `from`, numbers larger by `amount`.
fn copy_rows(to: &mut Column, from: &Column, rows: &Range<usize>, amount: i64) {
    copy_validity(&mut to.validity, &from.validity, rows);
    match (&mut to.data, &from.data) {
        (ColumnData::I64(to), ColumnData::I64(from)) => {
            to.reset(rows.len());
            for (to, from) in to.iter_mut().zip(&from[rows.clone()]) {
                *to = from.wrapping_add(amount);
            }
        }
        (ColumnData::I32(to), ColumnData::I32(from)) => {
            to.reset(rows.len());
            for (to, from) in to.iter_mut().zip(&from[rows.clone()]) {
                *to = *from;
            }
        }
        // Of a few rows the texts themselves: finding the buffers again would take longer.
        (ColumnData::Bytes(to), ColumnData::Bytes(from)) if rows.len() < FEW => {
            to.clear();
            let mut to = to.writer();
            rows.clone().for_each(|row| to.push(from.get(row)));
        }
        (ColumnData::Bytes(to), ColumnData::Bytes(from)) => {
            to.clear();
            let map = to.share_buffers(from);
            from.views()[rows.clone()].iter().for_each(|v| to.push_shared(*v, &map));
        }
        _ => unreachable!("events have integers and texts"),
    }
}

/// Up to so many rows texts are copied and not shared.
const FEW: usize = 16;

impl ReplayInput {
    /// The next `n` rows of the block, as a batch of their own.
    fn rows(&mut self, n: usize, pool: &mut Pool) -> Batch {
        // Pieces of rows that are given out here are of no use any more.
        self.pieces.load(&[], 0, 0);
        let start = self.at.row as usize;
        let whole = n == self.recording.block_rows(self.at.block as usize);
        let recording = &*self.recording;
        let mut batch = pool.batch_at(&mut self.home, recording.columns.types());
        for (slot, to) in batch.columns.iter_mut().enumerate() {
            fill(recording, slot, self.at, &(start..start + n), whole, to, pool);
        }
        batch.set_rows(n);
        batch
    }

    /// Up to `n` of the next rows of the block, and the number of the first one in its batch.
    #[inline]
    fn piece(&mut self, n: usize, pool: &mut Pool) -> (usize, Batch) {
        if self.pieces.left() == 0 {
            self.refill(pool);
        }
        let types = self.recording.columns.types();
        self.pieces.next(n, types, pool).expect("rows were copied where none were left")
    }

    /// Copies the next rows of the block.
    fn refill(&mut self, pool: &mut Pool) {
        let recording = &*self.recording;
        let start = self.at.row as usize;
        let end = (start + Pieces::ROWS).min(recording.block_rows(self.at.block as usize));
        self.sets.swap(0, 1);
        let types = recording.columns.types();
        let set = &mut self.sets[0];
        if set.is_empty() {
            set.extend(types.iter().map(|t| pool.column(t)));
        }
        for (slot, to) in set.iter_mut().enumerate() {
            fill(recording, slot, self.at, &(start..end), false, to, pool);
        }
        self.pieces.load(set, end - start, 0);
    }
}

impl ReplayInput {
    /// When the block at hand may be given out, ms since the first poll.
    fn due_ms(&self) -> u64 {
        self.recording.ends_ms[self.at.block as usize]
            + self.at.pass * (self.recording.duration_us / 1000) as u64
    }
}

impl Input for ReplayInput {
    fn poll(&mut self, max_rows: usize, cx: &mut IoContext<'_>) -> Result<Polled> {
        let available = self.available();
        if available == 0 {
            // The place is at the end of events, as a block that is used up is left behind below.
            return Ok(if self.source.keep_alive { Polled::Pending } else { Polled::End });
        }
        if self.source.rate_limited && self.pace.passed_ms(cx.now_us) < self.due_ms() {
            return Ok(Polled::Pending);
        }
        let n = available.min(max_rows as u64) as usize;
        let (first, mut batch) =
            if n < Pieces::ROWS { self.piece(n, cx.pool) } else { (0, self.rows(n, cx.pool)) };
        let n = batch.selected() as u64;
        batch.provenance.push(Origin {
            row: first as u32,
            source: self.number,
            partition: self.part as u32,
            offset: self.given,
            ingest_us: cx.now_us,
        });
        self.given += n;
        self.counters.rows += n;
        self.at.row += n;
        if self.at.row == self.recording.block_rows(self.at.block as usize) as u64 {
            self.at.row = 0;
            self.at.block += self.parts;
            self.settle();
        }
        Ok(Polled::Batch(batch))
    }

    fn comes(&self) -> Comes {
        // At the end nothing comes any more.
        if self.available() == 0 { Comes::Rung } else { self.pace.at(self.due_ms()) }
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"NEXR", 1);
        to.u64(self.recording.events);
        to.u64(self.at.pass);
        to.u64(self.at.block);
        to.u64(self.at.row);
        to.u64(self.given);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"NEXR", 1)?;
        let events = from.u64()?;
        let at = Place { pass: from.u64()?, block: from.u64()?, row: from.u64()? };
        let given = from.u64()?;
        let blocks = self.recording.blocks.len() as u64;
        if events != self.recording.events || at.block >= blocks {
            return Err(crate::Error::corrupt(format!(
                "the position is one in a recording of {events} events; this one has {}",
                self.recording.events
            )));
        }
        (self.at, self.given) = (at, given);
        self.pieces.load(&[], 0, 0);
        Ok(())
    }

    fn counters(&self) -> InputCounters {
        self.counters
    }
}

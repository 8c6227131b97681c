//! Match: a pattern in the rows of each key, one row out a match (`MATCH_RECOGNIZE`). Input that only grows.
//!
//! **Order.** In event time rows wait until the watermark has reached them and enter by time, then by the further keys, then by arrival; those
//! that the watermark had reached when they came are late. In processing time a row enters as it comes, or, with further keys, when
//! its millisecond is over. A key is woken at the time of its rows; then all its rows up to the watermark enter, and what they complete goes
//! out in that order: keys by their first timer, as in Flink.
//!
//! **Matching** is that of Flink's CEP library ("Efficient Pattern Matching over Event Streams", SIGMOD 2008, is its source): an [`nfa`] and the
//! matches so far of each key. A complete match waits until no partial one began before it; then it is told, and what it
//! skips over goes, complete or not. `WITHIN` ends partial matches, and so may set complete ones free.
//!
//! **State** is the rows that wait and those of partial matches ([`paths`]); `WITHIN` bounds the latter. As in Flink,
//! `table.exec.state.ttl` does not touch them.

mod cells;
mod nfa;
mod paths;
mod queue;
mod snapshot;
#[cfg(test)]
mod tests;

use super::aggregates::with_columns;
use super::late::{Late, When};
use super::ready::{Ready, cut_before};
use super::sort_by_time::compare;
use super::{Context, Counters, Operator};
use crate::batch::{BEFORE_TIME, Batch, Decoder, Encoder, MAX_ROWS, Schema, Watermarks};
use crate::error::{Error, Result};
use crate::expr::Projection;
use crate::plan::{self, Aggregate, MatchTime, Skip, SortKey};
use crate::state::KeyTable;
use cells::{At, Condition, Told};
use nfa::{END, Nfa};
use paths::{NONE, Paths};
use queue::{NOT_BEGUN, Partial, Queue};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The last millisecond of year 9999: the time of matches that the end of all input sets free.
const LAST_MS: i64 = 253_402_300_799_999;

/// See the module's text.
pub struct Match {
    partition: Vec<usize>,
    time: MatchTime,
    then: Vec<SortKey>,
    names: Vec<String>,
    skip: Skip,
    within_ms: Option<i64>,
    nfa: Nfa,
    conditions: Vec<Option<Condition>>,
    /// What is known of the row at hand, by variable.
    known: Vec<Option<bool>>,
    table: KeyTable,
    keys: Vec<Key>,
    paths: Paths,
    timers: BinaryHeap<Reverse<(i64, u64, u32)>>,
    timers_set: u64,
    watermark: i64,
    told: Told,
    measures: Projection,
    ready: Ready,
    counters: Counters,
    late: Late,
    slots: Vec<u32>,
    /// Keys that may have nothing left.
    idle: Vec<u32>,
    scratch: Scratch,
}

/// What a key has.
#[derive(Default)]
struct Key {
    /// Matches so far, and the one that has not begun.
    partial: Queue,
    /// Those that wait for partial ones that began before them.
    complete: Queue,
    /// Rows that wait, by time.
    waiting: VecDeque<SameTime>,
    /// The number of its next row.
    next: u64,
    /// Timers that have not fired.
    timers: u32,
    /// The time of the last timer that was set for WITHIN.
    ends: i64,
}

/// Rows of a key that have the same time.
struct SameTime {
    time: i64,
    first: u32,
    more: Vec<u32>,
}

/// Lists that a step needs.
#[derive(Default)]
struct Scratch {
    partial: Queue,
    found: Queue,
    edges: Vec<(usize, usize)>,
    open: Vec<usize>,
    rows: Vec<u32>,
}

impl Match {
    /// Looks for a pattern in rows like those of `input`.
    pub fn new(spec: &plan::Match<Aggregate>, input: &plan::Node) -> Self {
        let types: Vec<_> = input.schema.fields.iter().map(|f| f.ty.clone()).collect();
        let condition = |(v, variable): (usize, &plan::PatternVariable<Aggregate>)| {
            variable.condition.as_ref().map(|c| Condition::new(v, c, &input.schema))
        };
        Self {
            partition: spec.partition.clone(),
            time: spec.time,
            then: spec.then.clone(),
            names: spec.variables.iter().map(|v| v.name.clone()).collect(),
            skip: spec.skip,
            within_ms: spec.within_ms,
            nfa: Nfa::new(&spec.variables),
            conditions: spec.variables.iter().enumerate().map(condition).collect(),
            known: vec![None; spec.variables.len()],
            table: KeyTable::new(spec.partition.iter().map(|&c| types[c].clone()).collect(), false),
            keys: vec![],
            paths: Paths::new(types),
            timers: BinaryHeap::new(),
            timers_set: 0,
            watermark: BEFORE_TIME,
            told: Told::new(&spec.measures, &input.schema),
            measures: Projection::new(&spec.measures.exprs),
            ready: Ready::default(),
            counters: Counters::default(),
            late: Late::default(),
            slots: vec![],
            idle: vec![],
            scratch: Scratch::default(),
        }
    }

    /// Rows enter as they come: no timer brings them.
    fn is_immediate(&self) -> bool {
        self.time == MatchTime::Proctime && self.then.is_empty()
    }

    fn not_begun(&self) -> Partial {
        Partial { first: NOT_BEGUN, since: 0, state: self.nfa.start as u32, node: NONE }
    }

    /// Finds the keys of a batch's rows.
    fn find_keys(&mut self, batch: &Batch, rows: &[u32]) {
        self.slots.clear();
        let Self { table, slots, .. } = self;
        with_columns(&self.partition, batch, |columns| table.find_or_insert(None, columns, rows, slots));
        self.keys.resize_with(self.table.bound().max(self.keys.len()), Key::default);
        let not_begun = self.not_begun();
        for &slot in &self.slots {
            let key = &mut self.keys[slot as usize];
            if key.partial.is_empty() {
                key.partial.push(not_begun);
            }
        }
    }

    fn set_timer(&mut self, slot: u32, time: i64) {
        self.keys[slot as usize].timers += 1;
        self.timers.push(Reverse((time, self.timers_set, slot)));
        self.timers_set += 1;
    }

    /// The row waits with its key until `time`.
    fn wait(&mut self, slot: u32, time: i64, row: u32) {
        self.paths.hold_row(row);
        let waiting = &mut self.keys[slot as usize].waiting;
        let at = waiting.partition_point(|i| i.time < time);
        match waiting.get_mut(at) {
            Some(instant) if instant.time == time => instant.more.push(row),
            _ => {
                waiting.insert(at, SameTime { time, first: row, more: vec![] });
                self.set_timer(slot, time);
            }
        }
    }

    /// Fires the timers up to `until` (ms); rows up to then enter, and time goes on to `now`.
    fn wake(&mut self, until: i64, now: i64, cx: &mut Context<'_>) -> Result<()> {
        while let Some(&Reverse((time, _, slot))) = self.timers.peek() {
            if time > until {
                break;
            }
            self.timers.pop();
            self.keys[slot as usize].timers -= 1;
            self.idle.push(slot);
            self.wake_key(slot, until, now, cx)?;
        }
        Ok(())
    }

    fn wake_key(&mut self, slot: u32, until: i64, now: i64, cx: &mut Context<'_>) -> Result<()> {
        loop {
            let waiting = &mut self.keys[slot as usize].waiting;
            if waiting.front().is_none_or(|i| i.time > until) {
                break;
            }
            let Some(instant) = waiting.pop_front() else { break };
            self.end_partial(slot, instant.time)?;
            if instant.more.is_empty() {
                self.enter(slot, instant.time, instant.first, cx)?;
                continue;
            }
            let mut rows = std::mem::take(&mut self.scratch.rows);
            rows.clear();
            rows.push(instant.first);
            rows.extend_from_slice(&instant.more);
            let (columns, keys) = (self.paths.columns(), &self.then);
            rows.sort_by(|&a, &b| compare(columns, keys, a as usize, b as usize));
            let entered = rows.iter().try_for_each(|&row| self.enter(slot, instant.time, row, cx));
            self.scratch.rows = rows;
            entered?;
        }
        self.end_partial(slot, now)
    }

    /// Keys that have nothing begin anew when they come again.
    fn forget_idle(&mut self) {
        self.idle.sort_unstable();
        self.idle.dedup();
        for slot in self.idle.drain(..) {
            let key = &mut self.keys[slot as usize];
            if key.timers == 0
                && key.waiting.is_empty()
                && key.complete.is_empty()
                && key.partial.entries().len() == 1
            {
                key.partial.clear();
                key.next = 0;
                key.ends = 0;
                self.table.remove(slot);
            }
        }
    }

    /// Partial matches that WITHIN has ended by `time` go.
    fn end_partial(&mut self, slot: u32, time: i64) -> Result<()> {
        let Some(within) = self.within_ms else { return Ok(()) };
        let ended = |p: &Partial| p.first != NOT_BEGUN && time.saturating_sub(p.since) >= within;
        let key = &mut self.keys[slot as usize];
        if !key.partial.entries().iter().any(ended) {
            return Ok(());
        }
        let mut left = std::mem::take(&mut self.scratch.partial);
        for p in key.partial.entries() {
            if ended(p) {
                self.paths.release(p.node);
            } else {
                left.push(*p);
            }
        }
        std::mem::swap(&mut key.partial, &mut left);
        left.clear();
        self.scratch.partial = left;
        self.tell(slot, time)
    }

    /// The next row of a key, which has been held for this.
    fn enter(&mut self, slot: u32, time: i64, row: u32, cx: &mut Context<'_>) -> Result<()> {
        let entered = self.step(slot, time, row, cx);
        self.paths.release_row(row);
        entered?;
        self.tell(slot, time)
    }

    /// Takes each partial match on by the row.
    fn step(&mut self, slot: u32, time: i64, row: u32, cx: &mut Context<'_>) -> Result<()> {
        let key = &mut self.keys[slot as usize];
        let number = key.next;
        key.next = number.saturating_add(1);
        let before = std::mem::take(&mut key.partial);
        let mut partial = std::mem::take(&mut self.scratch.partial);
        let mut found = std::mem::take(&mut self.scratch.found);
        self.known.fill(None);
        let mut begun = false;
        let mut failed = None;
        for p in before.entries() {
            match self.advance(p, number, time, row, &mut partial, &mut found, cx) {
                Ok(taken) => begun |= taken && p.first == NOT_BEGUN,
                Err(e) => {
                    failed = Some(e);
                    break;
                }
            }
        }
        before.entries().iter().filter(|p| p.node != NONE).for_each(|p| self.paths.release(p.node));
        let key = &mut self.keys[slot as usize];
        key.partial = partial;
        found.entries().iter().for_each(|p| key.complete.push(*p));
        found.clear();
        let mut spare = before;
        spare.clear();
        self.scratch.partial = spare;
        self.scratch.found = found;
        if let (true, Some(within)) = (begun, self.within_ms) {
            let ends = time.saturating_add(within);
            if self.keys[slot as usize].ends != ends {
                self.keys[slot as usize].ends = ends;
                self.set_timer(slot, ends);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Takes a partial match on by the row; true: some variable takes it.
    #[expect(clippy::too_many_arguments, reason = "a row, and where what becomes of it goes")]
    fn advance(
        &mut self,
        p: &Partial,
        number: u64,
        time: i64,
        row: u32,
        partial: &mut Queue,
        found: &mut Queue,
        cx: &mut Context<'_>,
    ) -> Result<bool> {
        // What depends on the rows before is to be asked anew.
        for (known, c) in self.known.iter_mut().zip(&self.conditions) {
            if c.as_ref().is_some_and(|c| !c.of_row) {
                *known = None;
            }
        }
        let mut edges = std::mem::take(&mut self.scratch.edges);
        let mut open = std::mem::take(&mut self.scratch.open);
        edges.clear();
        open.clear();
        open.push(p.state as usize);
        while let Some(state) = open.pop() {
            for e in 0..self.nfa.states[state].len() {
                if !self.may_pass(state, e, p.node, row, time, cx)? {
                    continue;
                }
                let edge = &self.nfa.states[state][e];
                match edge.take {
                    Some(v) => edges.push((v, edge.target)),
                    None => open.push(edge.target),
                }
            }
        }
        let taken = !edges.is_empty();
        for &(v, target) in &edges {
            let node = self.paths.add(row, v as u32, number, p.node);
            let begun = p.first != NOT_BEGUN;
            let (first, since) = if begun { (p.first, p.since) } else { (number, time) };
            let next = Partial { first, since, state: target as u32, node };
            if target == END {
                found.push(next);
                continue;
            }
            partial.push(next);
            if self.may_end(target, p.node, row, time, &mut open, cx)? {
                self.paths.hold(node);
                found.push(Partial { state: END as u32, ..next });
            }
        }
        if p.first == NOT_BEGUN {
            partial.push(*p);
        }
        self.scratch.edges = edges;
        self.scratch.open = open;
        Ok(taken)
    }

    /// The match may end in that state, without another row.
    fn may_end(
        &mut self,
        state: usize,
        node: u32,
        row: u32,
        time: i64,
        open: &mut Vec<usize>,
        cx: &mut Context<'_>,
    ) -> Result<bool> {
        open.clear();
        open.push(state);
        while let Some(state) = open.pop() {
            for e in 0..self.nfa.states[state].len() {
                let edge = &self.nfa.states[state][e];
                let target = edge.target;
                if edge.take.is_some() || !self.may_pass(state, e, node, row, time, cx)? {
                    continue;
                }
                if target == END {
                    return Ok(true);
                }
                open.push(target);
            }
        }
        Ok(false)
    }

    /// The row fits edge `e` of the state, for a match that ends at `node` so far.
    fn may_pass(
        &mut self,
        state: usize,
        e: usize,
        node: u32,
        row: u32,
        time: i64,
        cx: &mut Context<'_>,
    ) -> Result<bool> {
        if let Some(v) = self.nfa.states[state][e].take
            && !self.fits(v, node, row, time, cx)?
        {
            return Ok(false);
        }
        for k in 0..self.nfa.states[state][e].unless.len() {
            let v = self.nfa.states[state][e].unless[k];
            if self.fits(v, node, row, time, cx)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The condition of variable `v` is true of the row.
    fn fits(&mut self, v: usize, node: u32, row: u32, time: i64, cx: &mut Context<'_>) -> Result<bool> {
        if let Some(known) = self.known[v] {
            return Ok(known);
        }
        let fits = match &mut self.conditions[v] {
            None => true,
            Some(condition) => {
                let at = At { node, row: Some((v, row)), time_us: time.saturating_mul(1000) };
                condition.is_true(at, &self.paths, cx.now_us, self.watermark, cx.pool)?
            }
        };
        self.known[v] = Some(fits);
        Ok(fits)
    }

    /// Tells the complete matches that no partial one began before.
    fn tell(&mut self, slot: u32, time: i64) -> Result<()> {
        loop {
            let key = &mut self.keys[slot as usize];
            let Some(&first) = key.complete.peek() else { return Ok(()) };
            if key.partial.peek().is_some_and(|p| p.first < first.first) {
                return Ok(());
            }
            key.complete.pop();
            let told = self.tell_one(slot, &first, time);
            self.paths.release(first.node);
            told?;
        }
    }

    fn tell_one(&mut self, slot: u32, found: &Partial, time: i64) -> Result<()> {
        let until = self.skipped(found)?;
        let key = &mut self.keys[slot as usize];
        let paths = &mut self.paths;
        for queue in [&mut key.partial, &mut key.complete] {
            queue.remove(|p| {
                let goes = p.first != NOT_BEGUN && p.first < until;
                if goes {
                    paths.release(p.node);
                }
                goes
            });
        }
        let time_us = time.min(LAST_MS).saturating_mul(1000);
        self.told.add(At { node: found.node, row: None, time_us }, &self.paths)
    }

    /// The number of the row from which on a next match may begin.
    fn skipped(&self, found: &Partial) -> Result<u64> {
        let of = |v: usize| self.paths.back(found.node).filter(move |n| n.variable as usize == v);
        let (v, row) = match self.skip {
            Skip::PastLast => return Ok(self.paths.node(found.node).number.saturating_add(1)),
            Skip::ToNext => return Ok(found.first.saturating_add(1)),
            Skip::ToFirst(v) => (v, of(v).last()),
            Skip::ToLast(v) => (v, of(v).next()),
        };
        match row {
            None => Err(Error::runtime(format!(
                "Could not skip to {}. No such element in the found match.",
                self.names[v]
            ))),
            Some(n) if n.number == found.first => {
                Err(Error::runtime("Could not skip to first element of a match."))
            }
            Some(n) => Ok(n.number),
        }
    }

    /// Gives the matches out, `marks` saying after how many of them the watermark moves.
    fn give(&mut self, marks: &Watermarks, failed: Option<Error>, cx: &mut Context<'_>) {
        let mut marks = marks.runs().iter().copied().peekable();
        let (rows, mut from) = (self.told.rows(), 0);
        while from < rows {
            let to = rows.min(from + MAX_ROWS);
            let mut columns = self.told.columns(from, to, cx.pool);
            let mut batch = cx.pool.batch();
            batch.fill(&mut columns, to - from);
            cx.pool.recycle_columns(columns);
            while let Some((after, w)) = marks.next_if(|m| m.0 as usize <= to) {
                batch.watermarks.advance(after as usize - from, w);
            }
            if let Err(e) = self.measures.apply(&mut batch, self.watermark, cx.now_us, cx.pool) {
                cut_before(&mut batch, &e, cx.pool);
                self.ready.push(batch, cx.pool);
                self.ready.fail(e.error);
                self.told.clear();
                return;
            }
            self.ready.push(batch, cx.pool);
            from = to;
        }
        self.told.clear();
        self.forget_idle();
        match failed {
            Some(e) => self.ready.fail(e),
            None => marks.for_each(|(_, w)| self.ready.push_watermark(w, cx.pool)),
        }
        let keys = &mut self.keys;
        self.paths.compact(|moved| {
            for instant in keys.iter_mut().flat_map(|k| &mut k.waiting) {
                instant.first = moved[instant.first as usize];
                instant.more.iter_mut().for_each(|r| *r = moved[*r as usize]);
            }
        });
    }

    /// Takes row `row` of the batch, which stands at `place`.
    fn take(&mut self, batch: &Batch, row: u32, slot: u32, place: u32, cx: &mut Context<'_>) -> Result<()> {
        let MatchTime::Rowtime(column) = self.time else {
            let now = cx.now_us.div_euclid(1000);
            self.counters.absorbed += 1;
            if !self.is_immediate() {
                self.wait(slot, now, place);
                return Ok(());
            }
            self.paths.hold_row(place);
            self.idle.push(slot);
            let ended = self.end_partial(slot, now);
            return ended.and_then(|()| self.enter(slot, now, place, cx));
        };
        let times = batch.column(column);
        if !times.is_valid(row as usize) {
            return Err(Error::runtime(
                "RowTime field should not be null, please convert it to a non-null long value.",
            ));
        }
        let time_us = times.slice::<i64>()[row as usize];
        let time = time_us.div_euclid(1000);
        if time > self.watermark {
            self.counters.absorbed += 1;
            self.wait(slot, time, place);
        } else {
            self.counters.late += 1;
            let when = When { time_us: Some(time_us), watermark: self.watermark, window: None };
            self.late.row(batch, row as usize, when);
            self.idle.push(slot);
        }
        Ok(())
    }

    /// The watermark moves to `w`.
    fn pass(&mut self, w: i64, cx: &mut Context<'_>) -> Result<()> {
        self.watermark = w;
        match self.time {
            MatchTime::Rowtime(_) => self.wake(w, w, cx),
            MatchTime::Proctime => Ok(()),
        }
    }

    /// For the driver's clock: the timers of milliseconds that are over.
    fn tick(&mut self, cx: &mut Context<'_>) {
        let now = cx.now_us.div_euclid(1000);
        if self.time != MatchTime::Proctime || self.timers.peek().is_none_or(|t| t.0.0 >= now) {
            return;
        }
        let failed = self.wake(now - 1, now, cx).err();
        self.give(&Watermarks::default(), failed, cx);
    }
}

impl Operator for Match {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.tick(cx);
        let mut rows = cx.pool.row_list();
        rows.extend(batch.sel().iter().map(|r| r as u32));
        let mut runs = batch.watermarks.runs().iter().copied().peekable();
        let mut marks = cx.pool.watermarks();
        let mut failed = None;
        let mut first = 0;
        if !rows.is_empty() {
            first = self.paths.append(&batch, &rows);
            self.find_keys(&batch, &rows);
        }
        let slots = std::mem::take(&mut self.slots);
        'rows: for (k, &row) in rows.iter().enumerate() {
            while let Some((_, w)) = runs.next_if(|r| r.0 <= row) {
                if let Err(e) = self.pass(w, cx) {
                    failed = Some(e);
                    break 'rows;
                }
                marks.advance(self.told.rows(), w);
            }
            if let Err(e) = self.take(&batch, row, slots[k], first + k as u32, cx) {
                failed = Some(e);
                break;
            }
        }
        for (_, w) in runs {
            if failed.is_none() {
                match self.pass(w, cx) {
                    Ok(()) => marks.advance(self.told.rows(), w),
                    Err(e) => failed = Some(e),
                }
            }
        }
        self.slots = slots;
        self.give(&marks, failed, cx);
        cx.pool.recycle_watermarks(marks);
        cx.pool.recycle_rows(rows);
        cx.pool.recycle(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if self.ready.is_empty() {
            self.tick(cx);
        }
        self.ready.pull(&mut self.counters)
    }

    fn finish(&mut self, _port: usize, cx: &mut Context<'_>) -> Result<()> {
        // Rows of the millisecond at hand: there will be no other.
        if self.time == MatchTime::Proctime {
            let now = cx.now_us.div_euclid(1000);
            let failed = self.wake(now, now, cx).err();
            self.give(&Watermarks::default(), failed, cx);
        }
        Ok(())
    }

    fn has_timers(&self) -> bool {
        self.time == MatchTime::Proctime
    }

    fn wake_at_us(&self) -> Option<i64> {
        let next = self.timers.peek().filter(|_| self.time == MatchTime::Proctime)?.0.0;
        Some(next.saturating_add(1).saturating_mul(1000))
    }

    fn keep_late(&mut self, name: &str, input: &Schema) {
        self.late.keep(name, input);
    }

    fn take_late(&mut self) -> Option<Batch> {
        self.late.take()
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.ready.is_empty(), "nothing waits to be pulled");
        self.encode(to);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        self.decode(from)
    }

    fn state_rows(&self) -> usize {
        self.paths.held()
    }

    fn bytes(&self) -> usize {
        let of_key = |k: &Key| {
            (k.partial.capacity() + k.complete.capacity()) * size_of::<Partial>()
                + k.waiting.capacity() * size_of::<SameTime>()
                + k.waiting.iter().map(|i| i.more.capacity() * 4).sum::<usize>()
        };
        self.table.bytes()
            + self.keys.capacity() * size_of::<Key>()
            + self.keys.iter().map(of_key).sum::<usize>()
            + self.paths.bytes()
            + self.timers.capacity() * size_of::<(i64, u64, u32)>()
            + self.told.bytes()
            + self.conditions.iter().flatten().map(Condition::bytes).sum::<usize>()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

//! The table function SESSION without an aggregation over it: holds the rows of each key's open sessions, and gives them with their window when the
//! watermark passes it.
//!
//! Which window a row belongs to is known only then. Sessions come by time, the rows of a session as they came; where sessions merge,
//! those of the earlier one stand first. Rows are late exactly as for the aggregation ([`super::SessionAggregate`]).

use super::aggregates::{unshared, with_columns};
use super::late::{Late, When};
use super::windows::Windows;
use super::{Context, Counters, Operator};
use crate::batch::{BEFORE_TIME, Batch, DataType, Decoder, Encoder, MAX_ROWS, Pool, RowKind, Schema};
use crate::error::{Error, Result};
use crate::plan::Window;
use crate::state::{KeyTable, Place, Rows, Sessions, decode_row, encode_row};
use std::collections::VecDeque;

/// See the module's text.
pub struct SessionAssign {
    keys: Vec<usize>,
    time: usize,
    windows: Windows,
    /// The types of the output: the input's and the three of the window.
    types: Vec<DataType>,
    table: KeyTable,
    sessions: Sessions,
    rows: Rows,
    /// By session: its rows.
    members: Vec<VecDeque<(RowKind, u32)>>,
    /// The kinds of rows differ.
    changing: bool,
    watermark: i64,
    told: i64,
    output: VecDeque<Step>,
    counters: Counters,
    late: Late,
    key_slots: Vec<u32>,
    scratch: Vec<u8>,
    idle: Vec<u32>,
}

/// What is to be given, in order.
enum Step {
    Session(u32),
    Watermark(i64),
}

impl SessionAssign {
    /// Assigns sessions by the time attribute `time`; `output` is the input's columns and the three of the window.
    pub fn new(window: &Window, time: usize, input: &crate::plan::Node, output: &Schema) -> Self {
        let key_types = window.partition.iter().map(|&k| input.schema.ty(k).clone()).collect();
        Self {
            keys: window.partition.clone(),
            time,
            windows: Windows::new(window),
            types: output.fields.iter().map(|f| f.ty.clone()).collect(),
            table: KeyTable::new(key_types, false),
            sessions: Sessions::default(),
            rows: Rows::default(),
            members: Vec::new(),
            changing: !input.changelog.is_insert_only(),
            watermark: BEFORE_TIME,
            told: BEFORE_TIME,
            output: VecDeque::new(),
            counters: Counters::default(),
            late: Late::default(),
            key_slots: Vec::new(),
            scratch: Vec::new(),
            idle: Vec::new(),
        }
    }

    fn take(&mut self, batch: &Batch, pool: &mut Pool) {
        let time = batch.column(self.time);
        let times = time.slice::<i64>();
        let mut placed = pool.row_list();
        placed.extend(batch.sel().iter().filter(|&r| time.is_valid(r)).map(|r| r as u32));
        self.counters.filtered += (batch.selected() - placed.len()) as u64;
        let mut key_slots = std::mem::take(&mut self.key_slots);
        key_slots.clear();
        with_columns(&self.keys, batch, |columns| {
            self.table.find_or_insert(None, columns, &placed, &mut key_slots);
        });
        let mut marks = batch.watermarks.runs().iter().copied().peekable();
        for (&row, &key) in placed.iter().zip(&key_slots) {
            while let Some((_, w)) = marks.next_if(|m| m.0 <= row) {
                self.advance(w);
            }
            let own = self.windows.first(times[row as usize]);
            let windows = &self.windows;
            let place =
                self.sessions.place(key, (own.start, own.end), self.watermark, |end| windows.due(end));
            self.members.resize_with(self.sessions.bound(), VecDeque::new);
            let slot = match place {
                Place::Late => {
                    self.counters.late += 1;
                    let when = When {
                        time_us: Some(times[row as usize]),
                        watermark: self.watermark,
                        window: Some((own.start, own.end)),
                    };
                    self.late.row(batch, row as usize, when);
                    self.idle.push(key);
                    continue;
                }
                Place::In(slot) => slot,
                Place::Merged(slot, other) => {
                    let mut more = std::mem::take(&mut self.members[other as usize]);
                    self.members[slot as usize].append(&mut more);
                    self.sessions.free(other);
                    slot
                }
            };
            self.counters.absorbed += 1;
            self.scratch.clear();
            encode_row(batch, row as usize, &mut self.scratch);
            let held = self.rows.insert(&self.scratch);
            self.members[slot as usize].push_back((batch.kind(row as usize), held));
        }
        marks.for_each(|(_, w)| self.advance(w));
        pool.recycle_rows(placed);
        self.key_slots = key_slots;
    }

    /// Moves the watermark, closing what is due.
    fn advance(&mut self, watermark: i64) {
        let mut told = false;
        while let Some(slot) = self.sessions.close(watermark, |end| self.windows.due(end)) {
            if !std::mem::replace(&mut told, true) {
                self.tell_watermark();
            }
            self.idle.push(self.sessions.get(slot).key);
            self.output.push_back(Step::Session(slot));
        }
        self.watermark = watermark;
    }

    fn tell_watermark(&mut self) {
        if self.watermark > self.told {
            self.told = self.watermark;
            self.output.push_back(Step::Watermark(self.watermark));
        }
    }

    /// The next batch of what is to be given.
    fn gather(&mut self, pool: &mut Pool) -> Option<Batch> {
        let mut batch = pool.batch();
        let mut kinds = pool.kind_list();
        let mut columns = pool.column_list();
        let own = self.types.len() - 3;
        while let Some(step) = self.output.pop_front() {
            let slot = match step {
                Step::Watermark(w) => {
                    batch.watermarks.advance(kinds.len(), w);
                    continue;
                }
                Step::Session(slot) if kinds.len() < MAX_ROWS => slot,
                Step::Session(_) => {
                    self.output.push_front(step);
                    break;
                }
            };
            if columns.is_empty() {
                columns.extend(self.types.iter().map(|t| pool.column(t)));
            }
            let s = *self.sessions.get(slot);
            let window = [s.start, s.end, self.windows.time(s.end)];
            let members = &mut self.members[slot as usize];
            while kinds.len() < MAX_ROWS
                && let Some((kind, row)) = members.pop_front()
            {
                decode_row(self.rows.get(row), columns[..own].iter_mut().map(unshared));
                self.rows.remove(row);
                for (c, v) in columns[own..].iter_mut().zip(window) {
                    let c = unshared(c);
                    c.buffer_mut::<i64>().push(v);
                    c.validity.push(true);
                }
                kinds.push(kind);
            }
            if members.is_empty() {
                self.sessions.free(slot);
            } else {
                self.output.push_front(Step::Session(slot));
            }
        }
        batch.columns.append(&mut columns);
        pool.recycle_columns(columns);
        batch.set_rows(kinds.len());
        if self.changing && !kinds.is_empty() {
            batch.set_kinds(Some(kinds));
        } else {
            pool.recycle_kinds(kinds);
        }
        if batch.is_empty() {
            pool.recycle(batch);
            return None;
        }
        Some(batch)
    }

    /// Takes keys without a session out of the state. Nothing waits to be pulled.
    fn forget_idle(&mut self) {
        self.idle.sort_unstable();
        self.idle.dedup();
        for key in self.idle.drain(..) {
            if !self.sessions.has(key) {
                self.table.remove(key);
            }
        }
    }
}

impl Operator for SessionAssign {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        if batch.selected() > 0 {
            self.take(&batch, cx.pool);
        } else if let Some(w) = batch.watermarks.last() {
            self.advance(w);
        }
        self.tell_watermark();
        cx.pool.recycle(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        while !self.output.is_empty() {
            if let Some(batch) = self.gather(cx.pool) {
                self.counters.rows_out += batch.rows() as u64;
                return Ok(Some(batch));
            }
        }
        self.forget_idle();
        Ok(None)
    }

    fn keep_late(&mut self, name: &str, input: &Schema) {
        self.late.keep(name, input);
    }

    fn take_late(&mut self) -> Option<Batch> {
        self.late.take()
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.output.is_empty() && self.idle.is_empty(), "nothing waits to be pulled");
        to.block(b"SASG", 1);
        to.i64(self.watermark);
        let keys = self.table.order();
        self.table.encode(&keys, to);
        self.sessions.encode(&keys, |end| self.windows.due(end), to);
        let mut held = vec![];
        for s in self.sessions.of(&keys) {
            let members = &self.members[s as usize];
            to.slice(&members.iter().map(|m| m.0 as u8).collect::<Vec<_>>());
            held.extend(members.iter().map(|m| m.1));
        }
        self.rows.encode(&self.types[..self.types.len() - 3], &held, to);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"SASG", 1)?;
        let damaged = || Error::corrupt("the rows of sessions are damaged");
        self.watermark = from.i64()?;
        self.told = self.watermark;
        self.table.decode(None, from)?;
        let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];
        let mut next = 0;
        for _ in 0..self.sessions.decode(from)? {
            let mut members = VecDeque::new();
            for kind in from.slice::<u8>()? {
                members.push_back((*kinds.get(kind as usize).ok_or_else(damaged)?, next));
                next += 1;
            }
            self.members.push(members);
        }
        let held = self.rows.decode(&self.types[..self.types.len() - 3], from)?;
        if held == next as usize { Ok(()) } else { Err(damaged()) }
    }

    fn state_rows(&self) -> usize {
        self.rows.len()
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
            + self.sessions.bytes()
            + self.rows.bytes()
            + self.members.iter().map(|m| m.capacity() * size_of::<(RowKind, u32)>()).sum::<usize>()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use crate::operators::testing::{check, input, node, run};
    use crate::plan::{Changelog, Op, Window, WindowKind, WindowTime};

    const OUT: &str = "k STRING, v BIGINT, t ROWTIME, start TIMESTAMP, end TIMESTAMP, time ROWTIME";

    fn sessions(partition: Vec<usize>) -> Op {
        let kind = WindowKind::Session { gap: 5 };
        Op::WindowAssign(Window {
            kind,
            time: WindowTime::Attribute(2),
            partition,
            grouping: false,
            zone: None,
        })
    }

    #[test]
    fn rows_come_with_their_session_once_it_is_over() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::ALL);
        check(
            &node(sessions(vec![0]), OUT, Changelog::ALL),
            &[&from],
            "a 1 0
             b 2 1
             a 3 9
             -U a 4 5
             ~ 5
             c 5 null
             b 6 1
             ~ 6
             d 7 1
             ~ 20",
            "~ 5
             +I b 2 1 1 6 5
             ~ 20
             +I a 1 0 0 14 13
             +I a 3 9 0 14 13
             -U a 4 5 0 14 13
             ~ end"
                .replace("~ 5\n             +I b", "+I b")
                .replace("~ 20\n", "~ 6\n")
                .as_str(),
        );
    }

    #[test]
    fn a_long_session_comes_in_parts() {
        let from = input("k STRING, v BIGINT, t ROWTIME", Changelog::INSERT);
        let text: String = (0..2500).map(|i| format!("a {i} {i}\n")).collect();
        let out = run(&node(sessions(vec![]), OUT, Changelog::INSERT), &[&from], &text, 100);
        assert_eq!(out.batches, [1024, 1024, 452]);
        assert_eq!(out.lines[2499], "+I a 2499 2499 0 2504 2503");
    }
}

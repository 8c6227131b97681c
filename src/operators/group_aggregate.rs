//! Group aggregate: one row per key, updated with every row that changes it. Without aggregates it is DISTINCT.
//!
//! The changelog is Flink's, row by row: `+I` for the first row of a group, `-U` and `+U` when an aggregate has changed, nothing when none
//! has, `-D` when the last row has left. A row that leaves a group that is not there is ignored. With `table.exec.state.ttl` a group that had
//! no row for that long is forgotten ([`super::expiry`]), and `-U` and `+U` come for each row, changed or not: a sign of life. The key of an output row is that of the input row which caused it.
//!
//! A batch goes through in columns: slots for all rows, then each aggregate over all rows with its values before and after
//! each, then the output gathered from those. Two things are settled before, in one pass over the rows when rows may leave:
//! which rows are ignored, and groups that end and begin anew within the batch, which get another slot for the new life so
//! that no aggregate has to be reset in the middle.

use super::aggregates::{Aggregates, with_columns};
use super::expiry::Expiry;
use super::gather::{pair_differs, pick, position};
use super::ready::Ready;
use super::{Context, Counters, Operator};
use crate::batch::{Batch, DataType, Decoder, Encoder, Home, MAX_ROWS, Pool, RowKind, Watermarks};
use crate::error::{Error, Result};
use crate::expr::{Expr, RowError};
use crate::plan::{self, Changelog};
use crate::state::KeyTable;

/// See the module's text.
pub struct GroupAggregate {
    keys: Vec<usize>,
    table: KeyTable,
    aggregates: Aggregates,
    /// Rows in each group, by slot; absent: input only grows.
    counts: Option<Vec<i64>>,
    /// `-U` rows are wanted.
    before: bool,
    output: Output,
    /// What goes out without being gathered.
    ready: Ready,
    counters: Counters,
    work: Work,
    /// Groups end by themselves.
    expiry: Option<Expiry>,
}

/// Lists of one push, kept for their memory.
#[derive(Default)]
struct Work {
    rows: Vec<u32>,
    slots: Vec<u32>,
    /// What the row means to its group.
    steps: Vec<Step>,
    /// Slots whose group has ended in this batch.
    ended: Vec<u32>,
    /// By slot: see [`Fate`].
    fates: Vec<Fate>,
}

/// What became of a slot in this batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It has its group, if any.
    Keeps,
    /// Its group has ended.
    Ended,
    /// Its group has ended and begun anew in this other slot.
    Renewed(u32),
}

/// What a row does to the existence of its group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Begins,
    Stays,
    Ends,
}

/// The output of a batch, of which [`Operator::pull`] gathers one part at a time.
#[derive(Default)]
struct Output {
    /// Of its columns: keys, then aggregates.
    types: Vec<DataType>,
    home: Home,
    /// The input, for the keys.
    batch: Option<Batch>,
    rows: Vec<u32>,
    picks: Vec<u32>,
    kinds: Vec<RowKind>,
    watermarks: Watermarks,
    /// Picks and watermarks that have been given.
    given: usize,
    given_marks: usize,
    waiting: bool,
    error: Option<Error>,
}

impl GroupAggregate {
    /// An aggregation of input with that schema and changelog; `output` says which row kinds are wanted. FILTER's columns behind those of the input
    /// are `conditions`.
    pub fn new(
        keys: &[usize],
        aggregates: &[plan::Aggregate],
        conditions: &[Expr],
        input: &plan::Node,
        output: Changelog,
    ) -> Self {
        let retracting = !input.changelog.is_insert_only();
        let key_types: Vec<_> = keys.iter().map(|&k| input.schema.ty(k).clone()).collect();
        Self {
            keys: keys.to_vec(),
            output: Output {
                types: key_types.iter().chain(aggregates.iter().map(|a| &a.ty)).cloned().collect(),
                ..Output::default()
            },
            table: KeyTable::new(key_types, false),
            aggregates: Aggregates::new(aggregates, &input.schema, retracting)
                .asking(conditions, &input.schema),
            counts: retracting.then(Vec::new),
            before: output.contains(RowKind::UpdateBefore),
            ready: Ready::default(),
            counters: Counters::default(),
            work: Work::default(),
            expiry: None,
        }
    }

    /// Finds the group of every row, and what the row means to its existence. Rows that are ignored are taken out.
    fn find_groups(&mut self, batch: &Batch) {
        let Work { rows, slots, steps, ended, fates } = &mut self.work;
        rows.clear();
        slots.clear();
        steps.clear();
        batch.sel().list(rows);
        let mut next = self.table.bound() as u32;
        with_columns(&self.keys, batch, |columns| {
            self.table.find_or_insert(None, columns, rows, slots);
        });
        let Some(counts) = &mut self.counts else {
            // Nothing is ever removed, so new keys get ascending slots.
            steps.extend(slots.iter().map(|&s| {
                let new = s == next;
                next += u32::from(new);
                if new { Step::Begins } else { Step::Stays }
            }));
            return;
        };
        let bound = self.table.bound();
        counts.resize(bound, 0);
        fates.resize(bound, Fate::Keeps);
        let mut kept = 0;
        for k in 0..rows.len() {
            let (row, mut slot) = (rows[k], slots[k]);
            while let Fate::Renewed(new) = fates[slot as usize] {
                slot = new;
            }
            let step = if batch.kind(row as usize).is_add() {
                if fates[slot as usize] == Fate::Ended {
                    let new = self.table.renew(slot);
                    fates[slot as usize] = Fate::Renewed(new);
                    slot = new;
                    counts.resize(self.table.bound(), 0);
                    fates.resize(self.table.bound(), Fate::Keeps);
                }
                let count = &mut counts[slot as usize];
                *count += 1;
                if *count == 1 { Step::Begins } else { Step::Stays }
            } else {
                let (count, fate) = (&mut counts[slot as usize], &mut fates[slot as usize]);
                let ignored = *count == 0;
                *count -= i64::from(!ignored);
                if *count == 0 && *fate == Fate::Keeps {
                    // Also a slot that was made for nothing, for a group that is not there.
                    *fate = Fate::Ended;
                    ended.push(slot);
                }
                match (ignored, *count) {
                    (true, _) => continue,
                    (false, 0) => Step::Ends,
                    (false, _) => Step::Stays,
                }
            };
            (rows[kept], slots[kept]) = (row, slot);
            steps.push(step);
            kept += 1;
        }
        rows.truncate(kept);
        slots.truncate(kept);
    }

    /// Forgets the groups that have lived out their time.
    fn expire(&mut self, now: i64) {
        let (Some(expiry), Some(counts)) = (&mut self.expiry, &mut self.counts) else { return };
        while let Some(slot) = expiry.next(now) {
            self.aggregates.reset(slot);
            self.table.remove(slot);
            counts[slot as usize] = 0;
        }
    }

    /// Gives the slots of ended groups back.
    fn end_groups(&mut self) {
        let Work { ended, fates, .. } = &mut self.work;
        for slot in ended.drain(..) {
            self.aggregates.reset(slot);
            if let Some(expiry) = &mut self.expiry {
                expiry.forget(slot);
            }
            match std::mem::replace(&mut fates[slot as usize], Fate::Keeps) {
                Fate::Renewed(_) => self.table.free(slot),
                _ => self.table.remove(slot),
            }
        }
    }

    /// DISTINCT: the rows that begin or end a group, as they stand in the input.
    fn push_distinct(&mut self, mut batch: Batch, pool: &mut Pool) {
        let Work { rows, steps, .. } = &self.work;
        let mut selection = pool.row_list();
        let moves = rows.iter().zip(steps).filter(|(_, s)| **s != Step::Stays);
        selection.extend(moves.clone().map(|(&r, _)| r));
        if self.counts.is_some() {
            let mut kinds = pool.kind_list();
            kinds.resize(batch.rows(), RowKind::Insert);
            moves.filter(|(_, s)| **s == Step::Ends).for_each(|(&r, _)| kinds[r as usize] = RowKind::Delete);
            if let Some(old) = batch.set_kinds(Some(kinds)) {
                pool.recycle_kinds(old);
            }
        }
        if let Some(old) = batch.select(Some(selection)) {
            pool.recycle_rows(old);
        }
        let mut columns = pool.column_list();
        columns.extend(self.keys.iter().map(|&k| batch.column(k).clone()));
        let (batch, old) = batch.with_columns(columns);
        pool.recycle_columns(old);
        self.ready.push(batch, pool);
    }

    /// Decides which rows go out for the batch. `failed`: nothing at and after that row.
    fn plan_output(&mut self, mut batch: Batch, failed: Option<RowError>) {
        let Work { rows, steps, .. } = &mut self.work;
        let out = &mut self.output;
        if let Some(e) = failed {
            rows.truncate(rows.partition_point(|&r| (r as usize) < e.row));
            batch.watermarks.truncate(e.row);
            out.error = Some(e.error);
        }
        out.watermarks.clear();
        // Lists of its own: where they stand and how long they are needs no look into the operator from row to row.
        let (mut picks, mut kinds) = (std::mem::take(&mut out.picks), std::mem::take(&mut out.kinds));
        picks.clear();
        kinds.clear();
        picks.reserve(2 * rows.len());
        kinds.reserve(2 * rows.len());
        let changed = self.aggregates.changed(rows.len());
        let (before, lives_on) = (self.before, self.expiry.is_some());
        let marks = batch.watermarks.runs();
        let mut mark = 0;
        for (k, ((&row, &step), &changed)) in rows.iter().zip(&*steps).zip(changed).enumerate() {
            while let Some(&(_, w)) = marks.get(mark).filter(|m| m.0 <= row) {
                out.watermarks.advance(picks.len(), w);
                mark += 1;
            }
            match step {
                Step::Begins => {
                    picks.push(pick(k, true));
                    kinds.push(RowKind::Insert);
                }
                Step::Stays if changed == 0 && !lives_on => {}
                Step::Stays if before => {
                    picks.extend_from_slice(&[pick(k, false), pick(k, true)]);
                    kinds.extend_from_slice(&[RowKind::UpdateBefore, RowKind::UpdateAfter]);
                }
                Step::Stays => {
                    picks.push(pick(k, true));
                    kinds.push(RowKind::UpdateAfter);
                }
                Step::Ends => {
                    picks.push(pick(k, false));
                    kinds.push(RowKind::Delete);
                }
            }
        }
        marks[mark..].iter().for_each(|m| out.watermarks.advance(picks.len(), m.1));
        (out.picks, out.kinds) = (picks, kinds);
        std::mem::swap(&mut out.rows, rows);
        out.batch = Some(batch);
        out.given = 0;
        out.given_marks = 0;
        out.waiting = !out.picks.is_empty() || !out.watermarks.is_empty();
    }

    /// The row of a batch that has one alone, where rows only come and groups do not end.
    #[inline]
    fn alone(&self, batch: &Batch) -> Option<usize> {
        batch.only().filter(|_| self.counts.is_none() && self.aggregates.len() > 0)
    }

    /// Takes a row that comes [alone](GroupAggregate::alone): straight from the batch into the groups, and from these into the
    /// batch that goes out, whose rows are those before and after it.
    ///
    /// # Errors
    /// The row cannot be taken; the batch that goes out is what came before it.
    fn take_row(&mut self, mut batch: Batch, row: usize, pool: &mut Pool) -> (Batch, Result<()>) {
        self.counters.batches_in += 1;
        self.counters.rows_in += 1;
        let bound = self.table.bound();
        let slot =
            with_columns(&self.keys, &batch, |columns| self.table.find_or_insert_row(columns, row as u32));
        let begins = slot as usize == bound;
        self.counters.absorbed += 1;
        self.aggregates.grow(self.table.bound());
        let Output { types, home, .. } = &mut self.output;
        let mut out = pool.batch_at(home, types);
        let (own_keys, own) = out.columns.split_at_mut(self.keys.len());
        let group = (slot, begins);
        if let Err(e) = self.aggregates.update_row_tracked(&batch, row as u32, group, own, pool) {
            pool.recycle(out);
            batch.watermarks.truncate(e.row);
            pool.select_none(&mut batch);
            return (batch, Err(e.error));
        }
        for ((&k, to), ty) in self.keys.iter().zip(own_keys).zip(types.iter()) {
            let to = pool.own(to, ty);
            if begins {
                to.set_only(batch.column(k), row);
            } else {
                to.set_pair(batch.column(k), row);
            }
        }
        let rows = match begins {
            true => 1,
            false if own.iter().any(|pair| pair_differs(pair)) => 2,
            false => 0,
        };
        if rows == 0 {
            // Its columns have rows, but none that counts.
            pool.recycle(out);
            pool.select_none(&mut batch);
            return (batch, Ok(()));
        }
        for &(after, w) in batch.watermarks.runs() {
            out.watermarks.advance(if after as usize <= row { 0 } else { rows }, w);
        }
        pool.recycle(batch);
        out.set_rows(rows);
        if !begins {
            out.set_update();
            if !self.before {
                out.select_one(1);
            }
        }
        (out, Ok(()))
    }
}

impl Output {
    /// The next part of the output.
    fn gather(&mut self, keys: &[usize], aggregates: &mut Aggregates, pool: &mut Pool) -> Batch {
        let (start, end) = (self.given, self.picks.len().min(self.given + MAX_ROWS));
        let picks = &self.picks[start..end];
        let mut out = match &self.batch {
            Some(batch) if !picks.is_empty() => {
                let mut out = pool.batch_at(&mut self.home, &self.types);
                let (own_keys, own) = out.columns.split_at_mut(keys.len());
                let mut rows = pool.row_list();
                rows.extend(picks.iter().map(|&p| self.rows[position(p)]));
                for ((&k, to), ty) in keys.iter().zip(own_keys).zip(&self.types) {
                    let to = pool.own(to, ty);
                    to.clear();
                    to.extend_rows(batch.column(k), &rows);
                }
                pool.recycle_rows(rows);
                aggregates.take(picks, own, pool);
                out.set_rows(picks.len());
                out
            }
            _ => pool.batch(),
        };
        let kinds = &self.kinds[start..end];
        if kinds.iter().any(|&k| k != RowKind::Insert) {
            let mut list = pool.kind_list();
            list.extend_from_slice(kinds);
            out.set_kinds(Some(list));
        }
        for &(after, w) in &self.watermarks.runs()[self.given_marks..] {
            if after as usize > end {
                break;
            }
            out.watermarks.advance(after as usize - start, w);
            self.given_marks += 1;
        }
        self.given = end;
        self.waiting = end < self.picks.len();
        out
    }
}

impl Operator for GroupAggregate {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        if batch.selected() == 0 {
            self.ready.push(batch, cx.pool);
            return Ok(());
        }
        let now = cx.now_us.div_euclid(1000);
        self.expire(now);
        self.find_groups(&batch);
        if let Some(expiry) = &mut self.expiry {
            self.work.slots.iter().for_each(|&s| expiry.touch(s, now));
        }
        let taken = self.work.rows.len();
        self.counters.absorbed += taken as u64;
        self.counters.filtered += (batch.selected() - taken) as u64;
        if self.aggregates.len() == 0 {
            self.push_distinct(batch, cx.pool);
        } else {
            self.aggregates.grow(self.table.bound());
            let Work { rows, slots, .. } = &self.work;
            let failed = self.aggregates.update_tracked(&batch, rows, slots, cx.pool).err();
            self.plan_output(batch, failed);
        }
        self.end_groups();
        Ok(())
    }

    fn pass(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some(row) = self.alone(&batch) else {
            self.push(port, batch, cx)?;
            return Ok(None);
        };
        let (out, taken) = self.take_row(batch, row, cx.pool);
        if let Err(e) = taken {
            self.ready.push(out, cx.pool);
            self.ready.fail(e);
            return Ok(None);
        }
        self.counters.rows_out += out.selected() as u64;
        Ok(Some(out))
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if self.output.waiting {
            let batch = self.output.gather(&self.keys, &mut self.aggregates, cx.pool);
            self.counters.rows_out += batch.selected() as u64;
            return Ok(Some(batch));
        }
        if let Some(batch) = self.output.batch.take() {
            cx.pool.recycle(batch);
            self.aggregates.release(cx.pool);
        }
        if let Some(e) = self.output.error.take() {
            return Err(e);
        }
        self.ready.pull(&mut self.counters)
    }

    fn set_state_ttl(&mut self, ttl_ms: i64) {
        self.expiry = Some(Expiry::new(ttl_ms));
        // Which slots have a group is no longer a matter of their numbers.
        self.counts.get_or_insert_default();
        self.aggregates.end_groups();
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(!self.output.waiting && self.ready.is_empty(), "nothing waits to be pulled");
        to.block(b"GAGG", 2);
        let order = self.table.order();
        self.table.encode(&order, to);
        if let Some(c) = &self.counts {
            to.slice(&order.iter().map(|&s| c[s as usize]).collect::<Vec<_>>());
        }
        self.aggregates.encode(&order, self.table.bound(), to);
        if let Some(expiry) = &self.expiry {
            expiry.encode(&order, to);
        }
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"GAGG", 2)?;
        let groups = self.table.decode(None, from)?;
        if let Some(c) = &mut self.counts {
            *c = from.slice()?;
            if c.len() != groups {
                return Err(Error::corrupt("the counts of an aggregation do not fit its groups"));
            }
        }
        self.aggregates.decode(groups, from)?;
        match &mut self.expiry {
            Some(expiry) => expiry.decode(groups, from),
            None => Ok(()),
        }
    }

    fn state_rows(&self) -> usize {
        self.table.len()
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
            + self.aggregates.bytes()
            + self.expiry.as_ref().map_or(0, Expiry::bytes)
            + self.counts.as_ref().map_or(0, |c| c.capacity() * size_of::<i64>())
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::testing::{aggregate, check, input, node, run};
    use crate::plan::{Node, Op};

    fn group(keys: &[usize], aggregates: Vec<plan::Aggregate>, schema: &str) -> Node {
        node(
            Op::GroupAggregate { keys: keys.to_vec(), aggregates, conditions: vec![] },
            schema,
            Changelog::ALL,
        )
    }

    #[test]
    fn each_row_updates_its_group() {
        let from = input("k STRING, v BIGINT", Changelog::INSERT);
        let aggregates = vec![aggregate("COUNT", &[]), aggregate("SUM", &[1]), aggregate("MAX", &[1])];
        let op = group(&[0], aggregates, "k STRING, n BIGINT, s BIGINT, m BIGINT");
        check(
            &op,
            &[&from],
            "a 1
             ~ 5
             null 7
             a 3
             ~ 6
             a null
             a -1",
            "+I a 1 1 1
             ~ 5
             +I null 1 7 7
             -U a 1 1 1
             +U a 2 4 3
             ~ 6
             -U a 2 4 3
             +U a 3 4 3
             -U a 3 4 3
             +U a 4 3 3
             ~ end",
        );
    }

    #[test]
    fn what_changes_nothing_emits_nothing_and_minus_u_only_when_wanted() {
        let from = input("k BIGINT, v BIGINT", Changelog::INSERT);
        let mut op = group(&[0], vec![aggregate("MAX", &[1])], "k BIGINT, m BIGINT");
        op.changelog = Changelog::UPSERT;
        check(
            &op,
            &[&from],
            "1 5
             1 4
             1 6
             2 null
             2 null
             1 6",
            "+I 1 5
             +U 1 6
             +I 2 null
             ~ end",
        );
    }

    #[test]
    fn groups_end_with_their_last_row_and_begin_anew() {
        let from = input("k BIGINT, v BIGINT", Changelog::ALL);
        let op = group(
            &[0],
            vec![aggregate("COUNT", &[]), aggregate("SUM", &[1])],
            "k BIGINT, n BIGINT, s BIGINT",
        );
        check(
            &op,
            &[&from],
            "-D 1 9
             +I 1 5
             -U 1 5
             +U 1 6
             +I 2 1
             -D 1 6
             -D 1 6
             +I 1 7
             +I 1 1
             -U 1 7
             +U 1 8
             -D 2 1
             -D 3 1",
            "+I 1 1 5
             -D 1 1 5
             +I 1 1 6
             +I 2 1 1
             -D 1 1 6
             +I 1 1 7
             -U 1 1 7
             +U 1 2 8
             -U 1 2 8
             +U 1 1 1
             -U 1 1 1
             +U 1 2 9
             -D 2 1 1
             ~ end",
        );
    }

    #[test]
    fn filter_and_distinct_decide_what_an_aggregate_sees() {
        let from = input("k BIGINT, v BIGINT, f BOOLEAN", Changelog::ALL);
        let mut filtered = aggregate("SUM", &[1]);
        filtered.filter = Some(2);
        let mut distinct = aggregate("SUM", &[1]);
        distinct.distinct = true;
        let mut both = aggregate("COUNT", &[1]);
        (both.distinct, both.filter) = (true, Some(2));
        let op = group(
            &[0],
            vec![aggregate("COUNT", &[]), filtered, distinct, both],
            "k BIGINT, n BIGINT, f BIGINT, d BIGINT, b BIGINT",
        );
        check(
            &op,
            &[&from],
            "1 5 true
             1 5 false
             1 7 null
             2 5 true
             1 5 true
             1 null true
             -D 1 5 true
             -D 1 5 false
             -D 1 5 true
             -D 2 6 true",
            "+I 1 1 5 5 1
             -U 1 1 5 5 1
             +U 1 2 5 5 1
             -U 1 2 5 5 1
             +U 1 3 5 12 1
             +I 2 1 5 5 1
             -U 1 3 5 12 1
             +U 1 4 10 12 1
             -U 1 4 10 12 1
             +U 1 5 10 12 1
             -U 1 5 10 12 1
             +U 1 4 5 12 1
             -U 1 4 5 12 1
             +U 1 3 5 12 1
             -U 1 3 5 12 1
             +U 1 2 null 7 0
             -D 2 1 5 5 1
             ~ end",
        );
    }

    #[test]
    fn without_keys_there_is_one_group_and_without_rows_nothing() {
        let from = input("v BIGINT", Changelog::ALL);
        let op = group(&[], vec![aggregate("COUNT", &[])], "n BIGINT");
        check(&op, &[&from], "~ 5", "~ end");
        check(
            &op,
            &[&from],
            "-D 4
             1
             2
             -D 1
             -D 2
             3",
            "+I 1
             -U 1
             +U 2
             -U 2
             +U 1
             -D 1
             +I 1
             ~ end",
        );
    }

    #[test]
    fn without_aggregates_it_is_distinct() {
        let from = input("a BIGINT, b STRING", Changelog::INSERT);
        let op = group(&[1, 0], vec![], "b STRING, a BIGINT");
        check(
            &op,
            &[&from],
            "1 x
             1 x
             ~ 5
             1 null
             2 x
             1 null",
            "+I x 1
             ~ 5
             +I null 1
             +I x 2
             ~ end",
        );
        let from = input("a BIGINT, b STRING", Changelog::ALL);
        check(
            &op,
            &[&from],
            "1 x
             1 x
             -U 1 x
             +U 2 x
             -D 1 x
             -D 1 x
             1 x",
            "+I x 1
             +I x 2
             -D x 1
             +I x 1
             ~ end",
        );
    }

    #[test]
    fn rows_before_a_failing_one_go_out() {
        let from = input("k BIGINT, v BIGINT", Changelog::INSERT);
        let op = group(
            &[0],
            vec![aggregate("SUM", &[1]), aggregate("COUNT", &[])],
            "k BIGINT, s BIGINT, n BIGINT",
        );
        check(
            &op,
            &[&from],
            "1 5
             1 6
             ~ 7
             1 666
             1 8",
            "+I 1 5 1
             -U 1 5 1
             +U 1 11 2
             ~ 7
             error: the beast",
        );
    }

    #[test]
    fn output_comes_in_parts() {
        let from = input("k BIGINT", Changelog::INSERT);
        let op = group(&[0], vec![aggregate("COUNT", &[])], "k BIGINT, n BIGINT");
        let text: String = (0..1024).map(|i| format!("{}\n", i % 10)).collect();
        let out = run(&op, &[&from], &text, 1024);
        assert_eq!(out.batches, [1024, 1014]);
    }
}

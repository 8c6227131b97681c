//! Group aggregate with mini-batches (`table.exec.mini-batch.enabled`): a key's updates are folded, and told once a bundle.
//!
//! A bundle ends when it is full, when the clock passes the next multiple of `allow-latency`, and when the input ends. Full means what it means in
//! Flink. Aggregated in one phase, a bundle has so many rows. In two phases, which Flink takes when all aggregates can be merged, so many rows
//! make one change for each of their keys, and so many of those changes fill the bundle: with one group, the square of the number.
//! Flink tells the keys of a bundle in the order of a hash table; here they come in the order of their first rows.
//!
//! Rows go into the accumulators as they come; what is held is the value that each touched group had when the bundle began.

use super::aggregates::{Aggregates, unshared, with_columns};
use super::expiry::Expiry;
use super::gather::{extend_picks, mark_changed, pick, position, runs};
use super::ready::Ready;
use super::{Context, Counters, Operator};
use crate::batch::{Batch, ColumnRef, DataType, Decoder, END_OF_TIME, Encoder, MAX_ROWS, Pool, RowKind};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::plan::{self, Changelog, MiniBatch};
use crate::state::KeyTable;

/// See the module's text.
pub struct BundledAggregate {
    keys: Vec<usize>,
    key_types: Vec<DataType>,
    table: KeyTable,
    aggregates: Aggregates,
    types: Vec<DataType>,
    /// Rows in each group, by slot.
    counts: Vec<i64>,
    /// `-U` rows are wanted.
    before: bool,
    limits: MiniBatch,
    two_phases: bool,
    bundle: Bundle,
    ready: Ready,
    counters: Counters,
    expiry: Option<Expiry>,
    rows: Vec<u32>,
    slots: Vec<u32>,
}

/// What has come since something was told.
#[derive(Default)]
struct Bundle {
    /// The groups that have had a row, in the order of their first ones.
    touched: Vec<u32>,
    /// Parallel to it: the group was there, and its values.
    existed: Vec<bool>,
    befores: Vec<ColumnRef>,
    /// By slot: it is among them.
    is_touched: Vec<bool>,
    /// Rows of the first phase, and their keys.
    rows: u64,
    keys: Vec<u32>,
    is_key: Vec<bool>,
    /// Changes of the second phase.
    changes: u64,
    /// When it ends by the clock, ms.
    ends: Option<i64>,
}

impl BundledAggregate {
    /// As [`GroupAggregate::new`](super::GroupAggregate::new).
    pub fn new(
        keys: &[usize],
        aggregates: &[plan::Aggregate],
        conditions: &[Expr],
        input: &plan::Node,
        output: Changelog,
        limits: MiniBatch,
    ) -> Self {
        let key_types: Vec<_> = keys.iter().map(|&k| input.schema.ty(k).clone()).collect();
        let retracting = !input.changelog.is_insert_only();
        let mut own =
            Aggregates::new(aggregates, &input.schema, retracting).asking(conditions, &input.schema);
        own.end_groups();
        Self {
            keys: keys.to_vec(),
            table: KeyTable::new(key_types.clone(), false),
            key_types,
            aggregates: own,
            types: aggregates.iter().map(|a| a.ty.clone()).collect(),
            counts: Vec::new(),
            before: output.contains(RowKind::UpdateBefore),
            two_phases: !limits.one_phase && aggregates.iter().all(|a| a.merges),
            limits,
            bundle: Bundle::default(),
            ready: Ready::default(),
            counters: Counters::default(),
            expiry: None,
            rows: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// Takes rows, as many as the first phase has room for.
    fn fold(&mut self, batch: &Batch, rows: &[u32], pool: &mut Pool) -> Result<()> {
        let mut slots = std::mem::take(&mut self.slots);
        slots.clear();
        with_columns(&self.keys, batch, |columns| self.table.find_or_insert(None, columns, rows, &mut slots));
        let bound = self.table.bound();
        self.counts.resize(bound.max(self.counts.len()), 0);
        self.bundle.is_touched.resize(bound.max(self.bundle.is_touched.len()), false);
        self.bundle.is_key.resize(bound.max(self.bundle.is_key.len()), false);
        self.aggregates.grow(bound);
        let first = self.bundle.touched.len();
        let (mut kept, mut kept_slots) = (pool.row_list(), pool.row_list());
        for (&row, &slot) in rows.iter().zip(&slots) {
            let s = slot as usize;
            let bundle = &mut self.bundle;
            if !std::mem::replace(&mut bundle.is_key[s], true) {
                bundle.keys.push(slot);
            }
            if !std::mem::replace(&mut bundle.is_touched[s], true) {
                bundle.touched.push(slot);
                bundle.existed.push(self.counts[s] > 0);
            }
            let add = batch.kind(row as usize).is_add();
            // A row that leaves a group that is not there is ignored.
            if !add && self.counts[s] == 0 {
                self.counters.filtered += 1;
                continue;
            }
            self.counts[s] += if add { 1 } else { -1 };
            self.counters.absorbed += 1;
            kept.push(row);
            kept_slots.push(slot);
        }
        self.bundle.rows += rows.len() as u64;
        if self.bundle.befores.is_empty() {
            self.bundle.befores.extend(self.types.iter().map(|t| pool.column(t)));
        }
        self.aggregates.emit(&self.bundle.touched[first..], &mut self.bundle.befores);
        self.aggregates.ask(batch, pool);
        let result = self.aggregates.update(batch, &kept, &kept_slots);
        pool.recycle_rows(kept);
        pool.recycle_rows(kept_slots);
        self.slots = slots;
        result.map_err(|e| e.error)
    }

    /// The first phase is full.
    fn end_phase(&mut self, pool: &mut Pool) {
        let bundle = &mut self.bundle;
        bundle.changes += bundle.keys.len() as u64;
        bundle.keys.drain(..).for_each(|s| bundle.is_key[s as usize] = false);
        bundle.rows = 0;
        if !self.two_phases || bundle.changes >= self.limits.size {
            self.tell(pool);
        }
    }

    /// Tells what the bundle has changed, and begins another one.
    fn tell(&mut self, pool: &mut Pool) {
        let bundle = &mut self.bundle;
        bundle.keys.drain(..).for_each(|s| bundle.is_key[s as usize] = false);
        (bundle.rows, bundle.changes, bundle.ends) = (0, 0, None);
        if bundle.touched.is_empty() {
            return;
        }
        let mut after = pool.column_list();
        after.extend(self.types.iter().map(|t| pool.column(t)));
        self.aggregates.emit(&bundle.touched, &mut after);
        let mut changed =
            vec![u8::from(self.expiry.is_some() && !self.types.is_empty()); bundle.touched.len()];
        for (b, a) in bundle.befores.iter().zip(&after) {
            mark_changed(b, a, &mut changed);
        }
        let mut moves: Vec<(RowKind, u32)> = vec![];
        for (k, &slot) in bundle.touched.iter().enumerate() {
            match (bundle.existed[k], self.counts[slot as usize] > 0) {
                (false, true) => moves.push((RowKind::Insert, pick(k, true))),
                (true, true) if changed[k] != 0 => {
                    if self.before {
                        moves.push((RowKind::UpdateBefore, pick(k, false)));
                    }
                    moves.push((RowKind::UpdateAfter, pick(k, true)));
                }
                (true, false) => moves.push((RowKind::Delete, pick(k, false))),
                _ => {}
            }
        }
        for part in moves.chunks(MAX_ROWS) {
            let (mut picks, mut slots, mut kinds) = (pool.row_list(), pool.row_list(), pool.kind_list());
            picks.extend(part.iter().map(|m| m.1));
            kinds.extend(part.iter().map(|m| m.0));
            slots.extend(picks.iter().map(|&p| bundle.touched[position(p)]));
            let mut out = pool.batch();
            out.columns.extend(self.key_types.iter().map(|t| pool.column(t)));
            self.table.emit(&slots, &mut out.columns);
            let mut ends = pool.row_list();
            runs(&picks, &mut ends);
            for ((b, a), ty) in bundle.befores.iter().zip(&after).zip(&self.types) {
                let mut to = pool.column(ty);
                extend_picks(unshared(&mut to), b, a, &picks, &ends);
                out.columns.push(to);
            }
            out.set_rows(part.len());
            out.set_kinds(Some(kinds));
            pool.recycle_rows(picks);
            pool.recycle_rows(slots);
            pool.recycle_rows(ends);
            self.ready.push(out, pool);
        }
        after.drain(..).chain(bundle.befores.drain(..)).for_each(|c| pool.recycle_column(c));
        pool.recycle_columns(after);
        for slot in bundle.touched.drain(..) {
            bundle.is_touched[slot as usize] = false;
            if self.counts[slot as usize] == 0 {
                self.aggregates.reset(slot);
                self.table.remove(slot);
                if let Some(expiry) = &mut self.expiry {
                    expiry.forget(slot);
                }
            }
        }
        bundle.existed.clear();
    }

    /// Ends the bundle whose time is over, and forgets the groups that have lived out theirs.
    fn tick(&mut self, now: i64, pool: &mut Pool) {
        if self.bundle.ends.is_some_and(|end| end <= now) {
            self.tell(pool);
        }
        while let Some(slot) = self.expiry.as_mut().and_then(|e| e.next(now)) {
            if self.bundle.is_touched[slot as usize] {
                self.tell(pool);
            }
            self.aggregates.reset(slot);
            self.table.remove(slot);
            self.counts[slot as usize] = 0;
        }
    }
}

impl Operator for BundledAggregate {
    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        let now = cx.now_us.div_euclid(1000);
        self.tick(now, cx.pool);
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        batch.sel().list(&mut rows);
        let mut at = 0;
        while at < rows.len() {
            let room = (self.limits.size - self.bundle.rows).min((rows.len() - at) as u64) as usize;
            if let Err(e) = self.fold(&batch, &rows[at..at + room], cx.pool) {
                self.ready.fail(e);
                break;
            }
            if let Some(expiry) = &mut self.expiry {
                let live = self.slots.iter().filter(|&&s| self.counts[s as usize] > 0);
                live.for_each(|&s| expiry.touch(s, now));
            }
            let latency = self.limits.latency_ms;
            self.bundle.ends.get_or_insert((now.div_euclid(latency) + 1).saturating_mul(latency));
            at += room;
            if self.bundle.rows == self.limits.size {
                self.end_phase(cx.pool);
            }
        }
        self.rows = rows;
        if let Some(w) = batch.watermarks.last() {
            if w == END_OF_TIME {
                self.tell(cx.pool);
            }
            self.ready.push_watermark(w, cx.pool);
        }
        cx.pool.recycle(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if self.ready.is_empty() {
            self.tick(cx.now_us.div_euclid(1000), cx.pool);
        }
        self.ready.pull(&mut self.counters)
    }

    fn finish(&mut self, _port: usize, cx: &mut Context<'_>) -> Result<()> {
        self.tell(cx.pool);
        Ok(())
    }

    fn has_timers(&self) -> bool {
        true
    }

    fn wake_at_us(&self) -> Option<i64> {
        self.bundle.ends.map(|end| end.saturating_mul(1000))
    }

    fn set_state_ttl(&mut self, ttl_ms: i64) {
        self.expiry = Some(Expiry::new(ttl_ms));
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.ready.is_empty(), "nothing waits to be pulled");
        to.block(b"BAGG", 1);
        let order = self.table.order();
        self.table.encode(&order, to);
        to.slice(&order.iter().map(|&s| self.counts[s as usize]).collect::<Vec<_>>());
        self.aggregates.encode(&order, self.table.bound(), to);
        if let Some(expiry) = &self.expiry {
            expiry.encode(&order, to);
        }
        let mut place = vec![0u32; self.table.bound()];
        order.iter().enumerate().for_each(|(n, &s)| place[s as usize] = n as u32);
        let places = |slots: &[u32]| slots.iter().map(|&s| place[s as usize]).collect::<Vec<u32>>();
        let b = &self.bundle;
        to.slice(&places(&b.touched));
        to.slice(&b.existed.iter().map(|&e| u8::from(e)).collect::<Vec<_>>());
        if !b.touched.is_empty() {
            b.befores.iter().for_each(|c| to.column(c));
        }
        to.u64(b.rows);
        to.slice(&places(&b.keys));
        to.u64(b.changes);
        to.i64(b.ends.unwrap_or(i64::MIN));
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"BAGG", 1)?;
        let damaged = || Error::corrupt("the bundle of an aggregation does not fit its groups");
        let groups = self.table.decode(None, from)?;
        self.counts = from.slice()?;
        if self.counts.len() != groups {
            return Err(damaged());
        }
        self.aggregates.decode(groups, from)?;
        if let Some(expiry) = &mut self.expiry {
            expiry.decode(groups, from)?;
        }
        let b = &mut self.bundle;
        b.touched = from.slice()?;
        b.existed = from.slice::<u8>()?.into_iter().map(|e| e != 0).collect();
        if b.existed.len() != b.touched.len() {
            return Err(damaged());
        }
        if !b.touched.is_empty() {
            for ty in &self.types {
                let mut column = crate::batch::Column::new(ty);
                from.column(&mut column)?;
                if column.len() != b.touched.len() {
                    return Err(damaged());
                }
                b.befores.push(ColumnRef::new(column));
            }
        }
        b.rows = from.u64()?;
        b.keys = from.slice()?;
        b.changes = from.u64()?;
        b.ends = Some(from.i64()?).filter(|&e| e != i64::MIN);
        b.is_touched.resize(groups, false);
        b.is_key.resize(groups, false);
        for (slots, marks) in [(&b.touched, &mut b.is_touched), (&b.keys, &mut b.is_key)] {
            for &slot in slots {
                *marks.get_mut(slot as usize).ok_or_else(damaged)? = true;
            }
        }
        if b.rows >= self.limits.size { Err(damaged()) } else { Ok(()) }
    }

    fn bytes(&self) -> usize {
        self.table.bytes()
            + self.aggregates.bytes()
            + self.expiry.as_ref().map_or(0, Expiry::bytes)
            + self.counts.capacity() * size_of::<i64>()
            + self.bundle.befores.iter().map(|c| c.bytes()).sum::<usize>()
            + (self.bundle.touched.capacity() + self.bundle.keys.capacity()) * size_of::<u32>()
            + self.bundle.is_touched.capacity()
            + self.bundle.is_key.capacity()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::testing::{aggregate, batch_of, input};

    fn aggregation(retracting: bool, size: u64, one_phase: bool) -> BundledAggregate {
        let changelog = if retracting { Changelog::ALL } else { Changelog::INSERT };
        let limits = MiniBatch { size, latency_ms: 100, one_phase };
        let calls = [aggregate("COUNT", &[]), aggregate("SUM", &[1])];
        BundledAggregate::new(
            &[0],
            &calls,
            &[],
            &input("k STRING, v BIGINT", changelog),
            Changelog::ALL,
            limits,
        )
    }

    /// What a step gives, at that time in ms.
    fn step(op: &mut BundledAggregate, now_ms: i64, text: &str) -> Vec<String> {
        let mut pool = Pool::default();
        let mut cx = Context { pool: &mut pool, now_us: now_ms * 1000 };
        if !text.is_empty() {
            op.push(0, batch_of("k STRING, v BIGINT", text), &mut cx).expect("rows");
        }
        let mut out = vec![];
        while let Some(batch) = op.pull(&mut cx).expect("rows") {
            for row in batch.sel().iter() {
                let (k, n, s) = (batch.column(0), batch.column(1), batch.column(2));
                let (n, s) = (n.slice::<i64>()[row], s.slice::<i64>()[row]);
                out.push(format!("{} {} {n} {s}", batch.kind(row).short(), k.byte_column().str(row)));
            }
        }
        out
    }

    /// The operator with its state sent through its bytes.
    fn again(op: &BundledAggregate, retracting: bool) -> BundledAggregate {
        let mut to = Encoder::default();
        op.snapshot(&mut to);
        let bytes = to.finish();
        let mut new = aggregation(retracting, op.limits.size, op.limits.one_phase);
        let mut from = Decoder::new(&bytes);
        new.restore(&mut from).and_then(|()| from.end()).expect("its own bytes");
        new
    }

    #[test]
    fn updates_are_told_once_a_bundle_when_the_clock_has_passed_its_end() {
        let mut op = aggregation(false, 1000, false);
        assert!(step(&mut op, 120, "a 1\nb 2\na 3").is_empty());
        assert_eq!(op.wake_at_us(), Some(200_000));
        let mut op = again(&op, false);
        assert!(step(&mut op, 199, "a 4").is_empty());
        assert_eq!(step(&mut op, 200, ""), ["+I a 3 8", "+I b 1 2"]);
        assert_eq!(op.wake_at_us(), None);
        assert!(step(&mut op, 250, "b 5\nb 6").is_empty());
        let mut op = again(&op, false);
        // A row of the next bundle ends the one before.
        assert_eq!(step(&mut op, 301, "a 1"), ["-U b 1 2", "+U b 3 13"]);
        assert_eq!(step(&mut op, 400, ""), ["-U a 3 8", "+U a 4 9"]);
    }

    #[test]
    fn a_bundle_is_full_after_so_many_rows_or_so_many_changes() {
        let mut op = aggregation(false, 2, true);
        assert_eq!(step(&mut op, 1, "a 1\na 1\na 1"), ["+I a 2 2"]);
        assert_eq!(step(&mut op, 1, "b 1"), ["-U a 2 2", "+U a 3 3", "+I b 1 1"]);
        let mut op = aggregation(false, 2, false);
        op.two_phases = true;
        assert!(step(&mut op, 1, "a 1\na 1\na 1").is_empty());
        let mut op = again(&op, false);
        op.two_phases = true;
        assert_eq!(step(&mut op, 1, "a 1\nb 1\na 1"), ["+I a 4 4", "+I b 1 1", "-U a 4 4", "+U a 5 5"]);
    }

    #[test]
    fn what_comes_and_goes_in_a_bundle_is_not_told() {
        let mut op = aggregation(true, 1000, true);
        assert!(step(&mut op, 1, "a 1\n-D a 1\nb 1\n-D c 5").is_empty());
        let mut op = again(&op, true);
        assert_eq!(step(&mut op, 100, ""), ["+I b 1 1"]);
        assert!(step(&mut op, 101, "-U b 1\n+U b 1").is_empty());
        assert!(step(&mut op, 200, "").is_empty(), "nothing has changed");
        assert!(step(&mut op, 201, "-D b 1").is_empty());
        assert_eq!(step(&mut op, 300, ""), ["-D b 1 1"]);
        assert_eq!(op.table.len(), 0, "groups that ended are gone");
        assert!(step(&mut op, 301, "b 7").is_empty());
        assert_eq!(step(&mut op, 400, ""), ["+I b 1 7"]);
    }
}

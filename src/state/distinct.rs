//! The distinct values of each group, for DISTINCT aggregates: an aggregate sees a value when it joins the group for the first time
//! and when it leaves for the last.
//!
//! One view serves all aggregates of an operator with the same arguments and filter. The key is (group, values). Over input that
//! only grows, membership is all there is; else each value has a count.

use super::KeyTable;
use crate::batch::{Column, ColumnRef, DataType, Decoder, Encoder, RowKind};
use crate::error::{Error, Result};

/// See the module's text.
pub struct DistinctView {
    table: KeyTable,
    /// How often each value is there, by its slot; absent: input only grows.
    counts: Option<Vec<i64>>,
    /// Number of values of each group, by the group's slot.
    values: Vec<u32>,
    slots: Vec<u32>,
    /// Values whose count came to 0 in this batch.
    emptied: Vec<u32>,
    /// By group: its values' slots as they came, some of them of values that have left. For [`DistinctView::merge`].
    members: Option<Vec<Vec<u32>>>,
    /// By value's slot, where slots are used again without counts: no value has it.
    fresh: Option<Vec<bool>>,
}

/// Values that joined groups by [`DistinctView::merge`]: row `rows[k]` of `columns` joined group `groups[k]`.
pub struct Joined {
    /// Columns of the values' types.
    pub columns: Vec<ColumnRef>,
    /// Rows in them.
    pub rows: Vec<u32>,
    /// Parallel to `rows`.
    pub groups: Vec<u32>,
}

impl DistinctView {
    /// A view of values of these types. `retracting`: rows may leave.
    pub fn new(types: Vec<DataType>, retracting: bool) -> Self {
        Self {
            table: KeyTable::new(types, true),
            counts: retracting.then(Vec::new),
            values: Vec::new(),
            slots: Vec::new(),
            emptied: Vec::new(),
            members: None,
            fresh: None,
        }
    }

    /// With what merging needs: the values of a group are found without looking at all.
    #[must_use]
    pub fn mergeable(self) -> Self {
        let fresh = self.counts.is_none().then(Vec::new);
        Self { members: Some(Vec::new()), fresh, ..self }
    }

    /// Takes the values of groups `from` of `other`, a view of the same values, into groups `into`, and gives those that were not there.
    pub fn merge(&mut self, into: &[u32], other: &DistinctView, from: &[u32]) -> Joined {
        let (mut values, mut groups) = (vec![], vec![]);
        for (&i, &f) in into.iter().zip(from) {
            values.extend(other.members_of(f));
            groups.resize(values.len(), i);
        }
        let mut columns: Vec<ColumnRef> =
            other.table.types().iter().map(|t| ColumnRef::new(Column::new(t))).collect();
        other.table.emit(&values, &mut columns);
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        let mut passing = vec![];
        {
            let columns: Vec<&Column> = columns.iter().map(|c| &**c).collect();
            self.update(&columns, &rows, &groups, None, &mut passing);
        }
        if let (Some(counts), Some(others)) = (&mut self.counts, &other.counts) {
            // The update has counted one of each.
            for (&slot, &v) in self.slots.iter().zip(&values) {
                counts[slot as usize] += others[v as usize] - 1;
            }
        }
        let groups = passing.iter().map(|&k| groups[k as usize]).collect();
        Joined { columns, rows: passing, groups }
    }

    /// The values of a group, as they came.
    fn members_of(&self, group: u32) -> Vec<u32> {
        let all = self.members.as_ref().expect("a view to merge from is mergeable");
        let mut live = all.get(group as usize).cloned().unwrap_or_default();
        live.retain(|&s| self.is_live(s, group));
        if self.counts.is_some() {
            // A value that left and came again may stand there twice.
            let mut seen = hashbrown::HashSet::new();
            live.retain(|&s| seen.insert(s));
        }
        live
    }

    /// The slot is that of a value of the group.
    fn is_live(&self, slot: u32, group: u32) -> bool {
        self.counts.as_ref().is_none_or(|c| c[slot as usize] > 0) && self.table.prefix(slot) == group
    }

    /// Takes rows into (or out of) the groups of `groups`, parallel to `rows`, and appends to `passing` the positions in `rows` at
    /// which a value joins its group or leaves it. A value that leaves without having joined is ignored, as in Flink.
    pub fn update(
        &mut self,
        columns: &[&Column],
        rows: &[u32],
        groups: &[u32],
        kinds: Option<&[RowKind]>,
        passing: &mut Vec<u32>,
    ) {
        let mut next = self.table.bound() as u32;
        self.slots.clear();
        self.table.find_or_insert(Some(groups), columns, rows, &mut self.slots);
        if let Some(&max) = groups.iter().max()
            && self.values.len() <= max as usize
        {
            self.values.resize(max as usize + 1, 0);
            if let Some(m) = &mut self.members {
                m.resize_with(max as usize + 1, Vec::new);
            }
        }
        let Some(counts) = &mut self.counts else {
            for (k, &s) in self.slots.iter().enumerate() {
                // A key that is new gets a slot that was not used yet, or one that a merged group has left.
                let new = match &mut self.fresh {
                    None => s == next,
                    Some(fresh) => {
                        fresh.resize((s as usize + 1).max(fresh.len()), true);
                        std::mem::replace(&mut fresh[s as usize], false)
                    }
                };
                if new {
                    next = next.max(s + 1);
                    self.values[groups[k] as usize] += 1;
                    if let Some(m) = &mut self.members {
                        m[groups[k] as usize].push(s);
                    }
                    passing.push(k as u32);
                }
            }
            return;
        };
        counts.resize(self.table.bound().max(counts.len()), 0);
        for (k, &s) in self.slots.iter().enumerate() {
            let count = &mut counts[s as usize];
            let values = &mut self.values[groups[k] as usize];
            if kinds.is_none_or(|kinds| kinds[rows[k] as usize].is_add()) {
                *count += 1;
                if *count == 1 {
                    *values += 1;
                    if let Some(m) = &mut self.members {
                        let (m, group) = (&mut m[groups[k] as usize], groups[k]);
                        m.push(s);
                        // Values that come and go in a group that stays are not noted for ever.
                        if m.len() > 2 * *values as usize + 16 {
                            let mut seen = hashbrown::HashSet::new();
                            m.retain(|&s| {
                                counts[s as usize] > 0 && self.table.prefix(s) == group && seen.insert(s)
                            });
                        }
                    }
                    passing.push(k as u32);
                }
            } else {
                if *count > 0 {
                    *count -= 1;
                    if *count == 0 {
                        *values -= 1;
                        passing.push(k as u32);
                    }
                }
                if *count == 0 {
                    self.emptied.push(s);
                }
            }
        }
        self.emptied.sort_unstable();
        self.emptied.dedup();
        for s in self.emptied.drain(..) {
            if counts[s as usize] == 0 {
                self.table.remove(s);
            }
        }
    }

    /// Forgets what is left of a group that has ended. Nothing is, unless a row left that had never joined.
    pub fn forget(&mut self, group: u32) {
        let Some(values) = self.values.get_mut(group as usize) else { return };
        if std::mem::take(values) == 0 {
            self.members.iter_mut().for_each(|m| m[group as usize] = Vec::new());
            return;
        }
        let leaving = match &self.members {
            Some(_) => self.members_of(group),
            None => {
                let all = self.table.order().into_iter();
                all.filter(|&s| self.table.prefix(s) == group).collect()
            }
        };
        for s in leaving {
            self.table.remove(s);
            if let Some(c) = &mut self.counts {
                c[s as usize] = 0;
            }
            if let Some(f) = &mut self.fresh {
                f[s as usize] = true;
            }
        }
        if let Some(m) = &mut self.members {
            m[group as usize] = Vec::new();
        }
    }

    /// No groups, the memory kept.
    pub fn clear(&mut self) {
        self.table.clear();
        self.values.clear();
        self.members.iter_mut().for_each(Vec::clear);
        self.fresh.iter_mut().for_each(Vec::clear);
        if let Some(c) = &mut self.counts {
            c.clear();
        }
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
            + self.counts.as_ref().map_or(0, |c| c.capacity() * 8)
            + (self.values.capacity() + self.slots.capacity()) * 4
            + self.members.iter().flatten().map(|m| m.capacity() * 4 + size_of::<Vec<u32>>()).sum::<usize>()
            + self.fresh.as_ref().map_or(0, Vec::capacity)
    }

    /// Writes the view; the group of slot `s` is written as `position[s]`.
    pub fn encode(&self, position: &[u32], to: &mut Encoder) {
        to.block(b"DIST", 1);
        let order = self.table.order();
        to.slice(&order.iter().map(|&s| position[self.table.prefix(s) as usize]).collect::<Vec<_>>());
        self.table.encode(&order, to);
        if let Some(c) = &self.counts {
            to.slice(&order.iter().map(|&s| c[s as usize]).collect::<Vec<_>>());
        }
    }

    /// Reads what [`DistinctView::encode`] wrote into a new view over `groups` groups.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn decode(&mut self, groups: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"DIST", 1)?;
        let damaged = || Error::corrupt("distinct values do not fit their groups");
        let prefix: Vec<u32> = from.slice()?;
        self.values.resize(groups, 0);
        for &g in &prefix {
            *self.values.get_mut(g as usize).ok_or_else(damaged)? += 1;
        }
        let n = self.table.decode(Some(&prefix), from)?;
        if let Some(m) = &mut self.members {
            m.resize_with(groups, Vec::new);
            prefix.iter().enumerate().for_each(|(s, &g)| m[g as usize].push(s as u32));
        }
        if let Some(f) = &mut self.fresh {
            f.resize(n, false);
        }
        if let Some(c) = &mut self.counts {
            *c = from.slice()?;
            if c.len() != n {
                return Err(damaged());
            }
        }
        Ok(())
    }
}

//! The distinct values of each group, for DISTINCT aggregates: an aggregate sees a value when it joins the group for the first time
//! and when it leaves for the last.
//!
//! One view serves all aggregates of an operator with the same arguments, up to [`VARIANTS`] different filters among them: a value
//! stands there once, with a bit for each **variant** that has it, so that a row is looked up once and not once a filter. The key is
//! (group, values). Over input that only grows the bits are all there is, and numbers that fit stand with them in a word ([`Narrow`]); else each
//! value has a count for each variant.

use super::KeyTable;
use super::key_table::{CHUNK, encode_keys};
use super::narrow::{self, Narrow};
use super::seeds;
use crate::batch::{Column, ColumnData, ColumnRef, DataType, Decoder, Encoder, Physical, RowKind};
use crate::error::{Error, Result};

/// Variants of one view: bits of a byte.
pub const VARIANTS: usize = 8;

/// See the module's text.
pub struct DistinctView {
    table: KeyTable,
    /// The values that fit, which the table then does not have: over input that only grows, where groups are not merged.
    narrow: Option<Box<Fitting>>,
    variants: usize,
    /// The variants that have each value, by its slot. 0: no value has the slot.
    seen: Vec<u8>,
    /// How often each value is there, by its slot times the number of variants and the variant; absent: input only grows.
    counts: Option<Vec<i64>>,
    /// Number of values of each group, by the group's slot.
    values: Vec<u32>,
    slots: Vec<u32>,
    /// Values that no variant has any more, in this batch.
    emptied: Vec<u32>,
    /// By group: its values' slots as they came, some of them of values that have left. For [`DistinctView::merge`].
    members: Option<Vec<Vec<u32>>>,
}

/// Values that fit into a word with their group, and lists of a batch, kept for their memory.
struct Fitting {
    values: Narrow,
    keys: Vec<u64>,
    /// What does not fit: places among the rows, rows, groups.
    others: [Vec<u32>; 3],
    wanted: Vec<u8>,
    joined: Vec<u8>,
}

impl Fitting {
    /// The word of each row's value; says whether one does not fit.
    fn find_keys(&mut self, column: &Column, rows: &[u32], groups: &[u32]) -> bool {
        match &column.data {
            ColumnData::I64(v) => self.fill_keys(column, rows, groups, |r| v[r]),
            ColumnData::I32(v) => self.fill_keys(column, rows, groups, |r| (v[r] as u32).into()),
            _ => unreachable!("whole numbers of 32 and 64 bits fit"),
        }
    }

    #[inline(always)]
    fn fill_keys(
        &mut self,
        column: &Column,
        rows: &[u32],
        groups: &[u32],
        value: impl Fn(usize) -> i64,
    ) -> bool {
        let nulls = column.validity.may_have_nulls();
        let mut others = false;
        self.keys.clear();
        self.keys.extend(rows.iter().zip(groups).map(|(&r, &group)| {
            let there = !nulls || column.is_valid(r as usize);
            let key = if there { narrow::key(group, value(r as usize)) } else { narrow::ELSEWHERE };
            others |= key == narrow::ELSEWHERE;
            key
        }));
        others
    }
}

/// Values that joined groups by [`DistinctView::merge`].
pub struct Joined {
    /// Columns of the values' types.
    pub columns: Vec<ColumnRef>,
    /// By row: the variants that the value is new to.
    joined: Vec<u8>,
    /// By row: the group.
    groups: Vec<u32>,
}

impl Joined {
    /// Rows whose value joined a variant, and the groups there.
    pub fn of(&self, variant: usize) -> (Vec<u32>, Vec<u32>) {
        let all = self.joined.iter().zip(&self.groups).enumerate();
        all.filter(|(_, (j, _))| *j >> variant & 1 != 0).map(|(row, (_, &group))| (row as u32, group)).unzip()
    }
}

/// Rows that a view takes.
#[derive(Clone, Copy)]
pub struct Taken<'a> {
    /// Rows of the columns.
    pub rows: &'a [u32],
    /// Their groups.
    pub groups: &'a [u32],
    /// The variants that take each of them, at least one.
    pub wanted: &'a [u8],
}

impl DistinctView {
    /// A view of values of these types. `retracting`: rows may leave.
    ///
    /// # Panics
    /// With more than [`VARIANTS`] variants, or none.
    pub fn new(types: Vec<DataType>, variants: usize, retracting: bool) -> Self {
        assert!((1..=VARIANTS).contains(&variants), "a view has 1 to {VARIANTS} variants");
        let fits = matches!(&types[..], [only] if matches!(only.physical(), Physical::I32 | Physical::I64));
        let fitting = || Fitting {
            values: Narrow::new(seeds::random()),
            keys: Vec::new(),
            others: Default::default(),
            wanted: Vec::new(),
            joined: Vec::new(),
        };
        Self {
            table: KeyTable::new(types, true),
            narrow: (fits && !retracting).then(|| Box::new(fitting())),
            variants,
            seen: Vec::new(),
            counts: retracting.then(Vec::new),
            values: Vec::new(),
            slots: Vec::new(),
            emptied: Vec::new(),
            members: None,
        }
    }

    /// With what merging needs: the values of a group are found without looking at all.
    #[must_use]
    pub fn mergeable(self) -> Self {
        Self { members: Some(Vec::new()), narrow: None, ..self }
    }

    /// Takes the values of groups `from` of `other`, a view of the same values and variants, into groups `into`, and gives those that were
    /// not there.
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
        let wanted: Vec<u8> = values.iter().map(|&v| other.seen[v as usize]).collect();
        let mut joined = vec![];
        {
            let columns: Vec<&Column> = columns.iter().map(|c| &**c).collect();
            let taken = Taken { rows: &rows, groups: &groups, wanted: &wanted };
            self.update(&columns, taken, None, &mut joined);
        }
        if let (Some(counts), Some(others)) = (&mut self.counts, &other.counts) {
            // The update has counted one of each.
            for (&slot, &v) in self.slots.iter().zip(&values) {
                for variant in bits(other.seen[v as usize]) {
                    let more = others[v as usize * self.variants + variant] - 1;
                    counts[slot as usize * self.variants + variant] += more;
                }
            }
        }
        Joined { columns, joined, groups }
    }

    /// The values of a group, as they came.
    fn members_of(&self, group: u32) -> Vec<u32> {
        let all = self.members.as_ref().expect("a view to merge from is mergeable");
        let mut live = all.get(group as usize).cloned().unwrap_or_default();
        live.retain(|&s| self.seen[s as usize] != 0 && self.table.prefix(s) == group);
        if self.counts.is_some() {
            // A value that left and came again may stand there twice.
            let mut seen = hashbrown::HashSet::new();
            live.retain(|&s| seen.insert(s));
        }
        live
    }

    /// Takes rows into (or out of) their groups, and appends to `joined` for each row the variants that its value joins or leaves
    /// there. A value that leaves without having joined is ignored, as in Flink.
    pub fn update(
        &mut self,
        columns: &[&Column],
        taken: Taken<'_>,
        kinds: Option<&[RowKind]>,
        joined: &mut Vec<u8>,
    ) {
        if let Some(&max) = taken.groups.iter().max()
            && self.values.len() <= max as usize
        {
            self.values.resize(max as usize + 1, 0);
            if let Some(m) = &mut self.members {
                m.resize_with(max as usize + 1, Vec::new);
            }
        }
        let Some(mut narrow) = self.narrow.take() else {
            return self.update_table(columns, taken, kinds, joined);
        };
        let Taken { rows, groups, wanted } = taken;
        if let ([row], [group], [wanted]) = (rows, groups, wanted)
            && let Some(key) = narrow::key_of(columns[0], *row as usize, *group)
        {
            let (joins, is_new) = narrow.values.take_one(key, *wanted);
            joined.push(joins);
            self.values[*group as usize] += u32::from(is_new);
            self.narrow = Some(narrow);
            return;
        }
        let others = narrow.find_keys(columns[0], rows, groups);
        let first = joined.len();
        joined.resize(first + rows.len(), 0);
        let joined = &mut joined[first..];
        let values = &mut self.values;
        narrow.values.take(&narrow.keys, wanted, |k, joins, is_new| {
            joined[k] = joins;
            if is_new {
                values[groups[k] as usize] += 1;
            }
        });
        if others {
            self.update_others(&mut narrow, columns, taken, joined);
        }
        self.narrow = Some(narrow);
    }

    /// Takes the rows whose values do not fit into a word.
    #[cold]
    fn update_others(
        &mut self,
        narrow: &mut Fitting,
        columns: &[&Column],
        all: Taken<'_>,
        joined: &mut [u8],
    ) {
        let Fitting { keys, others: [places, rows, groups], wanted, joined: moved, .. } = narrow;
        for list in [&mut *places, &mut *rows, &mut *groups] {
            list.clear();
        }
        wanted.clear();
        moved.clear();
        for (k, _) in keys.iter().enumerate().filter(|(_, key)| **key == narrow::ELSEWHERE) {
            places.push(k as u32);
            rows.push(all.rows[k]);
            groups.push(all.groups[k]);
            wanted.push(all.wanted[k]);
        }
        self.update_table(columns, Taken { rows, groups, wanted }, None, moved);
        places.iter().zip(&*moved).for_each(|(&k, &m)| joined[k as usize] = m);
    }

    /// As [`DistinctView::update`], of values that stand in the table.
    fn update_table(
        &mut self,
        columns: &[&Column],
        taken: Taken<'_>,
        kinds: Option<&[RowKind]>,
        joined: &mut Vec<u8>,
    ) {
        let Taken { rows, groups, wanted } = taken;
        self.slots.clear();
        self.table.find_or_insert(Some(groups), columns, rows, &mut self.slots);
        self.seen.resize(self.table.bound(), 0);
        let Self { table, variants, seen, counts, values, slots, emptied, members, .. } = self;
        let begins = |values: &mut [u32], members: &mut Option<Vec<Vec<u32>>>, slot: u32, group: u32| {
            values[group as usize] += 1;
            if let Some(m) = members {
                m[group as usize].push(slot);
            }
        };
        let Some(counts) = counts else {
            joined.extend(slots.iter().zip(groups).zip(wanted).map(|((&slot, &group), &wanted)| {
                let seen = &mut seen[slot as usize];
                let before = std::mem::replace(seen, *seen | wanted);
                if before == 0 {
                    begins(values, members, slot, group);
                }
                wanted & !before
            }));
            return;
        };
        counts.resize(table.bound() * *variants, 0);
        for (k, (&slot, &group)) in slots.iter().zip(groups).enumerate() {
            let (before, mut moved) = (seen[slot as usize], 0);
            let adds = kinds.is_none_or(|kinds| kinds[rows[k] as usize].is_add());
            for variant in bits(wanted[k]) {
                let count = &mut counts[slot as usize * *variants + variant];
                if adds {
                    *count += 1;
                    moved |= u8::from(*count == 1) << variant;
                } else if *count > 0 {
                    *count -= 1;
                    moved |= u8::from(*count == 0) << variant;
                }
            }
            let after = before ^ moved;
            seen[slot as usize] = after;
            joined.push(moved);
            if before == 0 && after != 0 {
                begins(values, members, slot, group);
                if let Some(m) = members {
                    let m = &mut m[group as usize];
                    // Values that come and go in a group that stays are not noted for ever.
                    if m.len() > 2 * values[group as usize] as usize + 16 {
                        let mut noted = hashbrown::HashSet::new();
                        m.retain(|&s| seen[s as usize] != 0 && table.prefix(s) == group && noted.insert(s));
                    }
                }
            }
            if after == 0 {
                // Also a slot that was made for nothing, for a value that is not there.
                emptied.push(slot);
                if before != 0 {
                    values[group as usize] -= 1;
                }
            }
        }
        emptied.sort_unstable();
        emptied.dedup();
        for s in emptied.drain(..) {
            if seen[s as usize] == 0 {
                table.remove(s);
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
        if let Some(narrow) = &mut self.narrow {
            narrow.values.forget(group);
        }
        for s in leaving {
            self.table.remove(s);
            self.seen[s as usize] = 0;
            if let Some(c) = &mut self.counts {
                c[s as usize * self.variants..][..self.variants].fill(0);
            }
        }
        if let Some(m) = &mut self.members {
            m[group as usize] = Vec::new();
        }
    }

    /// No groups, the memory kept.
    pub fn clear(&mut self) {
        self.table.clear();
        self.narrow.iter_mut().for_each(|n| n.values.clear());
        self.seen.clear();
        self.values.clear();
        self.members.iter_mut().for_each(Vec::clear);
        if let Some(c) = &mut self.counts {
            c.clear();
        }
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
            + self.narrow.as_ref().map_or(0, |n| n.values.bytes())
            + self.seen.capacity()
            + self.counts.as_ref().map_or(0, |c| c.capacity() * 8)
            + (self.values.capacity() + self.slots.capacity()) * 4
            + self.members.iter().flatten().map(|m| m.capacity() * 4 + size_of::<Vec<u32>>()).sum::<usize>()
    }

    /// Writes the view; the group of slot `s` is written as `position[s]`.
    pub fn encode(&self, position: &[u32], to: &mut Encoder) {
        to.block(b"DIST", 2);
        // Those in words have forgotten in which order they came; nobody asks.
        let order = self.table.order();
        let narrow = self.narrow.as_ref().map(|n| n.values.sorted()).unwrap_or_default();
        let in_table = order.iter().map(|&s| (self.table.prefix(s), self.seen[s as usize]));
        let (groups, seen): (Vec<u32>, Vec<u8>) =
            in_table.chain(narrow.iter().map(|n| (n.0, n.2))).map(|(g, s)| (position[g as usize], s)).unzip();
        to.slice(&groups);
        encode_keys(self.table.types(), groups.len(), to, |part, columns| {
            let (start, end) = (part.start.min(order.len()), part.end.min(order.len()));
            self.table.emit(&order[start..end], columns);
            for n in &narrow[part.start - start..part.end - end] {
                narrow::push(n.1, super::key_layout::unshared(&mut columns[0]));
            }
        });
        to.slice(&seen);
        if let Some(c) = &self.counts {
            let of = |&s: &u32| &c[s as usize * self.variants..][..self.variants];
            to.slice(&order.iter().flat_map(of).copied().collect::<Vec<_>>());
        }
    }

    /// Reads what [`DistinctView::encode`] wrote into a new view over `groups` groups.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn decode(&mut self, groups: usize, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"DIST", 2)?;
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
        self.seen = from.slice()?;
        let known = |s: &u8| *s != 0 && u32::from(*s) < 1 << self.variants;
        if self.seen.len() != n || !self.seen.iter().all(known) {
            return Err(damaged());
        }
        if let Some(c) = &mut self.counts {
            *c = from.slice()?;
            if c.len() != n * self.variants {
                return Err(damaged());
            }
        }
        if self.narrow.is_some() {
            self.take_apart(&prefix);
        }
        Ok(())
    }

    /// Puts the values of a table that has been read, of these groups, where they belong.
    fn take_apart(&mut self, groups: &[u32]) {
        let types = self.table.types().to_vec();
        let table = std::mem::replace(&mut self.table, KeyTable::new(types, true));
        let seen = std::mem::take(&mut self.seen);
        self.values.fill(0);
        let mut joined = vec![];
        for start in (0..groups.len()).step_by(CHUNK) {
            let part = start..groups.len().min(start + CHUNK);
            let mut columns: Vec<ColumnRef> =
                table.types().iter().map(|t| ColumnRef::new(Column::new(t))).collect();
            table.emit(&part.clone().map(|s| s as u32).collect::<Vec<_>>(), &mut columns);
            let columns: Vec<&Column> = columns.iter().map(|c| &**c).collect();
            let rows: Vec<u32> = (0..part.len() as u32).collect();
            let taken = Taken { rows: &rows, groups: &groups[part.clone()], wanted: &seen[part] };
            joined.clear();
            self.update(&columns, taken, None, &mut joined);
        }
    }
}

/// The numbers of the bits that are set.
fn bits(mut of: u8) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = (of != 0).then(|| of.trailing_zeros() as usize)?;
        of &= of - 1;
        Some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::TypeKind;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const VARIANTS: usize = 3;

    /// A row: group, value, the variants that take it, whether it joins.
    type Step = (u32, i64, u8, bool);

    fn column(values: impl Iterator<Item = i64>) -> Column {
        let mut c = Column::new(&TypeKind::BigInt.nullable());
        for v in values {
            c.validity.push(true);
            c.buffer_mut::<i64>().push(v);
        }
        c
    }

    fn take(view: &mut DistinctView, steps: &[Step]) -> Vec<u8> {
        let values = column(steps.iter().map(|s| s.1));
        let rows: Vec<u32> = (0..steps.len() as u32).collect();
        let groups: Vec<u32> = steps.iter().map(|s| s.0).collect();
        let wanted: Vec<u8> = steps.iter().map(|s| s.2).collect();
        let kind = |s: &Step| if s.3 { RowKind::Insert } else { RowKind::Delete };
        let kinds: Vec<RowKind> = steps.iter().map(kind).collect();
        let mut joined = vec![];
        let taken = Taken { rows: &rows, groups: &groups, wanted: &wanted };
        view.update(&[&values], taken, Some(&kinds), &mut joined);
        joined
    }

    /// How often each value is in each variant of each group, and where a row moved one in or out.
    fn model(counts: &mut BTreeMap<(u32, i64, usize), i64>, &(group, value, wanted, joins): &Step) -> u8 {
        let mut moved = 0;
        for variant in bits(wanted) {
            let count = counts.entry((group, value, variant)).or_default();
            if joins {
                *count += 1;
                moved |= u8::from(*count == 1) << variant;
            } else if *count > 0 {
                *count -= 1;
                moved |= u8::from(*count == 0) << variant;
            }
        }
        moved
    }

    fn view(retracting: bool) -> DistinctView {
        DistinctView::new(vec![TypeKind::BigInt.nullable()], VARIANTS, retracting).mergeable()
    }

    proptest! {
        /// In batches, over a snapshot in the middle, and by folding one view into another.
        #[test]
        fn each_variant_has_its_values(
            mut steps in prop::collection::vec((0u32..3, 0i64..5, 1u8..8, any::<bool>()), 0..80),
            cut in 0usize..80,
            retracting in any::<bool>(),
        ) {
            if !retracting {
                steps.iter_mut().for_each(|s| s.3 = true);
            }
            let (first, second) = steps.split_at(cut.min(steps.len()));
            let mut counts = BTreeMap::new();
            let wanted: Vec<u8> = steps.iter().map(|s| model(&mut counts, s)).collect();
            let mut whole = view(retracting);
            let mut got = take(&mut whole, first);
            let mut bytes = Encoder::default();
            whole.encode(&[0, 1, 2], &mut bytes);
            let bytes = bytes.finish();
            let mut restored = view(retracting);
            restored.decode(3, &mut Decoder::new(&bytes)).unwrap();
            got.extend(take(&mut restored, second));
            prop_assert_eq!(&got, &wanted);

            // What has come only, folded: a value joins where the first view does not have it.
            let adding = |steps: &[Step]| steps.iter().map(|s| (s.0, s.1, s.2, true)).collect::<Vec<_>>();
            let (mut left, mut right) = (view(retracting), view(retracting));
            take(&mut left, &adding(first));
            take(&mut right, &adding(second));
            let had: Vec<Step> = adding(first);
            let joined = left.merge(&[0, 1, 2], &right, &[0, 1, 2]);
            for variant in 0..VARIANTS {
                let (rows, groups) = joined.of(variant);
                let has = |steps: &[Step], g: u32, v: i64| steps.iter().any(|s| s.0 == g && s.1 == v && s.2 >> variant & 1 != 0);
                let mut new: Vec<(u32, i64)> = rows.iter().zip(groups).map(|(&r, g)| (g, joined.columns[0].slice::<i64>()[r as usize])).collect();
                new.sort_unstable();
                let all = (0..3u32).flat_map(|g| (0..5i64).map(move |v| (g, v)));
                let model: Vec<(u32, i64)> = all.filter(|&(g, v)| has(second, g, v) && !has(&had, g, v)).collect();
                prop_assert_eq!(new, model);
            }
        }

        /// Values in words and values in the table, of the two together: as those of a view that has a table alone.
        #[test]
        fn values_in_words_are_as_others(
            steps in prop::collection::vec((0u32..3, 0usize..7, 1u8..8), 0..80),
            cut in 0usize..80,
            int in any::<bool>(),
        ) {
            let kind = if int { TypeKind::Int } else { TypeKind::BigInt };
            let values = [Some(0i64), Some(1), Some(-1), Some(i64::from(i32::MAX)), Some(1 << 32), Some(i64::MIN), None];
            let run = |view: &mut DistinctView, steps: &[(u32, usize, u8)]| {
                let mut column = Column::new(&kind.clone().nullable());
                for s in steps {
                    column.validity.push(values[s.1].is_some());
                    let v = values[s.1].unwrap_or_default();
                    if int { column.buffer_mut::<i32>().push(v as i32) } else { column.buffer_mut::<i64>().push(v) }
                }
                let rows: Vec<u32> = (0..steps.len() as u32).collect();
                let groups: Vec<u32> = steps.iter().map(|s| s.0).collect();
                let wanted: Vec<u8> = steps.iter().map(|s| s.2).collect();
                let mut joined = vec![];
                view.update(&[&column], Taken { rows: &rows, groups: &groups, wanted: &wanted }, None, &mut joined);
                joined
            };
            let new = || DistinctView::new(vec![kind.clone().nullable()], VARIANTS, false);
            let (mut words, mut table) = (new(), new().mergeable());
            prop_assert!(words.narrow.is_some() && table.narrow.is_none());
            let (first, second) = steps.split_at(cut.min(steps.len()));
            prop_assert_eq!(run(&mut words, first), run(&mut table, first));
            let position: Vec<u32> = (0..3).collect();
            let over = |from: &DistinctView, mut to: DistinctView| {
                let mut bytes = Encoder::default();
                from.encode(&position, &mut bytes);
                to.decode(3, &mut Decoder::new(&bytes.finish())).unwrap();
                to
            };
            // A snapshot of one is one of the other.
            let (mut from_table, mut from_words) = (over(&table, new()), over(&words, new().mergeable()));
            words = over(&words, new());
            for view in [&mut words, &mut table, &mut from_table, &mut from_words] {
                view.forget(1);
            }
            let wanted = run(&mut table, second);
            prop_assert_eq!(&run(&mut words, second), &wanted);
            prop_assert_eq!(&run(&mut from_table, second), &wanted);
            prop_assert_eq!(&run(&mut from_words, second), &wanted);
        }
    }
}

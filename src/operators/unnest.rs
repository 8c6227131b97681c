//! UNNEST: every row once for each element of a collection of its own, beside that element.
//!
//! Behind the columns that are kept stand the element's: one, the fields of a row, or key and value of a map; then its number from 1, where
//! that is asked for. A multiset gives an element as often as it has it. A row whose collection is empty or NULL gives none, or, `outer`,
//! one with NULLs; an element that is a row and NULL gives none, as in Flink. Rows come out in the order of the elements, with the kind of the row they are of. A batch goes out in parts of at
//! most [`MAX_ROWS`] rows, and the next pull goes on in the middle of a collection: a long one needs no more memory than a short one.

use super::aggregates::unshared;
use super::beside::{Beside, NOTHING};
use super::{Context, Counters, Operator};
use crate::batch::{Batch, Column, ColumnData, DataType, Decoder, Encoder, MAX_ROWS, Pool, Schema, TypeKind};
use crate::error::Result;
use crate::plan;

/// See the module's text.
pub struct Unnest {
    spec: plan::Unnest,
    types: Vec<DataType>,
    is_multiset: bool,
    /// The batch at hand and where its next row comes from.
    batch: Option<(Batch, Place)>,
    counters: Counters,
}

/// Where the next row comes from.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Among the selected rows.
    row: usize,
    /// The entry of its collection.
    entry: usize,
    /// How often that entry was counted, and how many elements of the row in all.
    copies: i32,
    counted: i32,
    /// A row was given for it.
    found: bool,
    /// Watermarks given.
    marks: usize,
}

/// The parts of a collection's column: offsets, and what stands in them.
fn entries(c: &Column) -> (&[u32], &Column, Option<&Column>) {
    match &c.data {
        ColumnData::List { offsets, child } => (offsets, child, None),
        ColumnData::Map { offsets, keys, values } => (offsets, keys, Some(values)),
        _ => unreachable!("UNNEST reads a collection"),
    }
}

impl Unnest {
    /// Repeats rows as `spec` says; `output` is the columns kept, those of the element and its number.
    pub fn new(spec: &plan::Unnest, input: &Schema, output: &Schema) -> Self {
        Self {
            spec: spec.clone(),
            types: output.fields.iter().map(|f| f.ty.clone()).collect(),
            is_multiset: matches!(input.ty(spec.collection).kind, TypeKind::Multiset(_)),
            batch: None,
            counters: Counters::default(),
        }
    }

    /// Up to [`MAX_ROWS`] rows from `at` on; `None` behind them: the batch is done.
    fn rows(&self, batch: &Batch, mut at: Place, pool: &mut Pool) -> (Batch, Option<Place>) {
        let sel = batch.sel();
        let collection = &batch.columns[self.spec.collection];
        let (offsets, first, second) = entries(collection);
        let of_rows = matches!(first.data, ColumnData::Row(_)) && (second.is_none() || self.is_multiset);
        let mut out = Beside::new(pool);
        let mut numbers: Vec<i32> = vec![];
        while at.row < sel.len() && out.len() < MAX_ROWS {
            let row = sel.row(at.row);
            out.advance(batch, row as u32, &mut at.marks);
            let (from, to) = match collection.is_valid(row) {
                true => (offsets[row] as usize, offsets[row + 1] as usize),
                false => (0, 0),
            };
            while from + at.entry < to && out.len() < MAX_ROWS {
                let entry = from + at.entry;
                let times = match second {
                    Some(counts) if self.is_multiset => counts.slice::<i32>()[entry],
                    _ => 1,
                };
                if at.copies < times {
                    (at.copies, at.counted) = (at.copies + 1, at.counted + 1);
                    if of_rows && !first.is_valid(entry) {
                        continue;
                    }
                    at.found = true;
                    out.push(row as u32, entry as u32);
                    numbers.push(at.counted);
                } else {
                    (at.entry, at.copies) = (at.entry + 1, 0);
                }
            }
            if from + at.entry < to {
                break;
            }
            if !at.found && self.spec.outer {
                out.push(row as u32, NOTHING);
                numbers.push(0);
            }
            at = Place { row: at.row + 1, marks: at.marks, ..Place::default() };
        }
        let done = at.row == sel.len();
        if done {
            out.advance(batch, u32::MAX, &mut at.marks);
        }
        let (kept, made) = self.types.split_at(self.spec.kept.len());
        out.keep(batch, self.spec.kept.iter().map(|&k| &batch.columns[k]), kept, pool);
        let mut elements: Vec<&Column> = vec![];
        match &first.data {
            ColumnData::Row(fields) if of_rows => elements.extend(fields.iter().map(|f| &**f)),
            _ => elements.push(first),
        }
        if !self.is_multiset {
            elements.extend(second);
        }
        for (from, ty) in elements.iter().zip(made) {
            out.pick(from, ty, pool);
        }
        if self.spec.ordinality {
            let mut to = pool.column(&made[elements.len()]);
            let c = unshared(&mut to);
            c.buffer_mut::<i32>().extend_exact(numbers.iter().copied());
            numbers.iter().for_each(|&n| c.validity.push(n > 0));
            out.add(to);
        }
        (out.finish(pool), (!done).then_some(at))
    }
}

impl Operator for Unnest {
    fn push(&mut self, _port: usize, batch: Batch, _cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.counters.absorbed += batch.selected() as u64;
        self.batch = Some((batch, Place::default()));
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some((batch, at)) = self.batch.take() else { return Ok(None) };
        if batch.selected() == 0 {
            let w = batch.watermarks.last();
            cx.pool.recycle(batch);
            return Ok(w.map(Batch::watermark));
        }
        let (out, next) = self.rows(&batch, at, cx.pool);
        match next {
            Some(next) => self.batch = Some((batch, next)),
            None => cx.pool.recycle(batch),
        }
        self.counters.rows_out += out.rows() as u64;
        if out.rows() == 0 {
            let w = out.watermarks.last();
            cx.pool.recycle(out);
            return Ok(w.map(Batch::watermark));
        }
        Ok(Some(out))
    }

    fn snapshot(&self, to: &mut Encoder) {
        debug_assert!(self.batch.is_none(), "nothing waits to be pulled");
        to.block(b"UNST", 1);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"UNST", 1)
    }

    fn bytes(&self) -> usize {
        0
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{ColumnRef, Field, Sel};
    use proptest::prelude::*;

    fn numbers(values: impl IntoIterator<Item = i32>) -> Column {
        let mut c = Column::of_kind(&TypeKind::Int);
        for v in values {
            c.buffer_mut::<i32>().push(v);
            c.validity.push(true);
        }
        c
    }

    /// Row `i` has the number `i`, and as elements 0, 1, … up to its length; `None`: no array. Each is given as often as `copies` says.
    fn unnested(
        lengths: &[Option<u32>],
        copies: Option<i32>,
        outer: bool,
    ) -> (Vec<[Option<i32>; 3]>, Vec<usize>) {
        let element = Box::new(TypeKind::Int.nullable());
        let kind = if copies.is_some() { TypeKind::Multiset(element) } else { TypeKind::Array(element) };
        let mut collection = Column::of_kind(&kind);
        for length in lengths {
            let last = length.unwrap_or(0);
            let (offsets, elements) = match &mut collection.data {
                ColumnData::List { offsets, child } => (offsets, &mut **child),
                ColumnData::Map { offsets, keys, values } => {
                    let counts = numbers((0..last).map(|_| copies.unwrap_or(1)));
                    values.extend_rows(&counts, &(0..last).collect::<Vec<_>>());
                    (offsets, &mut **keys)
                }
                _ => unreachable!("a collection"),
            };
            elements.extend_rows(&numbers(0..last as i32), &(0..last).collect::<Vec<_>>());
            offsets.push(elements.len() as u32);
            collection.validity.push(length.is_some());
        }
        let int = TypeKind::Int.nullable();
        let input = Schema::new(vec![Field::new("c", kind.nullable()), Field::new("k", int.clone())]);
        let output = Schema::new(["k", "e", "n"].map(|n| Field::new(n, int.clone())).to_vec());
        let spec = plan::Unnest { collection: 0, kept: vec![1], ordinality: true, outer };
        let mut pool = Pool::default();
        let mut cx = Context { pool: &mut pool, now_us: 0 };
        let mut op = Unnest::new(&spec, &input, &output);
        let keys = ColumnRef::new(numbers(0..lengths.len() as i32));
        op.push(0, Batch::new(vec![ColumnRef::new(collection), keys], lengths.len()), &mut cx).unwrap();
        let (mut out, mut sizes) = (vec![], vec![]);
        while let Some(b) = op.pull(&mut cx).unwrap() {
            sizes.push(b.rows());
            Sel::All(b.rows()).for_each(|i| {
                let value = |c: usize| b.columns[c].is_valid(i).then(|| b.columns[c].slice::<i32>()[i]);
                out.push([value(0), value(1), value(2)]);
            });
        }
        (out, sizes)
    }

    /// The same, row by row.
    fn model(lengths: &[Option<u32>], copies: Option<i32>, outer: bool) -> Vec<[Option<i32>; 3]> {
        let mut out = vec![];
        for (k, length) in lengths.iter().enumerate() {
            let (k, mut n) = (Some(k as i32), 0);
            for e in 0..length.unwrap_or(0) as i32 {
                for _ in 0..copies.unwrap_or(1) {
                    n += 1;
                    out.push([k, Some(e), Some(n)]);
                }
            }
            if n == 0 && outer {
                out.push([k, None, None]);
            }
        }
        out
    }

    #[test]
    fn a_long_collection_comes_in_parts() {
        let (rows, sizes) = unnested(&[Some(0), Some(3000), None, Some(1)], None, true);
        assert_eq!(rows, model(&[Some(0), Some(3000), None, Some(1)], None, true));
        assert_eq!(sizes, [1024, 1024, 955]);
        let (rows, sizes) = unnested(&[Some(2)], Some(1500), false);
        assert_eq!(rows, model(&[Some(2)], Some(1500), false));
        assert_eq!(sizes, [1024, 1024, 952]);
    }

    proptest! {
        #[test]
        fn elements_come_as_one_by_one(
            lengths in prop::collection::vec(prop::option::of(prop_oneof![0u32..4, 500u32..600]), 1..8),
            copies in prop::option::of(1i32..4),
            outer: bool,
        ) {
            prop_assert_eq!(unnested(&lengths, copies, outer).0, model(&lengths, copies, outer));
        }
    }
}

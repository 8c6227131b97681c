//! A few rows in one piece of memory, to be handed to another thread.
//!
//! A [`Batch`] is a tree: to read one that another core has written means to wait for its parts, then for the list of its columns, for each
//! column and for each buffer, one line of memory after the other, and its maker waits as long when it gets them back. A parcel is
//! read in one go. It holds up to [`MOST_ROWS`] rows of up to [`MOST_COLUMNS`] columns whose values are not made of columns, where they fit.
//!
//! ```text
//!   word 0    rows (8 bits), runs of the watermark (8), kinds follow (1), 15 unused, which columns have NULLs (32)
//!   2 words   for each run of the watermark: after how many rows, what
//!   1 word    if kinds follow: two bits a row
//!   for each column:
//!     1 word  if it has NULLs: a set bit for each row that is not
//!     values  as they stand in the column's buffers, each buffer filled up to a whole word; of texts the lengths (u32), then the bytes
//! ```

use super::{Batch, Bitmap, Column, ColumnData, DataType, Home, Pool, RowKind};
use bytemuck::Pod;

/// Rows that a parcel holds at most.
pub const MOST_ROWS: usize = 32;
/// Columns that a parcel holds at most.
pub const MOST_COLUMNS: usize = 32;

/// With the tag of a message this is four lines of memory.
const WORDS: usize = 30;
const KINDS_FOLLOW: u64 = 1 << 16;
const NULLS_FROM: usize = 32;
const KINDS: [RowKind; 4] = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];

/// See the module's text.
#[derive(Clone, Copy, Debug)]
pub struct Parcel([u64; WORDS]);

impl Parcel {
    /// The rows of `batch`, all of which are selected, unless they do not fit.
    pub fn pack(batch: &Batch) -> Option<Self> {
        debug_assert_eq!(batch.rows(), batch.selected());
        let (rows, runs) = (batch.rows(), batch.watermarks.runs());
        if rows > MOST_ROWS || runs.len() > WORDS / 2 || batch.columns.len() > MOST_COLUMNS {
            return None;
        }
        let mut words = [0; WORDS];
        let mut to = Writer { words: &mut words, at: 1 };
        let mut head = rows as u64 | (runs.len() as u64) << 8;
        for &(after, watermark) in runs {
            to.word(u64::from(after))?;
            to.word(watermark as u64)?;
        }
        if let Some(kinds) = batch.kinds() {
            head |= KINDS_FOLLOW;
            to.word(kinds.iter().rev().fold(0, |bits, &k| bits << 2 | k as u64))?;
        }
        if rows > 0 {
            for (n, column) in batch.columns.iter().enumerate() {
                if let Some(bits) = column.validity.bits() {
                    head |= 1 << (NULLS_FROM + n);
                    to.word(bits.words()[0])?;
                }
                to.values(&column.data)?;
            }
        }
        words[0] = head;
        Some(Self(words))
    }

    /// Row `row` of `batch` alone, with the batch's watermarks before and behind it, unless it does not fit.
    pub fn pack_row(batch: &Batch, row: usize) -> Option<Self> {
        if batch.columns.len() > MOST_COLUMNS {
            return None;
        }
        let mut words = [0; WORDS];
        let mut to = Writer { words: &mut words, at: 1 };
        let mut head = 1;
        // Of the movements on a side of the row only the last one matters.
        let runs = batch.watermarks.runs();
        let before = runs.partition_point(|r| r.0 as usize <= row);
        for (side, part) in [&runs[..before], &runs[before..]].into_iter().enumerate() {
            if let Some(&(_, watermark)) = part.last() {
                head += 1 << 8;
                to.word(side as u64)?;
                to.word(watermark as u64)?;
            }
        }
        if batch.kinds().is_some() {
            head |= KINDS_FOLLOW;
            to.word(batch.kind(row) as u64)?;
        }
        for (n, column) in batch.columns.iter().enumerate() {
            if !column.validity.get(row) {
                head |= 1 << (NULLS_FROM + n);
                to.word(0)?;
            }
            to.value(&column.data, row)?;
        }
        words[0] = head;
        Some(Self(words))
    }

    /// The rows, in a batch of `home` with a column for each of `types`, which are those of the batch that was packed.
    pub fn unpack(&self, types: &[DataType], home: &mut Home, pool: &mut Pool) -> Batch {
        let mut batch = pool.batch_at(home, types);
        let head = self.0[0];
        let (rows, runs) = (head as usize & 0xff, (head >> 8) as usize & 0xff);
        let mut from = Reader { words: &self.0[1..] };
        for _ in 0..runs {
            let (after, watermark) = (from.word(), from.word());
            batch.watermarks.advance(after as usize, watermark as i64);
        }
        let kinds = (head & KINDS_FOLLOW != 0).then(|| from.word());
        for (n, ty) in types.iter().enumerate() {
            let column = pool.own(&mut batch.columns[n], ty);
            if rows == 0 {
                column.reset(0);
                continue;
            }
            column.validity.reset(rows);
            if head >> (NULLS_FROM + n) & 1 == 1 {
                column.validity.bits_mut().words_mut()[0] = from.word();
            }
            from.values(rows, column);
        }
        batch.set_rows(rows);
        if let Some(bits) = kinds {
            let mut list = pool.kind_list();
            list.extend((0..rows).map(|r| KINDS[(bits >> (2 * r)) as usize & 3]));
            batch.set_kinds(Some(list));
        }
        batch
    }
}

struct Writer<'a> {
    words: &'a mut [u64; WORDS],
    at: usize,
}

impl Writer<'_> {
    #[inline]
    fn word(&mut self, word: u64) -> Option<()> {
        *self.words.get_mut(self.at)? = word;
        self.at += 1;
        Some(())
    }

    #[inline]
    fn buffer<T: Pod>(&mut self, values: &[T]) -> Option<()> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let words = bytes.len().div_ceil(8);
        let to = self.words.get_mut(self.at..self.at + words)?;
        bytemuck::cast_slice_mut::<u64, u8>(to)[..bytes.len()].copy_from_slice(bytes);
        self.at += words;
        Some(())
    }

    /// What [`Writer::values`] writes of a column of the one value at `row`.
    #[inline]
    fn value(&mut self, data: &ColumnData, row: usize) -> Option<()> {
        match data {
            ColumnData::Null => Some(()),
            ColumnData::Bool(b) => self.word(b.get(row).into()),
            ColumnData::I8(b) => self.buffer(&b[row..=row]),
            ColumnData::I16(b) => self.buffer(&b[row..=row]),
            ColumnData::I32(b) => self.buffer(&b[row..=row]),
            ColumnData::I64(b) => self.word(b[row] as u64),
            ColumnData::F32(b) => self.buffer(&b[row..=row]),
            ColumnData::F64(b) => self.word(b[row].to_bits()),
            ColumnData::I128(b) => self.buffer(&b[row..=row]),
            ColumnData::Nanos { seconds, nanos } => {
                self.word(seconds[row] as u64)?;
                self.buffer(&nanos[row..=row])
            }
            ColumnData::Bytes(texts) => {
                let text = texts.get(row);
                self.buffer(&[text.len() as u32])?;
                self.buffer(text)
            }
            ColumnData::List { .. } | ColumnData::Map { .. } | ColumnData::Row(_) => None,
        }
    }

    #[inline]
    fn values(&mut self, data: &ColumnData) -> Option<()> {
        match data {
            ColumnData::Null => Some(()),
            ColumnData::Bool(b) => self.word(b.words()[0]),
            ColumnData::I8(b) => self.buffer(b),
            ColumnData::I16(b) => self.buffer(b),
            ColumnData::I32(b) => self.buffer(b),
            ColumnData::I64(b) => self.buffer(b),
            ColumnData::F32(b) => self.buffer(b),
            ColumnData::F64(b) => self.buffer(b),
            ColumnData::I128(b) => self.buffer(b),
            ColumnData::Nanos { seconds, nanos } => {
                self.buffer(seconds)?;
                self.buffer(nanos)
            }
            ColumnData::Bytes(texts) => {
                let lengths = texts.len().div_ceil(2);
                let mut at = (self.at + lengths) * 8;
                for (n, view) in texts.views().iter().enumerate() {
                    let text = texts.resolve(view);
                    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.words[..]);
                    bytes.get_mut(at..at + text.len())?.copy_from_slice(text);
                    at += text.len();
                    let length = self.at * 8 + n * 4;
                    bytes[length..length + 4].copy_from_slice(&view.len.to_ne_bytes());
                }
                self.at = at.div_ceil(8);
                Some(())
            }
            ColumnData::List { .. } | ColumnData::Map { .. } | ColumnData::Row(_) => None,
        }
    }
}

struct Reader<'a> {
    words: &'a [u64],
}

impl<'a> Reader<'a> {
    #[inline]
    fn word(&mut self) -> u64 {
        self.words(1)[0]
    }

    #[inline]
    fn words(&mut self, n: usize) -> &'a [u64] {
        let (taken, rest) = self.words.split_at(n);
        self.words = rest;
        taken
    }

    #[inline]
    fn buffer<T: Pod>(&mut self, to: &mut [T]) {
        let to: &mut [u8] = bytemuck::cast_slice_mut(to);
        let from: &[u8] = bytemuck::cast_slice(self.words(to.len().div_ceil(8)));
        to.copy_from_slice(&from[..to.len()]);
    }

    #[inline]
    fn values(&mut self, rows: usize, column: &mut Column) {
        macro_rules! fixed {
            ($to:expr) => {{
                $to.reset(rows);
                self.buffer(&mut $to[..]);
            }};
        }
        match &mut column.data {
            ColumnData::I64(to) if rows == 1 => to.set_one(self.word() as i64),
            ColumnData::Null => {}
            ColumnData::Bool(to) => {
                to.reset(rows);
                Bitmap::words_mut(to)[0] = self.word();
            }
            ColumnData::I8(to) => fixed!(to),
            ColumnData::I16(to) => fixed!(to),
            ColumnData::I32(to) => fixed!(to),
            ColumnData::I64(to) => fixed!(to),
            ColumnData::F32(to) => fixed!(to),
            ColumnData::F64(to) => fixed!(to),
            ColumnData::I128(to) => fixed!(to),
            ColumnData::Nanos { seconds, nanos } => {
                fixed!(seconds);
                fixed!(nanos);
            }
            ColumnData::Bytes(to) => {
                to.clear();
                let lengths: &[u32] = bytemuck::cast_slice(self.words(rows.div_ceil(2)));
                let lengths = lengths[..rows].iter().map(|&n| n as usize);
                let all: usize = lengths.clone().sum();
                let mut bytes: &[u8] = bytemuck::cast_slice(self.words(all.div_ceil(8)));
                let mut writer = to.writer();
                for length in lengths {
                    let (text, rest) = bytes.split_at(length);
                    writer.push(text);
                    bytes = rest;
                }
            }
            ColumnData::List { .. } | ColumnData::Map { .. } | ColumnData::Row(_) => {
                unreachable!("such columns are not packed")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{ColumnRef, Encoder, TypeKind};
    use proptest::prelude::*;

    const TYPES: [TypeKind; 10] = [
        TypeKind::BigInt,
        TypeKind::STRING,
        TypeKind::Boolean,
        TypeKind::Int,
        TypeKind::SmallInt,
        TypeKind::TinyInt,
        TypeKind::Double,
        TypeKind::Float,
        TypeKind::Decimal(30, 2),
        TypeKind::Timestamp(9),
    ];

    /// A column of values that follow from `seed`, some of them NULL if asked for.
    fn column(kind: &TypeKind, rows: usize, seed: u64, nulls: bool) -> ColumnRef {
        let mut c = Column::of_kind(kind);
        let mix = |r: usize| (seed + r as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        c.validity.reset(rows);
        for r in 0..rows {
            let v = mix(r);
            match &mut c.data {
                ColumnData::Bool(b) => b.push(v >> 63 == 1),
                ColumnData::I8(b) => b.push(v as i8),
                ColumnData::I16(b) => b.push(v as i16),
                ColumnData::I32(b) => b.push(v as i32),
                ColumnData::I64(b) => b.push(v as i64),
                ColumnData::F32(b) => b.push(v as f32),
                ColumnData::F64(b) => b.push(v as f64),
                ColumnData::I128(b) => b.push(i128::from(v) << 40),
                ColumnData::Nanos { seconds, nanos } => {
                    seconds.push(v as i64 >> 30);
                    nanos.push(v as u32 % 1_000_000_000);
                }
                ColumnData::Bytes(b) => {
                    b.push(&"a text of up to thirty letters".as_bytes()[..v as usize % 31])
                }
                _ => unreachable!("not among the types"),
            }
            if nulls && v.is_multiple_of(3) {
                c.validity.set(r, false);
            }
        }
        ColumnRef::new(c)
    }

    /// The bytes of the columns, kinds, and runs of the watermark.
    type Said = (Vec<Vec<u8>>, Option<Vec<RowKind>>, Vec<(u32, i64)>);

    fn said(batch: &Batch) -> Said {
        let bytes = |c: &ColumnRef| {
            let mut e = Encoder::default();
            e.column(c);
            e.finish()
        };
        let columns = batch.columns.iter().map(bytes).collect();
        (columns, batch.kinds().map(<[_]>::to_vec), batch.watermarks.runs().to_vec())
    }

    proptest! {
        /// What is packed comes back, into batches that were used before; what is not packed would have been too long.
        #[test]
        fn parcels_bring_what_they_were_given(
            batches in prop::collection::vec((0..40usize, any::<u64>(), any::<bool>(), any::<bool>(), 0..5usize), 1..8),
            types in prop::collection::vec(0..TYPES.len(), 0..6),
        ) {
            let types: Vec<DataType> = types.into_iter().map(|t| TYPES[t].clone().nullable()).collect();
            let (mut home, mut pool) = (Home::default(), Pool::default());
            for (rows, seed, nulls, kinds, runs) in batches {
                let columns = types.iter().zip(0..).map(|(t, n)| column(&t.kind, rows, seed >> 1 ^ n << 40, nulls)).collect();
                let mut batch = Batch::new(columns, rows);
                (0..runs).for_each(|n| batch.watermarks.advance(rows * n / 5, seed as i64 / 2 + n as i64));
                if kinds {
                    batch.set_kinds(Some((0..rows).map(|r| KINDS[(seed >> (r % 60)) as usize & 3]).collect()));
                }
                let Some(parcel) = Parcel::pack(&batch) else {
                    let text_bytes = if types.iter().any(|t| t.kind == TypeKind::STRING) { 30 } else { 0 };
                    let most = 8 * (2 + 2 * runs + types.len() * (3 + rows.div_ceil(2)) ) + types.len() * rows * (16 + text_bytes);
                    prop_assert!(rows > MOST_ROWS || most > WORDS * 8, "{rows} rows of {} columns fit", types.len());
                    continue;
                };
                let back = parcel.unpack(&types, &mut home, &mut pool);
                prop_assert_eq!(back.rows(), rows);
                prop_assert_eq!(said(&back), said(&batch));
                pool.recycle(back);
            }
        }

        /// A row that is packed from the middle of a batch is what is packed of a batch of that row.
        #[test]
        fn a_row_packed_alone_is_that_row(
            rows in 1..40usize, seed in any::<u64>(), nulls in any::<bool>(), kinds in any::<bool>(),
            marks in prop::collection::vec((0..41usize, 1..9i64), 0..6),
            types in prop::collection::vec(0..TYPES.len(), 0..6),
        ) {
            let types: Vec<DataType> = types.into_iter().map(|t| TYPES[t].clone().nullable()).collect();
            let columns = types.iter().zip(0..).map(|(t, n)| column(&t.kind, rows, seed >> 1 ^ n << 40, nulls)).collect();
            let mut batch = Batch::new(columns, rows);
            let mut marks: Vec<(usize, i64)> = marks.into_iter().map(|(after, by)| (after.min(rows), by)).collect();
            marks.sort_unstable();
            let mut at = 0;
            for (after, by) in marks {
                at += by;
                batch.watermarks.advance(after, at);
            }
            if kinds {
                batch.set_kinds(Some((0..rows).map(|r| KINDS[(seed >> (r % 60)) as usize & 3]).collect()));
            }
            let (mut home, mut pool) = (Home::default(), Pool::default());
            for row in 0..rows {
                let columns = batch.columns.iter().map(|c| {
                    let mut one = c.empty_like();
                    one.extend_rows(c, &[row as u32]);
                    ColumnRef::new(one)
                });
                let mut alone = Batch::new(columns.collect(), 1);
                for &(after, w) in batch.watermarks.runs() {
                    alone.watermarks.advance(usize::from(after as usize > row), w);
                }
                if kinds {
                    alone.set_kinds(Some(vec![batch.kind(row)]));
                }
                let (packed, wanted) = (Parcel::pack_row(&batch, row), Parcel::pack(&alone));
                prop_assert_eq!(packed.is_some(), wanted.is_some());
                if let Some(parcel) = packed {
                    let back = parcel.unpack(&types, &mut home, &mut pool);
                    prop_assert_eq!(said(&back), said(&alone));
                    pool.recycle(back);
                }
            }
        }
    }

    #[test]
    fn a_row_of_five_columns_fits_and_lists_do_not() {
        let kinds =
            [TypeKind::BigInt, TypeKind::STRING, TypeKind::STRING, TypeKind::Double, TypeKind::Timestamp(3)];
        let batch = Batch::new(kinds.iter().map(|k| column(k, 1, 7, false)).collect(), 1);
        assert!(Parcel::pack(&batch).is_some());
        let list = Column::of_kind(&TypeKind::Array(Box::new(TypeKind::Int.nullable())));
        let mut one = list.clone();
        one.push_null();
        assert!(Parcel::pack(&Batch::new(vec![ColumnRef::new(one)], 1)).is_none());
        assert!(Parcel::pack(&Batch::new(vec![ColumnRef::new(list)], 0)).is_some(), "nothing but time");
    }
}

//! One column: validity and typed buffers, in Arrow's layout where Arrow can hold the type.
//!
//! Kernels take the typed buffer once ([`Column::slice`], [`Column::byte_column`], …) and loop over it; nothing here is
//! meant to be called per row on a hot path except where it says so. A value at a NULL row is some initialised
//! value of the type (zero, an empty view), never garbage. After a kernel ran under a selection, rows outside the
//! selection are equally unspecified but initialised.

use super::{Bitmap, Buffer, ByteColumn, ColumnRef, DataType, Physical, TypeKind, Validity};
use bytemuck::Pod;

/// A column of some length. Which [`ColumnData`] it has follows from the [`Physical`] of its type.
#[derive(Clone, Debug)]
pub struct Column {
    /// Which rows are not NULL. Its length is the column's.
    pub validity: Validity,
    /// The values.
    pub data: ColumnData,
}

/// The buffers of a column. See [`Physical`] for which type has which.
///
/// The tag stands apart (`repr`): read from a niche of a buffer it would take longer than what is done to one row.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
#[repr(u8)]
pub enum ColumnData {
    Null,
    Bool(Bitmap),
    I8(Buffer<i8>),
    I16(Buffer<i16>),
    I32(Buffer<i32>),
    I64(Buffer<i64>),
    F32(Buffer<f32>),
    F64(Buffer<f64>),
    I128(Buffer<i128>),
    /// Seconds since the epoch (floor) and nanoseconds of the second.
    Nanos {
        seconds: Buffer<i64>,
        nanos: Buffer<u32>,
    },
    Bytes(ByteColumn),
    /// `offsets` has one entry more than rows; row `i` is `child[offsets[i]..offsets[i + 1]]`.
    List {
        offsets: Buffer<u32>,
        child: Box<Column>,
    },
    /// As `List`, with a key and a value for each entry.
    Map {
        offsets: Buffer<u32>,
        keys: Box<Column>,
        values: Box<Column>,
    },
    /// A child for each field, shared by reference count so that reading a field copies nothing. A child is NULL wherever the
    /// row is, where the row was built by appending; kernels that clear validity later need not keep that.
    Row(Vec<ColumnRef>),
}

/// A fixed-width value that a column can hold in one buffer.
pub trait Native: Pod + PartialOrd + Default + Send + Sync + std::fmt::Debug + 'static {
    /// The buffer when the column is of this type.
    fn buffer(data: &ColumnData) -> Option<&Buffer<Self>>;
    /// The buffer to write to when the column is of this type.
    fn buffer_mut(data: &mut ColumnData) -> Option<&mut Buffer<Self>>;
}

macro_rules! native {
    ($($t:ty => $v:ident),*) => {$(
        impl Native for $t {
            #[inline]
            fn buffer(data: &ColumnData) -> Option<&Buffer<Self>> {
                match data { ColumnData::$v(b) => Some(b), _ => None }
            }
            #[inline]
            fn buffer_mut(data: &mut ColumnData) -> Option<&mut Buffer<Self>> {
                match data { ColumnData::$v(b) => Some(b), _ => None }
            }
        }
    )*};
}
native!(i8 => I8, i16 => I16, i32 => I32, i64 => I64, f32 => F32, f64 => F64, i128 => I128);

impl Column {
    /// An empty column for values of `ty`.
    pub fn new(ty: &DataType) -> Self {
        Self::of_kind(&ty.kind)
    }

    /// An empty column for values of `kind`.
    pub fn of_kind(kind: &TypeKind) -> Self {
        let data = match kind.physical() {
            Physical::Null => ColumnData::Null,
            Physical::Bool => ColumnData::Bool(Bitmap::default()),
            Physical::I8 => ColumnData::I8(Buffer::default()),
            Physical::I16 => ColumnData::I16(Buffer::default()),
            Physical::I32 => ColumnData::I32(Buffer::default()),
            Physical::I64 => ColumnData::I64(Buffer::default()),
            Physical::F32 => ColumnData::F32(Buffer::default()),
            Physical::F64 => ColumnData::F64(Buffer::default()),
            Physical::I128 => ColumnData::I128(Buffer::default()),
            Physical::Nanos => ColumnData::Nanos { seconds: Buffer::default(), nanos: Buffer::default() },
            Physical::Bytes => ColumnData::Bytes(ByteColumn::default()),
            Physical::List | Physical::Map | Physical::Row => Self::nested(kind),
        };
        Self { validity: Validity::default(), data }
    }

    fn nested(kind: &TypeKind) -> ColumnData {
        let mut offsets = Buffer::default();
        offsets.push(0);
        match kind {
            TypeKind::Array(t) => ColumnData::List { offsets, child: Box::new(Self::new(t)) },
            TypeKind::Map(k, v) => {
                ColumnData::Map { offsets, keys: Box::new(Self::new(k)), values: Box::new(Self::new(v)) }
            }
            TypeKind::Multiset(t) => ColumnData::Map {
                offsets,
                keys: Box::new(Self::new(t)),
                values: Box::new(Self::of_kind(&TypeKind::Int)),
            },
            TypeKind::Row(fields) => {
                ColumnData::Row(fields.iter().map(|f| ColumnRef::new(Self::new(&f.ty))).collect())
            }
            _ => unreachable!("only nested kinds are nested"),
        }
    }

    /// An empty column of the same form.
    #[must_use]
    pub fn empty_like(&self) -> Self {
        fn offsets() -> Buffer<u32> {
            let mut b = Buffer::default();
            b.push(0);
            b
        }
        let data = match &self.data {
            ColumnData::Null => ColumnData::Null,
            ColumnData::Bool(_) => ColumnData::Bool(Bitmap::default()),
            ColumnData::I8(_) => ColumnData::I8(Buffer::default()),
            ColumnData::I16(_) => ColumnData::I16(Buffer::default()),
            ColumnData::I32(_) => ColumnData::I32(Buffer::default()),
            ColumnData::I64(_) => ColumnData::I64(Buffer::default()),
            ColumnData::F32(_) => ColumnData::F32(Buffer::default()),
            ColumnData::F64(_) => ColumnData::F64(Buffer::default()),
            ColumnData::I128(_) => ColumnData::I128(Buffer::default()),
            ColumnData::Nanos { .. } => {
                ColumnData::Nanos { seconds: Buffer::default(), nanos: Buffer::default() }
            }
            ColumnData::Bytes(_) => ColumnData::Bytes(ByteColumn::default()),
            ColumnData::List { child, .. } => {
                ColumnData::List { offsets: offsets(), child: Box::new(child.empty_like()) }
            }
            ColumnData::Map { keys, values, .. } => ColumnData::Map {
                offsets: offsets(),
                keys: Box::new(keys.empty_like()),
                values: Box::new(values.empty_like()),
            },
            ColumnData::Row(fields) => {
                ColumnData::Row(fields.iter().map(|f| ColumnRef::new(f.empty_like())).collect())
            }
        };
        Self { validity: Validity::default(), data }
    }

    /// Number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        self.validity.len()
    }

    /// No rows.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its buffers are those of values of `kind`.
    pub fn is_of(&self, kind: &TypeKind) -> bool {
        let physical = match &self.data {
            ColumnData::Null => Physical::Null,
            ColumnData::Bool(_) => Physical::Bool,
            ColumnData::I8(_) => Physical::I8,
            ColumnData::I16(_) => Physical::I16,
            ColumnData::I32(_) => Physical::I32,
            ColumnData::I64(_) => Physical::I64,
            ColumnData::F32(_) => Physical::F32,
            ColumnData::F64(_) => Physical::F64,
            ColumnData::I128(_) => Physical::I128,
            ColumnData::Nanos { .. } => Physical::Nanos,
            ColumnData::Bytes(_) => Physical::Bytes,
            ColumnData::List { .. } => Physical::List,
            ColumnData::Map { .. } => Physical::Map,
            ColumnData::Row(_) => Physical::Row,
        };
        physical == kind.physical()
    }

    /// Its values are not made of columns.
    #[inline]
    pub fn is_flat(&self) -> bool {
        !matches!(self.data, ColumnData::List { .. } | ColumnData::Map { .. } | ColumnData::Row(_))
    }

    /// Row `i` is not NULL.
    #[inline]
    pub fn is_valid(&self, i: usize) -> bool {
        self.validity.get(i) && !matches!(self.data, ColumnData::Null)
    }

    /// Value `i` of those of fixed width.
    ///
    /// # Panics
    /// When the column holds something else, or has no row `i`.
    #[inline(always)]
    pub fn value<T: Native>(&self, i: usize) -> T {
        match T::buffer(&self.data) {
            Some(values) => values.at(i),
            None => panic!("column is not {}", std::any::type_name::<T>()),
        }
    }

    /// The fixed-width values.
    ///
    /// # Panics
    /// When the column holds something else: the binder has promised the type.
    #[inline]
    pub fn slice<T: Native>(&self) -> &[T] {
        T::buffer(&self.data).unwrap_or_else(|| panic!("column is not {}", std::any::type_name::<T>()))
    }

    /// The fixed-width buffer to write to. The caller keeps the validity's length in step.
    ///
    /// # Panics
    /// When the column holds something else.
    #[inline]
    pub fn buffer_mut<T: Native>(&mut self) -> &mut Buffer<T> {
        T::buffer_mut(&mut self.data)
            .unwrap_or_else(|| panic!("column is not {}", std::any::type_name::<T>()))
    }

    /// The bits of a BOOLEAN column.
    ///
    /// # Panics
    /// When the column holds something else.
    #[inline]
    pub fn bools(&self) -> &Bitmap {
        match &self.data {
            ColumnData::Bool(b) => b,
            _ => panic!("column is not BOOLEAN"),
        }
    }

    /// The bits of a BOOLEAN column to write to.
    ///
    /// # Panics
    /// When the column holds something else.
    #[inline]
    pub fn bools_mut(&mut self) -> &mut Bitmap {
        match &mut self.data {
            ColumnData::Bool(b) => b,
            _ => panic!("column is not BOOLEAN"),
        }
    }

    /// The byte strings of a character, binary or VARIANT column.
    ///
    /// # Panics
    /// When the column holds something else.
    #[inline]
    pub fn byte_column(&self) -> &ByteColumn {
        match &self.data {
            ColumnData::Bytes(b) => b,
            _ => panic!("column does not hold bytes"),
        }
    }

    /// The byte strings to write to.
    ///
    /// # Panics
    /// When the column holds something else.
    #[inline]
    pub fn byte_column_mut(&mut self) -> &mut ByteColumn {
        match &mut self.data {
            ColumnData::Bytes(b) => b,
            _ => panic!("column does not hold bytes"),
        }
    }

    /// No rows, the memory kept.
    pub fn clear(&mut self) {
        self.validity.clear();
        match &mut self.data {
            ColumnData::Null => {}
            ColumnData::Bool(b) => b.clear(),
            ColumnData::I8(b) => b.clear(),
            ColumnData::I16(b) => b.clear(),
            ColumnData::I32(b) => b.clear(),
            ColumnData::I64(b) => b.clear(),
            ColumnData::F32(b) => b.clear(),
            ColumnData::F64(b) => b.clear(),
            ColumnData::I128(b) => b.clear(),
            ColumnData::Nanos { seconds, nanos } => {
                seconds.clear();
                nanos.clear();
            }
            ColumnData::Bytes(b) => b.clear(),
            ColumnData::List { offsets, child } => {
                offsets.truncate(1);
                child.clear();
            }
            ColumnData::Map { offsets, keys, values } => {
                offsets.truncate(1);
                keys.clear();
                values.clear();
            }
            ColumnData::Row(fields) => {
                for f in fields {
                    match ColumnRef::get_mut(f) {
                        Some(own) => own.clear(),
                        None => *f = ColumnRef::new(f.empty_like()),
                    }
                }
            }
        }
    }

    /// Becomes `rows` rows, none NULL, values unspecified but initialised: what a kernel that writes by position
    /// wants. Lists and maps become `rows` empty ones.
    #[inline]
    pub fn reset(&mut self, rows: usize) {
        self.validity.reset(rows);
        match &mut self.data {
            ColumnData::I64(b) => b.reset(rows),
            ColumnData::I128(b) => b.reset(rows),
            ColumnData::I32(b) => b.reset(rows),
            ColumnData::Bool(b) => b.reset(rows),
            ColumnData::Bytes(b) => b.reset(rows),
            _ => self.reset_other(rows),
        }
    }

    /// Lets go of the buffers of others in which its texts live, and so of its values. Where few were written its rows stay, to be written again.
    pub(super) fn release_buffers(&mut self) {
        match &mut self.data {
            ColumnData::Bytes(b) if b.has_few_written() => b.reset(b.len()),
            _ => self.clear(),
        }
    }

    /// Becomes one row, which is not NULL.
    ///
    /// # Panics
    /// When the column holds something else.
    #[inline(always)]
    pub fn set_value<T: Native>(&mut self, value: T) {
        self.buffer_mut::<T>().set_one(value);
        self.validity.reset(1);
    }

    /// Becomes two rows, neither of them NULL.
    ///
    /// # Panics
    /// When the column holds something else.
    #[inline(always)]
    pub fn set_two<T: Native>(&mut self, first: T, second: T) {
        self.buffer_mut::<T>().set_two(first, second);
        self.validity.reset(2);
    }

    /// Becomes two rows, the value `before` a change and that `after` it; where there was none before, that after it alone.
    ///
    /// # Panics
    /// When the column holds something else.
    #[inline(always)]
    pub fn set_sides<T: Native>(&mut self, before: T, after: T, begins: bool) {
        if begins {
            self.set_value(after);
        } else {
            self.set_two(before, after);
        }
    }

    /// Becomes a single row: row `row` of `from`, a column of the same type. For batches of one row, where a pass over rows costs
    /// more than the row.
    #[inline]
    pub fn set_only(&mut self, from: &Column, row: usize) {
        match (&mut self.data, &from.data) {
            (ColumnData::I64(to), ColumnData::I64(from)) => to.set_one(from.at(row)),
            (ColumnData::I32(to), ColumnData::I32(from)) => to.set_one(from.at(row)),
            (ColumnData::F64(to), ColumnData::F64(from)) => to.set_one(from.at(row)),
            (ColumnData::I128(to), ColumnData::I128(from)) => to.set_one(from.at(row)),
            (ColumnData::Bytes(to), ColumnData::Bytes(from)) => to.set_copies::<1>(from, row),
            _ => {
                self.clear();
                return self.extend_rows(from, &[row as u32]);
            }
        }
        self.validity.reset(1);
        if from.validity.may_have_nulls() {
            self.validity.set(0, from.validity.get(row));
        }
    }

    /// Becomes two rows, both of them row `row` of `from`, a column of the same type.
    #[inline]
    pub fn set_pair(&mut self, from: &Column, row: usize) {
        match (&mut self.data, &from.data) {
            (ColumnData::I64(to), ColumnData::I64(from)) => to.set_copies::<2>(&from[row]),
            (ColumnData::I32(to), ColumnData::I32(from)) => to.set_copies::<2>(&from[row]),
            (ColumnData::F64(to), ColumnData::F64(from)) => to.set_copies::<2>(&from[row]),
            (ColumnData::I128(to), ColumnData::I128(from)) => to.set_copies::<2>(&from[row]),
            (ColumnData::Bytes(to), ColumnData::Bytes(from)) => to.set_copies::<2>(from, row),
            _ => {
                self.clear();
                return self.extend_rows(from, &[row as u32; 2]);
            }
        }
        self.validity.reset(2);
        if !from.validity.get(row) {
            self.validity.set(0, false);
            self.validity.set(1, false);
        }
    }

    /// Becomes `rows` rows, of which row `at` is row `row` of `from`, a column of the same type, and the others are unspecified. False:
    /// not for values of that type, and nothing was done.
    pub fn set_one(&mut self, rows: usize, at: usize, from: &Column, row: usize) -> bool {
        macro_rules! fixed {
            ($to:expr, $from:expr) => {{
                $to.reset(rows);
                $to[at] = $from[row];
            }};
        }
        match (&mut self.data, &from.data) {
            (ColumnData::I64(to), ColumnData::I64(from)) => fixed!(to, from),
            (ColumnData::I32(to), ColumnData::I32(from)) => fixed!(to, from),
            (ColumnData::F64(to), ColumnData::F64(from)) => fixed!(to, from),
            (ColumnData::I128(to), ColumnData::I128(from)) => fixed!(to, from),
            (ColumnData::Bytes(to), ColumnData::Bytes(from)) => {
                to.reset(rows);
                to.writer().set(at, from.get(row));
            }
            _ => return false,
        }
        self.validity.reset(rows);
        self.validity.set(at, from.validity.get(row));
        true
    }

    fn reset_other(&mut self, rows: usize) {
        match &mut self.data {
            ColumnData::I8(b) => b.reset(rows),
            ColumnData::I16(b) => b.reset(rows),
            ColumnData::F32(b) => b.reset(rows),
            ColumnData::F64(b) => b.reset(rows),
            ColumnData::List { .. } | ColumnData::Map { .. } => {
                self.clear();
                self.validity.reset(rows);
                self.resize_data(rows);
            }
            _ => self.resize_data(rows),
        }
    }

    fn resize_data(&mut self, rows: usize) {
        match &mut self.data {
            ColumnData::Null => {}
            ColumnData::Bool(b) => b.resize(rows, false),
            ColumnData::I8(b) => b.resize(rows, 0),
            ColumnData::I16(b) => b.resize(rows, 0),
            ColumnData::I32(b) => b.resize(rows, 0),
            ColumnData::I64(b) => b.resize(rows, 0),
            ColumnData::F32(b) => b.resize(rows, 0.0),
            ColumnData::F64(b) => b.resize(rows, 0.0),
            ColumnData::I128(b) => b.resize(rows, 0),
            ColumnData::Nanos { seconds, nanos } => {
                seconds.resize(rows, 0);
                nanos.resize(rows, 0);
            }
            ColumnData::Bytes(b) => b.resize(rows),
            ColumnData::List { offsets, child } => {
                resize_offsets(offsets, rows);
                child.truncate(offsets[rows] as usize);
            }
            ColumnData::Map { offsets, keys, values } => {
                resize_offsets(offsets, rows);
                keys.truncate(offsets[rows] as usize);
                values.truncate(offsets[rows] as usize);
            }
            ColumnData::Row(fields) => {
                for f in fields {
                    let f = ColumnRef::make_mut(f);
                    let len = f.len();
                    f.validity.resize(rows, rows <= len);
                    f.resize_data(rows);
                }
            }
        }
    }

    /// Keeps the first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        if rows < self.len() {
            self.validity.resize(rows, true);
            self.resize_data(rows);
        }
    }

    /// Appends a NULL row.
    pub fn push_null(&mut self) {
        self.validity.push(false);
        let rows = self.validity.len();
        self.resize_data(rows);
    }

    /// Appends `rows` NULL rows.
    pub fn push_nulls(&mut self, rows: usize) {
        let len = self.len() + rows;
        self.validity.resize(len, false);
        self.resize_data(len);
    }

    /// Appends the rows of `from` that `rows` lists, in that order. Long strings are copied into the own arena, so
    /// that the result depends on no other column.
    pub fn extend_rows(&mut self, from: &Column, rows: &[u32]) {
        if from.validity.may_have_nulls() {
            for &r in rows {
                self.validity.push(from.validity.get(r as usize));
            }
        } else {
            let len = self.len() + rows.len();
            self.validity.resize(len, true);
        }
        fn copy<T: Pod>(to: &mut Buffer<T>, from: &[T], rows: &[u32]) {
            to.extend_exact(rows.iter().map(|&r| from[r as usize]));
        }
        match (&mut self.data, &from.data) {
            (ColumnData::Null, ColumnData::Null) => {}
            (ColumnData::Bool(a), ColumnData::Bool(b)) => {
                rows.iter().for_each(|&r| a.push(b.get(r as usize)))
            }
            (ColumnData::I8(a), ColumnData::I8(b)) => copy(a, b, rows),
            (ColumnData::I16(a), ColumnData::I16(b)) => copy(a, b, rows),
            (ColumnData::I32(a), ColumnData::I32(b)) => copy(a, b, rows),
            (ColumnData::I64(a), ColumnData::I64(b)) => copy(a, b, rows),
            (ColumnData::F32(a), ColumnData::F32(b)) => copy(a, b, rows),
            (ColumnData::F64(a), ColumnData::F64(b)) => copy(a, b, rows),
            (ColumnData::I128(a), ColumnData::I128(b)) => copy(a, b, rows),
            (ColumnData::Nanos { seconds, nanos }, ColumnData::Nanos { seconds: s, nanos: n }) => {
                copy(seconds, s, rows);
                copy(nanos, n, rows);
            }
            (ColumnData::Bytes(a), ColumnData::Bytes(b)) => a.writer().extend_from(b, rows),
            (ColumnData::List { offsets, child }, ColumnData::List { offsets: o, child: c }) => {
                let picked = list_entries(offsets, o, rows);
                child.extend_rows(c, &picked);
            }
            (
                ColumnData::Map { offsets, keys, values },
                ColumnData::Map { offsets: o, keys: k, values: v },
            ) => {
                let picked = list_entries(offsets, o, rows);
                keys.extend_rows(k, &picked);
                values.extend_rows(v, &picked);
            }
            (ColumnData::Row(a), ColumnData::Row(b)) => {
                for (a, b) in a.iter_mut().zip(b) {
                    ColumnRef::make_mut(a).extend_rows(b, rows);
                }
            }
            _ => panic!("extend_rows between columns of different types"),
        }
    }

    /// Appends the first row of `from` `rows` times.
    pub fn extend_same(&mut self, from: &Column, rows: usize) {
        const ZEROS: [u32; 64] = [0; 64];
        for start in (0..rows).step_by(ZEROS.len()) {
            self.extend_rows(from, &ZEROS[..ZEROS.len().min(rows - start)]);
        }
    }

    /// Bytes reserved, children included.
    pub fn bytes(&self) -> usize {
        self.validity.bytes()
            + match &self.data {
                ColumnData::Null => 0,
                ColumnData::Bool(b) => b.bytes(),
                ColumnData::I8(b) => b.capacity(),
                ColumnData::I16(b) => b.capacity() * 2,
                ColumnData::I32(b) => b.capacity() * 4,
                ColumnData::I64(b) => b.capacity() * 8,
                ColumnData::F32(b) => b.capacity() * 4,
                ColumnData::F64(b) => b.capacity() * 8,
                ColumnData::I128(b) => b.capacity() * 16,
                ColumnData::Nanos { seconds, nanos } => seconds.capacity() * 8 + nanos.capacity() * 4,
                ColumnData::Bytes(b) => b.bytes(),
                ColumnData::List { offsets, child } => offsets.capacity() * 4 + child.bytes(),
                ColumnData::Map { offsets, keys, values } => {
                    offsets.capacity() * 4 + keys.bytes() + values.bytes()
                }
                ColumnData::Row(fields) => fields.iter().map(|f| f.bytes()).sum(),
            }
    }
}

fn resize_offsets(offsets: &mut Buffer<u32>, rows: usize) {
    let last = *offsets.last().expect("offsets always hold at least the leading 0");
    offsets.resize(rows + 1, last);
}

/// Appends the offsets of the picked lists and returns the numbers of their entries.
fn list_entries(to: &mut Buffer<u32>, from: &[u32], rows: &[u32]) -> Vec<u32> {
    let mut picked = Vec::new();
    let mut end = *to.last().expect("offsets always hold at least the leading 0");
    for &r in rows {
        let (a, b) = (from[r as usize], from[r as usize + 1]);
        picked.extend(a..b);
        end += b - a;
        to.push(end);
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Field;

    #[test]
    fn nested_rows_are_gathered_with_their_children() {
        let item = TypeKind::Row(vec![
            Field::new("sku", TypeKind::STRING.nullable()),
            Field::new("n", TypeKind::Int.nullable()),
        ]);
        let mut c = Column::of_kind(&TypeKind::Array(Box::new(item.nullable())));
        // [[a 1, b NULL], NULL, [], [c 3]]
        let ColumnData::List { offsets, child } = &mut c.data else { panic!() };
        let ColumnData::Row(fields) = &mut child.data else { panic!() };
        for (s, n) in [("a", Some(1)), ("b", None), ("a text of more than twelve", Some(3))] {
            let (sku, count) = fields.split_at_mut(1);
            let (sku, count) = (ColumnRef::make_mut(&mut sku[0]), ColumnRef::make_mut(&mut count[0]));
            sku.validity.push(true);
            sku.byte_column_mut().push(s.as_bytes());
            count.validity.push(n.is_some());
            count.buffer_mut::<i32>().push(n.unwrap_or(0));
            child.validity.push(true);
        }
        for o in [2, 2, 2, 3] {
            offsets.push(o);
        }
        for v in [true, false, true, true] {
            c.validity.push(v);
        }
        let mut d = Column::of_kind(&TypeKind::Array(Box::new(item_type())));
        d.extend_rows(&c, &[3, 1, 0]);
        assert_eq!(d.len(), 3);
        assert!(!d.is_valid(1));
        let ColumnData::List { offsets, child } = &d.data else { panic!() };
        assert_eq!(&offsets[..], &[0, 1, 1, 3]);
        let ColumnData::Row(fields) = &child.data else { panic!() };
        assert_eq!(fields[0].byte_column().str(0), "a text of more than twelve");
        assert_eq!(fields[1].slice::<i32>(), &[3, 1, 0]);
        assert!(!fields[1].is_valid(2));
        d.push_null();
        d.truncate(1);
        let ColumnData::List { child, .. } = &d.data else { panic!() };
        assert_eq!((d.len(), child.len()), (1, 1));
    }

    fn item_type() -> DataType {
        TypeKind::Row(vec![
            Field::new("sku", TypeKind::STRING.nullable()),
            Field::new("n", TypeKind::Int.nullable()),
        ])
        .nullable()
    }
}

//! The byte form of columns and of operator state: little endian, lengths before contents, no pointers.
//!
//! [`Encoder`] cannot fail. [`Decoder`] treats its input as hostile: every count is checked against the bytes that are left
//! before memory is reserved. A block opens with a tag and a version ([`Encoder::block`]), so that a reader refuses what it
//! does not know by name.

use super::{Buffer, Column, ColumnData, Native};
use crate::error::{Error, Result};
use bytemuck::Pod;

/// Writes the byte form.
#[derive(Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
}

macro_rules! put {
    ($($name:ident $t:ty),*) => {$(
        #[doc = concat!("Writes a ", stringify!($t), ".")]
        #[inline]
        pub fn $name(&mut self, v: $t) {
            self.out.extend_from_slice(&v.to_le_bytes());
        }
    )*};
}

impl Encoder {
    put!(u8 u8, u16 u16, u32 u32, u64 u64, i32 i32, i64 i64, i128 i128, f64 f64);

    /// Opens a block: a four-letter tag and the version of what follows.
    pub fn block(&mut self, tag: &[u8; 4], version: u16) {
        self.out.extend_from_slice(tag);
        self.u16(version);
    }

    /// Writes a bool as one byte.
    pub fn bool(&mut self, v: bool) {
        self.u8(v.into());
    }

    /// Writes a length.
    pub fn len(&mut self, v: usize) {
        self.u64(v as u64);
    }

    /// Writes a length and the bytes.
    pub fn bytes(&mut self, v: &[u8]) {
        self.len(v.len());
        self.out.extend_from_slice(v);
    }

    /// Writes a length and the values.
    pub fn slice<T: Pod>(&mut self, v: &[T]) {
        self.len(v.len());
        self.out.extend_from_slice(bytemuck::cast_slice(v));
    }

    /// Writes a column: rows, validity, values. The reader must know the type.
    pub fn column(&mut self, c: &Column) {
        self.len(c.len());
        match c.validity.bits() {
            None => self.u8(0),
            Some(b) => {
                self.u8(1);
                self.slice(b.words());
            }
        }
        match &c.data {
            ColumnData::Null => {}
            ColumnData::Bool(b) => self.slice(b.words()),
            ColumnData::I8(b) => self.slice(b),
            ColumnData::I16(b) => self.slice(b),
            ColumnData::I32(b) => self.slice(b),
            ColumnData::I64(b) => self.slice(b),
            ColumnData::F32(b) => self.slice(b),
            ColumnData::F64(b) => self.slice(b),
            ColumnData::I128(b) => self.slice(b),
            ColumnData::Nanos { seconds, nanos } => {
                self.slice(seconds);
                self.slice(nanos);
            }
            ColumnData::Bytes(b) => (0..b.len()).for_each(|i| self.bytes(b.get(i))),
            ColumnData::List { offsets, child } => {
                self.slice(offsets);
                self.column(child);
            }
            ColumnData::Map { offsets, keys, values } => {
                self.slice(offsets);
                self.column(keys);
                self.column(values);
            }
            ColumnData::Row(fields) => fields.iter().for_each(|f| self.column(f)),
        }
    }

    /// The bytes written so far.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Reads the byte form. Every method fails with [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when the bytes end early or
/// do not fit.
#[derive(Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

macro_rules! get {
    ($($name:ident $t:ty),*) => {$(
        #[doc = concat!("Reads a ", stringify!($t), ".")]
        ///
        /// # Errors
        /// The bytes end early.
        #[inline]
        pub fn $name(&mut self) -> Result<$t> {
            Ok(<$t>::from_le_bytes(self.array()?))
        }
    )*};
}

impl<'a> Decoder<'a> {
    get!(u8 u8, u16 u16, u32 u32, u64 u64, i32 i32, i64 i64, i128 i128, f64 f64);

    /// Reads `bytes` from their start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (a, b) = self.rest.split_at_checked(n).ok_or_else(|| {
            Error::corrupt(format!("state ends early: {n} bytes wanted, {} left", self.rest.len()))
        })?;
        self.rest = b;
        Ok(a)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.take(N)?.try_into().expect("take returns N bytes"))
    }

    /// Reads the opening of a block and checks it.
    ///
    /// # Errors
    /// Another tag or another version stands there.
    pub fn block(&mut self, tag: &[u8; 4], version: u16) -> Result<()> {
        let found: [u8; 4] = self.array()?;
        if found != *tag {
            return Err(Error::corrupt(format!(
                "state of {} expected, found {}",
                String::from_utf8_lossy(tag),
                String::from_utf8_lossy(&found)
            )));
        }
        match self.u16()? {
            v if v == version => Ok(()),
            v => Err(Error::corrupt(format!(
                "state of {} has version {v}; this build reads version {version}",
                String::from_utf8_lossy(tag)
            ))),
        }
    }

    /// Reads a bool.
    ///
    /// # Errors
    /// The byte is neither 0 nor 1.
    pub fn bool(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            v => Err(Error::corrupt(format!("bool expected, found {v}"))),
        }
    }

    /// Reads a length of things of which each takes at least `width` bytes of the input.
    ///
    /// # Errors
    /// More than the input can hold.
    pub fn len(&mut self, width: usize) -> Result<usize> {
        let n = self.u64()?;
        if n.saturating_mul(width.max(1) as u64) > self.rest.len() as u64 {
            return Err(Error::corrupt(format!("{n} items announced, {} bytes left", self.rest.len())));
        }
        Ok(n as usize)
    }

    /// Reads length and bytes.
    ///
    /// # Errors
    /// The bytes end early.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let n = self.len(1)?;
        self.take(n)
    }

    /// Reads length and values.
    ///
    /// # Errors
    /// The bytes end early.
    pub fn slice<T: Pod>(&mut self) -> Result<Vec<T>> {
        let n = self.len(size_of::<T>())?;
        let bytes = self.take(n * size_of::<T>())?;
        let mut out = vec![T::zeroed(); n];
        bytemuck::cast_slice_mut::<T, u8>(&mut out).copy_from_slice(bytes);
        Ok(out)
    }

    fn fixed<T: Native>(&mut self, c: &mut Column, rows: usize) -> Result<()> {
        let v: Vec<T> = self.slice()?;
        expect_len(v.len(), rows)?;
        c.buffer_mut::<T>().extend_from_slice(&v);
        Ok(())
    }

    fn offsets(&mut self, rows: usize, to: &mut Buffer<u32>) -> Result<usize> {
        let v: Vec<u32> = self.slice()?;
        expect_len(v.len(), rows + 1)?;
        if v[0] != 0 || !v.is_sorted() {
            return Err(Error::corrupt("list offsets do not ascend from 0"));
        }
        to.clear();
        to.extend_from_slice(&v);
        Ok(v[rows] as usize)
    }

    /// Reads a column into `c`, which is empty and of the type that was written.
    ///
    /// # Errors
    /// The bytes end early or do not fit the type.
    pub fn column(&mut self, c: &mut Column) -> Result<()> {
        let rows = self.u64()? as usize;
        // NULL columns have no bytes a row; anything else is checked by its own length below.
        if rows > u32::MAX as usize {
            return Err(Error::corrupt(format!("a column of {rows} rows")));
        }
        let words: Option<Vec<u64>> = if self.bool()? { Some(self.slice()?) } else { None };
        if let Some(w) = &words {
            expect_len(w.len(), rows.div_ceil(64))?;
        }
        match &mut c.data {
            ColumnData::Null => {}
            ColumnData::Bool(b) => {
                let w: Vec<u64> = self.slice()?;
                expect_len(w.len(), rows.div_ceil(64))?;
                b.resize(rows, false);
                b.words_mut().copy_from_slice(&w);
                b.mask_tail();
            }
            ColumnData::I8(_) => self.fixed::<i8>(c, rows)?,
            ColumnData::I16(_) => self.fixed::<i16>(c, rows)?,
            ColumnData::I32(_) => self.fixed::<i32>(c, rows)?,
            ColumnData::I64(_) => self.fixed::<i64>(c, rows)?,
            ColumnData::F32(_) => self.fixed::<f32>(c, rows)?,
            ColumnData::F64(_) => self.fixed::<f64>(c, rows)?,
            ColumnData::I128(_) => self.fixed::<i128>(c, rows)?,
            ColumnData::Nanos { seconds, nanos } => {
                let (s, n): (Vec<i64>, Vec<u32>) = (self.slice()?, self.slice()?);
                expect_len(s.len(), rows)?;
                expect_len(n.len(), rows)?;
                seconds.extend_from_slice(&s);
                nanos.extend_from_slice(&n);
            }
            ColumnData::Bytes(b) => {
                let mut w = b.writer();
                for _ in 0..rows {
                    w.push(self.bytes()?);
                }
            }
            ColumnData::List { offsets, child } => {
                let n = self.offsets(rows, offsets)?;
                self.column(child)?;
                expect_len(child.len(), n)?;
            }
            ColumnData::Map { offsets, keys, values } => {
                let n = self.offsets(rows, offsets)?;
                self.column(keys)?;
                self.column(values)?;
                expect_len(keys.len(), n)?;
                expect_len(values.len(), n)?;
            }
            ColumnData::Row(fields) => {
                for f in fields {
                    let f = super::ColumnRef::make_mut(f);
                    self.column(f)?;
                    expect_len(f.len(), rows)?;
                }
            }
        }
        c.validity.reset(rows);
        if let Some(w) = words {
            let bits = c.validity.bits_mut();
            bits.words_mut().copy_from_slice(&w);
            bits.mask_tail();
        }
        Ok(())
    }

    /// Everything was read.
    ///
    /// # Errors
    /// Bytes are left over.
    pub fn end(self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::corrupt(format!("{} bytes left over after the state", self.rest.len())))
        }
    }
}

fn expect_len(found: usize, wanted: usize) -> Result<()> {
    if found == wanted {
        Ok(())
    } else {
        Err(Error::corrupt(format!("{wanted} values expected, found {found}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Field, TypeKind};

    #[test]
    fn columns_come_back_and_every_cut_is_refused() {
        let kind = TypeKind::Row(vec![
            Field::new("a", TypeKind::Array(Box::new(TypeKind::STRING.nullable())).nullable()),
            Field::new("b", TypeKind::Boolean.nullable()),
            Field::new("c", TypeKind::Timestamp(9).nullable()),
        ]);
        let mut c = Column::of_kind(&kind);
        c.push_nulls(3);
        c.validity.set(1, true);
        let mut e = Encoder::default();
        e.block(b"test", 1);
        e.column(&c);
        let bytes = e.finish();
        let mut d = Decoder::new(&bytes);
        d.block(b"test", 1).unwrap();
        let mut back = Column::of_kind(&kind);
        d.column(&mut back).unwrap();
        d.end().unwrap();
        assert_eq!(back.len(), 3);
        assert_eq!((back.is_valid(0), back.is_valid(1)), (false, true));
        for cut in 0..bytes.len() {
            let mut d = Decoder::new(&bytes[..cut]);
            let r = d.block(b"test", 1).and_then(|()| d.column(&mut Column::of_kind(&kind)));
            assert!(r.is_err_and(|e| e.is_corrupt()), "cut at {cut}");
        }
    }
}

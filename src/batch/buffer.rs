//! A growable buffer of fixed-width values that starts at a multiple of 64 bytes, as Arrow asks for and SIMD likes.
//!
//! The memory is a vector of 64-byte lines, cast to the values by `bytemuck`, so that alignment needs no `unsafe`. Values
//! past the length are initialised (zero or older values). The width of a value divides 64.

use bytemuck::{Pod, Zeroable};
use std::ops::{Deref, DerefMut};

#[derive(Clone, Copy, Zeroable, Pod)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// See the module's text. Dereferences to a slice of its values.
#[derive(Clone)]
pub struct Buffer<T> {
    lines: Vec<Line>,
    len: usize,
    value: std::marker::PhantomData<T>,
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), len: 0, value: std::marker::PhantomData }
    }
}

impl<T: Pod> Buffer<T> {
    const PER_LINE: usize = {
        assert!(size_of::<T>() > 0 && 64 % size_of::<T>() == 0 && align_of::<T>() <= 64);
        64 / size_of::<T>()
    };

    /// Values that fit without growing.
    pub fn capacity(&self) -> usize {
        self.lines.capacity() * Self::PER_LINE
    }

    /// Makes room for `more` values.
    #[inline]
    pub fn reserve(&mut self, more: usize) {
        let lines = (self.len + more).div_ceil(Self::PER_LINE);
        if lines > self.lines.len() {
            self.grow(lines);
        }
    }

    #[cold]
    fn grow(&mut self, lines: usize) {
        self.lines.reserve(lines - self.lines.len());
        let all = self.lines.capacity();
        self.lines.resize(all, Line::zeroed());
    }

    /// Appends a value.
    #[inline]
    pub fn push(&mut self, value: T) {
        let len = self.len;
        if len == self.lines.len() * Self::PER_LINE {
            self.reserve(1);
        }
        bytemuck::cast_slice_mut::<Line, T>(&mut self.lines)[len] = value;
        self.len = len + 1;
    }

    /// Appends the values of a slice.
    pub fn extend_from_slice(&mut self, values: &[T]) {
        self.reserve(values.len());
        let len = self.len;
        self.len += values.len();
        self[len..].copy_from_slice(values);
    }

    /// Appends values whose number is known.
    #[inline]
    pub fn extend_exact(&mut self, values: impl ExactSizeIterator<Item = T>) {
        let (len, more) = (self.len, values.len());
        self.reserve(more);
        self.len += more;
        for (to, v) in self[len..].iter_mut().zip(values) {
            *to = v;
        }
    }

    /// Grows with `value` or shrinks to `len` values.
    #[inline]
    pub fn resize(&mut self, len: usize, value: T) {
        let old = self.len;
        if len > old {
            self.reserve(len - old);
            self.len = len;
            self[old..].fill(value);
        } else {
            self.len = len;
        }
    }

    /// Becomes `len` values that are initialised but unspecified: what a kernel wants that writes all of them.
    #[inline]
    pub fn reset(&mut self, len: usize) {
        if len > self.lines.len() * Self::PER_LINE {
            self.grow(len.div_ceil(Self::PER_LINE));
        }
        self.len = len;
    }

    /// Becomes these few values.
    #[inline]
    pub fn set<const N: usize>(&mut self, values: [T; N]) {
        const { assert!(N <= Self::PER_LINE, "one line of them") };
        self.len = N;
        let Some(first) = self.lines.first_mut() else {
            self.grow(1);
            return self[..N].copy_from_slice(&values);
        };
        let line = bytemuck::cast_slice_mut::<Line, T>(std::slice::from_mut(first));
        // An array is stored; a slice would be copied by a call.
        if let Some(to) = line.first_chunk_mut::<N>() {
            *to = values;
        }
    }

    /// Keeps the first `len` values.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// No values, the memory kept.
    #[inline]
    pub fn clear(&mut self) {
        self.len = 0;
    }
}

impl<T: Pod> Deref for Buffer<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        &bytemuck::cast_slice::<Line, T>(&self.lines)[..self.len]
    }
}

impl<T: Pod> DerefMut for Buffer<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut::<Line, T>(&mut self.lines)[..self.len]
    }
}

impl<T: Pod> Extend<T> for Buffer<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        let values = values.into_iter();
        self.reserve(values.size_hint().0);
        values.for_each(|v| self.push(v));
    }
}

impl<T: Pod> FromIterator<T> for Buffer<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut b = Self::default();
        b.extend(values);
        b
    }
}

impl<T: Pod + PartialEq> PartialEq for Buffer<T> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl<T: Pod + std::fmt::Debug> std::fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self[..].fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_aligned_and_in_order() {
        let mut b: Buffer<i128> = (0..100).collect();
        b.extend_from_slice(&[7, 8]);
        b.truncate(101);
        b.resize(103, 9);
        assert_eq!(b.as_ptr() as usize % 64, 0);
        assert_eq!(b[99..], [99, 7, 9, 9]);
        b.clear();
        b.extend_exact((0..5).map(i128::from));
        assert_eq!(b[..], [0, 1, 2, 3, 4]);
    }
}

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

    /// Value `i`. One look at the memory, where a slice of it asks for its length first.
    ///
    /// # Panics
    /// There is no memory for so many; values behind the last are unspecified.
    #[inline(always)]
    pub fn at(&self, i: usize) -> T {
        debug_assert!(i < self.len);
        bytemuck::cast_slice::<Line, T>(&self.lines)[i]
    }

    /// Makes value `i` another one.
    ///
    /// # Panics
    /// As [`Buffer::at`].
    #[inline(always)]
    pub fn put(&mut self, i: usize, value: T) {
        debug_assert!(i < self.len);
        bytemuck::cast_slice_mut::<Line, T>(&mut self.lines)[i] = value;
    }

    /// Becomes this value.
    #[inline(always)]
    pub fn set_one(&mut self, value: T) {
        self.len = 1;
        match self.first_line() {
            Some(to) => to[0] = value,
            None => self.set_first(&[value]),
        }
    }

    /// Becomes these two values.
    ///
    /// They are numbers of their own, not an array: compilers put one together in memory and read it from there as a whole, for which
    /// processors wait until both halves have left for the cache.
    #[inline(always)]
    pub fn set_two(&mut self, first: T, second: T) {
        self.len = 2;
        match self.first_line() {
            Some(to) => (to[0], to[1]) = (first, second),
            None => self.set_first(&[first, second]),
        }
    }

    /// Becomes a few copies of a value, from memory to memory.
    #[inline(always)]
    pub fn set_copies<const N: usize>(&mut self, value: &T) {
        const { assert!(N <= Self::PER_LINE, "one line of them") };
        self.len = N;
        match self.first_line() {
            Some(to) => to[..N].iter_mut().for_each(|to| *to = *value),
            None => self.set_first(&[*value; N]),
        }
    }

    #[inline(always)]
    fn first_line(&mut self) -> Option<&mut [T]> {
        self.lines.first_mut().map(|line| bytemuck::cast_slice_mut::<Line, T>(std::slice::from_mut(line)))
    }

    #[cold]
    #[inline(never)]
    fn set_first(&mut self, values: &[T]) {
        self.grow(1);
        self[..values.len()].copy_from_slice(values);
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

    #[test]
    fn few_values_replace_all_that_were_there() {
        for before in [0, 1, 100] {
            let some = || (0..before).collect::<Buffer<i64>>();
            let (mut one, mut two, mut copies) = (some(), some(), some());
            one.set_one(7);
            two.set_two(7, 8);
            copies.set_copies::<3>(&9);
            assert_eq!((&one[..], &two[..], &copies[..]), (&[7][..], &[7, 8][..], &[9, 9, 9][..]));
            two.put(0, two.at(1) + 1);
            assert_eq!(two[..], [9, 8]);
        }
    }
}

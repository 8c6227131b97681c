//! Bitmaps in Arrow's layout (bit `i` of byte `i / 8`, least significant first), held as 64-bit words, and
//! the validity of a column made of one.

use super::Buffer;

/// A growable bitmap of `len` bits. Bits past the end of the last word are zero.
#[derive(Clone, Debug, Default)]
pub struct Bitmap {
    words: Buffer<u64>,
    len: usize,
}

impl Bitmap {
    /// `len` bits, all `value`.
    pub fn filled(len: usize, value: bool) -> Self {
        let mut b = Self::default();
        b.resize(len, value);
        b
    }

    /// Number of bits.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// No bits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The words; the last may be partial.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words, for kernels that write 64 rows at a time. Call [`Bitmap::mask_tail`] afterwards when the last
    /// word may have bits past the end.
    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Clears the bits past the end.
    pub fn mask_tail(&mut self) {
        let rest = self.len % 64;
        if rest != 0
            && let Some(w) = self.words.last_mut()
        {
            *w &= (1 << rest) - 1;
        }
    }

    /// Bit `i`.
    ///
    /// # Panics
    /// When `i` is past the last word.
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        self.words[i >> 6] >> (i & 63) & 1 != 0
    }

    /// Sets bit `i`.
    #[inline]
    pub fn set(&mut self, i: usize, value: bool) {
        let w = &mut self.words[i >> 6];
        *w = *w & !(1 << (i & 63)) | u64::from(value) << (i & 63);
    }

    /// Appends a bit.
    #[inline]
    pub fn push(&mut self, value: bool) {
        if self.len & 63 == 0 {
            self.words.push(u64::from(value));
        } else {
            let i = self.len;
            self.words[i >> 6] |= u64::from(value) << (i & 63);
        }
        self.len += 1;
    }

    /// Appends the `len` bits of `from` that begin with bit `start`.
    pub fn extend_run(&mut self, from: &Bitmap, start: usize, len: usize) {
        let words = &from.words[..];
        let mut done = 0;
        while done < len {
            let (at, many) = (start + done, (len - done).min(64));
            let (word, shift) = (at / 64, at % 64);
            let mut bits = words[word] >> shift;
            if shift + many > 64 {
                bits |= words[word + 1] << (64 - shift);
            }
            bits &= !0 >> (64 - many);
            let filled = self.len % 64;
            match self.words.last_mut().filter(|_| filled != 0) {
                None => self.words.push(bits),
                Some(last) => {
                    *last |= bits << filled;
                    if filled + many > 64 {
                        self.words.push(bits >> (64 - filled));
                    }
                }
            }
            self.len += many;
            done += many;
        }
    }

    /// Becomes `len` bits, all set.
    #[inline]
    fn set_ones(&mut self, len: usize) {
        if (1..=64).contains(&len) {
            self.words.set_one(!0 >> (64 - len));
            self.len = len;
        } else {
            self.clear();
            self.resize(len, true);
        }
    }

    /// Grows with `value` or shrinks to `len` bits.
    pub fn resize(&mut self, len: usize, value: bool) {
        if value && len > self.len {
            let rest = self.len % 64;
            if rest != 0 {
                let last = self.words.len() - 1;
                self.words[last] |= !0 << rest;
            }
        }
        self.words.resize(len.div_ceil(64), if value { !0 } else { 0 });
        self.len = len;
        self.mask_tail();
    }

    /// Becomes `len` bits that are initialised but unspecified: what a kernel wants that writes all it is asked for.
    #[inline]
    pub fn reset(&mut self, len: usize) {
        self.words.reset(len.div_ceil(64));
        if let Some(last) = self.words.last_mut() {
            *last = 0;
        }
        self.len = len;
    }

    /// No bits, the memory kept.
    #[inline]
    pub fn clear(&mut self) {
        self.words.clear();
        self.len = 0;
    }

    /// Number of set bits.
    pub fn count_ones(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.words.capacity() * 8
    }
}

impl PartialEq for Bitmap {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.words[..] == other.words[..]
    }
}

/// Which rows are not NULL. While no row is NULL there are no bits at all, so that kernels can skip the question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Validity {
    bits: Bitmap,
    len: usize,
    nulls: bool,
}

impl Validity {
    /// `len` rows without NULL.
    #[inline]
    pub fn all_valid(len: usize) -> Self {
        Self { bits: Bitmap::default(), len, nulls: false }
    }

    /// Number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// No rows.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// False: certainly no NULL. True: there may be one.
    #[inline]
    pub fn may_have_nulls(&self) -> bool {
        self.nulls
    }

    /// The bits (set = not NULL), or `None` when no row is NULL.
    #[inline]
    pub fn bits(&self) -> Option<&Bitmap> {
        self.nulls.then_some(&self.bits)
    }

    /// The bits to write 64 rows at a time; from now on the column may have NULLs.
    pub fn bits_mut(&mut self) -> &mut Bitmap {
        if !self.nulls {
            self.bits.set_ones(self.len);
            self.nulls = true;
        }
        &mut self.bits
    }

    /// Row `i` is not NULL.
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        !self.nulls || self.bits.get(i)
    }

    /// Makes row `i` NULL. A call: what writes one value and mostly no NULL is then short enough to need no registers but its arguments'.
    #[inline(never)]
    pub fn set_null(&mut self, i: usize) {
        self.bits_mut().set(i, false);
    }

    /// Makes row `i` NULL or not.
    #[inline]
    pub fn set(&mut self, i: usize, valid: bool) {
        if !valid || self.nulls {
            self.bits_mut().set(i, valid);
        }
    }

    /// Appends a row.
    #[inline]
    pub fn push(&mut self, valid: bool) {
        if !valid || self.nulls {
            self.bits_mut().push(valid);
        }
        self.len += 1;
    }

    /// Appends `len` rows that are NULL where those of `from` are that begin with row `start`.
    pub fn extend_run(&mut self, from: &Validity, start: usize, len: usize) {
        match from.bits() {
            Some(bits) => {
                self.bits_mut().extend_run(bits, start, len);
                self.len += len;
            }
            None => self.resize(self.len + len, true),
        }
    }

    /// Finds out whether any row is NULL, after rows were appended of which some might have been.
    pub fn settle(&mut self) {
        if self.nulls && self.bits.count_ones() == self.len {
            self.bits.clear();
            self.nulls = false;
        }
    }

    /// Grows with `valid` or shrinks to `len` rows.
    pub fn resize(&mut self, len: usize, valid: bool) {
        if self.nulls || (!valid && len > self.len) {
            self.bits_mut().resize(len, valid);
        }
        self.len = len;
    }

    /// No rows, the memory kept.
    #[inline]
    pub fn clear(&mut self) {
        self.bits.clear();
        self.len = 0;
        self.nulls = false;
    }

    /// Becomes `len` rows without NULL.
    #[inline]
    pub fn reset(&mut self, len: usize) {
        if self.nulls {
            self.clear();
        }
        self.len = len;
    }

    /// Becomes one row.
    #[inline]
    pub fn set_only(&mut self, valid: bool) {
        self.reset(1);
        if !valid {
            self.set(0, false);
        }
    }

    /// Becomes a copy of `other`.
    pub fn copy_from(&mut self, other: &Validity) {
        self.reset(other.len);
        if let Some(bits) = other.bits() {
            let mine = self.bits_mut();
            mine.words_mut().copy_from_slice(bits.words());
        }
    }

    /// Rows that are NULL here or in `other` become NULL. Both have the same length.
    #[inline]
    pub fn and(&mut self, other: &Validity) {
        debug_assert_eq!(self.len, other.len);
        if other.nulls {
            self.and_bits(&other.bits);
        }
    }

    fn and_bits(&mut self, bits: &Bitmap) {
        for (w, o) in self.bits_mut().words_mut().iter_mut().zip(bits.words()) {
            *w &= o;
        }
    }

    /// Every row that is NULL in `outer` is NULL here too. Both have the same length.
    pub fn implies(&self, outer: &Validity) -> bool {
        match (self.bits(), outer.bits()) {
            (_, None) => true,
            (None, Some(o)) => o.count_ones() == o.len(),
            (Some(s), Some(o)) => s.words().iter().zip(o.words()).all(|(s, o)| s & !o == 0),
        }
    }

    /// Number of NULL rows.
    pub fn null_count(&self) -> usize {
        if self.nulls { self.len - self.bits.count_ones() } else { 0 }
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.bits.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitmap_behaves_like_a_vector_of_bools() {
        let mut model = Vec::new();
        let mut b = Bitmap::default();
        for i in 0..200usize {
            b.push(i % 3 == 0);
            model.push(i % 3 == 0);
        }
        b.resize(130, false);
        model.resize(130, false);
        b.resize(300, true);
        model.resize(300, true);
        b.set(5, true);
        model[5] = true;
        for (i, &m) in model.iter().enumerate() {
            assert_eq!(b.get(i), m, "bit {i}");
        }
        assert_eq!(b.count_ones(), model.iter().filter(|&&m| m).count());
    }

    #[test]
    fn the_first_null_of_a_column_is_its_only_one() {
        for rows in [1, 63, 64, 65, 200] {
            // Also where it had others before.
            let mut v = Validity::default();
            (0..100).for_each(|i| v.push(i % 2 == 0));
            v.reset(rows);
            v.set(rows - 1, false);
            assert!((0..rows).all(|i| v.get(i) == (i + 1 < rows)), "{rows}");
            assert_eq!((v.len(), v.null_count()), (rows, 1));
            v.push(true);
            assert!(v.get(rows) && v.null_count() == 1);
        }
    }

    #[test]
    fn a_run_is_appended_bit_by_bit_or_not() {
        let mut from = Validity::default();
        (0..200).for_each(|i| from.push(i % 7 != 3));
        for (held, start, len) in
            [(0, 0, 200), (1, 3, 64), (63, 64, 65), (64, 1, 0), (70, 130, 70), (5, 4, 6)]
        {
            let mut v = Validity::all_valid(held);
            v.extend_run(&from, start, len);
            assert_eq!(v.len(), held + len);
            assert!((0..held).all(|i| v.get(i)));
            assert!((0..len).all(|i| v.get(held + i) == from.get(start + i)), "{held} {start} {len}");
            v.settle();
            let nulls = (start..start + len).any(|i| !from.get(i));
            assert_eq!((v.may_have_nulls(), v.null_count() > 0), (nulls, nulls), "{held} {start} {len}");
        }
    }

    #[test]
    fn validity_has_no_bits_until_the_first_null() {
        let mut v = Validity::all_valid(70);
        assert!(v.bits().is_none());
        v.push(true);
        assert!(v.bits().is_none());
        v.push(false);
        assert_eq!((v.len(), v.null_count()), (72, 1));
        assert!(v.get(70) && !v.get(71));
        let mut w = Validity::all_valid(72);
        w.and(&v);
        assert_eq!(w, v);
    }
}

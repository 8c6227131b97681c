//! Byte strings as 16-byte views over an arena: Arrow's `Utf8View`/`BinaryView` layout.
//!
//! A view holds a length and either the bytes themselves (up to 12) or their first four, a buffer number and an
//! offset. Buffer 0 is the column's own arena; the others are shared with the columns they came from, so that a
//! gather or a substring copies 16 bytes and not the text. An own arena is bounded at 4 GiB by its `u32` offsets;
//! [`ByteColumn::push`] starts another buffer before that.

use super::Buffer;
use bytemuck::{Pod, Zeroable};
use triomphe::Arc;

/// The longest value that a view holds itself.
pub const INLINE: usize = 12;

/// Arrow's 16-byte view: `len | 12 bytes` or `len | prefix | buffer | offset`, little endian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(16))]
pub struct View {
    /// Length in bytes.
    pub len: u32,
    /// The first four bytes of the value (zero padded).
    pub prefix: [u8; 4],
    /// Bytes 4–8 of an inline value, else the buffer number.
    pub word2: u32,
    /// Bytes 8–12 of an inline value, else the offset in the buffer.
    pub word3: u32,
}

impl View {
    /// A view that holds `bytes` itself. What it has behind them is zero, so that equal values have equal views.
    ///
    /// # Panics
    /// When `bytes` is longer than [`INLINE`].
    #[inline]
    pub fn inline(bytes: &[u8]) -> Self {
        assert!(bytes.len() <= INLINE, "a short text");
        Self::packed(low_bytes(bytes), bytes.len())
    }

    /// A view that holds the `len` low bytes of `text`, above which there are zeros.
    #[inline(always)]
    fn packed(text: u128, len: usize) -> Self {
        let mut v: View = bytemuck::cast((text << 32).to_le_bytes());
        v.len = len as u32;
        v
    }

    /// A view that holds `bytes` itself, where they are short enough.
    #[inline]
    pub fn short(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= INLINE).then(|| View::inline(bytes))
    }

    /// A view of `bytes`, which stand at `offset` of buffer number `buffer`.
    #[inline]
    pub fn outside(bytes: &[u8], buffer: u32, offset: u32) -> Self {
        debug_assert!(bytes.len() > INLINE);
        View {
            len: bytes.len() as u32,
            prefix: [bytes[0], bytes[1], bytes[2], bytes[3]],
            word2: buffer,
            word3: offset,
        }
    }

    /// The view of a part of this view's value, whose bytes are `bytes`: in the same buffer, or inline when short.
    #[inline]
    #[must_use]
    pub fn slice(&self, bytes: &[u8], range: std::ops::Range<usize>) -> Self {
        let part = &bytes[range.clone()];
        if part.len() <= INLINE {
            // As many bytes as a view has, if they are there, are read at once.
            match bytes[range.start..].first_chunk() {
                Some(more) => {
                    let text = u128::from_le_bytes(*more) & ((1 << (8 * part.len())) - 1);
                    View::packed(text, part.len())
                }
                None => View::inline(part),
            }
        } else {
            View::outside(part, self.word2, self.word3 + range.start as u32)
        }
    }

    /// A view of the same text in lower or upper case, if it is short and of ASCII alone.
    #[inline]
    #[must_use]
    pub fn in_case(&self, upper: bool) -> Option<Self> {
        const HIGH: u64 = 0x8080_8080_8080_8080;
        const ONES: u64 = 0x0101_0101_0101_0101;
        // The length is below the letters and stays what it is.
        let raw: [u64; 2] = bytemuck::cast(*self);
        if !self.is_inline() || (raw[0] | raw[1]) & HIGH != 0 {
            return None;
        }
        let first = u64::from(if upper { b'a' } else { b'A' });
        let flipped = raw.map(|word| {
            let from = word + ONES * (128 - first);
            let past = word + ONES * (128 - first - 26);
            word ^ (from & !past & HIGH) >> 2
        });
        Some(bytemuck::cast(flipped))
    }

    /// The value is in the view itself.
    #[inline]
    pub fn is_inline(&self) -> bool {
        self.len as usize <= INLINE
    }

    /// The value, which is in the view itself.
    ///
    /// # Panics
    /// When it is not.
    #[inline]
    pub fn text(&self) -> &[u8] {
        assert!(self.is_inline(), "a short text");
        &bytemuck::bytes_of(self)[4..4 + self.len as usize]
    }

    /// A number whose order is that of the values, of views that hold them.
    #[inline]
    pub fn rank(&self) -> u128 {
        debug_assert!(self.is_inline());
        let text = u128::from_le_bytes(bytemuck::cast(*self)) >> 32;
        text.swap_bytes() | u128::from(self.len)
    }
}

/// Up to 16 bytes as the low bytes of a number. What is read twice is the same both times, so that no length needs a loop.
#[inline(always)]
fn low_bytes(bytes: &[u8]) -> u128 {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        return u128::from(first) | u128::from(last) << (8 * (bytes.len() - 8));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u128::from(u64::from(first) | u64::from(last) << (8 * (bytes.len() - 4)));
    }
    let [first, middle, last] = match bytes {
        [] => return 0,
        [a] => [*a, *a, *a],
        [a, b] => [*a, *b, *b],
        [a, b, c, ..] => [*a, *b, *c],
    };
    let place = |n: usize| 8 * n.min(bytes.len() - 1);
    u128::from(first) | u128::from(middle) << place(1) | u128::from(last) << place(2)
}

/// A column of byte strings. Rows that are NULL have an empty view.
#[derive(Clone, Debug)]
pub struct ByteColumn {
    views: Buffer<View>,
    /// All views but these are empty.
    written: Written,
    /// Buffer 0 is ours to append to while nobody else holds it.
    buffers: Vec<Arc<Vec<u8>>>,
}

/// The views from one up to another. Who wants empty views again clears these alone: of a block that is handed out row by row, one.
#[derive(Clone, Copy, Debug)]
struct Written {
    from: u32,
    to: u32,
}

impl Written {
    const NONE: Self = Self { from: u32::MAX, to: 0 };
    const ALL: Self = Self { from: 0, to: u32::MAX };

    #[inline(always)]
    fn one(&mut self, i: usize) {
        self.from = self.from.min(i as u32);
        self.to = self.to.max(i as u32 + 1);
    }
}

impl Default for ByteColumn {
    fn default() -> Self {
        Self { views: Buffer::default(), written: Written::NONE, buffers: vec![Arc::new(Vec::new())] }
    }
}

impl ByteColumn {
    /// Number of values.
    #[inline]
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// No values.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// The views.
    #[inline]
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// The view of value `i`.
    #[inline(always)]
    pub fn view(&self, i: usize) -> View {
        self.views.at(i)
    }

    /// The bytes of value `i`.
    #[inline]
    pub fn get(&self, i: usize) -> &[u8] {
        self.resolve(&self.views[i])
    }

    /// The bytes of a view of this column.
    #[inline]
    pub fn resolve<'a>(&'a self, view: &'a View) -> &'a [u8] {
        let len = view.len as usize;
        if len <= INLINE {
            &bytemuck::bytes_of(view)[4..4 + len]
        } else {
            let at = view.word3 as usize;
            &self.buffers[view.word2 as usize][at..at + len]
        }
    }

    /// Value `i` as text. Columns of CHAR and VARCHAR hold valid UTF-8 by construction; anything else is shown with
    /// replacement characters by the caller's `String::from_utf8_lossy`.
    #[inline]
    pub fn str(&self, i: usize) -> &str {
        std::str::from_utf8(self.get(i)).unwrap_or("\u{fffd}")
    }

    /// A writer that appends many values with one look at the arena. Use it in loops.
    #[inline]
    pub fn writer(&mut self) -> ByteWriter<'_> {
        let Self { views, written, buffers } = self;
        if !buffers[0].is_unique() {
            let old = std::mem::take(&mut buffers[0]);
            move_first_buffer(views, buffers, old);
        }
        let arena = Arc::get_mut(&mut buffers[0]).expect("buffer 0 is ours after the check above");
        ByteWriter { views, written, arena }
    }

    /// Appends a value.
    pub fn push(&mut self, bytes: &[u8]) {
        self.writer().push(bytes);
    }

    /// Makes the buffers of `other` readable through this column; returns what to add to its buffer numbers.
    /// Buffers that are already shared are found again, so repeated calls do not grow the list.
    pub fn share_buffers(&mut self, other: &ByteColumn) -> BufferMap {
        let mut map = BufferMap::default();
        for b in &other.buffers {
            if b.is_empty() {
                map.push(0);
                continue;
            }
            let found = self.buffers.iter().skip(1).position(|mine| Arc::ptr_eq(mine, b));
            map.push(found.map_or_else(
                || {
                    self.buffers.push(b.clone());
                    (self.buffers.len() - 1) as u32
                },
                |i| (i + 1) as u32,
            ));
        }
        map
    }

    /// Appends a view of another column whose buffers were shared before.
    #[inline]
    pub fn push_shared(&mut self, view: View, map: &BufferMap) {
        self.written = Written::ALL;
        self.views.push(map.here(view));
    }

    /// All views, to overwrite with others of this column.
    #[inline]
    pub fn views_mut(&mut self) -> &mut [View] {
        self.written = Written::ALL;
        &mut self.views
    }

    /// Overwrites value `i` with a view of another column whose buffers were shared before.
    #[inline]
    pub fn set_shared(&mut self, i: usize, view: View, map: &BufferMap) {
        self.written.one(i);
        self.views[i] = map.here(view);
    }

    /// Overwrites value `i` with a view that holds its value itself.
    #[inline]
    pub fn set_inline(&mut self, i: usize, view: View) {
        debug_assert!(view.is_inline());
        self.written.one(i);
        self.views.put(i, view);
    }

    /// Grows with empty values or shrinks.
    #[inline]
    pub fn resize(&mut self, len: usize) {
        self.views.resize(len, View::default());
    }

    /// Buffers of other columns are kept alive.
    #[inline]
    pub fn shares(&self) -> bool {
        self.buffers.len() > 1
    }

    /// No values, own memory kept, shared buffers let go.
    #[inline]
    pub fn clear(&mut self) {
        self.views.clear();
        self.written = Written::NONE;
        self.let_go();
    }

    /// A few values alone were written since it was [reset](ByteColumn::reset).
    #[inline]
    pub(super) fn has_few_written(&self) -> bool {
        let Written { from, to } = self.written;
        to.saturating_sub(from) <= 8 && to as usize <= self.views.len()
    }

    /// It has `len` values, each of which stands in its view: one may be set as it is, and the others stay what they are.
    #[inline]
    pub(crate) fn is_in_place(&self, len: usize) -> bool {
        self.views.len() == len && !self.shares() && self.buffers[0].is_empty()
    }

    /// Becomes `len` empty values, which costs what was written since the last time, where there are as many.
    #[inline]
    pub fn reset(&mut self, len: usize) {
        if len == self.views.len() && self.written.to as usize <= len {
            if let Some(written) = self.views.get_mut(self.written.from as usize..self.written.to as usize) {
                written.fill(View::default());
            }
        } else {
            self.views.clear();
            self.views.resize(len, View::default());
        }
        self.written = Written::NONE;
        self.let_go();
    }

    /// No bytes, own memory kept, shared buffers let go.
    #[inline]
    fn let_go(&mut self) {
        if self.shares() {
            self.buffers.truncate(1);
        }
        if self.buffers[0].is_empty() {
            return;
        }
        match Arc::get_mut(&mut self.buffers[0]) {
            Some(arena) => arena.clear(),
            None => self.buffers[0] = Arc::default(),
        }
    }

    /// Becomes the value of that row of another column so many times.
    #[inline]
    pub fn set_copies<const N: usize>(&mut self, from: &ByteColumn, row: usize) {
        let view = &from.views[row];
        if view.len as usize > INLINE || self.shares() || !self.buffers[0].is_empty() {
            return self.store_copies::<N>(from.get(row));
        }
        self.views.set_copies::<N>(view);
        self.written = Written::ALL;
    }

    fn store_copies<const N: usize>(&mut self, bytes: &[u8]) {
        if self.shares() || !self.buffers[0].is_unique() {
            self.clear();
        }
        let arena = Arc::get_mut(&mut self.buffers[0]).expect("buffer 0 is ours after the check above");
        arena.clear();
        let view = ByteWriter { views: &mut self.views, written: &mut self.written, arena }.store(bytes);
        self.views.set_copies::<N>(&view);
        self.written = Written::ALL;
    }

    /// Bytes reserved by views and own arena (shared buffers are counted where they are owned).
    pub fn bytes(&self) -> usize {
        self.views.capacity() * size_of::<View>() + self.buffers[0].capacity()
    }
}

/// Gives buffer 0 away: it stays readable under a new number, and the column gets an empty arena.
fn move_first_buffer(views: &mut Buffer<View>, buffers: &mut Vec<Arc<Vec<u8>>>, old: Arc<Vec<u8>>) {
    let number = buffers.len() as u32;
    for v in views.iter_mut() {
        if !v.is_inline() && v.word2 == 0 {
            v.word2 = number;
        }
    }
    buffers.push(old);
}

/// Where the buffers of a shared column stand in the sharing one. See [`ByteColumn::share_buffers`].
#[derive(Debug, Clone, Default)]
pub struct BufferMap {
    /// Of the first buffers, in place: a list on the heap would be an allocation a batch.
    first: [u32; 4],
    more: Vec<u32>,
    len: usize,
}

impl BufferMap {
    fn push(&mut self, number: u32) {
        match self.first.get_mut(self.len) {
            Some(free) => *free = number,
            None => self.more.push(number),
        }
        self.len += 1;
    }

    /// A view of the other column as one of the sharing one.
    #[inline]
    pub fn here(&self, mut view: View) -> View {
        if !view.is_inline() {
            view.word2 = self.get(view.word2);
        }
        view
    }

    #[inline]
    fn get(&self, number: u32) -> u32 {
        let n = number as usize;
        self.first.get(n).copied().unwrap_or_else(|| self.more[n - self.first.len()])
    }
}

/// Appends to, or overwrites in, a [`ByteColumn`].
pub struct ByteWriter<'a> {
    views: &'a mut Buffer<View>,
    written: &'a mut Written,
    arena: &'a mut Vec<u8>,
}

impl ByteWriter<'_> {
    /// Stores the bytes and returns their view, without adding a row.
    ///
    /// # Panics
    /// When the arena of one batch would pass 4 GiB (batches are bounded far below).
    #[inline]
    pub fn store(&mut self, bytes: &[u8]) -> View {
        if bytes.len() <= INLINE {
            return View::inline(bytes);
        }
        let offset = u32::try_from(self.arena.len()).expect("a batch's arena stays below 4 GiB");
        self.arena.extend_from_slice(bytes);
        View::outside(bytes, 0, offset)
    }

    /// Appends a value.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        let v = self.store(bytes);
        self.append(v);
    }

    /// Appends value `i` of another column: a short one is its view.
    #[inline]
    pub fn push_from(&mut self, from: &ByteColumn, i: usize) {
        let view = from.views[i];
        if view.is_inline() {
            self.append(view);
        } else {
            self.push(from.resolve(&view));
        }
    }

    /// Appends texts of up to `N` bytes, each with its length and zeros behind it.
    ///
    /// # Panics
    /// When the arena of one batch would pass 4 GiB.
    #[inline(always)]
    pub fn extend_padded<const N: usize>(&mut self, texts: impl ExactSizeIterator<Item = (u32, [u8; N])>) {
        *self.written = Written::ALL;
        let (before, start, more) = (self.views.len(), self.arena.len(), texts.len());
        assert!(u32::try_from(start + more * N).is_ok(), "a batch's arena stays below 4 GiB");
        self.views.reset(before + more);
        self.arena.resize(start + more * N, 0);
        let mut at = start;
        // All are written to the arena, short ones where the next will be: which is which cannot be guessed.
        for (to, (len, text)) in self.views[before..].iter_mut().zip(texts) {
            let first = text.first_chunk().expect("sixteen bytes at least");
            let short = View::packed(u128::from_le_bytes(*first), len as usize);
            let is_short = len as usize <= INLINE;
            *to = View {
                word2: if is_short { short.word2 } else { 0 },
                word3: if is_short { short.word3 } else { at as u32 },
                ..short
            };
            self.arena[at..][..N].copy_from_slice(&text);
            at += if is_short { 0 } else { len as usize };
        }
        self.arena.truncate(at);
    }

    /// Appends the values of another column at `rows`.
    pub fn extend_from(&mut self, from: &ByteColumn, rows: &[u32]) {
        *self.written = Written::ALL;
        let before = self.views.len();
        self.views.reset(before + rows.len());
        let mut long = false;
        for (to, &r) in self.views[before..].iter_mut().zip(rows) {
            *to = from.views[r as usize];
            long |= !to.is_inline();
        }
        if long {
            for (k, &r) in rows.iter().enumerate() {
                if !self.views[before + k].is_inline() {
                    self.views[before + k] = self.store(from.get(r as usize));
                }
            }
        }
    }

    /// Overwrites value `i`.
    #[inline]
    pub fn set(&mut self, i: usize, bytes: &[u8]) {
        let v = self.store(bytes);
        self.overwrite(i, v);
    }

    #[inline(always)]
    fn append(&mut self, view: View) {
        *self.written = Written::ALL;
        self.views.push(view);
    }

    #[inline(always)]
    fn overwrite(&mut self, i: usize, view: View) {
        self.written.one(i);
        self.views[i] = view;
    }

    /// Overwrites value `i` with a view that holds its value itself.
    #[inline]
    pub fn set_inline(&mut self, i: usize, view: View) {
        debug_assert!(view.is_inline());
        self.overwrite(i, view);
    }

    /// Appends a view that holds its value itself.
    #[inline]
    pub fn push_inline(&mut self, view: View) {
        debug_assert!(view.is_inline());
        self.append(view);
    }

    /// Overwrites value `i` with what `write` appends to the arena: for results whose length is not known before.
    #[inline]
    pub fn set_with(&mut self, i: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let v = self.build(write);
        self.overwrite(i, v);
    }

    /// The view of value `i`.
    #[inline]
    pub fn view(&self, i: usize) -> View {
        self.views[i]
    }

    /// All views, to overwrite with others that hold their values themselves.
    #[inline]
    pub fn views_mut(&mut self) -> &mut [View] {
        *self.written = Written::ALL;
        self.views
    }

    /// Overwrites value `i` with the view of another value of this column.
    #[inline]
    pub fn set_same(&mut self, i: usize, view: View) {
        self.overwrite(i, view);
    }

    /// Appends what `write` appends to the arena.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let v = self.build(write);
        self.append(v);
    }

    fn build(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> View {
        let start = self.arena.len();
        write(self.arena);
        let bytes = &self.arena[start..];
        if bytes.len() <= INLINE {
            let v = View::inline(bytes);
            self.arena.truncate(start);
            v
        } else {
            let offset = u32::try_from(start).expect("a batch's arena stays below 4 GiB");
            View::outside(bytes, 0, offset)
        }
    }

    /// Number of values.
    #[inline]
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// No values.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn padded_texts_are_as_pushed() {
        let texts: Vec<Vec<u8>> = (0..=32).map(|n: usize| vec![b'a' + (n % 26) as u8; n * 7 % 33]).collect();
        let (mut padded, mut pushed) = (ByteColumn::default(), ByteColumn::default());
        padded.push(b"a text that is before them");
        pushed.push(b"a text that is before them");
        padded.writer().extend_padded(texts.iter().map(|t| {
            let mut bytes = [0; 32];
            bytes[..t.len()].copy_from_slice(t);
            (t.len() as u32, bytes)
        }));
        texts.iter().for_each(|t| pushed.push(t));
        assert_eq!(padded.views(), pushed.views());
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(padded.get(n + 1), text);
        }
    }

    #[test]
    fn values_of_every_length_come_back() {
        let mut c = ByteColumn::default();
        let texts: Vec<Vec<u8>> = (0..40).map(|n| vec![b'a' + (n % 26) as u8; n]).collect();
        for t in &texts {
            c.push(t);
        }
        for (i, t) in texts.iter().enumerate() {
            assert_eq!(c.get(i), &t[..]);
        }
    }

    #[test]
    fn a_part_is_in_place_or_beside_its_text() {
        let text: Vec<u8> = (0..40).map(|n| b'a' + n).collect();
        let mut c = ByteColumn::default();
        c.push(&text);
        for from in 0..=40 {
            for to in from..=40 {
                let part = c.views()[0].slice(&text, from..to);
                assert_eq!(c.resolve(&part), &text[from..to]);
                assert!(part.len > 12 || part == View::inline(&text[from..to]), "the rest is zero");
            }
        }
    }

    #[test]
    fn shared_views_outlive_their_column_and_appending_does_not_disturb_them() {
        let mut a = ByteColumn::default();
        a.push(b"a text longer than twelve bytes");
        let mut b = ByteColumn::default();
        b.push(b"an own text longer than twelve");
        let map = b.share_buffers(&a);
        b.push_shared(a.views()[0], &map);
        a.push(b"another text longer than twelve");
        assert_eq!(a.get(0), b"a text longer than twelve bytes");
        assert_eq!(a.get(1), b"another text longer than twelve");
        drop(a);
        assert_eq!(b.get(0), b"an own text longer than twelve");
        assert_eq!(b.get(1), b"a text longer than twelve bytes");
    }

    /// What is done to a column: with a place and a length.
    fn steps() -> impl Strategy<Value = Vec<(u8, usize, usize)>> {
        prop::collection::vec((0u8..8, 0usize..12, 0usize..20), 0..60)
    }

    proptest! {
        #[test]
        fn short_texts_have_an_order(a in "[\\x00ab\u{e9}]{0,6}", b in "[\\x00ab\u{e9}]{0,6}") {
            let (x, y) = (View::inline(a.as_bytes()), View::inline(b.as_bytes()));
            prop_assert_eq!(x.rank().cmp(&y.rank()), a.as_bytes().cmp(b.as_bytes()));
            prop_assert_eq!(x.text(), a.as_bytes());
        }

        #[test]
        fn what_is_empty_again_is_empty(steps in steps()) {
            let mut other = ByteColumn::default();
            other.push(b"a text longer than twelve bytes");
            let (mut column, mut model) = (ByteColumn::default(), Vec::<Vec<u8>>::new());
            for (n, (what, place, len)) in steps.into_iter().enumerate() {
                let bytes = vec![b'a' + (n % 26) as u8; len];
                match what {
                    0 => {
                        column.push(&bytes);
                        model.push(bytes);
                    }
                    1 | 2 if place < model.len() => {
                        column.writer().set(place, &bytes);
                        model[place] = bytes;
                    }
                    3 if place < model.len() => {
                        let map = column.share_buffers(&other);
                        column.set_shared(place, other.views()[0], &map);
                        model[place] = other.get(0).to_vec();
                    }
                    4 | 5 => {
                        column.reset(place);
                        model = vec![vec![]; place];
                    }
                    6 => {
                        column.resize(place);
                        model.resize(place, vec![]);
                    }
                    7 => {
                        let mut one = ByteColumn::default();
                        one.push(&bytes);
                        column.set_copies::<1>(&one, 0);
                        model = vec![bytes];
                    }
                    _ => {}
                }
                let got: Vec<&[u8]> = (0..column.len()).map(|i| column.get(i)).collect();
                prop_assert_eq!(&got, &model.iter().map(|v| &v[..]).collect::<Vec<_>>());
            }
        }

        #[test]
        fn short_texts_change_their_case_in_place(text in "[a-zA-Z0-9@\\[`{\u{e9}]{0,14}", upper: bool) {
            let mut column = ByteColumn::default();
            column.push(text.as_bytes());
            let wanted = if upper { text.to_ascii_uppercase() } else { text.to_ascii_lowercase() };
            match column.views()[0].in_case(upper) {
                Some(view) => prop_assert_eq!(column.resolve(&view), wanted.as_bytes()),
                None => prop_assert!(text.len() > INLINE || !text.is_ascii()),
            }
        }
    }
}

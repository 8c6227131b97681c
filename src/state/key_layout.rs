//! How the columns of a key become one fixed-width word, or canonical bytes.
//!
//! Most keys are one or two narrow columns. Those are *packed*: each column's bits side by side in a `u64` or a `[u64; 2]`, each
//! with a bit that says "not NULL". A single column needs no such bit: NULL has a slot of its own in the table. Several columns of up to 255 bits
//! become four words, and so do texts as long as there is room, 12 bytes at least, which most texts in keys are: whether a key is packed then
//! depends on its texts alone, so that it is looked for in one place only. What has more bits, another form or a longer text is held as
//! [canonical bytes](crate::batch::key). A table may put a `u32` before the columns (the group that a distinct value belongs to).

use crate::batch::key;
use crate::batch::{ByteColumn, Column, ColumnData, ColumnRef, DataType, INLINE, Physical, View, run_of};

/// A packed key.
pub(super) trait Packed: Copy + Eq + Default + Send {
    /// Ors the low bits of `v` in at bit `shift`.
    fn put(&mut self, v: u64, shift: u32);
    /// Sets a bit.
    #[inline(always)]
    fn set(&mut self, bit: u32) {
        self.put(1, bit);
    }
    /// The 64 bits from bit `shift` on.
    fn get(&self, shift: u32) -> u64;
    /// The four words from bit `shift` on, zeros behind the key's own.
    #[inline(always)]
    fn words(&self, shift: u32) -> [u64; 4] {
        let within = |n: u32| shift + 64 * n < 8 * size_of::<Self>() as u32;
        std::array::from_fn(|n| if within(n as u32) { self.get(shift + 64 * n as u32) } else { 0 })
    }
    /// A hash whose high and low bits are both good.
    fn hash(&self, seeds: &[u64; 2]) -> u64;
    /// All bits are set.
    const ALL: Self;
    /// The bits that both have.
    #[must_use]
    fn and(self, other: Self) -> Self;
    /// Keys that are these numbers, as they stand there.
    fn of_longs(_values: &[i64]) -> Option<&[Self]> {
        None
    }
}

/// A packed key that stands in a table beside a number.
pub(super) trait Word: Packed {
    /// A key and a number of up to [`Word::NUMBER`] bits beside it, in as few words as they fit into.
    type Entry: Copy + Default + bytemuck::Pod + Send;
    /// Bits of the number.
    const NUMBER: u32;
    /// The key of an entry.
    fn read(entry: Self::Entry) -> Self;
    /// The number of an entry.
    fn number(entry: Self::Entry) -> u64;
    /// The entry of a key and a number.
    fn entry(self, number: u64) -> Self::Entry;
}

/// Folded multiply: the two halves of the 128-bit product, xored. As in foldhash and wyhash.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let p = u128::from(a) * u128::from(b);
    p as u64 ^ (p >> 64) as u64
}

impl Word for u64 {
    type Entry = [u64; 2];
    const NUMBER: u32 = 64;
    #[inline(always)]
    fn read(entry: Self::Entry) -> Self {
        entry[0]
    }
    #[inline(always)]
    fn number(entry: Self::Entry) -> u64 {
        entry[1]
    }
    #[inline(always)]
    fn entry(self, number: u64) -> Self::Entry {
        [self, number]
    }
}

impl Packed for u64 {
    #[inline(always)]
    fn put(&mut self, v: u64, shift: u32) {
        *self |= v << shift;
    }
    #[inline(always)]
    fn get(&self, shift: u32) -> u64 {
        *self >> shift
    }
    #[inline(always)]
    fn hash(&self, seeds: &[u64; 2]) -> u64 {
        fold(self ^ seeds[0], seeds[1])
    }
    const ALL: Self = !0;
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }
    #[inline(always)]
    fn of_longs(values: &[i64]) -> Option<&[Self]> {
        Some(bytemuck::cast_slice(values))
    }
}

impl Word for [u64; 2] {
    type Entry = [u64; 3];
    const NUMBER: u32 = 64;
    #[inline(always)]
    fn read(entry: Self::Entry) -> Self {
        [entry[0], entry[1]]
    }
    #[inline(always)]
    fn number(entry: Self::Entry) -> u64 {
        entry[2]
    }
    #[inline(always)]
    fn entry(self, number: u64) -> Self::Entry {
        [self[0], self[1], number]
    }
}

impl Packed for [u64; 2] {
    #[inline(always)]
    fn put(&mut self, v: u64, shift: u32) {
        if shift < 64 {
            self[0] |= v << shift;
            if shift > 0 {
                self[1] |= v >> (64 - shift);
            }
        } else {
            self[1] |= v << (shift - 64);
        }
    }
    #[inline(always)]
    fn get(&self, shift: u32) -> u64 {
        match shift {
            0 => self[0],
            1..64 => self[0] >> shift | self[1] << (64 - shift),
            _ => self[1] >> (shift - 64),
        }
    }
    #[inline(always)]
    fn hash(&self, seeds: &[u64; 2]) -> u64 {
        fold(self[0] ^ seeds[0], self[1] ^ seeds[1]) ^ fold(self[0] ^ seeds[1], seeds[0])
    }
    const ALL: Self = [!0; 2];
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        [self[0] & other[0], self[1] & other[1]]
    }
}

/// A key of up to 97 bits: a group's number and a BIGINT that may be NULL. What is left of two words has the slot, so that
/// entries are a third smaller and four of them are a cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Word97([u64; 2]);

impl Word97 {
    /// Bits of a key.
    pub(super) const BITS: u32 = 97;
    /// Where the number stands in the second word.
    const SHIFT: u32 = Self::BITS - 64;
}

impl Word for Word97 {
    type Entry = [u64; 2];
    const NUMBER: u32 = 128 - Self::BITS;
    #[inline(always)]
    fn read(entry: Self::Entry) -> Self {
        Self([entry[0], entry[1] & ((1 << Self::SHIFT) - 1)])
    }
    #[inline(always)]
    fn number(entry: Self::Entry) -> u64 {
        entry[1] >> Self::SHIFT
    }
    #[inline(always)]
    fn entry(self, number: u64) -> Self::Entry {
        [self.0[0], self.0[1] | number << Self::SHIFT]
    }
}

impl Packed for Word97 {
    #[inline(always)]
    fn put(&mut self, v: u64, shift: u32) {
        self.0.put(v, shift);
    }
    #[inline(always)]
    fn get(&self, shift: u32) -> u64 {
        self.0.get(shift)
    }
    #[inline(always)]
    fn hash(&self, seeds: &[u64; 2]) -> u64 {
        self.0.hash(seeds)
    }
    const ALL: Self = Self([!0; 2]);
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(self.0.and(other.0))
    }
}

/// A key of up to 255 bits: all ones is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wide([u64; 4]);

impl Wide {
    /// Bits of a key.
    pub(super) const BITS: u32 = 255;
    /// Not a packed key.
    pub(super) const NONE: Self = Self([!0; 4]);
}

impl Packed for Wide {
    #[inline(always)]
    fn put(&mut self, v: u64, shift: u32) {
        debug_assert!(shift <= Self::BITS);
        let (word, bit) = (shift as usize / 64 % 4, shift % 64);
        // Most values begin with a word.
        if bit == 0 {
            self.0[word] |= v;
            return;
        }
        self.0[word] |= v << bit;
        if word < 3 {
            self.0[word + 1] |= v >> (64 - bit);
        }
    }
    #[inline(always)]
    fn set(&mut self, bit: u32) {
        debug_assert!(bit <= Self::BITS);
        self.0[bit as usize / 64 % 4] |= 1 << (bit % 64);
    }
    #[inline(always)]
    fn get(&self, shift: u32) -> u64 {
        let word = shift as usize / 64;
        let above = self.0.get(word + 1).map_or(0, |w| u128::from(*w) << 64);
        ((above | u128::from(self.0[word])) >> (shift % 64)) as u64
    }
    #[inline(always)]
    fn words(&self, shift: u32) -> [u64; 4] {
        let [a, b, c, d] = self.0;
        let [a, b, c, d] = match shift / 64 {
            0 => [a, b, c, d],
            1 => [b, c, d, 0],
            2 => [c, d, 0, 0],
            _ => [d, 0, 0, 0],
        };
        let bit = shift % 64;
        if bit == 0 {
            return [a, b, c, d];
        }
        [(a, b), (b, c), (c, d), (d, 0)].map(|(low, high)| low >> bit | high << (64 - bit))
    }
    #[inline(always)]
    fn hash(&self, seeds: &[u64; 2]) -> u64 {
        let [a, b, c, d] = self.0;
        let halves = (fold(a ^ seeds[0], b ^ seeds[1]), fold(c ^ seeds[1], d ^ seeds[0]));
        fold(halves.0 ^ seeds[1], halves.1 ^ seeds[0])
    }
    const ALL: Self = Self([!0; 4]);
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|n| self.0[n] & other.0[n]))
    }
}

/// Where a column stands in a packed key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    physical: Physical,
    shift: u32,
    /// The bit that is set when the column is not NULL.
    valid: Option<u32>,
    /// Bytes of a text that fit; behind them stand the bits of its length.
    room: u32,
}

/// How a table holds its keys.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// No columns: there is one key.
    Unit,
    /// Packed into 64 bits.
    Word64(Vec<Part>),
    /// Packed into 97 bits.
    Word97(Vec<Part>),
    /// Packed into 128 bits.
    Word128(Vec<Part>),
    /// Packed into 255 bits, where no text is long.
    Wide(Vec<Part>),
    /// One column of byte strings: the string itself.
    Text,
    /// Canonical bytes of every column.
    Bytes,
}

/// Bits of the length of a text, whose [room](Part::room) is below 32 bytes.
const LENGTH: u32 = 5;

fn bits(physical: Physical) -> Option<u32> {
    Some(match physical {
        Physical::Bool => 1,
        Physical::I8 => 8,
        Physical::I16 => 16,
        Physical::I32 | Physical::F32 => 32,
        Physical::I64 | Physical::F64 => 64,
        Physical::Nanos => 94,
        Physical::I128 => 128,
        Physical::Null => 0,
        Physical::Bytes => LENGTH,
        Physical::List | Physical::Map | Physical::Row => return None,
    })
}

impl Form {
    pub(super) fn of(types: &[DataType], prefix: bool) -> Form {
        if types.is_empty() && !prefix {
            return Form::Unit;
        }
        if let [only] = types
            && !prefix
            && only.physical() == Physical::Bytes
        {
            return Form::Text;
        }
        // NULL of a single column has its own slot.
        let flags = types.len() > 1 || prefix;
        let mut at = if prefix { 32 } else { 0 };
        let mut all = Some(at);
        for t in types {
            all = all.zip(bits(t.physical())).map(|(all, n)| all + n + u32::from(flags));
        }
        // What the other columns leave is shared out among the texts.
        let texts = types.iter().filter(|t| t.physical() == Physical::Bytes).count() as u32;
        let room = match all {
            Some(all) if texts > 0 => (Wide::BITS.saturating_sub(all) / (8 * texts)).min((1 << LENGTH) - 1),
            Some(_) => 0,
            None => return Form::Bytes,
        };
        if texts > 0 && room < INLINE as u32 {
            return Form::Bytes;
        }
        let mut parts = Vec::new();
        for t in types {
            let room = if t.physical() == Physical::Bytes { room } else { 0 };
            let n = bits(t.physical()).unwrap_or_default() + 8 * room;
            // That of a text goes in with its length; the others stand behind all values, so that more of these begin with a word.
            let flag = flags && room > 0;
            parts.push(Part { physical: t.physical(), shift: at, valid: flag.then(|| at + n), room });
            at += n + u32::from(flag);
        }
        for part in parts.iter_mut().filter(|p| flags && p.room == 0) {
            part.valid = Some(at);
            at += 1;
        }
        match at {
            _ if texts > 0 => Form::Wide(parts),
            0..=64 => Form::Word64(parts),
            65..=Word97::BITS => Form::Word97(parts),
            98..=128 => Form::Word128(parts),
            129..=Wide::BITS => Form::Wide(parts),
            _ => Form::Bytes,
        }
    }

    /// The key is one column whose NULL is not part of the packed form.
    pub(super) fn null_aside(&self) -> bool {
        match self {
            Form::Word64(p) | Form::Word97(p) | Form::Word128(p) => {
                matches!(p[..], [Part { valid: None, .. }])
            }
            Form::Text => true,
            Form::Unit | Form::Wide(_) | Form::Bytes => false,
        }
    }
}

/// The keys of rows that stand one behind the other, where they are the numbers of a column: they need not be packed.
#[inline]
pub(super) fn as_they_stand<'a, K: Packed>(
    parts: &[Part],
    columns: &[&'a Column],
    rows: &[u32],
) -> Option<&'a [K]> {
    match parts {
        [Part { physical: Physical::I64, shift: 0, valid: None, .. }] => {
            K::of_longs(&columns[0].slice::<i64>()[run_of(rows)?])
        }
        _ => None,
    }
}

/// Packs the key of each of `rows` into `out`. Where a text is too long for that, `long` gets its place among the rows, not always once.
pub(super) fn pack<K: Packed>(
    parts: &[Part],
    prefix: Option<&[u32]>,
    columns: &[&Column],
    rows: &[u32],
    out: &mut Vec<K>,
    long: &mut Vec<u32>,
) {
    out.clear();
    if let ([Part { physical: Physical::I64, shift: 0, valid: None, .. }], None) = (parts, prefix) {
        let values = columns[0].slice::<i64>();
        out.extend(rows.iter().map(|&r| {
            let mut k = K::default();
            k.put(values[r as usize] as u64, 0);
            k
        }));
        return;
    }
    match prefix {
        None => out.resize(rows.len(), K::default()),
        Some(p) => out.extend(p.iter().map(|&p| {
            let mut k = K::default();
            k.put(u64::from(p), 0);
            k
        })),
    }
    for (part, column) in parts.iter().zip(columns) {
        match &column.data {
            ColumnData::Bytes(texts) => pack_texts(part, column, texts, rows, out, long),
            _ => pack_part(part, column, rows, out),
        }
    }
}

/// Makes an empty key the packed key of a row; `None` where it is the NULL that stands aside, or has a value of more words than one or a text
/// without room.
#[inline(always)]
pub(super) fn pack_row<K: Packed>(
    key: &mut K,
    parts: &[Part],
    columns: &[&Column],
    row: usize,
) -> Option<()> {
    for (n, part) in parts.iter().enumerate() {
        let column = columns[n];
        if !column.is_valid(row) {
            part.valid?;
            continue;
        }
        // Most keys are these two, each a comparison; a jump by type would wait for the type.
        if let ColumnData::Bytes(texts) = &column.data {
            if !put_text(key, part, texts, row) {
                return None;
            }
            continue;
        }
        let value =
            if let ColumnData::I64(b) = &column.data { b.at(row) as u64 } else { word_of(column, row)? };
        key.put(value, part.shift);
        if let Some(bit) = part.valid {
            key.set(bit);
        }
    }
    Some(())
}

/// A value of another type as a word; `None`: it has more bits.
#[inline]
fn word_of(column: &Column, row: usize) -> Option<u64> {
    Some(match &column.data {
        ColumnData::I32(b) => u64::from(b.at(row) as u32),
        ColumnData::Bool(b) => b.get(row).into(),
        ColumnData::I8(b) => u64::from(b[row] as u8),
        ColumnData::I16(b) => u64::from(b[row] as u16),
        ColumnData::F32(b) => u64::from(key::f32_bits(b[row])),
        ColumnData::F64(b) => key::f64_bits(b[row]),
        _ => return None,
    })
}

fn pack_texts<K: Packed>(
    part: &Part,
    column: &Column,
    texts: &ByteColumn,
    rows: &[u32],
    out: &mut [K],
    long: &mut Vec<u32>,
) {
    let nulls = column.validity.may_have_nulls();
    for (n, (k, &r)) in out.iter_mut().zip(rows).enumerate() {
        let r = r as usize;
        if nulls && !column.is_valid(r) {
            continue;
        }
        if !put_text(k, part, texts, r) {
            long.push(n as u32);
        }
    }
}

/// Packs a text that is not NULL. False: it is too long, and nothing was done.
#[inline(always)]
fn put_text<K: Packed>(key: &mut K, part: &Part, texts: &ByteColumn, row: usize) -> bool {
    let View { len, prefix, word2, word3 } = texts.view(row);
    if len as usize <= INLINE {
        key.put(u64::from(u32::from_le_bytes(prefix)) | u64::from(word2) << 32, part.shift);
        key.put(word3.into(), part.shift + 64);
    } else if len <= part.room {
        let text = texts.get(row);
        let (words, rest) = text.as_chunks();
        for (n, word) in (0..).zip(words) {
            key.put(u64::from_le_bytes(*word), part.shift + 64 * n);
        }
        if let (1.., Some(last)) = (rest.len(), text.last_chunk()) {
            let last = u64::from_le_bytes(*last) >> (64 - 8 * rest.len());
            key.put(last, part.shift + 64 * words.len() as u32);
        }
    } else {
        return false;
    }
    let valid = u64::from(part.valid.is_some());
    key.put(u64::from(len) | valid << LENGTH, part.shift + 8 * part.room);
    true
}

/// How the packed texts of a part are read.
struct Unpacker {
    shift: u32,
    /// Where the length stands.
    length: u32,
    /// Of each word from `shift` on the bits that are the text's: behind its room stand other parts.
    masks: [u64; (1 << LENGTH) / 8],
}

impl Unpacker {
    fn of(part: &Part) -> Self {
        let bits = |n: usize| (8 * part.room).saturating_sub(64 * n as u32).min(64);
        let masks = std::array::from_fn(|n| if bits(n) == 0 { 0 } else { u64::MAX >> (64 - bits(n)) });
        Self { shift: part.shift, length: part.shift + 8 * part.room, masks }
    }

    /// The length of a key's text, and its bytes with zeros behind them.
    #[inline(always)]
    fn read<K: Packed>(&self, key: &K) -> (u32, [u8; 1 << LENGTH]) {
        let len = (key.get(self.length) & ((1 << LENGTH) - 1)) as u32;
        let mut text = [0; 1 << LENGTH];
        let words = key.words(self.shift);
        for ((to, word), mask) in text.as_chunks_mut().0.iter_mut().zip(words).zip(self.masks) {
            // What the text leaves of its room is zero.
            *to = (word & mask).to_le_bytes();
        }
        (len, text)
    }
}

/// Puts a value of each row that is not NULL into its key.
#[inline(always)]
fn put_all<K: Packed>(
    part: &Part,
    nulls: Option<&Column>,
    rows: &[u32],
    out: &mut [K],
    put: impl Fn(usize, &mut K),
) {
    for (k, &r) in out.iter_mut().zip(rows) {
        let r = r as usize;
        if nulls.is_none_or(|c| c.is_valid(r)) {
            put(r, k);
            if let Some(bit) = part.valid {
                k.set(bit);
            }
        }
    }
}

fn pack_part<K: Packed>(part: &Part, column: &Column, rows: &[u32], out: &mut [K]) {
    let nulls = Some(column).filter(|c| c.validity.may_have_nulls());
    let shift = part.shift;
    macro_rules! put {
        ($k:ident, $r:ident => $put:expr) => {
            put_all(part, nulls, rows, out, |$r, $k| $put)
        };
    }
    match &column.data {
        ColumnData::Bool(b) => put!(k, r => k.put(b.get(r).into(), shift)),
        ColumnData::I8(b) => put!(k, r => k.put(u64::from(b[r] as u8), shift)),
        ColumnData::I16(b) => put!(k, r => k.put(u64::from(b[r] as u16), shift)),
        ColumnData::I32(b) => put!(k, r => k.put(u64::from(b[r] as u32), shift)),
        ColumnData::I64(b) => put!(k, r => k.put(b[r] as u64, shift)),
        ColumnData::F32(b) => put!(k, r => k.put(u64::from(key::f32_bits(b[r])), shift)),
        ColumnData::F64(b) => put!(k, r => k.put(key::f64_bits(b[r]), shift)),
        ColumnData::I128(b) => put!(k, r => {
            k.put(b[r] as u64, shift);
            k.put((b[r] >> 64) as u64, shift + 64);
        }),
        ColumnData::Nanos { seconds, nanos } => put!(k, r => {
            k.put(seconds[r] as u64, shift);
            k.put(u64::from(nanos[r]), shift + 64);
        }),
        // Each of its rows is NULL.
        ColumnData::Null => {}
        _ => unreachable!("columns without fixed width are not packed"),
    }
}

/// A column to write to.
pub(super) fn unshared(column: &mut ColumnRef) -> &mut Column {
    ColumnRef::get_mut(column).expect("columns to write to are not shared")
}

/// Appends the columns of packed keys to `out`; `key(i)` is `None` for the NULL that stands aside.
pub(super) fn unpack<'k, K: Packed + 'k>(
    parts: &[Part],
    keys: impl ExactSizeIterator<Item = Option<&'k K>> + Clone,
    out: &mut [ColumnRef],
) {
    // The bits that all keys have, among them those of columns that are NULL in none; none where a NULL stands aside.
    let all = keys.clone().try_fold(K::ALL, |all, k| Some(all.and(*k?)));
    // A NULL is packed as zeros.
    let zeros = K::default();
    for (part, column) in parts.iter().zip(out) {
        let column = unshared(column);
        let is_valid = |k: &K| part.valid.is_none_or(|bit| k.get(bit) & 1 != 0);
        if all.as_ref().is_some_and(is_valid) {
            column.validity.resize(column.validity.len() + keys.len(), true);
        } else {
            keys.clone().for_each(|k| column.validity.push(k.is_some_and(is_valid)));
        }
        let at = part.shift;
        macro_rules! each {
            ($k:ident => $value:expr) => {
                keys.clone().map(|k| {
                    let $k = k.unwrap_or(&zeros);
                    $value
                })
            };
        }
        match &mut column.data {
            ColumnData::Bool(b) => each!(k => k.get(at) & 1 != 0).for_each(|v| b.push(v)),
            ColumnData::I8(b) => b.extend_exact(each!(k => k.get(at) as i8)),
            ColumnData::I16(b) => b.extend_exact(each!(k => k.get(at) as i16)),
            ColumnData::I32(b) => b.extend_exact(each!(k => k.get(at) as i32)),
            ColumnData::I64(b) => b.extend_exact(each!(k => k.get(at) as i64)),
            ColumnData::F32(b) => b.extend_exact(each!(k => f32::from_bits(k.get(at) as u32))),
            ColumnData::F64(b) => b.extend_exact(each!(k => f64::from_bits(k.get(at)))),
            ColumnData::I128(b) => {
                b.extend_exact(
                    each!(k => (u128::from(k.get(at)) | u128::from(k.get(at + 64)) << 64) as i128),
                );
            }
            ColumnData::Nanos { seconds, nanos } => {
                seconds.extend_exact(each!(k => k.get(at) as i64));
                nanos.extend_exact(each!(k => (k.get(at + 64) & 0x3fff_ffff) as u32));
            }
            ColumnData::Bytes(b) => {
                let unpacker = Unpacker::of(part);
                b.writer().extend_padded(each!(k => unpacker.read(k)));
            }
            ColumnData::Null => {}
            _ => unreachable!("columns without fixed width are not packed"),
        }
    }
}

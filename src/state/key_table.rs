//! From key to slot: a hash table whose entries are numbers.
//!
//! Keys get **slots**: dense numbers from 0, used again after removal. All else that belongs to a key is a column indexed by slot,
//! kept by whoever owns the table. Keys that fit into 64 or 128 bits are packed and stand beside their slot in the hash table
//! (one miss finds both); wider ones, short texts among them, are packed as well and stand by slot ([`WideKeys`]); others are bytes in an
//! arena ([`Texts`]). [`Form`] decides.
//!
//! Invariants: a slot is live, free, or *renewed* (its key moved to another slot; free after [`KeyTable::free`]). The order of
//! [`KeyTable::order`] is that of insertion; the order of the hash table, whose seed is random, can never be observed. Equality of keys is
//! that of [`crate::batch::key`].
//!
//! The hash is a folded multiply (bytes: foldhash), not the one that assigns key groups. Lookups are made for a whole batch at
//! a time, in a loop with nothing else in it, and in a table that no cache holds ([`Flat`]) lines are asked for some keys ahead: the cache
//! misses of several rows overlap.

use super::flat::Flat;
use super::key_layout::{Form, Packed, Part, Word, Word97, as_they_stand, pack, pack_row, unpack, unshared};
use super::seeds;
use super::texts::Texts;
use super::wide::WideKeys;
use crate::batch::{Column, ColumnRef, DataType, Decoder, Encoder, View, key};
use crate::error::{Error, Result};
use crate::host::mmap::touch;
use std::ops::Range;

/// Not a slot.
const NO_SLOT: u32 = u32::MAX;

/// Bytes of an index from which on it is filled further.
pub(super) const COLD: usize = 256 << 10;
/// Bytes of an index from which on its lines are asked for ahead, and by how many keys. Below, the second cache of a core holds it: to ask then costs
/// more than the wait, which the keys behind share.
pub(super) const FAR: usize = 1 << 20;
pub(super) const AHEAD: usize = 12;

/// How many keys a snapshot holds in columns at a time.
pub(super) const CHUNK: usize = 1 << 16;

/// See the module's text.
pub struct KeyTable {
    types: Vec<DataType>,
    prefixed: bool,
    form: Form,
    store: Store,
    /// The slot of the key that is NULL, where the packed form cannot say so.
    null: Option<u32>,
    slots: Slots,
    /// The slot of a row that comes alone.
    only: Vec<u32>,
}

enum Store {
    /// The slot of the one key.
    Unit(Option<u32>),
    Word64(Words<u64>),
    Word97(Words<Word97>),
    Word128(Words<[u64; 2]>),
    Wide(Box<WideKeys>),
    Bytes(Texts),
}

impl KeyTable {
    /// A table for keys of columns of these types. `prefixed`: a `u32` before the columns is part of the key.
    pub fn new(types: Vec<DataType>, prefixed: bool) -> Self {
        let form = Form::of(&types, prefixed);
        let store = match &form {
            Form::Unit => Store::Unit(None),
            Form::Word64(_) => Store::Word64(Words::default()),
            Form::Word97(_) => Store::Word97(Words::default()),
            Form::Word128(_) => Store::Word128(Words::default()),
            Form::Wide(_) => Store::Wide(Box::new(WideKeys::new(seeds::random()))),
            Form::Text | Form::Bytes => Store::Bytes(Texts::default()),
        };
        Self { types, prefixed, form, store, null: None, slots: Slots::default(), only: Vec::new() }
    }

    /// The types of the key's columns.
    pub fn types(&self) -> &[DataType] {
        &self.types
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.slots.bound as usize - self.slots.free.len() - self.slots.renewed
    }

    /// No keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Slots are below this.
    pub fn bound(&self) -> usize {
        self.slots.bound as usize
    }

    /// Appends the slot of the key of each of `rows` to `slots`; keys that are new get one. `prefix`, where the table has one, is
    /// parallel to `rows`.
    pub fn find_or_insert(
        &mut self,
        prefix: Option<&[u32]>,
        columns: &[&Column],
        rows: &[u32],
        slots: &mut Vec<u32>,
    ) {
        debug_assert_eq!(prefix.is_some(), self.prefixed);
        debug_assert_eq!(columns.len(), self.types.len());
        let nulls = self
            .form
            .null_aside()
            .then(|| columns[0])
            .filter(|c| c.validity.may_have_nulls() || matches!(c.data, crate::batch::ColumnData::Null));
        let Self { form, store, null, slots: free, .. } = self;
        let mut null_slot = |free: &mut Slots| *null.get_or_insert_with(|| free.take());
        match (form, store) {
            (Form::Word64(parts), Store::Word64(w)) => {
                w.find_or_insert(parts, prefix, columns, rows, nulls, free, &mut null_slot, slots);
            }
            (Form::Word97(parts), Store::Word97(w)) => {
                w.find_or_insert(parts, prefix, columns, rows, nulls, free, &mut null_slot, slots);
            }
            (Form::Word128(parts), Store::Word128(w)) => {
                w.find_or_insert(parts, prefix, columns, rows, nulls, free, &mut null_slot, slots);
            }
            (Form::Wide(parts), Store::Wide(w)) => {
                w.find_or_insert(parts, prefix, columns, rows, free, slots);
            }
            (Form::Text, Store::Bytes(t)) => {
                let texts = columns[0].byte_column();
                let views = texts.views();
                // Neighbours are often the same: a day, a channel.
                let mut last: Option<(View, u32)> = None;
                slots.extend(rows.iter().map(|&r| match nulls {
                    Some(c) if !c.is_valid(r as usize) => null_slot(free),
                    _ => {
                        let view = views[r as usize];
                        if let Some((_, slot)) = last.filter(|l| l.0 == view) {
                            return slot;
                        }
                        let slot = t.find_or_insert(texts.get(r as usize), free);
                        // Of the same column, the same view is the same text, inline or not.
                        last = Some((view, slot));
                        slot
                    }
                }));
            }
            (Form::Bytes, Store::Bytes(t)) => {
                let mut bytes = std::mem::take(&mut t.scratch);
                slots.extend(rows.iter().enumerate().map(|(k, &r)| {
                    bytes.clear();
                    if let Some(p) = prefix {
                        bytes.extend_from_slice(&p[k].to_le_bytes());
                    }
                    key::encode_key(columns, r as usize, &mut bytes);
                    t.find_or_insert(&bytes, free)
                }));
                t.scratch = bytes;
            }
            (Form::Unit, Store::Unit(only)) => {
                if !rows.is_empty() {
                    let slot = *only.get_or_insert_with(|| free.take());
                    slots.resize(slots.len() + rows.len(), slot);
                }
            }
            _ => unreachable!("form and store are made together"),
        }
    }

    /// The slot of the key of row `row`, which is new or not: [`KeyTable::find_or_insert`] of a row that comes alone, without lists.
    #[inline]
    pub fn find_or_insert_row(&mut self, columns: &[&Column], row: u32) -> u32 {
        debug_assert!(!self.prefixed && columns.len() == self.types.len());
        let Self { form, store, slots, .. } = self;
        let found = match (form, store) {
            (Form::Word64(parts), Store::Word64(w)) => w.row(parts, columns, row as usize, slots),
            (Form::Word97(parts), Store::Word97(w)) => w.row(parts, columns, row as usize, slots),
            (Form::Word128(parts), Store::Word128(w)) => w.row(parts, columns, row as usize, slots),
            (Form::Wide(parts), Store::Wide(w)) => w.row(parts, columns, row as usize, slots),
            (Form::Text, Store::Bytes(t)) if columns[0].is_valid(row as usize) => {
                Some(t.find_or_insert(columns[0].byte_column().get(row as usize), slots))
            }
            (Form::Bytes, Store::Bytes(t)) => {
                let mut bytes = std::mem::take(&mut t.scratch);
                bytes.clear();
                key::encode_key(columns, row as usize, &mut bytes);
                let slot = t.find_or_insert(&bytes, slots);
                t.scratch = bytes;
                Some(slot)
            }
            _ => None,
        };
        found.unwrap_or_else(|| {
            let mut only = std::mem::take(&mut self.only);
            only.clear();
            self.find_or_insert(None, columns, &[row], &mut only);
            let slot = only[0];
            self.only = only;
            slot
        })
    }

    /// Takes the key out; its slot is free for the next new key.
    pub fn remove(&mut self, slot: u32) {
        self.unlink(slot);
        self.slots.free(slot);
    }

    /// Gives the key another slot and returns it. The old one belongs to no key any more, but is not used again until
    /// [`KeyTable::free`]: a batch that ends a group and begins it anew needs both.
    pub fn renew(&mut self, slot: u32) -> u32 {
        let new = self.slots.take();
        self.slots.begin_sequence();
        self.slots.renewed += 1;
        if self.null == Some(slot) {
            self.null = Some(new);
            return new;
        }
        match &mut self.store {
            Store::Unit(only) => *only = Some(new),
            Store::Word64(w) => w.renew(slot, new),
            Store::Word97(w) => w.renew(slot, new),
            Store::Word128(w) => w.renew(slot, new),
            Store::Wide(w) => w.renew(slot, new),
            Store::Bytes(t) => t.renew(slot, new),
        }
        new
    }

    /// Frees a slot whose key has been given another by [`KeyTable::renew`].
    pub fn free(&mut self, slot: u32) {
        self.slots.renewed -= 1;
        self.slots.free(slot);
    }

    fn unlink(&mut self, slot: u32) {
        if self.null == Some(slot) {
            self.null = None;
            return;
        }
        match &mut self.store {
            Store::Unit(only) => *only = None,
            Store::Word64(w) => w.remove(slot),
            Store::Word97(w) => w.remove(slot),
            Store::Word128(w) => w.remove(slot),
            Store::Wide(w) => w.remove(slot, self.slots.bound),
            Store::Bytes(t) => t.remove(slot, self.slots.bound),
        }
    }

    /// Appends the keys of `slots` to columns of the key's types, which nobody shares.
    pub fn emit(&self, slots: &[u32], out: &mut [ColumnRef]) {
        debug_assert_eq!(out.len(), self.types.len());
        match (&self.form, &self.store) {
            (Form::Word64(parts), Store::Word64(w)) => w.emit(parts, self.null, slots, out),
            (Form::Word97(parts), Store::Word97(w)) => w.emit(parts, self.null, slots, out),
            (Form::Word128(parts), Store::Word128(w)) => w.emit(parts, self.null, slots, out),
            (Form::Wide(parts), Store::Wide(w)) => w.emit(parts, self.prefixed, slots, out),
            (Form::Text, Store::Bytes(t)) => {
                let out = unshared(&mut out[0]);
                for &s in slots {
                    out.validity.push(self.null != Some(s));
                }
                let mut texts = out.byte_column_mut().writer();
                for &s in slots {
                    texts.push(if self.null == Some(s) { b"" } else { t.get(s) });
                }
            }
            (Form::Bytes, Store::Bytes(t)) => {
                for &s in slots {
                    let mut bytes = t.get(s);
                    if self.prefixed {
                        bytes = &bytes[4..];
                    }
                    out.iter_mut().for_each(|c| key::decode_value(&mut bytes, unshared(c)));
                }
            }
            _ => {}
        }
    }

    /// The `u32` before the columns of the key of `slot`.
    pub fn prefix(&self, slot: u32) -> u32 {
        debug_assert!(self.prefixed);
        match &self.store {
            Store::Unit(_) => 0,
            Store::Word64(w) => w.keys[slot as usize] as u32,
            Store::Word97(w) => w.keys[slot as usize].get(0) as u32,
            Store::Word128(w) => w.keys[slot as usize][0] as u32,
            Store::Wide(w) => w.prefix(slot),
            Store::Bytes(t) => u32::from_le_bytes(t.get(slot)[..4].try_into().expect("four bytes")),
        }
    }

    /// The live slots in the order in which their keys came.
    pub fn order(&self) -> Vec<u32> {
        debug_assert_eq!(self.slots.renewed, 0);
        self.slots.order()
    }

    /// No keys; memory and slots are kept for use.
    pub fn clear(&mut self) {
        self.null = None;
        self.slots.clear();
        match &mut self.store {
            Store::Unit(only) => *only = None,
            Store::Word64(w) => w.clear(),
            Store::Word97(w) => w.clear(),
            Store::Word128(w) => w.clear(),
            Store::Wide(w) => w.clear(),
            Store::Bytes(t) => t.clear(),
        }
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        self.slots.bytes()
            + match &self.store {
                Store::Unit(_) => 0,
                Store::Word64(w) => w.bytes(),
                Store::Word97(w) => w.bytes(),
                Store::Word128(w) => w.bytes(),
                Store::Wide(w) => w.bytes(),
                Store::Bytes(t) => t.bytes(),
            }
    }

    /// Reads each page of what keys are looked for in, so that the next look at one waits for none.
    pub fn touch(&self) {
        match &self.store {
            Store::Unit(_) => {}
            Store::Word64(w) => w.touch(),
            Store::Word97(w) => w.touch(),
            Store::Word128(w) => w.touch(),
            Store::Wide(w) => w.touch(),
            Store::Bytes(t) => t.touch(),
        }
    }

    /// Writes the keys of `slots` as columns, without their prefixes: whoever has prefixes knows what they mean. Keys `0..n` of the
    /// restored table are these, in this order.
    pub fn encode(&self, slots: &[u32], to: &mut Encoder) {
        encode_keys(&self.types, slots.len(), to, |part, columns| self.emit(&slots[part], columns));
    }

    /// Reads what [`KeyTable::encode`] wrote into a new table: the keys get slots `0..n`, and `n` is returned.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn decode(&mut self, prefix: Option<&[u32]>, from: &mut Decoder<'_>) -> Result<usize> {
        from.block(b"KEYS", 1)?;
        let n = from.u64()? as usize;
        let damaged = || Error::corrupt("keys of a keyed state do not fit their number");
        if prefix.is_some_and(|p| p.len() != n) || n >= NO_SLOT as usize {
            return Err(damaged());
        }
        let mut slots = Vec::new();
        for start in (0..n).step_by(CHUNK) {
            let rows = CHUNK.min(n - start);
            let mut columns: Vec<Column> = self.types.iter().map(Column::new).collect();
            for c in &mut columns {
                from.column(c)?;
                if c.len() != rows {
                    return Err(damaged());
                }
            }
            let all: Vec<u32> = (0..rows as u32).collect();
            let prefix = prefix.map(|p| &p[start..start + rows]);
            slots.clear();
            self.find_or_insert(prefix, &columns.iter().collect::<Vec<_>>(), &all, &mut slots);
            if !slots.iter().copied().eq(start as u32..(start + rows) as u32) {
                return Err(damaged());
            }
        }
        Ok(n)
    }
}

/// Writes `n` keys of these types as [`KeyTable::encode`] does; `emit` appends those of a range to columns.
pub(super) fn encode_keys(
    types: &[DataType],
    n: usize,
    to: &mut Encoder,
    mut emit: impl FnMut(Range<usize>, &mut [ColumnRef]),
) {
    to.block(b"KEYS", 1);
    to.len(n);
    for start in (0..n).step_by(CHUNK) {
        let mut columns: Vec<_> = types.iter().map(|t| ColumnRef::new(Column::new(t))).collect();
        emit(start..n.min(start + CHUNK), &mut columns);
        columns.iter().for_each(|c| to.column(c));
    }
}

/// Which slots are in use, and in which order they came into use.
#[derive(Default)]
pub(super) struct Slots {
    bound: u32,
    free: Vec<u32>,
    renewed: usize,
    /// When each slot was taken; kept from the first removal on. Before that, slots stand in the order of insertion.
    sequence: Vec<u64>,
    next: u64,
}

impl Slots {
    /// A slot for a new key.
    #[inline]
    pub(super) fn take(&mut self) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.bound += 1;
            assert!(self.bound < NO_SLOT, "a keyed state holds below 2^32 keys");
            self.bound - 1
        });
        if self.next > 0 {
            self.sequence.resize(self.bound as usize, 0);
            self.sequence[slot as usize] = self.next;
            self.next += 1;
        }
        slot
    }

    fn begin_sequence(&mut self) {
        if self.next == 0 {
            self.sequence = (0..u64::from(self.bound)).collect();
            self.next = u64::from(self.bound).max(1);
        }
    }

    fn free(&mut self, slot: u32) {
        self.begin_sequence();
        self.free.push(slot);
    }

    fn order(&self) -> Vec<u32> {
        if self.free.is_empty() && self.next == 0 {
            return (0..self.bound).collect();
        }
        let mut live = vec![true; self.bound as usize];
        self.free.iter().for_each(|&s| live[s as usize] = false);
        let mut order: Vec<u32> = (0..self.bound).filter(|&s| live[s as usize]).collect();
        order.sort_unstable_by_key(|&s| self.sequence[s as usize]);
        order
    }

    fn clear(&mut self) {
        self.bound = 0;
        self.free.clear();
        self.renewed = 0;
        self.sequence.clear();
        self.next = 0;
    }

    fn bytes(&self) -> usize {
        self.free.capacity() * 4 + self.sequence.capacity() * 8
    }
}

/// Packed keys.
struct Words<K: Word> {
    index: Flat<K>,
    /// By slot.
    keys: Vec<K>,
    seeds: [u64; 2],
    scratch: Vec<K>,
    hashes: Vec<u64>,
}

impl<K: Word> Default for Words<K> {
    fn default() -> Self {
        Self {
            index: Flat::default(),
            keys: Vec::new(),
            seeds: seeds::random(),
            scratch: Vec::new(),
            hashes: Vec::new(),
        }
    }
}

impl<K: Word> Words<K> {
    #[expect(clippy::too_many_arguments, reason = "the parts of one table, borrowed apart")]
    fn find_or_insert(
        &mut self,
        parts: &[Part],
        prefix: Option<&[u32]>,
        columns: &[&Column],
        rows: &[u32],
        nulls: Option<&Column>,
        free: &mut Slots,
        null_slot: &mut impl FnMut(&mut Slots) -> u32,
        slots: &mut Vec<u32>,
    ) {
        if let (None, None, Some(keys)) = (prefix, nulls, as_they_stand(parts, columns, rows)) {
            return self.find_keys(keys, free, slots);
        }
        let mut keys = std::mem::take(&mut self.scratch);
        // Of fixed width: none is too long.
        pack(parts, prefix, columns, rows, &mut keys, &mut Vec::new());
        match nulls {
            None => self.find_keys(&keys, free, slots),
            Some(c) => slots.extend(
                keys.iter()
                    .zip(rows)
                    .map(|(&k, &r)| if c.is_valid(r as usize) { self.one(k, free) } else { null_slot(free) }),
            ),
        }
        self.scratch = keys;
    }

    /// The slots of many keys.
    fn find_keys(&mut self, mut keys: &[K], free: &mut Slots, slots: &mut Vec<u32>) {
        if keys.len() > AHEAD && self.index.bytes() >= FAR {
            return self.ahead(keys, free, slots);
        }
        let from = slots.len();
        slots.resize(from + keys.len(), NO_SLOT);
        let mut slots = &mut slots[from..];
        loop {
            let seeds = self.seeds;
            let found = self.index.find_all(keys, &seeds, slots);
            let [key, more @ ..] = &keys[found..] else { return };
            slots[found] = self.insert(*key, key.hash(&seeds), free);
            (keys, slots) = (more, &mut slots[found + 1..]);
        }
    }

    /// The slots of many keys of an index that no cache holds.
    fn ahead(&mut self, keys: &[K], free: &mut Slots, slots: &mut Vec<u32>) {
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.clear();
        hashes.extend(keys.iter().map(|k| k.hash(&self.seeds)));
        hashes[..AHEAD.min(keys.len())].iter().for_each(|&h| self.index.expect(h));
        slots.extend(keys.iter().enumerate().map(|(n, &key)| {
            if let Some(&h) = hashes.get(n + AHEAD) {
                self.index.expect(h);
            }
            if let Some(slot) = self.index.find(hashes[n], key) {
                return slot;
            }
            let seeds = self.seeds;
            let slot = self.insert(key, hashes[n], free);
            if seeds != self.seeds {
                hashes.iter_mut().zip(keys).for_each(|(hash, key)| *hash = key.hash(&self.seeds));
            }
            slot
        }));
        self.hashes = hashes;
    }

    /// The slot of the key of a row; `None` where it is NULL, which stands aside.
    #[inline(always)]
    fn row(&mut self, parts: &[Part], columns: &[&Column], row: usize, free: &mut Slots) -> Option<u32> {
        let mut key = K::default();
        pack_row(&mut key, parts, columns, row)?;
        Some(self.one(key, free))
    }

    #[inline(always)]
    fn one(&mut self, key: K, free: &mut Slots) -> u32 {
        let hash = key.hash(&self.seeds);
        match self.index.find(hash, key) {
            Some(slot) => slot,
            None => self.insert(key, hash, free),
        }
    }

    #[cold]
    #[inline(never)]
    fn insert(&mut self, key: K, hash: u64, free: &mut Slots) -> u32 {
        let slot = free.take();
        self.index.insert(hash, key, slot, &mut self.seeds);
        self.set(slot, key);
        slot
    }

    fn set(&mut self, slot: u32, key: K) {
        if self.keys.len() == slot as usize {
            return self.keys.push(key);
        }
        if self.keys.len() < slot as usize {
            self.keys.resize(slot as usize + 1, K::default());
        }
        self.keys[slot as usize] = key;
    }

    fn remove(&mut self, slot: u32) {
        let key = self.keys[slot as usize];
        self.index.remove(key.hash(&self.seeds), key, &self.seeds);
    }

    fn renew(&mut self, slot: u32, new: u32) {
        let key = self.keys[slot as usize];
        self.index.replace(key.hash(&self.seeds), key, new);
        self.set(new, key);
    }

    fn emit(&self, parts: &[Part], null: Option<u32>, slots: &[u32], out: &mut [ColumnRef]) {
        let null = null.unwrap_or(NO_SLOT);
        unpack(parts, slots.iter().map(|&s| (s != null).then(|| &self.keys[s as usize])), out);
    }

    fn clear(&mut self) {
        self.index.clear();
        self.keys.clear();
    }

    fn touch(&self) {
        self.index.touch();
        touch(&self.keys);
    }

    fn bytes(&self) -> usize {
        self.index.bytes()
            + (self.keys.capacity() + self.scratch.capacity()) * size_of::<K>()
            + self.hashes.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::TypeKind;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A number before the key, and its columns: numbers as they are, texts as many letters as the number says.
    type Key = (u32, [Option<i64>; 2]);

    /// The types of a key's columns, and whether a number stands before them.
    fn tables() -> Vec<(Vec<TypeKind>, bool)> {
        use TypeKind::{BigInt, Boolean};
        let text = TypeKind::STRING;
        vec![
            (vec![BigInt], false),
            (vec![BigInt], true),
            (vec![text.clone()], false),
            (vec![text.clone()], true),
            (vec![BigInt, BigInt], false),
            (vec![BigInt, BigInt], true),
            (vec![BigInt, text.clone()], false),
            (vec![text.clone(), text.clone()], true),
            (vec![text.clone(), text.clone()], false),
            (vec![Boolean, text], true),
        ]
    }

    fn columns(kinds: &[TypeKind], keys: &[Key]) -> Vec<Column> {
        let all = kinds.iter().enumerate().map(|(n, kind)| {
            let mut c = Column::new(&kind.clone().nullable());
            for (_, values) in keys {
                let Some(v) = values[n] else {
                    c.push_null();
                    continue;
                };
                c.validity.push(true);
                match kind {
                    TypeKind::BigInt => c.buffer_mut::<i64>().push(v),
                    TypeKind::Boolean => c.bools_mut().push(v > 12),
                    _ => c
                        .byte_column_mut()
                        .push(&"abcdefghijklmnopqrstuvwxyz".repeat(2).as_bytes()[..v as usize]),
                }
            }
            c
        });
        all.collect()
    }

    /// What the table makes of a key.
    fn seen(kinds: &[TypeKind], prefixed: bool, (prefix, mut values): Key) -> Key {
        values[kinds.len()..].fill(None);
        for (v, kind) in values.iter_mut().zip(kinds) {
            if *kind == TypeKind::Boolean {
                *v = v.map(|v| i64::from(v > 12));
            }
        }
        (if prefixed { prefix } else { 0 }, values)
    }

    fn find(table: &mut KeyTable, kinds: &[TypeKind], keys: &[Key]) -> Vec<u32> {
        let columns = columns(kinds, keys);
        let columns: Vec<&Column> = columns.iter().collect();
        let rows: Vec<u32> = (0..keys.len() as u32).collect();
        let prefix: Vec<u32> = keys.iter().map(|k| k.0).collect();
        let mut slots = vec![];
        table.find_or_insert(table.prefixed.then_some(&prefix[..]), &columns, &rows, &mut slots);
        slots
    }

    /// Keys that the seeds of the day put into three eighths of the places: the table takes others when it grows, also in the middle of a batch whose
    /// keys are asked for ahead.
    #[test]
    fn a_table_that_takes_other_seeds_keeps_its_keys() {
        let kinds = [TypeKind::BigInt];
        let mut table = KeyTable::new(vec![TypeKind::BigInt.not_null()], false);
        let words = |table: &KeyTable| match &table.store {
            Store::Word64(words) => (words.seeds, words.index.bytes()),
            _ => unreachable!("a BIGINT is a word"),
        };
        let Store::Word64(start) = &mut table.store else { unreachable!("a BIGINT is a word") };
        start.seeds = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];
        let (mut all, mut number, mut changed_far) = (vec![], 0_i64, 0);
        while all.len() < 60_000 {
            let (seeds, bytes) = words(&table);
            let mut batch = vec![];
            while batch.len() < 1000 {
                number += 1;
                if (number as u64).hash(&seeds) % 65_536 < 24_576 {
                    batch.push((0, [Some(number), None]));
                }
            }
            let first = all.len() as u32;
            assert_eq!(find(&mut table, &kinds, &batch), (first..first + 1000).collect::<Vec<_>>());
            all.append(&mut batch);
            changed_far += u32::from(bytes >= FAR && words(&table).0 != seeds);
        }
        assert_eq!(changed_far, 1, "as it grew beyond what is looked into without asking ahead");
        assert_eq!(find(&mut table, &kinds, &all), (0..60_000).collect::<Vec<_>>());
    }

    fn key() -> impl Strategy<Value = Key> {
        let value = || prop::option::of(prop_oneof![0i64..3, 10i64..15, 21i64..26, 30i64..40]);
        (0u32..2, [value(), value()])
    }

    proptest! {
        /// Whatever a key's form, its slot is its own: found again, given back, exchanged, read, and over a snapshot.
        #[test]
        fn a_key_has_its_slot(which in 0usize..10, batches in prop::collection::vec((prop::collection::vec(key(), 1..40), 0u8..3), 1..8)) {
            let (kinds, prefixed) = tables().swap_remove(which);
            let types: Vec<DataType> = kinds.iter().map(|k| k.clone().nullable()).collect();
            let (mut table, mut model) = (KeyTable::new(types.clone(), prefixed), BTreeMap::new());
            for (keys, what) in &batches {
                for (key, slot) in keys.iter().zip(find(&mut table, &kinds, keys)) {
                    let key = seen(&kinds, prefixed, *key);
                    let others = model.iter().filter(|(_, s)| **s == slot);
                    prop_assert!(others.clone().all(|(k, _)| *k == key), "another key's slot");
                    prop_assert_eq!(*model.entry(key).or_insert(slot), slot);
                }
                let first = seen(&kinds, prefixed, keys[0]);
                match what {
                    0 => table.remove(model.remove(&first).unwrap()),
                    1 => {
                        let slot = model.get_mut(&first).unwrap();
                        let new = table.renew(*slot);
                        table.free(std::mem::replace(slot, new));
                    }
                    _ => {}
                }
                prop_assert_eq!(table.len(), model.len());
            }
            let order = table.order();
            prop_assert_eq!(order.len(), model.len());
            let mut bytes = Encoder::default();
            table.encode(&order, &mut bytes);
            let prefix: Vec<u32> = order.iter().map(|&s| if prefixed { table.prefix(s) } else { 0 }).collect();
            let mut restored = KeyTable::new(types, prefixed);
            let bytes = bytes.finish();
            let n = restored.decode(prefixed.then_some(&prefix[..]), &mut Decoder::new(&bytes)).unwrap();
            prop_assert_eq!(n, order.len());
            let keys: Vec<Key> = model.keys().map(|(p, v)| {
                let mut v = *v;
                for (v, kind) in v.iter_mut().zip(&kinds) {
                    if *kind == TypeKind::Boolean {
                        *v = v.map(|v| v * 20);
                    }
                }
                (*p, v)
            }).collect();
            let places: Vec<u32> = find(&mut restored, &kinds, &keys);
            for (slot, place) in model.values().zip(places) {
                prop_assert_eq!(order[place as usize], *slot);
            }
            prop_assert_eq!(restored.len(), n);
        }
    }
}

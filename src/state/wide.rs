//! Keys of several columns that are packed into four words, and those beside them that have a text too long for that.
//!
//! Packed keys stand by slot and are found by an index of their hashes ([`Tagged`]). Which of the two a key is follows from the key, so that it is
//! looked for in one of them. In a table that no cache holds, the index's lines are asked for some keys ahead; keys of neighbours in a stream, which
//! mostly came one after the other, stand together.

use super::key_layout::{Packed, Part, Wide, pack, pack_row, unpack, unshared};
use super::key_table::{AHEAD, FAR, Slots};
use super::tagged::Tagged;
use super::texts::Texts;
use crate::batch::{Column, ColumnRef, key};
use crate::host::mmap::touch;

/// See the module's text.
pub(super) struct WideKeys {
    index: Tagged,
    /// By slot; [`Wide::NONE`]: the key is one of `long`.
    keys: Vec<Wide>,
    long: Texts,
    seeds: [u64; 2],
    scratch: Vec<Wide>,
    hashes: Vec<u64>,
    /// Which rows of a batch have a long key.
    apart: Vec<u32>,
}

impl WideKeys {
    /// `seeds`: of the hash.
    pub(super) fn new(seeds: [u64; 2]) -> Self {
        Self {
            index: Tagged::default(),
            keys: Vec::new(),
            long: Texts::default(),
            seeds,
            scratch: Vec::new(),
            hashes: Vec::new(),
            apart: Vec::new(),
        }
    }

    /// See [`KeyTable::find_or_insert`](super::KeyTable::find_or_insert).
    pub(super) fn find_or_insert(
        &mut self,
        parts: &[Part],
        prefix: Option<&[u32]>,
        columns: &[&Column],
        rows: &[u32],
        free: &mut Slots,
        slots: &mut Vec<u32>,
    ) {
        let (mut keys, mut apart) = (std::mem::take(&mut self.scratch), std::mem::take(&mut self.apart));
        apart.clear();
        pack(parts, prefix, columns, rows, &mut keys, &mut apart);
        // Several texts of a key may be long.
        apart.sort_unstable();
        let mut from = 0;
        for &n in apart.iter().chain([&(rows.len() as u32)]) {
            let n = n as usize;
            if n < from {
                continue;
            }
            self.find_packed(&keys[from..n], free, slots);
            if n < rows.len() {
                slots.push(self.find_long(prefix.map(|p| p[n]), columns, rows[n], free));
            }
            from = n + 1;
        }
        (self.scratch, self.apart) = (keys, apart);
    }

    /// The slot of the key of a row; `None` where it has a long text.
    #[inline(always)]
    pub(super) fn row(
        &mut self,
        parts: &[Part],
        columns: &[&Column],
        row: usize,
        free: &mut Slots,
    ) -> Option<u32> {
        // Stays where it is packed: words just stored can be read as words at once, in pairs only a while later.
        let mut key = Wide::default();
        pack_row(&mut key, parts, columns, row)?;
        Some(self.one(&key, key.hash(&self.seeds), free))
    }

    fn find_packed(&mut self, keys: &[Wide], free: &mut Slots, slots: &mut Vec<u32>) {
        if keys.len() <= AHEAD || self.index.bytes() < FAR {
            slots.extend(keys.iter().map(|key| self.one(key, key.hash(&self.seeds), free)));
            return;
        }
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.clear();
        hashes.extend(keys.iter().map(|k| k.hash(&self.seeds)));
        hashes[..AHEAD].iter().for_each(|&h| self.index.expect(h));
        slots.extend(keys.iter().enumerate().map(|(n, key)| {
            if let Some(&h) = hashes.get(n + AHEAD) {
                self.index.expect(h);
            }
            self.one(key, hashes[n], free)
        }));
        self.hashes = hashes;
    }

    #[inline(always)]
    fn one(&mut self, key: &Wide, hash: u64, free: &mut Slots) -> u32 {
        let Self { index, keys, .. } = self;
        let mut new = false;
        let slot = index.find_or_insert(
            hash,
            |slot| keys[slot as usize] == *key,
            || {
                new = true;
                free.take()
            },
        );
        if new {
            self.set(slot, *key);
        }
        slot
    }

    fn find_long(&mut self, prefix: Option<u32>, columns: &[&Column], row: u32, free: &mut Slots) -> u32 {
        let mut bytes = std::mem::take(&mut self.long.scratch);
        bytes.clear();
        if let Some(p) = prefix {
            bytes.extend_from_slice(&p.to_le_bytes());
        }
        key::encode_key(columns, row as usize, &mut bytes);
        let slot = self.long.find_or_insert(&bytes, free);
        self.long.scratch = bytes;
        self.set(slot, Wide::NONE);
        slot
    }

    #[inline]
    fn set(&mut self, slot: u32, key: Wide) {
        if self.keys.len() == slot as usize {
            return self.keys.push(key);
        }
        if self.keys.len() < slot as usize {
            self.keys.resize(slot as usize + 1, Wide::NONE);
        }
        self.keys[slot as usize] = key;
    }

    fn hash_of(&self, slot: u32) -> Option<u64> {
        let key = self.keys[slot as usize];
        (key != Wide::NONE).then(|| key.hash(&self.seeds))
    }

    /// Takes the key of a slot out; slots are below `bound`.
    pub(super) fn remove(&mut self, slot: u32, bound: u32) {
        match self.hash_of(slot) {
            Some(hash) => self.index.remove(hash, slot),
            None => self.long.remove(slot, bound),
        }
    }

    /// Gives the key of a slot another one.
    pub(super) fn renew(&mut self, slot: u32, new: u32) {
        match self.hash_of(slot) {
            Some(hash) => self.index.replace(hash, slot, new),
            None => self.long.renew(slot, new),
        }
        self.set(new, self.keys[slot as usize]);
    }

    /// Appends the keys of `slots` to columns.
    pub(super) fn emit(&self, parts: &[Part], prefixed: bool, slots: &[u32], out: &mut [ColumnRef]) {
        let mut rest = slots;
        while !rest.is_empty() {
            let is_long = |s: &u32| self.keys[*s as usize] == Wide::NONE;
            let packed = rest.iter().position(is_long).unwrap_or(rest.len());
            unpack(parts, rest[..packed].iter().map(|&s| Some(&self.keys[s as usize])), out);
            rest = &rest[packed..];
            if let Some((&slot, more)) = rest.split_first() {
                let mut bytes = &self.long.get(slot)[if prefixed { 4 } else { 0 }..];
                out.iter_mut().for_each(|c| key::decode_value(&mut bytes, unshared(c)));
                rest = more;
            }
        }
    }

    /// The number before the columns of the key of a slot.
    pub(super) fn prefix(&self, slot: u32) -> u32 {
        match self.keys[slot as usize] {
            Wide::NONE => u32::from_le_bytes(*self.long.get(slot).first_chunk().expect("four bytes")),
            key => key.get(0) as u32,
        }
    }

    /// No keys, the memory kept.
    pub(super) fn clear(&mut self) {
        self.index.clear();
        self.keys.clear();
        self.long.clear();
    }

    /// Reads each page.
    pub(super) fn touch(&self) {
        self.index.touch();
        touch(&self.keys);
        self.long.touch();
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.index.bytes()
            + (self.keys.capacity() + self.scratch.capacity()) * size_of::<Wide>()
            + (self.hashes.capacity() + self.apart.capacity()) * 8
            + self.long.bytes()
    }
}

//! Keys of variable length: bytes in an arena that is compacted when half of it is dead.

use super::key_table::Slots;
use crate::host::mmap::touch;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::{BuildHasher, Hasher};

/// Keys of variable length.
#[derive(Default)]
pub(super) struct Texts {
    /// The low half of the hash, and the slot.
    index: HashTable<(u32, u32)>,
    arena: Vec<u8>,
    /// By slot: where the key stands in the arena.
    spans: Vec<(u64, u32)>,
    /// Bytes of the arena that belong to no key any more.
    dead: usize,
    hasher: DefaultHashBuilder,
    /// For whoever makes a key's bytes.
    pub(super) scratch: Vec<u8>,
}

impl Texts {
    /// The key of a slot.
    pub(super) fn get(&self, slot: u32) -> &[u8] {
        text(&self.arena, &self.spans, slot)
    }

    /// The slot of a key; a new one gets one.
    #[inline]
    pub(super) fn find_or_insert(&mut self, bytes: &[u8], free: &mut Slots) -> u32 {
        let hash = hash(&self.hasher, bytes);
        let (arena, spans) = (&self.arena, &self.spans);
        match self.index.find(hash, |e| e.0 == hash as u32 && text(arena, spans, e.1) == bytes) {
            Some(e) => e.1,
            None => self.insert(bytes, hash, free),
        }
    }

    #[cold]
    #[inline(never)]
    fn insert(&mut self, bytes: &[u8], full: u64, free: &mut Slots) -> u32 {
        let slot = free.take();
        let span = (self.arena.len() as u64, bytes.len() as u32);
        self.arena.extend_from_slice(bytes);
        self.set(slot, span);
        let Self { index, arena, spans, hasher, .. } = self;
        index.insert_unique(full, (full as u32, slot), |e| hash(hasher, text(arena, spans, e.1)));
        slot
    }

    fn set(&mut self, slot: u32, span: (u64, u32)) {
        if self.spans.len() <= slot as usize {
            self.spans.resize(slot as usize + 1, (0, 0));
        }
        self.spans[slot as usize] = span;
    }

    /// Takes the key of a slot out; slots are below `bound`.
    pub(super) fn remove(&mut self, slot: u32, bound: u32) {
        let full = hash(&self.hasher, self.get(slot));
        if let Ok(e) = self.index.find_entry(full, |e| e.1 == slot) {
            e.remove();
        }
        self.dead += std::mem::take(&mut self.spans[slot as usize].1) as usize;
        if self.dead > 1 << 16 && self.dead * 2 > self.arena.len() {
            self.compact(bound);
        }
    }

    /// Copies what is alive into a new arena.
    fn compact(&mut self, bound: u32) {
        let mut arena = Vec::with_capacity((self.arena.len() - self.dead) * 3 / 2);
        for slot in 0..bound.min(self.spans.len() as u32) {
            let start = arena.len() as u64;
            arena.extend_from_slice(text(&self.arena, &self.spans, slot));
            self.spans[slot as usize].0 = start;
        }
        self.arena = arena;
        self.dead = 0;
    }

    /// Gives the key of a slot another one.
    pub(super) fn renew(&mut self, slot: u32, new: u32) {
        let full = hash(&self.hasher, self.get(slot));
        if let Some(e) = self.index.find_mut(full, |e| e.1 == slot) {
            e.1 = new;
        }
        self.set(new, self.spans[slot as usize]);
        self.spans[slot as usize].1 = 0;
    }

    /// No keys, the memory kept.
    pub(super) fn clear(&mut self) {
        self.index.clear();
        self.arena.clear();
        self.spans.clear();
        self.dead = 0;
    }

    /// Reads each page.
    pub(super) fn touch(&self) {
        for entry in &self.index {
            std::hint::black_box(*entry);
        }
        touch(&self.arena);
        touch(&self.spans);
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.index.allocation_size()
            + self.arena.capacity()
            + self.spans.capacity() * size_of::<(u64, u32)>()
            + self.scratch.capacity()
    }
}

#[inline]
fn text<'a>(arena: &'a [u8], spans: &[(u64, u32)], slot: u32) -> &'a [u8] {
    let (start, len) = spans[slot as usize];
    &arena[start as usize..start as usize + len as usize]
}

#[inline]
fn hash(hasher: &DefaultHashBuilder, bytes: &[u8]) -> u64 {
    let mut h = hasher.build_hasher();
    h.write(bytes);
    h.finish()
}

//! The keys of count windows: how many rows each has had, and the slots of what its next windows are made of: rows for windows that are
//! given whole, accumulators for those that are aggregated.

use super::aggregates::with_columns;
use super::expiry::Expiry;
use crate::batch::{Batch, Decoder, Encoder};
use crate::error::{Error, Result};
use crate::plan::{CountWindow, Node};
use crate::state::KeyTable;
use std::collections::VecDeque;

/// See the module's text.
pub(super) struct CountKeys {
    /// Places of the key's columns in the input.
    columns: Vec<usize>,
    table: KeyTable,
    /// By slot of the table.
    keys: Vec<Key>,
    /// Keys end by themselves.
    expiry: Option<Expiry>,
}

/// A key's rows so far, and its slots, the first to be let go first.
#[derive(Default)]
pub(super) struct Key {
    pub(super) rows: u64,
    pub(super) slots: VecDeque<u32>,
}

impl CountKeys {
    pub(super) fn new(window: &CountWindow, input: &Node) -> Self {
        let types = window.keys.iter().map(|&k| input.schema.ty(k).clone()).collect();
        Self {
            columns: window.keys.clone(),
            table: KeyTable::new(types, false),
            keys: Vec::new(),
            expiry: None,
        }
    }

    pub(super) fn set_ttl(&mut self, ttl_ms: i64) {
        self.expiry = Some(Expiry::new(ttl_ms));
    }

    /// Writes the selected rows of a batch to `rows` and the key of each to `found`; new ones have had no row.
    pub(super) fn find(&mut self, batch: &Batch, rows: &mut Vec<u32>, found: &mut Vec<u32>, now_ms: i64) {
        rows.clear();
        found.clear();
        batch.sel().list(rows);
        if rows.is_empty() {
            return;
        }
        with_columns(&self.columns, batch, |columns| {
            self.table.find_or_insert(None, columns, rows, found);
        });
        self.keys.resize_with(self.table.bound(), Key::default);
        if let Some(expiry) = &mut self.expiry {
            found.iter().for_each(|&key| expiry.touch(key, now_ms));
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, key: u32) -> &mut Key {
        &mut self.keys[key as usize]
    }

    /// Forgets the next key that has lived out its time; its slots are the caller's.
    pub(super) fn expire(&mut self, now_ms: i64) -> Option<VecDeque<u32>> {
        let key = self.expiry.as_mut()?.next(now_ms)?;
        self.table.remove(key);
        Some(std::mem::take(&mut self.keys[key as usize]).slots)
    }

    /// Writes the keys; their slots, key after key, are what the caller writes next.
    pub(super) fn encode(&self, to: &mut Encoder) -> Vec<u32> {
        let order = self.table.order();
        self.table.encode(&order, to);
        let keys = || order.iter().map(|&k| &self.keys[k as usize]);
        to.slice(&keys().map(|k| k.rows).collect::<Vec<_>>());
        to.slice(&keys().map(|k| k.slots.len() as u64).collect::<Vec<_>>());
        if let Some(expiry) = &self.expiry {
            expiry.encode(&order, to);
        }
        keys().flat_map(|k| k.slots.iter().copied()).collect()
    }

    /// Reads the keys, whose slots count up from 0; gives how many those are. `slots_after`: how many a key has after so many rows.
    pub(super) fn decode(
        &mut self,
        from: &mut Decoder<'_>,
        slots_after: impl Fn(u64) -> Option<u64>,
    ) -> Result<u32> {
        let damaged = || Error::corrupt("the rows of count windows do not fit their keys");
        let keys = self.table.decode(None, from)?;
        let (rows, slots): (Vec<u64>, Vec<u64>) = (from.slice()?, from.slice()?);
        if rows.len() != keys || slots.len() != keys {
            return Err(damaged());
        }
        let mut next = 0u32;
        for (rows, slots) in rows.into_iter().zip(slots) {
            let end = u32::try_from(slots).ok().and_then(|n| next.checked_add(n)).ok_or_else(damaged)?;
            if slots_after(rows) != Some(slots) {
                return Err(damaged());
            }
            self.keys.push(Key { rows, slots: (next..end).collect() });
            next = end;
        }
        if let Some(expiry) = &mut self.expiry {
            expiry.decode(keys, from)?;
        }
        Ok(next)
    }

    /// Bytes reserved, where the keys have so many slots together: asked often, so that they are not counted here.
    pub(super) fn bytes(&self, slots: usize) -> usize {
        self.table.bytes()
            + self.expiry.as_ref().map_or(0, Expiry::bytes)
            + self.keys.capacity() * size_of::<Key>()
            + slots * size_of::<u32>()
    }
}

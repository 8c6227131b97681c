//! The state of a match as bytes.
//!
//! ```text
//!   "MTCH" 1 │ watermark │ keys │ rows, nodes │ per key: next number, end of WITHIN │ per queue: lengths, entries │ waiting rows │ timers
//! ```
//!
//! Queues are written in their arrangement. Rows and nodes are counted anew when they are read: whatever nobody holds is damage.

use super::paths::{NONE, Places};
use super::queue::{NOT_BEGUN, Partial, Queue};
use super::{Key, Match, SameTime};
use crate::batch::{Decoder, Encoder};
use crate::error::{Error, Result};

impl Match {
    pub(super) fn encode(&self, to: &mut Encoder) {
        to.block(b"MTCH", 1);
        to.i64(self.watermark);
        let order = self.table.order();
        self.table.encode(&order, to);
        let places = self.paths.encode(to);
        let keys = || order.iter().map(|&s| &self.keys[s as usize]);
        to.slice(&keys().map(|k| k.next).collect::<Vec<u64>>());
        to.slice(&keys().map(|k| k.ends).collect::<Vec<i64>>());
        encode_queues(keys().map(|k| &k.partial), &places, to);
        encode_queues(keys().map(|k| &k.complete), &places, to);
        let (mut slots, mut times, mut rows) = (vec![], vec![], vec![]);
        for (n, key) in keys().enumerate() {
            for instant in &key.waiting {
                for &row in [instant.first].iter().chain(&instant.more) {
                    slots.push(n as u32);
                    times.push(instant.time);
                    rows.push(places.rows[row as usize]);
                }
            }
        }
        to.slice(&slots);
        to.slice(&times);
        to.slice(&rows);
        let mut position = vec![0; self.table.bound()];
        order.iter().enumerate().for_each(|(n, &s)| position[s as usize] = n as u32);
        let mut timers: Vec<(i64, u64, u32)> = self.timers.iter().map(|t| t.0).collect();
        timers.sort_unstable();
        to.slice(&timers.iter().map(|t| t.0).collect::<Vec<i64>>());
        to.slice(&timers.iter().map(|t| position[t.2 as usize]).collect::<Vec<u32>>());
    }

    pub(super) fn decode(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"MTCH", 1)?;
        self.watermark = from.i64()?;
        let keys = self.table.decode(None, from)?;
        self.paths.decode(self.names.len(), from)?;
        let (next, ends): (Vec<u64>, Vec<i64>) = (from.slice()?, from.slice()?);
        if [next.len(), ends.len()] != [keys; 2] {
            return Err(damaged());
        }
        let partial = self.decode_queues(keys, from)?;
        let complete = self.decode_queues(keys, from)?;
        let one_begins = |q: &Queue| q.entries().iter().filter(|p| p.node == NONE).count() == 1;
        if !partial.iter().all(one_begins) || complete.iter().flat_map(Queue::entries).any(|p| p.node == NONE)
        {
            return Err(damaged());
        }
        for (((partial, complete), next), ends) in partial.into_iter().zip(complete).zip(next).zip(ends) {
            self.keys.push(Key { partial, complete, next, ends, ..Key::default() });
        }
        let (slots, times): (Vec<u32>, Vec<i64>) = (from.slice()?, from.slice()?);
        let rows: Vec<u32> = from.slice()?;
        let (due, woken): (Vec<i64>, Vec<u32>) = (from.slice()?, from.slice()?);
        let sound = slots.len() == times.len()
            && slots.len() == rows.len()
            && due.len() == woken.len()
            && slots.iter().chain(&woken).all(|&s| (s as usize) < keys)
            && rows.iter().all(|&r| self.paths.has_row(r));
        if !sound {
            return Err(damaged());
        }
        for ((slot, time), row) in slots.into_iter().zip(times).zip(rows) {
            self.paths.hold_row(row);
            let waiting = &mut self.keys[slot as usize].waiting;
            match waiting.back_mut() {
                Some(last) if last.time > time => return Err(damaged()),
                Some(last) if last.time == time => last.more.push(row),
                _ => waiting.push_back(SameTime { time, first: row, more: vec![] }),
            }
        }
        due.into_iter().zip(woken).for_each(|(time, slot)| self.set_timer(slot, time));
        if self.paths.is_whole() { Ok(()) } else { Err(damaged()) }
    }

    fn decode_queues(&mut self, keys: usize, from: &mut Decoder<'_>) -> Result<Vec<Queue>> {
        let lengths: Vec<u32> = from.slice()?;
        let (first, since): (Vec<u64>, Vec<i64>) = (from.slice()?, from.slice()?);
        let (state, node): (Vec<u32>, Vec<u32>) = (from.slice()?, from.slice()?);
        let entries = first.len();
        let all: u64 = lengths.iter().map(|&n| u64::from(n)).sum();
        let sound = lengths.len() == keys
            && all == entries as u64
            && [since.len(), state.len(), node.len()] == [entries; 3]
            && state.iter().all(|&s| (s as usize) < self.nfa.states.len())
            && node.iter().zip(&first).all(|(&n, &f)| (n == NONE) == (f == NOT_BEGUN))
            && node.iter().all(|&n| n == NONE || self.paths.has_node(n));
        if !sound {
            return Err(damaged());
        }
        let mut queues = Vec::with_capacity(keys);
        let mut at = 0;
        for n in lengths {
            let to = at + n as usize;
            let entry =
                |i: usize| Partial { first: first[i], since: since[i], state: state[i], node: node[i] };
            queues.push(Queue::arranged((at..to).map(entry).collect()));
            at = to;
        }
        node.into_iter().filter(|&n| n != NONE).for_each(|n| self.paths.hold(n));
        Ok(queues)
    }
}

fn encode_queues<'q>(queues: impl Iterator<Item = &'q Queue> + Clone, places: &Places, to: &mut Encoder) {
    let entries = || queues.clone().flat_map(Queue::entries);
    to.slice(&queues.clone().map(|q| q.entries().len() as u32).collect::<Vec<u32>>());
    to.slice(&entries().map(|p| p.first).collect::<Vec<u64>>());
    to.slice(&entries().map(|p| p.since).collect::<Vec<i64>>());
    to.slice(&entries().map(|p| p.state).collect::<Vec<u32>>());
    let place = |p: &Partial| if p.node == NONE { NONE } else { places.nodes[p.node as usize] };
    to.slice(&entries().map(place).collect::<Vec<u32>>());
}

fn damaged() -> Error {
    Error::corrupt("the partial matches of MATCH_RECOGNIZE do not fit their rows and keys")
}

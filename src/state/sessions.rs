//! The open sessions of each key: stretches of time in which no gap between its rows is longer than allowed. Rows that fall between two
//! sessions merge them.
//!
//! A session has a **slot**; what it holds is a column indexed by slot, kept by whoever owns the sessions. The sessions of a key are
//! linked by ascending start; they neither overlap nor touch, so a row meets at most two of them. A session closes when the watermark
//! reaches what it is due at, which its end says. Sessions close by that time, and those of one time by birth: a merged session is as old
//! as the older of the two.
//!
//! The queue of dues holds an entry a session that may be too early (the session has grown since): it is put right when it comes up, so
//! that growing costs nothing, not even the question when the session is due now. An entry of a session that is no more is told by its
//! birth. Mostly a key has one session, and a row lies in it: rows are [placed](Sessions::place_usual) as long as they are like that in a
//! loop with nothing else in it.

use crate::batch::{Decoder, Encoder};
use crate::error::{Error, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// Not a slot.
const NONE: u32 = u32::MAX;
/// The birth of a slot that is free.
const UNBORN: u64 = u64::MAX;

/// A session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The key's slot.
    pub key: u32,
    /// Its first instant, µs.
    pub start: i64,
    /// One past its last instant: a gap behind its last row.
    pub end: i64,
    born: u64,
    /// The next session of the key.
    next: u32,
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: its session would be closed already.
    Late,
    /// Into that session.
    In(u32),
    /// Into the first, into which the second, a younger one, is to be merged; that one's slot is then to be [freed](Sessions::free).
    Merged(u32, u32),
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Sessions {
    /// By key's slot: its first session.
    first: Vec<u32>,
    sessions: Vec<Session>,
    free: Vec<u32>,
    /// (due, birth, slot)
    queue: BinaryHeap<Reverse<(i64, u64, u32)>>,
    births: u64,
}

impl Sessions {
    /// Finds the sessions of rows that lie in the only session of their key, or in the gap behind it, up to the first row that does
    /// not: their keys in `rows` become their sessions' slots. Gives their number; `own` is the session that row `n` alone would make.
    #[inline(always)]
    pub fn place_usual(&mut self, rows: &mut [u32], mut own: impl FnMut(usize) -> (i64, i64)) -> usize {
        let (first, sessions) = (&self.first[..], &mut self.sessions[..]);
        for (n, row) in rows.iter_mut().enumerate() {
            let Some(&slot) = first.get(*row as usize) else { return n };
            // No session has the number NONE.
            let Some(s) = sessions.get_mut(slot as usize) else { return n };
            let (start, end) = own(n);
            if s.next != NONE || start < s.start || start > s.end {
                return n;
            }
            s.end = s.end.max(end);
            *row = slot;
        }
        rows.len()
    }

    /// Finds the session of a row of `key` that alone would make the session from `start` to `end`; `due` says when a session that ends
    /// then is due.
    #[inline]
    pub fn place(
        &mut self,
        key: u32,
        (start, end): (i64, i64),
        watermark: i64,
        due: impl Fn(i64) -> i64,
    ) -> Place {
        if self.first.len() <= key as usize {
            self.first.resize(key as usize + 1, NONE);
        }
        // The last session that starts before this one, and the one after it.
        let (mut before, mut at) = (NONE, self.first[key as usize]);
        while at != NONE && self.sessions[at as usize].end < start {
            before = at;
            at = self.sessions[at as usize].next;
        }
        if at == NONE || self.sessions[at as usize].start > end {
            let due = due(end);
            if due <= watermark {
                return Place::Late;
            }
            let session = Session { key, start, end, born: self.births, next: at };
            self.births += 1;
            let slot = self.take(session, due);
            *self.link(key, before) = slot;
            return Place::In(slot);
        }
        let (mut into, mut merged) = (at, None);
        let first = &mut self.sessions[at as usize];
        let (start, next) = (start.min(first.start), first.next);
        let mut end = end.max(first.end);
        if next != NONE && self.sessions[next as usize].start <= end {
            let (one, other) = (self.sessions[at as usize], self.sessions[next as usize]);
            end = end.max(other.end);
            let from = if other.born < one.born { at } else { next };
            into = at + next - from;
            self.sessions[into as usize].next = other.next;
            *self.link(key, before) = into;
            self.sessions[from as usize].born = UNBORN;
            merged = Some(from);
        }
        let s = &mut self.sessions[into as usize];
        (s.start, s.end) = (start, end);
        merged.map_or(Place::In(into), |from| Place::Merged(into, from))
    }

    /// Gives a session, which is due then, a slot.
    fn take(&mut self, session: Session, due: i64) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.sessions[slot as usize] = session;
                slot
            }
            None => {
                self.sessions.push(session);
                (self.sessions.len() - 1) as u32
            }
        };
        self.queue.push(Reverse((due, session.born, slot)));
        slot
    }

    /// Where the number of the session behind `before` stands, or of the key's first.
    fn link(&mut self, key: u32, before: u32) -> &mut u32 {
        match before {
            NONE => &mut self.first[key as usize],
            _ => &mut self.sessions[before as usize].next,
        }
    }

    /// A watermark before which no session closes.
    pub fn next_due(&self) -> i64 {
        self.queue.peek().map_or(i64::MAX, |e| e.0.0)
    }

    /// Closes the next session that is due at that watermark; `due` says when a session that ends then is. Its slot is to be
    /// [freed](Sessions::free).
    pub fn close(&mut self, watermark: i64, due: impl Fn(i64) -> i64) -> Option<u32> {
        loop {
            let mut next = self.queue.peek_mut().filter(|e| e.0.0 <= watermark)?;
            let Reverse((noted, born, slot)) = *next;
            let s = self.sessions[slot as usize];
            if s.born != born {
                PeekMut::pop(next);
                continue;
            }
            let due = due(s.end);
            if due > noted {
                *next = Reverse((due, born, slot));
                continue;
            }
            PeekMut::pop(next);
            // Earlier sessions of the key are due no later, but may be younger.
            let (mut before, mut at) = (NONE, self.first[s.key as usize]);
            while at != slot {
                before = at;
                at = self.sessions[at as usize].next;
            }
            *self.link(s.key, before) = s.next;
            self.sessions[slot as usize].born = UNBORN;
            return Some(slot);
        }
    }

    /// The session in that slot; also a closed one, until its slot is freed.
    pub fn get(&self, slot: u32) -> &Session {
        &self.sessions[slot as usize]
    }

    /// The slot may be used again.
    pub fn free(&mut self, slot: u32) {
        debug_assert_eq!(self.sessions[slot as usize].born, UNBORN, "closed or merged");
        self.free.push(slot);
    }

    /// The key has an open session.
    pub fn has(&self, key: u32) -> bool {
        self.first.get(key as usize).is_some_and(|&f| f != NONE)
    }

    /// Slots are below this.
    pub fn bound(&self) -> usize {
        self.sessions.len()
    }

    /// Bytes reserved.
    pub fn bytes(&self) -> usize {
        (self.first.capacity() + self.free.capacity()) * 4
            + self.sessions.capacity() * size_of::<Session>()
            + self.queue.capacity() * size_of::<(i64, u64, u32)>()
    }

    /// The open sessions of each of `keys`: slots, by start.
    pub fn of<'s>(&'s self, keys: &'s [u32]) -> impl Iterator<Item = u32> + 's {
        keys.iter().flat_map(move |&k| {
            let some = |s: u32| (s != NONE).then_some(s);
            let first = self.first.get(k as usize).copied().and_then(some);
            std::iter::successors(first, move |&s| some(self.sessions[s as usize].next))
        })
    }

    /// Writes the open sessions of `keys`, which are all that have any. Restored, they have the slots `0..n` in the order of
    /// [`Sessions::of`], and the keys the slots `0..keys.len()`. `due` says when a session that ends then is due.
    pub fn encode(&self, keys: &[u32], due: impl Fn(i64) -> i64, to: &mut Encoder) {
        to.block(b"SESS", 1);
        to.u64(self.births);
        to.len(keys.len());
        for k in keys {
            let own = std::slice::from_ref(k);
            to.len(self.of(own).count());
            for s in self.of(own).map(|s| self.get(s)) {
                to.i64(s.start);
                to.i64(s.end);
                to.i64(due(s.end));
                to.u64(s.born);
            }
        }
    }

    /// Reads what [`Sessions::encode`] wrote into new sessions; gives their number.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn decode(&mut self, from: &mut Decoder<'_>) -> Result<usize> {
        from.block(b"SESS", 1)?;
        self.births = from.u64()?;
        let keys = from.len(8)?;
        for key in 0..keys as u32 {
            let mut before = NONE;
            self.first.push(NONE);
            for _ in 0..from.len(32)? {
                let (start, end, due) = (from.i64()?, from.i64()?, from.i64()?);
                let born = from.u64()?;
                if born >= self.births {
                    return Err(Error::corrupt("a session is younger than the youngest"));
                }
                let slot = self.take(Session { key, start, end, born, next: NONE }, due);
                *self.link(key, before) = slot;
                before = slot;
            }
        }
        Ok(self.sessions.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Row(u32, i64),
        Watermark(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let row = (0..3u32, 0..80i64).prop_map(|(k, t)| Step::Row(k, t));
        let mark = (0..90i64).prop_map(Step::Watermark);
        prop::collection::vec(prop_oneof![5 => row, 1 => mark], 0..80)
    }

    /// Times of rows by session, kept as sorted lists of their rows' times.
    #[derive(Clone, Debug, PartialEq)]
    struct Naive {
        key: u32,
        times: Vec<i64>,
        born: u64,
    }

    proptest! {
        #[test]
        fn sessions_are_rows_without_a_gap_between(steps in steps(), gap in 1..9i64, cut in 0..80usize) {
            let mut sessions = Sessions::default();
            // What a slot holds: the times of its rows.
            let mut held: Vec<Vec<i64>> = vec![];
            let mut naive: Vec<Naive> = vec![];
            let (mut watermark, mut births) = (i64::MIN, 0);
            let due = |end: i64| end - 1;
            for (n, step) in steps.iter().enumerate() {
                if n == cut {
                    let keys = [0, 1, 2];
                    let mut to = Encoder::default();
                    sessions.encode(&keys, due, &mut to);
                    held = sessions.of(&keys).map(|s| held[s as usize].clone()).collect();
                    let bytes = to.finish();
                    let mut from = Decoder::new(&bytes);
                    sessions = Sessions::default();
                    prop_assert_eq!(sessions.decode(&mut from).unwrap(), held.len());
                    from.end().unwrap();
                }
                match *step {
                    Step::Row(key, t) => {
                        let mut row = [key];
                        let place = match sessions.place_usual(&mut row, |_| (t, t + gap)) {
                            0 => sessions.place(key, (t, t + gap), watermark, due),
                            _ => Place::In(row[0]),
                        };
                        // The naive way: all sessions of the key that the row touches become one.
                        let touches = |s: &Naive| s.key == key && s.times[0] <= t + gap && s.times[s.times.len() - 1] + gap >= t;
                        let (mut own, rest): (Vec<_>, Vec<_>) = naive.iter().cloned().partition(touches);
                        if own.is_empty() && t + gap - 1 <= watermark {
                            prop_assert_eq!(place, Place::Late);
                            continue;
                        }
                        own.sort_by_key(|s| s.times[0]);
                        let mut all = Naive { key, times: vec![t], born: births };
                        births += u64::from(own.is_empty());
                        for s in own {
                            all.times.extend(s.times);
                            all.born = all.born.min(s.born);
                        }
                        all.times.sort_unstable();
                        naive = rest;
                        naive.push(all.clone());
                        let slot = match place {
                            Place::Late => panic!("not late"),
                            Place::In(s) => s,
                            Place::Merged(s, other) => {
                                let more = std::mem::take(&mut held[other as usize]);
                                held[s as usize].extend(more);
                                sessions.free(other);
                                s
                            }
                        };
                        held.resize(sessions.bound().max(held.len()), vec![]);
                        held[slot as usize].push(t);
                        held[slot as usize].sort_unstable();
                        prop_assert_eq!(&held[slot as usize], &all.times);
                        let s = sessions.get(slot);
                        prop_assert_eq!((s.start, s.end), (all.times[0], all.times[all.times.len() - 1] + gap));
                    }
                    Step::Watermark(w) => {
                        watermark = watermark.max(w);
                        let due_of = |s: &Naive| due(s.times[s.times.len() - 1] + gap);
                        let (mut closed, open): (Vec<_>, Vec<_>) = naive.iter().cloned().partition(|s| due_of(s) <= watermark);
                        naive = open;
                        closed.sort_by_key(|s| (due_of(s), s.born));
                        for want in closed {
                            let slot = sessions.close(watermark, due).expect("one is due");
                            let got = std::mem::take(&mut held[slot as usize]);
                            prop_assert_eq!((sessions.get(slot).key, got), (want.key, want.times));
                            sessions.free(slot);
                        }
                        prop_assert_eq!(sessions.close(watermark, due), None);
                        prop_assert!(sessions.next_due() > watermark);
                    }
                }
            }
            let open: Vec<bool> = (0..3).map(|k| naive.iter().any(|s| s.key == k)).collect();
            prop_assert_eq!((0..3).map(|k| sessions.has(k)).collect::<Vec<_>>(), open);
        }
    }
}

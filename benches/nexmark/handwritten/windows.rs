//! Windows over event time, rows up to four seconds out of order, closed by the watermark behind them, and over processing time.

use super::{ByHand, Out, Rows, Value};
use crate::engine::clock::now_us;
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const SIZE_US: i64 = 10_000_000;
const SLIDE_US: i64 = 2_000_000;
const DELAY_US: i64 = 4_000_000;
/// A window is complete when the watermark is at its last millisecond.
const LAST_US: i64 = 1_000;

/// Open windows by start, µs, oldest first: there are one or two of ten seconds, six of two.
struct Open<T> {
    windows: Vec<(i64, T)>,
    spare: Vec<T>,
    watermark: i64,
}

impl<T> Default for Open<T> {
    fn default() -> Self {
        Open { windows: vec![], spare: vec![], watermark: i64::MIN }
    }
}

impl<T: Default> Open<T> {
    /// What the window that begins at `start` has; none where it is complete, `size` after its start.
    fn at(&mut self, start: i64, size: i64) -> Option<&mut T> {
        if start + size - LAST_US <= self.watermark {
            return None;
        }
        let at = match self.windows.iter().rposition(|w| w.0 == start) {
            Some(at) => at,
            None => {
                let at = self.windows.partition_point(|w| w.0 < start);
                self.windows.insert(at, (start, self.spare.pop().unwrap_or_default()));
                at
            }
        };
        Some(&mut self.windows[at].1)
    }

    /// The watermark follows an event; true where it has moved.
    fn follow(&mut self, time: i64) -> bool {
        let moves = time - DELAY_US > self.watermark;
        if moves {
            self.watermark = time - DELAY_US;
        }
        moves
    }

    /// The oldest window, if it is complete.
    fn complete(&mut self) -> Option<(i64, T)> {
        let first = self.windows.first()?.0;
        (first + SIZE_US - LAST_US <= self.watermark).then(|| self.windows.remove(0))
    }
}

fn start_of(time: i64) -> i64 {
    time - time.rem_euclid(SIZE_US)
}

/// Bids per auction and ten seconds.
#[derive(Default)]
pub(super) struct Tumble(Open<HashMap<i64, i64>>);

impl Tumble {
    fn close(&mut self, out: &mut Out<'_>) {
        while let Some((start, mut counts)) = self.0.complete() {
            for (auction, n) in counts.drain() {
                out.ints[0].push(auction);
                out.ints[1].push(n);
                out.ints[2].push(start);
            }
            self.0.spare.push(counts);
        }
    }
}

impl<'a> ByHand<'a> for Tumble {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for (&time, &auction) in r.time.iter().zip(r.auction) {
            if let Some(counts) = self.0.at(start_of(time), SIZE_US) {
                *counts.entry(auction).or_insert(0) += 1;
            }
            if self.0.follow(time) {
                self.close(out);
            }
        }
    }
    fn finish(&mut self, out: &mut Out<'a>) {
        self.0.watermark = i64::MAX;
        self.close(out);
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.ints[0].len()
    }
    fn values(&self, _r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.extend((0..3).map(|c| Value::Int(out.ints[c][k])));
    }
}

/// Who sold in each ten seconds.
#[derive(Default)]
pub(super) struct Sellers(Open<HashSet<i64>>);

impl Sellers {
    fn close(&mut self, out: &mut Out<'_>) {
        while let Some((start, mut sellers)) = self.0.complete() {
            for seller in sellers.drain() {
                out.ints[0].push(seller);
                out.ints[1].push(start);
            }
            self.0.spare.push(sellers);
        }
    }
}

impl<'a> ByHand<'a> for Sellers {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for (&time, &seller) in r.time.iter().zip(r.seller) {
            if let Some(sellers) = self.0.at(start_of(time), SIZE_US) {
                sellers.insert(seller);
            }
            if self.0.follow(time) {
                self.close(out);
            }
        }
    }
    fn finish(&mut self, out: &mut Out<'a>) {
        self.0.watermark = i64::MAX;
        self.close(out);
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.ints[0].len()
    }
    fn values(&self, _r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.extend((0..2).map(|c| Value::Int(out.ints[c][k])));
    }
}

/// Who came in each ten seconds.
#[derive(Default)]
pub(super) struct Newcomers<'a>(Open<HashSet<(i64, &'a [u8])>>);

impl<'a> Newcomers<'a> {
    fn close(&mut self, out: &mut Out<'a>) {
        while let Some((start, mut people)) = self.0.complete() {
            for (id, name) in people.drain() {
                out.ints[0].push(id);
                out.texts[0].push(Some(name));
                out.ints[1].push(start);
            }
            self.0.spare.push(people);
        }
    }
}

impl<'a> ByHand<'a> for Newcomers<'a> {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for (k, (&time, &id)) in r.time.iter().zip(r.id).enumerate() {
            if let Some(people) = self.0.at(start_of(time), SIZE_US) {
                people.insert((id, r.name.get(k)));
            }
            if self.0.follow(time) {
                self.close(out);
            }
        }
    }
    fn finish(&mut self, out: &mut Out<'a>) {
        self.0.watermark = i64::MAX;
        self.close(out);
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.ints[0].len()
    }
    fn values(&self, _r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.push(Value::Int(out.ints[0][k]));
        to.push(out.texts[0][k].map_or(Value::Null, Value::Text));
        to.push(Value::Int(out.ints[1][k]));
    }
}

/// Bids per auction in the last ten seconds, every two: counts of two seconds, of which five are a window.
pub(super) struct Hop {
    slices: Open<HashMap<i64, i64>>,
    /// Where the last window ended that has been given.
    given: i64,
    window: HashMap<i64, i64>,
}

impl Default for Hop {
    fn default() -> Self {
        Hop { slices: Open::default(), given: i64::MIN + SIZE_US, window: HashMap::new() }
    }
}

impl Hop {
    fn close(&mut self, out: &mut Out<'_>) {
        while let Some(&(first, _)) = self.slices.windows.first() {
            let end = (first + SLIDE_US).max(self.given + SLIDE_US);
            if end - LAST_US > self.slices.watermark {
                return;
            }
            for (_, counts) in self.slices.windows.iter().take_while(|s| s.0 < end) {
                counts.iter().for_each(|(&auction, &n)| *self.window.entry(auction).or_insert(0) += n);
            }
            for (auction, n) in self.window.drain() {
                out.ints[0].push(auction);
                out.ints[1].push(n);
                out.ints[2].push(end - SIZE_US);
                out.ints[3].push(end);
            }
            self.given = end;
            if first + SIZE_US <= end {
                let (_, mut counts) = self.slices.windows.remove(0);
                counts.clear();
                self.slices.spare.push(counts);
            }
        }
    }
}

impl<'a> ByHand<'a> for Hop {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for (&time, &auction) in r.time.iter().zip(r.auction) {
            let start = time - time.rem_euclid(SLIDE_US);
            if let Some(counts) = self.slices.at(start, SIZE_US) {
                *counts.entry(auction).or_insert(0) += 1;
            }
            if self.slices.follow(time) {
                self.close(out);
            }
        }
    }
    fn finish(&mut self, out: &mut Out<'a>) {
        self.slices.watermark = i64::MAX;
        self.close(out);
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.ints[0].len()
    }
    fn values(&self, _r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.extend((0..4).map(|c| Value::Int(out.ints[c][k])));
    }
}

#[derive(Clone, Copy)]
struct Session {
    start: i64,
    end: i64,
    bids: i64,
}

/// How often a bidder bids until ten seconds without a bid. Mostly one session of a bidder is open.
pub(super) struct Sessions {
    open: HashMap<i64, (Session, Vec<Session>)>,
    /// When to look at a bidder.
    ends: BinaryHeap<Reverse<(i64, i64)>>,
    watermark: i64,
}

impl Default for Sessions {
    fn default() -> Self {
        Sessions { open: HashMap::new(), ends: BinaryHeap::new(), watermark: i64::MIN }
    }
}

impl Sessions {
    fn take(&mut self, time: i64, bidder: i64) {
        let mut own = Session { start: time, end: time + SIZE_US, bids: 1 };
        if own.end - LAST_US <= self.watermark {
            return;
        }
        match self.open.entry(bidder) {
            Entry::Vacant(e) => {
                self.ends.push(Reverse((own.end, bidder)));
                e.insert((own, vec![]));
            }
            Entry::Occupied(mut e) => {
                let (first, more) = e.get_mut();
                let meets = |s: &Session| s.start <= own.end && own.start <= s.end;
                if more.is_empty() && meets(first) {
                    first.start = first.start.min(own.start);
                    first.end = first.end.max(own.end);
                    first.bids += 1;
                    return;
                }
                // One that lies between two joins them.
                more.push(*first);
                more.retain(|s| {
                    let joins = s.start <= own.end && own.start <= s.end;
                    if joins {
                        own.start = own.start.min(s.start);
                        own.end = own.end.max(s.end);
                        own.bids += s.bids;
                    }
                    !joins
                });
                *first = own;
                self.ends.push(Reverse((own.end, bidder)));
            }
        }
    }

    fn close(&mut self, out: &mut Out<'_>) {
        while let Some(&Reverse((end, bidder))) = self.ends.peek() {
            if end - LAST_US > self.watermark {
                return;
            }
            self.ends.pop();
            let Some((first, more)) = self.open.get_mut(&bidder) else { continue };
            more.push(*first);
            more.retain(|s| {
                let ends = s.end - LAST_US <= self.watermark;
                if ends {
                    for (to, v) in out.ints.iter_mut().zip([bidder, s.bids, s.start, s.end]) {
                        to.push(v);
                    }
                }
                !ends
            });
            match more.pop() {
                None => drop(self.open.remove(&bidder)),
                Some(last) => {
                    *first = last;
                    let next = more.iter().map(|s| s.end).fold(last.end, i64::min);
                    self.ends.push(Reverse((next, bidder)));
                }
            }
        }
    }
}

impl<'a> ByHand<'a> for Sessions {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        for (&time, &bidder) in r.time.iter().zip(r.bidder) {
            self.take(time, bidder);
            if time - DELAY_US > self.watermark {
                self.watermark = time - DELAY_US;
                self.close(out);
            }
        }
    }
    fn finish(&mut self, out: &mut Out<'a>) {
        self.watermark = i64::MAX;
        self.close(out);
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.ints[0].len()
    }
    fn values(&self, _r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.extend((0..4).map(|c| Value::Int(out.ints[c][k])));
    }
}

/// How often a bidder bids in ten seconds of processing time. The clock is asked when events come; the window that is open at the end is none.
#[derive(Default)]
pub(super) struct Now {
    bids: HashMap<i64, i64>,
    start: i64,
    taken: usize,
}

impl<'a> ByHand<'a> for Now {
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>) {
        let now = now_us(self.taken);
        self.taken += r.rows;
        if now >= self.start + SIZE_US {
            for (bidder, n) in self.bids.drain() {
                out.ints[0].push(bidder);
                out.ints[1].push(n);
                out.ints[2].push(self.start);
                out.ints[3].push(self.start + SIZE_US);
            }
            self.start = start_of(now);
        }
        r.bidder.iter().for_each(|&bidder| *self.bids.entry(bidder).or_insert(0) += 1);
    }
    fn rows(&self, _r: &Rows<'a>, out: &Out<'a>) -> usize {
        out.ints[0].len()
    }
    fn values(&self, _r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>) {
        to.extend((0..4).map(|c| Value::Int(out.ints[c][k])));
    }
}

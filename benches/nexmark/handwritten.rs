//! Nexmark's q0, q1, q2 and a keyed tumbling count as a person would write them in Rust for exactly these columns.
//!
//! They know the query: no expression, no plan, no selection vector, no row kinds. What is only passed on they leave where it is;
//! what is computed goes to vectors that are used again. What the engine costs beyond them is the price of generality.

use pelton::batch::{ColumnRef, View};
use std::hint::black_box;
use std::ops::Range;

/// Some bids: those columns that the query reads, the others empty.
#[derive(Default)]
pub(crate) struct Bids<'a> {
    pub(crate) auction: &'a [i64],
    pub(crate) bidder: &'a [i64],
    pub(crate) price: &'a [i64],
    /// µs since the epoch.
    pub(crate) time: &'a [i64],
    pub(crate) extra: &'a [View],
}

impl<'a> Bids<'a> {
    /// The rows `rows` of a block; `columns`: where auction, bidder, price, dateTime and extra stand.
    pub(crate) fn of(block: &'a [ColumnRef], columns: [Option<usize>; 5], rows: Range<usize>) -> Self {
        let int = |n: usize| columns[n].map_or(&[][..], |c| &block[c].slice::<i64>()[rows.clone()]);
        let extra = columns[4].map_or(&[][..], |c| &block[c].byte_column().views()[rows.clone()]);
        Bids { auction: int(0), bidder: int(1), price: int(2), time: int(3), extra }
    }
}

/// Output columns; each query uses some.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) auction: Vec<i64>,
    pub(crate) price: Vec<i64>,
    pub(crate) euros: Vec<i128>,
    pub(crate) time: Vec<i64>,
}

impl Out {
    fn clear(&mut self) {
        self.auction.clear();
        self.price.clear();
        self.euros.clear();
        self.time.clear();
    }
}

/// SELECT auction, bidder, price, dateTime, extra FROM bid: nothing is to be computed.
pub(crate) fn q0(b: &Bids<'_>, _out: &mut Out) -> usize {
    black_box((b.auction, b.bidder, b.price, b.time, b.extra)).0.len()
}

/// SELECT auction, bidder, 0.908 * price, dateTime, extra FROM bid: DECIMAL(23, 3), unscaled.
pub(crate) fn q1(b: &Bids<'_>, out: &mut Out) -> usize {
    out.clear();
    out.euros.extend(b.price.iter().map(|&p| 908 * i128::from(p)));
    black_box((b.auction, b.bidder, b.time, b.extra));
    out.euros.len()
}

/// SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0.
pub(crate) fn q2(b: &Bids<'_>, out: &mut Out) -> usize {
    out.clear();
    for (&auction, &price) in b.auction.iter().zip(b.price) {
        if auction % 123 == 0 {
            out.auction.push(auction);
            out.price.push(price);
        }
    }
    out.auction.len()
}

/// Bids per auction and ten seconds, closed by a watermark four seconds behind the largest time.
#[derive(Default)]
pub(crate) struct Tumble {
    /// Open windows by start, µs, oldest first: there are one or two.
    open: Vec<(i64, hashbrown::HashMap<i64, i64>)>,
    spare: Vec<hashbrown::HashMap<i64, i64>>,
    watermark: i64,
}

const SIZE_US: i64 = 10_000_000;
const DELAY_US: i64 = 4_000_000;

impl Tumble {
    pub(crate) fn push(&mut self, b: &Bids<'_>, out: &mut Out) -> usize {
        out.clear();
        for (&time, &auction) in b.time.iter().zip(b.auction) {
            let start = time - time.rem_euclid(SIZE_US);
            if start + SIZE_US > self.watermark {
                *self.window(start).entry(auction).or_insert(0) += 1;
            }
            if time - DELAY_US > self.watermark {
                self.watermark = time - DELAY_US;
                while self.open.first().is_some_and(|w| w.0 + SIZE_US - 1_000 <= self.watermark) {
                    self.close(out);
                }
            }
        }
        out.auction.len()
    }

    /// Closes what is open at the end of the input.
    pub(crate) fn finish(&mut self, out: &mut Out) -> usize {
        out.clear();
        while !self.open.is_empty() {
            self.close(out);
        }
        out.auction.len()
    }

    fn window(&mut self, start: i64) -> &mut hashbrown::HashMap<i64, i64> {
        let at = match self.open.iter().rposition(|w| w.0 == start) {
            Some(at) => at,
            None => {
                let at = self.open.partition_point(|w| w.0 < start);
                self.open.insert(at, (start, self.spare.pop().unwrap_or_default()));
                at
            }
        };
        &mut self.open[at].1
    }

    fn close(&mut self, out: &mut Out) {
        let (start, mut counts) = self.open.remove(0);
        for (auction, n) in counts.drain() {
            out.auction.push(auction);
            out.price.push(n);
            out.time.push(start);
        }
        self.spare.push(counts);
    }
}

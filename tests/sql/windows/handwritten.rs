//! Nexmark's q0, q1, q2 and a keyed tumbling count as a person would write them in Rust for exactly these columns.
//!
//! They read the columns that the replay source gives and write dense output columns into vectors that are used again. They
//! know the query: no expression, no plan, no selection vector, no row kinds. What the engine costs beyond them is the price
//! of generality.

use pelton::batch::{Batch, ColumnData, View};

/// The columns of the bids of a batch of events.
pub(crate) struct Bids<'a> {
    pub(crate) event_type: &'a [i32],
    pub(crate) auction: &'a [i64],
    pub(crate) bidder: &'a [i64],
    pub(crate) price: &'a [i64],
    /// µs since the epoch.
    pub(crate) time: &'a [i64],
    pub(crate) extra: &'a [View],
}

impl<'a> Bids<'a> {
    /// `fields`: the numbers of auction, bidder, price, dateTime and extra in the ROW of column `bid`.
    pub(crate) fn of(batch: &'a Batch, event_type: usize, bid: usize, fields: [usize; 5]) -> Self {
        let ColumnData::Row(children) = &batch.column(bid).data else { panic!("bid is a ROW") };
        let int = |n: usize| children[fields[n]].slice::<i64>();
        Bids {
            event_type: batch.column(event_type).slice::<i32>(),
            auction: int(0),
            bidder: int(1),
            price: int(2),
            time: int(3),
            extra: children[fields[4]].byte_column().views(),
        }
    }

    fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.event_type.len()).filter(|&i| self.event_type[i] == 2)
    }
}

/// Output columns of all four; each query uses some.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) auction: Vec<i64>,
    pub(crate) bidder: Vec<i64>,
    pub(crate) price: Vec<i64>,
    pub(crate) euros: Vec<i128>,
    pub(crate) time: Vec<i64>,
    pub(crate) extra: Vec<View>,
}

impl Out {
    fn clear(&mut self) {
        self.auction.clear();
        self.bidder.clear();
        self.price.clear();
        self.euros.clear();
        self.time.clear();
        self.extra.clear();
    }
}

/// SELECT auction, bidder, price, dateTime, extra FROM bid.
pub(crate) fn q0(b: &Bids<'_>, out: &mut Out) -> usize {
    out.clear();
    for i in b.rows() {
        out.auction.push(b.auction[i]);
        out.bidder.push(b.bidder[i]);
        out.price.push(b.price[i]);
        out.time.push(b.time[i]);
        out.extra.push(b.extra[i]);
    }
    out.auction.len()
}

/// SELECT auction, bidder, 0.908 * price, dateTime, extra FROM bid: DECIMAL(23, 3), unscaled.
pub(crate) fn q1(b: &Bids<'_>, out: &mut Out) -> usize {
    out.clear();
    for i in b.rows() {
        out.auction.push(b.auction[i]);
        out.bidder.push(b.bidder[i]);
        out.euros.push(908 * i128::from(b.price[i]));
        out.time.push(b.time[i]);
        out.extra.push(b.extra[i]);
    }
    out.auction.len()
}

/// SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0.
pub(crate) fn q2(b: &Bids<'_>, out: &mut Out) -> usize {
    out.clear();
    for i in b.rows() {
        if b.auction[i] % 123 == 0 {
            out.auction.push(b.auction[i]);
            out.price.push(b.price[i]);
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

impl Tumble {
    pub(crate) fn push(&mut self, b: &Bids<'_>, times: &[i64], out: &mut Out) -> usize {
        out.clear();
        for (i, &time) in times.iter().enumerate() {
            if b.event_type[i] == 2 {
                let start = time - time.rem_euclid(SIZE_US);
                if start + SIZE_US > self.watermark {
                    let at = match self.open.iter().rposition(|w| w.0 == start) {
                        Some(at) => at,
                        None => {
                            let at = self.open.partition_point(|w| w.0 < start);
                            self.open.insert(at, (start, self.spare.pop().unwrap_or_default()));
                            at
                        }
                    };
                    *self.open[at].1.entry(b.auction[i]).or_insert(0) += 1;
                }
            }
            self.watermark = self.watermark.max(time - 4_000_001);
            while self.open.first().is_some_and(|w| w.0 + SIZE_US - 1_000 <= self.watermark) {
                let (start, mut counts) = self.open.remove(0);
                for (auction, n) in counts.drain() {
                    out.auction.push(auction);
                    out.price.push(n);
                    out.time.push(start);
                }
                self.spare.push(counts);
            }
        }
        out.auction.len()
    }
}

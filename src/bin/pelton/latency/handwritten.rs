//! The work of `examples/fraud/fraud.sql` by hand: what somebody would write who knows the query, as the measure of the engine's figures.
//!
//! A card or merchant keeps its rows of a day in one queue; each frame is a position in it, a sum, and the queue of its maxima to come.
//! Distinct merchants are counted by card, merchant and frame in one table. Rows come in order: none is late, none between others.

use super::payments::{Decision, Payment};
use hashbrown::HashMap;
use std::collections::VecDeque;

/// The lengths of the frames, µs.
const REACH: [i64; 4] = [60_000_000, 300_000_000, 3_600_000_000, 86_400_000_000];

/// The state of all cards and merchants.
#[derive(Default)]
pub(super) struct HandWritten {
    cards: HashMap<i64, u32>,
    shops: HashMap<i32, u32>,
    card_rows: Vec<Rows>,
    shop_rows: Vec<Rows>,
    merchants: HashMap<(u32, i32), [u32; 4]>,
    distinct: Vec<[i64; 4]>,
}

/// What one card or merchant did.
#[derive(Default)]
struct Rows {
    rows: VecDeque<Row>,
    /// Rows that have ever left `rows`.
    gone: u64,
    frames: [Frame; 4],
}

struct Row {
    ts: i64,
    amount: i64,
    merchant: i32,
}

#[derive(Default)]
struct Frame {
    /// The number of its first row.
    first: u64,
    sum: i64,
    /// Amounts that will be the greatest once those before them have left, with the numbers of their rows.
    best: VecDeque<(u64, i64)>,
}

impl Rows {
    /// Takes a row in; `left` is told the rows that leave each frame.
    #[inline]
    fn take(&mut self, row: Row, mut left: impl FnMut(usize, &Row)) {
        let number = self.gone + self.rows.len() as u64;
        let (ts, amount) = (row.ts, row.amount);
        self.rows.push_back(row);
        for (n, frame) in self.frames.iter_mut().enumerate() {
            let from = ts - REACH[n];
            loop {
                let oldest = &self.rows[(frame.first - self.gone) as usize];
                if oldest.ts >= from {
                    break;
                }
                frame.sum -= oldest.amount;
                left(n, oldest);
                frame.first += 1;
            }
            frame.sum += amount;
            while frame.best.front().is_some_and(|b| b.0 < frame.first) {
                frame.best.pop_front();
            }
            while frame.best.back().is_some_and(|b| b.1 <= amount) {
                frame.best.pop_back();
            }
            frame.best.push_back((number, amount));
        }
        while self.gone < self.frames[3].first {
            self.rows.pop_front();
            self.gone += 1;
        }
    }

    #[inline]
    fn frame(&self, n: usize) -> (i64, Option<i64>, Option<i64>) {
        let f = &self.frames[n];
        let count = self.gone + self.rows.len() as u64 - f.first;
        (count as i64, Some(f.sum), f.best.front().map(|b| b.1))
    }
}

impl HandWritten {
    /// Decides a payment.
    #[inline]
    pub(super) fn score(&mut self, p: &Payment, d: &mut Decision) {
        let card = *self.cards.entry(p.card).or_insert_with(|| {
            self.card_rows.push(Rows::default());
            self.distinct.push([0; 4]);
            self.card_rows.len() as u32 - 1
        });
        let shop = *self.shops.entry(p.merchant).or_insert_with(|| {
            self.shop_rows.push(Rows::default());
            self.shop_rows.len() as u32 - 1
        });
        let row = || Row { ts: p.ts.0, amount: p.amount, merchant: p.merchant };
        let distinct = &mut self.distinct[card as usize];
        let merchants = &mut self.merchants;
        for (n, seen) in merchants.entry((card, p.merchant)).or_default().iter_mut().enumerate() {
            distinct[n] += i64::from(*seen == 0);
            *seen += 1;
        }
        let of_card = &mut self.card_rows[card as usize];
        of_card.take(row(), |n, left| {
            if let Some(seen) = merchants.get_mut(&(card, left.merchant)) {
                seen[n] -= 1;
                distinct[n] -= i64::from(seen[n] == 0);
                if n == 3 && seen[3] == 0 {
                    merchants.remove(&(card, left.merchant));
                }
            }
        });
        let of_shop = &mut self.shop_rows[shop as usize];
        of_shop.take(row(), |_, _| {});
        (d.card_n_1m, d.card_sum_1m, d.card_max_1m) = of_card.frame(0);
        (d.card_n_5m, d.card_sum_5m, d.card_max_5m) = of_card.frame(1);
        (d.card_n_1h, d.card_sum_1h, d.card_max_1h) = of_card.frame(2);
        (d.card_n_24h, d.card_sum_24h, d.card_max_24h) = of_card.frame(3);
        [d.card_merchants_1m, d.card_merchants_5m, d.card_merchants_1h, d.card_merchants_24h] = *distinct;
        (d.shop_n_1m, d.shop_sum_1m, d.shop_max_1m) = of_shop.frame(0);
        (d.shop_n_5m, d.shop_sum_5m, d.shop_max_5m) = of_shop.frame(1);
        (d.shop_n_1h, d.shop_sum_1h, d.shop_max_1h) = of_shop.frame(2);
        (d.shop_n_24h, d.shop_sum_24h, d.shop_max_24h) = of_shop.frame(3);
        let reason = reason(p, d);
        match (reason, &mut d.reason) {
            (None, r) => *r = None,
            (Some(text), Some(r)) => {
                r.clear();
                r.push_str(text);
            }
            (Some(text), r) => *r = Some(text.to_owned()),
        }
    }
}

fn reason(p: &Payment, d: &Decision) -> Option<&'static str> {
    let sum = |s: Option<i64>| s.unwrap_or(0);
    if d.card_merchants_1m >= 4 {
        Some("CARD AT MANY SHOPS")
    } else if d.card_n_5m >= 8 {
        Some("CARD USED OFTEN")
    } else if d.card_n_24h > 3 && sum(d.card_sum_5m) * 2 > sum(d.card_sum_24h) && sum(d.card_sum_5m) > 200_000
    {
        Some("SUDDEN SPENDING")
    } else if Some(p.amount) == d.shop_max_24h && p.amount * d.shop_n_24h > sum(d.shop_sum_24h) * 20 {
        Some("SHOP NEVER SELLS THIS")
    } else {
        None
    }
}

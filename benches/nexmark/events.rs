//! Nexmark's bids in columns: made once from a fixed seed, in the benchmark's proportions (46 of 50 events are bids) and at its
//! rate of 10,000 events a second of event time.

use pelton::batch::{Column, ColumnData, ColumnRef, Schema};

/// Of each fifty events.
const BIDS: u64 = 46;
const AUCTIONS: u64 = 3;
/// 2023-11-14 22:13:20, µs.
const START_US: i64 = 1_700_000_000_000_000;
const STEP_US: i64 = 100;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z ^ (z >> 27)
    }
}

/// `rows` bids from bid `first` on, in the columns `columns` of the table `bid`, whose columns are `schema`.
pub(crate) fn bids(schema: &Schema, columns: &[usize], first: u64, rows: usize) -> Vec<ColumnRef> {
    let column = |&number: &usize| {
        // One seed for each column, so that a column's values do not depend on which others are made.
        let mut random = Random(first + ((number as u64) << 32));
        let mut c = Column::new(schema.ty(number));
        c.reset(rows);
        for row in 0..rows {
            let event = (first + row as u64) * 50 / BIDS;
            let newest = 1000 + event / 50 * AUCTIONS;
            let value = match schema.fields[number].name.as_str() {
                // One of the last hundred auctions, half of them the same.
                "auction" if random.next().is_multiple_of(2) => (newest / 100 * 100) as i64,
                "auction" => (newest - random.next() % 100) as i64,
                "bidder" => (1000 + random.next() % (event / 50 + 1)) as i64,
                "price" => (random.next() % 100_000_000) as i64,
                _ => START_US + event as i64 * STEP_US / 1000 * 1000,
            };
            match &mut c.data {
                ColumnData::I64(b) => b[row] = value,
                ColumnData::Bytes(b) => {
                    let text: Vec<u8> = (0..40).map(|_| b'a' + (random.next() % 26) as u8).collect();
                    b.writer().set(row, &text);
                }
                _ => panic!("a BIGINT, TIMESTAMP or STRING"),
            }
        }
        ColumnRef::new(c)
    };
    columns.iter().map(column).collect()
}

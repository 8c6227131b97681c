//! Bids by keys that are drawn evenly or by Zipf's law, at an even pace: the events, and all of their keys once more at later times.

use pelton::batch::{Column, ColumnData, ColumnRef, MAX_ROWS, Schema};
use std::cell::Cell;

/// 2023-11-14 22:13:20, µs.
const START_US: i64 = 1_700_000_000_000_000;
/// How long the events take once, µs: four windows.
const SPAN_US: u64 = 40_000_000;

thread_local! {
    static DRAW: Cell<(u64, bool, usize)> = const { Cell::new((1, false, 1)) };
}

/// The number of keys, whether by Zipf's law, and how many events there will be, for all bids from now on.
pub(crate) fn set(keys: u64, zipf: bool, events: usize) {
    DRAW.set((keys, zipf, events));
}

/// SplitMix64.
fn random(n: u64) -> u64 {
    let n = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The key of event `n`. Zipf: the density of rank r is 1/r, exponent 1.
fn key(n: u64, keys: u64, zipf: bool) -> i64 {
    let draw = random(n);
    let rank = if zipf {
        let even = (draw >> 11) as f64 / (1u64 << 53) as f64;
        ((even * ((keys + 1) as f64).ln()).exp() as u64 - 1).min(keys - 1)
    } else {
        draw % keys
    };
    // Spread: a table must not profit from keys that follow each other.
    rank.wrapping_mul(0xD134_2543_DE82_EF95) as i64
}

/// `rows` bids in the columns `columns` of a table, in blocks.
pub(crate) fn blocks(_table: &str, schema: &Schema, columns: &[usize], rows: usize) -> Vec<Vec<ColumnRef>> {
    let block = |first| bids(schema, columns, first as u64, MAX_ROWS.min(rows - first));
    (0..rows).step_by(MAX_ROWS).map(block).collect()
}

fn bids(schema: &Schema, columns: &[usize], first: u64, rows: usize) -> Vec<ColumnRef> {
    let (keys, zipf, events) = DRAW.get();
    let column = |&number: &usize| {
        let mut c = Column::new(schema.ty(number));
        c.reset(rows);
        let ColumnData::I64(values) = &mut c.data else { panic!("a BIGINT or TIMESTAMP") };
        for (n, value) in (first..).zip(values.iter_mut()) {
            *value = match schema.fields[number].name.as_str() {
                "auction" => key(n % events as u64, keys, zipf),
                "price" => (random(n ^ 1 << 63) % 100_000_000) as i64,
                _ => START_US + (n * SPAN_US / events as u64) as i64 / 1000 * 1000,
            };
        }
        ColumnRef::new(c)
    };
    columns.iter().map(column).collect()
}

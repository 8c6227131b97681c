//! Nexmark events in the columns of the replay source: made once from a fixed seed, in the benchmark's proportions (one person,
//! three auctions, forty-six bids) and at its rate of 10,000 events a second of event time.

use pelton::batch::{Batch, Column, ColumnData, ColumnRef, DataType, Schema};

/// Of each fifty events.
const PERSONS: u64 = 1;
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

/// `rows` events from event `first` on. `schema` is that of the table `datagen`, `columns` the ones that a query reads.
pub(crate) fn batch(schema: &Schema, columns: &[usize], first: u64, rows: usize) -> Batch {
    let mut random = Random(first);
    let mut out: Vec<Column> = columns.iter().map(|&c| Column::new(schema.ty(c))).collect();
    for event in first..first + rows as u64 {
        let place = event % 50;
        let kind = if place < PERSONS { 0 } else { 1 + i32::from(place >= PERSONS + AUCTIONS) };
        for (c, &number) in out.iter_mut().zip(columns) {
            if number == 0 {
                c.validity.push(true);
                c.buffer_mut::<i32>().push(kind);
            } else if number as i32 == kind + 1 {
                push_row(c, schema.ty(number), kind, event, &mut random);
            } else {
                c.push_null();
            }
        }
    }
    Batch::new(out.into_iter().map(ColumnRef::new).collect(), rows)
}

/// Ids grow with the events; bids go to one of the last hundred auctions, half of them to the same.
fn push_row(c: &mut Column, ty: &DataType, kind: i32, event: u64, random: &mut Random) {
    let pelton::batch::TypeKind::Row(fields) = &ty.kind else { panic!("person, auction and bid are ROWs") };
    c.validity.push(true);
    let ColumnData::Row(children) = &mut c.data else { panic!("a ROW column") };
    let newest = 1000 + event / 50 * AUCTIONS;
    for (n, child) in children.iter_mut().enumerate() {
        let child = ColumnRef::get_mut(child).expect("a column that is being built is not shared");
        child.validity.push(true);
        let value = match (kind, fields[n].name.as_str()) {
            (_, "dateTime" | "expires") => START_US + event as i64 * STEP_US / 1000 * 1000,
            (2, "auction") if random.next().is_multiple_of(2) => (newest / 100 * 100) as i64,
            (2, "auction") => (newest - random.next() % 100) as i64,
            (2, "bidder") => (1000 + random.next() % (event / 50 + 1)) as i64,
            (2, "price") => (random.next() % 100_000_000) as i64,
            _ => event as i64,
        };
        match &mut child.data {
            ColumnData::I64(b) => b.push(value),
            ColumnData::Bytes(b) => {
                let length = if kind == 2 { 40 } else { 16 };
                let text: Vec<u8> = (0..length).map(|_| b'a' + (random.next() % 26) as u8).collect();
                b.push(&text);
            }
            _ => panic!("a BIGINT, TIMESTAMP or STRING"),
        }
    }
}

//! Events of the generator → the columns that the query reads.

use super::schema;
use crate::batch::{Column, ColumnData, ColumnRef};
use ::nexmark::event::{Auction, Bid, Event, Person};

/// The columns being filled: of `event_type`, `person`, `auction`, `bid` those that are read.
pub struct EventColumns {
    /// For each of the table's columns, where it stands in the list.
    slots: [Option<usize>; 4],
}

fn field(c: &mut Column, i: usize) -> &mut Column {
    let ColumnData::Row(fields) = &mut c.data else { panic!("the events' rows have fields") };
    let c = ColumnRef::get_mut(&mut fields[i]).expect("a column that is being filled is not shared");
    c.validity.push(true);
    c
}

fn int(c: &mut Column, i: usize, v: usize) {
    field(c, i).buffer_mut::<i64>().push(v as i64);
}

fn text(c: &mut Column, i: usize, v: &str) {
    field(c, i).byte_column_mut().push(v.as_bytes());
}

fn time(c: &mut Column, i: usize, ms: u64) {
    field(c, i).buffer_mut::<i64>().push(ms as i64 * 1000);
}

impl EventColumns {
    /// For a query that reads `columns` of the table, ascending.
    pub fn new(columns: &[usize]) -> Self {
        let mut slots = [None; 4];
        for (slot, &c) in columns.iter().enumerate() {
            slots[c] = Some(slot);
        }
        Self { slots }
    }

    /// Empty columns.
    pub fn empty(columns: &[usize]) -> Vec<ColumnRef> {
        let schema = schema();
        columns.iter().map(|&c| ColumnRef::new(Column::new(schema.ty(c)))).collect()
    }

    fn column<'c>(&self, list: &'c mut [ColumnRef], c: usize) -> Option<&'c mut Column> {
        let column = &mut list[self.slots[c]?];
        Some(ColumnRef::get_mut(column).expect("a column that is being filled is not shared"))
    }

    /// Appends an event to unshared columns.
    pub fn push(&self, event: &Event, to: &mut [ColumnRef]) {
        let kind = match event {
            Event::Person(_) => 0,
            Event::Auction(_) => 1,
            Event::Bid(_) => 2,
        };
        if let Some(c) = self.column(to, 0) {
            c.buffer_mut::<i32>().push(kind);
            c.validity.push(true);
        }
        for other in (0..3).filter(|k| *k != kind) {
            if let Some(c) = self.column(to, other as usize + 1) {
                c.push_null();
            }
        }
        let Some(c) = self.column(to, kind as usize + 1) else { return };
        c.validity.push(true);
        match event {
            Event::Person(e) => person(c, e),
            Event::Auction(e) => auction(c, e),
            Event::Bid(e) => bid(c, e),
        }
    }
}

fn person(c: &mut Column, e: &Person) {
    int(c, 0, e.id);
    text(c, 1, &e.name);
    text(c, 2, &e.email_address);
    text(c, 3, &e.credit_card);
    text(c, 4, &e.city);
    text(c, 5, &e.state);
    time(c, 6, e.date_time);
    text(c, 7, &e.extra);
}

fn auction(c: &mut Column, e: &Auction) {
    int(c, 0, e.id);
    text(c, 1, &e.item_name);
    text(c, 2, &e.description);
    int(c, 3, e.initial_bid);
    int(c, 4, e.reserve);
    time(c, 5, e.date_time);
    time(c, 6, e.expires);
    int(c, 7, e.seller);
    int(c, 8, e.category);
    text(c, 9, &e.extra);
}

fn bid(c: &mut Column, e: &Bid) {
    int(c, 0, e.auction);
    int(c, 1, e.bidder);
    int(c, 2, e.price);
    text(c, 3, &e.channel);
    text(c, 4, &e.url);
    time(c, 5, e.date_time);
    text(c, 6, &e.extra);
}

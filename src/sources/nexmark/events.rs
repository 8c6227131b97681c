//! Events of the generator → the columns that the query reads.

use super::schema;
use crate::batch::{Column, ColumnData, ColumnRef, DataType, TypeKind};
use crate::plan::connector::SourceSpec;
use ::nexmark::event::Event;

/// What a column holds. Kinds of events: 0 person, 1 auction, 2 bid; `person`, `auction` and `bid` are the columns after `event_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `event_type`.
    Kind,
    /// The whole row of events of a kind.
    Whole(usize),
    /// A field of theirs.
    Field(usize, usize),
}

/// The columns that the query reads: of `event_type`, `person`, `auction`, `bid` and of the fields of the latter.
#[derive(Clone, Debug)]
pub struct EventColumns {
    parts: Vec<Part>,
    types: Vec<DataType>,
}

/// What events have.
enum Value<'e> {
    Int(usize),
    Text(&'e str),
    /// ms since the epoch.
    Time(u64),
}

/// Field `n` of an event, counted as in the table's columns.
fn value(event: &Event, n: usize) -> Value<'_> {
    use Value::{Int, Text, Time};
    match (event, n) {
        (Event::Person(e), 0) => Int(e.id),
        (Event::Person(e), 1) => Text(&e.name),
        (Event::Person(e), 2) => Text(&e.email_address),
        (Event::Person(e), 3) => Text(&e.credit_card),
        (Event::Person(e), 4) => Text(&e.city),
        (Event::Person(e), 5) => Text(&e.state),
        (Event::Person(e), 6) => Time(e.date_time),
        (Event::Person(e), _) => Text(&e.extra),
        (Event::Auction(e), 0) => Int(e.id),
        (Event::Auction(e), 1) => Text(&e.item_name),
        (Event::Auction(e), 2) => Text(&e.description),
        (Event::Auction(e), 3) => Int(e.initial_bid),
        (Event::Auction(e), 4) => Int(e.reserve),
        (Event::Auction(e), 5) => Time(e.date_time),
        (Event::Auction(e), 6) => Time(e.expires),
        (Event::Auction(e), 7) => Int(e.seller),
        (Event::Auction(e), 8) => Int(e.category),
        (Event::Auction(e), _) => Text(&e.extra),
        (Event::Bid(e), 0) => Int(e.auction),
        (Event::Bid(e), 1) => Int(e.bidder),
        (Event::Bid(e), 2) => Int(e.price),
        (Event::Bid(e), 3) => Text(&e.channel),
        (Event::Bid(e), 4) => Text(&e.url),
        (Event::Bid(e), 5) => Time(e.date_time),
        (Event::Bid(e), _) => Text(&e.extra),
    }
}

fn push(c: &mut Column, value: Value<'_>) {
    c.validity.push(true);
    match value {
        Value::Int(v) => c.buffer_mut::<i64>().push(v as i64),
        Value::Text(v) => c.byte_column_mut().push(v.as_bytes()),
        Value::Time(ms) => c.buffer_mut::<i64>().push(ms as i64 * 1000),
    }
}

fn unshared(c: &mut ColumnRef) -> &mut Column {
    ColumnRef::get_mut(c).expect("a column that is being filled is not shared")
}

impl EventColumns {
    /// The columns of a scan.
    pub fn of(spec: &SourceSpec) -> Self {
        Self::new(&spec.columns, &spec.leaves)
    }

    /// Whole columns of the table by number, then fields as column and field.
    pub fn new(columns: &[usize], leaves: &[Vec<usize>]) -> Self {
        let schema = schema();
        let whole = columns.iter().map(|&c| match c.checked_sub(1) {
            None => (Part::Kind, schema.ty(c).clone()),
            Some(kind) => (Part::Whole(kind), schema.ty(c).clone()),
        });
        let fields = leaves.iter().map(|path| match (path.as_slice(), &schema.ty(path[0]).kind) {
            (&[c, field], TypeKind::Row(fields)) => (Part::Field(c - 1, field), fields[field].ty.clone()),
            _ => panic!("{path:?} is no field of the events: the planner took it from their schema"),
        });
        let (parts, types) = whole.chain(fields).unzip();
        Self { parts, types }
    }

    /// What the columns hold.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The columns' types.
    pub fn types(&self) -> &[DataType] {
        &self.types
    }

    /// Empty columns.
    pub fn empty(&self) -> Vec<ColumnRef> {
        self.types.iter().map(|t| ColumnRef::new(Column::new(t))).collect()
    }

    /// Appends an event to unshared columns.
    pub fn push(&self, event: &Event, to: &mut [ColumnRef]) {
        let kind = match event {
            Event::Person(_) => 0,
            Event::Auction(_) => 1,
            Event::Bid(_) => 2,
        };
        for (part, column) in self.parts.iter().zip(to) {
            let column = unshared(column);
            match *part {
                Part::Kind => {
                    column.validity.push(true);
                    column.buffer_mut::<i32>().push(kind as i32);
                }
                Part::Field(k, n) if k == kind => push(column, value(event, n)),
                Part::Whole(k) if k == kind => {
                    column.validity.push(true);
                    let ColumnData::Row(fields) = &mut column.data else {
                        panic!("the events' rows have fields")
                    };
                    for (n, field) in fields.iter_mut().enumerate() {
                        push(unshared(field), value(event, n));
                    }
                }
                Part::Field(..) | Part::Whole(_) => column.push_null(),
            }
        }
    }
}

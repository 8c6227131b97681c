//! Nexmark's persons, auctions and bids in columns of their own: the benchmark's generator, from its fixed seed.

use nexmark::EventGenerator;
use nexmark::config::NexmarkConfig;
use nexmark::event::Event;
use pelton::batch::{ColumnRef, MAX_ROWS, Schema};
use pelton::sources::nexmark::EventColumns;
use std::collections::BTreeMap;

/// `rows` events of the kind that `table` has (`person`, `auction` or `bid`), in the columns `columns` of its schema, in blocks
/// of [`MAX_ROWS`] rows.
pub(crate) fn blocks(table: &str, schema: &Schema, columns: &[usize], rows: usize) -> Vec<Vec<ColumnRef>> {
    let kinds = BTreeMap::from([("person", 0), ("auction", 1), ("bid", 2)]);
    let kind = kinds[table];
    // The table declares the fields of the event that it has: by name.
    let of_event = pelton::sources::nexmark::schema();
    let pelton::batch::TypeKind::Row(fields) = &of_event.ty(kind + 1).kind else {
        panic!("{table} is a row")
    };
    let number = |&c: &usize| fields.iter().position(|f| f.name == schema.fields[c].name).expect("a field");
    let leaves: Vec<Vec<usize>> = columns.iter().map(|c| vec![kind + 1, number(c)]).collect();
    let columns = EventColumns::new(&[], &leaves);
    let of_kind = |e: &Event| match e {
        Event::Person(_) => kind == 0,
        Event::Auction(_) => kind == 1,
        Event::Bid(_) => kind == 2,
    };
    // An even pace of 10,000 events a second of event time, as the benchmark has it.
    let mut events =
        EventGenerator::new(NexmarkConfig { first_rate: 10_000, next_rate: 10_000, ..Default::default() })
            .filter(of_kind);
    let block = |first: usize| {
        let mut block = columns.empty();
        events.by_ref().take(MAX_ROWS.min(rows - first)).for_each(|e| columns.push(&e, &mut block));
        block
    };
    (0..rows).step_by(MAX_ROWS).map(block).collect()
}

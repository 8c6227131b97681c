//! Nexmark's queries as a person would write them in Rust for exactly these columns.
//!
//! They know the query: no expression, no plan, no selection vector. What is only passed on they leave where it is, and say at most
//! which rows; what is computed goes to columns that are used again, of texts a pointer and a length. Changes are given as
//! the engine gives them: the row before and the row after. What the engine costs beyond them is the price of generality.
//!
//! [`stateless`] and [`windows`] and [`groups`] have the queries; [`Sum`] tells whether their rows are the engine's.

mod groups;
mod stateless;
mod windows;

use super::checksum::{Sum, Value};
use pelton::batch::{ByteColumn, ColumnRef};
use std::ops::Range;

/// A text column's rows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Texts<'a> {
    column: Option<&'a ByteColumn>,
    first: usize,
}

impl<'a> Texts<'a> {
    fn get(&self, row: usize) -> &'a [u8] {
        self.column.map_or(&[], |c| c.get(self.first + row))
    }
}

/// Some events: those columns that the query reads, the others empty.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rows<'a> {
    rows: usize,
    auction: &'a [i64],
    bidder: &'a [i64],
    price: &'a [i64],
    /// Of a person.
    id: &'a [i64],
    /// Of an auction.
    seller: &'a [i64],
    /// µs since the epoch.
    time: &'a [i64],
    channel: Texts<'a>,
    url: Texts<'a>,
    extra: Texts<'a>,
    name: Texts<'a>,
}

impl<'a> Rows<'a> {
    /// The columns, in the order in which [`Rows::of`] wants their places.
    pub(crate) const COLUMNS: [&'static str; 10] =
        ["auction", "bidder", "price", "id", "seller", "dateTime", "channel", "url", "extra", "name"];

    /// The rows `rows` of a block; `places`: where the columns stand in it.
    pub(crate) fn of(block: &'a [ColumnRef], places: [Option<usize>; 10], rows: Range<usize>) -> Self {
        let int = |n: usize| places[n].map_or(&[][..], |c| &block[c].slice::<i64>()[rows.clone()]);
        let text = |n: usize| Texts { column: places[n].map(|c| block[c].byte_column()), first: rows.start };
        Rows {
            rows: rows.len(),
            auction: int(0),
            bidder: int(1),
            price: int(2),
            id: int(3),
            seller: int(4),
            time: int(5),
            channel: text(6),
            url: text(7),
            extra: text(8),
            name: text(9),
        }
    }
}

/// What a query gives: columns, of which each query uses some.
#[derive(Default)]
pub(crate) struct Out<'a> {
    /// Which rows of the input they are, where columns are passed on.
    rows: Vec<u32>,
    ints: [Vec<i64>; 13],
    euros: Vec<i128>,
    texts: [Vec<Option<&'a [u8]>>; 3],
    /// The row is added (not taken back), where rows change.
    adds: Vec<bool>,
}

impl Out<'_> {
    fn clear(&mut self) {
        self.rows.clear();
        self.ints.iter_mut().for_each(Vec::clear);
        self.euros.clear();
        self.texts.iter_mut().for_each(Vec::clear);
        self.adds.clear();
    }
}

/// A query.
pub(crate) trait ByHand<'a> {
    /// Takes events in; `out` has no rows and gets what they give.
    fn push(&mut self, r: &Rows<'a>, out: &mut Out<'a>);
    /// Gives what is left when the events end.
    fn finish(&mut self, _out: &mut Out<'a>) {}
    /// How many rows stand in `out` after `r`.
    fn rows(&self, r: &Rows<'a>, out: &Out<'a>) -> usize;
    /// The values of row `k` of them, in the order of the query's columns.
    fn values(&self, r: &Rows<'a>, out: &Out<'a>, k: usize, to: &mut Vec<Value<'a>>);
}

/// The query of that name.
pub(crate) fn query<'a>(name: &str) -> Box<dyn ByHand<'a> + 'a> {
    match name {
        "q0" => Box::new(stateless::Q0),
        "q1" => Box::new(stateless::Q1),
        "q2" => Box::new(stateless::Q2),
        "q14" => Box::new(stateless::Q14),
        "q21" => Box::new(stateless::Q21::default()),
        "q22" => Box::new(stateless::Q22),
        "q5" => Box::new(windows::Hop::default()),
        "q8 newcomers" => Box::new(windows::Newcomers::default()),
        "q8 sellers" => Box::new(windows::Sellers::default()),
        "q11" => Box::new(windows::Sessions::default()),
        "q12" => Box::new(windows::Now::default()),
        "tumble" => Box::new(windows::Tumble::default()),
        "q15" => Box::new(groups::Ranks::by_day()),
        "q16" => Box::new(groups::Ranks::by_channel()),
        "q17" => Box::new(groups::Prices::default()),
        _ => panic!("{name} has not been written by hand"),
    }
}

/// Runs a query over blocks of events, `batch` at a time, and returns how many rows it gave. `check` sums them up.
pub(crate) fn run<'a>(
    name: &str,
    blocks: &'a [Vec<ColumnRef>],
    places: [Option<usize>; 10],
    batch: usize,
    out: &mut Out<'a>,
    mut check: Option<&mut Sum>,
) -> u64 {
    let mut query = query(name);
    let (mut rows, mut values, mut bytes) = (0, vec![], vec![]);
    let mut taken = |query: &dyn ByHand<'a>, r: &Rows<'a>, out: &mut Out<'a>| {
        let given = query.rows(r, out);
        if let Some(sum) = &mut check {
            for k in 0..given {
                values.clear();
                query.values(r, out, k, &mut values);
                sum.row(&values, out.adds.get(k).copied().unwrap_or(true), &mut bytes);
            }
        }
        std::hint::black_box(&mut *out);
        given as u64
    };
    for block in blocks {
        let whole = block.first().map_or(0, |c| c.len());
        for start in (0..whole).step_by(batch) {
            let r = Rows::of(block, places, start..whole.min(start + batch));
            out.clear();
            query.push(&r, out);
            rows += taken(&*query, &r, out);
        }
    }
    out.clear();
    query.finish(out);
    rows + taken(&*query, &Rows::default(), out)
}

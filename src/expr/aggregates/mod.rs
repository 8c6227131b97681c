//! Built-in aggregates: COUNT, SUM, AVG, MIN, MAX, FIRST_VALUE, LAST_VALUE, variances, LISTAGG, ARRAY_AGG, COLLECT, JSON_ARRAYAGG,
//! JSON_OBJECTAGG, PERCENTILE, SINGLE_VALUE, BITMAP_*_AGG.
//!
//! Groups are slots; the state of fixed width stands in one vector by slot ([`fold`]). Only what cannot invert (MIN and MAX of rows that
//! leave) or is of variable length keeps more: an ordered bag a group ([`bag`]) or its history ([`history`]); where rows leave in the order in
//! which they joined, a queue ([`sliding`], [`sliding_text`]). DOUBLE and FLOAT fold in row order.

mod bag;
mod bitmap;
mod cells;
mod count;
mod counts;
mod fold;
mod held;
mod history;
mod json;
mod lag;
mod listagg;
mod min_max;
mod percentile;
mod single;
mod sliding;
mod sliding_text;
mod sum;
mod variance;

pub use counts::{Counted, Counts};
pub use held::Held;

use super::function::{AggregateFunction, BoundAggregate, Call, FunctionDoc, Registry};
use super::functions::complete;
use super::{Accumulator, AccumulatorFactory};
use crate::batch::DataType;
use crate::error::Result;
use std::sync::Arc;

/// Adds all of them.
pub(super) fn register(r: &mut Registry) {
    count::register(r);
    sum::register(r);
    min_max::register(r);
    variance::register(r);
    history::register(r);
    lag::register(r);
    listagg::register(r);
    json::register(r);
    percentile::register(r);
    single::register(r);
    bitmap::register(r);
}

type Bind = fn(&Call<'_>, bool) -> Result<BoundAggregate>;

struct Builtin {
    doc: FunctionDoc,
    bind: Bind,
}

impl AggregateFunction for Builtin {
    fn doc(&self) -> &FunctionDoc {
        &self.doc
    }

    fn bind(&self, call: &Call<'_>, grouped: bool) -> Result<BoundAggregate> {
        (self.bind)(call, grouped)
    }
}

fn add(
    r: &mut Registry,
    names: &'static [&'static str],
    signatures: &'static [&'static str],
    text: &'static str,
    bind: Bind,
) {
    let doc = FunctionDoc { names, family: "aggregate", signatures, text, examples: &[] };
    r.add_aggregate(Arc::new(Builtin { doc: complete(doc), bind }));
}

fn factory<A: Accumulator + 'static>(make: impl Fn() -> A + Send + Sync + 'static) -> AccumulatorFactory {
    Arc::new(move || Box::new(make()))
}

/// An aggregate whose one accumulator takes rows out as well as in.
fn inverting<A: Accumulator + 'static>(
    args: Vec<DataType>,
    ty: DataType,
    make: impl Fn() -> A + Send + Sync + 'static,
) -> BoundAggregate {
    let accumulator = factory(make);
    BoundAggregate {
        args,
        ty,
        ignores_distinct: false,
        merges: true,
        retracting: accumulator.clone(),
        sliding: accumulator.clone(),
        accumulator,
    }
}

/// Nullable unless every group has a value that is not NULL: a NOT NULL argument under GROUP BY.
fn nullable_result(call: &Call<'_>, grouped: bool) -> bool {
    !grouped || call.args.iter().any(|a| a.ty.nullable)
}

#[cfg(test)]
mod tests;

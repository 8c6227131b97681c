//! What a row that comes alone has for the calls that take [longs](crate::expr::Held::takes_longs): its arguments, each read once, and what
//! FILTER and DISTINCT leave of them, each asked once.

use super::filter::Filter;
use super::{Origin, View, place};
use crate::batch::{Batch, Native};
use std::ops::RangeInclusive;

/// See the module's text.
#[derive(Default)]
pub(super) struct Longs {
    /// The column of each argument; none: COUNT(*) has none.
    arguments: Vec<Option<usize>>,
    parts: Vec<Part>,
    /// Of the parts, and behind them of the arguments. `None`: it is NULL, or the row is not taken. What is only counted has any.
    values: Vec<Option<i64>>,
}

/// An argument that not every row has.
#[derive(PartialEq, Eq)]
struct Part {
    argument: usize,
    taken: Taken,
}

/// Which rows have it.
#[derive(PartialEq, Eq)]
enum Taken {
    /// Those of a filter or view.
    By(Origin),
    /// Those of a filter that asks whether an argument lies between two numbers.
    Within { argument: usize, least: i64, most: i64 },
}

impl Longs {
    /// The number of an argument.
    pub(super) fn argument(&mut self, column: Option<usize>) -> usize {
        let n = place(&mut self.arguments, column);
        self.values.resize(self.parts.len() + self.arguments.len(), Some(0));
        n
    }

    /// The number of an argument where not every row has it. All parts come before the first [whole](Longs::whole).
    pub(super) fn part(&mut self, column: Option<usize>, from: Origin) -> usize {
        let argument = self.argument(column);
        let n = place(&mut self.parts, Part { argument, taken: Taken::By(from) });
        self.values.resize(self.parts.len() + self.arguments.len(), Some(0));
        n
    }

    /// The filter of that number asks whether an argument is one of these values: its parts ask themselves.
    pub(super) fn part_within(&mut self, filter: usize, argument: usize, values: &RangeInclusive<i64>) {
        let (least, most) = (*values.start(), *values.end());
        for part in self.parts.iter_mut().filter(|p| p.taken == Taken::By(Origin::Filter(filter))) {
            part.taken = Taken::Within { argument, least, most };
        }
    }

    /// The number of an argument among [values](Longs::value).
    pub(super) fn whole(&mut self, column: Option<usize>) -> usize {
        self.argument(column) + self.parts.len()
    }

    /// Reads the arguments.
    #[inline(always)]
    pub(super) fn read(&mut self, batch: &Batch, row: usize) {
        for (to, column) in self.values[self.parts.len()..].iter_mut().zip(&self.arguments) {
            if let Some(column) = *column {
                let column = batch.column(column);
                let value = || i64::buffer(&column.data).map_or(0, |values| values.at(row));
                *to = column.is_valid(row).then(value);
            }
        }
    }

    /// The arguments that were read.
    #[inline]
    pub(super) fn read_values(&self) -> &[Option<i64>] {
        &self.values[self.parts.len()..]
    }

    /// Leaves the parts what filters and views take. Those that do not ask [themselves](Longs::part_within) have been asked.
    #[inline(always)]
    pub(super) fn part_by(&mut self, filters: &[Filter], views: &[View]) {
        let (to, arguments) = self.values.split_at_mut(self.parts.len());
        for (to, part) in to.iter_mut().zip(&self.parts) {
            let takes = match part.taken {
                // No `&&`: which rows are taken nobody can guess, and a wrong guess costs more than all comparisons.
                Taken::Within { argument, least, most } => {
                    arguments[argument].is_some_and(|v| (least <= v) & (v <= most))
                }
                Taken::By(from) => from.takes(filters, views),
            };
            // Not copied as it stands: its halves were written just now, and read as a whole they would have to leave for the cache first.
            let value = arguments[part.argument];
            *to = (takes & value.is_some()).then_some(value.unwrap_or_default());
        }
    }

    /// The value of that number; the outer `None`: there is no such number.
    #[inline(always)]
    pub(super) fn value(&self, n: usize) -> Option<Option<i64>> {
        self.values.get(n).copied()
    }
}

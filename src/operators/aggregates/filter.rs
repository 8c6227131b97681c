//! FILTER: which rows an aggregate sees, by a BOOLEAN column or by a condition that is asked here.

use super::longs::Longs;
use crate::batch::{BEFORE_TIME, Batch, Column, ColumnRef, Pool, run_of};
use crate::expr::{EvalContext, Expr, Interval, Program};
use std::ops::RangeInclusive;

/// One FILTER.
pub(super) struct Filter {
    /// A BOOLEAN column, which the batch has unless there is a condition.
    pub(super) column: usize,
    condition: Option<Condition>,
    /// By row of the batch at hand: 1 where it is true.
    pub(super) passes: Vec<u8>,
    /// It is true of the row that came alone, if somebody wants to know.
    pub(super) takes: bool,
    /// Somebody does: not only [parts](Longs::part_within), which ask themselves.
    pub(super) is_asked: bool,
}

/// What a FILTER asks itself.
struct Condition {
    program: Program,
    /// Its values in the batch at hand.
    values: ColumnRef,
    /// Where it says that a number is between two others: which of the [arguments](Longs) it is, and the two.
    interval: Option<(usize, RangeInclusive<i64>)>,
}

impl Filter {
    pub(super) fn new(column: usize) -> Self {
        Self { column, condition: None, passes: Vec::new(), takes: false, is_asked: true }
    }

    /// Instead of having a column filter `nth` asks this condition; of the row that comes alone, where the condition is an interval, by the
    /// argument that is then one of the `longs`. `by_others`: calls that take none of these want to know.
    pub(super) fn ask_for(&mut self, nth: usize, condition: &Expr, longs: &mut Longs, by_others: bool) {
        let interval = Interval::of(condition).map(|of| (longs.argument(Some(of.column)), of.values));
        if let Some((argument, values)) = &interval {
            longs.part_within(nth, *argument, values);
            self.is_asked = by_others;
        }
        let values = ColumnRef::new(Column::new(&condition.ty));
        self.condition = Some(Condition { program: Program::new(condition), values, interval });
    }

    /// Computes the condition, if there is one, for a batch.
    pub(super) fn ask(&mut self, batch: &Batch, pool: &mut Pool) {
        let Some(Condition { program, values, .. }) = &mut self.condition else { return };
        let watermarks = &batch.watermarks;
        let cx = &mut EvalContext { pool, now_us: 0, watermark: BEFORE_TIME, watermarks };
        let asked = program.eval_into(values, &batch.columns, batch.rows(), batch.sel(), cx);
        debug_assert!(asked.is_ok(), "conditions that are asked cannot fail");
    }

    /// [`Filter::fill`] of a row that comes alone, whose `arguments` have been read.
    #[inline]
    pub(super) fn fill_row(&mut self, batch: &Batch, row: u32, arguments: &[Option<i64>]) {
        self.takes = match &self.condition {
            Some(Condition { interval: Some((n, values)), .. }) => {
                arguments[*n].is_some_and(|v| values.contains(&v))
            }
            Some(condition) => condition.program.is_true_at(&batch.columns, row as usize) == Some(true),
            None => {
                let column = batch.column(self.column);
                column.bools().get(row as usize) && column.is_valid(row as usize)
            }
        };
    }

    /// Finds out which of the rows pass. A condition has been [asked](Filter::ask).
    pub(super) fn fill(&mut self, batch: &Batch, rows: &[u32]) {
        let column = self.condition.as_ref().map_or_else(|| batch.column(self.column), |c| &c.values);
        let bits = column.bools();
        self.passes.clear();
        if !column.validity.may_have_nulls() && run_of(rows).is_some_and(|run| run.start == 0) {
            let words = &bits.words()[..rows.len().div_ceil(64)];
            self.passes.resize(words.len() * 64, 0);
            for (to, word) in self.passes.as_chunks_mut::<64>().0.iter_mut().zip(words) {
                to.as_chunks_mut().0.iter_mut().zip(word.to_le_bytes()).for_each(|(to, b)| *to = flags_of(b));
            }
            self.passes.truncate(rows.len());
        } else if column.validity.may_have_nulls() {
            let passes = |&r: &u32| bits.get(r as usize) && column.is_valid(r as usize);
            self.passes.extend(rows.iter().map(|r| u8::from(passes(r))));
        } else {
            self.passes.extend(rows.iter().map(|&r| u8::from(bits.get(r as usize))));
        }
    }
}

/// Eight bits as eight numbers, the lowest first.
#[inline(always)]
fn flags_of(bits: u8) -> [u8; 8] {
    // Each byte gets the bits and keeps its own; where that is set, it carries into the highest.
    let own = (u64::from(bits) * 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
    (((own + 0x7f7f_7f7f_7f7f_7f7f) >> 7) & 0x0101_0101_0101_0101).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::flags_of;

    #[test]
    fn flags_are_bits() {
        for bits in 0..=u8::MAX {
            assert_eq!(flags_of(bits), std::array::from_fn(|n| bits >> n & 1), "{bits:08b}");
        }
    }
}

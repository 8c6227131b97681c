//! Windows by number of rows, a Pelton extension: which windows a row is in, by its number alone.
//!
//! Window `j` of a key, from 1, is complete with row `j · slide` of that key, and holds the last `size` rows up to it, or as many as there
//! are: the windows of Flink's `countWindow(size, slide)`. With `slide` = `size` they tumble. All numbers are from 1.

use crate::batch::{DataType, TypeKind};

/// The most windows that a row may be in: each is an accumulator that it is folded into.
pub const MAX_OVERLAP: u64 = 10_000;

/// See the module's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountWindow {
    /// Rows in a window.
    pub size: u64,
    /// Rows from the end of one to the end of the next.
    pub slide: u64,
    /// The columns that make the key whose rows are counted; none: all rows are of one.
    pub keys: Vec<usize>,
}

impl CountWindow {
    /// The type of a window's number.
    pub fn number_type() -> DataType {
        TypeKind::BigInt.not_null()
    }

    /// In how many windows row `row` of a key is. The first of them is the one that is complete next.
    pub fn windows_of(&self, row: u64) -> usize {
        let (first, last) = (row.div_ceil(self.slide), (row + self.size - 1) / self.slide);
        (last + 1).saturating_sub(first) as usize
    }

    /// The window that is complete with row `row` of its key.
    pub fn closed_by(&self, row: u64) -> Option<u64> {
        row.is_multiple_of(self.slide).then_some(row / self.slide)
    }

    /// The first row of the window that is complete next, once `rows` rows of its key have come.
    pub fn next_first(&self, rows: u64) -> u64 {
        ((rows / self.slide + 1) * self.slide).saturating_sub(self.size) + 1
    }

    /// How many windows hold one of the first `rows` rows of a key and are not complete; `None` where so many rows cannot be.
    pub fn open_after(&self, rows: u64) -> Option<u64> {
        let last = rows.checked_add(self.size)?.checked_sub(1)? / self.slide;
        (rows > 0 && rows <= i64::MAX as u64).then(|| last.saturating_sub(rows / self.slide))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition, row by row.
    #[test]
    fn windows_follow_from_a_rows_number() {
        for (size, slide) in [(1, 1), (3, 3), (3, 1), (5, 2), (2, 5), (4, 3)] {
            let w = CountWindow { size, slide, keys: vec![] };
            let holds = |j: u64, row: u64| row <= j * slide && row + size > j * slide;
            for row in 1..40 {
                let of: Vec<u64> = (1..100).filter(|&j| holds(j, row)).collect();
                assert_eq!(w.windows_of(row), of.len(), "{w:?} {row}");
                assert_eq!(w.closed_by(row), (1..100).find(|j| j * slide == row), "{w:?} {row}");
                let next = (1..100).find(|j| j * slide > row).expect("there is a next one");
                assert_eq!(Some(w.next_first(row)), (1..200).find(|&r| holds(next, r)), "{w:?} {row}");
                let open = (next..100).filter(|&j| (1..=row).any(|r| holds(j, r))).count() as u64;
                assert_eq!(w.open_after(row), Some(open), "{w:?} {row}");
            }
        }
        assert_eq!(CountWindow { size: 2, slide: 2, keys: vec![] }.open_after(u64::MAX), None);
    }
}

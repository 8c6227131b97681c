//! Which rows of a batch count: all of them, or a list of row numbers in ascending order.

/// Rows that stand one behind the other: which they are.
#[inline]
pub fn run_of(rows: &[u32]) -> Option<std::ops::Range<usize>> {
    let first = *rows.first()?;
    // Without a way out of the loop, which is then done by SIMD.
    let apart = (first..).zip(rows).fold(0, |apart, (n, &row)| apart | (n ^ row));
    (apart == 0).then(|| first as usize..first as usize + rows.len())
}

/// A borrowed selection: what kernels and operators loop over.
#[derive(Clone, Copy, Debug)]
pub enum Sel<'a> {
    /// Rows `0..n`.
    All(usize),
    /// These rows, ascending, without repetition.
    Rows(&'a [u32]),
}

impl<'a> Sel<'a> {
    /// Number of selected rows.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Sel::All(n) => *n,
            Sel::Rows(r) => r.len(),
        }
    }

    /// Nothing is selected.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `f` with each selected row number, ascending.
    #[inline(always)]
    pub fn for_each(&self, mut f: impl FnMut(usize)) {
        match self {
            Sel::All(n) => (0..*n).for_each(&mut f),
            Sel::Rows(r) => r.iter().for_each(|&i| f(i as usize)),
        }
    }

    /// Calls `f` with each selected row number, ascending, until it fails.
    ///
    /// # Errors
    /// The first error of `f`.
    #[inline(always)]
    pub fn try_for_each<E>(&self, mut f: impl FnMut(usize) -> Result<(), E>) -> Result<(), E> {
        match self {
            Sel::All(n) => (0..*n).try_for_each(&mut f),
            Sel::Rows(r) => r.iter().try_for_each(|&i| f(i as usize)),
        }
    }

    /// The row, if it is one alone.
    #[inline(always)]
    pub fn only(&self) -> Option<usize> {
        match self {
            Sel::All(1) => Some(0),
            Sel::Rows([row]) => Some(*row as usize),
            _ => None,
        }
    }

    /// The row number at position `k` of the selection.
    #[inline]
    pub fn row(&self, k: usize) -> usize {
        match self {
            Sel::All(_) => k,
            Sel::Rows(r) => r[k] as usize,
        }
    }

    /// The selected rows below `end`.
    #[must_use]
    pub fn below(self, end: usize) -> Sel<'a> {
        match self {
            Sel::All(n) => Sel::All(n.min(end)),
            Sel::Rows(r) => Sel::Rows(&r[..r.partition_point(|&i| (i as usize) < end)]),
        }
    }

    /// Appends the row numbers to a list.
    #[inline]
    pub fn list(self, to: &mut Vec<u32>) {
        match self {
            Sel::All(n) => to.extend(0..n as u32),
            Sel::Rows(rows) => to.extend_from_slice(rows),
        }
    }

    /// The row numbers, as an iterator.
    pub fn iter(self) -> impl Iterator<Item = usize> + 'a {
        (0..self.len()).map(move |k| self.row(k))
    }
}

#[cfg(test)]
mod tests {
    use super::run_of;

    #[test]
    fn a_run_is_of_rows_one_behind_the_other() {
        assert_eq!(run_of(&[]), None);
        assert_eq!(run_of(&[7]), Some(7..8));
        assert_eq!(run_of(&[3, 4, 5]), Some(3..6));
        assert_eq!(run_of(&[0, 2, 1, 3]), None);
        assert_eq!(run_of(&[0, 1, 3]), None);
    }
}

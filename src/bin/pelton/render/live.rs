//! A result whose rows change, as a table that is painted again in place.
//!
//! The table holds the rows as they are now, in the order in which they first appeared: an update takes the place of the row
//! that it replaces.

use super::{Shape, aligned};
use pelton::batch::{Batch, RowKind};
use std::collections::HashMap;
use unicode_width::UnicodeWidthStr as _;

/// The current rows of a result.
pub(crate) struct LiveTable {
    shape: Shape,
    /// Rows by number of appearance; the gaps are rows that are gone.
    rows: std::collections::BTreeMap<u64, Vec<String>>,
    next: u64,
    /// Where a row stands: by its key, else by all its cells. Equal rows stand in several places.
    places: HashMap<Vec<String>, Vec<u64>>,
    /// The place of the `-U` just before.
    vacated: Option<u64>,
}

impl LiveTable {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { shape, rows: Default::default(), next: 0, places: HashMap::new(), vacated: None }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Applies the changes of a batch.
    pub(crate) fn batch(&mut self, batch: &Batch) {
        for row in batch.sel().iter() {
            let cells: Vec<String> =
                (0..self.shape.schema.len()).map(|c| self.shape.cell(batch, c, row)).collect();
            self.apply(batch.kind(row), cells);
        }
    }

    fn identity(&self, cells: &[String]) -> Vec<String> {
        match &self.shape.upsert_key {
            Some(key) => key.iter().map(|&c| cells[c].clone()).collect(),
            None => cells.to_vec(),
        }
    }

    fn apply(&mut self, kind: RowKind, cells: Vec<String>) {
        let identity = self.identity(&cells);
        let upsert = self.shape.upsert_key.is_some();
        match kind {
            RowKind::Insert | RowKind::UpdateAfter => {
                let at = match self.places.get(&identity).and_then(|p| p.last()) {
                    Some(&at) if upsert => at,
                    _ => {
                        let at = self.vacated.take().filter(|_| kind == RowKind::UpdateAfter).unwrap_or_else(
                            || {
                                self.next += 1;
                                self.next
                            },
                        );
                        self.places.entry(identity).or_default().push(at);
                        at
                    }
                };
                self.rows.insert(at, cells);
                self.vacated = None;
            }
            RowKind::UpdateBefore | RowKind::Delete => {
                self.vacated = None;
                if let Some(places) = self.places.get_mut(&identity)
                    && let Some(at) = places.pop()
                {
                    if places.is_empty() {
                        self.places.remove(&identity);
                    }
                    self.rows.remove(&at);
                    self.vacated = (kind == RowKind::UpdateBefore).then_some(at);
                }
            }
        }
    }

    /// The header and the last rows, `most` lines in all; what does not fit is counted in a line of its own.
    pub(crate) fn paint(&self, most: usize) -> Vec<String> {
        let names: Vec<String> = self.shape.schema.fields.iter().map(|f| f.name.clone()).collect();
        let room = most.saturating_sub(2).max(1);
        let hidden = self.rows.len().saturating_sub(room);
        let shown: Vec<&Vec<String>> = self.rows.values().skip(hidden).collect();
        let mut widths: Vec<usize> = names.iter().map(|n| n.width()).collect();
        for row in &shown {
            for (w, cell) in widths.iter_mut().zip(row.iter()) {
                *w = (*w).max(cell.width());
            }
        }
        let mut out = vec![aligned(&names, &widths, |c| self.shape.is_right(c))];
        if hidden > 0 {
            out.push(format!("… {hidden} rows before"));
        }
        out.extend(shown.into_iter().map(|r| aligned(r, &widths, |c| self.shape.is_right(c))));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::tests::{batch, shape};
    use super::*;
    use RowKind::*;

    #[test]
    fn an_update_takes_the_place_of_its_old_version() {
        let mut t = LiveTable::new(shape(true));
        t.batch(&batch(&[(Insert, Some("a"), Some(1)), (Insert, Some("b"), Some(1))]));
        t.batch(&batch(&[(UpdateBefore, Some("a"), Some(1)), (UpdateAfter, Some("a"), Some(200))]));
        assert_eq!(t.paint(10), ["k  the n", "a    200", "b      1"]);
        t.batch(&batch(&[(UpdateBefore, Some("a"), Some(200)), (Insert, Some("c"), Some(7))]));
        assert_eq!(t.paint(10), ["k  the n", "b      1", "c      7"], "a -U alone takes the row away");
        assert_eq!(t.paint(3), ["k  the n", "… 1 rows before", "c      7"]);
        t.batch(&batch(&[(Delete, Some("b"), Some(1)), (Delete, Some("b"), Some(1))]));
        assert_eq!(t.len(), 1);
    }

    #[test]
    fn an_upsert_replaces_by_key() {
        let mut t = LiveTable::new(Shape { upsert_key: Some(vec![0]), ..shape(true) });
        t.batch(&batch(&[
            (Insert, Some("a"), Some(1)),
            (UpdateAfter, Some("a"), Some(2)),
            (Insert, None, None),
        ]));
        assert_eq!(t.paint(10), ["k     the n", "a         2", "NULL   NULL"]);
        t.batch(&batch(&[(Delete, Some("a"), Some(9))]));
        assert_eq!(t.len(), 1);
    }
}

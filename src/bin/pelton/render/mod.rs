//! How a query's result is shown: as lines of text in one of four forms, or as a table that stays in place on a terminal.

pub(crate) mod lines;
pub(crate) mod live;

use jiff::tz::TimeZone;
use pelton::batch::text::{Style, write_value};
use pelton::batch::{Batch, DataType, Schema};

/// What is known of a result before its first row.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) schema: Schema,
    /// The session's zone, in which TIMESTAMP_LTZ is shown.
    pub(crate) zone: TimeZone,
    /// Rows may also be updated or deleted.
    pub(crate) updates: bool,
    /// Updates come without their old version: these columns identify a row.
    pub(crate) upsert_key: Option<Vec<usize>>,
}

impl Shape {
    fn ty(&self, column: usize) -> &DataType {
        self.schema.ty(column)
    }

    /// The value as people read it: characters as they are (line breaks and other controls escaped), NULL as `NULL`.
    fn cell(&self, batch: &Batch, column: usize, row: usize) -> String {
        let (c, ty) = (batch.column(column), self.ty(column));
        if !c.is_valid(row) {
            return "NULL".to_owned();
        }
        if ty.kind.is_character() {
            let text = String::from_utf8_lossy(c.byte_column().get(row));
            return text
                .chars()
                .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
                .collect();
        }
        let mut out = vec![];
        write_value(c, row, ty, &self.zone, Style::Changelog, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Numbers stand to the right.
    fn is_right(&self, column: usize) -> bool {
        self.ty(column).kind.is_numeric()
    }
}

/// Cells of one row padded to `widths`, two spaces apart, without trailing space.
fn aligned(cells: &[String], widths: &[usize], right: impl Fn(usize) -> bool) -> String {
    use unicode_width::UnicodeWidthStr as _;
    let mut out = String::new();
    for (i, cell) in cells.iter().enumerate() {
        let pad = widths[i].saturating_sub(cell.width());
        if i > 0 {
            out.push_str("  ");
        }
        if right(i) {
            out.extend(std::iter::repeat_n(' ', pad));
            out.push_str(cell);
        } else {
            out.push_str(cell);
            out.extend(std::iter::repeat_n(' ', pad));
        }
    }
    out.truncate(out.trim_end_matches(' ').len());
    out
}

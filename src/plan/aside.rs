//! What is laid aside while a job runs, as tables: late rows (`SET 'pelton.late-rows' = 'name'`) and rows that could not be decoded (`SET
//! 'pelton.bad-rows' = 'name'`).
//!
//! Such a table is of the job that reads it. Its rows come from the job's other statements: every operator that can be late, every source.
//! A query of it alone reads those of the statement before it, which runs once more for that and writes nothing.

use super::{Op, Window, WindowKind, WindowTime};
use crate::batch::{Field, Schema, TypeKind};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Rows that the watermark had passed.
    LateRows,
    /// Rows that could not be decoded.
    BadRows,
}

impl Aside {
    /// Both.
    pub const ALL: [Aside; 2] = [Aside::LateRows, Aside::BadRows];

    /// The setting that names the table.
    pub fn setting(self) -> &'static str {
        match self {
            Aside::LateRows => "pelton.late-rows",
            Aside::BadRows => "pelton.bad-rows",
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Aside::LateRows => "LateRows",
            Aside::BadRows => "BadRows",
        }
    }

    /// The columns.
    pub fn schema(self) -> Schema {
        match self {
            Aside::LateRows => late_rows(),
            Aside::BadRows => bad_rows(),
        }
    }

    /// The operation may lay such rows aside.
    pub fn comes_from(self, op: &Op) -> bool {
        match self {
            Aside::BadRows => matches!(op, Op::Scan(_)),
            Aside::LateRows => match op {
                Op::WindowAssign(Window { kind, time, .. }) => {
                    matches!((kind, time), (WindowKind::Session { .. }, WindowTime::Attribute(_)))
                }
                Op::WindowAggregate { .. }
                | Op::WindowRank { .. }
                | Op::Over(_)
                | Op::Deduplicate { .. }
                | Op::SortByTime { .. } => true,
                _ => false,
            },
        }
    }
}

/// `operator` (its stable name), `row_json`, `row_time`, `watermark_time` and, of windows, `window_start` and `window_end`. Times of
/// TIMESTAMP_LTZ are in UTC, windows as the query shows them.
pub fn late_rows() -> Schema {
    let time = || TypeKind::Timestamp(3).nullable();
    Schema::new(vec![
        Field::new("operator", TypeKind::STRING.not_null()),
        Field::new("row_json", TypeKind::STRING.not_null()),
        Field::new("row_time", time()),
        Field::new("watermark_time", time()),
        Field::new("window_start", time()),
        Field::new("window_end", time()),
    ])
}

/// `table_name`, `source` (the file), `place` (line and column), `record_text` (as it stood there) and `error`.
pub fn bad_rows() -> Schema {
    let names = ["table_name", "source", "place", "record_text", "error"];
    Schema::new(names.map(|n| Field::new(n, TypeKind::STRING.not_null())).into())
}

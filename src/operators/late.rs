//! Late rows as a table: the rows that an operator dropped because the watermark had passed them, each with where and why.
//!
//! An operator notes them while it works ([`Late::row`]) and hands them over behind its output ([`super::Operator::take_late`]), so that there are
//! never more than one batch of input can be late. Where nobody reads them, noting costs a branch on a row that is late already.

use super::{Context, Counters, Stage};
use crate::batch::{Batch, Column, ColumnRef, Decoder, Encoder, Schema};
use crate::error::Result;
use crate::expr::functions::JsonRow;
use crate::plan::aside;

/// The late rows of an operator since the last hand-over.
#[derive(Default)]
pub(super) struct Late(Option<Box<Kept>>);

struct Kept {
    operator: String,
    json: JsonRow,
    columns: Vec<Column>,
    rows: usize,
}

/// What is known of a late row besides itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    /// Its event time, µs.
    pub(super) time_us: Option<i64>,
    /// The watermark that had passed it, ms.
    pub(super) watermark: i64,
    /// Its window, µs of local time.
    pub(super) window: Option<(i64, i64)>,
}

impl Late {
    /// From now on late rows are kept, under the operator's name; `input` is the schema of its rows.
    pub(super) fn keep(&mut self, operator: &str, input: &Schema) {
        let columns = columns();
        self.0 =
            Some(Box::new(Kept { operator: operator.into(), json: JsonRow::of(input), columns, rows: 0 }));
    }

    /// Row `row` of `batch` is late.
    #[inline]
    pub(super) fn row(&mut self, batch: &Batch, row: usize, when: When) {
        if let Some(kept) = &mut self.0 {
            kept.row(batch, row, when);
        }
    }

    /// The rows since the last call, as rows of [`aside::late_rows`].
    pub(super) fn take(&mut self) -> Option<Batch> {
        let kept = self.0.as_mut().filter(|k| k.rows > 0)?;
        let rows = std::mem::take(&mut kept.rows);
        let full = std::mem::replace(&mut kept.columns, columns());
        Some(Batch::new(full.into_iter().map(ColumnRef::new).collect(), rows))
    }
}

fn columns() -> Vec<Column> {
    aside::late_rows().fields.iter().map(|f| Column::new(&f.ty)).collect()
}

impl Kept {
    #[cold]
    fn row(&mut self, batch: &Batch, row: usize, when: When) {
        let Self { operator, json, columns, rows } = self;
        *rows += 1;
        columns[0].validity.push(true);
        columns[0].byte_column_mut().push(operator.as_bytes());
        columns[1].validity.push(true);
        columns[1].byte_column_mut().writer().push_with(|to| json.write(&batch.columns, row, to));
        let times = [
            when.time_us,
            Some(when.watermark.saturating_mul(1000)),
            when.window.map(|w| w.0),
            when.window.map(|w| w.1),
        ];
        for (c, time) in columns[2..].iter_mut().zip(times) {
            match time {
                Some(us) => {
                    c.validity.push(true);
                    c.buffer_mut::<i64>().push(us);
                }
                None => c.push_null(),
            }
        }
    }
}

/// Passes on the rows that another operator or a source laid aside.
#[derive(Default)]
pub struct Aside {
    counters: Counters,
}

impl Stage for Aside {
    fn apply(&mut self, batch: &mut Batch, _cx: &mut Context<'_>) -> Result<()> {
        self.counters.batches_in += 1;
        self.counters.rows_in += batch.selected() as u64;
        self.counters.rows_out += batch.selected() as u64;
        Ok(())
    }

    fn snapshot(&self, to: &mut Encoder) {
        to.block(b"ASID", 1);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"ASID", 1).map(drop)
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

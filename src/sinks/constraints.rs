//! NOT NULL in front of a sink, as Flink's constraint enforcer: the job fails, or the row is dropped.

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::plan::connector::SinkSpec;
use crate::shard::{IoContext, Output};

/// An output that lets no NULL into NOT NULL columns.
pub(super) struct Enforced {
    inner: Box<dyn Output>,
    /// The columns and their names.
    columns: Vec<(usize, String)>,
    drop: bool,
    /// Rows that were dropped.
    dropped: u64,
    /// Checked rows that the output did not take yet.
    held: Option<Batch>,
    /// To be reported once the rows before it were taken.
    failure: Option<Error>,
}

impl Enforced {
    /// The output, with the check in front where the table has something to check.
    pub(super) fn around(inner: Box<dyn Output>, spec: &SinkSpec) -> Box<dyn Output> {
        // The table's own names; a result has those of its query.
        let fields = spec.table.as_ref().map_or(&spec.schema.fields, |t| &t.schema.fields);
        let columns: Vec<_> = fields
            .iter()
            .enumerate()
            .take(spec.schema.len())
            .filter(|(_, f)| !f.ty.nullable)
            .map(|(i, f)| (i, f.name.clone()))
            .collect();
        if columns.is_empty() {
            return inner;
        }
        Box::new(Self { inner, columns, drop: spec.drop_nulls, dropped: 0, held: None, failure: None })
    }

    /// The column that is NULL in the row.
    fn violated(&self, batch: &Batch, row: usize) -> Option<&str> {
        self.columns.iter().find(|(c, _)| !batch.column(*c).is_valid(row)).map(|(_, n)| n.as_str())
    }

    /// Takes away the rows that must not pass.
    fn check(&mut self, batch: &mut Batch, cx: &mut IoContext<'_>) {
        // A batch without rows may be without columns.
        if batch.selected() == 0
            || !self.columns.iter().any(|(c, _)| batch.column(*c).validity.may_have_nulls())
        {
            return;
        }
        let (mut kept, mut dropped) = (cx.pool.row_list(), 0);
        for row in batch.sel().iter() {
            match self.violated(batch, row) {
                None => kept.push(row as u32),
                Some(_) if self.drop => dropped += 1,
                Some(name) => {
                    self.failure = Some(violation(name));
                    break;
                }
            }
        }
        self.dropped += dropped;
        let old = if kept.len() == batch.selected() { Some(kept) } else { batch.select(Some(kept)) };
        if let Some(rows) = old {
            cx.pool.recycle_rows(rows);
        }
    }
}

fn violation(column: &str) -> Error {
    Error::runtime(format!(
        "Column '{column}' is NOT NULL, however, a null value is being written into it. You can set job configuration \
         'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception and drop such records silently."
    ))
}

impl Output for Enforced {
    fn offer(&mut self, mut batch: Batch, cx: &mut IoContext<'_>) -> Result<Option<Batch>> {
        if let Some(held) = self.held.take() {
            self.held = self.inner.offer(held, cx)?;
            if self.held.is_some() {
                return Ok(Some(batch));
            }
        }
        if let Some(e) = self.failure.take() {
            return Err(e);
        }
        self.check(&mut batch, cx);
        self.held = self.inner.offer(batch, cx)?;
        match self.held {
            None => self.failure.take().map_or(Ok(None), Err),
            Some(_) => Ok(None),
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }

    fn finish(&mut self) -> Result<()> {
        match self.failure.take() {
            Some(e) => Err(e),
            None => self.inner.finish(),
        }
    }

    fn rows(&self) -> u64 {
        self.inner.rows()
    }

    fn dropped(&self) -> u64 {
        self.dropped
    }
}

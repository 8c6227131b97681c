//! Count windows: over rows that only come, since a row that leaves would have to be taken out of windows that have been given.

use super::{Builder, Built, Output, aggregates, without_time};
use crate::batch::Field;
use crate::error::Result;
use crate::plan::logical::{AggregateCall, Rel};
use crate::plan::{Changelog, CountWindow, NodeId, Op};

impl Builder {
    pub(super) fn count_assign(&mut self, input: &Rel, window: &CountWindow, rel: &Rel) -> Result<Built> {
        let (built, window) = self.counted(input, window, rel)?;
        let mut schema = without_time(&self.node(built.node).schema);
        let mut columns = built.columns;
        columns.push(schema.len());
        schema.fields.push(Field::new("window_number", CountWindow::number_type()));
        let output = Output { schema, changelog: Changelog::INSERT, upsert_key: None };
        let node = self.add(Op::CountAssign(window), vec![built.node], output, rel.span);
        Ok(Built { node, columns })
    }

    pub(super) fn count_aggregate(
        &mut self,
        input: &Rel,
        window: &CountWindow,
        calls: &[AggregateCall],
        rel: &Rel,
    ) -> Result<Built> {
        let (built, window) = self.counted(input, window, rel)?;
        let aggregates = aggregates(calls, &built, Changelog::INSERT);
        let keys = window.keys.len();
        let output = Output {
            schema: without_time(&rel.schema),
            changelog: Changelog::INSERT,
            upsert_key: Some((0..keys).chain([keys + aggregates.len()]).collect()),
        };
        let op = Op::CountAggregate { window, aggregates };
        let node = self.add(op, vec![built.node], output, rel.span);
        Ok(Built { node, columns: (0..rel.schema.len()).collect() })
    }

    /// The input, and the windows in its columns.
    fn counted(&mut self, input: &Rel, window: &CountWindow, rel: &Rel) -> Result<(Built, CountWindow)> {
        let built = self.rel(input)?;
        self.only_inserts(built.node, rel)?;
        let keys = window.keys.iter().map(|&k| built.columns[k]).collect();
        Ok((built, CountWindow { keys, ..window.clone() }))
    }

    fn only_inserts(&self, node: NodeId, rel: &Rel) -> Result<()> {
        if self.node(node).changelog.is_insert_only() {
            return Ok(());
        }
        Err(self
            .refuse_updates(node, "COUNT_WINDOW", rel.span)
            .hint("count the rows before they are aggregated, or take a window by time"))
    }
}

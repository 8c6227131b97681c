//! Sinks: which changes they take, and by which key.

use super::{Builder, Built, Output};
use crate::error::{Error, Result, Span};
use crate::plan::connector::TableSpec;
use crate::plan::logical::{Rel, RelKind};
use crate::plan::{NodeId, Op};

impl Builder {
    pub(super) fn sink(&mut self, input: &Rel, rel: &Rel) -> Result<Built> {
        let RelKind::Sink { spec, info, .. } = &rel.kind else { unreachable!("called for a sink") };
        let node = self.exact(input)?;
        let from = self.node(node);
        if let (Some(table), Some(info)) = (&spec.table, info)
            && !info.accepts.covers(from.changelog)
        {
            let e = self.refuse_updates(node, &format!("the sink '{}'", table.name), rel.span);
            return Err(e.hint(
                "write to a sink that takes updates, or window the aggregation so that each result is final",
            ));
        }
        let output = Output {
            schema: rel.schema.clone(),
            changelog: from.changelog,
            upsert_key: from.upsert_key.clone(),
        };
        if let Some(table) = &spec.table
            && !spec.any_key
        {
            self.check_key(node, table, rel.span)?;
        }
        let node = self.add(Op::Sink(spec.clone()), vec![node], output, rel.span);
        Ok(Built { node, columns: vec![] })
    }

    /// Rows of several keys of a changing query must not meet in one key of the table. Of joins the key is not worked out.
    fn check_key(&self, node: NodeId, table: &TableSpec, span: Span) -> Result<()> {
        let from = self.node(node);
        let holds = |key: &Vec<usize>| key.iter().all(|c| table.primary_key.contains(c));
        let known = table.primary_key.is_empty() || from.upsert_key.as_ref().is_some_and(holds);
        if known || from.changelog.is_insert_only() || self.joins_changes(node) {
            return Ok(());
        }
        let names = |key: &[usize]| {
            key.iter().map(|&c| table.schema.fields[c].name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let own = from.upsert_key.as_ref().map_or("no columns".to_owned(), |k| format!("[{}]", names(k)));
        Err(Error::validation(
            format!(
                "the rows of this query change by {own}, and the primary key of '{}' is [{}]: rows of different keys would \
                 replace each other there",
                table.name,
                names(&table.primary_key)
            ),
            span,
        )
        .hint("group by the table's key, or give the table the query's key"))
    }

    /// Changes come through a join.
    fn joins_changes(&self, node: NodeId) -> bool {
        let n = self.node(node);
        !n.changelog.is_insert_only()
            && (matches!(n.op, Op::Join(_)) || n.inputs.iter().any(|&i| self.joins_changes(i)))
    }

    /// The error of an operation that takes inserted rows only; names the node that makes the changes.
    pub(super) fn refuse_updates(&self, node: NodeId, who: &str, span: Span) -> Error {
        let mut at = node;
        loop {
            let changing = self.node(at).inputs.iter().find(|i| !self.node(**i).changelog.is_insert_only());
            match changing {
                Some(&input) => at = input,
                None => break,
            }
        }
        let from = self.node(at);
        Error::planning(
            format!(
                "{who} takes inserted rows only, but {} also changes rows ({})",
                from.op.name(),
                from.changelog
            ),
            span,
        )
    }
}

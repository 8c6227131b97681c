//! MATCH_RECOGNIZE: over rows that only come, since a match that was told cannot be taken back.

use super::{Builder, Built, Output, aggregate, without_time};
use crate::batch::TimeAttribute;
use crate::error::{Error, Result};
use crate::expr::ExprKind;
use crate::plan::logical::{AggregateCall, Rel};
use crate::plan::{CellKind, Changelog, Match, MatchTime, Op};

impl Builder {
    pub(super) fn match_rows(
        &mut self,
        input: &Rel,
        spec: &Match<AggregateCall>,
        rel: &Rel,
    ) -> Result<Built> {
        let built = self.rel(input)?;
        let from = self.node(built.node);
        if !from.changelog.is_insert_only() {
            return Err(self
                .refuse_updates(built.node, "MATCH_RECOGNIZE", rel.span)
                .hint("de-duplicate keeping the first row, or match before the rows are aggregated"));
        }
        let spec = spec.clone().map(&|c| built.columns[c], &|call| aggregate(&call, &built, false));
        if let MatchTime::Rowtime(time) = spec.time
            && from.schema.ty(time).time != TimeAttribute::Rowtime
        {
            let name = &from.schema.fields[time].name;
            return Err(Error::planning(format!("'{name}' is no time attribute here any more"), rel.span)
                .hint("joins and aggregates end a time attribute: match before them"));
        }
        // The rows of a match come behind each other's watermark: only the time of the match itself is bound by it.
        let mut schema = without_time(&rel.schema);
        for (e, field) in spec.measures.exprs.iter().zip(&mut schema.fields) {
            field.ty.time = match &e.kind {
                ExprKind::Column(c) if matches!(spec.measures.cells[*c].kind, CellKind::Time) => {
                    TimeAttribute::Rowtime
                }
                ExprKind::Call { .. } => e.ty.time,
                _ => TimeAttribute::None,
            };
        }
        let output = Output { schema, changelog: Changelog::INSERT, upsert_key: None };
        let node = self.add(Op::Match(spec), vec![built.node], output, rel.span);
        Ok(Built { node, columns: (0..rel.schema.len()).collect() })
    }
}

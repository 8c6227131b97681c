//! OVER windows, and Top-N of windows: what Flink takes, and in which form it runs.

use super::{Builder, Built, Output, aggregate, without_time};
use crate::batch::{Field, RowKind, TimeAttribute, TypeKind};
use crate::error::{Error, Result};
use crate::plan::logical::{OverCall, Rel, RelKind};
use crate::plan::{self, Changelog, Op, OverOrder, RankInput, SortKey, Window, WindowTime};

impl Builder {
    /// The rows of each window go out when it closes: the result only grows.
    #[expect(clippy::too_many_arguments, reason = "what the relation says, in the node's columns")]
    pub(super) fn window_rank(
        &mut self,
        built: Built,
        partition: Vec<usize>,
        order: Vec<SortKey>,
        (start, end): (u64, u64),
        number: bool,
        window: &Window,
        rel: &Rel,
    ) -> Result<Built> {
        let from = self.node(built.node);
        if !from.changelog.is_insert_only() {
            return Err(self.refuse_updates(built.node, "Top-N of windows", rel.span));
        }
        let WindowTime::Attached { start: first, end: last } = window.time else {
            unreachable!("the rows carry their windows")
        };
        let time = WindowTime::Attached { start: built.columns[first], end: built.columns[last] };
        let by_time = |k: &SortKey| from.schema.ty(k.column).time != TimeAttribute::None;
        let latest = (start, end) == (1, 1) && matches!(order.as_slice(), [k] if k.descending && by_time(k));
        let mut schema = from.schema.clone();
        let mut columns = built.columns;
        if number {
            columns.push(schema.len());
            schema.fields.push(Field::new("$number", TypeKind::BigInt.not_null()));
        }
        let output = Output { schema, changelog: Changelog::INSERT, upsert_key: None };
        let rank = plan::Rank { partition, order, start, end, number, input: RankInput::Append };
        let op = Op::WindowRank { rank, window: Window { time, ..window.clone() }, latest };
        let node = self.add(op, vec![built.node], output, rel.span);
        Ok(Built { node, columns })
    }

    /// Aggregates over the rows up to each row.
    pub(super) fn over(
        &mut self,
        input: &Rel,
        partition: &[usize],
        order: &[SortKey],
        calls: &[OverCall],
        rel: &Rel,
    ) -> Result<Built> {
        if let RelKind::Over { .. } = input.kind {
            return Err(Error::planning(
                "all OVER windows of a SELECT must have the same PARTITION BY and ORDER BY",
                rel.span,
            )
            .hint("compute this one in a query around the others: SELECT *, … OVER (…) FROM (SELECT *, … OVER (…) FROM t)"));
        }
        let built = self.rel(input)?;
        let partition: Vec<usize> = partition.iter().map(|&c| built.columns[c]).collect();
        let [key] = order else {
            return Err(Error::planning("OVER over a stream is ordered by one column", rel.span)
                .hint("order by the time attribute alone"));
        };
        if key.descending {
            return Err(Error::planning(
                "OVER over a stream is ordered ascending: rows come in that order",
                rel.span,
            )
            .hint("take DESC away, or number the rows from the end by a Top-N: … WHERE rn <= n"));
        }
        let key = SortKey { column: built.columns[key.column], ..*key };
        let from = self.node(built.node);
        let order = match from.schema.ty(key.column).time {
            TimeAttribute::Rowtime => OverOrder::Rowtime(key.column),
            TimeAttribute::Proctime => OverOrder::Proctime,
            TimeAttribute::None => OverOrder::Column(key),
        };
        let mut schema = from.schema.clone();
        let mut changelog = Changelog::INSERT;
        if let OverOrder::Column(_) = order {
            if calls.iter().any(|c| !c.frame.is_unbounded()) {
                return Err(Error::planning(
                    "a frame with a first row needs an order by a time attribute",
                    rel.span,
                )
                .hint("write UNBOUNDED PRECEDING, or order by the time attribute"));
            }
            if calls.iter().any(|c| c.frame != calls[0].frame) {
                return Err(Error::planning("over an ordinary column, all calls have one frame", rel.span)
                    .hint("give all of them ROWS UNBOUNDED PRECEDING, or nest queries"));
            }
            schema = without_time(&schema);
            changelog = if from.changelog.is_insert_only() {
                Changelog::INSERT.with(RowKind::UpdateBefore).with(RowKind::UpdateAfter)
            } else {
                Changelog::ALL
            };
        } else if !from.changelog.is_insert_only() {
            return Err(self
                .refuse_updates(built.node, "OVER by time", rel.span)
                .hint("de-duplicate keeping the first row, or order by another column"));
        }
        let mut columns = built.columns.clone();
        columns.extend((0..calls.len()).map(|n| schema.len() + n));
        let width = rel.schema.len() - calls.len();
        schema.fields.extend(without_time(&rel.schema).fields.drain(width..));
        let over = plan::Over {
            partition,
            order,
            calls: calls
                .iter()
                .map(|c| {
                    let mut a = aggregate(&c.aggregate, &built, c.frame.rows_leave());
                    // Distinct values come and go in any order.
                    if c.frame.rows_leave() && !a.distinct {
                        a.accumulator = c.aggregate.function.sliding.clone();
                    }
                    (c.frame, a)
                })
                .collect(),
        };
        let output = Output { schema, changelog, upsert_key: from.upsert_key.clone() };
        let node = self.add(Op::Over(over), vec![built.node], output, rel.span);
        Ok(Built { node, columns })
    }
}

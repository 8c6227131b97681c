//! Windows: where their time comes from, their assignment to rows, and aggregation over them.

use super::{Builder, Built, Output, aggregates, without_time};
use crate::batch::{Field, Schema, TimeAttribute};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{AggregateCall, Rel, RelKind, window_fields};
use crate::plan::{Changelog, Op, Phase, Window, WindowKind, WindowProperty, WindowTime};

impl Builder {
    pub(super) fn window_assign(&mut self, input: &Rel, rel: &Rel) -> Result<Built> {
        let RelKind::WindowTvf { time, kind, partition, zone, .. } = &rel.kind else {
            unreachable!("called for a window function")
        };
        let kind = *kind;
        let mut window = Window {
            kind,
            time: WindowTime::Attribute(*time),
            partition: partition.clone(),
            grouping: false,
            zone: zone.clone(),
        };
        let built = self.rel(input)?;
        let built = self.clocked(built, None, *time, &window, rel.span);
        let time = built.columns[*time];
        window.time = WindowTime::Attribute(time);
        window.partition.iter_mut().for_each(|c| *c = built.columns[*c]);
        let from = self.node(built.node);
        require_rowtime(&from.schema, time, rel.span)?;
        let mut schema = from.schema.clone();
        schema.fields.extend(window_fields(from.schema.ty(time)));
        let mut columns = built.columns;
        columns.extend(schema.len() - 3..schema.len());
        let tumbling = matches!(kind, WindowKind::Tumble { .. });
        let output = Output {
            schema,
            changelog: from.changelog,
            upsert_key: from.upsert_key.clone().filter(|_| tumbling),
        };
        let node = self.add(Op::WindowAssign(window), vec![built.node], output, rel.span);
        Ok(Built { node, columns })
    }

    /// The input of an aggregation over windows by its column `time`. What the clock writes need not be computed before it: a call of PROCTIME is left
    /// out, its column comes behind the others, and its field is given.
    fn timed(&mut self, input: &Rel, time: usize) -> Result<(Built, Option<Field>)> {
        match &input.kind {
            RelKind::Project { input: below, exprs } if is_call_of_the_clock(&exprs[time]) => {
                let (mut rest, mut fields) = (exprs.clone(), input.schema.fields.clone());
                rest.remove(time);
                let field = fields.remove(time);
                let mut built = self.project(below, &rest, &fields, input.span, true)?;
                built.columns.insert(time, self.node(built.node).schema.len());
                Ok((built, Some(field)))
            }
            _ => Ok((self.anyhow(input)?, None)),
        }
    }

    /// Windows' input, with the clock behind it where that is the time in its column `time`. `field`: that column, which the clock adds.
    fn clocked(
        &mut self,
        built: Built,
        field: Option<Field>,
        time: usize,
        window: &Window,
        span: Span,
    ) -> Built {
        let (from, column) = (self.node(built.node), built.columns[time]);
        let mut schema = from.schema.clone();
        schema.fields.extend(field);
        if schema.ty(column).time != TimeAttribute::Proctime {
            return built;
        }
        schema.fields[column].ty.time = TimeAttribute::Rowtime;
        schema.fields[column].ty.nullable = false;
        let output = Output { schema, changelog: from.changelog, upsert_key: from.upsert_key.clone() };
        // The window as it was asked for, by the input's columns.
        let op = Op::Clock { column, window: window.clone() };
        Built { node: self.add(op, vec![built.node], output, span), ..built }
    }

    /// The input of an aggregation over windows, and where it takes them from. Rows that come by the clock and fall into one window each need
    /// no column for that.
    fn windowed(
        &mut self,
        input: &Rel,
        window: &Window,
        reads: impl Fn(usize) -> bool,
        span: Span,
    ) -> Result<(Built, WindowTime)> {
        match window.time {
            WindowTime::Attached { start, end } => {
                let built = self.anyhow(input)?;
                let (start, end) = (built.columns[start], built.columns[end]);
                Ok((built, WindowTime::Attached { start, end }))
            }
            WindowTime::Attribute(c)
                if input.schema.ty(c).time == TimeAttribute::Proctime
                    && matches!(window.kind, WindowKind::Tumble { .. })
                    && !reads(c) =>
            {
                Ok((self.timed(input, c)?.0, WindowTime::Clock))
            }
            WindowTime::Attribute(c) => {
                let (built, field) = self.timed(input, c)?;
                let built = self.clocked(built, field, c, window, span);
                require_rowtime(&self.node(built.node).schema, built.columns[c], span)?;
                let time = WindowTime::Attribute(built.columns[c]);
                Ok((built, time))
            }
            WindowTime::Clock => unreachable!("a script has a column for the time"),
        }
    }

    pub(super) fn window_aggregate(
        &mut self,
        input: &Rel,
        window: &Window,
        keys: &[usize],
        calls: &[AggregateCall],
        properties: &[WindowProperty],
        rel: &Rel,
    ) -> Result<Built> {
        match window.kind {
            WindowKind::Tumble { .. } => {}
            WindowKind::Hop { size, slide, .. } if size % slide != 0 && !window.grouping => {
                return Err(Error::planning(
                    format!(
                        "aggregating HOP windows needs a size that is a multiple of the slide: {size} ms and {slide} ms"
                    ),
                    rel.span,
                ));
            }
            // Rows that were assigned to overlapping windows bring theirs along.
            WindowKind::Hop { .. } | WindowKind::Cumulate { .. } | WindowKind::Session { .. } => {}
        }
        let merging = !matches!(window.kind, WindowKind::Tumble { .. });
        if let Some(call) = calls.iter().find(|c| merging && !c.function.merges) {
            return Err(Error::validation(
                format!("{} cannot be merged, which windows that overlap or grow need", call.name),
                call.span,
            )
            .hint("aggregate over TUMBLE, or take MIN, MAX or ARRAY_AGG"));
        }
        let reads = |c: usize| keys.contains(&c) || calls.iter().any(|a| a.reads(c));
        let (built, time) = self.windowed(input, window, reads, rel.span)?;
        let from = self.node(built.node);
        let keys: Vec<usize> = keys.iter().map(|&k| built.columns[k]).collect();
        let partition = window.partition.iter().map(|&k| built.columns[k]).collect();
        let aggregates = aggregates(calls, &built, from.changelog);
        let mut schema = without_time(&rel.schema);
        let first = keys.len() + aggregates.len();
        for (i, property) in properties.iter().enumerate() {
            if *property == WindowProperty::Time {
                schema.fields[first + i].ty.time = TimeAttribute::Rowtime;
            }
        }
        let window_column = (0..properties.len())
            .find(|&i| matches!(properties[i], WindowProperty::Start | WindowProperty::End));
        let upsert_key = window_column.map(|w| (0..keys.len()).chain([first + w]).collect());
        let output = Output { schema, changelog: Changelog::INSERT, upsert_key };
        let op = Op::WindowAggregate {
            window: Window { time, partition, ..window.clone() },
            keys,
            aggregates,
            properties: properties.to_vec(),
            phase: Phase::Whole,
        };
        let node = self.add(op, vec![built.node], output, rel.span);
        Ok(Built { node, columns: (0..rel.schema.len()).collect() })
    }
}

/// PROCTIME().
fn is_call_of_the_clock(e: &Expr) -> bool {
    e.ty.time == TimeAttribute::Proctime && matches!(&e.kind, ExprKind::Call { args, .. } if args.is_empty())
}

fn require_rowtime(schema: &Schema, column: usize, span: Span) -> Result<()> {
    let field = &schema.fields[column];
    if field.ty.time == TimeAttribute::Rowtime {
        return Ok(());
    }
    Err(Error::validation(
        format!(
            "a window needs a time attribute, but '{}' is an ordinary {} here",
            field.name, field.ty.kind
        ),
        span,
    )
    .hint("joins, aggregates and expressions end a time attribute: window before them"))
}

//! Window table functions: `TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))`, with or without TABLE( ) around, with positional
//! or named arguments.

use super::expr::ExprContext;
use super::names::did_you_mean;
use super::scope::Scope;
use super::{Binder, call};
use crate::batch::{TimeAttribute, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::ExprKind;
use crate::plan::WindowKind;
use crate::plan::logical::Rel;
use crate::sql::ast::{self, ArgValue, ExprKind as Ast, FunctionCall, TableArgSource};

/// The form of one window function.
pub(super) struct Form {
    pub(super) name: &'static str,
    /// The intervals after DATA and TIMECOL: name, and whether it may be left out.
    pub(super) intervals: &'static [(&'static str, bool)],
}

pub(super) static FORMS: &[Form] = &[
    Form { name: "TUMBLE", intervals: &[("SIZE", false), ("OFFSET", true)] },
    Form { name: "HOP", intervals: &[("SLIDE", false), ("SIZE", false), ("OFFSET", true)] },
    Form { name: "CUMULATE", intervals: &[("STEP", false), ("SIZE", false), ("OFFSET", true)] },
    Form { name: "SESSION", intervals: &[("GAP", false)] },
];

impl Form {
    fn usage(&self) -> String {
        let intervals: Vec<String> = self
            .intervals
            .iter()
            .map(|(name, optional)| if *optional { format!("[, {name}]") } else { format!(", {name}") })
            .collect();
        format!("{}(TABLE t, DESCRIPTOR(ts){})", self.name, intervals.concat())
    }
}

impl Binder<'_> {
    /// A table function in FROM.
    pub(super) fn table_function(&mut self, f: &FunctionCall) -> Result<Rel> {
        let name = f.name.to_string().to_uppercase();
        if name == super::count_window::NAME {
            return self.count_window(f);
        }
        match FORMS.iter().find(|form| form.name == name) {
            Some(form) => self.window_function(form, f),
            None if call::is_flink_function(&name) || self.registry.scalar(&name).is_some() => {
                Err(Error::validation(format!("{name} is not a table function"), f.span))
            }
            None if [
                "ML_PREDICT",
                "VECTOR_SEARCH",
                "FROM_CHANGELOG",
                "TO_CHANGELOG",
                "EVALUATE",
                "FORECAST",
                "DETECT_ANOMALIES",
            ]
            .contains(&name.as_str()) =>
            {
                Err(Error::unsupported(format!("the table function {name}"), f.span))
            }
            None => Err(Error::validation(format!("there is no table function '{}'", f.name), f.name.span())
                .hint(match did_you_mean(&name, FORMS.iter().map(|f| f.name)) {
                    Some(hint) => hint,
                    None => "TUMBLE, HOP, CUMULATE, SESSION and COUNT_WINDOW are table functions".into(),
                })),
        }
    }

    fn window_function(&mut self, form: &Form, f: &FunctionCall) -> Result<Rel> {
        let args = arguments(form, f)?;
        let at = f.span;
        let (input, partitioned) =
            table_input(self, form.name, &format!("write {}", form.usage()), args[0].expect("checked"))?;
        let time = self.time_column(form, args[1].expect("checked"), &input)?;
        let mut ms = vec![];
        for ((name, _), arg) in form.intervals.iter().zip(&args[2..]) {
            ms.push(match arg {
                Some(a) => Some((self.interval_ms(form, name, a)?, a.span)),
                None => None,
            });
        }
        let kind = window_kind(form, &ms)?;
        let ty = input.schema.ty(time);
        match ty.time {
            TimeAttribute::Rowtime | TimeAttribute::Proctime => {}
            TimeAttribute::None => unreachable!("checked with the column"),
        }
        let session = matches!(kind, WindowKind::Session { .. });
        if let (Some(&(_, span)), false) = (partitioned.first(), session) {
            return Err(Error::validation(format!("{} takes no PARTITION BY", form.name), span)
                .hint("group by the columns instead"));
        }
        let zone = matches!(ty.kind, TypeKind::TimestampLtz(_)).then(|| self.session.time_zone.clone());
        let partition = partitioned.into_iter().map(|p| p.0).collect();
        Ok(input.window(time, kind, partition, zone, at))
    }

    /// The time attribute that `DESCRIPTOR(ts)` names.
    fn time_column(&mut self, form: &Form, arg: &ast::FunctionArg, input: &Rel) -> Result<usize> {
        let descriptor = match &arg.value {
            ArgValue::Expr(ast::Expr { kind: Ast::Function(c), .. })
                if c.name.to_string().eq_ignore_ascii_case("DESCRIPTOR") =>
            {
                c
            }
            _ => {
                return Err(Error::validation("the time column is given as DESCRIPTOR(column)", arg.span)
                    .hint(format!("write {}", form.usage())));
            }
        };
        let name = match descriptor.args.first().map(|a| &a.value) {
            Some(ArgValue::Expr(ast::Expr { kind: Ast::Name(name), .. })) if name.as_simple().is_some() => {
                name.last()
            }
            _ => return Err(Error::validation("DESCRIPTOR names one column", descriptor.span)),
        };
        let Some(column) = input.schema.fields.iter().position(|f| f.name == name.name) else {
            let e = Error::validation(format!("column '{name}' not found"), name.span);
            let known = input.schema.fields.iter().map(|f| f.name.as_str());
            return Err(match did_you_mean(&name.name, known) {
                Some(hint) => e.hint(hint),
                None => e,
            });
        };
        let ty = input.schema.ty(column);
        if !ty.kind.is_timestamp() {
            return Err(Error::validation(
                format!(
                    "{} needs a TIMESTAMP or TIMESTAMP_LTZ column, but '{name}' is {}",
                    form.name, ty.kind
                ),
                name.span,
            ));
        }
        if ty.time == TimeAttribute::None {
            return Err(Error::validation(
                format!("{} needs a time attribute, but '{name}' is an ordinary {}", form.name, ty.kind),
                name.span,
            )
            .hint(format!(
                "declare it in CREATE TABLE: WATERMARK FOR {name} AS {name} - INTERVAL '5' SECOND"
            )));
        }
        Ok(column)
    }

    pub(super) fn interval_ms(&mut self, form: &Form, name: &str, arg: &ast::FunctionArg) -> Result<i64> {
        let ArgValue::Expr(e) = &arg.value else {
            return Err(Error::validation(format!("{name} of {} is an interval", form.name), arg.span));
        };
        let scope = Scope::default();
        let bound = self.expr(e, &mut ExprContext::plain(&scope, "window function"))?;
        match (&bound.kind, &bound.ty.kind) {
            (_, TypeKind::IntervalMonths(_)) => Err(Error::planning(
                format!(
                    "{name} of {} is in days, hours, minutes or seconds: months differ in length",
                    form.name
                ),
                e.span,
            )),
            (ExprKind::Literal(v), TypeKind::IntervalMillis(_)) if v.is_valid(0) => Ok(v.slice::<i64>()[0]),
            (_, TypeKind::IntervalMillis(_)) => {
                Err(Error::planning(format!("{name} of {} must be constant", form.name), e.span))
            }
            _ => Err(Error::validation(
                format!("{name} of {} is an interval, not {}", form.name, bound.ty.kind),
                e.span,
            )
            .hint("write INTERVAL '10' SECOND")),
        }
    }
}

/// The relation that a table argument names, and the columns of its PARTITION BY.
pub(super) fn table_input(
    binder: &mut Binder<'_>,
    name: &str,
    usage: &str,
    arg: &ast::FunctionArg,
) -> Result<(Rel, Vec<(usize, Span)>)> {
    let reads = |at: Span| Err(Error::validation(format!("{name} reads a table"), at).hint(usage));
    match &arg.value {
        ArgValue::Table(t) => {
            let rel = match &t.source {
                TableArgSource::Table(name) => binder.table(name, &[], t.span)?.0,
                TableArgSource::Query(q) => binder.query(q)?,
                TableArgSource::Expr(e) => return reads(e.span),
            };
            if let Some(o) = t.order_by.first() {
                return Err(Error::validation(format!("{name} takes no ORDER BY"), o.span));
            }
            let keys = t.partition_by.iter().map(|e| partition_column(&rel, e)).collect::<Result<_>>()?;
            Ok((rel, keys))
        }
        ArgValue::Expr(ast::Expr { kind: Ast::Subquery(q), .. }) => Ok((binder.query(q)?, vec![])),
        ArgValue::Expr(_) | ArgValue::Unit(_) => reads(arg.span),
    }
}

/// The column that a PARTITION BY names.
fn partition_column(rel: &Rel, name: &ast::Ident) -> Result<(usize, Span)> {
    match rel.schema.fields.iter().position(|f| f.name == name.name) {
        Some(column) => Ok((column, name.span)),
        None => {
            let error = Error::validation(format!("column '{name}' not found"), name.span);
            let known = rel.schema.fields.iter().map(|f| f.name.as_str());
            Err(match did_you_mean(&name.name, known) {
                Some(hint) => error.hint(hint),
                None => error,
            })
        }
    }
}

/// The arguments in the form's order: DATA, TIMECOL, then the intervals.
fn arguments<'a>(form: &Form, f: &'a FunctionCall) -> Result<Vec<Option<&'a ast::FunctionArg>>> {
    let names: Vec<&str> =
        ["DATA", "TIMECOL"].into_iter().chain(form.intervals.iter().map(|i| i.0)).collect();
    let required = 2 + form.intervals.iter().filter(|i| !i.1).count();
    let mut out: Vec<Option<&ast::FunctionArg>> = vec![None; names.len()];
    let wrong = |message: String, span: Span| {
        Err(Error::validation(message, span).hint(format!("write {}", form.usage())))
    };
    for (i, arg) in f.args.iter().enumerate() {
        let place = match &arg.name {
            None => i,
            Some(name) => match names.iter().position(|n| n.eq_ignore_ascii_case(&name.name)) {
                Some(place) => place,
                None => return wrong(format!("{} has no argument '{name}'", form.name), name.span),
            },
        };
        if place >= out.len() {
            return wrong(
                format!("{} takes at most {} arguments, {} given", form.name, out.len(), f.args.len()),
                f.span,
            );
        }
        if out[place].replace(arg).is_some() {
            return wrong(format!("{} of {} is given twice", names[place], form.name), arg.span);
        }
    }
    if let Some(missing) = out[..required].iter().position(Option::is_none) {
        return wrong(
            format!("{} expects at least {required} arguments: {} is missing", form.name, names[missing]),
            f.span,
        );
    }
    Ok(out)
}

pub(super) fn window_kind(form: &Form, ms: &[Option<(i64, Span)>]) -> Result<WindowKind> {
    let of = |i: usize| ms.get(i).copied().flatten().unwrap_or_default();
    let positive = |i: usize| {
        let (value, span) = of(i);
        if value > 0 {
            return Ok(value);
        }
        Err(Error::validation(
            format!("{} of {} must be positive, not {value} ms", form.intervals[i].0, form.name),
            span,
        ))
    };
    let offset_below = |i: usize, limit: i64| {
        let (offset, span) = of(i);
        if offset.abs() < limit {
            return Ok(offset);
        }
        Err(Error::validation(
            format!("OFFSET of {} must be smaller than {limit} ms, not {offset} ms", form.name),
            span,
        ))
    };
    Ok(match form.name {
        "TUMBLE" => {
            let size = positive(0)?;
            WindowKind::Tumble { size, offset: offset_below(1, size)? }
        }
        "HOP" => {
            let (slide, size) = (positive(0)?, positive(1)?);
            WindowKind::Hop { size, slide, offset: offset_below(2, slide)? }
        }
        "CUMULATE" => {
            let (step, size) = (positive(0)?, positive(1)?);
            if size % step != 0 {
                return Err(Error::validation(
                    format!("SIZE of CUMULATE must be a multiple of STEP: {size} ms and {step} ms"),
                    of(0).1.to(of(1).1),
                ));
            }
            WindowKind::Cumulate { size, step, offset: offset_below(2, size)? }
        }
        _ => WindowKind::Session { gap: positive(0)? },
    })
}

//! Flink's older windows: `GROUP BY TUMBLE(ts, INTERVAL …)`, HOP and SESSION, with their auxiliary functions (`TUMBLE_START`, `TUMBLE_END`,
//! `TUMBLE_ROWTIME`, …).
//!
//! They become the window table function of the same name under a GROUP BY of its columns. While a SELECT is bound, a property of its
//! window stands in expressions as a column with a number that no relation reaches ([`FIRST`]); when the rows are grouped, those
//! become the function's columns ([`Binder::apply_group_window`]). Sessions are of the other keys, so these are computed first.

use super::expr::ExprContext;
use super::window::{FORMS, Form, window_kind};
use super::{Binder, grouping, over};
use crate::batch::{TimeAttribute, TypeKind};
use crate::error::{Error, Result, Span};
use crate::expr::{Expr, ExprKind};
use crate::plan::WindowKind;
use crate::plan::logical::{Rel, same_expr};
use crate::sql::ast::{self, ArgValue, ExprKind as Ast, FunctionCall};

/// The columns of a window's start, end and time, until it is known where they stand.
pub(super) const FIRST: usize = over::FIRST >> 1;

/// The window that a SELECT is grouped by.
#[derive(Clone)]
pub(crate) struct GroupWindow {
    form: &'static Form,
    kind: WindowKind,
    time: Expr,
    span: Span,
}

/// The window function that a call in GROUP BY is.
pub(super) fn form_of(e: &ast::Expr) -> Option<(&'static Form, &FunctionCall)> {
    let Ast::Function(call) = &e.kind else { return None };
    let name = call.name.to_string();
    let form = FORMS.iter().find(|f| f.name.eq_ignore_ascii_case(&name) && f.name != "CUMULATE")?;
    Some((form, call))
}

/// The window function whose auxiliary a name is, and of which property: 0 start, 1 end, 2 time, 3 processing time.
fn auxiliary(name: &str) -> Option<(&'static Form, usize)> {
    let (form, property) = name.split_once('_')?;
    let form = FORMS.iter().find(|f| f.name == form && f.name != "CUMULATE")?;
    let property = ["START", "END", "ROWTIME", "PROCTIME"].iter().position(|p| *p == property)?;
    Some((form, property))
}

/// The name is that of an auxiliary function.
pub(super) fn is_auxiliary(name: &str) -> bool {
    auxiliary(name).is_some()
}

impl Binder<'_> {
    /// Notes the window of GROUP BY; gives its start and end as keys.
    pub(super) fn group_window(
        &mut self,
        form: &'static Form,
        call: &FunctionCall,
        cx: &mut ExprContext<'_>,
    ) -> Result<[Expr; 2]> {
        if let Some(first) = &self.group_window {
            let (first, name) = (first.form.name, form.name);
            return Err(Error::planning(format!("GROUP BY has two windows: {first} and {name}"), call.span)
                .hint("window in a subquery, and its rows by their TUMBLE_ROWTIME again"));
        }
        let (time, kind) = self.window_call(form, call, cx)?;
        match time.ty.time {
            TimeAttribute::Rowtime if matches!(time.kind, ExprKind::Column(_)) => {}
            TimeAttribute::Proctime => {}
            _ => {
                return Err(Error::validation(
                    format!("{} needs a time attribute, but this is an ordinary {}", form.name, time.ty.kind),
                    time.span,
                )
                .hint("a column with a WATERMARK is one, as long as nothing is computed from it"));
            }
        }
        self.group_window = Some(GroupWindow { form, kind, time, span: call.span });
        let bound = |n| Expr::column(FIRST + n, TypeKind::Timestamp(3).not_null(), call.span);
        Ok([bound(0), bound(1)])
    }

    /// The time and the shape of a call of a window function or of an auxiliary one.
    fn window_call(
        &mut self,
        form: &'static Form,
        call: &FunctionCall,
        cx: &mut ExprContext<'_>,
    ) -> Result<(Expr, WindowKind)> {
        let required = form.intervals.iter().filter(|i| !i.1).count();
        let Some((time, intervals)) = call.args.split_first() else {
            return Err(Error::validation(format!("{} needs a time attribute", call.name), call.span));
        };
        if intervals.len() != required {
            return Err(Error::validation(
                format!("{} takes a time attribute and {required} intervals", call.name),
                call.span,
            ));
        }
        let ArgValue::Expr(time) = &time.value else {
            return Err(Error::validation(format!("{} needs a time attribute", call.name), call.span));
        };
        let time = self.expr(time, cx)?;
        if !time.ty.kind.is_timestamp() {
            return Err(Error::validation(
                format!("{} needs a time attribute, but this has type {}", call.name, time.ty.kind),
                time.span,
            ));
        }
        let mut ms = vec![];
        for ((name, _), arg) in form.intervals.iter().zip(intervals) {
            ms.push(Some((self.interval_ms(form, name, arg)?, arg.span)));
        }
        Ok((time, window_kind(form, &ms)?))
    }

    /// `TUMBLE_START(ts, INTERVAL …)` and its like.
    pub(super) fn window_auxiliary(
        &mut self,
        name: &str,
        call: &FunctionCall,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let (form, property) = auxiliary(name).expect("called for an auxiliary function");
        let (time, kind) = self.window_call(form, call, cx)?;
        let matches =
            |w: &GroupWindow| w.form.name == form.name && w.kind == kind && same_expr(&w.time, &time);
        if !self.group_window.as_ref().is_some_and(matches) {
            return Err(Error::validation(
                format!("{name} must have a matching call of {} in GROUP BY", form.name),
                call.span,
            )
            .hint("with the same time attribute and the same intervals"));
        }
        let ty = match property {
            2 if time.ty.time == TimeAttribute::Proctime => {
                return Err(Error::validation("a window over processing time has no event time", call.span)
                    .hint(format!("write {}_PROCTIME", form.name)));
            }
            2 => time.ty.clone().with_nullable(true),
            3 if time.ty.time == TimeAttribute::Proctime => {
                return self.call_bound("PROCTIME", vec![], call.span);
            }
            3 => {
                return Err(Error::validation(
                    format!("{name} is of windows over processing time, and this one is over event time"),
                    call.span,
                )
                .hint(format!("write {}_ROWTIME", form.name)));
            }
            _ => TypeKind::Timestamp(3).not_null(),
        };
        Ok(Expr::column(FIRST + property, ty, call.span))
    }

    /// Puts the window that was noted over `input`, and gives columns in `keys` and `exprs` their places. (What aggregate calls
    /// read stands over the input's columns, which keep theirs.)
    pub(super) fn apply_group_window(
        &mut self,
        window: GroupWindow,
        input: Rel,
        keys: &mut Vec<Expr>,
        exprs: &mut [&mut Expr],
    ) -> Rel {
        let before = input.schema.len();
        let mut uses_time = false;
        for e in exprs.iter() {
            e.for_each_column(&mut |c| uses_time |= c == FIRST + 2);
        }
        if uses_time {
            keys.push(Expr::column(FIRST + 2, window.time.ty.clone(), window.span));
        }
        let mut rel = input;
        let mut partition = vec![];
        if let WindowKind::Session { .. } = window.kind {
            rel = self.with_keys(rel, keys, exprs, &mut partition);
        }
        let time = match window.time.kind {
            ExprKind::Column(c) => c,
            // PROCTIME(), which becomes one behind the others.
            _ => {
                let span = rel.span;
                let fields = rel.schema.fields.iter().enumerate();
                let mut all: Vec<Expr> = fields.map(|(c, f)| Expr::column(c, f.ty.clone(), span)).collect();
                let mut names: Vec<String> = rel.schema.fields.iter().map(|f| f.name.clone()).collect();
                all.push(window.time.clone());
                names.push("$time".into());
                rel = rel.project(all, names, span);
                rel.schema.len() - 1
            }
        };
        let zone = matches!(window.time.ty.kind, TypeKind::TimestampLtz(_));
        let zone = zone.then(|| self.session.time_zone.clone());
        let rel = rel.window(time, window.kind, partition, zone, window.span).grouped_by_window();
        let first = rel.schema.len() - 3;
        let added = rel.schema.len() - before;
        let place = |c: usize| match c {
            c if c >= over::FIRST => c,
            // Computed keys stand between the input's columns and the window's.
            c if c >= FIRST + 3 => c - FIRST - 3 + before,
            c if c >= FIRST => c - FIRST + first,
            c if c >= grouping::FIRST => c,
            // Aggregate calls stand behind all columns.
            c if c >= before => c + added,
            c => c,
        };
        keys.iter_mut().for_each(|e| e.map_columns(&place));
        exprs.iter_mut().for_each(|e| e.map_columns(&place));
        rel
    }

    /// `rel` with columns for the keys that are computed, which then stand for them.
    fn with_keys(
        &self,
        rel: Rel,
        keys: &mut [Expr],
        exprs: &mut [&mut Expr],
        partition: &mut Vec<usize>,
    ) -> Rel {
        let columns = rel.schema.len();
        let span = rel.span;
        let mut all: Vec<Expr> =
            (0..columns).map(|c| Expr::column(c, rel.schema.ty(c).clone(), span)).collect();
        let mut names: Vec<String> = rel.schema.fields.iter().map(|f| f.name.clone()).collect();
        for key in keys.iter_mut() {
            match key.kind {
                ExprKind::Column(c) if c >= FIRST => {}
                ExprKind::Column(c) => partition.push(c),
                _ => {
                    // A number apart from those of aggregate calls, which follow the input's columns.
                    let made = Expr::column(FIRST + 3 + all.len() - columns, key.ty.clone(), key.span);
                    let computed = std::mem::replace(key, made.clone());
                    exprs.iter_mut().for_each(|e| stand_in(e, &computed, &made));
                    partition.push(all.len());
                    names.push(format!("$key{}", all.len() - columns));
                    all.push(computed);
                }
            }
        }
        if all.len() == columns { rel } else { rel.project(all, names, span) }
    }
}

/// Replaces what equals `computed` by `made`.
fn stand_in(e: &mut Expr, computed: &Expr, made: &Expr) {
    if same_expr(e, computed) {
        e.kind = made.kind.clone();
        return;
    }
    e.children_mut().into_iter().for_each(|c| stand_in(c, computed, made));
}

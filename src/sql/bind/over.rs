//! Calls with OVER: aggregates over the rows up to each row, and the numbering of rows; the WINDOW clause; QUALIFY, which filters by them.
//!
//! As with aggregates, the expressions of a SELECT are bound over the FROM clause's columns, a call with OVER standing in them as a
//! column of a number that no relation reaches ([`FIRST`]). After grouping, [`Binder::over`] puts the calls over the rows and gives
//! those columns their place.
//!
//! **What Flink makes of them.** ROW_NUMBER counts the rows up to the current one, RANK and DENSE_RANK those of equal order too: in a
//! stream all three are COUNT(*). A frame always ends at the current row. All calls of a SELECT are over one partition and order;
//! Flink wants one frame too, Pelton takes several.

use super::Binder;
use super::aggregate::{AggregateUse, is_aggregate};
use super::expr::ExprContext;
use crate::batch::{Field, TimeAttribute, TypeKind};
use crate::error::{Error, Finding, Result, Span};
use crate::expr::{BoundAggregate, Call, Expr, ExprKind};
use crate::plan::logical::{OverCall, Rel, RelKind, same_expr};
use crate::plan::{Frame, SortKey};
use crate::sql::ast::{self, FrameBound, FrameBoundKind, FunctionCall, NamedWindow, OrderItem, WindowSpec};

/// The column that stands for the first call with OVER of a SELECT.
pub(super) const FIRST: usize = 1 << 32;

/// Functions that number rows.
const NUMBERS: [&str; 3] = ["ROW_NUMBER", "RANK", "DENSE_RANK"];

/// What a frame in slices can have: groups of rows that are put together in any order.
const MERGED: [&str; 11] = [
    "COUNT",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "VAR_POP",
    "VAR_SAMP",
    "VARIANCE",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "STDDEV",
];

/// The name is that of a function which has a meaning with OVER alone.
pub(super) fn needs_over(name: &str) -> bool {
    NUMBERS.contains(&name) || ["LAG", "LEAD", "NTILE", "CUME_DIST", "PERCENT_RANK"].contains(&name)
}

/// A call with OVER over the columns of a scope.
pub(super) struct OverUse {
    call: AggregateUse,
    number: Option<&'static str>,
    partition: Vec<Expr>,
    order: Vec<(Expr, OrderItem)>,
    frame: Frame,
    span: Span,
}

impl OverUse {
    /// Its expressions, to change.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.call.exprs_mut().chain(self.partition.iter_mut()).chain(self.order.iter_mut().map(|o| &mut o.0))
    }

    /// Both are over the same partition and order.
    fn is_beside(&self, other: &OverUse) -> bool {
        let key = |i: &OrderItem| super::query::sort_key(i, 0);
        self.partition.len() == other.partition.len()
            && self.partition.iter().zip(&other.partition).all(|(a, b)| same_expr(a, b))
            && self.order.len() == other.order.len()
            && self
                .order
                .iter()
                .zip(&other.order)
                .all(|(a, b)| same_expr(&a.0, &b.0) && key(&a.1) == key(&b.1))
    }

    /// Both give the same value.
    fn is_same(&self, other: &OverUse) -> bool {
        self.is_beside(other)
            && self.frame == other.frame
            && self.number == other.number
            && self.call.is_same(&other.call)
    }
}

/// A window with what it takes from the WINDOW clause.
struct Resolved<'w> {
    partition_by: &'w [ast::Expr],
    order_by: &'w [OrderItem],
    frame: Option<&'w ast::WindowFrame>,
    span: Span,
}

impl Binder<'_> {
    /// A call with OVER.
    pub(super) fn over_call(
        &mut self,
        call: &FunctionCall,
        over: &ast::Over,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<Expr> {
        let name = call.name.to_string().to_uppercase();
        self.check_function(&name, call, at)?;
        if cx.over.is_none() || cx.inside_aggregate {
            return Err(Error::validation(format!("{name} OVER is not allowed in the {}", cx.clause), at)
                .hint(
                    "it stands in the SELECT list, in ORDER BY or in QUALIFY; filter by it in an outer query",
                ));
        }
        let uses = cx.over.take();
        let bound = self.over_use(&name, call, over, at, cx);
        cx.over = uses;
        let bound = bound?;
        let ty = bound.call.ty().clone();
        let uses = cx.over.as_mut().expect("put back");
        let number = uses.iter().position(|u| u.is_same(&bound)).unwrap_or_else(|| {
            uses.push(bound);
            uses.len() - 1
        });
        Ok(Expr::column(FIRST + number, ty, at))
    }

    /// A function that can stand before OVER.
    fn check_function(&self, name: &str, call: &FunctionCall, at: Span) -> Result<()> {
        match name {
            "LEAD" => Err(Error::planning("LEAD looks at rows that have not come yet", at)
                .hint("LAG looks back: put the later row beside the earlier one")),
            "NTILE" | "CUME_DIST" | "PERCENT_RANK" => Err(Error::planning(
                format!("{name} needs all rows of its partition, and a stream has no last one"),
                at,
            )
            .hint("aggregate windows first: TUMBLE, HOP or CUMULATE end")),
            "NTH_VALUE" => Err(Error::validation("there is no function NTH_VALUE", at)
                .hint("FIRST_VALUE, LAST_VALUE and LAG(x, n) are there")),
            _ if !is_aggregate(self.registry, name) => Err(Error::validation(
                format!("OVER belongs behind an aggregate, and {} is none", call.name),
                at,
            )),
            _ => Ok(()),
        }
    }

    fn over_use(
        &mut self,
        name: &str,
        call: &FunctionCall,
        over: &ast::Over,
        at: Span,
        cx: &mut ExprContext<'_>,
    ) -> Result<OverUse> {
        let windows = cx.windows;
        let window = match over {
            ast::Over::Name(name) => {
                let spec = &named(windows, &name.name, name.span)?.spec;
                resolve(windows, spec, windows.len())?
            }
            ast::Over::Window(spec) => resolve(windows, spec, windows.len())?,
        };
        let number = NUMBERS.into_iter().find(|n| *n == name);
        if let (true, Some(frame)) = (number.is_some() || name == "LAG", window.frame) {
            return Err(Error::validation(format!("{name} has no frame"), frame.span)
                .hint("take ROWS or RANGE away: it looks at all rows of the partition so far"));
        }
        if window.order_by.is_empty() {
            let message = format!("{name} needs an ORDER BY in its OVER");
            let error = match number {
                Some(_) => Error::validation(message, window.span),
                None => Error::planning(message, window.span),
            };
            return Err(error.hint("order by the time attribute"));
        }
        let partition = window.partition_by.iter().map(|e| self.expr(e, cx)).collect::<Result<Vec<_>>>()?;
        let order = window.order_by.iter().map(|o| Ok((self.expr(&o.expr, cx)?, o.clone())));
        let order = order.collect::<Result<Vec<_>>>()?;
        let frame = match window.frame {
            None if name == "ROW_NUMBER" => Frame::Rows(None),
            None => Frame::Range(None),
            Some(frame) => self.frame(frame, &order, cx)?,
        };
        let bound = match number {
            Some(name) => self.number_use(name, call, at)?,
            // A frame that is bounded may be empty in the eyes of Flink's types.
            None => self.aggregate_use(name, call, at, frame.is_unbounded(), cx)?,
        };
        let frame = self.at_resolution(frame, name, at)?;
        if call.filter.is_some() {
            self.extensions.note(Finding {
                message: "FILTER before OVER is Pelton's own".into(),
                span: at,
                hint: format!("in Flink, put the condition inside: {name}(CASE WHEN … THEN … END) OVER …"),
            });
        }
        Ok(OverUse { call: bound, number, partition, order, frame, span: at })
    }

    /// ROW_NUMBER, RANK and DENSE_RANK count rows.
    fn number_use(&mut self, name: &str, call: &FunctionCall, at: Span) -> Result<AggregateUse> {
        if let Some(arg) = call.args.first() {
            return Err(Error::validation(format!("{name} takes no arguments"), arg.span));
        }
        if call.filter.is_some() || call.quantifier.is_some() || call.nulls.is_some() {
            return Err(Error::validation(format!("{name} counts all rows: it takes nothing but OVER"), at));
        }
        let Some(count) = self.registry.aggregate("COUNT").cloned() else {
            return Err(Error::unsupported(format!("{name} without the function COUNT"), at));
        };
        let to_bind = Call { name: "COUNT", args: &[], span: at, session: &self.session };
        let bound: BoundAggregate = count.bind(&to_bind, true)?;
        Ok(AggregateUse::plain(format!("{name}()"), bound, at))
    }

    fn frame(
        &mut self,
        frame: &ast::WindowFrame,
        order: &[(Expr, OrderItem)],
        cx: &mut ExprContext<'_>,
    ) -> Result<Frame> {
        let ends = |bound: &FrameBound| {
            Error::planning("a frame ends at the current row: later rows have not come yet", bound.span)
                .hint("write ROWS BETWEEN n PRECEDING AND CURRENT ROW, or RANGE BETWEEN INTERVAL … PRECEDING AND CURRENT ROW")
        };
        if let Some(end) = &frame.end
            && !matches!(end.kind, FrameBoundKind::CurrentRow)
        {
            return Err(ends(end));
        }
        match &frame.start.kind {
            FrameBoundKind::UnboundedPreceding if frame.rows => Ok(Frame::Rows(None)),
            FrameBoundKind::UnboundedPreceding => Ok(Frame::Range(None)),
            FrameBoundKind::Preceding(e) => {
                let bound = self.expr(e, cx)?;
                if frame.rows { preceding_rows(&bound) } else { preceding_time(&bound, order) }
            }
            FrameBoundKind::CurrentRow => {
                Err(Error::planning("a frame of the current row alone", frame.span)
                    .hint("the row has its own values: no OVER is needed for them"))
            }
            FrameBoundKind::UnboundedFollowing | FrameBoundKind::Following(_) => Err(ends(&frame.start)),
        }
    }

    /// A frame of some time back, in slices where the session says so and it is longer than one.
    fn at_resolution(&self, frame: Frame, name: &str, at: Span) -> Result<Frame> {
        let (Frame::Range(Some(reach)), Some(slice)) = (frame, self.settings.range_resolution_ms()) else {
            return Ok(frame);
        };
        if reach <= slice {
            return Ok(frame);
        }
        if !MERGED.contains(&name) {
            return Err(Error::planning(
                format!("{name} over a frame of time needs the rows of the frame, and 'pelton.over.range-resolution' holds none"),
                at,
            )
            .hint(format!("RESET 'pelton.over.range-resolution' before this statement; {} do without rows", MERGED.join(", "))));
        }
        Ok(Frame::Sliced { reach, slice })
    }

    /// Puts the calls over `rel`, over whose columns they and `exprs` are bound, and gives their columns in `exprs` their place. Those
    /// of another partition or order stand over the others: the plan has no place for both, but one may be read by nobody.
    pub(super) fn over(&mut self, mut rel: Rel, uses: Vec<OverUse>, exprs: &mut [&mut Expr]) -> Rel {
        let Some(one) = uses.first() else { return rel };
        if let Some(other) = uses.iter().find(|u| u.is_beside(one) && u.frame != one.frame) {
            self.extensions.note(Finding {
                message: "OVER windows with different frames in one SELECT are Pelton's own".into(),
                span: other.span,
                hint: "in Flink, nest queries: one frame in each".into(),
            });
        }
        let span = rel.span;
        let mut computed: Vec<Expr> =
            rel.schema.fields.iter().enumerate().map(|(n, f)| Expr::column(n, f.ty.clone(), span)).collect();
        let mut names: Vec<String> = rel.schema.fields.iter().map(|f| f.name.clone()).collect();
        let width = computed.len();
        let times: Vec<TimeAttribute> = rel.schema.fields.iter().map(|f| f.ty.time).collect();
        let mut column_of = |e: Expr| match e.kind {
            // A cast may have ended a time attribute.
            ExprKind::Column(c) if e.ty.time == times[c] => c,
            _ => {
                let known = computed[width..].iter().position(|c| same_expr(c, &e) && c.is_deterministic());
                known.map_or_else(
                    || {
                        names.push(self.text(e.span));
                        computed.push(e);
                        computed.len() - 1
                    },
                    |k| width + k,
                )
            }
        };
        // The windows with the numbers of their calls.
        let mut windows: Vec<(OverUse, Vec<usize>)> = vec![];
        let mut calls = vec![];
        for (n, u) in uses.into_iter().enumerate() {
            let aggregate = u.call.clone().over(&mut column_of);
            calls.push(Some(OverCall { aggregate, frame: u.frame, number: u.number }));
            match windows.iter_mut().find(|w| w.0.is_beside(&u)) {
                Some((_, numbers)) => numbers.push(n),
                None => windows.push((u, vec![n])),
            }
        }
        let keys: Vec<(Vec<usize>, Vec<SortKey>)> = windows
            .iter()
            .map(|(u, _)| {
                let partition = u.partition.iter().cloned().map(&mut column_of).collect();
                let order = u.order.iter().map(|(e, i)| super::query::sort_key(i, column_of(e.clone())));
                (partition, order.collect())
            })
            .collect();
        if computed.len() > width {
            rel = rel.project(computed, names, span);
        }
        let mut place = vec![0; calls.len()];
        for ((u, numbers), (partition, order)) in windows.into_iter().zip(keys) {
            let mut schema = rel.schema.clone();
            let mut own = vec![];
            for n in numbers {
                let call = calls[n].take().expect("each call is in one window");
                place[n] = schema.len();
                schema.fields.push(Field::new(format!("$over{n}"), call.aggregate.ty.clone()));
                own.push(call);
            }
            let kind = RelKind::Over { input: Box::new(rel), partition, order, calls: own };
            rel = Rel { kind, schema, span: u.span };
        }
        for e in exprs {
            e.map_columns(&|c| {
                if (FIRST..super::subquery::FIRST).contains(&c) { place[c - FIRST] } else { c }
            });
        }
        rel
    }
}

/// The window of that name.
fn named<'w>(windows: &'w [NamedWindow], name: &str, at: Span) -> Result<&'w NamedWindow> {
    windows.iter().find(|w| w.name.name == name).ok_or_else(|| {
        let known: Vec<&str> = windows.iter().map(|w| w.name.name.as_str()).collect();
        let e = Error::validation(format!("there is no window '{name}'"), at);
        if known.is_empty() {
            e.hint(format!("name it behind the query: WINDOW {name} AS (PARTITION BY … ORDER BY …)"))
        } else {
            e.hint(format!("the WINDOW clause names {}", known.join(", ")))
        }
    })
}

/// A window with what it takes from the one that it refines, which stands before it.
fn resolve<'w>(windows: &'w [NamedWindow], spec: &'w WindowSpec, before: usize) -> Result<Resolved<'w>> {
    if let Some(false) = spec.allow_partial {
        return Err(Error::unsupported("DISALLOW PARTIAL", spec.span));
    }
    let own = Resolved {
        partition_by: &spec.partition_by,
        order_by: &spec.order_by,
        frame: spec.frame.as_ref(),
        span: spec.span,
    };
    let Some(base) = &spec.base else { return Ok(own) };
    let of = named(&windows[..before], &base.name, base.span)?;
    let place = windows.iter().position(|w| std::ptr::eq(w, of)).unwrap_or(0);
    let of = resolve(windows, &of.spec, place)?;
    let refuse = |what: &str| {
        Err(Error::validation(format!("{what} together with the window '{base}'"), spec.span)
            .hint("write the whole window out"))
    };
    if !own.partition_by.is_empty() {
        return refuse("PARTITION BY");
    }
    if !own.order_by.is_empty() && !of.order_by.is_empty() {
        return refuse("a second ORDER BY");
    }
    if of.frame.is_some() {
        return refuse("more than the name");
    }
    if own.frame.is_some() {
        // Flink takes it and then counts all rows of the partition.
        return refuse("ROWS or RANGE");
    }
    let order_by = if own.order_by.is_empty() { of.order_by } else { own.order_by };
    Ok(Resolved { order_by, partition_by: of.partition_by, ..own })
}

/// Windows of a WINDOW clause have different names.
pub(super) fn check_names(windows: &[NamedWindow]) -> Result<()> {
    for (n, w) in windows.iter().enumerate() {
        if windows[..n].iter().any(|v| v.name.name == w.name.name) {
            return Err(Error::validation(format!("the window '{}' is there already", w.name), w.name.span));
        }
    }
    Ok(())
}

fn preceding_rows(bound: &Expr) -> Result<Frame> {
    let wrong = || {
        Error::validation("ROWS counts rows: a whole number, not negative", bound.span)
            .hint("an interval of time goes with RANGE")
    };
    let ExprKind::Literal(v) = &bound.kind else { return Err(wrong()) };
    if !v.is_valid(0) {
        return Err(wrong());
    }
    let n: i64 = match bound.ty.kind {
        TypeKind::TinyInt => v.slice::<i8>()[0].into(),
        TypeKind::SmallInt => v.slice::<i16>()[0].into(),
        TypeKind::Int => v.slice::<i32>()[0].into(),
        TypeKind::BigInt => v.slice::<i64>()[0],
        _ => return Err(wrong()),
    };
    u64::try_from(n).map(|n| Frame::Rows(Some(n))).map_err(|_| wrong())
}

fn preceding_time(bound: &Expr, order: &[(Expr, OrderItem)]) -> Result<Frame> {
    match (&bound.kind, &bound.ty.kind) {
        (_, TypeKind::IntervalMonths(_)) => {
            Err(Error::validation("RANGE takes days, hours, minutes or seconds", bound.span)
                .hint("months differ in length: write days"))
        }
        (ExprKind::Literal(v), TypeKind::IntervalMillis(_)) if v.is_valid(0) => {
            let ms = v.slice::<i64>()[0];
            if ms < 0 {
                return Err(Error::validation("RANGE reaches back: the interval is not negative", bound.span));
            }
            if let [(key, _)] = order
                && !key.ty.kind.is_timestamp()
            {
                return Err(Error::validation(
                    format!("RANGE of an interval needs an order by time, not by {}", key.ty.kind),
                    bound.span,
                ));
            }
            Ok(Frame::Range(Some(ms)))
        }
        (_, TypeKind::IntervalMillis(_)) => {
            Err(Error::validation("the bound of a frame is a constant", bound.span))
        }
        (_, kind) if kind.is_numeric() && order.iter().any(|o| o.0.ty.kind.is_timestamp()) => {
            Err(Error::validation("RANGE over time takes an interval", bound.span)
                .hint("write RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW, or ROWS for a number of rows"))
        }
        (_, kind) if kind.is_numeric() => Err(Error::planning(
            "a frame with a first row needs an order by a time attribute",
            bound.span,
        )
        .hint("write UNBOUNDED PRECEDING, or order by the time attribute")),
        _ => Err(Error::validation("RANGE takes an interval of time", bound.span)),
    }
}

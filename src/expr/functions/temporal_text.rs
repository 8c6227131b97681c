//! Times read from texts and written as texts: TO_TIMESTAMP and its kin, DATE_FORMAT, UNIX_TIMESTAMP, FROM_UNIXTIME, CONVERT_TZ.
//!
//! A constant pattern is compiled when the call is bound ([`Pick`]). One that Java refuses fails at the first row that is not NULL.

use super::datetime_pattern::{Java, Pattern, Refused, Use, read_sql};
use crate::batch::text::civil::{self, DAY_MS, Moment};
use crate::batch::text::{moment, set_moment};
use crate::batch::{Column, ColumnData, ColumnRef, DataType, Sel, TypeKind, View};
use crate::error::{Error, Result};
use crate::expr::function::{BoundFunction, Call, Determinism, FunctionDoc, Registry};
use crate::expr::kernels::text::{build, opt_from, try_build};
use crate::expr::kernels::{fallible, infallible, null_if_any, with_kernel};
use crate::expr::row_expr::{RowExpr, Source, Write};
use crate::expr::{Arg, EvalContext, Kernel, RowError};
use TypeKind::*;
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::ops::Range;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, bind| {
        r.builtin(FunctionDoc { names, family: "temporal", signatures, text, examples: &[] }, bind);
    };
    add(
        &["TO_TIMESTAMP"],
        &["text", "text, pattern"],
        "A text as TIMESTAMP(3); NULL when it is none.",
        to_timestamp,
    );
    add(
        &["TO_TIMESTAMP_LTZ"],
        &["numeric", "numeric, precision", "text", "text, pattern"],
        "Seconds (precision 0), milliseconds (3) or a text as an instant. A text that is no time fails, with a pattern it is NULL.",
        to_timestamp_ltz,
    );
    add(
        &["TO_DATE"],
        &["text", "text, pattern"],
        "A text as DATE; NULL when it is none; with a pattern that it does not fit, 1705471-09-27, as in Flink.",
        to_date,
    );
    add(&["DATE_FORMAT"], &["timestamp, pattern", "text, pattern"], "A time as text.", date_format);
    add(
        &["UNIX_TIMESTAMP"],
        &["", "text", "text, pattern"],
        "Seconds since 1970 of now or of a text in the session's zone.",
        unix_timestamp,
    );
    add(
        &["FROM_UNIXTIME"],
        &["seconds", "seconds, pattern"],
        "Seconds since 1970 as text in the session's zone.",
        from_unixtime,
    );
    add(&["CONVERT_TZ"], &["text, zone, zone"], "A time of one zone as that of another.", convert_tz);
}

fn character(call: &Call<'_>, i: usize) -> bool {
    call.kind(i).is_character() || *call.kind(i) == Null
}

/// The pattern of a call: compiled when it is a literal, else from row to row.
#[derive(Clone)]
enum Pick {
    Fixed(Pattern),
    /// A literal that Java refuses when a row comes.
    Illegal(String),
    Argument(usize, Java, Use),
}

impl Pick {
    fn of(call: &Call<'_>, i: usize, default: &str, java: Java, usage: Use) -> Result<Self> {
        let text = match call.args.get(i) {
            None => Some(default),
            Some(_) => call.literal_text(i),
        };
        let Some(text) = text else { return Ok(Pick::Argument(i, java, usage)) };
        match Pattern::new(text, java, usage) {
            Ok(p) => Ok(Pick::Fixed(p)),
            Err(Refused::Illegal(what)) => Ok(Pick::Illegal(what)),
            Err(Refused::Unsupported(what)) => {
                Err(Error::unsupported(what, call.args.get(i).map_or(call.span, |a| a.span)))
            }
        }
    }

    /// Calls `f` with the row's pattern.
    fn with<T>(
        &self,
        a: &[Arg<'_>],
        row: usize,
        f: impl FnOnce(&Pattern) -> Option<T>,
    ) -> std::result::Result<Option<T>, Refused> {
        match self {
            Pick::Fixed(p) => Ok(f(p)),
            Pick::Illegal(what) => Err(Refused::Illegal(what.clone())),
            Pick::Argument(i, java, usage) => {
                let text = String::from_utf8_lossy(a[*i].bytes(row));
                Ok(f(&Pattern::new(&text, *java, *usage)?))
            }
        }
    }

    /// The function: it can fail unless the pattern is known to be good.
    fn function(
        &self,
        args: Vec<DataType>,
        ty: DataType,
        f: impl Fn(&[Arg<'_>], Sel<'_>, usize, &mut Column) -> Failing + Clone + Send + Sync + 'static,
    ) -> BoundFunction {
        match self {
            Pick::Fixed(_) => infallible(args, ty, move |a, sel, rows, out| {
                let done = f(a, sel, rows, out);
                debug_assert!(done.is_ok());
            }),
            _ => fallible(args, ty, f),
        }
    }
}

type Failing = std::result::Result<(), RowError>;

fn row_error(row: usize) -> impl FnOnce(Refused) -> RowError {
    move |e| RowError::runtime(row, e.message())
}

const SECONDS_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

fn each_moment(
    a: &[Arg<'_>],
    sel: Sel<'_>,
    out: &mut Column,
    f: impl Fn(usize) -> std::result::Result<Option<Moment>, RowError>,
) -> Failing {
    if !null_if_any(a, out) {
        return Ok(());
    }
    sel.try_for_each(|i| {
        if out.validity.get(i) {
            match f(i)? {
                Some(m) => set_moment(out, i, m),
                None => out.validity.set(i, false),
            }
        }
        Ok(())
    })
}

/// Reads local time as TO_TIMESTAMP does: NULL for what cannot be read, also where the pattern cannot.
fn read_timestamp(pick: &Pick, a: &[Arg<'_>], i: usize) -> std::result::Result<Option<Moment>, RowError> {
    let text = a[0].bytes(i);
    match pick.with(a, i, |p| p.read_strict(text).map(|m| m.truncated(3))) {
        Ok(m) => Ok(m.or_else(|| read_sql(text))),
        Err(Refused::Illegal(_)) => Ok(None),
        Err(e) => Err(row_error(i)(e)),
    }
}

fn optional_pattern(call: &Call<'_>, java: Java) -> Result<Option<Pick>> {
    call.count(1..=2)?;
    if !(0..call.args.len()).all(|i| character(call, i)) {
        return Err(call.wrong_types(&["CHARACTER", "CHARACTER, CHARACTER"]));
    }
    Ok(if call.args.len() == 2 { Some(Pick::of(call, 1, "", java, Use::Read)?) } else { None })
}

fn as_text(call: &Call<'_>) -> Vec<DataType> {
    (0..call.args.len())
        .map(|i| {
            if call.kind(i).is_character() {
                call.args[i].ty.clone()
            } else {
                call.wanted(i, TypeKind::STRING)
            }
        })
        .collect()
}

fn to_timestamp(call: &Call<'_>) -> Result<BoundFunction> {
    let (args, ty) = (as_text(call), Timestamp(3).nullable());
    Ok(match optional_pattern(call, Java::Formatter)? {
        None => infallible(args, ty, |a, sel, _, out| {
            let _ = each_moment(a, sel, out, |i| Ok(civil::parse_timestamp(a[0].bytes(i), 3)));
        }),
        Some(pick) => timestamps(pick, args, ty),
    })
}

/// Texts read by a pattern.
fn timestamps(pick: Pick, args: Vec<DataType>, ty: DataType) -> BoundFunction {
    let by = pick.clone();
    pick.function(args, ty, move |a, sel, _, out| each_moment(a, sel, out, |i| read_timestamp(&by, a, i)))
}

/// Years 0 to 9999, the range of TO_TIMESTAMP_LTZ.
fn in_years(m: Moment) -> Option<Moment> {
    (-62_167_219_200..=253_402_300_799).contains(&m.seconds).then_some(m)
}

fn to_timestamp_ltz(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=2)?;
    if character(call, 0) {
        // A text without zone is UTC here, whatever the session's zone.
        let (args, ty) = (as_text(call), TimestampLtz(3).nullable());
        return Ok(match optional_pattern(call, Java::Formatter)? {
            Some(pick) => timestamps(pick, args, ty),
            None => fallible(args, ty, |a, sel, _, out| {
                each_moment(a, sel, out, |i| {
                    let text = a[0].bytes(i);
                    civil::parse_timestamp(text, 3).map(Some).ok_or_else(|| {
                        let shown = String::from_utf8_lossy(text);
                        RowError::runtime(i, format!("Text '{shown}' could not be parsed as TIMESTAMP_LTZ"))
                    })
                })
            }),
        });
    }
    let kind = call.kind(0).clone();
    if !kind.is_numeric() || (call.args.len() == 2 && !call.kind(1).is_integer()) {
        return Err(call.wrong_types(&["NUMERIC", "NUMERIC, INTEGER", "CHARACTER", "CHARACTER, CHARACTER"]));
    }
    let precision = match call.args.len() {
        1 => 3,
        _ => call.literal_integer(1).ok_or_else(|| {
            Error::unsupported("a precision of TO_TIMESTAMP_LTZ that is not a literal", call.args[1].span)
        })?,
    };
    if !(0..=9).contains(&precision) {
        return Err(Error::validation(
            format!("the precision {precision} of TO_TIMESTAMP_LTZ is not between 0 and 9"),
            call.args[1].span,
        ));
    }
    let unit = 10i64.pow(precision as u32);
    let of_whole = move |v: i64| {
        in_years(Moment {
            seconds: v.div_euclid(unit),
            nanos: (v.rem_euclid(unit) * (1_000_000_000 / unit)) as u32,
        })
    };
    let whole = kind.is_integer();
    let mut args = call.as_given();
    args[0] = match kind {
        Decimal(..) | BigInt => call.args[0].ty.clone(),
        _ if whole => call.wanted(0, BigInt),
        _ => call.wanted(0, Double),
    };
    let scale = if let Decimal(_, s) = kind { Some(s) } else { None };
    let ty = TimestampLtz(precision.max(3) as u8).nullable();
    Ok(infallible(args, ty, move |a, sel, _, out| {
        let _ = each_moment(a, sel, out, |i| {
            let at = a[0].at(i);
            Ok(match scale {
                Some(s) => {
                    let v = a[0].column.slice::<i128>()[at] / crate::batch::decimal::pow10(s.into());
                    i64::try_from(v).ok().and_then(of_whole)
                }
                None if whole => of_whole(a[0].column.slice::<i64>()[at]),
                None => {
                    let v = a[0].column.slice::<f64>()[at];
                    let ms = (v * (1000.0 / unit as f64)) as i64;
                    in_years(Moment::from_millis(ms))
                }
            })
        });
    }))
}

/// Flink's value for a text that its pattern does not fit: the days of the smallest i64 of milliseconds, cut to 32 bits.
const NO_DATE: i32 = (i64::MIN / DAY_MS) as i32;

fn to_date(call: &Call<'_>) -> Result<BoundFunction> {
    let (args, ty) = (as_text(call), Date.nullable());
    let Some(pick) = optional_pattern(call, SIMPLE_UTC)? else {
        return Ok(infallible(args, ty, |a, sel, _, out| {
            opt_from::<i32>(a, sel, out, |i| civil::parse_date(a[0].bytes(i)));
        }));
    };
    let by = pick.clone();
    Ok(pick.function(args, ty, move |a, sel, _, out| {
        each_number::<i32>(a, sel, out, |i| {
            let m = by.with(a, i, |p| p.read_lenient(a[0].bytes(i))).map_err(row_error(i))?;
            Ok(m.map_or(NO_DATE, Moment::days))
        })
    }))
}

/// SimpleDateFormat in UTC.
const SIMPLE_UTC: Java = Java::Simple { utc: true };

/// SimpleDateFormat in the session's zone.
fn simple(call: &Call<'_>) -> Java {
    Java::Simple { utc: call.session.time_zone == TimeZone::UTC }
}

/// A number for each selected row where no argument is NULL.
fn each_number<B: crate::batch::Native>(
    a: &[Arg<'_>],
    sel: Sel<'_>,
    out: &mut Column,
    f: impl Fn(usize) -> std::result::Result<B, RowError>,
) -> Failing {
    if !null_if_any(a, out) {
        return Ok(());
    }
    sel.try_for_each(|i| {
        if out.validity.get(i) {
            out.buffer_mut::<B>()[i] = f(i)?;
        }
        Ok(())
    })
}

/// The pattern of seconds, which SimpleDateFormat reads and writes.
fn seconds_pattern(call: &Call<'_>) -> Result<Pattern> {
    Pattern::new(SECONDS_PATTERN, SIMPLE_UTC, Use::Read)
        .map_err(|e| Error::unsupported(e.message(), call.span))
}

fn date_format(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let kind = call.kind(0).clone();
    if !(kind.is_timestamp() || kind.is_character()) || !character(call, 1) {
        return Err(call.wrong_types(&["TIMESTAMP, CHARACTER", "CHARACTER, CHARACTER"]));
    }
    let text = kind.is_character();
    let pick = Pick::of(call, 1, "", if text { SIMPLE_UTC } else { Java::Formatter }, Use::Write)?;
    let zone = call.session.time_zone.clone();
    let ltz = matches!(kind, TimestampLtz(_));
    let from = seconds_pattern(call)?;
    // Flink never says NOT NULL of it.
    let ty = TypeKind::STRING.nullable();
    Ok(with_kernel(call.as_given(), ty, Determinism::Deterministic, move || DateFormat {
        last: Last::of(&pick),
        pick: pick.clone(),
        from: text.then(|| from.clone()),
        zone: ltz.then(|| zone.clone()),
    }))
}

/// DATE_FORMAT. What it has written last stays from batch to batch.
struct DateFormat {
    pick: Pick,
    /// How a text is read, where the argument is one.
    from: Option<Pattern>,
    /// The zone whose time it is, where the argument is an instant.
    zone: Option<TimeZone>,
    last: Last,
}

impl Kernel for DateFormat {
    fn eval(
        &mut self,
        a: &[Arg<'_>],
        sel: Sel<'_>,
        _rows: usize,
        out: &mut Column,
        _cx: &mut EvalContext<'_>,
    ) -> Failing {
        let Self { pick, from, zone, last } = self;
        if !null_if_any(a, out) {
            return Ok(());
        }
        let Column { validity, data: ColumnData::Bytes(texts) } = out else {
            unreachable!("the result is text")
        };
        let mut texts = texts.writer();
        // Mostly a batch is of one day, and that is the day of the batch before.
        if let (None, None, ColumnData::I64(us), Some(view)) = (&*from, &*zone, &a[0].column.data, last.view)
            && !(a[0].constant || validity.may_have_nulls())
        {
            let mut all = true;
            sel.for_each(|i| all &= last.micros.contains(&us[i]));
            if all && let Some(i) = sel.only() {
                // Of a block that is handed out row by row, the row alone.
                texts.set_inline(i, view);
                return Ok(());
            }
            if all {
                let views = texts.views_mut();
                sel.for_each(|i| views[i] = view);
                return Ok(());
            }
        }
        sel.try_for_each(|i| {
            if !validity.get(i) {
                return Ok(());
            }
            let m = match (&*from, &*zone) {
                (Some(from), _) => from.read_lenient(a[0].bytes(i)),
                (None, Some(zone)) => Some(civil::to_local(moment(a[0].column, a[0].at(i)), zone)),
                (None, None) => Some(moment(a[0].column, a[0].at(i))),
            };
            let Some(m) = m else {
                validity.set(i, false);
                return Ok(());
            };
            if let Some(view) = last.view(m) {
                texts.set_inline(i, view);
                return Ok(());
            }
            let mut done = Ok(false);
            texts.set_with(i, |to| done = last.write(m, to, |to| written(pick, a, i, m, to)));
            validity.set(i, done?);
            Ok(())
        })
    }

    fn row_expr(&self, args: Vec<RowExpr>) -> Option<RowExpr> {
        let (Pick::Fixed(pattern), None, None) = (&self.pick, &self.from, &self.zone) else { return None };
        let RowExpr::I64(time) = args.into_iter().next()? else { return None };
        let (pattern, last) = (pattern.clone(), RefCell::new(Last::of(&self.pick)));
        Some(RowExpr::Text(Box::new(RowText { time, pattern, last })))
    }

    fn can_fail(&self) -> bool {
        !matches!(self.pick, Pick::Fixed(_))
    }
}

/// The text of a row's time, µs.
struct RowText {
    time: Source<i64>,
    pattern: Pattern,
    last: RefCell<Last>,
}

impl Write for RowText {
    fn write(&self, columns: &[ColumnRef], row: usize, out: &mut Column) {
        let Some(us) = self.time.at(columns, row) else { return out.validity.set_null(row) };
        let last = &mut *self.last.borrow_mut();
        if last.micros.contains(&us)
            && let Some(view) = last.view
        {
            return out.byte_column_mut().set_inline(row, view);
        }
        self.write_new(us, last, row, out);
    }
}

impl RowText {
    /// Writes the text of a time that is not that of the time before, or not kept.
    #[inline(never)]
    fn write_new(&self, us: i64, last: &mut Last, row: usize, out: &mut Column) {
        let m = Moment::from_micros(us);
        out.byte_column_mut().writer().set_with(row, |to| {
            let done = last.write(m, to, |to| {
                self.pattern.write(m, to);
                Ok(true)
            });
            debug_assert!(done.is_ok(), "a fixed pattern writes any time");
        });
    }
}

/// The text written last: neighbours in a stream are mostly of the same day, and often of the same second.
struct Last {
    /// Seconds in which the text is the same; `None`: it is not kept.
    unit: Option<i64>,
    /// The seconds of the unit that it was.
    same: Range<i64>,
    /// Its microseconds.
    micros: Range<i64>,
    text: [u8; 32],
    len: usize,
    /// The text, where it is short.
    view: Option<View>,
}

impl Last {
    fn of(pick: &Pick) -> Self {
        let unit = if let Pick::Fixed(p) = pick { p.unit() } else { None };
        Self { unit, same: 0..0, micros: 0..0, text: [0; 32], len: 0, view: None }
    }

    /// The text of `m`, where it is that of the time before and short.
    #[inline]
    fn view(&self, m: Moment) -> Option<View> {
        self.view.filter(|_| self.same.contains(&m.seconds))
    }

    /// Writes the text of `m`, by `write` where it is not that of the time before.
    #[inline]
    fn write(
        &mut self,
        m: Moment,
        to: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> std::result::Result<bool, RowError>,
    ) -> std::result::Result<bool, RowError> {
        let Some(unit) = self.unit else { return write(to) };
        if self.same.contains(&m.seconds) {
            to.extend_from_slice(&self.text[..self.len]);
            return Ok(true);
        }
        let at = to.len();
        let done = write(to)?;
        (self.same, self.micros, self.view) = (0..0, 0..0, None);
        if let (true, Some(kept)) = (done, self.text.get_mut(..to.len() - at)) {
            kept.copy_from_slice(&to[at..]);
            let start = m.seconds.div_euclid(unit) * unit;
            (self.same, self.len) = (start..start + unit, to.len() - at);
            let micros = |seconds: i64| seconds.saturating_mul(1_000_000);
            self.micros = micros(start)..micros(start + unit);
            self.view = View::short(kept);
        }
        Ok(done)
    }
}

/// Writes a time by the row's pattern.
fn written(
    pick: &Pick,
    a: &[Arg<'_>],
    i: usize,
    m: Moment,
    to: &mut Vec<u8>,
) -> std::result::Result<bool, RowError> {
    let done = pick.with(a, i, |p| {
        p.write(m, to);
        Some(())
    });
    done.map(|d| d.is_some()).map_err(row_error(i))
}

fn unix_timestamp(call: &Call<'_>) -> Result<BoundFunction> {
    if call.args.is_empty() {
        return super::clock::now(call, BigInt);
    }
    call.count(1..=2)?;
    if !(0..call.args.len()).all(|i| character(call, i)) {
        return Err(call.wrong_types(&["", "CHARACTER", "CHARACTER, CHARACTER"]));
    }
    let pick = Pick::of(call, 1, SECONDS_PATTERN, simple(call), Use::Read)?;
    let (by, zone) = (pick.clone(), call.session.time_zone.clone());
    Ok(pick.function(as_text(call), call.result(BigInt), move |a, sel, _, out| {
        each_number::<i64>(a, sel, out, |i| {
            // Flink's value for a text that is no time.
            let m = by.with(a, i, |p| p.read_lenient(a[0].bytes(i))).map_err(row_error(i))?;
            Ok(m.map_or(i64::MIN, |m| civil::to_instant(m, &zone).millis() / 1000))
        })
    }))
}

fn from_unixtime(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=2)?;
    if !call.kind(0).is_integer() || (call.args.len() == 2 && !character(call, 1)) {
        return Err(call.wrong_types(&["INTEGER", "INTEGER, CHARACTER"]));
    }
    let pick = Pick::of(call, 1, SECONDS_PATTERN, simple(call), Use::Write)?;
    let (by, zone) = (pick.clone(), call.session.time_zone.clone());
    let mut args = as_text(call);
    args[0] = call.wanted(0, BigInt);
    Ok(pick.function(args, TypeKind::STRING.nullable(), move |a, sel, _, out| {
        try_build(a, sel, out, |i, to| {
            let seconds = a[0].column.slice::<i64>()[a[0].at(i)];
            // Flink counts milliseconds, which wrap around.
            let local = civil::to_local(Moment::from_millis(seconds.wrapping_mul(1000)), &zone);
            written(&by, a, i, local, to)
        })
    }))
}

/// A zone by name, or `GMT+02:00`; GMT when there is none of that name, as in Java.
fn zone_of(name: &str) -> TimeZone {
    let rest = name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC")).unwrap_or("");
    if let Some(sign @ (b'+' | b'-')) = rest.as_bytes().first() {
        let (h, m) = rest[1..].split_once(':').unwrap_or((&rest[1..], "0"));
        if let (Ok(h), Ok(m)) = (h.parse::<i32>(), m.parse::<i32>()) {
            let seconds = (h * 3600 + m * 60) * if *sign == b'-' { -1 } else { 1 };
            return jiff::tz::Offset::from_seconds(seconds).map_or(TimeZone::UTC, TimeZone::fixed);
        }
    }
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

fn convert_tz(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(3..=3)?;
    if !(0..3).all(|i| character(call, i)) {
        return Err(call.wrong_types(&["CHARACTER, CHARACTER, CHARACTER"]));
    }
    let pattern = seconds_pattern(call)?;
    Ok(infallible(as_text(call), TypeKind::STRING.nullable(), move |a, sel, _, out| {
        let zone = |k: usize, i: usize| zone_of(a[k].column.byte_column().str(a[k].at(i)));
        let fixed: Vec<Option<TimeZone>> =
            (1..3).map(|k| (a[k].constant && a[k].column.is_valid(0)).then(|| zone(k, 0))).collect();
        build(a, sel, out, |i, to| {
            let of = |k: usize| fixed[k - 1].clone().unwrap_or_else(|| zone(k, i));
            match pattern.read_lenient(a[0].bytes(i)) {
                Some(m) => {
                    pattern.write(civil::to_local(civil::to_instant(m, &of(1)), &of(2)), to);
                    true
                }
                None => false,
            }
        });
    }))
}

//! Functions of dates and times.
//!
//! **Before 1970** Flink rounds towards the epoch in EXTRACT and where FLOOR goes by days, which makes parts negative and some floors late; Pelton gives the
//! same values (`functions/before_epoch_quirks` among the conformance cases). TIMESTAMP_LTZ is taken apart in the session's zone.
//! What reads the clock is in [`clock`](super::clock).

use super::datetime_pattern::{Pattern, read_sql};
use crate::batch::text::civil::{self, DAY_MS, Moment, days_from_civil};
use crate::batch::text::{moment, set_moment};
use crate::batch::{Column, DataType, Sel, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::text::{build, opt_from};
use crate::expr::kernels::{each_valid, fallible, infallible, map1, null_if_any};
use crate::expr::{Arg, RowError};
use TypeKind::*;
use jiff::tz::TimeZone;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, bind| {
        r.builtin(FunctionDoc { names, family: "temporal", signatures, text, examples: &[] }, bind);
    };
    add(
        &["EXTRACT"],
        &["EXTRACT(unit FROM datetime)", "EXTRACT(unit FROM interval)"],
        "A part of a date, time or interval.",
        |c| {
            c.count(2..=2)?;
            extract(c, unit_argument(c, 0)?, 1)
        },
    );
    const DATETIME: &[&str] = &["datetime"];
    add(&["YEAR"], DATETIME, "The year.", |c| part(c, Unit::Year));
    add(&["QUARTER"], DATETIME, "The quarter.", |c| part(c, Unit::Quarter));
    add(&["MONTH"], DATETIME, "The month.", |c| part(c, Unit::Month));
    add(&["WEEK"], DATETIME, "The ISO week.", |c| part(c, Unit::Week));
    add(&["DAYOFYEAR"], DATETIME, "The day of the year.", |c| part(c, Unit::Doy));
    add(&["DAYOFMONTH"], DATETIME, "The day of the month.", |c| part(c, Unit::Day));
    add(&["DAYOFWEEK"], DATETIME, "The day of the week, Sunday being 1.", |c| part(c, Unit::Dow));
    add(&["HOUR"], DATETIME, "The hour.", |c| part(c, Unit::Hour));
    add(&["MINUTE"], DATETIME, "The minute.", |c| part(c, Unit::Minute));
    add(&["SECOND"], DATETIME, "The second.", |c| part(c, Unit::Second));
    add(
        &["FLOOR"],
        &["numeric", "FLOOR(datetime TO unit)"],
        "Rounded down, to a unit of time where one is given.",
        |c| round(c, false),
    );
    add(
        &["CEIL", "CEILING"],
        &["numeric", "CEIL(datetime TO unit)"],
        "Rounded up, to a unit of time where one is given.",
        |c| round(c, true),
    );
    add(&["TIMESTAMPADD"], &["unit, integer, datetime"], "Moved by a number of units.", timestamp_add);
    add(
        &["TIMESTAMPDIFF"],
        &["unit, datetime, datetime"],
        "Whole units from the first to the second.",
        timestamp_diff,
    );
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

/// A unit of EXTRACT, FLOOR and the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Millennium,
    Century,
    Decade,
    Year,
    IsoYear,
    Quarter,
    Month,
    Week,
    Day,
    Doy,
    Dow,
    IsoDow,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Epoch,
}

fn unit_argument(call: &Call<'_>, i: usize) -> Result<Unit> {
    let name = call.literal_text(i).unwrap_or_default().to_uppercase();
    Ok(match name.trim_start_matches("SQL_TSI_") {
        "MILLENNIUM" => Unit::Millennium,
        "CENTURY" => Unit::Century,
        "DECADE" => Unit::Decade,
        "YEAR" => Unit::Year,
        "ISOYEAR" => Unit::IsoYear,
        "QUARTER" => Unit::Quarter,
        "MONTH" => Unit::Month,
        "WEEK" => Unit::Week,
        "DAY" => Unit::Day,
        "DOY" => Unit::Doy,
        "DOW" => Unit::Dow,
        "ISODOW" => Unit::IsoDow,
        "HOUR" => Unit::Hour,
        "MINUTE" => Unit::Minute,
        "SECOND" => Unit::Second,
        "MILLISECOND" => Unit::Millisecond,
        "MICROSECOND" => Unit::Microsecond,
        "NANOSECOND" => Unit::Nanosecond,
        "EPOCH" => Unit::Epoch,
        other => {
            return Err(Error::validation(format!("'{other}' is not a unit of time"), call.args[i].span));
        }
    })
}

/// Milliseconds of a unit that has a fixed length.
fn unit_ms(u: Unit) -> Option<i64> {
    Some(match u {
        Unit::Week => 7 * DAY_MS,
        Unit::Day => DAY_MS,
        Unit::Hour => 3_600_000,
        Unit::Minute => 60_000,
        Unit::Second => 1000,
        Unit::Millisecond => 1,
        _ => return None,
    })
}

fn part(call: &Call<'_>, unit: Unit) -> Result<BoundFunction> {
    call.count(1..=1)?;
    extract(call, unit, 0)
}

fn extract(call: &Call<'_>, unit: Unit, at: usize) -> Result<BoundFunction> {
    let kind = call.kind(at).clone();
    let by_day = !unit_is_clock(unit);
    if matches!(kind, Time(_)) && by_day {
        return Err(Error::validation(
            format!("unit {} can not be applied to time variable", format!("{unit:?}").to_uppercase()),
            call.span,
        ));
    }
    if !(kind.is_datetime() || kind.is_interval()) {
        return Err(call.wrong_types(&["DATETIME", "INTERVAL"]));
    }
    let zone = call.session.time_zone.clone();
    let ty = DataType { kind: BigInt, nullable: call.args[at].ty.nullable, time: Default::default() };
    Ok(infallible(call.as_given(), ty, move |a, sel, rows, out| {
        let a = &a[at];
        match &kind {
            Date => map1::<i32, i64>(a, sel, rows, out, |d| match unit {
                Unit::Epoch => i64::from(d) * 86_400,
                _ if by_day => of_days(unit, d),
                // Flink takes the days for milliseconds.
                _ => of_clock(unit, d.into(), 0),
            }),
            Time(_) => map1::<i32, i64>(a, sel, rows, out, |ms| of_clock(unit, ms.into(), 0)),
            IntervalMonths(_) => map1::<i32, i64>(a, sel, rows, out, |m| match unit {
                Unit::Year => i64::from(m / 12),
                Unit::Month => i64::from(m % 12),
                Unit::Quarter => i64::from(m % 12 / 3 + 1),
                _ => 0,
            }),
            IntervalMillis(_) => map1::<i64, i64>(a, sel, rows, out, |ms| match unit {
                Unit::Day => ms / DAY_MS,
                _ => of_clock(unit, ms, 0),
            }),
            Timestamp(p) if *p <= 6 => map1::<i64, i64>(a, sel, rows, out, |us| {
                let ms = us.div_euclid(1000);
                if by_day {
                    of_days(unit, (ms / DAY_MS) as i32)
                } else {
                    of_clock(unit, ms, us.rem_euclid(1000) as u32 * 1000)
                }
            }),
            _ => {
                if null_if_any(std::slice::from_ref(a), out) {
                    let ltz = matches!(kind, TimestampLtz(_));
                    each_valid(sel, out, |out, i| {
                        let m = moment(a.column, a.at(i));
                        let m = if ltz { civil::to_local(m, &zone) } else { m };
                        out.buffer_mut::<i64>()[i] = of_moment(unit, m);
                    });
                }
            }
        }
    }))
}

fn of_moment(unit: Unit, m: Moment) -> i64 {
    let ms = m.millis();
    if unit_is_clock(unit) {
        of_clock(unit, ms, m.nanos % 1_000_000)
    } else {
        of_days(unit, (ms / DAY_MS) as i32)
    }
}

fn unit_is_clock(unit: Unit) -> bool {
    matches!(
        unit,
        Unit::Hour
            | Unit::Minute
            | Unit::Second
            | Unit::Millisecond
            | Unit::Microsecond
            | Unit::Nanosecond
            | Unit::Epoch
    )
}

fn of_clock(unit: Unit, ms: i64, nanos: u32) -> i64 {
    match unit {
        Unit::Hour => ms % DAY_MS / 3_600_000,
        Unit::Minute => ms % 3_600_000 / 60_000,
        Unit::Second => ms % 60_000 / 1000,
        Unit::Millisecond => ms % 1000,
        Unit::Microsecond => ms % 1000 * 1000 + i64::from(nanos / 1000),
        Unit::Nanosecond => ms % 1000 * 1_000_000 + i64::from(nanos),
        _ => ms / 1000,
    }
}

fn of_days(unit: Unit, days: i32) -> i64 {
    let (y, m, d) = civil::civil_from_days(days);
    let year = i64::from(y);
    match unit {
        Unit::Millennium => {
            if year > 0 {
                (year + 999) / 1000
            } else {
                (year - 999) / 1000
            }
        }
        Unit::Century => {
            if year > 0 {
                (year + 99) / 100
            } else {
                (year - 99) / 100
            }
        }
        Unit::Decade => year / 10,
        Unit::IsoYear => iso_week(days).0,
        Unit::Week => iso_week(days).1,
        Unit::Quarter => i64::from(m.div_ceil(3)),
        Unit::Month => m.into(),
        Unit::Day => d.into(),
        Unit::Doy => i64::from(days - days_from_civil(y, 1, 1)) + 1,
        Unit::Dow => (i64::from(days) + 4).rem_euclid(7) + 1,
        Unit::IsoDow => (i64::from(days) + 3).rem_euclid(7) + 1,
        _ => year,
    }
}

/// ISO year and week: those of the week's Thursday.
fn iso_week(days: i32) -> (i64, i64) {
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let (y, ..) = civil::civil_from_days(thursday);
    (y.into(), i64::from((thursday - days_from_civil(y, 1, 1)) / 7 + 1))
}

fn round(call: &Call<'_>, up: bool) -> Result<BoundFunction> {
    if call.args.len() == 1 {
        return super::math::floor_or_ceil(call, up);
    }
    call.count(2..=2)?;
    let (kind, unit) = (call.kind(0).clone(), unit_argument(call, 1)?);
    let ty = DataType { kind: kind.clone(), nullable: call.args[0].ty.nullable, time: Default::default() };
    let args = call.as_given();
    let zone = call.session.time_zone.clone();
    if matches!(unit, Unit::Doy | Unit::Dow | Unit::IsoDow | Unit::IsoYear | Unit::Epoch) {
        return Err(call.wrong_types(&["DATETIME TO unit"]));
    }
    Ok(match kind {
        Date => infallible(args, ty, move |a, sel, rows, out| {
            map1::<i32, i32>(&a[0], sel, rows, out, |d| {
                if unit_is_clock(unit) { d } else { round_days(unit, d, up) }
            });
        }),
        Time(_) => {
            let Some(step) = unit_ms(unit).filter(|&s| s < DAY_MS) else {
                return Err(call.wrong_types(&["TIME TO HOUR, MINUTE or SECOND"]));
            };
            infallible(args, ty, move |a, sel, rows, out| {
                map1::<i32, i32>(&a[0], sel, rows, out, |v| round_ms(v.into(), step, up) as i32);
            })
        }
        Timestamp(_) | TimestampLtz(_) => {
            let ltz = matches!(kind, TimestampLtz(_));
            infallible(args, ty, move |a, sel, _, out| {
                if null_if_any(&a[..1], out) {
                    each_valid(sel, out, |out, i| {
                        let m = moment(a[0].column, a[0].at(i));
                        let offset = if ltz { civil::offset_at(&zone, m.seconds) * 1000 } else { 0 };
                        let ms = round_moment(unit, m.millis() + offset, up) - offset;
                        set_moment(out, i, Moment::from_millis(ms));
                    });
                }
            })
        }
        _ => return Err(call.wrong_types(&["DATETIME TO unit"])),
    })
}

fn round_ms(ms: i64, step: i64, up: bool) -> i64 {
    let down = ms - ms.rem_euclid(step);
    if up && down != ms { down + step } else { down }
}

fn round_moment(unit: Unit, ms: i64, up: bool) -> i64 {
    match unit {
        Unit::Microsecond | Unit::Nanosecond => ms,
        Unit::Week => i64::from(round_days(unit, (ms / DAY_MS) as i32, up)) * DAY_MS,
        _ => match unit_ms(unit) {
            Some(step) => round_ms(ms, step, up),
            None => i64::from(round_days(unit, (ms / DAY_MS) as i32, up)) * DAY_MS,
        },
    }
}

/// `days_from_civil` for a month that may be past December.
fn first_of(year: i32, month: u32) -> i32 {
    days_from_civil(year + (month as i32 - 1) / 12, (month - 1) % 12 + 1, 1)
}

/// Flink's rounding of days. CEIL TO QUARTER goes to the next quarter from any day but the first of January, as there.
fn round_days(unit: Unit, days: i32, up: bool) -> i32 {
    let (y, m, d) = civil::civil_from_days(days);
    let u = i32::from(up);
    match unit {
        Unit::Millennium => first_of(1000 * ((y + 999) / 1000) + if up { 1 } else { -999 }, 1),
        Unit::Century => first_of(100 * ((y + 99) / 100) + if up { 1 } else { -99 }, 1),
        Unit::Decade => first_of(10 * (y / 10 + u), 1),
        Unit::Year => first_of(y + i32::from(up && (m, d) != (1, 1)), 1),
        Unit::Quarter => first_of(y, (m.div_ceil(3) + u32::from(up && (m, d) != (1, 1))) * 3 - 2),
        Unit::Month => first_of(y, m + u32::from(up && d > 1)),
        Unit::Week => {
            let offset = (days + 4).rem_euclid(7);
            days - if up && offset > 0 { offset - 7 } else { offset }
        }
        // Before 1970 CEIL TO DAY gives the next day, as Flink does.
        Unit::Day => days + i32::from(up && days < 0),
        _ => days + u,
    }
}

fn timestamp_add(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(3..=3)?;
    let (unit, kind) = (unit_argument(call, 0)?, call.kind(2).clone());
    if !call.kind(1).is_integer() || !kind.is_datetime() {
        return Err(call.wrong_types(&["unit, INTEGER, DATETIME"]));
    }
    let months = match unit {
        Unit::Month => Some(1),
        Unit::Quarter => Some(3),
        Unit::Year => Some(12),
        _ => None,
    };
    let step = unit_ms(unit);
    if months.is_none() && step.is_none() {
        return Err(call.wrong_types(&["unit, INTEGER, DATETIME"]));
    }
    let by_days = months.is_some() || matches!(unit, Unit::Day | Unit::Week);
    let nullable = call.args[1..].iter().any(|a| a.ty.nullable);
    let result = if kind == Date && !by_days { Timestamp(6) } else { kind.clone() };
    let mut args = call.as_given();
    args[1] = call.wanted(1, BigInt);
    let ty = DataType { kind: result.clone(), nullable, time: Default::default() };
    Ok(infallible(args, ty, move |a, sel, _, out| {
        if !null_if_any(&a[1..], out) {
            return;
        }
        let n = a[1].column.slice::<i64>();
        each_valid(sel, out, |out, i| {
            let n = n[a[1].at(i)];
            let at = a[2].at(i);
            let m = match kind {
                Date => {
                    Moment { seconds: i64::from(a[2].column.slice::<i32>()[at]) * civil::DAY_S, nanos: 0 }
                }
                Time(_) => Moment::from_millis(a[2].column.slice::<i32>()[at].into()),
                _ => moment(a[2].column, at),
            };
            let moved = match (months, step) {
                (Some(k), _) => {
                    let days = civil::add_months(m.days(), (n * k) as i32);
                    Moment {
                        seconds: i64::from(days) * civil::DAY_S + m.seconds.rem_euclid(civil::DAY_S),
                        ..m
                    }
                }
                (None, Some(ms)) => m.plus_millis(n.wrapping_mul(ms)),
                (None, None) => m,
            };
            match result {
                Date => out.buffer_mut::<i32>()[i] = moved.days(),
                Time(_) => out.buffer_mut::<i32>()[i] = moved.millis().rem_euclid(DAY_MS) as i32,
                _ => set_moment(out, i, moved),
            }
        });
    }))
}

fn timestamp_diff(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(3..=3)?;
    let unit = unit_argument(call, 0)?;
    let fits = |k: &TypeKind| k.is_timestamp() || *k == Date;
    if !fits(call.kind(1)) || !fits(call.kind(2)) {
        return Err(call.wrong_types(&["unit, DATETIME, DATETIME"]));
    }
    let months = matches!(unit, Unit::Month | Unit::Quarter | Unit::Year);
    if !months && unit_ms(unit).is_none() {
        return Err(call.wrong_types(&["unit, DATETIME, DATETIME"]));
    }
    let nullable = call.args[1..].iter().any(|a| a.ty.nullable);
    let dates = [*call.kind(1) == Date, *call.kind(2) == Date];
    let ty = DataType { kind: Int, nullable, time: Default::default() };
    Ok(infallible(call.as_given(), ty, move |a, sel, _, out| {
        if !null_if_any(&a[1..], out) {
            return;
        }
        let ms = |k: usize, i: usize| {
            let arg = &a[k];
            if dates[k - 1] {
                i64::from(arg.column.slice::<i32>()[arg.at(i)]) * DAY_MS
            } else {
                moment(arg.column, arg.at(i)).millis()
            }
        };
        each_valid(sel, out, |out, i| {
            let (from, to) = (ms(1, i), ms(2, i));
            let v = match unit {
                Unit::Month => months_between(to, from),
                Unit::Quarter => months_between(to, from) / 3,
                Unit::Year => months_between(to, from) / 12,
                u => (to - from) / unit_ms(u).unwrap_or(1),
            };
            out.buffer_mut::<i32>()[i] = v as i32;
        });
    }))
}

/// Whole months from `b` to `a`, in ms since the epoch; Calcite's `subtractMonths`.
fn months_between(a: i64, b: i64) -> i64 {
    let split = |t: i64| (t.div_euclid(DAY_MS) as i32, t.rem_euclid(DAY_MS));
    let ((d0, ms0), (d1, ms1)) = (split(a), split(b));
    let mut x = day_months(d0, d1);
    if civil::add_months(d1, x as i32) == d0 && ms0 < ms1 {
        x -= 1;
    }
    x
}

fn day_months(d0: i32, d1: i32) -> i64 {
    if d0 < d1 {
        return -day_months(d1, d0);
    }
    let mut m = (d0 - d1) / 31;
    loop {
        if civil::add_months(d1, m) >= d0 || civil::add_months(d1, m + 1) > d0 {
            return m.into();
        }
        m += 1;
    }
}

fn character(call: &Call<'_>, i: usize) -> bool {
    call.kind(i).is_character() || *call.kind(i) == Null
}

/// The pattern of a call: compiled when it is a literal, else from row to row.
#[derive(Clone)]
enum Pick {
    Fixed(Pattern),
    Argument(usize),
}

impl Pick {
    fn of(call: &Call<'_>, i: usize, default: &str) -> Result<Self> {
        let text = match call.args.get(i) {
            None => Some(default),
            Some(_) => call.literal_text(i),
        };
        match text {
            None => Ok(Pick::Argument(i)),
            Some(t) => Pattern::new(t)
                .map(Pick::Fixed)
                .map_err(|what| Error::unsupported(what, call.args.get(i).map_or(call.span, |a| a.span))),
        }
    }

    /// Calls `f` with the row's pattern; `None` when it is no pattern.
    fn with<T>(&self, a: &[Arg<'_>], row: usize, f: impl FnOnce(&Pattern) -> Option<T>) -> Option<T> {
        match self {
            Pick::Fixed(p) => f(p),
            Pick::Argument(i) => {
                let text = std::str::from_utf8(a[*i].bytes(row)).ok()?;
                f(&Pattern::new(text).ok()?)
            }
        }
    }
}

const SECONDS_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

fn each_moment(a: &[Arg<'_>], sel: Sel<'_>, out: &mut Column, f: impl Fn(usize) -> Option<Moment>) {
    if null_if_any(a, out) {
        sel.for_each(|i| {
            if out.validity.get(i) {
                match f(i) {
                    Some(m) => set_moment(out, i, m),
                    None => out.validity.set(i, false),
                }
            }
        });
    }
}

/// Reads local time as TO_TIMESTAMP does.
fn read_timestamp(pick: Option<&Pick>, a: &[Arg<'_>], i: usize) -> Option<Moment> {
    let text = a[0].bytes(i);
    match pick {
        None => civil::parse_timestamp(text, 3),
        Some(p) => p.with(a, i, |p| p.read_strict(text).map(|m| m.truncated(3))).or_else(|| read_sql(text)),
    }
}

fn optional_pattern(call: &Call<'_>) -> Result<Option<Pick>> {
    call.count(1..=2)?;
    if !(0..call.args.len()).all(|i| character(call, i)) {
        return Err(call.wrong_types(&["CHARACTER", "CHARACTER, CHARACTER"]));
    }
    Ok(if call.args.len() == 2 { Some(Pick::of(call, 1, "")?) } else { None })
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
    let pick = optional_pattern(call)?;
    Ok(infallible(as_text(call), Timestamp(3).nullable(), move |a, sel, _, out| {
        each_moment(a, sel, out, |i| read_timestamp(pick.as_ref(), a, i));
    }))
}

/// Years 0 to 9999, the range of TO_TIMESTAMP_LTZ.
fn in_years(m: Moment) -> Option<Moment> {
    (-62_167_219_200..=253_402_300_799).contains(&m.seconds).then_some(m)
}

fn to_timestamp_ltz(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=2)?;
    if character(call, 0) {
        let pick = optional_pattern(call)?;
        // A text without zone is UTC here, whatever the session's zone.
        if pick.is_none() {
            return Ok(fallible(as_text(call), TimestampLtz(3).nullable(), |a, sel, _, out| {
                if !null_if_any(a, out) {
                    return Ok(());
                }
                sel.try_for_each(|i| {
                    if !out.validity.get(i) {
                        return Ok(());
                    }
                    let text = a[0].bytes(i);
                    let Some(m) = read_timestamp(None, a, i) else {
                        let shown = String::from_utf8_lossy(text);
                        return Err(RowError::runtime(
                            i,
                            format!("Text '{shown}' could not be parsed as TIMESTAMP_LTZ"),
                        ));
                    };
                    set_moment(out, i, m);
                    Ok(())
                })
            }));
        }
        return Ok(infallible(as_text(call), TimestampLtz(3).nullable(), move |a, sel, _, out| {
            each_moment(a, sel, out, |i| read_timestamp(pick.as_ref(), a, i));
        }));
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
        each_moment(a, sel, out, |i| {
            let at = a[0].at(i);
            match scale {
                Some(s) => {
                    let v = a[0].column.slice::<i128>()[at] / crate::batch::decimal::pow10(s.into());
                    of_whole(i64::try_from(v).ok()?)
                }
                None if whole => of_whole(a[0].column.slice::<i64>()[at]),
                None => {
                    let v = a[0].column.slice::<f64>()[at];
                    let ms = (v * (1000.0 / unit as f64)) as i64;
                    in_years(Moment::from_millis(ms))
                }
            }
        });
    }))
}

/// Flink's value for a text that its pattern does not fit: the days of the smallest i64 of milliseconds, cut to 32 bits.
const NO_DATE: i32 = (i64::MIN / DAY_MS) as i32;

fn to_date(call: &Call<'_>) -> Result<BoundFunction> {
    let pick = optional_pattern(call)?;
    Ok(infallible(as_text(call), Date.nullable(), move |a, sel, _, out| {
        opt_from::<i32>(a, sel, out, |i| match &pick {
            None => civil::parse_date(a[0].bytes(i)),
            Some(p) => Some(p.with(a, i, |p| p.read_lenient(a[0].bytes(i))).map_or(NO_DATE, Moment::days)),
        });
    }))
}

fn date_format(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=2)?;
    let kind = call.kind(0).clone();
    if !(kind.is_timestamp() || kind.is_character()) || !character(call, 1) {
        return Err(call.wrong_types(&["TIMESTAMP, CHARACTER", "CHARACTER, CHARACTER"]));
    }
    let pick = Pick::of(call, 1, "")?;
    let zone = call.session.time_zone.clone();
    let text = kind.is_character();
    let ltz = matches!(kind, TimestampLtz(_));
    let from = Pattern::new(SECONDS_PATTERN).map_err(|e| Error::unsupported(e, call.span))?;
    // Flink never says NOT NULL of it.
    let ty = TypeKind::STRING.nullable();
    Ok(infallible(call.as_given(), ty, move |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            let m = if text {
                match from.read_lenient(a[0].bytes(i)) {
                    Some(m) => m,
                    None => return false,
                }
            } else {
                let m = moment(a[0].column, a[0].at(i));
                if ltz { civil::to_local(m, &zone) } else { m }
            };
            pick.with(a, i, |p| {
                p.write(m, to);
                Some(())
            })
            .is_some()
        });
    }))
}

fn unix_timestamp(call: &Call<'_>) -> Result<BoundFunction> {
    if call.args.is_empty() {
        return super::clock::now(call, BigInt);
    }
    call.count(1..=2)?;
    if !(0..call.args.len()).all(|i| character(call, i)) {
        return Err(call.wrong_types(&["", "CHARACTER", "CHARACTER, CHARACTER"]));
    }
    let (pick, zone) = (Pick::of(call, 1, SECONDS_PATTERN)?, call.session.time_zone.clone());
    Ok(infallible(as_text(call), call.result(BigInt), move |a, sel, _, out| {
        opt_from::<i64>(a, sel, out, |i| {
            // Flink's value for a text that is no time.
            let m = pick.with(a, i, |p| p.read_lenient(a[0].bytes(i)));
            Some(m.map_or(i64::MIN, |m| civil::to_instant(m, &zone).millis() / 1000))
        });
    }))
}

fn from_unixtime(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=2)?;
    if !call.kind(0).is_integer() || (call.args.len() == 2 && !character(call, 1)) {
        return Err(call.wrong_types(&["INTEGER", "INTEGER, CHARACTER"]));
    }
    let (pick, zone) = (Pick::of(call, 1, SECONDS_PATTERN)?, call.session.time_zone.clone());
    let mut args = as_text(call);
    args[0] = call.wanted(0, BigInt);
    Ok(infallible(args, TypeKind::STRING.nullable(), move |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            let seconds = a[0].column.slice::<i64>()[a[0].at(i)];
            // Flink counts milliseconds, which wrap around.
            let local = civil::to_local(Moment::from_millis(seconds.wrapping_mul(1000)), &zone);
            pick.with(a, i, |p| {
                p.write(local, to);
                Some(())
            })
            .is_some()
        });
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
    let pattern = Pattern::new(SECONDS_PATTERN).map_err(|e| Error::unsupported(e, call.span))?;
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

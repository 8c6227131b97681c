//! Functions of dates and times.
//!
//! **Before 1970** Flink rounds towards the epoch in EXTRACT and where FLOOR goes by days, which makes parts negative and some floors late; Pelton gives the
//! same values (`functions/before_epoch_quirks` among the conformance cases). TIMESTAMP_LTZ is taken apart in the session's zone.
//! What reads the clock is in [`clock`](super::clock), what reads and writes texts in [`temporal_text`](super::temporal_text).

use crate::batch::text::civil::{self, DAY_MS, Moment, days_from_civil};
use crate::batch::text::{moment, set_moment};
use crate::batch::{DataType, IntervalUnits, TypeKind};
use crate::error::{Error, Result};
use crate::expr::Arg;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::{each_valid, infallible, map1, null_if_any};
use TypeKind::*;

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
        &["MINUS_INTERVAL"],
        &["datetime, datetime, unit"],
        "The time between them, as an interval.",
        between,
    );
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
                        // CEIL TO MILLISECOND looks at the digits behind; the larger units do not.
                        let more = up && unit == Unit::Millisecond && !m.nanos.is_multiple_of(1_000_000);
                        let ms = round_moment(unit, m.millis() + offset + i64::from(more), up) - offset;
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
        each_valid(sel, out, |out, i| {
            let [from, to] = [1, 2].map(|k| instant_ms(&a[k], dates[k - 1], i));
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

/// `(a - b) DAY TO SECOND`, or of months: the third argument is `SECOND` or `MONTH`.
fn between(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(3..=3)?;
    let fits = |k: &TypeKind| k.is_timestamp() || *k == Date;
    if !fits(call.kind(0)) || !fits(call.kind(1)) {
        return Err(call.wrong_types(&["(DATETIME - DATETIME) unit"]));
    }
    let months = unit_argument(call, 2)? == Unit::Month;
    let kind =
        if months { IntervalMonths(IntervalUnits::Month) } else { IntervalMillis(IntervalUnits::Second) };
    let nullable = call.args[..2].iter().any(|a| a.ty.nullable);
    let dates = [*call.kind(0) == Date, *call.kind(1) == Date];
    let ty = DataType { kind, nullable, time: Default::default() };
    Ok(infallible(call.as_given(), ty, move |a, sel, _, out| {
        if !null_if_any(&a[..2], out) {
            return;
        }
        each_valid(sel, out, |out, i| {
            let [x, y] = [0, 1].map(|k| instant_ms(&a[k], dates[k], i));
            if months {
                out.buffer_mut::<i32>()[i] = months_between(x, y) as i32;
            } else {
                out.buffer_mut::<i64>()[i] = x - y;
            }
        });
    }))
}

/// Milliseconds since the epoch of a DATE or a timestamp.
fn instant_ms(a: &Arg<'_>, is_date: bool, row: usize) -> i64 {
    let at = a.at(row);
    match is_date {
        true => i64::from(a.column.slice::<i32>()[at]) * DAY_MS,
        false => moment(a.column, at).millis(),
    }
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

//! Casts among DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ and text.
//!
//! Before 1970 Flink rounds a timestamp's date towards the epoch (1969-12-31 10:00 is of the 1st of January 1970); so do we.

use super::{Cast, Mode};
use crate::batch::text::civil::{self, DAY_MS, DAY_S, Moment};
use crate::batch::text::{moment, set_moment};
use crate::batch::{Column, Physical, Sel, TypeKind};
use crate::expr::kernels::{each_valid, map1, null_if_any};
use crate::expr::{Arg, RowError};
use TypeKind::*;

/// Days of a timestamp as Flink counts them: rounded towards the epoch.
pub(crate) fn flink_days(m: Moment) -> i32 {
    (m.millis() / DAY_MS) as i32
}

/// Cut to precision `q` as Flink does: of fewer than three digits towards the epoch.
fn cut(m: Moment, q: u8) -> Moment {
    match q {
        0..3 => {
            let unit = 10i64.pow(3 - u32::from(q));
            Moment::from_millis(m.millis() / unit * unit)
        }
        _ => m.truncated(q),
    }
}

fn time_of_day(m: Moment) -> i32 {
    (m.seconds.rem_euclid(DAY_S) * 1000) as i32 + (m.nanos / 1_000_000) as i32
}

/// `v` milliseconds of the day cut to precision `p`.
fn cut_time(v: i32, p: u8) -> i32 {
    let unit = 10i32.pow(u32::from(3 - p.min(3)));
    v - v.rem_euclid(unit)
}

fn each(a: &Arg<'_>, sel: Sel<'_>, out: &mut Column, f: impl Fn(&mut Column, usize)) {
    if null_if_any(std::slice::from_ref(a), out) {
        each_valid(sel, out, f);
    }
}

pub(super) fn datetime_to_datetime(from: &TypeKind, to: &TypeKind, mode: &Mode) -> Option<Cast> {
    let zone = mode.zone.clone();
    match (from, to) {
        (Date, Date) => super::same(),
        (Time(p), Time(q)) if q >= p => super::same(),
        (Time(_), Time(q)) => {
            let q = *q;
            Cast::infallible(move |a, sel, rows, out| map1::<i32, i32>(a, sel, rows, out, |v| cut_time(v, q)))
        }
        (Date, Timestamp(_)) => Cast::infallible(|a, sel, _, out| {
            let days = a.column.slice::<i32>();
            each(a, sel, out, |out, i| {
                set_moment(out, i, Moment { seconds: i64::from(days[a.at(i)]) * DAY_S, nanos: 0 });
            });
        }),
        (Date, TimestampLtz(_)) => Cast::infallible(move |a, sel, _, out| {
            let days = a.column.slice::<i32>();
            each(a, sel, out, |out, i| {
                let local = Moment { seconds: i64::from(days[a.at(i)]) * DAY_S, nanos: 0 };
                set_moment(out, i, civil::to_instant(local, &zone));
            });
        }),
        (Time(_), Timestamp(p)) => {
            let p = *p;
            Cast::infallible(move |a, sel, _, out| {
                let ms = a.column.slice::<i32>();
                each(a, sel, out, |out, i| {
                    set_moment(out, i, Moment::from_millis(ms[a.at(i)].into()).truncated(p));
                });
            })
        }
        (Time(_), TimestampLtz(p)) => {
            let p = *p;
            Cast::infallible(move |a, sel, _, out| {
                let ms = a.column.slice::<i32>();
                each(a, sel, out, |out, i| {
                    let local = Moment::from_millis(ms[a.at(i)].into()).truncated(p);
                    set_moment(out, i, civil::to_instant(local, &zone));
                });
            })
        }
        (Timestamp(_), Date) => Cast::infallible(|a, sel, _, out| {
            each(a, sel, out, |out, i| out.buffer_mut::<i32>()[i] = flink_days(moment(a.column, a.at(i))));
        }),
        (TimestampLtz(_), Date) => Cast::infallible(move |a, sel, _, out| {
            each(a, sel, out, |out, i| {
                out.buffer_mut::<i32>()[i] = civil::to_local(moment(a.column, a.at(i)), &zone).days();
            });
        }),
        (Timestamp(_), Time(p)) => {
            let p = *p;
            Cast::infallible(move |a, sel, _, out| {
                each(a, sel, out, |out, i| {
                    out.buffer_mut::<i32>()[i] = cut_time(time_of_day(moment(a.column, a.at(i))), p);
                });
            })
        }
        (TimestampLtz(_), Time(p)) => {
            let p = *p;
            Cast::infallible(move |a, sel, _, out| {
                each(a, sel, out, |out, i| {
                    let local = civil::to_local(moment(a.column, a.at(i)), &zone);
                    out.buffer_mut::<i32>()[i] = cut_time(time_of_day(local), p);
                });
            })
        }
        (Timestamp(p), Timestamp(q)) | (TimestampLtz(p), TimestampLtz(q)) => {
            if q >= p && from.physical() == to.physical() {
                return super::same();
            }
            if from.physical() == Physical::I64 && to.physical() == Physical::I64 {
                let q = *q;
                let unit = 10i64.pow(u32::from(6 - q));
                return Cast::infallible(move |a, sel, rows, out| {
                    map1::<i64, i64>(a, sel, rows, out, |v| match q {
                        // Milliseconds first, then towards the epoch.
                        0..3 => v.div_euclid(1000) / (unit / 1000) * unit,
                        _ => v - v.rem_euclid(unit),
                    });
                });
            }
            let q = *q;
            Cast::infallible(move |a, sel, _, out| {
                each(a, sel, out, |out, i| set_moment(out, i, cut(moment(a.column, a.at(i)), q)));
            })
        }
        (Timestamp(_), TimestampLtz(q)) => {
            let q = *q;
            Cast::infallible(move |a, sel, _, out| {
                each(a, sel, out, |out, i| {
                    let m = civil::to_instant(moment(a.column, a.at(i)), &zone);
                    set_moment(out, i, cut(m, q));
                });
            })
        }
        (TimestampLtz(_), Timestamp(q)) => {
            let q = *q;
            Cast::infallible(move |a, sel, _, out| {
                each(a, sel, out, |out, i| {
                    set_moment(out, i, cut(civil::to_local(moment(a.column, a.at(i)), &zone), q));
                });
            })
        }
        _ => None,
    }
}

pub(super) fn text_to_datetime(to: &TypeKind, mode: &Mode) -> Option<Cast> {
    let (try_cast, zone, kind) = (mode.try_cast, mode.zone.clone(), to.clone());
    Cast::fallible(move |a, sel, _, out| {
        if !null_if_any(std::slice::from_ref(a), out) {
            return Ok(());
        }
        sel.try_for_each(|i| {
            if !out.validity.get(i) {
                return Ok(());
            }
            let text = a.bytes(i);
            let read = match kind {
                Date => civil::parse_date(text).map(|v| out.buffer_mut::<i32>()[i] = v),
                Time(p) => civil::parse_time(text).map(|v| out.buffer_mut::<i32>()[i] = cut_time(v, p)),
                Timestamp(p) => civil::parse_timestamp(text, p).map(|m| set_moment(out, i, m)),
                TimestampLtz(p) => {
                    civil::parse_timestamp(text, p).map(|m| set_moment(out, i, civil::to_instant(m, &zone)))
                }
                _ => unreachable!("a datetime type"),
            };
            match read {
                Some(()) => Ok(()),
                None if try_cast => {
                    out.validity.set(i, false);
                    Ok(())
                }
                None => {
                    let shown = String::from_utf8_lossy(text);
                    Err(RowError::runtime(
                        i,
                        match kind {
                            Date | Time(_) => format!("For input string: '{shown}'."),
                            _ => format!("Text '{shown}' could not be parsed as {kind}"),
                        },
                    ))
                }
            }
        })
    })
    .map(|c| Cast { fails: !try_cast, ..c })
}

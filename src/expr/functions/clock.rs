//! What reads the clock: CURRENT_TIMESTAMP and its kin, PROCTIME, CURRENT_WATERMARK.
//!
//! The current time is the driver's clock at the turn; there is no other.

use crate::batch::text::civil::{self, Moment};
use crate::batch::text::set_moment;
use crate::batch::{BEFORE_TIME, Column, DataType, Sel, TimeAttribute, TypeKind};
use crate::error::{Error, Result};
use crate::expr::function::{BoundFunction, Call, Determinism, FunctionDoc, Registry};
use crate::expr::kernels::with_kernel;
use crate::expr::{Arg, EvalContext, Kernel, RowError};
use TypeKind::*;
use jiff::tz::TimeZone;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, bind: fn(&Call<'_>) -> Result<BoundFunction>| {
        r.builtin(FunctionDoc { names, family: "temporal", signatures, text, examples: &[] }, bind);
    };
    add(
        &["CURRENT_TIMESTAMP", "NOW", "CURRENT_ROW_TIMESTAMP"],
        &["CURRENT_TIMESTAMP", "NOW()", "CURRENT_ROW_TIMESTAMP()"],
        "The current instant.",
        |c| now(c, TimestampLtz(3)),
    );
    add(&["LOCALTIMESTAMP"], &["LOCALTIMESTAMP"], "The current local time.", |c| now(c, Timestamp(3)));
    add(&["CURRENT_DATE"], &["CURRENT_DATE"], "Today in the session's zone.", |c| now(c, Date));
    add(
        &["CURRENT_TIME", "LOCALTIME"],
        &["CURRENT_TIME", "LOCALTIME"],
        "The time of day in the session's zone.",
        |c| now(c, Time(0)),
    );
    add(&["PROCTIME"], &[""], "The processing-time attribute.", |c| {
        let mut f = now(c, TimestampLtz(3))?;
        f.ty.time = TimeAttribute::Proctime;
        Ok(f)
    });
    add(
        &["CURRENT_WATERMARK"],
        &["rowtime"],
        "The watermark when the row arrives; NULL before the first.",
        current_watermark,
    );
}

/// A call that reads the clock in some form.
pub(super) fn now(call: &Call<'_>, kind: TypeKind) -> Result<BoundFunction> {
    call.count(0..=1)?;
    let zone = call.session.time_zone.clone();
    let ty = kind.clone().not_null();
    Ok(with_kernel(call.as_given(), ty, Determinism::PerRow, move || Now {
        kind: kind.clone(),
        zone: zone.clone(),
    }))
}

/// The driver's clock in some form.
struct Now {
    kind: TypeKind,
    zone: TimeZone,
}

impl Kernel for Now {
    fn eval(
        &mut self,
        _args: &[Arg<'_>],
        sel: Sel<'_>,
        _rows: usize,
        out: &mut Column,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        let m = Moment::from_micros(cx.now_us).truncated(3);
        let local = || civil::to_local(m, &self.zone);
        match self.kind {
            BigInt => fill(out.buffer_mut::<i64>(), sel, m.seconds),
            Date => fill(out.buffer_mut::<i32>(), sel, local().days()),
            Time(_) => {
                let of_day = local().seconds.rem_euclid(civil::DAY_S) * 1000;
                fill(out.buffer_mut::<i32>(), sel, of_day as i32);
            }
            Timestamp(_) => fill(out.buffer_mut::<i64>(), sel, local().micros()),
            _ => fill(out.buffer_mut::<i64>(), sel, m.micros()),
        }
        Ok(())
    }

    fn can_fail(&self) -> bool {
        false
    }
}

/// Writes the value at the selected rows: of a block that is handed out row by row, at the row alone.
fn fill<T: Copy>(values: &mut [T], sel: Sel<'_>, value: T) {
    match sel {
        Sel::All(_) => values.fill(value),
        Sel::Rows(rows) => rows.iter().for_each(|&r| values[r as usize] = value),
    }
}

fn current_watermark(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(1..=1)?;
    let arg = call.args[0].ty.clone();
    if !arg.is_rowtime() {
        return Err(Error::validation(
            format!(
                "The argument of CURRENT_WATERMARK() must be a rowtime attribute, but was '{}'",
                DataType { nullable: true, ..arg }
            ),
            call.span,
        ));
    }
    let ty = DataType { kind: arg.kind.clone(), nullable: true, time: Default::default() };
    Ok(with_kernel(vec![arg], ty, Determinism::PerRow, || CurrentWatermark))
}

struct CurrentWatermark;

impl Kernel for CurrentWatermark {
    fn eval(
        &mut self,
        _args: &[Arg<'_>],
        sel: Sel<'_>,
        _rows: usize,
        out: &mut Column,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        let mut runs = cx.watermarks.runs().iter().peekable();
        let mut watermark = cx.watermark;
        sel.for_each(|i| {
            // What the rows before this one have made of it.
            while let Some((_, w)) = runs.next_if(|(after, _)| *after as usize <= i) {
                watermark = *w;
            }
            if watermark == BEFORE_TIME {
                out.validity.set(i, false);
            } else {
                set_moment(out, i, Moment::from_millis(watermark));
            }
        });
        Ok(())
    }

    fn can_fail(&self) -> bool {
        false
    }
}

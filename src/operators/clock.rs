//! Clock: makes the time of the driver's clock a time attribute, so that windows over processing time are windows like any other.
//!
//! Every row gets the time at which it comes, and the watermark in front of it is a millisecond behind: what is due has closed before the
//! row counts. Between rows the operator wakes when the next window can be due. The clock may be set back, its time is not.
//! **The end of the input ends no window**: as in Flink, what is still open then is dropped, because its time has not come.

use super::windows::Windows;
use super::{Context, Counters, Operator};
use crate::batch::{BEFORE_TIME, Batch, DataType, Decoder, Encoder, Sel};
use crate::error::Result;
use crate::plan::{Window, WindowKind};
use std::cell::Cell;
use std::collections::VecDeque;

/// How many times of rows a session clock tells apart: what closes a session between rows is at most that part of its gap late.
const STEPS: i64 = 1024;

/// The time that rows come at, and the watermark behind it, for windows of one shape. All in ms.
pub(super) struct Ticks {
    /// Windows as small as any two ends are apart.
    units: Windows,
    /// From a row to the end of its last window.
    reach: i64,
    /// Of sessions: the gap.
    gap: Option<i64>,
    /// Those of the last row, and of the last watermark.
    last: i64,
    watermark: i64,
    /// Of sessions: the times of rows whose session may be open.
    times: VecDeque<i64>,
    /// What [`Ticks::next_due`] has said last, of which watermark and row.
    known: Cell<Option<(i64, i64, Option<i64>)>>,
}

impl Ticks {
    pub(super) fn new(window: &Window) -> Self {
        let (unit, offset, reach, gap) = match window.kind {
            WindowKind::Tumble { size, offset } => (size, offset, size, None),
            WindowKind::Hop { size, slide, offset } => (divisor(size, slide), offset, size, None),
            WindowKind::Cumulate { size, step, offset } => (step, offset, size, None),
            WindowKind::Session { gap } => (gap, 0, gap, Some(gap)),
        };
        let kind = WindowKind::Tumble { size: unit, offset };
        Self {
            units: Windows::new(&Window { kind, ..window.clone() }),
            reach,
            gap,
            last: BEFORE_TIME,
            watermark: BEFORE_TIME,
            times: VecDeque::new(),
            known: Cell::new(None),
        }
    }

    /// Rows come: their time, and the watermark in front of them.
    pub(super) fn rows(&mut self, now_us: i64) -> (i64, i64) {
        let now = now_us.div_euclid(1000).max(self.last).max(self.watermark.saturating_add(1));
        let watermark = self.advance(now);
        self.last = now;
        if let Some(gap) = self.gap {
            let step = (gap / STEPS).max(1);
            // The last time stands for those shortly before it, which only wake later for it.
            match self.times.back_mut() {
                Some(t) if now - *t < step => *t = now.min(*t + step),
                _ => self.times.push_back(now),
            }
        }
        (now, watermark)
    }

    /// The watermark of now, where something can be due at it.
    pub(super) fn due(&mut self, now_us: i64) -> Option<i64> {
        let now = now_us.div_euclid(1000);
        self.next_due().is_some_and(|due| due < now).then(|| self.advance(now))
    }

    /// When to look at the clock again, µs.
    pub(super) fn wake_at_us(&self) -> Option<i64> {
        self.next_due().map(|due| due.saturating_add(1).saturating_mul(1000))
    }

    /// The watermark at which the next window can be due; `None`: none is open.
    fn next_due(&self) -> Option<i64> {
        if let Some(gap) = self.gap {
            return self.times.front().map(|t| t + gap - 1);
        }
        if let Some((watermark, last, due)) = self.known.get()
            && (watermark, last) == (self.watermark, self.last)
        {
            return due;
        }
        // A day that is an hour longer or shorter is within twice the reach.
        let open = self.last != BEFORE_TIME && self.watermark < self.last.saturating_add(2 * self.reach);
        let due = open.then(|| {
            let mut units = self.units.clone();
            let instant = self.watermark.saturating_add(1).saturating_mul(1000);
            let end = units.first(instant).end;
            units.due(end).max(self.watermark + 1)
        });
        self.known.set(Some((self.watermark, self.last, due)));
        due
    }

    /// It is `now` (ms).
    fn advance(&mut self, now: i64) -> i64 {
        self.watermark = self.watermark.max(now - 1);
        if let Some(gap) = self.gap {
            while self.times.front().is_some_and(|t| t + gap - 1 <= self.watermark) {
                self.times.pop_front();
            }
        }
        self.watermark
    }

    pub(super) fn snapshot(&self, to: &mut Encoder) {
        to.block(b"CLCK", 1);
        to.i64(self.last);
        to.i64(self.watermark);
        to.slice(&self.times.iter().copied().collect::<Vec<i64>>());
    }

    pub(super) fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        from.block(b"CLCK", 1)?;
        self.last = from.i64()?;
        self.watermark = from.i64()?;
        self.times = from.slice::<i64>()?.into();
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        self.times.len() * size_of::<i64>()
    }
}

/// See the module's text.
pub struct Clock {
    column: usize,
    ty: DataType,
    ticks: Ticks,
    batch: Option<Batch>,
    counters: Counters,
}

impl Clock {
    /// A clock in `column`, which may be behind the last of the input, for windows of this shape.
    pub fn new(column: usize, ty: &DataType, window: &Window) -> Self {
        let (ty, ticks) = (ty.clone(), Ticks::new(window));
        Self { column, ty, ticks, batch: None, counters: Counters::default() }
    }
}

fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

impl Operator for Clock {
    fn push(&mut self, port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        self.batch = self.pass(port, batch, cx)?;
        Ok(())
    }

    fn pass(&mut self, _port: usize, mut batch: Batch, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        self.counters.batches_in += 1;
        let selected = batch.selected() as u64;
        self.counters.rows_in += selected;
        batch.watermarks_mut().clear();
        if selected == 0 {
            cx.pool.recycle(batch);
            // Something may be due by now.
            return Ok(None);
        }
        let (now, watermark) = self.ticks.rows(cx.now_us);
        batch.replace_one(self.column, &self.ty, |column, old| {
            let own = cx.pool.own(column, &self.ty);
            own.reset(old.rows);
            // Of a block that is handed out row by row, the row alone.
            let times = own.buffer_mut::<i64>();
            match old.sel {
                Sel::All(_) => times.fill(now * 1000),
                sel => sel.for_each(|r| times[r] = now * 1000),
            }
        });
        batch.watermarks_mut().advance(0, watermark);
        self.counters.rows_out += selected;
        // Nothing is due before the time that it says.
        Ok(Some(batch))
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if let Some(batch) = self.batch.take() {
            return Ok(Some(batch));
        }
        Ok(self.ticks.due(cx.now_us).map(|watermark| cx.pool.watermark_batch(watermark)))
    }

    fn has_timers(&self) -> bool {
        true
    }

    fn wake_at_us(&self) -> Option<i64> {
        self.ticks.wake_at_us()
    }

    fn snapshot(&self, to: &mut Encoder) {
        self.ticks.snapshot(to);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        self.ticks.restore(from)
    }

    fn bytes(&self) -> usize {
        self.ticks.bytes()
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

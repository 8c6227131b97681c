//! Windows over processing time: all rows of a batch come at one time, which is the clock's, and so lie in one window. No column holds that
//! time, and as long as the clock stands still nothing is asked about it again.

use super::{SliceKey, WindowAggregate};
use crate::batch::{Batch, Decoder, Encoder};
use crate::error::Result;
use crate::operators::clock::Ticks;
use crate::operators::ready::watermark_alone;
use crate::operators::{Context, Counters, Operator};
use crate::plan::Window;

/// See the module's text.
pub struct ByClock {
    ticks: Ticks,
    windows: WindowAggregate,
    /// The slice of the rows that come at this time (µs).
    open: Option<(i64, u32)>,
}

impl ByClock {
    /// That aggregation, by the clock.
    pub fn new(windows: WindowAggregate, window: &Window) -> Self {
        Self { ticks: Ticks::new(window), windows, open: None }
    }

    /// The number of the slice of rows that come now.
    #[inline]
    fn slice(&mut self, now_us: i64) -> u32 {
        match self.open {
            Some((at, number)) if at == now_us => number,
            _ => self.open_slice(now_us),
        }
    }

    /// What is due closes before the rows count.
    fn open_slice(&mut self, now_us: i64) -> u32 {
        let (now, watermark) = self.ticks.rows(now_us);
        let windows = &mut self.windows;
        windows.advance(watermark);
        let window = windows.windows.first(now * 1000);
        let due = windows.windows.due(window.end);
        let number = windows.open(SliceKey { due, end: window.end, start: window.start });
        self.open = Some((now_us, number));
        number
    }
}

impl Operator for ByClock {
    fn pass(&mut self, port: usize, mut batch: Batch, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        let Some(row) = batch.only() else {
            self.push(port, batch, cx)?;
            return Ok(None);
        };
        let number = self.slice(cx.now_us);
        let windows = &mut self.windows;
        windows.count(1);
        windows.counters.absorbed += 1;
        let taken = windows.slices.state(number).take_row(&windows.keys, &batch, row as u32);
        if let Err(e) = taken {
            windows.error = Some(e.error);
        } else if windows.output.is_empty() {
            batch.watermarks_mut().clear();
            batch.watermarks_mut().advance(0, windows.watermark);
            return Ok(Some(watermark_alone(batch, windows.watermark, &mut windows.told, cx.pool)));
        }
        windows.tell_watermark();
        cx.pool.recycle(batch);
        Ok(None)
    }

    fn push(&mut self, _port: usize, batch: Batch, cx: &mut Context<'_>) -> Result<()> {
        // A watermark of the input says nothing about the clock.
        let rows = batch.selected();
        if rows > 0 {
            let number = self.slice(cx.now_us);
            let windows = &mut self.windows;
            windows.count(rows);
            windows.counters.absorbed += rows as u64;
            batch.sel().list(&mut windows.slices.state(number).rows);
            windows.touched.push(number);
            if let Err(e) = windows.take_touched(&batch) {
                windows.error = Some(e.error);
            }
            windows.tell_watermark();
        }
        cx.pool.recycle(batch);
        Ok(())
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Result<Option<Batch>> {
        if let Some(watermark) = self.ticks.due(cx.now_us) {
            self.open = None;
            self.windows.advance(watermark);
            self.windows.tell_watermark();
        }
        self.windows.pull(cx)
    }

    fn has_timers(&self) -> bool {
        true
    }

    fn wake_at_us(&self) -> Option<i64> {
        self.ticks.wake_at_us()
    }

    fn snapshot(&self, to: &mut Encoder) {
        self.ticks.snapshot(to);
        self.windows.snapshot(to);
    }

    fn restore(&mut self, from: &mut Decoder<'_>) -> Result<()> {
        self.ticks.restore(from)?;
        self.open = None;
        self.windows.restore(from)
    }

    fn state_rows(&self) -> usize {
        self.windows.state_rows()
    }

    fn bytes(&self) -> usize {
        self.ticks.bytes() + self.windows.bytes()
    }

    fn counters(&self) -> Counters {
        self.windows.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Pool;
    use crate::operators::Clock;
    use crate::operators::testing::{aggregate, batch_of, input, node};
    use crate::plan::{Changelog, Node, Op, Phase, WindowKind, WindowProperty, WindowTime};
    use proptest::prelude::*;

    /// COUNT(*) by key in windows of ten ms.
    fn counts(time: WindowTime) -> (Window, Node) {
        let kind = WindowKind::Tumble { size: 10, offset: 3 };
        let window = Window { kind, time, partition: vec![], grouping: false, zone: None };
        let op = Op::WindowAggregate {
            window: window.clone(),
            keys: vec![0],
            aggregates: vec![aggregate("COUNT", &[])],
            properties: vec![WindowProperty::Start, WindowProperty::End],
            phase: Phase::Whole,
        };
        let schema = "k BIGINT, n BIGINT, s TIMESTAMP, e TIMESTAMP";
        (window, node(op, schema, Changelog::INSERT))
    }

    fn windows(window: &Window, of: &Node, rows: &Node) -> WindowAggregate {
        let Op::WindowAggregate { keys, aggregates, properties, .. } = &of.op else { unreachable!() };
        WindowAggregate::new(window, keys, aggregates, properties, rows, of).unwrap()
    }

    /// What an operator gives: rows to `rows`, and the last watermark.
    fn drain(op: &mut dyn Operator, cx: &mut Context<'_>, rows: &mut Vec<[i64; 4]>, told: &mut i64) {
        while let Some(batch) = op.pull(cx).unwrap() {
            for row in batch.sel().iter() {
                rows.push(std::array::from_fn(|c| batch.column(c).slice::<i64>()[row]));
            }
            *told = batch.watermarks.last().unwrap_or(*told);
        }
    }

    proptest! {
        /// The same as the clock in front of windows over its column, with the state written and read on the way.
        #[test]
        fn as_windows_over_the_clocks_column(
            steps in prop::collection::vec((-2_000..15_000_i64, 0..3_usize, prop::collection::vec(0..4_i64, 3), any::<bool>()), 1..40),
        ) {
            let rows = input("k BIGINT", Changelog::INSERT);
            let timed = input("k BIGINT, now ROWTIME_LTZ", Changelog::INSERT);
            let (window, of) = counts(WindowTime::Attribute(1));
            let mut clock = Clock::new(1, timed.schema.ty(1), &window);
            let mut behind = windows(&window, &of, &timed);
            let (window, of) = counts(WindowTime::Clock);
            let by_clock = || ByClock::new(windows(&window, &of, &rows), &window);
            let mut own = by_clock();
            let (mut pool, mut now_us) = (Pool::default(), 1_000_000);
            let (mut wanted, mut given, mut told_wanted, mut told) = (vec![], vec![], 0, 0);
            for (moves, n, keys, restored) in steps {
                now_us += moves;
                let text: Vec<String> = keys[..n].iter().map(i64::to_string).collect();
                let batch = if n == 0 { Batch::default() } else { batch_of("k BIGINT", &text.join("\n")) };
                let cx = &mut Context { pool: &mut pool, now_us };
                clock.push(0, batch.clone(), cx).unwrap();
                while let Some(batch) = clock.pull(cx).unwrap() {
                    behind.push(0, batch, cx).unwrap();
                    drain(&mut behind, cx, &mut wanted, &mut told_wanted);
                }
                if let Some(batch) = own.pass(0, batch, cx).unwrap() {
                    prop_assert_eq!(batch.selected(), 0);
                    told = batch.watermarks.last().unwrap_or(told);
                }
                drain(&mut own, cx, &mut given, &mut told);
                prop_assert_eq!(&given, &wanted);
                prop_assert_eq!((told, own.wake_at_us()), (told_wanted, clock.wake_at_us()));
                if restored {
                    let mut state = Encoder::default();
                    own.snapshot(&mut state);
                    own = by_clock();
                    own.restore(&mut Decoder::new(&state.finish())).unwrap();
                }
            }
        }
    }
}

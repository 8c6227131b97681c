//! Which windows a time belongs to, and when a window closes: Flink's arithmetic.
//!
//! Windows are half-open ranges of **local** time, in µs: of the wall clock of the session's zone for TIMESTAMP_LTZ, of the values
//! themselves for TIMESTAMP. They align at multiples of their size (slide, step) from the epoch plus the offset, downwards also
//! before the epoch. A window is **due** when the watermark, which is in ms of real time, has reached its last millisecond.

use crate::batch::text::civil::{Moment, to_instant};
use crate::plan::{Window, WindowKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A window, in µs of local time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Span {
    #[inline(always)]
    pub(super) fn has(&self, t: i64) -> bool {
        (t.wrapping_sub(self.start) as u64) < (self.end - self.start) as u64
    }
}

/// The windows of an operation. Remembers the last answers: neighbours in a stream share them.
#[derive(Clone)]
pub(super) struct Windows {
    kind: WindowKind,
    zone: Option<Zone>,
    last: Span,
}

/// A zone and the stretch of time in which its last offset holds.
#[derive(Clone)]
struct Zone {
    zone: TimeZone,
    /// µs.
    from: i64,
    until: i64,
    offset: i64,
}

const HOUR_MS: i64 = 3_600_000;

impl Windows {
    pub(super) fn new(window: &Window) -> Self {
        let micros = |ms: i64| ms.saturating_mul(1000);
        let kind = match window.kind {
            WindowKind::Tumble { size, offset } => {
                WindowKind::Tumble { size: micros(size), offset: micros(offset) }
            }
            WindowKind::Hop { size, slide, offset } => {
                WindowKind::Hop { size: micros(size), slide: micros(slide), offset: micros(offset) }
            }
            WindowKind::Cumulate { size, step, offset } => {
                WindowKind::Cumulate { size: micros(size), step: micros(step), offset: micros(offset) }
            }
            WindowKind::Session { gap } => WindowKind::Session { gap: micros(gap) },
        };
        let zone = window.zone.clone().filter(|z| *z != TimeZone::UTC);
        Self {
            kind,
            zone: zone.map(|zone| Zone { zone, from: 0, until: 0, offset: 0 }),
            last: Span::default(),
        }
    }

    /// The first window of an instant (µs), in the order in which Flink gives them: the only one of TUMBLE, the latest of HOP, the shortest of
    /// CUMULATE.
    #[inline]
    pub(super) fn first(&mut self, instant: i64) -> Span {
        let t = match &mut self.zone {
            None => instant,
            Some(z) => z.local(instant),
        };
        let (size, offset) = match self.kind {
            WindowKind::Tumble { size, offset } => (size, offset),
            WindowKind::Hop { size, slide, offset } => {
                // Not what stands there before the first: it ends where it starts.
                let known =
                    t >= self.last.start && t < self.last.start + slide && self.last.start < self.last.end;
                if !known {
                    let start = align(t, slide, offset);
                    self.last = Span { start, end: start + size };
                }
                return self.last;
            }
            WindowKind::Cumulate { size, step, offset } => {
                return Span { start: align(t, size, offset), end: align(t, step, offset) + step };
            }
            WindowKind::Session { gap } => return Span { start: t, end: t + gap },
        };
        if t < self.last.start || t >= self.last.end {
            let start = align(t, size, offset);
            self.last = Span { start, end: start + size };
        }
        self.last
    }

    /// The window that an instant alone makes, of SESSION.
    #[inline(always)]
    pub(super) fn session(&mut self, instant: i64) -> Span {
        match (&self.kind, &self.zone) {
            (WindowKind::Session { gap }, None) => Span { start: instant, end: instant + gap },
            _ => self.first(instant),
        }
    }

    /// The window of an instant where each is in one alone, whose limits are instants as well: TUMBLE without a zone.
    #[inline]
    pub(super) fn only(&mut self, instant: i64) -> Option<Span> {
        (matches!(self.kind, WindowKind::Tumble { .. }) && self.zone.is_none()).then(|| self.first(instant))
    }

    /// Its windows are those of a zone whose clock is set now and then.
    pub(super) fn has_zone(&self) -> bool {
        self.zone.is_some()
    }

    /// The window after `window` of the same instant.
    pub(super) fn next(&mut self, instant: i64, window: Span) -> Option<Span> {
        let t = match &mut self.zone {
            None => instant,
            Some(z) => z.local(instant),
        };
        match self.kind {
            WindowKind::Tumble { .. } | WindowKind::Session { .. } => None,
            WindowKind::Hop { slide, .. } => {
                let earlier = Span { start: window.start - slide, end: window.end - slide };
                (earlier.end > t).then_some(earlier)
            }
            WindowKind::Cumulate { size, step, .. } => {
                let longer = Span { end: window.end + step, ..window };
                (longer.end <= window.start + size).then_some(longer)
            }
        }
    }

    /// An instant is in no window at all: a HOP with gaps.
    pub(super) fn misses(&mut self, instant: i64) -> bool {
        matches!(self.kind, WindowKind::Hop { size, slide, .. } if size < slide) && {
            let t = self.zone.as_mut().map_or(instant, |z| z.local(instant));
            self.first(instant).end <= t
        }
    }

    /// The watermark, in ms, at which a window that ends then is closed.
    pub(super) fn due(&self, end: i64) -> i64 {
        let last = end.div_euclid(1000) - 1;
        let Some(z) = &self.zone else { return last };
        let instant = |ms| to_instant(Moment::from_millis(ms), &z.zone).millis();
        let (t1, t2) = (instant(last), instant(last + HOUR_MS));
        if t1 == t2 {
            // The clock skips this hour: the first instant after it.
            t1 - t1 % HOUR_MS
        } else if t2 - t1 > HOUR_MS {
            // The clock goes through this hour twice: the second time.
            t1 + HOUR_MS
        } else {
            t1
        }
    }

    /// The event time of a window, µs: its last millisecond.
    pub(super) fn time(&self, end: i64) -> i64 {
        let last = end - 1000;
        match &self.zone {
            None => last,
            Some(z) => to_instant(Moment::from_micros(last), &z.zone).micros(),
        }
    }
}

/// The largest multiple of `unit` from `offset` that is not above `t`.
#[inline]
fn align(t: i64, unit: i64, offset: i64) -> i64 {
    t - (t - offset).rem_euclid(unit)
}

impl Zone {
    #[inline]
    fn local(&mut self, instant: i64) -> i64 {
        if instant < self.from || instant >= self.until {
            self.find(instant);
        }
        instant + self.offset
    }

    #[cold]
    fn find(&mut self, instant: i64) {
        let limits = (Timestamp::MIN.as_microsecond(), Timestamp::MAX.as_microsecond());
        let t = Timestamp::from_microsecond(instant.clamp(limits.0, limits.1)).unwrap_or_default();
        self.offset = i64::from(self.zone.to_offset(t).seconds()) * 1_000_000;
        // A transition at `t` itself counts as preceding.
        let after = t.as_microsecond().saturating_add(1).min(limits.1);
        let before = Timestamp::from_microsecond(after).unwrap_or(t);
        self.from = self.zone.preceding(before).next().map_or(i64::MIN, |t| t.timestamp().as_microsecond());
        self.until = self.zone.following(t).next().map_or(i64::MAX, |t| t.timestamp().as_microsecond());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::WindowTime;

    fn windows(kind: WindowKind, zone: Option<&str>) -> Windows {
        let zone = zone.map(|z| TimeZone::get(z).unwrap());
        Windows::new(&Window {
            kind,
            time: WindowTime::Attribute(0),
            partition: vec![],
            grouping: false,
            zone,
        })
    }

    fn all(w: &mut Windows, ms: i64) -> Vec<(i64, i64)> {
        let mut out = vec![];
        let mut next = Some(w.first(ms * 1000));
        while let Some(s) = next {
            out.push((s.start / 1000, s.end / 1000));
            next = w.next(ms * 1000, s);
        }
        out
    }

    #[test]
    fn windows_align_downwards_with_any_offset() {
        let mut w = windows(WindowKind::Tumble { size: 10, offset: -3 }, None);
        assert_eq!(all(&mut w, 6), [(-3, 7)]);
        assert_eq!(all(&mut w, 7), [(7, 17)]);
        assert_eq!(all(&mut w, -4), [(-13, -3)]);
        let mut w = windows(WindowKind::Hop { size: 10, slide: 4, offset: 1 }, None);
        assert_eq!(all(&mut w, 6), [(5, 15), (1, 11), (-3, 7)]);
        assert!(!w.misses(6000));
        let mut w = windows(WindowKind::Hop { size: 2, slide: 4, offset: 0 }, None);
        assert!(w.misses(2000) && w.misses(3000) && !w.misses(1000));
        let mut w = windows(WindowKind::Cumulate { size: 12, step: 4, offset: 0 }, None);
        assert_eq!(all(&mut w, 5), [(0, 8), (0, 12)]);
    }

    #[test]
    fn zones_shift_windows_and_their_dues() {
        let day = 24 * HOUR_MS;
        let mut w = windows(WindowKind::Tumble { size: day, offset: 0 }, Some("Asia/Kolkata"));
        let t = 19_800_000; // 05:30, midnight of 1970-01-01 UTC in Kolkata
        assert_eq!(all(&mut w, 0), [(0, day)]);
        assert_eq!(w.due(day * 1000), day - t - 1);
        assert_eq!(w.time(day * 1000), (day - t - 1) * 1000);
        // Los Angeles, 2021: 2 to 3 o'clock is skipped on 14 March and 1 to 2 comes twice on 7 November.
        let hour = windows(WindowKind::Tumble { size: HOUR_MS, offset: 0 }, Some("America/Los_Angeles"));
        let local = |d: i64, h: i64| (d * day + h * HOUR_MS) * 1000;
        let (march, november) = (18_700, 18_938);
        assert_eq!(hour.due(local(march, 2)), 1_615_716_000_000 - 1);
        assert_eq!(hour.due(local(march, 3)), 1_615_716_000_000);
        assert_eq!(hour.due(local(march, 4)), 1_615_719_600_000 - 1);
        assert_eq!(hour.due(local(november, 2)), 1_636_279_200_000 - HOUR_MS - 1 + HOUR_MS);
    }

    #[test]
    fn the_remembered_offset_ends_with_its_stretch() {
        let mut w = windows(WindowKind::Tumble { size: HOUR_MS, offset: 0 }, Some("Europe/Berlin"));
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for start in [1_700_000_000_000i64, 1_711_846_800_000, 1_729_990_800_000] {
            for k in -3000..3000 {
                let ms = start + k * 600_000 * (1 - 2 * (k & 1));
                let offset = zone.to_offset(Timestamp::from_millisecond(ms).unwrap()).seconds();
                let want = align(ms + i64::from(offset) * 1000, HOUR_MS, 0);
                assert_eq!(w.first(ms * 1000).start, want * 1000, "{ms}");
            }
        }
    }
}

//! The civil calendar: days, times of day, timestamps and intervals, with the texts Flink writes and reads.
//!
//! Proleptic Gregorian, years 1 to 9999 for values (arithmetic works beyond). A DATE is days since 1970-01-01, a TIME ms of
//! the day, a timestamp a [`Moment`]. Local time becomes an instant as in Java: in a gap the clock has gone on, in an overlap the earlier
//! offset counts.

use super::number::write_i64;
use jiff::tz::TimeZone;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
/// Seconds of a day.
pub const DAY_S: i64 = 86_400;

/// A timestamp of any precision: seconds since the epoch (floor) and nanoseconds of the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Seconds since 1970-01-01 00:00:00, rounded down.
    pub seconds: i64,
    /// Nanoseconds of that second.
    pub nanos: u32,
}

impl Moment {
    /// From µs since the epoch: the physical form of precisions up to 6.
    #[inline]
    pub fn from_micros(us: i64) -> Self {
        Self { seconds: us.div_euclid(1_000_000), nanos: us.rem_euclid(1_000_000) as u32 * 1000 }
    }

    /// From ms since the epoch.
    #[inline]
    pub fn from_millis(ms: i64) -> Self {
        Self { seconds: ms.div_euclid(1000), nanos: ms.rem_euclid(1000) as u32 * 1_000_000 }
    }

    /// µs since the epoch, the rest cut off; the first or last that there is (294247-01-10) for a moment before or after it.
    #[inline]
    pub fn micros(self) -> i64 {
        self.seconds.saturating_mul(1_000_000).saturating_add(i64::from(self.nanos / 1000))
    }

    /// ms since the epoch, the rest cut off (downwards).
    #[inline]
    pub fn millis(self) -> i64 {
        self.seconds.wrapping_mul(1000).wrapping_add(i64::from(self.nanos / 1_000_000))
    }

    /// Days since the epoch (downwards).
    #[inline]
    pub fn days(self) -> i32 {
        self.seconds.div_euclid(DAY_S) as i32
    }

    /// Digits after precision `p` set to zero.
    #[inline]
    #[must_use]
    pub fn truncated(self, p: u8) -> Self {
        let unit = 10u32.pow(u32::from(9 - p.min(9)));
        Self { nanos: self.nanos - self.nanos % unit, ..self }
    }

    /// Moved by whole seconds.
    #[inline]
    #[must_use]
    pub fn plus_seconds(self, s: i64) -> Self {
        Self { seconds: self.seconds.wrapping_add(s), ..self }
    }

    /// Moved by milliseconds.
    #[inline]
    #[must_use]
    pub fn plus_millis(self, ms: i64) -> Self {
        let total = i64::from(self.nanos) + ms.rem_euclid(1000) * 1_000_000;
        Self {
            seconds: self.seconds.wrapping_add(ms.div_euclid(1000)).wrapping_add(total / 1_000_000_000),
            nanos: (total % 1_000_000_000) as u32,
        }
    }
}

/// Days since the epoch of a civil date (any month number from 1 to 12, day not checked).
#[inline]
pub fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (month as i32 + 9) % 12;
    let doy = (153 * mp + 2) / 5 + day as i32 - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era.wrapping_mul(146_097).wrapping_add(doe).wrapping_sub(719_468)
}

/// Year, month and day of days since the epoch.
#[inline]
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let z = i64::from(days) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let m = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    ((yoe + era * 400) as i32 + i32::from(m <= 2), m, d)
}

/// The year has a 29th of February.
pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month.
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// `days` moved by months; a day past the end of the month becomes its last.
pub fn add_months(days: i32, months: i32) -> i32 {
    let (y, m, d) = civil_from_days(days);
    let total = i64::from(y) * 12 + i64::from(m) - 1 + i64::from(months);
    let (y, m) = (total.div_euclid(12) as i32, total.rem_euclid(12) as u32 + 1);
    days_from_civil(y, m, d.min(days_in_month(y, m)))
}

/// The zone's offset in seconds at an instant.
#[inline]
pub fn offset_at(zone: &TimeZone, seconds: i64) -> i64 {
    if let Ok(fixed) = zone.to_fixed_offset() {
        return i64::from(fixed.seconds());
    }
    let t = jiff::Timestamp::from_second(seconds.clamp(-377_705_023_201, 253_402_207_200))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    i64::from(zone.to_offset(t).seconds())
}

/// An instant as local time.
#[inline]
pub fn to_local(m: Moment, zone: &TimeZone) -> Moment {
    m.plus_seconds(offset_at(zone, m.seconds))
}

/// Local time as an instant: in a gap later by the gap, in an overlap the earlier of the two.
pub fn to_instant(local: Moment, zone: &TimeZone) -> Moment {
    if let Ok(fixed) = zone.to_fixed_offset() {
        return local.plus_seconds(-i64::from(fixed.seconds()));
    }
    // The offset before any transition near the local time decides in both cases; a day is longer than any transition.
    let before = offset_at(zone, local.seconds - DAY_S);
    let after = offset_at(zone, local.seconds + DAY_S);
    if before == after {
        // A pair of transitions within two days does not occur in the zone database for dates of use.
        return local.plus_seconds(-before);
    }
    let early = local.seconds - before;
    let late = local.seconds - after;
    if offset_at(zone, early) == before || offset_at(zone, late) != after {
        // Not yet changed, an overlap, or a gap: the offset before it.
        return local.plus_seconds(-before);
    }
    local.plus_seconds(-after)
}

#[inline]
fn two(n: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8]);
}

fn write_year(y: i32, out: &mut Vec<u8>) {
    let mut y = y as u32;
    if y > 9999 {
        // The end of a window may lie behind the last year of timestamps.
        super::number::write_i64((y / 10_000).into(), out);
        y %= 10_000;
    }
    two(y / 100 % 100, out);
    two(y % 100, out);
}

/// Writes `2024-02-29`.
pub fn write_date(days: i32, out: &mut Vec<u8>) {
    let (y, m, d) = civil_from_days(days);
    write_year(y, out);
    out.push(b'-');
    two(m, out);
    out.push(b'-');
    two(d, out);
}

fn write_clock(second_of_day: u32, out: &mut Vec<u8>) {
    two(second_of_day / 3600, out);
    out.push(b':');
    two(second_of_day / 60 % 60, out);
    out.push(b':');
    two(second_of_day % 60, out);
}

fn write_fraction(nanos: u32, digits: u8, out: &mut Vec<u8>) {
    if digits > 0 {
        out.push(b'.');
        let mut unit = 100_000_000;
        for _ in 0..digits {
            out.push(b'0' + (nanos / unit % 10) as u8);
            unit = (unit / 10).max(1);
        }
    }
}

/// Writes a TIME with all digits of its precision: `10:11:12.500`.
pub fn write_time(ms: i32, precision: u8, out: &mut Vec<u8>) {
    let ms = i64::from(ms).rem_euclid(DAY_MS) as u32;
    write_clock(ms / 1000, out);
    write_fraction(ms % 1000 * 1_000_000, precision, out);
}

/// Writes a TIME as CAST does: the fraction ends with its last digit that is not zero, but has at least one.
pub fn write_time_cast(ms: i32, precision: u8, out: &mut Vec<u8>) {
    let ms = i64::from(ms).rem_euclid(DAY_MS) as u32;
    write_clock(ms / 1000, out);
    if precision > 0 {
        out.push(b'.');
        let mut rest = ms % 1000;
        for _ in 0..precision {
            out.push(b'0' + (rest / 100) as u8);
            rest = rest % 100 * 10;
            if rest == 0 {
                break;
            }
        }
    }
}

/// Writes `2024-02-29 10:11:12.500` with `precision` digits.
pub fn write_timestamp(m: Moment, precision: u8, out: &mut Vec<u8>) {
    write_date(m.days(), out);
    out.push(b' ');
    write_clock(m.seconds.rem_euclid(DAY_S) as u32, out);
    write_fraction(m.nanos, precision, out);
}

/// Writes a DATE as CAST does: of a year with more than four digits the last four, as Flink.
pub fn write_date_cast(days: i32, out: &mut Vec<u8>) {
    let start = out.len();
    write_date(days, out);
    // Four digits, a month and a day.
    let more = (out.len() - start).saturating_sub("2024-02-29".len());
    out.drain(start..start + more);
}

/// Writes Java's `LocalTime.toString`: seconds and fraction (3, 6 or 9 digits) only where not zero.
pub fn write_java_time(second_of_day: u32, nanos: u32, out: &mut Vec<u8>) {
    two(second_of_day / 3600, out);
    out.push(b':');
    two(second_of_day / 60 % 60, out);
    if !second_of_day.is_multiple_of(60) || nanos != 0 {
        out.push(b':');
        two(second_of_day % 60, out);
        let digits = match nanos {
            0 => 0,
            n if n.is_multiple_of(1_000_000) => 3,
            n if n.is_multiple_of(1000) => 6,
            _ => 9,
        };
        write_fraction(nanos, digits, out);
    }
}

/// Writes Java's `LocalDateTime.toString`, or with `instant` its `Instant.toString` (seconds always, a `Z`).
pub fn write_java_timestamp(m: Moment, instant: bool, out: &mut Vec<u8>) {
    write_date(m.days(), out);
    out.push(b'T');
    let s = m.seconds.rem_euclid(DAY_S) as u32;
    if instant && s.is_multiple_of(60) && m.nanos == 0 {
        write_clock(s, out);
    } else {
        write_java_time(s, m.nanos, out);
    }
    if instant {
        out.push(b'Z');
    }
}

/// Writes an INTERVAL of months: `+1-03`.
pub fn write_interval_months(months: i32, out: &mut Vec<u8>) {
    let m = i64::from(months).unsigned_abs();
    out.push(if months < 0 { b'-' } else { b'+' });
    write_i64((m / 12) as i64, out);
    out.push(b'-');
    two((m % 12) as u32, out);
}

/// Writes an INTERVAL of milliseconds: `+10 00:00:00.000`.
pub fn write_interval_millis(ms: i64, out: &mut Vec<u8>) {
    out.push(if ms < 0 { b'-' } else { b'+' });
    let v = ms.unsigned_abs();
    write_i64((v / DAY_MS as u64) as i64, out);
    out.push(b' ');
    let rest = (v % DAY_MS as u64) as u32;
    write_clock(rest / 1000, out);
    write_fraction(rest % 1000 * 1_000_000, 3, out);
}

/// Digits alone, trimmed: Flink takes no sign in the parts of a date or time.
fn digits(text: &[u8]) -> Option<i32> {
    let text = super::number::trim(text);
    let value = std::str::from_utf8(text).ok()?.parse().ok()?;
    text.iter().all(u8::is_ascii_digit).then_some(value)
}

/// Days since the epoch, when year, month and day are in range.
pub fn checked_date(y: i32, m: i32, d: i32) -> Option<i32> {
    if !(0..=9999).contains(&y) || !(1..=12).contains(&m) || d < 1 {
        return None;
    }
    let m = m as u32;
    (d as u32 <= days_in_month(y, m)).then(|| days_from_civil(y, m, d as u32))
}

/// Reads a DATE as CAST does: `2024-02-29`, `2024-2-9`, `2024-02`, `2024`; what follows a space is ignored.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let text = match text.iter().position(|&b| b == b' ') {
        Some(at) if at > 0 => &text[..at],
        _ => text,
    };
    let mut parts = text.splitn(3, |&b| b == b'-');
    let y = digits(parts.next()?)?;
    let m = parts.next().map_or(Some(1), digits)?;
    let d = parts.next().map_or(Some(1), digits)?;
    checked_date(y, m, d)
}

/// Reads a TIME as CAST does: `10`, `10:11`, `10:11:12.5`, with an optional zone offset that shifts it. Milliseconds of the day.
pub fn parse_time(text: &[u8]) -> Option<i32> {
    let find = |b: u8, from: usize| text[from..].iter().position(|&x| x == b).map(|i| i + from);
    let (zone, operator) = match find(b'-', 0) {
        Some(at) => (Some(at), -1),
        None => (find(b'+', 0), 1_i32),
    };
    let (mut zone_hour, mut zone_minute, end) = (0, 0, zone.unwrap_or(text.len()));
    if let Some(z) = zone {
        match find(b':', z) {
            None => zone_hour = digits(&text[z + 1..])?,
            Some(c) => {
                zone_hour = digits(&text[z + 1..c])?;
                zone_minute = digits(&text[c + 1..])?;
            }
        }
    }
    let part = |a: usize, b: usize| text.get(a..b).and_then(digits);
    let (mut minute, mut second, mut milli) = (0, 0, 0);
    let hour = match find(b':', 0) {
        None => part(0, end)?,
        Some(c1) => {
            match find(b':', c1 + 1) {
                None => minute = part(c1 + 1, end)?,
                Some(c2) => {
                    minute = part(c1 + 1, c2)?;
                    match find(b'.', c2) {
                        None => second = part(c2 + 1, end)?,
                        Some(dot) => {
                            second = part(c2 + 1, dot)?;
                            milli = parse_millis(text.get(dot + 1..end)?);
                        }
                    }
                }
            }
            part(0, c1)?
        }
    };
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
        return None;
    }
    // A zone offset of any size is taken, and the sum wraps around as Java's does.
    let hours = operator.wrapping_mul(zone_hour).wrapping_add(hour).wrapping_mul(3_600_000);
    let minutes = operator.wrapping_mul(zone_minute).wrapping_add(minute).wrapping_mul(60_000);
    Some(hours.wrapping_add(minutes).wrapping_add(second * 1000 + milli))
}

/// Three digits of a fraction, rounded by the fourth; what is not a digit counts as 0.
fn parse_millis(text: &[u8]) -> i32 {
    let digit = |i: usize| text.get(i).filter(|b| b.is_ascii_digit()).map_or(0, |b| i32::from(b - b'0'));
    digit(0) * 100 + digit(1) * 10 + digit(2) + i32::from(text.get(3).is_some_and(|&b| b >= b'5'))
}

/// Reads a TIMESTAMP as CAST and TO_TIMESTAMP do, cut to `precision`: `2024-02-29 10:11:12.123456789`, `2024-2-9 1:2:3`,
/// `2024-02-29`. A day from 29 to 31 that the month does not have is its last (Java's SMART resolver); 24:00:00 is the next day.
pub fn parse_timestamp(text: &[u8], precision: u8) -> Option<Moment> {
    let mut c = Cursor { rest: text };
    let year = c.exactly(4)? as i32;
    c.expect(b'-')?;
    let month = c.one_or_two()?;
    c.expect(b'-')?;
    let day = c.one_or_two()?;
    if year == 0 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut days = days_from_civil(year, month, day.min(days_in_month(year, month)));
    let (mut second_of_day, mut nanos) = (0, 0);
    if !c.rest.is_empty() {
        c.expect(b' ')?;
        let hour = c.one_or_two()?;
        c.expect(b':')?;
        let minute = c.one_or_two()?;
        c.expect(b':')?;
        let second = c.one_or_two()?;
        nanos = c.fraction()?;
        if !c.rest.is_empty() || minute > 59 || second > 59 {
            return None;
        }
        match hour {
            0..24 => second_of_day = hour * 3600 + minute * 60 + second,
            24 if (minute, second, nanos) == (0, 0, 0) => days += 1,
            _ => return None,
        }
    }
    let m = Moment { seconds: i64::from(days) * DAY_S + i64::from(second_of_day), nanos };
    Some(m.truncated(precision))
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn expect(&mut self, b: u8) -> Option<()> {
        let [first, rest @ ..] = self.rest else { return None };
        self.rest = rest;
        (*first == b).then_some(())
    }

    fn exactly(&mut self, n: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        digits.iter().try_fold(0, |v, b| b.is_ascii_digit().then(|| v * 10 + u32::from(b - b'0')))
    }

    /// Java's `[MM][M]`: one or two digits; after two, the same number once more is swallowed (`011`).
    fn one_or_two(&mut self) -> Option<u32> {
        let two = self.rest.get(1).is_some_and(u8::is_ascii_digit);
        let v = self.exactly(1 + usize::from(two))?;
        let more = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if two && (1..=9).contains(&more) {
            let mut again = Cursor { rest: self.rest };
            if again.exactly(more) == Some(v) {
                self.rest = again.rest;
            }
        }
        Some(v)
    }

    /// Nothing, or a point with up to nine digits.
    fn fraction(&mut self) -> Option<u32> {
        let [b'.', rest @ ..] = self.rest else { return Some(0) };
        let n = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if n > 9 {
            return None;
        }
        self.rest = rest;
        Some(self.exactly(n)? * 10u32.pow(9 - n as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(f: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        f(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn timestamps_are_read_as_flink_reads_them() {
        // conformance: types/string_to_temporal
        for (t, d, time, ts) in [
            ("2024-02-29", Some("2024-02-29"), None, Some("2024-02-29 00:00:00.000")),
            ("2023-02-29", None, None, Some("2023-02-28 00:00:00.000")),
            ("2024-2-9", Some("2024-02-09"), None, Some("2024-02-09 00:00:00.000")),
            ("2024-02-29 1:2:3", Some("2024-02-29"), None, Some("2024-02-29 01:02:03.000")),
            ("2024-02-29T10:11:12", None, None, None),
            ("2024-02-29 10:11:12.1234567891", Some("2024-02-29"), None, None),
            ("2024-02-29 10:11", Some("2024-02-29"), None, None),
            ("10:11:12", None, Some("10:11:12"), None),
            ("10:11:12.5", None, Some("10:11:12"), None),
            ("24:00:00", None, None, None),
            ("2024-13-01", None, None, None),
            ("2024", Some("2024-01-01"), None, None),
            (" 2024-01-01 ", Some("2024-01-01"), None, None),
            ("2024-02-29 10:11:12Z", Some("2024-02-29"), None, None),
            ("2024-011-01", Some("2024-11-01"), None, Some("2024-01-01 00:00:00.000")),
            ("2024-01-01 24:00:00", Some("2024-01-01"), None, Some("2024-01-02 00:00:00.000")),
            ("2024-01-01 10:00:00.", Some("2024-01-01"), None, Some("2024-01-01 10:00:00.000")),
            ("12:00:00+02:00", None, Some("14:00:00"), None),
            // Texts of intervals: no sign before a part.
            ("+1 02:03:04.005", None, None, None),
            ("+2-00", None, None, None),
            ("2024-+1-02", None, None, None),
        ] {
            let date = parse_date(t.as_bytes()).map(|v| text(|o| write_date(v, o)));
            assert_eq!(date.as_deref(), d, "{t}");
            let clock = parse_time(t.as_bytes()).map(|v| text(|o| write_time(v, 0, o)));
            assert_eq!(clock.as_deref(), time, "{t}");
            let moment = parse_timestamp(t.as_bytes(), 3).map(|v| text(|o| write_timestamp(v, 3, o)));
            assert_eq!(moment.as_deref(), ts, "{t}");
        }
    }

    #[test]
    fn intervals_and_java_forms() {
        assert_eq!(text(|o| write_interval_months(15, o)), "+1-03");
        assert_eq!(text(|o| write_interval_months(-1, o)), "-0-01");
        assert_eq!(text(|o| write_interval_millis(-62_000, o)), "-0 00:01:02.000");
        assert_eq!(text(|o| write_time_cast(36_000_120, 3, o)), "10:00:00.12");
        assert_eq!(text(|o| write_time_cast(36_000_000, 3, o)), "10:00:00.0");
        let m = Moment::from_millis(1_710_064_800_120);
        assert_eq!(text(|o| write_java_timestamp(m, true, o)), "2024-03-10T10:00:00.120Z");
        assert_eq!(text(|o| write_java_timestamp(m.truncated(0), false, o)), "2024-03-10T10:00");
        assert_eq!(text(|o| write_java_timestamp(m.truncated(0), true, o)), "2024-03-10T10:00:00Z");
    }

    #[test]
    fn a_date_past_the_year_9999() {
        let days = days_from_civil(1_705_471, 9, 27);
        assert_eq!(text(|o| write_date(days, o)), "1705471-09-27");
        assert_eq!(text(|o| write_date_cast(days, o)), "5471-09-27");
        assert_eq!(text(|o| write_date_cast(days_from_civil(2024, 2, 29), o)), "2024-02-29");
        let late = Moment { seconds: i64::from(days) * DAY_S, nanos: 0 };
        assert_eq!(
            text(|o| write_timestamp(Moment::from_micros(late.micros()), 0, o)),
            "294247-01-10 04:00:54"
        );
    }

    #[test]
    fn zones_follow_java_in_gaps_and_overlaps() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |t: &str| parse_timestamp(t.as_bytes(), 0).unwrap();
        let shown = |m| text(|o| write_timestamp(m, 0, o));
        assert_eq!(shown(to_instant(at("2024-03-31 02:30:00"), &zone)), "2024-03-31 01:30:00");
        assert_eq!(shown(to_instant(at("2024-10-27 02:30:00"), &zone)), "2024-10-27 00:30:00");
        assert_eq!(shown(to_instant(at("2024-10-27 03:30:00"), &zone)), "2024-10-27 02:30:00");
        assert_eq!(shown(to_instant(at("2024-07-01 12:00:00"), &zone)), "2024-07-01 10:00:00");
    }

    #[test]
    fn a_zone_offset_of_any_size_is_taken() {
        assert_eq!(parse_time(b"5-2"), Some(3 * 3_600_000));
        assert_eq!(parse_time(b"1-0900"), Some((-899_i32).wrapping_mul(3_600_000)));
        assert!(
            parse_time(b"1-2147483647").is_some()
                && parse_time(b"23:59:59.9999+2147483647:2147483647").is_some()
        );
    }

    proptest! {
        #[test]
        fn every_day_comes_back(days in -719_162i32..=2_932_896) {
            let (y, m, d) = civil_from_days(days);
            prop_assert_eq!(days_from_civil(y, m, d), days);
            prop_assert_eq!(parse_date(text(|o| write_date(days, o)).as_bytes()), Some(days));
        }

        #[test]
        fn every_moment_comes_back(seconds in -62_135_596_800i64..=253_402_300_799, nanos in 0u32..1_000_000_000, p in 0u8..=9) {
            let m = Moment { seconds, nanos }.truncated(p);
            prop_assert_eq!(parse_timestamp(text(|o| write_timestamp(m, p, o)).as_bytes(), p), Some(m));
            if p <= 6 {
                prop_assert_eq!(Moment::from_micros(m.micros()), m);
            }
        }

        #[test]
        fn local_time_comes_back_from_an_instant(seconds in -2_000_000_000i64..=4_000_000_000, zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC"])) {
            let zone = TimeZone::get(zone).unwrap();
            let local = to_local(Moment { seconds, nanos: 0 }, &zone);
            let again = to_local(to_instant(local, &zone), &zone);
            // The local time is what was asked for (an overlap may give the earlier instant, never another local time).
            prop_assert_eq!(again, local);
        }

        #[test]
        fn reading_never_panics(t in "[-+0-9: .Tz]{0,34}") {
            let _ = (parse_date(t.as_bytes()), parse_time(t.as_bytes()), parse_timestamp(t.as_bytes(), 9));
        }
    }
}

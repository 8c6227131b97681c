//! Single values from the text of a record, by the rules of Flink's formats.
//!
//! Flink's csv and json formats read numbers by Java's `parseInt`, `parseDouble` and `BigDecimal`, and times by its
//! `DateTimeFormatter`s, which are stricter than CAST; what differs from CAST stands here, the rest is `batch::text`. Each
//! function opens with the common form and leaves the rest to a slower path. `Ok(None)` is a value that Flink turns into NULL
//! without an error (a DECIMAL that does not fit).

use crate::batch::text::civil::{self, Moment};
use crate::batch::text::number;
use crate::batch::{DataType, TypeKind, decimal};

/// Why a text is not a value. The message is made where it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// Not of the type's form.
    Form,
    /// A number outside the type's range.
    Range,
    /// Not base64.
    Base64,
}

impl Bad {
    /// The reason with Flink's words, for the text of a value of type `ty`.
    pub(crate) fn reason(self, text: &[u8], ty: &DataType) -> String {
        let shown = String::from_utf8_lossy(&text[..text.len().min(80)]);
        let shown = if text.len() > 80 { format!("{shown}…") } else { shown.into_owned() };
        let trimmed = shown.trim();
        match (self, &ty.kind) {
            (Bad::Range, _) => format!("Value out of range. Value:\"{trimmed}\" for type {}", ty.kind),
            (Bad::Base64, _) => format!("Unable to deserialize byte array. \"{trimmed}\" is not base64"),
            (Bad::Form, TypeKind::Float | TypeKind::Double) if trimmed.is_empty() => {
                format!("empty String is not a {}", ty.kind)
            }
            (Bad::Form, TypeKind::Decimal(..)) => {
                format!(
                    "\"{shown}\" is not a {}: it is neither decimal digits with a point nor \"e\" notation",
                    ty.kind
                )
            }
            (Bad::Form, k) if k.is_datetime() => format!("Text '{shown}' could not be parsed as {}", ty.kind),
            (Bad::Form, _) => format!("For input string: \"{trimmed}\" (not a {})", ty.kind),
        }
    }
}

pub(crate) type Read<T> = Result<Option<T>, Bad>;

/// Up to 18 digits, nothing else.
#[inline]
fn short_digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut v = 0u64;
    let mut wrong = 0u8;
    for &b in text {
        let d = b.wrapping_sub(b'0');
        wrong |= u8::from(d > 9);
        v = v * 10 + u64::from(d & 15);
    }
    (wrong == 0).then_some(v)
}

/// An integer as `Long.parseLong(text.trim())` and its narrower kin take it.
#[inline]
pub(crate) fn integer(text: &[u8], min: i64, max: i64) -> Read<i64> {
    let (negative, digits) = match text {
        [b'-', r @ ..] => (true, r),
        r => (false, r),
    };
    if let Some(v) = short_digits(digits) {
        let v = if negative { -(v as i64) } else { v as i64 };
        return if v >= min && v <= max { Ok(Some(v)) } else { Err(Bad::Form) };
    }
    integer_slow(text, min, max)
}

#[cold]
fn integer_slow(text: &[u8], min: i64, max: i64) -> Read<i64> {
    let text = number::trim(text);
    let digits = match text {
        [b'-' | b'+', r @ ..] => r,
        r => r,
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Bad::Form);
    }
    let v = std::str::from_utf8(text).ok().and_then(|t| t.parse::<i64>().ok());
    v.filter(|v| (min..=max).contains(v)).map(Some).ok_or(Bad::Form)
}

/// `Boolean.parseBoolean(text.trim())`: true, or anything else for false.
#[inline]
pub(crate) fn boolean(text: &[u8]) -> bool {
    number::trim(text).eq_ignore_ascii_case(b"true")
}

#[inline]
pub(crate) fn double(text: &[u8]) -> Read<f64> {
    number::parse_f64(text).map(Some).ok_or(Bad::Form)
}

#[inline]
pub(crate) fn float(text: &[u8]) -> Read<f32> {
    number::parse_f32(text).map(Some).ok_or(Bad::Form)
}

/// A DECIMAL(p, s) by `new BigDecimal(text)`, rounded half up; `None` when it does not fit.
#[inline]
pub(crate) fn decimal_of(text: &[u8], precision: u8, scale: u8) -> Read<i128> {
    let (negative, rest) = match text {
        [b'-', r @ ..] => (true, r),
        r => (false, r),
    };
    // `123.45` with no more places than the type has.
    if rest.len() <= 18 {
        let point = rest.iter().position(|&b| b == b'.');
        let (whole, fraction) = match point {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        if fraction.len() <= usize::from(scale)
            && let Some(w) = short_digits(whole)
            && let Some(f) = if fraction.is_empty() { Some(0) } else { short_digits(fraction) }
        {
            // At most 18 digits: the product is below 10^18.
            let unscaled = w * POWERS[fraction.len()] + f;
            let v = i128::from(unscaled) * decimal::pow10(u32::from(scale) - fraction.len() as u32);
            if decimal::fits(v, precision) {
                return Ok(Some(if negative { -v } else { v }));
            }
            return Ok(None);
        }
    }
    match decimal::parse(text, precision, scale) {
        Some(v) => Ok(Some(v)),
        None if is_big_decimal(text) => Ok(None),
        None => Err(Bad::Form),
    }
}

const POWERS: [u64; 19] = {
    let mut p = [1u64; 19];
    let mut i = 1;
    while i < 19 {
        p[i] = p[i - 1] * 10;
        i += 1;
    }
    p
};

/// `new BigDecimal(text)` takes it.
fn is_big_decimal(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let (mantissa, exponent) = match rest.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let digits = mantissa.iter().filter(|b| b.is_ascii_digit()).count();
    let points = mantissa.iter().filter(|&&b| b == b'.').count();
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(b"-").or(e.strip_prefix(b"+")).unwrap_or(e);
        !e.is_empty() && e.len() <= 10 && e.iter().all(u8::is_ascii_digit)
    });
    digits > 0 && points <= 1 && digits + points == mantissa.len() && exponent_ok
}

#[inline]
fn two(text: &[u8], at: usize) -> Option<u32> {
    let (a, b) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (a <= 9 && b <= 9).then(|| u32::from(a) * 10 + u32::from(b))
}

/// How strictly a day of the month is taken (Java's `ResolverStyle`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Days {
    /// It must exist.
    Strict,
    /// 29 to 31 become the month's last day.
    Smart,
}

/// `yyyy-MM-dd` at the start; days since the epoch and the bytes used. (Java also takes signed years of more digits; Flink's types end
/// with year 9999.)
#[inline]
fn iso_date(text: &[u8], days: Days) -> Option<(i32, usize)> {
    if text.len() < 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (a, b, m, d) = (two(text, 0)?, two(text, 2)?, two(text, 5)?, two(text, 8)?);
    resolve((a * 100 + b) as i32, m, d, days).map(|v| (v, 10))
}

#[inline]
fn resolve(year: i32, month: u32, day: u32, days: Days) -> Option<i32> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut day = day;
    if day > 28 {
        let last = civil::days_in_month(year, month);
        if day > last {
            if days == Days::Strict {
                return None;
            }
            day = last;
        }
    }
    Some(civil::days_from_civil(year, month, day))
}

/// `HH:mm:ss` with an optional fraction of up to nine digits (none after the point is taken too): second of the day, nanoseconds
/// and bytes used. `24:00:00` gives 86,400 where `end_of_day`.
#[inline]
fn clock(text: &[u8], end_of_day: bool) -> Option<(u32, u32, usize)> {
    if text.len() < 8 || text[2] != b':' || text[5] != b':' {
        return None;
    }
    let (h, m, s) = (two(text, 0)?, two(text, 3)?, two(text, 6)?);
    let (mut nanos, mut used) = (0, 8);
    if text.get(8) == Some(&b'.') {
        used = 9;
        while let Some(d) = text.get(used).map(|b| b.wrapping_sub(b'0')).filter(|d| *d <= 9 && used < 18) {
            nanos = nanos * 10 + u32::from(d);
            used += 1;
        }
        nanos *= 10u32.pow(9 - (used as u32 - 9));
    }
    if m > 59 || s > 59 || h > 23 && !(end_of_day && (h, m, s, nanos) == (24, 0, 0, 0)) {
        return None;
    }
    Some((h * 3600 + m * 60 + s, nanos, used))
}

/// The forms of TIMESTAMP in Flink's formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimestampFormat {
    /// `2024-03-10 10:00:00.123`, with `Z` for TIMESTAMP_LTZ.
    #[default]
    Sql,
    /// `2024-03-10T10:00:00.123`, with `Z` for TIMESTAMP_LTZ.
    Iso,
}

/// A timestamp, cut to the type's precision. `instant`: of TIMESTAMP_LTZ, which ends in `Z`.
#[inline]
pub(crate) fn timestamp(text: &[u8], format: TimestampFormat, instant: bool, precision: u8) -> Read<Moment> {
    timestamp_of(text, format, instant).map(|m| Some(m.truncated(precision))).ok_or(Bad::Form)
}

#[inline]
fn timestamp_of(text: &[u8], format: TimestampFormat, instant: bool) -> Option<Moment> {
    // ISO_LOCAL_DATE_TIME is strict; the formats that Flink builds itself resolve smartly.
    let strict = format == TimestampFormat::Iso && !instant;
    let (days, used) = iso_date(text, if strict { Days::Strict } else { Days::Smart })?;
    let between = if format == TimestampFormat::Sql { b' ' } else { b'T' };
    let at = *text.get(used)?;
    if at != between && !(format == TimestampFormat::Iso && at == b't') {
        return None;
    }
    let rest = &text[used + 1..];
    let (seconds, nanos, used) = clock_or_short(rest, format, !strict)?;
    let rest = &rest[used..];
    let ended = if instant { rest == b"Z" } else { rest.is_empty() };
    ended.then(|| Moment { seconds: i64::from(days) * civil::DAY_S + i64::from(seconds), nanos })
}

/// ISO_LOCAL_TIME lets the seconds go.
#[inline]
fn clock_or_short(text: &[u8], format: TimestampFormat, end_of_day: bool) -> Option<(u32, u32, usize)> {
    if let Some(c) = clock(text, end_of_day) {
        return Some(c);
    }
    if format == TimestampFormat::Sql || text.len() < 5 || text[2] != b':' || text.get(5) == Some(&b':') {
        return None;
    }
    let (h, m) = (two(text, 0)?, two(text, 3)?);
    (h <= 23 && m <= 59).then_some((h * 3600 + m * 60, 0, 5))
}

/// A DATE of the json format: ISO_LOCAL_DATE.
#[inline]
pub(crate) fn date_iso(text: &[u8]) -> Read<i32> {
    match iso_date(text, Days::Strict) {
        Some((v, used)) if used == text.len() => Ok(Some(v)),
        _ => Err(Bad::Form),
    }
}

/// A DATE of the csv format: `java.sql.Date.valueOf`, where `2024-2-30` is 1 March.
#[inline]
pub(crate) fn date_sql(text: &[u8]) -> Read<i32> {
    let mut parts = text.splitn(3, |&b| b == b'-');
    let (Some(y), Some(m), Some(d)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Bad::Form);
    };
    let part = |t: &[u8], max: usize| if t.len() <= max { short_digits(t) } else { None };
    match (part(y, 4).filter(|_| y.len() == 4), part(m, 2), part(d, 2)) {
        (Some(y), Some(m @ 1..=12), Some(d @ 1..=31)) => {
            Ok(Some(civil::days_from_civil(y as i32, m as u32, 1) + d as i32 - 1))
        }
        _ => Err(Bad::Form),
    }
}

/// A TIME of the json format, in ms: `HH:mm:ss` with a fraction; 24:00:00 is midnight.
#[inline]
pub(crate) fn time_sql(text: &[u8], precision: u8) -> Read<i32> {
    match clock(text, true) {
        Some((s, n, used)) if used == text.len() => Ok(Some(cut_ms(s % 86_400, n, precision))),
        _ => Err(Bad::Form),
    }
}

/// A TIME of the csv format, in ms: `LocalTime.parse`, seconds optional.
#[inline]
pub(crate) fn time_iso(text: &[u8], precision: u8) -> Read<i32> {
    match clock_or_short(text, TimestampFormat::Iso, false) {
        // A point needs a digit here.
        Some((s, n, used)) if used == text.len() && used != 9 => Ok(Some(cut_ms(s, n, precision))),
        _ => Err(Bad::Form),
    }
}

fn cut_ms(second: u32, nanos: u32, precision: u8) -> i32 {
    let ms = nanos / 1_000_000;
    let unit = [1000, 100, 10, 1][usize::from(precision.min(3))];
    (second * 1000 + ms / unit * unit) as i32
}

/// Appends the bytes that base64 stands for (Jackson's MIME_NO_LINEFEEDS: padding is required, white space is skipped).
pub(crate) fn base64(text: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    let value = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let start = out.len();
    let (mut quad, mut n, mut padding) = (0u32, 0, 0);
    for &b in text.iter().filter(|b| **b > b' ') {
        match value(b) {
            Some(v) if padding == 0 => quad = quad << 6 | u32::from(v),
            None if b == b'=' && n >= 2 => {
                padding += 1;
                quad <<= 6;
            }
            _ => {
                out.truncate(start);
                return Err(Bad::Base64);
            }
        }
        n += 1;
        if n == 4 {
            let bytes = quad.to_be_bytes();
            out.extend_from_slice(&bytes[1..4 - padding]);
            (quad, n) = (0, 0);
        }
    }
    if n != 0 {
        out.truncate(start);
        return Err(Bad::Base64);
    }
    Ok(())
}

/// Appends the base64 text of bytes.
pub fn base64_encode(bytes: &[u8], out: &mut Vec<u8>) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let mut quad = [0u8; 4];
        quad[1..=chunk.len()].copy_from_slice(chunk);
        let quad = u32::from_be_bytes(quad);
        for i in 0..4 {
            out.push(match i <= chunk.len() {
                true => LETTERS[(quad >> (18 - 6 * i) & 63) as usize],
                false => b'=',
            });
        }
    }
}

/// Appends a timestamp as Flink's formats write it: the fraction without trailing zeros, none when it is 0.
pub(crate) fn write_timestamp(m: Moment, format: TimestampFormat, instant: bool, out: &mut Vec<u8>) {
    civil::write_date(m.days(), out);
    out.push(if format == TimestampFormat::Sql { b' ' } else { b'T' });
    write_clock(m.seconds.rem_euclid(civil::DAY_S) as u32, m.nanos, out);
    if instant {
        out.push(b'Z');
    }
}

/// Appends a TIME (ms of the day) as Flink's formats write it.
pub(crate) fn write_time(ms: i32, out: &mut Vec<u8>) {
    let ms = i64::from(ms).rem_euclid(civil::DAY_MS) as u32;
    write_clock(ms / 1000, ms % 1000 * 1_000_000, out);
}

fn write_clock(second: u32, nanos: u32, out: &mut Vec<u8>) {
    let two = |v: u32| [b'0' + (v / 10) as u8, b'0' + (v % 10) as u8];
    out.extend_from_slice(&two(second / 3600));
    out.push(b':');
    out.extend_from_slice(&two(second / 60 % 60));
    out.push(b':');
    out.extend_from_slice(&two(second % 60));
    if nanos > 0 {
        let mut digits = [b'0'; 10];
        digits[0] = b'.';
        let mut rest = nanos;
        for d in digits[1..].iter_mut().rev() {
            *d = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let end = digits.iter().rposition(|&d| d != b'0').map_or(1, |i| i + 1);
        out.extend_from_slice(&digits[..end]);
    }
}

/// Appends a DECIMAL as Jackson writes a `BigDecimal` without its trailing zeros: `1E+2`, or `100` where `plain`.
pub(crate) fn write_decimal(v: i128, scale: u8, plain: bool, out: &mut Vec<u8>) {
    if v == 0 {
        out.push(b'0');
        return;
    }
    let mut digits = v.unsigned_abs();
    let mut scale = i32::from(scale);
    while digits.is_multiple_of(10) {
        digits /= 10;
        scale -= 1;
    }
    if v < 0 {
        out.push(b'-');
    }
    let text = digits.to_string();
    let text = text.as_bytes();
    let exponent = text.len() as i32 - 1 - scale;
    if !plain && (scale < 0 || exponent < -6) {
        out.push(text[0]);
        if text.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&text[1..]);
        }
        out.push(b'E');
        out.push(if exponent < 0 { b'-' } else { b'+' });
        out.extend_from_slice(exponent.unsigned_abs().to_string().as_bytes());
    } else if scale <= 0 {
        out.extend_from_slice(text);
        out.extend(std::iter::repeat_n(b'0', (-scale) as usize));
    } else {
        let point = text.len() as i32 - scale;
        if point <= 0 {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', (-point) as usize));
            out.extend_from_slice(text);
        } else {
            out.extend_from_slice(&text[..point as usize]);
            out.push(b'.');
            out.extend_from_slice(&text[point as usize..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_javas() {
        let int = |t: &str| integer(t.as_bytes(), i32::MIN.into(), i32::MAX.into());
        assert_eq!(int("2147483647"), Ok(Some(2_147_483_647)));
        assert_eq!(int(" +7\t"), Ok(Some(7)));
        assert_eq!(int("-2147483648"), Ok(Some(-2_147_483_648)));
        for wrong in ["", "-", "+", "1.0", "2147483648", "1e3", "0x1F", "--1", "1 2"] {
            assert_eq!(int(wrong), Err(Bad::Form), "{wrong}");
        }
        assert_eq!(integer(b"-9223372036854775808", i64::MIN, i64::MAX), Ok(Some(i64::MIN)));
        assert_eq!(integer(b"9223372036854775808", i64::MIN, i64::MAX), Err(Bad::Form));
    }

    #[test]
    fn decimals_round_and_overflow_to_null() {
        let d = |t: &str| decimal_of(t.as_bytes(), 6, 2);
        assert_eq!(d("2.50"), Ok(Some(250)));
        assert_eq!(d("-.5"), Ok(Some(-50)));
        assert_eq!(d("1e2"), Ok(Some(10_000)));
        assert_eq!(d("1.005"), Ok(Some(101)));
        assert_eq!(d("12345"), Ok(None));
        assert_eq!(d("1e400"), Ok(None));
        for wrong in [" 1.5", "", ".", "1d", "NaN", "1e"] {
            assert_eq!(d(wrong), Err(Bad::Form), "{wrong}");
        }
    }

    #[test]
    fn timestamps_are_those_of_flinks_formatters() {
        let sql = |t: &str| timestamp(t.as_bytes(), TimestampFormat::Sql, false, 9).ok().flatten();
        let at = |t: &str| Some(civil::parse_timestamp(t.as_bytes(), 9).unwrap());
        assert_eq!(sql("2024-01-02 03:04:05.123456789"), at("2024-01-02 03:04:05.123456789"));
        assert_eq!(sql("2024-02-30 03:04:05"), at("2024-02-29 03:04:05"));
        assert_eq!(sql("2024-01-02 24:00:00"), at("2024-01-03 00:00:00"));
        assert_eq!(sql("2024-01-02 03:04:05."), at("2024-01-02 03:04:05"));
        for wrong in [
            "2024-01-02T03:04:05",
            "2024-1-2 3:4:5",
            "2024-01-02 03:04",
            "2024-01-02 25:00:00",
            "2024-01-02 03:04:05.1234567890",
            "2024-01-02 03:04:05Z",
            " 2024-01-02 03:04:05",
            "",
        ] {
            assert_eq!(sql(wrong), None, "{wrong}");
        }
        let iso = |t: &str, instant| timestamp(t.as_bytes(), TimestampFormat::Iso, instant, 3).ok().flatten();
        assert_eq!(iso("2024-01-02T03:04:05.5", false), at("2024-01-02 03:04:05.5"));
        assert_eq!(iso("2024-01-02T03:04", false), at("2024-01-02 03:04:00"));
        assert_eq!(iso("2024-02-30T03:04:05", false), None);
        assert_eq!(iso("2024-01-02T03:04:05Z", true), at("2024-01-02 03:04:05"));
        assert_eq!(iso("2024-01-02T03:04:05Z", false), None);
    }

    #[test]
    fn dates_and_times_of_both_formats() {
        let day = |t: &str| civil::parse_date(t.as_bytes()).unwrap();
        assert_eq!(date_iso(b"2024-02-29"), Ok(Some(day("2024-02-29"))));
        assert_eq!(date_iso(b"2024-02-30"), Err(Bad::Form));
        assert_eq!(date_iso(b"+12024-01-02"), Err(Bad::Form));
        assert_eq!(date_sql(b"2024-2-30"), Ok(Some(day("2024-03-01"))));
        for wrong in ["20240102", "02024-01-02", " 2024-01-02", "2024-01-02x", "2024-00-01", "-2024-01-02"] {
            assert_eq!(date_sql(wrong.as_bytes()), Err(Bad::Form), "{wrong}");
        }
        assert_eq!(time_iso(b"01:02", 0), Ok(Some(3_720_000)));
        assert_eq!(time_iso(b"01:02:03.456789", 3), Ok(Some(3_723_456)));
        assert_eq!(time_iso(b"01:02:03.456", 0), Ok(Some(3_723_000)));
        assert_eq!(time_iso(b"24:00:00", 0), Err(Bad::Form));
        assert_eq!(time_iso(b"1:2:3", 0), Err(Bad::Form));
        assert_eq!(time_sql(b"24:00:00", 0), Ok(Some(0)));
        assert_eq!(time_sql(b"01:02", 0), Err(Bad::Form));
    }

    #[test]
    fn base64_there_and_back() {
        for n in 0..20u8 {
            let bytes: Vec<u8> = (0..n).map(|i| i.wrapping_mul(37)).collect();
            let (mut text, mut back) = (vec![], vec![]);
            base64_encode(&bytes, &mut text);
            assert_eq!(base64(&text, &mut back), Ok(()));
            assert_eq!(back, bytes);
        }
        for wrong in ["A", "AQI", "AQ=A", "A===", "AQI=="] {
            assert_eq!(base64(wrong.as_bytes(), &mut vec![]), Err(Bad::Base64), "{wrong}");
        }
    }

    #[test]
    fn decimals_are_written_as_jackson_does() {
        let show = |v, s, plain| {
            let mut out = vec![];
            write_decimal(v, s, plain, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(show(10_000, 2, false), "1E+2");
        assert_eq!(show(10_000, 2, true), "100");
        assert_eq!(show(120, 0, false), "1.2E+2");
        assert_eq!(show(-150, 2, false), "-1.5");
        assert_eq!(show(1, 2, false), "0.01");
        assert_eq!(show(1, 7, false), "1E-7");
        assert_eq!(show(12, 8, false), "1.2E-7");
        assert_eq!(show(1, 7, true), "0.0000001");
        assert_eq!(show(0, 2, false), "0");
    }
}

//! The letters of Java's date patterns: how often each may stand, and what it writes of a time.
//!
//! `DateTimeFormatter` and `SimpleDateFormat` share most of them; where they differ there are two functions. Weeks are those of the United
//! States, as in Flink: from Sunday on, the first one being that of 1 January. Eras are `AD` alone: years are 1 to 9999.

use super::datetime_pattern::{Java, Refused, Use};
use crate::batch::text::civil::{civil_from_days, days_from_civil, days_in_month};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];

/// Whether `letter` may stand `n` times.
pub(super) fn check(letter: u8, n: usize, java: Java, usage: Use, pattern: &str) -> Result<(), Refused> {
    let what = || format!("the letter '{}' in the date pattern '{pattern}'", letter as char);
    let illegal = || Err(Refused::Illegal(format!("Java refuses {}, {n} times in a row", what())));
    if let Java::Simple { utc } = java {
        return match (letter, usage) {
            (
                b'y' | b'M' | b'L' | b'd' | b'D' | b'E' | b'a' | b'H' | b'k' | b'K' | b'h' | b'm' | b's'
                | b'S',
                _,
            ) => Ok(()),
            (b'G' | b'Y' | b'w' | b'W' | b'F' | b'u', Use::Write) => Ok(()),
            (b'X', _) if n > 3 => illegal(),
            (b'X' | b'Z' | b'z', Use::Write) if utc => Ok(()),
            (b'G' | b'Y' | b'w' | b'W' | b'F' | b'u' | b'X' | b'Z' | b'z', _) => {
                Err(Refused::Unsupported(what()))
            }
            _ => illegal(),
        };
    }
    let most = match letter {
        b'y' | b'u' | b'Y' | b'A' | b'N' | b'n' => 19,
        b'S' => 9,
        b'M' | b'L' | b'E' | b'Q' | b'q' | b'e' | b'c' | b'G' | b'B' => 5,
        b'D' => 3,
        b'd' | b'H' | b'k' | b'K' | b'h' | b'm' | b's' | b'w' => 2,
        b'a' | b'W' | b'F' => 1,
        // Zones, which a time without one does not have.
        b'V' | b'v' | b'z' | b'O' | b'X' | b'x' | b'Z' => return illegal(),
        b'p' | b'g' => return Err(Refused::Unsupported(what())),
        _ => return illegal(),
    };
    let odd = letter == b'c' && n == 2 || letter == b'B' && matches!(n, 2 | 3);
    if n > most || odd {
        return illegal();
    }
    match (letter, usage) {
        (b'A' | b'N' | b'Y' | b'e' | b'c' | b'G' | b'B' | b'w' | b'W' | b'F', Use::Read) => {
            Err(Refused::Unsupported(what()))
        }
        // One letter stands for the name.
        (b'M' | b'L' | b'E' | b'Q' | b'q', Use::Read) if n == 5 => Err(Refused::Unsupported(what())),
        _ => Ok(()),
    }
}

/// What a day says.
pub(super) struct Day {
    year: i32,
    month: u32,
    day: u32,
    of_year: u32,
    /// From Sunday, 0.
    of_week: u32,
}

impl Day {
    pub(super) fn of(days: i32) -> Self {
        let (year, month, day) = civil_from_days(days);
        let of_year = (days - days_from_civil(year, 1, 1) + 1) as u32;
        let of_week = (i64::from(days) + 4).rem_euclid(7) as u32;
        Self { year, month, day, of_year, of_week }
    }

    fn quarter(&self) -> u32 {
        self.month.div_ceil(3)
    }

    /// The year that has most of the say about the week, and the week in it.
    fn week(&self) -> (i32, u32) {
        let length = (1..=12).map(|m| days_in_month(self.year, m)).sum::<u32>();
        if self.of_year + 6 - self.of_week > length {
            return (self.year + 1, 1);
        }
        (self.year, week_from(self.of_year, self.of_week))
    }

    fn week_of_month(&self) -> u32 {
        week_from(self.day, self.of_week)
    }
}

/// The week of day `n` (from 1), which is day `of_week` of it, the first day being in week 1.
fn week_from(n: u32, of_week: u32) -> u32 {
    let first = (of_week + 7 - (n - 1) % 7) % 7;
    (n - 1 + first) / 7 + 1
}

/// Writes a letter as `DateTimeFormatter`.
pub(super) fn write_formatter(letter: u8, n: usize, day: &Day, second: u32, nanos: u32, out: &mut Vec<u8>) {
    let number = match letter {
        b'y' | b'u' => return year(day.year, n, out),
        b'Y' => return year(day.week().0, n, out),
        b'M' | b'L' if n >= 3 => return name(MONTHS[day.month as usize - 1], n, out),
        b'E' => return name(DAYS[day.of_week as usize], n.max(3), out),
        b'e' | b'c' if n >= 3 => return name(DAYS[day.of_week as usize], n, out),
        b'e' | b'c' => day.of_week + 1,
        b'G' => return out.extend_from_slice([&b"AD"[..], b"Anno Domini", b"A"][n.max(3) - 3]),
        b'Q' | b'q' if n == 4 => {
            return out.extend_from_slice(QUARTERS[day.quarter() as usize - 1].as_bytes());
        }
        b'Q' | b'q' => {
            if n == 3 {
                out.push(b'Q');
            }
            return write_number(day.quarter().into(), if n == 2 { 2 } else { 1 }, out);
        }
        b'F' => (day.day - 1) % 7 + 1,
        b'S' => return write_number((nanos / 10u32.pow(9 - n as u32)).into(), n, out),
        b'n' => nanos,
        b'A' => second * 1000 + nanos / 1_000_000,
        b'N' => return write_number(u64::from(second) * 1_000_000_000 + u64::from(nanos), n, out),
        b'B' => return out.extend_from_slice(part_of_day(second / 60, n).as_bytes()),
        _ => return write_shared(letter, n, day, second, out),
    };
    write_number(number.into(), n, out);
}

/// Writes a letter as `SimpleDateFormat`.
pub(super) fn write_simple(letter: u8, n: usize, day: &Day, second: u32, nanos: u32, out: &mut Vec<u8>) {
    let number = match letter {
        b'y' => return simple_year(day.year, n, out),
        b'Y' => return simple_year(day.week().0, n, out),
        b'M' | b'L' if n >= 3 => return name(MONTHS[day.month as usize - 1], n.min(4), out),
        b'E' => return name(DAYS[day.of_week as usize], n.clamp(3, 4), out),
        b'u' => (day.of_week + 6) % 7 + 1,
        b'G' => return out.extend_from_slice(b"AD"),
        b'F' => (day.day - 1) / 7 + 1,
        b'S' => nanos / 1_000_000,
        b'X' => return out.push(b'Z'),
        b'Z' => return out.extend_from_slice(b"+0000"),
        b'z' => return out.extend_from_slice(if n < 4 { b"UTC" } else { b"Coordinated Universal Time" }),
        _ => return write_shared(letter, n, day, second, out),
    };
    write_number(number.into(), n, out);
}

fn write_shared(letter: u8, n: usize, day: &Day, second: u32, out: &mut Vec<u8>) {
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    let number = match letter {
        b'M' | b'L' => day.month,
        b'd' => day.day,
        b'D' => day.of_year,
        b'w' => day.week().1,
        b'W' => day.week_of_month(),
        b'a' => return out.extend_from_slice(if h < 12 { b"AM" } else { b"PM" }),
        b'H' => h,
        b'k' => (h + 23) % 24 + 1,
        b'K' => h % 12,
        b'h' => (h + 11) % 12 + 1,
        b'm' => m,
        _ => s,
    };
    write_number(number.into(), n, out);
}

/// A year of DateTimeFormatter: two letters for two digits, four or more with a sign where it is longer.
fn year(year: i32, n: usize, out: &mut Vec<u8>) {
    let value = year.unsigned_abs();
    if n == 2 {
        return write_number((value % 100).into(), 2, out);
    }
    if n >= 4 && value.checked_ilog10().map_or(1, |d| d as usize + 1) > n {
        out.push(b'+');
    }
    write_number(value.into(), if n < 4 { 1.max(n) } else { n }, out);
}

fn simple_year(year: i32, n: usize, out: &mut Vec<u8>) {
    let value = year.unsigned_abs();
    write_number(if n == 2 { value % 100 } else { value }.into(), n, out);
}

/// English names of the parts of a day, from Unicode's CLDR.
fn part_of_day(minute: u32, n: usize) -> &'static str {
    match minute {
        0 => ["midnight", "mi"][usize::from(n == 5)],
        720 => ["noon", "n"][usize::from(n == 5)],
        360..720 => "in the morning",
        721..1080 => "in the afternoon",
        1080..1260 => "in the evening",
        _ => "at night",
    }
}

/// Three letters for three letters, four for the whole name, five for the first letter.
fn name(full: &str, n: usize, out: &mut Vec<u8>) {
    let end = match n {
        3 => 3,
        5 => 1,
        _ => full.len(),
    };
    out.extend_from_slice(&full.as_bytes()[..end]);
}

/// At least `width` digits.
fn write_number(v: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let (mut at, mut rest) = (20, v);
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(20)));
    out.extend_from_slice(&digits[at.min(20 - width.clamp(1, 20))..]);
}

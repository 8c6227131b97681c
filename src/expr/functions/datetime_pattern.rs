//! Java's date patterns (`yyyy-MM-dd HH:mm:ss.SSS`), compiled once: for writing, and for reading in the two ways that Flink uses.
//!
//! [`Java::Formatter`] is `DateTimeFormatter` (TO_TIMESTAMP, DATE_FORMAT of a timestamp). It reads strictly: the number of letters is the
//! number of digits, one letter takes any number; the whole text must match. [`Java::Simple`] is `SimpleDateFormat` (UNIX_TIMESTAMP, TO_DATE,
//! FROM_UNIXTIME, CONVERT_TZ, DATE_FORMAT of a text). It reads leniently: a number takes the digits there are (as many as letters where
//! a number follows directly), month 13 is January of the next year, what follows is ignored. Some letters mean different things in the two
//! (`u`, `F`, `S`). What Java refuses is [`Refused::Illegal`] and fails when a row comes, as in Flink; letters that we lack are refused by name.

use super::datetime_letters::{self as letters, DAYS, MONTHS, QUARTERS};
use crate::batch::text::civil::{self, DAY_S, Moment};

/// Which of Java's two kinds of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Java {
    Formatter,
    /// With the letters of zones only where the zone is UTC.
    Simple {
        utc: bool,
    },
}

/// What a pattern is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Write,
    Read,
}

/// Why there is no such pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Java refuses it too, when it computes.
    Illegal(String),
    /// We do not have it.
    Unsupported(String),
}

impl Refused {
    /// What to say of it.
    pub(super) fn message(self) -> String {
        match self {
            Refused::Illegal(m) => m,
            Refused::Unsupported(m) => format!("{m} is not supported"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Literal(Vec<u8>),
    /// Letter and how often it stands.
    Field(u8, usize),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    java: Java,
    items: Vec<Item>,
}

impl Pattern {
    /// Compiles a pattern.
    pub(super) fn new(pattern: &str, java: Java, usage: Use) -> Result<Self, Refused> {
        let illegal = |what: String| Err(Refused::Illegal(format!("{what} in the date pattern '{pattern}'")));
        let mut items: Vec<Item> = Vec::new();
        let literal = |items: &mut Vec<Item>, b: &[u8]| match items.last_mut() {
            Some(Item::Literal(l)) => l.extend_from_slice(b),
            _ => items.push(Item::Literal(b.to_vec())),
        };
        let bytes = pattern.as_bytes();
        let (mut i, mut open) = (0, 0);
        while i < bytes.len() {
            let b = bytes[i];
            match b {
                b'\'' => {
                    if bytes.get(i + 1) == Some(&b'\'') {
                        literal(&mut items, b"'");
                        i += 2;
                        continue;
                    }
                    i += 1;
                    loop {
                        match (bytes.get(i), bytes.get(i + 1)) {
                            (Some(b'\''), Some(b'\'')) => {
                                literal(&mut items, b"'");
                                i += 2;
                            }
                            (Some(b'\''), _) => break,
                            (Some(c), _) => {
                                literal(&mut items, &[*c]);
                                i += 1;
                            }
                            (None, _) => return illegal("an unterminated quote".into()),
                        }
                    }
                    i += 1;
                }
                b if b.is_ascii_alphabetic() => {
                    let n = bytes[i..].iter().take_while(|&&x| x == b).count();
                    letters::check(b, n, java, usage, pattern)?;
                    items.push(Item::Field(b, n));
                    i += n;
                }
                b'{' | b'}' | b'#' if java == Java::Formatter => {
                    return illegal(format!("the reserved character '{}'", b as char));
                }
                b'[' | b']' if java == Java::Formatter => {
                    if usage == Use::Read {
                        return Err(Refused::Unsupported(format!(
                            "an optional part in the date pattern '{pattern}'"
                        )));
                    }
                    // Whatever stands in an optional part can be written.
                    open += if b == b'[' { 1 } else { -1 };
                    if open < 0 {
                        return illegal("a ] without [".into());
                    }
                    i += 1;
                }
                b => {
                    literal(&mut items, &[b]);
                    i += 1;
                }
            }
        }
        Ok(Self { java, items })
    }

    /// Writes local time.
    pub(super) fn write(&self, m: Moment, out: &mut Vec<u8>) {
        let day = letters::Day::of(m.days());
        let second = m.seconds.rem_euclid(DAY_S) as u32;
        let formatter = self.java == Java::Formatter;
        for item in &self.items {
            match item {
                Item::Literal(l) => out.extend_from_slice(l),
                Item::Field(letter, n) => {
                    if formatter {
                        letters::write_formatter(*letter, *n, &day, second, m.nanos, out);
                    } else {
                        letters::write_simple(*letter, *n, &day, second, m.nanos, out);
                    }
                }
            }
        }
    }

    /// The seconds within which every time is written the same, counted from the epoch: of the smallest part of a time that the pattern
    /// has, or a day. `None`: parts of a second are written, or what depends on more than the local time.
    pub(super) fn unit(&self) -> Option<i64> {
        let mut letters = self.items.iter().filter_map(|item| match item {
            Item::Literal(_) => None,
            Item::Field(letter, _) => Some(*letter),
        });
        letters.try_fold(DAY_S, |unit, letter| match letter {
            b'G' | b'u' | b'y' | b'Y' | b'M' | b'L' | b'd' | b'D' | b'E' | b'e' | b'Q' | b'q' | b'w'
            | b'W' => Some(unit),
            b'a' => Some(unit.min(DAY_S / 2)),
            b'H' | b'h' | b'K' | b'k' => Some(unit.min(3600)),
            b'm' => Some(unit.min(60)),
            b's' => Some(1),
            _ => None,
        })
    }

    /// Reads local time as `DateTimeFormatter` does, missing parts being those of 1970-01-01 00:00.
    pub(super) fn read_strict(&self, text: &[u8]) -> Option<Moment> {
        let mut f = Fields::default();
        let mut rest = text;
        for (i, item) in self.items.iter().enumerate() {
            match item {
                Item::Literal(l) => rest = rest.strip_prefix(&l[..])?,
                Item::Field(letter, n) => {
                    rest = self.name_field(*letter, *n, &mut f, rest)?.unwrap_or(rest);
                    if is_name(*letter, *n) {
                        continue;
                    }
                    let adjacent =
                        matches!(self.items.get(i + 1), Some(Item::Field(l, n)) if !is_name(*l, *n));
                    let most = match (letter, n) {
                        (b'S', n) => *n,
                        (b'y' | b'u', 2) => 2,
                        (b'y' | b'u', n) if adjacent => *n,
                        (b'y' | b'u', _) => 4,
                        (_, 1) if !adjacent => 9,
                        (_, n) => *n,
                    };
                    let found = rest.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
                    let least = if *n == 1 { 1 } else { *n };
                    if found < least.min(most) {
                        return None;
                    }
                    let v = digits(&rest[..found]);
                    rest = &rest[found..];
                    f.set(*letter, *n, found, v);
                }
            }
        }
        if !rest.is_empty() { None } else { f.strict() }
    }

    /// Reads local time as `SimpleDateFormat` does.
    pub(super) fn read_lenient(&self, text: &[u8]) -> Option<Moment> {
        let mut f = Fields::default();
        let mut rest = text;
        for (i, item) in self.items.iter().enumerate() {
            match item {
                Item::Literal(l) => rest = rest.strip_prefix(&l[..])?,
                Item::Field(letter, n) => {
                    rest = self.name_field(*letter, *n, &mut f, rest)?.unwrap_or(rest);
                    if is_name(*letter, *n) {
                        continue;
                    }
                    let adjacent =
                        matches!(self.items.get(i + 1), Some(Item::Field(l, n)) if !is_name(*l, *n));
                    let most = if adjacent { *n } else { 9 };
                    rest = rest.trim_ascii_start();
                    let found = rest.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
                    if found == 0 {
                        return None;
                    }
                    let v = digits(&rest[..found]);
                    rest = &rest[found..];
                    // SimpleDateFormat's S is milliseconds, however many digits.
                    if *letter == b'S' {
                        f.nanos = v.wrapping_mul(1_000_000);
                    } else {
                        f.set(*letter, *n, found, v);
                    }
                }
            }
        }
        Some(f.lenient())
    }

    /// Reads a name; `Some(None)` when the field is a number.
    #[allow(clippy::option_option)]
    fn name_field<'a>(
        &self,
        letter: u8,
        n: usize,
        f: &mut Fields,
        text: &'a [u8],
    ) -> Option<Option<&'a [u8]>> {
        let starts =
            |word: &str| text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word.as_bytes());
        match letter {
            b'a' => {
                let pm = starts("PM");
                if !pm && !starts("AM") {
                    return None;
                }
                f.pm = Some(pm);
                Some(Some(&text[2..]))
            }
            b'M' | b'L' if n >= 3 => {
                let at = MONTHS.iter().position(|m| starts(if n == 3 { &m[..3] } else { m }))?;
                f.month = at as i64 + 1;
                Some(Some(&text[if n == 3 { 3 } else { MONTHS[at].len() }..]))
            }
            b'Q' | b'q' if n == 3 => {
                let found = text.len() > 1 && text[0] == b'Q' && (b'1'..=b'4').contains(&text[1]);
                if found { Some(Some(&text[2..])) } else { None }
            }
            b'Q' | b'q' if n == 4 => {
                let found = QUARTERS.iter().find(|q| starts(q))?;
                Some(Some(&text[found.len()..]))
            }
            b'E' => {
                let at = DAYS.iter().position(|d| starts(if n <= 3 { &d[..3] } else { d }))?;
                Some(Some(&text[if n <= 3 { 3 } else { DAYS[at].len() }..]))
            }
            _ => Some(None),
        }
    }
}

fn is_name(letter: u8, n: usize) -> bool {
    matches!(letter, b'a' | b'E') || (matches!(letter, b'M' | b'L' | b'Q' | b'q') && n >= 3)
}

fn digits(text: &[u8]) -> i64 {
    text.iter().fold(0, |v, b| v * 10 + i64::from(b - b'0'))
}

struct Fields {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    hour12: Option<i64>,
    pm: Option<bool>,
    minute: i64,
    second: i64,
    nanos: i64,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            year: 1970,
            month: 1,
            day: 1,
            day_of_year: None,
            hour: 0,
            hour12: None,
            pm: None,
            minute: 0,
            second: 0,
            nanos: 0,
        }
    }
}

impl Fields {
    fn set(&mut self, letter: u8, n: usize, found: usize, v: i64) {
        match letter {
            b'y' | b'u' => self.year = if n == 2 && found <= 2 { 2000 + v } else { v },
            b'M' | b'L' => self.month = v,
            b'd' => self.day = v,
            b'D' => self.day_of_year = Some(v),
            b'H' => self.hour = v,
            b'k' => self.hour = v % 24,
            b'K' => self.hour12 = Some(v),
            b'h' => self.hour12 = Some(v % 12),
            b'm' => self.minute = v,
            b's' => self.second = v,
            // A quarter alone says nothing that is asked for.
            b'Q' | b'q' => {}
            b'S' => self.nanos = v * 10i64.pow(9 - found.min(9) as u32),
            _ => self.nanos = v,
        }
    }

    fn hour(&self) -> i64 {
        self.hour12.map_or(self.hour, |h| h + if self.pm == Some(true) { 12 } else { 0 })
    }

    fn strict(&self) -> Option<Moment> {
        let in_range = (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && (0..=24).contains(&self.hour())
            && (0..60).contains(&self.minute)
            && (0..60).contains(&self.second);
        if !in_range || (self.hour() == 24 && (self.minute, self.second, self.nanos) != (0, 0, 0)) {
            return None;
        }
        let (y, m) = (self.year as i32, self.month as u32);
        let days = match self.day_of_year {
            Some(n) if !(1..=366).contains(&n) => return None,
            Some(n) => civil::days_from_civil(y, 1, 1) + n as i32 - 1,
            None => civil::days_from_civil(y, m, (self.day as u32).min(civil::days_in_month(y, m))),
        };
        Some(self.moment(days.into()))
    }

    fn lenient(&self) -> Moment {
        let months = self.year * 12 + self.month - 1;
        let (y, m) = (months.div_euclid(12) as i32, months.rem_euclid(12) as u32 + 1);
        let first = i64::from(civil::days_from_civil(y, m, 1));
        let days = match self.day_of_year {
            Some(n) => i64::from(civil::days_from_civil(self.year as i32, 1, 1)) + n - 1,
            None => first + self.day - 1,
        };
        self.moment(days)
    }

    fn moment(&self, days: i64) -> Moment {
        let seconds = days * DAY_S + self.hour() * 3600 + self.minute * 60 + self.second;
        Moment {
            seconds: seconds + self.nanos.div_euclid(1_000_000_000),
            nanos: self.nanos.rem_euclid(1_000_000_000) as u32,
        }
    }
}

/// `java.sql.Timestamp.valueOf` and `java.sql.Date.valueOf`, to which TO_TIMESTAMP falls back: days past the month's end roll over.
pub(super) fn read_sql(text: &[u8]) -> Option<Moment> {
    let text = crate::batch::text::number::trim(text);
    let (date, time) = match text.iter().position(|&b| b == b' ') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let number = |t: &[u8], most: usize| {
        (!t.is_empty() && t.len() <= most && t.iter().all(u8::is_ascii_digit)).then(|| digits(t))
    };
    let mut d = date.split(|&b| b == b'-');
    let f = Fields {
        year: number(d.next().filter(|y| y.len() == 4)?, 4)?,
        month: number(d.next()?, 2).filter(|m| (1..=12).contains(m))?,
        day: number(d.next()?, 2).filter(|d| (1..=31).contains(d))?,
        ..Fields::default()
    };
    if d.next().is_some() {
        return None;
    }
    let Some(time) = time else {
        // Date.valueOf refuses a day that the month does not have only past the 31st; LocalDate then rolls.
        return Some(f.lenient());
    };
    let (clock, fraction) = match time.iter().position(|&b| b == b'.') {
        Some(at) => (&time[..at], &time[at + 1..]),
        None => (time, &b"0"[..]),
    };
    let mut t = clock.split(|&b| b == b':');
    let hour = number(t.next()?, 2)?;
    let minute = number(t.next()?, 2)?;
    let second = number(t.next()?, 2)?;
    let nanos = number(fraction, 9)? * 10i64.pow(9 - fraction.len() as u32);
    if t.next().is_some() {
        return None;
    }
    Some(Fields { hour, minute, second, nanos, ..f }.lenient())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn formatter(pattern: &str) -> Pattern {
        Pattern::new(pattern, Java::Formatter, Use::Write).unwrap()
    }

    fn write(pattern: &str, ts: &str) -> String {
        let mut out = Vec::new();
        formatter(pattern).write(civil::parse_timestamp(ts.as_bytes(), 9).unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn shown(m: Option<Moment>) -> String {
        let mut out = Vec::new();
        m.inspect(|m| civil::write_timestamp(*m, 3, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn patterns_write_as_java() {
        // conformance: functions/date_format
        assert_eq!(write("yyyy-MM-dd HH:mm:ss.SSS", "2023-12-31 12:34:56.789"), "2023-12-31 12:34:56.789");
        assert_eq!(write("yy/M/d h:m:s a", "2021-01-03 06:07:08"), "21/1/3 6:7:8 AM");
        assert_eq!(write("EEE, MMM d", "2000-08-20 15:00:00"), "Sun, Aug 20");
        assert_eq!(write("DDD", "2024-02-29"), "060");
        assert_eq!(write("HH'h''mm'' 'mm", "2024-02-29 01:02:03"), "01h'mm' 02");
        let refused = |p: &str, java| Pattern::new(p, java, Use::Write).unwrap_err();
        assert!(matches!(refused("yyyy b", Java::Formatter), Refused::Illegal(_)));
        assert!(matches!(refused("ddd", Java::Formatter), Refused::Illegal(_)));
        assert!(matches!(refused("yyyy 'b", Java::Formatter), Refused::Illegal(_)));
        assert!(matches!(refused("Q", Java::Simple { utc: true }), Refused::Illegal(_)));
        assert!(matches!(refused("Z", Java::Simple { utc: false }), Refused::Unsupported(_)));
        assert!(matches!(refused("ppH", Java::Formatter), Refused::Unsupported(_)));
    }

    #[test]
    fn patterns_read_strictly_and_leniently() {
        let p = |s| Pattern::new(s, Java::Formatter, Use::Read).unwrap();
        assert_eq!(shown(p("yyyy/MM/dd HH:mm").read_strict(b"2024/02/29 10:11")), "2024-02-29 10:11:00.000");
        assert_eq!(shown(p("yyyy/MM/dd HH:mm").read_strict(b"2024/2/29 10:11")), "");
        assert_eq!(shown(p("yyyyMMdd").read_strict(b"20240229")), "2024-02-29 00:00:00.000");
        assert_eq!(shown(p("yyyy-MM-dd").read_lenient(b"2024-13-1 trailing")), "2025-01-01 00:00:00.000");
        assert_eq!(shown(p("yyyyMMdd").read_lenient(b"20240229")), "2024-02-29 00:00:00.000");
        assert_eq!(shown(p("hh:mm a").read_strict(b"12:30 AM")), "1970-01-01 00:30:00.000");
        assert_eq!(shown(read_sql(b"2024-02-30 00:00:00")), "2024-03-01 00:00:00.000");
        assert_eq!(shown(read_sql(b"2024-02-29 10:11:12.345")), "2024-02-29 10:11:12.345");
        assert_eq!(shown(read_sql(b"junk")), "");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in -62_135_596_800i64..253_402_300_799, ms in 0u32..1000) {
            let m = Moment { seconds, nanos: ms * 1_000_000 };
            let p = formatter("yyyy-MM-dd HH:mm:ss.SSS");
            let mut text = Vec::new();
            p.write(m, &mut text);
            prop_assert_eq!(p.read_strict(&text), Some(m));
            prop_assert_eq!(p.read_lenient(&text), Some(m));
        }

        #[test]
        fn nothing_panics(pattern in "[yYMdHhmsSaEDQuwWFeGABN'/: -]{0,12}", text in "[0-9A-Za-z:/ -]{0,20}") {
            for java in [Java::Formatter, Java::Simple { utc: true }] {
                if let Ok(p) = Pattern::new(&pattern, java, Use::Read) {
                    let _ = (p.read_strict(text.as_bytes()), p.read_lenient(text.as_bytes()), read_sql(text.as_bytes()));
                }
                if let Ok(p) = Pattern::new(&pattern, java, Use::Write) {
                    p.write(Moment { seconds: 253_402_300_799, nanos: 999_999_999 }, &mut Vec::new());
                }
            }
        }
    }
}

//! Reading a WITH clause: names, values and what to say when they are wrong.
//!
//! A connector names all options that Flink gives it. One that is not among them is an error with the nearest name; one that
//! Pelton does not have is refused by name; a value is read by its type, in Flink's spelling (`1 s`, `128MB`).

use super::connector::ConnectorSpec;
use crate::error::{Error, Result, Span};

/// The options of Flink's filesystem connector, which is a source and a sink, without those of its format and [`ALIGNMENT`].
pub const FILESYSTEM: &[&str] = &[
    "auto-compaction",
    "compaction.file-size",
    "compaction.parallelism",
    "connector",
    "format",
    "partition.default-name",
    "partition.time-extractor.class",
    "partition.time-extractor.kind",
    "partition.time-extractor.timestamp-formatter",
    "partition.time-extractor.timestamp-pattern",
    "path",
    "property-version",
    "scan.watermark.emit.strategy",
    "scan.watermark.idle-timeout",
    "sink.parallelism",
    "sink.partition-commit.delay",
    "sink.partition-commit.policy.class",
    "sink.partition-commit.policy.class.parameters",
    "sink.partition-commit.policy.kind",
    "sink.partition-commit.success-file.name",
    "sink.partition-commit.trigger",
    "sink.partition-commit.watermark-time-zone",
    "sink.rolling-policy.check-interval",
    "sink.rolling-policy.file-size",
    "sink.rolling-policy.inactivity-interval",
    "sink.rolling-policy.rollover-interval",
    "sink.shuffle-by-partition.enable",
    "source.monitor-interval",
    "source.path.regex-pattern",
    "source.report-statistics",
];

/// The options by which several sources wait for each other's watermarks. `update-interval` is read and has no effect: they are compared
/// at every turn.
pub const ALIGNMENT: [&str; 3] = [
    "scan.watermark.alignment.group",
    "scan.watermark.alignment.max-drift",
    "scan.watermark.alignment.update-interval",
];

/// The options of one table.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    spec: &'a ConnectorSpec,
}

impl<'a> Options<'a> {
    /// The options of `spec`.
    pub fn of(spec: &'a ConnectorSpec) -> Self {
        Self { spec }
    }

    /// The option's text.
    pub fn get(self, key: &str) -> Option<&'a str> {
        self.spec.get(key)
    }

    /// The option's text and place.
    pub fn placed(self, key: &str) -> Option<(&'a str, Span)> {
        self.spec.options.get(key).map(|o| (o.value.as_str(), o.span))
    }

    /// The clause's place.
    pub fn span(self) -> Span {
        self.spec.span
    }

    /// A validation error at the option's place, or at the clause where it is absent.
    pub fn error(self, key: &str, message: impl Into<String>) -> Error {
        Error::validation(message, self.spec.span_of(key))
    }

    /// Checks that every option is one of `known`, or starts with one of `prefixes` (which end in a point).
    ///
    /// # Errors
    /// The first unknown one, with the nearest known name.
    pub fn check_names(self, known: &[&str], prefixes: &[&str]) -> Result<()> {
        for (key, value) in &self.spec.options {
            if known.contains(&key.as_str()) || prefixes.iter().any(|p| key.starts_with(p)) {
                continue;
            }
            let connector = &self.spec.connector;
            let error = Error::validation(
                format!("Unsupported option '{key}' for connector '{connector}'"),
                value.pair,
            );
            return Err(match nearest(key, known.iter().copied()) {
                Some(name) => error.hint(format!("did you mean '{name}'?")),
                None => {
                    let mut names = known.to_vec();
                    names.sort_unstable();
                    error.hint(format!("its options are {}", names.join(", ")))
                }
            });
        }
        Ok(())
    }

    /// As [`Options::check_names`], of a source: [`ALIGNMENT`] is for every one, and is checked too.
    ///
    /// # Errors
    /// The first unknown one, or what [`Options::alignment`] says.
    pub fn check_source_names(self, known: &[&str], prefixes: &[&str]) -> Result<()> {
        self.check_names(&[known, &ALIGNMENT].concat(), prefixes)?;
        self.alignment().map(|_| ())
    }

    /// The group of sources that wait for each other, and how far (ms) this one may be before the slowest.
    ///
    /// # Errors
    /// One without the other, or a duration that is none.
    pub fn alignment(self) -> Result<Option<(&'a str, i64)>> {
        let [group, drift, interval] = ALIGNMENT;
        self.duration_ms(interval)?;
        match (self.get(group), self.duration_ms(drift)?) {
            (Some(name), Some(ms)) => Ok(Some((name, ms))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(self.error(group, format!("'{group}' needs '{drift}'"))),
            (None, Some(_)) => Err(self.error(drift, format!("'{drift}' needs '{group}'"))),
        }
    }

    /// Refuses options that Flink has and Pelton does not.
    ///
    /// # Errors
    /// The first one given.
    pub fn refuse(self, keys: &[&str]) -> Result<()> {
        for key in keys {
            if self.get(key).is_some() {
                let what = format!("option '{key}' of connector '{}'", self.spec.connector);
                return Err(Error::unsupported(what, self.spec.span_of(key)));
            }
        }
        Ok(())
    }

    /// The text of an option that must be there.
    ///
    /// # Errors
    /// It is absent.
    pub fn required(self, key: &str) -> Result<&'a str> {
        self.get(key).ok_or_else(|| {
            let connector = &self.spec.connector;
            Error::validation(
                format!("Missing required option '{key}' of connector '{connector}'"),
                self.spec.span,
            )
            .hint(format!("add '{key}' = '…' to the WITH clause"))
        })
    }

    /// An option read by `parse`; `form` says what its text should look like.
    ///
    /// # Errors
    /// The text is not of that form.
    pub fn parsed<T>(self, key: &str, form: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        self.get(key)
            .map(|text| {
                parse(text.trim()).ok_or_else(|| {
                    self.error(key, format!("Could not parse value '{text}' of option '{key}': {form}"))
                })
            })
            .transpose()
    }

    /// A whole number in a range.
    ///
    /// # Errors
    /// It is none, or outside.
    pub fn integer(self, key: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>> {
        let form = match (*range.start(), *range.end()) {
            (i64::MIN, i64::MAX) => "a whole number is expected".into(),
            (min, i64::MAX) => format!("a whole number from {min} on is expected"),
            (min, max) => format!("a whole number from {min} to {max} is expected"),
        };
        self.parsed(key, &form, |t| t.parse().ok().filter(|v| range.contains(v)))
    }

    /// A number.
    ///
    /// # Errors
    /// It is none.
    pub fn number(self, key: &str) -> Result<Option<f64>> {
        self.parsed(key, "a number is expected", |t| t.parse().ok().filter(|v: &f64| v.is_finite()))
    }

    /// `true` or `false`, without case.
    ///
    /// # Errors
    /// It is neither.
    pub fn flag(self, key: &str, default: bool) -> Result<bool> {
        let read = |t: &str| match t.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        Ok(self.parsed(key, "write 'true' or 'false'", read)?.unwrap_or(default))
    }

    /// A duration in Flink's spelling, in ms.
    ///
    /// # Errors
    /// It is none.
    pub fn duration_ms(self, key: &str) -> Result<Option<i64>> {
        self.parsed(key, "a duration such as '500 ms', '10 s' or '5 min' is expected", duration_ms)
    }

    /// A size in Flink's spelling, in bytes.
    ///
    /// # Errors
    /// It is none.
    pub fn bytes(self, key: &str) -> Result<Option<u64>> {
        self.parsed(key, "a size such as '64 kb' or '128 mb' is expected", memory_bytes)
    }
}

/// Digits and the unit after them.
fn split_unit(text: &str) -> Option<(u64, String)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim().to_ascii_lowercase()))
}

/// `10 s`, `1min`, `500` (milliseconds): milliseconds.
pub fn duration_ms(text: &str) -> Option<i64> {
    let (n, unit) = split_unit(text)?;
    let n = i64::try_from(n).ok()?;
    let per_unit = match unit.as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "us" | "µs" | "micro" | "micros" | "microsecond" | "microseconds" => return Some(n / 1000),
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => return Some(n / 1_000_000),
        _ => return None,
    };
    n.checked_mul(per_unit)
}

/// `128 mb`, `1g`, `500` (bytes): bytes.
pub fn memory_bytes(text: &str) -> Option<u64> {
    let (n, unit) = split_unit(text)?;
    let shift = match unit.as_str() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kibibytes" => 10,
        "m" | "mb" | "mebibytes" => 20,
        "g" | "gb" | "gibibytes" => 30,
        "t" | "tb" | "tebibytes" => 40,
        _ => return None,
    };
    n.checked_mul(1 << shift)
}

/// The known name that is most like a wrong one, if any is.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = 1 + name.chars().count() / 5;
    known
        .map(|k| (distance(&name.to_lowercase(), &k.to_lowercase()), k))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, k)| k)
}

/// Insertions, deletions, substitutions and swaps of neighbours from one to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::connector::OptionValue;

    fn spec(options: &[(&str, &str)]) -> ConnectorSpec {
        let value = |(i, (k, v)): (usize, &(&str, &str))| {
            let span = Span::new(i as u32 * 10, i as u32 * 10 + 5);
            ((*k).to_owned(), OptionValue { value: (*v).to_owned(), span, pair: span })
        };
        let options = options.iter().enumerate().map(value).collect();
        ConnectorSpec { connector: "filesystem".into(), options, span: Span::new(90, 99) }
    }

    #[test]
    fn a_misspelt_option_is_named_with_its_neighbour_and_its_place() {
        let s = spec(&[("path", "x"), ("source.monitor-intervall", "1 s")]);
        let e = Options::of(&s).check_names(&["path", "source.monitor-interval"], &[]).unwrap_err();
        assert_eq!(e.message(), "Unsupported option 'source.monitor-intervall' for connector 'filesystem'");
        assert_eq!(e.advice(), Some("did you mean 'source.monitor-interval'?"));
        assert_eq!(e.span(), Some(Span::new(10, 15)));
    }

    #[test]
    fn a_missing_option_points_at_the_clause() {
        let s = spec(&[]);
        let e = Options::of(&s).required("format").unwrap_err();
        assert_eq!(
            (e.message(), e.span()),
            ("Missing required option 'format' of connector 'filesystem'", Some(s.span))
        );
    }

    #[test]
    fn durations_and_sizes_are_spelt_as_in_flink() {
        assert_eq!(duration_ms("1 s"), Some(1000));
        assert_eq!(duration_ms("5min"), Some(300_000));
        assert_eq!(duration_ms("20"), Some(20));
        assert_eq!(duration_ms("1 fortnight"), None);
        assert_eq!(duration_ms("-1 s"), None);
        assert_eq!(memory_bytes("128MB"), Some(128 << 20));
        assert_eq!(memory_bytes("1 kb"), Some(1024));
        assert_eq!(memory_bytes("99999999 tb"), None);
    }

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["csv", "json", "raw"];
        assert_eq!(nearest("jsn", known.into_iter()), Some("json"));
        assert_eq!(nearest("CVS", known.into_iter()), Some("csv"));
        assert_eq!(nearest("carrier-pigeon", known.into_iter()), None);
    }
}

//! Session settings: SET, RESET and what they mean to the planner.
//!
//! Flink takes any key and ignores what it does not know, so that a file written for another connector or version still runs.
//! Pelton does the same for Flink's name spaces but checks every value it acts upon, and refuses an unknown `pelton.*` key: nobody
//! else gives those a meaning, so an unknown one is a misspelled one.

use super::connector::OptionValue;
use super::options::memory_bytes;
use crate::config::MAX_SHARDS;
use crate::error::{Error, Finding, Result, Span};
use std::collections::BTreeMap;

/// What a value has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Anything.
    Text,
    /// The name of a table or view.
    Name,
    /// `true` or `false`.
    Bool,
    /// A duration: `10 s`, `200ms`, `1 min`.
    Duration,
    /// A whole number, at least 1.
    Count,
    /// A number of bytes: `512 mb`, `2gb`.
    Memory,
    /// A number of shards.
    Shards,
    /// A zone's name or offset.
    Zone,
    /// One of these, without case.
    OneOf(&'static [&'static str]),
}

/// The settings that have a meaning here. Others of Flink's name spaces are kept and ignored.
const KNOWN: &[(&str, Form)] = &[
    ("table.local-time-zone", Form::Zone),
    ("table.sql-dialect", Form::OneOf(&["default"])),
    ("table.exec.state.ttl", Form::Duration),
    ("table.exec.source.idle-timeout", Form::Duration),
    ("table.exec.sink.not-null-enforcer", Form::OneOf(&["error", "drop"])),
    ("table.exec.sink.type-length-enforcer", Form::OneOf(&["ignore", "trim_pad", "error"])),
    ("table.exec.sink.require-on-conflict", Form::Bool),
    ("table.exec.sink.upsert-materialize", Form::OneOf(&["none", "auto", "force"])),
    ("table.exec.mini-batch.enabled", Form::Bool),
    ("table.exec.mini-batch.allow-latency", Form::Duration),
    ("table.exec.mini-batch.size", Form::Count),
    ("table.optimizer.agg-phase-strategy", Form::OneOf(&["auto", "one_phase", "two_phase"])),
    ("table.exec.legacy-cast-behaviour", Form::OneOf(&["disabled"])),
    ("table.dynamic-table-options.enabled", Form::Bool),
    ("table.dml-sync", Form::Bool),
    ("execution.runtime-mode", Form::OneOf(&["streaming"])),
    ("parallelism.default", Form::Count),
    ("pipeline.name", Form::Text),
    ("pipeline.auto-watermark-interval", Form::Duration),
    ("pipeline.max-parallelism", Form::Count),
    ("pelton.late-rows", Form::Name),
    ("pelton.bad-rows", Form::Name),
    ("pelton.optimizer", Form::OneOf(&["on", "off"])),
    ("pelton.memory-limit", Form::Memory),
    ("pelton.shards", Form::Shards),
    ("pelton.over.range-resolution", Form::Duration),
    ("pelton.idle", Form::OneOf(&["spin", "spin-then-park", "park"])),
];

/// The settings of a session. Only what was SET is held; a default lives beside what uses it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: BTreeMap<String, OptionValue>,
}

impl Settings {
    /// SET 'key' = 'value'.
    ///
    /// # Errors
    /// An unknown `pelton.*` key, or a value that the key cannot have.
    pub fn set(&mut self, key: &str, value: &str, span: Span) -> Result<()> {
        match KNOWN.iter().find(|(k, _)| *k == key) {
            Some((_, form)) => check(key, value, *form).map_err(|e| e.at(span))?,
            None if key.starts_with("pelton.") => {
                let known: Vec<_> = KNOWN.iter().map(|k| k.0).filter(|k| k.starts_with("pelton.")).collect();
                return Err(Error::validation(format!("unknown setting '{key}'"), span)
                    .hint(format!("Pelton's settings are {}", known.join(", "))));
            }
            None => {}
        }
        self.values.insert(key.to_owned(), OptionValue { value: value.to_owned(), span, pair: span });
        Ok(())
    }

    /// RESET 'key', or RESET of everything.
    pub fn reset(&mut self, key: Option<&str>) {
        match key {
            Some(key) => drop(self.values.remove(key)),
            None => self.values.clear(),
        }
    }

    /// The value that was SET.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|v| v.value.as_str())
    }

    /// Where it was SET.
    pub fn span_of(&self, key: &str) -> Option<Span> {
        self.values.get(key).map(|v| v.span)
    }

    /// A setting that is `true` or `false`.
    pub fn is_true(&self, key: &str, default: bool) -> bool {
        self.get(key).map_or(default, |v| v.eq_ignore_ascii_case("true"))
    }

    /// All of them, as text.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.values.iter().map(|(k, v)| (k.clone(), v.value.clone())).collect()
    }

    /// `pelton.memory-limit`, bytes.
    pub fn memory_limit(&self) -> Option<usize> {
        self.get("pelton.memory-limit").and_then(memory_bytes).and_then(|b| usize::try_from(b).ok())
    }

    /// `table.exec.state.ttl`, ms; none: state does not expire.
    pub fn state_ttl_ms(&self) -> Option<i64> {
        self.get("table.exec.state.ttl").and_then(duration_ms).filter(|ms| *ms > 0)
    }

    /// `pelton.over.range-resolution`, ms; none: frames are exact.
    pub fn range_resolution_ms(&self) -> Option<i64> {
        self.get("pelton.over.range-resolution").and_then(duration_ms).filter(|ms| *ms > 0)
    }

    /// `table.exec.mini-batch.*`, where it is enabled.
    ///
    /// # Errors
    /// It has no size or no latency, without which a change might never be told.
    pub fn mini_batch(&self) -> Result<Option<super::MiniBatch>> {
        let enabled = "table.exec.mini-batch.enabled";
        if !self.is_true(enabled, false) {
            return Ok(None);
        }
        let span = self.span_of(enabled).unwrap_or_default();
        let latency_ms = self.get("table.exec.mini-batch.allow-latency").and_then(duration_ms);
        let size = self.get("table.exec.mini-batch.size").and_then(|n| n.parse::<i64>().ok());
        match (latency_ms.filter(|l| *l > 0), size) {
            (Some(latency_ms), Some(size)) if size > 0 => {
                let one_phase = self.aggregate_phases() == super::AggregatePhases::One;
                Ok(Some(super::MiniBatch { size: size as u64, latency_ms, one_phase }))
            }
            (None, _) => Err(Error::planning("mini-batches need a latency above 0", span)
                .hint("SET 'table.exec.mini-batch.allow-latency' = '1 s'")),
            _ => Err(Error::planning("mini-batches need a size above 0", span)
                .hint("SET 'table.exec.mini-batch.size' = '5000'")),
        }
    }

    /// `table.optimizer.agg-phase-strategy`.
    pub fn aggregate_phases(&self) -> super::AggregatePhases {
        match self.get("table.optimizer.agg-phase-strategy").map(str::to_ascii_lowercase).as_deref() {
            Some("one_phase") => super::AggregatePhases::One,
            Some("two_phase") => super::AggregatePhases::Two,
            _ => super::AggregatePhases::Auto,
        }
    }

    /// `pelton.shards`.
    pub fn shards(&self) -> Option<usize> {
        self.get("pelton.shards").and_then(|n| n.parse().ok())
    }

    /// `table.local-time-zone`, UTC where it is not set.
    pub fn time_zone(&self) -> jiff::tz::TimeZone {
        self.get("table.local-time-zone").and_then(time_zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

/// What Flink makes of a setting that is Pelton's own: nothing.
pub fn extension(key: &str, value: &str, span: Span) -> Option<Finding> {
    if !key.starts_with("pelton.") {
        return None;
    }
    let hint = match key {
        "pelton.late-rows" | "pelton.bad-rows" => {
            format!("leave out what reads '{value}': Flink has no such view")
        }
        "pelton.over.range-resolution" => "its RANGE frames are exact, and hold every row".to_owned(),
        _ => String::new(),
    };
    Some(Finding { message: format!("Flink ignores the setting '{key}'"), span, hint })
}

fn check(key: &str, value: &str, form: Form) -> Result<()> {
    let fail = |wanted: &str| {
        Err(Error::new(
            crate::error::ErrorKind::Validation,
            format!("'{value}' is not a value of '{key}': it takes {wanted}"),
        ))
    };
    match form {
        Form::Text => Ok(()),
        Form::Name if value.trim().is_empty() => fail("the name of a view"),
        Form::Name => Ok(()),
        Form::Bool if !["true", "false"].contains(&value.to_ascii_lowercase().as_str()) => {
            fail("true or false")
        }
        Form::Duration if duration_ms(value).is_none() => fail("a duration such as '10 s' or '200 ms'"),
        Form::Count if !value.parse::<i64>().is_ok_and(|n| n >= 1 || n == -1) => {
            fail("a whole number, at least 1")
        }
        Form::Shards if !value.parse::<usize>().is_ok_and(|n| (1..=MAX_SHARDS).contains(&n)) => {
            fail(&format!("a whole number, 1 to {MAX_SHARDS}"))
        }
        Form::Memory if memory_bytes(value.trim()).is_none_or(|b| b == 0) => {
            fail("a size such as '512 mb' or '2 gb'")
        }
        Form::Zone if time_zone(value).is_none() => {
            fail("a zone such as 'Europe/Berlin' or an offset such as 'GMT+08:00'")
        }
        Form::OneOf(choices) if !choices.iter().any(|c| c.eq_ignore_ascii_case(value)) => {
            fail(&choices.iter().map(|c| format!("'{c}'")).collect::<Vec<_>>().join(" or "))
        }
        _ => Ok(()),
    }
}

/// A zone by Flink's rules: a name of the zone database, `UTC`, `GMT+08:00`, `+08:00`.
pub fn time_zone(name: &str) -> Option<jiff::tz::TimeZone> {
    let name = name.trim();
    if name.eq_ignore_ascii_case("default") {
        return Some(jiff::tz::TimeZone::UTC);
    }
    if matches!(name, "Z" | "UTC" | "GMT" | "UT") {
        return Some(jiff::tz::TimeZone::UTC);
    }
    let offset = ["UTC", "GMT", "UT"].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name);
    if let Some(sign) = offset.chars().next().filter(|c| matches!(c, '+' | '-')) {
        let digits: String = offset[1..].chars().filter(|c| *c != ':').collect();
        if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
        let part = |i: usize| digits.get(i * 2..i * 2 + 2).map_or(Some(0), |d| d.parse::<i32>().ok());
        let (h, m, s) = (part(0)?, part(1)?, part(2)?);
        if h > 18 || m > 59 || s > 59 {
            return None;
        }
        let seconds = h * 3600 + m * 60 + s;
        let seconds = if sign == '-' { -seconds } else { seconds };
        return Some(jiff::tz::TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?));
    }
    jiff::tz::TimeZone::get(name).ok()
}

/// A duration by Flink's rules: a whole number and a unit, milliseconds without one.
pub fn duration_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: i64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let in_ms = match unit.as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "µs" | "micro" | "micros" | "microsecond" | "microseconds" => return Some(number / 1_000),
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => return Some(number / 1_000_000),
        _ => return None,
    };
    number.checked_mul(in_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_and_unknown_pelton_keys_refused() {
        let mut s = Settings::default();
        let at = Span::default();
        s.set("table.local-time-zone", "Europe/Berlin", at).unwrap();
        assert!(s.set("table.local-time-zone", "Europe/Atlantis", at).is_err());
        assert_eq!(s.get("table.local-time-zone"), Some("Europe/Berlin"));
        assert!(s.set("pelton.late-row", "x", at).is_err());
        s.set("pelton.late-rows", "late", at).unwrap();
        s.set("some.other.thing", "1", at).unwrap();
        assert!(s.set("execution.runtime-mode", "batch", at).is_err());
        assert!(s.set("table.exec.state.ttl", "an hour", at).is_err());
        assert!(
            s.set("pelton.memory-limit", "much", at).is_err()
                && s.set("pelton.memory-limit", "0", at).is_err()
        );
        s.set("pelton.memory-limit", "2 mb", at).unwrap();
        assert_eq!(s.memory_limit(), Some(2 << 20));
        s.reset(Some("pelton.late-rows"));
        assert_eq!(s.get("pelton.late-rows"), None);
        s.reset(None);
        assert_eq!(s.time_zone(), jiff::tz::TimeZone::UTC);
    }

    #[test]
    fn zones_and_durations() {
        for (name, seconds) in [("GMT+08:00", 28_800), ("-3:30", -12_600), ("UTC", 0), ("+0800", 28_800)] {
            let zone = time_zone(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(zone.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds(), seconds, "{name}");
        }
        assert!(time_zone("GMT+25").is_none());
        for (text, ms) in
            [("10 s", 10_000), ("200ms", 200), ("5", 5), ("2 min", 120_000), ("1 d", 86_400_000)]
        {
            assert_eq!(duration_ms(text), Some(ms));
        }
        assert_eq!(duration_ms("soon"), None);
    }
}

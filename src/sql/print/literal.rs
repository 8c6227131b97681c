//! Literals, intervals, units.

use super::Printer;
use crate::sql::ast::{
    IntervalLiteral, IntervalQualifier, IntervalUnit, Literal, LiteralKind, Number, NumberKind, TemporalKind,
    TimeUnit, TimeUnitKind,
};

impl Printer {
    pub(super) fn literal(&mut self, literal: &Literal) {
        match &literal.kind {
            LiteralKind::Null => self.word("NULL"),
            LiteralKind::Boolean(true) => self.word("TRUE"),
            LiteralKind::Boolean(false) => self.word("FALSE"),
            LiteralKind::Unknown => self.word("UNKNOWN"),
            LiteralKind::Number(number) => self.number(number),
            LiteralKind::String(string) => {
                match string.charset.as_deref() {
                    None => {}
                    Some("N") => {
                        self.word("N");
                        self.glued = true;
                    }
                    Some(charset) => {
                        self.word("_");
                        self.glue(charset);
                    }
                }
                self.string(&string.value);
            }
            LiteralKind::Binary(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                self.word(&format!("X'{digits}'"));
            }
            LiteralKind::Temporal { kind, text } => {
                self.word(match kind {
                    TemporalKind::Date => "DATE",
                    TemporalKind::Time => "TIME",
                    TemporalKind::Timestamp => "TIMESTAMP",
                    TemporalKind::TimestampLtz => "TIMESTAMP WITH LOCAL TIME ZONE",
                    TemporalKind::Datetime => "DATETIME",
                });
                self.string(text);
            }
            LiteralKind::Interval(interval) => self.interval_literal(interval),
        }
    }

    pub(super) fn number(&mut self, number: &Number) {
        if number.kind == NumberKind::DecimalString {
            self.word("DECIMAL");
            self.string(&number.text);
        } else {
            self.word(&number.text);
        }
    }

    pub(super) fn interval_literal(&mut self, interval: &IntervalLiteral) {
        self.word("INTERVAL");
        if interval.negative {
            self.word("-");
            self.glued = true;
        }
        self.string(&interval.text);
        self.interval_qualifier(&interval.qualifier);
    }

    pub(super) fn interval_qualifier(&mut self, qualifier: &IntervalQualifier) {
        self.word(unit(qualifier.from));
        let fraction = qualifier.fraction.filter(|_| qualifier.to.is_none());
        match (qualifier.precision, fraction) {
            (Some(precision), Some(fraction)) => self.tight(&format!("({precision}, {fraction})")),
            (Some(precision), None) => self.tight(&format!("({precision})")),
            _ => {}
        }
        if let Some(to) = qualifier.to {
            self.word("TO");
            self.word(unit(to));
            if let Some(fraction) = qualifier.fraction {
                self.tight(&format!("({fraction})"));
            }
        }
    }

    pub(super) fn time_unit(&mut self, unit: &TimeUnit) {
        use TimeUnitKind::*;
        self.word(match &unit.kind {
            Nanosecond => "NANOSECOND",
            Microsecond => "MICROSECOND",
            Millisecond => "MILLISECOND",
            Second => "SECOND",
            Minute => "MINUTE",
            Hour => "HOUR",
            Day => "DAY",
            DayOfWeek => "DOW",
            DayOfYear => "DOY",
            IsoDayOfWeek => "ISODOW",
            IsoYear => "ISOYEAR",
            Week => "WEEK",
            Month => "MONTH",
            Quarter => "QUARTER",
            Year => "YEAR",
            Epoch => "EPOCH",
            Decade => "DECADE",
            Century => "CENTURY",
            Millennium => "MILLENNIUM",
            WeekFrom(day) => {
                self.word("WEEK");
                self.glue("(");
                self.keyword_or_ident(day);
                return self.close();
            }
            Name(name) => return self.ident(name),
        });
    }
}

fn unit(unit: IntervalUnit) -> &'static str {
    match unit {
        IntervalUnit::Year => "YEAR",
        IntervalUnit::Quarter => "QUARTER",
        IntervalUnit::Month => "MONTH",
        IntervalUnit::Week => "WEEK",
        IntervalUnit::Day => "DAY",
        IntervalUnit::Hour => "HOUR",
        IntervalUnit::Minute => "MINUTE",
        IntervalUnit::Second => "SECOND",
    }
}

//! Values keep to their options, and follow from seed, column and row alone.

use super::*;
use crate::batch::text::{Style, write_value};
use crate::batch::{Batch, Decoder, Encoder, Field, IntervalUnits, Pool, Schema, TypeKind};
use crate::error::Span;
use crate::plan::connector::{ConnectorSpec, OptionValue};
use crate::shard::{IoContext, Polled};
use jiff::tz::TimeZone;

fn table(columns: &[(&str, TypeKind)], options: &[(&str, &str)]) -> TableSpec {
    let value = |(k, v): &(&str, &str)| {
        (
            (*k).to_owned(),
            OptionValue { value: (*v).to_owned(), span: Span::new(1, 2), pair: Span::new(1, 2) },
        )
    };
    TableSpec {
        name: "t".into(),
        connector: ConnectorSpec {
            connector: "datagen".into(),
            options: options.iter().map(value).collect(),
            span: Span::default(),
        },
        schema: Schema::new(columns.iter().map(|(n, k)| Field::new(*n, k.clone().nullable())).collect()),
        partition_keys: vec![],
        primary_key: vec![],
        settings: Default::default(),
        time_zone: TimeZone::UTC,
    }
}

fn scan(table: &TableSpec, columns: &[usize]) -> (DatagenSource, SourceSpec) {
    let source = DatagenSource::of(table).unwrap();
    let spec = SourceSpec {
        table: table.clone(),
        columns: columns.to_vec(),
        leaves: vec![],
        metadata: vec![],
        info: source.info(),
    };
    (source, spec)
}

/// 2024-03-10 10:00:00, and rows for a year.
const START: i64 = 1_710_064_800_000_000;
const LATER: i64 = START + 31_536_000_000_000;

fn show(b: &Batch, spec: &SourceSpec, to: &mut Vec<String>) {
    for row in 0..b.rows() {
        let mut text = vec![];
        for (i, (c, n)) in b.columns.iter().zip(&spec.columns).enumerate() {
            text.extend_from_slice(if i > 0 { b" " } else { b"" });
            write_value(c, row, spec.table.schema.ty(*n), &TimeZone::UTC, Style::Changelog, &mut text);
        }
        to.push(String::from_utf8_lossy(&text).into_owned());
    }
}

/// Polls with the clock at START and then a year later, until the end or `stop` rows.
fn poll(input: &mut dyn Input, spec: &SourceSpec, max_rows: usize, stop: usize) -> Vec<String> {
    let mut pool = Pool::default();
    let mut out = vec![];
    let mut now_us = START;
    while out.len() < stop {
        match input.poll(max_rows.min(stop - out.len()), &mut IoContext { pool: &mut pool, now_us }).unwrap()
        {
            Polled::Batch(b) => show(&b, spec, &mut out),
            Polled::Pending => now_us = LATER,
            Polled::End => break,
        }
    }
    out
}

fn rows(columns: &[(&str, TypeKind)], options: &[(&str, &str)], n: usize) -> Vec<String> {
    let table = table(columns, options);
    let all: Vec<usize> = (0..columns.len()).collect();
    let (source, spec) = scan(&table, &all);
    poll(&mut *source.open(&spec, 0, 1).remove(0), &spec, 1024, n)
}

#[test]
fn values_keep_to_their_bounds() {
    let numbers = rows(&[("a", TypeKind::Int)], &[("fields.a.min", "-3"), ("fields.a.max", "3")], 2000);
    let mut counts = std::collections::BTreeMap::new();
    numbers.iter().for_each(|n| *counts.entry(n.parse::<i32>().unwrap()).or_insert(0) += 1);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), (-3..=3).collect::<Vec<_>>());
    assert!(counts.values().all(|c| *c > 200), "{counts:?}");

    let reals = rows(&[("a", TypeKind::Double)], &[("fields.a.min", "1.5"), ("fields.a.max", "2")], 500);
    assert!(reals.iter().all(|v| (1.5..=2.0).contains(&v.parse::<f64>().unwrap())));
    let decimals = rows(&[("a", TypeKind::Decimal(4, 2))], &[("fields.a.max", "0.05")], 500);
    assert!(decimals.iter().all(|v| ["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"].contains(&v.as_str())));
    let texts = rows(&[("a", TypeKind::STRING)], &[("fields.a.length", "7")], 50);
    assert!(texts.iter().all(|t| t.len() == 7 && t.bytes().all(|b| b.is_ascii_hexdigit())));
    assert_eq!(rows(&[("a", TypeKind::STRING)], &[], 1)[0].len(), 100);
    assert_eq!(rows(&[("a", TypeKind::Char(5))], &[], 1)[0].len(), 5);
    let nulls = rows(&[("a", TypeKind::Boolean)], &[("fields.a.null-rate", "0.5")], 1000);
    let n = nulls.iter().filter(|v| *v == "\\N").count();
    assert!((400..600).contains(&n), "{n} of 1000 are NULL");
}

#[test]
fn sequences_count_and_end_the_source() {
    let columns = [("a", TypeKind::BigInt), ("b", TypeKind::STRING), ("c", TypeKind::Decimal(5, 1))];
    let options = [
        ("fields.a.kind", "sequence"),
        ("fields.a.start", "7"),
        ("fields.a.end", "9"),
        ("fields.b.kind", "sequence"),
        ("fields.b.start", "0"),
        ("fields.b.end", "100"),
        ("fields.c.kind", "sequence"),
        ("fields.c.start", "-1"),
        ("fields.c.end", "100"),
    ];
    assert_eq!(rows(&columns, &options, usize::MAX), ["7 0 -1.0", "8 1 0.0", "9 2 1.0"]);
}

fn every_type() -> Vec<(&'static str, TypeKind)> {
    let row = TypeKind::Row(vec![
        Field::new("x", TypeKind::Int.nullable()),
        Field::new("y", TypeKind::Array(Box::new(TypeKind::SmallInt.nullable())).nullable()),
    ]);
    let map = TypeKind::Map(Box::new(TypeKind::STRING.not_null()), Box::new(TypeKind::Float.nullable()));
    vec![
        ("a", TypeKind::Boolean),
        ("b", TypeKind::TinyInt),
        ("c", TypeKind::BYTES),
        ("d", TypeKind::Date),
        ("e", TypeKind::Time(3)),
        ("f", TypeKind::Timestamp(9)),
        ("g", TypeKind::TimestampLtz(3)),
        ("h", TypeKind::IntervalMonths(IntervalUnits::YearToMonth)),
        ("i", TypeKind::IntervalMillis(IntervalUnits::DayToSecond)),
        ("j", row),
        ("k", map),
        ("l", TypeKind::Multiset(Box::new(TypeKind::TinyInt.nullable()))),
        ("m", TypeKind::Decimal(38, 10)),
    ]
}

#[test]
fn which_columns_are_read_and_how_never_changes_a_value() {
    let options = [("number-of-rows", "300"), ("fields.j.x.null-rate", "0.3"), ("fields.k.length", "5")];
    let table = table(&every_type(), &options);
    let all: Vec<usize> = (0..table.schema.len()).collect();
    let (source, spec) = scan(&table, &all);
    // Times differ from poll to poll; the others must not.
    let still: Vec<usize> = all.iter().copied().filter(|c| !table.schema.ty(*c).kind.is_datetime()).collect();
    let (_, still_spec) = scan(&table, &still);
    let whole = poll(&mut *source.open(&still_spec, 0, 1).remove(0), &still_spec, 1024, usize::MAX);
    assert_eq!(whole.len(), 300);
    for max_rows in [1, 2, 7] {
        assert_eq!(
            poll(&mut *source.open(&still_spec, 0, 1).remove(0), &still_spec, max_rows, usize::MAX),
            whole
        );
    }
    for &column in &still {
        let (_, one) = scan(&table, &[column]);
        let got = poll(&mut *source.open(&one, 0, 1).remove(0), &one, 7, usize::MAX);
        assert_eq!(got.len(), 300);
        assert!(got.iter().zip(&whole).all(|(v, row)| row.contains(v.as_str())), "column {column}");
    }
    for stop in [0, 1, 150, 299, 300] {
        let mut input = source.open(&still_spec, 0, 1).remove(0);
        let mut got = poll(&mut *input, &still_spec, 7, stop);
        let mut to = Encoder::default();
        input.snapshot(&mut to);
        let bytes = to.finish();
        let mut input = source.open(&still_spec, 0, 1).remove(0);
        input.restore(&mut Decoder::new(&bytes)).unwrap();
        got.extend(poll(&mut *input, &still_spec, 1024, usize::MAX));
        assert_eq!(got, whole, "stopped after {stop}");
    }
    let mut parts: Vec<String> = source
        .open(&still_spec, 0, 3)
        .into_iter()
        .flat_map(|mut p| poll(&mut *p, &still_spec, 7, usize::MAX))
        .collect();
    let mut sorted = whole.clone();
    parts.sort();
    sorted.sort();
    assert_eq!(parts, sorted);
    let first = &poll(&mut *source.open(&spec, 0, 1).remove(0), &spec, 1, 1)[0];
    assert!(first.contains("2024-03-10 10:00:00.000000000"), "{first}");
}

#[test]
fn the_rate_is_kept() {
    let table = table(&[("a", TypeKind::Int)], &[("rows-per-second", "100")]);
    let (source, spec) = scan(&table, &[0]);
    assert!(!source.info().bounded);
    let mut input = source.open(&spec, 0, 1).remove(0);
    let mut pool = Pool::default();
    let mut until = |now_us| {
        let mut n = 0;
        while let Polled::Batch(b) = input.poll(1000, &mut IoContext { pool: &mut pool, now_us }).unwrap() {
            n += b.rows();
        }
        n
    };
    assert_eq!((until(START), until(START + 500_000), until(START + 500_000)), (1, 50, 0));
}

#[test]
fn wrong_options_are_named() {
    let columns = [("a", TypeKind::Int), ("s", TypeKind::VarChar(5)), ("c", TypeKind::Char(3))];
    for (key, value, part) in [
        ("fields.a.mni", "1", "did you mean 'fields.a.min'"),
        ("fields.b.min", "1", "did you mean"),
        ("fields.a.min", "x", "a whole number"),
        ("fields.a.min", "99999999999", "2147483647"),
        ("fields.a.kind", "random-walk", "'random' or 'sequence'"),
        ("fields.a.kind", "sequence", "Could not find required property 'fields.a.start'"),
        ("fields.a.null-rate", "2", "from 0 to 1"),
        ("fields.s.length", "6", "should be shorter than '5'"),
        ("fields.c.length", "2", "Custom length for fixed-length type"),
        ("rows-per-secnd", "1", "did you mean 'rows-per-second'"),
    ] {
        let e = DatagenSource::of(&table(&columns, &[(key, value)])).unwrap_err();
        assert!(e.to_string().contains(part), "{key}={value}: {e}");
    }
}

//! Properties of the formats over random input: a naive reader of csv agrees, block borders and batch sizes do not show, what is
//! written reads back the same.

use super::tests::{Outcome, run};
use super::*;
use crate::batch::{ColumnData, Field, TypeKind};
use proptest::prelude::*;

fn strings(n: usize) -> Schema {
    Schema::new((0..n).map(|i| Field::new(format!("c{i}"), TypeKind::STRING.nullable())).collect())
}

/// The line of a row, and its fields.
type CsvRow = (u64, Vec<Option<String>>);

/// Reads csv a character at a time, by the rules that the module's text states: the lines of the rows and their fields, and
/// the number of records that cannot be read. Without comments and escapes, errors ignored.
fn naive_csv(text: &str, columns: usize) -> (Vec<CsvRow>, u64) {
    let chars: Vec<char> = text.chars().collect();
    let (mut rows, mut bad) = (vec![], 0);
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let start_line = line;
        let (mut fields, mut wrong) = (vec![], false);
        loop {
            let mut field = String::new();
            if chars.get(at) == Some(&'"') {
                at += 1;
                loop {
                    match (chars.get(at), chars.get(at + 1)) {
                        (Some('"'), Some('"')) => {
                            field.push('"');
                            at += 2;
                        }
                        (Some('"'), _) => {
                            at += 1;
                            break;
                        }
                        (Some(&c), next) => {
                            line += u64::from(c == '\n' || c == '\r' && next != Some(&'\n'));
                            field.push(c);
                            at += 1;
                        }
                        (None, _) => {
                            wrong = true;
                            break;
                        }
                    }
                }
                while chars.get(at).is_some_and(|&c| c <= ' ' && !matches!(c, '\n' | '\r' | ',')) {
                    at += 1;
                }
                if chars.get(at).is_some_and(|c| !matches!(c, '\n' | '\r' | ',')) {
                    wrong = true;
                    // The parser goes on behind the character that it did not expect, with the next field.
                    at += 1;
                    fields.push(field);
                    continue;
                }
            } else {
                while let Some(&c) = chars.get(at).filter(|c| !matches!(c, '\n' | '\r' | ',')) {
                    field.push(c);
                    at += 1;
                }
            }
            fields.push(field);
            match (chars.get(at), chars.get(at + 1)) {
                (Some(','), _) => at += 1,
                (Some('\r'), Some('\n')) => {
                    at += 2;
                    break;
                }
                (Some(_), _) => {
                    at += 1;
                    break;
                }
                (None, _) => break,
            }
        }
        line += u64::from(at > 0 && matches!(chars[at - 1], '\n' | '\r'));
        let extra = fields.len() > columns + 1
            || fields.len() == columns + 1 && !fields[columns].trim_matches(|c| c <= ' ').is_empty();
        if wrong || extra {
            bad += 1;
            continue;
        }
        fields.truncate(columns);
        let mut row: Vec<Option<String>> = fields.into_iter().map(Some).collect();
        row.resize(columns, None);
        rows.push((start_line, row));
    }
    (rows, bad)
}

fn changelog_text(row: &[Option<String>]) -> String {
    let escape =
        |s: &String| s.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r");
    row.iter().map(|v| v.as_ref().map_or("\\N".into(), escape)).collect::<Vec<_>>().join(" ")
}

fn ignoring(name: &str) -> Format {
    Format::from_options(name, |k| (k == "ignore-parse-errors").then_some("true")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_naive_reader_of_csv_agrees(text in "[a,,,\"\"\n\n\r éx]{0,60}", block in 1usize..70, max_rows in 1usize..9) {
        let got = run(&ignoring("csv"), &strings(3), &[0, 1, 2], text.as_bytes(), block, max_rows);
        let (rows, bad) = naive_csv(&text, 3);
        prop_assert_eq!(&got.rows, &rows.iter().map(|r| changelog_text(&r.1)).collect::<Vec<_>>());
        prop_assert_eq!(&got.lines, &rows.iter().map(|r| r.0).collect::<Vec<_>>());
        prop_assert_eq!((got.bad, got.error), (bad, None));
        // A strict reader gives the same rows up to the first record that it refuses.
        let strict = Format::from_options("csv", |_| None).unwrap();
        let got = run(&strict, &strings(3), &[0, 1, 2], text.as_bytes(), block, max_rows);
        let whole = rows.iter().filter(|r| r.1.iter().all(Option::is_some)).map(|r| changelog_text(&r.1));
        prop_assert!(got.rows.iter().zip(whole).all(|(a, b)| *a == b));
        prop_assert_eq!(got.error.is_none(), bad == 0 && rows.iter().all(|r| r.1.iter().all(Option::is_some)));
    }

    #[test]
    fn csv_options_do_not_show_block_borders(
        text in "[a1,;\"\\\\#\n\r\t n]{0,60}",
        flags in prop::collection::vec(any::<bool>(), 5),
        block in 1usize..70,
        max_rows in 1usize..9,
    ) {
        let list = [("allow-comments", "true"), ("trim-spaces", "true"), ("escape-character", "\\"), ("ignore-parse-errors", "true"), ("field-delimiter", ";")];
        let set: Vec<_> = list.iter().zip(&flags).filter(|(_, f)| **f).map(|(o, _)| *o).collect();
        let format = Format::from_options("csv", |k| set.iter().find(|o| o.0 == k).map(|o| o.1)).unwrap();
        let table = Schema::new(vec![
            Field::new("i", TypeKind::Int.nullable()),
            Field::new("s", TypeKind::STRING.nullable()),
            Field::new("a", TypeKind::Array(Box::new(TypeKind::Int.nullable())).nullable()),
        ]);
        let whole = run(&format, &table, &[0, 1, 2], text.as_bytes(), 1000, 1000);
        prop_assert_eq!(run(&format, &table, &[0, 1, 2], text.as_bytes(), block, max_rows), whole);
    }

    #[test]
    fn json_does_not_show_block_borders(
        mut text in json_lines(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ignore: bool,
        block in 1usize..200,
        max_rows in 1usize..9,
    ) {
        // Damage may hit any byte: the outcome may be anything but a panic, and must not depend on how bytes arrive.
        let mut bytes = std::mem::take(&mut text).into_bytes();
        for (at, byte) in damage {
            if !bytes.is_empty() {
                let i = at.index(bytes.len());
                bytes[i] = byte;
            }
        }
        let format = Format::from_options("json", |k| (ignore && k == "ignore-parse-errors").then_some("true")).unwrap();
        let all: Vec<usize> = (0..table().len()).collect();
        let whole = run(&format, &table(), &all, &bytes, 100_000, 1000);
        let mut got = run(&format, &table(), &all, &bytes, block, max_rows);
        if whole.error.is_some() {
            // Rows that stand in the failing batch's last line may have been given out or not.
            prop_assert!(got.error.is_some());
            got.bad = whole.bad;
        }
        prop_assert_eq!(got, whole);
    }

    #[test]
    fn what_is_written_reads_back(lines in json_lines(), seed: u64) {
        let all: Vec<usize> = (0..table().len()).collect();
        for name in ["json", "csv"] {
            let (schema, read): (Schema, Vec<usize>) = match name {
                // csv has no MAP.
                "csv" => (Schema::new(table().fields[..12].to_vec()), (0..12).collect()),
                _ => (table(), all.clone()),
            };
            let reader = Format::from_options("json", |_| None).unwrap();
            let mut rows = Rows::default();
            rows.start(schema.fields.iter().map(|f| ColumnRef::new(Column::new(&f.ty))).collect());
            reader.decoder(&schema, &read).decode(lines.as_bytes(), true, 1000, &mut 1, &mut rows).unwrap();
            let batch = Batch::new(rows.columns, rows.rows);
            // In csv NULL needs a text of its own, and a ROW or ARRAY cannot be NULL.
            let format = Format::from_options(name, |k| (k == "null-literal").then_some("∅")).unwrap();
            let mut encoder = format.encoder(&schema, &read);
            let mut out = vec![];
            for row in 0..batch.rows() {
                encoder.encode(&batch, row, &mut out).unwrap();
            }
            let block = seed as usize % 300 + 1;
            let again: Outcome = run(&format, &schema, &read, &out, block, 7);
            let first: Outcome = run(&reader, &schema, &read, lines.as_bytes(), block, 7);
            prop_assert_eq!(again.error, None);
            prop_assert_eq!(again.rows, first.rows, "{}", name);
        }
    }
}

/// One column of every kind; the first twelve have a form in csv.
fn table() -> Schema {
    use TypeKind::*;
    let row = Row(vec![Field::new("x", Int.nullable()), Field::new("y z", TypeKind::STRING.nullable())]);
    let map =
        Map(Box::new(TypeKind::STRING.not_null()), Box::new(Array(Box::new(Double.nullable())).nullable()));
    let kinds = [
        Boolean,
        TinyInt,
        Int,
        BigInt,
        Float,
        Double,
        Decimal(20, 3),
        TypeKind::STRING,
        TypeKind::BYTES,
        Date,
        Time(3),
        Timestamp(9),
        TimestampLtz(3),
        row,
        map,
        Array(Box::new(BigInt.nullable())),
    ];
    let field = |(i, k): (usize, TypeKind)| Field::new(format!("c{i}"), k.nullable());
    Schema::new(kinds.into_iter().enumerate().map(field).collect())
}

fn json_string() -> impl Strategy<Value = String> {
    "[a-z ,;\"\\\\\n\t\u{1}é😀]{0,30}".prop_map(|s| {
        let mut out = vec![];
        super::json::write_json_text(s.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    })
}

fn or_null(s: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    prop_oneof![4 => s, 1 => Just("null".to_owned())].boxed()
}

fn json_value(kind: &TypeKind) -> BoxedStrategy<String> {
    use TypeKind::*;
    let digits = |n: i64| (-n..=n).prop_map(|v| v.to_string());
    match kind {
        Boolean => or_null(any::<bool>().prop_map(|b| b.to_string())),
        TinyInt => or_null(digits(127)),
        Int => or_null(digits(i32::MAX.into())),
        BigInt => or_null(any::<i64>().prop_map(|v| v.to_string())),
        Float => or_null((-1.0e6f32..1.0e6).prop_map(|v| format!("{v:?}"))),
        Double => {
            or_null(any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(|v| format!("{v:?}")))
        }
        Decimal(..) => or_null((any::<i32>(), 0u32..1000).prop_map(|(a, b)| format!("{a}.{b:03}"))),
        VarChar(_) => or_null(json_string()),
        VarBinary(_) => or_null(prop::collection::vec(any::<u8>(), 0..9).prop_map(|b| {
            let mut out = vec![b'"'];
            base64_encode(&b, &mut out);
            out.push(b'"');
            String::from_utf8(out).unwrap()
        })),
        Date => or_null(
            (1..=9999i32, 1..=12u32, 1..=28u32).prop_map(|(y, m, d)| format!("\"{y:04}-{m:02}-{d:02}\"")),
        ),
        Time(_) => or_null(
            (0..24u32, 0..60u32, 0..1000u32).prop_map(|(h, m, s)| format!("\"{h:02}:{m:02}:07.{s:03}\"")),
        ),
        Timestamp(_) => or_null(
            (1..=9999i32, 0..60u32, 0..1_000_000_000u32)
                .prop_map(|(y, s, n)| format!("\"{y:04}-02-03 04:05:{s:02}.{n:09}\"")),
        ),
        TimestampLtz(_) => {
            or_null((1..=9999i32, 0..1000u32).prop_map(|(y, n)| format!("\"{y:04}-02-03 04:05:06.{n:03}Z\"")))
        }
        Row(fields) => {
            let parts: Vec<_> = fields
                .iter()
                .map(|f| {
                    let name = f.name.clone();
                    json_value(&f.ty.kind).prop_map(move |v| format!("\"{name}\" : {v}"))
                })
                .collect();
            or_null(parts.prop_shuffle().prop_map(|p| format!("{{{}}}", p.join(" ,"))))
        }
        Map(_, v) => {
            or_null(prop::collection::vec((json_string(), json_value(&v.kind)), 0..4).prop_map(|p| {
                format!(
                    "{{{}}}",
                    p.into_iter().map(|(k, v)| format!("{k}:{v}")).collect::<Vec<_>>().join(",")
                )
            }))
        }
        Array(t) => or_null(
            prop::collection::vec(json_value(&t.kind), 0..4).prop_map(|p| format!("[{}]", p.join(", "))),
        ),
        _ => Just("null".to_owned()).boxed(),
    }
}

/// Lines of objects of [`table`], some fields absent, others unknown.
fn json_lines() -> impl Strategy<Value = String> {
    let fields: Vec<BoxedStrategy<String>> = table()
        .fields
        .iter()
        .map(|f| {
            let name = f.name.clone();
            json_value(&f.ty.kind).prop_map(move |v| format!("\"{name}\":{v}")).boxed()
        })
        .chain([Just("\"unknown\":{\"c0\":[1,{}]}".to_owned()).boxed()])
        .collect();
    let line = fields
        .prop_shuffle()
        .prop_flat_map(|parts| {
            let n = parts.len();
            (Just(parts), 0..=n)
        })
        .prop_map(|(parts, n)| format!("{{{}}}", parts[..n].join(",")));
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.into_iter().map(|l| l + "\n").collect())
}

#[test]
fn the_table_has_every_physical_form() {
    let forms: std::collections::HashSet<_> = table().fields.iter().map(|f| f.ty.physical()).collect();
    assert!(forms.len() >= 11, "{forms:?}");
    assert!(matches!(Column::new(table().ty(14)).data, ColumnData::Map { .. }));
}

//! Files written by another implementation (`tests/sql/data/avro`, by fastavro), and what is damaged.

use super::*;
use crate::batch::{Column, ColumnRef, Field};
use crate::formats::Format;

fn file(name: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sql/data/avro/");
    std::fs::read(format!("{path}{name}.avro")).expect("a file of the tests")
}

fn schema() -> Schema {
    let field = |n: &str, kind: TypeKind| Field::new(n, kind.nullable());
    Schema::new(vec![
        field("id", TypeKind::BigInt),
        field("absent", TypeKind::Int),
        field("s", TypeKind::STRING),
    ])
}

/// The ids of the rows, and the error, if any. `cut`: bytes that arrive at once.
fn ids(bytes: &[u8], cut: usize, max_rows: usize) -> (Vec<i64>, Option<RowError>) {
    let (mut decoder, mut line, mut out) = (decoder(), 1, vec![]);
    let (mut at, mut end) = (0, 0);
    while at < bytes.len() {
        end = (end + cut).min(bytes.len());
        let mut rows = Rows::default();
        rows.start(schema().fields.iter().map(|f| ColumnRef::new(Column::new(&f.ty))).collect());
        let result = decoder.decode(&bytes[at..end], end == bytes.len(), max_rows, &mut line, &mut rows);
        assert!(rows.columns.iter().all(|c| c.len() == rows.rows), "columns of one length");
        assert!(!(0..rows.rows).any(|r| rows.columns[1].is_valid(r)), "a column that no field has");
        out.extend_from_slice(rows.columns[0].slice::<i64>());
        assert_eq!(line, out.len() as u64 + 1, "rows are counted as lines");
        match result {
            Ok(used) => at += used,
            Err(e) => return (out, Some(e)),
        }
        // In the middle of the file another decoder goes on.
        let mut next =
            super::AvroDecoder::new(&AvroOptions { legacy_timestamps: true }, &schema(), &[0, 1, 2]);
        next.set_head(decoder.head()).expect("its own head");
        decoder = Box::new(next);
    }
    (out, None)
}

fn decoder() -> Box<dyn Decoder> {
    Format::from_options("avro", |_| None).expect("no options").decoder(&schema(), &[0, 1, 2])
}

#[test]
fn blocks_of_every_codec_are_read_however_they_arrive() {
    let wanted: Vec<i64> = (0..300).collect();
    for codec in ["null", "deflate", "snappy", "zstandard"] {
        let bytes = file(codec);
        for (cut, max_rows) in [(usize::MAX / 2, usize::MAX), (1, 10), (1000, 1)] {
            assert_eq!(ids(&bytes, cut, max_rows), (wanted.clone(), None), "{codec}");
        }
    }
}

#[test]
fn damage_is_found_and_the_rows_before_it_are_there() {
    let good = file("snappy");
    let whole = ids(&good, usize::MAX / 2, 7).0;
    for at in (0..good.len()).step_by(7) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        let (got, error) = ids(&bytes, usize::MAX / 2, 7);
        // Of the head only what matters is looked at.
        assert!(error.is_some() || got.len() == whole.len(), "byte {at}");
        if at > 1000 {
            assert!(whole.starts_with(&got) && error.is_some(), "byte {at}: {} rows", got.len());
        }
        let (got, error) = ids(&good[..at], usize::MAX / 2, 7);
        assert!(whole.starts_with(&got));
        // Cut between blocks, a file is a shorter one.
        if let Some(e) = error {
            assert!(e.message.contains("ends") || e.message.contains("begin"), "{e:?}");
        }
    }
    let error = ids(b"id,s\n1,x\n", 100, 7).1.expect("no such file");
    assert_eq!((error.line, error.record), (1, 0..9));
}

#[test]
fn types_that_flink_has_no_schema_for_are_refused() {
    let check = |kind: TypeKind, options: AvroOptions| {
        super::check(&options, &Schema::new(vec![Field::new("c", kind.nullable())]), true)
            .map_err(|e| e.message)
    };
    let (legacy, not) = (AvroOptions { legacy_timestamps: true }, AvroOptions { legacy_timestamps: false });
    for (kind, options, fits) in [
        (TypeKind::Timestamp(3), legacy.clone(), true),
        (TypeKind::Timestamp(6), legacy.clone(), false),
        (TypeKind::TimestampLtz(3), legacy.clone(), false),
        (TypeKind::TimestampLtz(6), not.clone(), true),
        (TypeKind::Timestamp(9), not, false),
        (
            TypeKind::Map(Box::new(TypeKind::Int.nullable()), Box::new(TypeKind::Int.nullable())),
            legacy,
            false,
        ),
    ] {
        let text = kind.to_string();
        assert_eq!(check(kind, options).is_ok(), fits, "{text}");
    }
}

//! Files written by other implementations (`tests/sql/data/avro` by fastavro, random ones by Apache's), and what is damaged.

use super::*;
use crate::batch::text::moment;
use crate::batch::{Column, ColumnData, ColumnRef, Field};
use crate::formats::Format;
use apache_avro::types::Value;
use apache_avro::{Bzip2Settings, Codec as Written, DeflateSettings, Writer, XzSettings};
use proptest::prelude::*;

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

/// What a record of [`RANDOM`] holds.
#[derive(Clone, Debug, PartialEq)]
struct Random {
    long: i64,
    int: Option<i32>,
    text: String,
    skipped: Vec<f64>,
    real: f64,
    float: f32,
    list: Vec<Option<i64>>,
    map: std::collections::BTreeMap<String, i32>,
    bytes: Vec<u8>,
    symbol: usize,
    day: i32,
    moment: i64,
    flag: Option<bool>,
}

const RANDOM: &str = r#"{"type": "record", "name": "r", "fields": [
    {"name": "long", "type": "long"},
    {"name": "int", "type": ["null", "int"]},
    {"name": "text", "type": "string"},
    {"name": "skipped", "type": {"type": "array", "items": "double"}},
    {"name": "nested", "type": {"type": "record", "name": "n", "fields": [
        {"name": "real", "type": "double"},
        {"name": "float", "type": "float"},
        {"name": "list", "type": {"type": "array", "items": ["null", "long"]}}]}},
    {"name": "map", "type": {"type": "map", "values": "int"}},
    {"name": "bytes", "type": "bytes"},
    {"name": "symbol", "type": {"type": "enum", "name": "e", "symbols": ["A", "B", "C"]}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "moment", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "flag", "type": ["boolean", "null"]}]}"#;

fn random() -> impl Strategy<Value = Random> {
    let numbers = (any::<i64>(), any::<Option<i32>>(), -1e9f64..1e9, -1e6f32..1e6);
    let texts = (".{0,20}", proptest::collection::vec(any::<u8>(), 0..20));
    let lists = (
        proptest::collection::vec(-1e9f64..1e9, 0..5),
        proptest::collection::vec(any::<Option<i64>>(), 0..5),
        proptest::collection::btree_map("[a-z]{0,3}", any::<i32>(), 0..4),
    );
    let others = (
        0usize..3,
        -719_162i32..2_932_896,
        -62_135_596_800_000i64..253_402_300_800_000,
        any::<Option<bool>>(),
    );
    (numbers, texts, lists, others).prop_map(
        |((long, int, real, float), (text, bytes), (skipped, list, map), (symbol, day, moment, flag))| {
            Random { long, int, text, skipped, real, float, list, map, bytes, symbol, day, moment, flag }
        },
    )
}

impl Random {
    fn value(&self) -> Value {
        let optional = |at: u32, v: Option<Value>| match v {
            Some(v) => Value::Union(at, Box::new(v)),
            None => Value::Union(1 - at, Box::new(Value::Null)),
        };
        let list = self.list.iter().map(|v| optional(1, v.map(Value::Long))).collect();
        let nested = vec![
            ("real".into(), Value::Double(self.real)),
            ("float".into(), Value::Float(self.float)),
            ("list".into(), Value::Array(list)),
        ];
        let symbol = ["A", "B", "C"][self.symbol].to_owned();
        Value::Record(vec![
            ("long".into(), Value::Long(self.long)),
            ("int".into(), optional(1, self.int.map(Value::Int))),
            ("text".into(), Value::String(self.text.clone())),
            ("skipped".into(), Value::Array(self.skipped.iter().map(|&v| Value::Double(v)).collect())),
            ("nested".into(), Value::Record(nested)),
            ("map".into(), Value::Map(self.map.iter().map(|(k, &v)| (k.clone(), Value::Int(v))).collect())),
            ("bytes".into(), Value::Bytes(self.bytes.clone())),
            ("symbol".into(), Value::Enum(self.symbol as u32, symbol)),
            ("day".into(), Value::Date(self.day)),
            ("moment".into(), Value::TimestampMillis(self.moment)),
            ("flag".into(), optional(0, self.flag.map(Value::Boolean))),
        ])
    }
}

/// The columns that are read of [`RANDOM`], in another order than its fields.
fn random_schema() -> Schema {
    use TypeKind as K;
    let nullable = |name: &str, kind: K| Field::new(name, kind.nullable());
    let list = K::Array(Box::new(K::BigInt.nullable()));
    let nested =
        K::Row(vec![nullable("list", list), nullable("float", K::Float), nullable("real", K::Double)]);
    let map = K::Map(Box::new(K::STRING.not_null()), Box::new(K::Int.nullable()));
    Schema::new(vec![
        nullable("moment", K::Timestamp(3)),
        nullable("nested", nested),
        nullable("flag", K::Boolean),
        nullable("map", map),
        nullable("bytes", K::VarBinary(1000)),
        nullable("text", K::STRING),
        nullable("int", K::Int),
        nullable("symbol", K::STRING),
        nullable("day", K::Date),
        nullable("long", K::BigInt),
    ])
}

/// The row of these columns, what is skipped left empty.
fn row_of(columns: &[ColumnRef], row: usize) -> Random {
    let [at, nested, flag, map, bytes, text, int, symbol, day, long] = columns else { panic!("ten columns") };
    let ColumnData::Row(nested) = &nested.data else { panic!("a row") };
    let [list, float, real] = &nested[..] else { panic!("three fields") };
    let ColumnData::List { offsets, child } = &list.data else { panic!("a list") };
    let elements = (offsets[row] as usize..offsets[row + 1] as usize)
        .map(|n| child.is_valid(n).then(|| child.slice::<i64>()[n]));
    let ColumnData::Map { offsets: ends, keys, values } = &map.data else { panic!("a map") };
    let entries = (ends[row] as usize..ends[row + 1] as usize)
        .map(|n| (keys.byte_column().str(n).to_owned(), values.slice::<i32>()[n]));
    let symbols = ["A", "B", "C"];
    Random {
        long: long.slice::<i64>()[row],
        int: int.is_valid(row).then(|| int.slice::<i32>()[row]),
        text: text.byte_column().str(row).to_owned(),
        skipped: vec![],
        real: real.slice::<f64>()[row],
        float: float.slice::<f32>()[row],
        list: elements.collect(),
        map: entries.collect(),
        bytes: bytes.byte_column().get(row).to_vec(),
        symbol: symbols.iter().position(|s| *s == symbol.byte_column().str(row)).expect("a symbol"),
        day: day.slice::<i32>()[row],
        moment: moment(at, row).millis(),
        flag: flag.is_valid(row).then(|| flag.bools().get(row)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// What Apache's writer writes comes back, whatever its codec and blocks.
    #[test]
    fn files_of_another_writer_hold_the_same_rows(
        rows in proptest::collection::vec(random(), 1..40),
        codec in 0usize..4,
        per_block in 1usize..20,
        max_rows in 1usize..50,
    ) {
        let written = apache_avro::Schema::parse_str(RANDOM).expect("a schema");
        let codec = [
            Written::Null,
            Written::Deflate(DeflateSettings::default()),
            Written::Bzip2(Bzip2Settings::default()),
            Written::Xz(XzSettings::default()),
        ][codec];
        let mut writer = Writer::with_codec(&written, Vec::new(), codec);
        for some in rows.chunks(per_block) {
            for r in some {
                writer.append(r.value()).expect("a record of the schema");
            }
            writer.flush().expect("a vector");
        }
        let bytes = writer.into_inner().expect("a vector");
        let schema = random_schema();
        let all: Vec<usize> = (0..schema.len()).collect();
        let mut decoder = AvroDecoder::new(&AvroOptions { legacy_timestamps: true }, &schema, &all);
        let (mut at, mut line, mut read) = (0, 1, vec![]);
        while at < bytes.len() {
            let mut out = Rows::default();
            out.start(schema.fields.iter().map(|f| ColumnRef::new(Column::new(&f.ty))).collect());
            at += decoder.decode(&bytes[at..], true, max_rows, &mut line, &mut out).expect("a good file");
            read.extend((0..out.rows).map(|r| row_of(&out.columns, r)));
        }
        let wanted: Vec<Random> = rows.into_iter().map(|r| Random { skipped: vec![], ..r }).collect();
        prop_assert_eq!(read, wanted);
    }
}

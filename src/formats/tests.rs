//! Formats hold what real Flink 2.3 was seen to do; records come out the same however the bytes arrive.

use super::*;
use crate::batch::text::{Style, write_value};
use crate::batch::{DataType, Field, TypeKind};
use jiff::tz::TimeZone;

fn schema(columns: &[(&str, TypeKind)]) -> Schema {
    Schema::new(columns.iter().map(|(n, k)| Field::new(*n, k.clone().nullable())).collect())
}

fn options<'a>(list: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<&'a str> {
    move |key| list.iter().find(|o| o.0 == key).map(|o| o.1)
}

/// What came of some bytes: rows in changelog form, the error, the line of each row, rows skipped and rows patched.
#[derive(Debug, PartialEq, Default, Clone)]
pub(super) struct Outcome {
    pub(super) rows: Vec<String>,
    pub(super) error: Option<String>,
    pub(super) lines: Vec<u64>,
    pub(super) bad: u64,
    pub(super) nulled: u64,
}

/// Decodes bytes that arrive in blocks of `block` bytes, `max_rows` rows at a time.
pub(super) fn run(
    format: &Format,
    schema: &Schema,
    columns: &[usize],
    bytes: &[u8],
    block: usize,
    max_rows: usize,
) -> Outcome {
    let mut decoder = format.decoder(schema, columns);
    let mut out = Outcome::default();
    let (mut at, mut arrived, mut line) = (0, 0, 1);
    let types: Vec<DataType> = columns.iter().map(|&c| schema.ty(c).clone()).collect();
    loop {
        let last = arrived == bytes.len();
        let mut rows = Rows::default();
        rows.start(types.iter().map(|t| ColumnRef::new(Column::new(t))).collect());
        let decoded = decoder.decode(&bytes[at..arrived], last, max_rows, &mut line, &mut rows);
        let batch = Batch::new(rows.columns.clone(), rows.rows);
        let mut run = rows.lines.iter().peekable();
        let mut origin = (0, 0);
        for row in 0..rows.rows {
            if let Some(r) = run.next_if(|r| r.0 as usize == row) {
                origin = *r;
            }
            out.lines.push(origin.1 + row as u64 - u64::from(origin.0));
            let mut text = vec![];
            for (i, (c, t)) in batch.columns.iter().zip(&types).enumerate() {
                text.extend_from_slice(if i > 0 { b" " } else { b"" });
                write_value(c, row, t, &TimeZone::UTC, Style::Changelog, &mut text);
            }
            out.rows.push(String::from_utf8(text).unwrap());
        }
        out.bad += rows.bad;
        out.nulled += rows.nulled;
        match decoded {
            Err(e) => {
                out.error = Some(format!("{}:{} {}", e.line, e.column, e.message));
                return out;
            }
            Ok(used) => {
                at += used;
                if used == 0 && rows.rows == 0 {
                    if last {
                        assert_eq!(at, bytes.len(), "all bytes are used in the end");
                        return out;
                    }
                    arrived = (arrived + block).min(bytes.len());
                }
            }
        }
    }
}

fn csv(list: &[(&str, &str)], columns: &[(&str, TypeKind)], text: &str) -> Outcome {
    let schema = schema(columns);
    let all: Vec<usize> = (0..schema.len()).collect();
    let format = Format::from_options("csv", options(list)).unwrap();
    run(&format, &schema, &all, text.as_bytes(), usize::MAX / 2, 1024)
}

fn json(list: &[(&str, &str)], columns: &[(&str, TypeKind)], text: &str) -> Outcome {
    let schema = schema(columns);
    let all: Vec<usize> = (0..schema.len()).collect();
    let format = Format::from_options("json", options(list)).unwrap();
    run(&format, &schema, &all, text.as_bytes(), usize::MAX / 2, 1024)
}

const IGNORE: (&str, &str) = ("ignore-parse-errors", "true");
const S: TypeKind = TypeKind::STRING;
use TypeKind::{
    BigInt, Boolean, Date, Decimal, Double, Int, SmallInt, Time, Timestamp, TimestampLtz, TinyInt,
};

const BAD_CSV: &str = "1,10,2024-03-10 10:00:00.000\n2,oops,2024-03-10 10:00:01.000\n3\n4,40,2024-03-10 10:00:03.000,extra\n\
    5,50,notatime\n\n6,60,2024-03-10 10:00:05.000\n";

#[test]
fn csv_errors_are_skipped_or_end_the_rows() {
    let columns = [("id", Int), ("v", Int), ("ts", Timestamp(3))];
    let got = csv(&[IGNORE], &columns, BAD_CSV);
    assert_eq!(
        got.rows,
        [
            "1 10 2024-03-10 10:00:00.000",
            "2 \\N 2024-03-10 10:00:01.000",
            "3 \\N \\N",
            "5 50 \\N",
            "\\N \\N \\N",
            "6 60 2024-03-10 10:00:05.000"
        ]
    );
    assert_eq!((got.bad, got.nulled, got.lines), (1, 3, vec![1, 2, 3, 5, 6, 7]));
    let got = csv(&[], &columns, BAD_CSV);
    assert_eq!(got.rows.len(), 1);
    assert_eq!(
        got.error.unwrap(),
        "2:3 Fail to deserialize at field: v. For input string: \"oops\" (not a INT)"
    );
}

#[test]
fn csv_counts_fields_by_the_columns_that_are_read() {
    let table = schema(&[("id", Int), ("v", S), ("w", S)]);
    let format = Format::from_options("csv", options(&[])).unwrap();
    let read = |columns: &[usize]| run(&format, &table, columns, b"1,a,x\n2,b\n3,c,y\n", 100, 1024);
    assert_eq!(read(&[0]).rows, ["1", "2", "3"]);
    assert_eq!(read(&[2]).rows, ["x", "\\N", "y"]);
    assert_eq!(read(&[0, 1]).rows, ["1 a", "2 b", "3 c"]);
    assert_eq!(read(&[]).rows.len(), 3);
    let all = read(&[0, 1, 2]);
    assert_eq!(
        (all.rows.len(), all.error.unwrap()),
        (1, "2:1 Row length mismatch. 3 fields expected but was 2.".into())
    );
    let one = csv(&[], &[("id", S)], "10,sales\n");
    assert_eq!(one.error.unwrap(), "1:4 Too many entries: expected at most 1 (value #1 (5 chars) \"sales\")");
}

#[test]
fn csv_numbers_and_times_are_read_as_flink_reads_them() {
    let text =
        "1, 7 ,2.50\n2,+7,1e2\n3,0x1F, 1.5 \n4,-,NaN\n5,007,1e400\n6,,\n7,99999999999,1.5f\n8,1.5,1d\n";
    let doubles = csv(&[IGNORE], &[("id", Int), ("v", Int), ("d", Double)], text);
    assert_eq!(
        doubles.rows,
        [
            "1 7 2.5",
            "2 7 100.0",
            "3 \\N 1.5",
            "4 \\N NaN",
            "5 7 Infinity",
            "6 \\N \\N",
            "7 \\N 1.5",
            "8 \\N 1.0"
        ]
    );
    let decimals = csv(&[IGNORE], &[("id", Int), ("v", BigInt), ("d", Decimal(6, 2))], text);
    assert_eq!(
        decimals.rows,
        [
            "1 7 2.50",
            "2 7 100.00",
            "3 \\N \\N",
            "4 \\N \\N",
            "5 7 \\N",
            "6 \\N \\N",
            "7 99999999999 \\N",
            "8 \\N \\N"
        ]
    );
    let text = "2024-1-2,2024-01-02 03:04:05,1:2:3\n2024-02-30,2024-02-30 03:04:05,01:02\n\
        02024-01-02, 2024-01-02 03:04:05 ,01:02:03.123456789\n2024-01-02x,2024-01-02 03:04:05.,24:00:00\n";
    let times = csv(&[IGNORE], &[("d", Date), ("t", Timestamp(9)), ("x", Time(3))], text);
    assert_eq!(
        times.rows,
        [
            "2024-01-02 2024-01-02 03:04:05.000000000 \\N",
            "2024-03-01 2024-02-29 03:04:05.000000000 01:02:00.000",
            "\\N 2024-01-02 03:04:05.000000000 01:02:03.123",
            "\\N 2024-01-02 03:04:05.000000000 \\N",
        ]
    );
    let zoned = csv(&[IGNORE], &[("t", TimestampLtz(3))], "2024-01-02 03:04:05Z\n2024-01-02 03:04:05\n");
    assert_eq!(zoned.rows, ["2024-01-02 03:04:05.000", "\\N"]);
}

#[test]
fn csv_quotes_comments_and_escapes() {
    let columns = [("id", S), ("v", S)];
    let text = "  1,a\n#c\n 2,b\n  # x\n3,\"q\" \n4,\"a\"\"b\"\t\n5,x\"y\"z\r\n6,r\r7,s,\n8,t, \n\n9,u";
    let got = csv(&[("allow-comments", "true")], &columns, text);
    assert_eq!(got.rows, ["1 a", "2 b", "3 q", "4 a\"b", "5 x\"y\"z", "6 r", "7 s", "8 t", "9 u"]);
    assert_eq!(got.lines, [1, 3, 5, 6, 7, 8, 9, 10, 12]);
    let got = csv(&[IGNORE], &columns, text);
    assert_eq!(got.rows.len(), 12);
    assert_eq!(got.rows[1], "#c \\N");
    assert_eq!(got.rows[10], " \\N");

    let columns = [("x", S), ("y", S), ("z", S)];
    let text = "a\"b,\"c\"d,e\nf,g,h\ni,\"j\nk\",l\n\"m,n\no,p,q\n";
    let got = csv(&[IGNORE], &columns, text);
    assert_eq!((got.rows, got.bad), (vec!["f g h".into(), "i j\\nk l".into()], 2));
    assert_eq!(got.lines, [2, 3]);
    let got = csv(&[], &columns, text);
    assert_eq!(
        got.error.unwrap(),
        "1:8 Unexpected character ('d' (code 100)): Expected column separator character (',' (code 44)) or end-of-line"
    );

    let text = "a\\,b,c\\nd,e\\\\\n\"f\\\"g\",h\\\ni,j\n";
    let got = csv(&[("escape-character", "\\")], &columns, text);
    assert_eq!(got.rows, ["a,b c\\nd e\\\\", "f\"g h\\ni j"]);
    let got = csv(&[], &[("x", S)], "a\n\nb\n\"\"\n\n");
    assert_eq!(got.rows, ["a", "", "b", "", ""]);
    let got = csv(&[("trim-spaces", "true")], &columns, " a , \" b \" ,c\n");
    assert_eq!(got.rows, ["a  b  c"]);
}

#[test]
fn csv_arrays_and_rows() {
    let row = TypeKind::Row(vec![Field::new("a", S.nullable()), Field::new("b", Int.nullable())]);
    let array = TypeKind::Array(Box::new(S.nullable()));
    let text = "1,a;b;;c,x;1\n2,,;\n3,n/a,n/a\n4, ,y\n5,a,y;2;3\n6,\"p;q\",z;n/a\n";
    let got = csv(&[IGNORE, ("null-literal", "n/a")], &[("id", Int), ("v", array), ("r", row)], text);
    assert_eq!(
        got.rows,
        [
            r#"1 ["a","b","","c"] {"a":"x","b":1}"#,
            r#"2 [] {"a":"","b":null}"#,
            r#"3 [null] {"a":null,"b":null}"#,
            r#"4 [] {"a":"y","b":null}"#,
            r#"5 ["a"] {"a":"y","b":2}"#,
            r#"6 ["p","q"] {"a":"z","b":null}"#,
        ]
    );
}

const ODD_JSON: &str = r#"{"id":1,"s":{"a": [1, 2.50, "x\u00e9\n"], "b":null},"v":{"a":1},"w":"z"}
{"id":2,"s":1.50,"v":"true","w":[1]}
{"id":3,"s":true,"v":1,"w":"a\tb","id":4}
  {"id":5}  trailing

{"id":6,"v":[1,2],"w":"after"}
{"w":"x","id":"7","v":"8","s":"\ud83d\ude00"}
{"id":08}
{"id":1.9e1,"v":2147483648}
{"id":-5.9,"v":1e3,"w":nul}
{"id":11,,"v":1}
{"id":12 "v":1}
{"id":13,"v":1,}
{id:14}
{"id":15,"id":16,"v":3}
[{"id":17}]
{"id":18,"s":"raw	tab"}
{"id":19,"v":""}
{"id":20,"v":" 5 "}
"#;

#[test]
fn json_values_of_the_wrong_form_do_what_they_do_in_flink() {
    let rows = |columns: &[(&str, TypeKind)]| json(&[IGNORE], columns, ODD_JSON).rows;
    assert_eq!(
        rows(&[("id", Int), ("s", S), ("v", Int), ("w", S)]),
        [
            r#"1 {"a":[1,2.5,"xé\\n"],"b":null} \N \N"#,
            r"2 1.50 \N [1]",
            r"3 true 1 a\tb",
            r"5 \N \N \N",
            r"7 😀 8 x",
            r"19 \N \N \N",
            r"16 \N 3 \N",
            r"17 \N \N \N",
            r"18 raw\ttab \N \N",
            r"19 \N \N \N",
            r"20 \N 5 \N"
        ]
    );
    let booleans = rows(&[("id", Int), ("s", S), ("v", Boolean), ("w", S)]);
    assert_eq!(booleans[0], r#"1 {"a":[1,2.5,"xé\\n"],"b":null} false \N"#);
    assert_eq!(booleans[1..3], [r"2 1.50 true [1]", r"3 true false a\tb"]);
    let small = rows(&[("id", BigInt), ("v", TinyInt), ("w", TypeKind::Array(Box::new(Int.nullable())))]);
    assert_eq!(small[..4], [r"1 \N \N", r"2 \N [1]", r"3 1 \N", r"5 \N \N"]);
    let row = TypeKind::Row(vec![Field::new("a", S.nullable()), Field::new("b", Int.nullable())]);
    let nested = rows(&[("id", Double), ("s", Decimal(5, 1)), ("v", row), ("w", S)]);
    assert_eq!(nested[..3], [r"1.0 \N \N \N", r"2.0 1.5 \N [1]", r"3.0 \N \N a\tb"]);
    let map = TypeKind::Map(Box::new(S.not_null()), Box::new(Int.nullable()));
    let maps = rows(&[("id", Int), ("v", map), ("w", S)]);
    assert_eq!(maps[..3], [r#"1 {"a":1} z"#, r"2 \N [1]", r"3 \N a\tb"]);
}

#[test]
fn json_errors_name_the_field() {
    let bad = "{\"id\":1,\"v\":10}\n{\"id\":2,\"v\":\"oops\"}\n{\"id\":3\n{\"v\":4}\n{\"id\":5,\"v\":5.9,\"more\":[1]}\n[]\n{\"id\":\"6\",\"v\":\"60\"}\n";
    let columns = [("id", Int), ("v", Int)];
    let got = json(&[IGNORE], &columns, bad);
    assert_eq!(got.rows, ["1 10", "2 \\N", "\\N 4", "5 5", "6 60"]);
    assert_eq!((got.bad, got.nulled, got.lines), (1, 1, vec![1, 2, 4, 5, 7]));
    let got = json(&[], &columns, bad);
    assert_eq!(got.rows, ["1 10"]);
    assert_eq!(
        got.error.unwrap(),
        "2:14 Fail to deserialize at field: v. For input string: \"oops\" (not a INT)"
    );
    let got = json(&[("fail-on-missing-field", "true")], &columns, "{\"v\":4}\n");
    assert_eq!(got.error.unwrap(), "1:7 Some field is missing in the JSON data.");
    let row = TypeKind::Row(vec![Field::new("a", TypeKind::Array(Box::new(SmallInt.nullable())).nullable())]);
    let got =
        json(&[], &[("r", row)], "{\"r\":{\"a\":[1]}}\n{\"r\":{\"a\":[1,2]}}\n{\"r\":{\"a\":[3,70000]}}\n");
    assert_eq!(got.rows.len(), 2);
    assert_eq!(
        got.error.unwrap(),
        "3:14 Fail to deserialize at field: r. In r.a: Value out of range. Value:\"70000\" for type SMALLINT"
    );
}

#[test]
fn json_arrays_of_records() {
    let text = "[]\n[{\"id\":1},{\"id\":2,\"v\":\"x\"},{\"id\":3}]\n{\"id\":4}\n[{\"id\":5},7]\n";
    let columns = [("id", Int), ("v", Int)];
    let got = json(&[IGNORE], &columns, text);
    assert_eq!(got.rows, ["1 \\N", "2 \\N", "3 \\N", "4 \\N", "5 \\N"]);
    assert_eq!(got.lines, [2, 2, 2, 3, 4]);
    let got = json(&[], &[("id", Int)], text);
    assert_eq!(got.rows, ["1", "2", "3", "4"]);
    assert_eq!(got.error.unwrap(), "4:11 Illegal JSON object data...");
}

#[test]
fn json_maps_binary_and_times() {
    let map = TypeKind::Map(Box::new(S.not_null()), Box::new(Int.nullable()));
    let text = "{\"id\":1,\"m\":{\"a\":1,\"a\":2,\"b\":null},\"b\":\"AQI=\",\"z\":1}\n{\"id\":2,\"m\":{\"a\":\"x\"},\"b\":\"A\"}\n{\"id\":3,\"m\":{},\"b\":12}\n";
    let got = json(&[IGNORE], &[("id", Int), ("m", map), ("b", TypeKind::BYTES)], text);
    assert_eq!(got.rows, [r#"1 {"a":2,"b":null} x'0102'"#, r"3 {} \N"]);
    let text = r#"{"d":"2024-02-30","t":"2024-02-30 03:04:05","x":"01:02:03.5","l":"2024-01-02 03:04:05Z"}
{"d":"2024-01-02","t":"2024-01-02T03:04:05","x":"01:02","l":"2024-01-02 03:04:05"}
{"d":" 2024-01-02","t":" 2024-01-02 03:04:05","x":"24:00:00","l":"2024-01-02 03:04:05.123456789Z"}
{"d":"2024-1-2","t":"2024-01-02 24:00:00","x":"1:2:3","l":"2024-01-02T03:04:05Z"}
{"d":"+12024-01-02","t":"2024-01-02 03:04:60","x":"01:02:03.123456789","l":5}
"#;
    let columns = [("d", Date), ("t", Timestamp(9)), ("x", Time(3)), ("l", TimestampLtz(9))];
    let got = json(&[IGNORE], &columns, text);
    assert_eq!(
        got.rows,
        [
            "\\N 2024-02-29 03:04:05.000000000 01:02:03.500 2024-01-02 03:04:05.000000000",
            "2024-01-02 \\N \\N \\N",
            "\\N \\N 00:00:00.000 2024-01-02 03:04:05.123456789",
            "\\N 2024-01-03 00:00:00.000000000 \\N \\N",
            "\\N \\N 01:02:03.123 \\N"
        ]
    );
    let iso = json(&[IGNORE, ("timestamp-format.standard", "ISO-8601")], &columns, text);
    assert_eq!(iso.rows[1], "2024-01-02 2024-01-02 03:04:05.000000000 \\N \\N");
    assert_eq!(iso.rows[3], "\\N \\N \\N 2024-01-02 03:04:05.000000000");
}

#[test]
fn block_borders_and_batch_sizes_do_not_show() {
    let csv_text = "  1,a\n#c\n 2,\"b\nb\"\r\n3,\"q\" \n4,\"a\"\"b\"\t\n5,x\"y\"z\r\n6,r\r7,s,\n8,t, \n\n9,\\,u\\\\,z\n10,é";
    let table = schema(&[("id", S), ("v", S)]);
    for list in [&[IGNORE][..], &[IGNORE, ("allow-comments", "true"), ("escape-character", "\\")], &[]] {
        let format = Format::from_options("csv", options(list)).unwrap();
        let whole = run(&format, &table, &[0, 1], csv_text.as_bytes(), 10_000, 1024);
        for block in 1..csv_text.len() {
            for max_rows in [1, 2, 7] {
                let got = run(&format, &table, &[0, 1], csv_text.as_bytes(), block, max_rows);
                assert_eq!(got, whole, "block {block}, {max_rows} rows, {list:?}");
            }
        }
    }
    let table = schema(&[("id", Int), ("s", S), ("v", Boolean), ("w", S)]);
    let format = Format::from_options("json", options(&[IGNORE])).unwrap();
    let whole = run(&format, &table, &[0, 1, 2, 3], ODD_JSON.as_bytes(), 10_000, 1024);
    for block in 1..100 {
        for max_rows in [1, 2, 7] {
            assert_eq!(run(&format, &table, &[0, 1, 2, 3], ODD_JSON.as_bytes(), block, max_rows), whole);
        }
    }
}

#[test]
fn text_that_is_not_utf8_is_an_error_of_its_record() {
    let table = schema(&[("id", Int), ("s", S)]);
    for (name, text) in [
        ("csv", &b"1,a\n2,\xff\n3,c\n"[..]),
        ("json", b"{\"id\":1,\"s\":\"a\"}\n{\"id\":2,\"s\":\"\xff\"}\n{\"id\":3,\"s\":\"c\"}\n"),
    ] {
        let strict = Format::from_options(name, options(&[])).unwrap();
        let got = run(&strict, &table, &[0, 1], text, 5, 1024);
        assert_eq!(
            (got.rows.len(), got.error.unwrap().as_str()),
            (1, "2:1 Invalid UTF-8 in the record"),
            "{name}"
        );
        let lenient = Format::from_options(name, options(&[IGNORE])).unwrap();
        let got = run(&lenient, &table, &[0, 1], text, 5, 1024);
        assert_eq!((got.rows, got.bad), (vec!["1 a".into(), "3 c".into()], 1), "{name}");
    }
}

/// What an encoder makes of rows given as JSON lines.
fn written(format: &str, list: &[(&str, &str)], columns: &[(&str, TypeKind)], rows: &str) -> String {
    let table = schema(columns);
    let all: Vec<usize> = (0..table.len()).collect();
    let reader = Format::from_options("json", options(&[])).unwrap();
    let mut decoded = Rows::default();
    decoded.start(columns.iter().map(|c| ColumnRef::new(Column::of_kind(&c.1))).collect());
    reader.decoder(&table, &all).decode(rows.as_bytes(), true, 1024, &mut 1, &mut decoded).unwrap();
    let batch = Batch::new(decoded.columns, decoded.rows);
    let mut encoder = Format::from_options(format, options(list)).unwrap().encoder(&table, &all);
    let mut out = vec![];
    for row in 0..batch.rows() {
        if let Err(e) = encoder.encode(&batch, row, &mut out) {
            out.extend_from_slice(format!("error: {e}\n").as_bytes());
        }
    }
    String::from_utf8(out).unwrap()
}

const NUMBERS: &[(&str, TypeKind)] = &[
    ("a", Decimal(10, 2)),
    ("b", Decimal(20, 0)),
    ("c", Double),
    ("d", TypeKind::Float),
    ("e", S),
    ("g", TypeKind::BYTES),
    ("h", Time(3)),
    ("i", TimestampLtz(3)),
    ("j", Timestamp(9)),
    ("k", Date),
];

const NUMBER_ROWS: &str = r#"{"a":100,"b":100000,"c":1e7,"d":1.1,"e":"","g":"AQI=","h":"10:00:00","i":"1970-01-01 00:00:00.005Z","j":"2024-01-01 00:00:00","k":"2024-01-01"}
{"a":0,"b":120,"c":1e-5,"d":1,"e":"é€/\\b","g":"","h":"10:00:01.5","i":"1970-01-01 00:00:00Z","j":"2024-01-01 00:00:00.123456789","k":"0001-01-01"}
{"a":-1.5,"b":-5,"c":123456789.125,"d":0,"e":"a\u0001\u007f\u2028","g":"/w==","h":"00:00:00","i":"1970-01-01 00:00:01Z","j":"2024-01-01 10:00:00.12","k":null}
{"a":0.01,"b":-500,"c":1,"d":1.5,"e":"a\u001f\"600","g":"/+4=","h":"00:00:00","i":"1970-01-01 00:00:01Z","j":"2024-01-01 10:00:00.12","k":"2024-01-01"}
"#;

#[test]
fn json_is_written_as_flink_writes_it() {
    assert_eq!(
        written("json", &[], NUMBERS, NUMBER_ROWS),
        [
            r#"{"a":1E+2,"b":1E+5,"c":1.0E7,"d":1.1,"e":"","g":"AQI=","h":"10:00:00","i":"1970-01-01 00:00:00.005Z","j":"2024-01-01 00:00:00","k":"2024-01-01"}"#,
            r#"{"a":0,"b":1.2E+2,"c":1.0E-5,"d":1.0,"e":"é€/\\b","g":"","h":"10:00:01.5","i":"1970-01-01 00:00:00Z","j":"2024-01-01 00:00:00.123456789","k":"0001-01-01"}"#,
            "{\"a\":-1.5,\"b\":-5,\"c\":1.23456789125E8,\"d\":0.0,\"e\":\"a\\u0001\u{7f}\u{2028}\",\"g\":\"/w==\",\"h\":\"00:00:00\",\"i\":\"1970-01-01 00:00:01Z\",\"j\":\"2024-01-01 10:00:00.12\",\"k\":null}",
            r#"{"a":0.01,"b":-5E+2,"c":1.0,"d":1.5,"e":"a\u001F\"600","g":"/+4=","h":"00:00:00","i":"1970-01-01 00:00:01Z","j":"2024-01-01 10:00:00.12","k":"2024-01-01"}"#,
            ""
        ]
        .join("\n")
    );
    let plain = [
        ("encode.decimal-as-plain-number", "true"),
        ("encode.ignore-null-fields", "true"),
        ("timestamp-format.standard", "ISO-8601"),
    ];
    let out = written("json", &plain, NUMBERS, NUMBER_ROWS);
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with(r#"{"a":100.00,"b":100000,"c":1.0E7"#), "{}", lines[0]);
    assert!(
        lines[1].starts_with(r#"{"a":0.00,"b":120,"#)
            && lines[1].contains(r#""j":"2024-01-01T00:00:00.123456789""#)
    );
    assert!(
        lines[2].ends_with(r#""i":"1970-01-01T00:00:01Z","j":"2024-01-01T10:00:00.12"}"#),
        "{}",
        lines[2]
    );
}

#[test]
fn json_maps_are_written_by_the_null_keys_mode() {
    let mut keys = Column::of_kind(&S);
    let mut values = Column::of_kind(&Int);
    for (k, v) in [(Some("x"), 1), (None, 2)] {
        keys.validity.push(k.is_some());
        keys.byte_column_mut().push(k.unwrap_or_default().as_bytes());
        values.validity.push(true);
        values.buffer_mut::<i32>().push(v);
    }
    let kind = TypeKind::Map(Box::new(S.nullable()), Box::new(Int.nullable()));
    let mut map = Column::of_kind(&kind);
    map.validity.push(true);
    let crate::batch::ColumnData::Map { offsets, keys: k, values: v } = &mut map.data else { panic!() };
    offsets.push(2);
    (**k, **v) = (keys, values);
    let batch = Batch::new(vec![ColumnRef::new(map)], 1);
    let write = |list: &[(&str, &str)]| {
        let table = schema(&[("m", kind.clone())]);
        let mut out = vec![];
        let mut encoder = Format::from_options("json", options(list)).unwrap().encoder(&table, &[0]);
        encoder.encode(&batch, 0, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    assert!(write(&[]).unwrap_err().contains("map-null-key.mode"));
    assert_eq!(write(&[("map-null-key.mode", "DROP")]).unwrap(), "{\"m\":{\"x\":1}}\n");
    assert_eq!(write(&[("map-null-key.mode", "LITERAL")]).unwrap(), "{\"m\":{\"x\":1,\"null\":2}}\n");
}

#[test]
fn csv_is_written_as_flink_writes_it() {
    let numbers: Vec<_> = NUMBERS[..9].to_vec();
    let rows = NUMBER_ROWS
        .replace(r#","k":"2024-01-01""#, "")
        .replace(r#","k":"0001-01-01""#, "")
        .replace(r#","k":null"#, "");
    let out = written("csv", &[], &numbers, &rows);
    assert_eq!(
        out.lines().take(2).collect::<Vec<_>>(),
        [
            "1E+2,1E+5,1.0E7,1.1,,AQI=,10:00:00,\"1970-01-01 00:00:00.005Z\",\"2024-01-01 00:00:00\"",
            "0,1.2E+2,1.0E-5,1.0,\"é€/\\b\",,10:00:01.5,\"1970-01-01 00:00:00Z\",\"2024-01-01 00:00:00.123456789\""
        ]
    );
    let two = [("a", S), ("b", S)];
    let text = |list: &[(&str, &str)], rows: &str| written("csv", list, &two, rows);
    assert_eq!(
        text(
            &[],
            "{\"a\":\"abcdefghijklmnopqrstuvwx\",\"b\":\"abcdefghijklmnopqrstuvwxy\"}\n{\"a\":\"a\\\\b\",\"b\":\"a.b/c\"}\n{\"a\":\"#x\",\"b\":\"n\\\"\"}\n{\"a\":\" x\",\"b\":\"a;b\"}\n{\"a\":\"x,y\",\"b\":\"a-b_c'd\"}\n"
        ),
        "abcdefghijklmnopqrstuvwx,\"abcdefghijklmnopqrstuvwxy\"\n\"a\\b\",a.b/c\n\"#x\",\"n\"\"\"\n\" x\",a;b\n\"x,y\",\"a-b_c'd\"\n"
    );
    let pipe = [("field-delimiter", "|"), ("null-literal", "NIL")];
    assert_eq!(
        text(&pipe, "{\"a\":\"{x\",\"b\":\"}\"}\n{\"a\":\"NIL\"}\n{\"a\":\"~\",\"b\":\"é\"}\n"),
        "\"{x\"|}\n\"NIL\"|NIL\n~|é\n"
    );
    assert_eq!(
        text(&[("disable-quote-character", "true")], "{\"a\":\"a\\\"b\",\"b\":\"a,b\"}\n"),
        "a\"b,a,b\n"
    );
    assert_eq!(text(&[("quote-character", "'")], "{\"a\":\"a\\\"b\",\"b\":\"it's\"}\n"), "'a\"b','it''s'\n");
    let array = TypeKind::Array(Box::new(S.nullable()));
    let arrays = written(
        "csv",
        &[("escape-character", "\\"), ("array-element-delimiter", "+")],
        &[("a", S), ("r", array)],
        "{\"a\":\"a\\\"b\",\"r\":[\"x\",\"y\\\"z\",\"p,q\"]}\n{\"a\":\"a\\\\b\",\"r\":[null,\"\"]}\n{\"a\":\"-\",\"r\":[\"x y\"]}\n",
    );
    assert_eq!(arrays, "\"a\"\"b\",\"x+y\"\"z+p,q\"\n\"a\\\\b\",\"+\"\n-,\"x y\"\n");
}

#[test]
fn changes_come_the_same_however_the_bytes_arrive() {
    let schema = schema(&[("id", Int), ("k", S), ("v", Int)]);
    let debezium = "{\"before\":null,\"after\":{\"id\":1,\"k\":\"a\"},\"op\":\"c\"}\n\n\
        {\"op\":\"u\",\"before\":{\"id\":1,\"k\":\"a\"},\"after\":{\"id\":1,\"v\":7}}\n{\"op\":\"d\",\"before\":{\"id\":1,\"v\":7}}";
    // A name that stands in any of the old rows counts for all of them, as in Flink.
    let canal = "{\"table\":\"x\",\"type\":\"INSERT\",\"data\":[{\"id\":[]}]}\n\
        {\"table\":\"t\",\"type\":\"UPDATE\",\"data\":[{\"id\":1,\"k\":\"b\"},{\"id\":2,\"v\":3}],\"old\":[{\"k\":\"a\"},{\"id\":5}]}\n\
        {\"table\":\"x\",\"type\":\"?\"}\n{\"data\":[],\"type\":\"DELETE\",\"table\":\"t\"}\n{\"type\":\"DELETE\",\"table\":\"t\",\"data\":[{\"id\":2}]}\n";
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a [&'a str], &'a [u64]);
    let cases: [Case<'_>; 2] = [
        ("debezium-json", &[], debezium, &["1 a \\N", "1 a \\N", "1 \\N 7", "1 \\N 7"], &[1, 3, 3, 4]),
        (
            "canal-json",
            &[("table.include", "t|u")],
            canal,
            &["\\N a \\N", "1 b \\N", "5 \\N 3", "2 \\N 3", "2 \\N \\N"],
            &[2, 2, 2, 2, 5],
        ),
    ];
    for (name, list, text, rows, lines) in cases {
        let format = Format::from_options(name, options(list)).unwrap();
        let all = run(&format, &schema, &[0, 1, 2], text.as_bytes(), usize::MAX / 2, 1024);
        assert_eq!(
            (all.rows.iter().map(String::as_str).collect::<Vec<_>>(), &all.error),
            (rows.to_vec(), &None)
        );
        assert_eq!(all.lines, lines);
        for (block, max_rows) in [(1, 1), (7, 1024), (64, 2), (1000, 3)] {
            assert_eq!(
                run(&format, &schema, &[0, 1, 2], text.as_bytes(), block, max_rows),
                all,
                "{name} {block}"
            );
        }
    }
}

#[test]
fn a_corrupt_change_is_told_with_its_line() {
    let schema = schema(&[("id", Int)]);
    let told = |name: &str, text: &str| {
        let format = Format::from_options(name, options(&[])).unwrap();
        run(&format, &schema, &[0], text.as_bytes(), 1000, 1024).error.unwrap()
    };
    assert_eq!(
        told("debezium-json", "{\"after\":{\"id\":1},\"op\":\"c\"}\n{\"after\":{\"id\":1},\"op\":\"x\"}"),
        "2:1 Corrupt Debezium JSON message: Unknown \"op\" value \"x\""
    );
    let e = told("debezium-json", "{\"after\":{\"id\":1},\"op\":\"u\"}");
    assert!(e.contains("\"before\" is null or missing") && e.contains("REPLICA IDENTITY"), "{e}");
    let e = told("canal-json", "{\"data\":[{\"id\":1},null],\"type\":\"INSERT\"}");
    assert_eq!(e, "1:1 Corrupt Canal JSON message: a row of \"data\" is null");
    let e = told("maxwell-json", "{\"data\":{\"id\":1}}");
    assert_eq!(e, "1:1 Corrupt Maxwell JSON message: \"type\" is missing");
    let e = told("ogg-json", "{\"after\":{\"id\":\"x\"},\"op_type\":\"I\"}");
    assert!(e.starts_with("1:17 Fail to deserialize at field: after."), "{e}");
}

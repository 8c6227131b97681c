//! Tests that hold for every function: values asked of Flink, and that batches, selections and constants change nothing.

use super::*;
use crate::batch::text::{Style, write_value};
use crate::batch::{ColumnRef, Pool, Sel, Watermarks};
use crate::error::Span;
use crate::expr::build::{call, cast, fold};
use crate::expr::{EvalContext, Expr, Program, RowError, Session};
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// A column of `kind` from texts, `None` being NULL.
pub(crate) fn column(kind: &TypeKind, texts: &[Option<&str>]) -> ColumnRef {
    let ty = TypeKind::STRING.nullable();
    let mut c = Column::new(&ty);
    for t in texts {
        c.validity.push(t.is_some());
        c.byte_column_mut().push(t.unwrap_or("").as_bytes());
    }
    let text = Expr::column(0, ty, Span::default());
    let e = cast(text, &kind.clone().nullable(), false, &Session::default()).unwrap();
    run(&e, vec![ColumnRef::new(c)]).unwrap()
}

pub(super) fn run(e: &Expr, columns: Vec<ColumnRef>) -> Result<ColumnRef, RowError> {
    let rows = columns.first().map_or(1, |c| c.len());
    select(e, columns, rows, Sel::All(rows))
}

fn select(e: &Expr, columns: Vec<ColumnRef>, rows: usize, sel: Sel<'_>) -> Result<ColumnRef, RowError> {
    let (mut pool, wm) = (Pool::default(), Watermarks::default());
    let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &wm };
    Program::new(e).eval_column(&columns, rows, sel, &mut cx)
}

pub(super) fn show(c: &Column, row: usize, ty: &DataType) -> String {
    let mut out = Vec::new();
    write_value(c, row, ty, &TimeZone::UTC, Style::Changelog, &mut out);
    String::from_utf8(out).unwrap()
}

/// A literal written as `TYPE:text`; `TYPE:` alone is the empty text, `TYPE:\N` NULL.
pub(super) fn literal(text: &str) -> Expr {
    let (kind, value) = text.split_once(':').unwrap_or(("STRING", text));
    let kind = kind_of(kind);
    let c = column(&kind, &[(value != "\\N").then_some(value)]);
    let ty = if value == "\\N" { kind.nullable() } else { kind.not_null() };
    Expr::literal(c, ty, Span::default())
}

fn kind_of(name: &str) -> TypeKind {
    let (base, rest) = name.split_once('(').unwrap_or((name, ""));
    let numbers: Vec<u32> =
        rest.trim_end_matches(')').split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let n = |i: usize| numbers.get(i).copied().unwrap_or(0);
    match base {
        "BOOLEAN" => TypeKind::Boolean,
        "TINYINT" => TypeKind::TinyInt,
        "SMALLINT" => TypeKind::SmallInt,
        "INT" => TypeKind::Int,
        "BIGINT" => TypeKind::BigInt,
        "FLOAT" => TypeKind::Float,
        "DOUBLE" => TypeKind::Double,
        "DECIMAL" => TypeKind::Decimal(n(0) as u8, n(1) as u8),
        "STRING" => TypeKind::STRING,
        "CHAR" => TypeKind::Char(n(0)),
        "VARCHAR" => TypeKind::VarChar(n(0)),
        "BYTES" => TypeKind::BYTES,
        "DATE" => TypeKind::Date,
        "TIME" => TypeKind::Time(n(0) as u8),
        "TIMESTAMP" => TypeKind::Timestamp(n(0) as u8),
        "TIMESTAMP_LTZ" => TypeKind::TimestampLtz(n(0) as u8),
        _ => panic!("{name}"),
    }
}

/// Evaluates a call over literals (so it folds) and over one-row columns; both must agree. Gives type and value.
pub(super) fn eval(name: &str, args: &[&str]) -> (String, String) {
    let (r, s) = (builtin(), Session::default());
    let literals: Vec<Expr> = args.iter().map(|a| literal(a)).collect();
    let folded =
        call(&r, name, literals.clone(), &s, Span::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (a, ty) = (run(&folded, vec![]), folded.ty.clone());
    let show_result = |v: Result<ColumnRef, RowError>| match v {
        Ok(c) => show(&c, 0, &ty),
        Err(e) => format!("!{}", e.error.message()),
    };
    (ty.to_string(), show_result(a))
}

/// `name(args…) = value`, or its error after a `!`.
pub(super) fn check(name: &str, args: &[&str], ty: &str, value: &str) {
    let got = eval(name, args);
    assert_eq!((got.0.as_str(), got.1.as_str()), (ty, value), "{name}({})", args.join(", "));
}

#[test]
fn arithmetic_gives_flinks_values() {
    // conformance: types/int_overflow_wraps, int_division_and_modulo, decimal_*, float_double_specials
    check("+", &["TINYINT:127", "TINYINT:127"], "TINYINT NOT NULL", "-2");
    check("+", &["INT:2147483647", "INT:1"], "INT NOT NULL", "-2147483648");
    check("*", &["SMALLINT:-32768", "SMALLINT:-32768"], "SMALLINT NOT NULL", "0");
    check("-", &["INT:-2147483648"], "INT NOT NULL", "-2147483648");
    check("/", &["INT:-7", "INT:3"], "INT NOT NULL", "-2");
    check("%", &["INT:-7", "INT:3"], "INT NOT NULL", "-1");
    check("MOD", &["BIGINT:7", "INT:-4"], "INT NOT NULL", "3");
    check("/", &["INT:1", "INT:0"], "INT NOT NULL", "!/ by zero");
    check("/", &["INT:\\N", "INT:0"], "INT", "\\N");
    check("/", &["DECIMAL(10,2):1", "DECIMAL(38,18):0"], "DECIMAL(38, 12) NOT NULL", "!Division by zero");
    check("/", &["DOUBLE:1", "INT:0"], "DOUBLE NOT NULL", "Infinity");
    check("+", &["FLOAT:0.1", "DOUBLE:0.1"], "FLOAT NOT NULL", "0.2");
    check(
        "+",
        &["DECIMAL(10,2):12345678.91", "DECIMAL(5,4):1.2345"],
        "DECIMAL(13, 4) NOT NULL",
        "12345680.1445",
    );
    check("+", &["DECIMAL(38,10):-0.01", "DECIMAL(38,2):-10"], "DECIMAL(38, 6) NOT NULL", "-10.010000");
    check("*", &["DECIMAL(30,10):-0.01", "DECIMAL(30,10):-9.9999"], "DECIMAL(38, 6) NOT NULL", "0.099999");
    check("*", &["DECIMAL(4,3):0.908", "BIGINT:1000"], "DECIMAL(24, 3) NOT NULL", "908.000");
    check("/", &["DECIMAL(10,2):-1.01", "INT:3"], "DECIMAL(21, 13) NOT NULL", "-0.3366666666667");
    check("%", &["DECIMAL(10,2):-10.25", "DECIMAL(5,3):3"], "DECIMAL(5, 3) NOT NULL", "-1.250");
    check("-", &["DECIMAL(10,2):1.00", "INT:2"], "DECIMAL(13, 2) NOT NULL", "-1.00");
    check(
        "*",
        &["DECIMAL(38,0):123456789012346", "DECIMAL(38,0):100000000000000000000"],
        "DECIMAL(38, 0) NOT NULL",
        "12345678901234600000000000000000000",
    );
    check(
        "*",
        &["DECIMAL(38,0):123456789012346000000", "DECIMAL(38,0):100000000000000000000"],
        "DECIMAL(38, 0) NOT NULL",
        "\\N",
    );
}

#[test]
fn comparisons_give_flinks_values() {
    check("=", &["CHAR(2):ab", "CHAR(3):ab "], "BOOLEAN NOT NULL", "false");
    check("<", &["INT:1", "DECIMAL(3,2):1.01"], "BOOLEAN NOT NULL", "true");
    check("=", &["DECIMAL(38,0):1", "DECIMAL(38,38):0.1"], "BOOLEAN NOT NULL", "false");
    check(">", &["DOUBLE:NaN", "DOUBLE:1"], "BOOLEAN NOT NULL", "false");
    check("=", &["DOUBLE:NaN", "DOUBLE:NaN"], "BOOLEAN NOT NULL", "false");
    check("=", &["DOUBLE:-0.0", "DOUBLE:0"], "BOOLEAN NOT NULL", "true");
    check("=", &["TIMESTAMP(0):2024-02-29 00:00:00", "TIMESTAMP(9):2024-02-29"], "BOOLEAN NOT NULL", "true");
    check(
        "<",
        &["TIMESTAMP(3):2024-02-29", "TIMESTAMP(9):2024-02-29 00:00:00.000000001"],
        "BOOLEAN NOT NULL",
        "true",
    );
    check("=", &["DATE:2024-02-29", "STRING:2024-02-29"], "BOOLEAN NOT NULL", "true");
    check("=", &["INT:\\N", "INT:1"], "BOOLEAN", "\\N");
    check("IS DISTINCT FROM", &["INT:\\N", "INT:1"], "BOOLEAN NOT NULL", "true");
    check("IS NOT DISTINCT FROM", &["INT:\\N", "BIGINT:\\N"], "BOOLEAN NOT NULL", "true");
    check("IS NULL", &["STRING:\\N"], "BOOLEAN NOT NULL", "true");
    check("IS NOT TRUE", &["BOOLEAN:\\N"], "BOOLEAN NOT NULL", "true");
    check("IS UNKNOWN", &["BOOLEAN:\\N"], "BOOLEAN NOT NULL", "true");
    check("NOT", &["BOOLEAN:\\N"], "BOOLEAN", "\\N");
    check("IN", &["INT:3", "INT:1", "BIGINT:3"], "BOOLEAN NOT NULL", "true");
    check("IN", &["INT:3", "INT:1", "INT:\\N"], "BOOLEAN", "\\N");
    check("IN", &["STRING:b", "CHAR(1):a", "CHAR(2):bc"], "BOOLEAN NOT NULL", "false");
    check("IN", &["DECIMAL(10,2):1.00", "INT:1", "INT:2"], "BOOLEAN NOT NULL", "true");
    check("IN", &["DATE:2024-02-29", "STRING:2024-02-29"], "BOOLEAN NOT NULL", "true");
}

#[test]
fn what_flink_refuses_is_refused() {
    let (r, s) = (builtin(), Session::default());
    for (name, args) in [
        ("=", ["INT:1", "STRING:1"]),
        ("=", ["BOOLEAN:true", "INT:1"]),
        ("<", ["DATE:2024-01-01", "TIMESTAMP(3):2024-01-01"]),
        ("+", ["INT:1", "STRING:1"]),
        ("+", ["INT:1", "BOOLEAN:true"]),
        ("%", ["DOUBLE:1", "INT:1"]),
        ("-", ["DATE:2024-01-01", "DATE:2024-01-01"]),
        ("*", ["INT:1", "BOOLEAN:true"]),
    ] {
        let args = args.iter().map(|a| literal(a)).collect();
        assert!(call(&r, name, args, &s, Span::default()).is_err_and(|e| e.is_config()), "{name}");
    }
    let e = call(&r, "FROBNICATE", vec![literal("INT:1")], &s, Span::default()).unwrap_err();
    assert_eq!(e.message(), "No match found for function signature FROBNICATE(<INT>)");
}

#[test]
fn strings_give_flinks_values() {
    // conformance: functions/string_*, split_index_and_split, regexp_*
    let s = "STRING NOT NULL";
    check("||", &["CHAR(2):ab", "CHAR(3):c  "], "CHAR(5) NOT NULL", "abc  ");
    check("||", &["CHAR(2):ab", "VARCHAR(7):c"], "VARCHAR(9) NOT NULL", "abc");
    check("CONCAT_WS", &["CHAR(1):~", "STRING:a", "STRING:\\N", "STRING:b"], "STRING", "a~b");
    check("UPPER", &["STRING:Straße ÄÖÜ"], s, "STRASSE ÄÖÜ");
    check("INITCAP", &["STRING:Straße ÄÖÜ"], s, "StraßE ÄÖÜ");
    check("TRIM", &["CHAR(4):BOTH", "CHAR(1): ", "VARCHAR(9):  xyx "], "VARCHAR(9) NOT NULL", "xyx");
    check("TRIM", &["CHAR(7):LEADING", "CHAR(1):x", "STRING:xx"], s, "");
    check("BTRIM", &["STRING:yxx", "CHAR(2):xy"], s, "");
    for (args, want) in [
        (vec!["STRING:abcde", "INT:2"], "bcde"),
        (vec!["STRING:日本語", "INT:2", "INT:2"], "本語"),
        (vec!["STRING:abcde", "INT:0"], "abcde"),
        (vec!["STRING:abcde", "INT:-2", "INT:1"], "d"),
        (vec!["STRING:x", "INT:-2"], ""),
        (vec!["STRING:abcde", "INT:4", "INT:100"], "de"),
        (vec!["STRING:abcde", "INT:2", "INT:-1"], "\\N"),
    ] {
        check("SUBSTRING", &args, "STRING", want);
    }
    check("LEFT", &["VARCHAR(5):日本語", "INT:2"], "VARCHAR(5)", "日本");
    check("RIGHT", &["VARCHAR(5):日本語", "INT:2"], "VARCHAR(5)", "本語");
    check("CHAR_LENGTH", &["STRING:日本語"], "INT NOT NULL", "3");
    check("POSITION", &["CHAR(1):l", "STRING:hello"], "INT NOT NULL", "3");
    check("LOCATE", &["CHAR(1):l", "STRING:hello", "INT:4"], "INT NOT NULL", "4");
    check("REPLACE", &["STRING:hello world", "CHAR(1):l", "CHAR(1):L"], s, "heLLo worLd");
    check("SPLIT_INDEX", &["STRING:a,b,,c", "CHAR(1):,", "INT:2"], "STRING", "");
    check("SPLIT_INDEX", &["STRING:a,b", "INT:44", "INT:1"], "STRING", "b");
    check("SPLIT_INDEX", &["STRING:a,b", "CHAR(1):,", "INT:9"], "STRING", "\\N");
    check("LPAD", &["STRING:xx", "INT:6", "CHAR(2):ab"], s, "ababxx");
    check(
        "RPAD",
        &["STRING:  xyx ", "INT:5", "STRING:"],
        s,
        "!a negative length or an empty pad gives NULL for a value that is NOT NULL",
    );
    check("RPAD", &["STRING:x", "INT:\\N", "STRING:-"], "STRING", "\\N");
    check("REVERSE", &["STRING:Straße"], "STRING", "eßartS");
    check("OVERLAY", &["STRING:hello world", "CHAR(2):##", "INT:2", "INT:3"], s, "h##o world");
    check("TRANSLATE", &["STRING: xyab ", "CHAR(2):xy", "CHAR(1):z"], s, " zab ");
    check("CHR", &["INT:66"], "STRING", "B");
    check("LIKE", &["STRING:hello", "STRING:h_l%"], "BOOLEAN NOT NULL", "true");
    check(
        "REGEXP_EXTRACT",
        &["STRING:a&channel_id=7x&b", "STRING:(&|^)channel_id=([^&]*)", "INT:2"],
        "STRING",
        "7x",
    );
    check("REGEXP_EXTRACT", &["STRING:hello", "STRING:([A-Z])"], "STRING", "\\N");
    check("REGEXP_REPLACE", &["STRING:a1b22", "STRING:[0-9]+", "STRING:<$0>"], s, "a<$0>b<$0>");
    check("MOD", &["DECIMAL(20,0):7", "INT:-4"], "INT NOT NULL", "3");
    check("MOD", &["INT:7", "DECIMAL(20,0):4"], "DECIMAL(20, 0) NOT NULL", "3");
    check("REGEXP_COUNT", &["STRING:hello", "STRING:("], "INT", "\\N");
    check(
        "REGEXP_EXTRACT_ALL",
        &["STRING:hello world", "STRING:([a-z])([a-z])", "INT:1"],
        "ARRAY<STRING>",
        "[\"h\",\"l\",\"w\",\"r\"]",
    );
}

#[test]
fn times_give_flinks_values() {
    // conformance: functions/extract_*, floor_timestamp, ceil_timestamp, timestamp*, to_*, before_epoch_quirks
    let b = "BIGINT NOT NULL";
    for (unit, want) in [
        ("YEAR", "2021"),
        ("QUARTER", "1"),
        ("MONTH", "1"),
        ("WEEK", "53"),
        ("DAY", "3"),
        ("DOY", "3"),
        ("DOW", "1"),
        ("ISODOW", "7"),
        ("ISOYEAR", "2020"),
        ("CENTURY", "21"),
        ("DECADE", "202"),
        ("HOUR", "6"),
        ("MINUTE", "7"),
        ("SECOND", "8"),
        ("MILLISECOND", "10"),
        ("MICROSECOND", "10000"),
        ("EPOCH", "1609654028"),
    ] {
        check("EXTRACT", &[unit, "TIMESTAMP(3):2021-01-03 06:07:08.010"], b, want);
    }
    for (unit, want) in
        [("YEAR", "1"), ("DAY", "2"), ("HOUR", "-22"), ("SECOND", "-58"), ("MILLISECOND", "-999")]
    {
        check("EXTRACT", &[unit, "TIMESTAMP(3):0001-01-01 01:01:01.001"], b, want);
    }
    let t = "TIMESTAMP(3) NOT NULL";
    for (unit, down, up) in [
        ("SECOND", "2023-12-31 12:34:56.000", "2023-12-31 12:34:57.000"),
        ("HOUR", "2023-12-31 12:00:00.000", "2023-12-31 13:00:00.000"),
        ("DAY", "2023-12-31 00:00:00.000", "2024-01-01 00:00:00.000"),
        ("WEEK", "2023-12-31 00:00:00.000", "2023-12-31 00:00:00.000"),
        ("MONTH", "2023-12-01 00:00:00.000", "2024-01-01 00:00:00.000"),
        ("QUARTER", "2023-10-01 00:00:00.000", "2024-01-01 00:00:00.000"),
        ("YEAR", "2023-01-01 00:00:00.000", "2024-01-01 00:00:00.000"),
    ] {
        check("FLOOR", &["TIMESTAMP(3):2023-12-31 12:34:56.789", unit], t, down);
        check("CEIL", &["TIMESTAMP(3):2023-12-31 12:34:56.789", unit], t, up);
    }
    check("FLOOR", &["TIMESTAMP(3):1969-12-31 23:59:59.999", "MONTH"], t, "1970-01-01 00:00:00.000");
    check("FLOOR", &["TIMESTAMP(3):1969-12-31 23:59:59.999", "SECOND"], t, "1969-12-31 23:59:59.000");
    check("CEIL", &["DATE:2024-02-29", "MONTH"], "DATE NOT NULL", "2024-03-01");
    check(
        "TIMESTAMPADD",
        &["MONTH", "INT:1", "TIMESTAMP(3):2023-12-31 12:34:56.789"],
        t,
        "2024-01-31 12:34:56.789",
    );
    check("TIMESTAMPADD", &["YEAR", "INT:-4", "DATE:2024-02-29"], "DATE NOT NULL", "2020-02-29");
    for (unit, want) in [("SECOND", "2505599"), ("DAY", "28"), ("WEEK", "4"), ("MONTH", "0")] {
        check(
            "TIMESTAMPDIFF",
            &[unit, "TIMESTAMP(0):2024-01-31 12:00:00", "TIMESTAMP(0):2024-02-29 11:59:59"],
            "INT NOT NULL",
            want,
        );
    }
    for (unit, want) in [("MONTH", "-12"), ("QUARTER", "-4"), ("YEAR", "-1")] {
        check(
            "TIMESTAMPDIFF",
            &[unit, "TIMESTAMP(0):2024-03-01 00:00:00", "TIMESTAMP(0):2023-02-28 23:59:59"],
            "INT NOT NULL",
            want,
        );
    }
    check("TO_TIMESTAMP", &["STRING:2024-02-30 00:00:00"], "TIMESTAMP(3)", "2024-02-29 00:00:00.000");
    check(
        "TO_TIMESTAMP",
        &["STRING:2024-02-30 00:00:00", "STRING:yyyy/MM/dd HH:mm"],
        "TIMESTAMP(3)",
        "2024-03-01 00:00:00.000",
    );
    check(
        "TO_TIMESTAMP",
        &["STRING:2024/02/29 10:11", "STRING:yyyy/MM/dd HH:mm"],
        "TIMESTAMP(3)",
        "2024-02-29 10:11:00.000",
    );
    check("TO_TIMESTAMP", &["STRING:junk"], "TIMESTAMP(3)", "\\N");
    check("TO_TIMESTAMP_LTZ", &["BIGINT:-86401", "INT:0"], "TIMESTAMP_LTZ(3)", "1969-12-30 23:59:59.000");
    check("TO_TIMESTAMP_LTZ", &["BIGINT:1709200800", "INT:3"], "TIMESTAMP_LTZ(3)", "1970-01-20 18:46:40.800");
    check("TO_DATE", &["STRING:20240229", "STRING:yyyyMMdd"], "DATE", "2024-02-29");
    check("DATE_FORMAT", &["STRING:2024-02-29 01:02:03", "STRING:HH'h'mm"], "STRING", "01h02");
    check("FROM_UNIXTIME", &["BIGINT:-86401", "STRING:yyyyMMdd"], "STRING", "19691230");
    check("UNIX_TIMESTAMP", &["STRING:2024/01/02", "STRING:yyyy/MM/dd"], b, "1704153600");
    check(
        "CONVERT_TZ",
        &["STRING:1970-01-01 23:59:59", "STRING:UTC", "STRING:Asia/Tokyo"],
        "STRING",
        "1970-01-02 08:59:59",
    );
    check(
        "CONVERT_TZ",
        &["STRING:2024-01-01 00:00:00", "STRING:GMT+02:00", "STRING:UTC"],
        "STRING",
        "2023-12-31 22:00:00",
    );
}

#[test]
fn numbers_and_conditions_give_flinks_values() {
    // conformance: functions/numeric_*, greatest_least_coalesce
    let d = "DOUBLE NOT NULL";
    for (x, r, r1, rm1, fl, ce, tr) in [
        ("2.5", "3.0", "2.5", "0.0", "2.0", "3.0", "2.5"),
        ("-2.5", "-3.0", "-2.5", "0.0", "-3.0", "-2.0", "-2.5"),
        ("0.05", "0.0", "0.1", "0.0", "0.0", "1.0", "0.0"),
        ("-14.96", "-15.0", "-15.0", "-10.0", "-15.0", "-14.0", "-14.9"),
        ("1234.5678", "1235.0", "1234.6", "1230.0", "1234.0", "1235.0", "1234.5"),
    ] {
        let x = format!("DOUBLE:{x}");
        check("ROUND", &[&x], d, r);
        check("ROUND", &[&x, "INT:1"], d, r1);
        check("ROUND", &[&x, "INT:-1"], d, rm1);
        check("FLOOR", &[&x], d, fl);
        check("CEIL", &[&x], d, ce);
        check("TRUNCATE", &[&x, "INT:1"], d, tr);
    }
    for (x, r, f, c, t) in [
        ("2.55", "2.6", "2", "3", "2.5"),
        ("-2.55", "-2.6", "-3", "-2", "-2.5"),
        ("99.99", "100.0", "99", "100", "99.9"),
    ] {
        let x = format!("DECIMAL(4,2):{x}");
        check("ROUND", &[&x, "INT:1"], "DECIMAL(4, 1) NOT NULL", r);
        check("FLOOR", &[&x], "DECIMAL(4, 0) NOT NULL", f);
        check("CEIL", &[&x], "DECIMAL(4, 0) NOT NULL", c);
        check("TRUNCATE", &[&x, "INT:1"], "DECIMAL(4, 1) NOT NULL", t);
    }
    check("ROUND", &["INT:-15", "INT:-1"], "INT NOT NULL", "-20");
    check("LN", &["DOUBLE:0"], d, "-Infinity");
    check("LOG", &["INT:3", "INT:9"], d, "2.0");
    check("ABS", &["INT:-2147483648"], "INT NOT NULL", "-2147483648");
    check("BIN", &["INT:5"], "STRING NOT NULL", "101");
    check("GREATEST", &["TINYINT:1", "INT:7", "INT:5"], "INT NOT NULL", "7");
    check("LEAST", &["TINYINT:1", "INT:\\N"], "INT", "\\N");
    check("NULLIF", &["INT:1", "BIGINT:1"], "INT", "\\N");
    check("IFNULL", &["INT:\\N", "BIGINT:1"], "BIGINT NOT NULL", "1");
    check("IF", &["BOOLEAN:true", "CHAR(1):a", "CHAR(2):bc"], "VARCHAR(2) NOT NULL", "a");
    check("ARRAY", &["INT:1", "BIGINT:\\N"], "ARRAY<BIGINT> NOT NULL", "[1,null]");
    check(
        "MAP",
        &["CHAR(1):a", "INT:1", "CHAR(1):a", "INT:2"],
        "MAP<CHAR(1) NOT NULL, INT NOT NULL> NOT NULL",
        "{\"a\":2}",
    );
    check(
        "ROW",
        &["INT:1", "CHAR(1):x"],
        "ROW<`EXPR$0` INT NOT NULL, `EXPR$1` CHAR(1) NOT NULL> NOT NULL",
        "{\"EXPR$0\":1,\"EXPR$1\":\"x\"}",
    );
}

#[test]
fn elements_are_found() {
    let (r, s) = (builtin(), Session::default());
    let of = |name, args| call(&r, name, args, &s, Span::default()).unwrap();
    let array = || of("ARRAY", vec![literal("INT:7"), literal("INT:8")]);
    let shown = |e: Expr| show(&run(&e, vec![]).unwrap(), 0, &e.ty);
    assert_eq!(shown(of("ITEM", vec![array(), literal("INT:2")])), "8");
    assert_eq!(shown(of("ITEM", vec![array(), literal("INT:3")])), "\\N");
    assert_eq!(shown(of("CARDINALITY", vec![array()])), "2");
    let map = of("MAP", vec![literal("CHAR(1):k"), literal("INT:1")]);
    assert_eq!(shown(of("ITEM", vec![map.clone(), literal("CHAR(1):k")])), "1");
    assert_eq!(shown(of("ITEM", vec![map, literal("CHAR(1):x")])), "\\N");
    let e = run(&of("ELEMENT", vec![array()]), vec![]).unwrap_err();
    assert_eq!(e.error.message(), "Array has more than one element.");
}

/// A random value of a kind as text.
fn value(kind: &TypeKind) -> BoxedStrategy<String> {
    let n = |range: std::ops::Range<i64>| range.prop_map(|v| v.to_string()).boxed();
    match kind {
        TypeKind::Boolean => any::<bool>().prop_map(|b| b.to_string()).boxed(),
        TypeKind::TinyInt => n(-128..128),
        TypeKind::SmallInt => n(-300..300),
        TypeKind::Int => prop_oneof![n(-5..6), n(-2_147_483_648..2_147_483_648)].boxed(),
        TypeKind::BigInt => prop_oneof![n(-5..6), n(i64::MIN..i64::MAX)].boxed(),
        TypeKind::Float | TypeKind::Double => prop_oneof![
            Just("NaN".to_string()),
            Just("-0.0".to_string()),
            (-1e6f64..1e6).prop_map(|v| v.to_string())
        ]
        .boxed(),
        TypeKind::Decimal(_, s) => {
            let s = usize::from(*s);
            (-99_999i64..99_999).prop_map(move |v| format!("{:.s$}", v as f64 / 100.0)).boxed()
        }
        TypeKind::Date => {
            (1990..2030, 1..13, 1..29).prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}")).boxed()
        }
        TypeKind::Time(_) => {
            (0..24, 0..60, 0..60).prop_map(|(h, m, s)| format!("{h:02}:{m:02}:{s:02}")).boxed()
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            (1971..2030, 1..13, 1..29, 0..24, 0..60, 0..1000)
                .prop_map(|(y, mo, d, h, m, ms)| format!("{y}-{mo:02}-{d:02} {h:02}:{m:02}:07.{ms:03}"))
                .boxed()
        }
        _ => "[ab,é]{0,20}".boxed(),
    }
}

/// Kinds of the arguments, and for each row their texts.
type Case = (&'static str, Vec<TypeKind>, Vec<Vec<Option<String>>>);

/// Some function with rows of fitting arguments.
fn any_case() -> impl Strategy<Value = Case> {
    let shapes: Vec<(&'static str, Vec<TypeKind>)> = shapes();
    prop::sample::select(shapes).prop_flat_map(|(name, kinds)| {
        let row: Vec<_> = kinds.iter().map(|k| prop::option::weighted(0.85, value(k))).collect();
        (Just(name), Just(kinds), prop::collection::vec(row, 1..150))
    })
}

fn shapes() -> Vec<(&'static str, Vec<TypeKind>)> {
    use TypeKind::*;
    let mut out = Vec::new();
    let numbers = [TinyInt, SmallInt, Int, BigInt, Float, Double, Decimal(10, 2), Decimal(38, 6)];
    for a in &numbers {
        for b in &numbers {
            for op in ["+", "-", "*", "=", "<", ">=", "IS DISTINCT FROM", "/", "%"] {
                if op != "%" || !(a.is_approximate_numeric() || b.is_approximate_numeric()) {
                    out.push((op, vec![a.clone(), b.clone()]));
                }
            }
        }
        out.push(("-", vec![a.clone()]));
        out.push(("IS NULL", vec![a.clone()]));
        out.push(("IN", vec![a.clone(), a.clone(), Int]));
    }
    for k in [Boolean, TypeKind::STRING, Date, Time(0), Timestamp(3), Timestamp(9), TimestampLtz(3)] {
        for op in ["=", "<>", "<", "<=", ">", "IS NOT DISTINCT FROM"] {
            out.push((op, vec![k.clone(), k.clone()]));
        }
        out.push(("IN", vec![k.clone(), k.clone()]));
    }
    for op in ["NOT", "IS TRUE", "IS NOT FALSE"] {
        out.push((op, vec![Boolean]));
    }
    out.extend(super::more_shapes());
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(600), ..ProptestConfig::default() })]

    /// Whole batches, rows one at a time, selections and constants give the same values and the same first error.
    #[test]
    fn evaluation_does_not_depend_on_how_rows_are_cut((name, kinds, rows) in any_case(), pick in any::<u64>(), fixed in 0usize..4) {
        let (r, s) = (builtin(), Session::default());
        let columns: Vec<ColumnRef> = (0..kinds.len())
            .map(|k| column(&kinds[k], &rows.iter().map(|row| row[k].as_deref()).collect::<Vec<_>>()))
            .collect();
        let exprs = |constant: Option<(usize, usize)>| -> Vec<Expr> {
            kinds.iter().enumerate().map(|(k, kind)| match constant {
                Some((at, row)) if at == k => {
                    let mut one = columns[k].empty_like();
                    one.extend_rows(&columns[k], &[row as u32]);
                    Expr::literal(ColumnRef::new(one), kind.clone().nullable(), Span::default())
                }
                _ => Expr::column(k, kind.clone().nullable(), Span::default()),
            }).collect()
        };
        let e = call(&r, name, exprs(None), &s, Span::default()).unwrap();
        let ty = e.ty.clone();
        let n = rows.len();
        // The model: one row at a time.
        let single: Vec<Result<String, String>> = (0..n).map(|row| {
            let one: Vec<ColumnRef> = columns.iter().map(|c| {
                let mut o = c.empty_like();
                o.extend_rows(c, &[row as u32]);
                ColumnRef::new(o)
            }).collect();
            run(&e, one).map(|c| show(&c, 0, &ty)).map_err(|e| e.error.message().to_string())
        }).collect();
        let whole = run(&e, columns.clone());
        match (single.iter().position(|r| r.is_err()), &whole) {
            (None, Ok(c)) => for (row, want) in single.iter().enumerate() {
                prop_assert_eq!(&show(c, row, &ty), want.as_ref().unwrap(), "{} row {}", name, row);
            },
            (Some(first), Err(e)) => {
                prop_assert_eq!(e.row, first);
                prop_assert_eq!(Err(e.error.message().to_string()), single[first].clone());
            }
            (first, _) => prop_assert!(false, "{name}: first error {first:?}, whole {:?}", whole.is_ok()),
        }
        // A selection of the rows that do not fail.
        let chosen: Vec<u32> = (0..n as u32).filter(|&i| single[i as usize].is_ok() && pick.rotate_left(i) & 3 != 0).collect();
        if let Ok(c) = select(&e, columns.clone(), n, Sel::Rows(&chosen)) {
            for &row in &chosen {
                prop_assert_eq!(&show(&c, row as usize, &ty), single[row as usize].as_ref().unwrap(), "{} selected row {}", name, row);
            }
        } else {
            prop_assert!(false, "{name} failed for rows that do not fail");
        }
        // One argument constant.
        let row = (pick % n as u64) as usize;
        // A constant may be refused when it is bound: a date pattern that is not supported.
        if fixed < kinds.len()
            && let Ok(e) = call(&r, name, exprs(Some((fixed, row))), &s, Span::default())
        {
            let e = fold(e);
            let got = select(&e, columns.clone(), n, Sel::All(n)).map(|c| show(&c, row, &e.ty));
            if e.ty.kind == ty.kind && single.iter().all(|r| r.is_ok()) && got.is_ok() {
                prop_assert_eq!(&got.unwrap(), single[row].as_ref().unwrap(), "{} with a constant", name);
            }
        }
    }
}

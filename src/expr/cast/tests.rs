//! Values of the conformance cases of group `types`, and casts that Flink refuses.

use super::*;
use crate::batch::text::{Style, write_value};
use crate::batch::{Pool, Watermarks};

fn text_column(values: &[Option<&str>]) -> Column {
    let mut c = Column::of_kind(&TypeKind::STRING);
    for v in values {
        c.validity.push(v.is_some());
        c.byte_column_mut().push(v.unwrap_or("").as_bytes());
    }
    c
}

fn run(c: &Column, from: &TypeKind, to: &TypeKind, try_cast: bool) -> Result<Column, RowError> {
    let session = Session::default();
    let f = bind_cast(&from.clone().nullable(), &to.clone().nullable(), try_cast, &session, Span::default())
        .unwrap_or_else(|e| panic!("{from} to {to}: {e}"));
    let mut out = Column::new(&f.ty);
    out.reset(c.len());
    let (mut pool, wm) = (Pool::default(), Watermarks::default());
    let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &wm };
    let rows = c.len();
    (f.kernel)().eval(&[Arg { column: c, constant: false }], Sel::All(rows), rows, &mut out, &mut cx)?;
    assert_eq!(out.len(), rows);
    Ok(out)
}

fn shown(c: &Column, kind: &TypeKind) -> Vec<String> {
    (0..c.len())
        .map(|i| {
            let mut out = Vec::new();
            write_value(c, i, &kind.clone().nullable(), &TimeZone::UTC, Style::Changelog, &mut out);
            String::from_utf8(out).unwrap()
        })
        .collect()
}

/// Text → `through` → `to`, shown.
fn chain(texts: &[&str], kinds: &[TypeKind]) -> Vec<String> {
    let texts: Vec<Option<&str>> = texts.iter().map(|t| (*t != "\\N").then_some(*t)).collect();
    let mut column = text_column(&texts);
    let mut kind = TypeKind::STRING;
    for k in kinds {
        column = run(&column, &kind, k, false).unwrap();
        kind = k.clone();
    }
    shown(&column, &kind)
}

use TypeKind::{
    BigInt, Binary, Boolean, Char, Date, Decimal, Double, Float, Int, SmallInt, Time, Timestamp,
    TimestampLtz, TinyInt, VarBinary, VarChar,
};

#[test]
fn decimals_drop_the_fraction_and_wrap() {
    let texts = ["1.99", "-1.99", "0.00", "3000000000.50", "300.00"];
    let de = Decimal(20, 2);
    assert_eq!(chain(&texts, &[de.clone(), Int]), ["1", "-1", "0", "-1294967296", "300"]);
    assert_eq!(chain(&texts, &[de.clone(), BigInt]), ["1", "-1", "0", "3000000000", "300"]);
    assert_eq!(chain(&texts, &[de.clone(), TinyInt]), ["1", "-1", "0", "0", "44"]);
    assert_eq!(chain(&texts, &[de.clone(), Double]), ["1.99", "-1.99", "0.0", "3.0000000005E9", "300.0"]);
    assert_eq!(chain(&texts, &[de, Boolean]), ["true", "true", "false", "true", "true"]);
}

#[test]
fn decimals_that_do_not_fit_are_null() {
    let texts = ["999.94", "999.95", "-0.05", "123456789012345.6789", "\\N"];
    let de = Decimal(20, 4);
    assert_eq!(chain(&texts, &[de.clone(), Decimal(4, 1)]), ["999.9", "\\N", "-0.1", "\\N", "\\N"]);
    assert_eq!(chain(&texts, &[de, Decimal(6, 3)]), ["999.940", "999.950", "-0.050", "\\N", "\\N"]);
}

#[test]
fn doubles_saturate_and_integers_wrap() {
    let d = ["1.7976931348623157E308", "-1.7976931348623157E308", "2.5", "-2.5", "NaN"];
    assert_eq!(chain(&d, &[Double, Int]), ["2147483647", "-2147483648", "2", "-2", "0"]);
    assert_eq!(chain(&d, &[Double, BigInt]), ["9223372036854775807", "-9223372036854775808", "2", "-2", "0"]);
    assert_eq!(chain(&["3.4028235E38", "1.5"], &[Float, TinyInt]), ["-1", "1"]);
    assert_eq!(
        chain(&["3.4028235E38", "0.1"], &[Float, Double]),
        ["3.4028234663852886E38", "0.10000000149011612"]
    );
    assert_eq!(chain(&["70000", "300"], &[Int, TinyInt]), ["112", "44"]);
    assert_eq!(chain(&["70000"], &[Int, SmallInt]), ["4464"]);
}

#[test]
fn text_has_the_length_of_its_type() {
    let texts = ["ab", "", "abcdefg", "äöü日"];
    assert_eq!(chain(&texts, &[Char(5)]), ["ab   ", "     ", "abcde", "äöü日 "]);
    assert_eq!(chain(&texts, &[VarChar(3)]), ["ab", "", "abc", "äöü"]);
    assert_eq!(chain(&["ab", "", "é!x"], &[Binary(3)]), ["x'616200'", "x'000000'", "x'C3A921'"]);
    assert_eq!(chain(&["ab", "", "é!x"], &[VarBinary(2)]), ["x'6162'", "x''", "x'C3A9'"]);
    assert_eq!(chain(&["ab", "é!x"], &[TypeKind::BYTES, TypeKind::STRING]), ["ab", "é!x"]);
    assert_eq!(chain(&["1E7"], &[Double, Char(3)]), ["1.0"]);
    assert_eq!(chain(&["true"], &[Boolean, Char(6)]), ["TRUE  "]);
}

#[test]
fn temporal_casts_cut_and_combine() {
    let t = ["2024-02-29 10:11:12.987654321", "1969-12-31 10:00:00"];
    assert_eq!(chain(&t, &[Timestamp(9), Timestamp(6)])[0], "2024-02-29 10:11:12.987654");
    assert_eq!(chain(&t, &[Timestamp(9), Timestamp(3), Timestamp(1)])[0], "2024-02-29 10:11:12.9");
    assert_eq!(chain(&t, &[Timestamp(9), Timestamp(0), Timestamp(9)])[0], "2024-02-29 10:11:12.000000000");
    assert_eq!(chain(&t, &[Timestamp(9), Date]), ["2024-02-29", "1970-01-01"]);
    assert_eq!(chain(&t, &[Timestamp(9), Time(0)]), ["10:11:12", "10:00:00"]);
    assert_eq!(chain(&["10:11:12"], &[Time(0), Timestamp(3)]), ["1970-01-01 10:11:12.000"]);
    assert_eq!(chain(&["2024-02-29"], &[Date, TimestampLtz(3)]), ["2024-02-29 00:00:00.000"]);
}

#[test]
fn failing_rows_carry_flinks_words_and_try_cast_gives_null() {
    let c = text_column(&[Some("7"), None, Some("hello world"), Some("x")]);
    let e = run(&c, &TypeKind::STRING, &Int, false).unwrap_err();
    assert_eq!((e.row, e.error.message()), (2, "For input string: 'hello world'. Invalid character found."));
    let out = run(&c, &TypeKind::STRING, &Int, true).unwrap();
    assert_eq!(shown(&out, &Int), ["7", "\\N", "\\N", "\\N"]);
}

#[test]
fn nested_values_are_cast_by_their_parts() {
    let array = |k: TypeKind| TypeKind::Array(Box::new(k.nullable()));
    let mut c = Column::of_kind(&array(TypeKind::STRING));
    let crate::batch::ColumnData::List { offsets, child } = &mut c.data else { panic!() };
    **child = text_column(&[Some("1"), Some("x"), None, Some("3")]);
    offsets.extend_from_slice(&[2, 2, 4]);
    c.validity.reset(3);
    c.validity.set(1, false);
    let out = run(&c, &array(TypeKind::STRING), &array(Int), true).unwrap();
    assert_eq!(shown(&out, &array(Int)), ["\\N", "\\N", "[null,3]"]);
    assert_eq!(run(&c, &array(TypeKind::STRING), &array(Int), false).unwrap_err().row, 0);
}

#[test]
fn pairs_that_flink_does_not_have_are_refused() {
    let refused = |a: TypeKind, b: TypeKind| {
        let e = bind_cast(&a.nullable(), &b.nullable(), false, &Session::default(), Span::default());
        e.err().unwrap_or_else(|| panic!("bound")).message().to_string()
    };
    assert_eq!(refused(Int, Date), "Cast function cannot convert value of type INTEGER to type DATE");
    assert_eq!(
        refused(Boolean, TypeKind::BYTES),
        "Cast function cannot convert value of type BOOLEAN to type VARBINARY(2147483647)"
    );
    assert!(refused(Int, Timestamp(3)).contains("not allowed"));
    assert!(refused(Timestamp(3), Int).contains("not allowed"));
    for (a, b) in [(Date, Time(0)), (TypeKind::BYTES, Int), (TypeKind::Variant, Int), (Date, Boolean)] {
        refused(a, b);
    }
}

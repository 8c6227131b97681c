//! Numbers, strings, dates, intervals.

use super::{expressions, refused};
use crate::error::ErrorKind;
use crate::sql::ast::{ExprKind, LiteralKind, NumberKind};
use crate::sql::{parse_expr, parse_statements};

#[test]
fn literals() {
    expressions(&[
        ("007", ""),
        ("1.", ""),
        (".5", ""),
        ("1.5E-3", ""),
        ("9999999999999999999999999999999999999999", ""),
        ("DECIMAL '1.5'", ""),
        ("'it''s'", ""),
        ("''", ""),
        ("'two\nlines'", ""),
        ("'a'\n  'b' -- and\n 'c'", "'abc'"),
        ("U&'\\00e9\\\\x'", "'é\\x'"),
        ("U&'!00e9!!' UESCAPE '!'", "'é!'"),
        ("U&'\\d83d\\de00'", "'😀'"),
        ("E'a\\n\\u00e9\\'b''c'", "'a\né''b''c'"),
        ("N'x'", ""),
        ("n'x'", "N'x'"),
        ("_utf8'x'", ""),
        ("_ISO-8859-1'x'", ""),
        ("x'0aff'", "X'0AFF'"),
        ("X''", ""),
        ("X'0A'\n'FF'", "X'0AFF'"),
        ("U&\"a\\00e9\"", "`aé`"),
        ("NULL", ""),
        ("true", "TRUE"),
        ("Unknown", "UNKNOWN"),
        ("DATE '2020-01-01'", ""),
        ("{d '2020-01-01'}", "DATE '2020-01-01'"),
        ("{ts '2020-01-01 00:00:00'}", "TIMESTAMP '2020-01-01 00:00:00'"),
        ("TIME '10:00'", ""),
        ("TIMESTAMP WITH LOCAL TIME ZONE '2020-01-01 00:00:00'", ""),
        ("INTERVAL '1' DAY", ""),
        ("INTERVAL - '1' DAYS", "INTERVAL -'1' DAY"),
        ("INTERVAL '1-2' YEAR TO MONTH", ""),
        ("INTERVAL '1 2:3:4.5' DAY(2) TO SECOND(3)", ""),
        ("INTERVAL '1' SECOND(2, 3)", ""),
        ("INTERVAL '2' QUARTER", ""),
        ("INTERVAL 5 MINUTES", "INTERVAL 5 MINUTE"),
        ("INTERVAL -a.b MONTH(3)", ""),
        ("INTERVAL (a + 1) HOUR", ""),
    ]);
}

#[test]
fn a_number_tells_its_form() {
    let kind = |text: &str| match parse_expr(text).unwrap().kind {
        ExprKind::Literal(literal) => match literal.kind {
            LiteralKind::Number(number) => number.kind,
            _ => panic!("{text}"),
        },
        _ => panic!("{text}"),
    };
    assert_eq!(kind("1"), NumberKind::Integer);
    assert_eq!(kind("1."), NumberKind::Decimal);
    assert_eq!(kind("1e5"), NumberKind::Approximate);
    assert_eq!(kind("DECIMAL '1'"), NumberKind::DecimalString);
}

#[test]
fn what_is_no_literal() {
    refused(&[
        (
            "SELECT 'abc",
            "'",
            "the string that begins here has no closing quote / a quote inside a string is written twice: 'it''s'",
        ),
        ("SELECT X'zz'", "X'zz'", "a binary string consists of the digits 0 to 9 and A to F"),
        ("SELECT U&'\\12'", "U&'\\12'", "a Unicode escape is not exactly four hexadecimal digits"),
        ("SELECT U&'\\d800'", "U&'\\d800'", "a Unicode escape is half a surrogate pair"),
        ("SELECT 'x' UESCAPE '!'", "UESCAPE", "UESCAPE belongs to strings that begin with U&"),
        ("SELECT U&'x' UESCAPE 'ab'", "'ab'", "UESCAPE takes exactly one character"),
        ("SELECT DECIMAL 'x'", "'x'", "'x' is not a decimal number"),
        (
            "SELECT ``",
            "``",
            "a name in back quotes is empty or has no closing back quote / a back quote inside a name is written twice",
        ),
        ("SELECT a /* b", "/", "the comment that begins here has no end / close it with */"),
        (
            "SELECT \"a\"",
            "\"",
            "Flink SQL does not use double quotes / write 'text' for a string and `name` for a name",
        ),
    ]);
}

/// What Flink's validator refuses, and not its parser.
#[test]
fn what_is_a_literal_but_invalid() {
    for (text, message) in [
        ("SELECT 'a' 'b'", "a string goes on only on a new line"),
        ("SELECT X'abc'", "a binary string has two digits a byte"),
    ] {
        let error = parse_statements(text).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Validation, message));
    }
}

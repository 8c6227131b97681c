//! Type names.

use crate::sql::parse_type_name;

#[test]
fn types() {
    for (text, expected) in [
        ("BOOLEAN", ""),
        ("tinyint", "TINYINT"),
        ("INTEGER", "INT"),
        ("BIGINT NOT NULL", ""),
        ("STRING NULL", ""),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("DEC(10)", "DECIMAL(10)"),
        ("NUMERIC(10, 2)", "DECIMAL(10, 2)"),
        ("CHAR VARYING(3)", "VARCHAR(3)"),
        ("CHARACTER(3) CHARACTER SET latin1", "CHAR(3) CHARACTER SET latin1"),
        ("BINARY VARYING(3)", "VARBINARY(3)"),
        ("BYTES", ""),
        ("DATE", ""),
        ("TIME(3) WITHOUT TIME ZONE", "TIME(3)"),
        ("TIME WITH LOCAL TIME ZONE", ""),
        ("TIMESTAMP", ""),
        ("TIMESTAMP(9)", ""),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"),
        ("TIMESTAMP_LTZ", ""),
        ("ARRAY<INT NOT NULL>", ""),
        ("INT NOT NULL ARRAY", "ARRAY<INT NOT NULL>"),
        ("INT ARRAY MULTISET NOT NULL", "MULTISET<ARRAY<INT>> NOT NULL"),
        ("MAP<STRING, ARRAY<ROW<a INT>>>", ""),
        ("ROW<a INT NOT NULL 'comment', `b c` STRING>", ""),
        ("ROW(a INT, b ROW())", "ROW<a INT, b ROW<>>"),
        ("RAW('class', 'snapshot')", ""),
        ("STRUCTURED<'class', a INT 'c'>", ""),
        ("STRUCTURED<'class'>", ""),
        ("VARIANT", ""),
        ("BITMAP", ""),
        ("ANY", ""),
        ("my_db.my_type", ""),
    ] {
        let ty = parse_type_name(text).unwrap_or_else(|error| panic!("{}", error.render("test", text)));
        assert_eq!(ty.to_string(), if expected.is_empty() { text } else { expected });
        assert_eq!(parse_type_name(&ty.to_string()).unwrap(), ty);
    }
}

#[test]
fn what_is_no_type() {
    for (text, message) in [
        ("INT(3)", "expected NULL, NOT or the end, found '('"),
        ("TIMESTAMP(3) WITH TIME ZONE", "expected LOCAL, found the reserved word TIME"),
        ("VARCHAR(x)", "expected a whole number, found 'x'"),
        ("DECIMAL(99999999999)", "the number is too large here"),
        ("ARRAY<INT", "expected NULL, NOT or '>', found the end of the text"),
        ("SELECT", "expected a type, found the reserved word SELECT"),
        ("ROW<a>", "expected a type, found '>'"),
    ] {
        assert_eq!(parse_type_name(text).unwrap_err().message(), message, "{text}");
    }
}

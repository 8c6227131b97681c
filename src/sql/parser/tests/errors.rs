//! What users read when a text is wrong.

use super::refused;
use crate::sql::{parse_statements, statements};

#[test]
fn misspelt_keywords() {
    refused(&[
        (
            "SELECT id FORM trades",
            "trades",
            "expected ',', FROM, INTERSECT, UNION, EXCEPT, ORDER, LIMIT, OFFSET, FETCH or the end of the statement, found 'trades' / did you mean FROM instead of FORM?",
        ),
        ("SELEKT 1", "SELEKT", "expected ';' or a statement, found 'SELEKT' / did you mean SELECT?"),
        ("SELECT a FROM t WHRE b", "b", "'b' does not fit here / did you mean WHERE instead of WHRE?"),
        (
            "SELECT a FROM t GRUOP BY a",
            "BY",
            "the reserved word BY does not fit here / did you mean GROUP instead of GRUOP?",
        ),
        (
            "SELECT a FROM t ORDER BY a LIMT 5",
            "LIMT",
            "expected DESC, ASC, NULLS, ',', LIMIT, OFFSET, FETCH or the end of the statement, found 'LIMT' / did you mean LIMIT?",
        ),
        ("SELECT a FROM t LEFT JION u", "JION", "expected OUTER or JOIN, found 'JION' / did you mean JOIN?"),
        ("INSERT INOT t SELECT 1", "INOT", "expected OVERWRITE or INTO, found 'INOT' / did you mean INTO?"),
        (
            "CREATE TABLE t (a INT) WIHT ('a' = 'b')",
            "WIHT",
            "expected COMMENT, DISTRIBUTED, PARTITIONED, WITH, AS, LIKE or the end of the statement, found 'WIHT' / did you mean WITH?",
        ),
        (
            "CREATE VEIW v AS SELECT 1",
            "VEIW",
            "expected OR, TEMPORARY, TABLE, MATERIALIZED, VIEW, CATALOG, DATABASE, FUNCTION, MODEL or CONNECTION, found 'VEIW' / did you mean VIEW?",
        ),
        ("DORP TABLE t", "DORP", "expected ';' or a statement, found 'DORP' / did you mean DROP?"),
    ]);
}

#[test]
fn reserved_words() {
    refused(&[
        (
            "SELECT 1 AS table",
            "table",
            "expected an alias, found the reserved word TABLE / to use it as a name, put it in back quotes: `table`",
        ),
        (
            "SELECT a AS day FROM t",
            "day",
            "expected an alias, found the reserved word DAY / to use it as a name, put it in back quotes: `day`",
        ),
        (
            "SELECT value FROM t",
            "value",
            "expected an expression, found the reserved word VALUE / to use it as a name, put it in back quotes: `value`",
        ),
        ("SELECT a FROM order", "order", "expected '(' or a table, found the reserved word ORDER"),
        ("SELECT COUNT(id FROM trades", "FROM", "expected ',' or ')', found the reserved word FROM"),
    ]);
}

#[test]
fn a_rendered_error() {
    let text = "SELECT id,\n  prcie * qty\n  FORM trades;";
    let error = parse_statements(text).unwrap_err();
    let expected = "error: expected ',', FROM, INTERSECT, UNION, EXCEPT, ORDER, LIMIT, OFFSET, FETCH or the end of the statement, \
                    found 'trades'
 --> q.sql:3:8
  |
3 |   FORM trades;
  |        ^^^^^^
help: did you mean FROM instead of FORM?";
    assert_eq!(error.render("q.sql", text), expected);
}

/// Cutting a statement short or breaking it anywhere gives an error inside the text, and no panic.
#[test]
fn every_prefix_and_every_gap() {
    let text = "EXPLAIN SELECT /*+ H('a' = 'b') */ DISTINCT a.b[1] AS c, CAST(x AS ROW<d INT>) FROM t AS u (e) JOIN f(TABLE v \
                PARTITION BY g) ON EXISTS (SELECT U&'\\00e9' UESCAPE '!') WHERE x LIKE 'y' ESCAPE 'z' AND CASE WHEN 1e5 THEN X'00' END \
                GROUP BY ROLLUP (a) ORDER BY JSON_VALUE(a, '$.b' DEFAULT 1 ON EMPTY) LIMIT 5; CREATE TABLE t (a INT METADATA FROM 'b' \
                VIRTUAL, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('k' = 'v')";
    for (i, c) in text.char_indices() {
        let gap = format!("{}{}", &text[..i], &text[i + c.len_utf8()..]);
        for broken in [&text[..i], &gap] {
            for statement in statements(broken).unwrap() {
                if let Err(error) = statement {
                    let span = error.span().unwrap();
                    assert!(span.start <= span.end && span.end as usize <= broken.len());
                    error.render("test", broken);
                }
            }
        }
    }
}

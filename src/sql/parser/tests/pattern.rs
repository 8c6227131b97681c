//! MATCH_RECOGNIZE.

use super::{refused, statements};

#[test]
fn clauses() {
    statements(&[
        (
            "SELECT * FROM t AS x MATCH_RECOGNIZE (PARTITION BY a, b ORDER BY c MEASURES FIRST(a.d) AS e, LAST(b.d) AS f ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (a b+) WITHIN INTERVAL '1' HOUR SUBSET s = (a, b), u = (b) DEFINE a AS a.d > 1, b AS b.d > LAST(b.d, 1)) AS y",
            "",
        ),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (ALL ROWS PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (a) DEFINE a AS TRUE)",
            "",
        ),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO FIRST a PATTERN (^ a $) DEFINE a AS TRUE)",
            "",
        ),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO a PATTERN (a) DEFINE a AS TRUE)",
            "SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO LAST a PATTERN (a) DEFINE a AS TRUE)",
        ),
        ("SELECT * FROM (SELECT 1) MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS TRUE)", ""),
    ]);
}

#[test]
fn patterns() {
    for (pattern, expected) in [
        ("a b c", ""),
        ("a | b c | d", ""),
        ("(a | b) c", ""),
        ("a (b c)", ""),
        ("((a))", "a"),
        ("a* b+ c? d*? e+? f??", ""),
        ("a{2} b{2,} c{,3} d{2,3}?", ""),
        ("a{0,} b{1,} c{0,1}", "a* b+ c?"),
        ("(a b)+", ""),
        ("(a+)+", ""),
        ("a {- b c -} d", ""),
        ("a{-b-}", "a {- b -}"),
        ("PERMUTE (a, b c, (d | e))", "PERMUTE (a, b c, d | e)"),
        ("`select`+", ""),
    ] {
        let expected = if expected.is_empty() { pattern } else { expected };
        let text =
            |pattern: &str| format!("SELECT * FROM t MATCH_RECOGNIZE (PATTERN ({pattern}) DEFINE a AS TRUE)");
        statements(&[(&text(pattern), &text(expected))]);
    }
}

#[test]
fn what_is_no_pattern() {
    refused(&[
        (
            "SELECT * FROM t MATCH_RECOGNIZE (PATTERN () DEFINE a AS b)",
            ")",
            "expected '^' or a pattern variable, found ')'",
        ),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a))",
            ")",
            "expected WITHIN, SUBSET or DEFINE, found ')'",
        ),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (MEASURES a b PATTERN (a) DEFINE a AS b)",
            "b",
            "expected AS, found 'b'",
        ),
        (
            "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a) WITHIN 1 DEFINE a AS b)",
            "1",
            "expected INTERVAL, found the number 1",
        ),
        (
            "SELECT * FROM f(x) MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS b)",
            "MATCH_RECOGNIZE",
            "the reserved word MATCH_RECOGNIZE does not fit here",
        ),
    ]);
}

//! No text, however deep or long, takes more stack than a thread has: it is parsed, printed, compared and dropped, or
//! refused by name.

use std::thread;

use crate::error::ErrorKind;
use crate::sql::{MAX_DEPTH, MAX_NESTING, parse_expr, parse_statements, parse_type_name};

/// Runs on 1.5 MiB of stack: threads and tests have 2 MiB, and whoever calls the parser needs some of it.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(3 << 19).spawn(run).unwrap().join().unwrap();
}

/// Parses, and if that goes well prints, parses again, compares, clones and drops. Says whether it went well. What is
/// printed may have parentheses that the text had not, and so be refused where the text was near the limit.
fn survives(text: &str) -> bool {
    match parse_statements(text) {
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Syntax);
            assert!(error.message().contains("deeper than"), "{error} in {}", &text[..text.len().min(200)]);
            false
        }
        Ok(statements) => {
            let printed = statements[0].to_string();
            let again = match parse_statements(&printed) {
                Ok(again) => again,
                Err(error) if error.message().contains("nest deeper") => return true,
                Err(error) => panic!("{}", error.render("printed", &printed)),
            };
            assert!(again.clone() == statements);
            assert!(!format!("{again:?}").is_empty());
            true
        }
    }
}

/// The nestings of the grammar: what opens, what stands inside, what closes.
const NESTINGS: &[(&str, &str, &str)] = &[
    ("SELECT ", "1", ""),
    ("SELECT ", "(1)", ""),
    ("(", "SELECT 1", ")"),
    ("SELECT (", "SELECT 1", ")"),
    ("SELECT * FROM (", "SELECT 1", ")"),
    ("WITH a AS (", "SELECT 1", ") SELECT 1"),
    ("SELECT 1 UNION (", "SELECT 1", ")"),
    ("SELECT * FROM (a JOIN ", "(b JOIN c)", " ON x)"),
    ("SELECT 1 WHERE EXISTS (", "SELECT 1", ")"),
];

const EXPRESSIONS: &[(&str, &str, &str)] = &[
    ("(", "a", ")"),
    ("- ", "a", ""),
    ("NOT ", "a", ""),
    ("EXISTS ", "a", ""),
    ("f(", "a", ")"),
    ("f(x => ", "a", ")"),
    ("(", "a", ").b"),
    ("", "a", " + a"),
    ("a + (", "a", ")"),
    ("", "a", "[1]"),
    ("a[", "1", "]"),
    ("", "a", " IS NULL"),
    ("", "a", " = b"),
    ("a AND (", "a", ")"),
    ("a OR (b AND (", "a", "))"),
    ("a IN (", "a", ")"),
    ("a BETWEEN ", "b", " AND c"),
    ("a BETWEEN 1 AND ", "b", ""),
    ("a LIKE ", "b", ""),
    ("CASE WHEN ", "a", " THEN b END"),
    ("CASE ", "a", " WHEN 1 THEN 2 END"),
    ("CASE WHEN a THEN b ELSE ", "c", " END"),
    ("CAST(", "a", " AS INT)"),
    ("ARRAY[", "1", "]"),
    ("ROW(", "1", ")"),
    ("(1, ", "2", ")"),
    ("JSON_OBJECT('a' VALUE ", "1", ")"),
    ("JSON_VALUE(", "a", ", 'b')"),
    ("(SELECT ", "1", ")"),
    ("(SELECT * FROM (SELECT ", "1", "))"),
    ("EXTRACT(DAY FROM ", "a", ")"),
    ("POSITION(", "a", " IN b)"),
    ("RUNNING ", "a", ""),
    ("CURSOR ", "a", ""),
    ("SUM(a) OVER (ORDER BY ", "a", ")"),
    ("f(a) FILTER (WHERE ", "a", ")"),
    ("INTERVAL (", "1", ") DAY"),
    ("{fn f(", "1", ")}"),
];

#[test]
fn nested_expressions() {
    on_a_small_stack(|| {
        for (open, inside, close) in EXPRESSIONS {
            let nest = |n: usize| format!("SELECT {}{inside}{} FROM t", open.repeat(n), close.repeat(n));
            assert!(!survives(&nest(100_000)), "{open}…{close}");
            // The highest count that is not refused; every one below it must work too.
            let (mut low, mut high) = (1, 2 * MAX_DEPTH);
            assert!(survives(&nest(19)), "{open}…{close}");
            while low + 1 < high {
                let middle = (low + high) / 2;
                if survives(&nest(middle)) { low = middle } else { high = middle }
            }
            assert!(low >= 19, "{open}…{close} goes only {low} deep");
        }
    });
}

#[test]
fn nested_queries() {
    on_a_small_stack(|| {
        for (open, inside, close) in NESTINGS {
            let nest = |n: usize| format!("{}{inside}{}", open.repeat(n), close.repeat(n));
            for n in [1, 5, 20, 30, 40, 50, 60, 90, MAX_NESTING, 10_000, 100_000] {
                let text = nest(n);
                match parse_statements(&text) {
                    Ok(statements) => assert!(survives(&statements[0].to_string())),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Syntax),
                }
            }
        }
    });
}

#[test]
fn nested_types_and_patterns() {
    on_a_small_stack(|| {
        for (open, inside, close) in
            [("ARRAY<", "INT", ">"), ("ROW<a ", "INT", ">"), ("", "INT", " ARRAY"), ("MAP<INT, ", "INT", ">")]
        {
            let nest = |n: usize| format!("{}{inside}{}", open.repeat(n), close.repeat(n));
            let ty = parse_type_name(&nest(MAX_NESTING - 10)).unwrap();
            assert_eq!(parse_type_name(&ty.to_string()).unwrap(), ty);
            assert!(parse_type_name(&nest(100_000)).unwrap_err().message().contains("deeper than"));
        }
        for (open, inside, close) in [
            ("(", "a", ")"),
            ("{-", "a", "-}"),
            ("PERMUTE(", "a", ")"),
            ("(a | ", "b", ")"),
            ("(", "a", ")+"),
        ] {
            let nest = |n: usize| {
                let pattern = format!("{}{inside}{}", open.repeat(n), close.repeat(n));
                format!("SELECT * FROM t MATCH_RECOGNIZE (PATTERN ({pattern}) DEFINE a AS b)")
            };
            assert!(survives(&nest(MAX_NESTING / 2 - 5)), "{open}");
            assert!(!survives(&nest(100_000)), "{open}");
        }
    });
}

/// What programs generate by the thousand is flat and has no limit.
#[test]
fn long_lists_are_not_deep() {
    on_a_small_stack(|| {
        let long = |first: &str, next: &str| format!("{first}{}", next.repeat(100_000));
        for text in [
            long("SELECT 1 FROM t WHERE a = 1", " AND a = 1"),
            long("SELECT 1 FROM t WHERE a = 1", " OR a = 1"),
            long("SELECT 1", " UNION ALL SELECT 1"),
            long("SELECT 1", " INTERSECT SELECT 1"),
            long("SELECT 1 FROM t", " JOIN t ON TRUE"),
            long("SELECT 1 FROM t", ", t"),
            long("SELECT a", ", a"),
            long("SELECT a", ".a"),
            long("VALUES (1)", ", (1)"),
            long("SELECT CASE", " WHEN a THEN b") + " END",
            long("SELECT a IN (1", ", 1") + ")",
            long("SELECT 'a'", "\n'a'"),
            long("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a", " a") + ") DEFINE a AS b)",
            long("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a", " | a") + ") DEFINE a AS b)",
        ] {
            assert!(survives(&text), "{}", &text[..60]);
        }
    });
}

/// Chains of operators that lean left count as deep.
#[test]
fn long_chains_are_refused_by_name() {
    on_a_small_stack(|| {
        for next in
            [" + 1", " || 1", " = 1", " IS NULL", "[1]", " IN (1)", " BETWEEN 1 AND 1", " MULTISET UNION 1"]
        {
            let chain = |n: usize| format!("1{}", next.repeat(n));
            let expr = parse_expr(&chain(MAX_DEPTH - 10)).unwrap();
            assert_eq!(parse_expr(&expr.to_string()).unwrap(), expr);
            let error = parse_expr(&chain(100_000)).unwrap_err();
            assert_eq!(error.message(), "a chain of operators is deeper than 200 levels", "{next}");
        }
    });
}

/// Chains inside chains add up.
#[test]
fn height_is_counted_over_all_chains() {
    on_a_small_stack(|| {
        let mut text = String::from("1");
        for _ in 0..MAX_DEPTH {
            text = format!("({text}){}", " + 1".repeat(50));
        }
        assert!(parse_expr(&text).unwrap_err().message().contains("deeper than"));
    });
}

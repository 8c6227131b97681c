//! Parser tests by grammar area, as tables: text in, printed text out; bad text in, message out. What Flink's own parser
//! accepts and refuses was asked of Flink 2.3.0 when these were written.

mod ddl;
mod depth;
mod errors;
mod expressions;
mod literals;
mod pattern;
mod queries;
mod statements;
mod types;

use crate::error::ErrorKind;
use crate::sql::{parse_expr, parse_statements};

/// Expressions that print as the right side says (an empty right side: as they are), and survive that.
fn expressions(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let expr = parse_expr(text).unwrap_or_else(|error| panic!("{}", error.render("test", text)));
        let printed = expr.to_string();
        assert_eq!(printed, *if expected.is_empty() { text } else { expected }, "{text}");
        assert_eq!(parse_expr(&printed).unwrap(), expr, "{text}");
        assert_eq!(expr.span.text(text), text.trim(), "the span of {text}");
    }
}

/// As [`expressions`], for statements.
fn statements(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let parsed = parse_statements(text).unwrap_or_else(|error| panic!("{}", error.render("test", text)));
        assert_eq!(parsed.len(), 1, "{text}");
        let printed = parsed[0].to_string();
        assert_eq!(printed, *if expected.is_empty() { text } else { expected }, "{text}");
        assert_eq!(parse_statements(&printed).unwrap(), parsed, "{text}");
        assert_eq!(parsed[0].span.text(text), text.trim(), "the span of {text}");
    }
}

/// Statements that are not Flink SQL: the text under the error's span, and its message with the advice behind a slash.
fn refused(table: &[(&str, &str, &str)]) {
    let mut wrong = String::new();
    for (text, at, expected) in table {
        let got = match parse_statements(text) {
            Err(e) => {
                let advice = e.advice().map(|advice| format!(" / {advice}")).unwrap_or_default();
                assert_eq!(e.kind(), ErrorKind::Syntax, "{text}");
                (e.span().unwrap().text(text).to_owned(), format!("{}{advice}", e.message()))
            }
            Ok(parsed) => ("it parses".to_owned(), parsed[0].to_string()),
        };
        if got != ((*at).to_owned(), (*expected).to_owned()) {
            wrong += &format!("{text}\n  want {at}: {expected}\n  got  {}: {}\n", got.0, got.1);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

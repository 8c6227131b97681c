//! Any text: parsing neither panics nor recurses without bound, an error points into the text, and a statement that
//! parses prints to text that parses to an equal statement, which prints the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pelton::sql::{parse_statements, statements};

fuzz_target!(|text: &str| {
    let Ok(statements) = statements(text) else { return };
    for statement in statements {
        let statement = match statement {
            Ok(statement) => statement,
            Err(error) => {
                let span = error.span().expect("a syntax error has a place");
                assert!(span.start <= span.end && span.end as usize <= text.len(), "{error:?}");
                assert!(!error.render("fuzz", text).is_empty());
                continue;
            }
        };
        let printed = statement.to_string();
        let again = match parse_statements(&printed) {
            Ok(again) => again,
            // Parentheses that the text had not may lift it above the limit.
            Err(error) if error.message().contains("nest deeper") => continue,
            Err(error) => panic!("{}\nprinted from: {statement:?}", error.render("printed", &printed)),
        };
        assert_eq!(again, [statement], "{printed}");
        assert_eq!(again[0].to_string(), printed);
    }
});

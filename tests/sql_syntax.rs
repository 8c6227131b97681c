//! Every conformance case is Flink SQL, or is refused as a syntax error where real Flink refused it so; and what is
//! parsed prints to text that parses to an equal tree.

use std::fs;
use std::path::{Path, PathBuf};

use pelton::ErrorKind;
use pelton::sql::{parse_statements, statements};

fn cases() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("tests/sql is there") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "sql") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql"), &mut found);
    found.sort();
    found
}

#[test]
fn every_case_parses_or_fails_as_in_flink() {
    let (mut parsed, mut refused) = (0, 0);
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        let expected = fs::read_to_string(path.with_extension("err")).unwrap_or_default();
        match (expected.lines().next() == Some("parse"), parse_statements(&text)) {
            (true, Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::Syntax, "{}", path.display());
                assert!(error.span().is_some(), "{}", path.display());
                refused += 1;
            }
            (false, Ok(_)) => parsed += 1,
            (true, Ok(_)) => panic!("{} is a syntax error in Flink", path.display()),
            (false, Err(error)) => panic!("{}", error.render(&path.display().to_string(), &text)),
        }
    }
    assert!(parsed >= 355 && refused >= 4, "{parsed} parsed, {refused} refused");
}

#[test]
fn every_statement_survives_printing() {
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        for statement in statements(&text).unwrap().flatten() {
            let printed = statement.to_string();
            let again = parse_statements(&printed)
                .unwrap_or_else(|error| panic!("{}", error.render("printed", &printed)));
            assert_eq!(again, [statement], "{}: {printed}", path.display());
        }
    }
}

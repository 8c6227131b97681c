//! Which casts there are: `tests/sql/casts.txt` holds for every pair of types what real Flink made of CAST and TRY_CAST; Pelton must take and refuse
//! the same pairs, in the same phase. What the casts give is with the cases of `tests/sql/types`.

use pelton::{Engine, ErrorKind};

const TABLE: &str = include_str!("sql/casts.txt");

/// What became of a statement, in the letters of the table.
fn outcome(statement: &str) -> String {
    let engine = Engine::builder().build().expect("an engine without settings");
    match engine.prepare(statement) {
        Ok(_) => ".".into(),
        Err(e) if e.kind() == ErrorKind::Validation => "v".into(),
        Err(e) if e.kind() == ErrorKind::Planning => "p".into(),
        Err(e) => format!("{:?}: {e}", e.kind()),
    }
}

#[test]
fn the_same_casts_are_taken_and_refused_as_in_flink() {
    let rows: Vec<(&str, Vec<&str>)> = TABLE
        .lines()
        .filter(|l| !l.starts_with('#'))
        .map(|l| {
            let (ty, cells) = l.split_once("  ").expect("a type, then its cells");
            (ty, cells.split_whitespace().collect())
        })
        .collect();
    assert_eq!(rows.len(), 26);
    let mut wrong = vec![];
    for (from, cells) in &rows {
        assert_eq!(cells.len(), rows.len(), "{from}");
        // CAST(NULL AS VARIANT) is refused, too.
        let value = match *from {
            "VARIANT" => "PARSE_JSON('1')".to_string(),
            ty => format!("CAST(NULL AS {ty})"),
        };
        for ((to, _), wanted) in rows.iter().zip(cells) {
            for cast in ["CAST", "TRY_CAST"] {
                let got = outcome(&format!("SELECT {cast}(c AS {to}) AS a FROM (VALUES ({value})) AS t(c)"));
                if got != *wanted {
                    wrong.push(format!("{cast} of {from} as {to}: {got}, in Flink {wanted}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

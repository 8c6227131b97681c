//! `docs/reference/functions.md` is what the registry says, its examples are true, and what Flink has and it lacks is named.
//!
//! `PELTON_WRITE_REFERENCE=1 cargo test --test functions_reference` writes the page anew.

use jiff::tz::TimeZone;
use pelton::batch::text::{Style, write_value};
use pelton::expr::FunctionDoc;
use pelton::expr::functions::{FLINK_AGGREGATES, FLINK_FUNCTIONS, builtin};
use pelton::{Engine, Progress};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// What Flink 2.3 has and Pelton has not, and why. The names are whole, or end in `*`.
const LEFT_OUT: &[(&str, &str)] = &[
    ("APPROX_COUNT_DISTINCT", "Flink has it in batch mode alone"),
    ("GROUP_ID", "grouping sets are told apart by GROUPING_ID"),
    ("HASH_CODE", "undocumented: a hash of Flink's own form of a value"),
    (
        "OBJECT_OF, OBJECT_UPDATE",
        "a structured type belongs to a class; Flink 2.3 fails when a result has one, and its connectors refuse it",
    ),
    ("SOURCE_WATERMARK", "it stands in WATERMARK FOR alone, and our connectors give no watermarks"),
    ("STREAMRECORD_TIMESTAMP", "only Flink's Table API can call it"),
];

/// Forms of the language that Flink's list holds and no registry does; functions of OVER windows, which belong to the operator; and
/// (by `_`) what asks for a part of a grouped window.
const FORMS: &[&str] = &[
    "COALESCE",
    "GROUPING",
    "GROUPING_ID",
    "OVERLAPS",
    "CUME_DIST",
    "DENSE_RANK",
    "LAG",
    "LEAD",
    "NTILE",
    "PERCENT_RANK",
    "RANK",
    "ROW_NUMBER",
    "HOP_",
    "SESSION_",
    "TUMBLE_",
];

/// Each function once, with all its names; aggregates last.
fn docs() -> Vec<FunctionDoc> {
    let registry = builtin();
    let scalars = registry.scalar_names().filter_map(|n| registry.scalar(n)).map(|f| f.doc());
    let aggregates = registry.aggregate_names().filter_map(|n| registry.aggregate(n)).map(|f| f.doc());
    let found: BTreeMap<_, _> = scalars
        .chain(aggregates)
        .filter(|doc| !is_internal(doc))
        .map(|doc| ((doc.family == "aggregate", doc.family, doc.names[0]), doc.clone()))
        .collect();
    found.into_values().collect()
}

/// The binder and the planner call it; in SQL it has no name.
fn is_internal(doc: &FunctionDoc) -> bool {
    ["MINUS_INTERVAL", "$SUM0", "SINGLE_VALUE"].contains(&doc.names[0])
}

/// How it is written: a signature is a whole form when a name of the function stands in it, or it has a bracket first; else it
/// lists arguments.
fn forms(doc: &FunctionDoc) -> Vec<String> {
    let word = |n: &str| n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let whole = |s: &str| {
        let known: Vec<&str> = s.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
        doc.names.iter().any(|n| !word(n) || known.contains(n)) || doc.names == ["ITEM"]
    };
    let mut out = vec![];
    for s in doc.signatures {
        if whole(s) {
            out.push(s.to_string());
        } else {
            out.extend(doc.names.iter().map(|n| format!("{n}({s})")));
        }
    }
    out
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn page() -> String {
    let mut out = String::from(
        "# Functions\n\nGenerated from the registry by `tests/functions_reference.rs`, which also runs the examples; do not edit.\n\
         CASE, COALESCE, CAST, TRY_CAST, BETWEEN, OVERLAPS, AND and OR are forms of the language and not listed, nor are the\n\
         functions of OVER windows (ROW_NUMBER, RANK, …), of grouped windows (TUMBLE_START, …) and of grouping sets (GROUPING, GROUPING_ID). What a function does differently from Flink is in [differences](differences.md).\n",
    );
    let mut family = "";
    for doc in docs() {
        if doc.family != family {
            family = doc.family;
            let mut title = family.to_string();
            title[..1].make_ascii_uppercase();
            let _ = write!(out, "\n## {title}\n\n");
            if family == "aggregate" {
                out.push_str("The examples are over the rows 1, 2, 2 of a column `k` of type INT.\n\n");
            }
            out.push_str("| function | what it gives | example |\n|---|---|---|\n");
        }
        let written: Vec<String> = forms(&doc).iter().map(|f| format!("`{f}`")).collect();
        let examples: Vec<String> = doc.examples.iter().map(|(e, v)| format!("`{e}` → `{v}`")).collect();
        let cells = [written.join("<br>"), doc.text.to_string(), examples.join("<br>")];
        let _ = writeln!(out, "| {} |", cells.map(|c| cell(&c)).join(" | "));
    }
    out.push_str("\n## Left out\n\n| function of Flink 2.3 | why |\n|---|---|\n");
    for (name, why) in LEFT_OUT {
        let _ = writeln!(out, "| {name} | {why} |");
    }
    out
}

#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/functions.md");
    if std::env::var_os("PELTON_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, page()).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "run PELTON_WRITE_REFERENCE=1 cargo test --test functions_reference");
}

#[test]
fn every_function_of_flink_is_there_or_left_out_with_a_reason() {
    let registry = builtin();
    let form = |n: &str| FORMS.iter().any(|f| *f == n || f.ends_with('_') && n.starts_with(f));
    let there = |n: &str| registry.scalar(n).is_some() || registry.aggregate(n).is_some() || form(n);
    let patterns: Vec<&str> = LEFT_OUT.iter().flat_map(|(names, _)| names.split(", ")).collect();
    let matches = |pattern: &str, n: &str| match pattern.strip_suffix('*') {
        Some(start) => n.starts_with(start),
        None => n == pattern,
    };
    let all = || FLINK_FUNCTIONS.iter().chain(FLINK_AGGREGATES).copied();
    let left_out = |n: &str| patterns.iter().any(|p| matches(p, n));
    let missing: Vec<&str> = all().filter(|n| !there(n) && !left_out(n)).collect();
    assert!(missing.is_empty(), "neither in the registry nor left out: {missing:?}");
    let both: Vec<&str> = all().filter(|n| there(n) && left_out(n)).collect();
    assert!(both.is_empty(), "in the registry, and left out: {both:?}");
    for p in &patterns {
        assert!(all().any(|n| matches(p, n)), "{p} is left out, but Flink has none");
    }
}

/// The last value of an expression as the changelog shows it.
fn value(expression: &str) -> Result<String, pelton::Error> {
    let engine = Engine::builder().build()?;
    let script = engine.prepare(&format!("SELECT {expression} AS v FROM (VALUES (1), (2), (2)) AS t(k)"))?;
    let job = script.jobs().next().expect("the script has a query");
    let mut run = job.start()?;
    let mut text = Vec::new();
    for turn in 1.. {
        let progress = run.step(turn * 1000)?;
        for batch in run.take_results() {
            let ty = &job.schema().expect("a query has a schema").fields[0].ty;
            for row in batch.sel().iter() {
                text.clear();
                write_value(batch.column(0), row, ty, &TimeZone::UTC, Style::Changelog, &mut text);
            }
        }
        if let Progress::Done = progress {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn every_function_has_a_signature_and_an_example_and_it_holds() {
    let mut wrong = vec![];
    for doc in docs() {
        let name = doc.names[0];
        if doc.signatures.is_empty() || doc.text.is_empty() {
            wrong.push(format!("{name} has no signature or no text"));
        }
        // They need a column with a watermark, keys that differ, an OVER window: the cases of tests/sql have them.
        if doc.examples.is_empty() && !["CURRENT_WATERMARK", "JSON_OBJECTAGG", "LAG"].contains(&name) {
            wrong.push(format!("{name} has no example"));
        }
        for (expression, wanted) in doc.examples {
            match value(expression) {
                Ok(got) if got == *wanted => {}
                Ok(got) => wrong.push(format!("{expression} gives {got}, not {wanted}")),
                Err(e) => wrong.push(format!("{expression} fails: {e}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

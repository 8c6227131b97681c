//! Whether an output is the expected one, in the modes that `tests/sql/README.md` describes.
//!
//! FLOAT and DOUBLE compare as numbers: both sides are rewritten to one text per number first. Java 17 prints some of them
//! with a digit more than needed, so the same number has two texts.

use crate::case::{Expected, Mode};
use pelton::ErrorKind;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a run gave: the lines of an `.out` file, or an error.
pub(crate) type Got = Result<Vec<String>, pelton::Error>;

/// Compares; the error text says what differs.
pub(crate) fn compare(expected: &Expected, mode: &Mode, got: &Got) -> Result<(), String> {
    match (expected, got) {
        (Expected::Output(want), Ok(got)) => outputs(want, mode, got),
        (Expected::Output(_), Err(e)) => Err(format!("expected a result, got an error\n  {e:?}")),
        (Expected::Error { phase, message }, Ok(got)) => Err(format!(
            "expected an error ({phase}: {message}), got {} lines of result",
            got.len().saturating_sub(1)
        )),
        (Expected::Error { phase, message }, Err(e)) => {
            if e.kind() == ErrorKind::Unsupported {
                return Err(format!(
                    "\"not supported\" is never the expected error ({phase}: {message})\n  {e:?}"
                ));
            }
            if phase_of(e.kind()) == Some(phase.as_str()) {
                return Ok(());
            }
            Err(format!("expected an error in phase {phase} ({message}), got {e:?}"))
        }
    }
}

/// The phase of the cases that an error's kind stands for.
pub(crate) fn phase_of(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Syntax => Some("parse"),
        ErrorKind::Validation => Some("validate"),
        ErrorKind::Planning => Some("plan"),
        ErrorKind::Runtime | ErrorKind::Input => Some("run"),
        _ => None,
    }
}

fn outputs(want: &[String], mode: &Mode, got: &[String]) -> Result<(), String> {
    if want == got {
        return Ok(());
    }
    let sink = want.first().is_some_and(|l| l.starts_with("# sink"));
    let headers =
        |l: &[String]| -> Vec<String> { l.iter().filter(|l| l.starts_with("# ")).cloned().collect() };
    let (a, b) = (headers(want), headers(got));
    if a != b {
        return Err(format!("header\n  want {}\n  got  {}", a.join(" | "), b.join(" | ")));
    }
    let (want, got) = (canonical(want, sink), canonical(got, sink));
    match mode {
        Mode::Changelog => sequences(&want, &got),
        _ if sink => counts(&section_lines(&want), &section_lines(&got)),
        Mode::Rows => counts(&apply(&want), &apply(&got)),
        Mode::Upsert(key) => counts(&upsert(&want, key)?, &upsert(&got, key)?),
    }
}

fn sequences(want: &[String], got: &[String]) -> Result<(), String> {
    for i in 0..want.len().max(got.len()) {
        let (a, b) = (want.get(i), got.get(i));
        if a != b {
            let show = |l: Option<&String>| l.map_or("(end)".to_owned(), Clone::clone);
            return Err(format!("line {}\n  want {}\n  got  {}", i + 1, show(a), show(b)));
        }
    }
    Ok(())
}

type Counts = BTreeMap<String, i64>;

fn counts(want: &Counts, got: &Counts) -> Result<(), String> {
    let mut out = String::new();
    let mut names: Vec<&String> = want.keys().chain(got.keys()).collect();
    names.sort();
    names.dedup();
    let differing: Vec<_> = names
        .into_iter()
        .map(|n| (n, want.get(n).copied().unwrap_or(0), got.get(n).copied().unwrap_or(0)))
        .filter(|(_, a, b)| a != b)
        .collect();
    for (name, a, b) in differing.iter().take(10) {
        let _ = write!(out, "\n  want {a}×, got {b}×: {name}");
    }
    if differing.is_empty() { Ok(()) } else { Err(format!("{} rows differ{out}", differing.len())) }
}

/// The multiset of rows after all changes. A row that was taken away too often keeps its negative count.
fn apply(lines: &[String]) -> Counts {
    let mut out = Counts::new();
    for line in lines.iter().filter(|l| !l.starts_with("# ")) {
        let delta = match line.get(..2) {
            Some("+I" | "+U") => 1,
            Some("-U" | "-D") => -1,
            _ => 0,
        };
        let row = if delta == 0 { line.as_str() } else { line.get(3..).unwrap_or("") };
        *out.entry(row.to_owned()).or_default() += if delta == 0 { 1 } else { delta };
    }
    out.retain(|_, n| *n != 0);
    out
}

/// Lines of sinks, each under its section.
fn section_lines(lines: &[String]) -> Counts {
    let (mut out, mut section) = (Counts::new(), "");
    for line in lines {
        if line.starts_with("# ") {
            section = line;
        } else {
            *out.entry(format!("{section}: {line}")).or_default() += 1;
        }
    }
    out
}

fn upsert(lines: &[String], key: &[String]) -> Result<Counts, String> {
    let header = lines.first().map_or("", String::as_str);
    let names: Vec<String> = columns(header).into_iter().map(|(n, _)| n).collect();
    let at: Vec<usize> = key
        .iter()
        .map(|k| names.iter().position(|n| n == k).ok_or_else(|| format!("no key column {k}")))
        .collect::<Result<_, _>>()?;
    let mut rows: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for line in &lines[1..] {
        let values: Vec<&str> = line.split('\t').collect();
        let key = at.iter().map(|&i| values.get(i + 1).copied().unwrap_or("").to_owned()).collect();
        match values[0] {
            "+I" | "+U" => {
                rows.insert(key, line[3..].to_owned());
            }
            "-D" => {
                rows.remove(&key);
            }
            _ => {}
        }
    }
    let mut out = Counts::new();
    for row in rows.into_values() {
        *out.entry(row).or_default() += 1;
    }
    Ok(out)
}

/// Names and types of a header `# a INT, b ROW<x INT, y INT>`.
fn columns(header: &str) -> Vec<(String, String)> {
    let (mut out, mut depth, mut quoted, mut part) = (vec![], 0, false, String::new());
    let text = header.strip_prefix("# ").unwrap_or("");
    for c in text.chars().chain([',']) {
        match c {
            '`' => quoted = !quoted,
            '<' | '(' if !quoted => depth += 1,
            '>' | ')' if !quoted => depth -= 1,
            ',' if depth == 0 && !quoted => {
                let column = std::mem::take(&mut part);
                let column = column.trim();
                let end = match column.strip_prefix('`').and_then(|r| r.find('`')) {
                    Some(n) => n + 2,
                    None => column.find(' ').unwrap_or(column.len()),
                };
                out.push((column[..end].replace('`', ""), column[end..].trim().to_owned()));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    out.retain(|(n, _)| !n.is_empty());
    out
}

/// The lines with one text for each number of a floating type.
fn canonical(lines: &[String], sink: bool) -> Vec<String> {
    if sink {
        return lines.iter().map(|l| if l.starts_with("# ") { l.clone() } else { long_numbers(l) }).collect();
    }
    let types: Vec<String> =
        lines.first().map_or(vec![], |h| columns(h).into_iter().map(|(_, t)| t).collect());
    let floating = |t: &str| t.contains("FLOAT") || t.contains("DOUBLE");
    lines
        .iter()
        .map(|line| {
            if line.starts_with("# ") || !types.iter().any(|t| floating(t)) {
                return line.clone();
            }
            let values = line.split('\t').enumerate().map(|(i, v)| {
                match i.checked_sub(1).and_then(|i| types.get(i)) {
                    Some(t) if t.starts_with("DOUBLE") => {
                        v.parse::<f64>().map_or(v.to_owned(), |d| format!("{d:?}"))
                    }
                    Some(t) if t.starts_with("FLOAT") => {
                        v.parse::<f32>().map_or(v.to_owned(), |d| format!("{d:?}"))
                    }
                    Some(t) if floating(t) => long_numbers(v),
                    _ => v.to_owned(),
                }
            });
            values.collect::<Vec<_>>().join("\t")
        })
        .collect()
}

/// Rewrites number tokens that look like a DOUBLE's full text: with an exponent, or of 16 digits and more.
fn long_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let number = &rest[start..];
        let mut end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        if let Some(e) = number[end..].strip_prefix('E') {
            let digits = e.strip_prefix('-').unwrap_or(e);
            let n = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            if n > 0 {
                end += 1 + (e.len() - digits.len()) + n;
            }
        }
        let token = &number[..end];
        let long = token.contains('E') || token.contains('.') && token.len() > 16;
        out.push_str(&rest[..start]);
        match token.parse::<f64>() {
            Ok(d) if long => {
                let _ = write!(out, "{d:?}");
            }
            _ => out.push_str(token),
        }
        rest = &number[end..];
    }
    out + rest
}

/// Checks of the comparison itself: it must be able to fail.
pub(crate) mod checks {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn same(mode: &Mode, want: &str, got: &str) -> bool {
        compare(&Expected::Output(lines(want)), mode, &Ok(lines(got))).is_ok()
    }

    pub(crate) fn sequences_and_multisets() {
        let a = "# x INT\n+I\t1\n-U\t1\n+U\t2";
        assert!(same(&Mode::Changelog, a, a));
        assert!(!same(&Mode::Changelog, a, "# x INT\n+I\t2"));
        assert!(same(&Mode::Rows, a, "# x INT\n+I\t2"));
        assert!(!same(&Mode::Rows, a, "# x INT\n+I\t2\n+I\t2"));
        assert!(!same(&Mode::Rows, a, "# x BIGINT\n+I\t2"), "the header counts");
        assert!(!same(&Mode::Rows, "# x INT", "# x INT\n-D\t2"), "a row taken away too often counts");
        assert!(!same(&Mode::Rows, a, "# x INT"));
    }

    pub(crate) fn upserts_by_key() {
        let mode = Mode::Upsert(vec!["k".into()]);
        let want = "# `odd, name` INT, k STRING\n+I\t1\ta\n+U\t2\ta";
        assert!(same(&mode, want, "# `odd, name` INT, k STRING\n+I\t2\ta"));
        assert!(!same(&mode, want, "# `odd, name` INT, k STRING\n+I\t2\tb"));
        assert!(!same(&mode, want, "# `odd, name` INT, k STRING\n+I\t2\ta\n-D\t9\ta"));
    }

    pub(crate) fn floats_are_numbers() {
        let want = "# a DOUBLE, b FLOAT NOT NULL, c ARRAY<DOUBLE>, d STRING\n+I\t2.0E-3\t1.0E10\t[2.0000000000000001E18]\t1.0";
        let got = "# a DOUBLE, b FLOAT NOT NULL, c ARRAY<DOUBLE>, d STRING\n+I\t0.002\t1.0E10\t[2.0E18]\t1.0";
        assert!(same(&Mode::Changelog, want, got));
        assert!(!same(&Mode::Changelog, want, &got.replace("0.002", "0.0021")));
        assert!(!same(&Mode::Changelog, want, &got.replace("\t1.0", "\t1.00")), "a STRING is no number");
    }

    pub(crate) fn sinks_compare_by_section() {
        let want = "# sink file a\n1,x\n2,y\n# sink print\nP> +I[1]";
        assert!(same(&Mode::Rows, want, "# sink file a\n2,y\n1,x\n# sink print\nP> +I[1]"));
        assert!(!same(&Mode::Rows, want, "# sink file a\n1,x\nP> +I[1]\n# sink print\n2,y"));
        assert!(!same(&Mode::Rows, want, "# sink file a\n1,x\n2,y"));
    }

    pub(crate) fn errors_by_phase() {
        let want = Expected::Error { phase: "run".into(), message: "m".into() };
        let is = |e: pelton::Error| compare(&want, &Mode::Rows, &Err(e)).is_ok();
        assert!(is(pelton::Error::runtime("division by zero")) && is(pelton::Error::input("bad row")));
        assert!(!is(pelton::Error::validation("x", pelton::Span::default())));
        assert!(!is(pelton::Error::unsupported("MATCH_RECOGNIZE", pelton::Span::default())));
        assert!(compare(&want, &Mode::Rows, &Ok(vec![])).is_err());
        let output = Expected::Output(vec!["# x INT".into()]);
        assert!(compare(&output, &Mode::Rows, &Err(pelton::Error::runtime("x"))).is_err());
    }
}

//! One case: the script, how its result is compared, and what is expected.

use std::path::{Path, PathBuf};

/// What Flink made of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The lines of the `.out` file.
    Output(Vec<String>),
    /// The phase and the message of the `.err` file.
    Error { phase: String, message: String },
}

/// How two outputs are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Line by line.
    Changelog,
    /// The multiset of rows after applying the changes.
    Rows,
    /// The rows after applying the changes as an upsert by these columns.
    Upsert(Vec<String>),
}

/// A script with its expectation.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// `group/name`.
    pub(crate) name: String,
    pub(crate) sql: String,
    pub(crate) data: PathBuf,
    pub(crate) mode: Mode,
    /// What is expected follows from a rule of the optimiser: it is not run without.
    pub(crate) needs_optimiser: bool,
    pub(crate) expected: Expected,
}

impl Case {
    /// Reads `<root>/<group>/<name>.sql` and what stands beside it.
    pub(crate) fn read(root: &Path, group: &str, name: &str) -> Result<Case, String> {
        let file = root.join(group).join(name);
        let read = |extension: &str| std::fs::read_to_string(file.with_extension(extension));
        let sql = read("sql").map_err(|e| format!("{group}/{name}.sql: {e}"))?;
        let expected = match (read("out"), read("err")) {
            (Ok(text), Err(_)) => Expected::Output(text.lines().map(str::to_owned).collect()),
            (Err(_), Ok(text)) => {
                let (phase, message) = text.split_once('\n').unwrap_or((&text, ""));
                Expected::Error { phase: phase.to_owned(), message: message.trim_end().to_owned() }
            }
            _ => return Err(format!("{group}/{name} needs exactly one of .out and .err")),
        };
        let mode = mode(&sql).map_err(|e| format!("{group}/{name}: {e}"))?;
        let needs_optimiser = directive(&sql, "optimizer") == Some("on");
        let (name, data) = (format!("{group}/{name}"), root.join("data"));
        Ok(Case { name, sql, data, mode, needs_optimiser, expected })
    }

    pub(crate) fn group(&self) -> &str {
        self.name.split('/').next().unwrap_or("")
    }

    /// The script with `${DATA}` and `${OUT}` filled in.
    pub(crate) fn script(&self, out: &Path) -> String {
        self.sql.replace("${DATA}", &self.data.to_string_lossy()).replace("${OUT}", &out.to_string_lossy())
    }
}

/// The value of a leading comment `-- name: value`.
fn directive<'a>(sql: &'a str, name: &str) -> Option<&'a str> {
    sql.lines()
        .take_while(|l| l.starts_with("--"))
        .find_map(|l| l[2..].trim_start().strip_prefix(name)?.strip_prefix(':').map(str::trim))
}

fn mode(sql: &str) -> Result<Mode, String> {
    let key = directive(sql, "key").map(|k| k.split(',').map(|c| c.trim().to_owned()).collect());
    match (directive(sql, "compare"), key) {
        (Some("changelog"), None) => Ok(Mode::Changelog),
        (Some("rows"), None) => Ok(Mode::Rows),
        (Some("rows"), Some(key)) => Ok(Mode::Upsert(key)),
        (other, _) => Err(format!("`-- compare:` must be changelog or rows, not {other:?}")),
    }
}

/// All cases under `root`, in the order of their names.
pub(crate) fn all(root: &Path) -> Vec<Case> {
    let mut out = vec![];
    for group in sorted(root) {
        if !root.join(&group).is_dir() || group == "data" {
            continue;
        }
        for file in sorted(&root.join(&group)) {
            if let Some(name) = file.strip_suffix(".sql") {
                out.push(Case::read(root, &group, name).unwrap_or_else(|e| panic!("{e}")));
            }
        }
    }
    out
}

fn sorted(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut names: Vec<_> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The cases that cannot pass yet, with the reason: `group/name  reason`, one a line.
pub(crate) fn pending(root: &Path, cases: &[Case]) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root.join("pending.txt")).unwrap_or_default();
    let mut out: Vec<(String, String)> = vec![];
    for line in text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        let (name, reason) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        assert!(!reason.trim().is_empty(), "pending.txt: {name} has no reason");
        assert!(cases.iter().any(|c| c.name == name), "pending.txt: there is no case {name}");
        assert!(!out.iter().any(|(n, _)| n == name), "pending.txt: {name} stands there twice");
        out.push((name.to_owned(), reason.trim().to_owned()));
    }
    out
}

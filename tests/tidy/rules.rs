//! The rules, each a function from one source file to what is wrong with it. The tables are those of the design; a table
//! that hinders is changed by a decision record, not by an exception here.

use crate::scan::{Source, ident, words};

/// A broken rule: `file:line: message`.
pub(crate) type Finding = String;

fn finding(s: &Source, at: usize, message: impl std::fmt::Display) -> Finding {
    format!("{}:{}: {message}", s.path, s.line(at))
}

/// Modules that everyone may import.
const FREE: &[&str] = &["error", "time", "config"];

/// Who may import whom.
const IMPORTS: &[(&str, &[&str])] = &[
    ("ring", &["host"]),
    ("batch", &[]),
    ("host", &[]),
    ("metrics", &[]),
    ("wire", &[]),
    ("error", &[]),
    ("time", &[]),
    ("config", &["batch"]),
    ("expr", &["batch"]),
    ("formats", &["batch"]),
    ("state", &["batch", "host"]),
    ("plan", &["batch", "expr"]),
    ("sql", &["batch", "expr", "plan"]),
    ("operators", &["batch", "expr", "state", "plan", "metrics"]),
    ("log", &["host", "metrics", "wire"]),
    ("checkpoint", &["host", "state", "log", "metrics"]),
    ("shard", &["batch", "operators", "ring", "state", "plan", "checkpoint", "host", "metrics"]),
    ("sources", &["batch", "formats", "plan", "log", "ring", "host", "metrics", "shard"]),
    ("sinks", &["batch", "formats", "plan", "log", "ring", "host", "metrics", "shard"]),
    ("serving", &["batch", "expr", "sql", "plan", "operators", "state", "metrics"]),
    ("edge", &["wire", "log", "serving", "host", "metrics"]),
];

/// `engine`, the crate's root and the binary may name anything.
const UNBOUND: &[&str] = &["engine", "lib", "bin"];

/// Imports stay inside the table. `reexports` maps names that the crate's root re-exports to their module.
pub(crate) fn imports(s: &Source, reexports: &[(String, String)]) -> Vec<Finding> {
    let Some(me) = s.module() else { return vec![] };
    if UNBOUND.contains(&me) {
        return vec![];
    }
    let Some((_, may)) = IMPORTS.iter().find(|(m, _)| *m == me) else {
        return vec![finding(
            s,
            0,
            format!("module `{me}` has no line in the import table of tests/tidy/rules.rs"),
        )];
    };
    let mut out = vec![];
    for (name, at) in s.root_names() {
        let target = reexports.iter().find(|(n, _)| *n == name).map_or(name.as_str(), |(_, m)| m.as_str());
        if target == me || FREE.contains(&target) || may.contains(&target) || target == "self" {
            continue;
        }
        out.push(finding(s, at, format!("`{me}` may not import `{target}`")));
    }
    if me == "sources" || me == "sinks" {
        out.extend(only_io_traits(s));
    }
    out
}

/// Connectors take `Input`, `Output` and what belongs to them from `shard`, nothing else.
fn only_io_traits(s: &Source) -> Vec<Finding> {
    let allowed = ["Input", "Output", "IoContext", "Polled", "Comes", "InputCounters", "io"];
    let mut out = vec![];
    for at in words(&s.live, "crate::shard") {
        let rest = &s.live[at + "crate::shard".len()..];
        let list = rest.split(';').next().unwrap_or("");
        for name in list.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|n| !n.is_empty()) {
            if name == "as" {
                break;
            }
            if !allowed.contains(&name) && list.len() < 200 {
                out.push(finding(s, at, format!("a connector may not use `shard::{name}`")));
            }
            if !rest.starts_with("::{") && name != "io" {
                break;
            }
        }
    }
    out
}

/// Modules that are plain functions over memory.
const PURE: &[&str] = &[
    "batch",
    "expr",
    "plan",
    "sql",
    "formats",
    "state",
    "operators",
    "wire",
    "shard",
    "error",
    "time",
    "config",
];
const OUTSIDE: &[(&str, &str)] = &[
    ("std::fs", "a file"),
    ("std::net", "a socket"),
    ("std::thread", "a thread"),
    ("std::process", "a process"),
    ("std::env", "the environment"),
    ("Instant", "a clock"),
    ("SystemTime", "a clock"),
    ("Timestamp::now", "a clock"),
    ("Zoned::now", "a clock"),
    ("TcpStream", "a socket"),
    ("UdpSocket", "a socket"),
    ("tokio", "a runtime"),
];

/// The core sees no clock, socket, file or thread.
pub(crate) fn absences(s: &Source) -> Vec<Finding> {
    let me = s.module().unwrap_or("");
    let mut out = vec![];
    if PURE.contains(&me) {
        for (name, what) in OUTSIDE {
            for at in words(&s.live, name) {
                out.push(finding(s, at, format!("`{me}` may not see {what} (`{name}`)")));
            }
        }
        for group in ["fs", "net", "thread", "process", "env"] {
            for at in words(&s.live, "use std") {
                let list = s.live[at..].split(';').next().unwrap_or("");
                if list.starts_with("use std::{") && list.split(['{', ',']).any(|p| ident(p.trim()) == group)
                {
                    out.push(finding(s, at, format!("`{me}` may not see `std::{group}`")));
                }
            }
        }
    }
    if me != "edge" {
        for name in ["glommio", "glommio_ng"] {
            for at in words(&s.live, name) {
                out.push(finding(s, at, "only `edge` may use glommio"));
            }
        }
    }
    out
}

/// Where waiting is allowed. `bin` is outside the library.
const MAY_WAIT: &[&str] = &["edge", "sources", "sinks", "serving", "bin"];
const WAITING: &[&str] = &[
    "Mutex",
    "RwLock",
    "Condvar",
    "mpsc",
    "crossbeam_channel",
    "crossbeam::channel",
    "parking_lot",
    "flume",
];

/// Locks and channels stay at the border.
pub(crate) fn locks(s: &Source) -> Vec<Finding> {
    let me = s.module().unwrap_or("");
    // The simulated disk stands for a device that many share.
    if MAY_WAIT.contains(&me) || s.path == "src/host/sim.rs" {
        return vec![];
    }
    WAITING
        .iter()
        .flat_map(|name| words(&s.live, name).into_iter().map(move |at| (name, at)))
        .map(|(name, at)| {
            finding(s, at, format!("`{name}` may appear only in edge, sources, sinks, serving"))
        })
        .collect()
}

const SCALARS: &[&str] = &[
    "bool", "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "f32", "f64", "String", "Vec<u8>",
    "Box<str>", "Arc<str>", "&str", "&[u8]",
];

/// No enum that holds one value of any type: rows are columns.
pub(crate) fn scalar_enums(s: &Source) -> Vec<Finding> {
    if !["operators", "expr", "state", "batch", "shard"].contains(&s.module().unwrap_or("")) {
        return vec![];
    }
    let mut out = vec![];
    for at in words(&s.live, "enum") {
        let Some(open) = s.live[at..].find('{').map(|n| at + n) else { continue };
        let name = ident(s.live[at + 4..].trim_start());
        let body = &s.live[open + 1..matching(&s.live, open)];
        let mut kinds: Vec<&str> = vec![];
        for (i, _) in body.match_indices('(') {
            let field = body[i + 1..].split(')').next().unwrap_or("").trim();
            let plain = field.replace("'a ", "").replace("'_ ", "");
            if let Some(k) = SCALARS.iter().find(|k| **k == plain)
                && !kinds.contains(k)
            {
                kinds.push(k);
            }
        }
        if kinds.len() >= 3 || ["Scalar", "ScalarValue", "Datum", "AnyValue"].contains(&name) {
            out.push(finding(s, at, format!("`enum {name}` is a value of any type: use columns")));
        }
    }
    for at in words(&s.live, "serde_json::Value") {
        out.push(finding(s, at, "a `serde_json::Value` per row is a value of any type: use columns"));
    }
    out
}

fn matching(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (i, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return open + i,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Files that may hold `unsafe`, besides those under `ring/` and `expr/kernels/`: each has a bench or an obligation that
/// its `expect(unsafe_code, reason = …)` names.
const UNSAFE_FILES: &[&str] = &[
    "src/host/mmap.rs",
    "src/host/uring.rs",
    "src/host/zeroed.rs",
    "src/wire/checksum.rs",
    "src/bin/pelton/memory.rs",
    "tests/function_allocations.rs",
];

/// `unsafe` stays where it is allowed, is expected with a reason, and says why it is sound.
pub(crate) fn unsafe_code(s: &Source) -> Vec<Finding> {
    let mut out = vec![];
    let at = words(&s.live, "unsafe");
    let allowed = s.path.starts_with("src/ring/")
        || s.path.starts_with("src/expr/kernels")
        || UNSAFE_FILES.contains(&s.path.as_str());
    if at.is_empty() {
        return out;
    }
    if !allowed {
        out.push(finding(s, at[0], "`unsafe` is not allowed in this file"));
    }
    if !s.text.contains("expect(unsafe_code, reason") && !s.text.contains("expect(\n    unsafe_code,") {
        out.push(finding(s, at[0], "`unsafe` without `expect(unsafe_code, reason = \"…\")`"));
    }
    let lines: Vec<&str> = s.text.lines().collect();
    for at in at {
        let after = s.code[at + 6..].trim_start();
        if !after.starts_with('{') && !after.starts_with("impl") {
            continue;
        }
        let line = s.line(at) - 1;
        if !lines[line.saturating_sub(8)..=line].iter().any(|l| l.contains("SAFETY:")) {
            out.push(finding(s, at, "`unsafe` without a `// SAFETY:` comment that answers the obligations"));
        }
    }
    out
}

/// Lines of code a file may have.
pub(crate) const MAX_LINES: usize = 800;

/// Files over the limit, with the size they may not exceed. May only shrink.
pub(crate) const LONG_FILES: &[(&str, usize)] = &[];

/// A long file hides a noun.
pub(crate) fn length(s: &Source, long: &[(&str, usize)]) -> Vec<Finding> {
    let lines = s.code_lines();
    match long.iter().find(|(p, _)| *p == s.path) {
        Some((_, most)) if lines > *most => {
            vec![finding(
                s,
                0,
                format!("{lines} lines of code; its exception allows {most} and may only shrink"),
            )]
        }
        Some(_) if lines <= MAX_LINES => vec![finding(s, 0, "fits the limit now: take it off LONG_FILES")],
        None if lines > MAX_LINES => {
            vec![finding(
                s,
                0,
                format!("{lines} lines of code (limit {MAX_LINES}): look for the noun hiding in it"),
            )]
        }
        _ => vec![],
    }
}

/// Every file opens with what it is.
pub(crate) fn opening(s: &Source) -> Vec<Finding> {
    let mut lines = s.text.lines().skip_while(|l| l.starts_with("#!") || l.trim().is_empty());
    match lines.next() {
        Some(l) if l.starts_with("//!") && l.len() > 6 => vec![],
        _ => {
            vec![finding(s, 0, "must open with a `//!` paragraph: what it is, its invariants, why this way")]
        }
    }
}

const BAD_NAMES: &[&str] =
    &["util", "utils", "common", "manager", "helper", "helpers", "misc", "v2", "types2", "new"];

/// Names say the noun.
pub(crate) fn names(s: &Source) -> Vec<Finding> {
    let mut out = vec![];
    for part in s.path.split('/') {
        let stem = part.strip_suffix(".rs").unwrap_or(part);
        if BAD_NAMES.contains(&stem)
            || ["_utils", "_manager", "_v2", "_common"].iter().any(|e| stem.ends_with(e))
        {
            out.push(finding(s, 0, format!("`{stem}` names no noun")));
        }
    }
    for keyword in ["mod", "struct", "enum", "trait"] {
        for at in words(&s.code, keyword) {
            let name = ident(s.code[at + keyword.len()..].trim_start());
            if (keyword == "mod" && BAD_NAMES.contains(&name))
                || (keyword != "mod"
                    && (name.ends_with("Manager") || name.ends_with("Utils") || name.ends_with("Helper")))
            {
                out.push(finding(s, at, format!("`{keyword} {name}` names no noun")));
            }
        }
    }
    out
}

/// Nothing unfinished is called, and modules stand where their path says.
pub(crate) fn unfinished(s: &Source) -> Vec<Finding> {
    let mut out = vec![];
    for name in ["todo!", "unimplemented!", "dbg!"] {
        for (at, _) in s.live.match_indices(name) {
            out.push(finding(s, at, format!("`{name}` in code that runs")));
        }
    }
    if s.path.starts_with("src/") {
        for (at, _) in s.code.match_indices("#[path") {
            out.push(finding(s, at, "`#[path]` hides where a module stands"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::new(path, text)
    }

    #[test]
    fn a_forbidden_import_is_found_in_every_form() {
        let re = [("Engine".to_owned(), "engine".to_owned()), ("Error".to_owned(), "error".to_owned())];
        for bad in
            ["use crate::log::Log;", "use crate::{batch::Batch, host};", "fn f() { crate::Engine::new(); }"]
        {
            assert_eq!(imports(&source("src/operators/x.rs", bad), &re).len(), 1, "{bad}");
        }
        for good in [
            "use crate::batch::Batch;",
            "use crate::Error;",
            "use crate::operators::Operator;",
            "use super::Operator;",
        ] {
            assert!(imports(&source("src/operators/x.rs", good), &re).is_empty(), "{good}");
        }
        assert_eq!(imports(&source("src/newcomer/x.rs", ""), &re).len(), 1);
        assert!(imports(&source("src/engine/x.rs", "use crate::log;"), &re).is_empty());
    }

    #[test]
    fn connectors_take_only_the_io_traits_of_a_shard() {
        assert!(
            imports(&source("src/sinks/print/mod.rs", "use crate::shard::{IoContext, Output};"), &[])
                .is_empty()
        );
        assert!(imports(&source("src/sinks/print/mod.rs", "use crate::shard::io::Output;"), &[]).is_empty());
        assert_eq!(
            imports(&source("src/sinks/print/mod.rs", "use crate::shard::{Output, Shard};"), &[]).len(),
            1
        );
        assert_eq!(imports(&source("src/sinks/print/mod.rs", "use crate::shard::Shard;"), &[]).len(), 1);
    }

    #[test]
    fn the_core_sees_no_clock_file_socket_or_thread() {
        for bad in [
            "use std::time::Instant;",
            "use std::{fs, io};",
            "std::thread::spawn(f);",
            "let s: std::net::TcpListener;",
            "SystemTime::now()",
            "jiff::Timestamp::now()",
        ] {
            assert!(!absences(&source("src/operators/x.rs", bad)).is_empty(), "{bad}");
            assert!(absences(&source("src/host/x.rs", bad)).is_empty(), "{bad}");
        }
        assert!(absences(&source("src/operators/x.rs", "use std::{fmt, sync::Arc}; // std::fs")).is_empty());
        assert_eq!(absences(&source("src/log/x.rs", "use glommio::Task;")).len(), 1);
    }

    #[test]
    fn locks_and_channels_stay_at_the_border() {
        for bad in ["use std::sync::Mutex;", "Arc<RwLock<u8>>", "std::sync::mpsc::channel()"] {
            assert!(!locks(&source("src/shard/x.rs", bad)).is_empty(), "{bad}");
            assert!(locks(&source("src/sources/file/x.rs", bad)).is_empty(), "{bad}");
        }
        assert!(locks(&source("src/shard/x.rs", "use std::sync::OnceLock;")).is_empty());
    }

    #[test]
    fn an_enum_of_scalars_is_found() {
        let bad = "enum Cell { Null, Int(i64), Float(f64), Text(String) }";
        assert_eq!(scalar_enums(&source("src/operators/x.rs", bad)).len(), 1);
        assert_eq!(scalar_enums(&source("src/operators/x.rs", "enum Datum { A }")).len(), 1);
        assert!(scalar_enums(&source("src/plan/x.rs", bad)).is_empty());
        assert!(
            scalar_enums(&source(
                "src/expr/x.rs",
                "enum Node { Column(usize), Call(Vec<Node>), Flag(bool) }"
            ))
            .is_empty()
        );
        assert_eq!(scalar_enums(&source("src/operators/x.rs", "let v: serde_json::Value;")).len(), 1);
    }

    #[test]
    fn unsafe_needs_a_place_a_reason_and_an_answer() {
        assert!(!unsafe_code(&source("src/operators/x.rs", "unsafe { f() }")).is_empty());
        let good = "#![expect(unsafe_code, reason = \"maps files\")]\nfn f() {\n    // SAFETY: g has no obligations.\n    unsafe { g() }\n}\n";
        assert!(unsafe_code(&source("src/host/mmap.rs", good)).is_empty());
        assert_eq!(unsafe_code(&source("src/host/mmap.rs", &good.replace("SAFETY", "Note"))).len(), 1);
        assert_eq!(unsafe_code(&source("src/host/mmap.rs", &good.replace("reason", "because"))).len(), 1);
        assert!(unsafe_code(&source("src/operators/x.rs", "#![deny(unsafe_code)] // unsafe")).is_empty());
    }

    #[test]
    fn long_files_are_found_and_exceptions_only_shrink() {
        let long = "fn f() {}\n".repeat(MAX_LINES + 1);
        assert_eq!(length(&source("src/x.rs", &long), &[]).len(), 1);
        assert!(length(&source("src/x.rs", &long), &[("src/x.rs", MAX_LINES + 1)]).is_empty());
        assert_eq!(
            length(&source("src/x.rs", &(long + "fn g() {}")), &[("src/x.rs", MAX_LINES + 1)]).len(),
            1
        );
        assert_eq!(length(&source("src/x.rs", "fn f() {}"), &[("src/x.rs", 900)]).len(), 1);
        let documented = "/// Words.\n".repeat(2 * MAX_LINES);
        assert!(length(&source("src/x.rs", &documented), &[]).is_empty());
    }

    #[test]
    fn openings_names_and_unfinished_code() {
        assert_eq!(opening(&source("src/x.rs", "use a;")).len(), 1);
        assert!(opening(&source("fuzz/x.rs", "#![no_main]\n//! Fuzzes the parser.")).is_empty());
        assert_eq!(names(&source("src/sql/utils.rs", "")).len(), 1);
        assert_eq!(names(&source("src/sql/x.rs", "struct TableManager;")).len(), 1);
        assert!(names(&source("src/sql/x.rs", "struct Table; // common")).is_empty());
        assert_eq!(unfinished(&source("src/x.rs", "fn f() { todo!() }")).len(), 1);
        assert!(unfinished(&source("src/x.rs", "#[cfg(test)]\nmod t { fn f() { todo!() } }")).is_empty());
    }
}

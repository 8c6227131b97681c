//! Holds the tree to the design: who imports whom, what the core must not see, how files look, what the documents claim.
//!
//! Each rule is a function that its own tests feed with seeded violations, so that a rule that cannot fail fails. A finding
//! is `file:line: what is wrong`.

#[path = "tidy/docs.rs"]
mod docs;
#[path = "tidy/examples.rs"]
mod examples;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/scan.rs"]
mod scan;

use scan::Source;
use std::path::{Path, PathBuf};

/// The repository: cargo names it when it runs a test.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// All files with that extension, as paths from the root, sorted. Build output and version control are left out.
fn files(extension: &str) -> Vec<String> {
    fn walk(dir: &Path, root: &Path, extension: &str, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).expect("a readable folder").map(|e| e.expect("an entry").path()) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if entry.is_dir() {
                if !["target", ".git", "corpus", "artifacts", "node_modules"].contains(&name.as_str()) {
                    walk(&entry, root, extension, out);
                }
            } else if entry.extension().is_some_and(|e| e == extension) {
                let path = entry.strip_prefix(root).expect("under the root");
                out.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    let mut out = vec![];
    walk(&root(), &root(), extension, &mut out);
    out.sort();
    assert!(!out.is_empty(), "no .{extension} files: the walk is broken");
    out
}

fn sources() -> Vec<Source> {
    files("rs")
        .into_iter()
        .map(|p| {
            let text = std::fs::read_to_string(root().join(&p)).expect("readable source");
            Source::new(p, text)
        })
        .collect()
}

fn report(findings: Vec<String>) {
    assert!(findings.is_empty(), "{} findings:\n{}\n", findings.len(), findings.join("\n"));
}

fn check(rule: impl Fn(&Source) -> Vec<String>) {
    report(sources().iter().flat_map(rule).collect());
}

/// Names that the crate's root re-exports, with their module.
fn reexports(sources: &[Source]) -> Vec<(String, String)> {
    let lib = sources.iter().find(|s| s.path == "src/lib.rs").expect("src/lib.rs");
    let mut out = vec![];
    for (at, _) in lib.code.match_indices("pub use ") {
        let list = lib.code[at + 8..].split(';').next().unwrap_or("");
        let Some((module, names)) = list.split_once("::") else { continue };
        for name in names.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|n| !n.is_empty()) {
            out.push((name.to_owned(), module.to_owned()));
        }
    }
    out
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let all = sources();
    let names = reexports(&all);
    report(all.iter().flat_map(|s| rules::imports(s, &names)).collect());
}

#[test]
fn the_core_sees_no_clock_file_socket_or_thread() {
    check(rules::absences);
}

#[test]
fn locks_and_channels_stay_at_the_border() {
    check(rules::locks);
}

#[test]
fn no_value_of_any_type_in_operators_and_kernels() {
    check(rules::scalar_enums);
}

#[test]
fn unsafe_code_has_a_place_and_a_reason() {
    check(rules::unsafe_code);
}

#[test]
fn files_stay_short() {
    check(|s| rules::length(s, rules::LONG_FILES));
    for (path, _) in rules::LONG_FILES {
        assert!(root().join(path).exists(), "LONG_FILES names {path}, which is gone");
    }
}

#[test]
fn files_open_with_what_they_are() {
    check(rules::opening);
}

#[test]
fn what_a_user_meets_has_an_example() {
    report(examples::missing(&sources()));
}

#[test]
fn names_say_the_noun() {
    check(rules::names);
}

#[test]
fn nothing_unfinished_is_called() {
    check(rules::unfinished);
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut findings = vec![];
    for file in files("md") {
        let text = std::fs::read_to_string(root().join(&file)).expect("readable text");
        findings.extend(docs::broken_links(&root(), &file, &text));
    }
    report(findings);
}

#[test]
fn commands_in_the_readme_name_files_that_exist() {
    let mut findings = vec![];
    for file in files("md").iter().filter(|f| *f == "README.md" || f.starts_with("docs/")) {
        let text = std::fs::read_to_string(root().join(file)).expect("readable text");
        findings.extend(docs::missing_files(&root(), file, &text));
    }
    report(findings);
}

#[test]
fn documents_name_code_that_exists() {
    let code: String = sources().into_iter().map(|s| s.code).collect();
    let mut findings = vec![];
    for file in ["README.md", "docs/ARCHITECTURE.md", "docs/glossary.md"] {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else {
            findings.push(format!("{file} does not exist"));
            continue;
        };
        findings.extend(docs::missing_names(&root(), file, &text, &code));
    }
    report(findings);
}

#[test]
fn the_licence_is_there() {
    assert!(root().join("LICENSE").exists() && root().join("CHANGELOG.md").exists());
}

//! What the documentation claims about the tree: links lead somewhere, commands name files that exist, and a file or
//! function named in `docs/ARCHITECTURE.md` is in the source.

use std::path::{Path, PathBuf};

/// A Markdown text without the contents of its code fences; lines keep their number.
fn prose(text: &str) -> String {
    let mut fenced = false;
    text.lines()
        .map(|l| {
            let fence = l.trim_start().starts_with("```");
            fenced ^= fence;
            if fenced || fence { "" } else { l }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Targets of `[text](target)`, with their line, code left out.
pub(crate) fn links(text: &str) -> Vec<(usize, String)> {
    let mut out = vec![];
    for (n, line) in prose(text).lines().enumerate() {
        let visible: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        for (i, _) in visible.match_indices("](") {
            if let Some(end) = visible[i + 2..].find(')') {
                out.push((n + 1, visible[i + 2..i + 2 + end].trim().to_owned()));
            }
        }
    }
    out
}

/// The anchor that a heading gets: lower case, words joined by `-`.
pub(crate) fn slug(heading: &str) -> String {
    let mut out = String::new();
    for c in heading.trim().chars() {
        match c {
            c if c.is_alphanumeric() || c == '_' || c == '-' => out.extend(c.to_lowercase()),
            ' ' => out.push('-'),
            _ => {}
        }
    }
    out
}

/// Relative links of one file that lead nowhere.
pub(crate) fn broken_links(root: &Path, file: &str, text: &str) -> Vec<String> {
    let mut out = vec![];
    for (line, target) in links(text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let at: PathBuf = if path.is_empty() {
            root.join(file)
        } else {
            root.join(file).parent().unwrap_or(root).join(path)
        };
        if !at.exists() {
            out.push(format!("{file}:{line}: link to `{path}`, which does not exist"));
        } else if !anchor.is_empty() && at.extension().is_some_and(|e| e == "md") {
            let text = std::fs::read_to_string(&at).unwrap_or_default();
            let found =
                prose(&text).lines().any(|l| l.starts_with('#') && slug(l.trim_start_matches('#')) == anchor);
            if !found {
                out.push(format!("{file}:{line}: `{target}` has no such heading"));
            }
        }
    }
    out
}

/// Lines of the shell fences (```sh, ```console) of a text.
pub(crate) fn shell_lines(text: &str) -> Vec<(usize, String)> {
    let mut out = vec![];
    let mut shell = false;
    for (n, line) in text.lines().enumerate() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            shell = !shell && ["sh", "bash", "console"].contains(&info.trim());
        } else if shell && !line.trim().is_empty() && !line.starts_with('#') {
            out.push((n + 1, line.trim_start_matches("$ ").to_owned()));
        }
    }
    out
}

/// Words of commands that look like files of the repository and are none.
pub(crate) fn missing_files(root: &Path, file: &str, text: &str) -> Vec<String> {
    let mut out = vec![];
    for (line, command) in shell_lines(text) {
        let command = command.split(" #").next().unwrap_or("");
        for word in command.split_whitespace() {
            let word = word.trim_matches(['"', '\'']);
            let looks =
                word.contains('/') || [".sql", ".csv", ".sh", ".toml"].iter().any(|e| word.ends_with(e));
            let foreign = word.starts_with(['/', '~', '$', '-'])
                || word.contains("://")
                || word.contains(['{', '=', '$', ':'])
                || word.starts_with("target/");
            if looks && !foreign && !root.join(word.trim_start_matches("./")).exists() {
                out.push(format!("{file}:{line}: command names `{word}`, which does not exist"));
            }
        }
    }
    out
}

/// Inline code of a text: (line, contents).
fn inline_code(text: &str) -> Vec<(usize, String)> {
    let mut out = vec![];
    for (n, line) in prose(text).lines().enumerate() {
        for part in line.split('`').skip(1).step_by(2) {
            out.push((n + 1, part.to_owned()));
        }
    }
    out
}

/// Files (`src/…`) and functions (`Type::name`, `name()`) that a text names and the source does not have. `code` is all
/// source, comments masked.
pub(crate) fn missing_names(root: &Path, file: &str, text: &str, code: &str) -> Vec<String> {
    let mut out = vec![];
    for (line, name) in inline_code(text) {
        let path_like = ["src/", "tests/", "benches/", "docs/", "examples/", "scripts/", ".ci/", "fuzz/"]
            .iter()
            .any(|p| name.starts_with(p));
        if path_like && !name.contains(['*', '<', '…']) {
            let path = name.split(['#', ' ', ':']).next().unwrap_or("");
            if !root.join(path).exists() {
                out.push(format!("{file}:{line}: names `{path}`, which does not exist"));
            }
            continue;
        }
        let function = name.strip_suffix("()").or_else(|| name.contains("::").then_some(name.as_str()));
        let Some(function) = function else { continue };
        let last = function.rsplit("::").next().unwrap_or("");
        let plain = !last.is_empty() && function.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
        let known = ["fn", "struct", "enum", "trait", "type", "const", "mod"]
            .iter()
            .any(|k| !crate::scan::words(code, &format!("{k} {last}")).is_empty())
            || !crate::scan::words(code, last).is_empty() && last.starts_with(char::is_uppercase);
        if plain && !known {
            out.push(format!("{file}:{line}: names `{name}`, which the source does not have"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn a_broken_link_is_found() {
        let text = "See [a](Cargo.toml), [b](nowhere.md), [c](https://example.org) and `[d](x)`.\n```\n[e](y)\n```\n";
        assert_eq!(broken_links(&root(), "README.md", text).len(), 1);
        assert_eq!(broken_links(&root(), "tests/sql/README.md", "[x](#a-script) [y](#gone)").len(), 1);
        assert_eq!(slug("What it is `not`, yet"), "what-it-is-not-yet");
    }

    #[test]
    fn a_command_with_a_missing_file_is_found() {
        let text = "```sh\ncargo run -- run Cargo.toml   # no/comment\nscripts/absent --flag=a/b\n```\n```sql\nx/y\n```\n";
        assert_eq!(missing_files(&root(), "README.md", text).len(), 1);
    }

    #[test]
    fn a_missing_file_or_function_is_found() {
        let text =
            "`src/lib.rs` calls `Shard::turn` and `absent()`; `src/absent.rs` is no file; `a + b` is no name";
        let code = "impl Shard { fn turn() {} }";
        assert_eq!(missing_names(&root(), "docs/ARCHITECTURE.md", text, code).len(), 2);
    }
}

//! Reads Rust source well enough to judge it: which characters are code, which lines belong to tests, which paths are named.
//!
//! No parser: a masked copy of the text keeps every code character at its place and blanks comments and the contents of
//! literals. Everything else here searches that copy, so that a word in a comment or a string is never taken for code.

use std::ops::Range;

/// A source file, masked.
pub(crate) struct Source {
    /// Path from the repository's root, with `/`.
    pub(crate) path: String,
    /// The text as it stands.
    pub(crate) text: String,
    /// Of the same length: comments and contents of literals are spaces.
    pub(crate) code: String,
    /// As `code`, with everything under `#[cfg(test)]` blanked too.
    pub(crate) live: String,
}

impl Source {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let code = mask(&text);
        let is_test_file = path.split('/').any(|p| p == "tests" || p == "tests.rs");
        let live = if is_test_file { blank(&code, 0..code.len()) } else { without_tests(&code) };
        Self { path, text, code, live }
    }

    /// The number of the line that holds byte `at`, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count() + 1
    }

    /// Lines with code on them, without comments, blank lines and tests.
    pub(crate) fn code_lines(&self) -> usize {
        self.live.lines().filter(|l| !l.trim().is_empty()).count()
    }

    /// The top-level module that the file belongs to: `operators` for `src/operators/filter.rs`.
    pub(crate) fn module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        let first = rest.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// How many modules lie above its items: 1 for `src/time.rs`, 2 for `src/batch/column.rs`, 1 for `src/batch/mod.rs`.
    fn depth(&self) -> usize {
        let rest = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let parts = rest.split('/').count();
        if rest.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    /// First segments of all paths from the crate's root (`crate::X`, `crate::{X, Y::Z}`, `super::super::X`), with their place.
    pub(crate) fn root_names(&self) -> Vec<(String, usize)> {
        let mut out = vec![];
        for at in words(&self.live, "crate") {
            names_after(&self.live, at + "crate".len(), &mut out);
        }
        let bytes = self.live.as_bytes();
        for at in words(&self.live, "super") {
            let before = self.live[..at].trim_end();
            if before.ends_with("super::") {
                continue;
            }
            let (mut end, mut supers) = (at + 5, 1);
            while self.live[end..].starts_with("::super") && !is_word(bytes.get(end + 7)) {
                end += 7;
                supers += 1;
            }
            if supers >= self.depth() {
                names_after(&self.live, end, &mut out);
            }
        }
        out
    }
}

fn names_after(code: &str, at: usize, out: &mut Vec<(String, usize)>) {
    let Some(rest) = code[at..].trim_start().strip_prefix("::") else { return };
    let from = code.len() - rest.len();
    let start = from + (rest.len() - rest.trim_start().len());
    if code[start..].starts_with('{') {
        let (mut depth, mut fresh) = (0, false);
        for (i, c) in code[start..].char_indices() {
            match c {
                '{' => (depth, fresh) = (depth + 1, depth == 0),
                '}' if depth == 1 => break,
                '}' => depth -= 1,
                ',' if depth == 1 => fresh = true,
                c if fresh && (c.is_alphanumeric() || c == '_') => {
                    fresh = false;
                    let name = ident(&code[start + i..]);
                    out.push((name.to_owned(), start + i));
                }
                _ => {}
            }
        }
    } else {
        let name = ident(&code[start..]);
        if !name.is_empty() {
            out.push((name.to_owned(), start));
        }
    }
}

/// The identifier that `text` starts with, or `""`.
pub(crate) fn ident(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

fn is_word(b: Option<&u8>) -> bool {
    b.is_some_and(|&b| b == b'_' || b.is_ascii_alphanumeric() || b >= 0x80)
}

/// Where `needle` stands in `code` as a word or path of its own: `std::fs` is not found in `mystd::fs` or `std::fsx`.
pub(crate) fn words(code: &str, needle: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    code.match_indices(needle)
        .map(|(i, _)| i)
        .filter(|&i| (i == 0 || !is_word(bytes.get(i - 1))) && !is_word(bytes.get(i + needle.len())))
        .collect()
}

fn blank(text: &str, range: Range<usize>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for b in &mut bytes[range] {
        if *b != b'\n' {
            *b = b' ';
        }
    }
    String::from_utf8(bytes).expect("whole characters are blanked")
}

/// Blanks comments and the contents of string and character literals.
pub(crate) fn mask(text: &str) -> String {
    let b = text.as_bytes();
    let mut out = b.to_vec();
    let hide = |out: &mut Vec<u8>, from: usize, to: usize| {
        for x in &mut out[from..to.min(b.len())] {
            if *x != b'\n' {
                *x = b' ';
            }
        }
    };
    let mut i = 0;
    while i < b.len() {
        let rest = &b[i..];
        if rest.starts_with(b"//") {
            let end = rest.iter().position(|&c| c == b'\n').map_or(b.len(), |n| i + n);
            hide(&mut out, i, end);
            i = end;
        } else if rest.starts_with(b"/*") {
            let (mut depth, mut j) = (1, i + 2);
            while j < b.len() && depth > 0 {
                match &b[j..] {
                    [b'/', b'*', ..] => (depth, j) = (depth + 1, j + 2),
                    [b'*', b'/', ..] => (depth, j) = (depth - 1, j + 2),
                    _ => j += 1,
                }
            }
            hide(&mut out, i, j);
            i = j;
        } else if let Some((open, hashes)) = raw_string(b, i) {
            let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
            let body = i + open;
            let len = b[body..].windows(close.len()).position(|w| w == close).unwrap_or(b.len() - body);
            hide(&mut out, body, body + len);
            i = (body + len + close.len()).min(b.len());
        } else if b[i] == b'"' {
            let mut j = i + 1;
            while j < b.len() && b[j] != b'"' {
                j += if b[j] == b'\\' { 2 } else { 1 };
            }
            hide(&mut out, i + 1, j);
            i = j + 1;
        } else if b[i] == b'\'' {
            i = match char_literal(text, i) {
                Some(end) => {
                    hide(&mut out, i + 1, end - 1);
                    end
                }
                None => i + 1,
            };
        } else {
            i += 1;
        }
    }
    String::from_utf8(out).expect("only whole literals are blanked")
}

/// `r"`, `r#"`, `br##"` at `i`: the length of the opening and the number of hashes.
fn raw_string(b: &[u8], i: usize) -> Option<(usize, usize)> {
    if i > 0 && is_word(b.get(i - 1)) {
        return None;
    }
    let mut j = i;
    if matches!(b.get(j), Some(b'b' | b'c')) {
        j += 1;
    }
    if b.get(j) != Some(&b'r') {
        return None;
    }
    j += 1;
    let hashes = b[j..].iter().take_while(|&&c| c == b'#').count();
    j += hashes;
    (b.get(j) == Some(&b'"')).then_some((j + 1 - i, hashes))
}

/// The end of a character literal that opens at `i`; `None` for a lifetime.
fn char_literal(text: &str, i: usize) -> Option<usize> {
    let rest = &text[i + 1..];
    let mut chars = rest.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        let body = &rest[2.min(rest.len())..];
        return body.find('\'').map(|n| i + 1 + 2 + n + 1);
    }
    let (at, next) = chars.next()?;
    (next == '\'').then_some(i + 1 + at + 1)
}

/// Blanks every item under `#[cfg(test)]` (and `#[cfg(all(test, …))]`), up to its closing brace or semicolon.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    let mut from = 0;
    while let Some(n) = out[from..].find("#[cfg(") {
        let at = from + n;
        let head = &out[at..out[at..].find(']').map_or(out.len(), |e| at + e)];
        from = at + 6;
        if words(head, "test").is_empty() || head.contains("not(test") {
            continue;
        }
        let end = item_end(&out, at);
        out = blank(&out, at..end);
    }
    out
}

/// One past the end of the item whose first attribute opens at `at`.
fn item_end(code: &str, at: usize) -> usize {
    let (mut braces, mut others) = (0, 0);
    for (i, c) in code[at..].char_indices() {
        match c {
            '{' => braces += 1,
            '}' if braces <= 1 => return at + i + 1,
            '}' => braces -= 1,
            '(' | '[' => others += 1,
            ')' | ']' => others -= 1,
            ';' if braces == 0 && others == 0 => return at + i + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_comments_strings_and_characters_are_no_code() {
        let text = "let a = \"Mutex \\\" b\"; // Mutex\n/* Mutex /* x */ Mutex */ let c = '\"'; let d = r#\"Mutex\"#; Mutex";
        let code = mask(text);
        assert_eq!(code.len(), text.len());
        assert_eq!(words(&code, "Mutex").len(), 1, "{code}");
    }

    #[test]
    fn lifetimes_do_not_open_a_literal() {
        let code =
            mask("fn f<'a>(x: &'a str, c: char) { c == '\\'' || c == 'é' || c == '\\u{1F600}'; Mutex }");
        assert_eq!(words(&code, "Mutex").len(), 1, "{code}");
        assert!(!code.contains('é'), "{code}");
    }

    #[test]
    fn test_modules_and_test_files_are_not_live() {
        let s = Source::new(
            "src/x.rs",
            "use a;\n#[cfg(test)]\nmod tests {\n  fn f() { crate::log::x() }\n}\nuse b;\n",
        );
        assert_eq!(s.code_lines(), 2);
        assert!(s.root_names().is_empty());
        let s =
            Source::new("src/x.rs", "#[cfg(test)]\nmod tests;\nfn g() {}\n#[cfg(not(test))]\nfn h() {}\n");
        assert_eq!(s.code_lines(), 3);
        assert_eq!(Source::new("src/sql/tests.rs", "use crate::log;").code_lines(), 0);
    }

    #[test]
    fn names_from_the_root_are_found_in_every_form() {
        let text = "use crate::{batch::{Batch, Pool}, expr as e,\n  plan::Op};\nfn f(x: crate::log::Log) { super::super::wire::w(); super::near() }";
        let s = Source::new("src/operators/filter.rs", text);
        let names: Vec<_> = s.root_names().into_iter().map(|n| n.0).collect();
        assert_eq!(names, ["batch", "expr", "plan", "log", "wire"]);
    }
}

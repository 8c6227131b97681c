//! What a user meets has an example that runs: each public type, trait, constant and macro of the face in its own words, each public function
//! in some example of it.

use crate::scan::Source;

/// The files of the face, and whether their functions must be called in an example too.
const FACE: &[(&str, bool)] = &[
    ("src/config.rs", true),
    ("src/error.rs", false),
    ("src/engine/mod.rs", true),
    ("src/engine/run.rs", true),
    ("src/engine/rows.rs", true),
    ("src/engine/stats.rs", true),
    ("src/engine/testing.rs", true),
    ("src/engine/feed/mod.rs", true),
    ("src/engine/scorer/mod.rs", true),
    ("src/engine/scorer/file.rs", true),
    ("src/engine/scorer/shared.rs", true),
    ("src/sinks/writer.rs", false),
];

/// Further files with examples of functions of the face.
const SHOWN: &[&str] = &["src/expr/function.rs", "src/expr/table_function.rs", "src/lib.rs"];

/// The lines inside code fences of documentation.
fn examples(text: &str) -> Vec<&str> {
    let mut inside = false;
    let doc = |l: &'_ str| -> Option<usize> {
        let t = l.trim_start();
        (t.starts_with("///") || t.starts_with("//!")).then(|| l.len() - t.len() + 3)
    };
    text.lines()
        .filter_map(|l| {
            let line = &l[doc(l)?..];
            if line.trim_start().starts_with("```") {
                inside = !inside;
                return None;
            }
            inside.then_some(line)
        })
        .collect()
}

/// The name behind `pub <kind> ` at the beginning of a line of code, where it is public to all.
fn item<'l>(line: &'l str, kinds: &[&str]) -> Option<&'l str> {
    let rest = line
        .trim_start()
        .strip_prefix("pub ")
        .or_else(|| line.strip_prefix("macro_rules! ").map(|_| line))?;
    let rest = kinds.iter().find_map(|k| rest.strip_prefix(k))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|n| !n.is_empty())
}

/// Items of the face without an example.
pub(crate) fn missing(sources: &[Source]) -> Vec<String> {
    let face: Vec<(&Source, bool)> = FACE
        .iter()
        .filter_map(|(path, all)| Some((sources.iter().find(|s| s.path == *path)?, *all)))
        .collect();
    let further = sources.iter().filter(|s| SHOWN.contains(&s.path.as_str()));
    let all = face.iter().map(|(s, _)| *s).chain(further);
    let shown: String = all.flat_map(|s| examples(&s.text)).flat_map(|l| [l, "\n"]).collect();
    let mut out = vec![];
    for (s, functions) in face {
        let lines: Vec<&str> = s.text.lines().collect();
        for (n, (line, code)) in lines.iter().zip(s.live.lines()).enumerate() {
            let above = lines[..n].iter().rev().map(|l| l.trim_start());
            let words: Vec<&str> =
                above.take_while(|l| l.starts_with("///") || l.starts_with("#[")).collect();
            if words.contains(&"#[doc(hidden)]") {
                continue;
            }
            let kinds = ["struct ", "enum ", "trait ", "type ", "const ", "macro_rules! "];
            let inner = code.starts_with("macro_rules!") && !words.contains(&"#[macro_export]");
            if let Some(name) = item(code, &kinds).filter(|name| *name != "fn" && !inner)
                && !words.iter().any(|l| l.starts_with("/// ```"))
            {
                out.push(format!("{}:{}: `{name}` has no example", s.path, n + 1));
            }
            let function = item(code, &["fn ", "const fn "]).filter(|_| functions);
            if let Some(name) = function
                && !shown.contains(&format!("{name}("))
                && !shown.contains(&format!("{name}::<"))
            {
                let end = line.trim_end_matches('{').trim();
                out.push(format!("{}:{}: no example calls `{end}`", s.path, n + 1));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_an_example_is_found() {
        let text = "//! ```\n//! Run::go();\n//! ```\n/// It.\npub struct Run;\nimpl Run {\n/// Goes.\npub fn go() {}\n/// Stays.\npub fn stay() {}\n}\n";
        let found = missing(&[Source::new("src/engine/run.rs", text)]);
        assert_eq!(
            found,
            [
                "src/engine/run.rs:5: `Run` has no example",
                "src/engine/run.rs:10: no example calls `pub fn stay() {}`"
            ]
        );
        let shown = text.replace("/// It.", "/// It.\n/// ```\n/// Run.stay();\n/// ```");
        assert!(missing(&[Source::new("src/engine/run.rs", shown)]).is_empty());
        let inside = "mod a {\npub(crate) struct Hidden;\n}\n#[cfg(test)]\nmod tests {\npub struct T;\n}\n";
        assert!(missing(&[Source::new("src/engine/run.rs", inside)]).is_empty());
    }
}

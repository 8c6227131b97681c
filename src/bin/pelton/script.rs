//! The SQL to work on: from a file, from standard input or from the command line, with `${NAME}` replaced.

use crate::exit::Exit;
use pelton::{Error, Result, Span};
use std::collections::BTreeMap;
use std::io::Read as _;

/// A script as it is handed to the engine. Errors point into `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// How messages call it: the path, `stdin` or `-e`.
    pub(crate) name: String,
    /// The SQL after substitution.
    pub(crate) text: String,
    /// The names that were replaced, each once.
    pub(crate) substituted: Vec<String>,
}

/// Why there is no script.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// As a person wants to read it.
    pub(crate) text: String,
    pub(crate) exit: Exit,
}

impl Script {
    /// Reads `file` (`-` is standard input) or takes `text`, and substitutes.
    pub(crate) fn read(
        file: Option<&str>,
        text: Option<&str>,
        defines: &[Define],
    ) -> Result<Script, Unreadable> {
        let failed =
            |e: &Error, name: &str, raw: &str| Unreadable { text: e.render(name, raw), exit: Exit::of(e) };
        let (name, raw) = load(file, text).map_err(|e| failed(&e, "", ""))?;
        let (text, substituted) = substitute(&raw, defines).map_err(|e| failed(&e, name, &raw))?;
        Ok(Script { name: name.to_owned(), text, substituted })
    }

    /// The error as a person wants to read it.
    pub(crate) fn render(&self, error: &Error) -> String {
        error.render(&self.name, &self.text)
    }
}

/// The name of the script, and its text as it was written.
fn load<'a>(file: Option<&'a str>, text: Option<&str>) -> Result<(&'a str, String)> {
    if let Some(sql) = text {
        return Ok(("-e", sql.to_owned()));
    }
    let (name, bytes) = match file {
        Some("-") => {
            let mut all = vec![];
            std::io::stdin().read_to_end(&mut all).map_err(|e| unreadable("standard input", &e))?;
            ("stdin", all)
        }
        Some(path) => {
            let read = std::fs::read(path).map_err(|e| {
                let e = unreadable(path, &e);
                if path.contains(char::is_whitespace) { e.hint("SQL itself is passed with -e") } else { e }
            });
            (path, read?)
        }
        None => return Err(Error::config("no SQL given").hint("name a file, `-`, or pass it with -e")),
    };
    let text = String::from_utf8(bytes).map_err(|e| {
        let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        Error::config(format!("{name} is not UTF-8: line {line}")).hint("convert it, for example with iconv")
    })?;
    // A byte order mark is no part of the text.
    Ok((name, text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
}

fn unreadable(what: &str, e: &std::io::Error) -> Error {
    Error::config(format!("cannot read {what}: {e}"))
}

/// `-D NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Define {
    name: String,
    value: String,
}

impl std::str::FromStr for Define {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let (name, value) = s.split_once('=').ok_or("expected NAME=VALUE")?;
        if !is_name(name) {
            return Err(format!("'{name}' is no name: letters, digits and _ only"));
        }
        Ok(Define { name: name.to_owned(), value: value.to_owned() })
    }
}

fn is_name(s: &str) -> bool {
    !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Replaces `${NAME}` by its value; `$${NAME}` stands for the characters `${NAME}`. Of two definitions the last counts. Also tells
/// the names that were replaced.
fn substitute(text: &str, defines: &[Define]) -> Result<(String, Vec<String>)> {
    let values: BTreeMap<&str, &str> = defines.iter().map(|d| (d.name.as_str(), d.value.as_str())).collect();
    let mut out = String::with_capacity(text.len());
    let mut replaced: Vec<String> = vec![];
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        let Some(name) = from[2..].split('}').next().filter(|n| is_name(n) && from.len() > 2 + n.len())
        else {
            out.push_str(before);
            out.push_str("${");
            rest = &from[2..];
            continue;
        };
        if let Some(escaped) = before.strip_suffix('$') {
            out.push_str(escaped);
            out.push_str(&from[..name.len() + 3]);
        } else {
            let value = values.get(name).ok_or_else(|| {
                let start = (text.len() - from.len()) as u32;
                Error::config(format!("${{{name}}} has no value"))
                    .at(Span::new(start, start + name.len() as u32 + 3))
                    .hint(format!(
                        "give one with -D {name}=…, or write $${{{name}}} for the characters themselves"
                    ))
            })?;
            out.push_str(before);
            out.push_str(value);
            if !replaced.iter().any(|r| r == name) {
                replaced.push(name.to_owned());
            }
        }
        rest = &from[name.len() + 3..];
    }
    out.push_str(rest);
    Ok((out, replaced))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, defines: &[&str]) -> Result<String> {
        let defines: Vec<Define> = defines.iter().map(|d| d.parse().unwrap()).collect();
        substitute(text, &defines).map(|(text, _)| text)
    }

    #[test]
    fn names_are_replaced_once() {
        assert_eq!(with("'${DIR}/a' ${N}", &["DIR=/d=e", "N=${DIR}"]).unwrap(), "'/d=e/a' ${DIR}");
        assert_eq!(with("$${N} ${N}", &["N=1", "N=2"]).unwrap(), "${N} 2");
        assert_eq!(with("é${N}", &["N="]).unwrap(), "é");
    }

    #[test]
    fn what_is_no_name_stays() {
        for text in ["${", "${}", "${a b}", "$N", "cost: 5$", "${N"] {
            assert_eq!(with(text, &["N=1"]).unwrap(), text);
        }
    }

    #[test]
    fn a_name_without_value_is_refused() {
        let e = with("SELECT 1;\nSELECT '${DATA}'", &[]).unwrap_err();
        assert!(
            e.is_config() && e.render("q.sql", "SELECT 1;\nSELECT '${DATA}'").contains("q.sql:2:9"),
            "{e}"
        );
        assert!("N".parse::<Define>().is_err() && "a b=1".parse::<Define>().is_err());
    }
}

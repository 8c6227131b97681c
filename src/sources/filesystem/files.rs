//! Which files a path means, in which order.

use super::FilesystemSource;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its number among all files of the table: the partition of its rows' provenance.
    pub number: u32,
    /// The path to open; `-` for standard input.
    pub path: PathBuf,
    /// Bytes, when it was found.
    pub size: u64,
    /// ms since the epoch, when it was found.
    pub modified_ms: i64,
    /// `key=value` of the folders between the table's path and the file.
    pub partition: Vec<(String, String)>,
}

impl File {
    /// Standard input.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// The path as errors and metadata show it.
    pub fn shown(&self) -> String {
        if self.is_stdin() { "standard input".into() } else { self.path.display().to_string() }
    }

    /// The path without its folders.
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
    }
}

/// The files of a table, by name.
#[derive(Clone, Debug)]
pub struct FileList {
    /// The files.
    pub files: Vec<File>,
}

impl FileList {
    /// Finds the files of a table.
    ///
    /// # Errors
    /// The path does not exist or a folder cannot be read.
    pub fn find(source: &FilesystemSource) -> Result<Self> {
        if source.path == "-" {
            let file = File { number: 0, path: "-".into(), size: 0, modified_ms: 0, partition: vec![] };
            return Ok(Self { files: vec![file] });
        }
        let root = local_path(&source.path)?;
        let mut found = Vec::new();
        match std::fs::metadata(&root) {
            Ok(m) if m.is_dir() => walk(&root, &root, &mut found)?,
            Ok(m) => found.push(file(root, &m, vec![])),
            Err(e) if is_pattern(&source.path) => match_pattern(&root, &mut found)
                .and_then(|()| if found.is_empty() { Err(absent(&root, &e)) } else { Ok(()) })?,
            Err(e) => return Err(absent(&root, &e)),
        }
        if let Some(p) = &source.pattern {
            found.retain(|f| p.is_match(&f.path.to_string_lossy()));
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        for (n, f) in found.iter_mut().enumerate() {
            f.number = n as u32;
        }
        Ok(Self { files: found })
    }

    /// How many files.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Deals the files out to at most `parts` lists, each in order; at least one list.
    pub fn deal(self, parts: usize) -> Vec<FileList> {
        let n = parts.clamp(1, self.files.len().max(1));
        let mut lists = vec![FileList { files: vec![] }; n];
        for (i, f) in self.files.into_iter().enumerate() {
            lists[i % n].files.push(f);
        }
        lists
    }
}

/// A path without `file:` in front of it.
pub(crate) fn local_path(path: &str) -> Result<PathBuf> {
    let rest = match path.split_once(':') {
        Some(("file", rest)) => {
            rest.strip_prefix("//").map_or(rest, |r| r.strip_prefix("localhost").unwrap_or(r))
        }
        Some((scheme, rest)) if rest.starts_with("//") => {
            return Err(Error::input(format!(
                "file system '{scheme}://' is not supported: use a local path"
            )));
        }
        _ => path,
    };
    Ok(PathBuf::from(rest))
}

fn absent(path: &Path, e: &std::io::Error) -> Error {
    Error::input(format!(
        "File {} does not exist or the user running Pelton has insufficient permissions to access it ({e})",
        path.display()
    ))
}

fn unreadable(path: &Path, e: &std::io::Error) -> Error {
    Error::input(format!("{}: {e}", path.display()))
}

fn file(path: PathBuf, m: &std::fs::Metadata, partition: Vec<(String, String)>) -> File {
    let modified = m.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    File {
        number: 0,
        path,
        size: m.len(),
        modified_ms: modified.map_or(0, |d| d.as_millis() as i64),
        partition,
    }
}

fn hidden(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    name.starts_with('_') || name.starts_with('.')
}

fn walk(folder: &Path, root: &Path, found: &mut Vec<File>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(folder, &e))? {
        let path = entry.map_err(|e| unreadable(folder, &e))?.path();
        if hidden(&path) {
            continue;
        }
        let m = match std::fs::metadata(&path) {
            Ok(m) => m,
            // Gone since it was listed.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(unreadable(&path, &e)),
        };
        if m.is_dir() {
            walk(&path, root, found)?;
        } else {
            let folders = path.parent().and_then(|p| p.strip_prefix(root).ok()).unwrap_or(Path::new(""));
            let partition = folders
                .iter()
                .filter_map(|f| {
                    let text = f.to_string_lossy();
                    let (k, v) = text.split_once('=')?;
                    Some((unescape(k), unescape(v)))
                })
                .collect();
            found.push(file(path, &m, partition));
        }
    }
    Ok(())
}

/// `%3D` in a folder's name is `=`.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let code = text.get(i + 1..i + 3).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (bytes[i], code) {
            (b'%', Some(c)) => {
                out.push(c);
                i += 3;
            }
            (b, _) => {
                out.push(b);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The path has wildcards.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// All files that the path matches, part by part; a folder that matches is read as a whole.
fn match_pattern(path: &Path, found: &mut Vec<File>) -> Result<()> {
    let mut places = vec![PathBuf::new()];
    for part in path.components() {
        let part = part.as_os_str().to_string_lossy();
        let mut next = Vec::new();
        for place in &places {
            if !is_pattern(&part) {
                next.push(place.join(part.as_ref()));
                continue;
            }
            let folder = if place.as_os_str().is_empty() { Path::new(".") } else { place };
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if !hidden(Path::new(&name)) && matches(part.as_bytes(), name.as_bytes()) {
                    next.push(place.join(name));
                }
            }
        }
        places = next;
    }
    for place in places {
        match std::fs::metadata(&place) {
            Ok(m) if m.is_dir() => walk(&place, &place, found)?,
            Ok(m) => found.push(file(place, &m, vec![])),
            Err(_) => {}
        }
    }
    Ok(())
}

/// `*` any text, `?` any character (byte), `[a-c]` and `[!a-c]` sets.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where to go back to: behind the last `*`, and how much of the name it has taken.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(b'?') => Some(p + 1),
            Some(b'[') => set(&pattern[p..], name[n]).map(|len| p + len),
            Some(b) if *b == name[n] => Some(p + 1),
            _ => None,
        };
        match (step, back) {
            (Some(next), _) => {
                p = next;
                n += 1;
            }
            (None, Some((to, taken))) => {
                p = to;
                n = taken + 1;
                back = Some((to, n));
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

/// The length of the set that opens the pattern, when it has the byte.
fn set(pattern: &[u8], byte: u8) -> Option<usize> {
    let end = pattern.iter().skip(2).position(|b| *b == b']')? + 2;
    let (not, body) = match pattern[1] {
        b'!' | b'^' => (true, &pattern[2..end]),
        _ => (false, &pattern[1..end]),
    };
    let mut has = false;
    let mut i = 0;
    while i < body.len() {
        if i + 2 < body.len() && body[i + 1] == b'-' {
            has |= (body[i]..=body[i + 2]).contains(&byte);
            i += 3;
        } else {
            has |= body[i] == byte;
            i += 1;
        }
    }
    (has != not).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, yes) in [
            ("*.csv", "a.csv", true),
            ("*.csv", ".csv", true),
            ("*.csv", "a.csv.gz", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("part-?", "part-1", true),
            ("part-?", "part-10", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]", "[]", false),
            ("**", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), yes, "{pattern} {name}");
        }
    }

    #[test]
    fn paths_may_be_uris() {
        assert_eq!(local_path("file:///a/b").unwrap(), Path::new("/a/b"));
        assert_eq!(local_path("file:/a/b").unwrap(), Path::new("/a/b"));
        assert_eq!(local_path("a:b/c").unwrap(), Path::new("a:b/c"));
        assert!(local_path("s3://bucket/key").unwrap_err().message().contains("s3://"));
    }

    #[test]
    fn folder_names_are_unescaped() {
        assert_eq!(unescape("a%3Db%2"), "a=b%2");
    }
}

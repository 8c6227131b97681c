//! `pelton log`: topics for people. `ls`, `stats`, `cat` and `verify` only look, also while another process writes;
//! `append` and `truncate` take the folder for themselves.

mod append;
mod cat;
mod list;
mod record;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pelton::batch::text::civil;
use pelton::{Error, Result};

use crate::exit::Exit;
use crate::serve::default_data;

/// Look at topics, check them, write to them by hand.
#[derive(Args, Debug)]
pub(crate) struct Log {
    /// Folder of the topics [default: pelton/log under the user's state folder].
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List topics, or the partitions and segments of one
    Ls(list::Ls),
    /// Print records with offsets, times, keys and headers
    Cat(cat::Cat),
    /// Check every byte; tell what is wrong and where
    Verify(verify::Verify),
    /// Append lines of standard input as records
    Append(append::Append),
    /// Cut records off the end, or forget those at the front
    Truncate(append::Truncate),
    /// Count records, bytes, codecs and times of topics
    Stats(list::Stats),
}

impl Log {
    pub(crate) fn run(self) -> Exit {
        let exit = self.folder().and_then(|folder| match self.action {
            Action::Ls(ls) => ls.run(&folder),
            Action::Cat(cat) => cat.run(&folder),
            Action::Verify(verify) => verify.run(&folder),
            Action::Append(append) => append.run(&folder),
            Action::Truncate(truncate) => truncate.run(&folder),
            Action::Stats(stats) => stats.run(&folder),
        });
        exit.unwrap_or_else(|e| crate::exit::failed(&e))
    }

    fn folder(&self) -> Result<PathBuf> {
        let folder = match &self.data {
            Some(data) => data.clone(),
            None => default_data()?,
        };
        let is_needed = match &self.action {
            Action::Append(_) => false,
            Action::Verify(verify) => verify.needs_folder(),
            Action::Cat(cat) => cat.needs_folder(),
            _ => true,
        };
        if is_needed && !folder.is_dir() {
            return Err(Error::config(format!("{} is not a folder", folder.display()))
                .hint("name the folder of the topics: --data DIR"));
        }
        Ok(folder)
    }
}

/// A time as it is shown: UTC, milliseconds. A record without one has a dash.
fn time_text(ms: i64) -> String {
    if ms < 0 {
        return "-".into();
    }
    let mut out = Vec::new();
    civil::write_timestamp(civil::Moment::from_millis(ms), 3, &mut out);
    String::from_utf8_lossy(&out).replace(' ', "T") + "Z"
}

/// A time as it is typed: milliseconds since 1970, or `2026-03-06 17:27:20.025` in UTC, from the left as far as wanted.
fn parse_time(text: &str) -> std::result::Result<i64, String> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    let plain = text.trim_end_matches('Z').replace('T', " ");
    let full = if plain.len() == 10 { format!("{plain} 00:00:00") } else { plain };
    civil::parse_timestamp(full.as_bytes(), 3)
        .map(|m| m.millis())
        .ok_or_else(|| format!("'{text}' is neither milliseconds nor a time like 2026-03-06T17:27:20Z"))
}

/// Bytes in the largest unit that leaves at least one: `3.2 MiB`.
fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// Rows of text in columns as wide as their widest cell; numbers stand to the right.
fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let is_number =
        |c: usize| rows.iter().all(|r| r[c].split(' ').next().is_some_and(|n| n.parse::<f64>().is_ok()));
    let width: Vec<usize> = (0..header.len())
        .map(|c| rows.iter().map(|r| r[c].chars().count()).chain([header[c].len()]).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    let names: Vec<String> = header.iter().map(|h| (*h).to_owned()).collect();
    for row in std::iter::once(&names).chain(rows) {
        let mut line = String::new();
        for (c, cell) in row.iter().enumerate() {
            if c > 0 {
                line.push_str("  ");
            }
            let gap = " ".repeat(width[c] - cell.chars().count());
            if is_number(c) {
                line.push_str(&gap);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&gap);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Writes to standard output. Where its reader has gone (`pelton log cat … | head`), the process ends: only commands that
/// change nothing print before they are done.
fn print(bytes: &[u8]) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(Exit::Done as i32),
        other => other.map_err(|e| Error::io("standard output", &e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_shown() {
        for ms in [0, 1, 1_700_000_000_025, 253_402_300_799_999] {
            assert_eq!(parse_time(&time_text(ms)), Ok(ms));
            assert_eq!(parse_time(&ms.to_string()), Ok(ms));
        }
        assert_eq!(parse_time("2026-03-06"), parse_time("2026-03-06T00:00:00Z"));
        assert!(parse_time("tomorrow").is_err());
        assert_eq!(time_text(-1), "-");
    }

    #[test]
    fn sizes() {
        assert_eq!(size_text(1023), "1023 B");
        assert_eq!(size_text(1536), "1.5 KiB");
        assert_eq!(size_text(64 << 20), "64.0 MiB");
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "10".into()], vec!["long".into(), "9".into()]];
        assert_eq!(table(&["NAME", "N"], &rows), "NAME   N\na     10\nlong   9\n");
    }
}

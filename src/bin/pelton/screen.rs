//! Standard output and standard error as a person sees them: rows scroll or stay in place, a line of progress stands below
//! them, and neither tears the other. Where one of them is no terminal, it gets plain text only.

use std::io::{self, IsTerminal as _, Write as _};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Both streams.
pub(crate) struct Screen {
    out_is_terminal: bool,
    err_is_terminal: bool,
    /// A progress line stands on the terminal.
    status: bool,
    /// Lines of the table that stands on the terminal.
    painted: usize,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self {
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            status: false,
            painted: 0,
        }
    }

    pub(crate) fn out_is_terminal(&self) -> bool {
        self.out_is_terminal
    }

    pub(crate) fn err_is_terminal(&self) -> bool {
        self.err_is_terminal
    }

    /// Columns and rows of the terminal, 80 × 24 where it does not say.
    pub(crate) fn size() -> (usize, usize) {
        terminal_size::terminal_size().map_or((80, 24), |(w, h)| (w.0 as usize, h.0 as usize))
    }

    /// Writes rows to standard output at once.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.clear_status();
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Paints a table over the one before.
    pub(crate) fn paint(&mut self, lines: &[String]) -> io::Result<()> {
        self.clear_status();
        let width = Self::size().0;
        let mut text = String::new();
        if self.painted > 0 {
            text.push_str(&format!("\x1b[{}A\x1b[J", self.painted));
        }
        for line in lines {
            text.push_str(&clipped(line, width));
            text.push('\n');
        }
        self.painted = lines.len();
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Shows the line of progress, where standard error is a terminal.
    pub(crate) fn status(&mut self, line: &str) {
        if self.err_is_terminal {
            let line = clipped(line, Self::size().0.saturating_sub(1));
            self.status = true;
            // Progress that cannot be shown is no failure.
            let _ = write!(io::stderr().lock(), "\r\x1b[2K\x1b[2m{line}\x1b[0m");
        }
    }

    /// Takes the line of progress away.
    pub(crate) fn clear_status(&mut self) {
        if std::mem::take(&mut self.status) {
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
        }
    }

    /// A message that stays, on standard error.
    pub(crate) fn say(&mut self, text: &str) {
        self.clear_status();
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.clear_status();
    }
}

/// The longest start of `line` that fits `width` columns.
fn clipped(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let mut used = 1;
    let mut out: String = line
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_clipped_to_the_terminal() {
        assert_eq!(clipped("abcdef", 6), "abcdef");
        assert_eq!(clipped("abcdefg", 6), "abcde…");
        assert_eq!(clipped("日本語", 5), "日本…");
    }
}

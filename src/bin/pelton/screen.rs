//! Standard output and standard error as a person sees them: rows scroll or stay in place, a line of progress stands below
//! them, and neither tears the other. Where one of them is no terminal, it gets plain text only.

use pelton::sinks::{Streams, Target};
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Both streams.
pub(crate) struct Screen {
    out: Out,
    /// What may be done with the terminal behind each stream; nothing where there is none.
    out_can: Abilities,
    err_can: Abilities,
    /// Lines of the table that stands on the terminal.
    painted: usize,
}

/// What a stream can show besides text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Abilities {
    /// Lines can be taken back and written again.
    moves: bool,
    /// Colours and weights.
    colours: bool,
}

impl Abilities {
    /// `NO_COLOR` (any text) means no colours; the terminal `dumb` cannot move its cursor either.
    fn of(is_terminal: bool, no_color: Option<&str>, term: Option<&str>) -> Self {
        let moves = is_terminal && term != Some("dumb");
        Self { moves, colours: moves && no_color.is_none_or(str::is_empty) }
    }

    fn here(is_terminal: bool) -> Self {
        let variable = |name| std::env::var_os(name).map(|v| v.to_string_lossy().into_owned());
        Self::of(is_terminal, variable("NO_COLOR").as_deref(), variable("TERM").as_deref())
    }
}

/// Standard output, for results and for sinks that print: the line of progress goes away before it, and it is noted when nobody
/// reads any more.
#[derive(Clone)]
struct Out {
    /// A line of progress stands on the terminal.
    status: Arc<AtomicBool>,
    is_closed: Arc<AtomicBool>,
}

impl Out {
    fn clear_status(&self) {
        if self.status.swap(false, Relaxed) {
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
        }
    }

    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
            self.is_closed.store(true, Relaxed);
        }
        result
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.clear_status();
        self.noted(io::stdout().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.noted(io::stdout().lock().flush())
    }
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self {
            out: Out { status: Arc::default(), is_closed: Arc::default() },
            out_can: Abilities::here(io::stdout().is_terminal()),
            err_can: Abilities::here(io::stderr().is_terminal()),
            painted: 0,
        }
    }

    /// A table can stay in place on standard output.
    pub(crate) fn out_moves(&self) -> bool {
        self.out_can.moves
    }

    /// The codes before and after bold text on standard output.
    pub(crate) fn bold(&self) -> (&'static str, &'static str) {
        if self.out_can.colours { ("\x1b[1m", "\x1b[0m") } else { ("", "") }
    }

    /// A line of progress can stay in place on standard error.
    pub(crate) fn err_moves(&self) -> bool {
        self.err_can.moves
    }

    /// Whoever read standard output has gone: there is nothing to be said any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.out.is_closed.load(Relaxed)
    }

    /// The same two streams for sinks that print.
    pub(crate) fn streams(&self) -> Streams {
        Streams { out: Target::new(self.out.clone()), err: Target::new(io::stderr()) }
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
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    /// Paints a table, its first line in bold, over the one before. The `last` one is not painted over: its lines are whole.
    pub(crate) fn paint(&mut self, lines: &[String], last: bool) -> io::Result<()> {
        let width = if last { usize::MAX } else { Self::size().0 };
        let mut text = String::new();
        if self.painted > 0 {
            text.push_str(&format!("\x1b[{}A\x1b[J", self.painted));
        }
        for (i, line) in lines.iter().enumerate() {
            let line = clipped(line, width);
            let (before, after) = if i == 0 { self.bold() } else { ("", "") };
            text.push_str(&format!("{before}{line}{after}\n"));
        }
        self.painted = if last { 0 } else { lines.len() };
        self.write(text.as_bytes())
    }

    /// Shows the line of progress, where standard error is a terminal.
    pub(crate) fn status(&mut self, line: &str) {
        if self.err_can.moves {
            let line = clipped(line, Self::size().0.saturating_sub(1));
            self.out.status.store(true, Relaxed);
            // Progress that cannot be shown is no failure.
            let _ = write!(io::stderr().lock(), "\r\x1b[2K{}", styled(&line, DIM, self.err_can));
        }
    }

    /// Takes the line of progress away.
    pub(crate) fn clear_status(&mut self) {
        self.out.clear_status();
    }

    /// A message that stays, on standard error.
    pub(crate) fn say(&mut self, text: &str) {
        self.clear_status();
        let _ = writeln!(io::stderr().lock(), "{}", coloured(text, self.err_can));
    }
}

const DIM: &str = "2";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const CYAN: &str = "1;36";

fn styled(text: &str, style: &str, can: Abilities) -> String {
    if can.colours { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
}

/// A message with its first words and its carets in colour.
fn coloured(text: &str, can: Abilities) -> String {
    let line = |line: &str| {
        for (word, style) in [("error:", RED), ("warning:", YELLOW), ("help:", CYAN)] {
            if let Some(rest) = line.strip_prefix(word) {
                return styled(word, style, can) + rest;
            }
        }
        match line.rsplit_once("| ") {
            Some((gutter, carets)) if carets.trim_start().starts_with('^') && gutter.trim().is_empty() => {
                format!("{gutter}| {}", styled(carets, RED, can))
            }
            _ => line.to_owned(),
        }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
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

    const ALL: Abilities = Abilities { moves: true, colours: true };
    const NOTHING: Abilities = Abilities { moves: false, colours: false };

    #[test]
    fn colours_only_where_they_are_wanted() {
        assert_eq!(Abilities::of(true, None, Some("xterm")), ALL);
        assert_eq!(Abilities::of(true, Some(""), None), ALL, "an empty NO_COLOR says nothing");
        assert_eq!(Abilities::of(true, Some("1"), None), Abilities { moves: true, colours: false });
        assert_eq!(Abilities::of(false, None, None), NOTHING);
        assert_eq!(Abilities::of(true, None, Some("dumb")), NOTHING);
        let message = "error: no | ^ here\n  |\n2 |  a | ^\n  |  ^^\nhelp: x";
        assert_eq!(coloured(message, NOTHING), message);
        assert_eq!(
            coloured(message, ALL),
            "\x1b[1;31merror:\x1b[0m no | ^ here\n  |\n2 |  a | ^\n  | \x1b[1;31m ^^\x1b[0m\n\x1b[1;36mhelp:\x1b[0m x"
        );
    }

    #[test]
    fn a_line_is_clipped_to_the_terminal() {
        assert_eq!(clipped("abcdef", 6), "abcdef");
        assert_eq!(clipped("abcdefg", 6), "abcde…");
        assert_eq!(clipped("日本語", 5), "日本…");
    }
}

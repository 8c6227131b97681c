//! The one error type that leaves the library, and the spans that let it point at SQL text.
//!
//! Inside, modules use small enums of their own and convert at their border. A message says what is wrong
//! *and* what to write or do instead; the span says where. [`Error::render`] draws the line and the caret.

use std::fmt;

/// A half-open byte range of a source text (an SQL file, an expression).
///
/// Spans are kept by every token, syntax node, bound expression and plan node, so that an error found at any
/// stage can still point at the characters that caused it.
///
/// ```
/// let span = pelton::Span::new(7, 8).to(pelton::Span::new(11, 12));
/// assert_eq!(span.text("SELECT 1 + 2 AS three"), "1 + 2");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` (inclusive) to `end` (exclusive), in bytes.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The text under the span, or `""` when the span does not belong to `text`.
    pub fn text(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// Which stage found the error. Exit codes of the command line and the phases of the conformance cases follow it.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let kind = |sql: &str| engine.prepare(sql).map(|_| ()).unwrap_err().kind();
/// assert_eq!(kind("SELECT FROM"), pelton::ErrorKind::Syntax);
/// assert_eq!(kind("SELECT nothing FROM nowhere"), pelton::ErrorKind::Validation);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not Flink SQL.
    Syntax,
    /// The statement is well formed but wrong: unknown names, types that do not fit, bad options.
    Validation,
    /// The statement is valid but no streaming plan exists for it.
    Planning,
    /// The construct is Flink's, and Pelton does not have it. Always names the construct.
    Unsupported,
    /// A setting, flag or environment that cannot be used.
    Config,
    /// Input could not be read or decoded.
    Input,
    /// The job failed while running: a value that cannot be computed, a violated constraint, a limit.
    Runtime,
    /// Stored bytes that do not match their checksum or format.
    Corrupt,
    /// The operating system refused.
    Io,
    /// Temporarily impossible (a full disk, a full queue): the same call may succeed later.
    Retryable,
}

/// Everything that can go wrong, as one type. See [`ErrorKind`] for the stages.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let sql = "SELECT UPER('x')";
/// let error = engine.prepare(sql).map(|_| ()).unwrap_err();
/// assert_eq!(error.message(), "no function matches UPER(<CHAR(1)>)");
/// assert!(error.span().is_some_and(|s| s.text(sql).starts_with("UPER")));
/// assert!(error.is_config() && !error.is_retryable() && !error.is_corrupt());
/// println!("{}", error.render("query.sql", sql));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    span: Option<Span>,
    hint: Option<String>,
    operator: Option<String>,
}

/// `Result` with Pelton's [`Error`].
///
/// ```
/// fn twice(sql: &str) -> pelton::Result<()> {
///     let engine = pelton::Engine::builder().build()?;
///     engine.prepare(sql)?;
///     engine.prepare(sql).map(|_| ())
/// }
/// assert!(twice("SELECT 1").is_ok());
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` with a message in one sentence, without a final full stop where it can be avoided.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), span: None, hint: None, operator: None }))
    }

    /// [`ErrorKind::Syntax`] at `span`.
    pub fn syntax(message: impl Into<String>, span: Span) -> Self {
        Self::new(ErrorKind::Syntax, message).at(span)
    }

    /// [`ErrorKind::Validation`] at `span`.
    pub fn validation(message: impl Into<String>, span: Span) -> Self {
        Self::new(ErrorKind::Validation, message).at(span)
    }

    /// [`ErrorKind::Planning`] at `span`.
    pub fn planning(message: impl Into<String>, span: Span) -> Self {
        Self::new(ErrorKind::Planning, message).at(span)
    }

    /// [`ErrorKind::Unsupported`] at `span`: "`construct` is not supported".
    pub fn unsupported(construct: impl fmt::Display, span: Span) -> Self {
        Self::new(ErrorKind::Unsupported, format!("{construct} is not supported")).at(span)
    }

    /// [`ErrorKind::Runtime`].
    pub fn runtime(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Runtime, message)
    }

    /// [`ErrorKind::Input`].
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// [`ErrorKind::Config`].
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// [`ErrorKind::Corrupt`].
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// [`ErrorKind::Io`], keeping the operating system's words: "`what`: No such file or directory".
    pub fn io(what: impl fmt::Display, source: &std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("{what}: {source}"))
    }

    /// The same error pointing at `span`, unless it already points somewhere.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// The same error with advice: what to write or do instead.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same runtime error, saying in which operator it happened.
    #[must_use]
    pub fn during(mut self, operator: &str) -> Self {
        if matches!(self.0.kind, ErrorKind::Runtime) && self.0.operator.is_none() {
            self.0.operator = Some(operator.to_owned());
        }
        self
    }

    /// The operator in which a runtime error happened.
    pub fn operator(&self) -> Option<&str> {
        self.0.operator.as_deref()
    }

    /// The stage that found it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence, without place and advice.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The place in the SQL text, where there is one.
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// The advice, where there is one.
    pub fn advice(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        self.0.kind == ErrorKind::Retryable
    }

    /// Stored bytes are damaged.
    pub fn is_corrupt(&self) -> bool {
        self.0.kind == ErrorKind::Corrupt
    }

    /// The SQL text or a setting has to change.
    pub fn is_config(&self) -> bool {
        use ErrorKind::*;
        matches!(self.0.kind, Syntax | Validation | Planning | Unsupported | Config)
    }

    /// The error as a person wants to read it: message, `file:line:column`, the line with a caret under the
    /// place, and the advice. `text` must be the text that the span was made from.
    pub fn render(&self, file: &str, text: &str) -> String {
        let mut out = format!("error: {}", self.0.message);
        if let Some(span) = self.0.span {
            draw(span, file, text, &mut out);
        }
        if let Some(operator) = &self.0.operator {
            out.push_str(&format!("\nin: {operator}"));
        }
        if let Some(hint) = &self.0.hint {
            out.push_str(&format!("\nhelp: {hint}"));
        }
        out
    }
}

/// Something in a script that is worth saying and is no error.
///
/// ```
/// # fn main() -> pelton::Result<()> {
/// let engine = pelton::Engine::builder().build()?;
/// let script = engine.prepare("SET 'pelton.idle' = 'park'; SELECT 1")?;
/// assert_eq!(script.extensions[0].message, "Flink ignores the setting 'pelton.idle'");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is, in a sentence.
    pub message: String,
    /// Its place.
    pub span: Span,
    /// What to write or do instead; empty where there is nothing to say.
    pub hint: String,
}

impl Finding {
    /// As [`Error::render`], with `label` in front.
    pub fn render(&self, label: &str, file: &str, text: &str) -> String {
        let mut out = format!("{label}: {}", self.message);
        draw(self.span, file, text, &mut out);
        if !self.hint.is_empty() {
            out.push_str(&format!("\nhelp: {}", self.hint));
        }
        out
    }
}

/// The place, the line, and carets under the span.
fn draw(span: Span, file: &str, text: &str, out: &mut String) {
    let start = floor_char(text, span.start as usize);
    let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
    let line = &text[line_start..line_end];
    let number = text[..start].bytes().filter(|&b| b == b'\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let end = floor_char(text, (span.end as usize).clamp(start, line_end));
    let width = text[start..end].chars().count().max(1);
    let gutter = number.to_string();
    let blank = " ".repeat(gutter.len());
    let pad: String =
        line[..start - line_start].chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    out.push_str(&format!(
        "\n{blank}--> {file}:{number}:{column}\n{blank} |\n{gutter} | {line}\n{blank} | {pad}{}",
        "^".repeat(width)
    ));
}

fn floor_char(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(hint) = &self.0.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)?;
        if let Some(s) = self.0.span {
            write!(f, " at {}..{}", s.start, s.end)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn render_points_at_the_characters() {
        let sql = "SELECT id,\n  größe + prise FROM t";
        let start = sql.find("prise").unwrap() as u32;
        let e = Error::validation("column 'prise' not found", Span::new(start, start + 5))
            .hint("did you mean 'price'?");
        let text = e.render("q.sql", sql);
        assert_eq!(
            text,
            "error: column 'prise' not found\n --> q.sql:2:11\n  |\n2 |   größe + prise FROM t\n  |           ^^^^^\nhelp: did you mean 'price'?"
        );
    }

    #[test]
    fn a_span_past_the_text_does_not_panic() {
        let e = Error::syntax("unexpected end", Span::new(90, 95));
        assert!(e.render("q.sql", "SELECT é").contains("1:9"));
    }
}

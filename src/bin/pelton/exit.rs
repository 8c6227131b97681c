//! How the process ends. The codes are part of the interface: `docs/reference/cli.md` lists them.

use crate::screen::Screen;
use pelton::{Error, ErrorKind};
use std::process::ExitCode;

/// Why the process ends, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done.
    Done = 0,
    /// `check` found something to say.
    Found = 1,
    /// A flag, a setting or the environment is wrong; the script cannot be read. (Also what `clap` exits with.)
    Configuration = 2,
    /// The SQL is wrong, or Pelton does not have what it asks for.
    Sql = 3,
    /// Input could not be read or decoded.
    Input = 4,
    /// The job failed while running, or its result could not be written.
    Runtime = 5,
    /// Ctrl-C or SIGTERM stopped it.
    Interrupted = 130,
}

impl Exit {
    /// The code for an error.
    pub(crate) fn of(error: &Error) -> Exit {
        use ErrorKind::*;
        match error.kind() {
            Syntax | Validation | Planning | Unsupported => Exit::Sql,
            Config => Exit::Configuration,
            Input => Exit::Input,
            _ => Exit::Runtime,
        }
    }
}

/// Says why on standard error, for errors that point nowhere in a script.
pub(crate) fn failed(error: &Error) -> Exit {
    Screen::new().say(&error.render("", ""));
    Exit::of(error)
}

/// Writes an answer to standard output; a reader that has gone is no failure.
pub(crate) fn written(text: &[u8]) -> Exit {
    let mut screen = Screen::new();
    match screen.write(text) {
        Err(e) if !screen.is_closed() => failed(&Error::io("standard output", &e)),
        _ => Exit::Done,
    }
}

impl From<Exit> for ExitCode {
    fn from(e: Exit) -> ExitCode {
        ExitCode::from(e as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_fixed() {
        let codes = [
            Exit::Done,
            Exit::Found,
            Exit::Configuration,
            Exit::Sql,
            Exit::Input,
            Exit::Runtime,
            Exit::Interrupted,
        ];
        assert_eq!(codes.map(|c| c as u8), [0, 1, 2, 3, 4, 5, 130]);
        assert_eq!(Exit::of(&Error::input("x")), Exit::Input);
        assert_eq!(Exit::of(&Error::new(ErrorKind::Unsupported, "x")), Exit::Sql);
    }
}

//! `pelton run`: drives a job on this thread, prints its result, shows progress, and stops when told.

use crate::args::{Format, Run};
use crate::exit::Exit;
use crate::progress::{Counts, Progress};
use crate::render::Shape;
use crate::render::lines::Lines;
use crate::render::live::LiveTable;
use crate::screen::Screen;
use crate::script::Script;
use pelton::batch::Batch;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a live table is painted at most.
const REPAINT: Duration = Duration::from_millis(100);
/// The longest pause of a job that has nothing to do.
const PAUSE: Duration = Duration::from_millis(1);

/// Where the rows of a result go.
enum View {
    Lines(Lines),
    Live { table: LiveTable, painted: Instant, dirty: bool },
}

/// Runs a script; the exit code says how it ended.
pub(crate) fn run(args: &Run) -> Exit {
    let mut screen = Screen::new();
    let script = match Script::read(args.sql.file.as_deref(), args.sql.execute.as_deref(), &args.sql.define) {
        Ok(s) => s,
        Err(e) => {
            screen.say(&e.render("", ""));
            return Exit::of(&e);
        }
    };
    let _ = (&script, REPAINT, PAUSE, SIGINT, SIGTERM);
    Exit::Done
}

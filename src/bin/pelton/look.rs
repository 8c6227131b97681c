//! `pelton explain` and `pelton check`: a script looked at without running it.

use crate::args::{Check, Sql};
use crate::exit::Exit;
use crate::run::prepare;
use crate::screen::Screen;
use pelton::expr::ExprKind;
use pelton::plan::Op;
use pelton::{Job, Step};

/// Prints the plan of every job.
pub(crate) fn explain(sql: &Sql) -> Exit {
    let mut screen = Screen::new();
    let (_, steps) = match prepare(sql, 1024, &mut screen) {
        Ok(both) => both,
        Err(exit) => return exit,
    };
    let texts: Vec<String> = steps
        .steps
        .iter()
        .map(|s| match s {
            Step::Text(text) => text.clone(),
            Step::Job(job) => job.explain(),
        })
        .collect();
    match screen.write(texts.join("\n").as_bytes()) {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Runtime,
    }
}

/// Parses, binds and plans; says what is doubtful, and what Flink would not take.
pub(crate) fn check(args: &Check) -> Exit {
    let mut screen = Screen::new();
    let (script, steps) = match prepare(&args.sql, 1024, &mut screen) {
        Ok(both) => both,
        Err(exit) => return exit,
    };
    let mut found: Vec<String> = steps.jobs().flat_map(doubts).collect();
    if args.flink {
        found.extend(steps.jobs().flat_map(extensions));
    }
    found.dedup();
    for line in &found {
        screen.say(&format!("{}: {line}", script.name));
    }
    if !found.is_empty() {
        return Exit::Found;
    }
    screen.say(&format!("{}: {} job(s), nothing found", script.name, steps.jobs().count()));
    Exit::Done
}

/// What runs, but perhaps not as meant.
fn doubts(job: &Job) -> Vec<String> {
    let nodes = &job.graph().nodes;
    let strict = nodes.iter().any(|n| matches!(n.op, Op::SortByTime { .. }));
    let mut out = vec![];
    for n in nodes {
        if let Op::Watermark { column, watermark } = &n.op
            && strict
            && matches!(watermark.kind, ExprKind::Column(c) if c == *column)
        {
            let name = &n.schema.fields[*column].name;
            out.push(format!(
                "WATERMARK FOR {name} AS {name}: the second of two rows with the same time is late for ORDER BY; \
                 write {name} - INTERVAL '0.001' SECOND"
            ));
        }
    }
    out
}

/// What Flink would not take.
fn extensions(job: &Job) -> Vec<String> {
    let mut out = vec![];
    for n in &job.graph().nodes {
        let Op::Scan(scan) = &n.op else { continue };
        let (name, c) = (&scan.table.name, &scan.table.connector);
        if c.connector == "nexmark" && c.get("mode").is_some() {
            out.push(format!("table {name}: the option 'mode' of connector 'nexmark' is Pelton's"));
        }
        if c.connector == "filesystem" && c.get("path") == Some("-") {
            out.push(format!("table {name}: the path '-' (standard input) is Pelton's"));
        }
    }
    out
}

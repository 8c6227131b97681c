//! `pelton explain` and `pelton check`: a script looked at without running it.

use crate::args::{Check, Cores, Sql};
use crate::exit::{Exit, written};
use crate::run::prepare;
use crate::screen::Screen;
use pelton::expr::ExprKind;
use pelton::plan::Op;
use pelton::{Finding, Job, Step};
use std::collections::HashSet;

/// Prints the plan of every job.
pub(crate) fn explain(sql: &Sql) -> Exit {
    let mut screen = Screen::new();
    let (_, steps) = match prepare(sql, 1024, Cores::ONE, &mut screen) {
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
    written(texts.join("\n").as_bytes())
}

/// Parses, binds and plans; says what is doubtful, and what Flink would not take.
pub(crate) fn check(args: &Check) -> Exit {
    let mut screen = Screen::new();
    let (script, steps) = match prepare(&args.sql, 1024, Cores::ONE, &mut screen) {
        Ok(both) => both,
        Err(exit) => return exit,
    };
    let draw = |label: &str, f: &Finding| f.render(label, &script.name, &script.text);
    let mut found: Vec<String> = steps.jobs().flat_map(doubts).map(|f| draw("warning", &f)).collect();
    if args.flink {
        found.extend(script.substituted.iter().map(|name| {
            format!("not in Flink: ${{{name}}} is replaced by -D, which Flink's SQL client has not\nhelp: write the value")
        }));
        found.extend(steps.extensions.iter().map(|f| draw("not in Flink", f)));
    }
    let mut told = HashSet::new();
    found.retain(|text| told.insert(text.clone()));
    for text in &found {
        screen.say(text);
    }
    let jobs = counted(steps.jobs().count(), "job");
    if found.is_empty() {
        screen.say(&format!("{}: {jobs}, nothing found", script.name));
        return Exit::Done;
    }
    screen.say(&format!("{}: {jobs}, {}", script.name, counted(found.len(), "finding")));
    Exit::Found
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// What runs, but perhaps not as meant.
fn doubts(job: &Job) -> Vec<Finding> {
    let nodes = &job.graph().nodes;
    let strict = nodes.iter().any(|n| matches!(n.op, Op::SortByTime { .. }));
    let mut out = vec![];
    for n in nodes {
        if let Op::Watermark { column, watermark } = &n.op
            && strict
            && matches!(watermark.kind, ExprKind::Column(c) if c == *column)
        {
            let name = &n.schema.fields[*column].name;
            out.push(Finding {
                message: format!(
                    "WATERMARK FOR {name} AS {name}: the second of two rows with the same time is late for ORDER BY"
                ),
                span: n.span,
                hint: format!("write {name} - INTERVAL '0.001' SECOND"),
            });
        }
    }
    out
}

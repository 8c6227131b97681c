//! The patterns here are over letters: each variable takes rows of a letter of its own, so that a first row has one match at most.

use crate::batch::{Schema, TimeAttribute, TypeKind};
use crate::error::Span;
use crate::expr::functions::builtin;
use crate::expr::{Expr, Session, build, constant_column};
use crate::operators::testing::{aggregate, check, input, node, run_all, schema};
use crate::plan::{
    Aggregate, Cell, CellKind, Changelog, Match, MatchTime, Node, Op, PatternExprs, PatternVariable, Skip,
    SortKey,
};
use proptest::prelude::*;

const INPUT: &str = "k BIGINT, l BIGINT, p BIGINT, id BIGINT, t ROWTIME";
const OUTPUT: &str = "k BIGINT, first BIGINT, last BIGINT, n BIGINT, t ROWTIME";

fn value(of: Option<usize>, column: usize, first: bool, offset: u32) -> Cell<Aggregate> {
    let ty = schema(INPUT).ty(column).clone().with_time(TimeAttribute::None);
    Cell { kind: CellKind::Value { of, column, first, offset }, ty }
}

fn cell(cells: &[Cell<Aggregate>], n: usize) -> Expr {
    Expr::column(n, cells[n].ty.clone(), Span::default())
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    let session = Session { time_zone: jiff::tz::TimeZone::UTC, start_us: 0, database: String::new() };
    build::call(&builtin(), name, args, &session, Span::default()).expect("such a function")
}

fn number(n: i64) -> Expr {
    let ty = TypeKind::BigInt.not_null();
    let column = constant_column(&ty, |c| {
        c.buffer_mut::<i64>().push(n);
        c.validity.push(true);
    });
    Expr::literal(column, ty, Span::default())
}

/// `V AS V.l = v`, and where it is `rising` the row's `p` is not below the first one's.
fn letter(v: usize, rising: bool) -> PatternExprs<Aggregate> {
    let cells = vec![value(Some(v), 1, false, 0), value(None, 2, false, 0), value(None, 2, true, 0)];
    let is_letter = call("=", vec![cell(&cells, 0), number(v as i64)]);
    if !rising {
        return PatternExprs { cells: cells[..1].to_vec(), exprs: vec![is_letter] };
    }
    let not_below = call(">=", vec![cell(&cells, 1), cell(&cells, 2)]);
    let kind = crate::expr::ExprKind::And(vec![is_letter, not_below]);
    let both = Expr { kind, ty: TypeKind::Boolean.nullable(), span: Span::default() };
    PatternExprs { cells, exprs: vec![both] }
}

/// A variable of the tests: least and most rows, and whether it is `rising`.
type Variable = (u32, Option<u32>, bool);

fn pattern(variables: &[Variable], skip: Skip, within_ms: Option<i64>) -> Match<Aggregate> {
    let variable = |(v, &(min, max, rising)): (usize, &Variable)| PatternVariable {
        name: ["A", "B", "C", "D"][v].into(),
        min,
        max,
        greedy: max != Some(min) && (min, max) != (0, Some(1)),
        condition: Some(letter(v, rising)),
    };
    let count = CellKind::Aggregate { of: Some(0), call: aggregate("COUNT", &[3]) };
    let cells = vec![
        value(None, 0, false, 0),
        value(None, 3, true, 0),
        value(None, 3, false, 0),
        Cell { kind: count, ty: TypeKind::BigInt.nullable() },
        Cell { kind: CellKind::Time, ty: schema(INPUT).ty(4).clone() },
    ];
    let exprs = (0..cells.len()).map(|n| cell(&cells, n)).collect();
    Match {
        partition: vec![0],
        time: MatchTime::Rowtime(4),
        then: vec![],
        variables: variables.iter().enumerate().map(variable).collect(),
        skip,
        within_ms,
        measures: PatternExprs { cells, exprs },
    }
}

fn operator(spec: Match<Aggregate>) -> Node {
    node(Op::Match(spec), OUTPUT, Changelog::INSERT)
}

#[test]
fn rows_enter_by_time_and_late_ones_do_not() {
    let spec = pattern(&[(1, None, false), (1, Some(1), false)], Skip::PastLast, None);
    check(
        &operator(spec),
        &[&input(INPUT, Changelog::INSERT)],
        "1 1 0 4 40
         1 0 0 2 20
         1 0 0 1 10
         ~ 15
         1 0 0 9 15
         1 0 0 3 30
         2 0 0 5 30
         ~ 50
         2 1 0 6 60
         ~ end",
        "~ 15
         +I 1 1 4 3 40
         ~ 50
         +I 2 5 6 1 60
         ~ end",
    );
}

#[test]
fn further_keys_order_rows_of_one_time() {
    let mut spec = pattern(&[(1, Some(1), false), (1, Some(1), false)], Skip::PastLast, None);
    spec.then = vec![SortKey { column: 3, descending: true, nulls_first: false }];
    check(
        &operator(spec),
        &[&input(INPUT, Changelog::INSERT)],
        "1 1 0 1 10
         1 0 0 2 10
         ~ end",
        "+I 1 2 1 1 10
         ~ end",
    );
}

#[test]
fn a_match_waits_for_an_earlier_one_until_within_ends_that() {
    // A B* C: the first A still waits for its C when the second has got one, which is not enough for the first.
    let mut spec =
        pattern(&[(1, Some(1), false), (0, None, false), (1, Some(1), true)], Skip::ToNext, Some(50));
    spec.variables[0].condition = None;
    spec.variables[1].condition = None;
    spec.variables[1].greedy = false;
    check(
        &operator(spec),
        &[&input(INPUT, Changelog::INSERT)],
        "1 9 9 1 10
         ~ 10
         1 9 1 2 20
         ~ 20
         1 2 1 3 30
         ~ 30
         2 9 9 4 70
         ~ 59
         2 9 9 5 71
         ~ 60
         2 9 9 6 72
         ~ end",
        "~ 59
         +I 1 2 3 1 60
         ~ end",
    );
}

#[test]
fn a_skip_that_would_not_go_on_is_an_error() {
    let text = "1 0 0 1 10\n1 1 0 2 20\n~ end";
    let from = input(INPUT, Changelog::INSERT);
    let lines = |variables: &[Variable], skip| {
        let spec = pattern(variables, skip, None);
        run_all(&operator(spec), &[&from], text).lines
    };
    let twice = [(1, Some(1), false), (1, Some(1), false)];
    assert_eq!(lines(&twice, Skip::ToFirst(0)), ["error: Could not skip to first element of a match."]);
    let with_c = [(1, Some(1), false), (1, Some(1), false), (0, Some(1), false)];
    assert_eq!(
        lines(&with_c, Skip::ToLast(2)),
        ["error: Could not skip to C. No such element in the found match."]
    );
}

#[test]
fn rows_are_freed_when_no_match_needs_them() {
    use crate::batch::Pool;
    use crate::operators::testing::batch_of;
    use crate::operators::{Context, Operator};
    let spec = pattern(&[(1, Some(1), false), (1, Some(1), false)], Skip::PastLast, None);
    let mut op = super::Match::new(&spec, &input(INPUT, Changelog::INSERT));
    let mut pool = Pool::default();
    let mut sizes = vec![];
    for round in 0..200i64 {
        let mut text = String::new();
        for n in 0..100 {
            let t = round * 100 + n + 1;
            text += &format!("{} {} 0 {t} {t}\n", n % 7, n % 2);
        }
        let mut batch = batch_of(INPUT, &text);
        let rows = batch.rows();
        batch.watermarks.advance(rows, round * 100 + 100);
        let mut cx = Context { pool: &mut pool, now_us: 0 };
        op.push(0, batch, &mut cx).expect("no row fails");
        while let Some(b) = op.pull(&mut cx).expect("no row fails") {
            cx.pool.recycle(b);
        }
        sizes.push(op.bytes());
    }
    assert!(op.state_rows() <= 7, "{} rows are held for 7 keys", op.state_rows());
    // Gaps come and go.
    let most = |sizes: &[usize]| sizes.iter().copied().max().unwrap_or(0);
    let (early, late) = (most(&sizes[..100]), most(&sizes[100..]));
    assert!(late <= early, "state does not grow: {early} then {late}");
}

/// What becomes of the match that begins at row `s`.
enum Outcome {
    Dead,
    Open,
    Complete(usize),
}

/// A row that entered: letter, p, id, time.
type Row = (i64, i64, i64, i64);

fn outcome(variables: &[Variable], rows: &[Row], s: usize, within: Option<i64>) -> Outcome {
    let mut at = vec![(0usize, 0u32)];
    for (i, row) in rows.iter().enumerate().skip(s) {
        if within.is_some_and(|w| row.3 - rows[s].3 >= w) {
            return Outcome::Dead;
        }
        let mut next = vec![];
        for &(mut v, mut taken) in &at {
            while v < variables.len() {
                let (min, max, rising) = variables[v];
                let fits = row.0 == v as i64 && (!rising || row.1 >= rows[s].1);
                if fits && max.is_none_or(|m| taken < m) {
                    next.push((v, taken + 1));
                }
                if taken < min {
                    break;
                }
                (v, taken) = (v + 1, 0);
            }
        }
        if next.contains(&(variables.len() - 1, 1)) {
            return Outcome::Complete(i);
        }
        if next.is_empty() {
            return Outcome::Dead;
        }
        at = next;
    }
    if within.is_some() { Outcome::Dead } else { Outcome::Open }
}

/// Looks for a match from each row in turn, over all rows of a key.
fn model(variables: &[Variable], rows: &[Row], skip: Skip, within: Option<i64>) -> Vec<(i64, i64, i64)> {
    let (mut told, mut s) = (vec![], 0);
    while s < rows.len() {
        match outcome(variables, rows, s, within) {
            Outcome::Open => break,
            Outcome::Dead => s += 1,
            Outcome::Complete(e) => {
                let of_a = rows[s..=e].iter().filter(|r| r.0 == 0).count() as i64;
                told.push((rows[s].2, rows[e].2, of_a));
                s = match skip {
                    Skip::ToNext => s + 1,
                    Skip::PastLast => e + 1,
                    Skip::ToFirst(_) | Skip::ToLast(_) => e,
                };
            }
        }
    }
    told
}

fn variable() -> impl Strategy<Value = Variable> {
    let quantifiers = vec![
        (1, Some(1)),
        (0, Some(1)),
        (0, None),
        (1, None),
        (2, Some(3)),
        (0, Some(2)),
        (2, Some(2)),
        (2, None),
    ];
    (prop::sample::select(quantifiers), any::<bool>()).prop_map(|((min, max), rising)| (min, max, rising))
}

proptest! {
    #[test]
    fn the_matches_are_those_of_the_model(
        mut variables in prop::collection::vec(variable(), 1..4),
        rising in any::<bool>(),
        steps in prop::collection::vec((0..2i64, 0..4i64, 0..3i64, -6..14i64), 1..60),
        delay in 0..12i64,
        skip in 0..3,
        within in prop::option::of(5..60i64),
    ) {
        variables.push((1, Some(1), rising));
        // Back to the last row: not where that may be the first.
        let two = variables.iter().filter(|v| v.0 > 0).count() > 1;
        let skip = match skip {
            0 => Skip::ToNext,
            1 if two => Skip::ToLast(variables.len() - 1),
            _ => Skip::PastLast,
        };
        let (mut text, mut watermark, mut base) = (String::new(), 0, 100);
        let mut entered: Vec<Vec<Row>> = vec![vec![]; 2];
        for (id, (k, l, p, d)) in steps.into_iter().enumerate() {
            let t = base + d;
            base = base.max(base + d / 3);
            text += &format!("{k} {l} {p} {id} {t}\n");
            if t > watermark {
                entered[k as usize].push((l, p, id as i64, t));
            }
            if t - delay > watermark {
                watermark = t - delay;
                text += &format!("~ {watermark}\n");
            }
        }
        text += "~ end";
        let spec = pattern(&variables, skip, within);
        let got = run_all(&operator(spec), &[&input(INPUT, Changelog::INSERT)], &text);
        for (k, rows) in entered.iter_mut().enumerate() {
            rows.sort_by_key(|r| r.3);
            let of_key = format!("+I {k} ");
            let lines: Vec<String> = got
                .lines
                .iter()
                .filter_map(|l| l.strip_prefix(&of_key))
                .map(|l| l.rsplit_once(' ').expect("the time is last").0.to_owned())
                .collect();
            let want: Vec<String> = model(&variables, rows, skip, within)
                .into_iter()
                .map(|(first, last, n)| format!("{first} {last} {n}"))
                .collect();
            prop_assert_eq!(lines, want);
        }
    }

    #[test]
    fn damaged_state_is_refused(cut in 0.0..1.0f64, flips in prop::collection::vec((0.0..1.0f64, any::<u8>()), 0..4)) {
        use crate::batch::{Decoder, Encoder, Pool};
        use crate::operators::testing::batch_of;
        use crate::operators::{Context, Operator};
        let spec = pattern(&[(1, None, false), (1, Some(1), false)], Skip::ToNext, Some(1000));
        let from = input(INPUT, Changelog::INSERT);
        let mut op = super::Match::new(&spec, &from);
        let mut pool = Pool::default();
        let mut cx = Context { pool: &mut pool, now_us: 0 };
        let mut batch = batch_of(INPUT, "1 0 0 1 10\n1 0 0 2 20\n2 0 0 3 25\n1 1 0 4 40");
        batch.watermarks.advance(3, 25);
        op.push(0, batch, &mut cx).expect("no row fails");
        while let Some(b) = op.pull(&mut cx).expect("no row fails") {
            cx.pool.recycle(b);
        }
        let mut to = Encoder::default();
        op.snapshot(&mut to);
        let mut bytes = to.finish();
        bytes.truncate((bytes.len() as f64 * cut.max(0.2)) as usize);
        for (at, flip) in flips {
            let at = (bytes.len() as f64 * at) as usize;
            bytes[at] ^= flip;
        }
        let mut restored = super::Match::new(&spec, &from);
        // What is taken in goes on without a panic.
        if restored.restore(&mut Decoder::new(&bytes)).is_ok() {
            let mut batch = batch_of(INPUT, "1 1 0 7 70");
            batch.watermarks.advance(1, 100);
            let _ = restored.push(0, batch, &mut cx);
        }
    }
}

#[test]
fn a_schema_without_partition_has_one_key() {
    let mut spec = pattern(&[(1, Some(1), false), (1, Some(1), false)], Skip::PastLast, None);
    spec.partition = vec![];
    let out: Schema = schema(OUTPUT);
    assert_eq!(out.len(), spec.measures.exprs.len());
    check(
        &operator(spec),
        &[&input(INPUT, Changelog::INSERT)],
        "1 0 0 1 10
         2 1 0 2 20
         ~ end",
        "+I 2 1 2 1 20
         ~ end",
    );
}

#[test]
fn in_processing_time_rows_enter_as_they_come() {
    let mut spec = pattern(&[(1, Some(1), false), (1, Some(1), false)], Skip::PastLast, Some(1000));
    spec.time = MatchTime::Proctime;
    let from = input(INPUT, Changelog::INSERT);
    let text = "1 1 0 0 9\n1 0 0 1 5\n1 1 0 2 4\n~ end";
    check(&operator(spec.clone()), &[&from], text, "+I 1 1 2 1 0\n~ end");
    // Those of a millisecond by further keys, when it is over.
    spec.then = vec![SortKey { column: 3, descending: true, nulls_first: false }];
    check(&operator(spec), &[&from], "1 1 0 1 9\n1 0 0 2 9\n~ end", "~ end\n+I 1 2 1 1 0");
}

#[test]
fn the_clock_ends_partial_matches() {
    use crate::batch::Pool;
    use crate::operators::testing::batch_of;
    use crate::operators::{Context, Operator};
    let mut spec = pattern(&[(1, Some(1), false), (1, Some(1), false)], Skip::PastLast, Some(50));
    spec.time = MatchTime::Proctime;
    let mut op = super::Match::new(&spec, &input(INPUT, Changelog::INSERT));
    let mut pool = Pool::default();
    let mut cx = Context { pool: &mut pool, now_us: 10_000 };
    op.push(0, batch_of(INPUT, "1 0 0 1 9"), &mut cx).expect("no row fails");
    assert!(op.pull(&mut cx).expect("no row fails").is_none());
    assert_eq!((op.state_rows(), op.wake_at_us()), (1, Some(61_000)));
    cx.now_us = 61_000;
    assert!(op.pull(&mut cx).expect("no row fails").is_none());
    assert_eq!((op.state_rows(), op.wake_at_us()), (0, None));
}

//! Rows out of order, with every kind of aggregate: whatever the order, the answer is that of plain accumulators over the rows of the frame, and it does not
//! matter from how many rows on a key has a tree, nor how often its state was written and read back.

use crate::Span;
use crate::batch::key::encode_value;
use crate::batch::{Batch, Column, ColumnRef, Decoder, Encoder, Pool, TypeKind};
use crate::expr::functions::builtin;
use crate::expr::{Arg, Argument, Call, Session, Updates};
use crate::operators::OverScorer;
use crate::operators::testing::{input, node};
use crate::plan::{self, Changelog, Frame, Op, OverOrder};
use proptest::prelude::*;

const SCHEMA: &str = "k BIGINT, v BIGINT, f DOUBLE, s STRING, b BOOLEAN, t ROWTIME";
const TIME: usize = 5;

/// What is called: a name, its arguments, DISTINCT, FILTER (WHERE b).
type What = (&'static str, &'static [usize], bool, bool);

/// What a record of fixed width holds.
const FIXED: [What; 7] = [
    ("COUNT", &[], false, false),
    ("COUNT", &[1], false, false),
    ("SUM", &[1], false, false),
    ("SUM", &[2], false, false),
    ("MIN", &[1], false, false),
    ("MAX", &[1], false, false),
    ("COUNT", &[1], true, false),
];

const ANY: [What; 16] = [
    ("SUM", &[1], false, false),
    ("AVG", &[2], false, false),
    ("COUNT", &[3], false, true),
    ("MIN", &[2], false, false),
    ("MAX", &[3], false, false),
    ("MIN", &[3], false, true),
    ("FIRST_VALUE", &[1], false, false),
    ("LAST_VALUE", &[3], false, false),
    ("LAST_VALUE", &[4], false, true),
    ("AVG", &[1], false, false),
    ("COUNT", &[3], true, false),
    ("SUM", &[1], true, true),
    ("MAX", &[1], true, false),
    ("LISTAGG", &[3], false, false),
    ("ARRAY_AGG", &[1], false, false),
    ("FIRST_VALUE", &[3], false, false),
];

/// The call as frames have it, and as one over rows that only join.
fn bound((name, args, distinct, filter): What, from: &plan::Node) -> (plan::Aggregate, plan::Aggregate) {
    let argument = |c: &usize| Argument {
        ty: from.schema.ty(*c).clone(),
        literal: None,
        packed: false,
        packed_inside: false,
        span: Span::default(),
    };
    let arguments: Vec<Argument> = args.iter().map(argument).collect();
    let session = Session::default();
    let call = Call { name, args: &arguments, span: Span::default(), session: &session };
    let bound = builtin().aggregate(name).expect("a built-in").bind(&call, false).expect("it takes them");
    let distinct = distinct && !bound.ignores_distinct;
    let plain = plan::Aggregate {
        name: name.into(),
        args: args.to_vec(),
        distinct,
        filter: filter.then_some(4),
        ty: bound.ty,
        merges: bound.merges,
        parts: bound.accumulator.clone(),
        accumulator: bound.accumulator,
    };
    let sliding = if distinct { bound.retracting } else { bound.sliding };
    (plan::Aggregate { accumulator: sliding, ..plain.clone() }, plain)
}

#[derive(Clone, Debug)]
struct Row {
    key: i64,
    v: Option<i64>,
    text: Option<String>,
    passes: bool,
    time: i64,
}

/// Rows as columns.
fn batch(rows: &[&Row]) -> Batch {
    let numbers = |f: &dyn Fn(&Row) -> Option<i64>, kind: &TypeKind| {
        let mut c = Column::of_kind(kind);
        rows.iter().for_each(|r| {
            c.buffer_mut::<i64>().push(f(r).unwrap_or(0));
            c.validity.push(f(r).is_some());
        });
        ColumnRef::new(c)
    };
    let mut doubles = Column::of_kind(&TypeKind::Double);
    let mut texts = Column::of_kind(&TypeKind::STRING);
    let mut flags = Column::of_kind(&TypeKind::Boolean);
    for r in rows {
        doubles.buffer_mut::<f64>().push(r.v.map_or(0.0, |v| (v * 3) as f64));
        doubles.validity.push(r.v.is_some());
        texts.byte_column_mut().push(r.text.as_deref().unwrap_or_default().as_bytes());
        texts.validity.push(r.text.is_some());
        flags.bools_mut().push(r.passes);
        flags.validity.push(true);
    }
    let (keys, values) = (numbers(&|r| Some(r.key), &TypeKind::BigInt), numbers(&|r| r.v, &TypeKind::BigInt));
    let times = numbers(&|r| Some(r.time * 1000), &TypeKind::Timestamp(3));
    let columns = [doubles, texts, flags].map(ColumnRef::new);
    let [doubles, texts, flags] = columns;
    Batch::new(vec![keys, values, doubles, texts, flags, times], rows.len())
}

/// What an aggregate comes to over these rows.
fn model(a: &plan::Aggregate, rows: &[&Row]) -> Vec<u8> {
    let mut seen: Vec<Vec<u8>> = vec![];
    let all = batch(rows);
    let mut taken: Vec<u32> = vec![];
    for (n, r) in rows.iter().enumerate() {
        let mut value = vec![];
        a.args.iter().for_each(|&c| encode_value(all.column(c), n, &mut value));
        if a.filter.is_some() && !r.passes || a.distinct && seen.contains(&value) {
            continue;
        }
        seen.push(value);
        taken.push(n as u32);
    }
    let mut accumulator = (a.parts)();
    accumulator.grow(1);
    let args: Vec<Arg<'_>> = a.args.iter().map(|&c| Arg { column: all.column(c), constant: false }).collect();
    let updates = Updates { args: &args, rows: &taken, slots: &vec![0; taken.len()], kinds: None };
    accumulator.update(&updates).expect("no row fails");
    let mut out = Column::new(&a.ty);
    accumulator.emit(&[0], &mut out);
    bytes(&out)
}

fn bytes(value: &Column) -> Vec<u8> {
    let mut bytes = vec![];
    encode_value(value, 0, &mut bytes);
    bytes
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        (0..40_u64).prop_map(|n| Frame::Rows(Some(n))),
        (0..60_i64).prop_map(|n| Frame::Range(Some(n))),
        (0..60_i64).prop_map(|n| Frame::Range(Some(n))),
    ]
}

/// A step: key, value, text, filter, how far time goes on, how far back the row is.
type Step = (i64, Option<i64>, Option<u8>, bool, i64, i64);

fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    let value = prop::option::weighted(0.9, -9..10_i64);
    let text = prop::option::weighted(0.9, 0..6_u8);
    let back = prop_oneof![4 => Just(0_i64), 2 => 1..5_i64, 1 => 1..40_i64];
    prop::collection::vec((0..5_i64, value, text, any::<bool>(), 0..3_i64, back), 1..max)
}

/// Answers a row, and gives the bytes of each call's value.
fn answer(
    scorer: &mut OverScorer,
    row: &Row,
    keep: bool,
    calls: &[(Frame, plan::Aggregate)],
) -> Vec<Vec<u8>> {
    let mut out: Vec<ColumnRef> = calls.iter().map(|(_, a)| ColumnRef::new(Column::new(&a.ty))).collect();
    let mut pool = Pool::default();
    scorer.score(&batch(&[row]), 0, row.time, keep, &mut out, &mut pool).expect("no row fails");
    out.iter().map(|c| bytes(c)).collect()
}

fn restored(scorer: &OverScorer, mut empty: OverScorer) -> OverScorer {
    let mut state = Encoder::default();
    scorer.snapshot(&mut state);
    let bytes = state.finish();
    let mut from = Decoder::new(&bytes);
    empty.restore(&mut from).expect("its own bytes");
    from.end().expect("all is read");
    empty
}

fn over(chosen: &[(Frame, What)], from: &plan::Node) -> (plan::Over, Vec<plan::Aggregate>) {
    let (mut calls, mut plain) = (vec![], vec![]);
    for &(frame, what) in chosen {
        let (sliding, other) = bound(what, from);
        calls.push((frame, sliding));
        plain.push(other);
    }
    (plan::Over { partition: vec![0], order: OverOrder::Rowtime(TIME), calls }, plain)
}

fn check(
    fixed: bool,
    chosen: &[(Frame, usize)],
    steps: Vec<Step>,
    delay: i64,
    least: u64,
) -> Result<(), TestCaseError> {
    let from = input(SCHEMA, Changelog::INSERT);
    let whats = if fixed { &FIXED[..] } else { &ANY[..] };
    let chosen: Vec<(Frame, What)> = chosen.iter().map(|&(f, n)| (f, whats[n % whats.len()])).collect();
    let (plan, plain) = over(&chosen, &from);
    let made = || OverScorer::with_trees(&plan, &from, true, least);
    let (mut scorer, mut pool) = (made(), Pool::default());
    let longest =
        chosen.iter().map(|c| if let Frame::Range(r) = c.0 { r } else { None }).collect::<Option<Vec<_>>>();
    let longest = longest.and_then(|r| r.into_iter().max());
    let mut kept: Vec<Row> = vec![];
    let (mut now, mut watermark) = (1_000, i64::MIN);
    for (n, (key, v, text, passes, on, back)) in steps.into_iter().enumerate() {
        now += on;
        let text =
            text.map(|t| ["", "a", "bb", "a text of some length", "zz", "y"][usize::from(t)].to_owned());
        // One key has most of the rows.
        let row = Row { key: i64::from(key == 4), v, text, passes, time: now - back };
        let keep = row.time > watermark;
        scorer.advance(watermark, &mut pool).expect("no row fails");
        let got = answer(&mut scorer, &row, keep, &plan.calls);
        let place = kept.partition_point(|r| r.time <= row.time);
        let mut before: Vec<&Row> = kept[..place].iter().filter(|r| r.key == row.key).collect();
        // A late row sees what a row above the watermark may see.
        match longest {
            Some(reach) => before.retain(|r| r.time >= watermark.saturating_sub(reach)),
            None if !keep => continue,
            None => {}
        }
        before.push(&row);
        for ((&(frame, _), a), got) in chosen.iter().zip(&plain).zip(got) {
            let first = match frame {
                Frame::Rows(Some(n)) => before.len().saturating_sub(n as usize + 1),
                Frame::Range(Some(reach)) => before.partition_point(|r| r.time < row.time - reach),
                _ => unreachable!("not among the frames"),
            };
            prop_assert_eq!(&got, &model(a, &before[first..]), "row {}, {:?} over {:?}", n, a, frame);
        }
        if keep {
            kept.insert(place, row);
        }
        watermark = watermark.max(now - delay);
        if n % 37 == 36 {
            scorer = restored(&scorer, made());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn frames_of_fixed_width_are_those_of_all_rows(
        chosen in prop::collection::vec((frame(), 0..7_usize), 1..6), steps in steps(300), delay in 0..50_i64,
        least in prop::sample::select(vec![4, 16, 64, u64::MAX]),
    ) {
        check(true, &chosen, steps, delay, least)?;
    }

    #[test]
    fn frames_of_any_aggregates_are_those_of_all_rows(
        chosen in prop::collection::vec((frame(), 0..16_usize), 1..6), steps in steps(200), delay in 0..50_i64,
        least in prop::sample::select(vec![4, 16, 64, u64::MAX]),
    ) {
        check(false, &chosen, steps, delay, least)?;
    }
}

/// The schema is that of the columns.
#[test]
fn the_columns_are_those_of_the_schema() {
    let from = input(SCHEMA, Changelog::INSERT);
    let names: Vec<&str> = from.schema.fields.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["k", "v", "f", "s", "b", "t"]);
    let made = node(Op::Union, SCHEMA, Changelog::INSERT);
    assert_eq!(made.schema.len(), batch(&[]).columns.len());
}

//! The values are those of a model that looks at all rows again for each; which rows are late follows Flink's rules.

use crate::batch::{ColumnRef, Pool, TypeKind};
use crate::operators::OverScorer;
use crate::operators::testing::{aggregate, check, input, node, run_all};
use crate::plan::{self, Changelog, Frame, Node, Op, OverOrder};
use proptest::prelude::*;

mod late;

const SCHEMA: &str = "k BIGINT, v BIGINT, t ROWTIME";

fn over(frames: &[(Frame, &str)]) -> Node {
    let mut schema = SCHEMA.to_owned();
    let calls = frames.iter().enumerate().map(|(n, &(frame, name))| {
        schema += &format!(", a{n} BIGINT");
        (frame, aggregate(name, &[1]))
    });
    let calls = calls.collect();
    let over = plan::Over { partition: vec![0], order: OverOrder::Rowtime(2), calls };
    node(Op::Over(over), &schema, Changelog::INSERT)
}

#[test]
fn rows_wait_for_the_watermark_and_go_out_by_time() {
    check(
        &over(&[(Frame::Rows(Some(1)), "SUM"), (Frame::Rows(None), "SUM"), (Frame::Range(Some(5)), "MAX")]),
        &[&input(SCHEMA, Changelog::INSERT)],
        "1 10 20
         1 5 18
         2 7 18
         1 1 20
         ~ 19
         3 0 40
         ~ 20
         1 3 24
         1 4 24
         1 9 25
         ~ 30",
        "+I 1 5 18 5 5 5
         +I 2 7 18 7 7 7
         ~ 19
         +I 1 10 20 15 15 10
         +I 1 1 20 11 16 10
         ~ 20
         +I 1 3 24 4 19 10
         +I 1 4 24 7 23 10
         +I 1 9 25 13 32 10
         ~ 30
         +I 3 0 40 0 0 0
         ~ end",
    );
}

#[test]
fn rows_of_equal_time_see_each_other_in_a_range() {
    check(
        &over(&[(Frame::Range(None), "COUNT"), (Frame::Rows(None), "COUNT")]),
        &[&input(SCHEMA, Changelog::INSERT)],
        "1 1 5\n1 2 5\n1 3 7\n~ 9",
        "+I 1 1 5 2 1\n+I 1 2 5 2 2\n+I 1 3 7 3 3\n~ end",
    );
}

/// Where a frame has no first row, the watermark decides which row is late; else the row's own key.
#[test]
fn what_is_late_depends_on_the_frames() {
    let from = input(SCHEMA, Changelog::INSERT);
    let rows = "1 1 10
         ~ 20
         1 2 15
         1 3 9
         2 4 12
         ~ 21";
    check(
        &over(&[(Frame::Rows(Some(3)), "SUM")]),
        &[&from],
        rows,
        "+I 1 1 10 1
         ~ 20
         +I 2 4 12 4
         +I 1 2 15 3
         ~ end",
    );
    check(&over(&[(Frame::Rows(None), "SUM")]), &[&from], rows, "+I 1 1 10 1\n~ end");
    assert_eq!(run_all(&over(&[(Frame::Rows(None), "SUM")]), &[&from], rows).counters.late, 3);
}

/// A key whose rows no frame can reach any more is forgotten, and takes rows again that were late for it.
#[test]
fn a_key_is_forgotten_after_one_and_a_half_frames() {
    let from = input(SCHEMA, Changelog::INSERT);
    check(
        &over(&[(Frame::Range(Some(10)), "SUM")]),
        &[&from],
        "1 1 100
         ~ 115
         1 2 90
         ~ 116
         1 3 90
         ~ 117",
        "+I 1 1 100 1
         ~ 116
         +I 1 3 90 3
         ~ end",
    );
}

/// What a model of one watermark a row gives.
fn model(frames: &[(Frame, &str)], rows: &[(i64, i64, i64)], delay: i64) -> Vec<String> {
    struct Key {
        last: i64,
        rows: Vec<(i64, i64)>,
        waiting: Vec<(i64, i64)>,
        forget: i64,
    }
    let bounded = frames.iter().all(|f| !f.0.is_unbounded());
    let reach = frames
        .iter()
        .map(|f| match f.0 {
            Frame::Range(Some(r)) | Frame::Sliced { reach: r, .. } => Some(r),
            _ => None,
        })
        .collect::<Option<Vec<i64>>>()
        .and_then(|r| r.into_iter().max());
    let mut keys: std::collections::BTreeMap<i64, Key> = std::collections::BTreeMap::new();
    let mut timers: Vec<(i64, i64)> = vec![];
    let mut watermark = 0;
    let mut out = vec![];
    let mut wake = |keys: &mut std::collections::BTreeMap<i64, Key>, timers: &mut Vec<(i64, i64)>, w: i64| {
        timers.sort_by_key(|t| t.0);
        while timers.first().is_some_and(|t| t.0 <= w) {
            let (time, k) = timers.remove(0);
            let Some(key) = keys.get_mut(&k) else { continue };
            if key.forget != 0 && key.forget <= time {
                keys.remove(&k);
                continue;
            }
            key.last = time;
            let now: Vec<(i64, i64)> = key.waiting.iter().copied().filter(|r| r.0 == time).collect();
            key.waiting.retain(|r| r.0 != time);
            for n in 0..now.len() {
                let mut line = format!("+I {k} {} {time}", now[n].1);
                for &(frame, name) in frames {
                    let mut all = key.rows.clone();
                    let upto = if matches!(frame, Frame::Rows(_)) { n + 1 } else { now.len() };
                    all.extend(&now[..upto]);
                    let from = match frame {
                        Frame::Rows(Some(b)) => all.len().saturating_sub(b as usize + 1),
                        Frame::Range(Some(r)) => all.partition_point(|x| x.0 < time - r),
                        Frame::Sliced { reach, slice } => {
                            all.partition_point(|x| x.0.div_euclid(slice) < (time - reach).div_euclid(slice))
                        }
                        _ => 0,
                    };
                    let values = all[from..].iter().map(|x| x.1);
                    line += &match name {
                        "COUNT" => format!(" {}", values.count()),
                        "SUM" => format!(" {}", values.sum::<i64>()),
                        _ => format!(" {}", values.max().expect("the row itself")),
                    };
                }
                out.push(line);
            }
            key.rows.extend(now);
        }
    };
    for &(k, v, t) in rows {
        let key = keys.entry(k).or_insert_with(|| Key { last: 0, rows: vec![], waiting: vec![], forget: 0 });
        if t > if bounded { key.last } else { watermark } {
            key.waiting.push((t, v));
            timers.push((t, k));
            if let Some(reach) = reach
                && key.forget < t + reach + 1
            {
                key.forget = t + (reach as f64 * 1.5) as i64 + 1;
                timers.push((key.forget, k));
            }
        }
        if t - delay > watermark {
            watermark = t - delay;
            wake(&mut keys, &mut timers, watermark);
        }
    }
    wake(&mut keys, &mut timers, i64::MAX);
    out.sort();
    out
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        Just(Frame::Rows(None)),
        Just(Frame::Range(None)),
        (0..5u64).prop_map(|n| Frame::Rows(Some(n))),
        (0..30i64).prop_map(|n| Frame::Range(Some(n))),
        (0..60i64, 1..12i64).prop_map(|(reach, slice)| Frame::Sliced { reach, slice }),
    ]
}

proptest! {
    #[test]
    fn the_frames_are_those_of_the_model(
        frames in prop::collection::vec((frame(), prop::sample::select(vec!["COUNT", "SUM", "MAX"])), 1..4),
        steps in prop::collection::vec((0..3i64, -9..10i64, -12..20i64), 1..60),
        delay in 0..15i64,
    ) {
        let (mut base, mut rows) = (100, vec![]);
        for (k, v, d) in steps {
            rows.push((k, v, base + d));
            base = base.max(base + d / 3);
        }
        let mut text = String::new();
        let mut watermark = 0;
        for (k, v, t) in &rows {
            text += &format!("{k} {v} {t}\n");
            if t - delay > watermark {
                watermark = t - delay;
                text += &format!("~ {watermark}\n");
            }
        }
        let got = run_all(&over(&frames), &[&input(SCHEMA, Changelog::INSERT)], text.trim());
        let mut lines: Vec<String> = got.lines.into_iter().filter(|l| !l.starts_with('~')).collect();
        lines.sort();
        prop_assert_eq!(lines, model(&frames, &rows, delay));
    }
}

/// What a frame of a day in slices of a minute holds depends on its minutes, not on its rows.
#[test]
fn slices_bound_what_a_frame_holds() {
    let day = Frame::Sliced { reach: 86_400_000, slice: 60_000 };
    let node = over(&[(day, "SUM"), (day, "MAX"), (day, "COUNT")]);
    let Op::Over(plan): &Op = &node.op else { unreachable!("made above") };
    let mut held = vec![];
    for a_minute in [1, 20] {
        let mut scorer = OverScorer::new(plan, &input(SCHEMA, Changelog::INSERT), true);
        let mut pool = Pool::default();
        for n in 0..3000 * a_minute {
            let t = n * 60_000 / a_minute;
            let mut out: Vec<ColumnRef> = (0..3).map(|_| pool.column(&TypeKind::BigInt.nullable())).collect();
            scorer.advance(t - 5_000, &mut pool).expect("no row fails");
            scorer.score(&scored::batch(7, 1, t), 0, t, true, &mut out, &mut pool).expect("no row fails");
            let rows = (t - (t - 86_400_000).div_euclid(60_000) * 60_000) * a_minute / 60_000 + 1;
            assert_eq!(out[2].slice::<i64>()[0], rows.min(n + 1), "row {n}");
        }
        held.push(scorer.bytes());
    }
    assert!(held[0].abs_diff(held[1]) < 1000, "{held:?}");
    assert!(held[0] < 1_000_000, "{held:?}");
}

/// A caller that asks row by row, in order, gets what the operator gives; and a row out of order is answered from the rows before it.
mod scored {
    use super::{SCHEMA, frame, over};
    use crate::batch::{Batch, Column, ColumnRef, Decoder, Encoder, Pool, TypeKind};
    use crate::operators::OverScorer;
    use crate::operators::testing::input;
    use crate::plan::{self, Changelog, Frame, Op};
    use proptest::prelude::*;

    pub(super) fn batch(k: i64, v: i64, t: i64) -> Batch {
        let column = |v: i64, kind: &TypeKind| {
            let mut c = Column::of_kind(kind);
            c.buffer_mut::<i64>().push(v);
            c.validity.push(true);
            ColumnRef::new(c)
        };
        let time = TypeKind::Timestamp(3);
        Batch::new(
            vec![column(k, &TypeKind::BigInt), column(v, &TypeKind::BigInt), column(t * 1000, &time)],
            1,
        )
    }

    proptest! {
        #[test]
        fn a_row_is_answered_from_the_rows_up_to_its_time(
            frames in prop::collection::vec((frame(), prop::sample::select(vec!["COUNT", "SUM", "MAX"])), 1..4),
            steps in prop::collection::vec((0..2i64, -9..10i64, -15..20i64, prop::bool::weighted(0.8)), 1..50),
            fused in any::<bool>(),
        ) {
            let node = over(&frames);
            let Op::Over(plan): &Op = &node.op else { unreachable!("made above") };
            let from: plan::Node = input(SCHEMA, Changelog::INSERT);
            let mut scorer = OverScorer::new(plan, &from, fused);
            let mut pool = Pool::default();
            let mut rows: Vec<(i64, i64, i64)> = vec![];
            let mut base = 100;
            for (n, (k, v, d, keep)) in steps.into_iter().enumerate() {
                let t = base + d;
                base = base.max(t);
                let mut out: Vec<ColumnRef> =
                    frames.iter().map(|_| pool.column(&TypeKind::BigInt.nullable())).collect();
                scorer.score(&batch(k, v, t), 0, t, keep, &mut out, &mut pool).expect("no row fails");
                let own: Vec<(i64, i64)> = rows.iter().filter(|r| r.0 == k).map(|r| (r.2, r.1)).collect();
                let newest = own.iter().map(|r| r.0).max();
                for ((frame, name), c) in frames.iter().zip(&out) {
                    let mut upto: Vec<(i64, i64)> = own.clone();
                    upto.sort_by_key(|r| r.0);
                    // A frame without a first row holds no rows, so that it answers from all of them.
                    match frame {
                        Frame::Sliced { slice, .. } => {
                            upto.retain(|r| r.0.div_euclid(*slice) <= t.div_euclid(*slice));
                        }
                        _ if !frame.is_unbounded() => upto.retain(|r| r.0 <= t),
                        _ => {}
                    }
                    upto.push((t, v));
                    let first = match frame {
                        Frame::Rows(Some(b)) => upto.len().saturating_sub(*b as usize + 1),
                        Frame::Range(Some(r)) => upto.iter().position(|x| x.0 >= t - r).expect("itself"),
                        Frame::Sliced { reach, slice } => {
                            let from = (t - reach).div_euclid(*slice) * slice;
                            upto.iter().position(|x| x.0 >= from).expect("itself")
                        }
                        _ => 0,
                    };
                    let values = upto[first..].iter().map(|r| r.1);
                    let want = match *name {
                        "COUNT" => values.count() as i64,
                        "SUM" => values.sum(),
                        _ => values.max().expect("itself"),
                    };
                    // Rows that no frame reaches from the newest row are not there any more.
                    let all_held = frames.iter().any(|f| match f.0 {
                        Frame::Rows(Some(b)) => own.len() as u64 <= b + 1,
                        Frame::Range(Some(r)) => own.iter().all(|x| newest.is_none_or(|n| x.0 >= n - r)),
                        _ => false,
                    });
                    let sliced = matches!(frame, Frame::Sliced { .. });
                    if all_held || sliced || frame.is_unbounded() || newest.is_none_or(|newest| t >= newest) {
                        prop_assert_eq!(c.slice::<i64>()[0], want, "row {}", n);
                    }
                }
                if keep {
                    rows.push((k, v, t));
                }
                let mut state = Encoder::default();
                scorer.snapshot(&mut state);
                scorer = OverScorer::new(plan, &from, fused);
                scorer.restore(&mut Decoder::new(&state.finish())).expect("its own bytes");
            }
        }
    }
}

//! Kernels against models that take one row at a time and do it in the simplest way: decimals as fractions, dates by the calendar of another
//! library, texts as lists of characters. Values come in batches of every size, with NULLs, under selections.

use super::tests::{column, show};
use super::*;
use crate::batch::decimal::{fits, pow10};
use crate::batch::{Pool, Sel, Watermarks};
use crate::error::Span;
use crate::expr::build::call;
use crate::expr::{EvalContext, Expr, ExprKind, Program, Session};
use jiff::ToSpan;
use jiff::civil::DateTime;
use proptest::prelude::*;

/// The values of `name(unit?, columns…)` at the selected rows, `size` rows a batch; `None`: the row is not selected.
fn values(
    name: &str,
    first: Option<&str>,
    kinds: &[TypeKind],
    rows: &[Vec<Option<String>>],
    size: usize,
    selected: &[bool],
) -> (DataType, Vec<Option<String>>) {
    let mut args: Vec<Expr> = first.map(super::tests::literal).into_iter().collect();
    let columns = kinds.iter().enumerate();
    args.extend(columns.map(|(n, k)| Expr::column(n, k.clone().nullable(), Span::default())));
    let e = call(&builtin(), name, args, &Session::default(), Span::default()).expect("it binds");
    let (mut program, mut pool, marks) = (Program::new(&e), Pool::default(), Watermarks::default());
    let mut out = vec![];
    for (rows, selected) in rows.chunks(size).zip(selected.chunks(size)) {
        let columns: Vec<_> = (0..kinds.len())
            .map(|k| column(&kinds[k], &rows.iter().map(|r| r[k].as_deref()).collect::<Vec<_>>()))
            .collect();
        let picked: Vec<u32> = (0..rows.len() as u32).filter(|&r| selected[r as usize]).collect();
        let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &marks };
        let value = program.eval(&columns, rows.len(), Sel::Rows(&picked), &mut cx).expect("no row fails");
        let shown = |r: usize| show(value.column(), value.arg().at(r), &e.ty);
        out.extend((0..rows.len()).map(|r| selected[r].then(|| shown(r))));
    }
    (e.ty, out)
}

/// Rows with NULLs, the size of batches, which rows are selected.
type Case<T> = (Vec<Option<T>>, usize, Vec<bool>);

fn cases<T: Strategy>(row: T) -> impl Strategy<Value = Case<T::Value>>
where
    T::Value: Clone,
{
    prop::collection::vec((prop::option::weighted(0.9, row), prop::bool::weighted(0.8)), 1..40).prop_flat_map(
        |rows| {
            let (rows, selected): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            (Just(rows), prop::sample::select(vec![1usize, 2, 7, 1024]), Just(selected))
        },
    )
}

/// Compares with `model`, which gives NULL as `None`; a row that is NULL has NULLs in all columns.
fn check_rows<T: Clone>(
    (name, first, kinds): (&str, Option<&str>, &[TypeKind]),
    (rows, size, selected): &Case<T>,
    texts: impl Fn(&T) -> Vec<String>,
    model: impl Fn(&T, &DataType) -> Option<String>,
) -> std::result::Result<(), TestCaseError> {
    let written: Vec<Vec<Option<String>>> = rows
        .iter()
        .map(|r| match r {
            Some(r) => texts(r).into_iter().map(Some).collect(),
            None => vec![None; kinds.len()],
        })
        .collect();
    let (ty, got) = values(name, first, kinds, &written, *size, selected);
    for (k, row) in rows.iter().enumerate() {
        let Some(got) = &got[k] else { continue };
        let wanted = row.as_ref().and_then(|r| model(r, &ty)).unwrap_or_else(|| "\\N".into());
        prop_assert_eq!(got, &wanted, "{}({:?}) of {}", name, written[k], ty);
    }
    Ok(())
}

/// `value / 10^scale` as text.
fn decimal(value: i128, scale: u8) -> String {
    let mut out = vec![];
    crate::batch::decimal::write(value, scale, &mut out);
    String::from_utf8(out).expect("digits")
}

/// `n / d`, halves away from zero.
fn rounded(n: i128, d: i128) -> i128 {
    let (n, d) = if d < 0 { (-n, -d) } else { (n, d) };
    let away = (n.abs() * 2 + d) / (2 * d);
    if n < 0 { -away } else { away }
}

fn scales() -> impl Strategy<Value = (u8, u8)> {
    // A text of as many digits behind the point as there are in all has one too many for the cast: the 0 before it counts.
    (1u8..=9).prop_flat_map(|p| (Just(p), 0..p))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_row_alone_has_the_value_that_it_has_in_its_column(
        op in prop::sample::select(vec!["+", "-", "*", "=", "<>", "<", "<=", ">", ">="]),
        kind in prop::sample::select(vec![TypeKind::TinyInt, TypeKind::SmallInt, TypeKind::Int, TypeKind::BigInt, TypeKind::Float, TypeKind::Double, TypeKind::Decimal(9, 3)]),
        other in prop::option::of(-100i64..=100),
        and in any::<bool>(),
        rows in prop::collection::vec(prop::option::weighted(0.8, (-100i64..=100, -100i64..=100)), 1..40),
    ) {
        let side = |pick: fn(&(i64, i64)) -> i64| {
            let texts: Vec<_> = rows.iter().map(|r| r.as_ref().map(|r| pick(r).to_string())).collect();
            column(&kind, &texts.iter().map(Option::as_deref).collect::<Vec<_>>())
        };
        let columns = [side(|r| r.0), side(|r| r.1)];
        let ty = kind.clone().nullable();
        let from = |n| Expr::column(n, ty.clone(), Span::default());
        // The second is a column or a constant, perhaps NULL.
        let constant = column(&kind, &[other.map(|v| v.to_string()).as_deref()]);
        let second = if and { Expr::literal(constant, ty.clone(), Span::default()) } else { from(1) };
        let mut e = call(&builtin(), op, vec![from(0), second], &Session::default(), Span::default()).expect("it binds");
        if e.ty.kind == TypeKind::Boolean {
            let less = call(&builtin(), "<", vec![from(1), from(0)], &Session::default(), Span::default()).expect("it binds");
            let (args, ty) = (vec![e, less], TypeKind::Boolean.nullable());
            let kind = if and { ExprKind::And(args) } else { ExprKind::Or(args) };
            e = Expr { kind, ty, span: Span::default() };
        }
        let mut all = vec![e];
        if all[0].ty.kind == TypeKind::Boolean {
            // Texts by conditions, one of them NULL.
            let text = |t| super::tests::literal(&format!("STRING:{t}"));
            let less = call(&builtin(), "<", vec![from(0), from(1)], &Session::default(), Span::default()).expect("it binds");
            let null = Expr::literal(column(&TypeKind::STRING, &[None]), TypeKind::STRING.nullable(), Span::default());
            let branches = vec![(all[0].clone(), text("one")), (less, text("another, longer than twelve"))];
            let kind = ExprKind::Case { branches, otherwise: Box::new(if and { null } else { text("last") }) };
            all.push(Expr { kind, ty: TypeKind::STRING.nullable(), span: Span::default() });
        }
        let (mut pool, marks) = (Pool::default(), Watermarks::default());
        for e in all {
            let mut program = Program::new(&e);
            prop_assert!(program.has_rows(), "{op} of {kind:?}");
            for row in 0..rows.len() {
                let mut alone = pool.column(&e.ty);
                program.row_into(&mut alone, &columns, rows.len(), row, &mut pool);
                let truth = program.is_true_at(&columns, row);
                let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &marks };
                let value = program.eval(&columns, rows.len(), Sel::Rows(&[row as u32]), &mut cx).expect("no row fails");
                let wanted = show(value.column(), value.arg().at(row), &e.ty);
                prop_assert_eq!(show(&alone, row, &e.ty), wanted);
                let is_true = (e.ty.kind == TypeKind::Boolean).then(|| value.arg().is_true(row));
                prop_assert_eq!(truth, is_true);
            }
        }
    }

    #[test]
    fn a_time_is_written_the_same_whatever_was_written_before_it(
        pattern in prop::sample::select(vec![
            "yyyy-MM-dd", "yy/M/d EEE", "HH:mm:ss", "yyyy-MM-dd HH:mm:ss.SSS", "h a", "'a text that is kept nowhere, too long' D",
        ]),
        times in prop::collection::vec(prop::option::weighted(0.9, (-3i64..3, 0i64..3, 0i64..3)), 1..40),
    ) {
        let text = |t: &(i64, i64, i64)| {
            let at = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
            let ms = t.0 * 86_400_000 + t.1 * 1000 + t.2;
            at.checked_add(ms.milliseconds()).expect("in range").strftime("%F %T%.3f").to_string()
        };
        let texts: Vec<Option<String>> = times.iter().map(|t| t.as_ref().map(text)).collect();
        let kind = TypeKind::Timestamp(3);
        let literal = super::tests::literal(&format!("STRING:{pattern}"));
        let time = Expr::column(0, kind.clone().nullable(), Span::default());
        let e = call(&builtin(), "DATE_FORMAT", vec![time, literal], &Session::default(), Span::default()).expect("it binds");
        let (mut program, mut pool, marks) = (Program::new(&e), Pool::default(), Watermarks::default());
        let mut written = |texts: &[Option<String>]| -> Vec<String> {
            let columns = [column(&kind, &texts.iter().map(Option::as_deref).collect::<Vec<_>>())];
            let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &marks };
            let value = program.eval(&columns, texts.len(), Sel::All(texts.len()), &mut cx).expect("no row fails");
            (0..texts.len()).map(|r| show(value.column(), r, &e.ty)).collect()
        };
        let together = written(&texts);
        let alone: Vec<String> = texts.chunks(1).flat_map(written).collect();
        prop_assert_eq!(together, alone);
    }

    #[test]
    fn decimals_are_fractions(
        op in prop::sample::select(vec!["+", "-", "*", "/", "%"]),
        (p, s) in scales(),
        (q, t) in scales(),
        case in cases((-999_999_999i128..=999_999_999, -999_999_999i128..=999_999_999)),
    ) {
        // Within the precisions, and no divisor of 0.
        let whole = |(a, b): &(i128, i128)| {
            let b = b % pow10(q.into());
            (a % pow10(p.into()), if b == 0 { 1 } else { b })
        };
        let kinds = [TypeKind::Decimal(p, s), TypeKind::Decimal(q, t)];
        check_rows(
            (op, None, &kinds),
            &case,
            |r| {
                let (a, b) = whole(r);
                vec![decimal(a, s), decimal(b, t)]
            },
            |r, ty| {
                let (a, b) = whole(r);
                let TypeKind::Decimal(precision, scale) = ty.kind else { panic!("{ty} is a DECIMAL") };
                let common = s.max(t);
                let (x, y) = (a * pow10((common - s).into()), b * pow10((common - t).into()));
                // The value is n / d.
                let (n, d) = match op {
                    "+" => (x + y, pow10(common.into())),
                    "-" => (x - y, pow10(common.into())),
                    "*" => (a * b, pow10((s + t).into())),
                    "/" => (x, y),
                    _ => (x % y, pow10(common.into())),
                };
                let v = rounded(n * pow10(scale.into()), d);
                fits(v, precision).then(|| decimal(v, scale))
            },
        )?;
    }

    #[test]
    fn decimals_round_and_cut_by_their_digits((p, s) in scales(), case in cases(-999_999_999i128..=999_999_999)) {
        for name in ["ROUND", "TRUNCATE", "FLOOR", "CEIL"] {
            let whole = |v: &i128| v % pow10(p.into());
            let kinds = [TypeKind::Decimal(p, s)];
            check_rows((name, None, &kinds), &case, |v| vec![decimal(whole(v), s)], |v, ty| {
                let TypeKind::Decimal(_, scale) = ty.kind else { panic!("{ty} is a DECIMAL") };
                let (v, one) = (whole(v), pow10(s.into()));
                let n = match name {
                    "ROUND" => rounded(v, one),
                    "TRUNCATE" => v / one,
                    "FLOOR" => v.div_euclid(one),
                    _ => -(-v).div_euclid(one),
                };
                Some(decimal(n * pow10(scale.into()), scale))
            })?;
        }
    }

    #[test]
    fn times_move_by_the_calendar(
        unit in prop::sample::select(vec!["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]),
        case in cases((0i64..200_000_000_000, -500i64..500)),
    ) {
        let at = |ms: i64| {
            let t = jiff::Timestamp::from_millisecond(ms * 10).expect("in range");
            jiff::tz::TimeZone::UTC.to_datetime(t)
        };
        let text = |t: DateTime| t.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
        let moved = |t: DateTime, n: i64| {
            let span = match unit {
                "SECOND" => n.seconds(),
                "MINUTE" => n.minutes(),
                "HOUR" => n.hours(),
                "DAY" => n.days(),
                "WEEK" => n.weeks(),
                "MONTH" => n.months(),
                "QUARTER" => (n * 3).months(),
                _ => n.years(),
            };
            t.checked_add(span).expect("in range")
        };
        let kinds = [TypeKind::BigInt, TypeKind::Timestamp(3)];
        let first = format!("STRING:{unit}");
        check_rows(
            ("TIMESTAMPADD", Some(first.as_str()), &kinds),
            &case,
            |(ms, n)| vec![n.to_string(), text(at(*ms))],
            |(ms, n), _| Some(text(moved(at(*ms), *n))),
        )?;
        // Of fixed units, as many as fit between; of months, the most that can be added without passing the end.
        let fixed = match unit {
            "SECOND" => 1_000,
            "MINUTE" => 60_000,
            "HOUR" => 3_600_000,
            "DAY" => 86_400_000,
            "WEEK" => 7 * 86_400_000,
            _ => 0,
        };
        let kinds = [TypeKind::Timestamp(3), TypeKind::Timestamp(3)];
        let end = |ms: i64, n: i64| if fixed == 0 { moved(at(ms), n.abs()) } else { at((ms - 7 * n).max(0)) };
        check_rows(
            ("TIMESTAMPDIFF", Some(first.as_str()), &kinds),
            &case,
            |(ms, n)| vec![text(at(*ms)), text(end(*ms, *n))],
            |(ms, n), _| {
                let (from, to) = (at(*ms), end(*ms, *n));
                if fixed > 0 {
                    return Some(((((ms - 7 * n).max(0)) - ms) * 10 / fixed).to_string());
                }
                let whole = (0..).find(|&k| moved(from, k + 1) > to).expect("time goes on");
                Some(whole.to_string())
            },
        )?;
    }

    #[test]
    fn parts_of_times_are_those_of_the_calendar(case in cases(0i64..200_000_000_000)) {
        let at = |ms: i64| {
            let t = jiff::Timestamp::from_millisecond(ms * 10).expect("in range");
            jiff::tz::TimeZone::UTC.to_datetime(t)
        };
        let text = |t: DateTime| t.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
        let kinds = [TypeKind::Timestamp(3)];
        for unit in ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOY", "DOW", "HOUR", "MINUTE", "SECOND", "ISOYEAR"] {
            let first = format!("STRING:{unit}");
            check_rows(("EXTRACT", Some(first.as_str()), &kinds), &case, |ms| vec![text(at(*ms))], |ms, _| {
                let t = at(*ms);
                let v = match unit {
                    "YEAR" => t.year().into(),
                    "QUARTER" => (i64::from(t.month()) + 2) / 3,
                    "MONTH" => t.month().into(),
                    "WEEK" => t.date().iso_week_date().week().into(),
                    "ISOYEAR" => t.date().iso_week_date().year().into(),
                    "DAY" => t.day().into(),
                    "DOY" => t.day_of_year().into(),
                    "DOW" => i64::from(t.weekday().to_sunday_zero_offset()) + 1,
                    "HOUR" => t.hour().into(),
                    "MINUTE" => t.minute().into(),
                    _ => i64::from(t.second()),
                };
                Some(v.to_string())
            })?;
        }
    }

    #[test]
    fn texts_are_lists_of_characters(
        case in cases(("[ab,é𝄞 ]{0,8}", "[ab,é]{0,2}", 1i64..9, 0i64..6)),
    ) {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        let text = |c: &[char]| c.iter().collect::<String>();
        let string = TypeKind::STRING;
        let int = TypeKind::Int;
        let one = std::slice::from_ref(&string);
        check_rows(("REVERSE", None, one), &case, |r| vec![r.0.clone()], |r, _| Some(r.0.chars().rev().collect()))?;
        check_rows(("CHAR_LENGTH", None, one), &case, |r| vec![r.0.clone()], |r, _| {
            Some(r.0.chars().count().to_string())
        })?;
        check_rows(("BTRIM", None, one), &case, |r| vec![r.0.clone()], |r, _| Some(r.0.trim_matches(' ').into()))?;
        for (name, from_left) in [("LEFT", true), ("RIGHT", false)] {
            check_rows(
                (name, None, &[string.clone(), int.clone()]),
                &case,
                |r| vec![r.0.clone(), r.3.to_string()],
                |r, _| {
                    let c = chars(&r.0);
                    let n = (r.3 as usize).min(c.len());
                    Some(text(if from_left { &c[..n] } else { &c[c.len() - n..] }))
                },
            )?;
        }
        check_rows(
            ("SUBSTRING", None, &[string.clone(), int.clone(), int.clone()]),
            &case,
            |r| vec![r.0.clone(), r.2.to_string(), r.3.to_string()],
            |r, _| Some(chars(&r.0).into_iter().skip(r.2 as usize - 1).take(r.3 as usize).collect()),
        )?;
        check_rows(
            ("POSITION", None, &[string.clone(), string.clone()]),
            &case,
            |r| vec![r.1.clone(), r.0.clone()],
            |r, _| {
                let (whole, part) = (chars(&r.0), chars(&r.1));
                let at = (0..=whole.len()).find(|&i| whole[i..].starts_with(&part));
                Some(at.map_or(0, |i| i + 1).to_string())
            },
        )?;
        check_rows(
            ("REPLACE", None, &[string.clone(), string.clone(), string.clone()]),
            &case,
            |r| vec![r.0.clone(), if r.1.is_empty() { "a".into() } else { r.1.clone() }, "xy".into()],
            |r, _| Some(r.0.replace(if r.1.is_empty() { "a" } else { &r.1 }, "xy")),
        )?;
        check_rows(
            ("REPEAT", None, &[string.clone(), int.clone()]),
            &case,
            |r| vec![r.0.clone(), r.3.to_string()],
            |r, _| Some(r.0.repeat(r.3 as usize)),
        )?;
        check_rows(
            ("SPLIT_INDEX", None, &[string.clone(), string.clone(), int]),
            &case,
            |r| vec![r.0.clone(), ",".into(), r.3.to_string()],
            |r, _| match r.0.is_empty() {
                true => None,
                false => r.0.split(',').nth(r.3 as usize).map(str::to_owned),
            },
        )?;
    }
}

//! Aggregates against a model that keeps every row of a group, with rows that join and leave, merges and the byte form.

use super::*;
use crate::batch::number_set::NumberSet;
use crate::batch::text::{Style, write_value};
use crate::batch::{Column, Decoder, Encoder, Native, RowKind, TypeKind};
use crate::error::Span;
use crate::expr::function::Argument;
use crate::expr::functions::builtin;
use crate::expr::{Arg, Session, Updates};
use proptest::prelude::*;

fn bind(name: &str, args: &[DataType], grouped: bool) -> BoundAggregate {
    let args: Vec<Argument> = args
        .iter()
        .map(|ty| Argument {
            ty: ty.clone(),
            literal: None,
            packed: false,
            packed_inside: false,
            span: Span::default(),
        })
        .collect();
    let session = Session::default();
    let call = Call { name, args: &args, span: Span::default(), session: &session };
    builtin().aggregate(name).unwrap().bind(&call, grouped).unwrap()
}

fn shown(acc: &dyn Accumulator, slots: &[u32], ty: &DataType) -> Vec<String> {
    let mut c = Column::new(ty);
    acc.emit(slots, &mut c);
    texts(&c, ty)
}

fn texts(c: &Column, ty: &DataType) -> Vec<String> {
    (0..c.len())
        .map(|i| {
            let mut out = Vec::new();
            write_value(c, i, ty, &jiff::tz::TimeZone::UTC, Style::Changelog, &mut out);
            String::from_utf8(out).unwrap()
        })
        .collect()
}

#[test]
fn result_types_are_flinks() {
    let ty = |name, kind: TypeKind| bind(name, &[kind.nullable()], true).ty.to_string();
    assert_eq!(ty("SUM", TypeKind::TinyInt), "TINYINT");
    assert_eq!(ty("SUM", TypeKind::Decimal(10, 2)), "DECIMAL(38, 2)");
    assert_eq!(ty("AVG", TypeKind::Int), "INT");
    assert_eq!(ty("AVG", TypeKind::Decimal(10, 2)), "DECIMAL(38, 6)");
    assert_eq!(ty("AVG", TypeKind::Decimal(38, 20)), "DECIMAL(38, 20)");
    assert_eq!(ty("STDDEV", TypeKind::Decimal(10, 2)), "DECIMAL(38, 6)");
    assert_eq!(ty("COLLECT", TypeKind::Int), "MULTISET<INT> NOT NULL");
    assert_eq!(ty("ARRAY_AGG", TypeKind::Int), "ARRAY<INT>");
    assert_eq!(bind("COUNT", &[], false).ty.to_string(), "BIGINT NOT NULL");
    assert_eq!(bind("SUM", &[TypeKind::Int.not_null()], false).ty.to_string(), "INT");
    assert_eq!(bind("SUM", &[TypeKind::Int.not_null()], true).ty.to_string(), "INT NOT NULL");
    let rowtime = TypeKind::Timestamp(3).nullable().with_time(crate::batch::TimeAttribute::Rowtime);
    assert!(bind("MAX", &[rowtime], true).ty.is_rowtime());
}

/// The values before rows, and those after them.
fn before_and_after(sides: &Column, ty: &DataType) -> (Vec<String>, Vec<String>) {
    let pairs = texts(sides, ty);
    assert_eq!(pairs.len() % 2, 0);
    (pairs.iter().step_by(2).cloned().collect(), pairs.iter().skip(1).step_by(2).cloned().collect())
}

/// Feeds values of one group and shows the result after each.
fn trace(name: &str, kind: TypeKind, values: &[&str]) -> Vec<String> {
    let column = crate::expr::functions::test_column(
        &kind,
        &values.iter().map(|v| (*v != "\\N").then_some(*v)).collect::<Vec<_>>(),
    );
    let b = bind(name, &[kind.nullable()], true);
    let mut acc = (b.accumulator)();
    acc.grow(1);
    let rows: Vec<u32> = (0..values.len() as u32).collect();
    let arg = Arg { column: &column, constant: false };
    let mut sides = Column::new(&b.ty);
    let u = Updates { args: &[arg], rows: &rows, slots: &vec![0; values.len()], kinds: None };
    acc.update_tracked(&u, &mut sides).unwrap();
    let (before, after) = before_and_after(&sides, &b.ty);
    assert_eq!(before[1..], after[..after.len() - 1]);
    after
}

#[test]
fn values_are_flinks() {
    // conformance: aggregates/sum_avg_types, stddev_variance, collect_multiset, array_agg
    let de = TypeKind::Decimal(38, 18);
    assert_eq!(
        trace("AVG", de, &["1.5", "-1.5", "0.1", "2.5"])[2..],
        ["0.033333333333333333", "0.650000000000000000"]
    );
    assert_eq!(trace("SUM", TypeKind::Float, &["1.5", "-1.5", "0.1", "2.5", "-2.5"])[4], "0.099999905");
    assert_eq!(trace("AVG", TypeKind::TinyInt, &["1", "-1", "7", "3"]), ["1", "0", "2", "2"]);
    assert_eq!(trace("SUM", TypeKind::Int, &["2147483647", "1", "\\N"])[1..], ["-2147483648", "-2147483648"]);
    let px = TypeKind::Decimal(10, 2);
    assert_eq!(trace("STDDEV_POP", px.clone(), &["10.50", "10.75"]), ["0.000000", "0.125000"]);
    assert_eq!(trace("STDDEV_SAMP", px, &["10.50", "10.75"]), ["\\N", "0.176777"]);
    assert_eq!(trace("VAR_POP", TypeKind::Int, &["100", "200", "150"]), ["0", "2500", "1666"]);
    assert_eq!(trace("VAR_SAMP", TypeKind::Int, &["100", "200", "150"]), ["\\N", "5000", "2500"]);
    assert_eq!(trace("VARIANCE", TypeKind::Double, &["100", "200"]), ["\\N", "5000.0"]);
    assert_eq!(trace("ARRAY_AGG", TypeKind::Int, &["1", "\\N"]), ["[1]", "[1,null]"]);
    assert_eq!(
        trace("COLLECT", TypeKind::STRING, &["a", "\\N", "a"]),
        ["{\"a\":1}", "{\"a\":1}", "{\"a\":2}"]
    );
    assert_eq!(trace("LISTAGG", TypeKind::STRING, &["a", "\\N", "b"]), ["a", "a", "a,b"]);
    assert_eq!(trace("MAX", TypeKind::STRING, &["a", "b", "a longer text than before"]), ["a", "b", "b"]);
    assert_eq!(trace("FIRST_VALUE", TypeKind::STRING, &["\\N", "x", "y"]), ["\\N", "x", "x"]);
    assert_eq!(trace("SUM", TypeKind::Int, &["\\N"]), ["\\N"]);
    assert_eq!(trace("$SUM0", TypeKind::Int, &["\\N"]), ["0"]);
}

/// The model: the rows that a group has, by arrival.
fn model(name: &str, rows: &[Option<i64>]) -> String {
    let v: Vec<i64> = rows.iter().flatten().copied().collect();
    let show = |v: Option<i64>| v.map_or("\\N".to_string(), |v| v.to_string());
    let n = v.len() as i64;
    match name {
        "COUNT" => n.to_string(),
        "SUM" => show((n > 0).then(|| v.iter().sum())),
        "AVG" => show((n > 0).then(|| v.iter().sum::<i64>() / n)),
        "MIN" => show(v.iter().min().copied()),
        "MAX" => show(v.iter().max().copied()),
        "FIRST_VALUE" => show(v.first().copied()),
        "LAST_VALUE" => show(v.last().copied()),
        "ARRAY_AGG" if rows.is_empty() => "\\N".into(),
        "ARRAY_AGG" => {
            let items: Vec<String> =
                rows.iter().map(|r| r.map_or("null".into(), |v| v.to_string())).collect();
            format!("[{}]", items.join(","))
        }
        "COLLECT" => {
            let mut counts = std::collections::BTreeMap::<String, i64>::new();
            v.iter().for_each(|x| *counts.entry(x.to_string()).or_default() += 1);
            let items: Vec<String> = counts.iter().map(|(k, n)| format!("\"{k}\":{n}")).collect();
            format!("{{{}}}", items.join(","))
        }
        _ => unreachable!(),
    }
}

const NAMES: [&str; 9] =
    ["COUNT", "SUM", "AVG", "MIN", "MAX", "FIRST_VALUE", "LAST_VALUE", "ARRAY_AGG", "COLLECT"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn accumulators_agree_with_the_rows_of_the_group(
        name in prop::sample::select(&NAMES[..]),
        retracting in any::<bool>(),
        steps in prop::collection::vec((0u32..4, prop::option::weighted(0.8, -9i64..10), 0u8..4), 1..60),
        cut in 0usize..60,
    ) {
        let ty = TypeKind::BigInt.nullable();
        let b = bind(name, std::slice::from_ref(&ty), true);
        let make = if retracting { &b.retracting } else { &b.accumulator };
        let mut acc = make();
        acc.grow(4);
        // The input: rows that join, and some that leave again.
        let mut groups: Vec<Vec<Option<i64>>> = vec![Vec::new(); 4];
        let (mut column, mut kinds, mut slots, mut want) = (Column::new(&ty), Vec::new(), Vec::new(), Vec::new());
        for (slot, value, leave) in steps {
            let group = &mut groups[slot as usize];
            let (value, kind) = if retracting && leave == 0 && !group.is_empty() {
                // The oldest equal value leaves.
                let v = group[group.len() / 2];
                let at = group.iter().position(|x| *x == v).unwrap();
                (group.remove(at), RowKind::UpdateBefore)
            } else {
                group.push(value);
                (value, RowKind::Insert)
            };
            column.validity.push(value.is_some());
            column.buffer_mut::<i64>().push(value.unwrap_or(0));
            kinds.push(kind);
            slots.push(slot);
            want.push(model(name, group));
        }
        let rows: Vec<u32> = (0..slots.len() as u32).collect();
        let arg = [Arg { column: &column, constant: false }];
        let updates = |from: usize, to: usize| Updates {
            args: &arg, rows: &rows[from..to], slots: &slots[from..to], kinds: Some(&kinds),
        };
        let cut = cut.min(slots.len());
        let mut sides = Column::new(&b.ty);
        acc.update_tracked(&updates(0, cut), &mut sides).unwrap();
        // Through the byte form in the middle, slots in another order.
        let order = [2u32, 0, 3, 1];
        let mut e = Encoder::default();
        acc.encode(&order, &mut e);
        let bytes = e.finish();
        let mut restored = make();
        restored.grow(4);
        let mut d = Decoder::new(&bytes);
        restored.decode(4, &mut d).unwrap();
        d.end().unwrap();
        prop_assert_eq!(shown(&*acc, &order, &b.ty), shown(&*restored, &[0, 1, 2, 3], &b.ty));
        for end in 0..bytes.len() {
            prop_assert!(make().decode(4, &mut Decoder::new(&bytes[..end])).is_err());
        }
        // Back in order by merging into a new one.
        let mut acc = make();
        acc.grow(4);
        acc.merge(&order, &*restored, &[0, 1, 2, 3]);
        let mut tracked = Column::new(&b.ty);
        acc.update_tracked(&updates(cut, slots.len()), &mut tracked).unwrap();
        let mut got = before_and_after(&sides, &b.ty).1;
        got.extend(before_and_after(&tracked, &b.ty).1);
        prop_assert_eq!(got, want);
        prop_assert_eq!(shown(&*acc, &[0, 1, 2, 3], &b.ty), groups.iter().map(|g| model(name, g)).collect::<Vec<_>>());
        for s in 0..4 {
            acc.reset(s);
        }
        prop_assert_eq!(shown(&*acc, &[0], &b.ty), vec![model(name, &[])]);
    }

    /// Against two passes over the rows that a group has: rows leave as they came, rounding apart.
    #[test]
    fn variances_agree_with_two_passes(steps in prop::collection::vec((-9i64..10, 0u8..4), 1..60)) {
        let ty = TypeKind::Double.nullable();
        let b = bind("VAR_POP", std::slice::from_ref(&ty), true);
        let mut acc = (b.retracting)();
        acc.grow(1);
        let mut group: Vec<i64> = vec![];
        for (value, leave) in steps {
            let (value, kind) = if leave == 0 && !group.is_empty() {
                (group.remove(group.len() / 2), RowKind::UpdateBefore)
            } else {
                group.push(value);
                (value, RowKind::Insert)
            };
            let mut column = Column::new(&ty);
            column.validity.push(true);
            column.buffer_mut::<f64>().push(value as f64);
            let arg = [Arg { column: &column, constant: false }];
            acc.update(&Updates { args: &arg, rows: &[0], slots: &[0], kinds: Some(&[kind]) }).unwrap();
            let n = group.len() as f64;
            let mean = group.iter().sum::<i64>() as f64 / n;
            let want = group.iter().map(|v| (*v as f64 - mean).powi(2)).sum::<f64>() / n;
            let got = &shown(&*acc, &[0], &b.ty)[0];
            match got.parse::<f64>() {
                Ok(got) => prop_assert!((got - want).abs() < 1e-9, "{} instead of {}", got, want),
                // No rows; or a sum of squares that rounding made negative, which is NULL in Flink.
                Err(_) => prop_assert!(group.is_empty() || want < 1e-9, "{} instead of {}", got, want),
            }
        }
    }
}

/// Aggregates that take one value, with the types that they are tried with: as texts.
const OF_VALUES: &[(&str, &[TypeKind])] = &[
    ("COUNT", &[TypeKind::Int, TypeKind::STRING]),
    ("SUM", &[TypeKind::TinyInt, TypeKind::Int, TypeKind::BigInt, TypeKind::Decimal(10, 2)]),
    ("$SUM0", &[TypeKind::Int, TypeKind::Decimal(10, 2)]),
    ("AVG", &[TypeKind::SmallInt, TypeKind::BigInt, TypeKind::Decimal(10, 2)]),
    (
        "MIN",
        &[TypeKind::Int, TypeKind::STRING, TypeKind::Decimal(10, 2), TypeKind::Double, TypeKind::Boolean],
    ),
    (
        "MAX",
        &[TypeKind::Int, TypeKind::STRING, TypeKind::Decimal(10, 2), TypeKind::Double, TypeKind::Boolean],
    ),
    ("FIRST_VALUE", &[TypeKind::Int, TypeKind::STRING, TypeKind::Boolean]),
    ("LAST_VALUE", &[TypeKind::Int, TypeKind::STRING, TypeKind::Decimal(10, 2)]),
    ("ARRAY_AGG", &[TypeKind::STRING, TypeKind::Double]),
    ("COLLECT", &[TypeKind::STRING, TypeKind::Boolean]),
    ("LISTAGG", &[TypeKind::STRING]),
    ("JSON_ARRAYAGG", &[TypeKind::STRING]),
    ("BITMAP_BUILD_AGG", &[TypeKind::Int]),
    ("BITMAP_BUILD_CARDINALITY_AGG", &[TypeKind::Int]),
    ("BITMAP_AND_AGG", &[TypeKind::Bitmap]),
    ("BITMAP_AND_CARDINALITY_AGG", &[TypeKind::Bitmap]),
    ("BITMAP_OR_AGG", &[TypeKind::Bitmap]),
    ("BITMAP_OR_CARDINALITY_AGG", &[TypeKind::Bitmap]),
    ("BITMAP_XOR_AGG", &[TypeKind::Bitmap]),
    ("BITMAP_XOR_CARDINALITY_AGG", &[TypeKind::Bitmap]),
];

/// Sets of the numbers that stand in each text.
fn sets(rows: &[Option<&str>]) -> Column {
    let mut column = Column::of_kind(&TypeKind::Bitmap);
    for row in rows {
        let numbers =
            row.iter().flat_map(|t| t.split_whitespace()).map(|n| n.parse::<u32>().expect("a number"));
        let mut bytes = vec![];
        NumberSet(numbers.collect()).write(&mut bytes);
        column.byte_column_mut().push(&bytes);
        column.validity.push(row.is_some());
    }
    column
}

/// Values of a kind that an aggregate takes.
fn values_of(name: &str, kind: &TypeKind) -> [Option<&'static str>; 6] {
    let values = match kind {
        TypeKind::VarChar(_) => {
            [Some("a"), Some("b"), Some("a text of more than twelve bytes"), None, Some(""), Some("B")]
        }
        TypeKind::Bitmap => [Some("1 2"), Some("2 3 70000"), Some("1 2"), None, Some(""), Some("7")],
        TypeKind::Boolean => [Some("true"), Some("false"), Some("true"), None, Some("false"), Some("true")],
        TypeKind::Decimal(..) => {
            [Some("1.50"), Some("-2.25"), Some("1.50"), None, Some("0.00"), Some("99999999.99")]
        }
        TypeKind::Double => [Some("1.5"), Some("-2.25"), Some("0.0"), None, Some("1e300"), Some("-7")],
        _ => [Some("1"), Some("-2"), Some("1"), None, Some("0"), Some("100")],
    };
    // JSON's brackets stand around values that are JSON.
    if name == "JSON_ARRAYAGG" { values.map(|v| v.map(|_| "[7]")) } else { values }
}

fn column_of(kind: &TypeKind, rows: &[Option<&str>]) -> Column {
    match kind {
        TypeKind::Bitmap => sets(rows),
        _ => Column::clone(&crate::expr::functions::test_column(kind, rows)),
    }
}

/// The others, and where they are tried.
const ELSEWHERE: &[&str] = &[
    // Rounding apart: `variances_agree_with_two_passes`.
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
    // Of two values, one of them constant: `percentile.rs`; of a key and a value: `json.rs`.
    "PERCENTILE",
    "JSON_OBJECTAGG",
    // Of a value that must not come twice; of rows that do not leave.
    "SINGLE_VALUE",
    "LAG",
];

#[test]
fn every_aggregate_is_tried_with_rows_that_leave() {
    for name in builtin().aggregate_names() {
        let tried = OF_VALUES.iter().any(|(n, _)| *n == name) || ELSEWHERE.contains(&name);
        assert!(tried, "{name} has no model here");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A row that comes alone gives what the passes over many rows do, whatever stood in the column before.
    #[test]
    fn a_row_alone_gives_what_rows_together_do(
        (name, kinds) in prop::sample::select(OF_VALUES),
        kind in any::<prop::sample::Index>(),
        retracting in any::<bool>(),
        rows in prop::collection::vec((0u32..3, 0usize..6, any::<bool>(), any::<bool>()), 1..40),
    ) {
        let kind = &kinds[kind.index(kinds.len())];
        let values = values_of(name, kind);
        let column = column_of(kind, &rows.iter().map(|r| values[r.1]).collect::<Vec<_>>());
        let b = bind(name, &[kind.clone().nullable()], true);
        let make = if retracting { &b.retracting } else { &b.accumulator };
        let (mut many, mut alone) = (make(), make());
        let mut counts = Counts::default();
        let mut held = Held::new(make(), 0, &mut counts);
        counts.grow(3);
        held.one_mut().into_iter().for_each(|a| a.grow(3));
        many.grow(3);
        alone.grow(3);
        let arg = [Arg { column: &column, constant: false }];
        let mut kept = Column::new(&b.ty);
        for (n, &(slot, _, seen, begins)) in rows.iter().enumerate() {
            let u = Updates { args: &arg, rows: &[n as u32], slots: &[slot], kinds: None };
            let mut before = Column::new(&b.ty);
            many.emit(&[slot], &mut before);
            if seen {
                many.update(&u).expect("values");
            }
            let mut wanted = if begins { vec![] } else { texts(&before, &b.ty) };
            wanted.extend(shown(&*many, &[slot], &b.ty));
            alone.update_row(&u, seen, begins, &mut kept).expect("values");
            prop_assert_eq!(texts(&kept, &b.ty), &wanted[..], "{} of row {}", name, n);
            if held.takes_longs() {
                let value = || i64::buffer(&column.data).map_or(0, |values| values[n]);
                let value = (seen && column.is_valid(n)).then(value);
                held.add_tracked(counts.of_group(slot), (slot, begins), value, &mut kept);
                prop_assert_eq!(texts(&kept, &b.ty), wanted, "{} of row {}, by its type", name, n);
            }
        }
    }

    /// What is left of a group whatever came and went is what those rows alone come to.
    #[test]
    fn rows_that_have_left_leave_nothing_behind(
        (name, kinds) in prop::sample::select(OF_VALUES),
        kind in any::<prop::sample::Index>(),
        steps in prop::collection::vec((0usize..6, 0u8..5), 1..80),
    ) {
        let kind = &kinds[kind.index(kinds.len())];
        let values = values_of(name, kind);
        let (mut left, mut came, mut row_kinds) = (vec![], vec![], vec![]);
        for (value, leave) in steps {
            if leave < 2 && !left.is_empty() {
                let going: Option<&str> = left[left.len() * usize::from(leave) / 2];
                let at = left.iter().position(|v| *v == going).expect("it is there");
                came.push(left.remove(at));
                row_kinds.push(if leave == 0 { RowKind::Delete } else { RowKind::UpdateBefore });
            } else {
                left.push(values[value]);
                came.push(values[value]);
                row_kinds.push(if leave == 2 { RowKind::UpdateAfter } else { RowKind::Insert });
            }
        }
        let b = bind(name, &[kind.clone().nullable()], true);
        let result = |make: &AccumulatorFactory, rows: &[Option<&str>], kinds: Option<&[RowKind]>| {
            let column = column_of(kind, rows);
            let mut acc = make();
            acc.grow(1);
            let arg = [Arg { column: &column, constant: false }];
            let numbers: Vec<u32> = (0..rows.len() as u32).collect();
            acc.update(&Updates { args: &arg, rows: &numbers, slots: &vec![0; rows.len()], kinds }).expect("values");
            shown(&*acc, &[0], &b.ty)
        };
        prop_assert_eq!(
            result(&b.retracting, &came, Some(&row_kinds)),
            result(&b.accumulator, &left, None),
            "{} of {:?}", name, came.iter().zip(&row_kinds).collect::<Vec<_>>()
        );
    }
}

//! What expressions cost beside hand-written Rust, at full batches and one row at a time.
//!
//! Informs: kernels over columns without a JIT (design, decision 4). `q1` is `0.908 * price` over BIGINT (a DECIMAL(24, 3) column), `q2`
//! `MOD(auction, 123) = 0`. Every other line is one function over 1,024 rows.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use md5::{Digest, Md5};
use pelton::batch::{Batch, Column, ColumnRef, DataType, Pool, Sel, TypeKind, Watermarks};
use pelton::expr::functions::builtin;
use pelton::expr::{EvalContext, Expr, Program, Session, build};
use pelton::{Result, Span};
use std::hint::black_box;

fn numbers(rows: usize) -> ColumnRef {
    let mut c = Column::of_kind(&TypeKind::BigInt);
    c.buffer_mut::<i64>().extend_exact((0..rows).map(|i| (i as i64).wrapping_mul(7919) % 100_000));
    c.validity.reset(rows);
    ColumnRef::new(c)
}

fn texts(rows: usize) -> ColumnRef {
    let mut c = Column::of_kind(&TypeKind::STRING);
    let mut w = c.byte_column_mut().writer();
    for i in 0..rows {
        w.push(format!("https://www.nexmark.com/item{i}/x.html?query=1&channel_id={}", i % 97).as_bytes());
    }
    c.validity.reset(rows);
    ColumnRef::new(c)
}

fn times(rows: usize) -> ColumnRef {
    let mut c = Column::of_kind(&TypeKind::Timestamp(3));
    c.buffer_mut::<i64>().extend_exact((0..rows).map(|i| 1_700_000_000_000_000 + i as i64 * 1_000_000));
    c.validity.reset(rows);
    ColumnRef::new(c)
}

struct Bench {
    pool: Pool,
    watermarks: Watermarks,
    columns: Vec<ColumnRef>,
    rows: usize,
}

impl Bench {
    fn new(rows: usize) -> Self {
        let columns = vec![numbers(rows), texts(rows), times(rows)];
        Self { pool: Pool::default(), watermarks: Watermarks::default(), columns, rows }
    }

    fn eval(&mut self, p: &mut Program) {
        let Self { pool, watermarks, columns, rows } = self;
        let mut cx = EvalContext { pool, now_us: 0, watermark: 0, watermarks };
        black_box(p.eval(columns, *rows, Sel::All(*rows), &mut cx).expect("no row fails"));
    }
}

fn column(n: usize) -> Expr {
    let kind = [TypeKind::BigInt, TypeKind::STRING, TypeKind::Timestamp(3)][n].clone();
    Expr::column(n, kind.not_null(), Span::default())
}

fn literal(text: &str, ty: DataType) -> Result<Expr> {
    let mut c = Column::of_kind(&TypeKind::STRING);
    c.byte_column_mut().push(text.as_bytes());
    c.validity.push(true);
    let text = Expr::literal(ColumnRef::new(c), TypeKind::STRING.not_null(), Span::default());
    build::cast(text, &ty, false, &Session::default())
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    build::call(&builtin(), name, args, &Session::default(), Span::default()).expect("it binds")
}

fn int(v: &str) -> Expr {
    literal(v, TypeKind::Int.not_null()).expect("a number")
}

fn text(v: &str) -> Expr {
    literal(v, TypeKind::STRING.not_null()).expect("a text")
}

fn q1() -> Expr {
    let factor = literal("0.908", TypeKind::Decimal(4, 3).not_null()).expect("a decimal");
    call("*", vec![factor, column(0)])
}

fn q2() -> Expr {
    call("=", vec![call("MOD", vec![column(0), int("123")]), int("0")])
}

fn nexmark(c: &mut Criterion) {
    for rows in [1, 64, 1024] {
        let mut group = c.benchmark_group("nexmark");
        group.throughput(Throughput::Elements(rows as u64));
        let mut bench = Bench::new(rows);
        for (name, expr) in [("q1", q1()), ("q2", q2())] {
            let mut p = Program::new(&expr);
            group.bench_function(BenchmarkId::new(name, rows), |b| b.iter(|| bench.eval(&mut p)));
        }
        let mut filter = Program::new(&q2());
        let batch = Batch::new(bench.columns.clone(), rows);
        let mut keep = Vec::new();
        group.bench_function(BenchmarkId::new("q2 filter", rows), |b| {
            b.iter(|| {
                let mut cx = EvalContext {
                    pool: &mut bench.pool,
                    now_us: 0,
                    watermark: 0,
                    watermarks: &bench.watermarks,
                };
                filter.filter(&batch, &mut keep, &mut cx).expect("no row fails");
                black_box(keep.len())
            });
        });
        let prices = bench.columns[0].slice::<i64>().to_vec();
        let (mut euros, mut rows_kept) = (vec![0i128; rows], Vec::new());
        group.bench_function(BenchmarkId::new("q1 by hand", rows), |b| {
            b.iter(|| {
                for (e, &p) in euros.iter_mut().zip(black_box(&prices)) {
                    *e = i128::from(p) * 908;
                }
                black_box(euros.len())
            });
        });
        group.bench_function(BenchmarkId::new("q2 by hand", rows), |b| {
            b.iter(|| {
                rows_kept.clear();
                rows_kept.extend(
                    black_box(&prices)
                        .iter()
                        .enumerate()
                        .filter(|(_, p)| **p % 123 == 0)
                        .map(|(i, _)| i as u32),
                );
                black_box(rows_kept.len())
            });
        });
        group.finish();
    }
}

/// A function of each family beside what one would write for it in plain Rust, over the same columns.
fn families(c: &mut Criterion) {
    let rows = 1024;
    let mut group = c.benchmark_group("functions");
    group.throughput(Throughput::Elements(rows as u64));
    let mut bench = Bench::new(rows);
    let to_text = build::cast(column(0), &TypeKind::STRING.nullable(), false, &Session::default());
    let exprs = [
        ("+", call("+", vec![column(0), int("7")])),
        ("/", call("/", vec![column(0), int("7")])),
        ("<", call("<", vec![column(0), int("500")])),
        ("DECIMAL /", call("/", vec![q1(), int("3")])),
        ("DECIMAL >", call(">", vec![q1(), int("1000")])),
        ("GREATEST", call("GREATEST", vec![column(0), int("500")])),
        ("IN", call("IN", vec![column(0), int("1"), int("2"), int("3")])),
        ("text =", call("=", vec![column(1), text("short")])),
        ("UPPER", call("UPPER", vec![column(1)])),
        ("||", call("||", vec![column(1), text("&more")])),
        ("SUBSTRING", call("SUBSTRING", vec![column(1), int("9"), int("20")])),
        ("SPLIT_INDEX", call("SPLIT_INDEX", vec![column(1), text("/"), int("3")])),
        ("LIKE %x%", call("LIKE", vec![column(1), text("%channel%")])),
        (
            "REGEXP_EXTRACT",
            call("REGEXP_EXTRACT", vec![column(1), text("(&|^)channel_id=([^&]*)"), int("2")]),
        ),
        ("HOUR", call("HOUR", vec![column(2)])),
        ("DATE_FORMAT", call("DATE_FORMAT", vec![column(2), text("yyyy-MM-dd")])),
        ("CAST AS STRING", to_text.expect("it binds")),
        ("MD5", call("MD5", vec![column(1)])),
        ("URL_DECODE", call("URL_DECODE", vec![column(1)])),
        ("JSON_VALUE", json_value("$.item.price")),
        ("ARRAY[]", call("ITEM", vec![call("ARRAY", vec![column(0), int("7")]), int("1")])),
    ];
    for (name, expr) in exprs {
        let mut p = Program::new(&expr);
        group.bench_function(name, |b| b.iter(|| bench.eval(&mut p)));
    }

    let prices = bench.columns[0].slice::<i64>().to_vec();
    let texts: Vec<String> = (0..rows).map(|i| bench.columns[1].byte_column().str(i).to_owned()).collect();
    let seconds: Vec<i64> = bench.columns[2].slice::<i64>().iter().map(|t| t / 1_000_000).collect();
    let mut by_hand = |name: &str, f: &mut dyn FnMut() -> usize| {
        group.bench_function(format!("{name} by hand"), |b| b.iter(|| black_box(f())));
    };
    let mut sums = vec![0i64; rows];
    by_hand("+", &mut || {
        sums.iter_mut().zip(black_box(&prices)).for_each(|(s, p)| *s = p.wrapping_add(7));
        sums.len()
    });
    let mut flags = vec![false; rows];
    by_hand("<", &mut || {
        flags.iter_mut().zip(black_box(&prices)).for_each(|(f, p)| *f = *p < 500);
        flags.len()
    });
    by_hand("GREATEST", &mut || {
        sums.iter_mut().zip(black_box(&prices)).for_each(|(s, p)| *s = (*p).max(500));
        sums.len()
    });
    by_hand("IN", &mut || {
        flags.iter_mut().zip(black_box(&prices)).for_each(|(f, p)| *f = matches!(p, 1..=3));
        flags.len()
    });
    by_hand("text =", &mut || black_box(&texts).iter().filter(|t| *t == "short").count());
    // DECIMAL(24, 3) by 3, half up, to a scale of six digits.
    let mut shares = vec![0i128; rows];
    by_hand("DECIMAL /", &mut || {
        for (s, p) in shares.iter_mut().zip(black_box(&prices)) {
            let n = i128::from(*p) * 908 * 1000;
            *s = (n + n.signum()) / 3;
        }
        shares.len()
    });
    // One buffer for all rows, as the arena of a column.
    let mut out = String::new();
    by_hand("||", &mut || {
        out.clear();
        for t in black_box(&texts) {
            out.push_str(t);
            out.push_str("&more");
        }
        out.len()
    });
    by_hand("SUBSTRING", &mut || {
        out.clear();
        black_box(&texts).iter().for_each(|t| out.extend(t.chars().skip(8).take(20)));
        out.len()
    });
    by_hand("MD5", &mut || {
        out.clear();
        for t in black_box(&texts) {
            for byte in Md5::digest(t.as_bytes()) {
                out.push(char::from_digit(u32::from(byte >> 4), 16).expect("a digit"));
                out.push(char::from_digit(u32::from(byte & 15), 16).expect("a digit"));
            }
        }
        out.len()
    });
    by_hand("URL_DECODE", &mut || {
        out.clear();
        for t in black_box(&texts) {
            let mut parts = t.split('%');
            out.push_str(parts.next().unwrap_or_default());
            for part in parts {
                let code = part.get(..2).and_then(|d| u8::from_str_radix(d, 16).ok()).unwrap_or(b'?');
                out.push(char::from(code));
                out.push_str(part.get(2..).unwrap_or_default());
            }
        }
        out.len()
    });
    by_hand("DATE_FORMAT", &mut || {
        use std::fmt::Write;
        out.clear();
        for s in black_box(&seconds) {
            let time = jiff::Timestamp::from_second(*s).expect("in range").to_zoned(jiff::tz::TimeZone::UTC);
            let _ = write!(out, "{:04}-{:02}-{:02}", time.year(), time.month(), time.day());
        }
        out.len()
    });
    by_hand("JSON_VALUE", &mut || {
        use std::fmt::Write;
        let mut found = 0;
        for p in black_box(&prices) {
            out.clear();
            let _ = write!(out, "{{\"id\": 7, \"item\": {{\"name\": \"x\", \"price\": {p}}}}}");
            // Who knows the document looks for the key.
            found += out.split_once("\"price\": ").map_or(0, |(_, v)| v.trim_end_matches('}').len());
        }
        found
    });
    by_hand("UPPER", &mut || {
        out.clear();
        for t in black_box(&texts) {
            out.push_str(t);
        }
        out.make_ascii_uppercase();
        out.len()
    });
    by_hand("SPLIT_INDEX", &mut || {
        black_box(&texts).iter().filter_map(|t| t.split('/').nth(3)).map(str::len).sum()
    });
    by_hand("LIKE %x%", &mut || black_box(&texts).iter().filter(|t| t.contains("channel")).count());
    let regex = regex::Regex::new("(&|^)channel_id=([^&]*)").expect("a pattern");
    by_hand("REGEXP_EXTRACT", &mut || {
        let part = |t: &String| regex.captures(t).and_then(|c| c.get(2)).map(|m| m.len());
        black_box(&texts).iter().filter_map(part).sum()
    });
    by_hand("HOUR", &mut || black_box(&seconds).iter().map(|s| (s.rem_euclid(86_400) / 3600) as usize).sum());
    by_hand("CAST AS STRING", &mut || {
        use std::fmt::Write;
        out.clear();
        for p in black_box(&prices) {
            let _ = write!(out, "{p}");
        }
        out.len()
    });
    group.finish();
}

/// JSON_VALUE of a document around the price.
fn json_value(path: &str) -> Expr {
    let none = || literal_null(TypeKind::STRING.nullable());
    let digits = build::cast(column(0), &TypeKind::STRING.nullable(), false, &Session::default());
    let head = call(
        "||",
        vec![text("{\"id\": 7, \"item\": {\"name\": \"x\", \"price\": "), digits.expect("it binds")],
    );
    let document = call("||", vec![head, text("}}")]);
    call("JSON_VALUE", vec![document, text(path), none(), text("NULL"), none(), text("NULL"), none()])
}

fn literal_null(ty: DataType) -> Expr {
    let mut c = Column::new(&ty);
    c.push_null();
    Expr::literal(ColumnRef::new(c), ty, Span::default())
}

criterion_group!(benches, nexmark, families);
criterion_main!(benches);

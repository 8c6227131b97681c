//! Any text as a pattern of DATE_FORMAT and TO_TIMESTAMP: taken or refused, never a panic, whatever the time and the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pelton::Span;
use pelton::batch::{Column, ColumnRef, Pool, Sel, TypeKind, Watermarks};
use pelton::expr::functions::builtin;
use pelton::expr::{EvalContext, Expr, Program, Session, build};
use std::cell::RefCell;

thread_local! {
    static PROGRAMS: RefCell<Vec<Program>> = RefCell::new(programs());
}

/// Over a time, a text, and the pattern as a column, so that it is compiled from row to row.
fn programs() -> Vec<Program> {
    let column = |n: usize, kind: TypeKind| Expr::column(n, kind.nullable(), Span::default());
    let (time, text) = (column(0, TypeKind::Timestamp(3)), column(1, TypeKind::STRING));
    let pattern = column(2, TypeKind::STRING);
    let call = |name: &str, args: Vec<Expr>| {
        let e = build::call(&builtin(), name, args, &Session::default(), Span::default());
        Program::new(&e.expect("it binds"))
    };
    vec![
        call("DATE_FORMAT", vec![time, pattern.clone()]),
        call("TO_TIMESTAMP", vec![text.clone(), pattern.clone()]),
        call("TO_DATE", vec![text.clone(), pattern.clone()]),
        call("UNIX_TIMESTAMP", vec![text, pattern]),
    ]
}

fn text_of(text: &str) -> ColumnRef {
    let mut c = Column::of_kind(&TypeKind::STRING);
    c.byte_column_mut().push(text.as_bytes());
    c.validity.push(true);
    ColumnRef::new(c)
}

fuzz_target!(|data: &[u8]| {
    let [a, b, c, rest @ ..] = data else { return };
    let Ok(rest) = std::str::from_utf8(rest) else { return };
    let (pattern, text) = rest.split_once('\n').unwrap_or((rest, "2024-02-29 10:11:12.345"));
    let mut time = Column::of_kind(&TypeKind::Timestamp(3));
    // Years 1 to 9999.
    let share = f64::from(u32::from_le_bytes([*a, *b, *c, 0])) / f64::from(1 << 24);
    time.buffer_mut::<i64>().push((-62_135_596_800.0 + share * 315_537_897_600.0) as i64 * 1_000_000 + 345_000);
    time.validity.push(true);
    let columns = [ColumnRef::new(time), text_of(text), text_of(pattern)];
    let (mut pool, watermarks) = (Pool::default(), Watermarks::default());
    PROGRAMS.with_borrow_mut(|programs| {
        for p in programs {
            let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &watermarks };
            let _ = p.eval(&columns, 1, Sel::All(1), &mut cx);
        }
    });
});

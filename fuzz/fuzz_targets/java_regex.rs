//! Any text as a pattern of LIKE, SIMILAR TO and Java's regular expressions: translated or refused by name, never a panic; a match
//! lies in the text.
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

/// Over a text and the pattern as a column, so that it is compiled from row to row.
fn programs() -> Vec<Program> {
    let column = |n: usize| Expr::column(n, TypeKind::STRING.nullable(), Span::default());
    let one = |name: &str, more: Vec<Expr>| {
        let args = [column(0), column(1)].into_iter().chain(more).collect();
        let e = build::call(&builtin(), name, args, &Session::default(), Span::default());
        Program::new(&e.expect("it binds"))
    };
    vec![
        one("REGEXP_SUBSTR", vec![]),
        one("REGEXP_REPLACE", vec![column(0)]),
        one("REGEXP_COUNT", vec![]),
        one("REGEXP_INSTR", vec![]),
        one("REGEXP_EXTRACT_ALL", vec![]),
        one("LIKE", vec![]),
        one("SIMILAR TO", vec![]),
    ]
}

fn text_of(text: &str) -> ColumnRef {
    let mut c = Column::of_kind(&TypeKind::STRING);
    c.byte_column_mut().push(text.as_bytes());
    c.validity.push(true);
    ColumnRef::new(c)
}

fuzz_target!(|data: &[u8]| {
    let Ok(data) = std::str::from_utf8(data) else { return };
    // A pattern of a kilobyte can ask for a program of megabytes.
    if data.len() > 200 {
        return;
    }
    let (pattern, text) = data.split_once('\n').unwrap_or((data, "abc 12,é"));
    let columns = [text_of(text), text_of(pattern)];
    let (mut pool, watermarks) = (Pool::default(), Watermarks::default());
    PROGRAMS.with_borrow_mut(|programs| {
        for (n, p) in programs.iter_mut().enumerate() {
            let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &watermarks };
            let Ok(found) = p.eval(&columns, 1, Sel::All(1), &mut cx) else { continue };
            if n == 0 && found.arg().is_valid(0) {
                let part = std::str::from_utf8(found.arg().bytes(0)).expect("text");
                assert!(text.contains(part));
            }
        }
    });
});

//! Functions of text and JSON allocate nothing for a row: what is new goes into the result's arena, what is a part shares its argument's bytes.
//! Constant patterns (LIKE, SIMILAR, regular expressions, dates, JSON paths) are compiled when the call is bound: to compile one takes
//! allocations, and evaluating it a hundred times over takes none.

use pelton::Span;
use pelton::batch::{Column, ColumnRef, DataType, Pool, Sel, TypeKind, Watermarks};
use pelton::expr::functions::builtin;
use pelton::expr::{EvalContext, Expr, Program, Session, build};

mod counting;

/// Texts longer than a view holds, JSON, and times.
fn columns(rows: usize) -> Vec<ColumnRef> {
    let texts = |of: &dyn Fn(usize) -> String| {
        let mut c = Column::of_kind(&TypeKind::STRING);
        (0..rows).for_each(|n| c.byte_column_mut().push(of(n).as_bytes()));
        c.validity.reset(rows);
        ColumnRef::new(c)
    };
    let mut times = Column::of_kind(&TypeKind::Timestamp(3));
    times.buffer_mut::<i64>().extend_exact((0..rows).map(|i| 1_700_000_000_000_000 + i as i64 * 1_000_000));
    times.validity.reset(rows);
    vec![
        texts(&|n| format!("  Some, text of more than twelve bytes, é {n}  ")),
        texts(&|n| {
            format!(r#"{{"name": "a name of some length {n}", "list": [{n}, 2], "inner": {{"b": 1.50}}}}"#)
        }),
        ColumnRef::new(times),
    ]
}

fn column(n: usize) -> Expr {
    let kind = [TypeKind::STRING, TypeKind::STRING, TypeKind::Timestamp(3)][n].clone();
    Expr::column(n, kind.nullable(), Span::default())
}

fn literal(text: Option<&str>, ty: DataType) -> Expr {
    let mut c = Column::of_kind(&TypeKind::STRING);
    c.byte_column_mut().push(text.unwrap_or("").as_bytes());
    c.validity.push(text.is_some());
    let literal = Expr::literal(ColumnRef::new(c), TypeKind::STRING.nullable(), Span::default());
    build::cast(literal, &ty, false, &Session::default()).expect("a literal")
}

fn text(v: &str) -> Expr {
    literal(Some(v), TypeKind::STRING.not_null())
}

fn int(v: &str) -> Expr {
    literal(Some(v), TypeKind::Int.not_null())
}

fn null() -> Expr {
    literal(None, TypeKind::STRING.nullable())
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    build::call(&builtin(), name, args, &Session::default(), Span::default())
        .unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn json_value(path: &str, kind: TypeKind) -> Expr {
    let none = || literal(None, kind.clone().nullable());
    call("JSON_VALUE", vec![column(1), text(path), none(), text("NULL"), none(), text("NULL"), none()])
}

fn json_query(path: &str) -> Expr {
    let args = vec![column(1), text(path), null(), text("WITHOUT"), text("NULL"), text("NULL")];
    call("JSON_QUERY", args)
}

/// Allocations of an evaluation over `rows` rows, when others have gone before.
fn allocations(e: &Expr, rows: usize, times: u64) -> u64 {
    let (columns, mut program) = (columns(rows), Program::new(e));
    let (mut pool, marks) = (Pool::default(), Watermarks::default());
    let mut out = 0;
    for round in 0..times + 3 {
        let before = counting::allocations();
        let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &marks };
        program.eval(&columns, rows, Sel::All(rows), &mut cx).expect("no row fails");
        if round >= 3 {
            out += counting::allocations() - before;
        }
    }
    out
}

fn texts() -> Vec<(&'static str, Expr)> {
    vec![
        ("UPPER", call("UPPER", vec![column(0)])),
        ("LOWER", call("LOWER", vec![column(0)])),
        ("INITCAP", call("INITCAP", vec![column(0)])),
        ("||", call("||", vec![column(0), text(" and a suffix")])),
        ("CONCAT_WS", call("CONCAT_WS", vec![text("-"), column(0), column(1)])),
        ("SUBSTRING", call("SUBSTRING", vec![column(0), int("3"), int("20")])),
        ("LEFT", call("LEFT", vec![column(0), int("15")])),
        ("BTRIM", call("BTRIM", vec![column(0)])),
        ("REPLACE", call("REPLACE", vec![column(0), text("text"), text("replacement")])),
        ("TRANSLATE", call("TRANSLATE", vec![column(0), text("abc"), text("xyz")])),
        ("LPAD", call("LPAD", vec![column(0), int("60"), text("*")])),
        ("REPEAT", call("REPEAT", vec![column(0), int("2")])),
        ("REVERSE", call("REVERSE", vec![column(0)])),
        ("OVERLAY", call("OVERLAY", vec![column(0), text("new"), int("3")])),
        ("SPLIT_INDEX", call("SPLIT_INDEX", vec![column(0), text(","), int("1")])),
        ("POSITION", call("POSITION", vec![text("more"), column(0)])),
        ("MD5", call("MD5", vec![column(0)])),
        ("SHA256", call("SHA256", vec![column(0)])),
        ("HEX", call("HEX", vec![column(0)])),
        ("TO_BASE64", call("TO_BASE64", vec![column(0)])),
        ("URL_ENCODE", call("URL_ENCODE", vec![column(0)])),
        ("JSON_QUOTE", call("JSON_QUOTE", vec![column(0)])),
        ("JSON_VALUE", json_value("$.name", TypeKind::STRING)),
        ("JSON_VALUE of a number", json_value("$.inner.b", TypeKind::STRING)),
        ("JSON_QUERY", json_query("$.inner")),
        ("JSON_QUERY of many", json_query("$.list[*]")),
        ("JSON_EXISTS", call("JSON_EXISTS", vec![column(1), text("$.name"), text("FALSE")])),
        ("JSON_OBJECT", call("JSON_OBJECT", vec![text("NULL"), text("0"), text("k"), column(0)])),
        ("JSON_ARRAY", call("JSON_ARRAY", vec![text("NULL"), text("00"), column(0), column(2)])),
        ("JSON_STRING", call("JSON_STRING", vec![column(0)])),
        ("JSON_UNQUOTE", call("JSON_UNQUOTE", vec![call("JSON_QUOTE", vec![column(0)])])),
        ("PARSE_JSON", call("PARSE_JSON", vec![column(1)])),
        ("IS JSON", call("IS JSON VALUE", vec![column(1)])),
        (
            "a time as text",
            build::cast(column(2), &TypeKind::STRING.nullable(), false, &Session::default()).expect("a cast"),
        ),
    ]
}

fn patterns() -> Vec<(&'static str, Expr)> {
    vec![
        ("LIKE", call("LIKE", vec![column(0), text("%text%bytes_%")])),
        ("SIMILAR TO", call("SIMILAR TO", vec![column(0), text("%(text|word)%")])),
        ("REGEXP", call("REGEXP", vec![column(0), text("[a-f]+ [0-9]{1,3}")])),
        ("REGEXP_SUBSTR", call("REGEXP_SUBSTR", vec![column(0), text("t[a-z]+e")])),
        ("REGEXP_COUNT", call("REGEXP_COUNT", vec![column(0), text("[a-f]+")])),
        ("DATE_FORMAT", call("DATE_FORMAT", vec![column(2), text("yyyy-MM-dd HH:mm:ss.SSS")])),
        ("TO_TIMESTAMP", call("TO_TIMESTAMP", vec![column(0), text("yyyy/MM/dd HH")])),
        ("JSON_VALUE", json_value("lax $.inner.b", TypeKind::Double)),
    ]
}

#[test]
fn no_allocation_for_a_row() {
    let mut many = vec![];
    for (name, e) in texts().into_iter().chain(patterns()) {
        let n = allocations(&e, 1024, 1);
        // A batch may have a few: a list of columns, an arena that grows once more.
        if n > 8 {
            many.push(format!("{name}: {n} for 1,024 rows"));
        }
    }
    assert!(many.is_empty(), "{}", many.join("\n"));
}

#[test]
fn constant_patterns_are_compiled_once() {
    for (name, e) in patterns() {
        let n = allocations(&e, 1, 100);
        assert!(n < 100, "{name}: {n} allocations in 100 evaluations of one row");
    }
}

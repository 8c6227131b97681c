//! Any bytes as records of every format: rows, or an error with its place, never a panic. How many rows are asked for at once changes
//! neither the rows nor what is wrong with them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pelton::batch::{Column, ColumnRef, Field, Schema, TypeKind};
use pelton::formats::{Format, Rows};

fn schema(format: &str) -> Schema {
    let field = |n: &str, kind: TypeKind| Field::new(n, kind.nullable());
    if format == "raw" {
        return Schema::new(vec![field("s", TypeKind::STRING)]);
    }
    let row = TypeKind::Row(vec![field("x", TypeKind::Int), field("y", TypeKind::STRING)]);
    Schema::new(vec![
        field("id", TypeKind::Int),
        field("s", TypeKind::STRING),
        field("m", TypeKind::Decimal(10, 2)),
        field("d", TypeKind::Double),
        field("t", TypeKind::Timestamp(3)),
        field("a", TypeKind::Array(Box::new(TypeKind::Int.nullable()))),
        field("r", row),
    ])
}

/// Rows, rows that were skipped, and the line of the error, if any.
fn decode(format: &Format, schema: &Schema, text: &[u8], max_rows: usize) -> (usize, u64, Option<u64>) {
    let columns: Vec<usize> = (0..schema.len()).collect();
    let mut decoder = format.decoder(schema, &columns);
    let (mut at, mut line, mut total, mut bad) = (0, 1, 0, 0);
    let mut rows = Rows::default();
    while at < text.len() {
        rows.start(schema.fields.iter().map(|f| ColumnRef::new(Column::new(&f.ty))).collect());
        let input = &text[at..];
        let result = decoder.decode(input, true, max_rows, &mut line, &mut rows);
        assert!(rows.columns.iter().all(|c| c.len() == rows.rows), "columns of one length");
        assert_eq!(rows.bad, rows.skipped.len() as u64);
        (total, bad) = (total + rows.rows, bad + rows.bad);
        // Of files with a head, another decoder goes on behind it.
        let mut next = format.decoder(schema, &columns);
        next.set_head(decoder.head()).expect("the head that a decoder gave");
        decoder = next;
        match result {
            Ok(0) => panic!("the last bytes are records"),
            Ok(used) => at += used,
            Err(e) => {
                assert!(e.record.start <= e.record.end && e.record.end <= input.len(), "{e:?}");
                return (total, bad, Some(e.line));
            }
        }
    }
    (total, bad, None)
}

fuzz_target!(|data: &[u8]| {
    let [which, ignore, text @ ..] = data else { return };
    let name = Format::NAMES[usize::from(*which) % Format::NAMES.len()];
    let ignore = (ignore & 1 == 1 && name != "raw").then_some("true");
    let Ok(format) = Format::from_options(name, |k| ignore.filter(|_| k == "ignore-parse-errors")) else {
        return;
    };
    let schema = schema(name);
    assert_eq!(decode(&format, &schema, text, usize::MAX), decode(&format, &schema, text, 1), "{name}");
});

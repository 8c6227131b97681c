//! Avro files as tables: every type, fields that the table has not and that the file has not, and the state in the middle of a file. The files
//! were written by fastavro 1.13.

use pelton::batch::text::{Style, write_value};
use pelton::{Engine, Progress, Result};

fn run(sql: &str, batch_rows: usize, cycle: bool) -> Result<Vec<String>> {
    let engine = Engine::builder().batch_rows(batch_rows).turn_rows(1).build()?;
    let script = engine.prepare(sql)?;
    let job = script.jobs().last().expect("a query");
    let mut run = job.start()?;
    let (schema, zone) = (job.schema().expect("a query has columns"), job.time_zone());
    let mut lines = vec![];
    for turn in 1.. {
        let progress = run.step(turn)?;
        for batch in run.take_results() {
            for row in batch.sel().iter() {
                let mut line = vec![];
                for (n, field) in schema.fields.iter().enumerate() {
                    if n > 0 {
                        line.push(b' ');
                    }
                    write_value(batch.column(n), row, &field.ty, &zone, Style::Changelog, &mut line);
                }
                lines.push(String::from_utf8(line).expect("text is UTF-8"));
            }
        }
        match progress {
            Progress::Done => break,
            Progress::Working => {}
            Progress::Idle { .. } => std::thread::yield_now(),
        }
        if cycle {
            match run.cycle_state() {
                Err(e) if e.is_retryable() => {}
                done => done?,
            }
        }
    }
    Ok(lines)
}

fn table(columns: &str, file: &str, options: &str) -> String {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sql/data/avro");
    format!(
        "CREATE TABLE t ({columns}) WITH ('connector' = 'filesystem', 'path' = '{data}/{file}.avro', 'format' = 'avro'{options});"
    )
}

const PAYMENTS: &str = "id BIGINT NOT NULL, kind STRING, b BOOLEAN, t TINYINT, f DOUBLE, d DOUBLE, amount DECIMAL(10, 2), fee DECIMAL(10, 2),
    `day` DATE, `at` TIME, ts TIMESTAMP(3), `raw` BYTES, tags ARRAY<STRING>, m MAP<STRING, INT>,
    r ROW<zip BIGINT, city STRING, absent DATE>, absent INT";

#[test]
fn every_type_is_read_by_the_name_of_its_field() {
    let sql = format!("{}SELECT * FROM t", table(PAYMENTS, "payments", ""));
    for batch_rows in [1, 1024] {
        assert_eq!(
            run(&sql, batch_rows, false).expect("rows"),
            [
                "1 CARD true 7 1.5 2.25 12.34 -0.01 2024-03-10 10:00:00 2024-03-10 10:00:00.500 x'01FF' [\"a\",null,\"c\"] {\"x\":1} {\"zip\":50667,\"city\":\"Köln\",\"absent\":null} \\N",
                "2 CASH \\N \\N -0.5 \\N \\N 99999.99 \\N 00:00:00 \\N \\N [] \\N \\N \\N",
                "3 CARD false -128 3.25 -1.0E300 -99999999.99 0.00 1969-12-31 23:59:59 1969-12-31 23:59:59.999 x'' [null] {} {\"zip\":-1,\"city\":null,\"absent\":null} \\N",
            ]
        );
    }
}

#[test]
fn only_what_is_read_is_decoded_and_instants_are_moments() {
    let sql =
        format!("{}SELECT COUNT(*), MAX(fee) FROM t WHERE r.city IS NULL", table(PAYMENTS, "payments", ""));
    assert_eq!(run(&sql, 7, false).expect("rows").last().map(String::as_str), Some("2 99999.99"));
    let options = ", 'avro.timestamp_mapping.legacy' = 'false', 'avro.codec' = 'snappy'";
    let sql = format!(
        "SET 'table.local-time-zone' = 'Asia/Tokyo';{}SELECT ts FROM t WHERE id = 1",
        table("id BIGINT, ts TIMESTAMP_LTZ(6)", "payments", options)
    );
    assert_eq!(run(&sql, 7, false).expect("rows"), ["2024-03-10 19:00:00.500000"]);
}

/// The head of the file is part of what goes on in its middle.
#[test]
fn reading_goes_on_in_the_middle_of_a_file_from_its_bytes() {
    for codec in ["null", "deflate", "snappy", "zstandard"] {
        let sql =
            format!("{}SELECT COUNT(*), COUNT(s), SUM(id) FROM t", table("id INT, s STRING", codec, ""));
        let rows = run(&sql, 7, true).expect("rows");
        assert_eq!(rows.last().map(String::as_str), Some("300 240 44850"), "{codec}");
    }
}

#[test]
fn what_does_not_fit_is_an_error_at_its_row() {
    for (columns, wanted) in [
        ("id BIGINT, kind INT", "line 1, column 1: enum where INT is expected"),
        (
            "id BIGINT NOT NULL, b BOOLEAN NOT NULL",
            "line 2, column 1: null where BOOLEAN NOT NULL is expected",
        ),
        ("id BIGINT, other INT NOT NULL", "there is no field 'other', and its column is NOT NULL"),
        ("amount DECIMAL(10, 3)", "a decimal of scale 2 where DECIMAL(10, 3) is expected"),
    ] {
        let sql = format!("{}SELECT * FROM t", table(columns, "payments", ""));
        let error = run(&sql, 1024, false).expect_err(columns).to_string();
        assert!(error.contains(wanted), "{columns}: {error}");
    }
    let sql = format!("{}INSERT INTO t SELECT 1", table("id INT", "payments", ""));
    let error = Engine::builder().build().and_then(|e| e.prepare(&sql).map(|_| ())).expect_err("no writing");
    assert!(error.to_string().contains("writing 'avro' is not supported"), "{error}");
}

//! The binary as a user meets it: what it prints where, and how it exits.

#[path = "../examples/generate_payments.rs"]
#[expect(dead_code, reason = "its main is not called")]
mod generate_payments;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn pelton(args: &[&str]) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_pelton"));
    c.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    c
}

fn run(args: &[&str]) -> Output {
    pelton(args).stdin(Stdio::null()).output().expect("the binary starts")
}

fn out(o: &Output) -> String {
    String::from_utf8_lossy(&o.stdout).into_owned()
}

fn err(o: &Output) -> String {
    String::from_utf8_lossy(&o.stderr).into_owned()
}

fn code(o: &Output) -> Option<i32> {
    o.status.code()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .expect("a file of the repository")
}

#[test]
fn the_example_gives_the_rows_of_real_flink() {
    let o = run(&["run", "--format", "changelog", "examples/payments.sql"]);
    assert_eq!((out(&o), code(&o)), (read("examples/payments.out"), Some(0)), "{}", err(&o));
}

#[test]
fn the_readme_shows_what_command_one_prints() {
    let o = run(&["run", "examples/payments.sql"]);
    let (printed, readme) = (out(&o), read("README.md"));
    for line in printed.lines().take(6) {
        assert!(readme.contains(line.trim_end()), "README.md does not show: {line}");
    }
}

#[test]
fn the_example_data_is_what_its_generator_makes() {
    assert_eq!(generate_payments::file(), read("examples/payments.csv"));
}

#[test]
fn each_kind_of_failure_has_its_exit_code() {
    let cases: &[(&[&str], i32, &str)] = &[
        (&["run", "-e", "SELECT FROM"], 3, "-->"),
        (&["run", "-e", "SELECT nothing FROM nowhere"], 3, "nowhere"),
        (&["check", "-e", "SELECT 1 + DATE '2024-01-01'"], 3, "-->"),
        (&["run", "no/such/file.sql"], 2, "no/such/file.sql"),
        (&["run", "-e", "SELECT '${X}'"], 2, "-D X="),
        (&["run", "--batch", "0", "-e", "SELECT 1"], 2, "batch"),
        (&["run", "--nonsense"], 2, "--nonsense"),
        (
            &[
                "run",
                "-e",
                "CREATE TABLE t (a INT) WITH ('connector'='filesystem','path'='tests/sql/data/bad.csv','format'='csv'); SELECT * FROM t",
            ],
            4,
            "bad.csv",
        ),
        (&["run", "-e", "SELECT 1 / (a - a) FROM (VALUES (1)) AS t (a)"], 5, "zero"),
    ];
    for (args, expected, text) in cases {
        let o = run(args);
        assert_eq!(code(&o), Some(*expected), "{args:?}: {}", err(&o));
        assert!(err(&o).contains(text), "{args:?}: no {text:?} in {}", err(&o));
        assert!(!err(&o).contains("panicked"), "{args:?}: {}", err(&o));
    }
}

#[test]
fn an_error_shows_the_line_and_a_caret() {
    let o = run(&["check", "-e", "SELECT 1;\nSELECT a FROM (VALUES (1)) AS t (b)"]);
    assert!(
        err(&o).contains("--> -e:2:8") && err(&o).contains("  | ") && err(&o).contains('^'),
        "{}",
        err(&o)
    );
}

#[test]
fn forms_of_a_result() {
    let sql = "SELECT k, SUM(n) AS s FROM (VALUES ('a', 1), ('b,c', 2), ('a', 3)) AS t (k, n) GROUP BY k";
    let form = |f: &str| out(&run(&["run", "--format", f, "-e", sql]));
    assert_eq!(
        form("json"),
        "{\"op\":\"+I\",\"row\":{\"k\":\"a\",\"s\":1}}\n{\"op\":\"+I\",\"row\":{\"k\":\"b,c\",\"s\":2}}\n{\"op\":\"-U\",\"row\":{\"k\":\"a\",\"s\":1}}\n{\"op\":\"+U\",\"row\":{\"k\":\"a\",\"s\":4}}\n"
    );
    assert_eq!(form("csv"), "op,k,s\n+I,a,1\n+I,\"b,c\",2\n-U,a,1\n+U,a,4\n");
    assert_eq!(form("table"), "op  k    s\n+I  a    1\n+I  b,c  2\n-U  a    1\n+U  a    4\n");
}

#[test]
fn scripts_come_from_standard_input_and_take_definitions() {
    let mut child = pelton(&["run", "-", "-D", "N=2", "--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("a pipe").write_all(b"SELECT ${N} + 1 AS x").expect("it reads");
    assert_eq!(out(&child.wait_with_output().expect("it ends")), "x\n3\n");
}

#[test]
fn explain_prints_the_graph_that_runs() {
    let o = run(&["explain", "examples/payments.sql"]);
    assert_eq!(code(&o), Some(0), "{}", err(&o));
    for text in ["TUMBLE", "watermark", "card"] {
        assert!(out(&o).to_lowercase().contains(&text.to_lowercase()), "no {text} in\n{}", out(&o));
    }
}

#[test]
fn check_warns_of_a_watermark_without_delay() {
    let ddl = "CREATE TABLE t (a INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='-','format'='csv'); SELECT a FROM t";
    let o = run(&["check", "-e", ddl]);
    assert_eq!(code(&o), Some(1), "{}", err(&o));
    assert!(out(&o).contains("0.001"), "{}", out(&o));
    let o = run(&["check", "examples/payments.sql"]);
    assert_eq!((out(&o).as_str(), code(&o)), ("", Some(0)), "{}", err(&o));
    let o = run(&["check", "--flink", "examples/payments.sql"]);
    assert_eq!(code(&o), Some(0), "{}{}", out(&o), err(&o));
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_prints_the_counts() {
    use std::io::{BufRead as _, BufReader};
    let sql =
        "CREATE TABLE t (a BIGINT) WITH ('connector'='datagen','rows-per-second'='1000'); SELECT a FROM t";
    let mut child = pelton(&["run", "--format", "csv", "-e", sql])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    for _ in 0..3 {
        lines.next().expect("rows come").expect("text");
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let rest = std::thread::spawn(move || lines.count());
    let o = child.wait_with_output().expect("it ends");
    rest.join().expect("standard output closes");
    assert_eq!(code(&o), Some(130), "{}", err(&o));
    assert!(err(&o).contains(" in") && err(&o).contains(" out"), "{}", err(&o));
}

#[cfg(unix)]
#[test]
fn a_reader_that_closes_early_ends_the_run() {
    let sql =
        "CREATE TABLE t (a BIGINT) WITH ('connector'='datagen','rows-per-second'='100000'); SELECT a FROM t";
    let mut child = pelton(&["run", "--format", "csv", "-e", sql])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let o = child.wait_with_output().expect("it ends");
    assert_eq!(code(&o), Some(0), "{}", err(&o));
    assert!(!err(&o).contains("panicked"), "{}", err(&o));
}

#[test]
fn bench_prints_what_the_reference_says() {
    let o = run(&["bench", "nexmark", "--queries", "q0,q2", "--events", "20000", "--json"]);
    assert_eq!(code(&o), Some(0), "{}", err(&o));
    let text = out(&o);
    assert!(text.trim_start().starts_with('[') && text.trim_end().ends_with(']'), "{text}");
    for field in [
        "query",
        "events",
        "events_per_s",
        "events_per_cpu_s",
        "allocs_per_event",
        "peak_rss_kb",
        "ns_per_event",
    ] {
        assert_eq!(text.matches(&format!("\"{field}\":")).count(), 2, "{field} in {text}");
    }
}

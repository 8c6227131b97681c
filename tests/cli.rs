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

/// The lines in a fixed order: rows of one window have none among each other in Flink.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_example_gives_the_rows_of_real_flink() {
    let o = run(&["run", "--format", "changelog", "examples/payments.sql"]);
    assert_eq!(sorted(&out(&o)), sorted(&read("examples/payments.out")), "{}", err(&o));
    assert_eq!(code(&o), Some(0), "{}", err(&o));
}

#[test]
fn the_readme_shows_what_command_one_prints() {
    let o = run(&["run", "examples/payments.sql"]);
    let readme = read("README.md");
    let (_, after) = readme.split_once("```text\n").expect("a sample of the output");
    let shown: Vec<&str> = after.lines().take_while(|l| !matches!(*l, "…" | "```")).collect();
    assert!(shown.len() > 4, "{shown:?}");
    assert_eq!(out(&o).lines().take(shown.len()).collect::<Vec<_>>(), shown);
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
        (&["run", "-e", "SELECT 1,\n 1 / (a - a) FROM (VALUES (1)) AS t (a)"], 5, "--> -e:2:2"),
        (
            &[
                "run",
                "-e",
                "CREATE TABLE t (a INT) WITH ('connector'='filesystem','path'='no/such.csv','format'='csv');\nSELECT a FROM t",
            ],
            4,
            "--> -e:1:",
        ),
        (&["run", "-e", "SELECT a FROM t"], 3, "CREATE TABLE"),
        (&["run"], 2, "--execute"),
        (&["bench", "nexmark", "--queries", "q99"], 2, "q0, q1"),
        (&["completions", "tcsh"], 2, "bash"),
    ];
    for (args, expected, text) in cases {
        let o = run(args);
        assert_eq!(code(&o), Some(*expected), "{args:?}: {}", err(&o));
        assert!(err(&o).contains(text), "{args:?}: no {text:?} in {}", err(&o));
        assert!(!err(&o).contains("panicked"), "{args:?}: {}", err(&o));
    }
}

#[test]
fn every_command_says_what_it_does_and_how_to_use_it() {
    for command in [&["run"] as &[&str], &["explain"], &["check"], &["bench", "nexmark"], &["completions"]] {
        let o = run(&[command, &["--help"]].concat());
        assert_eq!(code(&o), Some(0));
        let text = out(&o);
        assert!(text.contains("Examples:\n  pelton ") && text.contains("Usage: pelton "), "{text}");
        assert!(text.lines().all(|l| l.chars().count() <= 100), "{text}");
    }
    let o = run(&["--help"]);
    assert!(out(&o).contains("Exit codes:\n"), "{}", out(&o));
    let o = run(&["completions", "bash"]);
    assert!(code(&o) == Some(0) && out(&o).contains("nexmark"), "{}", err(&o));
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
    let ddl = "CREATE TABLE t (a INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='-','format'='csv'); SELECT a FROM t ORDER BY ts";
    let o = run(&["check", "-e", ddl]);
    assert_eq!(code(&o), Some(1), "{}", err(&o));
    assert!(err(&o).contains("0.001"), "{}", err(&o));
    for args in
        [&["check", "examples/payments.sql"] as &[&str], &["check", "--flink", "examples/payments.sql"]]
    {
        let o = run(args);
        assert_eq!(code(&o), Some(0), "{}", err(&o));
    }
    let o = run(&["check", "--flink", "-e", &ddl.replace("AS ts)", "AS ts - INTERVAL '1' SECOND)")]);
    assert!(code(&o) == Some(1) && err(&o).contains("standard input"), "{}", err(&o));
}

/// Tables that run, with something of everything that Flink has not.
const EXTENDED: &str = "SET 'pelton.bad-rows' = 'bad';
SET 'table.exec.state.ttl' = '1 h';
CREATE TABLE n (event_type INT, person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING,
 state STRING, `dateTime` TIMESTAMP(3), extra STRING>, auction ROW<id BIGINT, itemName STRING, description STRING,
 initialBid BIGINT, reserve BIGINT, `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>,
 bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3), extra STRING>)
WITH ('connector' = 'nexmark', 'mode' = 'replay', 'events.num' = '${N}');
CREATE TABLE d (a INT) WITH ('connector' = 'datagen', 'seed' = '1', 'number-of-rows' = '1');
CREATE TABLE f (a INT) WITH ('connector' = 'filesystem', 'path' = 'data/*.csv', 'format' = 'csv');
CREATE TABLE o (a INT) WITH ('connector' = 'filesystem', 'path' = '-', 'format' = 'csv');
INSERT INTO o SELECT event_type FROM n;
";

#[test]
fn check_lists_all_that_flink_would_not_take() {
    let o = run(&["check", "--flink", "-D", "N=5", "-e", EXTENDED]);
    let text = err(&o);
    assert_eq!(code(&o), Some(1), "{text}");
    for part in [
        "${N}",
        "the setting 'pelton.bad-rows'",
        "connector 'nexmark'",
        "'mode' of connector 'nexmark'",
        "'seed' of connector 'datagen'",
        "wildcards",
        "the path '-'",
        "--> -e:1:",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(!text.contains("state.ttl") && text.ends_with("-e: 1 job, 7 findings\n"), "{text}");
}

#[test]
fn state_over_the_limit_ends_the_job_with_the_operators_that_hold_it() {
    let sql = "SET 'pelton.memory-limit' = '1 mb';
CREATE TABLE d (k BIGINT) WITH ('connector' = 'datagen', 'fields.k.kind' = 'sequence', 'fields.k.start' = '1',
 'fields.k.end' = '1000000', 'rows-per-second' = '1000000000');
CREATE TABLE b (k BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT k, COUNT(*) FROM d GROUP BY k";
    let o = run(&["run", "-e", sql]);
    assert_eq!(code(&o), Some(5), "{}", err(&o));
    for part in ["GroupAggregate: ", "over its limit of 1.0 MB", "'pelton.memory-limit'"] {
        assert!(err(&o).contains(part), "{}", err(&o));
    }
}

#[test]
fn what_is_not_right_with_a_script_is_shown_at_its_place() {
    let o = run(&["run", "-e", "SELECT\n  '${X}'"]);
    assert!(err(&o).contains("--> -e:2:4") && err(&o).contains("-D X="), "{}", err(&o));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("latin1.sql");
    std::fs::write(&path, b"SELECT 1;\nSELECT '\xe9'").expect("a file");
    let o = run(&["run", path.to_str().expect("a name")]);
    assert!(code(&o) == Some(2) && err(&o).contains("not UTF-8: line 2"), "{}", err(&o));
    let o = run(&["run", "SELECT 1"]);
    assert!(code(&o) == Some(2) && err(&o).contains("-e"), "{}", err(&o));
}

#[test]
fn late_and_malformed_rows_are_told_even_where_nobody_watches() {
    let sql = "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '-', 'format' = 'json', 'json.ignore-parse-errors' = 'true');
SELECT a FROM t";
    let go = |args: &[&str]| {
        let mut child = pelton(&[args, &["run", "--format", "csv", "-e", sql]].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(b"{\"a\":1}\nnonsense\n").expect("it reads");
        drop(input);
        child.wait_with_output().expect("it ends")
    };
    let o = go(&[]);
    assert_eq!((out(&o).as_str(), code(&o)), ("a\n1\n", Some(0)));
    assert!(err(&o).contains("1 malformed"), "{}", err(&o));
    let o = run(&["run", "-e", "SELECT 1"]);
    assert_eq!(err(&o), "", "counts that nobody asked for");
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
    assert_eq!((code(&o), err(&o)), (Some(0), String::new()));
}

#[cfg(unix)]
#[test]
fn a_sink_whose_reader_has_gone_ends_the_run() {
    let sql = "CREATE TABLE t (a BIGINT) WITH ('connector'='datagen','rows-per-second'='100000');
CREATE TABLE p (a BIGINT) WITH ('connector'='print'); INSERT INTO p SELECT a FROM t";
    let mut child = pelton(&["run", "-e", sql])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let o = child.wait_with_output().expect("it ends");
    assert_eq!((code(&o), err(&o)), (Some(0), String::new()));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let o =
        pelton(&["run", "-e", "SELECT 1"]).stdout(full).stderr(Stdio::piped()).output().expect("it starts");
    assert_eq!(code(&o), Some(5), "{}", err(&o));
    assert!(err(&o).contains("No space left"), "{}", err(&o));
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
        "seconds",
        "cpu_seconds",
        "rows_out",
        "rows_per_call",
    ] {
        assert_eq!(text.matches(&format!("\"{field}\":")).count(), 2, "{field} in {text}");
    }
}

/// Standard output is full and nobody reads: the first Ctrl-C cannot be followed, the second one is.
#[cfg(target_os = "linux")]
#[test]
fn a_second_ctrl_c_ends_a_run_that_does_not_come_back() {
    let sql = "CREATE TABLE t (a BIGINT) WITH ('connector'='datagen','rows-per-second'='100000000'); SELECT a FROM t";
    let mut child = pelton(&["run", "--format", "csv", "-e", sql])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let unread = child.stdout.take().expect("a pipe");
    // A pipe counts as full before its last bytes are used: the writer sleeps.
    let almost_full = rustix::pipe::fcntl_getpipe_size(&unread).expect("a size") as u64 * 3 / 4;
    let stat = format!("/proc/{}/stat", child.id());
    let sleeps = || std::fs::read_to_string(&stat).expect("it runs").contains(") S ");
    while rustix::io::ioctl_fionread(&unread).expect("a count") < almost_full || !sleeps() {
        std::thread::yield_now();
    }
    let id = child.id().to_string();
    let status = loop {
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
        if let Some(status) = child.try_wait().expect("it is ours") {
            break status;
        }
    };
    assert_eq!(status.code(), Some(130));
    drop(unread);
}

#[test]
fn create_table_as_makes_the_table_and_fills_it_by_name() {
    let sql = |columns: &str| {
        format!(
            "CREATE TABLE o {columns} WITH ('connector' = 'filesystem', 'path' = '-', 'format' = 'csv')
             AS SELECT n AS b, CAST(n AS STRING) AS a FROM (VALUES (1), (2)) AS t(n);"
        )
    };
    for (columns, wanted) in
        [("", "1,1\n2,2\n"), ("(c STRING, b DOUBLE)", ",1.0,1\n,2.0,2\n"), ("(a, b)", "1,1\n2,2\n")]
    {
        let o = run(&["run", "-e", &sql(columns)]);
        assert_eq!((out(&o).as_str(), code(&o)), (wanted, Some(0)), "{columns}: {}", err(&o));
    }
    for (columns, wanted) in
        [("(a)", "1 of the query's 2 columns are named"), ("(a, x)", "column 'x' is not one")]
    {
        let o = run(&["run", "-e", &sql(columns)]);
        assert!(code(&o) != Some(0) && err(&o).contains(wanted), "{columns}: {}", err(&o));
    }
}

#[test]
fn check_flink_names_a_number_without_an_upper_bound() {
    let sql = |bound: &str| {
        format!(
            "CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');
             SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v) AS rn FROM t) WHERE {bound}"
        )
    };
    let o = run(&["check", "--flink", "-e", &sql("rn > 2")]);
    assert!(
        out(&o).contains("without an upper bound") || err(&o).contains("without an upper bound"),
        "{}",
        err(&o)
    );
    let o = run(&["check", "--flink", "-e", &sql("rn > 2 AND rn < 5")]);
    assert!(!out(&o).contains("upper bound") && !err(&o).contains("upper bound"), "{}", out(&o));
}

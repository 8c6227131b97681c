//! Late rows and rows that cannot be decoded are tables: every such row is in them once, with where and why, however the input is cut
//! and however many shards run.

use std::path::Path;
use std::process::{Command, Output};

const BATCHES: &[&[&str]] = &[&["--batch", "1"], &["--batch", "7"], &["--batch", "1024"], &["--shards", "3"]];

fn run(sql: &str, more: &[&str]) -> (String, Output) {
    let o = Command::new(env!("CARGO_BIN_EXE_pelton"))
        .args(["run", "--format", "changelog"])
        .args(more)
        .args(["-e", sql])
        .output()
        .expect("the binary starts");
    let text = String::from_utf8_lossy(&o.stdout).into_owned();
    assert!(o.status.success(), "{sql}\n{}", String::from_utf8_lossy(&o.stderr));
    (text, o)
}

/// The rows among the lines, in a fixed order.
fn rows(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().filter(|l| l.starts_with("+I")).collect();
    lines.sort_unstable();
    lines
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file of rows");
    path.display().to_string()
}

/// An out-of-order file: the rows 3, 5 and 6 come after the watermark has passed their minute; 6 is of a key that was not there.
const EVENTS: &str = "1,a,2024-01-01 10:00:10
2,b,2024-01-01 10:01:30
3,a,2024-01-01 10:00:50
4,a,2024-01-01 10:05:00
5,b,2024-01-01 10:01:00
6,c,2024-01-01 10:00:01
7,c,2024-01-01 10:05:10
";

const LATE: &[&str] = &[
    "{\"id\":3,\"k\":\"a\",\"ts\":\"2024-01-01T10:00:50\"}\t2024-01-01 10:00:50.000\t2024-01-01 10:01:20.000",
    "{\"id\":5,\"k\":\"b\",\"ts\":\"2024-01-01T10:01:00\"}\t2024-01-01 10:01:00.000\t2024-01-01 10:04:50.000",
    "{\"id\":6,\"k\":\"c\",\"ts\":\"2024-01-01T10:00:01\"}\t2024-01-01 10:00:01.000\t2024-01-01 10:04:50.000",
];

fn events(path: &str) -> String {
    format!(
        "SET 'pelton.late-rows' = 'late';
         CREATE TABLE t (id INT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '10' SECOND)
         WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');"
    )
}

#[test]
fn late_rows_of_every_operator_are_rows_of_a_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "events.csv", EVENTS);
    let minute = "2024-01-01 10:00:00.000\t2024-01-01 10:01:00.000";
    let tumble = "TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))";
    let slices = |kind: &str, sizes: &str| {
        format!(
            "SELECT k, COUNT(*), MAX(id) FROM TABLE({kind}(TABLE t, DESCRIPTOR(ts), {sizes})) GROUP BY k, window_start, window_end"
        )
    };
    let queries = [
        (slices("TUMBLE", "INTERVAL '1' MINUTE"), Some(minute)),
        (slices("HOP", "INTERVAL '30' SECOND, INTERVAL '60' SECOND"), None),
        (slices("CUMULATE", "INTERVAL '30' SECOND, INTERVAL '1' MINUTE"), Some(minute)),
        (
            "SELECT k, COUNT(*), MAX(id) FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND))
             GROUP BY k, window_start, window_end".to_owned(),
            None,
        ),
        (
            "SELECT id, k, window_start FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND))"
                .to_owned(),
            None,
        ),
        (
            "SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS n FROM t) WHERE n = 1"
                .to_owned(),
            None,
        ),
        ("SELECT id, k, COUNT(*) OVER (PARTITION BY k ORDER BY ts) FROM t".to_owned(), None),
        ("SELECT id, k, ts FROM t ORDER BY ts".to_owned(), None),
        (
            format!(
                "SELECT id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY id) AS n
                 FROM {tumble}) WHERE n = 1"
            ),
            None,
        ),
    ];
    for (query, window) in queries {
        for more in BATCHES {
            let (text, _) = run(&format!("{} {query}; SELECT * FROM late", events(&path)), more);
            let late: Vec<&str> = rows(&text).into_iter().filter(|l| l.contains("{\"id\"")).collect();
            let of = |id: u8| late.iter().filter(|l| l.contains(&format!("\"id\":{id},"))).count();
            // Row 3 still counts for the window that began half a minute later, and sorted it still comes behind what was given.
            let third = usize::from(!query.contains("HOP") && !query.ends_with("FROM t ORDER BY ts"));
            assert_eq!(
                [of(3), of(5), of(6), late.len()],
                [third, 1, 1, 2 + third],
                "{query} {more:?}\n{text}"
            );
            if let Some(window) = window {
                let first = late.iter().find(|l| l.contains("\"id\":3,")).expect("row 3 is late");
                assert!(first.ends_with(window), "{query} {more:?}: {first}");
            }
        }
    }
}

#[test]
fn late_rows_go_into_a_table_beside_the_query() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "events.csv", EVENTS);
    let out = folder.path().join("late");
    for more in BATCHES {
        let sql = format!(
            "{}
             CREATE TABLE counts (k STRING, n BIGINT) WITH ('connector' = 'print');
             CREATE TABLE letters (content STRING, row_time TIMESTAMP(3), w TIMESTAMP(3))
             WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv', 'csv.field-delimiter' = '\\t',
                   'csv.disable-quote-character' = 'true');
             EXECUTE STATEMENT SET BEGIN
               INSERT INTO letters SELECT row_json, row_time, watermark_time FROM late WHERE operator LIKE '%indow%';
               INSERT INTO counts SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
                 WHERE id > 0 AND ts IS NOT NULL GROUP BY k, window_start, window_end;
             END;",
            events(&path),
            out.display()
        );
        let (text, _) = run(&sql, more);
        assert_eq!(rows(&text), ["+I[a, 1]", "+I[a, 1]", "+I[b, 1]", "+I[c, 1]"], "{more:?}");
        let mut got: Vec<String> = std::fs::read_dir(&out)
            .expect("the folder of the sink")
            .flat_map(|f| {
                std::fs::read_to_string(f.expect("a file").path())
                    .expect("a file of rows")
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        got.sort_unstable();
        let want: Vec<String> = LATE
            .iter()
            .map(|l| {
                let (json, times) = l.split_once('\t').expect("a row and its times");
                // The query reads k and ts, and id for its filter.
                format!("{json}\t{}", times)
            })
            .collect();
        assert_eq!(got.len(), want.len(), "{more:?} {got:?}");
        for (got, want) in got.iter().zip(&want) {
            let time = |l: &str| {
                l.split('\t').skip(1).map(|t| t.chars().take(19).collect()).collect::<Vec<String>>()
            };
            assert_eq!(time(got), time(want), "{more:?}");
        }
        std::fs::remove_dir_all(&out).expect("the sink's folder");
    }
}

#[test]
fn rows_that_cannot_be_decoded_are_rows_of_a_table_and_the_others_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = file(folder.path(), "bad.csv", "1,a,10\n2,b,ten\nthree,c,30\n4\n5,e,50\n6,\"f\",60x\n");
    let json = file(
        folder.path(),
        "bad.json",
        "{\"id\":1,\"k\":\"a\",\"v\":10}\n{\"id\":2,\"k\":\n{\"id\":\"x\",\"k\":\"c\",\"v\":30}\n\n{\"id\":5,\"k\":\"e\",\"v\":50}\nno json\n",
    );
    for (path, format, bad) in [
        (
            &csv,
            "csv",
            vec![
                ("line 2, column 5", "2,b,ten"),
                ("line 3, column 1", "three,c,30"),
                ("line 4, column 1", "4"),
                ("line 6, column 7", "6,\"f\",60x"),
            ],
        ),
        (
            &json,
            "json",
            vec![
                ("line 2, column 13", "{\"id\":2,\"k\":"),
                ("line 3, column 8", "{\"id\":\"x\",\"k\":\"c\",\"v\":30}"),
                ("line 6, column 1", "no json"),
            ],
        ),
    ] {
        let table = format!(
            "SET 'pelton.bad-rows' = 'bad';
             CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = '{format}');"
        );
        for more in BATCHES {
            let (text, _) = run(&format!("{table} SELECT id, k, v FROM t"), more);
            assert_eq!(rows(&text), ["+I\t1\ta\t10", "+I\t5\te\t50"], "{format} {more:?}");
            let sql = format!(
                "{table} SELECT * FROM t; SELECT place, record_text FROM bad WHERE error <> '' AND source LIKE '%bad.%'"
            );
            let (text, _) = run(&sql, more);
            let got: Vec<&str> = text.lines().filter(|l| l.contains("line ")).collect();
            let want: Vec<String> = bad.iter().map(|(place, raw)| format!("+I\t{place}\t{raw}")).collect();
            assert_eq!(got, want, "{format} {more:?}");
        }
    }
}

#[test]
fn ignored_rows_are_in_the_table_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let path =
        file(folder.path(), "bad.json", "{\"id\":1}\nno json\n{\"id\":3}\n[{\"id\":4},\"x\",{\"id\":5}]\n");
    let letters = folder.path().join("letters");
    let sql = format!(
        "SET 'pelton.bad-rows' = 'bad';
         CREATE TABLE t (id INT) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json', 'json.ignore-parse-errors' = 'true');
         CREATE TABLE letters (record_text STRING) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'raw');
         CREATE TABLE good (id INT) WITH ('connector' = 'print');
         EXECUTE STATEMENT SET BEGIN
           INSERT INTO good SELECT id FROM t;
           INSERT INTO letters SELECT record_text FROM bad;
         END;",
        letters.display()
    );
    for more in BATCHES {
        let (text, _) = run(&sql, more);
        assert_eq!(rows(&text), ["+I[1]", "+I[3]", "+I[4]", "+I[5]"], "{more:?}");
        let mut lines = vec![];
        for f in std::fs::read_dir(&letters).expect("the folder of the sink") {
            let text = std::fs::read_to_string(f.expect("a file").path()).expect("a file of letters");
            lines.extend(text.lines().map(str::to_owned));
        }
        assert_eq!(lines, ["no json", "[{\"id\":4},\"x\",{\"id\":5}]"], "{more:?}");
        std::fs::remove_dir_all(&letters).expect("the sink's folder");
    }
}

#[test]
fn such_a_table_needs_a_statement_and_a_name_of_its_own() {
    for (sql, wanted) in [
        ("SET 'pelton.late-rows' = 'late'; SELECT * FROM late", "there is none before this one"),
        (
            "CREATE TABLE late (i INT) WITH ('connector' = 'blackhole'); SET 'pelton.late-rows' = 'late'",
            "there is a table 'late'",
        ),
        (
            "SET 'pelton.bad-rows' = 'bad'; CREATE TABLE bad (i INT) WITH ('connector' = 'blackhole')",
            "exists already",
        ),
    ] {
        let o = Command::new(env!("CARGO_BIN_EXE_pelton"))
            .args(["run", "-e", sql])
            .output()
            .expect("the binary starts");
        let text = String::from_utf8_lossy(&o.stderr).into_owned();
        assert!(o.status.code() == Some(3) && text.contains(wanted), "{sql}\n{text}");
    }
}

//! A folder that is watched: files that come while the job runs are read, each once, those of a new partition as well.

use pelton::{Engine, Progress, Run};
use std::path::Path;
use std::time::{Duration, Instant};

/// A file appears at once, as a writer that renames makes it.
fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    let hidden = path.with_file_name(".coming");
    std::fs::write(&hidden, text).expect("a file");
    std::fs::rename(hidden, path).expect("its name");
}

/// Turns until so many more rows have come; they have two INT columns.
fn rows(run: &mut Run, count: usize) -> Vec<(i32, i32)> {
    let (mut out, start) = (vec![], Instant::now());
    while out.len() < count {
        assert!(start.elapsed() < Duration::from_secs(60), "only {out:?} came");
        let progress = run.step(0).expect("a turn");
        assert_ne!(progress, Progress::Done, "a watched folder has no end");
        for batch in run.take_results() {
            let value = |c: usize, row: usize| batch.column(c).slice::<i32>()[row];
            out.extend(batch.sel().iter().map(|row| (value(0, row), value(1, row))));
        }
        std::thread::yield_now();
    }
    out
}

#[test]
fn files_that_come_later_are_read_once() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "day=1/a.csv", "1\n2\n");
    let engine = Engine::builder().build().expect("an engine");
    let sql = format!(
        "CREATE TABLE t (id INT, `day` INT) PARTITIONED BY (`day`) WITH ('connector' = 'filesystem', 'path' = '{}',
           'format' = 'csv', 'source.monitor-interval' = '5 ms');
         SELECT id, `day` FROM t",
        folder.path().display()
    );
    let script = engine.prepare(&sql).expect("the script");
    let mut run = script.jobs().last().expect("a query").start().expect("the job");
    assert_eq!(rows(&mut run, 2), [(1, 1), (2, 1)]);
    put(folder.path(), "day=1/A-before.csv", "3\n");
    assert_eq!(rows(&mut run, 1), [(3, 1)]);
    put(folder.path(), "day=2/a.csv", "4\n5");
    assert_eq!(rows(&mut run, 2), [(4, 2), (5, 2)]);
    put(folder.path(), "day=2/b.csv", "6\n");
    assert_eq!(rows(&mut run, 1), [(6, 2)]);
}

//! For real: a process that appends is killed with SIGKILL at random moments, and every record that it had said was
//! published is there; a full tmpfs refuses writes and goes on when there is room.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pelton::host::sim::Rng;
use pelton::log::{Follow, Log, LogConfig};

use super::support::*;

const CHILD: &str = "PELTON_LOG_CHILD";

fn value_of(offset: i64) -> Vec<u8> {
    let mut value = offset.to_be_bytes().to_vec();
    value.resize(16 + (offset % 173) as usize, offset as u8);
    value
}

/// Appends for ever and says what is published. Only in a child process.
#[test]
fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let policy = std::env::var("PELTON_LOG_POLICY").unwrap();
    let mut log = Log::open(&folder, LogConfig::default()).unwrap();
    if log.catalog().topics.is_empty() {
        // The records' times are offsets, which retention by time would find very old.
        let config = options(&[
            ("flush.policy", &policy),
            ("segment.bytes", "262144"),
            ("flush.interval.ms", "3"),
            ("retention.ms", "-1"),
        ]);
        log.create_topic("t", 1, config).unwrap();
    }
    let mut writer = log.writer("t", 0).unwrap();
    let mut out = std::io::stdout();
    let mut rng = Rng::new(writer.appended().get() as u64);
    let mut said = -1;
    loop {
        for _ in 0..1 + rng.below(20) {
            let offset = writer.appended().get();
            match writer.append_record(offset, Some(b"k"), Some(&value_of(offset)), &[]) {
                Ok(_) => {}
                Err(e) if e.is_retryable() => break,
                Err(e) => panic!("{e}"),
            }
        }
        if rng.chance(80) {
            let _ = writer.publish();
        }
        let published = writer.partition().published().get();
        if published != said {
            said = published;
            let _ = out.write_all(format!("published {published}\n").as_bytes());
        }
    }
}

#[test]
fn killed_at_random_points_nothing_published_is_lost() {
    let kills = number("PELTON_LOG_KILLS", 24);
    let seed = number("PELTON_LOG_SEED", std::process::id().into());
    println!("kill -9: {kills} kills, seed {seed} (PELTON_LOG_SEED={seed} repeats the choices)");
    let mut rng = Rng::new(seed);
    let mut folders = Vec::new();
    for policy in ["none", "interval", "group-commit", "each"] {
        folders.push((policy, tempfile::tempdir().unwrap(), 0i64));
    }
    let mut checked = 0;
    let mut recoveries = Vec::new();
    for kill in 0..kills {
        let (policy, folder, checked_to) = &mut folders[kill as usize % 4];
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture", "--test-threads", "1"])
            .env(CHILD, folder.path())
            .env("PELTON_LOG_POLICY", *policy)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // A random number of words from it, then a random moment more.
        let words = rng.below(if *policy == "each" { 60 } else { 2_000 });
        let mut published = *checked_to;
        let said = |line: &str| line.rsplit_once("published ").and_then(|(_, n)| n.parse::<i64>().ok());
        for _ in 0..words {
            let Some(Ok(line)) = lines.next() else { panic!("the child ended") };
            published = said(&line).unwrap_or(published);
        }
        let pause = Duration::from_micros(rng.below(3000) as u64);
        let start = Instant::now();
        while start.elapsed() < pause {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before it died.
        for line in lines.map_while(Result::ok) {
            published = said(&line).unwrap_or(published);
        }
        let start = Instant::now();
        let mut log = Log::open(folder.path(), manual()).unwrap();
        recoveries.push(start.elapsed());
        let end = log.partition("t", 0).map_or(0, |p| p.published().get());
        assert!(end >= published, "kill {kill} under {policy}: {published} were published, {end} are there");
        if end > 0 {
            let (rows, errors) = read_all(&log, "t", 0, *checked_to);
            assert!(errors.is_empty(), "kill {kill} under {policy}: {errors:?}");
            for (row, offset) in rows.iter().zip(*checked_to..) {
                assert_eq!((row.offset, row.value.as_deref()), (offset, Some(&value_of(offset)[..])));
            }
            assert_eq!(rows.len() as i64, end - *checked_to);
            checked += rows.len();
            *checked_to = end;
            // Not to grow without bound.
            log.delete_before("t", 0, log.partition("t", 0).unwrap().high_watermark()).unwrap();
            log.maintain().unwrap();
        }
    }
    recoveries.sort();
    println!(
        "kill -9: {kills} kills, {checked} records checked, recovery median {:?}, longest {:?}",
        recoveries[recoveries.len() / 2],
        recoveries[recoveries.len() - 1]
    );
}

/// Fills a tmpfs of 1 MiB. Only in a child process, inside its own mount namespace.
#[test]
fn full_child() {
    let Ok(folder) = std::env::var("PELTON_LOG_FULL") else { return };
    let ballast = std::path::Path::new(&folder).join("ballast");
    std::fs::write(&ballast, vec![1u8; 600 * 1024]).unwrap();
    let root = std::path::Path::new(&folder).join("log");
    for policy in ["none", "group-commit", "each"] {
        if !ballast.exists() {
            std::fs::write(&ballast, vec![1u8; 600 * 1024]).unwrap();
        }
        let mut log = Log::open(&root, LogConfig::default()).unwrap();
        log.create_topic(policy, 1, options(&[("flush.policy", policy), ("segment.bytes", "65536")]))
            .unwrap();
        let mut writer = log.writer(policy, 0).unwrap();
        let mut tail = log.reader(policy, 0, 0, Follow::Published).unwrap();
        let (mut refused, mut read, mut written) = (0u64, 0i64, 0i64);
        let start = Instant::now();
        while refused < 1_000 || written < 6_000 && refused > 0 && ballast.exists() || written < 1_000 {
            match writer.append_record(1, Some(b"k"), Some(&[5; 200]), &[]) {
                Ok(_) => written += 1,
                Err(e) => {
                    assert!(e.is_retryable(), "{e}");
                    refused += 1;
                    if refused == 1_000 {
                        break;
                    }
                }
            }
            let _ = writer.publish();
            while tail.poll().unwrap().is_some() {
                read += 1;
            }
            assert!(start.elapsed().as_secs() < 60);
        }
        std::fs::remove_file(&ballast).unwrap();
        let target = written + 500;
        while written < target {
            match writer.append_record(1, Some(b"k"), Some(&[5; 200]), &[]) {
                Ok(_) => written += 1,
                Err(e) => assert!(e.is_retryable() && start.elapsed().as_secs() < 60, "{e}"),
            }
            let _ = writer.publish();
        }
        while read < written {
            let _ = writer.publish();
            while tail.poll().unwrap().is_some() {
                read += 1;
            }
            assert!(start.elapsed().as_secs() < 60, "{read} of {written}");
        }
        println!("{policy}: {written} written, {refused} refused for want of room, {read} read");
        drop(writer);
        while log.delete_topic(policy).is_err() {}
    }
    println!("full disk survived");
}

#[test]
fn a_full_tmpfs_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=1m tmpfs '{0}' && exec '{1}' --exact kill::full_child --nocapture",
        folder.path().display(),
        std::env::current_exe().unwrap().display()
    );
    let output = Command::new("unshare")
        .args(["-Urm", "sh", "-c", &script])
        .env("PELTON_LOG_FULL", folder.path())
        .output();
    let Ok(output) = output else {
        println!("skipped: no unshare here");
        return;
    };
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if text.contains("unshare failed")
        || text.contains("permission denied")
        || text.contains("must be superuser")
    {
        println!("skipped: no mount namespace here: {text}");
        return;
    }
    println!("{text}");
    assert!(output.status.success() && text.contains("full disk survived"), "{:?}: {text}", output.status);
}

//! `pelton log` as it is typed: what goes in by `append` comes out by `cat`, whatever its bytes; what is wrong is told with
//! its place and an exit code.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use pelton::log::Log;

use super::support::*;

fn pelton(data: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pelton"))
        .arg("log")
        .args(args)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What it prints when all goes well.
fn says(data: &Path, args: &[&str], input: &str) -> String {
    let out = pelton(data, args, input);
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// The exit code and the error.
fn fails(data: &Path, args: &[&str], input: &str) -> (i32, String) {
    let out = pelton(data, args, input);
    (out.status.code().unwrap(), String::from_utf8_lossy(&out.stderr).into_owned())
}

#[test]
fn what_is_appended_is_printed_and_appended_again() {
    let home = tempfile::tempdir().unwrap();
    let (a, b) = (home.path().join("a"), home.path().join("b"));
    for policy in ["none", "group-commit", "each"] {
        let option = format!("flush.policy={policy}");
        let text = says(&a, &["append", policy, "--create", "-o", &option, "-k", ":"], "x:1\ny:2:3\n");
        assert_eq!(text, format!("{policy}-0: 2 records, offsets 0 to 2\n"));
        let odd = concat!(
            "{\"timestamp\":5,\"key\":null,\"value\":\"tab\\tgr\\u00fc\\u00dfe\",",
            "\"headers\":[{\"name\":\"h\",\"value\":\"v\"},{\"name\":\"n\",\"value\":null}]}\n",
            "{\"timestamp\":1700000000000,\"key\":\"k\",\"value\":null}\n",
            "{\"key_base64\":\"/w==\",\"value_base64\":\"AAH/\",\"timestamp\":6}\n",
        );
        assert!(says(&a, &["append", policy, "--json"], odd).ends_with("offsets 2 to 5\n"));
        let text = says(&a, &["cat", policy, "--from", "2"], "");
        assert_eq!(
            text,
            "2\t1970-01-01T00:00:00.005Z\t\\N\ttab\\tgrüße\th=v,n=\\N\n\
             3\t2023-11-14T22:13:20.000Z\tk\t\\N\n\
             4\t1970-01-01T00:00:00.006Z\t\\xff\t\\x00\\x01\\xff\n"
        );
        assert_eq!(says(&a, &["cat", policy, "-n", "2", "--format", "value"], ""), "1\n2:3\n");
        assert_eq!(says(&a, &["cat", policy, "--since", "2023-11-14"], "").lines().count(), 5);
        let json = says(&a, &["cat", policy, "--format", "json"], "");
        assert_eq!(json.lines().count(), 5);
        says(&b, &["append", policy, "--create", "--json"], &json);
        assert_eq!(says(&b, &["cat", policy, "--format", "json"], ""), json, "a copy is the same");
    }
    let ls = says(&a, &["ls"], "");
    assert_eq!(ls.lines().count(), 4, "{ls}");
    assert!(ls.contains("group-commit"), "{ls}");
    let json = says(&a, &["ls", "each", "--json"], "");
    assert!(json.starts_with("{\"partition\":0,\"start\":0,\"segment\":0,\"next\":5,"), "{json}");
    let stats = says(&a, &["stats", "each", "--json"], "");
    for part in
        ["\"records\":5,", "\"batches\":2,", "\"without_key\":1,", "\"tombstones\":1,", "\"damaged\":0"]
    {
        assert!(stats.contains(part), "{part}: {stats}");
    }
    assert!(says(&a, &["verify"], "").ends_with(": whole\n"));
    assert!(says(&a, &["truncate", "each", "--from", "2"], "").ends_with("offsets 0 to 2\n"));
    assert!(says(&a, &["truncate", "each", "--before", "1"], "").ends_with("offsets 1 to 2\n"));
    assert_eq!(says(&a, &["cat", "each", "--format", "value"], ""), "2:3\n");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("log");
    let text: String = (0..50).map(|i| format!("value {i}\n")).collect();
    says(&root, &["append", "t", "--create", "-o", "segment.bytes=4096"], &text);
    for _ in 0..8 {
        says(&root, &["append", "t"], &text);
    }
    let file = &files(&root.join("t-0"), ".log")[0];
    let mut bytes = std::fs::read(file).unwrap();
    let second = 12 + u32::from_be_bytes(bytes[8..12].try_into().unwrap()) as usize;
    bytes[second + 100] ^= 1;
    std::fs::write(file, &bytes).unwrap();
    let out = pelton(&root, &["verify"], "");
    let said = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(1), "{said}");
    let place = format!("{} at byte {second} (", file.display());
    assert!(said.contains(&place) && said.contains("offsets 50 to 100 cannot be read: CRC-32C"), "{said}");
    // cat goes on behind the damage and says what is missing.
    let out = pelton(&root, &["cat", "t"], "");
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&out.stdout).lines().count(), 400);
    assert!(String::from_utf8_lossy(&out.stderr).contains("offsets 50 to 100"), "{out:?}");
    let stats = says(&root, &["stats", "--json"], "");
    assert!(stats.contains("\"records\":400,") && stats.contains("\"damaged\":1"), "{stats}");
    // A single file, and what is not there.
    let one = file.display().to_string();
    assert_eq!(fails(&root, &["verify", "--file", &one], "").0, 1);
    let (code, e) = fails(&root, &["cat", "--file", &one], "");
    assert!(code == 1 && e.contains(&format!("damage at byte {second}: ")), "{e}");
    let other = files(&root.join("t-0"), ".log")[1].display().to_string();
    assert!(says(&root, &["cat", "--file", &other, "-n", "1"], "").contains("\tvalue 0\n"));
    let (code, e) = fails(&root, &["cat", "orders"], "");
    assert!(code == 2 && e.contains("there is no topic 'orders'") && e.contains("topics in"), "{e}");
    let (code, e) = fails(&root, &["cat", "t", "--from", "1000"], "");
    assert!(code == 2 && e.contains("t-0 holds offsets 0 to 450, not 1000"), "{e}");
    let (code, e) = fails(&root, &["append", "t", "--json"], "{\"value\":\"1\"}\n{\"vlaue\":\"2\"}\n");
    assert!(code == 4 && e.contains("line 2: neither"), "{e}");
    let (code, e) = fails(&root, &["append", "t", "--json"], "no json\n");
    assert!(code == 4 && e.contains("line 1: ") && !e.contains("neither"), "{e}");
    assert!(says(&root, &["cat", "t", "--from", "-1", "--format", "value"], "").ends_with("1\n"));
    // Batches are not cut in two: what goes with one is told.
    let cut = says(&root, &["truncate", "t", "--from", "425"], "");
    assert_eq!(cut, "t-0: offsets 0 to 400; 400 to 425 went with the batch that held 425\n");
    says(&root, &["append", "t"], "1\n");
    let strange = home.path().join("strange");
    std::fs::create_dir(&strange).unwrap();
    std::fs::write(strange.join("letter.txt"), "Dear").unwrap();
    let (code, e) = fails(&strange, &["append", "t", "--create"], "x\n");
    assert!(code == 2 && e.contains("holds something else and no log"), "{e}");
    assert_eq!(std::fs::read_dir(&strange).unwrap().count(), 1);
    // So are findings of the server, before it listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let served = home.path().join("served");
    says(&served, &["append", "t", "--create"], &text);
    let last = files(&served.join("t-0"), ".log")[0].clone();
    let bytes = std::fs::read(&last).unwrap();
    std::fs::write(&last, &bytes[..bytes.len() - 7]).unwrap();
    std::fs::remove_file(served.join("clean")).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_pelton"))
        .args(["serve", "--listen", &listener.local_addr().unwrap().to_string(), "--data"])
        .arg(&served)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && said.contains(": an unfinished write at byte 0, "), "{said}");
    assert!(!said.contains("Finding"), "{said}");
    let (code, e) = fails(&home.path().join("nowhere"), &["ls"], "");
    assert!(code == 2 && e.contains("is not a folder"), "{e}");
    // While a process writes: looking works, changing does not.
    let log = Log::open(&root, manual()).unwrap();
    assert_eq!(says(&root, &["cat", "t", "--from", "-1", "--format", "value"], ""), "1\n");
    let (code, e) = fails(&root, &["append", "t"], "x\n");
    assert!(code == 2 && e.contains("is open in another process"), "{e}");
    drop(log);
    // Files of another version are named.
    let format = root.join("format");
    std::fs::write(&format, std::fs::read_to_string(&format).unwrap().replace("log 1", "log 7")).unwrap();
    let (code, e) = fails(&root, &["ls"], "");
    assert!(code == 2 && e.contains("is of version 7, this program reads version 1"), "{e}");
}

//! What a person sees on a terminal: results that only grow scroll, results that change stay in place, colours can be refused.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};

/// Runs the binary with all its streams on a terminal of 60 columns; what the terminal was sent, and the exit code.
fn on_a_terminal(args: &[&str], environment: &[(&str, &str)]) -> (String, Option<i32>) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&person).expect("it is ours");
    unlockpt(&person).expect("it opens");
    let name = ptsname(&person, vec![]).expect("its name").into_string().expect("UTF-8");
    let program = File::options().read(true).write(true).open(name).expect("the program's end");
    tcsetwinsize(&program, Winsize { ws_row: 12, ws_col: 60, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
    let same = || Stdio::from(program.try_clone().expect("a descriptor"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_pelton"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .envs(environment.iter().copied())
        .stdin(same())
        .stdout(same())
        .stderr(same())
        .spawn()
        .expect("the binary starts");
    drop(program);
    let reading = std::thread::spawn(move || {
        let (mut all, mut some) = (vec![], [0; 4096]);
        let mut person = File::from(person);
        // The terminal of a program that has ended gives an error, not an end.
        while let Ok(n @ 1..) = person.read(&mut some) {
            all.extend_from_slice(&some[..n]);
        }
        String::from_utf8_lossy(&all).replace("\r\n", "\n")
    });
    let code = child.wait().expect("it ends").code();
    (reading.join().expect("all is read"), code)
}

const CHANGING: &str =
    "SELECT k, SUM(n) AS s FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) AS t (k, n) GROUP BY k";

#[test]
fn a_result_that_only_grows_scrolls() {
    let (text, code) = on_a_terminal(&["run", "-e", "SELECT k FROM (VALUES ('a'), ('b')) AS t (k)"], &[]);
    assert_eq!(code, Some(0), "{text}");
    let (rows, counts) = text.split_once("2 in").expect("counts");
    assert_eq!(rows, "\u{1b}[1mk\u{1b}[0m\na\nb\n");
    assert!(counts.ends_with(" 0 late, 0 malformed\n"), "{counts:?}");
}

#[test]
fn a_result_that_changes_shows_its_rows_as_they_are_now() {
    let (text, code) = on_a_terminal(&["run", "--quiet", "-e", CHANGING], &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.ends_with("k  s\u{1b}[0m\na  4\nb  2\n"), "{text:?}");
}

#[test]
fn a_live_table_keeps_to_the_width_of_the_terminal() {
    let sql = "SELECT k, COUNT(*) AS n FROM (VALUES (REPEAT('x', 100)), ('y')) AS t (k) GROUP BY k";
    let (text, code) = on_a_terminal(&["run", "--quiet", "-e", sql], &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.ends_with(&format!("{}  1\ny{}1\n", "x".repeat(100), " ".repeat(101))),
        "the last is whole: {text:?}"
    );
}

#[test]
fn colours_can_be_refused() {
    let wrong = ["check", "-e", "SELECT 1 FROM nowhere"];
    let (text, code) = on_a_terminal(&wrong, &[]);
    assert!(code == Some(3) && text.starts_with("\u{1b}[1;31merror:\u{1b}[0m "), "{text:?}");
    for refused in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let (text, _) = on_a_terminal(&wrong, &[refused]);
        assert!(text.starts_with("error: ") && !text.contains('\u{1b}'), "{text:?}");
    }
    let (text, _) = on_a_terminal(&["run", "--quiet", "-e", CHANGING], &[("TERM", "dumb")]);
    assert_eq!(text, "op  k  s\n+I  a  1\n+I  b  2\n-U  a  1\n+U  a  4\n");
}

//! `pelton doctor`: what of this machine costs latency, and what mends it. Reads the settings of kernel and process, then measures for two
//! seconds how late timers come, how long a message takes to another thread, and what the hypervisor takes meanwhile.
//!
//! Each question is a function from what was read or measured to a [`Finding`], so that tests answer for machines that are not there.

use crate::exit::{Exit, written};
use pelton::ring::{Message, link};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What was found, and what to do.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    what: &'static str,
    verdict: Verdict,
    found: String,
    /// The command or kernel option, and what leaving it costs.
    remedy: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Poor,
    /// It cannot be seen from here: a container, another system.
    Unknown,
}

/// Looks, measures and prints.
pub(crate) fn doctor() -> Exit {
    let mut findings = settings(Path::new("/"));
    findings.push(io_uring(pelton::edge::io_uring_is_allowed().map_err(|e| e.message().to_owned())));
    let before = steal_ticks(Path::new("/"));
    let measured = [timer_jitter(), ring_hop()];
    findings.push(stolen(before, steal_ticks(Path::new("/"))));
    findings.extend(measured);
    written(report(&findings).as_bytes())
}

fn report(findings: &[Finding]) -> String {
    let mut out = String::new();
    for f in findings {
        let mark = match f.verdict {
            Verdict::Good => "good",
            Verdict::Poor => "POOR",
            Verdict::Unknown => "?",
        };
        let _ = writeln!(out, "{mark:<5} {:<22} {}", f.what, f.found);
        if f.verdict == Verdict::Poor {
            let _ = writeln!(out, "      {:<22} -> {}", "", f.remedy);
        }
    }
    let poor = findings.iter().filter(|f| f.verdict == Verdict::Poor).count();
    let _ = writeln!(out, "\n{poor} of {} could be better", findings.len());
    out
}

/// Makes a finding of a file's text; none where the file cannot be read.
fn of(
    what: &'static str,
    text: Option<String>,
    remedy: &'static str,
    judge: impl FnOnce(&str) -> (bool, String),
) -> Finding {
    match text.as_deref().map(judge) {
        None => Finding { what, verdict: Verdict::Unknown, found: "cannot be read here".to_owned(), remedy },
        Some((good, found)) => judged(what, good, found, remedy),
    }
}

fn judged(what: &'static str, good: bool, found: String, remedy: &'static str) -> Finding {
    Finding { what, verdict: if good { Verdict::Good } else { Verdict::Poor }, found, remedy }
}

/// What the files under `root` say.
fn settings(root: &Path) -> Vec<Finding> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok().map(|t| t.trim().to_owned());
    let option = |name: &'static str, remedy| {
        of(name, read("proc/cmdline"), remedy, |line| {
            let value = line.split(' ').find_map(|o| o.strip_prefix(name)?.strip_prefix('='));
            (value.is_some(), value.map_or("not set".to_owned(), |v| format!("cores {v}")))
        })
    };
    let line = |text: Option<String>, name: &str| {
        text.and_then(|t| t.lines().find_map(|l| l.strip_prefix(name).map(|v| v.trim().to_owned())))
    };
    vec![
        of(
            "cores",
            line(read("proc/self/status"), "Cpus_allowed_list:"),
            "give the process two cores or more (taskset -c, docker --cpuset-cpus): with one, source and sink threads interrupt the shard, \
             some 50 µs each time",
            |list| (list.contains([',', '-']), list.to_owned()),
        ),
        option(
            "isolcpus",
            "boot with isolcpus=CORES and run with taskset -c CORES and --pin: other processes on a shard's core cost it milliseconds",
        ),
        option(
            "nohz_full",
            "boot with nohz_full=CORES: the tick interrupts a core 100 to 1,000 times a second for some µs",
        ),
        option(
            "rcu_nocbs",
            "boot with rcu_nocbs=CORES: callbacks of the kernel run on a shard's core for tens of µs",
        ),
        of(
            "governor",
            read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            "cpupower frequency-set -g performance: a core that wakes up at low frequency is two to four times slower for milliseconds",
            |g| (g == "performance", g.to_owned()),
        ),
        of(
            "huge pages by themselves",
            read("sys/kernel/mm/transparent_hugepage/enabled"),
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled: with 'always', a page fault may clear 2 MB (some 100 µs)",
            |modes| (!modes.contains("[always]"), modes.to_owned()),
        ),
        of(
            "reserved huge pages",
            line(read("proc/meminfo"), "HugePages_Free:"),
            "sysctl vm.nr_hugepages=0: Pelton takes none of them, and what they hold is memory that the log cannot use",
            |n| (n == "0", format!("{n} free")),
        ),
        of(
            "clock",
            read("sys/devices/system/clocksource/clocksource0/current_clocksource"),
            "boot with clocksource=tsc where the machine allows it: others cost up to 1 µs a look at the clock instead of 20 ns",
            |c| (["tsc", "kvm-clock", "arch_sys_counter"].contains(&c), c.to_owned()),
        ),
        of(
            "locked memory",
            line(read("proc/self/limits"), "Max locked memory"),
            "ulimit -l unlimited (systemd: LimitMEMLOCK=infinity): without, io_uring may be refused and the log syncs by a thread, some 20 µs \
             more each",
            |l| {
                let soft = l.split_whitespace().next().unwrap_or("");
                let enough = soft == "unlimited" || soft.parse::<u64>().is_ok_and(|b| b >= 64 << 20);
                (enough, format!("{soft} bytes"))
            },
        ),
    ]
}

/// Whether a ring can be made and used.
fn io_uring(tried: Result<(), String>) -> Finding {
    judged(
        "io_uring",
        tried.is_ok(),
        tried.err().unwrap_or_else(|| "allowed".to_owned()),
        "sysctl kernel.io_uring_disabled=0, in containers a seccomp profile that allows it: without, connections wait by epoll and the log syncs \
         by a thread, some 20 µs more each",
    )
}

/// Ticks of all cores together, and those that the hypervisor gave to others.
fn steal_ticks(root: &Path) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(root.join("proc/stat")).ok()?;
    let numbers: Vec<u64> =
        text.lines().next()?.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    Some((numbers.iter().take(8).sum(), *numbers.get(7)?))
}

fn stolen(before: Option<(u64, u64)>, after: Option<(u64, u64)>) -> Finding {
    let share = before.zip(after).map(|(a, b)| 100.0 * (b.1 - a.1) as f64 / ((b.0 - a.0).max(1)) as f64);
    of(
        "steal time",
        share.map(|s| format!("{s:.1}")),
        "a machine of its own, or a dedicated instance: what the hypervisor takes comes in pieces of milliseconds",
        |s| (s.parse::<f64>().is_ok_and(|s| s < 0.5), format!("{s} % while this measured")),
    )
}

fn percentile(all: &mut [u64], p: f64) -> u64 {
    all.sort_unstable();
    all[((all.len() - 1) as f64 * p) as usize]
}

/// How much later than asked a sleep of 100 µs ends, for a second.
fn timer_jitter() -> Finding {
    let (pause, end) = (Duration::from_micros(100), Instant::now() + Duration::from_secs(1));
    let mut late = vec![];
    while Instant::now() < end {
        let start = Instant::now();
        std::thread::park_timeout(pause);
        late.push(start.elapsed().saturating_sub(pause).as_micros() as u64);
    }
    let (median, worst) = (percentile(&mut late, 0.5), percentile(&mut late, 0.999));
    judged(
        "timers",
        worst < 500,
        format!("late by {median} µs at the median, {worst} µs at p99.9"),
        "isolated cores, the governor above, and --idle spin where a core can be spared: a parked shard wakes this late",
    )
}

/// How long a message takes to another thread, half of there and back, for a second.
fn ring_hop() -> Finding {
    let (here, there) = (Arc::default(), Arc::default());
    let (mut to, mut at) = link::<u64>(4, &here, &there);
    let (mut answer, mut back) = link::<u64>(4, &there, &here);
    let stop = Arc::new(AtomicBool::new(false));
    let own = stop.clone();
    let echo = std::thread::spawn(move || {
        while !own.load(Ordering::Relaxed) {
            match at.receive() {
                Some(message) => drop(answer.send(message)),
                None => std::hint::spin_loop(),
            }
        }
    });
    let end = Instant::now() + Duration::from_secs(1);
    let mut times = vec![];
    while Instant::now() < end {
        let start = Instant::now();
        if to.send(Message::Item(0)).is_err() {
            break;
        }
        while back.receive().is_none() {
            std::hint::spin_loop();
        }
        times.push(start.elapsed().as_nanos() as u64 / 2);
    }
    stop.store(true, Ordering::Relaxed);
    let _ = echo.join();
    let (median, worst) = (percentile(&mut times, 0.5), percentile(&mut times, 0.999));
    judged(
        "ring between cores",
        median < 500 && worst < 50_000,
        format!("{median} ns at the median, {worst} ns at p99.9"),
        "cores of one socket and one cache for the shards (lscpu -e; taskset -c), and none that others use: each row pays it once an exchange",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> Vec<(&'static str, Verdict)> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        settings(root.path()).into_iter().map(|f| (f.what, f.verdict)).collect()
    }

    #[test]
    fn a_tuned_machine_is_good_and_a_bare_one_is_told_what_to_do() {
        let tuned = machine(&[
            ("proc/cmdline", "quiet isolcpus=2-3 nohz_full=2-3 rcu_nocbs=2-3\n"),
            ("proc/self/status", "Name:\tpelton\nCpus_allowed_list:\t0-3\n"),
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
            ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
            (
                "proc/self/limits",
                "Max locked memory         unlimited            unlimited            bytes\n",
            ),
            ("proc/meminfo", "HugePages_Total:       0\nHugePages_Free:        0\n"),
        ]);
        assert!(tuned.iter().all(|f| f.1 == Verdict::Good), "{tuned:?}");
        let poor = machine(&[
            ("proc/cmdline", "quiet\n"),
            ("proc/self/status", "Cpus_allowed_list:\t0\n"),
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"),
            ("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n"),
            (
                "proc/self/limits",
                "Max locked memory         65536                65536                bytes\n",
            ),
            ("proc/meminfo", "HugePages_Total:     512\nHugePages_Free:      512\n"),
        ]);
        assert!(poor.iter().all(|f| f.1 == Verdict::Poor), "{poor:?}");
        assert!(machine(&[]).iter().all(|f| f.1 == Verdict::Unknown));
    }

    #[test]
    fn a_refused_io_uring_says_why() {
        assert_eq!(io_uring(Ok(())).verdict, Verdict::Good);
        let refused = io_uring(Err("Operation not permitted".into()));
        assert_eq!((refused.verdict, refused.found.as_str()), (Verdict::Poor, "Operation not permitted"));
    }

    #[test]
    fn stolen_time_is_the_share_of_all() {
        assert_eq!(stolen(Some((1000, 10)), Some((2000, 60))).verdict, Verdict::Poor);
        assert_eq!(stolen(Some((1000, 10)), Some((2000, 11))).verdict, Verdict::Good);
        assert_eq!(stolen(None, None).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_remedy_is_printed_only_where_it_helps() {
        let finding = |verdict| Finding { what: "x", verdict, found: "y".into(), remedy: "do it" };
        assert!(report(&[finding(Verdict::Poor)]).contains("do it"));
        assert!(!report(&[finding(Verdict::Good), finding(Verdict::Unknown)]).contains("do it"));
    }
}

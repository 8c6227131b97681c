//! How much memory there is for this process.

use std::fs;

/// Bytes that the control groups of this process (v2, v1) or else the machine allows; 1 GiB where nothing can be read.
pub fn limit() -> usize {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups =
        files(&own).into_iter().filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok());
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    groups.chain(machine).min().unwrap_or(1 << 30)
}

/// The files that may hold a limit: of the group that `/proc/self/cgroup` names and of all above it. In a container the root is the
/// container's own group.
fn files(cgroup: &str) -> Vec<String> {
    let mut out = vec![
        "/sys/fs/cgroup/memory.max".to_owned(),
        "/sys/fs/cgroup/memory/memory.limit_in_bytes".to_owned(),
    ];
    for line in cgroup.lines() {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (root, file) = match controllers {
            Some("") => ("/sys/fs/cgroup", "memory.max"),
            Some(c) if c.split(',').any(|c| c == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let mut group = path.trim_end_matches('/');
        while !group.is_empty() {
            out.push(format!("{root}{group}/{file}"));
            group = group.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }
    out
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn total(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find(|l| l.starts_with("MemTotal:"))?;
    let kib: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_read_in_kib() {
        assert_eq!(total("MemFree: 1 kB\nMemTotal:   2048 kB\n"), Some(2 << 20));
        assert_eq!(total("nothing"), None);
    }

    #[test]
    fn a_group_and_all_above_it_may_limit() {
        let v2 = files("0::/user.slice/a.scope\n");
        assert_eq!(
            v2[2..],
            ["/sys/fs/cgroup/user.slice/a.scope/memory.max", "/sys/fs/cgroup/user.slice/memory.max"]
        );
        let v1 = files("5:cpu,memory:/docker/x\n4:pids:/y\n0::/\n");
        assert_eq!(
            v1[2..],
            [
                "/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes"
            ]
        );
    }
}

//! What the tests share: a log in a temporary folder or on a simulated disk, and reading everything back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pelton::host::{ManualClock, SimDisk};
use pelton::log::{Check, Follow, Helpers, Log, LogConfig, LogError, LogResult, TopicConfig};

/// Without helper threads.
pub(crate) fn manual() -> LogConfig {
    LogConfig { helpers: Helpers::Manual, ..LogConfig::default() }
}

/// Topic options from text.
pub(crate) fn options(pairs: &[(&str, &str)]) -> TopicConfig {
    let mut config = TopicConfig::default();
    for (key, value) in pairs {
        config.set(key, value).unwrap();
    }
    config
}

/// A log on a simulated disk.
pub(crate) fn open_sim(disk: &SimDisk, clock: &ManualClock) -> LogResult<Log> {
    Log::open_on(Arc::new(disk.process()), Arc::new(clock.clone()), Path::new("/log"), manual())
}

/// A record as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
}

/// Everything from `from` on, and the errors met (each skipped).
pub(crate) fn read_all(log: &Log, topic: &str, partition: u32, from: i64) -> (Vec<Row>, Vec<LogError>) {
    let mut reader = log.reader(topic, partition, from, Follow::Published).unwrap().checking(Check::All);
    let mut rows = Vec::new();
    let mut errors = Vec::new();
    let mut scratch = Vec::new();
    loop {
        match reader.poll() {
            Ok(Some(batch)) => {
                for record in batch.records(&mut scratch, 64 << 20).unwrap() {
                    let r = record.unwrap();
                    if r.offset >= from {
                        rows.push(Row {
                            offset: r.offset,
                            timestamp: r.timestamp,
                            key: r.key.map(Into::into),
                            value: r.value.map(Into::into),
                        });
                    }
                }
            }
            Ok(None) => return (rows, errors),
            Err(e) => {
                assert!(errors.len() < 10_000, "the reader does not get on: {e}");
                errors.push(e);
                reader.skip().unwrap();
            }
        }
    }
}

/// The files of a partition with that ending, sorted.
pub(crate) fn files(root: &Path, ending: &str) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.to_string_lossy().ends_with(ending))
        .collect();
    out.sort();
    out
}

/// A number from the environment.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: '{text}'")),
        Err(_) => default,
    }
}

/// The seeds of a run: the one of `PELTON_LOG_SEED`, or as many as `PELTON_LOG_SEEDS` says.
pub(crate) fn seeds(default: u64) -> Vec<u64> {
    match number("PELTON_LOG_SEED", u64::MAX) {
        u64::MAX => (1..=number("PELTON_LOG_SEEDS", default)).collect(),
        seed => vec![seed],
    }
}

/// A folder in memory where there is one: for thousands of opens that are not about syncs, which cost milliseconds each.
pub(crate) fn memory_dir() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(dir) = tempfile::tempdir_in(memory)
    {
        return dir;
    }
    tempfile::tempdir().unwrap()
}

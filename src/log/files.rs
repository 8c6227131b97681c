//! Names in a log's folder, and the small text files there: versioned, with a checksum, replaced in one step.
//!
//! ```text
//!   <log>/
//!     format                     "pelton-log 1"
//!     LOCK                       held by the process that writes here
//!     topics                     names, partitions, options
//!     checkpoint                 per partition: a durable place, from which recovery scans
//!     clean                      present after a clean close only: where every partition ended
//!     <topic>-<partition>/
//!       00000000000000000000.log       record batches, nothing else; named by the first offset
//!       00000000000000000000.offsets   its index
//!       prepared-7                     reserved, becomes the next segment
//!       *.cleaned *.swap               compaction under way, compaction to be finished
//!       start                          records before this offset are forgotten
//!       quarantine/                    bytes that recovery cut off
//!
//!   text file:  "<kind> <version>\n", lines of words, "crc <8 hex digits>\n" over everything before
//! ```

use std::io;
use std::path::{Path, PathBuf};

use super::error::{LogError, LogResult};
use crate::host::Disk;

/// Version of the folder and of every text file in it.
pub(super) const VERSION: u32 = 1;
/// Largest text file that is believed.
const SHEET_LIMIT: usize = 64 << 20;

/// `<base>.log`, the base with twenty digits, as Kafka names it.
pub(super) fn segment_name(base: i64) -> String {
    format!("{base:020}.log")
}

/// `<base>.offsets`.
pub(super) fn index_name(base: i64) -> String {
    format!("{base:020}.offsets")
}

/// The base offset in a name with that ending.
pub(super) fn base_of(name: &str, ending: &str) -> Option<i64> {
    let digits = name.strip_suffix(ending)?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The folder of a partition.
pub(super) fn partition_dir(root: &Path, topic: &str, partition: u32) -> PathBuf {
    root.join(format!("{topic}-{partition}"))
}

/// Kafka's rule for topic names.
pub(super) fn check_topic_name(name: &str) -> LogResult<()> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > 249 || name == "." || name == ".." || !name.bytes().all(legal) {
        return Err(LogError::Config(format!(
            "'{name}' is not a topic name: 1 to 249 letters, digits, '.', '_' or '-'"
        )));
    }
    Ok(())
}

/// A text file: a kind and lines of words without spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    /// The lines between the first and the checksum.
    pub(super) lines: Vec<String>,
}

impl Sheet {
    /// The bytes of a file of `kind`.
    pub(super) fn encode(&self, kind: &str) -> Vec<u8> {
        let mut text = format!("{kind} {VERSION}\n");
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        let crc = crc32c::crc32c(text.as_bytes());
        text.push_str(&format!("crc {crc:08x}\n"));
        text.into_bytes()
    }

    /// Reads the bytes of a file of `kind`; `file` is for the error.
    pub(super) fn decode(kind: &str, bytes: &[u8], file: &str) -> LogResult<Self> {
        let bad = |reason: String, is_version| LogError::BadFile { file: file.into(), reason, is_version };
        let text = std::str::from_utf8(bytes).map_err(|_| bad(format!("not a {kind} file"), false))?;
        let mut lines = text.lines();
        let version = lines
            .next()
            .and_then(|first| first.strip_prefix(kind)?.strip_prefix(' '))
            .ok_or_else(|| bad(format!("not a {kind} file"), false))?;
        if version.parse() != Ok(VERSION) {
            return Err(bad(
                format!(
                    "is of version {version}, this program reads version {VERSION}; \
                     use the program that wrote it, or copy the topics over"
                ),
                true,
            ));
        }
        let end = text
            .trim_end_matches('\n')
            .rfind('\n')
            .map(|i| i + 1)
            .ok_or_else(|| bad("its checksum is missing".into(), false))?;
        let stored = text[end..]
            .trim_end()
            .strip_prefix("crc ")
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .ok_or_else(|| bad("its checksum is missing".into(), false))?;
        let computed = crc32c::crc32c(&bytes[..end]);
        if stored != computed {
            return Err(bad(format!("CRC-32C is {computed:08x}, the file says {stored:08x}"), false));
        }
        Ok(Self { lines: text[..end].lines().skip(1).map(Into::into).collect() })
    }

    /// Reads a file; `None` when it is not there.
    pub(super) fn read(disk: &dyn Disk, path: &Path, kind: &str) -> LogResult<Option<Self>> {
        match disk.read_all(path, SHEET_LIMIT) {
            Ok(bytes) => Self::decode(kind, &bytes, &path.display().to_string()).map(Some),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(LogError::io("reading", path, &e)),
        }
    }

    /// Puts the file in place, durably.
    pub(super) fn write(&self, disk: &dyn Disk, path: &Path, kind: &str) -> LogResult<()> {
        disk.replace(path, &self.encode(kind)).map_err(|e| LogError::io("writing", path, &e))
    }
}

/// Reads a sheet whose every line has the same words, by a function that takes them; `None` from it: the line is wrong.
pub(super) fn parse_lines<T>(
    sheet: &Sheet,
    file: &str,
    f: impl Fn(&[&str]) -> Option<T>,
) -> LogResult<Vec<T>> {
    sheet
        .lines
        .iter()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            f(&words).ok_or_else(|| LogError::BadFile {
                file: file.into(),
                reason: format!("cannot read the line '{line}'"),
                is_version: false,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_checked_and_versioned() {
        let sheet = Sheet { lines: vec!["a 1".into(), "b 2".into()] };
        let bytes = sheet.encode("pelton-test");
        assert_eq!(Sheet::decode("pelton-test", &bytes, "f").unwrap(), sheet);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                if let Ok(read) = Sheet::decode("pelton-test", &damaged, "f") {
                    // Only the case of a hex digit and the final line end may change unnoticed.
                    assert_eq!(read, sheet, "byte {at} bit {bit}");
                }
            }
        }
        let text = String::from_utf8(bytes).unwrap().replace("pelton-test 1", "pelton-test 2");
        let e = Sheet::decode("pelton-test", text.as_bytes(), "f").unwrap_err().to_string();
        assert!(e.contains("is of version 2, this program reads version 1"), "{e}");
        assert!(Sheet::decode("pelton-test", b"", "f").is_err());
        assert!(Sheet::decode("pelton-test", b"pelton-test 1", "f").is_err());
    }

    #[test]
    fn names() {
        assert_eq!(segment_name(42), "00000000000000000042.log");
        assert_eq!(base_of("00000000000000000042.log", ".log"), Some(42));
        assert_eq!(base_of("42.log", ".log"), None);
        assert_eq!(base_of("99999999999999999999.log", ".log"), None);
        for bad in ["", ".", "..", "a/b", "a b", "ä"] {
            assert!(check_topic_name(bad).is_err(), "{bad}");
        }
        check_topic_name("orders.v1_x-y").unwrap();
    }
}

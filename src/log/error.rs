//! What can go wrong in the log, and how it looks from outside.

use std::fmt;
use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::wire::BatchError;

/// A failure of the log. Converts into [`crate::Error`] at the module's border.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LogError {
    /// No room on the disk for another segment. The same call may succeed when space has returned.
    Full {
        /// Whose.
        partition: String,
        /// What the operating system said.
        reason: String,
    },
    /// The disk cannot keep up and the buffer before it is full. Try again later.
    Backpressure {
        /// Whose.
        partition: String,
    },
    /// A sync or a write failed: what has reached the disk is unknown, so the partition takes no more.
    Stopped {
        /// Whose.
        partition: String,
        /// The failure that stopped it.
        reason: String,
    },
    /// Stored bytes that are not what was written.
    Corrupt {
        /// The file.
        file: String,
        /// Byte position of the damage.
        position: u64,
        /// Bytes until the next whole batch, or to the end.
        length: u64,
        /// Offsets that are missing because of it: from (inclusive) to (exclusive).
        offsets: (i64, i64),
        /// What is wrong.
        reason: String,
    },
    /// An index, marker or list that is damaged or of another version.
    BadFile {
        /// The file.
        file: String,
        /// What is wrong and what to do.
        reason: String,
        /// The file is whole, but made by another version.
        is_version: bool,
    },
    /// The records from `from` to `to` have been deleted by retention, compaction of the front, or a user.
    Deleted {
        /// Whose.
        partition: String,
        /// What was asked for.
        from: i64,
        /// What is there.
        to: i64,
    },
    /// An offset beyond the end.
    OutOfRange {
        /// Whose.
        partition: String,
        /// What was asked for.
        offset: i64,
        /// Where the partition ends.
        end: i64,
    },
    /// A batch that cannot be stored.
    Invalid(BatchError),
    /// A batch or record larger than the topic or a segment allows.
    TooLarge {
        /// Bytes of the batch.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The folder belongs to another process, or the partition has an owner.
    Taken(String),
    /// A topic, name, option or value that cannot be.
    Config(String),
    /// The operating system refused.
    Io {
        /// What was being done.
        what: String,
        /// Its words.
        reason: String,
        /// For telling "not there" from the rest.
        kind: io::ErrorKind,
    },
}

/// `Result` of the log's inner functions.
pub type LogResult<T> = Result<T, LogError>;

impl LogError {
    /// Turns an operating system's error into ours; "no space" becomes retriable.
    pub(crate) fn io(what: impl fmt::Display, path: &Path, e: &io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { partition: what, reason: e.to_string() }
            }
            kind => Self::Io { what, reason: e.to_string(), kind },
        }
    }

    /// The same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Backpressure { .. })
    }

    /// Stored bytes are damaged.
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::BadFile { is_version: false, .. })
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { partition, reason } => write!(f, "no room for {partition}: {reason}"),
            Self::Backpressure { partition } => {
                write!(f, "{partition}: the disk is behind and its buffer is full")
            }
            Self::Stopped { partition, reason } => {
                write!(f, "{partition} is stopped after a failed write or sync: {reason}")
            }
            Self::Corrupt { file, position, length, offsets, reason } => write!(
                f,
                "{file}: damage at byte {position}, {length} bytes, offsets {} to {}: {reason}",
                offsets.0, offsets.1
            ),
            Self::BadFile { file, reason, .. } => write!(f, "{file}: {reason}"),
            Self::Deleted { partition, from, to } => {
                write!(f, "{partition}: offsets {from} to {to} have been deleted")
            }
            Self::OutOfRange { partition, offset, end } => {
                write!(f, "{partition}: offset {offset} is beyond the end {end}")
            }
            Self::Invalid(e) => write!(f, "not a valid record batch: {e}"),
            Self::TooLarge { size, limit } => write!(f, "a batch of {size} bytes, {limit} are allowed"),
            Self::Taken(why) => f.write_str(why),
            Self::Config(why) => f.write_str(why),
            Self::Io { what, reason, .. } => write!(f, "{what}: {reason}"),
        }
    }
}

impl std::error::Error for LogError {}

impl From<BatchError> for LogError {
    fn from(e: BatchError) -> Self {
        Self::Invalid(e)
    }
}

impl From<LogError> for Error {
    fn from(e: LogError) -> Self {
        let kind = match &e {
            LogError::Full { .. } | LogError::Backpressure { .. } => ErrorKind::Retryable,
            LogError::Corrupt { .. } => ErrorKind::Corrupt,
            LogError::BadFile { is_version, .. } => {
                if *is_version {
                    ErrorKind::Config
                } else {
                    ErrorKind::Corrupt
                }
            }
            LogError::Stopped { .. } | LogError::Io { .. } => ErrorKind::Io,
            LogError::Deleted { .. } | LogError::OutOfRange { .. } => ErrorKind::Input,
            LogError::Invalid(_) | LogError::TooLarge { .. } => ErrorKind::Input,
            LogError::Taken(_) | LogError::Config(_) => ErrorKind::Config,
        };
        let hint = match &e {
            LogError::Full { .. } => Some("writes resume by themselves when there is space again"),
            LogError::Corrupt { .. } => Some(
                "`pelton log verify` lists all damage; a reader goes on behind it only when told to skip",
            ),
            LogError::Stopped { .. } => {
                Some("check the disk, then open the log again: recovery finds what arrived")
            }
            LogError::OutOfRange { .. } | LogError::Deleted { .. } => None,
            _ => None,
        };
        let out = Error::new(kind, e.to_string());
        match hint {
            Some(hint) => out.hint(hint),
            None => out,
        }
    }
}

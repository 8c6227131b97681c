//! The Produce request and its response: ours, because batches must stay where they lie in the frame.
//!
//! Reading a request also checks its batches (checksum, records, one batch a partition), which is the expensive part
//! and needs nothing of the broker: an edge does it on its own thread before it takes the broker's turn.
//! Versions 3 to 9; of 0 to 2 only as much as it takes to refuse each partition by name. Sources: `ProduceRequest.json`, `ProduceResponse.json`, `LogValidator`, KIP-467 (record errors).

use bytes::Bytes;

use super::batch::{Batch, BatchError, BatchHeader};
use super::codec::{Malformed, Reader, Wire, Writer};
use super::compression::Compression;
use super::error_code as code;

/// Most bytes that the records of one batch may decompress to. The bombs that pass are bounded by it.
pub(crate) const DECOMPRESSED_LIMIT: usize = 128 << 20;

/// The first version whose records are batches of format 2.
pub(crate) const FIRST_SERVED: i16 = 3;

/// A produce request whose batches have been checked.
pub(crate) struct ProduceRequest {
    pub(crate) transactional_id: Option<String>,
    pub(crate) acks: i16,
    pub(crate) timeout_ms: i32,
    pub(crate) topics: Vec<ProduceTopic>,
}

pub(crate) struct ProduceTopic {
    pub(crate) name: String,
    pub(crate) partitions: Vec<ProducePartition>,
}

pub(crate) struct ProducePartition {
    pub(crate) index: i32,
    /// The batch, or why it cannot be stored.
    pub(crate) batch: Result<CheckedBatch, Refused>,
}

/// One batch that has been read to its last record.
pub(crate) struct CheckedBatch {
    pub(crate) bytes: Bytes,
    pub(crate) header: BatchHeader,
    /// A record has no key: refused by compacted topics.
    pub(crate) has_null_key: bool,
}

/// An error number with the sentence for people.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) code: i16,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(code: i16, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Of a request whose version brings messages in a form that was given up.
    pub(crate) fn old() -> Self {
        Self::new(code::UNSUPPORTED_VERSION, "produce requests before version 3 are not served")
    }
}

impl ProduceRequest {
    /// Reads the request and checks its batches. `scratch` is for decompression.
    pub(crate) fn read(r: &mut Reader, scratch: &mut Vec<u8>) -> Result<Self, Malformed> {
        let transactional_id = if r.version >= FIRST_SERVED { Option::<String>::read(r)? } else { None };
        let acks = i16::read(r)?;
        let timeout_ms = i32::read(r)?;
        let mut topics = Vec::new();
        for _ in 0..r.count()?.ok_or(Malformed::Null)? {
            let name = String::read(r)?;
            let mut partitions = Vec::new();
            for _ in 0..r.count()?.ok_or(Malformed::Null)? {
                let index = i32::read(r)?;
                let records = Option::<Bytes>::read(r)?.unwrap_or_default();
                r.tags()?;
                let batch = if r.version >= FIRST_SERVED {
                    check(records, r.version, scratch)
                } else {
                    Err(Refused::old())
                };
                partitions.push(ProducePartition { index, batch });
            }
            r.tags()?;
            topics.push(ProduceTopic { name, partitions });
        }
        r.tags()?;
        Ok(Self { transactional_id, acks, timeout_ms, topics })
    }
}

fn check(bytes: Bytes, version: i16, scratch: &mut Vec<u8>) -> Result<CheckedBatch, Refused> {
    let invalid = |why: &str| Refused::new(code::INVALID_RECORD, why);
    let refuse = |e: BatchError| {
        let number = match &e {
            BatchError::Crc { .. } | BatchError::Short { .. } | BatchError::Length(_) => {
                code::CORRUPT_MESSAGE
            }
            BatchError::TooLarge { .. } => code::MESSAGE_TOO_LARGE,
            _ => code::INVALID_RECORD,
        };
        Refused::new(number, e.to_string())
    };
    let batch = Batch::parse(&bytes).map_err(refuse)?;
    if batch.bytes().len() != bytes.len() {
        return Err(invalid("a produce request holds exactly one record batch a partition"));
    }
    let header = *batch.header();
    batch.check().map_err(refuse)?;
    if header.attributes.is_control() {
        return Err(invalid("clients may not write control records"));
    }
    if header.attributes.is_transactional() {
        return Err(Refused::new(code::UNSUPPORTED_VERSION, "transactions are not offered"));
    }
    if header.attributes.compression() == Some(Compression::Zstd) && version < 7 {
        return Err(Refused::new(
            code::UNSUPPORTED_COMPRESSION_TYPE,
            "zstd needs version 7 of the produce request",
        ));
    }
    if header.count < 1 || header.count != header.last_offset_delta + 1 {
        return Err(invalid("the record count does not fit the last offset"));
    }
    if header.producer_id >= 0 && (header.base_sequence < 0 || header.producer_epoch < 0) {
        return Err(invalid("a producer id without sequence or epoch"));
    }
    let mut has_null_key = false;
    for (expected, record) in batch.records(scratch, DECOMPRESSED_LIMIT).map_err(refuse)?.enumerate() {
        let record = record.map_err(refuse)?;
        if record.offset_delta as usize != expected {
            return Err(invalid("the records' offsets do not follow one another"));
        }
        has_null_key |= record.key.is_none();
    }
    if scratch.capacity() > 4 << 20 {
        *scratch = Vec::new();
    }
    Ok(CheckedBatch { bytes, header, has_null_key })
}

/// What became of one partition's batch.
#[derive(Clone, Debug)]
pub(crate) struct Produced {
    pub(crate) index: i32,
    pub(crate) refused: Option<Refused>,
    pub(crate) base_offset: i64,
    pub(crate) log_append_time_ms: i64,
    pub(crate) log_start_offset: i64,
}

/// Writes the response.
pub(crate) fn write_response(w: &mut Writer, topics: &[(String, Vec<Produced>)]) {
    w.length(Some(topics.len()), 4);
    for (name, partitions) in topics {
        name.write(w);
        w.length(Some(partitions.len()), 4);
        for p in partitions {
            p.index.write(w);
            p.refused.as_ref().map_or(code::NONE, |r| r.code).write(w);
            p.base_offset.write(w);
            if w.version >= 2 {
                p.log_append_time_ms.write(w);
            }
            if w.version >= 5 {
                p.log_start_offset.write(w);
            }
            if w.version >= 8 {
                w.length(Some(0), 4);
                p.refused.as_ref().map(|r| r.message.clone()).write(w);
            }
            w.tags();
        }
        w.tags();
    }
    if w.version >= 1 {
        0i32.write(w);
    }
    w.tags();
}

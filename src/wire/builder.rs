//! Writes record batches: one buffer, records encoded as they come, the header filled in at the end.
//!
//! The buffer is reused from batch to batch, so a writer that keeps its builder allocates nothing. A batch is
//! never empty unless asked for ([`BatchBuilder::finish_run`], which compaction uses to keep offsets contiguous).

use super::batch::{
    self, Attributes, BatchHeader, CRC_AT, CRC_FROM, HEADER_BYTES, LENGTH_PREFIX_BYTES, MAGIC,
};
use super::compression::Compression;
use super::varint;

/// Collects records and turns them into the bytes of one record batch.
///
/// ```
/// use pelton::wire::{Batch, BatchBuilder};
/// let mut builder = BatchBuilder::new();
/// builder.push(1_000, Some(b"key"), Some(b"value"), &[]);
/// let bytes = builder.finish(7).to_vec();
/// let batch = Batch::parse(&bytes).unwrap();
/// batch.check().unwrap();
/// let mut scratch = Vec::new();
/// let record = batch.records(&mut scratch, 1 << 20).unwrap().next().unwrap().unwrap();
/// assert_eq!((record.offset, record.timestamp, record.value), (7, 1_000, Some(&b"value"[..])));
/// ```
#[derive(Debug)]
pub struct BatchBuilder {
    /// Room for the header, then the records. What a finished batch left behind it is dropped when the next one begins.
    bytes: Vec<u8>,
    /// The compressed batch, when there is a codec.
    packed: Vec<u8>,
    compression: Compression,
    flags: i16,
    count: i32,
    next_delta: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    producer: (i64, i16, i32),
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty builder without compression and without a producer id.
    pub fn new() -> Self {
        Self::with_compression(Compression::None)
    }

    /// An empty builder whose batches are compressed.
    pub fn with_compression(compression: Compression) -> Self {
        Self {
            bytes: vec![0; HEADER_BYTES],
            packed: Vec::new(),
            compression,
            flags: 0,
            count: 0,
            next_delta: 0,
            base_timestamp: 0,
            max_timestamp: i64::MIN,
            producer: (-1, -1, -1),
        }
    }

    /// Sets the idempotent producer's id, epoch and base sequence for this and later batches.
    pub fn producer(&mut self, id: i64, epoch: i16, base_sequence: i32) -> &mut Self {
        self.producer = (id, epoch, base_sequence);
        self
    }

    /// Takes codec, flags and producer from `header`: a batch that replaces another one.
    pub fn like(&mut self, header: &BatchHeader) -> &mut Self {
        self.compression = header.attributes.compression().unwrap_or_default();
        self.flags = header.attributes.0 & !7;
        self.producer = (header.producer_id, header.producer_epoch, header.base_sequence);
        self
    }

    /// Drops the records.
    pub fn clear(&mut self) {
        self.bytes.truncate(HEADER_BYTES);
        self.count = 0;
        self.next_delta = 0;
        self.max_timestamp = i64::MIN;
    }

    /// How many records are in.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// No record is in.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the batch so far, before compression.
    pub fn size(&self) -> usize {
        if self.count == 0 { HEADER_BYTES } else { self.bytes.len() }
    }

    /// How many offsets the batch covers, of a builder that is not empty.
    #[inline]
    pub(crate) fn offsets(&self) -> i64 {
        i64::from(self.next_delta)
    }

    /// The largest timestamp, of a builder that is not empty.
    #[inline]
    pub(crate) fn max_timestamp(&self) -> i64 {
        self.max_timestamp
    }

    /// The first record is about to come.
    #[inline]
    fn begin(&mut self, base_timestamp: i64) {
        self.bytes.truncate(HEADER_BYTES);
        self.base_timestamp = base_timestamp;
    }

    /// Adds a record at the next offset.
    #[inline]
    pub fn push(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&[u8], Option<&[u8]>)],
    ) {
        if self.count == 0 {
            self.begin(timestamp_ms);
        }
        let timestamp_delta = timestamp_ms.wrapping_sub(self.base_timestamp);
        let offset_delta = self.next_delta;
        let mut length = 1
            + varint::len_i64(timestamp_delta)
            + varint::len_i64(i64::from(offset_delta))
            + nullable_len(key)
            + nullable_len(value)
            + varint::len_i64(headers.len() as i64);
        for (name, value) in headers {
            length += nullable_len(Some(name)) + nullable_len(*value);
        }
        let out = &mut self.bytes;
        out.reserve(length + 5);
        varint::write_i64(out, length as i64);
        out.push(0);
        varint::write_i64(out, timestamp_delta);
        varint::write_i64(out, i64::from(offset_delta));
        write_nullable(out, key);
        write_nullable(out, value);
        varint::write_i64(out, headers.len() as i64);
        for (name, value) in headers {
            write_nullable(out, Some(name));
            write_nullable(out, *value);
        }
        self.count += 1;
        self.next_delta = offset_delta + 1;
        self.max_timestamp = self.max_timestamp.max(timestamp_ms);
    }

    /// Adds a record's stored body unchanged: compaction keeps offset and timestamp deltas, so `base_timestamp`
    /// must be that of the batch it came from.
    pub fn push_body(&mut self, base_timestamp: i64, offset_delta: i32, timestamp_ms: i64, body: &[u8]) {
        if self.count == 0 {
            self.begin(base_timestamp);
        }
        varint::write_i64(&mut self.bytes, body.len() as i64);
        self.bytes.extend_from_slice(body);
        self.count += 1;
        self.next_delta = offset_delta + 1;
        self.max_timestamp = self.max_timestamp.max(timestamp_ms);
    }

    /// The batch at `base_offset`, ready to be stored or sent. The builder is empty afterwards; the bytes stay
    /// readable until the next call.
    #[inline]
    pub fn finish(&mut self, base_offset: i64) -> &[u8] {
        let last_delta = (self.next_delta - 1).max(0);
        self.finish_run(base_offset, last_delta)
    }

    /// [`BatchBuilder::finish`] for a batch that covers the offsets up to `base_offset + last_offset_delta`,
    /// whatever records are left in it, even none.
    #[inline]
    pub fn finish_run(&mut self, base_offset: i64, last_offset_delta: i32) -> &[u8] {
        let bytes = self.lay_out_run(base_offset, last_offset_delta);
        batch::sign(bytes);
        bytes
    }

    /// [`BatchBuilder::finish`] without the checksum ([`batch::checksum`]), zeros in its place: for who has better to do than to wait
    /// for it.
    #[inline]
    pub(crate) fn lay_out(&mut self, base_offset: i64) -> &mut [u8] {
        let last_delta = (self.next_delta - 1).max(0);
        self.lay_out_run(base_offset, last_delta)
    }

    #[inline]
    fn lay_out_run(&mut self, base_offset: i64, last_offset_delta: i32) -> &mut [u8] {
        // No compression of nothing: an empty gzip stream takes 20 bytes to say so.
        let codec = if self.count == 0 { Compression::None } else { self.compression };
        self.bytes.truncate(self.size());
        let out = if codec == Compression::None {
            &mut self.bytes
        } else {
            self.packed.clear();
            self.packed.resize(HEADER_BYTES, 0);
            codec.compress(&self.bytes[HEADER_BYTES..], &mut self.packed);
            &mut self.packed
        };
        let max_timestamp = if self.count == 0 { -1 } else { self.max_timestamp };
        let base_timestamp = if self.count == 0 { -1 } else { self.base_timestamp };
        let length = (out.len() - LENGTH_PREFIX_BYTES) as i32;
        let attributes = Attributes(self.flags | i16::from(codec.id()));
        let header: &mut [u8; HEADER_BYTES] =
            (&mut out[..HEADER_BYTES]).try_into().expect("room for the header");
        header[0..8].copy_from_slice(&base_offset.to_be_bytes());
        header[8..12].copy_from_slice(&length.to_be_bytes());
        header[12..16].copy_from_slice(&0i32.to_be_bytes());
        header[16] = MAGIC as u8;
        header[21..23].copy_from_slice(&attributes.0.to_be_bytes());
        header[23..27].copy_from_slice(&last_offset_delta.to_be_bytes());
        header[27..35].copy_from_slice(&base_timestamp.to_be_bytes());
        header[35..43].copy_from_slice(&max_timestamp.to_be_bytes());
        header[43..51].copy_from_slice(&self.producer.0.to_be_bytes());
        header[51..53].copy_from_slice(&self.producer.1.to_be_bytes());
        header[53..57].copy_from_slice(&self.producer.2.to_be_bytes());
        header[57..61].copy_from_slice(&self.count.to_be_bytes());
        header[CRC_AT..CRC_FROM].fill(0);
        self.count = 0;
        self.next_delta = 0;
        self.max_timestamp = i64::MIN;
        out
    }
}

#[inline]
fn nullable_len(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |b| varint::len_i64(b.len() as i64) + b.len())
}

#[inline]
fn write_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::write_i64(out, -1),
        Some(b) => {
            varint::write_i64(out, b.len() as i64);
            out.extend_from_slice(b);
        }
    }
}

//! The record batch v2: the unit that Kafka sends, stores and checks, read in place.
//!
//! ```text
//!   0 base offset          i64   of the first record; not under the CRC, so that a broker may set it
//!   8 batch length         i32   bytes after this field: 49 + records
//!  12 leader epoch         i32   not under the CRC; Pelton writes 0
//!  16 magic                i8    2
//!  17 CRC-32C              u32   of everything from 21 to the end
//!  21 attributes           i16   0-2 compression, 3 time is the append's, 4 transactional, 5 control, 6 delete horizon
//!  23 last offset delta    i32   last record's offset − base offset (kept when compaction drops records)
//!  27 base timestamp       i64   ms; records hold the difference to it
//!  35 max timestamp        i64   ms
//!  43 producer id          i64   −1: none
//!  51 producer epoch       i16
//!  53 base sequence        i32
//!  57 records              i32   how many follow
//!  61 records                    compressed as one piece, or plain
//!
//!  record: length, attributes (i8, 0), timestamp delta, offset delta, key length (−1: null), key,
//!          value length (−1: null), value, header count, (key length, key, value length, value)*; numbers zig-zag varints
//! ```
//!
//! Every function here takes any bytes whatever: counts and lengths are checked against what is there before they
//! are believed, nothing is reserved from a stored number, and damage comes back as a [`BatchError`].
//! Source: Kafka's `DefaultRecordBatch` and `DefaultRecord`, KIP-98.

use std::fmt;

use super::compression::Compression;
use super::varint;

/// Bytes before the records.
pub const HEADER_BYTES: usize = 61;
/// Base offset and length: what has to be read to know how far a batch goes.
pub const LENGTH_PREFIX_BYTES: usize = 12;
/// Where the CRC is.
pub const CRC_AT: usize = 17;
/// Where the bytes under the CRC begin.
pub const CRC_FROM: usize = 21;
/// The smallest record: its length, attributes, two deltas, two null lengths, no headers.
pub const MIN_RECORD_BYTES: usize = 7;
/// The only version of the format that Pelton reads.
pub const MAGIC: i8 = 2;

/// Why some bytes are not a record batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchError {
    /// The bytes end before the header or before the length that the header states.
    Short {
        /// Bytes needed.
        needed: u64,
        /// Bytes there.
        available: u64,
    },
    /// The length field cannot be one of a batch.
    Length(i32),
    /// Another version of the format.
    Magic(i8),
    /// The checksum does not fit the bytes.
    Crc {
        /// As stored.
        stored: u32,
        /// As computed.
        computed: u32,
    },
    /// Counts, deltas or attributes that contradict one another or the bytes.
    Invalid(&'static str),
    /// A record that goes beyond its batch or is cut.
    Record {
        /// Which record, from 0.
        index: i32,
        /// What is wrong.
        reason: &'static str,
    },
    /// The compressed part could not be read.
    Compressed {
        /// The codec.
        codec: Compression,
        /// What it said.
        reason: String,
    },
    /// The records decompress to more than the caller allows.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { needed, available } => {
                write!(f, "the batch needs {needed} bytes and {available} are there")
            }
            Self::Length(n) => write!(f, "batch length {n} is impossible (at least {})", HEADER_BYTES - 12),
            Self::Magic(m @ 0..=1) => {
                write!(f, "message format {m} (Kafka before 0.11) is not read, only record batch v2")
            }
            Self::Magic(m) => write!(f, "magic byte {m} where record batch v2 has 2"),
            Self::Crc { stored, computed } => {
                write!(f, "CRC-32C is {computed:#010x}, the batch says {stored:#010x}")
            }
            Self::Invalid(why) => f.write_str(why),
            Self::Record { index, reason } => write!(f, "record {index}: {reason}"),
            Self::Compressed { codec, reason } => write!(f, "{codec} data: {reason}"),
            Self::TooLarge { limit } => write!(f, "the records decompress to more than {limit} bytes"),
        }
    }
}

impl std::error::Error for BatchError {}

/// The attribute bits of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(pub i16);

/// Whose clock a batch's timestamps are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimestampType {
    /// The producer's, per record.
    #[default]
    Create,
    /// The log's at append, one for the batch.
    LogAppend,
}

impl Attributes {
    /// The codec of the records; `None` for a number that Kafka has not given out.
    pub fn compression(self) -> Option<Compression> {
        Compression::from_id((self.0 & 7) as u8)
    }

    /// Whose time the batch carries.
    pub fn timestamp_type(self) -> TimestampType {
        if self.0 & 8 != 0 { TimestampType::LogAppend } else { TimestampType::Create }
    }

    /// Part of a transaction.
    pub fn is_transactional(self) -> bool {
        self.0 & 16 != 0
    }

    /// Holds a commit or abort marker, not data.
    pub fn is_control(self) -> bool {
        self.0 & 32 != 0
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// The 61 bytes before the records, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Bytes after the length field.
    pub batch_length: i32,
    /// Epoch of the leader that wrote it.
    pub leader_epoch: i32,
    /// CRC-32C as stored.
    pub crc: u32,
    /// Codec and flags.
    pub attributes: Attributes,
    /// Last offset − base offset.
    pub last_offset_delta: i32,
    /// Milliseconds that the records' deltas count from.
    pub base_timestamp: i64,
    /// Largest timestamp in ms.
    pub max_timestamp: i64,
    /// Idempotent producer, or −1.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
    /// Sequence number of the first record.
    pub base_sequence: i32,
    /// How many records are there.
    pub count: i32,
}

#[inline]
fn be<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    // Callers have checked that HEADER_BYTES are there.
    bytes[at..at + N].try_into().expect("a slice of N bytes")
}

impl BatchHeader {
    /// Decodes and checks a header: length, magic, and that its counts can be true. Not the CRC.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let available = bytes.len() as u64;
        if bytes.len() < HEADER_BYTES {
            return Err(BatchError::Short { needed: HEADER_BYTES as u64, available });
        }
        let header = Self {
            base_offset: i64::from_be_bytes(be(bytes, 0)),
            batch_length: i32::from_be_bytes(be(bytes, 8)),
            leader_epoch: i32::from_be_bytes(be(bytes, 12)),
            crc: u32::from_be_bytes(be(bytes, 17)),
            attributes: Attributes(i16::from_be_bytes(be(bytes, 21))),
            last_offset_delta: i32::from_be_bytes(be(bytes, 23)),
            base_timestamp: i64::from_be_bytes(be(bytes, 27)),
            max_timestamp: i64::from_be_bytes(be(bytes, 35)),
            producer_id: i64::from_be_bytes(be(bytes, 43)),
            producer_epoch: i16::from_be_bytes(be(bytes, 51)),
            base_sequence: i32::from_be_bytes(be(bytes, 53)),
            count: i32::from_be_bytes(be(bytes, 57)),
        };
        if header.batch_length < (HEADER_BYTES - LENGTH_PREFIX_BYTES) as i32 {
            return Err(BatchError::Length(header.batch_length));
        }
        if bytes[16] as i8 != MAGIC {
            return Err(BatchError::Magic(bytes[16] as i8));
        }
        if header.base_offset < 0 {
            return Err(BatchError::Invalid("the base offset is negative"));
        }
        if header.base_offset.checked_add(i64::from(header.last_offset_delta)).is_none() {
            return Err(BatchError::Invalid("the last offset does not fit 64 bits"));
        }
        if header.count < 0 || header.last_offset_delta < 0 {
            return Err(BatchError::Invalid("a negative record count or offset delta"));
        }
        // Compaction may drop records and keep the offsets, never the other way round.
        if i64::from(header.count) > i64::from(header.last_offset_delta) + 1 {
            return Err(BatchError::Invalid("more records than offsets"));
        }
        Ok(header)
    }

    /// Bytes of the whole batch.
    #[inline]
    pub fn size(&self) -> usize {
        LENGTH_PREFIX_BYTES + self.batch_length as usize
    }

    /// Offset of the last record (or where it was, when compaction dropped it).
    #[inline]
    pub fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    /// The offset after the batch.
    #[inline]
    pub fn next_offset(&self) -> i64 {
        self.last_offset() + 1
    }
}

/// A record batch in somebody's memory, whose header has been checked.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    header: BatchHeader,
    bytes: &'a [u8],
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header.fmt(f)
    }
}

impl<'a> Batch<'a> {
    /// The batch at the start of `bytes` (more may follow). Checks the header, not the CRC: see [`Batch::check`].
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        let Some(own) = bytes.get(..header.size()) else {
            return Err(BatchError::Short { needed: header.size() as u64, available: bytes.len() as u64 });
        };
        Ok(Self { header, bytes: own })
    }

    /// Checks the CRC and that the codec is known; with no compression also that so many records can be there.
    #[inline]
    pub fn check(&self) -> Result<(), BatchError> {
        let computed = checksum(self.bytes);
        if computed != self.header.crc {
            return Err(BatchError::Crc { stored: self.header.crc, computed });
        }
        match self.header.attributes.compression() {
            None => Err(BatchError::Invalid("an unknown compression codec")),
            Some(Compression::None)
                if (self.bytes.len() - HEADER_BYTES) / MIN_RECORD_BYTES < self.header.count as usize =>
            {
                Err(BatchError::Invalid("more records than bytes for them"))
            }
            Some(_) => Ok(()),
        }
    }

    /// Reads every record once, so that a batch from outside is known to be whole before it is stored.
    /// `scratch` holds the decompressed records; `limit` bounds it.
    pub fn validate(&self, scratch: &mut Vec<u8>, limit: usize) -> Result<(), BatchError> {
        self.check()?;
        let mut last = -1;
        for (index, record) in self.records(scratch, limit)?.enumerate() {
            let record = record?;
            if record.offset_delta <= last || record.offset_delta > self.header.last_offset_delta {
                return Err(BatchError::Record { index: index as i32, reason: "its offset is out of order" });
            }
            last = record.offset_delta;
        }
        Ok(())
    }

    /// The decoded header.
    #[inline]
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// All bytes, header included, as stored.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The records as stored, perhaps compressed.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// The records. Compressed ones are first expanded into `scratch` (cleared), to at most `limit` bytes.
    #[inline]
    pub fn records<'b>(&self, scratch: &'b mut Vec<u8>, limit: usize) -> Result<Records<'b>, BatchError>
    where
        'a: 'b,
    {
        let codec = self
            .header
            .attributes
            .compression()
            .ok_or(BatchError::Invalid("an unknown compression codec"))?;
        let bytes: &'b [u8] = match codec {
            Compression::None => self.payload(),
            // Nothing was compressed when nothing is there: an empty batch keeps its codec bits.
            _ if self.header.count == 0 && self.payload().is_empty() => &[],
            codec => {
                scratch.clear();
                codec.decompress(self.payload(), scratch, limit)?;
                scratch
            }
        };
        let fixed_timestamp = match self.header.attributes.timestamp_type() {
            TimestampType::Create => None,
            TimestampType::LogAppend => Some(self.header.max_timestamp),
        };
        Ok(Records {
            rest: bytes,
            base_offset: self.header.base_offset,
            base_timestamp: self.header.base_timestamp,
            fixed_timestamp,
            count: self.header.count,
            index: 0,
            failed: false,
        })
    }
}

/// Iterates over the records of a batch; ends after the first error.
pub struct Records<'a> {
    rest: &'a [u8],
    base_offset: i64,
    base_timestamp: i64,
    fixed_timestamp: Option<i64>,
    count: i32,
    index: i32,
    failed: bool,
}

/// One record, borrowed from its batch.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its offset in the partition.
    pub offset: i64,
    /// Offset − the batch's base offset.
    pub offset_delta: i32,
    /// Milliseconds.
    pub timestamp: i64,
    /// `None` is null, which is not the same as empty.
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Names and values.
    pub headers: Headers<'a>,
    /// The record without its length, as stored.
    pub body: &'a [u8],
}

/// A reader over the bytes of one record.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    #[inline]
    fn i64(&mut self) -> Option<i64> {
        let (value, used) = varint::read_i64(self.0)?;
        self.0 = &self.0[used..];
        Some(value)
    }

    #[inline]
    fn i32(&mut self) -> Option<i32> {
        let (value, used) = varint::read_i32(self.0)?;
        self.0 = &self.0[used..];
        Some(value)
    }

    #[inline]
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }

    /// A length and so many bytes; −1 is null, any other negative length is damage.
    #[inline]
    fn nullable(&mut self) -> Option<Option<&'a [u8]>> {
        match self.i32()? {
            -1 => Some(None),
            n => Some(Some(self.take(usize::try_from(n).ok()?)?)),
        }
    }
}

impl<'a> Records<'a> {
    /// The count that the batch states.
    pub fn stated(&self) -> i32 {
        self.count
    }

    #[inline]
    fn read(&mut self) -> Result<Record<'a>, &'static str> {
        let mut fields = Fields(self.rest);
        let length = fields.i32().ok_or("its length is cut")?;
        let length = usize::try_from(length).map_err(|_| "its length is negative")?;
        let body = fields.take(length).ok_or("it is longer than its batch")?;
        self.rest = fields.0;
        let mut fields = Fields(body);
        fields.byte().ok_or("it is empty")?;
        let timestamp_delta = fields.i64().ok_or("its timestamp is cut")?;
        let offset_delta = fields.i32().ok_or("its offset is cut")?;
        if offset_delta < 0 {
            return Err("its offset delta is negative");
        }
        let key = fields.nullable().ok_or("its key is longer than the record")?;
        let value = fields.nullable().ok_or("its value is longer than the record")?;
        let count = fields.i32().ok_or("its header count is cut")?;
        if count < 0 {
            return Err("its header count is negative");
        }
        let headers = Headers { rest: fields.0, count };
        // Walk the headers once, so that the iterator handed out cannot fail.
        let mut walk = Fields(fields.0);
        for _ in 0..count {
            let key = walk.nullable().ok_or("a header is longer than the record")?;
            if key.is_none() {
                return Err("a header has no name");
            }
            walk.nullable().ok_or("a header is longer than the record")?;
        }
        if !walk.0.is_empty() {
            return Err("bytes are left over in it");
        }
        let timestamp = self.fixed_timestamp.unwrap_or(self.base_timestamp.wrapping_add(timestamp_delta));
        Ok(Record {
            offset: self.base_offset + i64::from(offset_delta),
            offset_delta,
            timestamp,
            key,
            value,
            headers,
            body,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.index == self.count {
            if self.rest.is_empty() {
                return None;
            }
            self.failed = true;
            return Some(Err(BatchError::Invalid("bytes are left over after the last record")));
        }
        let index = self.index;
        self.index += 1;
        Some(self.read().map_err(|reason| {
            self.failed = true;
            BatchError::Record { index, reason }
        }))
    }
}

/// The headers of a record: names with values that may be null.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    rest: &'a [u8],
    count: i32,
}

impl Headers<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.count == 0 {
            return None;
        }
        self.count -= 1;
        let mut fields = Fields(self.rest);
        let key = fields.nullable()??;
        let value = fields.nullable()?;
        self.rest = fields.0;
        Some((key, value))
    }
}

/// The checksum of a batch, to be stored at [`CRC_AT`].
#[inline]
pub fn checksum(bytes: &[u8]) -> u32 {
    super::checksum::crc32c(&bytes[CRC_FROM..])
}

/// Sets the fields that a broker owns, in place: the CRC does not cover them.
pub fn assign(bytes: &mut [u8], base_offset: i64, leader_epoch: i32) {
    bytes[0..8].copy_from_slice(&base_offset.to_be_bytes());
    bytes[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
}

/// Turns a batch's timestamps into the log's append time, in place, and mends its CRC.
pub fn assign_append_time(bytes: &mut [u8], now_ms: i64) {
    let attributes = i16::from_be_bytes(be(bytes, 21)) | 8;
    bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
    bytes[35..43].copy_from_slice(&now_ms.to_be_bytes());
    sign(bytes);
}

/// Stores the checksum of a batch.
#[inline]
pub fn sign(bytes: &mut [u8]) {
    let crc = checksum(bytes);
    bytes[CRC_AT..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
}

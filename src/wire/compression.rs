//! The four codecs of a record batch, each in the framing that Kafka's clients use.
//!
//! gzip is RFC 1952; snappy is raw blocks inside the framing of `snappy-java` (plain raw blocks, which some
//! clients send, are read too); lz4 is the standard frame; zstd is a standard frame. Decompression never trusts a
//! stated size: output grows as bytes come and stops at the caller's limit.

use std::fmt;
use std::io::{Read, Write};
use std::str::FromStr;

use super::batch::BatchError;

/// How the records of a batch are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Plain.
    #[default]
    None,
    /// gzip at zlib's default level.
    Gzip,
    /// snappy in `snappy-java` framing.
    Snappy,
    /// lz4 frames.
    Lz4,
    /// zstd at level 3, Kafka's default.
    Zstd,
}

const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_HEADER_BYTES: usize = 16;
const XERIAL_BLOCK_BYTES: usize = 32 * 1024;

impl Compression {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The number in a batch's attributes.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// The codec with that number.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.get(usize::from(id)).copied()
    }

    /// Kafka's name: `none`, `gzip`, `snappy`, `lz4`, `zstd`.
    pub fn name(self) -> &'static str {
        ["none", "gzip", "snappy", "lz4", "zstd"][self as usize]
    }

    /// Appends `plain`, compressed, to `out`.
    pub fn compress(self, plain: &[u8], out: &mut Vec<u8>) {
        // Writing to a Vec does not fail; an encoder that failed all the same would be a broken invariant.
        match self {
            Self::None => out.extend_from_slice(plain),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::default());
                encoder.write_all(plain).and_then(|()| encoder.finish()).expect("gzip into memory");
            }
            Self::Snappy => {
                out.extend_from_slice(&XERIAL_MAGIC);
                out.extend_from_slice(&1u32.to_be_bytes());
                out.extend_from_slice(&1u32.to_be_bytes());
                let mut encoder = snap::raw::Encoder::new();
                for block in plain.chunks(XERIAL_BLOCK_BYTES) {
                    let at = out.len();
                    out.resize(at + 4 + snap::raw::max_compress_len(block.len()), 0);
                    let n = encoder.compress(block, &mut out[at + 4..]).expect("snappy into enough room");
                    out[at..at + 4].copy_from_slice(&(n as u32).to_be_bytes());
                    out.truncate(at + 4 + n);
                }
            }
            Self::Lz4 => {
                let mut info = lz4_flex::frame::FrameInfo::new();
                info.block_size = lz4_flex::frame::BlockSize::Max64KB;
                info.block_mode = lz4_flex::frame::BlockMode::Independent;
                let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, out);
                encoder.write_all(plain).expect("lz4 into memory");
                encoder.finish().expect("lz4 into memory");
            }
            Self::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(out, 3).expect("a zstd context");
                encoder.write_all(plain).and_then(|()| encoder.finish()).expect("zstd into memory");
            }
        }
    }

    /// Appends `packed`, expanded, to `out`, which may not grow beyond `limit` bytes.
    pub fn decompress(self, packed: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), BatchError> {
        match self {
            Self::None if out.len() + packed.len() > limit => Err(BatchError::TooLarge { limit }),
            Self::None => {
                out.extend_from_slice(packed);
                Ok(())
            }
            // MultiGzDecoder: Java's GZIPInputStream reads concatenated members as well.
            Self::Gzip => self.drain(flate2::bufread::MultiGzDecoder::new(packed), out, limit),
            Self::Snappy => self.unsnap(packed, out, limit),
            Self::Lz4 => self.drain(lz4_flex::frame::FrameDecoder::new(packed), out, limit),
            Self::Zstd => match zstd::stream::read::Decoder::with_buffer(packed) {
                Ok(mut decoder) => {
                    // The window is memory that the sender chooses: 8 MiB is the format's recommended bound.
                    if let Err(e) = decoder.window_log_max(23) {
                        return Err(self.failed(e));
                    }
                    self.drain(decoder, out, limit)
                }
                Err(e) => Err(self.failed(e)),
            },
        }
    }

    fn failed(self, reason: impl fmt::Display) -> BatchError {
        BatchError::Compressed { codec: self, reason: reason.to_string() }
    }

    fn drain(self, reader: impl Read, out: &mut Vec<u8>, limit: usize) -> Result<(), BatchError> {
        let room = limit.saturating_sub(out.len());
        // One byte more than allowed tells "exactly the limit" from "more".
        match reader.take(room as u64 + 1).read_to_end(out) {
            Ok(n) if n > room => Err(BatchError::TooLarge { limit }),
            Ok(_) => Ok(()),
            Err(e) => Err(self.failed(e)),
        }
    }

    fn unsnap(self, packed: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), BatchError> {
        let Some(mut rest) = packed.strip_prefix(&XERIAL_MAGIC) else {
            return self.unsnap_block(packed, out, limit);
        };
        rest = rest
            .get(XERIAL_HEADER_BYTES - XERIAL_MAGIC.len()..)
            .ok_or_else(|| self.failed("its header is cut"))?;
        while !rest.is_empty() {
            let (length, tail) =
                rest.split_first_chunk::<4>().ok_or_else(|| self.failed("a block is cut"))?;
            let length = u32::from_be_bytes(*length) as usize;
            let (block, tail) = tail.split_at_checked(length).ok_or_else(|| self.failed("a block is cut"))?;
            self.unsnap_block(block, out, limit)?;
            rest = tail;
        }
        Ok(())
    }

    fn unsnap_block(self, block: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), BatchError> {
        let length = snap::raw::decompress_len(block).map_err(|e| self.failed(e))?;
        // Snappy cannot expand one byte to more than about 21: a larger stated length is a lie, not a reservation.
        if length > block.len().saturating_mul(64) {
            return Err(self.failed("a block states an impossible length"));
        }
        let at = out.len();
        if length > limit.saturating_sub(at) {
            return Err(BatchError::TooLarge { limit });
        }
        out.resize(at + length, 0);
        snap::raw::Decoder::new().decompress(block, &mut out[at..]).map_err(|e| self.failed(e))?;
        Ok(())
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|c| c.name() == name)
            .ok_or_else(|| format!("unknown compression '{name}' (none, gzip, snappy, lz4, zstd)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Every codec gives back what it took, and refuses to go one byte beyond the limit.
        #[test]
        fn round_trip(unit in proptest::collection::vec(any::<u8>(), 1..300), times in 1usize..400) {
            let plain = unit.repeat(times);
            for codec in Compression::ALL {
                let mut packed = Vec::new();
                codec.compress(&plain, &mut packed);
                let mut out = Vec::new();
                codec.decompress(&packed, &mut out, plain.len()).unwrap();
                prop_assert_eq!(&out, &plain);
                out.clear();
                prop_assert_eq!(
                    codec.decompress(&packed, &mut out, plain.len() - 1),
                    Err(BatchError::TooLarge { limit: plain.len() - 1 })
                );
            }
        }

        /// Damaged input ends in an error or in some bytes, within the limit; never in a panic.
        #[test]
        fn damage(unit in proptest::collection::vec(any::<u8>(), 1..100), at: usize, bit in 0u8..8) {
            for codec in Compression::ALL {
                let mut packed = Vec::new();
                codec.compress(&unit.repeat(50), &mut packed);
                let at = at % packed.len();
                packed[at] ^= 1 << bit;
                let mut out = Vec::new();
                let _ = codec.decompress(&packed, &mut out, 10_000);
                prop_assert!(out.len() <= 10_001);
            }
        }
    }

    #[test]
    fn snappy_without_framing_is_read() {
        let packed = snap::raw::Encoder::new().compress_vec(b"hello hello hello").unwrap();
        let mut out = Vec::new();
        Compression::Snappy.decompress(&packed, &mut out, 100).unwrap();
        assert_eq!(out, b"hello hello hello");
    }
}

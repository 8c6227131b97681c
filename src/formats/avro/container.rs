//! Object container files: the head, then blocks of records.
//!
//! ```text
//! "Obj" 1 | map: avro.schema, avro.codec, … | 16 bytes of sync marker
//! count | size | that many bytes, compressed as one | sync marker        a block; count and size are zigzag varints
//! ```
//!
//! The head is kept as bytes: a reader that goes on in the middle of a file needs it. A block's count is never negative, so a head, which
//! begins with what would be -40, is told from a block.

use std::io::Read;

/// What a file begins with.
pub(super) const MAGIC: &[u8; 4] = b"Obj\x01";
/// Bytes of the marker between blocks.
pub(super) const SYNC: usize = 16;
/// The most that a block comes to, decompressed.
const MAX_BLOCK: usize = 256 << 20;
/// The most memory that decompression by xz takes: its largest preset needs 65 MiB.
const MAX_XZ: u64 = 128 << 20;

/// Why bytes cannot be taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// They end too early.
    Short,
    /// They are damaged.
    Bad(String),
}

impl From<String> for Cut {
    fn from(message: String) -> Self {
        Cut::Bad(message)
    }
}

/// Bytes that are read from the front.
pub(super) struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    #[inline]
    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], Cut> {
        let end = self.at.checked_add(n).filter(|&e| e <= self.bytes.len()).ok_or(Cut::Short)?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// A zigzag varint.
    #[inline]
    pub(super) fn long(&mut self) -> Result<i64, Cut> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(Cut::Short)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(Cut::Bad("a number of more than ten bytes".into()))
    }

    /// A length or count.
    #[inline]
    pub(super) fn size(&mut self) -> Result<usize, Cut> {
        let n = self.long()?;
        usize::try_from(n).map_err(|_| Cut::Bad(format!("a length of {n}")))
    }

    /// A length, and that many bytes.
    #[inline]
    pub(super) fn run(&mut self) -> Result<&'a [u8], Cut> {
        let n = self.size()?;
        self.take(n)
    }
}

/// How blocks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Bzip2,
    Deflate,
    Snappy,
    Xz,
    Zstandard,
}

/// A file's head.
#[derive(Debug)]
pub(super) struct Head {
    /// The schema's JSON.
    pub(super) schema: Vec<u8>,
    pub(super) codec: Codec,
    pub(super) sync: [u8; SYNC],
    /// Its bytes in the file.
    pub(super) len: usize,
}

impl Head {
    /// Reads the head at the start of `input`.
    pub(super) fn read(input: &[u8]) -> Result<Self, Cut> {
        let mut from = Bytes::new(input);
        if !MAGIC.starts_with(&input[..input.len().min(MAGIC.len())]) {
            return Err(Cut::Bad("it does not begin as an Avro object container file does".into()));
        }
        from.take(MAGIC.len())?;
        let (mut schema, mut codec) = (None, Codec::None);
        loop {
            let mut count = from.long()?;
            if count == 0 {
                break;
            }
            if count < 0 {
                count = count.checked_neg().ok_or_else(|| "a count that no file has".to_owned())?;
                from.long()?;
            }
            for _ in 0..count {
                let (key, value) = (from.run()?, from.run()?);
                match key {
                    b"avro.schema" => schema = Some(value.to_vec()),
                    b"avro.codec" => codec = codec_of(value)?,
                    _ => {}
                }
            }
        }
        let mut sync = [0; SYNC];
        sync.copy_from_slice(from.take(SYNC)?);
        let schema = schema.ok_or_else(|| "its head has no avro.schema".to_owned())?;
        Ok(Self { schema, codec, sync, len: from.at() })
    }
}

fn codec_of(name: &[u8]) -> Result<Codec, String> {
    Ok(match name {
        b"null" | b"" => Codec::None,
        b"bzip2" => Codec::Bzip2,
        b"deflate" => Codec::Deflate,
        b"snappy" => Codec::Snappy,
        b"xz" => Codec::Xz,
        b"zstandard" => Codec::Zstandard,
        other => {
            let name = String::from_utf8_lossy(other);
            return Err(format!("its blocks are compressed by '{name}', which is not supported"));
        }
    })
}

/// A block: the number of its records, their bytes as they stand there, and the block's bytes in all.
pub(super) fn block<'a>(input: &'a [u8], sync: &[u8; SYNC]) -> Result<(usize, &'a [u8], usize), Cut> {
    let mut from = Bytes::new(input);
    let count = from.size()?;
    let data = from.run()?;
    if from.take(SYNC)? != sync {
        return Err(Cut::Bad("the marker behind a block is not that of the file".into()));
    }
    Ok((count, data, from.at()))
}

/// The bytes of a block, decompressed into `to`; nothing is done where they are not compressed.
pub(super) fn decompress<'a>(codec: Codec, data: &'a [u8], to: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    to.clear();
    let limited = |from: &mut dyn Read, to: &mut Vec<u8>, name: &str| {
        let read = from.take(MAX_BLOCK as u64 + 1).read_to_end(to);
        read.map_err(|e| format!("a block that is not {name}: {e}"))
    };
    match codec {
        Codec::None => return Ok(data),
        Codec::Bzip2 => {
            limited(&mut bzip2::read::BzDecoder::new(data), to, "bzip2")?;
        }
        Codec::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(MAX_XZ, 0)
                .map_err(|e| format!("a block of xz cannot be read: {e}"))?;
            limited(&mut liblzma::read::XzDecoder::new_stream(data, stream), to, "xz")?;
        }
        Codec::Deflate => {
            limited(&mut flate2::read::DeflateDecoder::new(data), to, "deflate")?;
        }
        Codec::Zstandard => {
            let mut from =
                zstd::Decoder::new(data).map_err(|e| format!("a block that is not zstandard: {e}"))?;
            limited(&mut from, to, "zstandard")?;
        }
        Codec::Snappy => {
            // The checksum of the decompressed bytes stands behind the others.
            let (body, sum) = data.split_last_chunk::<4>().ok_or("a block of snappy without a checksum")?;
            let bad = |e: snap::Error| format!("a block that is not snappy: {e}");
            let len = snap::raw::decompress_len(body).map_err(bad)?;
            if len <= MAX_BLOCK {
                to.resize(len, 0);
                snap::raw::Decoder::new().decompress(body, to).map_err(bad)?;
                let mut crc = flate2::Crc::new();
                crc.update(to);
                if crc.sum() != u32::from_be_bytes(*sum) {
                    return Err("the checksum of a block is wrong".into());
                }
                return Ok(to);
            }
            to.resize(MAX_BLOCK + 1, 0);
        }
    }
    if to.len() > MAX_BLOCK {
        return Err(format!("a block is longer than {} MiB", MAX_BLOCK >> 20));
    }
    Ok(to)
}

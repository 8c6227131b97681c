//! Kafka's variable-length integers: zig-zag, then seven bits a byte, the low ones first (as in Protocol Buffers).
//!
//! Reading is total: it returns `None` at the end of the input or for a number longer than its type allows.

/// Reads a 64-bit number; returns it and how many bytes it took (1 to 10).
#[inline]
pub fn read_i64(bytes: &[u8]) -> Option<(i64, usize)> {
    // Most are lengths and deltas of small records.
    match *bytes {
        [a, ..] if a < 0x80 => Some((signed(a.into()), 1)),
        [a, b, ..] if b < 0x80 => Some((signed(u64::from(a & 0x7f) | u64::from(b) << 7), 2)),
        _ => read_long(bytes),
    }
}

/// Undoes the zig-zag.
#[inline]
fn signed(raw: u64) -> i64 {
    (raw >> 1) as i64 ^ -((raw & 1) as i64)
}

/// A number of any length.
fn read_long(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut raw = 0u64;
    for (i, &byte) in bytes.iter().take(10).enumerate() {
        // The tenth byte holds the last bit of 64.
        if i == 9 && byte > 1 {
            return None;
        }
        raw |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((signed(raw), i + 1));
        }
    }
    None
}

/// Reads a 32-bit number; a longer one is refused rather than cut.
#[inline]
pub fn read_i32(bytes: &[u8]) -> Option<(i32, usize)> {
    let (value, used) = read_i64(bytes)?;
    // Five bytes hold it; more would be zeros that nobody writes.
    if used > 5 {
        return None;
    }
    Some((i32::try_from(value).ok()?, used))
}

/// Appends a number to `out`.
#[inline]
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

/// How many bytes [`write_i64`] takes for `value`.
#[inline]
pub fn len_i64(value: i64) -> usize {
    let raw = ((value << 1) ^ (value >> 63)) as u64;
    // One byte for each started group of seven bits; zero takes one.
    (64 - (raw | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is written is read back, and takes as many bytes as foretold.
        #[test]
        fn round_trip(value: i64) {
            let mut out = Vec::new();
            write_i64(&mut out, value);
            prop_assert_eq!(out.len(), len_i64(value));
            prop_assert_eq!(read_i64(&out), Some((value, out.len())));
            prop_assert_eq!(read_i64(&out[..out.len() - 1]), None);
        }
    }

    #[test]
    fn edges() {
        for value in [0, -1, 1, 63, 64, -64, -65, i64::MAX, i64::MIN, i64::from(i32::MAX)] {
            let mut out = Vec::new();
            write_i64(&mut out, value);
            assert_eq!((out.len(), read_i64(&out)), (len_i64(value), Some((value, out.len()))));
            assert_eq!(read_i32(&out).map(|r| i64::from(r.0)), i32::try_from(value).ok().map(i64::from));
        }
        assert_eq!(read_i64(&[0xff; 12]), None);
        assert_eq!(read_i64(&[]), None);
    }
}

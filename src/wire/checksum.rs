//! CRC-32C of a batch. The `crc32c` crate computes it eight bytes at a time, each step waiting for the one before: three cycles a word,
//! and as many for each byte before and behind the aligned ones. For the batch of one small record that is a good part of an append. So
//! up to about a kilobyte two halves are computed side by side and put together by one carry-less product.
//!
//! The CRC of `A B` is that of `A`, carried over as many zeros as `B` has bytes, xor that of `B` begun with zero. Carrying it over `n`
//! bits is a product with x^n modulo the polynomial. The instruction CRC32 multiplies what it is given by x^32, and a product of two
//! bit-reflected numbers is one bit short: so the factor is x^(n − 33). Source: V. Gopal and others, "Fast CRC Computation for iSCSI
//! Polynomial Using CRC32 Instruction", Intel 2011.

/// CRC-32C (Castagnoli) of `bytes`.
#[inline]
#[cfg_attr(
    all(target_arch = "x86_64", not(miri)),
    expect(unsafe_code, reason = "instructions of a processor that was asked for them; bench `log append`")
)]
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if halves::LENGTHS.contains(&bytes.len())
        && is_x86_feature_detected!("sse4.2")
        && is_x86_feature_detected!("pclmulqdq")
    {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { halves::crc32c(bytes) };
    }
    crc32c::crc32c(bytes)
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod halves {
    use std::arch::x86_64::{
        _mm_clmulepi64_si128, _mm_crc32_u8, _mm_crc32_u32, _mm_crc32_u64, _mm_cvtsi64_si128,
        _mm_cvtsi128_si64,
    };
    use std::ops::Range;

    /// The polynomial, its bits reflected.
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    /// Most words in the second half.
    const MOST_WORDS: usize = 64;
    /// From where halves pay to where they would be longer than that.
    pub(super) const LENGTHS: Range<usize> = 64..MOST_WORDS * 16;

    /// x^(64 k − 33) modulo the polynomial, reflected, by k.
    const SHIFTS: [u32; MOST_WORDS + 1] = {
        let mut shifts = [0; MOST_WORDS + 1];
        // x^31 for k = 1.
        let mut value: u32 = 1;
        let mut k = 1;
        while k <= MOST_WORDS {
            shifts[k] = value;
            let mut bit = 0;
            while bit < 64 {
                value = (value >> 1) ^ (POLYNOMIAL * (value & 1));
                bit += 1;
            }
            k += 1;
        }
        shifts
    };

    #[target_feature(enable = "sse4.2,pclmulqdq")]
    pub(super) fn crc32c(bytes: &[u8]) -> u32 {
        let (words, rest) = bytes.as_chunks::<8>();
        let (first, second) = words.split_at(words.len().div_ceil(2));
        let (lead, first) = first.split_at(first.len() - second.len());
        let (mut a, mut b) = (u64::from(u32::MAX), 0);
        for word in lead {
            a = _mm_crc32_u64(a, u64::from_le_bytes(*word));
        }
        for (x, y) in first.iter().zip(second) {
            a = _mm_crc32_u64(a, u64::from_le_bytes(*x));
            b = _mm_crc32_u64(b, u64::from_le_bytes(*y));
        }
        let factor = _mm_cvtsi64_si128(i64::from(SHIFTS[second.len()]));
        let product = _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(a as i64), factor);
        let mut crc = (_mm_crc32_u64(0, _mm_cvtsi128_si64(product) as u64) ^ b) as u32;
        let (word, rest) = rest.as_chunks::<4>();
        for word in word {
            crc = _mm_crc32_u32(crc, u32::from_le_bytes(*word));
        }
        for &byte in rest {
            crc = _mm_crc32_u8(crc, byte);
        }
        !crc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_crate_at_every_length_and_alignment() {
        let bytes: Vec<u8> = (0..1200u32).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 13) as u8).collect();
        for length in 0..=1150 {
            for from in [0, 1, 5, 21] {
                let part = &bytes[from..from + length];
                assert_eq!(crc32c(part), crc32c::crc32c(part), "{length} bytes from {from}");
            }
        }
        // The check value of the catalogues.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}

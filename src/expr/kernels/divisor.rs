//! Division by a number that stays the same: a multiplication and two shifts instead of a division.
//!
//! Granlund and Montgomery, "Division by Invariant Integers using Multiplication" (1994), unsigned, on the magnitude; the sign is put back
//! afterwards, which gives Java's truncation towards zero.

/// A divisor that is not zero, prepared.
#[derive(Clone, Copy, Debug)]
pub struct Divisor {
    magnitude: u64,
    multiplier: u64,
    shift: u32,
    negative: bool,
}

impl Divisor {
    /// Prepares `d`.
    ///
    /// # Panics
    /// When `d` is zero.
    pub fn new(d: i64) -> Self {
        assert!(d != 0, "the caller has refused zero");
        let m = d.unsigned_abs();
        // l = ⌈log2 m⌉, multiplier = ⌊2^64 · (2^l − m) / m⌋ + 1.
        let l = 64 - (m - 1).leading_zeros();
        let multiplier = ((((1u128 << l) - u128::from(m)) << 64) / u128::from(m) + 1) as u64;
        Self { magnitude: m, multiplier, shift: l, negative: d < 0 }
    }

    #[inline(always)]
    fn unsigned(self, n: u64) -> u64 {
        if self.magnitude == 1 {
            return n;
        }
        let t = ((u128::from(self.multiplier) * u128::from(n)) >> 64) as u64;
        (t + ((n - t) >> 1)) >> (self.shift - 1)
    }

    /// `n / d`, cut towards zero; wraps at the one overflow.
    #[inline(always)]
    pub fn quotient(self, n: i64) -> i64 {
        let q = self.unsigned(n.unsigned_abs()) as i64;
        if (n < 0) != self.negative { q.wrapping_neg() } else { q }
    }

    /// `n % d`, with the sign of `n`.
    #[inline(always)]
    pub fn remainder(self, n: i64) -> i64 {
        let m = n.unsigned_abs();
        let r = m.wrapping_sub(self.unsigned(m).wrapping_mul(self.magnitude)) as i64;
        if n < 0 { r.wrapping_neg() } else { r }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_divides(n in any::<i64>(), d in any::<i64>(), shift_n in 0u32..63, shift_d in 0u32..63) {
            let (n, d) = (n >> shift_n, d >> shift_d);
            prop_assume!(d != 0);
            let p = Divisor::new(d);
            prop_assert_eq!(p.quotient(n), n.wrapping_div(d));
            prop_assert_eq!(p.remainder(n), n.wrapping_rem(d));
        }
    }

    #[test]
    fn the_corners_divide_too() {
        let corners = [i64::MIN, i64::MIN + 1, -2, -1, 0, 1, 2, 3, 7, 123, i64::MAX - 1, i64::MAX, 1 << 62];
        for n in corners {
            for d in corners.into_iter().filter(|&d| d != 0) {
                let p = Divisor::new(d);
                assert_eq!(p.quotient(n), n.wrapping_div(d), "{n} / {d}");
                assert_eq!(p.remainder(n), n.wrapping_rem(d), "{n} % {d}");
            }
        }
    }
}

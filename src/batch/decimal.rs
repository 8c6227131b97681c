//! DECIMAL arithmetic on unscaled `i128` values, as Java's `BigDecimal` does it for Flink.
//!
//! A DECIMAL(p, s) value is an integer with `|v| < 10^p`, p ≤ 38; its scale is in the type. Sums of two such values may need
//! 129 bits and products 253, so everything that can leave `i128` goes through [`Wide`], a 256-bit magnitude with sign.
//! Rounding is HALF_UP (away from zero at the tie) everywhere. A result that does not fit its precision is `None`, which
//! SQL shows as NULL.

/// The largest precision.
pub const MAX_PRECISION: u8 = 38;

const POWERS: [i128; 39] = {
    let mut p = [1i128; 39];
    let mut i = 1;
    while i < 39 {
        p[i] = p[i - 1] * 10;
        i += 1;
    }
    p
};

/// 10^n for n ≤ 38.
///
/// # Panics
/// When `n` is larger.
#[inline]
pub fn pow10(n: u32) -> i128 {
    POWERS[n as usize]
}

/// `v` has at most `precision` digits.
#[inline]
pub fn fits(v: i128, precision: u8) -> bool {
    v.unsigned_abs() < POWERS[precision as usize] as u128
}

/// Number of decimal digits of `v`; 1 for 0.
pub fn digits(v: u128) -> u32 {
    if v == 0 { 1 } else { v.ilog10() + 1 }
}

/// `v / d` rounded half up; `d` > 0.
#[inline]
fn div_round(v: i128, d: i128) -> i128 {
    let (q, r) = (v / d, v % d);
    if r.unsigned_abs() >= d.unsigned_abs() - r.unsigned_abs() { q + v.signum() } else { q }
}

/// `v` at scale `from` as DECIMAL(precision, scale).
#[inline]
pub fn rescale(v: i128, from: u8, precision: u8, scale: u8) -> Option<i128> {
    let out = if scale >= from {
        v.checked_mul(pow10(u32::from(scale - from)))?
    } else {
        div_round(v, pow10(u32::from(from - scale)))
    };
    fits(out, precision).then_some(out)
}

/// `a + b` (subtract by negating) of scales `sa` and `sb` as DECIMAL(precision, scale).
pub fn add(a: i128, sa: u8, b: i128, sb: u8, precision: u8, scale: u8) -> Option<i128> {
    let s = sa.max(sb);
    let (x, y) = (a.checked_mul(pow10(u32::from(s - sa))), b.checked_mul(pow10(u32::from(s - sb))));
    if let (Some(x), Some(y)) = (x, y)
        && let Some(sum) = x.checked_add(y)
    {
        return rescale(sum, s, precision, scale);
    }
    let x = Wide::product(a, pow10(u32::from(s - sa)));
    let y = Wide::product(b, pow10(u32::from(s - sb)));
    x.plus(y).scaled(s, scale)?.narrow(precision)
}

/// `a * b` of scales `sa` and `sb` as DECIMAL(precision, scale).
#[inline]
pub fn mul(a: i128, sa: u8, b: i128, sb: u8, precision: u8, scale: u8) -> Option<i128> {
    let s = sa + sb;
    if let Some(v) = a.checked_mul(b)
        && (scale >= s || s - scale <= MAX_PRECISION)
    {
        return rescale(v, s, precision, scale);
    }
    Wide::product(a, b).scaled(s, scale)?.narrow(precision)
}

/// `a / b` of scales `sa` and `sb` as DECIMAL(precision, scale). Flink divides to 38 significant digits first and then
/// rounds to the scale; so does this.
///
/// # Panics
/// When `b` is 0: the caller has reported "Division by zero".
pub fn div(a: i128, sa: u8, b: i128, sb: u8, precision: u8, scale: u8) -> Option<i128> {
    if a == 0 {
        return Some(0);
    }
    if let Some(v) = div_narrow(a, sa, b, sb, scale) {
        return fits(v, precision).then_some(v);
    }
    div_wide(a, sa, b, sb, precision, scale)
}

fn div_wide(a: i128, sa: u8, b: i128, sb: u8, precision: u8, scale: u8) -> Option<i128> {
    // The quotient's scale at which it has exactly 38 digits: a·10^k / b with k chosen by the digit counts.
    let (da, db) = (digits(a.unsigned_abs()) as i32, digits(b.unsigned_abs()) as i32);
    let mut k = 38 - (da - db);
    let negative = (a < 0) != (b < 0);
    let at = |k: i32| -> (u128, bool, bool) {
        let (num, den) = if k >= 0 {
            (Wide::magnitude(a.unsigned_abs()).times_pow10(k as u32), b.unsigned_abs())
        } else {
            unreachable!("38 digits are more than an operand has")
        };
        let (q, r) = num.div_rem(den);
        // Half up: r ≥ den - r.
        (q.lo, q.hi != 0, r >= den - r)
    };
    let limit = POWERS[38] as u128;
    let (mut q, mut high, mut up) = at(k);
    if high || q >= limit {
        k -= 1;
        (q, high, up) = at(k);
    }
    debug_assert!(!high);
    if up {
        q += 1;
    }
    // q has scale sa - sb + k.
    let s = i32::from(sa) - i32::from(sb) + k;
    let target = i32::from(scale);
    let value = if s <= target {
        let up = u32::try_from(target - s).ok().filter(|&n| n <= 38)?;
        (q as i128).checked_mul(pow10(up))?
    } else if s - target > 38 {
        // Below a tenth of the last place.
        0
    } else {
        div_round(q as i128, pow10((s - target) as u32))
    };
    let value = if negative { -value } else { value };
    fits(value, precision).then_some(value)
}

/// The quotient where 128 bits are enough and rounding once is rounding twice. The 38 digits round away a tie only where the fraction is
/// nearer to a half than 10^-(38 - digits of the quotient); a fraction that is not a half is at least 1/(2b) away from it.
#[inline]
fn div_narrow(a: i128, sa: u8, b: i128, sb: u8, scale: u8) -> Option<i128> {
    let shift = i32::from(scale) + i32::from(sb) - i32::from(sa);
    let factor = *POWERS.get(usize::try_from(shift).ok()?)?;
    let n = a.checked_mul(factor)?;
    let (m, d) = (n.unsigned_abs(), b.unsigned_abs());
    let (q, r) = match (u64::try_from(m), u64::try_from(d)) {
        (Ok(m), Ok(d)) => (u128::from(m / d), u128::from(m % d)),
        _ => (m / d, m % d),
    };
    if digits(q) + digits(d) >= 38 {
        return None;
    }
    let q = q as i128 + i128::from(r >= d - r);
    Some(if (n < 0) != (b < 0) { -q } else { q })
}

/// `a % b` (sign of `a`) as DECIMAL(precision, scale).
///
/// # Panics
/// When `b` is 0.
pub fn rem(a: i128, sa: u8, b: i128, sb: u8, precision: u8, scale: u8) -> Option<i128> {
    let s = sa.max(sb);
    let (x, y) = (a.checked_mul(pow10(u32::from(s - sa))), b.checked_mul(pow10(u32::from(s - sb))));
    let r = match (x, y) {
        (Some(x), Some(y)) => x % y,
        // |b| at the common scale is beyond i128, so beyond every a: the remainder is a itself.
        (Some(x), None) => x,
        (None, Some(y)) => {
            let (_, r) =
                Wide::magnitude(a.unsigned_abs()).times_pow10(u32::from(s - sa)).div_rem(y.unsigned_abs());
            if a < 0 { -(r as i128) } else { r as i128 }
        }
        (None, None) => unreachable!("only one operand is scaled up"),
    };
    rescale(r, s, precision, scale)
}

/// Compares `a` at scale `sa` with `b` at scale `sb`.
pub fn cmp(a: i128, sa: u8, b: i128, sb: u8) -> std::cmp::Ordering {
    let s = sa.max(sb);
    let (x, y) = (a.checked_mul(pow10(u32::from(s - sa))), b.checked_mul(pow10(u32::from(s - sb))));
    match (x, y) {
        (Some(x), Some(y)) => x.cmp(&y),
        (None, _) => a.cmp(&0),
        (_, None) => 0.cmp(&b),
    }
}

/// The `f64` nearest to `v` at scale `scale`.
pub fn to_f64(v: i128, scale: u8) -> f64 {
    let (p, m) = (pow10(u32::from(scale)), v.unsigned_abs());
    // Exact where both are exact doubles; else by text, which rounds once.
    if m < 1 << 53 && scale <= 22 {
        return v as f64 / p as f64;
    }
    let mut text = Vec::with_capacity(48);
    write(v, scale, &mut text);
    std::str::from_utf8(&text).ok().and_then(|t| t.parse().ok()).unwrap_or(f64::NAN)
}

/// `d` as DECIMAL(precision, scale), by way of its shortest decimal text, as `BigDecimal.valueOf` does. `None` for NaN and infinities.
pub fn from_f64(d: f64, precision: u8, scale: u8) -> Option<i128> {
    if !d.is_finite() {
        return None;
    }
    let mut buffer = zmij::Buffer::new();
    parse(buffer.format_finite(d).as_bytes(), precision, scale)
}

/// Writes plain digits: `-0.050`.
pub fn write(v: i128, scale: u8, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 40];
    let mut rest = v.unsigned_abs();
    let mut at = digits.len();
    while rest >= 1 << 64 {
        let mut low = (rest % 10_000_000_000_000_000_000) as u64;
        rest /= 10_000_000_000_000_000_000;
        for _ in 0..19 {
            at -= 1;
            digits[at] = b'0' + (low % 10) as u8;
            low /= 10;
        }
    }
    let mut rest = rest as u64;
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    // At least one digit before the point.
    let at = at.min(digits.len() - 1 - usize::from(scale));
    if v < 0 {
        out.push(b'-');
    }
    let point = digits.len() - usize::from(scale);
    out.extend_from_slice(&digits[at..point]);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(&digits[point..]);
    }
}

/// Parses what `new BigDecimal(text)` takes (`-12.5`, `.5`, `5.`, `1e3`) and rounds it to DECIMAL(precision, scale). `None`: not a
/// number, or it does not fit. No white space.
pub fn parse(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, mut rest) = match text {
        [b'-', r @ ..] => (true, r),
        [b'+', r @ ..] => (false, r),
        r => (false, r),
    };
    let exponent: i64 = match rest.iter().position(|b| matches!(b, b'e' | b'E')) {
        None => 0,
        Some(at) => {
            let e = parse_exponent(&rest[at + 1..])?;
            rest = &rest[..at];
            e
        }
    };
    let (whole, fraction) = match rest.iter().position(|&b| b == b'.') {
        None => (rest, &[][..]),
        Some(at) => (&rest[..at], &rest[at + 1..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    // The digit at index i of whole ++ fraction stands for 10^(whole - 1 - i + exponent).
    let kept = whole.len() as i64 + exponent + i64::from(scale);
    let mut value: i128 = 0;
    for (seen, &b) in (0i64..).zip(whole.iter().chain(fraction)) {
        if seen >= kept {
            if seen == kept && b >= b'5' {
                value += 1;
            }
            break;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(b - b'0'))?;
    }
    // Digits to add on the right; a digit past `kept` was seen when `kept` is below the number of digits.
    let total = (whole.len() + fraction.len()) as i64;
    if kept > total && value != 0 {
        let more = u32::try_from(kept - total).ok().filter(|&n| n <= 38)?;
        value = value.checked_mul(pow10(more))?;
    }
    fits(value, precision).then_some(if negative { -value } else { value })
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', r @ ..] => (true, r),
        [b'+', r @ ..] => (false, r),
        r => (false, r),
    };
    if digits.is_empty() || digits.len() > 10 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let v = digits.iter().fold(0i64, |v, b| v * 10 + i64::from(b - b'0'));
    Some(if negative { -v } else { v })
}

/// A signed 256-bit integer as sign and magnitude: `hi · 2^128 + lo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wide {
    negative: bool,
    hi: u128,
    lo: u128,
}

impl Wide {
    /// A non-negative number.
    pub fn magnitude(lo: u128) -> Self {
        Self { negative: false, hi: 0, lo }
    }

    /// `a * b`.
    pub fn product(a: i128, b: i128) -> Self {
        let (hi, lo) = mul_wide(a.unsigned_abs(), b.unsigned_abs());
        Self { negative: (a < 0) != (b < 0), hi, lo }
    }

    /// `self * 10^n`; the caller knows that it fits 256 bits.
    fn times_pow10(self, n: u32) -> Self {
        let mut out = self;
        let mut left = n;
        while left > 0 {
            let step = left.min(38);
            let p = pow10(step) as u128;
            let (carry, lo) = mul_wide(out.lo, p);
            out = Self { negative: out.negative, hi: out.hi.wrapping_mul(p).wrapping_add(carry), lo };
            left -= step;
        }
        out
    }

    /// `self + other`. Both are below 2^255.
    #[must_use]
    pub fn plus(self, other: Wide) -> Wide {
        if self.negative == other.negative {
            let (lo, carry) = self.lo.overflowing_add(other.lo);
            return Wide { negative: self.negative, hi: self.hi + other.hi + u128::from(carry), lo };
        }
        let (big, small) =
            if (self.hi, self.lo) >= (other.hi, other.lo) { (self, other) } else { (other, self) };
        let (lo, borrow) = big.lo.overflowing_sub(small.lo);
        Wide { negative: big.negative, hi: big.hi - small.hi - u128::from(borrow), lo }
    }

    /// The magnitude divided by `d`, and the remainder.
    fn div_rem(self, d: u128) -> (Wide, u128) {
        let (hi, r) = (self.hi / d, self.hi % d);
        // Long division of (r, lo) by d in two 64-bit steps when d fits 64 bits, bit by bit otherwise (rare: operands of more
        // than 19 digits).
        if d >> 64 == 0 {
            let step = (r << 64) | (self.lo >> 64);
            let (q1, r1) = (step / d, step % d);
            let step = (r1 << 64) | (self.lo & u128::from(u64::MAX));
            let (q0, r0) = (step / d, step % d);
            return (Wide { negative: self.negative, hi, lo: (q1 << 64) | q0 }, r0);
        }
        let (mut r, mut q) = (r, 0u128);
        for bit in (0..128).rev() {
            let carry = r >> 127 != 0;
            r = (r << 1) | ((self.lo >> bit) & 1);
            q <<= 1;
            if carry || r >= d {
                r = r.wrapping_sub(d);
                q |= 1;
            }
        }
        (Wide { negative: self.negative, hi, lo: q }, r)
    }

    /// From scale `from` to scale `to`, rounded half up. `None` when it would pass 256 bits.
    pub fn scaled(self, from: u8, to: u8) -> Option<Wide> {
        if to >= from {
            let n = u32::from(to - from);
            return (n == 0 || self.hi == 0).then(|| self.times_pow10(n));
        }
        // Two steps may be needed (76 places); only the last digit dropped decides the rounding half up of a magnitude.
        let drop = u32::from(from - to);
        let mut v = self;
        if drop > 38 {
            v = v.div_rem(pow10(drop - 38) as u128).0;
        }
        let d = pow10(drop.min(38)) as u128;
        let (mut q, r) = v.div_rem(d);
        if r >= d - r {
            let (lo, carry) = q.lo.overflowing_add(1);
            q = Wide { lo, hi: q.hi + u128::from(carry), ..q };
        }
        Some(q)
    }

    /// As DECIMAL with that precision.
    pub fn narrow(self, precision: u8) -> Option<i128> {
        if self.hi != 0 || self.lo >= pow10(u32::from(precision)) as u128 {
            return None;
        }
        let v = self.lo as i128;
        Some(if self.negative { -v } else { v })
    }
}

fn mul_wide(a: u128, b: u128) -> (u128, u128) {
    let mask = u128::from(u64::MAX);
    let (a1, a0, b1, b0) = (a >> 64, a & mask, b >> 64, b & mask);
    let low = a0 * b0;
    let mid = a1 * b0 + (low >> 64);
    let mid2 = a0 * b1 + (mid & mask);
    let hi = a1 * b1 + (mid >> 64) + (mid2 >> 64);
    (hi, (mid2 << 64) | (low & mask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(v: i128, s: u8) -> String {
        let mut out = Vec::new();
        write(v, s, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_come_back() {
        for (t, s) in [("0", 0), ("-0.05", 2), ("12345678901234567890123456789012345678", 0), ("0.000", 3)] {
            let v = parse(t.as_bytes(), 38, s).unwrap();
            assert_eq!(text(v, s), t);
        }
        assert_eq!(parse(b"999.95", 4, 1), None);
        assert_eq!(parse(b"999.94", 4, 1), Some(9999));
        assert_eq!(parse(b"-0.05", 4, 1), Some(-1));
        assert_eq!(parse(b"1e3", 6, 2), Some(100_000));
        assert_eq!(parse(b"5.", 6, 2), Some(500));
        assert_eq!(parse(b".5", 6, 2), Some(50));
        assert_eq!(parse(b"4e-3", 6, 2), Some(0));
        assert_eq!(parse(b"5e-3", 6, 2), Some(1));
        assert_eq!(parse(b"5e-4", 6, 2), Some(0));
        for bad in ["", ".", "-", "1e", "0x1", "1 ", "NaN", "1..2"] {
            assert_eq!(parse(bad.as_bytes(), 38, 2), None, "{bad}");
        }
    }

    #[test]
    fn quotients_are_flinks() {
        // conformance: types/decimal_divide_scale
        assert_eq!(text(div(10000, 2, 30000, 4, 20, 8).unwrap(), 8), "33.33333333");
        assert_eq!(text(div(-101, 2, 70000, 4, 20, 8).unwrap(), 8), "-0.14428571");
        assert_eq!(text(div(200, 2, 3, 0, 21, 13).unwrap(), 13), "0.6666666666667");
        assert_eq!(text(div(-1_0100000000, 10, 7_0000000000, 10, 38, 6).unwrap(), 6), "-0.144286");
        assert_eq!(div(1, 0, 3, 38, 38, 38), None);
    }

    /// Schoolbook arithmetic on digit vectors, least significant first.
    fn digits_of(mut v: u128) -> Vec<u32> {
        let mut d = Vec::new();
        while v > 0 {
            d.push((v % 10) as u32);
            v /= 10;
        }
        d
    }
    fn model_mul(a: u128, b: u128) -> Vec<u32> {
        let (a, b) = (digits_of(a), digits_of(b));
        let mut out = vec![0; a.len() + b.len() + 1];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                out[i + j] += x * y;
            }
            for k in 0..out.len() - 1 {
                out[k + 1] += out[k] / 10;
                out[k] %= 10;
            }
        }
        out
    }
    fn model_round(mut d: Vec<u32>, drop: usize) -> Vec<u32> {
        let up = drop > 0 && d.get(drop - 1).is_some_and(|&x| x >= 5);
        d = d.get(drop..).unwrap_or(&[]).to_vec();
        d.push(0);
        if up {
            let mut k = 0;
            d[0] += 1;
            while d[k] == 10 {
                d[k] = 0;
                d[k + 1] += 1;
                k += 1;
            }
        }
        while d.last() == Some(&0) {
            d.pop();
        }
        d
    }

    fn any_decimal() -> impl Strategy<Value = i128> {
        (0u32..39, any::<i128>()).prop_map(|(n, v)| v % pow10(n))
    }

    proptest! {
        #[test]
        fn products_match_the_schoolbook(a in any_decimal(), b in any_decimal(), sa in 0u8..=38, sb in 0u8..=38, s in 0u8..=38) {
            let s = s.min(sa + sb);
            let want = model_round(model_mul(a.unsigned_abs(), b.unsigned_abs()), usize::from(sa + sb - s));
            let got = mul(a, sa, b, sb, 38, s);
            if want.len() > 38 {
                prop_assert_eq!(got, None);
            } else {
                let m = want.iter().rev().fold(0i128, |v, &d| v * 10 + i128::from(d));
                prop_assert_eq!(got, Some(if (a < 0) != (b < 0) { -m } else { m }));
            }
        }

        #[test]
        fn a_quotient_times_the_divisor_is_the_dividend(a in any_decimal(), b in any_decimal(), sa in 0u8..=38, sb in 0u8..=38, s in 0u8..=38) {
            prop_assume!(b != 0);
            if let Some(q) = div(a, sa, b, sb, 38, s) {
                // |a/b - q| ≤ half a unit in the last place (of the 38 significant digits or of the scale, twice rounded).
                let x = a as f64 / 10f64.powi(i32::from(sa)) / (b as f64 / 10f64.powi(i32::from(sb)));
                let y = q as f64 / 10f64.powi(i32::from(s));
                let ulp = 10f64.powi(-i32::from(s)) * 0.500001 + x.abs() * 1e-12;
                prop_assert!((x - y).abs() <= ulp, "{x} {y}");
            }
        }

        #[test]
        fn the_short_division_gives_the_same(a in any_decimal(), b in any_decimal(), sa in 0u8..=38, sb in 0u8..=38, s in 0u8..=38) {
            prop_assume!(a != 0 && b != 0);
            if let Some(v) = div_narrow(a, sa, b, sb, s) {
                prop_assert_eq!(div_wide(a, sa, b, sb, 38, s), fits(v, 38).then_some(v));
            }
        }

        #[test]
        fn sums_and_remainders_agree_with_wide_arithmetic(a in any_decimal(), b in any_decimal(), sa in 0u8..=38, sb in 0u8..=38) {
            let s = sa.max(sb);
            let sum = Wide::product(a, pow10(u32::from(s - sa))).plus(Wide::product(b, pow10(u32::from(s - sb))));
            prop_assert_eq!(add(a, sa, b, sb, 38, s), sum.narrow(38));
            if b != 0 && let Some(r) = rem(a, sa, b, sb, 38, s) {
                prop_assert!(cmp(r.abs(), s, b.abs(), sb).is_lt());
                prop_assert!(r == 0 || (r < 0) == (a < 0));
            }
        }

        #[test]
        fn every_value_prints_and_parses(v in any_decimal(), s in 0u8..=38) {
            prop_assert_eq!(parse(text(v, s).as_bytes(), 38, s), Some(v));
        }
    }
}

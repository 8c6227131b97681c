//! Numbers as Java writes and reads them.
//!
//! Digits are the shortest that read back to the same value (Java 19 and later do the same; Java 17 sometimes writes one digit
//! more, which is the same number). Notation is Java's: plain from 10⁻³ up to 10⁷, else `1.0E10`.

/// Writes an integer.
#[inline]
pub fn write_i64(v: i64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = v.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if v < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes a DOUBLE: `Double.toString`.
pub fn write_f64(v: f64, out: &mut Vec<u8>) {
    if v.is_finite() {
        write_java(zmij::Buffer::new().format_finite(v), out);
    } else {
        write_special(v, out);
    }
}

/// Writes a FLOAT: `Float.toString`.
pub fn write_f32(v: f32, out: &mut Vec<u8>) {
    if v.is_finite() {
        write_java(zmij::Buffer::new().format_finite(v), out);
    } else {
        write_special(f64::from(v), out);
    }
}

fn write_special(v: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(if v.is_nan() {
        b"NaN"
    } else if v < 0.0 {
        b"-Infinity"
    } else {
        b"Infinity"
    });
}

/// From any decimal notation to Java's.
fn write_java(text: &str, out: &mut Vec<u8>) {
    let mut digits = [0u8; 32];
    let (mut n, mut point, mut exponent) = (0usize, None, 0i32);
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'-' => out.push(b'-'),
            b'.' => point = Some(n as i32),
            b'0'..=b'9' => {
                digits[n] = b;
                n += 1;
            }
            _ => {
                let (mut negative, mut e) = (false, 0i32);
                for b in bytes.by_ref() {
                    match b {
                        b'-' => negative = true,
                        b'+' => {}
                        _ => e = e * 10 + i32::from(b - b'0'),
                    }
                }
                exponent = if negative { -e } else { e };
            }
        }
    }
    // The value is 0.d1d2d3… · 10^point.
    let mut point = point.unwrap_or(n as i32) + exponent;
    let zeros = digits[..n].iter().take_while(|&&d| d == b'0').count();
    let mut d = &digits[zeros..n];
    point -= zeros as i32;
    while let [head @ .., b'0'] = d {
        d = head;
    }
    if d.is_empty() {
        out.extend_from_slice(b"0.0");
        return;
    }
    if (-2..=7).contains(&point) {
        if point <= 0 {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', -point as usize));
            out.extend_from_slice(d);
        } else {
            let p = point as usize;
            let (whole, fraction) = d.split_at(p.min(d.len()));
            out.extend_from_slice(whole);
            out.extend(std::iter::repeat_n(b'0', p - whole.len()));
            out.push(b'.');
            out.extend_from_slice(if fraction.is_empty() { b"0" } else { fraction });
        }
    } else {
        out.push(d[0]);
        out.push(b'.');
        out.extend_from_slice(if d.len() == 1 { b"0" } else { &d[1..] });
        out.push(b'E');
        write_i64(i64::from(point - 1), out);
    }
}

/// Why a text is not an integer, in Flink's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IntegerError {
    Empty,
    OnlySign,
    InvalidCharacter,
    Overflow,
}

impl IntegerError {
    /// Flink's sentence.
    pub fn reason(self) -> &'static str {
        match self {
            IntegerError::Empty => "Input is empty.",
            IntegerError::OnlySign => "Input has only positive or negative symbol.",
            IntegerError::InvalidCharacter => "Invalid character found.",
            IntegerError::Overflow => "Overflow.",
        }
    }
}

/// Reads an integer of the range of `min..=max` as CAST does: `+5`, `-12.9` (the fraction is dropped), no white space inside;
/// the caller trims.
///
/// # Errors
/// Not such a number.
pub fn parse_integer(text: &[u8], min: i64, max: i64) -> Result<i64, IntegerError> {
    let (negative, digits) = match text {
        [] => return Err(IntegerError::Empty),
        [b'-'] | [b'+'] => return Err(IntegerError::OnlySign),
        [b'-', r @ ..] => (true, r),
        [b'+', r @ ..] => (false, r),
        r => (false, r),
    };
    let mut v = 0i64;
    let mut rest = digits.iter();
    for &b in rest.by_ref() {
        match b {
            b'.' => break,
            b'0'..=b'9' => {
                let d = i64::from(b - b'0');
                v = v
                    .checked_mul(10)
                    .and_then(|v| v.checked_sub(d))
                    .filter(|&v| v >= min)
                    .ok_or(IntegerError::Overflow)?;
            }
            _ => return Err(IntegerError::InvalidCharacter),
        }
    }
    if !rest.all(u8::is_ascii_digit) {
        return Err(IntegerError::InvalidCharacter);
    }
    if negative {
        return Ok(v);
    }
    v.checked_neg().filter(|&v| v <= max).ok_or(IntegerError::Overflow)
}

/// Java's `String.trim`: takes away what is not above the space on both sides.
pub fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&b| b > b' ').unwrap_or(text.len());
    let end = text.iter().rposition(|&b| b > b' ').map_or(start, |i| i + 1);
    &text[start..end]
}

/// Reads what `Double.parseDouble` takes, apart from hexadecimal floats. Exact.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    match java_number(text)? {
        Number::Text(t) => t.parse().ok(),
        Number::Special(v) => Some(v),
    }
}

/// Reads what `Float.parseFloat` takes, apart from hexadecimal floats. Rounded once.
pub fn parse_f32(text: &[u8]) -> Option<f32> {
    match java_number(text)? {
        Number::Text(t) => t.parse().ok(),
        Number::Special(v) => Some(v as f32),
    }
}

enum Number<'a> {
    Text(&'a str),
    Special(f64),
}

/// Checks Java's grammar, which is narrower than Rust's in names and wider in suffixes.
fn java_number(text: &[u8]) -> Option<Number<'_>> {
    let text = trim(text);
    let (negative, rest) = match text {
        [b'-', r @ ..] => (true, r),
        [b'+', r @ ..] => (false, r),
        r => (false, r),
    };
    let sign = |v: f64| Some(Number::Special(if negative { -v } else { v }));
    match rest {
        b"NaN" => return sign(f64::NAN),
        b"Infinity" => return sign(f64::INFINITY),
        _ => {}
    }
    let body = match text {
        [b @ .., b'd' | b'D' | b'f' | b'F'] => b,
        b => b,
    };
    let unsigned = &body[text.len() - rest.len()..];
    let mantissa = unsigned.iter().position(|b| matches!(b, b'e' | b'E')).unwrap_or(unsigned.len());
    let (m, e) = unsigned.split_at(mantissa);
    let digits = m.iter().filter(|b| b.is_ascii_digit()).count();
    let points = m.iter().filter(|&&b| b == b'.').count();
    if digits == 0 || points > 1 || digits + points != m.len() {
        return None;
    }
    if let [_, e @ ..] = e {
        let e = if let [b'+' | b'-', r @ ..] = e { r } else { e };
        if e.is_empty() || !e.iter().all(u8::is_ascii_digit) {
            return None;
        }
    }
    std::str::from_utf8(body).ok().map(Number::Text)
}

/// Reads a DECIMAL from text as Flink's CAST does, with its two ways: up to 18 digits of precision and of text by hand, else by
/// `BigDecimal`. Both take white space (space, tab, newline) on the sides. The first swallows one foreign character after the
/// digits (`'T'` is 0): that is Flink's.
pub fn parse_decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    if precision > 18 || text.len() > 18 {
        let is_blank = |b: &u8| matches!(b, b' ' | b'\n' | b'\t');
        let start = text.iter().position(|b| !is_blank(b)).unwrap_or(0);
        let end = text.iter().rposition(|b| !is_blank(b)).map_or(text.len(), |i| i + 1);
        return crate::batch::decimal::parse(&text[start..end], precision, scale);
    }
    parse_short_decimal(text, precision, scale)
}

fn parse_short_decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let is_blank = |b: &u8| matches!(b, b' ' | b'\n' | b'\t');
    let mut i = text.iter().position(|b| !is_blank(b))?;
    let negative = text[i] == b'-';
    if negative || text[i] == b'+' {
        i += 1;
        if i == text.len() {
            return None;
        }
    }
    let (mut significand, mut len, mut point) = (0i128, 0i32, None);
    let mut b = 0;
    while i < text.len() {
        b = text[i];
        i += 1;
        match b {
            b'0'..=b'9' => {
                significand = significand * 10 + i128::from(b - b'0');
                len += 1;
            }
            b'.' if point.is_some() => return None,
            b'.' => point = Some(len),
            _ => break,
        }
    }
    let mut exponent = 0i32;
    if matches!(b, b'e' | b'E') && i < text.len() {
        let expected_sign = text[i];
        let minus = expected_sign == b'-';
        if minus || expected_sign == b'+' {
            i += 1;
            if i == text.len() {
                return None;
            }
        }
        let mut e = 0i32;
        while i < text.len() {
            let b = text[i];
            i += 1;
            if !b.is_ascii_digit() {
                break;
            }
            if e < 40 {
                e = e * 10 + i32::from(b - b'0');
            }
        }
        exponent = if minus { -e } else { e };
    }
    exponent -= len - point.unwrap_or(len);
    if !text[i..].iter().all(is_blank) {
        return None;
    }
    let change = exponent + i32::from(scale);
    if len + change > i32::from(precision) {
        return None;
    }
    let v = if change >= 0 {
        // At most 18 digits by the check above, unless the digits are zeros.
        significand.checked_mul(crate::batch::decimal::pow10(u32::try_from(change).ok()?.min(38)))?
    } else if -change > 38 {
        0
    } else {
        let unit = crate::batch::decimal::pow10(change.unsigned_abs());
        (significand + unit / 2) / unit
    };
    crate::batch::decimal::fits(v, precision).then_some(if negative { -v } else { v })
}

/// Reads a BOOLEAN as CAST does: `true t yes y 1`, `false f no n 0`, without case. The caller trims.
pub fn parse_bool(text: &[u8]) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|w| text.eq_ignore_ascii_case(w.as_bytes()));
    if is(&["true", "t", "yes", "y", "1"]) {
        Some(true)
    } else if is(&["false", "f", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn f64_text(v: f64) -> String {
        let mut out = Vec::new();
        write_f64(v, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        for (v, t) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (9_999_999.0, "9999999.0"),
            (12_345_678.0, "1.2345678E7"),
            (1e7, "1.0E7"),
            (1e10, "1.0E10"),
            (-2.5, "-2.5"),
            (0.012, "0.012"),
            (1.7976931348623157e308, "1.7976931348623157E308"),
            (2.0E-5, "2.0E-5"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(f64_text(v), t);
        }
        let mut out = Vec::new();
        write_f32(3.402_823_5E38, &mut out);
        assert_eq!(out, b"3.4028235E38");
    }

    #[test]
    fn numbers_are_read_as_flink_reads_them() {
        // conformance: types/try_cast_string_edge
        let i32_of = |t: &str| parse_integer(trim(t.as_bytes()), i32::MIN.into(), i32::MAX.into()).ok();
        let d = |t: &str| parse_decimal(t.as_bytes(), 6, 2);
        for (t, i, double, decimal) in [
            (" 12 ", Some(12), Some(12.0), Some(1200)),
            ("+5", Some(5), Some(5.0), Some(500)),
            ("-0", Some(0), Some(-0.0), Some(0)),
            ("1e3", None, Some(1000.0), Some(100_000)),
            ("12.9", Some(12), Some(12.9), Some(1290)),
            ("-12.9", Some(-12), Some(-12.9), Some(-1290)),
            ("2147483648", None, Some(2_147_483_648.0), None),
            (".5", Some(0), Some(0.5), Some(50)),
            ("5.", Some(5), Some(5.0), Some(500)),
            ("", None, None, None),
            ("0x10", None, None, None),
            ("Infinity", None, Some(f64::INFINITY), None),
            ("1_000", None, None, None),
            ("T", None, None, Some(0)),
            ("yes", None, None, None),
            ("99999.999", Some(99999), Some(99999.999), None),
        ] {
            assert_eq!(i32_of(t), i, "{t}");
            assert_eq!(parse_f64(t.as_bytes()), double, "{t}");
            assert_eq!(d(t), decimal, "{t}");
        }
        assert!(parse_f64(b"NaN").unwrap().is_nan());
        assert_eq!(parse_f64(b"1.5d"), Some(1.5));
        for t in ["inf", "nan", "infinity", "1e", "e5", ".", "1.2.3", "--1"] {
            assert_eq!(parse_f64(t.as_bytes()), None, "{t}");
        }
        assert_eq!(parse_bool(b"Yes"), Some(true));
        assert_eq!(parse_bool(b"2"), None);
    }

    proptest! {
        #[test]
        fn any_double_comes_back(bits in any::<u64>()) {
            let v = f64::from_bits(bits);
            let back = parse_f64(f64_text(v).as_bytes()).unwrap();
            prop_assert!(back.to_bits() == bits || v.is_nan());
        }

        #[test]
        fn any_integer_comes_back(v in any::<i64>()) {
            let mut out = Vec::new();
            write_i64(v, &mut out);
            prop_assert_eq!(parse_integer(&out, i64::MIN, i64::MAX), Ok(v));
        }

        #[test]
        fn reading_numbers_never_panics(t in "[-+0-9.eE TdfNa\\n]{0,30}", p in 1u8..=38, s in 0u8..=38) {
            let _ = (parse_f64(t.as_bytes()), parse_decimal(t.as_bytes(), p, s.min(p)), parse_integer(t.as_bytes(), -128, 127));
        }
    }
}

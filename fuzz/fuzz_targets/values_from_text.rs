//! Any bytes as a value of any type: they are read or refused, never a panic, and what is read and written again reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pelton::batch::decimal;
use pelton::batch::text::{civil, number};

fuzz_target!(|data: &[u8]| {
    let [p, s, text @ ..] = data else { return };
    let precision = p % 38 + 1;
    let scale = s % (precision + 1);
    let mut out = Vec::new();
    if let Some(v) = number::parse_decimal(text, precision, scale) {
        assert!(decimal::fits(v, precision));
        decimal::write(v, scale, &mut out);
        assert_eq!(decimal::parse(&out, precision, scale), Some(v));
    }
    if let Some(v) = number::parse_f64(text) {
        out.clear();
        number::write_f64(v, &mut out);
        let back = number::parse_f64(&out).expect("a written DOUBLE reads");
        assert!(back.to_bits() == v.to_bits() || v.is_nan());
    }
    if let Ok(v) = number::parse_integer(text, i64::MIN, i64::MAX) {
        out.clear();
        number::write_i64(v, &mut out);
        assert_eq!(number::parse_integer(&out, i64::MIN, i64::MAX), Ok(v));
    }
    if let Some(m) = civil::parse_timestamp(text, p % 10) {
        out.clear();
        civil::write_timestamp(m, p % 10, &mut out);
        // 24:00 on the last day of the year 9999 is the one value that passes the range.
        assert!(civil::parse_timestamp(&out, p % 10) == Some(m) || m.seconds > 253_402_300_799);
    }
    let _ =
        (civil::parse_date(text), civil::parse_time(text), number::parse_bool(text), number::parse_f32(text));
});

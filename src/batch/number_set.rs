//! BITMAP: a set of 32-bit unsigned integers, kept as the portable bytes of RoaringBitmap.
//!
//! The bytes are canonical: every container has the smallest of its three forms, as Flink writes them. So two bitmaps are the same when
//! their bytes are, in keys and state as in results. The format: <https://github.com/RoaringBitmap/RoaringFormatSpec>.

use super::text::number::write_i64;
use roaring::RoaringBitmap;

/// A bitmap that is worked with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumberSet(pub RoaringBitmap);

impl NumberSet {
    /// Reads serialized bytes.
    ///
    /// # Errors
    /// They are none: what is wrong with them.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        RoaringBitmap::deserialize_from(bytes).map(Self).map_err(|e| format!("no bitmap: {e}"))
    }

    /// Appends the canonical bytes.
    pub fn write(&mut self, out: &mut Vec<u8>) {
        self.0.optimize();
        self.0.serialize_into(out).expect("a vector takes all bytes");
    }

    /// Appends the numbers as `{1,2,3}`.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (n, v) in self.0.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            write_i64(v.into(), out);
        }
        out.push(b'}');
    }
}

/// The numbers of serialized bytes as text; nothing for bytes that are none.
pub fn write_bitmap_text(bytes: &[u8], out: &mut Vec<u8>) {
    if let Ok(b) = NumberSet::read(bytes) {
        b.write_text(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(of: impl IntoIterator<Item = u32>) -> Vec<u8> {
        let mut out = Vec::new();
        NumberSet(of.into_iter().collect()).write(&mut out);
        out
    }

    #[test]
    fn bytes_are_those_of_flink() {
        // conformance: functions/bitmap_of_arrays
        assert_eq!(hex(&bytes([1, 3, 5])), "3A300000010000000000020010000000010003000500");
        assert_eq!(hex(&bytes(1..=10)), "3B3000000100000900010001000900");
        assert_eq!(hex(&bytes([])), "3A30000000000000");
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02X}")).collect()
    }

    proptest! {
        #[test]
        fn equal_sets_have_equal_bytes(mut values in prop::collection::vec(any::<u32>().prop_map(|v| v % 200_000), 0..300), extra in any::<u32>()) {
            let first = bytes(values.iter().copied());
            let mut grown = NumberSet(values.iter().copied().chain([extra]).collect());
            if !values.contains(&extra) {
                grown.0.remove(extra);
            }
            let mut second = Vec::new();
            grown.write(&mut second);
            prop_assert_eq!(&first, &second);
            values.sort_unstable();
            values.dedup();
            prop_assert_eq!(NumberSet::read(&first).unwrap().0.iter().collect::<Vec<_>>(), values);
        }

        #[test]
        fn any_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = NumberSet::read(&data);
        }
    }
}

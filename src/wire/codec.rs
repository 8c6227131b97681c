//! Kafka's primitive types ↔ bytes, classic and flexible (KIP-482), over bytes from anybody.
//!
//! A [`Reader`] never panics and never reserves memory from a number that it read: arrays grow as elements arrive,
//! and every element is charged to a budget that one request shares, so that a small frame cannot become a large
//! structure. Byte fields are views into the frame.

use std::fmt;

use bytes::Bytes;

/// Most array elements of one request, all arrays together. A topic with 10,000 partitions in one request passes.
pub(crate) const MAX_ELEMENTS: usize = 200_000;

/// Why bytes are not the message that they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// The bytes end inside a field.
    Cut,
    /// A length or count that cannot be.
    Length,
    /// A text that is not UTF-8.
    Utf8,
    /// Null where a value must be.
    Null,
    /// More elements than one request may have.
    Budget,
    /// A number of a varint that goes on too long.
    Varint,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "the request ends inside a field",
            Self::Length => "an impossible length or count",
            Self::Utf8 => "a text that is not UTF-8",
            Self::Null => "null where a value must be",
            Self::Budget => "more array elements than one request may have",
            Self::Varint => "a varint of more than five bytes",
        })
    }
}

type Result<T, E = Malformed> = std::result::Result<T, E>;

/// A value with a place on the wire.
pub(crate) trait Wire: Sized {
    /// Takes the value from the front.
    fn read(r: &mut Reader) -> Result<Self>;
    /// Appends the value.
    fn write(&self, w: &mut Writer);
}

/// Reads one frame of a known version.
pub(crate) struct Reader {
    bytes: Bytes,
    at: usize,
    /// The request's version.
    pub(crate) version: i16,
    /// Compact lengths and tagged fields.
    pub(crate) is_flexible: bool,
    elements: usize,
}

impl Reader {
    /// Over the whole of `bytes`.
    pub(crate) fn new(bytes: Bytes, version: i16, is_flexible: bool) -> Self {
        Self { bytes, at: 0, version, is_flexible, elements: MAX_ELEMENTS }
    }

    /// Bytes not yet read.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn take(&mut self, n: usize) -> Result<usize> {
        if n > self.remaining() {
            return Err(Malformed::Cut);
        }
        let at = self.at;
        self.at += n;
        Ok(at)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let at = self.take(N)?;
        Ok(self.bytes[at..at + N].try_into().expect("a slice of N bytes"))
    }

    /// A view of the next `n` bytes.
    pub(crate) fn view(&mut self, n: usize) -> Result<Bytes> {
        let at = self.take(n)?;
        Ok(self.bytes.slice(at..at + n))
    }

    pub(crate) fn uvarint(&mut self) -> Result<u32> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array::<1>()?;
            if shift == 28 && byte > 0x0f {
                return Err(Malformed::Varint);
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::Varint)
    }

    /// The length of a string (2 bytes when classic), of bytes or of an array (4); `None` is null.
    pub(crate) fn length(&mut self, classic_bytes: usize) -> Result<Option<usize>> {
        let n = if self.is_flexible {
            i64::from(self.uvarint()?) - 1
        } else if classic_bytes == 2 {
            i64::from(i16::from_be_bytes(self.array()?))
        } else {
            i64::from(i32::from_be_bytes(self.array()?))
        };
        match n {
            -1 => Ok(None),
            0.. => Ok(Some(n as usize)),
            _ => Err(Malformed::Length),
        }
    }

    /// The count of an array, charged to the budget. Every element takes at least one byte.
    pub(crate) fn count(&mut self) -> Result<Option<usize>> {
        let Some(n) = self.length(4)? else { return Ok(None) };
        if n > self.remaining() {
            return Err(Malformed::Length);
        }
        self.elements = self.elements.checked_sub(n).ok_or(Malformed::Budget)?;
        Ok(Some(n))
    }

    /// Skips the tagged fields at the end of a flexible structure.
    pub(crate) fn tags(&mut self) -> Result<()> {
        if self.is_flexible {
            for _ in 0..self.uvarint()? {
                self.uvarint()?;
                let size = self.uvarint()? as usize;
                self.take(size)?;
            }
        }
        Ok(())
    }
}

/// Writes one message of a known version.
#[derive(Debug)]
pub(crate) struct Writer {
    /// What has been written.
    pub(crate) out: Vec<u8>,
    /// The request's version.
    pub(crate) version: i16,
    /// Compact lengths and tagged fields.
    pub(crate) is_flexible: bool,
}

impl Writer {
    /// Empty.
    pub(crate) fn new(version: i16, is_flexible: bool) -> Self {
        Self { out: Vec::with_capacity(128), version, is_flexible }
    }

    pub(crate) fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    /// The counterpart of [`Reader::length`].
    pub(crate) fn length(&mut self, n: Option<usize>, classic_bytes: usize) {
        if self.is_flexible {
            self.uvarint(n.map_or(0, |n| n as u32 + 1));
        } else if classic_bytes == 2 {
            self.out.extend_from_slice(&n.map_or(-1, |n| n as i16).to_be_bytes());
        } else {
            self.out.extend_from_slice(&n.map_or(-1, |n| n as i32).to_be_bytes());
        }
    }

    /// An empty list of tagged fields, where the version has one.
    pub(crate) fn tags(&mut self) {
        if self.is_flexible {
            self.out.push(0);
        }
    }
}

macro_rules! number {
    ($($t:ty),*) => {$(
        impl Wire for $t {
            fn read(r: &mut Reader) -> Result<Self> {
                Ok(Self::from_be_bytes(r.array()?))
            }
            fn write(&self, w: &mut Writer) {
                w.out.extend_from_slice(&self.to_be_bytes());
            }
        }
    )*};
}

number!(i8, i16, i32, i64);

impl Wire for bool {
    fn read(r: &mut Reader) -> Result<Self> {
        Ok(r.array::<1>()? != [0])
    }
    fn write(&self, w: &mut Writer) {
        w.out.push(u8::from(*self));
    }
}

/// Texts longer than a classic length can say are cut at a character: only our own messages are that long.
fn fitting(text: &str, is_flexible: bool) -> &str {
    if is_flexible || text.len() <= i16::MAX as usize {
        return text;
    }
    let mut end = i16::MAX as usize;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl Wire for Option<String> {
    fn read(r: &mut Reader) -> Result<Self> {
        let Some(n) = r.length(2)? else { return Ok(None) };
        let at = r.take(n)?;
        let text = std::str::from_utf8(&r.bytes[at..at + n]).map_err(|_| Malformed::Utf8)?;
        Ok(Some(text.to_owned()))
    }
    fn write(&self, w: &mut Writer) {
        let text = self.as_deref().map(|t| fitting(t, w.is_flexible));
        w.length(text.map(str::len), 2);
        w.out.extend_from_slice(text.unwrap_or("").as_bytes());
    }
}

impl Wire for String {
    fn read(r: &mut Reader) -> Result<Self> {
        Option::<String>::read(r)?.ok_or(Malformed::Null)
    }
    fn write(&self, w: &mut Writer) {
        let text = fitting(self, w.is_flexible);
        w.length(Some(text.len()), 2);
        w.out.extend_from_slice(text.as_bytes());
    }
}

impl Wire for Option<Bytes> {
    fn read(r: &mut Reader) -> Result<Self> {
        match r.length(4)? {
            None => Ok(None),
            Some(n) => r.view(n).map(Some),
        }
    }
    fn write(&self, w: &mut Writer) {
        w.length(self.as_ref().map(Bytes::len), 4);
        w.out.extend_from_slice(self.as_deref().unwrap_or_default());
    }
}

impl Wire for Bytes {
    fn read(r: &mut Reader) -> Result<Self> {
        // Old clients send null for an empty assignment.
        Ok(Option::<Bytes>::read(r)?.unwrap_or_default())
    }
    fn write(&self, w: &mut Writer) {
        w.length(Some(self.len()), 4);
        w.out.extend_from_slice(self);
    }
}

impl<T: Wire> Wire for Option<Vec<T>> {
    fn read(r: &mut Reader) -> Result<Self> {
        let Some(n) = r.count()? else { return Ok(None) };
        let mut items = Vec::new();
        for _ in 0..n {
            items.push(T::read(r)?);
        }
        Ok(Some(items))
    }
    fn write(&self, w: &mut Writer) {
        match self {
            Some(items) => items.write(w),
            None => w.length(None, 4),
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn read(r: &mut Reader) -> Result<Self> {
        Option::<Vec<T>>::read(r)?.ok_or(Malformed::Null)
    }
    fn write(&self, w: &mut Writer) {
        w.length(Some(self.len()), 4);
        for item in self {
            item.write(w);
        }
    }
}

/// Random values, for comparing with other implementations.
#[cfg(test)]
pub(crate) trait Sample {
    fn sample(random: &mut dyn FnMut() -> u64) -> Self;
}

#[cfg(test)]
mod samples {
    use super::*;

    macro_rules! numbers {
        ($($t:ty),*) => {$(
            impl Sample for $t {
                fn sample(random: &mut dyn FnMut() -> u64) -> Self {
                    random() as $t
                }
            }
        )*};
    }

    numbers!(i8, i16, i32, i64);

    impl Sample for bool {
        fn sample(random: &mut dyn FnMut() -> u64) -> Self {
            random().is_multiple_of(2)
        }
    }

    impl Sample for String {
        fn sample(random: &mut dyn FnMut() -> u64) -> Self {
            let n = random() % 20;
            (0..n).map(|_| char::from(b'a' + (random() % 26) as u8)).collect()
        }
    }

    impl Sample for Bytes {
        fn sample(random: &mut dyn FnMut() -> u64) -> Self {
            String::sample(random).into()
        }
    }

    impl<T: Sample> Sample for Option<T> {
        fn sample(random: &mut dyn FnMut() -> u64) -> Self {
            (!random().is_multiple_of(4)).then(|| T::sample(random))
        }
    }

    impl<T: Sample> Sample for Vec<T> {
        fn sample(random: &mut dyn FnMut() -> u64) -> Self {
            (0..random() % 3).map(|_| T::sample(random)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &'static [u8], is_flexible: bool) -> Reader {
        Reader::new(Bytes::from_static(bytes), 0, is_flexible)
    }

    #[test]
    fn a_stated_count_reserves_nothing() {
        // 2³¹−1 elements, and 2³²−2 in the compact form.
        assert_eq!(
            Vec::<i64>::read(&mut reader(&[0x7f, 0xff, 0xff, 0xff, 0, 0], false)),
            Err(Malformed::Length)
        );
        assert_eq!(
            Vec::<i64>::read(&mut reader(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0], true)),
            Err(Malformed::Length)
        );
        assert_eq!(reader(&[0xff, 0xff, 0xff, 0xff, 0x7f], true).uvarint(), Err(Malformed::Varint));
    }

    #[test]
    fn many_small_elements_meet_the_budget() {
        let mut bytes = (MAX_ELEMENTS as u32 + 1).to_be_bytes().to_vec();
        bytes.resize(bytes.len() + MAX_ELEMENTS + 1, 0);
        let mut r = Reader::new(bytes.into(), 0, false);
        assert_eq!(Vec::<i8>::read(&mut r), Err(Malformed::Budget));
    }

    #[test]
    fn null_and_empty_differ() {
        assert_eq!(Option::<String>::read(&mut reader(&[0xff, 0xff], false)), Ok(None));
        assert_eq!(Option::<String>::read(&mut reader(&[0, 0], false)), Ok(Some(String::new())));
        assert_eq!(String::read(&mut reader(&[0], true)), Err(Malformed::Null));
        assert_eq!(String::read(&mut reader(&[2, 0xff], true)), Err(Malformed::Utf8));
    }
}

//! Cuts csv bytes into records and fields, without looking at types.
//!
//! A field is a range of the input, or of `scratch` where it had to be put together (quotes doubled, escapes). The common
//! record, without quotes and escapes, is one pass over eight bytes at a time.

use super::CsvOptions;

/// Where the text of a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    start: u32,
    end: u32,
}

const SCRATCH: u32 = 1 << 31;

impl Cell {
    /// The record has no such field.
    pub(super) const MISSING: Cell = Cell { start: u32::MAX, end: u32::MAX };

    fn input(start: usize, end: usize) -> Self {
        debug_assert!(end < SCRATCH as usize, "a window is below 2 GiB");
        Self { start: start as u32, end: end as u32 }
    }

    fn scratch(start: usize, end: usize) -> Self {
        Self { start: start as u32 | SCRATCH, end: end as u32 }
    }

    /// The text; `None` where the field is missing.
    #[inline]
    pub(super) fn text<'a>(self, input: &'a [u8], scratch: &'a [u8]) -> Option<&'a [u8]> {
        if self.start & SCRATCH == 0 {
            return Some(&input[self.start as usize..self.end as usize]);
        }
        if self == Self::MISSING {
            return None;
        }
        Some(&scratch[(self.start & !SCRATCH) as usize..self.end as usize])
    }

    /// Where it stands in the input, where it does.
    pub(super) fn offset(self) -> Option<usize> {
        (self.start & SCRATCH == 0).then_some(self.start as usize)
    }
}

/// What stands at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A record of so many fields that ends before `end`.
    Fields { count: usize, end: usize },
    /// Nothing to read (a comment): go on at `end`.
    Nothing { end: usize },
    /// A record that cannot be read: at which byte, why, and where the next one starts.
    Bad { at: usize, message: String, end: usize },
    /// The record goes on behind the input.
    Incomplete,
}

/// The characters of a csv dialect.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    comments: bool,
    trim: bool,
    /// Fields a record may have.
    max_fields: usize,
    ignore_trailing: bool,
    trailing_comma: bool,
    /// Each special byte of an unquoted field in all lanes of a word: delimiter, LF, CR, escape.
    lanes: [u64; 4],
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

#[inline]
fn zero_bytes(v: u64) -> u64 {
    v.wrapping_sub(ONES) & !v & HIGHS
}

impl Scanner {
    pub(super) fn new(o: &CsvOptions, max_fields: usize) -> Self {
        let lane = |b: u8| u64::from(b) * ONES;
        Self {
            delimiter: o.delimiter,
            quote: o.quote,
            escape: o.escape,
            comments: o.allow_comments,
            trim: o.trim_spaces,
            max_fields,
            ignore_trailing: o.ignore_trailing,
            trailing_comma: o.allow_trailing_comma,
            lanes: [lane(o.delimiter), lane(b'\n'), lane(b'\r'), lane(o.escape.unwrap_or(b'\n'))],
        }
    }

    /// The first special byte of an unquoted field at or after `at`, or the input's length.
    #[inline]
    fn special(&self, input: &[u8], mut at: usize) -> usize {
        let [a, b, c, d] = self.lanes;
        while let Some(chunk) = input[at..].first_chunk::<8>() {
            let v = u64::from_le_bytes(*chunk);
            let hit = zero_bytes(v ^ a) | zero_bytes(v ^ b) | zero_bytes(v ^ c) | zero_bytes(v ^ d);
            if hit != 0 {
                return at + (hit.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        while at < input.len() {
            let b = input[at];
            if b == self.delimiter || b == b'\n' || b == b'\r' || Some(b) == self.escape {
                return at;
            }
            at += 1;
        }
        at
    }

    /// Reads the record at `start`. `field` is given the number and the cell of each field up to the schema's last. `last`: the
    /// input ends the file.
    #[inline]
    pub(super) fn record(
        &self,
        input: &[u8],
        start: usize,
        last: bool,
        scratch: &mut Vec<u8>,
        mut field: impl FnMut(usize, Cell),
    ) -> Record {
        let mut at = start;
        if self.comments {
            match self.skip_comments(input, start, last) {
                Opening::Record(to) => at = to,
                Opening::Nothing(end) => return Record::Nothing { end },
                Opening::Incomplete => return Record::Incomplete,
            }
        }
        let mut count = 0;
        let mut bad: Option<(usize, String)> = None;
        loop {
            let begin = at;
            let (cell, next, ended) = match self.field(input, at, last, scratch) {
                Field::Plain(cell, next, ended) => (cell, next, ended),
                Field::Wrong(at_byte, message, next, ended) => {
                    bad.get_or_insert((at_byte, message));
                    (Cell::MISSING, next, ended)
                }
                Field::Incomplete => return Record::Incomplete,
            };
            at = next;
            if count < self.max_fields {
                field(count, cell);
                count += 1;
            } else if bad.is_none() && !self.ignore_trailing {
                let text = cell.text(input, scratch).unwrap_or_default().trim_ascii();
                // `a,b,` and `a,b, ` have one empty field too many, which is taken.
                if !(self.trailing_comma && text.is_empty() && ended) {
                    bad = Some((begin, self.too_many(text)));
                }
            }
            if ended {
                break;
            }
        }
        match bad {
            None => Record::Fields { count, end: at },
            Some((at_byte, message)) => Record::Bad { at: at_byte, message, end: at },
        }
    }

    #[cold]
    fn too_many(&self, text: &[u8]) -> String {
        let text = String::from_utf8_lossy(text);
        format!(
            "Too many entries: expected at most {0} (value #{0} ({1} chars) \"{text}\")",
            self.max_fields,
            text.chars().count()
        )
    }

    /// Over leading blanks, and over a blank or comment line.
    #[cold]
    fn skip_comments(&self, input: &[u8], start: usize, last: bool) -> Opening {
        let mut at = start;
        while input.get(at) == Some(&b' ') {
            at += 1;
        }
        let end = match input.get(at) {
            Some(b'#') => memchr::memchr2(b'\n', b'\r', &input[at..]).map(|n| at + n),
            Some(b'\n' | b'\r') => Some(at),
            Some(_) => return Opening::Record(at),
            None => None,
        };
        match end {
            Some(end) if input[end] == b'\n' => Opening::Nothing(end + 1),
            Some(end) => self.after_cr(input, end, last).map_or(Opening::Incomplete, Opening::Nothing),
            None if last => Opening::Nothing(input.len()),
            None => Opening::Incomplete,
        }
    }

    /// Behind the CR at `at` and the LF that may follow; `None` where it is not known yet.
    fn after_cr(&self, input: &[u8], at: usize, last: bool) -> Option<usize> {
        match input.get(at + 1) {
            Some(b'\n') => Some(at + 2),
            Some(_) => Some(at + 1),
            None => last.then_some(at + 1),
        }
    }

    /// One field: its cell, where to go on, whether the record ended with it.
    #[inline]
    fn field(&self, input: &[u8], start: usize, last: bool, scratch: &mut Vec<u8>) -> Field {
        let mut at = start;
        if self.trim {
            while at < input.len() && input[at] <= b' ' && !self.ends(input[at]) {
                at += 1;
            }
        }
        if at < input.len() && Some(input[at]) == self.quote {
            return self.quoted(input, at + 1, last, scratch);
        }
        let end = self.special(input, at);
        if end < input.len() && Some(input[end]) == self.escape && !self.ends(input[end]) {
            return self.escaped(input, at, end, last, scratch);
        }
        match self.after(input, end, last) {
            None => Field::Incomplete,
            Some((next, ended)) => {
                let end = if self.trim { trimmed(input, at, end) } else { end };
                Field::Plain(Cell::input(at, end), next, ended)
            }
        }
    }

    #[inline]
    fn ends(&self, b: u8) -> bool {
        b == self.delimiter || b == b'\n' || b == b'\r'
    }

    /// Behind the delimiter or line end at `at` (or the input's end).
    #[inline]
    fn after(&self, input: &[u8], at: usize, last: bool) -> Option<(usize, bool)> {
        match input.get(at) {
            None => last.then_some((at, true)),
            Some(&b) if b == self.delimiter => {
                // A delimiter as the file's last byte: an empty field follows, which `special` finds at the end.
                Some((at + 1, false))
            }
            Some(b'\n') => Some((at + 1, true)),
            Some(_) => self.after_cr(input, at, last).map(|n| (n, true)),
        }
    }

    /// An unquoted field whose first escape is at `end`.
    #[cold]
    fn escaped(&self, input: &[u8], start: usize, end: usize, last: bool, scratch: &mut Vec<u8>) -> Field {
        let from = scratch.len();
        scratch.extend_from_slice(&input[start..end]);
        let mut at = end;
        while at < input.len() && !self.ends(input[at]) {
            if Some(input[at]) == self.escape {
                let Some(&b) = input.get(at + 1) else { break };
                scratch.push(unescaped(b));
                at += 2;
            } else {
                scratch.push(input[at]);
                at += 1;
            }
        }
        if at < input.len() && Some(input[at]) == self.escape && !self.ends(input[at]) {
            scratch.truncate(if last { scratch.len() } else { from });
            return match last {
                true => Field::Wrong(at, "Unexpected EOF in escaped character".into(), input.len(), true),
                false => Field::Incomplete,
            };
        }
        match self.after(input, at, last) {
            None => {
                scratch.truncate(from);
                Field::Incomplete
            }
            Some((next, ended)) => {
                if self.trim {
                    let end = trimmed(scratch, from, scratch.len());
                    scratch.truncate(end);
                }
                Field::Plain(Cell::scratch(from, scratch.len()), next, ended)
            }
        }
    }

    /// A quoted field whose first byte behind the quote is at `start`.
    fn quoted(&self, input: &[u8], start: usize, last: bool, scratch: &mut Vec<u8>) -> Field {
        let quote = self.quote.unwrap_or_default();
        let escape = self.escape.unwrap_or(quote);
        let from = scratch.len();
        // Up to here the field is in the scratch already.
        let mut copied = start;
        let mut at = start;
        let close = loop {
            let Some(n) = memchr::memchr2(quote, escape, &input[at..]) else {
                scratch.truncate(from);
                return match last {
                    true => {
                        Field::Wrong(start - 1, "Missing closing quote for value".into(), input.len(), true)
                    }
                    false => Field::Incomplete,
                };
            };
            at += n;
            let next = input.get(at + 1);
            if input[at] == quote {
                match next {
                    Some(&b) if b == quote => {
                        scratch.extend_from_slice(&input[copied..=at]);
                        at += 2;
                        copied = at;
                    }
                    None if !last => {
                        scratch.truncate(from);
                        return Field::Incomplete;
                    }
                    _ => break at,
                }
            } else if let Some(&b) = next {
                scratch.extend_from_slice(&input[copied..at]);
                scratch.push(unescaped(b));
                at += 2;
                copied = at;
            } else {
                at += 1;
            }
        };
        let mut at = close + 1;
        while at < input.len() && input[at] <= b' ' && !self.ends(input[at]) {
            at += 1;
        }
        if at < input.len() && !self.ends(input[at]) {
            return self.after_quote(input, at, last);
        }
        let Some((next, ended)) = self.after(input, at, last) else {
            scratch.truncate(from);
            return Field::Incomplete;
        };
        if copied == start {
            return Field::Plain(Cell::input(start, close), next, ended);
        }
        scratch.extend_from_slice(&input[copied..close]);
        Field::Plain(Cell::scratch(from, scratch.len()), next, ended)
    }

    /// A character other than a blank stands behind a closing quote. The next field starts behind that character.
    #[cold]
    fn after_quote(&self, input: &[u8], at: usize, last: bool) -> Field {
        let rest = &input[at + 1..];
        let tail = rest.iter().take(3).take_while(|b| **b & 0xc0 == 0x80).count();
        if tail == rest.len() && !last {
            return Field::Incomplete;
        }
        let c = String::from_utf8_lossy(&input[at..=at + tail]).chars().next().unwrap_or(' ');
        let d = char::from(self.delimiter);
        let message = format!(
            "Unexpected character ('{c}' (code {})): Expected column separator character ('{d}' (code {})) or end-of-line",
            c as u32, self.delimiter
        );
        Field::Wrong(at, message, at + 1 + tail, false)
    }
}

/// How a line starts where comments are allowed.
enum Opening {
    Record(usize),
    Nothing(usize),
    Incomplete,
}

enum Field {
    Plain(Cell, usize, bool),
    Wrong(usize, String, usize, bool),
    Incomplete,
}

fn unescaped(b: u8) -> u8 {
    match b {
        b'0' => 0,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b => b,
    }
}

fn trimmed(text: &[u8], start: usize, mut end: usize) -> usize {
    while end > start && text[end - 1] <= b' ' {
        end -= 1;
    }
    end
}

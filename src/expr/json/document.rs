//! A parsed JSON document: a tape of nodes over the text.
//!
//! ```text
//! {"a": [1, true], "b": "x"}
//!   0 Object  1 Key a → 2   2 Array  3 Int 1  4 True   5 Key b → 6   6 Str x
//! ```
//!
//! A node knows where its text stands and where its subtree ends, so that a reader steps over what it does not want. Nothing is
//! copied or converted; the tape's memory is used again for the next document. The grammar is Jackson's with its defaults: no
//! leading zeros, no raw control characters in strings, the last of equal keys counts, and what follows the first value is not looked at.

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number without fraction and exponent.
    Int,
    /// Another number.
    Float,
    /// A string; its text is without the quotes.
    Str,
    /// A string that has escapes.
    Escaped,
    /// `[…]`, its elements follow.
    Array,
    /// `{…}`, its keys and their values follow.
    Object,
    /// A key of an object.
    Key,
    /// A key that has escapes.
    EscapedKey,
    /// A key that came again: the first one leads to the last value.
    Dropped,
}

/// A value or key of the tape.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    start: u32,
    end: u32,
    /// The node behind the subtree.
    next: u32,
    /// Of a key: its value. Of a container: how many elements or different keys.
    link: u32,
}

/// How deep values may nest: Jackson's limit.
const MAX_DEPTH: usize = 1000;
/// How long a number may be: Jackson's limit.
const MAX_NUMBER: usize = 1000;

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Document {
    nodes: Vec<Node>,
}

/// Not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The byte where the reader gave up.
    pub at: usize,
}

impl Document {
    /// Reads the first value of `text`; the root is node 0.
    ///
    /// # Errors
    /// The text does not begin with a JSON value.
    pub fn parse(&mut self, text: &[u8]) -> Result<(), Syntax> {
        self.nodes.clear();
        let mut p = Parser { text, at: 0, nodes: &mut self.nodes };
        p.blanks();
        p.value(0)?;
        // A number or word must end where it ends; a string or container may be followed by anything.
        let scalar = !matches!(self.nodes[0].kind, Kind::Str | Kind::Escaped | Kind::Array | Kind::Object);
        let at = self.nodes[0].end as usize;
        if scalar && text.get(at).is_some_and(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t')) {
            return Err(Syntax { at });
        }
        Ok(())
    }

    /// Node `n`.
    #[inline]
    pub fn node(&self, n: u32) -> &Node {
        &self.nodes[n as usize]
    }

    /// What node `n` is.
    #[inline]
    pub fn kind(&self, n: u32) -> Kind {
        self.nodes[n as usize].kind
    }

    /// The text of node `n`: of strings and keys without the quotes, escapes as they stand.
    #[inline]
    pub fn text<'t>(&self, n: u32, text: &'t [u8]) -> &'t [u8] {
        let node = self.node(n);
        &text[node.start as usize..node.end as usize]
    }

    /// Some object has a key twice.
    pub fn has_repeated_keys(&self) -> bool {
        self.nodes.iter().any(|n| n.kind == Kind::Dropped)
    }

    /// Elements of an array or different keys of an object.
    pub fn len(&self, n: u32) -> usize {
        self.node(n).link as usize
    }

    /// The elements of an array.
    pub fn elements(&self, n: u32) -> impl Iterator<Item = u32> + '_ {
        let end = self.node(n).next;
        let mut at = n + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let this = at;
                at = self.node(at).next;
                this
            })
        })
    }

    /// The keys of an object with their values, each key once, where it first stood.
    pub fn members(&self, n: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let end = self.node(n).next;
        let mut at = n + 1;
        std::iter::from_fn(move || {
            while at < end {
                let key = at;
                at = self.node(key + 1).next;
                if self.kind(key) != Kind::Dropped {
                    return Some((key, self.node(key).link));
                }
            }
            None
        })
    }

    /// Element `i` of an array, from the end when negative.
    pub fn element(&self, n: u32, i: i64) -> Option<u32> {
        let i = if i < 0 { i + self.len(n) as i64 } else { i };
        self.elements(n).nth(usize::try_from(i).ok()?)
    }

    /// The value of an object's key.
    pub fn member(&self, n: u32, text: &[u8], name: &str) -> Option<u32> {
        self.members(n).find(|(k, _)| self.is_named(*k, text, name)).map(|(_, v)| v)
    }

    /// A key's name is `name`.
    pub fn is_named(&self, key: u32, text: &[u8], name: &str) -> bool {
        let raw = self.text(key, text);
        match self.kind(key) {
            Kind::EscapedKey => {
                let mut own = Vec::new();
                unescape(raw, &mut own);
                own == name.as_bytes()
            }
            _ => raw == name.as_bytes(),
        }
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    nodes: &'a mut Vec<Node>,
}

impl Parser<'_> {
    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn fail<T>(&self) -> Result<T, Syntax> {
        Err(Syntax { at: self.at })
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) -> usize {
        let n = self.nodes.len();
        self.nodes.push(Node { kind, start: start as u32, end: end as u32, next: n as u32 + 1, link: 0 });
        n
    }

    fn value(&mut self, depth: usize) -> Result<(), Syntax> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let (end, escaped) = self.string()?;
                self.push(if escaped { Kind::Escaped } else { Kind::Str }, start + 1, end);
                Ok(())
            }
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b't') => self.word(b"true", Kind::True),
            Some(b'f') => self.word(b"false", Kind::False),
            Some(b'n') => self.word(b"null", Kind::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.fail(),
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), Syntax> {
        let start = self.at;
        if !self.text[start..].starts_with(word) {
            return self.fail();
        }
        self.at += word.len();
        if self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80) {
            return self.fail();
        }
        self.push(kind, start, self.at);
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> Result<(), Syntax> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || zero && whole > 1 {
            return self.fail();
        }
        let mut kind = Kind::Int;
        if self.peek() == Some(b'.') {
            kind = Kind::Float;
            self.at += 1;
            if self.digits() == 0 {
                return self.fail();
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            kind = Kind::Float;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            // Java's BigDecimal counts in 32 bits.
            if !(1..=9).contains(&self.digits()) {
                return self.fail();
            }
        }
        if self.at - start > MAX_NUMBER {
            return self.fail();
        }
        self.push(kind, start, self.at);
        Ok(())
    }

    /// Steps over a string; where it ends, and whether it has escapes.
    fn string(&mut self) -> Result<(usize, bool), Syntax> {
        self.at += 1;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((self.at - 1, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    match self.text.get(self.at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                        Some(b'u') => match self.text.get(self.at + 2..self.at + 6) {
                            Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => self.at += 6,
                            _ => return self.fail(),
                        },
                        _ => return self.fail(),
                    }
                }
                Some(0x20..) => self.at += 1,
                _ => return self.fail(),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Syntax> {
        if depth > MAX_DEPTH {
            return self.fail();
        }
        let this = self.push(Kind::Array, self.at, self.at);
        self.at += 1;
        let mut len = 0;
        self.blanks();
        if self.peek() != Some(b']') {
            loop {
                self.blanks();
                self.value(depth)?;
                len += 1;
                self.blanks();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    _ => return self.fail(),
                }
            }
        }
        self.close(this, len);
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), Syntax> {
        if depth > MAX_DEPTH {
            return self.fail();
        }
        let this = self.push(Kind::Object, self.at, self.at);
        self.at += 1;
        let mut len = 0;
        self.blanks();
        if self.peek() != Some(b'}') {
            loop {
                self.blanks();
                if self.peek() != Some(b'"') {
                    return self.fail();
                }
                let start = self.at + 1;
                let (end, escaped) = self.string()?;
                let kind = if escaped { Kind::EscapedKey } else { Kind::Key };
                let key = self.push(kind, start, end);
                self.nodes[key].link = key as u32 + 1;
                self.blanks();
                if self.peek() != Some(b':') {
                    return self.fail();
                }
                self.at += 1;
                self.blanks();
                self.value(depth)?;
                len += 1;
                self.blanks();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    _ => return self.fail(),
                }
            }
        }
        let again = if len > 1 { self.drop_repeated(this, len) } else { 0 };
        self.close(this, len - again);
        Ok(())
    }

    fn close(&mut self, this: usize, len: usize) {
        self.at += 1;
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[this];
        node.end = self.at as u32;
        node.next = next;
        node.link = len as u32;
    }

    /// Lets the first of equal keys lead to the last value; how many keys came again.
    fn drop_repeated(&mut self, object: usize, len: usize) -> usize {
        let mut dropped = 0;
        if len <= 16 {
            let mut later = self.nodes[object + 2].next as usize;
            for _ in 1..len {
                let mut first = object + 1;
                while first < later {
                    if self.nodes[first].kind != Kind::Dropped && self.same_name(first, later) {
                        self.nodes[first].link = later as u32 + 1;
                        self.nodes[later].kind = Kind::Dropped;
                        dropped += 1;
                        break;
                    }
                    first = self.nodes[first + 1].next as usize;
                }
                later = self.nodes[later + 1].next as usize;
            }
            return dropped;
        }
        let mut seen = hashbrown::HashMap::with_capacity(len);
        let mut key = object + 1;
        while key < self.nodes.len() {
            let first = *seen.entry(self.name(key)).or_insert(key);
            if first != key {
                self.nodes[first].link = key as u32 + 1;
                self.nodes[key].kind = Kind::Dropped;
                dropped += 1;
            }
            key = self.nodes[key + 1].next as usize;
        }
        dropped
    }

    fn raw(&self, key: usize) -> &[u8] {
        &self.text[self.nodes[key].start as usize..self.nodes[key].end as usize]
    }

    fn name(&self, key: usize) -> Vec<u8> {
        let mut name = Vec::new();
        unescape(self.raw(key), &mut name);
        name
    }

    fn same_name(&self, a: usize, b: usize) -> bool {
        match (self.nodes[a].kind, self.nodes[b].kind) {
            (Kind::Key, Kind::Key) => self.raw(a) == self.raw(b),
            _ => self.name(a) == self.name(b),
        }
    }
}

/// Appends the text of a string with its escapes resolved. Half a surrogate pair becomes `?`, as when Java encodes it.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let letter = rest.get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or_default();
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let unit = hex4(rest);
                rest = rest.get(4..).unwrap_or_default();
                let mut code = u32::from(unit);
                if (0xd800..0xdc00).contains(&unit) && rest.starts_with(b"\\u") {
                    let low = hex4(&rest[2..]);
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x10000 + ((code - 0xd800) << 10) + (u32::from(low) - 0xdc00);
                        rest = &rest[6..];
                    }
                }
                let c = char::from_u32(code).unwrap_or('?');
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => out.push(other),
        }
    }
    out.extend_from_slice(rest);
}

fn hex4(digits: &[u8]) -> u16 {
    digits.iter().take(4).fold(0, |n, d| n << 4 | (*d as char).to_digit(16).unwrap_or(0) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, Syntax> {
        let mut d = Document::default();
        d.parse(text.as_bytes()).map(|()| d)
    }

    #[test]
    fn what_jackson_refuses_is_refused() {
        for bad in [
            "",
            " ",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "tru",
            "truex",
            "12a",
            "{a:1}",
            "{\"a\":1",
            "[1,]",
            "{\"a\":1,}",
            "\"a\tb\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "NaN",
            "'a'",
            "[1 2]",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for good in ["1", " -0.5e+3 ", "{} trailing", "\"a\"x", "[1] ]", "null", "\"\\ud83d\\ude00\""] {
            assert!(parse(good).is_ok(), "{good}");
        }
        assert!(parse(&"[".repeat(1001)).is_err());
        assert!(parse(&format!("{}{}", "[".repeat(1000), "]".repeat(1000))).is_ok());
    }

    #[test]
    fn the_last_of_equal_keys_counts_in_the_first_ones_place() {
        let text = "{\"a\":1,\"b\":[2],\"\\u0061\":{\"c\":3}}";
        let d = parse(text).unwrap();
        let shown: Vec<&[u8]> = d.members(0).map(|(_, v)| d.text(v, text.as_bytes())).collect();
        assert_eq!(shown, [&b"{\"c\":3}"[..], b"[2]"]);
        assert_eq!(d.len(0), 2);
        let many: String = (0..40).map(|i| format!("\"k{}\":{i},", i % 30)).collect();
        let text = format!("{{{}}}", many.trim_end_matches(','));
        let d = parse(&text).unwrap();
        assert_eq!(d.len(0), 30);
        let v = d.member(0, text.as_bytes(), "k3").unwrap();
        assert_eq!(d.text(v, text.as_bytes()), b"33");
    }

    #[test]
    fn elements_are_found_from_both_ends() {
        let text = b"[1,[2,3],{\"a\":4},5]";
        let mut d = Document::default();
        d.parse(text).unwrap();
        assert_eq!(d.text(d.element(0, -1).unwrap(), text), b"5");
        assert_eq!(d.text(d.element(0, 1).unwrap(), text), b"[2,3]");
        assert_eq!(d.element(0, 4), None);
        assert_eq!(d.element(0, -5), None);
    }

    #[test]
    fn escapes_are_resolved() {
        let mut out = Vec::new();
        unescape("x\\u00e9\\n\\\"q/\\/\\u0001\\ud83d\\ude00\\ud83d".as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "xé\n\"q//\u{1}😀?");
    }
}

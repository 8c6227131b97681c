//! JSON tokens, one at a time, from a slice that holds one record.
//!
//! The grammar is that of Jackson with unescaped control characters allowed: no leading zeros, no trailing commas, no comments,
//! whatever follows the record's value is not looked at. Strings are ranges of the input; escapes are resolved by whoever wants
//! the text.

/// A range of the input; for strings without the quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) struct Text {
    pub(in crate::formats) start: u32,
    pub(in crate::formats) end: u32,
}

impl Text {
    #[inline]
    pub(in crate::formats) fn of(self, input: &[u8]) -> &[u8] {
        &input[self.start as usize..self.end as usize]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Token {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    /// A field's name; whether it has escapes.
    Name(Text, bool),
    /// A string; whether it has escapes.
    Str(Text, bool),
    Int(Text),
    Float(Text),
    True,
    False,
    Null,
    /// The input ends.
    End,
}

/// Not JSON: where and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::formats) struct Syntax {
    pub(in crate::formats) at: usize,
    pub(in crate::formats) message: String,
}

/// How deep values may nest: Jackson's limit.
const MAX_DEPTH: usize = 1000;

/// See the module's text.
pub(in crate::formats) struct Parser<'a> {
    input: &'a [u8],
    at: usize,
    /// The containers that are open; true: an object.
    open: &'a mut Vec<bool>,
    context: Context,
    /// Nothing has been read of the innermost container yet.
    first: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    Object,
    /// Behind a name of an object.
    Value,
    Array,
}

type Next = Result<Token, Syntax>;

impl<'a> Parser<'a> {
    /// Reads `input` from `at` on; `open` is memory.
    pub(in crate::formats) fn new(input: &'a [u8], at: usize, open: &'a mut Vec<bool>) -> Self {
        open.clear();
        Self { input, at, open, context: Context::Root, first: true }
    }

    /// Where the next token is looked for.
    pub(in crate::formats) fn position(&self) -> usize {
        self.at
    }

    pub(in crate::formats) fn input(&self) -> &'a [u8] {
        self.input
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.input.get(self.at) {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    /// The next token; [`Token::End`] only outside all containers.
    #[inline]
    pub(in crate::formats) fn next(&mut self) -> Next {
        self.skip_blanks();
        match self.context {
            Context::Object => {
                match self.peek() {
                    Some(b'}') => return Ok(self.close(Token::EndObject)),
                    Some(b',') if !self.first => {
                        self.at += 1;
                        self.skip_blanks();
                    }
                    Some(b'"') if self.first => {}
                    _ => return Err(self.unexpected("a comma or '}'")),
                }
                if self.peek() != Some(b'"') {
                    return Err(self.unexpected("a field name in double quotes"));
                }
                let (text, escaped) = self.string()?;
                self.skip_blanks();
                if self.peek() != Some(b':') {
                    return Err(self.unexpected("a colon to separate field name and value"));
                }
                self.at += 1;
                self.first = false;
                self.context = Context::Value;
                Ok(Token::Name(text, escaped))
            }
            Context::Value => {
                self.context = Context::Object;
                self.value()
            }
            Context::Array => {
                match self.peek() {
                    Some(b']') => return Ok(self.close(Token::EndArray)),
                    Some(b',') if !self.first => {
                        self.at += 1;
                        self.skip_blanks();
                    }
                    _ if self.first => {}
                    _ => return Err(self.unexpected("a comma or ']'")),
                }
                self.first = false;
                self.value()
            }
            Context::Root => match self.peek() {
                None => Ok(Token::End),
                Some(_) => self.value(),
            },
        }
    }

    #[inline]
    fn close(&mut self, token: Token) -> Token {
        self.at += 1;
        self.open.pop();
        self.context = match self.open.last() {
            None => Context::Root,
            Some(true) => Context::Object,
            Some(false) => Context::Array,
        };
        self.first = false;
        token
    }

    #[inline]
    fn value(&mut self) -> Next {
        match self.peek() {
            Some(b'"') => self.string().map(|(t, e)| Token::Str(t, e)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'{') => self.open(true),
            Some(b'[') => self.open(false),
            Some(b'n') => self.word(b"null", Token::Null),
            Some(b't') => self.word(b"true", Token::True),
            Some(b'f') => self.word(b"false", Token::False),
            _ => Err(self.unexpected("a value")),
        }
    }

    #[inline]
    fn open(&mut self, object: bool) -> Next {
        if self.open.len() >= MAX_DEPTH {
            return Err(
                self.error(format!("Document nesting depth exceeds the maximum allowed ({MAX_DEPTH})"))
            );
        }
        self.at += 1;
        self.open.push(object);
        self.first = true;
        self.context = if object { Context::Object } else { Context::Array };
        Ok(if object { Token::StartObject } else { Token::StartArray })
    }

    #[inline]
    fn word(&mut self, word: &[u8], token: Token) -> Next {
        let rest = &self.input[self.at..];
        let goes_on =
            rest.get(word.len()).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80);
        if !rest.starts_with(word) || goes_on {
            let end = rest.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let found = String::from_utf8_lossy(&rest[..end]).into_owned();
            return Err(self.error(format!(
                "Unrecognized token '{found}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
            )));
        }
        self.at += word.len();
        Ok(token)
    }

    /// The string whose opening quote is at the position.
    #[inline]
    fn string(&mut self) -> Result<(Text, bool), Syntax> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = quote_or_escape(self.input, at);
            match self.input.get(at) {
                Some(b'"') => break,
                Some(_) => {
                    escaped = true;
                    at += 2;
                }
                None => {
                    self.at = self.input.len();
                    return Err(self.error(
                        "Unexpected end-of-input: was expecting closing quote for a string value".into(),
                    ));
                }
            }
        }
        self.at = at + 1;
        Ok((Text { start: start as u32, end: at as u32 }, escaped))
    }

    #[inline]
    fn number(&mut self) -> Next {
        let start = self.at;
        let input = self.input;
        let mut at = start + usize::from(input[start] == b'-');
        let digits = |mut at: usize| {
            while input.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let whole = at;
        at = digits(at);
        if at == whole {
            self.at = at;
            return Err(self.unexpected("a digit to follow the minus sign"));
        }
        if input[whole] == b'0' && at > whole + 1 {
            return Err(self.error("Invalid numeric value: Leading zeroes not allowed".into()));
        }
        let mut float = false;
        if input.get(at) == Some(&b'.') {
            let end = digits(at + 1);
            if end == at + 1 {
                self.at = end;
                return Err(self.unexpected("a digit after the decimal point"));
            }
            (at, float) = (end, true);
        }
        if let Some(b'e' | b'E') = input.get(at) {
            let sign = usize::from(matches!(input.get(at + 1), Some(b'+' | b'-')));
            let end = digits(at + 1 + sign);
            if end == at + 1 + sign {
                self.at = end;
                return Err(self.unexpected("a digit in the exponent"));
            }
            (at, float) = (end, true);
        }
        self.at = at;
        let text = Text { start: start as u32, end: at as u32 };
        Ok(if float { Token::Float(text) } else { Token::Int(text) })
    }

    /// Behind the end of the container that the last token opened; the position is behind its opening bracket.
    pub(in crate::formats) fn skip_container(&mut self) -> Result<(), Syntax> {
        let depth = self.open.len();
        while self.open.len() >= depth {
            self.next()?;
        }
        Ok(())
    }

    #[cold]
    fn unexpected(&self, wanted: &str) -> Syntax {
        match self.input.get(self.at..).filter(|r| !r.is_empty()) {
            None => self.error(format!("Unexpected end-of-input: was expecting {wanted}")),
            Some(rest) => {
                let c = String::from_utf8_lossy(&rest[..rest.len().min(4)]).chars().next().unwrap_or(' ');
                self.error(format!(
                    "Unexpected character ('{c}' (code {})): was expecting {wanted}",
                    c as u32
                ))
            }
        }
    }

    #[cold]
    fn error(&self, message: String) -> Syntax {
        Syntax { at: self.at, message }
    }
}

/// The first quote or backslash at or after `at`, or the input's length.
#[inline]
fn quote_or_escape(input: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    while let Some(chunk) = input.get(at..).and_then(|r| r.first_chunk::<8>()) {
        let v = u64::from_le_bytes(*chunk);
        let (q, e) = (v ^ (ONES * b'"' as u64), v ^ (ONES * b'\\' as u64));
        let hit = (q.wrapping_sub(ONES) & !q | e.wrapping_sub(ONES) & !e) & HIGHS;
        if hit != 0 {
            return at + (hit.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < input.len() && !matches!(input[at], b'"' | b'\\') {
        at += 1;
    }
    at.min(input.len())
}

/// Appends the text of a string with escapes. A lone surrogate becomes `?`, as in Java. `None`: an escape that JSON has not.
pub(in crate::formats) fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let code = *rest.get(at + 1)?;
        rest = &rest[at + 2..];
        match code {
            b'"' | b'\\' | b'/' => out.push(code),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let first = hex4(rest)?;
                rest = &rest[4..];
                let mut c = char::from_u32(first);
                if (0xd800..0xdc00).contains(&first)
                    && rest.starts_with(b"\\u")
                    && let Some(second @ 0xdc00..0xe000) = hex4(&rest[2..])
                {
                    c = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
                    rest = &rest[6..];
                }
                let mut utf8 = [0; 4];
                out.extend_from_slice(c.unwrap_or('?').encode_utf8(&mut utf8).as_bytes());
            }
            _ => return None,
        }
    }
    out.extend_from_slice(rest);
    Some(())
}

fn hex4(text: &[u8]) -> Option<u32> {
    let digits = text.get(..4)?;
    digits.iter().try_fold(0, |v, &b| Some(v << 4 | char::from(b).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<String>, String> {
        let mut open = vec![];
        let mut p = Parser::new(text.as_bytes(), 0, &mut open);
        let mut out = vec![];
        loop {
            let show = |t: Text| String::from_utf8_lossy(t.of(text.as_bytes())).into_owned();
            out.push(match p.next().map_err(|e| format!("{} {}", e.at, e.message))? {
                Token::End => return Ok(out),
                Token::Name(t, _) => format!("{}:", show(t)),
                Token::Str(t, e) => format!("{}'{}'", if e { "e" } else { "" }, show(t)),
                Token::Int(t) => format!("i{}", show(t)),
                Token::Float(t) => format!("f{}", show(t)),
                t => format!("{t:?}"),
            });
        }
    }

    #[test]
    fn tokens_come_in_order() {
        let text = r#" {"a" : [1, -2.5e3,"x\"y\\"] ,"b":{}, "c":null,"d":true}"#;
        let found = tokens(text).unwrap().join(" ");
        assert_eq!(
            found,
            r#"StartObject a: StartArray i1 f-2.5e3 e'x\"y\\' EndArray b: StartObject EndObject c: Null d: True EndObject"#
        );
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for wrong in [
            "{\"a\":1,}",
            "[1,]",
            "{a:1}",
            "{\"a\" 1}",
            "{\"a\":01}",
            "[-]",
            "[1.]",
            "[.5]",
            "[1e]",
            "[nul]",
            "[nulls]",
            "[+1]",
            "{\"a\":1 \"b\":2}",
            "{,}",
            "[,1]",
            "[1 2]",
            "{\"a\":1",
            "[\"a",
            "[\"a\\\"",
            "{\"a\"",
            "[}",
            "{]",
            "[\u{a0}1]",
            "{\"a\":}",
        ] {
            assert!(tokens(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert!(tokens(&"[".repeat(1001)).unwrap_err().contains("depth"));
    }

    #[test]
    fn escapes() {
        let text = |t: &str| {
            let mut out = vec![];
            unescape(t.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap())
        };
        assert_eq!(text(r#"a\"\\\/\b\f\n\r\té\u00e9"#).unwrap(), "a\"\\/\u{8}\u{c}\n\r\téé");
        assert_eq!(text(r"\ud83d\ude00").unwrap(), "😀");
        assert_eq!(text(r"\ud83dx\ude00\ud83d").unwrap(), "?x??");
        for wrong in [r"\x", r"\u12", r"\u12g4", "\\"] {
            assert_eq!(text(wrong), None, "{wrong}");
        }
    }
}

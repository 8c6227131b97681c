//! Text to tokens, by Flink's lexical rules: back quotes around names, doubled quotes inside strings, comments of
//! the forms `--`, `//` and `/* */`, hints in `/*+ */`, and the letters that Calcite allows in a word.
//!
//! The lexer does not fail. What is no token becomes [`TokenKind::Bad`], and the parser complains when it comes to
//! it; a statement before it can still be parsed, and one behind it found.

use super::token::{BadToken, Token, TokenKind};
use crate::error::{Error, Result, Span};

/// All tokens of `text`; the last is [`TokenKind::End`]. Text beyond 4 GiB is refused, because spans are 32 bits wide.
pub fn tokenize(text: &str) -> Result<Vec<Token>> {
    if u32::try_from(text.len()).is_err() {
        return Err(Error::syntax("an SQL text of more than 4 GiB", Span::default()));
    }
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::with_capacity(text.len() / 5 + 1);
    loop {
        let blank = lexer.skip_blank();
        let start = lexer.at;
        let kind = match blank {
            Ok(()) => lexer.token(),
            Err(bad) => {
                lexer.at = text.len();
                TokenKind::Bad(bad)
            }
        };
        tokens.push(Token { kind, span: Span::new(start as u32, lexer.at as u32) });
        if kind == TokenKind::End {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Skips white space and comments; stops before `/*+`. On an open comment stays at its start.
    fn skip_blank(&mut self) -> Result<(), BadToken> {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | b'\x0c', _) => self.at += 1,
                (b'-', b'-') | (b'/', b'/') => {
                    let rest = self.rest();
                    self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
                }
                (b'/', b'*') if self.byte(2) != b'+' => match self.rest()[2..].find("*/") {
                    Some(end) => self.at += end + 4,
                    None => return Err(BadToken::OpenComment),
                },
                _ => return Ok(()),
            }
        }
    }

    fn token(&mut self) -> TokenKind {
        use TokenKind::*;
        let Some(first) = self.rest().chars().next() else { return End };
        let (kind, width) = match (first, self.byte(1)) {
            ('0'..='9', _) => return self.number(),
            ('.', b'0'..=b'9') => return self.number(),
            ('\'', _) => return self.string(0, String),
            ('`', _) => return self.quoted_name('`', 0, QuotedName),
            ('$', _) if !self.rest()[1..].starts_with(is_word_part) => (Dollar, 1),
            (c, _) if is_word_start(c) => return self.word(),
            ('/', b'*') => (HintStart, 3),
            ('*', b'/') => (HintEnd, 2),
            ('<', b'>') => (NotEq, 2),
            ('<', b'=') => (LtEq, 2),
            ('>', b'=') => (GtEq, 2),
            ('=', b'>') => (Arrow, 2),
            ('!', b'=') => (BangEq, 2),
            ('|', b'|') => (Concat, 2),
            ('(', _) => (LeftParen, 1),
            (')', _) => (RightParen, 1),
            ('[', _) => (LeftBracket, 1),
            (']', _) => (RightBracket, 1),
            ('{', _) => (LeftBrace, 1),
            ('}', _) => (RightBrace, 1),
            (',', _) => (Comma, 1),
            (';', _) => (Semicolon, 1),
            ('.', _) => (Dot, 1),
            (':', _) => (Colon, 1),
            ('?', _) => (Question, 1),
            ('=', _) => (Eq, 1),
            ('<', _) => (Lt, 1),
            ('>', _) => (Gt, 1),
            ('+', _) => (Plus, 1),
            ('-', _) => (Minus, 1),
            ('*', _) => (Star, 1),
            ('/', _) => (Slash, 1),
            ('%', _) => (Percent, 1),
            ('|', _) => (Pipe, 1),
            ('^', _) => (Caret, 1),
            ('"', _) => (Bad(BadToken::DoubleQuote), 1),
            (c, _) => (Bad(BadToken::Character), c.len_utf8()),
        };
        self.at += width;
        kind
    }

    /// Digits, point, digits, exponent. An `e` without digits behind it begins the next token.
    fn number(&mut self) -> TokenKind {
        let mut kind = TokenKind::Integer;
        self.digits();
        if self.byte(0) == b'.' {
            kind = TokenKind::Decimal;
            self.at += 1;
            self.digits();
        }
        let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
        if matches!(self.byte(0), b'e' | b'E') && self.byte(1 + sign).is_ascii_digit() {
            kind = TokenKind::Approximate;
            self.at += 1 + sign;
            self.digits();
        }
        kind
    }

    fn digits(&mut self) {
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
        }
    }

    /// A word, or a string that begins like one.
    fn word(&mut self) -> TokenKind {
        use TokenKind::*;
        let rest = self.rest();
        match (self.byte(0), self.byte(1), self.byte(2)) {
            (b'x' | b'X', b'\'', _) => return self.string(1, BinaryString),
            (b'n' | b'N', b'\'', _) => return self.string(1, PrefixedString),
            (b'e' | b'E', b'\'', _) => return self.escaped_string(),
            (b'u' | b'U', b'&', b'\'') => return self.string(2, UnicodeString),
            (b'u' | b'U', b'&', b'"') => return self.quoted_name('"', 2, UnicodeName),
            (b'_', c, _) if c.is_ascii_alphanumeric() => {
                let charset = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '-' | '_');
                let prefix = rest.find(|c| !charset(c)).unwrap_or(rest.len());
                if rest[prefix..].starts_with('\'') {
                    return self.string(prefix, PrefixedString);
                }
            }
            _ => {}
        }
        let word = &rest[..rest.find(|c| !is_word_part(c)).unwrap_or(rest.len())];
        let kind = super::keyword::Keyword::lookup(word).map_or(Word, Keyword);
        self.at += word.len();
        kind
    }

    /// From a quote behind `prefix` bytes to the closing quote; two quotes are one inside.
    fn string(&mut self, prefix: usize, kind: TokenKind) -> TokenKind {
        self.quoted('\'', prefix, &[], kind, BadToken::OpenString)
    }

    fn quoted_name(&mut self, quote: char, prefix: usize, kind: TokenKind) -> TokenKind {
        let start = self.at;
        let kind = self.quoted(quote, prefix, &['\n', '\r'], kind, BadToken::OpenName);
        let empty = self.at - start == prefix + 2;
        if empty { TokenKind::Bad(BadToken::OpenName) } else { kind }
    }

    fn quoted(
        &mut self,
        quote: char,
        prefix: usize,
        stop: &[char],
        ok: TokenKind,
        bad: BadToken,
    ) -> TokenKind {
        let mut at = self.at + prefix + 1;
        loop {
            let rest = &self.text[at..];
            let Some(end) = rest.find(|c| c == quote || stop.contains(&c)) else {
                self.at = self.text.len();
                return TokenKind::Bad(bad);
            };
            at += end;
            if !self.text[at..].starts_with(quote) {
                self.at = at;
                return TokenKind::Bad(bad);
            }
            at += 1;
            if !self.text[at..].starts_with(quote) {
                self.at = at;
                return ok;
            }
            at += 1;
        }
    }

    /// `E'…'`: a backslash takes the next character with it.
    fn escaped_string(&mut self) -> TokenKind {
        let mut at = self.at + 2;
        let bytes = self.text.as_bytes();
        loop {
            match (bytes.get(at), bytes.get(at + 1)) {
                (None, _) => {
                    self.at = self.text.len();
                    return TokenKind::Bad(BadToken::OpenString);
                }
                (Some(b'\\'), Some(_)) | (Some(b'\''), Some(b'\'')) => at += 2,
                (Some(b'\''), _) => {
                    self.at = at + 1;
                    return TokenKind::EscapedString;
                }
                _ => at += 1,
            }
        }
    }
}

/// The letters of Calcite's grammar.
fn is_word_start(c: char) -> bool {
    matches!(c,
        '$' | '_' | 'A'..='Z' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{1fff}'
        | '\u{3040}'..='\u{318f}' | '\u{3300}'..='\u{337f}' | '\u{3400}'..='\u{3d2d}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// The letters and digits of Calcite's grammar. (Its other digits all lie among its letters.)
fn is_word_part(c: char) -> bool {
    c.is_ascii_digit() || is_word_start(c)
}

/// Whether `name` reads as one word that is no keyword, so that it needs no quotes.
pub fn is_plain_word(name: &str) -> bool {
    name.starts_with(is_word_start)
        && name != "$"
        && name.chars().all(is_word_part)
        && super::keyword::Keyword::lookup(name).is_none_or(|keyword| !keyword.is_reserved())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` as its tokens' texts, bad ones marked.
    fn cut(text: &str) -> String {
        let tokens = tokenize(text).unwrap();
        let mut out = Vec::new();
        for token in &tokens[..tokens.len() - 1] {
            let mark = if matches!(token.kind, TokenKind::Bad(_)) { "!" } else { "" };
            out.push(format!("{mark}{}", token.span.text(text)));
        }
        out.join("|")
    }

    #[test]
    fn cutting() {
        for (text, expected) in [
            ("SELECT a,b", "SELECT|a|,|b"),
            ("a--b\nc //d\r e/*f*/g/**/h /* /* */ i", "a|c|e|g|h|i"),
            ("/*+ X */ a */", "/*+|X|*/|a|*/"),
            ("1 1. .5 1.5e-3 1e5 1e 1.e5 1..2 1a 0x1F", "1|1.|.5|1.5e-3|1e5|1|e|1.e5|1.|.2|1|a|0|x1F"),
            (
                "'a''b' '' x'0' n'x' _utf8'y' _a b U&'z' e'a\\'b''c' u'x'",
                "'a''b'|''|x'0'|n'x'|_utf8'y'|_a|b|U&'z'|e'a\\'b''c'|u|'x'",
            ),
            ("`a``b` `` `a\nb`", "`a``b`|!``|!`a|b|!`"),
            ("a$b $a $ é 日本 U&\"x\"\"y\"", "a$b|$a|$|é|日本|U&\"x\"\"y\""),
            ("<> <= >= => != || | = < > a=-1", "<>|<=|>=|=>|!=||||||=|<|>|a|=|-|1"),
            ("a & \"b\" # 😀", "a|!&|!\"|b|!\"|!#|!😀"),
            ("a 'b", "a|!'b"),
            ("a /* b", "a|!/* b"),
            ("a E'b\\'", "a|!E'b\\'"),
            ("{d '1'} {- a -}", "{|d|'1'|}|{|-|a|-|}"),
        ] {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    #[test]
    fn words_that_need_no_quotes() {
        for word in ["a", "_1", "é", "plan", "a$b"] {
            assert!(is_plain_word(word), "{word}");
        }
        for word in ["", "1a", "a b", "table", "Select", "$", "a-b", "`"] {
            assert!(!is_plain_word(word), "{word}");
        }
    }
}

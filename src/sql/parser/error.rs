//! What a syntax error says.

use super::Parser;
use crate::error::Error;
use crate::sql::keyword::Keyword;
use crate::sql::token::{BadToken, TokenKind};

/// The words that make a statement's skeleton, whose misspelling turns the word into a name and the error into one
/// about the next token.
const SKELETON: &[Keyword] = {
    use Keyword::*;
    &[
        SELECT,
        FROM,
        WHERE,
        GROUP,
        HAVING,
        WINDOW,
        QUALIFY,
        ORDER,
        LIMIT,
        OFFSET,
        FETCH,
        UNION,
        INTERSECT,
        EXCEPT,
        JOIN,
        LEFT,
        RIGHT,
        FULL,
        INNER,
        CROSS,
        USING,
        LATERAL,
        VALUES,
        WITH,
        INSERT,
        INTO,
        CREATE,
        TABLE,
        VIEW,
        DROP,
        ALTER,
        EXPLAIN,
        DESCRIBE,
        SHOW,
        BETWEEN,
        LIKE,
        DISTINCT,
        PARTITION,
        OVER,
        CASE,
        WHEN,
        THEN,
        ELSE,
        END,
        EXISTS,
        MATCH_RECOGNIZE,
        PRIMARY,
        WATERMARK,
        METADATA,
        COMMENT,
        PARTITIONED,
        NOT,
        AND,
    ]
};

/// More expected things than this are not listed.
const LISTED: usize = 12;

impl Parser<'_> {
    /// The current token does not fit: says so with all that was looked for at it.
    pub(super) fn unexpected(&mut self) -> Error {
        let token = self.peek();
        if let TokenKind::Bad(bad) = token.kind {
            return self.bad_token(bad);
        }
        if self.noted_at != self.at {
            self.noted.clear();
        }
        let found = self.found();
        let message = match self.expected() {
            Some(expected) => format!("expected {expected}, found {found}"),
            None => format!("{found} does not fit here"),
        };
        let error = Error::syntax(message, token.span);
        match self.advice() {
            Some(advice) => error.hint(advice),
            None => error,
        }
    }

    /// As [`unexpected`](Self::unexpected), naming one more thing that would fit.
    pub(super) fn expected_here(&mut self, what: &'static str) -> Error {
        self.note(what);
        // A noun says more than the list of words that may begin it.
        self.noted
            .retain(|noted| !noted.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') || *noted == what);
        self.unexpected()
    }

    fn found(&self) -> String {
        use TokenKind::*;
        let token = self.peek();
        match token.kind {
            End => "the end of the text".into(),
            Keyword(keyword) if keyword.is_reserved() => format!("the reserved word {}", keyword.name()),
            _ => {
                let text = self.text_of(token);
                let short: std::string::String = text.chars().take(40).collect();
                let dots = if short.len() < text.len() { "…" } else { "" };
                match token.kind {
                    String => format!("the string {short}{dots}"),
                    Integer | Decimal | Approximate => format!("the number {short}{dots}"),
                    _ => format!("'{short}{dots}'"),
                }
            }
        }
    }

    fn expected(&self) -> Option<String> {
        let is_word = |s: &str| s.starts_with(|c: char| c.is_ascii_alphabetic());
        let show = |s: &str| if is_word(s) { s.to_owned() } else { format!("'{s}'") };
        match self.noted.as_slice() {
            [] => None,
            [one] => Some(show(one)),
            many if many.len() > LISTED => None,
            [rest @ .., last] => {
                let rest: Vec<_> = rest.iter().map(|s| show(s)).collect();
                Some(format!("{} or {}", rest.join(", "), show(last)))
            }
        }
    }

    fn advice(&self) -> Option<String> {
        use TokenKind::*;
        let token = self.peek();
        let text = self.text_of(token);
        let before = self.at.checked_sub(1).map(|i| self.tokens[i]);
        let before_kind = before.map(|token| token.kind);
        match (before_kind, token.kind) {
            (_, BangEq) => return Some("Flink writes 'not equal' as <>".into()),
            (Some(Eq), Eq) => return Some("Flink compares with one =".into()),
            (_, Colon) if self.kind_at(1) == Colon => {
                return Some("write CAST(x AS type) instead of x::type".into());
            }
            (_, Keyword(super::Keyword::MINUS)) => return Some("write EXCEPT instead of MINUS".into()),
            (_, Keyword(super::Keyword::STRING_AGG | super::Keyword::GROUP_CONCAT)) => {
                return Some("Flink's function for this is LISTAGG".into());
            }
            (_, Keyword(super::Keyword::APPLY)) => {
                return Some("write JOIN LATERAL TABLE(…) instead of APPLY".into());
            }
            (_, String) => {
                let wants_name =
                    self.noted.iter().any(|noted| noted.contains("name") || noted.contains("alias"));
                if wants_name {
                    return Some(format!("a name stands in back quotes: `{}`", text.trim_matches('\'')));
                }
            }
            _ => {}
        }
        // A misspelt keyword at this token, where the parser knows what would have fitted …
        if let Word | Keyword(_) = token.kind {
            let fitting = self.noted.iter().copied().filter(|word| word.len() > 2 && is_similar(text, word));
            if let Some(word) = fitting.min_by_key(|word| distance(text, word)) {
                return Some(format!("did you mean {word}?"));
            }
            let skeleton = SKELETON.iter().map(|k| k.name()).find(|word| is_similar(text, word));
            if let (Word, Some(word)) = (token.kind, skeleton) {
                return Some(format!("did you mean {word}?"));
            }
        }
        // … or one before it, which was taken for a name.
        if let (Some(Word), Some(before)) = (before_kind, before) {
            let text = self.text_of(before);
            if let Some(word) = SKELETON.iter().map(|k| k.name()).find(|word| is_similar(text, word)) {
                return Some(format!("did you mean {word} instead of {text}?"));
            }
        }
        match token.kind {
            Keyword(keyword) if keyword.is_reserved() && self.may_be_meant_as_name(keyword) => {
                Some(format!("to use it as a name, put it in back quotes: `{text}`"))
            }
            RightParen | Keyword(super::Keyword::FROM) if before_kind == Some(Comma) => {
                Some("take away the comma before it".into())
            }
            _ => None,
        }
    }

    /// A name, or what may begin with one, is wanted here, and the reserved word is none of those that shape a statement.
    fn may_be_meant_as_name(&self, keyword: Keyword) -> bool {
        let wants = |what: &[&str]| self.noted.iter().any(|noted| what.iter().any(|w| noted.contains(w)));
        wants(&["name", "alias"]) || wants(&["an expression", "a table"]) && !SKELETON.contains(&keyword)
    }

    fn bad_token(&self, bad: BadToken) -> Error {
        let token = self.peek();
        let start = crate::error::Span::new(token.span.start, token.span.start + 1);
        match bad {
            BadToken::OpenString => Error::syntax("the string that begins here has no closing quote", start)
                .hint("a quote inside a string is written twice: 'it''s'"),
            BadToken::OpenName => {
                Error::syntax("a name in back quotes is empty or has no closing back quote", token.span)
                    .hint("a back quote inside a name is written twice")
            }
            BadToken::OpenComment => {
                Error::syntax("the comment that begins here has no end", start).hint("close it with */")
            }
            BadToken::DoubleQuote => Error::syntax("Flink SQL does not use double quotes", token.span)
                .hint("write 'text' for a string and `name` for a name"),
            BadToken::Character => {
                let c = self.text_of(token);
                Error::syntax(format!("the character '{}' is not used in SQL", c.escape_debug()), token.span)
            }
        }
    }
}

/// Whether a user who typed `text` may have meant `word`: one slip in a short word, two in a longer one.
fn is_similar(text: &str, word: &str) -> bool {
    let allowed = match word.len() {
        0..=2 => return false,
        3..=5 => 1,
        _ => 2,
    };
    text.len().abs_diff(word.len()) <= allowed
        && !text.eq_ignore_ascii_case(word)
        && text.len() > 2
        && distance(text, word) <= allowed
}

/// Slips between two words, whatever their case: a letter missing, added or wrong, or two neighbours swapped.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_ascii_uppercase().into_bytes(), b.to_ascii_uppercase().into_bytes());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips() {
        assert_eq!(distance("FORM", "from"), 1);
        assert_eq!(distance("selct", "SELECT"), 1);
        assert_eq!(distance("a", "SELECT"), 6);
        assert!(
            is_similar("WHRE", "WHERE") && is_similar("gruop", "GROUP") && !is_similar("orders", "GROUP")
        );
        assert!(!is_similar("from", "FROM"));
    }
}

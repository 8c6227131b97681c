//! Tokens: kinds and places. Their text stays in the source, which every user of tokens has at hand.

use super::keyword::Keyword;
use crate::error::Span;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of tokens. White space and comments are none; a hint's `/*+` and `*/` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An unquoted word that is no keyword.
    Word,
    /// A keyword, reserved or not.
    Keyword(Keyword),
    /// `` `…` ``
    QuotedName,
    /// `U&"…"`
    UnicodeName,
    /// `123`
    Integer,
    /// `1.5`, `1.`, `.5`
    Decimal,
    /// `1E5`
    Approximate,
    /// `'…'`
    String,
    /// `U&'…'`
    UnicodeString,
    /// `E'…'`
    EscapedString,
    /// `_utf8'…'`, `N'…'`
    PrefixedString,
    /// `X'…'`
    BinaryString,
    /// `/*+`
    HintStart,
    /// `*/` where no comment is open
    HintEnd,
    /// `(`
    LeftParen,
    /// `)`
    RightParen,
    /// `[`
    LeftBracket,
    /// `]`
    RightBracket,
    /// `{`
    LeftBrace,
    /// `}`
    RightBrace,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `.`
    Dot,
    /// `:`
    Colon,
    /// `?`
    Question,
    /// `=`
    Eq,
    /// `<>`
    NotEq,
    /// `!=`, which Flink refuses
    BangEq,
    /// `<`
    Lt,
    /// `<=`
    LtEq,
    /// `>`
    Gt,
    /// `>=`
    GtEq,
    /// `=>`
    Arrow,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `||`
    Concat,
    /// `|`
    Pipe,
    /// `^`
    Caret,
    /// `$` alone
    Dollar,
    /// Something that is no token, with the reason.
    Bad(BadToken),
    /// The end of the text.
    End,
}

/// Why something is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadToken {
    /// A string without its closing quote.
    OpenString,
    /// A back-quoted name without its closing quote on the line, or an empty one.
    OpenName,
    /// A comment without its end.
    OpenComment,
    /// A double quote.
    DoubleQuote,
    /// A character that Flink SQL does not use.
    Character,
}

impl TokenKind {
    /// How a message names what is found or expected, where the kind says it all; else `""`.
    pub fn symbol(self) -> &'static str {
        use TokenKind::*;
        match self {
            HintStart => "/*+",
            HintEnd => "*/",
            LeftParen => "(",
            RightParen => ")",
            LeftBracket => "[",
            RightBracket => "]",
            LeftBrace => "{",
            RightBrace => "}",
            Comma => ",",
            Semicolon => ";",
            Dot => ".",
            Colon => ":",
            Question => "?",
            Eq => "=",
            NotEq => "<>",
            BangEq => "!=",
            Lt => "<",
            LtEq => "<=",
            Gt => ">",
            GtEq => ">=",
            Arrow => "=>",
            Plus => "+",
            Minus => "-",
            Star => "*",
            Slash => "/",
            Percent => "%",
            Concat => "||",
            Pipe => "|",
            Caret => "^",
            Dollar => "$",
            Keyword(keyword) => keyword.name(),
            _ => "",
        }
    }
}
